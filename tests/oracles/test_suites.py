"""Suites: what OPA says of them is what gator says, case by case, good and bad ones."""

import json
import random
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import suite_tree
from pullguard.core.errors import PullguardError
from pullguard.suites import command
from pullguard.suites.report import CaseResult, Outcome, SuiteReport, SuiteResult, TestResult

_PARTS = ("assertions", "constraints", "expansion", "formats", "match", "objects", "schemas", "skipped", "templates")

#: What OPA alone cannot do, and what gator says of it: never passed, and with a reason.
_BEYOND_OPA: Mapping[str, tuple[str, Outcome]] = {
    "expanded": ("", "passed"),
    "expanded/deployment": ("the test expands objects: only gator does that", "passed"),
    "external-data": (
        "external-data.yaml: template:3: rego_type_error: undefined function external_data",
        "error",
    ),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("suites")
    suite_tree.write(root)
    return root


@pytest.fixture(scope="module")
def by_opa(tree: Path) -> SuiteReport:
    return command.run([str(tree)])


@pytest.fixture(scope="module")
def by_gator(tree: Path, gator: Path) -> SuiteReport:
    assert gator.exists()
    return command.run([str(tree)], engine="gator")


def _results(suite: SuiteResult) -> Iterator[tuple[str, SuiteResult | TestResult | CaseResult]]:
    yield "", suite
    for place, test in enumerate(suite.tests):
        name = test.name or f"#{place}"
        yield name, test
        yield from ((f"{name}/{case.name}", case) for case in test.cases)


def _of(report: SuiteReport, part: str) -> dict[str, SuiteResult | TestResult | CaseResult]:
    (suite,) = (suite for suite in report.suites if suite.path.endswith(f"/{part}/suite.yaml"))
    results = dict(_results(suite))
    assert len(results) == 1 + len(suite.tests) + sum(len(test.cases) for test in suite.tests)
    return results


@pytest.mark.parametrize("part", _PARTS)
def test_every_outcome_is_gators(by_opa: SuiteReport, by_gator: SuiteReport, part: str) -> None:
    opa, gator = _of(by_opa, part), _of(by_gator, part)
    assert opa.keys() == gator.keys()
    differences = {
        name: (opa[name].outcome, opa[name].message, gator[name].outcome)
        for name in opa
        if opa[name].outcome != gator[name].outcome
    }
    expected = {name: ("skipped", message, outcome) for name, (message, outcome) in _BEYOND_OPA.items() if name in opa}
    assert differences == expected


def test_every_suite_is_compared(by_opa: SuiteReport, tree: Path) -> None:
    assert [suite.path for suite in by_opa.suites] == [f"{tree}/{part}/suite.yaml" for part in _PARTS]


def _messages_of_opa(result: CaseResult) -> str:
    found = re.search(r"; the messages are: (.*)\Z", result.message, re.DOTALL)
    return "" if found is None else found[1].replace(" | ", " ")


def _messages_of_gator(result: CaseResult) -> str:
    found = re.search(r": got messages \[(.*)\]\Z", result.message, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("part", ["constraints", "match", "objects", "schemas", "templates"])
def test_what_the_policies_were_given_is_gators(by_opa: SuiteReport, by_gator: SuiteReport, part: str) -> None:
    """The messages of failed cases are input.review, input.parameters and data.inventory, whole."""
    opa, gator = _of(by_opa, part), _of(by_gator, part)
    failed = {
        name: (_messages_of_opa(result), _messages_of_gator(other))
        for name, result in opa.items()
        if isinstance(result, CaseResult)
        and result.outcome == "failed"
        and isinstance(other := gator[name], CaseResult)
    }
    assert len(failed) > 2
    # OPA 1.17, which gator has, evaluates the two rules in the other order and so names the other line.
    failed.pop("conflict-of-rules/none", None)
    assert {name: pair for name, pair in failed.items() if pair[0] != pair[1]} == {}


def test_review_of_a_plain_object_is_complete(by_opa: SuiteReport) -> None:
    result = _of(by_opa, "objects")["objects/named"]
    assert isinstance(result, CaseResult)
    assert json.loads(_messages_of_opa(result)) == {
        "review": {
            "uid": "",
            "kind": {"group": "", "version": "v1", "kind": "X"},
            "resource": {"group": "", "version": "", "resource": ""},
            "operation": "",
            "userInfo": {},
            "name": "n",
            "namespace": "s",
            "object": {
                "apiVersion": "v1",
                "kind": "X",
                "metadata": {"name": "n", "namespace": "s", "generateName": "g"},
            },
            "oldObject": None,
            "options": None,
            "namespaceObject": {},
        },
        "inventory": {},
    }


# ---- random matches: one Suite of many, evaluated once by each


def _maybe(chance: random.Random, share: float, **values: Any) -> dict[str, Any]:
    return {name: make() for name, make in values.items() if chance.random() < share}


def _selector(chance: random.Random) -> dict[str, Any]:
    def expression() -> dict[str, Any]:
        operator = chance.choice(["In", "NotIn", "Exists", "DoesNotExist"])
        made: dict[str, Any] = {"key": chance.choice(["a", "b", "team"]), "operator": operator}
        if operator in {"In", "NotIn"}:
            made["values"] = chance.sample(["x", "y", ""], chance.randint(1, 3))
        return made

    return _maybe(
        chance,
        0.6,
        matchLabels=lambda: {
            key: chance.choice(["x", "y", ""]) for key in chance.sample(["a", "b"], chance.randint(0, 2))
        },
        matchExpressions=lambda: [expression() for _ in range(chance.randint(0, 2))],
    )


def _match(chance: random.Random) -> dict[str, Any]:
    globs = ["web", "we*", "*eb", "*e*", "*", "kube-system", "kube-*", "*-system", "", "**", "a", "*b"]

    def some(values: list[str], most: int = 2) -> list[str]:
        return chance.sample(values, chance.randint(0, most))

    def kinds() -> dict[str, Any]:
        return _maybe(
            chance,
            0.8,
            apiGroups=lambda: some(["", "apps", "*"]),
            kinds=lambda: some(["Pod", "Namespace", "Deployment", "*"]),
        )

    return _maybe(
        chance,
        0.35,
        kinds=lambda: [kinds() for _ in range(chance.randint(0, 2))],
        namespaces=lambda: some(globs, 3),
        excludedNamespaces=lambda: some(globs, 3),
        scope=lambda: chance.choice(["*", "Cluster", "Namespaced", "other", ""]),
        labelSelector=lambda: _selector(chance),
        namespaceSelector=lambda: _selector(chance),
        name=lambda: chance.choice(["web", "we*", "*eb", "*e*", "*", "", "shop-1", "shop*", "*-1"]),
        source=lambda: chance.choice(["All", "Original", "Generated"]),
    )


def _object(chance: random.Random) -> dict[str, Any]:
    def label() -> Any:
        return chance.choice(["x", "y", "", None]) if chance.random() < 0.95 else 1

    metadata = _maybe(
        chance,
        0.7,
        name=lambda: chance.choice(["web", "shop-1", "kube-system", ""]),
        generateName=lambda: chance.choice(["shop-", "we"]),
        namespace=lambda: chance.choice(["web", "kube-system", "", None, 5]),
        labels=lambda: {key: label() for key in chance.sample(["a", "b", "team"], chance.randint(0, 3))},
    )
    return {
        "apiVersion": chance.choice(["v1", "apps/v1", "", "/v1", "/"]),
        "kind": chance.choice(["Pod", "Namespace", "Deployment"]),
        **_maybe(chance, 0.95, metadata=lambda: metadata),
    }


def _reviewed(chance: random.Random) -> dict[str, Any]:
    if chance.random() < 0.7:
        return _object(chance)
    operation = chance.choice(["CREATE", "UPDATE", "DELETE", ""])
    request = _maybe(
        chance,
        0.7,
        object=lambda: _object(chance),
        oldObject=lambda: _object(chance),
        namespace=lambda: chance.choice(["web", "kube-system", ""]),
    )
    if operation == "DELETE" or "object" not in request:
        request["oldObject"] = _object(chance)
    return suite_tree.review(operation, **request)


def _inventory(chance: random.Random) -> list[dict[str, Any]]:
    return [
        suite_tree.resource(
            "Namespace",
            name,
            version=chance.choice(["v1", "v1", "/v1", "v2", "x/v1"]),
            metadata={"labels": {key: chance.choice(["x", "y", ""]) for key in chance.sample(["a", "b", "team"], 2)}},
        )
        for name in chance.sample(["web", "kube-system"], chance.randint(0, 2))
    ]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_random_matches_are_gators(tmp_path: Path, gator: Path, seed: int) -> None:
    assert gator.exists()
    chance = random.Random(seed)  # noqa: S311 - test data
    suite_tree.save(
        tmp_path / "template.yaml",
        suite_tree.template("Always", 'package always\n\nviolation contains {"msg": "denied"}'),
    )
    tests = []
    for number in range(40):
        suite_tree.save(tmp_path / f"{number}.yaml", suite_tree.constraint("Always", match=_match(chance)))
        cases = []
        for place in range(12):
            name = f"{number}-{place}"
            suite_tree.save(tmp_path / f"{name}.yaml", _reviewed(chance))
            inventory = _inventory(chance)
            paths = [f"{name}-inventory.yaml"] if inventory else []
            for path in paths:
                suite_tree.save(tmp_path / path, *inventory)
            cases.append(suite_tree.case(name, f"{name}.yaml", 1, "^denied$", inventory=paths))
        tests.append(suite_tree.test(str(number), "template.yaml", f"{number}.yaml", *cases))
    suite_tree.suite(tmp_path, *tests)
    (by_opa,) = command.run([str(tmp_path)]).suites
    (by_gator,) = command.run([str(tmp_path)], engine="gator").suites
    ours = {name: (result.outcome, _texts(result)) for name, result in _results(by_opa)}
    theirs = {name: (result.outcome, _texts(result)) for name, result in _results(by_gator)}
    assert {outcome for outcome, _ in ours.values()} == {"passed", "failed"}
    assert ours == theirs


def _texts(result: SuiteResult | TestResult | CaseResult) -> str:
    if not isinstance(result, CaseResult) or result.outcome != "failed":
        return ""
    return _messages_of_gator(result) if "got messages" in result.message else _messages_of_opa(result)


# ---- the command's own ways


def _run(path: Path, **options: Any) -> SuiteReport:
    return command.run([str(path)], **options)


def _without_times(report: SuiteReport) -> list[tuple[str, str, str]]:
    return [(name, result.outcome, result.message) for suite in report.suites for name, result in _results(suite)]


@pytest.mark.parametrize(
    ("expression", "selected"),
    [
        ("^label", {"label", "label-empty", "label-exists", "label-in", "label-not-in"}),
        ("(?i)^LABEL-E//^pod$", {"label-empty", "label-exists"}),
        ("//^node$", set(suite_tree._MATCHES)),  # noqa: SLF001 - the names of the tests
        ("^the text", set()),
    ],
)
def test_filter_selects_as_gators(tree: Path, gator: Path, expression: str, selected: set[str]) -> None:
    assert gator.exists()
    folder = tree / "match"
    by_opa, by_gator = _run(folder, run=expression), command.run([str(folder)], engine="gator", run=expression)
    run = {test.name for test in by_opa.suites[0].tests for found in test.cases if found.outcome != "skipped"}
    assert run == selected
    assert [pair[:2] for pair in _without_times(by_opa)] == [pair[:2] for pair in _without_times(by_gator)]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("(", "the filter ( is not a regular expression of RE2"),
        ("a//(?=b)", "the filter (?=b) is not a regular expression of RE2"),
        ("a//b//c", "the filter a//b//c has more than one //"),
    ],
)
def test_wrong_filters(tree: Path, expression: str, message: str) -> None:
    with pytest.raises(PullguardError) as error:
        _run(tree / "skipped", run=expression)
    assert str(error.value) == message


