"""What `check` says of an object by others of its input: webhooks that block each other, and policies of bindings."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pullguard.check.command import check

_GROUP = "admissionregistration.k8s.io"
_BY = pytest.mark.parametrize("by", ["opa", "conftest"])


@pytest.fixture(autouse=True)
def _in_folder(opa: None, folder: None) -> None:
    """Files are written to a folder of their own."""


def _webhook(name: str, own: str, caught: str, failure_policy: str = "Fail") -> dict[str, Any]:
    """Return a configuration whose webhook runs in one namespace and catches the pods of another one."""
    webhook = {
        "name": f"{name}.example.com",
        "failurePolicy": failure_policy,
        "clientConfig": {"service": {"namespace": own, "name": "hook"}},
        "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": caught}},
    }
    return _object("ValidatingWebhookConfiguration", name, webhooks=[webhook])


def _object(kind: str, name: str, **fields: object) -> dict[str, Any]:
    return {"apiVersion": f"{_GROUP}/v1", "kind": kind, "metadata": {"name": name}, **fields}


_A, _B = _webhook("a", "ns-a", "ns-b"), _webhook("b", "ns-b", "ns-a")
_PODS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
_POLICY = _object(
    "ValidatingAdmissionPolicy",
    "limits",
    spec={
        "paramKind": {"apiVersion": "example.com/v1", "kind": "Limit"},
        "matchConstraints": {"resourceRules": [_PODS]},
    },
)
_BINDING = _object(
    "ValidatingAdmissionPolicyBinding",
    "limits",
    spec={
        "policyName": "limits",
        "validationActions": ["Deny"],
        "paramRef": {"name": "x", "parameterNotFoundAction": "Deny"},
    },
)


def _found(by: str, files: Mapping[str, object], checkout: Path, *paths: str) -> list[tuple[str, int, str, str]]:
    for name, content in files.items():
        objects = content if isinstance(content, list) else [content]
        stated = "---\n".join(json.dumps(each, indent=1) + "\n" for each in objects)
        text = content if isinstance(content, str) else stated
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    report = check(list(paths) or ["."], engine=by, library=str(checkout / "library"))
    assert report.errors == ()
    return [
        (found.file, found.line, found.object.name, found.rule)
        for found in report.findings
        if found.policy == "webhook_blocks_recovery"
    ]


@_BY
def test_webhooks_of_several_files_block_each_other(by: str, checkout: Path) -> None:
    files = {"a.yaml": _A, "b.yaml": _B}
    assert _found(by, files, checkout) == [
        ("a.yaml", 8, "a", "webhook-cycle"),
        ("b.yaml", 8, "b", "webhook-cycle"),
    ]
    assert _found(by, files, checkout, "a.yaml") == []


@_BY
def test_what_is_built_is_looked_up_too(by: str, checkout: Path) -> None:
    files = {
        "base/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: our-\n",
        "base/a.yaml": _A,
        "b.yaml": _B,
    }
    assert _found(by, files, checkout) == [
        ("b.yaml", 8, "b", "webhook-cycle"),
        ("base/a.yaml", 8, "our-a", "webhook-cycle"),
    ]


@_BY
def test_what_is_installed_looks_up_the_rest(by: str, checkout: Path) -> None:
    release: dict[str, Any] = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "r", "namespace": "ns-a"},
        "spec": {"chart": {"spec": {"chart": "./chart", "sourceRef": {"kind": "GitRepository", "name": "r"}}}},
    }
    files = {
        "chart/Chart.yaml": "apiVersion: v2\nname: chart\nversion: 1.0.0\n",
        "chart/templates/a.yaml": json.dumps(_A, indent=1).replace('"Fail"', "{{ .Values.fails }}"),
        "chart/values.yaml": "fails: Ignore\n",
        "release.yaml": release | {"spec": {**release["spec"], "values": {"fails": "Fail"}}},
        "b.yaml": _B,
    }
    Path("chart").mkdir()
    found = _found(by, files, checkout)
    assert [(name, rule) for _, _, name, rule in found] == [("a", "webhook-cycle")]


@_BY
def test_the_policy_of_a_binding_is_looked_up(by: str, checkout: Path) -> None:
    files = {"binding.yaml": _BINDING, "policy.yaml": _POLICY}
    decided = "admission-policy-needs-parameters"
    assert _found(by, files, checkout) == [("binding.yaml", 14, "limits", decided)]
    assert _found(by, files, checkout, "binding.yaml") == [("binding.yaml", 14, "limits", f"{decided}-possible")]
    without = {"spec": {"matchConstraints": {"resourceRules": [_PODS]}}}  # it has no parameters
    assert _found(by, {**files, "policy.yaml": {**_POLICY, **without}}, checkout) == []


@_BY
def test_of_several_objects_with_one_name_the_first_counts(by: str, checkout: Path) -> None:
    harmless = _webhook("b", "ns-b", "ns-a", "Ignore")
    cycle = [("a.yaml", 8, "a", "webhook-cycle"), ("b.yaml", 8, "b", "webhook-cycle")]
    assert _found(by, {"a.yaml": _A, "b.yaml": [_B, harmless]}, checkout) == cycle
    # The second b, whatever the first one is, has a to go by.
    second = [("b.yaml", 49, "b", "webhook-cycle")]
    assert _found(by, {"a.yaml": _A, "b.yaml": [harmless, _B]}, checkout) == second
