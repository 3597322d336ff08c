"""`fix --as kustomize` with kustomize's own library: what it writes, and what check finds then."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from file_tree import write
from pullguard import cli
from pullguard.check.command import check
from pullguard.core.errors import PullguardError
from pullguard.core.inputs.build_options import BuildOptions
from pullguard.core.inputs.selection import Selection
from pullguard.fix.command import FixReport
from pullguard.fix.overlay import overlay

pytestmark = pytest.mark.usefixtures("opa")

POD = """\
# A comment.
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: kube-system}
spec:
  containers:
  - {name: a, image: x:1, imagePullPolicy: Always} # why
"""
WORKLOAD = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: kube-system}
spec:
  template:
    spec:
      initContainers:
      - {name: i, image: x:1}
      containers:
      - {name: a, image: x:1, imagePullPolicy: Always}
      - {name: b, image: x:main, imagePullPolicy: IfNotPresent}
      volumes:
      - name: v
        image: {reference: x:1, pullPolicy: Always}
"""
ROLLOUT = WORKLOAD.replace("apps/v1", "argoproj.io/v1alpha1").replace("Deployment", "Rollout")
DIGEST = f"sha256:{'a' * 64}"


@pytest.fixture(scope="module")
def library(checkout: Path) -> str:
    return str(checkout / "library")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str) -> Any:
    monkeypatch.chdir(tmp_path)

    def fix(files: dict[str, str], *paths: str, **options: Any) -> FixReport:
        write(tmp_path, files)
        before = {name: (tmp_path / name).read_text() for name in files}
        report = overlay(paths, options.pop("folder", "overlay"), library=library, **options)
        assert {name: (tmp_path / name).read_text() for name in files} == before
        assert not list(tmp_path.glob(".pullguard-*"))
        return report

    return fix


def kustomization(folder: str = "overlay") -> Any:
    return yaml.safe_load(Path(folder, "kustomization.yaml").read_text())


def left(report: FixReport) -> list[tuple[str, int, str]]:
    return [(entry.finding.file, entry.finding.line, entry.finding.rule) for entry in report.left]


def test_a_file_of_others(run: Any, library: str) -> None:
    report = run({"vendor/install.yaml": f"{POD}---\n{WORKLOAD}"}, "vendor/install.yaml")
    assert kustomization()["resources"] == ["resources/install.yaml"]
    assert Path("overlay/resources/install.yaml").read_text() == f"{POD}---\n{WORKLOAD}"
    assert [yaml.safe_load(patch["patch"])["kind"] for patch in kustomization()["patches"]] == ["Pod", "Deployment"]
    assert [(found.file, found.line, found.rule) for found in report.fixed] == [
        ("vendor/install.yaml", 7, "pull-policy-always"),
        ("vendor/install.yaml", 16, "pull-policy-implied"),
        ("vendor/install.yaml", 18, "pull-policy-always"),
        ("vendor/install.yaml", 22, "pull-policy-always"),
    ]
    assert (report.left, report.others, report.errors, report.exit_code) == ((), 1, (), 0)
    assert report.written == ("overlay/kustomization.yaml", "overlay/resources/install.yaml")
    assert "resources/install.yaml is a copy of vendor/install.yaml: run this again when that changes" in report.notes
    assert [found.rule for found in check(["overlay"], library=library).findings] == ["image-tag-floating"]


def test_a_kustomization_of_others_stays_where_it_is(run: Any, library: str) -> None:
    files = {
        "vendor/base/kustomization.yaml": "resources: [web.yaml]\n",
        "vendor/base/web.yaml": WORKLOAD,
        "vendor/prod/kustomization.yaml": "namePrefix: prod-\nresources: [../base]\n",
    }
    report = run(files, "vendor", folder="own/overlay")
    assert kustomization("own/overlay")["resources"] == ["../../vendor/prod"]
    (patch,) = kustomization("own/overlay")["patches"]
    assert yaml.safe_load(patch["patch"])["metadata"] == {"name": "prod-web", "namespace": "kube-system"}
    assert (len(report.fixed), report.exit_code) == (3, 0)
    assert [found.rule for found in check(["own/overlay"], library=library).findings] == ["image-tag-floating"]


