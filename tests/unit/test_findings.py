"""Findings: places, merging, order, fingerprints, exit codes."""

import copy
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.core.findings import (
    ContainerRef,
    DecidingPlace,
    Finding,
    ObjectRef,
    Report,
    Violation,
    finding,
    fingerprinted,
    merged,
    strictness,
)
from pullguard.core.gatekeeper import ConstraintTemplate, Rule
from pullguard.core.inputs.problems import InputError

RULES = {
    "always": Rule("pull-policy-always", "high", "Always"),
    "invalid": Rule("pull-policy-invalid", "medium", "Invalid"),
}


def template(name: str = "k8sown", rules: Mapping[str, Rule] = RULES) -> ConstraintTemplate:
    policy = "own_policy" if rules else name
    return ConstraintTemplate("t.yaml", name, name.upper(), policy, rules, ("Rego",), None, None, {})


OWN = template()
OTHER = template("k8sother", {})


@dataclass(frozen=True)
class Source:
    """An object whose lines are the sums of the lengths of their paths: any path has a line of its own here."""

    object: Mapping[str, Any]
    file: str = "f.yaml"
    document: int = 0
    item: tuple[int, ...] = ()
    lines: dict[tuple[str | int, ...], int] = field(default_factory=dict)

    def place(self, path: Sequence[str | int] = ()) -> DecidingPlace:
        return DecidingPlace(self.file, self.lines.setdefault(tuple(path), 100 + len(self.lines)))

    def path_of(self, line: int) -> tuple[str | int, ...]:
        return next(path for path, own in self.lines.items() if own == line)


