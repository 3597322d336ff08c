"""The examples for Flux and Argo CD: valid under their definitions, and of the objects that kubectl applies."""

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from crd_schemas import crd_validator

KINDS = {
    "OCIRepository": (
        "source.toolkit.fluxcd.io_ocirepositories.yaml",
        "ocirepositories.source.toolkit.fluxcd.io",
        "v1",
    ),
    "Kustomization": (
        "kustomize.toolkit.fluxcd.io_kustomizations.yaml",
        "kustomizations.kustomize.toolkit.fluxcd.io",
        "v1",
    ),
    "Application": ("application-crd.yaml", "applications.argoproj.io", "v1alpha1"),
}


def _load(path: Path) -> list[Any]:
    return list(yaml.safe_load_all(path.read_text("utf-8")))


def _run(checkout: Path, program: str, *arguments: str | Path) -> dict[tuple[str, str], Any]:
    done = subprocess.run(
        [checkout / ".tools" / "bin" / program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    objects = [obj for obj in yaml.load_all(done.stdout, Loader=yaml.CSafeLoader) if obj]
    return {(obj["kind"], obj["metadata"]["name"]): obj for obj in objects}


@pytest.fixture
def applied(checkout: Path) -> dict[tuple[str, str], Any]:
    """Return what `kubectl apply -k library/audit` applies."""
    return _run(checkout, "kustomize", "build", checkout / "library" / "audit")


@pytest.mark.parametrize("example", ["flux.yaml", "argocd.yaml"])
def test_an_example_is_valid(checkout: Path, example: str) -> None:
    folder = checkout / ".tools" / "manifests" / "gitops"
    if not folder.is_dir():
        pytest.fail(f"{folder} is missing: run `make .tools/manifests/gitops`")
    for obj in _load(checkout / "integrations" / "gitops" / example):
        file, name, version = KINDS[obj["kind"]]
        assert obj["apiVersion"] == f"{name.partition('.')[2]}/{version}"
        crd_validator(folder / file, name, version).validate(obj)


def test_flux_applies_each_object_once_and_templates_first(
    checkout: Path, applied: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    source, *kustomizations = _load(checkout / "integrations" / "gitops" / "flux.yaml")
    assert source["spec"]["url"] == "oci://ghcr.io/OWNER/pullguard-library-kustomize"
    library = tmp_path / "library"
    library.symlink_to(checkout / "library")
    built = []
    for kustomization in kustomizations:
        spec = kustomization["spec"]
        assert spec["sourceRef"] == {"kind": "OCIRepository", "name": source["metadata"]["name"]}
        # As Flux does it: a kustomization over the folder, with the patches.
        folder = tmp_path / kustomization["metadata"]["name"]
        folder.mkdir()
        path = Path("..") / library.name / spec["path"]
        (folder / "kustomization.yaml").write_text(
            yaml.safe_dump({"resources": [str(path)], "patches": spec.get("patches", [])}), "utf-8"
        )
        built.append(_run(checkout, "kustomize", "build", folder))
    templates, constraints = built
    assert {kind for kind, _ in templates} == {"ConstraintTemplate", "SyncSet"}
    assert {obj["apiVersion"] for obj in constraints.values()} == {"constraints.gatekeeper.sh/v1beta1"}
    assert not set(templates) & set(constraints)
    assert {**templates, **constraints} == applied
    first, second = kustomizations
    assert second["spec"]["dependsOn"] == [{"name": first["metadata"]["name"]}]
    assert first["spec"]["wait"] is True
    assert [check["kind"] for check in first["spec"]["healthCheckExprs"]] == ["ConstraintTemplate"]


def test_argo_cd_applies_constraints_in_a_later_wave(
    checkout: Path, applied: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    (application,) = _load(checkout / "integrations" / "gitops" / "argocd.yaml")
    source = application["spec"]["source"]
    assert source["repoURL"] == "oci://ghcr.io/OWNER/pullguard-library"
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump(source["helm"]["valuesObject"]), "utf-8")
    # Argo CD says what the cluster serves, before and after Gatekeeper has made the kinds.
    known = "--api-versions=templates.gatekeeper.sh/v1/ConstraintTemplate"
    rendered = _run(checkout, "helm", "template", "x", checkout / "library" / "chart", f"--values={values}", known)
    assert set(rendered) == set(applied)
    for key, obj in rendered.items():
        annotations = {
            name: value
            for name, value in obj["metadata"].get("annotations", {}).items()
            if name.startswith("argocd.argoproj.io/")
        }
        if obj["apiVersion"].startswith("constraints.gatekeeper.sh/"):
            assert annotations == {
                "argocd.argoproj.io/sync-wave": "1",
                "argocd.argoproj.io/sync-options": "SkipDryRunOnMissingResource=true",
            }
            assert obj["spec"] == applied[key]["spec"]
        else:
            assert annotations == {}
            assert obj == applied[key]
