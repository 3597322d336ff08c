"""The admission policies of a policy, Kubernetes' own and Gatekeeper's mutators, as JSON values; pure."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from pullguard.core.gatekeeper import ELSEWHERE_ANNOTATION, POLICY_ANNOTATION, SUMMARY_ANNOTATION
from pullguard.library import custom_kinds
from pullguard.library.config import UNSEEN, Config, ProtectedNamespaces
from pullguard.library.policies.cel import (
    CUSTOM_LISTS,
    CUSTOM_POD_SPECS,
    IS_PROTECTED,
    POD_SPECS,
    literal,
    used_variables,
)
from pullguard.library.policies.model import AssignField, CelRules, CelVariable, PodSpecPaths, Policy
from pullguard.library.render.objects import complete_parameters, dashed, ways

GROUP = "admissionregistration.k8s.io"

#: The kind whose validationActions a kustomization of a level sets.
BINDING = "ValidatingAdmissionPolicyBinding"

#: What a binding does about a violation, by the level.
ACTIONS = {"audit": ("Audit",), "warn": ("Warn", "Audit"), "deny": ("Deny",)}

#: The versions of the API that have MutatingAdmissionPolicies, by what the library's folders for them end with: v1
#: since Kubernetes 1.36, the others before, if somebody turns them on.
MUTATING_VERSIONS = {"": "v1", "-v1beta1": "v1beta1", "-v1alpha1": "v1alpha1"}

#: The label that takes a namespace away from Gatekeeper's webhooks, and the one that every namespace has.
_IGNORE_LABEL = "admission.gatekeeper.sh/ignore"
_NAME_LABEL = "kubernetes.io/metadata.name"

#: Groups that no API server serves any more: they are in manifests only.
_RETIRED = frozenset({"extensions"})


def mutates(policy: Policy, config: Config) -> bool:
    """Tell whether a policy has a mutation.yaml, and its parameters allow what that sets."""
    return (
        policy.mutation is not None
        and policy.mutation.value in complete_parameters(policy, config)[policy.mutation.parameter]
    )


def validating(policy: Policy, config: Config) -> list[dict[str, Any]]:
    """Return the ValidatingAdmissionPolicy of a policy and its bindings; empty if it has no admission.yaml.

    The bindings leave out what Gatekeeper's webhook sees, unless the configuration wants all protected namespaces.
    What a namespace is protected by, the policy itself decides, by its variable isProtected.
    """
    if policy.admission is None:
        return []
    parameters = complete_parameters(policy, config)
    name = dashed(policy)
    variables = _variables(policy.admission, config.protected_namespaces, policy, parameters)
    spec = {
        "failurePolicy": "Fail",
        "matchConstraints": {"resourceRules": _rules(policy, parameters)},
        "variables": variables,
        "validations": list(policy.admission.rules),
    }
    summary = _summary(config.protected_namespaces, parameters, variables)
    actions = list(ACTIONS[config.policies[policy.name].enforcement])
    return [
        _object(policy, "ValidatingAdmissionPolicy", name, spec, summary=summary),
        *(
            _object(policy, BINDING, f"{name}{suffix}", {"policyName": name, "validationActions": actions, **resources})
            for suffix, resources in _bound_to(config)
        ),
    ]


def mutating(policy: Policy, config: Config, version: str = "v1") -> list[dict[str, Any]]:
    """Return the MutatingAdmissionPolicy of a policy and its binding, for all protected namespaces.

    Empty unless the policy mutates.

    Args:
        policy: The policy.
        config: The configuration.
        version: One of MUTATING_VERSIONS.
    """
    if policy.mutation is None or not mutates(policy, config):
        return []
    parameters = complete_parameters(policy, config)
    name = dashed(policy)
    variables = _variables(policy.mutation.cel, config.protected_namespaces, policy, parameters)
    spec = {
        # Where it cannot be evaluated, pods stay as they are; other policies judge them.
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"resourceRules": [_rule("", ["v1"], ["CREATE"], ["pods"])]},
        "variables": variables,
        "mutations": list(policy.mutation.cel.rules),
    }
    return [
        _object(
            policy,
            "MutatingAdmissionPolicy",
            name,
            spec,
            version=version,
            summary=_summary(config.protected_namespaces, parameters, variables),
        ),
        _object(policy, "MutatingAdmissionPolicyBinding", name, {"policyName": name}, version=version),
    ]


def elsewhere(policy: Policy, config: Config, version: str = "v1") -> list[dict[str, Any]]:
    """Return the MutatingAdmissionPolicy for all namespaces but the protected ones, and its binding.

    Args:
        policy: A policy with an elsewhere.yaml.
        config: The configuration.
        version: One of MUTATING_VERSIONS.
    """
    own = policy.elsewhere
    if own is None:
        return []
    variables = _variables(own.cel, config.protected_namespaces, policy, {})
    spec = {
        # A policy that refuses pods because it cannot be evaluated would refuse them in protected namespaces too.
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "IfNeeded",
        "matchConstraints": {"resourceRules": [_rule("", ["v1"], list(own.operations), ["pods"])]},
        "variables": variables,
        "mutations": list(own.cel.rules),
    }
    summary = _summary(config.protected_namespaces, {}, variables)
    found = [
        _object(policy, "MutatingAdmissionPolicy", own.name, spec, version=version, summary=summary),
        _object(policy, "MutatingAdmissionPolicyBinding", own.name, {"policyName": own.name}, version=version),
    ]
    for obj in found:
        obj["metadata"]["annotations"] |= {"description": own.description, ELSEWHERE_ANNOTATION: own.sets}
    return found


def assigns(policy: Policy, config: Config) -> list[dict[str, Any]]:
    """Return the Assign mutators of a policy, one for each field and way of protecting; empty unless it mutates."""
    if policy.mutation is None or not mutates(policy, config):
        return []
    stated = policy.mutation.assigns
    return [
        {
            "apiVersion": "mutations.gatekeeper.sh/v1",
            "kind": "Assign",
            "metadata": {
                "name": f"{dashed(policy)}-{field_name.lower()}-{way}",
                "annotations": {POLICY_ANNOTATION: policy.name, "pullguard/limits": " ".join(stated.limits)},
            },
            "spec": {
                "applyTo": [{"groups": [""], "versions": ["v1"], "kinds": ["Pod"], "operations": ["CREATE"]}],
                "match": {"scope": "Namespaced", "kinds": [{"apiGroups": [""], "kinds": ["Pod"]}], **match},
                "location": field.location,
                "parameters": {**_path_tests(field), "assign": {"value": stated.value}},
            },
        }
        for field_name, field in stated.fields.items()
        for way, match in ways(config.protected_namespaces).items()
    ]


def _path_tests(field: AssignField) -> dict[str, Any]:
    return {"pathTests": [{"subPath": field.must_exist, "condition": "MustExist"}]} if field.must_exist else {}


def _object(
    policy: Policy, kind: str, name: str, spec: Mapping[str, Any], *, version: str = "v1", summary: str = ""
) -> dict[str, Any]:
    annotations = {POLICY_ANNOTATION: policy.name, "description": policy.description}
    if summary:
        annotations[SUMMARY_ANNOTATION] = summary
    return {
        "apiVersion": f"{GROUP}/{version}",
        "kind": kind,
        "metadata": {"name": name, "annotations": annotations},
        "spec": spec,
    }


def _summary(
    namespaces: ProtectedNamespaces, parameters: Mapping[str, Any], variables: Sequence[Mapping[str, str]]
) -> str:
    """Return what `scope` has to know of variables, with a hash of those that it is true of."""
    protected: dict[str, Any] = {"names": list(namespaces.names)}
    if namespaces.selector is not None:
        protected["selector"] = namespaces.selector
    expressions = "\n".join(variable["expression"] for variable in variables)
    summary = {
        "protectedNamespaces": protected,
        "parameters": parameters,
        "sha256": sha256(expressions.encode("utf-8")).hexdigest(),
    }
    return json.dumps(summary, ensure_ascii=False)


# -- what is asked about --------------------------------------------------------------------------------------------


def _rules(policy: Policy, parameters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the resources of a policy's kinds: of built-in ones by name, of a custom kind its whole group."""
    operations = list(policy.operations)
    rules = []
    for kinds in policy.kinds:
        for group in kinds.api_groups:
            if group not in _RETIRED:
                # So the API names the resources of all kinds that hold pod specs.
                resources = [f"{kind.lower()}s" for kind in kinds.kinds]
                if group == "" and "Pod" in kinds.kinds:
                    resources.append("pods/ephemeralcontainers")
                rules.append(_rule(group, ["v1"], operations, resources))
    # How a custom resource of the user is called is not known; the CEL looks at the kind.
    resources_of: dict[str, list[str]] = {entry["group"]: ["*"] for entry in custom_kinds.judged(policy, parameters)}
    for entry in _known(policy, parameters):
        if (resources := resources_of.setdefault(entry["group"], [])) != ["*"]:
            resources.append(_resource(entry["kind"]))
    rules.extend(_rule(group, ["*"], operations, resources) for group, resources in sorted(resources_of.items()))
    return rules


