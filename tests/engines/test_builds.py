"""`check` with kustomizations and charts: what is built is judged, and findings stand in the files that decide."""

import io
import json
import subprocess
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from file_tree import write
from pullguard.check.command import check
from pullguard.check.formats import REPORTERS
from pullguard.core.findings import Finding, Report, Unjudged
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions
from pullguard.core.inputs.selection import Selection

pytestmark = pytest.mark.usefixtures("opa")

REAL = Path(__file__).parents[3] / "shared" / "charts"

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web
        image: example.com/web:v1
        imagePullPolicy: Always
"""

CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\n"

TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
spec:
  containers:
  - name: web
    image: example.com/web:{{ .Values.tag }}
    imagePullPolicy: {{ .Values.pullPolicy }}
"""


def overlays(folder: Path) -> None:
    write(
        folder,
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": DEPLOYMENT,
            "dev/kustomization.yaml": "namePrefix: dev-\nnamespace: dev\nresources: [../base]\n",
            "prod/Kustomization": "namePrefix: prod-\nnamespace: kube-system\nresources: [../base]\n",
            "beside.yaml": DEPLOYMENT.replace("name: web", "name: beside"),
        },
    )


def chart(folder: Path, **more: str) -> None:
    files = {"Chart.yaml": CHART, "values.yaml": "tag: v1\npullPolicy: Always\n", "templates/web.yaml": TEMPLATE}
    write(folder / "web", {**files, **{name.replace("__", "/"): text for name, text in more.items()}})


def brief(report: Report) -> list[str]:
    """Return findings by place, rule, object and what they are in."""
    return [
        " ".join((f"{found.file}:{found.line}", found.rule, found.object.name, *filter(None, [builds(found)])))
        for found in report.findings
    ]


def builds(found: Finding) -> str:
    return ",".join(build.path for build in found.builds)


def errors(report: Report) -> list[tuple[str, str]]:
    return [(problem.file, problem.message) for problem in report.errors]


def test_what_kustomizations_make_is_judged_and_the_rest_as_it_stands(folder: Path) -> None:
    overlays(folder)
    report = check(["."], library="builtin", everywhere=True)
    # One finding for all that use the base.
    assert brief(report) == [
        "base/web.yaml:11 pull-policy-always dev-web dev,prod",
        "beside.yaml:11 pull-policy-always beside",
    ]
    assert [(build.object.namespace, build.object.name) for build in report.findings[0].builds] == [
        ("dev", "dev-web"),
        ("kube-system", "prod-web"),
    ]
    assert (report.objects, report.files, report.exit_code("dryrun")) == (3, 5, 1)
    # Only that which goes to a protected namespace.
    assert brief(check(["base", "prod", "dev"], library="builtin")) == [
        "base/web.yaml:11 pull-policy-always prod-web prod"
    ]


@pytest.mark.parametrize(
    ("kustomizations", "built"),
    [("roots", ["dev,prod"]), ("each", ["base,dev,prod"]), ("off", [""])],
)
def test_which_kustomizations_are_built(folder: Path, kustomizations: Any, built: list[str]) -> None:
    overlays(folder)
    report = check(["base", "dev", "prod"], library="builtin", everywhere=True, builds=BuildOptions(kustomizations))
    assert [",".join(build.path for build in found.builds) for found in report.findings] == built


def test_the_outside_of_the_folder_is_read(folder: Path) -> None:
    overlays(folder)
    assert brief(check(["prod"], library="builtin")) == ["base/web.yaml:11 pull-policy-always prod-web prod"]
    absolute = check([str(folder / "prod")], library="builtin")
    assert brief(absolute) == [f"{folder}/base/web.yaml:11 pull-policy-always prod-web {folder}/prod"]


