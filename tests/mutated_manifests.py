"""Manifests in every shape that kubectl reads, with small random changes."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def write_files(folder: Path, seed: int, count: int) -> Iterator[Path]:
    """Write files. The names of the objects in a file contain the name of the file."""
    rng = random.Random(seed)  # noqa: S311 - nothing is secret here
    for number in range(count):
        name = f"f{number}"
        ending = rng.choice(("yaml", "yaml", "yml", "json"))
        file = folder / f"{name}.{ending}"
        file.write_bytes(mutated(rng, text_of(rng, name)).encode("utf-8", "surrogatepass"))
        yield file


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


def yaml_text(value: Any, indent: int = 0) -> str:
    """Return a value as block YAML, so that changes of lines have an effect."""
    space = " " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{space}{key}:{_entry(entry, indent)}" for key, entry in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{space}- {yaml_text(entry, indent + 2).lstrip(' ')}" for entry in value)
    return f"{space}{json.dumps(value)}\n"


def _entry(value: Any, indent: int) -> str:
    if isinstance(value, dict | list) and value:
        return f"\n{yaml_text(value, indent + 2)}"
    return f" {json.dumps(value)}\n"


def shapes(name: str) -> list[Any]:
    """Return the contents of documents, with pods in every place where kubectl finds them."""
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


def text_of(rng: random.Random, name: str) -> str:
    documents = []
    for number in range(rng.choice((1, 1, 2, 3))):
        shape = rng.choice(shapes(f"{name}-{number}"))
        style = rng.randrange(4)
        if style == 0:
            text = json.dumps(shape, indent=rng.choice((None, 2)))
        elif style == 1:
            text = " " * rng.choice((0, 0, 2)) + json.dumps(shape) + "\n"
        else:
            text = yaml_text(shape)
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


def mutated(rng: random.Random, text: str) -> str:
    """Return a text with a few small random changes."""
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
