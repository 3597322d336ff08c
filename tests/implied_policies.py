"""The pull policy of images that do not state any, by lib.images in OPA."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path


def implied_policies(opa: tuple[str, ...], checkout: Path, images: Sequence[object]) -> list[str]:
    """Return the policy of each image, which may be any JSON value."""
    done = subprocess.run(
        [
            *(*opa, "eval", "--format", "json", "--fail", "--stdin-input"),
            *("--data", checkout / "rego/lib/images/images.rego"),
            "[policy | some image in input; policy := data.lib.images.implied_policy(image)]",
        ],
        input=json.dumps(images),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    policies: list[str] = json.loads(done.stdout)["result"][0]["expressions"][0]["value"]
    return policies
