"""The CEL beside a policy, for the API server to evaluate: admission.yaml, mutation.yaml and elsewhere.yaml; pure."""

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.schema_errors import in_file, joined, problems
from pullguard.engine.documents import Document, load_document
from pullguard.engine.protocol import Engine
from pullguard.library.policies.metadata import RULE_REMEDY
from pullguard.library.policies.model import AssignField, Assigns, CelRules, CelVariable, Elsewhere, Mutation

#: Variables that the generator writes, besides one for each parameter: whether the namespace is a protected one, the
#: pod specs of built-in kinds, and the pod specs and whatever else uses images of custom resources.
IS_PROTECTED = "isProtected"
POD_SPECS = "podSpecs"
CUSTOM_POD_SPECS = "customPodSpecs"
CUSTOM_LISTS = "customLists"

_USE = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")

_TEXT = {"type": "string", "pattern": r"\S"}
_NAME = {"type": "string", "pattern": "^[a-z][A-Za-z0-9]*$", "errorMessage": "write a name in camelCase"}
_VARIABLES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"import": {"type": "string"}, "name": _NAME, "expression": _TEXT, "value": _TEXT},
        "additionalProperties": False,
        "oneOf": [{"required": ["import"]}, {"required": ["name", "expression"]}, {"required": ["name", "value"]}],
        "errorMessage": "state import, name and expression, or name and value",
    },
}
#: The API server itself says what else can stand in a validation or a mutation.
_RULES = {"type": "array", "minItems": 1, "items": {"type": "object", "minProperties": 1}}


def _schema(required: list[str], **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required,
        "properties": {"variables": _VARIABLES, **properties},
        "additionalProperties": False,
    }


_LIB = _schema(["variables"])
_ADMISSION = _schema(["validations"], validations=_RULES)
_FIELD = {
    "type": "object",
    "required": ["field"],
    "properties": {"field": _TEXT, "mustExist": _TEXT},
    "additionalProperties": False,
}
_MUTATION = _schema(
    ["requires", "mutations", "assigns"],
    requires={
        "type": "object",
        "required": ["parameter", "value"],
        "properties": {"parameter": {"type": "string"}, "value": _TEXT},
        "additionalProperties": False,
    },
    mutations=_RULES,
    assigns={
        "type": "object",
        "required": ["value", "locations", "limits"],
        "properties": {
            "value": _TEXT,
            "locations": {"type": "object", "minProperties": 1, "propertyNames": _NAME, "additionalProperties": _FIELD},
            "limits": {"type": "array", "minItems": 1, "items": _TEXT},
        },
        "additionalProperties": False,
    },
)
_ELSEWHERE = _schema(
    ["name", "description", "sets", "operations", "mutations"],
    name={"type": "string", "pattern": "^[a-z][a-z0-9-]*[a-z0-9]$", "errorMessage": "write words joined by dashes"},
    description=_TEXT,
    sets=_TEXT,
    operations={"type": "array", "minItems": 1, "items": {"enum": ["CREATE", "UPDATE"]}},
    mutations=_RULES,
)


@dataclass(frozen=True, slots=True)
class Libs:
    """What the variables of an admission.yaml can name in rego/lib.

    Attributes:
        admission: Gives the text of the admission.yaml of a lib, and its name for messages; None if there is none.
        value: Gives the value of a rule, such as lib.images.floating_tags; None if there is none.
        engine: What reads YAML.
    """

    admission: Callable[[str], tuple[str, str] | None]
    value: Callable[[str], Any]
    engine: Engine


def admission(text: str, file: str, libs: Libs, parameters: Collection[str]) -> CelRules:
    """Return what an admission.yaml says.

    Args:
        text: The text.
        file: Its name for messages.
        libs: What it can name in rego/lib.
        parameters: The names of the policy's parameters: they are variables.

    Raises:
        PullguardError: It, or what it imports, is not YAML, or says something that it cannot say.
    """
    document = _document(libs.engine, text, file, _ADMISSION)
    return _rules(document, file, "validations", libs, parameters)


def mutation(text: str, file: str, libs: Libs, parameters: Mapping[str, Any]) -> Mutation:
    """Return what a mutation.yaml says; as `admission`, with the schemas of the parameters by their names."""
    document = _document(libs.engine, text, file, _MUTATION)
    requires, assigns = document.value["requires"], document.value["assigns"]
    options = parameters.get(requires["parameter"], {}).get("items", {}).get("enum", ())
    if requires["value"] not in options:
        raise PullguardError(
            f"{requires['parameter']} is not a parameter that can list {requires['value']}",
            file=file,
            line=document.line_of(("requires",)),
            remedy="name a list parameter, and one of the values in its enum",
        )
    return Mutation(
        parameter=requires["parameter"],
        value=requires["value"],
        cel=_rules(document, file, "mutations", libs, parameters),
        assigns=Assigns(
            value=assigns["value"],
            fields={
                name: AssignField(at["field"], at.get("mustExist", "")) for name, at in assigns["locations"].items()
            },
            limits=tuple(assigns["limits"]),
        ),
    )


