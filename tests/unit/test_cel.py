"""What admission.yaml and mutation.yaml say, and what is wrong with those that cannot be used."""

from collections.abc import Mapping

import pytest

from pullguard.core.errors import PullguardError
from pullguard.library.policies import AssignField, CelRules, CelVariable, Elsewhere, cel
from shared_engine import ENGINE

LIBS = {
    "lists": "variables:\n- import: base\n- name: lists\n  expression: |\n    variables.base + variables.label\n",
    "base": "variables:\n  - {name: base, expression: '[1]'}\n  - {name: label, expression: '[2]'}\n",
    "broken": "variables:\n  - {name: x, expression: variables.nowhere}\n",
    "empty": "variables: 1\n",
}
ADMISSION = """\
variables:
  - import: base
  - import: lists
  - name: own
    expression: variables.lists.all(x, variables.isProtected)
validations:
  - expression: |
      variables.own
    messageExpression: '"no"'
"""
MUTATION = """\
requires: {parameter: allowed, value: a}
variables:
  - import: base
mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: {expression: "variables.base"}
assigns:
  value: b
  locations:
    one: {field: spec.x}
    two: {field: spec.y, mustExist: spec}
  limits: [It is small.]
"""
ELSEWHERE = """\
name: all-others
description: What it does.
sets: Always
operations: [CREATE]
variables:
  - import: base
mutations:
  - patchType: ApplyConfiguration
    applyConfiguration: {expression: "variables.base"}
"""
PARAMETERS = {"label": {"type": "array"}, "allowed": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}}}


LIB = cel.Libs(
    admission=lambda name: (LIBS[name], f"lib/{name}/admission.yaml") if name in LIBS else None,
    value={"lib.texts.all": ["ä", 'b"']}.get,
    engine=ENGINE,
)


def admission(text: str, parameters: Mapping[str, object] = PARAMETERS) -> CelRules:
    return cel.admission(text, "admission.yaml", LIB, parameters)


def test_imports_stand_where_they_are_first_needed_and_once() -> None:
    assert admission(ADMISSION, {}) == CelRules(
        variables=(
            CelVariable("base", "[1]"),
            CelVariable("label", "[2]"),
            CelVariable("lists", "variables.base + variables.label"),
            CelVariable("own", "variables.lists.all(x, variables.isProtected)"),
        ),
        rules=({"expression": "variables.own", "messageExpression": '"no"'},),
    )


def test_a_variable_can_have_the_value_of_a_rule() -> None:
    text = ADMISSION.replace(
        "    expression: variables.lists.all(x, variables.isProtected)", "    value: lib.texts.all"
    )
    assert admission(text).variables[-1] == CelVariable("own", '["ä", "b\\""]')


def test_a_parameter_stands_in_the_place_of_a_variable() -> None:
    assert [variable.name for variable in admission(ADMISSION).variables] == ["base", "lists", "own"]


def test_mutation() -> None:
    found = cel.mutation(MUTATION, "mutation.yaml", LIB, PARAMETERS)
    assert (found.parameter, found.value) == ("allowed", "a")
    assert [variable.name for variable in found.cel.variables] == ["base"]
    assert found.cel.rules == (
        {"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "variables.base"}},
    )
    assert found.assigns.value == "b"
    assert found.assigns.fields == {"one": AssignField("spec.x", ""), "two": AssignField("spec.y", "spec")}
    assert found.assigns.limits == ("It is small.",)


def test_elsewhere() -> None:
    assert cel.elsewhere(ELSEWHERE, "elsewhere.yaml", LIB, PARAMETERS) == Elsewhere(
        name="all-others",
        description="What it does.",
        sets="Always",
        operations=("CREATE",),
        cel=CelRules(
            (CelVariable("base", "[1]"),),
            ({"patchType": "ApplyConfiguration", "applyConfiguration": {"expression": "variables.base"}},),
        ),
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("all-others", "All"), "elsewhere.yaml:1: name cannot be All; write words joined by dashes"),
        (("sets: Always\n", ""), "elsewhere.yaml:1: sets is missing"),
        (("[CREATE]", "[]"), "elsewhere.yaml:4: operations is empty"),
        (("[CREATE]", "[DELETE]"), "elsewhere.yaml:4: operations[0] is DELETE, which is not one of "),
        (("variables.base", "variables.bases"), "elsewhere.yaml:8: there is no variable bases before this; "),
    ],
)
def test_bad_elsewhere_is_said(change: tuple[str, str], message: str) -> None:
    text = ELSEWHERE.replace(*change)
    assert text != ELSEWHERE
    with pytest.raises(PullguardError) as raised:
        cel.elsewhere(text, "elsewhere.yaml", LIB, PARAMETERS)
    assert str(raised.value).startswith(message)


def test_used_variables() -> None:
    value = [{"a": "variables.b1 + variables.c", "d": 1}, "myvariables.e variables.f_g"]
    assert cel.used_variables(value) == {"b1", "c", "f_g"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("import: lists", "import: nowhere"), "admission.yaml:3: there is no lib nowhere with an admission.yaml; "),
        (
            ("import: lists", "import: broken"),
            "lib/broken/admission.yaml:2: there is no variable nowhere before this; ",
        ),
        (("import: lists", "import: empty"), "lib/empty/admission.yaml:1: variables must be a list, not a number"),
        (("variables.lists.all", "variables.list.all"), "admission.yaml:4: there is no variable list before this; "),
        (("      variables.own", "      variables.mine"), "admission.yaml:7: there is no variable mine before this; "),
        (("name: own", "name: Own"), "admission.yaml:4: variables[2].name cannot be Own; write a name in camelCase"),
        (
            ("  - name: own\n    expression:", "  - expression:"),
            "admission.yaml:4: variables[2] is not valid; state import, name and expression, or name and value",
        ),
        (
            ("validations:", "validation:"),
            "admission.yaml:1: validations is missing\nadmission.yaml:6: validation is not a known key of ",
        ),
        ((ADMISSION, "a: ["), "admission.yaml:"),
    ],
)
def test_bad_admission_is_said(change: tuple[str, str], message: str) -> None:
    text = ADMISSION.replace(*change)
    assert text != ADMISSION
    with pytest.raises(PullguardError) as raised:
        admission(text)
    assert str(raised.value).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("value: a}", "value: c}"), "mutation.yaml:1: allowed is not a parameter that can list c; "),
        (("parameter: allowed", "parameter: label"), "mutation.yaml:1: label is not a parameter that can list a; "),
        (("field: spec.x", "fields: spec.x"), "mutation.yaml:10: "),
        (("limits: [It is small.]", "limits: []"), "mutation.yaml:12: assigns.limits is empty"),
        (("variables.base", "variables.bases"), "mutation.yaml:5: there is no variable bases before this; "),
    ],
)
def test_bad_mutation_is_said(change: tuple[str, str], message: str) -> None:
    text = MUTATION.replace(*change)
    assert text != MUTATION
    with pytest.raises(PullguardError) as raised:
        cel.mutation(text, "mutation.yaml", LIB, PARAMETERS)
    assert str(raised.value).startswith(message)
