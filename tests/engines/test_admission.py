"""The generated admission policies, by Kubernetes' own code, held to their twins in Rego."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from admission_chain import AdmissionChain, namespace, request
from generated_images import IMAGES
from generated_objects import objects
from pullguard import policies
from pullguard.config import ALL, UNSEEN, AdmissionConfig, Config, PolicyConfig, ProtectedNamespaces
from pullguard.inputs import Inputs, Manifest
from pullguard.policies import Policy
from pullguard.render import admission

POLICIES = ("protected_image_pinning", "protected_pull_policy")

_LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")
_CUSTOM = [
    {"group": "argoproj.io", "kind": "Rollout", "paths": ["spec.template.spec"]},
    {"group": "jobset.x-k8s.io", "kind": "JobSet", "paths": ["spec.replicatedJobs[].template.spec.template.spec"]},
]
#: Versions that the API server still serves; others reach an admission policy as one of these.
_SERVED = {"apps/v1beta1": "apps/v1", "apps/v1beta2": "apps/v1", "batch/v1beta1": "batch/v1"}
_KINDS = {
    "v1": ("Pod", "PodTemplate", "ReplicationController"),
    "apps/v1": ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
    "batch/v1": ("CronJob", "Job"),
}
_IGNORE = "admission.gatekeeper.sh/ignore"


@pytest.fixture(scope="module")
def sources(opa: Path, checkout: Path) -> dict[str, Policy]:
    return {policy.name: policy for policy in policies.read(checkout / "rego", opa).policies}


def _config(
    policy: Policy,
    parameters: Mapping[str, Any],
    protected: ProtectedNamespaces = ProtectedNamespaces(("*",), None),
    scope: str = ALL,
    level: str = "deny",
) -> Config:
    own = PolicyConfig(enabled=True, enforcement=level, parameters=parameters)
    return Config(protected, {policy.name: own}, AdmissionConfig(scope))


def _rego(opa: Path, checkout: Path, policy: str, parameters: Mapping[str, Any], reviews: Sequence[Any]) -> list[str]:
    """Return what Rego tells the user about each review, as one line; "" for nothing."""
    query = (
        "[found | parameters := input.parameters; some review in input.reviews; found := [violation | some violation in "
        f'data.policies.{policy}.violation with input as {{"review": review, "parameters": parameters}}]]'
    )
    rego = checkout / "library/conftest/policy"
    done = subprocess.run(
        [
            *(opa, "eval", "--format", "json", "--fail", "--stdin-input"),
            *("--data", rego / "lib", "--data", rego / "policies", query),
        ],
        input=json.dumps({"reviews": reviews, "parameters": parameters}),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    found = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return [_line(violations) for violations in found]


def _line(violations: Sequence[Mapping[str, Any]]) -> str:
    messages = [violation["msg"] for violation in sorted(violations, key=_place)]
    return " | ".join([*messages[:10], *(["and more"] if len(messages) > 10 else [])])


def _place(violation: Mapping[str, Any]) -> tuple[int, str, int]:
    spec, name, index = re.fullmatch(r"(.*)\.(\w+)\[(\d+)\]", violation["details"]["path"]).groups()  # type: ignore[union-attr]
    return _LISTS.index(name), spec, int(index)


def _told(verdict: Mapping[str, Any]) -> str:
    """Return what the API server tells the user, without the names of the policy and its binding."""
    assert "refused" not in verdict, verdict
    if verdict["allowed"]:
        return ""
    return str(verdict["message"].partition("denied request: ")[2])


class _Twins:
    """A policy in CEL and in Rego, with the same parameters."""

    def __init__(self, chain: AdmissionChain, rego: Callable[[Sequence[Any]], list[str]]) -> None:
        self.chain = chain
        self.rego = rego


def _twins(
    opa: Path, program: Path, checkout: Path, folder: Path, policy: Policy, stated: Mapping[str, Any]
) -> Iterator[_Twins]:
    config = _config(policy, stated)
    parameters = admission.complete_parameters(policy, config)
    with AdmissionChain(program, [*admission.validating(policy, config), namespace("kube-system")], folder) as chain:
        yield _Twins(chain, lambda reviews: _rego(opa, checkout, policy.name, parameters, reviews))


# -- the Suites -------------------------------------------------------------------------------------------------------


def _suite_tests() -> Iterator[tuple[str, dict[str, Any]]]:
    rego = Path(__file__).resolve().parent.parent.parent / "rego"
    for name in POLICIES:
        suite = yaml.safe_load((rego / "policies" / name / "suite.yaml").read_text("utf-8"))
        yield from ((name, test) for test in suite["tests"] if not test.get("invalid"))


def _title(value: Any) -> str:
    return value if isinstance(value, str) else str(value["name"])


@pytest.mark.parametrize(("name", "suite_test"), list(_suite_tests()), ids=_title)
def test_cases_of_the_suites(
    opa: Path,
    admission_program: Path,
    checkout: Path,
    tmp_path: Path,
    sources: dict[str, Policy],
    name: str,
    suite_test: dict[str, Any],
) -> None:
    folder = checkout / "rego/policies" / name
    constraint = yaml.safe_load((folder / suite_test["constraint"]).read_text("utf-8"))["spec"]
    names = tuple(constraint["match"]["namespaces"])
    config = _config(sources[name], constraint.get("parameters", {}), ProtectedNamespaces(names, None))
    requests = []
    for case in suite_test["cases"]:
        sample = yaml.safe_load((folder / case["object"]).read_text("utf-8"))
        requests.append(sample["request"] if sample["kind"] == "AdmissionReview" else request(sample))
    namespaces = {one["namespace"] for one in requests}
    wanted = _rego(opa, checkout, name, admission.complete_parameters(sources[name], config), requests)
    with AdmissionChain(
        admission_program,
        [*admission.validating(sources[name], config), *(namespace(one) for one in namespaces)],
        tmp_path,
    ) as chain:
        told = [_told(chain.judge(one, typed=False)) for one in requests]
    assert told == [line if one["namespace"] in names else "" for line, one in zip(wanted, requests, strict=True)]


# -- real manifests and images ---------------------------------------------------------------------------------------


def _pod(containers: Sequence[Mapping[str, Any]], **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": "kube-system"},
        "spec": {"containers": list(containers), **spec},
    }


@pytest.fixture(scope="module", params=POLICIES)
def defaults(
    request: pytest.FixtureRequest,
    opa: Path,
    admission_program: Path,
    checkout: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sources: dict[str, Policy],
) -> Iterator[_Twins]:
    """The twins of each policy without any parameters."""
    yield from _twins(opa, admission_program, checkout, tmp_path_factory.mktemp("chain"), sources[request.param], {})


def test_real_manifests(defaults: _Twins, corpus: Path) -> None:
    """Every object of a kind that the API server has, as if it were created in a protected namespace."""
    requests = []
    for found in Inputs([str(corpus)]):
        if not isinstance(found, Manifest) or not isinstance(found.object, dict):
            continue
        version, kind = (str(found.object.get(key)) for key in ("apiVersion", "kind"))
        version = _SERVED.get(version, version)
        if isinstance(found.object.get("metadata"), dict) and kind in _KINDS.get(version, ()):
            metadata = {**found.object["metadata"], "namespace": "kube-system"}
            requests.append(request({**found.object, "apiVersion": version, "metadata": metadata}))
    assert len(requests) > 500
    told = [_told(defaults.chain.judge(one, typed=False)) for one in requests]
    assert told == [_in_cel(line) for line in defaults.rego(requests)]
    assert len({*told}) > 20


def test_images_of_the_api_server(
    admission_program: Path, sources: dict[str, Policy], image_defaults: Path, tmp_path: Path
) -> None:
    """The API server's own code gives each image the policy that a real API server gave it; CEL says the same."""
    rows = json.loads(image_defaults.read_text("utf-8"))["images"]
    policy = sources["protected_pull_policy"]
    custom = _config(policy, {"customKinds": [{"group": "example.com", "kind": "Pod", "paths": ["spec"]}]})
    with AdmissionChain(
        admission_program, [*admission.validating(policy, custom), namespace("kube-system")], tmp_path
    ) as chain:
        for row in rows:
            pod = _pod([{"name": "c", "image": row["image"]}])
            verdict = chain.judge(request(pod), typed=True)
            assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == row["policy"]
            always = row["policy"] == "Always"
            assert verdict["allowed"] is not always
            # In a custom resource nobody fills it in.
            verdict = chain.judge(request({**pod, "apiVersion": "example.com/v1"}), typed=False)
            assert verdict["allowed"] is not always, row


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(images=st.lists(IMAGES, min_size=1, max_size=40))
def test_random_images(defaults: _Twins, images: list[Any]) -> None:
    requests = [request(_pod([{"name": "c", "image": image}])) for image in images]
    told = [_told(defaults.chain.judge(one, typed=False)) for one in requests]
    wanted = defaults.rego(requests)
    assert [bool(line) for line in told] == [bool(line) for line in wanted]
    texts = [index for index, image in enumerate(images) if isinstance(image, str)]
    assert [told[index] for index in texts] == [wanted[index] for index in texts]


