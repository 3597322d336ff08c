"""The bytes of a file -> its documents: encodings, Kubernetes' splitting, JSON streams."""

import codecs
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Literal

from pullguard.core.inputs import json_documents, strict_yaml
from pullguard.core.inputs.limits import DEFAULT_LIMITS, Limits
from pullguard.core.inputs.lines import LineTable
from pullguard.core.inputs.problems import BrokenDocumentError, InputError, Problem, Reading
from pullguard.core.inputs.scalars import Dialect

_BOM = "\ufeff"
_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_SEPARATOR = re.compile(r"^---([^\n]*)\n?", re.MULTILINE)
# What may stand before the first separator and is no document.
_PREAMBLE = re.compile(r"(?:(?:[ \t\r]*(?:#[^\n]*)?|%[^\n]*)(?:\n|\Z))*")
_DIRECTIVES = re.compile(r"(?:[ \t\r]*(?:#[^\n]*)?\n)*(%[^\n]*)")
_LOOKS_LIKE_FLOW = re.compile(r"\s*\{")
_LOOKS_LIKE_JSON = re.compile(r'\s*\{\s*["}]')
_NEXT_JSON = re.compile(r"^(?:\{|---)", re.MULTILINE)
_BLANK = " \t\r\n"
_BLANKS = re.compile(r"[ \t\r\n]*")

_TEMPLATE = re.compile(r"\{\{|\{%")
_JINJA = (".j2", ".jinja", ".jinja2")
_TEMPLATES = "templates"  # the folder of a chart that holds them


@dataclass(slots=True, eq=False)
class Source:
    """The text of one document, from which lines are found when somebody asks for one.

    Attributes:
        text: The document.
        first_line: The line of the file on which the text begins.
        format: "json", or the dialect of YAML.
        limits: Those that it was read with.
        offset: Where the text begins in that of its file, which counts without a byte order mark.
    """

    text: str
    first_line: int
    format: Dialect | Literal["json"]
    limits: Limits = DEFAULT_LIMITS
    offset: int = 0
    _table: LineTable | None = field(default=None, init=False)

    def line(self, path: Sequence[str | int]) -> int:
        """Return the 1-based line at a path of keys and indices."""
        if self._table is None:
            if self.format == "json":
                self._table = json_documents.lines(self.text, self.first_line)
            else:
                self._table = strict_yaml.lines(self.text, self.first_line, self.format, self.limits)
        return self._table.find(path)


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file.

    Attributes:
        file: The file as it is shown to users.
        index: 0-based place in the file.
        value: Its value as JSON has it, None for an empty document. Not to be changed: aliases share values.
        source: Its text.
    """

    file: str
    index: int
    value: Any
    source: Source = field(repr=False, compare=False)

    @property
    def line(self) -> int:
        """The 1-based line on which the value begins."""
        return self.line_of(())

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the 1-based line of the value at a path of keys and indices.

        An entry of a mapping stands where its key stands, an alias where its anchor stands; a path that does not
        exist has the line of its deepest ancestor that does.
        """
        return self.source.line(path)


def encoding_of(data: bytes) -> str:
    """Return the name of the encoding of a file: UTF-8, or UTF-16 if its byte order mark says so."""
    return _UTF16.get(data[:2], "utf-8")


def decode(file: str, data: bytes, first_line: int = 1) -> tuple[str, InputError | None]:
    """Return the text of a file, or of the part of it that begins on a line, in the encoding that is its own.

    Bytes that are no text in that encoding are replaced, and are an error; the first of them gives the line.
    """
    encoding = encoding_of(data) if first_line == 1 else "utf-8"
    error = None
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as problem:
        line = data[: problem.start].decode(encoding, "replace").count("\n") + first_line
        message = (
            f"a byte that is not {encoding.upper()}; save the file as UTF-8 (the byte was replaced, the rest read)"
        )
        error = InputError(file, line, None, message)
        text = data.decode(encoding, "replace")
    return text, error


