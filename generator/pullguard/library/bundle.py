"""The bundle for conftest in a library that pullguard wrote: its templates and constraints without any YAML.

The engine waits for this module, so it imports as little as possible.
"""

import json
import os
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any, NamedTuple

from pullguard.core.tree_files import read_inside

#: Lists every other file of a library with its hash, as sha256sum does; pullguard only changes files that it lists.
MANIFEST = "MANIFEST"

#: The folder of the policies in a bundle for conftest.
POLICIES = "conftest/policy"

#: What a library says of its policies, for `pullguard check`.
INDEX = "conftest/index.json"
CONSTRAINTS = "conftest/data/pullguard.json"

_POLICIES = "policies"
_SOURCES = ("template.yaml", "constraints.yaml")


_NOT_DEPRECATED = {"since": "", "because": ""}

_NAMESPACE_MATCHES = ("namespaces", "excludedNamespaces", "namespaceSelector")


class Bundle(NamedTuple):
    """The bundle of a library.

    Attributes:
        folder: The modules of the policies, absolute.
        policies: What the library says of its policies, by their names.
        constraints: Entries as rego/gatekeeper/batch has them: {"policy": its name, "constraint": the object}.
    """

    folder: str
    policies: Mapping[str, Mapping[str, Any]]
    constraints: list[dict[str, Any]]

    def for_engine(self, *, everywhere: bool) -> dict[str, Any]:
        """Return the policies and constraints as a setup of the engine has them.

        Args:
            everywhere: Whether to drop what the constraints say of namespaces.
        """
        entries = self.constraints
        if everywhere:
            entries = [{**entry, "constraint": in_all_namespaces(entry["constraint"])} for entry in entries]
        return {"regoVersion": "v1", "folder": self.folder, "data": {"constraints": entries}}


def in_all_namespaces(constraint: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constraint without what it says of namespaces."""
    spec = constraint.get("spec")
    match = spec.get("match") if isinstance(spec, dict) else None
    if not isinstance(match, dict):
        return dict(constraint)
    rest = {key: value for key, value in match.items() if key not in _NAMESPACE_MATCHES and value != "Namespaced"}
    return {**constraint, "spec": {**constraint["spec"], "match": rest}}


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
    judging = {name for name, entry in index.items() if not entry["needsCluster"]}
    if not judging or judging != {entry["policy"] for entry in constraints}:
        return None
    if not all(_is_described(entry) for entry in index.values()):
        return None
    return Bundle(os.path.abspath(os.path.join(library, POLICIES)), index, constraints)


def _is_described(entry: Any) -> bool:
    texts = [entry["kind"], entry["description"], *entry.get("aliases", ())]
    for rule in entry["rules"].values():
        if rule.keys() - {"aliases", "deprecated"} != {"id", "severity", "title"}:
            return False
        deprecated = rule.get("deprecated", _NOT_DEPRECATED)
        if deprecated.keys() - {"use"} != _NOT_DEPRECATED.keys():
            return False
        texts += [rule["id"], rule["severity"], rule["title"], *rule.get("aliases", ()), *deprecated.values()]
    return all(isinstance(text, str) for text in texts)


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
        OSError: It is not a library that pullguard wrote.
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
            yield f"{folder[prefix:]}/{name}".replace(os.sep, "/")
