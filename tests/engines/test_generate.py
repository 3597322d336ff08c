import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import jsonschema_rs
import pytest
import yaml

from policy_tree import CLUSTER, NAMES, REGO, SECOND, TEXTS, policy, write_tree
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.engine.protocol import Engine
from pullguard.generate.command import generate
from pullguard.generate.formats.text import write
from pullguard.init import InitResult, init
from pullguard.library import config, policies, store
from pullguard.library.policies import Sources
from pullguard.library.render import render
from pullguard.library.render.yaml_text import block, dump
from pullguard.library.store import Difference
from shared_engine import ENGINE

NAMES_ONLY = "protectedNamespaces: {names: [kube-system, '*-protected']}\n"
BOTH = NAMES_ONLY.replace("names:", "selector: {matchLabels: {protected: 'true'}}, names:")

Run = Callable[..., CompletedProcess[str]]


Make = Callable[..., Path]


# -- the command --------------------------------------------------------------------------------------------------


def test_generate_writes_checks_and_follows_its_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rego = write_tree(tmp_path)
    stated = Path("pullguard.yaml")
    out = Path("library")
    stated.write_text(NAMES_ONLY)

    first = generate(None, out, check=True, rego=rego)
    assert (first.out, first.difference.changed, first.difference.stale) == (out, (), ())
    assert "policies/required_label/template.yaml" in first.difference.missing
    assert not out.exists()

    written = generate(None, out, rego=rego)
    assert (written.difference, written.files) == (first.difference, first.files)
    assert (first.exit_code, written.exit_code) == (1, 0)
    assert written.files == len(written.difference.missing) - 1
    assert generate(None, out, check=True, rego=rego).difference == Difference((), (), ())

    stated.write_text(NAMES_ONLY + "enforcement: deny\n")
    folder = "policies/required_label"
    pages = ("MANIFEST", "README.md", "chart/values.yaml", f"{folder}/README.md", f"{folder}/constraints.yaml")
    changed = Difference((), pages, ())
    assert generate(None, out, check=True, rego=rego).difference == changed
    assert generate(stated, out, rego=rego).difference == changed

    (rego / "policies/required_label/samples/with.yaml").unlink()
    (rego / "policies/required_label/samples/more.yaml").write_text("a: 1\n")
    renamed = Difference(
        ("policies/required_label/samples/more.yaml",),
        ("MANIFEST", "policies/required_label/README.md"),
        ("policies/required_label/samples/with.yaml",),
    )
    assert generate(None, out, check=True, rego=rego).difference == renamed
    assert generate(None, out, rego=rego).difference == renamed
    assert generate(None, out, check=True, rego=rego).difference == Difference((), (), ())


def test_errors_of_all_parts_come_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    rego = write_tree(tmp_path)
    out = tmp_path / "library"
    with pytest.raises(PullguardError, match=r"^pullguard.yaml: there is no such file; `pullguard init` writes one"):
        generate(None, out, rego=rego)
    Path("bad.yaml").write_text("protectedNamespaces: {names: [A]}\n")
    with pytest.raises(PullguardError, match=r"^bad.yaml:1: protectedNamespaces.names\[0\] cannot be A; "):
        generate(Path("bad.yaml"), out, rego=rego)
    Path("pullguard.yaml").write_text(NAMES_ONLY + "policies: {required_label: {enabled: false}}\n")
    with pytest.raises(PullguardError, match=r"^the configuration leaves no policy; "):
        generate(None, out, rego=rego)
    (rego / "policies/required_label/suite.yaml").unlink()
    with pytest.raises(PullguardError, match=r"^rego/policies/required_label: suite.yaml is missing; "):
        generate(None, out, rego=rego)
    assert not out.exists()


def test_the_library_of_the_checkout_is_in_step(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)
    assert generate(None, Path("library"), check=True).difference == Difference((), (), ())


# -- what Gatekeeper, kubectl and conftest make of it -------------------------------------------------------------


