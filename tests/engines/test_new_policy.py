"""`pullguard new-policy` in a copy of the checkout: what it writes generates, tests and lints green at once."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pullguard import __version__
from pullguard.core.errors import PullguardError
from pullguard.generate.command import generate
from pullguard.library.policies import check_name
from pullguard.new_policy.command import new_policy
from pullguard.suites import command as suites

Run = Callable[..., "subprocess.CompletedProcess[str]"]

_NAME = "no_old_images"
_END = "}\n"


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    """Return a copy of the checkout in which the command has run."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("rego", "library", "generator", ".regal"):
        shutil.copytree(checkout / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pullguard.yaml"):
        shutil.copy(checkout / name, folder)
    done = pullguard(folder / "generator", "new-policy", _NAME)
    assert (done.returncode, done.stderr) == (0, "")
    paths = ["no_old_images.rego", "no_old_images_test.rego", "samples/constraint.yaml", "samples/pod_elsewhere.yaml"]
    paths += ["samples/pod_unwanted.yaml", "samples/pod_wanted.yaml", "suite.yaml"]
    assert done.stdout.splitlines() == [
        *(f"wrote: {folder}/rego/policies/no_old_images/{path}" for path in paths),
        f"wrote: {folder}/.regal/rules/custom/ids/ids.rego",
        "edit them, then run `make generate lint test`",
    ]
    return folder


def pullguard(package: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the command of a copy of the package."""
    command = [sys.executable, "-m", "pullguard", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(package)}
    return subprocess.run(
        command, cwd=package, env=environment, capture_output=True, text=True, timeout=600, check=False
    )


def test_it_generates(copy: Path) -> None:
    generate(copy / "pullguard.yaml", copy / "library", rego=copy / "rego")
    assert generate(copy / "pullguard.yaml", copy / "library", rego=copy / "rego", check=True).exit_code == 0
    template = (copy / "library/policies/no_old_images/template.yaml").read_text("utf-8")
    assert "kind: K8sNoOldImages\n" in template
    assert "# No old images\n" in (copy / "library/policies/no_old_images/README.md").read_text("utf-8")
    mentions = [
        path for path in (copy / "library").rglob("*") if path.is_file() and b"xample_policy" in path.read_bytes()
    ]
    assert mentions == []


def test_its_rego_tests_pass_and_cover_it(copy: Path, opa: tuple[str, ...], run: Run) -> None:
    folders = [copy / "rego/policies" / _NAME, copy / "rego/lib"]
    done = run(*opa, "test", "--coverage", "--ignore=*.yaml", f"--run={_NAME}", "--timeout=300s", *folders)
    assert done.returncode == 0, done.stdout + done.stderr
    coverage = {Path(file).name: entry for file, entry in json.loads(done.stdout)["files"].items()}
    for name in (f"{_NAME}.rego", f"{_NAME}_test.rego"):
        assert "not_covered" not in coverage[name]


def test_its_suite_passes(copy: Path, gator: Path) -> None:
    generate(copy / "pullguard.yaml", copy / "library", rego=copy / "rego")
    folder = copy / "library" / "policies" / _NAME
    for engine in ("opa", "gator"):
        (report,) = suites.run([str(folder)], engine=engine).suites
        assert [case.outcome for test in report.tests for case in test.cases] == ["passed"] * 3
    assert gator.exists()


def test_it_lints(copy: Path, opa: tuple[str, ...], regal: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(copy)
    for command in (
        (*opa, "fmt", "--fail", "--list", "rego"),
        (*opa, "check", "--strict", *Path("rego").rglob("*.rego")),
        (regal, "lint", "rego"),
    ):
        done = run(*command)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_id_of_its_rule_is_noted_behind_the_others(copy: Path, checkout: Path) -> None:
    ids = ".regal/rules/custom/ids/ids.rego"
    entry = f'\t"no-old-images-unwanted": {{"rule": "no_old_images.unwanted", "since": "{__version__}"}},\n'
    before = (checkout / ids).read_text("utf-8")
    assert (copy / ids).read_text("utf-8") == f"{before.removesuffix(_END)}{entry}{_END}"


def test_a_list_of_ids_that_goes_on_is_left_alone(tmp_path: Path) -> None:
    ids = tmp_path / ".regal/rules/custom/ids/ids.rego"
    ids.parent.mkdir(parents=True)
    ids.write_text("history := {}\n")
    with pytest.raises(PullguardError, match=r"ids\.rego: does not end with the list of ids; move it to the end$"):
        new_policy(_NAME, checkout=tmp_path)
    assert ids.read_text() == "history := {}\n"
    assert not (tmp_path / "rego").exists()


def test_a_policy_that_is_there_stays(copy: Path) -> None:
    before = (copy / "rego/policies" / _NAME / "suite.yaml").read_bytes()
    with pytest.raises(PullguardError, match=r"rego/policies/no_old_images: is there already; choose another name$"):
        new_policy(_NAME, checkout=copy)
    assert (copy / "rego/policies" / _NAME / "suite.yaml").read_bytes() == before


@pytest.mark.parametrize("name", ["", "No_images", "no-images", "_no", "no__images", "../x", "n" * 41])
def test_names_that_no_policy_can_have(name: str, copy: Path) -> None:
    with pytest.raises(
        PullguardError, match="cannot be a policy's name; write words in lower case joined by underscores"
    ):
        new_policy(name, checkout=copy)
    check_name("n" * 40)


def test_an_installation_has_no_policies_to_add_to(checkout: Path, tmp_path: Path) -> None:
    shutil.copytree(checkout / "generator/pullguard", tmp_path / "lib/site/pullguard")
    for name in ("rego", "library"):
        shutil.copytree(checkout / name, tmp_path / "lib/site/pullguard/data" / name)
    done = pullguard(tmp_path / "lib/site", "new-policy", "x")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "pullguard: this pullguard was installed, and policies are part of its source; clone its repository, run "
        "`make setup tools` there, and use .venv/bin/pullguard\n"
    )