def test_a_kustomization_that_cannot_be_built(folder: Path) -> None:
    write(
        folder,
        {
            "a/kustomization.yaml": "resources: [web.yaml, nothing.yaml]\n",
            "a/web.yaml": DEPLOYMENT,
            "b/kustomization.yaml": "resources:\n- https://example.com/web.yaml\n",
        },
    )
    report = check(["."], library="builtin")
    # The files are judged as they stand.
    assert brief(report) == ["a/web.yaml:11 pull-policy-always web"]
    (first, reason), second = errors(report)
    assert first == "a/kustomization.yaml"
    assert reason.startswith("kustomize cannot build it: accumulating resources from 'nothing.yaml': ")
    assert second == (
        "b/kustomization.yaml",
        "kustomize cannot build it: it needs https://example.com/web.yaml, which is remote, and nothing is fetched",
    )
    assert report.exit_code("dryrun") == 2


def test_a_chart(folder: Path) -> None:
    chart(folder, values__schema="", crds__a="")
    report = check(["web"], library="builtin")
    assert brief(report) == ["web/values.yaml:2 pull-policy-always release-name web"]
    (found,) = report.findings
    assert [(value.key, value.is_tag) for value in found.values] == [("pullPolicy", False)]
    assert found.template is not None
    assert (found.template.file, found.template.line) == ("web/templates/web.yaml", 9)
    assert found.namespace_assumed
    assert errors(report) == []


def test_what_is_said_of_values(folder: Path) -> None:
    chart(folder)
    report = check(["web"], library="builtin")
    text, sarif, value = (rendered(report, name) for name in ("text", "sarif", "json"))
    assert (
        "  set pullPolicy, or --set pullPolicy=...\n  rendered by web/templates/web.yaml:9\n  in the chart web\n"
        in text
    )
    (result,) = json.loads(sarif)["runs"][0]["results"]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "web/values.yaml"
    assert [
        (
            place["physicalLocation"]["artifactLocation"]["uri"],
            place["physicalLocation"]["region"],
            place["message"]["text"],
        )
        for place in result["relatedLocations"]
    ] == [("web/templates/web.yaml", {"startLine": 9}, "the template that renders it")]
    (found,) = json.loads(value)["findings"]
    assert found["template"] == {"file": "web/templates/web.yaml", "line": 9}
    assert found["values"] == [{"key": "pullPolicy", "file": "web/values.yaml", "line": 2, "isTag": False}]
    assert found["builds"] == [
        {
            "kind": "chart",
            "path": "web",
            "installer": None,
            "object": {"apiVersion": "v1", "kind": "Pod", "namespace": "", "name": "release-name"},
            "container": {"list": "containers", "name": "web", "index": 0},
            "hook": None,
        }
    ]


def rendered(report: Report, name: str) -> str:
    stream = io.StringIO()
    REPORTERS[name](report, stream)
    return stream.getvalue()


def test_options_of_charts(folder: Path) -> None:
    text = TEMPLATE.replace(
        "spec:",
        '  labels: {k: "{{ .Capabilities.KubeVersion }}", a: "{{ .Capabilities.APIVersions.Has "x/v1" }}"}\nspec:',
    )
    chart(folder, templates__web="", **{"templates/web.yaml": text})
    write(folder, {"mine.yaml": "pullPolicy: IfNotPresent\ntag: latest\n"})
    options = ChartOptions(["mine.yaml"], ["tag=v2"], "1.30", ["x/v1"], "mine")
    assert brief(check(["web"], library="builtin", builds=BuildOptions(charts=options))) == []
    options = ChartOptions(["mine.yaml"], ["pullPolicy=Always"], release_name="mine")
    report = check(["web"], library="builtin", namespace="kube-system", builds=BuildOptions(charts=options))
    assert brief(report) == [
        "web/templates/web.yaml:10 pull-policy-always mine web",
        "mine.yaml:2 image-tag-floating mine web",
    ]
    assert {found.object.namespace for found in report.findings} == {"kube-system"}


def test_a_chart_that_needs_values(folder: Path) -> None:
    chart(
        folder,
        **{
            "templates/web.yaml": TEMPLATE.replace(".Values.tag", 'required "say which" .Values.image'),
            "values.yaml": "a: 1\n",
        },
    )
    report = check(["web"], library="builtin")
    reason = "execution error at (web/templates/web.yaml:8:30): say which; state values with --values"
    assert errors(report) == [("web/Chart.yaml", f"Helm cannot render it: {reason}")]
    write(folder, {"web/ci/some-values.yaml": "image: v1\npullPolicy: Always\n"})
    report = check(["web"], library="builtin")
    assert brief(report) == ["web/ci/some-values.yaml:2 pull-policy-always release-name web"]
    assert "the chart web needs values: it is rendered with those of web/ci/some-values.yaml" in report.notes


