"""docs.yaml beside a policy: what people want to know that its Rego does not say; pure."""

from typing import Any

from pullguard.core.schema_errors import in_file, joined, problems
from pullguard.engine.documents import load_document
from pullguard.engine.protocol import Engine
from pullguard.library.policies.model import Contradiction, Guide

_SENTENCE = {"type": "string", "pattern": r"\S"}
_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "exceptions": {"type": "array", "minItems": 1, "items": _SENTENCE},
        "contradictedBy": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["tool", "check", "demands", "suppression"],
                "properties": {
                    "tool": _SENTENCE,
                    "check": _SENTENCE,
                    "demands": _SENTENCE,
                    "suppression": _SENTENCE,
                    "example": _SENTENCE,
                },
                "additionalProperties": False,
            },
        },
    },
    "additionalProperties": False,
}


def parse(engine: Engine, text: str, file: str) -> Guide:
    """Return what a docs.yaml says.

    Args:
        engine: What reads YAML.
        text: The text.
        file: Its name for messages.

    Raises:
        PullguardError: It is not YAML, or says something that it cannot say; names every such place.
    """
    document = load_document(engine, text, file, dialect="kubernetes")
    found = problems(_SCHEMA, document.value, root="docs.yaml")
    if found:
        raise joined(in_file(found, file, document.line_of))
    return Guide(
        exceptions=tuple(_line(text) for text in document.value.get("exceptions", ())),
        contradictions=tuple(
            Contradiction(
                tool=entry["tool"],
                check=entry["check"],
                demands=_line(entry["demands"]),
                suppression=_line(entry["suppression"]),
                example=entry.get("example", "").strip("\n"),
            )
            for entry in document.value.get("contradictedBy", ())
        ),
    )


def _line(text: str) -> str:
    return " ".join(text.split())
