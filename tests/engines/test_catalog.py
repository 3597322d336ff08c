"""The catalog through the real gator: searched, installed, upgraded, uninstalled."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from policy_tree import CLUSTER, CLUSTER_REGO, REGO
from pullguard import __version__
from pullguard.gatekeeper import dig
from stand_in_cluster import StandInCluster

STATED = "protectedNamespaces: {names: [kube-*], selector: {matchLabels: {protected: 'true'}}}\n"

Run = Callable[..., subprocess.CompletedProcess[str]]
Make = Callable[..., Path]
Policy = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[StandInCluster]:
    """Return a stand-in for a cluster, that tmp_path/kubeconfig names."""
    server = StandInCluster()
    server.write_kubeconfig(tmp_path / "kubeconfig")
    yield server
    server.stop()


@pytest.fixture
def policy(gator: Path, run: Run, tmp_path: Path) -> Policy:
    """Return a function that runs `gator policy` on the catalog in tmp_path/library."""

    def run_policy(*arguments: str) -> subprocess.CompletedProcess[str]:
        env = {
            **os.environ,
            "GATOR_HOME": str(tmp_path / "gator"),
            "GATOR_CATALOG_URL": f"file://{tmp_path}/library/catalog.yaml",
            "KUBECONFIG": str(tmp_path / "kubeconfig"),
        }
        return run(gator, "policy", *arguments, env=env)

    return run_policy


def answer(done: subprocess.CompletedProcess[str]) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def shown(cluster: StandInCluster) -> dict[str, Any]:
    """Return what a cluster holds: versions of templates, actions of constraints."""
    return {
        **{
            name: obj["metadata"]["annotations"]["gatekeeper.sh/policy-version"]
            for name, obj in cluster.templates().items()
        },
        **{name: obj["spec"]["enforcementAction"] for name, obj in cluster.constraints().items()},
    }


def test_gator_finds_the_policies(make: Make, policy: Policy) -> None:
    make(STATED, CLUSTER)
    assert policy("update").stdout == f"Updated catalog to version v{__version__} (2 policies, 3 bundles)\n"
    host = {
        "name": "k8sknownhost",
        "version": "v0.3.0",
        "category": "availability",
        "description": "Known host. gator does not install the SyncSet that it needs: policies/known_host/syncset.yaml",
    }
    label = {
        "name": "k8srequiredlabel",
        "version": "v1.2.0",
        "category": "availability",
        "description": "Required label",
    }
    for search, expected in {
        ("k8s",): [host, label],
        ("label",): [label],
        ("k8s", "--bundle", "deny"): [host, label],
        ("k8s", "--category", "availability"): [host, label],
    }.items():
        assert answer(policy("search", *search, "-o", "json"))["results"] == expected


@pytest.mark.parametrize("bundle", ["audit", "warn", "deny"])
def test_a_bundle_can_be_rehearsed_without_a_cluster(make: Make, policy: Policy, bundle: str) -> None:
    make(STATED, CLUSTER)
    policy("update")
    assert answer(policy("install", "--bundle", bundle, "--dry-run", "-o", "json"))["result"] == {
        "installed": [
            {"name": "k8sknownhost", "version": "v0.3.0"},
            {"name": "k8srequiredlabel", "version": "v1.2.0"},
        ],
        "templatesInstalled": 2,
        "constraintsInstalled": 2,
        "dryRun": True,
    }


@pytest.mark.parametrize(
    ("bundle", "constraints"),
    [
        ("audit", {"known-host-audit": "dryrun", "required-label-audit": "dryrun"}),
        ("warn", {"known-host-warn": "warn", "required-label-warn": "warn"}),
        ("deny", {"known-host-warn": "warn", "required-label-deny": "deny"}),
    ],
)
def test_a_bundle_is_installed_again_and_again_and_uninstalled(
    make: Make, policy: Policy, cluster: StandInCluster, bundle: str, constraints: dict[str, str]
) -> None:
    out = make(STATED, CLUSTER)
    policy("update")
    for _ in range(2):
        assert policy("install", "--bundle", bundle).returncode == 0
        assert shown(cluster) == {"k8sknownhost": "v0.3.0", "k8srequiredlabel": "v1.2.0", **constraints}
    template = yaml.safe_load((out / "templates/required_label.yaml").read_text("utf-8"))
    assert cluster.templates()["k8srequiredlabel"]["spec"] == template["spec"]
    name = f"required-label-{bundle}"
    stated = yaml.safe_load((out / f"catalog/{bundle}/required_label.yaml").read_text("utf-8"))
    assert cluster.constraints()[name]["spec"] == stated["spec"]
    assert {dig(obj, "metadata", "labels", "gatekeeper.sh/bundle") for obj in cluster.constraints().values()} == {
        bundle
    }

    assert policy("uninstall", "k8sknownhost", "k8srequiredlabel").returncode == 0
    assert shown(cluster) == {}


def test_an_upgrade_takes_what_has_a_new_version(make: Make, policy: Policy, cluster: StandInCluster) -> None:
    make(STATED, CLUSTER)
    policy("update")
    policy("install", "--bundle", "warn")
    newer = REGO.replace("version: 1.2.0", "version: 1.3.0")
    make(
        STATED.replace("kube-*", "infra-*"),
        CLUSTER,
        {
            "policies/required_label/required_label.rego": newer,
            "policies/known_host/known_host.rego": CLUSTER_REGO.replace("is not protected", "is unknown"),
        },
    )
    policy("update")
    assert answer(policy("upgrade", "--all", "-o", "json"))["result"] == {
        "upgraded": [{"name": "k8srequiredlabel", "fromVersion": "v1.2.0", "toVersion": "v1.3.0"}],
        "alreadyCurrent": ["k8sknownhost"],
        "dryRun": False,
    }
    assert cluster.templates()["k8srequiredlabel"]["spec"]["targets"][0]["code"][0]["source"]["rego"] == newer
    # Without a new version nothing of a policy changes but by `install`, which takes what is configured.
    constraints = cluster.constraints()
    assert constraints["required-label-warn"]["spec"]["match"]["namespaces"] == ["infra-*"]
    assert constraints["known-host-warn"]["spec"]["parameters"]["hosts"]["names"] == ["kube-*"]
    policy("install", "--bundle", "warn")
    assert cluster.constraints()["known-host-warn"]["spec"]["parameters"]["hosts"]["names"] == ["infra-*"]


def test_another_level_is_another_constraint_after_an_uninstall(
    make: Make, policy: Policy, cluster: StandInCluster
) -> None:
    make(STATED)
    policy("update")
    policy("install", "--bundle", "audit")
    policy("install", "--bundle", "deny")
    assert shown(cluster) == {
        "k8srequiredlabel": "v1.2.0",
        "required-label-audit": "dryrun",
        "required-label-deny": "deny",
    }
    # What `gator policy upgrade` goes by, and does not change as long as the version is the same.
    assert cluster.templates()["k8srequiredlabel"]["metadata"]["labels"]["gatekeeper.sh/bundle"] == "audit"
    policy("uninstall", "k8srequiredlabel")
    policy("install", "--bundle", "deny")
    assert shown(cluster) == {"k8srequiredlabel": "v1.2.0", "required-label-deny": "deny"}
    assert cluster.templates()["k8srequiredlabel"]["metadata"]["labels"]["gatekeeper.sh/bundle"] == "deny"


def test_what_kubectl_applied_is_taken_over_once_it_says_so(
    make: Make, policy: Policy, cluster: StandInCluster
) -> None:
    out = make(STATED)
    template = yaml.safe_load((out / "templates/required_label.yaml").read_text("utf-8"))
    cluster.answer("POST", "/apis/templates.gatekeeper.sh/v1/constrainttemplates", template)
    policy("update")
    refused = policy("install", "--bundle", "audit")
    assert refused.returncode == 3
    assert "ConstraintTemplate 'k8srequiredlabel' already exists but is not managed by gator" in refused.stderr

    metadata = cluster.templates()["k8srequiredlabel"]["metadata"]
    metadata["labels"] = {"gatekeeper.sh/managed-by": "gator"}
    metadata["annotations"]["gatekeeper.sh/policy-source"] = "pullguard"
    assert policy("install", "--bundle", "audit").returncode == 0
    assert shown(cluster) == {"k8srequiredlabel": "v1.2.0", "required-label-audit": "dryrun"}


def test_gator_refuses_the_uninstall_of_what_kubectl_applied(
    make: Make, policy: Policy, cluster: StandInCluster
) -> None:
    out = make(STATED)
    template = yaml.safe_load((out / "templates/required_label.yaml").read_text("utf-8"))
    cluster.answer("POST", "/apis/templates.gatekeeper.sh/v1/constrainttemplates", template)
    policy("update")
    assert policy("uninstall", "k8srequiredlabel").returncode != 0
    assert list(cluster.templates()) == ["k8srequiredlabel"]
