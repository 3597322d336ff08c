"""Suites, good and bad, for every rule of gator and of Gatekeeper that applies to running a Suite.

They are written to a folder, and gator and pullguard run them. gator's result is the expected one.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

Object = dict[str, Any]


def write(root: Path) -> None:
    """Write all Suites, each into its own folder."""
    for part in (_match, _templates, _constraints, _formats, _schemas, _objects, _assertions, _expansion, _skipped):
        part(root)


def save(path: Path, *documents: Object) -> None:
    """Write objects to a file as JSON, which is also YAML."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n---\n".join(json.dumps(document, indent=1) for document in documents) + "\n")


def template(
    kind: str,
    rego: str,
    libs: Sequence[str] = (),
    *,
    version: str = "v1",
    schema: Object | None = None,
    group_version: str = "v1",
) -> Object:
    source: Object = {"version": version, "rego": _rego(rego)}
    if libs:
        source["libs"] = [_rego(lib) for lib in libs]
    spec: Object = {"names": {"kind": kind}}
    if schema is not None:
        spec["validation"] = {"openAPIV3Schema": schema}
    return {
        "apiVersion": f"templates.gatekeeper.sh/{group_version}",
        "kind": "ConstraintTemplate",
        "metadata": {"name": kind.lower()},
        "spec": {
            "crd": {"spec": spec},
            "targets": [{"target": "admission.k8s.gatekeeper.sh", "code": [{"engine": "Rego", "source": source}]}],
        },
    }


def constraint(
    kind: str, name: str = "it", *, match: Any = None, parameters: Any = None, version: str = "v1beta1", **spec: Any
) -> Object:
    stated = {"match": match, "parameters": parameters}
    spec |= {key: value for key, value in stated.items() if value is not None}
    made = {
        "apiVersion": f"constraints.gatekeeper.sh/{version}",
        "kind": kind,
        "metadata": {"name": name},
    }
    return {**made, "spec": spec} if spec else made


def resource(
    kind: str = "Pod",
    name: str | None = "pod",
    namespace: str | None = None,
    *,
    version: str = "v1",
    metadata: Object | None = None,
    **more: Any,
) -> Object:
    stated = {"name": name, "namespace": namespace}
    known = {key: value for key, value in stated.items() if value is not None}
    return {"apiVersion": version, "kind": kind, "metadata": {**known, **(metadata or {})}, **more}


def labelled(labels: Object, **more: Any) -> Object:
    return resource(metadata={"labels": labels}, **more)


def review(operation: str, **request: Any) -> Object:
    return {
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {"operation": operation, **request},
    }


def case(
    name: str, path: str, violations: Any = "yes", message: str | None = None, inventory: Sequence[str] = ()
) -> Object:
    asserted: Object = {"violations": violations}
    if message is not None:
        asserted["message"] = message
    made: Object = {"name": name, "object": path, "assertions": [asserted]}
    return {**made, "inventory": list(inventory)} if inventory else made


def test(name: str, template_path: str, constraint_path: str, *cases: Object, **more: Any) -> Object:
    made = {"name": name, "template": template_path, "constraint": constraint_path, **more}
    return {**made, "cases": list(cases)} if cases else made


def suite(folder: Path, *tests: Object, **more: Any) -> None:
    made = {"apiVersion": "test.gatekeeper.sh/v1alpha1", "kind": "Suite", **more, "tests": list(tests)}
    save(folder / "suite.yaml", made)


def _rego(text: str) -> str:
    return dedent(text).strip("\n").replace("    ", "\t") + "\n"


# ---- match

_ALWAYS = """
    package always

    violation contains {"msg": "denied"}
"""

_SHOP = {"labels": {"app": "shop"}}

_MATCHED: Mapping[str, Object] = {
    "pod": resource(namespace="web", metadata={"labels": {"app": "shop", "tier": "front"}}),
    "pod-without-namespace": labelled({"app": "shop"}),
    "deployment": resource("Deployment", "shop", "web", version="apps/v1"),
    "namespace": resource("Namespace", "web", metadata={"labels": {"team": "a"}}),
    "node": resource("Node", "node-1"),
    "generated": resource("Pod", None, "web", metadata={"generateName": "shop-"}),
    "number-label": labelled({"app": "shop", "size": 3}),
    "null-label": labelled({"app": None}),
    "metadata-list": {"apiVersion": "v1", "kind": "Pod", "metadata": ["x"]},
    "no-metadata": {"apiVersion": "v1", "kind": "Pod"},
    "number-namespace": resource(metadata={"namespace": 5}),
    "other-group-namespace": resource("Namespace", "web", version="example.com/v1"),
    "update-to-other": review(
        "UPDATE", namespace="web", object=resource(namespace="web"), oldObject=resource(namespace="web", metadata=_SHOP)
    ),
    "delete": review("DELETE", namespace="web", oldObject=resource(namespace="web", metadata=_SHOP)),
    "request-namespace": review("CREATE", namespace="web", object=resource(metadata=_SHOP)),
    "request-without-namespace": review("CREATE", object=resource(namespace="web")),
}


def _merged(value: Any, change: Any) -> Any:
    """Return a JSON value with another one merged into it. Objects are merged by key; other values are replaced."""
    if not isinstance(value, Mapping) or not isinstance(change, Mapping):
        return change
    return {**value, **{key: _merged(value.get(key), new) for key, new in change.items()}}


_NAMESPACES: Mapping[str, Object] = {
    "web-a": resource("Namespace", "web", metadata={"labels": {"team": "a"}}),
    "web-b": resource("Namespace", "web", version="/v1", metadata={"labels": {"team": "b"}}),
    "web-of-another-version": resource("Namespace", "web", version="v2", metadata={"labels": {"team": "a"}}),
    "web-in-a-namespace": resource("Namespace", "web", "web", metadata={"labels": {"team": "a"}}),
    "unnamed": resource("Namespace", None, metadata={"labels": {"team": "a"}, "generateName": "web-"}),
    **{
        f"web-with-{name}": _merged(resource("Namespace", "web", metadata={"labels": {"team": "a"}}), more)
        for name, more in {
            "null-label": {"metadata": {"labels": {"size": None}}},
            "number-label": {"metadata": {"labels": {"size": 3}}},
            "list-of-labels": {"metadata": {"labels": ["team"]}},
            "number-annotation": {"metadata": {"annotations": {"size": 3}}},
            "number-name": {"metadata": {"name": 5}},
            "number-uid": {"metadata": {"uid": 5}},
            "odd-time": {"metadata": {"creationTimestamp": "yesterday"}},
            "null-time": {"metadata": {"creationTimestamp": None}},
            "whole-generation": {"metadata": {"generation": 2.0}},
            "half-generation": {"metadata": {"generation": 2.5}},
            "map-of-owners": {"metadata": {"ownerReferences": {}}},
            "odd-managed-fields": {"metadata": {"managedFields": [{"fieldsV1": {"f:x": {}}, "time": 5}]}},
            "unknown-fields": {"metadata": {"more": 5}, "more": 5},
            "text-as-metadata": {"metadata": "x"},
            "text-as-spec": {"spec": "x"},
            "number-finalizer": {"spec": {"finalizers": [5]}},
            "number-phase": {"status": {"phase": 5}},
            "odd-condition": {"status": {"conditions": [{"lastTransitionTime": "now"}]}},
        }.items()
    },
}


