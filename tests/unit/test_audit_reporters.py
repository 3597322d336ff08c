"""Audits in every format."""

import csv
import io
import json
import re
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema_rs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from audit_samples import KIND, NAME, always, constraint, dump, log, owned, shop, violation
from pullguard.audit.command import audit
from pullguard.audit.formats import REPORTERS, WITHOUT_ERRORS, html, write_errors
from pullguard.audit.model import AuditReport

_SARIF = Path(__file__).resolve().parent.parent / "schemas" / "sarif-2.1.0.json"
_HOSTILE = "</script><script>alert(1)</script>\"'&lt;\u202egnp.exe\x1b[2J`|=1+1"


def _report(*texts: str) -> AuditReport:
    return audit(["-"], stdin=io.BytesIO("\n".join(texts).encode()))


@pytest.fixture(scope="module")
def report() -> AuditReport:
    return _report(shop())


@pytest.fixture(scope="module")
def partial() -> AuditReport:
    return _report(dump(constraint(run=None), constraint([violation("Pod", "a")], 3, name="other")))


def _written(report: AuditReport, output: str) -> str:
    stream = io.StringIO()
    REPORTERS[output](report, stream)
    return stream.getvalue()


def test_text() -> None:
    web, old = violation("Deployment", "web"), violation("ReplicaSet", "api-1")
    report = _report(
        dump(
            constraint([web, violation("Pod", "web-1-a"), old], 4),
            owned("ReplicaSet", "web-1", "Deployment web"),
            owned("Pod", "web-1-a", "ReplicaSet web-1"),
            owned("ReplicaSet", "api-1", "Deployment api", spec={"replicas": 0}),
        )
    )
    columns = "SEVERITY  NAMESPACE    WORKLOAD        RULE                   ACTION  SAID BY"
    advice = "Only old objects of Deployment api, which do not run, violate. A rollback would bring the violation back"
    summary = (
        "1 finding about 1 workload in 1 namespace, and 1 about objects that do not run: 3 of 4 violations shown, "
        "of 1 constraint in the files"
    )
    note = (
        "only the number of some violations is known (1): the status of a constraint keeps 20, and Gatekeeper's log "
        "drops lines with the same message; add its log or export, or use --rescan"
    )
    assert _written(report, "text").splitlines() == [
        columns,
        "high      kube-system  Deployment web  protected_pull_policy  dryrun  itself, 1 Pod",
        f"  {always()}",
        "  Change the template of Deployment web where it is kept; the rollout replaces its pods.",
        "  $ kubectl -n kube-system edit deployment.apps/web",
        "",
        "Not running:",
        "",
        columns,
        "high      kube-system  Deployment api  protected_pull_policy  dryrun  1 ReplicaSet not running",
        f"  {always()}",
        f"  {advice}, so delete them.",
        "  $ kubectl -n kube-system delete replicaset.apps/api-1",
        "",
        "CONSTRAINT              NAME                           ACTION  SHOWN   AUDITED               READ FROM",
        "K8sProtectedPullPolicy  protected-pull-policy-by-name  dryrun  3 of 4  2026-01-31T12:00:00Z  <stdin>",
        "",
        summary,
        f"Note: {note}",
    ]


def test_text_of_an_incomplete_report(partial: AuditReport) -> None:
    lines = _written(partial, "text").splitlines()
    (error,) = (line for line in lines if line.startswith("error: "))
    assert error.startswith("error: <stdin>: no audit has looked at K8sProtectedPullPolicy")
    assert any(
        line.startswith("INCOMPLETE, 1 error: 1 finding about 1 workload in 1 namespace: 1 of 3") for line in lines
    )


@pytest.mark.parametrize("output", sorted(REPORTERS))
def test_every_format_says_how_many_are_shown(output: str, report: AuditReport) -> None:
    text = _written(report, output)
    shown = {
        "csv": r",11,34\r?\n",
        "html": r"13 of 36 violations shown",
        "json": r'"shown": 13,\s+"total": 36',
        "junit": r"11 of 34 violations shown",
        "markdown": r"13 of 36 violations shown",
        "metrics": r"_violations_shown\{[^}]*protected-pull-policy-by-name[^}]*\} 11\n",
        "policyreport": r"pullguard/shown: '13'\s+pullguard/total: '36'",
        "sarif": r"only the number of some violations is known \(23\)",
        "text": r"13 of 36 violations shown",
    }
    assert re.search(shown[output], text)


