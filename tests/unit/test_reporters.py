"""Reports in every format, compared whole."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import cmarkgfm  # type: ignore[import-untyped]
import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.check.formats import REPORTERS
from pullguard.core.findings import (
    Compared,
    ContainerRef,
    Exempted,
    Finding,
    KnownFinding,
    Location,
    ObjectRef,
    Reason,
    Report,
    RuleInfo,
    Unjudged,
)
from pullguard.core.formats.text import inert, printable
from pullguard.core.inputs.problems import InputError
from pullguard.judging import words

FINDING = Finding(
    rule="pull-policy-always",
    severity="high",
    policy="protected_pull_policy",
    constraints=("by-label", "by-name"),
    action="dryrun",
    file="a/deploy.yaml",
    line=12,
    document=1,
    item=(),
    object=ObjectRef("apps/v1", "Deployment", "kube-system", "dns"),
    container=ContainerRef("initContainers", "setup", 0),
    image="dns:1.2",
    message="The pull policy is Always.\nSet IfNotPresent.",
    details={"path": "spec.template.spec.initContainers[0]", "stated": None},
    fingerprint="f00",
    namespace_assumed=False,
)
PROBLEM = InputError("b.yaml", 3, 0, "this is not YAML; see line 3")
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
    errors=(PROBLEM, InputError("gone.yaml", None, None, "is not there")),
    files=4,
    documents=5,
    objects=1,
    library="./library",
    notes=("a note",),
)
PAGE = "library/policies/protected_pull_policy/README.md"
RULES = (
    RuleInfo(
        id="pull-policy-always",
        severity="high",
        title="It is Always",
        policy="protected_pull_policy",
        description="In protected\nplaces no Always.",
        page=PAGE,
        explain="pullguard explain protected_pull_policy",
    ),
    RuleInfo("pull-policy-invalid", "medium", "It is none", "protected_pull_policy", "", "", ""),
)
#: A report with everything that does not count.
WHOLE = replace(
    REPORT,
    findings=(replace(FINDING, remark="its exemption ended on 2026-01-31: later"),),
    errors=(PROBLEM,),
    rules=RULES,
    exempt=(
        Exempted(replace(FINDING, file="e.yaml", line=3, fingerprint="e00"), "the vendor's", date(2027, 1, 31)),
        Exempted(replace(FINDING, file="e.yaml", line=9, fingerprint="e01"), "for ever", None),
    ),
    baseline=Compared(
        "known.json",
        known=(replace(FINDING, file="k.yaml", fingerprint="k00"),),
        gone=(KnownFinding("g00", "pull-policy-always", "g.yaml", "Pod a/b", "containers c"),),
        written=False,
    ),
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

b.yaml:3: error: this is not YAML; see line 3
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
    assert sorted(REPORTERS) == ["github", "gitlab", "json", "junit", "markdown", "sarif", "text"]


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
        item=(),
        object=ObjectRef(text, text, text, text),
        container=ContainerRef("containers", text, 0),
        image=text,
        message=text,
        details=text,
        fingerprint="f",
        namespace_assumed=True,
    )
    return Report((found,), (InputError(text, 1, 0, text),), 1, 1, 1, library=text, notes=(text,))


def lines(text: str) -> Iterator[str]:
    yield from text.removesuffix("\n").split("\n")


@given(st.text() | st.just(HOSTILE) | st.text(st.characters(max_codepoint=0x9F)))
def test_nothing_hostile_reaches_a_terminal(text: str) -> None:
    benign = len(list(lines(written("text", hostile("x")))))
    shown = written("text", hostile(text))
    assert all(line.isprintable() for line in lines(shown))
    assert len(list(lines(shown))) == benign + len(text.splitlines()) - 1
    assert shown.startswith(inert(f"{printable(text)}:1: high: "))


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
    assert list(value) == ["format", "findings", "exempt", "baseline", "errors", "unjudged", "summary"]
    assert value["format"] == "pullguard-check/v1"
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
        "namespaceAssumed": False,
        "remark": None,
        "template": None,
        "values": [],
        "builds": [],
    }
    assert (value["findings"][1]["container"], value["findings"][1]["image"]) == (None, None)
    assert value["errors"] == [
        {"file": "b.yaml", "line": 3, "document": 0, "message": "this is not YAML; see line 3"},
        {"file": "gone.yaml", "line": None, "document": None, "message": "is not there"},
    ]
    assert value["summary"] == {
        "files": 4,
        "documents": 5,
        "objects": 1,
        "findings": 3,
        "exempt": 0,
        "known": 0,
        "errors": 2,
        "unjudged": dict.fromkeys(("namespace", "kind", "not-rendered", "placeholder", "cluster"), 0),
    }


def test_json_without_findings() -> None:
    assert json.loads(written("json", EMPTY)) == {
        "format": "pullguard-check/v1",
        "findings": [],
        "exempt": [],
        "baseline": None,
        "errors": [],
        "unjudged": [],
        "summary": {
            "files": 1,
            "documents": 1,
            "objects": 2,
            "findings": 0,
            "exempt": 0,
            "known": 0,
            "errors": 0,
            "unjudged": dict.fromkeys(("namespace", "kind", "not-rendered", "placeholder", "cluster"), 0),
        },
    }


UNJUDGED = replace(
    EMPTY,
    unjudged=(
        Unjudged("namespace", 12, ("shop", "web"), None, "12 objects in shop, web are not judged"),
        Unjudged("kind", 2, ("Web",), Location("a.yaml", 3), "2 objects are not judged: Web *a*"),
        Unjudged("kind", 1, ("Job",), Location("b.yaml", 1), "1 object is not judged"),
    ),
)


def test_text_of_what_was_not_judged() -> None:
    assert written("text", UNJUDGED).splitlines()[1:4] == [
        "12 objects in shop, web are not judged",
        "2 objects are not judged: Web *a*",
        "1 object is not judged",
    ]


def test_markdown_of_what_was_not_judged() -> None:
    lines = written("markdown", UNJUDGED).splitlines()
    assert r"- 2 objects are not judged: Web \*a\*" in lines


def test_github_of_what_was_not_judged() -> None:
    assert "%0A12 objects in shop, web are not judged%0A" in written("github", UNJUDGED)


def test_json_of_what_was_not_judged() -> None:
    value = json.loads(written("json", UNJUDGED))
    assert value["unjudged"][:2] == [
        {
            "reason": "namespace",
            "count": 12,
            "names": ["shop", "web"],
            "file": None,
            "line": None,
            "message": "12 objects in shop, web are not judged",
        },
        {
            "reason": "kind",
            "count": 2,
            "names": ["Web"],
            "file": "a.yaml",
            "line": 3,
            "message": "2 objects are not judged: Web *a*",
        },
    ]
    assert value["summary"]["unjudged"] == {
        "namespace": 12,
        "kind": 3,
        "not-rendered": 0,
        "placeholder": 0,
        "cluster": 0,
    }


def test_sarif_of_what_was_not_judged() -> None:
    notifications = json.loads(written("sarif", UNJUDGED))["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    place = {"artifactLocation": {"uri": "a.yaml", "uriBaseId": "%SRCROOT%"}, "region": {"startLine": 3}}
    assert notifications[:2] == [
        {
            "level": "note",
            "message": {"text": "12 objects in shop, web are not judged"},
            "descriptor": {"id": "unjudged-namespace"},
        },
        {
            "level": "note",
            "message": {"text": "2 objects are not judged: Web *a*"},
            "descriptor": {"id": "unjudged-kind"},
            "locations": [{"physicalLocation": place}],
        },
    ]


@pytest.mark.parametrize("reason", ["namespace", "kind", "not-rendered", "placeholder", "cluster"])
def test_what_was_not_judged_is_an_error_only_if_it_is_strict(reason: Reason) -> None:
    report = replace(EMPTY, unjudged=(Unjudged(reason, 1, (), None, "m"),))
    assert report.exit_code("dryrun") == 0
    assert report.exit_code("dryrun", strict=True) == (0 if reason == "cluster" else 2)


@given(st.text())
def test_json_keeps_every_text(text: str) -> None:
    value = json.loads(written("json", hostile(text)))
    assert value["findings"][0]["object"]["name"] == text
    assert value["errors"][0]["message"] == text


def test_text_of_what_does_not_count() -> None:
    assert (
        written("text", WHOLE)
        == """\