@pytest.mark.parametrize("text", [NAMES_ONLY, BOTH], ids=["names", "both"])
def test_gator_verifies_the_library(make: Make, gator: Path, run: Run, text: str) -> None:
    out = make(text, SECOND)
    done = run(gator, "verify", f"{out}/...")
    assert (done.returncode, done.stderr, done.stdout.splitlines()[-2:]) == (0, "", ["PASS", ""])
    suites = sorted(line.split("\t")[1] for line in done.stdout.splitlines() if line.startswith("ok\t"))
    assert suites == [f"{out}/policies/{name}/suite.yaml" for name in ("other_label", "required_label")]


POD = "apiVersion: v1\nkind: Pod\nmetadata: {{name: {0}, namespace: {0}}}\n"
NAMESPACE = "apiVersion: v1\nkind: Namespace\nmetadata: {{name: {0}, labels: {{protected: '{1}'}}}}\n"


def test_gatekeeper_protects_namespaces_by_name_and_by_label(make: Make, gator: Path, run: Run, tmp_path: Path) -> None:
    out = make(BOTH)
    objects = [POD.format(name) for name in ("kube-system", "a-protected", "labelled", "other")]
    objects += [
        NAMESPACE.format("kube-system", "no"),
        NAMESPACE.format("a-protected", "true"),
        NAMESPACE.format("labelled", "true"),
        NAMESPACE.format("other", "false"),
    ]
    (tmp_path / "objects.yaml").write_text("---\n".join(objects))
    files = [out / "templates/required_label.yaml", out / "policies/required_label/constraints.yaml"]
    done = run(gator, "test", "-o", "json", *(f"--filename={path}" for path in [*files, tmp_path / "objects.yaml"]))
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(
        (answer["violatingObject"]["metadata"]["name"], answer["constraint"]["metadata"]["name"], answer["msg"])
        for answer in json.loads(done.stdout)
    ) == [
        ("a-protected", "required-label-by-label", "Pod a-protected has no label owner"),
        ("a-protected", "required-label-by-name", "Pod a-protected has no label owner"),
        ("kube-system", "required-label-by-name", "Pod kube-system has no label owner"),
        ("labelled", "required-label-by-label", "Pod labelled has no label owner"),
    ]


SELECTORS: list[dict[str, Any]] = [
    {"matchLabels": {"a": "b"}},
    {"matchLabels": {"example.com/a_B.c": ""}},
    {"matchLabels": {"a b": "c"}},
    {"matchLabels": {"Example.com/a": "c"}},
    {"matchLabels": {"/a": "c"}},
    {"matchLabels": {"a/b/c": "c"}},
    {"matchLabels": {"a": "-b"}},
    {"matchLabels": {"a": "b" * 64}},
    {"matchLabels": {"a" * 64: "b"}},
    {"matchLabels": {"a" * 253 + "/b": "c"}},
    {"matchLabels": {"a" * 254 + "/b": "c"}},
    {"matchExpressions": [{"key": "a", "operator": "In", "values": ["b"]}]},
    {"matchExpressions": [{"key": "a", "operator": "In"}]},
    {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": []}]},
    {"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b c"]}]},
    {"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]},
    {"matchExpressions": [{"key": "a", "operator": "DoesNotExist", "values": []}]},
    {"matchExpressions": [{"key": "a", "operator": "exists"}]},
    {"matchExpressions": [{"operator": "Exists"}]},
]
GLOBS = ["a", "*", "*a", "a*", "*a*", "**", "a:b", "A", "a*b", "a_b", "***", " a"]
MATCHES = [{"namespaceSelector": selector} for selector in SELECTORS] + [{"namespaces": [glob]} for glob in GLOBS]


