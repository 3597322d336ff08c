"""Runs tools/admission, which evaluates admission policies by Kubernetes' own code."""

import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


class AdmissionChain:
    """The admission plugins of the API server, as a process; close it after use.

    Args:
        program: The tools/admission binary.
        objects: Admission policies, their bindings, and Namespaces.
        folder: The folder to write them to.
        oldest: The oldest version of Kubernetes whose API server must accept the expressions.
        always_pull: Whether the admission plugin AlwaysPullImages is turned on.

    Raises:
        ValueError: With the first request: the API server would not accept the objects. The message says why.
    """

    def __init__(
        self,
        program: Path,
        objects: Sequence[Mapping[str, Any]],
        folder: Path,
        oldest: str = "",
        *,
        always_pull: bool = False,
    ) -> None:
        # The process reads it in its own time, when another chain may have been made.
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", dir=folder, delete=False, encoding="utf-8") as file:
            yaml.safe_dump_all(objects, file)
        self._process = subprocess.Popen(
            [program, f"-kubernetes={oldest}", *(["-always-pull-images"] if always_pull else []), file.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def judge(self, request: Mapping[str, Any], *, typed: bool) -> dict[str, Any]:
        """Return the verdict on a request that a webhook would receive.

        Args:
            request: The request of an AdmissionReview.
            typed: Whether the objects are of built-in types. If so, they are refused if they do not fit, and otherwise
                defaulted and mutated. If not, they are used as they are.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"request": request, "typed": typed}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise ValueError(self._process.communicate()[1].strip())
        verdict: dict[str, Any] = json.loads(line)
        return verdict


def request(
    obj: Mapping[str, Any], *, old: Mapping[str, Any] | None = None, resource: str | None = None
) -> dict[str, Any]:
    """Return the request that creates an object, or that updates an old one to it.

    Args:
        obj: The object, with a namespace.
        old: The object before an UPDATE.
        resource: The resource name, unless it is the kind in lower case with an s.
    """
    group, _, version = str(obj["apiVersion"]).rpartition("/")
    metadata = obj["metadata"]
    return {
        "uid": "1",
        "kind": {"group": group, "version": version, "kind": obj["kind"]},
        "resource": {"group": group, "version": version, "resource": resource or f"{obj['kind'].lower()}s"},
        "operation": "CREATE" if old is None else "UPDATE",
        "namespace": metadata["namespace"],
        "name": metadata.get("name", ""),
        "userInfo": {"username": "someone"},
        "object": obj,
        **({} if old is None else {"oldObject": old}),
    }


def namespace(name: str, **labels: str) -> dict[str, Any]:
    """Return a Namespace as the API server stores it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}},
    }
