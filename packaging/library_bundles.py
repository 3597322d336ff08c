"""Writes the library as OCI artifacts, for conftest, gator, Flux and Argo CD: one archive in dist/ for each.

An archive is an OCI image layout in a tar, named REPOSITORY-TAG.oci.tar; packaging/push-library pushes it. The same
library gives the same bytes.
"""

import argparse
import gzip
import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archives import tar

_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
_INDEX = "application/vnd.oci.image.index.v1+json"

# As `conftest push` has them.
_CONFTEST_CONFIG = "application/vnd.unknown.config.v1+json"
_REGO = "application/vnd.cncf.openpolicyagent.policy.layer.v1+rego"
_DATA = "application/vnd.cncf.openpolicyagent.data.layer.v1+json"

# Files with a title are what gator makes of an artifact.
_GATOR_CONFIG = "application/vnd.oci.empty.v1+json"
_YAML = "application/yaml"

# Argo CD takes an artifact with one such layer, Flux one with any.
_FOLDER_CONFIG = "application/vnd.oci.image.config.v1+json"
_FOLDER = "application/vnd.oci.image.layer.v1.tar+gzip"

_TITLE = "org.opencontainers.image.title"
_REPOSITORY = "pullguard-library"
_LEVELS = ("audit", "warn", "deny")


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of an artifact.

    Attributes:
        media_type: Its media type.
        content: Its bytes.
        title: The path of the file that it is; "" if it is no file.
    """

    media_type: str
    content: bytes
    title: str = ""


@dataclass(frozen=True, slots=True)
class Artifact:
    """What is pushed as REPOSITORY:TAG.

    Attributes:
        repository: The last part of the repository's name.
        tag: The tag.
        config: The media type and the content of its config.
        layers: Its layers.
        annotations: Those of its manifest.
    """

    repository: str
    tag: str
    config: tuple[str, bytes]
    layers: Sequence[Layer]
    annotations: Mapping[str, str]

    @property
    def archive(self) -> str:
        """The name of its archive."""
        return f"{self.repository}-{self.tag}.oci.tar"


def main() -> None:
    """Write the archives."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--library", type=Path, required=True, help="the generated library")
    parser.add_argument("--kustomize", type=Path, required=True, help="the program kustomize")
    parser.add_argument("--version", required=True, help="the version of the library")
    parser.add_argument("--owner", required=True, help="who owns the repository on GitHub")
    parser.add_argument("--out", type=Path, required=True, help="the folder for the archives")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    annotations = {
        "org.opencontainers.image.licenses": "Apache-2.0",
        "org.opencontainers.image.source": f"https://github.com/{arguments.owner}/pullguard",
        "org.opencontainers.image.version": arguments.version,
    }
    for artifact in (
        conftest(arguments.library, arguments.version, annotations),
        *(gator(arguments.library, arguments.kustomize, arguments.version, level, annotations) for level in _LEVELS),
        folder(arguments.library, arguments.version, annotations),
    ):
        (arguments.out / artifact.archive).write_bytes(layout(artifact))


def conftest(library: Path, version: str, annotations: Mapping[str, str]) -> Artifact:
    """Return the bundle for `conftest pull`: a layer for each file, which is what `conftest push` makes."""
    root = library / "conftest"
    types = {"policy": _REGO, "data": _DATA}
    return Artifact(
        f"{_REPOSITORY}-conftest",
        version,
        (_CONFTEST_CONFIG, b"{}"),
        [
            Layer(types[path.relative_to(root).parts[0]], path.read_bytes(), path.relative_to(root).as_posix())
            for path in sorted(root.glob("*/**/*"))
            if path.is_file()
        ],
        {**annotations, "org.opencontainers.image.description": "Policies for conftest, with their constraints"},
    )


def gator(library: Path, kustomize: Path, version: str, level: str, annotations: Mapping[str, str]) -> Artifact:
    """Return the bundle for `gator test --image`: what kubectl applies at a level, each policy in a file of its own.

    Policies that judge by the objects of a cluster are left out, as they are for conftest: gator sees manifests.
    """
    index: dict[str, dict[str, Any]] = json.loads((library / "conftest" / "index.json").read_bytes())
    layers = []
    for policy in sorted(name for name, entry in index.items() if not entry["needsCluster"]):
        # A policy that does not offer the level is taken from the strictest one that it offers.
        levels = reversed(_LEVELS[: _LEVELS.index(level) + 1])
        source = next(folder for folder in (library / own / policy for own in levels) if folder.is_dir())
        built = subprocess.run([kustomize, "build", source], check=True, capture_output=True, timeout=60)
        layers.append(Layer(_YAML, built.stdout, f"{policy}.yaml"))
    return Artifact(
        f"{_REPOSITORY}-gator",
        f"{version}-{level}",
        (_GATOR_CONFIG, b"{}"),
        layers,
        {**annotations, "org.opencontainers.image.description": f"Templates and constraints for gator, at {level}"},
    )


def folder(library: Path, version: str, annotations: Mapping[str, str]) -> Artifact:
    """Return the whole library as one layer, for what builds its kustomizations."""
    files = {path.relative_to(library).as_posix(): path for path in library.rglob("*") if path.is_file()}
    unpacked = tar({name: path.read_bytes() for name, path in files.items()})
    config = {"architecture": "", "os": "", "rootfs": {"type": "layers", "diff_ids": [_digest(unpacked)]}}
    return Artifact(
        f"{_REPOSITORY}-kustomize",
        version,
        (_FOLDER_CONFIG, _json(config)),
        [Layer(_FOLDER, gzip.compress(unpacked, mtime=0))],
        {**annotations, "org.opencontainers.image.description": "The library's folder, with its kustomizations"},
    )


def layout(artifact: Artifact) -> bytes:
    """Return an artifact as an OCI image layout in a tar."""
    blobs: dict[str, bytes] = {}

    def descriptor(media_type: str, content: bytes, **more: Any) -> dict[str, Any]:
        digest = _digest(content)
        blobs[f"blobs/{digest.replace(':', '/')}"] = content
        return {"mediaType": media_type, "digest": digest, "size": len(content), **more}

    manifest = {
        "schemaVersion": 2,
        "mediaType": _MANIFEST,
        "config": descriptor(*artifact.config),
        "layers": [
            descriptor(
                layer.media_type, layer.content, **({"annotations": {_TITLE: layer.title}} if layer.title else {})
            )
            for layer in artifact.layers
        ],
        "annotations": dict(artifact.annotations),
    }
    entry = descriptor(_MANIFEST, _json(manifest), annotations={"org.opencontainers.image.ref.name": artifact.tag})
    return tar(
        {
            **blobs,
            "index.json": _json({"schemaVersion": 2, "mediaType": _INDEX, "manifests": [entry]}),
            "oci-layout": _json({"imageLayoutVersion": "1.0.0"}),
        }
    )


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


if __name__ == "__main__":
    main()
