"""A small tree of policies for tests, on disk and as values."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pullguard.core.gatekeeper import Rule
from pullguard.library.policies import Contradiction, Example, Guide, MatchKinds, Policy, SourceFile, SyncKinds

METADATA = """\
# METADATA
# title: Required label
# description: |
#   Every object says by a label whose it is.
# scope: package
# custom:
#   kind: K8sRequiredLabel
#   version: 1.2.0
#   rules:
#     missing: {id: label-missing, severity: low, title: The label is missing}
#   match:
#     kinds:
#       - apiGroups: [""]
#         kinds: [Pod]
#       - apiGroups: [apps]
#         kinds: [Deployment]
#     kindsFromParameter: customKinds
#   operations: [CREATE, UPDATE]
#   parameters:
#     type: object
#     properties:
#       label:
#         description: The label that every object has.
#         type: string
#         minLength: 1
#         default: owner
#       customKinds:
#         description: Other kinds.
#         type: array
#         default: []
#         example:
#           - {group: example.com, kind: Widget}
#           - {group: example.com, kind: Gadget}
#         items:
#           type: object
#           required: [group, kind]
#           properties:
#             group: {type: string}
#             kind: {type: string}
"""
REGO = (
    METADATA
    + """\
package policies.required_label

import data.lib.names

violation contains {"msg": msg, "details": {"reason": "missing"}} if {
	not input.review.object.metadata.labels[input.parameters.label]
	msg := sprintf("%s has no label %s", [names.shown(input.review.object), input.parameters.label])
}
"""
)
NAMES = """\
# METADATA
# title: Names
# scope: package
package lib.names

import data.lib.texts

shown(obj) := texts.joined([obj.kind, object.get(obj, ["metadata", "name"], "?")])
"""
TEXTS = """\
package lib.texts

joined(parts) := concat(" ", parts)
"""
UNUSED = """\
package lib.unused

answer := 42
"""
SUITE = """\
kind: Suite
apiVersion: test.gatekeeper.sh/v1alpha1
tests:
  - name: required label
    template: template.yaml
    constraint: samples/constraint.yaml
    cases:
      - name: without
        object: samples/without.yaml
        assertions:
          - violations: 1
            message: ^Pod a has no label team$
      - name: with
        object: samples/with.yaml
        assertions:
          - violations: no
"""
CONSTRAINT = """\
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sRequiredLabel
metadata:
  name: team
spec:
  parameters:
    label: team
"""
SAMPLES = {
    "constraint.yaml": CONSTRAINT,
    "with.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: b\n  labels:\n    team: x\n",
    "without.yaml": "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n",
}
FILES = {
    "lib/names/names.rego": NAMES,
    "lib/names/names_test.rego": "package lib.names_test\n\ntest_nothing if true\n",
    "lib/texts/texts.rego": TEXTS,
    "lib/unused/unused.rego": UNUSED,
    "policies/required_label/required_label.rego": REGO,
    "policies/required_label/required_label_test.rego": "package policies.required_label_test\n\ntest_it if true\n",
    "policies/required_label/suite.yaml": SUITE,
    **{f"policies/required_label/samples/{name}": text for name, text in SAMPLES.items()},
}

#: A second policy, which is just one more folder.
SECOND = {
    path.replace("required_label", "other_label"): text.replace("required_label", "other_label")
    .replace("K8sRequiredLabel", "K8sOtherLabel")
    .replace("label-missing", "other-missing")
    for path, text in FILES.items()
    if path.startswith("policies/")
}

#: A policy about cluster-scoped objects that uses everything that METADATA and docs.yaml offer.
CLUSTER_REGO = """\
# METADATA
# title: Known host
# description: What the API server calls runs in a protected namespace.
# scope: package
# custom:
#   kind: K8sKnownHost
#   version: 0.3.0
#   rules:
#     unknown: {id: host-unknown, severity: high, title: The host is not protected}
#   match:
#     kinds:
#       - apiGroups: [apiregistration.k8s.io]
#         kinds: [APIService]
#     scope: Cluster
#     namespacesToParameter: hosts
#   enforcement: [audit, warn]
#   requiresSyncData:
#     - - {groups: ["", core.example.com], versions: [v1, v2], kinds: [Namespace]}
#       - {groups: [example.com], versions: [v1], kinds: [Project]}
#     - - {groups: [apps], versions: [v1], kinds: [Deployment]}
#   parameters:
#     type: object
#     required: [hosts]
#     properties:
#       grade: {description: How bad it is., type: string, enum: [low, high], default: low}
#       hosts:
#         description: Where hosts may be.
#         type: object
#         properties:
#           names: {type: array, items: {type: string}}
#           selector:
#             type: object
#             properties:
#               matchLabels: {type: object, additionalProperties: {type: string}}
package policies.known_host

