"""A registry on loopback, whose images consist of a few programs each. A node uses it until it is cut off.

The registry is a folder of files (https://github.com/opencontainers/distribution-spec) that registry_server.py serves.
"""

import hashlib
import io
import json
import platform
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from local_cluster.servers import Server, running

#: The address of the registry, where nothing listens after the cut. The port is free in the network of isolation.py.
ADDRESS = "127.0.0.1:5000"

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_START = 30.0


@dataclass(frozen=True, slots=True)
class Registry:
    """A running registry.

    Attributes:
        folder: The folder that it serves.
        server: Its process.
    """

    folder: Path
    server: Server

    def add(self, program: Path, entrypoint: str, repository: str, *tags: str) -> None:
        """Add an image with the program and an empty, world-writable `/tmp`. All files belong to root.

        Args:
            program: A static program.
            entrypoint: The path of the program in the image, such as `/manager`.
            repository: The repository without a host, such as `openpolicyagent/gatekeeper`; any host is served.
            tags: The tags of the image.
        """
        self.add_files({entrypoint: program}, entrypoint, repository, *tags)

    def add_files(self, files: Mapping[str, Path], entrypoint: str, repository: str, *tags: str) -> None:
        """Add an image with several files and an empty, world-writable `/tmp`.

        Args:
            files: The files, by their paths in the image, which may be executed.
            entrypoint: As for `add`.
            repository: As for `add`.
            tags: As for `add`.
        """
        place = self.folder / "v2" / repository
        layer = _layer(files)
        config = {
            "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
            "os": "linux",
            "config": {"Entrypoint": [entrypoint]},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _write_blob(place, _CONFIG, json.dumps(config).encode()),
            "layers": [_write_blob(place, _LAYER, layer)],
        }
        data = json.dumps(manifest).encode()
        for name in (*tags, _digest(data)):
            _write(place / "manifests" / name, data)

    def cut(self) -> None:
        """Stop the server for good, so that nothing listens on its address."""
        self.server.stop()


@contextmanager
def registry(folder: Path) -> Iterator[Registry]:
    """Serve an empty registry until it is cut off, or until the end.

    Args:
        folder: An existing folder, in which the registry's folder is made.

    Raises:
        NotReadyError: The server did not start.
    """
    own = folder / "registry"
    (own / "v2").mkdir(parents=True)
    program = Path(__file__).with_name("registry_server.py")
    with running(Path(sys.executable), str(program), ADDRESS, folder=own) as server:
        server.wait(_serves, timeout=_START)
        yield Registry(own, server)


def _serves() -> bool:
    try:
        with urlopen(f"http://{ADDRESS}/v2/", timeout=5) as answer:
            return bool(answer.status == HTTPStatus.OK)
    except OSError:
        return False


def _layer(files: Mapping[str, Path]) -> bytes:
    """Return a tar file with programs and an empty /tmp, dated 1970."""
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        for path, program in files.items():
            file = tarfile.TarInfo(path.removeprefix("/"))
            file.mode, file.size = 0o755, program.stat().st_size
            with program.open("rb") as content:
                tar.addfile(file, content)
        folder = tarfile.TarInfo("tmp")
        folder.mode, folder.type = 0o1777, tarfile.DIRTYPE
        tar.addfile(folder)
    return layer.getvalue()


def _write_blob(place: Path, media_type: str, data: bytes) -> dict[str, Any]:
    """Write a blob of an image, and return its descriptor for the manifest."""
    digest = _digest(data)
    _write(place / "blobs" / digest, data)
    return {"mediaType": media_type, "digest": digest, "size": len(data)}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def _digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
