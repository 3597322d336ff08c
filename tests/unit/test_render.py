import dataclasses
import hashlib
import json
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from policy_tree import CLUSTER_POLICY, CLUSTER_SAMPLES, NAMES, PARAMETERS, POLICY, REGO, SUITE, TEXTS, policy
from pullguard import __version__
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import Rule, constraint_from, template_from
from pullguard.library.config import AdmissionConfig, Config, PolicyConfig, ProtectedNamespaces
from pullguard.library.policies import (
    LEVELS,
    AssignField,
    Assigns,
    CelRules,
    CelVariable,
    Elsewhere,
    Example,
    Mutation,
    SourceFile,
    Sources,
    SyncKinds,
)
from pullguard.library.render import admission, render, starting_configuration
from pullguard.library.render.objects import bundle_constraint, constraints, sync_set
from pullguard.library.render.parameters import ParameterRow, parameter_rows
from pullguard.library.render.yaml_text import block, dump, quoted

SELECTOR = {"matchLabels": {"example.com/protected": "true"}}


def config(names: tuple[str, ...] = ("kube-system",), selector: dict[str, Any] | None = None, **own: Any) -> Config:
    stated = {"enabled": True, "enforcement": "audit", "parameters": {}, **own}
    return Config(ProtectedNamespaces(names, selector), {POLICY.name: PolicyConfig(**stated)})


# -- YAML ---------------------------------------------------------------------------------------------------------

# What breaks naive block scalars, one by one.
AWKWARD = {
    "empty": "",
    "no line feed at the end": "a",
    "one line": "a\n",
    "several line feeds at the end": "a\n\n\n",
    "only line feeds": "\n\n",
    "leading spaces": "   a\nb\n",
    "a deeper first line": "        a\n  b\n",
    "leading line feeds": "\n\na\n",
    "leading blank line with spaces": "      \na\n",
    "leading tab": "\ta\n",
    "tabs": "a if {\n\tb\n\t\tc\n}\n",
    "trailing spaces": "a  \nb \n",
    "trailing tab": "a\t\nb\n",
    "blank lines with spaces": "a\n    \nb\n",
    "last line of spaces": "a\n   ",
    "last line of spaces and a line feed": "a\n   \n",
    "only spaces": "   ",
    "very long lines": f"{'a ' * 5000}\n{'b' * 100_000}\n",
    "carriage returns": "a\r\nb\r\n",
    "one carriage return": "a\rb\n",
    "document markers": "---\na\n...\nb\n",
    "comment": "# a\n#b\n",
    "indicators": "- a\n? b\n: c\n& d\n* e\n! f\n| g\n> h\n% i\n@ j\n` k\n",
    "quotes": "\"a\" 'b' \\n \\\n",
    "other line breaks": "a\x85b\u2028c\u2029d\n",
    "control characters": "a\x00\x07\x7fb\n",
    "byte order mark": "\ufeffa\nb\ufeff\n",
    "beyond the basic plane": "a\U0001f600b\n",
    "not characters": "a\ufffe\uffffb\n",
    "jinja": "{{ a }} {% b %} {# c #}\n",
}
TEXT = st.text(st.sampled_from("ab \t\n\r\"'\\#:-|>{}%\x00\x7f\x85\xa0\u2028\ufeff\ufffe\U0001f600é"), max_size=30)


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_a_block_reads_back_as_the_text(text: str) -> None:
    assert yaml.safe_load(f"x:\n  key: {block(text, 4)}\n  next: 1\n") == {"x": {"key": text, "next": 1}}
    assert yaml.safe_load(f"x:\n  - {block(text, 4)}\n  - next\n") == {"x": [text, "next"]}
    assert yaml.safe_load(f"x:\n  key: {quoted(text)}\n") == {"x": {"key": text}}


@given(TEXT)
def test_any_block_reads_back_as_the_text(text: str) -> None:
    assert yaml.safe_load(f"x:\n  key: {block(text, 4)}\n  next: 1\n") == {"x": {"key": text, "next": 1}}
    assert yaml.safe_load(f"- - {block(text, 4)}\n  - next\n") == [[text, "next"]]


def test_rego_stands_in_a_literal_block() -> None:
    assert block("package a\n\nx := 1\n", 4) == "|\n    package a\n\n    x := 1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(TEXT, below, max_size=4),
    max_leaves=10,
)


@given(JSON, st.integers(0, 8))
@example({"a": "0o17", "b": "1e3", "c": "y", "d": "12:30", "e": "=", "f": "~", "g": "<<", "h": "0x1F", "i": "1_0"}, 2)
@example(["2020-01-01", ".inf", "NaN", "null", "No", "off", "-", "a: b", "a #b", " a", "a ", "*a", "&a", "!a"], 0)
def test_values_read_back(value: Any, indent: int) -> None:
    assert yaml.safe_load(f"{'x:' if indent else ''}\n{' ' * indent}{dump(value, indent)}\n") == (
        {"x": value} if indent else value
    )


@pytest.mark.parametrize("text", ["0o17", "1e3", "y", "N", "12:30", "=", "~", "<<", "0x1F", "1_0", "on", "2020-01-01"])
def test_what_readers_disagree_about_is_quoted(text: str) -> None:
    assert dump({text: text}) == f'"{text}": "{text}"'


def test_values_are_written_for_people() -> None:
    assert dump({"b": ["x", {"a": "1.0"}], "a": [], "c": "one\ntwo\n", "d": 'say "x"'}, 2) == (
        'b:\n    - x\n    - a: "1.0"\n  a: []\n  c: |\n    one\n    two\n  d: \'say "x"\''
    )


# -- constraints --------------------------------------------------------------------------------------------------

KINDS = [{"apiGroups": [""], "kinds": ["Pod"]}, {"apiGroups": ["apps"], "kinds": ["Deployment"]}]
DEFAULTS = {"label": "owner", "customKinds": []}


def constraint(name: str, match: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sRequiredLabel",
        "metadata": {"name": name},
        "spec": {
            "enforcementAction": "dryrun",
            "match": {"source": "Original", "scope": "Namespaced", "kinds": KINDS, **match},
            "parameters": DEFAULTS,
            **spec,
        },
    }


