"""Random objects through the generated library in OPA, against an independent statement of what is right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from image_references import implied_policy
from pullguard.check import check

_PLACES = {
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
def _objects(draw: st.DrawFn) -> dict[str, Any]:
    (api_version, kind), place = draw(st.sampled_from(sorted(_PLACES.items())))
    content = draw(_POD_SPEC)
    for key in reversed(place or ["spec", "template", "spec"]):
        content = {key: content}
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "x", "namespace": "kube-system"}, **content}


def _judged(obj: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield the place, the effective policy and the reason of everything that must be found in an object."""
    place = _PLACES[obj["apiVersion"], obj["kind"]]
    spec: Any = obj
    for key in place:
        spec = spec.get(key) if isinstance(spec, dict) else None
    if not place or not isinstance(spec, dict):
        return
    for name in ("containers", "initContainers", "ephemeralContainers", "volumes"):
        entries = spec.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            use = entry.get("image") if name == "volumes" and isinstance(entry, dict) else entry
            if not isinstance(use, dict):
                continue
            image_key, policy_key = ("reference", "pullPolicy") if name == "volumes" else ("image", "imagePullPolicy")
            stated = use.get(policy_key)
            effective = implied_policy(use.get(image_key)) if stated is None or stated == "" else stated
            if effective not in ("IfNotPresent", "Never"):
                reason = "always" if effective == "Always" else "invalid"
                yield f"{'.'.join(place)}.{name}[{index}]", effective, reason


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(objects=st.lists(_objects(), min_size=1, max_size=40))
def test_random_objects(checkout: Path, tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    manifest = tmp_path / "objects.json"
    manifest.write_text("\n".join(json.dumps(obj) for obj in objects))
    report = check([str(manifest)], library=str(checkout / "library"))
    found = sorted(
        (finding.document, finding.details["path"], json.dumps(finding.details["effective"]), finding.details["reason"])
        for finding in report.findings
        if finding.policy == "protected_pull_policy"
    )
    wanted = sorted(
        (document, path, json.dumps(effective), reason)
        for document, obj in enumerate(objects)
        for path, effective, reason in _judged(obj)
    )
    assert (found, report.errors, report.objects) == (wanted, (), len(objects))
