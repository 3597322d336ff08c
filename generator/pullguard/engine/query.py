"""One query over the project's own Rego, by `opa eval`."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pullguard.core import programs
from pullguard.core.errors import PullguardError, TimedOutError
from pullguard.core.resources import rego_directory
from pullguard.engine.batches import loads
from pullguard.engine.confinement import capabilities

_TIMEOUT = 300.0


def write_modules(folder: Path, modules: Mapping[str, Sequence[str]]) -> None:
    """Write modules of rego/ into a folder: by the folder below rego/ that holds their packages, their names."""
    for package, names in modules.items():
        (folder / package).mkdir(parents=True)
        for name in names:
            text = (rego_directory() / package / name / f"{name}.rego").read_bytes()
            (folder / package / f"{name}.rego").write_bytes(text)


def evaluate(program: Path, folder: Path, query: str, document: Any, *options: str) -> Any:
    """Return the value of a query over the modules of a folder.

    Raises:
        PullguardError: OPA does not answer, fails, or the value is undefined.
    """
    try:
        text = json.dumps(document, allow_nan=False)
    except (ValueError, RecursionError) as error:
        raise PullguardError(f"the snapshot cannot be written as JSON ({error})") from error
    with tempfile.NamedTemporaryFile("w", encoding="ascii", dir=folder.parent, suffix=".json") as stream:
        stream.write(text)
        stream.flush()
        # Relative paths: OPA takes what stands before a colon in a path for a place in data.
        (folder.parent / "capabilities.json").write_text(capabilities(program), encoding="ascii")
        arguments = ["eval", "--format", "json", "--capabilities", "capabilities.json"]
        arguments += ["--data", folder.name, "--input", Path(stream.name).name]
        try:
            ended = programs.start(
                [str(program), *arguments, *options, query], folder=folder.parent, timeout=_TIMEOUT, confined=True
            ).wait()
        except TimedOutError:
            raise PullguardError(f"opa did not answer {query} in {_TIMEOUT:.0f} seconds") from None
    try:
        output = loads(ended.stdout)
        return output["result"][0]["expressions"][0]["value"]
    except (ValueError, KeyError, IndexError, TypeError) as error:
        reason = (
            programs.out_of_memory(ended.stderr)
            or ended.stderr
            or ended.stdout.decode(errors="replace")[:500]
            or "no message"
        )
        raise PullguardError(f"opa has no answer to {query}: {' '.join(reason.split())}") from error
