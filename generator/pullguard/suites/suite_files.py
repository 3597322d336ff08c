"""Gatekeeper's Suites, and the files that they name, read by gator's rules."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.schema_errors import dotted
from pullguard.core.text_files import read_text
from pullguard.core.tree_files import read_inside
from pullguard.engine.documents import Document, load_document
from pullguard.engine.protocol import Engine

_GROUP, _KIND = "test.gatekeeper.sh", "Suite"
_SUFFIXES = (".yaml", ".yml")
_BOM = "\ufeff"
_MAX_INT32 = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Assertion:
    """What must be true of the violations of a case.

    Attributes:
        violations: How many match: a number, "yes" for at least one, "no" for none; other strings are mistakes.
        message: The RE2 expression that a violation's message has to match to be counted; None counts all.
    """

    violations: int | str
    message: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """One object and what is expected of it; paths are as the Suite states them."""

    name: str
    object: str
    inventory: tuple[str, ...]
    assertions: tuple[Assertion, ...]
    skip: bool


@dataclass(frozen=True, slots=True)
class Test:
    """A template and a constraint with their cases; ``invalid`` expects that the schema refuses the constraint."""

    # pytest collects classes whose name begins with Test.
    __test__ = False

    name: str
    template: str
    constraint: str
    expansion: str
    invalid: bool
    skip: bool
    cases: tuple[Case, ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """A Suite.

    Attributes:
        path: Its file, as it is shown to users.
        folder: The absolute path of the folder that its paths start from.
        tree: The folder that the files must be in: a Suite must not name files anywhere.
        skip: Whether it is skipped.
        tests: Its tests.
    """

    path: str
    folder: str
    tree: str
    skip: bool
    tests: tuple[Test, ...]


def find_suites(engine: Engine, paths: Sequence[str]) -> list[Suite | PullguardError]:
    """Read the Suites in files and folders, each once, in the order of the files; a broken one is an error.

    Folders are searched recursively, which gator writes as ``folder/...``; their files that do not mention Suites are
    not parsed.

    Raises:
        PullguardError: A path does not exist or is not a YAML file, or there is no Suite anywhere.
    """
    suites = [suite for shown, tree in _find(paths) if (suite := _suite_in(engine, shown, tree)) is not None]
    if not suites:
        raise PullguardError(
            f"no Suite found in {', '.join(paths)}",
            remedy=f"a Suite is a YAML file with apiVersion {_GROUP}/v1alpha1 and kind {_KIND}",
        )
    return suites


def resolve(suite: Suite, path: str) -> str:
    """Return the absolute path of a file that a Suite names; as for gator, a leading slash says nothing."""
    return os.path.normpath(f"{suite.folder}/{path}")


def read_one(engine: Engine, suite: Suite, path: str) -> Document:
    """Read the first object of a file that a Suite names: a template or a constraint.

    Raises:
        PullguardError: It cannot be read, or is not an object.
    """
    return _object(load_document(engine, _text(suite, path), path, dialect="gator"))


def read_all(engine: Engine, suite: Suite, path: str) -> list[Document]:
    """Read the objects of a file that a Suite names, as gator reads objects to review and inventories.

    It drops blank lines and comments before it parses anything, in block scalars as well, and begins a document at
    each ``---`` that begins a line.

    Raises:
        PullguardError: It cannot be read, or holds something that is not an object, or nothing.
    """
    documents = [_part(engine, text, places, path) for text, places in _split(_text(suite, path))]
    if not documents:
        raise PullguardError("holds no object", file=path)
    return documents


def api_version(obj: Mapping[str, Any]) -> tuple[str, str]:
    """Return the group and the version of an object that has been read here."""
    stated = obj.get("apiVersion")
    group, slash, version = stated.partition("/") if isinstance(stated, str) else ("", "", "")
    return (group, version) if slash else ("", group)


def require_inside(suite: Suite) -> None:
    """Check all files that a Suite names, before gator, which would read anything.

    Raises:
        PullguardError: One is not in the tree of the Suite, no regular file, or too large.
    """
    for test in suite.tests:
        paths = {test.template, test.constraint, test.expansion}
        paths |= {path for case in test.cases for path in (case.object, *case.inventory)}
        for path in sorted(paths - {""}):
            found = Path(resolve(suite, path))
            if "\0" in path or not found.exists() or found.is_dir():
                continue  # there is nothing to read, as the program will say
            try:
                read_inside(suite.tree, str(found))
            except PermissionError:
                continue
            except OSError as error:
                raise PullguardError(f"cannot be read ({error.strerror})", file=path) from error


def _find(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the files that may be Suites, each with the folder that what they name must be in."""
    seen: set[str] = set()
    for path in paths:
        shown = path.removesuffix("...") if path == "..." or path.endswith("/...") else path
        target = Path(shown or ".")
        if target.is_dir():
            found: Iterator[str] = _walk(shown.rstrip("/") or shown[:1])
        elif not target.exists():
            raise PullguardError(f"{path} does not exist")
        elif target.suffix not in _SUFFIXES:
            raise PullguardError(f"{path} is not a YAML file", remedy="Suites are in files that end in .yaml or .yml")
        else:
            found = iter([shown])
        for file in found:
            absolute = os.path.abspath(file)  # noqa: PTH100 - without following links, as paths of Suites are read
            if absolute not in seen:
                seen.add(absolute)
                here = os.path.abspath("")  # noqa: PTH100 - as above
                folder = str(target if target.is_dir() else target.parent)
                yield file, here if Path(absolute).is_relative_to(here) else folder


