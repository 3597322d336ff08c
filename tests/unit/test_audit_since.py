"""What is new, what remains and what is gone since an earlier report."""

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_samples import always, constraint, dump, owned, violation
from pullguard.audit.command import audit
from pullguard.audit.formats import json as audit_json
from pullguard.audit.formats import words
from pullguard.audit.model import AuditReport
from pullguard.core.errors import PullguardError

_REMEDY = "pass a file that `pullguard audit -o json` has written"


_EMPTY = {"format": "pullguard-audit/1", "findings": [], "constraints": [], "errors": []}
_BAD = {
    "fingerprint": "f",
    "severity": "bad",
    "policy": "p",
    "kind": "K",
    "message": "m",
    "workload": {"apiVersion": "v1", "kind": "Pod", "namespace": "n", "name": "p"},
}

_GOOD = _BAD | {"severity": "high"}


def _audit(folder: Path, value: str, since: Path | None = None) -> AuditReport:
    (folder / "dump.json").write_text(value)
    return audit([str(folder / "dump.json")], since=None if since is None else str(since))


def _saved(folder: Path, value: str) -> Path:
    file = folder / "report.json"
    with file.open("w") as stream:
        audit_json.write(_audit(folder, value), stream)
    return file


def _deployments(names: Sequence[str], total: int | None = None, **more: Any) -> str:
    return dump(constraint([violation("Deployment", name, **more) for name in names], total))


def _changes(report: AuditReport) -> dict[str, str]:
    return {found.workload.name: found.change for found in report.findings}


def _gone(report: AuditReport) -> list[tuple[str, bool]]:
    assert report.since is not None
    return [(fixed.workload.name, fixed.certain) for fixed in report.since.gone]


def test_new_fixed_and_remaining(tmp_path: Path) -> None:
    earlier = _saved(tmp_path, _deployments(["a", "b"]))
    report = _audit(tmp_path, _deployments(["b", "c"]), earlier)
    assert (_changes(report), _gone(report)) == ({"b": "remaining", "c": "new"}, [("a", True)])
    assert words.since(report) == f"Since {earlier}: 1 new, 1 remaining, 1 fixed"


def test_a_new_image_or_new_pods_remain(tmp_path: Path) -> None:
    def cluster(version: str) -> str:
        entry = violation("Pod", f"web-{version}-x", always(image=f"example.org/app:{version}"))
        chain = [
            owned("Pod", f"web-{version}-x", f"ReplicaSet web-{version}"),
            owned("ReplicaSet", f"web-{version}", "Deployment web"),
        ]
        return dump(constraint([entry]), *chain)

    report = _audit(tmp_path, cluster("2"), _saved(tmp_path, cluster("1")))
    assert (_changes(report), _gone(report)) == ({"web": "remaining"}, [])


def test_what_was_not_shown_is_not_said_to_be_new(tmp_path: Path) -> None:
    report = _audit(tmp_path, _deployments(["a", "b"]), _saved(tmp_path, _deployments(["a"], 2)))
    assert _changes(report) == {"a": "remaining", "b": "unknown"}
    assert words.since(report).endswith(": 0 new, 1 remaining, 0 fixed, 1 new or not shown before")


def test_what_is_not_shown_is_not_said_to_be_fixed(tmp_path: Path) -> None:
    report = _audit(tmp_path, _deployments(["a"], 2), _saved(tmp_path, _deployments(["a", "b"])))
    assert _gone(report) == [("b", False)]
    assert words.since(report).endswith(": 0 new, 1 remaining, 0 fixed, 1 fixed or not shown now")


def test_a_constraint_that_is_not_read_any_more_fixes_nothing(tmp_path: Path) -> None:
    other = dump(constraint([], kind="K8sOther", name="other"))
    assert _gone(_audit(tmp_path, other, _saved(tmp_path, _deployments(["a"])))) == [("a", False)]


def test_a_constraint_that_was_not_read_before_finds_nothing_new(tmp_path: Path) -> None:
    earlier = _saved(tmp_path, _deployments(["a"]))
    other = dump(constraint([violation("Deployment", "b")], kind="K8sOther", name="other"))
    assert _changes(_audit(tmp_path, other, earlier)) == {"b": "unknown"}


def test_an_earlier_report_with_errors_is_not_sure(tmp_path: Path) -> None:
    earlier = _saved(tmp_path, _deployments(["a"]))
    value = json.loads(earlier.read_text())
    value["errors"] = [{"file": "f", "line": None, "document": None, "message": "m"}]
    earlier.write_text(json.dumps(value))
    assert _changes(_audit(tmp_path, _deployments(["a", "b"]), earlier)) == {"a": "remaining", "b": "unknown"}


def test_an_earlier_report_without_a_total_is_not_sure(tmp_path: Path) -> None:
    earlier = _saved(tmp_path, _deployments(["a"]))
    value = json.loads(earlier.read_text())
    value["constraints"][0]["total"] = None
    earlier.write_text(json.dumps(value))
    assert _changes(_audit(tmp_path, _deployments(["a", "b"]), earlier)) == {"a": "remaining", "b": "unknown"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "is not a report of pullguard audit"),
        ("[", "is not a report of pullguard audit"),
        ('{"format": "pullguard-audit/1"}', "is not a report of pullguard audit"),
        (
            '{"format": "pullguard-audit/2", "findings": [], "constraints": [], "errors": []}',
            "is not a report of pullguard audit",
        ),
        (
            '{"format": "pullguard-audit/1", "findings": [{"fingerprint": "f"}], "constraints": [], "errors": []}',
            "has a finding that is not in the format of a report",
        ),
        (json.dumps({**_EMPTY, "findings": [_BAD]}), "has a finding that is not in the format of a report"),
        (json.dumps({**_EMPTY, "findings": [_GOOD | {"fingerprint": 5}]}), "is not a report of pullguard audit"),
    ],
)
def test_what_is_no_report(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "r.json"
    file.write_text(text)
    with pytest.raises(PullguardError) as caught:
        _audit(tmp_path, _deployments(["a"]), file)
    assert str(caught.value) == f"{file}: {message}; {_REMEDY}"


@settings(max_examples=30, deadline=None)
@given(before=st.sets(st.sampled_from("abcdef")), after=st.sets(st.sampled_from("abcdef")))
def test_changes_are_differences_of_sets(
    tmp_path_factory: pytest.TempPathFactory, before: set[str], after: set[str]
) -> None:
    folder = tmp_path_factory.mktemp("since")
    report = _audit(folder, _deployments(sorted(after)), _saved(folder, _deployments(sorted(before))))
    assert _changes(report) == {name: "remaining" if name in before else "new" for name in after}
    assert _gone(report) == [(name, True) for name in sorted(before - after)]


def test_a_report_says_what_it_compares(tmp_path: Path) -> None:
    earlier = _saved(tmp_path, _deployments(["a"]))
    stream = io.StringIO()
    audit_json.write(_audit(tmp_path, _deployments([]), earlier), stream)
    since = json.loads(stream.getvalue())["since"]
    assert (since["report"], [entry["workload"]["name"] for entry in since["gone"]]) == (str(earlier), ["a"])