@pytest.mark.parametrize("match", MATCHES, ids=lambda match: dump(match).replace("\n", " ")[:60])
def test_the_configuration_refuses_what_gatekeeper_refuses(
    gator: Path, run: Run, tmp_path: Path, match: dict[str, Any]
) -> None:
    stated = {
        "names": match.get("namespaces"),
        "selector": match.get("namespaceSelector"),
    }
    ours = jsonschema_rs.Draft202012Validator(config.schema((policy(),))).is_valid(
        {"protectedNamespaces": {key: value for key, value in stated.items() if value is not None}}
    )
    files = render(Sources((policy(),), ()), config.parse(ENGINE, NAMES_ONLY, "", (policy(),)))
    (tmp_path / "template.yaml").write_text(files["templates/required_label.yaml"])
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sRequiredLabel",
        "metadata": {"name": "x"},
        "spec": {"enforcementAction": "dryrun", "match": match},
    }
    (tmp_path / "constraint.yaml").write_text(json.dumps(constraint))
    done = run(gator, "test", f"--filename={tmp_path / 'template.yaml'}", f"--filename={tmp_path / 'constraint.yaml'}")
    assert ours == (done.returncode == 0), done.stderr


@pytest.mark.parametrize(
    ("folder", "action"),
    [
        ("audit", "dryrun"),
        ("warn", "warn"),
        ("deny", "deny"),
        ("audit/required_label", "dryrun"),
        ("warn/required_label", "warn"),
        ("deny/required_label", "deny"),
        ("policies", "warn"),
        ("policies/required_label", "warn"),
    ],
)
def test_kustomizations_build(make: Make, kubectl: str, run: Run, folder: str, action: str) -> None:
    out = make(BOTH + "policies: {required_label: {enforcement: warn}}\n")
    done = run(kubectl, "kustomize", out / folder)
    assert (done.returncode, done.stderr) == (0, "")
    objects = list(yaml.safe_load_all(done.stdout))
    assert sorted(
        (entry["kind"], entry["metadata"]["name"], dig(entry, "spec", "enforcementAction")) for entry in objects
    ) == [
        ("ConstraintTemplate", "k8srequiredlabel", None),
        ("K8sRequiredLabel", "required-label-by-label", action),
        ("K8sRequiredLabel", "required-label-by-name", action),
    ]


@pytest.mark.parametrize(
    ("folder", "actions"),
    [
        ("policies", ["Audit"]),
        ("audit", ["Audit"]),
        ("warn", ["Warn", "Audit"]),
        ("deny", ["Deny"]),
        ("deny/protected_pull_policy", ["Deny"]),
        ("policies/protected_pull_policy", ["Audit"]),
    ],
)
def test_kustomizations_of_admission_policies_build(
    checkout: Path, kubectl: str, run: Run, folder: str, actions: list[str]
) -> None:
    twins = sorted(path.parent.name for path in (checkout / "rego/policies").glob("*/admission.yaml"))
    done = run(kubectl, "kustomize", checkout / "library/admission" / folder)
    assert (done.returncode, done.stderr) == (0, "")
    built = [(obj["kind"], obj["metadata"]["name"], obj["spec"]) for obj in yaml.safe_load_all(done.stdout)]
    names = [name.replace("_", "-") for name in (twins if "/" not in folder else folder.split("/")[1:])]
    assert [name for kind, name, _ in built if kind == "ValidatingAdmissionPolicy"] == names
    bindings = [(name, spec["validationActions"]) for kind, name, spec in built if kind != "ValidatingAdmissionPolicy"]
    ends = ("gatekeeper-namespace", "ignored-namespaces")
    assert bindings == [(f"{name}-{end}", actions) for name in names for end in ends]


@pytest.mark.parametrize(
    ("folder", "kinds"),
    [
        ("kubernetes", {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}),
        ("elsewhere", {"MutatingAdmissionPolicy", "MutatingAdmissionPolicyBinding"}),
        ("gatekeeper", {"Assign"}),
    ],
)
def test_kustomizations_of_mutation_build(checkout: Path, kubectl: str, run: Run, folder: str, kinds: set[str]) -> None:
    for path in (folder, f"{folder}/protected_pull_policy"):
        done = run(kubectl, "kustomize", checkout / "library/mutation" / path)
        assert (done.returncode, done.stderr) == (0, "")
        assert {obj["kind"] for obj in yaml.safe_load_all(done.stdout)} == kinds