def _walk(folder: str) -> Iterator[str]:
    """Yield the files of a folder that may be Suites, sorted by path; links to folders are not followed."""
    files = []
    for parent, _, names in os.walk(folder or "."):
        files += [os.path.join(parent, name) for name in names if name.endswith(_SUFFIXES)]  # noqa: PTH118 - speed
    for file in sorted(files):
        if _may_be_suite(file):
            yield file if folder else os.path.relpath(file)


def _may_be_suite(file: str) -> bool:
    path = Path(file)
    try:
        if not path.is_file() and path.exists():
            return False  # a pipe, for example, which nobody may ever write to
        data = read_inside(str(path.parent), file)
    except OSError:
        # Reading it again says what is wrong.
        return True
    return _GROUP.encode() in data and _KIND.encode() in data


def _suite_in(engine: Engine, shown: str, tree: str) -> Suite | PullguardError | None:
    try:
        return _read_suite(engine, shown, tree)
    except PullguardError as error:
        return error


def _read_suite(engine: Engine, shown: str, tree: str) -> Suite | None:
    text = read_text(Path(shown), shown, tree=Path(tree)).removeprefix(_BOM)
    document = load_document(engine, text, shown, dialect="gator")
    obj = document.value
    if not isinstance(obj, Mapping) or obj.get("kind") != _KIND or api_version(obj)[0] != _GROUP:
        return None
    reader = _Reader(document)
    return Suite(
        path=shown,
        folder=os.path.dirname(os.path.abspath(shown)),  # noqa: PTH100, PTH120 - as above
        tree=tree,
        skip=reader.flag("skip"),
        tests=tuple(reader.at("tests", index).test() for index in range(reader.length("tests"))),
    )


