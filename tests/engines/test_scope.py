"""What scope says, through the real OPA and the library's own template."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.cluster.snapshot import Snapshot, from_files
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import CONSTRAINT_GROUP
from pullguard.core.resources import packaged_library
from pullguard.library.config import UNSEEN, ProtectedNamespaces
from pullguard.library.render import admission
from pullguard.library.store import load
from pullguard.scope.command import Blocked, Fact, NamespaceScope, ScopeReport, judge, kinds, scope
from read_only_cluster import ReadOnlyCluster
from shared_engine import ENGINE
from twins import Workbench

LIBRARY = load(ENGINE, packaged_library())
KINDS = kinds(LIBRARY)

_IGNORE = "admission.gatekeeper.sh/ignore"
_IMAGE = "example.org/app:1"
_MESSAGE = (
    f'container "app" image "{_IMAGE}": imagePullPolicy is Always: cannot start without its registry; '
    "set imagePullPolicy: IfNotPresent"
)


def _namespace(name: str, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _constraint(match: Any = None, name: str = "by-name", **spec: Any) -> dict[str, Any]:
    kinds = [{"apiGroups": ["*"], "kinds": ["Pod", "Deployment", "Job"]}]
    match = {"kinds": kinds, "namespaces": ["kube-system", "gatekeeper-system"]} if match is None else match
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": name},
        "spec": {"match": match, **spec},
    }


def _webhooks(kind: str, role: str) -> dict[str, Any]:
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": f"{kind}WebhookConfiguration",
        "metadata": {"name": f"gatekeeper-{role}"},
        "webhooks": [
            {
                "name": f"{role}.gatekeeper.sh",
                "failurePolicy": "Ignore",
                "matchPolicy": "Exact",
                "namespaceSelector": {
                    "matchExpressions": [
                        {"key": _IGNORE, "operator": "DoesNotExist"},
                        {
                            "key": "kubernetes.io/metadata.name",
                            "operator": "NotIn",
                            "values": ["gatekeeper-system"],
                        },
                    ]
                },
                "rules": [
                    {
                        "apiGroups": ["*"],
                        "apiVersions": ["*"],
                        "operations": ["CREATE", "UPDATE"],
                        "resources": ["*", "pods/ephemeralcontainers"],
                    }
                ],
            }
        ],
    }


_WEBHOOKS = (_webhooks("Validating", "validation"), _webhooks("Mutating", "mutation"))
_NAMESPACES = (_namespace("kube-system"), _namespace("gatekeeper-system", **{_IGNORE: "no-self-managing"}))


def _workload(kind: str, name: str, **more: Any) -> dict[str, Any]:
    container = {"name": "app", "image": "example.org/app:1", "imagePullPolicy": "Always"}
    return {
        "apiVersion": "batch/v1" if kind == "Job" else "apps/v1",
        "kind": kind,
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [container]}}, **more},
    }


def _scope(*objects: Mapping[str, Any]) -> ScopeReport:
    """Return the report of a dump, as `scope` does, from the engine and the library that these tests share."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
    return judge(ENGINE, LIBRARY, from_files(ENGINE, KINDS, ["-"], stdin=io.BytesIO(text.encode())))


def _by_name(report: ScopeReport) -> dict[str, NamespaceScope]:
    return {namespace.name: namespace for namespace in report.namespaces}


def _outcomes(report: ScopeReport) -> dict[str, tuple[str, str]]:
    return {name: (found.pod.outcome, found.deployment.outcome) for name, found in _by_name(report).items()}


@pytest.mark.parametrize(
    ("action", "in_kube_system"), [("deny", "denied-by-webhook"), ("warn", "warned"), ("dryrun", "audited")]
)
def test_the_webhook_never_sees_its_own_namespace(action: str, in_kube_system: str) -> None:
    report = _scope(*_NAMESPACES, *_WEBHOOKS, _constraint(enforcementAction=action))
    assert _outcomes(report) == {
        "kube-system": (in_kube_system, in_kube_system),
        "gatekeeper-system": ("audited", "audited"),
    }
    assert all(namespace.pod.certain and namespace.deployment.certain for namespace in report.namespaces)
    assert _by_name(report)["gatekeeper-system"].pod.facts == (
        Fact(
            "ValidatingWebhookConfiguration",
            "validation.gatekeeper.sh",
            "pass",
            "",
            "gatekeeper-validation is not asked due to its namespaceSelector",
        ),
        Fact("Audit", "K8sProtectedPullPolicy by-name", "audit", "", "reports it"),
    )
    assert (report.errors, report.exit_code) == ((), 0)


