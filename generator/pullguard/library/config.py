"""pullguard.yaml: its JSON Schema, and what it says as frozen values."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import ACTIONS
from pullguard.core.inputs.problems import InputError
from pullguard.core.schema_errors import Problem, dotted, in_file, joined, problems
from pullguard.core.text_files import read_text
from pullguard.engine.documents import Document, read_documents
from pullguard.engine.protocol import Engine
from pullguard.library import custom_kinds
from pullguard.library.policies.model import LEVELS, Policy
from pullguard.library.policies.structural import doubts, json_schema

#: Where the commands look for the configuration.
DEFAULT_FILE = "pullguard.yaml"

#: What a user writes for an enforcement level, and the enforcementAction that Gatekeeper calls it, mildest first.
ENFORCEMENT = dict(zip(LEVELS, ACTIONS, strict=True))

#: Where ValidatingAdmissionPolicies can be in force.
UNSEEN, ALL = "unseen", "all"

_START = "`pullguard init` writes one to start with"

# As k8s.io/apimachinery validates them: an optional DNS subdomain of at most 253 characters, a name of at most 63.
# Go, whose expressions look neither ahead nor behind, reads the same patterns in the schema of the chart.
_LABEL_KEY: dict[str, Any] = {
    "pattern": (
        r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
        r"([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$"
    ),
    "not": {"pattern": "^[^/]{254}"},
    "errorMessage": "a label's key is name or prefix/name, as in example.com/protected",
}
_LABEL_VALUE = r"^(([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9])?$"


@dataclass(frozen=True, slots=True)
class ProtectedNamespaces:
    """The namespaces whose pods must restart without a registry: those that any of the two names.

    Attributes:
        names: Globs of Gatekeeper; empty if namespaces are not protected by name.
        selector: A label selector for Namespaces, as Kubernetes writes it, or None.
    """

    names: tuple[str, ...]
    selector: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class PolicyConfig:
    """What the configuration says about one policy.

    Attributes:
        enabled: Whether it is generated.
        enforcement: One of the levels that the policy offers.
        parameters: What the user states; valid, without defaults.
    """

    enabled: bool
    enforcement: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AdmissionConfig:
    """Where ValidatingAdmissionPolicies are in force.

    Attributes:
        namespaces: UNSEEN for the protected namespaces that Gatekeeper's webhook leaves out, or ALL of them.
        gatekeeper_namespace: The namespace that Gatekeeper runs in: its webhook leaves it out by name.
    """

    namespaces: str = UNSEEN
    gatekeeper_namespace: str = "gatekeeper-system"


@dataclass(frozen=True, slots=True)
class Config:
    """A whole configuration.

    Attributes:
        protected_namespaces: At least one of its two ways is there.
        policies: By the policy's name; one for every policy there is.
        admission: What differs from the defaults about admission policies.
        notes: What is seldom meant, each with file and line.
    """

    protected_namespaces: ProtectedNamespaces
    policies: Mapping[str, PolicyConfig]
    admission: AdmissionConfig = AdmissionConfig()
    notes: tuple[str, ...] = ()


def load(engine: Engine, path: Path, policies: Sequence[Policy]) -> Config:
    """Read a configuration.

    Raises:
        PullguardError: It cannot be read, or says something that it cannot say; names every such place.
    """
    if not path.exists():
        raise PullguardError("there is no such file", file=str(path), remedy=_START)
    return parse(engine, read_text(path).removeprefix("\ufeff"), str(path), policies)


def parse(engine: Engine, text: str, file: str, policies: Sequence[Policy]) -> Config:
    """Return the configuration that a YAML text is.

    Args:
        engine: What reads YAML.
        text: The text.
        file: Its name for messages.
        policies: The policies that it can speak of.

    Raises:
        PullguardError: As with `load`.
    """
    documents: list[Document] = []
    errors: list[PullguardError] = []
    for read in read_documents(engine, text, file):
        if isinstance(read, InputError):
            errors.append(PullguardError(read.message, file=file, line=read.line))
        elif read.value is not None:
            documents.append(read)
    if len(documents) > 1:
        errors.append(
            PullguardError(
                "there is more than one document", file=file, line=documents[1].line, remedy="remove the lines `---`"
            )
        )
    if not documents and not errors:
        errors.append(PullguardError("it says nothing", file=file, line=1, remedy=_START))
    if documents:
        found = problems(schema(policies), documents[0].value, root="the configuration")
        found = found or list(_several_names(policies, documents[0].value))
        if not found:
            config = _config(documents[0].value, policies)
            found = [
                problem
                for policy in policies
                for problem in (
                    *_missing(policy, config.policies[policy.name]),
                    *_unreachable(policy, config.policies[policy.name]),
                )
            ]
        errors.extend(in_file(found, file, documents[0].line_of))
    if errors:
        raise joined(errors)
    return replace(config, notes=tuple(_notes(config, policies, documents[0])))


def _notes(config: Config, policies: Sequence[Policy], document: Document) -> Iterator[str]:
    stated = document.value.get("policies") or {}
    for policy in policies:
        parameters = config.policies[policy.name].parameters
        name = next((name for name in policy.aliases if name in stated), policy.name)
        if name != policy.name:
            own = ("policies", name)
            yield f"{document.file}:{document.line_of(own)}: {dotted(own, '')} is called {policy.name} now"
        place = ("policies", name, "parameters")
        for path, because in doubts(policy.stated_parameters, parameters, place):
            yield f"{document.file}:{document.line_of(path)}: {dotted(path, '')}: {because}"


def schema(policies: Sequence[Policy]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of pullguard.yaml, for editors and for `load` alike."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pullguard.yaml",
        "description": "What pullguard protects, and how hard.",
        "type": "object",
        "required": ["protectedNamespaces"],
        "properties": {
            "protectedNamespaces": _PROTECTED_NAMESPACES,
            "enforcement": {
                "description": (
                    "What happens to a violation: audit reports it, warn admits the object with a warning, "
                    "deny refuses it. For every policy that does not say otherwise; one that does not offer this level "
                    "takes the strictest that it offers."
                ),
                "enum": list(ENFORCEMENT),
                "default": "audit",
            },
            "admission": _ADMISSION,
            "policies": {
                "description": "What differs from the defaults, by policy.",
                "type": ["object", "null"],
                "properties": {
                    **{policy.name: _of_policy(policy) for policy in policies},
                    **{
                        old: {**_of_policy(policy), "deprecated": True, "description": f"Called {policy.name} now."}
                        for policy in policies
                        for old in policy.aliases
                    },
                },
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }


def _of_policy(policy: Policy) -> dict[str, Any]:
    parameters = json_schema(policy.stated_parameters)
    parameters["type"] = ["object", "null"]
    return {
        "title": policy.title,
        "description": policy.description,
        "type": ["object", "null"],
        "properties": {
            "enabled": {
                "description": "Whether the policy is part of the library.",
                "type": "boolean",
                "default": True,
            },
            "enforcement": {
                "description": "What happens to a violation of this policy.",
                "enum": list(policy.levels),
                "errorMessage": "the policy's page says which levels it offers, and why",
            },
            "parameters": parameters,
        },
        "additionalProperties": False,
    }


_LABEL_VALUE_REMEDY = (
    "a label's value has at most 63 letters, digits, hyphens, underscores and dots, "
    "and begins and ends with a letter or digit"
)
_VALUES_REMEDY = "In and NotIn compare with at least one value"
_SELECTOR: dict[str, Any] = {
    "description": "A label selector: namespaces whose labels match are protected.",
    "type": "object",
    "minProperties": 1,
    "errorMessage": 'state matchLabels or matchExpressions; for every namespace, write names: ["*"] instead',
    "properties": {
        "matchLabels": {
            "description": "Labels that a namespace has, all of them.",
            "type": "object",
            "minProperties": 1,
            "propertyNames": _LABEL_KEY,
            "additionalProperties": {
                "type": "string",
                "pattern": _LABEL_VALUE,
                "errorMessage": _LABEL_VALUE_REMEDY,
            },
        },
        "matchExpressions": {
            "description": "Conditions on the labels of a namespace, all of which hold.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "object",
                "required": ["key", "operator"],
                "properties": {
                    "key": {"type": "string", **_LABEL_KEY},
                    "operator": {"enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
                    "values": {
                        "type": "array",
                        "uniqueItems": True,
                        "items": {
                            "type": "string",
                            "pattern": _LABEL_VALUE,
                            "errorMessage": _LABEL_VALUE_REMEDY,
                        },
                    },
                },
                "additionalProperties": False,
                "allOf": [
                    {
                        "if": {"required": ["operator"], "properties": {"operator": {"enum": ["In", "NotIn"]}}},
                        "then": {
                            "required": ["values"],
                            "properties": {"values": {"minItems": 1, "errorMessage": _VALUES_REMEDY}},
                            "errorMessage": _VALUES_REMEDY,
                        },
                    },
                    {
                        "if": {
                            "required": ["operator"],
                            "properties": {"operator": {"enum": ["Exists", "DoesNotExist"]}},
                        },
                        "then": {
                            "properties": {
                                "values": {"maxItems": 0, "errorMessage": "Exists and DoesNotExist have no values"}
                            }
                        },
                    },
                ],
            },
        },
    },
    "additionalProperties": False,
}
_PROTECTED_NAMESPACES: dict[str, Any] = {
    "description": "The namespaces whose pods must be able to restart without an image registry.",
    "type": "object",
    "anyOf": [{"required": ["names"]}, {"required": ["selector"]}],
    "errorMessage": "state names, or a selector, or both",
    "properties": {
        "names": {
            "description": "Names, with an asterisk at the start or the end for anything, as in kube-*.",
            "type": "array",
            "minItems": 1,
            "uniqueItems": True,
            "items": {
                "type": "string",
                "minLength": 1,
                "pattern": r"^\*?[-:a-z0-9]*\*?$",
                "errorMessage": (
                    "a name has lower-case letters, digits and hyphens, and an asterisk at the start or the end only"
                ),
            },
        },
        "selector": _SELECTOR,
    },
    "additionalProperties": False,
}


_ADMISSION: dict[str, Any] = {
    "description": "ValidatingAdmissionPolicies, which the API server evaluates itself, without Gatekeeper.",
    "type": ["object", "null"],
    "properties": {
        "namespaces": {
            "description": (
                "unseen: the protected namespaces that Gatekeeper's webhook leaves out, which are its own and those "
                "labelled admission.gatekeeper.sh/ignore; all: every protected namespace, also without Gatekeeper."
            ),
            "enum": [UNSEEN, ALL],
            "default": UNSEEN,
        },
        "gatekeeperNamespace": {
            "description": "The namespace that Gatekeeper runs in.",
            "type": "string",
            "pattern": r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$",
            "errorMessage": "write the name of a namespace",
            "default": "gatekeeper-system",
        },
    },
    "additionalProperties": False,
}


def _config(value: Mapping[str, Any], policies: Sequence[Policy]) -> Config:
    namespaces = value["protectedNamespaces"]
    enforcement = value.get("enforcement", "audit")
    stated = value.get("policies") or {}
    admission = value.get("admission") or {}
    return Config(
        protected_namespaces=ProtectedNamespaces(tuple(namespaces.get("names", ())), namespaces.get("selector")),
        policies={
            policy.name: PolicyConfig(
                enabled=own.get("enabled", True),
                enforcement=own.get("enforcement", policy.level(enforcement)),
                parameters=own.get("parameters") or {},
            )
            for policy in policies
            for own in [_stated_of(policy, stated)]
        },
        admission=AdmissionConfig(
            namespaces=admission.get("namespaces", UNSEEN),
            gatekeeper_namespace=admission.get("gatekeeperNamespace", AdmissionConfig().gatekeeper_namespace),
        ),
    )


def _stated_of(policy: Policy, stated: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what is stated of a policy, by whichever of its names."""
    return next((stated[name] or {} for name in (policy.name, *policy.aliases) if name in stated), {})


