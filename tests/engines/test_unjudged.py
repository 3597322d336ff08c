"""What `check` does not judge is counted by reason, and said."""

import json
from pathlib import Path
from typing import Any

import pytest

import small_library as small
from pullguard.check.command import check
from pullguard.cli import main
from pullguard.core.findings import Location, Report, Unjudged
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions

pytestmark = pytest.mark.usefixtures("opa", "folder")

ALWAYS = {"name": "c", "image": "x:v1", "imagePullPolicy": "Always"}
PINNED = {"name": "c", "image": "x:v1", "imagePullPolicy": "IfNotPresent"}
LATEST = {"name": "c", "image": "x"}
CLUSTER = "K8sProtectedImageCache asks what is in a cluster, so nothing was judged by it"


def pod_spec(*containers: object) -> dict[str, Any]:
    return {"containers": list(containers)}


def web(spec: object, name: str = "w", namespace: str = "kube-system", kind: str = "Web") -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": "example.com/v1", "kind": kind, "metadata": metadata, "spec": spec}


def deployment(namespace: str, container: object = PINNED) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "d", "namespace": namespace},
        "spec": {"template": {"spec": pod_spec(container)}},
    }


def config_map(text: str) -> dict[str, Any]:
    metadata = {"name": "m", "namespace": "kube-system"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"pod.yaml": text}}


def write(*objects: object, file: str = "m.yaml") -> str:
    Path(file).write_text("".join(f"---\n{json.dumps(obj)}\n" for obj in objects), encoding="utf-8")
    return file


def unjudged(report: Report) -> list[Unjudged]:
    return [entry for entry in report.unjudged if entry.reason != "cluster"]


def messages(report: Report) -> list[str]:
    return [entry.message for entry in unjudged(report)]


# Namespaces that are not protected.


def test_objects_in_other_namespaces() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "shop"}}
    write(deployment("web"), deployment("shop", ALWAYS), service, deployment("shop"), deployment("kube-system"))
    report = check(["m.yaml"], library="builtin")
    assert unjudged(report) == [
        Unjudged(
            "namespace",
            3,
            ("shop", "web"),
            None,
            "3 objects in shop, web are not judged: their namespaces are not protected (--everywhere judges them)",
        )
    ]
    assert messages(check(["m.yaml"], library="builtin", everywhere=True)) == []


THEY = "their namespaces are not protected (--everywhere judges them)"


@pytest.mark.parametrize(
    ("namespaces", "message"),
    [
        (["shop"], "1 object in shop is not judged: its namespace is not protected (--everywhere judges it)"),
        (["shop"] * 2, "2 objects in shop are not judged: their namespace is not protected (--everywhere judges them)"),
        (
            list("abcdefg"),
            f"7 objects in a, b, c, d, e and 2 more are not judged: {THEY}",
        ),
    ],
)
def test_how_namespaces_are_listed(namespaces: list[str], message: str) -> None:
    write(*map(deployment, namespaces))
    assert messages(check(["m.yaml"], library="builtin")) == [message]


def test_the_namespace_that_objects_go_to() -> None:
    stateless = deployment("shop")
    del stateless["metadata"]["namespace"]
    write(stateless)
    assert messages(check(["m.yaml"], library="builtin")) == []
    assert messages(check(["m.yaml"], library="builtin", namespace="shop")) == [
        "1 object in shop is not judged: its namespace is not protected (--everywhere judges it)"
    ]


# Kinds that no policy covers.

