"""`fix` with the real OPA and the library of the project: what it writes, what it leaves, and whether check agrees."""

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fixable import LATEST
from manifest_styles import Styled, styled_files
from pullguard import cli
from pullguard.check.command import check
from pullguard.core.editing.edits import applied
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding, Report
from pullguard.core.inputs.problems import InputError
from pullguard.fix.command import FixReport, fix

pytestmark = pytest.mark.usefixtures("opa")

POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kube-system}\nspec:\n  containers:\n"
ALWAYS = f"{POD}  - name: a\n    image: x:1\n    imagePullPolicy: Always # c\n"
FIXED = ALWAYS.replace("Always", "IfNotPresent")
UNPINNED = ALWAYS.replace("x:1", "x:main")
UNPINNED_MESSAGE = (
    'container "a" image "x:main": imagePullPolicy is Always: cannot start without its registry; '
    "pin it first (tag or digest), then set imagePullPolicy: IfNotPresent"
)
SHARED = "an anchor shares it with places that are to stay as they are, or a merge key overrides it: write it out there"
COMMENTS = "# a\n" * 10
ELSEWHERE = ALWAYS.replace("kube-system", "default")


@pytest.fixture(scope="module")
def library(image_library: Path) -> str:
    return str(image_library)


@pytest.fixture
def manifest(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str | bytes, name: str = "m.yaml") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def pull_policies(report: Report) -> list[Finding]:
    return [found for found in report.findings if found.policy == "protected_pull_policy"]


def fixable(report: Report) -> list[Finding]:
    return [found for found in pull_policies(report) if found.details["fix"]]


def left(report: FixReport) -> list[tuple[str, int, str | None]]:
    return [(entry.finding.file, entry.finding.line, entry.reason) for entry in report.left]


def test_a_file(manifest: Callable[..., Path], library: str) -> None:
    file = manifest(ALWAYS)
    report = fix([str(file)], library=library)
    assert file.read_text() == FIXED
    assert [(found.file, found.line, found.rule) for found in report.fixed] == [(str(file), 8, "pull-policy-always")]
    assert (report.left, report.others, report.errors, report.output, report.exit_code) == ((), 0, (), None, 0)
    assert [(change.text, applied(change.text, change.edits)) for change in report.changes] == [(ALWAYS, FIXED)]


def test_nothing_to_do_writes_nothing(manifest: Callable[..., Path], library: str) -> None:
    files = [manifest(FIXED, "fixed.yaml"), manifest(ELSEWHERE, "elsewhere.yaml")]
    for file in files:
        os.utime(file, (1, 1))
    report = fix([str(file) for file in files], library=library)
    assert (report.fixed, report.left, report.changes, report.exit_code) == ((), (), (), 0)
    assert [(file.stat().st_mtime, file.read_text()) for file in files] == [(1, FIXED), (1, ELSEWHERE)]


def test_diff_writes_nothing(manifest: Callable[..., Path], library: str) -> None:
    file = manifest(ALWAYS)
    file.chmod(0o444)
    report = fix([str(file)], library=library, diff=True)
    assert file.read_text() == ALWAYS
    assert (len(report.fixed), report.left, report.exit_code) == (1, (), 1)
    assert fix([str(manifest(FIXED, "fixed.yaml"))], library=library, diff=True).exit_code == 0


def test_a_policy_that_is_implied_is_stated(manifest: Callable[..., Path], checkout: Path) -> None:
    """A live object that was made with another image keeps what was filled in then."""
    text = (
        "kind: Pod\napiVersion: v1\nmetadata: {namespace: kube-system}\n"
        "spec:\n  containers:\n  - name: a\n    image: x:1\n  - {name: b, image: x:main}\n"
    )
    file = manifest(text)
    report = fix([str(file)], library=str(checkout / "library"))
    assert [found.rule for found in report.fixed] == ["pull-policy-implied"]
    assert file.read_text() == text.replace("    image: x:1\n", "    image: x:1\n    imagePullPolicy: IfNotPresent\n")


def test_what_is_not_pinned_is_left(manifest: Callable[..., Path], library: str) -> None:
    file = manifest(f"{ALWAYS}  - name: b\n    image: {LATEST}\n---\n{UNPINNED}")
    report = fix([str(file)], library=library)
    assert (
        file.read_text()
        == f"{FIXED}  - name: b\n    image: {LATEST}\n    imagePullPolicy: IfNotPresent\n---\n{UNPINNED}"
    )
    # The line is that of the new text, below the one that was added.
    assert left(report) == [(str(file), 20, None)]
    assert report.left[0].finding.message == UNPINNED_MESSAGE
    assert (len(report.fixed), report.others, report.exit_code) == (2, 1, 1)


