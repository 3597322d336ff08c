"""Large lists that kubectl has written, in parts: a reader needs many times the size of what it reads at once."""

from collections.abc import Iterator
from pathlib import Path

from pullguard.core.inputs.files import File

# kubectl indents by four spaces: objects of a list begin and end on lines of their own, and nothing else does.
_BEGIN, _ITEMS = b"{\n", b'    "items": [\n'
_END, _BETWEEN = b"        }", b"\n        },\n        {\n"
_HEAD = 10  # lines, at most
_PART = 8_000_000
#: Smaller files are read at once.
LARGE = 4 * _PART


def parts(path: Path, name: str, *, size: int = _PART) -> Iterator[File]:
    """Yield a list in parts, each a list of its own; nothing if kubectl has not written it with `-o json`.

    The last part has whatever stands behind the objects: it is as well formed as the whole.

    Args:
        path: The file.
        name: What users call it.
        size: How many bytes a part has about, unless it is the last one.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        head = _head(stream.readline() for _ in range(_HEAD))
        if not head:
            return
        behind = b"\n    ]\n}\n" if b'"kind"' in head else b'\n    ],\n    "kind": "List"\n}\n'
        first_line, objects = 1, b""
        while block := stream.read(size):
            objects += block
            cut = objects.rfind(_BETWEEN)
            if cut >= 0:
                part = objects[: cut + 1]
                yield File(name, b"".join([head, part, _END, behind]), first_line)
                first_line += part.count(b"\n") + 1
                objects = objects[cut + len(_BETWEEN) - len(b"        {\n") :]
            elif first_line == 1 and len(objects) > LARGE:
                return  # the objects are not indented as kubectl does it
        yield File(name, head + objects, first_line)


def _head(lines: Iterator[bytes]) -> bytes:
    head = b""
    for line in lines:
        head += line
        if line == _ITEMS and head.startswith(_BEGIN):
            return head
        if line != _BEGIN and not line.startswith(b'    "'):
            break
    return b""
