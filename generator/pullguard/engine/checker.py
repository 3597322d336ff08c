"""The program pullguard-check (tools/check): it reads manifests and judges them, both many times as fast as Python.

What it does not take for plain YAML or JSON it hands back. pullguard then reads that itself, says what is wrong with
it, and has its objects judged in batches.
"""

import json
import os
import signal
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from pullguard.core.errors import PullguardError, TimedOutError
from pullguard.core.inputs.homes import Home
from pullguard.engine import process
from pullguard.engine.batches import Answer, Batch, PolicyError, answer_from, loads

#: Objects of one batch: it judges several batches at once, but each by itself.
BATCH_OBJECTS = 64

Record = dict[str, Any]


class Checker:
    """A running pullguard-check; an Engine for batches as well.

    Args:
        command: The program and its arguments; see `process.command`.
        constraints: Of each folder of policies, data.pullguard as JSON.

    Raises:
        PullguardError: It cannot be started.
    """

    def __init__(self, command: tuple[str, ...], constraints: Sequence[str]) -> None:
        try:
            self._child = process.child(command)
        except OSError as error:
            raise PullguardError(f"{command[0]} cannot be started: {error.strerror}") from error
        self._requests = os.fdopen(self._child.requests, "wb", 1 << 16)
        self._answers = os.fdopen(self._child.answers, "rb", 1 << 16)
        self._files = 0  # that were asked for and are not done
        self._batches = 0
        self._waiting: deque[Record] = deque()  # for `records`
        self._answered: dict[int, Record] = {}  # for `answer`
        self._ask({"setup": True}, f"[{','.join(constraints)}]".encode())

    def check(self, number: int, path: bytes, home: Home) -> None:
        """Ask for a file to be read and judged; `records` says what came of it, under its number."""
        self._files += 1
        self._ask({"file": number, "namespace": home.namespace, "replace": home.replaces}, path)

    def records(self) -> Iterator[Record]:
        """Yield what is found in the files that were asked for, as tools/check/report.go has it, until all are done.

        The raw data that belongs to a record is under "data".

        Raises:
            PullguardError: The program has ended, or cannot use the policies.
        """
        self._flush()
        while self._files or self._waiting:
            record = self._waiting.popleft() if self._waiting else self._next()
            if "batch" in record:
                self._answered[record["batch"]] = record
                continue
            self._files -= record.get("done", False)
            yield record

    def start(self, batch: Batch) -> "CheckerRun":
        """Begin to judge a batch."""
        self._batches += 1
        text = f'{{"objects":[{",".join(batch.objects)}],"namespaces":{json.dumps(batch.namespaces)}}}'
        self._ask({"batch": self._batches, "namespace": batch.namespace}, text.encode())
        self._flush()
        return CheckerRun(self, self._batches)

    def answer(self, number: int) -> Record:
        """Wait for the answer to a batch; what else comes is kept for `records`.

        Raises:
            PullguardError: The program has ended, or cannot use the policies.
        """
        while number not in self._answered:
            record = self._next()
            if "batch" in record:
                self._answered[record["batch"]] = record
            else:
                self._waiting.append(record)
        return self._answered.pop(number)

    def finish(self) -> None:
        """Wait for its end, once all is answered.

        Raises:
            PullguardError: The policies cannot be used.
        """
        self._requests.close()
        while line := self._answers.readline():
            self._raise_if_fatal(loads(line))

    def stop(self) -> None:
        """End it if it still runs."""
        try:
            os.kill(self._child.pid, signal.SIGKILL)
        finally:
            os.waitpid(self._child.pid, 0)
            self._answers.close()
            with suppress(BrokenPipeError):
                self._requests.close()

    def _ask(self, request: Mapping[str, Any], data: bytes) -> None:
        try:
            self._requests.write(json.dumps({**request, "size": len(data)}).encode() + b"\n" + data)
        except BrokenPipeError:
            raise self._ended() from None

    def _flush(self) -> None:
        try:
            self._requests.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _next(self) -> Record:
        line = self._answers.readline()
        if not line:
            raise PullguardError("pullguard-check has ended before its answers were complete")
        record: Record = loads(line)
        self._raise_if_fatal(record)
        size = record.get("size", 0)
        if size:
            record["data"] = self._answers.read(size)
        return record

    def _ended(self) -> PullguardError:
        """Return why it does not read any more, which it may have said."""
        try:
            while True:
                self._next()
        except PullguardError as error:
            return error

    @staticmethod
    def _raise_if_fatal(record: Record) -> None:
        if "fatal" in record:
            raise PullguardError(f"OPA cannot load the policies: {record['fatal']}")


class CheckerRun:
    """A batch that is being judged.

    Args:
        checker: The program.
        number: The batch.
    """

    def __init__(self, checker: Checker, number: int) -> None:
        self._checker = checker
        self._number = number

    def answers(self) -> list[Answer]:
        """Wait for the answers, one an object.

        Raises:
            PolicyError: A policy failed for at least one object.
            TimedOutError: OPA did not answer in time.
            PullguardError: The program failed, whatever the objects are.
        """
        record = self._checker.answer(self._number)
        if record.get("timeout"):
            raise TimedOutError
        if "failed" in record:
            raise PolicyError(record["failed"])
        return [answer_from(answer) for answer in record.get("answers", ())]

    def stop(self) -> None:
        """Do nothing: the program ends as a whole."""
