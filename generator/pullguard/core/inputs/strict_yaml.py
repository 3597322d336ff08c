"""One YAML document -> one JSON value, by Kubernetes' rules (sigs.k8s.io/yaml) or gator's (go-yaml v3).

libyaml, through PyYAML, cuts the text into events; everything after that is done here: types of scalars, merge
keys, aliases, duplicate keys and limits. Nothing recurses, so no input is too deep for the interpreter.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from pullguard.core.errors import PullguardError
from pullguard.core.inputs import scalars
from pullguard.core.inputs.limits import DEFAULT_LIMITS, Limits
from pullguard.core.inputs.lines import LineTable
from pullguard.core.inputs.problems import (
    BrokenDocumentError,
    Duplicate,
    Problem,
    Reading,
    duplicate_problems,
    too_deep,
)
from pullguard.core.inputs.scalars import Dialect, Scalar

# go-yaml refuses documents of which too large a part comes from aliases: of 400,000 nodes 99 % may, of 4,000,000
# and more 10 %, and in between what lies between.
_FEW_ALIASED, _FEW_NODES = 100, 1000
_SMALL, _LARGE = 400_000, 4_000_000
_SMALL_RATIO, _LARGE_RATIO = 0.99, 0.10

# Line breaks for libyaml that are none for those who count lines by "\n".
_ODD_BREAK = re.compile("\r(?!\n)|[\x85\u2028\u2029]")
_NOT_YAML = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

_CORRECT = "correct the document"


def read(
    text: str, first_line: int, dialect: Dialect, *, alone: bool = True, limits: Limits = DEFAULT_LIMITS
) -> Reading:
    """Read a YAML document.

    Args:
        text: The document; what follows a line `...` or a complete flow collection is no part of it.
        first_line: The line of the file on which the text begins.
        dialect: Whose rules apply.
        alone: Whether content after the document is a problem; no reader of Kubernetes looks at it.
        limits: What is beyond them is an error.

    Raises:
        BrokenDocumentError: It is not YAML, or nothing that JSON can express, or beyond a limit.
    """
    composer = _Composer(text, first_line, dialect, None, limits)
    value, rest = composer.compose()
    if composer.duplicates:
        # Only a reading with lines knows where the first of two equal keys stands.
        composer = _Composer(text, first_line, dialect, LineTable(), limits)
        composer.compose()
    problems = duplicate_problems(composer.duplicates)
    if alone and rest is not None:
        problems += (
            Problem(rest, "Kubernetes does not read what follows here", "put a line `---` before it, or remove it"),
        )
    return Reading(value, problems)


def lines(text: str, first_line: int, dialect: Dialect, limits: Limits = DEFAULT_LIMITS) -> LineTable:
    """Return where the values of a document stand that `read` has read before."""
    table = LineTable()
    _Composer(text, first_line, dialect, table, limits).compose()
    return table


class _NoKey:
    """Stands for the key of a mapping that has not come yet."""


class _MergeKey:
    """Stands for the key `<<`."""


_NO_KEY: Final = _NoKey()
_MERGE: Final = _MergeKey()


@dataclass(slots=True)
class _Anchor:
    """A node with an anchor: its value and what an alias of it stands for, which is known when the node ends."""

    line: int
    value: Any = None
    nodes: int = 0
    characters: int = 0
    ended: bool = False


@dataclass(slots=True)
class _Open:
    """A list or a mapping that has not ended.

    Attributes:
        line: Where it begins; 0 while nobody wants lines.
        anchor: Its anchor, if it has one.
        nodes: How many nodes had come when it began.
        characters: How many characters had come when it began.
    """

    line: int = 0
    anchor: _Anchor | None = None
    nodes: int = 0
    characters: int = 0


@dataclass(slots=True)
class _OpenList(_Open):
    """A list that has not ended."""

    value: list[Any] = field(default_factory=list)


@dataclass(slots=True)
class _OpenMapping(_Open):
    """A mapping that has not ended.

    Attributes:
        value: The entries so far.
        key: The key whose value comes next.
        key_line: Where that key stands; 0 while nobody wants lines.
        merge_line: Where `<<` stands; 0 if it has not come.
        merged: Keys that came by merging, and may be set once more.
        merges: Mappings that are to be merged when this one ends.
    """

    value: dict[str, Any] = field(default_factory=dict)
    key: str | _NoKey | _MergeKey = _NO_KEY
    key_line: int = 0
    merge_line: int = 0
    merged: set[str] | None = None
    merges: list[dict[str, Any]] | None = None


class _Composer:
    """Builds one value from libyaml's events, once; with a table it notes the lines as well, and is slower."""

    def __init__(self, text: str, first_line: int, dialect: Dialect, table: LineTable | None, limits: Limits) -> None:
        self._limits = limits
        self.duplicates: list[Duplicate] = []
        self._text = text
        self._first_line = first_line
        self._dialect: Dialect = dialect
        self._table = table
        self._newlines: list[int] | None = None
        self._root: list[Any] = []
        self._open: _OpenList | _OpenMapping = _OpenList(value=self._root)
        self._stack: list[_OpenList | _OpenMapping] = []
        self._anchors: dict[str, _Anchor] = {}
        # As go-yaml counts: every node, aliases with all that they stand for, and the document itself.
        self._nodes = 1
        self._characters = 0
        self._aliased_nodes = 0
        self._aliased_characters = 0

    def compose(self) -> tuple[Any, int | None]:
        """Return the value and the line where content follows that is no part of the document, or None."""
        handlers: dict[type, Any] = {
            MappingStartEvent: self._start,
            SequenceStartEvent: self._start,
            MappingEndEvent: self._end,
            SequenceEndEvent: self._end,
            AliasEvent: self._alias,
        }
        rest = None
        ended = False
        try:
            next_event = _loader(self._text).get_event
            while (kind := type(event := next_event())) is not StreamEndEvent:
                if kind is ScalarEvent:
                    self._scalar(event)
                elif kind in handlers:
                    handlers[kind](event)
                elif kind is DocumentEndEvent:
                    ended = True
                elif ended and kind is DocumentStartEvent:
                    rest = self._line(event.start_mark)
                    break
        except yaml.YAMLError as error:
            broken = self._broken(error)
            if not ended:
                raise broken from error
            rest = broken.line
        except UnicodeEncodeError as error:
            raise self._not_text(error) from error
        value = self._root[0] if self._root else None
        if self._table is not None:
            self._table.root = value
            self._table.root_line = min(self._table.line_in(self._root, 0) or self._first_line, self._last_line())
        return value, rest

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        self._nodes += 1
        self._characters += len(text)
        value: Scalar = text
        if event.tag is not None:
            value = self._tagged(event)
        elif text[:1] in scalars.SPECIAL_STARTS and event.implicit[0]:
            value = scalars.plain(text, self._dialect)
        line = 0
        if event.anchor is not None or self._table is not None:
            line = self._line(event.start_mark)
        if event.anchor is not None:
            self._anchors[event.anchor] = _Anchor(line, value, 1, len(text), ended=True)
        parent = self._open
        if type(parent) is not _OpenMapping or parent.key is not _NO_KEY:
            self._add(self._number(value, event) if type(value) is float else value, line)
        elif text == "<<" and (event.implicit[0] or event.tag == scalars.MERGE_TAG):
            self._merge_key(parent, event)
        elif value is text and self._table is None and text not in parent.value:
            parent.key = text  # as _key would do; it is what nearly all scalars here are
        else:
            self._key(parent, value, event)

    def _tagged(self, event: Any) -> Scalar:
        try:
            return scalars.tagged(event.tag, event.value, self._dialect)
        except scalars.ScalarError as error:
            line = self._line(event.start_mark)
            raise BrokenDocumentError(str(error), line, "correct the value or remove the tag") from error

    def _number(self, value: float, event: Any) -> Scalar:
        number = scalars.as_value(value)
        if type(number) is str and self._dialect == "gator":
            line = self._line(event.start_mark)
            raise BrokenDocumentError(f"{number} is no number that JSON has", line, "put it in quotes")
        return number

    def _key(self, parent: _OpenMapping, value: Any, event: Any) -> None:
        key: str | None = None
        if self._dialect == "gator" and len(self._stack) == 1 and type(event) is ScalarEvent:
            # gator's outermost mapping takes the text of any scalar; deeper ones must have strings.
            key = event.value
        elif self._dialect == "kubernetes":
            key = scalars.as_key(value)
        elif type(value) is str:
            key = value
        if key is None:
            shown = event.value if type(event) is ScalarEvent and event.value else "an empty key"
            line = self._line(event.start_mark)
            raise BrokenDocumentError(f"{shown} cannot be a key of an object", line, "put it in quotes")
        if key in parent.value:
            if parent.merged is not None and key in parent.merged:
                parent.merged.discard(key)
            else:
                self._duplicate(parent, key, event)
        parent.key = key
        if self._table is not None:
            parent.key_line = self._line(event.start_mark)

    def _merge_key(self, parent: _OpenMapping, event: Any) -> None:
        line = self._line(event.start_mark)
        if parent.merge_line and self._dialect == "gator":
            self.duplicates.append(Duplicate("<<", line, parent.merge_line, at_top=False))
        parent.key = _MERGE
        parent.merge_line = line

    def _duplicate(self, parent: _OpenMapping, key: str, event: Any) -> None:
        first = self._table.line_in(parent.value, key) if self._table is not None else None
        line = self._line(event.start_mark)
        self.duplicates.append(Duplicate(key, line, first or line, at_top=len(self._stack) == 1))

    def _add(self, value: Any, line: int, *, aliased: bool = False) -> None:
        """Put a value into the container that is open: as its next item, or under the key that came before."""
        parent = self._open
        if type(parent) is _OpenMapping:
            key = parent.key
            parent.key = _NO_KEY
            if type(key) is not str:
                self._merge(parent, value)
                return
            parent.value[key] = value
            if self._table is not None:
                self._table.note(parent.value, key, line if aliased else parent.key_line)
        elif type(parent) is _OpenList:
            if self._table is not None:
                self._table.note(parent.value, len(parent.value), line)
            parent.value.append(value)

    def _start(self, event: Any) -> None:
        self._nodes += 1
        parent = self._open
        if type(parent) is _OpenMapping and parent.key is _NO_KEY:
            raise self._collection_as_key(event)
        if len(self._stack) >= self._limits.depth:
            raise too_deep(self._limits, self._line(event.start_mark))
        self._stack.append(parent)
        started = _OpenMapping() if type(event) is MappingStartEvent else _OpenList()
        if self._table is not None:
            started.line = self._line(event.start_mark)
            self._table.keep(started.value)
        if event.anchor is not None:
            started.anchor = _Anchor(self._line(event.start_mark))
            started.nodes, started.characters = self._nodes - 1, self._characters
            self._anchors[event.anchor] = started.anchor
        self._open = started

    def _end(self, _: Any) -> None:
        ended = self._open
        self._open = self._stack.pop()
        if type(ended) is _OpenMapping and ended.merges is not None:
            self._merge_last(ended.value, ended.merges)
        anchor = ended.anchor
        if anchor is not None:
            anchor.value, anchor.ended = ended.value, True
            anchor.nodes = self._nodes - ended.nodes
            anchor.characters = self._characters - ended.characters
        self._add(ended.value, ended.line)

    def _alias(self, event: Any) -> None:
        anchor = self._anchors.get(event.anchor)
        line = self._line(event.start_mark)
        if anchor is None:
            raise BrokenDocumentError(f"the alias *{event.anchor} has no anchor before it", line, _CORRECT)
        if not anchor.ended:
            raise BrokenDocumentError(f"the anchor &{event.anchor} contains itself", line, _CORRECT)
        self._nodes += 1 + anchor.nodes
        self._characters += anchor.characters
        self._aliased_nodes += anchor.nodes
        self._aliased_characters += anchor.characters
        if self._too_much_aliased():
            remedy = "write the values out (`pullguard check` allows more with --max-aliased)"
            raise BrokenDocumentError("aliases make the document too large", line, remedy)
        parent, value = self._open, anchor.value
        if type(parent) is not _OpenMapping or parent.key is not _NO_KEY:
            self._add(self._number(value, event) if type(value) is float else value, anchor.line, aliased=True)
        elif isinstance(value, dict | list):
            raise self._collection_as_key(event)
        else:
            self._key(parent, value, event)

    def _collection_as_key(self, event: Any) -> BrokenDocumentError:
        line = self._line(event.start_mark)
        return BrokenDocumentError("a mapping or a list cannot be a key", line, "put the key in quotes")

    def _too_much_aliased(self) -> bool:
        if self._aliased_characters > self._limits.aliased:
            return True
        if self._aliased_nodes <= _FEW_ALIASED or self._nodes <= _FEW_NODES:
            return False
        position = min(max((self._nodes - _SMALL) / (_LARGE - _SMALL), 0.0), 1.0)
        return self._aliased_nodes / self._nodes > _SMALL_RATIO - position * (_SMALL_RATIO - _LARGE_RATIO)

    def _merge(self, parent: _OpenMapping, value: Any) -> None:
        """Merge a mapping, or several of which the first counts most.

        go-yaml v2 merges where `<<` stands, so that it replaces what stands before it; v3 merges at the end, and
        replaces nothing. An alias of a list is taken for the list, which Go refuses and everybody else takes.
        """
        sources = value if isinstance(value, list) else [value]
        if not all(isinstance(source, dict) for source in sources):
            raise BrokenDocumentError(
                "`<<` takes a mapping or a list of mappings", parent.merge_line, "write its entries out"
            )
        if self._dialect == "gator":
            parent.merges = sources
            return
        if parent.merged is None:
            parent.merged = set()
        for source in reversed(sources):
            parent.merged.update(key for key in source if key not in parent.value)
            parent.value.update(source)
            self._note_merged(parent.value, source, source)

    def _merge_last(self, mapping: dict[str, Any], sources: list[dict[str, Any]]) -> None:
        for source in sources:
            new = {key: value for key, value in source.items() if key not in mapping}
            mapping.update(new)
            self._note_merged(mapping, source, new)

    def _note_merged(self, mapping: dict[str, Any], source: dict[str, Any], keys: dict[str, Any]) -> None:
        if self._table is not None:
            for key in keys:
                self._table.note(mapping, key, self._table.line_in(source, key) or self._first_line)

    def _line(self, mark: Any) -> int:
        """Return the line of a mark in the file."""
        if self._newlines is None:
            odd = _ODD_BREAK.search(self._text)
            self._newlines = [match.start() for match in re.finditer("\n", self._text)] if odd else []
        if self._newlines:
            return self._first_line + bisect_left(self._newlines, mark.index)
        return self._first_line + int(mark.line)

    def _last_line(self) -> int:
        """Return the last line that has anything on it: what libyaml sees at the end is seen there."""
        return self._first_line + self._text.rstrip().count("\n")

    def _broken(self, error: yaml.YAMLError) -> BrokenDocumentError:
        if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
            return self._not_text(error)
        line = min(self._line(error.problem_mark), self._last_line())
        problem = error.problem or "it cannot be parsed"
        if error.context:
            problem += f" {error.context}"
            begin = line if error.context_mark is None else self._line(error.context_mark)
            problem += f" that begins on line {begin}" if begin < line else ""
        tab = self._text[error.problem_mark.index : error.problem_mark.index + 1] == "\t"
        remedy = "indent with spaces, not with tabs" if tab else _CORRECT
        return BrokenDocumentError(f"not valid YAML: {problem}", line, remedy)

    def _not_text(self, error: Exception) -> BrokenDocumentError:
        """Return what libyaml's error about a character means; it gives no line."""
        found = _NOT_YAML.search(self._text)
        if found is None:
            return BrokenDocumentError(f"not valid YAML: {error}", self._first_line, _CORRECT)
        line = self._first_line + self._text.count("\n", 0, found.start())
        if found[0] == "\0":
            return BrokenDocumentError(
                "a NUL byte: the file is damaged, or no text in UTF-8", line, "remove it, or save the file as UTF-8"
            )
        return BrokenDocumentError(f"the character U+{ord(found[0]):04X}, which YAML does not have", line, "remove it")


def _loader(text: str) -> Any:
    if not yaml.__with_libyaml__:
        raise PullguardError(
            "PyYAML was installed without libyaml, which pullguard reads YAML with",
            remedy="install a PyYAML wheel, or install libyaml's headers and build PyYAML again",
        )
    return yaml.CBaseLoader(text)