def test_a_level_takes_all_policies_and_leaves_the_rest_of_them_alone(make: Make, kubectl: str, run: Run) -> None:
    out = make(BOTH, SECOND)
    done = run(kubectl, "kustomize", out / "deny")
    assert (done.returncode, done.stderr) == (0, "")
    built = {(entry["kind"], entry["metadata"]["name"]): entry for entry in yaml.safe_load_all(done.stdout)}
    loaded = store.load(ENGINE, out)
    expected = {("ConstraintTemplate", template.name): dict(template.object) for template in loaded.templates}
    for constraint in loaded.constraints:
        spec = {**constraint.object["spec"], "enforcementAction": "deny"}
        expected[constraint.kind, constraint.name] = {**constraint.object, "spec": spec}
    assert built == expected


@pytest.mark.parametrize(
    ("folder", "host", "label"),
    [
        ("audit", "dryrun", "dryrun"),
        ("warn", "warn", "warn"),
        ("deny", "warn", "deny"),
        ("policies", "warn", "dryrun"),
        ("warn/known_host", "warn", None),
        ("policies/known_host", "warn", None),
    ],
)
def test_a_level_that_a_policy_does_not_offer_is_never_built(  # noqa: PLR0917 - fixtures
    make: Make, kubectl: str, run: Run, folder: str, host: str, label: str | None
) -> None:
    out = make(NAMES_ONLY + "policies: {known_host: {enforcement: warn}}\n", CLUSTER)
    done = run(kubectl, "kustomize", out / folder)
    assert (done.returncode, done.stderr) == (0, "")
    built = {
        (entry["kind"], entry["metadata"]["name"]): dig(entry, "spec", "enforcementAction")
        for entry in yaml.safe_load_all(done.stdout)
    }
    expected = {
        ("ConstraintTemplate", "k8sknownhost"): None,
        ("SyncSet", "known-host"): None,
        ("K8sKnownHost", "known-host"): host,
    }
    if label is not None:
        expected["ConstraintTemplate", "k8srequiredlabel"] = None
        expected["K8sRequiredLabel", "required-label-by-name"] = label
    assert built == expected


def test_gator_finds_that_the_syncset_is_what_the_template_needs(
    make: Make, gator: Path, run: Run, tmp_path: Path
) -> None:
    out = make(BOTH, CLUSTER)
    template, syncset = out / "templates/known_host.yaml", out / "templates/known_host.syncset.yaml"
    done = run(gator, "sync", "test", "--force-omit-gvk-manifest", f"--filename={template}", f"--filename={syncset}")
    assert (done.returncode, done.stderr) == (0, "")
    value = yaml.safe_load(syncset.read_text("utf-8"))
    value["spec"]["gvks"].pop()
    (tmp_path / "less.yaml").write_text(json.dumps(value))
    less = f"--filename={tmp_path / 'less.yaml'}"
    done = run(gator, "sync", "test", "--force-omit-gvk-manifest", f"--filename={template}", less)
    assert done.returncode == 1
    assert "k8sknownhost:\n- apps/v1:Deployment\n" in done.stderr


def test_gatekeeper_judges_objects_without_a_namespace_by_the_parameter(
    make: Make, gator: Path, run: Run, tmp_path: Path
) -> None:
    out = make("protectedNamespaces: {names: [kube-system, here]}\n", CLUSTER)
    service = (
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\n"
        "metadata: {{name: {0}}}\nspec: {{service: {{namespace: {0}}}}}\n"
    )
    (tmp_path / "objects.yaml").write_text("---\n".join(map(service.format, ("here", "there", "kube-system"))))
    files = [out / "templates/known_host.yaml", out / "policies/known_host/constraints.yaml", tmp_path / "objects.yaml"]
    done = run(gator, "test", "-o", "json", *(f"--filename={path}" for path in files))
    assert (done.returncode, done.stderr) == (0, "")
    assert [
        (answer["violatingObject"]["metadata"]["name"], answer["constraint"]["metadata"]["name"], answer["msg"])
        for answer in json.loads(done.stdout)
    ] == [("there", "known-host", "there is not protected")]


