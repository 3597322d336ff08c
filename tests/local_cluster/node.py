"""One node: kubelet and containerd, which run the pods of the cluster.

The node has processes of its own in the network of the tests. The first of them ends with the tests, and with it the
kernel ends all others: containerd's shims and the pods, which would outlive containerd.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_cluster.api import Kubectl
from local_cluster.cgroups import cgroup
from local_cluster.control_plane import SERVICE, ControlPlane
from local_cluster.processes import Processes, processes
from local_cluster.registry import ADDRESS, Registry

NAME = "node"

_CNI_PLUGINS = Path("/usr/lib/cni")
_PODS = "10.88.0.0/16"
_SANDBOX_TAG = "3.10.1"
_SOCKET = "containerd.sock"
_START = 120.0

# What the kubelet sets for the whole machine, and what it wants there: it finds it so, in files of its own.
_KERNEL_SETTINGS = {
    "vm/overcommit_memory": 1,
    "vm/panic_on_oom": 0,
    "kernel/panic": 10,
    "kernel/panic_on_oops": 1,
    "kernel/keys/root_maxkeys": 1_000_000,
    "kernel/keys/root_maxbytes": 25_000_000,
}


@contextmanager
def node(plane: ControlPlane, images: Registry) -> Iterator[str]:
    """Run containerd and the kubelet, and wait until the node takes pods.

    Args:
        plane: The control plane, which pods reach through the address of its Service.
        images: What the node asks for every image.

    Yields:
        The cgroup of its pods, in every hierarchy.

    Raises:
        NotReadyError: One of them did not start.
    """
    folder = plane.folder / NAME
    folder.mkdir()
    kubectl = plane.kubectl()
    images.add(plane.binaries / "pause", "/pause", "pause", _SANDBOX_TAG)
    with cgroup() as parent, processes(plane.binaries, folder) as own:
        _hide_kernel_settings(own)
        with own.running(plane.binaries / "containerd", f"--config={_containerd_config(folder)}") as containerd:
            containerd.wait(lambda: _answers(folder / _SOCKET), timeout=_START)
            with own.running(
                plane.binaries / "kubelet",
                f"--config={_kubelet_config(folder, parent)}",
                f"--kubeconfig={plane.kubeconfig()}",
                f"--root-dir={folder / 'kubelet'}",
                f"--cert-dir={folder / 'certificates'}",
                f"--hostname-override={NAME}",
                f"--node-ip={SERVICE}",
            ) as kubelet:
                kubelet.wait(lambda: _is_ready(kubectl), timeout=_START)
                yield parent


def _hide_kernel_settings(own: Processes) -> None:
    """Give the node files in place of the kernel's settings, with the values that the kubelet wants in them."""
    for name, value in _KERNEL_SETTINGS.items():
        file = own.folder / name.replace("/", ".")
        file.write_text(f"{value}\n", "utf-8")
        done = own.run("/bin/mount", "--bind", str(file), f"/proc/sys/{name}")
        assert done.returncode == 0, done.stderr


def _answers(path: Path) -> bool:
    """Return whether anybody listens on a socket."""
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(str(path)) == 0


def _is_ready(kubectl: Kubectl) -> bool:
    """Return whether pods are scheduled to the node."""
    done = kubectl("get", "node", NAME, "--output=json", check=False)
    if done.returncode != 0:
        return False
    node = json.loads(done.stdout)
    conditions = {condition["type"]: condition["status"] for condition in node["status"].get("conditions", [])}
    return conditions.get("Ready") == "True" and not node["spec"].get("taints")


def _containerd_config(folder: Path) -> Path:
    """Write what containerd reads: it asks our registry for every image, and gives pods a bridge."""
    hosts = folder / "hosts" / "_default"
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
# The other way of pulling unpacks for overlayfs only.
use_local_image_pull = true
pinned_images.sandbox = "registry.k8s.io/pause:{_SANDBOX_TAG}"
registry.config_path = "{folder / "hosts"}"

[plugins."io.containerd.cri.v1.runtime"]
# Without CAP_SYS_RESOURCE runc cannot lower the score.
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
cni.bin_dirs = ["{_CNI_PLUGINS}"]
cni.conf_dir = "{networks}"
""",
        "utf-8",
    )
    return path


def _kubelet_config(folder: Path, parent: str) -> Path:
    """Write what the kubelet reads: pods in our cgroup, no server, and nothing of the machine's own to look after."""
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
        # A Secret that has changed is in its pods this soon.
        "syncFrequency": "5s",
        # Nobody's disk is full here but by others' files.
        "evictionHard": {"memory.available": "0%", "nodefs.available": "0%", "imagefs.available": "0%"},
        "imageGCHighThresholdPercent": 100,
    }
    path = folder / "kubelet.yaml"
    path.write_text(json.dumps(value), "utf-8")
    return path
