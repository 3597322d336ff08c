"""OPA as the engine for batches: one `opa eval` for each."""

import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core import programs
from pullguard.core.errors import PullguardError
from pullguard.engine.batches import Answer, Batch, PolicyError, answer_from, loads
from pullguard.engine.confinement import capabilities
from pullguard.engine.groups import Group

_QUERY = "data.gatekeeper.batch.results"
_TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class OpaBatch:
    """OPA with the policies of one group loaded.

    Attributes:
        program: The opa binary.
        folder: A private folder with the policies; inputs are written to it.
        arguments: What loads the policies.
        timeout: How many seconds one batch may take.
    """

    program: Path
    folder: Path
    arguments: tuple[str, ...]
    timeout: float = _TIMEOUT

    def start(self, batch: Batch) -> "OpaRun":
        """Begin to judge a batch.

        Raises:
            PullguardError: OPA cannot be started.
        """
        rest = json.dumps({"namespace": batch.namespace, "namespaces": batch.namespaces})
        with tempfile.NamedTemporaryFile(
            "w", encoding="ascii", dir=self.folder, suffix=".json", delete=False
        ) as stream:
            stream.write('{"objects":[')
            stream.write(",".join(batch.objects))
            stream.write(f"],{rest[1:]}")
        file = Path(stream.name)
        arguments = [str(self.program), *self.arguments, "--input", file.name, _QUERY]
        return OpaRun(
            programs.start(arguments, folder=self.folder, timeout=self.timeout, confined=True), file, len(batch.objects)
        )


@dataclass(frozen=True, slots=True)
class OpaRun:
    """A running `opa eval`.

    Attributes:
        program: The process.
        file: Its input, removed in the end.
        objects: How many objects it judges.
    """

    program: programs.Program
    file: Path
    objects: int

    def answers(self) -> list[Answer]:
        """Wait for the answers, one an object.

        Raises:
            PolicyError: A policy failed for at least one object.
            TimedOutError: OPA did not answer in time.
            PullguardError: OPA failed, whatever the objects are.
        """
        try:
            return _answers(self.program.wait(), self.objects)
        finally:
            self.stop()

    def stop(self) -> None:
        """End it if it still runs."""
        self.program.stop()
        self.file.unlink(missing_ok=True)


def opa_batch(program: Path, group: Group, *, folder: Path, rego: Path, **settings: Any) -> OpaBatch:
    """Write the policies of a group to a private folder of its own and return the engine.

    Args:
        program: The opa binary.
        group: Templates and constraints.
        folder: An empty folder that only this user can read.
        rego: The folder rego/ of pullguard.
        settings: More of data.pullguard, as rego/gatekeeper/batch reads it.
    """
    group.write(folder / "policy", rego / "gatekeeper")
    (folder / "data.json").write_text(group.data(**settings), encoding="ascii")
    # Relative paths: OPA takes what stands before a colon in a path for a place in data.
    (folder / "capabilities.json").write_text(capabilities(program), encoding="ascii")
    arguments = ["eval", "--format", "json", "--capabilities", "capabilities.json"]
    arguments += ["--data", "policy", "--data", "data.json"]
    if group.version == "v0":
        arguments.append("--v0-compatible")
    return OpaBatch(program, folder, tuple(arguments))


def _answers(ended: programs.Ended, objects: int) -> list[Answer]:
    """Return the answers in what OPA wrote, judged by its exit code, errors and shape."""
    try:
        output = loads(ended.stdout)
    except ValueError:
        output = None
    errors = output.get("errors") if isinstance(output, dict) else None
    if errors:
        raise _error(errors)
    value = _value(output)
    if ended.code != 0 or not isinstance(value, list) or len(value) != objects:
        raise PullguardError(f"opa ended with code {ended.code} and no answer for each object: {ended.reason}")
    return [answer_from(answer) for answer in value]


def _value(output: Any) -> Any:
    try:
        return output["result"][0]["expressions"][0]["value"]
    except (KeyError, IndexError, TypeError):
        return None


def _error(errors: Sequence[Any]) -> Exception:
    """Return the error that OPA reports: that of a policy while it ran, or that of loading the policies."""
    text = "; ".join(dict.fromkeys(_in_words(error) for error in errors))
    if all(isinstance(error, dict) and str(error.get("code", "")).startswith("eval_") for error in errors):
        return PolicyError(text)
    return PullguardError(f"opa cannot load the policies: {text}")


def _in_words(error: Any) -> str:
    message = " ".join(str(error.get("message", error)).split()) if isinstance(error, dict) else str(error)
    location = error.get("location") if isinstance(error, dict) else None
    if not isinstance(location, dict) or not location.get("file"):
        return message
    return f"{str(location['file']).removeprefix('policy/')}:{location.get('row')}: {message}"
