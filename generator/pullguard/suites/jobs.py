"""From the files of a Suite to the cases to evaluate, with everything that Gatekeeper checks before it evaluates."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import ConstraintTemplate, is_constraint, is_template, template_from
from pullguard.engine.documents import Document
from pullguard.engine.protocol import Engine
from pullguard.library.gatekeeper_validation import template_check
from pullguard.library.gatekeeper_validation.constraint_check import ConstraintChecker, Refusal, patterns
from pullguard.library.gatekeeper_validation.constraint_schema import parameters_schema, with_defaults
from pullguard.suites import suite_files
from pullguard.suites.objects import inventory, namespaces, to_review
from pullguard.suites.report import CaseResult, Outcome, TestResult
from pullguard.suites.suite_files import Case, Suite, Test


class Expressions(Protocol):
    """Regular expressions of RE2."""

    def matches(self, expression: str, text: str) -> bool | None:
        """Tell whether an expression matches somewhere in a text; None where it is not RE2."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tests and cases are selected."""

    test: Callable[[Test], bool]
    case: Callable[[Test, Case], bool]


@dataclass(slots=True)
class CaseJob:
    """A case on its way to its result.

    Attributes:
        case: The case.
        review: What data.gatekeeper.plan gets; nothing if the result is known.
        inventory: Its data.inventory.
        result: Its result, if it is known.
        planned: What data.gatekeeper.plan says of it, once it has been asked.
    """

    case: Case
    review: dict[str, Any] = field(default_factory=dict)
    inventory: dict[str, Any] = field(default_factory=dict)
    result: CaseResult | None = None
    planned: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Job:
    """A test whose template and constraint have been read.

    Attributes:
        test: The test.
        template: Its template; the same value for all tests that name the same file.
        constraint: The constraint, its defaults filled in.
        refused: Why Gatekeeper refuses the constraint; only if the test expects that.
        cases: The cases; none if the test expects that the constraint is refused.
        parameters: What data.gatekeeper.plan says of input.parameters, once it has been asked.
    """

    test: Test
    template: ConstraintTemplate
    constraint: dict[str, Any]
    refused: Refusal | None
    cases: list[CaseJob]
    parameters: Any = None


