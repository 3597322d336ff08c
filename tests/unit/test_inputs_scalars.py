"""What scalars mean, by what Go's own readers say of them.

The values were taken from sigs.k8s.io/yaml v1.6.0 ("kubernetes") and from gatekeeper's gator.ParseYaml with
go.yaml.in/yaml/v3 v3.0.4 ("gator").
"""

from typing import Any

import pytest

from pullguard.engine.documents import Dialect, Document, read_documents
from shared_engine import ENGINE


def read(text: str, dialect: Dialect = "kubernetes") -> Any:
    """Return the value of a document, or what is wrong with it."""
    (found,) = read_documents(ENGINE, text, "f.yaml", dialect=dialect)
    return found.value if isinstance(found, Document) else found.message


def plain(text: str, dialect: Dialect) -> Any:
    return read(f"a: {text}\n", dialect)["a"]


SAME_IN_BOTH: dict[str, Any] = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
    "tRUE": "tRUE",
    "yEs": "yEs",
    "": None,
    "~": None,
    "null": None,
    "Null": None,
    "NULL": None,
    "nULL": "nULL",
    "0": 0,
    "-0": 0,
    "+1": 1,
    "12": 12,
    "1_000": 1000,
    "1__0": 10,
    "_1": "_1",
    "1_": 1,
    "0x1F": 31,
    "0X1f": 31,
    "-0x10": -16,
    "+0x1": 1,
    "0x": "0x",
    "0o17": 15,
    "0O17": 15,
    "017": 15,
    "-017": -15,
    "08": 8,
    "0_7": 7,
    "0b101": 5,
    "0B11": 3,
    "-0b11": -3,
    "0b-1": -1,
    "0b2": "0b2",
    "9223372036854775807": 9223372036854775807,
    "9223372036854775808": 9223372036854775808,
    "18446744073709551615": 18446744073709551615,
    "18446744073709551616": 18446744073709551616.0,
    "-9223372036854775808": -9223372036854775808,
    "-9223372036854775809": -9223372036854775808.0,
    "0" * 100 + "7": 7,
    "7" * 5000: "7" * 5000,
    "1.5": 1.5,
    "1.": 1,
    "1.0": 1,
    "-1.0": -1,
    ".5": 0.5,
    "+.5": 0.5,
    "-.5": -0.5,
    ".5_5": 0.55,
    "._5": "._5",
    "1_0.5": 10.5,
    "1e3": 1000,
    "1E3": 1000,
    "1e+3": 1000,
    "1.5e-3": 0.0015,
    "1e20": 1e20,
    "1e-400": 0,
    "1e400": "1e400",
    "-1e400": "-1e400",
    "0x1p4": "0x1p4",
    "0x1.8": "0x1.8",
    "1.5.2": "1.5.2",
    ".": ".",
    "..": "..",
    "+": "+",
    ".e5": ".e5",
    "1e": "1e",
    "1a": "1a",
    "-a": "-a",
    "./a": "./a",
    "1,000": "1,000",
    "12:30:45": "12:30:45",
    "=": "=",
    "<<": "<<",
    "NaN": "NaN",
    "Inf": "Inf",
    ".Infinity": ".Infinity",
    "2024-13-45": "2024-13-45",
    "2023-02-29": "2023-02-29",
    "1900-02-29": "1900-02-29",
    "2001-12-14T21:59:43Z": "2001-12-14T21:59:43Z",
    "2001-12-14T21:59:60Z": "2001-12-14T21:59:60Z",
    "2001-12-14T1:2:3.Z": "2001-12-14T1:2:3.Z",
    "2001-12-14T1:2:3+25:00": "2001-12-14T1:2:3+25:00",
    "\u0661\u0662": "\u0661\u0662",  # digits, but not for Go
}

ONLY_KUBERNETES = (
    dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "on", "On", "ON"), True)
    | dict.fromkeys(("n", "N", "no", "No", "NO", "off", "Off", "OFF"), False)
    | {"2001-1-1": "2001-1-1", "0o-7": "0o-7"}
)

ONLY_GATOR: dict[str, Any] = {word: word for word in ONLY_KUBERNETES if isinstance(ONLY_KUBERNETES[word], bool)} | {
    "0o-7": -7,
    "2001-01-01": "2001-01-01T00:00:00Z",
    "2001-1-1": "2001-01-01T00:00:00Z",
    "2004-02-29": "2004-02-29T00:00:00Z",
    "0000-02-29": "0000-02-29T00:00:00Z",
    "2001-12-14t21:59:43.10-05:00": "2001-12-14T21:59:43.1-05:00",
    "2001-12-14 21:59:43": "2001-12-14T21:59:43Z",
    "2001-12-14 1:2:3.5": "2001-12-14T01:02:03.5Z",
    "2001-12-14T1:2:3,5Z": "2001-12-14T01:02:03.5Z",
    "2001-12-14T1:2:3.1234567899Z": "2001-12-14T01:02:03.123456789Z",
    "2001-12-14T1:2:3-00:00": "2001-12-14T01:02:03Z",
    "2001-12-14T1:2:3+00:01": "2001-12-14T01:02:03+00:01",
    "2001-12-14T01:2:3": "2001-12-14T01:2:3",
    "2001-12-14 01:2:3Z": "2001-12-14 01:2:3Z",
}

