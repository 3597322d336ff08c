"""Baselines: what they hold, what they make of a run, and what is not a baseline."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.check.baseline import compared, dump, known, parse, updated, with_baseline
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ContainerRef, Exempted, Finding, KnownFinding, ObjectRef, Report
from pullguard.core.inputs.problems import InputError
from sample_findings import FINDING


def _finding(fingerprint: str, file: str = "a.yaml") -> Finding:
    return replace(FINDING, fingerprint=fingerprint, file=file)


def _report(*findings: Finding, read: Sequence[str] = ("a.yaml",), errors: Sequence[str] = ()) -> Report:
    problems = tuple(InputError(file, None, None, "m") for file in errors)
    return Report(findings, problems, files=1, documents=1, objects=1, library="l", notes=(), read=tuple(read))


def test_what_a_baseline_keeps() -> None:
    assert known(FINDING) == KnownFinding(
        "f00", "pull-policy-always", "a.yaml", "Pod kube-system/dns", "containers main"
    )
    nameless = replace(FINDING, container=ContainerRef("volumes", "", 2), object=ObjectRef("v1", "Pod", "", "dns"))
    assert known(nameless) == KnownFinding("f00", "pull-policy-always", "a.yaml", "Pod dns", "volumes 2")
    assert known(replace(FINDING, container=None)).container == ""


def test_text() -> None:
    text = dump([known(_finding("b", "z.yaml")), known(_finding("a")), known(_finding("a"))])
    assert (
        text
        == """\
{
  "version": 1,
  "findings": [
    {
      "fingerprint": "a",
      "rule": "pull-policy-always",
      "file": "a.yaml",
      "object": "Pod kube-system/dns",
      "container": "containers main"
    },
    {
      "fingerprint": "b",
      "rule": "pull-policy-always",
      "file": "z.yaml",
      "object": "Pod kube-system/dns",
      "container": "containers main"
    }
  ]
}
"""
    )


@given(st.sets(st.builds(KnownFinding, *[st.text(max_size=5)] * 5)))
def test_what_is_written_is_read(entries: set[KnownFinding]) -> None:
    text = dump(entries)
    assert text.isascii()
    assert set(parse(text, "f")) == entries
    assert dump(sorted(entries, key=repr, reverse=True)) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "b.json:1: is not JSON (Expecting value: line 1 column 1 (char 0))"),
        ("{\n,", "b.json:2: is not JSON"),
        ("[" * 100_000, "b.json: is nested too deeply for a baseline"),
        ("[]", "b.json: is not a baseline"),
        ('{"version": 1}', "b.json: is not a baseline"),
        ('{"version": 2, "findings": []}', "b.json: is a baseline of version 2, and this pullguard reads version 1"),
        ('{"findings": []}', "b.json: is a baseline of version None"),
        ('{"version": 1, "findings": [1]}', "b.json: findings[0] is not a finding of a baseline"),
        ('{"version": 1, "findings": [{"fingerprint": "a"}]}', "b.json: findings[0] is not a finding of a baseline"),
    ],
)
def test_what_is_no_baseline(text: str, message: str) -> None:
    with pytest.raises(PullguardError) as raised:
        parse(text, "b.json")
    assert str(raised.value).startswith(message)
    assert "--write-baseline" in str(raised.value)


def test_known_findings_do_not_count() -> None:
    report = _report(_finding("old"), _finding("new"))
    entries = [known(_finding("old")), known(_finding("gone")), known(_finding("unseen", "b.yaml"))]
    result = compared(report, entries, entries, lambda file: file == "a.yaml", file="k.json", written=False)
    assert [found.fingerprint for found in result.findings] == ["new"]
    assert result.baseline is not None
    assert [found.fingerprint for found in result.baseline.known] == ["old"]
    assert [entry.fingerprint for entry in result.baseline.gone] == ["gone"]
    assert result.exit_code("dryrun") == 1
    assert replace(result, findings=()).exit_code("dryrun") == 0


def test_an_exempt_finding_is_not_gone() -> None:
    report = replace(_report(), exempt=(Exempted(_finding("a"), "r", None),))
    entries = [known(_finding("a"))]
    result = compared(report, entries, entries, lambda _: True, file="k.json", written=False)
    assert result.baseline is not None
    assert result.baseline.gone == ()


def test_an_ended_exemption_counts_in_spite_of_a_baseline() -> None:
    report = _report(replace(_finding("a"), remark="its exemption ended"))
    assert updated(report, [], lambda _: True) == ()
    entries = [known(_finding("a"))]
    result = compared(report, entries, entries, lambda _: True, file="k.json", written=False)
    assert [found.fingerprint for found in result.findings] == ["a"]


def test_writing_keeps_what_was_not_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("deploy", "other"):
        (tmp_path / name).mkdir()
    for name in ("deploy/a.yaml", "deploy/broken.yaml", "other/b.yaml"):
        (tmp_path / name).touch()
    old = [
        _finding("mended", "deploy/a.yaml"),
        _finding("kept", "deploy/a.yaml"),
        _finding("unreadable", "deploy/broken.yaml"),
        _finding("removed", "deploy/removed.yaml"),
        _finding("elsewhere", "other/b.yaml"),
        _finding("elsewhere-removed", "other/removed.yaml"),
        _finding("piped", "<stdin>"),
    ]
    (tmp_path / "k.json").write_text(dump(map(known, old)))
    report = _report(
        _finding("kept", "deploy/a.yaml"),
        _finding("new", "deploy/a.yaml"),
        read=("deploy/a.yaml", "deploy/broken.yaml"),
        errors=("deploy/broken.yaml",),
    )
    gone = ["mended", "removed"]
    result = with_baseline(report, "k.json", ["deploy", "-"], write=False)
    assert result.baseline is not None
    assert [found.fingerprint for found in result.findings] == ["new"]
    assert [entry.fingerprint for entry in result.baseline.gone] == gone

    result = with_baseline(report, "k.json", ["deploy", "-"], write=True)
    assert result.baseline is not None
    assert (result.findings, result.baseline.written) == ((), True)
    assert [entry.fingerprint for entry in result.baseline.gone] == gone
    left = {entry.fingerprint for entry in parse((tmp_path / "k.json").read_text(), "k.json")}
    assert left == {"kept", "new", "unreadable", "elsewhere", "elsewhere-removed", "piped"}
    assert with_baseline(report, "k.json", ["deploy", "-"], write=False).findings == ()


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "k.json"
    with pytest.raises(PullguardError, match=r"k\.json: is not there; write it with"):
        with_baseline(_report(), str(file), ["a.yaml"], write=False)
    result = with_baseline(_report(FINDING), str(file), ["a.yaml"], write=True)
    assert result.baseline is not None
    assert result.baseline.known == (FINDING,)
    assert json.loads(file.read_text())["findings"][0]["fingerprint"] == "f00"
    file.write_text("not ours")
    with pytest.raises(PullguardError, match=r"k\.json:1: is not JSON"):
        with_baseline(_report(FINDING), str(file), ["a.yaml"], write=True)
    assert file.read_text() == "not ours"
    absent = str(tmp_path / "absent" / "k.json")
    result = with_baseline(_report(FINDING), absent, ["a.yaml"], write=True)
    assert result.findings == (FINDING,)  # nobody will know it next time
    assert result.errors == (InputError(absent, None, None, "cannot be written (No such file or directory)"),)
    assert result.baseline is not None
    assert (result.baseline.known, result.baseline.written) == ((), False)
