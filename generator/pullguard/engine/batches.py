"""Batches of objects: what engines are asked, what they answer, and what to do when a policy fails."""

import json
import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from pullguard.core.errors import PullguardError, TimedOutError

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
        namespace_assumed: The constraint was taken to select the object's namespace: that is not known, or not
            its labels.
    """

    policy: str
    constraint: str
    action: str
    message: str
    details: Any
    namespace_assumed: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What all constraints say of one object.

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
    """

    objects: Sequence[str]
    namespaces: Mapping[str, Mapping[str, Any]]
    namespace: str = ""


class PolicyError(Exception):
    """A policy failed while it judged some object of a batch."""


class Run(Protocol):
    """A batch that is being judged."""

    def answers(self) -> list[Answer]:
        """Wait for the answers, one an object.

        Raises:
            PolicyError: A policy failed for at least one object.
            TimedOutError: The engine did not answer in time.
            PullguardError: The engine failed, whatever the objects are.
        """

    def stop(self) -> None:
        """End it if it still runs."""


class Engine(Protocol):
    """A program that judges batches by the templates of one compatible group and their constraints."""

    def start(self, batch: Batch) -> Run:
        """Begin to judge a batch."""


def judged(engines: Sequence[Engine], work: Iterable[tuple[T, Batch]]) -> Iterator[tuple[T, list[Answer | Failure]]]:
    """Judge batches by all engines.

    The engines judge one batch while the caller's iterable makes the next one; there are never more than two.

    Args:
        engines: One for each group.
        work: Batches, each with whatever comes back beside its answers.

    Yields:
        In the same order, one answer an object: those of all groups together, or why there is none.

    Raises:
        PullguardError: An engine failed, whatever the objects are.
    """
    waiting: deque[tuple[T, Batch, list[Run]]] = deque()
    try:
        for tag, batch in work:
            waiting.append((tag, batch, []))
            for engine in engines:
                waiting[-1][2].append(engine.start(batch))
            if len(waiting) > 1:
                yield waiting[0][0], _answers(engines, *waiting[0][1:])
                waiting.popleft()
        for tag, batch, runs in waiting:
            yield tag, _answers(engines, batch, runs)
    finally:
        for _, _, runs in waiting:
            for run in runs:
                run.stop()


def answer_from(value: Any) -> Answer:
    """Return the answer that rego/gatekeeper/batch gave for an object.

    Raises:
        PullguardError: It is not an answer.
    """
    try:
        return Answer(
            value["namespace"],
            tuple(response_from(response, response["msg"]) for response in value["responses"]),
        )
    except (KeyError, TypeError) as error:
        raise PullguardError(f"the policy engine gave an answer that pullguard cannot read ({error!r})") from error


def response_from(value: Any, message: Any) -> Response:
    """Return the response that rego/gatekeeper/batch gave, with its message.

    Raises:
        KeyError: A field is missing.
        TypeError: A value that holds fields is none.
    """
    return Response(
        policy=value["policy"],
        constraint=value["constraint"]["name"],
        action=value["enforcementAction"],
        message=message if isinstance(message, str) else json.dumps(message),
        details=value["details"],
        namespace_assumed=value["namespaceAssumed"],
    )


def loads(text: bytes) -> Any:
    """Return a JSON value that an engine wrote; numbers that Python cannot hold stay text.

    Raises:
        ValueError: It is not JSON.
    """
    return json.loads(text, parse_int=_integer, parse_float=_float)


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _float(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _answers(engines: Sequence[Engine], batch: Batch, runs: Sequence[Run]) -> list[Answer | Failure]:
    by_engine = [_whole(engine, batch, run) for engine, run in zip(engines, runs, strict=True)]
    return [_together(answers) for answers in zip(*by_engine, strict=True)]


def _whole(engine: Engine, batch: Batch, run: Run) -> list[Answer | Failure]:
    """Return the answers of one group; a batch that a policy fails in is halved until the object is found."""
    try:
        return list(run.answers())
    except TimedOutError:
        # Halving would wait as long again for each half, without an end if the machine itself hangs.
        return [Failure("the policy engine did not answer in time")] * len(batch.objects)
    except PolicyError as error:
        if len(batch.objects) == 1:
            return [Failure(str(error))]
    return [answer for half in _halves(batch) for answer in _whole(engine, half, engine.start(half))]


def _halves(batch: Batch) -> Iterator[Batch]:
    middle = len(batch.objects) // 2
    yield replace(batch, objects=batch.objects[:middle])
    yield replace(batch, objects=batch.objects[middle:])


def _together(answers: Sequence[Answer | Failure]) -> Answer | Failure:
    """Return the answers of all groups for one object as one; a failure of any is a failure."""
    whole = [answer for answer in answers if isinstance(answer, Answer)]
    if len(whole) < len(answers):
        return next(answer for answer in answers if isinstance(answer, Failure))
    responses = tuple(response for answer in whole for response in answer.responses)
    # conftest only says something of an object that has a response.
    namespace = next((answer.namespace for answer in whole if answer.responses), "")
    return Answer(namespace, responses)
