"""Always outside of protected namespaces: the MutatingAdmissionPolicy, held to the plugin AlwaysPullImages itself.

Both run as Kubernetes' own code, in tools/admission.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admission_chain import AdmissionChain, namespace, request
from generated_objects import POD, well_formed
from pullguard.library.config import ProtectedNamespaces
from pullguard.library.render import admission
from twins import Workbench, pod

_NAME = "protected_pull_policy"
_SELECTOR = {"matchLabels": {"tier": "base"}}
_PROTECTED = ("kube-system", "labelled")
_NAMESPACES = (namespace("kube-system"), namespace("labelled", tier="base"), namespace("elsewhere", tier="app"))


@pytest.fixture(scope="module")
def ours(workbench: Workbench) -> Iterator[AdmissionChain]:
    """The policy, and nothing else."""
    config = workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), _SELECTOR))
    policies = admission.elsewhere(workbench.policies[_NAME], config)
    with workbench.chain([*policies, *_NAMESPACES]) as chain:
        yield chain


@pytest.fixture(scope="module")
def plugin(workbench: Workbench) -> Iterator[AdmissionChain]:
    """The plugin, and nothing else."""
    with workbench.chain(_NAMESPACES, always_pull=True) as chain:
        yield chain


@pytest.fixture(scope="module")
def nothing(workbench: Workbench) -> Iterator[AdmissionChain]:
    """What the API server makes of a pod by itself."""
    with workbench.chain(_NAMESPACES) as chain:
        yield chain


def _in(name: str, obj: Mapping[str, Any]) -> dict[str, Any]:
    return {**obj, "metadata": {**obj["metadata"], "namespace": name}}


def _made(chain: AdmissionChain, obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> Any:
    verdict = chain.judge(request(obj, old=old), typed=True)
    assert verdict["allowed"], verdict
    # What has been mutated comes without its type.
    return {key: value for key, value in verdict["object"].items() if key not in {"apiVersion", "kind"}}


_SETTINGS = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@_SETTINGS
@given(pods=st.lists(well_formed(POD), min_size=1, max_size=30))
def test_random_pods(
    ours: AdmissionChain, plugin: AdmissionChain, nothing: AdmissionChain, pods: list[dict[str, Any]]
) -> None:
    for obj in pods:
        elsewhere = _in("elsewhere", obj)
        assert _made(ours, elsewhere) == _made(plugin, elsewhere)
        for name in _PROTECTED:
            assert _made(ours, _in(name, obj)) == _made(nothing, _in(name, obj))


@_SETTINGS
@given(pairs=st.lists(st.tuples(well_formed(POD), well_formed(POD), st.booleans()), min_size=1, max_size=20))
def test_random_updates(
    ours: AdmissionChain,
    plugin: AdmissionChain,
    nothing: AdmissionChain,
    pairs: list[tuple[dict[str, Any], dict[str, Any], bool]],
) -> None:
    for before, after, keeps_spec in pairs:
        now = {**before, "metadata": after["metadata"]} if keeps_spec else after
        old, new = _in("elsewhere", before), _in("elsewhere", now)
        assert _made(ours, new, old) == _made(plugin, new, old)
        for name in _PROTECTED:
            old, new = _in(name, before), _in(name, now)
            assert _made(ours, new, old) == _made(nothing, new, old)


_A = {"name": "a", "image": "q.io/a:1", "imagePullPolicy": "IfNotPresent"}
_B = {"name": "b", "image": "q.io/b:1", "imagePullPolicy": "Never"}
_VOLUME = {"name": "v", "image": {"reference": "q.io/v:1", "pullPolicy": "IfNotPresent"}}
_EMPTY = {"name": "e", "emptyDir": {}}


def _policies(obj: Mapping[str, Any]) -> list[str]:
    spec = obj["spec"]
    lists = ("containers", "initContainers", "ephemeralContainers")
    images = [volume["image"] for volume in spec.get("volumes", ()) if "image" in volume]
    return [
        *(container["imagePullPolicy"] for name in lists for container in spec.get(name, ())),
        *(image["pullPolicy"] for image in images),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (None, pod([_A, _B]), ["Always"] * 2),
        (None, pod([_A], initContainers=[_B], volumes=[_EMPTY, _VOLUME]), ["Always"] * 3),
        (None, pod([{"name": "a", "image": "q.io/a:1"}]), ["Always"]),
        (None, pod([{"name": "a", "image": "q.io/a"}]), ["Always"]),
        (pod([_A]), pod([_A]), ["IfNotPresent"]),
        (pod([_A], volumes=[_VOLUME]), pod([_A], volumes=[_VOLUME]), ["IfNotPresent"] * 2),
        (pod([_A]), pod([{**_A, "image": "q.io/a:2"}]), ["Always"]),
        (pod([_A]), pod([_A], ephemeralContainers=[_A | {"name": "d"}]), ["IfNotPresent"] * 2),
        (pod([_A]), pod([_A], ephemeralContainers=[_B]), ["Always"] * 2),
        (pod([_A]), pod([_A], volumes=[_VOLUME]), ["IfNotPresent"] * 2),
        (pod([_A, _B]), pod([{**_A, "image": "q.io/b:1"}, _B]), ["IfNotPresent", "Never"]),
    ],
)
def test_what_the_plugin_does_to_a_pod(
    ours: AdmissionChain, plugin: AdmissionChain, old: dict[str, Any] | None, new: dict[str, Any], expected: list[str]
) -> None:
    before, after = None if old is None else _in("elsewhere", old), _in("elsewhere", new)
    assert _policies(_made(plugin, after, before)) == expected
    assert _made(ours, after, before) == _made(plugin, after, before)


def test_mirror_pods_and_pods_of_controllers_are_no_exceptions(ours: AdmissionChain, plugin: AdmissionChain) -> None:
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "o", "uid": "1", "controller": True}
    for metadata in ({"annotations": {"kubernetes.io/config.mirror": "x"}}, {"ownerReferences": [owner]}):
        obj = pod([_A], namespace="elsewhere")
        obj["metadata"] |= metadata
        assert _made(ours, obj) == _made(plugin, obj)
        assert _policies(_made(ours, obj)) == ["Always"]


def test_debug_containers_are_left_alone_as_the_plugin_does(ours: AdmissionChain, plugin: AdmissionChain) -> None:
    old = pod([_A], namespace="elsewhere")
    new = pod([_A], namespace="elsewhere", ephemeralContainers=[_B])
    debug = {**request(new, old=old), "subResource": "ephemeralcontainers"}
    for chain in (ours, plugin):
        assert _policies(chain.judge(debug, typed=True)["object"]) == ["IfNotPresent", "Never"]


def test_other_objects_are_left_alone(ours: AdmissionChain) -> None:
    obj = pod([_A], namespace="elsewhere")
    deployment = {**obj, "apiVersion": "apps/v1", "kind": "Deployment", "spec": {"template": {"spec": obj["spec"]}}}
    assert _policies(ours.judge(request(deployment), typed=True)["object"]["spec"]["template"]) == ["IfNotPresent"]


@pytest.mark.parametrize(("suffix", "oldest"), [("", "1.36"), ("-v1beta1", "1.34"), ("-v1alpha1", "1.32")])
def test_the_library_is_what_every_api_server_accepts(
    workbench: Workbench, checkout: Path, suffix: str, oldest: str
) -> None:
    file = checkout / f"library/mutation/elsewhere{suffix}/{_NAME}/objects.yaml"
    objects = list(yaml.safe_load_all(file.read_text("utf-8")))
    assert {obj["metadata"]["annotations"]["pullguard/elsewhere"] for obj in objects} == {"Always"}
    with workbench.chain([*objects, *_NAMESPACES], oldest) as chain:
        assert _policies(_made(chain, pod([_A], namespace="elsewhere"))) == ["Always"]
        assert _policies(_made(chain, pod([_A]))) == ["IfNotPresent"]


def test_both_mutations_together(workbench: Workbench) -> None:
    """Each has its own namespaces."""
    policy, config = (
        workbench.policies[_NAME],
        workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), None)),
    )
    objects = [*admission.mutating(policy, config), *admission.elsewhere(policy, config), *_NAMESPACES]
    with workbench.chain(objects) as chain:
        assert _policies(_made(chain, pod([_A | {"imagePullPolicy": "Always"}]))) == ["IfNotPresent"]
        assert _policies(_made(chain, pod([_A], namespace="elsewhere"))) == ["Always"]


def test_the_plugin_refuses_what_the_mutation_of_protected_namespaces_makes(workbench: Workbench) -> None:
    """Why the plugin goes first: it sets Always, the mutation takes that back, and the plugin refuses the pod."""
    policy, config = (
        workbench.policies[_NAME],
        workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), None)),
    )
    with workbench.chain([*admission.mutating(policy, config), *_NAMESPACES], always_pull=True) as chain:
        verdict = chain.judge(request(pod([_A])), typed=True)
        assert not verdict["allowed"]
        assert 'spec.containers[0].imagePullPolicy: Unsupported value: "IfNotPresent"' in verdict["message"]


def test_the_plugin_and_the_policy_get_along(workbench: Workbench, plugin: AdmissionChain) -> None:
    """Both are in force for a while, when one takes the place of the other."""
    policy, config = (
        workbench.policies[_NAME],
        workbench.config(_NAME, protected=ProtectedNamespaces(("kube-*",), None)),
    )
    with workbench.chain([*admission.elsewhere(policy, config), *_NAMESPACES], always_pull=True) as chain:
        for name in ("kube-system", "elsewhere"):
            obj = pod([_A], namespace=name, initContainers=[_B], volumes=[_VOLUME])
            assert _made(chain, obj) == _made(plugin, obj)


def test_no_other_folder_has_it(checkout: Path) -> None:
    for path in (checkout / "library").rglob("kustomization.yaml"):
        folder = path.parent.relative_to(checkout / "library").as_posix()
        resources = yaml.safe_load(path.read_text("utf-8"))["resources"]
        if not folder.startswith("mutation/elsewhere"):
            assert not any("elsewhere" in resource for resource in resources), path
