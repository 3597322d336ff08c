"""Audits of a real cluster: by Gatekeeper, by a rescan, with few rights, and with failures on the way."""

import io
import json
import os
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from fault_proxy import Fault, FaultProxy
from installed_library import constraints, installed
from local_cluster.fixtures import Cluster
from local_cluster.servers import running, wait_until
from pullguard.audit.command import audit
from pullguard.audit.formats import policyreport, words
from pullguard.audit.model import AuditReport
from pullguard.cluster.kubectl import connected
from pullguard.core.errors import PullguardError

_NAMESPACE = "kube-system"
_IMAGE = "example.org/app"
_VERSIONS = {"Deployment": "apps/v1", "ReplicaSet": "apps/v1", "CronJob": "batch/v1", "Job": "batch/v1"}
# A rescan leaves the policy that needs Nodes to Gatekeeper's audit.
_LEFT = "K8sProtectedImageCache"
_SECONDS = 90.0


def _pod_spec(image: str = f"{_IMAGE}:latest") -> dict[str, Any]:
    return {"restartPolicy": "Always", "containers": [{"name": "app", "image": image}]}


def _object(
    kind: str, name: str, owner: dict[str, Any] | None = None, replicas: int = 1, **spec: Any
) -> dict[str, Any]:
    labels = {"app": name.partition("-")[0]}
    metadata: dict[str, Any] = {"name": name, "namespace": _NAMESPACE, "labels": labels}
    if owner is not None:
        fields = {field: owner["metadata"][field] for field in ("name", "uid")}
        metadata["ownerReferences"] = [
            {"apiVersion": owner["apiVersion"], "kind": owner["kind"], **fields, "controller": True}
        ]
    if kind == "Pod":
        spec = _pod_spec()
    else:
        template = {"metadata": {"labels": labels}, "spec": _pod_spec(**spec)}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": _VERSIONS.get(kind, "v1"), "kind": kind, "metadata": metadata, "spec": spec}


@pytest.fixture(scope="module")
def audited(cluster: Cluster, checkout: Path) -> Iterator[Cluster]:
    """Yield the cluster with the library, workloads that violate it, and an audit that has found them."""
    made: list[dict[str, Any]] = []

    def make(*arguments: Any, **more: Any) -> dict[str, Any]:
        obj = _object(*arguments, **more)
        created: dict[str, Any] = json.loads(cluster.kubectl("create", "-f", "-", "-o", "json", stdin=obj).stdout)
        made.append(created)
        return created

    with installed(cluster, checkout / "library", "audit"):
        try:
            web = make("Deployment", "web")
            current = make("ReplicaSet", "web-2", web)
            make("ReplicaSet", "web-1", web, 0)
            for number in range(3):
                make("Pod", f"web-2-{number}", current)
            fixed = make("Deployment", "fixed", image=f"{_IMAGE}:1.0")
            make("ReplicaSet", "fixed-1", fixed, 0)
            make("Pod", "bare")
            _wait_for_audit(cluster)
            yield cluster
        finally:
            for obj in made:
                name = f"{obj['kind'].lower()}/{obj['metadata']['name']}"
                options = ("--ignore-not-found", "--cascade=orphan", "--force", "--grace-period=0")
                cluster.kubectl("delete", "-n", _NAMESPACE, name, *options)


def _wait_for_audit(cluster: Cluster) -> None:
    """Wait until an audit that began after this call has written all of its results."""
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    wait_until(
        lambda: all(entry.get("status", {}).get("auditTimestamp", "") > now for entry in constraints(cluster)),
        timeout=_SECONDS,
        what="an audit",
    )


def _audit(cluster: Cluster, *paths: str, kubeconfig: Path | None = None, **options: Any) -> AuditReport:
    return audit(
        paths,
        kubeconfig=str(kubeconfig or cluster.kubectl.kubeconfig),
        kubectl=str(cluster.kubectl.program),
        **options,
    )


def _whole(cluster: Cluster, **options: Any) -> AuditReport:
    """Return a complete report.

    If another write to a constraint comes in between, Gatekeeper writes only the number of violations into the status.
    A later audit then writes the violations as well.
    """
    reports: list[AuditReport] = []

    def is_complete() -> bool:
        reports.append(_audit(cluster, **options))
        return reports[-1].complete

    wait_until(is_complete, timeout=_SECONDS, what="an audit whose results are all in the status of their constraints")
    return reports[-1]


