"""Where the schemas of definitions hold what uses images: in the shapes of real operators, and in random ones."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pullguard.library.crds import places

Schema = dict[str, Any]
STRING: Schema = {"type": "string"}
OPEN: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


def mapping(**fields: Schema) -> Schema:
    return {"type": "object", "properties": fields}


def listed(entry: Schema) -> Schema:
    return {"type": "array", "items": entry}


def free(value: Schema) -> Schema:
    return {"type": "object", "additionalProperties": value}


CONTAINER = mapping(name=STRING, image=STRING, imagePullPolicy=STRING, command=listed(STRING))
# Of a definition that is older than image volumes, and of one that is not.
OLD_VOLUME = mapping(
    name=STRING, emptyDir=OPEN, hostPath=OPEN, persistentVolumeClaim=OPEN, rbd=mapping(image=STRING, pool=STRING)
)
VOLUME = mapping(**OLD_VOLUME["properties"], image=mapping(reference=STRING, pullPolicy=STRING))
POD_SPEC = mapping(
    nodeName=STRING, containers=listed(CONTAINER), initContainers=listed(CONTAINER), volumes=listed(OLD_VOLUME)
)
POD_TEMPLATE = mapping(metadata=OPEN, spec=POD_SPEC)
IMAGE_AND_POLICY = {"image": STRING, "imagePullPolicy": STRING}


def definition(*schemas: Any, **more: Any) -> dict[str, Any]:
    versions = [{"name": f"v{index}", "schema": {"openAPIV3Schema": schema}} for index, schema in enumerate(schemas)]
    return {"spec": {"group": "example.com", "names": {"kind": "Widget"}, "versions": versions, **more}}


def found(schema: Schema) -> dict[str, Any]:
    """Return what is found in the schema of a spec, without what is empty."""
    return said(definition(mapping(metadata=OPEN, spec=schema, status=POD_SPEC)))


def said(defined: Mapping[str, Any]) -> dict[str, Any]:
    all_of = places(defined)
    names = ("paths", "containers", "images", "parts", "unknown")
    return {name: sorted(getattr(all_of, name)) for name in names if getattr(all_of, name)}


#: What stands beside the schema of a spec: the right answer, as people found it in the operator's documentation.
OPERATORS: dict[str, tuple[Schema, dict[str, Any]]] = {
    "Argo Rollouts": (mapping(replicas=STRING, template=POD_TEMPLATE), {"paths": ["spec.template.spec"]}),
    "Argo Workflows": (
        mapping(
            templates=listed(
                mapping(
                    container=CONTAINER,
                    containerSet=mapping(containers=listed(CONTAINER)),
                    initContainers=listed(CONTAINER),
                    script=mapping(**CONTAINER["properties"], source=STRING),
                    sidecars=listed(CONTAINER),
                    plugin=OPEN,
                )
            )
        ),
        {
            "paths": ["spec.templates[]", "spec.templates[].containerSet"],
            "containers": ["spec.templates[].container", "spec.templates[].script", "spec.templates[].sidecars[]"],
            "unknown": ["spec.templates[].plugin"],
        },
    ),
    "JobSet": (
        mapping(replicatedJobs=listed(mapping(template=mapping(spec=mapping(template=POD_TEMPLATE))))),
        {"paths": ["spec.replicatedJobs[].template.spec.template.spec"]},
    ),
    "Kubeflow": (
        mapping(tfReplicaSpecs=free(mapping(template=POD_TEMPLATE))),
        {"paths": ["spec.tfReplicaSpecs.*.template.spec"]},
    ),
    "KubeRay": (
        mapping(
            autoscalerOptions=mapping(**IMAGE_AND_POLICY),
            headGroupSpec=mapping(template=POD_TEMPLATE),
            workerGroupSpecs=listed(mapping(template=POD_TEMPLATE)),
        ),
        {
            "paths": ["spec.headGroupSpec.template.spec", "spec.workerGroupSpecs[].template.spec"],
            "images": [("spec.autoscalerOptions.image", "spec.autoscalerOptions.imagePullPolicy")],
        },
    ),
    "LeaderWorkerSet": (
        mapping(leaderWorkerTemplate=mapping(leaderTemplate=POD_TEMPLATE, workerTemplate=POD_TEMPLATE)),
        {"paths": ["spec.leaderWorkerTemplate.leaderTemplate.spec", "spec.leaderWorkerTemplate.workerTemplate.spec"]},
    ),
    "OpenKruise": (mapping(template=OPEN), {"unknown": ["spec.template"]}),
    "Prometheus": (
        mapping(
            **IMAGE_AND_POLICY,
            baseImage=STRING,
            containers=listed(CONTAINER),
            thanos=mapping(image=STRING, version=STRING),
            volumes=listed(OLD_VOLUME),
        ),
        {
            "paths": ["spec"],
            "images": [("spec.image", "spec.imagePullPolicy"), ("spec.thanos.image", "spec.imagePullPolicy")],
        },
    ),
    "Spark": (
        mapping(
            **IMAGE_AND_POLICY,
            driver=mapping(image=STRING, initContainers=listed(CONTAINER), sidecars=listed(CONTAINER), template=OPEN),
        ),
        {
            "paths": ["spec.driver"],
            "containers": ["spec.driver.sidecars[]"],
            "images": [("spec.driver.image", "spec.imagePullPolicy"), ("spec.image", "spec.imagePullPolicy")],
            "unknown": ["spec.driver.template"],
        },
    ),
    "Tekton": (
        mapping(stepTemplate=CONTAINER, steps=listed(CONTAINER), volumes=OPEN),
        {"containers": ["spec.stepTemplate", "spec.steps[]"], "unknown": ["spec.volumes"]},
    ),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name: str) -> None:
    schema, right = OPERATORS[name]
    assert found(schema) == right


@pytest.mark.parametrize(
    ("schema", "right"),
    [
        (mapping(volumes=listed(VOLUME)), {"paths": ["spec"]}),
        (mapping(containers=listed(OPEN)), {"paths": ["spec"]}),
        (mapping(containers=listed(STRING), volumes=listed(STRING)), {}),
        (mapping(imagePullPolicy=STRING, extra=listed(OLD_VOLUME)), {}),
        (mapping(agentImage=STRING, agentImagePullPolicy=STRING, pullPolicy=STRING), {
            "images": [("spec.agentImage", "spec.agentImagePullPolicy")]
        }),
        (mapping(image=mapping(tag=STRING, pullPolicy=STRING)), {"parts": ["spec.image.pullPolicy"]}),
        (mapping(steps=listed(listed(CONTAINER))), {"containers": ["spec.steps[][]"]}),
        (mapping(**{"*": CONTAINER, "a.b": mapping(c=CONTAINER)}), {"containers": ['spec["*"]', 'spec["a.b"].c']}),
        (mapping(raw={"type": "object", "x-kubernetes-embedded-resource": True}), {"unknown": ["spec.raw"]}),
        ({"type": 7, "properties": ["x"], "items": "y", "additionalProperties": True}, {}),
    ],
)  # fmt: skip
def test_shapes(schema: Schema, right: dict[str, Any]) -> None:
    assert found(schema) == right


def test_versions() -> None:
    """All that are served count; what is a container in one of them is no pair of fields in another."""
    first, second = mapping(spec=mapping(agent=mapping(**IMAGE_AND_POLICY))), mapping(spec=mapping(agent=CONTAINER))
    assert said(definition(first, second)) == {"containers": ["spec.agent"]}
    old = definition(first, second)
    old["spec"]["versions"][1]["served"] = False
    assert said(old) == {"images": [("spec.agent.image", "spec.agent.imagePullPolicy")]}


@pytest.mark.parametrize("schema", [None, {}, "none", 7])
def test_a_definition_without_a_schema_leaves_all_open(schema: Any) -> None:
    assert said(definition(schema)) == {"unknown": [""]}
    assert said({"spec": {"versions": schema}}) == {"unknown": [""]}


def test_one_schema_of_all_versions() -> None:
    schema = mapping(spec=mapping(template=POD_TEMPLATE))
    versions = [{"name": "v1", "served": True}, {"name": "v2", "served": True}]
    of_all = {"spec": {"versions": versions, "validation": {"openAPIV3Schema": schema}}}
    assert said(of_all) == {"paths": ["spec.template.spec"]}


_USES = st.sampled_from(["pod spec", "container", "images"])


@given(st.lists(st.tuples(st.lists(st.sampled_from(["key", "list", "free"]), max_size=5), _USES), max_size=6))
def test_what_is_built_into_a_schema_is_found(built: list[tuple[list[str], str]]) -> None:
    """Random schemas with known places, and much around them."""
    fields: dict[str, Schema] = {"suspend": {"type": "boolean"}, "name": STRING, "labels": free(STRING)}
    right: dict[str, list[Any]] = {"paths": [], "containers": [], "images": []}
    for number, (steps, use) in enumerate(built):
        path = f"spec.f{number}"
        for index, step in enumerate(steps):
            path += {"key": f".k{index}", "list": f".k{index}[]", "free": ".*"}[step]
        schema: Schema = {"pod spec": POD_SPEC, "container": CONTAINER, "images": mapping(**IMAGE_AND_POLICY)}[use]
        for index, step in reversed(list(enumerate(steps))):
            inner = listed(schema) if step == "list" else schema
            beside = {"size": {"type": "integer"}, "note": STRING}
            schema = free(schema) if step == "free" else mapping(**{f"k{index}": inner}, **beside)
        fields[f"f{number}"] = schema
        match use:
            case "pod spec":
                right["paths"].append(path)
            case "container":
                right["containers"].append(path)
            case "images":
                right["images"].append((f"{path}.image", f"{path}.imagePullPolicy"))
    assert found(mapping(**fields)) == {name: sorted(values) for name, values in right.items() if values}