def test_what_is_refused_is_left(manifest: Callable[..., Path], library: str) -> None:
    text = f"{ALWAYS}    command: [*a]\n".replace("Always", "&a Always")
    file = manifest(text)
    report = fix([str(file)], library=library)
    assert file.read_text() == text
    assert left(report) == [
        (
            str(file),
            8,
            SHARED,
        )
    ]
    assert report.exit_code == 1


def test_an_exemption_is_left(manifest: Callable[..., Path], library: str) -> None:
    annotation = 'annotations: {pullguard/exempt: "protected_pull_policy: because"}'
    text = ALWAYS.replace("name: p,", f"name: p, {annotation},")
    file = manifest(text)
    report = fix([str(file)], library=library)
    assert file.read_text() == text
    assert (report.exempt, report.left, report.exit_code) == (1, (), 0)


def test_namespaces(manifest: Callable[..., Path], library: str) -> None:
    text = ALWAYS.replace(", namespace: kube-system", "")
    file = manifest(text)
    assert fix([str(file)], library=library, namespace="default").fixed == ()
    assert file.read_text() == text
    assert len(fix([str(file)], library=library).fixed) == 1
    elsewhere = manifest(ELSEWHERE, "elsewhere.yaml")
    assert len(fix([str(elsewhere)], library=library, everywhere=True).fixed) == 1


def test_never_where_nothing_else_is_allowed(
    manifest: Callable[..., Path], make: Callable[..., Path], checkout: Path
) -> None:
    config = (checkout / "pullguard.yaml").read_text() + (
        "policies:\n  protected_pull_policy:\n    parameters: {allowedPolicies: [Never]}\n"
    )
    library = make(config, rego=checkout / "rego")
    file = manifest(f"{ALWAYS}  - name: b\n    image: x:1\n")
    assert len(fix([str(file)], library=str(library)).fixed) == 2
    assert file.read_text() == ALWAYS.replace("Always", "Never") + (
        "  - name: b\n    image: x:1\n    imagePullPolicy: Never\n"
    )


def test_broken_and_undecodable_files(manifest: Callable[..., Path], library: str) -> None:
    broken = manifest(f"kind: [\n---\n{ALWAYS}", "broken.yaml")
    bytes_ = manifest(ALWAYS.encode() + b"# \xff\n", "bytes.yaml")
    report = fix([str(broken), str(bytes_)], library=library)
    assert broken.read_text() == f"kind: [\n---\n{FIXED}"
    assert bytes_.read_bytes() == ALWAYS.encode() + b"# \xff\n"
    assert left(report) == [(str(bytes_), 8, "its file holds bytes that are not text: save it as UTF-8")]
    assert [(problem.file, problem.line) for problem in report.errors] == [(str(broken), 1), (str(bytes_), 9)]
    assert report.exit_code == 2


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be"])
def test_encodings(manifest: Callable[..., Path], library: str, encoding: str) -> None:
    mark = "\ufeff".encode(encoding) if encoding == "utf-16-be" else b""
    file = manifest(mark + f"# 😀\n{ALWAYS}".encode(encoding))
    assert len(fix([str(file)], library=library).fixed) == 1
    assert file.read_bytes() == mark + f"# 😀\n{FIXED}".encode(encoding)


def test_a_read_only_file(manifest: Callable[..., Path], library: str) -> None:
    file, other = manifest(ALWAYS, "a.yaml"), manifest(ALWAYS, "b.yaml")
    file.chmod(0o444)
    report = fix([str(file), str(other)], library=library)
    assert (file.read_text(), other.read_text()) == (ALWAYS, FIXED)
    assert report.errors == (
        InputError(str(file), None, None, "is read-only; make it writable, or edit what it is generated from"),
    )
    assert left(report) == [(str(file), 8, "its file could not be edited: see the error below")]
    assert ([found.file for found in report.fixed], report.exit_code) == ([str(other)], 2)


@pytest.mark.parametrize("diff", [False, True])
def test_two_names_of_one_file(manifest: Callable[..., Path], library: str, tmp_path: Path, *, diff: bool) -> None:
    file = manifest(ALWAYS, "b.yaml")
    (tmp_path / "a.yaml").symlink_to(file)
    report = fix([str(tmp_path)], library=library, diff=diff)
    assert len(report.changes) == 1
    assert file.read_text() == (ALWAYS if diff else FIXED)
    assert report.exit_code == int(diff)


