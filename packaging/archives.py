"""Tar archives whose bytes depend on nothing but the names and the contents of files."""

import io
import tarfile
from collections.abc import Collection, Mapping


def tar(files: Mapping[str, bytes], programs: Collection[str] = ()) -> bytes:
    """Return files as a tar: sorted by name, of nobody and of no time.

    Args:
        files: Their contents, by their paths.
        programs: Those that can be run.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name in sorted(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(files[name])
            entry.mode = 0o755 if name in programs else 0o644
            archive.addfile(entry, io.BytesIO(files[name]))
    return buffer.getvalue()