def _totals(report: AuditReport) -> dict[str, int | None]:
    return {entry.constraint.name: entry.total for entry in report.constraints}


def _violations(report: AuditReport) -> Counter[tuple[str, str, str, str]]:
    return Counter(
        (entry.constraint.name, violation.object.kind, violation.object.name, violation.message)
        for entry in report.constraints
        if entry.constraint.kind != _LEFT
        for violation in entry.violations
    )


def _kubeconfig(folder: Path, token: str, server: str, authority: Path | None = None) -> Path:
    trust = {} if authority is None else {"certificate-authority": str(authority)}
    value = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": {"server": server, **trust}}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {"token": token}}],
        "current-context": "here",
    }
    file = folder / "kubeconfig"
    file.write_text(json.dumps(value))
    return file


def test_the_live_report(audited: Cluster) -> None:
    report = _whole(audited)
    found = [
        (found.policy, words.workload(found.workload), words.said_by(found), found.rule)
        for found in report.findings
        if found.policy == "protected_pull_policy" and found.workload.namespace == _NAMESPACE
    ]
    assert found == [
        (
            "protected_pull_policy",
            "Deployment web",
            "itself, 3 Pods, 1 ReplicaSet, 1 ReplicaSet not running",
            "protected_pull_policy",
        ),
        ("protected_pull_policy", "Pod bare", "itself", "protected_pull_policy"),
        ("protected_pull_policy", "Deployment fixed", "1 ReplicaSet not running", "protected_pull_policy"),
    ]
    idle = [found.idle for found in report.findings if found.policy == "protected_pull_policy"]
    assert idle[-3:] == [False, False, True]


def test_status_log_and_rescan_agree(audited: Cluster) -> None:
    log = audited.plane.folder / "gatekeeper.log"
    status, both, scan = _whole(audited), _audit(audited, str(log)), _audit(audited, scan=True)
    assert _violations(status)
    assert _violations(both) == _violations(status)
    assert _violations(scan) == _violations(status)
    # The log completes what the status lacks.
    assert (both.errors, both.complete, scan.errors) == ((), True, ())
    # Only log lines and rescans have details, which name the rule.
    rules = {
        found.rule for report in (both, scan) for found in report.findings if found.policy == "protected_pull_policy"
    }
    assert rules == {"pull-policy-always"}
    assert {entry.sources for entry in scan.constraints if entry.constraint.kind != _LEFT} == {("rescan",)}
    assert f"{_LEFT} was left to Gatekeeper's audit: it needs other objects of the cluster" in scan.notes


def test_the_log_alone(audited: Cluster) -> None:
    log = audited.plane.folder / "gatekeeper.log"
    report = audit([str(log)])
    assert (report.errors, _violations(report)) == ((), _violations(_whole(audited)))


def test_dumps_give_the_same_report(audited: Cluster) -> None:
    kinds = "constrainttemplates,pods,replicasets,deployments,daemonsets,jobs,cronjobs"
    objects = audited.kubectl("get", kinds, "-A", "-o", "json").stdout.encode()
    live = _whole(audited)
    reports: list[AuditReport] = []

    def is_complete() -> bool:
        status = audited.kubectl("get", "constraints", "-o", "json").stdout.encode()
        reports.append(audit(["-"], stdin=io.BytesIO(status + b"\n" + objects)))
        return reports[-1].complete

    wait_until(is_complete, timeout=_SECONDS, what="a dump of a whole audit")
    assert [(found.fingerprint, found.members, found.advice) for found in reports[-1].findings] == [
        (found.fingerprint, found.members, found.advice) for found in live.findings
    ]


def test_nothing_is_lost_between_pages(audited: Cluster) -> None:
    with connected(kubeconfig=str(audited.kubectl.kubeconfig), program=str(audited.kubectl.program)) as kubectl:
        pages = list(kubectl.pages(f"/api/v1/namespaces/{_NAMESPACE}/pods", limit=2))
    assert [[obj["metadata"]["name"] for obj in page] for page in pages] == [
        ["bare", "web-2-0"],
        ["web-2-1", "web-2-2"],
    ]
    assert {(obj["apiVersion"], obj["kind"]) for page in pages for obj in page} == {("v1", "Pod")}