def test_files_below_the_overlay_are_not_copied(run: Any) -> None:
    report = run({"vendor/install.yaml": POD}, "vendor/install.yaml", folder="vendor")
    assert kustomization("vendor")["resources"] == ["install.yaml"]
    assert report.written == ("vendor/kustomization.yaml",)


def test_a_chart_is_rendered(run: Any, library: str) -> None:
    files = {
        "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
        "web/values.yaml": "policy: Always\n",
        "web/templates/a.yaml": POD.replace("Always", "{{ .Values.policy }}"),
        "web/README.md": "# Web\n",
    }
    report = run(files, "web")
    assert kustomization()["resources"] == ["resources/web.yaml"]
    note = "resources/web.yaml is what the chart web renders today: run this again when it changes"
    assert (note in report.notes, len(report.fixed), report.exit_code) == (True, 1, 0)
    assert check(["overlay"], library=library).findings == ()


def test_stdin(run: Any, library: str) -> None:
    report = run({}, "-", stdin=io.BytesIO(POD.encode()))
    assert kustomization()["resources"] == ["resources/stdin.yaml"]
    assert (len(report.fixed), report.exit_code) == (1, 0)
    assert check(["overlay"], library=library).findings == ()


def test_containers_stay_in_their_order(run: Any) -> None:
    """kustomize would put those that a patch merges by name before the others."""
    text = WORKLOAD.replace(
        "x:1, imagePullPolicy: Always}\n      - {name: b, image: x:main", "x:main}\n      - {name: b, image: x:1"
    )
    run({"a.yaml": text.replace("IfNotPresent", "Always")}, "a.yaml")
    (patch,) = kustomization()["patches"]
    assert yaml.safe_load(patch["patch"])[:2] == [
        {"op": "test", "path": "/spec/template/spec/containers/1/name", "value": "b"},
        {"op": "replace", "path": "/spec/template/spec/containers/1/imagePullPolicy", "value": "IfNotPresent"},
    ]


def test_custom_resources_are_patched_by_their_places(run: Any, library: str) -> None:
    report = run({"a.yaml": ROLLOUT}, "a.yaml")
    (patch,) = kustomization()["patches"]
    assert patch["target"]["kind"] == "Rollout"
    assert yaml.safe_load(patch["patch"])[0]["op"] == "test"
    assert (len(report.fixed), report.exit_code) == (3, 0)
    assert [found.rule for found in check(["overlay"], library=library).findings] == ["image-tag-floating"]


def test_images_are_pinned(run: Any, library: str) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "w", "namespace": "n", "uid": "w"},
        "spec": {"nodeName": "n", "containers": [{"name": "c", "image": "x:main"}]},
        "status": {"containerStatuses": [{"name": "c", "image": "x:main", "imageID": f"docker.io/library/x@{DIGEST}"}]},
    }
    node = {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": "n"},
        "status": {"nodeInfo": {"operatingSystem": "linux", "architecture": "amd64"}},
    }
    snapshot = json.dumps({"apiVersion": "v1", "kind": "List", "items": [pod, node]})
    report = run({"a.yaml": WORKLOAD, "snapshot.json": snapshot}, "a.yaml", pin=["snapshot.json"])
    assert (len(report.fixed), report.others, report.exit_code) == (4, 0, 0)
    assert f"value: x:main@{DIGEST}" in Path("overlay/kustomization.yaml").read_text()
    assert check(["overlay"], library=library).findings == ()


def test_what_is_left_is_told_where_it_stands(run: Any) -> None:
    text = POD.replace("x:1", "x:main")
    report = run({"a.yaml": text}, "a.yaml")
    assert left(report) == [("a.yaml", 7, "pull-policy-always")]
    assert report.exit_code == 1
    assert "patches" not in kustomization()
    assert run({"a.yaml": text}, "a.yaml", exit_zero=True).exit_code == 0


def test_it_is_written_anew(run: Any) -> None:
    run({"a.yaml": POD}, "a.yaml")
    first = Path("overlay/kustomization.yaml").read_text()
    run({"a.yaml": POD.replace("x:1", "x:2")}, "a.yaml")
    assert "x:2" in Path("overlay/resources/a.yaml").read_text()
    assert Path("overlay/kustomization.yaml").read_text() == first