def elsewhere(text: str, file: str, libs: Libs, parameters: Collection[str]) -> Elsewhere:
    """Return what an elsewhere.yaml says; as `admission`."""
    document = _document(libs.engine, text, file, _ELSEWHERE)
    stated = document.value
    return Elsewhere(
        name=stated["name"],
        description=stated["description"],
        sets=stated["sets"],
        operations=tuple(stated["operations"]),
        cel=_rules(document, file, "mutations", libs, parameters),
    )


def used_variables(value: Any) -> set[str]:
    """Return the names of the variables that the texts of a JSON value use."""
    if isinstance(value, Mapping):
        return set().union(*(used_variables(entry) for entry in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(used_variables(entry) for entry in value))
    return set(_USE.findall(value)) if isinstance(value, str) else set()


def literal(value: Any) -> str:
    """Return a JSON value as CEL: it is JSON as well, but for surrogates."""
    return json.dumps(value, ensure_ascii=False)


def _document(engine: Engine, text: str, file: str, schema: Mapping[str, Any]) -> Document:
    document = load_document(engine, text, file, dialect="kubernetes")
    found = problems(schema, document.value, root=file.rpartition("/")[2])
    if found:
        raise joined(in_file(found, file, document.line_of))
    return document


def _rules(document: Document, file: str, key: str, libs: Libs, parameters: Collection[str]) -> CelRules:
    """Return the rules below a key, and the variables before them with those of the libs in their places."""
    variables = _Variables(libs, (*parameters, IS_PROTECTED, POD_SPECS, CUSTOM_POD_SPECS, CUSTOM_LISTS))
    variables.include(document, file)
    rules = [_stripped(rule) for rule in document.value[key]]
    for index, rule in enumerate(rules):
        variables.require_known(rule, _Place(document, file, (key, index)))
    return CelRules(variables=variables.written(), rules=tuple(rules))


@dataclass(frozen=True, slots=True)
class _Place:
    """Where something stands, for messages."""

    document: Document
    file: str
    path: tuple[str | int, ...]

    def error(self, message: str, remedy: str) -> PullguardError:
        return PullguardError(message, file=self.file, line=self.document.line_of(self.path), remedy=remedy)


class _Variables:
    """Variables, each of which can use those before it.

    Args:
        libs: What they can name in rego/lib.
        given: The names of those that the generator writes.
    """

    def __init__(self, libs: Libs, given: Collection[str]) -> None:
        self._libs = libs
        self._known: dict[str, CelVariable | None] = dict.fromkeys(given)
        self._imported: set[str] = set()

    def written(self) -> tuple[CelVariable, ...]:
        """Return those that are not given."""
        return tuple(variable for variable in self._known.values() if variable is not None)

    def require_known(self, value: Any, place: _Place) -> None:
        """Refuse texts of a JSON value that use other variables."""
        for name in sorted(used_variables(value) - self._known.keys()):
            raise place.error(
                f"there is no variable {name} before this",
                "define it above, import the lib that does, or name a parameter",
            )

    def include(self, document: Document, file: str) -> None:
        """Add those of a document, and where it imports a lib, those of the lib first."""
        for index, entry in enumerate(document.value.get("variables", ())):
            place = _Place(document, file, ("variables", index))
            if "import" in entry:
                self._import(entry["import"], place)
            else:
                expression = self._expression(entry, place)
                self._known.setdefault(entry["name"], CelVariable(entry["name"], expression))

    def _expression(self, entry: Mapping[str, str], place: _Place) -> str:
        if "expression" in entry:
            self.require_known(entry["expression"], place)
            return entry["expression"].strip()
        value = self._libs.value(entry["value"])
        if value is None:
            raise place.error(f"there is no rule {entry['value']}", RULE_REMEDY)
        return literal(value)

    def _import(self, name: str, place: _Place) -> None:
        if name in self._imported:
            return
        self._imported.add(name)
        found = self._libs.admission(name)
        if found is None:
            raise place.error(
                f"there is no lib {name} with an admission.yaml", "name a folder of rego/lib that has one"
            )
        self.include(_document(self._libs.engine, *found, _LIB), found[1])


def _stripped(value: Any) -> Any:
    """Return a JSON value whose texts have no line feeds around them."""
    if isinstance(value, dict):
        return {key: _stripped(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_stripped(entry) for entry in value]
    return value.strip() if isinstance(value, str) else value
