"""The workflows for GitHub: what may do what, and that what they run is there."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

#: What each job of a release may do. None has the permissions of another.
_PERMISSIONS = {
    "build": {"contents": "read"},
    "provenance": {"id-token": "write", "attestations": "write"},
    "packages": {"id-token": "write"},
    "images": {"contents": "read", "packages": "write", "id-token": "write", "attestations": "write"},
    "page": {"contents": "write"},
    "check": {"contents": "read", "attestations": "read", "packages": "read"},
}


def workflow(checkout: Path, name: str) -> Mapping[Any, Any]:
    document: Mapping[Any, Any] = yaml.safe_load((checkout / ".github" / "workflows" / name).read_text())
    return document


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_what_workflows_use_is_pinned(checkout: Path, name: str) -> None:
    """Actions by commit, with the version beside it; the container by digest, with the Go of tools/go.mod."""
    text = (checkout / ".github" / "workflows" / name).read_text()
    uses = re.findall(r"uses: (.*)", text)
    assert uses
    assert [use for use in uses if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    go = re.search(r"^go (\S+)$", (checkout / "tools" / "go.mod").read_text(), re.MULTILINE)
    assert go is not None
    for image in re.findall(r"image: (.*)", text):
        assert re.fullmatch(rf"golang:{re.escape(go[1])}-bookworm@sha256:[0-9a-f]{{64}}", image)


def test_an_action_has_one_version(checkout: Path) -> None:
    """Also in what we tell others to use."""
    files = [*sorted((checkout / ".github" / "workflows").iterdir()), checkout / "docs" / "ci.md"]
    found = {use for file in files for use in re.findall(r"uses: ([\w-]+/[\w/-]+@\S+ # .*)", file.read_text())}
    names = [re.sub("@.*", "", use) for use in found]
    assert sorted(names) == sorted(set(names))
    assert {"actions/checkout", "github/codeql-action/upload-sarif", "actions/attest"} <= set(names)


def test_who_may_do_what(checkout: Path) -> None:
    """What builds cannot publish, and what publishes can do that alone, after somebody approved its environment."""
    for name in ("ci.yml", "release.yml"):
        assert workflow(checkout, name)["permissions"] == {}
    jobs = workflow(checkout, "release.yml")["jobs"]
    assert {name: job["permissions"] for name, job in jobs.items()} == _PERMISSIONS
    assert {name for name, job in jobs.items() if "environment" in job} == {"packages", "images", "page"}
    text = (checkout / ".github" / "workflows" / "release.yml").read_text()
    assert "secrets." not in text
    assert text.count("persist-credentials: false") == text.count("actions/checkout@") == 4


def test_what_a_release_waits_for(checkout: Path) -> None:
    """Nothing is published before it was built, compared with the lock and tried, and attested."""
    jobs = workflow(checkout, "release.yml")["jobs"]
    needs = {name: job.get("needs", []) for name, job in jobs.items()}
    assert needs == {
        "build": [],
        "provenance": "build",
        "packages": "provenance",
        "images": "provenance",
        "page": ["packages", "images"],
        "check": ["images", "page"],
    }
    runs = [step["run"].split()[0:2] for step in jobs["build"]["steps"] if step.get("name") in {"Build", "Try"}]
    assert runs == [["make", "dist"], ["make", "test-dist"]]


@pytest.mark.parametrize("name", ["ci.yml", "release.yml"])
def test_what_is_run_is_there(checkout: Path, name: str) -> None:
    scripts = [
        step["run"] for job in workflow(checkout, name)["jobs"].values() for step in job["steps"] if "run" in step
    ]
    text = "\n".join(scripts)
    rules = (checkout / "Makefile").read_text()
    for target in re.findall(r"\bmake ([\w-]+)", text):
        assert re.search(rf"^{target}:", rules, re.MULTILINE), target
    for program in re.findall(r"(?:packaging|\.ci)/[\w.-]+", text):
        assert (checkout / program).is_file(), program
    assert "${{" not in text


def test_what_users_verify_is_what_a_release_verifies(checkout: Path) -> None:
    """Its last job runs the commands of the documentation on everything that it publishes."""
    documented = re.findall(r"^gh (attestation verify .*)", (checkout / "docs" / "ci.md").read_text(), re.MULTILINE)
    steps = workflow(checkout, "release.yml")["jobs"]["check"]["steps"]
    run = re.findall(r"gh (attestation verify (?:.*\\\n)*.*)", "\n".join(step.get("run", "") for step in steps))
    options = [re.findall(r"--[\w-]+", command) for command in documented]
    assert options == [["--repo", "--source-ref"], ["--repo"]]
    assert [re.findall(r"--[\w-]+", command) for command in run] == [
        ["--repo", "--source-ref", "--signer-workflow"]
    ] * 2
