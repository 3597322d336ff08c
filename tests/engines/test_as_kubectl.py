"""What kubectl would create is read, or is an error: its own reader and the engine, on generated and broken files.

`kubectl label --local` reads files as `kubectl create` and `apply` do, and needs no server.
"""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from mutated_manifests import shapes, write_files, yaml_text

Objects = list[dict[str, Any]]

_FILES = int(os.environ.get("PULLGUARD_TEST_FILES", "600"))
_AT_ONCE = 150


def _kubectl(kubectl: str, folder: Path) -> Objects:
    """Return the objects that kubectl reads in the files of a folder; files that it does not take give none."""
    command = [kubectl, "label", "--local", "--recursive", "--filename", str(folder), "--output=json", "test-label=x"]
    ended = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=600, check=False)
    decoder, text, objects = json.JSONDecoder(), ended.stdout, []
    while text.strip():
        value, end = decoder.raw_decode(text := text.lstrip())
        text = text[end:]
        objects += [value] if isinstance(value, dict) else []
    for obj in objects:
        metadata = obj.get("metadata")
        if isinstance(metadata, dict) and isinstance(labels := metadata.get("labels"), dict):
            labels.pop("test-label", None)
            if not labels:
                del metadata["labels"]
        if not metadata:
            obj.pop("metadata", None)
    return objects


def _engine(program: Path, files: Sequence[Path]) -> list[tuple[Objects, bool]]:
    """Return what the engine reads in files: their objects, and whether it says that something is wrong."""
    asked = []
    for number, file in enumerate(files):
        path = os.fsencode(file)
        request = {
            "type": "read",
            "id": number,
            "name": file.name,
            "source": "path",
            "dialect": "kubernetes",
            "unit": "objects",
            "size": len(path),
        }
        asked.append(json.dumps(request).encode() + b"\n" + path)
    done = subprocess.run(
        [program, "serve"], input=b"".join(asked), capture_output=True, timeout=600, check=True, env={}
    )
    found: list[tuple[Objects, bool]] = [([], False)] * len(files)
    for line in done.stdout.splitlines()[1:]:
        record = json.loads(line)
        objects, failed = found[record["id"]]
        if record["type"] == "object":
            found[record["id"]] = ([*objects, record["object"]], failed)
            # kubectl leaves out a namespace that is null.
            metadata = record["object"].get("metadata")
            if isinstance(metadata, dict) and metadata.get("namespace", "") is None:
                del metadata["namespace"]
        elif record["type"] in {"error", "failed"}:
            found[record["id"]] = (objects, True)
    return found


@pytest.fixture(scope="module")
def engine(checkout: Path) -> Path:
    return checkout / ".tools" / "bin" / "pullguard-engine"


def _missed(kubectl: str, engine: Path, folder: Path) -> Objects:
    """Return what kubectl reads in the files of a folder, and the engine neither reads nor complains about."""
    files = sorted(folder.iterdir())
    read = _engine(engine, files)
    known = {json.dumps(obj, sort_keys=True) for objects, _ in read for obj in objects}
    complained = {file.stem for file, (_, failed) in zip(files, read, strict=True) if failed}
    missed = [obj for obj in _kubectl(kubectl, folder) if json.dumps(obj, sort_keys=True) not in known]
    # All that says anything names its file; {"kind": "Pod"} may be left of one that the engine complains about.
    named = {json.dumps(obj): set(re.findall(r"f[0-9]+", json.dumps(obj))) for obj in missed}
    return [obj for obj in missed if (names := named[json.dumps(obj)]) and not names & complained]


def _read_all(engine: Path, folder: Path) -> Objects:
    return [obj for objects, _ in _engine(engine, sorted(folder.iterdir())) for obj in objects]


def test_each_shape(kubectl: str, engine: Path, tmp_path: Path) -> None:
    """All of them, in YAML and in JSON, so that what random files do not meet is tried too."""
    for number, shape in enumerate(shapes("f0")):
        for name, text in {"yaml": yaml_text(shape), "json": json.dumps(shape)}.items():
            folder = tmp_path / f"{number}-{name}"
            folder.mkdir()
            (folder / f"f0.{name}").write_text(text)
            assert _missed(kubectl, engine, folder) == []
    assert len(_kubectl(kubectl, tmp_path / "6-yaml")) == 1  # so there is something to read


@pytest.mark.parametrize("seed", range(0, _FILES, _AT_ONCE))
def test_random_files(kubectl: str, engine: Path, tmp_path: Path, seed: int) -> None:
    assert len(list(write_files(tmp_path, seed, _AT_ONCE))) == _AT_ONCE
    assert _missed(kubectl, engine, tmp_path) == []


def test_the_samples(kubectl: str, engine: Path, tmp_path: Path, checkout: Path) -> None:
    samples = checkout.parent / "shared" / "cases" / "hostile"
    if not samples.is_dir():
        pytest.skip("the samples are not part of the repository")
    for file in (*samples.glob("*item*.yaml"), *samples.glob("empty*.yaml"), *samples.glob("*.json")):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    objects = _kubectl(kubectl, tmp_path)
    assert len(objects) == 4
    read = _read_all(engine, tmp_path)
    assert [obj for obj in objects if obj not in read] == []