def test_a_config_that_silences_audit_leaves_nothing() -> None:
    config = {
        "apiVersion": "config.gatekeeper.sh/v1alpha1",
        "kind": "Config",
        "metadata": {"name": "config", "namespace": "gatekeeper-system"},
        "spec": {"match": [{"excludedNamespaces": ["kube-*"], "processes": ["*"]}]},
    }
    report = _scope(*_NAMESPACES, *_WEBHOOKS, config, _constraint())
    assert _outcomes(report)["kube-system"] == ("nothing", "nothing")
    assert report.exit_code == 1


def test_a_level_of_the_library_is_looked_at_before_it_is_applied(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The constraints of the dump are those of another level, and there is no kustomize."""
    applied = yaml.safe_load((checkout / "library/policies/protected_pull_policy/constraints.yaml").read_text("utf-8"))
    applied["metadata"]["uid"] = "1"
    dump = {"apiVersion": "v1", "kind": "List", "items": [*_NAMESPACES, *_WEBHOOKS, applied]}
    (tmp_path / "dump.json").write_text(json.dumps(dump), "utf-8")
    monkeypatch.setenv("PATH", str(tmp_path))
    found = {
        level: scope([str(tmp_path / "dump.json"), *([str(checkout / "library" / level)] if level else [])])
        for level in ("", "deny")
    }
    assert {level: _outcomes(report)["kube-system"] for level, report in found.items()} == {
        "": ("audited", "audited"),
        "deny": ("denied-by-webhook", "denied-by-webhook"),
    }
    assert found["deny"].errors == ()


_PROTECTED = ProtectedNamespaces(("gatekeeper-system", "kube-*"), None)


def _validating(workbench: Workbench, **parameters: Any) -> list[dict[str, Any]]:
    """Return the admission policy as `generate` renders it, bound to what the webhook leaves out."""
    config = workbench.config("protected_pull_policy", parameters, protected=_PROTECTED, scope=UNSEEN)
    return workbench.validating("protected_pull_policy", config)


def _mutating(workbench: Workbench) -> list[dict[str, Any]]:
    config = workbench.config("protected_pull_policy", protected=_PROTECTED)
    return admission.mutating(workbench.policies["protected_pull_policy"], config)


def test_admission_policies_reach_what_the_webhook_leaves_out(workbench: Workbench) -> None:
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *_validating(workbench), _constraint(enforcementAction="deny"))
    assert _outcomes(report) == {
        "kube-system": ("denied-by-webhook", "denied-by-webhook"),
        "gatekeeper-system": ("denied-by-policy", "denied-by-policy"),
    }
    assert all(namespace.pod.certain and namespace.deployment.certain for namespace in report.namespaces)


def test_admission_policies_say_what_rego_says_with_their_parameters(workbench: Workbench) -> None:
    exempt = _validating(workbench, exemptImages=["registry.invalid/*"])
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *exempt, _constraint(enforcementAction="deny"))
    pod = _by_name(report)["gatekeeper-system"].pod
    assert (pod.outcome, pod.facts[0].text) == ("audited", "finds no violation")


def test_mutation_changes_pods_and_leaves_deployments(workbench: Workbench) -> None:
    policies = [*_validating(workbench), *_mutating(workbench)]
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *policies, _constraint(enforcementAction="deny"))
    assert _outcomes(report)["gatekeeper-system"] == ("mutated", "denied-by-policy")
    assert _by_name(report)["gatekeeper-system"].pod.otherwise == "denied-by-policy"


def test_assigns_reach_what_the_webhook_sees(workbench: Workbench) -> None:
    config = workbench.config("protected_pull_policy", protected=_PROTECTED)
    assigns = admission.assigns(workbench.policies["protected_pull_policy"], config)
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *assigns, _constraint(enforcementAction="deny"))
    assert _outcomes(report) == {
        "kube-system": ("mutated", "denied-by-webhook"),
        "gatekeeper-system": ("audited", "audited"),
    }
    assert all(namespace.pod.certain for namespace in report.namespaces)


@pytest.mark.parametrize(("controlled", "state"), [("audit", "safe"), ("deny", "unsafe")])
def test_an_admission_policy_can_be_what_is_not_safe(workbench: Workbench, controlled: str, state: str) -> None:
    workload = _workload("ReplicaSet", "old")
    workload["metadata"]["namespace"] = "gatekeeper-system"
    policies = _validating(workbench, controlledPods=controlled)
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *policies, workload, _constraint())
    deny = _by_name(report)["gatekeeper-system"].deny
    assert (deny.state, [blocked.by for blocked in deny.blocked]) == (
        state,
        [("protected-pull-policy",)] if state == "unsafe" else [],
    )


def test_deny_is_safe_with_the_default_and_not_with_controlled_pods() -> None:
    workloads = [
        _workload("ReplicaSet", "old", replicas=1),
        _workload("ReplicaSet", "older", replicas=0),
        _workload("DaemonSet", "agent"),
        _workload("StatefulSet", "db"),
        _workload("Job", "once"),
    ]
    safe = _scope(*_NAMESPACES, *_WEBHOOKS, *workloads, _constraint())
    assert _by_name(safe)["kube-system"].deny.state == "safe"
    parameters = {"controlledPods": "deny"}
    unsafe = _scope(*_NAMESPACES, *_WEBHOOKS, *workloads, _constraint(parameters=parameters))
    deny = _by_name(unsafe)["kube-system"].deny
    assert (deny.state, deny.reason) == ("unsafe", "4 could no longer replace their pods")
    assert deny.blocked == tuple(
        Blocked(kind, name, "", idle, certain=True, by=("by-name",), message=_MESSAGE)
        for kind, name, idle in [
            ("DaemonSet", "agent", False),
            ("Job", "once", False),
            ("ReplicaSet", "old", False),
            ("ReplicaSet", "older", True),
            ("StatefulSet", "db", False),
        ]
    )
    assert (safe.exit_code, unsafe.exit_code) == (0, 1)


def test_each_workload_has_an_answer_of_its_own() -> None:
    agent, cache, proxy = (_workload("DaemonSet", name) for name in ("agent", "cache", "proxy"))
    cache["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "IfNotPresent"
    proxy["spec"]["template"]["spec"]["containers"][0]["image"] = "example.org/proxy:2"
    parameters = {"controlledPods": "deny"}
    report = _scope(*_NAMESPACES, *_WEBHOOKS, agent, cache, proxy, _constraint(parameters=parameters))
    deny = _by_name(report)["kube-system"].deny
    assert (deny.state, deny.reason) == ("unsafe", "2 could no longer replace their pods")
    assert deny.blocked == tuple(
        Blocked("DaemonSet", name, "", idle=False, certain=True, by=("by-name",), message=message)
        for name, message in [("agent", _MESSAGE), ("proxy", _MESSAGE.replace("app:1", "proxy:2"))]
    )


def _of(kind: str, **spec: Any) -> dict[str, Any]:
    """Return a constraint of another policy, which protects kube-system."""
    constraint = _constraint(name=kind.lower(), **spec)
    return {**constraint, "kind": kind}


_DIGEST = f"example.org/app:1@sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("kind", "image", "said"),
    [
        ("K8sProtectedImagePinning", "example.org/app:latest", "tag latest moves to other images"),
        ("K8sProtectedImageCache", "example.org/app:1", "on 0 of 1 node that can run it"),
        ("K8sProtectedImageCache", _DIGEST, None),
    ],
)
def test_deny_has_to_be_safe_of_every_policy(kind: str, image: str, said: str | None) -> None:
    """The pull policy finds no violation."""
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "a"},
        "status": {"images": [{"names": [_DIGEST.replace(":1@", "@")]}]},
    }
    agent = _workload("DaemonSet", "agent")
    agent["spec"]["template"]["spec"]["containers"] = [{"name": "app", "image": image, "imagePullPolicy": "Never"}]
    objects = [*_NAMESPACES, *_WEBHOOKS, node, agent, _constraint(parameters={"controlledPods": "deny"})]
    found = [
        _by_name(_scope(*objects, _of(kind, parameters={"controlledPods": controlled})))["kube-system"]
        for controlled in ("audit", "deny")
    ]
    assert found[1].constraints == (kind.lower(), "by-name")
    assert [namespace.deny.state for namespace in found] == ["safe", "unsafe" if said else "safe"]
    assert [(blocked.name, blocked.by) for blocked in found[1].deny.blocked] == (
        [("agent", (kind.lower(),))] if said else []
    )
    assert all(said is not None and said in blocked.message for blocked in found[1].deny.blocked)
    # The probes are about the pull policy alone.
    assert [fact.by for fact in found[1].pod.facts] == ["K8sProtectedPullPolicy by-name"] * 2


def test_a_policy_alone_protects_too() -> None:
    agent = _workload("DaemonSet", "agent")
    agent["spec"]["template"]["spec"]["containers"][0]["image"] = "example.org/app"
    pinning = _of("K8sProtectedImagePinning", parameters={"controlledPods": "deny"})
    report = _scope(*_NAMESPACES, *_WEBHOOKS, agent, pinning)
    found = _by_name(report)["kube-system"]
    assert (found.pod.outcome, found.deny.state) == ("nothing", "unsafe")


def test_a_twin_of_another_policy_can_be_what_is_not_safe(workbench: Workbench) -> None:
    workload = _workload("ReplicaSet", "old")
    workload["metadata"]["namespace"] = "gatekeeper-system"
    workload["spec"]["template"]["spec"]["containers"][0]["image"] = "example.org/app"
    config = workbench.config("protected_image_pinning", {"controlledPods": "deny"}, protected=_PROTECTED, scope=UNSEEN)
    policies = workbench.validating("protected_image_pinning", config)
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *policies, workload, _constraint())
    (blocked,) = _by_name(report)["gatekeeper-system"].deny.blocked
    assert (blocked.name, blocked.by) == ("old", ("protected-image-pinning",))


def test_what_nodes_have_matters_only_where_next_pods_are_judged() -> None:
    agent = _workload("DaemonSet", "agent")
    states = {
        controlled: _by_name(
            _scope(
                *_NAMESPACES,
                *_WEBHOOKS,
                agent,
                _constraint(),
                _of("K8sProtectedImageCache", parameters={"controlledPods": controlled}),
            )
        )["kube-system"].deny
        for controlled in ("audit", "deny")
    }
    assert {controlled: (deny.state, deny.reason) for controlled, deny in states.items()} == {
        "audit": ("safe", "every workload could still replace its pods"),
        "deny": ("unknown", "could not be read: Node"),
    }


def _expansion(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "expansion.gatekeeper.sh/v1beta1",
        "kind": "ExpansionTemplate",
        "metadata": {"name": "expand"},
        "spec": {
            "applyTo": [{"groups": ["apps"], "kinds": ["Deployment", "ReplicaSet"], "versions": ["v1"]}],
            "templateSource": "spec.template",
            "generatedGVK": {"group": "", "kind": "Pod", "version": "v1"},
            **spec,
        },
    }


def _own_match(**match: Any) -> dict[str, Any]:
    """Return a match as Gatekeeper has it for pods alone, for the namespace kube-system."""
    return {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], "namespaces": ["kube-system"], **match}


def test_what_an_expansion_template_makes_of_a_deployment_is_denied_by_its_own_action() -> None:
    """The constraint says dryrun, and does not even select Deployments."""
    web = _workload("Deployment", "web")
    constraint = _constraint(_own_match(), enforcementAction="dryrun")
    report = _scope(*_NAMESPACES, *_WEBHOOKS, web, _expansion(enforcementAction="deny"), constraint)
    found = _by_name(report)["kube-system"]
    assert (found.pod.outcome, found.deployment.outcome) == ("audited", "denied-by-webhook")
    assert found.deployment.facts[1] == Fact(
        "ValidatingWebhookConfiguration",
        "ExpansionTemplate expand",
        "deny",
        "",
        "[Implied by expand] " + _MESSAGE.replace('"app"', '"probe"').replace(_IMAGE, "registry.invalid/probe:1.0.0"),
    )
    assert (found.deny.state, [blocked.name for blocked in found.deny.blocked]) == ("unsafe", ["web"])
    assert report.notes[-1] == (
        "the ExpansionTemplate expand makes Gatekeeper judge the pods of Deployment, ReplicaSet as if they had no "
        "controller, by by-name: its enforcementAction deny replaces that of the constraints; "
        "set match.source: Original in the constraints"
    )


def test_constraints_for_what_was_asked_for_alone_know_nothing_of_expansions() -> None:
    web = _workload("Deployment", "web")
    constraint = _constraint(_own_match(source="Original"), enforcementAction="dryrun")
    report = _scope(*_NAMESPACES, *_WEBHOOKS, web, _expansion(enforcementAction="deny"), constraint)
    found = _by_name(report)["kube-system"]
    assert (found.deployment.outcome, found.deny.state) == ("nothing", "safe")
    assert not any("ExpansionTemplate expand" in note for note in report.notes)


_ROLLOUTS = "system:serviceaccount:argo-rollouts:argo-rollouts"


@pytest.mark.parametrize(
    ("users", "state", "certain"),
    [([], "unsafe", True), (["x", _ROLLOUTS], "unknown", False), (["x*"], "unknown", False)],
)
def test_as_whom_the_controllers_of_others_ask_is_not_known(users: list[str], state: str, certain: bool) -> None:
    """A ReplicaSet of a Rollout makes pods as Kubernetes' controller; the Rollout's makes the ReplicaSet."""
    owned = _workload("ReplicaSet", "web-1")
    owner = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "name": "web", "uid": "1", "controller": True}
    owned["metadata"]["ownerReferences"] = [owner]
    match = {"namespaces": ["kube-system"]}
    constraint = _constraint(match, parameters={"controlledPods": "trusted", "trustedUsers": users})
    report = _scope(*_NAMESPACES, *_WEBHOOKS, owned, _workload("DaemonSet", "agent"), constraint)
    deny = _by_name(report)["kube-system"].deny
    assert [(blocked.name, blocked.owner, blocked.certain) for blocked in deny.blocked] == [
        ("web-1", "Rollout web", certain)
    ]
    assert (deny.state, deny.reason) == (
        state,
        "1 could no longer replace their pods"
        if certain
        else "the users of their controllers are not known: deny is safe if trustedUsers lists these users",
    )


def test_the_template_of_the_snapshot_judges(checkout: Path) -> None:
    text = (checkout / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8")
    template = yaml.safe_load(text)
    source = template["spec"]["targets"][0]["code"][0]["source"]
    source["rego"] = 'package other\n\nviolation contains {"msg": input.review.object.kind}\n'
    source["libs"] = []
    report = _scope(template, *_NAMESPACES, *_WEBHOOKS, _constraint(enforcementAction="deny"))
    facts = _by_name(report)["kube-system"].pod.facts
    assert (facts[0].effect, facts[0].text) == ("deny", "Pod")
    assert not any("comes with pullguard" in note for note in report.notes)


def test_rego_of_version_0_judges_too(checkout: Path) -> None:
    text = (checkout / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8")
    template = yaml.safe_load(text)
    target = template["spec"]["targets"][0]
    del target["code"]
    target["rego"] = 'package other\n\nviolation[{"msg": msg}] { msg := ["no", "text"] }\n'
    report = _scope(template, *_NAMESPACES, *_WEBHOOKS, _constraint(enforcementAction="deny"))
    assert _by_name(report)["kube-system"].pod.facts[0].text == '["no", "text"]'


def test_without_its_webhook_configurations_nothing_is_certain() -> None:
    report = _scope(*_NAMESPACES, _constraint(enforcementAction="deny"))
    pod = _by_name(report)["kube-system"].pod
    assert (pod.outcome, pod.certain) == ("audited", False)
    assert report.notes[-1] == (
        "not in the files, so assumed not to exist: Assign, Config, CronJob, DaemonSet, Deployment, ExpansionTemplate, "
        "Job, K8sProtectedImageCache, K8sProtectedImagePinning, MutatingAdmissionPolicy, "
        "MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration, Pod, ReplicaSet, ReplicationController, "
        "StatefulSet, ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding"
    )


def test_a_namespace_that_is_not_in_the_snapshot_is_not_certain() -> None:
    report = _scope(*_WEBHOOKS, _constraint(enforcementAction="deny"))
    found = _by_name(report)["kube-system"]
    assert (found.exists, found.pod.outcome, found.pod.certain) == (False, "audited", False)
    assert _by_name(report)["gatekeeper-system"].pod.certain


def test_without_namespaces_which_are_protected_is_not_known() -> None:
    named = _scope(*_WEBHOOKS, _constraint())
    assert list(_by_name(named)) == ["gatekeeper-system", "kube-system"]
    assert named.notes[-1] == "the files hold no Namespace, so it is not known which other namespaces are protected"
    assert "Namespace" not in named.notes[-2]
    with pytest.raises(PullguardError) as caught:
        _scope(*_WEBHOOKS, _constraint({"namespaceSelector": {"matchLabels": {"protected": "yes"}}}))
    assert str(caught.value) == (
        "there is no Namespace in the files, so it is not known which namespaces are protected; "
        "name a dump of the Namespaces too"
    )


def test_namespaces_of_which_none_is_protected_are_no_gap() -> None:
    report = _scope(_namespace("web"), *_WEBHOOKS, _constraint({"namespaces": ["kube-*"]}))
    assert (report.namespaces, report.exit_code) == ((), 0)


def test_a_constraint_that_gatekeeper_refuses_is_an_error() -> None:
    refused = _constraint(name="refused", parameters={"controlledPods": "perhaps"})
    report = _scope(*_NAMESPACES, *_WEBHOOKS, _constraint(), refused)
    (problem,) = report.errors
    assert problem.message.startswith("Gatekeeper refuses the constraint refused, so it was left out: ")
    assert report.exit_code == 2
    with pytest.raises(PullguardError, match="so no namespace is protected: <stdin>: Gatekeeper refuses"):
        _scope(*_NAMESPACES, refused)


_NO_CONSTRAINT = "there is no K8sProtectedImageCache, K8sProtectedImagePinning or K8sProtectedPullPolicy in the files"


def test_without_constraints_it_ends() -> None:
    with pytest.raises(PullguardError, match=f"^{_NO_CONSTRAINT}"):
        _scope(*_NAMESPACES)


def test_without_constraints_it_says_what_could_not_be_read(tmp_path: Path) -> None:
    missing, broken = tmp_path / "missing.json", tmp_path / "broken.yaml"
    broken.write_text("kind: Namespace\na: [\n", "utf-8")
    message = f"{_NO_CONSTRAINT}, so no namespace is protected: "
    is_missing = f"{missing}: cannot be read: No such file or directory; see whether the path is right"
    is_broken = f"{broken}:2: not valid YAML: did not find expected node content; correct the document"
    for paths, first in [([missing, broken], is_missing), ([broken, missing], is_broken)]:
        with pytest.raises(PullguardError) as caught:
            scope([str(path) for path in paths])
        assert str(caught.value) == message + first


def test_files_and_a_cluster_at_once_are_refused() -> None:
    with pytest.raises(PullguardError, match="files and a live cluster cannot be read at once"):
        scope(["-"], kubeconfig="k")


def _live(unreadable: Mapping[str, str]) -> Snapshot:
    return Snapshot("the cluster", True, {kind.kind: () for kind in KINDS}, unreadable, (), ())


def test_constraints_that_may_not_be_read_end_it() -> None:
    with pytest.raises(PullguardError, match=r"it is not known which namespaces are protected: .* \(forbidden\)"):
        judge(ENGINE, LIBRARY, _live({"K8sProtectedPullPolicy": "forbidden"}))


def test_a_policy_that_fails_ends_it(checkout: Path) -> None:
    text = (checkout / "library/policies/protected_pull_policy/template.yaml").read_text("utf-8")
    template = yaml.safe_load(text)
    source = template["spec"]["targets"][0]["code"][0]["source"]
    source["rego"] = 'package other\n\nx := 1\n\nx := 2\n\nviolation contains {"msg": "a"} if x == 1\n'
    source["libs"] = []
    with pytest.raises(PullguardError, match=r"OPA has no answer to data\.scope\.judge\.messages: "):
        _scope(template, *_NAMESPACES, _constraint())


@pytest.fixture
def kubectl() -> str:
    found = shutil.which("kubectl")
    if found is None:
        pytest.skip("kubectl is not installed")
    return found


def test_a_live_cluster_says_the_same_as_its_dump(workbench: Workbench, kubectl: str, tmp_path: Path) -> None:
    objects = [
        *_NAMESPACES,
        *_WEBHOOKS,
        *_validating(workbench),
        *_mutating(workbench),
        _constraint(),
        _workload("DaemonSet", "agent"),
    ]
    by_kind = {kind.kind: [obj for obj in objects if obj["kind"] == kind.kind] for kind in KINDS}
    cluster = ReadOnlyCluster(KINDS, by_kind)
    try:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        live = scope(kubeconfig=str(kubeconfig), kubectl=kubectl)
    finally:
        cluster.stop()
    dumped = _scope(*objects)
    assert live.namespaces == dumped.namespaces
    assert (live.source, live.errors, live.exit_code) == ("the cluster", (), 0)


def test_forbidden_kinds_are_reported(kubectl: str, tmp_path: Path) -> None:
    objects = {"Namespace": _NAMESPACES, "K8sProtectedPullPolicy": [_constraint(enforcementAction="deny")]}
    objects["ValidatingWebhookConfiguration"] = [_WEBHOOKS[0]]
    cluster = ReadOnlyCluster(KINDS, objects, forbidden=["ReplicaSet", "ValidatingAdmissionPolicy", "Config"])
    try:
        kubeconfig = cluster.write_kubeconfig(tmp_path / "kubeconfig")
        report = scope(kubeconfig=str(kubeconfig), kubectl=kubectl)
    finally:
        cluster.stop()
    assert report.unreadable == dict.fromkeys(("Config", "ReplicaSet", "ValidatingAdmissionPolicy"), "forbidden")
    assert report.exit_code == 2
    found = _by_name(report)["gatekeeper-system"]
    assert (found.pod.outcome, found.pod.certain) == ("audited", False)
    assert (found.deny.state, found.deny.reason) == ("unknown", "could not be read: ReplicaSet")


_WRONG: tuple[Any, ...] = (None, 1, "x", [], [None], ["x"], [[]], {"x": 1})


def _spoiled(value: Any) -> list[dict[str, Any]]:
    """Return an object of every kind that scope reads besides constraints, with a value in the place of its content."""
    objects = []
    for kind in KINDS:
        if kind.group == CONSTRAINT_GROUP or kind.kind == "ConstraintTemplate":
            continue
        metadata = {"name": "config" if kind.kind == "Config" else "spoiled", "namespace": "kube-system"}
        content = {"spec": value, "webhooks": value, "status": value}
        api_version = f"{kind.group}/v1" if kind.group else "v1"
        objects.append({"apiVersion": api_version, "kind": kind.kind, "metadata": metadata, **content})
        metadata = {"name": "labels", "namespace": "kube-system", "labels": value, "annotations": value}
        metadata["ownerReferences"] = value
        objects.append({"apiVersion": api_version, "kind": kind.kind, "metadata": metadata})
        ours = {"name": "ours", "namespace": "kube-system", "labels": {"app.kubernetes.io/managed-by": "pullguard"}}
        ours["annotations"] = {"pullguard/policy": "protected_pull_policy"}
        spec = dict.fromkeys(
            ("template", "jobTemplate", "matchConstraints", "variables", "match", "applyTo", "parameters"), value
        )
        objects.append({"apiVersion": api_version, "kind": kind.kind, "metadata": ours, "spec": spec})
    return objects


@pytest.mark.parametrize("value", _WRONG, ids=repr)
def test_fields_of_the_wrong_type_hide_nothing(value: Any) -> None:
    report = _scope(*_NAMESPACES, *_WEBHOOKS, *_spoiled(value), _constraint(enforcementAction="deny"))
    assert _outcomes(report) == {
        "kube-system": ("denied-by-webhook", "denied-by-webhook"),
        "gatekeeper-system": ("audited", "audited"),
    }
    assert report.errors == ()
    unjudged = {("DaemonSet", "spoiled"), ("Deployment", "spoiled"), ("CronJob", "spoiled"), ("Job", "spoiled")}
    deny = _by_name(report)["kube-system"].deny
    assert unjudged <= set(deny.unjudged)
    assert deny.state == "unknown"