SEE = "see customKinds"
CHART = "check its chart with these values: `pullguard check --values FILE CHART`"
MADE = "check the objects that are made from it"
TEXT = "check the string as a file of its own"
POD = json.dumps({"kind": "Pod", "spec": pod_spec(ALWAYS)})


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (web({"template": {"spec": pod_spec(ALWAYS)}}), f"holds a pod spec that says Always; {SEE}"),
        (web({"a": [{"b": pod_spec(PINNED, LATEST)}]}), f"holds a pod spec whose images imply Always; {SEE}"),
        (web({"template": {"spec": pod_spec(PINNED)}}), f"holds a pod spec; {SEE}"),
        (web({"image": "x:v1", "imagePullPolicy": "Always"}), f"holds a container that says Always; {SEE}"),
        (web({"steps": [{"name": "s", "image": "x"}]}), f"holds a container whose image implies Always; {SEE}"),
        (web({"values": {"image": {"pullPolicy": "Always"}}}), f"holds a pull policy that says Always; {MADE}"),
        (
            web({"parameters": [{"name": "image.pullPolicy", "value": "Always"}]}),
            f"holds a pull policy that says Always; {MADE}",
        ),
        (
            web({"helm": {"values": "image:\n  pullPolicy: Always\n"}}),
            f"holds a pull policy that says Always, in a string; {TEXT}",
        ),
        (
            web({"values": {"image": {"pullPolicy": "Always"}}})
            | {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"},
            f"holds a pull policy that says Always; {CHART}",
        ),
        (web(None) | {"objects": [deployment("kube-system", ALWAYS)]}, f"holds a pod spec that says Always; {SEE}"),
        (config_map(POD), f"holds a pod spec that says Always, in a string; {TEXT}"),
        (config_map(f"# comment\n---\n{POD}"), f"holds a pod spec that says Always, in a string; {TEXT}"),
        (
            config_map("{{ if .x }}\ncontainers:\n- image: x\n  imagePullPolicy: Always\n"),
            f"holds a pull policy that says Always, in a string; {TEXT}",
        ),
    ],
)
def test_objects_that_hold_what_could_be_judged(obj: dict[str, Any], words: str) -> None:
    write({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}}, obj)
    name = f"{obj['kind']} kube-system/{obj['metadata']['name']}"
    assert unjudged(check(["m.yaml"], library="builtin")) == [
        Unjudged("kind", 1, (obj["kind"],), Location("m.yaml", 4), f"1 object is not judged: {name} (m.yaml:4) {words}")
    ]


@pytest.mark.parametrize(
    "obj",
    [
        web({"image": "x:v1", "name": "c"}),
        web({"image": "x"}),
        web({"properties": {"containers": {"type": "array"}, "image": {"type": "string"}}}),
        web({"a": 1}) | {"status": pod_spec(ALWAYS)},
        {**web({}), "metadata": {"name": "w", "annotations": {"last-applied": POD}}},
        {**web(pod_spec(ALWAYS)), "metadata": {"name": "w", "ownerReferences": [{"controller": True}]}},
        config_map("image: a picture\n"),
        config_map("restartPolicy: Always\n"),
    ],
)
def test_objects_that_hold_nothing_of_that_kind(obj: dict[str, Any]) -> None:
    write(obj)
    assert messages(check(["m.yaml"], library="builtin")) == []


def test_objects_of_one_kind_are_said_together() -> None:
    spec = pod_spec(ALWAYS)
    write(web(spec, "b", ""), web(spec), web(pod_spec(PINNED), "p"), web(spec, kind="Shop"), file="b.yaml")
    write(web(spec, "first"), {"kind": "List", "items": [web(spec), web(spec, "x", "other")]}, file="a.yaml")
    assert messages(check(["b.yaml", "a.yaml"], library="builtin")) == [
        f"1 object is not judged: Shop kube-system/w (b.yaml:8) holds a pod spec that says Always; {SEE}",
        f"1 object is not judged: Web kube-system/p (b.yaml:6) holds a pod spec; {SEE}",
        "5 objects are not judged: Web kube-system/first (a.yaml:2) and 4 more hold a pod spec that says Always; "
        + SEE,
    ]


def test_a_name_that_is_missing() -> None:
    obj = web(pod_spec(ALWAYS))
    del obj["metadata"], obj["apiVersion"]
    write(obj)
    assert messages(check(["m.yaml"], library="builtin")) == [
        f"1 object is not judged: Web (no name) (m.yaml:2) holds a pod spec that says Always; {SEE}"
    ]


