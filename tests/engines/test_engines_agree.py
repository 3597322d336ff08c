"""Any two engines say the same, whichever field of a match decides, and whichever list of a pod uses an image."""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, product
from pathlib import Path
from typing import Any

import pytest

import custom_resources
import small_library as small
import suite_tree
from generated_objects import BUILT_IN
from pullguard.check.command import check
from pullguard.library.gatekeeper_validation.constraint_schema import MATCH_FIELDS
from pullguard.suites import command as suites

#: A constraint and a message, with the kind, the namespace and the name of an object.
Verdict = tuple[str, str, str, str, str]

_ENGINES = ("built-in", "conftest", "gator")
_PAIRS = list(combinations(_ENGINES, 2))


def _checked(engine: str, library: Path, manifests: Path) -> set[Verdict]:
    options: dict[str, Any] = {} if engine == "built-in" else {"engine": engine}
    report = check([str(manifests)], library=str(library), **options)
    assert report.errors == ()
    return {
        (name, found.message, found.object.kind, found.object.namespace, found.object.name)
        for found in report.findings
        for name in found.constraints
    }


# ---- match

_IN_APPS = {"apiGroups": ["apps"], "kinds": ["*"]}
_MATCHES: Mapping[str, Sequence[Any]] = {
    "kinds": [
        [{"apiGroups": [""], "kinds": ["Pod"]}],
        [_IN_APPS],
        [{"apiGroups": ["*"], "kinds": ["Pod", "ClusterRole"]}],
        [_IN_APPS, {"apiGroups": [""], "kinds": ["ConfigMap"]}],
        [{"apiGroups": ["apps"]}],
        [{"kinds": ["Deployment"]}],
    ],
    "namespaces": [["in"], ["in*"], ["*ut"], ["*n-*"], ["in", "elsewhere"]],
    "excludedNamespaces": [["in"], ["in*"], ["*ut"], ["*n-*"], ["in", "elsewhere"]],
    "labelSelector": [
        {"matchLabels": {"team": "x"}},
        {"matchLabels": {"team": ""}},
        {"matchExpressions": [{"key": "team", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "team", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "team", "operator": "In", "values": ["x", "z"]}]},
        {"matchExpressions": [{"key": "team", "operator": "NotIn", "values": ["x", "z"]}]},
        {"matchLabels": {"team": "x"}, "matchExpressions": [{"key": "tier", "operator": "Exists"}]},
    ],
    "namespaceSelector": [
        {"matchLabels": {"env": "prod"}},
        {"matchExpressions": [{"key": "env", "operator": "Exists"}]},
        {"matchExpressions": [{"key": "env", "operator": "DoesNotExist"}]},
        {"matchExpressions": [{"key": "env", "operator": "NotIn", "values": ["prod"]}]},
    ],
    "name": ["web-1", "web-*", "*-2", "*b-*"],
    "scope": ["Cluster", "Namespaced"],
    "source": ["Generated"],
}
#: Values that select everything.
_EVERYTHING: Mapping[str, Sequence[Any]] = {
    "kinds": [[], [{"apiGroups": ["*"], "kinds": ["*"]}]],
    "namespaces": [[], ["*"]],
    "excludedNamespaces": [[], ["elsewhere"]],
    "labelSelector": [{}],
    "namespaceSelector": [{}],
    "name": ["", "*"],
    "scope": ["*", ""],
    "source": ["All", "Original"],
}
#: Which field each constraint is about, by the constraint's name, with its match.
_CONSTRAINTS = {
    f"{field.lower()}-{what}-{number}": (field, {field: value})
    for what, values in (("some", _MATCHES), ("all", _EVERYTHING))
    for field in values
    for number, value in enumerate(values[field])
}

_ALWAYS = small.template("Always", 'package always\n\nviolation contains {"msg": "found"}\n')
_NAMESPACES = [
    suite_tree.resource("Namespace", name, metadata={"labels": labels})
    for name, labels in {"in": {"env": "prod"}, "in-2": {"env": "test", "team": "x"}, "out": {}}.items()
]
_LABELS: Sequence[Mapping[str, str]] = ({}, {"team": "x"}, {"team": "x", "tier": "1"}, {"team": "y"}, {"team": ""})


