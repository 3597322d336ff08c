"""What is new -> the configuration with it: comments and all else stay as they are, to the byte."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pullguard.core.editing import files
from pullguard.core.errors import PullguardError
from pullguard.discover.model import CustomKind, DiscoverReport
from pullguard.engine.protocol import Engine
from pullguard.library import config
from pullguard.library.additions import Additions, RefusedError, with_additions
from pullguard.library.policies.model import Policy
from pullguard.library.starting import starting_files, write_new


def write(engine: Engine, report: DiscoverReport, path: Path, policies: Sequence[Policy]) -> DiscoverReport:
    """Add what is new to the configuration, and make one if it is not there. Nothing is removed.

    Args:
        engine: What reads it, before and after.
        report: What was found.
        path: The configuration.
        policies: The policies that it can speak of.

    Returns:
        The report, with where it was written; as it was if nothing is new.

    Raises:
        PullguardError: It cannot be edited or written. Then it is as it was.
    """
    if not report.new_namespaces and not report.new_kinds:
        return report
    if report.configuration is None:
        texts = starting_files(path, policies)
        texts[path] = _edited(engine, texts[path], path, report, policies)
        write_new(texts)
        return replace(report, written=path)
    if files.is_link(str(path)) or files.is_stream(str(path)):
        raise PullguardError("is not a plain file, and is not edited", file=str(path), remedy="name the file itself")
    file = files.read(str(path))
    if isinstance(file, str):
        raise PullguardError(file, file=str(path))
    text = _edited(engine, file.data.decode("utf-8"), path, report, policies)
    refused = files.replace(file, text.encode("utf-8"))
    if refused is not None:
        raise PullguardError(refused, file=str(path))
    return replace(report, written=path)


def _edited(engine: Engine, text: str, path: Path, report: DiscoverReport, policies: Sequence[Policy]) -> str:
    stated = config.parse(engine, text.removeprefix("\ufeff"), str(path), policies)
    listed = stated.protected_namespaces.names
    names = [each.name for each in report.new_namespaces if each.name not in listed]
    additions: dict[tuple[str, ...], list[Any]] = {("protectedNamespaces", "names"): names} if names else {}
    for policy in policies:
        entries = [_entry(kind) for kind in report.new_kinds if policy.name in kind.policies]
        if entries and policy.kinds_from_parameter is not None:
            additions["policies", policy.name, "parameters", policy.kinds_from_parameter] = entries
    try:
        new = with_additions(engine, text, str(path), additions) if additions else text
    except RefusedError as error:
        raise PullguardError(
            f"cannot be edited: {error}", file=str(path), remedy=f"add by hand: {_said(additions)}"
        ) from error
    config.parse(engine, new.removeprefix("\ufeff"), str(path), policies)
    return new


def _entry(kind: CustomKind) -> Mapping[str, Any]:
    return {"group": kind.found.group, "kind": kind.found.kind, **kind.found.entry}


def _said(additions: Additions) -> str:
    """Return what is added in a few words."""
    return "; ".join(
        f"{'.'.join(path)}: {', '.join(each if isinstance(each, str) else each['kind'] for each in values)}"
        for path, values in additions.items()
    )
