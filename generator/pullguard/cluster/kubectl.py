"""kubectl, the only way to a live cluster. Transient failures are retried; kubectl's messages tell failures apart."""

import json
import os
import re
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from pullguard.core import programs, systems
from pullguard.core.errors import PullguardError, TimedOutError

_TIMEOUT = 300.0
_REQUEST_TIMEOUT = "60s"
_PAGE = 500

# An API server that restarts is back within a minute. One that was never reached more likely has a wrong address.
_WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_FIRST_WAITS = (0.5, 1.0)
# A continue token is valid as long as etcd keeps its revision: five minutes. A list that takes longer starts over.
_LISTS_BEGUN = 5
_LISTS_AT_ONCE = 2
# Most of the time of a small request is kubectl's start and its way to the API server.
_GETS_AT_ONCE = 4
# The most pages of one list: with 500 objects each, more than etcd can hold.
_MOST_PAGES = 50_000

# The JSON around the items of a list. Built-in kinds have the metadata before the items, other kinds after them.
# Neither pattern can match inside a string, because quotes are escaped there.
_ENVELOPE = 2**16
_BEFORE_ITEMS = re.compile(rb'\{"kind":"\w+List","apiVersion":"[^"]+","metadata":(?P<metadata>\{[^{}]*\}),"items":')
_BEHIND_ITEMS = re.compile(rb'\],"kind":"\w+List","metadata":(?P<metadata>\{[^{}]*\})\}\s*\Z')

# kubectl's messages in all versions from 1.27 on. Only the text tells failures apart: the exit code is always 1.
_FORBIDDEN = re.compile(r"\(Forbidden\)")
_ALREADY_EXISTS = re.compile(r"\(AlreadyExists\)")
_NOT_FOUND = re.compile(r"\(NotFound\)")
_NO_SUCH_RESOURCE = re.compile(r"the server doesn't have a resource type")
_EXPIRED = re.compile(r"\((?:Expired|Gone)\)")
_PASSING = re.compile(
    r"\((?:TooManyRequests|ServiceUnavailable|Timeout|ServerTimeout|InternalError)\)"
    r"|asked us to try again later|currently unable to handle the request|etcdserver: |apiserver not ready"
    r"|was refused|connection reset|\bEOF\b|handshake timeout|i/o timeout|client connection lost|GOAWAY"
    r"|context deadline exceeded|request canceled|server closed idle connection"
    # An API server that has just started does not know its roles yet.
    r"|RBAC: \[?(?:cluster)?role"
)
# The API server itself reports this. Every other message is about the connection to it.
_FROM_SERVER = re.compile(r"[Ee]rror from server")
_SECRET = re.compile(
    r"""(?i)(\b(?:bearer|basic)\s+|(?:token|password|passwd|passphrase|secret|api[-_]?key|key-data)["']?\s*[=:]\s*["']?)"""
    r"""[^\s"']+|(?<=://)[^/\s@]+(?=@)"""
)

# What kubectl logs before its final message: the same line for each attempt at discovery.
_LOGGED = re.compile(
    r"""[EFIW]\d{4} [\d:.]+ +\d+ \w+\.go:\d+\] "(?:[^"\\]|\\.)*"(?: \w+="(?P<error>(?:[^"\\]|\\.)*)")* *"""
)

_REMEDY = "check that `kubectl get namespaces` works with the same --kubeconfig and --context"

JSON = dict[str, Any]

T = TypeVar("T")


class RefusedError(PullguardError):
    """kubectl could not do something, because the API server refused it or cannot be reached.

    Args:
        asked: What kubectl was asked for.
        words: kubectl's message, on one line, without credentials.
        verb: What it was to do with that.
    """

    def __init__(self, asked: str, words: str, *, verb: str = "read") -> None:
        self.conclusion = _conclusion(words)
        super().__init__(f"kubectl could not {verb} {asked}: {self.conclusion}", remedy=_REMEDY)
        self.words = words

    @property
    def already_exists(self) -> bool:
        """Whether there is an object of this name."""
        return _ALREADY_EXISTS.search(self.words) is not None

    @property
    def forbidden(self) -> bool:
        """Whether the user is not allowed to read it."""
        return _FORBIDDEN.search(self.words) is not None

    @property
    def not_found(self) -> bool:
        """Whether nothing exists at this path."""
        return _NOT_FOUND.search(self.words) is not None

    @property
    def no_such_resource(self) -> bool:
        """Whether discovery did not find the resource."""
        return _NO_SUCH_RESOURCE.search(self.words) is not None

    @property
    def expired(self) -> bool:
        """Whether the continue token is too old."""
        return _EXPIRED.search(self.words) is not None


