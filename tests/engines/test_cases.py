"""Small inputs on which `check` was wrong once, if they stand beside the checkout: what it says of them."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from pullguard.check.command import check
from pullguard.core.findings import Report

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")

CASES = Path(__file__).parents[3] / "shared" / "cases"

ALWAYS = "pull-policy-always"


def checked(case: str, engine: str = "opa", namespace: str = "") -> Report:
    path = CASES / case
    if not path.exists():
        pytest.skip(f"there is no {path}")
    return check([str(path)], library="builtin", engine=engine, namespace=namespace)


def said(report: Report) -> tuple[int, list[str], Sequence[str]]:
    """Return the exit code, the findings, and why something was not judged."""
    findings = [f"{Path(found.file).name}:{found.line} {found.rule}" for found in report.findings]
    return (
        report.exit_code("dryrun"),
        findings,
        [entry.reason for entry in report.unjudged if entry.reason != "cluster"],
    )


@pytest.mark.parametrize("engine", ["opa", "conftest"])
@pytest.mark.parametrize(
    ("case", "code", "findings", "reasons"),
    [
        ("ns-envsubst.yaml", 1, [f"ns-envsubst.yaml:4 {ALWAYS}"], ["placeholder"]),
        ("ns-helm-quoted.yaml", 1, [f"ns-helm-quoted.yaml:4 {ALWAYS}"], ["placeholder"]),
        ("ns-not-a-name.yaml", 1, [f"ns-not-a-name.yaml:4 {ALWAYS}"], ["placeholder"]),
        (
            "env-placeholders.yaml",
            1,
            ["env-placeholders.yaml:4 image-invalid", "env-placeholders.yaml:4 pull-policy-invalid"],
            ["placeholder"],
        ),
        ("array.json", 1, [f"array.json:1 {ALWAYS}"], []),
        ("array.yaml", 1, [f"array.yaml:1 {ALWAYS}"], []),
        ("json-comment-first.json", 2, [], []),
        ("list-in-list-in-list.json", 1, [f"list-in-list-in-list.json:1 {ALWAYS}"], []),
        ("cr-csv.yaml", 0, [], ["kind"]),
        ("kust-no-extension", 1, [f"d.yaml:4 {ALWAYS}"], []),
        ("kust-components", 1, [f"d.yaml:4 {ALWAYS}"], []),
        ("kust-patch-protected", 1, [f"p.yaml:4 {ALWAYS}"], []),
        ("kust-patch-unprotected", 0, [], ["namespace"]),
        ("kust-json6902", 1, [f"kustomization.yaml:6 {ALWAYS}"], []),
        ("kust-images-latest", 1, ["kustomization.yaml:3 image-tag-floating", f"kustomization.yaml:3 {ALWAYS}"], []),
        ("kust-images-pinned", 1, ["kustomization.yaml:3 pull-policy-implied"], []),
        ("hostile/decoy", 0, [], ["namespace"]),
    ],
)
def test_what_is_said(case: str, engine: str, code: int, findings: list[str], reasons: list[str]) -> None:
    assert said(checked(case, engine)) == (code, findings, reasons)


@pytest.mark.parametrize("case", ["ns-envsubst.yaml", "ns-helm-quoted.yaml", "ns-not-a-name.yaml"])
def test_a_namespace_takes_the_place_of_a_placeholder(case: str) -> None:
    report = checked(case, namespace="kube-system")
    assert said(report) == (1, [f"{case}:4 {ALWAYS}"], ["placeholder"])
    assert [found.object.namespace for found in report.findings] == ["kube-system"]


def test_what_has_changed_and_single_files() -> None:
    script = CASES / "changed-since" / "run.sh"
    if not script.exists():
        pytest.skip(f"there is no {script}")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    ended = subprocess.run(
        ["bash", str(script)],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.stdout.count("rc=1 (1 is right)") == 3
