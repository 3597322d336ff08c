"""The Rego itself: covered line by line, fit for Gatekeeper's OPA, and at one with its METADATA."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from pullguard.library import policies
from shared_engine import ENGINE

CHECKOUT = Path(__file__).resolve().parent.parent.parent


def _opa(opa: tuple[str, ...], *arguments: object, text: str | None = None) -> Any:
    # Tests are traced, which makes much garbage: to collect it seldom takes half the time off.
    environment = {**os.environ, "GOGC": "400"}
    command = [*opa, *map(str, arguments)]
    done = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout) if done.stdout.strip() else None


def _evaluate(opa: tuple[str, ...], query: str, document: object) -> Any:
    rego = ["--data", str(CHECKOUT / "rego"), "--ignore", "*_test.rego", "--ignore", "*.yaml"]
    result = _opa(opa, "eval", "--format=json", "--stdin-input", *rego, query, text=json.dumps(document))
    return result["result"][0]["expressions"][0]["value"]


def test_every_line_of_rego_is_covered(opa: tuple[str, ...], checkout: Path) -> None:
    # Without the runs that only say why a line is not covered.
    options = ["--coverage", "--coverage-runs=", "--timeout", "300s", "--ignore", "*.yaml"]
    report = _opa(opa, "test", *options, checkout / "rego")
    gaps = {
        file: [(gap["start"]["row"], gap["end"]["row"]) for gap in coverage["not_covered"]]
        for file, coverage in report["files"].items()
        if coverage.get("not_covered")
    }
    assert gaps == {}
    covered = {Path(file).resolve() for file in report["files"]}
    assert {file.resolve() for file in (checkout / "rego").rglob("*.rego")} - covered == set()


def test_embedded_rego_fits_the_opa_that_gatekeeper_carries(opa: tuple[str, ...], checkout: Path) -> None:
    embedded = [
        file
        for folder in ("lib", "policies")
        for file in (checkout / "rego" / folder).rglob("*.rego")
        if not file.name.endswith("_test.rego")
    ]
    _opa(opa, "check", "--strict", "--capabilities", "v1.17.1", *embedded)


@pytest.mark.parametrize("name", sorted(path.name for path in (CHECKOUT / "rego/policies").iterdir()))
def test_missing_parameters_count_as_the_defaults_of_the_metadata(opa: tuple[str, ...], name: str) -> None:
    (policy,) = (policy for policy in policies.read(CHECKOUT / "rego", ENGINE).policies if policy.name == name)
    defaults = {
        parameter: schema["default"]
        for parameter, schema in policy.stated_parameters["properties"].items()
        if "default" in schema
    }
    documents = [document for sample in policy.samples for document in yaml.safe_load_all(sample.text)]
    requests = [document["request"] for document in documents if document["kind"] == "AdmissionReview"]
    reviews = [
        *({"object": document} for document in documents if document["kind"] != "AdmissionReview"),
        *({"request": request} for request in requests),
    ]
    query = f"""[[said, meant] |
        defaults := input.defaults
        some stated in input.reviews
        some review in array.concat(
            [data.gatekeeper.review.from_object(stated.object, "kube-system") | stated.object],
            [data.gatekeeper.review.from_admission(stated.request) | stated.request],
        )
        said := data.policies.{name}.violation with input as {{"review": review, "parameters": {{}}}}
        meant := data.policies.{name}.violation with input as {{"review": review, "parameters": defaults}}
    ]"""
    answers = _evaluate(opa, query, {"reviews": reviews, "defaults": defaults})
    assert len(answers) == len(reviews)
    assert [said for said, _ in answers] == [meant for _, meant in answers]
    # Another policy may need objects in the cluster, or parameters, before it says anything.
    assert any(said for said, _ in answers) or name != "protected_pull_policy"


def test_the_linter_has_rules_of_our_own(regal: Path, tmp_path: Path) -> None:
    """Break the METADATA of a policy in several ways, and see them in what Regal finds."""
    for folder in (".regal", "rego"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder)
    pull, host = (
        tmp_path / "rego/policies" / name / f"{name}.rego"
        for name in ("protected_pull_policy", "protected_webhook_host")
    )
    pull.write_text(
        pull.read_text("utf-8")
        .replace("kind: K8sProtected", "kind: k8sProtected")
        .replace("#   include: lib.uses\n", ""),
        encoding="utf-8",
    )
    host.write_text(
        host.read_text("utf-8")
        .replace("api-host-unprotected", "pull-policy-always")
        .replace("severity: low", "severity: 1"),
        encoding="utf-8",
    )
    command = [str(regal), "lint", "--format", "json", "rego"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    found = {(found["title"], Path(found["location"]["file"]).stem) for found in json.loads(done.stdout)["violations"]}
    assert found == {
        ("id-history", "protected_webhook_host"),
        ("policy-form", "protected_pull_policy"),
        ("shared-parameters", "protected_pull_policy"),
        ("rule-form", "protected_webhook_host"),
        ("unique-names", "protected_webhook_host"),
    }
