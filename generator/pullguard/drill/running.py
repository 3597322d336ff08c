"""The steps of a drill in a cluster. Whatever happens, its objects are deleted in the end; timers do the rest."""

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from pullguard.cluster.kubectl import Kubectl, RefusedError
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.core.programs import signals_held
from pullguard.drill import objects, statuses
from pullguard.drill.model import Asked, Container, DrillReport, Plan, Seen
from pullguard.drill.statuses import State

JSON = Mapping[str, Any]

_POLL = 0.5
#: How many seconds a control, or all that is deleted, may take.
_SOON = 40.0
#: How many seconds of the cut are kept for the last control.
_LAST = 8.0
#: For how many seconds nothing may appear after a drill was ended early: a request that was cut short may be carried
#: out late, and the cluster may make a pod of a Job that it does not yet know to be gone.
_QUIET = 3.0
#: How many seconds before the end of the cut a copy ends, if nobody removes it.
_MARGIN = 3


def run(cluster: Kubectl, plan: Plan, *, image: str, say: Callable[[str], None]) -> DrillReport:
    """Run a drill.

    Args:
        cluster: The cluster.
        plan: What to do.
        image: The image of the agent.
        say: Tells people what is going on.

    Raises:
        PullguardError: The drill could not begin; nothing is left of it, or what is left has a timer.
    """
    require_no_other(cluster, plan.namespaces)
    drill = _Drill(cluster, plan, say)
    with drill.cleaned():
        drill.ask("before")
        drill.cut(image)
        drill.ask("first")
        if all(each.first == "no answer" for each in drill.asked):
            drill.watch_copies()
            drill.ask("last")
            drill.remove_copies()
        drill.undo()
        drill.ask("after")
    return drill.report()


def require_no_other(cluster: Kubectl, namespaces: Sequence[str]) -> None:
    """Refuse to run while there are objects of another drill.

    Raises:
        PullguardError: There are some.
    """
    for namespace in namespaces:
        for job in _items(cluster, f"{_jobs(namespace)}?{urlencode({'labelSelector': objects.LABEL})}"):
            raise PullguardError(
                f"the drill {dig(job, 'metadata', 'labels', objects.LABEL)} is in the namespace {namespace}",
                remedy="wait for its end, or remove it with `pullguard drill clean`",
            )


def clean(cluster: Kubectl, namespaces: Sequence[str], selector: str = objects.LABEL, *, quiet: float = 0.0) -> int:
    """Remove the objects of drills from namespaces, and wait until they are gone.

    Args:
        cluster: The cluster.
        namespaces: The namespaces.
        selector: Which of them.
        quiet: For how many seconds none may be there before it is done.

    Returns:
        How many objects are still there.

    Raises:
        PullguardError: Something could not be deleted.
    """
    query = urlencode({"labelSelector": selector})
    seen = time.monotonic()
    end = seen + _SOON
    while True:
        left = 0
        for namespace in namespaces:
            if _items(cluster, f"{_jobs(namespace)}?{query}"):  # a request of ours may have come late
                cluster.delete(f"{_jobs(namespace)}?{query}&propagationPolicy=Background")
                left += 1
            left += len(_items(cluster, f"{_pods(namespace)}?{query}"))
        now = time.monotonic()
        seen = now if left else seen
        if (not left and now >= seen + quiet) or now > end:
            return left
        time.sleep(_POLL)


