"""The GitHub Action, the GitLab template and the Jenkinsfile: they are valid, and their scripts work."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from repositories import Release, examples

Run = Callable[..., "subprocess.CompletedProcess[str]"]

_WEAK = """\
apiVersion: templates.gatekeeper.sh/v1
kind: ConstraintTemplate
metadata: {name: none}
spec:
  crd: {spec: {names: {kind: None}}}
  targets:
  - {target: admission.k8s.gatekeeper.sh, rego: "package none\\nviolation[{\\"msg\\": \\"x\\"}] { false }"}
---
apiVersion: constraints.gatekeeper.sh/v1beta1
kind: None
metadata: {name: none}
"""


def _validate(checkout: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", *arguments]
    ended = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout


def _expressions(text: str, values: Mapping[str, str]) -> str:
    """Return a text with GitHub's `${{ ... }}` expressions replaced. An unknown expression fails the test."""
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda found: values[found[1]], text)


class Action:
    """Runs the shell steps of action.yml in order, as the runner does.

    Args:
        checkout: The folder of action.yml.
        source: The repository of the action, as cloned by the runner.
        bash: The function that runs a step.
        folder: The folder for the runner's own files.
    """

    def __init__(self, checkout: Path, source: Path, bash: Run, folder: Path) -> None:
        self.document: dict[str, Any] = yaml.safe_load((checkout / "action.yml").read_text())
        self.checkout = checkout
        self.source = source
        self.bash = bash
        self._folder = folder
        folder.mkdir()

    def install(self, repository: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Return the result of the first step."""
        return self._run(self.steps[0], repository, variables)

    def check(self, repository: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
        """Return the result of the last step with some inputs."""
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        return self._run(self.steps[1], repository, values=values)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps that run a script."""
        steps = [step for step in self.document["runs"]["steps"] if "run" in step]
        assert len(steps) == len(self.document["runs"]["steps"]) == 2
        return steps

    def _run(
        self,
        step: dict[str, Any],
        repository: Path,
        variables: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        inputs = {f"inputs.{name}": str(entry["default"]) for name, entry in self.document["inputs"].items()}
        known = {**inputs, "github.action_path": str(self.source), **(values or {})}
        files = {"GITHUB_OUTPUT": self._folder / "output", "GITHUB_STEP_SUMMARY": self._folder / "summary"}
        for file in files.values():
            file.write_text("")
        runner = {"RUNNER_TEMP": str(self._folder), **{name: str(file) for name, file in files.items()}}
        assert step["shell"] == "bash"
        assert "${{" not in step["run"]
        own = {name: _expressions(value, known) for name, value in step["env"].items()}
        return self.bash(step["run"], cwd=repository, **{**runner, **own, **(variables or {})})

    @property
    def outputs(self) -> dict[str, str]:
        """The outputs of the last run, as the runner parses them: `name=value`, or a multiline value."""
        outputs: dict[str, str] = {}
        lines = (self._folder / "output").read_text().splitlines()
        while lines:
            name, marker, end = lines[0].partition("<<")
            if marker and "=" not in name:
                stop = lines.index(end)
                outputs[name] = "\n".join(lines[1:stop])
                lines = lines[stop + 1 :]
            else:
                name, _, value = lines.pop(0).partition("=")
                outputs[name] = value
        return outputs

    @property
    def summary(self) -> str:
        """The job summary of the last run."""
        return (self._folder / "summary").read_text()


def _version(checkout: Path) -> str:
    found = re.search(
        r'^__version__ = "(.*)"$', (checkout / "generator/pullguard/__init__.py").read_text(), re.MULTILINE
    )
    assert found is not None
    return found[1]


class Published:
    """The files of a release, where GitHub and GitLab serve those of a tag, and the repository of a user.

    Args:
        release: The release.
        repository: The repository of the user.
        folder: An empty folder.
        bash: The function that runs a script.
    """

    def __init__(self, release: Release, repository: Path, folder: Path, bash: Run) -> None:
        self.release = release
        self.repository = repository
        self.folder = folder
        self.source = f"file://{folder}/served"
        self.revision = f"v{release.version}"
        self.lock = folder / "served" / "raw" / self.revision / "integrations" / "release.lock"
        shutil.copytree(release.source / "integrations", self.lock.parent)
        self._bash = bash

    def run(self, script: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Return the result of a script with some variables, with pullguard's packages in an index."""
        return self._bash(script, cwd=self.repository, **{**self.release.index, **variables})


@pytest.fixture
def published(release: Release, repository: Path, tmp_path: Path, bash: Run) -> Published:
    return Published(release, repository, tmp_path, bash)


@pytest.fixture
def action(checkout: Path, release: Release, bash: Run, tmp_path: Path) -> Action:
    return Action(checkout, release.source, bash, tmp_path / "runner")


def _entries(path: Path) -> Mapping[str, frozenset[str]]:
    """Return the packages of a lock in their versions, each with its hashes."""
    entries = re.split(r"\n(?=[^\s#])", "\n" + path.read_text())[1:]
    return {entry.split(" ")[0]: frozenset(re.findall(r"--hash=(\S+)", entry)) for entry in entries}


def test_what_the_integrations_install_is_locked(checkout: Path) -> None:
    """It is what pullguard needs to run, in the versions and with the hashes of the whole lock."""
    locked, whole = (_entries(checkout / name) for name in ("integrations/requirements.lock", "requirements.lock"))
    assert locked.items() <= whole.items()
    names = {name.split("==")[0] for name in locked}
    needed = _dependencies(checkout)
    assert names >= needed
    assert not names & {"hatchling", "editables", "pytest", "ruff"}


def _dependencies(checkout: Path) -> set[str]:
    text = re.search(
        r"^dependencies = \[\n(.*?)^\]", (checkout / "pyproject.toml").read_text(), re.DOTALL | re.MULTILINE
    )
    assert text is not None
    return set(re.findall(r'^  "([\w-]+)', text[1], re.MULTILINE))


@pytest.mark.parametrize("file", ["action.yml", "integrations/gitlab.yml", "integrations/Jenkinsfile"])
def test_only_locked_wheels_are_installed(checkout: Path, file: str) -> None:
    """Pip installs from the locks, and builds nothing: what a package builds with could run anything."""
    text = re.sub(r"\s*\\?\n\s+", " ", (checkout / file).read_text())
    (options,) = re.findall(r"pip install (.*?) (?:\|\||test |- )", text)
    assert re.sub(r'"\S+/', '"', options) == (
        "--quiet --disable-pip-version-check --require-hashes --only-binary :all: "
        '--requirement "requirements.lock" --requirement "release.lock"'
    )
    assert not re.search(r"\b(?:go|git|apt-get|curl|cache)\b", re.sub("#.*|//.*", "", text))


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/verdict.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/other.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("vendor.dependabot", ".github/dependabot.yml"),
        ("vendor.github-workflows", ".github/workflows/ci.yml"),
        ("vendor.github-workflows", ".github/workflows/release.yml"),
    ],
)
def test_files_for_github(checkout: Path, schema: str, file: str) -> None:
    _validate(checkout, "--builtin-schema", schema, file)


def test_the_action_is_valid(checkout: Path) -> None:
    _validate(checkout, "--builtin-schema", "vendor.github-actions", "action.yml")


def test_shellcheck_finds_nothing(action: Action, checkout: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed")
    scripts = [f"set -eo pipefail\n{step['run']}" for step in action.steps]
    scripts.append((checkout / ".ci/run").read_text())
    for script in scripts:
        command = ["shellcheck", "--severity", "warning", "--shell", "bash", "-"]
        ended = subprocess.run(command, input=script, capture_output=True, text=True, timeout=60, check=False)
        assert ended.returncode == 0, ended.stdout


def _with_modules(repository: Path) -> None:
    """Have modules in a repository that Python would import before its own, if it looked in the current folder."""
    for name in ("venv", "pip", "logging", "json", "pullguard"):
        (repository / f"{name}.py").write_text("raise SystemExit('a module of the repository ran')\n")


def test_the_action(action: Action, repository: Path, release: Release) -> None:
    _with_modules(repository)
    ended = action.install(repository, **release.index)
    assert (ended.returncode, ended.stdout) == (0, ""), ended
    ended = action.check(repository)
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("::error title=pull-policy-always,file=deploy/dns.yaml,line=9::")
    assert action.outputs == {"sarif": "pullguard.sarif", "exit-code": "1"}
    assert "| high | `pull-policy-always` | `deploy/dns.yaml:9` |" in action.summary
    (result,) = json.loads((repository / "pullguard.sarif").read_text())["runs"][0]["results"]
    assert result["ruleId"] == "pull-policy-always"

    # Arguments are passed on unchanged, one per line; a path is never parsed as an option.
    (repository / "two words").mkdir()
    (repository / "deploy" / "dns.yaml").rename(repository / "two words" / "dns.yaml")
    ended = action.check(
        repository, paths="two words\n\ndeploy\n", arguments="--baseline=known.json\n--write-baseline\n"
    )
    assert ended.returncode == 2  # deploy is empty now
    assert "deploy" in ended.stdout
    ended = action.check(repository, paths="two words", arguments="--baseline=known.json\n--write-baseline")
    assert ended.returncode == 0, ended
    assert "1 known finding in the baseline known.json" in action.summary

    ended = action.check(repository, paths="--help\n$(touch owned)\n`touch owned`", sarif="a b.sarif")
    assert ended.returncode == 2
    assert not list(repository.rglob("owned"))
    assert action.outputs == {"sarif": "a b.sarif", "exit-code": "2"}

    # A line break in an input does not start another output.
    forged = "a\nexit-code=0\nx=y.sarif"
    ended = action.check(repository, sarif=forged)
    assert (ended.returncode, action.outputs) == (1, {"sarif": forged, "exit-code": "1"})

    # The library is not taken from the change under review, unless the user asks for it.
    weak = repository / "library" / "template.yaml"
    weak.parent.mkdir()
    weak.write_text(_WEAK)
    assert action.check(repository).returncode == 1
    assert action.check(repository, library="./library").returncode == 0

    # The example of the documentation.
    steps = examples(action.checkout)[".github/workflows/pullguard.yml"]["jobs"]["pullguard"]["steps"]
    (own,) = (step for step in steps if step["uses"].startswith("OWNER/pullguard@"))
    (repository / "two words").rename(repository / "deploy" / "more")
    (repository / "charts" / "rendered").mkdir(parents=True)
    (repository / "charts" / "rendered" / "web.yaml").write_text("kind: Pod\n")
    ended = action.check(repository, **own["with"])
    assert (ended.returncode, action.outputs["exit-code"]) == (0, "0"), ended

    ended = action.check(repository, arguments="--baseline=absent.json")
    assert (ended.returncode, action.outputs, action.summary) == (2, {"exit-code": "2"}, "")
    assert ended.stderr.startswith("pullguard: absent.json: is not there")


_NO_RELEASE = (
    "no release is known to this revision of the action: use the tag of a release, such as v0.1.0, or its commit"
)
_NOT_INSTALLED = (
    "pullguard {} could not be installed: pip says why above. "
    "It has wheels for Linux and macOS (x86_64, arm64) and Windows (x86_64)"
)


def _other_hash(lock: str) -> str:
    """Return a release.lock whose hashes are those of other files."""
    return re.sub(r"sha256:(\w)", lambda found: f"sha256:{'1' if found[1] == '0' else '0'}", lock)


def _little(locks: Path) -> None:
    """Have the lock of dependencies hold one package, for installations that fail anyway."""
    entries = re.split(r"\n(?=\w)", (locks / "requirements.lock").read_text())
    (locks / "requirements.lock").write_text(next(entry for entry in entries if entry.startswith("shtab==")))


def _with_lock(action: Action, release: Release, folder: Path, change: Callable[[str], str]) -> None:
    """Have the action stand at a revision with another release.lock."""
    shutil.copytree(release.source / "integrations", folder / "integrations")
    _little(folder / "integrations")
    lock = folder / "integrations" / "release.lock"
    lock.write_text(change(lock.read_text()))
    action.source = folder


def test_a_revision_before_any_release(action: Action, repository: Path, release: Release, tmp_path: Path) -> None:
    _with_lock(action, release, tmp_path / "action", lambda _: "# none\n")
    ended = action.install(repository, **release.index)
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, f"::error title=pullguard::{_NO_RELEASE}\n", "")


@pytest.mark.parametrize(
    ("change", "version", "said"),
    [
        (_other_hash, "", "THESE PACKAGES DO NOT MATCH THE HASHES"),
        (lambda lock: lock.replace("==", "==9."), "9.", "No matching distribution found for pullguard==9."),
    ],
    ids=["other wheels", "no wheel"],
)
def test_no_other_wheel_is_installed(
    change: Callable[[str], str], version: str, said: str, action: Action, published: Published
) -> None:
    release = published.release
    _with_lock(action, release, published.folder / "action", change)
    ended = action.install(published.repository, **release.index)
    text = _NOT_INSTALLED.format(version + release.version)
    assert (ended.returncode, ended.stdout) == (2, f"::error title=pullguard::{text}\n")
    assert said in ended.stderr
    assert not (published.folder / "runner" / "pullguard" / "bin" / "pullguard").exists()


def test_a_runner_without_a_wheel(action: Action, repository: Path, release: Release, tmp_path: Path) -> None:
    """A platform for which nothing was released gets an answer, not a build."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for wheel in release.wheels.glob("*-win_amd64.whl"):
        shutil.copy2(wheel, elsewhere)
    _with_lock(action, release, tmp_path / "action", str)
    ended = action.install(repository, PIP_FIND_LINKS=str(elsewhere))
    assert ended.returncode == 2
    assert ended.stdout.startswith(f"::error title=pullguard::pullguard {release.version} could not be installed: ")
    assert f"No matching distribution found for pullguard=={release.version}" in ended.stderr


def test_a_runner_without_python(action: Action, repository: Path, tmp_path: Path) -> None:
    """On some systems, python3 is a stub, or too old."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("bash", "sed"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "python3").write_text("#!/bin/sh\nexit 1\n")
    (programs / "python3").chmod(0o755)
    ended = action.install(repository, PATH=str(programs))
    said = "the runner has no Python 3.10 or later: put a step with actions/setup-python before this one"
    assert (ended.returncode, ended.stdout, ended.stderr) == (2, f"::error title=pullguard::{said}\n", "")
    # Its other name, as on Windows.
    (programs / "python").symlink_to(sys.executable)
    (programs / "python3").unlink()
    ended = action.install(repository, PATH=str(programs), PIP_INDEX_URL="http://127.0.0.1:1/simple", PIP_RETRIES="0")
    assert (ended.returncode, (tmp_path / "runner" / "pullguard" / "bin" / "python").exists()) == (2, True)


def test_the_scripts_run_in_the_bash_of_macos(action: Action) -> None:
    """It is version 3.2."""
    newer = re.compile(r"mapfile|readarray|declare -[Agn]|\$\{\w+(?:,|\^|@)|&>>|\|&|coproc|globstar")
    assert [found[0] for step in action.steps for found in newer.finditer(step["run"])] == []


def test_what_can_be_set_is_documented(action: Action, checkout: Path) -> None:
    page = (checkout / "docs/ci.md").read_text()
    job = yaml.safe_load((checkout / "integrations/gitlab.yml").read_text())["pullguard"]
    names = {*action.document["inputs"], *action.document["outputs"]}
    assert not [name for name in names if f"| `{name}` |" not in page]
    assert not [name for name in job["variables"] if name.startswith("PULLGUARD_") and name not in page]


def test_the_gitlab_template_is_valid(checkout: Path, tmp_path: Path) -> None:
    options = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    (tmp_path / ".gitlab-ci.yml").write_text(yaml.safe_dump(examples(checkout)[".gitlab-ci.yml"]))
    _validate(checkout, *options, "integrations/gitlab.yml", str(tmp_path / ".gitlab-ci.yml"))


def test_the_example_for_github_is_valid(checkout: Path, tmp_path: Path) -> None:
    example = examples(checkout)[".github/workflows/pullguard.yml"]
    (tmp_path / "pullguard.yml").write_text(
        yaml.safe_dump({str(name).replace("True", "on"): value for name, value in example.items()})
    )
    _validate(checkout, "--builtin-schema", "vendor.github-workflows", str(tmp_path / "pullguard.yml"))
    uses = [step["uses"] for step in example["jobs"]["pullguard"]["steps"]]
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", use)] == [
        f"OWNER/pullguard@v{_version(checkout)}"
    ]


