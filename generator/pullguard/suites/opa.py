"""Suites, evaluated by OPA servers as gator evaluates them."""

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import ConstraintTemplate, RegoSource
from pullguard.core.progress import Progress
from pullguard.core.resources import rego_directory
from pullguard.engine.process import opa
from pullguard.engine.protocol import Engine
from pullguard.suites import go_numbers
from pullguard.suites.assertions import MatchedMessage, expressions, judge
from pullguard.suites.jobs import CaseJob, Filter, Job, JobReader
from pullguard.suites.opa_server import OpaServer, RegoError
from pullguard.suites.report import CaseResult, Outcome, SuiteResult, TestResult, suite_result, worst
from pullguard.suites.suite_files import Case, Suite, Test
from pullguard.suites.template_server import TemplateFaultError, TemplateServer

_SEPARATOR = "//"
_MARSHALS = re.compile(r"\b(?:json|yaml)\.marshal")
_SEMANTICS = ("driver", "enforcement", "hook", "match", "plan", "review")


def verify(
    engine: Engine, suites: Sequence[Suite | PullguardError], run: str | None, *, progress: bool
) -> list[SuiteResult]:
    """Evaluate Suites.

    Args:
        engine: What reads YAML.
        suites: The Suites, or why one could not be read.
        run: gator's filter, or None for everything.
        progress: Show a bar.

    Raises:
        PullguardError: The filter is wrong, or OPA cannot be run.
    """
    with ExitStack() as stack:
        servers = _Servers(stack, opa())
        reader = JobReader(engine, servers, _filter(run or "", suites, servers))
        read = [_read(suite, reader, servers) for suite in suites]
        jobs = [item for items in read for item in items if isinstance(item, Job)]
        finished = _evaluate(jobs, servers, progress=progress)
    return [
        suite_result(suite, [finished[id(item)] if isinstance(item, Job) else item for item in items])
        for suite, items in zip(suites, read, strict=True)
    ]


class _Servers:
    """The OPA servers of a run.

    One has Gatekeeper's semantics. The others, one for each Rego version, are for templates: OPA compiles
    all modules again for each one that it is given, so there should be few beside the templates.
    """

    def __init__(self, stack: ExitStack, command: Sequence[str]) -> None:
        self._opa = command
        self._stack = stack
        self._rego = Path(rego_directory())
        self._templates: dict[str, TemplateServer] = {}
        self._answers: dict[tuple[str, str], bool | None] = {}
        semantics = [self._rego / "gatekeeper" / name / f"{name}.rego" for name in _SEMANTICS]
        server = OpaServer(command, version="v1", rego=[self._rego / "system/authz/authz.rego", *semantics])
        self._semantics = stack.enter_context(server)

    def for_templates(self, version: str) -> TemplateServer:
        """Return the server for templates of a Rego version; the first call starts it."""
        if version not in self._templates:
            server = TemplateServer(self._opa, version, self._rego)
            self._templates[version] = self._stack.enter_context(server)
        return self._templates[version]

    def plan(self, jobs: Sequence[Job]) -> None:
        """Ask what the cases evaluate, and note it in them."""
        tests = [
            {"constraint": job.constraint, "cases": [case.review for case in job.cases if case.result is None]}
            for job in jobs
        ]
        answers = self._ask("tests", {"tests": tests})
        for job, answer in zip(jobs, answers, strict=True):
            job.parameters = answer["parameters"]
            open_cases = [case for case in job.cases if case.result is None]
            for case, planned in zip(open_cases, answer["cases"], strict=True):
                case.planned = planned

    def match_all(self, patterns: Iterable[str], texts: Iterable[str]) -> None:
        """Ask which expressions match which texts, all at once."""
        document = {"patterns": sorted(set(patterns)), "texts": sorted(set(texts))}
        answers = self._ask("matching", document)
        for pattern, matches in zip(document["patterns"], answers, strict=True):
            for index, text in enumerate(document["texts"]):
                self._answers[pattern, text] = None if matches is None else matches[index]

    def _ask(self, rule: str, document: Any) -> Any:
        try:
            return self._semantics.query(f"gatekeeper.plan.{rule}", document)
        except RegoError as error:
            raise PullguardError(f"pullguard's own Rego has failed: {error}") from error

    def matches(self, expression: str, text: str) -> bool | None:
        """Tell whether an RE2 expression matches a text; None where it is not RE2."""
        if (expression, text) not in self._answers:
            self.match_all([expression], [text])
        return self._answers[expression, text]


