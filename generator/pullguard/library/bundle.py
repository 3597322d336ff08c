"""The bundle for conftest in a library that pullguard wrote: its templates and constraints without any YAML."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pullguard.core.gatekeeper import Rule, Summary
from pullguard.core.tree_files import read_inside

#: Lists every other file of a library with its hash, as sha256sum does: what it lists is pullguard's to change.
MANIFEST = "MANIFEST"

#: Where the policies stand, as a bundle for conftest has them.
POLICIES = "conftest/policy"

#: What a library says of its policies, for `pullguard check`.
INDEX = "conftest/index.json"
CONSTRAINTS = "conftest/data/pullguard.json"

_POLICIES = "policies"
_SOURCES = ("template.yaml", "constraints.yaml")


@dataclass(frozen=True, slots=True)
class Bundle:
    """The bundle of a library.

    Attributes:
        folder: The modules of the policies.
        policies: What is to be known of each policy that needs no cluster, by its name.
        constraints: Entries as rego/gatekeeper/batch has them: {"policy": its name, "constraint": the object}.
        left_out: The policies that judge by the objects of a cluster: their kinds, by their names.
    """

    folder: str
    policies: dict[str, Summary]
    constraints: list[dict[str, Any]]
    left_out: dict[str, str]


def load(library: str) -> Bundle | None:
    """Return the bundle of a library, or None if anything of it is not as pullguard wrote it, or has changed since."""
    try:
        hashes = _hashes(library)
        if set(_sources(library)) != {path for path in hashes if _is_source(path)}:
            return None
        contents = {path: _read(library, path) for path in hashes if _matters(path)}
    except (OSError, ValueError):
        return None
    if INDEX not in contents or CONSTRAINTS not in contents:
        return None
    if any(sha256(content).hexdigest() != hashes[path] for path, content in contents.items()):
        return None
    try:
        return _bundle(library, json.loads(contents[INDEX]), json.loads(contents[CONSTRAINTS]))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None  # its hashes are right all the same: somebody else has written it


def _bundle(library: str, index: Any, data: Any) -> Bundle | None:
    constraints = data["pullguard"]["constraints"]
    policies = {
        name: Summary(
            name=entry["kind"].lower(),
            kind=entry["kind"],
            policy=name,
            rules={reason: Rule(**rule) for reason, rule in entry["rules"].items()},
            description=entry["description"],
        )
        for name, entry in index.items()
        if not entry["needsCluster"]
    }
    left_out = {name: entry["kind"] for name, entry in index.items() if entry["needsCluster"]}
    if not policies or set(policies) != {entry["policy"] for entry in constraints}:
        return None
    return Bundle(os.path.join(library, POLICIES), policies, constraints, left_out)


def _hashes(library: str) -> dict[str, str]:
    """Return the hash of every file.

    Raises:
        OSError: There is no MANIFEST.
        ValueError: It is not that of a library that was written to the end.
    """
    hashes: dict[str, str] = {}
    for line in _read(library, MANIFEST).decode().splitlines():
        value, separator, path = line.partition("  ")
        if not separator or path in hashes:
            raise ValueError(line)
        hashes[path] = value
    return hashes


def _read(library: str, path: str) -> bytes:
    return read_inside(library, os.path.join(library, path))


def files(library: str) -> set[str]:
    """Return the paths of the files of a library that judging goes by, whether its MANIFEST lists them or not.

    Raises:
        OSError: It is no library that pullguard wrote.
    """
    return {INDEX, CONSTRAINTS, *_sources(library)}


def _is_source(path: str) -> bool:
    """Tell whether a path is that of a template, of constraints or of a module."""
    folder, _, name = path.rpartition("/")
    return path.startswith(f"{POLICIES}/") or (folder.startswith(f"{_POLICIES}/") and name in _SOURCES)


def _matters(path: str) -> bool:
    return path in {INDEX, CONSTRAINTS} or _is_source(path)


def _sources(library: str) -> Iterator[str]:
    """Yield the paths of the templates, constraints and modules that are there."""
    for policy in os.listdir(os.path.join(library, _POLICIES)):
        for name in _SOURCES:
            if os.path.lexists(os.path.join(library, _POLICIES, policy, name)):
                yield f"{_POLICIES}/{policy}/{name}"
    prefix = len(os.path.join(library, ""))
    for folder, _, names in os.walk(os.path.join(library, POLICIES)):
        for name in names:
            yield f"{folder[prefix:]}/{name}"
