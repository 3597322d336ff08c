"""Gatekeeper's objects, ConstraintTemplate and Constraint, as values that the rest of pullguard works with."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.lookups import LOOKED_UP

TARGET = "admission.k8s.gatekeeper.sh"
CONSTRAINT_GROUP = "constraints.gatekeeper.sh"
TEMPLATE_GROUP = "templates.gatekeeper.sh"
EXPANSION_GROUP = "expansion.gatekeeper.sh"

POLICY_ANNOTATION = "pullguard/policy"

#: The names that a policy had before, as a JSON list.
ALIASES_ANNOTATION = "pullguard/aliases"

#: Says on an admission policy what `scope` has to know of its CEL, as JSON: see rego/scope/policies.
SUMMARY_ANNOTATION = "pullguard/summary"

#: The annotation of an admission policy for all namespaces but the protected ones: the pull policy that it sets there.
ELSEWHERE_ANNOTATION = "pullguard/elsewhere"
RULES_ANNOTATION = "pullguard/rules"
SYNC_ANNOTATION = "metadata.gatekeeper.sh/requires-sync-data"

#: Enforcement actions from the mildest to the strictest.
ACTIONS = ("dryrun", "warn", "deny")


@dataclass(frozen=True, slots=True)
class RegoSource:
    """The Rego of a template, verbatim.

    Attributes:
        version: "v0" or "v1"; Gatekeeper takes every string but "v1" for v0.
        rego: The entry module, with the rule ``violation``.
        libs: The library modules, in the order of the template.
    """

    version: str
    rego: str
    libs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Deprecation:
    """That a rule will go.

    Attributes:
        since: The version of pullguard that said so first.
        because: Why, in a line.
        use: The id of the rule that takes its place; "" if none does.
    """

    since: str
    because: str
    use: str = ""

    @property
    def value(self) -> dict[str, str]:
        """What METADATA, annotations and reports say of it: without `use` if nothing takes its place."""
        return {"since": self.since, "because": self.because, **({"use": self.use} if self.use else {})}

    @property
    def sentence(self) -> str:
        """The same for people, to follow what is deprecated."""
        remedy = f"; use {self.use} instead" if self.use else ""
        return f"is deprecated since pullguard {self.since}: {self.because}{remedy}"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a policy, as its METADATA describes it: what a finding with this reason is called.

    Attributes:
        id: Stable, unique in the library.
        severity: "low", "medium", "high" or "critical".
        title: One line for people.
        aliases: The ids that it had before, the first one first.
        deprecated: That it will go; None if it stays.
    """

    id: str
    severity: str
    title: str
    aliases: tuple[str, ...] = ()
    deprecated: Deprecation | None = None

    @property
    def first_id(self) -> str:
        """The id that it had first, which identifies its findings for good."""
        return self.aliases[0] if self.aliases else self.id


@dataclass(frozen=True, slots=True)
class Summary:
    """What is to be known of a template to name what its constraints say; a ConstraintTemplate has all of it as well.

    Attributes:
        name: metadata.name, the lower-case kind.
        kind: The kind of its constraints.
        policy: The policy's name in pullguard's library; the template's name for templates of others.
        rules: By reason; empty for templates of others.
        description: What the policy demands and why; "" if it does not say.
        aliases: The names that the policy had before.
    """

    name: str
    kind: str
    policy: str
    rules: Mapping[str, Rule]
    description: str
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConstraintTemplate:
    """A ConstraintTemplate.

    Attributes:
        file: Where it was read.
        name: metadata.name, the lower-case kind.
        kind: The kind of its constraints.
        policy: The policy's name in pullguard's library; the template's name for templates of others.
        rules: By reason; empty for templates of others.
        engines: What its code is written for, such as ("Rego",) or ("K8sNativeValidation", "Rego").
        source: Its Rego, or None if it has none.
        parameters_schema: The OpenAPI v3 schema of spec.parameters, or None if it has none.
        object: The whole object.
        aliases: The names that the policy had before.
    """

    file: str
    name: str
    kind: str
    policy: str
    rules: Mapping[str, Rule]
    engines: tuple[str, ...]
    source: RegoSource | None
    parameters_schema: Mapping[str, Any] | None
    object: Mapping[str, Any]
    aliases: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """What the policy demands and why; "" if it does not say."""
        text = dig(self.object, "metadata", "annotations", "description")
        return text if isinstance(text, str) else ""


