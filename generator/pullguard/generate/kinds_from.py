"""What `generate --kinds-from` does: definitions of custom resources -> entries for customKinds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.cluster.snapshot import Kind, from_cluster, require_one_source
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Location
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.problems import InputError
from pullguard.core.schema_errors import problems
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.generate.crds import Places, places
from pullguard.library import policies
from pullguard.library.policies.model import KnownKinds
from pullguard.library.policies.structural import Schema, json_schema

_GROUP, _KIND = "apiextensions.k8s.io", "CustomResourceDefinition"


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


@dataclass(frozen=True, slots=True)
class KindsReport:
    """What was found in definitions.

    Attributes:
        definitions: How many definitions were read.
        kinds: The kinds, by group and kind.
        errors: What could not be read.
        patches: Where patches of definitions stand, which were passed over.
    """

    definitions: int
    kinds: tuple[FoundKind, ...]
    errors: tuple[InputError, ...]
    patches: tuple[Location, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, else 0."""
        return 2 if self.errors else 0


@dataclass(slots=True)
class _Definitions:
    """The definitions that were read, by group and kind, the patches of some, and what could not be read."""

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
            message = f"this {_KIND} lacks spec.group or spec.names.kind"
            self.errors.append(InputError(file, line, document, message))
            return
        self.number += 1
        self.by_kind.setdefault((group, kind), []).append(definition)


def kinds_from(
    paths: Sequence[str] = (),
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    stdin: BinaryIO | None = None,
) -> KindsReport:
    """Find where custom resources use images, by their definitions.

    Args:
        paths: Files and folders that hold definitions, "-" for stdin; empty: those of the live cluster.
        kubeconfig: The file; None: what kubectl uses by itself.
        context: The context in it; None: the current one.
        stdin: What "-" reads.

    Raises:
        PullguardError: There is no definition in the input, both files and a cluster are named, or the cluster cannot
            be read.
    """
    require_one_source(paths, kubeconfig, context)
    read = _Definitions()
    with Engine() as engine:
        sources = policies.read(Path(resources.rego_directory()), engine)
        if paths:
            for found in Inputs(engine, find_files(paths), stdin=stdin, kinds=[f"{_GROUP}/{_KIND}"]):
                if isinstance(found, InputError):
                    read.errors.append(found)
                else:
                    read.add(found.file, found.line(), found.document, found.object)
        else:
            asked = Kind(_GROUP, _KIND, "customresourcedefinitions")
            snapshot = from_cluster(engine, [asked], kubeconfig=kubeconfig, context=context)
            read.errors += [
                InputError(snapshot.source, None, None, f"{kind} could not be read: {reason}")
                for kind, reason in snapshot.unreadable.items()
            ]
            for stored in snapshot.stored[_KIND]:
                read.add(stored.file, None, None, stored.object)
    if not read.number and not read.errors:
        raise PullguardError(
            f"there is no {_KIND} in the input",
            remedy="name files with some, or dump them with `kubectl get customresourcedefinitions -o json`",
        )
    (policy, *_) = (each for each in sources.policies if each.known_kinds)
    entries = json_schema(policy.parameters["properties"][policy.kinds_from_parameter]["items"])
    kinds = tuple(
        _found(group, kind, definitions, policy.known_kinds, entries)
        for (group, kind), definitions in sorted(read.by_kind.items())
    )
    return KindsReport(read.number, kinds, tuple(read.errors), tuple(read.patches))


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
