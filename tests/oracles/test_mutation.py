"""The generated MutatingAdmissionPolicy, by Kubernetes' own code, and Assign mutators, by gator."""

import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admission_chain import AdmissionChain, namespace, request
from crd_schemas import crd_validator
from generated_objects import POD, well_formed
from pullguard.library.config import ProtectedNamespaces
from pullguard.library.render import admission
from twins import LISTS, Twins, Workbench, pod

_NAME = "protected_pull_policy"
_ALWAYS = {"name": "c", "image": "q.io/a:v1", "imagePullPolicy": "Always"}


@pytest.fixture(scope="module")
def mutated(workbench: Workbench) -> Iterator[AdmissionChain]:
    """The MutatingAdmissionPolicy, and nothing else."""
    protected = ProtectedNamespaces(("kube-*",), None)
    config = workbench.config(_NAME, {"exemptImages": ["exempt/*"]}, protected=protected)
    policies = admission.mutating(workbench.policies[_NAME], config)
    with workbench.chain([*policies, namespace("kube-system"), namespace("elsewhere")]) as chain:
        yield chain


@pytest.fixture(scope="module")
def judged(workbench: Workbench) -> Iterator[Twins]:
    """The policy itself, which changes nothing."""
    with workbench.twins(_NAME, workbench.config(_NAME)) as twins:
        yield twins


def _uses(obj: Mapping[str, Any]) -> list[tuple[str, str]]:
    spec = obj["spec"]
    return [
        *((one["image"], one["imagePullPolicy"]) for key in LISTS[:3] for one in spec.get(key, ())),
        *((one["image"]["reference"], one["image"]["pullPolicy"]) for one in spec.get("volumes", ()) if "image" in one),
    ]


def _without_policies(value: Any) -> Any:
    if isinstance(value, dict):
        left_out = {"imagePullPolicy", "pullPolicy", "kind", "apiVersion"}
        return {key: _without_policies(entry) for key, entry in value.items() if key not in left_out}
    return [_without_policies(entry) for entry in value] if isinstance(value, list) else value


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(pods=st.lists(well_formed(POD), min_size=1, max_size=30))
def test_random_pods_are_mutated_where_rego_says_that_they_can_be(
    judged: Twins, mutated: AdmissionChain, pods: list[dict[str, Any]]
) -> None:
    """Rego's remedies tell pinned images from others: one says only what to set, the other to pin first."""
    before = [judged.chain.judge(request(obj), typed=True)["object"] for obj in pods]
    after = [mutated.judge(request(obj), typed=True)["object"] for obj in pods]
    uses = [use for obj in before for use in _uses(obj)]
    says = judged.in_rego(
        [request(pod([{"name": "c", "image": image, "imagePullPolicy": policy}])) for image, policy in uses]
    )
    wanted = [
        (image, "IfNotPresent" if line.endswith("registry; set imagePullPolicy: IfNotPresent") else policy)
        for line, (image, policy) in zip(says, uses, strict=True)
    ]
    assert [use for obj in after for use in _uses(obj)] == wanted
    assert _without_policies(after) == _without_policies(before)


def _policy(chain: AdmissionChain, one: Mapping[str, Any]) -> str:
    verdict = chain.judge(one, typed=True)
    assert verdict["allowed"]
    return str(verdict["object"]["spec"]["containers"][0]["imagePullPolicy"])


def test_what_mutation_leaves_alone(mutated: AdmissionChain) -> None:
    obj = pod([_ALWAYS])
    assert _policy(mutated, request(obj)) == "IfNotPresent"
    assert _policy(mutated, request(pod([_ALWAYS], namespace="elsewhere"))) == "Always"
    assert _policy(mutated, request(obj, old=obj)) == "Always"
    assert _policy(mutated, request(pod([{**_ALWAYS, "image": "exempt/a:1"}]))) == "Always"
    mirror = {**obj["metadata"], "annotations": {"kubernetes.io/config.mirror": "1"}}
    assert _policy(mutated, request({**obj, "metadata": mirror})) == "Always"
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "o", "uid": "1", "controller": True}
    owned = {**obj, "metadata": {**obj["metadata"], "ownerReferences": [owner]}}
    assert _policy(mutated, request(owned)) == "IfNotPresent"
    deployment = {**obj, "apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": obj["spec"]}}}
    template = mutated.judge(request(deployment), typed=True)["object"]["spec"]["template"]
    assert template["spec"]["containers"][0]["imagePullPolicy"] == "Always"


