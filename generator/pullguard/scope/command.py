"""`pullguard scope`: what really happens to pods in protected namespaces. Rego decides it; this module asks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

from pullguard.cluster.snapshot import WORKLOADS, Kind, Snapshot, from_cluster, from_files, require_one_source
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import (
    CONSTRAINT_GROUP,
    EXPANSION_GROUP,
    TEMPLATE_GROUP,
    ConstraintTemplate,
    template_from,
)
from pullguard.core.inputs.problems import InputError
from pullguard.core.resources import packaged_library
from pullguard.engine.groups import Group
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults
from pullguard.library.store import Library, load

_ADMISSION = "admissionregistration.k8s.io"

_KINDS = (
    Kind(TEMPLATE_GROUP, "ConstraintTemplate", "constrainttemplates"),
    Kind("", "Namespace", "namespaces"),
    Kind("", "Node", "nodes"),
    Kind("config.gatekeeper.sh", "Config", "configs"),
    Kind(EXPANSION_GROUP, "ExpansionTemplate", "expansiontemplate"),
    Kind("mutations.gatekeeper.sh", "Assign", "assign"),
    Kind(_ADMISSION, "ValidatingWebhookConfiguration", "validatingwebhookconfigurations"),
    Kind(_ADMISSION, "MutatingWebhookConfiguration", "mutatingwebhookconfigurations"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicy", "validatingadmissionpolicies"),
    Kind(_ADMISSION, "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings"),
    Kind(_ADMISSION, "MutatingAdmissionPolicy", "mutatingadmissionpolicies"),
    Kind(_ADMISSION, "MutatingAdmissionPolicyBinding", "mutatingadmissionpolicybindings"),
    *WORKLOADS,
    Kind("", "Pod", "pods", namespaced=True),
)

# The modules of scope. Of the libs that templates embed, it may only use those that import no others.
_MODULES = {
    "gatekeeper": ("driver", "enforcement", "hook", "match", "review"),
    "lib": ("globs", "images", "kinds", "pods", "requests", "selectors"),
    "scope": (
        "answers",
        "audit",
        "changes",
        "expansions",
        "gatekeeper",
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
# The modules evaluated together with a template, in the template's own version of Rego.
_JUDGE = {"gatekeeper": ("driver",), "scope": ("judge",)}
_CASES = 2_000

# If the files hold none of these kinds, their effect is unknown. Other kinds without objects are assumed not to exist.
_NEVER_EMPTY = "ValidatingWebhookConfiguration"
_NOT_TAKEN_TO_BE_NONE = {"ConstraintTemplate", "Namespace", "Node", _NEVER_EMPTY}
# The policy that cannot tell what it would deny without Nodes.
_NEEDS_NODES = "protected_image_cache"


@dataclass(frozen=True, slots=True)
class Fact:
    """One step of an object on its way through admission and audit.

    Attributes:
        stage: The kind of object that takes the step: "MutatingAdmissionPolicy", "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy", "ValidatingWebhookConfiguration" or "Audit".
        by: What takes the step: the name of an admission policy, "Assign NAME", "K8sProtectedPullPolicy NAME",
            "validation.gatekeeper.sh" or "audit.gatekeeper.sh" for all of Gatekeeper there, or a kind that could not be
            read.
        effect: "mutate", "deny", "warn", "audit", "pass" or "unknown".
        could: What an unknown effect could be: an effect, "any", or "" if tools other than pullguard decide.
        text: The reason, for people.
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
        certain: Whether nothing unknown could change the outcome.
        otherwise: The outcome for an object that mutation leaves alone; the same as `outcome` if nothing is mutated.
        facts: The steps, in the order in which the API server and then the audit take them.
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
        idle: Whether it has no pods to replace, because it is scaled to zero, finished or suspended.
        certain: Whether nothing unknown could change this.
        by: The constraints and admission policies that would deny the pods, sorted.
        message: The message of the denial.
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
        reason: The reason, for people.
        blocked: The workloads that could no longer replace their pods.
        unjudged: Workloads whose pod template cannot be read, as (kind, name).
    """

    state: str
    reason: str
    blocked: tuple[Blocked, ...]
    unjudged: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """Pods that say Always, although the template that they were made from does not, or lacks the container.

    Attributes:
        kind: The kind of their owner.
        container: The container or image volume.
        policy: The pull policy of the template; None if the template lacks the container.
    """

    kind: str
    name: str
    container: str
    policy: str | None


@dataclass(frozen=True, slots=True)
class NamespaceScope:
    """The result for one protected namespace.

    Attributes:
        name: Its name.
        exists: Whether its Namespace is in the snapshot.
        constraints: The constraints that protect it.
        notes: Other things that affect it.
        pod: What would happen to a pod that says Always.
        deployment: What would happen to a Deployment that says Always.
        deny: Whether deny is safe.
        changed: Traces of another tool that sets Always.
        suspects: Which tool that might be.
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
        """Whether Always is admitted unnoticed, or deny would do harm."""
        unseen = any(probe.outcome == "nothing" for probe in (self.pod, self.deployment))
        return unseen or self.deny.state == "unsafe"


