"""What `pullguard outage` says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pullguard.core.inputs.problems import InputError
from pullguard.forecasting.drilled import Drilled
from pullguard.forecasting.model import Event, Forecast, Verdict, WorkloadRef


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
        drills: What drills have shown.
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
    drills: tuple[Drilled, ...] = ()

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
