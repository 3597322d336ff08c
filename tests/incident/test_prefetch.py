"""`pullguard prefetch` on a node of its own: what is forecast to stay down starts, although the registry is cut off.

Before that the node runs out of room: its kubelet collects the images that are neither in use nor pinned.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident import credentials
from incident.pods import STARTED, settled
from incident.site import PROTECTED, Site
from incident.site import site as running_site
from local_cluster import requirements
from local_cluster.api import JSON
from local_cluster.cgroups import hierarchies
from local_cluster.fixtures import cannot_run
from local_cluster.node import NAME, ctr
from local_cluster.requirements import CannotRunError
from local_cluster.servers import NotReadyError, wait_until

_WAIT = 180.0
_LOG = 40  # lines
_REGISTRY = "registry.example"
#: A namespace that refuses pods that want anything special.
_RESTRICTED = "prefetch"
#: How many bytes are added to the program of an image.
_PADDING: Mapping[str, int] = {"containers/large": 2_000_000, "loose": 40_000_000}
#: A kubelet that collects images when less than a sixth of the disk is left.
_SETTINGS: Mapping[str, Any] = {
    "evictionHard": {"memory.available": "0%", "nodefs.available": "16%", "imagefs.available": "16%"},
    "evictionPressureTransitionPeriod": "1s",
    "imageMinimumGCAge": "1s",
    "localStorageCapacityIsolation": True,  # otherwise it does not look at disks at all
}
_PACKAGES = {"/bin/busybox": "busybox-static", "mkfs.ext4": "e2fsprogs"}
_DISK = 600_000_000
_PRESSURE = 0.05  # what is left of the disk then: also without the container of a pod that is evicted it is too little
#: An image is too young to be collected when the kubelet sees it first, which then evicts pods: these before others.
_FIRST = "evicted-first"
_SPARE = ("loose", "spare")

#: By how their images are pulled: pods that are not there yet, with the images that each needs.
_PODS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "containers": {
        "small-and-large": ("containers/small", "containers/large"),
        "with-credentials": (credentials.REPOSITORY,),
        "gone": ("containers/gone",),
    },
    "volumes": {"mounts": ("volumes/program", "volumes/data")},
    "script": {"scripted": ("scripted",)},
}


@dataclass(frozen=True, slots=True)
class Prefetched:
    """What was seen.

    Attributes:
        before: What becomes of the pods according to the forecast, by name.
        states: For each image that the pods of a DaemonSet pull: why its container waits, or "running".
        programs: What runs in these pods.
        cpu: How many ticks of CPU these took while the node ran out of room.
        collected: The images that the kubelet has removed then.
        after: What became of the pods once the registry was cut off, by name.
        script: What the script wrote.
    """

    before: Mapping[str, str]
    states: Mapping[str, str]
    programs: frozenset[str]
    cpu: int
    collected: frozenset[str]
    after: Mapping[str, str]
    script: str


@pytest.fixture(scope="module")
def own_site(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Yield a cluster with one node, and a registry with all images but one."""
    folder, binaries = tmp_path_factory.mktemp("programs"), checkout / ".tools" / "bin"
    try:
        requirements.check(binaries, ("ctr",), _PACKAGES, target="incident-tools")
        with running_site(binaries, _SETTINGS, _DISK) as made:
            images = {image for pods in _PODS.values() for needs in pods.values() for image in needs} | {"loose"}
            for image in sorted(images - {"containers/gone"}):
                # An image of its own for each, with a name of its own for its program.
                program = folder / image.replace("/", "-")
                program.write_bytes((made.plane.binaries / "pause").read_bytes() + b"\0" * _PADDING.get(image, 0))
                program.chmod(0o755)
                made.registry.add(program, f"/{program.name}", image, "1")
            made.registry.add(Path("/bin/busybox"), "/bin/busybox", "library/busybox", "1.37.0-musl")
            yield made
    except CannotRunError as error:
        cannot_run(error)


def _container(image: str, name: str = "main") -> JSON:
    return {"name": name, "image": f"{_REGISTRY}/{image}:1", "imagePullPolicy": "IfNotPresent"}