def _expression(key: str, operator: str, *values: str) -> Object:
    made: Object = {"key": key, "operator": operator}
    return {**made, "values": list(values)} if values else made


_MATCHES: Mapping[str, Any] = {
    "everything": None,
    "empty": {},
    "core-pods": {"kinds": [{"apiGroups": [""], "kinds": ["Pod"]}]},
    "apps": {"kinds": [{"apiGroups": ["apps"], "kinds": ["*"]}, {"apiGroups": ["*"], "kinds": ["Node"]}]},
    "any-group": {"kinds": [{"kinds": ["Pod", "Namespace"]}]},
    "no-kinds": {"kinds": []},
    "namespaces": {"namespaces": ["we*", "*other"]},
    "namespaces-inside": {"namespaces": ["*e*"]},
    "namespace-exactly": {"namespaces": ["we"]},
    "no-namespaces": {"namespaces": []},
    "excluded": {"excludedNamespaces": ["*eb"]},
    "excluded-other": {"excludedNamespaces": ["kube-*"]},
    "cluster": {"scope": "Cluster"},
    "namespaced": {"scope": "Namespaced"},
    "misspelt-scope": {"scope": "namespaced"},
    "label": {"labelSelector": {"matchLabels": {"app": "shop"}}},
    "label-in": {"labelSelector": {"matchExpressions": [_expression("app", "In", "shop", "bank")]}},
    "label-not-in": {"labelSelector": {"matchExpressions": [_expression("app", "NotIn", "shop")]}},
    "label-exists": {
        "labelSelector": {"matchExpressions": [_expression("app", "Exists"), _expression("size", "DoesNotExist")]}
    },
    "label-empty": {"labelSelector": {}},
    "namespace-label": {"namespaceSelector": {"matchLabels": {"team": "a"}}},
    "name": {"name": "shop*"},
    "name-end": {"name": "*od"},
    "name-inside": {"name": "*ho*"},
    "name-exactly": {"name": "pod"},
    "original": {"source": "Original"},
    "generated": {"source": "Generated"},
    "all-sources": {"source": "All"},
    "both": {
        "kinds": [{"apiGroups": ["*"], "kinds": ["*"]}],
        "namespaces": ["web"],
        "excludedNamespaces": ["web"],
        "scope": "*",
    },
}