KUBERNETES = SAME_IN_BOTH | ONLY_KUBERNETES
GATOR = SAME_IN_BOTH | ONLY_GATOR


def assert_same(value: Any, expected: Any) -> None:
    """Compare JSON values, in which a number is of one kind and a large one has as many digits as a float needs."""
    is_number = isinstance(expected, int | float) and not isinstance(expected, bool)
    assert type(value) is type(expected) or is_number
    assert value == expected or float(value) == float(expected)


def short(text: str) -> str:
    return text[:30]


@pytest.mark.parametrize("text", KUBERNETES, ids=short)
def test_plain_scalars_as_kubernetes_reads_them(text: str) -> None:
    assert_same(plain(text, "kubernetes"), KUBERNETES[text])


@pytest.mark.parametrize("text", GATOR, ids=short)
def test_plain_scalars_as_gator_reads_them(text: str) -> None:
    assert_same(plain(text, "gator"), GATOR[text])


@pytest.mark.parametrize(
    ("text", "word"), [(".inf", ".inf"), ("+.INF", ".inf"), ("-.Inf", "-.inf"), (".NaN", ".nan"), (".nan", ".nan")]
)
def test_what_json_cannot_hold_stays_a_word(text: str, word: str) -> None:
    assert plain(text, "kubernetes") == word


@pytest.mark.parametrize(
    ("tag", "text", "value"),
    [
        ("tag:yaml.org,2002:str", "12", "12"),
        ("tag:yaml.org,2002:str", "", ""),
        ("tag:yaml.org,2002:int", "0x10", 16),
        ("tag:yaml.org,2002:float", "1", 1.0),
        ("tag:yaml.org,2002:float", "1.5", 1.5),
        ("tag:yaml.org,2002:bool", "yes", True),
        ("tag:yaml.org,2002:null", "~", None),
        ("tag:yaml.org,2002:null", "", None),
        ("tag:yaml.org,2002:timestamp", "2001-01-01", "2001-01-01"),
        ("tag:yaml.org,2002:binary", "aGk=", "hi"),
        ("tag:yaml.org,2002:binary", "4pg=", "\ufffd\ufffd"),
        ("tag:yaml.org,2002:set", "a", "a"),
        ("!local", "12", "12"),
        ("!local", "", ""),
    ],
)
def test_tags(tag: str, text: str, value: object) -> None:
    got = read(f"a: !<{tag}> {text}\n" if tag != "!local" else f"a: !local {text}\n")["a"]
    assert_same(got, value)


@pytest.mark.parametrize(
    ("dialect", "tag", "text", "message"),
    [
        ("kubernetes", "int", "abc", "`abc` is not a value of the tag !!int"),
        ("kubernetes", "int", "1.5", "`1.5` is not a value of the tag !!int"),
        ("kubernetes", "bool", "1", "`1` is not a value of the tag !!bool"),
        ("gator", "bool", "yes", "`yes` is not a value of the tag !!bool"),
        ("kubernetes", "null", "x", "`x` is not a value of the tag !!null"),
        ("kubernetes", "float", "18446744073709551615", "`18446744073709551615` is not a value of the tag !!float"),
        ("kubernetes", "timestamp", "soon", "`soon` is not a value of the tag !!timestamp"),
        ("kubernetes", "int", "x" * 50, f"`{'x' * 20}...` is not a value of the tag !!int"),
        ("kubernetes", "binary", "a", "!!binary value is not base64"),
        ("kubernetes", "binary", "é", "!!binary value is not base64"),
        ("kubernetes", "binary", "aG k=", "!!binary value is not base64"),
    ],
)
def test_a_tag_that_the_scalar_does_not_fit(dialect: Dialect, tag: str, text: str, message: str) -> None:
    assert read(f"a: !!{tag} {text}\n", dialect).partition("; ")[0] == message


def test_a_timestamp_tag_in_gator_gives_rfc_3339() -> None:
    assert plain("!!timestamp 2001-1-1", "gator") == "2001-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a", "a"),
        ("1", "1"),
        ("0x10", "16"),
        ("true", "true"),
        ("No", "false"),
        ("1.0", "1"),
        ("-0.0", "-0"),
        ("1.5", "1.5"),
        ("0.1", "0.1"),
        ("1e5", "100000"),
        ("100000.5", "100000.5"),
        ("1000000.5", "1.0000005e+06"),
        ("16777217.0", "1.6777216e+07"),
        ("123456789.5", "1.2345679e+08"),
        ("1e10", "1e+10"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("3.4028235e38", "3.4028235e+38"),
        ("1e-45", "1e-45"),
        ("5e-324", "0"),
        ("1e300", ".inf"),
        ("-1e300", "-.inf"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("2001-01-01", "2001-01-01"),
        ("18446744073709551615", None),
        ("~", None),
    ],
)
def test_keys_as_kubernetes_writes_them(text: str, key: str | None) -> None:
    found = read(f"? {text}\n: x\n")
    assert found == {key: "x"} if key is not None else isinstance(found, str)
