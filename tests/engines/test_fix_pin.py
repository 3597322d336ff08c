"""`fix --pin` with the real OPA and the library of the project: what it pins to what, what it leaves, and why."""

import io
import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from file_tree import write
from fixable import DIGEST
from manifest_styles import Styled, styled_files
from pullguard import cli
from pullguard.check.command import check
from pullguard.core.errors import PullguardError
from pullguard.fix.command import FixReport, fix
from pullguard.fix.pins import Pin, PinForm, pins
from pullguard.fix.reported import Reported, read_reported
from shared_engine import ENGINE

pytestmark = pytest.mark.usefixtures("opa")

JSON = dict[str, Any]

A, B, C, D = (f"sha256:{letter * 64}" for letter in "abcd")
APP = "quay.io/x/app"


def pod(name: str, node: str, image: str, image_id: str, **more: Any) -> JSON:
    """Return a running pod with one container, as the API server stores it."""
    status = {"name": "c", "image": image, "imageID": image_id, "state": {"running": {}}, **more}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "kube-system", "uid": name},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": image}]},
        "status": {"phase": "Running", "containerStatuses": [status]},
    }


def node(name: str, architecture: str, *images: list[str]) -> JSON:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "uid": name},
        "status": {
            "nodeInfo": {"architecture": architecture, "operatingSystem": "linux"},
            "images": [{"names": names} for names in images],
        },
    }


SNAPSHOT = [
    pod("a", "n", "nginx", f"docker.io/library/nginx@{A}"),
    pod("b", "n", f"{APP}:main", f"docker-pullable://{APP}@{B}"),
    pod("c", "n", "quay.io/x/bare:main", D),
    pod("d", "n", "quay.io/x/moved:main", f"quay.io/x/moved@{A}"),
    pod("e", "n", "quay.io/x/moved:main", f"quay.io/x/moved@{B}"),
    node("n", "amd64", [f"quay.io/x/node@{C}", "quay.io/x/node:stable"]),
]


def dump(folder: Path, objects: list[JSON], name: str = "snapshot.json") -> str:
    file = folder / name
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))
    return str(file)


def left(report: FixReport) -> list[tuple[int, str, str | None]]:
    return [(entry.finding.line, entry.finding.rule, entry.reason) for entry in report.left]


HEAD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kube-system}\nspec:\n  containers:\n"
MANIFEST = f"""\
{HEAD}  - name: a
    image: nginx # web
  - name: b
    image: "{APP}:main"
    imagePullPolicy: Always
  - {{name: c, image: quay.io/x/node:stable, imagePullPolicy: Never}}
  - name: d
    image: docker.io/library/nginx
    imagePullPolicy: IfNotPresent
  volumes:
  - name: v
    image: {{reference: '{APP}:main'}}
"""
PINNED = f"""\
{HEAD}  - name: a
    image: nginx@{A} # web
    imagePullPolicy: IfNotPresent
  - name: b
    image: "{APP}:main@{B}"
    imagePullPolicy: IfNotPresent
  - {{name: c, image: quay.io/x/node:stable@{C}, imagePullPolicy: Never}}
  - name: d
    image: docker.io/library/nginx@{A}
    imagePullPolicy: IfNotPresent
  volumes:
  - name: v
    image: {{reference: '{APP}:main@{B}', pullPolicy: IfNotPresent}}
"""
UNKNOWN = f"""\
{HEAD}  - name: a
    image: quay.io/x/bare:main
  - name: b
    image: quay.io/x/moved:main
    imagePullPolicy: IfNotPresent
  - name: c
    image: quay.io/x/none
  - name: d
    image: "Not an image"
"""


@pytest.fixture(scope="module")
def library(checkout: Path) -> str:
    return str(checkout / "library")


