"""`--output-file`: reports that go to files, beside the one on standard output."""

import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pullguard.check.formats import REPORTERS
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Report
from pullguard.core.inputs.problems import from_exception
from pullguard.core.text_files import write_text

_FORMATS_BY_ENDING = {
    ".json": "json",
    ".log": "text",
    ".md": "markdown",
    ".sarif": "sarif",
    ".txt": "text",
    ".xml": "junit",
}


@dataclass(frozen=True, slots=True)
class OutputFile:
    """A file that a report goes to, and its format."""

    format: str
    path: Path


def output_files(values: Sequence[str]) -> tuple[OutputFile, ...]:
    """Return the files that the option names: `FORMAT=FILE`, or a FILE whose extension tells the format.

    Raises:
        PullguardError: The format is not known, the file's folder does not exist, or a file is named twice.
    """
    found = [_output_file(value) for value in values]
    paths = [entry.path.resolve() for entry in found]
    for place, (entry, path) in enumerate(zip(found, paths, strict=True)):
        if path in paths[:place]:
            raise PullguardError("is named twice by --output-file", file=str(entry.path))
        if not path.parent.is_dir():
            raise PullguardError("cannot be written: its folder is not there", file=str(entry.path))
    return tuple(found)


def write_files(report: Report, files: Sequence[OutputFile]) -> Report:
    """Write a report to files; return it with an error for each file that could not be written."""
    failed = []
    for entry in files:
        stream = io.StringIO()
        REPORTERS[entry.format](report, stream)
        try:
            write_text(entry.path, stream.getvalue())
        except PullguardError as error:
            failed.append(from_exception(error))
    return replace(report, errors=(*report.errors, *failed)) if failed else report


def _output_file(value: str) -> OutputFile:
    name, separator, file = value.partition("=")
    if file == "-" or value == "-":
        raise PullguardError("--output-file writes files", remedy="use -o FORMAT for standard output")
    if separator and file and name in REPORTERS:
        return OutputFile(name, Path(file))
    known = _FORMATS_BY_ENDING.get(Path(value).suffix.lower())
    if known is None:
        raise PullguardError(
            f"the format of --output-file {value} is not known",
            remedy=f"write FORMAT=FILE, where FORMAT is {', '.join(sorted(REPORTERS))}",
        )
    return OutputFile(known, Path(value))
