"""Audits from files: what counts, what is put together, what is folded to whom."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_samples import JSON, KIND, NAME, RUN, always, constraint, dump, export, log, log_violation, owned, violation
from pullguard.audit.command import audit
from pullguard.audit.folding import fingerprint
from pullguard.audit.model import AuditFinding, AuditReport
from pullguard.core.errors import PullguardError
from pullguard.core.findings import ObjectRef
from pullguard.core.inputs.problems import InputError

_EARLIER, _LATER = "2026-01-31T11:59:00Z", "2026-01-31T12:01:00Z"
_REMEDY = "dump it again with `kubectl get constraints -o json`"


def _audit(folder: Path, *texts: str, **options: Any) -> AuditReport:
    paths = []
    for number, text in enumerate(texts):
        path = folder / f"{number}.json"
        path.write_text(text, "utf-8")
        paths.append(str(path))
    return audit(paths, **options)


def _counts(report: AuditReport) -> list[tuple[str, str, int, int | None]]:
    return [(entry.constraint.name, entry.run, entry.shown, entry.total) for entry in report.constraints]


def _members(found: AuditFinding) -> list[tuple[str, bool]]:
    return [(f"{member.object.kind} {member.object.name}", member.idle) for member in found.members]


def _workloads(report: AuditReport) -> list[str]:
    return [f"{found.workload.kind} {found.workload.name}" for found in report.findings]


def _messages(report: AuditReport) -> list[tuple[int | None, str]]:
    return [(problem.line, problem.message) for problem in report.errors]


class TestSources:
    def test_the_status_of_a_constraint(self, tmp_path: Path) -> None:
        report = _audit(tmp_path, dump(constraint([violation("Pod", "a")], 34)))
        assert _counts(report) == [(NAME, RUN, 1, 34)]
        assert (report.complete, report.exit_code("dryrun"), report.exit_code("warn")) == (False, 1, 0)

    def test_yaml_and_typed_lists(self, tmp_path: Path) -> None:
        value = constraint([violation("Pod", "a")])
        listed = {"apiVersion": value.pop("apiVersion"), "kind": f"{value.pop('kind')}List", "items": [value]}
        assert _counts(_audit(tmp_path, json.dumps(listed))) == [(NAME, RUN, 1, 1)]

    def test_stdin(self) -> None:
        report = audit(["-"], stdin=io.BytesIO(dump(constraint([violation("Pod", "a")])).encode()))
        assert [entry.sources for entry in report.constraints] == [("<stdin>",)]

    def test_the_log_completes_the_status(self, tmp_path: Path) -> None:
        entries = [violation("Pod", f"p{number}") for number in range(30)]
        report = _audit(tmp_path, dump(constraint(entries[:20], 30)), log(entries))
        assert _counts(report) == [(NAME, RUN, 30, 30)]
        assert report.complete
        assert report.constraints[0].sources == (f"{tmp_path}/0.json", f"{tmp_path}/1.json")

    def test_the_log_of_another_audit_does_not(self, tmp_path: Path) -> None:
        entries = [violation("Pod", f"p{number}") for number in range(30)]
        status = dump(constraint(entries[:20], 31))
        assert _counts(_audit(tmp_path, status, log(entries, run=_EARLIER))) == [(NAME, RUN, 20, 31)]
        assert _counts(_audit(tmp_path, status, log(entries, run=_LATER))) == [(NAME, _LATER, 30, 30)]

    def test_a_log_that_breaks_off_completes_the_status_of_the_same_audit(self, tmp_path: Path) -> None:
        entries = [violation("Pod", f"p{number}") for number in range(30)]
        begun = "".join(log(entries).splitlines(keepends=True)[:26])
        report = _audit(tmp_path, dump(constraint(entries[:20], 30)), begun)
        assert (_counts(report), report.errors) == ([(NAME, RUN, 25, 30)], ())

    def test_a_folder_of_exports_has_one_that_is_still_written(self, tmp_path: Path) -> None:
        folder = tmp_path / "audit-channel"
        folder.mkdir()
        (folder / "2026-01-31T11_59_00Z.log").write_text(export([violation("Pod", "old")], run=_EARLIER))
        (folder / "2026-01-31T12_00_00Z.log").write_text(export([violation("Pod", "a"), violation("Pod", "b")]))
        (folder / "2026-01-31T12_01_00Z.txt").write_text(export([violation("Pod", "a")], run=_LATER, ended=False)[:-9])
        report = audit([str(folder)])
        assert (_counts(report), report.errors, _workloads(report)) == ([(NAME, RUN, 2, 2)], (), ["Pod a", "Pod b"])

    def test_the_same_violation_twice_in_one_source_is_two(self, tmp_path: Path) -> None:
        twice = [violation("Pod", "a"), violation("Pod", "a")]
        report = _audit(tmp_path, dump(constraint(twice)), log([twice[0]], total=2))
        assert (_counts(report), _workloads(report)) == ([(NAME, RUN, 2, 2)], ["Pod a"])

    def test_what_an_expansion_template_implies_is_the_same_problem(self, tmp_path: Path) -> None:
        long = always(image=f"example.org/{'x' * 300}:1")
        implied = [f"[Implied by expand-workloads] {text}" for text in (always(), long)]
        found = [
            violation("Deployment", "web", implied[0]),
            violation("Deployment", "web"),
            violation("Deployment", "long", long),
            violation("Deployment", "long", implied[1]),
            violation("Deployment", "other", implied[0]),
        ]
        report = _audit(tmp_path, dump(constraint(found)))
        assert _counts(report) == [(NAME, RUN, 5, 5)]
        assert [(one.workload.name, one.message) for one in report.findings] == [
            ("long", long),
            ("other", implied[0]),
            ("web", always()),
        ]

    def test_an_expansion_template_is_named_with_the_constraints_that_it_concerns(self, tmp_path: Path) -> None:
        expansion = {
            "apiVersion": "expansion.gatekeeper.sh/v1beta1",
            "kind": "ExpansionTemplate",
            "metadata": {"name": "expand-workloads"},
            "spec": {
                "applyTo": [{"groups": ["apps"], "kinds": ["Deployment"], "versions": ["v1"]}],
                "templateSource": "spec.template",
                "generatedGVK": {"group": "", "kind": "Pod", "version": "v1"},
            },
        }
        original = constraint(name="original")
        original["spec"]["match"] = {"source": "Original"}
        for others, names in [([], []), ([constraint(), constraint(kind="K8sOthers", name="others")], [NAME])]:
            report = _audit(tmp_path, dump(original, *others), json.dumps(expansion))
            assert [note for note in report.notes if "ExpansionTemplate" in note] == [
                f"the ExpansionTemplate expand-workloads makes Gatekeeper judge the pods of Deployment as if they had "
                f"no controller, by {name}: deny refuses edits and scaling of existing objects; set match.source: "
                "Original in the constraints"
                for name in names
            ]
            assert report.errors == ()

    def test_a_constraint_that_was_never_audited(self, tmp_path: Path) -> None:
        report = _audit(tmp_path, dump(constraint(run=None)))
        message = (
            f"no audit has looked at {KIND} {NAME} yet; check that the pod gatekeeper-audit runs, wait for its next "
            "audit, or use --rescan"
        )
        assert report.errors == (InputError(f"{tmp_path}/0.json", None, None, message),)
        assert report.exit_code("deny") == 2

    def test_a_status_without_a_time(self, tmp_path: Path) -> None:
        entry = constraint([violation("Pod", "a")], 3)
        del entry["status"]["auditTimestamp"]
        report = _audit(tmp_path, dump(entry))
        assert (_counts(report), report.errors, report.runs) == ([(NAME, "", 1, 3)], (), ())
        note = f"it is not known when these were audited, because their status has no auditTimestamp: {KIND} {NAME}"
        assert note in report.notes
        assert report.exit_code("dryrun") == 1
        # Whatever has a time counts more.
        assert _counts(_audit(tmp_path, dump(entry), log([violation("Pod", "b")]))) == [(NAME, RUN, 1, 1)]

    def test_a_log_knows_what_a_manifest_does_not(self, tmp_path: Path) -> None:
        report = _audit(tmp_path, dump(constraint(run=None)), log([violation("Pod", "a")]))
        assert (_counts(report), report.errors) == ([(NAME, RUN, 1, 1)], ())

    def test_what_nobody_has_counted_is_an_error(self, tmp_path: Path) -> None:
        lines = [line for line in log([violation("Pod", "a")]).splitlines() if "constraint_audited" not in line]
        report = _audit(tmp_path, "\n".join(lines))
        message = f"how many violations {KIND} {NAME} has is not in it; give the constraints along with it"
        assert (_messages(report), report.exit_code("deny")) == ([(None, message)], 2)
        assert (_counts(report), report.total, report.shown) == ([(NAME, RUN, 1, None)], None, 1)
        assert report.constraints[0].complete is False

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (
                {"auditTimestamp": 5},
                f"the status of {KIND} {NAME} has no auditTimestamp and totalViolations as Gatekeeper writes them",
            ),
            (
                {"auditTimestamp": None, "totalViolations": None, "violations": [violation("Pod", "a")]},
                f"the status of {KIND} {NAME} has no auditTimestamp and totalViolations as Gatekeeper writes them",
            ),
            (
                {"totalViolations": None},
                f"the status of {KIND} {NAME} has no auditTimestamp and totalViolations as Gatekeeper writes them",
            ),
            ({"violations": {}}, f"the status of {KIND} {NAME} has violations that Gatekeeper does not write"),
            (
                {"violations": [{"kind": "Pod"}]},
                f"the status of {KIND} {NAME} has violations that Gatekeeper does not write",
            ),
        ],
    )
    def test_a_status_that_gatekeeper_does_not_write(
        self, tmp_path: Path, change: dict[str, Any], message: str
    ) -> None:
        value = constraint([violation("Pod", "a")])
        value["status"] |= change
        report = _audit(tmp_path, dump(value))
        assert _messages(report) == [(5, f"{message}; {_REMEDY}")]
        assert report.exit_code("deny") == 2

    def test_a_half_written_dump(self, tmp_path: Path) -> None:
        whole = dump(constraint([violation("Pod", "a")]), constraint([violation("Pod", "b")], name="other"))
        report = _audit(tmp_path, whole[: len(whole) // 2])
        assert report.exit_code("deny") == 2
        assert [message.partition(":")[0] for _, message in _messages(report)] == ["not valid JSON"]

    @pytest.mark.parametrize("text", ["# nothing\n", "", " \n", "---\n"])
    def test_a_file_with_nothing_in_it(self, tmp_path: Path, text: str) -> None:
        report = _audit(tmp_path, text)
        message = (
            "holds neither objects nor lines of Gatekeeper's audit; check whether the command that wrote it failed"
        )
        assert (_messages(report), report.exit_code("deny")) == ([(None, message)], 2)

    def test_what_is_nested_too_deep_is_no_matter_of_an_option_of_audit(self, tmp_path: Path) -> None:
        file = tmp_path / "deep.yaml"
        file.write_text(f"a: {'[' * 600}{']' * 600}\n")
        report = audit([str(file)])
        message = "nested deeper than 500 levels; reduce the nesting (`pullguard check` allows more with --max-depth)"
        assert (_messages(report), report.exit_code("deny")) == ([(1, message)], 2)

    def test_a_log_of_powershell(self, tmp_path: Path) -> None:
        (tmp_path / "audit.log").write_bytes(log([violation("Pod", "a")]).encode("utf-16"))
        assert _counts(audit([str(tmp_path)])) == [(NAME, RUN, 1, 1)]

    def test_lines_in_a_form_that_is_not_read_are_named(self, tmp_path: Path) -> None:
        lines = [json.loads(line) for line in log([violation("Pod", "a")]).splitlines()]
        report = _audit(tmp_path, json.dumps(lines, indent=2))
        message = (
            "has lines of Gatekeeper's audit, but none of them can be read; write them as `kubectl logs` does, one per "
            "line: `jq -c '.[]'` unpacks a list"
        )
        assert _messages(report) == [(None, message)]

    def test_nothing_on_stdin(self) -> None:
        message = "nothing came on standard input; see whether the command before the pipe has failed"
        assert audit(["-"], stdin=io.BytesIO()).errors == (InputError("<stdin>", None, None, message),)

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        report = audit([str(tmp_path / "x")])
        assert report.exit_code("deny") == 2

    def test_nothing_of_an_audit(self, tmp_path: Path) -> None:
        with pytest.raises(PullguardError, match=r"^no audit results in the files: .*kubectl get constr"):
            _audit(tmp_path, dump(owned("Pod", "a")))

    @settings(max_examples=30, deadline=None)
    @given(
        names=st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12),
        kept=st.integers(0, 12),
        log_first=st.booleans(),
    )
    def test_whatever_the_status_keeps_the_log_completes(
        self, tmp_path_factory: pytest.TempPathFactory, names: list[str], kept: int, log_first: bool
    ) -> None:
        entries = [violation("Pod", name) for name in names]
        texts = [dump(constraint(entries[:kept], len(entries))), log(entries)]
        report = _audit(tmp_path_factory.mktemp("audit"), *(reversed(texts) if log_first else texts))
        assert _counts(report) == [(NAME, RUN, len(entries), len(entries))]
        assert _workloads(report) == [f"Pod {name}" for name in sorted(set(names))]


class TestFolding:
    def test_owner_chains_are_one_finding(self, tmp_path: Path) -> None:
        names = ["Deployment web", "ReplicaSet web-1", "Pod web-1-a", "Pod web-1-b"]
        entries = [violation(*name.split()) for name in names]
        report = _audit(
            tmp_path,
            dump(
                constraint(entries),
                owned("Deployment", "web"),
                owned("ReplicaSet", "web-1", "Deployment web"),
                owned("Pod", "web-1-a", "ReplicaSet web-1"),
                owned("Pod", "web-1-b", "ReplicaSet web-1"),
            ),
        )
        (found,) = report.findings
        order = ["Deployment web", "Pod web-1-a", "Pod web-1-b", "ReplicaSet web-1"]
        assert _members(found) == [(name, False) for name in order]
        assert (found.workload, found.rule, found.severity, found.action) == (
            ObjectRef("apps/v1", "Deployment", "kube-system", "web"),
            "protected_pull_policy",
            "high",
            "dryrun",
        )
        assert found.advice == (
            "Change the template of Deployment web where it is kept; the rollout replaces its pods."
        )
        assert found.command == "kubectl -n kube-system edit deployment.apps/web"

    def test_details_tell_the_rule(self, tmp_path: Path) -> None:
        lines = log([violation("Deployment", "web")]).replace('"details": {}', '"details": {"reason": "disallowed"}')
        (found,) = _audit(tmp_path, lines).findings
        assert (found.rule, found.severity) == ("pull-policy-disallowed", "medium")

    def test_policies_of_others_are_of_medium_severity(self, tmp_path: Path) -> None:
        (found,) = _audit(tmp_path, dump(constraint([violation("Pod", "a", "no labels")], kind="K8sLabels"))).findings
        assert (found.rule, found.policy, found.severity) == ("k8slabels", "k8slabels", "medium")

    def test_a_new_image_is_no_new_problem_and_the_owner_speaks(self, tmp_path: Path) -> None:
        report = _audit(
            tmp_path,
            dump(
                constraint(
                    [
                        violation("Pod", "web-1-a", always(image="example.org/app:1")),
                        violation("Deployment", "web", always(image="example.org/app:2")),
                        violation("Deployment", "web", always(container="sidecar")),
                    ]
                ),
                owned("ReplicaSet", "web-1", "Deployment web"),
                owned("Pod", "web-1-a", "ReplicaSet web-1"),
            ),
        )
        assert [(found.message, len(found.members)) for found in report.findings] == [
            (always(image="example.org/app:2"), 2),
            (always(container="sidecar"), 1),
        ]

    def test_old_replica_sets_are_told_apart(self, tmp_path: Path) -> None:
        report = _audit(
            tmp_path,
            dump(
                constraint([violation("ReplicaSet", "web-1"), violation("ReplicaSet", "web-2")]),
                owned("ReplicaSet", "web-1", "Deployment web", spec={"replicas": 0}),
                owned("ReplicaSet", "web-2", "Deployment web", spec={"replicas": 0}),
            ),
        )
        (found,) = report.findings
        assert (found.idle, report.active, report.exit_code("dryrun")) == (True, (), 0)
        assert found.command == "kubectl -n kube-system delete replicaset.apps/web-1 replicaset.apps/web-2"

    @pytest.mark.parametrize(
        ("obj", "idle"),
        [
            (owned("Deployment", "x", spec={"replicas": 0}), True),
            (owned("Deployment", "x", spec={"replicas": 1}), False),
            (owned("Deployment", "x", spec=5), False),
            (owned("Pod", "x", status={"phase": "Succeeded"}), True),
            (owned("Pod", "x", status={"phase": ["Running"]}), False),
            (owned("Job", "x", status={"conditions": [{"type": "Complete", "status": "True"}]}), True),
            (owned("Job", "x", status={"conditions": [{"type": "Complete", "status": "False"}]}), False),
            (owned("Job", "x", status={"conditions": "x"}, spec={"suspend": True}), True),
        ],
    )
    def test_what_is_idle(self, tmp_path: Path, obj: dict[str, Any], idle: bool) -> None:
        (found,) = _audit(tmp_path, dump(constraint([violation(obj["kind"], "x")]), obj)).findings
        assert found.idle is idle

    def test_static_pods_stand_for_themselves(self, tmp_path: Path) -> None:
        (found,) = _audit(
            tmp_path, dump(constraint([violation("Pod", "etcd-n")]), owned("Pod", "etcd-n", "Node n"))
        ).findings
        assert (found.workload.kind, found.workload.name, found.command) == ("Pod", "etcd-n", "")
        assert found.advice.startswith("Edit the file of the static pod on its node")

    def test_pods_whose_owner_passes(self, tmp_path: Path) -> None:
        spec = {"containers": [{"name": "app", "image": "example.org/app:1", "imagePullPolicy": "Always"}]}
        objects = [
            owned("ReplicaSet", "web-1", "Deployment web", spec={"template": {"spec": spec}}),
            owned("Pod", "web-1-a", "ReplicaSet web-1", spec=spec),
        ]
        entry = violation("Pod", "web-1-a")
        (found,) = _audit(tmp_path, dump(constraint([entry]), *objects)).findings
        assert found.command == "kubectl -n kube-system rollout restart deployment.apps/web"
        # Where not all violations are shown, nothing is said of what passes.
        (found,) = _audit(tmp_path, dump(constraint([entry], 2), *objects)).findings
        assert found.command == "kubectl -n kube-system get -o yaml deployment.apps/web"

    def test_labels_in_logs_tell_owners_for_want_of_objects(self, tmp_path: Path) -> None:
        labelled: JSON = {"resource_labels": {"pod-template-hash": "5d4f"}}
        entries: list[tuple[JSON, JSON]] = [
            (violation("ReplicaSet", "web-5d4f"), labelled),
            (violation("Pod", "web-5d4f-x2"), labelled),
            (violation("Pod", "mail-1-x"), {"resource_labels": {"batch.kubernetes.io/job-name": "mail-1"}}),
            (violation("Pod", "bare"), {"resource_labels": {"app": "bare"}}),
        ]
        started, *_, total, finished = log([entry for entry, _ in entries]).splitlines()
        lines = [json.dumps(log_violation(entry, **more)) for entry, more in entries]
        report = _audit(tmp_path, "\n".join([started, *lines, total, finished]))
        assert _workloads(report) == ["Deployment web", "Job mail-1", "Pod bare"]

    @pytest.mark.parametrize(
        ("more", "objects"),
        [((), "1 Pod"), (("Pod b", "ReplicaSet a", "Job b", "Job c", "Deployment d"), "2 Jobs, 2 Pods, 1 ReplicaSet")],
    )
    def test_unknown_owners_are_a_note(self, tmp_path: Path, more: tuple[str, ...], objects: str) -> None:
        names = ("Pod web-1-a", *more)
        report = _audit(tmp_path, dump(constraint([violation(*name.split()) for name in names])))
        note = (
            f"the owner of {objects} is not known, so each is reported by itself; add the output of "
            "`kubectl get pods,replicasets,jobs,deployments,daemonsets,statefulsets -A -o json`"
        )
        assert report.notes == (note,)
        advice = {found.workload.name: found.advice for found in report.findings}["web-1-a"]
        assert advice == "The input does not show whether Pod web-1-a has an owner. If it has one, change it there."

    def test_owners_in_a_ring_end(self, tmp_path: Path) -> None:
        report = _audit(
            tmp_path,
            dump(constraint([violation("Pod", "a")]), owned("Pod", "a", "Pod b"), owned("Pod", "b", "Pod a")),
        )
        assert len(report.findings) == 1

    def test_several_constraints_of_a_policy_are_one_finding(self, tmp_path: Path) -> None:
        entry = violation("Deployment", "web")
        denied = {**entry, "enforcementAction": "deny"}
        report = _audit(tmp_path, dump(constraint([entry]), constraint([denied], name="a-label")))
        (found,) = report.findings
        assert (found.constraints, found.action) == (("a-label", NAME), "deny")

    def test_commands_are_quoted(self, tmp_path: Path) -> None:
        report = _audit(tmp_path, log([violation("Deployment", "a;reboot", namespace="$(id)")]))
        assert report.findings[0].command == "kubectl -n '$(id)' edit 'deployment.apps/a;reboot'"

    def test_a_cut_message_and_a_whole_one_are_the_same_finding(self) -> None:
        ref = ObjectRef("apps/v1", "Deployment", "kube-system", "web")
        whole = f'container "x" {"y" * 300}'
        assert fingerprint(KIND, ref, whole) == fingerprint(KIND, ref, f"{whole[:253]}...")
        assert fingerprint(KIND, ref, whole) != fingerprint("K8sOther", ref, whole)

    @settings(max_examples=50, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["Pod", "ReplicaSet", "Deployment"]), st.sampled_from("abc"), st.sampled_from("xy")
            ),
            max_size=12,
            unique=True,
        ),
        st.dictionaries(
            st.sampled_from(["Pod a", "Pod b", "ReplicaSet a", "ReplicaSet b"]),
            st.sampled_from(["ReplicaSet a", "ReplicaSet c", "Deployment a", "Pod b"]),
        ),
    )
    def test_folding_loses_and_doubles_nothing(
        self,
        tmp_path_factory: pytest.TempPathFactory,
        entries: list[tuple[str, str, str]],
        owners: dict[str, str],
    ) -> None:
        violations = [violation(kind, name, message) for kind, name, message in entries]
        objects = [owned(kind, name, owner) for (kind, name), owner in ((key.split(), owners[key]) for key in owners)]
        report = _audit(tmp_path_factory.mktemp("fold"), dump(constraint(violations), *objects))
        folded = [
            (member.object.kind, member.object.name, found.message)
            for found in report.findings
            for member in found.members
        ]
        assert sorted(folded) == sorted(entries)
        keys = [(found.workload, found.message) for found in report.findings]
        assert len(keys) == len(set(keys))