def _gitlab(checkout: Path) -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load((checkout / "integrations/gitlab.yml").read_text())["pullguard"]
    return job


def test_the_gitlab_template(checkout: Path, published: Published) -> None:
    _with_modules(published.repository)
    job = _gitlab(checkout)
    script = "\n".join([*job["before_script"], *job["script"]])
    ended = published.run(script, **job["variables"])
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "PULLGUARD_SOURCE: does not say where the repository of pullguard is" in ended.stderr
    example = examples(checkout)[".gitlab-ci.yml"]
    (remote,) = (entry["remote"] for entry in example["include"])
    own = example["pullguard"]["variables"]
    assert remote == f"{own['PULLGUARD_SOURCE']}/raw/{own['PULLGUARD_REVISION']}/integrations/gitlab.yml"
    own["PULLGUARD_SOURCE"] = published.source
    (published.repository / "charts" / "rendered").mkdir(parents=True)
    (published.repository / "charts" / "rendered" / "web.yaml").write_text("kind: Pod\n")
    (published.repository / "known.json").write_text('{"version": 1, "findings": []}')
    ended = published.run(script, **{**job["variables"], **own})
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("deploy/dns.yaml:9: high: pull-policy-always\n")
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads((published.repository / reports["codequality"]).read_text())
    assert issue["location"] == {"path": "deploy/dns.yaml", "lines": {"begin": 9}}
    assert 'failures="1"' in (published.repository / reports["junit"]).read_text()


