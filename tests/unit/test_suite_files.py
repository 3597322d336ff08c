"""Suites and the files that they name: which are found, and what is wrong with them."""

import os
from pathlib import Path
from typing import Any

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.tree_files import LARGEST
from pullguard.suites.gator import verify
from pullguard.suites.suite_files import (
    Assertion,
    Case,
    Suite,
    Test,
    api_version,
    find_suites,
    read_all,
    read_one,
    resolve,
)
from shared_engine import ENGINE

_HEAD = "apiVersion: test.gatekeeper.sh/v1alpha1\nkind: Suite\n"
_WHOLE = f"""{_HEAD}metadata: {{name: x}}
tests:
- name: t
  template: t.yaml
  constraint: c.yaml
  expansion: e.yaml
  invalid: true
  skip: true
  cases:
  - name: c
    object: o.yaml
    inventory: [i.yaml, null]
    skip: false
    assertions:
    - {{violations: 2.0, message: m}}
    - {{}}
    - {{violations: no, message: null}}
- cases: null
"""


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def _suite(folder: Path) -> Suite:
    return Suite("suite.yaml", str(folder), str(folder), skip=False, tests=())


def test_suite_is_read_whole(tmp_path: Path) -> None:
    path = _write(tmp_path / "suite.yaml", _WHOLE)
    assertions = (Assertion(2, "m"), Assertion("yes", None), Assertion("no", None))
    case = Case("c", "o.yaml", ("i.yaml", ""), assertions, skip=False)
    test = Test("t", "t.yaml", "c.yaml", "e.yaml", invalid=True, skip=True, cases=(case,))
    empty = Test("", "", "", "", invalid=False, skip=False, cases=())
    assert find_suites(ENGINE, [str(path)]) == [
        Suite(str(path), str(tmp_path), str(tmp_path), skip=False, tests=(test, empty))
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("skip: yes", 3, "skip must be true or false"),
        ("tests: {}", 3, "tests must be a list"),
        ("tests: [x]", 3, "tests[0] must be a mapping"),
        ("tests:\n- name: 5", 4, "tests[0].name must be a string"),
        ("tests:\n- name: x\n  invalid: 1", 5, "tests[0].invalid must be true or false"),
        ("tests:\n- cases:\n  - object: [o]", 5, "tests[0].cases[0].object must be a string"),
        ("tests:\n- cases:\n  - inventory: i", 5, "tests[0].cases[0].inventory must be a list"),
        ("tests:\n- cases:\n  - inventory:\n    - a\n    - 1", 7, "tests[0].cases[0].inventory[1] must be a string"),
        ("tests:\n- cases:\n  - assertions: x", 5, "tests[0].cases[0].assertions must be a list"),
        *(
            (
                f"tests:\n- cases:\n  - assertions:\n    - violations: {value}",
                6,
                f"tests[0].cases[0].assertions[0].violations must be {wanted}",
            )
            for value, wanted in (
                ("true", "a whole number, yes or no"),
                ("1.5", "a whole number, yes or no"),
                ("[1]", "a whole number, yes or no"),
                ("2147483648", "a number of 32 bits"),
            )
        ),
        (
            "tests:\n- cases:\n  - assertions:\n    - message: 5",
            6,
            "tests[0].cases[0].assertions[0].message must be a string",
        ),
    ],
)
def test_wrong_types_have_their_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    path = _write(tmp_path / "suite.yaml", f"{_HEAD}{text}\n")
    (error,) = find_suites(ENGINE, [str(path)])
    assert isinstance(error, PullguardError)
    assert (error.file, error.line, error.message) == (str(path), line, message)


def _names(paths: list[Any]) -> list[str]:
    return [found.path if isinstance(found, Suite) else f"{found.file}!" for found in find_suites(ENGINE, paths)]


def test_folders_are_searched_to_their_depths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b/suite.yaml", "a/x.yml", "a/b/c/d.yaml", "a.yaml", "a-b.yaml"):
        _write(tmp_path / name, _HEAD)
    _write(tmp_path / "a/suite.json", _HEAD)
    _write(tmp_path / "a/other.yaml", "kind: Pod\n")
    _write(tmp_path / "a/speaks.yaml", "# Suite test.gatekeeper.sh\nkind: Pod\n")
    (tmp_path / "a/folder.yaml").mkdir()
    (tmp_path / "linked.yaml").symlink_to("a.yaml")
    (tmp_path / "linked").symlink_to("a")
    (tmp_path / "dangling.yaml").symlink_to("nowhere")
    monkeypatch.chdir(tmp_path)
    found = ["a-b.yaml", "a.yaml", "a/b/c/d.yaml", "a/x.yml", "b/suite.yaml", "dangling.yaml!", "linked.yaml"]
    assert _names(["."]) == [f"./{name}" for name in found]
    assert _names(["..."]) == found
    assert _names([str(tmp_path)]) == [f"{tmp_path}/{name}" for name in found]
    assert _names(["a/", "a.yaml", "./a/x.yml", "b/..."]) == ["a/b/c/d.yaml", "a/x.yml", "a.yaml", "b/suite.yaml"]


@pytest.mark.parametrize("text", ["", "- x\n", "kind: Suite\n", "kind: [Suite]\napiVersion: test.gatekeeper.sh/v1\n"])
def test_files_without_a_suite(tmp_path: Path, text: str) -> None:
    path = _write(tmp_path / "suite.yaml", text)
    with pytest.raises(PullguardError, match=r"^no Suite found in "):
        find_suites(ENGINE, [str(path)])