def test_an_overlay_is_not_laid_over_itself(run: Any) -> None:
    run({"a.yaml": POD}, ".")
    before = Path("overlay/kustomization.yaml").read_bytes()
    with pytest.raises(PullguardError, match="the overlay itself is among the manifests"):
        run({"a.yaml": POD}, ".")
    assert Path("overlay/kustomization.yaml").read_bytes() == before
    assert run({"a.yaml": POD}, ".", selection=Selection(["/overlay/"])).exit_code == 0
    assert Path("overlay/kustomization.yaml").read_bytes() == before


def test_kustomizations_in_one_folder_below_the_overlay(run: Any) -> None:
    files = {f"parts/{name}/p.yaml": POD.replace("name: p", f"name: {name}") for name in ("x", "y", "z")}
    files |= {f"parts/{name}/kustomization.yaml": "resources: [p.yaml]\n" for name in ("x", "y")}
    report = run(files, "parts", folder=".")
    assert (len(report.fixed), report.exit_code) == (3, 0)
    assert kustomization(".")["resources"] == ["parts/x", "parts/y", "parts/z/p.yaml"]


def test_what_stands_in_the_folder_of_a_kustomization(run: Any) -> None:
    pods = {"x": "x/p.yaml", "y": "x/y/p.yaml"}
    files = {f"parts/{path}": POD.replace("name: p", f"name: {name}") for name, path in pods.items()}
    files |= {f"parts/{name}/kustomization.yaml": "resources: [p.yaml]\n" for name in ("x", "x/y")}
    report = run(files, "parts", folder=".")
    assert (len(report.fixed), report.exit_code) == (2, 0)
    assert kustomization(".")["resources"] == ["parts/x", "parts/x/y"]
    with pytest.raises(PullguardError, match=r"parts/x/z.yaml.* name fewer of them, or another folder"):
        run({"parts/x/z.yaml": POD}, "parts", folder=".")


def test_objects_that_kustomize_leaves_out(run: Any) -> None:
    """They would be lost, with `kubectl apply -k` in the place of `kubectl apply -f`."""
    local = '{name: local, namespace: kube-system, annotations: {config.kubernetes.io/local-config: "true"}}'
    other = POD.replace("{name: p, namespace: kube-system}", local)
    report = run(
        {"a.yaml": f"{POD}---\n{other}---\n{other.replace('Always', 'Never').replace('local,', 'l2,')}"}, "a.yaml"
    )
    assert [found.line for found in report.fixed] == [7]
    assert left(report) == [("a.yaml", 15, "pull-policy-always")]
    assert report.left[0].reason is not None
    assert report.left[0].reason.startswith("kustomize leaves its object out")
    assert [note for note in report.notes if note.startswith("kustomize leaves out")] == [
        f"kustomize leaves out Pod kube-system/{name} of a.yaml: apply it by itself" for name in ("local", "l2")
    ]
    assert report.exit_code == 1


def test_files_of_others_are_not_replaced(run: Any) -> None:
    with pytest.raises(PullguardError, match="is a file that `fix` has not written, and is left as it is"):
        run({"a.yaml": POD, "overlay/resources/a.yaml": "mine\n"}, "a.yaml")


def test_a_copy_beside_a_file_of_its_name(run: Any) -> None:
    other = POD.replace("name: p", "name: q")
    files = {"a.yaml": POD, "deploy/resources/a.yaml": other}
    assert run(files, "a.yaml", "deploy", folder="deploy").exit_code == 0
    assert sorted(kustomization("deploy")["resources"]) == ["resources/a-2.yaml", "resources/a.yaml"]
    assert Path("deploy/resources/a-2.yaml").read_text() == POD


@pytest.mark.parametrize("name", ["kustomization.yaml", "kustomization.yml", "Kustomization"])
def test_a_kustomization_of_others_is_not_replaced(run: Any, name: str) -> None:
    with pytest.raises(PullguardError, match="is a kustomization that `fix` has not written, and is left as it is"):
        run({"a.yaml": POD, f"overlay/{name}": "resources: []\n"}, "a.yaml")


def test_a_link_in_the_way(run: Any, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "overlay").symlink_to("elsewhere")
    with pytest.raises(PullguardError, match="is a symbolic link, and nothing is written through one"):
        run({"a.yaml": POD}, "a.yaml")
    assert not list((tmp_path / "elsewhere").iterdir())


