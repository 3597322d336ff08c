"""Batches: what is pure of `check`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import small_library as small
from pullguard.core.errors import PullguardError, TimedOutError
from pullguard.core.gatekeeper import constraint_from, template_from
from pullguard.engine.batches import Answer, Batch, Failure, PolicyError, Response, answer_from, judged
from pullguard.engine.groups import groups


def response(text: str, policy: str = "p") -> Response:
    return Response(policy, "c", "deny", text, {}, namespace_assumed=False)


@dataclass
class Run:
    """Says of each object what it is; of "bad" ones that a policy failed, of "slow" ones nothing in time."""

    judge: "FakeJudge"
    objects: Sequence[str]
    stopped: bool = False

    def answers(self) -> list[Answer]:
        self.judge.asked.append(list(self.objects))
        if "slow" in self.objects:
            raise TimedOutError
        if "broken" in self.objects:
            raise PullguardError("the engine broke")
        if "bad" in self.objects:
            raise PolicyError("it was bad")
        self.stopped = True
        return [Answer("n", (response(text, self.judge.policy),) if text != "good" else ()) for text in self.objects]

    def stop(self) -> None:
        self.stopped = True


@dataclass
class FakeJudge:
    """A judge that needs no program."""

    policy: str = "p"
    runs: list[Run] = field(default_factory=list)
    asked: list[list[str]] = field(default_factory=list)

    def start(self, batch: Batch) -> Run:
        self.runs.append(Run(self, batch.objects))
        return self.runs[-1]


def answers(engines: Sequence[FakeJudge], batches: Sequence[Sequence[str]]) -> list[tuple[int, list[Any]]]:
    work = [(number, Batch(objects, {})) for number, objects in enumerate(batches)]
    return list(judged(engines, work))


@given(st.lists(st.lists(st.sampled_from(["a", "b", "good", "bad"]), min_size=1, max_size=9), max_size=5))
def test_each_object_gets_its_answer(batches: list[list[str]]) -> None:
    engines = [FakeJudge("p"), FakeJudge("q")]
    expected = [
        (
            number,
            [
                Failure("it was bad")
                if text == "bad"
                else Answer("n", (response(text), response(text, "q")))
                if text != "good"
                else Answer("", ())
                for text in objects
            ],
        )
        for number, objects in enumerate(batches)
    ]
    assert answers(engines, batches) == expected


def test_halves() -> None:
    engine = FakeJudge()
    answers([engine], [["a", "b", "bad", "c", "d"]])
    assert engine.asked == [
        ["a", "b", "bad", "c", "d"],
        ["a", "b"],
        ["bad", "c", "d"],
        ["bad"],
        ["c", "d"],
    ]


def test_a_batch_that_takes_too_long_is_not_tried_again() -> None:
    engine = FakeJudge()
    late = Failure("the policy engine did not answer in time")
    assert answers([engine], [["a", "slow"], ["b"]]) == [(0, [late, late]), (1, [Answer("n", (response("b"),))])]
    assert engine.asked == [["a", "slow"], ["b"]]


def test_two_batches_at_most_are_in_the_engine() -> None:
    engine = FakeJudge()
    made = []

    def work() -> Iterator[tuple[int, Batch]]:
        for number in range(5):
            made.append(number)
            yield number, Batch([str(number)], {})

    for number, _ in judged([engine], work()):
        assert made == list(range(min(number + 2, 5)))
        assert len(engine.runs) == min(number + 2, 5)


@pytest.mark.parametrize("position", [0, 1, 2])
def test_everything_is_stopped_when_an_engine_breaks(position: int) -> None:
    engines = [FakeJudge(), FakeJudge()]
    batches = [["a"], ["b"], ["c"]]
    batches[position] = ["broken"]
    with pytest.raises(PullguardError, match="the engine broke"):
        answers(engines, batches)
    assert all(run.stopped for engine in engines for run in engine.runs)


def test_everything_is_stopped_when_the_input_breaks() -> None:
    engine = FakeJudge()

    def work() -> Iterator[tuple[int, Batch]]:
        yield 0, Batch(["a"], {})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(judged([engine], work()))
    assert [run.stopped for run in engine.runs] == [True]


def test_groups() -> None:
    objects = [small.OWNER, small.TEAM, small.FRAGILE, small.template("Alone", "package alone\n")]
    templates = [template_from(obj, "t") for obj in objects]
    constraints = [
        constraint_from(small.constraint(kind, name), "c")
        for kind, name in [("NeedsTeam", "a"), ("Fragile", "b"), ("NeedsOwner", "c"), ("Fragile", "d")]
    ]
    found = groups(templates, constraints)
    assert [(group.version, [one.name for one in group.constraints]) for group in found] == [
        ("v1", ["b", "c", "d"]),
        ("v0", ["a"]),
    ]
    data = found[0].data(namespace="n")
    assert data["namespace"] == "n"
    assert [(entry["policy"], entry["constraint"]["metadata"]["name"]) for entry in data["constraints"]] == [
        ("fragile", "b"),
        ("needsowner", "c"),
        ("fragile", "d"),
    ]
    only = groups(templates, constraints[:1])
    assert [group.version for group in only] == ["v0"]


@pytest.mark.parametrize("name", ["../../up", "a/../../../up", "../../../../../../../../up"])
def test_a_template_cannot_be_written_elsewhere(name: str) -> None:
    obj = small.template("Up", small.OWNER_V1)
    obj["metadata"]["name"] = name
    group = groups([template_from(obj, "t.yaml")], [constraint_from(small.constraint("Up", "c"), "c")])[0]
    with pytest.raises(PullguardError, match="is not a name for a template"):
        group.modules()


def test_answers() -> None:
    value: dict[str, Any] = {
        "namespace": "n",
        "responses": [
            {
                "policy": "p",
                "constraint": {"kind": "P", "name": "c"},
                "enforcementAction": "warn",
                "msg": {"b": 1},
                "details": None,
                "namespaceAssumed": True,
            }
        ],
    }
    expected = Response("p", "c", "warn", '{"b": 1}', None, namespace_assumed=True)
    assert answer_from(value) == Answer("n", (expected,))
    assert answer_from({"failure": "no"}) == Failure("no")
    broken: Any
    for broken in ({}, None, [], {**value, "responses": 1}, {**value, "responses": [{}]}):
        with pytest.raises((AttributeError, KeyError, TypeError)):
            answer_from(broken)


def test_an_engine_gets_the_namespaces() -> None:
    seen: list[Mapping[str, Any]] = []

    class Seeing(FakeJudge):
        def start(self, batch: Batch) -> Run:
            seen.append(batch.namespaces)
            return super().start(batch)

    list(judged([Seeing()], [(0, Batch(["a", "bad"], {"n": {"kind": "Namespace"}}))]))
    assert seen == [{"n": {"kind": "Namespace"}}] * 3
