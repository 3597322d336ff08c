"""Lines of Gatekeeper's audit log and of its disk export -> results; pure.

The formats are those of Gatekeeper 3.23 (pkg/audit/manager.go, pkg/export/util). The id of an audit is its start time.
The log has a line for each violation and, at the end, a line with the number of violations for each constraint that has
any. Its logger drops lines: of more than a hundred lines a second with the same message, it writes only every hundredth
(zap's sampler). The lines alone therefore never show that all violations are known. The export drops no lines, but has
no numbers.

Log collectors wrap the lines: in a prefix, as `kubectl logs --prefix` does, or in a field of a JSON object, as Docker,
stern and most others do. With --log-level=DEBUG, Gatekeeper itself writes the time, the level and the message before
the other fields of a line.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pullguard.audit.model import RUN, AuditedViolation, ConstraintKey, Result
from pullguard.core.findings import ObjectRef, strictness
from pullguard.core.inputs.problems import InputError

# How many lines of a file are searched for a line of an audit, since other lines may come first. If the file contains
# one of the marks, all lines are searched.
_LINES_TRIED = 200
_MARKS = ("audit_id", "eventType")

# Fields that identify a broken line as Gatekeeper's. If a collector wrapped the line, the quotes are escaped.
_OURS = re.compile(r'\\*"(?:level|audit_id|eventType)\\*"\s*:')

# Escaped characters; the group is half of a surrogate pair without the other half.
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)

# How deep in JSON a line of an audit is searched for, and after how many braces.
_DEEPEST = 4
_BRACES_TRIED = 5
_OBJECT = re.compile(r'\{\s*["}]')

_EXPORT_STARTED = "audit is started"
_EXPORT_COMPLETED = "audit is completed"
_FAILED = "audit manager audit() failed"
_NOT_LISTED = "Unable to list objects for gvk"

JSON = dict[str, Any]


def is_log(text: str) -> bool:
    """Tell whether a text is a log or an export rather than a dump of objects."""
    tried = None if is_marked(text) else _LINES_TRIED
    for line in islice(filter(str.strip, text.splitlines()), tried):
        value = _object(line)
        if value is None:
            continue
        if "kind" in value and "apiVersion" in value:
            return False
        if _entry(value) is not None:
            return True
    return False


def is_marked(text: str) -> bool:
    """Tell whether a text has a field that only lines of audits have."""
    return any(mark in text for mark in _MARKS)


def read_log(text: str, file: str) -> tuple[list[Result], list[InputError]]:
    """Return the results of the newest audits in a log or an export, and the problems with it.

    Of the audits that have ended, only the newest counts. One that began later may add to what the status of
    constraints says. A constraint that an older audit names and the newest one does not name has no violations.

    Args:
        text: The lines. Those that are not JSON objects come from other programs, and are ignored.
        file: The file name, as shown to users.
    """
    log = _Log(file)
    for number, line in _lines(text):
        log.take(number, line)
    return log.results(), log.problems()


@dataclass(slots=True)
class _AuditRun:
    """One audit, as far as its lines were read."""

    id: str
    exported: bool
    started: bool = False
    ended: bool = False
    failed: bool = False
    totals: dict[ConstraintKey, int] = field(default_factory=dict)
    violations: dict[ConstraintKey, list[AuditedViolation]] = field(default_factory=dict)
    problems: list[InputError] = field(default_factory=list)

    @property
    def conclusive(self) -> bool:
        return self.ended and not self.failed


class _Log:
    """A log, as far as it was read."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._runs: dict[str, _AuditRun] = {}
        self._known: set[ConstraintKey] = set()
        self._problems: list[InputError] = []
        self._current: _AuditRun | None = None
        self._last_ended: _AuditRun | None = None

    def take(self, number: int, line: str) -> None:
        found = _object(line)
        value = None if found is None else _entry(found)
        if value is None:
            if _OURS.search(line) or (found is None and line.lstrip().startswith("{")):
                self._wrong(
                    number, "this line is cut off or not JSON, so a violation may be missing; dump the log again"
                )
        elif _is_export_line(value):
            self._take_export(number, value)
        elif value.get("msg") == _FAILED and self._last_ended is not None:
            self._last_ended.failed = True
        elif value.get("audit_id") is not None:
            self._take_log(number, value)

    def results(self) -> list[Result]:
        conclusive = self._newest()
        found = []
        for run in self._runs.values():
            if run.failed or (conclusive is not None and run.id < conclusive.id):
                continue
            # If a complete audit does not name a constraint, the constraint has no violations.
            silent = self._known if run.conclusive and run.started else set()
            for key in sorted({*run.violations, *run.totals, *silent}):
                violations = tuple(run.violations.get(key, ()))
                found.append(Result(key, run.id, self._file, self._total(run, key), violations))
        return found

    def problems(self) -> list[InputError]:
        conclusive = self._newest()
        counted = [] if conclusive is None else conclusive.problems
        problems = [*self._problems, *counted]
        if conclusive is None and not problems:
            what = "a whole audit" if self._runs else "an audit"
            remedy = "dump more of the log of the pod gatekeeper-audit, or give the constraints along with it"
            problems.append(InputError(self._file, None, None, f"this log does not hold {what}; {remedy}"))
        return problems

    def _total(self, run: _AuditRun, key: ConstraintKey) -> int | None:
        if not run.conclusive:
            return None
        if run.exported:
            return len(run.violations.get(key, ())) if run.started else None
        if key in run.totals:
            return run.totals[key]
        return None if key in run.violations else 0

    def _newest(self) -> _AuditRun | None:
        ended = [run for run in self._runs.values() if run.conclusive]
        return max(ended, key=lambda run: run.id, default=None)

    def _take_export(self, number: int, value: JSON) -> None:
        run = self._run(number, value.get("id"), exported=True)
        if run is None:
            return
        message = value.get("message")
        if message == _EXPORT_STARTED and "eventType" not in value:
            run.started = True
        elif message == _EXPORT_COMPLETED and "eventType" not in value:
            self._end(run)
        elif value.get("eventType") == "violation_audited":
            self._violation(number, run, value, _EXPORT_FIELDS)

    def _take_log(self, number: int, value: JSON) -> None:
        event = value.get("event_type")
        run = self._run(number, value["audit_id"], exported=False)
        if run is None:
            return
        if event == "audit_started":
            run.started = True
        elif event == "audit_finished":
            self._end(run)
        elif event == "violation_audited":
            self._violation(number, run, value, _LOG_FIELDS)
        elif event == "constraint_audited":
            self._constraint(number, run, value)
        elif value.get("msg") == _NOT_LISTED:
            what = ", ".join(f"{name} {value.get(name)}" for name in ("group", "version", "kind"))
            message = f"Gatekeeper's audit could not list objects ({what}), so their violations are missing"
            run.problems.append(InputError(self._file, number, None, message))

    def _constraint(self, number: int, run: _AuditRun, value: JSON) -> None:
        key, count = _key(value, _LOG_FIELDS), value.get("constraint_violations")
        if key is None or not re.fullmatch(r"\d{1,9}", str(count)):
            self._wrong(number, "this line does not state a constraint and its number of violations")
            return
        self._known.add(key)
        run.totals[key] = int(str(count))

    def _violation(self, number: int, run: _AuditRun, value: JSON, fields: "_Fields") -> None:
        key, violation = _key(value, fields), _violation(value, fields)
        if key is None or violation is None:
            self._wrong(number, "this violation does not state its constraint or its object")
            return
        self._known.add(key)
        run.violations.setdefault(key, []).append(violation)

    def _run(self, number: int, stated: Any, *, exported: bool) -> _AuditRun | None:
        if not isinstance(stated, str) or RUN.fullmatch(stated) is None:
            self._wrong(number, "the id of this line's audit is not a time such as 2026-01-31T12:00:00Z")
            return None
        if stated not in self._runs:
            self._forget()
            self._runs[stated] = _AuditRun(stated, exported)
        self._current = self._runs[stated]
        return self._current

    def _forget(self) -> None:
        """Forget audits that no longer count, because logs can hold hundreds of them."""
        newest = self._newest()
        if newest is not None:
            self._runs = {id_: run for id_, run in self._runs.items() if id_ >= newest.id}

    def _end(self, run: _AuditRun) -> None:
        run.ended = True
        self._last_ended, self._current = run, None

    def _wrong(self, number: int, message: str) -> None:
        """Record a problem with a line. It belongs to the current audit, if any, and counts only if that audit does."""
        problems = self._problems if self._current is None else self._current.problems
        problems.append(InputError(self._file, number, None, message))


