"""Registries that are Services of the cluster: what may tell that an image comes from one. Rego says which does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pullguard.cluster.snapshot import Snapshot
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query

JSON = dict[str, Any]

_MODULES = {"lib": ("images",), "outage": ("forecast", "prefetch")}


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


def down(engine: Engine, snapshot: Snapshot, services: Sequence[Mapping[str, str]]) -> frozenset[tuple[str, str]]:
    """Return which of some Services, {namespace, name}, have no pod that is ready, by namespace and name."""
    if not services:
        return frozenset()
    keys = [(service["namespace"], service["name"]) for service in services]
    selectors = {
        (dig(obj, "metadata", "namespace"), dig(obj, "metadata", "name")): dig(obj, "spec", "selector")
        for obj in snapshot.objects("Service")
    }
    document = {
        "services": [{"namespace": key[0], "selector": selectors.get(key) or {}} for key in keys],
        "pods": [
            {
                "namespace": dig(pod, "metadata", "namespace"),
                "labels": dig(pod, "metadata", "labels") or {},
                "ready": any(dig(each, "status") == "True" for each in dig(pod, "status", "conditions") or ()),
            }
            for pod in snapshot.objects("Pod")
        ],
    }
    found = query(engine, modules(_MODULES), "data.outage.prefetch.down", document)
    return frozenset(keys[number] for number in found)


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
