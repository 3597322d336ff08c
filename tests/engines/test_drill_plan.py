"""Plans of drills, from dumps: what they hold, and what is refused."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pullguard.cli import main
from pullguard.drill.command import plan
from pullguard.drill.model import Address

JSON = dict[str, Any]

_DUMP = "tests/data/outage/cluster.yaml"


@pytest.fixture(autouse=True)
def _in_checkout(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout)


def test_a_plan() -> None:
    found = plan([_DUMP], node="node-a", addresses=["10.0.0.1:5000", "registry.k8s.io"])
    assert [(str(each.workload), each.pod, each.pods, each.verdict) for each in found.pods] == [
        ("DaemonSet/kube-system/kube-proxy", "kube-proxy-8zt5q", 1, "starts"),
        ("Deployment/kube-system/coredns", "coredns-6d4b75cb6d-x7k2p", 1, "starts"),
    ]
    assert found.registries == {"registry.k8s.io": "registry.k8s.io/coredns/coredns"}
    assert found.addresses == (Address("registry.k8s.io", 443), Address("10.0.0.1", 5000))
    assert found.namespaces == ("kube-system",)
    assert found.exit_code == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("plan", "which node is cut off is not said; name it with --node"),
        ("plan --node x", "there is no node x in the snapshot"),
        (
            "plan --node node-a --namespace shop",
            "the namespace shop is not protected, or not there; name some of those with pods on node-a: kube-system",
        ),
        ("plan --node node-a --seconds 19", "a cut of 19 seconds is too short; say 20 to 600 with --seconds"),
        ("plan --node node-a --seconds 601", "a cut of 601 seconds is too long; say 20 to 600 with --seconds"),
        ("plan --node node-a --address a:b", "'a:b' is not an address; say HOST or HOST:PORT with --address"),
        (
            "plan --node node-a --registry nope.example",
            (
                "no image of these pods on node-a comes from a registry that is gone; "
                "name other registries with --registry, or other namespaces"
            ),
        ),
        ("run --yes --node a", "a drill runs in a live cluster, not in files; leave out --snapshot"),
    ],
)
def test_what_is_wrong_is_said(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", *options.split(), "--snapshot", _DUMP]) == 2
    assert capsys.readouterr() == ("", f"pullguard: {message}\n")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("run --node a", "which pods are copied is not said; name their namespaces with --namespace"),
        (
            "run --node a --namespace b --yes",
            (
                "there is no image for the agent that cuts the node off; "
                "name one that has sh, nft, getent and sleep with --image"
            ),
        ),
        (
            "run --node a --namespace b --image c",
            (
                "a drill cuts a off from its registries for up to 120 seconds; "
                "see `pullguard drill plan` first, and say --yes"
            ),
        ),
        ("clean", "where to look is not said; name the namespaces with --namespace"),
    ],
)
def test_what_is_missing_is_said(options: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drill", *options.split()]) == 2
    assert capsys.readouterr() == ("", f"pullguard: {message}\n")


def test_a_node_without_protected_pods_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web", "namespace": "shop", "uid": "1"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "a:1"}]},
    }
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n", "uid": "2"}}
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, node]}), "utf-8")
    assert main(["drill", "plan", "--node", "n", "--snapshot", str(dump)]) == 2
    assert "no pod of a protected namespace is on n; name another node with --node" in capsys.readouterr().err


def test_the_program_of_the_agent_is_plain_shell(checkout: Path) -> None:
    script = checkout / "generator/pullguard/drill/agent.sh"
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
