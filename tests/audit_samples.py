"""The objects of a cluster and the results of Gatekeeper's audit, in the formats that Gatekeeper writes."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

JSON = dict[str, Any]

RUN = "2026-01-31T12:00:00Z"
KIND = "K8sProtectedPullPolicy"
NAME = "protected-pull-policy-by-name"
API_VERSIONS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "DaemonSet": "apps/v1", "Job": "batch/v1"}


def always(container: str = "app", image: str = "example.org/app:1") -> str:
    """Return the message of protected_pull_policy about a container."""
    return (
        f'container "{container}" image "{image}": imagePullPolicy is Always: cannot start without its registry; '
        "set imagePullPolicy: IfNotPresent"
    )


def violation(kind: str, name: str, message: str | None = None, *, namespace: str = "kube-system") -> JSON:
    """Return an entry of status.violations."""
    group, _, version = API_VERSIONS.get(kind, "v1").rpartition("/")
    entry = {
        "enforcementAction": "dryrun",
        "group": group,
        "kind": kind,
        "message": always() if message is None else message,
        "name": name,
        "version": version,
    }
    return entry | ({"namespace": namespace} if namespace else {})


def constraint(
    violations: Iterable[JSON] = (),
    total: int | None = None,
    *,
    kind: str = KIND,
    name: str = NAME,
    run: str | None = RUN,
) -> JSON:
    """Return a constraint with the status that an audit gives it."""
    found = list(violations)
    status: JSON = {} if run is None else {
        "auditTimestamp": run,
        "totalViolations": len(found) if total is None else total,
        **({"violations": found} if found else {}),
    }  # fmt: skip
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": {"enforcementAction": "dryrun"},
        "status": status,
    }


def owned(kind: str, name: str, owner: str = "", *, namespace: str = "kube-system", **more: Any) -> JSON:
    """Return an object with an owner, such as "ReplicaSet web-5d4f"."""
    metadata: JSON = {"name": name, "namespace": namespace}
    if owner:
        owner_kind, _, owner_name = owner.partition(" ")
        reference = {"apiVersion": API_VERSIONS.get(owner_kind, "v1"), "kind": owner_kind, "name": owner_name}
        metadata["ownerReferences"] = [{**reference, "uid": "u", "controller": True}]
    return {"apiVersion": API_VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata, **more}


def log_violation(entry: Mapping[str, Any], *, run: str = RUN, kind: str = KIND, name: str = NAME, **more: Any) -> JSON:
    """Return the line for a violation in the audit's log."""
    return {
        "level": "info",
        "ts": 1769860800.5,
        "logger": "controller",
        "msg": entry["message"],
        "process": "audit",
        "audit_id": run,
        "details": {},
        "event_type": "violation_audited",
        "semantic": True,
        "constraint_group": "constraints.gatekeeper.sh",
        "constraint_api_version": "v1beta1",
        "constraint_kind": kind,
        "constraint_name": name,
        "constraint_namespace": "",
        "constraint_action": entry["enforcementAction"],
        "constraint_enforcement_actions": None,
        "constraint_annotations": None,
        "resource_group": entry["group"],
        "resource_api_version": entry["version"],
        "resource_kind": entry["kind"],
        "resource_namespace": entry.get("namespace", ""),
        "resource_name": entry["name"],
        "resource_labels": None,
        **more,
    }


def log_event(event: str, *, run: str = RUN, **more: Any) -> JSON:
    """Return a line about the audit itself."""
    return {"level": "info", "ts": 1.5, "msg": event, "process": "audit", "audit_id": run, "event_type": event, **more}


def log_total(total: int, *, run: str = RUN, kind: str = KIND, name: str = NAME) -> JSON:
    """Return the line for a constraint at the end of an audit."""
    more = {"constraint_kind": kind, "constraint_name": name, "constraint_violations": str(total)}
    return log_event("constraint_audited", run=run, **more)


def log(
    violations: Iterable[JSON], total: int | None = None, *, run: str = RUN, kind: str = KIND, name: str = NAME
) -> str:
    """Return the log of a complete audit."""
    found = list(violations)
    lines = [log_event("audit_started", run=run)]
    lines += [log_violation(entry, run=run, kind=kind, name=name) for entry in found]
    if found or total:
        lines.append(log_total(len(found) if total is None else total, run=run, kind=kind, name=name))
    return text([*lines, log_event("audit_finished", run=run)])


