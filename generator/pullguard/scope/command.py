"""`pullguard scope`: what really happens to pods in protected namespaces; what that is, Rego says."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from pullguard.cluster.snapshot import Kind, Snapshot, from_cluster, from_files
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Problem
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, TEMPLATE_GROUP, ConstraintTemplate, template_from
from pullguard.core.resources import packaged_library
from pullguard.engine.groups import Group
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults
from pullguard.library.store import load

#: The kind of the constraints that protect.
CONSTRAINT_KIND = "K8sProtectedPullPolicy"

_ADMISSION = "admissionregistration.k8s.io"
_WORKLOADS = (
    Kind("apps", "Deployment", "deployments", namespaced=True),
    Kind("apps", "ReplicaSet", "replicasets", namespaced=True),
    Kind("apps", "StatefulSet", "statefulsets", namespaced=True),
    Kind("apps", "DaemonSet", "daemonsets", namespaced=True),
    Kind("", "ReplicationController", "replicationcontrollers", namespaced=True),
    Kind("batch", "Job", "jobs", namespaced=True),
    Kind("batch", "CronJob", "cronjobs", namespaced=True),
)

#: What a snapshot for `scope` holds.
KINDS = (
    Kind(CONSTRAINT_GROUP, CONSTRAINT_KIND, CONSTRAINT_KIND.lower()),
    Kind(TEMPLATE_GROUP, "ConstraintTemplate", "constrainttemplates"),
    Kind("", "Namespace", "namespaces"),
    Kind("config.gatekeeper.sh", "Config", "configs"),
    Kind("expansion.gatekeeper.sh", "ExpansionTemplate", "expansiontemplate"),
    Kind("mutations.gatekeeper.sh", "Assign", "assign"),
    Kind(_ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    Kind(_ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    Kind(_ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    Kind(_ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    *_WORKLOADS,
    Kind("", "Pod", "pods", namespaced=True),
)

# What scope's Rego stands on: of what templates hold, only libs that stand alone.
_MODULES = {
    "gatekeeper": ("driver", "enforcement", "hook", "match", "review"),
    "lib": ("globs", "images", "pods", "selectors"),
    "scope": (
        "answers",
        "audit",
        "changes",
        "gatekeeper",
        "kubernetes",
        "mutation",
        "plan",
        "policies",
        "probes",
        "reach",
        "report",
        "safety",
        "steps",
        "tools",
        "validation",
        "webhook",
    ),
}
# What stands beside the template, in whatever version of Rego that is written.
_JUDGE = {"gatekeeper": ("driver",), "scope": ("judge",)}
_CASES = 2_000

# Without these in the files, what they would do is not known; of the other kinds, none are taken to be there.
_NEVER_EMPTY = "ValidatingWebhookConfiguration"
_NOT_TAKEN_TO_BE_NONE = {"ConstraintTemplate", "Namespace", _NEVER_EMPTY}


@dataclass(frozen=True, slots=True)
class Fact:
    """One step on an object's way through admission and audit.

    Attributes:
        stage: The kind of what takes it: "MutatingAdmissionPolicy", "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration" or "Audit".
        by: What takes it: the name of an admission policy, "Assign NAME", "K8sProtectedPullPolicy NAME", or
            "validation.gatekeeper.sh" or "audit.gatekeeper.sh" for all of Gatekeeper there; a kind that is not known.
        effect: "mutate", "deny", "warn", "audit", "pass" or "unknown".
        could: What an unknown effect might be: an effect, "any", or "" for what others than pullguard decide.
        text: Why, for people.
    """

    stage: str
    by: str
    effect: str
    could: str
    text: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happens to an object.

    Attributes:
        outcome: "denied-by-policy", "denied-by-webhook", "mutated", "warned", "audited" or "nothing".
        certain: Whether nothing that is not known could change it.
        otherwise: The outcome for what mutation leaves alone; the same where nothing is mutated.
        facts: In the order in which the API server, and then audit, get to them.
    """

    outcome: str
    certain: bool
    otherwise: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Blocked:
    """A workload that could no longer replace its pods if deny were switched on.

    Attributes:
        kind: Its kind.
        name: Its name.
        owner: Its own controller, such as "Deployment web", or "".
        idle: Whether it has no pods to replace: scaled to zero, finished or suspended.
        certain: Whether nothing that is not known could change it.
        by: The constraints and admission policies that would deny the pods, sorted.
        message: What they would say.
    """

    kind: str
    name: str
    owner: str
    idle: bool
    certain: bool
    by: tuple[str, ...]
    message: str