@dataclass(frozen=True, slots=True)
class _Fields:
    """The names of the fields in a format. The field `details` has the same name in both formats."""

    kind: str
    name: str
    action: str
    actions: str
    message: str
    group: str
    version: str
    resource: str
    namespace: str
    resource_name: str
    labels: str


_LOG_FIELDS = _Fields(
    "constraint_kind",
    "constraint_name",
    "constraint_action",
    "constraint_enforcement_actions",
    "msg",
    "resource_group",
    "resource_api_version",
    "resource_kind",
    "resource_namespace",
    "resource_name",
    "resource_labels",
)
_EXPORT_FIELDS = _Fields(
    "kind",
    "name",
    "enforcementAction",
    "enforcementActions",
    "message",
    "resourceGroup",
    "resourceAPIVersion",
    "resourceKind",
    "resourceNamespace",
    "resourceName",
    "resourceLabels",
)


def strictest(action: Any, actions: Any) -> str:
    """Return the action of a violation; for scoped actions, the strictest of them."""
    several = [entry for entry in actions if isinstance(entry, str)] if isinstance(actions, list) else []
    if action == "scoped" and several:
        return max(sorted(several), key=strictness)
    return action if isinstance(action, str) and action else "deny"


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            yield number, line


def _object(line: str) -> JSON | None:
    """Return the JSON object in a line, which may have a prefix."""
    for brace in islice(_OBJECT.finditer(line), _BRACES_TRIED):
        try:
            value = json.loads(_without_lone_surrogates(line[brace.start() :]))
        except (ValueError, RecursionError):
            continue
        return {**_columns(line[: brace.start()]), **value} if isinstance(value, dict) else None
    return None


