"""Objects that install charts, and the charts of the input -> installations to render."""

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pullguard.core.findings import Source
from pullguard.judging.installers import (
    Installs,
    Placed,
    charts_in_repository,
    charts_of,
    configured,
    installs,
    name_of,
    values_file,
)
from pullguard.judging.target_namespaces import is_placeholder
from pullguard.judging.unjudged import Position

#: The number of installations by objects that are themselves installed: each chart can install others many times.
_MOST_NESTED = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """An object that installs charts.

    Attributes:
        position: Its position.
        source: The object.
        name: The object as it is shown to users.
        is_wanted: Whether it is judged: else only what has changed in its charts is.
        above: The charts that install it, from the outermost, by their paths without links.
    """

    position: Position
    source: Source
    name: str
    is_wanted: bool
    above: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What comes of an object that installs a chart of the input.

    Attributes:
        holders: The positions of the objects that hold its values: they are judged by what is rendered.
        problem: Why it cannot be judged; "" if it can.
        chart: The path of the chart.
        placed: The installation; None if it cannot be judged, or is the same as another one.
        unknown: What else sets values and is not known, in words.
    """

    holders: tuple[Position, ...]
    problem: str = ""
    chart: str = ""
    placed: Placed | None = None
    unknown: tuple[str, ...] = ()


class InstallerCollector:
    """Objects that install charts, and the charts of the input.

    Args:
        namespace: The namespace of objects that state none; "" = not known.
        named: The files that users named, without links: charts that objects in them name by a path count as well.
    """

    def __init__(self, namespace: str, named: Collection[str] = ()) -> None:
        self._namespace = namespace
        self._named = named
        self._charts: dict[str, tuple[str, str]] = {}  # paths and names, by paths without links
        self._waiting: list[Found] = []
        self._configs: list[Found] = []
        self._nested = 0
        self._known: set[tuple[object, ...]] = set()
        self._names: set[str] = set()

    def add_chart(self, path: str, name: str) -> None:
        """Note a chart of the input. One that cannot be rendered does not say its name: its folder does."""
        real = os.path.realpath(path)
        self._charts[real] = (path, name or Path(real).name)

    def add(
        self, source: Source, origin: tuple[str, int], within: str, above: tuple[str, ...], *, is_wanted: bool
    ) -> None:
        """Note an object.

        Args:
            source: The object.
            origin: Where it comes from, such as "file" or "build", and its place among those.
            within: The build that makes it, as it is shown to users; "" if it stands in a file.
            above: The charts that install it, from the outermost, by their paths without links.
            is_wanted: Whether it is judged: else only what has changed in its charts is.
        """
        name = f"{name_of(source)} in {within}" if within else name_of(source)
        found = Found((*origin, source.document, *source.item), source, name, is_wanted, above)
        (self._configs if source.object.get("kind") == "HelmChartConfig" else self._waiting).append(found)

    def take(self) -> list[Found]:
        """Return the objects that were added since it was last asked, in an order that depends on the input alone."""
        found, self._waiting = self._waiting, []
        return sorted(found, key=lambda each: each.position)

    def installations(self, found: Found, shown: Callable[[str], str]) -> Iterator[Outcome]:
        """Yield what comes of an object, as far as its charts are there.

        Args:
            found: The object.
            shown: Returns a path as it is shown to users.
        """
        for own in installs(found.source):
            file = found.source.place().file
            charts = charts_of(own.chart, file, {path: name for path, (_, name) in self._charts.items()})
            if not charts and os.path.realpath(file) in self._named:
                charts = charts_in_repository(own.chart, file)
                for chart in charts:
                    self.add_chart(chart, "")
            if charts:
                yield self._installation(found, own, charts, shown)

    def _installation(self, found: Found, own: Installs, charts: Sequence[str], shown: Callable[[str], str]) -> Outcome:
        if problem := self._problem(found, charts, shown):
            return Outcome((found.position,), problem)
        configs = [config for config in self._configs if _are_applied_together(config.position, found.position)]
        own = configured(own, found.source, [config.source for config in configs])
        sources = [value.source for value in own.values]
        holders = (found.position, *(config.position for config in configs if config.source in sources))
        chart = self._charts[charts[0]][0]
        files = {file: values_file(chart, file) for file in own.files}
        namespace = own.namespace if own.namespace and not is_placeholder(own.namespace) else self._namespace
        content = (chart, found.name, own.release_name, namespace, own.files, own.settings)
        known = (*content, *(value.text for value in own.values))
        if known in self._known:
            return Outcome(holders)
        self._known.add(known)
        there = [file for file in files.values() if file is not None]
        placed = Placed(self._unique(found.name), found.source, own, namespace, there)
        missing = (f"valueFiles: {file}" for file, path in files.items() if path is None)
        return Outcome(holders, "", chart, placed, (*own.unknown, *missing))

    def _problem(self, found: Found, charts: Sequence[str], shown: Callable[[str], str]) -> str:
        """Return why an object cannot be judged as an installation of charts that it may name; "" if it can."""
        if len(charts) > 1:
            return f"its chart may be any of {', '.join(map(shown, charts))}"
        if charts[0] in found.above:
            return f"the chart {shown(charts[0])} installs itself"
        if found.above:
            self._nested += 1
        if self._nested > _MOST_NESTED:
            return f"charts install each other more than {_MOST_NESTED} times"
        return ""

    def _unique(self, name: str) -> str:
        """Return a name that no other installation has."""
        numbered, number = name, 1
        while numbered in self._names:
            number += 1
            numbered = f"{name} #{number}"
        self._names.add(numbered)
        return numbered


def _are_applied_together(one: Position, other: Position) -> bool:
    """Tell whether two objects stand in files, or in what one build makes: each overlay has objects of its own."""
    return one[:2] == other[:2] or "build" not in {one[0], other[0]}
