"""What states the hashes of a release: `dist/SHA256SUMS` for its files, and `integrations/release.lock` for its wheels.

Wheels are reproducible and hold neither file. So a commit can state the hashes of the wheels that are built from it.
"""

import argparse
import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

LOCK = Path("integrations", "release.lock")
SUMS = "SHA256SUMS"

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})\b")
_PINNED = re.compile(r"^pullguard==(\S+)", re.MULTILINE)


class ReleaseError(Exception):
    """What is wrong, and what to do about it."""


def hashes(folder: Path) -> Mapping[str, str]:
    """Return the SHA-256 of each file that is released, by name.

    Args:
        folder: Where they are: its files, without SHA256SUMS, hidden ones and folders.

    Raises:
        ReleaseError: There is none.
    """
    names = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    released = [name for name in names if name != SUMS and not name.startswith(".")]
    if not released:
        raise ReleaseError(f"{folder}: holds no file: run `make dist`")
    return {name: _sha256(folder / name) for name in released}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def sums(folder: Path) -> str:
    """Return the content of SHA256SUMS, as `sha256sum --check` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest in hashes(folder).items())


def read_sums(folder: Path) -> Mapping[str, str]:
    """Return what SHA256SUMS states, by name.

    Raises:
        ReleaseError: It is not there, or not of that form.
    """
    path = folder / SUMS
    if not path.is_file():
        raise ReleaseError(f"{path}: is not there: run `make dist`")
    stated = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        found = re.fullmatch(r"([0-9a-f]{64})  ([\w.+-]+)", line)
        if found is None:
            raise ReleaseError(f"{path}:{number}: is not a SHA-256, two spaces and the name of a file")
        stated[found[2]] = found[1]
    return stated


def locked_hashes(locked: str) -> frozenset[str]:
    """Return the SHA-256 of each wheel that the content of release.lock allows."""
    return frozenset(_HASH.findall(locked))


def wheels(names: Iterable[str]) -> Mapping[str, str]:
    """Return the version that each wheel of pullguard among some files has, by name."""
    found = ((name, re.fullmatch(r"pullguard-([^-]+)(?:-\w+)*-[\w.]+-[\w.]+-[\w.]+\.whl", name)) for name in names)
    return {name: match[1] for name, match in found if match}


def lock(folder: Path) -> str:
    """Return the content of release.lock: the version and the hashes of the wheels, as pip reads them.

    Raises:
        ReleaseError: There is no wheel, or there are wheels of several versions.
    """
    of = hashes(folder)
    versions = wheels(of)
    if len(set(versions.values())) != 1:
        raise ReleaseError(f"{folder}: wheels of one version are expected, not of {len(set(versions.values()))}")
    lines = [f"pullguard=={next(iter(versions.values()))}", *sorted(f"--hash=sha256:{of[name]}" for name in versions)]
    return "# The wheels that the CI integrations install. `make release-lock` writes this file.\n" + (
        " \\\n    ".join(lines) + "\n"
    )


def problems(folder: Path, locked: str, own: str, tag: str | None = None) -> list[str]:
    """Return what is not as a release states it.

    Args:
        folder: Where the files of the release are, and SHA256SUMS beside them.
        locked: The content of release.lock.
        own: The version that the checkout states.
        tag: The tag of the release, if there is one already.
    """
    of, stated = hashes(folder), read_sums(folder)
    wrong = [f"{name}: {SUMS} does not name it" for name in sorted(of.keys() - stated.keys())]
    wrong += [f"{name}: is not there, though {SUMS} names it" for name in sorted(stated.keys() - of.keys())]
    changed = sorted(name for name in of.keys() & stated.keys() if of[name] != stated[name])
    wrong += [f"{name}: has the SHA-256 {of[name]}, not {stated[name]}" for name in changed]
    pinned = _PINNED.findall(locked)
    allowed = locked_hashes(locked)
    if pinned != [own]:
        wrong.append(f"{LOCK}: pins {' and '.join(pinned) or 'no release'}, not {own}: run `make release-lock`")
    if tag not in {None, f"v{own}"}:
        wrong.append(f"{tag}: is not the tag of {own}")
    versions = wheels(of)
    wrong += [f"{name}: is not a wheel of {own}" for name, stated_by in versions.items() if stated_by != own]
    wrong += [
        f"{name}: {LOCK} has no hash of it; was it built elsewhere?" for name in versions if of[name] not in allowed
    ]
    rest = len(allowed - {of[name] for name in versions})
    if rest:
        wrong.append(f"{LOCK}: has {rest} hashes of wheels that are not there")
    return wrong


def version() -> str:
    """Return the version that the checkout states."""
    stating = Path("generator/pullguard/__init__.py")
    found = re.search(r'^__version__ = "(.+)"$', stating.read_text("utf-8"), re.MULTILINE)
    if found is None:
        raise ReleaseError(f"{stating}: states no version")
    return found[1]


def notes(changelog: str, own: str) -> str:
    """Return what CHANGELOG.md says of a version.

    Raises:
        ReleaseError: It says nothing.
    """
    found = re.search(rf"^## \[?{re.escape(own)}\]?(?!\S)[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE)
    if found is None or not found[1].strip():
        raise ReleaseError(f"CHANGELOG.md: has nothing below a heading `## {own}`")
    return found[1].strip() + "\n"


def _run(arguments: argparse.Namespace) -> int:
    folder: Path = arguments.folder
    if arguments.action == "sums":
        content = sums(folder)
        (folder / SUMS).write_text(content, "utf-8")
    elif arguments.action == "lock":
        LOCK.write_text(lock(folder), "utf-8")
    elif arguments.action == "notes":
        print(notes((folder / "CHANGELOG.md").read_text("utf-8"), version()), end="")
    else:
        wrong = problems(folder, LOCK.read_text("utf-8"), version(), arguments.tag)
        for line in wrong:
            print(line)
        return 1 if wrong else 0
    return 0


def main() -> int:
    """Write or verify the hashes of a release, or print its notes, in the folder of a checkout."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("action", choices=["sums", "lock", "verify", "notes"])
    parser.add_argument(
        "folder", type=Path, help="where the files of the release are; for notes, where CHANGELOG.md is"
    )
    parser.add_argument("--tag", help="the tag that the release has, such as v0.1.0")
    try:
        return _run(parser.parse_args())
    except (ReleaseError, OSError) as error:
        print(f"release: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    raise SystemExit(main())