_SCOPES: Mapping[str, Object] = {
    "scoped-gator": {
        "scopedEnforcementActions": [{"action": "warn", "enforcementPoints": [{"name": "gator.gatekeeper.sh"}]}]
    },
    "scoped-everywhere": {"scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "*"}]}]},
    "scoped-elsewhere": {
        "scopedEnforcementActions": [{"action": "deny", "enforcementPoints": [{"name": "audit.gatekeeper.sh"}]}]
    },
    "scoped-nowhere": {"scopedEnforcementActions": []},
    "scoped-without-action": {"scopedEnforcementActions": [{"enforcementPoints": [{"name": "gator.gatekeeper.sh"}]}]},
    "scoped-missing": {},
}


def _match(root: Path) -> None:
    folder = root / "match"
    save(folder / "template.yaml", template("Always", _ALWAYS))
    for name, obj in {**_MATCHED, **_NAMESPACES}.items():
        save(folder / f"objects/{name}.yaml", obj)
    denied = {"violations": 1, "message": "^denied$"}
    cases = [{**case(name, f"objects/{name}.yaml"), "assertions": [denied]} for name in _MATCHED]
    with_namespaces = [
        case(
            f"{name} in {namespace}", f"objects/{name}.yaml", inventory=[f"objects/{namespace}.yaml"], message="denied"
        )
        for namespace in (*_NAMESPACES, "other-group-namespace")
        for name in (
            *("pod", "pod-without-namespace", "update-to-other", "request-namespace", "request-without-namespace"),
            "number-namespace",
        )
    ]
    tests = []
    for name, match in _MATCHES.items():
        save(folder / f"{name}.yaml", constraint("Always", name, match=match))
        more = with_namespaces if "namespaceSelector" in (match or {}) else []
        tests.append(test(name, "template.yaml", f"{name}.yaml", *cases, *more))
    for name, spec in _SCOPES.items():
        save(folder / f"{name}.yaml", constraint("Always", name, enforcementAction="scoped", **spec))
        tests.append(test(name, "template.yaml", f"{name}.yaml", case("pod", "objects/pod.yaml")))
    suite(folder, *tests)


# ---- templates

_V0 = """
    package judge

    violation[{"msg": msg}] {
        input.review.object.metadata.labels.app == "shop"
        msg := "old"
    }
"""
_USES_FIRST = """
    package judge

    import data.lib.first

    violation contains {"msg": sprintf("%v", [first.down(5)])}
"""
_FIRST = """
    package lib.first

    import data.lib.second

    down(x) := x if x < 1

    down(x) := second.down(x - 1) if x >= 1

    up(x) := x + 1
"""
_SECOND = """
    package lib.second

    import data.lib.first

    down(x) := x - first.up(1)
"""
_WORDS = """
    package judge

    import data.lib.words

    violation contains {"msg": concat(",", sort(words.all))}
"""
_LABELS = """
    package judge

    import data.lib.labels

    violation contains {"msg": msg, "details": {"label": label}} if {
        some label in labels.of(input.review.object)
        msg := sprintf("label %v", [label])
    }
"""
_LABELS_LIB = """
    package lib.labels

    of(object) := {label | some label, _ in object.metadata.labels}
"""
_CONFLICT = """
    package judge

    import data.lib.f

    violation contains {"msg": sprintf("%v", [f.of(input.review.object)])}
"""
_CONFLICT_LIB = """
    package lib.f

    of(object) := 1 if object.kind

    of(object) := 2 if object.metadata.labels.app == "shop"
"""
_CONFLICT_OF_RULES = """
    package judge

    violation contains {"msg": text}

    text := "a" if input.review.kind

    text := "b" if input.review.kind.kind == "Pod"
"""
_NESTED_DIRECT = """
    package judge

    violation contains {"msg": "in a call"} if count(data.lib.words.all) > 0

    violation contains {"msg": "in a list"} if [data.lib.words.all] == [{"a"}]

    violation contains {"msg": "in brackets"} if {"a": 1}[data.lib.words.one]

    violation contains {"msg": "within"} if some word in data.lib.words.all

    violation contains {"msg": "by itself"} if data.lib.words.all

    violation contains {"msg": "with"} if input.x with input as data.lib.words

    violation contains {"msg": data.lib.words.one}
"""


def _judge(body: str, *libs: str, **more: Any) -> Object:
    return template("Judge", f"package judge\n\n{body}\n" if "package" not in body else body, libs, **more)


#: Templates that differ in their Rego.
_SOURCES: Mapping[str, Object] = {
    "v1": _judge(_LABELS, _LABELS_LIB),
    "v0": _judge(_V0, version="v0"),
    "unknown-version": _judge(_V0, version="v2"),
    "libs-that-need-each-other": _judge(_USES_FIRST, _FIRST, _SECOND),
    "libs-in-the-wrong-order": _judge(_USES_FIRST, _FIRST, "package lib.second\n\ndown(x) := x\n"),
    "lib-in-two-modules": _judge(
        _WORDS, 'package lib.words\n\nall contains "a"\n', 'package lib.words\n\nall contains "b"\n'
    ),
    "other-text-of-a-lib": _judge(_WORDS, 'package lib.words\n\nall contains "c"\n'),
    "same-lib-twice": _judge(
        _WORDS, 'package lib.words\n\nall contains "c"\n', 'package lib.words\n\nall contains "c"\n'
    ),
    "missing-lib-value": _judge(_WORDS),
    "missing-lib-function": _judge(_USES_FIRST),
    "libs-that-need-another": _judge(_USES_FIRST, _FIRST),
    "lib-itself": _judge(_ALWAYS, "package lib\n\nx := 1\n"),
    "lib-elsewhere": _judge(_ALWAYS, "package other.lib\n\nx := 1\n"),
    "lib-of-ours": _judge(_ALWAYS, "package gatekeeper.driver\n\nviolations(_, _, _, _) := set()\n"),
    "lib-of-the-server": _judge(_ALWAYS, "package system.authz\n\nallow := true\n"),
    "lib-without-package": _judge(_ALWAYS, "x := 1\n"),
    "lib-broken": _judge(_ALWAYS, "package lib.x\n\nx := {\n"),
    "lib-unsafe": _judge(_ALWAYS, "package lib.x\n\nx if y\n"),
    "lib-empty": _judge(_ALWAYS, ""),
    "import-rego-v1": _judge('import rego.v1\n\nviolation contains {"msg": "x"}'),
    "import-future": _judge('import future.keywords.in\n\nviolation[{"msg": "x"}] { "a" in ["a"] }', version="v0"),
    "import-input": _judge('import input.review as r\n\nviolation contains {"msg": r.object.kind}'),
    "import-other-data": _judge('import data.other\n\nviolation contains {"msg": "x"} if not other.y'),
    "import-data-lib": _judge('import data.lib\n\nviolation contains {"msg": "x"} if lib.words.all'),
    "refers-to-other-data": _judge('violation contains {"msg": "x"} if not data.other.y'),
    "refers-to-itself": _judge('violation contains {"msg": data.judge.text}\n\ntext := "x"'),
    "refers-to-us": _judge('violation contains {"msg": sprintf("%v", [object.keys(data.policies)])}'),
    "refers-to-all-data": _judge('violation contains {"msg": sprintf("%v", [data])}'),
    "refers-within-a-reference": _judge('violation contains {"msg": "x"} if not input.review[data.other.y]'),
    "nested-direct-references": _judge(_NESTED_DIRECT, 'package lib.words\n\nall contains "a"\n\none := "a"\n'),
    "nested-direct-function": _judge(
        'violation contains {"msg": "x"} if [data.lib.f.of(1)] == [1]', "package lib.f\n\nof(x) := x\n"
    ),
    "direct-function": _judge('violation contains {"msg": "x"} if data.lib.f.of(1)', "package lib.f\n\nof(x) := x\n"),
    "data-in-brackets": _judge('violation contains {"msg": "x"} if count(data["inventory"]) == 0'),
    "data-in-texts": _judge(
        '# data.other import data.other\nviolation contains {"msg": `import data.other`} if "data.other" != "data.x"'
    ),
    "interpolated": _judge('name := "x"\n\nviolation contains {"msg": $"name is {name}"}'),
    "without-violation": _judge('violations contains {"msg": "x"}'),
    "violation-only-in-a-body": _judge("other if {\nviolation[1]\n}"),
    "violation-as-object": _judge('violation := {"msg": "x"}'),
    "violation-as-list": _judge('violation := [{"msg": "x"}]'),
    "violation-as-function": _judge('violation(x) := {"msg": x}'),
    "violation-of-texts": _judge('violation contains "x"'),
    "violation-by-default": _judge(
        'default violation := set()\n\nviolation := {{"msg": "x"}} if input.review.kind.kind == "Pod"'
    ),
    "details-only": _judge('violation contains {"details": {"a": 1}}'),
    "number-as-message": _judge('violation contains {"msg": 5}'),
    "null-as-message": _judge('violation contains {"msg": null}'),
    "same-message-twice": _judge('violation contains {"msg": "x", "details": {"n": n}} if some n in [1, 2, 2]'),
    "parse-error": _judge('violation contains {"msg": "x"'),
    "parse-error-with-data": _judge("x := data.y\n\nviolation contains {"),
    "no-package": template("Judge", 'violation contains {"msg": "x"}\n'),
    "empty": template("Judge", ""),
    "unsafe-variable": _judge('violation contains {"msg": x} if y'),
    "unknown-function": _judge('violation contains {"msg": nothing(1)}'),
    "external-data": _judge('violation contains {"msg": "x"} if external_data({"provider": "p", "keys": []})'),
    "conflict": _judge(_CONFLICT, _CONFLICT_LIB),
    "conflict-of-rules": _judge(_CONFLICT_OF_RULES),
    "builtin-error": _judge('violation contains {"msg": "x"} if to_number("y")'),
    "metadata": template(
        "Judge",
        "# METADATA\n# title: t\n# scope: package\npackage judge # the package\n\nimport data.lib.one as first\n\n"
        'violation contains {"msg": first.x}\n',
        ['# a lib\npackage lib["one"]\n\nx := "x"\n'],
    ),
    "print": _judge('violation contains {"msg": "x"} if print("looking", input.review.kind)'),
}

#: Regular expressions for error messages of evaluation that must have Gatekeeper's text.
_RUNTIME_ERRORS: Mapping[str, str] = {
    "conflict": r'^libs\["lib_0"\]:5: eval_conflict_error: functions must not produce multiple outputs for same \w+$',
    "conflict-of-rules": r"^template:\d: eval_conflict_error: complete rules must not produce multiple outputs$",
}


def _changed(**spec: Any) -> Object:
    """Return a template with other fields in its spec."""
    made = _judge(_ALWAYS)
    return {**made, "spec": {**made["spec"], **spec}}


def _targeted(**target: Any) -> Object:
    (stated,) = _judge(_ALWAYS)["spec"]["targets"]
    return _changed(targets=[{key: value for key, value in {**stated, **target}.items() if value is not None}])


_CEL = {"engine": "K8sNativeValidation", "source": {"validations": [{"expression": "false", "message": "cel"}]}}
_CODE = {"engine": "Rego", "source": {"version": "v1", "rego": _rego(_ALWAYS)}}

#: Templates that differ in what surrounds the Rego.
_SHAPES: Mapping[str, Object] = {
    "legacy-beats-code": _targeted(rego=_rego(_V0)),
    "v1beta1": {**_targeted(code=None, rego=_rego(_V0)), "apiVersion": "templates.gatekeeper.sh/v1beta1"},
    "cel-and-rego": _targeted(code=[_CEL, _CODE]),
    "cel-only": _targeted(code=[_CEL]),
    "no-code": _targeted(code=None),
    "code-without-rego": _targeted(code=[{"engine": "Rego", "source": {"version": "v1"}}]),
    "two-codes": _targeted(code=[_CODE, {"engine": "Rego", "source": {"rego": "package other\n"}}]),
    "libs-are-no-list": _targeted(code=[{"engine": "Rego", "source": {"rego": _rego(_V0), "libs": "x"}}]),
    "other-target": _targeted(target="other.target"),
    "operations": _targeted(operations=["DELETE"]),
    "no-targets": _changed(targets=[]),
    "two-targets": _changed(targets=_judge(_ALWAYS)["spec"]["targets"] * 2),
    "targets-are-no-list": _changed(targets="x"),
    "no-kind": _changed(crd={"spec": {"names": {}}}),
    "short-name": _changed(crd={"spec": {"names": {"kind": "Judge", "shortNames": ["jdg"]}}}),
    "bad-short-name": _changed(crd={"spec": {"names": {"kind": "Judge", "shortNames": ["Bad Name"]}}}),
    "other-name": {**_judge(_ALWAYS), "metadata": {"name": "other"}},
    "upper-case-name": {**_judge(_ALWAYS), "metadata": {"name": "Judge"}},
    "unknown-template-version": {**_judge(_ALWAYS), "apiVersion": "templates.gatekeeper.sh/v2"},
    "other-kind": {**_judge(_ALWAYS), "kind": "Template"},
}

#: Kinds that have a template of their own.
_KINDS = ("Bad_Kind", "My-Kind", "Default", "K" * 59, "K" * 60)


def _templates(root: Path) -> None:
    folder = root / "templates"
    save(folder / "constraint.yaml", constraint("Judge"))
    save(folder / "object.yaml", labelled({"app": "shop"}, namespace="web"))
    save(folder / "two-documents.yaml", _judge(_ALWAYS), {"kind": "Other"})
    tests = []
    for name, made in {**_SOURCES, **_SHAPES}.items():
        save(folder / f"{name}.yaml", made)
    for name in (*_SOURCES, *_SHAPES, "two-documents"):
        cases = (
            case("some", "object.yaml", message=_RUNTIME_ERRORS.get(name)),
            case("none", "object.yaml", "no"),
            case("one", "object.yaml", 1),
        )
        tests.append(test(name, f"{name}.yaml", "constraint.yaml", *cases))
    for kind in _KINDS:
        save(folder / f"{kind}.yaml", template(kind, _ALWAYS))
        save(folder / f"{kind}-constraint.yaml", constraint(kind))
        tests.append(test(kind, f"{kind}.yaml", f"{kind}-constraint.yaml", case("it", "object.yaml")))
    suite(
        folder,
        *tests,
        {"name": "no template", "constraint": "constraint.yaml"},
        {"name": "no constraint", "template": "v1.yaml"},
        test("missing template", "nowhere.yaml", "constraint.yaml"),
        test("missing constraint", "v1.yaml", "nowhere.yaml"),
        test("a template for a constraint", "v1.yaml", "v1.yaml"),
        test("a constraint for a template", "constraint.yaml", "constraint.yaml"),
        test("no cases", "v1.yaml", "constraint.yaml"),
        test("invalid, but the template is broken", "parse-error.yaml", "constraint.yaml", invalid=True),
        test("invalid, but it is valid", "v1.yaml", "constraint.yaml", case("never", "nowhere.yaml"), invalid=True),
        test("paths", "/v1.yaml", "/../templates/./constraint.yaml", case("it", "/object.yaml")),
    )


# ---- constraints

_ECHO = """
    package echo

    violation contains {"msg": json.marshal(input.parameters)}
"""

_SCHEMA: Object = {
    "type": "object",
    "required": ["level"],
    "properties": {
        "level": {"type": "string", "enum": ["low", "high"]},
        "count": {"type": "integer", "minimum": 1, "maximum": 10, "default": 3},
        "ratio": {"type": "number", "exclusiveMinimum": True, "minimum": 0},
        "names": {
            "type": "array",
            "minItems": 1,
            "maxItems": 2,
            "items": {"type": "string", "minLength": 2, "pattern": r"(?i)^[a-z]+\z"},
        },
        "port": {"x-kubernetes-int-or-string": True},
        "maybe": {"type": "string", "nullable": True},
        "anything": {"x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "open": {"type": "object", "additionalProperties": True},
        "closed": {"type": "object"},
        "nested": {
            "type": "object",
            "default": {},
            "properties": {
                "on": {"type": "boolean", "default": True},
                "list": {
                    "type": "array",
                    "items": {"type": "object", "properties": {"size": {"type": "integer", "default": 7}}},
                },
            },
        },
        "inner": {"type": "object", "properties": {"x": {"type": "integer", "default": 1}}},
        "map": {
            "type": "object",
            "additionalProperties": {"type": "object", "properties": {"y": {"type": "integer", "default": 2}}},
        },
        "when": {"type": "string", "format": "date"},
        "day": {"type": "string", "format": "date-time"},
        "span": {"type": "string", "format": "duration"},
        "address": {"type": "string", "format": "ipv4"},
        "odd": {"type": "string", "format": "no-such-format"},
        "small": {"type": "integer", "format": "int32"},
        "both": {"type": "string", "allOf": [{"minLength": 2}, {"pattern": "^a"}]},
        "either": {"type": "integer", "anyOf": [{"maximum": 1}, {"minimum": 5}]},
        "one": {"type": "integer", "oneOf": [{"maximum": 3}, {"minimum": 2}]},
        "never": {"type": "string", "not": {"enum": ["x"]}},
    },
}

_PARAMETERS: Mapping[str, Any] = {
    "least": {},
    "missing-required": {"level": ...},
    "not-in-enum": {"level": "middle"},
    "enum-of-other-type": {"level": 5},
    "too-small": {"count": 0},
    "too-large": {"count": 11},
    "whole-float": {"count": 4.0},
    "fraction": {"count": 4.5},
    "text-for-integer": {"count": "4"},
    "boolean-for-integer": {"count": True},
    "exclusive": {"ratio": 0},
    "ratio": {"ratio": 0.5},
    "names": {"names": ["ab", "CD"]},
    "no-names": {"names": []},
    "three-names": {"names": ["ab", "cd", "ef"]},
    "short-name": {"names": ["a"]},
    "pattern": {"names": ["ab1"]},
    "pattern-and-line-end": {"names": ["ab\n"]},
    "names-text": {"names": "ab"},
    "port-number": {"port": 80},
    "port-text": {"port": "80%"},
    "port-boolean": {"port": True},
    "null-allowed": {"maybe": None},
    "null-refused": {"level": None},
    "null-for-default": {"count": None},
    "null-in-a-list": {"nested": {"list": [None]}},
    "anything": {"anything": {"a": {"b": [1, None, {"c": 2}]}}},
    "anything-null": {"anything": None},
    "labels": {"labels": {"a": "b"}},
    "labels-number": {"labels": {"a": 1}},
    "open": {"open": {"a": 1}},
    "open-deep": {"open": {"a": {"b": 1}}},
    "closed": {"closed": {"a": 1}},
    "unknown": {"more": 1},
    "unknown-and-wrong": {"level": "middle", "more": 1},
    "nested": {"nested": {"list": [{}, {"size": 1}]}},
    "nested-unknown": {"nested": {"list": [{"x": 1}]}},
    "inner": {"inner": {}},
    "map": {"map": {"a": {}, "b": {"y": 5}}},
    "date": {"when": "2020-02-30"},
    "date-not": {"when": "x"},
    "date-time": {"day": "2020-01-01T00:00:00Z"},
    "not-date-time": {"day": "2020-01-01T25:00:00Z"},
    "duration": {"span": "1h30m"},
    "not-duration": {"span": "soon"},
    "address": {"address": "10.0.0.256"},
    "odd": {"odd": "x"},
    "small": {"small": 2147483648},
    "both": {"both": "ab"},
    "both-not": {"both": "ba"},
    "either": {"either": 3},
    "one-of-two": {"one": 2},
    "never": {"never": "x"},
}

_LEAST = {"level": "low"}

#: Constraints that differ in what surrounds the parameters.
_CONSTRAINTS: Mapping[str, Object] = {
    "list-for-object": constraint("Echo", parameters=[]),
    "no-parameters": constraint("Echo", match={}),
    "no-spec": constraint("Echo"),
    "long-name": constraint("Echo", "a" * 64, parameters=_LEAST),
    "longest-name": constraint("Echo", "a" * 63, parameters=_LEAST),
    "dotted-name": constraint("Echo", "a.b-c", parameters=_LEAST),
    "bad-name": constraint("Echo", "A_b", parameters=_LEAST),
    "very-long-name": constraint("Echo", ".".join(["a" * 60] * 5), parameters=_LEAST),
    "no-name": {**constraint("Echo", parameters=_LEAST), "metadata": {}},
    "number-name": {**constraint("Echo", parameters=_LEAST), "metadata": {"name": 5}},
    "odd-metadata": {
        **constraint("Echo", parameters=_LEAST),
        "metadata": {"name": "x", "labels": {"a": 1}, "odd": [1]},
    },
    "field-at-the-top": {**constraint("Echo", parameters=_LEAST), "more": 1},
    "status": {**constraint("Echo", parameters=_LEAST), "status": {"a": {"b": 1}}},
    "spec-text": {**constraint("Echo"), "spec": "x"},
    "spec-null": {**constraint("Echo"), "spec": None},
    "metadata-text": {**constraint("Echo"), "metadata": "x"},
    "other-version": constraint("Echo", parameters=_LEAST, version="v1"),
    "alpha-version": constraint("Echo", parameters=_LEAST, version="v1alpha1"),
    "other-group": {**constraint("Echo", parameters=_LEAST), "apiVersion": "example.com/v1beta1"},
    "other-kind": constraint("Other", parameters=_LEAST),
    "other-case": constraint("ECHO", parameters=_LEAST),
    "action-number": constraint("Echo", parameters=_LEAST, enforcementAction=5),
    "action-unknown": constraint("Echo", parameters=_LEAST, enforcementAction="whatever"),
    "scoped-text": constraint("Echo", parameters=_LEAST, enforcementAction="scoped", scopedEnforcementActions="x"),
    "scoped-unknown": constraint(
        "Echo", parameters=_LEAST, enforcementAction="scoped", scopedEnforcementActions=[{"action": "deny", "x": 1}]
    ),
    "spec-unknown": constraint("Echo", parameters=_LEAST, x=1),
    "match-null": {**constraint("Echo"), "spec": {"match": None, "parameters": _LEAST}},
}

_REFUSED_MATCHES: Mapping[str, Any] = {
    "match-list": [],
    "match-text": "x",
    "kinds-text": {"kinds": "x"},
    "kinds-texts": {"kinds": ["x"]},
    "kinds-null": {"kinds": None},
    "namespaces-number": {"namespaces": [1]},
    "namespaces-upper": {"namespaces": ["A"]},
    "namespaces-middle-star": {"namespaces": ["a*b"]},
    "name-pattern": {"name": "a_b"},
    "scope-number": {"scope": 1},
    "source-unknown": {"source": "Other"},
    "source-empty": {"source": ""},
    "match-unknown": {"x": 1},
}

_SELECTORS: Mapping[str, Any] = {
    "operator": {"matchExpressions": [_expression("a", "Is")]},
    "no-values": {"matchExpressions": [_expression("a", "In")]},
    "values": {"matchExpressions": [_expression("a", "Exists", "x")]},
    "no-operator": {"matchExpressions": [{"key": "a"}]},
    "no-key": {"matchExpressions": [{"operator": "Exists"}]},
    "label": {"matchLabels": {"a": 1}},
    "bad-label": {"matchLabels": {"a": "b c"}},
    "bad-key": {"matchLabels": {"a/b/c": "d"}},
    "prefix": {"matchLabels": {"example.com/a": ""}},
    "bad-prefix": {"matchLabels": {"Example/a": "b"}},
    "empty-prefix": {"matchLabels": {"/a": "b"}},
    "long-value": {"matchLabels": {"a": "b" * 64}},
    "list": [],
    "null": None,
    "text": "x",
    "unknown": {"x": 1},
    "labels-list": {"matchLabels": []},
    "expressions-map": {"matchExpressions": {}},
    "null-label": {"matchLabels": {"a": None}},
    "null-expression": {"matchExpressions": [None]},
    "number-key": {"matchExpressions": [{"key": 1, "operator": "Exists"}]},
    "text-expression": {"matchExpressions": ["x"]},
    "number-value": {"matchExpressions": [{"key": "a", "operator": "In", "values": [1]}]},
    "null-value": {"matchExpressions": [{"key": "a", "operator": "In", "values": [None]}]},
}


def _constraints(root: Path) -> None:
    folder = root / "constraints"
    save(folder / "template.yaml", template("Echo", _ECHO, schema=_SCHEMA))
    save(folder / "object.yaml", resource())
    matches = {
        **_REFUSED_MATCHES,
        **{
            f"{field}-{name}": {field: selector}
            for field in ("labelSelector", "namespaceSelector")
            for name, selector in _SELECTORS.items()
        },
    }
    made = {
        **{name: constraint("Echo", parameters=_stated({**_LEAST, **stated})) for name, stated in _PARAMETERS.items()},
        **_CONSTRAINTS,
        **{name: constraint("Echo", match=match, parameters=_LEAST) for name, match in matches.items()},
    }
    tests = []
    for name, obj in made.items():
        save(folder / f"{name}.yaml", obj)
        # The message of the failure shows the parameters that the policy received.
        told = case("it", "object.yaml", 1, message="^$")
        tests.append(test(name, "template.yaml", f"{name}.yaml", told))
        tests.append(test(f"{name} is invalid", "template.yaml", f"{name}.yaml", invalid=True))
    suite(folder, *tests)


def _stated(parameters: Object) -> Object:
    return {key: value for key, value in parameters.items() if value is not ...}


# ---- formats

_FORMATS: Mapping[str, Sequence[str]] = {
    "byte": ["aGk=", "a", "", "aGk", "aGk==", "a-_=", "aGk=\n", "aGVsbG8h"],
    "cidr": ["10.0.0.0/8", "10.0.0.0", "10.0.0.1/8", "::1/128", "10.0.0.0/33", "010.0.0.0/8", "1.2.3.4/08", "x/8", ""],
    "date": [
        "2024-02-29",
        "2023-02-29",
        "2024-2-9",
        "20240229",
        "2024-02-29T00:00:00Z",
        "",
        "0000-01-01",
        "2024-W01-1",
    ],
    "date-time": [
        "2024-02-29T23:59:59Z",
        "2024-02-29T23:59:59.5+01:00",
        "2024-02-29",
        "2024-02-30T00:00:00Z",
        "2024-02-29 23:59:59Z",
        "2024-02-29T24:00:00Z",
        "2024-02-29T23:59:60Z",
        "2024-02-29T23:59Z",
        "2024-02-29t23:59:59z",
        "2024-02-29T23:59:59",
        "2024-02-29T23:59:59+0100",
        "",
    ],
    "datetime": ["2024-02-29T23:59:59Z", "x"],
    "duration": ["1h30m", "1h 30 minutes", "soon", "5", "1 x", "-1s", ".5h", "", "0", "1.5 days", "2 Weeks"],
    "email": ["a@b.c", "Me <a@b.c>", "a", "a@b", "<a@b>", "a@", "a b@c.d", '"a b"@c.d', "a@b.c, d@e.f", ""],
    "hexcolor": ["#fFf", "#ff", "fff", "#ffffff", "#ggg", ""],
    "hostname": [
        "a",
        "a-b.example.com",
        "a..b",
        "-a",
        "a-",
        "a.b",
        "a_b",
        "1.2",
        "example.c",
        "exa mple.com",
        "",
        "é.com",
        "a" * 64,
        "1a.com",
    ],
    "ipv4": ["10.0.0.1", "10.0.0", "256.0.0.1", "010.0.0.1", "::1", "::ffff:1.2.3.4", ""],
    "ipv6": ["::1", "10.0.0.1", "::ffff:1.2.3.4", "::g", "fe80::1%eth0", "1::2::3", ""],
    "k8s-long-name": ["a.b-c", "a..b", "A", "a" * 254, "-a", ""],
    "k8s-short-name": ["a-b", "A", "a.b", "a" * 64, ""],
    "mac": [
        "00:1B:44:11:3a:b7",
        "00-1B-44-11-3a-b7",
        "001B.4411.3ab7",
        "00:1B",
        "00:1B:44:11:3a:b7:00:11",
        "00:1B-44:11:3a:b7",
        "",
    ],
    "uri": [
        "https://example.com/x",
        "example.com",
        "/x",
        "urn:a:b",
        "http://",
        "http://a b",
        "",
        "a:",
        "#x",
        "http://[::1]:80/",
        "mailto:a@b",
        "http://example.com/%zz",
    ],
    "uuid": [
        "123E4567-e89b-12d3-a456-426614174000",
        "123e4567e89b12d3a456426614174000",
        "123",
        "g23e4567-e89b-12d3-a456-426614174000",
    ],
    "uuid3": ["123e4567-e89b-32d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"],
    "uuid4": ["123e4567-e89b-42d3-a456-426614174000", "123e4567-e89b-42d3-c456-426614174000"],
    "uuid5": ["123e4567-e89b-52d3-a456-426614174000", "123e4567-e89b-42d3-a456-426614174000"],
}


def _formats(root: Path) -> None:
    folder = root / "formats"
    fields = {name: {"type": "string", "format": name} for name in _FORMATS}
    save(folder / "template.yaml", template("Any", _ALWAYS, schema={"type": "object", "properties": fields}))
    tests = []
    for name, texts in _FORMATS.items():
        for place, text in enumerate(texts):
            save(folder / f"{name}-{place}.yaml", constraint("Any", parameters={name: text}))
            tests.append(test(f"{name} {text!r}", "template.yaml", f"{name}-{place}.yaml", invalid=True))
    suite(folder, *tests)


# ---- schemas


def _field(**schema: Any) -> Object:
    """Return a schema with one property a."""
    return {
        "type": "object",
        "properties": {
            "a": {key.replace("x_", "x-kubernetes-").replace("_", "-"): value for key, value in schema.items()}
        },
    }


_SCHEMAS: Mapping[str, Object] = {
    "no-type": {"properties": {"a": {"type": "string"}}},
    "unknown-type": _field(type="text"),
    "array-without-items": _field(type="array"),
    "items-list": _field(type="array", items=[{"type": "string"}]),
    "bad-pattern": _field(type="string", pattern="(?=x)"),
    "ref": {"type": "object", "properties": {"a": {"$ref": "#/x"}}},
    "definitions": {"type": "object", "definitions": {"a": {"type": "string"}}},
    "id": {"type": "object", "id": "x"},
    "unique-items": {
        "type": "object",
        "properties": {"a": {"type": "array", "uniqueItems": True, "items": {"type": "string"}}},
    },
    "properties-and-others": {**_field(type="string"), "additionalProperties": {"type": "string"}},
    "properties-and-any": {**_field(type="string"), "additionalProperties": True},
    "properties-and-none": {**_field(type="string"), "additionalProperties": False},
    "none-at-all": {"type": "object", "additionalProperties": False},
    "preserve-false": {"type": "object", "x-kubernetes-preserve-unknown-fields": False},
    "int-or-string-and-type": _field(type="string", x_int_or_string=True),
    "int-or-string-and-preserve": _field(x_preserve_unknown_fields=True, x_int_or_string=True),
    "int-or-string-pattern": {
        "type": "object",
        "properties": {"a": {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}},
    },
    "int-or-string-all-of": {
        "type": "object",
        "properties": {
            "a": {
                "x-kubernetes-int-or-string": True,
                "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"pattern": "^x"}],
            }
        },
    },
    "type-in-any-of": {"type": "object", "properties": {"a": {"type": "string", "anyOf": [{"type": "string"}]}}},
    "description-in-any-of": {
        "type": "object",
        "properties": {"a": {"type": "string", "anyOf": [{"description": "x", "minLength": 1}]}},
    },
    "property-in-any-of": {
        **_field(type="string"),
        "anyOf": [{"required": ["a"], "properties": {"a": {"minLength": 1}}}],
    },
    "unknown-property-in-any-of": {**_field(type="string"), "anyOf": [{"properties": {"b": {"minLength": 1}}}]},
    "metadata-in-any-of": {**_field(type="string"), "anyOf": [{"properties": {"metadata": {"required": ["b"]}}}]},
    "items-in-not": {
        "type": "object",
        "properties": {"a": {"type": "array", "items": {"type": "string"}, "not": {"items": {"minLength": 3}}}},
    },
    "items-of-nothing": {"type": "object", "properties": {"a": {"type": "object", "not": {"items": {"minLength": 3}}}}},
    "ref-in-not": {**_field(type="string"), "not": {"$ref": "#/x"}},
    "wrong-type-in-not": {**_field(type="string"), "not": {"required": "a"}},
    "default": _field(type="string", default="x"),
    "bad-default": _field(type="string", default=5),
    "default-with-unknown": _field(type="object", default={"b": 1}),
    "default-against-pattern": _field(type="string", pattern="^(?i)y$", default="x"),
    "required-text": {"type": "object", "required": "a"},
    "required-numbers": {"type": "object", "required": [1]},
    "length-text": {"type": "object", "properties": {"a": {"type": "string", "minLength": "1"}}},
    "boolean-minimum": _field(type="integer", minimum=True),
    "property-null": {"type": "object", "properties": {"a": None}},
    "properties-list": {"type": "object", "properties": []},
    "list-map": {
        "type": "object",
        "properties": {
            "a": {
                "type": "array",
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["k"],
                "items": {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}},
            }
        },
    },
    "list-map-without-keys": _field(type="array", x_list_type="map", items={"type": "object"}),
    "list-map-optional-key": _field(
        type="array",
        x_list_type="map",
        x_list_map_keys=["k"],
        items={"type": "object", "properties": {"k": {"type": "string"}}},
    ),
    "list-map-unknown-key": _field(type="array", x_list_type="map", x_list_map_keys=["k"], items={"type": "object"}),
    "list-map-of-texts": _field(type="array", x_list_type="map", x_list_map_keys=["k"], items={"type": "string"}),
    "list-set": _field(type="array", x_list_type="set", items={"type": "string"}),
    "list-set-of-objects": _field(type="array", x_list_type="set", items={"type": "object"}),
    "list-set-of-lists": _field(type="array", x_list_type="set", items={"type": "array", "items": {"type": "string"}}),
    "list-set-of-nulls": _field(type="array", x_list_type="set", items={"type": "string", "nullable": True}),
    "list-type-unknown": _field(type="array", x_list_type="bag", items={"type": "string"}),
    "list-type-of-text": _field(type="string", x_list_type="atomic"),
    "map-type-of-text": _field(type="string", x_map_type="atomic"),
    "map-type-unknown": _field(type="object", x_map_type="other"),
    "embedded": _field(type="object", x_embedded_resource=True, x_preserve_unknown_fields=True),
    "embedded-empty": _field(type="object", x_embedded_resource=True),
    "unknown-keyword": {"type": "object", "const": 5, "properties": {"a": {"type": "string", "deprecated": True}}},
    "text": {"type": "string"},
    "nullable-root": {"type": "object", "nullable": True},
}

_LEGACY: Object = {"properties": {"a": {"properties": {"b": {"type": "string"}}}, "l": {"type": "array"}}}


def _schemas(root: Path) -> None:
    folder = root / "schemas"
    templates = {
        **{name: template("Echo", _ECHO, schema=schema) for name, schema in _SCHEMAS.items()},
        "legacy": template("Echo", _ECHO, schema=_LEGACY, group_version="v1beta1"),
        "legacy-stated": _legacy(template("Echo", _ECHO, schema=_LEGACY), stated=True),
        "legacy-denied": _legacy(template("Echo", _ECHO, schema=_LEGACY, group_version="v1beta1"), stated=False),
        "no-schema": template("Echo", _ECHO),
        "no-schema-legacy": template("Echo", _ECHO, group_version="v1alpha1"),
    }
    constraints: Mapping[str, Object] = {
        "nothing": constraint("Echo"),
        "a-text": constraint("Echo", parameters={"a": "xy"}),
        "much": constraint("Echo", parameters={"a": {"b": "c", "d": [1]}, "l": [{"x": 1}], "z": None}),
    }
    save(folder / "object.yaml", resource())
    for name, made in {**templates, **constraints}.items():
        save(folder / f"{name}.yaml", made)
    tests = []
    for name in templates:
        for other in constraints:
            told = case("it", "object.yaml", 1, message="^$")
            tests.append(test(f"{name}, {other}", f"{name}.yaml", f"{other}.yaml", told))
            tests.append(test(f"{name}, {other} is invalid", f"{name}.yaml", f"{other}.yaml", invalid=True))
    suite(folder, *tests)


def _legacy(made: Object, *, stated: bool) -> Object:
    made["spec"]["crd"]["spec"]["validation"]["legacySchema"] = stated
    return made


# ---- objects

_ECHO_OF_REVIEWS = """
    package echo

    violation contains {"msg": json.marshal({"review": input.review, "inventory": data.inventory})}
"""

_TEXTS: Mapping[str, str] = {
    "comments": """\
# first

apiVersion: v1
kind: ConfigMap
metadata:
  name: it  # here
data:
  text: |
    a

    # no comment for YAML
    b
""",
    "leading-separator": "---\napiVersion: v1\nkind: Pod\n",
    "trailing-separator": "apiVersion: v1\nkind: Pod\n---\n",
    "separator-comment": "apiVersion: v1\nkind: Pod\n--- # end\n# nothing\n",
    "separator-and-content": "apiVersion: v1\nkind: Pod\n---\napiVersion: v1\nkind: Node\n",
    "separator-in-text": "apiVersion: v1\nkind: ConfigMap\ndata:\n  a: |\n    x\n---\n",
    "empty": "",
    "only-comments": "# nothing\n\n   \n",
    "scalars": "apiVersion: v1\nkind: X\na: [yes, no, on, off, y, n, true, 'true', 0o17, 017, 0x1f, 1_000, 1e3, .5,"
    " 1.0, ~, null, 2001-01-01, 12:30:45, 0b11, +1, -0, 1e400, '', =]\n",
    "infinity": "apiVersion: v1\nkind: X\na: .inf\n",
    "number-key": "apiVersion: v1\nkind: X\na: {1: x}\n",
    "duplicate-key": "apiVersion: v1\nkind: X\na: 1\na: 2\n",
    "merge": "apiVersion: v1\nkind: X\nbase: &b {x: 1, y: 2}\na:\n  <<: *b\n  y: 3\n",
    "alias": "apiVersion: v1\nkind: X\na: &a [1]\nb: *a\n",
    "tab": "apiVersion: v1\nkind: X\na:\tb\n",
    "broken": "apiVersion: v1\nkind: [X\n",
    "no-kind": "apiVersion: v1\na: 1\n",
    "no-version": "kind: X\n",
    "odd-version": "apiVersion: a/b/c\nkind: X\n",
    "number-version": "apiVersion: 1\nkind: X\n",
    "number-kind": "apiVersion: v1\nkind: 5\n",
    "list": "- a\n",
    "text": "just text\n",
    "kind-list": "apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n",
    "json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x", "namespace": "y"}}\n',
    "unicode": 'apiVersion: v1\nkind: X\na: "\\u00e9\\u2028<&>"\nb: é\n',
    "big-numbers": "apiVersion: v1\nkind: X\na: [9223372036854775807, 9223372036854775808, 18446744073709551616, 1e21,"
    " 123456789012345678.5, 0.1]\n",
    "line-ends": "apiVersion: v1\r\nkind: X\r\na: |\r\n  x\r\n  y\r\n",
    "byte-order-mark": "\ufeffapiVersion: v1\nkind: X\n",
    "named": "apiVersion: v1\nkind: X\nmetadata: {name: n, namespace: s, generateName: g}\n",
    "number-name": "apiVersion: v1\nkind: X\nmetadata: {name: 5, namespace: true}\n",
    "null-byte": 'apiVersion: v1\nkind: X\na: "\\0"\n',
    "binary": "apiVersion: v1\nkind: X\na: !!binary aGk=\n",
}

