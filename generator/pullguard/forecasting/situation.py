"""What a forecast starts from: a snapshot, its pods and nodes, and what is known of its namespaces."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO

from pullguard.cluster.snapshot import WORKLOADS, Kind, Snapshot, from_cluster, from_files, require_one_source
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, dig
from pullguard.core.resources import packaged_library
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.forecasting.forecast import Forecaster
from pullguard.forecasting.kept import Keeper
from pullguard.forecasting.node_images import read_node_images
from pullguard.forecasting.nodes import Nodes
from pullguard.forecasting.overlay import laid_over
from pullguard.forecasting.pods import WORKLOAD_KINDS, Pods, accounts
from pullguard.forecasting.registries import addresses
from pullguard.library.store import Library, load

if TYPE_CHECKING:
    from pullguard.cluster.owners import Identity

_ADMISSION = "admissionregistration.k8s.io"
#: What changes the pull policy of new pods: the name that Rego has for the objects of each kind.
_CHANGING = {
    "Config": "configs",
    "Assign": "assigns",
    "MutatingWebhookConfiguration": "mutatingWebhooks",
    "MutatingAdmissionPolicy": "mutatingPolicies",
    "MutatingAdmissionPolicyBinding": "mutatingBindings",
}
#: What a snapshot holds besides the constraints of a library.
KINDS = (
    Kind("", "Namespace", "namespaces"),
    Kind("", "Node", "nodes"),
    Kind("", "ServiceAccount", "serviceaccounts", namespaced=True),
    Kind("config.gatekeeper.sh", "Config", "configs"),
    Kind("mutations.gatekeeper.sh", "Assign", "assign"),
    Kind("", "Service", "services", namespaced=True),
    Kind(_ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    Kind(_ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    Kind("apiregistration.k8s.io", "APIService", "apiservices"),
    Kind("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions"),
    Kind(_ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    Kind(_ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    *WORKLOADS,
    Kind("", "Pod", "pods", namespaced=True),
)
_MODULES = {
    "gatekeeper": ("driver", "enforcement", "hook", "match", "review"),
    "lib": ("globs", "images", "kinds", "nodes", "pods", "requests", "selectors"),
    "outage": ("admission",),
    "scope": (
        *("changes", "expansions", "gatekeeper", "mutation", "plan"),
        *("policies", "probes", "reach", "steps", "tools"),
    ),
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What a forecast starts from.

    Attributes:
        snapshot: The snapshot, with overlays.
        pods: Its pods.
        nodes: Its nodes.
        selected: The nodes that were asked for; None: all.
        protected: The names of the protected namespaces.
        forecaster: Says what becomes of the pods.
        notes: What was taken for granted.
    """

    snapshot: Snapshot
    pods: Pods
    nodes: Nodes
    selected: tuple[str, ...] | None
    protected: frozenset[str]
    forecaster: Forecaster
    notes: tuple[str, ...]