def pod(spec: Any, **metadata: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", **metadata}, "spec": spec}


def details(path: str, reason: str = "always", **more: Any) -> dict[str, Any]:
    return {"path": path, "reason": reason, **more}


def violation(
    found: Any,
    *,
    constraint: str = "c",
    action: str = "deny",
    message: str = "m",
    of: ConstraintTemplate = OWN,
    assumed: bool = False,
) -> Violation:
    return Violation(of, constraint, action, message, found, assumed)


def test_a_finding_about_a_container() -> None:
    obj = pod({"initContainers": [{"name": "a"}, {"name": "b", "image": "i:1", "imagePullPolicy": "Always"}]})
    source = Source(obj, file="a/b.yaml", document=3, item=(1,))
    found = finding(violation(details("spec.initContainers[1]", image="i:1")), source, "ns")
    assert replace(found, fingerprint="", line=0) == Finding(
        rule="pull-policy-always",
        severity="high",
        policy="own_policy",
        constraints=("c",),
        action="deny",
        file="a/b.yaml",
        line=0,
        document=3,
        item=(1,),
        object=ObjectRef("v1", "Pod", "ns", "p"),
        container=ContainerRef("initContainers", "b", 1),
        image="i:1",
        message="m",
        details={"path": "spec.initContainers[1]", "reason": "always", "image": "i:1"},
        fingerprint="",
        namespace_assumed=False,
    )
    assert source.path_of(found.line) == ("spec", "initContainers", 1, "imagePullPolicy")


@pytest.mark.parametrize(
    ("path", "container", "line"),
    [
        ("spec.steps[1]", ContainerRef("steps", "b", 1), ("spec", "steps", 1, "imagePullPolicy")),
        ("spec.run", ContainerRef("run", "", 0), ("spec", "run", "image")),
        ("spec.image", None, ("spec", "image")),
        ("spec.none", None, ()),
        ("spec.steps", None, ("spec", "steps")),
    ],
)
def test_what_uses_images_in_custom_resources(
    path: str, container: ContainerRef | None, line: tuple[str | int, ...]
) -> None:
    steps = [{"name": "a"}, {"name": "b", "image": "i:1", "imagePullPolicy": "Always"}]
    source = Source({"kind": "Task", "spec": {"steps": steps, "run": {"image": "i:1"}, "image": "i:1"}})
    found = finding(violation(details(path, image="i:1")), source, "ns")
    assert (found.container, found.image, source.path_of(found.line)) == (container, "i:1", line)


def test_a_mapping_is_a_container_only_where_details_speak_of_an_image() -> None:
    source = Source({"kind": "Task", "spec": {"run": {"image": "i:1"}}})
    assert finding(violation(details("spec.run")), source, "ns").container is None


CONTAINERS = [
    pytest.param({"image": "i", "imagePullPolicy": "Always"}, "imagePullPolicy", "i", id="stated"),
    pytest.param({"image": "i", "imagePullPolicy": 1}, "imagePullPolicy", "i", id="stated as a number"),
    pytest.param({"image": "i", "imagePullPolicy": False}, "imagePullPolicy", "i", id="stated as false"),
    pytest.param({"image": "i", "imagePullPolicy": {}}, "imagePullPolicy", "i", id="stated as a mapping"),
    pytest.param({"image": "i", "imagePullPolicy": None}, "image", "i", id="null"),
    pytest.param({"image": "i", "imagePullPolicy": ""}, "image", "i", id="empty"),
    pytest.param({"image": "i"}, "image", "i", id="implied"),
    pytest.param({"image": ["i"]}, "image", None, id="image of the wrong type"),
    pytest.param({"image": ""}, None, "", id="empty image"),
    pytest.param({"name": "n"}, None, None, id="no image"),
    pytest.param("text", None, None, id="no mapping"),
]


@pytest.mark.parametrize(("container", "key", "image"), CONTAINERS)
def test_line_and_image_of_a_container(container: Any, key: str | None, image: str | None) -> None:
    source = Source(pod({"containers": [container]}))
    found = finding(violation(details("spec.containers[0]")), source, "")
    place = ("spec", "containers", 0)
    assert source.path_of(found.line) == (place if key is None else (*place, key))
    assert found.image == image


@pytest.mark.parametrize(
    ("volume", "path", "image"),
    [
        ({"name": "v", "image": {"reference": "i", "pullPolicy": "Always"}}, ("image", "pullPolicy"), "i"),
        ({"name": "v", "image": {"reference": "i", "pullPolicy": ""}}, ("image", "reference"), "i"),
        ({"name": "v", "image": {}}, ("image",), None),
        ({"name": "v", "image": None}, ("image",), None),
    ],
)
def test_line_and_image_of_an_image_volume(volume: Any, path: tuple[str, ...], image: str | None) -> None:
    source = Source(pod({"volumes": [volume]}))
    found = finding(violation(details("spec.volumes[0]")), source, "")
    assert source.path_of(found.line) == ("spec", "volumes", 0, *path)
    assert found.container == ContainerRef("volumes", "v", 0)
    assert found.image == image


@pytest.mark.parametrize(
    ("path", "line_of"),
    [
        ("spec.containers[1]", ()),  # not there
        ("spec.containers[-1]", ()),
        ("spec.containers[0].image", ("spec", "containers", 0, "image")),
        ("spec.containers", ("spec", "containers")),
        ("spec.rules[0]", ("spec", "rules", 0)),
        ("spec", ("spec",)),
        ("spec..containers[0]", ()),
        (".spec", ()),
        ("[0]", ()),
        ("spec.containers[99999999999999999999]", ()),
        ("spec.containers[0", ()),
        ("", ()),
        (None, ()),
        (["spec"], ()),
        (7, ()),
    ],
)
def test_a_path_that_leads_to_no_container(path: Any, line_of: tuple[str | int, ...]) -> None:
    source = Source(pod({"containers": [{"image": "i"}], "rules": ["x"]}))
    found = finding(violation({"path": path, "reason": "always"}), source, "")
    assert found.container is None
    assert found.image is None
    assert source.path_of(found.line) == line_of


@pytest.mark.parametrize("given_details", [None, {}, [], "text", 3, {"reason": "new"}, {"reason": ["always"]}])
@pytest.mark.parametrize(("of", "policy"), [(OWN, "own_policy"), (OTHER, "k8sother")])
def test_a_finding_without_a_known_reason(given_details: Any, of: ConstraintTemplate, policy: str) -> None:
    source = Source(pod({}))
    found = finding(violation(given_details, of=of), source, "")
    assert (found.rule, found.severity, found.policy) == (of.name, "medium", policy)
    assert (found.container, found.image, found.details) == (None, None, given_details)
    assert source.path_of(found.line) == ()


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        ({}, ObjectRef("", "", "", "")),
        ({"apiVersion": 1, "kind": None, "metadata": []}, ObjectRef("", "", "", "")),
        ({"kind": "Job", "metadata": {"generateName": "j-"}}, ObjectRef("", "Job", "", "j-")),
        ({"kind": "Job", "metadata": {"name": "", "generateName": "j-"}}, ObjectRef("", "Job", "", "j-")),
        ({"kind": "Job", "metadata": {"name": "j", "generateName": "k-"}}, ObjectRef("", "Job", "", "j")),
        ({"kind": "Job", "metadata": {"name": 7}}, ObjectRef("", "Job", "", "")),
    ],
)
def test_what_an_object_is_called(obj: dict[str, Any], expected: ObjectRef) -> None:
    assert finding(violation({}), Source(obj), "").object == expected