def _jenkins(checkout: Path) -> tuple[str, dict[str, str], list[str]]:
    """Return the Jenkinsfile, its variables, and its scripts as Groovy passes them to the shell."""
    text = (checkout / "integrations/Jenkinsfile").read_text()
    blocks = re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
    # In such a string, Groovy removes a backslash at the end of a line together with the line break.
    scripts = [block.replace("\\\n", "") for block in blocks]
    return text, dict(re.findall(r"^\s*(PULLGUARD_\w+) = '(.*)'$", text, re.MULTILINE)), scripts


def test_the_jenkinsfile(checkout: Path, published: Published) -> None:
    _with_modules(published.repository)
    text, variables, scripts = _jenkins(checkout)
    assert text.count("{") == text.count("}")
    assert (len(scripts), text.count(" sh '")) == (2, 2)
    variables["PULLGUARD_SOURCE"] = published.source
    # Where the index does not have pullguard, pip takes the address of its wheel on the page of the release.
    (wheel,) = (wheel.name for wheel in published.release.wheels.glob("*manylinux*x86_64*.whl"))
    address = published.release.index["PIP_EXTRA_INDEX_URL"].replace("/simple", f"/packages/{wheel}")
    variables |= {"PIP_EXTRA_INDEX_URL": "", "PIP_FIND_LINKS": address}
    installed = published.run(scripts[0], **variables)
    assert (installed.returncode, installed.stdout) == (0, ""), installed
    ended = published.run(scripts[1], **variables)
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("deploy/dns.yaml:9: high: pull-policy-always\n")
    for file in re.findall(r"'(pullguard\.\w+)'", text):
        assert (published.repository / file).is_file()