BY_NAME = constraint("required-label-by-name", {"namespaces": ["kube-system"]})
BY_LABEL = constraint("required-label-by-label", {"namespaceSelector": SELECTOR})


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (config(), [BY_NAME]),
        (config(names=(), selector=SELECTOR), [BY_LABEL]),
        (config(selector=SELECTOR), [BY_NAME, BY_LABEL]),
        (
            config(enforcement="warn"),
            [constraint("required-label-by-name", {"namespaces": ["kube-system"]}, enforcementAction="warn")],
        ),
        (
            config(enforcement="deny"),
            [constraint("required-label-by-name", {"namespaces": ["kube-system"]}, enforcementAction="deny")],
        ),
        (
            config(parameters={"label": "team"}),
            [
                constraint(
                    "required-label-by-name",
                    {"namespaces": ["kube-system"]},
                    parameters={"label": "team", "customKinds": []},
                )
            ],
        ),
    ],
)
def test_there_is_a_constraint_for_each_way_of_protecting(stated: Config, expected: list[dict[str, Any]]) -> None:
    assert constraints(POLICY, stated) == expected


def _stated(group: str, kind: str, *paths: str) -> dict[str, Any]:
    return {"group": group, "kind": kind, "paths": list(paths)}


def test_custom_kinds_are_matched_once_each_and_by_group() -> None:
    custom = [
        _stated("argoproj.io", "Rollout", "spec"),
        _stated("", "Pod", "spec"),
        _stated("example.com", "A", "spec"),
        _stated("argoproj.io", "Rollout", "status"),
        _stated("example.com", "B", "spec"),
        _stated("", "Deployment", "spec"),
    ]
    (only,) = constraints(POLICY, config(parameters={"customKinds": custom}))
    assert only["spec"]["match"]["kinds"] == [
        *KINDS,
        {"apiGroups": ["argoproj.io"], "kinds": ["Rollout"]},
        {"apiGroups": ["example.com"], "kinds": ["A", "B"]},
        {"apiGroups": [""], "kinds": ["Deployment"]},
    ]
    assert only["spec"]["parameters"]["customKinds"] == custom


_KNOWN = {
    "argoproj.io": {
        "Rollout": {"paths": ["spec.template.spec"], "source": "https://example.com"},
        "Workflow": {"containers": ["spec.templates[].container"], "source": "https://example.com"},
    },
    "monitoring.coreos.com": {
        "Prometheus": {
            "paths": ["spec", "spec.x[].y"],
            "images": [{"image": "spec.image", "policy": "spec.pull"}],
            "source": "https://example.com",
        }
    },
}


def test_known_kinds_are_matched_unless_they_are_left_out() -> None:
    custom = [_stated("argoproj.io", "Workflow"), _stated("example.com", "A", "spec")]
    (only,) = constraints(policy(known_kinds=_KNOWN), config(parameters={"customKinds": custom}))
    assert only["spec"]["match"]["kinds"] == [
        *KINDS,
        {"apiGroups": ["argoproj.io"], "kinds": ["Rollout"]},
        {"apiGroups": ["monitoring.coreos.com"], "kinds": ["Prometheus"]},
        {"apiGroups": ["example.com"], "kinds": ["A"]},
    ]
    assert only["spec"]["parameters"]["customKinds"] == custom  # what is known costs no review anything there


@pytest.mark.parametrize(
    ("custom", "argo"),
    [
        ([], ["rollouts"]),
        ([_stated("argoproj.io", "Rollout")], None),
        ([_stated("argoproj.io", "Sensor", "spec")], ["*"]),
    ],
)
def test_admission_policies_name_the_resources_of_known_kinds(
    custom: list[dict[str, Any]], argo: list[str] | None
) -> None:
    """But for those of which CEL can say nothing in every version: what leads through lists."""
    rules = CelRules((), ({"expression": "variables.customPodSpecs"},))
    found, *_ = admission.validating(policy(admission=rules, known_kinds=_KNOWN), admitted({"customKinds": custom}))
    resources = {
        rule["apiGroups"][0]: rule["resources"]
        for rule in found["spec"]["matchConstraints"]["resourceRules"]
        if "." in rule["apiGroups"][0]
    }
    assert resources.get("argoproj.io") == argo
    assert resources["monitoring.coreos.com"] == ["prometheuses"]
    (variable,) = found["spec"]["variables"]
    assert "flatten" not in variable["expression"]
    assert ("argoproj.io/Rollout" in variable["expression"]) is (argo is not None)


def test_a_policy_without_such_a_parameter_matches_its_own_kinds() -> None:
    plain = policy(kinds_from_parameter=None)
    (only,) = constraints(plain, config(parameters={"customKinds": [{"group": "a", "kind": "B"}]}))
    assert only["spec"]["match"]["kinds"] == KINDS


def test_the_longest_names_make_names_that_gatekeeper_takes() -> None:
    long = policy(name="a" * 40)
    own = PolicyConfig(enabled=True, enforcement="audit", parameters={})
    stated = Config(ProtectedNamespaces(("x",), SELECTOR), {long.name: own})
    assert [entry["metadata"]["name"] for entry in constraints(long, stated)] == [
        f"{'a' * 40}-by-name",
        f"{'a' * 40}-by-label",
    ]


# -- files --------------------------------------------------------------------------------------------------------

ADAPTER = (
    SourceFile("conftest/main/main.rego", "package main\n"),
    SourceFile("gatekeeper/hook/hook.rego", "package gatekeeper.hook\n"),
    SourceFile("lib/texts/texts.rego", TEXTS),
)
SOURCES = Sources((POLICY,), ADAPTER)
PATHS = [
    "README.md",
    "audit/kustomization.yaml",
    "audit/required_label/kustomization.yaml",
    "catalog.yaml",
    "catalog/audit/required_label.yaml",
    "catalog/deny/required_label.yaml",
    "catalog/warn/required_label.yaml",
    "chart/Chart.yaml",
    "chart/README.md",
    "chart/files/policies.json",
    "chart/files/templates/required_label.yaml",
    "chart/templates/NOTES.txt",
    "chart/templates/_objects.tpl",
    "chart/templates/objects.yaml",
    "chart/values.schema.json",
    "chart/values.yaml",
    "conftest/data/pullguard.json",
    "conftest/index.json",
    "conftest/policy/conftest/main/main.rego",
    "conftest/policy/gatekeeper/hook/hook.rego",
    "conftest/policy/lib/names/names.rego",
    "conftest/policy/lib/texts/texts.rego",
    "conftest/policy/policies/required_label/required_label.rego",
    "deny/kustomization.yaml",
    "deny/required_label/kustomization.yaml",
    "policies/kustomization.yaml",
    "policies/required_label/README.md",
    "policies/required_label/constraints.yaml",
    "policies/required_label/kustomization.yaml",
    "policies/required_label/samples/constraint.yaml",
    "policies/required_label/samples/with.yaml",
    "policies/required_label/samples/without.yaml",
    "policies/required_label/suite.yaml",
    "policies/required_label/template.yaml",
    "pullguard.schema.json",
    "templates/kustomization.yaml",
    "templates/required_label.yaml",
    "warn/kustomization.yaml",
    "warn/required_label/kustomization.yaml",
]


