"""The table of images agrees with the API server."""

from collections.abc import Mapping

from image_defaults import ask
from local_cluster.fixtures import Cluster


def test_the_table_is_right(cluster: Cluster, image_defaults: Mapping[str, str]) -> None:
    assert {image: ask(cluster.client, image) for image in image_defaults} == image_defaults
