"""The result of scope, for people."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, TextIO

from pullguard.core.formats.text import printable, write_lines

if TYPE_CHECKING:
    from pullguard.scope.command import Blocked, NamespaceScope, Outcome, ScopeReport

_OUTCOMES = {
    "denied-by-policy": "denied by a ValidatingAdmissionPolicy",
    "denied-by-webhook": "denied by Gatekeeper's webhook",
    "mutated": "mutated",
    "warned": "let in with a warning",
    "audited": "let in, and audited only",
    "nothing": "let in, and nothing reports it",
}
# Gatekeeper's webhooks and audit are named by what they do.
_STAGES = {
    "MutatingWebhookConfiguration": "Gatekeeper's mutation,",
    "ValidatingWebhookConfiguration": "Gatekeeper's webhook,",
    "Audit": "Gatekeeper's audit,",
}
_EFFECTS = {
    "mutate": "changes it",
    "deny": "denies it",
    "warn": "warns",
    "audit": "audits it",
    "unknown": "not known",
}


def write(report: "ScopeReport", stream: TextIO) -> None:
    """Write a report for people."""
    write_lines(map(printable, _lines(report)), stream)


def _lines(report: "ScopeReport") -> Iterator[str]:
    for namespace in report.namespaces:
        yield from _namespace(namespace)
        yield ""
    for problem in report.errors:
        place = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
        yield f"{place}: error: {problem.message}"
    for kind, reason in report.unreadable.items():
        yield f"error: {kind} could not be read: {reason}"
    if report.errors or report.unreadable:
        yield ""
    gaps = sum(namespace.has_gap for namespace in report.namespaces)
    number = len(report.namespaces)
    yield f"{number} protected namespace{'' if number == 1 else 's'} in {report.source}, {gaps} with a gap"
    yield from (f"Note: {note}" for note in report.notes)


def _namespace(namespace: "NamespaceScope") -> Iterator[str]:
    yield f"{namespace.name} (protected by {', '.join(namespace.constraints)})"
    yield from (f"  {note}" for note in namespace.notes)
    yield from _outcome("pod", namespace.pod)
    yield from _outcome("Deployment", namespace.deployment)
    yield f"  deny is {_state(namespace.deny.state)}: {namespace.deny.reason}"
    for blocked in namespace.deny.blocked:
        yield f"    {_blocked(blocked)}"
    for kind, name in namespace.deny.unjudged:
        yield f"    {kind} {name}: its template cannot be read"
    for change in namespace.changed:
        yield (
            f"  another tool at work: pods of {change.kind} {change.name} say Always for {change.container}, "
            + ("which is not in their template" if change.policy is None else f"their template says {change.policy}")
        )
    if namespace.suspects:
        yield f"    it may be {' or '.join(namespace.suspects)}"
    elif any(change.policy is not None for change in namespace.changed):
        yield "    it may be an admission plugin such as AlwaysPullImages, or the template was edited since"
    elif namespace.changed:
        yield "    it may be a webhook that injects sidecars, such as those of Istio and Linkerd: change it there"


def _outcome(noun: str, outcome: "Outcome") -> Iterator[str]:
    doubt = "" if outcome.certain else ", as far as is known"
    yield f"  a {noun} with Always is {_OUTCOMES[outcome.outcome]}{doubt}"
    for fact in outcome.facts:
        says_it = fact.effect not in _EFFECTS or (fact.stage, fact.effect) == ("Audit", "audit")
        effect = "" if says_it else f"{_EFFECTS[fact.effect]}: "
        yield f"    {_STAGES.get(fact.stage, fact.stage)} {fact.by}: {effect}{fact.text}"
    if outcome.otherwise != outcome.outcome:
        yield f"    a {noun} that is not changed is {_OUTCOMES[outcome.otherwise]}"


def _state(state: str) -> str:
    return {"safe": "safe today", "unsafe": "NOT safe today", "unknown": "not known to be safe"}[state]


def _blocked(blocked: "Blocked") -> str:
    owner = f" of {blocked.owner}" if blocked.owner else ""
    verb = "could no longer replace its pods" if blocked.certain else "might no longer replace its pods"
    idle = " (it has none now)" if blocked.idle else ""
    return f"{blocked.kind} {blocked.name}{owner} {verb}{idle}, by {', '.join(blocked.by)}: {blocked.message}"
