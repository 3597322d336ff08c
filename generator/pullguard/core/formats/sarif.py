"""The log of SARIF 2.1.0 (OASIS, errata 01), as code scanning services read it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, Literal, TextIO
from urllib.parse import quote

#: How bad a result or a notification is.
Level = Literal["none", "note", "warning", "error"]

#: What became of a result since a baseline.
State = Literal["new", "unchanged", "absent"]

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

#: The name of the root that relative paths start from; GitHub's name for the top of the checkout.
_ROOT = "%SRCROOT%"

# GitHub ranks by a number in the properties of a rule: above 9.0 critical, from 7.0 high, from 4.0 medium.
_RANKS = {"critical": "9.5", "high": "8.0", "medium": "5.0", "low": "2.0"}
_LEVELS: Mapping[str, Level] = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, as a log describes it.

    Attributes:
        id: Stable.
        severity: "low", "medium", "high" or "critical".
        title: A sentence.
        help: What to do, as plain text.
        help_markdown: The same as Markdown; "" if there is none.
        tags: Words to filter by.
        deprecated_ids: The ids that it had before.
        deprecated: That it will go, as a JSON object of texts; None if it stays.
    """

    id: str
    severity: str
    title: str
    help: str
    help_markdown: str = ""
    tags: tuple[str, ...] = ()
    deprecated_ids: tuple[str, ...] = ()
    deprecated: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where a result is.

    Attributes:
        file: A path; "" if it is in no file.
        line: From 1, or None if it is the whole file.
        logical: The full name of what it is about, such as that of an object in a cluster; "" if there is none.
        kind: What `logical` names, such as "object"; "" if nothing.
        uri: What stands for a file where there is none, a relative URI reference, escaped; "" if nothing does.
    """

    file: str
    line: int | None = None
    logical: str = ""
    kind: str = ""
    uri: str = ""


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a result does not count: `kind` is "inSource" or "external"."""

    kind: Literal["inSource", "external"]
    justification: str


@dataclass(frozen=True, slots=True)
class Result:
    """A finding.

    Attributes:
        rule: The id of one of the log's rules.
        message: What is wrong, and the remedy.
        place: Where.
        fingerprint: What stays when lines move.
        state: Beside a baseline: "new", "unchanged" or "absent"; None if there is none.
        suppression: Why it does not count; None if it does.
        properties: More for machines, JSON values.
        related: Other places that have to do with it, and what they are.
    """

    rule: str
    message: str
    place: Location
    fingerprint: str
    state: State | None = None
    suppression: Suppression | None = None
    properties: Mapping[str, Any] | None = None
    related: Sequence[tuple[Location, str]] = ()


@dataclass(frozen=True, slots=True)
class Notification:
    """What is to be said of the run itself, such as an error; `id` tells kinds of them apart, if it is not empty."""

    level: Level
    message: str
    place: Location | None = None
    id: str = ""


def level(severity: str) -> Level:
    """Return the level of results of a severity."""
    return _LEVELS.get(severity, "warning")


def write(
    version: str,
    rules: Sequence[Rule],
    results: Sequence[Result],
    notifications: Sequence[Notification],
    stream: TextIO,
) -> None:
    """Write the log of one run of pullguard as JSON, in ASCII.

    Args:
        version: That of pullguard.
        rules: With different ids; all that results name.
        results: In their order.
        notifications: An error among them says that the run was not complete.
        stream: Where the log goes.
    """
    indices = {rule.id: index for index, rule in enumerate(rules)}
    successful = all(notification.level != "error" for notification in notifications)
    run = {
        "tool": {
            "driver": {
                "name": "pullguard",
                "semanticVersion": version,
                "rules": [_rule(rule) for rule in rules],
            }
        },
        "invocations": [
            {
                "executionSuccessful": successful,
                "toolExecutionNotifications": [_notification(notification) for notification in notifications],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(result, indices[result.rule], rules) for result in results],
    }
    json.dump({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, stream, indent=2)
    stream.write("\n")


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        **({"deprecatedIds": list(rule.deprecated_ids)} if rule.deprecated_ids else {}),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.title},
        "help": {"text": rule.help, **({"markdown": rule.help_markdown} if rule.help_markdown else {})},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {
            "tags": list(rule.tags),
            "precision": "very-high",
            "problem.severity": {"error": "error", "warning": "warning"}.get(level(rule.severity), "recommendation"),
            "security-severity": _RANKS.get(rule.severity, _RANKS["medium"]),
            **({"deprecated": dict(rule.deprecated)} if rule.deprecated else {}),
        },
    }


def _result(result: Result, index: int, rules: Sequence[Rule]) -> dict[str, Any]:
    suppression = result.suppression
    # GitHub tells results of several runs apart by primaryLocationLineHash alone.
    value: dict[str, Any] = {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": level(rules[index].severity),
        "message": {"text": result.message},
        "locations": [_location(result.place)],
        "partialFingerprints": {
            "pullguard/v1": result.fingerprint,
            "primaryLocationLineHash": f"{result.fingerprint}:1",
        },
        # Once one result has suppressions, every result needs the list: an empty one means that the result counts.
        "suppressions": []
        if suppression is None
        else [{"kind": suppression.kind, "status": "accepted", "justification": suppression.justification}],
    }
    if result.related:
        value["relatedLocations"] = [{**_location(place), "message": {"text": text}} for place, text in result.related]
    if result.state is not None:
        value["baselineState"] = result.state
    if result.properties:
        value["properties"] = dict(result.properties)
    return value


def _notification(notification: Notification) -> dict[str, Any]:
    value: dict[str, Any] = {"level": notification.level, "message": {"text": notification.message}}
    if notification.id:
        value["descriptor"] = {"id": notification.id}
    if notification.place is not None:
        value["locations"] = [_location(notification.place)]
    return value


def _location(place: Location) -> dict[str, Any]:
    value: dict[str, Any] = {}
    if place.file:
        value["physicalLocation"] = {"artifactLocation": _artifact(place.file)}
        if place.line is not None:
            value["physicalLocation"]["region"] = {"startLine": place.line}
    elif place.uri:
        value["physicalLocation"] = {"artifactLocation": {"uri": place.uri}}
    if place.logical:
        value["logicalLocations"] = [
            {"fullyQualifiedName": place.logical, **({"kind": place.kind} if place.kind else {})}
        ]
    return value


def _artifact(file: str) -> dict[str, str]:
    """Return a path as a URI reference: relative to the root, or of a file on this machine."""
    path = PurePath(file).as_posix()
    encoded = quote(path, safe="/", errors="replace")
    if path.startswith("/"):
        return {"uri": f"file://{encoded}"}
    return {"uri": encoded, "uriBaseId": _ROOT}
