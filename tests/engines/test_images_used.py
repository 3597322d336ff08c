"""`images` with the real engine, kustomize, Helm and kubectl: which images, where they come from, how sure that is."""

import io
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from image_references import is_reference
from pullguard.cli import main
from pullguard.cluster.snapshot import Kind
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions
from pullguard.images.command import images
from pullguard.images.formats import REPORTERS
from pullguard.images.model import Image, ImagesReport, Use
from read_only_cluster import ReadOnlyCluster

_DIGEST = "sha256:" + "0123456789abcdef" * 4


def _write(folder: Path, files: Mapping[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return str(folder)


def _pod(image: str, name: str = "p", **metadata: object) -> str:
    spec = {"containers": [{"name": "c", "image": image}]}
    return yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, **metadata}, "spec": spec})


def _brief(report: ImagesReport) -> list[tuple[str, str]]:
    return [(image.name, image.sure) for image in report.images]


def _uses(image: Image, root: Path | str) -> list[tuple[str, int | None, str, str]]:
    def shown(use: Use) -> tuple[str, int | None, str, str]:
        build = "" if use.build is None else f"{use.build.kind} {use.build.path.replace(f'{root}/', '')}"
        return use.file.replace(f"{root}/", ""), use.line, use.what, build

    return [shown(use) for use in image.uses]


def _written(report: ImagesReport, output: str) -> str:
    stream = io.StringIO()
    REPORTERS[output](report, stream)
    return stream.getvalue()


def test_containers_of_real_manifests_are_certain(corpus: Path) -> None:
    """Every container of the built-in kinds, as the corpus lists them by hand."""
    rows = [json.loads(line) for line in (corpus / "expected.jsonl").read_text("utf-8").splitlines()]
    stated = {row["image"] for row in rows if row["image"]}
    report = images([str(corpus / "real")], sure="possible")
    found = {use.image for image in report.images for use in image.uses if use.sure == "certain"}
    assert {image for image in stated if is_reference(image)} - found == set()
    assert {image for image in stated if not is_reference(image)} - {use.image for use in report.unresolved} == set()


def test_every_place_once_and_every_image_once(tmp_path: Path) -> None:
    folder = _write(
        tmp_path,
        {
            "a.yaml": f"{_pod('nginx')}---\n{_pod('docker.io/library/nginx:latest', 'q', namespace='ns')}",
            "b.yaml": _pod(f"quay.io/x/y:v1@{_DIGEST}"),
            "c.yaml": _pod(f"quay.io/x/y@{_DIGEST}"),
        },
    )
    report = images([folder, f"{folder}/a.yaml"])
    assert _brief(report) == [
        ("docker.io/library/nginx:latest", "certain"),
        (f"quay.io/x/y@{_DIGEST}", "certain"),
    ]
    nginx, digest = report.images
    assert _uses(nginx, folder) == [("a.yaml", 7, "container c", ""), ("a.yaml", 17, "container c", "")]
    assert [(use.object.name, use.object.namespace, use.image) for use in nginx.uses] == [
        ("p", "", "nginx"),
        ("q", "ns", "docker.io/library/nginx:latest"),
    ]
    assert [use.image for use in digest.uses] == [f"quay.io/x/y:v1@{_DIGEST}", f"quay.io/x/y@{_DIGEST}"]
    assert (report.objects, report.exit_code(strict=True)) == (4, 0)


def test_the_surest_use_counts(tmp_path: Path) -> None:
    config = yaml.safe_dump(
        {"apiVersion": "v1", "kind": "ConfigMap", "data": {"script": "run q.io/a:1\nrun q.io/b:1\n"}}
    )
    widget = yaml.safe_dump(
        {"apiVersion": "x.io/v1", "kind": "W", "metadata": {"name": "w"}, "spec": {"image": "q.io/a:1"}}
    )
    folder = _write(tmp_path, {"a.yaml": config, "b.yaml": widget, "c.yaml": _pod("q.io/a:1")})
    report = images([folder], sure="possible")
    assert _brief(report) == [("q.io/a:1", "certain"), ("q.io/b:1", "possible")]
    assert [use.sure for use in report.images[0].uses] == ["certain", "likely", "possible"]
    assert _brief(images([folder], sure="certain")) == [("q.io/a:1", "certain")]
    likely = images([folder])
    assert (_brief(likely), likely.left_out) == ([("q.io/a:1", "certain")], (("possible", 1),))


