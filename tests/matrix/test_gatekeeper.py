"""The library with each Gatekeeper: its gator, and its definitions under strict validation."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
import yaml

from crd_schemas import crd_validator
from matrix.releases import GATEKEEPER, Gatekeeper, NotHadError

pytestmark = pytest.mark.parametrize("version", GATEKEEPER)


def _manifest(version: str) -> Path:
    try:
        return Gatekeeper(version).manifest()
    except NotHadError as error:
        pytest.skip(str(error))


def _objects(*files: Path) -> list[dict[str, Any]]:
    return [obj for path in files for obj in yaml.safe_load_all(path.read_text("utf-8"))]


def test_every_suite_passes(
    version: str,
    checkout: Path,
    run: Callable[..., CompletedProcess[str]],
    record_property: Callable[[str, object], None],
) -> None:
    try:
        gator = Gatekeeper(version).gator()
    except NotHadError as error:
        pytest.skip(str(error))
    done = run(gator, "verify", f"{checkout}/library/...")
    assert done.returncode == 0, done.stdout + done.stderr
    suites = re.findall(r"(?m)^ok\t", done.stdout)
    assert len(suites) == len(list((checkout / "library/policies").glob("*/suite.yaml")))
    record_property("why", f"{len(suites)} of {len(suites)}")


def test_templates_and_syncsets_fit(version: str, checkout: Path) -> None:
    manifest = _manifest(version)
    templates = crd_validator(manifest, "constrainttemplates.templates.gatekeeper.sh")
    synced = crd_validator(manifest, "syncsets.syncset.gatekeeper.sh", "v1alpha1")
    found = _objects(*sorted((checkout / "library/templates").glob("[!k]*.yaml")))
    assert {obj["kind"] for obj in found} == {"ConstraintTemplate", "SyncSet"}
    for obj in found:
        validator = templates if obj["kind"] == "ConstraintTemplate" else synced
        assert [error.message for error in validator.iter_errors(obj)] == [], obj["metadata"]["name"]
    broken = next(obj for obj in found if obj["kind"] == "ConstraintTemplate")
    broken["spec"]["targets"][0]["operation"] = []
    assert not templates.is_valid(broken)


def test_assign_mutators_fit(version: str, checkout: Path, record_property: Callable[[str, object], None]) -> None:
    validator = crd_validator(_manifest(version), "assign.mutations.gatekeeper.sh")
    found = _objects(checkout / "library/mutation/gatekeeper/protected_pull_policy/objects.yaml")
    errors = {error.message for obj in found for error in validator.iter_errors(obj)}
    if errors:
        assert all("operations" in message for message in errors), errors
        record_property("outcome", "refused")
        record_property("why", "it does not know `applyTo[].operations`")