@dataclass(frozen=True, slots=True)
class Constraint:
    """A constraint: an object of a kind that a ConstraintTemplate made.

    Attributes:
        file: Where it was read.
        kind: The template's kind.
        name: metadata.name.
        object: The whole object.
    """

    file: str
    kind: str
    name: str
    object: Mapping[str, Any]


def group_of(obj: Mapping[str, Any]) -> str:
    """Return the API group of an object: "" for the core group and where apiVersion is not a string."""
    api_version = obj.get("apiVersion")
    if not isinstance(api_version, str) or "/" not in api_version:
        return ""
    return api_version.rpartition("/")[0]


def is_template(obj: Mapping[str, Any]) -> bool:
    """Tell whether an object is a ConstraintTemplate."""
    return group_of(obj) == TEMPLATE_GROUP and obj.get("kind") == "ConstraintTemplate"


def is_expansion(obj: Mapping[str, Any]) -> bool:
    """Tell whether an object is an ExpansionTemplate."""
    return group_of(obj) == EXPANSION_GROUP and obj.get("kind") == "ExpansionTemplate"


def is_constraint(obj: Mapping[str, Any]) -> bool:
    """Tell whether an object is a constraint."""
    return group_of(obj) == CONSTRAINT_GROUP


def needs_cluster(template: ConstraintTemplate) -> bool:
    """Tell whether a template judges by objects that only a cluster has, and not by LOOKED_UP alone.

    Its annotation says so, in the form that Gatekeeper's documentation gives. One of another form says nothing.
    """
    text = dig(template.object, "metadata", "annotations", SYNC_ANNOTATION)
    if not isinstance(text, str):
        return False
    try:
        requirements = json.loads(text.strip("\n\"'"))
        return any(
            kind not in LOOKED_UP for requirement in requirements for entry in requirement for kind in entry["kinds"]
        )
    except (TypeError, ValueError, KeyError):
        return False


def constraint_from(obj: Mapping[str, Any], file: str) -> Constraint:
    """Return the Constraint that an object with the group of constraints is.

    Raises:
        PullguardError: Its kind or name is not a string.
    """
    return Constraint(file, _string(obj, file, "kind"), _string(obj, file, "metadata", "name"), obj)


def template_from(obj: Mapping[str, Any], file: str) -> ConstraintTemplate:
    """Return the ConstraintTemplate that an object is.

    Only the shape is checked here; the engines check what Gatekeeper demands of the Rego.

    Raises:
        PullguardError: A field that every template has is missing or of the wrong type.
    """
    name = _string(obj, file, "metadata", "name")
    kind = _string(obj, file, "spec", "crd", "spec", "names", "kind")
    targets = dig(obj, "spec", "targets")
    if not isinstance(targets, list) or len(targets) != 1 or not isinstance(targets[0], dict):
        raise PullguardError("spec.targets of a ConstraintTemplate has exactly one entry", file=file)
    target = targets[0]
    if target.get("target") != TARGET:
        raise PullguardError(f"the target of a ConstraintTemplate is {TARGET}", file=file)
    annotations = dig(obj, "metadata", "annotations")
    annotations = annotations if isinstance(annotations, dict) else {}
    schema = dig(obj, "spec", "crd", "spec", "validation", "openAPIV3Schema")
    source, engines = _code(target, file)
    return ConstraintTemplate(
        file=file,
        name=name,
        kind=kind,
        policy=str(annotations.get(POLICY_ANNOTATION, name)),
        rules=_rules(annotations.get(RULES_ANNOTATION), file),
        engines=engines,
        source=source,
        parameters_schema=schema if isinstance(schema, dict) else None,
        object=obj,
        aliases=_aliases(annotations.get(ALIASES_ANNOTATION), file),
    )


