"""The forecast for the pods of a snapshot: facts are gathered here, and what follows from them Rego says (rego/outage).

Pods that are alike are asked about once: those of one workload on nodes that have the same of their images.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.forecasting.model import VERDICTS, Event, Forecast, Gap, Outcome, Use, Without, WorkloadRef
from pullguard.forecasting.nodes import Nodes
from pullguard.forecasting.pods import Pod, Pods

JSON = Mapping[str, Any]

_MODULES = {
    "lib": ("globs", "images", "kinds", "nodes", "pods", "selectors"),
    "outage": ("credentials", "eligible", "forecast", "images", "needs", "prefetch", "registries"),
}
_ASKED_AT_ONCE = 10_000
_IN_PLACE: tuple[Event, ...] = ("restart", "reboot")
_EXAMPLES = 3


class _Numbers(NamedTuple):
    """Of the nodes that a pod may come to: how many have the image of a use, and so on; see Use."""

    present: int
    missing: int
    unknown: int
    verifying: int
    removable: int


class Registry(NamedTuple):
    """The registry of an image.

    Attributes:
        host: Its host, with a port if the image names one; docker.io for images that name none.
        repository: The repository as the image writes it, with the host if it names one.
    """

    host: str
    repository: str


class _Case(NamedTuple):
    """What a verdict depends on; `starts` is the event that starts the same containers as this one does."""

    event: Event
    starts: Event
    remade: bool
    doubt: str
    bound: bool
    nodes: int
    needs: int
    running: int | None
    of_needs: tuple[_Numbers, ...]
    of_running: tuple[_Numbers, ...]


class _Place(NamedTuple):
    """Pods of a workload that are alike, in an event on some nodes; see _Case."""

    workload: WorkloadRef
    event: Event
    needs: int
    running: int | None
    placement: int


class Forecaster:
    """Says what becomes of pods.

    Args:
        engine: What evaluates Rego.
        pods: The pods.
        nodes: The nodes.
        accounts: The names of pull secrets, by namespace and ServiceAccount.
        mutations: What changes the pull policies of new pods, by namespace: data.outage.admission.found.
        registries: Globs of the registries that are gone; none: all are that are not Services of the cluster.
        inside: What tells which registries are: the input of data.outage.registries.
        has_pods: Whether the pods that there are could be read.
        complete: Whether all else could be.
    """

    def __init__(
        self,
        engine: Engine,
        pods: Pods,
        nodes: Nodes,
        *,
        accounts: Mapping[str, Mapping[str, Sequence[str]]],
        mutations: Mapping[str, Sequence[JSON]],
        registries: Sequence[str],
        inside: JSON,
        has_pods: bool,
        complete: bool,
    ) -> None:
        self._has_pods = has_pods
        self._left = nodes.all
        self._free: dict[tuple[_Case, int], _Case] = {}  # of pods that may come to any of several nodes
        self._doubt = "" if complete else "snapshot-incomplete"
        self._engine = engine
        self._pods = pods
        self._nodes = nodes
        self._rego = modules(_MODULES)
        self._needs = self._asked_needs(accounts, mutations)
        stated = dict.fromkeys(use["image"] for needs in self._needs for use in needs["uses"])
        number = {image: index for index, image in enumerate(stated)}
        self._number = number
        self._images = query(
            engine,
            self._rego,
            "data.outage.images.found",
            {
                "images": list(stated),
                "gone": list(registries) or ["*"],
                "goneInside": list(registries),
                "registries": inside,
                "entries": nodes.entries,
            },
        )
        self._sets = nodes.sets(
            [image["listed"] for image in self._images], [image["similar"] for image in self._images]
        )
        self._image_of = [[number[use["image"]] for use in needs["uses"]] for needs in self._needs]
        self._doubts = self._asked_doubts()
        self._eligible = nodes.eligible(engine, self._rego, pods.placements)
        self._verifying = nodes.verifying(engine, self._rego)
        self._kept = self._nodes_running()

    @property
    def has_gone(self) -> bool:
        """Whether the registry of any image is gone."""
        return any(image["valid"] and image["gone"] for image in self._images)

    def gone(self, image: str) -> Registry | None:
        """Return the registry of an image that pods use, if it is gone."""
        found = self._images[self._number[image]]
        return Registry(found["registry"], found["repository"]) if found["valid"] and found["gone"] else None

    def forecasts(
        self, events: Sequence[Event], selected: Sequence[str] | None
    ) -> dict[WorkloadRef, dict[Event, Forecast]]:
        """Return what becomes of workloads, by event; without those in which nothing of it starts anew.

        Args:
            events: The events.
            selected: The nodes on which they happen; None: all.
        """
        self._left = self._nodes.all & ~self._nodes.bits(name for name in selected or () if name in self._nodes.number)
        groups: dict[tuple[WorkloadRef, _Case], list[Pod]] = {}
        for event in events:
            for pod in self._pods.pods:
                for case in self._cases(pod, event, selected):
                    groups.setdefault((pod.workload, case), []).append(pod)
        cases = list(dict.fromkeys(case for _, case in groups))
        answers = self._answers(cases)
        without = self._answers([case for case in cases if self._pulls_inside(case)], inside=False)
        found: dict[WorkloadRef, dict[Event, list[Outcome]]] = {}
        for (workload, case), pods in groups.items():
            outcome = self._outcome(case, answers[case], without.get(case), pods)
            if outcome.uses:
                found.setdefault(workload, {}).setdefault(case.event, []).append(outcome)
        return {
            workload: {event: Forecast(tuple(sorted(outcomes, key=_rank))) for event, outcomes in by_event.items()}
            for workload, by_event in found.items()
        }

    def gaps(
        self, namespaces: Collection[str], selected: Sequence[str] | None, down: Collection[tuple[str, str]]
    ) -> list[Gap]:
        """Return which nodes are to pull which images for the workloads of some namespaces, so that all pods start.

        The nodes of a workload are those that its pods are on, and those that the next ones may come to, also if a
        DaemonSet has none there yet. A registry that is a Service of the cluster counts as gone, since its pods may go.

        Args:
            namespaces: The namespaces.
            selected: The nodes that count; None: all.
            down: The Services, by namespace and name, that serve no registry now.
        """
        chosen = self._nodes.all if selected is None else self._nodes.bits(selected)
        places: dict[_Place, int] = {}
        for pod in self._pods.pods:
            if pod.workload.namespace in namespaces:
                for place, nodes in self._places(pod, selected):
                    places[place] = places.get(place, 0) | nodes
        asked = {key: number for number, key in enumerate(dict.fromkeys(place[1:4] for place in places))}
        answers: list[JSON] = []
        for chunk in _chunks(list(asked)):
            document = {"cases": [self._without_numbers(*each) for each in chunk]}
            answers += query(self._engine, self._rego, "data.outage.prefetch.found", document)
        found: dict[Gap, Gap] = {}
        for place, nodes in places.items():
            if selected is not None and not nodes & chosen:
                continue
            answer = answers[asked[place[1:4]]]
            uses = [(place.needs, each) for each in answer["uses"]]
            if place.running is not None:
                uses += [(place.running, each) for each in answer["running"]]
            for needs, each in uses:
                gap = self._gap(place, needs, each, nodes & chosen, down)
                if gap.missing or gap.unknown or gap.doubtful or gap.unsolved:
                    key = replace(gap, missing=0, unknown=0, doubtful=0)
                    found[key] = _merged(found.get(key, key), gap)
        return list(found.values())

    @property
    def services(self) -> list[JSON]:
        """The Services of the cluster from which pods pull images: {namespace, name}."""
        found = {(each["namespace"], each["name"]): each for image in self._images if (each := image["service"])}
        return [found[key] for key in sorted(found)]

    # -- what is asked

    def _asked_needs(
        self, accounts: Mapping[str, Mapping[str, Sequence[str]]], mutations: Mapping[str, Sequence[JSON]]
    ) -> list[JSON]:
        found: list[JSON] = []
        for chunk in _chunks(self._pods.needs):
            pods = [
                {"namespace": namespace, "spec": spec, "made": made, "seen": seen}
                for namespace, spec, made, seen in chunk
            ]
            document = {"pods": pods, "accounts": accounts, "mutations": mutations}
            found += query(self._engine, self._rego, "data.outage.needs.found", document)
        return found

    def _asked_doubts(self) -> list[list[JSON]]:
        users: dict[tuple[int, tuple[str, ...], tuple[str, ...]], int] = {}
        numbers = [
            [
                users.setdefault((image, tuple(needs["credentials"]), tuple(use["policies"])), len(users))
                for image, use in zip(images, needs["uses"], strict=True)
            ]
            for images, needs in zip(self._image_of, self._needs, strict=True)
        ]
        document = {
            "images": self._images,
            "users": [
                {"image": image, "credentials": credentials, "policies": policies}
                for image, credentials, policies in users
            ],
        }
        doubts = query(self._engine, self._rego, "data.outage.credentials.found", document)
        return [[doubts[number] for number in each] for each in numbers]

    def _pulls_inside(self, case: _Case) -> bool:
        images = (image for needs in (case.needs, case.running) if needs is not None for image in self._image_of[needs])
        return any(self._images[image]["service"] is not None for image in images)

    def _answers(self, cases: Sequence[_Case], *, inside: bool = True) -> dict[_Case, JSON]:
        """Return what becomes of cases, with or without the registries that are Services of the cluster."""
        found: list[JSON] = []
        for chunk in _chunks(cases):
            document = {"cases": [self._document(case, inside=inside) for case in chunk]}
            found += query(self._engine, self._rego, "data.outage.forecast.verdicts", document)
        return dict(zip(cases, found, strict=True))

    def _document(self, case: _Case, *, inside: bool) -> JSON:
        running = [] if case.running is None else self._uses(case.running, case.of_running, inside=inside)
        return {
            "event": case.starts,
            "remade": case.remade,
            "doubt": case.doubt,
            "bound": case.bound,
            "known": case.nodes >= 0,
            "nodes": case.nodes,
            "uses": self._uses(case.needs, case.of_needs, inside=inside),
            "running": running,
        }

    def _uses(self, needs: int, numbers: Sequence[_Numbers], *, inside: bool) -> list[JSON]:
        uses: list[JSON] = []
        for index, (use, each) in enumerate(zip(self._needs[needs]["uses"], numbers, strict=True)):
            image = self._images[self._image_of[needs][index]]
            doubt = self._doubts[needs][index]["doubt"]
            gone = image["gone"] or not (inside or image["service"] is None)
            uses.append({**use, **each._asdict(), "valid": image["valid"], "gone": gone, "doubt": doubt})
        return uses

    # -- the cases

    def _cases(self, pod: Pod, event: Event, selected: Sequence[str] | None) -> Iterator[_Case]:
        """Yield what becomes of a pod; of one of a DaemonSet that has no pods yet, on each node."""
        in_place = event in {"restart", "reboot"}
        if (selected is not None and pod.node not in selected) or (in_place and pod.own is None and self._has_pods):
            return
        if event == "lose" and pod.bound:
            return  # it goes with its node
        remade = pod.kept or event != "lose"
        doubt = self._doubt or ("" if in_place or pod.sure else "template-unknown")
        case = _Case(event, event, remade, doubt, pod.bound, -1, pod.next.needs, None, (), ())
        if in_place and pod.own is None:
            yield self._on(case, None)  # there may be pods of it, on any node
            return
        if pod.own is not None and in_place and pod.node:
            yield self._on(case._replace(bound=True, needs=pod.own.needs), self._node(pod.node))
            return
        if pod.own is not None:
            case = case._replace(starts="replace", running=pod.own.needs)
        if pod.bound and pod.node:
            yield self._on(case, self._node(pod.node))
            return
        nodes = self._eligible[pod.next.placement] & (self._left if event == "lose" else self._nodes.all)
        if pod.bound:
            yield from (self._on(case, 1 << number) for number in range(len(self._nodes.names)) if nodes >> number & 1)
        else:
            key = (case, pod.next.placement)
            if key not in self._free:
                self._free[key] = self._on(case, nodes if self._nodes.names else None)
            yield self._free[key]

    def _node(self, name: str) -> int | None:
        number = self._nodes.number.get(name)
        return None if number is None else 1 << number

    def _on(self, case: _Case, nodes: int | None) -> _Case:
        """Return a case with what is known of the nodes that the pod may come to; None: they are not known."""
        return case._replace(
            nodes=-1 if nodes is None else nodes.bit_count(),
            of_needs=self._numbers(case.needs, nodes),
            of_running=() if case.running is None else self._numbers(case.running, nodes),
        )

    def _nodes_running(self) -> dict[int, int]:
        """Return for images the nodes on which pods use them: there they are not removed."""
        found: dict[int, int] = {}
        for needs, node in {(pod.own.needs, pod.node) for pod in self._pods.pods if pod.own is not None}:
            for image in self._image_of[needs]:
                found[image] = found.get(image, 0) | (self._node(node) or 0)
        return found

    def _numbers(self, needs: int, nodes: int | None) -> tuple[_Numbers, ...]:
        if nodes is None:
            return tuple(_Numbers(0, 0, 0, 0, 0) for _ in self._image_of[needs])
        found = []
        for image in self._image_of[needs]:
            has = self._sets.present[image] & nodes
            present, unknown = has.bit_count(), (self._sets.unknown(image) & nodes).bit_count()
            missing = nodes.bit_count() - present - unknown
            verifying = (has & self._verifying).bit_count()
            removable = (has & ~self._kept.get(image, 0) & ~self._sets.pinned[image]).bit_count()
            found.append(_Numbers(present, missing, unknown, verifying, removable))
        return tuple(found)

    # -- the gaps

    def _places(self, pod: Pod, selected: Sequence[str] | None) -> Iterator[tuple[_Place, int]]:
        """Yield what may start anew of a pod, each with the nodes on which it may."""
        own = None if pod.own is None else pod.own.needs
        is_selected = selected is None or pod.node in selected
        if pod.own is not None and pod.node and is_selected:
            for event in _IN_PLACE:
                yield _Place(pod.workload, event, pod.own.needs, None, pod.own.placement), self._node(pod.node) or 0
        if pod.static:
            nodes = (self._node(pod.node) or 0) if is_selected else None
        else:
            nodes = self._eligible[pod.next.placement]
        if nodes is not None:
            yield _Place(pod.workload, "replace", pod.next.needs, own, pod.next.placement), nodes

    def _without_numbers(self, event: Event, needs: int, running: int | None) -> JSON:
        """Return a case without what depends on nodes."""

        def uses(number: int) -> list[JSON]:
            found: list[JSON] = []
            for index, use in enumerate(self._needs[number]["uses"]):
                image = self._images[self._image_of[number][index]]
                gone = image["gone"] or image["service"] is not None
                doubt = self._doubts[number][index]["doubt"]
                found.append({**use, "valid": image["valid"], "gone": gone, "doubt": doubt})
            return found

        return {"event": event, "uses": uses(needs), "running": [] if running is None else uses(running)}

    def _gap(self, place: _Place, needs: int, answer: JSON, nodes: int, down: Collection[tuple[str, str]]) -> Gap:
        """Return the gap of a use on some nodes."""
        use, number = self._needs[needs]["uses"][answer["index"]], self._image_of[needs][answer["index"]]
        image = self._images[number]
        present, unknown = self._sets.present[number], self._sets.unknown(number)
        states = {"missing": ~present & ~unknown, "unknown": unknown, "verifying": present & self._verifying}
        pulling = {state: bits & nodes if state in answer["fetch"] else 0 for state, bits in states.items()}
        unsolved = answer["unsolved"]
        if not nodes and answer["fetch"]:
            unsolved = unsolved or ("nodes-unknown" if place.event in _IN_PLACE else "no-node")
        elif any(pulling.values()) and not unsolved and _key(image["service"]) in down:
            unsolved = "registry-down"
        return Gap(
            workload=place.workload,
            list=use["list"],
            name=use["name"] or "",
            image=use["image"] or "",
            full=image["full"],
            size=max(filter(None, (self._nodes.sizes[entry] for entry in image["listed"])), default=None),
            policies=tuple(use["policies"]),
            credentials=tuple(self._needs[needs]["credentials"]),
            placement=place.placement,
            missing=pulling["missing"],
            unknown=pulling["unknown"],
            doubtful=pulling["verifying"],
            unsolved=unsolved,
        )

    # -- the outcomes

    def _outcome(self, case: _Case, answer: JSON, without: JSON | None, pods: Sequence[Pod]) -> Outcome:
        uses = []
        for field, needs, numbers in (
            ("uses", case.needs, case.of_needs),
            ("running", case.running, case.of_running),
        ):
            if needs is not None:
                others = [None] * len(answer[field]) if without is None else without[field]
                uses += [self._use(needs, numbers, *each) for each in zip(answer[field], others, strict=True)]
        return Outcome(
            verdict=answer["verdict"],
            pods=len(pods),
            examples=tuple((pod.name, pod.node) for pod in pods[:_EXAMPLES]),
            bound=case.bound,
            nodes=case.nodes,
            uses=tuple(uses),
        )

    def _use(self, needs: int, numbers: Sequence[_Numbers], found: JSON, without: JSON | None) -> Use:
        use, of = self._needs[needs]["uses"][found["index"]], numbers[found["index"]]
        doubt = self._doubts[needs][found["index"]]
        service = self._images[self._image_of[needs][found["index"]]]["service"]
        return Use(
            list=use["list"],
            name=use["name"] or "",
            image=use["image"] or "",
            policies=tuple(use["policies"]),
            verdict=found["verdict"],
            reason=found["reason"],
            present=of.present,
            missing=of.missing,
            unknown=of.unknown,
            removable=of.removable,
            others=tuple(doubt["others"]) if found["reason"] == doubt["doubt"] else (),
            without=None
            if without is None or service is None
            else Without(service, without["verdict"], without["reason"]),
        )


def _merged(first: Gap, second: Gap) -> Gap:
    return replace(
        first,
        missing=first.missing | second.missing,
        unknown=first.unknown | second.unknown,
        doubtful=first.doubtful | second.doubtful,
    )


def _key(service: Mapping[str, str] | None) -> tuple[str, str] | None:
    return None if service is None else (service["namespace"], service["name"])


def _rank(outcome: Outcome) -> tuple[int, int]:
    return VERDICTS.index(outcome.verdict), -outcome.pods


def _chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _ASKED_AT_ONCE):
        yield values[start : start + _ASKED_AT_ONCE]
