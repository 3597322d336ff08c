"""Files of a folder that somebody else wrote: only regular ones inside it, and of a limited size."""

import errno
import os
import stat

from pullguard.core import systems

#: The largest file, in bytes, that is read whole, of those that people write.
LARGEST = 64 * 2**20


def read_inside(tree: str, path: str) -> bytes:
    """Return the bytes of a file in a folder; links inside the folder are followed.

    Raises:
        OSError: It leads out of the folder, is not a regular file, is too large, or cannot be read.
    """
    if "\0" in path:
        raise _refused(errno.EINVAL, "no file can have such a name", path)
    root, real = os.path.realpath(tree), os.path.realpath(path)
    if os.path.commonpath((root, real)) != root:
        raise _refused(errno.EXDEV, f"it leads out of {tree}", path)
    # Opening a pipe must not wait for a writer.
    with os.fdopen(os.open(real, systems.READ_ONLY), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise _refused(errno.EINVAL, "it is not a regular file", path)
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _refused(errno.EFBIG, f"it is larger than {LARGEST >> 20} MB", path)
    return data


def _refused(number: int, reason: str, path: str) -> OSError:
    return OSError(number, reason, path)
