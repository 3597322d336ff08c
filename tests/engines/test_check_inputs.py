"""`check` on what people give it, the same with its own engine and with conftest."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import small_library as small
from pullguard.check.command import check
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Location, Report, Unjudged
from pullguard.core.inputs.limits import Limits
from pullguard.core.inputs.selection import Selection
from pullguard.library import bundle, ruleset
from pullguard.library.choice import choose
from shared_engine import ENGINE

POD = """\
apiVersion: v1
kind: Pod
metadata: {{name: {name}{more}}}
spec:
  containers:
  - {{name: c, image: "a:1", imagePullPolicy: Always}}
"""


def pod(name: str, more: str = "") -> str:
    return POD.format(name=name, more=f", {more}" if more else "")


@pytest.fixture(params=["opa", "conftest"])
def how(request: pytest.FixtureRequest, conftest_binary: Path) -> dict[str, Any]:
    """Return the arguments of `check` that make one of the programs judge."""
    assert conftest_binary
    return {"engine": request.param}


def run(image_library: Path, how: dict[str, Any], *paths: Path | str, **more: Any) -> Report:
    return check([str(path) for path in paths], library=str(image_library), **how, **more)


def subjects(report: Report) -> list[tuple[str, str, bool]]:
    return [(found.object.name, found.object.namespace, found.namespace_assumed) for found in report.findings]


def test_namespaces(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    for folder, namespace in (("critical", "kube-system"), ("other", "default")):
        (tmp_path / folder).mkdir()
        text = f"namespace: {namespace}\nresources: [pods.yaml]\n"
        (tmp_path / folder / "kustomization.yaml").write_text(text, encoding="utf-8")
        pods = f"{pod(f'silent-{folder}')}---\n{pod(f'stating-{folder}', 'namespace: kube-public')}"
        (tmp_path / folder / "pods.yaml").write_text(pods, encoding="utf-8")
    (tmp_path / "alone.yaml").write_text(pod("alone"), encoding="utf-8")
    kustomized = [("silent-critical", "kube-system", False), ("stating-critical", "kube-system", False)]
    assert subjects(run(image_library, how, tmp_path)) == [("alone", "", True), *kustomized]
    assert subjects(run(image_library, how, tmp_path, namespace="elsewhere")) == kustomized
    given = run(image_library, how, tmp_path, namespace="kube-system")
    assert subjects(given) == [("alone", "kube-system", False), *kustomized]


def test_labels_from_a_file(tmp_path: Path, how: dict[str, Any]) -> None:
    selector = {"namespaceSelector": {"matchLabels": {"critical": "yes"}}}
    library = small.write_library(tmp_path / "lib", small.OWNER, small.constraint("NeedsOwner", "c", match=selector))
    objects = [small.manifest(name, namespace=name) for name in ("in", "out", "unknown", "said-twice")]
    namespace = small.manifest("said-twice", kind="Namespace", critical="no")
    file = small.write_manifests(tmp_path / "m.yaml", *objects, namespace)
    labels = tmp_path / "labels.yaml"
    labels.write_text("in: {critical: 'yes'}\nout: {}\nsaid-twice: {critical: 'yes'}\n", encoding="utf-8")
    report = check([file], library=library, namespace_labels=str(labels), **how)
    assert [(name, assumed) for name, _, assumed in subjects(report)] == [
        ("in", False),
        ("unknown", True),
        ("said-twice", False),
    ]


def test_limits(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    file = tmp_path / "m.yaml"
    large = f"kind: A\ndata: {'x' * 2_100_000}\n"
    file.write_text(f"{large}---\nkind: B\ndata: [[[[1]]]]\n---\n{pod('fine')}", encoding="utf-8")
    report = run(image_library, how, file, limits=Limits(document=2**21, depth=4, aliased=1000))
    assert [(error.document, error.line, error.message) for error in report.errors] == [
        (0, 1, "the document is too large to be read; split it (`pullguard check` allows more with --max-document)"),
        (1, 5, "nested deeper than 4 levels; reduce the nesting (`pullguard check` allows more with --max-depth)"),
    ]
    assert subjects(report) == [("fine", "", True)]
    assert report.documents == 3


def test_templates_are_not_rendered(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    chart = tmp_path / "my chart"
    (chart / "templates").mkdir(parents=True)
    file = chart / "templates" / "pod.yaml"
    file.write_text('kind: Pod\nmetadata:\n  {{- include "labels" . }}\n', encoding="utf-8")
    (error,) = run(image_library, how, file).errors
    assert (error.line, error.document) == (3, 0)
    assert error.message.startswith("not rendered: looks like a template (")
    assert error.message.endswith(f"render it first: `helm template '{chart}' | pullguard check -`")


def test_nothing_has_changed(
    tmp_path: Path, image_library: Path, how: dict[str, Any], git: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    git(tmp_path, "init", "--quiet")
    (tmp_path / "a.yaml").write_text(pod("a"), encoding="utf-8")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "a")
    report = run(image_library, how, tmp_path, selection=Selection(changed_since="HEAD"))
    assert report.exit_code("dryrun") == 0
    assert report.notes[-1] == "nothing was checked: no manifest has changed since HEAD"


ODD = {
    "utf16.yaml": pod("utf16").encode("utf-16"),
    "bom.yaml": b"\xef\xbb\xbf" + pod("bom").encode(),
    "crlf.yaml": pod("crlf").replace("\n", "\r\n").encode(),
    "cr.yaml": pod("cr").replace("\n", "\r").encode(),
    "latin1.yaml": pod("latin1").encode() + b"# \xe9\n",
    "late-latin1.yaml": pod("late").encode() + b"---\nkind: X\na: \xe9\n---\nkind: Y\nb: \xe9\n",
    "nul.yaml": pod("nul").encode() + b"---\na: \0\n",
    "odd-separator.yaml": pod("odd").encode() + b"---  kind: X\n--- # fine\n" + pod("after").encode(),
    "odd-first.yaml": b"# one\n\n--- kind: X\n---\n" + pod("odd-first").encode(),
    "late.json": b"\n\n" + b'{"kind":"X"}\n{"kind": nope}\n{"kind":"Y"}\n',
    "yaml.json": b"\n\n" + pod("yaml-in-json").encode(),
    "directive.yaml": b"%YAML 1.2\n---\n" + pod("directive").encode(),
    "stream.json": b'{"kind":"X"}{"kind":"Y"}\n'
    + json.dumps({"kind": "Z"}).encode()
    + b"---\n"
    + pod("mixed").encode(),
    "broken.json": b'{"kind":"X"}\n{"kind": nope}\n{"kind":"Y"}\n',
    "flow.yaml": b"{kind: X, metadata: {name: flow}}\n",
    "list.yaml": b"kind: PodList\napiVersion: v1\nitems:\n- metadata: {name: listed}\n"
    b"  spec: {containers: [{image: a, name: c}]}\n",
    "merge.yaml": b"x: &x {kind: Pod}\n<<: *x\napiVersion: v1\nspec: {containers: [{image: a, name: c}]}\n",
    "bomb.yaml": b"a: &a [x, x, x, x, x, x, x, x, x]\n"
    + b"".join(b"%c: &%c [%s]\n" % (98 + i, 98 + i, b", ".join([b"*%c" % (97 + i)] * 9)) for i in range(9)),
    "twice.yaml": b"kind: Pod\napiVersion: v1\nkind: Pod\nspec: {containers: [{image: a, name: c}]}\n",
    "deep.yaml": b"kind: X\na: " + b"[" * 20_000 + b"]" * 20_000 + b"\n",
    "tabs.yaml": b"kind: X\na:\n\t- b\n",
    "empty.yaml": b"",
    "blank.json": b" \n",
    "comment.yaml": b"# nothing\n",
    "separators.yaml": b"---\n---\n\n---\n# x\n---\n",
}


def test_odd_files_are_read_alike(tmp_path: Path, image_library: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    for name, data in ODD.items():
        (folder / name).write_bytes(data)
    (folder / "dangling.yaml").symlink_to("nowhere")
    (folder / "loop").symlink_to(".")
    os.mkfifo(folder / "pipe.yaml")
    library = str(image_library)
    paths = [str(folder), str(tmp_path / "absent.yaml")]
    ours = check(paths, library=library)
    assert ours == check(paths, library=library, engine="conftest")
    assert len(ours.errors) > 10
    assert {found.object.name for found in ours.findings} >= {
        "utf16",
        "bom",
        "crlf",
        "cr",
        "latin1",
        "late",
        "odd",
        "after",
    }


def test_many_documents_for_the_full_parser(tmp_path: Path, image_library: Path) -> None:
    for file in range(3):
        documents = [
            pod(f"p{file}-{number}", "labels: &l {a: b}" if number % 3 else "") + "  # " + "x" * 1_000
            for number in range(250)
        ]
        (tmp_path / f"{file}.yaml").write_text("\n---\n".join(documents), encoding="utf-8")
    report = run(image_library, {}, tmp_path)
    assert report == run(image_library, {"engine": "conftest"}, tmp_path)
    assert [name for name, _, _ in subjects(report)] == [
        f"p{file}-{number}" for file in range(3) for number in range(250)
    ]


@pytest.mark.parametrize("piped", [True, False])
def test_standard_input(tmp_path: Path, image_library: Path, *, piped: bool) -> None:
    text = f"{pod('first')}---\nkind: X\na: &a b\n---\n{pod('last')}"
    command = [sys.executable, "-m", "pullguard", "check", "--library", str(image_library), "-o", "json", "-"]
    file = tmp_path / "m.yaml"
    file.write_text(text, encoding="utf-8")
    with file.open("rb") as stream:
        stdin: Any = {"input": text.encode()} if piped else {"stdin": stream}
        done = subprocess.run(command, capture_output=True, check=False, **stdin)
    report = json.loads(done.stdout)
    assert [(found["file"], found["line"], found["object"]["name"]) for found in report["findings"]] == [
        ("<stdin>", 6, "first"),
        ("<stdin>", 16, "last"),
    ]
    assert report["summary"]["documents"] == 3
    given = check(["-"], library=str(image_library), stdin=io.BytesIO(text.encode()))
    assert [found.line for found in given.findings] == [6, 16]


def test_standard_input_without_findings(image_library: Path, how: dict[str, Any]) -> None:
    for text in ("apiVersion: v1\nkind: Service\nmetadata: {name: s}\n", "kind: X\na: &a b\n"):
        report = run(image_library, how, "-", stdin=io.BytesIO(text.encode()))
        assert (report.findings, report.errors, report.objects) == ((), (), 1)


def test_a_library_that_was_changed_is_not_read_from_its_bundle(tmp_path: Path, image_library: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(image_library, library)
    file = tmp_path / "m.yaml"
    file.write_text(pod("a", "namespace: mine"), encoding="utf-8")
    assert bundle.load(str(library)) is not None
    assert subjects(check([str(file)], library=str(library))) == []
    constraints = library / "policies" / "protected_pull_policy" / "constraints.yaml"
    constraints.write_text(constraints.read_text(encoding="utf-8").replace("- kube-system", "- mine"), encoding="utf-8")
    assert bundle.load(str(library)) is None
    assert subjects(check([str(file)], library=str(library))) == [("a", "mine", False)]


@pytest.mark.parametrize(
    "change",
    [
        lambda library: (library / "MANIFEST").unlink(),
        lambda library: (library / "MANIFEST").write_text("x\n", encoding="utf-8"),
        lambda library: (library / bundle.INDEX).write_text("{}", encoding="utf-8"),
        lambda library: (library / bundle.INDEX).unlink(),
        lambda library: (library / bundle.POLICIES / "lib" / "more.rego").write_text("package more", encoding="utf-8"),
        lambda library: shutil.copytree(library / "policies/protected_image_pinning", library / "policies/mine"),
        lambda library: (library / "policies/protected_image_pinning/template.yaml").unlink(),
    ],
)
def test_a_bundle_is_whole_or_not_used(change: Any, tmp_path: Path, image_library: Path) -> None:
    library = tmp_path / "library"
    shutil.copytree(image_library, library)
    change(library)
    assert bundle.load(str(library)) is None


def test_bundle_and_templates_say_the_same(image_library: Path) -> None:
    library = str(image_library)
    for everywhere in (False, True):
        chosen = choose(library)
        precompiled = bundle.load(library)
        assert precompiled is not None
        fast = ruleset.from_bundle(ENGINE, chosen, precompiled, library)
        slow = ruleset.from_templates(ENGINE, chosen, library, everywhere=everywhere)
        (loaded,) = slow.groups
        entries = precompiled.for_engine(everywhere=everywhere)["data"]["constraints"]
        assert [entry["constraint"] for entry in entries] == [entry.object for entry in loaded.constraints]
        assert (fast.library, fast.notes, fast.rules()) == (slow.library, slow.notes, slow.rules())


TEMPLATE = """\
apiVersion: v1
kind: Pod
metadata: {name: t, namespace: kube-system}
spec:
  containers:
  - {name: c, image: "{{ .Values.image }}", imagePullPolicy: IfNotPresent}
