"""JUnit's XML, as a parser reads it back."""

import io
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.formats import junit


def _written(*suites: junit.Suite, seconds: float | None = None) -> str:
    stream = io.StringIO()
    junit.write("pullguard", suites, stream, seconds=seconds)
    return stream.getvalue()


def test_a_report() -> None:
    suite = junit.Suite(
        "s",
        [
            junit.Case("g", "good", "passed", seconds=0.25),
            junit.Case("g", "bad", "failure", 'is "bad" & <ugly>', "more\nof it", file="a.yaml", line=3),
            junit.Case("g", "broken", "error", "m"),
            junit.Case("g", "later", "skipped", "m"),
        ],
        0.5,
    )
    assert (
        _written(suite, junit.Suite("empty", []), seconds=1)
        == """\
<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="pullguard" tests="4" failures="1" errors="1" skipped="1" time="1.000">
  <testsuite name="s" tests="4" failures="1" errors="1" skipped="1" time="0.500">
    <testcase classname="g" name="good" time="0.250000" />
    <testcase classname="g" name="bad" file="a.yaml" line="3">
      <failure message="is &quot;bad&quot; &amp; &lt;ugly&gt;">more
of it</failure>
    </testcase>
    <testcase classname="g" name="broken">
      <error message="m" />
    </testcase>
    <testcase classname="g" name="later">
      <skipped message="m" />
    </testcase>
  </testsuite>
  <testsuite name="empty" tests="0" failures="0" errors="0" skipped="0" />
</testsuites>
"""
    )


@given(st.text(st.characters(), min_size=1, max_size=20))
def test_any_text_gives_xml(text: str) -> None:
    top = ET.fromstring(_written(junit.Suite(text, [junit.Case(text, text, "failure", text, text, file=text)])))  # noqa: S314 - our own text
    (case,) = top.iter("testcase")
    if text.isprintable():
        (failure,) = case
        assert {case.get("name"), case.get("file"), failure.get("message"), failure.text} == {text}