def test_gator_refuses_wrong_filters_too(tree: Path, gator: Path) -> None:
    assert gator.exists()
    with pytest.raises(PullguardError, match=r"gator ended with code 1: .*invalid test filter"):
        command.run([str(tree / "skipped")], engine="gator", run="(")


def test_one_broken_suite_hides_no_other(tmp_path: Path) -> None:
    suite_tree.save(
        tmp_path / "good/t.yaml", suite_tree.template("Any", 'package any\n\nviolation contains {"msg": "x"}')
    )
    suite_tree.save(tmp_path / "good/c.yaml", suite_tree.constraint("Any"))
    suite_tree.save(tmp_path / "good/o.yaml", suite_tree.resource())
    suite_tree.suite(tmp_path / "good", suite_tree.test("t", "t.yaml", "c.yaml", suite_tree.case("c", "o.yaml")))
    broken = "kind: Suite\napiVersion: test.gatekeeper.sh/v1alpha1\ntests:\n- cases:\n  - skip: yes\n"
    (tmp_path / "broken.yaml").write_text(broken)
    (tmp_path / "worse.yaml").write_text("kind: Suite # test.gatekeeper.sh\n  x: [\n")
    (tmp_path / "none.yaml").write_text("kind: Suite # of test.gatekeeper.sh\napiVersion: v1\n")
    (tmp_path / "other.yaml").write_text("{{ a template of Helm }}\n")
    report = _run(tmp_path)
    assert [(suite.path, suite.outcome, suite.message) for suite in report.suites] == [
        (f"{tmp_path}/broken.yaml", "error", "line 5: tests[0].cases[0].skip must be true or false"),
        (f"{tmp_path}/good/suite.yaml", "passed", ""),
        (f"{tmp_path}/worse.yaml", "error", report.suites[2].message),
    ]
    assert report.suites[2].message.startswith("line 2: not valid YAML")
    assert report.exit_code == 2


