"""As much of an API server as `gator policy` asks for: templates, and the constraints of their kinds.

It stands for a cluster with Gatekeeper in it: a template is created at once, its kind of constraints with it, and both
go with it. What a real one does with the library is another test's matter.
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

_TEMPLATES = "/apis/templates.gatekeeper.sh/v1/constrainttemplates"
_CONSTRAINTS = "/apis/constraints.gatekeeper.sh/v1beta1/"

JSON = dict[str, Any]


class StandInCluster:
    """A server on loopback.

    Attributes:
        objects: What it holds, by collection and name; collections are paths of the API.
    """

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, JSON]] = {_TEMPLATES: {}}
        cluster = self

        class Handler(_Handler):
            def answer(self, body: JSON | None) -> tuple[int, JSON]:
                return cluster.answer(self.command, self.path, body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the server."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def write_kubeconfig(self, path: Path) -> None:
        """Write a kubeconfig that names the server."""
        value = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self._server.server_port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {}}],
            "current-context": "c",
        }
        path.write_text(json.dumps(value), "utf-8")

    def templates(self) -> dict[str, JSON]:
        """Return the templates by their names."""
        return self.objects[_TEMPLATES]

    def constraints(self) -> dict[str, JSON]:
        """Return the constraints of all kinds by their names."""
        return {
            name: obj
            for collection, objects in self.objects.items()
            if collection != _TEMPLATES
            for name, obj in objects.items()
        }

    def answer(self, method: str, target: str, body: JSON | None) -> tuple[int, JSON]:
        """Return the status and the object that answer a request."""
        path = urlsplit(target).path
        if path in self.objects:
            objects = self.objects[path]
            if method == "POST" and body is not None:
                return 201, self._put(path, body)
            selector = parse_qs(urlsplit(target).query).get("labelSelector", [""])[0]
            return 200, {"kind": "List", "apiVersion": "v1", "metadata": {}, "items": _selected(objects, selector)}
        collection, _, name = path.rpartition("/")
        objects = self.objects.get(collection, {})
        if name not in objects:
            known = collection in self.objects
            message = f'"{name}" not found' if known else "the server could not find the requested resource"
            return 404, {
                "kind": "Status",
                "apiVersion": "v1",
                "status": "Failure",
                "reason": "NotFound",
                "code": 404,
                "message": message,
            }
        if method == "PUT" and body is not None:
            return 200, self._put(collection, body)
        if method == "DELETE":
            self.objects.pop(f"{_CONSTRAINTS}{name}", None)
            return 200, objects.pop(name)
        return 200, objects[name]

    def _put(self, collection: str, obj: JSON) -> JSON:
        name = obj["metadata"]["name"]
        if collection == _TEMPLATES:
            obj["status"] = {"created": True}
            self.objects.setdefault(f"{_CONSTRAINTS}{name}", {})
        obj["metadata"]["resourceVersion"] = "1"
        self.objects[collection][name] = obj
        return obj


def _selected(objects: dict[str, JSON], selector: str) -> list[JSON]:
    """Return the objects that a selector of the form key=value selects; an empty one selects all."""
    key, _, value = selector.partition("=")
    return [obj for obj in objects.values() if not key or obj["metadata"].get("labels", {}).get(key) == value]


class _Handler(BaseHTTPRequestHandler):
    def answer(self, body: JSON | None) -> tuple[int, JSON]:
        raise NotImplementedError

    def _reply(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        status, value = self.answer(json.loads(self.rfile.read(length)) if length else None)
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = _reply  # noqa: N815 - the names that http.server calls

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server's signature
        """Say nothing."""