violation contains {"msg": msg, "details": {"reason": "unknown"}} if {
	namespace := input.review.object.spec.service.namespace
	not namespace in input.parameters.hosts.names
	not data.inventory.cluster.v1.Namespace[namespace].metadata.labels.host
	msg := sprintf("%s is not protected", [namespace])
}
"""
CLUSTER_SUITE = """\
kind: Suite
apiVersion: test.gatekeeper.sh/v1alpha1
tests:
  - name: hosts
    template: template.yaml
    constraint: samples/constraint.yaml
    cases:
      - name: known by name
        object: samples/known.yaml
        assertions:
          - violations: no
      - name: unknown
        object: samples/unknown.yaml
        assertions:
          - violations: 1
            message: ^elsewhere is not protected$
      - name: known by label
        object: samples/unknown.yaml
        inventory: [samples/namespace.yaml]
        assertions:
          - violations: 0
"""
_SERVICE = """\
apiVersion: apiregistration.k8s.io/v1
kind: APIService
metadata: {{name: v1.example.com}}
spec: {{service: {{name: api, namespace: {0}}}}}
"""
CLUSTER_SAMPLES = {
    "constraint.yaml": """\
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: K8sKnownHost
metadata: {name: hosts}
spec:
  parameters: {hosts: {names: [kube-system]}}
""",
    "known.yaml": _SERVICE.format("kube-system"),
    "namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: elsewhere, labels: {host: yes-}}\n",
    "unknown.yaml": _SERVICE.format("elsewhere"),
}
CLUSTER_DOCS = """\
# for people
exceptions:
  - |
    A host: move it
    elsewhere.
contradictedBy:
  - tool: Hostess
    check: roam
    demands: It wants hosts to roam.
    suppression: Say so.
    example: |
      hosts:
        - NAMESPACE
  - {tool: Other, check: other, demands: It is odd., suppression: It cannot be silenced.}
