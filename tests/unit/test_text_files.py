"""Files that pullguard writes: at once or not at all, and through no link."""

import os
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.text_files import replace_file, write_text


@contextmanager
def little_space() -> Iterator[None]:
    """A limit on the size of files ends a write in its midst, as a full disk does."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_text_is_written_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    write_text(file, "é\r\n\udcff")
    assert file.read_bytes() == "é\r\n\\udcff".encode()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    file.chmod(0o600)
    write_text(file, "x")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode)) == ("x", 0o600)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("before", ["old", None])
def test_a_disk_that_is_full(before: str | None, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    if before is not None:
        file.write_text(before)
    with little_space(), pytest.raises(PullguardError, match=r"a\.txt: cannot be written \(File too large\)"):
        write_text(file, "new" * 1000)
    assert [path.read_text() for path in tmp_path.iterdir()] == ([] if before is None else [before])


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match=r"cannot be written \(Is a directory\)"):
        write_text(tmp_path, "x")
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match=r"cannot be written \(no file can have such a name\)"):
        write_text(tmp_path / "a\0", "x")


@pytest.mark.parametrize("target", ["there.txt", "absent.txt", "elsewhere/there.txt", "link.txt", "/dev/null"])
def test_links_are_not_written_through(target: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "there.txt").write_text("old")
    (tmp_path / "there.txt").write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(target)
    with pytest.raises(PullguardError) as caught:
        write_text(link, "new")
    assert str(caught.value) == f"{link}: a symbolic link is not written through; remove it"
    assert (link.is_symlink(), (tmp_path / "there.txt").read_text()) == (True, "old")
    assert (tmp_path / "elsewhere" / "there.txt").read_text() == "old"
    assert not (tmp_path / "absent.txt").exists()


@pytest.mark.parametrize("is_absolute", [False, True])
def test_folders_that_are_links_below_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_absolute: bool
) -> None:
    (tmp_path / "outside" / "sub").mkdir(parents=True)
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "reports").symlink_to(tmp_path / "outside")
    monkeypatch.chdir(tmp_path / "here")
    start = Path.cwd() if is_absolute else Path()
    with pytest.raises(PullguardError, match=r"reports/sub/a\.txt: a symbolic link is not written through; remove /"):
        write_text(start / "reports" / "sub" / "a.txt", "new")
    assert list((tmp_path / "outside" / "sub").iterdir()) == []
    # What stands above it is the user's own, such as a home that is a link.
    (tmp_path / "home").symlink_to(tmp_path / "here")
    write_text(tmp_path / "home" / "a.txt", "new")
    assert (tmp_path / "here" / "a.txt").read_text() == "new"


def test_streams_are_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_text(pipe, "text")
    reader.join()
    assert (read, pipe.is_fifo()) == (["text"], True)
    write_text(Path(os.devnull), "text")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
    with (tmp_path / "out").open("w") as stream:
        write_text(Path(f"/dev/fd/{stream.fileno()}"), "text")
    assert (tmp_path / "out").read_text() == "text"


def test_nobody_reads_half_of_it(tmp_path: Path) -> None:
    """Whoever has it open keeps the old text, whole."""
    file = tmp_path / "a.txt"
    file.write_text("old")
    with file.open() as stream:
        replace_file(file, b"new")
        assert (stream.read(), file.read_text()) == ("old", "new")
