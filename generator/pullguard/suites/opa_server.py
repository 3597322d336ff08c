"""OPA as a server of this process: on loopback, behind a token, and gone when this process is gone.

It must show that it is ours before it gets the token: another program may have taken the port in the meantime.
"""

import hashlib
import http.client
import json
import secrets
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote

from pullguard.core import systems
from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.core.programs import before_exec, out_of_memory

if TYPE_CHECKING:
    from opa_client.opa import OpaClient  # type: ignore[import-untyped] # the package has no types
    from typing_extensions import Self

_HOST = "127.0.0.1"
_START_SECONDS = 30.0
_POLL_SECONDS = 0.002
_ANSWER_SECONDS = 120.0
_PORTS_TRIED = 5
_SETTINGS_PATH = "pullguard.server"  # in data
_LONGEST_PROOF = 1000  # bytes
_PROOF_SECONDS = 10.0
_TAKEN = "address already in use"

# OPA compiles more than it keeps: collecting less often saves a third of its time.
_SETTINGS = {"GOGC": "400"}


@dataclass(frozen=True, slots=True)
class RegoFault:
    """One error that OPA reports.

    Attributes:
        code: Such as "rego_parse_error".
        message: The text.
        file: The module's id, or "".
        row: Its 1-based line, or 0.
    """

    code: str
    message: str
    file: str = ""
    row: int = 0

    def __str__(self) -> str:
        """Return it as OPA writes it."""
        place = f"{self.file}:{self.row}: " if self.row else ""
        return f"{place}{self.code}: {self.message}"


class RegoError(Exception):
    """OPA refuses a module, or evaluating a query has failed."""

    def __init__(self, faults: Sequence[RegoFault]) -> None:
        super().__init__("; ".join(str(fault) for fault in faults))
        self.faults = tuple(faults)