def _filter(text: str, suites: Sequence[Suite | PullguardError], servers: _Servers) -> Filter:
    """Return gator's --run: an expression for tests or cases, or two of them as TEST//CASE."""
    if not text:
        return Filter(lambda _: True, lambda _, __: True)
    parts = text.split(_SEPARATOR)
    if len(parts) > 2:  # noqa: PLR2004 - test and case
        raise PullguardError(f"the filter {text} has more than one {_SEPARATOR}")
    tests = [test for suite in suites if isinstance(suite, Suite) for test in suite.tests]
    servers.match_all(
        parts, {"", *(test.name for test in tests), *(case.name for test in tests for case in test.cases)}
    )
    for part in parts:
        if servers.matches(part, "") is None:
            raise PullguardError(f"the filter {part} is not a regular expression of RE2")

    def selects(part: str, named: Test | Case) -> bool:
        return servers.matches(part, named.name) is True

    first = parts[0]
    if len(parts) == 1:
        return Filter(
            lambda test: selects(first, test) or any(selects(first, case) for case in test.cases),
            lambda test, case: selects(first, test) or selects(first, case),
        )
    return Filter(
        lambda test: selects(first, test),
        lambda test, case: selects(first, test) and selects(parts[1], case),
    )


def _read(suite: Suite | PullguardError, reader: JobReader, servers: _Servers) -> list[Job | TestResult]:
    if isinstance(suite, PullguardError) or suite.skip:
        return []
    read = [reader.read(suite, test) for test in suite.tests]
    for item in read:
        if isinstance(item, Job):
            # It starts while the other Suites are read.
            servers.for_templates(_source(item.template).version)
    return read


def _evaluate(jobs: Sequence[Job], servers: _Servers, *, progress: bool) -> dict[int, TestResult]:
    """Return the results by the identities of the jobs."""
    if not jobs:
        return {}
    servers.plan(jobs)
    groups: dict[int, list[Job]] = {}
    for job in jobs:
        groups.setdefault(id(job.template), []).append(job)
    # Templates with the same libs stand together, so that the libs are loaded once.
    ordered = sorted(
        groups.values(), key=lambda group: (_source(group[0].template).version, _source(group[0].template).libs)
    )
    finished: dict[int, TestResult] = {}
    with Progress(sum(len(job.cases) for job in jobs), "cases", show=progress) as bar:
        for group in ordered:
            for job, result in zip(group, _evaluate_template(group, servers), strict=True):
                finished[id(job)] = result
                bar.advance(len(job.cases))
    return finished


def _evaluate_template(jobs: Sequence[Job], servers: _Servers) -> list[TestResult]:
    template = jobs[0].template
    server = servers.for_templates(_source(template).version)
    start = time.perf_counter()
    try:
        server.load(template)
    except TemplateFaultError as error:
        outcome: Outcome = "skipped" if error.beyond_opa else "error"
        return [TestResult(job.test.name, outcome, f"{template.file}: {error}") for job in jobs]
    open_cases = [(job, case) for job in jobs for case in job.cases if case.result is None]
    answers = _violations(template, open_cases, server, servers)
    # All cases of the template were evaluated together.
    share = (time.perf_counter() - start) / max(len(open_cases), 1)
    for (_, case), answer in zip(open_cases, answers, strict=True):
        name = case.case.name
        case.result = (
            CaseResult(name, "error", answer, share) if isinstance(answer, str) else judge(case.case, answer, share)
        )
    return [_expect_refusal(job) if job.test.invalid else _test_result(job) for job in jobs]


