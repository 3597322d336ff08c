import json
import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policy_tree import CLUSTER_POLICY, PARAMETERS, POLICY, policy
from pullguard.core.errors import PullguardError
from pullguard.library import policies
from pullguard.library.config import AdmissionConfig, Config, PolicyConfig, ProtectedNamespaces, load, parse, schema
from shared_engine import ENGINE

VALIDATOR = jsonschema_rs.Draft202012Validator(schema((POLICY,)))
DEFAULT = PolicyConfig(enabled=True, enforcement="audit", parameters={})
NAMES = "protectedNamespaces: {names: [kube-system]}\n"


def read(text: str) -> Config:
    return parse(ENGINE, text, "pullguard.yaml", (POLICY,))


def errors(text: str) -> list[str]:
    with pytest.raises(PullguardError) as caught:
        read(text)
    return str(caught.value).splitlines()


# -- what it can say ----------------------------------------------------------------------------------------------


def test_the_least_that_can_be_said() -> None:
    assert read(NAMES) == Config(ProtectedNamespaces(("kube-system",), None), {"required_label": DEFAULT})


def test_everything_that_can_be_said() -> None:
    text = """\
# yaml-language-server: $schema=pullguard.schema.json
protectedNamespaces:
  names: [kube-system, "*-system", kube-*, "*mid*", "*", a:b]
  selector:
    matchLabels: {example.com/protected: "true", plain: ""}
    matchExpressions:
      - {key: a, operator: In, values: [b, "1"]}
      - {key: a/b.c_D, operator: NotIn, values: [""]}
      - {key: e, operator: Exists}
      - {key: f, operator: DoesNotExist, values: []}
enforcement: warn
policies:
  required_label:
    enabled: false
    enforcement: deny
    parameters:
      label: team
      customKinds: [{group: a, kind: B}]
"""
    assert read(text) == Config(
        ProtectedNamespaces(
            ("kube-system", "*-system", "kube-*", "*mid*", "*", "a:b"),
            {
                "matchLabels": {"example.com/protected": "true", "plain": ""},
                "matchExpressions": [
                    {"key": "a", "operator": "In", "values": ["b", "1"]},
                    {"key": "a/b.c_D", "operator": "NotIn", "values": [""]},
                    {"key": "e", "operator": "Exists"},
                    {"key": "f", "operator": "DoesNotExist", "values": []},
                ],
            },
        ),
        {
            "required_label": PolicyConfig(
                enabled=False,
                enforcement="deny",
                parameters={"label": "team", "customKinds": [{"group": "a", "kind": "B"}]},
            )
        },
    )


def test_a_selector_can_stand_alone() -> None:
    config = read("protectedNamespaces: {selector: {matchLabels: {a: b}}}\n")
    assert config.protected_namespaces == ProtectedNamespaces((), {"matchLabels": {"a": "b"}})


@pytest.mark.parametrize(
    "text",
    [
        "policies:\n",
        "policies: {}\n",
        "policies:\n  required_label:\n",
        "policies:\n  required_label:\n    parameters:\n",
    ],
)
def test_what_is_left_empty_is_as_if_it_were_not_there(text: str) -> None:
    assert read(NAMES + text).policies == {"required_label": DEFAULT}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "audit"),
        ("enforcement: deny\n", "deny"),
        ("enforcement: deny\npolicies: {required_label: {enforcement: warn}}\n", "warn"),
        ("policies: {required_label: {enforcement: deny}}\n", "deny"),
    ],
)
def test_a_policy_s_own_enforcement_comes_before_everyone_s(text: str, expected: str) -> None:
    assert read(NAMES + text).policies["required_label"].enforcement == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "audit"),
        ("enforcement: warn\n", "warn"),
        ("enforcement: deny\n", "warn"),
        ("enforcement: deny\npolicies: {known_host: {enforcement: audit}}\n", "audit"),
        ("enforcement: deny\npolicies: {known_host: {enforcement: warn}}\n", "warn"),
    ],
)
def test_a_policy_that_does_not_offer_everyone_s_enforcement_takes_the_strictest_that_it_offers(
    text: str, expected: str
) -> None:
    stated = parse(ENGINE, NAMES + text, "pullguard.yaml", (CLUSTER_POLICY, POLICY))
    assert stated.policies["known_host"].enforcement == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "policies:\n  known_host:\n    enforcement: deny\n",
            (
                "pullguard.yaml:4: policies.known_host.enforcement is deny, which is not one of audit, warn; "
                "the policy's page says which levels it offers, and why"
            ),
        ),
        (
            "policies:\n  known_host:\n    parameters:\n      hosts: {names: [a]}\n",
            ("pullguard.yaml:5: hosts is not a known key of policies.known_host.parameters; known here: grade"),
        ),
        (
            "policies:\n  known_host:\n    parameters: {grade: middle}\n",
            "pullguard.yaml:4: policies.known_host.parameters.grade is middle, which is not one of low, high",
        ),
    ],
)
def test_what_a_policy_does_not_offer_is_refused_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(PullguardError) as caught:
        parse(ENGINE, NAMES + text, "pullguard.yaml", (CLUSTER_POLICY, POLICY))
    assert str(caught.value) == expected


