"""Definitions of custom resources -> where objects of their kinds use images, as entries of customKinds say it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pullguard.core.findings import Location
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.problems import InputError
from pullguard.core.schema_errors import problems
from pullguard.library.crds import Places, places
from pullguard.library.policies.model import KnownKinds, Policy
from pullguard.library.policies.structural import Schema, json_schema

#: The group and the kind of definitions.
GROUP, KIND = "apiextensions.k8s.io", "CustomResourceDefinition"


@dataclass(frozen=True, slots=True)
class FoundKind:
    """A kind of custom resources.

    Attributes:
        group: The API group.
        kind: The kind.
        entry: Where its objects use images, as an entry of customKinds says it, without group and kind; empty where
            the schemas show no image. What pullguard knows of the kind is in it too.
        is_known: Whether it is judged without an entry, and the entry would say nothing new.
        unsaid: Places that no path of customKinds can say, sorted.
        parts: Pull policies of images that are written in parts, such as a repository and a tag, sorted.
        unknown: What the schemas leave open, sorted; "" is all of it. Empty for a kind that is known.
    """

    group: str
    kind: str
    entry: Mapping[str, Sequence[Any]]
    is_known: bool
    unsaid: tuple[str, ...]
    parts: tuple[str, ...]
    unknown: tuple[str, ...]


@dataclass(slots=True)
class Definitions:
    """The definitions that were read.

    Attributes:
        by_kind: By group and kind; two releases may both define one.
        patches: Where patches of definitions stand, which are passed over.
        errors: What is not right about others.
        number: How many there are.
    """

    by_kind: dict[tuple[str, str], list[Mapping[str, Any]]] = field(default_factory=dict)
    patches: list[Location] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    number: int = 0

    def add(self, file: str, line: int | None, document: int | None, definition: Mapping[str, Any]) -> None:
        """Keep a definition. One with neither group nor names is a patch, such as those in config/crd/patches."""
        if dig(definition, "spec", "group") is None and dig(definition, "spec", "names") is None:
            self.patches.append(Location(file, line or 1))
            return
        group, kind = dig(definition, "spec", "group"), dig(definition, "spec", "names", "kind")
        if not isinstance(group, str) or not isinstance(kind, str) or not group or not kind:
            message = f"this {KIND} lacks spec.group or spec.names.kind"
            self.errors.append(InputError(file, line, document, message))
            return
        self.number += 1
        self.by_kind.setdefault((group, kind), []).append(definition)

    def kinds(self, policies: Sequence[Policy]) -> tuple[FoundKind, ...]:
        """Return what the definitions show, by group and kind.

        Args:
            policies: All policies; one of them says what is known of custom resources, and what entries can say.
        """
        (policy, *_) = (each for each in policies if each.known_kinds)
        entries = json_schema(policy.parameters["properties"][policy.kinds_from_parameter]["items"])
        return tuple(
            _found(group, kind, definitions, policy.known_kinds, entries)
            for (group, kind), definitions in sorted(self.by_kind.items())
        )


def _found(
    group: str, kind: str, definitions: Sequence[Mapping[str, Any]], known: KnownKinds, schema: Schema
) -> FoundKind:
    """Return what definitions of a kind show, such as two releases of it."""
    union = Places()
    for definition in definitions:
        union.add(places(definition))
    own = known.get(group, {}).get(kind, {})
    entry: dict[str, list[Any]] = {}
    unsaid: list[str] = []
    for name, values in _stated(union):
        said = [each for each in values if not problems(schema, {"group": group, "kind": kind, name: [each]}, root="")]
        unsaid += [str(each["image"] if name == "images" else each) for each in values if each not in said]
        merged = [*own.get(name, ()), *(each for each in said if each not in own.get(name, ()))]
        if merged:
            entry[name] = sorted(merged, key=str)
    is_known = bool(own) and all(len(entry[name]) == len(own.get(name, ())) for name in entry)
    return FoundKind(
        group,
        kind,
        entry,
        is_known,
        tuple(sorted(unsaid)),
        tuple(sorted(union.parts)),
        () if own else tuple(sorted(union.unknown)),
    )


def _stated(found: Places) -> Iterator[tuple[str, list[Any]]]:
    yield "paths", sorted(found.paths)
    yield "containers", sorted(found.containers)
    yield "images", [{"image": image, "policy": policy} for image, policy in sorted(found.images)]
