"""What the Rego of a library, or of a Suite, may not do: it may come from anybody."""

import json
import re
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError

#: Functions that reach out of the policies, or tell what is around them: schemas may refer to files and servers.
WITHHELD = ("http.send", "json.match_schema", "json.verify_schema", "net.lookup_ip_addr", "opa.runtime")

_SECONDS = 60
# Where none of these words stands, none of the functions can be meant: they cannot be written otherwise.
_MAY_BE_MEANT = re.compile(r"\b(?:http|json|net|opa)\s*[.\[]")
_UNDEFINED = re.compile(rf"undefined function (?:{'|'.join(map(re.escape, WITHHELD))})\b")


def capabilities(opa: Sequence[str]) -> str:
    """Return the capabilities of an OPA without what reaches out, as its own and conftest's --capabilities take them.

    Raises:
        PullguardError: OPA cannot be run.
    """
    try:
        found = json.loads(_run(opa, "capabilities", "--current"))
        found["builtins"] = [each for each in found["builtins"] if each["name"] not in WITHHELD]
    except (ValueError, LookupError, TypeError) as error:
        raise PullguardError(f"{opa[0]} does not say its capabilities", remedy="use the OPA of pullguard") from error
    return json.dumps({**found, "allow_net": []})


def withheld_function(opa: Sequence[str], version: str, modules: Sequence[str]) -> str | None:
    """Return what OPA says of the first function in modules that is withheld; None if there is none.

    It is for OPA's server, which has no capabilities.

    Raises:
        PullguardError: OPA cannot be run.
    """
    if not any(map(_MAY_BE_MEANT.search, modules)):
        return None
    with tempfile.TemporaryDirectory(prefix="pullguard-") as name:
        folder = Path(name)
        (folder / "capabilities.json").write_text(capabilities(opa), encoding="ascii")
        for number, text in enumerate(modules):
            (folder / f"{number}.rego").write_text(text, encoding="utf-8", newline="")
        options = ["--v0-compatible"] if version == "v0" else []
        files = [f"{number}.rego" for number in range(len(modules))]
        said = _run(
            opa,
            "check",
            "--capabilities=capabilities.json",
            "--format=json",
            "--max-errors=0",
            *options,
            *files,
            cwd=folder,
        )
    found = _UNDEFINED.search(said.decode(errors="replace"))
    return None if found is None else found[0]


def _run(opa: Sequence[str], *arguments: str, cwd: Path | None = None) -> bytes:
    """Return what OPA writes; what is wrong with modules is on standard error."""
    try:
        ended = subprocess.run(
            [*opa, *arguments],
            cwd=cwd,
            env=bare_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PullguardError(f"{opa[0]} cannot be run: {error}") from error
    return ended.stdout + ended.stderr
