"""An ImageSetConfiguration of oc-mirror v2: `oc mirror --v2 -c FILE`."""

from typing import TextIO

import yaml

from pullguard.images.model import ImagesReport


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write the images as YAML."""
    document = {
        "kind": "ImageSetConfiguration",
        "apiVersion": "mirror.openshift.io/v2alpha1",
        "mirror": {"additionalImages": [{"name": image.name} for image in report.images]},
    }
    yaml.safe_dump(document, stream, sort_keys=False)