"""


def test_a_template_that_is_yaml_all_the_same(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    file = tmp_path / "chart" / "templates" / "pod.yaml"
    file.parent.mkdir(parents=True)
    file.write_text(TEMPLATE)
    report = run(image_library, how, file)
    assert [(found.rule, found.image) for found in report.findings] == [("image-invalid", "{{ .Values.image }}")]
    message = (
        f"{file} looks like a template that is not rendered; "
        f"render it first: `helm template {tmp_path}/chart | pullguard check -`"
    )
    assert report.unjudged == (Unjudged("placeholder", 1, ("{{ .Values.image }}",), Location(str(file), 1), message),)


def test_placeholders_of_namespaces(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    file = tmp_path / "pod.yaml"
    pod = "kind: Pod\nmetadata: {name: p, namespace: '%s'}\nspec: {containers: [{name: c, image: '{}'}]}\n"
    for text in ("${NAMESPACE}", "Kube-System", "a b"):
        file.write_text(pod % text)
        report = run(image_library, how, file)
        assert [found.object.namespace for found in report.findings] == [""]
        message = f"{file}: no Namespace can be called {text}, so the namespace counts as not known; "
        message += "substitute it first, or state it with --namespace"
        assert report.unjudged == (Unjudged("placeholder", 1, (text,), Location(str(file), 1), message),)
    report = run(image_library, how | {"namespace": "kube-system"}, file)
    assert [entry.message for entry in report.unjudged] == [
        f"{file}: no Namespace can be called a b, so --namespace kube-system takes its place"
    ]
    file.write_text(pod % "{{ .Release.Namespace }}")
    assert "looks like a template that is not rendered" in run(image_library, how, file).unjudged[-1].message


def test_a_kustomization_of_what_is_not_there(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    folder = tmp_path / "overlay"
    folder.mkdir()
    (folder / "kustomization.yaml").write_text("resources: [../base]\n")
    (problem,) = run(image_library, how, folder).errors
    assert problem.file == f"{folder}/kustomization.yaml"
    assert problem.message.startswith("kustomize cannot build it: accumulating resources from '../base': ")


def test_no_name_of_a_namespace(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(pod("a"))
    with pytest.raises(
        PullguardError, match=r"^--namespace Bad NS is not a name of a Namespace; see where it comes from$"
    ):
        run(image_library, how, file, namespace="Bad NS")


def test_links_that_lead_nowhere(tmp_path: Path, image_library: Path, how: dict[str, Any]) -> None:
    (tmp_path / "a.yaml").symlink_to("gone.yaml")
    (tmp_path / "b.yaml").symlink_to("b.yaml")
    (tmp_path / "p.yaml").write_text(pod("a"))
    report = run(image_library, how, tmp_path)
    assert [(problem.file, problem.message) for problem in report.errors] == [
        (str(tmp_path / name), "is a symbolic link that leads nowhere; fix it, or remove it")
        for name in ("a.yaml", "b.yaml")
    ]


def _pullguard(image_library: Path, *arguments: str, redirected: str = "", stdin: bytes = b"") -> tuple[int, str, str]:
    """Run the command in a shell, which redirects its streams; a hang is an error."""
    command = f'exec "$0" -m pullguard "$@" {redirected}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *arguments, "--library", str(image_library)],
        input=stdin,
        capture_output=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("path", ["/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_the_other_names_of_standard_input(path: str, image_library: Path) -> None:
    code, output, error = _pullguard(image_library, "check", "-o", "json", path, stdin=pod("a").encode())
    assert (code, error, [found["file"] for found in json.loads(output)["findings"]]) == (1, "", ["<stdin>"])


def test_closed_standard_input(tmp_path: Path, image_library: Path) -> None:
    code, output, error = _pullguard(image_library, "check", "-", redirected="<&-")
    assert (code, error) == (2, "")
    assert "<stdin>: error: there is no standard input; name a file instead\n" in output
    file = tmp_path / "p.yaml"
    file.write_text(pod("a"))
    assert _pullguard(image_library, "check", str(file), redirected="<&-")[0] == 1


@pytest.mark.parametrize("command", [("check",), ("fix", "--diff")])
def test_a_full_disk_does_not_look_like_findings(command: tuple[str, ...], tmp_path: Path, image_library: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(pod("a"))
    answer = _pullguard(image_library, *command, str(file), redirected=">/dev/full")
    assert (answer[0], answer[2].splitlines()[-1]) == (
        2,
        "pullguard: cannot write to standard output or to a temporary file (No space left on device)",
    )
