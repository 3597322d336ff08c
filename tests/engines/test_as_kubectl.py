"""What kubectl would create is read, or is an error: its own reader and the engine, on generated and broken files.

`kubectl label --local` reads files as `kubectl create` and `apply` do, and needs no server.
"""

import json
import os
import random
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

Objects = list[dict[str, Any]]

_FILES = int(os.environ.get("PULLGUARD_TEST_FILES", "600"))
_AT_ONCE = 150


def _pod(name: str, **more: Any) -> dict[str, Any]:
    container = {"name": "c", "image": f"example.com/{name}:1.0", "imagePullPolicy": "Always"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system"},
        "spec": {"containers": [container]},
        **more,
    }


def _bare(name: str, **more: Any) -> dict[str, Any]:
    return {key: value for key, value in _pod(name).items() if key not in {"kind", "apiVersion"}} | more


def _yaml(value: Any, indent: int = 0) -> str:
    """Return a value as block YAML, so that mutations of lines meet something."""
    space = " " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{space}{key}:{_entry(entry, indent)}" for key, entry in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{space}- {_yaml(entry, indent + 2).lstrip(' ')}" for entry in value)
    return f"{space}{json.dumps(value)}\n"


def _entry(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return f"\n{_yaml(value, indent + 2)}"
    return f" {json.dumps(value)}\n"


def _shapes(name: str) -> list[Any]:
    """Return what documents hold: pods in every place in which kubectl finds them."""
    first, second = _pod(f"{name}-a"), _pod(f"{name}-b")
    return [
        first,
        {"apiVersion": "v1", "kind": "List", "items": [first, second]},
        {"apiVersion": "v1", "kind": "PodList", "items": [_bare(f"{name}-a"), second]},
        {"apiVersion": "v1", "kind": "PodList", "items": [_bare(f"{name}-a", kind="", apiVersion=""), second]},
        {"apiVersion": "v1", "kind": "Bundle", "items": [first]},
        {"kind": "Bundle", "items": [first]},
        {**first, "items": [_bare(f"{name}-b")]},
        {**first, "items": [second]},
        {**first, "items": []},
        {**first, "items": None},
        {**first, "items": {}},
        {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "List", "items": [first]}, second]},
        {"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Odd", "items": [first, second]}]},
        {"apiVersion": "v1", "kind": "PodList", "items": [{"kind": "Pod", **_bare(f"{name}-a")}]},
        {"apiVersion": "v1", "kind": "PodList", "items": [_bare(f"{name}-a", kind=None, apiVersion=None)]},
        {"apiVersion": "v1", "kind": "PodList", "items": [_bare(f"{name}-a", kind=5, apiVersion=6)]},
        {"items": [first]},
        [first],
    ]


def _text(rng: random.Random, name: str) -> str:
    documents = []
    for number in range(rng.choice((1, 1, 2, 3))):
        shape = rng.choice(_shapes(f"{name}-{number}"))
        style = rng.randrange(4)
        if style == 0:
            text = json.dumps(shape, indent=rng.choice((None, 2)))
        elif style == 1:
            text = " " * rng.choice((0, 0, 2)) + json.dumps(shape) + "\n"
        else:
            text = _yaml(shape)
        documents.append(text)
    separator = rng.choice(("---\n", "\n---\n", "\n--- \n", "\n--- # c\n", "\n", "\n---\n---\n", "\r\n---\r\n"))
    text = separator.join(documents)
    if rng.random() < 0.3:
        text = rng.choice(("---\n", "# c\n", "\ufeff", "\n\n", "%YAML 1.1\n---\n", "status:\n", " \n")) + text
    if rng.random() < 0.2:
        text = "".join("  " + line for line in text.splitlines(keepends=True))
    if rng.random() < 0.1:
        text = text.replace("\n", "\r\n")
    return text


def _mutated(rng: random.Random, text: str) -> str:
    """Return a text with a few small changes, as somebody would try them."""
    for _ in range(rng.choice((0, 0, 1, 1, 2, 4))):
        place = rng.randrange(len(text) + 1)
        match rng.randrange(6):
            case 0:
                text = text[:place] + text[place + rng.randrange(1, 4) :]
            case 1:
                text = text[:place] + rng.choice(" \n\t:-#{}[]\"',&*!|>%@`~0e\x00\u2028\u0085\r") + text[place:]
            case 2:
                lines = text.splitlines(keepends=True)
                if lines:
                    lines.insert(rng.randrange(len(lines) + 1), rng.choice(lines))
                text = "".join(lines)
            case 3:
                old, new = rng.choice(_REPLACED)
                text = text.replace(old, new, rng.choice((1, 1, -1)))
            case 4:
                lines = text.splitlines(keepends=True)
                if len(lines) > 1:
                    number = rng.randrange(len(lines))
                    lines[number] = rng.choice((" ", "  ", "\t")) + lines[number]
                text = "".join(lines)
            case _:
                text = text[:place]
    return text


_REPLACED = (
    ("kind", "Kind"),
    ('"Pod"', "Pod"),
    ("items", "Items"),
    ("List", ""),
    ('"', "'"),
    ("kind:", "kind: &a"),
    ("v1", "v1 "),
    ("- ", "-   "),
    (": ", ":\n      "),
    ("metadata", "? metadata"),
    ('"Always"', "!!str Always"),
    ("1.0", "1_0"),
)


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
    for number, shape in enumerate(_shapes("f0")):
        for name, text in {"yaml": _yaml(shape), "json": json.dumps(shape)}.items():
            folder = tmp_path / f"{number}-{name}"
            folder.mkdir()
            (folder / f"f0.{name}").write_text(text)
            assert _missed(kubectl, engine, folder) == []
    assert len(_kubectl(kubectl, tmp_path / "6-yaml")) == 1  # so there is something to read


@pytest.mark.parametrize("seed", range(0, _FILES, _AT_ONCE))
def test_random_files(kubectl: str, engine: Path, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - nothing is secret here
    for number in range(_AT_ONCE):
        name = f"f{number}"
        ending = rng.choice(("yaml", "yaml", "yml", "json"))
        data = _mutated(rng, _text(rng, name)).encode("utf-8", "surrogatepass")
        (tmp_path / f"{name}.{ending}").write_bytes(data)
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
