"""The smallest repair: a cheapest set of edits that brings everything back.

What is down with some edits made is down for causes that none of them takes away, and every repair makes an edit that
takes one of these away. So a cheapest edit of each such derivation is looked for, a hitting set, until nothing is
left; otherwise it shows another derivation. Cycles need no care: Causes.fall() alone says what is down.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import networkx as nx

from pullguard.outage.cascade import Causes, behind

#: A repair with more edits to choose from that bear on each other is not proven to be the smallest.
PROVEN_UP_TO = 200
_ROUNDS = 2_000


class Repair(NamedTuple):
    """A set of edits.

    Attributes:
        edits: The edits, sorted.
        cost: What they cost together.
        proven: Whether no cheaper set does the same.
        left: What no set of edits brings back, sorted.
    """

    edits: tuple[str, ...]
    cost: int
    proven: bool
    left: tuple[str, ...]


def smallest(causes: Causes, costs: Mapping[str, int], wanted: Collection[str], *, certainly: bool = False) -> Repair:
    """Return a cheapest set of edits after which nothing that is wanted is down.

    Args:
        causes: All causes.
        costs: What each edit costs, more than nothing.
        wanted: What is to be up.
        certainly: Whether only causes that are certain count.
    """
    left = frozenset(wanted) & causes.fall(costs, certainly=certainly).keys()
    goals = frozenset(wanted) - left
    causes = causes.bearing_on(sorted(goals))
    derivations: set[frozenset[str]] = set()
    chosen: frozenset[str] = frozenset()
    proven = True
    for round_ in range(_ROUNDS + 1):
        met = _derivations(causes, chosen, goals, certainly=certainly)
        if not met:
            break
        derivations |= met
        chosen, exact = _hitting(derivations, costs, exactly=round_ < _ROUNDS)
        proven = exact
    else:
        chosen, proven = frozenset(costs), False
    if not proven:
        chosen = _pruned(causes, chosen, costs, goals, certainly=certainly)
    return Repair(tuple(sorted(chosen)), sum(costs[edit] for edit in chosen), proven, tuple(sorted(left)))


def _derivations(
    causes: Causes, chosen: frozenset[str], goals: frozenset[str], *, certainly: bool
) -> set[frozenset[str]]:
    """Return, for each goal that is down, the edits that take away a cause of it."""
    down = causes.fall(chosen, certainly=certainly)
    return {frozenset().union(*(cause.edits for cause in behind(goal, down))) for goal in goals & down.keys()}


def _hitting(
    sets: Collection[frozenset[str]], costs: Mapping[str, int], *, exactly: bool
) -> tuple[frozenset[str], bool]:
    """Return a cheapest set with an element of each, and whether it is proven to be one."""
    graph: nx.Graph[str] = nx.Graph()
    for each in sets:
        nx.add_path(graph, sorted(each))
        graph.add_nodes_from(each)
    sets_of: dict[str, list[frozenset[str]]] = {}
    for each in sorted(filter(None, sets), key=sorted):
        sets_of.setdefault(min(each), []).append(each)
    found: set[str] = set()
    proven = True
    for component in nx.connected_components(graph):
        parts = [each for edit in sorted(component) for each in sets_of.get(edit, ())]
        if exactly and len(component) <= PROVEN_UP_TO and (solved := _exact(parts, costs)) is not None:
            found |= solved
        else:
            found |= _greedy(parts, costs)
            proven = proven and len(component) == 1
    return frozenset(found), proven


def _exact(sets: Sequence[frozenset[str]], costs: Mapping[str, int]) -> set[str] | None:
    """Return a cheapest hitting set by MaxSAT; None if the solver is not installed."""
    if len(sets) == 1:
        return {min(sorted(sets[0]), key=lambda edit: costs[edit])}
    try:
        from pysat.examples.hitman import Hitman  # noqa: PLC0415 - an optional extra
    except ImportError:
        return None
    names = sorted(frozenset().union(*sets))
    weights = {name: costs[name] for name in names}
    with Hitman(bootstrap_with=[sorted(each) for each in sets], weights=weights, htype="sorted") as solver:
        return set(solver.get())


def _greedy(sets: Sequence[frozenset[str]], costs: Mapping[str, int]) -> set[str]:
    """Return a hitting set: the edit that hits the most for its cost, again and again."""
    found: set[str] = set()
    open_ = list(sets)
    while open_:
        hits: dict[str, int] = {}
        for each in open_:
            for edit in each:
                hits[edit] = hits.get(edit, 0) + 1
        best = max(sorted(hits), key=lambda edit: hits[edit] / costs[edit])
        found.add(best)
        open_ = [each for each in open_ if best not in each]
    return found


def _pruned(
    causes: Causes,
    chosen: frozenset[str],
    costs: Mapping[str, int],
    goals: frozenset[str],
    *,
    certainly: bool,
) -> frozenset[str]:
    """Return a set of edits without those that are not needed, the dearest first."""
    for edit in sorted(chosen, key=lambda edit: (-costs[edit], edit)):
        if not goals & causes.fall(chosen - {edit}, certainly=certainly).keys():
            chosen -= {edit}
    return chosen