def read_documents(
    file: str, text: str, dialect: Dialect = "kubernetes", limits: Limits = DEFAULT_LIMITS
) -> Iterator[Document | InputError]:
    """Read the documents of a file's text, one after the other.

    A document that cannot be read is an InputError, and so is what Kubernetes would refuse in one that can; the
    latter comes before the document. Documents are counted as YAML counts them: each line that begins with `---`
    begins one, and what stands before the first of them is one unless it is blank or comments.
    """
    text = _normal(text)
    if dialect == "kubernetes" and (_LOOKS_LIKE_FLOW.match(text) or file.lower().endswith(".json")):
        yield from _json_stream(file, json_documents.replace_lone_surrogates(text), _Place(0, 1, 0), limits)
    else:
        yield from _yaml_stream(file, text, _Place(0, 1, 0), dialect, limits)


def read_rest(
    file: str, text: str, first_line: int, index: int, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Document | InputError]:
    """Read the documents of a file's text from the one with an index on, which begins on a line."""
    if index == 0 and first_line == 1:
        yield from read_documents(file, text, limits=limits)
    elif text.startswith("---"):
        yield from _yaml_stream(file, text, _Place(0, first_line, index), "kubernetes", limits)
    else:
        yield from _json_stream(
            file, json_documents.replace_lone_surrogates(text), _Place(0, first_line, index), limits
        )


def read_one(
    file: str,
    text: str,
    first_line: int,
    index: int,
    limits: Limits = DEFAULT_LIMITS,
    *,
    dialect: Dialect = "kubernetes",
    end: int | None = None,
) -> Iterator[Document | InputError]:
    """Read one YAML document of a file, which begins on a line and ends at a place in the file's text."""
    if len(text) > limits.document:
        yield too_large(file, first_line, index)
        return
    document = text.removeprefix(_BOM)
    source = Source(document, first_line, dialect, limits, 0 if end is None else end - len(document))
    try:
        reading = strict_yaml.read(source.text, first_line, dialect, limits=limits)
    except BrokenDocumentError as error:
        yield _error(file, index, source.text, error)
    else:
        yield from _read_well(file, index, reading, source)


def read_document(file: str, text: str, first_line: int, dialect: Dialect) -> Document | InputError:
    """Read the first YAML document of a text, and nothing after it, as Go's yaml.Unmarshal does.

    The first problem, if there is one, is the answer.
    """
    text = _normal(text)
    try:
        reading = strict_yaml.read(text, first_line, dialect, alone=False)
    except BrokenDocumentError as error:
        return _error(file, 0, text, error)
    for problem in reading.problems:
        return _error(file, 0, text, problem)
    return Document(file, 0, reading.value, Source(text, first_line, dialect))


def too_large(file: str, line: int, index: int) -> InputError:
    """Return the error of a document that is larger than allowed."""
    message = "the document is too large to be read; split it (`pullguard check` allows more with --max-document)"
    return InputError(file, line, index, message)


def _normal(text: str) -> str:
    """Return the text without a byte order mark, and with line feeds where carriage returns alone end lines."""
    text = text.removeprefix(_BOM)
    return text.replace("\r", "\n") if "\r" in text and "\n" not in text else text


@dataclass(frozen=True, slots=True)
class _Place:
    """A place in a file: offset in its text, line, and the number of the document that begins there."""

    offset: int
    line: int
    index: int

    def moved(self, text: str, offset: int, documents: int) -> "_Place":
        return _Place(offset, self.line + text.count("\n", self.offset, offset), self.index + documents)


def _json_stream(file: str, text: str, place: _Place, limits: Limits) -> Iterator[Document | InputError]:
    """Read JSON values that follow each other; from the first separator on, the rest is YAML.

    A first value that is YAML but not JSON makes all of it YAML, as for kubectl.
    """
    place = _skip_blanks(text, place)
    while place.offset < len(text):
        if text.startswith(("---", "#"), place.offset):
            yield from _yaml_stream(file, text, place, "kubernetes", limits)
            return
        try:
            reading, end = json_documents.read(text, place.offset, place.line, limits)
        except BrokenDocumentError as error:
            if place.index == 0 and not _is_broken_json(file, text):
                yield from _yaml_stream(file, text, place, "kubernetes", limits)
                return
            following = _NEXT_JSON.search(text, place.offset + 1)
            end = following.start() if following else len(text)
            yield _error(file, place.index, text[place.offset : end], error)
        else:
            source = Source(text[place.offset : end], place.line, "json", limits, place.offset)
            yield from _read_well(file, place.index, reading, source)
        place = _skip_blanks(text, place.moved(text, end, 1))