@pytest.mark.parametrize("form", ["tag@digest", "digest"])
def test_a_manifest(tmp_path: Path, library: str, form: PinForm) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST)
    report = fix([str(file)], library=library, pin=[dump(tmp_path, SNAPSHOT)], pin_as=form)
    expected = PINNED if form == "tag@digest" else PINNED.replace(":main@", "@").replace(":stable@", "@")
    assert file.read_text() == expected
    assert (report.left, report.errors, report.exit_code) == ((), (), 0)
    assert [(found.rule, found.line) for found in report.fixed] == [
        ("image-tag-missing", 7),
        ("pull-policy-always", 7),
        ("image-tag-floating", 10),
        ("pull-policy-always", 10),
        ("image-tag-floating", 11),
        ("image-tag-missing", 14),
        ("image-tag-floating", 17),
        ("pull-policy-implied", 17),
    ]
    assert {pin.evidence for pin in report.pins.values()} == {"reported by 1 container", "listed by 1 node"}
    assert check([str(file)], library=library).findings == ()


def test_a_diff_writes_nothing(tmp_path: Path, library: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST)
    snapshot = dump(tmp_path, SNAPSHOT)
    assert cli.main(["fix", "--diff", "--library", library, "--pin", snapshot, str(file)]) == 1
    assert file.read_text() == MANIFEST
    assert f"+    image: nginx@{A} # web\n" in capsys.readouterr().out


def test_what_is_not_known_is_left(tmp_path: Path, library: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(UNKNOWN)
    report = fix([str(file)], library=library, pin=[dump(tmp_path, SNAPSHOT)])
    assert file.read_text() == UNKNOWN
    tells = "this tells what it is now: crane digest"
    assert [entry for entry in left(report) if entry[1].startswith("image")] == [
        (
            7,
            "image-tag-floating",
            f"the snapshot reports no digest of its repository for it; {tells} quay.io/x/bare:main",
        ),
        (
            10,
            "image-tag-floating",
            (
                f"its tag stands for different images there: {A} is reported by 1 container; {B} is reported by "
                f"1 container; {tells} quay.io/x/moved:main"
            ),
        ),
        (
            12,
            "image-tag-missing",
            f"no pod of the snapshot runs it, and no node lists it; {tells} quay.io/x/none",
        ),
    ]
    assert (report.others, report.exit_code) == (1, 1)


ARM = [*SNAPSHOT, node("m", "arm64")]
TWO = "the nodes have linux/amd64 and linux/arm64; this tells what it is now: crane digest nginx"


@pytest.mark.parametrize(
    ("objects", "reason", "evidence"),
    [
        (ARM, f"{A} may be of one architecture only, and {TWO}", ""),
        (
            [*ARM, pod("f", "m", "nginx:latest", f"docker.io/library/nginx@{A}")],
            None,
            "reported by 2 containers; an index, since it runs on linux/amd64 and linux/arm64",
        ),
        (
            [*ARM, pod("f", "m", "nginx", f"docker.io/library/nginx@{A}", state={"waiting": {}})],
            f"{A} may be of one architecture only, and {TWO}",
            "",
        ),
        (
            SNAPSHOT[:-1],
            (
                f"the snapshot has no Node, so it is not known whether {A} serves all of them: add the nodes to it; "
                "this tells what it is now: crane digest nginx"
            ),
            "",
        ),
    ],
    ids=["several", "an index", "it does not run there", "no nodes"],
)
def test_architectures(tmp_path: Path, library: str, objects: list[JSON], reason: str | None, evidence: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(f"{HEAD}  - {{name: a, image: nginx}}\n")
    report = fix([str(file)], library=library, pin=[dump(tmp_path, objects)])
    reasons = [entry.reason for entry in report.left if entry.finding.rule == "image-tag-missing"]
    assert reasons == ([] if reason is None else [reason])
    assert [pin.evidence for pin in report.pins.values()] == ([evidence] if evidence else [])
    assert (f"nginx@{A}" in file.read_text()) == (reason is None)


def test_an_exemption_is_left(tmp_path: Path, library: str) -> None:
    text = MANIFEST.replace(
        "{name: p,", '{name: p, annotations: {pullguard/exempt: "protected_pull_policy: they always do"},'
    )
    file = tmp_path / "m.yaml"
    file.write_text(text)
    report = fix([str(file)], library=library, pin=[dump(tmp_path, SNAPSHOT)])
    assert file.read_text() == text.replace("image: nginx #", f"image: nginx@{A} #").replace(
        ":main", f":main@{B}"
    ).replace(":stable", f":stable@{C}").replace("library/nginx\n", f"library/nginx@{A}\n")
    assert report.exit_code == 0


def test_stdin_is_the_snapshot_or_the_manifests(tmp_path: Path, library: str) -> None:
    file = tmp_path / "m.yaml"
    file.write_text(MANIFEST)
    snapshot = dump(tmp_path, SNAPSHOT)
    data = Path(snapshot).read_bytes()
    assert fix(["-"], library=library, pin=[snapshot], stdin=io.BytesIO(MANIFEST.encode())).output == PINNED.encode()
    assert fix([str(file)], library=library, pin=["-"], stdin=io.BytesIO(data)).exit_code == 0
    assert file.read_text() == PINNED
    with pytest.raises(PullguardError, match="stdin cannot be both the manifests and the snapshot"):
        fix(["-"], library=library, pin=["/dev/stdin"], stdin=io.BytesIO(data))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the snapshot cannot be read in full, so nothing can be pinned by it: .*"),
        ('{"kind": "List", "apiVersion": "v1", "items": []}', "the input holds no object of a kind that .*"),
        (json.dumps(SNAPSHOT[0]) + '\n{"kind": "Pod"', "the snapshot cannot be read in full, .*"),
    ],
    ids=["broken", "empty", "cut off"],
)
def test_an_unusable_snapshot(tmp_path: Path, library: str, text: str, message: str) -> None:
    file, snapshot = tmp_path / "m.yaml", tmp_path / "snapshot.json"
    file.write_text(MANIFEST)
    snapshot.write_text(text)
    with pytest.raises(PullguardError, match=message):
        fix([str(file)], library=library, pin=[str(snapshot)])
    assert file.read_text() == MANIFEST