_NO_CHART = "{apiVersion: v2, name: c, version: 1.0.0}"
_CHART = {
    "chart/Chart.yaml": "{apiVersion: v2, name: web, version: 1.0.0}",
    "chart/values.yaml": "image:\n  name: q.io/web\n  tag: v1\n",
    "chart/templates/pod.yaml": _pod("{{ .Values.image.name }}:{{ .Values.image.tag }}"),
    "chart/templates/test.yaml": _pod("q.io/curl:1", "t", annotations={"helm.sh/hook": "test"}),
}


def test_charts_are_rendered_and_the_line_that_decides_is_named(tmp_path: Path) -> None:
    release = {
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": {"name": "web", "namespace": "prod"},
        "spec": {
            "chart": {"spec": {"chart": "./chart", "sourceRef": {"kind": "GitRepository", "name": "g"}}},
            "values": {"image": {"tag": "v2"}},
        },
    }
    folder = _write(tmp_path, {**_CHART, "release.yaml": yaml.safe_dump(release)})
    report = images([folder])
    assert [name for name, _ in _brief(report)] == ["q.io/curl:1", "q.io/web:v1", "q.io/web:v2"]
    curl, own, released = report.images
    assert [(use.build.hook, use.build.installer) for use in curl.uses if use.build] == [
        ("test", ""),
        ("test", "HelmRelease prod/web"),
    ]
    assert _uses(own, folder) == [("chart/values.yaml", 3, "container c", "chart chart")]
    assert [value.key for value in own.uses[0].values] == ["image.tag", "image.name"]
    ((use,),) = (image.uses for image in [released])
    assert (use.file, use.line, use.object.namespace) == (f"{folder}/release.yaml", 15, "prod")
    assert "Helm hook test" in _written(report, "text")


def test_values_that_nothing_uses_are_possible(tmp_path: Path) -> None:
    sub = {"chart/charts/sub/Chart.yaml": _NO_CHART, "chart/charts/sub/values.yaml": "image: q.io/sub:1\n"}
    values = "image:\n  name: q.io/web\n  tag: v1\nmetrics:\n  image: {repository: q.io/exporter, tag: v3}\n"
    folder = _write(tmp_path, {**_CHART, **sub, "chart/values.yaml": values})
    assert [name for name, _ in _brief(images([folder]))] == ["q.io/curl:1", "q.io/web:v1"]
    report = images([folder], sure="possible")
    assert _brief(report)[1:3] == [("q.io/exporter:v3", "possible"), ("q.io/sub:1", "possible")]
    exporter, sub_image = report.images[1:3]
    assert _uses(exporter, folder) == [("chart/values.yaml", 5, "value metrics.image.repository", "")]
    assert exporter.uses[0].object.kind == "Chart"
    assert _uses(sub_image, folder) == [("chart/charts/sub/values.yaml", 1, "value image", "")]
    # What is rendered with other values is sure.
    chart = BuildOptions(charts=ChartOptions(settings=("image.name=q.io/exporter", "image.tag=v3")))
    assert ("q.io/exporter:v3", "certain") in _brief(images([folder], builds=chart))


def test_values_that_helm_reads_and_kubernetes_does_not_are_noted(tmp_path: Path) -> None:
    twice = "image:\n  name: q.io/web\n  tag: v1\na: 1\na: 2\n"
    report = images([_write(tmp_path, {**_CHART, "chart/values.yaml": twice})])
    assert [name for name, _ in _brief(report)] == ["q.io/curl:1", "q.io/web:v1"]
    (note,) = report.notes
    assert note.startswith(f'no images were looked for in {tmp_path}/chart/values.yaml: the key "a" occurs twice')
    assert report.exit_code() == 0


