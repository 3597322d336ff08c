"""The reader of the engine against Kubernetes' own, on inputs from Go's coverage-guided fuzzer."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

# Some seconds. Not a time: where that runs out while an input is tried, Go calls it a failure.
_INPUTS = 40_000


@pytest.mark.skipif(shutil.which("go") is None, reason="Go fuzzes what Go reads")
@pytest.mark.parametrize("target", ["FuzzYAML", "FuzzJSON", "FuzzFullYAML"])
def test_fuzzing(target: str, checkout: Path, tmp_path: Path) -> None:
    """The engine reads what Kubernetes' own reader reads."""
    command = ["go", "test", "./engine/read", "-run", "^$", "-fuzz", f"^{target}$", "-fuzztime", f"{_INPUTS}x"]
    shared = checkout.parent / "shared" / "corpus"
    done = subprocess.run(
        [*command, f"-test.fuzzcachedir={tmp_path}"],
        cwd=checkout / "tools",
        env=os.environ | {"CGO_ENABLED": "0", "PULLGUARD_CORPUS": str(shared / "real") if shared.exists() else ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
