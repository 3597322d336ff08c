"""conftest: what is special to the engine, and the bundle for those who run conftest alone."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

import small_library as small
from pullguard.check.command import check
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding
from pullguard.judging import by_conftest

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")


@pytest.fixture
def library(tmp_path: Path) -> str:
    return small.write_library(tmp_path / "lib", small.OWNER, small.constraint("NeedsOwner", "c"))


def test_a_configuration_of_others_is_not_read(tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    expected = check([file], library=library, engine="conftest")
    assert [found.object.name for found in expected.findings] == ["p"]
    for name, text in {
        "conftest.toml": 'namespace = "other"\nno-fail = true\n',
        "conftest.json": "no JSON",
        "conftest.yaml": "ignore: .*\n",
    }.items():
        folder = tmp_path / name.replace(".", "-")
        folder.mkdir()
        (folder / name).write_text(text, encoding="utf-8")
        monkeypatch.chdir(folder)
        assert check([file], library=library, engine="conftest") == expected


def test_a_missing_conftest(
    tmp_path: Path, library: str, engine_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pullguard-engine").symlink_to(engine_program)
    (tmp_path / "rego").symlink_to(resources.rego_directory())
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path)
    monkeypatch.setattr(resources, "_CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PullguardError) as error:
        check([str(tmp_path)], library=library, engine="conftest")
    assert str(error.value) == (
        "conftest was not found; install conftest 0.71 or run `make tools` in a checkout of pullguard, "
        "so that it is on PATH"
    )


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exit 0", "conftest ended with code 0 and no result: no message"),
        ("echo 'Error: running test: oh' >&2; exit 1", "conftest ended with code 1 and no result: oh"),
        ("kill -9 $$", "conftest ended with code -9 and no result: no message"),
        ("echo '{}'", "conftest ended with code 0 and no result: no message"),
        ("echo '[]'", "conftest did not give a result for each object"),
        ("echo '[]'; exit 2", "conftest ended with code 2 and no result: no message"),
        ("echo '[]'; exit 1", "conftest ended with code 1 and no result: no message"),
        (
            """echo '[{"filename": "other"}]'""",
            "conftest did not give a result for each object",
        ),
        (
            """for last; do :; done; echo '[{"filename": "'$last'/0.json", "failures": [{"msg": "m"}]}]'; exit 1""",
            "conftest gave a result that pullguard cannot read (KeyError('metadata'))",
        ),
        (
            """for last; do :; done; echo '[{"filename": "'$last'/0.json", "failures": ["m"]}]'; exit 1""",
            "conftest gave a result that pullguard cannot read (TypeError(",
        ),
        (
            """for last; do :; done
            echo '[{"filename": "'$last'/0.json", "failures": [{"msg": "not loaded", "metadata": {}}]}]'; exit 1""",
            "conftest: not loaded",
        ),
    ],
)
def test_a_program_that_is_no_conftest(
    tmp_path: Path, library: str, monkeypatch: pytest.MonkeyPatch, script: str, reason: str
) -> None:
    program = tmp_path / "conftest"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o700)

    def find(name: str, stated: str | None = None) -> Path:
        del name, stated
        return program

    monkeypatch.setattr(by_conftest, "find_tool", find)
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    with pytest.raises(PullguardError) as error:
        check([file], library=library, engine="conftest")
    assert str(error.value).startswith(reason)
    assert str(error.value) == reason or reason.endswith("(")


# Plain conftest with the bundle in library/conftest.


@pytest.fixture(scope="module")
def bundle(checkout: Path) -> Path:
    return checkout / "library" / "conftest"


def plain(conftest_binary: Path, bundle: Path, files: Sequence[str], *data: Path) -> "subprocess.CompletedProcess[str]":
    arguments = ["test", "-o", "json", "-p", str(bundle / "policy")]
    for path in data:
        arguments += ["-d", str(path)]
    return subprocess.run(
        [conftest_binary, *arguments, *files], capture_output=True, text=True, check=False, timeout=600
    )


def verdicts(output: str) -> list[tuple[str, str, str]]:
    """Return file, "failures" or "warnings", and message of everything that conftest says."""
    return sorted(
        (result["filename"], kind, entry["msg"])
        for result in json.loads(output)
        for kind in ("failures", "warnings")
        for entry in result.get(kind, [])
    )


def expected_verdicts(findings: Sequence[Finding]) -> Iterator[tuple[str, str, str]]:
    for found in findings:
        obj = found.object
        subject = f"{obj.namespace}/{obj.name}" if obj.namespace else obj.name or "(no name)"
        for name in found.constraints:
            kind = "failures" if found.action == "deny" else "warnings"
            yield found.file, kind, f"{obj.kind} {subject}: {found.message} ({name})"


@pytest.fixture(scope="module")
def everywhere(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the bundle, with constraints that select all namespaces."""
    value = json.loads((bundle / "data" / "pullguard.json").read_text(encoding="utf-8"))
    for entry in value["pullguard"]["constraints"]:
        for field in ("namespaces", "namespaceSelector", "scope"):
            entry["constraint"]["spec"]["match"].pop(field, None)
    file = tmp_path_factory.mktemp("data") / "everywhere.json"
    file.write_text(json.dumps(value), encoding="utf-8")
    return file


