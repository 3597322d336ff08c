"""The catalog of a small library with the real gator: install, upgrade, adopt, uninstall."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from gator_policy import GatorPolicy
from installed_library import constraints, templates, wait_until_enforced
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until
from policy_tree import CLUSTER, CLUSTER_REGO, REGO
from pullguard.core.gatekeeper import dig

_CONFIGURATION = "protectedNamespaces: {names: [kube-*], selector: {matchLabels: {protected: 'true'}}}\n"

Make = Callable[..., Path]


@pytest.fixture
def policy(cluster: Cluster, gator: Path, tmp_path: Path) -> Iterator[GatorPolicy]:
    """Yield `gator policy` with the catalog in tmp_path/library. The cluster has no templates before and after."""
    assert templates(cluster) == []
    yield GatorPolicy(gator, tmp_path, tmp_path / "library" / "catalog.yaml", cluster.kubectl.kubeconfig)
    cluster.kubectl("delete", "constrainttemplates", "--all")
    wait_until(lambda: _constraints(cluster) == {}, timeout=60, what="the constraints to go")


def _templates(cluster: Cluster) -> dict[str, Any]:
    return {obj["metadata"]["name"]: obj for obj in templates(cluster)}


def _constraints(cluster: Cluster) -> dict[str, Any]:
    return {obj["metadata"]["name"]: obj for obj in constraints(cluster)}


def _shown(cluster: Cluster) -> dict[str, Any]:
    """Return the versions of the templates and the actions of the constraints in a cluster, by name."""
    version = "gatekeeper.sh/policy-version"
    return {
        **{name: obj["metadata"]["annotations"][version] for name, obj in _templates(cluster).items()},
        **{name: obj["spec"]["enforcementAction"] for name, obj in _constraints(cluster).items()},
    }


def _apply_template(cluster: Cluster, library: Path) -> None:
    cluster.kubectl("apply", "-f", library / "templates/required_label.yaml")
    wait_until_enforced(cluster)


@pytest.mark.parametrize(
    ("bundle", "actions"),
    [
        ("audit", {"known-host-audit": "dryrun", "required-label-audit": "dryrun"}),
        ("deny", {"known-host-warn": "warn", "required-label-deny": "deny"}),
    ],
)
def test_a_bundle_is_installed_again_and_again_and_uninstalled(
    make: Make, policy: GatorPolicy, cluster: Cluster, bundle: str, actions: dict[str, str]
) -> None:
    library = make(_CONFIGURATION, CLUSTER)
    policy("update")
    for _ in range(2):
        policy("install", "--bundle", bundle)
        assert _shown(cluster) == {"k8sknownhost": "v0.3.0", "k8srequiredlabel": "v1.2.0", **actions}
        wait_until_enforced(cluster)
    template = yaml.safe_load((library / "templates/required_label.yaml").read_text("utf-8"))
    assert _templates(cluster)["k8srequiredlabel"]["spec"]["targets"] == template["spec"]["targets"]
    stated = yaml.safe_load((library / f"catalog/{bundle}/required_label.yaml").read_text("utf-8"))
    live = _constraints(cluster)
    assert live[f"required-label-{bundle}"]["spec"] == stated["spec"]
    assert {dig(obj, "metadata", "labels", "gatekeeper.sh/bundle") for obj in live.values()} == {bundle}

    policy("uninstall", "k8sknownhost", "k8srequiredlabel")
    wait_until(lambda: _shown(cluster) == {}, timeout=60, what="all to be gone")


def test_an_upgrade_applies_new_versions_only(make: Make, policy: GatorPolicy, cluster: Cluster) -> None:
    make(_CONFIGURATION, CLUSTER)
    policy("update")
    policy("install", "--bundle", "warn")
    newer = REGO.replace("version: 1.2.0", "version: 1.3.0")
    make(
        _CONFIGURATION.replace("kube-*", "infra-*"),
        CLUSTER,
        {
            "policies/required_label/required_label.rego": newer,
            "policies/known_host/known_host.rego": CLUSTER_REGO.replace("is not protected", "is unknown"),
        },
    )
    policy("update")
    policy("upgrade", "--all")
    assert _shown(cluster) == {
        "k8sknownhost": "v0.3.0",
        "k8srequiredlabel": "v1.3.0",
        "known-host-warn": "warn",
        "required-label-warn": "warn",
    }
    wait_until_enforced(cluster)
    assert _templates(cluster)["k8srequiredlabel"]["spec"]["targets"][0]["code"][0]["source"]["rego"] == newer
    # `upgrade` skips a policy whose version is the same; only `install` applies a changed configuration.
    assert _constraints(cluster)["known-host-warn"]["spec"]["parameters"]["hosts"]["names"] == ["kube-*"]
    # If an upgrade stops after the template, a second one skips the constraint; `install` applies it.
    policy("install", "--bundle", "warn")
    live = _constraints(cluster)
    assert live["required-label-warn"]["spec"]["match"]["namespaces"] == ["infra-*"]
    assert live["known-host-warn"]["spec"]["parameters"]["hosts"]["names"] == ["infra-*"]


def test_a_change_of_the_level_needs_an_uninstall(make: Make, policy: GatorPolicy, cluster: Cluster) -> None:
    make(_CONFIGURATION)
    policy("update")
    policy("install", "--bundle", "audit")
    policy("install", "--bundle", "deny")
    assert _shown(cluster) == {
        "k8srequiredlabel": "v1.2.0",
        "required-label-audit": "dryrun",
        "required-label-deny": "deny",
    }
    # The bundle that `gator policy upgrade` uses. It does not change while the version stays the same.
    assert _templates(cluster)["k8srequiredlabel"]["metadata"]["labels"]["gatekeeper.sh/bundle"] == "audit"
    policy("uninstall", "k8srequiredlabel")
    wait_until(lambda: _shown(cluster) == {}, timeout=60, what="all to be gone")
    policy("install", "--bundle", "deny")
    assert _shown(cluster) == {"k8srequiredlabel": "v1.2.0", "required-label-deny": "deny"}
    assert _templates(cluster)["k8srequiredlabel"]["metadata"]["labels"]["gatekeeper.sh/bundle"] == "deny"


def test_gator_adopts_templates_of_kubectl_once_they_are_labelled(
    make: Make, policy: GatorPolicy, cluster: Cluster
) -> None:
    _apply_template(cluster, make(_CONFIGURATION))
    policy("update")
    refused = policy.run("install", "--bundle", "audit")
    assert refused.returncode == 3
    assert "ConstraintTemplate 'k8srequiredlabel' already exists but is not managed by gator" in refused.stderr
    assert policy.run("uninstall", "k8srequiredlabel").returncode != 0
    assert list(_templates(cluster)) == ["k8srequiredlabel"]

    # The commands of docs/operate.md, for one template.
    cluster.kubectl("label", "constrainttemplate", "k8srequiredlabel", "gatekeeper.sh/managed-by=gator")
    cluster.kubectl("annotate", "constrainttemplate", "k8srequiredlabel", "gatekeeper.sh/policy-source=pullguard")
    policy("install", "--bundle", "audit")
    assert _shown(cluster) == {"k8srequiredlabel": "v1.2.0", "required-label-audit": "dryrun"}
