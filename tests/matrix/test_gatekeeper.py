"""The library with each Gatekeeper: its gator, and its definitions under strict validation."""

import re
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from crd_schemas import crd_validator, library_objects, strict_errors, templates_and_syncsets
from matrix.releases import GATEKEEPER, Gatekeeper, NotHadError

pytestmark = pytest.mark.parametrize("version", GATEKEEPER)


def _manifest(version: str) -> Path:
    try:
        return Gatekeeper(version).manifest()
    except NotHadError as error:
        pytest.skip(str(error))


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
    found = templates_and_syncsets(checkout / "library")
    assert {obj["kind"] for obj in found} == {"ConstraintTemplate", "SyncSet"}
    assert strict_errors(manifest, found) == {obj["metadata"]["name"]: [] for obj in found}
    broken = next(obj for obj in found if obj["kind"] == "ConstraintTemplate")
    broken["spec"]["targets"][0]["operation"] = []
    assert not templates.is_valid(broken)


def test_assign_mutators_fit(version: str, checkout: Path, record_property: Callable[[str, object], None]) -> None:
    validator = crd_validator(_manifest(version), "assign.mutations.gatekeeper.sh")
    found = library_objects(checkout / "library/mutation/gatekeeper/protected_pull_policy/objects.yaml")
    errors = {error.message for obj in found for error in validator.iter_errors(obj)}
    if errors:
        assert all("operations" in message for message in errors), errors
        record_property("outcome", "refused")
        record_property("why", "it does not know `applyTo[].operations`")
