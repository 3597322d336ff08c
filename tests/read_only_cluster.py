"""The part of an API server that `kubectl get` needs: discovery, and lists in chunks.

It simulates a cluster in which some kinds are forbidden or missing. Other tests cover the behaviour of a real API
server.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pullguard.cluster.snapshot import Kind

JSON = dict[str, Any]

TOKEN = "a-token-that-nobody-may-see"  # noqa: S105 - it opens nothing

_LEGACY = "application/json"

_FAULTS = {"Expired": 410, "ServiceUnavailable": 503, "InternalError": 500}

# The versions of the groups whose version is not v1.
_VERSIONS = {"constraints.gatekeeper.sh": "v1beta1"}


class _Server(ThreadingHTTPServer):
    # kubectl asks about all API groups at once. The kernel drops what exceeds the queue, and the client then waits 1 s.
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):  # kubectl may be stopped while it waits
            super().handle_error(request, client_address)


class ReadOnlyCluster:
    """A server on loopback.

    Args:
        kinds: The kinds that it serves, each in one version.
        objects: Its objects, by kind.
        forbidden: The kinds that must not be listed.
        chunk: The highest number of objects in an answer, whatever the request asks for.
        expired: The positions at which lists cannot be continued. Each is refused once, as if etcd had compacted it.

    Attributes:
        requests: The paths and queries of all list requests, in order.
        faults: The faults of list requests, each used once, in order: a part of the path and query, and the reason,
            such as Expired.
        answers: Fixed answers by path, whatever the query.
    """

    def __init__(
        self,
        kinds: Sequence[Kind],
        objects: Mapping[str, Sequence[JSON]],
        *,
        forbidden: Sequence[str] = (),
        chunk: int = 2,
        refused: bool = False,
        expired: Sequence[int] = (),
    ) -> None:
        self.requests: list[str] = []
        self.faults: list[tuple[str, str]] = []
        self.answers: dict[str, bytes] = {}
        self._kinds, self._objects, self._forbidden, self._chunk = kinds, objects, forbidden, chunk
        self._refused = refused
        self._expired = list(expired)
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stated = cluster.answers.get(urlsplit(self.path).path)
                code, body = (200, None) if stated is not None else cluster.answer(self.path)
                data = json.dumps(body).encode() if stated is None else stated
                self.send_response(code)
                self.send_header("Content-Type", _LEGACY)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is its caller's
                pass

        self._server = _Server(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop the server if it is still running."""
        if not self._thread.is_alive():
            return
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def write_kubeconfig(self, path: Path) -> Path:
        """Write a kubeconfig with the server as the context `here`."""
        server = f"http://127.0.0.1:{self._server.server_port}"
        value = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": server}}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": TOKEN}}],
            "current-context": "here",
        }
        path.write_text(json.dumps(value), "utf-8")
        return path

    def answer(self, target: str) -> tuple[int, JSON]:
        """Return the code and the body of the answer to a GET."""
        url = urlsplit(target)
        groups = sorted({kind.group for kind in self._kinds} - {""})
        fixed: dict[str, JSON] = {
            "/api": {"kind": "APIVersions", "apiVersion": "v1", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name) for name in groups]},
            **{f"/apis/{name}": {"kind": "APIGroup", "apiVersion": "v1", **_group(name)} for name in groups},
        }
        if self._refused:
            return 401, _status(401, "Unauthorized", "Unauthorized")
        if url.path in fixed:
            return 200, fixed[url.path]
        group, rest = _split(url.path)
        own = [kind for kind in self._kinds if kind.group == group]
        if not rest and own:
            return 200, {
                "kind": "APIResourceList",
                "apiVersion": "v1",
                "groupVersion": _api_version(group),
                "resources": [_resource(kind) for kind in own],
            }
        for kind in own:
            if rest == f"/{kind.resource}":
                self.requests.append(f"{url.path}?{url.query}")
                return self._list(kind, parse_qs(url.query))
        return 404, _status(404, "NotFound", "the server could not find the requested resource")

    def _list(self, kind: Kind, query: Mapping[str, Sequence[str]]) -> tuple[int, JSON]:
        if kind.kind in self._forbidden:
            name = f'{kind.resource} is forbidden: User "u" cannot list resource "{kind.resource}"'
            return 403, _status(403, "Forbidden", name)
        if self.faults and self.faults[0][0] in self.requests[-1]:
            _, reason = self.faults.pop(0)
            return _FAULTS[reason], _status(_FAULTS[reason], reason, f"a test wants {reason}")
        start = int(query.get("continue", ["0"])[0])
        if start in self._expired:
            self._expired.remove(start)
            return 410, _status(410, "Expired", "The provided continue parameter is too old")
        objects = self._objects.get(kind.kind, ())
        metadata = {"continue": str(start + self._chunk)} if start + self._chunk < len(objects) else {}
        return 200, {
            "kind": f"{kind.kind}List",
            "apiVersion": _api_version(kind.group),
            "metadata": metadata,
            "items": list(objects[start : start + self._chunk]),
        }


def _split(path: str) -> tuple[str, str]:
    """Return the group of a path, and the rest of the path after the version."""
    root, *parts = path.removeprefix("/").split("/")
    group = "" if root == "api" else "".join(parts[:1])
    return group, "".join(f"/{part}" for part in parts[1 if root == "api" else 2 :])


def _api_version(group: str) -> str:
    version = _VERSIONS.get(group, "v1")
    return f"{group}/{version}" if group else version


def _group(name: str) -> JSON:
    version = {"groupVersion": _api_version(name), "version": _VERSIONS.get(name, "v1")}
    return {"name": name, "versions": [version], "preferredVersion": version}


def _resource(kind: Kind) -> JSON:
    return {
        "name": kind.resource,
        "singularName": kind.kind.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": ["get", "list"],
        "categories": ["constraints"] if kind.group == "constraints.gatekeeper.sh" else [],
    }


def _status(code: int, reason: str, message: str) -> JSON:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": {},
        "code": code,
    }
