"""Texts from manifests, paths and servers are only text in every report: no terminal and no CI system obeys them."""

import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pullguard import cli
from pullguard.check.formats import REPORTERS
from pullguard.check.formats.markdown import write as write_markdown
from pullguard.cluster.kubectl import _SECRET
from pullguard.core.findings import Compared, ContainerRef, Exempted, KnownFinding, ObjectRef, Report
from pullguard.core.formats.text import inert, page
from pullguard.core.inputs.problems import InputError
from pullguard.explain import explain
from sample_findings import FINDING

COMMANDS = (
    "##vso[task.setvariable variable=PATH]x",
    "##VSO[x]",
    "##[set-output name=approved]true",
    "###[error]x",
    "##teamcity[buildStatus]",
    "::error::x",
    " \t::set-env name=PATH::x",
    "::stop-commands::x",
)
_NASTY = (
    *COMMANDS,
    "\x1b[2J",
    "\x1b]8;;http://a\x07",
    "\u202e",
    "\u2066",
    "\r",
    "\n",
    "\x00",
    "\x9b1m",
    "\udcff",
    "`|<b>@a",
)
#: What Azure Pipelines, GitHub Actions and TeamCity look for in a line.
_IS_COMMAND = re.compile(r"##\w*\[|^\s*::")


def hostile() -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(_NASTY) | st.text(max_size=5), min_size=1, max_size=5).map("".join)


def report_of(text: str) -> Report:
    found = replace(
        FINDING,
        file=text,
        message=text,
        rule=text,
        constraints=(text,),
        object=ObjectRef(text, text, text, text),
        container=ContainerRef("containers", text, 0),
        image=text,
        remark=text,
    )
    known = KnownFinding(text, text, text, text, text)
    return Report(
        findings=(found,),
        errors=(InputError(text, 3, 0, text),),
        files=1,
        documents=1,
        objects=1,
        library=text,
        notes=(text,),
        exempt=(Exempted(found, text, None),),
        baseline=Compared(text, (found,), (known,), written=False),
        doubt=text,
    )


def written(name: str, report: Report) -> str:
    stream = io.StringIO()
    REPORTERS[name](report, stream)
    return stream.getvalue()


def unprintable(text: str) -> set[str]:
    """Return the control, format and surrogate characters of a text, but for line feeds."""
    return {character for character in text if unicodedata.category(character) in {"Cc", "Cf", "Cs"}} - {"\n"}


@given(hostile())
@example("\x7f")
@pytest.mark.parametrize("name", sorted(REPORTERS))
def test_reports_parse_and_hold_nothing_that_is_obeyed(name: str, text: str) -> None:
    output = written(name, report_of(text))
    assert unprintable(output) <= ({"\t", "\r"} if name == "junit" else set())
    if name in {"json", "sarif", "gitlab"}:
        json.loads(output)
    elif name == "junit":
        ET.fromstring(output)  # noqa: S314 - our own text
    elif name == "github":
        # These lines are commands, and each of them is one of ours.
        assert all(re.match(r"::(?:error|warning|notice) title=", line) for line in output.splitlines())
        assert not re.search(r"##\w*\[", output)
    else:
        assert not [line for line in output.splitlines() if _IS_COMMAND.search(line)]


@pytest.mark.parametrize("text", COMMANDS)
def test_commands_are_broken(text: str) -> None:
    for line in (text, f"{text} {text}", f"  {text}"):
        assert not _IS_COMMAND.search(inert(line))
    assert inert(f"x {text.strip()}") == f"x {text.strip()}" or "##" in text


def test_what_is_no_command_stays() -> None:
    for line in ("a::b", "# [x]", "#[x]", "image ::1", "x #1 [y]"):
        assert inert(line) == line


def test_the_sample(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "vso.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: kube-system}\nspec:\n  containers:\n"
        + "".join(
            f"  - {{name: {json.dumps(text)}, image: 'x:1.0', imagePullPolicy: Always}}\n" for text in COMMANDS[:4]
        )
    )
    assert cli.main(["check", "--library", "builtin", str(tmp_path)]) == 1
    output = capsys.readouterr().out
    assert r"container \x23#vso[task.setvariable variable=PATH]x" in output
    assert not [line for line in output.splitlines() if _IS_COMMAND.search(line)]


@given(hostile())
def test_markdown_shows_it_in_one_row(text: str) -> None:
    stream = io.StringIO()
    write_markdown(replace(report_of(text), errors=(), exempt=(), baseline=None), stream)
    assert sum(line.startswith("| high |") for line in stream.getvalue().splitlines()) == 1


def test_errors_are_escaped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The names of files come from the change as well."""
    folder = tmp_path / "a\x1b[2J\u202e##vso[x]\n::error::x"
    assert cli.main(["check", "--library", str(folder), str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("pullguard: ")
    assert unprintable(error) == set()
    assert not [line for line in error.splitlines() if _IS_COMMAND.search(line)]


def test_pages_are_escaped(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A library may bring its own."""
    text = (checkout / "library/policies/protected_pull_policy/README.md").read_text()
    lines = list(page(text + "".join(f"{nasty}\n" for nasty in _NASTY)))
    assert unprintable("\n".join(lines)) == set()
    assert not [line for line in lines if _IS_COMMAND.search(line)]
    assert cli.main(["explain", "pull-policy-always", "--library", "builtin"]) == 0
    assert capsys.readouterr().out.splitlines() == list(page(explain("pull-policy-always", library="builtin")))


def _secrets() -> Iterator[tuple[str, str]]:
    yield "Authorization: Bearer s3cret", "Authorization: Bearer (hidden)"
    yield "Authorization: Basic czNjcmV0", "Authorization: Basic (hidden)"
    yield "token=s3cret and", "token=(hidden) and"
    yield 'token: "s3cret"', 'token: "(hidden)"'
    yield "password=s3cret", "password=(hidden)"
    yield '{"password":"s3cret","a":1}', '{"password":"(hidden)","a":1}'
    yield "client-key-data: czNjcmV0", "client-key-data: (hidden)"
    yield "https://admin:s3cret@example.com/x", "https://(hidden)@example.com/x"


@pytest.mark.parametrize(("said", "expected"), list(_secrets()))
def test_what_kubectl_says_holds_no_secrets(said: str, expected: str) -> None:
    assert _SECRET.sub(lambda found: f"{found[1] or ''}(hidden)", said) == expected