class Kubectl:
    """kubectl with a kubeconfig and a context.

    Args:
        program: The binary.
        options: The options that select the cluster.
        folder: A private folder for kubectl's output.
        source: The name of the cluster, for people.
    """

    def __init__(self, program: Path, options: Sequence[str], folder: Path, source: str) -> None:
        self.source = source
        self._program = program
        self._options = tuple(options)
        self._folder = folder
        self._reached = False

    def get(self, *arguments: str) -> bytes:
        """Return the output of `kubectl get`.

        Raises:
            RefusedError: The API server refuses the request, or cannot be reached.
            PullguardError: kubectl does not end in time.
        """
        return self._ended(arguments, self._start(arguments)).stdout

    def get_each(self, requests: Sequence[Sequence[str]]) -> Generator["bytes | RefusedError", None, None]:
        """Yield the output of `kubectl get` with each list of arguments, in order. The next ones are read meanwhile.

        Closing the generator stops what still runs.

        Args:
            requests: The lists of arguments.

        Raises:
            PullguardError: kubectl does not end in time.
        """
        waiting = deque(requests)
        running: deque[tuple[Sequence[str], programs.Program]] = deque()
        try:
            while waiting or running:
                while waiting and len(running) < _GETS_AT_ONCE:
                    running.append((waiting[0], self._start(waiting.popleft())))
                try:
                    output: bytes | RefusedError = self._ended(*running.popleft()).stdout
                except RefusedError as error:
                    output = error
                yield output
        finally:
            for _, program in running:
                program.stop()

    def value(self, path: str) -> Any:
        """Return the JSON value at a path of the API.

        Raises:
            RefusedError: As for `get`.
            PullguardError: As for `get`, or the answer is not JSON.
        """
        return _loaded(self.get(f"--raw={path}"), path)

    def create(self, path: str, obj: Mapping[str, Any]) -> None:
        """Create an object.

        Args:
            path: The path of its list in the API, such as "/apis/batch/v1/namespaces/default/jobs".
            obj: The object; no other may have its name.

        Raises:
            RefusedError: The API server refuses it, or cannot be reached.
            PullguardError: kubectl does not end in time.
        """
        file = self._folder / "object.json"
        file.write_text(json.dumps(obj), "utf-8")
        arguments = (f"--raw={path}", f"--filename={file}")
        try:
            self._ended(arguments, self._start(arguments, verb="create"), verb="create")
        except RefusedError as error:
            if not error.already_exists:  # it is there if an answer was lost on its way
                raise

    def delete(self, path: str) -> None:
        """Delete an object or, by the path of a list with a query, several.

        Raises:
            RefusedError: As for `create`.
            PullguardError: As for `create`.
        """
        arguments = (f"--raw={path}",)
        self._ended(arguments, self._start(arguments, verb="delete"), verb="delete")

    def parsed(self, path: str, make: Callable[[Any], T]) -> T:
        """Return what `make` returns for the JSON value at a path of the API.

        Raises:
            RefusedError: As for `get`.
            PullguardError: As for `value`, or `make` cannot handle the value.
        """
        value = self.value(path)
        try:
            return make(value)
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise PullguardError(f"the API server's answer to {path} has an unexpected form ({error!r})") from error

    def pages(self, path: str, *, limit: int = _PAGE) -> Iterator[list[JSON]]:
        """Yield the objects of a list page by page, each object once. At most one page is in memory.

        Args:
            path: The path of the list in the API, such as "/apis/apps/v1/deployments".
            limit: The highest number of objects on a page.

        Raises:
            RefusedError: As for `get`, or the continue token expires again and again.
            PullguardError: As for `value`, or the answer is not a list.
        """
        seen: set[tuple[str, str]] = set()
        listed = _List(path, limit)
        while True:
            try:
                value = self.value(listed.target)
            except RefusedError as error:
                if not error.expired or listed.begun == _LISTS_BEGUN:
                    raise
                listed.begin_again()
                continue
            items, token = _page(value, path)
            names = [(str(item["metadata"].get("namespace", "")), item["metadata"]["name"]) for item in items]
            yield [item for item, name in zip(items, names, strict=True) if name not in seen]
            seen.update(names)
            if not listed.go_on(token):
                return

    def page_files(self, paths: Sequence[str], *, limit: int = _PAGE) -> Iterator["PageFile | RefusedList"]:
        """Yield the pages of several lists as files, as the API server writes them. The next pages are read meanwhile.

        The pages of one list come in order. If a continue token expires, the list starts over; the caller must then
        drop its earlier pages.

        Args:
            paths: The paths of the lists.
            limit: The highest number of objects on a page.

        Raises:
            PullguardError: kubectl does not end in time, or the answer is not a list.
        """
        waiting = deque(_List(path, limit) for path in paths)
        reading: deque[tuple[_List, Path, programs.Program]] = deque()
        number = 0
        try:
            while waiting or reading:
                while waiting and len(reading) < _LISTS_AT_ONCE:
                    number += 1
                    file = self._folder / f"page-{number}.json"
                    reading.append((waiting[0], file, self._start((f"--raw={waiting.popleft().target}",), file)))
                listed, file, program = reading.popleft()
                try:
                    self._ended((f"--raw={listed.target}",), program, file)
                    goes_on = listed.go_on(next_page(file.read_bytes(), listed.path))
                except RefusedError as error:
                    if not error.expired or listed.begun == _LISTS_BEGUN:
                        yield RefusedList(listed.path, error)
                        continue
                    listed.begin_again()
                else:
                    yield PageFile(listed.path, listed.begun, file)
                    if not goes_on:
                        continue
                waiting.appendleft(listed)
        finally:
            for _, _, program in reading:
                program.stop()

    def _start(self, arguments: Sequence[str], output: Path | None = None, *, verb: str = "get") -> programs.Program:
        command = [str(self._program), verb, *arguments, *self._options]
        return programs.start(command, folder=self._folder, timeout=_TIMEOUT, output=output)

    def _ended(
        self, arguments: Sequence[str], program: programs.Program, output: Path | None = None, *, verb: str = "get"
    ) -> programs.Ended:
        """Return the result of a program. The program is started again after transient failures."""
        attempt = 0
        while True:
            try:
                ended = program.wait()
            except TimedOutError:
                raise PullguardError(f"kubectl did not answer {_shown(arguments)} in {_TIMEOUT:.0f} seconds") from None
            if ended.code == 0:
                self._reached = True
                return ended
            words = _SECRET.sub(lambda found: f"{found[1] or ''}(hidden)", ended.stderr)
            words = words or f"it ended with code {ended.code}"
            error = RefusedError(_shown(arguments), words, verb="read" if verb == "get" else verb)
            self._reached |= _FROM_SERVER.search(words) is not None
            waits = _WAITS if self._reached else _FIRST_WAITS
            if error.no_such_resource or _PASSING.search(words) is None or attempt == len(waits):
                raise error
            time.sleep(waits[attempt])
            attempt += 1
            program = self._start(arguments, output, verb=verb)