def test_templates_stand_alone(make: Make, kubectl: str, run: Run) -> None:
    done = run(kubectl, "kustomize", make(BOTH, SECOND) / "templates")
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(entry["metadata"]["name"] for entry in yaml.safe_load_all(done.stdout)) == [
        "k8sotherlabel",
        "k8srequiredlabel",
    ]


#: Texts that break naive block scalars, and values that the readers of Go and Python take for different things.
AWKWARD = [
    "a",
    "a\n\n\n",
    "   a\nb\n",
    "\n\na\n",
    "      \na\n",
    "\ta\n\t\tb\n",
    "a  \n    \nb\t\n",
    "a\n   ",
    "\n",
    "",
    f"{'long ' * 5000}\n",
    "a\r\nb\r",
    "---\n...\n# a\n",
    "a\x85b\u2028c\n",
    "\x00\x07\x7f\ufeff\U0001f600\ufffe\n",
    "\"'\\\n",
]
DOUBTFUL = [
    "0o17",
    "017",
    "1e3",
    "y",
    "No",
    "12:30",
    "=",
    "~",
    "<<",
    "0x1F",
    "1_0",
    "2020-01-01",
    ".inf",
    "a: b",
    " a",
    "#",
]


def test_the_yaml_readers_of_go_read_what_is_written(conftest_binary: Path, run: Run, tmp_path: Path) -> None:
    texts = "\n".join(f"  - {block(text, 4)}" for text in AWKWARD)
    keys = "\n".join(f"  key{index}: {block(text, 4)}" for index, text in enumerate(AWKWARD))
    values = dump({text: text for text in [*DOUBTFUL, *AWKWARD]}, 2)
    (tmp_path / "x.yaml").write_bytes(f"texts:\n{texts}\nkeys:\n{keys}\nvalues:\n  {values}\n".encode())
    done = run(conftest_binary, "parse", tmp_path / "x.yaml", "--combine")
    assert done.returncode == 0, done.stderr
    (read,) = json.loads(done.stdout)
    assert read["contents"] == {
        "texts": AWKWARD,
        "keys": {f"key{index}": text for index, text in enumerate(AWKWARD)},
        "values": {text: text for text in [*DOUBTFUL, *AWKWARD]},
    }


def test_rego_stays_what_it_is_through_gos_readers(make: Make, conftest_binary: Path, kubectl: str, run: Run) -> None:
    rego = f"  \n\n{REGO}\t# trailing  \n{'# ' + 'x' * 3000}\n\n\n"
    out = make(NAMES_ONLY, {"policies/required_label/required_label.rego": rego, "lib/texts/texts.rego": TEXTS.strip()})
    wanted = {"version": "v1", "rego": rego, "libs": [NAMES, TEXTS.strip()]}
    parsed = run(conftest_binary, "parse", out / "templates/required_label.yaml", "--combine")
    (read,) = json.loads(parsed.stdout)
    assert read["contents"]["spec"]["targets"][0]["code"] == [{"engine": "Rego", "source": wanted}]
    built = yaml.safe_load(run(kubectl, "kustomize", out / "templates").stdout)
    assert built["spec"]["targets"][0]["code"] == [{"engine": "Rego", "source": wanted}]


def _undescribed(schema: dict[str, Any], name: str) -> list[str]:
    """Return the properties of a structural schema, to its depths, that say nothing of themselves."""
    found: list[str] = []
    for key, node in schema.get("properties", {}).items():
        if not node.get("description"):
            found.append(f"{name}.{key}")
        found += _undescribed(node, f"{name}.{key}") + _undescribed(node.get("items", {}), f"{name}.{key}[]")
    return found


