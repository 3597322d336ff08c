"""`check` and `fix` with objects that install charts of the input: HelmReleases, HelmCharts and Applications."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from file_tree import write
from pullguard.check.command import check
from pullguard.core.findings import Report, Unjudged
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions
from pullguard.core.inputs.selection import Selection
from pullguard.fix.command import fix
from pullguard.judging.words import origin

pytestmark = pytest.mark.usefixtures("opa")

CHART = "apiVersion: v2\nname: web\nversion: 0.1.0\n"
VALUES = "tag: v1\nimage:\n  pullPolicy: IfNotPresent\n"
TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
spec:
  containers:
  - name: web
    image: example.com/web:{{ .Values.tag }}
    imagePullPolicy: {{ .Values.image.pullPolicy }}
"""
WEB = {"charts/web/Chart.yaml": CHART, "charts/web/values.yaml": VALUES, "charts/web/templates/web.yaml": TEMPLATE}

RELEASE = """\
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: kube-system}
spec:
  chart:
    spec:
      chart: ./charts/web
      sourceRef: {kind: GitRepository, name: apps}
  values:
    tag: v2
    image:
      pullPolicy: Always
"""
HELM_CHART = """\
apiVersion: helm.cattle.io/v1
kind: HelmChart
metadata: {name: edge, namespace: kube-system}
spec:
  chart: stable/web
  valuesContent: |-
    tag: v3

    image:
      pullPolicy: Always # here
"""
APPLICATION = """\
apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {name: shop, namespace: argocd}
spec:
  destination: {namespace: kube-system}
  source:
    path: charts/web
    helm: {}
"""
_SET = """\
helm:
      parameters:
      - {name: tag, value: v3}
      - name: image.pullPolicy
        value: Always
"""
_BOTH = """\
helm:
      valuesObject: {image: {pullPolicy: Never}}
      parameters: [{name: image.pullPolicy, value: Always}]
"""
KUSTOMIZATION = "namespace: kube-system\nresources: [release.yaml]\n"


def brief(report: Report) -> list[str]:
    """Return findings by place, rule, object and what they are in."""
    return [
        f"{found.file}:{found.line} {found.rule} {found.object.namespace}/{found.object.name} "
        + ", ".join(build.path for build in found.builds)
        for found in report.findings
    ]


def unjudged(report: Report) -> list[str]:
    return [each.message for each in report.unjudged if each.reason != "cluster"]


def judged(folder: Path, **files: str) -> Report:
    write(folder, WEB | {name.replace("__", "/") + ".yaml": text for name, text in files.items()})
    return check(["."], library="builtin")


def application(helm: dict[str, Any]) -> str:
    return APPLICATION.replace("helm: {}", f"helm: {json.dumps(helm)}")


@pytest.mark.parametrize("source", ["path", "name"])
def test_a_release_of_flux(folder: Path, source: str) -> None:
    text = RELEASE if source == "path" else RELEASE.replace("./charts/web", "web").replace("Git", "Helm")
    report = judged(folder, apps__web=text)
    assert brief(report) == [
        "apps/web.yaml:12 pull-policy-always kube-system/web charts/web (HelmRelease kube-system/web)"
    ]
    assert unjudged(report) == []
    (found,) = report.findings
    assert found.image == "example.com/web:v2"
    assert found.template is not None
    assert (found.template.file, found.template.line) == ("charts/web/templates/web.yaml", 10)
    # The chart by itself, and as it is installed.
    assert (report.objects, report.exit_code("dryrun")) == (3, 1)


def test_where_a_release_of_flux_goes(folder: Path) -> None:
    stated = RELEASE.replace("spec:\n  chart:", "spec:\n  targetNamespace: gatekeeper-system\n  chart:")
    (found,) = judged(folder, web=stated).findings
    assert (found.line, found.object.namespace, found.object.name) == (13, "gatekeeper-system", "gatekeeper-system-web")
    named = stated.replace("spec:\n  targetN", "spec:\n  releaseName: mine\n  targetN")
    assert [found.object.name for found in judged(folder, web=named).findings] == ["mine"]
    elsewhere = judged(folder, web=RELEASE.replace("kube-system", "shop"))
    assert brief(elsewhere) == []
    assert unjudged(elsewhere) == [
        "1 object in shop is not judged: its namespace is not protected (--everywhere judges it)"
    ]


@pytest.mark.parametrize("namespace", ["${NAMESPACE}", ""])
def test_a_namespace_that_is_not_known(folder: Path, namespace: str) -> None:
    text = RELEASE.replace(", namespace: kube-system", f', namespace: "{namespace}"' if namespace else "")
    (found,) = judged(folder, web=text).findings
    assert (found.line, found.object.namespace) == (12, "")
    (found,) = check(["."], library="builtin", namespace="kube-system").findings
    assert (found.line, found.object.namespace) == (12, "kube-system")


def test_what_the_chart_itself_says_is_one_finding(folder: Path) -> None:
    """Its line decides both."""
    text = RELEASE.replace("    image:\n      pullPolicy: Always\n", "")
    write(folder, WEB | {"charts/web/values.yaml": VALUES.replace("IfNotPresent", "Always"), "web.yaml": text})
    report = check(["."], library="builtin")
    assert brief(report) == [
        "charts/web/values.yaml:3 pull-policy-always /release-name charts/web, charts/web (HelmRelease kube-system/web)"
    ]
    # A release that states another policy changes nothing of the chart's own verdict.
    write(folder, {"web.yaml": RELEASE.replace("Always", "IfNotPresent")})
    assert brief(check(["."], library="builtin")) == [
        "charts/web/values.yaml:3 pull-policy-always /release-name charts/web"
    ]


def test_the_layout_of_a_flux_repository(folder: Path) -> None:
    """Values stand in the release of the base, and in the patch of an overlay."""
    write(
        folder,
        {
            "apps/base/kustomization.yaml": KUSTOMIZATION,
            "apps/base/release.yaml": RELEASE.replace(", namespace: kube-system", ""),
            "apps/prod/kustomization.yaml": "resources: [../base]\npatches: [{path: patch.yaml}]\n",
            "apps/prod/patch.yaml": "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web}\n"
            "spec:\n  values:\n    image:\n      # prod\n      pullPolicy: 'Always'\n",
            "apps/test/kustomization.yaml": "resources: [../base]\n",
        },
    )
    report = judged(folder)
    assert brief(report) == [
        (
            "apps/base/release.yaml:12 pull-policy-always kube-system/web "
            "charts/web (HelmRelease kube-system/web in apps/test)"
        ),
        (
            "apps/prod/patch.yaml:8 pull-policy-always kube-system/web "
            "charts/web (HelmRelease kube-system/web in apps/prod)"
        ),
    ]
    assert unjudged(report) == []


def test_a_chart_of_k3s(folder: Path) -> None:
    report = judged(folder, k3s=HELM_CHART)
    assert brief(report) == ["k3s.yaml:10 pull-policy-always kube-system/edge charts/web (HelmChart kube-system/edge)"]
    assert unjudged(report) == []
    target = HELM_CHART.replace("spec:\n", "spec:\n  targetNamespace: gatekeeper-system\n")
    assert [found.object.namespace for found in judged(folder, k3s=target).findings] == ["gatekeeper-system"]


def test_a_chart_of_k3s_with_settings_and_a_config(folder: Path) -> None:
    stated = HELM_CHART.replace("Always", "IfNotPresent")
    config = f"---\n{stated}".replace("HelmChart", "HelmChartConfig").replace("  chart: stable/web\n", "")
    report = judged(folder, k3s=stated, config=config.replace("IfNotPresent", "Always"))
    assert brief(report) == [
        "config.yaml:10 pull-policy-always kube-system/edge charts/web (HelmChart kube-system/edge)"
    ]
    assert unjudged(report) == []
    settings_ = stated.replace("spec:\n", "spec:\n  set:\n    image.pullPolicy: Always\n    tag: 7\n")
    (found,) = judged(folder, k3s=settings_, config=config).findings
    assert (found.file, found.line, found.image) == ("k3s.yaml", 6, "example.com/web:7")
    # That of another chart.
    other = config.replace("IfNotPresent", "Always").replace("edge", "other")
    report = judged(folder, k3s=stated, config=other)
    assert brief(report) == []
    assert unjudged(report) == [
        (
            "1 object is not judged: HelmChartConfig kube-system/other (config.yaml:2) holds a pull policy that says "
            "Always, in a string; check its chart with these values: `pullguard check --values FILE CHART`"
        )
    ]


@pytest.mark.parametrize(
    ("helm", "line"),
    [
        ("helm:\n      values: 'image: {'\n", None),
        ("helm:\n      values: |\n        tag: x\n        image: {pullPolicy: Always}\n", 11),
        ('helm:\n      values: "image: {pullPolicy: Always}"\n', 9),
        ("helm:\n      valuesObject:\n        image:\n          pullPolicy: Always\n", 11),
        # The object takes the place of the text.
        ("helm:\n      values: 'a: ['\n      valuesObject: {image: {pullPolicy: Always}}\n", 10),
        (_SET, 12),
        (_BOTH, 10),
    ],
)  # fmt: skip
def test_an_application_of_argo_cd(folder: Path, helm: str, line: int | None) -> None:
    report = judged(folder, app=APPLICATION.replace("helm: {}\n", helm))
    if line is None:
        (error,) = report.errors
        assert error.message.startswith("Helm cannot render charts/web as Application argocd/shop installs it: ")
        assert (error.file, error.line, report.exit_code("dryrun")) == ("app.yaml", 1, 2)
        return
    assert brief(report) == [
        f"app.yaml:{line} pull-policy-always kube-system/shop charts/web (Application argocd/shop)"
    ]
    assert unjudged(report) == []


def test_an_application_with_several_sources_and_files_of_values(folder: Path) -> None:
    sources = [
        {"path": "charts/web", "helm": {"releaseName": "one", "valueFiles": ["prod.yaml", "../shared.yaml"]}},
        {
            "chart": "web",
            "helm": {"releaseName": "two", "valueFiles": ["$here/x.yaml", "../../../x.yaml", "gone.yaml"]},
        },
        {"ref": "here"},
        {"path": "plain"},
    ]
    text = APPLICATION.replace("  source:\n    path: charts/web\n    helm: {}\n", f"  sources: {json.dumps(sources)}\n")
    write(folder.parent, {"x.yaml": "image: {pullPolicy: Always}\n"})
    write(
        folder,
        {
            ".git/HEAD": "",
            "charts/web/prod.yaml": "tag: v5\nimage: {pullPolicy: Never}\n",
            "charts/shared.yaml": "# for all\nimage: {pullPolicy: Always}\n",
            "plain/pod.yaml": "a: b\n",
        },
    )
    report = judged(folder, app=text)
    assert brief(report) == [
        "charts/shared.yaml:2 pull-policy-always kube-system/one charts/web (Application argocd/shop)"
    ]
    assert report.findings[0].image == "example.com/web:v5"
    second = "the chart charts/web (Application argocd/shop #2) is judged without"
    assert unjudged(report) == [
        f"{second} spec.sources[1].helm.valueFiles: $here/x.yaml",
        f"{second} valueFiles: ../../../x.yaml",
        f"{second} valueFiles: gone.yaml",
    ]


def test_the_chart_of_a_file_that_is_named(folder: Path) -> None:
    """As pre-commit names it; in the folder alone, the chart is not in the input."""
    write(folder, WEB | {".git/HEAD": "", "apps/release.yaml": RELEASE})
    found = ["apps/release.yaml:12 pull-policy-always kube-system/web charts/web (HelmRelease kube-system/web)"]
    whole = check(["."], library="builtin")
    assert brief(whole) == found
    assert brief(check(["apps/release.yaml"], library="builtin")) == found
    assert brief(check(["apps"], library="builtin")) == []


@pytest.mark.parametrize("chart", ["../charts/web", "charts", "link", "link/web", "/"])
def test_no_other_folder_is_taken_for_a_chart(folder: Path, chart: str) -> None:
    write(folder, {f"repo/{name}": text for name, text in WEB.items()})
    write(folder, {"repo/.git/HEAD": "", "repo/app.yaml": RELEASE.replace("./charts/web", chart)})
    write(folder, {f"outside/{name}": text for name, text in WEB.items()})
    (folder / "repo/link").symlink_to(folder / "outside/charts")
    report = check(["repo/app.yaml"], library="builtin")
    assert (brief(report), report.errors) == ([], ())


def test_an_app_of_apps(folder: Path) -> None:
    """A chart whose templates are Applications, one of which installs it again."""
    apps = {
        "apps/Chart.yaml": CHART.replace("web", "apps"),
        "apps/values.yaml": "policy: Always\n",
        "apps/templates/web.yaml": application({"valuesObject": {"image": {"pullPolicy": "{{ .Values.policy }}"}}}),
        "apps/templates/self.yaml": APPLICATION.replace("charts/web", "apps").replace("shop", "{{ .Release.Name }}-x"),
    }
    write(folder, apps)
    report = judged(folder, root=APPLICATION.replace("charts/web", "apps").replace("shop", "root"))
    chart = "charts/web (Application argocd/shop in apps"
    assert brief(report) == [
        (
            "apps/values.yaml:1 pull-policy-always kube-system/shop "
            f"{chart}), {chart} (Application argocd/release-name-x in apps)), "
            f"{chart} (Application argocd/root))"
        )
    ]
    assert unjudged(report) == [
        (
            "what Application argocd/release-name-x-x in apps (Application argocd/release-name-x in apps) "
            "(apps/templates/self.yaml:1) installs is not judged: the chart apps installs itself"
        ),
        (
            "what Application argocd/root-x in apps (Application argocd/root) (apps/templates/self.yaml:1) installs "
            "is not judged: the chart apps installs itself"
        ),
    ]


@pytest.mark.parametrize(
    ("more", "unknown"),
    [
        ("valuesFrom: [{kind: ConfigMap, name: a}, {kind: Secret, name: b, targetPath: image.pullPolicy}]",
         ["spec.valuesFrom: ConfigMap a", "spec.valuesFrom: Secret b"]),
        ("postRenderers: [{kustomize: {}}]", ["spec.postRenderers"]),
    ],
)  # fmt: skip
def test_values_that_are_elsewhere_are_named(folder: Path, more: str, unknown: list[str]) -> None:
    report = judged(folder, web=RELEASE.replace("spec:\n  chart:", f"spec:\n  {more}\n  chart:"))
    assert len(report.findings) == 1
    assert unjudged(report) == [
        f"the chart charts/web (HelmRelease kube-system/web) is judged without {each}" for each in unknown
    ]
    assert report.unjudged[0] == Unjudged(
        "not-rendered", 1, ("charts/web (HelmRelease kube-system/web)",), None, unjudged(report)[0]
    )


def test_files_of_values_and_secrets_of_charts_are_named(folder: Path) -> None:
    flux = RELEASE.replace("      sourceRef", "      valuesFiles: [prod.yaml]\n      sourceRef")
    k3s = HELM_CHART.replace("spec:\n", "spec:\n  valuesSecrets: [{name: a, keys: [b]}]\n")
    argo = application({"fileParameters": [{"name": "config", "path": "files/x"}]})
    assert unjudged(judged(folder, flux=flux, k3s=k3s, argo=argo)) == [
        "the chart charts/web (Application argocd/shop) is judged without spec.source.helm.fileParameters: config",
        "the chart charts/web (HelmChart kube-system/edge) is judged without spec.valuesSecrets: a",
        "the chart charts/web (HelmRelease kube-system/web) is judged without spec.chart.spec.valuesFiles",
    ]


def test_a_chart_that_is_not_in_the_input_or_not_known(folder: Path) -> None:
    note = (
        "1 object is not judged: HelmRelease kube-system/web (web.yaml:1) holds a pull policy that says Always; "
        "check its chart with these values: `pullguard check --values FILE CHART`"
    )
    for chart in ("./charts/other", "../charts/web", "charts", "/etc"):
        assert unjudged(judged(folder, web=RELEASE.replace("./charts/web", chart))) == [note], chart
    by_name = RELEASE.replace("./charts/web", "web").replace("Git", "Helm")
    write(folder, {"old/web/Chart.yaml": CHART, "old/web/templates/web.yaml": TEMPLATE, "old/web/values.yaml": VALUES})
    report = judged(folder, web=by_name)
    assert brief(report) == []
    assert unjudged(report) == [
        (
            "what HelmRelease kube-system/web (web.yaml:1) installs is not judged: "
            "its chart may be any of charts/web, old/web"
        )
    ]
    # In a repository, paths begin at its root.
    write(folder, {"sub/.git/HEAD": "", "sub/web.yaml": RELEASE})
    assert unjudged(check(["charts", "sub"], library="builtin")) == [note.replace("(web.yaml", "(sub/web.yaml")]


def test_a_chart_that_needs_values_which_an_object_has(folder: Path) -> None:
    write(folder, WEB | {"charts/web/values.yaml": "# none\n"})
    alone = check(["."], library="builtin")
    assert [(error.file, alone.exit_code("dryrun")) for error in alone.errors] == [("charts/web/Chart.yaml", 2)]
    write(folder, {"web.yaml": RELEASE})
    report = check(["."], library="builtin")
    assert report.errors == ()
    assert brief(report) == ["web.yaml:12 pull-policy-always kube-system/web charts/web (HelmRelease kube-system/web)"]
    assert (
        "the chart charts/web needs values: it is judged with those that objects state, "
        "as charts/web (HelmRelease kube-system/web)"
    ) in report.notes


def test_options_of_users_are_for_charts_by_themselves(folder: Path) -> None:
    """Those about the cluster count all the same."""
    template = TEMPLATE.replace("spec:", '  labels: {k: "{{ .Capabilities.KubeVersion }}"}\nspec:')
    kube = template.replace(
        "{{ .Values.image", '{{ eq .Capabilities.KubeVersion.Minor "30" | ternary "Always" .Values.image'
    )
    write(folder, WEB | {"charts/web/templates/web.yaml": kube, "web.yaml": RELEASE.replace("Always", "Never")})
    for version, expected in (("1.30", ["release-name", "web"]), ("1.31", ["release-name"])):
        options = ChartOptions((), ("image.pullPolicy=Always",), version)
        report = check(["."], library="builtin", builds=BuildOptions(charts=options))
        assert sorted(build.object.name for found in report.findings for build in found.builds) == expected


def test_what_has_changed_is_judged_as_in_the_whole(folder: Path) -> None:
    git = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
    judged(folder, web=RELEASE.replace("    image:\n      pullPolicy: Always\n", ""), other=HELM_CHART)
    for command in (("init", "--quiet"), ("add", "."), ("commit", "--quiet", "-m", "a")):
        subprocess.run([*git, *command], check=True)

    def changed() -> list[str]:
        return brief(check(["."], library="builtin", selection=Selection(changed_since="HEAD")))

    assert changed() == []
    write(folder, {"other.yaml": HELM_CHART.replace("v3", "v4")})
    own = ["other.yaml:10 pull-policy-always kube-system/edge charts/web (HelmChart kube-system/edge)"]
    assert changed() == own
    # The chart has changed, so that what installs it is judged as well.
    write(folder, {"charts/web/values.yaml": VALUES.replace("IfNotPresent", "Always")})
    everything = brief(check(["."], library="builtin"))
    assert changed() == everything
    assert len(everything) == 2


@pytest.mark.parametrize("odd", [None, 7, "x", [], ["x", {}], {"x": []}])
def test_objects_that_the_api_server_would_refuse(folder: Path, odd: object) -> None:
    """Whatever stands there, it is a chart that is not in the input, or no value of it; or Helm says what is wrong."""
    objects = []
    for text, paths in {
        RELEASE: ["spec", "spec.chart", "spec.chart.spec.sourceRef", "spec.values", "spec.valuesFrom", "metadata"],
        HELM_CHART: ["spec", "spec.chart", "spec.set", "spec.valuesContent", "spec.valuesSecrets"],
        application({}): ["spec", "spec.source", "spec.sources", "spec.source.path", "spec.source.helm"],
        application({"values": "a: b"}): [
            *(f"spec.source.helm.{key}" for key in ("valueFiles", "valuesObject", "parameters", "fileParameters")),
            "spec.destination",
        ],
    }.items():
        for path in paths:
            obj = yaml.safe_load(text)
            *above, last = path.split(".")
            inside = obj
            for key in above:
                inside = inside[key]
            inside[last] = odd
            objects.append(obj)
    report = judged(folder, all=yaml.safe_dump_all(objects))
    assert all("Helm cannot render charts/web as" in error.message for error in report.errors)
    assert {found.rule for found in report.findings} == {"pull-policy-always"}


def test_conftest_says_the_same(folder: Path) -> None:
    write(
        folder,
        WEB
        | {"a.yaml": RELEASE, "b.yaml": HELM_CHART, "c.yaml": application({"values": "image: {pullPolicy: Always}"})},
    )
    by_opa, by_conftest = (check(["."], library="builtin", engine=engine) for engine in ("opa", "conftest"))
    assert len(by_opa.findings) == 3
    assert brief(by_conftest) == brief(by_opa)


def test_words(folder: Path) -> None:
    """--set is not for what an object installs."""
    (found,) = judged(folder, web=RELEASE).findings
    assert found.builds[0].installer == "HelmRelease kube-system/web"
    assert list(origin(found)) == [
        "set image.pullPolicy",
        "rendered by charts/web/templates/web.yaml:10",
        "in the chart charts/web (HelmRelease kube-system/web)",
    ]


def test_fix_says_what_decides(folder: Path) -> None:
    write(folder, WEB | {"web.yaml": RELEASE, "k3s.yaml": HELM_CHART})
    report = fix(["."], library="builtin")
    assert report.changes == ()
    assert [left.reason for left in report.left] == [
        "HelmChart kube-system/edge decides it: change the value at k3s.yaml:10",
        "HelmRelease kube-system/web decides it: change the value at web.yaml:12",
    ]


def test_fix_of_what_a_chart_decides(folder: Path) -> None:
    """It mends the chart by itself and as it is installed, unless that goes where nothing is to change."""
    values = "# values\r\ntag: v1\r\nimage: { pullPolicy: 'Always' } # all\r\n"
    text = RELEASE.replace("    image:\n      pullPolicy: Always\n", "")
    write(folder, WEB | {"charts/web/values.yaml": values, "web.yaml": text})
    report = fix(["."], library="builtin", namespace="kube-system")
    assert (folder / "charts/web/values.yaml").read_bytes() == values.replace("Always", "IfNotPresent").encode()
    assert (report.left, report.exit_code) == ((), 0)
    assert (folder / "web.yaml").read_text() == text
    assert brief(check(["."], library="builtin", namespace="kube-system")) == []
    write(folder, {"charts/web/values.yaml": values, "web.yaml": text.replace("kube-system", "shop")})
    report = fix(["."], library="builtin", namespace="kube-system")
    assert [left.reason for left in report.left] == [
        (
            "image.pullPolicy in charts/web/values.yaml also decides spec.containers[0].imagePullPolicy of Pod web in "
            "charts/web (HelmRelease shop/web), which is to stay: set it in the template, by hand"
        )
    ]


_POLICIES = st.sampled_from(["Always", "IfNotPresent", "Never"])
_STATED = st.fixed_dictionaries(
    {},
    optional={
        "tag": st.sampled_from(["v1", "latest", "1.10"]),
        "image": st.fixed_dictionaries({"pullPolicy": _POLICIES}),
    },
)


def _flux(values: dict[str, Any]) -> str:
    release = yaml.safe_load(RELEASE)
    release["spec"]["values"] = values
    return yaml.safe_dump(release)


def _k3s(values: dict[str, Any]) -> str:
    chart = yaml.safe_load(HELM_CHART)
    chart["metadata"]["name"] = "web"
    chart["spec"]["valuesContent"] = yaml.safe_dump(values)
    return yaml.safe_dump(chart, default_style="|")


def _argo(values: dict[str, Any]) -> str:
    return yaml.safe_dump(yaml.safe_load(application({"valuesObject": values}).replace("shop", "web")))


@pytest.mark.hypothesis
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=_STATED, default=_POLICIES, write_as=st.sampled_from([_flux, _k3s, _argo]))
def test_an_object_is_judged_as_its_values_would_be(
    folder: Path, values: dict[str, Any], default: str, write_as: Callable[[dict[str, Any]], str]
) -> None:
    """The same as --values, but for the place: a value of the object stands on the line that has it."""
    write(folder, WEB | {"charts/web/values.yaml": VALUES.replace("IfNotPresent", default)})
    write(folder, {"object/object.yaml": write_as(values), "values.yaml": yaml.safe_dump(values)})
    options = BuildOptions(charts=ChartOptions(("values.yaml",), release_name="web"))
    alone = check(["charts"], library="builtin", namespace="kube-system", builds=options)
    installed = check(["charts", "object"], library="builtin", namespace="kube-system")
    lines = {
        name: (folder / name).read_text().splitlines()
        for name in ("values.yaml", "object/object.yaml", "charts/web/values.yaml", "charts/web/templates/web.yaml")
    }

    def said(report: Report, own: str) -> list[tuple[str, ...]]:
        return sorted(
            (
                found.rule,
                "own" if found.file == own else found.file,
                lines[found.file][found.line - 1].strip(" {}'\","),
            )
            for found in report.findings
            for build in found.builds
            if build.installer or own == "values.yaml"
        )

    assert said(installed, "object/object.yaml") == said(alone, "values.yaml")
