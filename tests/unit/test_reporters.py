"""Reports as text and as JSON, compared whole."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.findings import ContainerRef, Finding, ObjectRef, Problem, Report
from pullguard.reporters import REPORTERS
from pullguard.reporters.formats.text import printable

FINDING = Finding(
    rule="pull-policy-always",
    severity="high",
    policy="protected_pull_policy",
    constraints=("by-label", "by-name"),
    action="dryrun",
    file="a/deploy.yaml",
    line=12,
    document=1,
    object=ObjectRef("apps/v1", "Deployment", "kube-system", "dns"),
    container=ContainerRef("initContainers", "setup", 0),
    image="dns:1.2",
    message="The pull policy is Always.\nSet IfNotPresent.",
    details={"path": "spec.template.spec.initContainers[0]", "stated": None},
    fingerprint="f00",
    namespace_assumed=False,
)
PROBLEM = Problem("b.yaml", 3, 0, "this is no YAML; see line 3")
REPORT = Report(
    findings=(
        FINDING,
        replace(
            FINDING,
            constraints=("by-name",),
            action="deny",
            severity="critical",
            line=20,
            container=None,
            image=None,
            object=ObjectRef("v1", "Pod", "", ""),
            namespace_assumed=True,
            message="m",
        ),
        replace(
            FINDING,
            file="c.yaml",
            container=ContainerRef("volumes", "", 1),
            namespace_assumed=True,
            severity="medium",
            message="",
        ),
    ),
    errors=(PROBLEM, Problem("gone.yaml", None, None, "is not there")),
    files=4,
    documents=5,
    objects=1,
    library="./library",
    notes=("a note",),
)
EMPTY = Report((), (), files=1, documents=1, objects=2, library="lib", notes=())

TEXT = """\
a/deploy.yaml:12: high: pull-policy-always
  Deployment kube-system/dns, init container setup
  The pull policy is Always.
  Set IfNotPresent.
  constraints by-label, by-name (dryrun)
a/deploy.yaml:20: critical: pull-policy-always
  Pod (no name), namespace unknown
  m
  constraint by-name (deny)

c.yaml:12: medium: pull-policy-always
  Deployment kube-system/dns, image volume number 2, labels of the namespace unknown
  constraints by-label, by-name (dryrun)

b.yaml:3: error: this is no YAML; see line 3
gone.yaml: error: is not there

3 findings (1 critical, 1 high, 1 medium) and 2 errors in 1 object of 4 files
Library: ./library
Note: a note
Note: 1 finding in objects that state no namespace: they count as protected; give the namespace that they go to with \
--namespace
Note: the labels of kube-system are not known, so the objects there count as protected; check the Namespace manifests \
along with them
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def written(name: str, report: Report, stream: io.StringIO | None = None) -> str:
    stream = stream or io.StringIO()
    REPORTERS[name](report, stream)
    return stream.getvalue()


def test_the_formats() -> None:
    assert sorted(REPORTERS) == ["json", "text"]


def test_text() -> None:
    assert written("text", REPORT) == TEXT


def test_text_without_findings() -> None:
    assert written("text", EMPTY) == "0 findings and 0 errors in 2 objects of 1 file\nLibrary: lib\n"


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    coloured = written("text", REPORT, Terminal())
    assert "\x1b[31mhigh\x1b[0m" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == TEXT


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_no_colours_on_a_terminal_that_wants_none(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(name, value)
    assert written("text", REPORT, Terminal()) == TEXT


HOSTILE = "\x1b]0;owned\x07\r\n\x9b2J\u202e\u2028 ünï\udcff"


def hostile(text: str) -> Report:
    found = Finding(
        rule=text,
        severity="high",
        policy=text,
        constraints=(text,),
        action=text,
        file=text,
        line=1,
        document=0,
        object=ObjectRef(text, text, text, text),
        container=ContainerRef("containers", text, 0),
        image=text,
        message=text,
        details=text,
        fingerprint="f",
        namespace_assumed=True,
    )
    return Report((found,), (Problem(text, 1, 0, text),), 1, 1, 1, library=text, notes=(text,))


def lines(text: str) -> Iterator[str]:
    yield from text.removesuffix("\n").split("\n")


@given(st.text() | st.just(HOSTILE) | st.text(st.characters(max_codepoint=0x9F)))
def test_nothing_hostile_reaches_a_terminal(text: str) -> None:
    benign = len(list(lines(written("text", hostile("x")))))
    shown = written("text", hostile(text))
    assert all(line.isprintable() for line in lines(shown))
    assert len(list(lines(shown))) == benign + len(text.splitlines()) - 1
    assert shown.startswith(f"{printable(text)}:1: high: ")


def test_printable() -> None:
    assert printable(HOSTILE) == r"\x1b]0;owned\x07\r\n\x9b2J\u202e\u2028 ünï\udcff"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_text_on_a_stream_that_cannot_write_everything(encoding: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="\n")
    REPORTERS["text"](replace(EMPTY, library="ünï→"), stream)
    stream.flush()
    expected = {"ascii": r"\xfcn\xef\u2192", "latin-1": "ünï\\u2192", "utf-8": "ünï→"}[encoding]
    assert raw.getvalue().decode(encoding).splitlines()[1] == f"Library: {expected}"


def test_json() -> None:
    text = written("json", REPORT)
    assert text.isascii()
    assert text.endswith("}\n")
    value = json.loads(text)
    assert list(value) == ["findings", "errors", "summary"]
    assert value["findings"][0] == {
        "rule": "pull-policy-always",
        "severity": "high",
        "policy": "protected_pull_policy",
        "constraints": ["by-label", "by-name"],
        "enforcementAction": "dryrun",
        "file": "a/deploy.yaml",
        "line": 12,
        "document": 1,
        "object": {"apiVersion": "apps/v1", "kind": "Deployment", "namespace": "kube-system", "name": "dns"},
        "container": {"list": "initContainers", "name": "setup", "index": 0},
        "image": "dns:1.2",
        "message": "The pull policy is Always.\nSet IfNotPresent.",
        "details": {"path": "spec.template.spec.initContainers[0]", "stated": None},
        "fingerprint": "f00",
    }
    assert (value["findings"][1]["container"], value["findings"][1]["image"]) == (None, None)
    assert value["errors"] == [
        {"file": "b.yaml", "line": 3, "document": 0, "message": "this is no YAML; see line 3"},
        {"file": "gone.yaml", "line": None, "document": None, "message": "is not there"},
    ]
    assert value["summary"] == {"files": 4, "documents": 5, "objects": 1, "findings": 3, "errors": 2}


def test_json_without_findings() -> None:
    assert json.loads(written("json", EMPTY)) == {
        "findings": [],
        "errors": [],
        "summary": {"files": 1, "documents": 1, "objects": 2, "findings": 0, "errors": 0},
    }


@given(st.text())
def test_json_keeps_every_text(text: str) -> None:
    value = json.loads(written("json", hostile(text)))
    assert value["findings"][0]["object"]["name"] == text
    assert value["errors"][0]["message"] == text
