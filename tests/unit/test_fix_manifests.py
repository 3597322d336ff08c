"""Editing manifests: what is written where, to the byte, and what is refused."""

import json
from dataclasses import replace

import pytest

from fixable import DIGEST, LATEST, findings_in
from pullguard.fix.manifests import Edited, edited
from shared_engine import ENGINE

POLICY = "imagePullPolicy: IfNotPresent"
COMMON = "x: &c\n  image: x:1\n  imagePullPolicy: Always\n"
POD = "kind: Pod\nspec:\n  containers:\n"
SHARED = "an anchor shares it with places that are to stay as they are, or a merge key overrides it: write it out there"


def fix(text: str, file: str = "m.yaml") -> Edited:
    return edited(ENGINE, file, text, findings_in(file, text))


# Before and after, in place of what a container has after its name and image.
REPLACED = {
    "plain": ("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent"),
    "comment": ("imagePullPolicy: Always  # always!", "imagePullPolicy: IfNotPresent  # always!"),
    "comment with a number sign inside": ("imagePullPolicy: Always\t#Always", "imagePullPolicy: IfNotPresent\t#Always"),
    "spaces": ("imagePullPolicy :   Always   ", "imagePullPolicy :   IfNotPresent   "),
    "tab": ("imagePullPolicy:\tAlways", "imagePullPolicy:\tIfNotPresent"),
    "single quotes": ("imagePullPolicy: 'Always'", "imagePullPolicy: 'IfNotPresent'"),
    "double quotes": ('imagePullPolicy: "Always"', 'imagePullPolicy: "IfNotPresent"'),
    "escapes": (r'imagePullPolicy: "Alw\x61ys"', 'imagePullPolicy: "IfNotPresent"'),
    "escaped line break": ('imagePullPolicy: "Alw\\\n      ays" # x', 'imagePullPolicy: "IfNotPresent" # x'),
    "tag": ("imagePullPolicy: !!str Always", "imagePullPolicy: !!str IfNotPresent"),
    "tag in full": (
        "imagePullPolicy: !<tag:yaml.org,2002:str> 'Always'",
        "imagePullPolicy: !<tag:yaml.org,2002:str> 'IfNotPresent'",
    ),
    "anchor nobody uses": ("imagePullPolicy: &policy Always", "imagePullPolicy: &policy IfNotPresent"),
    "tag and anchor": ("imagePullPolicy: !!str &p 'Always'", "imagePullPolicy: !!str &p 'IfNotPresent'"),
    "anchor and tag on lines": (
        "imagePullPolicy: &p # a\n      !!str\n      # b\n      Always",
        "imagePullPolicy: &p # a\n      !!str\n      # b\n      IfNotPresent",
    ),
    "next line": ("imagePullPolicy:\n      # why\n      Always", "imagePullPolicy:\n      # why\n      IfNotPresent"),
    "literal": ("imagePullPolicy: |-\n      Always", "imagePullPolicy: |-\n      IfNotPresent"),
    "literal with its indentation": (
        "imagePullPolicy: |2-\n      Always\n",
        "imagePullPolicy: |2-\n      IfNotPresent\n",
    ),
    "folded": ("imagePullPolicy: >- # why\n      Always\n\n", "imagePullPolicy: >- # why\n      IfNotPresent\n\n"),
    "explicit key": ("? imagePullPolicy\n    : Always", "? imagePullPolicy\n    : IfNotPresent"),
    "quoted key": ("\"imagePullPolicy\" : 'Always'", "\"imagePullPolicy\" : 'IfNotPresent'"),
    "escaped key": (r'"image\u0050ullPolicy": Always', r'"image\u0050ullPolicy": IfNotPresent'),
    "key with an anchor": ("&k imagePullPolicy: Always", "&k imagePullPolicy: IfNotPresent"),
}


@pytest.mark.parametrize("name", REPLACED)
@pytest.mark.parametrize("end", ["", "\n", "\n    env: []\n", "\n  restartPolicy: Always\n---\n"])
def test_a_stated_policy_is_replaced(name: str, end: str) -> None:
    before, after = (f"{POD}  - name: 'é😀'\n    image: x:1\n    {text}{end}" for text in REPLACED[name])
    assert fix(before).text == after


def test_an_array_of_objects() -> None:
    before, after = (
        f"- kind: Pod\n  spec:\n    containers:\n    - name: a\n      image: x:1\n      imagePullPolicy: {policy}\n"
        for policy in ("Always", "IfNotPresent")
    )
    assert fix(before).text == after


