"""Objects -> the images that they use: the engine asks rego/images, as it asks policies for violations."""

from typing import Any

from pullguard.core.findings import Source, reference
from pullguard.core.gatekeeper import dig
from pullguard.engine.batches import Answer, Failure
from pullguard.engine.builds import BuiltObject
from pullguard.engine.modules import entry_module
from pullguard.engine.queries import modules
from pullguard.images.model import MadeBy, Use
from pullguard.judging.collector import FindingCollector, InputPosition

#: What says what an image is, and what it needs.
MODULES = {
    "images": ("known", "references", "texts", "uses"),
    "lib": ("images", "kinds", "pods"),
}
_GATEKEEPER = {"gatekeeper": ("batch", "driver", "enforcement", "hook", "match", "review")}
_ENTRY = "images/uses.rego"
_POLICY = "images"
_HOOK = "helm.sh/hook"

#: A use, and the full name of its image; "" if that is not a reference.
NamedUse = tuple[str, Use]


def group() -> dict[str, Any]:
    """Return what finds images in objects, as a setup of the engine has it: a policy with a constraint for all objects.

    Its violations are the uses of images, so that the engine says of each where it stands, or what decides it.
    """
    rego = modules({**_GATEKEEPER, **MODULES})
    rego[_ENTRY] = entry_module(_POLICY, rego[_ENTRY])
    constraint = {"kind": "Images", "metadata": {"name": _POLICY}, "spec": {}}
    entries = [{"policy": _POLICY, "constraint": constraint}]
    return {"regoVersion": "v1", "modules": rego, "data": {"constraints": entries}}


def uses_in(answer: Answer, source: Source, *, build: MadeBy | None = None, list_name: str = "") -> list[NamedUse]:
    """Return the uses that an answer names, in the order of their lines.

    Args:
        answer: The answer of `group` about an object.
        source: The object.
        build: The kustomization or chart that the object is in, if it is in one.
        list_name: The list of a live cluster that it is in, where lines mean nothing; "" if it stands in a file.
    """
    obj = reference(source.object, answer.namespace)
    found: list[NamedUse] = []
    for response in answer.responses:
        details = response.details
        place = source.place(details["steps"])
        use = Use(
            image=response.message,
            sure=details["sure"],
            what=details["what"],
            object=obj,
            file=list_name or place.file,
            line=None if list_name else place.line,
            build=build,
            template=place.template,
            values=place.values,
        )
        found.append((details["name"] or "", use))
    return sorted(found, key=lambda named: (named[1].line or 0, named[1].what, named[1].image))


class UseCollector(FindingCollector):
    """Uses of images as they come, which is in no order, and errors."""

    def __init__(self) -> None:
        super().__init__({})
        self._uses: dict[InputPosition, list[NamedUse]] = {}

    @property
    def uses(self) -> list[NamedUse]:
        """All uses in the order of the input."""
        return [use for position in sorted(self._uses) for use in self._uses[position]]

    def take(self, file: int, item: tuple[int, ...], obj: Source, answer: Answer | Failure, kind: str = "") -> None:
        """Note what is said of an object; `kind` is that of what it was built from, "" if it was not built."""
        if isinstance(answer, Failure):
            super().take(file, item, obj, answer, kind)
            return
        build = None
        if isinstance(obj, BuiltObject):
            hook = dig(obj.object, "metadata", "annotations", _HOOK) if kind == "chart" else None
            build = MadeBy(kind, obj.file, obj.installer, hook if isinstance(hook, str) else "")
        position = (file, obj.document, *item)
        self._uses[position] = uses_in(answer, obj, build=build)