@pytest.mark.parametrize("system", ["gitlab", "jenkins"])
def test_a_revision_that_is_no_release(system: str, checkout: Path, published: Published) -> None:
    """Neither one without hashes, nor one whose hashes are those of other wheels."""
    script = "\n".join(_gitlab(checkout)["before_script"]) if system == "gitlab" else _jenkins(checkout)[2][0]
    variables = {"PULLGUARD_SOURCE": published.source, "PULLGUARD_REVISION": published.revision}
    _little(published.lock.parent)
    published.lock.write_text(_other_hash(published.lock.read_text()))
    ended = published.run(script, **variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in ended.stderr
    published.lock.write_text("# none\n")
    ended = published.run(script, **variables)
    assert (ended.returncode, ended.stdout) == (2, f"{published.revision} is not a release of pullguard\n")


def test_the_release_that_is_named(checkout: Path) -> None:
    """The newest one, wherever a file for users names one."""
    named = {
        (file, found)
        for file in ("action.yml", "docs/ci.md", "integrations/gitlab.yml", "integrations/Jenkinsfile")
        for found in re.findall(
            r"(?<!# )(?<![\w.-])(?:v|pullguard==|pullguard-)(\d+\.\d+\.\d+)\b", (checkout / file).read_text()
        )
    }
    assert {found for _, found in named} == {_version(checkout)}
    assert len(named) == 4