@pytest.mark.parametrize(
    "named", ["deploy", "deploy/**", "deploy/*.yaml", "deploy/link.yaml", "deploy/*/*.yaml", "d*/**"]
)
@pytest.mark.parametrize("diff", [False, True])
def test_nothing_is_written_through_a_link(
    manifest: Callable[..., Path], library: str, tmp_path: Path, named: str, *, diff: bool
) -> None:
    (tmp_path / "deploy" / "sub").mkdir(parents=True)
    file, outside = manifest(ALWAYS, "deploy/sub/a.yaml"), manifest(ALWAYS, "outside.yaml")
    link = tmp_path / "deploy" / "link.yaml"
    link.symlink_to(outside)
    (tmp_path / "deploy" / "here").symlink_to(".")
    (tmp_path / "deploy" / "out").symlink_to(tmp_path)
    report = fix([f"{tmp_path}/{named}"], library=library, diff=diff)
    assert (outside.read_text(), link.is_symlink()) == (ALWAYS, True)
    message = f"is a link to {outside}, and links are not edited; name that file itself"
    if named == "deploy/*/*.yaml":
        assert report.errors == ()
    else:
        assert report.errors == (InputError(str(link), None, None, message),)
    changed = [] if named in {"deploy/*.yaml", "deploy/link.yaml"} else [str(file)]
    assert [change.file for change in report.changes] == changed


def test_a_pipe_is_no_file_to_edit(manifest: Callable[..., Path], library: str, tmp_path: Path) -> None:
    """Nobody writes to it, so opening it would wait forever."""
    file, pipe = manifest(ALWAYS), tmp_path / "pipe"
    os.mkfifo(pipe)
    report = fix([str(pipe), str(file)], library=library)
    message = "is not a regular file, so it cannot be edited; give its text to stdin, and name -"
    assert report.errors == (InputError(str(pipe), None, None, message),)
    assert file.read_text() == FIXED


def test_stdin(library: str) -> None:
    text = f"{ALWAYS}---\n{UNPINNED}".replace("\n", "\r\n").encode()
    report = fix(["-"], library=library, stdin=io.BytesIO(text))
    assert report.output == text.replace(b"Always", b"IfNotPresent", 1)
    assert left(report) == [("<stdin>", 17, None)]
    assert fix(["-"], library=library, stdin=io.BytesIO(text), diff=True).output is None


@pytest.mark.parametrize("text", [FIXED, "kind: [\n", ELSEWHERE + "# \u00ff"])
def test_stdin_comes_out_as_it_came(library: str, text: str) -> None:
    data = text.encode("latin-1")
    assert fix(["-"], library=library, stdin=io.BytesIO(data)).output == data


def test_stdin_and_files(manifest: Callable[..., Path], library: str) -> None:
    file = manifest(ALWAYS)
    report = fix([str(file), "-"], library=library, stdin=io.BytesIO(ALWAYS.encode()))
    assert (file.read_text(), report.output) == (FIXED, FIXED.encode())
    assert [change.file for change in report.changes] == [str(file), "<stdin>"]


def test_what_is_judged_is_selected_as_for_check(library: str, tmp_path: Path) -> None:
    for name in ("kept", "vendor"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "m.yaml").write_text(ALWAYS)
    labels = tmp_path / "labels.json"
    labels.write_text('{"kube-system": {}}')
    code = cli.main(
        ["fix", "--library", library, "--exclude", "vendor/", "--namespace-labels", str(labels), str(tmp_path)]
    )
    assert (code, (tmp_path / "kept" / "m.yaml").read_text()) == (0, FIXED)
    assert (tmp_path / "vendor" / "m.yaml").read_text() == ALWAYS


def test_an_unusable_library(manifest: Callable[..., Path], tmp_path: Path) -> None:
    file = manifest(ALWAYS)
    with pytest.raises(PullguardError):
        fix([str(file)], library=str(tmp_path / "none"))
    assert file.read_text() == ALWAYS


def test_gatekeepers_own_manifest(gatekeeper_manifest: Path, library: str, tmp_path: Path) -> None:
    """The two lines that let Gatekeeper go down with the registry, and nothing else."""
    stock = gatekeeper_manifest.read_bytes()
    file = tmp_path / "gatekeeper.yaml"
    file.write_bytes(stock)
    report = fix([str(file)], library=library)
    lines, fixed = stock.splitlines(keepends=True), file.read_bytes().splitlines(keepends=True)
    changed = [
        (number, *pair) for number, pair in enumerate(zip(lines, fixed, strict=True), start=1) if len({*pair}) > 1
    ]
    always, present = b"        imagePullPolicy: Always\n", b"        imagePullPolicy: IfNotPresent\n"
    assert changed == [(5798, always, present), (5917, always, present)]
    assert (report.left, report.others, report.exit_code) == ((), 0, 0)
    assert pull_policies(check([str(file)], library=library)) == []


