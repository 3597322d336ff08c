"""JUnit's XML, as Jenkins, GitLab and most other CI systems read it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TextIO
from xml.etree import ElementTree as ET

#: What became of a testcase.
Outcome = Literal["passed", "failure", "error", "skipped"]

_COUNTS: Mapping[str, str] = {"": "tests", "failure": "failures", "error": "errors", "skipped": "skipped"}
# XML can have DEL, but a terminal obeys it; what is beyond ASCII is written as references.
_NOT_XML = re.compile("[^\t\n\r\x20-\x7e\x80-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Case:
    """A testcase.

    Attributes:
        group: What it belongs to; CI systems group by it.
        name: Its name.
        outcome: What became of it.
        message: Why it has not passed, a line.
        text: More about that; "" if there is no more.
        seconds: Time, or None if there is none of its own.
        file: The file that it is about; "" if there is none.
        line: From 1; None if it is not known.
    """

    group: str
    name: str
    outcome: Outcome
    message: str = ""
    text: str = ""
    seconds: float | None = None
    file: str = ""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A testsuite with its cases; `seconds` is None if there is no time to tell."""

    name: str
    cases: Sequence[Case]
    seconds: float | None = None


def write(name: str, suites: Sequence[Suite], stream: TextIO, *, seconds: float | None = None) -> None:
    """Write a report; characters that XML cannot have, and DEL, are escaped as Python writes them."""
    top = ET.Element("testsuites", name=_xml(name))
    for outcome, attribute in _COUNTS.items():
        top.set(attribute, str(sum(_count(suite, outcome) for suite in suites)))
    _set_time(top, seconds, digits=3)
    for suite in suites:
        element = ET.SubElement(top, "testsuite", name=_xml(suite.name))
        for outcome, attribute in _COUNTS.items():
            element.set(attribute, str(_count(suite, outcome)))
        _set_time(element, suite.seconds, digits=3)
        element.extend(_case(case) for case in suite.cases)
    ET.indent(top)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    # In ASCII, with references for everything else, so that every stream can encode it.
    stream.write(ET.tostring(top, encoding="us-ascii").decode("ascii") + "\n")


def _count(suite: Suite, outcome: str) -> int:
    return sum(outcome in {"", case.outcome} for case in suite.cases)


def _case(case: Case) -> ET.Element:
    element = ET.Element("testcase", classname=_xml(case.group), name=_xml(case.name))
    _set_time(element, case.seconds, digits=6)
    if case.file:
        element.set("file", _xml(case.file))
    if case.line is not None:
        element.set("line", str(case.line))
    if case.outcome != "passed":
        inside = ET.SubElement(element, case.outcome, message=_xml(case.message))
        if case.text:
            inside.text = _xml(case.text)
    return element


def _set_time(element: ET.Element, seconds: float | None, *, digits: int) -> None:
    if seconds is not None:
        element.set("time", f"{seconds:.{digits}f}")


def _xml(text: str) -> str:
    """Return a text without the characters that XML cannot have."""
    return _NOT_XML.sub(lambda found: found[0].encode("unicode_escape").decode(), text)