_REVIEWS: Mapping[str, Object] = {
    "review-create": review(
        "CREATE",
        uid="u",
        kind={"group": "", "version": "v1", "kind": "Pod"},
        resource={"group": "", "version": "v1", "resource": "pods"},
        name="n",
        namespace="s",
        userInfo={"username": "me", "groups": ["a"], "extra": {"k": ["v"]}},
        object=resource(),
        dryRun=False,
        options={"kind": "CreateOptions"},
    ),
    "review-least": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {"object": resource()}},
    "review-beta": {**review("CREATE", object=resource()), "apiVersion": "admission.k8s.io/v1beta1"},
    "review-other-group": {**review("CREATE", object=resource()), "apiVersion": "example.com/v1"},
    "review-sub": review(
        "UPDATE",
        subResource="scale",
        requestKind={"kind": "Scale"},
        requestResource={"resource": "pods"},
        requestSubResource="scale",
        object=resource(),
        oldObject=labelled({"a": "b"}),
    ),
    "review-nulls": review(
        "CREATE",
        object=resource(),
        **dict.fromkeys(
            ("uid", "kind", "resource", "name", "userInfo", "oldObject", "dryRun", "options", "requestKind")
        ),
    ),
    "review-empties": review(
        "CREATE",
        uid="",
        name="",
        namespace="",
        userInfo={"username": "", "groups": [], "extra": {}},
        object=resource(),
        dryRun=True,
        requestKind={},
        subResource="",
    ),
    "review-user-nulls": review("CREATE", userInfo={"groups": [None], "extra": {"a": None}}, object=resource()),
    "review-delete": review("DELETE", oldObject=resource()),
    "review-delete-both": review("DELETE", object=resource("Other"), oldObject=resource()),
    "review-delete-object": review("DELETE", object=resource()),
    "review-none": review("CREATE"),
    "review-no-request": {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview"},
    "review-unknown-field": review("CREATE", object=resource(), more=1),
    "review-unknown-deep": review("CREATE", object=resource(), userInfo={"more": 1}),
    "review-metadata": {**review("CREATE", object=resource()), "metadata": {"name": "x"}},
    "review-number-uid": review("CREATE", uid=5, object=resource()),
    "review-text-dry-run": review("CREATE", dryRun="yes", object=resource()),
    "review-object-without-kind": review("CREATE", object={"apiVersion": "v1"}),
    "review-object-text": review("CREATE", object="x"),
    "review-old-without-kind": review("UPDATE", object=resource(), oldObject={"a": 1}),
    "review-options-text": review("CREATE", object=resource(), options="x"),
    "review-response": {**review("CREATE", object=resource()), "response": {"uid": "x", "allowed": True}},
    "review-lower-case": review("delete", object=resource()),
}


