"""`pullguard drill`: cuts one node off from its registries for a short time, and sees which of its pods would start."""

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from typing import BinaryIO

from pullguard.cluster.kubectl import connected
from pullguard.core.errors import PullguardError
from pullguard.drill import running
from pullguard.drill.model import Address, DrillReport, Plan, Planned
from pullguard.engine.protocol import Engine
from pullguard.forecasting.situation import Situation, read_situation

_LEAST, _MOST = 20, 600
_PORT = 443
#: The host that images of docker.io come from.
_DOCKER = "registry-1.docker.io"
_ADDRESS = re.compile(r"(?:\[(?P<six>[0-9a-fA-F:.]+)\]|(?P<host>[^:\[\]]+))(?::(?P<port>[0-9]{1,5}))?")
#: Names that are no numbers: what looks like an IPv4 address must be one.
_HOST = re.compile(r"(?![0-9.]+\Z)[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?")
_PORTS = range(1, 65536)


def plan(
    paths: Sequence[str] = (),
    *,
    node: str,
    namespaces: Sequence[str] = (),
    seconds: int = 120,
    registries: Sequence[str] = (),
    addresses: Sequence[str] = (),
    node_images: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> Plan:
    """Say what a drill would do, and what is forecast of the pods that it is about.

    Args:
        paths: Files and folders with what `kubectl get -o json|yaml` wrote; "-" is stdin. None: a live cluster.
        node: The node that is cut off.
        namespaces: The namespaces whose pods are copied, all protected; none: all protected ones with pods there.
        seconds: How long the cut lasts at most.
        registries: Globs of the registries that are gone; none: all are that are not in the cluster.
        addresses: HOST[:PORT]: what else the node is cut off from, such as mirrors and proxies.
        node_images: Files with the full lists of images of nodes: FILE named after its node, or NODE=FILE.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, the node is not in it, there is nothing to try on it, or an
            argument is wrong.
    """
    if not node:
        raise PullguardError("which node is cut off is not said", remedy="name it with --node")
    if not _LEAST <= seconds <= _MOST:
        raise PullguardError(
            f"a cut of {seconds} seconds is too {'short' if seconds < _LEAST else 'long'}",
            remedy=f"say {_LEAST} to {_MOST} with --seconds",
        )
    others = [_address(text) for text in addresses]
    with Engine() as engine:
        situation = read_situation(
            engine,
            paths,
            registries=registries,
            nodes=[node],
            node_images=node_images,
            kubeconfig=kubeconfig,
            context=context,
            kubectl=kubectl,
            stdin=stdin,
        )
        pods = _pods(situation, node)
    chosen = _chosen(situation, pods, node, namespaces)
    pods = [planned for planned in pods if planned.workload.namespace in chosen]
    gone = _gone(situation, pods)
    if not gone:
        raise PullguardError(
            f"no image of these pods on {node} comes from a registry that is gone",
            remedy="name other registries with --registry, or other namespaces",
        )
    targets = [*(_registry_address(host) for host in sorted(gone)), *others]
    return Plan(
        source=situation.snapshot.source,
        node=node,
        namespaces=tuple(chosen),
        registries=gone,
        addresses=tuple(dict.fromkeys(targets)),
        seconds=seconds,
        pods=tuple(pods),
        unreadable=situation.snapshot.unreadable,
        errors=situation.snapshot.errors,
        notes=situation.notes,
    )


def run(
    paths: Sequence[str] = (),
    *,
    node: str,
    namespaces: Sequence[str],
    image: str,
    sure: bool,
    seconds: int = 120,
    registries: Sequence[str] = (),
    addresses: Sequence[str] = (),
    node_images: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> DrillReport:
    """Cut a node of a live cluster off from registries, see whether copies of its pods start, and undo it.

    Args:
        paths: None: a drill needs a live cluster.
        node: As for `plan`.
        namespaces: As for `plan`, but at least one; the agent runs in the first.
        image: The image of the agent, with sh, nft, getent and sleep.
        sure: Whether the user has said that the node may be cut off.
        seconds: As for `plan`.
        registries: As for `plan`.
        addresses: As for `plan`.
        node_images: As for `plan`.
        kubeconfig: As for `plan`.
        context: As for `plan`.
        kubectl: As for `plan`.
        say: Tells people what is going on.

    Raises:
        PullguardError: As for `plan`; the user is not sure; or the cluster refuses the drill.
    """
    if paths:
        raise PullguardError("a drill runs in a live cluster, not in files", remedy="leave out --snapshot")
    if not namespaces:
        raise PullguardError("which pods are copied is not said", remedy="name their namespaces with --namespace")
    if not image:
        raise PullguardError(
            "there is no image for the agent that cuts the node off",
            remedy="name one that has sh, nft, getent and sleep with --image",
        )
    if not sure:
        raise PullguardError(
            f"a drill cuts {node} off from its registries for up to {seconds} seconds",
            remedy="see `pullguard drill plan` first, and say --yes",
        )
    planned = plan(
        node=node,
        namespaces=namespaces,
        seconds=seconds,
        registries=registries,
        addresses=addresses,
        node_images=node_images,
        kubeconfig=kubeconfig,
        context=context,
        kubectl=kubectl,
    )
    with connected(kubeconfig=kubeconfig, context=context, program=kubectl) as live:
        return running.run(live, planned, image=image, say=say)


def clean(
    namespaces: Sequence[str], *, kubeconfig: str | None = None, context: str | None = None, kubectl: str | None = None
) -> int:
    """Remove what is left of drills; return how many objects are still there.

    Args:
        namespaces: The namespaces to look in.
        kubeconfig: As for `plan`.
        context: As for `plan`.
        kubectl: As for `plan`.

    Raises:
        PullguardError: No namespace is named, or something cannot be deleted.
    """
    if not namespaces:
        raise PullguardError("where to look is not said", remedy="name the namespaces with --namespace")
    with connected(kubeconfig=kubeconfig, context=context, program=kubectl) as live:
        return running.clean(live, list(dict.fromkeys(namespaces)))


def _pods(situation: Situation, node: str) -> list[Planned]:
    """Return the protected pods on a node, those that are alike together."""
    found = situation.forecaster.forecasts(("reboot",), (node,))
    return [
        Planned(workload, outcome.examples[0][0], outcome.pods, outcome.verdict, outcome.uses)
        for workload in sorted(found)
        if workload.namespace in situation.protected
        for outcome in found[workload]["reboot"].outcomes
        if outcome.examples[0][0]
    ]


def _chosen(situation: Situation, pods: Sequence[Planned], node: str, named: Sequence[str]) -> list[str]:
    there = sorted({planned.workload.namespace for planned in pods})
    if not there:
        raise PullguardError(f"no pod of a protected namespace is on {node}", remedy="name another node with --node")
    for namespace in named:
        if namespace not in situation.protected:
            raise PullguardError(
                f"the namespace {namespace} is not protected, or not there",
                remedy=f"name some of those with pods on {node}: {', '.join(there)}",
            )
        if namespace not in there:
            raise PullguardError(
                f"no pod of the namespace {namespace} is on {node}", remedy=f"name some of these: {', '.join(there)}"
            )
    return list(dict.fromkeys(named)) or there


def _gone(situation: Situation, pods: Sequence[Planned]) -> Mapping[str, str]:
    """Return the registries of images that are gone, each with one of its repositories."""
    images = {use.image for planned in pods for use in planned.uses if use.image}
    gone = [found for image in sorted(images) if (found := situation.forecaster.gone(image)) is not None]
    return {registry.host: registry.repository for registry in reversed(gone)}


def _registry_address(host: str) -> Address:
    return Address(_DOCKER, _PORT) if host == "docker.io" else _address(host)


def _address(text: str) -> Address:
    """Return the address in HOST[:PORT], where HOST may be an IPv6 address in brackets.

    Raises:
        PullguardError: It is none.
    """
    found = _ADDRESS.fullmatch(text)
    host = "" if found is None else found["six"] or found["host"]
    port = _PORT if found is None or found["port"] is None else int(found["port"])
    try:
        host = str(ipaddress.ip_address(host))
        is_host = True
    except ValueError:
        is_host = _HOST.fullmatch(host) is not None
    if not is_host or port not in _PORTS:
        raise PullguardError(f"{text!r} is not an address", remedy="say HOST or HOST:PORT with --address")
    return Address(host, port)
