"""The full lists of images of nodes, as `crictl images -o json` writes them."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.core.text_files import read_text
from pullguard.engine.documents import load_document
from pullguard.engine.protocol import Engine

_DIGITS = 20  # a 64-bit integer has no more
_REMEDY = "write it with `crictl images -o json > NODE.json`, or say which node it is of: NODE=FILE"


def read_node_images(engine: Engine, arguments: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
    """Return the images of nodes, by the name of the node, each as a Node's status has it, and whether it is pinned.

    The size is a number of bytes, or None where there is none.

    Args:
        engine: What reads the files.
        arguments: FILE, named after its node, or NODE=FILE.

    Raises:
        PullguardError: A file cannot be read, is not what crictl writes, or there are two of one node.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for argument in arguments:
        stated, equals, file = argument.partition("=")
        file = file if equals else argument
        node = stated if equals else Path(file).name.removesuffix(".json")
        if node in found:
            raise PullguardError(f"there are two lists of the images of node {node}", file=file)
        images = dig(load_document(engine, read_text(Path(file)), file, dialect="kubernetes").value, "images")
        if not isinstance(images, list):
            raise PullguardError("is not a list of images", file=file, remedy=_REMEDY)
        found[node] = [
            {"names": _names(image), "pinned": dig(image, "pinned") is True, "sizeBytes": _size(image)}
            for image in images
        ]
    return found


def _names(image: Any) -> list[str]:
    listed = [dig(image, field) for field in ("repoDigests", "repoTags")]
    return [name for names in listed if isinstance(names, list) for name in names if isinstance(name, str)]


def _size(image: Any) -> int | None:
    """Return the size that crictl writes, as a text."""
    size = dig(image, "size")
    return int(size) if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < _DIGITS else None
