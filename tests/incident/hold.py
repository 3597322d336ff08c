"""Runs the cluster with a pod until it is ended. Run it as a program; the argument is the folder of the programs."""

import signal
import sys
from pathlib import Path

from incident.pods import settled
from incident.site import site


def main() -> None:
    """Print the outcome of the pod and its cgroup, and wait."""
    with site(Path(sys.argv[1])) as held:
        held.registry.add(held.plane.binaries / "pause", "/pause", "held", "1")
        spec = {"containers": [{"name": "c", "image": "registry.example/held:1"}]}
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "held"}, "spec": spec}
        held.kubectl("create", "--filename=-", stdin=pod)
        (found,) = settled(held.kubectl, "default", ["held"])
        sys.stdout.write(f"{found.outcome} {held.cgroup}\n")
        sys.stdout.flush()
        signal.pause()


if __name__ == "__main__":
    main()
