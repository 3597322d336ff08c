"""The image of a drill's agent: sh, nft, getent and sleep of this machine, with the libraries that they need."""

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from local_cluster.requirements import CannotRunError

_PROGRAMS = ("sh", "nft", "getent", "sleep")
_LIBRARY = re.compile(r"(/\S+) \(0x")
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


def agent_files() -> Mapping[str, Path]:
    """Return the files of the image, by their paths in it.

    Raises:
        CannotRunError: A program is missing.
    """
    files = {}
    for name in _PROGRAMS:
        program = shutil.which(name, path=_PATH)
        if program is None:
            raise CannotRunError(f"not installed: {name}: run `apt-get install nftables libc-bin`")
        files[f"/usr/bin/{name}"] = Path(program).resolve()
        libraries = subprocess.run(["/usr/bin/ldd", program], capture_output=True, text=True, timeout=60, check=True)
        files.update({library: Path(library).resolve() for library in _LIBRARY.findall(libraries.stdout)})
    return files
