"""Objects that install charts, as the engine finds them."""

from dataclasses import dataclass

from pullguard.core.findings import Source


@dataclass(frozen=True, slots=True)
class Installer:
    """An object that installs a chart with values of its own, or that holds values for one that does.

    Attributes:
        source: The object, and where its values stand.
    """

    source: Source