def test_a_form_without_a_snapshot(library: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["fix", "--library", library, "--pin-as", "digest", "m.yaml"]) == 2
    assert "--pin-as says how images are pinned, and none are" in capsys.readouterr().err


WORKLOAD = f"""\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: kube-system}}
spec:
  template:
    spec:
      containers:
      - name: web
        image: {APP}:main # web
        imagePullPolicy: IfNotPresent
"""
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": WORKLOAD}
OTHER = WORKLOAD.replace(f"{APP}:main", "app")
OVERLAY = f"resources: [../base]\nimages:\n- name: app\n  newName: {APP}\n  newTag: main # moves\n"
FLOW = f"resources: [../base]\nimages: [{{name: app, newName: {APP}, newTag: 'main'}}]\n"
NAMED = f"resources: [../base]\nimages:\n- name: app\n  newName: {APP}\n"
VOLUME = HEAD.replace("containers:", "volumes:") + "  - name: v\n"
CHART = {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\nappVersion: main\n"}


def template(image: str, more: str = "") -> str:
    return f"{HEAD}  - name: a\n    image: {image}\n    imagePullPolicy: IfNotPresent\n{more}"


TAGGED = template('"{{ .Values.repository }}:{{ .Values.tag | default .Chart.AppVersion }}"')
DIGESTED = template(
    "{{ .Values.repository }}{{ if .Values.digest }}@{{ .Values.digest }}{{ else }}:{{ .Values.tag }}{{ end }}"
)
LABELLED = template("quay.io/x/app:{{ .Values.tag }}", '  nodeSelector: {tag: "{{ .Values.tag }}"}\n')
TAG_ALONE = "the tag stands there alone, and no digest can take its place: use --pin-as tag@digest"


@dataclass(frozen=True)
class Case:
    """Files, what becomes of some of them, and the beginnings of the reasons why images are left."""

    files: Mapping[str, str]
    edited: Mapping[str, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    form: PinForm | None = None


CASES = {
    "resource": Case(BASE, {"base/web.yaml": WORKLOAD.replace(":main", f":main@{B}")}),
    "resource, digest": Case(BASE, {"base/web.yaml": WORKLOAD.replace(":main", f"@{B}")}, form="digest"),
    "image volume": Case(
        {
            "kustomization.yaml": "resources: [p.yaml]\n",
            "p.yaml": f"{VOLUME}    image:\n      reference: {APP}:main # an artifact\n      pullPolicy: Never\n",
        },
        {"p.yaml": f"{VOLUME}    image:\n      reference: {APP}:main@{B} # an artifact\n      pullPolicy: Never\n"},
    ),
    "patch": Case(
        {
            "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
            "web.yaml": WORKLOAD,
            "p.yaml": f'- {{op: replace, path: /spec/template/spec/containers/0/image, value: "{APP}:main"}}\n',
        },
        {"p.yaml": f'- {{op: replace, path: /spec/template/spec/containers/0/image, value: "{APP}:main@{B}"}}\n'},
    ),
    "images": Case(
        {**BASE, "base/web.yaml": OTHER, "over/kustomization.yaml": OVERLAY},
        {"over/kustomization.yaml": f"{OVERLAY}  digest: {B}\n"},
    ),
    "images, digest": Case(
        {**BASE, "base/web.yaml": OTHER, "over/kustomization.yaml": OVERLAY},
        {"over/kustomization.yaml": OVERLAY.replace("newTag: main", f"digest: {B}")},
        form="digest",
    ),
    "images in braces": Case(
        {**BASE, "base/web.yaml": OTHER, "over/kustomization.yaml": FLOW},
        {"over/kustomization.yaml": FLOW.replace("'main'", f"'main', digest: '{B}'")},
    ),
    "images with a name alone": Case(
        {**BASE, "base/web.yaml": OTHER.replace("app #", "app:main #"), "over/kustomization.yaml": NAMED},
        {"base/web.yaml": OTHER.replace("app #", f"app:main@{B} #")},
    ),
    "a place of several": Case(
        {
            **BASE,
            "a/kustomization.yaml": "namePrefix: a-\nresources: [../base]\n",
            "b/kustomization.yaml": "namespace: other\nresources: [../base]\n",
        },
        {},
        ("base/web.yaml:9 also decides spec.template.spec.containers[0].image of Deployment web in b",),
    ),
    "tag": Case(
        {**CHART, "web/templates/a.yaml": TAGGED, "web/values.yaml": f"repository: {APP}\ntag: main # moves\n"},
        {"web/values.yaml": f"repository: {APP}\ntag: main@{B} # moves\n"},
    ),
    "tag, digest": Case(
        {**CHART, "web/templates/a.yaml": TAGGED, "web/values.yaml": f"repository: {APP}\ntag: main # moves\n"},
        {},
        (TAG_ALONE,),
        form="digest",
    ),
    "version of the chart": Case(
        {**CHART, "web/templates/a.yaml": TAGGED, "web/values.yaml": f'repository: {APP}\ntag: ""\n'},
        {"web/values.yaml": f'repository: {APP}\ntag: "main@{B}"\n'},
    ),
    "digest": Case(
        {
            **CHART,
            "web/templates/a.yaml": DIGESTED,
            "web/values.yaml": f"repository: {APP}\ntag: main\ndigest: ''\n",
        },
        {"web/values.yaml": f"repository: {APP}\ntag: main\ndigest: '{B}'\n"},
    ),
    "whole image": Case(
        {**CHART, "web/templates/a.yaml": template("{{ .Values.image }}"), "web/values.yaml": f"image: {APP}:main\n"},
        {"web/values.yaml": f"image: {APP}:main@{B}\n"},
    ),
    "image in a template": Case(
        {**CHART, "web/templates/a.yaml": template(f"{APP}:main")},
        {"web/templates/a.yaml": template(f"{APP}:main@{B}")},
    ),
    "a tag that is a label as well": Case(
        {**CHART, "web/templates/a.yaml": LABELLED, "web/values.yaml": "tag: main\n"},
        {},
        ("tag in web/values.yaml also decides spec.nodeSelector.tag of Pod p in web",),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_kustomizations_and_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str, name: str) -> None:
    case = CASES[name]
    (tmp_path / "x").mkdir()
    write(tmp_path / "x", case.files)
    monkeypatch.chdir(tmp_path / "x")
    report = fix(["."], library=library, pin=[dump(tmp_path, SNAPSHOT)], pin_as=case.form)
    found = {file: (tmp_path / "x" / file).read_text() for file in case.files}
    assert found == {**case.files, **case.edited}
    reasons = [entry.reason or "" for entry in report.left]
    assert [reason[: len(start)] for reason, start in zip(reasons, case.left, strict=True)] == list(case.left)
    assert (report.errors, report.exit_code) == ((), int(bool(case.left)))
    if not case.left:
        assert check(["."], library=library).findings == ()


def test_what_is_built_is_stated_once_its_image_is_pinned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    """The namespace is not known, so no policy says that the pull policy must be stated."""
    text = WORKLOAD.replace(", namespace: kube-system", "").replace("        imagePullPolicy: IfNotPresent\n", "")
    write(tmp_path, {**BASE, "base/web.yaml": text})
    monkeypatch.chdir(tmp_path)
    report = fix(["base"], library=library, pin=[dump(tmp_path, SNAPSHOT)])
    pinned = text.replace(":main # web\n", f":main@{B} # web\n        imagePullPolicy: IfNotPresent\n")
    assert ((tmp_path / "base/web.yaml").read_text(), report.exit_code) == (pinned, 0)


@given(st.lists(styled_files(), min_size=1, max_size=8))
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_other_byte_stays(image_library: Path, files: list[Styled]) -> None:
    library = str(image_library)
    with tempfile.TemporaryDirectory() as folder:
        snapshot = dump(
            Path(folder), [pod("p", "n", "unpinned", f"unpinned@{DIGEST}"), node("n", "amd64")], "snapshot.json"
        )
        paths = [Path(folder) / f"{number}.{'json' if file.is_json else 'yaml'}" for number, file in enumerate(files)]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.before.encode())
        report = fix(list(map(str, paths)), library=library, pin=[snapshot])
        assert [path.read_bytes() for path in paths] == [file.pinned.encode() for file in files]
        assert (report.left, report.errors) == ((), ())
        assert sum(found.policy == "protected_image_pinning" for found in report.fixed) >= sum(
            file.unpinned for file in files
        )
        assert check(list(map(str, paths)), library=library).findings == ()


_REPOSITORIES = ("docker.io/library/a", "quay.io/a", "quay.io/b")
_SPELLINGS = {"docker.io/library/a": ("a", "library/a", "docker.io/a", "docker.io/library/a")}
_IMAGES = st.tuples(st.sampled_from(_REPOSITORIES), st.sampled_from(("latest", "main")))
_ARCHITECTURES = st.sampled_from(("amd64", "arm64", "amd64", ""))
_STATES: st.SearchStrategy[JSON] = st.sampled_from(
    ({"running": {}}, {"running": {}}, {"waiting": {}}, {"terminated": {"exitCode": 0}})
)


@st.composite
def _spelled(draw: st.DrawFn, repository: str, tag: str) -> str:
    name = draw(st.sampled_from(_SPELLINGS.get(repository, (repository,))))
    return name if tag == "latest" and draw(st.booleans()) else f"{name}:{tag}"


@dataclass(frozen=True)
class _Report:
    """What one container or node says: of an image, the digests that it may be, and the platform that it ran on."""

    image: tuple[str, str]
    digests: frozenset[str]
    ran_on: str | None


@st.composite
def _clusters(draw: st.DrawFn) -> tuple[list[JSON], list[_Report]]:
    objects: list[JSON] = []
    reports: list[_Report] = []
    platforms = draw(st.lists(_ARCHITECTURES, max_size=3))
    for number, architecture in enumerate(platforms):
        images = []
        for repository, tag in draw(st.sets(_IMAGES, max_size=3)):
            digests = draw(st.sets(st.sampled_from((A, B)), max_size=2))
            elsewhere = draw(st.sampled_from(([], [f"mirror.example.com/a@{C}"])))
            spelled = draw(_spelled(repository, tag))
            images.append([*elsewhere, *(f"{repository}@{digest}" for digest in sorted(digests)), spelled])
            if digests:
                reports.append(_Report((repository, tag), frozenset(digests), None))
        objects.append(node(f"n{number}", architecture, *images))
    for number in range(draw(st.integers(0, 5))):
        repository, tag = draw(_IMAGES)
        digest = draw(st.sampled_from((A, A, B)))
        scheme = draw(st.sampled_from(("", "docker-pullable://")))
        image_id = draw(
            st.sampled_from((f"{scheme}{repository}@{digest}",) * 3 + (digest, f"mirror.example.com/a@{B}"))
        )
        on = draw(st.sampled_from([*range(len(platforms)), 99]))
        state, phase = draw(_STATES), draw(st.sampled_from(("Running", "Running", "Succeeded")))
        own = pod(f"p{number}", f"n{on}", draw(_spelled(repository, tag)), image_id, state=state)
        own["status"]["phase"] = phase
        objects.append(own)
        if image_id.endswith(f"{repository}@{digest}") and phase == "Running":
            platform = platforms[on] if on < len(platforms) else ""
            has_run = platform if "waiting" not in state else ""
            reports.append(_Report((repository, tag), frozenset({digest}), has_run or None))
    return objects, reports


@given(_clusters())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_digest_is_contradicted(cluster: tuple[list[JSON], list[_Report]]) -> None:
    """An image is pinned if, and only if, all reports of it allow one digest, and that serves all nodes."""
    objects, reports = cluster
    reported = _read(objects)
    architectures = {entry["status"]["nodeInfo"]["architecture"] for entry in objects if entry["kind"] == "Node"}
    wanted = {(repository, tag): f"{repository}:{tag}" for repository in _REPOSITORIES for tag in ("latest", "main")}
    found = pins(ENGINE, wanted.values(), reported, "tag@digest")
    for image, name in wanted.items():
        own = [report for report in reports if report.image == image]
        agreed = frozenset.intersection(*(report.digests for report in own)) if own else frozenset()
        ran_on = {report.ran_on for report in own if report.ran_on}
        serves_all = len(ran_on) > 1 or (len(architectures) == 1 and "" not in architectures)
        pin = found[name]
        expected = f"{name}@{min(agreed)}" if len(agreed) == 1 and serves_all else None
        assert (pin.reference if isinstance(pin, Pin) else None) == expected


def _read(objects: list[JSON]) -> Reported:
    # An object that is of no interest keeps the snapshot from being refused as empty.
    empty = pod("none", "", "none", "")
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": [*objects, empty]})
    return read_reported(ENGINE, ["-"], io.BytesIO(text.encode()))


def test_a_constraint_that_wants_another_policy(tmp_path: Path, make: Callable[..., Path], checkout: Path) -> None:
    config = (checkout / "pullguard.yaml").read_text() + (
        "policies:\n  protected_pull_policy:\n    parameters: {allowedPolicies: [Never]}\n"
    )
    library = str(make(config, rego=checkout / "rego"))
    file = tmp_path / "m.yaml"
    text = f"{HEAD}  - name: a\n    image: {APP}:main\n"
    file.write_text(text)
    report = fix([str(file)], library=library, pin=[dump(tmp_path, SNAPSHOT)])
    assert [entry[2] for entry in left(report)] == ["its constraint wants another value: run the command again"]
    assert fix([str(file)], library=library).exit_code == 0
    assert file.read_text() == text.replace(":main", f":main@{B}") + "    imagePullPolicy: Never\n"


def test_a_value_that_others_share_is_left_with_its_pull_policy(tmp_path: Path, library: str) -> None:
    file = tmp_path / "m.yaml"
    text = f"{HEAD}  - name: a\n    image: &i nginx\n    command: [*i]\n    imagePullPolicy: Always\n"
    file.write_text(text)
    report = fix([str(file)], library=library, pin=[dump(tmp_path, SNAPSHOT)])
    assert file.read_text() == text
    assert [(rule, bool(reason)) for _, rule, reason in left(report)] == [
        ("image-tag-missing", True),
        ("pull-policy-always", False),
    ]
