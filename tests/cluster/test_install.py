"""The library in a cluster with Gatekeeper: at every level, applied again, over an older version, and by gator."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gator_policy import GatorPolicy
from installed_library import apply, constraints, install, templates, uninstall, wait_until_enforced
from local_cluster.fixtures import Cluster

# The first version of the library. Users may have applied it or any later version.
_FIRST = "aef9e61"

_POLICIES = (
    "protected_image_cache",
    "protected_image_pinning",
    "protected_pull_policy",
    "protected_webhook_host",
    "webhook_blocks_recovery",
)
_ACTIONS = {
    "audit": ["dryrun"] * 5,
    "warn": ["warn"] * 5,
    "deny": ["deny", "deny", "deny", "warn", "warn"],
    "policies": ["dryrun"] * 5,
}


@pytest.fixture(scope="module")
def library(cluster: Cluster, checkout: Path) -> Iterator[Path]:
    """Yield the committed library. What a test applies of it is removed at the end."""
    yield checkout / "library"
    uninstall(cluster, checkout / "library")


@pytest.fixture
def new(cluster: Cluster, library: Path) -> Path:
    """Return the library, which is not yet applied."""
    uninstall(cluster, library)
    return library


def _actions(cluster: Cluster) -> list[str]:
    return [constraint["spec"]["enforcementAction"] for constraint in constraints(cluster)]


def test_the_documented_commands_apply_it(cluster: Cluster, library: Path) -> None:
    readme = (library / "README.md").read_text("utf-8")
    block = re.search(r"^    kubectl apply -k templates && \\\n(?:    .*\n)+", readme, re.MULTILINE)
    assert block is not None
    for command in block[0].replace("\\\n", " ").split("&&"):
        program, *arguments = shlex.split(command)
        assert program == "kubectl"
        done = subprocess.run(
            [cluster.kubectl.program, *arguments],
            cwd=library,
            env={"KUBECONFIG": str(cluster.kubectl.kubeconfig), "HOME": str(cluster.plane.folder)},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, ""), command
    wait_until_enforced(cluster)
    assert _actions(cluster) == _ACTIONS["audit"]


def test_templates_compile_and_every_level_is_in_force(cluster: Cluster, library: Path) -> None:
    install(cluster, library, "audit")
    assert [template["metadata"]["name"] for template in templates(cluster)] == [
        f"k8s{policy.replace('_', '')}" for policy in _POLICIES
    ]
    for level, actions in _ACTIONS.items():
        apply(cluster, library / level)
        assert _actions(cluster) == actions, level


def test_applying_again_changes_nothing(cluster: Cluster, library: Path) -> None:
    install(cluster, library, "audit")
    before = {
        obj["metadata"]["uid"]: obj["metadata"]["generation"] for obj in [*templates(cluster), *constraints(cluster)]
    }
    for folder in ("templates", "audit", "policies", "audit"):
        done = cluster.kubectl("apply", "-k", library / folder)
        assert {line.rpartition(" ")[2] for line in done.stdout.splitlines()} == {"unchanged"}, done.stdout
        assert done.stderr == ""
    assert before == {
        obj["metadata"]["uid"]: obj["metadata"]["generation"] for obj in [*templates(cluster), *constraints(cluster)]
    }


def test_every_kustomization_applies(cluster: Cluster, library: Path) -> None:
    install(cluster, library, "audit")
    folders = sorted(path.parent for path in library.rglob("kustomization.yaml"))
    assert {folder.relative_to(library).parts[0] for folder in folders} >= {*_ACTIONS, "templates"}
    for folder in folders:
        done = cluster.kubectl("apply", "-k", folder)
        # Newer API servers warn that the objects for older ones are deprecated.
        old = folder.relative_to(library).as_posix().startswith(("mutation/kubernetes-", "mutation/elsewhere-"))
        assert [line for line in done.stderr.splitlines() if not old or " is deprecated in " not in line] == [], folder
    wait_until_enforced(cluster)


def test_an_older_library_is_upgraded(cluster: Cluster, new: Path, checkout: Path, tmp_path: Path) -> None:
    archive = subprocess.run(
        ["git", "-C", checkout, "archive", _FIRST, "library"], capture_output=True, timeout=60, check=False
    )
    if archive.returncode != 0:
        pytest.skip(f"commit {_FIRST} is not in this clone: git fetch --unshallow")
    subprocess.run(["tar", "-x", "-C", tmp_path], input=archive.stdout, timeout=60, check=True)
    install(cluster, tmp_path / "library", "deny")
    old = {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in [*templates(cluster), *constraints(cluster)]}
    assert list(old) == ["k8sprotectedpullpolicy", "protected-pull-policy-by-name"]
    install(cluster, new, "warn")
    assert _actions(cluster) == _ACTIONS["warn"]
    now = {obj["metadata"]["name"]: obj["metadata"]["uid"] for obj in [*templates(cluster), *constraints(cluster)]}
    assert {name: now[name] for name in old} == old
    stated = yaml.safe_load((new / "templates/protected_pull_policy.yaml").read_text("utf-8"))
    live = next(template for template in templates(cluster) if template["metadata"]["name"] == "k8sprotectedpullpolicy")
    assert live["spec"]["targets"] == stated["spec"]["targets"]


@pytest.mark.parametrize("bundle", ["audit", "warn", "deny"])
def test_gator_installs_the_catalog(cluster: Cluster, new: Path, gator: Path, tmp_path: Path, bundle: str) -> None:
    policy = GatorPolicy(gator, tmp_path, new / "catalog.yaml", cluster.kubectl.kubeconfig)
    policy("update")
    for _ in range(2):  # and again
        policy("install", "--bundle", bundle)
        wait_until_enforced(cluster)
        assert _actions(cluster) == _ACTIONS[bundle]
    assert policy("upgrade", "--all")["result"].get("upgraded", []) == []
    policy("uninstall", *(template["metadata"]["name"] for template in templates(cluster)))
    assert templates(cluster) == []