#: Files that conftest cannot read; in a run with others each of them would hide the verdicts on all.
UNREADABLE = {
    "container-with-merge.yaml": "a merge key with a value that is none",
    "bad-second-doc.yaml": "a broken document",
    "latin1.yaml": "no UTF-8",
    "two-objects.json": "two JSON values in one file",
    "wrong-indentation.yaml": "a broken document",
}


def is_unreadable(path: Path) -> bool:
    return path.name.rpartition("__")[2] in UNREADABLE


def readable(*folders: Path) -> list[str]:
    return sorted(
        str(path) for folder in folders for path in folder.rglob("*") if path.is_file() and not is_unreadable(path)
    )


def test_what_conftest_cannot_read(corpus: Path, hard: Path, conftest_binary: Path, bundle: Path) -> None:
    for path in filter(is_unreadable, [*(corpus / "real").rglob("*"), *hard.iterdir()]):
        assert plain(conftest_binary, bundle, [str(path)], bundle / "data").stdout == ""


def test_the_same_verdicts_on_real_and_hard_manifests(  # noqa: PLR0917 - fixtures
    corpus: Path, hard: Path, checkout: Path, conftest_binary: Path, bundle: Path, everywhere: Path
) -> None:
    files = readable(corpus / "real", hard)
    ended = plain(conftest_binary, bundle, files, everywhere)
    assert (ended.returncode, ended.stderr) == (0, "")
    report = check(files, library=str(checkout / "library"), everywhere=True)
    assert verdicts(ended.stdout) == sorted(expected_verdicts(report.findings))


def test_the_bundle_as_it_is(hard: Path, checkout: Path, conftest_binary: Path, bundle: Path) -> None:
    files = readable(hard.parent / "real", hard)
    ended = plain(conftest_binary, bundle, files, bundle / "data")
    report = check(files, library=str(checkout / "library"))
    assert verdicts(ended.stdout) == sorted(expected_verdicts(report.findings))


def list_of(*items: Any, kind: str = "List") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "items": list(items)}


def test_lists_are_read_alike(tmp_path: Path, checkout: Path, conftest_binary: Path, bundle: Path) -> None:
    containers = [{"name": "c", "image": "x:v1", "imagePullPolicy": "Always"}]
    bare = {"metadata": {"name": "a", "namespace": "kube-system"}, "spec": {"containers": containers}}
    pod = {"apiVersion": "v1", "kind": "Pod", **bare}
    other = {**pod, "metadata": {"name": "b", "namespace": "kube-system"}}
    inputs: dict[str, Any] = {
        "array": [pod, other],
        "array of lists": [list_of(pod), list_of(list_of(other))],
        "three lists": list_of(list_of(list_of(pod))),
        "five lists": list_of(list_of(list_of(list_of(list_of(pod), other)))),
        "typed list in a list": list_of(list_of(bare, kind="PodList"), other),
        "other kinds that have items": list_of(pod, kind="Bundle"),
        "a pod that has items": {**pod, "items": [bare]},
        "items that say nothing": list_of({**bare, "kind": "", "apiVersion": None}, kind="PodList"),
        "items of the wrong type": list_of({**bare, "kind": 5}, kind="PodList"),
        "items without a kind": {"items": [pod]},
        "no list": {**pod, "items": {}},
        "placeholder": {**pod, "metadata": {"name": "a", "namespace": "${NAMESPACE}"}},
    }
    for name, value in inputs.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    files = sorted(map(str, tmp_path.iterdir()))
    ended = plain(conftest_binary, bundle, files, bundle / "data")
    report = check(files, library=str(checkout / "library"))
    assert verdicts(ended.stdout) == sorted(expected_verdicts(report.findings))
    assert {found.file for found in report.findings} == {*files} - {str(tmp_path / "items without a kind.json")}


