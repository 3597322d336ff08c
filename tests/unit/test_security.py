"""docs/security.md: every row of its tables and every point of its lists has tests, and they are there."""

import re
from pathlib import Path

import pytest

from pullguard.check.baseline import with_baseline
from pullguard.cluster import kubectl
from pullguard.core import programs
from pullguard.core.errors import PullguardError, TimedOutError
from pullguard.core.findings import Report
from pullguard.core.tree_files import LARGEST
from pullguard.library import config
from pullguard.library.store import load
from shared_engine import ENGINE

#: By the beginning of a row or a point, the tests that hold it: files below tests/ or tools/engine/, and functions.
HELD = {
    "manifests": [
        "unit/test_inputs_documents.py::test_any_text_gives_documents_or_errors",
        "unit/test_inputs.py::test_one_broken_file_does_not_hide_the_others",
        "engines/test_as_kubectl.py::test_random_files",
        "faults/test_mutated_files.py::test_engines_agree",
    ],
    "names of files": [
        "unit/test_cli.py::test_names_of_files_are_no_options",
        "integrations/test_pre_commit.py::test_names_of_files_are_no_options",
    ],
    "links": [
        "unit/test_inputs_selection.py::test_globs_follow_no_link_to_a_folder",
        "unit/test_text_files.py::test_links_are_not_written_through",
        "unit/test_editing_files.py::test_a_folder_that_is_a_link",
    ],
    "`.git`": [
        "unit/test_changed_since.py::test_a_folder_that_looks_like_a_repository_runs_nothing",
        "unit/test_changed_since.py::test_nothing_of_the_configuration_runs",
        "unit/test_changed_since.py::test_no_object_is_fetched",
        "unit/test_changed_since.py::test_the_environment_says_nothing_to_git",
    ],
    "`./library` and": [
        "engines/test_provenance.py::test_the_first_line_says_what_is_wrong",
        "engines/test_provenance.py::test_the_weak_library_of_a_stranger",
    ],
    "Rego of libraries": [
        "faults/test_confinement.py::test_libraries",
        "faults/test_confinement.py::test_libraries_in_conftest",
        "faults/test_confinement.py::test_suites",
        "faults/test_confinement.py::test_the_engine_sees_nothing_of_the_environment",
    ],
    "kustomizations and charts": [
        "builds/worker/worker_test.go::TestNothingIsFetched",
        "builds/worker/worker_test.go::TestNoProgramIsRun",
        "builds/kustomize/places_test.go::TestNothingOutsideOfTheRepositoryIsRead",
        "builds/helm/charts_test.go::TestLinksOutOfTheRepositoryAreRefused",
    ],
    "Suites and MANIFESTs": [
        "unit/test_suite_files.py::test_what_a_suite_names_is_in_its_tree",
        "unit/test_library.py::test_a_library_reads_nothing_outside_of_it",
        "unit/test_library.py::test_no_manifest_makes_a_library_reach_out_of_its_folder",
    ],
    "API servers": [
        "unit/test_hostile_texts.py::test_what_kubectl_says_holds_no_secrets",
        "faults/test_hostile_servers.py::test_a_rescan_of_what_answers_otherwise",
        "faults/test_hostile_servers.py::test_pages_in_a_circle",
        "faults/test_hostile_servers.py::test_pages_without_an_end",
    ],
    "text from any of these": [
        "unit/test_hostile_texts.py::test_reports_parse_and_hold_nothing_that_is_obeyed",
        "unit/test_hostile_texts.py::test_errors_are_escaped",
        "unit/test_hostile_texts.py::test_pages_are_escaped",
    ],
    "other users": [
        "engines/test_check.py::test_nothing_is_left_behind",
        "engines/test_opa_server.py::test_only_the_token_opens_it",
        "engines/test_opa_server.py::test_a_port_that_another_program_took_since_gets_no_token",
        "engines/test_opa_server.py::test_it_listens_on_loopback_only",
    ],
    "a document": [
        "engines/test_check_inputs.py::test_limits",
        "read/full_yaml_test.go::TestAliasBombs",
        "read/read_test.go::TestNestingHasALimit",
        "read/read_test.go::TestDocumentsThatAreTooLarge",
    ],
    "a file of a library": [
        "unit/test_suite_files.py::test_what_a_suite_names_is_in_its_tree",
        "unit/test_security.py::test_files_that_people_write_have_a_largest_size",
    ],
    "a query": ["judge/judge_test.go::TestAPolicyThatDoesNotEnd"],
    "a program that evaluates": [
        "faults/test_confinement.py::test_memory_of_conftest_is_bounded",
        "faults/test_confinement.py::test_memory_of_opa_servers_is_bounded",
        "faults/test_confinement.py::test_memory_of_the_engine_is_bounded",
    ],
    "a build": ["builds/worker/worker_test.go::TestLimits"],
    "a list of an API server": ["faults/test_hostile_servers.py::test_pages_without_an_end"],
    "git, kubectl": ["unit/test_security.py::test_a_program_that_does_not_end"],
    "a disk is full": [
        "faults/test_robustness.py::test_a_disk_that_is_full",
        "faults/test_robustness.py::test_standard_input_is_kept_whole",
        "faults/test_robustness.py::test_a_limit_on_files",
        "faults/test_robustness.py::test_no_memory",
    ],
    "standard input": [
        "faults/test_robustness.py::test_closed_standard_input",
        "faults/test_robustness.py::test_full_standard_output",
        "faults/test_robustness.py::test_all_closed",
        "faults/test_robustness.py::test_a_pipe_that_does_not_wait_is_read_to_its_end",
        "faults/test_robustness.py::test_a_working_directory_that_is_gone",
        "faults/test_robustness.py::test_what_may_not_be_read_is_an_error",
    ],
    "a program that pullguard runs": [
        "faults/test_engine_faults.py::test_an_engine_that_is_killed",
        "faults/test_engine_faults.py::test_answers_that_are_not_what_they_should_be",
    ],
    "pullguard itself has a fault": ["faults/test_robustness.py::test_a_fault_of_pullguard_is_no_finding"],
}


