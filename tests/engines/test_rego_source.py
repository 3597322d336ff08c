"""What Gatekeeper refuses or does not resolve in Rego that OPA takes."""

import re
from pathlib import Path

import pytest

from pullguard.core.errors import PullguardError
from pullguard.suites import rego_source
from pullguard.suites.rego_source import Reading


@pytest.mark.parametrize(
    "rego",
    [
        "package a\n\nviolation contains x if some x in input.y\n",
        "package a\n\nimport data.lib.b\nimport data.lib.c.d as e\nimport future.keywords.in\nimport future.keywords\n",
        "package a\n\nx := data.inventory.cluster\n",
        '# data.x import y\nx := "data.x $" # $\ny := `\nimport data.y $\n`\nz := input.data.import_.database\n',
        "import data.lib.b",
    ],
)
def test_common_modules_need_no_process(rego: str) -> None:
    assert rego_source.read(["/nowhere/opa"], "v1", rego, (rego,)) == Reading(rego, (rego,))


@pytest.mark.parametrize(
    "rego",
    [
        "package a\n\nx := data.lib.b\n",
        "package a\n\nx := data\n",
        'package a\n\nx := data["inventory"]\n',
        'package a\n\nimport data.lib["b"]\n',
        "package a\n\nimport rego.v1\n",
        "package a\n\nimport input\n",
        'package a\n\nx := $"{data.y}"\n',
        "package a\n\nx := data.inventory_x\n",
    ],
)
def test_uncommon_modules_need_one(rego: str) -> None:
    with pytest.raises(PullguardError, match=r"^/nowhere/opa cannot be run: "):
        rego_source.read(["/nowhere/opa"], "v1", rego, ())


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("import rego.v1", "it imports rego.v1; only data.lib.* and future.* can be imported"),
        ("import data.lib", None),
        ("import data.library", "it imports data.library; only data.lib.* and future.* can be imported"),
        ("import data", "it imports data; only data.lib.* and future.* can be imported"),
        ("import input.x as y", "it imports input.x; only data.lib.* and future.* can be imported"),
        ("x := data.lib.a", None),
        ("x := data.a[data.inventory]", "it refers to data.a; it can only refer to data.lib and data.inventory"),
        ("x := input[data.a]", None),
        ("x := [y | y := data]", "it refers to data; it can only refer to data.lib and data.inventory"),
        ('x := $"{data.a}"', "it refers to data.a; it can only refer to data.lib and data.inventory"),
        (
            "x := y if {\n\ty := 1 with data.a as 2\n}",
            "it refers to data.a; it can only refer to data.lib and data.inventory",
        ),
        ("x if not data.a.b.c", "it refers to data.a.b.c; it can only refer to data.lib and data.inventory"),
        ('x := data["a b"].c', "it refers to data.a b.c; it can only refer to data.lib and data.inventory"),
        ("x := data[input.a]", "it refers to data; it can only refer to data.lib and data.inventory"),
        ("x := data.a\n\ny := {", None),
    ],
)
def test_faults(opa: tuple[str, ...], body: str, fault: str | None) -> None:
    rego = f"package a\n\n{body}\n"
    assert rego_source.read(opa, "v1", rego, ()).fault == fault
    assert rego_source.read(opa, "v1", "package a\n", (rego,)).fault == fault


def test_faults_of_v0(opa: tuple[str, ...]) -> None:
    rego = "package a\n\nx { data.a }\n"
    assert rego_source.read(opa, "v0", rego, ()).fault == (
        "it refers to data.a; it can only refer to data.lib and data.inventory"
    )
    assert rego_source.read(opa, "v1", rego, ()).fault is None


_REFERENCES = """\
package a

import data.lib.b # data.lib.b

x := data.lib.y

x := [data.lib.n]

x := f(data.lib.n) if data.lib.y

x contains {"é": data.lib.n} if data.lib.y.f(data.lib.y, {data.lib.n})

x if {
	some z in data.lib.n
	every k in data.lib.y {
		k == data.lib.y[data.lib.n]
		"é" != data.lib.y; {data.lib.n} != "data.lib.n"
	}
	not data.lib.y with input as data.lib.y with input.q as [data.lib.n]
} else := data.lib.y if {
	count(data.lib.n) > 0
}
"""


def test_nested_references_are_not_resolved(opa: tuple[str, ...]) -> None:
    """y is referred to by itself, n inside of something."""
    reading = rego_source.read(opa, "v1", _REFERENCES, (_REFERENCES, "package lib.b\n"))
    assert reading.fault is None
    expected = re.sub(r'(?<!")data\.lib\.n', "data.li_.n", _REFERENCES)
    assert reading.rego == expected
    assert reading.libs == (expected, "package lib.b\n")


def test_type_check_is_added_in_the_templates_own_rego() -> None:
    v0, v1 = (rego_source.with_type_check(version, "package a\n") for version in ("v0", "v1"))
    assert v0.startswith("package a\n\npullguard_checks_types_ {\n\tviolation[")
    assert v1.startswith("package a\n\npullguard_checks_types_ if {\n\tviolation[")


def test_programs_that_are_not_opa(tmp_path: Path) -> None:
    other = tmp_path / "opa"
    other.write_text("#!/bin/sh\necho 'no such command' >&2\nexit 3\n")
    other.chmod(0o755)
    with pytest.raises(PullguardError, match=r"parse ended with code 3: no such command$"):
        rego_source.read([str(other)], "v1", "package a\n\nx := data\n", ())
