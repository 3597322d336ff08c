"""What the command `discover` does: a snapshot -> namespaces to protect, and custom kinds to judge."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.cluster.owners import Owners, controller_of
from pullguard.cluster.snapshot import WORKLOADS, Kind, Snapshot, from_cluster, from_files, require_one_source
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, dig
from pullguard.discover.kept import Keeper
from pullguard.discover.model import SEVERITIES, CustomKind, DiscoverReport, Namespace, Reason, Severity, Shown
from pullguard.discover.written import write
from pullguard.engine.groups import Group
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.forecasting.registries import addresses
from pullguard.library import config, custom_kinds, policies
from pullguard.library.config import Config
from pullguard.library.found_kinds import GROUP, KIND, Definitions, FoundKind
from pullguard.library.policies.model import Policy
from pullguard.library.store import Library, load

JSON = dict[str, Any]

_ADMISSION = "admissionregistration.k8s.io"
_API = "APIService"
_WEBHOOKS = ("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration")
_POD_KINDS = tuple(kind.kind for kind in WORKLOADS)
#: What a snapshot holds besides the constraints of a library.
KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("", "Node", "nodes"),
    Kind("", "Service", "services", namespaced=True),
    Kind(_ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    Kind(_ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    Kind("apiregistration.k8s.io", _API, "apiservices"),
    Kind(GROUP, KIND, "customresourcedefinitions"),
    Kind("storage.k8s.io", "CSIDriver", "csidrivers"),
    *WORKLOADS,
    Kind("", "Pod", "pods", namespaced=True),
)

# The kinds without which less is found, and which a dump may lack.
_SHOWING = frozenset({*_WEBHOOKS, _API, KIND, "CSIDriver", "Service"})

# Owners have owners. Cycles are possible, so the chain is limited.
_LONGEST_CHAIN = 10

_NO_OBJECT = "docs/discover.md says which kinds; --namespace says where objects go that state no namespace"

# The policy that says on which Services the API server depends.
_HOSTS = "protected_webhook_host"
_MODULES_OF_HOSTS = {"gatekeeper": ("driver", "review"), "discover": ("hosts",)}
_MODULES_OF_PLAN = {
    "gatekeeper": ("driver", "enforcement", "hook", "match", "review"),
    "lib": ("globs", "images", "kinds", "pods", "requests", "selectors"),
    "scope": ("changes", "expansions", "plan", "policies", "probes", "steps"),
}
_MODULES = {
    "discover": ("namespaces", "servers", "workloads"),
    "lib": ("globs", "images", "namespaces", "protection", "recovery", "requests", "selectors", "webhooks"),
    "outage": ("registries",),
}


@dataclass(frozen=True, slots=True)
class _Read:
    """What was read.

    Attributes:
        engine: What evaluates Rego.
        library: The library that comes with pullguard.
        policies: Its policies.
        snapshot: A snapshot of `kinds(library)`.
        stated: The configuration, if there is one.
    """

    engine: Engine
    library: Library
    policies: Sequence[Policy]
    snapshot: Snapshot
    stated: Config | None


def discover(
    paths: Sequence[str] = (),
    *,
    configuration: Path | None = None,
    writes: bool = False,
    severity: Severity = "medium",
    namespace: str = "",
    registry_services: Sequence[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> DiscoverReport:
    """Find the namespaces to protect and the custom kinds to judge, from files or, without any, from a live cluster.

    Args:
        paths: Files and folders with what `kubectl get -o json|yaml` wrote, or manifests; "-" is stdin.
        configuration: The configuration; None: pullguard.yaml in the working directory, if it is there.
        writes: Whether to add what is new to the configuration; one that is not there is made.
        severity: From which severity on namespaces count.
        namespace: The namespace of objects in files that state none; "": they are left out.
        registry_services: NAMESPACE/NAME=HOST: Services from which the images of a host come.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, the configuration cannot be read or written, or the engine
            fails.
    """
    require_one_source(paths, kubeconfig, context)
    if namespace and not paths:
        raise PullguardError("objects of a live cluster state their namespace", remedy="leave out --namespace")
    with Engine() as engine:
        engine.setup([], frugal=True)  # of a large cluster it reads much more than is kept
        engine.finish()
        sources = policies.read(Path(resources.rego_directory()), engine)
        path = configuration or Path(config.DEFAULT_FILE)
        is_there = path.exists() if configuration is None or writes else True
        stated = config.load(engine, path, sources.policies) if is_there else None
        library = load(engine, resources.packaged_library())
        wanted = kinds(library)
        keep = Keeper({kind.kind for kind in wanted if kind.namespaced}, namespace).keep
        if paths:
            snapshot = from_files(engine, wanted, paths, stdin=stdin, keep=keep, remedy=_NO_OBJECT)
        else:
            snapshot = from_cluster(engine, wanted, kubeconfig=kubeconfig, context=context, kubectl=kubectl, keep=keep)
        read = _Read(engine, library, sources.policies, snapshot, stated)
        definitions = Definitions()
        for stored in snapshot.stored[KIND]:
            definitions.add(stored.file, None, None, stored.object)
        namespaces, notes = _namespaces(read, registry_services)
        report = DiscoverReport(
            source=snapshot.source,
            severity=severity,
            configuration=path if is_there else None,
            namespaces=namespaces,
            kinds=tuple(_kinds(read, definitions.kinds(sources.policies))),
            unreadable=snapshot.unreadable,
            errors=(*snapshot.errors, *definitions.errors),
            notes=(
                *snapshot.notes,
                *_absent(snapshot),
                *notes,
                *([] if is_there or writes else [_without(path, snapshot, library)]),
            ),
        )
        return write(engine, report, path, sources.policies) if writes else report


def kinds(library: Library) -> tuple[Kind, ...]:
    """Return what a snapshot for discover holds: what others depend on, and what protects namespaces."""
    constraints = (Kind(CONSTRAINT_GROUP, kind, kind.lower()) for kind in library.pod_policies)
    return (*constraints, *KINDS)


def _absent(snapshot: Snapshot) -> Iterator[str]:
    absent = [kind for kind in snapshot.empty if kind in _SHOWING]
    if absent and not snapshot.live:
        yield f"not in the files, so taken to be none: {', '.join(absent)}"


def _without(path: Path, snapshot: Snapshot, library: Library) -> str:
    constraints = any(snapshot.stored[kind] for kind in library.pod_policies)
    which = "only what constraints protect counts as protected" if constraints else "no namespace is protected yet"
    return f"there is no {path}, so {which}"


# -- namespaces


def _namespaces(read: _Read, registry_services: Sequence[str]) -> tuple[tuple[Namespace, ...], tuple[str, ...]]:
    """Return the namespaces that something depends on, and notes."""
    engine, snapshot = read.engine, read.snapshot
    (policy,) = (policy for policy in read.policies if policy.name == _HOSTS)
    namespaces = {dig(obj, "metadata", "name"): obj for obj in snapshot.objects("Namespace")}
    workloads = list(_workloads(snapshot))
    hosts = _hosts(read)
    services = [
        {
            "namespace": dig(obj, "metadata", "namespace"),
            "name": dig(obj, "metadata", "name"),
            "labels": dig(obj, "metadata", "labels"),
            "ports": dig(obj, "spec", "ports"),
        }
        for obj in snapshot.objects("Service")
    ]
    names = {each["namespace"] for each in (*hosts, *services, *workloads)}
    document = {
        "hosts": hosts,
        "webhooks": [obj for kind in _WEBHOOKS for obj in snapshot.objects(kind)],
        "services": services,
        "drivers": [dig(obj, "metadata", "name") for obj in snapshot.objects("CSIDriver")],
        "workloads": workloads,
        "registries": addresses(snapshot, registry_services),
        "severities": {reason: rule.severity for reason, rule in policy.rules.items()},
        "configured": _configured(read.stated),
        "constrained": _constrained(read, sorted(names)),
        "namespaces": namespaces,
    }
    found = query(engine, modules(_MODULES), "data.discover.namespaces.contents", document)
    named = [_namespace(each) for each in found["found"]]
    others = ", ".join(found["others"])
    return (
        tuple(sorted(named, key=lambda each: (SEVERITIES.index(each.severity), each.name))),
        (f"not the name of a namespace, so left out: {others}",) if others else (),
    )


def _namespace(value: Mapping[str, Any]) -> Namespace:
    return Namespace(
        name=value["name"],
        severity=value["severity"],
        protected=tuple(value["protected"]),
        assumed=tuple(value["assumed"]),
        reasons=tuple(
            Reason(
                reason=reason["reason"],
                severity=reason["severity"],
                title=reason["title"],
                shown=tuple(Shown(each["object"], each["detail"]) for each in reason["shown"]),
            )
            for reason in value["reasons"]
        ),
    )


def _configured(stated: Config | None) -> JSON:
    if stated is None:
        return {}
    protected = stated.protected_namespaces
    return {"names": list(protected.names), "selector": protected.selector}


def _hosts(read: _Read) -> list[JSON]:
    """Return which Services the API server depends on, as the library's own policy says."""
    snapshot = read.snapshot
    (template,) = (template for template in read.library.templates if template.policy == _HOSTS)
    rego = {**Group("v1", (template,), ()).modules(), **modules(_MODULES_OF_HOSTS)}
    objects = [obj for kind in (*_WEBHOOKS, _API) for obj in snapshot.objects(kind)]
    objects += [
        {
            "apiVersion": obj["apiVersion"],
            "kind": KIND,
            "metadata": {"name": dig(obj, "metadata", "name")},
            "spec": {"conversion": dig(obj, "spec", "conversion")},
        }
        for obj in snapshot.objects(KIND)
        if dig(obj, "spec", "conversion") is not None
    ]
    found: list[JSON] = query(
        read.engine, rego, "data.discover.hosts.found", {"policy": template.name, "objects": objects}
    )
    return found


