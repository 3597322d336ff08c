"""Reports as GitLab's code quality report, a JSON array of issues."""

import json
from pathlib import PurePath
from typing import Any, TextIO

from pullguard.core.findings import Finding, Report
from pullguard.core.inputs.problems import InputError
from pullguard.judging import words

_SEVERITIES = {"critical": "blocker", "high": "critical", "medium": "major", "low": "minor"}


def write(report: Report, stream: TextIO) -> None:
    """Write a report: exempt findings are information, errors are blockers, known findings are left out."""
    issues = [
        _issue(found, words.message(found), _SEVERITIES.get(found.severity, "major")) for found in report.findings
    ]
    issues += [_issue(entry.finding, words.exemption(entry), "info") for entry in report.exempt]
    issues += [_error(problem, place) for place, problem in enumerate(report.errors)]
    json.dump(issues, stream, indent=2)
    stream.write("\n")


def _issue(found: Finding, text: str, severity: str) -> dict[str, Any]:
    return {
        "description": f"{words.subject(found)}: {' '.join(text.split())}",
        "check_name": found.rule,
        "fingerprint": found.fingerprint,
        "severity": severity,
        "location": _location(found.file, found.line),
    }


def _error(problem: InputError, place: int) -> dict[str, Any]:
    # Of issues with the same fingerprint, GitLab keeps only one.
    return {
        "description": f"error: {problem.message}",
        "check_name": "pullguard-error",
        "fingerprint": f"error-{place}-{problem.file}",
        "severity": "blocker",
        "location": _location(problem.file, problem.line),
    }


def _location(file: str, line: int | None) -> dict[str, Any]:
    return {"path": PurePath(file).as_posix(), "lines": {"begin": 1 if line is None else line}}
