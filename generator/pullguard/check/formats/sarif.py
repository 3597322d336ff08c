"""Reports as SARIF 2.1.0, for code scanning."""

from collections.abc import Iterator
from typing import TextIO

from pullguard import __version__
from pullguard.core.findings import Exempted, Finding, Report, RuleInfo, Unjudged
from pullguard.core.formats import markdown, sarif
from pullguard.core.inputs.problems import InputError
from pullguard.judging import words


def write(report: Report, stream: TextIO) -> None:
    """Write a report: what does not count is in it too, suppressed."""
    baseline = report.baseline
    known = () if baseline is None else baseline.known
    state: sarif.State | None = None if baseline is None else "new"
    results = [_result(found, state=state) for found in report.findings]
    if baseline is not None:
        suppression = sarif.Suppression("external", f"known: it is in the baseline {baseline.file}")
        results += [_result(found, state="unchanged", suppression=suppression) for found in known]
    results += [_exempt(entry, state=state) for entry in report.exempt]
    notifications = [_error(problem) for problem in report.errors]
    notifications += [_unjudged(entry) for entry in report.unjudged]
    notifications += [
        sarif.Notification("note", note)
        for note in (*words.uncounted(report), *report.notes, *words.hints(report.findings))
    ]
    sarif.write(__version__, _rules(report), results, notifications, stream)


def _rules(report: Report) -> list[sarif.Rule]:
    """Return the rules of a report; for rules that the library does not describe, made from the findings."""
    described = {rule.id: _rule(rule) for rule in report.rules}
    known = () if report.baseline is None else report.baseline.known
    for found in (*report.findings, *known, *(entry.finding for entry in report.exempt)):
        if found.rule not in described:
            described[found.rule] = sarif.Rule(found.rule, found.severity, found.policy, found.policy)
    return list(described.values())


def _rule(rule: RuleInfo) -> sarif.Rule:
    paragraphs = [" ".join((rule.description or rule.title).split())]
    marked = [markdown.text(paragraphs[0])]
    if rule.deprecated is not None:
        paragraphs.append(f"This rule {rule.deprecated.sentence}.")
        marked.append(markdown.text(paragraphs[-1]))
    if rule.explain:
        paragraphs.append(f"{rule.explain} says more.")
        marked.append(f"{markdown.code(rule.explain)} says more.")
    tags = ("kubernetes", rule.policy)
    return sarif.Rule(
        id=rule.id,
        severity=rule.severity,
        title=rule.title,
        help="\n\n".join(paragraphs),
        help_markdown="\n\n".join(marked),
        tags=tags,
        deprecated_ids=rule.aliases,
        deprecated=None if rule.deprecated is None else rule.deprecated.value,
    )


def _exempt(entry: Exempted, *, state: sarif.State | None) -> sarif.Result:
    return _result(entry.finding, state=state, suppression=sarif.Suppression("inSource", words.exemption(entry)))


def _result(
    found: Finding, *, state: sarif.State | None = None, suppression: sarif.Suppression | None = None
) -> sarif.Result:
    return sarif.Result(
        rule=found.rule,
        message=f"{words.subject(found)}\n{words.message(found)}\n{words.constraints(found)}",
        place=sarif.Location(found.file, found.line, words.object_name(found), "resource"),
        fingerprint=found.fingerprint,
        state=state,
        suppression=suppression,
        properties={"policy": found.policy, "enforcementAction": found.action, "constraints": list(found.constraints)},
        related=list(_related(found)),
    )


def _related(found: Finding) -> Iterator[tuple[sarif.Location, str]]:
    """Yield the other places of a finding in a built object: the template, and other values that can set it."""
    if found.template is not None:
        yield sarif.Location(found.template.file, found.template.line), "the template that renders it"
    for value in found.values:
        if value.location is not None and (value.location.file, value.location.line) != (found.file, found.line):
            yield sarif.Location(value.location.file, value.location.line), f"the value {value.key}"


def _error(problem: InputError) -> sarif.Notification:
    return sarif.Notification("error", problem.message, sarif.Location(problem.file, problem.line))


def _unjudged(entry: Unjudged) -> sarif.Notification:
    where = entry.location
    place = None if where is None else sarif.Location(where.file, where.line)
    return sarif.Notification("note", entry.message, place, f"unjudged-{entry.reason}")
