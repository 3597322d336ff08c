"""The Gatekeeper objects of a policy as JSON values; pure."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from pullguard.config import ENFORCEMENT, Config
from pullguard.evaluate.constraint_schema import with_defaults
from pullguard.gatekeeper import (
    CONSTRAINT_GROUP,
    POLICY_ANNOTATION,
    RULES_ANNOTATION,
    ConstraintTemplate,
)
from pullguard.policies.model import Policy
from pullguard.policies.structural import without_examples


def annotations(policy: Policy) -> dict[str, str]:
    """Return the annotations of a policy's template; gatekeeper.ConstraintTemplate reads two of them back."""
    rules = {
        reason: {"id": rule.id, "severity": rule.severity, "title": rule.title} for reason, rule in policy.rules.items()
    }
    return {
        "metadata.gatekeeper.sh/title": policy.title,
        "metadata.gatekeeper.sh/version": policy.version,
        "description": policy.description,
        POLICY_ANNOTATION: policy.name,
        RULES_ANNOTATION: json.dumps(rules),
    }


def parameters_schema(policy: Policy) -> dict[str, Any]:
    """Return the schema of spec.parameters, with a default that lets the defaults below it apply at all."""
    return {**without_examples(policy.parameters), "default": {}}


def constraints(policy: Policy, config: Config) -> list[dict[str, Any]]:
    """Return a policy's constraints: one for each way of protecting, as the conditions of one match all have to hold.

    Their parameters are complete, so that nothing has to fill in defaults.
    """
    namespaces = config.protected_namespaces
    ways: dict[str, tuple[str, Any]] = {}
    if namespaces.names:
        ways["by-name"] = ("namespaces", list(namespaces.names))
    if namespaces.selector is not None:
        ways["by-label"] = ("namespaceSelector", copy.deepcopy(dict(namespaces.selector)))
    return [_constraint(policy, config, way, *match) for way, match in ways.items()]


def _constraint(policy: Policy, config: Config, way: str, key: str, value: Any) -> dict[str, Any]:
    own = config.policies[policy.name]
    parameters = copy.deepcopy(dict(own.parameters))
    bare = {"spec": {"parameters": parameters}}
    complete = with_defaults(bare, _template(policy))["spec"]["parameters"]
    return {
        "apiVersion": f"{CONSTRAINT_GROUP}/v1beta1",
        "kind": policy.kind,
        "metadata": {"name": f"{policy.name.replace('_', '-')}-{way}"},
        "spec": {
            "enforcementAction": ENFORCEMENT[own.enforcement],
            "match": {"kinds": _kinds(policy, complete), key: value},
            "parameters": complete,
        },
    }


def _template(policy: Policy) -> ConstraintTemplate:
    """Return as much of a policy's template as the defaults of its constraints depend on."""
    return ConstraintTemplate(
        file=policy.module.path,
        name=policy.kind.lower(),
        kind=policy.kind,
        policy=policy.name,
        rules=policy.rules,
        engines=("Rego",),
        source=None,
        parameters_schema=parameters_schema(policy),
        object={"apiVersion": "templates.gatekeeper.sh/v1"},
    )


def _kinds(policy: Policy, parameters: Mapping[str, Any]) -> list[dict[str, list[str]]]:
    """Return match.kinds: the policy's own, and those that the user adds by a parameter."""
    kinds = [{"apiGroups": list(own.api_groups), "kinds": list(own.kinds)} for own in policy.kinds]
    known = {(group, kind) for own in policy.kinds for group in own.api_groups for kind in own.kinds}
    added: dict[str, list[str]] = {}
    for entry in parameters.get(policy.kinds_from_parameter or "", ()):
        group, kind = entry["group"], entry["kind"]
        if (group, kind) not in known:
            known.add((group, kind))
            added.setdefault(group, []).append(kind)
    return [*kinds, *({"apiGroups": [group], "kinds": names} for group, names in added.items())]
