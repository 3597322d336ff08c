"""`pullguard check` as people run it: files of reports, exemptions and baselines, with the real engines and library."""

import io
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from pullguard.check.command import check as judge

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")

POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  namespace: kube-system
{annotations}\
spec:
  containers:
    - name: main
      image: registry.example.com/x:v1
      imagePullPolicy: Always
"""
EXEMPT = """\
  annotations:
    pullguard/exempt: {}
"""


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


Check = Callable[..., "subprocess.CompletedProcess[str]"]


def _pod(name: str, exempt: str | None = None) -> str:
    return POD.format(name=name, annotations="" if exempt is None else EXEMPT.format(json.dumps(exempt)))


@pytest.fixture
def check(tmp_path: Path, image_library: Path) -> Check:
    """Return a function that runs `pullguard check` in a folder of its own."""

    def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "pullguard", "check", "--library", str(image_library), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False)

    return run


def _fingerprints(log: Path, checkout: Path) -> list[tuple[str, int]]:
    """Return what tells results of a valid log apart, with their lines."""
    value = json.loads(log.read_text())
    schema = json.loads((checkout / "tests/schemas/sarif-2.1.0.json").read_text())
    jsonschema_rs.validator_for(schema).validate(value)
    return [
        (
            result["partialFingerprints"]["primaryLocationLineHash"],
            result["locations"][0]["physicalLocation"]["region"]["startLine"],
        )
        for result in value["runs"][0]["results"]
    ]


def test_one_run_gives_text_and_files(tmp_path: Path, check: Check, checkout: Path) -> None:
    (tmp_path / "pod.yaml").write_text(_pod("dns"))
    files = ["a.sarif", "junit=a.xml", "github=a.txt", "gitlab=gl.json", "a.json", "a.md"]
    ended = check("pod.yaml", *(argument for file in files for argument in ("--output-file", file)))
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.startswith("pod.yaml:10: high: pull-policy-always\n  Pod kube-system/dns, container main\n")
    assert len(_fingerprints(tmp_path / "a.sarif", checkout)) == 1
    assert (tmp_path / "a.xml").read_text().startswith("<?xml")
    assert (tmp_path / "a.txt").read_text().startswith("::error title=pull-policy-always,file=pod.yaml,line=10::")
    assert json.loads((tmp_path / "gl.json").read_text())[0]["location"] == {"path": "pod.yaml", "lines": {"begin": 10}}
    assert json.loads((tmp_path / "a.json").read_text())["summary"]["findings"] == 1
    assert (tmp_path / "a.md").read_text().startswith("### pullguard\n")


def test_a_wrong_output_file_is_an_error_before_anything_is_judged(check: Check) -> None:
    ended = check("absent.yaml", "--output-file", "x")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("pullguard: the format of --output-file x is not known; write FORMAT=FILE")


def test_files_are_written_although_nobody_reads_standard_output(
    tmp_path: Path, checkout: Path, image_library: Path
) -> None:
    (tmp_path / "pod.yaml").write_text(_pod("dns"))
    options = ["--library", str(image_library), "--output-file", "a.sarif"]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        [sys.executable, "-m", "pullguard", "check", *options, "pod.yaml"],
        cwd=tmp_path,
        stdout=write,
        stderr=subprocess.PIPE,
        timeout=600,
        check=False,
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (128 + signal.SIGPIPE, b"")
    assert len(_fingerprints(tmp_path / "a.sarif", checkout)) == 1


def test_fingerprints_survive_line_moves(tmp_path: Path, check: Check, checkout: Path) -> None:
    file, log = tmp_path / "pods.yaml", tmp_path / "a.sarif"
    found = []
    for text in (f"{_pod('a')}---\n{_pod('b')}", f"# new\n\n{_pod('a')}---\n# new\n{_pod('c')}---\n{_pod('b')}"):
        file.write_text(text)
        assert check("pods.yaml", "--output-file", "a.sarif").returncode == 1
        found.append(_fingerprints(log, checkout))
    before, after = found
    assert [line for _, line in before] == [10, 21]
    assert [line for _, line in after] == [12, 24, 35]
    assert [fingerprint for fingerprint, _ in before] == [after[0][0], after[2][0]]


@pytest.mark.parametrize("engine", ["opa", "conftest"])
def test_exemptions(tmp_path: Path, check: Check, engine: str) -> None:
    (tmp_path / "pods.yaml").write_text(
        "---\n".join(
            [
                _pod("counts"),
                _pod("exempt", "protected_pull_policy: the vendor's until=2999-12-31"),
                _pod("ended", "protected_pull_policy: once until=2001-01-01"),
                _pod("unclear", "protected_pull_policy"),
            ]
        )
    )
    ended = check("pods.yaml", "-o", "json", "--engine", engine)
    value = json.loads(ended.stdout)
    assert ended.returncode == 1
    assert [(found["object"]["name"], found["remark"]) for found in value["findings"]] == [
        ("counts", None),
        ("ended", "its exemption ended on 2001-01-01: once; fix the object, or choose another day"),
        (
            "unclear",
            (
                'its annotation pullguard/exempt does not count: "protected_pull_policy" names no policy and reason; '
                'write pullguard/exempt: "<policy>: <reason> until=YYYY-MM-DD", a line for each policy, '
                "until= if you like"
            ),
        ),
    ]
    assert [(entry["finding"]["object"]["name"], entry["reason"], entry["until"]) for entry in value["exempt"]] == [
        ("exempt", "the vendor's", "2999-12-31")
    ]
    (tmp_path / "pods.yaml").write_text(_pod("exempt", "protected_pull_policy: the vendor's"))
    assert check("pods.yaml", "--engine", engine).returncode == 0


def test_admission_never_honours_an_exemption(
    tmp_path: Path, image_library: Path, gator: Path, conftest_binary: Path, run: Callable[..., Any]
) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(_pod("dns", "protected_pull_policy: please"))
    policy = image_library / "policies" / "protected_pull_policy"
    objects = [f"--filename={policy / name}" for name in ("template.yaml", "constraints.yaml")]
    ended = run(gator, "test", *objects, f"--filename={file}", "-o", "json")
    assert [entry["msg"] for entry in json.loads(ended.stdout)] == [
        (
            'container "main" image "registry.example.com/x:v1": imagePullPolicy is Always: '
            "cannot start without its registry; set imagePullPolicy: IfNotPresent"
        )
    ]
    bundle = image_library / "conftest"
    ended = run(
        conftest_binary, "test", "--fail-on-warn", "-p", bundle / "policy", "-d", bundle / "data", file, "-o", "json"
    )
    assert [len(entry["warnings"]) for entry in json.loads(ended.stdout)] == [1]
    texts = [path.read_bytes() for path in image_library.rglob("*") if path.suffix in {".yaml", ".rego"}]
    assert not any(b"pullguard/exempt" in text for text in texts)


def test_a_baseline(tmp_path: Path, check: Check) -> None:
    file = tmp_path / "pods.yaml"
    file.write_text(f"{_pod('a')}---\n{_pod('b')}---\n{_pod('c', 'protected_pull_policy: x until=2001-01-01')}")
    ended = check("pods.yaml", "--baseline", "known.json", "--write-baseline")
    assert (ended.returncode, ended.stderr) == (1, "")  # the exemption that has ended counts
    assert "\n2 known findings in the baseline known.json, which was written\n" in ended.stdout

    file.write_text(f"{_pod('b')}---\n{_pod('a')}")
    ended = check("pods.yaml", "--baseline", "known.json")
    assert ended.returncode == 0
    assert ended.stdout.startswith(
        "0 findings and 0 errors in 2 objects of 1 file\n2 known findings of the baseline known.json\n"
    )

    file.write_text(f"{_pod('b')}---\n{_pod('new')}")
    ended = check("pods.yaml", "--baseline", "known.json")
    assert ended.returncode == 1
    assert ended.stdout.startswith("pods.yaml:21: high: pull-policy-always\n  Pod kube-system/new, container main\n")
    assert "\ngone: pods.yaml: pull-policy-always, Pod kube-system/a, containers main\n" in ended.stdout
    assert (
        "1 known finding of the baseline known.json; 1 of it gone: write it again with --write-baseline" in ended.stdout
    )

    ended = check("pods.yaml", "--baseline", "known.json", "--write-baseline")
    assert ended.returncode == 0
    assert "\n2 known findings in the baseline known.json, which was written; 1 gone\n" in ended.stdout


def test_write_baseline_needs_a_file(tmp_path: Path, check: Check) -> None:
    (tmp_path / "pod.yaml").write_text(_pod("a"))
    ended = check("pod.yaml", "--write-baseline")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "pullguard: --write-baseline writes the file of --baseline; name it: --baseline FILE\n"


def test_a_missing_baseline_says_how_to_write_it(tmp_path: Path, check: Check) -> None:
    (tmp_path / "pod.yaml").write_text(_pod("a"))
    ended = check("pod.yaml", "--baseline", "known.json")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        "pullguard: known.json: is not there; write it with --write-baseline, or take it from version control again\n"
    )


def test_a_longer_run_shows_progress_on_a_terminal(
    tmp_path: Path, image_library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pods.yaml").write_text("---\n".join(map(_pod, "abc")))
    monkeypatch.setattr("pullguard.core.progress._AFTER_SECONDS", 0.0)
    shown = []
    for stream, progress in ((_Terminal(), True), (_Terminal(), False), (io.StringIO(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        report = judge([str(tmp_path / "pods.yaml")], library=str(image_library), progress=progress)
        assert len(report.findings) == 3
        shown.append(stream.getvalue())
    assert re.match(r"\r[123] objects \[", shown[0])
    assert shown[1:] == ["", ""]