def _objects() -> Iterator[dict[str, Any]]:
    """Objects that differ from others in nothing but the kind, the namespace, the name or the labels."""
    yield from _NAMESPACES
    for (version, kind), namespace in product(
        [("v1", "Pod"), ("v1", "ConfigMap"), ("apps/v1", "Deployment")], ("in", "in-2", "out")
    ):
        yield suite_tree.resource(kind, "web-1", namespace, version=version)
    for number, labels in enumerate(_LABELS, start=2):
        yield suite_tree.resource("Pod", f"api-{number}", "in", metadata={"labels": labels})
    for name in ("web-1", "web-2"):
        yield suite_tree.resource("ClusterRole", name, version="rbac.authorization.k8s.io/v1")
    yield suite_tree.resource("Pod", "x", "in", metadata={"generateName": "web-"})


def _verified(folder: Path) -> set[Verdict]:
    """Return what `gator verify` says of each constraint and object: `gator test` gives each object a namespace."""
    objects = list(_objects())
    suite_tree.save(folder / "namespaces.yaml", *_NAMESPACES)
    for number, obj in enumerate(objects):
        suite_tree.save(folder / f"{number}.yaml", obj)
    cases = [
        suite_tree.case(str(number), f"{number}.yaml", 1, inventory=["namespaces.yaml"])
        for number, obj in enumerate(objects)
    ]
    tests = [
        suite_tree.test(name, "library/00.yaml", f"library/{number:02}.yaml", *cases)
        for number, name in enumerate(_CONSTRAINTS, start=1)
    ]
    suite_tree.suite(folder, *tests)
    (report,) = suites.run([str(folder)], engine="gator").suites
    return {
        (test.name, "found", obj["kind"], obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        for test in report.tests
        for case, obj in zip(test.cases, objects, strict=True)
        if case.outcome == "passed"
    }


@pytest.fixture(scope="module")
def matched(tmp_path_factory: pytest.TempPathFactory, gator: Path, conftest_binary: Path) -> dict[str, set[Verdict]]:
    """What each engine says with a constraint for each value of each field.

    `check` has a library for each field: which fields its constraints use decides what it must ask of every object.
    """
    assert gator.exists()
    assert conftest_binary.exists()
    folder = tmp_path_factory.mktemp("match")
    manifests = folder / "manifests.yaml"
    small.write_manifests(manifests, *_objects())
    constraints = {name: small.constraint("Always", name, match=match) for name, (_, match) in _CONSTRAINTS.items()}
    small.write_library(folder / "library", _ALWAYS, *constraints.values())
    checked: dict[str, set[Verdict]] = {"built-in": set(), "conftest": set()}
    for field in _MATCHES:
        own = [constraints[name] for name, (about, _) in _CONSTRAINTS.items() if about == field]
        small.write_library(folder / field, _ALWAYS, *own)
        for engine in checked:
            checked[engine] |= _checked(engine, folder / field, manifests)
    return {**checked, "gator": _verified(folder)}


def test_every_field_of_match_is_here() -> None:
    assert set(_MATCHES) == set(_EVERYTHING) == MATCH_FIELDS


@pytest.mark.parametrize("pair", _PAIRS, ids="-".join)
@pytest.mark.parametrize("field", _MATCHES)
def test_a_field_of_match(matched: dict[str, set[Verdict]], field: str, pair: tuple[str, str]) -> None:
    one, other = ({verdict for verdict in matched[engine] if _CONSTRAINTS[verdict[0]][0] == field} for engine in pair)
    assert one == other


@pytest.mark.parametrize("name", _CONSTRAINTS)
def test_a_match_selects_some_objects_or_all(matched: dict[str, set[Verdict]], name: str) -> None:
    found = len({verdict for verdict in matched["built-in"] if verdict[0] == name})
    count = len(list(_objects()))
    if "-all-" in name:
        assert found == count
    else:
        assert found < count
        assert (found > 0) == (name != "source-some-0")  # nothing is generated here


# ---- containers and image volumes

_LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")
_USES = (
    ("q.io/a:v1", "Always"),
    ("q.io/a:v1", "Sometimes"),
    ("q.io/a:v1", None),
    ("q.io/a:main", "IfNotPresent"),
    ("q.io/a", None),
    ("q.io/A:v1", "Never"),
)


def _use(name: str, index: int, image: str, policy: str | None) -> dict[str, Any]:
    image_key, policy_key = ("reference", "pullPolicy") if name == "volumes" else ("image", "imagePullPolicy")
    use = {image_key: image} if policy is None else {image_key: image, policy_key: policy}
    return {"name": f"n{index}", "image": use} if name == "volumes" else {"name": f"n{index}", **use}


def _workloads() -> Iterator[dict[str, Any]]:
    """An object of each kind for each list, with all uses in it and nothing else."""
    for (version, kind, place), name in product(BUILT_IN, _LISTS):
        content: Any = {name: [_use(name, index, *use) for index, use in enumerate(_USES)]}
        for key in reversed(place):
            content = {key: content}
        object_name = f"{kind}-{version.replace('/', '-')}-{name}".lower()
        yield {**suite_tree.resource(kind, object_name, "kube-system", version=version), **content}


@pytest.fixture(scope="module")
def judged(
    tmp_path_factory: pytest.TempPathFactory, image_library: Path, gator: Path, conftest_binary: Path
) -> dict[str, set[Verdict]]:
    """What each engine says of images in each list of each kind."""
    assert conftest_binary.exists()
    return _judged(tmp_path_factory.mktemp("lists"), image_library, gator, list(_workloads()))


def _judged(
    folder: Path, image_library: Path, gator: Path, objects: Sequence[Mapping[str, Any]]
) -> dict[str, set[Verdict]]:
    manifests = folder / "manifests.yaml"
    small.write_manifests(manifests, *objects)
    library = sorted(image_library.glob("policies/*/template.yaml")) + sorted(
        image_library.glob("policies/*/constraints.yaml")
    )
    files = [f"--filename={path}" for path in (*library, manifests)]
    done = subprocess.run(
        [gator, "test", "--output=json", *files], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.stderr == ""
    found = {
        (one["constraint"]["metadata"]["name"], one["msg"], obj["kind"], "kube-system", obj["metadata"]["name"])
        for one in json.loads(done.stdout)
        for obj in [one["violatingObject"]]
    }
    return {
        **{engine: _checked(engine, image_library, manifests) for engine in ("built-in", "conftest")},
        "gator": found,
    }


@pytest.mark.parametrize("pair", _PAIRS, ids="-".join)
@pytest.mark.parametrize("name", _LISTS)
def test_a_list_that_uses_images(judged: dict[str, set[Verdict]], name: str, pair: tuple[str, str]) -> None:
    one, other = ({verdict for verdict in judged[engine] if verdict[4].endswith(f"-{name.lower()}")} for engine in pair)
    assert one == other
    # Of each kind: three pull policies that are not allowed, and three images that are not pinned.
    assert len(one) == len(BUILT_IN) * 6


# ---- custom resources


@pytest.fixture(scope="module")
def judged_custom(
    tmp_path_factory: pytest.TempPathFactory, image_library: Path, gator: Path, conftest_binary: Path
) -> dict[str, set[Verdict]]:
    """What each engine says of the known custom resources, without definitions: an object for each place."""
    assert conftest_binary.exists()
    objects = [obj for _, _, obj in custom_resources.objects()]
    return _judged(tmp_path_factory.mktemp("custom"), image_library, gator, objects)


@pytest.mark.parametrize("pair", _PAIRS, ids="-".join)
def test_known_custom_resources(judged_custom: dict[str, set[Verdict]], pair: tuple[str, str]) -> None:
    one, other = (judged_custom[engine] for engine in pair)
    assert one == other


def test_every_place_of_a_known_custom_resource_is_judged(judged_custom: dict[str, set[Verdict]]) -> None:
    """Each holds an image whose tag moves, with Always: both policies find it."""
    found = {(constraint, kind, name) for constraint, _, kind, _, name in judged_custom["built-in"]}
    wanted = [(obj["kind"], obj["metadata"]["name"]) for _, _, obj in custom_resources.objects()]
    constraints = ("protected-image-pinning-by-name", "protected-pull-policy-by-name")
    assert found == {(constraint, *own) for constraint in constraints for own in wanted}
    assert len(wanted) > len({kind for kind, _ in wanted}) > 30
