"""Exemptions that objects state in an annotation. Only `check` and `fix` honour them, after everything was judged.

The annotation `pullguard/exempt` holds a line for each policy, `<policy>: <reason>`, with `until=YYYY-MM-DD` anywhere
in the reason. A name that the policy had before will do. Admission never looks at it.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timezone
from typing import Any

from pullguard.core.findings import EXEMPT_ANNOTATION, Exempted, Finding, Report
from pullguard.core.suggestions import nearest

_LINE = re.compile(r"(?P<policy>[^\s:]+)\s*:\s*(?P<reason>.*)")
# Whatever looks like a limit must have the right form: a limit that is overlooked would never end.
_UNTIL = re.compile(r"\buntil\s*[=:]\s*(?P<date>[^\s,;)]*)[),;]*", re.IGNORECASE)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MAX_LENGTH = 10_000
_SHOWN = 60
_FORM = f'write {EXEMPT_ANNOTATION}: "<policy>: <reason> until=YYYY-MM-DD", a line for each policy, until= if you like'


@dataclass(frozen=True, slots=True)
class _Exemption:
    policy: str
    reason: str
    until: date | None


class _MalformedError(Exception):
    """A line of the annotation is not an exemption; says why."""


def exempted(report: Report, today: date | None = None) -> Report:
    """Return a report in which findings that their objects exempt do not count.

    One whose exemption has ended, or cannot be read, counts, and says so in a remark.

    Args:
        report: What was found.
        today: The day that exemptions are compared with; by default the present one, in UTC.
    """
    day = today or datetime.now(timezone.utc).date()
    findings: list[Finding] = []
    exempt: list[Exempted] = []
    for found in report.findings:
        decided = _decided(found, day, report.policy_aliases)
        if isinstance(decided, Exempted):
            exempt.append(decided)
        else:
            findings.append(decided)
    return replace(
        report,
        findings=tuple(findings),
        exempt=(*report.exempt, *exempt),
        notes=(*report.notes, *dict.fromkeys(_names_to_change(report))),
    )


def _names_to_change(report: Report) -> Iterator[str]:
    """Yield what is to be said of exemptions from policies that the library does not have, or not by this name."""
    policies = dict.fromkeys((*(rule.policy for rule in report.rules), *report.unused))
    names = {policy: policy for policy in policies} | {
        name: rule.policy for rule in report.rules for name in (rule.id, *rule.aliases)
    }
    for found in report.findings:
        with suppress(_MalformedError):
            for exemption in _read(found.annotation):
                name = f"{found.object.kind} {found.object.name}"
                if exemption.policy in report.policy_aliases:
                    now = report.policy_aliases[exemption.policy]
                    yield f"{found.file}: {name} is exempt from {exemption.policy}: write {now}, as it is called now"
                elif exemption.policy not in policies:
                    meant = nearest(exemption.policy, names) if len(exemption.policy) <= _SHOWN else None
                    question = "" if meant is None else f"; did you mean {meant}?"
                    shown = exemption.policy[:_SHOWN]
                    yield f"{found.file}: {name} is exempt from {shown}, which is not a policy of the library{question}"


def _decided(found: Finding, today: date, aliases: Mapping[str, str]) -> Finding | Exempted:
    try:
        own = [
            exemption
            for exemption in _read(found.annotation)
            if aliases.get(exemption.policy, exemption.policy) == found.policy
        ]
    except _MalformedError as error:
        return replace(found, remark=f"its annotation {EXEMPT_ANNOTATION} does not count: {error}; {_FORM}")
    if not own:
        return found
    # The one that lasts longest, if there are several.
    best = max(own, key=lambda exemption: exemption.until or date.max)
    if best.until is not None and best.until < today:
        ended = f"its exemption ended on {best.until.isoformat()}: {best.reason}"
        return replace(found, remark=f"{ended}; fix the object, or choose another day")
    return Exempted(found, best.reason, best.until)


def _read(annotation: Any) -> list[_Exemption]:
    if annotation is None:
        return []
    if not isinstance(annotation, str):
        raise _MalformedError("it is not a string")
    if len(annotation) > _MAX_LENGTH:
        raise _MalformedError(f"it is longer than {_MAX_LENGTH} characters")
    lines = [line.strip() for line in annotation.splitlines() if line.strip()]
    if not lines:
        raise _MalformedError("it is empty")
    return [_exemption(line) for line in lines]


def _exemption(line: str) -> _Exemption:
    shown = f'"{line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."}"'
    match = _LINE.fullmatch(line)
    if match is None:
        raise _MalformedError(f"{shown} names no policy and reason")
    reason, limits = _without_limits(match["reason"])
    if not reason:
        raise _MalformedError(f"{shown} gives no reason")
    if len(limits) > 1:
        raise _MalformedError(f"{shown} says until twice")
    return _Exemption(match["policy"], reason, _date(limits[0]) if limits else None)


def _without_limits(text: str) -> tuple[str, list[str]]:
    """Return a reason without what it says of its end, and that."""
    parts, limits, end = [], [], 0
    for found in _UNTIL.finditer(text):
        parts.append(text[end : found.start()].rstrip(" \t(,;"))
        limits.append(found["date"])
        end = found.end()
    parts.append(text[end:])
    return " ".join(filter(None, (part.strip() for part in parts))), limits


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise _MalformedError(f'"{text[:_SHOWN]}" is not a date')
