"""`gator policy` with a catalog on disk and a cluster."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_CONFLICT = "the object has been modified; please apply your changes to the latest version and try again"


@dataclass(frozen=True, slots=True)
class GatorPolicy:
    """The command of one user.

    Attributes:
        gator: The gator binary.
        home: The folder where it keeps its copy of the catalog.
        catalog: The catalog.
        kubeconfig: The cluster. The file need not exist if the command does not contact a cluster.
    """

    gator: Path
    home: Path
    catalog: Path
    kubeconfig: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run it. Repeat it if Gatekeeper has modified an object in between, as gator's message asks."""
        done = subprocess.run(
            [self.gator, "policy", *arguments],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self.home),
                "GATOR_HOME": str(self.home / "gator"),
                "GATOR_CATALOG_URL": f"file://{self.catalog}",
                "KUBECONFIG": str(self.kubeconfig),
            },
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode and _CONFLICT in done.stdout + done.stderr:
            return self.run(*arguments)
        return done

    def __call__(self, *arguments: str) -> Any:
        """Run it, and return its output as JSON. A failure ends the test."""
        done = self.run(*arguments, "--output=json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)
