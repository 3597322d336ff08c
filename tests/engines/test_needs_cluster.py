"""A policy that asks what is in a cluster is not asked about files."""

import json
from pathlib import Path

import pytest

from pullguard.check.command import check
from pullguard.core.findings import Unjudged
from small_library import generate_library


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, checkout: Path) -> Path:
    folder = tmp_path_factory.mktemp("needs-cluster")
    return generate_library(folder, checkout, "protected_image_cache", "protected_pull_policy")


def test_check_says_what_it_does_not_judge_by(library: Path) -> None:
    sample = library / "policies/protected_pull_policy/samples/deployment_if_not_present.yaml"
    report = check([str(sample)], library=str(library))
    assert report.findings == ()
    message = "K8sProtectedImageCache asks what is in a cluster, so nothing was judged by it"
    assert report.unjudged == (Unjudged("cluster", 1, ("K8sProtectedImageCache",), None, message),)
    assert report.exit_code("dryrun", strict=True) == 0


def test_the_bundle_for_conftest_leaves_it_out(library: Path) -> None:
    bundle = library / "conftest"
    constraints = json.loads((bundle / "data/pullguard.json").read_text())["pullguard"]["constraints"]
    assert {entry["policy"] for entry in constraints} == {"protected_pull_policy"}
    assert [path.name for path in (bundle / "policy/policies").iterdir()] == ["protected_pull_policy"]
