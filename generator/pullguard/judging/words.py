"""What all reports for people say about a finding and about a run, in the same words; nothing is escaped."""

from collections import Counter
from collections.abc import Iterable, Iterator

from pullguard.core.findings import Compared, Exempted, Finding, KnownFinding, Report, RuleInfo
from pullguard.core.formats.text import counted
from pullguard.core.inputs.problems import InputError

#: Severities from the worst to the mildest.
SEVERITIES = ("critical", "high", "medium", "low")

_LISTS = {
    "containers": "container",
    "initContainers": "init container",
    "ephemeralContainers": "ephemeral container",
    "volumes": "image volume",
}


def subject(found: Finding) -> str:
    """Return the object and the container of a finding."""
    parts = [object_name(found)]
    if found.container is not None:
        own = found.container.name or f"number {found.container.index + 1}"
        parts.append(f"{_LISTS.get(found.container.list, 'container')} {own}")
    if found.builds and found.builds[0].hook:
        parts.append(f"Helm hook {found.builds[0].hook}")
    if found.namespace_assumed:
        parts.append("labels of the namespace unknown" if found.object.namespace else "namespace unknown")
    return ", ".join(parts)


def object_name(found: Finding) -> str:
    """Return kind, namespace and name of the object of a finding."""
    obj = found.object
    name = obj.name or "(no name)"
    return f"{obj.kind} {obj.namespace}/{name}" if obj.namespace else f"{obj.kind} {name}"


def place(where: Finding | InputError) -> str:
    """Return file and line."""
    return where.file if where.line is None else f"{where.file}:{where.line}"


def constraints(found: Finding) -> str:
    """Return the constraints of a finding with their enforcementAction."""
    return f"constraint{'s' if len(found.constraints) > 1 else ''} {', '.join(found.constraints)} ({found.action})"


def message(found: Finding) -> str:
    """Return the message of a finding, what decides it in what is built, and a remark about exemptions, a line each."""
    return "\n".join(filter(None, (found.message, *origin(found), found.remark)))


def origin(found: Finding) -> Iterator[str]:
    """Yield what decides a finding in what is built, and what it is built by, a line each."""
    keys = [value.key for value in found.values if value.is_tag] or [value.key for value in found.values]
    if keys:
        others = f"; {', '.join(keys[1:])} can set it too" if keys[1:] else ""
        option = "" if all(build.installer for build in found.builds) else f", or --set {keys[0]}=..."
        yield f"set {keys[0]}{option}{others}"
    if found.template is not None:
        yield f"rendered by {found.template.file}:{found.template.line}"
    if found.builds:
        paths = sorted({build.path for build in found.builds})
        yield f"in the {found.builds[0].kind}{'s' if len(paths) > 1 else ''} {', '.join(paths)}"


def exemption(entry: Exempted) -> str:
    """Return why a finding does not count."""
    return f"exempt{'' if entry.until is None else f' until {entry.until.isoformat()}'}: {entry.reason}"


def gone(entry: KnownFinding) -> str:
    """Return a finding that is gone, in words."""
    return ", ".join(filter(None, (f"{entry.file}: {entry.rule}", entry.object, entry.container)))


def summary(report: Report) -> str:
    """Return the numbers of a run, as a line."""
    severities = Counter(found.severity for found in report.findings)
    counts = ", ".join(f"{severities[name]} {name}" for name in SEVERITIES if severities[name])
    return (
        f"{counted(len(report.findings), 'finding')}{f' ({counts})' if counts else ''} and "
        f"{counted(len(report.errors), 'error')} in {counted(report.objects, 'object')} "
        f"of {counted(report.files, 'file')}"
    )


def uncounted(report: Report) -> Iterator[str]:
    """Yield findings that do not count, a line each."""
    if report.exempt:
        yield f"{counted(len(report.exempt), 'finding')} exempt"
    if report.baseline is not None:
        yield _baseline(report.baseline)


def unjudged(report: Report) -> Iterator[str]:
    """Yield what was not judged, a line each."""
    yield from (entry.message for entry in report.unjudged)


def explained(report: Report) -> list[RuleInfo]:
    """Return a rule of each policy that has findings and a page, sorted by policy."""
    found = {finding.policy for finding in report.findings}
    policies = {rule.policy: rule for rule in report.rules if rule.policy in found and rule.explain}
    return [rule for _, rule in sorted(policies.items())]


def hints(findings: Iterable[Finding]) -> Iterator[str]:
    """Yield what users can do about findings that exist only because something is not known."""
    assumed = [found for found in findings if found.namespace_assumed]
    unknown = sum(not found.object.namespace for found in assumed)
    if unknown:
        yield (
            f"{counted(unknown, 'finding')} in objects that state no namespace: they count as protected; "
            "give the namespace that they go to with --namespace"
        )
    names = sorted({found.object.namespace for found in assumed if found.object.namespace})
    if names:
        yield (
            f"the labels of {', '.join(names)} are not known, so the objects there count as protected; "
            "check the Namespace manifests along with them"
        )


def _baseline(compared: Compared) -> str:
    known, number = counted(len(compared.known), "known finding"), len(compared.gone)
    if compared.written:
        return f"{known} in the baseline {compared.file}, which was written{f'; {number} gone' if number else ''}"
    more = f"; {number} of it gone: write it again with --write-baseline" if number else ""
    return f"{known} of the baseline {compared.file}{more}"