def two_containers() -> Source:
    containers = [{"name": "a", "image": "i"}, {"name": "b", "image": "i"}]
    return Source(pod({"containers": containers, "initContainers": containers}))


def test_constraints_that_meet_one_container_are_one_finding() -> None:
    source = two_containers()
    found = [
        finding(violation(details("spec.containers[0]"), constraint=name, action=action, message=name), source, "")
        for name, action in [("z", "warn"), ("y", "deny"), ("x", "deny"), ("w", "dryrun")]
    ]
    expected = replace(found[2], constraints=("w", "x", "y", "z"))
    assert expected.action == "deny"
    assert expected.message == "x"
    assert merged(found) == [expected]
    assert merged(reversed(found)) == [expected]


def test_what_is_not_one_finding() -> None:
    source = two_containers()
    found = [
        finding(violation(details("spec.containers[0]")), source, ""),
        finding(violation(details("spec.containers[1]")), source, ""),
        finding(violation(details("spec.initContainers[0]")), source, ""),
        finding(violation(details("spec.containers[0]", "invalid")), source, ""),
        finding(violation({"reason": "always"}, message="a"), source, ""),
        finding(violation({"reason": "always"}, message="b"), source, ""),
        finding(violation({"reason": "always", "x": 1}, message="a"), source, ""),
    ]
    assert sorted(merged(found), key=found.index) == found


def test_a_namespace_is_assumed_only_if_all_constraints_assume_it() -> None:
    source = two_containers()
    sure = finding(violation(details("spec.containers[0]"), constraint="a"), source, "")
    unsure = finding(violation(details("spec.containers[0]"), constraint="b", assumed=True), source, "")
    assert [found.namespace_assumed for found in merged([unsure, unsure])] == [True]
    assert [found.namespace_assumed for found in merged([unsure, sure])] == [False]


@given(st.randoms(use_true_random=False))
def test_order_is_by_line_then_place(shuffler: random.Random) -> None:
    paths = ["spec.containers[2]", "spec.containers[10]", "spec.initContainers[0]"]
    containers: list[dict[str, Any]] = [{} for _ in range(11)]
    source = Source(pod({"containers": containers, "initContainers": [{}]}))
    source.lines.update({("spec", "containers", 2): 9, ("spec", "containers", 10): 9, ("spec", "initContainers", 0): 7})
    found = [finding(violation(details(path)), source, "") for path in paths]
    shuffler.shuffle(found)
    assert [one.details["path"] for one in merged(found)] == [paths[2], paths[0], paths[1]]


def test_strictness() -> None:
    assert sorted(["deny", "dryrun", "warn"], key=strictness) == ["dryrun", "warn", "deny"]
    assert strictness("audit") == strictness("") == strictness("dryrun")


def report(*actions: str, errors: int = 0) -> Report:
    source = two_containers()
    found = [finding(violation(details("spec.containers[0]"), action=action), source, "") for action in actions]
    problems = (InputError("f", None, None, "m"),) * errors
    return Report(tuple(found), problems, files=1, documents=1, objects=1, library="l", notes=())


@pytest.mark.parametrize(
    ("actions", "codes"),
    [
        ([], (0, 0, 0)),
        (["dryrun"], (1, 0, 0)),
        (["unknown"], (1, 0, 0)),
        (["warn"], (1, 1, 0)),
        (["deny"], (1, 1, 1)),
        (["dryrun", "warn"], (1, 1, 0)),
    ],
)
def test_exit_codes(actions: list[str], codes: tuple[int, ...]) -> None:
    assert tuple(report(*actions).exit_code(level) for level in ("dryrun", "warn", "deny")) == codes
    assert {report(*actions, errors=1).exit_code(level) for level in ("dryrun", "warn", "deny")} == {2}


# Fingerprints. The statement of what is right: they follow the names of rule, object and container, and nothing else.

NAMES = st.sampled_from(["a", "b", "c"])
IMAGES = st.sampled_from(["nginx", "nginx:1", "r.example/x@sha256:0"])
POLICIES = st.sampled_from([None, "Always", "always"])


@st.composite
def pods(draw: st.DrawFn) -> dict[str, Any]:
    def containers() -> list[dict[str, Any]]:
        return draw(
            st.lists(st.fixed_dictionaries({"name": NAMES, "image": IMAGES, "imagePullPolicy": POLICIES}), max_size=4)
        )

    spec = {"containers": containers(), "initContainers": containers()}
    return pod(spec, name=draw(NAMES), namespace=draw(st.sampled_from(["n", "m"])))


