"""What the kubelet does with each pull policy without a registry, and the library's findings about it."""

from pathlib import Path

import pytest
import yaml

from incident.conftest import Seen
from incident.pods import STARTED, Pod, settled
from incident.site import PROTECTED, Site, Violation, findings
from incident.table import Row, in_words, replace_table, whole_images
from local_cluster.gatekeeper import NAMESPACE
from local_cluster.registry import ADDRESS


@pytest.fixture(scope="session")
def rows(
    matrix: Path, checkout: Path, outage: Seen, tried: tuple[Pod, ...], audited: tuple[Violation, ...]
) -> tuple[Row, ...]:
    """Return the rows for the matrix, in the order of its manifests."""
    found = findings(checkout / "library", matrix)
    outcomes = {pod.name: pod.outcome for pod in tried}
    return tuple(
        Row(
            uses=in_words(pod),
            on_node=outage.images.issuperset(whole_images(pod)),
            outcome=outcomes[name],
            rules=tuple(sorted({finding["rule"] for finding in found if finding["object"]["name"] == name})),
            policies=tuple(sorted({violation.policy for violation in audited if violation.name == name})),
        )
        for pod in yaml.safe_load_all(matrix.read_text("utf-8"))
        for name in [pod["metadata"]["name"]]
    )


def test_with_its_images_on_the_node_a_pod_starts_unless_check_finds_always(rows: tuple[Row, ...]) -> None:
    for row in rows:
        if row.on_node:
            assert (row.outcome == STARTED) == ("pull-policy-always" not in row.rules), row.uses


def test_without_its_images_no_pod_starts_and_the_audit_knows(rows: tuple[Row, ...]) -> None:
    for row in rows:
        assert row.on_node == ("protected_image_cache" not in row.policies), row.uses
        assert row.on_node or row.outcome != STARTED, row.uses


def test_audit_and_check_agree_on_what_both_can_know(rows: tuple[Row, ...]) -> None:
    for row in rows:
        assert ("protected_pull_policy" in row.policies) == ("pull-policy-always" in row.rules), row.uses
        pinning = any(rule.startswith("image-tag-") for rule in row.rules)
        assert ("protected_image_pinning" in row.policies) == pinning, row.uses


def test_every_pod_that_was_made_to_pull_asked_the_registry(tried: tuple[Pod, ...]) -> None:
    for pod in tried:
        if pod.outcome == "ImagePullBackOff":
            assert f"dial tcp {ADDRESS}: connect: connection refused" in pod.message, pod.name


def test_the_audit_finds_nothing_else_but_what_a_rollback_would_bring_back(
    site: Site, tried: tuple[Pod, ...], audited: tuple[Violation, ...]
) -> None:
    names = {pod.name for pod in tried}
    others = [violation for violation in audited if violation.kind != "Pod" or violation.name not in names]
    replaced = site.kubectl.get("replicasets", f"--namespace={NAMESPACE}")["items"]
    assert others == [
        Violation("protected_pull_policy", "ReplicaSet", NAMESPACE, replica_set["metadata"]["name"])
        for replica_set in replaced
        if replica_set["spec"]["replicas"] == 0
    ]
    assert len(others) == 2


def test_waiting_does_not_help(site: Site, tried: tuple[Pod, ...], audited: tuple[Violation, ...]) -> None:
    assert audited
    later = settled(site.kubectl, PROTECTED, [pod.name for pod in tried])
    assert [(pod.name, pod.outcome) for pod in later] == [(pod.name, pod.outcome) for pod in tried]


def test_the_page_has_this_table(rows: tuple[Row, ...], checkout: Path, pytestconfig: pytest.Config) -> None:
    page = checkout / "docs" / "incident.md"
    text = page.read_text("utf-8")
    if pytestconfig.getoption("--write-table"):
        page.write_text(replace_table(text, rows), "utf-8")
    else:
        assert text == replace_table(text, rows), "run `make incident-table`"
