"""A package of Zarf that holds images: `zarf package create` beside a file zarf.yaml."""

from typing import TextIO

import yaml

from pullguard.images.model import ImagesReport


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write the images as YAML."""
    document = {
        "kind": "ZarfPackageConfig",
        "metadata": {"name": "images"},
        "components": [{"name": "images", "required": True, "images": [image.name for image in report.images]}],
    }
    yaml.safe_dump(document, stream, sort_keys=False)
