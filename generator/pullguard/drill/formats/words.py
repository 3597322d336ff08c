"""What reports of drills say in words."""

from collections.abc import Iterator, Mapping

from pullguard.core.formats.text import counted
from pullguard.drill import objects
from pullguard.drill.model import Agreement, DrillReport, Plan, Planned
from pullguard.forecasting.model import REASONS, Sight, Use, Verdict

AGREEMENTS: Mapping[Agreement, str] = {
    "as forecast": "as forecast",
    "left open": "was open",
    "contradicted": "NOT FORECAST",
    "changed": "changed",
    "not seen": "not seen",
}
_SECONDS_TO_START = 20


def forecast(verdict: Verdict) -> str:
    """Return a forecast as people say it."""
    return "may stay down" if verdict == "unknown" else verdict


def sight(found: Sight) -> str:
    """Return what was seen as people say it."""
    return "starts: its images are there" if found == "starts" else found


def pods(planned: Planned) -> str:
    """Return a workload, and how many of its pods are meant."""
    return f"{planned.workload} ({counted(planned.pods, 'pod')})"


def reason(found: Use) -> str:
    """Return why a container starts or does not."""
    others = f" ({', '.join(found.others)})" if found.others else ""
    return f"{REASONS[found.reason]}{others}"


def title(report: DrillReport) -> str:
    """Return what was done."""
    plan = report.plan
    hosts = ", ".join(sorted(plan.registries))
    if not report.seen:
        return f"Drill on {plan.node} without {hosts}: no copy was made"
    return f"Drill on {plan.node} without {hosts}, for {report.lasted:.0f} seconds"


def summary(report: DrillReport) -> str:
    """Return how many copies did what was forecast."""
    parts = {
        "as forecast": "did what was forecast",
        "contradicted": "did not",
        "left open": "had an open forecast",
        "changed": "changed on the way in",
        "not seen": "not seen",
    }
    found = [
        f"{number} {words}"
        for agreement, words in parts.items()
        if (number := report.count(agreement))  # type: ignore[arg-type]
    ]
    return f"Of {counted(len(report.seen), 'copy') if len(report.seen) == 1 else f'{len(report.seen)} copies'}: " + (
        ", ".join(found) or "none was made"
    )


def steps(plan: Plan) -> Iterator[str]:
    """Yield what a drill does, one step a line."""
    first = plan.namespaces[0]
    copies = "1 copy" if len(plan.pods) == 1 else f"{len(plan.pods)} copies"
    yield (
        f"1. It cuts {plan.node} off from {', '.join(map(str, plan.addresses))}, and nothing else: a pod of its own in "
        f"{first}, with hostNetwork and NET_ADMIN, has the firewall (nftables) reject these connections of the node "
        "itself, not those of pods."
    )
    yield (
        f"2. It makes {copies} in {', '.join(plan.namespaces)}, bound to {plan.node}: the same images, pull policies "
        "and pull secrets, and nothing else. They run nothing, and nothing selects or owns them."
    )
    yield "3. It watches whether the kubelet has their images, and asks the registries, to prove that they are cut off."
    yield (
        f"4. It undoes the cut, and removes all that it made. The kernel of {plan.node} ends the cut by itself: when "
        f"the pod ends, however that happens, and after {plan.seconds} seconds at the latest. All else has a deadline: "
        f"the cluster removes it within {plan.seconds + objects.START + objects.KEPT} seconds, whatever becomes of "
        "pullguard."
    )
    yield f"It takes about {2 * _SECONDS_TO_START} seconds, at most {plan.seconds} of them without the registries."


def errors(plan: Plan) -> Iterator[str]:
    """Yield what could not be read."""
    for problem in plan.errors:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        yield f"{place}: error: {problem.message}"
    for kind, why in plan.unreadable.items():
        yield f"error: {kind} could not be read: {why}"