# -- random objects ---------------------------------------------------------------------------------------------------

_STATED = [
    ("protected_pull_policy", {"customKinds": _CUSTOM}),
    ("protected_pull_policy", {"allowedPolicies": ["Never"], "controlledPods": "deny"}),
    ("protected_pull_policy", {"allowedPolicies": ["IfNotPresent"], "exemptImages": ["nginx*", "h:5000/x"]}),
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
    return request(obj | head, old=None if old is None else old | head)


@pytest.fixture(scope="module", params=_STATED, ids=lambda pair: f"{pair[0]}-{'-'.join(pair[1])}")
def twins(
    request: pytest.FixtureRequest,
    opa: Path,
    admission_program: Path,
    checkout: Path,
    tmp_path_factory: pytest.TempPathFactory,
    sources: dict[str, Policy],
) -> Iterator[_Twins]:
    name, stated = request.param
    yield from _twins(opa, admission_program, checkout, tmp_path_factory.mktemp("chain"), sources[name], stated)


def _in_cel(line: str) -> str:
    """Return what Rego says as CEL says it: lists and maps, which only a custom resource can have there, have no text."""
    return re.sub(r'"(?:\[(?:"Always")?\]|\{(?:"Always":1)?\})"', '"(no text)"', line)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests=st.lists(_requests(), min_size=1, max_size=40))
