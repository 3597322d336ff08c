"""Files, folders and standard input."""

import io
import os
import threading
from pathlib import Path
from typing import BinaryIO

import pytest

from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

POD = "kind: Pod\nmetadata:\n  name: {}\n"


def read(*paths: str | Path, stdin: BinaryIO | None = None) -> list[tuple[str, str] | InputError]:
    """Return the (file, name) of every object, and the errors between them."""
    return [
        (found.file, found.object["metadata"]["name"]) if isinstance(found, Manifest) else found
        for found in Inputs(ENGINE, find_files([str(path) for path in paths]), stdin=stdin)
    ]


def write(path: Path, text: str | None = None) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(POD.format(path.stem) if text is None else text, encoding="utf-8")
    return str(path)


def unreadable(path: str | Path, reason: str, remedy: str = "see whether the path is right") -> InputError:
    return InputError(str(path), None, None, f"cannot be read: {reason}; {remedy}")


def test_a_folder_is_read_recursively_and_sorted(tmp_path: Path) -> None:
    names = ["b.yaml", "a/z.yml", "a/b/UPPER.YAML", "c.json", "a.Yml", "a-b.yaml"]
    for name in [*names, "notes.txt", "yaml", "x.yaml.bak"]:
        write(tmp_path / name)
    expected = ["a/b/UPPER.YAML", "a/z.yml", "a-b.yaml", "a.Yml", "b.yaml", "c.json"]
    assert read(tmp_path) == [(str(tmp_path / name), Path(name).stem) for name in expected]


def test_the_current_folder_gives_plain_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "a.yaml")
    write(tmp_path / "sub" / "b.yaml")
    monkeypatch.chdir(tmp_path)
    assert read(".") == [("a.yaml", "a"), ("sub/b.yaml", "b")]
    assert read("sub", "./a.yaml") == [("sub/b.yaml", "b"), ("a.yaml", "a")]


def test_paths_keep_their_order_and_a_file_is_read_once(tmp_path: Path) -> None:
    first, second = write(tmp_path / "d" / "a.yaml"), write(tmp_path / "d" / "b.yaml")
    assert read(second, tmp_path / "d", second, f"{tmp_path}/./d/a.yaml") == [(second, "b"), (first, "a")]


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "manifest.txt")
    assert read(path) == [(path, "manifest")]


def test_hidden_folders_are_skipped_and_hidden_files_are_not(tmp_path: Path) -> None:
    write(tmp_path / ".git" / "a.yaml")
    hidden = write(tmp_path / ".b.yaml", POD.format("b"))
    assert read(tmp_path) == [(hidden, "b")]
    assert read(tmp_path / ".git") == [(str(tmp_path / ".git" / "a.yaml"), "a")]


def test_a_folder_whose_name_ends_like_a_file_is_a_folder(tmp_path: Path) -> None:
    path = write(tmp_path / "x.yaml" / "a.yaml")
    assert read(tmp_path) == [(path, "a")]


def test_odd_names(tmp_path: Path) -> None:
    path = write(tmp_path / "with spaces & ünïcode.yaml")
    assert read(tmp_path) == [(path, "with spaces & ünïcode")]


def test_a_name_that_is_not_utf_8_can_be_shown(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"caf\xe9.yaml")  # noqa: PTH118  # Path takes no bytes
    try:
        with open(name, "wb") as stream:  # noqa: PTH123  # Path takes no bytes
            stream.write(POD.format("a").encode())
    except OSError:
        pytest.skip("this file system takes no names that are not UTF-8")
    assert read(tmp_path) == [(f"{tmp_path}/caf\ufffd.yaml", "a")]


def test_nothing_to_check_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "notes.txt")
    write(tmp_path / ".hidden" / "a.yaml")
    path = write(tmp_path / "other" / "a.yaml")
    empty = tmp_path / "empty"
    empty.mkdir()
    message = f"nothing to check in {empty}: no .yaml, .yml or .json file; name another folder, or a file"
    assert read(empty, path) == [InputError(str(empty), None, None, message), (path, "a")]


def test_a_missing_path_does_not_hide_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml")
    missing = tmp_path / "missing.yaml"
    assert read(missing, path) == [unreadable(missing, "No such file or directory"), (path, "a")]


@pytest.mark.parametrize(
    ("path", "reason"), [("a\0b", "no file can have such a name"), ("x" * 300, "File name too long")]
)
def test_names_that_cannot_exist(path: str, reason: str) -> None:
    assert read(path) == [unreadable(path, reason)]


def test_an_empty_name_is_not_the_current_folder() -> None:
    assert read("") == [InputError("", None, None, "an empty name is not a file; see where it comes from")]


def leads_nowhere(path: Path) -> InputError:
    return InputError(str(path), None, None, "is a symbolic link that leads nowhere; fix it, or remove it")


