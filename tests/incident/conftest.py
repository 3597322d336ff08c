"""The stages of the incident. Each fixture continues from the previous one and returns what it observed.

A node with a registry runs Gatekeeper from its own manifest. The registry is cut off, and the pods restart. Then the
remedy is applied, without the registry.
"""

import re
import shlex
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import pytest
import yaml

from incident import credentials
from incident.pods import Pod, failed_pulls, settled
from incident.random_pods import NUMBER, random_pods
from incident.site import PROTECTED, Gatekeeper, Site, Violation, pullguard, violations
from incident.site import site as running_site
from installed_library import apply, constraints, install, wait_until_enforced
from local_cluster.api import JSON
from local_cluster.fixtures import cannot_run
from local_cluster.gatekeeper import NAMESPACE
from local_cluster.requirements import CannotRunError
from local_cluster.servers import wait_until

_GATEKEEPER_PODS = 4
_MANAGER = "manager"
_WAIT = 180.0

#: A namespace that the library does not protect. Pods in it pull the images that are to be on the node.
_ELSEWHERE = "default"

#: The image of the matrix that is on the node, and its tags.
_CACHED = "registry.example/cached"
_TAGS = ("1", "latest")
#: An image on the node, whose only tag moves.
MOVING = "registry.example/moving:main"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-table", action="store_true", help="write the table of docs/incident.md; do not compare")


@dataclass(frozen=True, slots=True)
class Seen:
    """What is observed in a stage.

    Attributes:
        pods: Gatekeeper's pods, sorted by name.
        gatekeeper: What Gatekeeper does.
        images: The names of the images on the node.
    """

    pods: tuple[Pod, ...]
    gatekeeper: Gatekeeper
    images: frozenset[str]


@dataclass(frozen=True, slots=True)
class Crashed:
    """A pod whose container has crashed.

    Attributes:
        before: The pod when it was running.
        after: The pod after the kubelet's attempt to start the container again.
        message: The kubelet's message about that.
        others: Gatekeeper's other pods at that time.
    """

    before: JSON
    after: JSON
    message: str
    others: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Forecast:
    """What `pullguard outage` says.

    Attributes:
        verdicts: What becomes of pods without a controller, by name, if they are made.
        gatekeeper: How many of Gatekeeper's pods stay down, by event.
        repair: The smallest repair for Gatekeeper.
    """

    verdicts: Mapping[str, str]
    gatekeeper: Mapping[str, int]
    repair: list[JSON]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What is forecast and happens once a repair is made.

    Attributes:
        forecast: The forecast.
        pods: Gatekeeper's pods.
    """

    forecast: Forecast
    pods: tuple[Pod, ...]


@pytest.fixture(scope="session")
def site(checkout: Path) -> Iterator[Site]:
    """Yield a cluster with one node, and a registry with Gatekeeper's image and those of the matrix."""
    binaries = checkout / ".tools" / "bin"
    try:
        with running_site(binaries) as made:
            yield made
    except CannotRunError as error:
        cannot_run(error)


@pytest.fixture(scope="session")
def manifest(site: Site) -> Path:
    """Return Gatekeeper's own manifest, as published."""
    return site.plane.binaries.parent / "manifests" / "gatekeeper.yaml"


@pytest.fixture(scope="session")
def before(site: Site, manifest: Path, checkout: Path) -> Seen:
    """Run Gatekeeper and the library with a registry, and pull the images of the matrix."""
    binaries = site.plane.binaries
    site.registry.add(binaries / "gatekeeper", f"/{_MANAGER}", "openpolicyagent/gatekeeper", _version(manifest))
    site.registry.add(binaries / "pause", "/pause", "cached", *_TAGS)
    site.kubectl("apply", "--server-side", "--filename", manifest)
    site.kubectl("create", "--filename=-", stdin=_puller())
    # This is a separate image, because a node lists at most five names of an image.
    site.registry.add(binaries / "pause", "/private", credentials.REPOSITORY, "1")
    site.registry.add(binaries / "pause", "/moving", "moving", "main")
    for obj in (credentials.secret(_ELSEWHERE), credentials.pod(_ELSEWHERE, "with-credentials"), _moving()):
        site.kubectl("create", "--filename=-", stdin=obj)
    settled(site.kubectl, _ELSEWHERE, ["puller", "with-credentials", "moving"])
    pods = settled(site.kubectl, NAMESPACE, _GATEKEEPER_PODS)
    install(site, checkout / "library", "audit")
    apply(site, checkout / "library" / "deny" / "protected_pull_policy")
    pulled = {*(f"{_CACHED}:{tag}" for tag in _TAGS), credentials.IMAGE, MOVING}
    wait_until(lambda: pulled <= site.images_on_node(), timeout=_WAIT, what="the node to list its images")
    wait_until_enforced(site, pods=_GATEKEEPER_PODS)
    return _seen(site, pods)


