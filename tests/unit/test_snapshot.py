"""Snapshots from files, and what kubectl says when it cannot be run."""

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest

from pullguard.cluster.snapshot import Kind, Snapshot, Stored, from_cluster, from_files
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.problems import InputError
from shared_engine import ENGINE

_KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("apps", "Deployment", "deployments", namespaced=True),
)


def _read(*objects: Any, kinds: tuple[Kind, ...] = _KINDS) -> Snapshot:
    text = "\n---\n".join(json.dumps(value) for value in objects)
    return from_files(ENGINE, kinds, ["-"], stdin=io.BytesIO(text.encode()))


def _namespace(name: Any, **labels: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _deployment(name: str, namespace: Any = "a", group: str = "apps") -> dict[str, Any]:
    return {"apiVersion": f"{group}/v1", "kind": "Deployment", "metadata": {"name": name, "namespace": namespace}}


def test_what_was_asked_for_is_kept() -> None:
    dump = {"apiVersion": "v1", "kind": "List", "items": [_namespace("a"), _deployment("web"), _deployment("api", "b")]}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "a"}}
    snapshot = _read(dump, secret, _deployment("web", group="example.org"))
    assert snapshot == Snapshot(
        source="the files",
        live=False,
        stored={
            "Namespace": (Stored("<stdin>", _namespace("a")),),
            "Deployment": (Stored("<stdin>", _deployment("web")), Stored("<stdin>", _deployment("api", "b"))),
        },
        unreadable={},
        errors=(),
        notes=(),
    )
    assert snapshot.empty == ()
    assert _read(_namespace("a")).empty == ("Deployment",)


def test_the_same_object_twice_is_one() -> None:
    snapshot = _read(_namespace("a"), _namespace("a"))
    assert (snapshot.objects("Namespace"), snapshot.errors) == ([_namespace("a")], ())


def test_of_two_that_differ_the_first_is_kept() -> None:
    snapshot = _read(_namespace("a", tier="x"), _namespace("a", tier="y"))
    assert snapshot.objects("Namespace") == [_namespace("a", tier="x")]
    message = "another Namespace a in <stdin> differs from this one, and was kept"
    assert snapshot.errors == (InputError("<stdin>", 3, 1, message),)


def test_what_has_no_namespace_is_one_whatever_it_states() -> None:
    stray = _namespace("a", tier="y")
    stray["metadata"]["namespace"] = "b"
    snapshot = _read(_namespace("a", tier="x"), stray)
    assert snapshot.objects("Namespace") == [_namespace("a", tier="x")]
    message = "another Namespace a in <stdin> differs from this one, and was kept"
    assert snapshot.errors == (InputError("<stdin>", 3, 1, message),)


def test_what_is_to_be_applied_goes_before_what_is_there() -> None:
    stored = _namespace("a", tier="x")
    stored["metadata"]["uid"] = "1"
    for objects in ([stored, _namespace("a", tier="y")], [_namespace("a", tier="y"), stored]):
        snapshot = _read(*objects)
        assert (snapshot.objects("Namespace"), snapshot.errors) == ([_namespace("a", tier="y")], ())


def test_a_kustomization_stands_for_what_is_built_of_it(tmp_path: Path) -> None:
    (tmp_path / "ns.yaml").write_text(json.dumps(_namespace("a", tier="x")), "utf-8")
    (tmp_path / "other.yaml").write_text(json.dumps(_namespace("b")), "utf-8")
    text = "resources: [ns.yaml]\npatches: [{patch: '{kind: Namespace, metadata: {name: a, labels: {tier: y}}}'}]\n"
    (tmp_path / "kustomization.yaml").write_text(text.replace("{kind", "{apiVersion: v1, kind"), "utf-8")
    snapshot = from_files(ENGINE, _KINDS, [str(tmp_path)])
    assert snapshot.objects("Namespace") == [_namespace("b"), _namespace("a", tier="y")]
    assert snapshot.errors == ()