def read_situation(
    engine: Engine,
    paths: Sequence[str] = (),
    *,
    registries: Sequence[str] = (),
    registry_services: Sequence[str] = (),
    nodes: Sequence[str] = (),
    zones: Sequence[str] = (),
    overlays: Sequence[str] = (),
    node_images: Sequence[str] = (),
    needed: Collection[str] = (),
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> Situation:
    """Read a situation from files or, without any, from a live cluster.

    Args:
        engine: What reads, and evaluates Rego.
        paths: Files and folders with what `kubectl get -o json|yaml` wrote, or manifests; "-" is stdin.
        registries: Globs of the registries that are gone; none: all are that are not in the cluster.
        registry_services: NAMESPACE/NAME=HOST: Services from which the images of a host come.
        nodes: The nodes that are asked for; with `zones`, both. None of either: all.
        zones: The zones whose nodes are.
        overlays: Files and folders of manifests that are taken to be applied before.
        node_images: Files with the full lists of images of nodes: FILE named after its node, or NODE=FILE.
        needed: The kinds that the caller makes use of besides: a note says which of them are not in the files.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, holds no pods and nothing that makes any, a node or zone is
            not in it, or the engine fails.
    """
    require_one_source(paths, kubeconfig, context)
    keep = Keeper().keep
    engine.setup([], frugal=True)  # of a large cluster it reads much more than is kept
    engine.finish()
    library = load(engine, packaged_library())
    wanted = kinds(library)
    if paths:
        snapshot = from_files(engine, wanted, paths, stdin=stdin, keep=keep)
    else:
        snapshot = from_cluster(engine, wanted, kubeconfig=kubeconfig, context=context, kubectl=kubectl, keep=keep)
    applied: frozenset[Identity] = frozenset()
    if overlays:
        snapshot, applied = laid_over(snapshot, from_files(engine, wanted, overlays, keep=keep))
    listed = read_node_images(engine, node_images)
    pods = Pods(snapshot, applied)
    if not pods.pods and not snapshot.errors and not snapshot.unreadable:
        raise PullguardError(
            f"there are no pods in {snapshot.source}, and nothing that makes any",
            remedy="dump them with `kubectl get pods -A -o json`; docs/outage.md says which other kinds are of use",
        )
    all_nodes = Nodes(snapshot.objects("Node"), listed)
    selected = _selected(all_nodes, nodes, zones)
    facts = _facts(engine, library, snapshot, needed)
    forecaster = Forecaster(
        engine,
        pods,
        all_nodes,
        accounts=accounts(snapshot.objects("ServiceAccount")),
        mutations=facts.mutations,
        registries=registries,
        inside=addresses(snapshot, registry_services),
        has_pods="Pod" not in snapshot.unreadable,
        complete=not snapshot.errors,
    )
    needless = bool(registries) and not forecaster.has_gone
    unlisted = sorted(set(listed) - set(all_nodes.names))
    return Situation(
        snapshot=snapshot,
        pods=pods,
        nodes=all_nodes,
        selected=None if selected is None else tuple(selected),
        protected=facts.protected,
        forecaster=forecaster,
        notes=(
            *snapshot.notes,
            *facts.notes,
            *([f"no image in the snapshot comes from {' or '.join(registries)}"] if needless else ()),
            *(f"there is no node {name} for a list of images" for name in unlisted),
        ),
    )


def kinds(library: Library) -> tuple[Kind, ...]:
    """Return what a snapshot for a forecast holds: what runs, where, and what bears on it."""
    constraints = (Kind(CONSTRAINT_GROUP, kind, kind.lower()) for kind in library.pod_policies)
    return (*constraints, *KINDS)


def _selected(nodes: Nodes, names: Sequence[str], zones: Sequence[str]) -> list[str] | None:
    if not names and not zones:
        return None
    missing = [name for name in names if name not in nodes.number]
    if missing:
        raise PullguardError(f"there is no node {missing[0]} in the snapshot")
    for zone in zones:
        if not nodes.in_zones([zone]):
            raise PullguardError(f"there is no node in the zone {zone} in the snapshot")
    return list(dict.fromkeys([*names, *nodes.in_zones(zones)]))


class _Facts:
    """What is known of namespaces.

    Attributes:
        protected: The names of the protected ones.
        mutations: By namespace, what changes the pull policies of new pods.
        notes: What was taken for granted.
    """

    def __init__(self, protected: frozenset[str], mutations: Mapping[str, Any], notes: Sequence[str]) -> None:
        self.protected = protected
        self.mutations = mutations
        self.notes = notes


def _facts(engine: Engine, library: Library, snapshot: Snapshot, needed: Collection[str]) -> _Facts:
    policies = library.pod_policies
    constraints = [obj for kind in policies for obj in snapshot.objects(kind)]
    notes = []
    if not constraints:
        constraints = [each.object for each in library.constraints if each.kind in policies]
        notes.append("no constraint is there, so the namespaces that pullguard protects by default count as protected")
    names = {dig(obj, "metadata", "namespace") for kind in (*WORKLOAD_KINDS, "Pod") for obj in snapshot.objects(kind)}
    if not snapshot.live:
        absent = [kind for kind in snapshot.empty if kind in _CHANGING or kind in needed]
        if absent:
            notes.append(f"not in the files, so taken to be none: {', '.join(absent)}")
        if "Node" in snapshot.empty:
            notes.append("there is no Node in the files, so which images are where is not known")
    document = {
        "policies": policies,
        "constraints": constraints,
        "namespaces": snapshot.objects("Namespace"),
        "workloads": [{"metadata": {"namespace": name}} for name in sorted(map(str, names))],
        "validatingPolicies": [],
        "pods": [obj for obj in snapshot.objects("Pod") if _states_plugins(obj)],
        "unknown": sorted(snapshot.unreadable),
        **{field: snapshot.objects(kind) for kind, field in _CHANGING.items()},
    }
    found = query(engine, modules(_MODULES), "data.outage.admission.contents", document)
    protected = frozenset(name for name in found["protected"] if isinstance(name, str))
    return _Facts(protected, found["mutations"], notes)


def _states_plugins(pod: Mapping[str, Any]) -> bool:
    containers = dig(pod, "spec", "containers")
    listed = containers if isinstance(containers, list) else []
    return any(dig(each, "command") is not None or dig(each, "args") is not None for each in listed)
