"""Random objects of every kind that holds pod specs, with fields of every wrong type."""

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
    ("argoproj.io/v1alpha1", "Rollout"): [],
    ("serving.knative.dev/v1", "Service"): [],
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
