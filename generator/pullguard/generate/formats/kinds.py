"""What `generate --kinds-from` found, as YAML for pullguard.yaml with comments."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from pullguard.core.formats.text import counted, printable, write_lines
from pullguard.generate.kinds_from import KindsReport
from pullguard.library.found_kinds import FoundKind
from pullguard.library.render.yaml_text import dump


def write(report: KindsReport, stream: TextIO, errors: TextIO) -> None:
    """Write entries for customKinds to a stream, and what could not be read to another."""
    write_lines(map(printable, _lines(report)), stream)
    write_lines((printable(_error(error.file, error.line, error.message)) for error in report.errors), errors)


def _error(file: str, line: int | None, message: str) -> str:
    return f"{file}: error: {message}" if line is None else f"{file}:{line}: error: {message}"


def _lines(report: KindsReport) -> Iterator[str]:
    entries = [kind for kind in report.kinds if kind.entry and not kind.is_known]
    yield f"# From {counted(report.definitions, 'definition')}; pullguard.yaml: policies.NAME.parameters.customKinds"
    if entries:
        yield "customKinds:"
    for kind in entries:
        yield from f"  {dump([{'group': kind.group, 'kind': kind.kind, **kind.entry}], 2)}".splitlines()
    yield from _named("# Judged without an entry:", (kind for kind in report.kinds if kind.is_known))
    yield from _named("# Without an image, as far as the schemas say:", (k for k in report.kinds if not k.entry))
    if report.patches:
        places = ", ".join(f"{place.file}:{place.line}" for place in report.patches)
        yield f"# Passed over, because they are patches of definitions: {places}"
    for kind in report.kinds:
        name = f"# {kind.group}/{kind.kind}"
        if kind.unsaid:
            yield f"{name}: no path can say where {', '.join(kind.unsaid)} is"
        if kind.parts:
            yield f"{name}: the images of {', '.join(kind.parts)} are written in parts, which no entry can say"
        if kind.unknown:
            yield f"{name}: the schemas leave open what is in {', '.join(path or 'all of it' for path in kind.unknown)}"


def _named(words: str, kinds: Iterable[FoundKind]) -> Iterator[str]:
    names = [f"{kind.group}/{kind.kind}" for kind in kinds]
    if names:
        yield f"{words} {', '.join(names)}"