def test_json_and_a_byte_order_mark_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "pullguard.yaml"
    path.write_bytes(b'\xef\xbb\xbf{"protectedNamespaces": {"names": ["a"]}}')
    assert load(ENGINE, path, (POLICY,)).protected_namespaces.names == ("a",)


# -- what it cannot say -------------------------------------------------------------------------------------------

GLOB = "a name has lower-case letters, digits and hyphens, and an asterisk at the start or the end only"
KEY = "a label's key is name or prefix/name, as in example.com/protected"
VALUE = (
    "a label's value has at most 63 letters, digits, hyphens, underscores and dots, "
    "and begins and ends with a letter or digit"
)
EXPRESSION = "protectedNamespaces:\n  selector:\n    matchExpressions:\n      - {}\n"
BAD = {
    "empty": ("", "1: it says nothing; `pullguard init` writes one to start with"),
    "only comments": ("# a\n# b\n", "1: it says nothing; `pullguard init` writes one to start with"),
    "null": ("null\n", "1: it says nothing; `pullguard init` writes one to start with"),
    "a list": ("- a\n", "1: the configuration must be a mapping, not a list"),
    "a string": ("a\n", "1: the configuration must be a mapping, not a string"),
    "two documents": (NAMES + "---\n" + NAMES, "3: there is more than one document; remove the lines `---`"),
    "an unknown scope of admission policies": (
        NAMES + "admission:\n  namespaces: some\n",
        f"{NAMES.count(chr(10)) + 2}: admission.namespaces is some, which is not one of unseen, all",
    ),
    "a namespace of Gatekeeper that is none": (
        NAMES + "admission: {gatekeeperNamespace: A}\n",
        f"{NAMES.count(chr(10)) + 1}: admission.gatekeeperNamespace cannot be A; write the name of a namespace",
    ),
    "no namespaces": ("enforcement: audit\n", "1: protectedNamespaces is missing"),
    "empty namespaces": (
        "protectedNamespaces:\n",
        "1: protectedNamespaces is empty, but must be a mapping; state names, or a selector, or both",
    ),
    "neither names nor selector": (
        "protectedNamespaces: {}\n",
        "1: protectedNamespaces is not valid; state names, or a selector, or both",
    ),
    "namespaces as a list": (
        "protectedNamespaces: [kube-system]\n",
        "1: protectedNamespaces must be a mapping, not a list; state names, or a selector, or both",
    ),
    "no names": ("protectedNamespaces:\n  names: []\n", "2: protectedNamespaces.names is empty"),
    "names as a string": (
        "protectedNamespaces:\n  names: a\n",
        "2: protectedNamespaces.names must be a list, not a string",
    ),
    "a name that is a number": (
        "protectedNamespaces:\n  names:\n    - a\n    - 1\n",
        '4: protectedNamespaces.names[1] must be a string, not a number; put quotes around it: "1"',
    ),
    "a name that is empty": (
        "protectedNamespaces:\n  names:\n    -\n",
        f"3: protectedNamespaces.names[0] is empty, but must be a string; {GLOB}",
    ),
    "an empty name": (
        'protectedNamespaces:\n  names: [""]\n',
        f"2: protectedNamespaces.names[0] is empty; {GLOB}",
    ),
    "a repeated name": (
        "protectedNamespaces:\n  names:\n    - a\n    - b\n    - a\n",
        "5: protectedNamespaces.names[2] repeats a; remove one of the two",
    ),
    "an empty selector": (
        "protectedNamespaces:\n  selector: {}\n",
        (
            "2: protectedNamespaces.selector is empty; "
            'state matchLabels or matchExpressions; for every namespace, write names: ["*"] instead'
        ),
    ),
    "empty matchLabels": (
        "protectedNamespaces:\n  selector:\n    matchLabels: {}\n",
        "3: protectedNamespaces.selector.matchLabels is empty",
    ),
    "labels without the selector's form": (
        "protectedNamespaces:\n  selector:\n    a: b\n",
        "3: a is not a known key of protectedNamespaces.selector; known here: matchLabels, matchExpressions",
    ),
    "a label's value that is true": (
        "protectedNamespaces:\n  selector:\n    matchLabels:\n      a: true\n",
        (
            "4: protectedNamespaces.selector.matchLabels.a must be a string, not true or false; "
            'put quotes around it: "true"'
        ),
    ),
    "a bad label key": (
        "protectedNamespaces:\n  selector:\n    matchLabels:\n      a: b\n      a b: c\n",
        f'5: "a b" cannot be a key of protectedNamespaces.selector.matchLabels; {KEY}',
    ),
    "an expression without anything": (
        EXPRESSION,
        "4: protectedNamespaces.selector.matchExpressions[0].key is missing",
        "4: protectedNamespaces.selector.matchExpressions[0].operator is missing",
    ),
    "an operator in the wrong case": (
        EXPRESSION.replace("{}", "{key: a, operator: exists}"),
        (
            "4: protectedNamespaces.selector.matchExpressions[0].operator is exists, "
            "which is not one of In, NotIn, Exists, DoesNotExist; did you mean Exists?"
        ),
    ),
    "In without values": (
        EXPRESSION.replace("{}", "{key: a, operator: In}"),
        (
            "4: protectedNamespaces.selector.matchExpressions[0].values is missing; "
            "In and NotIn compare with at least one value"
        ),
    ),
    "NotIn with no values": (
        EXPRESSION.replace("{}", "{key: a, operator: NotIn, values: []}"),
        (
            "4: protectedNamespaces.selector.matchExpressions[0].values is empty; "
            "In and NotIn compare with at least one value"
        ),
    ),
    "Exists with values": (
        EXPRESSION.replace("{}", "{key: a, operator: Exists, values: [b]}"),
        (
            "4: protectedNamespaces.selector.matchExpressions[0].values has more than 0 entries; "
            "Exists and DoesNotExist have no values"
        ),
    ),
    "an unknown enforcement": (
        NAMES + "enforcement: dryrun\n",
        "2: enforcement is dryrun, which is not one of audit, warn, deny",
    ),
    "an enforcement in the wrong case": (
        NAMES + "enforcement: Deny\n",
        "2: enforcement is Deny, which is not one of audit, warn, deny; did you mean deny?",
    ),
    "an unknown key": (
        NAMES + "enforcment: deny\n",
        "2: enforcment is not a known key of the configuration; did you mean enforcement?",
    ),
    "an unknown key that is like none": (
        NAMES + "x: 1\n",
        "2: x is not a known key of the configuration; known here: enforcement, admission, policies",
    ),
    "an unknown policy": (
        NAMES + "policies:\n  required_labels: {}\n",
        "3: required_labels is not a known key of policies; did you mean required_label?",
    ),
    "a policy that is a word": (
        NAMES + "policies:\n  required_label: deny\n",
        "3: policies.required_label must be a mapping, not a string",
    ),
    "enabled that is not a boolean": (
        NAMES + 'policies:\n  required_label:\n    enabled: "no"\n',
        "4: policies.required_label.enabled must be true or false, not a string",
    ),
    "an unknown parameter": (
        NAMES + "policies:\n  required_label:\n    parameters:\n      lable: a\n",
        "5: lable is not a known key of policies.required_label.parameters; did you mean label?",
    ),
    "a parameter of the wrong type": (
        NAMES + "policies:\n  required_label:\n    parameters:\n      label: [a]\n",
        "5: policies.required_label.parameters.label must be a string, not a list",
    ),
    "a parameter that is too short": (
        NAMES + 'policies:\n  required_label:\n    parameters:\n      label: ""\n',
        "5: policies.required_label.parameters.label is empty",
    ),
    "a part of a parameter that is missing": (
        NAMES + "policies:\n  required_label:\n    parameters:\n      customKinds:\n        - group: a\n",
        "6: policies.required_label.parameters.customKinds[0].kind is missing",
    ),
    "a duplicate key": (
        NAMES + "enforcement: deny\nenforcement: audit\n",
        'the key "enforcement" occurs twice',
    ),
    "not YAML": (NAMES + "enforcement: [\n", "not valid YAML"),
    "a tab": ("protectedNamespaces:\n\tnames: [a]\n", "indent with spaces, not with tabs"),
}
FROM_THE_READER = {"a duplicate key", "not YAML", "a tab"}


