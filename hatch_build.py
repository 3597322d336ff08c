"""What a wheel holds beside the package: the engine and the manual page; an editable installation does not."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ENGINE = "pullguard-engine"
#: Names the platform, as <goos>-<goarch>, of a wheel that is for another machine; its engine is in .tools/engines.
_PLATFORM = "PULLGUARD_PLATFORM"
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class WheelHook(BuildHookInterface[Any]):
    """Adds both to a wheel; without the engine, and without Go to build it, the wheel is one for all platforms."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say what the wheel holds and which platform it is for."""
        if version == "editable":
            return
        root = Path(self.root)
        manual = root / "build" / "pullguard.1"
        manual.parent.mkdir(exist_ok=True)
        manual.write_text(_manual(root), encoding="utf-8")
        build_data["shared_data"] = {str(manual): "share/man/man1/pullguard.1"}
        platform = os.environ.get(_PLATFORM)
        program = self._of(root, platform) if platform else self._own(root)
        if program is None:
            self.app.display_warning(f"the wheel does not hold {_ENGINE}: there is no Go to build it with")
            return
        build_data["force_include"][str(program)] = f"pullguard/bin/{program.name}"
        build_data["pure_python"] = False
        if platform:
            build_data["sbom_files"] = _bills(root, program)
        build_data["tag"] = f"py3-none-{self._tag(platform)}"

    def _tag(self, platform: str | None) -> str:
        """Return the platform tag: the one of the named platform, or of this one."""
        tags: dict[str, str] = self.config["tags"]
        own = sysconfig.get_platform()  # linux-x86_64, macosx-12.0-arm64, win-amd64
        system, architecture = sys.platform.replace("win32", "windows"), own.rpartition("-")[2]
        name = platform or f"{system}-{_ARCHITECTURES.get(architecture, architecture)}"
        return tags.get(name) or own.replace("-", "_").replace(".", "_")

    def _of(self, root: Path, platform: str) -> Path:
        """Return the engine of a platform, which `make dist-wheels` has built."""
        if platform not in self.config["tags"]:
            known = ", ".join(self.config["tags"])
            raise ValueError(f"{_PLATFORM}={platform}: pyproject.toml has no tag for it, only for {known}")
        program = root / ".tools" / "engines" / platform / _program(platform.partition("-")[0])
        if not program.is_file():
            raise FileNotFoundError(f"{program} is missing: `make dist-wheels` builds it, and the wheel")
        return program

    def _own(self, root: Path) -> Path | None:
        """Return the engine for this machine, which is built if need be; None if that cannot be done."""
        program = root / ".tools" / "bin" / _program(sys.platform)
        return program if program.is_file() or self._build(root, program.name) else None

    def _build(self, root: Path, name: str) -> bool:
        """Build the engine from its Go module, as `make` does it; say whether that could be done."""
        if not all(map(shutil.which, ("go", "make"))):
            return False
        self.app.display_info(f"building {name} from its Go module, which may take some minutes")
        return subprocess.run(["make", f".tools/bin/{name}"], cwd=root, check=False).returncode == 0  # noqa: S607 - the make that was found


def _bills(root: Path, program: Path) -> list[str]:
    """Return the bills of materials that go with a wheel, of the package and of its engine."""
    bills = [program.parent.parent / "pullguard.cdx.json", program.parent / f"{_ENGINE}.cdx.json"]
    missing = next((bill for bill in bills if not bill.is_file()), None)
    if missing is not None:
        raise FileNotFoundError(f"{missing} is missing: `make dist-wheels` writes it, and the wheel")
    return [str(bill.relative_to(root)) for bill in bills]


def _program(system: str) -> str:
    """Return the file name of the engine on a system."""
    return f"{_ENGINE}.exe" if system.startswith("win") else _ENGINE


def _manual(root: Path) -> str:
    """Return the manual page; the modules that make it need nothing but Python."""
    sys.path.insert(0, str(root / "generator"))
    from pullguard.cli import parser  # noqa: PLC0415 - only here can it be imported
    from pullguard.completion.manual import manual  # noqa: PLC0415 - as above

    return manual(parser())
