"""`check` with the real OPA and the real conftest, on libraries of others: what every engine must do alike."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import small_library as small
from pullguard.check.command import check
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding, Report
from pullguard.core.inputs.problems import InputError
from pullguard.generate.command import generate
from pullguard.judging import by_conftest
from pullguard.judging.prepare import JUDGES

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")


@pytest.fixture(params=JUDGES)
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def library(tmp_path: Path) -> str:
    return small.write_library(
        tmp_path / "lib",
        small.OWNER,
        small.TEAM,
        small.constraint("NeedsOwner", "everything-has-an-owner"),
        small.constraint("NeedsTeam", "everything-has-a-team", enforcementAction="warn"),
    )


def brief(report: Report) -> list[tuple[Any, ...]]:
    return [
        (found.file, found.line, found.object.name, found.policy, found.constraints, found.action, found.message)
        for found in report.findings
    ]


def names(report: Report) -> list[str]:
    return [found.object.name for found in report.findings]


def test_rego_v0_and_v1_side_by_side(tmp_path: Path, library: str, engine: str) -> None:
    file = small.write_manifests(
        tmp_path / "m.yaml",
        small.manifest("both", owner="me", team="we"),
        small.manifest("none"),
        small.manifest("team", team="we"),
    )
    report = check([file], library=library, engine=engine)
    assert report.errors == ()
    assert brief(report) == [
        (file, 4, "none", "needsowner", ("everything-has-an-owner",), "deny", "ConfigMap none has no label owner"),
        (file, 4, "none", "needsteam", ("everything-has-a-team",), "warn", "no team: none"),
        (file, 6, "team", "needsowner", ("everything-has-an-owner",), "deny", "ConfigMap team has no label owner"),
    ]
    assert report.findings[0] == Finding(
        rule="needsowner",
        severity="medium",
        policy="needsowner",
        constraints=("everything-has-an-owner",),
        action="deny",
        file=file,
        line=4,
        document=1,
        item=(),
        object=report.findings[0].object,
        container=None,
        image=None,
        message="ConfigMap none has no label owner",
        details={"wanted": "owner"},
        fingerprint=report.findings[0].fingerprint,
        namespace_assumed=False,
    )
    assert [found.details for found in report.findings] == [{"wanted": "owner"}, {}, {"wanted": "owner"}]
    assert (report.files, report.documents, report.objects) == (1, 3, 3)
    assert (report.library, report.notes) == (library, ())


def test_lists_and_stdin(library: str, engine: str) -> None:
    items = [
        small.manifest("a", team="we"),
        {"apiVersion": "v1", "kind": "List", "items": [small.manifest("b", team="we")]},
    ]
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1)
    report = check(["-"], library=library, engine=engine, stdin=io.BytesIO(text.encode()))
    assert [(found.file, found.document, found.object.name) for found in report.findings] == [
        ("<stdin>", 0, "a"),
        ("<stdin>", 0, "b"),
    ]
    lines = text.splitlines()
    assert [lines[found.line].strip() for found in report.findings] == ['"apiVersion": "v1",'] * 2
    assert [lines[found.line - 1].strip() for found in report.findings] == ["{", "{"]
    assert report.objects == 2


def test_a_broken_document_hides_nothing(tmp_path: Path, library: str, engine: str) -> None:
    good, bad = tmp_path / "good.yaml", tmp_path / "bad.yaml"
    small.write_manifests(good, small.manifest("good", team="we"))
    bad.write_text("kind: [\n---\n" + json.dumps(small.manifest("after", team="we")), encoding="utf-8")
    report = check([str(bad), str(tmp_path / "gone.yaml"), str(good)], library=library, engine=engine)
    assert names(report) == ["after", "good"]
    assert [(problem.file, problem.document) for problem in report.errors] == [
        (str(bad), 0),
        (str(tmp_path / "gone.yaml"), None),
    ]
    assert report.exit_code("deny") == 2


@pytest.fixture
def fragile(tmp_path: Path) -> str:
    return small.write_library(tmp_path / "fragile", small.FRAGILE, small.constraint("Fragile", "f"))


@pytest.mark.parametrize("bad", [{0}, {6}, {0, 3, 6}, {2, 3}, set(range(7)), set()])
def test_an_object_that_a_policy_fails_on_hides_nothing(
    tmp_path: Path, fragile: str, engine: str, bad: set[int]
) -> None:
    objects = [small.manifest(f"o{index}", one="yes", **({"two": "yes"} if index in bad else {})) for index in range(7)]
    file = small.write_manifests(tmp_path / "m.yaml", *objects)
    report = check([file], library=fragile, engine=engine)
    assert names(report) == [f"o{index}" for index in range(7) if index not in bad]
    assert [(problem.file, problem.line, problem.document) for problem in report.errors] == [
        (file, 2 * index + 2, index) for index in sorted(bad)
    ]
    for problem, index in zip(report.errors, sorted(bad), strict=True):
        assert problem.message.startswith(f"ConfigMap o{index} could not be judged: ")
        assert "policies/fragile.rego:4" in problem.message
        assert "conflicting values" in problem.message
        assert "\n" not in problem.message
    assert report.exit_code("dryrun") == (2 if bad else 1)


def test_batches_do_not_show(tmp_path: Path, library: str, engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    objects = [small.manifest(f"o{index}", team="we") for index in range(4)]
    file = small.write_manifests(tmp_path / "m.yaml", *objects)
    whole = check([file], library=library, engine=engine)
    assert names(whole) == [f"o{index}" for index in range(4)]
    for bytes_, count in [(1, 100), (10**9, 1), (10**9, 3), (200, 100)]:
        monkeypatch.setattr(by_conftest, "_BATCH_BYTES", bytes_)
        monkeypatch.setattr(by_conftest, "_BATCH_OBJECTS", count)
        assert check([file], library=library, engine=engine) == whole


def namespaced(tmp_path: Path, **match: Any) -> str:
    return small.write_library(tmp_path / "namespaced", small.OWNER, small.constraint("NeedsOwner", "c", match=match))


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, [("homeless", "", True), ("inside", "in", False)]),
        ({"namespace": "in"}, [("homeless", "in", False), ("inside", "in", False)]),
        ({"namespace": "out"}, [("inside", "in", False)]),
        ({"everywhere": True}, [("homeless", "", False), ("inside", "in", False), ("outside", "out", False)]),
        (
            {"everywhere": True, "namespace": "x"},
            [("homeless", "x", False), ("inside", "in", False), ("outside", "out", False)],
        ),
    ],
)
@pytest.mark.parametrize("match", [{"namespaces": ["in"]}, {"excludedNamespaces": ["o*"]}])
def test_namespaces_by_name(
    tmp_path: Path, engine: str, match: dict[str, Any], options: dict[str, Any], expected: list[tuple[Any, ...]]
) -> None:
    file = small.write_manifests(
        tmp_path / "m.yaml",
        small.manifest("homeless"),
        small.manifest("inside", namespace="in"),
        small.manifest("outside", namespace="out"),
    )
    report = check([file], library=namespaced(tmp_path, **match), engine=engine, **options)
    assert [
        (found.object.name, found.object.namespace, found.namespace_assumed) for found in report.findings
    ] == expected


@pytest.mark.parametrize(
    ("namespace", "options", "rules"),
    [
        (None, {}, ["pull-policy-always"]),
        (None, {"namespace": "kube-system"}, ["pull-policy-implied", "pull-policy-always"]),
        (None, {"everywhere": True}, ["pull-policy-implied", "pull-policy-always"]),
        ("kube-system", {}, ["pull-policy-implied", "pull-policy-always"]),
        ("shop", {}, []),
    ],
)
def test_a_policy_that_is_implied_matters_where_the_namespace_is_known_to_be_protected(
    tmp_path: Path, engine: str, namespace: str | None, options: dict[str, Any], rules: list[str]
) -> None:
    """Nearly every manifest leaves some of them to the API server."""
    pod = {
        **small.manifest("p", kind="Pod", namespace=namespace),
        "spec": {"containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "x"}]},
    }
    file = small.write_manifests(tmp_path / "m.yaml", pod)
    report = check([file], library="builtin", engine=engine, **options)
    found = [found.rule for found in report.findings if found.policy == "protected_pull_policy"]
    assert sorted(found, reverse=True) == rules


def test_a_policy_that_is_implied_waits_for_the_labels_of_the_namespace(
    tmp_path: Path, checkout: Path, engine: str
) -> None:
    """What is not known when a pod is judged may be read later."""
    config = tmp_path / "pullguard.yaml"
    config.write_text("protectedNamespaces: {selector: {matchLabels: {critical: 'yes'}}}\n", "utf-8")
    generate(config, tmp_path / "library", rego=checkout / "rego")
    pod = {
        **small.manifest("p", kind="Pod", namespace="shop"),
        "spec": {"containers": [{"name": "a", "image": "x:1"}]},
    }
    of_namespace = small.manifest("shop", kind="Namespace", critical="yes")
    for objects, rules in [([pod], []), ([pod, of_namespace], ["pull-policy-implied"])]:
        file = small.write_manifests(tmp_path / "m.yaml", *objects)
        report = check([file], library=str(tmp_path / "library"), engine=engine)
        assert [found.rule for found in report.findings] == rules


def selector(**labels: str) -> dict[str, Any]:
    return {"namespaceSelector": {"matchLabels": labels}}


@pytest.mark.parametrize("order", ["first", "last", "between"])
def test_namespaces_by_label(tmp_path: Path, engine: str, order: str) -> None:
    inside, outside = (
        small.manifest(name, kind="Namespace", owner="me", **labels)
        for name, labels in [("in", {"x": "y"}), ("out", {})]
    )
    objects = [small.manifest(f"of-{name}", namespace=name) for name in ("in", "out", "unknown")]
    objects.append(small.manifest("homeless"))
    ordered = {
        "first": [inside, outside, *objects],
        "last": [*objects, outside, inside],
        "between": [objects[0], inside, objects[1], outside, *objects[2:]],
    }[order]
    file = small.write_manifests(tmp_path / "m.yaml", *ordered)
    library = namespaced(tmp_path, **selector(x="y"))
    report = check([file], library=library, engine=engine)
    assert [(found.object.name, found.namespace_assumed) for found in report.findings] == [
        ("of-in", False),
        ("of-unknown", True),
        ("homeless", True),
    ]
    given_one = check([file], library=library, engine=engine, namespace="out")
    assert [(found.object.name, found.namespace_assumed) for found in given_one.findings] == [
        ("of-in", False),
        ("of-unknown", True),
    ]
    everywhere = check([file], library=library, engine=engine, everywhere=True)
    assert names(everywhere) == [obj["metadata"]["name"] for obj in ordered if obj["kind"] != "Namespace"]


def test_a_known_namespace_takes_back_one_constraint_of_two(tmp_path: Path, engine: str) -> None:
    library = small.write_library(
        tmp_path / "lib",
        small.OWNER,
        small.constraint("NeedsOwner", "by-label", enforcementAction="deny", match=selector(x="y")),
        small.constraint("NeedsOwner", "by-name", enforcementAction="warn", match={"namespaces": ["out"]}),
    )
    pod = small.manifest("p", namespace="out")
    namespace = small.manifest("out", kind="Namespace", owner="me")
    file = small.write_manifests(tmp_path / "m.yaml", pod)
    found = check([file], library=library, engine=engine).findings[0]
    assert (found.constraints, found.action, found.namespace_assumed) == (("by-label", "by-name"), "deny", False)
    small.write_manifests(tmp_path / "m.yaml", pod, namespace)
    found = check([file], library=library, engine=engine).findings[0]
    assert (found.constraints, found.action, found.namespace_assumed) == (("by-name",), "warn", False)


def test_namespaces_that_contradict_each_other_are_not_known(tmp_path: Path, engine: str) -> None:
    twins = [small.manifest("in", kind="Namespace", owner="me", **labels) for labels in ({"x": "y"}, {"x": "z"})]
    file = small.write_manifests(tmp_path / "m.yaml", twins[0], small.manifest("p", namespace="in"), *twins[1:])
    report = check([file], library=namespaced(tmp_path, **selector(x="y")), engine=engine)
    assert [(found.object.name, found.namespace_assumed) for found in report.findings] == [("p", True)]
    assert report.notes == ("the input has Namespaces in with different labels, so none of them was used",)


def test_scoped_enforcement(tmp_path: Path, engine: str) -> None:
    def scoped(name: str, **points: str) -> dict[str, Any]:
        actions = [
            {"action": action, "enforcementPoints": [{"name": f"{point}.gatekeeper.sh"}]}
            for point, action in points.items()
        ]
        return small.constraint("NeedsOwner", name, enforcementAction="scoped", scopedEnforcementActions=actions)

    library = small.write_library(
        tmp_path / "lib", small.OWNER, scoped("a", gator="warn", audit="deny"), scoped("b", validation="deny")
    )
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    found = check([file], library=library, engine=engine).findings
    assert [(one.constraints, one.action) for one in found] == [(("a",), "warn")]


def test_numbers_that_python_cannot_hold(tmp_path: Path, engine: str) -> None:
    echo = small.template("Echo", 'package echo\n\nviolation contains {"msg": "m", "details": input.review.object.x}\n')
    library = small.write_library(tmp_path / "lib", echo, small.constraint("Echo", "c"))
    file = tmp_path / "m.json"
    digits = "9" * 5000
    text = '{"kind": "X", "apiVersion": "v1", "x": [DIGITS, 1e999, 7, 0.5]}'.replace("DIGITS", digits)
    file.write_text(text, encoding="utf-8")
    report = check([str(file)], library=library, engine=engine)
    json.dumps([found.details for found in report.findings], allow_nan=False)
    assert len(report.findings) + len(report.errors) == 1


def test_defaults_of_parameters_reach_the_policy(tmp_path: Path, engine: str) -> None:
    library = small.write_library(
        tmp_path / "lib",
        small.OWNER,
        small.constraint("NeedsOwner", "a"),
        small.constraint("NeedsOwner", "b", parameters={"label": "x"}),
        small.constraint("NeedsOwner", "c", parameters={"label": None}),
    )
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    found = check([file], library=library, engine=engine).findings
    assert [(one.constraints, one.message) for one in found] == [
        (("a", "c"), "ConfigMap p has no label owner"),
        (("b",), "ConfigMap p has no label x"),
    ]


def test_what_a_library_of_others_lacks_is_said(tmp_path: Path, engine: str) -> None:
    cel = small.template("CelOnly", "")
    cel["spec"]["targets"][0]["code"] = [{"engine": "K8sNativeValidation", "source": {"validations": []}}]
    library = small.write_library(
        tmp_path / "lib",
        small.OWNER,
        small.TEAM,
        cel,
        small.constraint("NeedsOwner", "a"),
        small.constraint("CelOnly", "b"),
    )
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    report = check([file], library=library, engine=engine)
    assert names(report) == ["p"]
    assert report.notes == (
        "NeedsTeam has no constraint in the library, so nothing was judged by it",
        "CelOnly has no Rego, so nothing was judged by it",
    )


def test_a_library_without_anything_to_run(tmp_path: Path) -> None:
    cel = small.template("CelOnly", "")
    cel["spec"]["targets"][0]["code"] = [{"engine": "K8sNativeValidation", "source": {"validations": []}}]
    library = small.write_library(tmp_path / "lib", cel, small.constraint("CelOnly", "b"))
    with pytest.raises(PullguardError) as error:
        check([str(tmp_path)], library=library)
    assert str(error.value) == (
        f"{library}: holds no constraint whose template has Rego, so nothing can be judged by it; "
        "name another library with --library"
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"match": {"namespaces": "kube-system"}}, 'spec.match.namespaces: "kube-system" is not of type "array"'),
        ({"match": "all"}, "its spec.match is not an object"),
        ({"parameters": {"label": 1}}, 'spec.parameters.label: 1 is not of type "string"'),
    ],
)
def test_a_constraint_that_gatekeeper_refuses(tmp_path: Path, spec: dict[str, Any], reason: str) -> None:
    library = small.write_library(tmp_path / "lib", small.OWNER, small.constraint("NeedsOwner", "c", **spec))
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    with pytest.raises(PullguardError) as error:
        check([file], library=library)
    assert str(error.value) == f"{library}/01.yaml: Gatekeeper refuses the constraint c: {reason}"


def test_a_generated_library_that_was_edited(tmp_path: Path, checkout: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(checkout / "library", library)
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    assert check([file], library=str(library)).errors == ()
    constraints = library / "policies" / "protected_pull_policy" / "constraints.yaml"
    text = constraints.read_text(encoding="utf-8")
    constraints.write_text(text.replace("scope: Namespaced", "scope: 1"), encoding="utf-8")
    with pytest.raises(PullguardError, match=r'refuses the constraint .*: spec.match.scope: 1 is not of type "string"'):
        check([file], library=str(library))


@pytest.mark.parametrize(
    ("rego", "reason"),
    [
        ("package broken\n\nviolation contains {", "policies/broken.rego:3: unexpected"),
        ("package broken\n\nviolation contains 1 if nowhere(1)", "policies/broken.rego:3: undefined function nowhere"),
    ],
)
def test_a_policy_that_cannot_be_loaded(tmp_path: Path, engine: str, rego: str, reason: str) -> None:
    library = small.write_library(tmp_path / "lib", small.template("Broken", rego), small.constraint("Broken", "b"))
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    with pytest.raises(PullguardError) as error:
        check([file], library=library, engine=engine)
    assert reason.removeprefix("policies/broken.rego:3: ") in str(error.value)
    assert "policies/broken.rego:3" in str(error.value)
    assert "\n" not in str(error.value)


def test_options_of_the_engines_in_the_environment_are_not_ours(
    tmp_path: Path, library: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p", team="we"))
    expected = check([file], library=library, engine=engine)
    for name, value in {
        "OPA_EVAL_FORMAT": "pretty",
        "OPA_EVAL_FAIL_DEFINED": "true",
        "CONFTEST_NO_FAIL": "true",
        "CONFTEST_COMBINE": "true",
        "CONFTEST_CONFIG_FILE": "/nowhere.toml",
        "CONFTEST_IGNORE": ".*",
    }.items():
        monkeypatch.setenv(name, value)
    assert check([file], library=library, engine=engine) == expected


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n", "a: 1\n", "- 1\n---\ntext\n"])
def test_nothing_was_checked(tmp_path: Path, library: str, text: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    file = folder / "m.yaml"
    file.write_text(text, encoding="utf-8")
    message = "nothing was checked: there is no Kubernetes object in it"

    named = check([str(file)], library=library)
    assert (named.objects, named.errors, named.exit_code("dryrun")) == (0, (), 0)
    assert named.notes == ("nothing was checked: there is no Kubernetes object in the input",)

    below = check([str(folder)], library=library)
    assert below.errors == (InputError(str(folder), None, None, message),)
    assert below.exit_code("deny") == 2

    piped = check(["-", str(file)], library=library, stdin=io.BytesIO(text.encode()))
    assert [problem.file for problem in piped.errors] == ["<stdin>"]
    assert piped.exit_code("deny") == 2


def test_objects_that_no_policy_is_about_are_fine(tmp_path: Path, library: str) -> None:
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p", team="we", owner="me"))
    report = check([file], library=library)
    assert (report.objects, report.findings, report.errors, report.notes) == (1, (), (), ())
    assert report.exit_code("dryrun") == 0


_BUILTIN = "the one that comes with pullguard"
_NOT_OURS = "./library was not written by pullguard, so it was not used; if it is meant, add --library ./library"


def test_a_library_of_its_own_in_the_working_directory(
    tmp_path: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(checkout / "library", tmp_path / "library")
    monkeypatch.chdir(tmp_path)
    small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    assert (check(["m.yaml"]).library, check(["m.yaml"], library="builtin").library) == ("./library", _BUILTIN)


@pytest.mark.parametrize(
    "manifest",
    [
        *(None, "", "\0\n", "policies/x/template.yaml\n"),
        *(f"{'0' * 64}  {path}\n" for path in ("policies.txt", "policies/x/other.yaml", "x/template.yaml")),
    ],
)
@pytest.mark.parametrize(
    "objects",
    [[small.OWNER, small.constraint("NeedsOwner", "c")], [small.OWNER], [{"apiVersion": "broken"}]],
    ids=["whole", "no constraint", "no template"],
)
def test_a_library_of_others_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, objects: list[dict[str, Any]], manifest: str | None
) -> None:
    folder = tmp_path / "library" / "owner"
    folder.mkdir(parents=True)
    (folder / "template.yaml").write_text("\n---\n".join(map(json.dumps, objects)), encoding="utf-8")
    if manifest is not None:
        (tmp_path / "library" / "MANIFEST").write_text(manifest)
    monkeypatch.chdir(tmp_path)
    small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    report = check(["m.yaml"])
    assert (report.library, names(report), report.notes) == (_BUILTIN, [], (_NOT_OURS,))
    report = check(["m.yaml"], library="builtin")
    assert (report.library, names(report), report.notes) == (_BUILTIN, [], ())


def test_another_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "books.yaml").write_text("- one\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    report = check(["m.yaml"])
    assert (report.library, report.notes) == (_BUILTIN, (_NOT_OURS,))
    assert report.exit_code("dryrun") == 0
    (tmp_path / "library" / "books.yaml").unlink()
    (tmp_path / "library").rmdir()
    report = check(["m.yaml"])
    assert (report.library, report.notes) == (_BUILTIN, ())


def test_a_library_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match="is not a folder"):
        check([str(tmp_path)], library=str(tmp_path / "nowhere"))


# One process that checks, with a conftest that takes its time, and what is left of both when it is told to end.

_SLOW = """\
import sys
from pullguard.check.command import check
from pullguard.judging import by_conftest
by_conftest.find_tool = lambda _: sys.argv[3]
check([sys.argv[1]], library=sys.argv[2], engine="conftest")
"""


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def slow(tmp_path: Path, library: str) -> Iterator[tuple["subprocess.Popen[bytes]", int, Path]]:
    """Start a check whose conftest waits on a pipe that nobody writes to; return it, conftest's id and its TMPDIR."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    pid = tmp_path / "pid"
    program = tmp_path / "conftest"
    program.write_text(f"#!/bin/sh\necho $$ >{pid}.new && mv {pid}.new {pid}\nexec sleep 60\n", encoding="utf-8")
    program.chmod(0o700)
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    process = subprocess.Popen(
        [sys.executable, "-c", _SLOW, file, library, str(program)],
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(pid.exists)
        yield process, int(pid.read_text(encoding="utf-8")), temporary
    finally:
        process.kill()
        process.wait()


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True
    return state in {"Z", "X"}


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGTERM, 128 + signal.SIGTERM), (signal.SIGHUP, 128 + signal.SIGHUP), (signal.SIGINT, -signal.SIGINT)],
)
def test_nothing_is_left_behind(
    slow: tuple["subprocess.Popen[bytes]", int, Path], number: signal.Signals, code: int
) -> None:
    process, pid, temporary = slow
    (folder,) = temporary.iterdir()
    assert folder.stat().st_mode & 0o777 == 0o700
    process.send_signal(number)
    assert process.wait(120) == code
    wait_for(lambda: is_gone(pid))
    assert left_in(temporary) == []


