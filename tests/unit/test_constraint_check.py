"""Why a constraint is refused, in words; that it is refused at all is compared with gator in tests/oracles."""

import re
from typing import Any

import pytest

from pullguard.core.gatekeeper import ConstraintTemplate, template_from
from pullguard.library.gatekeeper_validation.constraint_check import (
    ConstraintChecker,
    Refusal,
    patterns,
    schema_errors,
    unknown_fields,
)
from pullguard.library.gatekeeper_validation.formats import CHECKS

_SCHEMA = {
    "type": "object",
    "required": ["level"],
    "properties": {
        "level": {"type": "string", "enum": ["low", "high"]},
        "name": {"type": "string", "pattern": "(?i)^A"},
    },
}


def _matches(pattern: str, text: str) -> bool:
    """Stand in for RE2 where Python's expressions are the same."""
    return re.search(pattern, text) is not None


def _template() -> ConstraintTemplate:
    spec = {"names": {"kind": "Any"}, "validation": {"openAPIV3Schema": _SCHEMA}}
    obj = {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": "any"},
        "spec": {
            "crd": {"spec": spec},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "rego": "package any\n"}],
        },
    }
    return template_from(obj, "t.yaml")


def _constraint(**changes: Any) -> dict[str, Any]:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "Any",
        "metadata": {"name": "it"},
        "spec": {"parameters": {"level": "low"}},
        **changes,
    }


def _matched(**match: Any) -> dict[str, Any]:
    return _constraint(spec={"match": match, "parameters": {"level": "low"}})


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (_constraint(metadata={}), "its metadata.name is missing"),
        (_constraint(kind=5), "its kind is missing"),
        (_constraint(apiVersion="a/b/c"), "its kind is missing"),
        (_constraint(apiVersion="v1"), 'its API group is "" and not constraints.gatekeeper.sh'),
        (_constraint(kind="Other"), "its kind is Other, for which there is no template: the template makes Any"),
        (_constraint(kind="ANY"), "its kind is ANY, but the template makes Any"),
        (_constraint(metadata={"name": "A_b"}), 'its name "A_b" is not a DNS subdomain in lower case'),
        (
            _constraint(apiVersion="constraints.gatekeeper.sh/v1"),
            'its version is "v1" and not one of v1alpha1, v1beta1',
        ),
        (_constraint(spec=[]), "its spec is not an object"),
        (_constraint(spec={"match": "x"}), "its spec.match is not an object"),
        (_matched(labelSelector=[]), "its spec.match.labelSelector is not an object"),
        (
            _matched(namespaceSelector={"matchLabels": {"a b": "c"}}),
            'its spec.match.namespaceSelector has the key "a b", which is not the key of a label',
        ),
        (
            _matched(labelSelector={"matchLabels": {"a": "b c"}}),
            "its spec.match.labelSelector has the value 'b c', which is not the value of a label",
        ),
        (
            _matched(labelSelector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
            "its spec.match.labelSelector has the operator In without values",
        ),
        (
            _matched(labelSelector={"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}),
            "its spec.match.labelSelector has the operator Exists with values",
        ),
        (
            _matched(labelSelector={"matchExpressions": [{"key": "a", "operator": "Is"}]}),
            'its spec.match.labelSelector has the operator "Is", which is not one of In, NotIn, Exists, DoesNotExist',
        ),
        (_matched(more=1), "the schema does not know spec.match.more"),
        (
            _constraint(more=1, spec={"parameters": {"level": "low", "x": 1}}),
            "the schema does not know more, spec.parameters.x",
        ),
        (
            _constraint(spec={"enforcementAction": "scoped", "parameters": {"level": "low"}}),
            "its enforcementAction is scoped, but spec.scopedEnforcementActions is missing",
        ),
    ],
)
def test_refused_but_not_by_the_schema(constraint: dict[str, Any], message: str) -> None:
    assert ConstraintChecker(_template(), _matches).refusal(constraint) == Refusal(message, by_schema=False)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (_constraint(spec={"parameters": {}}), 'spec.parameters: "level" is a required property'),
        (_constraint(spec={"parameters": {"level": 5}}), None),
        (
            _constraint(spec={"parameters": {"level": "low", "name": "b"}}),
            'spec.parameters.name: "b" is not a "match for (?i)^A"',
        ),
        (_constraint(spec={"parameters": {"level": "middle", "more": 1}}), None),
        (_constraint(metadata={"name": "a" * 64}), None),
        (_matched(namespaces=["A"]), None),
    ],
)
def test_refused_by_the_schema(constraint: dict[str, Any], message: str | None) -> None:
    refused = ConstraintChecker(_template(), _matches).refusal(constraint)
    assert refused is not None
    assert refused.by_schema
    assert message is None or refused.message == message


