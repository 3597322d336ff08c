"""A proxy of an API server that injects faults into the requests that a test chooses."""

import http.client
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

_TIMEOUT = 60.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in one request.

    Attributes:
        path: A regular expression for the path and query of the request.
        code: The HTTP status of the answer; 0 closes the connection without an answer.
        reason: The reason in the answer's body, in Kubernetes' words.
        headers: The headers of the answer.
        before: Called before the answer.
        passes: Whether the request is still passed on.
    """

    path: str
    code: int = 0
    reason: str = ""
    headers: Mapping[str, str] | None = None
    before: Callable[[], object] | None = None
    passes: bool = False


class FaultProxy:
    """A server on loopback that passes requests on, except for faults. Each fault happens once, in the given order.

    Args:
        url: The URL of the API server.
        authority: The file with the certificate that the API server is known by.
        token: The token of the user. kubectl does not send tokens to a server without TLS.

    Attributes:
        faults: The faults that have not happened yet.
        requests: The paths and queries of all requests.
    """

    def __init__(self, url: str, authority: Path, token: str) -> None:
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self._place = urlsplit(url)
        self._token = token
        self._context = ssl.create_default_context(cafile=str(authority))
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                proxy.requests.append(self.path)
                if proxy.faults and re.search(proxy.faults[0].path, self.path):
                    fault = proxy.faults.pop(0)
                    if fault.before is not None:
                        fault.before()
                    if fault.code:
                        self.answer(fault.code, _status(fault), fault.headers or {})
                    if not fault.passes:
                        self.close_connection = True
                        return
                self.answer(*proxy.fetch(self.path))

            def answer(self, code: int, data: bytes, headers: Mapping[str, str]) -> None:
                self.send_response(code)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is its caller's
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def fetch(self, path: str) -> tuple[int, bytes, Mapping[str, str]]:
        """Return the API server's answer: code, body and headers."""
        connection = http.client.HTTPSConnection(
            self._place.hostname or "", self._place.port, timeout=_TIMEOUT, context=self._context
        )
        try:
            headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), {"Content-Type": answer.headers.get("Content-Type", "text/plain")}
        finally:
            connection.close()


def _status(fault: Fault) -> bytes:
    value = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": f"a test wants {fault.reason}",
        "reason": fault.reason,
        "code": fault.code,
    }
    return json.dumps(value).encode()
