"""What the Rego of a library, which may come from anybody, may do in conftest."""

import json
import subprocess
from collections.abc import Sequence

from pullguard.core.environment import bare_environment
from pullguard.core.errors import PullguardError

_SECONDS = 60


def capabilities(opa: Sequence[str]) -> str:
    """Return the capabilities of the engine's OPA, for conftest: without functions that reach out of policies.

    Raises:
        PullguardError: OPA cannot be run.
    """
    command = [*opa, "capabilities", "--current"]
    try:
        ended = subprocess.run(command, env=bare_environment(), capture_output=True, timeout=_SECONDS, check=True)
        return json.dumps({**json.loads(ended.stdout), "allow_net": []})
    except (OSError, subprocess.SubprocessError, TypeError, ValueError) as error:
        raise PullguardError(f"{opa[0]} does not say what its OPA can do ({error})") from error