@dataclass(frozen=True, slots=True)
class PageFile:
    """A page of a list.

    Attributes:
        path: The path of the list in the API.
        begun: How many times the list has been started. Pages with a smaller number do not count.
        file: The file that holds the page; the caller must remove it.
    """

    path: str
    begun: int
    file: Path


@dataclass(frozen=True, slots=True)
class RefusedList:
    """A list that cannot be read to its end.

    Attributes:
        path: The path of the list in the API.
        error: The reason.
    """

    path: str
    error: RefusedError


@dataclass(slots=True)
class _List:
    """A list that is being read page by page.

    Attributes:
        path: Its path in the API.
        limit: The highest number of objects on a page.
        begun: How many times it has been started.
    """

    path: str
    limit: int
    begun: int = 1
    _token: str = ""
    _tokens: set[str] = field(default_factory=set)  # of all pages since the list was last started

    @property
    def target(self) -> str:
        """The path and the query of the next page."""
        query = {"limit": self.limit, "continue": self._token} if self._token else {"limit": self.limit}
        return f"{self.path}?{urlencode(query)}"

    def begin_again(self) -> None:
        """Start over with the first page."""
        self.begun += 1
        self._token = ""
        self._tokens.clear()

    def go_on(self, token: str) -> bool:
        """Go on to the page with this token. Return false if the token is "", that is, at the end of the list.

        Raises:
            PullguardError: The list does not end.
        """
        if token in self._tokens:
            raise _no_list(self.path, "a continue token is repeated")
        if len(self._tokens) == _MOST_PAGES:
            raise _no_list(self.path, "it does not end")
        self._token = token
        if token:
            self._tokens.add(token)
        return bool(token)


