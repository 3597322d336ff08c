"""Files' bytes into documents: encodings, separators, JSON streams, templates, and the functions for small files."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.files import File
from pullguard.core.inputs.problems import InputError, rendering
from pullguard.engine.documents import Document, load_document, load_documents, read_documents
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

RENDER = "; render it first: `helm template CHART | pullguard check -`"
SEPARATOR = "nothing but a comment may follow `---` on its line; put what follows on a line of its own"
MORE = "Kubernetes does not read what follows here; put a line `---` before it, or remove it"


def read(text: str, file: str = "f.yaml") -> list[tuple[int, Any] | InputError]:
    """Return what a text holds: (index, value) of each document, and the errors between them."""
    return [
        (found.index, found.value) if isinstance(found, Document) else found
        for found in read_documents(ENGINE, text, file)
    ]


def error(line: int, document: int | None, message: str, file: str = "f.yaml") -> InputError:
    return InputError(file, line, document, message, is_template=message.startswith("not rendered"))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("", []),
        ("\n\n", []),
        ("# only a comment\n", []),
        ("a: 1", [{"a": 1}]),
        ("---\na: 1\n", [{"a": 1}]),
        ("# c\n\n--- # c\na: 1\n", [{"a": 1}]),
        ("a: 1\n---\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---\n", [{"a": 1}]),
        ("a: 1\n---", [{"a": 1}]),
        ("---\n---\na: 1\n", [None, {"a": 1}]),
        ("---\n# c\n--- # second\na: 1\n---\n\n---\nb: 2\n...\n", [None, {"a": 1}, None, {"b": 2}]),
        ("a: 1\n---   \t\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\n---# c\nb: 2\n", [{"a": 1}, {"b": 2}]),
        ("a: |\n  x\n  ---\n  y\n---\nb: 2\n", [{"a": "x\n---\ny\n"}, {"b": 2}]),
        ("a: 1\r\n---\r\nb: 2\r\n", [{"a": 1}, {"b": 2}]),
        ("a: 1\r---\rb: 2\r", [{"a": 1}, {"b": 2}]),
        ("\ufeffa: 1\n---\n\ufeffb: 2\n", [{"a": 1}, {"b": 2}]),
        ("- a\n---\nhello\n---\n42\n---\nnull\n---\na: 1\n", [["a"], "hello", 42, None, {"a": 1}]),
        ("{a: b}\n", [{"a": "b"}]),
        ("{a: b}\n---\n{c: d}\n", [{"a": "b"}, {"c": "d"}]),
    ],
)
def test_documents_and_their_numbers(text: str, values: list[object]) -> None:
    assert read(text) == list(enumerate(values))


def test_dashes_at_the_margin_end_a_block_scalar_as_they_do_for_kubernetes() -> None:
    assert read("a: |\n---\nb: 2\n") == [(0, {"a": ""}), (1, {"b": 2})]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("--- {a: 1}\n", [error(1, 0, SEPARATOR), (0, {"a": 1})]),
        ("a: 1\n--- {b: 2}\n---\nc: 3\n", [(0, {"a": 1}), error(2, 1, SEPARATOR), (1, {"b": 2}), (2, {"c": 3})]),
        ("a: 1\n---b: 2\nc: 3\n", [(0, {"a": 1}), error(2, 1, SEPARATOR), (1, {"c": 3})]),
        ("a: 1\n------\nc: 3\n", [(0, {"a": 1}), error(2, 1, SEPARATOR), (1, {"c": 3})]),
        ("a: 1\n-----BEGIN", [(0, {"a": 1}), error(2, 1, SEPARATOR), (1, None)]),
    ],
)
def test_separators_that_kubernetes_refuses(text: str, expected: list[object]) -> None:
    assert read(text) == expected


def test_directives_are_refused_and_the_document_is_read() -> None:
    message = "Kubernetes does not read YAML directives; remove the line"
    assert read("# c\n%YAML 1.1\n---\na: 1\n---\nb: 2\n") == [error(2, 0, message), (0, {"a": 1}), (1, {"b": 2})]


def test_one_broken_document_does_not_hide_the_others() -> None:
    broken = "not valid YAML: did not find expected node content; correct the document"
    assert read("a: 1\n---\nb: [\n---\nc: 3\n") == [(0, {"a": 1}), error(3, 1, broken), (2, {"c": 3})]


def test_problems_come_before_their_document() -> None:
    found = read("a: 1\n---\nb: 1\nb: 2\n...\nc: 3\n")
    assert found == [
        (0, {"a": 1}),
        error(
            4,
            1,
            'the key "b" occurs twice in one mapping, first on line 3: the last value counts, '
            "and Kubernetes' strict decoding refuses the object; remove one of them",
        ),
        error(6, 1, MORE),
        (1, {"b": 2}),
    ]


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: {{ .Values.a }}\n", 1, "a mapping or a list cannot be a key"),
        (
            "{{- if .Values.a }}\na: 1\n{{- end }}\n",
            1,
            "not valid YAML: did not find expected node content",
        ),
        (
            "a:\n  {{- range .x }}\n  - b\n  {{- end }}\n",
            2,
            "not valid YAML: did not find expected node content",
        ),
    ],
)
def test_templates_are_recognised(text: str, line: int, problem: str) -> None:
    message = f"not rendered: looks like a template ({problem}){RENDER}"
    assert read(f"{text}---\nb: 2\n") == [error(line, 0, message), (1, {"b": 2})]


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("charts/web/templates/a.yaml", "helm template charts/web | pullguard check -"),
        ("templates/a.yaml", "helm template . | pullguard check -"),
        ("a.yaml", "helm template CHART | pullguard check -"),
        ("roles/dns/templates/a b.yaml.j2", "jinja2 'roles/dns/templates/a b.yaml.j2' VALUES | pullguard check -"),
        ("a.JINJA2", "jinja2 a.JINJA2 VALUES | pullguard check -"),
        ("templates/a.yaml.tmpl", "RENDER templates/a.yaml.tmpl | pullguard check -"),
    ],
)
def test_how_a_template_is_rendered(file: str, command: str) -> None:
    assert rendering(file) == command


def test_a_template_that_is_yaml_is_read_as_it_is() -> None:
    assert read('a: "{{ .Values.a }}"\n') == [(0, {"a": "{{ .Values.a }}"})]


def bytes_of(data: bytes) -> tuple[list[object], list[InputError]]:
    """Return the names of objects in a file of these bytes, and what is wrong with it."""
    found = list(Inputs(ENGINE, [File("f", data)]))
    objects = [entry.object.get("name") for entry in found if not isinstance(entry, InputError)]
    return objects, [entry for entry in found if isinstance(entry, InputError)]


TEXT = "kind: A\nname: é\U0001f600\n"


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (TEXT.encode(), ["é\U0001f600"]),
        (TEXT.encode("utf-8-sig"), ["é\U0001f600"]),
        (b"\xff\xfe" + TEXT.encode("utf-16-le"), ["é\U0001f600"]),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), ["é\U0001f600"]),
        (b"", []),
    ],
)
def test_encodings(data: bytes, names: list[object]) -> None:
    assert bytes_of(data) == (names, [])


@pytest.mark.parametrize(
    ("data", "names", "line", "encoding"),
    [
        (b"kind: A\nname: caf\xe9\n", ["caf\ufffd"], 2, "UTF-8"),
        (b"kind: \xff\nname: \xff\n", ["\ufffd"], 1, "UTF-8"),
        (b"\xff\xfe" + "kind: A\nname: ".encode("utf-16-le") + b"a\x00 \x00#\x00b", ["a"], 2, "UTF-16-LE"),
        (b"\xfe\xff" + "kind: A\nname: ".encode("utf-16-be") + b"\xd8\x00\x00b", ["\ufffdb"], 2, "UTF-16-BE"),
    ],
)
def test_bytes_that_are_no_text_are_replaced(data: bytes, names: list[object], line: int, encoding: str) -> None:
    message = f"a byte that is not {encoding}; save the file as UTF-8 (the byte was replaced, and the rest was read)"
    objects, errors = bytes_of(data)
    assert errors[0] == InputError("f", line, None, message)
    assert objects == names


def test_a_nul_byte_breaks_its_document_alone() -> None:
    message = "a NUL byte: the file is damaged, or is not UTF-8 text; remove it, or save the file as UTF-8"
    assert read("a: 1\n---\nb: \0\n---\nc: 3\n") == [(0, {"a": 1}), error(3, 1, message), (2, {"c": 3})]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": 1}', [{"a": 1}]),
        (' \n{"a": 1}{"b": 2}\n\n {"c": 3}\n', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}\n---\n{"b": 2}\n---\nc: 3\n', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}\n{"b": 2}\n---\nc: 3\n', [{"a": 1}, {"b": 2}, {"c": 3}]),
        ('{"a": 1}\n# c\n', [{"a": 1}]),
        ('{"a": 1} null [2]', [{"a": 1}, None, [2]]),
        ('{"a": 1.0, "b": 1e3, "c": -0, "d": 1e999}', [{"a": 1.0, "b": 1000.0, "c": 0, "d": "1e999"}]),
        ('{"a": %s}' % ("7" * 5000), [{"a": "7" * 5000}]),
        ('{"a": 10000000000000000000000}', [{"a": 10**22}]),
        (r'{"a": "\ud83d\ude00\/\t", "\ud800": "\udc00\ud800x"}', [{"a": "\U0001f600/\t", "\ufffd": "\ufffd\ufffdx"}]),
        ('{"a": yes, b: [1,],}\n', [{"a": True, "b": [1]}]),
        ('{"a": 1,}\n---\nb: 2\n', [{"a": 1}, {"b": 2}]),
    ],
)
def test_json_streams(text: str, values: list[object]) -> None:
    assert read(text) == list(enumerate(values))


@pytest.mark.parametrize(
    ("text", "values"), [('["a", 1]', [["a", 1]]), ("12", [12]), ('"a" "b"', ["a", "b"]), ("a: 1", [{"a": 1}])]
)
def test_a_name_that_says_json_is_believed_first(text: str, values: list[object]) -> None:
    assert read(text, "f.JSON") == list(enumerate(values))


@pytest.mark.parametrize(
    ("text", "file", "expected"),
    [
        (
            '{"a": 1}\n{"b": 2,,\n "x": {}}\n{"c": 3}\n',
            "f.yaml",
            [
                (0, {"a": 1}),
                error(
                    2,
                    1,
                    "not valid JSON: invalid character ',' looking for beginning of object key string; "
                    "correct the document",
                ),
                (2, {"c": 3}),
            ],
        ),
        (
            '{"a": 1\n "b": 2}\n---\nc: 3\n',
            "f.yaml",
            [
                error(2, 0, "not valid JSON: invalid character '\"' after object key:value pair; correct the document"),
                (1, {"c": 3}),
            ],
        ),
        (
            '{"a":\n  [1}\n',
            "f.json",
            [error(2, 0, "not valid JSON: invalid character '}' after array element; correct the document", "f.json")],
        ),
        (
            '{"a": 1} x\n',
            "f.yaml",
            [
                (0, {"a": 1}),
                error(
                    1, 1, "not valid JSON: invalid character 'x' looking for beginning of value; correct the document"
                ),
            ],
        ),
        (
            '{"a": 1}\n{"b": NaN}\n',
            "f.yaml",
            [
                (0, {"a": 1}),
                error(
                    2, 1, "not valid JSON: invalid character 'N' looking for beginning of value; correct the document"
                ),
            ],
        ),
        (
            '{"a": 1}\n{"b": {{ .Values.b }}}\n',
            "f.yaml",
            [
                (0, {"a": 1}),
                error(
                    2,
                    1,
                    "not rendered: looks like a template "
                    f"(not valid JSON: invalid character '{{' looking for beginning of object key string){RENDER}",
                ),
            ],
        ),
        (
            "{a: b\n",
            "f.yaml",
            [
                error(
                    1,
                    0,
                    "not valid YAML: did not find expected ',' or '}'; correct the document",
                )
            ],
        ),
    ],
)
def test_broken_json(text: str, file: str, expected: list[object]) -> None:
    assert read(text, file) == expected


def test_duplicate_keys_of_json() -> None:
    text = '{"x": 0}\n{"a": 1,\n "b": {"c": 1,\n  "c": 2},\n "a": {"d": 3}}\n'
    template = (
        'the key "{}" occurs twice in one mapping, first on line {}: the last value counts, '
        "and Kubernetes' strict decoding refuses the object; remove one of them"
    )
    assert read(text) == [
        (0, {"x": 0}),
        error(4, 1, template.format("c", 3)),
        error(5, 1, template.format("a", 2)),
        (1, {"a": {"d": 3}, "b": {"c": 2}}),
    ]


@pytest.mark.parametrize("opening", ["[", '{"a": '])
@pytest.mark.parametrize("depth", [500, 501, 900, 20_000])
def test_nesting_of_json_has_a_limit(opening: str, depth: int) -> None:
    closing = "]" if opening == "[" else "}"
    text = '{"x": 0}\n' + opening * depth + "1" + closing * depth + '\n{"y": 0}\n'
    first, second, third = read(text)
    assert (first, third) == ((0, {"x": 0}), (2, {"y": 0}))
    if depth > 500:
        assert second == error(
            2, 1, "nested deeper than 500 levels; reduce the nesting (`pullguard check` allows more with --max-depth)"
        )
    else:
        assert second == (1, json.loads(opening * depth + "1" + closing * depth))


def test_many_containers_that_are_not_deep_are_fine() -> None:
    text = json.dumps([[[]] * 600])
    assert read(text, "f.json") == [(0, [[[]] * 600])]


JSON_LINES = """