def test_the_library_has_these_files() -> None:
    assert list(render(SOURCES, config())) == PATHS


def test_without_an_adapter_there_is_no_bundle_for_conftest() -> None:
    files = render(Sources((POLICY,), ()), config())
    assert list(files) == [path for path in PATHS if not path.startswith("conftest/")]
    assert "conftest" not in files["README.md"]


def test_the_values_of_the_chart_are_the_configuration() -> None:
    stated = config(("a", "b-*"), SELECTOR, enforcement="deny", parameters={"label": "on"})
    files = render(SOURCES, stated)
    values = yaml.safe_load(files["chart/values.yaml"])
    assert values["protectedNamespaces"] == {"names": ["a", "b-*"], "selector": SELECTOR}
    assert values["enforcement"] == "deny"
    assert values["policies"]["required_label"]["parameters"]["label"] == "on"
    assert "enforcement" not in values["policies"]["required_label"]
    jsonschema_rs.Draft7Validator(json.loads(files["chart/values.schema.json"])).validate(values)


def test_the_chart_states_the_level_of_a_policy_that_differs() -> None:
    milder = dataclasses.replace(OTHER, levels=("audit", "warn"))
    levels = {OTHER.name: "audit", POLICY.name: "deny"}
    stated = Config(
        ProtectedNamespaces((), SELECTOR),
        {name: PolicyConfig(enabled=True, enforcement=level, parameters={}) for name, level in levels.items()},
    )
    values = yaml.safe_load(render(Sources((milder, POLICY), ()), stated)["chart/values.yaml"])
    assert values["protectedNamespaces"] == {"selector": SELECTOR}
    assert (values["enforcement"], values["policies"]["required_label"]["enforcement"]) == ("audit", "deny")
    assert "enforcement" not in values["policies"]["other_label"]


def test_rendering_is_deterministic() -> None:
    assert list(render(SOURCES, config(selector=SELECTOR)).items()) == list(
        render(SOURCES, config(selector=SELECTOR)).items()
    )


def test_every_file_ends_with_one_line_feed() -> None:
    files = render(SOURCES, config(selector=SELECTOR))
    assert [path for path, text in files.items() if not text.endswith("\n") or text.endswith("\n\n")] == []


def test_no_generated_line_ends_with_a_space() -> None:
    files = render(SOURCES, config(selector=SELECTOR))
    assert [path for path, text in files.items() if any(line != line.rstrip() for line in text.split("\n"))] == []


def test_the_template_is_the_policy() -> None:
    files = render(SOURCES, config())
    assert files["templates/required_label.yaml"] == files["policies/required_label/template.yaml"]
    value = yaml.safe_load(files["templates/required_label.yaml"])
    template = template_from(value, "template.yaml")
    assert (template.name, template.kind, template.policy) == (
        "k8srequiredlabel",
        "K8sRequiredLabel",
        "required_label",
    )
    assert template.rules == {"missing": Rule("label-missing", "low", "The label is missing")}
    assert template.source is not None
    assert (template.source.version, template.source.rego, template.source.libs) == ("v1", REGO, (NAMES, TEXTS))
    assert value["metadata"]["annotations"] == {
        "metadata.gatekeeper.sh/title": "Required label",
        "metadata.gatekeeper.sh/version": "1.2.0",
        "description": "Every object says by a label whose it is.",
        "pullguard/policy": "required_label",
        "pullguard/rules": '{"missing": {"id": "label-missing", "severity": "low", "title": "The label is missing"}}',
    }
    # Not what Gatekeeper 3.20 refuses: operations.
    assert list(value["spec"]["targets"][0]) == ["target", "code"]
    assert template.parameters_schema == {
        "type": "object",
        "default": {},
        "properties": {
            "label": {
                "description": "The label that every object has.",
                "type": "string",
                "minLength": 1,
                "default": "owner",
            },
            "customKinds": {
                "description": "Other kinds.",
                "type": "array",
                "default": [],
                "items": {
                    "type": "object",
                    "required": ["group", "kind"],
                    "properties": {"group": {"type": "string"}, "kind": {"type": "string"}},
                },
            },
        },
    }


@pytest.mark.parametrize("text", AWKWARD.values(), ids=AWKWARD.keys())
def test_awkward_rego_stands_in_the_template_byte_for_byte(text: str) -> None:
    awkward = policy(
        module=SourceFile(POLICY.module.path, text),
        libs=(SourceFile("lib/a/a.rego", text), SourceFile("lib/b/b.rego", f"b{text}")),
    )
    files = render(Sources((awkward,), ADAPTER), config())
    source = template_from(yaml.safe_load(files["templates/required_label.yaml"]), "").source
    if text:  # no template has an empty entry module
        assert source is not None
        assert source.rego.encode() == text.encode()
        assert [lib.encode() for lib in source.libs] == [text.encode(), f"b{text}".encode()]
    assert files["conftest/policy/policies/required_label/required_label.rego"] == text


def test_a_template_without_libs_has_none() -> None:
    files = render(Sources((policy(libs=()),), ()), config())
    (target,) = yaml.safe_load(files["templates/required_label.yaml"])["spec"]["targets"]
    assert target["code"] == [{"engine": "Rego", "source": {"version": "v1", "rego": REGO}}]


def test_suite_and_samples_are_copied_verbatim() -> None:
    odd = SourceFile("policies/required_label/samples/odd.yaml", "a: {{ b }}  \r\n\n\n")
    files = render(Sources((policy(samples=(odd,)),), ()), config())
    assert files["policies/required_label/suite.yaml"] == SUITE
    assert files[odd.path] == odd.text


def test_the_constraints_are_the_same_for_gatekeeper_and_conftest() -> None:
    files = render(SOURCES, config(selector=SELECTOR))
    stated = list(yaml.safe_load_all(files["policies/required_label/constraints.yaml"]))
    assert stated == [BY_NAME, BY_LABEL]
    assert [constraint_from(entry, "").name for entry in stated] == [
        "required-label-by-name",
        "required-label-by-label",
    ]
    assert json.loads(files["conftest/data/pullguard.json"]) == {
        "pullguard": {
            "constraints": [
                {"policy": "required_label", "constraint": BY_NAME},
                {"policy": "required_label", "constraint": BY_LABEL},
            ]
        }
    }


OTHER = policy(
    name="other_label",
    kind="K8sOtherLabel",
    module=SourceFile("policies/other_label/other_label.rego", "package policies.other_label\n"),
    libs=(),
    suite=SourceFile("policies/other_label/suite.yaml", SUITE),
    samples=(),
    examples=(),
)


