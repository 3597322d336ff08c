"""The hooks for pre-commit, run by pre-commit itself: with the wheels of a release, and from a local repository."""

import hashlib
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import yaml

from repositories import Release, examples

Run = Callable[..., "subprocess.CompletedProcess[str]"]

_CONFIG = """\
repos:
  - repo: {source}
    rev: {revision}
    hooks:
      - id: pullguard-check
        files: ^deploy/
        args: [--fail-on, dryrun]
      - id: pullguard-fix
        files: ^deploy/
        stages: [manual]
"""


_EVERYTHING = """\
repos:
  - repo: {source}
    rev: {revision}
    hooks:
      - id: pullguard-check
      - id: pullguard-fix
"""


def _pre_commit(*arguments: str, cwd: Path, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(command, cwd=cwd, env=dict(env), capture_output=True, text=True, timeout=300, check=False)


def test_the_manifest_is_valid(checkout: Path, environment: Mapping[str, str]) -> None:
    ended = _pre_commit("validate-manifest", ".pre-commit-hooks.yaml", cwd=checkout, env=environment)
    assert (ended.returncode, ended.stdout) == (0, "")


def test_the_hooks(repository: Path, source: Path, git: Run, environment: Mapping[str, str]) -> None:
    revision = git(source, "rev-parse", "HEAD").stdout.strip()
    (repository / ".pre-commit-config.yaml").write_text(_CONFIG.format(source=source, revision=revision))
    (repository / "deploy" / "values.yaml").write_text("replicas: 3\n")
    git(repository, "add", "--all")
    ended = _pre_commit("run", cwd=repository, env=environment)
    assert ended.returncode == 1, ended
    assert "deploy/dns.yaml:9: high: pull-policy-always" in ended.stdout

    manifest = repository / "deploy" / "dns.yaml"
    fixed = manifest.read_text().replace("Always", "IfNotPresent")
    ended = _pre_commit("run", "--hook-stage", "manual", "pullguard-fix", cwd=repository, env=environment)
    assert (ended.returncode, manifest.read_text()) == (1, fixed), ended
    assert "files were modified by this hook" in ended.stdout
    git(repository, "add", "--all")
    ended = _pre_commit("run", cwd=repository, env=environment)
    assert ended.returncode == 0, ended
    assert "pullguard check" in ended.stdout
    assert "Passed" in ended.stdout

    # The usual way: git runs the hook, which refuses the commit.
    assert _pre_commit("install", cwd=repository, env=environment).returncode == 0
    manifest.write_text(manifest.read_text().replace("IfNotPresent", "Always"))
    git(repository, "add", "--all")
    with pytest.raises(subprocess.CalledProcessError) as raised:
        subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", "commit", "--message", "x"],
            cwd=repository,
            env=dict(environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=True,
        )
    assert "deploy/dns.yaml:9: high: pull-policy-always" in raised.value.stderr + raised.value.stdout


def _released(checkout: Path, requirement: str) -> str:
    """Return the example of the documentation with another requirement."""
    example = examples(checkout)[".pre-commit-config.yaml"]
    (local,) = example["repos"]
    assert (local["repo"], [hook["additional_dependencies"] for hook in local["hooks"]]) == (
        "local",
        [["pullguard==0.1.0"]] * 2,
    )
    for hook in local["hooks"]:
        hook["additional_dependencies"] = [requirement]
    return yaml.safe_dump(example)


def test_a_released_wheel(
    checkout: Path, repository: Path, release: Release, git: Run, environment: Mapping[str, str]
) -> None:
    """Without Go, make or a clone of pullguard; by version, and by the hash of a wheel."""
    (repository / "known.json").write_text('{"version": 1, "findings": []}')
    (repository / "deploy" / "notes.txt").write_text("x")
    own = {**environment, **release.index}
    (wheel,) = release.wheels.glob("*manylinux*x86_64*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    address = f"{release.index['PIP_EXTRA_INDEX_URL'].removesuffix('/simple')}/packages/{wheel.name}"
    wrong = _released(checkout, f"pullguard @ {address}#sha256={'0' * 64}")
    (repository / ".pre-commit-config.yaml").write_text(wrong)
    git(repository, "add", "--all")
    ended = _pre_commit("run", cwd=repository, env=own)
    assert ended.returncode == 3
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in ended.stdout
    for requirement in (f"pullguard @ {address}#sha256={digest}", f"pullguard=={release.version}"):
        (repository / ".pre-commit-config.yaml").write_text(_released(checkout, requirement))
        git(repository, "add", "--all")
        ended = _pre_commit("run", cwd=repository, env=own)
        assert ended.returncode == 1, ended
        assert "deploy/dns.yaml:9: high: pull-policy-always" in ended.stdout
    ended = _pre_commit("run", "--hook-stage", "manual", "pullguard-fix", cwd=repository, env=own)
    assert (ended.returncode, (repository / "deploy" / "dns.yaml").read_text().count("IfNotPresent")) == (1, 1), ended
    git(repository, "add", "--all")
    assert _pre_commit("run", cwd=repository, env=own).returncode == 0


def test_names_of_files_are_no_options(
    repository: Path, source: Path, git: Run, environment: Mapping[str, str]
) -> None:
    revision = git(source, "rev-parse", "HEAD").stdout.strip()
    (repository / ".pre-commit-config.yaml").write_text(_EVERYTHING.format(source=source, revision=revision))
    hostile = ("--library=weak.yaml", "--output-file=owned.json", "-h.yaml", "--diff.yaml")
    for name in hostile:
        (repository / name).write_text("{}")
    (repository / "weak.yaml").write_text("{}")
    manifest = repository / "deploy" / "dns.yaml"
    before = manifest.read_text()
    git(repository, "add", "--all")
    ended = _pre_commit("run", "--all-files", cwd=repository, env=environment)
    assert ended.returncode == 1, ended
    assert "deploy/dns.yaml:9: high: pull-policy-always" in ended.stdout
    assert manifest.read_text() == before.replace("Always", "IfNotPresent")
    assert [(repository / name).read_text() for name in hostile] == ["{}"] * len(hostile)
    assert not (repository / "owned.json").exists()
