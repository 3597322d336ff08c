"""--changed-since: what git says has changed, in a repository in which nothing runs."""

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.selection import Selection

Git = Callable[..., Any]


def make(folder: Path, *names: str, text: str = "kind: X\n") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def changed(folder: Path, *paths: str, since: str = "main") -> list[str]:
    """Return the files that have changed among those that paths stand for, relative to the folder."""
    files = list(find_files([str(folder / path) for path in paths or (".",)], Selection(changed_since=since)))
    assert all(isinstance(file, Path) for file in files), files
    return [str(file.relative_to(folder)) for file in files if isinstance(file, Path)]


@pytest.fixture
def repository(tmp_path: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a repository with a commit, which is the working directory."""
    folder = tmp_path / "repository"
    make(folder, "kept.yaml", "changed.yaml", "gone.yaml", "staged.yaml", "on-main.yaml", ".gitignore", text="a: 1\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    git(folder, "checkout", "--quiet", "-b", "branch")
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def trap(tmp_path: Path) -> Path:
    """Return a program that leaves a file behind if it runs; as a filter, it passes its input on."""
    program = tmp_path / "trap"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/it-ran\ncat\n")
    program.chmod(0o755)
    return program


def has_run(trap: Path) -> bool:
    return (trap.parent / "it-ran").exists()


def make_stale(file: Path) -> None:
    """Let git look at the content of a file again, although it has not changed."""
    os.utime(file, (1, 1))


def test_changed_since(repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch) -> None:
    make(repository, "committed.yaml")
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message", "mine")
    git(repository, "checkout", "--quiet", "main")
    make(repository, "on-main.yaml", text="a: 2\n")
    git(repository, "commit", "--quiet", "--all", "--message", "theirs")
    git(repository, "checkout", "--quiet", "branch")
    make(repository, "changed.yaml", "staged.yaml", text="a: 3\n")
    git(repository, "add", "staged.yaml")
    (repository / "gone.yaml").unlink()
    make(repository, "sub/nëw \n.yaml", "ignored.yaml")
    make(repository, ".gitignore", text="ignored.yaml\n")
    make_stale(repository / "kept.yaml")
    expected = ["changed.yaml", "committed.yaml", "staged.yaml", "sub/nëw \n.yaml"]
    assert changed(repository) == expected
    assert changed(repository, "sub", "kept.yaml") == expected[-1:]
    # The whole repository counts, wherever in it pullguard runs, and whatever git is configured to show.
    monkeypatch.chdir(repository / "sub")
    git(repository, "config", "diff.relative", "true")
    git(repository, "mv", "kept.yaml", "moved.yaml")
    assert changed(repository) == sorted([*expected, "moved.yaml"])


def test_links_count_as_what_they_lead_to(repository: Path) -> None:
    (repository / "link.yaml").symlink_to("kept.yaml")
    assert changed(repository) == ["kept.yaml", "link.yaml"]


@pytest.mark.parametrize("ref", ["nowhere", "--output=x", "HEAD:kept.yaml"])
def test_a_commit_that_is_none(ref: str, repository: Path) -> None:
    before = sorted(repository.iterdir())
    with pytest.raises(PullguardError, match=rf"^--changed-since {ref}: .*; name a commit of the repository"):
        changed(repository, since=ref)
    assert sorted(repository.iterdir()) == before


def test_no_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.chdir(tmp_path)
    make(tmp_path, "a.yaml")
    with pytest.raises(PullguardError, match="not a git repository"):
        changed(tmp_path, since="HEAD")


def test_files_outside_the_repository(repository: Path, tmp_path: Path) -> None:
    make(tmp_path, "outside.yaml", "repository-2/outside.yaml")
    for path in ("outside.yaml", "repository-2"):
        with pytest.raises(PullguardError) as caught:
            changed(tmp_path, path)
        assert str(caught.value) == (
            f"{tmp_path}/{path.removesuffix('.yaml')}{'.yaml' if path.endswith('.yaml') else '/outside.yaml'}: "
            f"--changed-since asks the repository of the working directory, {repository}, which does not hold it; "
            "run pullguard in the repository of the file"
        )


def test_repositories_inside_count_as_changed(repository: Path, git: Git) -> None:
    make(repository, "new/a.yaml", "sub/b.yaml")
    for name in ("new", "sub"):
        git(repository / name, "init", "--quiet")
        git(repository / name, "add", "--all")
        git(repository / name, "commit", "--quiet", "--message", "x")
    git(repository, "-c", "advice.addEmbeddedRepo=false", "add", "sub")
    git(repository, "commit", "--quiet", "--message", "a submodule")
    git(repository, "checkout", "--quiet", "-B", "main")
    assert changed(repository) == ["new/a.yaml", "sub/b.yaml"]


def embedded(folder: Path, git: Git, trap: Path) -> None:
    """Make a folder that git takes for a bare repository, whose files pass through a program of its own."""
    make(folder, "a.yaml", ".gitattributes")
    (folder / ".gitattributes").write_text("*.yaml filter=x\n")
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "x")
    for entry in (folder / ".git").iterdir():
        entry.rename(folder / entry.name)
    (folder / ".git").rmdir()
    (folder / "config").write_text(
        f'[core]\nrepositoryformatversion = 0\nworktree = "{folder}"\nfsmonitor = {trap}\n'
        f'[filter "x"]\nclean = {trap}\nrequired = true\n[diff]\nexternal = {trap}\n'
    )
    make_stale(folder / "a.yaml")


def test_a_folder_that_looks_like_a_repository_runs_nothing(repository: Path, git: Git, trap: Path) -> None:
    folder = repository / "deploy"
    embedded(folder, git, trap)
    git(folder, "--git-dir=.", "status")
    assert has_run(trap)  # so it is a trap
    (trap.parent / "it-ran").unlink()
    assert changed(repository, "deploy", since="main") == ["deploy/a.yaml"]
    assert not has_run(trap)


def test_such_a_folder_is_no_place_to_run_in(
    repository: Path, git: Git, trap: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = repository / "deploy"
    embedded(folder, git, trap)
    monkeypatch.chdir(folder)
    with pytest.raises(PullguardError, match="cannot use bare repository"):
        changed(folder)
    # What a git says that does not know the setting: this one is told of the folder.
    monkeypatch.setattr("pullguard.core.inputs.changes._OWN", {"GIT_DIR": str(folder)})
    with pytest.raises(PullguardError, match="is that of git itself"):
        changed(folder)
    assert not has_run(trap)


def test_nothing_of_the_configuration_runs(
    repository: Path, git: Git, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "reference-transaction"):
        (hooks / name).symlink_to(trap)
    settings = f"""\
[core]
fsmonitor = {trap}
hooksPath = {hooks}
pager = {trap}
sshCommand = {trap}
[pager]
diff = {trap}
[diff]
external = {trap}
[diff "x"]
command = {trap}
textconv = {trap}
[filter "x=y.z"]
clean = {trap}
smudge = {trap}
required = true
[filter "long"]
process = {trap}
"""
    with (repository / ".git" / "config").open("a") as config:
        config.write(settings)
    home = tmp_path / "home"
    home.mkdir()
    (home / ".gitconfig").write_text(f'[filter "mine"]\nclean = {trap}\nrequired = true\n')
    monkeypatch.setenv("HOME", str(home))
    make(repository, "mine.yaml", "long.yaml")
    git(repository, "add", "--all")
    attributes = "*.yaml filter=x=y.z diff=x\nmine.yaml filter=mine\nlong.yaml filter=long\n"
    (repository / ".gitattributes").write_text(attributes)
    for name in ("kept.yaml", "mine.yaml", "long.yaml"):
        make_stale(repository / name)
    (trap.parent / "it-ran").unlink(missing_ok=True)
    assert changed(repository) == ["long.yaml", "mine.yaml"]
    assert not has_run(trap)
    git(repository, "status")
    assert has_run(trap)  # so these were traps


def test_the_environment_says_nothing_to_git(
    repository: Path, trap: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(repository, "changed.yaml", text="a: 2\n")
    for name, value in {
        "GIT_DIR": str(tmp_path),
        "GIT_WORK_TREE": str(tmp_path),
        "GIT_INDEX_FILE": str(tmp_path / "index"),
        "GIT_EXTERNAL_DIFF": str(trap),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "core.fsmonitor",
        "GIT_CONFIG_VALUE_0": str(trap),
        "GIT_TRACE": str(tmp_path / "trace"),
    }.items():
        monkeypatch.setenv(name, value)
    assert changed(repository) == ["changed.yaml"]
    assert not has_run(trap)
    assert not (tmp_path / "trace").exists()


def test_no_object_is_fetched(repository: Path, git: Git, trap: Path) -> None:
    with (repository / ".git" / "config").open("a") as config:
        config.write(f'[remote "origin"]\nurl = .\nuploadpack = {trap}\npromisor = true\n')
    git(repository, "config", "extensions.partialClone", "origin")
    blob = git(repository, "rev-parse", "HEAD^{tree}").stdout.strip()
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).chmod(stat.S_IRUSR | stat.S_IWUSR)
    (repository / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(PullguardError, match=r"^--changed-since main: "):
        changed(repository)
    assert not has_run(trap)
