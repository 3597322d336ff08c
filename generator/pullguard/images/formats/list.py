"""Images, one a line, for loops over crane, skopeo or crictl."""

from typing import TextIO

from pullguard.images.model import ImagesReport


def write(report: ImagesReport, stream: TextIO) -> None:
    """Write the full names of the images, sorted."""
    stream.writelines(f"{image.name}\n" for image in report.images)