def two_policies(**enabled: bool) -> Config:
    return Config(
        ProtectedNamespaces(("kube-system",), None),
        {entry.name: PolicyConfig(enabled.get(entry.name, True), "audit", {}) for entry in (OTHER, POLICY)},
    )


@pytest.mark.parametrize(("level", "action"), [("audit", "dryrun"), ("warn", "warn"), ("deny", "deny")])
def test_a_level_has_a_kustomization_for_each_policy_and_one_for_all(level: str, action: str) -> None:
    files = render(Sources((OTHER, POLICY), ()), two_policies())
    assert yaml.safe_load(files[f"{level}/kustomization.yaml"]) == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["other_label", "required_label"],
    }
    for entry in (OTHER, POLICY):
        value = yaml.safe_load(files[f"{level}/{entry.name}/kustomization.yaml"])
        (patch,) = value.pop("patches")
        assert value == {
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "resources": [f"../../policies/{entry.name}"],
        }
        assert patch["target"] == {"group": "constraints.gatekeeper.sh", "kind": entry.kind}
        assert yaml.safe_load(patch["patch"]) == [{"op": "replace", "path": "/spec/enforcementAction", "value": action}]


def cluster(names: tuple[str, ...] = ("kube-*",), selector: dict[str, Any] | None = None, **own: Any) -> Config:
    stated = {"enabled": True, "enforcement": "audit", "parameters": {}, **own}
    return Config(ProtectedNamespaces(names, selector), {"known_host": PolicyConfig(**stated)})


def test_a_level_that_a_policy_does_not_offer_takes_it_from_the_strictest_that_it_offers() -> None:
    stated = Config(
        ProtectedNamespaces(("kube-system",), None),
        {entry.name: PolicyConfig(True, "audit", {}) for entry in (CLUSTER_POLICY, POLICY)},
    )
    files = render(Sources((CLUSTER_POLICY, POLICY), ()), stated)
    assert {level: yaml.safe_load(files[f"{level}/kustomization.yaml"])["resources"] for level in LEVELS} == {
        "audit": ["known_host", "required_label"],
        "warn": ["known_host", "required_label"],
        "deny": ["../warn/known_host", "required_label"],
    }
    assert "deny/known_host/kustomization.yaml" not in files
    assert "catalog/deny/known_host.yaml" not in files
    assert (
        "`known_host` offers no deny: the folder `deny` and the bundle `deny` hold it with enforcement warn."
        in files["README.md"].splitlines()
    )


def test_the_constraint_of_objects_without_a_namespace_takes_the_namespaces_as_a_parameter() -> None:
    (both,) = constraints(CLUSTER_POLICY, cluster(selector=SELECTOR, parameters={"grade": "high"}))
    assert both == {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sKnownHost",
        "metadata": {"name": "known-host"},
        "spec": {
            "enforcementAction": "dryrun",
            "match": {
                "source": "Original",
                "kinds": [{"apiGroups": ["apiregistration.k8s.io"], "kinds": ["APIService"]}],
            },
            "parameters": {"grade": "high", "hosts": {"names": ["kube-*"], "selector": SELECTOR}},
        },
    }
    (by_name,) = constraints(CLUSTER_POLICY, cluster())
    assert by_name["spec"]["parameters"] == {"grade": "low", "hosts": {"names": ["kube-*"]}}
    (by_label,) = constraints(CLUSTER_POLICY, cluster(names=(), selector=SELECTOR))
    assert by_label["spec"]["parameters"] == {"grade": "low", "hosts": {"selector": SELECTOR}}
    plain = dataclasses.replace(CLUSTER_POLICY, namespaces_parameter=None)
    (alone,) = constraints(plain, cluster())
    assert (alone["metadata"]["name"], alone["spec"]["parameters"]) == ("known-host", {"grade": "low"})


def test_where_a_parameter_has_to_be_stated_there_is_no_default_without_it() -> None:
    files = render(Sources((CLUSTER_POLICY,), ()), cluster())
    schema = template_from(yaml.safe_load(files["templates/known_host.yaml"]), "").parameters_schema
    assert schema == CLUSTER_POLICY.parameters
    stated = {**CLUSTER_POLICY.parameters, "required": ["grade"]}
    files = render(Sources((dataclasses.replace(CLUSTER_POLICY, parameters=stated),), ()), cluster())
    schema = template_from(yaml.safe_load(files["templates/known_host.yaml"]), "").parameters_schema
    assert schema == {**stated, "default": {}}


def test_what_a_policy_needs_in_the_inventory_is_said_and_asked_for() -> None:
    files = render(Sources((CLUSTER_POLICY,), ()), cluster())
    annotation = yaml.safe_load(files["templates/known_host.yaml"])["metadata"]["annotations"][
        "metadata.gatekeeper.sh/requires-sync-data"
    ]
    assert json.loads(annotation) == [
        [
            {"groups": ["", "core.example.com"], "versions": ["v1", "v2"], "kinds": ["Namespace"]},
            {"groups": ["example.com"], "versions": ["v1"], "kinds": ["Project"]},
        ],
        [{"groups": ["apps"], "versions": ["v1"], "kinds": ["Deployment"]}],
    ]
    wanted = {
        "apiVersion": "syncset.gatekeeper.sh/v1alpha1",
        "kind": "SyncSet",
        "metadata": {"name": "known-host"},
        "spec": {
            "gvks": [
                {"group": "", "version": "v1", "kind": "Namespace"},
                {"group": "apps", "version": "v1", "kind": "Deployment"},
            ]
        },
    }
    assert yaml.safe_load(files["policies/known_host/syncset.yaml"]) == wanted
    assert files["templates/known_host.syncset.yaml"] == files["policies/known_host/syncset.yaml"]
    assert yaml.safe_load(files["templates/kustomization.yaml"])["resources"] == [
        "known_host.yaml",
        "known_host.syncset.yaml",
    ]
    assert yaml.safe_load(files["policies/known_host/kustomization.yaml"])["resources"] == [
        "template.yaml",
        "constraints.yaml",
        "syncset.yaml",
    ]


def test_a_syncset_asks_for_each_kind_once() -> None:
    namespaces = SyncKinds(("",), ("v1",), ("Namespace",))
    twice = dataclasses.replace(CLUSTER_POLICY, sync=((namespaces,), (namespaces, SyncKinds(("a",), ("b",), ("C",)))))
    assert sync_set(twice)["spec"] == {"gvks": [{"group": "", "version": "v1", "kind": "Namespace"}]}


# -- the catalog --------------------------------------------------------------------------------------------------