def test_subcharts_that_are_not_there(folder: Path) -> None:
    chart(folder, **{"Chart.yaml": CHART + "dependencies: [{name: db, version: 1.0.0}]\n"})
    report = check(["web"], library="builtin")
    assert len(report.findings) == 1
    message = "the chart web is judged without db: the subchart is not in charts/: `helm dependency build` fetches it"
    assert report.unjudged[0] == Unjudged("not-rendered", 1, ("web",), None, message)


def test_what_belongs_to_a_chart_is_not_judged_alone(folder: Path) -> None:
    chart(
        folder,
        **{
            "values.yaml": "tag: v1\npullPolicy: IfNotPresent\n",
            "files/a.yaml": DEPLOYMENT,
            ".helmignore": "examples/\n",
            "examples/a.yaml": DEPLOYMENT,
            "charts/db/Chart.yaml": CHART.replace("web", "db"),
            "charts/db/templates/a.yaml": DEPLOYMENT,
        },
    )
    report = check(["."], library="builtin")
    assert brief(report) == [
        "web/charts/db/templates/a.yaml:11 pull-policy-always web web",
        "web/examples/a.yaml:11 pull-policy-always web",
    ]


def test_crds_are_judged_as_they_stand(folder: Path) -> None:
    chart(folder, **{"crds/a.yaml": DEPLOYMENT.replace("name: web", 'name: "{{ a }}"')})
    assert brief(check(["web"], library="builtin")) == [
        "web/crds/a.yaml:11 pull-policy-always {{ a }}",
        "web/values.yaml:2 pull-policy-always release-name web",
    ]


def test_subcharts_that_stand_elsewhere(folder: Path) -> None:
    chart(folder, **{"Chart.yaml": CHART + "dependencies: [{name: db, repository: 'file://../db'}]\n"})
    db = {"Chart.yaml": CHART.replace("web", "db"), "values.yaml": "pullPolicy: Always\n", "templates/a.yaml": TEMPLATE}
    write(folder, {f"db/{name}": text.replace("Values.tag", "Release.Name") for name, text in db.items()})
    subprocess.run(["git", "init", "--quiet"], check=True)
    report = check(["."], library="builtin")
    assert brief(report) == [
        "db/values.yaml:1 pull-policy-always release-name db,web",
        "web/values.yaml:2 pull-policy-always release-name web",
    ]
    assert [[value.key for value in found.values] for found in report.findings] == [["pullPolicy"], ["pullPolicy"]]


def test_hooks_and_names_of_each_rendering(folder: Path) -> None:
    text = TEMPLATE.replace("{{ .Release.Name }}", 'a-{{ randAlphaNum 8 }}\n  annotations: {"helm.sh/hook": test}')
    chart(folder, **{"templates/web.yaml": text})
    first, second = (check(["web"], library="builtin") for _ in range(2))
    assert brief(first) == ["web/values.yaml:2 pull-policy-always a-* web"]
    assert [found.fingerprint for found in first.findings] == [found.fingerprint for found in second.findings]
    assert "Pod a-*, container web, Helm hook test" in rendered(first, "text")


def test_templates_that_render_what_cannot_be_read(folder: Path) -> None:
    chart(folder, **{"templates/broken.yaml": "kind: [\n"})
    report = check(["web"], library="builtin")
    assert len(report.findings) == 1
    reason = "not valid YAML: did not find expected node content; correct the document"
    assert errors(report) == [("web/templates/broken.yaml", f"what is built from it cannot be read: {reason}")]