def test_random_objects(twins: _Twins, requests: list[dict[str, Any]]) -> None:
    told = [_told(twins.chain.judge(one, typed=False)) for one in requests]
    assert told == [_in_cel(line) for line in twins.rego(requests)]


# -- pods and workloads that the API server takes ---------------------------------------------------------------------

_WELL_WRITTEN = st.sampled_from(
    [
        *("nginx", "nginx:latest", "nginx:1.27", "h:5000/a/b", "h:5000/a/b:v1", "q.io/a:stable-2", "q.io/a:2-STABLE"),
        *("q.io/a:Main", f"nginx@sha256:{'a' * 64}", f"q.io/a:latest@sha256:{'b' * 64}", "Nginx:latest"),
    ]
)
_POLICIES = st.sampled_from(["Always", "IfNotPresent", "Never", None])


@st.composite
def _well_formed(draw: st.DrawFn, kinds: Sequence[tuple[str, str, tuple[str, ...]]]) -> dict[str, Any]:
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


_POD_ONLY = (("v1", "Pod", ("spec",)),)
_BUILT_IN = (
    *_POD_ONLY,
    ("v1", "PodTemplate", ("template", "spec")),
    ("v1", "ReplicationController", ("spec", "template", "spec")),
    *(
        ("apps/v1", kind, ("spec", "template", "spec"))
        for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")
    ),
    ("batch/v1", "Job", ("spec", "template", "spec")),
    ("batch/v1", "CronJob", ("spec", "jobTemplate", "spec", "template", "spec")),
)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(made=st.lists(_well_formed(_BUILT_IN), min_size=1, max_size=40))
def test_random_workloads_as_the_api_server_completes_them(defaults: _Twins, made: list[dict[str, Any]]) -> None:
    requests = [request(obj) for obj in made]
    verdicts = [defaults.chain.judge(one, typed=True) for one in requests]
    completed = [
        {**one, "object": {**verdict["object"], "apiVersion": one["object"]["apiVersion"], "kind": one["kind"]["kind"]}}
        for one, verdict in zip(requests, verdicts, strict=True)
    ]
    told = [_told(verdict) for verdict in verdicts]
    assert told == defaults.rego(completed)
    # What the API server fills in makes no difference to the verdict.
    assert [bool(line) for line in told] == [bool(line) for line in defaults.rego(requests)]


