"""`pullguard audit` as a function."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import BinaryIO

from pullguard.audit import files, live
from pullguard.audit.folding import folded
from pullguard.audit.gathered import Gathered
from pullguard.audit.merge import merged
from pullguard.audit.model import Audited, AuditReport
from pullguard.audit.rescan import rescan
from pullguard.audit.since import compared
from pullguard.cluster.kubectl import connected
from pullguard.core.errors import PullguardError
from pullguard.core.resources import packaged_library
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.library.store import Library, load

__all__ = ["audit"]

_EXPANSIONS = {"gatekeeper": ("review",), "scope": ("expansions",)}


def audit(
    paths: Sequence[str] = (),
    *,
    live_too: bool = False,
    scan: bool = False,
    since: str | None = None,
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
) -> AuditReport:
    """Report what Gatekeeper's audit has found, from files, a live cluster, or both.

    Args:
        paths: Files and folders: constraints and other objects as `kubectl get -o json|yaml` writes them, Gatekeeper's
            audit log, or its export; "-" is stdin. Without paths, the live cluster is read.
        live_too: Read the live cluster as well as the files.
        scan: Judge the objects of the live cluster again.
        since: An earlier report in JSON to compare with.
        kubeconfig: The kubeconfig of a live cluster. None: kubectl's default. With files, it implies `live_too`.
        context: The context in it. None: the current one. With files, it implies `live_too`.
        kubectl: The kubectl binary. None: kubectl on PATH.
        stdin: The stream that "-" reads.

    Raises:
        PullguardError: A source cannot be read at all, or holds no audit results.
    """
    gathered = Gathered()
    sources = []
    with Engine() as engine:
        if paths:
            files.gather(engine, paths, gathered, stdin=stdin)
            sources.append("the files")
        if scan or live_too or not paths or kubeconfig is not None or context is not None:
            run = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            with connected(kubeconfig=kubeconfig, context=context, program=kubectl) as cluster:
                live.gather(cluster, gathered)
                if scan:
                    rescan(cluster, gathered, run=run, engine=engine)
                live.read_owners(cluster, gathered)
            sources.append(cluster.source)
        report = _report(engine, gathered, " and ".join(sources))
    return report if since is None else compared(report, since)


def _report(engine: Engine, gathered: Gathered, source: str) -> AuditReport:
    for constraint in gathered.unaudited:
        error = PullguardError(
            f"no audit has looked at {constraint.kind} {constraint.name} yet",
            remedy="check that the pod gatekeeper-audit runs, wait for its next audit, or use --rescan",
        )
        gathered.fail(constraint.file, error)
    if not gathered.results and not gathered.errors:
        raise PullguardError(
            f"no audit results in {source}: neither a constraint nor a line of Gatekeeper's audit log",
            remedy="dump the constraints with `kubectl get constraints -o json`",
        )
    library = load(engine, packaged_library())
    templates = {template.kind: template for template in library.templates} | gathered.templates
    audited, problems = merged(gathered.results, gathered.actions, templates)
    findings = folded(audited, gathered.owners, templates)
    return AuditReport(
        source=source,
        constraints=tuple(audited),
        findings=findings,
        errors=(*gathered.errors, *problems),
        notes=(*gathered.notes, *_notes(gathered, audited), *_expansions(engine, library, gathered)),
        templates=templates,
    )


def _expansions(engine: Engine, library: Library, gathered: Gathered) -> list[str]:
    """Return notes about ExpansionTemplates, as Rego decides."""
    if not gathered.expansions:
        return []
    constraints = [one.object for one in gathered.constraints.values() if one.kind in library.pod_policies]
    document = {"expansions": gathered.expansions, "constraints": constraints}
    found: list[str] = query(engine, modules(_EXPANSIONS), "data.scope.expansions.notes", document)
    return found


def _notes(gathered: Gathered, audited: Sequence[Audited]) -> list[str]:
    notes = []
    hidden = sum(entry.total - entry.shown for entry in audited if entry.total is not None)
    if hidden:
        notes.append(
            f"only the number of some violations is known ({hidden}): the status of a constraint keeps 20, and "
            "Gatekeeper's log drops lines with the same message; add its log or export, or use --rescan"
        )
    undated = sorted(f"{entry.constraint.kind} {entry.constraint.name}" for entry in audited if not entry.run)
    if undated:
        notes.append(
            f"it is not known when these were audited, because their status has no auditTimestamp: {', '.join(undated)}"
        )
    owned = {
        violation.object
        for entry in audited
        for violation in entry.violations
        if violation.object.kind in {"Pod", "ReplicaSet", "Job"} and not gathered.owners.has_seen(violation.object)
    }
    if owned:
        kinds = Counter(obj.kind for obj in owned)
        objects = ", ".join(f"{number} {kind}{'' if number == 1 else 's'}" for kind, number in sorted(kinds.items()))
        notes.append(
            f"the owner of {objects} is not known, so each is reported by itself; "
            "add the output of `kubectl get pods,replicasets,jobs,deployments,daemonsets,statefulsets -A -o json`"
        )
    return notes