class JobReader:
    """Reads the files of Suites, each once.

    Args:
        engine: What reads YAML.
        expressions: Evaluates expressions of RE2.
        selected: Which tests and cases are wanted.
    """

    def __init__(self, engine: Engine, expressions: Expressions, selected: Filter) -> None:
        self._engine = engine
        self._expressions = expressions
        self._selected = selected
        self._templates: dict[str, tuple[ConstraintTemplate, ConstraintChecker] | _NotRunError] = {}
        self._objects: dict[str, list[Document]] = {}
        self._inventories: dict[tuple[str, ...], dict[str, Any]] = {}

    def read(self, suite: Suite, test: Test) -> Job | TestResult:
        """Return the job for a test, or its result if there is nothing to evaluate."""
        if test.skip or not self._selected.test(test):
            return TestResult(test.name, "skipped", _why_skipped(test.skip))
        try:
            template, checker = self._template(suite, test)
            constraint, refused = self._constraint(suite, test, template, checker)
        except _NotRunError as error:
            return TestResult(test.name, error.outcome, str(error))
        cases = [] if test.invalid else [self._case_job(suite, test, case) for case in test.cases]
        return Job(test, template, constraint, refused, cases)

    def _template(self, suite: Suite, test: Test) -> tuple[ConstraintTemplate, ConstraintChecker]:
        if not test.template:
            raise _NotRunError("it names no template")
        path = suite_files.resolve(suite, test.template)
        if path not in self._templates:
            self._templates[path] = self._read_template(suite, test.template)
        found = self._templates[path]
        if isinstance(found, _NotRunError):
            raise found
        return found

    def _read_template(self, suite: Suite, shown: str) -> "tuple[ConstraintTemplate, ConstraintChecker] | _NotRunError":
        try:
            obj = suite_files.read_one(self._engine, suite, shown).value
            if not is_template(obj):
                return _NotRunError("is not a ConstraintTemplate", file=shown)
            template = template_from(obj, shown)
        except PullguardError as error:
            return _NotRunError(str(error))
        if template.source is None:
            engines = ", ".join(template.engines) or "nothing"
            return _NotRunError(f"has no Rego, only {engines}: OPA cannot run that", "skipped", file=shown)
        schema = parameters_schema(template)
        for expression in sorted(patterns(schema)):
            if self._expressions.matches(expression, "") is None:
                return _NotRunError(f"the pattern {expression} of its schema is not valid in RE2", file=shown)
        fault = template_check.template_fault(template, schema, self._matches)
        if fault is not None:
            return _NotRunError(fault, file=shown)
        return template, ConstraintChecker(template, self._matches)

    def _constraint(
        self, suite: Suite, test: Test, template: ConstraintTemplate, checker: ConstraintChecker
    ) -> tuple[dict[str, Any], Refusal | None]:
        if not test.constraint:
            raise _NotRunError("it names no constraint")
        try:
            obj = suite_files.read_one(self._engine, suite, test.constraint).value
        except PullguardError as error:
            raise _NotRunError(str(error)) from error
        if not is_constraint(obj):
            raise _NotRunError("is not a constraint", file=test.constraint)
        refused = checker.refusal(obj)
        if refused is not None and not test.invalid:
            raise _NotRunError(f"Gatekeeper refuses it: {refused.message}", file=test.constraint)
        return with_defaults(obj, template), refused

    def _case_job(self, suite: Suite, test: Test, case: Case) -> CaseJob:
        if case.skip or not self._selected.case(test, case):
            return CaseJob(case, result=CaseResult(case.name, "skipped", _why_skipped(case.skip)))
        try:
            return self._read_case(suite, test, case)
        except _NotRunError as error:
            return CaseJob(case, result=CaseResult(case.name, error.outcome, str(error)))
        except PullguardError as error:
            return CaseJob(case, result=CaseResult(case.name, "error", str(error)))

    def _read_case(self, suite: Suite, test: Test, case: Case) -> CaseJob:
        if test.expansion:
            raise _NotRunError("the test expands objects: only gator does that", "skipped")
        if not case.object:
            raise _NotRunError("it names no object")
        if not case.assertions:
            raise _NotRunError("it has no assertions")
        documents = self._documents(suite, case.object)
        if len(documents) != 1:
            message = f"holds {len(documents)} objects, but a case reviews exactly one"
            raise _NotRunError(message, file=case.object)
        tree = self._inventory(suite, case)
        return CaseJob(case, {**to_review(documents[0]), "namespaces": namespaces(tree)}, tree)

    def _inventory(self, suite: Suite, case: Case) -> dict[str, Any]:
        """Return the inventory of a case, the same value for cases that name the same files."""
        paths = tuple(suite_files.resolve(suite, path) for path in case.inventory)
        if paths not in self._inventories:
            documents = [document for path in case.inventory for document in self._documents(suite, path)]
            self._inventories[paths] = inventory(documents)
        return self._inventories[paths]

    def _documents(self, suite: Suite, path: str) -> Sequence[Document]:
        absolute = suite_files.resolve(suite, path)
        if absolute not in self._objects:
            self._objects[absolute] = suite_files.read_all(self._engine, suite, path)
        return self._objects[absolute]

    def _matches(self, expression: str, text: str) -> bool:
        return self._expressions.matches(expression, text) is True


class _NotRunError(Exception):
    """A test or a case gets no verdict.

    Args:
        message: Why.
        outcome: "error", or "skipped" if pullguard cannot do it.
        file: The file that it is about, as the Suite names it.
    """

    def __init__(self, message: str, outcome: Outcome = "error", *, file: str | None = None) -> None:
        super().__init__(message if file is None else f"{file}: {message}")
        self.outcome = outcome


def _why_skipped(stated: bool) -> str:
    return "the Suite says skip" if stated else "it is not selected"
