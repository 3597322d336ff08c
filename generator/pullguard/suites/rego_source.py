"""How Gatekeeper reads the Rego of templates, where that differs from how OPA does."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pullguard.core import systems
from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.suites.opa_server import RegoFault

_PARSE_SECONDS = 60

_NOT_CODE = re.compile(r'#[^\n]*|"(?:[^"\\\n]|\\.)*"|`[^`]*`')
_COMMON_IMPORT = re.compile(r"(?<![.\w])import\s+(?:data\.lib|future\.keywords)(?:\.\w+)*(?=\s|;|\Z)")
# Strings with expressions in them begin with $.
_UNCOMMON = re.compile(r"\$|(?<![.\w])(?:import\b|data\b(?!\.inventory\b))")

_LIB = "data.lib"
_NOT_RESOLVED = "data.li_"

# Gatekeeper evaluates `violation` with a rule that OPA compiles with the template: it checks the types of both. Here,
# that rule does not know the template when it is compiled, so the template gets one of its own.
_TYPE_CHECK = """
pullguard_checks_types_{condition} {{
\tviolation[pullguard_violation_]
\tpullguard_message_ = pullguard_violation_.msg
\tpullguard_details_ = object.get(pullguard_violation_, "details", {{}})
}}
"""
_NO_VIOLATION = "var violation is unsafe"
_NO_MESSAGE = "undefined ref: pullguard_violation_.msg"


@dataclass(frozen=True, slots=True)
class Reading:
    """The modules of a template as Gatekeeper reads them.

    Attributes:
        rego: The entry module.
        libs: The libs.
        fault: Why Gatekeeper refuses them although OPA takes them, or None.
    """

    rego: str
    libs: tuple[str, ...]
    fault: str | None = None


def read(opa: Sequence[str], version: str, rego: str, libs: tuple[str, ...]) -> Reading:
    """Read the modules of a template as Gatekeeper does.

    It allows only imports of data.lib and future, and references to data.lib and data.inventory. Of these references it
    resolves only those that are not inside a term: in ``count(data.lib.x)``, data.lib is undefined unless imported.

    Raises:
        PullguardError: OPA cannot be run.
    """
    if not any(_is_uncommon(text) for text in (rego, *libs)):
        return Reading(rego, libs)
    read_texts, fault = [], None
    for text in (*libs, rego):
        tree = _syntax_tree(opa, version, text)
        fault = fault or _fault(tree)
        read_texts.append(_as_resolved(text, tree))
    return Reading(read_texts[-1], tuple(read_texts[:-1]), fault)


def with_type_check(version: str, rego: str) -> str:
    """Return an entry module with a rule that makes OPA check the type of ``violation`` as in Gatekeeper."""
    return rego + _TYPE_CHECK.format(condition="" if version == "v0" else " if")


def type_fault(faults: Sequence[RegoFault]) -> str | None:
    """Return the error of the type check, if that is what OPA reports."""
    messages = [fault.message for fault in faults]
    if _NO_VIOLATION in messages:
        return "it has no rule `violation`"
    if any(message.startswith(_NO_MESSAGE) for message in messages):
        return "its rule `violation` does not give objects with a msg"
    return None


def _is_uncommon(text: str) -> bool:
    return _UNCOMMON.search(_COMMON_IMPORT.sub("", _NOT_CODE.sub('""', text))) is not None


def _syntax_tree(opa: Sequence[str], version: str, text: str) -> Mapping[str, Any]:
    """Return the syntax tree of a module; empty if it cannot be parsed: the server reports that better."""
    command = [*opa, "parse", "--format=json", "--json-include=locations,-comments"]
    command += ["--v0-compatible"] if version == "v0" else []
    try:
        with systems.readable_file() as (file, path):
            file.write(text.encode())
            file.flush()
            done = subprocess.run(
                [*command, path],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_PARSE_SECONDS,
                check=False,
                env=bare_environment(),
            )
        tree: Mapping[str, Any] = json.loads(done.stdout or done.stderr)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PullguardError(f"{command[0]} cannot be run: {error}") from error
    except ValueError as error:
        said = (done.stderr or done.stdout).decode(errors="replace").strip()
        raise PullguardError(f"opa parse ended with code {done.returncode}: {said}") from error
    return {} if "errors" in tree else tree


def _fault(tree: Mapping[str, Any]) -> str | None:
    for imported in tree.get("imports", ()):
        path = _path(imported["path"])
        if path[:2] != ["data", "lib"] and path[:1] != ["future"]:
            return f"it imports {'.'.join(path)}; only data.lib.* and future.* can be imported"
    for reference in _references(tree.get("rules", ())):
        path = _path(reference)
        if path[0] == "data" and path[1:2] not in (["lib"], ["inventory"]):
            return f"it refers to {'.'.join(path)}; it can only refer to data.lib and data.inventory"
    return None


def _as_resolved(text: str, tree: Mapping[str, Any]) -> str:
    """Return a module in which the references to data.lib that Gatekeeper does not resolve are undefined."""
    lines = text.split("\n")
    for term in _terms(tree.get("rules", ())):
        nested = term["value"] if isinstance(term["value"], list) else [term["value"]]
        for reference in _references(nested, within=True):
            row, column = reference["location"]["row"] - 1, reference["location"]["col"] - 1
            line = lines[row]
            # OPA's locations after an `else` without braces are wrong, so they are checked first.
            if _path(reference)[:2] == ["data", "lib"] and line.startswith(_LIB, column):
                lines[row] = line[:column] + _NOT_RESOLVED + line[column + len(_LIB) :]
    return "\n".join(lines)


def _terms(rules: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the terms of rules, without the terms inside of terms."""
    pending = [rules]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, Mapping):
            if "type" in node and "value" in node:
                yield node
            else:
                # A head has its rule's name a second time, as a reference.
                pending.extend(value for key, value in node.items() if key not in {"ref", "location"})


def _references(node: Any, *, within: bool = False) -> Iterator[Mapping[str, Any]]:
    """Yield references; those inside of references only on request, as Gatekeeper does not look at them."""
    pending = [node]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending.extend(node)
        elif isinstance(node, Mapping):
            if node.get("type") == "ref":
                yield node
            if within or node.get("type") != "ref":
                pending.extend(value for key, value in node.items() if key != "location")


def _path(reference: Mapping[str, Any]) -> list[str]:
    """Return the constant start of a reference."""
    path: list[str] = []
    terms: Sequence[Mapping[str, Any]] = reference["value"]
    for index, term in enumerate(terms):
        if term["type"] != ("var" if index == 0 else "string"):
            break
        path.append(str(term["value"]))
    return path or [""]
