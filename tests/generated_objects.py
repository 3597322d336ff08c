"""Random objects of every kind with pod specs: well-formed ones, and ones with fields of every wrong type."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

PLACES = {
    ("v1", "Pod"): ["spec"],
    ("v1", "PodTemplate"): ["template", "spec"],
    ("v1", "ReplicationController"): ["spec", "template", "spec"],
    ("apps/v1", "Deployment"): ["spec", "template", "spec"],
    ("apps/v1", "StatefulSet"): ["spec", "template", "spec"],
    ("apps/v1beta2", "DaemonSet"): ["spec", "template", "spec"],
    ("extensions/v1beta1", "ReplicaSet"): ["spec", "template", "spec"],
    ("batch/v1", "Job"): ["spec", "template", "spec"],
    ("batch/v1beta1", "CronJob"): ["spec", "jobTemplate", "spec", "template", "spec"],
    ("argoproj.io/v1alpha1", "Rollout"): ["spec", "template", "spec"],
    ("serving.knative.dev/v1", "Service"): ["spec", "template", "spec"],
    ("example.com/v1", "Widget"): [],
    ("v1", "Service"): [],
    ("v1", "ConfigMap"): [],
}

_ODD = st.sampled_from([None, True, 0, 7, 1.5, "", "Always", [], ["Always"], {}, {"Always": 1}])
_POLICY = st.one_of(st.sampled_from(["Always", "IfNotPresent", "Never", "always", "Always ", "", None]), _ODD)
_IMAGE = st.one_of(
    st.sampled_from(["nginx", "nginx:1", "nginx:latest", "h:5000/x", "Nginx", "x@sha256:abc", "q.io/a/b:latest"]), _ODD
)


def _item(image_key: str, policy_key: str) -> st.SearchStrategy[Any]:
    return st.one_of(
        st.fixed_dictionaries({}, optional={"name": st.just("a"), image_key: _IMAGE, policy_key: _POLICY}), _ODD
    )


_CONTAINERS = st.one_of(st.lists(_item("image", "imagePullPolicy"), max_size=3), _ODD)
_VOLUME = st.one_of(
    st.fixed_dictionaries({"name": st.just("v")}, optional={"image": _item("reference", "pullPolicy")}), _ODD
)
_POD_SPEC = st.one_of(
    st.fixed_dictionaries(
        {},
        optional={
            "containers": _CONTAINERS,
            "initContainers": _CONTAINERS,
            "ephemeralContainers": _CONTAINERS,
            "volumes": st.one_of(st.lists(_VOLUME, max_size=3), _ODD),
        },
    ),
    _ODD,
)


@st.composite
def objects(draw: st.DrawFn) -> dict[str, Any]:
    (api_version, kind), place = draw(st.sampled_from(sorted(PLACES.items())))
    content = draw(_POD_SPEC)
    for key in reversed(place or ["spec", "template", "spec"]):
        content = {key: content}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "kube-system"}, **content}


_WELL_WRITTEN = st.sampled_from(
    [
        *("nginx", "nginx:latest", "nginx:1.27", "h:5000/a/b", "h:5000/a/b:v1", "q.io/a:stable-2", "q.io/a:2-STABLE"),
        *("q.io/a:Main", f"nginx@sha256:{'a' * 64}", f"q.io/a:latest@sha256:{'b' * 64}", "Nginx:latest"),
    ]
)
_POLICIES = st.sampled_from(["Always", "IfNotPresent", "Never", None])
POD = (("v1", "Pod", ("spec",)),)
BUILT_IN = (
    *POD,
    ("v1", "PodTemplate", ("template", "spec")),
    ("v1", "ReplicationController", ("spec", "template", "spec")),
    *(
        ("apps/v1", kind, ("spec", "template", "spec"))
        for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
    ),
    ("batch/v1", "Job", ("spec", "template", "spec")),
    ("batch/v1", "CronJob", ("spec", "jobTemplate", "spec", "template", "spec")),
)


@st.composite
def well_formed(draw: st.DrawFn, kinds: Sequence[tuple[str, str, tuple[str, ...]]]) -> dict[str, Any]:
    def entries(prefix: str, *, least: int) -> list[dict[str, Any]]:
        pairs = draw(st.lists(st.tuples(_WELL_WRITTEN, _POLICIES), min_size=least, max_size=4))
        return [
            {"name": f"{prefix}{index}", "image": image, **({} if stated is None else {"imagePullPolicy": stated})}
            for index, (image, stated) in enumerate(pairs)
        ]

    spec: Any = {"containers": entries("c", least=1)}
    if initial := entries("i", least=0):
        spec["initContainers"] = initial
    if volumes := entries("v", least=0):
        spec["volumes"] = [
            {
                "name": one["name"],
                "image": {
                    "reference": one["image"],
                    **({"pullPolicy": one["imagePullPolicy"]} if "imagePullPolicy" in one else {}),
                },
            }
            for one in volumes
        ] + [{"name": "none", "emptyDir": {}}]
    version, kind, place = draw(st.sampled_from(kinds))
    for key in reversed(place):
        spec = {key: spec}
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "kube-system"}, **spec}