a/deploy.yaml:12: high: pull-policy-always
  Deployment kube-system/dns, init container setup
  The pull policy is Always.
  Set IfNotPresent.
  its exemption ended on 2026-01-31: later
  constraints by-label, by-name (dryrun)

e.yaml:3: exempt: pull-policy-always
  Deployment kube-system/dns, init container setup
  exempt until 2027-01-31: the vendor's
e.yaml:9: exempt: pull-policy-always
  Deployment kube-system/dns, init container setup
  exempt: for ever

gone: g.yaml: pull-policy-always, Pod a/b, containers c

b.yaml:3: error: this is not YAML; see line 3

1 finding (1 high) and 1 error in 1 object of 4 files
2 findings exempt
1 known finding of the baseline known.json; 1 of it gone: write it again with --write-baseline
Library: ./library
protected_pull_policy: see library/policies/protected_pull_policy/README.md, or \
`pullguard explain protected_pull_policy`
Note: a note
"""
    )


@pytest.mark.parametrize(
    ("known", "gone", "written", "line"),
    [
        (0, 0, False, "0 known findings of the baseline known.json"),
        (2, 0, True, "2 known findings in the baseline known.json, which was written"),
        (1, 1, True, "1 known finding in the baseline known.json, which was written; 1 gone"),
    ],
)
def test_the_line_on_a_baseline(known: int, gone: int, *, written: bool, line: str) -> None:
    entry = KnownFinding("f", "r", "f.yaml", "Pod a", "")
    compared = Compared("known.json", (FINDING,) * known, (entry,) * gone, written)
    assert list(words.uncounted(replace(EMPTY, baseline=compared))) == [line]


def test_the_page_that_comes_with_pullguard_is_not_shown() -> None:
    rules = (replace(RULES[0], page="/usr/lib/page.md", explain="pullguard explain x"),)
    assert "\nprotected_pull_policy: see `pullguard explain x`\n" in written("text", replace(WHOLE, rules=rules))


def test_a_terminal_links_rules_with_pages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.chdir(tmp_path)
    link = f"\x1b]8;;{(tmp_path / PAGE).as_uri()}\x1b\\pull-policy-always\x1b]8;;\x1b\\"
    assert written("text", WHOLE, Terminal()).count(link) == 3


def test_json_of_what_does_not_count() -> None:
    value = json.loads(written("json", WHOLE))
    assert value["findings"][0]["remark"] == "its exemption ended on 2026-01-31: later"
    assert [(entry["reason"], entry["until"], entry["finding"]["line"]) for entry in value["exempt"]] == [
        ("the vendor's", "2027-01-31", 3),
        ("for ever", None, 9),
    ]
    assert (value["baseline"]["file"], value["baseline"]["written"]) == ("known.json", False)
    assert [entry["fingerprint"] for entry in value["baseline"]["known"]] == ["k00"]
    assert value["baseline"]["gone"] == [
        {
            "fingerprint": "g00",
            "rule": "pull-policy-always",
            "file": "g.yaml",
            "object": "Pod a/b",
            "container": "containers c",
        }
    ]
    summary = value["summary"]
    assert (summary["findings"], summary["exempt"], summary["known"], summary["errors"]) == (1, 2, 1, 1)


def _sarif(report: Report) -> Any:
    schema = Path(__file__).resolve().parent.parent / "schemas" / "sarif-2.1.0.json"
    log = json.loads(written("sarif", report))
    jsonschema_rs.validator_for(json.loads(schema.read_text())).validate(log)
    (run,) = log["runs"]
    return run


def test_sarif() -> None:
    run = _sarif(WHOLE)
    assert [
        (
            result["ruleId"],
            result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
            result["partialFingerprints"]["pullguard/v1"],
            result["baselineState"],
            [(entry["kind"], entry["justification"]) for entry in result["suppressions"]],
        )
        for result in run["results"]
    ] == [
        ("pull-policy-always", "a/deploy.yaml", 12, "f00", "new", []),
        (
            "pull-policy-always",
            "k.yaml",
            12,
            "k00",
            "unchanged",
            [("external", "known: it is in the baseline known.json")],
        ),
        ("pull-policy-always", "e.yaml", 3, "e00", "new", [("inSource", "exempt until 2027-01-31: the vendor's")]),
        ("pull-policy-always", "e.yaml", 9, "e01", "new", [("inSource", "exempt: for ever")]),
    ]
    assert run["results"][0]["message"]["text"] == (
        "Deployment kube-system/dns, init container setup\n"
        "The pull policy is Always.\nSet IfNotPresent.\nits exemption ended on 2026-01-31: later\n"
        "constraints by-label, by-name (dryrun)"
    )
    assert run["results"][0]["properties"] == {
        "policy": "protected_pull_policy",
        "enforcementAction": "dryrun",
        "constraints": ["by-label", "by-name"],
    }
    assert [(rule["id"], rule["help"]) for rule in run["tool"]["driver"]["rules"]] == [
        (
            "pull-policy-always",
            {
                "text": "In protected places no Always.\n\npullguard explain protected_pull_policy says more.",
                "markdown": "In protected places no Always.\n\n`pullguard explain protected_pull_policy` says more.",
            },
        ),
        ("pull-policy-invalid", {"text": "It is none", "markdown": "It is none"}),
    ]
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [(entry["level"], entry["message"]["text"]) for entry in invocation["toolExecutionNotifications"]] == [
        ("error", "this is not YAML; see line 3"),
        ("note", "2 findings exempt"),
        ("note", "1 known finding of the baseline known.json; 1 of it gone: write it again with --write-baseline"),
        ("note", "a note"),
    ]


def test_sarif_of_rules_that_the_library_does_not_describe() -> None:
    run = _sarif(replace(REPORT, findings=(replace(FINDING, rule="others"),)))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == ["others"]
    assert "baselineState" not in run["results"][0]


def test_junit() -> None:
    top = ET.fromstring(written("junit", WHOLE))  # noqa: S314 - our own text
    assert top.attrib == {"name": "pullguard check", "tests": "6", "failures": "1", "errors": "1", "skipped": "3"}
    name = "pull-policy-always: Deployment kube-system/dns, init container setup"
    assert [
        (suite.get("name"), case.get("name"), case.get("line"), [(child.tag, child.get("message")) for child in case])
        for suite in top
        for case in suite
    ] == [
        (
            "a/deploy.yaml",
            name,
            "12",
            [
                (
                    "failure",
                    "The pull policy is Always.\nSet IfNotPresent.\nits exemption ended on 2026-01-31: later",
                )
            ],
        ),
        ("b.yaml", "error on line 3", "3", [("error", "this is not YAML; see line 3")]),
        ("e.yaml", name, "3", [("skipped", "exempt until 2027-01-31: the vendor's")]),
        ("e.yaml", name, "9", [("skipped", "exempt: for ever")]),
        ("k.yaml", name, "12", [("skipped", "known: it is in the baseline known.json")]),
        ("rules without findings", "pull-policy-invalid", None, []),
    ]


def test_junit_without_findings_is_not_empty() -> None:
    top = ET.fromstring(written("junit", replace(EMPTY, rules=RULES)))  # noqa: S314 - our own text
    assert [case.get("name") for case in top.iter("testcase")] == ["pull-policy-always", "pull-policy-invalid"]


def _annotations(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Read commands as the runner of GitHub Actions does."""

    def data(value: str) -> str:
        return value.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")

    found = []
    for line in lines(text):
        command, _, message = line.removeprefix("::").partition("::")
        name, _, rest = command.partition(" ")
        properties = dict(entry.split("=", 1) for entry in rest.split(","))
        values = {key: data(value.replace("%3A", ":").replace("%2C", ",")) for key, value in properties.items()}
        found.append((name, values, data(message)))
    return found