def test_links(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    target = write(outside / "t.yaml")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a-broken.yaml").symlink_to(folder / "nowhere")
    (folder / "b-file.yaml").symlink_to(target)
    (folder / "c-folder.yaml").symlink_to(outside)
    (folder / "d-loop").symlink_to(folder)
    (folder / "e-loop.yaml").symlink_to(folder / "e-loop.yaml")
    (folder / "f-broken").symlink_to(folder / "nowhere")
    assert read(folder) == [
        leads_nowhere(folder / "a-broken.yaml"),
        (str(folder / "b-file.yaml"), "t"),
        leads_nowhere(folder / "e-loop.yaml"),
    ]


def test_a_link_to_a_folder_that_is_named_is_followed(tmp_path: Path) -> None:
    write(tmp_path / "real" / "a.yaml")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    assert read(link) == [(str(link / "a.yaml"), "a")]


def test_a_pipe_in_a_folder_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    path = write(tmp_path / "b.yaml")
    message = "is not a regular file; name it itself if it is to be read"
    assert read(tmp_path) == [InputError(str(tmp_path / "a.yaml"), None, None, message), (path, "b")]


def test_a_pipe_that_is_named_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(POD.format("a"),))
    writer.start()
    assert read(pipe) == [(str(pipe), "a")]
    writer.join()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    # Root may open every file, but not read this one from its beginning.
    path = write(tmp_path / "a.yaml")
    assert read("/proc/self/mem", path) == [unreadable("/proc/self/mem", "Input/output error"), (path, "a")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_and_folders_without_permission(tmp_path: Path) -> None:
    file, folder = Path(write(tmp_path / "a.yaml")), tmp_path / "b"
    folder.mkdir()
    file.chmod(0)
    folder.chmod(0)
    remedy = "see whether you may read it"
    assert read(tmp_path) == [
        unreadable(file, "Permission denied", remedy),
        unreadable(folder, "Permission denied", remedy),
    ]
    folder.chmod(0o700)


def test_what_vanishes_while_it_is_read(tmp_path: Path) -> None:
    paths = [write(tmp_path / name / "x.yaml") for name in ("a", "b", "c")]
    reading = iter(Inputs(ENGINE, find_files([str(tmp_path)])))
    first = next(reading)
    assert isinstance(first, Manifest)
    assert first.file == paths[0]
    Path(paths[1]).unlink()
    Path(paths[1]).parent.rmdir()
    rest = list(reading)
    assert rest[0] == unreadable(tmp_path / "b", "No such file or directory")
    assert isinstance(rest[1], Manifest)
    assert rest[1].file == paths[2]


def test_standard_input_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "a.yaml")
    stdin = io.BytesIO(POD.format("s").encode())
    assert read("-", path, "-", stdin=stdin) == [("<stdin>", "s"), (path, "a")]


def test_the_standard_input_of_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(POD.format("s").encode())))
    assert read("-") == [("<stdin>", "s")]
    monkeypatch.setattr("sys.stdin", None)
    message = "there is no standard input; name a file instead"
    assert read("-") == [InputError("<stdin>", None, None, message)]


@pytest.mark.parametrize("data", [b"", b" \n\n"])
def test_nothing_on_standard_input(data: bytes) -> None:
    message = "nothing came on standard input; see whether the command before the pipe has failed"
    assert read("-", stdin=io.BytesIO(data)) == [InputError("<stdin>", None, None, message)]


def test_everything_is_counted(tmp_path: Path) -> None:
    write(tmp_path / "a.yaml", "kind: A\n---\n# empty\n---\n- list\n---\nb: [\n---\nc: 1\nc: 2\n")
    write(tmp_path / "b.json", '{"kind": "B"} {"kind": "C"}')
    write(tmp_path / "c.yaml", "# nothing\n")
    inputs = Inputs(ENGINE, find_files([str(tmp_path), str(tmp_path / "missing")]))
    assert len(list(inputs)) == 6
    assert (len(inputs.names), inputs.documents) == (3, 7)
    assert inputs.without_objects == [str(tmp_path / "c.yaml")]


def test_bytes_that_are_not_utf_8_are_an_error_and_the_rest_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"kind: Pod\nmetadata:\n  name: a # caf\xe9\n")
    message = "a byte that is not UTF-8; save the file as UTF-8 (the byte was replaced, and the rest was read)"
    assert read(path) == [(str(path), "a"), InputError(str(path), 3, None, message)]


def test_one_broken_file_does_not_hide_the_others(tmp_path: Path) -> None:
    first = write(tmp_path / "a.yaml")
    second = write(tmp_path / "b.yaml", "kind: [\n")
    third = write(tmp_path / "c.yaml")
    message = "not valid YAML: did not find expected node content; correct the document"
    assert read(tmp_path) == [(first, "a"), InputError(second, 1, 0, message), (third, "c")]
