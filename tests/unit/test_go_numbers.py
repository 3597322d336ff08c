"""Numbers as Go writes floats; what gator does with them is compared in tests/oracles/test_suites.py."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.suites.go_numbers import as_floats, as_marshalled, as_parameters


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (0, "0"),
        (-0.0, "0"),
        (1, "1"),
        (999999, "999999"),
        (1000000, "1e+06"),
        (-1234567, "-1.234567e+06"),
        (1234567.5, "1.2345675e+06"),
        (123456.75, "123456.75"),
        (9007199254740993, "9.007199254740992e+15"),
        (2**63, "9.223372036854776e+18"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (1e-7, "1e-07"),
        (1e100, "1e+100"),
        (5e-324, "5e-324"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
    ],
)
def test_numbers(number: float, expected: str) -> None:
    assert as_floats([number, 10000000]) == f"[{expected}, 1e+07]"


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1000000, "1000000"),
        (-1234567.5, "-1234567.5"),
        (9007199254740993, "9007199254740992"),
        (12345678901234567890, "12345678901234567000"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        (1.5e22, "1.5e+22"),
        (0.000001, "0.000001"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (5e-324, "5e-324"),
    ],
)
def test_numbers_as_json_has_them(number: float, expected: str) -> None:
    assert as_marshalled([number, 10000000]) == f"[{expected}, 10000000]"


def test_integers_of_parameters_stay() -> None:
    numbers = [1000000, -(2**63), 2**63 - 1, 2**63, 1234567.5]
    assert as_parameters(numbers) == (
        "[1000000, -9223372036854775808, 9223372036854775807, 9.223372036854776e+18, 1.2345675e+06]"
    )


def test_texts_stay() -> None:
    value = {"1234567": '"1234567', "a": ["\\", "1000000\\", 'x"1000000"'], "1e7": None}
    assert json.loads(as_floats(value)) == value
    assert as_floats(value) == json.dumps(value)


_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(alphabet='1e+."\\7 ', max_size=12),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='12345678"\\', max_size=9), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_VALUES)
def test_only_the_form_of_numbers_changes(value: Any) -> None:
    for written in (as_floats(value), as_marshalled(value), as_parameters(value)):
        assert _with_floats(json.loads(written)) == _with_floats(value)


def _with_floats(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _with_floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_floats(item) for item in value]
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_are_as_short_as_pythons(number: float) -> None:
    text, _, _ = as_floats([number, 10000000])[1:].partition(",")
    assert float(text) == number
    assert _digits(text) == _digits(repr(number))


def _digits(text: str) -> str:
    return text.partition("e")[0].lstrip("-").replace(".", "").strip("0")