@pytest.mark.parametrize("output", sorted(REPORTERS))
def test_no_format_makes_up_a_time(output: str, tmp_path: Path) -> None:
    entry = constraint([violation("Pod", "a")])
    del entry["status"]["auditTimestamp"]
    (tmp_path / "dump.json").write_text(dump(entry))
    text = _written(audit([str(tmp_path)]), output)
    expected = {
        "html": [(r"audited <time>unknown</time>", 1), (r'data-label="Audited"><time>unknown</time>', 1)],
        "json": [(r'"auditedAt": null', 1)],
        "markdown": [(r"Audited: unknown\.", 1), (r"1 of 1 \| unknown \|", 1)],
        "metrics": [(r"last_run_timestamp_seconds\{", 0)],
        "policyreport": [("timestamp", 0)],
        "text": [(r"1 of 1 +unknown +", 1)],
    }
    assert {pattern: len(re.findall(pattern, text)) for pattern, _ in expected.get(output, [])} == dict(
        expected.get(output, [])
    )


@pytest.mark.parametrize("output", sorted(REPORTERS))
def test_no_format_makes_up_a_total(output: str, tmp_path: Path) -> None:
    cut = log([violation("Pod", "a"), violation("Pod", "b")]).splitlines()[:3]
    (tmp_path / "audit.log").write_text("\n".join(cut))
    (tmp_path / "other.json").write_text(dump(constraint([violation("Pod", "c")], kind="K8sOther", name="other")))
    text = _written(audit([str(tmp_path)]), output)
    expected = {
        "csv": [(r",2,\r?\n", 2), (r",1,1\r?\n", 1)],
        "html": [
            (r"<strong>3 of an unknown number of violations shown.</strong>\s+Others may exist.</p>", 1),
            (r"<dd>3 <small>of an unknown number</small>", 1),
            (r'class="partial">2 of an unknown number</td>', 1),
            (r">1 of 1</td>", 1),
        ],
        "json": [(r'"shown": 2,\s+"total": null', 1), (r'"shown": 1,\s+"total": 1', 1), (r'3,\s+"total": null', 1)],
        "junit": [(r'message="2 of an unknown number of violations shown"', 1)],
        "markdown": [
            (r": 3 of an unknown number of violations shown, of 2 constraints in the files", 1),
            (r"\| 2 of an unknown number \|", 1),
            (r"\| 1 of 1 \|", 1),
        ],
        "metrics": [
            (r"_violations\{", 1),
            (r'_violations\{kind="K8sOther",[^}]*\} 1\n', 1),
            (r"_shown\{[^}]*\} 2\n", 1),
        ],
        "policyreport": [(r"pullguard/shown: '3'\s+pullguard/total: unknown\n", 1)],
        "sarif": [(rf"how many violations {KIND} {NAME} has is not in it", 1)],
        "text": [
            (r": 3 of an unknown number of violations shown, of 2 constraints in the files", 1),
            (r"  2 of an unknown number  ", 1),
            (r"  1 of 1  ", 1),
        ],
    }
    assert [len(re.findall(pattern, text)) for pattern, _ in expected[output]] == [
        times for _, times in expected[output]
    ]


@pytest.mark.parametrize("output", sorted(REPORTERS.keys() - WITHOUT_ERRORS))
def test_no_format_hides_errors(output: str, partial: AuditReport) -> None:
    assert "no audit has looked at K8sProtectedPullPolicy" in _written(partial, output).replace("\\", "")


def test_what_has_no_place_for_errors_says_them_on_stderr(partial: AuditReport) -> None:
    stream = io.StringIO()
    write_errors(partial, stream)
    first, *_ = stream.getvalue().splitlines()
    assert first.startswith("pullguard: error: <stdin>: no audit has looked at K8sProtectedPullPolicy")
    assert "pullguard_audit_errors 1\n" in _written(partial, "metrics")
    assert "pullguard_audit_complete 0\n" in _written(partial, "metrics")
    assert "pullguard/complete: 'false'" in _written(partial, "policyreport")


def test_json(report: AuditReport) -> None:
    value = json.loads(_written(report, "json"))
    assert value["summary"] == {"findings": 9, "idle": 1, "shown": 13, "total": 36, "errors": 0}
    assert value["findings"][3] == {
        "rule": "protected_pull_policy",
        "severity": "high",
        "policy": "protected_pull_policy",
        "kind": "K8sProtectedPullPolicy",
        "constraints": ["protected-pull-policy-by-name"],
        "enforcementAction": "dryrun",
        "workload": {"apiVersion": "apps/v1", "kind": "DaemonSet", "namespace": "kube-system", "name": "kube-proxy"},
        "idle": False,
        "objects": [
            {
                "apiVersion": "apps/v1",
                "kind": "DaemonSet",
                "namespace": "kube-system",
                "name": "kube-proxy",
                "idle": False,
            },
            {"apiVersion": "v1", "kind": "Pod", "namespace": "kube-system", "name": "kube-proxy-x7d2c", "idle": False},
        ],
        "message": 'container "kube-proxy" image "registry.k8s.io/kube-proxy:v1.36.3": imagePullPolicy is Always: '
        "cannot start without its registry; set imagePullPolicy: IfNotPresent",
        "advice": "Change the template of DaemonSet kube-proxy where it is kept; the rollout replaces its pods.",
        "command": "kubectl -n kube-system edit daemonset.apps/kube-proxy",
        "fingerprint": value["findings"][3]["fingerprint"],
        "change": None,
    }
    assert re.fullmatch("[0-9a-f]{64}", value["findings"][3]["fingerprint"])


