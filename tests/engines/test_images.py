"""The Rego of lib/images against an independent statement of the rule, and against the API server itself."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generated_images import IMAGES
from image_references import implied_policy


def _implied_policies(opa: Path, checkout: Path, images: list[object]) -> list[str]:
    done = subprocess.run(
        [
            *(opa, "eval", "--format", "json", "--fail", "--stdin-input"),
            *("--data", checkout / "rego/lib/images/images.rego"),
            "[policy | some image in input; policy := data.lib.images.implied_policy(image)]",
        ],
        input=json.dumps(images),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    policies: list[str] = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return policies


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images=st.lists(IMAGES, min_size=1, max_size=60))
def test_random_images(opa: Path, checkout: Path, images: list[object]) -> None:
    assert _implied_policies(opa, checkout, images) == [implied_policy(image) for image in images]


def test_what_the_api_server_said(opa: Path, checkout: Path, image_defaults: Path) -> None:
    rows = json.loads(image_defaults.read_text())["images"]
    images = [row["image"] for row in rows]
    assert _implied_policies(opa, checkout, images) == [row["policy"] for row in rows]


@pytest.mark.parametrize(
    ("image", "policy"), [("nginx", "Always"), ("nginx:1", "IfNotPresent"), (None, "IfNotPresent")]
)
def test_the_independent_statement_itself(image: object, policy: str) -> None:
    assert implied_policy(image) == policy