def test_what_the_api_server_refuses_is_not_judged(defaults: _Twins) -> None:
    verdict = defaults.chain.judge(request(_pod([{"name": "c", "image": ["nginx"]}])), typed=True)
    assert "cannot unmarshal array into Go struct field" in verdict["refused"]


# -- mutation ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mutated(
    admission_program: Path, sources: dict[str, Policy], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[AdmissionChain]:
    """The MutatingAdmissionPolicy as the library has it, and nothing else."""
    policy = sources["protected_pull_policy"]
    config = _config(policy, {"exemptImages": ["exempt/*"]}, ProtectedNamespaces(("kube-*",), None))
    namespaces = [namespace(name) for name in ("kube-system", "elsewhere")]
    with AdmissionChain(
        admission_program, [*admission.mutating(policy, config), *namespaces], tmp_path_factory.mktemp("chain")
    ) as chain:
        yield chain


def _uses(pod: Mapping[str, Any]) -> list[tuple[str, str | None]]:
    spec = pod["spec"]
    return [
        *((one["image"], one["imagePullPolicy"]) for key in _LISTS[:3] for one in spec.get(key, ())),
        *((one["image"]["reference"], one["image"]["pullPolicy"]) for one in spec.get("volumes", ()) if "image" in one),
    ]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(pods=st.lists(_well_formed(_POD_ONLY), min_size=1, max_size=30))
def test_random_pods_are_mutated_where_rego_says_that_they_can_be(
    opa: Path, checkout: Path, defaults: _Twins, mutated: AdmissionChain, pods: list[dict[str, Any]]
) -> None:
    """Rego's remedies tell pinned images from others: one says only what to set, the other to pin first."""
    before = [defaults.chain.judge(request(pod), typed=True)["object"] for pod in pods]
    after = [mutated.judge(request(pod), typed=True)["object"] for pod in pods]
    uses = [use for pod in before for use in _uses(pod)]
    singles = [request(_pod([{"name": "c", "image": image, "imagePullPolicy": policy}])) for image, policy in uses]
    says = _rego(opa, checkout, "protected_pull_policy", {}, singles)
    wanted = [
        (image, "IfNotPresent" if line.endswith("registry; set imagePullPolicy: IfNotPresent") else policy)
        for line, (image, policy) in zip(says, uses, strict=True)
    ]
    assert [use for pod in after for use in _uses(pod)] == wanted
    assert _without_policies(after) == _without_policies(before)


def _without_policies(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: _without_policies(entry)
            for key, entry in value.items()
            if key not in {"imagePullPolicy", "pullPolicy", "kind", "apiVersion"}
        }
    return [_without_policies(entry) for entry in value] if isinstance(value, list) else value


_ALWAYS = {"name": "c", "image": "q.io/a:v1", "imagePullPolicy": "Always"}


def _pull_policy(chain: AdmissionChain, one: Mapping[str, Any]) -> str:
    verdict = chain.judge(one, typed=True)
    assert verdict["allowed"]
    return str(verdict["object"]["spec"]["containers"][0]["imagePullPolicy"])


def test_what_mutation_leaves_alone(mutated: AdmissionChain) -> None:
    pod = _pod([_ALWAYS])
    assert _pull_policy(mutated, request(pod)) == "IfNotPresent"
    assert _pull_policy(mutated, request({**pod, "metadata": {"name": "x", "namespace": "elsewhere"}})) == "Always"
    assert _pull_policy(mutated, request(pod, old=pod)) == "Always"
    assert _pull_policy(mutated, request(_pod([{**_ALWAYS, "image": "exempt/a:1"}]))) == "Always"
    mirror = {"name": "x", "namespace": "kube-system", "annotations": {"kubernetes.io/config.mirror": "1"}}
    assert _pull_policy(mutated, request({**pod, "metadata": mirror})) == "Always"
    owned = {
        "name": "x",
        "namespace": "kube-system",
        "ownerReferences": [
            {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "o", "uid": "1", "controller": True}
        ],
    }
    assert _pull_policy(mutated, request({**pod, "metadata": owned})) == "IfNotPresent"
    deployment = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "x", "namespace": "kube-system"},
        "spec": {"template": {"spec": {"containers": [_ALWAYS]}}},
    }
    template = mutated.judge(request(deployment), typed=True)["object"]["spec"]["template"]
    assert template["spec"]["containers"][0]["imagePullPolicy"] == "Always"


