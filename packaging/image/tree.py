"""Trees of files in memory, and what becomes of them: the layer of an image, or files in a folder."""

import gzip
import io
import os
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TypeAlias

#: When files were last changed: 1980-01-01, the first time that a zip file can state. Layers do not change with time.
MTIME = 315532800


@dataclass(frozen=True, slots=True)
class File:
    """A file with its content and its mode."""

    data: bytes
    mode: int = 0o644


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder with its mode."""

    mode: int = 0o755


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to a path."""

    target: str


Entry: TypeAlias = File | Folder | Link
#: By path, such as "usr/bin/kubectl". Everything belongs to root.
Tree: TypeAlias = Mapping[str, Entry]


def from_tar(archive: tarfile.TarFile) -> dict[str, Entry]:
    """Return what a tar archive holds.

    Raises:
        ValueError: It holds something that is neither a file nor a folder nor a link.
    """
    found: dict[str, Entry] = {}
    for member in archive:
        path = member.name.removeprefix("./").rstrip("/")
        if path in {"", "."}:
            continue
        if member.isdir():
            found[path] = Folder(member.mode)
        elif member.issym():
            found[path] = Link(member.linkname)
        elif member.islnk():
            found[path] = found[member.linkname.removeprefix("./")]
        elif content := archive.extractfile(member):
            found[path] = File(content.read(), member.mode)
        else:
            raise ValueError(f"{member.name} is neither a file nor a folder nor a link")
    return found


def from_folder(folder: Path, below: str = "") -> dict[str, Entry]:
    """Return the files of a folder, with paths below another; of their modes, only "can be executed" counts."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.rglob("*")):
        name = str(PurePosixPath(below, path.relative_to(folder).as_posix()))
        if path.is_symlink():
            found[name] = Link(os.fspath(path.readlink()))
        elif path.is_dir():
            found[name] = Folder()
        else:
            found[name] = File(path.read_bytes(), 0o755 if path.stat().st_mode & 0o100 else 0o644)
    return found


def with_parents(tree: Tree) -> dict[str, Entry]:
    """Return a tree, sorted by path, in which each entry stands behind the folders that it is in."""
    parents = {os.fspath(parent) for path in tree for parent in PurePosixPath(path).parents} - {"."}
    return dict(sorted({**{path: Folder() for path in parents}, **tree}.items()))


def layer(tree: Tree) -> bytes:
    """Return an uncompressed layer, whose bytes depend on nothing but the tree."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, entry in with_parents(tree).items():
            member = tarfile.TarInfo(path)
            member.mtime = MTIME
            match entry:
                case File(data, mode):
                    member.size, member.mode = len(data), mode
                    tar.addfile(member, io.BytesIO(data))
                case Folder(mode):
                    member.type, member.mode = tarfile.DIRTYPE, mode
                    tar.addfile(member)
                case Link(target):
                    member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, target
                    tar.addfile(member)
    return stream.getvalue()


def compressed(data: bytes) -> bytes:
    """Return data in the format of gzip, without a time."""
    return gzip.compress(data, compresslevel=6, mtime=0)


def write(tree: Tree, folder: Path) -> None:
    """Write a tree into a folder, as files of the user who runs this."""
    for path, entry in with_parents(tree).items():
        place = folder / path
        match entry:
            case File(data, mode):
                place.write_bytes(data)
                place.chmod(mode)
            case Folder(mode):
                place.mkdir(exist_ok=True)
                place.chmod(mode)
            case Link(target):
                place.symlink_to(target)
        if not isinstance(entry, Link):
            os.utime(place, (MTIME, MTIME))


def without(tree: Tree, patterns: Iterable[str]) -> dict[str, Entry]:
    """Return a tree without the paths that match a pattern (as of pathlib), and without what is below them."""
    globs = tuple(patterns)
    return {
        path: entry
        for path, entry in tree.items()
        if not any(each.match(glob) for each in _with_ancestors(path) for glob in globs)
    }


def _with_ancestors(path: str) -> list[PurePosixPath]:
    """Return a path and those above it; all begin with "/", so that patterns that do hold from there on."""
    own = PurePosixPath("/", path)
    return [own, *own.parents]
