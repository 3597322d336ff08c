"""admission.yaml and mutation.yaml beside a policy: what it says in CEL, for the API server to evaluate; pure."""

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.inputs import Document, load_document
from pullguard.core.schema_errors import in_file, joined, problems
from pullguard.library.policies.model import AssignField, Assigns, CelRules, CelVariable, Mutation

#: Variables that the generator writes, besides one for each parameter: whether the namespace is a protected one, and
#: the pod specs of the kinds that the user adds.
IS_PROTECTED = "isProtected"
CUSTOM_POD_SPECS = "customPodSpecs"

_USE = re.compile(r"\bvariables\.([A-Za-z_][A-Za-z0-9_]*)")

_TEXT = {"type": "string", "pattern": r"\S"}
_NAME = {"type": "string", "pattern": "^[a-z][A-Za-z0-9]*$", "errorMessage": "write a name in camelCase"}
_VARIABLES: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"import": {"type": "string"}, "name": _NAME, "expression": _TEXT},
        "additionalProperties": False,
        "oneOf": [{"required": ["import"]}, {"required": ["name", "expression"]}],
        "errorMessage": "state import, or name and expression",
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

#: The text of the admission.yaml of a lib, and its name for messages; None if there is none.
Lib = Callable[[str], tuple[str, str] | None]


def admission(text: str, file: str, lib: Lib, parameters: Collection[str]) -> CelRules:
    """Return what an admission.yaml says.

    Args:
        text: The text.
        file: Its name for messages.
        lib: Gives the admission.yaml of a lib.
        parameters: The names of the policy's parameters: they are variables.

    Raises:
        PullguardError: It, or what it imports, is no YAML, or says something that it cannot say.
    """
    document = _document(text, file, _ADMISSION)
    return _rules(document, file, "validations", lib, parameters)


def mutation(text: str, file: str, lib: Lib, parameters: Mapping[str, Any]) -> Mutation:
    """Return what a mutation.yaml says; as `admission`, with the schemas of the parameters by their names."""
    document = _document(text, file, _MUTATION)
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
        cel=_rules(document, file, "mutations", lib, parameters),
        assigns=Assigns(
            value=assigns["value"],
            fields={
                name: AssignField(at["field"], at.get("mustExist", "")) for name, at in assigns["locations"].items()
            },
            limits=tuple(assigns["limits"]),
        ),
    )


def used_variables(value: Any) -> set[str]:
    """Return the names of the variables that the texts of a JSON value use."""
    if isinstance(value, Mapping):
        return set().union(*(used_variables(entry) for entry in value.values()))
    if isinstance(value, list | tuple):
        return set().union(*(used_variables(entry) for entry in value))
    return set(_USE.findall(value)) if isinstance(value, str) else set()


def _document(text: str, file: str, schema: Mapping[str, Any]) -> Document:
    document = load_document(text, file, dialect="kubernetes")
    found = problems(schema, document.value, root=file.rpartition("/")[2])
    if found:
        raise joined(in_file(found, file, document.line_of))
    return document


def _rules(document: Document, file: str, key: str, lib: Lib, parameters: Collection[str]) -> CelRules:
    """Return the rules below a key, and the variables before them with those of the libs in their places."""
    known: dict[str, CelVariable | None] = dict.fromkeys((*parameters, IS_PROTECTED, CUSTOM_POD_SPECS))
    imported: set[str] = set()

    def require_known(value: Any, path: tuple[str | int, ...], document: Document, file: str) -> None:
        for name in sorted(used_variables(value) - known.keys()):
            raise PullguardError(
                f"there is no variable {name} before this",
                file=file,
                line=document.line_of(path),
                remedy="define it above, import the lib that does, or name a parameter",
            )

    def include(document: Document, file: str) -> None:
        for index, entry in enumerate(document.value.get("variables", ())):
            path = ("variables", index)
            if "import" not in entry:
                require_known(entry["expression"], path, document, file)
                known.setdefault(entry["name"], CelVariable(entry["name"], entry["expression"].strip()))
            elif entry["import"] not in imported:
                imported.add(entry["import"])
                found = lib(entry["import"])
                if found is None:
                    raise PullguardError(
                        f"there is no lib {entry['import']} with an admission.yaml",
                        file=file,
                        line=document.line_of(path),
                        remedy="name a folder of rego/lib that has one",
                    )
                include(_document(*found, _LIB), found[1])

    include(document, file)
    rules = [_stripped(rule) for rule in document.value[key]]
    for index, rule in enumerate(rules):
        require_known(rule, (key, index), document, file)
    return CelRules(
        variables=tuple(variable for variable in known.values() if variable is not None), rules=tuple(rules)
    )


def _stripped(value: Any) -> Any:
    """Return a JSON value whose texts have no line feeds around them."""
    if isinstance(value, dict):
        return {key: _stripped(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_stripped(entry) for entry in value]
    return value.strip() if isinstance(value, str) else value
