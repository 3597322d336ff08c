"""What was found so far in an input, by position."""

from collections.abc import Mapping

from pullguard.core.findings import Finding, Problem, Source, Violation, finding, merged
from pullguard.core.gatekeeper import ConstraintTemplate, Summary, dig
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Answer, Failure
from pullguard.judging.pull_policy_drift import is_suspicious

#: The position of an object in the input: its file, its document and its places in Lists. Positions sort as the input.
InputPosition = tuple[int, ...]


class FindingCollector:
    """Findings and errors as they come, which is in no order.

    Args:
        policies: What is to be known of the policies, by the names that answers have for them.

    Attributes:
        suspects: What another tool may have done to pods that have a controller.
    """

    def __init__(self, policies: Mapping[str, Summary | ConstraintTemplate]) -> None:
        self.suspects: list[Finding] = []
        self._policies = policies
        self._findings: dict[InputPosition, list[Finding]] = {}
        self._errors: list[tuple[InputPosition, Problem]] = []

    @property
    def findings(self) -> list[Finding]:
        """All findings in the order of the input."""
        return [found for position in sorted(self._findings) for found in self._findings[position]]

    @property
    def errors(self) -> list[Problem]:
        """All errors in the order of the input."""
        return [problem for _, problem in sorted(self._errors, key=lambda entry: entry[0])]

    def fail(self, file: int, error: InputError) -> None:
        """Note what is wrong with a file of the input, by its place."""
        position = (file, -1 if error.document is None else error.document)
        self._errors.append((position, Problem(error.file, error.line, error.document, error.message)))

    def take(self, file: int, item: tuple[int, ...], obj: Source, answer: Answer | Failure) -> None:
        """Note what is said of an object."""
        position = (file, obj.document, *item)
        if isinstance(answer, Failure):
            kind, name = obj.object.get("kind"), dig(obj.object, "metadata", "name")
            message = f"{kind} {name} could not be judged: {answer.message}"
            self._errors.append((position, Problem(obj.file, obj.line(), obj.document, message)))
            return
        violations = (
            Violation(
                self._policies[response.policy],
                response.constraint,
                response.action,
                response.message,
                response.details,
                response.namespace_assumed,
            )
            for response in answer.responses
        )
        found = merged(finding(violation, obj, answer.namespace) for violation in violations)
        if not found:
            return
        self._findings[position] = found
        if dig(obj.object, "metadata", "ownerReferences"):
            self.suspects += (each for each in found if is_suspicious(each))
