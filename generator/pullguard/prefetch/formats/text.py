"""What to pull, for people."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.prefetch.formats import words
from pullguard.prefetch.model import PrefetchReport, Settings


def write(report: PrefetchReport, _settings: Settings, stream: TextIO) -> None:
    """Write a report for people."""
    write_lines(map(printable, _lines(report)), stream)


def write_errors(report: PrefetchReport, stream: TextIO) -> None:
    """Write what could not be read."""
    write_lines(map(printable, words.errors(report)), stream)


def _lines(report: PrefetchReport) -> Iterator[str]:
    yield f"{words.premise(report)}:"
    yield f"  {words.summary(report)}"
    yield from words.errors(report)
    for batch in report.batches:
        yield ""
        yield f"{words.batch(batch)}:"
        yield from (f"  {words.image(image)}" for image in batch.images)
    if report.unsolved:
        yield ""
        yield "A pull is not enough for:"
        yield from (f"  {words.unsolved(each)}" for each in report.unsolved)
    if report.batches:
        yield ""
        yield "To pull them: -o daemonset, script, openkruise, kube-fledged or pinned-image-set; docs/prefetch.md says"
        yield "which of them keep images when a kubelet needs room."
    if report.notes:
        yield ""
        yield from (f"Note: {note}" for note in report.notes)