def test_github() -> None:
    subject = "Deployment kube-system/dns, init container setup"
    assert _annotations(written("github", WHOLE)) == [
        (
            "error",
            {"title": "pull-policy-always", "file": "a/deploy.yaml", "line": "12"},
            (
                f"{subject}\nThe pull policy is Always.\nSet IfNotPresent.\nits exemption ended on 2026-01-31: later\n"
                "constraints by-label, by-name (dryrun)"
            ),
        ),
        ("error", {"title": "pullguard: error", "file": "b.yaml", "line": "3"}, "this is not YAML; see line 3"),
        (
            "notice",
            {"title": "pull-policy-always", "file": "e.yaml", "line": "3"},
            f"{subject}\nexempt until 2027-01-31: the vendor's",
        ),
        ("notice", {"title": "pull-policy-always", "file": "e.yaml", "line": "9"}, f"{subject}\nexempt: for ever"),
        (
            "notice",
            {"title": "pullguard"},
            (
                "1 finding (1 high) and 1 error in 1 object of 4 files\n2 findings exempt\n"
                "1 known finding of the baseline known.json; 1 of it gone: write it again with --write-baseline\n"
                "gone: g.yaml: pull-policy-always, Pod a/b, containers c\nLibrary: ./library\na note"
            ),
        ),
    ]