@pytest.fixture(scope="session")
def crashed(site: Site, before: Seen, forecast: Forecast) -> Crashed:
    """Cut off the registry, and crash the container of one of Gatekeeper's pods."""
    assert forecast.gatekeeper
    pod = before.pods[-1]
    site.registry.cut()
    site.kill(pod.object, _MANAGER)
    after: JSON = {}
    messages: list[str] = []

    def waits() -> bool:
        after.update(site.kubectl.get("pod", pod.name, f"--namespace={NAMESPACE}"))
        messages[:] = failed_pulls(site.kubectl, NAMESPACE, pod.name)
        return bool(messages) and "waiting" in after["status"]["containerStatuses"][0]["state"]

    wait_until(waits, timeout=_WAIT, what=f"the kubelet to start {pod.name} again")
    others = settled(site.kubectl, NAMESPACE, [other.name for other in before.pods[:-1]])
    return Crashed(pod.object, after, messages[0], tuple(others))


@pytest.fixture(scope="session")
def outage(site: Site, crashed: Crashed) -> Seen:
    """Restart all of Gatekeeper's pods without the registry."""
    assert crashed.message
    site.kubectl("delete", "pods", "--all", f"--namespace={NAMESPACE}", "--grace-period=1")
    return _seen(site, settled(site.kubectl, NAMESPACE, _GATEKEEPER_PODS))