def test_the_corpus(corpus: Path, checkout: Path, library: str, tmp_path: Path) -> None:
    assert fix_all(corpus / "real", library, tmp_path) == (12 if corpus.is_relative_to(checkout) else 65, {})


def test_hard_manifests(hard: Path, library: str, tmp_path: Path) -> None:
    assert fix_all(hard, library, tmp_path) == (
        65,
        {
            "duplicate-policy-key.yaml": 'the key "imagePullPolicy" occurs twice in one mapping: remove one of them',
            "latin1.yaml": "its file holds bytes that are not text: save it as UTF-8",
        },
    )


def fix_all(folder: Path, library: str, tmp_path: Path) -> tuple[int, dict[str, str]]:
    """Fix a copy of a folder and compare every byte; return how many findings were fixed, and why others were not."""
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    before = check([str(copy)], library=library, everywhere=True)
    old = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    report = fix([str(copy)], library=library, everywhere=True)
    after = check([str(copy)], library=library, everywhere=True)

    refused = {Path(entry.finding.file).name: entry.reason for entry in report.left if entry.reason}
    assert {Path(found.file).name for found in fixable(after)} == set(refused)
    assert len(pull_policies(after)) == len(pull_policies(before)) - len(report.fixed)
    assert [message(problem) for problem in after.errors] == [message(problem) for problem in before.errors]
    for path, data in old.items():
        found = [entry for entry in report.fixed if entry.file == str(path)]
        assert path.read_bytes() == expected_bytes(data, found), path
    return len(report.fixed), refused


def message(problem: InputError) -> tuple[str, int | None, str]:
    return problem.file, problem.document, problem.message


def expected_bytes(data: bytes, fixed: list[Finding]) -> bytes:
    """Return a file of the corpus with the lines of its findings edited, by rules that are enough for the corpus."""
    encoding = "utf-16-le" if data[:2] == b"\xff\xfe" else "utf-16-be" if data[:2] == b"\xfe\xff" else "utf-8"
    if not fixed:
        return data
    text = data.decode(encoding)
    line_end = "\n" if "\n" in text else "\r"
    lines = text.split(line_end)
    for found in fixed:
        number = found.line - 1
        if found.details["stated"] is None:
            lines[number] += f"{line_end}    imagePullPolicy: IfNotPresent"
        elif "Always" in lines[number]:
            lines[number] = lines[number].replace("Always", "IfNotPresent")
        else:
            lines[number + ("Alw" not in lines[number])] = (
                lines[number].replace(r"Alw\x61ys", "IfNotPresent")
                if "Alw" in lines[number]
                else lines[number + 1].replace("Always", "IfNotPresent")
            )
    return line_end.join(lines).encode(encoding)


