"""The images of an input."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from pullguard.core.findings import Location, ObjectRef, Unjudged, Value
from pullguard.core.inputs.problems import InputError

#: How sure it is that something is an image, from the surest: an API says so, a name and the form say so, one of them.
Sureness = Literal["certain", "likely", "possible"]
SURENESSES: tuple[Sureness, ...] = get_args(Sureness)


@dataclass(frozen=True, slots=True)
class MadeBy:
    """What makes an object.

    Attributes:
        kind: "kustomization" or "chart".
        path: The folder, or the packed chart, as the user named it, and what installs it.
        installer: The object that installs the chart; "" if it is rendered with its own values.
        hook: When Helm makes the object, as its annotation says; "" if it is not a hook.
    """

    kind: str
    path: str
    installer: str = ""
    hook: str = ""


@dataclass(frozen=True, slots=True)
class Use:
    """A place that names an image.

    Attributes:
        image: The image, as it is written there.
        sure: How sure it is that it is one.
        what: What of the object it is, for people.
        object: The object; of a value that nothing uses, the chart, with its path as the name.
        file: The file as the user named it, or the list of a live cluster. Of what is built: the file that decides.
        line: From 1; None for a live cluster.
        build: The kustomization or chart that it is in; None if it stands in a manifest.
        template: Where the template of a chart has what a value decides.
        values: The values of a chart that decide it, the first one as things are.
    """

    image: str
    sure: Sureness
    what: str
    object: ObjectRef
    file: str
    line: int | None
    build: MadeBy | None = None
    template: Location | None = None
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """An image.

    Attributes:
        name: With its registry, and its digest or else its tag.
        uses: The places that name it, the surest first, then in the order of the input.
    """

    name: str
    uses: tuple[Use, ...]

    @property
    def sure(self) -> Sureness:
        """How sure it is that it is an image: as sure as of its surest use."""
        return self.uses[0].sure


@dataclass(frozen=True, slots=True)
class ImagesReport:
    """The images that an input uses.

    Attributes:
        source: What was read, for people.
        sure: The images that are less sure are left out.
        images: Sorted by name.
        left_out: How many images are left out, by how sure they are.
        unresolved: The places where an image has to be and something else is, such as a placeholder.
        errors: What could not be read or rendered.
        unjudged: What is not as it will be applied.
        notes: What else users should know, a sentence each.
        objects: How many objects were read.
    """

    source: str
    sure: Sureness
    images: tuple[Image, ...]
    left_out: tuple[tuple[Sureness, int], ...]
    unresolved: tuple[Use, ...]
    errors: tuple[InputError, ...]
    unjudged: tuple[Unjudged, ...]
    notes: tuple[str, ...]
    objects: int

    def exit_code(self, *, strict: bool = False) -> int:
        """Return 2 if something could not be read or rendered, else 0.

        If it is strict, so is what is not as it will be applied, and what stands where an image has to be.
        """
        return 2 if self.errors or (strict and (self.unjudged or self.unresolved)) else 0


def images_of(uses: Iterable[tuple[str, Use]]) -> tuple[Image, ...]:
    """Return images by their names, each once, from uses with these names in the order of the input."""
    found: dict[str, dict[Use, None]] = {}
    for name, use in uses:
        found.setdefault(name, {})[use] = None
    return tuple(
        Image(name, tuple(sorted(own, key=lambda use: SURENESSES.index(use.sure))))
        for name, own in sorted(found.items())
    )
