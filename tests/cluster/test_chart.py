"""The chart of the library in a cluster with Gatekeeper, by Helm 3 and Helm 4: installed, upgraded and removed."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installed_library import constraints, templates, uninstall, wait_until_enforced
from local_cluster.fixtures import Cluster
from local_cluster.servers import wait_until

_RELEASE = "library"
_NAMESPACE = "policies"
_KINDS = 5
_POD: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "always"},
    "spec": {"containers": [{"name": "a", "image": f"example.org/a@sha256:{'a' * 64}", "imagePullPolicy": "Always"}]},
}
_MESSAGE = "imagePullPolicy is Always: cannot start without its registry"


@dataclass(frozen=True)
class Helm:
    """A Helm with one chart and one cluster.

    Attributes:
        program: Helm 3 or Helm 4.
        chart: The chart's folder.
        cluster: The cluster.
    """

    program: Path
    chart: Path
    cluster: Cluster

    def __call__(self, *arguments: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run it as an administrator of the cluster."""
        kubeconfig = self.cluster.kubectl.kubeconfig
        done = subprocess.run(
            [self.program, *arguments, f"--namespace={_NAMESPACE}"],
            env={"KUBECONFIG": str(kubeconfig), "HOME": str(kubeconfig.parent)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert not check or done.returncode == 0, done.stderr
        return done

    def upgrade(self, *options: str) -> str:
        """Install or upgrade the chart, and return what Helm says."""
        return self("upgrade", "--install", "--create-namespace", _RELEASE, self.chart, *options).stdout


@pytest.fixture(params=["helm", "helm4"])
def helm(request: pytest.FixtureRequest, cluster: Cluster, checkout: Path) -> Iterator[Helm]:
    program = checkout / ".tools" / "bin" / request.param
    if not os.access(program, os.X_OK):
        pytest.fail(f"{program} is missing: run `make {program.relative_to(checkout)}`")
    found = Helm(program, checkout / "library" / "chart", cluster)
    yield found
    found("uninstall", _RELEASE, "--ignore-not-found")
    uninstall(cluster, checkout / "library")


def _actions(cluster: Cluster) -> dict[str, str]:
    return {found["metadata"]["name"]: found["spec"]["enforcementAction"] for found in constraints(cluster)}


def _create(cluster: Cluster, namespace: str) -> str:
    """Return why a pod with the pull policy Always is refused in a namespace; "" if it is not."""
    answer = cluster.client.request("POST", f"/api/v1/namespaces/{namespace}/pods?dryRun=All", _POD)
    return answer.message


def _run_documented(helm: Helm, text: str) -> None:
    """Run the commands that the chart's notes show."""
    commands = [shlex.split(line) for line in re.findall(r"^    (\S.*)$", text, re.MULTILINE)]
    assert [command[:2] for command in commands] == [["kubectl", "wait"], ["helm", "upgrade"]]
    helm.cluster.kubectl(*commands[0][1:])
    helm(*[str(helm.chart) if word == "CHART" else word for word in commands[1][1:]])


def test_it_is_installed_in_two_steps_upgraded_and_removed(helm: Helm, cluster: Cluster) -> None:
    first = helm.upgrade()
    assert "NOTHING IS JUDGED YET" in first
    assert (len(templates(cluster)), constraints(cluster)) == (_KINDS, [])
    _run_documented(helm, first)
    wait_until_enforced(cluster)
    done = cluster.kubectl("diff", "-k", helm.chart.parent / "audit", check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert _create(cluster, "kube-system") == ""

    # Other levels, other namespaces.
    said = helm.upgrade("--set=enforcement=deny", "--set=protectedNamespaces.names={kube-*,infra}")
    assert "protected_pull_policy: deny" in said
    assert "protected_webhook_host: warn" in said
    assert "NOTHING" not in said
    cluster.kubectl("create", "namespace", "infra")
    wait_until_enforced(cluster)
    assert sorted(_actions(cluster).values()) == ["deny", "deny", "deny", "warn", "warn"]
    wait_until(lambda: _MESSAGE in _create(cluster, "infra"), timeout=30, what="the pod to be denied")
    assert _MESSAGE in _create(cluster, "kube-system")
    assert _create(cluster, "default") == ""
    cluster.kubectl("delete", "namespace", "infra", "--wait=false")

    # The same again changes nothing.
    before = {found["metadata"]["uid"]: found["metadata"]["generation"] for found in _all(cluster)}
    helm.upgrade("--reuse-values")
    assert before == {found["metadata"]["uid"]: found["metadata"]["generation"] for found in _all(cluster)}

    # By label as well, one policy less, and one of another level.
    helm.upgrade(
        "--set=protectedNamespaces.selector.matchLabels.tier=base",
        "--set=policies.protected_image_cache.enabled=false",
        "--set=policies.protected_pull_policy.enforcement=warn",
    )
    wait_until_enforced(cluster)
    assert _actions(cluster) == {
        "protected-image-pinning-by-label": "dryrun",
        "protected-image-pinning-by-name": "dryrun",
        "protected-pull-policy-by-label": "warn",
        "protected-pull-policy-by-name": "warn",
        "protected-webhook-host": "dryrun",
        "webhook-blocks-recovery": "dryrun",
    }

    helm("uninstall", _RELEASE, "--wait")
    wait_until(lambda: not _all(cluster), timeout=60, what="everything to be gone")
    kinds = cluster.kubectl.get("crd")["items"]
    assert [kind["metadata"]["name"] for kind in kinds if kind["spec"]["group"] == "constraints.gatekeeper.sh"] == []


def _all(cluster: Cluster) -> Sequence[dict[str, Any]]:
    return [*templates(cluster), *constraints(cluster), *cluster.kubectl.get("syncsets")["items"]]


def test_everything_at_once_fails_until_the_kinds_are_there(helm: Helm, cluster: Cluster) -> None:
    done = helm("install", "--create-namespace", _RELEASE, helm.chart, "--set=constraints=always", check=False)
    assert done.returncode == 1
    assert 'no matches for kind "K8sProtectedImageCache" in version "constraints.gatekeeper.sh/v1beta1"' in done.stderr
    assert templates(cluster) == []


def test_an_upgrade_that_adds_a_policy_brings_its_constraints_with_the_next(helm: Helm, cluster: Cluster) -> None:
    less = "--set=policies.protected_image_cache.enabled=false"
    _run_documented(helm, helm.upgrade(less))
    wait_until_enforced(cluster)
    before = set(_actions(cluster))
    second = helm.upgrade("--set=policies.protected_image_cache.enabled=true")
    assert "NOTHING IS JUDGED YET by K8sProtectedImageCache:" in second
    assert set(_actions(cluster)) == before
    _run_documented(helm, second)
    assert set(_actions(cluster)) - before == {"protected-image-cache-by-name"}
