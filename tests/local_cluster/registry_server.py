"""Serves the working directory as an image registry. Run it as a program; the argument is the address to listen on."""

import hashlib
import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class _Handler(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def guess_type(self, path: str) -> str:  # type: ignore[override]
        in_manifests = Path(path).parent.name == "manifests"
        return "application/vnd.oci.image.manifest.v1+json" if in_manifests else "application/octet-stream"

    def end_headers(self) -> None:
        file = Path(self.translate_path(self.path))
        if file.parent.name == "manifests" and file.is_file():
            self.send_header("Docker-Content-Digest", f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}")
        super().end_headers()


if __name__ == "__main__":
    host, _, port = sys.argv[1].rpartition(":")
    ThreadingHTTPServer((host, int(port)), _Handler).serve_forever()
