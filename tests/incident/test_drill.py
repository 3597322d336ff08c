"""`pullguard drill` on a real node: what it sees is what was forecast, nothing live is touched, and nothing is left."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident import credentials
from incident.agent_image import agent_files
from incident.pods import settled
from incident.site import PROTECTED, Site
from incident.site import site as running_site
from local_cluster.api import JSON
from local_cluster.fixtures import cannot_run
from local_cluster.node import NAME
from local_cluster.registry import ADDRESS
from local_cluster.requirements import CannotRunError
from local_cluster.servers import wait_until

_AGENT = "registry.example/agent:1"
_IMAGE = "registry.example/web:1"
_LABEL = "pullguard/drill"
_SECONDS = 25
#: How long what is left of a killed drill may live: its timers, and what the controllers take.
_TIMERS = _SECONDS + 60 + 30 + 30
_WAIT = 120.0


@pytest.fixture(scope="module")
def site(checkout: Path) -> Iterator[Site]:
    """Yield a cluster of its own, whose registry is never stopped, with the pods that drills are about."""
    try:
        files = agent_files()
        with running_site(checkout / ".tools" / "bin") as made:
            made.registry.add_files(files, "/usr/bin/sh", "agent", "1")
            for repository in ("web", "data", credentials.REPOSITORY):
                made.registry.add(made.plane.binaries / "pause", f"/{repository}", repository, "1")
            for obj in _workloads():
                made.kubectl("create", "--filename=-", stdin=obj)
            settled(made.kubectl, PROTECTED, len(_FORECASTS) + 1)
            wanted = {_IMAGE, "registry.example/data:1", credentials.IMAGE}
            wait_until(lambda: wanted <= made.images_on_node(), timeout=_WAIT, what="the node to list its images")
            yield made
    except CannotRunError as error:
        cannot_run(error)


#: By name, what is forecast of a workload, which is what is to be seen.
_FORECASTS = {
    "web": "starts",
    "always": "stays down",
    "init-always": "stays down",
    "volume": "starts",
    "volume-always": "stays down",
    "with-credentials": "starts",
}


def _workloads() -> Iterator[JSON]:
    web = {"app": "web"}
    container = {"name": "main", "image": _IMAGE, "imagePullPolicy": "IfNotPresent"}
    yield {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": PROTECTED},
        "spec": {"selector": web, "ports": [{"port": 80}]},
    }
    yield {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": PROTECTED},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": web},
            "template": {"metadata": {"labels": web}, "spec": {"containers": [container]}},
        },
    }
    yield credentials.secret(PROTECTED)
    yield credentials.pod(PROTECTED, "with-credentials")
    yield _pod("always", {"containers": [{**container, "imagePullPolicy": "Always"}]})
    init = {"name": "first", "image": _IMAGE, "imagePullPolicy": "Always", "args": ["exit"]}
    yield _pod("init-always", {"initContainers": [init], "containers": [container]})
    mounting = {**container, "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    for name, policy in (("volume", "IfNotPresent"), ("volume-always", "Always")):
        volume = {"name": "data", "image": {"reference": "registry.example/data:1", "pullPolicy": policy}}
        yield _pod(name, {"containers": [mounting], "volumes": [volume]})


def _pod(name: str, spec: JSON) -> JSON:
    labels = {"app": name}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": PROTECTED, "labels": labels},
        "spec": spec,
    }


def _command(
    site: Site,
    *options: str,
    kubeconfig: Path | None = None,
    seconds: int = _SECONDS,
    addresses: Sequence[str] = (ADDRESS,),
) -> list[str]:
    return [
        *(sys.executable, "-m", "pullguard", "drill", "run", "--yes", f"--node={NAME}", f"--namespace={PROTECTED}"),
        *(f"--image={_AGENT}", f"--seconds={seconds}", "--output=json"),
        *(f"--address={address}" for address in addresses),
        f"--kubeconfig={kubeconfig or site.kubectl.kubeconfig}",
        *options,
    ]


@contextmanager
def _started(site: Site, folder: Path, *options: str, **more: Any) -> Iterator["subprocess.Popen[str]"]:
    environment = {**os.environ, "PATH": f"{site.plane.binaries}:/usr/bin:/bin", "TMPDIR": str(folder)}
    process = subprocess.Popen(
        _command(site, *options, **more),
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _rules() -> str:
    """Return the rules of the firewall in the network of the node, which is that of the tests."""
    nft = shutil.which("nft", path="/usr/sbin:/sbin:/usr/bin")
    assert nft is not None
    return subprocess.run([nft, "list", "ruleset"], capture_output=True, text=True, timeout=60, check=True).stdout


def _objects(site: Site) -> list[str]:
    found = site.kubectl("get", "jobs,pods", "--all-namespaces", f"--selector={_LABEL}", "--output=name").stdout
    return found.split()


def _live(site: Site) -> Mapping[str, Any]:
    """Return what is live in the namespace, as far as a drill could touch it."""
    pods = [
        pod
        for pod in site.kubectl.get("pods", f"--namespace={PROTECTED}")["items"]
        if _LABEL not in pod["metadata"].get("labels", {})
    ]
    slices = site.kubectl.get("endpointslices", f"--namespace={PROTECTED}")["items"]
    return {
        "pods": sorted(
            (pod["metadata"]["uid"], [status["containerID"] for status in pod["status"]["containerStatuses"]])
            for pod in pods
        ),
        "endpoints": sorted(
            endpoint["targetRef"]["name"] for each in slices for endpoint in each.get("endpoints") or []
        ),
        # The agent's own image stays on the node.
        "images": sorted(name for name in site.images_on_node() if "/agent" not in name),
    }


@pytest.fixture(scope="module")
def drilled(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """Run a drill, and return what it reports, and what was there before, meanwhile and after it."""
    before = _live(site)
    rules, endpoints = set(), set()
    with _started(site, tmp_path_factory.mktemp("drill")) as process:
        while process.poll() is None:
            rules.add(re.sub(r"expires \w+", "", _rules()))
            endpoints.add(json.dumps(_live(site)["endpoints"]))
            time.sleep(0.3)
        out, err = process.communicate()
    return {
        "code": process.returncode,
        "report": json.loads(out or "null"),
        "errors": err,
        "before": before,
        "after": _live(site),
        "left": (_objects(site), _rules()),
        "rules": rules,
        "endpoints": endpoints,
    }


def test_what_is_seen_is_what_was_forecast(drilled: Mapping[str, Any]) -> None:
    assert drilled["code"] == 1, drilled["errors"]
    report = drilled["report"]
    assert report["problems"] == []
    assert {pod["name"]: (pod["forecast"], pod["seen"], pod["agreement"]) for pod in report["pods"]} == {
        name: (forecast, forecast, "as forecast") for name, forecast in _FORECASTS.items()
    }
    assert {pod["name"]: pod["pods"] for pod in report["pods"] if pod["pods"] != 1} == {"web": 2}
    (asked,) = report["asked"]
    assert [asked[when] for when in ("before", "first", "last", "after")] == [
        *("answers", "no answer", "no answer", "answers")
    ]
    assert asked["why"].endswith(f"dial tcp {ADDRESS}: connect: connection refused")


def test_the_container_that_lacks_its_image_is_named(drilled: Mapping[str, Any]) -> None:
    (pod,) = (pod for pod in drilled["report"]["pods"] if pod["name"] == "init-always")
    assert [(each["name"], each["seen"]) for each in pod["containers"]] == [("first", "stays down"), ("main", "starts")]
    assert f"dial tcp {ADDRESS}: connect: connection refused" in pod["containers"][0]["why"]


def test_nothing_live_was_touched(drilled: Mapping[str, Any]) -> None:
    assert drilled["after"] == drilled["before"]
    assert drilled["endpoints"] == {json.dumps(drilled["before"]["endpoints"])}


def test_it_was_the_firewall_and_all_of_it_is_undone(drilled: Mapping[str, Any]) -> None:
    cut = [rules for rules in drilled["rules"] if rules]
    assert cut
    for rules in cut:
        assert rules.count("table ") == 1
        assert "flags owner" in rules
        host, _, port = ADDRESS.partition(":")
        assert f"elements = {{ {host} . {port} timeout {_SECONDS}s" in rules
    assert drilled["left"] == ([], "")


def _wait_for(process: "subprocess.Popen[str]", holds: Callable[[], bool]) -> None:
    wait_until(lambda: process.poll() is not None or holds(), timeout=_WAIT, what="the drill to go on")
    assert process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", range(3))
def test_nothing_is_left_after_a_signal_at_any_moment(
    site: Site, tmp_path: Path, number: signal.Signals, moment: int
) -> None:
    chance = random.Random(f"{number} {moment}")  # noqa: S311
    with _started(site, tmp_path) as process:
        _wait_for(process, lambda: bool(_objects(site)))
        time.sleep(chance.uniform(0, 12))
        process.send_signal(number)
        process.communicate(timeout=_WAIT)
    assert (_objects(site), _rules(), list(tmp_path.iterdir())) == ([], "", [])


def test_the_kernel_undoes_the_cut_when_the_agent_is_killed(site: Site, tmp_path: Path) -> None:
    with _started(site, tmp_path, seconds=300) as process:
        _wait_for(process, lambda: bool(_rules()))
        (agent,) = site.kubectl.get("pods", f"--namespace={PROTECTED}", "--selector=pullguard/part=agent")["items"]
        site.kill(agent, "sh")
        wait_until(lambda: not _rules(), timeout=10, what="the kernel to undo the cut")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=_WAIT)
    assert _objects(site) == []


@pytest.mark.parametrize("moment", range(2))
def test_timers_do_the_rest_when_pullguard_is_killed(site: Site, tmp_path: Path, moment: int) -> None:
    chance = random.Random(moment)  # noqa: S311
    with _started(site, tmp_path) as process:
        _wait_for(process, lambda: bool(_rules() if moment else _objects(site)))
        time.sleep(chance.uniform(0, 5))
        process.kill()
        process.wait()
    killed = time.monotonic()
    refused = subprocess.run(
        _command(site),
        env={"PATH": str(site.plane.binaries)},
        capture_output=True,
        text=True,
        timeout=_WAIT,
        check=False,
    )
    assert refused.returncode == 2
    assert (
        f"is in the namespace {PROTECTED}; wait for its end, or remove it with `pullguard drill clean`"
        in refused.stderr
    )
    wait_until(lambda: not _objects(site) and not _rules(), timeout=_TIMERS, what="the timers of the drill")
    assert time.monotonic() - killed < _TIMERS


def test_clean_removes_what_is_left(site: Site, tmp_path: Path) -> None:
    with _started(site, tmp_path, seconds=300) as process:
        _wait_for(process, lambda: bool(_rules()))
        process.kill()
        process.wait()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pullguard", "drill", "clean", f"--namespace={PROTECTED}"),
            f"--kubeconfig={site.kubectl.kubeconfig}",
        ],
        env={"PATH": str(site.plane.binaries)},
        capture_output=True,
        text=True,
        timeout=_WAIT,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (_objects(site), _rules()) == ([], "")


def test_a_node_that_resolves_no_registry_is_not_cut_off(site: Site, tmp_path: Path) -> None:
    with _started(site, tmp_path, addresses=[]) as process:
        out, err = process.communicate(timeout=_WAIT)
    assert (process.returncode, out) == (2, "")
    assert re.search(
        r"pullguard: the agent pullguard-drill-[0-9a-f]{6}-agent did not cut node off: .*the node cannot resolve "
        r"registry\.example.*; see docs/drill\.md for what its image and its namespace need\n\Z",
        err,
    ), err
    assert (_objects(site), _rules()) == ([], "")


def test_no_copy_is_made_unless_the_registry_is_cut_off(site: Site, tmp_path: Path) -> None:
    with _started(site, tmp_path, addresses=["127.0.0.1:5999"]) as process:
        out, err = process.communicate(timeout=_WAIT)
    assert process.returncode == 2, err
    report = json.loads(out)
    (asked,) = report["asked"]
    assert (report["pods"], asked["before"], asked["first"], asked["after"]) == ([], "answers", "answers", "answers")
    (problem,) = report["problems"]
    assert problem.startswith("registry.example was not cut off as far as can be told (")
    assert problem.endswith("; name what the node really asks, such as a mirror or a proxy, with --address")
    assert (_objects(site), _rules()) == ([], "")


_DENYING = "no-always"


def _denying() -> Iterator[JSON]:
    """Yield a policy that refuses Jobs with Always, but those that ask registries."""
    rule = {"apiGroups": ["batch"], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["jobs"]}
    expression = (
        "object.metadata.labels['pullguard/part'] != 'copy' || "
        "object.spec.template.spec.containers.all(c, c.imagePullPolicy != 'Always')"
    )
    group = {"apiVersion": "admissionregistration.k8s.io/v1", "metadata": {"name": _DENYING}}
    yield {
        **group,
        "kind": "ValidatingAdmissionPolicy",
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "validations": [{"expression": expression, "message": "no Always here"}],
        },
    }
    yield {
        **group,
        "kind": "ValidatingAdmissionPolicyBinding",
        "spec": {"policyName": _DENYING, "validationActions": ["Deny"]},
    }


@pytest.fixture
def _denied(site: Site) -> Iterator[None]:
    for obj in _denying():
        site.kubectl("create", "--filename=-", stdin=obj)
    labels = {"pullguard/part": "copy"}
    container = {"name": "c", "image": "x", "imagePullPolicy": "Always"}
    template = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x", "labels": labels}}
    job["spec"] = {"template": template}

    def denies() -> bool:
        return bool(site.client.request("POST", "/apis/batch/v1/namespaces/default/jobs?dryRun=All", job).message)

    wait_until(denies, timeout=_WAIT, what="the policy")
    yield
    for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
        site.kubectl("delete", kind, _DENYING)


@pytest.mark.usefixtures("_denied")
def test_copies_that_admission_refuses_are_told(site: Site, tmp_path: Path) -> None:
    with _started(site, tmp_path) as process:
        out, err = process.communicate(timeout=_WAIT)
    assert process.returncode == 2, err
    found = {pod["name"]: (pod["seen"], pod["agreement"], pod["why"]) for pod in json.loads(out)["pods"]}
    for name in ("always", "init-always"):
        assert found[name][:2] == ("not seen", "not seen")
        assert found[name][2].startswith("the copy was refused: ")
        assert "no Always here" in found[name][2]
    assert found["web"] == ("starts", "as forecast", "")
    assert (_objects(site), _rules()) == ([], "")


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL])
def test_without_an_owner_of_the_table_the_elements_expire(
    site: Site, checkout: Path, tmp_path: Path, ending: signal.Signals
) -> None:
    assert site.cgroup  # the network of the node
    nft = tmp_path / "nft"
    nft.write_text(
        '#!/bin/sh\ncase $1 in -i) exit 1 ;; esac\nPATH=/usr/sbin:/usr/bin:/sbin:/bin exec nft "$@"\n', "utf-8"
    )
    nft.chmod(0o755)
    script = checkout / "generator/pullguard/drill/agent.sh"
    host, _, port = ADDRESS.partition(":")
    agent = subprocess.Popen(
        ["/bin/sh", script, "drill_x", "6", host, port],
        env={"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"},
        start_new_session=True,
    )
    try:
        wait_until(lambda: bool(_rules()), timeout=_WAIT, what="the cut")
        assert "flags owner" not in _rules()
        os.kill(agent.pid, ending)
        agent.wait()
        if ending == signal.SIGKILL:
            assert f"{host} . {port} timeout 6s" in _rules()
            wait_until(lambda: "elements" not in _rules(), timeout=10, what="the elements to expire")
            subprocess.run([nft, "delete", "table", "inet", "drill_x"], check=True, timeout=60)
        assert _rules() == ""
    finally:
        with suppress(ProcessLookupError):
            os.killpg(agent.pid, signal.SIGKILL)
        agent.wait()


def test_the_documented_rights_are_enough_for_the_documented_run(site: Site, checkout: Path, tmp_path: Path) -> None:
    page = (checkout / "docs/drill.md").read_text("utf-8")
    objects = list(yaml.safe_load_all(page.partition("```yaml\n")[2].partition("```")[0]))
    site.kubectl("apply", "--filename=-", stdin={"apiVersion": "v1", "kind": "List", "items": objects})
    token = site.kubectl("create", "token", "drill", "--namespace=default").stdout.strip()
    config = json.loads(site.kubectl.kubeconfig.read_text("utf-8"))
    config["users"][0]["user"] = {"token": token}
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(json.dumps(config), "utf-8")
    with _started(site, tmp_path, "--output=text", kubeconfig=kubeconfig) as process:
        out, err = process.communicate(timeout=_WAIT)
    assert process.returncode == 1, err
    assert _normal(err + out) == _normal(page.partition("<!-- drill -->\n```\n")[2].partition("```\n")[0])


def _normal(text: str) -> str:
    """Return the output of a drill without its name and times."""
    for pattern, replacement in (
        (r"pullguard-drill-[0-9a-f]{6}", "pullguard-drill-ID"),
        (r"\b\d\d:\d\d:\d\d\b", "TIME"),
        (r"for \d+ seconds", "for N seconds"),
    ):
        text = re.sub(pattern, replacement, text)
    return text