def _resource(kind: str) -> str:
    """Return what the API names objects of a kind by convention, as all known kinds are named."""
    name = kind.lower()
    return f"{name}es" if name.endswith("s") else f"{name}s"


def _rule(group: str, versions: list[str], operations: list[str], resources: list[str]) -> dict[str, Any]:
    return {
        "apiGroups": [group],
        "apiVersions": versions,
        "operations": operations,
        "resources": resources,
        "scope": "Namespaced",
    }


def _bound_to(config: Config) -> list[tuple[str, dict[str, Any]]]:
    """Return what each binding is bound to, with the end of its name."""
    if config.admission.namespaces != UNSEEN:
        return [("", {})]
    own = [config.admission.gatekeeper_namespace]
    return [
        (
            "-gatekeeper-namespace",
            _selected({"key": _NAME_LABEL, "operator": "In", "values": own}),
        ),
        (
            "-ignored-namespaces",
            _selected(
                {"key": _IGNORE_LABEL, "operator": "Exists"},
                {"key": _NAME_LABEL, "operator": "NotIn", "values": own},
            ),
        ),
    ]


def _selected(*requirements: dict[str, Any]) -> dict[str, Any]:
    return {"matchResources": {"namespaceSelector": {"matchExpressions": list(requirements)}}}