def next_page(data: bytes, path: str) -> str:
    """Return the token of the page after this one, or "" if this is the last page. The items are not parsed.

    Args:
        data: The page as the API server writes it, with the metadata of the list before or after the items.
        path: The path of the list, for people.

    Raises:
        PullguardError: The page is not part of a list.
    """
    before = _BEFORE_ITEMS.match(data, 0, _ENVELOPE)
    behind = _BEHIND_ITEMS.search(data, max(len(data) - _ENVELOPE, 0))
    for found in (before, behind):
        with suppress(ValueError):
            metadata = json.loads(found["metadata"]) if found is not None else None
            if isinstance(metadata, dict):
                return _token(metadata, path)
    return _page(_loaded(data, path), path)[1]


def entries(value: Any, name: str) -> list[Any]:
    """Return the list in a field of an API server's answer. A value of another type is an error, not an empty list.

    Raises:
        KeyError: The field is missing.
        TypeError: The field has another type.
    """
    found = value[name]
    if not isinstance(found, list):
        raise TypeError(name)
    return found


@contextmanager
def connected(
    *, kubeconfig: str | None = None, context: str | None = None, program: str | None = None
) -> Iterator[Kubectl]:
    """Yield kubectl for a cluster.

    Args:
        kubeconfig: The file. None: kubectl's default, which in a pod is the cluster that the pod runs in.
        context: The context in the file. None: the current one.
        program: The kubectl binary. None: kubectl on PATH.

    Raises:
        PullguardError: kubectl or the kubeconfig does not exist.
    """
    binary = _binary(program)
    file = _kubeconfig(kubeconfig)
    options = []
    # In a pod, kubectl uses the pod's ServiceAccount only if no option changes its default configuration.
    if file is not None or context is not None or not os.environ.get("KUBERNETES_SERVICE_HOST"):
        options.append(f"--request-timeout={_REQUEST_TIMEOUT}")
    if file is not None:
        options.append(f"--kubeconfig={file}")
    if context is not None:
        options.append(f"--context={context}")
    source = "the cluster" if context is None else f"the cluster of context {context}"
    with programs.private_folder() as folder:
        yield Kubectl(binary, options, folder, source)


def _conclusion(words: str) -> str:
    """Return kubectl's final message, or the first line that it logged if there is no final message."""
    logged = _LOGGED.match(words)
    return _LOGGED.sub("", words).strip() or (logged["error"] if logged else None) or words


def _page(value: Any, path: str) -> tuple[list[JSON], str]:
    """Return the objects of a page, which must all have names, and the token of the next page, or "" at the end.

    Items of a typed list lack their kind and apiVersion: they are those that the list states.
    """
    try:
        kind, version = value["kind"].removesuffix("List"), value["apiVersion"]
        stated = [] if value["items"] is None else entries(value, "items")
        items = [{"apiVersion": version, "kind": kind, **item} for item in stated]
        if all(isinstance(item["metadata"]["name"], str) for item in items):
            return items, _token(value["metadata"], path)
        reason = "an object has no name"
    except (KeyError, TypeError, AttributeError) as error:
        reason = repr(error)
    raise _no_list(path, reason)


def _token(metadata: JSON, path: str) -> str:
    token = metadata.get("continue") or ""
    if not isinstance(token, str):
        raise _no_list(path, "the continue token of a page is not a string")
    return token


def _loaded(data: bytes, path: str) -> Any:
    try:
        return json.loads(data)
    except (RecursionError, ValueError) as error:
        raise PullguardError(f"the API server's answer to {path} is not JSON ({error})") from error


def _no_list(path: str, reason: str) -> PullguardError:
    return PullguardError(f"the API server's answer to {path} is not a list ({reason})")


def _shown(arguments: Sequence[str]) -> str:
    return arguments[0].removeprefix("--raw=")


def _binary(stated: str | None) -> Path:
    found = systems.which(stated or "kubectl")
    if found is None:
        raise PullguardError(
            f"{stated or 'kubectl'} is not an executable program",
            remedy="install kubectl, or pass files that `kubectl get -o json` has written",
        )
    return Path(found)


def _kubeconfig(stated: str | None) -> str | None:
    """Return the kubeconfig as an absolute path, because kubectl runs in another folder."""
    if stated is None:
        stated = os.environ.get("KUBECONFIG") or None
        if stated is None:
            return None
        files = stated.split(os.pathsep)
        if len(files) > 1:
            if all(Path(file).is_absolute() for file in files if file):
                return None  # kubectl reads the variable itself
            raise PullguardError(
                "the variable KUBECONFIG lists relative paths", remedy="name one file with --kubeconfig"
            )
    if not Path(stated).is_file():
        raise PullguardError("is not a file", file=stated, remedy="name a kubeconfig with --kubeconfig")
    return str(Path(stated).absolute())
