"""The manifests in the documentation keep to our own policies."""

from pathlib import Path

import pytest
import yaml

from pullguard.check.command import check

_CRONJOBS = {"audit-cronjob.yaml": 6, "outage-cronjob.yaml": 5}


@pytest.mark.parametrize(("name", "objects"), _CRONJOBS.items())
def test_it_would_survive_the_loss_of_its_registry(name: str, objects: int, checkout: Path, tmp_path: Path) -> None:
    manifest = tmp_path / name
    manifest.write_text((checkout / "docs" / name).read_text("utf-8").replace("/OWNER/", "/the-owner/"), "utf-8")
    report = check([str(manifest)], library=str(checkout / "library"), everywhere=True)
    assert (report.findings, report.errors, report.objects) == ((), (), objects)


@pytest.mark.parametrize("name", _CRONJOBS)
def test_until_somebody_says_who_the_owner_is_its_image_is_nobodys(name: str, checkout: Path) -> None:
    report = check([str(checkout / "docs" / name)], library=str(checkout / "library"), everywhere=True)
    assert [found.rule for found in report.findings] == ["image-invalid"]


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