def test_admission() -> None:
    assert read(NAMES + "admission:\n").admission == AdmissionConfig("unseen", "gatekeeper-system")
    stated = "admission: {namespaces: all, gatekeeperNamespace: gk}\n"
    assert read(NAMES + stated).admission == AdmissionConfig("all", "gk")


@pytest.mark.parametrize(
    ("text", "expected"),
    [(b[0], b[1:]) for n, b in BAD.items() if n not in FROM_THE_READER],
    ids=[n for n in BAD if n not in FROM_THE_READER],
)
def test_what_is_wrong_is_said_with_file_and_line(text: str, expected: tuple[str, ...]) -> None:
    assert errors(text) == [f"pullguard.yaml:{line}" for line in expected]


@pytest.mark.parametrize(("name", "line"), [("a duplicate key", 3), ("not YAML", 2), ("a tab", 2)])
def test_what_the_yaml_reader_says_comes_with_file_and_line(name: str, line: int) -> None:
    text, expected = BAD[name]
    (only,) = errors(text)
    assert only.startswith(f"pullguard.yaml:{line}: ")
    assert expected in only


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    text = "enforcement: x\nenforcement: z\npolicies: []\nprotectedNamespaces:\n  names: [A]\n  name: b\n"
    lines = errors(text)
    assert 'pullguard.yaml:2: the key "enforcement" occurs twice' in lines[0]
    assert lines[1:] == [
        "pullguard.yaml:2: enforcement is z, which is not one of audit, warn, deny",
        "pullguard.yaml:3: policies must be a mapping, not a list",
        f"pullguard.yaml:5: protectedNamespaces.names[0] cannot be A; {GLOB}",
        "pullguard.yaml:6: name is not a known key of protectedNamespaces; known here: selector",
    ]


