"""The image and the CronJobs of docs/ on a node whose registry is gone: pods that audit, forecast, and push metrics.

This file comes last by its name: it goes on from what the others have made of the cluster.
"""

import dataclasses
import json
import re
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import image_archive
from incident.site import PROTECTED, Site, Violation
from installed_library import constraints
from local_cluster import requirements
from local_cluster.api import JSON
from local_cluster.control_plane import SERVICE
from local_cluster.fixtures import cannot_run
from local_cluster.node import NAME, ctr
from local_cluster.requirements import CannotRunError
from local_cluster.servers import Server, running, wait_until

_WAIT = 120.0
_TIMEOUT = 120.0
_NAMESPACE = "pullguard"
#: As the documentation names it; the pods of the node know it from here, since there is no DNS.
_HOST = "pushgateway.monitoring"
_ADDRESS = f"{SERVICE}:9091"

#: The value of each sample, by its name and labels.
Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a Job has done.

    Attributes:
        condition: How it ended: "Complete" or "Failed".
        code: The exit code of its container.
        uid: The user that it ran as.
        log: What the container wrote.
    """

    condition: str
    code: int
    uid: int
    log: str


@dataclass(frozen=True, slots=True)
class Scheduled:
    """The CronJobs, applied, and a Pushgateway.

    Attributes:
        site: The cluster.
        stack: What starts the Pushgateway, and stops it at the end.
    """

    site: Site
    stack: ExitStack

    def run(self, command: str, job: str) -> Ran:
        """Run a Job of the CronJob of a command, with one attempt."""
        kubectl, namespace = self.site.kubectl, f"--namespace={_NAMESPACE}"
        made = kubectl(
            "create", "job", job, f"--from=cronjob/pullguard-{command}", namespace, "--dry-run=client", "-ojson"
        )
        obj = json.loads(made.stdout)
        obj["spec"]["backoffLimit"] = 0
        kubectl("create", "--filename=-", stdin=obj)
        ended: list[str] = []

        def has_ended() -> bool:
            status = kubectl.get("job", job, namespace)["status"]
            ended[:] = [each["type"] for each in status.get("conditions", ()) if each["type"] in {"Complete", "Failed"}]
            return bool(ended)

        wait_until(has_ended, timeout=_WAIT, what=f"the Job {job} to end")
        (pod,) = kubectl.get("pods", namespace, f"--selector=batch.kubernetes.io/job-name={job}")["items"]
        (status,) = pod["status"]["containerStatuses"]
        folder = f"{_NAMESPACE}_{pod['metadata']['name']}_{pod['metadata']['uid']}"
        (log,) = (self.site.plane.folder / NAME / "logs" / folder / command).iterdir()
        lines = [line.split(" ", 3)[3] for line in log.read_text("utf-8").splitlines()]
        return Ran(
            ended[0], status["state"]["terminated"]["exitCode"], status["user"]["linux"]["uid"], "\n".join(lines)
        )


def _image(checkout: Path) -> tuple[Path, str]:
    """Return the archive of the image, and the name that it has in it.

    Raises:
        CannotRunError: It is not built.
    """
    path = image_archive.archive(checkout)
    if path is None:
        raise CannotRunError(image_archive.MISSING)
    with tarfile.open(path) as archive:
        index = archive.extractfile("index.json")
        assert index is not None
        name: str = json.load(index)["manifests"][0]["annotations"]["io.containerd.image.name"]
    return path, name


def _objects(checkout: Path, command: str, image: str) -> list[JSON]:
    """Return the documented objects for a command, with the name of the image and a way to the Pushgateway."""
    text = (checkout / "docs" / f"{command}-cronjob.yaml").read_text("utf-8")
    assert text.count(image_archive.NAME) == 1
    objects: list[JSON] = list(yaml.safe_load_all(text.replace(image_archive.NAME, image)))
    job = next(obj for obj in objects if obj["kind"] == "CronJob")
    job["spec"]["suspend"] = True
    job["spec"]["jobTemplate"]["spec"]["template"]["spec"]["hostAliases"] = [{"ip": SERVICE, "hostnames": [_HOST]}]
    return objects


@contextmanager
def _pushgateway(site: Site) -> Iterator[Server]:
    program = site.plane.binaries / "pushgateway"
    with running(program, f"--web.listen-address={_ADDRESS}", folder=site.plane.folder) as server:
        server.wait(_answers, timeout=_WAIT)
        yield server


def _answers() -> bool:
    try:
        return bool(_read("/-/ready").strip() == "OK")
    except OSError:
        return False


def _read(path: str) -> str:
    with urlopen(f"http://{_ADDRESS}{path}", timeout=_TIMEOUT) as answer:
        text: str = answer.read().decode()
        return text


def _samples(text: str) -> Samples:
    """Return pullguard's samples in Prometheus' text format, without the labels of a group."""
    return {
        (
            sample.name,
            frozenset((name, value) for name, value in sample.labels.items() if name not in {"job", "instance"}),
        ): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name.startswith("pullguard_")
    }


def _pushed(job: str) -> Samples:
    """Return what the Pushgateway has of a group."""
    lines = _read("/metrics").splitlines(keepends=True)
    kept = [line for line in lines if line.startswith("#") or f'job="{job}"' in line]
    return _samples("".join(kept))


def _as_administrator(site: Site, command: str, output: str) -> str:
    """Return what pullguard of this checkout says of the cluster, with all rights."""
    done = subprocess.run(
        [sys.executable, "-m", "pullguard", command, f"--output={output}", f"--kubeconfig={site.kubectl.kubeconfig}"],
        env={"PATH": f"{site.plane.binaries}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "")
    return done.stdout


@pytest.fixture(scope="module")
def scheduled(site: Site, audited: tuple[Violation, ...], checkout: Path) -> Iterator[Scheduled]:
    """Load the image onto the node, apply what is documented, and start a Pushgateway. The registry is cut off."""
    assert audited
    try:
        requirements.check(site.plane.binaries, ("ctr", "pushgateway"), {}, target="incident-tools")
        archive, image = _image(checkout)
    except CannotRunError as error:
        cannot_run(error)
    command, _ = ctr(site.plane)
    subprocess.run(
        [*command, "--namespace=k8s.io", "images", "import", "--local", "--snapshotter=native", str(archive)],
        capture_output=True,
        timeout=_TIMEOUT,
        check=True,
    )
    for name in ("audit", "outage"):
        objects = _objects(checkout, name, image)
        site.kubectl("apply", "--filename=-", stdin={"apiVersion": "v1", "kind": "List", "items": objects})
    with ExitStack() as stack:
        stack.enter_context(_pushgateway(site))
        yield Scheduled(site, stack)


@pytest.fixture(scope="module")
def ran(scheduled: Scheduled) -> Mapping[str, Ran]:
    """Run both."""
    return {command: scheduled.run(command, f"{command}-1") for command in ("audit", "outage")}


def test_they_run_as_nobody_and_end_well_although_there_are_findings(ran: Mapping[str, Ran]) -> None:
    assert {command: dataclasses.replace(done, log="") for command, done in ran.items()} == dict.fromkeys(
        ("audit", "outage"), Ran("Complete", 0, 65532, "")
    )
    assert "error" not in "".join(done.log for done in ran.values())


def test_the_pushgateway_has_what_gatekeeper_has_found(
    site: Site, ran: Mapping[str, Ran], audited: tuple[Violation, ...]
) -> None:
    assert ran
    pushed = _pushed("pullguard-audit")
    found = {(each["kind"], each["metadata"]["name"]): each["status"]["totalViolations"] for each in constraints(site)}
    counted = {
        (dict(labels)["kind"], dict(labels)["constraint"]): value
        for (name, labels), value in pushed.items()
        if name == "pullguard_audit_violations"
    }
    assert counted == found
    assert sum(counted.values()) >= len(audited) > 0
    assert pushed["pullguard_audit_errors", frozenset()] == 0
    changing = "pullguard_audit_last_run_timestamp_seconds"  # Gatekeeper goes on
    expected = _samples(_as_administrator(site, "audit", "metrics"))
    assert {key: value for key, value in pushed.items() if key[0] != changing} == {
        key: value for key, value in expected.items() if key[0] != changing
    }


def test_the_pushgateway_has_the_forecast(site: Site, ran: Mapping[str, Ran]) -> None:
    assert ran
    pushed = _pushed("pullguard-outage")
    report = json.loads(_as_administrator(site, "outage", "json"))
    pods: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
    for workload in report["workloads"]:
        for event, forecast in workload["events"].items() if workload["protected"] else ():
            for verdict, number in forecast["pods"].items():
                labels = {"event": event, "namespace": workload["namespace"], "verdict": verdict}
                key = ("pullguard_outage_protected_pods", frozenset(labels.items()))
                pods[key] = pods.get(key, 0) + number
    assert {key: value for key, value in pushed.items() if key[0] == "pullguard_outage_protected_pods"} == pods
    assert any(dict(labels)["namespace"] == PROTECTED for _, labels in pods)
    assert pushed["pullguard_outage_errors", frozenset()] == 0


def test_the_forecast_has_exactly_the_rights_that_it_makes_use_of(
    scheduled: Scheduled, checkout: Path, tmp_path: Path
) -> None:
    site = scheduled.site
    token = site.kubectl("create", "token", "pullguard-outage", f"--namespace={_NAMESPACE}").stdout.strip()
    plane = dataclasses.replace(site.plane, tokens={"outage": token}, folder=tmp_path)
    kubeconfig = plane.kubeconfig("outage")

    def unreadable() -> set[str]:
        done = subprocess.run(
            [sys.executable, "-m", "pullguard", "outage", "--output=json", f"--kubeconfig={kubeconfig}"],
            env={"PATH": f"{site.plane.binaries}:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
        return set(json.loads(done.stdout)["unreadable"])

    assert unreadable() == set()
    binding = next(obj for obj in _objects(checkout, "outage", "unused") if obj["kind"] == "ClusterRoleBinding")
    site.kubectl("delete", "clusterrolebinding", "pullguard-outage")
    try:
        asked_for = unreadable()
    finally:
        site.kubectl("create", "--filename=-", stdin=binding)
    granted = {
        (group, resource)
        for rule in site.kubectl.get("clusterrole", "pullguard-outage")["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    assert {
        verb for rule in site.kubectl.get("clusterrole", "pullguard-outage")["rules"] for verb in rule["verbs"]
    } == {"list"}
    listed = site.kubectl("api-resources", "--no-headers").stdout.splitlines()
    names = {(_group(fields[-3]), fields[0]): fields[-1] for fields in map(str.split, listed)}
    assert {names[each] for each in granted} == asked_for
    assert len(granted) == len(asked_for)


def _group(version: str) -> str:
    return version.rpartition("/")[0]


def test_what_may_not_be_read_fails_the_job_and_is_counted(scheduled: Scheduled, checkout: Path) -> None:
    objects = _objects(checkout, "outage", "unused")
    role = next(obj for obj in objects if obj["kind"] == "ClusterRole")
    less: list[dict[str, Any]] = [rule for rule in role["rules"] if rule["apiGroups"] != ["apps"]]
    assert len(less) == len(role["rules"]) - 1
    scheduled.site.kubectl("apply", "--filename=-", stdin={**role, "rules": less})
    try:
        done = scheduled.run("outage", "outage-less")
    finally:
        scheduled.site.kubectl("apply", "--filename=-", stdin=role)
    assert (done.condition, done.code) == ("Failed", 2)
    assert "pullguard: error: Deployment could not be read: forbidden" in done.log
    assert _pushed("pullguard-outage")["pullguard_outage_errors", frozenset()] == 4


def test_a_push_takes_the_place_of_the_one_before(scheduled: Scheduled, ran: Mapping[str, Ran]) -> None:
    assert ran
    stale = "# TYPE pullguard_outage_stale gauge\npullguard_outage_stale 1\n"
    subprocess.run(
        [sys.executable, "-c", _PUT, f"http://{_ADDRESS}/metrics/job/pullguard-outage"],
        input=stale,
        text=True,
        timeout=_TIMEOUT,
        check=True,
    )
    assert ("pullguard_outage_stale", frozenset()) in _pushed("pullguard-outage")
    assert scheduled.run("outage", "outage-2").condition == "Complete"
    assert ("pullguard_outage_stale", frozenset()) not in _pushed("pullguard-outage")


_PUT = """
import sys
from urllib.request import Request, urlopen

urlopen(Request(sys.argv[1], sys.stdin.buffer.read(), method="PUT")).close()
"""


def test_without_a_pushgateway_the_job_fails_and_says_why(scheduled: Scheduled) -> None:
    scheduled.stack.close()
    done = scheduled.run("audit", "audit-2")
    assert (done.condition, done.code) == ("Failed", 3)
    assert re.fullmatch(
        r"pullguard-push: the Pushgateway at http://pushgateway\.monitoring:9091/metrics/job/pullguard-audit "
        r"did not take the metrics: \[Errno 111\] Connection refused",
        done.log,
    )
