"""The modules of templates: what is renamed, what stays, and what can be loaded together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.gatekeeper import ConstraintTemplate, RegoSource
from pullguard.engine.modules import Module, compatible_groups, entry_module, package_path, template_modules


def _template(name: str, *libs: str, rego: str = "package x\n", version: str = "v1") -> ConstraintTemplate:
    source = RegoSource(version, rego, libs)
    return ConstraintTemplate(
        file="t.yaml",
        name=name,
        kind=name.title(),
        policy=name,
        rules={},
        engines=("Rego",),
        source=source,
        parameters_schema=None,
        object={},
    )


@pytest.mark.parametrize(
    ("rego", "expected"),
    [
        ("package old\n\nx := 1\n", 'package policies["new"]\n\nx := 1\n'),
        ("package a.b.c # why\nx := 1", 'package policies["new"] # why\nx := 1'),
        ('package a["b c"].d\n', 'package policies["new"]\n'),
        (
            "# METADATA\n# title: package this\n\n \t\r\npackage\told; x := 1",
            '# METADATA\n# title: package this\n\n \t\r\npackage\tpolicies["new"]; x := 1',
        ),
        ("package old\npackage other\n", 'package policies["new"]\npackage other\n'),
        ("x := `package old`\n", "x := `package old`\n"),
        ("", ""),
        ("packages\n", "packages\n"),
    ],
)
def test_only_the_package_clause_changes(rego: str, expected: str) -> None:
    assert entry_module("new", rego) == expected
    assert entry_module("new", rego).count("\n") == rego.count("\n")


def test_names_are_quoted() -> None:
    assert entry_module('a-"b\\', "package x") == r'package policies["a-\"b\\"]'


@pytest.mark.parametrize(
    ("rego", "path"),
    [
        ("package lib.images\n", ("lib", "images")),
        ('package lib["a.b"].c\n', ("lib", "a.b", "c")),
        ('package lib["\\u00e9\\"x"]', ("lib", 'é"x')),
        ("# package no\npackage yes", ("yes",)),
        ("x := 1", ()),
        ("", ()),
    ],
)
def test_package_path(rego: str, path: tuple[str, ...]) -> None:
    assert package_path(rego) == path


def test_template_modules() -> None:
    lib = "package lib.a\n\nx := 1\n"
    other = 'package lib["b/../c"]\n\nx := 1\n'
    modules = template_modules(_template("new", lib, other, lib, rego="package old\n"))
    assert [module.text for module in modules] == [lib, other, 'package policies["new"]\n']
    assert [module.path.rpartition("-")[0] for module in modules[:2]] == ["lib/a-16", "lib/b____c-1e"]
    assert modules[-1].path == "policies/new.rego"
    assert template_modules(_template("else", lib))[0] == modules[0]


def test_template_without_rego_has_no_modules() -> None:
    template = _template("new")
    without = ConstraintTemplate(**{**{name: getattr(template, name) for name in template.__slots__}, "source": None})
    assert template_modules(without) == ()
    assert compatible_groups([without, template]) == [[template]]


@given(st.lists(st.text(alphabet="ab\n#", max_size=6), max_size=4, unique=True))
def test_paths_differ_where_texts_differ(bodies: list[str]) -> None:
    libs = [f"package lib.a\n{body}" for body in bodies]
    modules = template_modules(_template("new", *libs))
    assert len({module.path for module in modules}) == len(libs) + 1
    assert modules[:-1] == tuple(Module(module.path, text) for module, text in zip(modules, libs, strict=False))


_A1, _A2, _B, _A_B = "package lib.a\nx := 1", "package lib.a\nx := 2", "package lib.b\n", "package lib.a.b\n"


@pytest.mark.parametrize(
    ("templates", "groups"),
    [
        ([], []),
        ([("p", "v1", ()), ("q", "v1", ())], [["p", "q"]]),
        ([("p", "v1", (_A1,)), ("q", "v1", (_A1, _B))], [["p", "q"]]),
        ([("p", "v1", (_A1,)), ("q", "v1", (_A2,)), ("r", "v1", (_A1,))], [["p", "r"], ["q"]]),
        ([("p", "v1", (_A1, _A2)), ("q", "v1", (_A2, _A1)), ("r", "v1", (_A1,))], [["p", "q"], ["r"]]),
        ([("p", "v0", ()), ("q", "v1", ()), ("r", "v0", ())], [["p", "r"], ["q"]]),
        ([("p", "v1", ()), ("p", "v1", ())], [["p"], ["p"]]),
        ([("p", "v1", (_A1,)), ("q", "v1", (_A_B,)), ("r", "v1", (_B,))], [["p", "r"], ["q"]]),
        ([("p", "v1", (_A1, _A_B)), ("q", "v1", (_A_B,))], [["p", "q"]]),
    ],
)
def test_compatible_groups(templates: list[tuple[str, str, tuple[str, ...]]], groups: list[list[str]]) -> None:
    made = [_template(name, *libs, version=version) for name, version, libs in templates]
    assert [[template.name for template in group] for group in compatible_groups(made)] == groups
