"""Defaults of constraints, as the API server fills them in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.gatekeeper import template_from
from pullguard.library.gatekeeper_validation.constraint_schema import (
    constraint_schema,
    copied,
    parameters_schema,
    with_defaults,
)

_SCHEMA = {
    "type": "object",
    "default": {},
    "properties": {
        "count": {"type": "integer", "default": 3},
        "maybe": {"type": "string", "nullable": True, "default": "x"},
        "nothing": {"type": "string", "default": None},
        "deep": {"type": "object", "properties": {"on": {"type": "boolean", "default": True}}},
        "list": {
            "type": "array",
            "items": {"type": "object", "properties": {"size": {"type": "integer", "default": 7}}},
        },
        "lists": {
            "type": "array",
            "items": {"type": "array", "default": [1], "items": {"type": "integer", "default": 2}},
        },
        "map": {"type": "object", "additionalProperties": {"type": "string", "default": "y"}},
        "any": {"type": "object", "additionalProperties": True},
    },
}


def _template(schema: Any = None, version: str = "v1", **validation: Any) -> Any:
    spec: dict[str, Any] = {"names": {"kind": "Any"}}
    if schema is not None:
        validation["openAPIV3Schema"] = schema
    if validation:
        spec["validation"] = validation
    obj = {
        "apiVersion": f"templates.gatekeeper.sh/{version}",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "any"},
        "spec": {
            "crd": {"spec": spec},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": "package any\n"}],
        },
    }
    return template_from(obj, "t.yaml")


def _filled(parameters: Any) -> Any:
    constraint = {"kind": "Any", "metadata": {"name": "a"}, "spec": {"parameters": parameters}}
    return with_defaults(constraint, _template(_SCHEMA))["spec"]["parameters"]


_LEAST = {"count": 3, "maybe": "x"}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, _LEAST),
        (None, _LEAST),
        ({"count": None}, _LEAST),
        ({"count": 5, "maybe": None}, {"count": 5, "maybe": None}),
        ({"deep": {}}, {**_LEAST, "deep": {"on": True}}),
        ({"deep": {"on": False}}, {**_LEAST, "deep": {"on": False}}),
        ({"deep": None}, {**_LEAST, "deep": None}),
        ({"list": [{}, {"size": 1}, None]}, {**_LEAST, "list": [{"size": 7}, {"size": 1}, None]}),
        ({"lists": [None, [None, 5]]}, {**_LEAST, "lists": [[1], [2, 5]]}),
        ({"map": {"a": None, "b": "z"}}, {**_LEAST, "map": {"a": "y", "b": "z"}}),
        ({"any": {"a": None}, "more": {"b": None}}, {**_LEAST, "any": {"a": None}, "more": {"b": None}}),
        ("no object", "no object"),
    ],
)
def test_defaults(parameters: Any, expected: Any) -> None:
    assert _filled(parameters) == expected


def test_defaults_apply_only_where_the_spec_is() -> None:
    assert with_defaults({"kind": "Any"}, _template(_SCHEMA)) == {"kind": "Any"}
    assert with_defaults({"spec": {}}, _template(_SCHEMA)) == {
        "spec": {"enforcementAction": "deny", "parameters": _LEAST}
    }
    assert with_defaults({"spec": {"enforcementAction": "warn"}}, _template()) == {
        "spec": {"enforcementAction": "warn"}
    }


def test_nothing_is_shared_with_what_was_given() -> None:
    template = _template(_SCHEMA)
    constraint: dict[str, Any] = {"spec": {"parameters": {"list": [{}]}}}
    first = with_defaults(constraint, template)
    first["spec"]["parameters"]["list"][0]["size"] = "changed"
    first["spec"]["parameters"]["maybe"] = "changed"
    assert constraint == {"spec": {"parameters": {"list": [{}]}}}
    assert with_defaults(constraint, template)["spec"]["parameters"] == {**_LEAST, "list": [{"size": 7}]}


def test_deep_constraints_are_no_trouble() -> None:
    deep: Any = {}
    for _ in range(20_000):
        deep = {"a": [deep]}
    filled = with_defaults({"spec": {"parameters": {"any": deep}}}, _template(_SCHEMA))
    assert filled["spec"]["parameters"]["count"] == 3


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@given(_JSON)
def test_copies_are_equal_and_new(value: Any) -> None:
    copy = copied(value)
    assert copy == value
    if isinstance(value, dict | list) and value:
        assert copy is not value


@given(_JSON)
def test_defaults_once_are_defaults_for_good(parameters: Any) -> None:
    constraint = {"spec": {"parameters": parameters}}
    once = with_defaults(constraint, _template(_SCHEMA))
    assert with_defaults(once, _template(_SCHEMA)) == once


@pytest.mark.parametrize(
    ("version", "stated", "legacy"),
    [
        ("v1", None, False),
        ("v1", True, True),
        ("v1beta1", None, True),
        ("v1alpha1", None, True),
        ("v1beta1", False, False),
    ],
)
def test_legacy_schemas_let_everything_pass(version: str, stated: bool | None, legacy: bool) -> None:
    schema = {"properties": {"a": {"type": "array"}, "b": {"type": "string"}, "c": {"additionalProperties": {}}}}
    template = _template(schema, version, **({} if stated is None else {"legacySchema": stated}))
    keep = {"x-kubernetes-preserve-unknown-fields": True}
    expected = {
        "properties": {
            "a": {"type": "array", "items": keep},
            "b": {"type": "string"},
            "c": {"additionalProperties": keep, **keep},
        },
        **keep,
    }
    assert parameters_schema(template) == (expected if legacy else schema)
    assert template.parameters_schema == schema


def test_templates_without_a_schema() -> None:
    assert parameters_schema(_template()) is None
    assert "parameters" not in constraint_schema(_template())["properties"]["spec"]["properties"]
    assert parameters_schema(_template(None, "v1beta1")) == {"x-kubernetes-preserve-unknown-fields": True}
