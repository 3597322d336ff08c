"""Registries that are Services of the cluster: what may tell that an image comes from one. Rego says which does."""

from collections.abc import Iterator, Sequence
from typing import Any

from pullguard.cluster.snapshot import Snapshot
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig

JSON = dict[str, Any]


def addresses(snapshot: Snapshot, stated: Sequence[str]) -> JSON:
    """Return the addresses of Services, of nodes, and what is stated, as data.outage.registries has its input.

    Args:
        snapshot: The snapshot.
        stated: NAMESPACE/NAME=HOST: that the images of HOST come from a Service.

    Raises:
        PullguardError: One is of another form, or there is no such Service.
    """
    services = [
        {
            "namespace": dig(obj, "metadata", "namespace"),
            "name": dig(obj, "metadata", "name"),
            "spec": dig(obj, "spec") or {},
            "status": dig(obj, "status") or {},
        }
        for obj in snapshot.objects("Service")
    ]
    known = {f"{service['namespace']}/{service['name']}" for service in services}
    return {
        "services": services,
        "stated": list(_stated(stated, known)),
        "nodes": sorted({address for node in snapshot.objects("Node") for address in _addresses(node)}),
    }


def _stated(arguments: Sequence[str], known: set[str]) -> Iterator[JSON]:
    for argument in arguments:
        service, _, host = argument.partition("=")
        namespace, _, name = service.partition("/")
        if not (namespace and name and host) or "/" in host:
            raise PullguardError(
                f"{argument} is not the registry of a Service", remedy="write it as NAMESPACE/NAME=HOST"
            )
        if service not in known:
            raise PullguardError(f"there is no Service {service} in the snapshot")
        yield {"namespace": namespace, "name": name, "host": host}


def _addresses(node: Any) -> Iterator[str]:
    listed = dig(node, "status", "addresses")
    for each in listed if isinstance(listed, list) else ():
        address = dig(each, "address")
        if isinstance(address, str):
            yield address
