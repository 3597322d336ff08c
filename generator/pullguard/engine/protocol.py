"""The protocol of pullguard-engine (tools/engine/protocol/PROTOCOL.md): requests, and the records that answer them."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeVar

from pullguard.core.errors import PullguardError
from pullguard.core.resources import ENGINE
from pullguard.engine import process

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from pullguard.core.inputs.limits import Limits

#: The version of the protocol that is spoken here.
VERSION = 1

Record = dict[str, Any]
T = TypeVar("T")

_LAST = frozenset({"done", "failed"})
_REMEDY = "install pullguard again, so that its engine is of the same version"


class Engine:
    """pullguard-engine as a context manager: the first request starts the process, and leaving ends it."""

    def __init__(self) -> None:
        self._process: process.Process | None = None
        self._was_greeted = False
        self._asked = 0
        self._setup = 0
        self._is_ready = True
        self._answers: dict[int, Record] = {}

    def __enter__(self) -> "Self":
        """Return the engine."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: "TracebackType | None"
    ) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def start(self) -> process.Process:
        """Return the process; start it if that was not done yet.

        Raises:
            PullguardError: It is nowhere, or cannot be started.
        """
        if self._process is None:
            self._process = process.Process()
        return self._process

    def setup(
        self,
        groups: Sequence[Mapping[str, Any]],
        *,
        limits: "Limits | None" = None,
        remember: bool = False,
        frugal: bool = False,
        survey: Mapping[str, Any] | None = None,
        installers: Sequence[str] = (),
        inventory: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Load the policies: once, before the first object is judged.

        Args:
            groups: As the protocol has them.
            limits: What is beyond them is an error; None: the engine's own.
            remember: Whether `controlled` will be asked for.
            frugal: Whether the engine uses less memory, which makes it a little slower.
            survey: What to look for in objects that no constraint selects, as the protocol has it; None: nothing.
            installers: The kinds of objects, as GROUP/KIND, that are reported because they install charts.
            inventory: The kinds of objects, as GROUP/KIND, that are looked up in data.inventory ("of"), and those
                that are judged with it once all is read ("by"); None: nothing is.
        """
        stated = {} if limits is None else limits.as_json()
        data: dict[str, Any] = {"groups": groups, "limits": stated, "remember": remember, "frugal": frugal}
        data["installers"] = list(installers)
        if survey is not None:
            data["survey"] = survey
        if inventory is not None:
            data["inventory"] = inventory
        self._setup = self.ask("setup", json.dumps(data).encode())
        self._is_ready = False

    def ask(self, kind: str, data: bytes = b"", **fields: Any) -> int:
        """Send a request and return its id; it may be buffered until somebody waits for a record.

        Raises:
            PullguardError: The engine cannot be started, or has ended.
        """
        self._asked += 1
        line = json.dumps({"type": kind, "id": self._asked, **fields, "size": len(data)})
        try:
            self.start().requests.write(line.encode() + b"\n" + data)
        except BrokenPipeError:
            raise self._ended() from None
        return self._asked

    def flush(self) -> None:
        """Send the requests that are buffered.

        Raises:
            PullguardError: The engine has ended.
        """
        try:
            self.start().requests.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def records(self, last: int) -> Iterator[Record]:
        """Yield the records that come, whichever request they belong to, up to the last one of a request.

        Raw data after a record is under "data".

        Raises:
            PullguardError: A request failed as a whole, or the engine has ended or writes what it should not.
        """
        while True:
            record = self._next()
            if record["type"] == "failed":
                raise PullguardError(self.parsed(record, _message))
            yield record
            if record["id"] == last and record["type"] == "done":
                return

    def until(self, requests: AbstractSet[int]) -> Iterator[Record]:
        """Yield the records that come, whichever request they belong to, up to the last one of one of some requests.

        These may fail.

        Raises:
            PullguardError: Another request failed as a whole, or the engine has ended or writes what it should not.
        """
        while True:
            record = self._next()
            if record["type"] == "failed" and record["id"] not in requests:
                raise PullguardError(self.parsed(record, _message))
            yield record
            if record["id"] in requests and record["type"] in _LAST:
                return

    def answer(self, request: int) -> Record:
        """Return the last record of a request; answers to others wait until they are asked for.

        Raises:
            PullguardError: The engine has ended, or writes what it should not.
        """
        while request not in self._answers:
            record = self._next()
            if record["type"] in _LAST:
                self._answers[record["id"]] = record
        return self._answers.pop(request)

    def finish(self) -> None:
        """Wait until the policies are loaded, whether or not there was anything to judge.

        Raises:
            PullguardError: They cannot be loaded.
        """
        while not self._is_ready:
            self._next()

    def parsed(self, record: Record, make: Callable[[Record], T]) -> T:
        """Return a record parsed.

        Raises:
            PullguardError: The record is not what the protocol says.
        """
        try:
            return make(record)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise unreadable(f"a record of the type {record['type']} ({error!r})") from error

    def _next(self) -> Record:
        self.flush()
        return self._take()

    def _take(self) -> Record:
        """Return the next record, after checking what it says about the engine itself."""
        record = self._read()
        if not self._was_greeted:
            self._was_greeted = True
            if record.get("protocol") != VERSION:
                raise unreadable(f"version {record.get('protocol')} of the protocol, not {VERSION}")
            record = self._read()
        kind, request = record.get("type"), record.get("id")
        if kind == "fatal":
            raise PullguardError(f"{ENGINE}: {record.get('message')}")
        if not isinstance(kind, str) or not isinstance(request, int) or not 0 < request <= self._asked:
            raise unreadable("a record that belongs to no request")
        if request == self._setup and kind in _LAST:
            self._is_ready = True
            if kind == "failed":
                raise PullguardError(f"OPA cannot load the policies: {record.get('message')}")
        return record

    def _read(self) -> Record:
        """Read one message, whatever it says."""
        stream = self.start().records
        line = stream.readline()
        if not line.endswith(b"\n"):
            raise self._cut_off()
        try:
            record: Record = json.loads(line)
            size = record.get("size", 0)
            if size:
                record["data"] = stream.read(size)
        except (AttributeError, RecursionError, TypeError, ValueError) as error:
            raise unreadable(f"`{line[:80].decode('utf-8', 'replace').strip()}`") from error
        if size and len(record["data"]) < size:
            raise self._cut_off()
        return record

    def _ended(self) -> PullguardError:
        """Return why the engine has ended, by its last words if there are any."""
        try:
            while True:
                self._take()
        except PullguardError as error:
            return error

    def _cut_off(self) -> PullguardError:
        from pullguard.core.programs import is_out_of_memory  # noqa: PLC0415 - seldom needed

        words = self.start().last_words()
        if is_out_of_memory(words):
            return PullguardError(
                f"{ENGINE} needed more memory than it may have, or than there is",
                remedy="see whether a policy takes it, or give pullguard less to read at once",
            )
        return PullguardError(
            f"{ENGINE} has ended before its answers were complete{f' ({words})' if words else ''}",
            remedy="run the command again; if it happens again, please report this",
        )


def _message(record: Record) -> str:
    message: str = record["message"]
    return message


def unreadable(what: str) -> PullguardError:
    """Return the error for a record that the engine should not have written."""
    return PullguardError(f"{ENGINE} has written {what}, which pullguard cannot read", remedy=_REMEDY)