def test_the_catalog_has_a_bundle_for_each_level() -> None:
    stated = Config(
        ProtectedNamespaces(("kube-system",), None),
        {entry.name: PolicyConfig(True, "deny", {}) for entry in (CLUSTER_POLICY, POLICY)},
    )
    files = render(Sources((CLUSTER_POLICY, POLICY), ()), stated)
    names = ["k8sknownhost", "k8srequiredlabel"]
    assert yaml.safe_load(files["catalog.yaml"]) == {
        "apiVersion": "gator.gatekeeper.sh/v1alpha1",
        "kind": "PolicyCatalog",
        "metadata": {"name": "pullguard", "version": f"v{__version__}"},
        "bundles": [
            {
                "name": "audit",
                "description": "Every policy with enforcementAction dryrun",
                "policies": names,
            },
            {
                "name": "warn",
                "description": "Every policy with enforcementAction warn, or with the strictest one that it offers",
                "policies": names,
            },
            {
                "name": "deny",
                "description": "Every policy with enforcementAction deny, or with the strictest one that it offers",
                "policies": names,
            },
        ],
        "policies": [
            {
                "name": "k8sknownhost",
                "version": "v0.3.0",
                "description": (
                    "Known host. gator does not install the SyncSet that it needs: policies/known_host/syncset.yaml"
                ),
                "category": "availability",
                "templatePath": "templates/known_host.yaml",
                "bundleConstraints": {
                    "audit": "catalog/audit/known_host.yaml",
                    "warn": "catalog/warn/known_host.yaml",
                    "deny": "catalog/warn/known_host.yaml",
                },
                "bundles": ["audit", "warn", "deny"],
            },
            {
                "name": "k8srequiredlabel",
                "version": "v1.2.0",
                "description": "Required label",
                "category": "availability",
                "templatePath": "templates/required_label.yaml",
                "bundleConstraints": {level: f"catalog/{level}/required_label.yaml" for level in LEVELS},
                "bundles": ["audit", "warn", "deny"],
            },
        ],
    }


@pytest.mark.parametrize(("level", "action"), [("audit", "dryrun"), ("warn", "warn"), ("deny", "deny")])
@pytest.mark.parametrize(
    ("stated", "match"),
    [
        (config(), {"namespaces": ["kube-system"]}),
        (config(names=(), selector=SELECTOR), {"namespaceSelector": SELECTOR}),
        (config(selector=SELECTOR, enforcement="warn"), {"namespaces": ["kube-system"]}),
    ],
)
def test_a_constraint_of_a_bundle_carries_its_level(
    stated: Config, match: dict[str, Any], level: str, action: str
) -> None:
    wanted = constraint(f"required-label-{level}", match, enforcementAction=action)
    assert bundle_constraint(POLICY, stated, level) == wanted
    assert yaml.safe_load(render(SOURCES, stated)[f"catalog/{level}/required_label.yaml"]) == wanted


def test_a_bundle_takes_both_kinds_of_namespaces_where_they_are_a_parameter() -> None:
    value = bundle_constraint(CLUSTER_POLICY, cluster(selector=SELECTOR), "warn")
    assert value["metadata"] == {"name": "known-host-warn"}
    assert value["spec"]["parameters"]["hosts"] == {"names": ["kube-*"], "selector": SELECTOR}
    assert list(value["spec"]["match"]) == ["source", "kinds"]


# -- the page of a policy -----------------------------------------------------------------------------------------


def test_a_policy_has_a_page() -> None:
    files = render(Sources((CLUSTER_POLICY,), ()), cluster(enforcement="warn"))
    assert (
        files["policies/known_host/README.md"]
        == f"""\
# Known host

What the API server calls runs in a protected namespace.

| | |
|---|---|
| kind of constraint | K8sKnownHost |
| version | 0.3.0 |
| enforcement | audit, warn; here: warn |
| judged at admission | CREATE, UPDATE |

## Rules

| rule | severity | meaning |
|---|---|---|
| host-unknown | high | The host is not protected |

## Examples

They are cases of the Suite; `gator verify .` and `pullguard test .` run all of them.

Fails: unknown ([samples/unknown.yaml](samples/unknown.yaml))

```yaml
{CLUSTER_SAMPLES["unknown.yaml"]}```

Passes: known by name ([samples/known.yaml](samples/known.yaml))

```yaml
{CLUSTER_SAMPLES["known.yaml"]}```

Passes: known by label ([samples/unknown.yaml](samples/unknown.yaml)), where the cluster holds `samples/namespace.yaml`

```yaml
{CLUSTER_SAMPLES["unknown.yaml"]}```

## Apply

| folder of the library | what it is |
|---|---|
| policies/known_host | this policy as in pullguard.yaml |
| audit/known_host | the same with enforcement audit |
| warn/known_host | the same with enforcement warn |

Apply `templates` before any of them.
deny is not offered; the folder `deny` holds this policy with enforcement warn.

The policy reads other objects from Gatekeeper's cache. Its SyncSet, which these folders hold, asks for them:

- Namespace (group "", "core.example.com", version v1, v2) or Project (group "example.com", version v1)
- Deployment (group "apps", version v1)

## Parameters

They stand in pullguard.yaml below `policies.known_host.parameters`.

| parameter | type | default | values | meaning |
|---|---|---|---|---|
| `grade` | string | `"low"` | `"low"`, `"high"` | How bad it is. |
| `hosts` | object | required |  | Where hosts may be. |
| `hosts.names` | list of strings |  |  |  |
| `hosts.selector` | object |  |  |  |
| `hosts.selector.matchLabels` | map of strings |  |  |  |

`pullguard generate` fills `hosts` with the protected namespaces; pullguard.yaml states them once, at its top.

## Exceptions

- A host: move it elsewhere.
- The policy as a whole: `enabled: false` below `policies.known_host` in pullguard.yaml.

## Other tools that demand the opposite

Silence them for protected namespaces only: elsewhere they may be right. NAMESPACE stands for a protected namespace.

### Hostess: roam

It wants hosts to roam. Say so.

```yaml
hosts:
  - NAMESPACE
```

### Other: other

It is odd. It cannot be silenced.
"""
    )


def test_a_page_leaves_out_what_there_is_not() -> None:
    bare = policy(examples=(), parameters={"type": "object", "properties": {}}, kinds_from_parameter=None)
    page = render(Sources((bare,), ()), config())["policies/required_label/README.md"]
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "# Required label",
        "## Rules",
        "## Apply",
        "## Parameters",
        "## Exceptions",
    ]
    assert "## Parameters\n\nThere are none.\n" in page
    assert (
        "| deny/required_label | the same with enforcement deny |\n\nApply `templates` before any of them.\n\n" in page
    )