def _pod(name: str, images: tuple[str, ...]) -> JSON:
    spec: JSON = {"containers": [_container(images[0])]}
    if name == "mounts":
        spec["volumes"] = [
            {"name": "data", "image": {"reference": f"{_REGISTRY}/{images[1]}:1", "pullPolicy": "IfNotPresent"}}
        ]
        spec["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    else:
        spec["containers"] += [_container(image, f"more-{number}") for number, image in enumerate(images[1:])]
    if name == "with-credentials":
        spec["imagePullSecrets"] = [{"name": credentials.secret(PROTECTED)["metadata"]["name"]}]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": PROTECTED}, "spec": spec}


@pytest.fixture(scope="module")
def manifests(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Return the manifests of the pods, by how their images are pulled."""
    folder = tmp_path_factory.mktemp("pods")
    paths = {}
    for how, pods in _PODS.items():
        paths[how] = folder / f"{how}.yaml"
        paths[how].write_text(yaml.safe_dump_all([_pod(*each) for each in pods.items()]), "utf-8")
    return paths


def _written(site: Site, manifest: Path, *options: str) -> str:
    """Return what `pullguard prefetch` writes of the cluster with pods that are to come."""
    command = [
        sys.executable,
        "-m",
        "pullguard",
        "prefetch",
        f"--kubeconfig={site.kubectl.kubeconfig}",
        f"--with={manifest}",
    ]
    environment = {**os.environ, "PATH": f"{site.plane.binaries}:/usr/bin:/bin"}
    done = subprocess.run(
        [*command, *options], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


def _forecast(site: Site, *paths: Path) -> dict[str, str]:
    found = site.forecast(*(f"--with={path}" for path in paths))["workloads"]
    pods = [each for each in found if (each["kind"], each["namespace"]) == ("Pod", PROTECTED)]
    return {each["name"]: each["events"]["replace"]["verdict"] for each in pods}


def _pulling(site: Site) -> list[JSON]:
    """Return the pods of the DaemonSets."""
    pods: list[JSON] = site.kubectl.get(
        "pods", "--all-namespaces", "--selector=app.kubernetes.io/name=pullguard-prefetch"
    )["items"]
    return pods


def _states(pods: list[JSON]) -> dict[str, str]:
    """Return the state of the container for each image: one of the pod itself, or one that it mounts."""
    found = {}
    for pod in pods:
        states = {each["name"]: each["state"] for each in pod["status"].get("containerStatuses", ())}
        volumes = {each["name"]: each["image"]["reference"] for each in pod["spec"]["volumes"] if "image" in each}
        for container in pod["spec"]["containers"]:
            state = states.get(container["name"], {})
            image = volumes.get(container["name"], container["image"])
            found[image] = "running" if "running" in state else state.get("waiting", {}).get("reason", "")
    return found


def _processes(site: Site, pods: list[JSON]) -> list[Path]:
    """Return the folders in /proc of what runs in containers of pods; the sandboxes have a program of their own."""
    found = set()
    for pod in pods:
        for container in pod["status"]["containerStatuses"]:
            name = container.get("containerID", "").rpartition("/")[2]
            for root in hierarchies() if name else ():
                for path in root.glob(f"{site.cgroup.removeprefix('/')}/**/*{name}*/cgroup.procs"):
                    found |= {Path("/proc", process) for process in path.read_text("ascii").split()}
    return sorted(found)


def _ticks(processes: list[Path]) -> int:
    return sum(
        sum(map(int, (each / "stat").read_text("utf-8").rpartition(")")[2].split()[11:13])) for each in processes
    )


def _spare(name: str) -> JSON:
    """Return a pod that may be evicted."""
    container = (
        _container("loose") if name == "loose" else {**_container(name), "image": "registry.k8s.io/pause:3.10.1"}
    )
    spec = {"containers": [container], "priorityClassName": _FIRST}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def _pressure(site: Site) -> tuple[bool, str]:
    """Return whether the node says that its disk is full, and since when it does or does not."""
    conditions = site.kubectl.get("node", NAME)["status"]["conditions"]
    (found,) = (condition for condition in conditions if condition["type"] == "DiskPressure")
    return found["status"] == "True", found["lastTransitionTime"]


def _images(site: Site) -> frozenset[str]:
    command, _ = ctr(site.plane)
    done = subprocess.run(
        [*command, "--namespace=k8s.io", "images", "list", "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return frozenset(name for name in done.stdout.split() if name.endswith(":1"))


def _run_out_of_room(site: Site) -> frozenset[str]:
    """Leave the node so little room that its kubelet collects images, and return which ones it has collected."""
    before, since = _images(site), _pressure(site)
    folder = site.plane.folder / NAME
    room, filler = os.statvfs(folder), folder / "filler"
    with filler.open("wb") as stream:
        os.posix_fallocate(stream.fileno(), 0, int((room.f_bavail - _PRESSURE * room.f_blocks) * room.f_frsize))
    try:
        wait_until(lambda: f"{_REGISTRY}/loose:1" not in _images(site), timeout=_WAIT, what="images to be collected")
    except NotReadyError as error:
        log = (folder / "kubelet.log").read_text("utf-8", "replace")
        lines = [line for line in log.splitlines() if re.search("evict|imagefs|unused images", line, re.IGNORECASE)]
        raise NotReadyError("\n".join([str(error), *lines[-_LOG:]])) from None
    finally:
        filler.unlink()

    def ended() -> bool:
        now = _pressure(site)
        return now != since and not now[0] and not site.kubectl.get("node", NAME)["spec"].get("taints")

    wait_until(ended, timeout=_WAIT, what="the pressure to end")
    return before - _images(site)


@pytest.fixture(scope="module")
def prefetched(own_site: Site, manifests: Mapping[str, Path]) -> Prefetched:
    """Forecast, pull in each of the ways, run out of room, cut off the registry, and start the pods."""
    site = own_site
    site.kubectl("create", "--filename=-", stdin=credentials.secret(PROTECTED))
    site.kubectl("create", "namespace", _RESTRICTED)
    site.kubectl("label", "namespace", _RESTRICTED, "pod-security.kubernetes.io/enforce=restricted")
    site.kubectl("create", "priorityclass", _FIRST, "--value=-1000")
    for name in _SPARE:
        site.kubectl("create", "--filename=-", stdin=_spare(name))
    settled(site.kubectl, "default", list(_SPARE))
    wait_until(lambda: bool(site.images_on_node()), timeout=_WAIT, what="the node to list its images")
    before = _forecast(site, *manifests.values())

    for how in ("containers", "volumes"):
        text = _written(
            site,
            manifests[how],
            "-o",
            "daemonset",
            f"--namespace={_RESTRICTED}",
            *(["--pull-as=containers"] if how == "containers" else []),
        )
        file = manifests[how].with_name(f"{how}-daemonset.yaml")
        file.write_text(text, "utf-8")
        site.kubectl("apply", "--filename", file)
    command, options = ctr(site.plane)
    script = subprocess.run(
        ["sh", "-s", NAME],
        input=_written(site, manifests["script"], "-o", "script"),
        env={"PATH": "/usr/bin:/bin", "CTR": " ".join(command), "CTR_OPTIONS": " ".join(options)},
        capture_output=True,
        text=True,
        timeout=_WAIT,
        check=False,
    )
    assert script.returncode == 0, script.stderr
    wanted = {
        f"{_REGISTRY}/{image}:1"
        for how in ("containers", "volumes")
        for needs in _PODS[how].values()
        for image in needs
    }

    def all_pulled() -> bool:
        states = _states(_pulling(site))
        return states.keys() == wanted and all(state in {"running", "ImagePullBackOff"} for state in states.values())

    wait_until(all_pulled, timeout=_WAIT, what="the DaemonSets to pull")
    pods = _pulling(site)
    processes = _processes(site, pods)
    ticks = _ticks(processes)
    collected = _run_out_of_room(site)
    cpu = _ticks(processes) - ticks
    programs = frozenset((each / "comm").read_text("utf-8").strip() for each in processes)

    site.registry.cut()
    for path in manifests.values():
        site.kubectl("create", "--filename", path)
    names = [name for each in _PODS.values() for name in each]
    after = {pod.name: pod.outcome for pod in settled(site.kubectl, PROTECTED, names)}
    return Prefetched(before, _states(pods), programs, cpu, collected, after, script.stdout)


def test_all_of_them_were_to_stay_down(prefetched: Prefetched) -> None:
    assert prefetched.before == {name: "stays down" for pods in _PODS.values() for name in pods}


def test_the_kubelet_pulls_all_but_the_one_that_is_not_there(prefetched: Prefetched) -> None:
    gone = f"{_REGISTRY}/containers/gone:1"
    assert {image: state for image, state in prefetched.states.items() if state != "running"} == {
        gone: "ImagePullBackOff"
    }
    assert prefetched.script == f"pulled and pinned: {_REGISTRY}/scripted:1\n"


def test_nothing_of_the_images_runs_and_it_costs_no_cpu(prefetched: Prefetched) -> None:
    assert prefetched.programs == {"busybox", "pause"}
    assert prefetched.cpu <= 1


def test_a_kubelet_without_room_collects_only_what_is_neither_used_nor_pinned(prefetched: Prefetched) -> None:
    assert prefetched.collected == {f"{_REGISTRY}/loose:1"}


def test_without_the_registry_they_start(prefetched: Prefetched) -> None:
    assert prefetched.after == {name: "ImagePullBackOff" if name == "gone" else STARTED for name in prefetched.before}
