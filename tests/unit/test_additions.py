"""What is added to lists of a configuration: where it goes, in which style, and where it is refused."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pullguard.library.additions import Additions, RefusedError, with_additions
from shared_engine import ENGINE

NAMES = ("protectedNamespaces", "names")
KINDS = ("policies", "p", "parameters", "customKinds")
KIND = {"group": "example.com", "kind": "Widget", "containers": ["spec.steps[]"]}

#: By what is special: the text, what is added, and the text with it.
CASES: dict[str, tuple[str, Additions, str]] = {
    "a list with comments": (
        "protectedNamespaces: # mine\n  names:\n    - kube-system # first\n    # the last word\nenforcement: audit\n",
        {NAMES: ["a", "b"]},
        (
            "protectedNamespaces: # mine\n  names:\n    - kube-system # first\n    - a\n    - b\n    # the last word\n"
            "enforcement: audit\n"
        ),
    ),
    "a list that is not indented": (
        "protectedNamespaces:\n  names:\n  - x\n",
        {NAMES: ["a"]},
        "protectedNamespaces:\n  names:\n  - x\n  - a\n",
    ),
    "no line break at the end": (
        "protectedNamespaces:\n  names:\n  - x",
        {NAMES: ["a"]},
        "protectedNamespaces:\n  names:\n  - x\n  - a",
    ),
    "line breaks of Windows, and a byte order mark": (
        "\ufeffprotectedNamespaces:\r\n  names:\r\n  - x\r\n",
        {NAMES: ["a"]},
        "\ufeffprotectedNamespaces:\r\n  names:\r\n  - x\r\n  - a\r\n",
    ),
    "brackets": (
        "protectedNamespaces: {names: [x]} # mine\n",
        {NAMES: ["a", "b"]},
        "protectedNamespaces: {names: [x, a, b]} # mine\n",
    ),
    "brackets on several lines": (
        "protectedNamespaces:\n  names: [\n    x,\n    y,\n  ]\n",
        {NAMES: ["a"]},
        "protectedNamespaces:\n  names: [\n    x,\n    y,\n    a,\n  ]\n",
    ),
    "empty brackets": (
        "protectedNamespaces: {names: []}\n",
        {NAMES: ["a"]},
        "protectedNamespaces: {names: [a]}\n",
    ),
    "no list": (
        "protectedNamespaces:\n  selector: {matchLabels: {a: b}}\n\n# the end\n",
        {NAMES: ["a"]},
        "protectedNamespaces:\n  selector: {matchLabels: {a: b}}\n  names:\n    - a\n\n# the end\n",
    ),
    "no list in braces": (
        "protectedNamespaces: {selector: {matchLabels: {a: b}}}\n",
        {NAMES: ["a"]},
        'protectedNamespaces: {selector: {matchLabels: {a: b}}, names: ["a"]}\n',
    ),
    "names that are no strings without quotes": (
        "protectedNamespaces:\n  names: [x]\n",
        {NAMES: ["1e3", "on", "null"]},
        'protectedNamespaces:\n  names: [x, "1e3", "on", "null"]\n',
    ),
    "nothing of it": (
        "protectedNamespaces:\n  names: [x]\n",
        {KINDS: [KIND]},
        (
            "protectedNamespaces:\n  names: [x]\npolicies:\n  p:\n    parameters:\n      customKinds:\n"
            "        - group: example.com\n          kind: Widget\n          containers:\n"
            '            - "spec.steps[]"\n'
        ),
    ),
    "a mapping that holds comments only": (
        "policies:\n  ## Of p.\n  p:\n    parameters: # none\n      ## Examples.\n      # x: y\n  q:\n",
        {KINDS: [KIND], ("policies", "q", "parameters", "customKinds"): [KIND]},
        (
            "policies:\n  ## Of p.\n  p:\n    parameters: # none\n"
            "      customKinds:\n        - group: example.com\n          kind: Widget\n"
            '          containers:\n            - "spec.steps[]"\n      ## Examples.\n      # x: y\n'
            "  q:\n    parameters:\n      customKinds:\n        - group: example.com\n          kind: Widget\n"
            '          containers:\n            - "spec.steps[]"\n'
        ),
    ),
    "comments in the last entry": (
        "policies:\n  p:\n    x:\n      ## Of p.\n      # y: z\n  # Of policies.\n",
        {("policies", "q", "x"): ["z"]},
        "policies:\n  p:\n    x:\n      ## Of p.\n      # y: z\n  q:\n    x:\n      - z\n  # Of policies.\n",
    ),
    "null in braces": (
        "protectedNamespaces: {names: null} # mine\n",
        {NAMES: ["a"]},
        'protectedNamespaces: {names: ["a"]} # mine\n',
    ),
    "a tilde": (
        "protectedNamespaces:\n  names: ~ # none yet\n",
        {NAMES: ["a"]},
        "protectedNamespaces:\n  names: # none yet\n    - a\n",
    ),
    "the last entry gets something, and what it stands in": (
        "policies:\n  p:\n    parameters:\n      exemptImages: [x]\n",
        {KINDS: [KIND], ("policies", "q", "parameters", "customKinds"): [KIND]},
        (
            "policies:\n  p:\n    parameters:\n      exemptImages: [x]\n      customKinds:\n"
            "        - group: example.com\n"
            '          kind: Widget\n          containers:\n            - "spec.steps[]"\n  q:\n    parameters:\n'
            "      customKinds:\n        - group: example.com\n          kind: Widget\n          containers:\n"
            '            - "spec.steps[]"\n'
        ),
    ),
    "entries of several lines": (
        (
            "policies:\n  p:\n    parameters:\n      customKinds:\n        - group: g\n          kind: K\n"
            "          paths: [spec]\n\n# end\n"
        ),
        {KINDS: [KIND]},
        (
            "policies:\n  p:\n    parameters:\n      customKinds:\n        - group: g\n          kind: K\n"
            "          paths: [spec]\n        - group: example.com\n          kind: Widget\n          containers:\n"
            '            - "spec.steps[]"\n\n# end\n'
        ),
    ),
    "JSON": (
        (
            '{\n  "protectedNamespaces": {\n    "names": [\n      "x"\n    ]\n  },\n'
            '  "policies": {"p": {"parameters": null}}}\n'
        ),
        {NAMES: ["a"], KINDS: [{"group": "g", "kind": "K"}]},
        (
            '{\n  "protectedNamespaces": {\n    "names": [\n      "x",\n      "a"\n    ]\n  },\n'
            '  "policies": {"p": {"parameters": {"customKinds": [{"group": "g", "kind": "K"}]}}}}\n'
        ),
    ),
    "a document with its marks": (
        "%YAML 1.2\n---\n# mine\nprotectedNamespaces:\n  names:\n  - x # one\n...\n",
        {NAMES: ["a"]},
        "%YAML 1.2\n---\n# mine\nprotectedNamespaces:\n  names:\n  - x # one\n  - a\n...\n",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_additions(name: str) -> None:
    text, additions, expected = CASES[name]
    assert with_additions(ENGINE, text, "pullguard.yaml", additions) == expected


_UNUSUAL = "its text is too unusual to be edited safely"
_SHARED = "an anchor shares the list with other places, or what it stands in"
_REFUSED = {
    "an anchor": ("x: &a [x]\nprotectedNamespaces: {names: *a}\n", _SHARED),
    "an anchor around it": ("x: &a {names: [x]}\nprotectedNamespaces: *a\n", _SHARED),
    "a merge key": (
        "x: &a {names: [x]}\nprotectedNamespaces: {<<: *a}\n",
        'the key "names" is there twice, or comes from a merge key',
    ),
    "a string": ("protectedNamespaces: {names: x}\n", _UNUSUAL),
    "a mapping": ("protectedNamespaces: {names: {a: b}}\n", _UNUSUAL),
    "a list around it": ("protectedNamespaces: [names]\n", _UNUSUAL),
    "a list": ("- protectedNamespaces\n", _UNUSUAL),
    "a tag": ("protectedNamespaces:\n  names: !!null\n", _UNUSUAL),
    "nothing": ("# nothing\n", _UNUSUAL),
}


@pytest.mark.parametrize("name", _REFUSED)
def test_what_is_refused(name: str) -> None:
    text, reason = _REFUSED[name]
    with pytest.raises(RefusedError) as refused:
        with_additions(ENGINE, text, "pullguard.yaml", {NAMES: ["a"]})
    assert str(refused.value) == reason


_WORDS = st.sampled_from(["a", "kube-system", "x-1", "on", "1e3", "*"])
_CONFIGURATIONS = st.fixed_dictionaries(
    {"protectedNamespaces": st.fixed_dictionaries({}, optional={"names": st.lists(_WORDS, min_size=1, unique=True)})},
    optional={
        "enforcement": st.just("audit"),
        "policies": st.fixed_dictionaries(
            {},
            optional={
                "p": st.fixed_dictionaries(
                    {}, optional={"enabled": st.booleans(), "parameters": st.just({"x": ["y", {"z": "w"}]})}
                ),
                "q": st.none(),
            },
        ),
    },
)


@given(
    _CONFIGURATIONS,
    st.sampled_from([None, False, True]),
    st.integers(min_value=2, max_value=5),
    st.lists(_WORDS, min_size=1, max_size=2),
)
def test_random_configurations(stated: Any, flow: bool | None, indent: int, names: list[str]) -> None:
    """Whatever its style, what is added is in it, nothing else changes, and no line is lost."""
    written = yaml.safe_dump(stated, default_flow_style=flow, indent=indent, width=1000)
    text = "".join(f"{line} # {number}\n" for number, line in enumerate(written.splitlines()))
    additions: Additions = {NAMES: names, KINDS: [KIND]}
    new = with_additions(ENGINE, text, "pullguard.yaml", additions)
    expected = yaml.safe_load(text)
    protected = expected["protectedNamespaces"]
    protected["names"] = [*protected.get("names", []), *names]
    policies = expected.setdefault("policies", {}) or expected["policies"]
    policy = policies.setdefault("p", {})
    policy.setdefault("parameters", {})["customKinds"] = [KIND]
    assert yaml.safe_load(new) == expected
    comments = [line.rpartition(" # ")[2] for line in new.splitlines() if " # " in line]
    assert comments == [str(number) for number in range(len(written.splitlines()))]