class _Reader:
    """Reads fields of a Suite as Go decodes JSON into a struct: null counts as absent, types must match."""

    def __init__(self, document: Document, path: tuple[str | int, ...] = ()) -> None:
        self._document = document
        self._path = path
        value = document.value
        for key in path:
            value = value[key]
        if value is not None and not isinstance(value, Mapping):
            raise self._wrong((), "a mapping")
        self._value: Mapping[str, Any] = value or {}

    def at(self, field: str, index: int) -> "_Reader":
        return _Reader(self._document, (*self._path, field, index))

    def test(self) -> Test:
        return Test(
            name=self.text("name"),
            template=self.text("template"),
            constraint=self.text("constraint"),
            expansion=self.text("expansion"),
            invalid=self.flag("invalid"),
            skip=self.flag("skip"),
            cases=tuple(self.at("cases", index).case() for index in range(self.length("cases"))),
        )

    def case(self) -> Case:
        count = self.length("assertions")
        return Case(
            name=self.text("name"),
            object=self.text("object"),
            inventory=self._texts("inventory"),
            assertions=tuple(self.at("assertions", index).assertion() for index in range(count)),
            skip=self.flag("skip"),
        )

    def assertion(self) -> Assertion:
        violations = self._value.get("violations")
        if isinstance(violations, bool) or not isinstance(violations, int | str | None):
            raise self._wrong(("violations",), "a whole number, yes or no")
        if isinstance(violations, int) and abs(violations) > _MAX_INT32:
            raise self._wrong(("violations",), "a number of 32 bits")
        message = None if self._value.get("message") is None else self.text("message")
        return Assertion("yes" if violations is None else violations, message)

    def text(self, field: str) -> str:
        value = self._value.get(field)
        if not isinstance(value, str | None):
            raise self._wrong((field,), "a string")
        return value or ""

    def flag(self, field: str) -> bool:
        value = self._value.get(field)
        if not isinstance(value, bool | None):
            raise self._wrong((field,), "true or false")
        return bool(value)

    def length(self, field: str) -> int:
        value = self._value.get(field)
        if not isinstance(value, list | None):
            raise self._wrong((field,), "a list")
        return len(value or ())

    def _texts(self, field: str) -> tuple[str, ...]:
        self.length(field)
        values = self._value.get(field) or []
        for index, value in enumerate(values):
            if not isinstance(value, str | None):
                raise self._wrong((field, index), "a string")
        return tuple(value or "" for value in values)

    def _wrong(self, field: tuple[str | int, ...], wanted: str) -> PullguardError:
        path = (*self._path, *field)
        line = self._document.line_of(path)
        return PullguardError(f"{dotted(path, 'the Suite')} must be {wanted}", file=self._document.file, line=line)


def _text(suite: Suite, path: str) -> str:
    return read_text(Path(resolve(suite, path)), path, tree=Path(suite.tree)).removeprefix(_BOM)


def _part(engine: Engine, text: str, places: Sequence[int], shown: str) -> Document:
    """Read one document of a file, whose lines are at these positions of the file."""
    try:
        return _object(load_document(engine, text, shown, dialect="gator"))
    except PullguardError as error:
        line = None if error.line is None else places[min(error.line, len(places)) - 1]
        raise PullguardError(error.message, file=shown, line=line, remedy=error.remedy) from error


def _split(text: str) -> Iterator[tuple[str, list[int]]]:
    """Yield what gator parses: the text of each document, and the lines of the file that are left in it."""
    first = 1
    for part in text.split("\n---"):
        kept, places = [], []
        for number, line in enumerate(part.split("\n"), first):
            content = line.strip()
            if content and not content.startswith("#"):
                kept.append(line)
                places.append(number)
        if kept:
            yield "\n".join(kept) + "\n", places
        first += part.count("\n") + 1


def _object(document: Document) -> Document:
    """Return a document that is an object, as Kubernetes' decoder for objects of any kind wants it."""
    value = document.value
    kind = value.get("kind") if isinstance(value, Mapping) else None
    version = value.get("apiVersion") if isinstance(value, Mapping) else None
    if not isinstance(kind, str) or not kind:
        raise PullguardError("is not an object: it has no kind", file=document.file, line=document.line)
    if isinstance(version, str) and version.count("/") > 1:
        raise PullguardError(
            f"has the apiVersion {version}", file=document.file, line=document.line_of(("apiVersion",))
        )
    return document
