"""Where `make dist-image` puts the image for this machine."""

import platform
from pathlib import Path

from pullguard import __version__

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

#: The architecture of this machine, as images name it.
ARCHITECTURE = _ARCHITECTURES.get(platform.machine(), platform.machine())
#: The name that the documentation has for the image.
NAME = f"ghcr.io/OWNER/pullguard:{__version__}"
#: What a test says that needs it.
MISSING = "the image is not built: run `make dist-image`"


def archive(checkout: Path) -> Path | None:
    """Return the archive of the image of this version; None if it is not built."""
    path = checkout / "dist" / f"pullguard-image-{__version__}-{ARCHITECTURE}.tar"
    return path if path.exists() else None
