"""The catalog through the real gator, as far as it asks no cluster; tests/cluster has the rest."""

from collections.abc import Callable
from pathlib import Path

import pytest

from gator_policy import GatorPolicy
from policy_tree import CLUSTER
from pullguard import __version__

STATED = "protectedNamespaces: {names: [kube-*], selector: {matchLabels: {protected: 'true'}}}\n"

Make = Callable[..., Path]


@pytest.fixture
def policy(gator: Path, tmp_path: Path) -> GatorPolicy:
    """Return `gator policy` with the catalog in tmp_path/library, and no cluster."""
    return GatorPolicy(gator, tmp_path, tmp_path / "library" / "catalog.yaml", tmp_path / "no-kubeconfig")


def test_gator_finds_the_policies(make: Make, policy: GatorPolicy) -> None:
    make(STATED, CLUSTER)
    assert policy.run("update").stdout == f"Updated catalog to version v{__version__} (2 policies, 3 bundles)\n"
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
        assert policy("search", *search)["results"] == expected


@pytest.mark.parametrize("bundle", ["audit", "warn", "deny"])
def test_a_bundle_can_be_rehearsed_without_a_cluster(make: Make, policy: GatorPolicy, bundle: str) -> None:
    make(STATED, CLUSTER)
    policy("update")
    assert policy("install", "--bundle", bundle, "--dry-run")["result"] == {
        "installed": [
            {"name": "k8sknownhost", "version": "v0.3.0"},
            {"name": "k8srequiredlabel", "version": "v1.2.0"},
        ],
        "templatesInstalled": 2,
        "constraintsInstalled": 2,
        "dryRun": True,
    }
