"""Small text files that people write."""

from pathlib import Path

from pullguard.core.errors import PullguardError


def read_text(path: Path, shown: str | None = None) -> str:
    """Return the text of a UTF-8 file, line ends as they are.

    Args:
        path: The file.
        shown: Its name for messages, if it is another.

    Raises:
        PullguardError: It cannot be read, or is not UTF-8.
    """
    name = str(path) if shown is None else shown
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise PullguardError(f"cannot be read ({error.strerror})", file=name) from error
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise PullguardError("is not UTF-8", file=name, line=line, remedy="save it as UTF-8") from error


def write_text(path: Path, text: str) -> None:
    """Write a UTF-8 file, line ends as they are; a lone surrogate, as in a file's odd name, is escaped.

    Raises:
        PullguardError: It cannot be written.
    """
    try:
        with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as stream:
            stream.write(text)
    except OSError as error:
        raise PullguardError(f"cannot be written ({error.strerror})", file=str(path)) from error
