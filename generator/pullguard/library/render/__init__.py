"""(policies, configuration) -> the files of a library; pure."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullguard import __version__
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import CONSTRAINT_GROUP, TARGET
from pullguard.library.bundle import CONSTRAINTS, INDEX, POLICIES
from pullguard.library.config import ENFORCEMENT, Config
from pullguard.library.config import schema as config_schema
from pullguard.library.policies.model import LEVELS, Policy, SourceFile, Sources
from pullguard.library.render import admission
from pullguard.library.render.chart import chart
from pullguard.library.render.objects import (
    annotations,
    bundle_constraint,
    constraints,
    parameters_schema,
    rules,
    sync_set,
)
from pullguard.library.render.parameters import parameter_rows
from pullguard.library.render.yaml_text import block, dump

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["SCHEMA_FILE", "render", "schema_text", "starting_configuration"]

#: The name of the JSON Schema of pullguard.yaml.
SCHEMA_FILE = "pullguard.schema.json"

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(sources: Sources, config: Config) -> dict[str, str]:
    """Return the files of the library, by their paths relative to it, without its MANIFEST.

    Raises:
        PullguardError: The configuration leaves no policy.
    """
    policies = [policy for policy in sources.policies if config.policies[policy.name].enabled]
    if not policies:
        raise PullguardError("the configuration leaves no policy", remedy="remove `enabled: false` from at least one")
    frames = _frames()
    files: dict[str, str] = {}
    for policy in policies:
        files.update(_policy_files(policy, config, frames))
    files["templates/kustomization.yaml"] = _kustomization(
        frames, [name for policy in policies for name in _first_files(policy)]
    )
    files["policies/kustomization.yaml"] = _kustomization(frames, [policy.name for policy in policies])
    for level in LEVELS:
        files.update(_level(level, policies, frames))
    files.update(_admission(policies, config, frames))
    files.update(_mutation(policies, config, frames))
    files.update(_catalog(policies, config, frames))
    files.update(
        chart(
            policies,
            config,
            frames,
            templates={policy.name: files[f"templates/{policy.name}.yaml"] for policy in policies},
            sync_sets={
                policy.name: files[f"templates/{policy.name}.syncset.yaml"] for policy in policies if policy.sync
            },
        )
    )
    if sources.conftest:
        files.update(_conftest(sources.conftest, policies, config))
        files[INDEX] = _json_text(_index(policies))
    files[SCHEMA_FILE] = schema_text(sources.policies)
    files["README.md"] = frames.get_template("README.md.j2").render(
        policies=policies,
        config=config,
        levels=LEVELS,
        synced=[policy for policy in policies if policy.sync],
        names=config.protected_namespaces.names,
        selector=config.protected_namespaces.selector,
        templates=" ".join(f"constrainttemplate/{policy.kind.lower()}" for policy in policies),
        admission=[policy.name for policy in policies if policy.admission is not None],
        mutating=any(admission.mutates(policy, config) for policy in policies),
        elsewhere=[policy.elsewhere for policy in policies if policy.elsewhere is not None],
        conftest=bool(sources.conftest),
    )
    return dict(sorted(files.items()))


def schema_text(policies: Sequence[Policy]) -> str:
    """Return the JSON Schema of pullguard.yaml as the text of a file."""
    return _json_text(config_schema(policies))


def starting_configuration(policies: Sequence[Policy]) -> str:
    """Return the text of a pullguard.yaml to start with: the defaults, and what else can be said, commented out.

    Its schema is expected beside it. Every line that begins with one hash and a space, but for the first, is YAML
    without the two.
    """
    return _frames().get_template("pullguard.yaml.j2").render(schema=SCHEMA_FILE, policies=policies)


def _json_text(value: Any) -> str:
    """Return a JSON value as the text of a file."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n"


