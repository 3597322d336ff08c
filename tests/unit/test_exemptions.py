"""Exemptions in annotations: what they say, when they end, and that nothing unclear ever exempts."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.findings import Exempted, Report, RuleInfo
from pullguard.judging.exemptions import exempted
from sample_findings import FINDING

TODAY = date(2026, 11, 27)
RULES = tuple(
    RuleInfo(f"rule-of-{policy}", "high", "t", policy, "", "", "")
    for policy in ("protected_image_pinning", "protected_pull_policy")
)


def _report(*annotations: Any) -> Report:
    findings = tuple(replace(FINDING, annotation=annotation) for annotation in annotations)
    return Report(findings, (), files=1, documents=1, objects=1, library="l", notes=("n",), rules=RULES)


@pytest.mark.parametrize(
    ("annotation", "reason", "until"),
    [
        ("protected_pull_policy: the vendor's", "the vendor's", None),
        ("protected_pull_policy:x", "x", None),
        ("  protected_pull_policy :  a: b  ", "a: b", None),
        ("protected_pull_policy: until the vendor mends it", "until the vendor mends it", None),
        ("protected_pull_policy: later until=2026-12-31", "later", date(2026, 12, 31)),
        ("protected_pull_policy: until=2026-12-31 later", "later", date(2026, 12, 31)),
        ("protected_pull_policy: later (until=2026-12-31)", "later", date(2026, 12, 31)),
        ("protected_pull_policy: later; until=2026-12-31", "later", date(2026, 12, 31)),
        ("protected_pull_policy: later, Until: 2026-12-31, surely", "later surely", date(2026, 12, 31)),
        ("protected_pull_policy: today until=2026-11-27", "today", TODAY),
        ("protected_image_pinning: x\nprotected_pull_policy: y\n", "y", None),
        ("protected_pull_policy: a until=2020-01-01\nprotected_pull_policy: b", "b", None),
        ("protected_pull_policy: a until=2027-01-01\nprotected_pull_policy: b until=2028-01-01", "b", date(2028, 1, 1)),
    ],
)
def test_what_exempts(annotation: str, reason: str, until: date | None) -> None:
    report = exempted(_report(annotation), TODAY)
    assert report.findings == ()
    assert report.exempt == (Exempted(replace(FINDING, annotation=annotation), reason, until),)
    assert report.notes == ("n",)
    assert report.exit_code("dryrun") == 0


def test_one_that_has_ended() -> None:
    report = exempted(_report("protected_pull_policy: later until=2026-11-26"), TODAY)
    assert [found.remark for found in report.findings] == [
        "its exemption ended on 2026-11-26: later; fix the object, or choose another day"
    ]
    assert (report.exempt, report.exit_code("dryrun")) == ((), 1)


@pytest.mark.parametrize("annotation", [None, "protected_image_pinning: x"])
def test_what_is_about_something_else(annotation: str | None) -> None:
    report = _report(annotation)
    assert exempted(report, TODAY) == report


_FORM = 'write pullguard/exempt: "<policy>: <reason> until=YYYY-MM-DD", a line for each policy, until= if you like'


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (True, "it is not a string"),
        ({}, "it is not a string"),
        ("", "it is empty"),
        (" \n ", "it is empty"),
        ("protected_pull_policy", '"protected_pull_policy" names no policy and reason'),
        ("*", '"*" names no policy and reason'),
        ("the pull policy: x", '"the pull policy: x" names no policy and reason'),
        ("protected_pull_policy:", '"protected_pull_policy:" gives no reason'),
        ("protected_pull_policy: until=2030-01-01", '"protected_pull_policy: until=2030-01-01" gives no reason'),
        ("protected_pull_policy: x until=2030-02-30", '"2030-02-30" is not a date'),
        ("protected_pull_policy: x until=2030-2-3", '"2030-2-3" is not a date'),
        ("protected_pull_policy: x until=20300203", '"20300203" is not a date'),
        ("protected_pull_policy: x until=2030-W01-1", '"2030-W01-1" is not a date'),
        ("protected_pull_policy: x until=soon", '"soon" is not a date'),
        ("protected_pull_policy: x until=", '"" is not a date'),
        (
            "protected_pull_policy: x until=2030-01-01 until=2031-01-01",
            '"protected_pull_policy: x until=2030-01-01 until=2031-01-01" says until twice',
        ),
        (f"protected_pull_policy: x{' ' * 10_000}y", "it is longer than 10000 characters"),
        (f"{'x' * 70}", f'"{"x" * 60}..." names no policy and reason'),
        ("protected_pull_policy: x\nand so on", '"and so on" names no policy and reason'),
    ],
)
def test_what_cannot_be_read_does_not_exempt(annotation: Any, why: str) -> None:
    report = exempted(_report(annotation), TODAY)
    assert [found.remark for found in report.findings] == [
        f"its annotation pullguard/exempt does not count: {why}; {_FORM}"
    ]
    assert report.exempt == ()


def test_a_policy_that_the_library_does_not_have_is_named_once() -> None:
    annotation = "protected_pull_polcy: x\nprotected_image_pinning: y"
    report = exempted(_report(annotation, annotation, None), TODAY)
    assert len(report.findings) == 3
    note = (
        "a.yaml: Pod dns is exempt from protected_pull_polcy, which is not a policy of the library; "
        "did you mean protected_pull_policy?"
    )
    assert report.notes == ("n", note)


@pytest.mark.parametrize(
    ("stated", "meant"),
    [
        ("rule-of-protected_pull_policy", "protected_pull_policy"),
        ("K8sProtectedPullPolicy", "protected_pull_policy"),
        ("protected-pull-policy", "protected_pull_policy"),
        ("PROTECTED_PULL_POLICY", "protected_pull_policy"),
        ("protected_image_cahce", "protected_image_cache"),
        ("image-pinning", "protected_image_pinning"),
        ("nothing-of-the-kind", None),
        ("x" * 9_000, None),
    ],
)
def test_what_was_meant_by_a_policy_that_is_not_there(stated: str, meant: str | None) -> None:
    report = exempted(replace(_report(f"{stated}: reason"), unused=("protected_image_cache",)), TODAY)
    expected = "which is not a policy of the library" + ("" if meant is None else f"; did you mean {meant}?")
    assert [note for note in report.notes if note.endswith(expected)] == list(report.notes[1:])
    assert len(report.notes) == 2


def test_a_policy_that_needs_a_cluster_is_one_of_the_library() -> None:
    report = exempted(replace(_report("protected_image_cache: x"), unused=("protected_image_cache",)), TODAY)
    assert report.notes == ("n",)


def test_the_present_day_is_the_default() -> None:
    # In every time zone, the day before yesterday is over and the day after tomorrow is not.
    for days, expected in ((-2, 0), (2, 1)):
        day = date.today() + timedelta(days=days)  # noqa: DTZ011 - see above
        report = exempted(_report(f"protected_pull_policy: x until={day.isoformat()}"))
        assert len(report.exempt) == expected


@given(st.dates(), st.dates())
def test_the_day_itself_is_the_last_one(today: date, until: date) -> None:
    report = exempted(_report(f"protected_pull_policy: x until={until.isoformat()}"), today)
    assert bool(report.exempt) == (today <= until)


@given(st.text() | st.text("until=:0123456789- \nprotected_pull_policy", max_size=60))
def test_any_text_is_decided(text: str) -> None:
    report = exempted(_report(text), TODAY)
    assert len(report.findings) + len(report.exempt) == 1
    if report.exempt:
        assert "protected_pull_policy" in text