def test_files_that_are_named_are_judged_as_in_the_whole(folder: Path) -> None:
    overlays(folder)
    chart(folder)
    subprocess.run(["git", "init", "--quiet"], check=True)
    everything = set(brief(check(["."], library="builtin", everywhere=True)))
    for file, own in {
        "base/web.yaml": ["base/web.yaml:11 pull-policy-always dev-web dev,prod"],
        "prod/Kustomization": ["base/web.yaml:11 pull-policy-always prod-web prod"],
        "web/templates/web.yaml": ["web/values.yaml:2 pull-policy-always release-name web"],
        "beside.yaml": ["beside.yaml:11 pull-policy-always beside"],
    }.items():
        found = brief(check([file], library="builtin", everywhere=True))
        assert found == own, file
        assert set(found) <= everything or file == "prod/Kustomization"


def test_what_has_changed_is_judged_as_in_the_whole(folder: Path) -> None:
    overlays(folder)
    chart(folder)
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "a")):
        subprocess.run([*git, *command], check=True)
    unchanged = check(["."], library="builtin", everywhere=True, selection=Selection(changed_since="HEAD"))
    assert brief(unchanged) == []
    write(
        folder,
        {
            "prod/Kustomization": "namePrefix: p-\nresources: [../base]\n",
            "web/values.yaml": "tag: v2\npullPolicy: Always\n",
        },
    )
    changed = check(["."], library="builtin", everywhere=True, selection=Selection(changed_since="HEAD"))
    assert brief(changed) == [
        "base/web.yaml:11 pull-policy-always p-web prod",
        "web/values.yaml:2 pull-policy-always release-name web",
    ]


def real(name: str) -> Iterator[dict[str, Any]]:
    file = REAL / name
    if not file.exists():
        pytest.skip(f"the real charts and kustomizations are not in {REAL}")
    with file.open(encoding="utf-8") as stream:
        yield from map(json.loads, stream)


def always(report: Report, target: Path) -> Counter[tuple[Any, ...]]:
    return Counter(
        (build.object.kind, build.object.name, build.container.list, build.container.index)
        for found in report.findings
        if found.rule == "pull-policy-always"
        for build in found.builds
        if build.container is not None and Path(build.path).is_relative_to(target)
    )


def expected(name: str) -> dict[str, Counter[tuple[Any, ...]]]:
    found: dict[str, Counter[tuple[Any, ...]]] = defaultdict(Counter)
    for row in real(name):
        own = found[row["target"]]
        if row["effective"] == "Always":
            own[row["kind"], row["name"], row["list"], row["index"]] += 1
    return found


@pytest.fixture(scope="module")
def charts() -> Report:
    """Return the report on all real charts."""
    paths = [str(REAL / "helm" / target) for target in expected("helm-expected.jsonl")]
    options = BuildOptions(charts=ChartOptions(release_name="rel"))
    return check(paths, library="builtin", everywhere=True, namespace="kube-system", builds=options)


def test_real_charts(charts: Report) -> None:
    for target, rows in expected("helm-expected.jsonl").items():
        assert always(charts, REAL / "helm" / target) == rows, target
    assert charts.errors == ()


def test_real_kustomizations() -> None:
    rows = expected("kustomize-expected.jsonl")
    builds = {source["target"]: source["build"] for source in json.loads((REAL / "kustomize-sources.json").read_text())}
    report = check(
        [str(REAL / "kustomize" / target / builds[target]) for target in rows], library="builtin", everywhere=True
    )
    for target, own in rows.items():
        assert always(report, REAL / "kustomize" / target) == own, target
    assert report.errors == ()


def test_keys_of_real_charts(charts: Report) -> None:
    for target, rows in json.loads((REAL / "helm-values-keys.json").read_text()).items():
        path = REAL / "helm" / target
        named = {
            (found.object.kind, found.object.name, found.container.list, found.container.index): found
            for found in charts.findings
            if found.rule == "pull-policy-always" and found.container is not None
            if Path(found.builds[0].path).is_relative_to(path)
        }
        for row in rows:
            found = named[row["kind"], row["name"], row["list"], row["index"]]
            keys = [value.key for value in found.values]
            assert set(row["keysThatEndAlways"]) <= set(keys), (target, row["name"])
            lines = {
                (str(path / key["file"]), key["line"]) for key in (*row["policyKeys"], *row["imageKeys"]) if key["file"]
            }
            if row["keysThatEndAlways"]:
                assert (found.file, found.line) in lines, (target, row["name"])