# Before and after, in place of a container without a policy.
INSERTED = {
    "after the image": (
        f"  - name: a\n    image: {LATEST}\n    env: []\n",
        f"  - name: a\n    image: {LATEST}\n    imagePullPolicy: IfNotPresent\n    env: []\n",
    ),
    "comment": (
        f"  - image: '{LATEST}'  # the # image\n    # of a\n    name: a\n",
        f"  - image: '{LATEST}'  # the # image\n    imagePullPolicy: IfNotPresent\n    # of a\n    name: a\n",
    ),
    "at the end without a line feed": (
        f"  - name: a\n    image: {LATEST}",
        f"  - name: a\n    image: {LATEST}\n    imagePullPolicy: IfNotPresent",
    ),
    "spaces at the end": (
        f"  - name: a\n    image: {LATEST}   \n",
        f"  - name: a\n    image: {LATEST}   \n    imagePullPolicy: IfNotPresent\n",
    ),
    "deeper": (
        f"      -   name: a\n          image: {LATEST}\n",
        f"      -   name: a\n          image: {LATEST}\n          imagePullPolicy: IfNotPresent\n",
    ),
    "dash on a line of its own": (
        f"  -\n     image: {LATEST}\n     name: a\n",
        f"  -\n     image: {LATEST}\n     imagePullPolicy: IfNotPresent\n     name: a\n",
    ),
    "anchor": (
        f"  - &a # c\n    image: {LATEST}\n",
        f"  - &a # c\n    image: {LATEST}\n    imagePullPolicy: IfNotPresent\n",
    ),
    "block": (
        f"  - image: >-\n      {LATEST}\n\n    name: a\n",
        f"  - image: >-\n      {LATEST}\n    imagePullPolicy: IfNotPresent\n\n    name: a\n",
    ),
    "explicit keys": (
        f"  - ? name\n    : a\n    ? image\n    : {LATEST}\n",
        f"  - ? name\n    : a\n    ? image\n    : {LATEST}\n    imagePullPolicy: IfNotPresent\n",
    ),
    "quoted keys": (
        f"  - 'name': a\n    \"image\": {LATEST}\n",
        f'  - \'name\': a\n    "image": {LATEST}\n    "imagePullPolicy": "IfNotPresent"\n',
    ),
    "braces": (
        f"  - {{name: a, image: '{LATEST}', env: []}} # c\n",
        f"  - {{name: a, image: '{LATEST}', imagePullPolicy: IfNotPresent, env: []}} # c\n",
    ),
    "braces with blanks": (
        f"  - {{ image: {LATEST} }}\n",
        f"  - {{ image: {LATEST}, imagePullPolicy: IfNotPresent }}\n",
    ),
    "braces without blanks": (
        f'  - {{"name":"a","image":"{LATEST}"}}\n',
        f'  - {{"name":"a","image":"{LATEST}","imagePullPolicy":"IfNotPresent"}}\n',
    ),
    "braces on lines": (
        f"  - {{\n      name: a,\n      image: {LATEST}, # c\n      env: []\n    }}\n",
        f"  - {{\n      name: a,\n      image: {LATEST}, # c\n      {POLICY},\n      env: []\n    }}\n",
    ),
    "braces on lines, at the end": (
        f"  - {{\n      name: a,\n      image: {LATEST} # c\n    }}\n",
        f"  - {{\n      name: a,\n      image: {LATEST}, # c\n      imagePullPolicy: IfNotPresent\n    }}\n",
    ),
    "braces on lines, commas in front": (
        f"  - {{ name: a\n    , image: {LATEST}\n    , env: []\n    }}\n",
        f"  - {{ name: a\n    , image: {LATEST}, imagePullPolicy: IfNotPresent\n    , env: []\n    }}\n",
    ),
    "braces on lines, the end on the same": (
        f"  - {{\n      image: {LATEST} }}\n",
        f"  - {{\n      image: {LATEST}, imagePullPolicy: IfNotPresent }}\n",
    ),
    "stated as nothing": (
        f"  - image: {LATEST}\n    imagePullPolicy: # c\n",
        f"  - image: {LATEST}\n    imagePullPolicy: IfNotPresent # c\n",
    ),
    "stated as nothing at the end": (
        f"  - image: {LATEST}\n    imagePullPolicy:",
        f"  - image: {LATEST}\n    imagePullPolicy: IfNotPresent",
    ),
    "stated as null": (
        f"  - {{image: {LATEST}, imagePullPolicy: ~}}\n",
        f"  - {{image: {LATEST}, imagePullPolicy: IfNotPresent}}\n",
    ),
    "stated as the empty string": (
        f'  - image: {LATEST}\n    imagePullPolicy: ""\n',
        f'  - image: {LATEST}\n    imagePullPolicy: "IfNotPresent"\n',
    ),
    "image volume": (
        f"  volumes:\n  - image:\n      reference: {LATEST}\n    name: v\n",
        f"  volumes:\n  - image:\n      reference: {LATEST}\n      pullPolicy: IfNotPresent\n    name: v\n",
    ),
    "image volume in braces": (
        f"  volumes:\n  - {{name: v, image: {{reference: {LATEST}}}}}\n",
        f"  volumes:\n  - {{name: v, image: {{reference: {LATEST}, pullPolicy: IfNotPresent}}}}\n",
    ),
}