def _objects(root: Path) -> None:
    folder = root / "objects"
    save(folder / "template.yaml", template("Echo", _ECHO_OF_REVIEWS))
    save(folder / "constraint.yaml", constraint("Echo"))
    for name, text in _TEXTS.items():
        (folder / f"{name}.yaml").write_text(text, newline="", encoding="utf-8")
    for name, obj in _REVIEWS.items():
        save(folder / f"{name}.yaml", obj)
    (folder / "latin-1.yaml").write_bytes(b"apiVersion: v1\nkind: X\na: \xe9\n")
    save(
        folder / "inventory.yaml",
        resource("Pod", "a", "s"),
        resource("Node", "n"),
        resource("Deployment", "d", "s", version="apps/v1"),
        labelled({"x": "y"}, name="a", namespace="s"),
        resource("Namespace", "s", version="/v1"),
        resource("Pod", None, "s"),
    )
    save(folder / "inventory-two.yaml", resource("Node", "m"))
    numbers = [1000000, -1234567.5, 9007199254740993, 12345678901234567890, 1e20, 1e21, 0.000001, 1e-7, 1.5e-10, 3.0, 7]
    save(folder / "numbers.yaml", resource("Node", "n", spec={"numbers": numbers, "deep": {"number": 2500000}}))
    inventories = {
        "inventory": ("inventory.yaml", "inventory-two.yaml"),
        "inventory with numbers": ("numbers.yaml",),
        "inventory without version": ("no-version.yaml",),
        "inventory with odd version": ("odd-version.yaml",),
        "inventory that is empty": ("empty.yaml",),
        "inventory that is missing": ("nowhere.yaml",),
    }
    cases = [
        # The message of the failure shows the input that the policy received.
        *(case(name, f"{name}.yaml", "no") for name in (*_TEXTS, *_REVIEWS, "latin-1", "nowhere")),
        *(case(name, "named.yaml", "no", inventory=paths) for name, paths in inventories.items()),
        {"name": "no object", "assertions": [{"violations": "no"}]},
        {"name": "no assertions", "object": "named.yaml"},
        {"name": "empty assertions", "object": "named.yaml", "assertions": []},
        {"name": "skipped", "object": "nowhere.yaml", "skip": True},
    ]
    suite(folder, test("objects", "template.yaml", "constraint.yaml", *cases))


