"""Says whether what was published is what was built, and works: a release is installed as its users install it."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import release

_MANIFEST = """\
apiVersion: v1
kind: Pod
metadata: {name: dns, namespace: kube-system}
spec:
  containers:
    - {name: main, image: "registry.example.com/dns:v1", imagePullPolicy: Always}
"""
_FOUND = "manifest.yaml:6: high: pull-policy-always"


class _FailedError(Exception):
    """What is not as it should be."""


def _run(command: Sequence[str], folder: Path, variables: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command,
        cwd=folder,
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def _pip(arguments: Sequence[str], folder: Path, until: float) -> None:
    """Run pip, again and again for a while: an index does not have at once what was just published.

    Raises:
        _FailedError: It could not install or download.
    """
    while True:
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
        ended = _run(command, folder, os.environ)
        if ended.returncode == 0:
            return
        if time.monotonic() > until or "DO NOT MATCH THE HASHES" in ended.stderr:
            raise _FailedError(f"pip {' '.join(arguments)}\n{ended.stderr}")
        time.sleep(10)


def _install(locks: Path, folder: Path, until: float) -> None:
    """Install pullguard by the locks into a folder of its own, and have it judge, with nothing else on PATH."""
    target = folder / "installed"
    locked = [f"--requirement={(locks / name).absolute()}" for name in ("requirements.lock", release.LOCK.name)]
    pinned = ["--require-hashes", "--only-binary=:all:"]
    _pip(["install", "--quiet", f"--target={target}", *pinned, *locked], folder, until)
    (folder / "manifest.yaml").write_text(_MANIFEST, "utf-8")
    bare = {"PATH": "", "PYTHONPATH": str(target), "PYTHONSAFEPATH": "1"}
    if "SYSTEMROOT" in os.environ:  # without it, Windows cannot start Python
        bare["SYSTEMROOT"] = os.environ["SYSTEMROOT"]
    ended = _run([sys.executable, "-m", "pullguard", "check", "--library=builtin", "manifest.yaml"], folder, bare)
    if ended.returncode != 1 or not ended.stdout.startswith(_FOUND):
        raise _FailedError(
            f"pullguard check ended with {ended.returncode}, not with 1 and {_FOUND!r}\n{ended.stdout}{ended.stderr}"
        )


def _download(wheels: Mapping[str, str], locks: Path, folder: Path, until: float) -> None:
    """Download the wheel of each platform, which must be the one with that hash, not only one that the lock has."""
    lock = (locks / release.LOCK.name).absolute()
    for wheel in wheels:
        platforms = [f"--platform={tag}" for tag in wheel.removesuffix(".whl").split("-")[-1].split(".")]
        pinned = ["--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={lock}"]
        options = ["--quiet", f"--dest={folder / 'wheels'}", "--python-version=3.12", *platforms, *pinned]
        _pip(["download", *options], folder, until)
        if not (folder / "wheels" / wheel).is_file():
            raise _FailedError(f"{wheel}: the index has a file of another name for {' '.join(platforms)}")
    wrong = [name for name, digest in release.hashes(folder / "wheels").items() if digest != wheels[name]]
    if wrong:
        raise _FailedError(f"{' '.join(wrong)}: the index has other bytes than the release page")


def _check(published: Path, tag: str | None, until: float) -> Sequence[str]:
    """Return the names of the wheels of a release in which nothing is wrong."""
    wrong = release.problems(published, release.LOCK.read_text("utf-8"), release.version(), tag)
    if wrong:
        raise _FailedError("\n".join(wrong))
    stated = release.read_sums(published)
    wheels = {name: stated[name] for name in sorted(release.wheels(stated))}
    locks = release.LOCK.parent
    with tempfile.TemporaryDirectory() as folder:
        _download(wheels, locks, Path(folder), until)
        _install(locks, Path(folder), until)
    return list(wheels)


def main() -> int:
    """Check the files that were published against the hashes of a release, and try the wheels of the package index.

    pip's own settings say which index that is. Run it in the checkout of the tag.
    """
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("folder", type=Path, help="the files of the release page, SHA256SUMS among them")
    parser.add_argument("--tag", help="the tag that the release has, such as v0.1.0")
    parser.add_argument(
        "--wait", type=float, default=0, metavar="SECONDS", help="how long the index may lack it; default: 0"
    )
    arguments = parser.parse_args()
    try:
        wheels = _check(arguments.folder, arguments.tag, time.monotonic() + arguments.wait)
    except _FailedError as failed:
        print(failed)
        return 1
    except (release.ReleaseError, OSError) as error:
        print(f"check_release: {error}", file=sys.stderr)
        return 2
    print(
        f"{len(wheels)} wheels of {release.version()} are in the index, as released, and the one for this machine works"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