def test_parameters_are_rows() -> None:
    schema = {
        "type": "object",
        "required": ["sizes"],
        "properties": {
            "sizes": {
                "type": "array",
                "minItems": 1,
                "maxItems": 3,
                "description": "How\n  big.\n",
                "items": {"type": "integer", "minimum": 2},
            },
            "word": {"type": "string", "pattern": "^a|b$", "default": "a", "minLength": 1},
            "share": {"x-kubernetes-int-or-string": True},
            "hosts": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["name", "port"],
                    "properties": {
                        "name": {"type": "string"},
                        "port": {"type": "integer", "default": 443, "maximum": 65535},
                    },
                },
            },
        },
    }
    assert parameter_rows(schema) == [
        ParameterRow(
            "sizes",
            "list of integers",
            "",
            True,
            (),
            "",
            ("not empty", "at most 3 entries", "each at least 2"),
            "How big.",
        ),
        ParameterRow("word", "string", '"a"', False, (), "^a|b$", ("not empty",), ""),
        ParameterRow("share", "integer or string", "", False, (), "", (), ""),
        ParameterRow("hosts", "list of objects", "", False, (), "", (), ""),
        ParameterRow("hosts[].name", "string", "", True, (), "", (), ""),
        ParameterRow("hosts[].port", "integer", "443", False, (), "", ("at most 65535",), ""),
    ]


def test_what_stands_in_a_table_cannot_break_it() -> None:
    piped = policy(
        parameters={"type": "object", "properties": {"word": {"type": "string", "enum": ["a|b"], "default": "a|b"}}},
        kinds_from_parameter=None,
    )
    page = render(Sources((piped,), ()), config())["policies/required_label/README.md"]
    assert '| `word` | string | `"a\\|b"` | `"a\\|b"` |  |' in page.splitlines()


def test_an_example_is_shown_as_it_is() -> None:
    odd = Example("odd | {{ x }}", False, "samples/odd.yaml", "\na: {{ b }}\n\n\n", ())
    page = render(Sources((policy(examples=(odd,)),), ()), config())["policies/required_label/README.md"]
    assert (
        "\nFails: odd | {{ x }} ([samples/odd.yaml](samples/odd.yaml))\n\n```yaml\na: {{ b }}\n```\n\n## Apply" in page
    )


def test_the_other_kustomizations_name_their_files() -> None:
    files = render(Sources((OTHER, POLICY), ()), two_policies())
    assert yaml.safe_load(files["templates/kustomization.yaml"])["resources"] == [
        "other_label.yaml",
        "required_label.yaml",
    ]
    assert yaml.safe_load(files["policies/kustomization.yaml"])["resources"] == ["other_label", "required_label"]
    assert yaml.safe_load(files["policies/other_label/kustomization.yaml"])["resources"] == [
        "template.yaml",
        "constraints.yaml",
    ]


def test_a_policy_that_is_not_enabled_leaves_no_trace_but_in_the_schema() -> None:
    files = render(Sources((OTHER, POLICY), ADAPTER), two_policies(other_label=False))
    assert list(files) == PATHS
    assert [path for path, text in files.items() if "other_label" in text or "K8sOtherLabel" in text] == [
        "pullguard.schema.json"
    ]


def test_a_configuration_that_leaves_no_policy_is_an_error() -> None:
    with pytest.raises(PullguardError) as caught:
        render(SOURCES, config(enabled=False))
    assert str(caught.value) == ("the configuration leaves no policy; remove `enabled: false` from at least one")


def test_the_index_lists_policies_rules_and_commands() -> None:
    piped = policy(rules={"missing": Rule("label-missing", "low", "No label | no owner")})
    lines = render(Sources((piped,), ADAPTER), config(names=("kube-*",), selector=SELECTOR, enforcement="warn"))[
        "README.md"
    ].splitlines()
    for line in (
        "Protected namespaces by name: `kube-*`.",
        'Protected namespaces by label: `{"matchLabels": {"example.com/protected": "true"}}`.',
        "| [required_label](policies/required_label/) | K8sRequiredLabel | 1.2.0 | Required label | warn |",
        "| label-missing | low | required_label | No label \\| no owner |",
        "    kubectl apply -k templates && \\",
        "      constrainttemplate/k8srequiredlabel && \\",
        "    kubectl apply -k audit",
        (
            "- the protected namespaces by label: gator installs one constraint for each policy, "
            "and it matches the names only"
        ),
    ):
        assert line in lines


# -- the configuration to start with ------------------------------------------------------------------------------


def test_the_starting_configuration_states_the_defaults() -> None:
    text = starting_configuration((POLICY,))
    assert text.startswith("# yaml-language-server: $schema=pullguard.schema.json\n")
    assert yaml.safe_load(text) == {
        "protectedNamespaces": {"names": ["kube-system", "gatekeeper-system"]},
        "enforcement": "audit",
        "policies": {"required_label": {"parameters": None}},
    }


def uncommented(text: str) -> str:
    """Return a starting configuration with everything in use that is commented out."""
    first, *lines = text.splitlines(keepends=True)
    return "".join([first, *(line.replace("# ", "", 1) if line.lstrip().startswith("# ") else line for line in lines)])


def test_the_starting_configuration_shows_everything_else() -> None:
    assert yaml.safe_load(uncommented(starting_configuration((POLICY,)))) == {
        "protectedNamespaces": {
            "names": ["kube-system", "gatekeeper-system"],
            "selector": {"matchLabels": {"example.com/protected": "true"}},
        },
        "enforcement": "audit",
        "admission": {"namespaces": "unseen", "gatekeeperNamespace": "gatekeeper-system"},
        "policies": {
            "required_label": {
                "enabled": True,
                "enforcement": "deny",
                "parameters": {
                    "label": "owner",
                    "customKinds": [
                        {"group": "example.com", "kind": "Widget"},
                        {"group": "example.com", "kind": "Gadget"},
                    ],
                },
            }
        },
    }


# -- admission policies -----------------------------------------------------------------------------------------------

RULE = {"expression": "variables.bad == 0"}
ADMITTED = policy(
    admission=CelRules(
        variables=(CelVariable("unused", "1"), CelVariable("bad", "variables.isProtected\n? variables.label : ''")),
        rules=(RULE,),
    ),
    mutation=Mutation(
        parameter="allowed",
        value="a",
        cel=CelRules((CelVariable("unused", "1"),), ({"patchType": "JSONPatch"},)),
        assigns=Assigns(
            "b", {"oneField": AssignField("spec.x", ""), "two": AssignField("spec.y.z", "spec.y")}, ("L.",)
        ),
    ),
    parameters={
        "type": "object",
        "properties": {
            **PARAMETERS["properties"],
            "allowed": {"type": "array", "items": {"type": "string", "enum": ["a", "b"]}, "default": ["a"]},
        },
    },
)