{"kind": "Pod", "spec":
  {
    "containers": [
      {"name": "a\\"{", "image":
         "b"},
      [1, {"x\\n": []}
      ]
    ]
  }, "kind2": {}}
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 3),
        (("kind",), 3),
        (("spec", "containers"), 5),
        (("spec", "containers", 0), 6),
        (("spec", "containers", 0, "image"), 6),
        (("spec", "containers", 1), 8),
        (("spec", "containers", 1, 1, "x\n"), 8),
        (("kind2", "none"), 11),
        (("spec", "containers", 0, "none"), 6),
        (("none",), 3),
    ],
)
def test_lines_of_json(path: tuple[str | int, ...], line: int) -> None:
    (document,) = read_documents(ENGINE, JSON_LINES, "f.json")
    assert isinstance(document, Document)
    assert document.line_of(path) == line
    assert document.line == 3


def nested(keys: list[int]) -> dict[str, Any]:
    """Return a mapping with a key of its own on every level, and lists between them."""
    value: dict[str, Any] = {}
    for number in keys:
        value = {f"k{number}": [value, number], f"l{number}": "x\ny"}
    return value


@settings(deadline=None)
@given(st.lists(st.integers(0, 99), min_size=1, max_size=8, unique=True), st.sampled_from(["f.json", "f.yaml"]))
def test_every_key_is_found_on_the_line_where_it_stands(keys: list[int], file: str) -> None:
    # A comment on the first line makes the text YAML that is not JSON.
    text = ("# c\n" if file == "f.yaml" else "\n") + json.dumps(nested(keys), indent=1)
    (document,) = read_documents(ENGINE, text, file)
    assert isinstance(document, Document)
    path: list[str | int] = []
    for number in reversed(keys):
        for key in (f"k{number}", f"l{number}"):
            expected = next(place for place, line in enumerate(text.split("\n"), 1) if f'"{key}"' in line)
            assert document.line_of([*path, key]) == expected
        path += [f"k{number}", 0]


