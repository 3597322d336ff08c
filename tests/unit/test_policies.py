import dataclasses
from pathlib import Path

import pytest

from policy_tree import (
    CLUSTER,
    CLUSTER_DOCS,
    CLUSTER_POLICY,
    CLUSTER_REGO,
    FILES,
    METADATA,
    NAMES,
    POLICY,
    REGO,
    SECOND,
    SUITE,
    TEXTS,
    write_tree,
)
from pullguard.core.errors import PullguardError
from pullguard.engine.protocol import Engine
from pullguard.library import policies
from pullguard.library.policies import CelRules, CelVariable, Example, Guide, MatchKinds, SourceFile
from pullguard.library.policies.examples import examples
from shared_engine import ENGINE

ENTRY = "policies/required_label/required_label.rego"
BODY = REGO.removeprefix(METADATA)


def refused(rego: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what is wrong with a tree, with files as they are named from the folder that holds it."""
    monkeypatch.chdir(rego.parent)
    with pytest.raises(PullguardError) as caught:
        policies.read(rego, engine)
    return str(caught.value).splitlines()


# -- what is read -------------------------------------------------------------------------------------------------


def test_a_folder_is_a_policy(tmp_path: Path, engine: Engine) -> None:
    sources = policies.read(write_tree(tmp_path), engine)
    assert sources.policies == (POLICY,)
    assert sources.conftest == ()
    # In the order in which they are written: readers of the template see it.
    assert list(sources.policies[0].parameters["properties"]) == ["label", "customKinds"]


def test_a_second_policy_is_one_more_folder(tmp_path: Path, engine: Engine) -> None:
    first, second = policies.read(write_tree(tmp_path, SECOND), engine).policies
    assert (first.name, first.kind) == ("other_label", "K8sOtherLabel")
    assert first.module == SourceFile(
        "policies/other_label/other_label.rego", SECOND[f"policies/{first.name}/{first.name}.rego"]
    )
    assert second == POLICY
    assert first.libs == second.libs


def test_what_metadata_may_leave_out(tmp_path: Path, engine: Engine) -> None:
    lines = [
        line for line in REGO.splitlines(keepends=True) if "operations" not in line and "kindsFromParameter" not in line
    ]
    (policy,) = policies.read(write_tree(tmp_path, {ENTRY: "".join(lines)}), engine).policies
    assert (policy.operations, policy.kinds_from_parameter) == (("CREATE", "UPDATE"), None)


def test_all_that_metadata_and_docs_can_say(tmp_path: Path, engine: Engine) -> None:
    assert policies.read(write_tree(tmp_path, CLUSTER), engine).policies == (CLUSTER_POLICY, POLICY)


@pytest.mark.parametrize(
    ("levels", "offered"),
    [
        (("audit",), "audit audit audit"),
        (("audit", "warn"), "audit warn warn"),
        (("audit", "warn", "deny"), "audit warn deny"),
    ],
)
def test_a_level_that_is_not_offered_becomes_the_strictest_that_is(levels: tuple[str, ...], offered: str) -> None:
    some = dataclasses.replace(POLICY, levels=levels)
    assert [some.level(level) for level in policies.LEVELS] == offered.split()


def test_users_state_all_parameters_but_the_one_that_is_filled() -> None:
    assert CLUSTER_POLICY.stated_parameters == {
        "type": "object",
        "required": [],
        "properties": {"grade": CLUSTER_POLICY.parameters["properties"]["grade"]},
    }
    assert POLICY.stated_parameters == POLICY.parameters


def test_other_metadata_that_opa_knows_is_fine(tmp_path: Path, engine: Engine) -> None:
    rego = REGO.replace(
        "# scope: package\n", "# scope: package\n# authors: [a]\n# related_resources: [https://example.com]\n"
    )
    assert policies.read(write_tree(tmp_path, {ENTRY: rego}), engine).policies == (
        dataclasses.replace(POLICY, module=SourceFile(ENTRY, rego)),
    )


def test_rego_is_read_byte_for_byte(tmp_path: Path, engine: Engine) -> None:
    rego = REGO.replace("\n", "\r\n") + "# \U0001f600  \t\r\n\n\n"
    names = NAMES.removesuffix("\n")
    (policy,) = policies.read(write_tree(tmp_path, {ENTRY: rego, "lib/names/names.rego": names}), engine).policies
    assert policy.module.text.encode() == rego.encode()
    assert policy.libs == (SourceFile("lib/names/names.rego", names), SourceFile("lib/texts/texts.rego", TEXTS))


def libs(tmp_path: Path, engine: Engine, imports: str, **more: str) -> list[str]:
    rego = REGO.replace("import data.lib.names\n", imports).replace("names.shown(input.review.object)", '"x"')
    changes = {path.replace("__", "/") + ".rego": text for path, text in more.items()}
    (policy,) = policies.read(write_tree(tmp_path, {ENTRY: rego}, changes), engine).policies
    return [lib.path for lib in policy.libs]


def test_a_policy_without_imports_has_no_libs(tmp_path: Path, engine: Engine) -> None:
    assert libs(tmp_path, engine, "") == []


def test_libs_are_in_the_order_of_their_paths(tmp_path: Path, engine: Engine) -> None:
    imports = "import data.lib.unused\nimport data.lib.names\n"
    assert libs(tmp_path, engine, imports) == ["lib/names/names.rego", "lib/texts/texts.rego", "lib/unused/unused.rego"]


def test_a_rule_of_a_lib_can_be_imported(tmp_path: Path, engine: Engine) -> None:
    assert libs(tmp_path, engine, "import data.lib.unused.answer as a\n") == ["lib/unused/unused.rego"]


@pytest.mark.parametrize(
    "rule",
    [
        "x := data.lib.unused.answer\n",
        'x := data.lib["unused"].answer\n',
        'x := data["lib"].unused["answer"]\n',
        "x := [y | y := data.lib.unused.answer]\n",
        "x(y) := {y: data.lib.unused.answer}\n",
        "x if {\n\tevery y in [1] { data.lib.unused.answer == y }\n}\n",
        "x if input.y[data.lib.unused.answer]\n",
        "x := y if {\n\ty := 1\n} else := data.lib.unused.answer\n",
        "default x := false\n\nx if not data.lib.unused.answer\n",
        "x contains data.lib.unused.answer\n",
        "x[data.lib.unused.answer] := 1\n",
        "x := 1 if input with input as data.lib.unused.answer\n",
    ],
)
def test_a_reference_counts_as_an_import(tmp_path: Path, engine: Engine, rule: str) -> None:
    assert libs(tmp_path, engine, f"\n{rule}") == ["lib/unused/unused.rego"]


def test_libs_can_import_each_other(tmp_path: Path, engine: Engine) -> None:
    # OPA refuses recursive rules, not recursive imports.
    assert libs(
        tmp_path,
        engine,
        "import data.lib.a\n",
        lib__a__a="package lib.a\n\nimport data.lib.b\n\nx := b.y\n",
        lib__b__b="package lib.b\n\nimport data.lib.a\n\ny := 1\n\nz := a.x\n",
    ) == ["lib/a/a.rego", "lib/b/b.rego"]


def test_libs_can_stand_below_each_other(tmp_path: Path, engine: Engine) -> None:
    more = {"lib__a__a": "package lib.a\n\nx := 1\n", "lib__a__b__b": "package lib.a.b\n\nx := 1\n"}
    assert libs(tmp_path, engine, "import data.lib.a.b\n", **more) == ["lib/a/b/b.rego"]


def test_a_package_that_only_holds_packages_stands_for_all_of_them(tmp_path: Path, engine: Engine) -> None:
    more = {"lib__k__b__b": "package lib.k.b\n\nx := 1\n", "lib__k__a__a": "package lib.k.a\n\nx := 1\n"}
    assert libs(tmp_path, engine, "import data.lib.k\n", **more) == ["lib/k/a/a.rego", "lib/k/b/b.rego"]


def test_tests_are_never_read(tmp_path: Path, engine: Engine) -> None:
    broken = {
        "lib/names/names_test.rego": "broken",
        "policies/required_label/required_label_test.rego": "broken",
        "policies/required_label/more_test.rego": "broken",
    }
    assert policies.read(write_tree(tmp_path, broken), engine).policies == (POLICY,)


def test_other_folders_are_no_policies(tmp_path: Path, engine: Engine) -> None:
    rego = write_tree(tmp_path, {"policies/.git/x": "", "policies/__pycache__/x": "", "policies/README.md": ""})
    assert [policy.name for policy in policies.read(rego, engine).policies] == ["required_label"]


def test_samples_of_all_kinds_are_read_but_not_hidden_files(tmp_path: Path, engine: Engine) -> None:
    samples = {"a/b.json": "{}", "c.yml": "", ".c.yaml.swp": "x", ".d/e.yaml": "x"}
    folder = "policies/required_label/samples"
    rego = write_tree(tmp_path, {f"{folder}/{name}": text for name, text in samples.items()})
    (policy,) = policies.read(rego, engine).policies
    assert [sample.path.removeprefix(f"{folder}/") for sample in policy.samples] == [
        "a/b.json",
        "c.yml",
        "constraint.yaml",
        "with.yaml",
        "without.yaml",
    ]


# -- the cases that are shown -------------------------------------------------------------------------------------

CASES = """\
tests:
  - name: refused
    invalid: true
    cases: [{name: never, object: samples/a.yaml, assertions: [{violations: 1}]}]
  - name: skipped
    skip: true
    cases: [{name: never, object: samples/a.yaml, assertions: [{violations: 1}]}]
  - name: nothing to show
    cases:
      - {name: no such file, object: samples/none.yaml, assertions: [{violations: 1}]}
      - {name: a review, object: samples/review.yaml, assertions: [{violations: 1}]}
      - {name: a review that says so at once, object: samples/kind.yaml, assertions: [{violations: 1}]}
      - {name: skipped, object: samples/a.yaml, skip: true, assertions: [{violations: 1}]}
      - {name: no assertion, object: samples/a.yaml}
      - {name: no object, assertions: [{violations: 1}]}
      - {name: an odd object, object: [samples/a.yaml], assertions: [{violations: 1}]}
      - no case
  - no test
  - name: the first with cases
    cases:
      - {name: p1, object: samples/a.yaml, assertions: [{violations: no}]}
      - {name: f1, object: samples/a.yaml, inventory: [samples/b.yaml], assertions: [{violations: yes}]}
      - {name: f2, object: samples/b.yaml, assertions: [{violations: 0, message: x}, {violations: 2}]}
      - {name: f3, object: samples/b.yaml, assertions: [{message: x}]}
      - {name: p2, object: samples/b.yaml, assertions: [{violations: 0}, {violations: no, message: x}]}
      - {name: p3, object: samples/b.yaml, assertions: [{violations: 0}]}
  - name: the second
    cases: [{name: never, object: samples/a.yaml, assertions: [{violations: 1}]}]
"""
SHOWN_SAMPLES = tuple(
    SourceFile(f"policies/p/samples/{name}.yaml", text)
    for name, text in {
        "a": "kind: A\n",
        "b": "kind: B\n",
        "kind": "kind: AdmissionReview\n",
        "review": "apiVersion: admission.k8s.io/v1\nkind: AdmissionReview\n",
    }.items()
)


def test_the_first_cases_of_the_first_test_are_shown() -> None:
    assert examples(ENGINE, SourceFile("policies/p/suite.yaml", CASES), "suite.yaml", SHOWN_SAMPLES) == (
        Example("f1", False, "samples/a.yaml", "kind: A\n", ("samples/b.yaml",)),
        Example("f2", False, "samples/b.yaml", "kind: B\n", ()),
        Example("p1", True, "samples/a.yaml", "kind: A\n", ()),
        Example("p2", True, "samples/b.yaml", "kind: B\n", ()),
    )


@pytest.mark.parametrize("text", ["", "[]\n", "tests: 1\n", "tests: [{cases: no}]\n", "kind: Suite\n"])
def test_a_suite_without_cases_shows_nothing(text: str) -> None:
    assert examples(ENGINE, SourceFile("policies/p/suite.yaml", text), "suite.yaml", SHOWN_SAMPLES) == ()


def test_a_suite_that_is_no_yaml_is_said(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rego = write_tree(tmp_path, {"policies/required_label/suite.yaml": f"{SUITE}  - name: [\n"})
    (line,) = refused(rego, engine, monkeypatch)
    assert line.startswith(f"rego/policies/required_label/suite.yaml:{SUITE.count(chr(10)) + 1}: ")


# -- docs.yaml ----------------------------------------------------------------------------------------------------

DOCS = "policies/known_host/docs.yaml"
BAD_DOCS = {
    "an unknown key": (
        "exceptions:",
        "exemptions:",
        [f"rego/{DOCS}:2: exemptions is not a known key of docs.yaml; did you mean exceptions?"],
    ),
    "an empty list": (
        "exceptions:\n  - |\n    A host: move it\n    elsewhere.\n",
        "exceptions: []\n",
        [f"rego/{DOCS}:2: exceptions is empty"],
    ),
    "a missing key": ("    check: roam\n", "", [f"rego/{DOCS}:7: contradictedBy[0].check is missing"]),
    "a number": (
        "check: roam",
        "check: 15",
        [f'rego/{DOCS}:8: contradictedBy[0].check must be a string, not a number; put quotes around it: "15"'],
    ),
    "an empty text": (
        "It is odd.",
        '" "',
        [f'rego/{DOCS}:14: contradictedBy[1].demands is " ", which does not match \\S'],
    ),
}


@pytest.mark.parametrize("change", BAD_DOCS.values(), ids=BAD_DOCS.keys())
def test_bad_docs_are_said(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, change: tuple[str, str, list[str]]
) -> None:
    old, new, expected = change
    assert CLUSTER_DOCS.count(old) == 1
    rego = write_tree(tmp_path, CLUSTER, {DOCS: CLUSTER_DOCS.replace(old, new)})
    assert refused(rego, engine, monkeypatch) == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", "[]\n", "text\n"])
def test_docs_that_are_no_mapping_are_said(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (line,) = refused(write_tree(tmp_path, CLUSTER, {DOCS: text}), engine, monkeypatch)
    assert line.startswith(f"rego/{DOCS}:1: docs.yaml ")


def test_docs_can_say_less(tmp_path: Path, engine: Engine) -> None:
    policy, _ = policies.read(write_tree(tmp_path, CLUSTER, {DOCS: "exceptions: [None.]\n"}), engine).policies
    assert policy.guide == Guide(("None.",), ())


# -- the adapter for conftest -------------------------------------------------------------------------------------

ADAPTER = {
    "conftest/main/main.rego": "package main\n\nimport data.gatekeeper.hook\n\ndeny := hook.x\n",
    "conftest/main/main_test.rego": "broken",
    "gatekeeper/hook/hook.rego": "package gatekeeper.hook\n\nimport rego.v1\nimport data.lib.unused\n\nx := 1\n",
    "gatekeeper/suite/suite.rego": "package gatekeeper.suite\n",
}


def test_the_adapter_comes_with_what_it_imports_and_nothing_else(tmp_path: Path, engine: Engine) -> None:
    sources = policies.read(write_tree(tmp_path, ADAPTER), engine)
    assert sources.conftest == (
        SourceFile("conftest/main/main.rego", ADAPTER["conftest/main/main.rego"]),
        SourceFile("gatekeeper/hook/hook.rego", ADAPTER["gatekeeper/hook/hook.rego"]),
        SourceFile("lib/unused/unused.rego", FILES["lib/unused/unused.rego"]),
    )


def test_what_the_adapter_imports_has_to_be_there(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rego = write_tree(tmp_path, ADAPTER, {"gatekeeper/hook/hook.rego": None})
    assert refused(rego, engine, monkeypatch) == [
        (
            "rego/conftest/main/main.rego:3: there is no data.gatekeeper.hook; "
            "write rego/gatekeeper/hook/hook.rego, or name a package that is there"
        )
    ]


# -- what is wrong with Rego --------------------------------------------------------------------------------------

AT = f"rego/{ENTRY}"
PACKAGE_LINE = METADATA.count("\n") + 1
IMPORT_LINE = PACKAGE_LINE + 2
IMPORTS = "import data.lib.names\n"


def with_import(text: str) -> dict[str, str | None]:
    return {ENTRY: REGO.replace(IMPORTS, f"{IMPORTS}{text}\n")}


def with_rule(text: str) -> dict[str, str | None]:
    return {ENTRY: REGO.replace(IMPORTS, f"{IMPORTS}\n{text}\n")}


BELOW = "refer to data.inventory, and to packages below data.lib by their names"
BAD_REGO: dict[str, tuple[dict[str, str | None], str]] = {
    "no policies": (
        {path: None for path in FILES if path.startswith("policies/")},
        "rego/policies: holds no policies; a policy is a folder with <name>.rego",
    ),
    "no module": (
        {ENTRY: None},
        "rego/policies/required_label: required_label.rego is missing; a policy's module is named after its folder",
    ),
    "another package": (
        {ENTRY: REGO.replace("package policies.required_label", "package policies.label")},
        (
            f"{AT}:{PACKAGE_LINE}: the package is policies.label, not policies.required_label; "
            "a package is named after its folder"
        ),
    ),
    "another file": (
        {"policies/required_label/more.rego": "package policies.required_label\n"},
        (
            "rego/policies/required_label/more.rego: only required_label.rego and tests (*_test.rego) can stand in "
            "required_label/; move it into a folder of its own below rego/lib"
        ),
    ),
    "no violation": (
        {ENTRY: REGO.replace("violation contains", "violations contains")},
        f'{AT}: there is no rule `violation`; write `violation contains {{"msg": ..., "details": ...}} if {{ ... }}`',
    ),
    "violation is not a set": (
        {ENTRY: f"{METADATA}package policies.required_label\n\nviolation := true\n"},
        f'{AT}: there is no rule `violation`; write `violation contains {{"msg": ..., "details": ...}} if {{ ... }}`',
    ),
    "no suite": (
        {"policies/required_label/suite.yaml": None},
        "rego/policies/required_label: suite.yaml is missing; write a gator Suite: a policy states what it expects",
    ),
    "import rego.v1": (
        with_import("import rego.v1"),
        f"{AT}:{IMPORT_LINE + 1}: Gatekeeper rejects `import rego.v1`; remove it: policies are Rego v1 already",
    ),
    "import rego.v1 in a lib": (
        {"lib/texts/texts.rego": TEXTS.replace("\n\n", "\n\nimport rego.v1\n\n")},
        "rego/lib/texts/texts.rego:3: Gatekeeper rejects `import rego.v1`; remove it: policies are Rego v1 already",
    ),
    "import of input": (
        with_import("import input.review as r"),
        f"{AT}:{IMPORT_LINE + 1}: Gatekeeper rejects the import of input.review; import packages below data.lib only",
    ),
    "import of other data": (
        with_import("import data.inventory"),
        f"{AT}:{IMPORT_LINE + 1}: Gatekeeper rejects the import of data.inventory; import packages below data.lib only",
    ),
    "import of all libs": (
        with_import("import data.lib"),
        f"{AT}:{IMPORT_LINE + 1}: Gatekeeper rejects the import of data.lib; import packages below data.lib only",
    ),
    "reference to other data": (
        with_rule("x := data.policies.other.y"),
        f"{AT}:{IMPORT_LINE + 2}: Gatekeeper rejects the reference of data.policies.other.y; {BELOW}",
    ),
    "reference to all data": (
        with_rule("x := data"),
        f"{AT}:{IMPORT_LINE + 2}: Gatekeeper rejects the reference of data; {BELOW}",
    ),
    "reference to a lib that cannot be told": (
        with_rule("x := data.lib[input.y].z"),
        f"{AT}:{IMPORT_LINE + 2}: Gatekeeper rejects the reference of data.lib; {BELOW}",
    ),
    "a lib that is missing": (
        with_import("import data.lib.nothing"),
        (
            f"{AT}:{IMPORT_LINE + 1}: there is no data.lib.nothing; "
            "write rego/lib/nothing/nothing.rego, or name a package that is there"
        ),
    ),
    "a lib that a lib misses": (
        {"lib/texts/texts.rego": None},
        (
            "rego/lib/names/names.rego:6: there is no data.lib.texts; "
            "write rego/lib/texts/texts.rego, or name a package that is there"
        ),
    ),
    "a reference to a lib that is missing": (
        with_rule("x := data.lib.nothing.y"),
        (
            f"{AT}:{IMPORT_LINE + 2}: there is no data.lib.nothing.y; "
            "write rego/lib/nothing/nothing.rego, or name a package that is there"
        ),
    ),
    "a lib with another package": (
        {"lib/texts/texts.rego": TEXTS.replace("lib.texts", "lib.text")},
        "rego/lib/texts/texts.rego:1: the package is lib.text, not lib.texts; a package is named after its folder",
    ),
    "a lib of two files": (
        {"lib/texts/more.rego": TEXTS},
        (
            "rego/lib/texts/more.rego: only texts.rego and tests (*_test.rego) can stand in texts/; "
            "move it into a folder of its own below rego/lib"
        ),
    ),
    "not Rego": (
        {ENTRY: REGO + "\nx := {\n"},
        f"{AT}:{REGO.count(chr(10)) + 3}: OPA cannot read it: unexpected eof token",
    ),
    "Rego v0": (
        {"lib/texts/texts.rego": "package lib.texts\n\njoined(parts) = x { x := parts }\n"},
        "rego/lib/texts/texts.rego:3: OPA cannot read it: `if` keyword is required before function body",
    ),
    "an empty module": ({"lib/texts/texts.rego": ""}, "rego/lib/texts/texts.rego: OPA cannot read it: empty module"),
    "a sample of another kind": (
        {"policies/required_label/samples/a.txt": ""},
        (
            "rego/policies/required_label/samples/a.txt: is not a sample's name; "
            "name samples *.yaml or *.json, with letters, digits, dots, hyphens and underscores"
        ),
    ),
}


@pytest.mark.parametrize(("changes", "expected"), BAD_REGO.values(), ids=BAD_REGO.keys())
def test_bad_rego_is_said(
    tmp_path: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str | None],
    expected: str,
) -> None:
    assert refused(write_tree(tmp_path, changes), engine, monkeypatch) == [expected]


@pytest.mark.parametrize("name", ["Label", "a-b", "_a", "a__b", "a_", "1a", "ä", "a" * 41, "a b"])
def test_bad_names_are_said(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    rego = write_tree(tmp_path)
    (rego / "policies" / "required_label").rename(rego / "policies" / name)
    if name == "_a":  # a folder that is not for policies
        assert refused(rego, engine, monkeypatch)[0].startswith("rego/policies: holds no policies")
        return
    assert refused(rego, engine, monkeypatch) == [
        (
            f"rego/policies/{name}: {name} cannot be a policy's name; "
            "write words in lower case joined by underscores, at most 40 characters"
        )
    ]


def test_a_file_that_is_not_utf_8_is_said(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    rego = write_tree(tmp_path)
    (rego / "lib/texts/texts.rego").write_bytes(b"package lib.texts\n\n# \xff\n")
    assert refused(rego, engine, monkeypatch) == ["rego/lib/texts/texts.rego:3: is not UTF-8; save it as UTF-8"]


# -- what is wrong with METADATA ----------------------------------------------------------------------------------


def line_of(text: str) -> int:
    """Return the line of METADATA that holds a text."""
    return next(number for number, line in enumerate(METADATA.splitlines(), start=1) if text in line)


BAD_METADATA: dict[str, tuple[str, str, int, str]] = {
    "an unknown key": (
        "# scope: package\n",
        "# scope: package\n# titel: x\n",
        6,
        "titel is not a known key of METADATA; did you mean title?",
    ),
    "no title": ("# title: Required label\n", "", 2, "title is missing"),
    "an empty title": ("title: Required label", 'title: ""', 2, "title is missing"),
    "no description": (
        "# description: |\n#   Every object says by a label whose it is.\n",
        "",
        2,
        "description is missing",
    ),
    "no kind": ("#   kind: K8sRequiredLabel\n", "", 6, "custom.kind is missing"),
    "no version": ("#   version: 1.2.0\n", "", 6, "custom.version is missing"),
    "a version of two numbers": (
        "1.2.0",
        "1.2",
        8,
        'custom.version must be a string, not a number; put quotes around it: "1.2"',
    ),
    "no rules": (
        "#     missing: {id: label-missing, severity: low, title: The label is missing}\n",
        "",
        9,
        "custom.rules is empty, but must be a mapping",
    ),
    "a rule without an id": ("{id: label-missing, ", "{", 10, "custom.rules.missing.id is missing"),
    "an unknown key of a rule": (
        "severity: low",
        "severity: low, help: x",
        10,
        "help is not a known key of custom.rules.missing; known here: aliases, deprecated",
    ),
    "no reason for deprecating a rule": (
        "severity: low",
        "severity: low, deprecated: {since: 0.2.0}",
        10,
        "custom.rules.missing.deprecated.because is missing",
    ),
    "an alias that is not in a list": (
        "severity: low",
        "severity: low, aliases: no-label",
        10,
        "custom.rules.missing.aliases must be a list, not a string",
    ),
    "no kinds": ("#     kinds:\n", "#     kindz:\n", 11, ""),
    "no parameters": ("#   parameters:\n", "#   params:\n", 6, ""),
    "parameters that are a list": (
        "#     type: object\n#     properties:\n",
        "#     type: array\n#     properties:\n",
        line_of("parameters"),
        "",
    ),
    "an unknown keyword": (
        "minLength: 1",
        "minLen: 1",
        line_of("minLength"),
        "minLen is not a known key of custom.parameters.properties.label; did you mean minLength?",
    ),
    "an unknown type": (
        "type: string\n#         minLength",
        "type: text\n#         minLength",
        line_of("minLength") - 1,
        (
            "custom.parameters.properties.label.type is text, which is not one of object, array, string, integer, "
            "number, boolean"
        ),
    ),
    "no type": (
        "#         type: string\n#         minLength",
        "#         minLength",
        line_of("label:"),
        "custom.parameters.properties.label.type is missing",
    ),
    "a keyword of another type": (
        "minLength: 1",
        "minItems: 1",
        line_of("minLength"),
        "custom.parameters.properties.label.minItems is not valid; it does not go with type string",
    ),
    "a default that does not fit": (
        "default: owner",
        'default: ""',
        line_of("default: owner"),
        "custom.parameters.properties.label.default is empty",
    ),
    "a default of the wrong type": (
        "default: []",
        "default: none",
        line_of("default: []"),
        "custom.parameters.properties.customKinds.default must be a list, not a string",
    ),
    "an example that does not fit": (
        "{group: example.com, kind: Gadget}",
        "{group: example.com, kin: Gadget}",
        line_of("Gadget"),
        "",
    ),
    "an array without items": (
        (
            "#         items:\n#           type: object\n#           required: [group, kind]\n#           properties:\n"
            "#             group: {type: string}\n#             kind: {type: string}\n"
        ),
        "",
        line_of("customKinds:"),
        "",
    ),
    "a pattern that is none": (
        "minLength: 1",
        "pattern: '(['",
        line_of("minLength"),
        "([ is not a regular expression that Kubernetes takes; it has no look-around and no back-references",
    ),
    "a pattern with look-ahead": (
        "minLength: 1",
        "pattern: (?=a)b",
        line_of("minLength"),
        "(?=a)b is not a regular expression that Kubernetes takes; it has no look-around and no back-references",
    ),
    "a requirement that nothing meets": (
        "required: [group, kind]",
        "required: [group, kynd]",
        line_of("required: [group"),
        "",
    ),
    "kinds from a parameter that is not there": (
        "kindsFromParameter: customKinds",
        "kindsFromParameter: kinds",
        line_of("kindsFromParameter"),
        (
            "kinds is not a parameter that lists objects with a group and a kind; "
            "give it items of type object that require group and kind, both strings"
        ),
    ),
    "kinds from a parameter of another kind": (
        "kindsFromParameter: customKinds",
        "kindsFromParameter: label",
        line_of("kindsFromParameter"),
        (
            "label is not a parameter that lists objects with a group and a kind; "
            "give it items of type object that require group and kind, both strings"
        ),
    ),
    "not YAML": (
        "scope: package",
        "scope: [package",
        5,
        "OPA cannot read it: yaml: line 3: did not find expected ',' or ']'",
    ),
}
SEVERAL = {
    "no kinds": [
        f"{AT}:11: custom.match.kinds is missing",
        f"{AT}:12: kindz is not a known key of custom.match; did you mean kinds?",
    ],
    "no parameters": [
        f"{AT}:6: custom.parameters is missing",
        f"{AT}:{line_of('parameters')}: params is not a known key of custom; did you mean parameters?",
    ],
    "parameters that are a list": [
        f"{AT}:{line_of('parameters')}: custom.parameters.items is missing",
        f"{AT}:{line_of('properties:')}: custom.parameters.properties is not valid; it does not go with type array",
    ],
    "an example that does not fit": [
        f"{AT}:{line_of('Gadget')}: custom.parameters.properties.customKinds.example[1].kind is missing",
        (
            f"{AT}:{line_of('Gadget')}: kin is not a known key of custom.parameters.properties.customKinds.example[1]; "
            "did you mean kind?"
        ),
    ],
    "an array without items": [
        f"{AT}:{line_of('customKinds:')}: custom.parameters.properties.customKinds.items is missing"
    ],
    "a requirement that nothing meets": [
        (
            f"{AT}:{line_of('kindsFromParameter')}: "
            "customKinds is not a parameter that lists objects with a group and a kind; "
            "give it items of type object that require group and kind, both strings"
        ),
        f"{AT}:{line_of('required: [group')}: kynd is required, but is not one of the properties",
    ],
}


@pytest.mark.parametrize(("name", "change"), BAD_METADATA.items(), ids=BAD_METADATA.keys())
def test_bad_metadata_is_said(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str, change: tuple[str, str, int, str]
) -> None:
    old, new, line, message = change
    assert old in METADATA
    rego = write_tree(tmp_path, {ENTRY: METADATA.replace(old, new, 1) + BODY})
    expected = SEVERAL.get(name) or [f"{AT}:{line}: {message}"]
    assert refused(rego, engine, monkeypatch) == expected


# -- what METADATA takes from libs ----------------------------------------------------------------------------------

SHARED = """\
# METADATA
# title: Owned
# scope: package
# custom:
#   match:
#     kindsFrom: lib.owned.spec_paths
#     kindsFromParameter: customKinds
#   operations: [CREATE]
#   parameters:
#     type: object
#     properties:
"""
OWNED = "lib/owned/owned.rego"
OWNED_RULES = """\
package lib.owned

spec_paths := {"": {"Pod": ["spec"]}, "apps": {"Deployment": ["spec", "template", "spec"]}}

labels contains label if some label in ["owner", "team"]
"""
_OWN, _SHARED_PARAMETERS = METADATA[: METADATA.index("#   match:")], METADATA[METADATA.index("#       customKinds:") :]
_LABELS = """\
#   include: lib.owned
#   parameters:
#     type: object
#     properties:
#       labels:
#         description: The labels that objects have.
#         type: array
#         defaultFrom: lib.owned.labels
#         items: {type: string, minLength: 1}
"""
INCLUDING = {ENTRY: _OWN + _LABELS + BODY, OWNED: SHARED + _SHARED_PARAMETERS + OWNED_RULES}


def test_a_policy_can_include_what_a_lib_states(tmp_path: Path, engine: Engine) -> None:
    (policy,) = policies.read(write_tree(tmp_path, INCLUDING), engine).policies
    assert (policy.kinds, policy.kinds_from_parameter) == (POLICY.kinds, "customKinds")
    assert policy.pod_spec_paths == {"": {"Pod": ["spec"]}, "apps": {"Deployment": ["spec", "template", "spec"]}}
    assert policy.operations == ("CREATE",)
    assert list(policy.parameters["properties"]) == ["labels", "customKinds"]
    assert policy.parameters["properties"]["labels"] == {
        "description": "The labels that objects have.",
        "type": "array",
        "default": ["owner", "team"],
        "items": {"type": "string", "minLength": 1},
    }
    assert policy.parameters["properties"]["customKinds"] == POLICY.parameters["properties"]["customKinds"]


def test_a_policy_without_parameters_of_its_own_can_include_them(tmp_path: Path, engine: Engine) -> None:
    entry = f"{_OWN}#   include: lib.owned\n{BODY}"
    (policy,) = policies.read(write_tree(tmp_path, INCLUDING, {ENTRY: entry}), engine).policies
    assert list(policy.parameters["properties"]) == ["customKinds"]


def test_what_a_policy_states_itself_comes_before_what_it_includes(tmp_path: Path, engine: Engine) -> None:
    own = "#   match:\n#     kinds: [{apiGroups: [batch], kinds: [Job]}]\n#   operations: [UPDATE]\n"
    entry = INCLUDING[ENTRY].replace("#   parameters:\n", f"{own}#   parameters:\n")
    (policy,) = policies.read(write_tree(tmp_path, INCLUDING, {ENTRY: entry}), engine).policies
    assert policy.kinds == (MatchKinds(("batch",), ("Job",)),)
    assert (policy.kinds_from_parameter, policy.pod_spec_paths, policy.operations) == (None, {}, ("UPDATE",))


NO_RULE = "name a rule of a package below rego/lib, such as lib.images.floating_tags"
NO_LIB = "name a lib with METADATA that has `custom`, such as lib.uses"
BAD_INCLUDES: dict[str, tuple[str, str, str, str]] = {
    "no such lib": (ENTRY, "include: lib.owned", "include: lib.owner", f"{AT}:11: there is no lib.owner; {NO_LIB}"),
    "a lib without METADATA": (
        ENTRY,
        "include: lib.owned",
        "include: lib.texts",
        f"{AT}:11: lib.texts has no METADATA; {NO_LIB}",
    ),
    "a lib that states nothing": (
        ENTRY,
        "include: lib.owned",
        "include: lib.names",
        "rego/lib/names/names.rego:2: custom is missing",
    ),
    "no lib": (
        ENTRY,
        "include: lib.owned",
        "include: policies.other",
        (f"{AT}:11: custom.include cannot be policies.other; name a lib or a rule of one, such as lib.uses"),
    ),
    "no such rule": (
        ENTRY,
        "lib.owned.labels",
        "lib.owned.label",
        f"{AT}:18: there is no rule lib.owned.label; {NO_RULE}",
    ),
    "no such package": (
        ENTRY,
        "lib.owned.labels",
        "lib.owner.labels",
        f"{AT}:18: there is no rule lib.owner.labels; {NO_RULE}",
    ),
    "a default that does not fit": (
        OWNED,
        '["owner", "team"]',
        '["owner", ""]',
        f"{AT}:15: custom.parameters.properties.labels.default[0] is empty",
    ),
    "paths that are none": (
        OWNED,
        '{"Pod": ["spec"]}',
        '{"Pod": "spec"}',
        f"{AT}:6: lib.owned.spec_paths is not a mapping of groups to kinds to the keys of their pod specs",
    ),
    "custom resources that are none": (
        OWNED,
        "#     kindsFromParameter: customKinds",
        "#     customKindsFrom: lib.owned.spec_paths\n#     kindsFromParameter: customKinds",
        f"{AT}:6: lib.owned.spec_paths is not a mapping of groups to kinds to where they use images, with a source",
    ),
    "a parameter twice": (
        ENTRY,
        "#       labels:",
        "#       customKinds:",
        f"{AT}:15: lib.owned has a parameter customKinds already; remove it, or give it another name",
    ),
    "a lib that states more": (
        OWNED,
        "#   operations: [CREATE]",
        "#   version: 1.0.0",
        "rego/lib/owned/owned.rego:8: version is not a known key of custom; known here: operations",
    ),
    "parameters of a lib that are a text": (
        OWNED,
        f"#     type: object\n#     properties:\n{_SHARED_PARAMETERS}",
        "#     type: string\n",
        "rego/lib/owned/owned.rego:9: custom.parameters is not of type object; write `type: object`",
    ),
}


@pytest.mark.parametrize("name", BAD_INCLUDES)
def test_what_cannot_be_included_is_said(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    file, old, new, message = BAD_INCLUDES[name]
    assert old in INCLUDING[file]
    rego = write_tree(tmp_path, INCLUDING, {file: INCLUDING[file].replace(old, new, 1)})
    assert refused(rego, engine, monkeypatch) == [message]


CLUSTER_ENTRY = "policies/known_host/known_host.rego"


def cluster_line(text: str) -> int:
    return next(number for number, line in enumerate(CLUSTER_REGO.splitlines(), start=1) if text in line)


NO_NAMESPACES = (
    "is not a parameter that can hold the protected namespaces; "
    "give it the properties names, a list of strings, and selector, an object"
)
BAD_CLUSTER: dict[str, tuple[str, str, tuple[str, str]]] = {
    "no levels": ("[audit, warn]", "[]", ("enforcement:", "custom.enforcement is empty")),
    "an unknown scope": (
        "scope: Cluster",
        "scope: Namespaced",
        ("scope: Cluster", "custom.match.scope is Namespaced, which is not one of Cluster"),
    ),
    "namespaces to a parameter, of objects that have some": (
        "#     scope: Cluster\n",
        "",
        (
            "scope: Cluster",
            (
                "only a policy with `scope: Cluster` takes the protected namespaces as a parameter; "
                "the objects of others are matched by their namespace"
            ),
        ),
    ),
    "namespaces to a parameter that is not there": (
        "namespacesToParameter: hosts",
        "namespacesToParameter: places",
        ("namespacesToParameter", f"places {NO_NAMESPACES}"),
    ),
    "namespaces to a parameter of another kind": (
        "namespacesToParameter: hosts",
        "namespacesToParameter: grade",
        ("namespacesToParameter", f"grade {NO_NAMESPACES}"),
    ),
    "namespaces to a parameter without a selector": (
        "selector:",
        "selectors:",
        ("namespacesToParameter", f"hosts {NO_NAMESPACES}"),
    ),
    "no list of lists": (
        "    - - {groups: [apps], versions: [v1], kinds: [Deployment]}",
        "    - {groups: [apps], versions: [v1], kinds: [Deployment]}",
        ("[Deployment]", "custom.requiresSyncData[1] must be a list, not a mapping"),
    ),
    "no kinds to sync": (
        "[Deployment]",
        "[]",
        ("[Deployment]", "custom.requiresSyncData[1][0].kinds is empty"),
    ),
    "no versions to sync": (
        "versions: [v1], kinds: [Deployment]",
        "kinds: [Deployment]",
        ("[Deployment]", "custom.requiresSyncData[1][0].versions is missing"),
    ),
    "an unknown key of what to sync": (
        "versions: [v1], kinds: [Deployment]",
        "versions: [v1], kinds: [Deployment], names: [a]",
        (
            "[Deployment]",
            "names is not a known key of custom.requiresSyncData[1][0]; known here: groups, versions, kinds",
        ),
    ),
}


@pytest.mark.parametrize("change", BAD_CLUSTER.values(), ids=BAD_CLUSTER.keys())
def test_bad_metadata_about_objects_without_a_namespace_is_said(
    tmp_path: Path,
    engine: Engine,
    monkeypatch: pytest.MonkeyPatch,
    change: tuple[str, str, tuple[str, str]],
) -> None:
    old, new, (place, message) = change
    assert CLUSTER_REGO.count(old) == 1
    rego = write_tree(tmp_path, CLUSTER, {CLUSTER_ENTRY: CLUSTER_REGO.replace(old, new)})
    assert refused(rego, engine, monkeypatch) == [f"rego/{CLUSTER_ENTRY}:{cluster_line(place)}: {message}"]


def test_a_package_without_metadata_is_said(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refused(write_tree(tmp_path, {ENTRY: BODY}), engine, monkeypatch) == [
        (
            f"{AT}:1: the package has no METADATA; "
            "begin the file with `# METADATA`, title, description, `scope: package` and custom"
        )
    ]


def test_metadata_of_another_scope_is_not_the_package_s(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    rego = write_tree(tmp_path, {ENTRY: REGO.replace("scope: package", "scope: subpackages")})
    assert refused(rego, engine, monkeypatch) == [
        (
            f"{AT}:{PACKAGE_LINE}: the package has no METADATA; "
            "begin the file with `# METADATA`, title, description, `scope: package` and custom"
        )
    ]


def test_all_policies_have_their_say(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    changes: dict[str, str | None] = {
        **SECOND,
        "policies/other_label/suite.yaml": None,
        ENTRY: REGO.replace("severity: low", "severity: 1"),
    }
    assert refused(write_tree(tmp_path, changes), engine, monkeypatch) == [
        "rego/policies/other_label: suite.yaml is missing; write a gator Suite: a policy states what it expects",
        f'{AT}:10: custom.rules.missing.severity must be a string, not a number; put quotes around it: "1"',
    ]


# -- CEL --------------------------------------------------------------------------------------------------------------

ADMISSION = """\
variables:
  - import: names
validations:
  - expression: variables.names == variables.label
"""
CEL_LIB = "variables:\n  - {name: names, expression: '[]'}\n"


def test_admission_yaml_is_read_with_what_it_imports(tmp_path: Path, engine: Engine) -> None:
    files: dict[str, str | None] = {
        "policies/required_label/admission.yaml": ADMISSION,
        "lib/names/admission.yaml": CEL_LIB,
    }
    (found,) = policies.read(write_tree(tmp_path, files), engine).policies
    assert found.mutation is None
    assert found.admission == CelRules(
        (CelVariable("names", "[]"),), ({"expression": "variables.names == variables.label"},)
    )


@pytest.mark.parametrize("name", ["../names", "names", "Names"])
def test_a_lib_without_cel_is_said(tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    files: dict[str, str | None] = {
        "policies/required_label/admission.yaml": ADMISSION.replace("import: names", f"import: {name}")
    }
    assert refused(write_tree(tmp_path, files), engine, monkeypatch) == [
        (
            f"rego/policies/required_label/admission.yaml:2: there is no lib {name} with an admission.yaml; "
            "name a folder of rego/lib that has one"
        )
    ]


@pytest.mark.parametrize("name", ["admission.yaml", "mutation.yaml", "elsewhere.yaml"])
def test_a_policy_about_objects_without_a_namespace_has_no_cel(
    tmp_path: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    rego = write_tree(tmp_path, CLUSTER, {f"policies/known_host/{name}": ADMISSION})
    assert refused(rego, engine, monkeypatch) == [
        (
            f"rego/policies/known_host/{name}: a policy with `scope: Cluster` cannot be an admission policy; "
            "remove the file: admission policies are for objects in protected namespaces"
        )
    ]
