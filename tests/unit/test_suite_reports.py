"""Reports about Suites: exit codes, and what the formats make of them."""

import io
import json
from xml.etree import ElementTree as ET

import pytest

from pullguard.core.errors import PullguardError
from pullguard.suites.formats import REPORTERS
from pullguard.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult, suite_result, worst
from pullguard.suites.suite_files import Suite

_CASES = (
    CaseResult("good", "passed", "", 0.25),
    CaseResult("", "failed", '2 violations, expected none; the messages are: \x1b[31m<a&"b">\n', 0.5),
    CaseResult("odd", "error", "o.yaml:3: has no version", 0.0),
    CaseResult("later", "skipped", "the Suite says skip"),
)
_SUITES = (
    SuiteResult(
        "a/suite.yaml",
        "error",
        "",
        0.75,
        (
            TestResult("some", "error", "", 0.75, _CASES),
            TestResult("", "failed", "the schema should refuse c.yaml, but Gatekeeper takes it"),
            TestResult("fine", "passed", "", 0.0, (CaseResult("", "passed"),)),
            TestResult("no cases", "passed"),
        ),
    ),
    SuiteResult("b.yaml", "error", "line 3: skip must be true or false"),
    SuiteResult("c.yaml", "skipped", "it says skip"),
)
_REPORT = SuiteReport("opa", _SUITES, 1.5)


def _written(name: str, report: SuiteReport = _REPORT) -> str:
    stream = io.StringIO()
    REPORTERS[name](report, stream)
    return stream.getvalue()


def test_text() -> None:
    assert _written("text") == (
        "ERROR a/suite.yaml\n"
        "  ERROR some\n"
        '    FAIL  #2: 2 violations, expected none; the messages are: \\x1b[31m<a&"b">\\n\n'
        "    ERROR odd: o.yaml:3: has no version\n"
        "    skip  later: the Suite says skip\n"
        "  FAIL  #2: the schema should refuse c.yaml, but Gatekeeper takes it\n"
        "ERROR b.yaml: line 3: skip must be true or false\n"
        "skip  c.yaml: it says skip\n"
        "3 passed, 2 failed, 2 with errors, 2 skipped: 5 cases in 3 Suites (1.50 s)\n"
    )


def test_text_where_all_is_well() -> None:
    suite = SuiteResult(
        "a.yaml", "passed", "", 0.0, (TestResult("t", "passed", "", 0.0, (CaseResult("c", "passed"),)),)
    )
    assert _written("text", SuiteReport("opa", (suite,), 0.1)) == (
        "ok    a.yaml\n1 passed: 1 cases in 1 Suites (0.10 s)\n"
    )


def test_text_on_narrow_streams() -> None:
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    REPORTERS["text"](SuiteReport("opa", (SuiteResult("é.yaml", "passed"),)), stream)
    stream.seek(0)
    assert stream.readline() == "ok    \\xe9.yaml\n"


def test_json() -> None:
    text = _written("json")
    assert text.isascii()
    report = json.loads(text)
    assert report["format"] == "pullguard-test/v1"
    assert report["engine"] == "opa"
    assert report["summary"] == {
        "suites": 3,
        "tests": 4,
        "cases": 5,
        "passed": 3,
        "failed": 2,
        "error": 2,
        "skipped": 2,
        "seconds": 1.5,
    }
    assert report["suites"][1:] == [
        {
            "path": "b.yaml",
            "outcome": "error",
            "message": "line 3: skip must be true or false",
            "seconds": 0.0,
            "tests": [],
        },
        {"path": "c.yaml", "outcome": "skipped", "message": "it says skip", "seconds": 0.0, "tests": []},
    ]
    assert report["suites"][0]["tests"][0]["cases"][1] == {
        "name": "",
        "outcome": "failed",
        "message": _CASES[1].message,
        "seconds": 0.5,
    }


def test_junit() -> None:
    text = _written("junit")
    assert text.startswith(
        '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="pullguard test" '
        'tests="9" failures="2" errors="2" skipped="2" time="1.500">\n'
    )
    top = ET.fromstring(text)  # noqa: S314 - our own text
    suites = top.findall("testsuite")
    assert [suite.attrib for suite in suites] == [
        {"name": "a/suite.yaml", "tests": "7", "failures": "2", "errors": "1", "skipped": "1", "time": "0.750"},
        {"name": "b.yaml", "tests": "1", "failures": "0", "errors": "1", "skipped": "0", "time": "0.000"},
        {"name": "c.yaml", "tests": "1", "failures": "0", "errors": "0", "skipped": "1", "time": "0.000"},
    ]
    found = [
        (case.get("classname"), case.get("name"), *((child.tag, child.get("message")) for child in case))
        for case in top.iter("testcase")
    ]
    assert found == [
        ("some", "good"),
        (
            "some",
            "#2",
            ("failure", '2 violations, expected none; the messages are: \\x1b[31m<a&"b">\n'),
        ),
        ("some", "odd", ("error", "o.yaml:3: has no version")),
        ("some", "later", ("skipped", "the Suite says skip")),
        ("a/suite.yaml", "#2", ("failure", "the schema should refuse c.yaml, but Gatekeeper takes it")),
        ("fine", "#1"),
        ("a/suite.yaml", "no cases"),
        ("b.yaml", "Suite", ("error", "line 3: skip must be true or false")),
        ("c.yaml", "Suite", ("skipped", "it says skip")),
    ]


@pytest.mark.parametrize(
    ("outcomes", "code"),
    [
        ((), 0),
        (("passed", "skipped"), 0),
        (("skipped",), 0),
        (("passed", "failed"), 1),
        (("failed", "error"), 2),
        (("error",), 2),
    ],
)
def test_exit_codes(outcomes: tuple[Outcome, ...], code: int) -> None:
    cases = tuple(CaseResult("", outcome) for outcome in outcomes)
    suite = SuiteResult("a", worst(iter(outcomes)), "", 0.0, (TestResult("", worst(iter(outcomes)), "", 0.0, cases),))
    assert SuiteReport("opa", (suite,)).exit_code == code


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ((), "passed"),
        (("skipped",), "skipped"),
        (("skipped", "passed"), "passed"),
        (("passed", "failed", "skipped"), "failed"),
        (("failed", "error"), "error"),
    ],
)
def test_worst(outcomes: tuple[Outcome, ...], expected: Outcome) -> None:
    assert worst(iter(outcomes)) == expected


def test_results_of_suites() -> None:
    suite = Suite("a.yaml", "/", "/", skip=False, tests=())
    tests = (TestResult("x", "passed", "", 0.5), TestResult("y", "failed", "m", 0.25))
    assert suite_result(suite, tests) == SuiteResult("a.yaml", "failed", "", 0.75, tests)
    skipped = Suite("a.yaml", "/", "/", skip=True, tests=())
    assert suite_result(skipped, ()) == SuiteResult("a.yaml", "skipped", "it says skip")
    error = PullguardError("is wrong", file="b.yaml", line=3, remedy="correct it")
    assert suite_result(error, ()) == SuiteResult("b.yaml", "error", "line 3: is wrong; correct it")
    assert suite_result(PullguardError("is wrong"), ()) == SuiteResult("", "error", "is wrong")