@pytest.mark.parametrize("name", INSERTED)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_an_implied_policy_is_written_out(name: str, line_end: str, mark: str) -> None:
    before, after = (f"{mark}{POD}{text}".replace("\n", line_end) for text in INSERTED[name])
    result = fix(before)
    assert result.text == after
    assert result.refused == ()


@pytest.mark.parametrize(
    ("indent", "separators"), [(None, None), (None, (",", ":")), (2, None), ("\t", None), (0, None)]
)
def test_json(indent: int | str | None, separators: tuple[str, str] | None) -> None:
    def text(stated: dict[str, object], policy: dict[str, str]) -> str:
        containers = [
            {"name": "a", "image": "x:1", **stated, "env": []},
            {"name": "\ud83d\ude00", "image": LATEST, **policy},
            {"image": LATEST, **policy, "name": '"}'},
        ]
        pod = {"kind": "Pod", "spec": {"containers": containers}}
        return json.dumps(pod, indent=indent, separators=separators) + "\n"

    before = text({"imagePullPolicy": "Always"}, {})
    after = text({"imagePullPolicy": "IfNotPresent"}, {"imagePullPolicy": "IfNotPresent"})
    assert fix(before * 2).text == after * 2
    # What follows a separator is YAML, which has no surrogate pairs.
    plain_before, plain_after = before.replace("\\ud83d\\ude00", "b"), after.replace("\\ud83d\\ude00", "b")
    assert fix(f"{before}---\n{plain_before}", "m.json").text == f"{after}---\n{plain_after}"
    null = before.replace('"Always"', "null").replace('"x:1"', f'"{LATEST}"')
    assert fix(null, "m.json").text == after.replace('"x:1"', f'"{LATEST}"')


# Before and after, of documents in which values are shared.
SHARED_VALUES = {
    "all uses of a scalar": (
        f"{POD}  - image: x:1\n    imagePullPolicy: &p Always\n  - image: x:2\n    imagePullPolicy: *p\n",
        f"{POD}  - image: x:1\n    imagePullPolicy: &p IfNotPresent\n  - image: x:2\n    imagePullPolicy: *p\n",
    ),
    "some uses of a scalar": (
        f"x: &p Always\n{POD}  - image: x:1\n    imagePullPolicy: *p # c\n  - {{image: x:2, imagePullPolicy: *p }}\n",
        f"x: &p Always\n{POD}  - image: x:1\n    {POLICY} # c\n  - {{image: x:2, {POLICY} }}\n",
    ),
    "a container for another": (
        f"{POD}  - &c\n    image: x:1\n    imagePullPolicy: Always\n  - *c\n  initContainers: [*c]\n",
        f"{POD}  - &c\n    image: x:1\n    imagePullPolicy: IfNotPresent\n  - *c\n  initContainers: [*c]\n",
    ),
    "a container without a policy for another": (
        f"{POD}  - &c\n    image: {LATEST}\n  - *c\n",
        f"{POD}  - &c\n    image: {LATEST}\n    imagePullPolicy: IfNotPresent\n  - *c\n",
    ),
    "a list for another": (
        f"{POD}  - &c {{image: x:1, imagePullPolicy: Always}}\n".replace("containers:", "containers: &l")
        + "  initContainers: *l\n",
        f"{POD}  - &c {{image: x:1, imagePullPolicy: IfNotPresent}}\n".replace("containers:", "containers: &l")
        + "  initContainers: *l\n",
    ),
    "all merged": (
        f"{POD}  - &c\n    image: x:1\n    imagePullPolicy: Always\n  - <<: *c\n    name: b\n",
        f"{POD}  - &c\n    image: x:1\n    imagePullPolicy: IfNotPresent\n  - <<: *c\n    name: b\n",
    ),
    "merged from a place that stays": (
        f"{COMMON}{POD}  - name: a\n    <<: *c # c\n    env: []\n  - {{<<: *c }}\n",
        f"{COMMON}{POD}  - name: a\n    <<: *c # c\n    {POLICY}\n    env: []\n  - {{<<: *c, {POLICY} }}\n",
    ),
    "merged from several": (
        f"{COMMON}y: &d {{}}\n{POD}  - image: x:2\n    <<:\n    - *d\n    - *c\n    name: a\n",
        f"{COMMON}y: &d {{}}\n{POD}  - image: x:2\n    <<:\n    - *d\n    - *c\n    {POLICY}\n    name: a\n",
    ),
    "merged in place": (
        f"{POD}  - <<: {{image: x:1, imagePullPolicy: Always}}\n    name: a\n",
        f"{POD}  - <<: {{image: x:1, imagePullPolicy: IfNotPresent}}\n    name: a\n",
    ),
    "image from an alias": (
        f"x: &i {LATEST}\n{POD}  - image: *i\n    name: a\n",
        f"x: &i {LATEST}\n{POD}  - image: *i\n    imagePullPolicy: IfNotPresent\n    name: a\n",
    ),
    "a name that stands twice": (
        f"{POD}  - image: &a x:1\n    imagePullPolicy: &a Always\n  - image: x:2\n    imagePullPolicy: *a\n",
        f"{POD}  - image: &a x:1\n    imagePullPolicy: &a IfNotPresent\n  - image: x:2\n    imagePullPolicy: *a\n",
    ),
}