def test_overlays_are_built(tmp_path: Path) -> None:
    files = {"base/kustomization.yaml": "resources: [pod.yaml]", "base/pod.yaml": _pod("q.io/a:latest")}
    for name in ("prod", "test"):
        images_of = f"resources: [../../base]\nimages:\n- name: q.io/a\n  newTag: {name}\n"
        files[f"overlays/{name}/kustomization.yaml"] = images_of
    folder = _write(tmp_path, files)
    report = images([folder])
    assert [name for name, _ in _brief(report)] == ["q.io/a:prod", "q.io/a:test"]
    assert _uses(report.images[0], folder) == [
        ("overlays/prod/kustomization.yaml", 4, "container c", "kustomization overlays/prod")
    ]


def test_two_overlays_that_change_nothing_are_two_places(tmp_path: Path) -> None:
    files = {"base/kustomization.yaml": "resources: [pod.yaml]", "base/pod.yaml": _pod("q.io/a:1")}
    for name in ("prod", "test"):
        files[f"{name}/kustomization.yaml"] = f"resources: [../base]\nnamespace: {name}\n"
    folder = _write(tmp_path, files)
    (image,) = images([folder]).images
    assert _uses(image, folder) == [
        ("base/pod.yaml", 7, "container c", "kustomization prod"),
        ("base/pod.yaml", 7, "container c", "kustomization test"),
    ]


