"""Audits from files: dumps of constraints and other objects, logs, exports."""

from collections.abc import Sequence
from typing import BinaryIO

from pullguard.audit.gathered import Gathered
from pullguard.audit.logs import is_log, read_log
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Problem
from pullguard.core.inputs import InputError, Inputs
from pullguard.core.inputs.files import File, find_files, read_file
from pullguard.core.inputs.selection import EXTENSIONS, Selection

#: What files in folders end with: the export's are `.log`, and `.txt` while Gatekeeper still writes them.
_EXTENSIONS = (*EXTENSIONS, ".jsonl", ".log", ".txt")


def gather(paths: Sequence[str], gathered: Gathered, *, stdin: BinaryIO | None = None) -> None:
    """Read files and folders; what is wrong with them is among the errors.

    Args:
        paths: Files and folders; "-" is stdin.
        gathered: What takes in what they hold.
        stdin: What "-" reads.
    """
    logs = []
    for found in find_files(paths, Selection(extensions=_EXTENSIONS)):
        file = found if isinstance(found, InputError) else read_file(found, stdin)
        if isinstance(file, InputError):
            gathered.errors.append(Problem(file.file, file.line, file.document, file.message))
            continue
        text = file.data.decode("utf-8", "replace")
        if is_log(text):
            logs.append(read_log(text, file.name))
        else:
            _objects(file, gathered)
    for results, _ in logs:
        gathered.results += results
    # An export keeps earlier audits, and one that is still being written: a whole one is enough.
    audited = any(result.total is not None for result in gathered.results)
    for _, problems in logs:
        gathered.errors += [problem for problem in problems if problem.line is not None or not audited]


def _objects(file: File, gathered: Gathered) -> None:
    found = False
    for manifest in Inputs((), found=[file]):
        found = True
        if isinstance(manifest, InputError):
            gathered.errors.append(Problem(file.name, manifest.line, manifest.document, manifest.message))
            continue
        try:
            gathered.take(manifest.object, file.name)
        except PullguardError as error:
            gathered.fail(file.name, error, manifest.line())
    if not found:
        message = (
            "holds neither objects nor lines of Gatekeeper's audit; see whether the command that wrote it has failed"
        )
        gathered.errors.append(Problem(file.name, None, None, message))