def test_conftest_ends_when_pullguard_is_killed(slow: tuple["subprocess.Popen[bytes]", int, Path]) -> None:
    process, pid, _ = slow
    assert not is_gone(pid)
    process.kill()
    process.wait(120)
    wait_for(lambda: is_gone(pid))


def test_nothing_is_left_behind_in_the_end(
    tmp_path: Path, library: str, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p"))
    before = signal.getsignal(signal.SIGTERM)
    assert names(check([file], library=library, engine=engine)) == ["p", "p"]
    assert left_in(temporary) == []
    assert signal.getsignal(signal.SIGTERM) is before


OBJECTS = st.lists(
    st.builds(
        small.manifest,
        st.sampled_from(["a", "b", "in"]),
        kind=st.sampled_from(["Pod", "Namespace", "ClusterRole", "ConfigMapList"]),
        namespace=st.sampled_from([None, "in", "out"]),
        owner=st.sampled_from(["me"]),
        x=st.sampled_from(["y", "z"]),
    )
    | st.builds(small.manifest, st.sampled_from(["a", "b", "in"]), kind=st.sampled_from(["Pod", "Namespace"])),
    max_size=6,
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(objects=OBJECTS, namespace=st.sampled_from(["", "in", "else"]), everywhere=st.booleans())
def test_the_engines_agree(tmp_path: Path, objects: list[Any], namespace: str, everywhere: bool) -> None:
    library = str(tmp_path / "lib")
    if not Path(library).exists():
        small.write_library(
            tmp_path / "lib",
            small.OWNER,
            small.TEAM,
            small.constraint("NeedsOwner", "a", enforcementAction="warn", match={"namespaces": ["in"]}),
            small.constraint("NeedsOwner", "b", match=selector(x="y")),
            small.constraint("NeedsTeam", "c", enforcementAction="dryrun", match={"excludedNamespaces": ["out"]}),
        )
    file = small.write_manifests(tmp_path / "m.yaml", {"kind": "X", "metadata": {"name": "x"}}, *objects)
    options: dict[str, Any] = {"library": library, "namespace": namespace, "everywhere": everywhere}
    assert check([file], engine="conftest", **options) == check([file], engine="opa", **options)
