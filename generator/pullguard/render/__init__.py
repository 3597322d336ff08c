"""(policies, configuration) -> the files of a library; pure."""

import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullguard.config import ENFORCEMENT, Config
from pullguard.config import schema as config_schema
from pullguard.errors import PullguardError
from pullguard.gatekeeper import CONSTRAINT_GROUP, TARGET
from pullguard.policies.model import Policy, SourceFile, Sources
from pullguard.render.objects import annotations, constraints, parameters_schema
from pullguard.render.yaml_text import block, dump

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
    files["templates/kustomization.yaml"] = _kustomization(frames, [f"{policy.name}.yaml" for policy in policies])
    for level, action in ENFORCEMENT.items():
        files[f"{level}/kustomization.yaml"] = _kustomization(
            frames, [f"../policies/{policy.name}" for policy in policies], policies, action
        )
    if sources.conftest:
        files.update(_conftest(sources.conftest, policies, config))
    files[SCHEMA_FILE] = schema_text(sources.policies)
    files["README.md"] = frames.get_template("README.md.j2").render(
        policies=policies,
        config=config,
        names=config.protected_namespaces.names,
        selector=config.protected_namespaces.selector,
        templates=" ".join(f"constrainttemplate/{policy.kind.lower()}" for policy in policies),
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
    return {
        f"templates/{policy.name}.yaml": template,
        f"{folder}/template.yaml": template,
        f"{folder}/constraints.yaml": frames.get_template("constraints.yaml.j2").render(
            constraints=constraints(policy, config)
        ),
        f"{folder}/kustomization.yaml": _kustomization(frames, ["template.yaml", "constraints.yaml"]),
        policy.suite.path: policy.suite.text,
        **{sample.path: sample.text for sample in policy.samples},
    }


def _kustomization(
    frames: "Environment", resources: Sequence[str], policies: Sequence[Policy] = (), action: str = ""
) -> str:
    """Return a kustomization that, given policies, sets their constraints' enforcementAction."""
    return frames.get_template("kustomization.yaml.j2").render(
        resources=resources,
        kinds=[policy.kind for policy in policies],
        group=CONSTRAINT_GROUP,
        action=action,
    )


def _conftest(adapter: Sequence[SourceFile], policies: Sequence[Policy], config: Config) -> dict[str, str]:
    """Return the bundle for conftest: Rego as it stands, and the constraints as data.pullguard."""
    modules = {module.path: module.text for module in adapter}
    for policy in policies:
        modules.update({module.path: module.text for module in (policy.module, *policy.libs)})
    entries = [
        {"policy": policy.name, "constraint": constraint}
        for policy in policies
        for constraint in constraints(policy, config)
    ]
    return {
        **{f"conftest/policy/{path}": text for path, text in modules.items()},
        "conftest/data/pullguard.json": _json_text({"pullguard": {"constraints": entries}}),
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
    frames.filters.update(yaml=dump, block=block, cell=_cell, code=_code, comment=_comment, unused=_unused)
    return frames


def _cell(text: str) -> str:
    """Return a text for a cell of a Markdown table."""
    return text.replace("|", "\\|")


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
