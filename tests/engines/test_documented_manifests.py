"""The manifests in the documentation keep to our own policies."""

from pathlib import Path

import pytest

from pullguard.check.command import check


@pytest.mark.parametrize("name", ["audit-cronjob.yaml"])
def test_it_would_survive_the_loss_of_its_registry(name: str, checkout: Path) -> None:
    report = check([str(checkout / "docs" / name)], library=str(checkout / "library"), everywhere=True)
    assert (report.findings, report.errors, report.objects) == ((), (), 6)
