"""The library for those who do not clone: bundles that are pushed to a registry and used from there."""

import gzip
import hashlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from oci_registry import push_library, registry

POD = """\
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: kube-system}
spec:
  containers:
  - {name: a, image: "registry.k8s.io/a@sha256:SUM", imagePullPolicy: POLICY}
""".replace("SUM", "a" * 64)
WEBHOOK = """\
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: hook}
webhooks:
- name: hook.example.com
  clientConfig: {service: {name: hook, namespace: elsewhere}}
  rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [configmaps]}]
  admissionReviewVersions: [v1]
  sideEffects: None
"""


def _program(checkout: Path, name: str) -> Path:
    path = checkout / ".tools" / "bin" / name
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: run `make {path.relative_to(checkout)}`")
    return path


@pytest.fixture(scope="session")
def dist(checkout: Path) -> Path:
    """Return dist/, which holds the library."""
    if not list((checkout / "dist").glob("pullguard-library-*.oci.tar")):
        pytest.fail("dist/ does not hold the library: run `make dist-library`")
    return checkout / "dist"


@pytest.fixture(scope="module")
def pushed(checkout: Path, dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Push the library to a registry; yield what stands for ghcr.io/OWNER."""
    with registry(_program(checkout, "crane"), tmp_path_factory.mktemp("registry")) as address:
        target = f"{address}/owner"
        push_library(checkout, dist, target)
        yield target


@pytest.fixture
def manifests(folder: Path) -> Path:
    """Return a folder with a manifest that is clean, and two that are not."""
    path = folder / "manifests"
    path.mkdir()
    (path / "clean.yaml").write_text(POD.replace("NAME", "clean").replace("POLICY", "IfNotPresent"), "utf-8")
    (path / "pod.yaml").write_text(POD.replace("NAME", "pod").replace("POLICY", "Always"), "utf-8")
    (path / "webhook.yaml").write_text(WEBHOOK, "utf-8")
    return path


def _documented(checkout: Path, page: str, start: str, target: str) -> list[str]:
    """Return the documented command that starts as stated, with a registry in place of the real one."""
    text = (checkout / "docs" / page).read_text("utf-8")
    (line,) = re.findall(rf"^    ({re.escape(start)}.*)$", text, re.MULTILINE)
    arguments = shlex.split(line.replace("ghcr.io/OWNER", target))
    if arguments[0] == "conftest":
        arguments.insert(2, "--tls=false")
    return [str(_program(checkout, arguments[0])), *arguments[1:]]


def _run(arguments: Sequence[str | Path]) -> tuple[int, str, str]:
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def _contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry)) is not None}


def _blob(files: dict[str, bytes], digest: str) -> Any:
    content = files[f"blobs/{digest.replace(':', '/')}"]
    assert digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    return content


@pytest.mark.usefixtures("manifests")
def test_what_is_pulled_for_conftest_is_the_folder(checkout: Path, pushed: str) -> None:
    assert _run(_documented(checkout, "bundles.md", "conftest pull", pushed))[0] == 0
    pulled, folder = Path("pullguard"), checkout / "library" / "conftest"
    names = {path.relative_to(pulled) for path in pulled.rglob("*") if path.is_file()}
    assert names == {
        path.relative_to(folder) for part in ("policy", "data") for path in (folder / part).rglob("*") if path.is_file()
    }
    for name in names:
        assert (pulled / name).read_bytes() == (folder / name).read_bytes(), name


@pytest.mark.usefixtures("manifests")
def test_conftest_says_the_same_by_the_bundle(checkout: Path, pushed: str) -> None:
    folder = checkout / "library" / "conftest"
    expected = _conftest(checkout, folder, "manifests")
    assert [len(file.get("warnings", ())) for file in expected[1]] == [0, 1, 1]
    assert _run(_documented(checkout, "bundles.md", "conftest pull", pushed))[0] == 0
    assert _conftest(checkout, Path("pullguard"), "manifests") == expected
    (clean,) = _conftest(checkout, Path("pullguard"), "manifests/clean.yaml")[1]
    assert clean == {"filename": "manifests/clean.yaml", "namespace": "main", "successes": 5}


def _conftest(checkout: Path, bundle: Path, manifests: str) -> tuple[int, list[Any], str]:
    """Return the exit code, the results by file, whose order is random, and what is said of errors."""
    options = ["--output=json", f"--policy={bundle}/policy", f"--data={bundle}/data"]
    code, stdout, stderr = _run([_program(checkout, "conftest"), "test", *options, manifests])
    return code, sorted(json.loads(stdout), key=lambda file: str(file["filename"])), stderr


@pytest.mark.usefixtures("manifests")
def test_conftest_takes_the_bundle_in_one_command(checkout: Path, pushed: str) -> None:
    code, stdout, _ = _run([*_documented(checkout, "bundles.md", "conftest test --update", pushed), "--no-color"])
    pod = f'Pod kube-system/pod: container "a" image "registry.k8s.io/a@sha256:{"a" * 64}": imagePullPolicy is Always'
    hook = (
        'ValidatingWebhookConfiguration hook: webhook "hook.example.com" service "elsewhere/hook": its namespace is not'
    )
    lines = sorted(line for line in stdout.splitlines() if " - main - " in line)
    assert (code, len(lines)) == (1, 2)
    assert lines[0].startswith(f"WARN - manifests/pod.yaml - main - {pod}")
    assert lines[1].startswith(f"WARN - manifests/webhook.yaml - main - {hook}")


@pytest.mark.parametrize("level", ["audit", "warn", "deny"])
@pytest.mark.usefixtures("manifests")
def test_gator_says_the_same_by_the_image(checkout: Path, pushed: str, level: str) -> None:
    gator, library = _program(checkout, "gator"), checkout / "library"
    sources = [path for path in sorted((library / "policies").glob("*")) if path.is_dir() and path.name not in _CLUSTER]
    files = [f"--filename={path}/{name}.yaml" for path in sources for name in ("template", "constraints")]
    expected = _run([gator, "test", "--output=json", "--filename=manifests", *files])
    assert (expected[0], len(json.loads(expected[1]))) == (0, 2)
    image = f"--image={pushed}/pullguard-library-gator:0.1.0-{level}"
    code, stdout, stderr = _run([gator, "test", "--output=json", "--filename=manifests", image])
    assert (code, stderr) == (1 if level == "deny" else 0, "")
    found = sorted(json.loads(stdout), key=str)
    offered = {"audit": {"dryrun"}, "warn": {"warn"}, "deny": {"deny", "warn"}}
    assert {result["enforcementAction"] for result in found} == offered[level]
    assert _without_level(found) == _without_level(json.loads(expected[1]))
    assert _run([gator, "test", "--output=json", "--filename=manifests/clean.yaml", image]) == (0, "null", "")


# Policies that judge by the objects of a cluster.
_CLUSTER = {"protected_image_cache"}


def _without_level(results: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted(
        (result["violatingObject"]["metadata"]["name"], result["constraint"]["metadata"]["name"], result["msg"])
        for result in results
    )


@pytest.mark.usefixtures("manifests")
def test_the_documented_gator_command_fails_for_findings(checkout: Path, pushed: str) -> None:
    code, stdout, stderr = _run(_documented(checkout, "bundles.md", "gator test", pushed))
    assert (code, stderr, len(stdout.splitlines())) == (1, "", 2)


def test_the_folder_comes_as_one_layer_that_flux_and_argo_take(checkout: Path, pushed: str) -> None:
    manifest = json.loads(
        _run([_program(checkout, "crane"), "manifest", f"{pushed}/pullguard-library-kustomize:0.1.0"])[1]
    )
    (layer,) = manifest["layers"]
    assert layer["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"
    blob = subprocess.run(
        [_program(checkout, "crane"), "blob", f"{pushed}/pullguard-library-kustomize@{layer['digest']}"],
        capture_output=True,
        timeout=60,
        check=True,
    ).stdout
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob))) as tar:
        found = {entry.name: file.read() for entry in tar if (file := tar.extractfile(entry)) is not None}
    library = checkout / "library"
    assert found == {
        path.relative_to(library).as_posix(): path.read_bytes() for path in library.rglob("*") if path.is_file()
    }


def test_the_chart_that_is_pulled_renders_the_same(checkout: Path, pushed: str) -> None:
    helm = _program(checkout, "helm")
    published = [f"oci://{pushed}/pullguard-library", "--version=0.1.0", "--plain-http"]
    code, stdout, stderr = _run([helm, "template", "library", *published])
    assert (code, re.sub(r"^(?:Pulled|Digest): .*\n", "", stderr, flags=re.MULTILINE)) == (0, "")
    assert stdout == _run([helm, "template", "library", checkout / "library" / "chart"])[1]
    shown = yaml.safe_load(_run([helm, "show", "chart", *published])[1])
    assert shown["home"].startswith("https://github.com/")
    assert (shown["version"], shown["appVersion"]) == ("0.1.0", "0.1.0")
    links = shown["annotations"].pop("artifacthub.io/links")
    assert shown["annotations"] == {"artifacthub.io/category": "security", "artifacthub.io/license": "Apache-2.0"}
    assert [set(link) for link in yaml.safe_load(links)] == [{"name", "url"}, {"name", "url"}]


def test_every_archive_is_a_layout_with_one_manifest(dist: Path) -> None:
    archives = {path.name: _contents(path) for path in dist.glob("pullguard-library-*.oci.tar")}
    assert sorted(archives) == [
        "pullguard-library-conftest-0.1.0.oci.tar",
        *(f"pullguard-library-gator-0.1.0-{level}.oci.tar" for level in ("audit", "deny", "warn")),
        "pullguard-library-kustomize-0.1.0.oci.tar",
    ]
    for name, files in archives.items():
        assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
        (entry,) = json.loads(files["index.json"])["manifests"]
        assert name.endswith(f"-{entry['annotations']['org.opencontainers.image.ref.name']}.oci.tar")
        manifest = json.loads(_blob(files, entry["digest"]))
        assert manifest["annotations"]["org.opencontainers.image.source"].startswith("https://github.com/")
        digests = {entry["digest"], manifest["config"]["digest"], *(layer["digest"] for layer in manifest["layers"])}
        assert {f"blobs/{digest.replace(':', '/')}" for digest in digests} == {
            path for path in files if path.startswith("blobs/")
        }
        for layer in (manifest["config"], *manifest["layers"]):
            assert len(_blob(files, layer["digest"])) == layer["size"]


def test_two_builds_give_the_same_bytes(dist: Path, checkout: Path, tmp_path: Path) -> None:
    owner = json.loads(
        next(
            content
            for name, content in _contents(dist / "pullguard-library-conftest-0.1.0.oci.tar").items()
            if name.startswith("blobs/") and b"opencontainers.image.source" in content
        )
    )["annotations"]["org.opencontainers.image.source"].split("/")[3]
    common = ["--library=library", "--version=0.1.0", f"--owner={owner}", f"--out={tmp_path}"]
    for program, tool in (("library_bundles", "kustomize"), ("library_chart", "helm")):
        arguments = [f"packaging/{program}.py", f"--{tool}=.tools/bin/{tool}", *common]
        subprocess.run([sys.executable, *arguments], cwd=checkout, timeout=60, check=True)
    names = sorted(path.name for path in dist.glob("pullguard-library-*"))
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    for name in names:
        assert (tmp_path / name).read_bytes() == (dist / name).read_bytes(), name