def test_every_parameter_of_the_checkout_says_what_it_is_and_does_without_the_user(
    checkout: Path, engine: Engine
) -> None:
    for entry in policies.read(checkout / "rego", engine).policies:
        assert _undescribed(dict(entry.parameters), entry.name) == []
        assert [
            name for name, node in entry.stated_parameters.get("properties", {}).items() if "default" not in node
        ] == []


def test_every_policy_of_the_checkout_shows_what_fails_and_what_passes(checkout: Path, engine: Engine) -> None:
    for entry in policies.read(checkout / "rego", engine).policies:
        assert {example.passes for example in entry.examples} == {True, False}, entry.name


NOT_PARAMETERS: list[Any] = [None, True, 1, 1.5, "x", [], [1], {}, {"x": 1}]


def test_the_configuration_refuses_parameters_of_the_wrong_type(checkout: Path, engine: Engine) -> None:
    sources = policies.read(checkout / "rego", engine)
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "array": list,
        "object": dict,
        "boolean": bool,
        "integer": int,
        "number": (int, float),
    }
    for entry in sources.policies:
        for name, node in entry.stated_parameters.get("properties", {}).items():
            # What states no type is a number or a string (x-kubernetes-int-or-string).
            kind = node.get("type")
            taken = (int, str) if kind is None else kinds[kind]
            for value in NOT_PARAMETERS:
                if isinstance(value, taken) and (kind == "boolean" or value is not True):
                    continue
                stated = {
                    "protectedNamespaces": {"names": ["a"]},
                    "policies": {entry.name: {"parameters": {name: value}}},
                }
                with pytest.raises(PullguardError) as caught:
                    config.parse(ENGINE, json.dumps(stated), "f", sources.policies)
                assert f"f:1: policies.{entry.name}.parameters.{name} " in str(caught.value)


def test_what_the_checkout_says_of_other_tools_can_be_copied(checkout: Path, engine: Engine) -> None:
    stated = {entry.name: entry.guide.contradictions for entry in policies.read(checkout / "rego", engine).policies}
    assert len(stated["protected_pull_policy"]) > 5
    for name, contradictions in stated.items():
        checks = [(one.tool, one.check) for one in contradictions]
        assert len(checks) == len(set(checks)), name
        for one in contradictions:
            list(yaml.safe_load_all(one.example))


def test_the_library_of_the_checkout_carries_its_rego_byte_for_byte(checkout: Path, engine: Engine) -> None:
    sources = policies.read(checkout / "rego", engine)
    loaded = {template.policy: template for template in store.load(ENGINE, checkout / "library").templates}
    assert sorted(loaded) == [entry.name for entry in sources.policies]
    for entry in sources.policies:
        source = loaded[entry.name].source
        assert source is not None
        assert source.version == "v1"
        assert source.rego.encode() == (checkout / "rego" / entry.module.path).read_bytes()
        assert [lib.encode() for lib in source.libs] == [
            (checkout / "rego" / lib.path).read_bytes() for lib in entry.libs
        ]


# -- conftest -----------------------------------------------------------------------------------------------------

MAIN = """\
package main

deny contains {"msg": msg} if {
	some entry in data.pullguard.constraints
	some violation in data.policies[entry.policy].violation with input as {
		"review": {"object": input},
		"parameters": entry.constraint.spec.parameters,
	}
	msg := sprintf("%s: %s", [entry.constraint.metadata.name, violation.msg])
}
"""


