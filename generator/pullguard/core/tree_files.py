"""Files of a folder that somebody else wrote: regular ones, inside of it, and not without a bound."""

import errno
import os
import stat

#: Bytes of the largest file that is read whole, of those that people write.
LARGEST = 64 * 2**20


def read_inside(tree: str, path: str) -> bytes:
    """Return the bytes of a file in a folder, which a link may lead to as well.

    Raises:
        OSError: It leads out of the folder, is no regular file, is too large, or cannot be read.
    """
    if "\0" in path:
        raise _refused(errno.EINVAL, "no file can have such a name", path)
    root, real = os.path.realpath(tree), os.path.realpath(path)
    if os.path.commonpath((root, real)) != root:
        raise _refused(errno.EXDEV, f"it leads out of {tree}", path)
    # Without waiting for whoever may write to a pipe.
    with os.fdopen(os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise _refused(errno.EINVAL, "it is no regular file", path)
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _refused(errno.EFBIG, f"it is larger than {LARGEST >> 20} MB", path)
    return data


def _refused(number: int, reason: str, path: str) -> OSError:
    return OSError(number, reason, path)
