"""Which files are read: globs, what is excluded; and where their objects go."""

from pathlib import Path
from typing import Any

import pytest

from pullguard.errors import PullguardError
from pullguard.inputs.files import find_files
from pullguard.inputs.homes import Homes
from pullguard.inputs.kustomizations import namespaces
from pullguard.inputs.namespace_labels import load
from pullguard.inputs.selection import Selection


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


def test_a_glob_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    (error,) = find_files([str(tmp_path / "*.yaml")])
    assert not isinstance(error, Path)
    assert "cannot be read: No such file or directory" in str(error)


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


def homes(folder: Path, **files: Any) -> dict[str, str]:
    for name, text in files.items():
        make(folder, name, text=text)
    return {
        Path(file).relative_to(folder).as_posix(): own for file, own in namespaces(find_files([str(folder)])).items()
    }


def test_kustomizations(tmp_path: Path) -> None:
    files = {
        "base/kustomization.yaml": "namespace: inner\nresources: [a.yaml, https://example.com/x.yaml, 7]\n",
        "base/a.yaml": "kind: X\n",
        "over/kustomization.yml": "namespace: outer\nresources:\n- ../base\n- b.yaml\n",
        "over/b.yaml": "kind: X\n",
        "alone/kustomization.yaml": "resources: [c.yaml]\n",
        "alone/c.yaml": "kind: X\n",
        "alone/d.yaml": "kind: X\n",
    }
    assert homes(tmp_path, **files) == {"base/a.yaml": "outer", "over/b.yaml": "outer"}
    # In two namespaces at once: which one is not known.
    assert homes(tmp_path, **{"more/kustomization.yaml": "namespace: other\nbases: [../base]\n"}) == {
        "over/b.yaml": "outer"
    }


def test_kustomizations_that_are_wrong_or_hostile(tmp_path: Path) -> None:
    files = {
        "a/kustomization.yaml": "namespace: mine\nresources: [../b, x.yaml]\n",
        "b/kustomization.yaml": "resources: [../a]\n",
        "c/kustomization.yaml": "a: [\n",
        "d/kustomization.yaml": "- a\n",
        "e/kustomization.yaml": "namespace: [n]\nresources: {a: b}\n",
        "f/kustomization.yaml": 'namespace: mine\nresources: ["../../../../etc/passwd", "g\\0", "z.yaml"]\n',
        "f/z.yaml": "kind: X\n",
    }
    assert homes(tmp_path, **files) == {"f/z.yaml": "mine"}


def test_where_objects_go() -> None:
    places = Homes("given", {"k.yaml": "kustomized"})
    stating, silent = {"metadata": {"namespace": "own", "name": "x"}}, {"metadata": {"name": "x"}}
    assert places.of("a.yaml").namespace == "given"
    assert places.of("a.yaml").moved(stating) is stating
    assert places.of("k.yaml").namespace == "kustomized"
    assert places.of("k.yaml").moved(stating) == {"metadata": {"namespace": "kustomized", "name": "x"}}
    assert places.of("k.yaml").moved(silent) is silent
    assert places.of("k.yaml").moved({"metadata": 7}) == {"metadata": 7}


def test_labels_of_namespaces(tmp_path: Path) -> None:
    make(tmp_path, "a.yaml", text="a: {x: w}\nb:\n---\nc: {}\n")
    assert load(str(tmp_path / "a.yaml")) == {"a": {"x": "w"}, "b": {}, "c": {}}
    namespace = "kind: Namespace\nmetadata: {name: some, labels: {x: z}}\n"
    make(tmp_path, "b.yaml", text=namespace)
    assert load(str(tmp_path / "b.yaml")) == {"some": {"x": "z"}}
    make(tmp_path, "c.yaml", text="kind: List\nitems:\n- {kind: Namespace, metadata: {name: some}}\n")
    assert load(str(tmp_path / "c.yaml")) == {"some": {}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no Namespace"),
        ("- a\n", ":1: is no mapping"),
        ("a: [b]\n", ":1: the labels of a are no mapping of strings"),
        ("a: b\nc: {d: e}\n", ":1: the labels of a are no mapping of strings"),
        ("x: {a: b}\nc: {d: 1}\n", ":2: the labels of c are no mapping of strings"),
        ("kind: Pod\nmetadata: {name: a}\n", ":1: Pod is no Namespace with a name"),
        ("kind: Namespace\n", ":1: Namespace is no Namespace with a name"),
        ("a: [\n", ":1: not valid YAML"),
    ],
)
def test_labels_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "labels.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PullguardError) as caught:
        load(str(file))
    assert message in str(caught.value)
