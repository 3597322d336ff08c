"""What running Suites gave, as text, JSON and JUnit's XML."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TextIO

from pullguard.evaluate.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult
from pullguard.reporters.text import printable

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

_OUTCOMES: tuple[Outcome, ...] = ("passed", "failed", "error", "skipped")
_WORDS: Mapping[Outcome, str] = {"passed": "ok", "failed": "FAIL", "error": "ERROR", "skipped": "skip"}
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_text(report: SuiteReport, stream: TextIO) -> None:
    """Write a line for each Suite, what has not passed in it, and the sums."""
    encoding = stream.encoding or "utf-8"
    for line in _lines(report):
        print(printable(line).encode(encoding, "backslashreplace").decode(encoding), file=stream)


def write_json(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as one JSON object, in ASCII."""
    counts = {outcome: report.count(outcome) for outcome in _OUTCOMES}
    document = {
        "engine": report.engine,
        "suites": [_suite(suite) for suite in report.suites],
        "summary": {
            "suites": len(report.suites),
            "tests": sum(len(suite.tests) for suite in report.suites),
            "cases": sum(1 for _ in report.cases),
            "passed": counts["passed"],
            "failed": counts["failed"],
            "error": counts["error"],
            "skipped": counts["skipped"],
            "seconds": round(report.seconds, 3),
        },
    }
    json.dump(document, stream, indent=2)
    stream.write("\n")


def write_junit(report: SuiteReport, stream: TextIO) -> None:
    """Write the report as JUnit's XML; what has no cases stands as a testcase of its own."""
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - only this format needs it

    top = ET.Element("testsuites", name="pullguard test", time=f"{report.seconds:.3f}")
    for suite in report.suites:
        found = list(_testcases(suite))
        element = ET.SubElement(top, "testsuite", name=_xml(suite.path), tests=str(len(found)))
        for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            element.set(attribute, str(sum(case.find(tag) is not None for case in found)))
        element.set("time", f"{suite.seconds:.3f}")
        element.extend(found)
    ET.indent(top)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ET.tostring(top, encoding="unicode") + "\n")


#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[SuiteReport, TextIO], None]] = {
    "text": write_text,
    "json": write_json,
    "junit": write_junit,
}


def _lines(report: SuiteReport) -> Iterator[str]:
    for suite in report.suites:
        said = f": {suite.message}" if suite.message else ""
        yield f"{_WORDS[suite.outcome]:<5} {suite.path}{said}"
        for number, test in enumerate(suite.tests):
            cases = [(place, case) for place, case in enumerate(test.cases) if case.outcome != "passed"]
            if test.message or cases:
                said = f": {test.message}" if test.message else ""
                yield f"  {_WORDS[test.outcome]:<5} {_name(test, number)}{said}"
            for place, case in cases:
                yield f"    {_WORDS[case.outcome]:<5} {_name(case, place)}: {case.message}"
    counts = ", ".join(f"{report.count(outcome)} {_plural(outcome)}" for outcome in _OUTCOMES if report.count(outcome))
    yield f"{counts}: {sum(1 for _ in report.cases)} cases in {len(report.suites)} Suites ({report.seconds:.2f} s)"


def _plural(outcome: Outcome) -> str:
    return "with errors" if outcome == "error" else outcome


def _suite(suite: SuiteResult) -> dict[str, Any]:
    return {"path": suite.path, **_result(suite), "tests": [_test(test) for test in suite.tests]}


def _test(test: TestResult) -> dict[str, Any]:
    cases = [{"name": case.name, **_result(case)} for case in test.cases]
    return {"name": test.name, **_result(test), "cases": cases}


def _result(result: SuiteResult | TestResult | CaseResult) -> dict[str, Any]:
    return {"outcome": result.outcome, "message": result.message, "seconds": round(result.seconds, 6)}


def _testcases(suite: SuiteResult) -> "Iterator[Element]":
    if not suite.tests:
        yield _testcase(suite.path, "Suite", suite)
    for number, test in enumerate(suite.tests):
        name = _name(test, number)
        if not test.cases:
            yield _testcase(suite.path, name, test)
        for place, case in enumerate(test.cases):
            yield _testcase(name, _name(case, place), case)


def _testcase(group: str, name: str, result: SuiteResult | TestResult | CaseResult) -> "Element":
    from xml.etree import ElementTree as ET  # noqa: PLC0415 - as above

    element = ET.Element("testcase", classname=_xml(group), name=_xml(name), time=f"{result.seconds:.6f}")
    tag = {"failed": "failure", "error": "error", "skipped": "skipped"}.get(result.outcome)
    if tag is not None:
        ET.SubElement(element, tag, message=_xml(result.message))
    return element


def _name(result: TestResult | CaseResult, place: int) -> str:
    """Return a name, or the 1-based place of what has none."""
    return result.name or f"#{place + 1}"


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot have."""
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