def admitted(parameters: dict[str, Any] | None = None, namespaces: str = "unseen") -> Config:
    return Config(
        ProtectedNamespaces(("kube-system", "x-*"), SELECTOR),
        {entry.name: PolicyConfig(True, "warn", parameters or {}) for entry in (ADMITTED, OTHER)},
        AdmissionConfig(namespaces, "gate"),
    )


def test_an_admission_policy_has_the_variables_that_it_needs_and_no_others() -> None:
    custom = {"customKinds": [_stated("example.com", "Widget", "spec")]}
    found = admission.validating(ADMITTED, admitted(custom))
    assert [obj["metadata"]["annotations"]["pullguard/policy"] for obj in found] == ["required_label"] * 3
    spec = found[0]["spec"]
    protected = next(entry["expression"] for entry in spec["variables"] if entry["name"] == "isProtected")
    assert protected.splitlines()[:2] == [
        'request.namespace in ["kube-system"]',
        '|| request.namespace.startsWith("x-")',
    ]
    assert spec["variables"] == [
        {"name": "isProtected", "expression": protected},
        {"name": "label", "expression": '"owner"'},
        {"name": "bad", "expression": "variables.isProtected\n? variables.label : ''"},
    ]
    assert spec["validations"] == [RULE]
    common = {"operations": ["CREATE", "UPDATE"], "scope": "Namespaced"}
    assert spec["matchConstraints"]["resourceRules"] == [
        {"apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods", "pods/ephemeralcontainers"], **common},
        {"apiGroups": ["apps"], "apiVersions": ["v1"], "resources": ["deployments"], **common},
        {"apiGroups": ["example.com"], "apiVersions": ["*"], "resources": ["*"], **common},
    ]


def test_admission_policies_are_summarized_for_those_who_do_not_read_cel() -> None:
    found = admission.validating(ADMITTED, admitted({"label": "team"}))
    summary = json.loads(found[0]["metadata"]["annotations"]["pullguard/summary"])
    expressions = "\n".join(variable["expression"] for variable in found[0]["spec"]["variables"])
    assert summary == {
        "protectedNamespaces": {"names": ["kube-system", "x-*"], "selector": SELECTOR},
        "parameters": {"label": "team", "customKinds": [], "allowed": ["a"]},
        "sha256": hashlib.sha256(expressions.encode()).hexdigest(),
    }
    assert all("pullguard/summary" not in binding["metadata"]["annotations"] for binding in found[1:])


def test_bindings_are_for_what_the_webhook_leaves_out() -> None:
    _, own, ignored = admission.validating(ADMITTED, admitted())
    name = {"key": "kubernetes.io/metadata.name", "values": ["gate"]}
    assert (own["metadata"]["name"], own["spec"]) == (
        "required-label-gatekeeper-namespace",
        {
            "policyName": "required-label",
            "validationActions": ["Warn", "Audit"],
            "matchResources": {"namespaceSelector": {"matchExpressions": [{**name, "operator": "In"}]}},
        },
    )
    assert ignored["metadata"]["name"] == "required-label-ignored-namespaces"
    assert ignored["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"] == [
        {"key": "admission.gatekeeper.sh/ignore", "operator": "Exists"},
        {**name, "operator": "NotIn"},
    ]
    _, everywhere = admission.validating(ADMITTED, admitted(namespaces="all"))
    assert everywhere["spec"] == {"policyName": "required-label", "validationActions": ["Warn", "Audit"]}


_CEL_A = '.filter(p, type(p.spec) == map && "a" in p.spec).map(p, {"at": p.at, "spec": dyn(p.spec["a"])})'
_CEL_ENTRIES = (
    ".filter(p, type(p.spec) == list).map(p, p.spec.map(v, {"
    '"at": dyn(p.at + [type(v) == map && type(v.?name.orValue(null)) == string ? v.name : ""]), '
    '"spec": dyn(v)})).flatten(1)'
)
_CEL_KEYS = (
    ".filter(p, type(p.spec) == map).map(p, p.spec.map(k, k).sort().map(k, "
    '{"at": dyn(p.at + [k]), "spec": dyn(p.spec[k])})).flatten(1)'
)


def _at(path: str) -> str:
    return f'[{{"at": dyn(["{path}"]), "spec": dyn(resource)}}]'


def _of_kind(terms: str) -> str:
    return (
        '[request.kind.group + "/" + request.kind.kind].map(kind, [dyn(object), dyn(oldObject)].map(resource,\n'
        f'  kind in ["g.io/K"] ? {terms}\n  : []))[0]'
    )


def _custom_variable(name: str, **places: Any) -> str:
    rules = CelRules((), ({"expression": f"variables.{name}"},))
    kinds = {"customKinds": [{"group": "g.io", "kind": "K", **places}]}
    found = admission.validating(policy(admission=rules), admitted(kinds))
    (variable,) = found[0]["spec"]["variables"]
    assert variable["name"] == name
    return str(variable["expression"])


@pytest.mark.parametrize(
    ("path", "text"),
    [("a", _CEL_A), ("a[].a", _CEL_A + _CEL_ENTRIES + _CEL_A), ("a.*.a", _CEL_A + _CEL_KEYS + _CEL_A)],
)
def test_pod_specs_of_custom_kinds(path: str, text: str) -> None:
    assert _custom_variable("customPodSpecs", paths=[path]) == _of_kind(_at(path) + text)
    assert _custom_variable("customLists", paths=[path]) == "[[], []]"


def test_containers_of_custom_kinds() -> None:
    expression = _custom_variable("customLists", containers=["a", "a[]"])
    one, several = (
        f'{_at("a")}{_CEL_A}.map(p, {{"at": p.at, "list": dyn("containers"), "items": {items}}})'
        for items in ("dyn([p.spec])", "p.spec")
    )
    assert expression == _of_kind(f"{one}\n    + {several}")
    assert _custom_variable("customPodSpecs", containers=["a"]) == "[[], []]"


_STATED = ' || (p.stated != null && p.stated != "")'