def _several_names(policies: Sequence[Policy], value: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is stated of a policy by one of its names although it is stated by another."""
    stated = value.get("policies") or {}
    for policy in policies:
        names = [name for name in (policy.name, *policy.aliases) if name in stated]
        for name in names[1:]:
            path = ("policies", name)
            yield Problem(path, f"{dotted(path, '')} is the policy {names[0]}, which is stated too", "state it once")


def _missing(policy: Policy, config: PolicyConfig) -> list[Problem]:
    """Return what a policy cannot do without and nobody states: what a schema cannot say where a key is absent."""
    if not config.enabled or config.parameters:
        return []
    place = ("policies", policy.name, "parameters")
    return problems(json_schema(policy.stated_parameters), {}, root="", below=place)


def _unreachable(policy: Policy, config: PolicyConfig) -> Iterator[Problem]:
    """Yield what is stated of custom kinds and leads nowhere, as no pattern of one field can tell."""
    for index, kind in enumerate(custom_kinds.stated(policy, config.parameters)):
        path = ("policies", policy.name, "parameters", policy.kinds_from_parameter or "", index)
        if policy.known_kinds and custom_kinds.says_nothing(kind) and not custom_kinds.is_known(policy, kind):
            yield Problem(
                path,
                f"{dotted(path, '')} names no place in {kind['kind']}, which is not judged anyway",
                "state paths, containers or images",
            )
        for number, field in enumerate(kind.get("images", ())):
            above, _ = custom_kinds.divided(field["policy"])
            if field["image"].split(".")[: len(above)] != above:
                place = (*path, "images", number, "policy")
                yield Problem(
                    place,
                    f"{dotted(place, '')} cannot be {field['policy']}: {field['image']} leads through other lists",
                    "a pull policy stands in the same entry as its image, or above all lists",
                )
