"""`pullguard generate --kinds-from`: definitions of custom resources -> entries for pullguard.yaml."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from custom_resources import known
from pullguard import cli
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Location
from pullguard.core.inputs.problems import InputError
from pullguard.generate.formats.kinds import write
from pullguard.generate.kinds_from import KindsReport, kinds_from
from pullguard.library.config import parse
from pullguard.library.found_kinds import FoundKind
from pullguard.library.policies import read
from shared_engine import ENGINE

_STRING = {"type": "string"}
_CONTAINER = {
    "type": "object",
    "properties": {
        **dict.fromkeys(("name", "image", "imagePullPolicy"), _STRING),
        "command": {"type": "array", "items": _STRING},
    },
}


def _definition(kind: str, spec: dict[str, Any], group: str = "example.com") -> str:
    return f"""\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: {kind.lower()}s.{group}}}
spec:
  group: {group}
  names: {{kind: {kind}, plural: {kind.lower()}s}}
  versions:
    - name: v1
      served: true
      schema:
        openAPIV3Schema: {{type: object, properties: {{spec: {{type: object, properties: {json.dumps(spec)}}}}}}}
"""


_WIDGET = _definition("Widget", {"steps": {"type": "array", "items": _CONTAINER}, "image": _STRING})
_GADGET = _definition(
    "Gadget",
    {
        "image": _STRING,
        "imagePullPolicy": _STRING,
        "values": {"x-kubernetes-preserve-unknown-fields": True},
        "a.b": _CONTAINER,
    },
)
_PLAIN = _definition("Plain", {"part": {"type": "object", "properties": {"tag": _STRING, "pullPolicy": _STRING}}})
_POD_SPEC = {"type": "object", "properties": {"containers": {"type": "array", "items": _CONTAINER}}}
_ROLLOUT = _definition("Rollout", {"template": {"type": "object", "properties": {"spec": _POD_SPEC}}}, "argoproj.io")
_IMAGES = {"image": "spec.image", "policy": "spec.imagePullPolicy"}


def _texts(report: KindsReport) -> tuple[str, str]:
    output, errors = io.StringIO(), io.StringIO()
    write(report, output, errors)
    return output.getvalue(), errors.getvalue()


def test_entries(tmp_path: Path, checkout: Path) -> None:
    for number, text in enumerate([_WIDGET, f"{_GADGET}---\n{_PLAIN}", _ROLLOUT]):
        (tmp_path / f"{number}.yaml").write_text(text)
    report = kinds_from([str(tmp_path)])
    assert report == KindsReport(
        4,
        (
            FoundKind("argoproj.io", "Rollout", {"paths": ["spec.template.spec"]}, True, (), (), ()),
            FoundKind("example.com", "Gadget", {"images": [_IMAGES]}, False, ('spec["a.b"]',), (), ("spec.values",)),
            FoundKind("example.com", "Plain", {}, False, (), ("spec.part.pullPolicy",), ()),
            FoundKind("example.com", "Widget", {"containers": ["spec.steps[]"]}, False, (), (), ()),
        ),
        (),
    )
    assert report.exit_code == 0
    text, errors = _texts(report)
    assert errors == ""
    assert (
        text
        == """\
# From 4 definitions; pullguard.yaml: policies.NAME.parameters.customKinds
customKinds:
  - group: example.com
    kind: Gadget
    images:
      - image: spec.image
        policy: spec.imagePullPolicy
  - group: example.com
    kind: Widget
    containers:
      - "spec.steps[]"
