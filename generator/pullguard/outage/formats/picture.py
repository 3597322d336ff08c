"""The picture of what falls: boxes in layers, with lines from what is down to what falls with it.

Where a layer has too many things for a picture, they are counted by namespace, or by kind.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pullguard.core.formats.text import counted, printable
from pullguard.forecasting.model import Event
from pullguard.outage.model import LAYERS, Link, OutageReport

_MOST = 8
_WIDTH, _HEIGHT = 212, 46
_ACROSS, _DOWN, _TOP = 41, 12, 34
_LETTERS, _SMALL_LETTERS = 23, 28
_GUARDS, _REQUESTS, _LAST = 2, 3, 4  # indices into LAYERS
_CERTAIN = 100_000  # more than there are possible links to one thing
_REST = "all others"
_REGISTRY = "registry "
_NOUNS = ("workload", "Service", "object", "request", "workload")


@dataclass(frozen=True, slots=True)
class Box:
    """A thing, or several of a layer.

    Attributes:
        x: Where it is.
        y: Where it is.
        context: What kind of thing it is, as far as there is room.
        label: Its name, or how many there are, as far as there is room.
        title: Both in full.
        style: "certain" or "possible", by whether it is certain to fall; "quiet" for what takes nothing with it.
        again: Whether it falls, and takes others with it in turn.
    """

    x: int
    y: int
    context: str
    label: str
    title: str
    style: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line from a box to another, as a path and that of its tip; `style` is "certain" or "possible"."""

    path: str
    tip: str
    style: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture.

    Attributes:
        width: Its width, which is that of all layers: pictures of different events have one scale.
        height: Its height.
        titles: The title of each layer, with its place.
        boxes: The boxes.
        lines: The lines; those that are certain are drawn last.
        text: What it shows, in one sentence.
    """

    width: int
    height: int
    titles: tuple[tuple[int, str], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    text: str


class _Group(NamedTuple):
    """What a box stands for."""

    context: str
    label: str


def picture(report: OutageReport, event: Event) -> Picture | None:
    """Return the picture of what falls in an event; None if nothing falls with pods that stay down."""
    links = report.cascades[event].links
    layers = _layers(links)
    if not any(layers):
        return None
    certain = {name for link in links if link.certain for name in (link.source, link.target)}
    certain |= {str(workload.ref) for workload in report.workloads if workload.verdict(event) == "stays down"}
    turning = layers[-1] & (layers[0] | layers[1])
    weights = _weights(links)
    groups = [_grouped(layer, {name: weights[layer, name] for name in names}) for layer, names in enumerate(layers)]
    lines = _merged(links, groups)
    places: dict[tuple[int, _Group], tuple[int, int]] = {}
    boxes: list[Box] = []
    titles: list[tuple[int, str]] = []
    for layer, members in enumerate(map(_members, groups)):
        if not members:
            continue
        x = len(titles) * (_WIDTH + _ACROSS)
        titles.append((x, LAYERS[layer]))
        for row, group in enumerate(_ordered(layer, members, lines, places)):
            names = members[group]
            places[layer, group] = x, _y(row)
            style = "possible" if certain.isdisjoint(names) else "certain"
            boxes.append(_box(places[layer, group], group, names, style, again=not turning.isdisjoint(names)))
        others = _others(report, event, layers[0]) if layer == 0 else 0
        if others:
            quiet = _Group("take nothing with them", counted(others, "other workload"))
            boxes.append(_box((x, _y(len(members))), quiet, (), "quiet"))
    return Picture(
        width=len(LAYERS) * (_WIDTH + _ACROSS) - _ACROSS,
        height=max(box.y for box in boxes) + _HEIGHT + 2,
        titles=tuple(titles),
        boxes=tuple(boxes),
        lines=tuple(
            _line(places[layer, source], places[layer + 1, target], "certain" if is_certain else "possible")
            for (layer, source, target), is_certain in sorted(lines.items(), key=lambda line: (line[1], line[0]))
        ),
        text=", ".join(f"{title.lower()}: {len(names)}" for title, names in zip(LAYERS, layers, strict=True) if names),
    )


def _layers(links: Iterable[Link]) -> list[set[str]]:
    layers: list[set[str]] = [set() for _ in LAYERS]
    for link in links:
        layers[link.layer].add(link.source)
        layers[link.layer + 1].add(link.target)
    return layers


def _weights(links: Iterable[Link]) -> Counter[tuple[int, str]]:
    """Return how much hangs on each thing of a layer; possible links only decide where certain ones do not."""
    weights: Counter[tuple[int, str]] = Counter()
    for link in links:
        weight = _CERTAIN if link.certain else 1
        weights[link.layer, link.source] += weight
        weights[link.layer + 1, link.target] += weight
    return weights


def _others(report: OutageReport, event: Event, sources: set[str]) -> int:
    """Return how many workloads do not come back by their images, and take nothing with them."""
    return sum(
        event in workload.forecasts
        and workload.forecasts[event].verdict != "starts"
        and str(workload.ref) not in sources
        for workload in report.workloads
    )


# -- what a box stands for


def _grouped(layer: int, weights: Mapping[str, int]) -> dict[str, _Group]:
    """Return the box of each thing of a layer: its own if there are few; else that of its namespace, or the like."""
    described = {name: _described(layer, name) for name in sorted(weights)}
    noun = "object" if layer == _LAST and any(name.startswith("Service/") for name in described) else _NOUNS[layer]
    if len(described) <= _MOST:
        return {name: each.own for name, each in described.items()}
    places: dict[str, list[str]] = {}
    for name, each in described.items():
        places.setdefault(each.place, []).append(name)
    ranked = sorted(places, key=lambda place: (-sum(weights[name] for name in places[place]), place))
    several = ranked if len(ranked) <= _MOST else ranked[: _MOST - 1]
    found = {}
    for place in several:
        members = places[place]
        group = _Group(described[members[0]].of, counted(len(members), noun))
        found.update(dict.fromkeys(members, described[members[0]].own if len(members) == 1 else group))
    rest = [name for place in ranked[len(several) :] for name in places[place]]
    return found | dict.fromkeys(rest, _Group(_REST, counted(len(rest), noun)))


class _Described(NamedTuple):
    """A thing: what it is counted by, what is said of that, and its own box."""

    place: str
    of: str
    own: _Group


def _described(layer: int, name: str) -> _Described:
    if layer == _REQUESTS:
        what, _, of = name.partition(" of ")
        if of.startswith(_REGISTRY):
            box = _Group(f"{what} of registry", of.removeprefix(_REGISTRY))
        else:
            box = _Group(f"{what} of namespace", of) if of else _Group("the cluster", name)
        return _Described(name, name, box)
    kind, _, rest = name.partition("/")
    if kind.startswith(_REGISTRY):
        return _Described(kind, kind, _Group(f"registry in {kind.removeprefix(_REGISTRY)}", rest))
    place, _, own = rest.partition("/")
    if layer == _GUARDS:
        context = f"{kind.removesuffix('Configuration')} {place}" if own else kind
        return _Described(f"{kind}/{place}", context, _Group(context, own or place))
    return _Described(place, f"in {place}", _Group(f"{kind} in {place}", own))


def _members(groups: Mapping[str, _Group]) -> dict[_Group, list[str]]:
    found: dict[_Group, list[str]] = {}
    for name, group in groups.items():
        found.setdefault(group, []).append(name)
    return found


# -- where things are


def _merged(links: Iterable[Link], groups: Sequence[Mapping[str, _Group]]) -> dict[tuple[int, _Group, _Group], bool]:
    """Return the lines between boxes, and whether each is certain."""
    lines: dict[tuple[int, _Group, _Group], bool] = {}
    for link in links:
        key = link.layer, groups[link.layer][link.source], groups[link.layer + 1][link.target]
        lines[key] = lines.get(key, False) or link.certain
    return lines


def _ordered(
    layer: int,
    members: Mapping[_Group, Sequence[str]],
    lines: Iterable[tuple[int, _Group, _Group]],
    places: Mapping[tuple[int, _Group], tuple[int, int]],
) -> list[_Group]:
    """Return the boxes of a layer from top to bottom: each about as high as what it falls with."""
    heights: dict[_Group, list[int]] = {}
    for before, source, target in lines:
        if before == layer - 1:
            heights.setdefault(target, []).append(places[before, source][1])
    above = {group: sum(heights[group]) / len(heights[group]) if group in heights else 0 for group in members}
    return sorted(members, key=lambda group: (group.context == _REST, above[group], group))


def _y(row: int) -> int:
    return _TOP + row * (_HEIGHT + _DOWN)


def _box(place: tuple[int, int], group: _Group, names: Sequence[str], style: str, *, again: bool = False) -> Box:
    title = names[0] if len(names) == 1 else f"{group.label} {group.context}"
    return Box(*place, _short(group.context, _SMALL_LETTERS), _short(group.label, _LETTERS), title, style, again)


def _short(text: str, most: int) -> str:
    """Return a text without its middle if it is too long: both ends of a name say something."""
    text = printable(text)
    if len(text) <= most:
        return text
    end = most // 2 - 1
    return f"{text[: most - end - 1]}\N{HORIZONTAL ELLIPSIS}{text[-end:]}"


def _line(start: tuple[int, int], end: tuple[int, int], style: str) -> Line:
    x, y = start[0] + _WIDTH, start[1] + _HEIGHT // 2
    to_x, to_y = end[0] - 7, end[1] + _HEIGHT // 2
    middle = (x + to_x) // 2
    return Line(
        path=f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}",
        tip=f"M{to_x} {to_y - 4}L{to_x + 7} {to_y}L{to_x} {to_y + 4}z",
        style=style,
    )
