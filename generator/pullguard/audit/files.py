"""Audits from files: dumps of constraints and other objects, logs, exports."""

import codecs
from collections.abc import Sequence
from typing import BinaryIO

from pullguard.audit.gathered import Gathered
from pullguard.audit.logs import is_log, is_marked, read_log
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.files import File, find_files, read_file
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import EXTENSIONS, Selection
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine

#: File name endings that are read in folders. Gatekeeper's export writes `.txt` first and renames it to `.log`.
_EXTENSIONS = (*EXTENSIONS, ".jsonl", ".log", ".txt")

_NOTHING = "holds neither objects nor lines of Gatekeeper's audit; check whether the command that wrote it failed"
_UNREAD = (
    "has lines of Gatekeeper's audit, but none of them can be read; write them as `kubectl logs` does, one per line: "
    "`jq -c '.[]'` unpacks a list"
)


def gather(engine: Engine, paths: Sequence[str], gathered: Gathered, *, stdin: BinaryIO | None = None) -> None:
    """Read files and folders. Problems with them are recorded as errors.

    Args:
        engine: The engine that reads objects.
        paths: Files and folders; "-" is stdin.
        gathered: Receives what the files hold.
        stdin: The stream that "-" reads.
    """
    logs = []
    for found in find_files(paths, Selection(extensions=_EXTENSIONS)):
        file = found if isinstance(found, InputError) else read_file(found, stdin)
        if isinstance(file, InputError):
            gathered.errors.append(file)
            continue
        text = _text(file.data)
        if is_log(text):
            logs.append(read_log(text, file.name))
        else:
            _objects(engine, file, gathered, nothing=_UNREAD if is_marked(text) else _NOTHING)
    for results, _ in logs:
        gathered.results += results
    # An export keeps earlier audits, and one that is still being written. One complete audit is enough.
    audited = any(result.total is not None for result in gathered.results)
    for _, problems in logs:
        gathered.errors += [problem for problem in problems if problem.line is not None or not audited]


def _text(data: bytes) -> str:
    """Return the text of a log, also if it is UTF-16, which PowerShell's redirection writes."""
    is_utf16 = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return data.decode("utf-16" if is_utf16 else "utf-8-sig", "replace")


def _objects(engine: Engine, file: File, gathered: Gathered, *, nothing: str) -> None:
    problems = []
    found = False
    for manifest in Inputs(engine, [file]):
        if isinstance(manifest, InputError):
            problems.append(manifest)
            continue
        found = True
        try:
            gathered.take(manifest.object, file.name)
        except PullguardError as error:
            gathered.fail(file.name, error, manifest.line())
    if not found and (not problems or nothing is _UNREAD):
        problems = [InputError(file.name, None, None, nothing)]
    gathered.errors += problems