def _policy_files(policy: Policy, config: Config, frames: "Environment") -> dict[str, str]:
    folder = f"policies/{policy.name}"
    template = frames.get_template("template.yaml.j2").render(
        policy=policy,
        target=TARGET,
        annotations=annotations(policy),
        parameters=parameters_schema(policy),
    )
    files = {
        f"templates/{policy.name}.yaml": template,
        f"{folder}/template.yaml": template,
        f"{folder}/constraints.yaml": _objects(frames, constraints(policy, config)),
        f"{folder}/README.md": frames.get_template("policy.md.j2").render(
            policy=policy,
            config=config,
            levels=LEVELS,
            filled=policy.namespaces_parameter,
            mutates=admission.mutates(policy, config),
            parameters=parameter_rows(policy.parameters),
        ),
        policy.suite.path: policy.suite.text,
        **{sample.path: sample.text for sample in policy.samples},
    }
    resources = ["template.yaml", "constraints.yaml"]
    if policy.sync:
        files[f"templates/{policy.name}.syncset.yaml"] = _objects(frames, [sync_set(policy)])
        files[f"{folder}/syncset.yaml"] = files[f"templates/{policy.name}.syncset.yaml"]
        resources.append("syncset.yaml")
    files[f"{folder}/kustomization.yaml"] = _kustomization(frames, resources)
    return files


def _first_files(policy: Policy) -> list[str]:
    """Return what of a policy stands in templates/, as it is applied first."""
    return [f"{policy.name}.yaml", *([f"{policy.name}.syncset.yaml"] if policy.sync else [])]


def _level(level: str, policies: Sequence[Policy], frames: "Environment") -> dict[str, str]:
    """Return the kustomizations of a level: of each policy that offers it, and of all policies.

    A policy that does not offer it is taken from the strictest level that it offers.
    """
    files = {
        f"{level}/{policy.name}/kustomization.yaml": _kustomization(
            frames,
            [f"../../policies/{policy.name}"],
            _Patch(CONSTRAINT_GROUP, policy.kind, "/spec/enforcementAction", ENFORCEMENT[level]),
        )
        for policy in policies
        if level in policy.levels
    }
    offered = {policy.name: policy.level(level) for policy in policies}
    files[f"{level}/kustomization.yaml"] = _kustomization(
        frames, [name if own == level else f"../{own}/{name}" for name, own in offered.items()]
    )
    return files


def _admission(policies: Sequence[Policy], config: Config, frames: "Environment") -> dict[str, str]:
    """Return ValidatingAdmissionPolicies, with kustomizations as for the policies in Rego."""
    policies = [policy for policy in policies if policy.admission is not None]
    if not policies:
        return {}
    objects = {policy.name: admission.validating(policy, config) for policy in policies}
    files = _folder("admission/policies", objects, frames)
    for level in LEVELS:
        offered = {policy.name: policy.level(level) for policy in policies}
        patch = _Patch(admission.GROUP, admission.BINDING, "/spec/validationActions", _json(admission.ACTIONS[level]))
        for name in (name for name, own in offered.items() if own == level):
            files[f"admission/{level}/{name}/kustomization.yaml"] = _kustomization(
                frames, [f"../../policies/{name}"], patch
            )
        files[f"admission/{level}/kustomization.yaml"] = _kustomization(
            frames, [name if own == level else f"../{own}/{name}" for name, own in offered.items()]
        )
    return files


def _mutation(policies: Sequence[Policy], config: Config, frames: "Environment") -> dict[str, str]:
    """Return what mutates pods: in the API server itself, and in Gatekeeper."""
    files = _elsewhere(policies, config, frames)
    policies = [policy for policy in policies if admission.mutates(policy, config)]
    if not policies:
        return files
    mutators = {"mutation/gatekeeper": {policy.name: admission.assigns(policy, config) for policy in policies}}
    for suffix, version in admission.MUTATING_VERSIONS.items():
        mutators[f"mutation/kubernetes{suffix}"] = {
            policy.name: admission.mutating(policy, config, version) for policy in policies
        }
    for folder, objects in mutators.items():
        files.update(_folder(folder, objects, frames))
    return files


def _elsewhere(policies: Sequence[Policy], config: Config, frames: "Environment") -> dict[str, str]:
    """Return what mutates pods outside of protected namespaces: no other folder has it, as only some want it."""
    files: dict[str, str] = {}
    for policy in (policy for policy in policies if policy.elsewhere is not None):
        for suffix, version in admission.MUTATING_VERSIONS.items():
            objects = {policy.name: admission.elsewhere(policy, config, version)}
            files.update(_folder(f"mutation/elsewhere{suffix}", objects, frames))
    return files