class _Drill:
    """A drill that is going on."""

    def __init__(self, cluster: Kubectl, plan: Plan, say: Callable[[str], None]) -> None:
        self._cluster = cluster
        self._plan = plan
        self._say = say
        name = f"pullguard-drill-{secrets.token_hex(3)}"
        self._drill = objects.Drill(name, plan.node, plan.namespaces[0], plan.seconds)
        self.asked = [
            Asked(host, objects.absent(repository, name)) for host, repository in sorted(plan.registries.items())
        ]
        self._seen: list[Seen] = []
        self._begun = self._ended = 0.0
        self._problems: list[str] = []
        self._notes: list[str] = []

    @contextmanager
    def cleaned(self) -> Iterator[None]:
        """Delete all of the drill in the end."""
        quiet = _QUIET
        try:
            yield
            quiet = 0.0
        finally:
            with signals_held():
                self._say("removing what is left of the drill")
                self.remove_copies()
                self._remove(f"{objects.LABEL}={self._drill.name}", quiet=quiet)

    def ask(self, when: str) -> None:
        """Ask the registries from the node for images that they do not have; `when` is a field of Asked."""
        job = objects.control(self._drill, when, [each.image for each in self.asked])
        name = job["metadata"]["name"]
        self._create(job)
        found = self._watch({name: job}, time.monotonic() + _SOON)[0].get(name, {})
        for index, each in enumerate(self.asked):
            state = found.get(f"c{index}")
            answer = statuses.answer(state)
            why = state.why if state is not None and when in {"first", "last"} else each.why
            self.asked[index] = replace(each, **{when: answer}, why=why)
        words = ", ".join(f"{each.host}: {getattr(each, when)}" for each in self.asked)
        self._say(f"asked the registries ({when}): {words}")

    def cut(self, image: str) -> None:
        """Cut the node off, and wait until that is in force.

        Raises:
            PullguardError: It is not in time.
        """
        plan = self._plan
        job = objects.agent(self._drill, image, plan.addresses)
        self._create(job)
        end = time.monotonic() + objects.START
        words = "no pod was made for it: admission or a quota may have refused it"
        while time.monotonic() < end:
            for pod in self._pods([self._drill.namespace], part="agent"):
                if statuses.is_ready(pod):
                    self._begun = time.monotonic()
                    until = time.strftime("%H:%M:%S", time.localtime(time.time() + plan.seconds))
                    self._say(f"{plan.node} is cut off; that ends by itself at {until}")
                    return
                words = statuses.refusal(pod) or _why(pod) or "its pod does not get ready"
                if dig(pod, "status", "phase") in {"Failed", "Succeeded"}:
                    end = 0.0
            time.sleep(_POLL)
        raise PullguardError(
            f"the agent {job['metadata']['name']} did not cut {plan.node} off: {words}",
            remedy="see docs/drill.md for what its image and its namespace need",
        )

    def watch_copies(self) -> None:
        """Make the copies, and watch them until each has shown what becomes of it, or the cut nears its end."""
        plan = self._plan
        until = self._begun + plan.seconds - _LAST
        originals = self._originals()
        jobs: dict[str, JSON] = {}
        made: list[Seen] = []
        for number, planned in enumerate(plan.pods, 1):
            original = originals.get((planned.workload.namespace, planned.pod))
            if original is None:
                made.append(Seen(planned, "", why="the pod is not on the node any more"))
                continue
            left = self._begun + plan.seconds - time.monotonic()
            job = objects.copy(self._drill, number, original, max(1, int(left) - _MARGIN))
            name = job["metadata"]["name"]
            try:
                self._create(job)
            except RefusedError as error:
                made.append(Seen(planned, "", why=f"the copy was refused: {error.conclusion}"))
                continue
            jobs[name] = job
            made.append(Seen(planned, name))
        self._say(f"watching {len(jobs)} copies")
        found, pods = self._watch(jobs, until)
        self._seen = [
            _seen(each, jobs[each.copy], found.get(each.copy, {}), pods.get(each.copy)) if each.copy else each
            for each in made
        ]

    def remove_copies(self) -> None:
        """Remove the copies; while the node is cut off, so that none pulls what the node lacks."""
        self._remove(f"{objects.LABEL}={self._drill.name},{objects.PART}=copy")

    def undo(self) -> None:
        """Undo the cut."""
        self._ended = time.monotonic()
        self._remove(f"{objects.LABEL}={self._drill.name},{objects.PART}=agent", namespaces=[self._drill.namespace])
        self._say(f"the cut of {self._plan.node} is undone")

    def report(self) -> DrillReport:
        """Return what was seen."""
        plan = self._plan
        lasted = min(self._ended - self._begun, float(plan.seconds))
        problems = list(self._problems)
        for each in self.asked:
            if not each.is_cut:
                problems.append(
                    f"{each.host} was not cut off as far as can be told ({each.why or 'its answer was not seen'}); "
                    "name what the node really asks, such as a mirror or a proxy, with --address"
                )
            if not each.is_back:
                problems.append(f"{each.host} answered the node before the cut, and does not after it")
        notes = [
            f"{each.host} did not answer the node before the cut" for each in self.asked if each.before == "no answer"
        ]
        return DrillReport(
            plan, self._drill.name, tuple(self.asked), tuple(self._seen), lasted, tuple(problems), tuple(notes)
        )

    def _create(self, job: JSON) -> None:
        self._cluster.create(_jobs(job["metadata"]["namespace"]), job)

    def _remove(self, selector: str, namespaces: Sequence[str] | None = None, *, quiet: float = 0.0) -> None:
        try:
            own = self._plan.namespaces if namespaces is None else namespaces
            left = clean(self._cluster, own, selector, quiet=quiet)
        except PullguardError as error:
            self._leave(str(error))
        else:
            if left:
                self._leave(f"{left} of its objects are still there")

    def _leave(self, why: str) -> None:
        after = self._plan.seconds + objects.START + objects.KEPT
        problem = f"not all of {self._drill.name} could be removed ({why}); it ends by itself within {after} seconds"
        self._problems.append(problem)
        self._say(problem)

    def _pods(self, namespaces: Iterable[str], *, part: str) -> list[JSON]:
        query = urlencode({"labelSelector": f"{objects.LABEL}={self._drill.name},{objects.PART}={part}"})
        return [pod for namespace in namespaces for pod in _items(self._cluster, f"{_pods(namespace)}?{query}")]

    def _originals(self) -> dict[tuple[str, str], JSON]:
        """Return the pods on the node, whole."""
        query = urlencode({"fieldSelector": f"spec.nodeName={self._plan.node}"})
        return {
            (namespace, pod["metadata"]["name"]): pod
            for namespace in self._plan.namespaces
            for pod in _items(self._cluster, f"{_pods(namespace)}?{query}")
        }

    def _watch(self, jobs: Mapping[str, JSON], until: float) -> tuple[dict[str, dict[str, State]], dict[str, JSON]]:
        """Return what becomes of the containers of Jobs, and their pods; wait until that is known of each."""
        found: dict[str, dict[str, State]] = {}
        pods: dict[str, JSON] = {}
        parts = {job["metadata"]["labels"][objects.PART] for job in jobs.values()}
        namespaces = sorted({job["metadata"]["namespace"] for job in jobs.values()})
        while jobs:
            for pod in (pod for part in sorted(parts) for pod in self._pods(namespaces, part=part)):
                name = dig(pod, "metadata", "labels", objects.JOB)
                if name in jobs:
                    pods[name] = pod
                    known = found.setdefault(name, {})
                    for container, state in statuses.states(pod).items():
                        # The first words of a failure say more than those about waiting for the next attempt.
                        if container not in known or known[container].sight != "stays down" or state.sight == "starts":
                            known[container] = state
            if all(_is_settled(job, found.get(name, {}), pods.get(name)) for name, job in jobs.items()):
                break
            if time.monotonic() > until:
                break
            time.sleep(_POLL)
        return found, pods


