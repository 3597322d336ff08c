"""What scope found, as text and as JSON."""

import io
import json
from dataclasses import replace

import pytest

from pullguard.core.inputs.problems import InputError
from pullguard.scope.command import Blocked, Change, DenySafety, Fact, NamespaceScope, Outcome, ScopeReport
from pullguard.scope.formats import REPORTERS

_DENIED = Outcome(
    outcome="denied-by-webhook",
    certain=True,
    otherwise="denied-by-webhook",
    facts=(Fact("ValidatingWebhookConfiguration", "K8sProtectedPullPolicy by-name", "deny", "", "no"),),
)
_MUTATED = Outcome(
    outcome="mutated",
    certain=False,
    otherwise="audited",
    facts=(
        Fact("MutatingAdmissionPolicy", "ours", "mutate", "", "sets IfNotPresent"),
        Fact("MutatingWebhookConfiguration", "Assign ours", "pass", "", "its match does not select it"),
        Fact("ValidatingAdmissionPolicy", "theirs", "unknown", "", "cannot be decided here"),
        Fact("ValidatingWebhookConfiguration", "K8sProtectedPullPolicy by-name", "pass", "", "its action is dryrun"),
        Fact("Audit", "K8sProtectedPullPolicy by-name", "audit", "", "reports it"),
    ),
)
_CLEAN = NamespaceScope(
    name="kube-system",
    exists=True,
    constraints=("by-label", "by-name"),
    notes=(),
    pod=_DENIED,
    deployment=_DENIED,
    deny=DenySafety("safe", "every workload could still replace its pods", (), ()),
    changed=(),
    suspects=(),
)
_UNSAFE = replace(
    _CLEAN,
    name="gatekeeper-system",
    notes=("it has a label",),
    pod=_MUTATED,
    deny=DenySafety(
        "unsafe",
        "1 could no longer replace their pods",
        (
            Blocked("ReplicaSet", "web-1", "Deployment web", idle=False, certain=True, by=("by-name",), message="no"),
            Blocked("StatefulSet", "db", "", idle=True, certain=False, by=("by-name", "ours"), message="no"),
        ),
        (("Job", "broken"),),
    ),
    changed=(Change("DaemonSet", "agent", "app", "IfNotPresent"),),
    suspects=("the MutatingWebhookConfiguration kyverno", "the MutatingAdmissionPolicy theirs"),
)
_REPORT = ScopeReport("the files", (_CLEAN,), {}, (), ())


def _written(report: ScopeReport, output: str) -> str:
    stream = io.StringIO()
    REPORTERS[output](report, stream)
    return stream.getvalue()


def test_text() -> None:
    report = ScopeReport(
        source="the cluster",
        namespaces=(_UNSAFE, _CLEAN),
        unreadable={"Job": "forbidden"},
        errors=(InputError("a.yaml", 3, 0, "is broken"), InputError("b.yaml", None, None, "is gone")),
        notes=("not in the files, so assumed not to exist: Config",),
    )
    assert _written(report, "text") == (
        """\
gatekeeper-system (protected by by-label, by-name)
  it has a label
  a pod with Always is mutated, as far as is known
    MutatingAdmissionPolicy ours: changes it: sets IfNotPresent
    Gatekeeper's mutation, Assign ours: its match does not select it
    ValidatingAdmissionPolicy theirs: not known: cannot be decided here
    Gatekeeper's webhook, K8sProtectedPullPolicy by-name: its action is dryrun
    Gatekeeper's audit, K8sProtectedPullPolicy by-name: reports it
    a pod that is not changed is let in, and audited only
  a Deployment with Always is denied by Gatekeeper's webhook
    Gatekeeper's webhook, K8sProtectedPullPolicy by-name: denies it: no
  deny is NOT safe today: 1 could no longer replace their pods
    ReplicaSet web-1 of Deployment web could no longer replace its pods, by by-name: no
    StatefulSet db might no longer replace its pods (it has none now), by by-name, ours: no
    Job broken: its template cannot be read
  another tool at work: pods of DaemonSet agent say Always for app, their template says IfNotPresent
    it may be the MutatingWebhookConfiguration kyverno or the MutatingAdmissionPolicy theirs

kube-system (protected by by-label, by-name)
  a pod with Always is denied by Gatekeeper's webhook
    Gatekeeper's webhook, K8sProtectedPullPolicy by-name: denies it: no
  a Deployment with Always is denied by Gatekeeper's webhook
    Gatekeeper's webhook, K8sProtectedPullPolicy by-name: denies it: no
  deny is safe today: every workload could still replace its pods

a.yaml:3: error: is broken
b.yaml: error: is gone
error: Job could not be read: forbidden

2 protected namespaces in the cluster, 1 with a gap
Note: not in the files, so assumed not to exist: Config
"""
    )