def _columns(before: str) -> JSON:
    """Return the level and the message from the columns that zap's console encoder writes before the other fields."""
    columns = before.split("\t")
    is_console = len(columns) > 3 and not columns[-1]  # noqa: PLR2004 - the logger may have no name
    return {"level": columns[1], "msg": columns[-2]} if is_console else {}


def _entry(value: JSON, depth: int = _DEEPEST) -> JSON | None:
    """Return the line of a log or an export that an object is or contains."""
    if _is_log_line(value) or _is_export_line(value) or "audit_id" in value:
        return value
    if depth:
        for member in value.values():
            inner = _object(member) if isinstance(member, str) else member
            found = _entry(inner, depth - 1) if isinstance(inner, dict) else None
            if found is not None:
                return found
    return None


def _is_log_line(value: Mapping[str, Any]) -> bool:
    return isinstance(value.get("msg"), str) and not {"level", "ts", "event_type"}.isdisjoint(value)


def _is_export_line(value: Mapping[str, Any]) -> bool:
    if not isinstance(value.get("id"), str) or not isinstance(value.get("message"), str) or "level" in value:
        return False
    return "eventType" in value or value["message"] in {_EXPORT_STARTED, _EXPORT_COMPLETED}


def _key(value: Mapping[str, Any], fields: _Fields) -> ConstraintKey | None:
    kind, name = value.get(fields.kind), value.get(fields.name)
    return ConstraintKey(kind, name) if isinstance(kind, str) and kind and isinstance(name, str) and name else None


def _violation(value: Mapping[str, Any], fields: _Fields) -> AuditedViolation | None:
    kind, message = value.get(fields.resource), value.get(fields.message)
    if not isinstance(kind, str) or not kind or not isinstance(message, str):
        return None
    labels = value.get(fields.labels)
    group, version = _text(value.get(fields.group)), _text(value.get(fields.version))
    return AuditedViolation(
        action=strictest(value.get(fields.action), value.get(fields.actions)),
        object=ObjectRef(
            f"{group}/{version}" if group else version,
            kind,
            _text(value.get(fields.namespace)),
            _text(value.get(fields.resource_name)),
        ),
        message=message,
        details=value.get("details") or None,
        labels={key: text for key, text in labels.items() if isinstance(text, str)}
        if isinstance(labels, dict)
        else None,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _without_lone_surrogates(text: str) -> str:
    r"""Return JSON with `\ufffd` for each escaped half of a surrogate pair, as Go reads it."""
    if "\\u" not in text:
        return text
    return _ESCAPES.sub(lambda match: r"\ufffd" if match[1] else match[0], text)