def _constrained(read: _Read, names: Sequence[str]) -> list[JSON]:
    """Return the namespaces that constraints of the snapshot protect."""
    policies_by_kind = read.library.pod_policies
    constraints = [obj for kind in policies_by_kind for obj in read.snapshot.objects(kind)]
    if not constraints:
        return []
    document = {
        "policies": policies_by_kind,
        "constraints": constraints,
        "namespaces": read.snapshot.objects("Namespace"),
        "validatingPolicies": [],
        "workloads": [{"metadata": {"namespace": name}} for name in names],
        "pods": [],
    }
    found = query(read.engine, modules(_MODULES_OF_PLAN), "data.scope.plan.protected", document)
    return [
        {"name": each["name"], "assumed": all(constraint["assumed"] for constraint in each["constraints"])}
        for each in found
    ]


def _workloads(snapshot: Snapshot) -> Iterator[JSON]:
    """Yield what runs, or is to run: workloads, and pods under the names of theirs, each that differs once."""
    objects = [obj for kind in (*_POD_KINDS, "Pod") for obj in snapshot.objects(kind)]
    owners = Owners()
    owners.add(objects)
    seen = set()
    for obj in objects:
        own = _reference(obj)
        controller = controller_of(obj)
        if controller is not None:
            labels = dig(obj, "metadata", "labels")
            owners.guess(controller, labels if isinstance(labels, dict) else {})
        top = _top(owners, own, controller)
        key = (top.kind, top.namespace, top.name, id(obj["pod"]))  # what is alike is one value
        if key in seen or owners.is_idle(own) or owners.is_idle(top):
            continue
        seen.add(key)
        yield {
            "namespace": top.namespace,
            "kind": top.kind,
            "name": top.name,
            "daemon": "DaemonSet" in {own.kind, controller.kind if controller else ""},
            **obj["pod"],
        }