def rule_from(value: Mapping[str, Any]) -> Rule:
    """Return the rule that METADATA, an annotation or the index of a library describes.

    Raises:
        KeyError, TypeError: It does not have the form.
    """
    aliases, deprecated = value.get("aliases", []), value.get("deprecated")
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise TypeError("aliases are a list of ids")
    return Rule(
        id=value["id"],
        severity=value["severity"],
        title=value["title"],
        aliases=tuple(aliases),
        deprecated=None if deprecated is None else Deprecation(**deprecated),
    )


def rule_value(rule: Rule) -> dict[str, Any]:
    """Return what `rule_from` reads, without what is not stated."""
    value: dict[str, Any] = {"id": rule.id, "severity": rule.severity, "title": rule.title}
    if rule.aliases:
        value["aliases"] = list(rule.aliases)
    if rule.deprecated is not None:
        value["deprecated"] = rule.deprecated.value
    return value


def dig(value: Any, *path: str) -> Any:
    """Return the value at a path of keys, or None where there is none."""
    for key in path:
        if type(value) is not dict and not isinstance(value, Mapping):  # the second takes ten times as long
            return None
        value = value.get(key)
    return value


def _code(target: Mapping[str, Any], file: str) -> tuple[RegoSource | None, tuple[str, ...]]:
    """Return the Rego that Gatekeeper would run and the engines of the template: legacy `rego` beats `code`."""
    code = [entry for entry in target.get("code") or () if isinstance(entry, dict)]
    engines = tuple(sorted({str(entry.get("engine")) for entry in code}))
    rego = target.get("rego")
    if isinstance(rego, str) and rego:
        return RegoSource("v0", rego, _libs(target.get("libs"), file)), tuple(sorted({*engines, "Rego"}))
    for entry in code:
        source = entry.get("source")
        if entry.get("engine") != "Rego" or not isinstance(source, dict):
            continue
        rego = source.get("rego")
        if not isinstance(rego, str):
            raise PullguardError("the Rego source of a ConstraintTemplate has no `rego`", file=file)
        version = "v1" if source.get("version") == "v1" else "v0"
        return RegoSource(version, rego, _libs(source.get("libs"), file)), engines
    return None, engines


def _libs(libs: Any, file: str) -> tuple[str, ...]:
    if libs is None:
        return ()
    if not isinstance(libs, list) or not all(isinstance(lib, str) for lib in libs):
        raise PullguardError("the libs of a ConstraintTemplate are a list of strings", file=file)
    return tuple(libs)


def _rules(text: Any, file: str) -> dict[str, Rule]:
    if text is None:
        return {}
    try:
        return {reason: rule_from(rule) for reason, rule in json.loads(text).items()}
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        raise _not_ours(RULES_ANNOTATION, repr(error), file) from error


def _aliases(text: Any, file: str) -> tuple[str, ...]:
    if text is None:
        return ()
    try:
        names = json.loads(text)
    except (TypeError, ValueError) as error:
        raise _not_ours(ALIASES_ANNOTATION, repr(error), file) from error
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _not_ours(ALIASES_ANNOTATION, "not a list of names", file)
    return tuple(names)


def _not_ours(annotation: str, why: str, file: str) -> PullguardError:
    return PullguardError(
        f"the annotation {annotation} is not what pullguard writes ({why})",
        file=file,
        remedy="generate the library again",
    )


def _string(obj: Mapping[str, Any], file: str, *path: str) -> str:
    value = dig(obj, *path)
    if not isinstance(value, str) or not value:
        raise PullguardError(f"{'.'.join(path)} is missing or no string", file=file)
    return value
