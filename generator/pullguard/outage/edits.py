"""Edits that a repair is made of: what each costs, as a command, and made on an object."""

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

from pullguard.core.gatekeeper import dig
from pullguard.outage.model import Edit, Step

JSON = Mapping[str, Any]

#: What an edit costs: a change of a workload is cheap, and one that guards less is dear.
COSTS: Mapping[str, int] = {"pull-policy": 1, "prefetch": 2, "exclude": 3, "ignore": 5}

#: The kinds whose pull policies can be changed.
PATCHABLE = frozenset({"CronJob", "DaemonSet", "Deployment", "ReplicaSet", "ReplicationController", "StatefulSet"})

_NAME_LABEL = "kubernetes.io/metadata.name"


def identifier(step: Step) -> str:
    """Return a name that no other step has."""
    return json.dumps([step.what, step.kind, step.namespace, step.name, step.index, step.value])


def described(edits: Iterable[Step], objects: Mapping[tuple[str, str, str], JSON]) -> list[Edit]:
    """Return edits for people, those of one object together.

    Args:
        edits: The edits.
        objects: What is changed, by kind, namespace and name.
    """
    by_object: dict[tuple[str, str, str], list[Step]] = {}
    for edit in edits:
        by_object.setdefault((edit.kind, edit.namespace, edit.name), []).append(edit)
    found = []
    for key, group in sorted(by_object.items()):
        cost = sum(COSTS[edit.what] for edit in group)
        kind, namespace, name = key
        if not kind:
            text = f"pull the image {name} onto every node that may run it, and pin it there"
            found.append(Edit(text, cost, f"crictl pull {shlex.quote(name)}", tuple(group)))
            continue
        before = objects.get(key, {})
        text = f"{'/'.join(filter(None, (kind, namespace, name)))}: {'; '.join(_texts(group, before))}"
        if not before:  # only its pods are in the snapshot
            command = f"kubectl edit --namespace {shlex.quote(namespace)} {kind.lower()} {shlex.quote(name)}"
        else:
            command = _command(key, before, changed(before, group))
        found.append(Edit(text, cost, command, tuple(group)))
    return found


def changed(obj: JSON, edits: Sequence[Step]) -> dict[str, Any]:
    """Return an object with edits made, as a manifest: without what the API server adds."""
    metadata = {
        name: obj["metadata"][name]
        for name in ("name", "namespace", "labels", "annotations")
        if name in obj["metadata"]
    }
    made: dict[str, Any] = {
        **{name: deepcopy(value) for name, value in obj.items() if name not in {"metadata", "status"}},
        "metadata": metadata,
    }
    for edit in edits:
        if edit.what == "pull-policy":
            _set_pull_policies(made)
        elif edit.what == "ignore":
            _entry(made, edit)["failurePolicy"] = "Ignore"
        else:
            _exclude(_selecting(made, edit), edit.value)
    return made


def _texts(edits: Sequence[Step], obj: JSON) -> list[str]:
    texts = []
    for edit in edits:
        if edit.what == "pull-policy":
            texts.append("set imagePullPolicy IfNotPresent")
            continue
        name = dig(_entry(obj, edit), "name") if "webhooks" in obj else None
        of = f" of webhook {name}" if isinstance(name, str) else ""
        texts.append(
            f"set failurePolicy{of} to Ignore"
            if edit.what == "ignore"
            else f"leave namespace {edit.value} out of namespaceSelector{of}"
        )
    return texts


def _entry(obj: JSON, edit: Step) -> Any:
    return obj["webhooks"][edit.index] if "webhooks" in obj else obj["spec"]


def _selecting(obj: JSON, edit: Step) -> Any:
    """Return what has the namespaceSelector."""
    entry = _entry(obj, edit)
    return entry if "webhooks" in obj else entry.setdefault("matchConstraints", {})


def _exclude(entry: dict[str, Any], namespace: str) -> None:
    selector = entry.get("namespaceSelector") or {}
    expressions = [*(selector.get("matchExpressions") or ())]
    for number, each in enumerate(expressions):
        if each.get("key") == _NAME_LABEL and each.get("operator") == "NotIn":
            expressions[number] = {**each, "values": [*each["values"], namespace]}
            break
    else:
        expressions.append({"key": _NAME_LABEL, "operator": "NotIn", "values": [namespace]})
    entry["namespaceSelector"] = {**selector, "matchExpressions": expressions}


def _pod_spec(obj: JSON) -> Any:
    return dig(obj, "spec", *_template(obj), "spec")


def _template(obj: JSON) -> tuple[str, ...]:
    return ("jobTemplate", "spec", "template") if obj.get("kind") == "CronJob" else ("template",)


def _set_pull_policies(obj: JSON) -> None:
    spec = _pod_spec(obj)
    for field in ("initContainers", "containers"):
        for container in spec.get(field) or ():
            if container.get("imagePullPolicy") in {None, "", "Always"}:
                container["imagePullPolicy"] = "IfNotPresent"
    for volume in spec.get("volumes") or ():
        if "image" in volume and volume["image"].get("pullPolicy") in {None, "", "Always"}:
            volume["image"]["pullPolicy"] = "IfNotPresent"


def _command(key: tuple[str, str, str], before: JSON, after: JSON) -> str:
    kind, namespace, name = key
    of = f"--namespace {shlex.quote(namespace)} " if namespace else ""
    patch = _pull_policies(before, after) if kind in PATCHABLE else _operations(before, after, "")
    how = "strategic" if kind in PATCHABLE else "json"
    return f"kubectl patch {of}{kind.lower()} {shlex.quote(name)} --type={how} -p {shlex.quote(json.dumps(patch))}"


def _pull_policies(before: JSON, after: JSON) -> JSON:
    """Return the strategic merge patch of a workload, in which containers and volumes have their names."""
    spec: dict[str, Any] = {}
    for field in ("initContainers", "containers", "volumes"):
        pairs = zip(_pod_spec(before).get(field) or (), _pod_spec(after).get(field) or (), strict=True)
        parts = [
            {name: value for name, value in now.items() if name == "name" or value != then.get(name)}
            for then, now in pairs
            if then != now
        ]
        if parts:
            spec[field] = parts
    patch: dict[str, Any] = {"spec": spec}
    for name in reversed(("spec", *_template(before))):
        patch = {name: patch}
    return patch


def _operations(before: Any, after: Any, path: str) -> list[JSON]:
    """Return a JSON patch from one value to another, which has all that the first has but metadata and status."""
    if before == after:
        return []
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in after if path or name in {"spec", "webhooks"}]
        return [
            operation
            for name in names
            for operation in (
                _operations(before[name], after[name], f"{path}/{name}")
                if name in before
                else [{"op": "add", "path": f"{path}/{name}", "value": after[name]}]
            )
        ]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            operation
            for number, pair in enumerate(zip(before, after, strict=True))
            for operation in _operations(*pair, f"{path}/{number}")
        ]
    return [{"op": "replace", "path": path, "value": after}]
