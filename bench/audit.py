"""Measures audits of a large cluster: Gatekeeper's own with several policies, and `pullguard audit --rescan`.

A real etcd, API server and Gatekeeper run in a network of their own. There are no nodes, so pods are only stored. It
needs root, and the programs of `make cluster-tools`. The first argument divides the number of objects; `rescan` as the
second one skips Gatekeeper's own audits. Next to each rescan, `kubectl get -o json` reads the same lists.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import processes
import yaml

_CHECKOUT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(_CHECKOUT / "tests"))

from local_cluster.control_plane import ControlPlane, control_plane  # noqa: E402 - the line above makes it importable
from local_cluster.gatekeeper import GROUPS, USER, gatekeeper  # noqa: E402 - as above
from local_cluster.isolation import isolated  # noqa: E402 - as above
from local_cluster.servers import wait_until  # noqa: E402 - as above

_BINARIES = _CHECKOUT / ".tools" / "bin"
_DEPLOYMENTS, _PODS = 10_000, 20_000
_NAMESPACES = 20
_THREADS = 8
# One in this many objects violates.
_VIOLATING = 100
_AUDITS = 2
_RESCANS = 3
_WAIT = 1_800.0
_SAMPLE = 0.1

_MATCH = {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}, {"apiGroups": ["apps"], "kinds": ["Deployment"]}]}
_POLICIES = {
    "never_firing": "bench/reviews/never_firing/policy.yaml",
    "disallowed_tags": "bench/reviews/disallowed_tags/policy.yaml",
    "protected_pull_policy": "library/policies/protected_pull_policy/template.yaml",
    "protected_image_pinning": "library/policies/protected_image_pinning/template.yaml",
}


def main() -> None:
    """Print the tables."""
    scale = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    names = () if "rescan" in sys.argv[2:] else tuple(_POLICIES)
    small = (_DEPLOYMENTS // 10 // scale, _PODS // 10 // scale)
    whole = (_DEPLOYMENTS // scale, _PODS // scale)
    with isolated() as folder, control_plane(_BINARIES, folder, users={USER: GROUPS}) as plane:
        _create(plane, (0, 0), small)
        with gatekeeper(plane, _BINARIES.parent / "manifests" / "gatekeeper.yaml"):
            few = _rescans(plane)
        # Gatekeeper is no longer running, and its webhooks would only slow down the creation of more objects.
        shutil.rmtree(plane.folder / "audit")
        plane.kubectl()("delete", "validatingwebhookconfigurations,mutatingwebhookconfigurations", "--all")
        _create(plane, small, whole)
        with gatekeeper(plane, _BINARIES.parent / "manifests" / "gatekeeper.yaml"):
            costs = {name: _audits(plane, name) for name in names}
            many = _rescans(plane)
    if names:
        _print_audits(whole, costs)
    _print("\npullguard audit --rescan by protected_pull_policy, and kubectl get -o json of the same lists; medians\n")
    _print("| objects | seconds | kubectl, seconds | ratio | pullguard, peak MiB | all its processes, peak MiB |")
    _print("|---|---|---|---|---|---|")
    for sizes, (seconds, kubectl, own, together) in ((small, few), (whole, many)):
        times = f"{seconds / kubectl:.2f}"
        _print(f"| {sum(sizes)} | {seconds:.1f} | {kubectl:.1f} | {times} | {own} | {together} |")


def _print_audits(whole: tuple[int, int], costs: Mapping[str, tuple[float, float]]) -> None:
    _print(f"Gatekeeper's audit of {whole[0]} Deployments and {whole[1]} Pods, the best of {_AUDITS} audits\n")
    _print("| policy | seconds | CPU seconds | above never firing |\n|---|---|---|---|")
    for name, (seconds, cpu) in costs.items():
        _print(f"| {name} | {seconds:.1f} | {cpu:.1f} | {cpu - costs['never_firing'][1]:.1f} |")


def _create(plane: ControlPlane, start: tuple[int, int], end: tuple[int, int]) -> None:
    """Create the Deployments and Pods whose numbers are in a range."""
    with closing(plane.client()) as client:
        for number in range(_NAMESPACES):
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"team-{number}"}}
            client.request("POST", "/api/v1/namespaces", body)
    work = [("Deployment", number) for number in range(start[0], end[0])]
    work += [("Pod", number) for number in range(start[1], end[1])]

    def create(part: Sequence[tuple[str, int]]) -> None:
        with closing(plane.client()) as client:
            for kind, number in part:
                root = "/apis/apps/v1" if kind == "Deployment" else "/api/v1"
                path = f"{root}/namespaces/team-{number % _NAMESPACES}/{kind.lower()}s"
                answer = client.request("POST", path, _object(kind, number))
                if answer.message:
                    raise RuntimeError(answer.message)

    with ThreadPoolExecutor(_THREADS) as pool:
        for done in [pool.submit(create, work[first::_THREADS]) for first in range(_THREADS)]:
            done.result()


def _object(kind: str, number: int) -> dict[str, Any]:
    tag = "latest" if number % _VIOLATING == 0 else f"1.{number}"
    labels = {"app.kubernetes.io/name": f"web-{number}", "team": f"team-{number % _NAMESPACES}"}
    containers = [
        {
            "name": name,
            "image": f"registry.example.org/{name}:{tag}",
            "env": [{"name": f"VARIABLE_{index}", "value": f"value {index}"} for index in range(8)],
            "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        }
        for name in ("web", "proxy")
    ]
    spec: dict[str, Any] = {"containers": containers}
    if kind == "Deployment":
        template = {"metadata": {"labels": labels}, "spec": spec}
        spec = {"replicas": 2, "selector": {"matchLabels": labels}, "template": template}
    version = "apps/v1" if kind == "Deployment" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": f"web-{number}", "labels": labels}, "spec": spec}


def _audits(plane: ControlPlane, name: str) -> tuple[float, float]:
    """Return the seconds of the shortest audit with only one policy, and the CPU seconds of the cheapest."""
    log, process = plane.folder / "gatekeeper.log", processes.child("gatekeeper")
    with _applied(plane, name):
        start = _now()
        durations: list[float] = []
        # The CPU time at the end of each audit. Audits follow each other, so each difference belongs to one audit.
        ends: list[float] = []

        def enough() -> bool:
            durations[:] = _durations(log, start)
            ends.extend([processes.cpu_seconds(process)] * (len(durations) - len(ends)))
            return len(durations) >= _AUDITS

        wait_until(enough, timeout=_WAIT, what="audits")
    return min(durations), min(later - earlier for earlier, later in pairwise(ends))


def _rescans(plane: ControlPlane) -> tuple[float, float, int, int]:
    """Return the median seconds of the rescans and of kubectl, and the highest memory peaks of the rescans.

    The peaks are in MiB: of pullguard alone, and of pullguard with all programs that it runs.
    """
    with _applied(plane, "protected_pull_policy"):
        runs = [(_rescan(plane), _kubectl_get(plane)) for _ in range(_RESCANS)]
    seconds, kubectl = (median(times) for times in zip(*((run[0], other) for run, other in runs), strict=True))
    return seconds, kubectl, max(run[1] for run, _ in runs), max(run[2] for run, _ in runs)


def _kubectl_get(plane: ControlPlane) -> float:
    """Return how many seconds kubectl takes to write the same lists as JSON."""
    begun = time.monotonic()
    for kind in ("pods", "deployments.apps"):
        with tempfile.TemporaryFile() as output:
            arguments = ["get", kind, "-A", "-o", "json", f"--kubeconfig={plane.kubeconfig()}"]
            subprocess.run([_BINARIES / "kubectl", *arguments], stdout=output, check=True, timeout=_WAIT)
    return time.monotonic() - begun


def _rescan(plane: ControlPlane) -> tuple[float, int, int]:
    """Return the seconds of a rescan, and its memory peaks in MiB: of pullguard alone, and with all its programs."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "pullguard", "audit", "--rescan", "-o", "json"]
        begun = time.monotonic()
        process = subprocess.Popen(
            [*command, "--kubeconfig", str(plane.kubeconfig())],
            env={"PATH": f"{_BINARIES}:/usr/bin:/bin", "HOME": home},
            stdout=subprocess.PIPE,
        )
        own, together, ended = [0], [0], Event()

        def watch() -> None:
            while not ended.wait(_SAMPLE):
                own[0] = max(own[0], processes.resident([process.pid]) // 2**20)
                together[0] = max(together[0], processes.resident(processes.tree(process.pid)) // 2**20)

        watcher = Thread(target=watch)
        watcher.start()
        output = process.communicate()[0]
        seconds = time.monotonic() - begun
        ended.set()
        watcher.join()
    report = json.loads(output)
    if process.returncode != 1 or report["errors"]:
        raise RuntimeError(f"the rescan ended with {process.returncode}: {report['errors']}")
    return seconds, own[0], together[0]


@contextmanager
def _applied(plane: ControlPlane, name: str) -> Iterator[None]:
    """Apply a policy to Pods and Deployments in all namespaces, and wait until Gatekeeper enforces it."""
    template = next(
        obj
        for obj in yaml.safe_load_all((_CHECKOUT / _POLICIES[name]).read_text("utf-8"))
        if obj["kind"] == "ConstraintTemplate"
    )
    kind = template["spec"]["crd"]["spec"]["names"]["kind"]
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": "bench"},
        "spec": {"enforcementAction": "dryrun", "match": _MATCH, **_parameters(name)},
    }
    kubectl = plane.kubectl()
    kubectl("apply", "-f", "-", stdin=template)
    resource_name = f"{kind.lower()}.constraints.gatekeeper.sh"
    crd = f"crd/{resource_name}"
    wait_until(lambda: kubectl("get", crd, check=False).returncode == 0, timeout=_WAIT, what="the kind of a constraint")
    kubectl("wait", "--for=condition=Established", "--timeout=60s", crd)
    kubectl("apply", "-f", "-", stdin=constraint)

    def enforced() -> bool:
        pods = kubectl.get(resource_name, "bench").get("status", {}).get("byPod") or []
        return bool(pods) and all(pod.get("enforced") for pod in pods)

    wait_until(enforced, timeout=_WAIT, what="the constraint to be enforced")
    try:
        yield
    finally:
        # No garbage collector runs here to delete what the template owned.
        kubectl("delete", "constrainttemplate", template["metadata"]["name"])
        kubectl("delete", crd)


def _parameters(name: str) -> Mapping[str, Any]:
    return {"parameters": {"tags": ["latest"]}} if name == "disallowed_tags" else {}


def _durations(log: Path, start: str) -> list[float]:
    """Return the seconds of the audits in Gatekeeper's log that began after a given time."""
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        if '"audit_finished"' in line:
            value = json.loads(line)
            if value["audit_id"] > start:
                found.append(_seconds(value["duration"]))
    return found


def _seconds(text: str) -> float:
    """Return the seconds of a duration in Go's notation, such as 1m2.5s."""
    minutes, _, rest = text.rpartition("m") if "ms" not in text else ("", "", text)
    return 60 * float(minutes or 0) + (float(rest[:-2]) / 1000 if rest.endswith("ms") else float(rest[:-1]))


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    os.nice(5)
    main()
