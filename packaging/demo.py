"""What `make demo` does: it gets pullguard from a wheel, or builds it, and checks a manifest.

The wheel is the one that --wheel names; else the one of this machine in dist/; else, if --owner says whose repository
it is, the one of the release of this version, which must have the hash that integrations/release.lock states.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from release import LOCK, locked_hashes

CHECKOUT = Path(__file__).resolve().parent.parent
#: What OWNER is where nobody said whose repository it is.
NOBODY = "OWNER"

_ENVIRONMENT = Path(".tools", "demo")
_LOG = Path(".tools", "demo.log")
_RELEASES = "https://github.com"
_SECONDS = 60
# Gatekeeper's own manifest comes with its Go module; without Go, the demo has another one of a real project.
_MANIFEST = ".tools/manifests/gatekeeper.yaml"
_OTHER_MANIFEST = "tests/data/corpus/real/cni-node-agent.yaml"


class DemoError(Exception):
    """Why the demo cannot go on, and what to do about it."""


def find_wheel(stated: str, *, built: Path, owner: str, version: str, releases: str = _RELEASES) -> Path | None:
    """Return the wheel to install, or None if there is none.

    Args:
        stated: The one that was named; "" if none was.
        built: Where `make dist-wheels` writes the one of this machine.
        owner: The owner of the repository on GitHub; NOBODY if it is not known.
        version: The version of pullguard.
        releases: The address below which repositories are.

    Raises:
        DemoError: The one that was named is not there; or that of the release is not what it should be.
    """
    if stated:
        if not Path(stated).is_file():
            raise DemoError(f"WHEEL={stated}: there is no such file")
        return Path(stated)
    if built.is_file():
        return built
    if owner == NOBODY:
        return None
    return _released(built.name, f"{releases}/{owner}/pullguard/releases/download/v{version}/{built.name}")


def _released(name: str, address: str) -> Path | None:
    hashes = locked_hashes((CHECKOUT / LOCK).read_text("utf-8"))
    if not hashes:
        print(f"{LOCK} states no hash yet, so the wheel of a release is not fetched.")
        return None
    print(f"Fetching {address} ...", flush=True)
    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 - https, or a test's own server
            data = answer.read()
    except OSError as error:  # as urllib's errors are
        print(f"It is not there ({error}).")
        return None
    if hashlib.sha256(data).hexdigest() not in hashes:
        raise DemoError(f"{address} is not what {LOCK} states: do not use it, and report this")
    wheel = CHECKOUT / ".tools" / name
    wheel.parent.mkdir(exist_ok=True)
    wheel.write_bytes(data)
    return wheel


def _quietly(what: str, *command: "str | Path") -> None:
    """Run a program without its output, unless it fails."""
    print(f"{what} ...", flush=True)
    log = CHECKOUT / _LOG
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as stream:
        code = subprocess.run(
            list(map(str, command)), cwd=CHECKOUT, stdout=stream, stderr=stream, check=False
        ).returncode
    if code:
        sys.stdout.write(log.read_text("utf-8", "replace"))
        raise DemoError(f"{Path(command[0]).name} ended with code {code}, as above")


def _install(wheel: Path) -> Path:
    python = CHECKOUT / _ENVIRONMENT / "bin" / "python"
    pip = (python, "-m", "pip", "install", "--disable-pip-version-check", "--force-reinstall", wheel.resolve())
    if not python.is_file():
        _quietly(f"Making an environment in {_ENVIRONMENT}", sys.executable, "-m", "venv", CHECKOUT / _ENVIRONMENT)
    _quietly(f"Installing {wheel.name} into {_ENVIRONMENT}", *pip)
    return _ENVIRONMENT / "bin" / "pullguard"


def _build(make: str) -> Path:
    _quietly("Installing pullguard into .venv", make, "--no-print-directory", "setup")
    engine = ".tools/bin/pullguard-engine"
    _quietly("Building its engine: some minutes the first time", make, "--no-print-directory", engine)
    return Path(".venv", "bin", "pullguard")


def run(arguments: Sequence[str] | None = None) -> int:
    """Do it; return the exit code: that of `pullguard check`, but 0 if it has findings.

    Raises:
        DemoError: It cannot go on.
    """
    parser = argparse.ArgumentParser(description="Check a manifest with pullguard.")
    parser.add_argument("--wheel", default="")
    parser.add_argument("--built", type=Path, required=True)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--version", required=True)
    options = parser.parse_args(arguments)
    make = os.environ.get("MAKE", "make")
    wheel = find_wheel(options.wheel, built=options.built, owner=options.owner, version=options.version)
    has_go = shutil.which("go") is not None
    if wheel is None and not has_go:
        raise DemoError("there is no wheel, and no Go to build pullguard with: name a wheel (make demo WHEEL=FILE)")
    program = _build(make) if wheel is None else _install(wheel)
    if has_go:
        _quietly("Fetching the manifest of Gatekeeper", make, "--no-print-directory", _MANIFEST)
    manifest = _MANIFEST if has_go else _OTHER_MANIFEST
    print(f"\npullguard check {manifest}\n", flush=True)
    code = subprocess.run([CHECKOUT / program, "check", manifest], cwd=CHECKOUT, check=False).returncode
    return 0 if code == 1 else code


def main() -> int:
    """Do it, and say why not if it cannot be done."""
    try:
        return run()
    except DemoError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
