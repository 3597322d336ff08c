"""The image list of Hauler: `hauler store sync -f FILE`."""

from typing import TextIO

import yaml

from pullguard.images.model import ImagesReport


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write the images as YAML."""
    document = {
        "apiVersion": "content.hauler.cattle.io/v1",
        "kind": "Images",
        "metadata": {"name": "images"},
        "spec": {"images": [{"name": image.name} for image in report.images]},
    }
    yaml.safe_dump(document, stream, sort_keys=False)
