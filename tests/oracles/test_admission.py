"""The generated ValidatingAdmissionPolicies, by Kubernetes' own code, held to their twins in Rego."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import custom_resources
from admission_chain import namespace, request
from generated_images import IMAGES
from generated_objects import BUILT_IN, objects, well_formed
from pullguard.core.inputs.files import find_files
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.library.config import ALL, UNSEEN, ProtectedNamespaces
from shared_engine import ENGINE
from twins import Twins, Workbench, pod, told

_REGO = Path(__file__).resolve().parent.parent.parent / "rego"
#: Every policy that has a twin in CEL, and those of them that are about images.
_POLICIES = sorted(path.parent.name for path in _REGO.glob("policies/*/admission.yaml"))
_IMAGE_POLICIES = ("protected_image_pinning", "protected_pull_policy")

_CUSTOM = [
    {"group": "argoproj.io", "kind": "Rollout", "paths": ["spec.template.spec"]},
    {"group": "jobset.x-k8s.io", "kind": "JobSet", "paths": ["spec.replicatedJobs[].template.spec.template.spec"]},
]
_IGNORE = "admission.gatekeeper.sh/ignore"

#: Versions that the API server still serves; others reach an admission policy as one of these.
_SERVED = {"apps/v1beta1": "apps/v1", "apps/v1beta2": "apps/v1", "batch/v1beta1": "batch/v1"}
_KINDS = {(version, kind) for version, kind, _ in BUILT_IN}

_ALWAYS = {"name": "c", "image": "q.io/a:v1", "imagePullPolicy": "Always"}
_SAYS = (
    'container "c" image "q.io/a:v1": imagePullPolicy is Always: cannot start without its registry; '
    "set imagePullPolicy: IfNotPresent"
)

_few = settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module", params=_POLICIES)
def defaults(request: pytest.FixtureRequest, workbench: Workbench) -> Iterator[Twins]:
    """Each policy without any parameters."""
    with workbench.twins(request.param, workbench.config(request.param)) as twins:
        yield twins


# -- the Suites -------------------------------------------------------------------------------------------------------


def _suite_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    for name in _POLICIES:
        suite = yaml.safe_load((_REGO / "policies" / name / "suite.yaml").read_text("utf-8"))
        yield from ((name, test) for test in suite["tests"] if not test.get("invalid"))


def _title(value: Any) -> str:
    return value if isinstance(value, str) else str(value["name"])


@pytest.mark.parametrize(("name", "suite_test"), list(_suite_tests()), ids=_title)
def test_cases_of_the_suites(workbench: Workbench, name: str, suite_test: dict[str, Any]) -> None:
    """A manifest is judged as it is when it is created."""
    folder = _REGO / "policies" / name
    constraint = yaml.safe_load((folder / suite_test["constraint"]).read_text("utf-8"))["spec"]
    names = tuple(constraint.get("match", {}).get("namespaces", ["*"]))
    config = workbench.config(name, constraint.get("parameters"), protected=ProtectedNamespaces(names, None))
    requests = []
    for case in suite_test["cases"]:
        sample = yaml.safe_load((folder / case["object"]).read_text("utf-8"))
        # No API server serves the group any more, so no admission policy is asked about it.
        if not sample["apiVersion"].startswith("extensions/"):
            requests.append(sample["request"] if sample["kind"] == "AdmissionReview" else request(sample))
    with workbench.twins(name, config, *{one["namespace"] for one in requests}) as twins:
        wanted = [
            line if names == ("*",) or one["namespace"] in names else ""
            for line, one in zip(twins.in_rego(requests), requests, strict=True)
        ]
        assert _told_of(twins.in_cel(requests)) == _told_of(wanted)


# -- real manifests and images ----------------------------------------------------------------------------------------


def test_real_manifests(defaults: Twins, corpus: Path) -> None:
    """Every object of a kind that the API server has, as if it were created in a protected namespace."""
    requests = []
    for found in Inputs(ENGINE, find_files([str(corpus)])):
        if isinstance(found, Manifest) and isinstance(found.object.get("metadata"), dict):
            version = str(found.object.get("apiVersion"))
            version = _SERVED.get(version, version)
            metadata = {**found.object["metadata"], "namespace": "kube-system"}
            if (version, found.object["kind"]) in _KINDS:
                requests.append(request({**found.object, "apiVersion": version, "metadata": metadata}))
    assert len(requests) > len(list((corpus / "real").iterdir()))
    said = defaults.in_cel(requests)
    assert said == defaults.in_rego(requests)
    assert len({*said}) > 10 or defaults.name not in _IMAGE_POLICIES


def test_images_of_the_api_server(workbench: Workbench, image_defaults: Mapping[str, str]) -> None:
    """The API server's own code gives each image the policy that a real API server gave it; CEL says the same."""
    name = "protected_pull_policy"
    config = workbench.config(name, {"customKinds": [{"group": "example.com", "kind": "Pod", "paths": ["spec"]}]})
    with workbench.twins(name, config) as twins:
        for image, policy in image_defaults.items():
            obj = pod([{"name": "c", "image": image}])
            always = policy == "Always"
            verdict = twins.chain.judge(request(obj), typed=True)
            assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == policy
            assert verdict["allowed"] is not always
            # In a custom resource nobody fills it in.
            verdict = twins.chain.judge(request({**obj, "apiVersion": "example.com/v1"}), typed=False)
            assert verdict["allowed"] is not always, image