@dataclass(frozen=True, slots=True)
class ScopeReport:
    """The result of `pullguard scope`.

    Attributes:
        source: The name of the source, for people.
        namespaces: The protected namespaces, sorted by name.
        unreadable: The kinds that could not be read, with reasons.
        errors: The parts of files that could not be read.
        notes: What was assumed.
    """

    source: str
    namespaces: tuple[NamespaceScope, ...]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
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
    """Report what really happens in protected namespaces, from files or, without files, from a live cluster.

    Args:
        paths: Files and folders with the output of `kubectl get -o json|yaml`, or manifests; "-" is stdin.
        kubeconfig: The kubeconfig of a live cluster. None: kubectl's default.
        context: The context in it. None: the current one.
        kubectl: The kubectl binary. None: kubectl on PATH.
        stdin: The stream that "-" reads.

    Raises:
        PullguardError: The snapshot cannot be read at all or protects no namespace, or the engine fails.
    """
    require_one_source(paths, kubeconfig, context)
    with Engine() as engine:
        library = load(engine, packaged_library())
        if paths:
            snapshot = from_files(engine, kinds(library), paths, stdin=stdin)
        else:
            snapshot = from_cluster(engine, kinds(library), kubeconfig=kubeconfig, context=context, kubectl=kubectl)
        return judge(engine, library, snapshot)


def kinds(library: Library) -> tuple[Kind, ...]:
    """Return the kinds of a snapshot for `scope`: constraints of policies about pods, and all that affects them."""
    constraints = (Kind(CONSTRAINT_GROUP, kind, kind.lower()) for kind in library.pod_policies)
    return (*constraints, *_KINDS)