@given(st.text() | st.just(HOSTILE) | st.just("::error::x\n::stop-commands::y") | st.just("50%25, a:b,c=d"))
def test_nothing_hostile_becomes_a_command(text: str) -> None:
    found = _annotations(written("github", hostile(text)))
    assert [name for name, _, _ in found] == ["error", "error", "notice"]
    shown = "\n".join(map(printable, text.split("\n")))
    assert found[0][1]["file"] == shown
    assert found[1][2] == shown


def test_gitlab() -> None:
    subject = "Deployment kube-system/dns, init container setup"
    assert json.loads(written("gitlab", WHOLE)) == [
        {
            "description": f"{subject}: The pull policy is Always. Set IfNotPresent. "
            "its exemption ended on 2026-01-31: later",
            "check_name": "pull-policy-always",
            "fingerprint": "f00",
            "severity": "critical",
            "location": {"path": "a/deploy.yaml", "lines": {"begin": 12}},
        },
        {
            "description": f"{subject}: exempt until 2027-01-31: the vendor's",
            "check_name": "pull-policy-always",
            "fingerprint": "e00",
            "severity": "info",
            "location": {"path": "e.yaml", "lines": {"begin": 3}},
        },
        {
            "description": f"{subject}: exempt: for ever",
            "check_name": "pull-policy-always",
            "fingerprint": "e01",
            "severity": "info",
            "location": {"path": "e.yaml", "lines": {"begin": 9}},
        },
        {
            "description": "error: this is not YAML; see line 3",
            "check_name": "pullguard-error",
            "fingerprint": "error-0-b.yaml",
            "severity": "blocker",
            "location": {"path": "b.yaml", "lines": {"begin": 3}},
        },
    ]
    assert json.loads(written("gitlab", EMPTY)) == []