# -- variables ------------------------------------------------------------------------------------------------------


def _variables(
    cel: CelRules, namespaces: ProtectedNamespaces, policy: Policy, parameters: Mapping[str, Any]
) -> list[dict[str, str]]:
    """Return the variables that the rules need, those of the generator first."""
    known, stated = list(_known(policy, parameters)), custom_kinds.stated(policy, parameters)
    candidates = [
        CelVariable(IS_PROTECTED, _is_protected(namespaces)),
        *(CelVariable(name, literal(value)) for name, value in parameters.items()),
        CelVariable(POD_SPECS, _pod_specs(policy.pod_spec_paths)),
        CelVariable(CUSTOM_POD_SPECS, _by_kind([*_known_pod_specs(known), *_by_terms(stated, _pod_specs_in)])),
        CelVariable(CUSTOM_LISTS, _by_kind([*_known_lists(known), *_by_terms(stated, _lists_in)])),
        *cel.variables,
    ]
    needed = used_variables(cel.rules)
    kept = []
    for variable in reversed(candidates):
        if variable.name in needed:
            needed |= used_variables(variable.expression)
            kept.append({"name": variable.name, "expression": variable.expression})
    return kept[::-1]


def _is_protected(namespaces: ProtectedNamespaces) -> str:
    """Return the condition on a namespace."""
    exact = [name for name in namespaces.names if "*" not in name]
    alternatives = [f"request.namespace in {literal(exact)}"] if exact else []
    alternatives.extend(_glob(name) for name in namespaces.names if "*" in name)
    if namespaces.selector is not None:
        alternatives.append(" && ".join(_requirement(*each) for each in _requirements(namespaces.selector)))
    return "\n|| ".join(alternatives)


def _glob(pattern: str) -> str:
    text = literal(pattern.removeprefix("*").removesuffix("*"))
    if not pattern.strip("*"):
        return "true"
    if pattern.startswith("*") and pattern.endswith("*"):
        return f"request.namespace.contains({text})"
    return f"request.namespace.{'endsWith' if pattern.startswith('*') else 'startsWith'}({text})"


def _requirements(selector: Mapping[str, Any]) -> Iterable[tuple[str, str, list[str]]]:
    for key, value in selector.get("matchLabels", {}).items():
        yield key, "In", [value]
    for entry in selector.get("matchExpressions", ()):
        yield entry["key"], entry["operator"], entry.get("values", [])


def _requirement(key: str, operator: str, values: list[str]) -> str:
    text = f"{literal(key)} in namespaceObject.metadata.?labels.orValue({{}})"
    if operator in {"In", "NotIn"}:
        text = f"{text} && namespaceObject.metadata.labels[{literal(key)}] in {literal(values)}"
    return f"!({text})" if operator in {"NotIn", "DoesNotExist"} else text