def _expect_refusal(job: Job) -> TestResult:
    refused = job.refused
    if refused is not None and refused.by_schema:
        return TestResult(job.test.name, "passed")
    why = "Gatekeeper takes it" if refused is None else f"it is something else that is wrong: {refused.message}"
    return TestResult(job.test.name, "failed", f"the schema should refuse {job.test.constraint}, but {why}")


def _test_result(job: Job) -> TestResult:
    cases = tuple(case.result for case in job.cases if case.result is not None)
    seconds = sum(case.seconds for case in cases)
    return TestResult(job.test.name, worst(case.outcome for case in cases), "", seconds, cases)


_Open = Sequence[tuple[Job, CaseJob]]


def _violations(
    template: ConstraintTemplate, cases: _Open, server: TemplateServer, servers: _Servers
) -> list[list[MatchedMessage] | str]:
    """Return the violations of each case, or its error."""
    reviewed = [(job, case) for job, case in cases if "review" in case.planned]
    answers = _answers(template, reviewed, server)
    by_case = {id(case): answer for (_, case), answer in zip(reviewed, answers, strict=True)}
    found: list[list[MatchedMessage] | str] = []
    for _, case in cases:
        answer = by_case.get(id(case), case.planned.get("rejected", []))
        if isinstance(answer, str):
            # Gatekeeper's text of a failure is one violation.
            matches = {pattern: servers.matches(pattern, answer) for pattern in expressions(case.case)}
            found.append([MatchedMessage(answer, matches)])
        else:
            found.append(_read_answer(case.case, answer))
    return found


def _answers(template: ConstraintTemplate, cases: _Open, server: TemplateServer) -> list[list[dict[str, Any]] | str]:
    """Evaluate cases, all together if none of them fails; a case that fails has the text of its failure instead."""
    if not cases:
        return []
    try:
        return list(server.answers(template, _document(template, cases)))
    except RegoError as error:
        if len(cases) == 1:
            return [server.runtime_error(error)]
        half = len(cases) // 2
        return [*_answers(template, cases[:half], server), *_answers(template, cases[half:], server)]


def _document(template: ConstraintTemplate, cases: _Open) -> dict[str, Any]:
    """Return the input of data.gatekeeper.suite for cases; values that they share are in it once."""
    parameters = {id(job): job.parameters for job, _ in cases}
    inventories = {id(case.inventory): case.inventory for _, case in cases}
    place = {key: index for keys in (parameters, inventories) for index, key in enumerate(keys)}
    documents = [
        {
            "review": go_numbers.as_floats(case.planned["review"]),
            "parameters": place[id(job)],
            "inventory": place[id(case.inventory)],
            "patterns": expressions(case.case),
        }
        for job, case in cases
    ]
    source = _source(template)
    marshals = any(_MARSHALS.search(text) for text in (source.rego, *source.libs))
    written = go_numbers.as_marshalled if marshals else go_numbers.as_floats
    return {
        "parameters": list(map(go_numbers.as_parameters, parameters.values())),
        "inventories": list(map(written, inventories.values())),
        "cases": documents,
    }


def _read_answer(case: Case, answer: Sequence[Mapping[str, Any]]) -> list[MatchedMessage] | str:
    violations = []
    for entry in answer:
        message = entry["msg"]
        if not isinstance(message, str):
            return f"the msg of a violation is not a string, but {message!r}"
        violations.append(MatchedMessage(message, dict(zip(expressions(case), entry["matches"], strict=True))))
    return violations


def _source(template: ConstraintTemplate) -> RegoSource:
    if template.source is None:
        raise PullguardError("has no Rego", file=template.file)
    return template.source
