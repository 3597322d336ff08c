"""The manifests in the documentation keep to our own policies."""

from pathlib import Path

import pytest
import yaml

from pullguard.check.command import check


@pytest.mark.parametrize("name", ["audit-cronjob.yaml"])
def test_it_would_survive_the_loss_of_its_registry(name: str, checkout: Path) -> None:
    report = check([str(checkout / "docs" / name)], library=str(checkout / "library"), everywhere=True)
    assert (report.findings, report.errors, report.objects) == ((), (), 6)


def test_a_rescan_may_list_what_the_constraints_of_the_library_select(checkout: Path) -> None:
    documents = list(yaml.safe_load_all((checkout / "docs" / "audit-cronjob.yaml").read_text("utf-8")))
    listable = {
        (group, resource)
        for document in documents
        if document["kind"] == "ClusterRole"
        for rule in document["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    }
    selected = {
        (group, kind)
        for file in (checkout / "library" / "policies").glob("*/constraints.yaml")
        for constraint in yaml.safe_load_all(file.read_text("utf-8"))
        for match in constraint["spec"]["match"]["kinds"]
        for group in match["apiGroups"]
        for kind in match["kinds"]
    }
    wanted = {
        (group, f"{kind.lower()}{'es' if kind.endswith('s') else 's'}")
        for group, kind in selected
        if group != "extensions"  # which no API server has any more
    }
    assert ("argoproj.io", "rollouts") in wanted
    assert wanted - listable == set()