@given(st.lists(styled_files(), min_size=1, max_size=8))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_random_manifests(library: str, files: list[Styled]) -> None:
    """Every byte is as it should be, check agrees, and a second run has nothing to do."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{number}.{'json' if file.is_json else 'yaml'}" for number, file in enumerate(files)]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.before.encode())
        report = fix(list(map(str, paths)), library=library)
        assert [path.read_bytes() for path in paths] == [file.after.encode() for file in files]
        assert len(report.fixed) == sum(file.fixable for file in files)
        assert (len(report.left), report.errors) == (sum(file.left for file in files), ())
        checked = pull_policies(check(list(map(str, paths)), library=library))
        assert checked == [entry.finding for entry in report.left]


def run(*arguments: str | Path, stdin: bytes = b"", cwd: Path | None = None) -> Any:
    command = [sys.executable, "-m", "pullguard", "fix", *map(str, arguments)]
    return subprocess.run(command, input=stdin, capture_output=True, timeout=600, check=False, cwd=cwd)


def test_the_report(manifest: Callable[..., Path], library: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = manifest(f"{ALWAYS}---\n{UNPINNED}")
    assert cli.main(["fix", "--library", library, str(file)]) == 1
    captured = capsys.readouterr()
    assert captured.err == ""
    assert captured.out == (
        f"{file}:8: fixed: pull-policy-always\n"
        "  Pod kube-system/p, container a\n"
        "  imagePullPolicy: Always -> IfNotPresent\n"
        f"{file}:17: left: pull-policy-always\n"
        "  Pod kube-system/p, container a\n"
        f"  {UNPINNED_MESSAGE}\n"
        "\n"
        "1 fixed in 1 file, 1 left, 0 errors\n"
        f"Library: {library}\n"
        "Note: 1 finding of other kinds: see `pullguard check`\n"
    )


@pytest.mark.parametrize("program", [["git", "apply"], ["patch", "-p1", "--binary"]], ids=["git", "patch"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_programs_take_the_diff(library: str, tmp_path: Path, program: list[str], line_end: str) -> None:
    found = shutil.which(program[0])
    if found is None:
        pytest.skip(f"{program[0]} is not installed")
    files = {
        "a.yaml": ALWAYS,
        "sub/é b.yaml": ALWAYS[:-1],
        '"\n\\.yaml': ALWAYS,
        "c.yaml": f"# \u2028 \x85\n{ALWAYS}{COMMENTS}",
    }
    (tmp_path / "sub").mkdir()
    for name, text in files.items():
        (tmp_path / name).write_bytes(text.replace("\n", line_end).encode())
    result = run("--diff", "--library", library, "./", cwd=tmp_path)
    assert result.returncode == 1
    assert b"4 would be fixed in 4 files, 0 left, 0 errors\n" in result.stderr
    subprocess.run([found, *program[1:]], input=result.stdout, cwd=tmp_path, check=True, timeout=600)
    for name, text in files.items():
        expected = text.replace("\n", line_end).replace("Always", "IfNotPresent").encode()
        assert (tmp_path / name).read_bytes() == expected


@pytest.mark.parametrize("program", [["git", "apply"], ["patch", "-p1", "--binary"]], ids=["git", "patch"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "where",
    [
        ("{root}/repo/deploy/a.yaml", "repo", "repo"),
        ("{root}/repo/deploy/a.yaml", "repo/deploy", "repo/deploy"),
        ("a.yaml", "repo/deploy", "repo/deploy"),
        ("./deploy/../deploy/a.yaml", "repo", "repo"),
        ("../deploy/a.yaml", "repo/sub", "repo"),
        ("{root}/repo/deploy/a.yaml", "repo/sub", "repo"),
        ("..", "repo/sub", "repo"),
        ("{root}/repo/deploy", "link", "repo"),
        ("../repo/deploy/a.yaml", "elsewhere", "repo/deploy"),
        ("{root}/repo/deploy/a.yaml", "elsewhere", "repo/deploy"),
    ],
)
def test_a_diff_names_files_so_that_programs_find_them(
    library: str, tmp_path: Path, program: list[str], encoding: str, where: tuple[str, str, str]
) -> None:
    named, working_directory, base = where
    found = shutil.which(program[0])
    if found is None:
        pytest.skip(f"{program[0]} is not installed")
    for folder in ("repo/.git", "repo/deploy", "repo/sub", "elsewhere"):
        (tmp_path / folder).mkdir(parents=True)
    if program[0] == "git":
        subprocess.run([found, "init", "-q", tmp_path / "repo"], check=True, timeout=600)
    (tmp_path / "link").symlink_to("repo/sub")
    file = tmp_path / "repo/deploy/a.yaml"
    file.write_bytes(ALWAYS.encode(encoding))
    arguments = ("--diff", "--library", library, named.format(root=tmp_path))
    result = run(*arguments, cwd=tmp_path / working_directory)
    note = f"git -C {tmp_path / base} apply"
    assert (note in result.stderr.decode()) is ((tmp_path / working_directory).resolve() != tmp_path / base)
    subprocess.run([found, *program[1:]], input=result.stdout, cwd=tmp_path / base, check=True, timeout=600)
    assert file.read_bytes() == FIXED.encode(encoding)


def test_the_command_as_a_filter(library: str) -> None:
    result = run("--library", library, "-", stdin=ALWAYS.encode())
    assert (result.returncode, result.stdout) == (0, FIXED.encode())
    assert b"<stdin>:8: fixed: pull-policy-always\n" in result.stderr
    nothing = run("--library", library, "-")
    assert (nothing.returncode, nothing.stdout) == (2, b"")


def test_json_stays_json(manifest: Callable[..., Path], library: str) -> None:
    containers = [{"name": "a", "image": "x:1", "imagePullPolicy": "Always"}, {"name": "b", "image": LATEST}]
    pod = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "p"}, "spec": {"containers": containers}}
    file = manifest(json.dumps(pod, indent=2), "pod.json")
    assert len(fix([str(file)], library=library).fixed) == 2
    containers[0]["imagePullPolicy"] = containers[1]["imagePullPolicy"] = "IfNotPresent"
    assert file.read_text() == json.dumps(pod, indent=2)