# What is built.


def test_what_kustomizations_and_charts_make(folder: Path) -> None:
    (folder / "k").mkdir()
    write(web(pod_spec(ALWAYS), namespace=""), deployment("shop"), file="k/m.yaml")
    (folder / "k/kustomization.yaml").write_text("namespace: web\nresources: [m.yaml]\n")
    (folder / "c/templates").mkdir(parents=True)
    for name, obj in {"w": web(pod_spec(ALWAYS), "{{ .Release.Name }}", ""), "d": deployment("shop")}.items():
        (folder / f"c/templates/{name}.yaml").write_text(json.dumps(obj))
    (folder / "c/Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    expected = (
        f"2 objects are not judged: Web release-name (c/templates/w.yaml:1) and 1 more hold "
        f"a pod spec that says Always; {SEE}"
    )
    assert messages(check(["."], library="builtin")) == [
        "2 objects in shop, web are not judged: their namespaces are not protected (--everywhere judges them)",
        expected,
    ]


def test_what_cannot_be_built_or_read(folder: Path) -> None:
    (folder / "k").mkdir()
    (folder / "k/kustomization.yaml").write_text("resources: [nothing.yaml]\n")
    (folder / "t.yaml").write_text("{{ if .x }}\nkind: Pod\n{{ end }}\n---\n{{ a }}: b\n---\n")
    report = check(["."], library="builtin")
    assert len(report.errors) == 3
    assert unjudged(report) == [
        Unjudged(
            "not-rendered",
            2,
            ("t.yaml",),
            Location("t.yaml", 1),
            "2 documents are not judged: not rendered, in t.yaml",
        ),
        Unjudged("not-rendered", 1, ("k",), None, "1 kustomization is not judged as built: the errors say why"),
    ]


def test_templates_that_are_called_so(folder: Path) -> None:
    (folder / "a.yaml.tmpl").write_text("{{ if .x }}\nkind: Pod\n{{ end }}\n")
    write(deployment("kube-system", ALWAYS), file="b.YML.tmpl")
    write(deployment("kube-system", ALWAYS), file="c.tmpl")
    report = check(["."], library="builtin")
    assert (report.errors, [found.file for found in report.findings]) == ((), ["b.YML.tmpl"])
    message = "1 document is not judged: not rendered, in a.yaml.tmpl"
    assert unjudged(report) == [Unjudged("not-rendered", 1, ("a.yaml.tmpl",), Location("a.yaml.tmpl", 1), message)]


def test_a_static_pod_is_read_whatever_its_name() -> None:
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p", "namespace": "kube-system"}}
    write(pod | {"spec": pod_spec(ALWAYS)}, file="etcd")
    assert [found.file for found in check(["etcd"], library="builtin").findings] == ["etcd"]


# What Kubernetes refuses, and policies do not see.


def test_lists_of_containers_that_are_none() -> None:
    spec = {"initContainers": [PINNED], "containers": PINNED}
    obj = deployment("kube-system")
    obj["spec"]["template"]["spec"] = spec
    write(deployment("shop"), obj)
    assert [(error.line, error.document, error.message) for error in check(["m.yaml"], library="builtin").errors] == [
        (
            4,
            1,
            "containers is not a list, so Kubernetes refuses the object; write it as a list, each entry after `- `",
        )
    ]


# Kustomizations that move objects.


def test_a_kustomization_that_moves_an_object_out_of_a_protected_namespace(folder: Path) -> None:
    write(deployment("kube-system"), file="fine.yaml")
    (folder / "kustomization.yaml").write_text("namespace: default\nresources: [fine.yaml]\n")
    assert check(["."], library="builtin").notes == ()
    write(deployment("kube-system", ALWAYS), file="d.yaml")
    (folder / "kustomization.yaml").write_text("namespace: default\nresources: [d.yaml]\n")
    moved = (
        "the kustomization . moves Deployment kube-system/d, in which policies find something, "
        "to a namespace that is not protected"
    )
    report = check(["."], library="builtin")
    assert ([found.file for found in report.findings], report.notes) == ([], (moved,))


