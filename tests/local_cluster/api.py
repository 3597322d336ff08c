"""Requests to an API server, directly or with kubectl."""

import http.client
import json
import re
import ssl
import subprocess
import time
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

JSON = dict[str, Any]

_TIMEOUT = 60.0
_TRIES = 10
# RFC 9110 has dropped this header, but Kubernetes uses it: a code, an agent, and a quoted text.
_WARNING = re.compile(r'299 - "((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a server.

    Attributes:
        code: The HTTP status.
        body: The JSON in its body, or its text.
        warnings: The texts of its warnings, in order.
    """

    code: int
    body: Any
    warnings: tuple[str, ...]

    @property
    def message(self) -> str:
        """The message of a refusal, or "" if the request was accepted."""
        return "" if self.code < http.client.BAD_REQUEST else str(self.body["message"])


class Client:
    """A connection to a server, which is kept open between requests.

    Args:
        url: The server: https, host and port.
        authority: The file with the certificate that the server is known by.
        token: The bearer token; "" for none.
    """

    def __init__(self, url: str, authority: Path, token: str = "") -> None:
        place = urlsplit(url)
        context = ssl.create_default_context(cafile=str(authority))
        self._connection = http.client.HTTPSConnection(
            place.hostname or "", place.port, timeout=_TIMEOUT, context=context
        )
        # This includes the clients of failed tests, which live until pytest ends.
        weakref.finalize(self, self._connection.close)
        self._headers = {"Accept": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def close(self) -> None:
        """Close the connection. The next request opens it again."""
        self._connection.close()

    def request(self, method: str, path: str, body: Any = None, *, content_type: str = "application/json") -> Answer:
        """Send a request. Repeat it if the server asks for that, because a new kind of objects is not ready yet.

        Args:
            method: The HTTP method.
            path: The path with its query.
            body: A JSON value, or None for no body.
            content_type: The type of the body; patches have types of their own.

        Raises:
            OSError: The server cannot be reached.
        """
        for _ in range(_TRIES):
            try:
                answer = self._request(method, path, body, content_type)
            except (http.client.RemoteDisconnected, ssl.SSLEOFError, BrokenPipeError):
                continue  # the connection was idle for too long
            if answer.code != http.client.TOO_MANY_REQUESTS:
                return answer
            time.sleep(1)
        return self._request(method, path, body, content_type)

    def _request(self, method: str, path: str, body: Any, content_type: str) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, data, {**self._headers, "Content-Type": content_type})
            answer = self._connection.getresponse()
            content = answer.read()
        except (http.client.HTTPException, OSError):
            self._connection.close()
            raise
        text = content.decode()
        # Webhooks do not state that the body is JSON.
        value = json.loads(text) if text.startswith("{") else text
        found = _WARNING.findall(", ".join(answer.headers.get_all("Warning", [])))
        return Answer(answer.status, value, tuple(re.sub(r"\\(.)", r"\1", warning) for warning in found))


@dataclass(frozen=True, slots=True)
class Kubectl:
    """The real kubectl, as one user of one cluster.

    Attributes:
        program: The kubectl binary.
        kubeconfig: The file that selects the cluster and the user.
    """

    program: Path
    kubeconfig: Path

    def __call__(
        self, *arguments: str | Path, stdin: Any = None, check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run it.

        Args:
            arguments: The command line.
            stdin: A JSON value for stdin, which an argument "-" reads.
            check: Whether a failure ends the test.
        """
        done = subprocess.run(
            [str(self.program), f"--kubeconfig={self.kubeconfig}", *map(str, arguments)],
            input=None if stdin is None else json.dumps(stdin),
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
            cwd=self.kubeconfig.parent,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.kubeconfig.parent)},
        )
        assert not check or done.returncode == 0, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
        return done

    def get(self, *arguments: str) -> Any:
        """Return the output of `kubectl get` as a JSON value."""
        return json.loads(self("get", *arguments, "--output=json").stdout)
