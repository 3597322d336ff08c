"""Values to set in objects -> patches of kustomize; pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from pullguard.core.findings import Path, value_at
from pullguard.core.gatekeeper import dig, group_of

JSON = Mapping[str, Any]

_POD_SPECS = (
    *(("", "v1", kind) for kind in ("Pod", "PodTemplate", "ReplicationController")),
    *(("apps", "v1", kind) for kind in ("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet")),
    *(("batch", "v1", kind) for kind in ("CronJob", "Job")),
)
#: The kinds whose lists of containers kustomize merges by name.
_MERGED = frozenset(_POD_SPECS)
_LISTS = ("containers", "initContainers", "ephemeralContainers", "volumes")


class _Text(str):
    """A text that is written as lines."""

    __slots__ = ()


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Indent lists in mappings, as most people do."""
        del indentless
        super().increase_indent(flow, False)


_Dumper.add_representer(_Text, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|"))


def kustomization(resources: Sequence[str], patches: Sequence[JSON], *, comment: str) -> str:
    """Return the text of a kustomization file.

    Args:
        resources: Its resources.
        patches: Its patches, as `merge_patch` and `json_patch` make them.
        comment: The lines of the comment at its top.
    """
    whole: dict[str, Any] = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": list(resources),
    }
    if patches:
        whole["patches"] = [{**each, "patch": _Text(each["patch"])} for each in patches]
    lines = "".join(f"# {line}\n" for line in comment.splitlines())
    return lines + _dumped(whole)


def is_merged(obj: JSON, path: Path) -> bool:
    """Tell whether a patch can set a value by the name of its container: kustomize merges such lists of known kinds."""
    version = str(obj.get("apiVersion")).rpartition("/")[2]
    if (group_of(obj), version, obj.get("kind")) not in _MERGED:
        return False
    places = [place for place, step in enumerate(path) if isinstance(step, int)]
    names = [value_at(obj, (*path[: place + 1], "name")) for place in places]
    return all(isinstance(name, str) and name for name in names) and all(path[each - 1] in _LISTS for each in places)


def merge_patch(obj: JSON, values: Mapping[Path, str]) -> JSON:
    """Return the strategic merge patch that sets values in an object by names.

    Args:
        obj: The object.
        values: The values by their paths, of which `is_merged` is true.
    """
    patch: dict[str, Any] = {
        "apiVersion": obj.get("apiVersion"),
        "kind": obj.get("kind"),
        "metadata": _names(obj),
    }
    for path, value in values.items():
        at: Any = patch
        for length, step in enumerate(path[:-1], start=1):
            if isinstance(step, int):
                name = value_at(obj, (*path[:length], "name"))
                entry = next((each for each in at if each["name"] == name), None)
                if entry is None:
                    at.append(entry := {"name": name})
                at = entry
            else:
                at = at.setdefault(step, [] if isinstance(path[length], int) else {})
        at[path[-1]] = value
    return {"patch": _dumped(patch)}


def json_patch(obj: JSON, values: Mapping[Path, str]) -> JSON:
    """Return the JSON patch that sets values in an object, if the lists on their way still are as they are now."""
    operations: list[JSON] = []
    tested: set[str] = set()
    for path, value in values.items():
        for length, step in enumerate(path, start=1):
            pointer = _pointer((*path[:length], "name"))
            name = value_at(obj, (*path[:length], "name"))
            if isinstance(step, int) and isinstance(name, str) and pointer not in tested:
                tested.add(pointer)
                operations.append({"op": "test", "path": pointer, "value": name})
        owner = value_at(obj, path[:-1])
        exists = isinstance(owner, dict) and path[-1] in owner
        operations.append({"op": "replace" if exists else "add", "path": _pointer(path), "value": value})
    group, version = group_of(obj), str(obj.get("apiVersion")).rpartition("/")[2]
    target = {"group": group, "version": version, "kind": obj.get("kind"), **_names(obj)}
    target = {key: str(value).replace(".", r"\.") for key, value in target.items() if value}
    return {"target": target, "patch": _dumped(operations)}


def _names(obj: JSON) -> dict[str, Any]:
    metadata = {key: dig(obj, "metadata", key) for key in ("name", "namespace")}
    return {key: value for key, value in metadata.items() if value}


def _pointer(path: Path) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def _dumped(value: Any) -> str:
    plain = json.loads(json.dumps(value)) if not isinstance(value, dict) or "patches" not in value else value
    text: str = yaml.dump(plain, Dumper=_Dumper, sort_keys=False, width=1_000_000, allow_unicode=True)
    return text
