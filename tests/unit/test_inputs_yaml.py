"""How the engine reads YAML: values, lines, problems and limits."""

import json
import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Dialect, Document, read_documents
from shared_engine import ENGINE

#: What is read unless a user allows more.
MAX_DEPTH = 500

Problems = list[tuple[int | None, str]]


def read(
    text: str, first_line: int = 1, dialect: Dialect = "kubernetes", *, first: bool = False
) -> tuple[Any, Problems]:
    """Return the value of the one document of a text, None if it is broken, and what is wrong with it."""
    found = read_documents(ENGINE, text, "f.yaml", dialect=dialect, first_line=first_line, first=first)
    documents = [entry for entry in found if isinstance(entry, Document)]
    problems: Problems = [(entry.line, entry.message) for entry in found if isinstance(entry, InputError)]
    assert len(documents) <= 1
    return documents[0].value if documents else None, problems


def value_of(text: str, dialect: Dialect = "kubernetes") -> Any:
    value, problems = read(text, dialect=dialect)
    assert problems == []
    return value


def broken(text: str, dialect: Dialect = "kubernetes", first_line: int = 1) -> tuple[int | None, str]:
    value, problems = read(text, first_line, dialect)
    assert value is None
    (problem,) = problems
    return problem


def line(text: str, *path: str | int, first_line: int = 1) -> int:
    found = read_documents(ENGINE, text, "f.yaml", first_line=first_line)
    (document,) = (entry for entry in found if isinstance(entry, Document))
    return document.line_of(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\n", None),
        ("a: 1\nb: [x, {c: d}]\n", {"a": 1, "b": ["x", {"c": "d"}]}),
        ("a: 'yes'\nb: \"1\"\nc: |\n  no\n", {"a": "yes", "b": "1", "c": "no\n"}),
        ("a:\nb: ''\n", {"a": None, "b": ""}),
        ("1: a\ntrue: b\n1.50: c\nno: d\n", {"1": "a", "true": "b", "1.5": "c", "false": "d"}),
        ("a:\tb\n", {"a": "b"}),
        ("a: 1\r\nb: |\r\n  x\r\n  y\r\n", {"a": 1, "b": "x\ny\n"}),
        ("a: .inf\nb: -.inf\nc: .nan\n", {"a": ".inf", "b": "-.inf", "c": ".nan"}),
        ("a: !!str 1\nb: !x 2\nc: !!int '3'\nd: !!binary aGk=\n", {"a": "1", "b": "2", "c": 3, "d": "hi"}),
        ("a: =\nb: 2001-01-01\n", {"a": "=", "b": "2001-01-01"}),
        ("? a\n: b\n? c\n", {"a": "b", "c": None}),
        ("a: b\n...\n# the end\n", {"a": "b"}),
        ("42", 42),
        ("- a\n-\n- - b\n", ["a", None, ["b"]]),
        ('{"a": [1, 2,]}', {"a": [1, 2]}),
    ],
)
def test_values(text: str, value: object) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: yes\nb: on\nc: true\n", {"a": "yes", "b": "on", "c": True}),
        ("a: 2001-01-01\n", {"a": "2001-01-01T00:00:00Z"}),
        ("1: a\n2001-01-01: b\nyes: c\n", {"1": "a", "2001-01-01": "b", "yes": "c"}),
        ("a: {yes: b}\n", {"a": {"yes": "b"}}),
    ],
)
def test_values_for_gator(text: str, value: object) -> None:
    assert value_of(text, "gator") == value


BASE = "base: &base {a: 1, b: 2}\nother: &other {b: 3, c: 4}\n"


@pytest.mark.parametrize(
    ("merge", "kubernetes", "gator"),
    [
        ("{<<: *base, b: 9}", {"a": 1, "b": 9}, {"a": 1, "b": 9}),
        ("{b: 9, <<: *base}", {"a": 1, "b": 2}, {"a": 1, "b": 9}),
        ("{<<: [*base, *other]}", {"a": 1, "b": 2, "c": 4}, {"a": 1, "b": 2, "c": 4}),
        ("{<<: [*other, *base]}", {"a": 1, "b": 3, "c": 4}, {"a": 1, "b": 3, "c": 4}),
        ("{<<: {k: 1}, l: 2}", {"k": 1, "l": 2}, {"k": 1, "l": 2}),
        ("{<<: {<<: *base, a: 7}}", {"a": 7, "b": 2}, {"a": 7, "b": 2}),
        ("{'<<': 1}", {"<<": 1}, {"<<": 1}),
        ("{!!merge <<: *base}", {"a": 1, "b": 2}, {"a": 1, "b": 2}),
        ("{<<: []}", {}, {}),
    ],
)
def test_merge_keys(merge: str, kubernetes: object, gator: object) -> None:
    assert value_of(f"{BASE}x: {merge}\n")["x"] == kubernetes
    assert value_of(f"{BASE}x: {merge}\n", "gator")["x"] == gator


