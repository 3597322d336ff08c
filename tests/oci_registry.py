"""A registry on loopback, for what is pushed when it is released."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cluster.servers import running


@contextmanager
def registry(crane: Path, folder: Path) -> Iterator[str]:
    """Run an empty registry; yield its address, such as 127.0.0.1:12345, to which clients speak plain HTTP."""
    with running(crane, "registry", "serve", "--address=127.0.0.1:0", folder=folder) as server:
        found: list[str] = []

        def is_ready() -> bool:
            found.extend(re.findall(r"serving on port (\d+)", server.log.read_text("utf-8")))
            return bool(found)

        server.wait(is_ready, timeout=20)
        yield f"127.0.0.1:{found[0]}"


def push_library(checkout: Path, dist: Path, target: str) -> None:
    """Push the library as a release does."""
    binaries = checkout / ".tools" / "bin"
    subprocess.run(
        [checkout / "packaging" / "push-library", target, dist],
        env={"PATH": "/usr/bin:/bin", "CRANE": str(binaries / "crane"), "HELM": str(binaries / "helm")},
        capture_output=True,
        timeout=60,
        check=True,
    )
