"""The chart of the library, rendered by Helm 3 and 4: the objects that the generator makes of a configuration."""

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pullguard.library import config, policies
from pullguard.library.policies import Policy
from pullguard.library.render import render
from pullguard.library.render.objects import constraints
from shared_engine import ENGINE

CHECKOUT = Path(__file__).parents[2]
CHART = CHECKOUT / "library" / "chart"
BIN = CHECKOUT / ".tools" / "bin"
SOURCES = policies.read(CHECKOUT / "rego", ENGINE)
POLICIES = SOURCES.policies


def helm(program: str, *arguments: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
    path = BIN / program
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: run `make {path.relative_to(CHECKOUT)}`")
    done = subprocess.run([path, *arguments], capture_output=True, text=True, timeout=60, check=False)
    assert not check or done.returncode == 0, done.stderr
    return done


def rendered(program: str, values: Path | None = None, *options: str) -> list[Any]:
    stated = [] if values is None else [f"--values={values}"]
    text = helm(program, "template", "library", CHART, *stated, *options).stdout
    return [found for found in yaml.load_all(text, Loader=yaml.CSafeLoader) if found]


def by_name(objects: list[Any]) -> dict[tuple[str, str], Any]:
    found = {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}
    assert len(found) == len(objects)
    return found


@pytest.fixture(params=["helm", "helm4"])
def program(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_it_has_no_lint(program: str) -> None:
    said = helm(program, "lint", "--strict", CHART).stdout
    assert [line for line in said.splitlines() if line.startswith("[")] == ["[INFO] Chart.yaml: icon is recommended"]


def test_what_it_renders_by_default_is_what_kustomize_builds(program: str) -> None:
    built = subprocess.run(
        [BIN / "kustomize", "build", CHECKOUT / "library" / "audit"], capture_output=True, timeout=60, check=True
    )
    assert by_name(rendered(program)) == by_name(list(yaml.load_all(built.stdout, Loader=yaml.CSafeLoader)))


def test_templates_go_through_helm_byte_for_byte(program: str) -> None:
    text = helm(program, "template", "library", CHART).stdout
    for policy in POLICIES:
        template = (CHECKOUT / "library" / "templates" / f"{policy.name}.yaml").read_text("utf-8")
        assert f"---\n# Source: pullguard-library/templates/objects.yaml\n{template}" in text


def test_readers_of_yaml_see_nothing_in_its_templates() -> None:
    assert [path.name for path in (CHART / "templates").glob("*.yaml")] == ["objects.yaml"]
    assert list(yaml.safe_load_all((CHART / "templates" / "objects.yaml").read_text("utf-8"))) == []


# -- values are written as pullguard.yaml ----------------------------------------------------------------------------

NAMES = st.lists(st.sampled_from(["kube-system", "kube-*", "*-operators", "*"]), min_size=1, max_size=3, unique=True)
SELECTOR = st.sampled_from(
    [
        {"matchLabels": {"example.com/protected": "true", "a": ""}},
        {
            "matchExpressions": [
                {"key": "b", "operator": "In", "values": ["1", "on"]},
                {"key": "c", "operator": "Exists"},
            ]
        },
    ]
)
PATTERNS = st.lists(
    st.sampled_from(["a/*", "registry.k8s.io/pause:3.10", "{{ .Values }}", "on", "x: y # z", "ü\"'"]),
    max_size=3,
    unique=True,
)
PLACES = st.sampled_from([["spec.template.spec"], ["spec.jobs[].spec", "spec.*.pod"]])
KIND = st.one_of(
    # Nothing is to be said of a kind that is not known without saying where.
    st.fixed_dictionaries(
        {
            "group": st.sampled_from(["argoproj.io", "example.com", "apps"]),
            "kind": st.sampled_from(["Widget", "Gadget", "Deployment"]),
            "paths": PLACES,
        }
    ),
    st.sampled_from([("argoproj.io", "Rollout"), ("batch.volcano.sh", "Job")]).flatmap(
        lambda known: st.fixed_dictionaries(
            {"group": st.just(known[0]), "kind": st.just(known[1])}, optional={"paths": st.one_of(st.just([]), PLACES)}
        )
    ),
)
PODS = {
    "exemptImages": PATTERNS,
    "customKinds": st.lists(KIND, max_size=4, unique_by=lambda kind: (kind["group"], kind["kind"])),
    "controlledPods": st.sampled_from(["audit", "trusted", "deny"]),
    "trustedUsers": st.lists(st.sampled_from(["system:serviceaccount:a:b", "x:*"]), max_size=2, unique=True),
}
OWN: dict[str, dict[str, Any]] = {
    "protected_image_cache": {
        **PODS,
        "minNodes": st.sampled_from([1, 3, 1_000_000, "50%"]),
        "maxImages": st.sampled_from([-1, 50, 10_000_000]),
    },
    "protected_image_pinning": {
        **PODS,
        "require": st.sampled_from(["tag", "digest"]),
        "floatingTags": st.just(["a", "1.0"]),
    },
    "protected_pull_policy": {**PODS, "allowedPolicies": st.just(["Never"]), "impliedPolicy": st.just("deny")},
    "protected_webhook_host": {},
    "webhook_blocks_recovery": {},
}


def _of_policy(policy: Policy) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(
        {},
        optional={
            "enabled": st.booleans(),
            "enforcement": st.sampled_from(policy.levels),
            "parameters": st.fixed_dictionaries({}, optional=OWN[policy.name]),
        },
    )


CONFIGURATIONS = st.fixed_dictionaries(
    {
        "protectedNamespaces": st.one_of(
            st.fixed_dictionaries({"names": NAMES}, optional={"selector": SELECTOR}),
            st.fixed_dictionaries({"selector": SELECTOR}),
        )
    },
    optional={
        "enforcement": st.sampled_from(["audit", "warn", "deny"]),
        "policies": st.fixed_dictionaries({}, optional={policy.name: _of_policy(policy) for policy in POLICIES}),
    },
)


@pytest.mark.parametrize("program", ["helm", "helm4"])
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(CONFIGURATIONS)
@example({"protectedNamespaces": {"names": ["kube-system"]}})
def test_any_configuration_renders_what_is_generated_of_it(
    program: str, tmp_path: Path, stated: dict[str, Any]
) -> None:
    parsed = config.parse(ENGINE, json.dumps(stated), "pullguard.yaml", POLICIES)
    # A list of values takes the place of the chart's own; what is not stated has to be taken away.
    namespaces = {"names": None, **stated["protectedNamespaces"]}
    values = tmp_path / "values.json"
    values.write_text(json.dumps({**stated, "protectedNamespaces": namespaces}), "utf-8")
    expected = [
        constraint
        for policy in POLICIES
        if parsed.policies[policy.name].enabled
        for constraint in constraints(policy, parsed)
    ]
    found = [obj for obj in rendered(program, values) if obj["apiVersion"] == "constraints.gatekeeper.sh/v1beta1"]
    assert by_name(found) == by_name(expected)


def test_constraints_can_be_left_to_the_next_upgrade_or_left_out(program: str) -> None:
    gatekeeper = "--api-versions=templates.gatekeeper.sh/v1/ConstraintTemplate"
    one = "--api-versions=constraints.gatekeeper.sh/v1beta1/K8sProtectedPullPolicy"

    def kinds(*options: str) -> list[str]:
        return sorted(obj["kind"] for obj in rendered(program, None, *options) if obj["kind"].startswith("K8s"))

    every = sorted(policy.kind for policy in POLICIES)
    assert kinds() == every
    assert kinds(gatekeeper) == []
    assert kinds(gatekeeper, one) == ["K8sProtectedPullPolicy"]
    assert kinds(gatekeeper, "--set=constraints=always") == every
    assert kinds("--set=constraints=never") == []


def test_a_former_name_of_a_policy_counts(program: str, tmp_path: Path) -> None:
    """Otherwise the values of before an upgrade would be accepted, and do nothing."""
    renamed = tuple(
        replace(policy, aliases=("pull_policy",)) if policy.name == "protected_pull_policy" else policy
        for policy in POLICIES
    )
    stated = (CHECKOUT / "pullguard.yaml").read_text("utf-8")
    parsed = config.parse(ENGINE, stated, "pullguard.yaml", renamed)
    for path, text in render(replace(SOURCES, policies=renamed), parsed).items():
        if path.startswith("chart/"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text, "utf-8")

    def kinds(values: str) -> dict[str, str]:
        text = helm(program, "template", "library", tmp_path / "chart", f"--set-json=policies={values}").stdout
        objects = [obj for obj in yaml.load_all(text, Loader=yaml.CSafeLoader) if obj and obj["kind"].startswith("K8s")]
        return {obj["kind"]: obj["spec"]["enforcementAction"] for obj in objects}

    assert kinds('{"pull_policy": {"enforcement": "deny"}}')["K8sProtectedPullPolicy"] == "deny"
    assert "K8sProtectedPullPolicy" not in kinds('{"pull_policy": {"enabled": false}}')


def test_it_can_be_a_part_of_another_chart_on_a_condition(program: str, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(CHART, whole / "charts" / "pullguard-library")
    (whole / "Chart.yaml").write_text(
        "{apiVersion: v2, name: whole, version: 1.0.0, dependencies: "
        "[{name: pullguard-library, version: '*', condition: pullguard-library.enabled}]}\n"
    )
    for enabled, kinds in (("true", {"ConstraintTemplate"}), ("false", set())):
        said = helm(program, "template", "x", whole, f"--set=pullguard-library.enabled={enabled}").stdout
        found = {obj["kind"] for obj in yaml.load_all(said, Loader=yaml.CSafeLoader) if obj}
        assert found & {"ConstraintTemplate"} == kinds


def test_constraints_can_have_annotations(program: str, tmp_path: Path) -> None:
    values = tmp_path / "values.yaml"
    values.write_text('constraintAnnotations: {argocd.argoproj.io/sync-wave: "1"}\n', "utf-8")
    for obj in rendered(program, values):
        if obj["kind"].startswith("K8s"):
            assert obj["metadata"]["annotations"] == {"argocd.argoproj.io/sync-wave": "1"}


BAD = {
    "protectedNamespaces.names={Kube}": "at '/protectedNamespaces/names/0'",
    "protectedNamespaces.names={a*b}": "at '/protectedNamespaces/names/0'",
    "protectedNamespaces=null": "",
    "protectedNamespaces.names=null": "at '/protectedNamespaces'",
    "protectedNamespaces.selector.matchLabels.a b=c": "invalid propertyName 'a b'",
    "protectedNamespaces.selector.labels.a=c": "at '/protectedNamespaces/selector'",
    "enforcement=dryrun": "at '/enforcement': value must be one of 'audit', 'warn', 'deny'",
    "constraints=yes": "at '/constraints': value must be one of 'auto', 'always', 'never'",
    "policies.protected_webhook_host.enforcement=deny": (
        "at '/policies/protected_webhook_host/enforcement': value must be one of 'audit', 'warn'"
    ),
    "policies.protected_pull_policy.enabled=perhaps": (
        "at '/policies/protected_pull_policy/enabled': got string, want boolean"
    ),
    "policies.protected_pull_policy.parameters.allowedPolicies={Sometimes}": (
        "at '/policies/protected_pull_policy/parameters/allowedPolicies/0': value must be one of"
    ),
    "policies.protected_pull_policy.parameters.exemptImages={a*b}": (
        "at '/policies/protected_pull_policy/parameters/exemptImages/0'"
    ),
    "policies.protected_pull_policy.parameters.exemptImage={a}": "additional properties 'exemptImage' not allowed",
    "policies.pull_policy.enabled=false": "additional properties 'pull_policy' not allowed",
    "namespaces={a}": "additional properties 'namespaces' not allowed",
}


@pytest.mark.parametrize(("stated", "message"), BAD.items(), ids=BAD)
def test_values_that_cannot_be_right_are_refused(program: str, stated: str, message: str) -> None:
    done = helm(program, "template", "library", CHART, f"--set={stated}", check=False)
    assert done.returncode == 1
    assert (
        "values don't meet the specifications of the schema(s) in the following chart(s):\npullguard-library:"
        in done.stderr
    )
    assert message in done.stderr
