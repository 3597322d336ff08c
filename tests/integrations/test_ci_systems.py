"""The GitHub Action, the GitLab template and the Jenkinsfile: they are valid, and their scripts work."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

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

#: Commands that need a network, root or a container of the CI system.
_NOT_HERE = re.compile(r"apt-get ")


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
        self._source = source
        self.bash = bash
        self._folder = folder
        folder.mkdir()

    def name_source(self, repository: Path) -> str:
        """Return the hash of the first step, which identifies a version of pullguard."""
        ended = self._run(self.steps[0], repository)
        assert ended.returncode == 0, ended
        return self.outputs["hash"]

    def install(self, repository: Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        """Return the result of the second step."""
        return self._run(self.steps[1], repository, variables)

    def check(self, repository: Path, **inputs: str) -> "subprocess.CompletedProcess[str]":
        """Return the result of the last step with some inputs."""
        values = {f"inputs.{name}": value for name, value in inputs.items()}
        return self._run(self.steps[2], repository, values=values)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps that run a script."""
        steps = [step for step in self.document["runs"]["steps"] if "run" in step]
        assert len(steps) == 3
        return steps

    def _run(
        self,
        step: dict[str, Any],
        repository: Path,
        variables: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
    ) -> "subprocess.CompletedProcess[str]":
        inputs = {f"inputs.{name}": str(entry["default"]) for name, entry in self.document["inputs"].items()}
        known = {**inputs, "github.action_path": str(self._source), **(values or {})}
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


@pytest.fixture
def action(checkout: Path, source: Path, bash: Run, tmp_path: Path) -> Action:
    return Action(checkout, source, bash, tmp_path / "runner")


def test_what_the_action_runs_is_pinned(action: Action, checkout: Path) -> None:
    for step in action.document["runs"]["steps"]:
        assert "uses" not in step or re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", step["uses"])
    locked, whole = (
        set(re.split(r"\n(?=\S)", (checkout / name).read_text().strip()))
        for name in ("integrations/requirements.lock", "requirements.lock")
    )
    assert {entry for entry in locked if not entry.startswith("#")} <= whole


@pytest.mark.parametrize("file", ["action.yml", "integrations/gitlab.yml", "integrations/Jenkinsfile"])
def test_what_is_installed_is_locked(checkout: Path, file: str) -> None:
    """Pip installs from the lock file, or pullguard without dependencies."""
    text = (checkout / file).read_text().replace("\\\n", " ")
    installs = re.findall(r"pip\"? install (.*)", text)
    locked = [options for options in installs if "--require-hashes" in options and "requirements.lock" in options]
    alone = [options for options in installs if "--no-deps" in options]
    assert len(locked) == len(alone) == 1
    assert len(installs) == 2
    assert re.findall(r"pip\"? wheel (.*)", text) == re.findall(
        r"pip\"? wheel (--no-deps --no-build-isolation .*)", text
    )


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/verdict.yml"),
        ("vendor.github-issue-forms", ".github/ISSUE_TEMPLATE/other.yml"),
        ("vendor.github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
    ],
)
def test_forms_for_issues(checkout: Path, schema: str, file: str) -> None:
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


def test_the_action(action: Action, repository: Path) -> None:
    ended = action.install(repository)
    assert ended.returncode == 0, ended
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

    ended = action.check(repository, arguments="--baseline=absent.json")
    assert (ended.returncode, action.outputs, action.summary) == (2, {"exit-code": "2"}, "")
    assert ended.stderr.startswith("pullguard: absent.json: is not there")


def test_the_action_caches_its_build(
    action: Action, repository: Path, checkout: Path, source: Path, tmp_path: Path
) -> None:
    # A wheel without the engine is an error.
    bare = tmp_path / "bare"
    shutil.copytree(source, bare, ignore=shutil.ignore_patterns(".tools"))
    ended = action.install(repository, SOURCE=str(bare))
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("::error title=pullguard::the engine could not be built")
    shutil.rmtree(tmp_path / "runner" / "pullguard-wheel")
    ended = action.install(repository)
    assert ended.returncode == 0, ended
    # The wheel exists now, so nothing is built again.
    (tmp_path / "no-source" / "integrations").mkdir(parents=True)
    shutil.copy(checkout / "integrations" / "requirements.lock", tmp_path / "no-source" / "integrations")
    ended = action.install(repository, SOURCE=str(tmp_path / "no-source"))
    assert ended.returncode == 0, ended


