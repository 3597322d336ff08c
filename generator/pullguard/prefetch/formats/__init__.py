"""What pulls the images, or says which they are: one file per format, and a table of them."""

from collections.abc import Callable, Mapping
from typing import TextIO

from pullguard.prefetch.formats import daemonset, json, kube_fledged, openkruise, pinned_image_set, script, text
from pullguard.prefetch.model import PrefetchReport, Settings

#: The function that writes a report, by the name of the format.
REPORTERS: Mapping[str, Callable[[PrefetchReport, Settings, TextIO], None]] = {
    "text": text.write,
    "json": json.write,
    "daemonset": daemonset.write,
    "script": script.write,
    "openkruise": openkruise.write,
    "kube-fledged": kube_fledged.write,
    "pinned-image-set": pinned_image_set.write,
}
#: The formats that do not say what could not be read.
WITHOUT_ERRORS = frozenset(REPORTERS) - {"text", "json"}
