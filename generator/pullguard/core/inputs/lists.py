"""Documents -> the Kubernetes objects in them, those inside Lists too."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pullguard.core.inputs.documents import Document

_LIST = "List"
_ITEMS = "items"


@dataclass(frozen=True, slots=True)
class Manifest:
    """One Kubernetes object of the input.

    Attributes:
        file: The file as it is shown to users; "<stdin>" for standard input.
        document: 0-based document in that file.
        item: Its places in the Lists that it stands in, from the outermost to the innermost; mostly empty.
        object: The object, a JSON value with a `kind`. Not to be changed: it may share parts with others.
        source: The document that it stands in.
    """

    file: str
    document: int
    item: tuple[int, ...]
    object: dict[str, Any]
    source: "Document" = field(repr=False, compare=False)

    def line(self, path: Sequence[str | int] = ()) -> int:
        """Return the 1-based line of the value at a path inside the object.

        An entry of a mapping stands where its key stands, an alias where its anchor stands; a path that does not
        exist has the line of its deepest ancestor that does. The first call for a document reads it once more.
        """
        prefix = [step for place in self.item for step in (_ITEMS, place)]
        return self.source.line_of([*prefix, *path])


def is_object(value: Any) -> bool:
    """Return whether a value is a Kubernetes object, which a List is too: a mapping with a `kind`."""
    if not isinstance(value, dict):
        return False
    kind = value.get("kind")
    return isinstance(kind, str) and bool(kind)


def manifests(document: "Document") -> Iterator[Manifest]:
    """Yield the objects of a document: mappings with a `kind`, and in their place the items of Lists.

    Items of a typed List, such as DeploymentList, may leave out what the List's own kind and apiVersion say.
    """
    waiting: list[tuple[tuple[int, ...], Any]] = [((), document.value)]
    while waiting:
        item, value = waiting.pop()
        if not is_object(value):
            continue
        items = value.get(_ITEMS)
        if value["kind"].endswith(_LIST) and isinstance(items, list):
            inside = [((*item, place), _with_type(entry, value)) for place, entry in enumerate(items)]
            waiting.extend(reversed(inside))
        else:
            yield Manifest(document.file, document.index, item, value, document)


def _with_type(item: Any, parent: dict[str, Any]) -> Any:
    """Return an item of a List with the kind and the apiVersion that a typed List implies."""
    kind = parent["kind"].removesuffix(_LIST)
    if not isinstance(item, dict) or not kind or item.get("kind", kind) != kind:
        return item
    inferred = {"kind": kind}
    if "apiVersion" in parent:
        inferred["apiVersion"] = parent["apiVersion"]
    return inferred | item
