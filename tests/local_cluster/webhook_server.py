"""Stands behind Services: a webhook that allows everything, at each address that has a file in the working directory.

Run it as a program; the arguments are a certificate and its key.
"""

import http.client
import json
import ssl
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        # A connection is kept open between requests, and its Service may have lost its pods meanwhile.
        if not Path(self.connection.getsockname()[0]).exists():
            self.close_connection = True
            return
        review = json.loads(body)
        response = {"uid": review["request"]["uid"], "allowed": True}
        answer = json.dumps({"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response})
        self.send_response(http.client.OK)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer.encode())


if __name__ == "__main__":
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server = ThreadingHTTPServer(("0.0.0.0", 443), _Handler)  # noqa: S104 - a network of its own
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    server.serve_forever()
