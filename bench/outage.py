"""How long `pullguard outage` takes, and how much memory, for a dump of a large cluster, and how both grow.

    python bench/outage.py [PODS...]

The dump has 20 pods to a node, on nodes that list 49 images each, in workloads of 10 pods; one in ten is of a
DaemonSet. There is a Service to 50 pods and a webhook with failurePolicy Fail to 500: of ten webhooks one catches
all pods, four those of some namespaces, two those with a label, and three custom resources only.
The figures are those of docs/benchmarks.md. The limits are 60 seconds and 2 GB for 100,000 pods on 5,000 nodes.
"""

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

import processes

JSON = dict[str, Any]

SIZES = (1_000, 10_000, 100_000)
LIMITS = {"seconds": 60, "megabytes": 2_000}
_PODS_ON_A_NODE = 20
_PODS_IN_A_WORKLOAD = 10
_PODS_TO_A_SERVICE = 50
_PODS_TO_A_WEBHOOK = 500


def main(sizes: list[int]) -> int:
    """Print a row for each size; return 1 if a limit is exceeded."""
    sys.stdout.write("| pods | nodes | Services | webhooks | dump | time | memory |\n|---|---|---|---|---|---|---|\n")
    is_over = False
    with tempfile.TemporaryDirectory() as folder:
        for pods in sizes:
            file = Path(folder) / f"{pods}.json"
            with file.open("w", encoding="utf-8") as stream:
                write_dump(pods, stream)
            seconds, megabytes = measure(file)
            size = file.stat().st_size // 1_000_000
            counts = (pods, pods // _PODS_ON_A_NODE, pods // _PODS_TO_A_SERVICE, pods // _PODS_TO_A_WEBHOOK)
            row = [*(f"{count:,}" for count in counts), f"{size:,} MB", f"{seconds:.1f} s", f"{megabytes:,} MB"]
            sys.stdout.write(f"| {' | '.join(row)} |\n")
            sys.stdout.flush()
            is_over |= seconds > LIMITS["seconds"] or megabytes > LIMITS["megabytes"]
    return int(is_over)


def measure(file: Path) -> tuple[float, int]:
    """Return how long a forecast takes in seconds, and the memory of its processes together in megabytes."""
    command = [str(Path(sys.executable).with_name("pullguard")), "outage", "-o", "metrics", str(file)]
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        peak = 0
        while process.poll() is None:
            peak = max(peak, processes.resident(processes.tree(process.pid)))
            time.sleep(0.05)
    if process.returncode not in {0, 1}:
        raise SystemExit(f"{' '.join(command)} has failed")
    return time.monotonic() - began, peak // 1_000_000


def write_dump(pods: int, stream: TextIO) -> None:
    """Write a List as kubectl does, object by object."""
    stream.write('{\n    "apiVersion": "v1",\n    "kind": "List",\n    "items": [\n')
    for number, obj in enumerate(_objects(pods)):
        stream.write(",\n" if number else "")
        stream.write("        " + json.dumps(obj, indent=4).replace("\n", "\n        "))
    stream.write("\n    ]\n}\n")


def _objects(pods: int) -> Iterator[JSON]:
    chance = random.Random(pods)  # noqa: S311 - the same dump each time
    nodes = [f"node-{number}" for number in range(pods // _PODS_ON_A_NODE)]
    workloads = pods // _PODS_IN_A_WORKLOAD
    images = [
        f"registry-{number % 7}.example.com/team-{number % 50}/app-{number}:1.{number % 9}.0"
        for number in range(workloads)
    ]
    daemons = [f"registry.k8s.io/daemon-{number}:v1.{number}" for number in range(_PODS_ON_A_NODE // 10)]
    on_node: dict[str, set[str]] = {node: set(daemons) for node in nodes}
    for namespace in {_namespace(workload) for workload in range(workloads)} | {"kube-system"}:
        labels = {"kubernetes.io/metadata.name": namespace}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": _metadata(namespace, **labels)}
        yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": _metadata("default", namespace)}
    for daemon, image in enumerate(daemons):
        yield _workload("DaemonSet", f"daemon-{daemon}", "kube-system", _spec(image, daemon))
        for node in nodes:
            yield _pod(
                f"daemon-{daemon}-{node}", "kube-system", _spec(image, daemon), node, ("DaemonSet", f"daemon-{daemon}")
            )
    for workload in range(workloads - workloads // 10):
        name, namespace = f"app-{workload}", _namespace(workload)
        policy = "Always" if workload % 20 == 0 else "IfNotPresent"
        spec = _spec(images[workload], workload, policy)
        yield _workload("Deployment", name, namespace, spec, replicas=_PODS_IN_A_WORKLOAD)
        yield _workload("ReplicaSet", f"{name}-6d4b75cb6d", namespace, spec, owner=("Deployment", name))
        for number in range(_PODS_IN_A_WORKLOAD):
            node = chance.choice(nodes)
            on_node[node].add(images[workload])
            yield _pod(f"{name}-6d4b75cb6d-{number:05}", namespace, spec, node, ("ReplicaSet", f"{name}-6d4b75cb6d"))
    yield from _services_and_webhooks(pods, workloads)
    for node in nodes:
        wanted = sorted(on_node[node])[:45]
        yield _node(node, wanted + chance.sample(images, min(len(images), 49 - len(wanted))), chance.randrange(3))


def _services_and_webhooks(pods: int, workloads: int) -> Iterator[JSON]:
    for number in range(pods // _PODS_TO_A_SERVICE):
        workload = number * (workloads - workloads // 10) // (pods // _PODS_TO_A_SERVICE)
        spec = {"selector": {"app": f"app-{workload}-6d4b75cb6d"}, "ports": [{"port": 443}], "clusterIP": "10.96.0.1"}
        metadata = _metadata(f"service-{number}", _namespace(workload))
        yield {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
        index, is_other = divmod(number, _PODS_TO_A_WEBHOOK // _PODS_TO_A_SERVICE)
        if not is_other:
            configuration = {"metadata": _metadata(f"webhook-{index}"), "webhooks": [_webhook(index, metadata)]}
            kind = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")[index % 2]
            yield {"apiVersion": "admissionregistration.k8s.io/v1", "kind": kind, **configuration}


def _webhook(number: int, service: JSON) -> JSON:
    pods = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}
    own = {"apiGroups": [f"group-{number}.example.com"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    some = [_namespace(number * 7 + each) for each in range(20)]
    catching: JSON = {"rules": [pods]}
    match number % 10:
        case 1 | 2 | 3 | 4:
            named = {"key": "kubernetes.io/metadata.name", "operator": "In", "values": some}
            catching["namespaceSelector"] = {"matchExpressions": [named]}
        case 5 | 6:
            catching["objectSelector"] = {"matchLabels": {"app": f"app-{number * 3}-6d4b75cb6d"}}
        case 7 | 8 | 9:
            catching["rules"] = [own]
    return {
        "name": f"webhook-{number}.example.com",
        "clientConfig": {"service": {"name": service["name"], "namespace": service["namespace"], "path": "/validate"}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        **catching,
    }


def _namespace(workload: int) -> str:
    return f"team-{workload % 200}"


def _metadata(name: str, namespace: str = "", owner: tuple[str, str] | None = None, **labels: str) -> JSON:
    fields = {f"f:field-{number}": {".": {}, "f:value": {}} for number in range(10)}
    metadata: JSON = {
        "name": name,
        "uid": f"{name}-uid",
        "labels": labels,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [{"manager": "kube-controller-manager", "operation": "Update", "fieldsV1": fields}],
    }
    if namespace:
        metadata["namespace"] = namespace
    if owner is not None:
        version = "apps/v1"
        reference = {"apiVersion": version, "kind": owner[0], "name": owner[1], "uid": "o", "controller": True}
        metadata["ownerReferences"] = [reference]
    return metadata


def _spec(image: str, workloads: int, policy: str = "IfNotPresent") -> JSON:
    environment = [{"name": f"SETTING_{number}", "value": f"value-{number}"} for number in range(10)]
    probe = {
        "httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"},
        "periodSeconds": 10,
        "failureThreshold": 3,
    }
    container = {
        "name": "app",
        "image": image,
        "imagePullPolicy": policy,
        "env": environment,
        "livenessProbe": probe,
        "readinessProbe": probe,
        "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
        "volumeMounts": [{"name": "token", "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}],
    }
    spec: JSON = {"containers": [container], "serviceAccountName": "default", "restartPolicy": "Always"}
    if workloads % 4 == 0:
        spec["nodeSelector"] = {"topology.kubernetes.io/zone": f"zone-{workloads % 3}"}
    return spec


def _workload(
    kind: str, name: str, namespace: str, spec: JSON, *, replicas: int = 1, owner: tuple[str, str] | None = None
) -> JSON:
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": _metadata(name, namespace, owner),
        "spec": {"replicas": replicas, "template": {"metadata": {"labels": {"app": name}}, "spec": spec}},
    }


def _pod(name: str, namespace: str, spec: JSON, node: str, controller: tuple[str, str]) -> JSON:
    conditions = [
        {"type": each, "status": "True"} for each in ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    ]
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": _metadata(name, namespace, controller, app=controller[1]),
        "spec": {**spec, "nodeName": node, "volumes": [{"name": "token", "projected": {"sources": [{"name": name}]}}]},
        "status": {"phase": "Running", "conditions": conditions, "podIP": "10.0.0.1"},
    }


def _node(name: str, images: list[str], zone: int) -> JSON:
    digest = "@sha256:" + "0" * 64
    listed = [{"names": [image.rpartition(":")[0] + digest, image], "sizeBytes": 100_000_000} for image in images]
    metadata = _metadata(name, **{"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{zone}"})
    info = {"kubeletVersion": "v1.36.3", "operatingSystem": "linux", "containerRuntimeVersion": "containerd://2.1.4"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": metadata,
        "spec": {},
        "status": {"nodeInfo": info, "images": listed},
    }


if __name__ == "__main__":
    sys.exit(main([int(size) for size in sys.argv[1:]] or list(SIZES)))
