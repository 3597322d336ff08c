"""Real manifests: the reader sees exactly what is in them."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.problems import InputError
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from shared_engine import ENGINE

POD_SPECS = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"),
        ("spec", "template", "spec"),
    ),
}
GROUPS = {"", "apps", "batch", "extensions"}


REAL_ERRORS = [
    ("GoogleCloudPlatform__microservices-demo/HIST-v0.1.1__release__kubernetes-manifests.yaml", 49, 0),
    ("old-release.yaml", 16, 0),
    ("traefik__traefik/HIST-v1.2.3__examples__k8s__traefik.yaml", 3, 0),
    ("wrong-indentation.yaml", 5, 0),
]


def mappings(value: Any) -> list[tuple[int, dict[str, Any]]]:
    return [
        (place, item) for place, item in enumerate(value if isinstance(value, list) else []) if isinstance(item, dict)
    ]


def rows(manifest: Manifest, root: Path) -> Iterator[dict[str, Any]]:
    """Yield a row, as expected.jsonl has them, for each container and image volume of a built-in kind."""
    obj = manifest.object
    if obj["kind"] not in POD_SPECS or str(obj.get("apiVersion", "")).rpartition("/")[0] not in GROUPS:
        return
    spec = dig(obj, *POD_SPECS[obj["kind"]])
    metadata = obj.get("metadata") or {}
    common = {
        "file": str(Path(manifest.file).relative_to(root)),
        "doc": manifest.document,
        "item": ".".join(f"items[{place}]" for place in manifest.item),
        "kind": obj["kind"],
        **{key: metadata.get(key, "") for key in ("namespace", "name", "generateName")},
    }
    for name in ("containers", "initContainers", "ephemeralContainers"):
        for place, entry in mappings(dig(spec, name)):
            yield common | row(name, place, entry, entry.get("image"), entry.get("imagePullPolicy"))
    for place, entry in mappings(dig(spec, "volumes")):
        image = entry.get("image")
        if isinstance(image, dict):
            yield common | row("imageVolume", place, entry, image.get("reference"), image.get("pullPolicy"))


def row(name: str, place: int, entry: dict[str, Any], image: object, stated: object) -> dict[str, Any]:
    """Return the part of a row that differs; the corpus has "" for what is absent or null."""
    return {"list": name, "index": place, "container": entry.get("name") or "", "image": image or "", "stated": stated}


def by_place(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(found, key=lambda entry: [str(entry[key]) for key in ("file", "doc", "item", "list", "index")])


def test_real_manifests_are_read_exactly(corpus: Path) -> None:
    expected = [json.loads(line) for line in (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines()]
    for entry in expected:
        del entry["effective"]
    inputs = Inputs(ENGINE, find_files([str(corpus / "real")]))
    found = list(inputs)
    manifests = [manifest for manifest in found if isinstance(manifest, Manifest)]
    assert by_place([entry for manifest in manifests for entry in rows(manifest, corpus)]) == by_place(expected)
    assert len(inputs.names) == sum(path.is_file() for path in (corpus / "real").rglob("*"))
    errors = [entry for entry in found if isinstance(entry, InputError)]
    assert [
        (Path(entry.file).relative_to(corpus / "real").as_posix(), entry.line, entry.document) for entry in errors
    ] == [error for error in REAL_ERRORS if (corpus / "real" / error[0]).exists()]


def test_lines_of_real_manifests_hold_what_they_are_said_to_hold(corpus: Path) -> None:
    texts: dict[str, list[str]] = {}
    seen = 0
    for manifest in Inputs(ENGINE, find_files([str(corpus / "real")])):
        if not isinstance(manifest, Manifest) or manifest.object["kind"] not in POD_SPECS:
            continue
        path = POD_SPECS[manifest.object["kind"]]
        for place, container in mappings(dig(manifest.object, *path, "containers")):
            if "image" not in container:
                continue
            line = manifest.line((*path, "containers", place, "image"))
            text = texts.setdefault(manifest.file, Path(manifest.file).read_text(encoding="utf-8").split("\n"))[
                line - 1
            ]
            # The image may stand below its key, in a block scalar.
            assert "image" in text
            assert str(container["image"]) in text or text.rstrip().endswith((">-", "|", ":"))
            seen += 1
    assert seen > 0


HARD_ERRORS = {
    "bad-second-doc.yaml": [(11, 1)],
    "duplicate-policy-key.yaml": [(10, 0)],
    "latin1.yaml": [(4, None)],
    "missing-separator.yaml": [(10, 0)],
}


HARD = json.loads((Path(__file__).parent.parent / "data/corpus/hard-expected.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", sorted(HARD))
def test_tricky_files(name: str, hard: Path) -> None:
    wanted = HARD[name]
    found = list(Inputs(ENGINE, find_files([str(hard / name)])))
    errors = [(entry.line, entry.document) for entry in found if isinstance(entry, InputError)]
    stated = [place["stated"] for entry in found if isinstance(entry, Manifest) for place in rows(entry, hard)]
    assert errors == HARD_ERRORS.get(name, [])
    answers = [wanted["expect"], *wanted.get("also_ok", [])]
    if errors:
        assert "error" in answers
    else:
        assert stated.count("Always") in [answer["explicit"] for answer in answers if answer != "error"]
