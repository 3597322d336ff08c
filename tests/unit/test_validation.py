from typing import Any

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.schema_errors import Problem, dotted, in_file, joined, problems
from pullguard.core.suggestions import suggestion


@pytest.mark.parametrize(
    ("schema", "value", "message"),
    [
        ({"type": "integer"}, "1", "a must be a whole number, not a string"),
        ({"type": "number"}, True, "a must be a number, not true or false"),
        ({"type": ["integer", "string"]}, [], "a must be a whole number or a string, not a list"),
        ({"type": ["array", "null"]}, {}, "a must be a list, not a mapping"),
        ({"type": "array"}, None, "a is empty, but must be a list"),
        ({"const": 1}, 2, "a is 2, which is not one of 1"),
        ({"enum": ["x", None]}, "y z", 'a is "y z", which is not one of x, null'),
        ({"pattern": "^b$"}, "c" * 100, f"a is {'c' * 77}..., which does not match ^b$"),
        ({"minItems": 2}, [1], "a has fewer than 2 entries"),
        ({"minItems": 1}, [], "a is empty"),
        ({"maxItems": 1}, [1, 2], "a has more than 1 entries"),
        ({"minProperties": 2}, {}, "a has fewer than 2 keys"),
        ({"maxProperties": 0}, {"x": 1}, "a has more than 0 keys"),
        ({"minLength": 2}, "x", "a is shorter than 2 characters"),
        ({"maxLength": 1}, "xx", "a is longer than 1 characters"),
        ({"minimum": 1}, 0, "a is less than 1"),
        ({"maximum": 1}, 2, "a is more than 1"),
        ({"multipleOf": 2}, 3, "a: 3 is not a multiple of 2"),
        ({"multipleOf": 2, "errorMessage": "even"}, 3, "a is not valid"),
    ],
)
def test_each_keyword_has_its_words(schema: dict[str, Any], value: Any, message: str) -> None:
    remedy = schema.get("errorMessage")
    assert problems({"properties": {"a": schema}}, {"a": value}, root="it") == [Problem(("a",), message, remedy)]


def test_a_value_that_fits_has_no_problems() -> None:
    assert problems({"type": "object"}, {}, root="it") == []


def test_each_repetition_is_a_problem_of_its_own() -> None:
    assert problems({"uniqueItems": True}, [1, {"a": 1, "b": 2}, 1, {"b": 2, "a": 1}, 1], root="it") == [
        Problem((2,), "[2] repeats 1", "remove one of the two"),
        Problem((3,), '[3] repeats {"a": 1, "b": 2}', "remove one of the two"),
        Problem((4,), "[4] repeats 1", "remove one of the two"),
    ]


def test_references_within_a_schema_are_followed() -> None:
    tree = {"type": "object", "additionalProperties": {"$ref": "#/$defs/tree"}, "errorMessage": "a tree"}
    assert problems({"$defs": {"tree": tree}, "$ref": "#/$defs/tree"}, {"a": {"b": [1]}}, root="it") == [
        Problem(("a", "b"), "a.b must be a mapping, not a list", "a tree")
    ]


def test_all_unknown_keys_are_named_with_what_is_near() -> None:
    schema = {"properties": {"alpha": {}, "beta": {}, "gamma": {}}, "additionalProperties": False}
    assert problems(schema, {"alpa": 1, "x": 2, "beta": 3}, root="it", below=("p", 0)) == [
        Problem(("p", 0, "alpa"), "alpa is not a known key of p[0]", "did you mean alpha?"),
        Problem(("p", 0, "x"), "x is not a known key of p[0]", "known here: alpha, gamma"),
    ]


def test_paths_are_written_as_people_write_them() -> None:
    assert dotted((), "the file") == "the file"
    assert dotted(("a", 0, "b", 1, 2), "the file") == "a[0].b[1][2]"


def test_where_nothing_is_known_nothing_is_suggested() -> None:
    assert suggestion("a", []) == "nothing can be stated here"


def test_errors_are_joined_in_the_order_of_the_lines() -> None:
    found = [Problem(("b",), "second", "fix it"), Problem(("a",), "first"), Problem(("c",), "also second")]
    errors = in_file(found, "f", lambda path: {"a": 1, "b": 2, "c": 2}[str(path[0])])
    assert str(joined(errors)) == "f:1: first\nf:2: second; fix it\nf:2: also second"
    assert joined(errors[:1]) is errors[0]
    assert str(joined([PullguardError("no file"), *errors[:1]])) == "no file\nf:2: second; fix it"
