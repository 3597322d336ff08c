"""Packs the library's Helm chart, and adds what Artifact Hub shows of it; the same chart gives the same bytes."""

import argparse
import gzip
import io
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from archives import tar

_ABOUT = """\
home: https://github.com/{owner}/pullguard
sources:
  - https://github.com/{owner}/pullguard
annotations:
  artifacthub.io/category: security
  artifacthub.io/license: Apache-2.0
  artifacthub.io/links: |
    - name: The chart
      url: https://github.com/{owner}/pullguard/blob/v{version}/docs/chart.md
    - name: What else is there
      url: https://github.com/{owner}/pullguard
"""


def main() -> None:
    """Write the archive."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="the generated library")
    parser.add_argument("--helm", type=Path, required=True, help="the program helm")
    parser.add_argument("--version", required=True, help="the version of the library")
    parser.add_argument("--owner", required=True, help="who owns the repository on GitHub")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the archive")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        chart = Path(folder, "chart")
        shutil.copytree(arguments.library / "chart", chart)
        with (chart / "Chart.yaml").open("a", encoding="utf-8") as file:
            file.write(_ABOUT.format(owner=arguments.owner, version=arguments.version))
        subprocess.run(
            [arguments.helm, "package", chart, f"--version={arguments.version}", f"--destination={folder}"],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=60,
        )
        (packed,) = Path(folder).glob("*.tgz")
        arguments.out.mkdir(parents=True, exist_ok=True)
        (arguments.out / packed.name).write_bytes(without_times(packed.read_bytes()))


def without_times(archive: bytes) -> bytes:
    """Return a .tgz with the same files, of nobody and of no time."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        files = {entry.name: file.read() for entry in packed if (file := packed.extractfile(entry)) is not None}
    return gzip.compress(tar(files), mtime=0)


if __name__ == "__main__":
    main()
