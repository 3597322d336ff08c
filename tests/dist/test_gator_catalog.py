"""The catalog of gator, read over HTTPS as from a release: its paths are relative to its own address."""

import functools
import http.server
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(checkout: Path, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Serve the library on loopback; yield the address and the certificate."""
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*request, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True, timeout=60
    )
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(_Quiet, directory=str(checkout / "library"))
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"https://127.0.0.1:{server.server_port}", certificate
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_policies_are_installed_from_an_address(
    checkout: Path, gator: Path, served: tuple[str, Path], tmp_path: Path
) -> None:
    (documented,) = (
        line.strip().removeprefix("export GATOR_CATALOG_URL=")
        for line in (checkout / "docs" / "operate.md").read_text("utf-8").splitlines()
        if line.startswith("    export GATOR_CATALOG_URL=https:")
    )
    assert urlsplit(documented)[1:3] == ("github.com", "/OWNER/pullguard/raw/v0.1.0/library/catalog.yaml")
    address, certificate = served

    def policy(*arguments: str) -> str:
        done = subprocess.run(
            [gator, "policy", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                "GATOR_HOME": str(tmp_path / "gator"),
                "GATOR_CATALOG_URL": f"{address}/catalog.yaml",
                "SSL_CERT_FILE": str(certificate),
                "KUBECONFIG": str(tmp_path / "none"),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert policy("update") == "Updated catalog to version v0.1.0 (5 policies, 3 bundles)\n"
    said = policy("install", "--bundle", "audit", "--dry-run")
    for template in ("k8sprotectedimagecache", "k8sprotectedpullpolicy", "k8swebhookblocksrecovery"):
        assert template in said
