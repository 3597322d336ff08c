"""`check` with the library of the project: what is right is stated by real manifests and a real API server."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pullguard.check.command import check
from pullguard.core.findings import Finding, Report

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")

POLICY = "protected_pull_policy"


@pytest.fixture(scope="module")
def library(checkout: Path) -> str:
    return str(checkout / "library")


@pytest.fixture(scope="module")
def real(corpus: Path, library: str) -> Report:
    """The report on all real manifests."""
    return check([str(corpus / "real")], library=library, everywhere=True)


def findings(report: Report) -> list[Finding]:
    """Return the findings of the policy, without those that only ask for a policy to be stated."""
    return [found for found in report.findings if found.policy == POLICY and found.rule != "pull-policy-implied"]


def always(report: Report) -> list[Finding]:
    return [found for found in findings(report) if found.details["effective"] == "Always"]


def row(found: Finding, corpus: Path) -> tuple[Any, ...]:
    container = found.container
    assert container is not None
    return (
        str(Path(found.file).relative_to(corpus)),
        found.document,
        found.object.kind,
        found.object.namespace,
        found.object.name,
        "imageVolume" if container.list == "volumes" else container.list,
        container.index,
        container.name,
        found.image,
        found.details["stated"],
    )


def test_real_manifests(real: Report, corpus: Path) -> None:
    with (corpus / "expected.jsonl").open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    expected = [
        (
            row["file"],
            row["doc"],
            row["kind"],
            row["namespace"],
            row["name"] or row["generateName"],
            row["list"],
            row["index"],
            row["container"],
            row["image"],
            row["stated"],
        )
        for row in rows
        if row["effective"] == "Always"
    ]
    assert sorted((row(found, corpus) for found in always(real)), key=str) == sorted(expected, key=str)
    assert [found for found in findings(real) if found.details["reason"] not in {"always", "invalid"}] == []
    assert real.files == sum(path.is_file() for path in (corpus / "real").rglob("*"))


def test_lines_of_real_manifests(real: Report) -> None:
    """The line of a finding holds the stated policy, or else the image."""
    texts: dict[str, list[str]] = {}
    for found in findings(real):
        if found.file not in texts:
            texts[found.file] = Path(found.file).read_text(encoding="utf-8").splitlines()
        line = texts[found.file][found.line - 1]
        if found.details["stated"]:
            assert re.search("imagePullPolicy|pullPolicy", line), (found.file, found.line)
            assert str(found.details["stated"]) in line, (found.file, found.line)
        else:
            assert "image" in line, (found.file, found.line)
            assert found.image is not None
            assert found.image in line, (found.file, found.line)


def test_fingerprints_of_real_manifests(real: Report) -> None:
    assert len({found.fingerprint for found in real.findings}) == len(real.findings)


def test_conftest_on_real_manifests(real: Report, corpus: Path, library: str) -> None:
    assert check([str(corpus / "real")], library=library, everywhere=True, engine="conftest") == real


def answers(expectation: dict[str, Any]) -> list[Any]:
    """Return what is right for a file: "error", or how many Always are stated and implied."""
    if "with_crds" in expectation:
        return [expectation["with_crds"]]
    if "implied_apiserver" in expectation:
        return [{**expectation["expect"], "implied": expectation["implied_apiserver"]}]
    return [expectation["expect"], *expectation.get("also_ok", [])]


def test_hard_manifests(hard: Path, library: str) -> None:
    expectations = json.loads((hard.parent / "hard-expected.json").read_text(encoding="utf-8"))
    assert sorted(path.name for path in hard.iterdir()) == sorted(expectations)
    report = check([str(hard)], library=library, everywhere=True)
    found = {name: {"explicit": 0, "implied": 0} for name in expectations}
    for each in always(report):
        found[Path(each.file).name]["explicit" if each.details["stated"] else "implied"] += 1
    errors = {Path(error.file).name for error in report.errors}
    wrong = {}
    for name, expectation in expectations.items():
        right = answers(expectation)
        # A file that is reported to have an error may have findings all the same, but only true ones.
        good = found[name] in right or ("error" in right and name in errors)
        if not good:
            wrong[name] = (found[name], name in errors, right)
    assert wrong == {}


def test_conftest_on_hard_manifests(hard: Path, library: str) -> None:
    reports = [check([str(hard)], library=library, everywhere=True, engine=engine) for engine in ("opa", "conftest")]
    assert reports[0] == reports[1]
    assert len(reports[0].findings) > 0


@pytest.mark.parametrize("engine", ["opa", "conftest"])
def test_images_of_the_api_server(image_defaults: Mapping[str, str], tmp_path: Path, library: str, engine: str) -> None:
    """Each image as a container and as an image volume; Always is the one policy that is not allowed."""
    images = sorted(image_defaults)
    container = [{"name": f"c{index}", "image": image} for index, image in enumerate(images)]
    volumes = [{"name": f"v{index}", "image": {"reference": image}} for index, image in enumerate(images)]
    file = tmp_path / "pod.json"
    pod = {"containers": container, "volumes": volumes}
    text = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": pod})
    file.write_text(text, encoding="utf-8")
    report = check([str(file)], library=library, engine=engine)
    assert report.errors == ()
    expected = [image for image in images if image_defaults[image] == "Always"]
    for kind in ("containers", "volumes"):
        found = [one.image for one in always(report) if one.container is not None and one.container.list == kind]
        assert sorted(map(str, found)) == expected
    assert len(findings(report)) == 2 * len(expected)
