"""etcd and kube-apiserver."""

import json
import secrets
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from local_cluster.api import Client, Kubectl
from local_cluster.servers import NotReadyError, options_from, running

ADMIN = "admin"
_ADMINISTRATORS = "system:masters"

#: The first address of the range, which is that of the Service `kubernetes`.
SERVICES = "10.96.0.0/16"
SERVICE = "10.96.0.1"

_NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_START = 120.0


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate and its key.

    Attributes:
        certificate: The file, in PEM.
        key: The file with its RSA key, in PEM.
    """

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """An API server, and the means to access it.

    Attributes:
        binaries: The folder of the programs.
        folder: The private folder of its files.
        url: The URL of the API server.
        certificate: The certificate of this server and of others next to it.
        tokens: The bearer tokens of its users, by name.
    """

    binaries: Path
    folder: Path
    url: str
    certificate: Certificate
    tokens: Mapping[str, str]

    def client(self, user: str = ADMIN) -> Client:
        """Return a connection for a user."""
        return Client(self.url, self.certificate.certificate, self.tokens[user])

    def kubeconfig(self, user: str = ADMIN) -> Path:
        """Return the kubeconfig of a user."""
        path = self.folder / f"{user.replace(':', '_')}.kubeconfig"
        authority = str(self.certificate.certificate)
        value = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": self.url, "certificate-authority": authority}}],
            "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
            "users": [{"name": "u", "user": {"token": self.tokens[user]}}],
            "current-context": "here",
        }
        path.write_text(json.dumps(value), "utf-8")
        path.chmod(0o600)
        return path

    def kubectl(self, user: str = ADMIN) -> Kubectl:
        """Return the kubectl of a user."""
        return Kubectl(self.binaries / "kubectl", self.kubeconfig(user))


@contextmanager
def control_plane(
    binaries: Path,
    folder: Path,
    *,
    address: str = "127.0.0.1",
    port: int = 6443,
    users: Mapping[str, Sequence[str]] | None = None,
    options: Mapping[str, str] | None = None,
) -> Iterator[ControlPlane]:
    """Run etcd and kube-apiserver, and wait until they are ready.

    The ports are fixed, because they are free in the network that isolation.py makes.

    Args:
        binaries: The folder of the programs.
        folder: An existing private folder, which others cannot read.
        address: The address on which the API server listens.
        port: The port on which the API server listens.
        users: The users other than the administrator, with their groups.
        options: Options of kube-apiserver, in addition to those here or instead of them.

    Raises:
        NotReadyError: One of the programs did not start.
    """
    known = {ADMIN: (_ADMINISTRATORS,), **(users or {})}
    tokens = {user: secrets.token_hex(16) for user in known}
    token_file = folder / "tokens.csv"
    token_file.write_text(
        "".join(f'{tokens[user]},{user},{user},"{",".join(groups)}"\n' for user, groups in known.items()), "utf-8"
    )
    certificate = make_certificate(folder, sorted({"127.0.0.1", SERVICE, address}), _NAMES)
    plane = ControlPlane(binaries, folder, f"https://{address}:{port}", certificate, tokens)
    peer, clients = "http://127.0.0.1:2380", "http://127.0.0.1:2379"
    etcd_options = {
        "data-dir": str(folder / "etcd"),
        "listen-client-urls": clients,
        "advertise-client-urls": clients,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"default={peer}",
        "log-level": "warn",
    }
    server_options = {
        "etcd-servers": clients,
        "bind-address": address,
        "advertise-address": address,
        "secure-port": str(port),
        "tls-cert-file": str(certificate.certificate),
        "tls-private-key-file": str(certificate.key),
        "token-auth-file": str(token_file),
        "anonymous-auth": "false",
        "authorization-mode": "RBAC",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": str(certificate.certificate),
        "service-account-signing-key-file": str(certificate.key),
        "service-cluster-ip-range": SERVICES,
        "endpoint-reconciler-type": "none",
        # This plugin requires ServiceAccounts, which only a controller would create.
        "disable-admission-plugins": "ServiceAccount",
        **(options or {}),
    }
    with (
        running(binaries / "etcd", "--unsafe-no-fsync", *options_from(etcd_options), folder=folder),
        running(binaries / "kube-apiserver", *options_from(server_options), folder=folder) as server,
    ):
        with closing(plane.client()) as client:

            def ready() -> bool:
                try:
                    return bool(client.request("GET", "/readyz").body == "ok")
                except OSError:
                    return False

            server.wait(ready, timeout=_START)
        yield plane


def make_certificate(folder: Path, addresses: Sequence[str], names: Sequence[str]) -> Certificate:
    """Make a self-signed certificate for addresses and names.

    Raises:
        NotReadyError: openssl failed.
    """
    made = Certificate(folder / "tls.crt", folder / "tls.key")
    alternatives = ",".join([*(f"IP:{address}" for address in addresses), *(f"DNS:{name}" for name in names)])
    done = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=kube-apiserver", "-addext", f"subjectAltName={alternatives}"),
            *("-out", str(made.certificate), "-keyout", str(made.key)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if done.returncode != 0:
        raise NotReadyError(f"openssl made no certificate: {done.stderr}")
    return made
