"""The releases that the matrix is about, and where their programs and definitions are."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
BUILT = CHECKOUT / ".tools" / "bin"
FOLDER = CHECKOUT / ".tools" / "matrix"

#: The last release of each minor version, as far as there was one, and the gator that make builds anyway.
GATEKEEPER = {"3.19.1": "", "3.20.1": "gator-oldest", "3.21.1": "", "3.22.2": "", "3.23.1": "gator"}
KUBERNETES = ("1.32", "1.33", "1.34", "1.35", "1.36")
#: The oldest, which tools/kubernetes-oldest pins, and the one that all other tests run in.
SERVERS = ("1.32.13", "1.36.3")
PYTHON = ("3.10", "3.11", "3.12", "3.13", "3.14")

_MODULE = "github.com/open-policy-agent/gatekeeper/v3"
_BUILD_TIME = 3600.0


class NotHadError(Exception):
    """A release cannot be tried here; the message says why."""


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """A release of Gatekeeper.

    Attributes:
        version: Its version, without a v.
    """

    version: str

    def gator(self) -> Path:
        """Return its gator, built with exactly what its own module states, unless it is there already.

        Raises:
            NotHadError: Its module cannot be had.
        """
        own = GATEKEEPER[self.version]
        program = BUILT / own if own else self._folder / "gator"
        if not program.exists():
            self._go(
                *("install", "-trimpath", "-ldflags=-s -w", f"{_MODULE}/cmd/gator@v{self.version}"),
                more={"CGO_ENABLED": "0", "GOBIN": str(self._folder)},
            )
        return program

    def manifest(self) -> Path:
        """Return its manifest, which holds its definitions.

        Raises:
            NotHadError: As with `gator`.
        """
        kept = self._folder / "gatekeeper.yaml"
        if not kept.exists():
            module = json.loads(self._go("mod", "download", "-json", f"{_MODULE}@v{self.version}"))
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(Path(module["Dir"]) / "deploy" / "gatekeeper.yaml", kept)
        return kept

    @property
    def _folder(self) -> Path:
        return FOLDER / f"gatekeeper-{self.version}"

    def _go(self, *arguments: str, more: dict[str, str] | None = None) -> str:
        done = subprocess.run(
            ["go", *arguments],
            cwd=FOLDER.parent,
            env={**os.environ, **(more or {})},
            capture_output=True,
            text=True,
            timeout=_BUILD_TIME,
            check=False,
        )
        if done.returncode != 0:
            # What Go says names the addresses of registries.
            raise NotHadError("its module was not to be had")
        return done.stdout


def interpreter(version: str) -> str:
    """Return the command of a version of Python: one on PATH, else one that uv has.

    Raises:
        NotHadError: There is none that runs.
    """
    candidates = [shutil.which(f"python{version}")]
    if shutil.which("uv") is not None:
        candidates.append(_said("uv", "python", "find", "--no-python-downloads", version))
    for candidate in candidates:
        # A shim of pyenv is there for versions that it does not run.
        if candidate and _said(candidate, "--version").startswith(f"Python {version}."):
            return candidate
    raise NotHadError("there was no such interpreter")


def _said(*command: str) -> str:
    """Return what a command prints; "" if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""
