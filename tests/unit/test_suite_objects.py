"""What gator makes of objects, AdmissionReviews and inventories."""

from typing import Any

import pytest

from pullguard.core.errors import PullguardError
from pullguard.engine.documents import Document, load_document
from pullguard.suites.objects import inventory, namespaces, to_review
from shared_engine import ENGINE

_POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: s}\n"


def _read(text: str) -> Document:
    return load_document(ENGINE, text, "o.yaml", dialect="gator")


def _review(request: str, version: str = "admission.k8s.io/v1") -> Document:
    return _read(f"apiVersion: {version}\nkind: AdmissionReview\nrequest: {request}\n")


def test_plain_objects() -> None:
    document = _read(_POD)
    assert to_review(document) == {"object": document.value}
    other = _review("{object: 5}", "example.com/v1")
    assert to_review(other) == {"object": other.value}


def test_requests() -> None:
    document = _review("{operation: UPDATE, dryRun: null, object: {kind: A}, oldObject: {kind: B}}")
    assert to_review(document) == {"admission": document.value["request"]}


@pytest.mark.parametrize(
    ("request_text", "line", "message"),
    [
        ("null", 1, "is an AdmissionReview without a request"),
        ("{operation: CREATE}", 3, "is an AdmissionReview with neither object nor oldObject"),
        ("{operation: DELETE, object: {kind: A}}", 3, "is an AdmissionReview for DELETE without oldObject"),
        ("\n  object: {a: 1}", 4, "is an AdmissionReview whose object has no kind"),
        ("\n  object: {kind: A}\n  oldObject: text", 5, "is an AdmissionReview whose oldObject has no kind"),
        ("\n  object: {kind: A}\n  uid: 5", 5, 'is not an AdmissionReview: 5 is not of types "null", "string"'),
        (
            "\n  object: {kind: A}\n  userInfo:\n    more: 1",
            5,
            "is not an AdmissionReview: Additional properties are not allowed ('more' was unexpected)",
        ),
    ],
)
def test_requests_that_are_refused(request_text: str, line: int, message: str) -> None:
    with pytest.raises(PullguardError) as error:
        to_review(_review(request_text))
    assert (error.value.file, error.value.line, error.value.message) == ("o.yaml", line, message)


def test_inventory() -> None:
    node = _read("apiVersion: v1\nkind: Node\nmetadata: {name: n}\n")
    deployment = _read("apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d, namespace: s}\n")
    web = _read("apiVersion: /v1\nkind: Namespace\nmetadata: {name: web}\n")
    nameless = _read("apiVersion: v1\nkind: Node\nmetadata: [x]\n")
    pod, again = _read(_POD), _read(f"{_POD}spec: {{}}\n")
    tree = inventory([node, pod, deployment, web, again, nameless])
    assert tree == {
        "cluster": {"v1": {"Node": {"n": node.value, "": nameless.value}, "Namespace": {"web": web.value}}},
        "namespace": {"s": {"v1": {"Pod": {"p": again.value}}, "apps/v1": {"Deployment": {"d": deployment.value}}}},
    }
    assert namespaces(tree) == {"web": web.value}
    assert inventory([]) == {}
    assert namespaces({}) == {}


@pytest.mark.parametrize("version", ["", "apiVersion: 1\n", "apiVersion: apps/\n"])
def test_inventory_wants_versions(version: str) -> None:
    with pytest.raises(PullguardError, match=r"^o\.yaml:1: has no version, so it cannot be in the inventory$"):
        inventory([_read(f"{version}kind: Pod\n")])


def test_values_are_not_changed() -> None:
    documents: list[Any] = [_read(_POD), _read(_POD)]
    before = [str(document.value) for document in documents]
    inventory(documents)
    assert [str(document.value) for document in documents] == before
