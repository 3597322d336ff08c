import hashlib
import os
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pullguard.core.errors import PullguardError
from pullguard.library import bundle, store
from pullguard.library.store import Difference
from shared_engine import ENGINE

FILES = {"README.md": "index\n", "a/b/one.yaml": "1\n", "a/two.yaml": "é\n"}
NOTHING = Difference((), (), ())
ALL = ("MANIFEST", "README.md", "a/b/one.yaml", "a/two.yaml")


def tree(directory: Path) -> dict[str, bytes]:
    """Return everything below a folder that is not a folder, links as their targets."""
    return {
        path.relative_to(directory).as_posix(): os.fsencode(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_symlink() or not path.is_dir()
    }


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def manifest(files: dict[str, str]) -> str:
    return "".join(f"{digest(text)}  {path}\n" for path, text in sorted(files.items()))


def on_disk(files: dict[str, str]) -> dict[str, bytes]:
    return {path: text.encode() for path, text in sorted({**files, "MANIFEST": manifest(files)}.items())}


def refused(files: dict[str, str], out: Path) -> str:
    """Return the error of a write that changes nothing."""
    before = tree(out)
    with pytest.raises(PullguardError) as caught:
        store.write(files, out)
    assert tree(out) == before
    return str(caught.value)


# -- writing ------------------------------------------------------------------------------------------------------


def test_a_library_is_written_into_a_new_folder(tmp_path: Path) -> None:
    out = tmp_path / "new" / "library"
    assert store.compare(FILES, out) == Difference(ALL, (), ())
    assert not out.exists()
    assert store.write(FILES, out) == Difference(ALL, (), ())
    assert tree(out) == on_disk(FILES)
    assert store.compare(FILES, out) == NOTHING


def test_the_manifest_is_what_sha256sum_writes(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    assert (tmp_path / "MANIFEST").read_text("utf-8").splitlines() == [
        f"{digest(FILES[path])}  {path}" for path in ("README.md", "a/b/one.yaml", "a/two.yaml")
    ]


def test_writing_again_touches_nothing(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert store.write(FILES, tmp_path) == NOTHING
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_changes_are_written_and_what_is_stale_goes(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    new = {"README.md": "another\n", "a/two.yaml": "é\n", "c/three.yaml": ""}
    expected = Difference(("c/three.yaml",), ("MANIFEST", "README.md"), ("a/b/one.yaml",))
    assert store.compare(new, tmp_path) == expected
    assert store.write(new, tmp_path) == expected
    assert tree(tmp_path) == on_disk(new)
    assert not (tmp_path / "a" / "b").exists()


def test_files_that_are_gone_are_written_again(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    (tmp_path / "README.md").unlink()
    assert store.compare(FILES, tmp_path) == Difference(("README.md",), (), ())
    assert store.write(FILES, tmp_path) == Difference(("README.md",), (), ())
    assert tree(tmp_path) == on_disk(FILES)


def test_files_of_the_user_s_own_stay(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    (tmp_path / "a" / "b" / "own.yaml").write_text("mine\n")
    (tmp_path / "own").mkdir()
    assert store.compare({"README.md": "x"}, tmp_path) == Difference(
        (), ("MANIFEST", "README.md"), ("a/b/one.yaml", "a/two.yaml")
    )
    store.write({"README.md": "x"}, tmp_path)
    assert tree(tmp_path) == {**on_disk({"README.md": "x"}), "a/b/own.yaml": b"mine\n"}
    assert (tmp_path / "own").is_dir()


def test_a_folder_without_a_manifest_keeps_what_is_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n")
    store.write(FILES, tmp_path)
    assert tree(tmp_path) == {**on_disk(FILES), "notes.txt": b"mine\n"}


def test_files_that_are_right_already_are_in_nobody_s_way(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("index\n")
    assert store.write(FILES, tmp_path) == Difference(("MANIFEST", "a/b/one.yaml", "a/two.yaml"), (), ())
    assert tree(tmp_path) == on_disk(FILES)


def test_a_manifest_that_is_lost_is_written_again(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    (tmp_path / "MANIFEST").unlink()
    assert store.write(FILES, tmp_path) == Difference(("MANIFEST",), (), ())
    assert tree(tmp_path) == on_disk(FILES)


def test_files_get_the_permissions_that_the_user_gives_new_files(tmp_path: Path) -> None:
    mask = os.umask(0o027)
    try:
        store.write(FILES, tmp_path)
    finally:
        os.umask(mask)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.yaml")} == {0o640}


# -- what is never overwritten or removed -------------------------------------------------------------------------


def test_files_that_someone_changed_or_added_stop_everything(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    (tmp_path / "README.md").write_text("mine\n")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "three.yaml").write_text("mine too\n")
    new = {"README.md": "another\n", "a/two.yaml": "new\n", "c/three.yaml": "3\n"}
    assert refused(new, tmp_path) == (
        f"{tmp_path}: nothing was written, as these files are not what pullguard wrote last: README.md, c/three.yaml; "
        "move your own files away, or generate into another folder with --out"
    )
    assert store.compare(new, tmp_path) == Difference(
        (), ("MANIFEST", "README.md", "a/two.yaml", "c/three.yaml"), ("a/b/one.yaml",)
    )


def test_a_stale_file_that_someone_changed_stops_everything(tmp_path: Path) -> None:
    store.write(FILES, tmp_path)
    (tmp_path / "a" / "two.yaml").write_text("mine\n")
    assert "pullguard wrote last: a/two.yaml;" in refused({"README.md": "x"}, tmp_path)


def test_without_a_manifest_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine\n")
    assert "pullguard wrote last: README.md;" in refused(FILES, tmp_path)


def test_folders_and_files_in_the_way_stop_everything(tmp_path: Path) -> None:
    (tmp_path / "README.md").mkdir()
    (tmp_path / "a").write_text("mine\n")
    assert "pullguard wrote last: README.md, a/b/one.yaml, a/two.yaml;" in refused(FILES, tmp_path)


def test_the_folder_itself_can_be_a_file(tmp_path: Path) -> None:
    out = tmp_path / "library"
    out.write_text("mine\n")
    with pytest.raises(PullguardError) as caught:
        store.write(FILES, out)
    assert str(caught.value) == f"{out}: is not a folder; name another one with --out"
    assert out.read_text() == "mine\n"


@pytest.mark.parametrize("inside", ["a", "a/b", "README.md", "a/two.yaml"])
@pytest.mark.parametrize("dangling", [False, True])
def test_links_inside_the_folder_are_not_followed(tmp_path: Path, inside: str, *, dangling: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    if not dangling:
        (elsewhere / "b").mkdir(parents=True)
        (elsewhere / "one.yaml").write_text("1\n")
        (elsewhere / "b" / "one.yaml").write_text("1\n")
        (elsewhere / "two.yaml").write_text("é\n")
    out = tmp_path / "out"
    (out / inside).parent.mkdir(parents=True)
    (out / inside).symlink_to(elsewhere)
    before = tree(elsewhere) if elsewhere.exists() else None
    assert "not what pullguard wrote last" in refused(FILES, out)
    assert (tree(elsewhere) if elsewhere.exists() else None) == before


def test_a_link_to_the_right_content_is_still_a_link(tmp_path: Path) -> None:
    store.write(FILES, tmp_path / "out")
    (tmp_path / "README.md").write_text("index\n")
    (tmp_path / "out" / "README.md").unlink()
    (tmp_path / "out" / "README.md").symlink_to(tmp_path / "README.md")
    assert "pullguard wrote last: README.md;" in refused({"README.md": "x\n"}, tmp_path / "out")
    assert store.compare(FILES, tmp_path / "out") == Difference((), ("README.md",), ())


def test_stale_files_behind_a_link_are_left_alone(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store.write(FILES, out)
    (out / "a").rename(tmp_path / "moved")
    (out / "a").symlink_to(tmp_path / "moved")
    assert store.write({"README.md": "index\n"}, out) == Difference((), ("MANIFEST",), ())
    assert tree(tmp_path / "moved") == {"b/one.yaml": b"1\n", "two.yaml": "é\n".encode()}


def test_a_stale_link_is_the_user_s(tmp_path: Path) -> None:
    out = tmp_path / "out"
    store.write(FILES, out)
    (out / "a" / "two.yaml").unlink()
    (out / "a" / "two.yaml").symlink_to(tmp_path)
    assert "pullguard wrote last: a/two.yaml;" in refused({"README.md": "index\n"}, out)


def test_the_folder_itself_can_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "out").symlink_to("real")
    store.write(FILES, tmp_path / "out")
    assert tree(tmp_path / "real") == on_disk(FILES)


def test_a_pipe_in_the_way_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "README.md")
    with pytest.raises(PullguardError) as caught:
        store.write(FILES, tmp_path)
    assert "pullguard wrote last: README.md;" in str(caught.value)


# -- MANIFEST -----------------------------------------------------------------------------------------------------

HASH = "0" * 64
HOSTILE = {
    "empty": "",
    "garbage": "Manifest-Version: 1.0\n",
    "no newline at the end": f"{HASH}  README.md",
    "a short hash": f"{HASH[1:]}  README.md\n",
    "an upper-case hash": f"{'A' * 64}  README.md\n",
    "one space": f"{HASH} README.md\n",
    "binary mode": f"{HASH} *README.md\n",
    "no path": f"{HASH}  \n",
    "an absolute path": f"{HASH}  /etc/passwd\n",
    "the parent": f"{HASH}  ../victim\n",
    "the parent further down": f"{HASH}  a/../../victim\n",
    "the parent at the end": f"{HASH}  a/..\n",
    "the folder": f"{HASH}  .\n",
    "a dot within": f"{HASH}  a/./b\n",
    "two slashes": f"{HASH}  a//b\n",
    "a slash at the end": f"{HASH}  a/\n",
    "a backslash": f"{HASH}  a\\b\n",
    "a control character": f"{HASH}  a\x1bb\n",
    "a NUL": f"{HASH}  a\0b\n",
    "another line break": f"{HASH}  a\x85b\n",
    "a carriage return": f"{HASH}  README.md\r\n",
    "itself": f"{HASH}  MANIFEST\n",
    "an empty line": f"{HASH}  README.md\n\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_manifest_that_pullguard_did_not_write_stops_everything(tmp_path: Path, text: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "victim").write_text("")
    (out / "MANIFEST").write_bytes(text.encode())
    line = 2 if text.endswith("\n\n") else 1
    message = (
        f"{out / 'MANIFEST'}:{line}: this is not a line that pullguard wrote; "
        "put the MANIFEST that pullguard wrote back, or generate into an empty folder"
    )
    assert refused(FILES, out) == message
    with pytest.raises(PullguardError) as caught:
        store.compare(FILES, out)
    assert str(caught.value) == message
    assert (tmp_path / "victim").exists()


def test_a_manifest_with_the_right_hash_does_not_reach_out_of_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "victim").write_text("mine\n")
    (out / "MANIFEST").write_text(f"{digest(f'mine{chr(10)}')}  ../victim\n")
    assert "this is not a line that pullguard wrote" in refused(FILES, out)
    assert (tmp_path / "victim").read_text() == "mine\n"


@pytest.mark.parametrize("kind", ["link", "folder"])
def test_a_manifest_that_is_no_plain_file_stops_everything(tmp_path: Path, kind: str) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (tmp_path / "elsewhere").write_text(manifest(FILES))
    if kind == "link":
        (out / "MANIFEST").symlink_to(tmp_path / "elsewhere")
    else:
        (out / "MANIFEST").mkdir()
    assert refused(FILES, out).startswith(f"{out / 'MANIFEST'}: is not a plain file; ")


@settings(deadline=None)  # it writes files
@given(st.binary(max_size=80))
def test_no_manifest_makes_a_library_reach_out_of_its_folder(
    tmp_path_factory: pytest.TempPathFactory, text: bytes
) -> None:
    directory = tmp_path_factory.mktemp("any")
    out = directory / "out"
    out.mkdir()
    (directory / "victim").write_text("")
    (out / "MANIFEST").write_bytes(text.replace(b"H", HASH.encode()))
    with pytest.raises(PullguardError):
        store.write(FILES, out)
    assert sorted(path.name for path in directory.iterdir()) == ["out", "victim"]


def test_mapped_paths_that_leave_the_folder_are_a_bug(tmp_path: Path) -> None:
    for path in ("../x", "/x", "a/../x", "MANIFEST", "a//b", ""):
        with pytest.raises(ValueError, match=f"^{re.escape(path)}$"):
            store.write({path: "x"}, tmp_path)
    assert tree(tmp_path) == {}


# -- runs that are cut short --------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(6))
def test_a_run_that_was_cut_short_is_finished_by_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    store.write(FILES, tmp_path)
    new = {"README.md": "new\n", "a/two.yaml": "new\n", "c/three.yaml": "new\n", "d.yaml": "new\n"}
    replace = Path.replace
    left = after

    def run_out(self: Path, target: Path) -> Path:
        nonlocal left
        if left == 0:
            raise OSError(28, "No space left on device", str(target))
        left -= 1
        return replace(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", run_out)
        with pytest.raises(PullguardError, match="cannot be written \\(No space left on device\\)"):
            store.write(new, tmp_path)
    assert [path for path in tree(tmp_path) if "/." in f"/{path}"] == []
    # Whatever the next run is to write: everything that is there is still known to be pullguard's.
    third = {"README.md": "third\n", "a/two.yaml": "third\n", "e.yaml": "third\n"}
    store.write(third, tmp_path)
    assert tree(tmp_path) == on_disk(third)


# -- loading ------------------------------------------------------------------------------------------------------

TEMPLATE = """\
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata:
  name: k8sa
spec:
  crd: {spec: {names: {kind: K8sA}}}
  targets:
    - target: admission.k8s.gatekeeper.sh
      rego: |
        package a
        violation[{"msg": "x"}] { input.review }
"""
CONSTRAINT = "apiVersion: constraints.gatekeeper.sh/v1beta1\nkind: K8sA\nmetadata:\n  name: one\n"


def put(directory: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(text.encode())
    return directory


def names(loaded: store.Library) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    def shown(file: str) -> str:
        return Path(file).relative_to(loaded.directory).as_posix()

    return (
        [(shown(template.file), template.name) for template in loaded.templates],
        [(shown(constraint.file), constraint.name) for constraint in loaded.constraints],
    )


def test_a_library_of_pullguard_is_loaded_from_its_policies(tmp_path: Path) -> None:
    other = TEMPLATE.replace("k8sa", "k8sb").replace("K8sA", "K8sB")
    constraints = CONSTRAINT + "---\n" + CONSTRAINT.replace("one", "two")
    store.write(
        {
            "templates/a.yaml": TEMPLATE,
            "templates/b.yaml": other,
            "policies/a/template.yaml": TEMPLATE,
            "policies/a/constraints.yaml": constraints,
            "policies/a/suite.yaml": "not: [yaml",
            "policies/a/samples/constraint.yaml": CONSTRAINT.replace("one", "sample"),
            "policies/b/template.yaml": other,
            "policies/b/constraints.yaml": CONSTRAINT.replace("K8sA", "K8sB"),
        },
        tmp_path,
    )
    assert names(store.load(ENGINE, tmp_path)) == (
        [("policies/a/template.yaml", "k8sa"), ("policies/b/template.yaml", "k8sb")],
        [
            ("policies/a/constraints.yaml", "one"),
            ("policies/a/constraints.yaml", "two"),
            ("policies/b/constraints.yaml", "one"),
        ],
    )


def test_the_library_of_anyone_is_loaded_from_all_its_files(tmp_path: Path) -> None:
    put(
        tmp_path,
        {
            "z.yaml": CONSTRAINT,
            "general/a/template.yml": TEMPLATE,
            "general/a/kustomization.yaml": "resources:\n  - template.yml\n",
            "general/a/samples/x/constraint.yaml": CONSTRAINT.replace("one", "sample"),
            "general/a/suite.yaml": "kind: Suite\n",
            "copy.yaml": "# nothing\n---\n" + TEMPLATE + "---\n---\n- a list\n---\nnull\n",
            ".hidden/constraint.yaml": CONSTRAINT.replace("one", "hidden"),
            "README.md": "{{ no YAML }}",
            "MANIFEST": "of someone else",
        },
    )
    assert names(store.load(ENGINE, tmp_path)) == ([("copy.yaml", "k8sa")], [("z.yaml", "one")])


def test_objects_are_read_by_kubernetes_rules(tmp_path: Path) -> None:
    put(
        tmp_path, {"a.yaml": TEMPLATE + "---\n" + CONSTRAINT + "spec: {parameters: {a: yes, b: 2020-01-01, c: 0o17}}\n"}
    )
    (constraint,) = store.load(ENGINE, tmp_path).constraints
    assert constraint.object["spec"] == {"parameters": {"a": True, "b": "2020-01-01", "c": 15}}


UNLOADABLE = {
    "nothing": ({}, "{}: holds no ConstraintTemplate, so nothing would be checked; "),
    "no template": ({"a.yaml": CONSTRAINT}, "{}: holds no ConstraintTemplate, so nothing would be checked; "),
    "no constraint": ({"a.yaml": TEMPLATE}, "{}: holds no constraint, so nothing would be checked; "),
    "a constraint of another kind": (
        {"a.yaml": TEMPLATE, "b.yaml": CONSTRAINT + "---\n" + CONSTRAINT.replace("K8sA", "K8sB")},
        "{}/b.yaml: no ConstraintTemplate makes the kind K8sB of the constraint one; ",
    ),
    "two constraints of one name": (
        {"a.yaml": TEMPLATE + "---\n" + CONSTRAINT, "b.yaml": CONSTRAINT + "spec: {}\n"},
        "{0}/b.yaml: there is another K8sA in {0}/a.yaml under the same name, and it says something else; ",
    ),
    "two templates of one name": (
        {"a.yaml": TEMPLATE + "---\n" + CONSTRAINT, "b.yaml": TEMPLATE.replace('"x"', '"y"')},
        "{0}/b.yaml: there is another K8sA in {0}/a.yaml under the same name, and it says something else; ",
    ),
    "broken YAML": (
        {"a.yaml": TEMPLATE + "---\n" + CONSTRAINT, "b.yaml": "a: [\n"},
        "{}/b.yaml:",
    ),
    "a template without targets": (
        {"a.yaml": TEMPLATE.replace("targets", "goals")},
        "{}/a.yaml: spec.targets of a ConstraintTemplate has exactly one entry",
    ),
    "a constraint without a name": (
        {"a.yaml": TEMPLATE + "---\n" + CONSTRAINT.replace("name", "nom")},
        "{}/a.yaml: metadata.name is missing or no string",
    ),
    "a generated file that is broken": (
        {"MANIFEST": "", "policies/a/template.yaml": TEMPLATE, "policies/a/constraints.yaml": "a: [\n"},
        "{}/policies/a/constraints.yaml: is not what pullguard wrote (",
    ),
    "a generated file that is missing": (
        {"MANIFEST": "", "policies/a/template.yaml": TEMPLATE},
        "{}/policies/a/constraints.yaml: cannot be read (No such file or directory)",
    ),
}


@pytest.mark.parametrize(("files", "expected"), UNLOADABLE.values(), ids=UNLOADABLE.keys())
def test_what_cannot_be_loaded_is_said(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    put(tmp_path, files)
    with pytest.raises(PullguardError) as caught:
        store.load(ENGINE, tmp_path)
    assert str(caught.value).startswith(expected.format(tmp_path))


def test_a_library_that_is_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(PullguardError) as caught:
        store.load(ENGINE, tmp_path / "none")
    assert str(caught.value) == f"{tmp_path}/none: is not a folder; name the folder of a library"


def test_a_library_reads_nothing_outside_of_it(tmp_path: Path, checkout: Path) -> None:
    """Nor a device, which has no end: every file of a library may be a link that somebody sent."""
    for path in ("MANIFEST", "conftest/index.json", "policies/protected_pull_policy/template.yaml"):
        out = tmp_path / path.replace("/", "-")
        shutil.copytree(checkout / "library", out)
        assert bundle.load(str(out)) is not None
        elsewhere = tmp_path / "elsewhere"
        (out / path).replace(elsewhere)
        for target in ("/dev/zero", elsewhere):
            (out / path).unlink(missing_ok=True)
            (out / path).symlink_to(target)
            assert bundle.load(str(out)) is None
    (out / "policies/protected_pull_policy/template.yaml").unlink()
    (out / "policies/protected_pull_policy/template.yaml").symlink_to(elsewhere)
    with pytest.raises(PullguardError, match=rf"template\.yaml: cannot be read \(it leads out of {out}\)"):
        store.load(ENGINE, out)