def test_a_merged_list_may_be_an_alias() -> None:
    assert value_of("l: &l\n- {a: 1}\nx:\n- <<: *l\n") == {"l": [{"a": 1}], "x": [{"a": 1}]}


def test_a_merge_does_not_change_where_it_comes_from() -> None:
    assert value_of(f"{BASE}x: {{<<: *base, a: 5}}\n")["base"] == {"a": 1, "b": 2}


@pytest.mark.parametrize("merged", ["1", "[1]", "", "[[{a: 1}]]"])
def test_only_mappings_can_be_merged(merged: str) -> None:
    assert broken(f"a:\n  <<: {merged}\n") == (
        2,
        "`<<` takes a mapping or a list of mappings; write its entries out",
    )


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: &x 1\nb: *x\n", {"a": 1, "b": 1}),
        ("a: &x 1.0\nb: *x\n", {"a": 1, "b": 1}),
        ("a: &x k\n*x : v\n", {"a": "k", "k": "v"}),
        ("a: &x 1\nb: &x 2\nc: *x\n", {"a": 1, "b": 2, "c": 2}),
        ("a: &x [&x k, *x]\nb: *x\n", {"a": ["k", "k"], "b": "k"}),
    ],
)
def test_aliases(text: str, value: object) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("text", "where", "message", "remedy"),
    [
        ("a: *x\n", 1, "the alias *x has no anchor before it", "correct the document"),
        ("a: 1\nb: &x [*x]\n", 2, "the anchor &x contains itself", "correct the document"),
        ("a: &x\n  <<: *x\n", 2, "the anchor &x contains itself", "correct the document"),
        ("a: 1\n[b]: c\n", 2, "a mapping or a list cannot be a key", "put the key in quotes"),
        ("a: &x [1]\n*x : c\n", 2, "a mapping or a list cannot be a key", "put the key in quotes"),
        ("a: 1\n~: c\n", 2, "~ cannot be a key of an object", "put it in quotes"),
        ("a: 1\n? \n: c\n", 2, "an empty key cannot be a key of an object", "put it in quotes"),
        ("a: 1\nb: !!int c\n", 2, "`c` is not a value of the tag !!int", "correct the value or remove the tag"),
        (
            "a:\n  b: [c\nd: e\n",
            3,
            "not valid YAML: did not find expected ',' or ']'",
            "correct the document",
        ),
        ("a: b: c\n", 1, "not valid YAML: mapping values are not allowed in this context", "correct the document"),
        (
            "a:\n\tb: c\n",
            2,
            "not valid YAML: found character that cannot start any token",
            "indent with spaces, not with tabs",
        ),
        (
            "a: @b\n",
            1,
            "not valid YAML: found character that cannot start any token",
            "correct the document",
        ),
        (
            "a: 1\nb: \0\n",
            2,
            "a NUL byte: the file is damaged, or is not UTF-8 text",
            "remove it, or save the file as UTF-8",
        ),
        ("a: 1\n\nb: \x07\n", 3, "the character U+0007, which YAML does not allow", "remove it"),
    ],
)
def test_broken_documents(text: str, where: int, message: str, remedy: str) -> None:
    assert broken(text) == (where, f"{message}; {remedy}")
    assert broken(text, first_line=101)[0] == where + 100


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: {1: b}\n", "1 cannot be a key of an object"),
        ("a: {true: b}\n", "true cannot be a key of an object"),
        ("a: .inf\n", ".inf is not a number in JSON"),
    ],
)
def test_what_gator_cannot_turn_into_json_is_broken(text: str, message: str) -> None:
    assert broken(text, "gator") == (1, f"{message}; put it in quotes")


DUPLICATE = (
    'the key "{}" occurs twice in one mapping, first on line {}: '
    "the last value counts, and Kubernetes' strict decoding refuses the object"
)
REMOVE = "; remove one of them"


def test_a_duplicate_key_is_a_problem_and_the_last_value_counts() -> None:
    assert read("a: 1\nb:\n  c: 1\n  d: 2\n  c: 3\n", 10, "kubernetes") == (
        {"a": 1, "b": {"c": 3, "d": 2}},
        [(14, DUPLICATE.format("c", 12) + REMOVE)],
    )


def test_keys_that_become_equal_strings_are_duplicates() -> None:
    assert read("1: a\n'1': b\n", 1, "kubernetes") == ({"1": "b"}, [(2, DUPLICATE.format("1", 1) + REMOVE)])