def test_a_kustomization_that_cannot_be_built_is_an_error_and_its_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "ns.yaml").write_text(json.dumps(_namespace("a")), "utf-8")
    (tmp_path / "kustomization.yaml").write_text("resources: [ns.yaml, gone.yaml]\n", "utf-8")
    snapshot = from_files(ENGINE, _KINDS, [str(tmp_path)])
    assert snapshot.objects("Namespace") == [_namespace("a")]
    (problem,) = snapshot.errors
    assert problem.file == f"kustomize build {os.path.relpath(tmp_path)}"
    assert "gone.yaml" in problem.message


@pytest.mark.parametrize("name", [None, "", 1, []])
def test_an_object_without_a_name_is_an_error(name: Any) -> None:
    snapshot = _read(_namespace(name), _namespace("a"))
    assert snapshot.objects("Namespace") == [_namespace("a")]
    message = "this Namespace has no name, so it was left out; dump it from the cluster"
    assert snapshot.errors == (InputError("<stdin>", 1, 0, message),)


def test_objects_without_a_namespace_are_noted() -> None:
    assert _read(_namespace("a"), _deployment("web", None)).notes == (
        "1 object was left out, because it states no namespace",
    )
    assert _read(_namespace("a"), _deployment("web", None), _deployment("api", 1)).notes == (
        "2 objects were left out, because they state no namespace",
    )


def test_a_broken_file_hides_nothing(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [", "utf-8")
    (tmp_path / "good.json").write_text(json.dumps(_namespace("a")), "utf-8")
    snapshot = from_files(ENGINE, _KINDS, [str(tmp_path)])
    assert snapshot.objects("Namespace") == [_namespace("a")]
    assert [problem.file for problem in snapshot.errors] == [str(tmp_path / "broken.yaml")]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("empty.json", ""),
        ("blank.yaml", "---\n\n"),
        ("table.txt", "NAME   STATUS   AGE\na      Active   1d\n"),
        ("cut.yaml", "apiVersion: v1\nitems:\n- apiVersion: v1\n  kind: Namespace\n  metadata:\n    name: b\n"),
    ],
)
def test_a_file_without_an_object_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "good.json").write_text(json.dumps(_namespace("a")), "utf-8")
    (tmp_path / name).write_text(text, "utf-8")
    snapshot = from_files(ENGINE, _KINDS, [str(tmp_path / name), str(tmp_path / "good.json")])
    assert snapshot.objects("Namespace") == [_namespace("a")]
    message = "it holds no Kubernetes object; check whether the command that wrote it failed or lacks `-o json`"
    assert snapshot.errors == (InputError(str(tmp_path / name), None, None, message),)


@pytest.mark.parametrize(
    "value", [{"apiVersion": "v1", "kind": "List", "items": []}, {"apiVersion": "v1", "kind": "Secret"}]
)
def test_a_file_without_an_object_of_these_kinds_is_none(tmp_path: Path, value: Any) -> None:
    (tmp_path / "good.json").write_text(json.dumps(_namespace("a")), "utf-8")
    (tmp_path / "other.json").write_text(json.dumps(value), "utf-8")
    snapshot = from_files(ENGINE, _KINDS, [str(tmp_path)])
    assert (snapshot.objects("Namespace"), snapshot.errors) == ([_namespace("a")], ())


def test_an_input_with_nothing_of_a_cluster_ends_it() -> None:
    with pytest.raises(PullguardError) as caught:
        _read({"kind": "Kustomization"})
    assert caught.value.message == "the input holds no object of a kind that this command reads"


def test_a_kubectl_that_is_not_there_ends_it() -> None:
    with pytest.raises(PullguardError, match=r"^/nowhere/kubectl is not an executable program; install kubectl"):
        from_cluster(ENGINE, _KINDS, kubectl="/nowhere/kubectl")


def test_what_kubectl_calls_a_kind() -> None:
    assert [kind.argument for kind in _KINDS] == ["namespaces", "deployments.apps"]