def export(violations: Iterable[JSON], *, run: str = RUN, ended: bool = True) -> str:
    """Return Gatekeeper's export of one audit."""
    lines: list[JSON] = [{"id": run, "message": "audit is started"}]
    lines += [
        {
            "id": run,
            "details": {},
            "eventType": "violation_audited",
            "group": "constraints.gatekeeper.sh",
            "version": "v1beta1",
            "kind": KIND,
            "name": NAME,
            "message": entry["message"],
            "enforcementAction": entry["enforcementAction"],
            "resourceGroup": entry["group"],
            "resourceAPIVersion": entry["version"],
            "resourceKind": entry["kind"],
            "resourceNamespace": entry.get("namespace", ""),
            "resourceName": entry["name"],
        }
        for entry in violations
    ]
    return text([*lines, *([{"id": run, "message": "audit is completed"}] if ended else [])])


def text(lines: Iterable[JSON]) -> str:
    """Return values as lines of JSON."""
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def dump(*objects: JSON) -> str:
    """Return objects as `kubectl get -o json` writes them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, indent=4)


def shop() -> str:
    """Return a dump of a cluster with namespaces, policies, owner chains, an old ReplicaSet and hidden violations."""
    pull = [
        violation("Deployment", "coredns", always("coredns", "registry.k8s.io/coredns/coredns:latest")),
        violation("ReplicaSet", "coredns-7db6d8ff4d", always("coredns", "registry.k8s.io/coredns/coredns:latest")),
        violation("Pod", "coredns-7db6d8ff4d-2xk9p", always("coredns", "registry.k8s.io/coredns/coredns:latest")),
        violation("Pod", "coredns-7db6d8ff4d-w8mtl", always("coredns", "registry.k8s.io/coredns/coredns:latest")),
        violation("ReplicaSet", "metrics-server-5c9d", always("metrics-server", "metrics-server:v0.6.0")),
        violation("DaemonSet", "kube-proxy", always("kube-proxy", "registry.k8s.io/kube-proxy:v1.36.3")),
        violation("Pod", "kube-proxy-x7d2c", always("kube-proxy", "registry.k8s.io/kube-proxy:v1.36.3")),
        violation("Pod", "etcd-node-1", always("etcd", "registry.k8s.io/etcd:3.6")),
        violation("Pod", "konnectivity-agent-9vz4q", always("agent", "registry.k8s.io/agent:v1")),
        *(
            violation("Deployment", f"gatekeeper-{name}", always("manager", "openpolicyagent/gatekeeper:v3.23.1"),
                      namespace="gatekeeper-system")
            for name in ("audit", "controller-manager")
        ),
    ]  # fmt: skip
    pinning = [
        violation(
            "Deployment",
            "coredns",
            'container "coredns" image "registry.k8s.io/coredns/coredns:latest": the tag latest moves; pin a version',
        ),
        violation(
            "Deployment",
            "ingress-nginx-controller",
            'container "controller" image "ingress-nginx": no tag and no digest; pin a version',
            namespace="ingress-nginx",
        ),
    ]
    return dump(
        constraint(pull, 34),
        constraint(pinning, kind="K8sProtectedImagePinning", name="protected-image-pinning-by-name"),
        constraint([], kind="K8sWebhookBlocksRecovery", name="webhook-blocks-recovery"),
        owned("Deployment", "coredns"),
        owned("Deployment", "metrics-server"),
        owned("DaemonSet", "kube-proxy"),
        owned("ReplicaSet", "coredns-7db6d8ff4d", "Deployment coredns"),
        owned("ReplicaSet", "metrics-server-5c9d", "Deployment metrics-server", spec={"replicas": 0}),
        owned("Pod", "coredns-7db6d8ff4d-2xk9p", "ReplicaSet coredns-7db6d8ff4d"),
        owned("Pod", "coredns-7db6d8ff4d-w8mtl", "ReplicaSet coredns-7db6d8ff4d"),
        owned("Pod", "kube-proxy-x7d2c", "DaemonSet kube-proxy"),
        owned("Pod", "konnectivity-agent-9vz4q", "DaemonSet konnectivity-agent"),
        owned("Pod", "etcd-node-1", "Node node-1"),
    )
