"""Which files are read: globs, what is excluded; and where their objects go."""

import os
from pathlib import Path

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import Selection
from pullguard.judging.namespace_labels import load
from pullguard.judging.target_namespaces import TargetNamespace
from shared_engine import ENGINE


def make(folder: Path, *names: str, text: str = "kind: X\n") -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")


def found(folder: Path, *paths: str, exclude: tuple[str, ...] = ()) -> list[str]:
    """Return the files that paths below a folder stand for, relative to it."""
    named = [str(folder / path) for path in paths or (".",)]
    files = list(find_files(named, Selection(exclude)))
    assert all(isinstance(file, Path) for file in files), files
    return [str(file.relative_to(folder)) for file in files if isinstance(file, Path)]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("*.yaml", ["a.yaml", "b.yaml"]),
        ("**/*.yaml", ["a.yaml", "b.yaml", "d/c.yaml", "d/e/c.yaml"]),
        ("d/*", ["d/c.yaml", "d/e/c.yaml", "d/n.txt"]),  # a folder stands for what is in it, a file for itself
        ("[ab].yaml", ["a.yaml", "b.yaml"]),
        ("x[1].yaml", ["x[1].yaml"]),  # there is such a file
    ],
)
def test_globs(path: str, expected: list[str], tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", "b.yaml", "d/c.yaml", "d/e/c.yaml", "d/n.txt", ".hidden/a.yaml")
    if "x" in path:
        make(tmp_path, "x[1].yaml", "x1.yaml")
    assert found(tmp_path, path) == expected


@pytest.mark.parametrize(
    "glob", ["*.yaml", "nowhere/*", "a\0/*", "*/../*.txt", "a.txt/*", "**/*.yaml", "links/*", "link?/link/*.txt"]
)
def test_a_glob_that_matches_nothing_is_an_error(glob: str, tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "links/.hidden/a.yaml", "elsewhere/a.txt")
    (tmp_path / "links" / "link").symlink_to(tmp_path / "elsewhere")
    (error,) = find_files([f"{tmp_path}/{glob}"])
    assert isinstance(error, InputError)
    message = "the pattern matches no file; mind that hidden folders and links to folders are left out"
    assert (error.file, error.message) == (f"{tmp_path}/{glob}", message)


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("tree/**", ["tree/a.yaml", "tree/d/b.yaml", "tree/link.yaml"]),
        ("tree/**/*.yaml", ["tree/a.yaml", "tree/link.yaml", "tree/d/b.yaml"]),
        ("tree/*", ["tree/a.yaml", "tree/d/b.yaml", "tree/link.yaml"]),
        ("tree/*/*.yaml", ["tree/d/b.yaml"]),
        ("t*/d/b.yaml", ["tree/d/b.yaml"]),
        ("tree/d/../out/*.yaml", ["tree/d/../out/outside.yaml"]),  # a link that the user names
        ("**/out", ["out/inside.yaml"]),
    ],
)
def test_globs_follow_no_link_to_a_folder(glob: str, expected: list[str], tmp_path: Path) -> None:
    """As folders do not: a change could bring one that leads out of it, or round in circles."""
    make(tmp_path, "tree/a.yaml", "tree/d/b.yaml", "elsewhere/outside.yaml", "out/inside.yaml")
    (tmp_path / "tree" / "here").symlink_to(".")
    (tmp_path / "tree" / "d" / "up").symlink_to("..")
    (tmp_path / "tree" / "out").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "tree" / "link.yaml").symlink_to(tmp_path / "elsewhere" / "outside.yaml")
    assert found(tmp_path, glob) == expected


def test_a_glob_never_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    make(tmp_path, "b.yaml")
    error, file = find_files([f"{tmp_path}/*.yaml"])
    assert file == tmp_path / "b.yaml"
    assert isinstance(error, InputError)
    assert error.message == "is not a regular file; name it itself if it is to be read"


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("path", ["**/*.yaml", "*", "."])
def test_a_folder_that_may_not_be_read_is_an_error(path: str, tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", "secret/b.yaml")
    (tmp_path / "secret").chmod(0)
    try:
        results = list(find_files([f"{tmp_path}/{path}"]))
    finally:
        (tmp_path / "secret").chmod(0o700)
    errors = [found for found in results if isinstance(found, InputError)]
    assert [error.file for error in errors] == [f"{tmp_path}/secret"]


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        (["b.yaml"], ["a.yaml", "vendor/a.yaml", "x/vendor/a.yaml"]),
        (["vendor/"], ["a.yaml", "b.yaml", "x/b.yaml"]),
        (["/vendor"], ["a.yaml", "b.yaml", "x/b.yaml", "x/vendor/a.yaml"]),
        (["x/**/a.yaml", "/b.*"], ["a.yaml", "vendor/a.yaml", "vendor/b.yaml", "x/b.yaml"]),
        (["*.yaml", "!/a.yaml"], ["a.yaml"]),
        (["# nothing", ""], ["a.yaml", "b.yaml", "vendor/a.yaml", "vendor/b.yaml", "x/b.yaml", "x/vendor/a.yaml"]),
    ],
)
def test_excluded_as_in_gitignore(exclude: list[str], expected: list[str], tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", "b.yaml", "vendor/a.yaml", "vendor/b.yaml", "x/b.yaml", "x/vendor/a.yaml")
    assert found(tmp_path, exclude=tuple(exclude)) == sorted(expected, key=lambda name: name.split("/"))


def test_a_file_that_is_named_is_never_excluded(tmp_path: Path) -> None:
    make(tmp_path, "a.yaml")
    assert found(tmp_path, "a.yaml", exclude=("*",)) == ["a.yaml"]


def test_where_objects_go() -> None:
    target = TargetNamespace("given")
    stating, silent = {"metadata": {"namespace": "own", "name": "x"}}, {"metadata": {"name": "x"}}
    placeholder = {"metadata": {"namespace": "${NS}", "name": "x"}}
    assert target.with_namespace(stating) is stating
    assert target.with_namespace(silent) is silent
    assert target.with_namespace(placeholder) == {"metadata": {"namespace": "given", "name": "x"}}
    assert target.with_namespace({"metadata": 7}) == {"metadata": 7}


def test_labels_of_namespaces(tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", text="a: {x: w}\nb:\n---\nc: {}\n")
    assert load(ENGINE, str(tmp_path / "a.yaml")) == {"a": {"x": "w"}, "b": {}, "c": {}}
    namespace = "kind: Namespace\nmetadata: {name: some, labels: {x: z}}\n"
    make(tmp_path, "b.yaml", text=namespace)
    assert load(ENGINE, str(tmp_path / "b.yaml")) == {"some": {"x": "z"}}
    make(tmp_path, "c.yaml", text="kind: List\nitems:\n- {kind: Namespace, metadata: {name: some}}\n")
    assert load(ENGINE, str(tmp_path / "c.yaml")) == {"some": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no Namespace"),
        ("- a\n", ":1: is not a mapping"),
        ("a: [b]\n", ":1: the labels of a are not a mapping of strings"),
        ("a: b\nc: {d: e}\n", ":1: the labels of a are not a mapping of strings"),
        ("x: {a: b}\nc: {d: 1}\n", ":2: the labels of c are not a mapping of strings"),
        ("kind: Pod\nmetadata: {name: a}\n", ":1: Pod is not a Namespace with a name"),
        ("kind: Namespace\n", ":1: Namespace is not a Namespace with a name"),
        ("a: [\n", ":1: not valid YAML"),
    ],
)
def test_labels_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PullguardError) as caught:
        load(ENGINE, str(file))
    assert message in str(caught.value)