def _folder(folder: str, objects: Mapping[str, Sequence[Any]], frames: "Environment") -> dict[str, str]:
    """Return the objects of policies, each policy in a folder of its own, with kustomizations of each and of all."""
    files = {f"{folder}/kustomization.yaml": _kustomization(frames, list(objects))}
    for name, own in objects.items():
        files[f"{folder}/{name}/objects.yaml"] = _objects(frames, own)
        files[f"{folder}/{name}/kustomization.yaml"] = _kustomization(frames, ["objects.yaml"])
    return files


@dataclass(frozen=True, slots=True)
class _Patch:
    """What a kustomization sets in every object of a kind; the value is YAML on one line."""

    group: str
    kind: str
    path: str
    value: str


def _kustomization(frames: "Environment", resources: Sequence[str], patch: _Patch | None = None) -> str:
    return frames.get_template("kustomization.yaml.j2").render(resources=resources, patch=patch)


def _objects(frames: "Environment", objects: Sequence[Any]) -> str:
    return frames.get_template("objects.yaml.j2").render(objects=objects)


def _catalog(policies: Sequence[Policy], config: Config, frames: "Environment") -> dict[str, str]:
    """Return the catalog of gator, and the constraints of its bundles: one file for each policy and level."""
    files = {
        f"catalog/{level}/{policy.name}.yaml": _objects(frames, [bundle_constraint(policy, config, level)])
        for policy in policies
        for level in policy.levels
    }
    files["catalog.yaml"] = frames.get_template("catalog.yaml.j2").render(
        policies=policies, levels=ENFORCEMENT, version=__version__
    )
    return files


def _conftest(adapter: Sequence[SourceFile], policies: Sequence[Policy], config: Config) -> dict[str, str]:
    """Return the bundle for conftest: Rego as it stands, and the constraints as data.pullguard.

    Policies that judge by the objects of a cluster are left out: conftest sees one manifest at a time.
    """
    policies = [policy for policy in policies if not policy.needs_cluster]
    modules = {module.path: module.text for module in adapter}
    for policy in policies:
        modules.update({module.path: module.text for module in (policy.module, *policy.libs)})
    entries = [
        {"policy": policy.name, "constraint": constraint}
        for policy in policies
        for constraint in constraints(policy, config)
    ]
    return {
        **{f"{POLICIES}/{path}": text for path, text in modules.items()},
        CONSTRAINTS: _json_text({"pullguard": {"constraints": entries}}),
    }


def _index(policies: Sequence[Policy]) -> dict[str, Any]:
    """Return what bundle.py reads of the policies."""
    return {
        policy.name: {
            "kind": policy.kind,
            "description": policy.description,
            "needsCluster": policy.needs_cluster,
            "rules": rules(policy),
            **({"aliases": list(policy.aliases)} if policy.aliases else {}),
        }
        for policy in policies
    }


def _frames() -> "Environment":
    import jinja2  # noqa: PLC0415 - only generating needs it

    frames = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=False,  # noqa: S701 - it makes YAML and Markdown, no HTML
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    frames.filters.update(yaml=dump, block=block, cell=_cell, code=_code, comment=_comment, json=_json, unused=_unused)
    return frames


def _cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return " ".join(text.split()).replace("|", "\\|")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _code(text: str) -> str:
    """Return a text as code in Markdown: globs hold asterisks."""
    return f"`{text}`"


def _comment(text: str, indent: int) -> str:
    """Return a text as comment lines; all but the first are indented."""
    lines = textwrap.wrap(" ".join(text.split()), width=100 - indent, break_long_words=False)
    return f"\n{' ' * indent}".join(f"## {line}" for line in lines)


def _unused(value: Any, indent: int) -> str:
    """Return a value as YAML that is commented out; all lines but the first are indented."""
    return f"\n{' ' * indent}".join(f"# {line}" for line in dump(value).splitlines())