@pytest.mark.parametrize(
    "glob", ["Kube", "a*b", "kube_system", "kube system", "***", "a/b", "*a*b", "ä", "a\nb", " a", "!a"]
)
def test_bad_globs_are_refused(glob: str) -> None:
    (only,) = errors(json.dumps({"protectedNamespaces": {"names": [glob]}}))
    assert only.endswith(f"; {GLOB}")


@given(st.text(st.sampled_from("ab0-:*A_./ \n"), max_size=6))
def test_globs_are_those_of_gatekeeper(glob: str) -> None:
    # The pattern of the CRD, and one more condition: an empty name would match nothing.
    expected = bool(glob) and re.fullmatch(r"\*?[-:a-z0-9]*\*?", glob) is not None
    assert VALIDATOR.is_valid({"protectedNamespaces": {"names": [glob]}}) == expected


def is_label_value(text: str) -> bool:
    """Kubernetes' rule, in words: at most 63 letters, digits, - _ . within, letters or digits at the ends."""
    alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    if text == "":
        return True
    return (
        len(text) <= 63
        and text[0] in alphanumeric
        and text[-1] in alphanumeric
        and all(character in alphanumeric + "-_." for character in text)
    )


def is_label_key(text: str) -> bool:
    """Kubernetes' rule, in words: as a value, but not empty; before it may stand a DNS subdomain and a slash."""
    prefix, slash, name = text.rpartition("/")
    if slash and not (
        1 <= len(prefix) <= 253
        and all(
            part and part[0] != "-" and part[-1] != "-" and re.fullmatch("[a-z0-9-]+", part)
            for part in prefix.split(".")
        )
    ):
        return False
    return name != "" and is_label_value(name)