def test_nothing_is_mutated_where_if_not_present_is_not_allowed(sources: dict[str, Policy]) -> None:
    policy = sources["protected_pull_policy"]
    config = _config(policy, {"allowedPolicies": ["Never"]})
    assert (admission.mutating(policy, config), admission.assigns(policy, config)) == ([], [])


# -- where and how hard -----------------------------------------------------------------------------------------------

_NAMESPACES = (
    namespace("kube-system"),
    namespace("kube-public", **{_IGNORE: "x"}),
    namespace("gatekeeper-system", **{_IGNORE: "no-self-managing"}),
    namespace("elsewhere", **{_IGNORE: "x"}),
)


def _denied_in(
    program: Path, folder: Path, objects_in_force: Sequence[Mapping[str, Any]], namespaces: Sequence[Mapping[str, Any]]
) -> set[str]:
    with AdmissionChain(program, [*objects_in_force, *namespaces], folder) as chain:
        return {
            name
            for name in (one["metadata"]["name"] for one in namespaces)
            if not chain.judge(request({**_pod([_ALWAYS]), "metadata": {"name": "x", "namespace": name}}), typed=True)[
                "allowed"
            ]
        }


@pytest.mark.parametrize(
    ("scope", "denied"),
    [
        (UNSEEN, {"kube-public", "gatekeeper-system"}),
        (ALL, {"kube-system", "kube-public", "gatekeeper-system"}),
    ],
)
def test_the_namespaces_that_the_webhook_leaves_out_or_all(
    admission_program: Path, sources: dict[str, Policy], tmp_path: Path, scope: str, denied: set[str]
) -> None:
    protected = ProtectedNamespaces(("kube-*", "gatekeeper-system"), None)
    policy = sources["protected_pull_policy"]
    policies_in_force = admission.validating(policy, _config(policy, {}, protected, scope))
    assert _denied_in(admission_program, tmp_path, policies_in_force, _NAMESPACES) == denied


_LABELLED = (
    namespace("plain"),
    namespace("tier-a", tier="a"),
    namespace("tier-b", tier="b"),
    namespace("a-system", tier="b", other="x"),
)


