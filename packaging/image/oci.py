"""The archive of an image, as the image specification of the Open Container Initiative has it."""

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from image.tree import MTIME, compressed

_PREFIX = "application/vnd.oci.image"


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer.

    Attributes:
        data: It as an uncompressed tar archive.
        made_of: What is in it, for the history.
    """

    data: bytes
    made_of: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Attributes:
        archive: The archive: a layout in a tar file.
        digest: The digest of its manifest, by which a registry knows it.
        size: How many bytes a registry sends for it.
        unpacked: How many bytes its layers have on a node.
    """

    archive: bytes
    digest: str
    size: int
    unpacked: int


def image(layers: Sequence[Layer], config: Mapping[str, Any], *, architecture: str, created: str, name: str) -> Image:
    """Assemble an image.

    Args:
        layers: Its layers, the lowest first.
        config: How to run it: the field "config" of an image.
        architecture: The architecture, in Go's words, which are those of Debian here.
        created: When it was made, in the format of RFC 3339.
        name: Its name with a tag, for programs that load the archive.
    """
    blobs: dict[str, bytes] = {}

    def added(kind: str, data: bytes) -> dict[str, Any]:
        digest = hashlib.sha256(data).hexdigest()
        blobs[digest] = data
        return {"mediaType": f"{_PREFIX}.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    with ThreadPoolExecutor() as threads:
        described = [
            added("layer.v1.tar+gzip", data) for data in threads.map(lambda each: compressed(each.data), layers)
        ]
    settings = {
        "created": created,
        "architecture": architecture,
        "os": "linux",
        "config": config,
        "rootfs": {
            "type": "layers",
            "diff_ids": [f"sha256:{hashlib.sha256(each.data).hexdigest()}" for each in layers],
        },
        "history": [{"created": created, "created_by": each.made_of} for each in layers],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{_PREFIX}.manifest.v1+json",
        "config": added("config.v1+json", _json(settings)),
        "layers": described,
        "annotations": config["Labels"],
    }
    top = added("manifest.v1+json", _json(manifest))
    tag = name.rpartition(":")[2]
    index = {
        "schemaVersion": 2,
        "mediaType": f"{_PREFIX}.index.v1+json",
        "manifests": [
            {
                **top,
                "platform": {"architecture": architecture, "os": "linux"},
                "annotations": {"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag},
            }
        ],
    }
    files = {
        "oci-layout": b'{"imageLayoutVersion": "1.0.0"}\n',
        "index.json": _json(index),
        **{f"blobs/sha256/{digest}": blobs[digest] for digest in sorted(blobs)},
    }
    size = sum(map(len, blobs.values()))
    return Image(_archive(files), top["digest"], size, sum(len(each.data) for each in layers))


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _archive(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for folder in ("blobs", "blobs/sha256"):
            member = tarfile.TarInfo(folder)
            member.type, member.mode, member.mtime = tarfile.DIRTYPE, 0o755, MTIME
            tar.addfile(member)
        for path, data in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mtime = len(data), MTIME
            tar.addfile(member, io.BytesIO(data))
    return stream.getvalue()
