"""gator's text, read back; the real program is run in tests/oracles/test_suites.py."""

from pathlib import Path

import pytest

from pullguard.core.errors import PullguardError
from pullguard.suites import gator
from pullguard.suites.report import CaseResult, SuiteResult, TestResult
from pullguard.suites.suite_files import Case, Suite, Test


def _test(name: str, *cases: str) -> Test:
    made = tuple(Case(case, "o.yaml", (), (), skip=False) for case in cases)
    return Test(name, "t.yaml", "c.yaml", "", invalid=False, skip=False, cases=made)


_TESTS = (
    _test("one", "good", "", "odd", "later"),
    _test("two"),
    _test("three", "x"),
    _test("four"),
    _test("five"),
    _test("", "x"),
)

_TEXT = """\
=== RUN   one
    === RUN   good
        === PRINT ===
        --- PASS: bad\t(0.001s)
    --- PASS: good\t(0.010s)
    === RUN\x20\x20\x20
        === PRINT ===
    --- FAIL:\x20
        x
    --- FAIL: \t(0.020s)
        unexpected number of violations: got 1 violations but want none: got messages [a
b]
    === RUN   odd
    --- FAIL: odd\t(0.003s)
        invalid Case: assertions must be non-empty
    === SKIP  later
--- FAIL: one\t(0.040s)
=== SKIP  two
=== RUN   three
--- FAIL: three\t(0.005s)
  adding template: invalid ConstraintTemplate: 2 errors occurred:
template:1: x
=== RUN   four
--- FAIL: four\t(0.005s)
  adding template: no language driver is installed that handles this constraint template
=== RUN   five
--- FAIL: five\t(0.006s)
  constraint should have failed schema validation: got error %!w(<nil>) but want schema validation failed
=== RUN\x20\x20\x20
    === RUN   x
    --- PASS: x\t(0.001s)
--- PASS: \t(0.002s)
FAIL\t/a/suite.yaml\t0.060s
FAIL

"""


def _verify(folder: Path, text: str, *tests: Test, code: int = 1, run: str | None = None) -> SuiteResult:
    program = folder / "gator"
    (folder / "text").write_text(text)
    program.write_text(f'#!/bin/sh\necho "$@" > {folder}/arguments\ncat {folder}/text\nexit {code}\n')
    program.chmod(0o755)
    suite = Suite("a/suite.yaml", "/srv/a", "/srv", skip=False, tests=tests)
    (result,) = gator.verify([suite], program, run)
    return result


def test_text_is_read_back(tmp_path: Path) -> None:
    assert _verify(tmp_path, _TEXT, *_TESTS).tests == (
        TestResult(
            "one",
            "error",
            "",
            0.04,
            (
                CaseResult("good", "passed", "", 0.01),
                CaseResult(
                    "",
                    "failed",
                    "unexpected number of violations: got 1 violations but want none: got messages [a\nb]",
                    0.02,
                ),
                CaseResult("odd", "error", "invalid Case: assertions must be non-empty", 0.003),
                CaseResult("later", "skipped", "gator skips it"),
            ),
        ),
        TestResult("two", "skipped", "gator skips it"),
        TestResult(
            "three",
            "error",
            "adding template: invalid ConstraintTemplate: 2 errors occurred:\ntemplate:1: x",
            0.005,
        ),
        TestResult(
            "four",
            "skipped",
            "adding template: no language driver is installed that handles this constraint template",
            0.005,
        ),
        TestResult(
            "five",
            "failed",
            "constraint should have failed schema validation: got error %!w(<nil>) but want schema validation failed",
            0.006,
        ),
        TestResult("", "passed", "", 0.002, (CaseResult("x", "passed", "", 0.001),)),
    )


def test_arguments(tmp_path: Path) -> None:
    _verify(tmp_path, "ok\n\nPASS\n", code=0, run="a b//$(c)")
    said = (tmp_path / "arguments").read_text()
    assert said == "verify --enable-k8s-native-validation=false --verbose --run=a b//$(c) /srv/a/suite.yaml\n"


@pytest.mark.parametrize(
    ("text", "code", "message"),
    [
        ("PASS\n", 1, "a/suite.yaml: gator ended with code 1: PASS"),
        ("FAIL\n", 0, "a/suite.yaml: gator ended with code 0: FAIL"),
        ("", 0, "a/suite.yaml: gator ended with code 0: "),
        ("PASS\n", 2, "a/suite.yaml: gator ended with code 2: PASS"),
        ("FAIL\n", 1, "a/suite.yaml: gator says 'FAIL\\n' instead of '=== RUN   t\\n'"),
        ("=== RUN   t\nFAIL\n", 1, "a/suite.yaml: gator says 'FAIL\\n' instead of '    === RUN   c\\n'"),
        (
            "=== RUN   t\n    === RUN   c\n    --- PASS: d\t(0.001s)\nFAIL\n",
            1,
            "a/suite.yaml: gator says '    --- PASS: d\\t(0.001s)\\nFAIL\\n' instead of '    --- FAIL: c'",
        ),
    ],
)
def test_text_that_is_no_report(tmp_path: Path, text: str, code: int, message: str) -> None:
    with pytest.raises(PullguardError) as error:
        _verify(tmp_path, text, _test("t", "c"), code=code)
    assert str(error.value) == message


def test_gator_that_cannot_be_run() -> None:
    suite = Suite("a/suite.yaml", "/srv/a", "/srv", skip=False, tests=())
    with pytest.raises(PullguardError, match=r"^/nowhere/gator cannot be run: "):
        gator.verify([suite], Path("/nowhere/gator"), None)


def test_suites_that_are_not_run() -> None:
    broken = PullguardError("is wrong", file="b.yaml")
    assert gator.verify([broken], Path("/nowhere/gator"), None) == [SuiteResult("b.yaml", "error", "is wrong")]
