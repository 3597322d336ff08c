"""What `pullguard prefetch` finds: which nodes are to pull which images, and what no pull solves."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.problems import InputError
from pullguard.forecasting.model import WorkloadRef

#: What all that is written is called, with what tells it apart.
NAME = "pullguard-prefetch"

_NAMESPACE = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"

#: How the pods of a DaemonSet make the kubelet pull an image.
Means = Literal["auto", "containers", "volumes"]


@dataclass(frozen=True, slots=True)
class Image:
    """An image that nodes are to pull.

    Attributes:
        name: Its name, as pods state it.
        full: The name that runtimes have for it.
        size: How many bytes it has on a node that has it; None if no node says it.
        is_volume: Whether it is only used for image volumes: then nothing may be in it that could run.
        is_there: Whether the nodes have it, and may not give it to the pods: only the kubelet can help, by pulling it
            again with the credentials and the name that the pods have.
        workloads: The workloads that need it there, sorted.
    """

    name: str
    full: str
    size: int | None
    is_volume: bool
    is_there: bool
    workloads: tuple[WorkloadRef, ...]


@dataclass(frozen=True, slots=True)
class Node:
    """What is known of a node.

    Attributes:
        name: Its name.
        hostname: Its label kubernetes.io/hostname, if no other node has the same; "" otherwise.
        system: Its operating system; "" if it is not known.
        architecture: Its architecture; "" if it is not known.
        platform: Its labels that say so: (label, value).
        runtime: "containerd", "cri-o" or another one; "" if it is not known.
        pool: What its MachineConfigPool is on OpenShift, by its roles.
        mounts: Whether it mounts images as volumes.
    """

    name: str
    hostname: str
    system: str
    architecture: str
    platform: tuple[tuple[str, str], ...]
    runtime: str
    pool: str
    mounts: bool


@dataclass(frozen=True, slots=True)
class Batch:
    """Images that nodes are to pull with the same credentials; the nodes are alike in that.

    Attributes:
        namespace: The namespace of the pull secrets; "" if there are none, so that any namespace will do.
        secrets: Their names, sorted.
        account: The ServiceAccount whose pull secrets are not known, and are to be used; "" if there is none.
        nodes: The nodes; not empty, and alike in system, architecture, and whether they mount images as volumes.
        tolerations: What pods need to come to the nodes.
        images: The images; not empty, the largest first, those of unknown size last.
    """

    namespace: str
    secrets: tuple[str, ...]
    account: str
    nodes: tuple[Node, ...]
    tolerations: tuple[Mapping[str, Any], ...]
    images: tuple[Image, ...]


@dataclass(frozen=True, slots=True, order=True)
class Unsolved:
    """A container, or an image volume, that does not start, or may not, although its image is there.

    Attributes:
        workload: Its workload.
        list: "containers", "initContainers" or "volumes".
        name: Its name; "" if it has none.
        image: Its image; "" if it states none.
        reason: Why; one of REASONS.
    """

    workload: WorkloadRef
    list: str
    name: str
    image: str
    reason: str


@dataclass(frozen=True, slots=True)
class PrefetchReport:
    """What `pullguard prefetch` found.

    Attributes:
        source: Where the snapshot comes from.
        registries: The globs of the registries that are expected to go.
        nodes: The nodes that were asked for; None: all.
        batches: What is to be pulled.
        unsolved: What no pull solves, sorted.
        unreadable: The kinds that could not be read, with reasons.
        errors: What could not be read in files.
        notes: What was taken for granted.
    """

    source: str
    registries: tuple[str, ...]
    nodes: tuple[str, ...] | None
    batches: tuple[Batch, ...]
    unsolved: tuple[Unsolved, ...]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, 1 if there is something to pull or that no pull solves, else 0."""
        if self.errors or self.unreadable:
            return 2
        return int(bool(self.batches or self.unsolved))


@dataclass(frozen=True, slots=True)
class Settings:
    """How manifests are written.

    Attributes:
        namespace: Where to put what needs no pull secrets.
        means: How the pods of a DaemonSet make the kubelet pull an image.
        helper_image: An image with a static busybox at /bin/busybox.
        pause_image: An image whose program does nothing.
    """

    namespace: str = "kube-system"
    means: Means = "auto"
    helper_image: str = "docker.io/library/busybox:1.37.0-musl"
    pause_image: str = "registry.k8s.io/pause:3.10.1"


def settings(*, namespace: str | None, means: Means, helper_image: str | None, pause_image: str | None) -> Settings:
    """Return settings; None stands for the default.

    Raises:
        PullguardError: A value cannot be right.
    """
    default = Settings()
    found = Settings(
        default.namespace if namespace is None else namespace,
        means,
        default.helper_image if helper_image is None else helper_image,
        default.pause_image if pause_image is None else pause_image,
    )
    if not re.fullmatch(_NAMESPACE, found.namespace):
        raise PullguardError(f"{found.namespace!r} is not the name of a namespace")
    for image in (found.helper_image, found.pause_image):
        if not image or image != "".join(image.split()):
            raise PullguardError(f"{image!r} is not an image")
    return found
