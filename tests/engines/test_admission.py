"""The generated admission policies, by Kubernetes' own code, held to their twins in Rego."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admission_chain import AdmissionChain, namespace, request
from generated_objects import objects
from pullguard import policies
from pullguard.config import ALL, UNSEEN, AdmissionConfig, Config, PolicyConfig, ProtectedNamespaces
from pullguard.inputs import Inputs, Manifest
from pullguard.policies import Policy
from pullguard.render import admission

POLICIES = ("protected_image_pinning", "protected_pull_policy")

_LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")
_CUSTOM = [
    {"group": "argoproj.io", "kind": "Rollout", "paths": ["spec.template.spec"]},
    {"group": "jobset.x-k8s.io", "kind": "JobSet", "paths": ["spec.replicatedJobs[].template.spec.template.spec"]},
]
_IGNORE = "admission.gatekeeper.sh/ignore"

@pytest.fixture(scope="module")
def sources(opa: Path, checkout: Path) -> dict[str, Policy]:
    return {policy.name: policy for policy in policies.read(checkout / "rego", opa).policies}


def _config(
    policy: Policy,
    parameters: Mapping[str, Any],
    protected: ProtectedNamespaces = ProtectedNamespaces(("*",), None),
    scope: str = ALL,
    level: str = "deny",
) -> Config:
    own = PolicyConfig(enabled=True, enforcement=level, parameters=parameters)
    return Config(protected, {policy.name: own}, AdmissionConfig(scope))


def _rego(opa: Path, checkout: Path, policy: str, parameters: Mapping[str, Any], reviews: Sequence[Any]) -> list[str]:
    """Return what Rego tells the user about each review, as one line; "" for nothing."""
    query = (
        "[found | parameters := input.parameters; some review in input.reviews; found := [violation | some violation in "
        f'data.policies.{policy}.violation with input as {{"review": review, "parameters": parameters}}]]'
    )
    rego = checkout / "library/conftest/policy"
    done = subprocess.run(
        [
            *(opa, "eval", "--format", "json", "--fail", "--stdin-input"),
            *("--data", rego / "lib", "--data", rego / "policies", query),
        ],
        input=json.dumps({"reviews": reviews, "parameters": parameters}),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return [_line(violations) for violations in found]


def _line(violations: Sequence[Mapping[str, Any]]) -> str:
    messages = [violation["msg"] for violation in sorted(violations, key=_place)]
    return " | ".join([*messages[:10], *(["and more"] if len(messages) > 10 else [])])


def _place(violation: Mapping[str, Any]) -> tuple[int, str, int]:
    spec, name, index = re.fullmatch(r"(.*)\.(\w+)\[(\d+)\]", violation["details"]["path"]).groups()  # type: ignore[union-attr]
    return _LISTS.index(name), spec, int(index)


def _told(verdict: Mapping[str, Any]) -> str:
    """Return what the API server tells the user, without the names of the policy and its binding."""
    assert "refused" not in verdict, verdict
    if verdict["allowed"]:
        return ""
    return str(verdict["message"].partition("denied request: ")[2])


# -- the Suites -------------------------------------------------------------------------------------------------------


def _suite_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    rego = Path(__file__).resolve().parent.parent.parent / "rego"
    for name in POLICIES:
        suite = yaml.safe_load((rego / "policies" / name / "suite.yaml").read_text("utf-8"))
        yield from ((name, test) for test in suite["tests"] if not test.get("invalid"))


def _title(value: Any) -> str:
    return value if isinstance(value, str) else str(value["name"])


@pytest.mark.parametrize(("name", "suite_test"), list(_suite_tests()), ids=_title)
def test_cases_of_the_suites(
    opa: Path,
    admission_program: Path,
    checkout: Path,
    tmp_path: Path,
    sources: dict[str, Policy],
    name: str,
    suite_test: dict[str, Any],
) -> None:
    folder = checkout / "rego/policies" / name
    constraint = yaml.safe_load((folder / suite_test["constraint"]).read_text("utf-8"))["spec"]
    names = tuple(constraint["match"]["namespaces"])
    config = _config(sources[name], constraint.get("parameters", {}), ProtectedNamespaces(names, None))
    requests = []
    for case in suite_test["cases"]:
        sample = yaml.safe_load((folder / case["object"]).read_text("utf-8"))
        requests.append(sample["request"] if sample["kind"] == "AdmissionReview" else request(sample))
    namespaces = {one["namespace"] for one in requests}
    wanted = _rego(opa, checkout, name, admission.complete_parameters(sources[name], config), requests)
    with AdmissionChain(
        admission_program,
        [*admission.validating(sources[name], config), *(namespace(one) for one in namespaces)],
        tmp_path,
    ) as chain:
        told = [_told(chain.judge(one, typed=False)) for one in requests]
    assert told == [
        line if one["namespace"] in names else "" for line, one in zip(wanted, requests, strict=True)
    ]


# -- random objects ---------------------------------------------------------------------------------------------------

_STATED = [
    ("protected_pull_policy", {"customKinds": _CUSTOM}),
    ("protected_pull_policy", {"allowedPolicies": ["Never"], "controlledPods": "deny"}),
    ("protected_pull_policy", {"allowedPolicies": ["IfNotPresent"], "exemptImages": ["nginx*", "h:5000/x"]}),
    ("protected_image_pinning", {"customKinds": _CUSTOM, "floatingTags": ["1", "*-x.y"]}),
    ("protected_image_pinning", {"require": "digest", "controlledPods": "deny", "exemptImages": ["nginx"]}),
]

#: Versions that the API server still serves; others reach an admission policy as one of these.
_SERVED = {"apps/v1beta2": "apps/v1", "batch/v1beta1": "batch/v1"}

_OWNERS = st.sampled_from(
    [
        [],
        [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "example.com/v1", "kind": "Deployment", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "v1", "kind": "Node", "name": "o", "uid": "1"}],
    ]
)


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    """Return a creation, or an edit of an object that has something in common with what it becomes."""
    obj = draw(objects().filter(lambda one: not one["apiVersion"].startswith("extensions/")))
    owners = draw(_OWNERS)
    head = {
        "apiVersion": _SERVED.get(obj["apiVersion"], obj["apiVersion"]),
        "kind": obj["kind"],
        "metadata": {"name": "x", "namespace": "kube-system", **({"ownerReferences": owners} if owners else {})},
    }
    old = draw(st.one_of(st.none(), st.just(obj), objects().filter(lambda one: one["kind"] == obj["kind"])))
    return request(obj | head, old=None if old is None else old | head)


class _Twins:
    """A policy in CEL and in Rego, with the same parameters."""

    def __init__(self, chain: AdmissionChain, rego: Callable[[Sequence[Any]], list[str]]) -> None:
        self.chain = chain
        self.rego = rego


@pytest.fixture(scope="module", params=_STATED, ids=lambda pair: f"{pair[0]}-{'-'.join(pair[1])}")
def twins(
    request: pytest.FixtureRequest,
    opa: Path,
    admission_program: Path,
    checkout: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sources: dict[str, Policy],
) -> Iterator[_Twins]:
    name, stated = request.param
    config = _config(sources[name], stated)
    parameters = admission.complete_parameters(sources[name], config)
    with AdmissionChain(
        admission_program,
        [*admission.validating(sources[name], config), namespace("kube-system")],
        tmp_path_factory.mktemp("chain"),
    ) as chain:
        yield _Twins(chain, lambda reviews: _rego(opa, checkout, name, parameters, reviews))


def _in_cel(line: str) -> str:
    """Return what Rego says as CEL says it: lists and maps, which only a custom resource can have there, have no text."""
    return re.sub(r'"(?:\[(?:"Always")?\]|\{(?:"Always":1)?\})"', '"(no text)"', line)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(_requests(), min_size=1, max_size=40))
def test_random_objects(twins: _Twins, requests: list[dict[str, Any]]) -> None:
    told = [_told(twins.chain.judge(one, typed=False)) for one in requests]
    assert told == [_in_cel(line) for line in twins.rego(requests)]
