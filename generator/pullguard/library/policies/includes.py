"""METADATA with what it takes from rego/lib: a block that it includes, and values of rules."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.schema_errors import Path, Problem, in_file, joined
from pullguard.core.suggestions import suggestion
from pullguard.engine.documents import Document, load_document
from pullguard.library.policies import imports, metadata
from pullguard.library.policies.model import KnownKinds, PodSpecPaths
from pullguard.library.policies.rego import PackageMetadata, RegoModule, Tree


@dataclass(frozen=True, slots=True)
class Metadata:
    """What the METADATA of a policy comes to.

    Attributes:
        title: One line for people.
        description: What the policy demands, and why.
        custom: The rest, as if everything were stated in it; in the order of the text.
        pod_spec_paths: What `match.kindsFrom` stands for; empty without it.
        known_kinds: What `match.customKindsFrom` stands for; empty without it.
    """

    title: str
    description: str
    custom: Mapping[str, Any]
    pod_spec_paths: PodSpecPaths
    known_kinds: KnownKinds


def metadata_of(tree: Tree, module: RegoModule) -> Metadata:
    """Return the METADATA of a policy's module.

    Raises:
        PullguardError: There is none, or it says something that it cannot say; names every such place.
    """
    if module.metadata is None:
        raise PullguardError(
            "the package has no METADATA",
            file=module.file,
            line=module.package_line,
            remedy="begin the file with `# METADATA`, title, description, `scope: package` and custom",
        )
    block = _Block(tree, module, module.metadata)
    block.require(metadata.problems_of_policy(block.annotations))
    custom = block.annotations["custom"]
    if "include" in custom:
        custom = _joined(_included(block, custom["include"]), custom, block)
    custom, pod_spec_paths, known_kinds = block.resolved(custom)
    block.require(metadata.problems_of_parameters(custom))
    return Metadata(
        block.annotations["title"], block.annotations["description"].strip(), custom, pod_spec_paths, known_kinds
    )


def value_of(tree: Tree, reference: str) -> Any:
    """Return the value of a rule of a lib, such as lib.images.floating_tags; None if there is no such rule.

    Raises:
        PullguardError: OPA cannot evaluate it.
    """
    path = imports.module_path(reference.split(".")[:-1])
    if not (tree.directory / path).is_file():
        return None
    return tree.value(reference, [path, *(lib.path for lib in imports.libs(tree, tree.module(path)))])


class _Block:
    """The METADATA of one module: as OPA reads it, in the order of the text, and as text with lines."""

    def __init__(self, tree: Tree, module: RegoModule, own: PackageMetadata) -> None:
        self.tree = tree
        self._file = module.file
        self._document: Document = load_document(tree.engine, own.yaml, module.file, own.line, dialect="kubernetes")
        self.annotations = _ordered(own.annotations, self._document.value)

    def require(self, found: list[Problem]) -> None:
        """Refuse what is wrong, and keys that OPA does not know and drops."""
        unknown = [
            Problem((key,), f"{key} is not a known key of METADATA", suggestion(key, metadata.KEYS))
            for key in self._document.value
            if key not in metadata.KEYS
        ]
        if unknown or found:
            raise joined(in_file([*unknown, *found], self._file, self._document.line_of))

    def resolved(self, custom: Mapping[str, Any]) -> tuple[dict[str, Any], PodSpecPaths, KnownKinds]:
        """Return what is stated with values in the place of rules, and those that say where kinds use images."""
        result = dict(custom)
        paths: PodSpecPaths = {}
        source = custom.get("match", {}).get("kindsFrom")
        if source is not None:
            path = ("custom", "match", "kindsFrom")
            paths = self._value(source, path)
            self.require(metadata.problems_of_pod_spec_paths(paths, source, path))
            kinds = [{"apiGroups": [group], "kinds": list(of_group)} for group, of_group in paths.items()]
            result["match"] = {
                "kinds": kinds,
                **{key: custom["match"][key] for key in custom["match"] if key != "kindsFrom"},
            }
        known: KnownKinds = {}
        source = custom.get("match", {}).get("customKindsFrom")
        if source is not None:
            path = ("custom", "match", "customKindsFrom")
            known = self._value(source, path)
            self.require(metadata.problems_of_known_kinds(known, source, path))
        if "parameters" in custom:
            result["parameters"] = self._with_defaults(custom["parameters"], ("custom", "parameters"))
        return result, paths, known

    def _with_defaults(self, schema: Mapping[str, Any], path: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for key, value in schema.items():
            if key == "defaultFrom":
                result["default"] = self._value(value, (*path, key))
            elif key == "properties":
                result[key] = {name: self._with_defaults(node, (*path, key, name)) for name, node in value.items()}
            else:
                result[key] = value
        return result

    def _value(self, reference: str, path: Path) -> Any:
        value = value_of(self.tree, reference)
        if value is None:
            self.require([Problem(path, f"there is no rule {reference}", metadata.RULE_REMEDY)])
        return value


def _included(block: _Block, name: str) -> Mapping[str, Any]:
    """Return what the METADATA of a lib gives to the policies that include it."""
    path = imports.module_path(name.split("."))
    remedy = "name a lib with METADATA that has `custom`, such as lib.uses"
    if not (block.tree.directory / path).is_file():
        block.require([Problem(("custom", "include"), f"there is no {name}", remedy)])
    module = block.tree.module(path)
    if module.metadata is None:
        block.require([Problem(("custom", "include"), f"{name} has no METADATA", remedy)])
    else:
        lib = _Block(block.tree, module, module.metadata)
        lib.require(metadata.problems_of_lib(lib.annotations))
        custom: Mapping[str, Any] = lib.annotations["custom"]
    return custom


def _joined(shared: Mapping[str, Any], own: Mapping[str, Any], block: _Block) -> dict[str, Any]:
    """Return what a policy states together with what it includes: parameters of both, and else its own first."""
    parameters = own.get("parameters", {"type": "object", "properties": {}})
    properties, more = parameters.get("properties", {}), shared["parameters"].get("properties", {})
    block.require(
        [
            Problem(
                ("custom", "parameters", "properties", name),
                f"{own['include']} has a parameter {name} already",
                "remove it, or give it another name",
            )
            for name in properties
            if name in more
        ]
    )
    return {**shared, **own, "parameters": {**parameters, "properties": {**properties, **more}}}


def _ordered(value: Any, example: Any) -> Any:
    """Return a value with its keys in the order of the one that was written: OPA sorts them."""
    if isinstance(value, dict) and isinstance(example, dict):
        keys = [*(key for key in example if key in value), *(key for key in value if key not in example)]
        return {key: _ordered(value[key], example.get(key)) for key in keys}
    if isinstance(value, list) and isinstance(example, list) and len(value) == len(example):
        return [_ordered(*pair) for pair in zip(value, example, strict=True)]
    return value
