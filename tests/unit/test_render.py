import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from policy_tree import NAMES, POLICY, REGO, SUITE, TEXTS, policy
from pullguard.config import Config, PolicyConfig, ProtectedNamespaces
from pullguard.errors import PullguardError
from pullguard.gatekeeper import Rule, constraint_from, template_from
from pullguard.policies import SourceFile, Sources
from pullguard.render import render, starting_configuration
from pullguard.render.objects import constraints
from pullguard.render.yaml_text import block, dump, quoted

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
        "spec": {"enforcementAction": "dryrun", "match": {"kinds": KINDS, **match}, "parameters": DEFAULTS, **spec},
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


def test_custom_kinds_are_matched_once_each_and_by_group() -> None:
    custom = [
        {"group": "argoproj.io", "kind": "Rollout"},
        {"group": "", "kind": "Pod"},
        {"group": "example.com", "kind": "A"},
        {"group": "argoproj.io", "kind": "Rollout"},
        {"group": "example.com", "kind": "B"},
        {"group": "", "kind": "Deployment"},
    ]
    (only,) = constraints(POLICY, config(parameters={"customKinds": custom}))
    assert only["spec"]["match"]["kinds"] == [
        *KINDS,
        {"apiGroups": ["argoproj.io"], "kinds": ["Rollout"]},
        {"apiGroups": ["example.com"], "kinds": ["A", "B"]},
        {"apiGroups": [""], "kinds": ["Deployment"]},
    ]
    assert only["spec"]["parameters"]["customKinds"] == custom


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
    SourceFile("conftest/main.rego", "package main\n"),
    SourceFile("gatekeeper/hook.rego", "package gatekeeper.hook\n"),
    SourceFile("lib/texts/texts.rego", TEXTS),
)
SOURCES = Sources((POLICY,), ADAPTER)
PATHS = [
    "README.md",
    "audit/kustomization.yaml",
    "conftest/data/pullguard.json",
    "conftest/policy/conftest/main.rego",
    "conftest/policy/gatekeeper/hook.rego",
    "conftest/policy/lib/names/names.rego",
    "conftest/policy/lib/texts/texts.rego",
    "conftest/policy/policies/required_label/required_label.rego",
    "deny/kustomization.yaml",
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
]


def test_the_library_has_these_files() -> None:
    assert list(render(SOURCES, config())) == PATHS


def test_without_an_adapter_there_is_no_bundle_for_conftest() -> None:
    files = render(Sources((POLICY,), ()), config())
    assert list(files) == [path for path in PATHS if not path.startswith("conftest/")]
    assert "conftest" not in files["README.md"]


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
    assert value["spec"]["targets"][0]["operations"] == ["CREATE", "UPDATE"]
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
)


def two_policies(**enabled: bool) -> Config:
    return Config(
        ProtectedNamespaces(("kube-system",), None),
        {entry.name: PolicyConfig(enabled.get(entry.name, True), "audit", {}) for entry in (OTHER, POLICY)},
    )


@pytest.mark.parametrize(("level", "action"), [("audit", "dryrun"), ("warn", "warn"), ("deny", "deny")])
def test_a_level_is_the_whole_library_at_one_enforcement_action(level: str, action: str) -> None:
    files = render(Sources((OTHER, POLICY), ()), two_policies())
    patch = [{"op": "replace", "path": "/spec/enforcementAction", "value": action}]
    value = yaml.safe_load(files[f"{level}/kustomization.yaml"])
    assert value == {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../policies/other_label", "../policies/required_label"],
        "patches": [
            {
                "target": {"group": "constraints.gatekeeper.sh", "kind": kind},
                "patch": value["patches"][index]["patch"],
            }
            for index, kind in enumerate(["K8sOtherLabel", "K8sRequiredLabel"])
        ],
    }
    assert [yaml.safe_load(entry["patch"]) for entry in value["patches"]] == [patch, patch]


def test_the_other_kustomizations_name_their_files() -> None:
    files = render(Sources((OTHER, POLICY), ()), two_policies())
    assert yaml.safe_load(files["templates/kustomization.yaml"])["resources"] == [
        "other_label.yaml",
        "required_label.yaml",
    ]
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
        "    kubectl apply -k templates",
        "      constrainttemplate/k8srequiredlabel",
        "    kubectl apply -k audit",
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