# ---- assertions, and the rest

_MESSAGES = (
    *("hello", "^hello", "world$", "^world", r"\(there\)", "(", "(?=x)", "(?i)HELLO", r"\Qhello (\E"),
    *(r"[[:alpha:]]+ \(", "", r"hello\z", r"\pL"),
)


def _assertions(root: Path) -> None:
    folder = root / "assertions"
    rego = 'package say\n\nviolation contains {"msg": msg} if some msg in input.review.object.says\n'
    save(folder / "template.yaml", template("Say", rego))
    save(folder / "constraint.yaml", constraint("Say"))
    save(folder / "two.yaml", {"apiVersion": "v1", "kind": "X", "says": ["hello world", "hello (there)"]})
    save(folder / "none.yaml", {"apiVersion": "v1", "kind": "X", "says": []})
    asserted: list[Sequence[Object]] = [
        *([{"violations": violations}] for violations in ("yes", "no", 0, 1, 2, -1, 2.0, "maybe", "2", None)),
        *(
            [{**more, "message": message}]
            for message in _MESSAGES
            for more in ({}, {"violations": 2}, {"violations": "no"})
        ),
        [{}],
        [{"message": None}],
        [{"violations": 2}, {"violations": 1, "message": "world"}, {"violations": "no", "message": "bye"}],
        [{"violations": 2}, {"violations": "x"}, {"violations": 1, "message": "("}],
    ]
    cases = [
        {"name": f"{name} {json.dumps(assertions)}", "object": f"{name}.yaml", "assertions": assertions}
        for name in ("two", "none")
        for assertions in asserted
    ]
    unnamed = {
        "template": "template.yaml",
        "constraint": "constraint.yaml",
        "cases": [{"object": "two.yaml", "assertions": [{}]}],
    }
    suite(
        folder,
        test("assertions", "template.yaml", "constraint.yaml", *cases),
        test("skipped", "nowhere.yaml", "nowhere.yaml", skip=True),
        unnamed,
    )


