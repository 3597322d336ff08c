"""What a drill is to do, and what it has seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from pullguard.core.inputs.problems import InputError
from pullguard.forecasting.model import Sight, Use, Verdict, WorkloadRef

#: How a forecast and what was seen go together. "left open": the forecast was unknown. "changed": something has changed
#: the copy on its way in, so that it is not what was forecast.
Agreement = Literal["as forecast", "left open", "contradicted", "changed", "not seen"]

#: Whether a registry answers a node.
Answer = Literal["no answer", "answers", "not known"]


class Address(NamedTuple):
    """What a node is cut off from.

    Attributes:
        host: A host or an IP address.
        port: The TCP port.
    """

    host: str
    port: int

    def __str__(self) -> str:
        """Return HOST:PORT."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Planned:
    """Pods of a workload on the node that are alike, and the one of them that is copied.

    Attributes:
        workload: The workload.
        pod: The pod that is copied.
        pods: How many pods it stands for, with itself.
        verdict: The forecast for a reboot of the node: all of the pod starts anew there.
        uses: The same for each container and image volume.
    """

    workload: WorkloadRef
    pod: str
    pods: int
    verdict: Verdict
    uses: tuple[Use, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a drill is to do.

    Attributes:
        source: Where the snapshot comes from.
        node: The node.
        namespaces: The namespaces whose pods are copied, in the order of the command line.
        registries: The registries that are gone, each with a repository of it.
        addresses: What the node is cut off from.
        seconds: How long, at most.
        pods: The pods, sorted by workload.
        unreadable: The kinds that could not be read, with reasons.
        errors: What could not be read in files.
        notes: What was taken for granted.
    """

    source: str
    node: str
    namespaces: tuple[str, ...]
    registries: Mapping[str, str]
    addresses: tuple[Address, ...]
    seconds: int
    pods: tuple[Planned, ...]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, 1 if a pod is not sure to start, else 0."""
        if self.errors or self.unreadable:
            return 2
        return int(any(planned.verdict != "starts" for planned in self.pods))


@dataclass(frozen=True, slots=True)
class Container:
    """What was seen of a container of a copy.

    Attributes:
        name: Its name.
        image: Its image.
        sight: Whether its image, and the image volumes that it mounts, were there.
        why: The kubelet's words.
    """

    name: str
    image: str
    sight: Sight
    why: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of a copy.

    Attributes:
        planned: What it is a copy of.
        copy: The name of its Job; "" if none was made.
        containers: Its containers; init containers are among them.
        changed: What was changed on its way into the cluster.
        why: Why nothing was seen of it as a whole; "" if something was.
    """

    planned: Planned
    copy: str
    containers: tuple[Container, ...] = ()
    changed: tuple[str, ...] = ()
    why: str = ""

    @property
    def sight(self) -> Sight:
        """The worst of its containers."""
        sights = {container.sight for container in self.containers}
        if "stays down" in sights:
            return "stays down"
        return "starts" if sights == {"starts"} else "not seen"

    @property
    def agreement(self) -> Agreement:
        """How the forecast and what was seen go together."""
        if self.sight == "not seen":
            return "not seen"
        if self.changed:
            return "changed"
        if self.planned.verdict == "unknown":
            return "left open"
        return "as forecast" if self.planned.verdict == self.sight else "contradicted"


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether a registry answered when the node asked it for an image that it does not have.

    Attributes:
        host: The registry.
        image: The image.
        before: Before the cut.
        first: During the cut, before the copies were made.
        last: During the cut, after they were seen.
        after: After the cut was undone.
        why: The node's words during the cut.
    """

    host: str
    image: str
    before: Answer = "not known"
    first: Answer = "not known"
    last: Answer = "not known"
    after: Answer = "not known"
    why: str = ""

    @property
    def is_cut(self) -> bool:
        """Whether it is proven that it was cut off as long as copies were watched."""
        return self.first == self.last == "no answer"

    @property
    def is_back(self) -> bool:
        """Whether it answers as it did before."""
        return self.after in {self.before, "answers"}


@dataclass(frozen=True, slots=True)
class DrillReport:
    """What a drill has seen.

    Attributes:
        plan: What it was to do.
        drill: The name of the drill.
        asked: The registries, sorted.
        seen: The copies, as they were planned.
        lasted: How many seconds the cut lasted.
        problems: What went wrong; the drill proves nothing then, or something is left to its timers.
        notes: What else is to be known.
    """

    plan: Plan
    drill: str
    asked: tuple[Asked, ...]
    seen: tuple[Seen, ...]
    lasted: float
    problems: tuple[str, ...]
    notes: tuple[str, ...] = field(default_factory=tuple)

    def count(self, agreement: Agreement) -> int:
        """Return for how many copies a forecast and what was seen go together like this."""
        return sum(seen.agreement == agreement for seen in self.seen)

    @property
    def exit_code(self) -> int:
        """2 if something went wrong or was not seen, 1 if a pod stays down or a forecast was wrong, else 0."""
        if self.problems or self.plan.errors or self.plan.unreadable or self.count("not seen"):
            return 2
        return int(any(seen.sight != "starts" or seen.agreement == "contradicted" for seen in self.seen))