def _claims(checkout: Path) -> list[str]:
    """Return the rows of the tables, but for their heads, and the points of what never looks clean."""
    text = (checkout / "docs/security.md").read_text()
    rows = [line[2:] for line in text.splitlines() if line.startswith("| ") and not line.startswith("| what |")]
    return rows + re.findall(r"(?m)^- (.*)$", text[text.index("## What never looks clean") :])


def test_every_claim_is_held(checkout: Path) -> None:
    claims = _claims(checkout)
    assert len(claims) > 15
    assert [claim for claim in claims if sum(claim.startswith(start) for start in HELD) != 1] == []
    assert [start for start in HELD if not any(claim.startswith(start) for claim in claims)] == []


@pytest.mark.parametrize("test", sorted({test for tests in HELD.values() for test in tests}))
def test_what_holds_it_is_there(test: str, checkout: Path) -> None:
    file, _, name = test.partition("::")
    is_go = file.endswith(".go")
    text = (checkout / ("tools/engine" if is_go else "tests") / file).read_text()
    assert re.search(rf"(?m)^{'func' if is_go else 'def'} {name}\(", text)


def test_files_that_people_write_have_a_largest_size(tmp_path: Path) -> None:
    file = tmp_path / "large.yaml"
    with file.open("wb") as stream:
        stream.truncate(LARGEST + 1)
    with pytest.raises(PullguardError, match="larger than 64 MB"):
        config.load(ENGINE, file, [])
    with pytest.raises(PullguardError, match="larger than 64 MB"):
        with_baseline(Report((), (), 0, 0, 0, "", ()), str(file), [], write=False)
    with pytest.raises(PullguardError, match="larger than 64 MB"):
        load(ENGINE, tmp_path)


def test_a_program_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started = programs.start(["sleep", "600"], folder=tmp_path, timeout=0.1)
    with pytest.raises(TimedOutError):
        started.wait()
    assert started.process.returncode is not None
    slow = tmp_path / "kubectl"
    slow.write_text("#!/bin/sh\nexec sleep 600\n")
    slow.chmod(0o755)
    (tmp_path / "kubeconfig").write_text("{}")
    monkeypatch.setattr(kubectl, "_TIMEOUT", 0.1)
    with (
        kubectl.connected(kubeconfig=str(tmp_path / "kubeconfig"), program=str(slow)) as client,
        pytest.raises(PullguardError, match="kubectl did not answer /api in 0 seconds"),
    ):
        client.value("/api")