def judge(engine: Engine, library: Library, snapshot: Snapshot) -> ScopeReport:
    """Derive the report from a snapshot.

    Args:
        engine: The engine that evaluates Rego.
        library: The library that comes with pullguard.
        snapshot: A snapshot of `kinds(library)`.

    Raises:
        PullguardError: The snapshot protects no namespace, or does not tell which ones; or the engine fails.
    """
    policies = library.pod_policies
    unread = [kind for kind in policies if kind in snapshot.unreadable]
    if unread and not any(snapshot.stored[kind] for kind in policies):
        reasons = ", ".join(f"{kind} cannot be read ({snapshot.unreadable[kind]})" for kind in unread)
        raise PullguardError(f"it is not known which namespaces are protected: {reasons}")
    templates = _Templates(snapshot, library)
    constraints, refused = _constraints(snapshot, policies, templates)
    if not constraints:
        *others, last = policies
        raise _nothing_to_judge(
            f"there is no {', '.join(others)} or {last} in {snapshot.source}, so no namespace is protected",
            [*refused, *snapshot.errors],
            remedy="apply the library, or name its constraints along with the dump of the cluster",
        )
    is_about_nodes = any(policies[constraint["kind"]] == _NEEDS_NODES for constraint in constraints)
    unreadable = {kind: why for kind, why in snapshot.unreadable.items() if kind != "Node" or is_about_nodes}
    unknown = sorted(unreadable)
    notes = []
    if not snapshot.live:
        empty = [kind for kind in snapshot.empty if kind not in _NOT_TAKEN_TO_BE_NONE]
        if empty:
            notes.append(f"not in the files, so assumed not to exist: {', '.join(empty)}")
        if "Namespace" in snapshot.empty:
            notes.append("the files hold no Namespace, so it is not known which other namespaces are protected")
        unknown += [kind for kind in (_NEVER_EMPTY, "Node") if kind in snapshot.empty]
    expansions = snapshot.objects("ExpansionTemplate")
    rego = modules(_MODULES)
    plan = query(
        engine,
        rego,
        "data.scope.plan.contents",
        {
            "policies": policies,
            "constraints": constraints,
            "namespaces": snapshot.objects("Namespace"),
            "validatingPolicies": snapshot.objects("ValidatingAdmissionPolicy"),
            "workloads": [obj for kind in WORKLOADS for obj in snapshot.objects(kind.kind)],
            "pods": snapshot.objects("Pod"),
            "expansions": expansions,
        },
    )
    if not plan["namespaces"] and "Namespace" in snapshot.empty:
        raise _nothing_to_judge(
            f"there is no Namespace in {snapshot.source}, so it is not known which namespaces are protected",
            snapshot.errors,
            remedy="name a dump of the Namespaces too",
        )
    nodes = {node["metadata"]["name"]: node for node in snapshot.objects("Node")}
    answers = _answers(engine, templates, plan, {"cluster": {"v1": {"Node": nodes}}})
    notes += query(engine, rego, "data.scope.expansions.notes", {"expansions": expansions, "constraints": constraints})
    found = query(
        engine,
        rego,
        "data.scope.report.namespaces",
        {
            "plan": {key: value for key, value in plan.items() if key != "cases"},
            "policies": policies,
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
            f"scope cannot analyse {', '.join(sorted(lost))}: an object in the snapshot has a field of the wrong type",
            remedy="leave out objects that no API server has accepted",
        )
    return ScopeReport(
        source=snapshot.source,
        namespaces=tuple(sorted((_namespace(value) for value in found), key=lambda namespace: namespace.name)),
        unreadable=unreadable,
        errors=(*snapshot.errors, *refused),
        notes=(*snapshot.notes, *templates.notes, *notes),
    )


class _Templates:
    """The templates to judge by: those of the snapshot, or else those of the library that comes with pullguard.

    Args:
        snapshot: The snapshot.
        library: The library.
    """

    def __init__(self, snapshot: Snapshot, library: Library) -> None:
        self._stored = {entry.object["metadata"]["name"]: entry for entry in snapshot.stored["ConstraintTemplate"]}
        self._own = {template.policy: template for template in library.templates}
        self._used: dict[str, ConstraintTemplate] = {}
        self._missing: list[str] = []

    def of(self, policy: str) -> ConstraintTemplate:
        """Return the template of a policy.

        Raises:
            PullguardError: The template in the snapshot has no Rego.
        """
        if policy not in self._used:
            template = self._own[policy]
            stored = self._stored.get(template.name)
            if stored is None:
                self._missing.append(template.kind)
            else:
                template = template_from(stored.object, stored.file)
                if template.source is None:
                    raise PullguardError("has no Rego, so nothing can be judged by it", file=stored.file)
            self._used[policy] = template
        return self._used[policy]

    @property
    def notes(self) -> list[str]:
        """A note that names the kinds whose template is not in the snapshot."""
        if not self._missing:
            return []
        return [f"judged by pullguard's own templates, because the snapshot has none: {', '.join(self._missing)}"]


def _constraints(
    snapshot: Snapshot, policies: Mapping[str, str], templates: _Templates
) -> tuple[list[Mapping[str, Any]], list[InputError]]:
    """Return the constraints with their defaults, and an error for each one that Gatekeeper would refuse."""
    from pullguard.library.gatekeeper_validation.constraint_check import ConstraintChecker  # noqa: PLC0415 - importing it takes time

    constraints: list[Mapping[str, Any]] = []
    refused = []
    for kind, policy in policies.items():
        if not snapshot.stored[kind]:
            continue
        template = templates.of(policy)
        checker = ConstraintChecker(template, lambda _pattern, _text: True)
        for entry in snapshot.stored[kind]:
            complete = with_defaults(entry.object, template)
            refusal = checker.refusal(complete)
            if refusal is None:
                constraints.append(complete)
            else:
                name = entry.object["metadata"]["name"]
                message = f"Gatekeeper refuses the constraint {name}, so it was left out: {refusal.message}"
                refused.append(InputError(entry.file, None, None, message))
    return constraints, refused


def _nothing_to_judge(message: str, problems: Sequence[InputError], *, remedy: str) -> PullguardError:
    """Return the fatal error. It ends with the first problem, which may be the reason, or else with the remedy."""
    if not problems:
        return PullguardError(message, remedy=remedy)
    first = problems[0]
    return PullguardError(f"{message}: {PullguardError(first.message, file=first.file, line=first.line)}")


def _answers(
    engine: Engine, templates: _Templates, plan: Mapping[str, Any], inventory: Mapping[str, Any]
) -> list[Mapping[str, Any]]:
    """Return the cases of a plan with the policies' messages in place of the reviews."""
    policies = [source["policy"] for source in plan["sources"]]
    parameters = [source["parameters"] for source in plan["sources"]]
    answers = [_answer(case, [case["rejected"]]) for case in plan["cases"] if "rejected" in case]
    for policy in dict.fromkeys(policies):
        template = templates.of(policy)
        version = template.source.version if template.source else "v1"
        rego = {**Group(version, (template,), ()).modules(), **modules(_JUDGE)}
        asked = [case for case in plan["cases"] if "review" in case and policies[case["source"]] == policy]
        for cases in _chunks(asked):
            document = {
                "policy": template.name,
                "parameters": parameters,
                "inventory": inventory if policy == _NEEDS_NODES else {},
                "cases": [{"source": case["source"], "review": case["review"]} for case in cases],
            }
            found = query(engine, rego, "data.scope.judge.messages", document, version=version)
            answers += [_answer(case, messages) for case, messages in zip(cases, found, strict=True)]
    return answers


def _answer(case: Mapping[str, Any], messages: Sequence[Any]) -> Mapping[str, Any]:
    texts = [text if isinstance(text, str) else json.dumps(text) for text in messages]
    return {**{key: value for key, value in case.items() if key not in {"review", "rejected"}}, "messages": texts}


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