@dataclass(frozen=True, slots=True)
class DenySafety:
    """Whether deny is safe in a namespace today.

    Attributes:
        state: "safe", "unsafe" or "unknown".
        reason: Why, for people.
        blocked: The workloads that could no longer replace their pods.
        unjudged: Workloads without a template that can be read: (kind, name).
    """

    state: str
    reason: str
    blocked: tuple[Blocked, ...]
    unjudged: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Pods that say Always although the template that they were made from does not say so, or has no such container.

    Attributes:
        kind: The kind of their owner.
        name: The name of their owner.
        container: The container, or image volume.
        policy: The pull policy that the template asks for; None if it does not have the container.
    """

    kind: str
    name: str
    container: str
    policy: str | None


@dataclass(frozen=True, slots=True)
class NamespaceScope:
    """What holds for one protected namespace.

    Attributes:
        name: Its name.
        exists: Whether its Namespace is in the snapshot.
        constraints: The constraints that protect it.
        notes: What else bears on it.
        pod: What would happen to a pod that says Always.
        deployment: What would happen to a Deployment that says Always.
        deny: Whether deny is safe.
        changed: Traces of another tool that sets Always.
        suspects: What might be that tool.
    """

    name: str
    exists: bool
    constraints: tuple[str, ...]
    notes: tuple[str, ...]
    pod: Outcome
    deployment: Outcome
    deny: DenySafety
    changed: tuple[Change, ...]
    suspects: tuple[str, ...]

    @property
    def has_gap(self) -> bool:
        """Whether Always passes unseen, or deny would hurt."""
        unseen = any(probe.outcome == "nothing" for probe in (self.pod, self.deployment))
        return unseen or self.deny.state == "unsafe"


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """What `pullguard scope` found.

    Attributes:
        source: Where the snapshot comes from.
        namespaces: The protected ones, sorted by name.
        unreadable: The kinds that could not be read, with reasons.
        errors: What could not be read in files.
        notes: What was taken for granted.
    """

    source: str
    namespaces: tuple[NamespaceScope, ...]
    unreadable: Mapping[str, str]
    errors: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, 1 if a namespace has a gap, else 0."""
        if self.errors or self.unreadable:
            return 2
        return int(any(namespace.has_gap for namespace in self.namespaces))