def test_policy_reports_are_applied(audited: Cluster, checkout: Path) -> None:
    folder = checkout / ".tools" / "manifests" / "policyreports"
    audited.kubectl("apply", "--server-side", "-f", folder)
    try:
        audited.kubectl("wait", "--for=condition=Established", "--timeout=60s", "-f", folder)
        report = _whole(audited)
        stream = io.StringIO()
        policyreport.write(report, stream)
        objects = list(yaml.safe_load_all(stream.getvalue()))
        done = audited.kubectl("apply", "-f", "-", stdin={"apiVersion": "v1", "kind": "List", "items": objects})
        assert done.stderr == ""
        kept = audited.kubectl.get("policyreports,clusterpolicyreports", "-A")["items"]
        assert Counter(result["policy"] for obj in kept for result in obj["results"]) == Counter(
            found.policy for found in report.findings
        )
        # The API server drops fields that are not in the definition.
        assert {json.dumps(obj["results"], sort_keys=True) for obj in kept} == {
            json.dumps(obj["results"], sort_keys=True) for obj in objects
        }
    finally:
        audited.kubectl("delete", "-f", folder)


class TestRights:
    """The CronJob of the documentation, and its rights."""

    @pytest.fixture
    def token(self, audited: Cluster, checkout: Path) -> Iterator[str]:
        """Apply the documented objects, and yield a token of their ServiceAccount."""
        manifest = checkout / "docs" / "audit-cronjob.yaml"
        done = audited.kubectl("apply", "-f", manifest)
        assert done.stderr == ""
        yield audited.kubectl("create", "token", "pullguard-audit", "-n", "pullguard").stdout.strip()
        # The Namespace stays: no controller runs here that could finish deleting it.
        audited.kubectl("delete", "--ignore-not-found", "cronjob,serviceaccount", "pullguard-audit", "-n", "pullguard")
        audited.kubectl("delete", "--ignore-not-found", "clusterrolebinding", "pullguard-audit", "rescan")
        audited.kubectl("delete", "--ignore-not-found", "clusterrole", "pullguard-audit", "pullguard-rescan")

    @pytest.fixture
    def kubeconfig(self, audited: Cluster, token: str, tmp_path: Path) -> Path:
        plane = audited.plane
        return _kubeconfig(tmp_path, token, plane.url, plane.certificate.certificate)

    def test_the_documented_rights_are_enough(self, audited: Cluster, kubeconfig: Path) -> None:
        report, whole = _whole(audited, kubeconfig=kubeconfig), _whole(audited)
        assert (report.errors, report.notes, report.findings) == ((), (), whole.findings)

    def test_in_a_pod_it_needs_no_kubeconfig(
        self, audited: Cluster, token: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # The files that the kubelet puts into a pod. This process has its own /run.
        folder = Path("/run/secrets/kubernetes.io/serviceaccount")
        folder.mkdir(parents=True)
        try:
            (folder / "token").write_text(token)
            (folder / "ca.crt").write_bytes(audited.plane.certificate.certificate.read_bytes())
            place = urlsplit(audited.plane.url)
            for name, value in (("HOST", place.hostname), ("PORT", place.port)):
                monkeypatch.setenv(f"KUBERNETES_SERVICE_{name}", str(value))
            monkeypatch.setenv("HOME", str(tmp_path))
            monkeypatch.delenv("KUBECONFIG", raising=False)
            report = audit(kubectl=str(audited.kubectl.program))
        finally:
            shutil.rmtree("/run/secrets")
        assert (report.errors, _totals(report)) == ((), _totals(_audit(audited)))

    def test_it_has_no_other_rights(self, audited: Cluster, token: str) -> None:
        from local_cluster.api import Client  # noqa: PLC0415 - only here

        client = Client(audited.plane.url, audited.plane.certificate.certificate, token)
        body = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectRulesReview",
            "spec": {"namespace": _NAMESPACE},
        }
        answer = client.request("POST", "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews", body)
        allowed = {
            (verb, group, resource)
            for rule in answer.body["status"]["resourceRules"]
            for verb in rule["verbs"]
            for group in rule["apiGroups"]
            for resource in rule["resources"]
            if not group.startswith(("authorization.k8s.io", "authentication.k8s.io"))
        }
        assert allowed == {
            ("list", "constraints.gatekeeper.sh", "*"),
            ("list", "templates.gatekeeper.sh", "constrainttemplates"),
            ("list", "expansion.gatekeeper.sh", "expansiontemplate"),
            *(("list", "", resource) for resource in ("pods", "replicationcontrollers")),
            *(("list", "apps", resource) for resource in ("daemonsets", "deployments", "replicasets", "statefulsets")),
            *(("list", "batch", resource) for resource in ("cronjobs", "jobs")),
        }
        for path in (
            "/api/v1/secrets",
            "/api/v1/configmaps",
            "/api/v1/namespaces",
            f"/api/v1/namespaces/{_NAMESPACE}/pods/bare",
        ):
            assert client.request("GET", path).code == 403, path
        client.close()

    def test_a_rescan_needs_the_second_role(self, audited: Cluster, kubeconfig: Path) -> None:
        with pytest.raises(PullguardError, match=r"could not read /api/v1/namespaces.*Forbidden"):
            _audit(audited, kubeconfig=kubeconfig, scan=True)
        role, account = "--clusterrole=pullguard-rescan", "--serviceaccount=pullguard:pullguard-audit"
        audited.kubectl("create", "clusterrolebinding", "rescan", role, account)
        report = _audit(audited, kubeconfig=kubeconfig, scan=True)
        assert (report.errors, _violations(report)) == ((), _violations(_whole(audited)))

    def test_forbidden_kinds_are_errors(self, audited: Cluster, kubeconfig: Path) -> None:
        rules = audited.kubectl.get("clusterrole", "pullguard-audit")["rules"]
        left = [rule for rule in rules if rule["apiGroups"] != ["apps"]]
        patch = json.dumps([{"op": "replace", "path": "/rules", "value": left}])
        audited.kubectl("patch", "clusterrole", "pullguard-audit", "--type=json", f"--patch={patch}")
        time.sleep(1)
        report = _audit(audited, kubeconfig=kubeconfig)
        messages = [problem.message for problem in report.errors]
        namespaced = f"/apis/apps/v1/namespaces/{_NAMESPACE}/replicasets cannot be read (forbidden)"
        assert any(message.startswith(namespaced) for message in messages)
        assert (report.exit_code("deny"), report.complete) == (2, False)
        # The report still has what could be read.
        assert _totals(report) == _totals(_audit(audited))

    def test_a_token_that_is_revoked_during_the_audit_is_an_error(
        self, audited: Cluster, token: str, tmp_path: Path
    ) -> None:
        proxy = FaultProxy(audited.plane.url, audited.plane.certificate.certificate, token)

        def revoke() -> None:
            audited.kubectl("delete", "serviceaccount", "pullguard-audit", "-n", "pullguard")
            time.sleep(12)  # The API server caches valid tokens for ten seconds.

        proxy.faults = [Fault("replicasets", before=revoke, passes=True)]
        try:
            with pytest.raises(PullguardError, match=r"could not read /apis/apps.*(Unauthorized|logged in)"):
                _audit(audited, kubeconfig=_kubeconfig(tmp_path, "", proxy.url))
        finally:
            proxy.close()