def test_runtime_error_of_one_case_hides_no_other(tmp_path: Path) -> None:
    rego = """
        package any

        violation contains {"msg": sprintf("%v", [f(input.review.object.number)])}

        f(x) := 1 if x > 0

        f(x) := 2 if x > 1
    """
    suite_tree.save(tmp_path / "t.yaml", suite_tree.template("Any", rego))
    suite_tree.save(tmp_path / "c.yaml", suite_tree.constraint("Any"))
    for number in range(3):
        suite_tree.save(tmp_path / f"{number}.yaml", suite_tree.resource(number=number))
    cases = [suite_tree.case(str(number), f"{number}.yaml", 1, message="^1$") for number in range(3)]
    suite_tree.suite(tmp_path, suite_tree.test("t", "t.yaml", "c.yaml", *cases))
    (suite,) = _run(tmp_path).suites
    conflict = "template:7: eval_conflict_error: functions must not produce multiple outputs for same inputs"
    assert [(case.outcome, case.message) for case in suite.tests[0].cases] == [
        ("failed", "0 violations that match ^1$, expected exactly 1; there are none at all"),
        ("passed", ""),
        ("failed", f"0 violations that match ^1$, expected exactly 1; the messages are: {conflict}"),
    ]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("without-violation", "it has no rule `violation`"),
        ("violation-only-in-a-body", "it has no rule `violation`"),
        ("violation-as-object", "its rule `violation` does not give objects with a msg"),
        ("details-only", "its rule `violation` does not give objects with a msg"),
        ("lib-of-the-server", "the package of a lib is system.authz, but must be below lib"),
        ("lib-without-package", "a lib has no package clause"),
        ("refers-to-itself", "it refers to data.judge.text; it can only refer to data.lib and data.inventory"),
        ("unknown-function", "template:3: rego_type_error: undefined function nothing"),
        ("lib-unsafe", 'libs["lib_0"]:3: rego_unsafe_var_error: var y is unsafe'),
        ("two-targets", "spec.targets of a ConstraintTemplate has exactly one entry"),
    ],
)
def test_what_is_wrong_with_a_template_is_said(by_opa: SuiteReport, name: str, message: str) -> None:
    result = _of(by_opa, "templates")[name]
    assert (result.outcome, result.message) == ("error", f"{name}.yaml: {message}")