def _is_settled(job: JSON, found: Mapping[str, State], pod: JSON | None) -> bool:
    if pod is not None and statuses.refusal(pod) and not found:
        return True
    names = {container["name"] for container in job["spec"]["template"]["spec"]["containers"]}
    return all(name in found and found[name].sight != "not seen" for name in names)


def _seen(seen: Seen, job: JSON, found: Mapping[str, State], pod: JSON | None) -> Seen:
    if pod is None:
        return replace(seen, why="no pod was made of it: admission or a quota may have refused it")
    containers = []
    for container in job["spec"]["template"]["spec"]["containers"]:
        state = found.get(container["name"], State("not seen", ""))
        containers.append(Container(container["name"], container["image"], state.sight, state.why))
    return replace(
        seen,
        containers=tuple(containers),
        changed=tuple(objects.changes(pod, job)),
        why="" if found else statuses.refusal(pod),
    )


def _why(pod: JSON) -> str:
    """Return what the containers of a pod wait for, or have said at their end."""
    words = []
    listed = dig(pod, "status", "containerStatuses")
    for status in listed if isinstance(listed, list) else []:
        for state in ("waiting", "terminated"):
            found = dig(status, "state", state)
            if isinstance(found, dict):
                words += [str(found[field]).strip() for field in ("reason", "message") if found.get(field)]
    return ": ".join(words)


def _items(cluster: Kubectl, path: str) -> list[JSON]:
    found = cluster.parsed(path, lambda value: value["items"])
    return found if isinstance(found, list) else []


def _jobs(namespace: str) -> str:
    return f"/apis/batch/v1/namespaces/{quote(namespace, safe='')}/jobs"


def _pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{quote(namespace, safe='')}/pods"
