"""Forecasts made by hand, for tests of what is said about them."""

from collections.abc import Iterable, Mapping

from pullguard.core.inputs.problems import InputError
from pullguard.forecasting.model import Event, Forecast, Outcome, Use, Verdict, WorkloadRef
from pullguard.outage.model import Cascade, Edit, Fallen, Link, OutageReport, Workload

DOWN: Verdict = "stays down"
UNKNOWN: Verdict = "unknown"
STARTS: Verdict = "starts"
_REASONS: Mapping[Verdict, str] = {DOWN: "always", UNKNOWN: "image-on-some-nodes", STARTS: "image-on-every-node"}


def forecast(verdict: Verdict, image: str = "example.org/app:1", pods: int = 1, container: str = "app") -> Forecast:
    """Return a forecast about pods that are all alike."""
    use = Use("containers", container, image, ("Always",), verdict, _REASONS[verdict], 1, 1, 0, 0, ())
    return Forecast((Outcome(verdict, pods, (("app-1", "node-a"),), bound=False, nodes=2, uses=(use,)),))


def workload(
    name: str,
    namespace: str = "kube-system",
    kind: str = "Deployment",
    *,
    protected: bool = True,
    fallen: Mapping[Event, Fallen] | None = None,
    image: str = "example.org/app:1",
    **verdicts: Verdict,
) -> Workload:
    """Return a workload; `restart` and so on are what becomes of its pods by their images."""
    forecasts = {event: forecast(verdict, image) for event, verdict in verdicts.items()}
    return Workload(WorkloadRef(namespace, kind, name), protected, forecasts, fallen or {})  # type: ignore[arg-type]


def cascade(
    *links: Link,
    repair: Iterable[Edit] = (),
    fallen: Iterable[Fallen] = (),
    knots: Iterable[tuple[str, ...]] = (),
    order: Iterable[tuple[str, ...]] = (),
    left: tuple[str, ...] = (),
) -> Cascade:
    """Return what falls."""
    edits = tuple(repair)
    cost = sum(edit.cost for edit in edits)
    return Cascade(tuple(fallen), tuple(knots), tuple(order), edits, cost, proven=True, left=left, links=links)


def report(
    *workloads: Workload,
    cascades: Mapping[Event, Cascade] | None = None,
    errors: Iterable[InputError] = (),
    unreadable: Mapping[str, str] | None = None,
    notes: Iterable[str] = (),
    source: str = "the files",
) -> OutageReport:
    """Return a report about the events that workloads or cascades know."""
    known = {event for each in workloads for event in each.forecasts} | set(cascades or {})
    order: tuple[Event, ...] = ("restart", "replace", "reboot", "lose")
    events = tuple(event for event in order if event in known)
    return OutageReport(
        source=source,
        registries=("*",),
        events=events,
        nodes=None,
        workloads=workloads,
        unreadable=unreadable or {},
        errors=tuple(errors),
        notes=tuple(notes),
        cascades={event: (cascades or {}).get(event, cascade()) for event in events},
    )


def hooked(name: str = "hook", namespace: str = "policy") -> OutageReport:
    """Return a report in which a webhook falls with its workload, and takes other workloads with it."""
    ref, service = f"Deployment/{namespace}/{name}", f"Service/{namespace}/{name}"
    guard = f"ValidatingWebhookConfiguration/{name}/{name}.example.com"
    chain = (guard, service, ref)
    dns = Fallen("Deployment/kube-system/dns", DOWN, chain)
    proxy = Fallen("DaemonSet/kube-system/proxy", UNKNOWN, chain)
    links = (
        Link(0, ref, service, certain=True),
        Link(1, service, guard, certain=True),
        Link(2, guard, "nodes and leases", certain=False),
        Link(2, guard, "pods of kube-system", certain=True),
        Link(2, guard, f"pods of {namespace}", certain=True),
        Link(3, "nodes and leases", proxy.name, certain=False),
        Link(3, "pods of kube-system", dns.name, certain=True),
        Link(3, f"pods of {namespace}", ref, certain=True),
    )
    edit = Edit(f"{ref}: set imagePullPolicy IfNotPresent", 1, f"kubectl patch {name}", ())
    return report(
        workload("proxy", kind="DaemonSet", restart=STARTS, replace=STARTS, fallen={"replace": proxy}),
        workload("dns", restart=STARTS, replace=UNKNOWN, fallen={"replace": dns}),
        workload("metrics", restart=STARTS, replace=STARTS),
        workload(name, namespace, restart=DOWN, replace=DOWN),
        workload("web", "shop", "StatefulSet", protected=False, replace=UNKNOWN),
        cascades={
            "restart": cascade(*links[:2], repair=[edit], fallen=[Fallen(guard, DOWN, (service, ref))]),
            "replace": cascade(
                *links,
                repair=[edit],
                fallen=[Fallen(guard, DOWN, (service, ref))],
                knots=[(ref,)],
                order=[("Deployment/kube-system/dns",), ("DaemonSet/kube-system/proxy",)],
                left=("StatefulSet/kube-system/db",),
            ),
        },
        notes=["a note"],
    )


def large(workloads: int, namespaces: int = 200, kind: str = "Deployment") -> OutageReport:
    """Return a report about many protected workloads that do not come back: one webhook takes all of them with it."""
    guard = "ValidatingWebhookConfiguration/policy/pods.policy.example.com"
    chain = (guard, "Service/policy/policy", "Deployment/policy/policy")
    made = []
    for number in range(workloads):
        namespace, name = f"team-{number % namespaces}", f"app-{number}-6d4b75cb6d"
        image = f"registry-{number % 7}.example.com/team-{number % namespaces}/app-{number}:1.0.0"
        fallen = Fallen(f"{kind}/{namespace}/{name}", DOWN, chain)
        made.append(
            workload(name, namespace, kind, restart=DOWN, replace=UNKNOWN, fallen={"replace": fallen}, image=image)
        )
    refused = [Link(2, guard, f"pods of team-{number}", certain=True) for number in range(namespaces)]
    falls = [Link(3, f"pods of {each.ref.namespace}", str(each.ref), certain=True) for each in made]
    steps = (Link(0, chain[2], chain[1], certain=True), Link(1, chain[1], guard, certain=True))
    edits = [Edit(f"{each.ref}: set imagePullPolicy IfNotPresent", 1, f"kubectl patch {each.ref}", ()) for each in made]
    order = [("Deployment/policy/policy",), tuple(str(each.ref) for each in made)]
    found = cascade(*steps, *refused, *falls, repair=edits, fallen=[Fallen(guard, DOWN, chain[1:])], order=order)
    return report(*made, workload("policy", "policy", replace=DOWN), cascades={"restart": cascade(), "replace": found})