def test_nothing_is_mutated_where_if_not_present_is_not_allowed(workbench: Workbench) -> None:
    policy = workbench.policies[_NAME]
    config = workbench.config(_NAME, {"allowedPolicies": ["Never"]})
    assert (admission.mutating(policy, config), admission.assigns(policy, config)) == ([], [])


def test_what_assigns_do(workbench: Workbench, gator: Path, tmp_path: Path) -> None:
    """Their limits are what their annotation says: neither the value nor the image matters."""
    config = workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), {"matchLabels": {"tier": "a"}}))
    mutators = admission.assigns(workbench.policies[_NAME], config)
    for mutator in mutators:
        # gator expands outside of any request, so that nothing would match.
        assert mutator["spec"]["applyTo"][0].pop("operations") == ["CREATE"]
        assert "Never included" in mutator["metadata"]["annotations"]["pullguard/limits"]
    expansion = {
        "apiVersion": "expansion.gatekeeper.sh/v1alpha1",
        "kind": "ExpansionTemplate",
        "metadata": {"name": "pods"},
        "spec": {
            "applyTo": [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
            "templateSource": "spec.template",
            "generatedGVK": {"group": "", "version": "v1", "kind": "Pod"},
        },
    }
    spec: dict[str, Any] = {
        "containers": [_ALWAYS, {"name": "d", "image": "q.io/a", "imagePullPolicy": "Never"}],
        "initContainers": [{"name": "i", "image": "q.io/a:latest"}],
        "volumes": [
            {"name": "v", "image": {"reference": "q.io/a:v1", "pullPolicy": "Always"}},
            {"name": "e", "emptyDir": {}},
        ],
    }
    namespaces = [namespace("kube-system"), namespace("labelled", tier="a"), namespace("elsewhere")]
    deployments = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": one["metadata"]["name"], "namespace": one["metadata"]["name"]},
            "spec": {"template": {"metadata": {"labels": {"a": "b"}}, "spec": spec}},
        }
        for one in namespaces
    ]
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all([expansion, *namespaces, *deployments, *mutators]), "utf-8")
    done = subprocess.run(
        [gator, "expand", f"--filename={tmp_path}"], capture_output=True, text=True, timeout=600, check=True
    )
    made = {obj["metadata"]["namespace"]: obj["spec"] for obj in yaml.safe_load_all(done.stdout)}
    mutated = {
        "containers": [{**one, "imagePullPolicy": "IfNotPresent"} for one in spec["containers"]],
        "initContainers": [{**one, "imagePullPolicy": "IfNotPresent"} for one in spec["initContainers"]],
        "volumes": [
            {"name": "v", "image": {"reference": "q.io/a:v1", "pullPolicy": "IfNotPresent"}},
            {"name": "e", "emptyDir": {}},
        ],
    }
    assert made == {"kube-system": mutated, "labelled": mutated, "elsewhere": spec}


def test_assigns_fit_gatekeepers_definition_of_them(workbench: Workbench, gatekeeper_manifest: Path) -> None:
    validator = crd_validator(gatekeeper_manifest, "assign.mutations.gatekeeper.sh")
    config = workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), {"matchLabels": {"tier": "a"}}))
    for mutator in admission.assigns(workbench.policies[_NAME], config):
        assert [error.message for error in validator.iter_errors(mutator)] == []


def test_beyond_the_cost_budget_a_pod_stays_as_it_is(mutated: AdmissionChain) -> None:
    count = 15000
    obj = pod([{**_ALWAYS, "name": f"c{index}"} for index in range(count)])
    verdict = mutated.judge(request(obj), typed=True)
    assert verdict["allowed"]
    assert {policy for _, policy in _uses(verdict["object"])} == {"Always"}
