"""What `pullguard outage` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pullguard.core.inputs.problems import InputError

Event = Literal["restart", "replace", "reboot", "lose"]
Verdict = Literal["stays down", "unknown", "starts"]

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
class Fallen:
    """What is down because something else is.

    Attributes:
        name: What: KIND/NAMESPACE/NAME, or what else it is called.
        verdict: "stays down", or "unknown" if it only may.
        because: The chain of what brings it down, from the nearest to the root.
    """

    name: str
    verdict: Verdict
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Link:
    """That one thing brings another down, or helps to, as a step through the layers of what falls.

    Attributes:
        layer: The layer of its source, an index into LAYERS; the target is in the next one.
        source: What is down: KIND/NAMESPACE/NAME, or what else it is called.
        target: What falls with it.
        certain: Whether that is certain; otherwise it is possible.
    """

    layer: int
    source: str
    target: str
    certain: bool


#: What falls, from layer to layer; what falls last may be in the first layer again.
LAYERS = (
    "Workloads that are down",
    "Services without endpoints",
    "Webhooks, APIs, registries",
    "Requests that fail",
    "What falls with them",
)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that a repair does.

    Attributes:
        what: What it does: sets IfNotPresent for Always, pulls an image onto nodes, leaves a namespace out of a
            namespaceSelector, or sets failurePolicy Ignore.
        kind: The kind of what is changed; "" for an image.
        namespace: Its namespace, or "".
        name: Its name, or the image.
        index: Of a webhook: which one of the configuration.
        value: The namespace that is left out, or "".
    """

    what: Literal["pull-policy", "prefetch", "exclude", "ignore"]
    kind: str
    namespace: str
    name: str
    index: int = 0
    value: str = ""


@dataclass(frozen=True, slots=True)
class Edit:
    """What a repair does to one object, or image.

    Attributes:
        text: For people.
        cost: What it costs.
        command: The command that does it.
        steps: Its steps.
    """

    text: str
    cost: int
    command: str
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Cascade:
    """What falls in an event with the pods that stay down, and what would prevent it.

    Attributes:
        fallen: Webhooks, admission policies, APIs and conversions that fall, sorted.
        knots: The workloads that keep each other down, as KIND/NAMESPACE/NAME.
        order: The other workloads that are down, in the order in which they can come back.
        repair: The edits after which every protected workload comes back, but those of `left`.
        cost: What they cost together.
        proven: Whether no cheaper repair does the same.
        left: The protected workloads that no edit brings back.
        links: How one thing brings down another, sorted.
    """

    fallen: tuple[Fallen, ...]
    knots: tuple[tuple[str, ...], ...]
    order: tuple[tuple[str, ...], ...]
    repair: tuple[Edit, ...]
    cost: int
    proven: bool
    left: tuple[str, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload and its forecast.

    Attributes:
        ref: The workload.
        protected: Whether its namespace is protected.
        forecasts: By event; those in which nothing of it starts anew are missing.
        fallen: By event, what else keeps it from coming back, whatever its images.
    """

    ref: WorkloadRef
    protected: bool
    forecasts: Mapping[Event, Forecast]
    fallen: Mapping[Event, Fallen] = field(default_factory=dict)

    def verdict(self, event: Event) -> Verdict:
        """Return the worst of what becomes of its pods; "starts" if they have no need to."""
        if event in self.fallen:
            return self.fallen[event].verdict
        return self.forecasts[event].verdict if event in self.forecasts else "starts"

    def comes_back(self, event: Event) -> bool:
        """Tell whether all its pods are sure to start, or have no need to."""
        return self.verdict(event) == "starts"


@dataclass(frozen=True, slots=True)
class OutageReport:
    """What `pullguard outage` found.

    Attributes:
        source: Where the snapshot comes from.
        registries: The globs of the registries that are gone.
        events: What was asked.
        nodes: The nodes that the event is limited to; None: all.
        workloads: Sorted: protected ones first, then by namespace, kind and name.
        unreadable: The kinds that could not be read, with reasons.
        errors: What could not be read in files.
        notes: What was taken for granted.
        cascades: By event, what falls with the pods that stay down.
    """

    source: str
    registries: tuple[str, ...]
    events: tuple[Event, ...]
    nodes: tuple[str, ...] | None
    workloads: tuple[Workload, ...]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]
    cascades: Mapping[Event, Cascade] = field(default_factory=dict)

    @property
    def protected(self) -> tuple[Workload, ...]:
        """The workloads of protected namespaces."""
        return tuple(workload for workload in self.workloads if workload.protected)

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, 1 if a protected workload is not sure to come back, else 0."""
        if self.errors or self.unreadable:
            return 2
        return int(any(not workload.comes_back(event) for workload in self.protected for event in self.events))


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
}
