"""Files that are edited in place: what is replaced, what is kept, and what is refused."""

import os
import resource
from pathlib import Path

import pytest

from pullguard.core.editing.files import EditableFile, is_link, is_stream, read, replace

NEW = b"new\r\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "m.yaml"
    path.write_bytes(b"old")
    return path


def opened(path: Path) -> EditableFile:
    found = read(str(path))
    assert isinstance(found, EditableFile)
    return found


def refusal(path: Path) -> str:
    found = read(str(path))
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o4755, 0o664])
def test_bytes_change_and_the_rest_stays(file: Path, mode: int) -> None:
    file.chmod(mode)
    os.utime(file, (1, 1))
    if os.geteuid() == 0:
        os.chown(file, 12345, 23456)
        file.chmod(mode)
    before = file.stat()
    assert replace(opened(file), NEW) is None
    after = file.stat()
    assert file.read_bytes() == NEW
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_mtime > 1
    assert [entry.name for entry in file.parent.iterdir()] == ["m.yaml"]


def test_attributes_stay(file: Path) -> None:
    try:
        os.setxattr(file, "user.origin", b"vendor")
    except OSError:
        pytest.skip("this filesystem has no attributes")
    assert replace(opened(file), NEW) is None
    assert os.getxattr(file, "user.origin") == b"vendor"


def test_a_name_as_long_as_can_be(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 250 + ".yaml")
    path.write_bytes(b"old")
    assert replace(opened(path), NEW) is None
    assert path.read_bytes() == NEW


def test_read_only(file: Path) -> None:
    file.chmod(0o444)
    assert replace(opened(file), NEW) == "is read-only; make it writable, or edit what it is generated from"
    assert file.read_bytes() == b"old"


def test_hard_links(file: Path) -> None:
    os.link(file, file.with_name("other.yaml"))
    assert replace(opened(file), NEW) == (
        "has hard links, which would keep the old text; replace them by symbolic links or copies"
    )
    assert file.read_bytes() == b"old"


def test_a_file_that_was_changed_meanwhile(file: Path) -> None:
    found = opened(file)
    file.write_bytes(b"theirs")
    assert replace(found, NEW) == (
        "was changed while it was being fixed, so nothing was written; run the command again"
    )
    assert file.read_bytes() == b"theirs"
    assert [entry.name for entry in file.parent.iterdir()] == ["m.yaml"]


def test_a_file_that_has_gone(file: Path) -> None:
    found = opened(file)
    file.unlink()
    reason = "No such file or directory"
    assert replace(found, NEW) == f"cannot be written: {reason}; see whether you may change the file and its folder"
    assert refusal(file) == f"cannot be read: {reason}; see whether it is there"
    assert list(file.parent.iterdir()) == []


def test_a_disk_that_is_full(file: Path) -> None:
    """A limit on the size of files ends a write in its midst, as a full disk does."""
    found = opened(file)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        problem = replace(found, NEW * 1000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert problem == "cannot be written: File too large; see whether you may change the file and its folder"
    assert file.read_bytes() == b"old"
    assert [entry.name for entry in file.parent.iterdir()] == ["m.yaml"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_nobody_may_write_to(file: Path) -> None:
    file.parent.chmod(0o555)
    try:
        problem = replace(opened(file), NEW)
    finally:
        file.parent.chmod(0o755)
    assert problem == "cannot be written: Permission denied; see whether you may change the file and its folder"


def test_streams(file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    assert is_stream(str(pipe))
    assert is_stream(os.devnull)
    assert [is_stream(str(path)) for path in (file, tmp_path, tmp_path / "none", "\0")] == [False] * 4


def test_a_folder_that_is_a_link(tmp_path: Path) -> None:
    folder, link = tmp_path / "folder", tmp_path / "link"
    folder.mkdir()
    (folder / "m.yaml").write_bytes(b"old")
    link.symlink_to(folder)
    assert not is_link(str(link / "m.yaml"))
    assert opened(link / "m.yaml").path == (folder / "m.yaml").resolve()


def test_links_that_go_round(tmp_path: Path) -> None:
    one, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    one.symlink_to(other)
    other.symlink_to(one)
    assert refusal(one).startswith("cannot be read: ")
