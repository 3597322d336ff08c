"""Reports of `check`: one file per format, one table of them."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from pullguard.core.findings import Report

Reporter = Callable[["Report", TextIO], None]


def _reporter(name: str) -> Reporter:
    """Return a function that loads the module of a format only when it writes."""

    def write(report: "Report", stream: TextIO) -> None:
        writer: Reporter = import_module(f"{__name__}.{name}").write
        writer(report, stream)

    return write


#: What writes a report, by the name of the format.
REPORTERS: Mapping[str, Reporter] = {
    name: _reporter(name) for name in ("text", "json", "sarif", "junit", "github", "gitlab", "markdown")
}