LABEL = st.text(st.sampled_from("aZ0-_./ é\n"), max_size=8) | st.builds(
    lambda character, count, end: character * count + end,
    st.sampled_from("ab"),
    st.integers(61, 65) | st.integers(250, 256),
    st.sampled_from(["", "/a", "/" + "b" * 63, "/" + "b" * 64]),
)


@given(LABEL)
def test_label_keys_are_those_of_kubernetes(key: str) -> None:
    assert VALIDATOR.is_valid({"protectedNamespaces": {"selector": {"matchLabels": {key: "x"}}}}) == is_label_key(key)
    expressions = [{"key": key, "operator": "Exists"}]
    assert VALIDATOR.is_valid({"protectedNamespaces": {"selector": {"matchExpressions": expressions}}}) == is_label_key(
        key
    )


@given(LABEL)
def test_label_values_are_those_of_kubernetes(value: str) -> None:
    assert VALIDATOR.is_valid({"protectedNamespaces": {"selector": {"matchLabels": {"x": value}}}}) == is_label_value(
        value
    )


def test_a_bad_label_value_is_said_with_the_rule() -> None:
    assert errors("protectedNamespaces:\n  selector:\n    matchLabels: {a: -b}\n") == [
        f"pullguard.yaml:3: protectedNamespaces.selector.matchLabels.a cannot be -b; {VALUE}"
    ]


# -- parameters that have no default ------------------------------------------------------------------------------

DEMANDING = policy(
    parameters={
        **PARAMETERS,
        "properties": {**PARAMETERS["properties"], "team": {"type": "string"}},
        "required": ["team", "label"],
    }
)


def test_a_parameter_without_a_default_can_be_demanded() -> None:
    stated = parse(ENGINE, NAMES + "policies: {required_label: {parameters: {team: a}}}\n", "f", (DEMANDING,))
    assert stated.policies["required_label"].parameters == {"team": "a"}
    off = parse(ENGINE, NAMES + "policies: {required_label: {enabled: false}}\n", "f", (DEMANDING,))
    assert off.policies["required_label"].enabled is False


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (NAMES, 1),
        (NAMES + "policies:\n", 2),
        (NAMES + "policies:\n  required_label:\n    enabled: true\n", 3),
        (NAMES + "policies:\n  required_label:\n    parameters:\n", 4),
        (NAMES + "policies:\n  required_label:\n    parameters: {}\n", 4),
        (NAMES + "policies:\n  required_label:\n    parameters:\n      label: a\n", 4),
    ],
)
def test_a_demanded_parameter_that_is_missing_is_said(text: str, line: int) -> None:
    with pytest.raises(PullguardError) as caught:
        parse(ENGINE, text, "f", (DEMANDING,))
    assert str(caught.value) == f"f:{line}: policies.required_label.parameters.team is missing"


# -- files --------------------------------------------------------------------------------------------------------


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    path = tmp_path / "none.yaml"
    with pytest.raises(PullguardError) as caught:
        load(ENGINE, path, (POLICY,))
    assert str(caught.value) == f"{path}: there is no such file; `pullguard init` writes one to start with"


def test_a_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(PullguardError) as caught:
        load(ENGINE, tmp_path, (POLICY,))
    assert str(caught.value) == f"{tmp_path}: cannot be read (Is a directory)"


def test_a_file_that_is_not_utf_8_is_said(tmp_path: Path) -> None:
    path = tmp_path / "pullguard.yaml"
    path.write_bytes(b"a: b\nc: \xff\n")
    with pytest.raises(PullguardError) as caught:
        load(ENGINE, path, (POLICY,))
    assert str(caught.value) == f"{path}:2: is not UTF-8; save it as UTF-8"


# -- the schema ---------------------------------------------------------------------------------------------------


