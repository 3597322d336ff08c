"""Questions to the project's own Rego, which the engine answers."""

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.resources import rego_directory
from pullguard.engine.protocol import Engine


def modules(packages: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return modules of rego/ by the names that errors have for them.

    Args:
        packages: Names of packages by the folder below rego/ that they stand in.
    """
    rego, found = rego_directory(), {}
    for folder, names in packages.items():
        for name in names:
            with open(os.path.join(rego, folder, name, f"{name}.rego"), encoding="utf-8") as stream:
                found[f"{folder}/{name}.rego"] = stream.read()
    return found


def query(engine: Engine, rego: Mapping[str, str], entry: str, document: Any, *, version: str = "v1") -> Any:
    """Return the value of a rule.

    Args:
        engine: What evaluates it.
        rego: The modules by their names.
        entry: The rule, such as data.scope.plan.plan.
        document: Its input, a JSON value.
        version: That of the Rego, "v0" or "v1".

    Raises:
        PullguardError: The modules cannot be loaded, the rule fails, does not end in time, or is undefined.
    """
    return _value(engine, "query", entry, {"modules": rego, "input": document}, version)


def parsed(engine: Engine, text: str, file: str) -> dict[str, Any]:
    """Return what a module of Rego v1 says of itself, as the protocol has it.

    Args:
        engine: What parses it.
        text: The module.
        file: Its name in errors.

    Raises:
        PullguardError: It cannot be parsed.
    """
    record = engine.answer(engine.ask("parse", text.encode()))
    if record["type"] == "failed":
        message = " ".join(str(record.get("message")).split())
        raise PullguardError(f"OPA cannot read it: {message}", file=file, line=record.get("line"))
    found: dict[str, Any] = engine.parsed(record, lambda answer: json.loads(answer["data"]))
    return found


def controlled(
    engine: Engine, rego: Mapping[str, str], entry: str, objects: Sequence[tuple[str, str, str]]
) -> list[Any]:
    """Return what a rule says of objects and of their controllers, all of which the engine has read before.

    Args:
        engine: What evaluates it; its setup must say `remember`.
        rego: The modules by their names.
        entry: The rule. Its input is {"pods": [...], "workloads": [...]}, its value an array.
        objects: Namespace, kind and name of each.

    Raises:
        PullguardError: As of `query`.
    """
    found: list[Any] = _value(engine, "controlled", entry, {"modules": rego, "objects": objects}, "v1")
    return found


def _value(engine: Engine, kind: str, entry: str, data: Mapping[str, Any], version: str) -> Any:
    try:
        text = json.dumps(data, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise PullguardError(f"the input cannot be written as JSON ({error})") from error
    record = engine.answer(engine.ask(kind, text.encode(), entry=entry, regoVersion=version))
    if record["type"] == "failed":
        reason = "it did not end in time" if record.get("timedOut") else record.get("message")
        raise PullguardError(f"OPA has no answer to {entry}: {reason}")
    return engine.parsed(record, lambda answer: json.loads(answer["data"]))
