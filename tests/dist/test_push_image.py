"""The image is pushed for all architectures at once, under the tag of its version."""

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from oci_registry import registry

Push = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def crane(checkout: Path) -> Path:
    """Return the pinned crane."""
    path = checkout / ".tools" / "bin" / "crane"
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make .tools/bin/crane`")
    return path


@pytest.fixture
def address(crane: Path, tmp_path: Path) -> Iterator[str]:
    """Yield the address of a registry."""
    with registry(crane, tmp_path) as found:
        yield found


@pytest.fixture
def push(checkout: Path, crane: Path, address: str, tmp_path: Path) -> Push:
    """Return a function that pushes the images of a folder."""

    def run(folder: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(checkout / "packaging" / "push-image"), f"{address}/owner", folder],
            cwd=tmp_path,
            env={"CRANE": str(crane), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def _image(path: Path, architecture: str) -> str:
    """Write an image without layers as the archive of an OCI layout; return its digest."""
    files = {"oci-layout": json.dumps({"imageLayoutVersion": "1.0.0"}).encode()}

    def added(kind: str, value: Any) -> Mapping[str, Any]:
        content = json.dumps(value).encode()
        digest = hashlib.sha256(content).hexdigest()
        files[f"blobs/sha256/{digest}"] = content
        return {
            "mediaType": f"application/vnd.oci.image.{kind}.v1+json",
            "digest": f"sha256:{digest}",
            "size": len(content),
        }

    config = {"architecture": architecture, "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": []}}
    manifest = added(
        "manifest",
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "config": added("config", config),
            "layers": [],
        },
    )
    files["index.json"] = json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return str(manifest["digest"])


def test_two_architectures(push: Push, crane: Path, address: str, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    digests = {
        name: _image(tmp_path / "dist" / f"pullguard-image-0.1.0-{name}.tar", name) for name in ("amd64", "arm64")
    }
    ended = push("dist")
    assert ended.returncode == 0, ended.stderr
    said = ended.stdout.strip()
    manifest = subprocess.run(
        [str(crane), "manifest", f"{address}/owner/pullguard:0.1.0"], capture_output=True, timeout=60, check=True
    ).stdout
    assert said == f"sha256:{hashlib.sha256(manifest).hexdigest()}"
    index = json.loads(manifest)
    assert {entry["platform"]["architecture"]: entry["digest"] for entry in index["manifests"]} == digests
    tags = subprocess.run(
        [str(crane), "ls", f"{address}/owner/pullguard"], capture_output=True, text=True, timeout=60, check=True
    )
    assert tags.stdout.split() == ["0.1.0", "0.1.0-amd64", "0.1.0-arm64"]
    # Once more, as when a job is run again.
    assert push("dist").stdout.strip() == said


def test_nothing_to_push(push: Push, tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    ended = push("dist")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "dist: holds no image: run `make dist-image`\n"
