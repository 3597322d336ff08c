"""SARIF logs, validated by OASIS' own schema."""

import io
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.formats import sarif

SCHEMA = Path(__file__).resolve().parent.parent / "schemas" / "sarif-2.1.0.json"
_VALIDATOR = jsonschema_rs.validator_for(json.loads(SCHEMA.read_text()), validate_formats=True)
_RULE = sarif.Rule("r", "high", "A title", "Do it", "**Do it**", ("kubernetes",))


def _log(
    results: list[sarif.Result], *notifications: sarif.Notification, rules: tuple[sarif.Rule, ...] = (_RULE,)
) -> Any:
    stream = io.StringIO()
    sarif.write("1.2.3", rules, results, notifications, stream)
    assert stream.getvalue().isascii()
    log = json.loads(stream.getvalue())
    _VALIDATOR.validate(log)
    return log


def test_a_log() -> None:
    result = sarif.Result(
        "r",
        "is wrong",
        sarif.Location("./a b/ü%.yaml", 3, "Pod x", "resource"),
        "f00",
        "unchanged",
        sarif.Suppression("inSource", "because"),
        {"policy": "p"},
    )
    notification = sarif.Notification("error", "is not there", sarif.Location("gone.yaml"))
    log = _log([result], notification, sarif.Notification("note", "by the way"))
    (run,) = log["runs"]
    assert log["version"] == "2.1.0"
    assert run == {
        "tool": {
            "driver": {
                "name": "pullguard",
                "semanticVersion": "1.2.3",
                "rules": [
                    {
                        "id": "r",
                        "shortDescription": {"text": "A title"},
                        "fullDescription": {"text": "A title"},
                        "help": {"text": "Do it", "markdown": "**Do it**"},
                        "defaultConfiguration": {"level": "error"},
                        "properties": {
                            "tags": ["kubernetes"],
                            "precision": "very-high",
                            "problem.severity": "error",
                            "security-severity": "8.0",
                        },
                    }
                ],
            }
        },
        "invocations": [
            {
                "executionSuccessful": False,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": "is not there"},
                        "locations": [
                            {"physicalLocation": {"artifactLocation": {"uri": "gone.yaml", "uriBaseId": "%SRCROOT%"}}}
                        ],
                    },
                    {"level": "note", "message": {"text": "by the way"}},
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [
            {
                "ruleId": "r",
                "ruleIndex": 0,
                "level": "error",
                "message": {"text": "is wrong"},
                "locations": [
                    {
                        "physicalLocation": {
                            "artifactLocation": {"uri": "a%20b/%C3%BC%25.yaml", "uriBaseId": "%SRCROOT%"},
                            "region": {"startLine": 3},
                        },
                        "logicalLocations": [{"fullyQualifiedName": "Pod x", "kind": "resource"}],
                    }
                ],
                "partialFingerprints": {"pullguard/v1": "f00", "primaryLocationLineHash": "f00:1"},
                "suppressions": [{"kind": "inSource", "status": "accepted", "justification": "because"}],
                "baselineState": "unchanged",
                "properties": {"policy": "p"},
            }
        ],
    }


def test_an_empty_log() -> None:
    (run,) = _log([], rules=())["runs"]
    assert run["results"] == []
    assert run["invocations"] == [{"executionSuccessful": True, "toolExecutionNotifications": []}]


def test_a_result_in_no_file() -> None:
    (run,) = _log([sarif.Result("r", "m", sarif.Location("", None, "v1/Pod ns/x"), "f")])["runs"]
    (result,) = run["results"]
    assert result["locations"] == [{"logicalLocations": [{"fullyQualifiedName": "v1/Pod ns/x"}]}]
    assert result["suppressions"] == []


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("/tmp/x y.yaml", {"uri": "file:///tmp/x%20y.yaml"}),  # noqa: S108 - nothing is written there
        ("<stdin>", {"uri": "%3Cstdin%3E", "uriBaseId": "%SRCROOT%"}),
        ("a:b.yaml", {"uri": "a%3Ab.yaml", "uriBaseId": "%SRCROOT%"}),
        ("../x.yaml", {"uri": "../x.yaml", "uriBaseId": "%SRCROOT%"}),
    ],
)
def test_uris(file: str, uri: dict[str, str]) -> None:
    (run,) = _log([sarif.Result("r", "m", sarif.Location(file, 1), "f")])["runs"]
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"] == uri


@pytest.mark.parametrize(
    ("severity", "level", "rank"),
    [
        ("critical", "error", "9.5"),
        ("high", "error", "8.0"),
        ("medium", "warning", "5.0"),
        ("low", "note", "2.0"),
        ("other", "warning", "5.0"),
    ],
)
def test_severities(severity: str, level: str, rank: str) -> None:
    rule = sarif.Rule("r", severity, "t", "h")
    (run,) = _log([sarif.Result("r", "m", sarif.Location("a", 1), "f")], rules=(rule,))["runs"]
    (described,) = run["tool"]["driver"]["rules"]
    assert described["defaultConfiguration"] == {"level": level}
    assert described["properties"]["security-severity"] == rank
    assert run["results"][0]["level"] == level
    assert "markdown" not in described["help"]


@given(st.text(st.characters(), max_size=20), st.text(st.characters(), max_size=20))
def test_any_text_gives_a_valid_log(file: str, text: str) -> None:
    place = sarif.Location(file, 1, text)
    _log([sarif.Result("r", text, place, text)], sarif.Notification("warning", text, place))