def test_the_second_of_two_merge_keys_is_a_duplicate_for_gator_alone() -> None:
    text = f"{BASE}x:\n  <<: *base\n  <<: *other\n"
    assert value_of(text)["x"] == {"a": 1, "b": 3, "c": 4}
    assert read(text, 1, "gator")[1] == [(5, DUPLICATE.format("<<", 4) + REMOVE)]


def test_an_explicit_key_may_replace_a_merged_one_once() -> None:
    text = f"{BASE}x:\n  <<: *base\n  a: 5\n  a: 6\n"
    assert read(text, 1, "kubernetes")[1] == [(6, DUPLICATE.format("a", 5) + REMOVE)]


def test_a_missing_separator_is_one_problem_with_its_own_remedy() -> None:
    text = "apiVersion: v1\nkind: Pod\nspec:\n  a: 1\n  a: 2\napiVersion: v1\nkind: Pod\nspec: {}\n"
    assert sorted(read(text)[1]) == [
        (5, DUPLICATE.format("a", 4) + REMOVE),
        (6, DUPLICATE.format("apiVersion", 1) + "; put a line `---` between the two objects"),
    ]


def test_many_duplicate_keys_are_cut_short() -> None:
    text = "".join(f"k{number}: 1\n" for number in range(30)) * 2
    problems = read(text)[1]
    assert [line for line, _ in problems] == list(range(31, 41))
    assert problems[-1][1] == DUPLICATE.format("k9", 10) + " (20 more of these follow)" + REMOVE


@pytest.mark.parametrize("text", ["a: 1\n...\nb: 2\n", "{a: 1}\n# c\n{b: 2}\n", "{a: 1}\n\n]\n", "a: 1\n...\n@\n"])
def test_content_after_the_document_is_a_problem(text: str) -> None:
    problem = (3, "Kubernetes does not read what follows here; put a line `---` before it, or remove it")
    assert read(text) == ({"a": 1}, [problem])
    assert read(text, first=True) == ({"a": 1}, [])


@pytest.mark.parametrize("depth", [MAX_DEPTH, MAX_DEPTH + 1, 20_000])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ("{a: ", "}"), ("- ", "")])
def test_nesting_has_a_limit(opening: str, closing: str, depth: int) -> None:
    text = f"# deep\n{opening * depth}x{closing * depth}\n"
    if depth > MAX_DEPTH:
        assert broken(text) == (
            2,
            "nested deeper than 500 levels; reduce the nesting (`pullguard check` allows more with --max-depth)",
        )
    else:
        assert json.loads(json.dumps(value_of(text))) == value_of(text)


TOO_LARGE = (
    "aliases make the document too large; write the values out (`pullguard check` allows more with --max-aliased)"
)


def bomb(levels: int, width: int, inner: str = "x") -> str:
    lines = [f"a0: &a0 [{', '.join([inner] * width)}]"]
    lines += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * width)}]" for level in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("levels", "width", "fine"),  # as sigs.k8s.io/yaml decides
    [(2, 9, True), (3, 9, True), (4, 9, False), (9, 9, False), (2, 101, True), (2, 200, False), (2, 700, False)],
)
def test_alias_bombs_are_refused_where_kubernetes_refuses_them(levels: int, width: int, fine: bool) -> None:
    text = bomb(levels, width)
    if fine:
        assert list(value_of(text)) == [f"a{level}" for level in range(levels)]
    else:
        assert broken(text)[1] == TOO_LARGE


def test_few_aliases_of_something_very_long_are_refused_too() -> None:
    assert broken(bomb(2, 20, '"' + "x" * 50_000 + '"'))[1] == TOO_LARGE


def test_merging_a_bomb_is_refused() -> None:
    wide = "a: &a {" + ", ".join(f"k{number}: 1" for number in range(1000)) + "}\n"
    assert broken(wide + "".join(f"b{number}: {{<<: *a}}\n" for number in range(2000)))[1] == TOO_LARGE


