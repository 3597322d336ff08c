"""A node: kubelet and containerd, which run the pods of the cluster.

The node has its own process namespace in the network of the tests. The first process of the namespace ends with the
tests, and the kernel then ends all others: containerd's shims and the pods, which would otherwise outlive containerd.
"""

import json
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from local_cluster.api import Kubectl
from local_cluster.cgroups import cgroup
from local_cluster.control_plane import SERVICE, ControlPlane
from local_cluster.processes import Processes, processes
from local_cluster.registry import ADDRESS, Registry
from local_cluster.requirements import CannotRunError

NAME = "node"

_CNI_PLUGINS = Path("/usr/lib/cni")
_PODS = "10.88.0.0/16"
_SANDBOX_TAG = "3.10.1"
_SOCKET = "containerd.sock"
_HOSTS = "hosts"
_START = 120.0

# Settings that the kubelet changes for the whole machine. It finds its values already set, in private files.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


@contextmanager
def node(
    plane: ControlPlane, images: Registry, settings: Mapping[str, Any] | None = None, disk: int = 0
) -> Iterator[str]:
    """Run containerd and the kubelet, and wait until the node accepts pods.

    Args:
        plane: The control plane. Pods reach it at the address of its Service.
        images: The registry for all images.
        settings: Fields of the kubelet's configuration, in addition to those here or instead of them.
        disk: The size of a disk for the node's folder, in bytes; 0 for none. The kubelet knows nothing of tmpfs.

    Yields:
        The cgroup of the node's pods, in every hierarchy.

    Raises:
        CannotRunError: The disk cannot be made.
        NotReadyError: One of the programs did not start.
    """
    folder = plane.folder / NAME
    folder.mkdir()
    if disk:
        _mount_disk(folder, disk)
    kubectl = plane.kubectl()
    images.add(plane.binaries / "pause", "/pause", "pause", _SANDBOX_TAG)
    with cgroup() as parent, processes(plane.binaries, folder) as own:
        _hide_kernel_settings(own)
        with own.running(plane.binaries / "containerd", f"--config={_containerd_config(folder)}") as containerd:
            containerd.wait(lambda: _answers(folder / _SOCKET), timeout=_START)
            with own.running(
                plane.binaries / "kubelet",
                f"--config={_kubelet_config(folder, parent, settings or {})}",
                f"--kubeconfig={plane.kubeconfig()}",
                f"--root-dir={folder / 'kubelet'}",
                f"--cert-dir={folder / 'certificates'}",
                f"--hostname-override={NAME}",
                f"--node-ip={SERVICE}",
            ) as kubelet:
                kubelet.wait(lambda: _is_ready(kubectl), timeout=_START)
                yield parent


def ctr(plane: ControlPlane) -> tuple[list[str], list[str]]:
    """Return the command line of containerd's own client on the node, and the options of its pulls."""
    folder = plane.folder / NAME
    command = [str(plane.binaries / "ctr"), f"--address={folder / _SOCKET}"]
    # As containerd's configuration says it to the kubelet.
    return command, ["--local", "--snapshotter=native", f"--hosts-dir={folder / _HOSTS}"]


def _mount_disk(folder: Path, size: int) -> None:
    """Mount a disk of its own. The kernel removes it with the last process that sees it, and its device too."""
    file = folder.with_name(f"{folder.name}.disk")
    with file.open("wb") as stream:
        stream.truncate(size)
    for command in (["mkfs.ext4", "-q", "-m", "0", str(file)], ["mount", "-o", "loop", str(file), str(folder)]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=_START, check=False)
        if done.returncode != 0:
            raise CannotRunError(f"a node with a disk of its own needs e2fsprogs and loop devices: {done.stderr}")


def _hide_kernel_settings(own: Processes) -> None:
    """Replace the kernel's settings with private files that hold the values that the kubelet sets."""
    for name, value in _KERNEL_SETTINGS.items():
        file = own.folder / name.replace("/", ".")
        file.write_text(f"{value}\n", "utf-8")
        done = own.run("/bin/mount", "--bind", str(file), f"/proc/sys/{name}")
        assert done.returncode == 0, done.stderr


def _answers(path: Path) -> bool:
    """Return whether a process listens on a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def _is_ready(kubectl: Kubectl) -> bool:
    """Return whether pods can be scheduled to the node."""
    done = kubectl("get", "node", NAME, "--output=json", check=False)
    if done.returncode != 0:
        return False
    node = json.loads(done.stdout)
    conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def _containerd_config(folder: Path) -> Path:
    """Write containerd's configuration: all images come from our registry, and pods get a bridge."""
    hosts = folder / _HOSTS / "_default"
    hosts.mkdir(parents=True)
    (hosts / "hosts.toml").write_text(f'server = "http://{ADDRESS}"\n', "utf-8")
    networks = folder / "networks"
    networks.mkdir()
    bridge = {
        "type": "bridge",
        "bridge": "pods",
        "isDefaultGateway": True,
        "ipam": {"type": "host-local", "dataDir": str(folder / "addresses"), "ranges": [[{"subnet": _PODS}]]},
    }
    (networks / "pods.conflist").write_text(
        json.dumps({"cniVersion": "1.0.0", "name": "pods", "plugins": [bridge]}), "utf-8"
    )
    path = folder / "containerd.toml"
    path.write_text(
        f"""version = 3
root = "{folder / "containerd"}"
state = "/run/containerd"
imports = []
disabled_plugins = ["io.containerd.internal.v1.opt", "io.containerd.nri.v1.nri"]

[grpc]
address = "{folder / _SOCKET}"

[plugins."io.containerd.cri.v1.images"]
snapshotter = "native"
# The transfer service only unpacks for overlayfs.
use_local_image_pull = true
pinned_images.sandbox = "registry.k8s.io/pause:{_SANDBOX_TAG}"
registry.config_path = "{folder / _HOSTS}"

[plugins."io.containerd.cri.v1.runtime"]
# runc cannot lower the score without CAP_SYS_RESOURCE.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
cni.bin_dirs = ["{_CNI_PLUGINS}"]
cni.conf_dir = "{networks}"
""",
        "utf-8",
    )
    return path


def _kubelet_config(folder: Path, parent: str, settings: Mapping[str, Any]) -> Path:
    """Write the kubelet's configuration: pods in our cgroup, no server, and no management of the machine itself."""
    value = {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{folder / _SOCKET}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": parent,
        "failCgroupV1": False,
        "failSwapOn": False,
        "localStorageCapacityIsolation": False,
        "makeIPTablesUtilChains": False,
        "enableServer": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(folder / "logs"),
        "volumePluginDir": str(folder / "plugins"),
        "resolvConf": "",
        # A change of a Secret reaches its pods within this time.
        "syncFrequency": "5s",
        # Only files of others could fill the disk, so do not evict pods.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
        **settings,
    }
    path = folder / "kubelet.yaml"
    path.write_text(json.dumps(value), "utf-8")
    return path
