"""The Rego of lib/images against an independent statement of the rule, and against the API server itself."""

from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generated_images import IMAGES
from image_references import implied_policy
from implied_policies import implied_policies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=st.lists(IMAGES, min_size=1, max_size=60))
def test_random_images(opa: tuple[str, ...], checkout: Path, images: list[object]) -> None:
    assert implied_policies(opa, checkout, images) == [implied_policy(image) for image in images]


def test_what_the_api_server_said(opa: tuple[str, ...], checkout: Path, image_defaults: Mapping[str, str]) -> None:
    assert implied_policies(opa, checkout, list(image_defaults)) == list(image_defaults.values())
    assert [implied_policy(image) for image in image_defaults] == list(image_defaults.values())


@pytest.mark.parametrize(
    ("image", "policy"), [("nginx", "Always"), ("nginx:1", "IfNotPresent"), (None, "IfNotPresent")]
)
def test_the_independent_statement_itself(image: object, policy: str) -> None:
    assert implied_policy(image) == policy