LINES = """\
# a comment
kind: Pod
spec:
  containers:
  - &base
    name: a
    image: >-
      app:1
    imagePullPolicy: &policy
      Always
  -
    name: b
    imagePullPolicy: *policy
  - <<: *base
    name: c
  - {name: d,
     image: x}
  - *base
  "initContainers":
    - - z
"""


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ((), 2),
        (("kind",), 2),
        (("spec",), 3),
        (("spec", "containers"), 4),
        (("spec", "containers", 0), 5),
        (("spec", "containers", 0, "name"), 6),
        (("spec", "containers", 0, "image"), 7),
        (("spec", "containers", 0, "imagePullPolicy"), 9),
        (("spec", "containers", 1), 12),
        (("spec", "containers", 1, "imagePullPolicy"), 9),
        (("spec", "containers", 2), 14),
        (("spec", "containers", 2, "name"), 15),
        (("spec", "containers", 2, "image"), 7),
        (("spec", "containers", 2, "imagePullPolicy"), 9),
        (("spec", "containers", 3, "name"), 16),
        (("spec", "containers", 3, "image"), 17),
        (("spec", "containers", 4), 5),
        (("spec", "containers", 4, "name"), 6),
        (("spec", "initContainers", 0, 0), 20),
        (("spec", "containers", 1, "image"), 12),
        (("spec", "containers", 9, "image"), 4),
        (("spec", "containers", "name"), 4),
        (("kind", "deeper", 0), 2),
        (("nothing", "here"), 2),
        (("<<",), 2),
    ],
)
def test_lines(path: tuple[str | int, ...], where: int) -> None:
    assert line(LINES, *path) == where
    assert line(LINES, *path, first_line=1001) == where + 1000


def test_the_line_of_a_duplicate_key_is_that_of_the_last() -> None:
    assert line("a: {b: 1}\nc: 1\na:\n  b: 2\n", "a", "b") == 4


def test_lines_of_values_that_were_replaced_are_forgotten() -> None:
    text = "".join(f"a: {{b{number}: {{c: 1}}}}\n" for number in range(50)) + "d: {}\n"
    assert line(text, "d", "b1", "c") == 51
    assert line(text, "a", "b1", "c") == 50


@pytest.mark.parametrize("odd", ["\x85", "\u2028", "\u2029", "\r"])
def test_only_line_feeds_count_as_lines(odd: str) -> None:
    text = f'a: "x{odd}  y"\nb: 1\nc: [\n'
    assert line(text.removesuffix("c: [\n"), "b") == 2
    assert broken(text)[0] == 3


def test_lines_with_carriage_returns_and_characters_outside_the_bmp() -> None:
    assert line("a: \U0001f600\u2028\r\nb: 1\r\nc: 2\r\n", "c") == 3


PRINTABLE = st.characters(exclude_categories=["Cs", "Cc", "Cn"], include_characters="\n\t")
KEYS = st.text(string.ascii_lowercase, min_size=1, max_size=4)
SCALARS = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(PRINTABLE, max_size=12)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=20
)


@settings(deadline=None)
@given(VALUES)
def test_json_is_read_as_what_it_says(value: object) -> None:
    # YAML is a superset of JSON, but for escaped surrogate pairs: so nothing outside ASCII is escaped.
    text = json.dumps(value, ensure_ascii=False)
    if any(
        ord(character) == 0x7F or 0x80 <= ord(character) <= 0x9F or character in "\ufffe\uffff" for character in text
    ):
        return
    assert value_of(text) == value


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from(["kubernetes", "gator"]))
def test_any_text_gives_a_value_or_a_broken_document(text: str, dialect: Dialect) -> None:
    assert_reads(text, dialect)


PIECES = ["a", "b", "kind", "1", "0x1F", "1e3", ".5", "~", "null", "yes", ".inf", "2001-01-01", "=", "<<"]
PIECES += ["*a", "&a ", "*b", "&b ", "!!str ", "!!int ", "!!binary ", "!x ", '"q"', "'s'", "|", ">", "|-"]
PIECES += ["- ", "? ", ": ", ": ", ":", "#", "...", "---", "%", "@", "`", "é", "[", "]", "{", "}", ",", "{a: [1, 2,"]
PIECES += ["\n", "\n  ", "\n- ", " ", "\t", "\r\n", "\ufeff"]


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30),
    st.sampled_from(["kubernetes", "gator"]),
)
def test_anything_like_yaml_gives_a_value_or_a_broken_document(pieces: list[str], dialect: Dialect) -> None:
    assert_reads("".join(pieces), dialect)


def assert_reads(text: str, dialect: Dialect) -> None:
    """Either there is a value that JSON can hold, and every place in it has a line; or the document is broken."""
    last = text.count("\n") + 1 if "\n" in text else text.count("\r") + 1
    for found in read_documents(ENGINE, text, "f.yaml", dialect=dialect):
        if isinstance(found, InputError):
            assert found.line is not None
            assert 1 <= found.line <= last
        else:
            json.dumps(found.value, allow_nan=False)
            assert all(1 <= found.line_of(path) <= last for path in paths(found.value))


def paths(value: Any, prefix: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for key, child in entries for path in paths(child, (*prefix, key)))]