@pytest.mark.parametrize(
    ("field", "start", "used", "stated", "end"),
    [
        (("a.i", "a.p"), f".map(c, [c]{_CEL_A}", _STATED, _CEL_A, "[0]"),
        (("a.a.i", "a.p"), f".map(c, [c]{_CEL_A}{_CEL_A}", "", _CEL_A, "[0]"),
        (("a[].a.i", "a[].p"), f"{_CEL_A}{_CEL_ENTRIES}.map(c, [c]{_CEL_A}", "", "", ".flatten(1)"),
    ],
)
def test_images_of_custom_kinds(field: tuple[str, str], start: str, used: str, stated: str, end: str) -> None:
    image, policy_path = field
    key = '.filter(p, type(p.spec) == map && "p" in p.spec).map(p, {"at": p.at, "spec": dyn(p.spec["p"])})'
    expression = _custom_variable("customLists", images=[{"image": image, "policy": policy_path}])
    assert expression == _of_kind(
        f"{_at(image)}{start}"
        '.filter(p, type(p.spec) == map).map(p, {"at": dyn(p.at + ["p"]), "image": dyn(p.spec[?"i"].orValue(null)), '
        f'"stated": ([c]{stated}{key}.map(q, q.spec) + [dyn(null)])[0]}}).filter(p, '
        f'(p.image != null && p.image != ""){used})'
        f'.map(p, {{"at": p.at, "list": dyn("images"), "items": dyn([{{"name": dyn("{image}"), '
        f'"image": p.image, "imagePullPolicy": p.stated}}])}})){end}'
    )


def test_what_is_stated_of_a_kind_several_times_is_joined() -> None:
    rules = CelRules((), ({"expression": "variables.customPodSpecs"},))
    kinds = {"customKinds": [{"group": "g.io", "kind": "K", "paths": [path]} for path in ("a", "a[].a")]}
    found = admission.validating(policy(admission=rules), admitted(kinds))
    assert found[0]["spec"]["variables"][0]["expression"] == _of_kind(
        f"{_at('a')}{_CEL_A}\n    + {_at('a[].a')}{_CEL_A}{_CEL_ENTRIES}{_CEL_A}"
    )


def test_assigns_are_one_for_each_field_and_way_of_protecting() -> None:
    found = {obj["metadata"]["name"]: obj for obj in admission.assigns(ADMITTED, admitted())}
    assert list(found) == [
        f"required-label-{name}-{way}" for name in ("onefield", "two") for way in ("by-name", "by-label")
    ]
    two = found["required-label-two-by-name"]
    assert two["metadata"]["annotations"] == {"pullguard/policy": "required_label", "pullguard/limits": "L."}
    assert two["spec"] == {
        "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"], "operations": ["CREATE"]}],
        "match": {
            "scope": "Namespaced",
            "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}],
            "namespaces": ["kube-system", "x-*"],
        },
        "location": "spec.y.z",
        "parameters": {"pathTests": [{"subPath": "spec.y", "condition": "MustExist"}], "assign": {"value": "b"}},
    }
    assert found["required-label-onefield-by-label"]["spec"]["match"]["namespaceSelector"] == SELECTOR
    assert found["required-label-onefield-by-label"]["spec"]["parameters"] == {"assign": {"value": "b"}}


@pytest.mark.parametrize(("allowed", "is_there"), [(["a"], True), (["b"], False)])
def test_mutation_is_there_where_the_parameters_allow_what_it_sets(allowed: list[str], is_there: bool) -> None:
    files = render(Sources((OTHER, ADMITTED), ()), admitted({"allowed": allowed}))
    expected = [
        f"mutation/{where}/{name}"
        for where in ("gatekeeper", "kubernetes-v1alpha1", "kubernetes-v1beta1", "kubernetes")
        for name in ("kustomization.yaml", "required_label/kustomization.yaml", "required_label/objects.yaml")
    ]
    assert [path for path in files if path.startswith("mutation/")] == (expected if is_there else [])
    for suffix, version in {"": "v1", "-v1beta1": "v1beta1", "-v1alpha1": "v1alpha1"}.items() if is_there else ():
        objects = yaml.safe_load_all(files[f"mutation/kubernetes{suffix}/required_label/objects.yaml"])
        assert {obj["apiVersion"] for obj in objects} == {f"admissionregistration.k8s.io/{version}"}


def test_what_is_done_elsewhere_has_folders_of_its_own() -> None:
    own = Elsewhere(
        name="all-others",
        description="What it does.",
        sets="Always",
        operations=("CREATE", "UPDATE"),
        cel=CelRules((CelVariable("unused", "1"),), ({"x": "variables.isProtected && variables.allowed"},)),
    )
    files = render(Sources((OTHER, dataclasses.replace(ADMITTED, elsewhere=own)), ()), admitted({"allowed": ["b"]}))
    folders = {"": "v1", "-v1beta1": "v1beta1", "-v1alpha1": "v1alpha1"}
    assert sorted(path for path in files if path.startswith("mutation/")) == sorted(
        f"mutation/elsewhere{suffix}/{name}"
        for suffix in folders
        for name in ("kustomization.yaml", "required_label/kustomization.yaml", "required_label/objects.yaml")
    )
    assert "`mutation/elsewhere`" in files["README.md"]
    for suffix, version in folders.items():
        policy, binding = yaml.safe_load_all(files[f"mutation/elsewhere{suffix}/required_label/objects.yaml"])
        assert policy["apiVersion"] == binding["apiVersion"] == f"admissionregistration.k8s.io/{version}"
        annotations = policy["metadata"]["annotations"]
        assert json.loads(annotations.pop("pullguard/summary"))["protectedNamespaces"]["names"] == [
            "kube-system",
            "x-*",
        ]
        assert annotations == binding["metadata"]["annotations"]
        assert annotations == {
            "pullguard/policy": "required_label",
            "description": "What it does.",
            "pullguard/elsewhere": "Always",
        }
        assert binding["spec"] == {"policyName": "all-others"}
        assert policy["spec"]["failurePolicy"] == "Ignore"
        assert policy["spec"]["matchConstraints"]["resourceRules"] == [
            {
                "apiGroups": [""],
                "apiVersions": ["v1"],
                "operations": ["CREATE", "UPDATE"],
                "resources": ["pods"],
                "scope": "Namespaced",
            }
        ]
    assert admission.elsewhere(OTHER, admitted()) == []


def test_a_level_of_admission_sets_what_bindings_do() -> None:
    files = render(Sources((OTHER, ADMITTED), ()), admitted())
    assert [path for path in files if path.startswith("admission/deny")] == [
        "admission/deny/kustomization.yaml",
        "admission/deny/required_label/kustomization.yaml",
    ]
    (patch,) = yaml.safe_load(files["admission/deny/required_label/kustomization.yaml"])["patches"]
    assert patch["target"] == {
        "group": "admissionregistration.k8s.io",
        "kind": "ValidatingAdmissionPolicyBinding",
    }
    assert yaml.safe_load(patch["patch"]) == [{"op": "replace", "path": "/spec/validationActions", "value": ["Deny"]}]
    text = files["admission/policies/required_label/objects.yaml"]
    assert "expression: |-\n        variables.isProtected\n        ? variables.label : ''\n" in text