@_few
@given(images=st.lists(IMAGES, min_size=1, max_size=40))
def test_random_images(defaults: Twins, images: list[Any]) -> None:
    requests = [request(pod([{"name": "c", "image": image}])) for image in images]
    in_cel, in_rego = defaults.in_cel(requests), defaults.in_rego(requests)
    assert [bool(line) for line in in_cel] == [bool(line) for line in in_rego]
    texts = [index for index, image in enumerate(images) if isinstance(image, str)]
    assert [in_cel[index] for index in texts] == [in_rego[index] for index in texts]


# -- random objects ---------------------------------------------------------------------------------------------------

_STATED = [
    *((name, {}) for name in _POLICIES if name not in _IMAGE_POLICIES),
    ("protected_pull_policy", {"customKinds": _CUSTOM}),
    ("protected_pull_policy", {"allowedPolicies": ["Never"], "controlledPods": "deny"}),
    ("protected_pull_policy", {"allowedPolicies": ["IfNotPresent"], "exemptImages": ["nginx*", "h:5000/x"]}),
    ("protected_pull_policy", {"customKinds": _CUSTOM, "impliedPolicy": "deny"}),
    ("protected_pull_policy", {"controlledPods": "trusted", "trustedUsers": ["rollouts", "system:serviceaccount:a:*"]}),
    ("protected_image_pinning", {"customKinds": _CUSTOM, "floatingTags": ["1", "*-x.y"]}),
    ("protected_image_pinning", {"require": "digest", "controlledPods": "deny", "exemptImages": ["nginx"]}),
]

_OWNERS = st.sampled_from(
    [
        [],
        [{"apiVersion": "apps/v1", "kind": "Deployment", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "example.com/v1", "kind": "Deployment", "name": "o", "uid": "1", "controller": True}],
        [{"apiVersion": "v1", "kind": "Node", "name": "o", "uid": "1"}],
    ]
)


_USERS = st.sampled_from(
    [
        {"username": "someone", "groups": ["system:authenticated"]},
        {"username": "rollouts"},
        {"username": "system:serviceaccount:a:b"},
        {"username": "system:node:a", "groups": ["system:nodes"]},
        {"username": "system:node:a"},
        {"username": "someone", "groups": ["system:nodes"]},
        {"username": "system:kube-controller-manager"},
        {"username": "system:serviceaccount:kube-system:replicaset-controller"},
        {"username": "system:serviceaccount:kube-system:default"},
        {},
    ]
)


@st.composite
def _requests(draw: st.DrawFn) -> dict[str, Any]:
    """Return a creation, or an edit of an object that has something in common with what it becomes."""
    obj = draw(objects().filter(lambda one: not one["apiVersion"].startswith("extensions/")))
    owners = draw(_OWNERS)
    head = {
        "apiVersion": _SERVED.get(obj["apiVersion"], obj["apiVersion"]),
        "kind": obj["kind"],
        "metadata": {"name": "x", "namespace": "kube-system", **({"ownerReferences": owners} if owners else {})},
    }
    old = draw(st.one_of(st.none(), st.just(obj), objects().filter(lambda one: one["kind"] == obj["kind"])))
    return {**request(obj | head, old=None if old is None else old | head), "userInfo": draw(_USERS)}