def scope(
    paths: Sequence[str] = (),
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> ScopeReport:
    """Say what really happens in protected namespaces, from files or, without any, from a live cluster.

    Args:
        paths: Files and folders with what `kubectl get -o json|yaml` wrote, or manifests; "-" is stdin.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all, holds nothing that protects a namespace, or the
            engine fails.
    """
    if paths and (kubeconfig is not None or context is not None):
        raise PullguardError(
            "files and a live cluster cannot be read at once",
            remedy="leave out the files, or --kubeconfig and --context",
        )
    with Engine() as engine:
        if paths:
            snapshot = from_files(engine, KINDS, paths, stdin=stdin)
        else:
            snapshot = from_cluster(engine, KINDS, kubeconfig=kubeconfig, context=context, kubectl=kubectl)
        return judge(engine, snapshot)


def judge(engine: Engine, snapshot: Snapshot) -> ScopeReport:
    """Say what follows from a snapshot that holds KINDS.

    Args:
        engine: What evaluates Rego.
        snapshot: The snapshot.

    Raises:
        PullguardError: Nothing in it protects a namespace, which are protected is not known, or the engine fails.
    """
    if CONSTRAINT_KIND in snapshot.unreadable:
        reason = snapshot.unreadable[CONSTRAINT_KIND]
        raise PullguardError(
            f"which namespaces are protected is not known: {CONSTRAINT_KIND} cannot be read ({reason})"
        )
    template, notes = _template(engine, snapshot)
    constraints, refused = _constraints(snapshot, template)
    if not constraints:
        raise _nothing_to_judge(
            f"there is no {CONSTRAINT_KIND} in {snapshot.source}, so no namespace is protected",
            [*refused, *snapshot.errors],
            remedy="apply the library, or name its constraints along with the dump of the cluster",
        )
    unknown = sorted(snapshot.unreadable)
    if not snapshot.live:
        empty = [kind for kind in snapshot.empty if kind not in _NOT_TAKEN_TO_BE_NONE]
        if empty:
            notes.append(f"not in the files, so taken to be none: {', '.join(empty)}")
        if "Namespace" in snapshot.empty:
            notes.append("there is no Namespace in the files, so which others are protected is not known")
        if _NEVER_EMPTY in snapshot.empty:
            unknown.append(_NEVER_EMPTY)
    workloads = [obj for kind in _WORKLOADS for obj in snapshot.objects(kind.kind)]
    rego = modules(_MODULES)
    plan = query(
        engine,
        rego,
        "data.scope.plan.contents",
        {
            "constraints": constraints,
            "namespaces": snapshot.objects("Namespace"),
            "validatingPolicies": snapshot.objects("ValidatingAdmissionPolicy"),
            "workloads": workloads,
            "pods": snapshot.objects("Pod"),
            "expansions": snapshot.objects("ExpansionTemplate"),
        },
    )
    if not plan["namespaces"] and "Namespace" in snapshot.empty:
        raise _nothing_to_judge(
            f"there is no Namespace in {snapshot.source}, so which are protected is not known",
            snapshot.errors,
            remedy="name a dump of the Namespaces too",
        )
    answers = _answers(engine, template, plan)
    found = query(
        engine,
        rego,
        "data.scope.report.namespaces",
        {
            "plan": {key: value for key, value in plan.items() if key != "cases"},
            "answers": answers,
            "unknown": unknown,
            "validatingWebhooks": snapshot.objects("ValidatingWebhookConfiguration"),
            "mutatingWebhooks": snapshot.objects("MutatingWebhookConfiguration"),
            "configs": snapshot.objects("Config"),
            "validatingPolicies": snapshot.objects("ValidatingAdmissionPolicy"),
            "validatingBindings": snapshot.objects("ValidatingAdmissionPolicyBinding"),
            "mutatingPolicies": snapshot.objects("MutatingAdmissionPolicy"),
            "mutatingBindings": snapshot.objects("MutatingAdmissionPolicyBinding"),
            "assigns": snapshot.objects("Assign"),
            "deployments": snapshot.objects("Deployment"),
            "pods": snapshot.objects("Pod"),
        },
    )
    lost = {namespace["name"] for namespace in plan["namespaces"]} - {namespace["name"] for namespace in found}
    if lost:
        raise PullguardError(
            f"nothing can be said of {', '.join(sorted(lost))}: an object in the snapshot has a field of a wrong type",
            remedy="leave out what no API server has accepted",
        )
    return ScopeReport(
        source=snapshot.source,
        namespaces=tuple(sorted((_namespace(value) for value in found), key=lambda namespace: namespace.name)),
        unreadable=snapshot.unreadable,
        errors=(*snapshot.errors, *refused),
        notes=(*snapshot.notes, *notes),
    )


def _template(engine: Engine, snapshot: Snapshot) -> tuple[ConstraintTemplate, list[str]]:
    """Return the template that judges: the one of the snapshot, else that of the library that comes with pullguard."""
    for entry in snapshot.stored["ConstraintTemplate"]:
        if entry.object["metadata"]["name"] == CONSTRAINT_KIND.lower():
            template = template_from(entry.object, entry.file)
            if template.source is not None:
                return template, []
            raise PullguardError("has no Rego, so nothing can be judged by it", file=entry.file)
    for template in load(engine, packaged_library()).templates:
        if template.kind == CONSTRAINT_KIND:
            return template, [
                f"judged by the {CONSTRAINT_KIND} that comes with pullguard: the snapshot has no template"
            ]
    raise PullguardError(f"the library of pullguard has no {CONSTRAINT_KIND}", remedy="install pullguard again")


def _constraints(snapshot: Snapshot, template: ConstraintTemplate) -> tuple[list[Mapping[str, Any]], list[Problem]]:
    """Return the constraints with their defaults, and errors for those that Gatekeeper would refuse."""
    from pullguard.library.gatekeeper_validation.constraint_check import ConstraintChecker  # noqa: PLC0415 - importing it takes time

    checker = ConstraintChecker(template, lambda _pattern, _text: True)
    constraints: list[Mapping[str, Any]] = []
    refused = []
    for entry in snapshot.stored[CONSTRAINT_KIND]:
        complete = with_defaults(entry.object, template)
        refusal = checker.refusal(complete)
        if refusal is None:
            constraints.append(complete)
        else:
            name = entry.object["metadata"]["name"]
            message = f"Gatekeeper refuses the constraint {name}, so it was left out: {refusal.message}"
            refused.append(Problem(entry.file, None, None, message))
    return constraints, refused


def _nothing_to_judge(message: str, problems: Sequence[Problem], *, remedy: str) -> PullguardError:
    """Return the error that ends it: with the first of the problems, which may be the reason, or else the remedy."""
    if not problems:
        return PullguardError(message, remedy=remedy)
    first = problems[0]
    return PullguardError(f"{message}: {PullguardError(first.message, file=first.file, line=first.line)}")


def _answers(engine: Engine, template: ConstraintTemplate, plan: Mapping[str, Any]) -> list[Any]:
    """Return the cases of a plan with the messages of the policy in the place of the review."""
    version = template.source.version if template.source else "v1"
    rego = {**Group(version, (template,), ()).modules(), **modules(_JUDGE)}
    parameters = [source["parameters"] for source in plan["sources"]]
    answers = []
    for cases in _chunks(plan["cases"]):
        judged = [{"source": case["source"], "review": case["review"]} for case in cases if "review" in case]
        document = {"policy": template.name, "parameters": parameters, "cases": judged}
        found = iter(query(engine, rego, "data.scope.judge.messages", document, version=version))
        for case in cases:
            if "review" in case:
                messages = [text if isinstance(text, str) else json.dumps(text) for text in next(found)]
            elif "rejected" in case:
                messages = [case["rejected"]]
            else:
                continue
            answers.append(
                {
                    "namespace": case["namespace"],
                    "source": case["source"],
                    "point": case["point"],
                    "probe": case.get("probe"),
                    "workload": case.get("workload"),
                    "messages": messages,
                }
            )
    return answers


def _chunks(cases: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(cases), _CASES):
        yield cases[start : start + _CASES]


def _namespace(value: Mapping[str, Any]) -> NamespaceScope:
    deny = value["deny"]
    return NamespaceScope(
        name=value["name"],
        exists=value["exists"],
        constraints=tuple(value["constraints"]),
        notes=tuple(value["notes"]),
        pod=_outcome(value["pod"]),
        deployment=_outcome(value["deployment"]),
        deny=DenySafety(
            state=deny["state"],
            reason=deny["reason"],
            blocked=tuple(
                Blocked(**{**blocked, "by": tuple(blocked["by"])})
                for blocked in sorted(deny["blocked"], key=lambda entry: (entry["kind"], entry["name"]))
            ),
            unjudged=tuple(sorted((entry["kind"], entry["name"]) for entry in deny["unjudged"])),
        ),
        changed=tuple(Change(**change) for change in value["tools"]["changed"]),
        suspects=tuple(value["tools"]["suspects"]),
    )


def _outcome(value: Mapping[str, Any]) -> Outcome:
    return Outcome(
        outcome=value["outcome"],
        certain=value["certain"],
        otherwise=value["otherwise"],
        facts=tuple(Fact(**fact) for fact in value["facts"]),
    )
