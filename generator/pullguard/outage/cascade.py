"""What falls with what: a least fixpoint, who keeps whom down, and in which order the rest comes back.

Whether a webhook catches a request, or a pod can pull its image, Rego says (rego/outage). Here things are only names.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import networkx as nx


class Cause(NamedTuple):
    """A reason for which a thing is down.

    Attributes:
        thing: What it brings down.
        needs: What has to be down for that, all of it; empty: nothing has to.
        certain: Whether it is known to hold; otherwise it may.
        edits: The edits each of which takes it away.
    """

    thing: str
    needs: frozenset[str] = frozenset()
    certain: bool = True
    edits: frozenset[str] = frozenset()


class Return(NamedTuple):
    """How what has fallen comes back once its own reasons are gone.

    Attributes:
        knots: The things that keep each other down, each knot sorted: nothing in one comes back by itself.
        order: The rest, in generations: each can come back when those before it have.
    """

    knots: tuple[tuple[str, ...], ...]
    order: tuple[tuple[str, ...], ...]


class Causes:
    """Causes, ready to be asked what falls with some edits after the other.

    Args:
        causes: All causes.
    """

    def __init__(self, causes: Iterable[Cause]) -> None:
        self._causes = list(causes)
        self._needs = [len(cause.needs) for cause in self._causes]
        self._roots = [index for index, number in enumerate(self._needs) if not number]
        self._uncertain = [index for index, cause in enumerate(self._causes) if not cause.certain]
        self._waiting: dict[str, list[int]] = defaultdict(list)
        self._taken_away: dict[str, list[int]] = defaultdict(list)
        for index, cause in enumerate(self._causes):
            for need in cause.needs:
                self._waiting[need].append(index)
            for edit in cause.edits:
                self._taken_away[edit].append(index)

    def fall(self, edits: Iterable[str] = (), *, certainly: bool = False) -> dict[str, Cause]:
        """Return what is down, each with the cause that brings it down first, in the order of falling.

        It is the least set that the causes ask for: things that would only be down because of each other are up.

        Args:
            edits: The edits that are made.
            certainly: Whether only causes that are certain count.
        """
        left = self._needs.copy()
        for index in chain(self._uncertain if certainly else (), *(self._taken_away.get(edit, ()) for edit in edits)):
            left[index] = -1  # it is never ready
        ready = [index for index in self._roots if not left[index]]
        down: dict[str, Cause] = {}
        for index in ready:  # it grows meanwhile
            cause = self._causes[index]
            if cause.thing in down:
                continue
            down[cause.thing] = cause
            for follower in self._waiting.get(cause.thing, ()):
                left[follower] -= 1
                if not left[follower]:
                    ready.append(follower)
        return down

    def bearing_on(self, goals: Iterable[str]) -> "Causes":
        """Return the causes that can bring goals down, as far as anything falls: those of them that count."""
        down = self.fall()
        of_thing: dict[str, list[Cause]] = defaultdict(list)
        for cause in self._causes:
            if cause.needs <= down.keys():
                of_thing[cause.thing].append(cause)
        seen = dict.fromkeys(goals)
        pending = list(seen)
        for thing in pending:  # it grows meanwhile
            new = dict.fromkeys(need for cause in of_thing[thing] for need in cause.needs if need not in seen)
            seen.update(new)
            pending += new
        return Causes(cause for cause in self._causes if cause.thing in seen and cause.needs <= down.keys())


def behind(thing: str, down: Mapping[str, Cause]) -> Iterator[Cause]:
    """Yield the causes that bring a thing down, from itself to the roots, each once.

    Args:
        thing: One of `down`.
        down: What Causes.fall() returned.
    """
    seen = {thing}
    pending = [thing]
    for name in pending:  # it grows meanwhile
        yield down[name]
        new = sorted(down[name].needs - seen)
        seen.update(new)
        pending += new


def way_back(causes: Iterable[Cause], down: Collection[str], shown: Collection[str]) -> Return:
    """Return how what is down comes back.

    Args:
        causes: The causes that count.
        down: What is down.
        shown: Those that are told: the others, such as Services, only stand between them.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    graph.add_nodes_from(sorted(down))
    graph.add_edges_from(
        (need, cause.thing)
        for cause in causes
        if cause.thing in graph and cause.needs <= graph.nodes
        for need in cause.needs
    )
    knots = sorted(
        tuple(sorted(found.intersection(shown)))
        for found in nx.strongly_connected_components(graph)
        if len(found) > 1 or any(graph.has_edge(name, name) for name in found)
    )
    condensed = nx.condensation(graph)
    tied = {name for knot in knots for name in knot}
    order: list[tuple[str, ...]] = []
    for generation in _generations(condensed, shown):
        free = tuple(sorted(generation - tied))
        if free:
            order.append(free)
    return Return(tuple(knot for knot in knots if knot), tuple(order))


def _generations(condensed: "nx.DiGraph[int]", shown: Collection[str]) -> Sequence[set[str]]:
    """Return the things that are told by how many others of them stand before each, at most."""
    told = frozenset(shown)
    depth: dict[int, int] = {}
    found: dict[int, set[str]] = defaultdict(set)
    for component in nx.topological_sort(condensed):
        depth[component] = max((depth[before] for before in condensed.predecessors(component)), default=0)
        members = told.intersection(condensed.nodes[component]["members"])
        if members:
            found[depth[component]] |= members
            depth[component] += 1
    return [found[level] for level in sorted(found)]