def _is_broken_json(file: str, text: str) -> bool:
    """Tell whether a text whose first value is not JSON is meant to be JSON and is not YAML either."""
    if not file.lower().endswith(".json") and not _LOOKS_LIKE_JSON.match(text):
        return False
    separator = _SEPARATOR.search(text)
    try:
        strict_yaml.read(text[: separator.start()] if separator else text, 1, "kubernetes")
    except BrokenDocumentError:
        return True
    return False


def _skip_blanks(text: str, place: _Place) -> _Place:
    blanks = _BLANKS.match(text, place.offset)
    return place if blanks is None else place.moved(text, blanks.end(), 0)


def _yaml_stream(
    file: str, text: str, place: _Place, dialect: Dialect, limits: Limits
) -> Iterator[Document | InputError]:
    """Read what stands between separators."""
    directive = _DIRECTIVES.match(text, place.offset)
    if directive is not None:
        line = place.moved(text, directive.start(1), 0).line
        problem = Problem(line, "Kubernetes does not read YAML directives", "remove the line")
        yield _error(file, place.index, "", problem)
    for begin, end, separator_line in _split(text, place):
        if separator_line is not None:
            problem = Problem(
                separator_line,
                "nothing but a comment may follow `---` on its line",
                "put what follows on a line of its own",
            )
            yield _error(file, begin.index, "", problem)
        yield from read_one(file, text[begin.offset : end], begin.line, begin.index, limits, dialect=dialect, end=end)


def _split(text: str, place: _Place) -> Iterator[tuple[_Place, int, int | None]]:
    """Yield where each document begins and ends.

    The third value is the line of its separator, if more stands on it than Kubernetes allows. Then the document
    begins on that line if YAML has it so.
    """
    begun = False
    separator_line = None
    for separator in chain(_SEPARATOR.finditer(text, place.offset), [None]):
        end = len(text) if separator is None else separator.start()
        if begun:
            # What a separator at the very end begins is nothing.
            is_document = separator is not None or bool(text[place.offset : end].strip(_BLANK))
        else:
            is_document = _PREAMBLE.fullmatch(text, place.offset, end) is None
        if is_document or separator_line is not None:
            yield place, end, separator_line
        if separator is not None:
            begun = True
            rest = separator[1].strip()
            place = place.moved(text, separator.start(), int(is_document))
            separator_line = place.line if rest and rest[0] != "#" else None
            if separator_line is None or separator[1][0] not in _BLANK:
                place = place.moved(text, separator.end(), 0)


def _read_well(file: str, index: int, reading: Reading, source: Source) -> Iterator[Document | InputError]:
    for problem in reading.problems:
        yield _error(file, index, source.text, problem)
    yield Document(file, index, reading.value, source)


def _error(file: str, index: int, text: str, problem: Problem | BrokenDocumentError) -> InputError:
    if isinstance(problem, BrokenDocumentError) and _TEMPLATE.search(text):
        message = f"not rendered: looks like a template ({problem.message}); render it first: `{rendering(file)}`"
    else:
        message = f"{problem.message}; {problem.remedy}"
    return InputError(file, problem.line, index, message)


def rendering(file: str) -> str:
    """Return the command that renders a template and checks what comes out.

    Charts are known by their folders, templates of Jinja by what their names end with.
    """
    if file.lower().endswith(_JINJA):
        return f"jinja2 {shlex.quote(file)} VALUES | pullguard check -"
    chart, found, _ = file.rpartition(f"/{_TEMPLATES}/")
    if not found:
        chart = "." if file.startswith(f"{_TEMPLATES}/") else "CHART"
    return f"helm template {shlex.quote(chart)} | pullguard check -"