def _known(policy: Policy, parameters: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what is known of custom resources, as far as every API server that has admission policies takes its CEL."""
    for entry in custom_kinds.known(policy, parameters):
        left = {
            "paths": [path for path in entry.get("paths", ()) if _is_straight(path)],
            "containers": [path for path in entry.get("containers", ()) if _is_straight(path.removesuffix("[]"))],
            "images": [field for field in entry.get("images", ()) if all(map(_is_straight, field.values()))],
        }
        if not custom_kinds.says_nothing(left):
            yield {"group": entry["group"], "kind": entry["kind"], **left}


def _is_straight(path: str) -> bool:
    """Tell whether a path leads through no list and no free keys, for which CEL needs Kubernetes 1.35."""
    return "[]" not in path and "*" not in path


def _known_pod_specs(known: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what the pod specs of known kinds are, as lists of {at, spec}, as a case of `_by_kind`."""
    paths = _by_name(known, "paths")
    if paths:
        yield f"kind in {literal(list(paths))} ? {_chosen(paths)}{_walked(paths)}"


def _known_lists(known: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what uses images in no pod spec of known kinds, as lists of {at, list, items}, as a case of `_by_kind`."""
    containers, images = _by_name(known, "containers"), _by_name(known, "images")
    if not containers and not images:
        return
    fields = {name: [[field["image"], field["policy"]] for field in own] for name, own in images.items()}
    owner = 'path.substring(0, path.lastIndexOf("."))'
    yield (
        f"kind in {literal(sorted({*containers, *fields}))} ? {_chosen(containers)}{_walked(containers)}"
        '.map(p, {"at": p.at, "list": dyn("containers"), "items": p.at[0].endsWith("[]") ? p.spec : dyn([p.spec])})'
        f"\n    + {_chosen(fields)}.map(field, [field{_walked(fields, keep=True)}].map(found, {{"
        '"at": dyn([dyn(field[0]), found[1].keys[size(found[1].keys) - 1]]), "image": found[0].spec, '
        f'"stated": found[1].spec, "name": dyn(field[0]), "beside": dyn(field.map(path, {owner}))}}))'
        '.map(found, found[0]).filter(p, (p.image != null && p.image != "")'
        ' || (p.beside[0] == p.beside[1] && p.stated != null && p.stated != ""))'
        '.map(p, {"at": p.at, "list": dyn("images"), "items": dyn([{"name": p.name, "image": p.image, '
        '"imagePullPolicy": p.stated}])})'
    )


def _by_name(known: Iterable[Mapping[str, Any]], places: str) -> dict[str, list[Any]]:
    return {f"{entry['group']}/{entry['kind']}": entry[places] for entry in known if entry[places]}


def _chosen(places: Mapping[str, Any]) -> str:
    """Return the places of `kind` in a table."""
    return f"{literal(dict(places))}[?kind].orValue([])"


def _walked(places: Mapping[str, Iterable[Any]], *, keep: bool = False) -> str:
    """Return what makes {at, spec} of a list of straight paths in `resource`.

    To write down each path step by step would take an API server most of a minute to compile.

    Args:
        places: The paths, or lists of paths, that it has to be long enough for.
        keep: Whether to keep what is not there, with null, rather than to leave it out.
    """
    flat = [path for own in places.values() for each in own for path in ([each] if isinstance(each, str) else each)]
    text = '.map(path, {"at": dyn([path]), "keys": dyn(path.replace("[]", "").split(".")), "spec": dyn(resource)})'
    for index in range(max((len(path.split(".")) for path in flat), default=0)):
        text += (
            f'.map(p, {{"at": p.at, "keys": p.keys, "spec": size(p.keys) <= {index} ? p.spec '
            f": type(p.spec) == map && p.keys[{index}] in p.spec ? dyn(p.spec[p.keys[{index}]]) : dyn(null)}})"
        )
    return text if keep else f"{text}.filter(p, p.spec != null)"


def _pod_specs(paths: PodSpecPaths) -> str:
    """Return two lists of {at, spec}, of the object and of the object before, for the built-in kinds.

    What is right for one kind is wrong for the next, so that all is dyn. Pods are the most frequent objects, and come
    first.
    """
    kinds: dict[tuple[str, ...], list[str]] = {}
    for group, of_group in paths.items():
        for kind, keys in of_group.items():
            if group not in _RETIRED:
                kinds.setdefault(tuple(keys), []).append(f"{group}/{kind}")
    if not kinds:
        return "[[], []]"
    cases = [
        f"kind in {literal(kinds[keys])} ? [\n"
        f'    {{"at": dyn(["."]), "spec": resource{"".join(f".?{key}" for key in keys)}.orValue(null)}}]'
        for keys in sorted(kinds, key=lambda keys: (len(keys), keys))
    ]
    return (
        '[request.kind.group + "/" + request.kind.kind].map(kind, [dyn(object), dyn(oldObject)].map(resource,\n  '
        + "\n  : ".join([*cases, "[]))[0]"])
    )


def _by_kind(cases: Sequence[str]) -> str:
    """Return two lists, of the object and of the object before, of what a case for its `kind` makes of `resource`."""
    if not cases:
        return "[[], []]"
    return (
        '[request.kind.group + "/" + request.kind.kind].map(kind, [dyn(object), dyn(oldObject)].map(resource,\n  '
        + "\n  : ".join([*cases, "[]))[0]"])
    )


def _by_terms(
    kinds: Iterable[Mapping[str, Any]], terms_of: Callable[[Mapping[str, Any]], Iterable[str]]
) -> Iterator[str]:
    """Yield a case of `_by_kind` for each of the kinds, of the sum of its terms. A kind can be stated several times."""
    terms: dict[str, list[str]] = {}
    for kind in kinds:
        terms.setdefault(f"{kind['group']}/{kind['kind']}", []).extend(terms_of(kind))
    alike: dict[tuple[str, ...], list[str]] = {}
    for name, own in terms.items():
        alike.setdefault(tuple(own), []).append(name)
    for alike_terms, names in alike.items():
        if alike_terms:
            yield f"kind in {literal(names)} ? " + "\n    + ".join(alike_terms)


def _pod_specs_in(kind: Mapping[str, Any]) -> Iterator[str]:
    """Yield the pod specs of a kind, as lists of {at, spec}. What is not there, or is of the wrong type, has none."""
    for path in kind.get("paths", ()):
        yield _specs_at(path)


def _lists_in(kind: Mapping[str, Any]) -> Iterator[str]:
    """Yield what uses images in no pod spec, as lists of {at, list, items}: items are written as containers are."""
    for path in kind.get("containers", ()):
        items = "p.spec" if path.endswith("[]") else "dyn([p.spec])"
        yield (
            _specs_at(path.removesuffix("[]")) + f'.map(p, {{"at": p.at, "list": dyn("containers"), "items": {items}}})'
        )
    for field in kind.get("images", ()):
        yield _image_at(field["image"], field["policy"])


def _image_at(image: str, policy: str) -> str:
    """Return the list of what a field for an image holds, together with the field of its pull policy.

    Lists and free keys on the way to the policy are on the way to the image as well; `at` ends in the policy's name.
    """
    *owner, image_key = image.split(".")
    above, below = custom_kinds.divided(policy)
    beside = owner == policy.split(".")[:-1]
    stated = f"({_followed('[c]', below)}.map(q, q.spec) + [dyn(null)])[0]"
    used = '(p.image != null && p.image != "")' + (' || (p.stated != null && p.stated != "")' if beside else "")
    found = (
        _followed("[c]", owner[len(above) :])
        + f'.filter(p, type(p.spec) == map).map(p, {{"at": dyn(p.at + [{literal(below[-1])}]), '
        f'"image": dyn(p.spec[?{literal(image_key)}].orValue(null)), "stated": {stated}}}).filter(p, {used})'
        f'.map(p, {{"at": p.at, "list": dyn("images"), "items": dyn([{{"name": dyn({literal(image)}), '
        '"image": p.image, "imagePullPolicy": p.stated}])})'
    )
    start = _followed(_start(image), above)
    return f"{start}.map(c, {found})" + (".flatten(1)" if above else "[0]")


def _specs_at(path: str) -> str:
    """Return the list of what stands at a path, where `[]` behind a key means every entry of its list, `*` every key.

    Each has its place, `at`: the path, and the names of the entries on its way, "" for one that has none, and the keys.
    """
    return _followed(_start(path), path.split("."))


def _start(path: str) -> str:
    return f'[{{"at": dyn([{literal(path)}]), "spec": dyn(resource)}}]'


def _followed(text: str, steps: Iterable[str]) -> str:
    """Return the list of what is reached by steps from a list of {at, spec}."""
    for step in steps:
        key = literal(step.removesuffix("[]"))
        if key == '"*"':
            text += (
                ".filter(p, type(p.spec) == map).map(p, p.spec.map(k, k).sort().map(k, "
                '{"at": dyn(p.at + [k]), "spec": dyn(p.spec[k])})).flatten(1)'
            )
        else:
            text += (
                f'.filter(p, type(p.spec) == map && {key} in p.spec).map(p, {{"at": p.at, "spec": dyn(p.spec[{key}])}})'
            )
        if step.endswith("[]"):
            text += (
                ".filter(p, type(p.spec) == list).map(p, p.spec.map(v, "
                '{"at": dyn(p.at + [type(v) == map && type(v.?name.orValue(null)) == string ? v.name : ""]), '
                '"spec": dyn(v)})).flatten(1)'
            )
    return text