@pytest.mark.parametrize(
    ("names", "selector", "protected"),
    [
        (("plain",), None, {"plain"}),
        (("tier-*",), None, {"tier-a", "tier-b"}),
        (("*-system", "*lai*"), None, {"a-system", "plain"}),
        (("*",), None, {"plain", "tier-a", "tier-b", "a-system"}),
        ((), {"matchLabels": {"tier": "a"}}, {"tier-a"}),
        ((), {"matchLabels": {"tier": "b", "other": "x"}}, {"a-system"}),
        (
            (),
            {"matchExpressions": [{"key": "tier", "operator": "In", "values": ["a", "b"]}]},
            {"tier-a", "tier-b", "a-system"},
        ),
        (
            (),
            {"matchExpressions": [{"key": "tier", "operator": "NotIn", "values": ["a"]}]},
            {"plain", "tier-b", "a-system"},
        ),
        ((), {"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, {"tier-a", "tier-b", "a-system"}),
        ((), {"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, {"plain"}),
        (("plain",), {"matchLabels": {"tier": "a"}}, {"plain", "tier-a"}),
    ],
)
def test_protected_by_name_glob_or_label(
    admission_program: Path,
    sources: dict[str, Policy],
    tmp_path: Path,
    names: tuple[str, ...],
    selector: dict[str, Any] | None,
    protected: set[str],
) -> None:
    policy = sources["protected_pull_policy"]
    config = _config(policy, {}, ProtectedNamespaces(names, selector))
    assert _denied_in(admission_program, tmp_path, admission.validating(policy, config), _LABELLED) == protected


_SAYS = (
    'container "c" image "q.io/a:v1": imagePullPolicy is Always: cannot start without its registry; '
    "set imagePullPolicy: IfNotPresent"
)


@pytest.mark.parametrize("level", ["audit", "warn", "deny"])
def test_levels(admission_program: Path, sources: dict[str, Policy], tmp_path: Path, level: str) -> None:
    policy = sources["protected_pull_policy"]
    objects_in_force = admission.validating(policy, _config(policy, {}, level=level))
    with AdmissionChain(admission_program, [*objects_in_force, namespace("kube-system")], tmp_path) as chain:
        verdict = chain.judge(request(_pod([_ALWAYS])), typed=False)
    assert verdict["allowed"] is (level != "deny")
    assert _told(verdict) == (_SAYS if level == "deny" else "")
    binding = (
        "Validation failed for ValidatingAdmissionPolicy 'protected-pull-policy' with binding 'protected-pull-policy'"
    )
    assert verdict.get("warnings", []) == ([f"{binding}: {_SAYS}"] if level == "warn" else [])
    assert [json.loads(one["value"])[0]["message"] for one in verdict.get("audit", [])] == (
        [] if level == "deny" else [_SAYS]
    )


def test_edits_by_way_of_the_subresource_for_debugging(
    admission_program: Path, sources: dict[str, Policy], tmp_path: Path
) -> None:
    policy = sources["protected_pull_policy"]
    old = _pod([_ALWAYS])
    debugger = {"name": "d", "image": "busybox", "imagePullPolicy": "Always"}
    debugged = request(_pod([_ALWAYS], ephemeralContainers=[debugger]), old=old)
    with AdmissionChain(
        admission_program, [*admission.validating(policy, _config(policy, {})), namespace("kube-system")], tmp_path
    ) as chain:
        told = _told(chain.judge({**debugged, "subResource": "ephemeralcontainers"}, typed=True))
        status = chain.judge({**debugged, "subResource": "status"}, typed=True)
    assert told.startswith('ephemeral container "d" image "busybox": imagePullPolicy is Always')
    assert status["allowed"]


# -- limits -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "budget"), [(500, ""), (20000, "exceeded")])
def test_beyond_the_cost_budget_the_answer_is_deny(defaults: _Twins, count: int, budget: str) -> None:
    """docs/admission.md says how many containers there can be."""
    pod = _pod([{"name": f"c{index}", "image": "q.io/a:v1", "imagePullPolicy": "Never"} for index in range(count)])
    verdict = defaults.chain.judge(request(pod), typed=False)
    assert verdict["allowed"] is (budget == "")
    assert budget in verdict.get("message", "")


def test_what_the_api_server_does_not_accept_is_refused_here(
    admission_program: Path, sources: dict[str, Policy], tmp_path: Path
) -> None:
    policy = sources["protected_pull_policy"]
    broken = json.loads(json.dumps(admission.validating(policy, _config(policy, {}))))
    broken[0]["spec"]["validations"][0]["expression"] = "variables.violations.all(group, size(group) = 0)"
    with (
        AdmissionChain(admission_program, broken, tmp_path) as chain,
        pytest.raises(ValueError, match=r"spec\.validations\[0\]\.expression.*Syntax error"),
    ):
        chain.judge(request(_pod([_ALWAYS])), typed=False)


def test_the_library_is_what_the_api_server_accepts(admission_program: Path, checkout: Path, tmp_path: Path) -> None:
    objects_in_library = [
        obj
        for folder in ("admission/policies", "mutation/kubernetes")
        for path in sorted((checkout / "library" / folder).glob("*/objects.yaml"))
        for obj in yaml.safe_load_all(path.read_text("utf-8"))
    ]
    kinds = [obj["kind"].removesuffix("Binding") for obj in objects_in_library]
    assert (kinds.count("ValidatingAdmissionPolicy"), kinds.count("MutatingAdmissionPolicy")) == (6, 2)
    with AdmissionChain(admission_program, [*objects_in_library, *_NAMESPACES], tmp_path) as chain:
        own = request({**_pod([_ALWAYS]), "metadata": {"name": "x", "namespace": "gatekeeper-system"}})
        verdict = chain.judge(own, typed=True)
    assert verdict["object"]["spec"]["containers"][0]["imagePullPolicy"] == "IfNotPresent"