def test_markdown() -> None:
    assert (
        written("markdown", WHOLE)
        == """\
### pullguard

**1 finding \\(1 high\\) and 1 error in 1 object of 4 files**

| severity | rule | place | object | what is wrong |
| --- | --- | --- | --- | --- |
| high | `pull-policy-always` | `a/deploy.yaml:12` | `Deployment kube-system/dns, init container setup` | \
The pull policy is Always. Set IfNotPresent. its exemption ended on 2026\\-01\\-31: later |

#### Errors

| place | what is wrong |
| --- | --- |
| `b.yaml:3` | this is not YAML; see line 3 |

#### Exempt

| rule | place | object | why |
| --- | --- | --- | --- |
| `pull-policy-always` | `e.yaml:3` | `Deployment kube-system/dns, init container setup` | \
exempt until 2027\\-01\\-31: the vendor's |
| `pull-policy-always` | `e.yaml:9` | `Deployment kube-system/dns, init container setup` | exempt: for ever |

#### Gone since the baseline

| rule | file | object |
| --- | --- | --- |
| `pull-policy-always` | `g.yaml` | `Pod a/b, containers c` |

- 2 findings exempt
- 1 known finding of the baseline known.json; 1 of it gone: write it again with \\-\\-write\\-baseline
- Library: ./library
- `pullguard explain protected_pull_policy`
- a note
"""
    )


@pytest.mark.parametrize("number", [50, 1000])
def test_long_markdown_fits_into_a_comment(number: int) -> None:
    assert WHOLE.baseline is not None
    report = replace(
        WHOLE,
        findings=WHOLE.findings * number,
        errors=WHOLE.errors * number,
        exempt=WHOLE.exempt * number,
        baseline=replace(WHOLE.baseline, gone=WHOLE.baseline.gone * number),
    )
    text = written("markdown", report)
    assert len(text) < 65_536
    hidden = list(map(int, re.findall(r"\n\nAnd ([0-9]+) more\.\n", text)))
    shown = len(re.findall("^\\| (?!(severity|place|rule|---) )", text, re.MULTILINE))
    assert shown + sum(hidden) == 5 * number
    assert len(hidden) == (0 if number == 50 else 4)
    assert shown > 100


def test_a_row_that_is_too_long_is_left_out() -> None:
    text = written("markdown", replace(REPORT, findings=(replace(FINDING, message="x" * 100_000), FINDING), errors=()))
    assert "\n| --- | --- | --- | --- | --- |\n\nAnd 2 more.\n" in text


@given(st.text(min_size=1) | st.just("<img src=x> | @team #1 https://a.io ` `` [x](y)"))
def test_nothing_hostile_becomes_markup(text: str) -> None:
    page = cmarkgfm.github_flavored_markdown_to_html(written("markdown", hostile(text)))
    rest = re.sub(r"</?(h3|h4|p|strong|table|thead|tbody|tr|th|td|code|ul|li)>", "", page)
    assert "<" not in rest
