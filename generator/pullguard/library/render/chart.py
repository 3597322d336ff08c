"""The library as a Helm chart: the same templates, and constraints by values with the keys of pullguard.yaml; pure."""

import copy
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pullguard import __version__
from pullguard.library import custom_kinds
from pullguard.library.config import ENFORCEMENT, Config
from pullguard.library.config import schema as config_schema
from pullguard.library.policies.model import LEVELS, Policy
from pullguard.library.render.objects import complete_parameters, dashed

if TYPE_CHECKING:
    from jinja2 import Environment

#: The chart's folder in a library.
FOLDER = "chart"

# What stands in every chart as it is: Helm's own templates, which Jinja must not touch.
_FIXED = Path(__file__).resolve().parent / "templates" / "chart"


@dataclass(frozen=True, slots=True)
class _Parameter:
    """A parameter in values.yaml, as the configuration has it, or by default."""

    value: Any
    description: str


@dataclass(frozen=True, slots=True)
class _Section:
    """What values.yaml says of a policy; enforcement is "" unless it differs from that of all."""

    name: str
    title: str
    description: str
    levels: Sequence[str]
    enforcement: str
    parameters: Mapping[str, _Parameter]


def chart(
    policies: Sequence[Policy],
    config: Config,
    frames: "Environment",
    *,
    templates: Mapping[str, str],
    sync_sets: Mapping[str, str],
) -> dict[str, str]:
    """Return the files of the chart, by their paths relative to the library.

    Args:
        policies: Those of the library.
        config: What the chart's own values say.
        frames: The frames of generated files.
        templates: The files of the policies' templates, by policy.
        sync_sets: The files of their SyncSets, by those policies that have one.
    """
    level = _common_level(policies, config)
    files = {
        "Chart.yaml": frames.get_template("Chart.yaml.j2").render(version=__version__),
        "values.yaml": frames.get_template("values.yaml.j2").render(
            names=config.protected_namespaces.names,
            selector=config.protected_namespaces.selector,
            enforcement=level,
            policies=[_section(policy, config, level) for policy in policies],
        ),
        "README.md": frames.get_template("chart.md.j2").render(policies=policies),
        "values.schema.json": _json_text(values_schema(policies)),
        "files/policies.json": _json_text([_facts(policy) for policy in policies]),
        **{f"files/templates/{name}.yaml": text for name, text in templates.items()},
        **{f"files/syncsets/{name}.yaml": text for name, text in sync_sets.items()},
        **{
            path.relative_to(_FIXED).as_posix(): path.read_text("utf-8")
            for path in sorted(_FIXED.rglob("*"))
            if path.is_file()
        },
    }
    return {f"{FOLDER}/{path}": text for path, text in files.items()}


def values_schema(policies: Sequence[Policy]) -> dict[str, Any]:
    """Return the JSON Schema of the chart's values: that of pullguard.yaml, and what only a chart needs.

    It is of draft 7, which every Helm 3 and Helm 4 reads.
    """
    schema = copy.deepcopy(config_schema(policies))
    properties = schema["properties"]
    del properties["admission"]
    properties |= {
        "constraints": {
            "description": (
                "auto: leave constraints whose kind Gatekeeper has not made yet to the next upgrade; "
                "always: render them in any case; never: render templates only."
            ),
            "enum": ["auto", "always", "never"],
        },
        "constraintAnnotations": {
            "description": "Annotations of the constraints.",
            "type": "object",
            "additionalProperties": {"type": "string"},
        },
        # What Helm itself adds where the chart is a part of another one, and what its condition there reads.
        "global": {"type": "object"},
        "enabled": {"type": "boolean"},
    }
    return {
        **schema,
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart",
        "required": ["protectedNamespaces", "constraints"],
    }


def _common_level(policies: Sequence[Policy], config: Config) -> str:
    """Return the mildest level of which all policies take what they offer; the first one if there is none."""
    stated = {policy.name: config.policies[policy.name].enforcement for policy in policies}
    return next(
        (level for level in LEVELS if all(policy.level(level) == stated[policy.name] for policy in policies)), LEVELS[0]
    )


def _section(policy: Policy, config: Config, level: str) -> _Section:
    own = config.policies[policy.name].enforcement
    schema = policy.stated_parameters.get("properties", {})
    complete = complete_parameters(policy, config)
    return _Section(
        name=policy.name,
        title=policy.title,
        description=policy.description,
        levels=policy.levels,
        enforcement="" if own == policy.level(level) else own,
        parameters={
            name: _Parameter(complete[name], node.get("description", name))
            for name, node in schema.items()
            if name in complete
        },
    )


def _facts(policy: Policy) -> dict[str, Any]:
    """Return what the chart's templates have to know of a policy to write its constraints."""
    return {
        "name": policy.name,
        "aliases": list(policy.aliases),
        "kind": policy.kind,
        "objectName": dashed(policy),
        "synced": bool(policy.sync),
        "actions": {level: ENFORCEMENT[policy.level(level)] for level in LEVELS},
        "clusterScoped": policy.cluster_scoped,
        "namespacesParameter": policy.namespaces_parameter or "",
        "kinds": [{"apiGroups": list(own.api_groups), "kinds": list(own.kinds)} for own in policy.kinds],
        "kindsFromParameter": policy.kinds_from_parameter or "",
        "knownKinds": [{"group": entry["group"], "kind": entry["kind"]} for entry in custom_kinds.known(policy, {})],
    }


def _json_text(value: Any) -> str:
    return f"{json.dumps(value, indent=2, ensure_ascii=False)}\n"
