"""Suites, evaluated by gator: the same report as from OPA, read from gator's output."""

import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError
from pullguard.suites.report import CaseResult, Outcome, SuiteResult, TestResult, suite_result, worst
from pullguard.suites.suite_files import Suite, Test, require_inside

_SECONDS = 600
_DURATION = r"\((?P<seconds>\d+\.\d+)s\)"
_UNMET = re.compile(
    r"unexpected number of violations"
    r"|constraint should have failed schema validation: got error (?:%!w\(<nil>\)|(?:invalid Constraint|missing "
    r"ConstraintTemplate|missing required field|scopedEnforcementActions value)\b)"
)
_NO_REGO = "no language driver is installed"


def verify(suites: Sequence[Suite | PullguardError], gator: Path, run: str | None) -> list[SuiteResult]:
    """Have gator evaluate Suites; of templates with Rego and CEL, the Rego.

    Raises:
        PullguardError: gator cannot be run, does not take the filter, or says something unexpected.
    """
    results = []
    for each in suites:
        suite = _checked(each)
        results.append(suite_result(suite, () if isinstance(suite, PullguardError) else _verify(suite, gator, run)))
    return results


def _checked(suite: Suite | PullguardError) -> Suite | PullguardError:
    """Return a Suite if all files that it names may be read, since gator reads any file."""
    if isinstance(suite, PullguardError):
        return suite
    try:
        require_inside(suite)
    except PullguardError as error:
        return PullguardError(str(error), file=suite.path)
    return suite


def _verify(suite: Suite, gator: Path, run: str | None) -> list[TestResult]:
    command = [str(gator), "verify", "--enable-k8s-native-validation=false", "--verbose"]
    if run:
        command.append(f"--run={run}")
    # gator looks for the path as it is given in the path that it finds, so that only an absolute one is safe.
    file = os.path.join(suite.folder, os.path.basename(suite.path))  # noqa: PTH118, PTH119 - without following links
    try:
        done = subprocess.run(
            [*command, file], env=bare_environment(), capture_output=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PullguardError(f"{gator} cannot be run: {error}") from error
    said, wrong = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    last = [line for line in said.splitlines() if line]
    if done.returncode not in {0, 1} or not last or last[-1] != ("FAIL" if done.returncode else "PASS"):
        raise PullguardError(
            f"gator ended with code {done.returncode}: {wrong.strip() or said.strip()}", file=suite.path
        )
    return [] if suite.skip else list(_Output(said, suite).tests())


class _Output:
    """gator's text for one Suite, which follows the order of the Suite."""

    def __init__(self, text: str, suite: Suite) -> None:
        self._text = text
        self._place = 0
        self._suite = suite

    def tests(self) -> Iterator[TestResult]:
        for test in self._suite.tests:
            yield self._test(test)

    def _test(self, test: Test) -> TestResult:
        if self._take(f"=== SKIP  {test.name}\n"):
            return TestResult(test.name, "skipped", "gator skips it")
        self._expect(f"=== RUN   {test.name}\n")
        cases = [] if self._at_end_of(test) else [self._case(case.name) for case in test.cases]
        if seconds := self._finish("--- PASS: ", test.name):
            outcome = worst(case.outcome for case in cases)
            return TestResult(test.name, outcome, "", float(seconds), tuple(cases))
        seconds = self._finish("--- FAIL: ", test.name)
        message = self._message("  ")
        outcome = worst(case.outcome for case in cases) if cases else _outcome(message)
        return TestResult(test.name, outcome, message, float(seconds), tuple(cases))

    def _at_end_of(self, test: Test) -> bool:
        return self._text.startswith((f"--- PASS: {test.name}\t", f"--- FAIL: {test.name}\t"), self._place)

    def _case(self, name: str) -> CaseResult:
        if self._take(f"    === SKIP  {name}\n"):
            return CaseResult(name, "skipped", "gator skips it")
        self._expect(f"    === RUN   {name}\n")
        self._skip_prints(name)
        if seconds := self._finish("    --- PASS: ", name):
            return CaseResult(name, "passed", "", float(seconds))
        seconds = self._finish("    --- FAIL: ", name)
        message = self._message("        ")
        return CaseResult(name, _outcome(message), message, float(seconds))

    def _skip_prints(self, name: str) -> None:
        if self._take("        === PRINT ===\n"):
            end = re.compile(rf"^    --- (?:PASS|FAIL): {re.escape(name)}\t", re.MULTILINE).search(
                self._text, self._place
            )
            self._place = len(self._text) if end is None else end.start()

    def _message(self, indent: str) -> str:
        """Return the text of an error, which may go over several lines."""
        self._take(indent)
        end = re.compile(r"^(?:    )?(?:=== |--- )|^(?:ok|FAIL)\t|\Z", re.MULTILINE).search(self._text, self._place)
        start, self._place = self._place, len(self._text) if end is None else end.start()
        return self._text[start : self._place].strip()

    def _finish(self, start: str, name: str) -> str:
        found = re.compile(rf"{re.escape(start + name)}\t{_DURATION}\n").match(self._text, self._place)
        if found is None:
            if "FAIL" in start:
                raise self._surprise(start + name)
            return ""
        self._place = found.end()
        return found["seconds"]

    def _take(self, text: str) -> bool:
        taken = self._text.startswith(text, self._place)
        self._place += len(text) * taken
        return taken

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._surprise(text)

    def _surprise(self, expected: str) -> PullguardError:
        found = self._text[self._place : self._place + 80]
        return PullguardError(f"gator says {found!r} instead of {expected!r}", file=self._suite.path)


def _outcome(message: str) -> Outcome:
    if _NO_REGO in message:
        return "skipped"
    return "failed" if _UNMET.match(message) else "error"
