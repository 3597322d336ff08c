"""Baselines: files of findings that are known, so that only new ones count."""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, astuple, replace
from pathlib import Path, PurePath
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.findings import Compared, Finding, KnownFinding, Report
from pullguard.core.inputs.files import STDIN
from pullguard.core.inputs.problems import from_exception
from pullguard.core.text_files import read_text, write_text

_VERSION = 1
_FIELDS = ("fingerprint", "rule", "file", "object", "container")
_REMEDY = "write it with --write-baseline, or take it from version control again"


def with_baseline(report: Report, file: str, paths: Sequence[str], *, write: bool) -> Report:
    """Return a report in which findings that a baseline holds do not count.

    Args:
        report: What was found, exemptions applied.
        file: The baseline.
        paths: What was looked at, as the user named it.
        write: Write the baseline again first. Its entries for files that were not looked at, or could not be read,
            stay in it.

    Raises:
        PullguardError: The baseline cannot be read. If it cannot be written, that is an error in the report.
    """
    path = Path(file)
    if not path.exists() and not write:
        raise PullguardError("is not there", file=file, remedy=_REMEDY)
    before = parse(read_text(path), file) if path.exists() else ()
    looked_at = _looked_at(report, paths)
    after = updated(report, before, looked_at) if write else before
    if write:
        try:
            write_text(path, dump(after))
        except PullguardError as error:
            # Its entries are known all the same, and other findings must still be seen.
            report = replace(report, errors=(*report.errors, from_exception(error)))
            return compared(report, before, before, looked_at, file=file, written=False)
    return compared(report, after, before, looked_at, file=file, written=write)


def parse(text: str, file: str) -> tuple[KnownFinding, ...]:
    """Return what a baseline holds.

    Raises:
        PullguardError: It is not a baseline.
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", None)
        raise PullguardError(f"is not JSON ({error})", file=file, line=line, remedy=_REMEDY) from error
    except RecursionError as error:
        raise PullguardError("is nested too deeply for a baseline", file=file, remedy=_REMEDY) from error
    if not isinstance(value, dict) or not isinstance(value.get("findings"), list):
        raise PullguardError("is not a baseline", file=file, remedy=_REMEDY)
    if value.get("version") != _VERSION:
        raise PullguardError(
            f"is a baseline of version {value.get('version')!r}, and this pullguard reads version {_VERSION}",
            file=file,
            remedy="write it again with --write-baseline",
        )
    return tuple(_known(entry, place, file) for place, entry in enumerate(value["findings"]))


def dump(known: Iterable[KnownFinding]) -> str:
    """Return the text of a baseline: sorted, and without lines, so that it changes only where findings do."""
    entries = sorted(set(known), key=lambda entry: (entry.file, entry.object, entry.container, astuple(entry)))
    value = {"version": _VERSION, "findings": [asdict(entry) for entry in entries]}
    return json.dumps(value, indent=2) + "\n"


def updated(
    report: Report, before: Iterable[KnownFinding], looked_at: Callable[[str], bool]
) -> tuple[KnownFinding, ...]:
    """Return the new baseline after a run: its findings, and the old entries for files that were not looked at.

    Findings with a remark are left out: one whose exemption has ended must not become known.
    """
    found = {entry.fingerprint: entry for entry in before if not looked_at(entry.file)}
    found |= {finding.fingerprint: known(finding) for finding in report.findings if not finding.remark}
    return tuple(found.values())


def compared(
    report: Report,
    now: Iterable[KnownFinding],
    before: Iterable[KnownFinding],
    looked_at: Callable[[str], bool],
    *,
    file: str,
    written: bool,
) -> Report:
    """Return a report in which the findings of a baseline do not count.

    Args:
        report: What was found, exemptions applied.
        now: What the baseline holds.
        before: What it held before this run.
        looked_at: Tells whether the findings of a file would have been found.
        file: The baseline, as the user named it.
        written: Whether this run wrote it.
    """
    fingerprints = {entry.fingerprint for entry in now}
    present = {finding.fingerprint for finding in report.findings}
    present |= {entry.finding.fingerprint for entry in report.exempt}
    is_known = [finding.fingerprint in fingerprints and not finding.remark for finding in report.findings]
    return replace(
        report,
        findings=tuple(finding for finding, known in zip(report.findings, is_known, strict=True) if not known),
        baseline=Compared(
            file=file,
            known=tuple(finding for finding, known in zip(report.findings, is_known, strict=True) if known),
            gone=tuple(entry for entry in before if entry.fingerprint not in present and looked_at(entry.file)),
            written=written,
        ),
    )


def known(finding: Finding) -> KnownFinding:
    """Return a finding as a baseline keeps it."""
    obj, container = finding.object, finding.container
    name = f"{obj.namespace}/{obj.name}" if obj.namespace else obj.name
    return KnownFinding(
        fingerprint=finding.fingerprint,
        rule=finding.rule,
        file=finding.file,
        object=f"{obj.kind} {name}",
        container="" if container is None else f"{container.list} {container.name or container.index}",
    )


def _known(entry: Any, place: int, file: str) -> KnownFinding:
    if not isinstance(entry, dict) or any(not isinstance(entry.get(field), str) for field in _FIELDS):
        raise PullguardError(f"findings[{place}] is not a finding of a baseline", file=file, remedy=_REMEDY)
    return KnownFinding(**{field: entry[field] for field in _FIELDS})


def _looked_at(report: Report, paths: Sequence[str]) -> Callable[[str], bool]:
    """Return a function that tells whether a file's findings would have been found: it was read, or is gone."""
    read = frozenset(report.read) - {problem.file for problem in report.errors}
    roots = [PurePath(path) for path in paths if path != STDIN]

    def looked_at(file: str) -> bool:
        inside = any(PurePath(file).is_relative_to(root) for root in roots)
        return file in read or (inside and not os.path.lexists(file))

    return looked_at