def test_what_is_not_known_of_audit_is_said() -> None:
    facts = (Fact("Audit", "K8sProtectedPullPolicy by-name", "unknown", "audit", "its labels are not known"),)
    report = replace(_REPORT, namespaces=(replace(_CLEAN, pod=replace(_DENIED, facts=facts)),))
    assert "    Gatekeeper's audit, K8sProtectedPullPolicy by-name: not known: its labels are not known\n" in _written(
        report, "text"
    )


def test_a_trace_without_a_suspect() -> None:
    report = replace(_REPORT, namespaces=(replace(_CLEAN, changed=_UNSAFE.changed),))
    assert "    it may be an admission plugin such as AlwaysPullImages, or the template was edited since\n" in _written(
        report, "text"
    )


def test_a_container_that_no_template_has() -> None:
    injected = replace(_CLEAN, changed=(Change("ReplicaSet", "web-1", "istio-proxy", None),))
    assert _written(replace(_REPORT, namespaces=(injected,)), "text").splitlines()[-4:-2] == [
        "  another tool at work: pods of ReplicaSet web-1 say Always for istio-proxy, which is not in their template",
        "    it may be a webhook that injects sidecars, such as those of Istio and Linkerd: change it there",
    ]


def test_names_cannot_move_a_cursor() -> None:
    report = replace(_REPORT, namespaces=(replace(_CLEAN, constraints=("a\x1b[2J\nb",)),))
    assert _written(report, "text").splitlines()[0] == r"kube-system (protected by a\x1b[2J\nb)"


def test_json() -> None:
    report = replace(
        _REPORT,
        namespaces=(_UNSAFE,),
        errors=(InputError("a.yaml", 3, 0, "is broken"),),
        unreadable={"Job": "forbidden"},
    )
    value = json.loads(_written(report, "json"))
    (namespace,) = value["namespaces"]
    assert {key: value[key] for key in value if key != "namespaces"} == {
        "format": "pullguard-scope/v1",
        "source": "the files",
        "unreadable": {"Job": "forbidden"},
        "errors": [{"file": "a.yaml", "line": 3, "document": 0, "message": "is broken"}],
        "notes": [],
        "summary": {"namespaces": 1, "gaps": 1, "errors": 2},
    }
    assert namespace["deployment"] == {
        "outcome": "denied-by-webhook",
        "certain": True,
        "otherwise": "denied-by-webhook",
        "facts": [
            {
                "stage": "ValidatingWebhookConfiguration",
                "by": "K8sProtectedPullPolicy by-name",
                "effect": "deny",
                "could": "",
                "text": "no",
            }
        ],
    }
    assert namespace["deny"]["unjudged"] == [{"kind": "Job", "name": "broken"}]
    assert namespace["deny"]["blocked"][1] == {
        "kind": "StatefulSet",
        "name": "db",
        "owner": "",
        "idle": True,
        "certain": False,
        "by": ["by-name", "ours"],
        "message": "no",
    }
    assert list(namespace) == [
        "name",
        "exists",
        "constraints",
        "notes",
        "pod",
        "deployment",
        "deny",
        "changed",
        "suspects",
    ]


_NOTHING = replace(_DENIED, outcome="nothing")


@pytest.mark.parametrize(
    ("report", "code"),
    [
        (_REPORT, 0),
        (replace(_REPORT, namespaces=(_UNSAFE,)), 1),
        (replace(_REPORT, namespaces=(replace(_CLEAN, pod=_NOTHING),)), 1),
        (replace(_REPORT, namespaces=(replace(_CLEAN, deployment=_NOTHING),)), 1),
        (replace(_REPORT, namespaces=(_UNSAFE,), errors=(InputError("a", None, None, "b"),)), 2),
        (replace(_REPORT, unreadable={"Job": "forbidden"}), 2),
    ],
)
def test_exit_code(report: ScopeReport, code: int) -> None:
    assert report.exit_code == code
