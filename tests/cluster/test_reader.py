"""`pullguard scope` on a live cluster, for users who may read everything that it needs, less, or nothing."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installed_library import install, uninstall
from local_cluster.fixtures import READER, Cluster
from pullguard.core.resources import packaged_library
from pullguard.library.store import load
from pullguard.scope.command import kinds
from shared_engine import ENGINE

_ROLE = "pullguard-scope"


@pytest.fixture(scope="module", autouse=True)
def _library(cluster: Cluster, checkout: Path) -> Iterator[None]:
    """Apply the library. The reader has no rights yet."""
    install(cluster, checkout / "library", "audit/protected_pull_policy")
    cluster.kubectl("create", "clusterrolebinding", _ROLE, f"--clusterrole={_ROLE}", f"--user={READER}")
    yield
    cluster.kubectl("delete", "clusterrolebinding", _ROLE)
    cluster.kubectl("delete", "--ignore-not-found", "clusterrole", _ROLE)
    uninstall(cluster, checkout / "library")


def _allow(cluster: Cluster, *left_out: str) -> None:
    """Let the reader list the kinds that scope reads, except some."""
    rules = [
        {"apiGroups": [kind.group], "resources": [kind.resource], "verbs": ["list"]}
        for kind in kinds(load(ENGINE, packaged_library()))
        if kind.kind not in left_out
    ]
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": _ROLE},
        "rules": rules,
    }
    cluster.kubectl("apply", "--filename=-", stdin=role)


def _scope(cluster: Cluster, kubeconfig: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "pullguard", "scope", "--output=json", f"--kubeconfig={kubeconfig}"],
        env={"PATH": f"{cluster.kubectl.program.parent}:/usr/bin:/bin", "HOME": str(cluster.plane.folder)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _report(done: "subprocess.CompletedProcess[str]") -> Any:
    report = json.loads(done.stdout)
    return {key: report[key] for key in ("namespaces", "unreadable", "errors")}


def test_list_rights_are_enough_for_the_whole_report(cluster: Cluster) -> None:
    _allow(cluster)
    reader = _scope(cluster, cluster.plane.kubeconfig(READER))
    administrator = _scope(cluster, cluster.plane.kubeconfig())
    assert (reader.returncode, reader.stderr) == (0, "")
    assert _report(reader) == _report(administrator)
    assert [found["name"] for found in _report(reader)["namespaces"]] == ["gatekeeper-system", "kube-system"]


def test_forbidden_kinds_are_reported(cluster: Cluster) -> None:
    _allow(cluster, "ReplicaSet", "Config")
    done = _scope(cluster, cluster.plane.kubeconfig(READER))
    assert done.returncode == 2
    assert _report(done)["unreadable"] == {"Config": "forbidden", "ReplicaSet": "forbidden"}


def test_forbidden_constraints_are_an_error(cluster: Cluster) -> None:
    _allow(cluster, "K8sProtectedPullPolicy")
    done = _scope(cluster, cluster.plane.kubeconfig(READER))
    assert (done.returncode, done.stdout) == (2, "")
    assert "K8sProtectedPullPolicy cannot be read (forbidden)" in done.stderr


def test_refused_credentials_are_not_shown(cluster: Cluster, tmp_path: Path) -> None:
    token = "a-token-that-nobody-may-see"  # noqa: S105 - it opens nothing
    kubeconfig = json.loads(cluster.plane.kubeconfig(READER).read_text("utf-8"))
    kubeconfig["users"][0]["user"]["token"] = token
    (tmp_path / "kubeconfig").write_text(json.dumps(kubeconfig), "utf-8")
    done = _scope(cluster, tmp_path / "kubeconfig")
    assert (done.returncode, done.stdout) == (2, "")
    assert "kubectl could not read" in done.stderr
    assert token not in done.stderr