# Judged without an entry: argoproj.io/Rollout
# Without an image, as far as the schemas say: example.com/Plain
# example.com/Gadget: no path can say where spec["a.b"] is
# example.com/Gadget: the schemas leave open what is in spec.values
# example.com/Plain: the images of spec.part.pullPolicy are written in parts, which no entry can say
"""
    )
    stated = {
        "protectedNamespaces": {"names": ["a"]},
        "policies": {"protected_pull_policy": {"parameters": yaml.safe_load(text)}},
    }
    parsed = parse(ENGINE, json.dumps(stated), "f.json", read(checkout / "rego", ENGINE).policies)
    assert parsed.policies["protected_pull_policy"].parameters["customKinds"] == yaml.safe_load(text)["customKinds"]


def test_what_is_known_stays_in_an_entry_that_says_more(tmp_path: Path) -> None:
    """An entry takes the place of what is known, and a schema may leave that open."""
    file = tmp_path / "crd.yaml"
    file.write_text(_definition("CloneSet", {"agent": _CONTAINER}, "apps.kruise.io"))
    (kind,) = kinds_from([str(file)]).kinds
    assert kind.entry == {"paths": known()["apps.kruise.io"]["CloneSet"]["paths"], "containers": ["spec.agent"]}
    assert not kind.is_known


@pytest.mark.parametrize(
    ("text", "line", "document", "message"),
    [
        ("a: [", 1, 0, None),
        (f"{_WIDGET}---\nkind: [\n", 13, 1, None),
        *(
            (
                _WIDGET.replace(old, new), 1, 0,
                "this CustomResourceDefinition lacks spec.group or spec.names.kind",
            )
            for old, new in (
                ("group: example.com", "group: 7"), ("kind: Widget", "kind: ''"), ("  names:", "  name:"),
            )
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read(tmp_path: Path, text: str, line: int, document: int, message: str | None) -> None:
    """Everything else is still read."""
    (tmp_path / "bad.yaml").write_text(text)
    (tmp_path / "good.yaml").write_text(_GADGET)
    report = kinds_from([str(tmp_path)])
    (error,) = report.errors
    assert (Path(error.file).name, error.document) == ("bad.yaml", document)
    assert message is None or (error.line, error.message) == (line, message)
    assert "Gadget" in [kind.kind for kind in report.kinds]
    assert report.exit_code == 2
    assert _texts(report)[1] == f"{error.file}:{error.line}: error: {error.message}\n"


def test_an_error_without_a_line() -> None:
    report = KindsReport(0, (), (InputError("the cluster", None, None, "it may not be read"),))
    assert _texts(report)[1] == "the cluster: error: it may not be read\n"


def test_no_definition(tmp_path: Path) -> None:
    (tmp_path / "pod.yaml").write_text("{apiVersion: v1, kind: Pod, metadata: {name: a}}")
    with pytest.raises(PullguardError) as raised:
        kinds_from([str(tmp_path)])
    assert str(raised.value) == (
        "there is no CustomResourceDefinition in the input; "
        "name files with some, or dump them with `kubectl get customresourcedefinitions -o json`"
    )


def test_patches_of_definitions(tmp_path: Path) -> None:
    """The layout that kubebuilder makes, with both forms of patches."""
    crd = tmp_path / "config" / "crd"
    head = (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.com\n"
    )
    files = {
        "bases/example.com_widgets.yaml": _WIDGET,
        "patches/cainjection_in_widgets.yaml": f"# comment\n{head}  annotations: {{inject-ca-from: a/b}}\n",
        "patches/webhook_in_widgets.yaml": f"{head}spec: {{conversion: {{strategy: Webhook}}}}\n",
        "patches/validation_in_widgets.yaml": "- {op: remove, path: /spec/versions/0/schema}\n",
        "kustomization.yaml": "resources: [bases/example.com_widgets.yaml]\nconfigurations: [kustomizeconfig.yaml]\n",
        "kustomizeconfig.yaml": "nameReference: [{kind: Service, version: v1, fieldSpecs: []}]\n",
    }
    for name, text in files.items():
        (crd / name).parent.mkdir(parents=True, exist_ok=True)
        (crd / name).write_text(text)
    report = kinds_from([str(crd)])
    cainjection, webhook = crd / "patches" / "cainjection_in_widgets.yaml", crd / "patches" / "webhook_in_widgets.yaml"
    assert report == KindsReport(
        1,
        (FoundKind("example.com", "Widget", {"containers": ["spec.steps[]"]}, False, (), (), ()),),
        (),
        (Location(str(cainjection), 2), Location(str(webhook), 1)),
    )
    assert (
        _texts(report)[0].splitlines()[-1]
        == f"# Passed over, because they are patches of definitions: {cainjection}:2, {webhook}:1"
    )
    with pytest.raises(PullguardError, match="there is no CustomResourceDefinition in the input"):
        kinds_from([str(crd / "patches")])


@pytest.mark.parametrize(("kubeconfig", "context"), [("admin.conf", None), (None, "prod")])
def test_files_beside_a_live_cluster(tmp_path: Path, kubeconfig: str | None, context: str | None) -> None:
    (tmp_path / "crd.yaml").write_text(_WIDGET)
    with pytest.raises(PullguardError) as raised:
        kinds_from([str(tmp_path)], kubeconfig=kubeconfig, context=context)
    assert str(raised.value) == (
        "files and a live cluster cannot be read at once; leave out the files, or --kubeconfig and --context"
    )


def test_names_that_a_terminal_would_obey(tmp_path: Path) -> None:
    (tmp_path / "crd.yaml").write_text(_PLAIN.replace("kind: Plain", 'kind: "Pl\\e[2Jain\\n##[error]"'))
    text, _ = _texts(kinds_from([str(tmp_path)]))
    assert "\x1b" not in text
    assert "##[" not in text
    assert all(line.startswith("#") for line in text.splitlines())


@pytest.mark.parametrize("answer", ["list", "forbidden"])
def test_the_live_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str
) -> None:
    """kubectl is a program that writes what kubectl would."""
    items: list[Any] = [yaml.safe_load(_WIDGET)]
    (tmp_path / "answer.json").write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}))
    refusal = 'Error from server (Forbidden): customresourcedefinitions.apiextensions.k8s.io is forbidden: User "u"'
    script = f"cat {tmp_path}/answer.json" if answer == "list" else f"echo '{refusal}' >&2; exit 1"
    kubectl = tmp_path / "kubectl"
    kubectl.write_text(
        "#!/bin/sh\n"
        'case "$*" in *config*) echo "{}" ;; *customresourcedefinitions*) ' + script + ";; *) echo '{}' ;; esac\n"
    )
    kubectl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    code = cli.main(["generate", "--kinds-from"])
    shown = capsys.readouterr()
    if answer == "list":
        assert (code, shown.err) == (0, "")
        assert "kind: Widget" in shown.out
    else:
        assert code == 2
        assert "CustomResourceDefinition could not be read: forbidden" in shown.err