def test_the_schema_is_a_schema_and_says_what_parameters_are() -> None:
    value: Any = schema((POLICY,))
    jsonschema_rs.meta.validate(value)
    assert value["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert value["properties"]["policies"]["properties"]["required_label"]["properties"]["parameters"] == {
        "type": ["object", "null"],
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
                "examples": [[{"group": "example.com", "kind": "Widget"}, {"group": "example.com", "kind": "Gadget"}]],
                "items": {
                    "type": "object",
                    "required": ["group", "kind"],
                    "properties": {"group": {"type": "string"}, "kind": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
        },
        "additionalProperties": False,
    }


_JOB_SET = "{group: jobset.x-k8s.io, kind: JobSet, paths: ['spec.replicatedJobs[].template.spec.template.spec']}"


_CONTAINERS = "{group: tekton.dev, kind: Task, containers: ['spec.steps[]', 'spec.*', 'spec.parts.*[]', spec.run]}"
_LEFT_OUT = "{group: argoproj.io, kind: Workflow, paths: []}"
_IMAGES = "{group: example.com, kind: Widget, images: [{image: 'spec.*.image', policy: 'spec.*.pull'}]}"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (_JOB_SET.replace("jobset.x-k8s.io", "jobset.x-k8s.io/v1"), "group cannot be jobset.x-k8s.io/v1"),
        (_JOB_SET.replace("jobset.x-k8s.io", "'*'"), "group cannot be *"),
        (_JOB_SET.replace("JobSet", "'*'"), "kind cannot be *"),
        (_JOB_SET.replace("JobSet", "jobsets"), "kind cannot be jobsets"),
        (_JOB_SET.replace("JobSet", "JobSets"), "kind cannot be JobSets"),
        (_JOB_SET.replace("template.spec'", "template.spec.containers'"), "paths[0] cannot be "),
        (_JOB_SET.replace("template.spec'", "template.spec.containers[]'"), "paths[0] cannot be "),
        (_JOB_SET.replace("spec.replicated", "spec/replicated"), "paths[0] cannot be "),
        (_JOB_SET.replace("spec.replicated", "spec. replicated"), "paths[0] cannot be "),
        (_JOB_SET.replace("[].template", ".a*.template"), "paths[0] cannot be "),
        (_JOB_SET.replace("[].template", ".**.template"), "paths[0] cannot be "),
        (_CONTAINERS.replace("spec.steps[]", "spec.steps"), "containers[0] cannot be spec.steps"),
        (_CONTAINERS.replace("spec.steps[]", "spec.initContainers"), "containers[0] cannot be spec.initContainers"),
        (_CONTAINERS.replace("spec.steps[]", "spec/steps[]"), "containers[0] cannot be spec/steps[]"),
        (_CONTAINERS.replace("spec.steps[]", "spec.s*"), "containers[0] cannot be spec.s*"),
        (_IMAGES.replace("spec.*.image", "spec.images[]"), "images[0].image cannot be spec.images[]"),
        (_IMAGES.replace("spec.*.image", "spec.*"), "images[0].image cannot be spec.*"),
        (_IMAGES.replace("spec.*.pull", "spec. pull"), 'images[0].policy cannot be "spec. pull"'),
        (_IMAGES.replace(", policy: 'spec.*.pull'", ""), "images[0].policy is missing"),
        (
            "{group: example.com, kind: Widget, paths: []}",
            " names no place in Widget, which is not judged anyway; state paths, containers or images",
        ),
        (
            _IMAGES.replace("spec.*.image", "spec.image"),
            "images[0].policy cannot be spec.*.pull: spec.image leads through other lists; a pull policy ",
        ),
    ],
)
def test_custom_kinds_that_can_never_match(checkout: Path, entry: str, message: str) -> None:
    found = policies.read(checkout / "rego", ENGINE).policies
    start = (
        "protectedNamespaces: {names: [a]}\npolicies:\n  protected_pull_policy:\n    parameters:\n      customKinds:\n"
    )
    for right in (_JOB_SET, _JOB_SET.replace("[].template", ".*.template"), _CONTAINERS, _IMAGES, _LEFT_OUT):
        parse(ENGINE, f"{start}        - {right}\n", "f.yaml", found)
    with pytest.raises(PullguardError) as raised:
        parse(ENGINE, f"{start}        - {entry}\n", "f.yaml", found)
    name = "policies.protected_pull_policy.parameters.customKinds[0]"
    assert str(raised.value).startswith(f"f.yaml:6: {name}{'' if message.startswith(' ') else '.'}{message}")