def _expansion(root: Path) -> None:
    folder = root / "expansion"
    save(folder / "template.yaml", template("Always", _ALWAYS))
    save(folder / "constraint.yaml", constraint("Always", match={"source": "Generated"}))
    save(
        folder / "expansion.yaml",
        {
            "apiVersion": "expansion.gatekeeper.sh/v1alpha1",
            "kind": "ExpansionTemplate",
            "metadata": {"name": "deployments"},
            "spec": {
                "applyTo": [{"groups": ["apps"], "kinds": ["Deployment"], "versions": ["v1"]}],
                "templateSource": "spec.template",
                "generatedGVK": {"kind": "Pod", "group": "", "version": "v1"},
            },
        },
    )
    spec = {"template": {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": []}}}
    save(folder / "deployment.yaml", resource("Deployment", "shop", "web", version="apps/v1", spec=spec))
    expanded = case("deployment", "deployment.yaml")
    suite(
        folder,
        test("expanded", "template.yaml", "constraint.yaml", expanded, expansion="expansion.yaml"),
        test("not expanded", "template.yaml", "constraint.yaml", case("deployment", "deployment.yaml", "no")),
    )


def _skipped(root: Path) -> None:
    suite(root / "skipped", test("never", "nowhere.yaml", "nowhere.yaml"), skip=True)
