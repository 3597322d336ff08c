"""Where the custom resources of a CustomResourceDefinition use images, as its schemas say; pure.

A place is written as an entry of customKinds writes it: keys joined by dots, `[]` behind the key of a list, an asterisk
for a key of a mapping whose keys are free.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pullguard.core.gatekeeper import dig

Schema = Mapping[str, Any]

_LISTS = ("containers", "initContainers", "ephemeralContainers")
_UNKNOWN = "x-kubernetes-preserve-unknown-fields"
_EMBEDDED = "x-kubernetes-embedded-resource"
# What each object has besides what its kind is about. What a status says is done already.
_COMMON = frozenset({"apiVersion", "kind", "metadata", "status"})


@dataclass(slots=True)
class Places:
    """Where objects of a kind use images.

    Attributes:
        paths: Pod specs, and mappings that hold lists of containers or image volumes as those do.
        containers: Containers that stand in none of these.
        images: (image, pull policy) where an image is a field of its own.
        parts: Pull policies beside an image that is written in parts, such as a repository and a tag.
        unknown: What the schemas leave open.
    """

    paths: set[str] = field(default_factory=set)
    containers: set[str] = field(default_factory=set)
    images: set[tuple[str, str]] = field(default_factory=set)
    parts: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)

    def add(self, other: "Places") -> None:
        """Add what others say; what is a container in one of them is no pair of fields."""
        self.paths |= other.paths
        self.containers |= other.containers
        self.images = {
            (image, policy)
            for image, policy in self.images | other.images
            if image.removesuffix(".image") not in self.containers
        }
        self.parts |= other.parts
        self.unknown |= other.unknown


def places(definition: Mapping[str, Any]) -> Places:
    """Return where objects of a definition use images, in any of the versions that are served."""
    found = Places()
    for schema in _schemas(definition):
        version = Places()
        if isinstance(schema, Mapping):
            _visit({**schema, "properties": _without(_properties(schema), _COMMON)}, "", (), version)
        else:
            version.unknown.add("")
        found.add(version)
    return found


def _schemas(definition: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the schemas of the versions that are served; in v1beta1 there can be one for all of them."""
    of_all = dig(definition, "spec", "validation", "openAPIV3Schema")
    versions = dig(definition, "spec", "versions")
    if not isinstance(versions, list) or not versions:
        yield of_all
        return
    for version in versions:
        if dig(version, "served") is not False:
            yield dig(version, "schema", "openAPIV3Schema") or of_all


def _visit(schema: Any, path: str, above: tuple[str, ...], found: Places) -> None:
    """Note what is in the values of a schema.

    Args:
        schema: The schema.
        path: Where the values are.
        above: The pull policies in the mappings around them, from the outermost.
        found: Where to note it.
    """
    if not isinstance(schema, Mapping):
        return
    fields = _properties(schema)
    free = schema.get("additionalProperties")
    items = schema.get("items")
    if (schema.get(_EMBEDDED) or (schema.get(_UNKNOWN) and not fields)) and not path.endswith(".metadata"):
        found.unknown.add(path)
    if _is_volume(fields):
        return
    if _is_container(fields):
        found.containers.add(path)
        return
    listed = {key for key in _LISTS if _is_list_of_containers(fields.get(key))}
    if _is_list_of_volumes(fields.get("volumes")):
        listed.add("volumes")
    if listed:
        found.paths.add(path)
    above = _note_images(fields, path, above, found)
    for key, value in _without(fields, listed).items():
        _visit(value, _joined(path, key), above, found)
    if isinstance(free, Mapping):
        _visit(free, f"{path}.*" if path else "*", above, found)
    if isinstance(items, Mapping):
        _visit(items, f"{path}[]", above, found)


def _note_images(fields: Schema, path: str, above: tuple[str, ...], found: Places) -> tuple[str, ...]:
    """Note the images in the fields of a mapping; return the pull policies there and above."""
    policies = {key: _joined(path, key) for key in fields if _is_policy(key, fields[key])}
    general = next((policies[key] for key in ("imagePullPolicy", "pullPolicy") if key in policies), None)
    if general is not None:
        above = (*above, general)
    for key in fields:
        if not _is_string(fields[key]):
            continue
        policy = policies.get(f"{key}PullPolicy")
        if key == "image" or (key.endswith("Image") and key != "baseImage"):  # a tag stands beside that
            policy = policy or general or (above[-1] if key == "image" and above else None)
        if policy is not None:
            found.images.add((_joined(path, key), policy))
    said = {policy for _, policy in found.images}
    for policy in policies.values():
        if policy not in said and any(_is_string(fields.get(key)) for key in ("repository", "tag")):
            found.parts.add(policy)
    return above


def _joined(path: str, key: str) -> str:
    """Return the path of a key; one that means something else in a path has brackets, which no entry may have."""
    if key == "*" or not {".", "[", "]"}.isdisjoint(key):
        return f'{path}["{key}"]'
    return f"{path}.{key}" if path else key


def _is_policy(key: str, schema: Any) -> bool:
    return _is_string(schema) and (key == "pullPolicy" or key.lower().endswith("imagepullpolicy"))


def _is_container(fields: Schema) -> bool:
    """Tell a container from a mapping that has an image besides much else."""
    return all(_is_string(fields.get(key)) for key in ("image", "imagePullPolicy")) and "command" in fields


def _is_list_of_containers(schema: Any) -> bool:
    """Tell whether entries are containers, or may be as far as the schema says."""
    entry = dig(schema, "items")
    if not isinstance(entry, Mapping):
        return False
    fields = _properties(entry)
    return _is_string(fields.get("image")) or bool(entry.get(_UNKNOWN) and not fields)


def _is_list_of_volumes(schema: Any) -> bool:
    return dig(schema, "items", "properties", "image", "properties", "pullPolicy") is not None


def _is_volume(fields: Schema) -> bool:
    """Tell whether it is a volume, some of which have an image that no container starts from, such as one of Ceph."""
    return {"emptyDir", "hostPath", "persistentVolumeClaim"} <= fields.keys()


def _is_string(schema: Any) -> bool:
    return bool(dig(schema, "type") == "string")


def _properties(schema: Any) -> Schema:
    fields = dig(schema, "properties")
    return fields if isinstance(fields, Mapping) else {}


def _without(fields: Schema, keys: frozenset[str] | set[str]) -> Schema:
    return {key: value for key, value in fields.items() if key not in keys}