"""
CLUSTER = {
    "policies/known_host/known_host.rego": CLUSTER_REGO,
    "policies/known_host/suite.yaml": CLUSTER_SUITE,
    "policies/known_host/docs.yaml": CLUSTER_DOCS,
    **{f"policies/known_host/samples/{name}": text for name, text in CLUSTER_SAMPLES.items()},
}


def write_tree(directory: Path, *changes: Mapping[str, str | None]) -> Path:
    """Write FILES below directory/rego. Changes by path give another text, or None to leave the file out."""
    files: dict[str, str | None] = dict(FILES)
    for change in changes:
        files.update(change)
    rego = directory / "rego"
    for path, text in files.items():
        if text is not None:
            (rego / path).parent.mkdir(parents=True, exist_ok=True)
            (rego / path).write_bytes(text.encode("utf-8"))
    return rego


PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "label": {
            "description": "The label that every object has.",
            "type": "string",
            "minLength": 1,
            "default": "owner",
        },
        "customKinds": {
            "description": "Other kinds.",
            "type": "array",
            "default": [],
            "example": [{"group": "example.com", "kind": "Widget"}, {"group": "example.com", "kind": "Gadget"}],
            "items": {
                "type": "object",
                "required": ["group", "kind"],
                "properties": {"group": {"type": "string"}, "kind": {"type": "string"}},
            },
        },
    },
}
POLICY = Policy(
    name="required_label",
    title="Required label",
    description="Every object says by a label whose it is.",
    kind="K8sRequiredLabel",
    version="1.2.0",
    rules={"missing": Rule("label-missing", "low", "The label is missing")},
    kinds=(MatchKinds(("",), ("Pod",)), MatchKinds(("apps",), ("Deployment",))),
    kinds_from_parameter="customKinds",
    levels=("audit", "warn", "deny"),
    cluster_scoped=False,
    namespaces_parameter=None,
    sync=(),
    operations=("CREATE", "UPDATE"),
    parameters=PARAMETERS,
    module=SourceFile("policies/required_label/required_label.rego", REGO),
    libs=(SourceFile("lib/names/names.rego", NAMES), SourceFile("lib/texts/texts.rego", TEXTS)),
    suite=SourceFile("policies/required_label/suite.yaml", SUITE),
    samples=tuple(SourceFile(f"policies/required_label/samples/{name}", text) for name, text in SAMPLES.items()),
    examples=(
        Example("without", False, "samples/without.yaml", SAMPLES["without.yaml"], ()),
        Example("with", True, "samples/with.yaml", SAMPLES["with.yaml"], ()),
    ),
    guide=Guide(),
)

#: The value of CLUSTER.
CLUSTER_POLICY = Policy(
    name="known_host",
    title="Known host",
    description="What the API server calls runs in a protected namespace.",
    kind="K8sKnownHost",
    version="0.3.0",
    rules={"unknown": Rule("host-unknown", "high", "The host is not protected")},
    kinds=(MatchKinds(("apiregistration.k8s.io",), ("APIService",)),),
    kinds_from_parameter=None,
    levels=("audit", "warn"),
    cluster_scoped=True,
    namespaces_parameter="hosts",
    sync=(
        (
            SyncKinds(("", "core.example.com"), ("v1", "v2"), ("Namespace",)),
            SyncKinds(("example.com",), ("v1",), ("Project",)),
        ),
        (SyncKinds(("apps",), ("v1",), ("Deployment",)),),
    ),
    operations=("CREATE", "UPDATE"),
    parameters={
        "type": "object",
        "required": ["hosts"],
        "properties": {
            "grade": {
                "description": "How bad it is.",
                "type": "string",
                "enum": ["low", "high"],
                "default": "low",
            },
            "hosts": {
                "description": "Where hosts may be.",
                "type": "object",
                "properties": {
                    "names": {"type": "array", "items": {"type": "string"}},
                    "selector": {
                        "type": "object",
                        "properties": {"matchLabels": {"type": "object", "additionalProperties": {"type": "string"}}},
                    },
                },
            },
        },
    },
    module=SourceFile("policies/known_host/known_host.rego", CLUSTER_REGO),
    libs=(),
    suite=SourceFile("policies/known_host/suite.yaml", CLUSTER_SUITE),
    samples=tuple(SourceFile(f"policies/known_host/samples/{name}", text) for name, text in CLUSTER_SAMPLES.items()),
    examples=(
        Example("unknown", False, "samples/unknown.yaml", CLUSTER_SAMPLES["unknown.yaml"], ()),
        Example("known by name", True, "samples/known.yaml", CLUSTER_SAMPLES["known.yaml"], ()),
        Example(
            "known by label", True, "samples/unknown.yaml", CLUSTER_SAMPLES["unknown.yaml"], ("samples/namespace.yaml",)
        ),
    ),
    guide=Guide(
        exceptions=("A host: move it elsewhere.",),
        contradictions=(
            Contradiction("Hostess", "roam", "It wants hosts to roam.", "Say so.", "hosts:\n  - NAMESPACE"),
            Contradiction("Other", "other", "It is odd.", "It cannot be silenced.", ""),
        ),
    ),
)


def policy(**changes: Any) -> Policy:
    """Return the policy of FILES as a value, with changes."""
    return dataclasses.replace(POLICY, **changes)
