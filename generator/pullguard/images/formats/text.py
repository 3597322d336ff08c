"""Images for people: each with how sure it is, and where it comes from."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import printable, write_lines
from pullguard.images.formats import words
from pullguard.images.model import Image, ImagesReport

_MOST_PLACES = 3


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write a report for people."""
    write_lines(map(printable, _lines(report)), stream)


def _lines(report: ImagesReport) -> Iterator[str]:
    for image in report.images:
        yield from _image(image)
    if report.images:
        yield ""
    yield from words.doubts(report)
    yield words.summary(report)
    yield from (f"Note: {note}" for note in report.notes)


def _image(image: Image) -> Iterator[str]:
    yield f"{image.name} ({image.sure})"
    for use in image.uses[:_MOST_PLACES]:
        doubt = f" ({use.sure})" if use.sure != image.sure else ""
        yield f"  {words.place(use)}: {words.subject(use)}{doubt}"
    more = len(image.uses) - _MOST_PLACES
    if more > 0:
        yield f"  and {more} more place{'' if more == 1 else 's'}"
