"""Reports for people on a terminal or in a log, grouped by file."""

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TextIO

from pullguard.findings import Finding, Problem, Report
from pullguard.reporters.formats.text import counted, printable, wants_colours, write_lines

_COLOURS = {"critical": "31;1", "high": "31", "medium": "33", "low": "36", "error": "31;1", "place": "1"}

_LISTS = {
    "containers": "container",
    "initContainers": "init container",
    "ephemeralContainers": "ephemeral container",
    "volumes": "image volume",
}

_SEVERITIES = ("critical", "high", "medium", "low")


def write(report: Report, stream: TextIO) -> None:
    """Write a report; with colours if the stream is a terminal that wants them."""
    write_lines(_lines(report, coloured=wants_colours(stream)), stream)


def _lines(report: Report, *, coloured: bool) -> Iterator[str]:
    for _, findings in groupby(report.findings, key=lambda found: found.file):
        for found in findings:
            yield from _finding(found, coloured=coloured)
        yield ""
    if report.errors:
        yield from (_problem(problem, coloured=coloured) for problem in report.errors)
        yield ""
    yield _summary(report)
    yield f"Library: {printable(report.library)}"
    yield from (f"Note: {printable(note)}" for note in (*report.notes, *_hints(report.findings)))


def _finding(found: Finding, *, coloured: bool) -> Iterator[str]:
    place = _colour("place", f"{printable(found.file)}:{found.line}", coloured=coloured)
    yield f"{place}: {_colour(found.severity, found.severity, coloured=coloured)}: {printable(found.rule)}"
    yield f"  {_subject(found)}"
    yield from (f"  {printable(line)}" for line in found.message.splitlines())
    names = ", ".join(printable(name) for name in found.constraints)
    yield f"  constraint{'s' if len(found.constraints) > 1 else ''} {names} ({printable(found.action)})"


def _subject(found: Finding) -> str:
    obj = found.object
    name = f"{obj.namespace}/{obj.name or '(no name)'}" if obj.namespace else obj.name or "(no name)"
    parts = [f"{obj.kind} {name}"]
    if found.container is not None:
        own = found.container.name or f"number {found.container.index + 1}"
        parts.append(f"{_LISTS[found.container.list]} {own}")
    if found.namespace_assumed:
        parts.append("labels of the namespace unknown" if obj.namespace else "namespace unknown")
    return printable(", ".join(parts))


def _problem(problem: Problem, *, coloured: bool) -> str:
    place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    error = _colour("error", "error", coloured=coloured)
    return f"{_colour('place', printable(place), coloured=coloured)}: {error}: {printable(problem.message)}"


def _summary(report: Report) -> str:
    severities = Counter(found.severity for found in report.findings)
    counts = ", ".join(f"{severities[name]} {name}" for name in _SEVERITIES if severities[name])
    return (
        f"{counted(len(report.findings), 'finding')}{f' ({counts})' if counts else ''} and "
        f"{counted(len(report.errors), 'error')} in {counted(report.objects, 'object')} "
        f"of {counted(report.files, 'file')}"
    )


def _hints(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what users can do about findings that stand only because something is not known."""
    assumed = [found for found in findings if found.namespace_assumed]
    unknown = sum(not found.object.namespace for found in assumed)
    if unknown:
        yield (
            f"{counted(unknown, 'finding')} in objects that state no namespace: they count as protected; "
            "give the namespace that they go to with --namespace"
        )
    names = sorted({found.object.namespace for found in assumed if found.object.namespace})
    if names:
        yield (
            f"the labels of {', '.join(names)} are not known, so the objects there count as protected; "
            "check the Namespace manifests along with them"
        )


def _colour(name: str, text: str, *, coloured: bool) -> str:
    return f"\x1b[{_COLOURS[name]}m{text}\x1b[0m" if coloured and name in _COLOURS else text
