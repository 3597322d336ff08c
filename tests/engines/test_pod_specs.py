"""Random objects through the generated library in OPA, against an independent statement of what is right."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generated_objects import PLACES
from generated_objects import objects as objects_of_all_kinds
from image_references import implied_policy, is_reference
from pullguard.check.command import check


def _judged(obj: dict[str, Any]) -> Iterator[tuple[str, Any, str]]:
    """Yield the place, the effective policy and the reason of everything that must be found in an object."""
    place = PLACES[obj["apiVersion"], obj["kind"]]
    spec: Any = obj
    for key in place:
        spec = spec.get(key) if isinstance(spec, dict) else None
    if not place or not isinstance(spec, dict):
        return
    for name in ("containers", "initContainers", "ephemeralContainers", "volumes"):
        entries = spec.get(name)
        for index, entry in enumerate(entries if isinstance(entries, list) else []):
            use = entry.get("image") if name == "volumes" and isinstance(entry, dict) else entry
            if not isinstance(use, dict):
                continue
            image_key, policy_key = ("reference", "pullPolicy") if name == "volumes" else ("image", "imagePullPolicy")
            stated = use.get(policy_key)
            is_stated = stated is not None and stated != ""
            effective = stated if is_stated else implied_policy(use.get(image_key))
            if effective not in ("IfNotPresent", "Never"):
                reason = "always" if effective == "Always" else "invalid"
                yield f"{'.'.join(place)}.{name}[{index}]", effective, reason
            elif not is_stated and is_reference(use.get(image_key)):
                yield f"{'.'.join(place)}.{name}[{index}]", effective, "implied"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(objects=st.lists(objects_of_all_kinds(), min_size=1, max_size=40))
def test_random_objects(checkout: Path, tmp_path: Path, objects: list[dict[str, Any]]) -> None:
    manifest = tmp_path / "objects.json"
    manifest.write_text("\n".join(json.dumps(obj) for obj in objects))
    report = check([str(manifest)], library=str(checkout / "library"))
    found = sorted(
        (finding.document, finding.details["path"], json.dumps(finding.details["effective"]), finding.details["reason"])
        for finding in report.findings
        if finding.policy == "protected_pull_policy"
    )
    wanted = sorted(
        (document, path, json.dumps(effective), reason)
        for document, obj in enumerate(objects)
        for path, effective, reason in _judged(obj)
    )
    # What Kubernetes refuses is an error besides.
    errors = [error for error in report.errors if " is not a list, so Kubernetes refuses " not in error.message]
    assert (found, errors, report.objects) == (wanted, [], len(objects))
