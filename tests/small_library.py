"""Small libraries: a foreign one with Rego v0 and v1, clashing libs and a policy that fails; one of our policies."""

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pullguard.generate.command import generate

OWNER_V1 = """\
package owner

import data.lib.names

violation contains {"msg": msg, "details": {"wanted": input.parameters.label}} if {
	not input.review.object.metadata.labels[input.parameters.label]
	msg := sprintf("%s has no label %s", [names.shown(input.review.object), input.parameters.label])
}
"""
NAMES_V1 = """\
package lib.names

shown(obj) := sprintf("%s %s", [obj.kind, obj.metadata.name])
"""

TEAM_V0 = """\
package team

import data.lib.names

violation[{"msg": msg}] {
  not input.review.object.metadata.labels.team
  msg := concat(" ", ["no team:", names.shown(input.review.object)])
}
"""
NAMES_V0 = """\
package lib.names

shown(obj) = text { text := obj.metadata.name }
"""

#: Evaluation fails for objects that have both labels.
FRAGILE_V1 = """\
package fragile

level := 1 if input.review.object.metadata.labels.one
level := 2 if input.review.object.metadata.labels.two

violation contains {"msg": sprintf("level %d", [level])}
"""


def template(kind: str, rego: str, libs: Sequence[str] = (), *, version: str = "v1", **more: Any) -> dict[str, Any]:
    """Return a ConstraintTemplate; `more` are properties of its parameters' schema."""
    source = {"version": version, "rego": rego, "libs": list(libs)}
    schema = {"type": "object", "default": {}, "properties": more}
    return {
        "apiVersion": "templates.gatekeeper.sh/v1",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": {"names": {"kind": kind}, "validation": {"openAPIV3Schema": schema}}},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": [{"engine": "Rego", "source": source}]}],
        },
    }


def constraint(kind: str, name: str, **spec: Any) -> dict[str, Any]:
    """Return a constraint."""
    return {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


OWNER = template("NeedsOwner", OWNER_V1, [NAMES_V1], label={"type": "string", "default": "owner"})
TEAM = template("NeedsTeam", TEAM_V0, [NAMES_V0], version="v0")
FRAGILE = template("Fragile", FRAGILE_V1)


def write_library(folder: Path, *objects: Mapping[str, Any]) -> str:
    """Write a library, one object per file, as JSON, which is also YAML."""
    folder.mkdir()
    for number, obj in enumerate(objects):
        (folder / f"{number:02}.yaml").write_text(json.dumps(obj), encoding="utf-8")
    return str(folder)


def generate_library(folder: Path, checkout: Path, *names: str) -> Path:
    """Generate the library of some policies of the checkout, and of no others.

    protected_pull_policy ignores implied policies, because many tests are about other things.
    """
    rego = folder / "rego"
    shutil.copytree(checkout / "rego", rego, ignore=shutil.ignore_patterns("policies"))
    for name in names:
        shutil.copytree(checkout / "rego" / "policies" / name, rego / "policies" / name)
    config = folder / "pullguard.yaml"
    text = (checkout / "pullguard.yaml").read_text("utf-8")
    if "protected_pull_policy" in names:
        text += "policies: {protected_pull_policy: {parameters: {impliedPolicy: allow}}}\n"
    config.write_text(text, "utf-8")
    generate(config, folder / "library", rego=rego)
    return folder / "library"


def manifest(name: str, *, kind: str = "ConfigMap", namespace: str | None = None, **labels: str) -> dict[str, Any]:
    """Return an object with labels."""
    metadata: dict[str, Any] = {"name": name, "labels": labels}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {"apiVersion": "v1", "kind": kind, "metadata": metadata}


def write_manifests(file: Path, *objects: Any) -> str:
    """Write each document on a line of its own after its separator, so that the first document is on line 2."""
    file.write_text("".join(f"---\n{json.dumps(obj)}\n" for obj in objects), encoding="utf-8")
    return str(file)