def test_the_cache_key_depends_on_the_source(source: Path, tmp_path: Path, git: Run, bash: Run) -> None:
    names = []
    for folder in (tmp_path / "one", tmp_path / "same", tmp_path / "other"):
        git(tmp_path, "clone", "--quiet", str(source), str(folder))
        if folder.name == "other":
            (folder / "README.md").write_text("other")
        names.append(Action(folder, folder, bash, tmp_path / f"runner-{folder.name}").name_source(tmp_path))
    assert re.fullmatch("[0-9a-f]{64}", names[0])
    assert names[1] == names[0] != names[2]


def test_what_can_be_set_is_documented(action: Action, checkout: Path) -> None:
    page = (checkout / "docs/ci.md").read_text()
    job = yaml.safe_load((checkout / "integrations/gitlab.yml").read_text())["pullguard"]
    names = {*action.document["inputs"], *action.document["outputs"]}
    assert not [name for name in names if f"| `{name}` |" not in page]
    assert not [name for name in job["variables"] if name.startswith("PULLGUARD_") and name not in page]


def test_the_gitlab_template_is_valid(checkout: Path) -> None:
    options = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    _validate(checkout, *options, "integrations/gitlab.yml")


def _here(commands: list[str]) -> Iterator[str]:
    return (command for command in commands if not _NOT_HERE.search(command))


def test_the_gitlab_template(
    checkout: Path, repository: Path, source: Path, bash: Run, environment: Mapping[str, str]
) -> None:
    job = yaml.safe_load((checkout / "integrations/gitlab.yml").read_text())["pullguard"]
    assert len(list(_here(job["before_script"]))) == len(job["before_script"]) - 2
    script = "\n".join(_here([*job["before_script"], *job["script"]]))
    variables = {
        **job["variables"],
        "PULLGUARD_SOURCE": f"file://{source}",
        "PULLGUARD_ARGUMENTS": "--namespace kube-system",
        "PIP_CACHE_DIR": environment["PIP_CACHE_DIR"],
    }
    ended = bash(script, cwd=repository, **variables)
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("deploy/dns.yaml:9: high: pull-policy-always\n")
    reports = job["artifacts"]["reports"]
    (issue,) = json.loads((repository / reports["codequality"]).read_text())
    assert issue["location"] == {"path": "deploy/dns.yaml", "lines": {"begin": 9}}
    assert 'failures="1"' in (repository / reports["junit"]).read_text()


def test_the_jenkinsfile(checkout: Path, repository: Path, source: Path, bash: Run) -> None:
    text = (checkout / "integrations/Jenkinsfile").read_text()
    assert text.count("{") == text.count("}")
    one_line = re.findall(r"^\s*sh '([^'].*)'$", text, re.MULTILINE)
    blocks = re.findall(r"sh '''\n(.*?)'''", text, re.DOTALL)
    assert (len(list(_here(one_line))), len(blocks), text.count(" sh '")) == (0, 2, 3)
    variables = dict(re.findall(r"^\s*(PULLGUARD_\w+) = '(.*)'$", text, re.MULTILINE))
    # In such a string, Groovy removes a backslash at the end of a line together with the line break.
    for block in blocks:
        script = block.replace("\\\n", "")
        ended = bash(script, cwd=repository, **{**variables, "PULLGUARD_SOURCE": f"file://{source}"})
    assert ended.returncode == 1, ended
    assert ended.stdout.startswith("deploy/dns.yaml:9: high: pull-policy-always\n")
    for file in re.findall(r"'(pullguard\.\w+)'", text):
        assert (repository / file).is_file()
