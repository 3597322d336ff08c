"""The library with the oldest Gatekeeper that docs/versions.md names, and with the one that gator is built from."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from crd_schemas import crd_validator, library_objects, strict_errors, templates_and_syncsets

Run = Callable[..., CompletedProcess[str]]

_MANIFESTS = ("gatekeeper-oldest.yaml", "gatekeeper.yaml")
_ALWAYS = {"containers": [{"name": "c", "image": "q.io/a:v1", "imagePullPolicy": "Always"}]}
_POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "kube-system"}, "spec": _ALWAYS}


@pytest.fixture(params=_MANIFESTS)
def manifest(request: pytest.FixtureRequest, checkout: Path) -> Path:
    path = checkout / ".tools" / "manifests" / str(request.param)
    if not path.is_file():
        pytest.fail(f"{path} is not there: run `make tools`")
    return path


def test_templates_and_syncsets_fit_the_definitions(checkout: Path, manifest: Path) -> None:
    """Under strict validation, which refuses fields that a definition does not have."""
    templates = crd_validator(manifest, "constrainttemplates.templates.gatekeeper.sh")
    found = templates_and_syncsets(checkout / "library")
    assert {obj["kind"] for obj in found} == {"ConstraintTemplate", "SyncSet"}
    assert strict_errors(manifest, found) == {obj["metadata"]["name"]: [] for obj in found}
    broken = next(obj for obj in found if obj["kind"] == "ConstraintTemplate")
    broken["spec"]["targets"][0]["operation"] = []
    assert [list(error.instance_path) for error in templates.iter_errors(broken)] == [["spec", "targets", 0]]


def test_assign_mutators_need_the_newer_one(checkout: Path, manifest: Path) -> None:
    validator = crd_validator(manifest, "assign.mutations.gatekeeper.sh")
    found = library_objects(checkout / "library/mutation/gatekeeper/protected_pull_policy/objects.yaml")
    fits = [validator.is_valid(obj) for obj in found]
    assert fits == [manifest.name == "gatekeeper.yaml"] * len(found)


@pytest.mark.parametrize("name", ["gator", "gator-oldest"])
def test_constraints_judge_as_ever(checkout: Path, run: Run, tmp_path: Path, name: str) -> None:
    """`make verify` runs the Suites in both; here are the generated constraints, with what their match says."""
    program = checkout / ".tools" / "bin" / name
    if not program.exists():
        pytest.skip(f"{name} is not built: run `make verify`")
    (tmp_path / "pod.yaml").write_text(yaml.safe_dump(_POD), "utf-8")
    policy = checkout / "library/policies/protected_pull_policy"
    files = (policy / "template.yaml", policy / "constraints.yaml", tmp_path / "pod.yaml")
    done = run(program, "test", "-o", "json", *(f"--filename={path}" for path in files))
    assert done.stderr == ""
    assert [answer["constraint"]["metadata"]["name"] for answer in json.loads(done.stdout)] == [
        "protected-pull-policy-by-name"
    ]
