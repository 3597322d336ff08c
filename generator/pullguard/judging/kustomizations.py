"""The namespaces that kustomizations in the input give to the files that they name.

Only what decides namespaces is read: `namespace`, `resources` and `bases`. What is wrong with a kustomization is said
where it is read as a manifest.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.files import Found, shown
from pullguard.engine.builds import KUSTOMIZATIONS
from pullguard.engine.protocol import Engine

_MAX_BYTES = 1_000_000


def namespaces(engine: Engine, files: Iterable[Found]) -> dict[str, str]:
    """Return the namespace of files that kustomizations among them put into exactly one, by their names.

    A kustomization that another one includes counts as part of that; an outer namespace replaces an inner one.
    """
    paths = [file for file in files if isinstance(file, Path)]
    found = {os.path.realpath(path) for path in paths if path.name in KUSTOMIZATIONS}
    if not found:
        return {}
    read = {path: value for path in sorted(found) if (value := _read(engine, path)) is not None}
    included = {entry for path in read for entry in _entries(path, read[path]) if entry in read}
    goals = _goals(read, [path for path in read if path not in included])
    named = ((shown(path), goals.get(os.path.realpath(path), set())) for path in paths)
    return {name: next(iter(names)) for name, names in named if len(names) == 1 and "" not in names}


def _goals(read: Mapping[str, Mapping[str, Any]], roots: Iterable[str]) -> dict[str, set[str]]:
    """Return the namespaces that the files of kustomizations are given from some roots on."""
    goals: dict[str, set[str]] = {}
    waiting = [(path, "") for path in roots]
    seen = set(waiting)
    while waiting:
        path, outer = waiting.pop()
        own = read[path].get("namespace")
        namespace = outer or (own if isinstance(own, str) else "")
        for entry in _entries(path, read[path]):
            if entry not in read:
                goals.setdefault(entry, set()).add(namespace)
            elif (entry, namespace) not in seen:
                seen.add((entry, namespace))
                waiting.append((entry, namespace))
    return goals


def _entries(path: str, value: Mapping[str, Any]) -> Iterator[str]:
    """Yield the files that a kustomization names, and the kustomizations in folders that it names."""
    for field in ("resources", "bases"):
        listed = value.get(field)
        for entry in listed if isinstance(listed, list) else ():
            if not isinstance(entry, str) or "\0" in entry:
                continue
            target = os.path.realpath(os.path.join(os.path.dirname(path), entry))
            inside = [os.path.join(target, name) for name in sorted(KUSTOMIZATIONS)]
            yield next((name for name in inside if os.path.isfile(name)), target)


def _read(engine: Engine, path: str) -> dict[str, Any] | None:
    from pullguard.engine.documents import load_document  # noqa: PLC0415 - seldom needed

    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read(_MAX_BYTES)
        value = load_document(engine, text, path, dialect="kubernetes").value
    except (OSError, UnicodeDecodeError, PullguardError):
        return None
    return value if isinstance(value, dict) else None
