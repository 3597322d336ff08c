"""conftest judges what is built as well, and finds what the engine finds."""

from pathlib import Path

import pytest

from file_tree import write
from pullguard.check.command import check
from pullguard.core.inputs.build_options import BuildOptions, Kustomizations

pytestmark = pytest.mark.usefixtures("opa", "conftest_binary")

REAL = Path(__file__).parents[3] / "shared" / "charts"

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
      - {name: web, image: "example.com/web:v1", imagePullPolicy: Always}
"""

TEMPLATE = """\
apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Pod
  metadata: {name: "{{ randAlpha 5 }}"}
  spec:
    containers:
    - {name: web, image: "example.com/web:{{ .Values.tag }}", imagePullPolicy: IfNotPresent}
"""


@pytest.mark.parametrize("kustomizations", ["roots", "each", "off"])
def test_the_same_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kustomizations: Kustomizations) -> None:
    monkeypatch.chdir(tmp_path)
    write(
        tmp_path,
        {
            "base/kustomization.yaml": "resources: [web.yaml]\n",
            "base/web.yaml": DEPLOYMENT,
            "prod/kustomization.yaml": "namespace: kube-system\nnamePrefix: prod-\nresources: [../base]\n",
            "web/Chart.yaml": "apiVersion: v2\nname: web\nversion: 0.1.0\n",
            "web/values.yaml": "tag: latest\n",
            "web/templates/pod.yaml": TEMPLATE,
            "broken/kustomization.yaml": "resources: [nothing.yaml]\n",
            "plain.yaml": DEPLOYMENT.replace("shop", "kube-system"),
            "custom.yaml": "kind: Web\nspec: {containers: [{name: c, image: x}]}\n",
            "template.yaml": "{{ if }}\n",
        },
    )
    reports = [
        check(["."], library="builtin", engine=engine, builds=BuildOptions(kustomizations))
        for engine in ("opa", "conftest")
    ]
    assert reports[0] == reports[1]
    files = {found.file for found in reports[0].findings}
    assert files == {"plain.yaml", "web/values.yaml"} | ({"base/web.yaml"} if kustomizations != "off" else set())


def test_files_of_a_build_that_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"kustomization.yaml": "namespace: kube-system\nresources: [web.yaml]\n", "web.yaml": DEPLOYMENT})
    reports = [check([str(tmp_path / "web.yaml")], library="builtin", engine=engine) for engine in ("opa", "conftest")]
    assert reports[0] == reports[1]
    assert [found.object.namespace for found in reports[0].findings] == ["kube-system"]


@pytest.mark.parametrize("kind", ["helm", "kustomize"])
def test_real_ones(kind: str) -> None:
    if not REAL.exists():
        pytest.skip(f"the real charts and kustomizations are not in {REAL}")
    paths = sorted(map(str, (REAL / kind).iterdir()))[:4]
    reports = [check(paths, library="builtin", everywhere=True, engine=engine) for engine in ("opa", "conftest")]
    assert len(reports[0].findings) > 0
    assert reports[0] == reports[1]