def test_the_bundle_for_conftest_holds_the_policies_and_their_constraints(
    make: Make, conftest_binary: Path, run: Run, tmp_path: Path
) -> None:
    out = make(BOTH, SECOND, {"conftest/main/main.rego": MAIN})
    (tmp_path / "pod.yaml").write_text(POD.format("a"))
    done = run(
        conftest_binary,
        "test",
        "-o",
        "json",
        "-p",
        out / "conftest/policy",
        "-d",
        out / "conftest/data",
        tmp_path / "pod.yaml",
    )
    assert (done.returncode, done.stderr) == (1, "")
    (answer,) = json.loads(done.stdout)
    assert sorted(failure["msg"] for failure in answer["failures"]) == [
        f"{name}-label-by-{way}: Pod a has no label owner"
        for name in ("other", "required")
        for way in ("label", "name")
    ]


def test_rego_in_the_bundle_is_verbatim_and_without_tests(make: Make) -> None:
    out = make(BOTH, {"conftest/main/main.rego": MAIN, "conftest/main/main_test.rego": MAIN})
    found = {
        path.relative_to(out / "conftest/policy").as_posix(): path.read_text()
        for path in out.rglob("conftest/policy/**/*.rego")
    }
    assert found == {
        "conftest/main/main.rego": MAIN,
        "lib/names/names.rego": NAMES,
        "lib/texts/texts.rego": TEXTS,
        "policies/required_label/required_label.rego": REGO,
    }


# -- init ---------------------------------------------------------------------------------------------------------


def uncommented(text: str) -> str:
    """Return a starting configuration with everything in use that is commented out."""
    first, *lines = text.splitlines(keepends=True)
    return first + "".join(re.sub(r"^( *)# ", r"\1", line) for line in lines)


def _without_namespaces(out: Path) -> list[str]:
    """Return the names of the constraints that match no namespaces: their objects have none."""
    return [
        constraint.name
        for constraint in store.load(ENGINE, out).constraints
        if not {"namespaces", "namespaceSelector"} & set(constraint.object["spec"]["match"])
    ]


@pytest.mark.parametrize("tree", ["small", "checkout"])
def test_what_init_writes_can_be_used_as_it_is_and_to_the_full(
    tmp_path: Path, checkout: Path, gator: Path, run: Run, tree: str
) -> None:
    rego = write_tree(tmp_path, SECOND, CLUSTER) if tree == "small" else checkout / "rego"
    path = tmp_path / "pullguard.yaml"
    assert init(path, rego=rego) == InitResult(path, tmp_path / "pullguard.schema.json")

    out = tmp_path / "library"
    generate(path, out, rego=rego)
    assert (out / "pullguard.schema.json").read_bytes() == (tmp_path / "pullguard.schema.json").read_bytes()
    names = {constraint.name.rpartition("-by-")[2] for constraint in store.load(ENGINE, out).constraints}
    assert names == {"name", *_without_namespaces(out)}
    _verify(run, gator, out, checkout, tree)

    path.write_text(uncommented(path.read_text("utf-8")), "utf-8")
    generate(path, out, rego=rego)
    loaded = store.load(ENGINE, out).constraints
    without = _without_namespaces(out)
    assert {constraint.name.rpartition("-by-")[2] for constraint in loaded} == {"name", "label", *without}
    assert {
        constraint.name: constraint.object["spec"]["enforcementAction"]
        for constraint in loaded
        if constraint.object["spec"]["enforcementAction"] != "deny"
    } == dict.fromkeys(without, "warn")
    _verify(run, gator, out, checkout, tree)
    files = [*out.glob("policies/*/template.yaml"), *out.glob("policies/*/constraints.yaml")]
    done = run(gator, "test", *(f"--filename={file}" for file in files))
    assert (done.returncode, done.stderr) == (0, "")


def _verify(run: Run, gator: Path, out: Path, checkout: Path, tree: str) -> None:
    """Run the Suites of a library in gator, unless they are those of the checkout, which `make verify` runs."""
    if tree == "checkout":
        assert _suites(out) == _suites(checkout / "library")
    else:
        assert run(gator, "verify", f"{out}/...").returncode == 0


