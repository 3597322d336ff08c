"""ConstraintTemplates as values: what their annotations and fields say."""

import json
from typing import Any

import pytest

from pullguard.core.gatekeeper import SYNC_ANNOTATION, needs_cluster, template_from

_NAMESPACE = {"groups": [""], "versions": ["v1"], "kinds": ["Namespace"]}
_NODE = {"groups": [""], "versions": ["v1"], "kinds": ["Node"]}


def _template(annotations: Any) -> dict[str, Any]:
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "x", "annotations": annotations},
        "spec": {
            "crd": {"spec": {"names": {"kind": "X"}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": "package x"}],
        },
    }


@pytest.mark.parametrize(
    ("annotations", "needed"),
    [
        (None, False),
        ({}, False),
        ({SYNC_ANNOTATION: json.dumps([[_NAMESPACE]])}, False),
        ({SYNC_ANNOTATION: json.dumps([[_NODE]])}, True),
        ({SYNC_ANNOTATION: json.dumps([[_NAMESPACE], [_NODE]])}, True),
        ({SYNC_ANNOTATION: f'\n"{json.dumps([[_NODE]])}"\n'}, True),
        ({SYNC_ANNOTATION: "Node"}, False),
        ({SYNC_ANNOTATION: '{"kinds": ["Node"]}'}, False),
        ({SYNC_ANNOTATION: "[[7]]"}, False),
        ({SYNC_ANNOTATION: 7}, False),
    ],
)
def test_needs_cluster(annotations: Any, *, needed: bool) -> None:
    assert needs_cluster(template_from(_template(annotations), "template.yaml")) is needed
