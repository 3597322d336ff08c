"""What is right of the webhooks of real projects: a table, and Gatekeeper's manifest as it comes."""

from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml

from pullguard.check.command import check

_DATA = Path(__file__).parents[1] / "data/webhooks"
_POLICIES = {"webhook_blocks_recovery", "protected_webhook_host"}
_EXPECTED: Mapping[str, Mapping[str, list[str]]] = yaml.safe_load((_DATA / "expected.yaml").read_text("utf-8"))


def _found(path: Path, checkout: Path) -> dict[str, list[str]]:
    report = check([str(path)], library=str(checkout / "library"), everywhere=True)
    found: dict[str, list[str]] = {}
    for finding in report.findings:
        if finding.policy in _POLICIES:
            name = finding.details["webhook"] or finding.object.name
            found.setdefault(name, []).append(finding.rule)
    return {name: sorted(rules) for name, rules in found.items()}


@pytest.mark.parametrize("project", sorted(path.stem for path in _DATA.glob("*.yaml") if path.stem != "expected"))
def test_webhooks_of(project: str, checkout: Path) -> None:
    assert _found(_DATA / f"{project}.yaml", checkout) == _EXPECTED[project]


def test_gatekeeper_as_it_comes(checkout: Path) -> None:
    assert _found(checkout / ".tools/manifests/gatekeeper.yaml", checkout) == {}