def _suites(library: Path) -> dict[str, bytes]:
    """Return what gator verifies: Suites, their templates, and what they read."""
    policies = library / "policies"
    read = (
        file for pattern in ("suite.yaml", "template.yaml", "samples/**/*") for file in policies.glob(f"*/{pattern}")
    )
    return {str(file.relative_to(library)): file.read_bytes() for file in read if file.is_file()}


def test_init_shows_what_can_be_said_of_custom_kinds(tmp_path: Path, checkout: Path) -> None:
    path = tmp_path / "pullguard.yaml"
    init(path, rego=checkout / "rego")
    stated = yaml.safe_load(uncommented(path.read_text("utf-8")))
    assert stated["policies"]["protected_pull_policy"]["parameters"]["customKinds"] == [
        {"group": "example.com", "kind": "Widget", "paths": ["spec.template.spec", "spec.pools[].template.spec"]},
        {
            "group": "example.com",
            "kind": "Gadget",
            "images": [{"image": "spec.image", "policy": "spec.imagePullPolicy"}],
        },
        {"group": "argoproj.io", "kind": "Workflow", "paths": []},
    ]


@pytest.mark.parametrize("taken", ["mine.yaml", "pullguard.schema.json"])
@pytest.mark.parametrize("kind", ["file", "link"])
def test_init_overwrites_nothing(tmp_path: Path, taken: str, kind: str) -> None:
    rego = write_tree(tmp_path)
    place = tmp_path / "here" / taken
    place.parent.mkdir()
    if kind == "file":
        place.write_text("mine\n")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(PullguardError) as caught:
        init(tmp_path / "here" / "mine.yaml", rego=rego)
    assert str(caught.value) == (f"{place} would be overwritten; name another file, or remove what is there first")
    assert [path.name for path in (tmp_path / "here").iterdir()] == [taken]
    assert not (tmp_path / "nowhere").exists()


def test_init_takes_the_schema_that_is_right_already(tmp_path: Path) -> None:
    rego = write_tree(tmp_path)
    init(tmp_path / "one.yaml", rego=rego)
    init(tmp_path / "two.yaml", rego=rego)
    assert (tmp_path / "one.yaml").read_bytes() == (tmp_path / "two.yaml").read_bytes()


def test_init_says_what_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(PullguardError) as caught:
        init(tmp_path / "none" / "pullguard.yaml", rego=write_tree(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}/none/pullguard.schema.json: cannot be written (No such file or directory)"
    )


def test_a_prefix_that_ends_within_a_name_is_noted(checkout: Path, tmp_path: Path) -> None:
    """It exempts, or trusts, whatever only begins like it."""
    file = tmp_path / "pullguard.yaml"
    file.write_text(
        "protectedNamespaces: {names: [kube-system]}\n"
        "policies:\n"
        "  protected_pull_policy:\n"
        "    parameters:\n"
        "      exemptImages:\n"
        "        - registry.example.com/team*\n"
        "        - registry.example.com/team/*\n"
        "        - registry.example.com/app:*\n"
        "        - registry.example.com/app@*\n"
        "        - registry.example.com/app\n"
        "        - '*'\n"
        "      trustedUsers: ['system:serviceaccount:argo*', 'system:serviceaccount:argo:*']\n",
        "utf-8",
    )
    result = generate(file, tmp_path / "library", rego=checkout / "rego")
    place = "policies.protected_pull_policy.parameters"
    begin = "whose names only begin like it: let the prefix end in"
    notes = (
        f"{file}:6: {place}.exemptImages[0]: it also exempts images {begin} /, : or @",
        f"{file}:12: {place}.trustedUsers[0]: it also trusts users {begin} :",
    )
    assert result.notes == notes
    stream = io.StringIO()
    write(result, stream)
    assert stream.getvalue().splitlines()[:-1] == [f"Note: {note}" for note in notes]
    assert generate(file, tmp_path / "library", rego=checkout / "rego", check=True).exit_code == 0