def test_not_refused() -> None:
    checker = ConstraintChecker(_template(), _matches)
    assert checker.refusal(_constraint()) is None
    assert checker.refusal(_constraint(status={"x": {"y": 1}}, metadata={"name": "a.b", "labels": {"c": "d"}})) is None
    assert checker.refusal(_constraint(spec={"parameters": {"level": "high", "name": "abc"}})) is None
    selector = {
        "matchLabels": {"example.com/a": ""},
        "matchExpressions": [{"key": "c", "operator": "DoesNotExist"}],
    }
    assert checker.refusal(_matched(labelSelector=selector)) is None


_KEEP = {"x-kubernetes-preserve-unknown-fields": True}


@pytest.mark.parametrize(
    ("value", "schema", "unknown"),
    [
        ({"a": 1}, {}, ["a"]),
        ({"a": {"b": 1}}, {"properties": {"a": {}}}, ["a.b"]),
        ({"a": [{"b": 1}, 5]}, {"properties": {"a": {"items": {"properties": {"c": {}}}}}}, ["a[0].b"]),
        ({"a": [[{"b": 1}]]}, {"properties": {"a": {}}}, ["a[0][0].b"]),
        ({"a": {"b": 1}}, {"additionalProperties": True}, ["a.b"]),
        ({"a": 1}, {"additionalProperties": True}, []),
        ({"a": {"b": 1}}, {"additionalProperties": {"properties": {"b": {}}}}, []),
        ({"a": {"b": 1}}, _KEEP, []),
        ({"a": {"b": 1}}, {**_KEEP, "properties": {"a": {}}}, ["a.b"]),
        ({"a": {"b": 1}}, {**_KEEP, "properties": {"a": _KEEP}}, []),
        ([{"b": 1}], _KEEP, []),
        ([{"b": 1}], {**_KEEP, "items": {}}, []),
        ({"apiVersion": "v1", "kind": "K", "metadata": {"x": 1}}, {}, ["apiVersion", "kind", "metadata"]),
        (
            {"a": {"kind": "K", "metadata": {"x": 1}, "b": 1}},
            {"properties": {"a": {"x-kubernetes-embedded-resource": True}}},
            ["a.b"],
        ),
        ("text", {}, []),
        (None, None, []),
    ],
)
def test_unknown_fields(value: Any, schema: Any, unknown: list[str]) -> None:
    assert unknown_fields(value, schema, root=False) == unknown


def test_roots_have_metadata() -> None:
    assert unknown_fields({"apiVersion": "v1", "kind": "K", "metadata": {"x": 1}, "y": 1}, {}, root=True) == ["y"]


def test_patterns_are_found_wherever_they_are() -> None:
    schema = {
        "pattern": "a",
        "items": {"pattern": "b"},
        "properties": {"p": {"not": {"pattern": "c"}}, "q": None},
        "additionalProperties": {"anyOf": [{"pattern": "d"}, {"pattern": ""}], "oneOf": None},
        "allOf": [{"pattern": "a"}],
    }
    assert patterns(schema) == {"a", "b", "c", "d"}
    assert patterns(None) == set()


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("byte", "aGk=", "a"),
        ("cidr", "10.0.0.0/8", "10.0.0.0"),
        ("date", "2024-02-29", "2023-02-29"),
        ("date-time", "2024-02-29T23:59:59.5+01:00", "2024-02-30T00:00:00Z"),
        ("datetime", "2024-02-29T23:59:59Z", "2024-02-29"),
        ("duration", "1h 30 minutes", "1 x"),
        ("email", "Me <a@b.c>", "a"),
        ("hexcolor", "#fFf", "#ff"),
        ("hostname", "a-b.example.com", "a..b"),
        ("ipv4", "10.0.0.1", "10.0.0"),
        ("ipv6", "::1", "10.0.0.1"),
        ("k8s-long-name", "a.b-c", "a..b"),
        ("k8s-short-name", "a-b", "A"),
        ("mac", "00:1B:44:11:3a:b7", "00:1B"),
        ("uri", "https://example.com/x", "example.com"),
        ("uuid", "123E4567-e89b-12d3-a456-426614174000", "123"),
        ("uuid3", "123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"),
        ("uuid4", "123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-c456-426614174000"),
        ("uuid5", "123e4567-e89b-52d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"),
    ],
)
def test_formats(name: str, good: str, bad: str) -> None:
    schema = {"type": "string", "format": name}
    assert schema_errors(good, schema, _matches) == []
    assert schema_errors(bad, schema, _matches) == [f'the value: "{bad}" is not a "{name}"']
    assert name == "duration" or schema_errors(f"{good}\n", schema, _matches) != []


def test_every_format_is_tried() -> None:
    (mark,) = (mark for mark in test_formats.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
    assert {name for name, _, _ in mark.args[1]} == set(CHECKS)
