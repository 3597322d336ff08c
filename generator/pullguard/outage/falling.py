"""What falls with the pods that stay down: facts of a snapshot as causes, and what follows from them.

What webhooks and admission policies catch, and what Services select, Rego says (rego/outage/cascade).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from pullguard.cluster.snapshot import Snapshot
from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.forecasting.model import VERDICTS, Event, Forecast, Outcome, Use, Verdict, WorkloadRef
from pullguard.forecasting.pods import Labels, Pods
from pullguard.outage import edits
from pullguard.outage.cascade import Cause, Causes, behind, way_back
from pullguard.outage.model import Cascade, Fallen, Link, Step
from pullguard.outage.repair import smallest

JSON = Mapping[str, Any]
#: Of a Service: the workloads whose only pod may be the last one behind it, each with what is down then.
_LastOnes = Mapping[str, Sequence[tuple[WorkloadRef, frozenset[str]]]]

WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
POLICY, BINDING = "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"
DEFINITION, API = "CustomResourceDefinition", "APIService"
#: The kinds by which things fall.
FALLING = (*WEBHOOKS, POLICY, BINDING, DEFINITION, API)

_MODULES = {
    "lib": ("namespaces", "recovery", "requests", "selectors", "webhooks"),
    "outage": ("cascade",),
}
_NODES = "nodes and leases"
_SERVICE = "Service/"
_REGISTRY = "registry "
_WITHOUT = " without "
#: The events in which pods are made anew.
_REMAKING = frozenset({"replace", "lose"})
#: Those in which pods and nodes ask the API server for something.
_ASKING = _REMAKING | {"reboot"}
_MISSING_IMAGE = frozenset(
    {
        *("image-not-on-node", "image-on-no-node", "image-on-some-nodes"),
        *("never-without-image", "listing-cut", "nodes-unknown"),
    }
)


class _Group(NamedTuple):
    """Pods that webhooks cannot tell apart."""

    namespace: str
    labels: Labels


class Falling:
    """Says what falls with pods.

    Args:
        engine: What evaluates Rego.
        snapshot: The snapshot.
        pods: Its pods.
        registries: The Services from which pods pull images.
    """

    def __init__(self, engine: Engine, snapshot: Snapshot, pods: Pods, registries: Sequence[JSON]) -> None:
        self._snapshot = snapshot
        self._registries = registries
        keys = frozenset(_asked_labels(snapshot))
        self._groups: dict[_Group, int] = {}
        self._of_workload: dict[WorkloadRef, set[int]] = {}
        self._workloads_of: dict[int, set[WorkloadRef]] = {}
        self._number = Counter(pod.workload for pod in pods.pods)
        for pod in pods.pods:
            labels = Labels(frozenset(pair for pair in pod.labels.labels if pair[0] in keys), pod.labels.complete)
            group = self._groups.setdefault(_Group(pod.workload.namespace, labels), len(self._groups))
            self._of_workload.setdefault(pod.workload, set()).add(group)
            self._workloads_of.setdefault(group, set()).add(pod.workload)
        self._static = {pod.workload for pod in pods.pods if pod.static}
        self._services = [
            {
                "namespace": dig(obj, "metadata", "namespace"),
                "name": dig(obj, "metadata", "name"),
                "selector": dig(obj, "spec", "selector"),
            }
            for obj in snapshot.objects("Service")
        ]
        self._services_of: dict[str, list[JSON]] = {}
        for service in self._services:
            self._services_of.setdefault(str(service["namespace"]), []).append(service)
        self._found = query(engine, modules(_MODULES), "data.outage.cascade.contents", self._document())

    def cascade(
        self, event: Event, found: Mapping[WorkloadRef, Mapping[Event, Forecast]], protected: frozenset[str]
    ) -> tuple[Cascade, dict[WorkloadRef, Fallen]]:
        """Return what falls in an event, and the workloads that do so whatever their images.

        Args:
            event: The event.
            found: What becomes of each workload by its images.
            protected: The names of the protected namespaces.
        """
        forecasts = {ref: by_event[event] for ref, by_event in found.items() if event in by_event}
        plan: dict[str, Step] = {}
        stated = list(self._causes(event, forecasts, plan))
        causes = Causes(stated)
        certain, possible = causes.fall(certainly=True), causes.fall()
        wanted = [_some(ref) for ref in forecasts if ref.namespace in protected]
        costs = {name: edits.COSTS[step.what] for name, step in plan.items()}
        repair = smallest(causes, costs, wanted)
        workloads = {str(ref) for ref in forecasts}
        back = way_back([cause for cause in stated if cause.certain], certain, workloads)
        things = self._things()
        cascade = Cascade(
            fallen=tuple(_fallen(name, certain, possible) for name in sorted(things & possible.keys())),
            knots=back.knots,
            order=back.order,
            repair=tuple(edits.described((plan[edit] for edit in repair.edits), self._objects())),
            cost=repair.cost,
            proven=repair.proven,
            left=tuple(name.removeprefix("some of ") for name in repair.left),
            links=self._links(stated, certain, possible, forecasts),
        )
        others = {}
        for ref, forecast in forecasts.items():
            own = forecast.verdict
            fallen = None if _some(ref) not in possible else _fallen(_some(ref), certain, possible)
            if fallen is not None and own != "stays down" and (own == "starts" or fallen.verdict != own):
                others[ref] = Fallen(str(ref), fallen.verdict, fallen.because)
        return cascade, others

    def _document(self) -> JSON:
        snapshot = self._snapshot
        return {
            "webhooks": [{"kind": kind, "object": obj} for kind in WEBHOOKS for obj in snapshot.objects(kind)],
            "policies": snapshot.objects(POLICY),
            "bindings": snapshot.objects(BINDING),
            "definitions": snapshot.objects(DEFINITION),
            "apis": snapshot.objects(API),
            "namespaces": {dig(obj, "metadata", "name"): obj for obj in snapshot.objects("Namespace")},
            "pods": [
                {"namespace": group.namespace, "labels": dict(group.labels.labels), "complete": group.labels.complete}
                for group in self._groups
            ],
            "services": self._services,
            "registries": self._registries,
        }

    # -- the causes

    def _causes(
        self, event: Event, forecasts: Mapping[WorkloadRef, Forecast], plan: dict[str, Step]
    ) -> Iterator[Cause]:
        whole = {
            ref
            for ref, forecast in forecasts.items()
            if sum(outcome.pods for outcome in forecast.outcomes) >= self._number[ref]
        }
        for ref, forecast in forecasts.items():
            yield from _own_causes(ref, forecast, plan, whole=ref in whole)
            if event in _ASKING:
                yield Cause(str(ref), frozenset({_NODES}), certain=False)
                if ref not in self._static:
                    yield Cause(_some(ref), frozenset({_pods_of(ref.namespace)}))
                    if ref in whole:
                        yield Cause(str(ref), frozenset({_pods_of(ref.namespace)}))
        yield from self._causes_of_services(forecasts)
        last = self._last_ones()
        for guard in self._found["guards"]:
            yield Cause(_guard_name(guard), frozenset({_service_name(guard["service"])}))
            if event in _ASKING:
                # A pod that is there already is neither made nor bound again, but it asks for its tokens.
                asked = guard if event in _REMAKING else {**guard, "makes": guard["mounts"], "pods": []}
                yield from self._causes_of_guard(asked, forecasts, whole, plan)
                yield from self._causes_of_gaps(asked, last, plan)
        yield from self._causes_of_registries(forecasts, last, plan)
        for kind, entries in ((API, self._found["apis"]), (DEFINITION, self._found["conversions"])):
            for entry in entries:
                yield Cause(f"{kind}/{entry['name']}", frozenset({_service_name(entry["service"])}))

    def _causes_of_services(self, forecasts: Mapping[WorkloadRef, Forecast]) -> Iterator[Cause]:
        selected = {
            (service["namespace"], service["name"]): groups
            for service, groups in zip(self._services, self._found["selected"], strict=True)
        }
        elsewhere = self._of_workload.keys() - forecasts.keys()
        named = {(each["namespace"], each["name"]) for each in self._serving()}
        for key in sorted(named, key=str):
            name = _service_name({"namespace": key[0], "name": key[1]})
            if key not in selected:
                # Of a cluster that was read, it is not there; files may only lack it.
                yield Cause(name, certain=self._snapshot.live and "Service" not in self._snapshot.unreadable)
            elif selected[key] is not None:
                refs = {ref for group in selected[key] for ref in self._workloads_of[group]}
                if not refs & elsewhere:
                    yield Cause(name, frozenset(map(str, refs)), certain="Pod" not in self._snapshot.unreadable)

    def _last_ones(self) -> _LastOnes:
        """Return for Services the workloads whose only pod may be the last one behind it, and what is down then."""
        found = {}
        for service, groups in zip(self._services, self._found["selected"], strict=True):
            refs = {ref for group in groups or () for ref in self._workloads_of[group]}
            found[_service_name(service)] = [
                (ref, frozenset(str(other) for other in refs if other != ref))
                for ref in sorted(refs)
                if self._number[ref] == 1
            ]
        return found

    def _causes_of_registries(
        self, forecasts: Mapping[WorkloadRef, Forecast], last: _LastOnes, plan: dict[str, Step]
    ) -> Iterator[Cause]:
        for service in self._registries:
            yield Cause(_registry_name(service), frozenset({_service_name(service)}))
        for ref, forecast in forecasts.items() if self._registries else ():
            yield from _causes_of_pulls(ref, forecast, last, plan)

    def _causes_of_gaps(self, guard: JSON, last: _LastOnes, plan: dict[str, Step]) -> Iterator[Cause]:
        """Yield what becomes of the last pod of a Service, if the webhook behind it catches what replaces the pod.

        Nothing answers once the pod is gone; while it ends, it may.
        """
        for ref, others_down in last.get(_service_name(guard["service"]), ()):
            if ref not in self._static:
                yield from self._causes_of_gap(guard, ref, others_down, plan)

    def _causes_of_gap(
        self, guard: JSON, ref: WorkloadRef, others_down: frozenset[str], plan: dict[str, Step]
    ) -> Iterator[Cause]:
        gap = f"{_guard_name(guard)}{_WITHOUT}{ref}"
        ways = _planned(plan, _excluding(guard, ref.namespace), _ignoring(guard))
        made = ref.namespace in {namespace for namespace, _ in guard["makes"]}
        if made or self._of_workload[ref] & {group for group, _ in guard["pods"]}:
            yield Cause(str(ref), frozenset({gap}), certain=False, edits=ways)
        if ref.namespace in {namespace for namespace, _ in guard["readies"]}:
            yield Cause(_service_name(guard["service"]), frozenset({gap}), certain=False, edits=ways)
        yield Cause(gap, others_down, certain=False)

    def _serving(self) -> Iterator[JSON]:
        for field in ("guards", "apis", "conversions"):
            yield from (each["service"] for each in self._found[field])
        yield from self._registries

    def _causes_of_guard(
        self,
        guard: JSON,
        forecasts: Mapping[WorkloadRef, Forecast],
        whole: Collection[WorkloadRef],
        plan: dict[str, Step],
    ) -> Iterator[Cause]:
        name = _guard_name(guard)
        for namespace, verdict in guard["makes"]:
            ways = _planned(plan, _excluding(guard, namespace), _ignoring(guard))
            yield Cause(_pods_of(namespace), frozenset({name}), certain=verdict == "match", edits=ways)
        caught = dict(guard["pods"])
        for ref in dict.fromkeys(ref for group in caught for ref in sorted(self._workloads_of[group])):
            if ref not in forecasts or ref in self._static:
                continue
            verdicts = {caught.get(group, "mismatch") for group in self._of_workload[ref]}
            ways = _planned(plan, _excluding(guard, ref.namespace), _ignoring(guard))
            yield Cause(_some(ref), frozenset({name}), certain="match" in verdicts, edits=ways)
            if ref in whole and "mismatch" not in verdicts:
                yield Cause(str(ref), frozenset({name}), certain=verdicts == {"match"}, edits=ways)
        for namespace, _ in guard["readies"]:
            ways = _planned(plan, _excluding(guard, namespace), _ignoring(guard))
            for service in self._services_of.get(namespace, ()):
                yield Cause(_service_name(service), frozenset({name}), certain=False, edits=ways)
        if guard["nodes"] != "mismatch":
            ways = _planned(plan, _ignoring(guard))
            yield Cause(_NODES, frozenset({name}), certain=guard["nodes"] == "match", edits=ways)

    # -- what is told

    def _things(self) -> set[str]:
        """Return the names of all that can fall besides workloads and Services."""
        named = {_guard_name(guard) for guard in self._found["guards"]} | {_NODES}
        named |= set(map(_registry_name, self._registries))
        named |= {f"{API}/{entry['name']}" for entry in self._found["apis"]}
        return named | {f"{DEFINITION}/{entry['name']}" for entry in self._found["conversions"]}

    def _links(
        self, causes: Iterable[Cause], certain: Collection[str], possible: Collection[str], refs: Iterable[WorkloadRef]
    ) -> tuple[Link, ...]:
        """Return the steps by which things fall; workloads count as a whole, whichever of their pods are meant."""
        workloads = {name: ref for ref in refs for name in (str(ref), _some(ref))}
        things = self._things() - {_NODES}
        found: dict[tuple[int, str, str], bool] = {}
        for cause in causes:
            if cause.thing not in possible or not all(need in possible for need in cause.needs):
                continue
            is_certain = cause.certain and all(need in certain for need in cause.needs)
            for need in cause.needs:
                for step in _steps(need, cause.thing, things, workloads):
                    found[step] = found.get(step, False) or is_certain
        return tuple(Link(*step, is_certain) for step, is_certain in sorted(found.items()))

    def _objects(self) -> dict[tuple[str, str, str], JSON]:
        kinds = (*edits.PATCHABLE, *WEBHOOKS, POLICY)
        return {
            (kind, dig(obj, "metadata", "namespace") or "", dig(obj, "metadata", "name")): obj
            for kind in kinds
            for obj in self._snapshot.objects(kind)
        }


def _steps(
    need: str, thing: str, things: Collection[str], workloads: Mapping[str, WorkloadRef]
) -> Iterator[tuple[int, str, str]]:
    """Yield the steps from one thing to another, each as the layer of its source, its source and its target."""
    if _WITHOUT in thing:
        return
    ref = workloads.get(thing.partition(" #")[0])
    source = need.partition(_WITHOUT)[0]
    if source in things:
        request = thing
        if ref is not None:
            request = f"images of {source}" if source.startswith(_REGISTRY) else _pods_of(ref.namespace)
            yield 3, request, str(ref)
        elif thing.startswith(_SERVICE):
            request = f"endpoints of {thing.split('/')[1]}"
            yield 3, request, thing
        yield 2, source, request
    elif thing in things:
        yield 1, need, thing
    elif need in workloads and ref is None:
        yield 0, str(workloads[need]), thing
    elif ref is not None and (need == _NODES or need == _pods_of(ref.namespace)):
        yield 3, need, str(ref)


def _asked_labels(snapshot: Snapshot) -> Iterator[str]:
    """Yield the labels that anything asks pods for: without the others, many pods are alike."""
    for service in snapshot.objects("Service"):
        yield from _keys(dig(service, "spec", "selector"))
    selecting = [dig(obj, "spec", "matchConstraints") for obj in snapshot.objects(POLICY)]
    selecting += [dig(obj, "spec", "matchResources") for obj in snapshot.objects(BINDING)]
    for kind in WEBHOOKS:
        for obj in snapshot.objects(kind):
            webhooks = obj.get("webhooks")
            selecting += webhooks if isinstance(webhooks, list) else []
    for each in selecting:
        yield from _keys(dig(each, "objectSelector", "matchLabels"))
        expressions = dig(each, "objectSelector", "matchExpressions")
        yield from (str(dig(part, "key")) for part in (expressions if isinstance(expressions, list) else ()))


def _keys(labels: Any) -> Iterable[str]:
    return labels if isinstance(labels, dict) else ()


def _own_causes(ref: WorkloadRef, forecast: Forecast, plan: dict[str, Step], *, whole: bool) -> Iterator[Cause]:
    """Yield why pods of a workload are down for their images: some, and all if it happens to the whole of it."""
    names = [f"{ref} #{number}" for number in range(len(forecast.outcomes))]
    for name, outcome in zip(names, forecast.outcomes, strict=True):
        if outcome.verdict != "starts":
            yield from _causes_of_outcome(name, ref, outcome, plan)
        yield Cause(_some(ref), frozenset({name}))
    if whole:
        yield Cause(str(ref), frozenset(names))
    yield Cause(_some(ref), frozenset({str(ref)}))


def _causes_of_outcome(name: str, ref: WorkloadRef, outcome: Outcome, plan: dict[str, Step]) -> Iterator[Cause]:
    bad = [use for use in outcome.uses if use.verdict != "starts"]
    if not bad:
        yield Cause(name, certain=outcome.verdict == "stays down")
    for use in bad:
        certain = use.verdict == "stays down"
        ways = list(_ways(ref, use, outcome))
        if not ways:
            yield Cause(name, certain=certain)
        for way in ways:
            yield Cause(name, certain=certain, edits=_planned(plan, way))


def _causes_of_pulls(
    ref: WorkloadRef,
    forecast: Forecast,
    last: _LastOnes,
    plan: dict[str, Step],
) -> Iterator[Cause]:
    """Yield why pods of a workload are down without a registry that is a Service of the cluster.

    A pod that pulls from itself cannot, unless there is another one; while it ends, it may.
    """
    for number, outcome in enumerate(forecast.outcomes):
        for use in outcome.uses:
            without = use.without
            if without is None or VERDICTS.index(without.verdict) >= VERDICTS.index(use.verdict):
                continue
            name = _registry_name(without.service)
            needed = {name: without.verdict == "stays down"}
            for last_one, others_down in last.get(_service_name(without.service), ()):
                if last_one == ref:
                    yield Cause(f"{name}{_WITHOUT}{ref}", others_down, certain=False)
                    needed[f"{name}{_WITHOUT}{ref}"] = False
            missing = replace(use, verdict=without.verdict, reason=without.reason)
            ways = [_planned(plan, way) for way in _ways(ref, missing, outcome)] or [frozenset[str]()]
            for need, certain in needed.items():
                for way in ways:
                    yield Cause(f"{ref} #{number}", frozenset({need}), certain=certain, edits=way)


def _ways(ref: WorkloadRef, use: Use, outcome: Outcome) -> Iterator[Step]:
    """Yield the edits, all of which it takes to let a container start."""
    if use.reason in _MISSING_IMAGE:
        yield Step("prefetch", "", "", use.image)
    if use.reason == "always" and ref.kind in edits.PATCHABLE:
        yield Step("pull-policy", ref.kind, ref.namespace, ref.name)
        if outcome.nodes < 0 or use.missing or use.unknown:
            yield Step("prefetch", "", "", use.image)


def _planned(plan: dict[str, Step], *ways: Step) -> frozenset[str]:
    named = {edits.identifier(way): way for way in ways}
    plan.update(named)
    return frozenset(named)


def _ignoring(guard: JSON) -> Step:
    return Step("ignore", guard["kind"], "", guard["name"], guard["index"])


def _excluding(guard: JSON, namespace: str) -> Step:
    return Step("exclude", guard["kind"], "", guard["name"], guard["index"], namespace)


def _guard_name(guard: JSON) -> str:
    parts = (guard["kind"], guard["name"], guard["webhook"])
    return "/".join(part for part in parts if isinstance(part, str))


def _service_name(service: JSON) -> str:
    return f"{_SERVICE}{service['namespace']}/{service['name']}"


def _registry_name(service: JSON) -> str:
    return f"{_REGISTRY}{service['namespace']}/{service['name']}"


def _some(ref: WorkloadRef) -> str:
    return f"some of {ref}"


def _pods_of(namespace: str) -> str:
    return f"pods of {namespace}"


def _told(because: Sequence[str]) -> tuple[str, ...]:
    return tuple(name for name in because if not name.startswith(("some of ", "pods of ")))


def _fallen(name: str, certain: Mapping[str, Cause], possible: Mapping[str, Cause]) -> Fallen:
    down = certain if name in certain else possible
    verdict: Verdict = "stays down" if name in certain else "unknown"
    return Fallen(name, verdict, _told(tuple(_chain(name, down))))


def _chain(name: str, down: Mapping[str, Cause]) -> Iterable[str]:
    """Return what brings a thing down, without itself and without the parts of workloads."""
    names = dict.fromkeys(cause.thing.partition(" #")[0] for cause in behind(name, down))
    own = name.removeprefix("some of ")
    return [each for each in names if each not in {own, f"some of {own}"}]
