"""Compares `pullguard images` with the lists of images that projects publish beside their manifests.

    bench/images.py [--verbose] FOLDER...

A FOLDER holds the manifests or charts of a project, and its list: files called *images*.txt (an image a line), the
relatedImages of ClusterServiceVersions, or the annotations `images` and `artifacthub.io/images` of Chart.yaml. The
list itself is hidden from pullguard: the folder is copied without relatedImages. Printed is, for each level of --sure,
how much of the list is found (recall), and how much of what is found is on the list (precision).
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from pullguard.images.command import images
from pullguard.images.model import SURENESSES

ANNOTATIONS = ("images", "artifacthub.io/images")


def main() -> None:
    """Compare, and print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    options.add_argument("--verbose", action="store_true", help="name what is missing, and what is not on the list")
    chosen = options.parse_args()
    write("| project | on its list | --sure | found | recall | precision |")
    write("|---|---|---|---|---|---|")
    for folder in chosen.folders:
        with tempfile.TemporaryDirectory() as name:
            compare(folder, Path(name), verbose=chosen.verbose)


def compare(folder: Path, scratch: Path, *, verbose: bool) -> None:
    """Print the rows of a project.

    Args:
        folder: The project.
        scratch: An empty folder.
        verbose: Whether to name the differences, on standard error.
    """
    copy = scratch / "project"
    shutil.copytree(folder, copy, symlinks=True)
    (copy / ".git").mkdir(exist_ok=True)  # charts of one repository may use each other's files
    listed = full_names(sorted({*in_texts(folder), *in_charts(folder), *hidden(copy)}), scratch / "list.yaml")
    for level in SURENESSES:
        report = images([str(copy)], sure=level)
        found = {image.name for image in report.images}
        right = len(listed & found)
        figures = f"{len(found)} | {right / max(len(listed), 1):.0%} | {right / max(len(found), 1):.0%}"
        write(f"| {folder.name} | {len(listed)} | {level} | {figures} |")
    if verbose:
        for error in report.errors:
            print(f"{folder.name}: {error.file}: {error.message}", file=sys.stderr)  # noqa: T201
        for sign, names in (("-", listed - found), ("+", found - listed)):
            for image in sorted(names):
                print(f"{folder.name}: {sign} {image}", file=sys.stderr)  # noqa: T201


def in_texts(folder: Path) -> Iterator[str]:
    """Yield the images on lists that are texts."""
    for file in folder.rglob("*images*.txt"):
        for line in file.read_text(encoding="utf-8").splitlines():
            image = line.partition("#")[0].strip()
            if image:
                yield image


def in_charts(folder: Path) -> Iterator[str]:
    """Yield the images in annotations of charts, those of subcharts left out."""
    for file in folder.rglob("Chart.yaml"):
        if "charts" in file.relative_to(folder).parts[1:-1]:
            continue
        annotations = yaml.safe_load(file.read_text(encoding="utf-8")).get("annotations") or {}
        for name in ANNOTATIONS:
            yield from (entry["image"] for entry in yaml.safe_load(annotations.get(name, "[]")))


def hidden(folder: Path) -> Iterator[str]:
    """Yield the relatedImages of ClusterServiceVersions, and take them away."""
    for file in folder.rglob("*.y*ml"):
        text = file.read_text(encoding="utf-8")
        if "relatedImages:" not in text:
            continue
        documents = list(yaml.safe_load_all(text))
        yield from (image for document in documents for image in taken(document))
        file.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


def taken(document: Any) -> list[str]:
    """Take the relatedImages away from a document, and return them."""
    spec = document.get("spec") if isinstance(document, dict) else None
    entries = spec.pop("relatedImages", []) if isinstance(spec, dict) else []
    return [entry["image"] for entry in entries]


def full_names(listed: list[str], file: Path) -> set[str]:
    """Return images by their full names, as pullguard has them."""
    spec = {"images": [{"name": image} for image in listed]}
    document = {"apiVersion": "content.hauler.cattle.io/v1", "kind": "Images", "metadata": {"name": "n"}, "spec": spec}
    file.write_text(yaml.safe_dump(document), encoding="utf-8")
    return {image.name for image in images([str(file)], sure="certain").images}


def write(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