# Options that do nothing.


def test_options_of_charts_without_a_chart(folder: Path) -> None:
    write(deployment("kube-system"))
    options = BuildOptions(charts=ChartOptions(("v.yaml",), ("a=b",), "1.30", ("x/v1",), "r"))
    every = "--values, --set, --kube-version, --api-versions, --release-name"
    report = check(["m.yaml"], library="builtin", builds=options)
    assert report.notes == (f"there is no chart in the input, so nothing was done with {every}",)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    with_chart = BuildOptions(charts=ChartOptions(settings=("a=b",)))
    assert check(["."], library="builtin", builds=with_chart).notes == ()


# Placeholders.


def test_placeholders_of_images_and_policies() -> None:
    container = {"name": "c", "image": "${IMAGE}", "imagePullPolicy": "${PULL}"}
    write(deployment("kube-system", container), deployment("kube-system"), file="e.yaml")
    report = check(["e.yaml"], library="builtin")
    assert {found.rule for found in report.findings} == {"image-invalid", "pull-policy-invalid"}
    assert unjudged(report) == [
        Unjudged(
            "placeholder",
            1,
            ("${IMAGE}", "${PULL}"),
            Location("e.yaml", 1),
            "e.yaml is not rendered: ${IMAGE}, ${PULL} count as they stand; substitute them first",
        )
    ]


def test_placeholders_of_namespaces_without_findings() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s", "namespace": "${NS}"}}
    write(deployment("${NS}"), service)
    report = check(["m.yaml"], library="builtin")
    assert (report.findings, [(entry.reason, entry.count, entry.names) for entry in unjudged(report)]) == (
        (),
        [("placeholder", 2, ("${NS}",))],
    )


# What depends on labels.


def test_namespaces_that_are_not_protected_by_their_labels(tmp_path: Path) -> None:
    match = {
        "kinds": [{"apiGroups": [""], "kinds": ["ConfigMap"]}],
        "namespaceSelector": {"matchLabels": {"critical": "yes"}},
    }
    library = small.write_library(tmp_path / "lib", small.OWNER, small.constraint("NeedsOwner", "c", match=match))
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop", "labels": {"critical": "no"}}}
    file = small.write_manifests(tmp_path / "m.yaml", small.manifest("p", namespace="shop"), namespace)
    report = check([file], library=library)
    assert (report.findings, messages(report)) == (
        (),
        ["1 object in shop is not judged: its namespace is not protected (--everywhere judges it)"],
    )


# The whole.


def test_the_report_and_strict(capsys: pytest.CaptureFixture[str]) -> None:
    write(deployment("shop"), web(pod_spec(ALWAYS)))
    assert main(["check", "--library", "builtin", "m.yaml"]) == 0
    assert capsys.readouterr().out == (
        "0 findings and 0 errors in 2 objects of 1 file\n"
        "1 object in shop is not judged: its namespace is not protected (--everywhere judges it)\n"
        f"1 object is not judged: Web kube-system/w (m.yaml:4) holds a pod spec that says Always; {SEE}\n"
        f"{CLUSTER}\n"
        "Library: the one that comes with pullguard\n"
    )
    assert main(["check", "--strict", "--library", "builtin", "m.yaml"]) == 2
    write(deployment("kube-system"))
    assert main(["check", "--strict", "--library", "builtin", "m.yaml"]) == 0


def test_files_as_they_stand(folder: Path) -> None:
    write(web(pod_spec(ALWAYS)), file="d.yaml")
    (folder / "kustomization.yaml").write_text("resources: [d.yaml]\n")
    built = BuildOptions("off")
    assert messages(check(["."], library="builtin", builds=built)) == [
        f"1 object is not judged: Web kube-system/w (d.yaml:2) holds a pod spec that says Always; {SEE}"
    ]