@pytest.fixture(scope="module", params=_STATED, ids=lambda pair: f"{pair[0]}-{'-'.join(pair[1])}")
def twins(request: pytest.FixtureRequest, workbench: Workbench) -> Iterator[Twins]:
    name, stated = request.param
    with workbench.twins(name, workbench.config(name, stated)) as both:
        yield both


@_few
@given(requests=st.lists(_requests(), min_size=1, max_size=40))
def test_random_objects(twins: Twins, requests: list[dict[str, Any]]) -> None:
    assert twins.in_cel(requests) == twins.in_rego(requests)


_ENTRIES = st.lists(
    st.fixed_dictionaries(
        {
            "template": st.fixed_dictionaries(
                {"image": st.sampled_from(["nginx:1", "nginx"]), "stated": st.sampled_from(["Always", "Never"])}
            )
        },
        optional={"name": st.sampled_from(["a", "b", "", 7])},
    ),
    max_size=4,
)


def _job_set(entries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    jobs = []
    for entry in entries:
        used = entry["template"]
        container = {"name": "c", "image": used["image"], "imagePullPolicy": used["stated"]}
        spec = {"spec": {"template": {"spec": {"containers": [container]}}}}
        jobs.append({**entry, "template": spec})
    head = {"apiVersion": "jobset.x-k8s.io/v1alpha2", "kind": "JobSet"}
    return {**head, "metadata": {"name": "x", "namespace": "kube-system"}, "spec": {"replicatedJobs": jobs}}


@_few
@given(edits=st.lists(st.tuples(_ENTRIES, _ENTRIES), min_size=1, max_size=40))
def test_random_edits_of_lists_of_jobs(workbench: Workbench, edits: list[tuple[Any, Any]]) -> None:
    requests = [request(_job_set(now), old=_job_set(before)) for before, now in edits]
    for name in _POLICIES:
        with workbench.twins(name, workbench.config(name, {"customKinds": _CUSTOM})) as both:
            assert both.in_cel(requests) == both.in_rego(requests)


#: Every way in which a custom resource uses images.
_WIDGET = {
    "group": "example.com",
    "kind": "Widget",
    "paths": ["spec.replicas.*.spec"],
    "containers": ["spec.run", "spec.steps[]", "spec.parts.*", "spec.templates[].run"],
    "images": [
        {"image": "spec.image", "policy": "spec.imagePullPolicy"},
        {"image": "spec.sidecar.image", "policy": "spec.imagePullPolicy"},
        {"image": "spec.pools[].main.image", "policy": "spec.pools[].pull"},
        {"image": "spec.named.*.image", "policy": "spec.named.*.pullPolicy"},
    ],
}
_WIDGET_IMAGE = st.sampled_from(["nginx:1", "nginx", "", None, 7])
_WIDGET_POLICY = st.sampled_from(["Always", "Never", "always", "", None, 7])
_RUN: st.SearchStrategy[Any] = st.one_of(
    st.fixed_dictionaries(
        {}, optional={"name": st.sampled_from(["a", 7]), "image": _WIDGET_IMAGE, "imagePullPolicy": _WIDGET_POLICY}
    ),
    st.sampled_from([None, "x", [], 7]),
)
_RUNS = st.lists(_RUN, max_size=2)


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return mappings with some of the fields, or something else."""
    return st.one_of(st.fixed_dictionaries({}, optional=fields), st.sampled_from([None, "x", [], 7]))


_WIDGETS = _some(
    replicas=st.dictionaries(st.sampled_from(["Chief", "Worker"]), _some(spec=_some(containers=_RUNS))),
    run=_RUN,
    steps=_RUNS,
    parts=st.dictionaries(st.sampled_from(["b", "c"]), _RUN),
    templates=st.lists(_some(name=st.just("t"), run=_RUN), max_size=2),
    image=_WIDGET_IMAGE,
    imagePullPolicy=_WIDGET_POLICY,
    sidecar=_some(image=_WIDGET_IMAGE),
    pools=st.lists(_some(name=st.just("p"), main=_some(image=_WIDGET_IMAGE), pull=_WIDGET_POLICY), max_size=2),
    named=st.dictionaries(st.sampled_from(["x", "y"]), _some(image=_WIDGET_IMAGE, pullPolicy=_WIDGET_POLICY)),
)


def _widget(spec: Any) -> dict[str, Any]:
    head = {"apiVersion": "example.com/v1", "kind": "Widget"}
    return {**head, "metadata": {"name": "x", "namespace": "kube-system"}, "spec": spec}


def _told_of(lines: Sequence[str]) -> list[tuple[int, list[str]]]:
    """Return how many messages lines have, and those that are in them if that is all: their order has no meaning."""
    messages = [line.split(" | ") for line in lines]
    return [(len(each), [] if "and more" in each else sorted(each)) for each in messages]


@pytest.fixture(scope="module", params=_IMAGE_POLICIES)
def of_widgets(request: pytest.FixtureRequest, workbench: Workbench) -> Iterator[Twins]:
    with workbench.twins(request.param, workbench.config(request.param, {"customKinds": [_WIDGET]})) as both:
        yield both


@_few
@given(edits=st.lists(st.tuples(_WIDGETS, st.one_of(st.none(), _WIDGETS)), min_size=1, max_size=40))
def test_random_custom_resources(of_widgets: Twins, edits: list[tuple[Any, Any]]) -> None:
    requests = [request(_widget(now), old=None if old is None else _widget(old)) for now, old in edits]
    assert _told_of(of_widgets.in_cel(requests)) == _told_of(of_widgets.in_rego(requests))


def _is_said_in_cel(place: str) -> bool:
    """Tell whether CEL before Kubernetes 1.35 reaches a place: not through lists and free keys."""
    return "[]." not in place and "*" not in place and not place.endswith("templates[]")


@pytest.mark.parametrize("name", _IMAGE_POLICIES)
def test_known_custom_resources(workbench: Workbench, name: str) -> None:
    """CEL says what Rego says, or nothing where an API server of 1.30 could not; docs/kinds.md says of which kinds."""
    known = list(custom_resources.objects())
    requests = []
    for _, _, obj in known:
        lower = obj["kind"].lower()
        requests.append(request(obj, resource=f"{lower}es" if lower.endswith("s") else f"{lower}s"))
    with workbench.twins(name, workbench.config(name)) as both:
        in_cel, in_rego = both.in_cel(requests), both.in_rego(requests)
    assert "" not in in_rego
    assert _told_of(in_cel) == _told_of(
        [line if _is_said_in_cel(place) else "" for (_, place, _), line in zip(known, in_rego, strict=True)]
    )
    left = {kind for kind, place, _ in known if not _is_said_in_cel(place)}
    rows = (_REGO.parent / "docs" / "kinds.md").read_text("utf-8").splitlines()
    for group, of_group in custom_resources.known().items():
        for kind, places in of_group.items():
            start = f"| [{group}/{kind}]({places['source']}) | "
            (said,) = (row.removeprefix(start) for row in rows if row.startswith(start))
            assert (said != "all of it |") is (f"{group}/{kind}" in left)


def test_entries_of_lists_are_not_mixed_up(workbench: Workbench) -> None:
    """What Rego says of each edit, its own tests say: here is whether anything is refused."""
    name = "protected_pull_policy"

    def jobs(*stated: str) -> dict[str, Any]:
        return _job_set(
            [
                {"name": f"r{index}", "template": {"image": "q.io/a:v1", "stated": one}}
                for index, one in enumerate(stated)
            ]
        )

    with workbench.twins(name, workbench.config(name, {"customKinds": _CUSTOM})) as both:
        for now, before, refused in (
            (jobs("Always", "Always"), jobs("Always", "IfNotPresent"), 1),
            (jobs("Always", "Always", "Always"), jobs("Always"), 2),
            (jobs("Always", "IfNotPresent"), jobs("Always", "IfNotPresent"), 0),
            (jobs("Always", "IfNotPresent"), jobs("Always", "Never"), 0),
        ):
            (said,) = both.in_cel([request(now, old=before)])
            assert said.count("imagePullPolicy is Always") == refused
            assert both.in_rego([request(now, old=before)]) == [said]


def test_objects_without_a_namespace_are_in_no_protected_one(workbench: Workbench) -> None:
    name = "protected_pull_policy"
    kinds = [{"group": "trainer.kubeflow.org", "kind": "ClusterTrainingRuntime", "paths": ["spec.template.spec"]}]
    runtime = {
        "apiVersion": "trainer.kubeflow.org/v1alpha1",
        "kind": "ClusterTrainingRuntime",
        "metadata": {"name": "torch"},
        "spec": {"template": {"spec": {"containers": [_ALWAYS]}}},
    }
    namespaced = {**runtime, "metadata": {"name": "torch", "namespace": "kube-system"}}
    with workbench.twins(name, workbench.config(name, {"customKinds": kinds})) as both:
        asked = {**request(namespaced), "object": runtime, "namespace": ""}
        assert both.chain.judge(asked, typed=False)["allowed"]
        assert not both.chain.judge(request(namespaced), typed=False)["allowed"]


@_few
@given(made=st.lists(well_formed(BUILT_IN), min_size=1, max_size=40))
def test_random_workloads_as_the_api_server_completes_them(defaults: Twins, made: list[dict[str, Any]]) -> None:
    requests = [request(obj) for obj in made]
    verdicts = [defaults.chain.judge(one, typed=True) for one in requests]
    said = [told(verdict) for verdict in verdicts]
    completed = [
        {**one, "object": {**verdict["object"], "apiVersion": obj["apiVersion"], "kind": obj["kind"]}}
        for one, obj, verdict in zip(requests, made, verdicts, strict=True)
    ]
    assert said == defaults.in_rego(completed)
    # What the API server fills in makes no difference to the verdict.
    assert [bool(line) for line in said] == [bool(line) for line in defaults.in_rego(requests)]


def test_what_the_api_server_refuses_is_not_judged(defaults: Twins) -> None:
    verdict = defaults.chain.judge(request(pod([{"name": "c", "image": ["nginx"]}])), typed=True)
    assert "cannot unmarshal array into Go struct field" in verdict["refused"]


# -- where and how hard -----------------------------------------------------------------------------------------------

_NAMESPACES = (
    namespace("kube-system"),
    namespace("kube-public", **{_IGNORE: "x"}),
    namespace("gatekeeper-system", **{_IGNORE: "no-self-managing"}),
    namespace("elsewhere", **{_IGNORE: "x"}),
)


def _denied_in(
    workbench: Workbench, policies: Sequence[Mapping[str, Any]], namespaces: Sequence[Mapping[str, Any]]
) -> set[str]:
    names = [one["metadata"]["name"] for one in namespaces]
    with workbench.chain([*policies, *namespaces]) as chain:
        return {
            name for name in names if not chain.judge(request(pod([_ALWAYS], namespace=name)), typed=True)["allowed"]
        }


@pytest.mark.parametrize(
    ("scope", "denied"),
    [(UNSEEN, {"kube-public", "gatekeeper-system"}), (ALL, {"kube-system", "kube-public", "gatekeeper-system"})],
)
def test_the_namespaces_that_the_webhook_leaves_out_or_all(workbench: Workbench, scope: str, denied: set[str]) -> None:
    protected = ProtectedNamespaces(("kube-*", "gatekeeper-system"), None)
    config = workbench.config("protected_pull_policy", protected=protected, scope=scope)
    assert _denied_in(workbench, workbench.validating("protected_pull_policy", config), _NAMESPACES) == denied


def test_gatekeepers_webhook_leaves_out_what_the_bindings_select(
    workbench: Workbench, gatekeeper_manifest: Path
) -> None:
    (webhook,) = [
        entry
        for obj in yaml.load_all(gatekeeper_manifest.read_text("utf-8"), Loader=yaml.CSafeLoader)
        if obj["kind"] == "ValidatingWebhookConfiguration"
        for entry in obj["webhooks"]
        if entry["name"] == "validation.gatekeeper.sh"
    ]
    seen = webhook["namespaceSelector"]["matchExpressions"]
    own = {"key": "kubernetes.io/metadata.name", "values": ["gatekeeper-system"]}
    assert sorted(seen, key=str) == sorted(
        [{"key": _IGNORE, "operator": "DoesNotExist"}, {**own, "operator": "NotIn"}], key=str
    )
    _, *bindings = workbench.validating(
        "protected_pull_policy", workbench.config("protected_pull_policy", scope=UNSEEN)
    )
    assert [one["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"] for one in bindings] == [
        [{**own, "operator": "In"}],
        [{"key": _IGNORE, "operator": "Exists"}, {**own, "operator": "NotIn"}],
    ]


_LABELLED = (
    namespace("plain"),
    namespace("tier-a", tier="a"),
    namespace("tier-b", tier="b"),
    namespace("a-system", tier="b", other="x"),
)


def _expression(operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": "tier", "operator": operator, **({"values": list(values)} if values else {})}]}


@pytest.mark.parametrize(
    ("names", "selector", "protected"),
    [
        (("plain",), None, {"plain"}),
        (("tier-*",), None, {"tier-a", "tier-b"}),
        (("*-system", "*lai*"), None, {"a-system", "plain"}),
        (("*",), None, {"plain", "tier-a", "tier-b", "a-system"}),
        ((), {"matchLabels": {"tier": "a"}}, {"tier-a"}),
        ((), {"matchLabels": {"tier": "b", "other": "x"}}, {"a-system"}),
        ((), _expression("In", "a", "b"), {"tier-a", "tier-b", "a-system"}),
        ((), _expression("NotIn", "a"), {"plain", "tier-b", "a-system"}),
        ((), _expression("Exists"), {"tier-a", "tier-b", "a-system"}),
        ((), _expression("DoesNotExist"), {"plain"}),
        (("plain",), {"matchLabels": {"tier": "a"}}, {"plain", "tier-a"}),
    ],
)
def test_protected_by_name_glob_or_label(
    workbench: Workbench, names: tuple[str, ...], selector: dict[str, Any] | None, protected: set[str]
) -> None:
    config = workbench.config("protected_pull_policy", protected=ProtectedNamespaces(names, selector))
    assert _denied_in(workbench, workbench.validating("protected_pull_policy", config), _LABELLED) == protected


@pytest.mark.parametrize("level", ["audit", "warn", "deny"])
def test_levels(workbench: Workbench, level: str) -> None:
    with workbench.twins("protected_pull_policy", workbench.config("protected_pull_policy", level=level)) as twins:
        verdict = twins.chain.judge(request(pod([_ALWAYS])), typed=False)
    assert verdict["allowed"] is (level != "deny")
    assert told(verdict) == (_SAYS if level == "deny" else "")
    name = "protected-pull-policy"
    warning = f"Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{name}': {_SAYS}"
    assert verdict.get("warnings", []) == ([warning] if level == "warn" else [])
    kept = [json.loads(one["value"])[0]["message"] for one in verdict.get("audit", [])]
    assert kept == ([] if level == "deny" else [_SAYS])


def test_a_debug_container_comes_by_a_subresource(workbench: Workbench) -> None:
    debugger = {"name": "d", "image": "busybox", "imagePullPolicy": "Always"}
    debugged = request(pod([_ALWAYS], ephemeralContainers=[debugger]), old=pod([_ALWAYS]))
    with workbench.twins("protected_pull_policy", workbench.config("protected_pull_policy")) as twins:
        said = told(twins.chain.judge({**debugged, "subResource": "ephemeralcontainers"}, typed=True))
        status = twins.chain.judge({**debugged, "subResource": "status"}, typed=True)
    assert said.startswith('ephemeral container "d" image "busybox": imagePullPolicy is Always')
    assert status["allowed"]


# -- limits -----------------------------------------------------------------------------------------------------------


def _large(count: int) -> dict[str, Any]:
    return pod([{"name": f"c{index}", "image": "q.io/a:v1", "imagePullPolicy": "Never"} for index in range(count)])


@pytest.mark.parametrize("name", _IMAGE_POLICIES)
@pytest.mark.parametrize(("count", "allowed"), [(500, True), (16000, False)])
def test_beyond_the_cost_budget_the_answer_is_deny(
    workbench: Workbench, name: str, *, count: int, allowed: bool
) -> None:
    """docs/benchmarks.md says how many containers there can be."""
    with workbench.twins(name, workbench.config(name)) as twins:
        verdict = twins.chain.judge(request(_large(count)), typed=False)
    assert verdict["allowed"] is allowed
    assert ("exceeded" in verdict.get("message", "")) is not allowed


def test_beyond_the_cost_budget_audit_reports(workbench: Workbench) -> None:
    with workbench.twins(
        "protected_image_pinning", workbench.config("protected_image_pinning", level="audit")
    ) as twins:
        verdict = twins.chain.judge(request(_large(16000)), typed=False)
    assert verdict["allowed"]
    assert "exceeded" in verdict["audit"][0]["value"]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("variables.violations.all(group, size(group) = 0)", r"spec\.validations\[0\]\.expression.*Syntax error"),
        ("object.spec.nothing == 1", r"spec\.validations\[0\]\.expression.*undefined field 'nothing'"),
    ],
)
def test_what_the_api_server_does_not_accept_or_warns_of_is_refused(
    workbench: Workbench, expression: str, message: str
) -> None:
    broken = json.loads(
        json.dumps(workbench.validating("protected_pull_policy", workbench.config("protected_pull_policy")))
    )
    broken[0]["spec"]["validations"][0]["expression"] = expression
    with workbench.chain(broken) as chain, pytest.raises(ValueError, match=f"(?s){message}"):
        chain.judge(request(pod([_ALWAYS])), typed=False)


_FLATTEN = r"(?s)Kubernetes 1\.34: .*: customPodSpecs: .*undeclared reference to 'flatten'"


@pytest.mark.parametrize("name", _IMAGE_POLICIES)
def test_the_oldest_version_of_kubernetes(workbench: Workbench, name: str) -> None:
    """As docs/versions.md says: ValidatingAdmissionPolicy is v1 since 1.30; policies may use flatten since 1.35.

    CEL knows it since 1.34, but an API server takes no new expression that the version before it would not know.
    """
    plain = workbench.validating(name, workbench.config(name, {"customKinds": _CUSTOM[:1]}))
    lists = workbench.validating(name, workbench.config(name, {"customKinds": _CUSTOM}))
    one = request(pod([{"name": "c", "image": "q.io/a:v1"}]))
    custom = request(_job_set([{"template": {"image": "q.io/a:v1", "stated": "Never"}}]))
    for policies, oldest in ((plain, "1.30"), (lists, "1.35")):
        with workbench.chain([*policies, namespace("kube-system")], oldest) as chain:
            assert chain.judge(one, typed=True)["allowed"]
            assert chain.judge(custom, typed=False)["allowed"]
    with (
        workbench.chain([*lists, namespace("kube-system")], "1.34") as chain,
        pytest.raises(ValueError, match=_FLATTEN),
    ):
        chain.judge(custom, typed=False)


@pytest.mark.parametrize(("suffix", "oldest"), [("", "1.36"), ("-v1beta1", "1.34"), ("-v1alpha1", "1.32")])
def test_mutation_of_every_version(workbench: Workbench, checkout: Path, suffix: str, oldest: str) -> None:
    file = checkout / f"library/mutation/kubernetes{suffix}/protected_pull_policy/objects.yaml"
    objects = list(yaml.safe_load_all(file.read_text("utf-8")))
    with workbench.chain([*objects, namespace("kube-system")], oldest) as chain:
        verdict = chain.judge(request(pod([_ALWAYS])), typed=True)
    assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"


def test_no_policy_depends_on_a_definition(checkout: Path) -> None:
    """Without paramKind, nothing that is not there keeps the API server from evaluating a policy."""
    for path in sorted((checkout / "library").glob("*/**/objects.yaml")):
        for obj in yaml.safe_load_all(path.read_text("utf-8")):
            assert not {"paramKind", "paramRef"} & obj["spec"].keys(), path


def test_the_library_is_what_the_api_server_accepts(workbench: Workbench, checkout: Path) -> None:
    found = [
        obj
        for folder in ("admission/policies", "mutation/kubernetes")
        for path in sorted((checkout / "library" / folder).glob("*/objects.yaml"))
        for obj in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    kinds = [obj["kind"] for obj in found]
    mutating = list(_REGO.glob("policies/*/mutation.yaml"))
    assert {kind: kinds.count(kind) for kind in kinds} == {
        "ValidatingAdmissionPolicy": len(_POLICIES),
        "ValidatingAdmissionPolicyBinding": 2 * len(_POLICIES),
        "MutatingAdmissionPolicy": len(mutating),
        "MutatingAdmissionPolicyBinding": len(mutating),
    }
    with workbench.chain([*found, *_NAMESPACES]) as chain:
        verdict = chain.judge(request(pod([_ALWAYS], namespace="gatekeeper-system")), typed=True)
    assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