@pytest.mark.parametrize("output", ["hauler", "zarf", "oc-mirror", "list"])
def test_lists_hold_the_images_and_nothing_else(
    output: str, checkout: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is written can be read: the lists name the same images for sure."""
    folder = str(checkout / "tests/data/images")
    assert main(["images", "-o", output, folder]) == 0
    written = capsys.readouterr()
    expected = [image.name for image in images([folder]).images]
    assert len(expected) > 5
    if output == "list":
        assert written.out.splitlines() == expected
    else:
        file = tmp_path / "list.yaml"
        file.write_text(written.out, encoding="utf-8")
        assert _brief(images([str(file)])) == [(name, "certain") for name in expected]
    where = "Deployment kube-system/operator, container later"
    assert written.err.splitlines() == [
        f"{folder}/operator.yaml:20: not an image reference: '${{LATER_IMAGE}}' ({where})",
        "1 possible image is left out: --sure possible lists them too",
    ]


def test_json(checkout: Path) -> None:
    report = images([str(checkout / "tests/data/images/operator.yaml")])
    value = json.loads(_written(report, "json"))
    assert list(value) == [
        "format",
        "source",
        "sure",
        "images",
        "leftOut",
        "unresolved",
        "errors",
        "unjudged",
        "notes",
        "objects",
    ]
    assert (value["format"], value["sure"], value["leftOut"]) == ("pullguard-images/v1", "likely", {"possible": 1})
    (unresolved,) = value["unresolved"]
    assert unresolved["image"] == "${LATER_IMAGE}"
    assert value["images"][0]["uses"] == [
        {
            "image": "busybox",
            "sure": "certain",
            "what": "init container wait",
            "object": {
                "apiVersion": "apps/v1",
                "kind": "Deployment",
                "namespace": "kube-system",
                "name": "operator",
            },
            "file": str(checkout / "tests/data/images/operator.yaml"),
            "line": 11,
            "build": None,
            "template": None,
            "values": [],
        }
    ]


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"a.yaml": "a: [1\n"}, "bad/a.yaml:1: error: "),
        (
            {"c/Chart.yaml": _NO_CHART, "c/templates/a.yaml": "{{ fail `no` }}"},
            "c/Chart.yaml: error: Helm cannot render it: ",
        ),
        (
            {"kustomization.yaml": "resources: [missing.yaml]\n"},
            "kustomization.yaml: error: kustomize cannot build it: ",
        ),
    ],
)
def test_what_cannot_be_read_is_said_and_hides_nothing(
    files: dict[str, str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, good = _write(tmp_path / "bad", files), _write(tmp_path / "good", {"p.yaml": _pod("q.io/a:1")})
    assert main(["images", folder, good]) == 2
    text = capsys.readouterr().out
    assert message in text
    assert "q.io/a:1 (certain)" in text
    assert main(["images", "-o", "list", folder, good]) == 2
    written = capsys.readouterr()
    assert written.out == "q.io/a:1\n"
    assert message in written.err


def test_a_folder_without_objects_is_an_error(tmp_path: Path) -> None:
    report = images([_write(tmp_path, {"a.yaml": "x: 1\n"})])
    message = "nothing was checked: there is no Kubernetes object in it"
    assert ([error.message for error in report.errors], report.exit_code()) == ([message], 2)


def test_a_missing_file_and_an_empty_pipe(tmp_path: Path) -> None:
    report = images([str(tmp_path / "none.yaml")])
    assert [error.message for error in report.errors] == [
        "cannot be read: No such file or directory; see whether the path is right"
    ]
    report = images(["-"], stdin=io.BytesIO(b""))
    assert [error.message for error in report.errors] == [
        "nothing came on standard input; see whether the command before the pipe has failed"
    ]
    assert report.exit_code() == 2


def test_standard_input() -> None:
    report = images(["-"], stdin=io.BytesIO(_pod("q.io/a:1").encode()))
    assert [(use.file, use.line) for use in report.images[0].uses] == [("<stdin>", 7)]


def test_strict_is_about_what_the_list_may_lack(tmp_path: Path) -> None:
    placeholder = images([_write(tmp_path / "a", {"p.yaml": _pod("${IMAGE}")})])
    assert (placeholder.exit_code(), placeholder.exit_code(strict=True)) == (0, 2)
    requirements = "dependencies: [{name: sub, version: 1.0.0, repository: 'https://charts.example.com'}]"
    chart = {**_CHART, "chart/Chart.yaml": f"apiVersion: v2\nname: web\nversion: 1.0.0\n{requirements}\n"}
    partial = images([_write(tmp_path / "b", chart)])
    assert [entry.reason for entry in partial.unjudged] == ["not-rendered"]
    assert (partial.exit_code(), partial.exit_code(strict=True)) == (0, 2)


def test_hostile_text_obeys_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ("::error::a", "\x1b[31mred")
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": {"containers": [
        {"name": name, "image": image} for image in (*names, "q.io/a:1")
    ]}} for name in names]  # fmt: skip
    folder = _write(tmp_path, {"p.yaml": yaml.safe_dump_all(pods)})
    for output in ("text", "list"):
        assert main(["images", "-o", output, folder]) == 0
        written = capsys.readouterr()
        assert "\x1b" not in written.out + written.err
        assert not any(line.lstrip().startswith("::") for line in (written.out + written.err).splitlines())
    assert [name for name, _ in _brief(images([folder]))] == ["q.io/a:1"]


_KINDS = (
    Kind("", "ConfigMap", "configmaps", namespaced=True),
    Kind("", "Pod", "pods", namespaced=True),
    Kind("", "Secret", "secrets", namespaced=True),
    Kind("apps", "ReplicaSet", "replicasets", namespaced=True),
    Kind("example.com", "Widget", "widgets", namespaced=True),
)
Start = Callable[..., ReadOnlyCluster]


@pytest.fixture
def start() -> Iterator[Start]:
    clusters: list[ReadOnlyCluster] = []

    def start_cluster(objects: dict[str, Sequence[dict[str, Any]]], **options: Any) -> ReadOnlyCluster:
        clusters.append(ReadOnlyCluster(_KINDS, {kind.kind: objects.get(kind.kind, []) for kind in _KINDS}, **options))
        return clusters[-1]

    yield start_cluster
    for cluster in clusters:
        cluster.stop()


def _objects(*specs: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return [{"metadata": {"name": f"o{n}", "namespace": "a", **fields}, "spec": spec} for n, spec in enumerate(specs)]


def _spec(image: str) -> dict[str, Any]:
    return {"containers": [{"name": "c", "image": image}]}


def test_a_live_cluster(start: Start, tmp_path: Path, kubectl: str) -> None:
    old = {"replicas": 0, "template": {"spec": _spec("q.io/old:1")}}
    cluster = start(
        {
            "Pod": _objects(*(_spec(f"q.io/a:{number}") for number in range(5))),
            "Secret": [{"metadata": {"name": "s", "namespace": "a"}, "stringData": {"image": "q.io/secret:1"}}],
            "ReplicaSet": _objects(old, ownerReferences=[{"kind": "Deployment", "name": "d", "controller": True}]),
            "Widget": _objects({"image": "q.io/w:1"}),
            "ConfigMap": [{"metadata": {"name": "c", "namespace": "a"}, "data": {"queue-image": "q.io/c:1"}}],
        },
        expired=[4],
    )
    config = cluster.write_kubeconfig(tmp_path / "config")
    report = images(sure="possible", kubeconfig=str(config), kubectl=kubectl)
    assert _brief(report) == [
        *((f"q.io/a:{number}", "certain") for number in range(5)),
        ("q.io/c:1", "likely"),
        ("q.io/old:1", "possible"),
        ("q.io/w:1", "likely"),
    ]
    assert (report.source, report.errors, report.objects) == ("the cluster", (), 8)
    assert [len(image.uses) for image in report.images] == [1] * 8  # although the list of pods started over
    (use,) = report.images[0].uses
    assert (use.file, use.line, use.object.namespace, use.object.name) == ("/api/v1/pods", None, "a", "o0")
    assert "  /api/v1/pods: Pod a/o0, container c\n" in _written(report, "text")
    assert not any("secrets" in request for request in cluster.requests)


def test_what_a_user_may_not_list_is_an_error(start: Start, tmp_path: Path, kubectl: str) -> None:
    cluster = start({"Pod": _objects(_spec("q.io/a:1"))}, forbidden=["Widget"])
    config = cluster.write_kubeconfig(tmp_path / "config")
    report = images(kubeconfig=str(config), kubectl=kubectl)
    assert _brief(report) == [("q.io/a:1", "certain")]
    (error,) = report.errors
    assert error.file == "/apis/example.com/v1/widgets"
    assert "(Forbidden)" in error.message
    assert report.exit_code() == 2


def test_files_and_a_cluster_are_not_read_at_once(tmp_path: Path) -> None:
    with pytest.raises(PullguardError, match="files and a live cluster cannot be read at once"):
        images([str(tmp_path)], context="here")


def test_a_dump_of_a_cluster(tmp_path: Path) -> None:
    items = [{"apiVersion": "v1", "kind": "Pod", **pod} for pod in _objects(_spec("q.io/a:1"), _spec("q.io/b:1"))]
    dump = tmp_path / "dump.json"
    dump.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1), "utf-8")
    assert _brief(images([str(dump)])) == [("q.io/a:1", "certain"), ("q.io/b:1", "certain")]


def test_related_images_of_an_operator(checkout: Path) -> None:
    """The list that a ClusterServiceVersion publishes is found without it, as the variables of its operator name it."""
    case = checkout.parent / "shared" / "cases" / "cr-csv.yaml"
    if not case.exists():
        pytest.skip("inputs with right answers are not part of the repository: put them into ../shared/cases")
    assert _brief(images([str(case)])) == [("docker.io/library/x:v1", "certain")]


def test_excluded_files_are_left_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = _write(tmp_path, {"a/p.yaml": _pod("q.io/a:1"), "vendor/p.yaml": _pod("q.io/b:1")})
    shutil.copy(tmp_path / "a/p.yaml", tmp_path / "q.yaml")
    assert main(["images", "-o", "list", "--exclude", "vendor/", "--namespace", "n", folder]) == 0
    assert capsys.readouterr().out == "q.io/a:1\n"
