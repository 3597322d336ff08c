"""What gator makes of the files of a case: the object or the request to review, and the inventory."""

from collections.abc import Mapping, Sequence
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.engine.documents import Document
from pullguard.suites.suite_files import api_version

_ADMISSION_GROUP = "admission.k8s.io"

_TEXT = {"type": ["string", "null"]}


def _fields(**properties: Any) -> dict[str, Any]:
    return {"type": ["object", "null"], "additionalProperties": False, "properties": properties}


_TEXTS = {"type": ["array", "null"], "items": _TEXT}
_KIND = _fields(group=_TEXT, version=_TEXT, kind=_TEXT)
_RESOURCE = _fields(group=_TEXT, version=_TEXT, resource=_TEXT)
_ANY_OBJECT = {"type": ["object", "null"]}

#: The types of admission/v1, which gator decodes strictly; what JSON makes of null in Go is its zero value.
_ADMISSION_REVIEW = _fields(
    apiVersion=_TEXT,
    kind=_TEXT,
    request=_fields(
        uid=_TEXT,
        kind=_KIND,
        resource=_RESOURCE,
        subResource=_TEXT,
        requestKind=_KIND,
        requestResource=_RESOURCE,
        requestSubResource=_TEXT,
        name=_TEXT,
        namespace=_TEXT,
        operation=_TEXT,
        userInfo=_fields(
            username=_TEXT,
            uid=_TEXT,
            groups=_TEXTS,
            extra={"type": ["object", "null"], "additionalProperties": _TEXTS},
        ),
        object={},
        oldObject={},
        dryRun={"type": ["boolean", "null"]},
        options={},
    ),
    response=_fields(
        uid=_TEXT,
        allowed={"type": ["boolean", "null"]},
        status=_ANY_OBJECT,
        patch=_TEXT,
        patchType=_TEXT,
        auditAnnotations={"type": ["object", "null"], "additionalProperties": _TEXT},
        warnings=_TEXTS,
    ),
)


_TIME = {"type": ["string", "null"], "format": "date-time"}
_FLAG = {"type": ["boolean", "null"]}
_WHOLE = {"type": ["integer", "null"]}
_TEXT_MAP = {"type": ["object", "null"], "additionalProperties": _TEXT}


def _known(**properties: Any) -> dict[str, Any]:
    return {"type": ["object", "null"], "properties": properties}


def _list_of(items: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": ["array", "null"], "items": items}


#: The type Namespace of core/v1: Gatekeeper takes each Namespace of an inventory for one, and unknown fields with it.
_NAMESPACE = _known(
    apiVersion=_TEXT,
    kind=_TEXT,
    metadata=_known(
        **dict.fromkeys(("name", "generateName", "namespace", "selfLink", "uid", "resourceVersion"), _TEXT),
        generation=_WHOLE,
        creationTimestamp=_TIME,
        deletionTimestamp=_TIME,
        deletionGracePeriodSeconds=_WHOLE,
        labels=_TEXT_MAP,
        annotations=_TEXT_MAP,
        ownerReferences=_list_of(
            _known(apiVersion=_TEXT, kind=_TEXT, name=_TEXT, uid=_TEXT, controller=_FLAG, blockOwnerDeletion=_FLAG)
        ),
        finalizers=_TEXTS,
        managedFields=_list_of(
            _known(
                **dict.fromkeys(("manager", "operation", "apiVersion", "fieldsType", "subresource"), _TEXT), time=_TIME
            )
        ),
    ),
    spec=_known(finalizers=_TEXTS),
    status=_known(
        phase=_TEXT,
        conditions=_list_of(
            _known(type=_TEXT, status=_TEXT, lastTransitionTime=_TIME, reason=_TEXT, message=_TEXT),
        ),
    ),
)


def to_review(document: Document) -> dict[str, Any]:
    """Return what data.gatekeeper.plan takes for an object: {"object"} or, for an AdmissionReview, {"admission"}.

    Raises:
        PullguardError: It is an AdmissionReview that gator refuses.
    """
    obj = document.value
    if obj["kind"] != "AdmissionReview" or api_version(obj)[0] != _ADMISSION_GROUP:
        return {"object": obj}
    _require(_ADMISSION_REVIEW, document, "an AdmissionReview")
    request = obj.get("request")
    if request is None:
        raise _refused(document, (), "is an AdmissionReview without a request")
    stated = {name: request[name] for name in ("object", "oldObject") if request.get(name) is not None}
    if not stated:
        raise _refused(document, ("request",), "is an AdmissionReview with neither object nor oldObject")
    for name, value in stated.items():
        if not isinstance(value, Mapping) or not isinstance(value.get("kind"), str) or not value["kind"]:
            raise _refused(document, ("request", name), f"is an AdmissionReview whose {name} has no kind")
    if request.get("operation") == "DELETE" and "oldObject" not in stated:
        raise _refused(document, ("request",), "is an AdmissionReview for DELETE without oldObject")
    return {"admission": request}


def inventory(documents: Sequence[Document]) -> dict[str, Any]:
    """Return what Gatekeeper has in data.inventory for these objects; later ones replace earlier ones.

    Raises:
        PullguardError: An object has no version, or is a Namespace that gator refuses.
    """
    tree: dict[str, Any] = {}
    for document in documents:
        obj = document.value
        group, version = api_version(obj)
        if not version:
            raise PullguardError(
                "has no version, so it cannot be in the inventory", file=document.file, line=document.line
            )
        if obj["kind"] == "Namespace" and not group:
            _require(_NAMESPACE, document, "a Namespace")
        name, namespace = _metadata(obj, "name"), _metadata(obj, "namespace")
        place = tree
        for key in ("namespace", namespace) if namespace else ("cluster",):
            place = place.setdefault(key, {})
        place.setdefault(f"{group}/{version}" if group else version, {}).setdefault(obj["kind"], {})[name] = obj
    return tree


def namespaces(tree: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Namespaces of an inventory by their names: all that matching knows of namespaces."""
    found: dict[str, Any] = tree.get("cluster", {}).get("v1", {}).get("Namespace", {})
    return found


def _metadata(obj: Mapping[str, Any], field: str) -> str:
    metadata = obj.get("metadata")
    value = metadata.get(field) if isinstance(metadata, Mapping) else None
    return value if isinstance(value, str) else ""


def _require(schema: dict[str, Any], document: Document, name: str) -> None:
    import jsonschema_rs  # noqa: PLC0415 - seldom needed, and importing it takes time

    validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    for error in validator.iter_errors(document.value):
        raise _refused(document, tuple(error.instance_path), f"is not {name}: {error.message}")


def _refused(document: Document, path: tuple[str | int, ...], message: str) -> PullguardError:
    return PullguardError(message, file=document.file, line=document.line_of(path))
