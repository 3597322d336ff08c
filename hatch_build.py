"""What a wheel holds beside the package: the pinned OPA and the manual page. An editable installation needs neither."""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelHook(BuildHookInterface[Any]):
    """Adds both to a wheel; without OPA and without Go to build it, the wheel is one for all platforms."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Say what the wheel holds and which platform it is for."""
        if version == "editable":
            return
        root = Path(self.root)
        manual = root / "build" / "pullguard.1"
        manual.parent.mkdir(exist_ok=True)
        manual.write_text(_manual(root), encoding="utf-8")
        build_data["shared_data"] = {str(manual): "share/man/man1/pullguard.1"}
        opa = root / ".tools" / "bin" / "opa"
        if not opa.is_file() and not self._build(root):
            self.app.display_warning("the wheel holds no OPA: there is no Go to build it with")
            return
        build_data["force_include"][str(opa)] = "pullguard/bin/opa"
        build_data["pure_python"] = False
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["tag"] = f"py3-none-{platform}"

    def _build(self, root: Path) -> bool:
        """Build OPA from its Go module, as `make` does it; say whether that could be done."""
        if not all(map(shutil.which, ("go", "make"))):
            return False
        self.app.display_info("building OPA from its Go module; this takes some minutes")
        return subprocess.run(["make", ".tools/bin/opa"], cwd=root, check=False).returncode == 0


def _manual(root: Path) -> str:
    """Return the manual page; the modules that make it need nothing but Python."""
    sys.path.insert(0, str(root / "generator"))
    from pullguard.cli import parser  # noqa: PLC0415 - only here can it be imported
    from pullguard.manual import manual  # noqa: PLC0415 - as above

    return manual(parser())
