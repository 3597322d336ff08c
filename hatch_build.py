"""What a wheel holds beside the package: the engine and the manual page; an editable installation does not."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_ENGINE = "pullguard-engine"


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
        program = root / ".tools" / "bin" / _ENGINE
        if not program.is_file() and not self._build(root):
            self.app.display_warning(f"the wheel does not hold {_ENGINE}: there is no Go to build it with")
            return
        build_data["force_include"][str(program)] = f"pullguard/bin/{_ENGINE}"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _build(self, root: Path) -> bool:
        """Build the engine from its Go module, as `make` does it; say whether that could be done."""
        if not all(map(shutil.which, ("go", "make"))):
            return False
        self.app.display_info(f"building {_ENGINE} from its Go module, which may take some minutes")
        return subprocess.run(["make", f".tools/bin/{_ENGINE}"], cwd=root, check=False).returncode == 0  # noqa: S607 - the make that was found


def _manual(root: Path) -> str:
    """Return the manual page; the modules that make it need nothing but Python."""
    sys.path.insert(0, str(root / "generator"))
    from pullguard.cli import parser  # noqa: PLC0415 - only here can it be imported
    from pullguard.completion.manual import manual  # noqa: PLC0415 - as above

    return manual(parser())
