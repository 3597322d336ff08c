"""Batches of objects: the questions to an engine, and its answers."""

import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from pullguard.core.errors import TimedOutError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Response:
    """One violation, as a constraint answers it.

    Attributes:
        policy: The template's name.
        constraint: The constraint's name.
        action: Its enforcementAction, the strictest one if it has several.
        message: The policy's message.
        details: The policy's details, any JSON value.
        namespace_assumed: Whether the constraint was assumed to select the object's namespace, since the namespace
            or its labels are not known.
    """

    policy: str
    constraint: str
    action: str
    message: str
    details: Any
    namespace_assumed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What all constraints say about one object.

    Attributes:
        namespace: The namespace of an object with responses; "" where it has none or it is not known.
        responses: The violations.
    """

    namespace: str
    responses: tuple[Response, ...]


@dataclass(frozen=True, slots=True)
class Failure:
    """Why there is no answer for one object."""

    message: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Objects to be judged at once.

    Attributes:
        objects: Each as JSON.
        namespaces: The Namespace objects that are known, by name.
        namespace: The namespace of objects that state none; "" = not known.
        inventory: data.inventory.
    """

    objects: Sequence[str]
    namespaces: Mapping[str, Mapping[str, Any]]
    namespace: str = ""
    inventory: Mapping[str, Any] = field(default_factory=dict)


class PolicyError(Exception):
    """A policy failed while it judged some object of a batch."""


class Run(Protocol):
    """A batch that is being judged."""

    def answers(self) -> Sequence[Answer | Failure]:
        """Wait for the answers, one for each object.

        Raises:
            PolicyError: A policy failed for at least one object, and it is not known for which.
            TimedOutError: The answers did not come in time.
            PullguardError: The judge itself has failed.
        """

    def stop(self) -> None:
        """End it if it still runs."""


class Judge(Protocol):
    """A judge of batches."""

    def start(self, batch: Batch) -> Run:
        """Begin to judge a batch."""


def judged(judges: Sequence[Judge], work: Iterable[tuple[T, Batch]]) -> Iterator[tuple[T, list[Answer | Failure]]]:
    """Judge batches by all judges.

    They judge one batch while the caller's iterable makes the next one; there are never more than two batches.

    Args:
        judges: Each judges by policies of its own.
        work: Batches, each with whatever comes back beside its answers.

    Yields:
        In the same order, one answer for each object: those of all judges together, or why there is none.

    Raises:
        PullguardError: A judge itself has failed.
    """
    waiting: deque[tuple[T, Batch, list[Run]]] = deque()
    try:
        for tag, batch in work:
            waiting.append((tag, batch, []))
            for judge in judges:
                waiting[-1][2].append(judge.start(batch))
            if len(waiting) > 1:
                yield waiting[0][0], _answers(judges, *waiting[0][1:])
                waiting.popleft()
        for tag, batch, runs in waiting:
            yield tag, _answers(judges, batch, runs)
    finally:
        for _, _, runs in waiting:
            for run in runs:
                run.stop()


def answer_from(value: Any) -> Answer | Failure:
    """Return what rego/gatekeeper/batch said about an object, or why there is no answer.

    Raises:
        KeyError: A field is missing.
        TypeError: A field is of another type.
    """
    if value.get("failure"):
        return Failure(value["failure"])
    responses = tuple(response_from(response, response["msg"]) for response in value["responses"])
    return Answer(value.get("namespace", ""), responses)


def response_from(value: Any, message: Any) -> Response:
    """Return a response of rego/gatekeeper/batch, with its message.

    Raises:
        KeyError: A field is missing.
        TypeError: A field is of another type.
    """
    named = (value["policy"], value["constraint"]["name"], value["enforcementAction"])
    if not all(isinstance(name, str) for name in named):
        raise TypeError("policy")
    return Response(
        policy=value["policy"],
        constraint=value["constraint"]["name"],
        action=value["enforcementAction"],
        message=message if isinstance(message, str) else json.dumps(message),
        details=value["details"],
        namespace_assumed=value["namespaceAssumed"],
    )


def _answers(judges: Sequence[Judge], batch: Batch, runs: Sequence[Run]) -> list[Answer | Failure]:
    by_judge = [_whole(judge, batch, run) for judge, run in zip(judges, runs, strict=True)]
    return [_one(answers) for answers in zip(*by_judge, strict=True)]


def _whole(judge: Judge, batch: Batch, run: Run) -> list[Answer | Failure]:
    """Return the answers of one judge; a batch in which a policy fails is halved until the object is found."""
    try:
        return list(run.answers())
    except TimedOutError:
        # Halving would wait as long again for each half, and forever if the machine itself hangs.
        return [Failure("the policy engine did not answer in time")] * len(batch.objects)
    except PolicyError as error:
        if len(batch.objects) == 1:
            return [Failure(str(error))]
    return [answer for half in _halves(batch) for answer in _whole(judge, half, judge.start(half))]


def _halves(batch: Batch) -> Iterator[Batch]:
    middle = len(batch.objects) // 2
    yield replace(batch, objects=batch.objects[:middle])
    yield replace(batch, objects=batch.objects[middle:])


def _one(answers: Sequence[Answer | Failure]) -> Answer | Failure:
    """Return the answers of all judges for one object as one; a failure of any is a failure."""
    whole = [answer for answer in answers if isinstance(answer, Answer)]
    if len(whole) < len(answers):
        return next(answer for answer in answers if isinstance(answer, Failure))
    responses = tuple(response for answer in whole for response in answer.responses)
    # conftest only mentions objects that have a response.
    namespace = next((answer.namespace for answer in whole if answer.responses), "")
    return Answer(namespace, responses)
