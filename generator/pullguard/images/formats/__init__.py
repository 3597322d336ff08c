"""Lists of images in formats: one file a format, one table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.images.formats import hauler, json, list, oc_mirror, text, zarf  # noqa: A004 - the names of formats
from pullguard.images.model import ImagesReport

#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[ImagesReport, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "list": list.write,
    "hauler": hauler.write,
    "zarf": zarf.write,
    "oc-mirror": oc_mirror.write,
}

#: The formats that say nothing but images: what else there is to say is for standard error.
BARE = frozenset({"list", "hauler", "zarf", "oc-mirror"})