@settings(deadline=None)
@given(st.text(max_size=80), st.sampled_from(["f.yaml", "f.json"]))
def test_any_text_gives_documents_or_errors(text: str, file: str) -> None:
    assert_counted(text, file)


PARTS = [
    '{"a": 1}',
    '{"a": [',
    '{"a"',
    "{a: b}",
    "{{ x }}",
    "]}",
    "a: 1",
    "- b",
    "---",
    "\n---\n",
    "--- x",
    "# c",
    "%Y",
]
PARTS += ["\n", "\n", "\n", " ", "\r\n", "\t", "...", '"\\ud800"', "NaN", "|", "\n  x", ",", "\0", "\ufeff", "é"]


@settings(deadline=None)
@given(st.lists(st.sampled_from(PARTS), max_size=20), st.sampled_from(["f.yaml", "f.json"]))
def test_any_parts_give_documents_or_errors(parts: list[str], file: str) -> None:
    assert_counted("".join(parts), file)


def assert_counted(text: str, file: str) -> None:
    """Documents come in order, none is lost without an error, and every line is one of the text."""
    last = text.count("\n") + 1 if "\n" in text else text.count("\r") + 1
    numbers = []
    for found in read_documents(ENGINE, text, file):
        number = found.index if isinstance(found, Document) else found.document
        line = found.line
        assert number is not None
        assert line is not None
        assert 1 <= line <= last
        numbers.append(number)
    assert sorted(numbers) == numbers
    assert set(numbers) == set(range(len(set(numbers))))


