"""The Gatekeeper objects of a policy as JSON values; pure."""

import copy
import json
from collections.abc import Mapping
from typing import Any

from pullguard.core.gatekeeper import (
    ALIASES_ANNOTATION,
    CONSTRAINT_GROUP,
    POLICY_ANNOTATION,
    RULES_ANNOTATION,
    SYNC_ANNOTATION,
    ConstraintTemplate,
    rule_value,
)
from pullguard.library import custom_kinds
from pullguard.library.config import ENFORCEMENT, Config, ProtectedNamespaces
from pullguard.library.gatekeeper_validation.constraint_schema import with_defaults
from pullguard.library.policies.model import Policy
from pullguard.library.policies.structural import without_examples

SYNC_GROUP = "syncset.gatekeeper.sh"


def rules(policy: Policy) -> dict[str, dict[str, Any]]:
    """Return the rules of a policy, by reason."""
    return {reason: rule_value(rule) for reason, rule in policy.rules.items()}


def annotations(policy: Policy) -> dict[str, str]:
    """Return the annotations of a policy's template; gatekeeper.ConstraintTemplate reads what is pullguard's back."""
    result = {
        "metadata.gatekeeper.sh/title": policy.title,
        "metadata.gatekeeper.sh/version": policy.version,
        "description": policy.description,
        POLICY_ANNOTATION: policy.name,
        RULES_ANNOTATION: json.dumps(rules(policy)),
    }
    if policy.aliases:
        result[ALIASES_ANNOTATION] = json.dumps(list(policy.aliases))
    if policy.sync:
        wanted = [
            [{"groups": kinds.groups, "versions": kinds.versions, "kinds": kinds.kinds} for kinds in requirement]
            for requirement in policy.sync
        ]
        result[SYNC_ANNOTATION] = json.dumps(wanted)
    return result


def parameters_schema(policy: Policy) -> dict[str, Any]:
    """Return the schema of spec.parameters, with a default that lets the defaults below it apply at all.

    Where something has to be stated there is none: Kubernetes refuses a default that lacks it.
    """
    schema = without_examples(policy.parameters)
    properties = schema.get("properties", {})
    if all("default" in properties[name] for name in schema.get("required", ())):
        schema["default"] = {}
    return schema


def sync_set(policy: Policy) -> dict[str, Any]:
    """Return the SyncSet of a policy that needs data.inventory: of each requirement, the first kind."""
    wanted = [(first.groups[0], first.versions[0], first.kinds[0]) for first, *_ in policy.sync]
    return {
        "apiVersion": f"{SYNC_GROUP}/v1alpha1",
        "kind": "SyncSet",
        "metadata": {"name": dashed(policy)},
        "spec": {
            "gvks": [
                {"group": group, "version": version, "kind": kind} for group, version, kind in dict.fromkeys(wanted)
            ]
        },
    }


def constraints(policy: Policy, config: Config) -> list[dict[str, Any]]:
    """Return a policy's constraints: one for each way of protecting, as the conditions of one match all have to hold.

    A policy whose objects have no namespace has one constraint. Their parameters are complete, so that nothing has to
    fill in defaults.
    """
    level = config.policies[policy.name].enforcement
    if policy.cluster_scoped:
        return [_constraint(policy, config, dashed(policy), level, {})]
    return [
        _constraint(policy, config, f"{dashed(policy)}-{way}", level, match)
        for way, match in ways(config.protected_namespaces).items()
    ]


def bundle_constraint(policy: Policy, config: Config, level: str) -> dict[str, Any]:
    """Return a policy's one constraint in a bundle of the catalog, named after the level.

    gator installs one for each policy, so that namespaces that are protected by label are left out if others are
    protected by name.
    """
    match = {} if policy.cluster_scoped else next(iter(ways(config.protected_namespaces).values()))
    return _constraint(policy, config, f"{dashed(policy)}-{level}", level, match)


def dashed(policy: Policy) -> str:
    """Return a policy's name as the names of its objects begin."""
    return policy.name.replace("_", "-")


def ways(namespaces: ProtectedNamespaces) -> dict[str, dict[str, Any]]:
    """Return what to match, by the way of protecting."""
    found: dict[str, dict[str, Any]] = {}
    if namespaces.names:
        found["by-name"] = {"namespaces": list(namespaces.names)}
    if namespaces.selector is not None:
        found["by-label"] = {"namespaceSelector": copy.deepcopy(dict(namespaces.selector))}
    return found


def complete_parameters(policy: Policy, config: Config) -> dict[str, Any]:
    """Return a policy's parameters, as stated and with defaults, so that nothing has to fill these in."""
    parameters = copy.deepcopy(dict(config.policies[policy.name].parameters))
    if policy.namespaces_parameter is not None:
        parameters[policy.namespaces_parameter] = _as_parameter(config.protected_namespaces)
    complete: dict[str, Any] = with_defaults({"spec": {"parameters": parameters}}, _template(policy))["spec"]
    return dict(complete["parameters"])


def _constraint(policy: Policy, config: Config, name: str, level: str, match: Mapping[str, Any]) -> dict[str, Any]:
    complete = complete_parameters(policy, config)
    # What Gatekeeper makes of workloads by ExpansionTemplates has neither an old object nor a controller: a deny would
    # refuse what exists. An object without a namespace is in no protected one, which `namespaces` alone does not say.
    scope = {} if policy.cluster_scoped else {"scope": "Namespaced"}
    return {
        "apiVersion": f"{CONSTRAINT_GROUP}/v1beta1",
        "kind": policy.kind,
        "metadata": {"name": name},
        "spec": {
            "enforcementAction": ENFORCEMENT[level],
            "match": {"source": "Original", **scope, "kinds": _kinds(policy, complete), **match},
            "parameters": complete,
        },
    }


def _as_parameter(namespaces: ProtectedNamespaces) -> dict[str, Any]:
    stated: dict[str, Any] = {}
    if namespaces.names:
        stated["names"] = list(namespaces.names)
    if namespaces.selector is not None:
        stated["selector"] = copy.deepcopy(dict(namespaces.selector))
    return stated


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
    """Return match.kinds: the policy's own, custom resources that it knows, and those that the user adds."""
    kinds = [{"apiGroups": list(own.api_groups), "kinds": list(own.kinds)} for own in policy.kinds]
    matched = {(group, kind) for own in policy.kinds for group in own.api_groups for kind in own.kinds}
    added: dict[str, list[str]] = {}
    for entry in (*custom_kinds.known(policy, parameters), *custom_kinds.judged(policy, parameters)):
        group, kind = entry["group"], entry["kind"]
        if (group, kind) not in matched:
            matched.add((group, kind))
            added.setdefault(group, []).append(kind)
    return [*kinds, *({"apiGroups": [group], "kinds": names} for group, names in added.items())]
