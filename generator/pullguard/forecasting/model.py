"""What a forecast says of the containers and pods of workloads."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

Event = Literal["restart", "replace", "reboot", "lose"]
Verdict = Literal["stays down", "unknown", "starts"]
#: What a drill has seen of a pod.
Sight = Literal["starts", "stays down", "not seen"]

#: All events, each with what it means.
EVENTS: Mapping[Event, str] = {
    "restart": "a container restarts in its pod",
    "replace": "a pod is replaced, and may come to another node",
    "reboot": "a node reboots",
    "lose": "nodes are lost, and their pods are made anew elsewhere",
}
#: The worst first.
VERDICTS: tuple[Verdict, ...] = ("stays down", "unknown", "starts")


@dataclass(frozen=True, slots=True, order=True)
class WorkloadRef:
    """A workload: what is not controlled by anything else.

    Attributes:
        namespace: Its namespace.
        kind: Its kind; Pod for a pod that nothing controls, and for a static one.
        name: Its name.
    """

    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Return KIND/NAMESPACE/NAME, as --explain takes it."""
        return f"{self.kind}/{self.namespace}/{self.name}"


class Without(NamedTuple):
    """What becomes of a container without the registry of its image, which is a Service of the cluster.

    Attributes:
        service: The Service: {namespace, name}.
        verdict: Whether it starts.
        reason: Why; one of REASONS.
    """

    service: Mapping[str, str]
    verdict: Verdict
    reason: str


@dataclass(frozen=True, slots=True)
class Use:
    """A container, or an image volume, of some pods of a workload, and whether it starts.

    Attributes:
        list: "containers", "initContainers" or "volumes".
        name: Its name; "" if it has none.
        image: Its image; "" if it states none.
        policies: The pull policies that it may have.
        verdict: Whether it starts.
        reason: Why; one of REASONS.
        present: How many of the nodes that the pod may come to have the image.
        missing: How many lack it.
        unknown: Of how many it is not known.
        removable: From how many that have it the kubelet may remove it: nothing runs from it there, and nothing says
            that it is pinned.
        others: For the reasons credentials and spelling: some of those that it is shared with.
        without: What becomes of it without its registry, if that is a Service of the cluster.
    """

    list: str
    name: str
    image: str
    policies: tuple[str, ...]
    verdict: Verdict
    reason: str
    present: int
    missing: int
    unknown: int
    removable: int
    others: tuple[str, ...]
    without: Without | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of pods of a workload that are alike.

    Attributes:
        verdict: The worst of their containers and image volumes.
        pods: How many pods.
        examples: Some of them, each with its node: (name, node); either is "" if there is none.
        bound: Whether each stays on its node.
        nodes: How many nodes one of them may come to; -1 if that is not known.
        uses: Each container and image volume that the event starts.
    """

    verdict: Verdict
    pods: int
    examples: tuple[tuple[str, str], ...]
    bound: bool
    nodes: int
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What becomes of a workload in an event.

    Attributes:
        outcomes: One for each group of pods that are alike, the worst first; not empty.
    """

    outcomes: tuple[Outcome, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of its pods."""
        return self.outcomes[0].verdict

    def pods(self, verdict: Verdict) -> int:
        """Return how many of its pods have a verdict."""
        return sum(outcome.pods for outcome in self.outcomes if outcome.verdict == verdict)


@dataclass(frozen=True, slots=True)
class Gap:
    """A container, or an image volume, of some pods of a workload, and the nodes that are to pull its image for it.

    Attributes:
        workload: The workload.
        list: "containers", "initContainers" or "volumes".
        name: Its name; "" if it has none.
        image: Its image, as it is stated; "" if it states none.
        full: The name that runtimes have for the image; "" if Kubernetes cannot parse it.
        size: How many bytes it has on a node that has it; None if no node says it.
        policies: The pull policies that it may have.
        credentials: What the kubelet may pull it with: "Secret NAMESPACE/NAME", or "ServiceAccount NAMESPACE/NAME" if
            it is not known which pull secrets that has.
        placement: What the pods say about nodes, as an index into Pods.placements.
        missing: The nodes that lack the image, as a set of bits.
        unknown: Those that may lack it, as they do not list all their images.
        doubtful: Those that have it and may not give it to the pods, for their credentials or how they write it.
        unsolved: Why the pods do not start although the image is there, or may not: one of REASONS; "" if they do.
    """

    workload: WorkloadRef
    list: str
    name: str
    image: str
    full: str
    size: int | None
    policies: tuple[str, ...]
    credentials: tuple[str, ...]
    placement: int
    missing: int
    unknown: int
    doubtful: int
    unsolved: str


_PULL = "pull the images onto the nodes (pullguard prefetch), and pin them there"

#: What each reason says of a container: `{image}`, `{nodes}` and so on are those of the Use and its Outcome.
REASONS: Mapping[str, str] = {
    "registry-reachable": "its registry is not among those that are gone",
    "image-on-node": "the image is on its node",
    "image-on-every-node": "the image is on every node that it can run on",
    "always": "imagePullPolicy Always asks the registry, whatever the node has",
    "image-not-on-node": "the image is not on its node",
    "image-on-no-node": "the image is on no node that it can run on",
    "never-without-image": "imagePullPolicy Never, and the image is not there",
    "invalid-image": "Kubernetes cannot parse the image",
    "invalid-policy": "Kubernetes has no such pull policy",
    "no-node": "there is no node that it can run on",
    "no-controller": "nothing makes the pod again",
    "image-on-some-nodes": "the image is on some of the nodes that it can run on, and not on others",
    "listing-cut": "nodes do not list all their images; see there with crictl, and name the files with --node-images",
    "credentials": "the image may have been pulled with credentials that it does not have",
    "spelling": "the image may have been pulled under another name, and then it is not for this one",
    "snapshot-incomplete": "something of the snapshot could not be read, and it may matter",
    "template-unknown": "what its controller makes could not be read",
    "nodes-unknown": "the node is not in the snapshot",
    "may-be-changed": "something may change the pull policy on the way in",
    "injected": "its template lacks it: a webhook may add it to the next pod again",
    "no-image": "it states no image",
    "registry-down": "its registry is a Service of the cluster, and none of its pods is ready",
}
#: What to do about each reason for which a container does not start, or may not.
REMEDIES: Mapping[str, str] = {
    "always": "set imagePullPolicy to IfNotPresent, on pinned images",
    "image-not-on-node": _PULL,
    "image-on-no-node": _PULL,
    "image-on-some-nodes": _PULL,
    "never-without-image": _PULL,
    "listing-cut": "list the images of the nodes (crictl images -o json), and name the files with --node-images",
    "credentials": "give the pods that share the image the same pull secrets",
    "spelling": "write the image in one way everywhere",
    "invalid-image": "correct the image",
    "invalid-policy": "correct the pull policy",
    "no-node": "see what the pods ask of nodes: nodeSelector, affinity, tolerations",
    "no-controller": "let a controller make the pods",
    "nodes-unknown": "dump the Nodes too",
    "snapshot-incomplete": "make what could not be read readable",
    "template-unknown": "make what could not be read readable",
    "may-be-changed": "see what changes the pull policy of new pods: `pullguard scope`",
    "injected": "set imagePullPolicy to IfNotPresent where the sidecar comes from",
    "no-image": "state the image",
    "registry-down": "see to the registry first",
}
