"""A small tree of policies for tests, on the disk and as values."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pullguard.gatekeeper import Rule
from pullguard.policies import MatchKinds, Policy, SourceFile

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

#: A second policy is one more folder, and nothing else.
SECOND = {
    path.replace("required_label", "other_label"): text.replace("required_label", "other_label")
    .replace("K8sRequiredLabel", "K8sOtherLabel")
    .replace("label-missing", "other-missing")
    for path, text in FILES.items()
    if path.startswith("policies/")
}


def write_tree(directory: Path, *changes: Mapping[str, str | None]) -> Path:
    """Write FILES below directory/rego, with changes by path: another text, or None for no such file."""
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
    operations=("CREATE", "UPDATE"),
    parameters=PARAMETERS,
    module=SourceFile("policies/required_label/required_label.rego", REGO),
    libs=(SourceFile("lib/names/names.rego", NAMES), SourceFile("lib/texts/texts.rego", TEXTS)),
    suite=SourceFile("policies/required_label/suite.yaml", SUITE),
    samples=tuple(SourceFile(f"policies/required_label/samples/{name}", text) for name, text in SAMPLES.items()),
)


def policy(**changes: Any) -> Policy:
    """Return the policy of FILES as a value, with changes."""
    return dataclasses.replace(POLICY, **changes)
