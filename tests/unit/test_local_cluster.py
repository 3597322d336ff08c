"""Messages if a cluster cannot run on this machine."""

import os
from pathlib import Path

import pytest

from local_cluster import cgroups
from local_cluster.fixtures import cannot_run
from local_cluster.requirements import CannotRunError, check

_NO_PACKAGES: dict[str, str] = {}


@pytest.fixture(autouse=True)
def _as_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)


def test_all_is_there(tmp_path: Path) -> None:
    program = tmp_path / "etcd"
    program.touch(0o755)
    check(tmp_path, ["etcd"], {"sh": "dash"})


def test_not_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CannotRunError, match=r"^a cluster needs root, for a network and mounts of its own$"):
        check(tmp_path, [], _NO_PACKAGES)


def test_not_built(tmp_path: Path) -> None:
    (tmp_path / "etcd").touch(0o644)
    with pytest.raises(CannotRunError, match=r"^not built: etcd, kubelet: run `make incident-tools`$"):
        check(tmp_path, ["etcd", "kubelet"], _NO_PACKAGES, target="incident-tools")


def test_packages_are_missing(tmp_path: Path) -> None:
    commands = {"sh": "dash", "no-such-program": "this", str(tmp_path / "bridge"): "that"}
    with pytest.raises(CannotRunError, match=r"^not installed: this, that: run `apt-get install this that`$"):
        check(tmp_path, [], commands)


def test_no_cgroups(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for mount in (tmp_path, tmp_path / "not-there"):
        monkeypatch.setattr(cgroups, "_MOUNT", mount)
        with pytest.raises(CannotRunError, match=rf"^a node needs cgroups, and none are mounted in {mount}$"):
            cgroups.check_cgroups()


def test_cgroups_of_version_1_cannot_be_written(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroups, "_MOUNT", tmp_path)
    (tmp_path / "memory").mkdir()
    cgroups.check_cgroups()
    (tmp_path / "pids").symlink_to("/proc/self/fd")
    with pytest.raises(CannotRunError, match=r"^a node needs cgroups: /proc/[0-9]+/fd: "):
        cgroups.check_cgroups()
    assert not list((tmp_path / "memory").iterdir())


def test_cgroups_of_version_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(cgroups, "_MOUNT", tmp_path)
    (tmp_path / "cgroup.controllers").touch()
    (tmp_path / "system.slice").mkdir()
    assert cgroups.hierarchies() == [tmp_path]


def test_skipped_or_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^no kernel$"):
        cannot_run(CannotRunError("no kernel"))
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"^no kernel$"):
        cannot_run(CannotRunError("no kernel"))