def test_copies_are_the_same_to_the_byte(run: Any, tmp_path: Path) -> None:
    data = POD.replace("\n", "\r\n").encode("utf-16")
    (tmp_path / "a.yaml").write_bytes(data)
    assert run({}, "a.yaml").exit_code == 0
    assert (tmp_path / "overlay/resources/a.yaml").read_bytes() == data


def test_containers_of_one_name(run: Any) -> None:
    """No API server takes them; by name, one patch would be for both."""
    report = run({"a.yaml": f"{POD}  - {{name: a, image: y:1, imagePullPolicy: Always}}\n"}, "a.yaml")
    assert [found.line for found in report.fixed] == [7, 8]
    assert "/spec/containers/1/imagePullPolicy" in Path("overlay/kustomization.yaml").read_text()


def test_names_that_kustomize_does_not_take(run: Any) -> None:
    with pytest.raises(PullguardError, match=r"missing metadata\.name"):
        run({"a.yaml": POD.replace("{name: p", "{generateName: p")}, "a.yaml")


def test_a_folder_inside_of_what_is_patched(run: Any) -> None:
    files = {"vendor/kustomization.yaml": "resources: [p.yaml]\n", "vendor/p.yaml": POD}
    with pytest.raises(PullguardError, match="cycle detected"):
        run(files, "vendor", folder="vendor/overlay")
    assert not Path("vendor/overlay").exists()


def test_objects_of_one_name_in_other_namespaces(run: Any) -> None:
    others = [POD.replace("kube-system", name) for name in ("default", "gatekeeper-system")]
    report = run({"a.yaml": "---\n".join([POD, *others])}, "a.yaml")
    patched = [yaml.safe_load(patch["patch"])["metadata"]["namespace"] for patch in kustomization()["patches"]]
    assert (patched, report.exit_code) == (["kube-system", "gatekeeper-system"], 0)


def test_a_file_in_the_way(run: Any) -> None:
    with pytest.raises(PullguardError, match="is not a folder, so no overlay can be written there"):
        run({"a.yaml": POD, "overlay": "x"}, "a.yaml")


def test_what_kustomize_refuses(run: Any) -> None:
    """Two files that state the same object, for example for two environments."""
    with pytest.raises(
        PullguardError, match=r"kustomize cannot build an overlay of these manifests: .*already registered"
    ):
        run({"a/p.yaml": POD, "b/p.yaml": POD}, "a", "b")
    assert not Path("overlay").exists()


def test_broken_input_is_an_error(run: Any) -> None:
    report = run({"a.yaml": POD, "b.yaml": "kind: [\n"}, ".")
    assert [(problem.file, problem.line) for problem in report.errors] == [("b.yaml", 1)]
    assert (len(report.fixed), report.exit_code) == (1, 2)


def test_nothing_to_patch(run: Any) -> None:
    with pytest.raises(PullguardError, match="there is nothing to lay an overlay over"):
        run({"a.txt": ""}, "a.txt", builds=BuildOptions())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--as", "jsonnet", "x"], "argument --as: invalid choice: 'jsonnet' (choose from 'kustomize')"),
        (["--as", "kustomize", "x", "--diff"], "argument --diff: not allowed with argument --as, which edits nothing"),
    ],
)
def test_wrong_options(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["fix", *arguments, "a.yaml"])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


def test_the_report(run: Any, library: str, capsys: pytest.CaptureFixture[str]) -> None:
    run({"a.yaml": POD}, "a.yaml")
    assert cli.main(["fix", "--library", library, "--as", "kustomize", "overlay", "a.yaml"]) == 0
    assert capsys.readouterr().out == (
        "a.yaml:7: fixed: pull-policy-always\n"
        "  Pod kube-system/p, container a\n"
        "  imagePullPolicy: Always -> IfNotPresent\n"
        "\n"
        "1 fixed by overlay/kustomization.yaml, 0 left, 0 errors\n"
        f"Library: {library}\n"
        "Note: K8sProtectedImageCache asks what is in a cluster, so nothing was judged by it\n"
        "Note: resources/a.yaml is a copy of a.yaml: run this again when that changes\n"
    )