@pytest.mark.parametrize("name", SHARED_VALUES)
def test_shared_values(name: str) -> None:
    before, after = SHARED_VALUES[name]
    result = fix(before)
    assert result.text == after
    assert result.refused == ()


REFUSED = {
    "a scalar with an anchor that others use": (
        f"{POD}  - image: x:1\n    imagePullPolicy: &p Always\n    command: [*p]\n",
        SHARED,
    ),
    "a container that stands elsewhere too": (
        f"x: &c {{image: x:1, imagePullPolicy: Always}}\n{POD}  - *c\n",
        SHARED,
    ),
    "a merge key that overrides": (
        f"x: &c {{imagePullPolicy: Always}}\n{POD}  - image: x:1\n    imagePullPolicy: Never\n    <<: *c\n",
        SHARED,
    ),
    "a container without a policy that is merged elsewhere": (
        f"{POD}  - &c\n    image: {LATEST}\n  - <<: *c\n    image: unpinned\n",
        "the text around it is too unusual to be edited safely: edit it by hand",
    ),
    "a key that stands twice": (
        f"{POD}  - image: x:1\n    imagePullPolicy: Never\n    imagePullPolicy: Always\n",
        'the key "imagePullPolicy" occurs twice in one mapping: remove one of them',
    ),
    "a key above that stands twice": (
        f"spec: {{}}\n{POD}  - image: x:1\n    imagePullPolicy: Always\n",
        'the key "spec" occurs twice in one mapping: remove one of them',
    ),
    "an unusual tag": (
        f"{POD}  - image: x:1\n    imagePullPolicy: !!binary QWx3YXlz\n",
        "it has the tag tag:yaml.org,2002:binary: edit it by hand",
    ),
    "a key without a value": (
        f"{POD}  - {{image: {LATEST}, imagePullPolicy}}\n",
        "it has no value: edit it by hand",
    ),
    "no value but an anchor": (
        f"{POD}  - image: {LATEST}\n    imagePullPolicy: &p\n",
        "it has no value: edit it by hand",
    ),
    "lines": (
        f"{POD}  - image: x:1\n    imagePullPolicy: |-\x85      Always\n",
        "it is a block of lines: write it on the line of its key",
    ),
    "JSON with a key that stands twice": (
        '{"kind":"Pod","spec":{"containers":[{"image":"x:1","imagePullPolicy":"Never","imagePullPolicy":"Always"}]}}',
        'the key "imagePullPolicy" occurs twice in one mapping: remove one of them',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    text, reason = REFUSED[name]
    result = fix(text)
    assert result.text == text
    assert [why for _, why in result.refused] == [reason]
    assert result.fixed == ()


def test_what_is_refused_does_not_keep_the_rest() -> None:
    good, bad = f"{POD}  - image: x:1\n    imagePullPolicy: Always\n", REFUSED["a key that stands twice"][0]
    unsure = REFUSED["a container without a policy that is merged elsewhere"][0]
    result = fix(f"{bad}---\n{good}---\n{unsure}---\n{good}")
    assert result.text == f"{bad}---\n{fix(good).text}---\n{unsure}---\n{fix(good).text}"
    assert [found.document for found in result.fixed] == [1, 3]
    assert [found.document for found, _ in result.refused] == [0, 2]


def test_documents() -> None:
    """Separators with text, empty documents, broken ones, marks in between: every offset is that of the file."""
    container = "containers: [{image: x:1, imagePullPolicy: Always}]"
    text = (
        f"\ufeff# first\n---\n\n--- # second\nkind: Pod\nspec: {{{container}}}\n...\n---\nkind: [\n"
        f"--- {{kind: Pod, spec: {{{container}}}}}\n---\n\ufeffkind: Pod\nspec: {{{container}}}\n"
    )
    result = fix(text)
    assert result.text == text.replace("Always", "IfNotPresent")
    assert len(result.fixed) == 3


def test_lists() -> None:
    pod = f"{{kind: Pod, metadata: {{name: p}}, spec: {{containers: [{{image: {LATEST}}}]}}}}"
    text = f"kind: List\nitems:\n- {pod}\n- kind: PodList\n  items:\n  - {pod}\n  - {pod.replace('kind: Pod, ', '')}\n"
    result = fix(text)
    assert result.text == text.replace(DIGEST, f"{DIGEST}, imagePullPolicy: IfNotPresent")
    assert result.refused == ()


def test_objects_that_only_their_places_tell_apart() -> None:
    pod = "{kind: Pod, metadata: {name: p}, spec: {containers: [{image: x:1, imagePullPolicy: Always}]}}"
    text = f"kind: List\nitems:\n- {pod}\n- {pod}\n"
    result = edited(ENGINE, "m.yaml", text, findings_in("m.yaml", text)[1:])
    assert result.text == f"kind: List\nitems:\n- {pod}\n- {pod.replace('Always', 'IfNotPresent')}\n"
    assert result.refused == ()


def test_namespaces_tell_objects_apart() -> None:
    pod = "{kind: Pod, metadata: {name: p, namespace: %s}, spec: {containers: [{image: x:1, imagePullPolicy: %s}]}}"
    items = "kind: List\nitems:\n- %s\n- %s\n"
    text = items % (pod % ("a", "Always"), pod % ("b", "Always"))
    found = [found for found in findings_in("m.yaml", text) if found.object.namespace == "b"]
    assert edited(ENGINE, "m.yaml", text, found).text == items % (pod % ("a", "Always"), pod % ("b", "IfNotPresent"))


@pytest.mark.parametrize("now", ["", "kind: Pod\n", f"{POD}  - image: x:1\n    imagePullPolicy: Never\n", "kind: [\n"])
def test_a_file_that_is_not_what_was_checked(now: str) -> None:
    result = edited(ENGINE, "m.yaml", now, findings_in("m.yaml", f"{POD}  - image: x:1\n    imagePullPolicy: Always\n"))
    assert result.text == now
    assert [reason for _, reason in result.refused] == [
        "it is not what was checked, as if the file had been changed meanwhile: run the command again"
    ]


def test_policies_that_want_different_values() -> None:
    text = f"{POD}  - image: x:1\n    imagePullPolicy: Always\n"
    (first,), (second,) = findings_in("m.yaml", text), findings_in("m.yaml", text, value="Never")
    result = edited(ENGINE, "m.yaml", text, [first, replace(second, rule="another")])
    assert result.text == text.replace("Always", "IfNotPresent")
    assert [(found.rule, reason) for found, reason in result.refused] == [
        ("another", "two policies want different values: see which of them applies")
    ]


def test_one_scalar_for_values_that_differ() -> None:
    text = "kind: List\nitems:\n" + "".join(
        f"- {{kind: Pod, metadata: {{name: {name}}}, spec: {{containers: [{{image: x:1, imagePullPolicy: {p} }}]}}}}\n"
        for name, p in (("a", "&p Always"), ("b", "*p"))
    )
    (first, _), (_, second) = findings_in("m.yaml", text), findings_in("m.yaml", text, value="Never")
    result = edited(ENGINE, "m.yaml", text, [first, second])
    assert [reason for _, reason in result.refused] == [SHARED]
    assert result.text == text.replace("*p", "Never")
