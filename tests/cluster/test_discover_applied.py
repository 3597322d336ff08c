"""What discover finds in a real API server, and that what it writes is in force once the library is applied."""

from pathlib import Path
from typing import Any

from installed_library import installed
from local_cluster.fixtures import Cluster
from pullguard.discover.command import discover
from pullguard.discover.model import DiscoverReport
from pullguard.generate.command import generate

_STRING = {"type": "string"}
_POD_SPEC = {
    "type": "object",
    "properties": {
        "containers": {"type": "array", "items": {"type": "object", "properties": {"name": _STRING, "image": _STRING}}}
    },
}
_DEFINITION: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.discover.example.com"},
    "spec": {
        "group": "discover.example.com",
        "names": {"kind": "Widget", "plural": "widgets"},
        "scope": "Namespaced",
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": _POD_SPEC}}},
            }
        ],
    },
}


def _discover(cluster: Cluster, configuration: Path, *, writes: bool = False) -> DiscoverReport:
    kubectl = cluster.kubectl
    return discover(
        configuration=configuration, writes=writes, kubeconfig=str(kubectl.kubeconfig), kubectl=str(kubectl.program)
    )


def test_what_is_written_is_in_force_once_it_is_applied(cluster: Cluster, tmp_path: Path) -> None:
    """Gatekeeper's own namespace, and a custom kind. Its webhooks have another URL here, as nothing runs in pods."""
    configuration = tmp_path / "pullguard.yaml"
    configuration.write_text("protectedNamespaces:\n  names: [kube-system]\n", "utf-8")
    cluster.kubectl("apply", "-f", "-", stdin=_DEFINITION)
    try:
        found = _discover(cluster, configuration)
        assert {
            each.name: (each.severity, [reason.reason for reason in each.reasons]) for each in found.new_namespaces
        } == {"gatekeeper-system": ("high", ["policy-engine", "priority"])}
        assert {kind.name: dict(kind.found.entry) for kind in found.new_kinds} == {
            "discover.example.com/Widget": {"paths": ["spec"]}
        }
        assert (found.unreadable, found.errors, found.notes, found.exit_code) == ({}, (), (), 1)
        assert _discover(cluster, configuration, writes=True).exit_code == 0
        library = tmp_path / "library"
        generate(configuration, library)
        with installed(cluster, library, "audit"):
            configuration.write_text("protectedNamespaces:\n  names: [nowhere]\n", "utf-8")
            (namespace,) = (each for each in _discover(cluster, configuration).namespaces if each.severity == "high")
            assert (namespace.name, namespace.protected) == ("gatekeeper-system", ("constraints",))
            kinds = cluster.kubectl.get("k8sprotectedpullpolicy")["items"][0]["spec"]["match"]["kinds"]
            assert {"apiGroups": ["discover.example.com"], "kinds": ["Widget"]} in kinds
    finally:
        cluster.kubectl("delete", "-f", "-", stdin=_DEFINITION)
