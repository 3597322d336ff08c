"""`fix -` as the post-renderer of Helm 3 and Helm 4, and overlays of `fix --as kustomize`, with the real programs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from file_tree import write
from pullguard.check.command import check
from pullguard.core.findings import Finding
from pullguard.fix.manifests import wanted
from pullguard.fix.overlay import overlay

REAL = Path(__file__).parents[3] / "shared" / "charts"
BIN = Path(sys.executable).parent

CHART = {
    "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "web/values.yaml": "tag: v1\nenabled: true\n",
    "web/templates/web.yaml": """\
{{- if .Values.enabled }}
# Why.
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - {name: a, image: "x:{{ .Values.tag }}", imagePullPolicy: Always} # here
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
data: {"imagePullPolicy": "Always"}
{{- end }}
""",
    "web/templates/hook.yaml": """\
apiVersion: v1
kind: Pod
metadata: {name: hook, annotations: {helm.sh/hook: pre-install}}
spec:
  containers:
  - {name: a, image: "x:v1", imagePullPolicy: Always}
""",
}
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def program(checkout: Path, name: str) -> Path:
    path = checkout / ".tools" / "bin" / name
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: run `make {path.relative_to(checkout)}`")
    return path


@dataclass(frozen=True)
class Helm:
    """A Helm.

    Attributes:
        run: What runs it.
        options: With these it asks pullguard; options of `fix` can follow.
        same: With these it asks `cat`.
        fixes_hooks: Whether post-renderers see hooks.
    """

    run: Run
    options: Sequence[str]
    same: Sequence[str]
    fixes_hooks: bool


@pytest.fixture(params=["helm", "helm4"])
def helm(request: pytest.FixtureRequest, checkout: Path, tmp_path: Path) -> Helm:
    binary = program(checkout, request.param)
    environment = {
        "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "HELM_DATA_HOME": str(tmp_path / "data"),
        "HELM_CACHE_HOME": str(tmp_path / "cache"),
    }

    def run(*arguments: str | Path, **more: str) -> "subprocess.CompletedProcess[str]":
        command = [str(binary), *map(str, arguments)]
        return subprocess.run(
            command, env=environment | more, capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path
        )

    if request.param == "helm":
        return Helm(run, passed(["fix", "--exit-zero", "-"]), passed([], "cat"), fixes_hooks=False)
    installed = run("plugin", "install", checkout / "integrations" / "helm-plugin")
    assert installed.returncode == 0, installed.stderr
    text = (checkout / "integrations/helm-plugin/plugin.yaml").read_text()
    same = re.sub(r"\n    args: .*", "", text.replace("name: pullguard", "name: same")).replace(": pullguard", ": cat")
    write(tmp_path / "data" / "plugins", {"same/plugin.yaml": same})
    return Helm(run, passed([]), passed([], "same"), fixes_hooks=True)


def passed(arguments: Sequence[str], renderer: str = "pullguard") -> list[str]:
    return [f"--post-renderer={renderer}", *(f"--post-renderer-args={argument}" for argument in arguments)]


def test_it_changes_nothing_but_pull_policies(helm: Helm, tmp_path: Path) -> None:
    write(tmp_path, CHART)
    plain = helm.run("template", "rel", "web", *helm.same)
    fixed = helm.run("template", "rel", "web", *helm.options)
    assert (plain.returncode, fixed.returncode) == (0, 0), plain.stderr + fixed.stderr
    assert plain.stdout.count("imagePullPolicy: Always") == 2
    expected = plain.stdout.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")
    if not helm.fixes_hooks:
        first, hook = "name: web", "name: hook"
        assert plain.stdout.index(first) < plain.stdout.index(hook)
        head, middle, tail = plain.stdout.partition(hook)
        expected = head.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent") + middle + tail
    assert fixed.stdout == expected


def test_what_is_left_does_not_fail_the_install(helm: Helm, tmp_path: Path) -> None:
    write(tmp_path, CHART)
    ended = helm.run("template", "rel", "web", "--set", "tag=main", *helm.options)
    assert ended.returncode == 0, ended.stderr
    assert "x:main" in ended.stdout


def test_an_error_fails_the_install(helm: Helm, tmp_path: Path) -> None:
    write(tmp_path, CHART)
    ended = helm.run("template", "rel", "web", *helm.options, "--post-renderer-args=--library=nowhere")
    assert ended.returncode != 0
    assert "imagePullPolicy" not in ended.stdout


def test_a_namespace_that_is_not_protected(helm: Helm, tmp_path: Path) -> None:
    write(tmp_path, CHART)
    ended = helm.run("template", "rel", "web", *helm.options, "--post-renderer-args=--namespace=shop")
    assert (ended.returncode, "IfNotPresent" in ended.stdout) == (0, False)


def test_a_chart_that_renders_nothing(checkout: Path, tmp_path: Path) -> None:
    """Helm 4 takes no empty output of anything; Helm 3 does."""
    write(tmp_path, CHART)
    (tmp_path / "web/templates/hook.yaml").unlink()
    options = passed(["fix", "--exit-zero", "-"])
    command = [str(program(checkout, "helm")), "template", "rel", "web", "--set=enabled=false", *options]
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, ""), ended.stderr


def test_findings_that_are_left_fail_the_install_unless_told_otherwise(checkout: Path, tmp_path: Path) -> None:
    write(tmp_path, CHART)
    command = [str(program(checkout, "helm")), "template", "rel", "web", "--set=tag=main", *passed(["fix", "-"])]
    environment = {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "HOME": str(tmp_path)}
    ended = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 1
    assert "1 left" in ended.stderr


def fixable(findings: Sequence[Finding]) -> list[str]:
    return [found.message for found in findings if wanted(found) is not None]


def test_real_charts(helm: Helm, tmp_path: Path) -> None:
    """Whatever a real chart renders passes, and nothing is left in it that can be fixed."""
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there")
    charts = [
        chart
        for chart in sorted((REAL / "helm").iterdir())
        if helm.run("template", "rel", chart, "--namespace=kube-system").returncode == 0
    ]
    assert len(charts) > 10
    for chart in charts:
        protected = "--post-renderer-args=--namespace=kube-system"
        ended = helm.run("template", "rel", chart, "--namespace=kube-system", "--no-hooks", *helm.options, protected)
        assert ended.returncode == 0, (chart.name, ended.stderr)
        (tmp_path / f"{chart.name}.yaml").write_text(ended.stdout)
    report = check([str(tmp_path / f"{chart.name}.yaml") for chart in charts], namespace="kube-system")
    assert (fixable(report.findings), report.errors) == ([], ())


def kustomizations() -> Iterator[tuple[str, str]]:
    if REAL.is_dir():
        sources = json.loads((REAL / "kustomize-sources.json").read_text())
        for source in sources if isinstance(sources, list) else sources.values():
            yield source["target"], source["build"]


def test_real_overlays(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real kustomize builds them, and nothing is left in what it builds that can be fixed."""
    if not REAL.is_dir():
        pytest.skip(f"{REAL} is not there")
    monkeypatch.chdir(tmp_path)
    built, fixed = [], 0
    for target, build in kustomizations():
        shutil.copytree(REAL / "kustomize" / target, tmp_path / target)
        report = overlay([f"{target}/{build}"], f"{target}/overlay", everywhere=True)
        fixed += len(report.fixed)
        ended = _kustomize(checkout, tmp_path / target / "overlay", {})
        (tmp_path / f"{target}.yaml").write_text(ended)
        built.append(f"{target}.yaml")
    report_of_built = check(built, everywhere=True)
    assert (fixable(report_of_built.findings), report_of_built.errors) == ([], ())
    assert fixed == 13


def test_an_overlay_of_a_vendor(checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gatekeeper's own manifest, whose every other byte the real kustomize makes as without the patches."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(checkout / ".tools" / "manifests" / "gatekeeper.yaml", tmp_path / "install.yaml")
    assert overlay(["install.yaml"], "overlay").exit_code == 0
    (tmp_path / "plain").mkdir()
    shutil.copy("install.yaml", "plain/install.yaml")
    Path("plain/kustomization.yaml").write_text("resources: [install.yaml]\n")
    before, after = (_kustomize(checkout, tmp_path / name, {}) for name in ("plain", "overlay"))
    assert before.count("imagePullPolicy: Always") == 2
    assert after == before.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")


def _kustomize(checkout: Path, folder: Path, environment: Mapping[str, str]) -> str:
    command = [str(program(checkout, "kustomize")), "build", str(folder)]
    ended = subprocess.run(command, env={**environment}, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout
