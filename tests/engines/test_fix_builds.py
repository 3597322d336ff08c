"""`fix` with kustomizations and charts: what it edits, what it leaves, and what is built afterwards."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from file_tree import write
from fixable import LATEST
from pullguard import cli
from pullguard.check.command import check
from pullguard.core.findings import Report
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions
from pullguard.core.inputs.files import File
from pullguard.engine.builds import Build, built_text
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.fix.command import FixReport, fix
from shared_engine import ENGINE

pytestmark = pytest.mark.usefixtures("opa")

REAL = Path(__file__).parents[3] / "shared" / "charts"

# That of objects that state none: a policy is implied only where it is known that the namespace is protected.
NAMESPACE = "kube-system"

DEPLOYMENT = """\
# A comment.
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  template:
    spec:
      containers:
      - name: web # first
        image: example.com/web:v1 # pinned
        imagePullPolicy: 'Always' # why
"""
FIXED = DEPLOYMENT.replace("Always", "IfNotPresent")
UNSTATED = DEPLOYMENT.replace("        imagePullPolicy: 'Always' # why\n", "")
STATED = UNSTATED.replace("# pinned\n", "# pinned\n        imagePullPolicy: IfNotPresent\n")
IN_KUBE_SYSTEM = "namespace: kube-system\nresources: [../base]\n"
BASE = {"base/kustomization.yaml": "resources: [web.yaml]\n", "base/web.yaml": DEPLOYMENT}

PATCH = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec: {template: {spec: {containers: [{name: web, imagePullPolicy: "Always"}]}}}
"""
INLINE = """\
resources: [web.yaml]
patches:
- patch: |-
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: web}
    spec:
      template:
        spec:
          containers:
          - name: web
            imagePullPolicy: Always # here
- target: {kind: Deployment}
  patch: '[{"op": "add", "path": "/metadata/labels", "value": {"a": "b"}}]'
"""
OPERATIONS = """\
resources: [web.yaml]
patches:
- target: {kind: Deployment}
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/imagePullPolicy
      value: "Always"
"""
SIDECAR = """\
- op: add
  path: /spec/template/spec/containers/-
  value:
    name: proxy
    image: example.com/proxy:v1 # pinned
"""

CHART = {"web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n"}
TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata: {name: web}
spec:
  containers:
  - name: web
    image: example.com/web:v1
    imagePullPolicy: {{ .Values.image.pullPolicy }}
"""
VALUES = "# Values.\nimage: # of web\n  pullPolicy: 'Always' # why\n  tag: v1\nother: &x a\nmore: *x\n"
SUBCHART = {
    "web/Chart.yaml": CHART["web/Chart.yaml"]
    + "dependencies: [{name: db, version: 1.0.0, repository: 'https://a.b'}]\n",
    "web/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\n",
    "web/charts/db/values.yaml": "image: {pullPolicy: Always}\n",
    "web/charts/db/templates/a.yaml": TEMPLATE.replace("web", "db"),
}


# It is taken from nowhere, so that it belongs to the user.
OWN = {name: text.replace("repository: 'https://a.b'", "alias: store") for name, text in SUBCHART.items()}
HARD_CODED = TEMPLATE.replace("web", "db").replace("{{ .Values.image.pullPolicy }}", '"Always" # why')


@dataclass(frozen=True)
class Case:
    """Files, what becomes of some of them, and why what is left is left: the place, and the beginning of the reason."""

    files: dict[str, str]
    edited: dict[str, str] = field(default_factory=dict)
    left: tuple[str, ...] = ()
    fixed: int = 1
    paths: tuple[str, ...] = (".",)
    options: ChartOptions = field(default_factory=ChartOptions)
    kustomizations: Any = "roots"
    everywhere: bool = False


def chart(template: str, values: str | None = None, **more: str) -> dict[str, str]:
    files = {**CHART, "web/templates/web.yaml": template}
    return files | ({} if values is None else {"web/values.yaml": values}) | more


CASES = {
    # What decides is edited in a kustomization.
    "resource": Case(BASE, {"base/web.yaml": FIXED}),
    "resource of several": Case(
        {**BASE, "a/kustomization.yaml": IN_KUBE_SYSTEM, "b/kustomization.yaml": "namePrefix: b-\n" + IN_KUBE_SYSTEM},
        {"base/web.yaml": FIXED},
    ),
    "resource with other ends of lines": Case(
        {**BASE, "base/web.yaml": DEPLOYMENT.replace("\n", "\r\n")}, {"base/web.yaml": FIXED.replace("\n", "\r\n")}
    ),
    "resource as JSON": Case(
        {
            "kustomization.yaml": "resources: [web.json]\n",
            "web.json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},\n'
            ' "spec": {"containers": [{"name": "ä", "image": "x:1"}, {"name": "b", "image": "x:2"}]}}\n',
        },
        {
            "web.json": '{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"},\n'
            ' "spec": {"containers": [{"name": "ä", "image": "x:1", "imagePullPolicy": "IfNotPresent"},'
            ' {"name": "b", "image": "x:2", "imagePullPolicy": "IfNotPresent"}]}}\n'
        },
        fixed=2,
    ),
    "nothing stated": Case({**BASE, "base/web.yaml": UNSTATED}, {"base/web.yaml": STATED}),
    "nothing stated, and images:": Case(
        {
            "kustomization.yaml": "resources: [web.yaml]\nimages: [{name: example.com/web, newTag: v2}]\n",
            "web.yaml": UNSTATED,
        },
        {"web.yaml": STATED},
    ),
    "null": Case(
        {**BASE, "base/web.yaml": DEPLOYMENT.replace("'Always'", "null")},
        {"base/web.yaml": DEPLOYMENT.replace("'Always'", "IfNotPresent")},
    ),
    "image volume": Case(
        {
            "kustomization.yaml": "resources: [web.yaml]\n",
            "web.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n  - name: v\n    image:\n"
            f"      reference: x:1\n      pullPolicy: Always\n  - name: w\n    image:\n      reference: {LATEST}\n",
        },
        {
            "web.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n  - name: v\n    image:\n"
            "      reference: x:1\n      pullPolicy: IfNotPresent\n  - name: w\n    image:\n"
            f"      reference: {LATEST}\n      pullPolicy: IfNotPresent\n",
        },
        fixed=2,
    ),
    "patch": Case(
        {
            "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml}]\n",
            "web.yaml": FIXED,
            "p.yaml": PATCH,
        },
        {"p.yaml": PATCH.replace("Always", "IfNotPresent")},
    ),
    "patch in the kustomization": Case(
        {"kustomization.yaml": INLINE, "web.yaml": UNSTATED},
        {"kustomization.yaml": INLINE.replace("Always", "IfNotPresent")},
    ),
    "operation": Case(
        {"kustomization.yaml": OPERATIONS, "web.yaml": FIXED},
        {"kustomization.yaml": OPERATIONS.replace("Always", "IfNotPresent")},
    ),
    "container of a patch": Case(
        {
            "kustomization.yaml": "resources: [web.yaml]\npatches: [{path: p.yaml, target: {kind: Deployment}}]\n",
            "web.yaml": FIXED,
            "p.yaml": SIDECAR,
        },
        {"p.yaml": SIDECAR + "    imagePullPolicy: IfNotPresent\n"},
    ),
    "anchor": Case(
        {
            **BASE,
            "base/web.yaml": DEPLOYMENT.replace("'Always'", "&p Always")
            + "      - {name: b, image: 'b:1', imagePullPolicy: *p}\n",
        },
        {
            "base/web.yaml": DEPLOYMENT.replace("'Always'", "&p IfNotPresent")
            + "      - {name: b, image: 'b:1', imagePullPolicy: *p}\n"
        },
        fixed=2,
    ),
    # What stays in a kustomization.
    "anchor of something else": Case(
        {
            **BASE,
            "base/web.yaml": DEPLOYMENT.replace("'Always'", "&p Always")
            + "      - {name: b, image: 'b:main', imagePullPolicy: *p}\n",
        },
        left=(
            (
                "base/web.yaml:12 base/web.yaml:12 also decides spec.template.spec.containers[1].imagePullPolicy of "
                "Deployment web in base, which is to stay: set it by a patch where it is to change"
            ),
            "base/web.yaml:12 -",
        ),
    ),
    "what is clean in another overlay": Case(
        {
            **BASE,
            "dev/kustomization.yaml": "namespace: dev\nresources: [../base]\n",
            "prod/kustomization.yaml": IN_KUBE_SYSTEM,
        },
        left=(
            (
                "base/web.yaml:12 base/web.yaml:12 also decides spec.template.spec.containers[0].imagePullPolicy of "
                "Deployment web in dev, which is to stay: set it by a patch where it is to change"
            ),
        ),
    ),
    "what is not pinned in another overlay": Case(
        {
            **BASE,
            "a/kustomization.yaml": IN_KUBE_SYSTEM,
            "b/kustomization.yaml": IN_KUBE_SYSTEM + "images: [{name: example.com/web, newTag: main}]\n",
        },
        left=(
            (
                "base/web.yaml:12 the same place decides it where the image is not pinned: pin it there first, "
                "or set it apart"
            ),
        ),
    ),
    "base that is built by itself": Case(
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": UNSTATED.replace(":v1", ":main"),
            "prod/kustomization.yaml": IN_KUBE_SYSTEM + "images: [{name: example.com/web, newTag: v1}]\n",
        },
        kustomizations="each",
        left=(
            "base/web.yaml:11 -",
            (
                "prod/kustomization.yaml:3 base/web.yaml:10 also decides "
                "spec.template.spec.containers[0].imagePullPolicy of Deployment web in base, which is to stay: "
                "set it by a patch where it is to change"
            ),
        ),
    ),
    "outside": Case(
        {**BASE, "prod/kustomization.yaml": IN_KUBE_SYSTEM},
        paths=("prod",),
        left=(
            "base/web.yaml:12 base/web.yaml decides it, which is not among the files that you name: name it as well",
        ),
    ),
    "outside, and named": Case(
        {**BASE, "prod/kustomization.yaml": IN_KUBE_SYSTEM}, {"base/web.yaml": FIXED}, paths=("prod", "base/*.yaml")
    ),
    "replacement": Case(
        {
            "kustomization.yaml": "resources: [web.yaml, c.yaml]\nreplacements:\n"
            "- source: {kind: ConfigMap, fieldPath: data.p}\n"
            "  targets:\n  - select: {kind: Deployment}\n"
            "    fieldPaths: [spec.template.spec.containers.0.imagePullPolicy]\n",
            "web.yaml": DEPLOYMENT,
            "c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {p: Always}\n",
        },
        left=("web.yaml:12 something else decides it as well: edit it by hand",),
    ),
    # What decides is edited in a chart.
    "values": Case(chart(TEMPLATE, VALUES), {"web/values.yaml": VALUES.replace("Always", "IfNotPresent")}),
    "values with other ends of lines": Case(
        chart(TEMPLATE, "\ufeff" + VALUES.replace("\n", "\r\n")),
        {"web/values.yaml": "\ufeff" + VALUES.replace("\n", "\r\n").replace("Always", "IfNotPresent")},
    ),
    "one value for several": Case(
        chart(TEMPLATE + "  - {name: b, image: 'b:1', imagePullPolicy: {{ .Values.image.pullPolicy }}}\n", VALUES),
        {"web/values.yaml": VALUES.replace("Always", "IfNotPresent")},
        fixed=2,
    ),
    "anchor in values": Case(
        chart(TEMPLATE, "p: &p Always\nimage:\n  pullPolicy: *p\n"),
        {"web/values.yaml": "p: &p Always\nimage:\n  pullPolicy: IfNotPresent\n"},
    ),
    "values that are merged": Case(
        chart(TEMPLATE, "x: &x {pullPolicy: Always}\nimage:\n  <<: *x\n  tag: v1\n"),
        {"web/values.yaml": "x: &x {pullPolicy: Always}\nimage:\n  <<: *x\n  pullPolicy: IfNotPresent\n  tag: v1\n"},
    ),
    "values of an item": Case(
        chart(
            TEMPLATE.replace("web:v1\n    imagePullPolicy: {{ .Values.image.pullPolicy }}", "web:v1")
            + "    imagePullPolicy: IfNotPresent\n{{ toYaml .Values.extraImages | indent 2 }}\n",
            "extraImages:\n- name: b # second\n  image: b:1\n  imagePullPolicy: Always\n",
        ),
        {"web/values.yaml": "extraImages:\n- name: b # second\n  image: b:1\n  imagePullPolicy: IfNotPresent\n"},
    ),
    "value that no file states": Case(
        chart(
            TEMPLATE.replace(".Values.image.pullPolicy", '.Values.image.pullPolicy | default "Always"'),
            "image:\n  tag: v1 # a\n\n# Of more.\nmore: {}\n",
        ),
        {"web/values.yaml": "image:\n  tag: v1 # a\n  pullPolicy: IfNotPresent\n\n# Of more.\nmore: {}\n"},
    ),
    "file of --values": Case(
        chart(TEMPLATE, VALUES, **{"prod.yaml": "image: {pullPolicy: Always, tag: v2}\n"}),
        {"prod.yaml": "image: {pullPolicy: IfNotPresent, tag: v2}\n"},
        paths=("web",),
        options=ChartOptions(["prod.yaml"]),
    ),
    "literal in a template": Case(
        chart(TEMPLATE.replace("{{ .Values.image.pullPolicy }}", '"Always"  # why'), VALUES),
        {"web/templates/web.yaml": TEMPLATE.replace("{{ .Values.image.pullPolicy }}", '"IfNotPresent"  # why')},
    ),
    "nothing stated in a template": Case(
        chart(TEMPLATE.replace("    imagePullPolicy: {{ .Values.image.pullPolicy }}\n", ""), VALUES),
        {"web/templates/web.yaml": TEMPLATE.replace("{{ .Values.image.pullPolicy }}", "IfNotPresent")},
    ),
    "names of each rendering": Case(
        chart(TEMPLATE.replace("name: web}", "name: 'a-{{ randAlphaNum 8 }}'}"), VALUES),
        {"web/values.yaml": VALUES.replace("Always", "IfNotPresent")},
    ),
    "image volume in a chart": Case(
        chart(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  volumes:\n  - name: v\n    image:\n"
            "      reference: x:1\n      pullPolicy: {{ .Values.image.pullPolicy }}\n",
            VALUES,
        ),
        {"web/values.yaml": VALUES.replace("Always", "IfNotPresent")},
    ),
    # A subchart's default is overridden in the chart.
    "subchart": Case(
        {**SUBCHART, "web/values.yaml": "a: 1 # one\n# the end\n"},
        {"web/values.yaml": "a: 1 # one\ndb:\n  image:\n    pullPolicy: IfNotPresent\n# the end\n"},
    ),
    "subchart with values": Case(
        {**SUBCHART, "web/values.yaml": "db:\n    image:\n        tag: v1\n    auth:\n        a: 1\n\n# Next.\nb: 2"},
        {
            "web/values.yaml": "db:\n    image:\n        tag: v1\n        pullPolicy: IfNotPresent\n"
            "    auth:\n        a: 1\n\n# Next.\nb: 2"
        },
    ),
    "subchart without an image": Case(
        {**SUBCHART, "web/values.yaml": "db:\n    auth:\n        a: 1\n        b: [1]\n\n# Next.\nb: 2"},
        {
            "web/values.yaml": "db:\n    auth:\n        a: 1\n        b: [1]\n"
            "    image:\n      pullPolicy: IfNotPresent\n\n# Next.\nb: 2"
        },
    ),
    "subchart in braces": Case(
        {**SUBCHART, "web/values.yaml": "db: {} # nothing\nc: {a: b}\n"},
        {"web/values.yaml": "db: {image: {pullPolicy: IfNotPresent}} # nothing\nc: {a: b}\n"},
    ),
    "subcharts": Case(
        {
            **{name.replace("db", "dc"): text.replace("db", "dc") for name, text in SUBCHART.items()},
            **SUBCHART,
            "web/values.yaml": "# Nothing.\n",
        },
        {
            "web/values.yaml": "# Nothing.\ndb:\n  image:\n    pullPolicy: IfNotPresent\n"
            "dc:\n  image:\n    pullPolicy: IfNotPresent\n"
        },
        fixed=2,
    ),
    "subchart that stands elsewhere": Case(
        {
            **{
                name.replace("web/charts/", ""): text.replace("https://a.b", "file://../db")
                for name, text in SUBCHART.items()
            },
            "web/values.yaml": "db: {}\n",
            ".git/HEAD": "",
        },
        {"db/values.yaml": "image: {pullPolicy: IfNotPresent}\n"},
    ),
    "template of an own subchart": Case(
        {**OWN, "web/charts/db/templates/a.yaml": HARD_CODED, "web/values.yaml": "a: 1\n"},
        {"web/charts/db/templates/a.yaml": HARD_CODED.replace("Always", "IfNotPresent")},
    ),
    "template of an own subchart, unstated": Case(
        {
            **OWN,
            "web/charts/db/templates/a.yaml": TEMPLATE.replace(
                "    imagePullPolicy: {{ .Values.image.pullPolicy }}\n", ""
            ),
        },
        {"web/charts/db/templates/a.yaml": TEMPLATE.replace("{{ .Values.image.pullPolicy }}", "IfNotPresent")},
    ),
    "helper of an own library": Case(
        {
            **{name: text.replace("'https://a.b'", "''") for name, text in SUBCHART.items()},
            "web/charts/db/Chart.yaml": "apiVersion: v2\nname: db\nversion: 1.0.0\ntype: library\n",
            "web/charts/db/templates/a.yaml": "",
            "web/charts/db/templates/_p.tpl": '{{ define "container" }}\n- name: web\n  image: a:v1\n'
            "  imagePullPolicy: Always\n{{ end }}\n",
            "web/templates/a.yaml": "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n"
            '  {{- include "container" . | nindent 2 }}\n',
        },
        {
            "web/charts/db/templates/_p.tpl": '{{ define "container" }}\n- name: web\n  image: a:v1\n'
            "  imagePullPolicy: IfNotPresent\n{{ end }}\n",
        },
    ),
    "values of an own subchart": Case(OWN, {"web/charts/db/values.yaml": "image: {pullPolicy: IfNotPresent}\n"}),
    "values of a subchart of an own subchart": Case(
        {
            **{
                name.replace("web/charts", "web/charts/mid/charts").replace(
                    "web/Ch", "web/charts/mid/Ch"
                ): text.replace("'https://a.b'", "file://../elsewhere").replace("name: web", "name: mid")
                for name, text in SUBCHART.items()
            },
            "web/Chart.yaml": CHART["web/Chart.yaml"] + "dependencies: [{name: mid, version: 0.1.0}]\n",
        },
        {"web/charts/mid/charts/db/values.yaml": "image: {pullPolicy: IfNotPresent}\n"},
    ),
    "own subchart with an alias": Case(
        {**OWN, "web/values.yaml": "a: 1\n"},
        {"web/values.yaml": "a: 1\nstore:\n  image:\n    pullPolicy: IfNotPresent\n"},
    ),
    # What stays in a chart.
    "value that decides more": Case(
        chart(TEMPLATE + "  - {name: b, image: 'b:main', imagePullPolicy: {{ .Values.image.pullPolicy }}}\n", VALUES),
        left=(
            (
                "web/values.yaml:3 image.pullPolicy in web/values.yaml also decides "
                "spec.containers[1].imagePullPolicy of Pod web in web, which is to stay: "
                "set it in the template, by hand"
            ),
            "web/values.yaml:3 -",
        ),
    ),
    "--set": Case(
        chart(TEMPLATE, VALUES),
        options=ChartOptions(settings=["a=b,image.pullPolicy=Always"]),
        left=("web/templates/web.yaml:8 --set image.pullPolicy decides it: change it there",),
    ),
    "values of tests": Case(
        chart(TEMPLATE.replace(".Values.image", '(required "say which" .Values.image)'))
        | {"web/ci/a-values.yaml": "image: {pullPolicy: Always}\n"},
        left=(
            (
                "web/ci/a-values.yaml:1 the chart needs values, and those of its tests decide it: "
                "name those of the release with --values"
            ),
        ),
    ),
    "no file of values": Case(
        chart(TEMPLATE.replace(".Values.image.pullPolicy", '.Values.pullPolicy | default "Always"')),
        left=("web/templates/web.yaml:8 the chart has no values.yaml: state the value in a file of --values",),
    ),
    "template of a subchart": Case(
        {
            **SUBCHART,
            "web/charts/db/templates/a.yaml": TEMPLATE.replace("{{ .Values.image.pullPolicy }}", "Always"),
            "web/values.yaml": "a: 1\n",
        },
        left=(
            (
                "web/charts/db/templates/a.yaml:8 a template of the subchart db decides it, which Chart.yaml takes "
                "from https://a.b: change it there"
            ),
        ),
    ),
    "values of a subchart, and no file of values": Case(
        SUBCHART,
        left=(
            (
                "web/charts/db/values.yaml:1 a value of the subchart db decides it, which Chart.yaml takes "
                "from https://a.b: change it there, or state it in a values.yaml of the chart"
            ),
        ),
    ),
    "tag that decides": Case(
        chart(
            TEMPLATE.replace("web:v1", "web:{{ .Values.image.tag }}").replace(
                "{{ .Values.image.pullPolicy }}", '{{ if eq .Values.image.tag "v1" }}Always{{ else }}Never{{ end }}'
            ),
            VALUES,
        ),
        left=("web/values.yaml:4 no value that is a pull policy decides it: edit the template by hand",),
    ),
    "part of a line": Case(
        chart(TEMPLATE.replace("{{ .Values.image.pullPolicy }}", '{{ "Always" }}'), VALUES),
        left=("web/templates/web.yaml:8 the line of the template is not a plain entry: edit the template by hand",),
    ),
    "what else is rendered": Case(
        chart(
            TEMPLATE + "---\nkind: Web\nmetadata: {name: b}\nspec: {policy: {{ .Values.image.pullPolicy }}}\n", VALUES
        ),
        left=(
            (
                "web/values.yaml:3 image.pullPolicy in web/values.yaml also decides spec.policy of Web b in web, "
                "which is to stay: set it in the template, by hand"
            ),
        ),
    ),
}


def texts(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def left(report: FixReport) -> list[str]:
    return [f"{entry.finding.file}:{entry.finding.line} {entry.reason or '-'}" for entry in report.left]


@dataclass
class Run:
    """A run of `fix`, with the same options for `check` and for what is built."""

    paths: tuple[str, ...]
    builds: BuildOptions
    everywhere: bool

    def check(self) -> Report:
        return check(self.paths, **self._options)

    def fix(self, *, diff: bool = False) -> FixReport:
        return fix(self.paths, **self._options, diff=diff)

    @property
    def _options(self) -> dict[str, Any]:
        return {"library": "builtin", "everywhere": self.everywhere, "namespace": NAMESPACE, "builds": self.builds}

    def made(self, report: Report) -> dict[tuple[Any, ...], dict[tuple[Any, ...], Any]]:
        """Return the values in all objects that are built, by their paths, by build and position."""
        found = {}
        for build in report.builds:
            text, _ = built_text(ENGINE, Build(build.kind, build.path), self.builds.charts, NAMESPACE)
            for each in Inputs(ENGINE, [File("made.yaml", text)]):
                assert isinstance(each, Manifest), each
                found[build.path, each.document, each.item] = dict(leaves(each.object))
        return found


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict | list) and value:
        for key, entry in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(entry, (*path, key))
    else:
        yield path, value


def policies(report: Report) -> list[tuple[Any, ...]]:
    """Return what is found of pull policies, without places: lines move."""
    return sorted(
        (found.rule, built.path, str(built.object), str(built.container))
        for found in report.findings
        if found.policy == "protected_pull_policy"
        for built in found.builds
    )


def hold_to_what_is_built(run: Run) -> FixReport:
    """Fix, and hold what `check` finds and what is built afterwards to what was fixed."""
    before = run.check()
    made, again = run.made(before), run.made(before)
    report = run.fix()
    after = run.check()
    changed = run.made(after)
    assert changed.keys() == made.keys()
    mended = []
    for place, was in made.items():
        now = changed[place]
        for path in {*was, *now}:
            if was.get(path) != now.get(path) and was.get(path) == again[place].get(path):
                assert path[-1] in {"imagePullPolicy", "pullPolicy"}, (place, path)
                assert now[path] == "IfNotPresent"
                mended.append((place, path))
    assert len(mended) == sum(len(found.builds) for found in report.fixed)
    gone = [
        (found.rule, built.path, str(built.object), str(built.container))
        for found in report.fixed
        for built in found.builds
    ]
    rest = policies(before)
    for each in gone:
        rest.remove(each)
    assert policies(after) == rest
    assert len(report.left) == sum(found.policy == "protected_pull_policy" for found in after.findings)
    return report


@pytest.mark.parametrize("name", CASES)
def test_what_is_edited(folder: Path, name: str) -> None:
    case = CASES[name]
    write(folder, case.files)
    run = Run(case.paths, BuildOptions(case.kustomizations, case.options), case.everywhere)
    before = texts(folder)
    report = hold_to_what_is_built(run)
    assert left(report) == list(case.left)
    assert texts(folder) == before | {name: text.encode() for name, text in case.edited.items()}
    assert len(report.fixed) == (case.fixed if case.edited else 0)
    assert report.errors == ()
    assert report.exit_code == int(bool(case.left))
    # There is nothing more to do.
    assert run.fix().changes == ()


@pytest.mark.parametrize("name", CASES)
def test_diffs(folder: Path, name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    case = CASES[name]
    write(folder, case.files)
    subprocess.run(["git", "init", "--quiet"], check=True)
    before = texts(folder)
    arguments = [
        *("fix", "--diff", "--library=builtin", f"--namespace={NAMESPACE}", f"--kustomize={case.kustomizations}"),
        *(f"--values={file}" for file in case.options.values),
        *(f"--set={setting}" for setting in case.options.settings),
    ]
    assert cli.main([*arguments, *case.paths]) == 1
    diff = capfdbinary.readouterr().out
    assert texts(folder) == before
    if case.edited:
        subprocess.run(["git", "apply", "--whitespace=nowarn", "-"], input=diff, check=True)
    assert texts(folder) == before | {name: text.encode() for name, text in case.edited.items()}


def test_what_is_built_of_it_elsewhere_in_the_repository(folder: Path) -> None:
    write(
        folder,
        {
            **BASE,
            "prod/kustomization.yaml": IN_KUBE_SYSTEM,
            "dev/kustomization.yaml": "namespace: dev\nresources: [../base]\n",
            "broken/kustomization.yaml": "resources: [../base, nothing.yaml]\n",
        },
    )
    subprocess.run(["git", "init", "--quiet"], check=True)
    report = Run(("prod", "base"), BuildOptions(), everywhere=False).fix()
    (own,) = left(report)
    assert own == (
        "base/web.yaml:12 base/web.yaml:12 also decides spec.template.spec.containers[0].imagePullPolicy of "
        "Deployment web in dev, which is to stay: set it by a patch where it is to change"
    )
    (folder / "dev/kustomization.yaml").unlink()
    assert len(Run(("prod", "base"), BuildOptions(), everywhere=False).fix().fixed) == 1


def test_a_link_is_not_edited(folder: Path) -> None:
    write(folder, {"kustomization.yaml": "resources: [web.yaml]\n", "real/a.txt": DEPLOYMENT})
    (folder / "web.yaml").symlink_to("real/a.txt")
    report = Run((".",), BuildOptions(), everywhere=False).fix()
    (own,) = left(report)
    assert own.startswith("web.yaml:12 web.yaml is a link to ")


def test_a_file_that_cannot_be_written(folder: Path) -> None:
    write(folder, BASE)
    (folder / "base/web.yaml").chmod(0o444)
    report = Run((".",), BuildOptions(), everywhere=False).fix()
    assert [(problem.file, problem.message[:12]) for problem in report.errors] == [("base/web.yaml", "is read-only")]
    assert left(report) == ["base/web.yaml:12 its file could not be edited: see the error below"]


def test_packed_charts_are_not_edited(folder: Path) -> None:
    write(folder, chart(TEMPLATE, VALUES))
    subprocess.run(["tar", "czf", "web.tgz", "web"], check=True)
    shutil.rmtree("web")
    report = Run(("web.tgz",), BuildOptions(), everywhere=False).fix()
    assert left(report) == [
        "web.tgz:3 it stands in a packed chart, which is not edited: state the value in a file of --values"
    ]


@pytest.mark.parametrize(
    ("what", "line", "more"), [("template", 8, ""), ("value", 1, ", or state it in a values.yaml of the chart")]
)
def test_packed_subcharts_are_not_edited(folder: Path, what: str, line: int, more: str) -> None:
    """A value of one is overridden in the chart, if that has a file of values."""
    write(folder, OWN | ({"web/charts/db/templates/a.yaml": HARD_CODED} if what == "template" else {}))
    subprocess.run(["tar", "czf", "db-1.0.0.tgz", "db"], check=True, cwd="web/charts")
    shutil.rmtree("web/charts/db")
    run = Run(("web",), BuildOptions(), everywhere=False)
    (reason,) = left(run.fix())
    assert reason == (
        f"web/charts/db-1.0.0.tgz:{line} a {what} of db-1.0.0.tgz decides it, which is packed and not edited: "
        f"change it where that chart is made{more}"
    )
    write(folder, {"web/values.yaml": "a: 1\n"})
    assert len(run.fix().fixed) == (what == "value")


def test_namespaces_that_are_placeholders(folder: Path) -> None:
    """They were no reason to say that the file was changed meanwhile."""
    write(folder, {"a.yaml": DEPLOYMENT.replace("name: web\nspec", 'name: web\n  namespace: "${NS}"\nspec')})
    assert len(fix(["."], library="builtin").fixed) == 1


@pytest.mark.parametrize("kind", ["helm", "kustomize"])
def test_real_ones(folder: Path, kind: str) -> None:
    if not REAL.exists():
        pytest.skip(f"the real charts and kustomizations are not in {REAL}")
    shutil.copytree(REAL / kind, folder / kind)
    projects = sorted((folder / kind).iterdir())
    for file in (folder / kind).rglob("*"):
        file.chmod(0o755)
    options = BuildOptions(charts=ChartOptions(release_name="rel"))
    report = hold_to_what_is_built(Run(tuple(map(str, projects)), options, everywhere=True))
    found = Counter(entry.reason or "not pinned" for entry in report.left)
    found["fixed"] = len(report.fixed)
    assert (
        found
        == {
            "helm": {
                "fixed": 23,
                "not pinned": 14,
                "the line of the template is not a plain entry: edit the template by hand": 1,
            },
            "kustomize": {"fixed": 18, "not pinned": 39},
        }[kind]
    )
