"""What reports for people say, in the same words; nothing is escaped."""

from collections.abc import Iterator

from pullguard.core.formats.text import counted
from pullguard.images.model import ImagesReport, Use


def place(use: Use) -> str:
    """Return where a use stands."""
    return use.file if use.line is None else f"{use.file}:{use.line}"


def subject(use: Use) -> str:
    """Return what a use is, and what it is in."""
    name = use.object.name or "(no name)"
    own = f"{use.object.namespace}/{name}" if use.object.namespace else name
    parts = [f"{use.object.kind} {own}", use.what]
    if use.build is not None:
        if use.build.hook:
            parts.append(f"Helm hook {use.build.hook}")
        parts.append(f"in the {use.build.kind} {use.build.path}")
    return ", ".join(parts)


def doubts(report: ImagesReport) -> Iterator[str]:
    """Yield what the list may lack, and why, a line each."""
    for error in report.errors:
        where = error.file if error.line is None else f"{error.file}:{error.line}"
        yield f"{where}: error: {error.message}"
    for use in report.unresolved:
        yield f"{place(use)}: not an image reference: {use.image!r} ({subject(use)})"
    yield from (entry.message for entry in report.unjudged)
    if report.left_out:
        numbers = " and ".join(f"{number} {level}" for level, number in report.left_out)
        one = sum(number for _, number in report.left_out) == 1
        yield f"{numbers} image{' is' if one else 's are'} left out: --sure {report.left_out[-1][0]} lists them too"


def summary(report: ImagesReport) -> str:
    """Return the numbers of a report, as a line."""
    return f"{counted(len(report.images), 'image')} in {counted(report.objects, 'object')} of {report.source}"
