"""What discover found, for people: what is new first."""

from collections.abc import Iterable, Iterator
from typing import TextIO

from pullguard.core.formats.text import counted, printable, write_lines
from pullguard.discover.model import DiscoverReport, Namespace, Reason
from pullguard.library.render.yaml_text import dump

_MOST_SHOWN = 3


def write(report: DiscoverReport, stream: TextIO) -> None:
    """Write a report for people."""
    write_lines(map(printable, _lines(report)), stream)


def _lines(report: DiscoverReport) -> Iterator[str]:
    new = report.new_namespaces
    yield (
        f"From {report.source}: {counted(len(new), 'namespace')} to protect, "
        f"{counted(len(report.new_kinds), 'custom kind')} to judge"
    )
    for kind, reason in report.unreadable.items():
        yield f"ERROR: {kind} could not be read: {reason}"
    for error in report.errors:
        yield f"ERROR: {error.file}{'' if error.line is None else f':{error.line}'}: {error.message}"
    yield from _part("To protect:", new)
    yield from _part("Protected already:", (each for each in report.namespaces if each.protected))
    rest = [each for each in report.namespaces if not each.protected and not report.counts(each)]
    yield from _part(f"Less needed, below --severity {report.severity}:", rest)
    yield from _kinds(report)
    if report.written is not None:
        yield ""
        yield f"Wrote {report.written}. Look at it, then run `pullguard generate`."
    elif new or report.new_kinds:
        yield ""
        file = report.configuration or "pullguard.yaml"
        yield f"`pullguard discover --write` adds what is new to {file}, and removes nothing."
    if report.notes:
        yield ""
        yield from (f"Note: {note}" for note in report.notes)


def _part(title: str, namespaces: Iterable[Namespace]) -> Iterator[str]:
    listed = list(namespaces)
    if listed:
        yield ""
        yield title
    for namespace in listed:
        yield f"  {namespace.name} ({namespace.severity}{_by(namespace)})"
        for reason in namespace.reasons:
            yield f"    {reason.title}:"
            yield from (f"      {line}" for line in _shown(reason))


def _by(namespace: Namespace) -> str:
    if namespace.protected:
        return f", by {_ways(namespace.protected)}"
    if namespace.assumed:
        return f", perhaps protected by {_ways(namespace.assumed)}: its labels are not known"
    return ""


def _ways(by: Iterable[str]) -> str:
    return " and ".join(f"the {each}" for each in by)


def _shown(reason: Reason) -> Iterator[str]:
    for each in reason.shown[:_MOST_SHOWN]:
        yield f"{each.object}: {each.detail}" if each.detail else each.object
    if len(reason.shown) > _MOST_SHOWN:
        yield f"and {len(reason.shown) - _MOST_SHOWN} more"


def _kinds(report: DiscoverReport) -> Iterator[str]:
    if report.new_kinds:
        yield ""
        yield "Custom kinds to judge:"
        yield "  customKinds:"
    for kind in report.new_kinds:
        if kind.stated:
            yield f"    # for {', '.join(kind.policies)}; {', '.join(kind.stated)} has an entry"
        entry = [{"group": kind.found.group, "kind": kind.found.kind, **kind.found.entry}]
        yield from (f"    {line}" for line in dump(entry).splitlines())
    others = [kind.name for kind in report.kinds if not kind.policies]
    if others:
        yield ""
        yield f"Custom kinds that are judged already: {', '.join(others)}"