NO_DATA = "no constraints were loaded, so nothing was judged: pass their folder to conftest with -d"


@pytest.mark.parametrize("text", ["kind: Pod\nmetadata: {name: p}\n", "a: 1\n", ""])
def test_a_missing_data_folder_fails_loudly(tmp_path: Path, conftest_binary: Path, bundle: Path, text: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(text, encoding="utf-8")
    other = tmp_path / "other"
    other.mkdir()
    (other / "data.json").write_text('{"constraints": []}', encoding="utf-8")
    for data in ([], [other]):
        ended = plain(conftest_binary, bundle, [str(file)], *data)
        assert ended.returncode == 1
        assert verdicts(ended.stdout) == [(str(file), "failures", NO_DATA)]


def test_deny_fails_and_warn_warns(tmp_path: Path, conftest_binary: Path, bundle: Path) -> None:
    value = json.loads((bundle / "data" / "pullguard.json").read_text(encoding="utf-8"))
    constraint: dict[str, Any] = value["pullguard"]["constraints"][0]["constraint"]
    pod = {"containers": [{"name": "c", "image": "nginx:1", "imagePullPolicy": "Always"}]}
    file = small.write_manifests(tmp_path / "m.yaml", {**small.manifest("p", kind="Pod"), "spec": pod})
    found = {}
    for action in ("deny", "warn", "dryrun"):
        constraint["spec"]["enforcementAction"] = action
        value["pullguard"]["constraints"] = [{"policy": "protected_pull_policy", "constraint": constraint}]
        data = tmp_path / f"{action}.json"
        data.write_text(json.dumps(value), encoding="utf-8")
        ended = plain(conftest_binary, bundle, [file], data)
        found[action] = (ended.returncode, [kind for _, kind, _ in verdicts(ended.stdout)])
    assert found == {"deny": (1, ["failures"]), "warn": (0, ["warnings"]), "dryrun": (0, ["warnings"])}


def test_a_missing_policy_fails_loudly(tmp_path: Path, conftest_binary: Path, bundle: Path) -> None:
    copy = tmp_path / "bundle"
    shutil.copytree(bundle, copy)
    shutil.rmtree(copy / "policy" / "policies" / "protected_pull_policy")
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    ended = plain(conftest_binary, copy, [file], copy / "data")
    assert ended.returncode == 1
    messages = {message for _, kind, message in verdicts(ended.stdout) if kind == "failures"}
    assert all(
        re.fullmatch(
            r"the policy protected_pull_policy of the constraint [-a-z]+ was not loaded: "
            r"pass its folder to conftest with -p",
            message,
        )
        for message in messages
    )
    assert len(messages) > 0


def test_the_bundle_compiles_by_itself(opa: tuple[str, ...], bundle: Path) -> None:
    subprocess.run([*opa, "check", "--strict", bundle / "policy"], check=True, timeout=600)


def test_the_adapter_loads_in_both_versions_of_rego(opa: tuple[str, ...], checkout: Path, tmp_path: Path) -> None:
    for name in ("gatekeeper", "conftest"):
        ignore = shutil.ignore_patterns("*_test.rego")
        shutil.copytree(checkout / "rego" / name, tmp_path / name, ignore=ignore)
    for version in ("--v1-compatible", "--v0-compatible"):
        subprocess.run([*opa, "check", version, tmp_path], check=True, timeout=600)


def test_conftest_takes_no_other_rule_for_a_verdict(opa: tuple[str, ...], bundle: Path) -> None:
    """conftest runs every rule of package main whose name begins like deny, violation or warn."""
    ended = subprocess.run(
        [*opa, "parse", "--format", "json", bundle / "policy/conftest/main/main.rego"],
        check=True,
        capture_output=True,
        timeout=600,
    )
    names = {rule["head"]["name"] for rule in json.loads(ended.stdout)["rules"]}
    verdict = re.compile(r"(deny|violation|warn)(_[a-zA-Z0-9]+)*|exception")
    assert {name for name in names if verdict.fullmatch(name)} == {"deny", "warn"}
    packages = [
        re.search(r"^package (\S+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        for path in (bundle / "policy").rglob("*.rego")
    ]
    assert [match[1] for match in packages if match].count("main") == 1