def test_csv(report: AuditReport) -> None:
    rows = list(csv.DictReader(io.StringIO(_written(report, "csv"))))
    assert len(rows) == sum(len(found.members) for found in report.findings)
    assert [(row["workload"], row["objectKind"], row["idle"]) for row in rows if row["idle"] == "true"] == [
        ("metrics-server", "ReplicaSet", "true")
    ]


def test_csv_holds_no_formulas() -> None:
    report = _report(log([violation("Pod", "=1+1", "@SUM(A1)")]))
    (row,) = csv.DictReader(io.StringIO(_written(report, "csv")))
    assert (row["object"], row["message"]) == ("'=1+1", "'@SUM(A1)")


def test_sarif(report: AuditReport) -> None:
    value = json.loads(_written(report, "sarif"))
    jsonschema_rs.validator_for(json.loads(_SARIF.read_text())).validate(value)
    results = value["runs"][0]["results"]
    assert len(results) == 9
    assert [
        entry["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for entry in results if entry["suppressions"]
    ] == ["Deployment kube-system/metrics-server"]


def test_sarif_has_a_path_for_each_workload() -> None:
    entries = [
        violation("Deployment", "coredns"),
        violation("ClusterRole", "system:node", namespace=""),
        violation("Pod", "", namespace="/etc"),
        violation("Pod", "a/../\ud83d b", namespace="x"),
    ]
    value = json.loads(_written(_report(log(entries)), "sarif"))
    jsonschema_rs.validator_for(json.loads(_SARIF.read_text())).validate(value)
    locations = [entry["locations"] for entry in value["runs"][0]["results"]]

    def location(uri: str, name: str) -> list[dict[str, Any]]:
        return [
            {
                "physicalLocation": {"artifactLocation": {"uri": uri}},
                "logicalLocations": [{"fullyQualifiedName": name, "kind": "object"}],
            }
        ]

    assert locations == [
        location("ClusterRole/system%3Anode", "ClusterRole system:node"),
        location("%2Fetc/Pod/%28no%20name%29", "Pod /etc/"),
        location("kube-system/Deployment/coredns", "Deployment kube-system/coredns"),
        location("x/Pod/a%2F..%2F%EF%BF%BD%20b", "Pod x/a/../\ufffd b"),
    ]


def test_junit(report: AuditReport) -> None:
    top = ET.fromstring(_written(report, "junit"))  # noqa: S314 - it is our own
    assert {name: top.get(name) for name in ("tests", "failures", "skipped")} == {
        "tests": "11",
        "failures": "9",
        "skipped": "1",
    }
    assert [case.get("name") for case in top.iterfind("testsuite[3]/testcase")] == ["no violations"]


def test_metrics(report: AuditReport) -> None:
    families = {family.name: family for family in text_string_to_metric_families(_written(report, "metrics"))}
    assert set(families) == {
        f"pullguard_audit_{name}"
        for name in ("violations", "violations_shown", "last_run_timestamp_seconds", "findings", "errors", "complete")
    }
    totals = {sample.labels["constraint"]: sample.value for sample in families["pullguard_audit_violations"].samples}
    assert totals == {
        "protected-image-pinning-by-name": 2,
        "protected-pull-policy-by-name": 34,
        "webhook-blocks-recovery": 0,
    }
    (sample, *_) = families["pullguard_audit_last_run_timestamp_seconds"].samples
    assert sample.value == 1769860800
    assert sum(sample.value for sample in families["pullguard_audit_findings"].samples) == 9


def test_policy_reports(report: AuditReport) -> None:
    objects = list(yaml.safe_load_all(_written(report, "policyreport")))
    assert [
        (obj["kind"], obj["metadata"]["namespace"], obj["summary"]["fail"], obj["summary"]["skip"]) for obj in objects
    ] == [
        ("PolicyReport", "gatekeeper-system", 2, 0),
        ("PolicyReport", "ingress-nginx", 1, 0),
        ("PolicyReport", "kube-system", 5, 1),
    ]


def test_long_policy_reports_are_split_and_cluster_scoped_objects_have_their_own() -> None:
    entries = [violation("Deployment", f"web-{number}") for number in range(600)]
    objects = list(
        yaml.safe_load_all(
            _written(_report(dump(constraint([*entries, violation("Node", "n", namespace="")]))), "policyreport")
        )
    )
    assert (objects[0]["kind"], "namespace" in objects[0]["metadata"]) == ("ClusterPolicyReport", False)
    names = [obj["metadata"]["name"] for obj in objects[1:]]
    assert names == ["pullguard-audit", *(f"pullguard-audit-{number}" for number in range(2, len(names) + 1))]
    assert sum(obj["summary"]["fail"] for obj in objects[1:]) == 600
    # The API server's limit for all annotations, of which what kubectl applies is one.
    assert all(len(json.dumps(obj)) < 262_144 for obj in objects)


def test_markdown(report: AuditReport) -> None:
    lines = _written(report, "markdown").splitlines()
    assert lines[0] == "# Gatekeeper audit"
    assert [line for line in lines if line.startswith("## ")] == [
        "## Findings",
        "## Not running",
        "## Namespaces",
        "## Constraints",
    ]
    assert "| `kube-system` | 0 | 4 | 1 | 0 |" in lines


@pytest.mark.parametrize("output", sorted(REPORTERS))
def test_hostile_names_stay_text(output: str) -> None:
    entry = violation("Deployment", _HOSTILE, _HOSTILE, namespace=_HOSTILE)
    text = _written(_report(log([entry], name=_HOSTILE)), output)
    if output in {"html", "junit", "markdown"}:
        assert "<script>alert" not in text
    if output in {"html", "markdown", "text"}:
        assert "\u202e" not in text
        assert "\x1b" not in text
    if output == "metrics":
        assert list(text_string_to_metric_families(text))


def test_the_page_is_ascii() -> None:
    text = _written(_report(log([violation("Pod", "é\u65e5\U0001f600")])), "html")
    assert text.isascii()
    assert "&#233;&#26085;&#128512;" in text


def test_the_page_needs_nothing_else(report: AuditReport) -> None:
    text = _written(report, "html")
    assert re.findall(r"""(?:src|href)=(?!"#)[^>\s]+""", text) == []
    assert "http" not in re.sub("http-equiv", "", text)


def test_bars_and_matrix_say_the_same(report: AuditReport) -> None:
    policies, rows, totals = html.matrix(report.active)
    assert (policies, totals) == (["protected_image_pinning", "protected_pull_policy"], [2, 6])
    assert [(row.namespace, [(cell.number, cell.heat) for cell in row.cells], row.total) for row in rows] == [
        ("gatekeeper-system", [(0, 0), (2, 2)], 2),
        ("ingress-nginx", [(1, 1), (0, 0)], 1),
        ("kube-system", [(1, 1), (4, 4)], 5),
    ]
    bars = html.bars(report.active)
    assert [(bar.namespace, bar.text, bar.total) for bar in bars] == [
        ("kube-system", "4 high, 1 medium", 5),
        ("gatekeeper-system", "2 high", 2),
        ("ingress-nginx", "1 medium", 1),
    ]
    assert [(segment.severity, segment.start, segment.length) for segment in bars[0].segments] == [
        ("high", 0, 800),
        ("medium", 800, 200),
    ]


@settings(max_examples=40, deadline=None)
@given(name=st.text(), message=st.text(), output=st.sampled_from(sorted(REPORTERS)))
def test_any_text_can_be_reported(name: str, message: str, output: str) -> None:
    text = _written(_report(log([violation("Pod", name, message, namespace=name)])), output)
    readers: dict[str, Any] = {
        "json": json.loads,
        "sarif": json.loads,
        "junit": ET.fromstring,
        "policyreport": lambda value: list(yaml.safe_load_all(value)),
        "metrics": lambda value: list(text_string_to_metric_families(value)),
        "csv": lambda value: list(csv.reader(io.StringIO(value, newline=""))),
    }
    readers.get(output, str)(text)


@settings(max_examples=40, deadline=None)
@given(text=st.text(st.sampled_from("a\x1b\x9b\u202e\r\x00#[:v\n=")), output=st.sampled_from(sorted(REPORTERS)))
def test_no_report_holds_what_a_terminal_obeys(text: str, output: str) -> None:
    written = _written(_report(log([violation("Pod", f"##vso[{text}", f"=1{text}", namespace=text)])), output)
    controls = {character for character in written if unicodedata.category(character) in {"Cc", "Cf"}}
    assert controls <= {"\n"} | {"csv": {"\r"}, "html": {"\t"}, "junit": {"\r", "\t"}}.get(output, set())
    if output in {"text", "csv", "markdown", "metrics"}:
        assert "##vso[" not in written