def test_small_files_give_documents_with_lines() -> None:
    first, second = load_documents(ENGINE, "a: on\n---\n# c\nb:\n  d: 2001-01-01\n", "f", dialect="kubernetes")
    assert (first.value, first.index, first.line) == ({"a": True}, 0, 1)
    assert (second.value, second.index, second.line) == ({"b": {"d": "2001-01-01"}}, 1, 4)
    assert second.line_of(("b", "d")) == 5
    first, second = load_documents(ENGINE, "a: on\n---\n# c\nb:\n  d: 2001-01-01\n", "f", dialect="gator")
    assert (first.value, second.value) == ({"a": "on"}, {"b": {"d": "2001-01-01T00:00:00Z"}})
    assert second.line_of(("b", "d", "none")) == 5


def test_an_empty_small_file_has_no_documents() -> None:
    assert load_documents(ENGINE, "# nothing\n", "f", dialect="kubernetes") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\n---\nb: [\n",
            "f:3: not valid YAML: did not find expected node content; correct the document",
        ),
        (
            "a: 1\nb:\n b: 1\n b: 2\n",
            (
                'f:4: the key "b" occurs twice in one mapping, first on line 3: the last value counts, '
                "and Kubernetes' strict decoding refuses the object; remove one of them"
            ),
        ),
        ("a: 1\n...\nb: 1\n", f"f:3: {MORE}"),
    ],
)
def test_a_broken_small_file_raises(text: str, message: str) -> None:
    with pytest.raises(PullguardError) as raised:
        load_documents(ENGINE, text, "f", dialect="gator")
    assert str(raised.value) == message


def test_one_document_is_the_first_and_nothing_after_it_is_read() -> None:
    document = load_document(ENGINE, "\ufeff# c\n---\na: on\n---\nb: [\n", "f", 10, dialect="gator")
    assert (document.value, document.line, document.line_of(("a",))) == ({"a": "on"}, 12, 12)


def test_one_broken_document_raises_with_its_line_in_the_file() -> None:
    with pytest.raises(PullguardError) as raised:
        load_document(ENGINE, "a: 1\na: 2\n", "f", 10, dialect="kubernetes")
    assert (raised.value.file, raised.value.line) == ("f", 11)