def test_paths_are_shown_as_they_are_given(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tree / "skipped")
    for given, shown in (
        (".", "./suite.yaml"),
        ("suite.yaml", "suite.yaml"),
        ("./...", "./suite.yaml"),
        ("../skipped/", "../skipped/suite.yaml"),
        ("../skipped/...", "../skipped/suite.yaml"),
    ):
        assert [suite.path for suite in command.run([given]).suites] == [shown]
    twice = command.run([".", "suite.yaml", str(tree / "skipped")])
    assert [suite.path for suite in twice.suites] == ["./suite.yaml"]


def test_no_suite_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("kind: Pod\n")
    with pytest.raises(PullguardError) as error:
        _run(tmp_path)
    assert str(error.value) == (
        f"no Suite found in {tmp_path}; "
        "a Suite is a YAML file with apiVersion test.gatekeeper.sh/v1alpha1 and kind Suite"
    )
    with pytest.raises(PullguardError, match=r"nowhere does not exist$"):
        _run(tmp_path / "nowhere")
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(PullguardError, match=r"a\.json is not a YAML file"):
        _run(tmp_path / "a.json")


def test_programs_that_cannot_be_run(
    tree: Path, tmp_path: Path, engine_program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("#!/bin/sh\necho 'unknown flag: --server' >&2\nexit 1\n")
    wrong.chmod(0o755)
    with monkeypatch.context() as patch:
        patch.setattr("pullguard.suites.opa.opa", lambda: (str(wrong),))
        with pytest.raises(PullguardError, match=r"^the OPA server ended with code 1: unknown flag: --server$"):
            _run(tree / "match")
    (tmp_path / ".tools" / "bin").mkdir(parents=True)
    (tmp_path / ".tools" / "bin" / "pullguard-engine").symlink_to(engine_program)
    monkeypatch.setattr("pullguard.core.resources._CHECKOUT", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PullguardError, match=r"^gator was not found; install gator 3\.23 or run `make tools`"):
        command.run([str(tree / "match")], engine="gator")
    (tmp_path / "gator").write_text("#!/bin/sh\necho surprise\n")
    (tmp_path / "gator").chmod(0o755)
    with pytest.raises(PullguardError, match=r"^.*suite\.yaml: gator ended with code 0: surprise$"):
        command.run([str(tree / "match")], engine="gator")


def test_two_runs_say_the_same(tree: Path, by_opa: SuiteReport) -> None:
    again = _run(tree)
    assert _without_times(again) == _without_times(by_opa)
    assert again.exit_code == by_opa.exit_code == 2
    assert [replace(suite, seconds=0.0, tests=()) for suite in again.suites] == [
        replace(suite, seconds=0.0, tests=()) for suite in by_opa.suites
    ]