class OpaServer:
    """An OPA server as a context manager: entering starts it, the first request waits until it answers.

    It has to be entered in the main thread: on Linux the kernel kills the server when the thread that started
    it ends, which is what makes it go away with a parent that is killed.

    Args:
        opa: The command that is OPA's own.
        version: The Rego of the modules that it takes, "v0" or "v1".
        rego: The modules that it loads at first; those of rego/system must be among them.
    """

    def __init__(self, opa: Sequence[str], *, version: str, rego: Sequence[Path]) -> None:
        self._command = [
            *opa,
            "run",
            "--server",
            "--authentication=token",
            "--authorization=basic",
            "--skip-version-check",
            "--log-level=error",
            *(["--v0-compatible"] if version == "v0" else []),
        ]
        self._rego = [str(path) for path in rego]
        self._token = secrets.token_urlsafe(32)
        self._nonce = secrets.token_urlsafe(32)
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._log: IO[bytes] | None = None
        self._files = ExitStack()
        self._client: OpaClient | None = None

    def __enter__(self) -> "Self":
        """Start the server."""
        self._log = tempfile.TemporaryFile()
        try:
            self._start()
        except PullguardError:
            self._close_files()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the server."""
        if self._client is not None:
            self._client.close_connection()
        self._stop()
        self._close_files()

    @property
    def pid(self) -> int:
        """Return the process id; 0 before it has been started."""
        return 0 if self._process is None else self._process.pid

    @property
    def port(self) -> int:
        """Return the port that it listens on; 0 before it has been started."""
        return self._port

    def wait(self) -> None:
        """Wait until the server answers; the other methods do so by themselves.

        Raises:
            PullguardError: It has ended, such as because it does not take the modules that it was started with.
        """
        if self._client is None:
            self._connect()

    def put(self, module: str, text: str) -> None:
        """Load a module, or another text for it.

        Raises:
            RegoError: OPA refuses it.
            PullguardError: The server has ended or does not answer.
        """
        from opa_client.errors import (  # type: ignore[import-untyped] # noqa: PLC0415 - no types; it takes 0.3 s
            RegoParseError,
        )

        if not text:
            # The client has no request for it; OPA would say the same.
            raise RegoError([RegoFault("rego_parse_error", "empty module", module)])
        try:
            self._call(lambda client: client.update_policy_from_string(text, _in_url(module), rego_compat=False))
        except RegoParseError as error:
            raise RegoError(_faults(error.errors, str(error.message))) from error

    def delete(self, module: str) -> None:
        """Forget a module.

        Raises:
            RegoError: Others need it.
            PullguardError: The server has ended or does not answer.
        """
        from opa_client.errors import DeletePolicyError  # noqa: PLC0415 - as above

        try:
            self._call(lambda client: client.delete_policy(_in_url(module)))
        except DeletePolicyError as error:
            raise RegoError([RegoFault(str(error.expression), str(error.message), module)]) from error

    def query(self, rule: str, document: Any) -> Any:
        """Evaluate a rule, such as "gatekeeper.suite.answers", with ``document`` as its input.

        Raises:
            RegoError: Evaluating it has failed.
            PullguardError: The server has ended or does not answer, or the rule is undefined.
        """
        from requests.exceptions import HTTPError  # noqa: PLC0415 - as above

        try:
            answer = self._call(lambda client: client.query_rule(document, rule))
        except HTTPError as error:
            body = {} if error.response is None else error.response.json()
            raise RegoError(_faults(body.get("errors") or (), str(body.get("message")))) from error
        if "result" not in answer:
            raise PullguardError(f"OPA has no value for data.{rule}")
        return answer["result"]

    def _call(self, request: Callable[["OpaClient"], Any]) -> Any:
        from requests import exceptions  # noqa: PLC0415 - as above

        client = self._client or self._connect()
        if self._process is not None and self._process.poll() is not None:
            # Another program may listen there now: it must not get the token.
            raise self._ended()
        try:
            return request(client)
        except exceptions.Timeout as error:
            raise PullguardError(f"the OPA server has not answered for {_ANSWER_SECONDS:g} seconds") from error
        except exceptions.ConnectionError as error:
            raise self._ended() from error

    def _close_files(self) -> None:
        self._files.close()
        if self._log is not None:
            self._log.close()

    def _start(self) -> None:
        self._port = _free_port()
        environment = bare_environment()
        if self._log is not None:
            self._log.seek(0)
            self._log.truncate()
        # A file that nobody else can read; rego/system/authz reads it as data.
        settings, path = self._files.enter_context(systems.readable_file())
        token_hash = hashlib.sha256(self._token.encode()).hexdigest()
        settings.write(json.dumps({"tokenHash": token_hash, "nonce": self._nonce}).encode())
        settings.flush()
        self._start_process(path, environment)

    def _start_process(self, settings: str, environment: Mapping[str, str]) -> None:
        command = [*self._command, f"--addr={_HOST}:{self._port}", *self._rego, f"{_SETTINGS_PATH}:{settings}"]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                # OPA writes errors of modules to stdout, everything else to stderr.
                stdout=self._log,
                stderr=self._log,
                env={**environment, **_SETTINGS},
                # Ctrl-C reaches the whole process group of a terminal, but the parent must end the server.
                start_new_session=True,
                preexec_fn=before_exec(confined=True),  # noqa: PLW1509 - two system calls, and no threads here
            )
        except OSError as error:
            raise PullguardError(f"{command[0]} cannot be run: {error.strerror}") from error

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _connect(self) -> "OpaClient":
        """Return a client once the server answers it."""
        for _ in range(_PORTS_TRIED):
            if self._listens():
                if self._is_ours():
                    self._client = _client(self._port, self._token)
                    return self._client
                # Another program has the port.
            elif _TAKEN not in self._said():
                raise self._ended()
            self._stop()
            self._start()
        raise PullguardError(f"none of {_PORTS_TRIED} ports on {_HOST} could be used for the OPA server")

    def _listens(self) -> bool:
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                return False
            with socket.socket() as probe:
                if probe.connect_ex((_HOST, self._port)) == 0:
                    return True
            time.sleep(_POLL_SECONDS)
        return False

    def _is_ours(self) -> bool:
        """Tell whether it is our server that has the port: it knows the nonce, which nobody else was told."""
        connection = http.client.HTTPConnection(_HOST, self._port, timeout=_PROOF_SECONDS)
        try:
            connection.request("GET", f"/v1/data/{_SETTINGS_PATH.replace('.', '/')}/nonce")
            answer = json.loads(connection.getresponse().read(_LONGEST_PROOF))
            nonce = answer["result"]
        except (OSError, http.client.HTTPException, ValueError, LookupError, TypeError):
            return False
        finally:
            connection.close()
        return isinstance(nonce, str) and secrets.compare_digest(nonce.encode(), self._nonce.encode())

    def _said(self) -> str:
        """Return what the server wrote, without OPA's warning about root."""
        if self._log is None:
            return ""
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").splitlines()
        return "\n".join(line for line in lines if '"level":"warning"' not in line)

    def _ended(self) -> PullguardError:
        code: int | None = None
        if self._process is not None:
            try:
                code = self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                return PullguardError("the OPA server does not answer any more")
        how = f"was ended by {signal.Signals(-code).name}" if code and code < 0 else f"ended with code {code}"
        said = self._said()
        said = out_of_memory(said) or said
        return PullguardError(f"the OPA server {how}{f': {said}' if said else ''}")


def _client(port: int, token: str) -> "OpaClient":
    from opa_client.opa import OpaClient  # noqa: PLC0415 - importing it takes 0.3 s

    class Client(OpaClient):  # type: ignore[misc] # the package has no types
        """The client without what reaches beyond this machine: no proxies, no .netrc, one attempt."""

        def _init_session(self) -> Any:
            session = super()._init_session()
            session.trust_env = False
            return session

    return Client(host=_HOST, port=port, token=token, retries=0, timeout=_ANSWER_SECONDS)


def _free_port() -> int:
    """Return a port that is free right now; another program may take it before OPA does."""
    with socket.socket() as reserved:
        reserved.bind((_HOST, 0))
        port: int = reserved.getsockname()[1]
        return port


def _in_url(module: str) -> str:
    return quote(module, safe="")


def _faults(errors: Sequence[Mapping[str, Any]], message: str) -> list[RegoFault]:
    faults = []
    for error in errors:
        place = error.get("location") or {}
        faults.append(
            RegoFault(str(error["code"]), str(error["message"]), place.get("file") or "", place.get("row") or 0)
        )
    return faults or [RegoFault("error", message)]