@pytest.fixture(scope="session")
def matrix(before: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the manifests of the matrix, with the digest of the image that is on the node."""
    (name,) = (name for name in before.images if name.startswith(f"{_CACHED}@"))
    text = Path(__file__).with_name("matrix.yaml").read_text("utf-8")
    path = tmp_path_factory.mktemp("matrix") / "matrix.yaml"
    path.write_text(text.replace("DIGEST", name.partition("@")[2]), "utf-8")
    return path


@pytest.fixture(scope="session")
def random_manifests(matrix: Path) -> Path:
    """Return the manifests of random pods."""
    digest = re.search("sha256:[0-9a-f]+", matrix.read_text("utf-8"))
    assert digest is not None
    path = matrix.with_name("random.yaml")
    path.write_text(yaml.safe_dump_all(random_pods(_ELSEWHERE, digest.group())), "utf-8")
    return path


@pytest.fixture(scope="session")
def forecast(site: Site, before: Seen, matrix: Path, random_manifests: Path) -> Forecast:
    """Return what is forecast while the registry is there: of Gatekeeper, the matrix, and random pods."""
    assert before.pods
    assert site.registry.server.process.poll() is None
    return _forecast(site, matrix, random_manifests)


@pytest.fixture(scope="session")
def tried_at_random(site: Site, tried: tuple[Pod, ...], random_manifests: Path) -> tuple[Pod, ...]:
    """Return the outcomes of random pods without the registry."""
    assert tried
    site.kubectl("create", "--filename", random_manifests)
    return tuple(settled(site.kubectl, _ELSEWHERE, [f"random-{number}" for number in range(NUMBER)]))


@pytest.fixture(scope="session")
def repaired(site: Site, forecast: Forecast, tried: tuple[Pod, ...]) -> Repaired:
    """Do what the forecast's repair says, which replaces Gatekeeper's pods. The registry stays cut off."""
    assert tried
    for edit in forecast.repair:
        program, *arguments = shlex.split(edit["command"])
        assert program == "kubectl"
        site.kubectl(*arguments)
    site.kubectl("rollout", "status", "deployment", f"--namespace={NAMESPACE}", "--timeout=180s")
    return Repaired(_forecast(site), tuple(settled(site.kubectl, NAMESPACE, _GATEKEEPER_PODS)))


@pytest.fixture(scope="session")
def tried(site: Site, outage: Seen, forecast: Forecast, matrix: Path) -> tuple[Pod, ...]:
    """Return the outcomes of the matrix's pods without the registry, and therefore without Gatekeeper."""
    assert outage.gatekeeper.always == ""
    assert forecast.verdicts
    names = [name["metadata"]["name"] for name in yaml.safe_load_all(matrix.read_text("utf-8"))]
    site.kubectl("create", "--filename", matrix)
    return tuple(settled(site.kubectl, PROTECTED, names))


@pytest.fixture(scope="session")
def remedy(manifest: Path, checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the manifest with the changes of `pullguard fix`."""
    fixed = tmp_path_factory.mktemp("remedy") / manifest.name
    shutil.copyfile(manifest, fixed)
    done = pullguard("fix", f"--library={checkout / 'library'}", fixed)
    assert done.returncode == 0, done.stderr
    return fixed


@pytest.fixture(scope="session")
def after(site: Site, before: Seen, repaired: Repaired, remedy: Path) -> Seen:
    """Apply the remedy, which is the repair. The registry stays cut off."""
    assert repaired.pods
    site.kubectl("apply", "--server-side", "--filename", remedy)
    site.kubectl("rollout", "status", "deployment", f"--namespace={NAMESPACE}", "--timeout=180s")
    pods = settled(site.kubectl, NAMESPACE, _GATEKEEPER_PODS)
    wait_until(lambda: site.ask_gatekeeper() == before.gatekeeper, timeout=_WAIT, what="Gatekeeper to be as it was")
    return _seen(site, pods)


@pytest.fixture(scope="session")
def audited(site: Site, after: Seen) -> tuple[Violation, ...]:
    """Return the violations of Gatekeeper's next complete audit."""
    assert after.pods
    start = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")

    def done() -> bool:
        return all(constraint.get("status", {}).get("auditTimestamp", "") > start for constraint in constraints(site))

    wait_until(done, timeout=_WAIT, what="an audit")
    return violations(constraints(site))


def _seen(site: Site, pods: list[Pod]) -> Seen:
    return Seen(tuple(pods), site.ask_gatekeeper(), frozenset(site.images_on_node()))


def _forecast(site: Site, *overlays: Path) -> Forecast:
    """Forecast the cluster with manifests laid over it; the repair is that of the cluster as it is."""
    own = site.forecast()
    found = site.forecast(*(f"--with={path}" for path in overlays)) if overlays else own
    keeper = [each["events"] for each in own["workloads"] if each["namespace"] == NAMESPACE]
    return Forecast(
        {each["name"]: each["events"]["replace"]["verdict"] for each in found["workloads"] if each["kind"] == "Pod"},
        {event: sum(events[event]["pods"]["stays down"] for events in keeper) for event in ("restart", "replace")},
        own["cascades"]["replace"]["repair"],
    )


def _version(manifest: Path) -> str:
    """Return the tag of Gatekeeper's image."""
    return manifest.read_text("utf-8").partition("image: openpolicyagent/gatekeeper:")[2].split()[0]


def _moving() -> JSON:
    """Return a pod whose image has a tag that moves."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "moving", "namespace": _ELSEWHERE},
        "spec": {"containers": [{"name": "main", "image": MOVING, "imagePullPolicy": "IfNotPresent"}]},
    }


def _puller() -> JSON:
    """Return a pod that makes the kubelet pull the images of the matrix."""
    containers = [{"name": f"c-{tag}", "image": f"{_CACHED}:{tag}", "imagePullPolicy": "IfNotPresent"} for tag in _TAGS]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "puller", "namespace": _ELSEWHERE},
        "spec": {"containers": containers},
    }
