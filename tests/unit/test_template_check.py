"""Why a template is refused, in words; that it is refused at all is compared with gator in tests/oracles."""

import re
from dataclasses import replace
from typing import Any

import pytest

from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.library.gatekeeper_validation.template_check import schema_fault, template_fault


def _matches(pattern: str, text: str) -> bool:
    return re.search(pattern, text) is not None


_TEMPLATE = ConstraintTemplate(
    file="t.yaml",
    name="any",
    kind="Any",
    policy="any",
    rules={},
    engines=("Rego",),
    source=None,
    parameters_schema=None,
    object={"apiVersion": "templates.gatekeeper.sh/v1"},
)
_NAMES = {"spec": {"crd": {"spec": {"names": {"kind": "Any", "shortNames": ["good", "Bad"]}}}}}


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (_TEMPLATE, None),
        (replace(_TEMPLATE, name="ANY"), None),
        (replace(_TEMPLATE, name="other"), "its name is other, but must be its kind in lower case: any"),
        (
            replace(_TEMPLATE, object={"apiVersion": "templates.gatekeeper.sh/v2"}),
            'its version is "v2" and not one of v1, v1alpha1, v1beta1',
        ),
        (
            replace(_TEMPLATE, name="a_b", kind="A_b"),
            "its kind A_b is not a name for a kind: letters, digits and dashes, at most 59",
        ),
        (
            replace(_TEMPLATE, object={**_TEMPLATE.object, **_NAMES}),
            "its short name 'Bad' is not a label in lower case",
        ),
    ],
)
def test_template_fault(template: ConstraintTemplate, fault: str | None) -> None:
    assert template_fault(template, None, _matches) == fault


def test_schema_of_the_template_is_judged() -> None:
    assert template_fault(_TEMPLATE, {"type": "object"}, _matches) is None
    assert template_fault(_TEMPLATE, {}, _matches) == "openAPIV3Schema has no type"


def _a(**schema: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"a": {name.replace("__", "-"): value for name, value in schema.items()}}}


@pytest.mark.parametrize(
    ("schema", "fault"),
    [
        (_a(type="string"), None),
        (_a(type="text"), 'has the type "text", which is not one of array, boolean, integer, number, object, string'),
        (_a(type="string", minLength="1"), "has a minLength of the wrong type"),
        (_a(type="integer", minimum=True), "has a minimum of the wrong type"),
        (_a(type="object", required=[1]), "has a required that is not a list of strings"),
        (_a(type="object", definitions={"x": {}}), "has definitions, which Kubernetes does not support"),
        (_a(type="array"), "is an array without items"),
        (_a(type="array", items=[{}]), "has a list of items; it takes one schema"),
        (_a(type="array", items={"type": "string"}, uniqueItems=True), "has uniqueItems, which Kubernetes forbids"),
        (
            _a(type="object", properties={"b": {"type": "string"}}, additionalProperties=False),
            "has both properties and additionalProperties",
        ),
        (_a(type="string", default=5), 'has a default that it refuses: the value: 5 is not of type "string"'),
        (_a(type="object", default={"b": 1}), "has a default with b, which the schema does not know"),
        (_a(type="string", anyOf=[{"type": "string"}]), "has a clause with type, which can only stand outside of it"),
        (_a(type="string", **{"not": {"minLength": "1"}}), "has a minLength of the wrong type"),
        (_a(type="string", allOf=["x"]), "has a clause that is not an object"),
        (_a(type="string", x__kubernetes__map__type="atomic"), "has x-kubernetes-map-type, but is not an object"),
        (
            _a(type="array", items={"type": "object"}, x__kubernetes__list__type="set"),
            "is a set whose items are not atomic",
        ),
        (_a(type="string", x__kubernetes__embedded__resource=True), "embeds a resource, but is not an object"),
    ],
)
def test_schema_fault(schema: dict[str, Any], fault: str | None) -> None:
    expected = None if fault is None else f"openAPIV3Schema.properties[a] {fault}"
    assert schema_fault(schema, _matches) == expected


def test_fault_deep_inside() -> None:
    schema = _a(
        type="array", items={"type": "object", "additionalProperties": {"type": "object", "properties": {"b": {}}}}
    )
    assert schema_fault(schema, _matches) == (
        "openAPIV3Schema.properties[a].items.additionalProperties.properties[b] has no type"
    )
