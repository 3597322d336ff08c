"""What was not judged of an input, or not as it will be applied, counted by reason."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from pullguard.core.findings import Finding, Location, Unjudged, reference
from pullguard.core.formats.text import counted
from pullguard.core.gatekeeper import dig, group_of
from pullguard.core.inputs.problems import rendering
from pullguard.engine.unjudged import UnjudgedObject, Unprotected

#: The position of an object: "file" or "build", the place of that, the object's document, and its places in Lists.
Position = tuple[str | int, ...]

_MOST_NAMES = 5
_MARK = re.compile(r"\{\{|\$\{")


class UnjudgedCollector:
    """Gathers what was not judged; it comes in no order."""

    def __init__(self) -> None:
        self._namespaces: Counter[str] = Counter()
        self._objects: list[tuple[Position, UnjudgedObject]] = []
        self._judged: set[Position] = set()
        self._templates: list[Location] = []
        self._builds: dict[str, list[str]] = {}
        self._omissions: list[tuple[str, str]] = []
        self._placeholders: dict[str, Counter[str]] = {}

    def count(self, namespaces: Mapping[str, int]) -> None:
        """Count objects that are not judged for their namespaces."""
        self._namespaces.update(namespaces)

    def take(self, found: UnjudgedObject | Unprotected, origin: tuple[str, int]) -> None:
        """Note an object of a kind that no policy covers, or objects that later Namespaces show to be unprotected.

        Args:
            found: What is found.
            origin: Where it comes from: "file" or "build", and its place among those.
        """
        if isinstance(found, UnjudgedObject):
            self._objects.append(((*origin, *found.position), found))
        else:
            self.count(found.namespaces)

    def judged(self, position: Position) -> None:
        """Note that what an object holds is judged after all."""
        self._judged.add(position)

    def template(self, place: Location) -> None:
        """Note a document that is a template."""
        self._templates.append(place)

    def build(self, kind: str, path: str) -> None:
        """Note a chart or a kustomization that cannot be built."""
        self._builds.setdefault(kind, []).append(path)

    def omission(self, path: str, what: str) -> None:
        """Note what a build leaves out, in words."""
        self._omissions.append((path, what))

    def placeholders(self, file: str, namespaces: Mapping[str, int]) -> None:
        """Count objects of a file whose stated namespace no Namespace can have, by that name."""
        if namespaces:
            self._placeholders.setdefault(file, Counter()).update(namespaces)

    def found(
        self, findings: Sequence[Finding], namespace: str, needing_cluster: Sequence[str]
    ) -> tuple[Unjudged, ...]:
        """Return what was not judged, in an order that depends on the input alone.

        Args:
            findings: What was found: it shows placeholders of images and pull policies.
            namespace: The namespace that takes the place of placeholders; "" if that is not known.
            needing_cluster: The kinds of policies that ask what is in a cluster.
        """
        return (
            *self._unprotected(),
            *self._uncovered(),
            *self._not_rendered(),
            *_with_placeholders(self._placeholders, findings, namespace),
            *_needing_cluster(needing_cluster),
        )

    def _unprotected(self) -> Iterator[Unjudged]:
        names = sorted(self._namespaces)
        count = sum(self._namespaces.values())
        if count:
            its, are, them = ("its namespace", "is", "it") if count == 1 else ("their namespaces", "are", "them")
            are_protected = "is" if len(names) == 1 else "are"
            those = its if len(names) > 1 else its.removesuffix("s")
            message = (
                f"{counted(count, 'object')} in {_listed(names)} {are} not judged: "
                f"{those} {are_protected} not protected (--everywhere judges {them})"
            )
            yield Unjudged("namespace", count, tuple(names), None, message)

    def _uncovered(self) -> Iterator[Unjudged]:
        groups: dict[tuple[str, str, str, str], list[UnjudgedObject]] = {}
        unjudged = (each for position, each in self._objects if position not in self._judged)
        for each in sorted(unjudged, key=_place):
            kind, group = str(each.object.get("kind")), group_of(each.object)
            groups.setdefault((kind, group, each.holds, each.remedy), []).append(each)
        for (kind, _, holds, remedy), objects in sorted(groups.items()):
            first = objects[0]
            obj = reference(first.object, str(dig(first.object, "metadata", "namespace") or ""))
            name = f"{obj.namespace}/{obj.name}" if obj.namespace else obj.name or "(no name)"
            others, holding = (f" and {len(objects) - 1} more", "hold") if len(objects) > 1 else ("", "holds")
            message = (
                f"{_are_not(len(objects), 'object')} judged: {kind} {name} "
                f"({first.place.file}:{first.place.line}){others} {holding} {holds}; {remedy}"
            )
            yield Unjudged("kind", len(objects), (kind,), Location(first.place.file, first.place.line), message)

    def _not_rendered(self) -> Iterator[Unjudged]:
        if self._templates:
            places = sorted(self._templates, key=lambda place: (place.file, place.line))
            files = tuple(dict.fromkeys(place.file for place in places))
            message = f"{_are_not(len(places), 'document')} judged: not rendered, in {_listed(files)}"
            yield Unjudged("not-rendered", len(places), files, places[0], message)
        for kind, paths in sorted(self._builds.items()):
            message = f"{_are_not(len(paths), kind)} judged as built: the errors say why"
            yield Unjudged("not-rendered", len(paths), tuple(sorted(paths)), None, message)
        for path, what in sorted(self._omissions):
            yield Unjudged("not-rendered", 1, (path,), None, what)


def _are_not(number: int, noun: str) -> str:
    return f"{counted(number, noun)} {'is' if number == 1 else 'are'} not"


def _place(found: UnjudgedObject) -> tuple[str, int]:
    return found.place.file, found.place.line


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names) if more <= 0 else f"{', '.join(names[:_MOST_NAMES])} and {more} more"


def _needing_cluster(kinds: Iterable[str]) -> Iterator[Unjudged]:
    for kind in kinds:
        message = f"{kind} asks what is in a cluster, so nothing was judged by it"
        yield Unjudged("cluster", 1, (kind,), None, message)


def _with_placeholders(
    namespaces: Mapping[str, Mapping[str, int]], findings: Sequence[Finding], namespace: str
) -> Iterator[Unjudged]:
    """Yield the files that are to be filled in: a placeholder in quotes is YAML all the same, and is judged."""
    stated: dict[str, set[str]] = {}
    objects: dict[str, set[tuple[int, str, str]]] = {}
    for found in findings:
        texts = [str(text) for text in (found.image, dig(found.details, "stated")) if _MARK.search(str(text))]
        if texts:
            stated.setdefault(found.file, set()).update(texts)
            objects.setdefault(found.file, set()).add((found.document, found.object.kind, found.object.name))
    for file in sorted({*namespaces, *stated}):
        texts = sorted({*namespaces.get(file, ()), *stated.get(file, ())})
        count = max(sum(namespaces.get(file, {}).values()), len(objects.get(file, ())))
        if any("{{" in text for text in texts):
            message = f"{file} looks like a template that is not rendered; render it first: `{rendering(file)}`"
        elif file in namespaces:
            instead = (
                f"so --namespace {namespace} takes its place"
                if namespace
                else "so the namespace counts as not known; substitute it first, or state it with --namespace"
            )
            message = f"{file}: no Namespace can be called {_listed(sorted(namespaces[file]))}, {instead}"
        else:
            words = "counts as it stands; substitute it" if len(texts) == 1 else "count as they stand; substitute them"
            message = f"{file} is not rendered: {_listed(texts)} {words} first"
        yield Unjudged("placeholder", count, tuple(texts), Location(file, 1), message)
