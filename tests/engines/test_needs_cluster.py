"""A policy that asks what is in a cluster is not asked about files."""

import json
from pathlib import Path

from pullguard.judging.judge import check


def test_check_says_what_it_does_not_judge_by(checkout: Path) -> None:
    sample = checkout / "library/policies/protected_pull_policy/samples/deployment_if_not_present.yaml"
    report = check([str(sample)], library=str(checkout / "library"))
    assert report.findings == ()
    assert report.notes == ("K8sProtectedImageCache asks what is in a cluster, so nothing was judged by it",)


def test_the_bundle_for_conftest_leaves_it_out(checkout: Path) -> None:
    bundle = checkout / "library/conftest"
    constraints = json.loads((bundle / "data/pullguard.json").read_text())["pullguard"]["constraints"]
    assert sorted({entry["policy"] for entry in constraints}) == [
        "protected_image_pinning",
        "protected_pull_policy",
        "protected_webhook_host",
        "webhook_self_block",
    ]
    assert not (bundle / "policy/policies/protected_image_cache").exists()
