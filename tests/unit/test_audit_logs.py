"""Gatekeeper's audit log and export, line by line."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_samples import KIND, NAME, RUN, always, export, log, log_event, log_total, log_violation, text, violation
from pullguard.audit.logs import is_log, read_log, strictest
from pullguard.audit.model import AuditedViolation, ConstraintKey, Result
from pullguard.core.findings import ObjectRef
from pullguard.core.inputs.problems import InputError

_KEY = ConstraintKey(KIND, NAME)
_EARLIER, _LATER = "2026-01-31T11:59:00Z", "2026-01-31T12:01:00Z"
_POD, _WEB = violation("Pod", "web-1"), violation("Deployment", "web")
_CUT = "this line is cut off or not JSON, so a violation may be missing; dump the log again"


def _is(entry: dict[str, str], **more: object) -> AuditedViolation:
    group = f"{entry['group']}/" if entry["group"] else ""
    ref = ObjectRef(f"{group}{entry['version']}", entry["kind"], entry.get("namespace", ""), entry["name"])
    return AuditedViolation("dryrun", ref, entry["message"], **more)  # type: ignore[arg-type]


def _result(total: int | None, *violations: AuditedViolation, run: str = RUN, key: ConstraintKey = _KEY) -> Result:
    return Result(key, run, "f", total, violations)


def test_a_whole_audit() -> None:
    assert read_log(log([_POD, _WEB]), "f") == ([_result(2, _is(_POD), _is(_WEB))], [])


def test_what_a_line_says_beside_the_violation() -> None:
    line = log_violation(
        _POD,
        details={"reason": "always"},
        resource_labels={"app": "web", "odd": 5},
        constraint_action="scoped",
        constraint_enforcement_actions=["warn", "deny"],
    )
    ((result,), problems) = read_log(
        text([log_event("audit_started"), line, log_total(1), log_event("audit_finished")]), "f"
    )
    (found,) = result.violations
    assert (found.details, found.labels, found.action) == ({"reason": "always"}, {"app": "web"}, "deny")
    assert problems == []


@pytest.mark.parametrize(
    ("action", "actions", "strictest_of_them"),
    [
        ("warn", None, "warn"),
        ("dryrun", ["deny"], "dryrun"),
        ("scoped", ["warn", "deny", 5], "deny"),
        ("scoped", [], "scoped"),
        ("", None, "deny"),
        (None, None, "deny"),
        (5, None, "deny"),
    ],
)
def test_actions(action: object, actions: object, strictest_of_them: str) -> None:
    assert strictest(action, actions) == strictest_of_them


def test_lines_of_others_are_left_out() -> None:
    noise = 'W0131 12:00:00 reflector.go: {"not": the log}\n\n{"level":"info","msg":"serving webhook"}\n[1]\n'
    assert read_log(noise + log([_POD]), "f") == ([_result(1, _is(_POD))], [])


def test_lines_behind_a_prefix() -> None:
    prefixed = "".join(f"[pod/gatekeeper-audit-x/manager] {line}\n" for line in log([_POD]).splitlines())
    assert is_log(prefixed)
    assert read_log(prefixed, "f") == ([_result(1, _is(_POD))], [])


def _docker(line: str) -> str:
    return json.dumps({"log": f"{line}\n", "stream": "stderr", "time": "2026-01-31T12:00:01Z"})


def _console(line: str) -> str:
    """Return a line as Gatekeeper writes it with --log-level=DEBUG."""
    value = json.loads(line)
    columns = (value.pop("ts", RUN), value.pop("level").upper(), value.pop("logger", "controller"), value.pop("msg"))
    return "\t".join(map(str, (*columns, json.dumps(value))))


@pytest.mark.parametrize(
    "wrapped",
    [
        _docker,
        lambda line: json.dumps({"message": line, "nodeName": "n", "podName": "p", "containerName": "manager"}),
        lambda line: json.dumps({"pod": "p", "container": "manager", "message": json.loads(line)}),
        lambda line: json.dumps({"preview": False, "result": {"_raw": line, "offset": 0}}),
        lambda line: json.dumps({"insertId": "1", "jsonPayload": json.loads(line), "severity": "INFO"}),
        lambda line: json.dumps({"log": _docker(line), "kubernetes": {"labels": {}}}),
        lambda line: f'2026-01-31T12:00:01Z {{app="gatekeeper"}} {line}',
        lambda line: f"2026-01-31T12:00:01.5Z stderr F {line}",
        lambda line: f"gatekeeper-audit-x manager {_docker(line)}",
        _console,
        lambda line: _docker(_console(line)),
    ],
    ids=[
        "Docker",
        "stern",
        "stern extjson",
        "Splunk",
        "Cloud Logging",
        "twice",
        "Loki",
        "CRI",
        "prefixed",
        "console",
        "wrapped console",
    ],
)
def test_lines_that_others_have_wrapped(wrapped: Callable[[str], str]) -> None:
    lines = [wrapped(line) for line in log([_POD, _WEB]).splitlines()]
    noise = [
        json.dumps({"log": "I0131 12:00:00.000000 1 reflector.go:1] {}\n", "stream": "stderr"}),
        '{"a": {"b": "c"}}',
    ]
    everything = "\n".join([*noise * 150, *lines])
    assert is_log(everything)
    assert read_log(everything, "f") == ([_result(2, _is(_POD), _is(_WEB))], [])


@pytest.mark.parametrize("wrapped", [str, _docker, lambda line: f"2026-01-31T12:00:01Z stderr P {line}"])
def test_a_line_that_was_cut_in_whatever_it_is_wrapped(wrapped: Callable[[str], str]) -> None:
    first, second, *rest = log([_POD, _WEB]).splitlines()
    cut = "\n".join(map(wrapped, [first, second[:120], *rest]))
    assert read_log(cut, "f") == ([_result(2, _is(_WEB))], [InputError("f", 2, None, _CUT)])


def test_half_of_a_pair_of_surrogates_is_read_as_go_reads_it() -> None:
    lines = log([violation("Pod", "a", "\ud83d!")])
    assert "\\ud83d!" in lines
    ((result,), _) = read_log(lines, "f")
    assert result.violations[0].message == "\ufffd!"
    ((whole,), _) = read_log(log([violation("Pod", "a", "\U0001f600!")]), "f")
    assert whole.violations[0].message == "\U0001f600!"


def test_dropped_lines_are_counted() -> None:
    assert read_log(log([_POD], total=534), "f") == ([_result(534, _is(_POD))], [])


def test_a_dropped_total_is_not_made_up() -> None:
    lines = [log_event("audit_started"), log_violation(_POD), log_event("audit_finished")]
    assert read_log(text(lines), "f") == ([_result(None, _is(_POD))], [])


def test_the_newest_whole_audit_counts() -> None:
    lines = log([_POD], run=_EARLIER) + log([_WEB])
    assert read_log(lines, "f") == ([_result(1, _is(_WEB))], [])


def test_what_is_no_longer_named_is_no_longer_violated() -> None:
    lines = log([_POD], run=_EARLIER) + log([])
    assert read_log(lines, "f") == ([_result(0)], [])


def test_an_audit_that_has_not_ended_only_completes_others() -> None:
    begun = text([log_event("audit_started", run=_LATER), log_violation(_POD, run=_LATER)])
    assert read_log(log([_WEB]) + begun, "f") == (
        [_result(1, _is(_WEB)), _result(None, _is(_POD), run=_LATER)],
        [],
    )


def test_an_audit_whose_start_is_lost_says_nothing_of_what_it_does_not_name() -> None:
    lines = log([_POD], run=_EARLIER, kind="K8sOther", name="other") + text(
        [log_violation(_WEB), log_total(1), log_event("audit_finished")]
    )
    assert read_log(lines, "f") == ([_result(1, _is(_WEB))], [])


def test_a_failed_audit_does_not_count() -> None:
    failed = text(
        [
            log_event("audit_started", run=_LATER),
            log_event("audit_finished", run=_LATER),
            {"level": "error", "msg": "audit manager audit() failed", "error": "timeout"},
        ]
    )
    assert read_log(log([_POD]) + failed, "f") == ([_result(1, _is(_POD))], [])


def test_kinds_that_gatekeeper_could_not_list_are_errors_of_that_audit_alone() -> None:
    def broken(run: str) -> str:
        line = {
            "level": "error",
            "msg": "Unable to list objects for gvk",
            "audit_id": run,
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "error": "the server is currently unable to handle the request",
        }
        return text([log_event("audit_started", run=run), line, log_event("audit_finished", run=run)])

    message = (
        "Gatekeeper's audit could not list objects (group apps, version v1, kind Deployment), so their violations "
        "are missing"
    )
    assert read_log(broken(RUN), "f") == ([], [InputError("f", 2, None, message)])
    assert read_log(broken(RUN) + log([], run=_LATER), "f") == ([], [])


def test_a_half_written_line_is_an_error_of_its_audit() -> None:
    whole = log([_POD, _WEB])
    first, second, *rest = whole.splitlines(keepends=True)
    cut = "".join([first, f"{second[:90]}\n", *rest])
    results, problems = read_log(cut, "f")
    assert (results, problems) == ([_result(2, _is(_WEB))], [InputError("f", 2, None, _CUT)])
    # The last line of a log that is still being written is of an audit that does not count yet.
    begun = text([log_event("audit_started", run=_LATER), log_violation(_POD, run=_LATER)])
    assert read_log(whole + begun[:-20], "f")[1] == []


def test_a_log_without_a_whole_audit() -> None:
    message = (
        "this log does not hold a whole audit; dump more of the log of the pod gatekeeper-audit, or give the "
        "constraints along with it"
    )
    results, problems = read_log(text([log_event("audit_started"), log_violation(_POD)]), "f")
    assert (results, problems) == ([_result(None, _is(_POD))], [InputError("f", None, None, message)])
    assert read_log('{"level":"info","msg":"serving"}\n', "f")[1] == [
        InputError("f", None, None, message.replace("a whole audit", "an audit"))
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            log_violation(_POD, run="yesterday"),
            "the id of this line's audit is not a time such as 2026-01-31T12:00:00Z",
        ),
        (log_violation(_POD, resource_kind=5), "this violation does not state its constraint or its object"),
        (log_violation(_POD, msg=5), "this violation does not state its constraint or its object"),
        (log_violation(_POD, constraint_name=None), "this violation does not state its constraint or its object"),
        (
            log_event("constraint_audited", constraint_kind=KIND, constraint_name=NAME, constraint_violations="many"),
            "this line does not state a constraint and its number of violations",
        ),
    ],
)
def test_lines_that_gatekeeper_does_not_write(line: dict[str, object], message: str) -> None:
    lines = text([log_event("audit_started"), line, log_event("audit_finished")])
    assert read_log(lines, "f")[1] == [InputError("f", 2, None, message)]


def test_an_export() -> None:
    assert is_log(export([_POD]))
    assert read_log(export([_POD, _POD]), "f") == ([_result(2, _is(_POD), _is(_POD))], [])
    assert read_log(export([_POD], ended=False), "f")[0] == [_result(None, _is(_POD))]
    without_start = "".join(export([_POD]).splitlines(keepends=True)[1:])
    assert read_log(without_start, "f") == ([_result(None, _is(_POD))], [])


@pytest.mark.parametrize("message", ["audit is started", "audit is completed"])
def test_a_message_of_a_policy_begins_and_ends_no_export(message: str) -> None:
    said = violation("Pod", "web-1", message)
    assert read_log(export([said, _POD]), "f") == ([_result(2, _is(said), _is(_POD))], [])
    cut = "".join(export([said, _POD]).splitlines(keepends=True)[1:-1])
    assert read_log(cut, "f")[0] == [_result(None, _is(said), _is(_POD))]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"id": "yesterday"}, "the id of this line's audit is not a time such as 2026-01-31T12:00:00Z"),
        ({"resourceKind": ""}, "this violation does not state its constraint or its object"),
    ],
)
def test_exported_lines_that_gatekeeper_does_not_write(change: dict[str, str], message: str) -> None:
    first, second, *rest = export([_POD, _WEB]).splitlines()
    lines = [first, json.dumps({**json.loads(second), **change}), *rest]
    results, problems = read_log("\n".join(lines), "f")
    assert (results, problems) == ([_result(1, _is(_WEB))], [InputError("f", 2, None, message)])


@pytest.mark.parametrize(
    "value",
    [
        "",
        "apiVersion: v1\nkind: List\nitems: []\n",
        json.dumps({"apiVersion": "v1", "kind": "List", "items": []}),
        json.dumps({"apiVersion": "v1", "kind": "List"}, indent=2),
        '{"msg": "no log"}',
        '{"id": "x", "message": "something else"}',
    ],
)
def test_what_is_no_log(value: str) -> None:
    assert not is_log(value)


def _has_no_entry(text: str) -> bool:
    return not any(line.lstrip().startswith("{") for line in text.splitlines())


@given(
    violations=st.lists(st.sampled_from([_POD, _WEB, violation("Job", "j", always("x"))]), max_size=8),
    noise=st.lists(st.text(max_size=20).filter(_has_no_entry), max_size=3),
)
def test_every_violation_of_a_log_is_found_whatever_stands_between(
    violations: list[dict[str, str]], noise: list[str]
) -> None:
    lines = log(violations, total=len(violations)).splitlines()
    mixed = "\n".join(line for pair in zip(lines, [*noise, *[""] * len(lines)], strict=False) for line in pair)
    results, problems = read_log(mixed, "f")
    assert problems == []
    assert [found for result in results for found in result.violations] == [_is(entry) for entry in violations]


@given(st.text())
def test_no_text_stops_it(value: str) -> None:
    is_log(value)
    read_log(value, "f")