def _reference(obj: Mapping[str, Any]) -> ObjectRef:
    metadata = obj["metadata"]
    return ObjectRef(obj["apiVersion"], obj["kind"], metadata["namespace"], metadata["name"])


def _top(owners: Owners, own: ObjectRef, controller: ObjectRef | None) -> ObjectRef:
    """Return the topmost of the built-in workloads that an object belongs to."""
    for _ in range(_LONGEST_CHAIN):
        if controller is None or controller.kind not in _POD_KINDS:
            break
        own, controller = controller, owners.controller(controller)
    return own


# -- custom kinds


def _kinds(read: _Read, found: Sequence[FoundKind]) -> Iterator[CustomKind]:
    stated = read.stated
    judging = [
        policy
        for policy in read.policies
        if policy.kinds_from_parameter and (stated is None or stated.policies[policy.name].enabled)
    ]
    for kind in found:
        if not kind.entry:
            continue
        having = tuple(policy.name for policy in judging if _is_stated(kind, policy, stated))
        lacking = tuple(policy.name for policy in judging if policy.name not in having)
        yield CustomKind(kind, () if kind.is_known else lacking, having)


def _is_stated(kind: FoundKind, policy: Policy, stated: Config | None) -> bool:
    entries = [] if stated is None else custom_kinds.stated(policy, stated.policies[policy.name].parameters)
    return (kind.group, kind.kind) in {(entry["group"], entry["kind"]) for entry in entries}