def findings_of(objects: Sequence[dict[str, Any]], file: str = "f.yaml") -> tuple[Finding, ...]:
    """Return a finding for each container, as our policy would word it, and for each object, as others might."""
    result = []
    for obj in objects:
        source = Source(obj, file=file)
        found = [finding(violation({}, of=OTHER, message="no limits"), source, "")]
        for kind in ("containers", "initContainers"):
            for index, container in enumerate(obj["spec"][kind]):
                message = f"{container['name']}: {container['image']}"
                place = details(f"spec.{kind}[{index}]", image=container["image"])
                found.append(finding(violation(place, message=message), source, ""))
                found.append(finding(violation({}, of=OTHER, message=message), source, ""))
        result += merged(found)
    return fingerprinted(result)


def identity(found: Finding) -> tuple[Any, ...]:
    container = found.container and (found.container.list, found.container.name)
    message = found.message.partition(":")[0] if found.container is None else ""
    return (found.rule, found.object, container, message)


def prints(found: Sequence[Finding]) -> dict[tuple[Any, ...], set[str]]:
    result: dict[tuple[Any, ...], set[str]] = {}
    for one in found:
        result.setdefault(identity(one), set()).add(one.fingerprint)
    return result


@given(st.lists(pods(), max_size=4), st.randoms(use_true_random=False), st.data())
def test_fingerprints(objects: list[dict[str, Any]], shuffler: random.Random, data: st.DataObject) -> None:
    before = findings_of(objects)
    assert len({found.fingerprint for found in before}) == len(before)
    assert all(len(found.fingerprint) == 64 and int(found.fingerprint, 16) >= 0 for found in before)

    after = copy.deepcopy(objects)
    shuffler.shuffle(after)
    for obj in after:
        obj["apiVersion"] = "v2"
        for kind in ("containers", "initContainers"):
            shuffler.shuffle(obj["spec"][kind])
    moved = tuple(
        replace(found, object=replace(found.object, api_version="v1")) for found in findings_of(after, "g.yaml")
    )
    assert prints(moved) == prints(before)

    # Nor does a new image change anything, as long as it does not turn two messages of others into one.
    bump = data.draw(st.dictionaries(IMAGES, st.just("bumped:2"), max_size=1))
    for obj in objects:
        for kind in ("containers", "initContainers"):
            for container in obj["spec"][kind]:
                container["image"] = bump.get(container["image"], container["image"])
    own = [found for found in findings_of(objects) if found.container]
    assert prints(own) == prints([found for found in before if found.container])


def test_fingerprints_follow_names() -> None:
    base = pod({"containers": [{"name": "a", "image": "i"}]}, namespace="n")

    def fingerprint(obj: dict[str, Any], reason: str = "always", namespace: str = "") -> str:
        path = "spec.containers[0]"
        return finding(violation(details(path, reason)), Source(obj), namespace).fingerprint

    def changed(**metadata: str) -> dict[str, Any]:
        return {**base, "metadata": {**base["metadata"], **metadata}}

    assert (
        len(
            {
                fingerprint(base),
                fingerprint(base, "invalid"),
                fingerprint(changed(name="q")),
                fingerprint(changed(namespace="m")),
                fingerprint({**base, "kind": "Other"}),
                fingerprint({**base, "apiVersion": "group/v1"}),
                fingerprint({**base, "spec": {"containers": [{"name": "b", "image": "i"}]}}),
            }
        )
        == 7
    )
    # --namespace is not part of the object.
    assert fingerprint(base, namespace="m") == fingerprint(base)
    assert fingerprint({**base, "apiVersion": "group/v1"}) == fingerprint({**base, "apiVersion": "group/v2"})


def test_containers_of_the_same_name_in_different_pod_specs() -> None:
    jobs = [{"name": name, "spec": {"containers": [{"name": "main", "image": "i"}]}} for name in ("a", "b")]
    sources = [Source({"kind": "JobSet", "spec": {"jobs": order}}) for order in (jobs, jobs[::-1])]
    first, second = (
        [finding(violation(details(f"spec.jobs[{index}].spec.containers[0]")), source, "") for index in (0, 1)]
        for source in sources
    )
    assert first[0].fingerprint != first[1].fingerprint
    assert [found.fingerprint for found in second] == [found.fingerprint for found in first[::-1]]
