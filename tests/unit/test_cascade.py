"""What falls, how it comes back, and the smallest repair: by examples, and against brute force on small graphs."""

from collections.abc import Iterator, Sequence
from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.outage import repair
from pullguard.outage.cascade import Cause, Causes, Return, behind, way_back
from pullguard.outage.repair import Repair, smallest

_THINGS = "abcdef"
_EDITS = "uvwxyz"

_sets = st.frozensets
_causes = st.lists(
    st.builds(
        Cause,
        thing=st.sampled_from(_THINGS),
        needs=_sets(st.sampled_from(_THINGS), max_size=2),
        certain=st.booleans(),
        edits=_sets(st.sampled_from(_EDITS), max_size=2),
    ),
    max_size=12,
)
_costs = st.fixed_dictionaries({edit: st.integers(1, 5) for edit in _EDITS})


def _naive(causes: Sequence[Cause], edits: frozenset[str], *, certainly: bool) -> set[str]:
    """Return what is down by going over all causes again and again."""
    down: set[str] = set()
    while True:
        new = {
            cause.thing
            for cause in causes
            if cause.needs <= down and not cause.edits & edits and (cause.certain or not certainly)
        }
        if new <= down:
            return down
        down |= new


def _subsets() -> Iterator[frozenset[str]]:
    return map(frozenset, chain.from_iterable(combinations(_EDITS, size) for size in range(len(_EDITS) + 1)))


@given(_causes, _sets(st.sampled_from(_EDITS)), st.booleans())
def test_what_falls_is_the_least_fixpoint(causes: list[Cause], edits: frozenset[str], certainly: bool) -> None:
    down = Causes(causes).fall(edits, certainly=certainly)
    assert set(down) == _naive(causes, edits, certainly=certainly)
    order = list(down)
    for position, (thing, cause) in enumerate(down.items()):
        assert cause.thing == thing
        assert cause.needs <= set(order[:position])


@given(_causes)
def test_what_is_certain_is_possible(causes: list[Cause]) -> None:
    assert Causes(causes).fall(certainly=True).keys() <= Causes(causes).fall().keys()


@given(_causes, _costs, _sets(st.sampled_from(_THINGS), max_size=4), st.booleans())
def test_no_repair_is_cheaper(
    causes: list[Cause], costs: dict[str, int], wanted: frozenset[str], certainly: bool
) -> None:
    found = smallest(Causes(causes), costs, wanted, certainly=certainly)
    left = wanted & _naive(causes, frozenset(_EDITS), certainly=certainly)
    enough = [edits for edits in _subsets() if wanted & _naive(causes, edits, certainly=certainly) == left]
    assert found.left == tuple(sorted(left))
    assert frozenset(found.edits) in enough
    assert found.cost == sum(costs[edit] for edit in found.edits)
    assert found.cost == min(sum(costs[edit] for edit in edits) for edits in enough)
    assert found.proven


@given(_causes, _costs, _sets(st.sampled_from(_THINGS), max_size=4))
def test_what_is_not_proven_is_a_repair_without_needless_edits(
    causes: list[Cause], costs: dict[str, int], wanted: frozenset[str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repair, "PROVEN_UP_TO", 0)
        found = smallest(Causes(causes), costs, wanted)
    goals = wanted - set(found.left)
    assert not goals & _naive(causes, frozenset(found.edits), certainly=False)
    if not found.proven:
        for edit in found.edits:
            assert goals & _naive(causes, frozenset(found.edits) - {edit}, certainly=False)


@given(_causes)
def test_the_way_back(causes: list[Cause]) -> None:
    down = set(Causes(causes).fall())
    back = way_back(causes, down, down)
    told = [name for part in (*back.knots, *back.order) for name in part]
    assert sorted(told) == sorted(down)
    tied = {name for knot in back.knots for name in knot}
    before = set(tied)
    for generation in back.order:
        for cause in causes:
            if cause.thing in generation and cause.needs <= down:
                assert cause.needs <= before
        before |= set(generation)


def _guarded(service: str, *names: str) -> list[Cause]:
    """Return the causes of a webhook that catches the pods of some workloads."""
    hook = f"hook-{service}"
    return [
        Cause(f"service-{service}", frozenset({service})),
        Cause(hook, frozenset({f"service-{service}"}), edits=frozenset({f"ignore {hook}"})),
        *(Cause(name, frozenset({hook}), edits=frozenset({f"leave {name} out of {hook}"})) for name in names),
    ]


def test_a_cycle_of_webhooks_is_up_until_one_of_them_falls() -> None:
    causes = [*_guarded("a", "b"), *_guarded("b", "a")]
    assert Causes(causes).fall() == {}
    causes.append(Cause("a", edits=frozenset({"pull a"})))
    down = Causes(causes).fall()
    assert list(down) == ["a", "service-a", "hook-a", "b", "service-b", "hook-b"]
    assert [cause.thing for cause in behind("b", down)] == ["b", "hook-a", "service-a", "a"]
    back = way_back(causes, down, {"a", "b"})
    assert back == Return(knots=(("a", "b"),), order=())


def test_the_smallest_repair_of_a_chain_is_its_root() -> None:
    causes = [Cause("a", edits=frozenset({"pull a"})), *_guarded("a", "b", "c"), *_guarded("b", "d")]
    costs = dict.fromkeys({edit for cause in causes for edit in cause.edits}, 2)
    assert smallest(Causes(causes), costs, {"b", "c", "d"}) == Repair(("ignore hook-a",), 2, proven=True, left=())
    assert smallest(Causes(causes), costs, {"a", "b", "c", "d"}) == Repair(("pull a",), 2, proven=True, left=())
    assert way_back(causes, Causes(causes).fall(), {"a", "b", "c", "d"}) == Return((), (("a",), ("b", "c"), ("d",)))


def test_what_nothing_repairs_is_left() -> None:
    causes = [Cause("a"), Cause("b", edits=frozenset({"pull b"}))]
    assert smallest(Causes(causes), {"pull b": 1}, {"a", "b"}) == Repair(("pull b",), 1, proven=True, left=("a",))


def test_a_service_with_one_pod_that_runs_is_up() -> None:
    causes = [Cause("a"), Cause("service", frozenset({"a", "b"})), Cause("hook", frozenset({"service"}))]
    assert list(Causes(causes).fall()) == ["a"]
    assert list(Causes([*causes, Cause("b", certain=False)]).fall()) == ["a", "b", "service", "hook"]
    assert list(Causes([*causes, Cause("b", certain=False)]).fall(certainly=True)) == ["a"]
