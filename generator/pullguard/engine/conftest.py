"""conftest as a judge of batches: one `conftest test` for each, with a file for each object.

Each object has its own file because conftest merges the results of all documents of a file. The policies, with
rego/conftest/main, are those of plain conftest.
"""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core import programs
from pullguard.core.errors import PullguardError
from pullguard.engine.batches import Answer, Batch, PolicyError, Response, response_from
from pullguard.engine.confinement import capabilities
from pullguard.engine.groups import Group
from pullguard.engine.process import opa

_TIMEOUT = 600.0


@dataclass(frozen=True, slots=True)
class Conftest:
    """conftest with the policies of one group loaded.

    Attributes:
        program: The conftest binary.
        folder: A private folder with the policies; it is conftest's working directory, so that nobody else's
            conftest.json, .toml or .yaml is its configuration.
        arguments: The arguments that load the policies.
        timeout: How many seconds one batch may take.
    """

    program: str
    folder: Path
    arguments: tuple[str, ...]
    timeout: float = _TIMEOUT

    def start(self, batch: Batch) -> "ConftestRun":
        """Begin to judge a batch.

        Raises:
            PullguardError: conftest cannot be started.
        """
        folder = Path(tempfile.mkdtemp(prefix="batch-", dir=self.folder))
        inputs = folder / "objects"
        inputs.mkdir()
        for index, text in enumerate(batch.objects):
            (inputs / f"{index}.json").write_text(text, encoding="ascii")
        known = {"namespace": batch.namespace, "namespaces": batch.namespaces, "inventory": batch.inventory}
        (folder / "known.json").write_text(json.dumps({"pullguard": known}), encoding="ascii")
        arguments = [
            self.program,
            *self.arguments,
            "--data",
            f"{folder.name}/known.json",
            f"{folder.name}/objects",
        ]
        program = programs.start(arguments, folder=self.folder, timeout=self.timeout, confined=True)
        return ConftestRun(program, folder, f"{folder.name}/objects", len(batch.objects))


@dataclass(frozen=True, slots=True)
class ConftestRun:
    """A running `conftest test`.

    Attributes:
        program: The process.
        folder: Its input, which is removed afterwards.
        inputs: The folder of the objects, as conftest names it.
        objects: How many objects it judges.
    """

    program: programs.Program
    folder: Path
    inputs: str
    objects: int

    def answers(self) -> list[Answer]:
        """Wait for the answers, one for each object.

        Raises:
            PolicyError: A policy failed for at least one object.
            TimedOutError: conftest did not answer in time.
            PullguardError: conftest failed, whatever the objects are.
        """
        try:
            results = _results(self.program.wait())
        finally:
            self.stop()
        by_name = {result.get("filename"): result for result in results}
        names = [f"{self.inputs}/{index}.json" for index in range(self.objects)]
        if len(results) != self.objects or set(names) != set(by_name):
            raise PullguardError("conftest did not give a result for each object")
        return [_answer(by_name[name]) for name in names]

    def stop(self) -> None:
        """End it if it still runs."""
        self.program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def conftest(program: str, group: Group, *, folder: Path) -> Conftest:
    """Write the policies of a group to a private folder and return the judge.

    Args:
        program: The conftest binary.
        group: Templates and constraints.
        folder: An empty folder that only this user can read.

    Raises:
        PullguardError: A template has a name that no template can have.
    """
    for name, text in group.modules("gatekeeper", "conftest").items():
        path = folder / "policy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "data.json").write_text(json.dumps({"pullguard": group.data()}), encoding="ascii")
    (folder / "capabilities.json").write_text(capabilities(opa()), encoding="ascii")
    # Relative paths, since conftest splits paths at commas.
    arguments = (
        *("test", "--output", "json", "--no-color", "--parser", "json", "--namespace", "main"),
        *("--rego-version", group.version, "--policy", "policy", "--data", "data.json"),
        # Without them, conftest also has functions that read files.
        *("--capabilities", "capabilities.json"),
    )
    return Conftest(program, folder, arguments)


def _results(ended: programs.Ended) -> list[Mapping[str, Any]]:
    """Return what conftest wrote, judged by code and shape: code 1 is for findings and failures alike."""
    try:
        results = json.loads(ended.stdout)
    except ValueError:
        results = None
    if isinstance(results, list) and all(isinstance(result, dict) for result in results):
        failed = any(result.get("failures") for result in results)
        if ended.code == int(failed):
            return results
    if "evaluating policy: " in ended.stderr:
        raise PolicyError(ended.stderr.rpartition("evaluating policy: ")[2])
    reason = ended.reason.removeprefix("Error: running test: ")
    raise PullguardError(f"conftest ended with code {ended.code} and no result: {reason}")


def _answer(result: Mapping[str, Any]) -> Answer:
    found = [*result.get("failures", []), *result.get("warnings", [])]
    try:
        bare = [entry for entry in found if "violation" not in entry["metadata"]]
        if bare:
            raise PullguardError(f"conftest: {bare[0]['msg']}")
        metadata = [entry["metadata"] for entry in found]
        responses = tuple(_response(entry) for entry in metadata)
    except (KeyError, TypeError) as error:
        raise PullguardError(f"conftest gave a result that pullguard cannot read ({error!r})") from error
    if not metadata:
        return Answer("", ())
    return Answer(metadata[0]["namespace"], responses)


def _response(metadata: Mapping[str, Any]) -> Response:
    return response_from(metadata, metadata["violation"])