class TestFaults:
    """Failures between pullguard and the real API server."""

    @pytest.fixture
    def proxy(self, audited: Cluster) -> Iterator[FaultProxy]:
        plane = audited.plane
        proxy = FaultProxy(plane.url, plane.certificate.certificate, plane.tokens["admin"])
        yield proxy
        proxy.close()

    @pytest.fixture
    def kubeconfig(self, proxy: FaultProxy, tmp_path: Path) -> Path:
        return _kubeconfig(tmp_path, "", proxy.url)

    @pytest.mark.parametrize(
        "fault",
        [
            Fault("", 429, "TooManyRequests", {"Retry-After": "1"}),
            Fault("", 429, "TooManyRequests"),
            Fault("", 503, "ServiceUnavailable"),
            Fault("", 500, "InternalError"),
            Fault("", 504, "Timeout"),
            Fault(""),
        ],
        ids=["429 with a time", "429", "503", "500", "504", "closed"],
    )
    def test_transient_failures_are_retried(
        self, audited: Cluster, proxy: FaultProxy, kubeconfig: Path, fault: Fault
    ) -> None:
        at = ("constrainttemplates", "replicasets")
        proxy.faults = [Fault(path, fault.code, fault.reason, fault.headers) for path in at]
        report = _audit(audited, kubeconfig=kubeconfig)
        assert (proxy.faults, report.errors, _totals(report)) == ([], (), _totals(_audit(audited)))

    def test_an_expired_list_is_read_again_and_nothing_is_judged_twice(
        self, audited: Cluster, proxy: FaultProxy, kubeconfig: Path
    ) -> None:
        path = f"/api/v1/namespaces/{_NAMESPACE}/pods"
        proxy.faults = [Fault("continue=", 410, "Expired")]
        with connected(kubeconfig=str(kubeconfig), program=str(audited.kubectl.program)) as kubectl:
            names = [obj["metadata"]["name"] for page in kubectl.pages(path, limit=2) for obj in page]
        assert (proxy.faults, names) == ([], ["bare", "web-2-0", "web-2-1", "web-2-2"])

    def test_a_list_that_always_expires_ends(self, audited: Cluster, proxy: FaultProxy, kubeconfig: Path) -> None:
        proxy.faults = [Fault("continue=", 410, "Expired") for _ in range(9)]
        with (
            connected(kubeconfig=str(kubeconfig), program=str(audited.kubectl.program)) as kubectl,
            pytest.raises(PullguardError, match="Expired"),
        ):
            list(kubectl.pages(f"/api/v1/namespaces/{_NAMESPACE}/pods", limit=2))
        assert len(proxy.faults) == 4

    def test_an_unreachable_server_is_reported_soon(self, audited: Cluster, tmp_path: Path) -> None:
        kubeconfig = _kubeconfig(tmp_path, "t", "http://127.0.0.1:9")
        with pytest.raises(PullguardError, match=r"could not read /apis/constraints.gatekeeper.sh: .*refused"):
            _audit(audited, kubeconfig=kubeconfig)

    def test_an_api_server_that_restarts_during_the_audit(
        self, audited: Cluster, tmp_path: Path, wait: Callable[[Callable[[], bool]], None]
    ) -> None:
        # A second API server next to that of the other tests, on the same etcd.
        command = _command_of_child("kube-apiserver")
        options = [option for option in command[1:] if not option.startswith("--secure-port=")]
        options.append("--secure-port=6444")
        plane = audited.plane
        kubeconfig = _kubeconfig(
            tmp_path, plane.tokens["admin"], "https://127.0.0.1:6444", plane.certificate.certificate
        )
        program = plane.binaries / "kube-apiserver"
        ready = ["get", "--raw=/readyz", f"--kubeconfig={kubeconfig}", "--request-timeout=5s"]

        def is_ready() -> bool:
            run = subprocess.run([audited.kubectl.program, *ready], capture_output=True, check=False, timeout=30)
            return run.returncode == 0

        folder = tmp_path / "work"
        folder.mkdir()
        with running(program, *options, folder=tmp_path):
            wait(is_ready)
            audit_command = [sys.executable, "-m", "pullguard", "audit", "--rescan", "-o", "json", "--kubeconfig"]
            process = subprocess.Popen(
                [*audit_command, str(kubeconfig)],
                env={
                    "PATH": f"{audited.kubectl.program.parent}:/usr/bin:/bin",
                    "TMPDIR": str(folder),
                    "HOME": str(tmp_path),
                },
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            # The constraints have been read; the objects that they select come next.
            wait(lambda: bool(list(folder.glob("pullguard-*/page-1.json"))) or process.poll() is not None)
        with running(program, *options, folder=tmp_path):
            wait(is_ready)
            stdout, stderr = process.communicate(timeout=_SECONDS)
        assert (stderr, process.returncode) == (b"", 1)
        report, expected = json.loads(stdout), _audit(audited, scan=True)
        assert report["errors"] == []
        assert [found["fingerprint"] for found in report["findings"] if found["kind"] != _LEFT] == [
            found.fingerprint for found in expected.findings if found.kind != _LEFT
        ]

    @pytest.fixture
    def wait(self) -> Callable[[Callable[[], bool]], None]:
        return lambda holds: wait_until(holds, timeout=_SECONDS, what="the second API server, or its user")


def _command_of_child(name: str) -> list[str]:
    """Return the command line of a child process with this program."""
    children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text("utf-8").split()
    commands = [Path(f"/proc/{child}/cmdline").read_text("utf-8").split("\0")[:-1] for child in children]
    return next(command for command in commands if command and Path(command[0]).name == name)