def test_paths_of_a_suite_start_from_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _write(tmp_path / "a/suite.yaml", _HEAD)
    monkeypatch.chdir(tmp_path)
    (suite,) = find_suites(ENGINE, ["a/../a"])
    assert isinstance(suite, Suite)
    for path, expected in (
        ("x.yaml", "a/x.yaml"),
        ("/x.yaml", "a/x.yaml"),
        ("../b/./x.yaml", "b/x.yaml"),
        ("c//d/../x.yaml", "a/c/x.yaml"),
    ):
        assert resolve(suite, path) == str(tmp_path / expected)


def test_only_the_first_document_is_a_template(tmp_path: Path) -> None:
    _write(tmp_path / "t.yaml", "# c\n---\nkind: A\n---\nkind: B\n")
    assert read_one(ENGINE, _suite(tmp_path), "t.yaml").value == {"kind": "A"}
    assert read_one(ENGINE, _suite(tmp_path), "t.yaml").file == "t.yaml"


def test_blank_lines_and_comments_are_dropped_everywhere(tmp_path: Path) -> None:
    text = "# first\nkind: A\ntext: |\n  a\n\n  # b\n  c\n--- # second\n\n  \t\n# x\n---\nkind: B\n---\n"
    _write(tmp_path / "o.yaml", text)
    assert [document.value for document in read_all(ENGINE, _suite(tmp_path), "o.yaml")] == [
        {"kind": "A", "text": "a\nc\n"},
        {"kind": "B"},
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "holds no object"),
        ("# a\n\n", None, "holds no object"),
        ("\n# c\nkind: A\n---\n\n# c\na: 1\n", 7, "is not an object: it has no kind"),
        ("kind: A\n---\n# c\n\n- x\n", 5, "is not an object: it has no kind"),
        ("# c\nkind: 5\n", 2, "is not an object: it has no kind"),
        ("# c\n\nkind: A\n# c\napiVersion: a/b/c\n", 5, "has the apiVersion a/b/c"),
        ("# c\nkind: A\n\n# c\nkind: B\n", 5, None),
        ("# c\nkind: A\n\n# c\na: [\n", 5, None),
    ],
)
def test_wrong_objects_have_the_line_of_the_file(
    tmp_path: Path, text: str, line: int | None, message: str | None
) -> None:
    _write(tmp_path / "o.yaml", text)
    with pytest.raises(PullguardError) as error:
        read_all(ENGINE, _suite(tmp_path), "o.yaml")
    assert (error.value.file, error.value.line) == ("o.yaml", line)
    assert message is None or error.value.message == message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match=r"^o\.yaml: cannot be read \(No such file or directory\)$"):
        read_all(ENGINE, _suite(tmp_path), "o.yaml")
    with pytest.raises(PullguardError, match=r"^\.: cannot be read \(Is a directory\)$"):
        read_one(ENGINE, _suite(tmp_path), ".")
    (tmp_path / "latin.yaml").write_bytes(b"kind: A\na: \xe9\n")
    with pytest.raises(PullguardError, match=r"^latin\.yaml:2: is not UTF-8"):
        read_one(ENGINE, _suite(tmp_path), "latin.yaml")


def test_what_a_suite_names_is_in_its_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = _write(tmp_path / "tree" / "sub" / "suite.yaml", _HEAD)
    _write(tmp_path / "outside.yaml", "kind: A\n")
    _write(tmp_path / "tree" / "t.yaml", "kind: A\n")
    (tmp_path / "tree" / "link.txt").symlink_to("../outside.yaml")
    (tmp_path / "tree" / "null.txt").symlink_to("/dev/null")
    os.mkfifo(tmp_path / "tree" / "pipe.txt")
    with (tmp_path / "tree" / "large.txt").open("wb") as large:
        large.truncate(LARGEST + 1)
    (found,) = find_suites(ENGINE, [str(tmp_path / "tree")])
    assert isinstance(found, Suite)
    assert read_one(ENGINE, found, "../t.yaml").value == {"kind": "A"}
    outside = rf"it leads out of {tmp_path}/tree"
    for path, reason in {
        "../../outside.yaml": outside,
        "../link.txt": outside,
        "../null.txt": outside,
        "../pipe.txt": "it is not a regular file",
        "../large.txt": "it is larger than 64 MB",
        "a\0": "no file can have such a name",
    }.items():
        with pytest.raises(PullguardError) as caught:
            read_all(ENGINE, found, path)
        assert str(caught.value) == f"{path}: cannot be read ({reason})"
    # Whoever works in a folder has all of it for its Suites, whichever of them is named.
    monkeypatch.chdir(tmp_path)
    (found,) = find_suites(ENGINE, [str(suite)])
    assert isinstance(found, Suite)
    assert read_one(ENGINE, found, "../../outside.yaml").value == {"kind": "A"}


def test_gator_gets_no_suite_that_names_what_is_outside(tmp_path: Path) -> None:
    suite = _write(tmp_path / "suite.yaml", f"{_HEAD}tests: [{{name: a, template: ../t.yaml, constraint: c.yaml}}]\n")
    _write(tmp_path.parent / "t.yaml", "kind: A\n")
    (found,) = find_suites(ENGINE, [str(suite)])
    (result,) = verify([found], Path("/nowhere/gator"), None)
    assert result.message == f"../t.yaml: cannot be read (it leads out of {tmp_path})"


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ("v1", ("", "v1")),
        ("apps/v1", ("apps", "v1")),
        ("/v1", ("", "v1")),
        ("apps/", ("apps", "")),
        ("", ("", "")),
        (None, ("", "")),
        (1, ("", "")),
    ],
)
def test_api_version(stated: Any, expected: tuple[str, str]) -> None:
    assert api_version({"apiVersion": stated}) == expected
    assert api_version({}) == ("", "")
