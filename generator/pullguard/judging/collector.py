"""Findings and errors of an input so far, by position."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pullguard.core.findings import (
    Built,
    Finding,
    Images,
    Location,
    Repair,
    Source,
    Violation,
    finding,
    merged,
    steps,
    value_at,
)
from pullguard.core.gatekeeper import ConstraintTemplate, Summary, dig
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import TEMPLATE
from pullguard.engine.batches import Answer, Failure
from pullguard.engine.builds import BuiltObject
from pullguard.engine.protocol import unreadable
from pullguard.judging.pull_policy_drift import is_suspicious
from pullguard.judging.unjudged import UnjudgedCollector

#: The position of an object in the input: its file, its document and its places in Lists. Positions sort as the input.
InputPosition = tuple[int, ...]


_HOOK = "helm.sh/hook"
# What says which image: of a container, and of an image volume.
_IMAGES = ("image", "reference")


class FindingCollector:
    """Findings and errors as they come, which is in no order.

    Args:
        policies: What is to be known of the policies, by the names that answers have for them.

    Attributes:
        suspects: What another tool may have done to pods that have a controller.
        unjudged: What was not judged.
    """

    def __init__(self, policies: Mapping[str, Summary | ConstraintTemplate]) -> None:
        self.suspects: list[Finding] = []
        self.unjudged = UnjudgedCollector()
        self._policies = policies
        self._findings: dict[InputPosition, list[Finding]] = {}
        self._errors: list[tuple[InputPosition, InputError]] = []

    @property
    def findings(self) -> list[Finding]:
        """All findings in the order of the input."""
        return [found for position in sorted(self._findings) for found in self._findings[position]]

    @property
    def errors(self) -> list[InputError]:
        """All errors in the order of the input."""
        return [error for _, error in sorted(self._errors, key=lambda entry: entry[0])]

    def fail(self, file: int, error: InputError) -> None:
        """Note an error of a file of the input, by its position."""
        position = (file, -1 if error.document is None else error.document)
        if error.is_template:
            self.unjudged.template(Location(error.file, error.line or 1))
            if error.file.lower().endswith(TEMPLATE):
                return  # that is what it is called
        self._errors.append((position, error))

    def take(self, file: int, item: tuple[int, ...], obj: Source, answer: Answer | Failure, kind: str = "") -> None:
        """Note what is said of an object; `kind` is that of what it was built from, "" if it was not built."""
        position = (file, obj.document, *item)
        if isinstance(answer, Failure):
            own, name = obj.object.get("kind"), dig(obj.object, "metadata", "name")
            message = f"{own} {name} could not be judged: {answer.message}"
            place = obj.place()
            self._errors.append((position, InputError(place.file, place.line, obj.document, message)))
            return
        violations = (
            Violation(
                self._policy(response.policy),
                response.constraint,
                response.action,
                response.message,
                response.details,
                response.namespace_assumed,
            )
            for response in answer.responses
            if not (response.namespace_assumed and dig(response.details, "onlyIfCertain"))
        )
        images = Images(obj.object)
        found = merged(finding(violation, obj, answer.namespace, images) for violation in violations)
        if not found:
            return
        if isinstance(obj, BuiltObject):
            found = [_built(each, obj, kind) for each in found]
        self._findings[position] = found
        if dig(obj.object, "metadata", "ownerReferences"):
            self.suspects += (each for each in found if is_suspicious(each))

    def _policy(self, name: str) -> Summary | ConstraintTemplate:
        if name not in self._policies:
            raise unreadable(f"a violation of {name}, which is not a policy of the library")
        return self._policies[name]


class SourceCollector(FindingCollector):
    """Findings of something else than the engine: of what the engine finds, it keeps where that stands.

    Attributes:
        sources: Objects in which the engine finds something, by position.
    """

    def __init__(self, policies: Mapping[str, Summary | ConstraintTemplate]) -> None:
        super().__init__(policies)
        self.sources: dict[InputPosition, Source] = {}

    def take(self, file: int, item: tuple[int, ...], obj: Source, answer: Answer | Failure, kind: str = "") -> None:
        """Note where an object stands, whatever the engine says of it."""
        del answer, kind
        position = (file, obj.document, *item)
        self.sources[position] = obj

    def judged(self, file: int, item: tuple[int, ...], obj: Source, answer: Answer | Failure, kind: str = "") -> None:
        """Note what is said of an object."""
        source = self.sources.get((file, obj.document, *item), obj)
        super().take(file, item, source, answer, kind)


def _built(found: Finding, obj: BuiltObject, kind: str) -> Finding:
    """Return a finding in an object that was built, with what it was built by."""
    hook = dig(obj.object, "metadata", "annotations", _HOOK)
    built = Built(
        kind,
        obj.file,
        found.object,
        found.container,
        hook if isinstance(hook, str) and kind == "chart" else "",
        (obj.document, *obj.item),
        _repair(obj, dig(found.details, "fix", "path"), dig(found.details, "fix", "value")),
        obj.installer,
        _repair(obj, dig(found.details, "pin", "path"), dig(found.details, "pin", "stated")),
        _repair(obj, dig(found.details, "pin", "then", "path"), dig(found.details, "pin", "then", "value")),
    )
    path = steps(dig(found.details, "path"))
    if found.container is None or path is None or dig(found.details, "stated") is not None:
        return replace(found, builds=(built,))
    # What is wrong with an image cannot be fixed at its pull policy.
    place = obj.place((*path, "image"))
    return replace(
        found, file=place.file, line=place.line, template=place.template, values=place.values, builds=(built,)
    )


def _repair(obj: BuiltObject, text: Any, value: Any) -> Repair | None:
    path = steps(text)
    if not path or not isinstance(value, str):
        return None
    owner = path[:-1]
    image = next((obj.places[key] for name in _IMAGES if (key := (*owner, name)) in obj.places), None)
    return Repair(path, value, value_at(obj.object, path), obj.places.get(path), obj.places.get(owner), image)
