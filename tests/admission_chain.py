"""What Kubernetes' own code says of requests, with admission policies in force: tools/admission, as a process."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml


class AdmissionChain:
    """The admission plugins of the API server; to be closed.

    Args:
        program: tools/admission, built.
        objects: Admission policies, their bindings, and Namespaces.
        folder: Where to write them.
        oldest: The oldest version of Kubernetes whose API server has to take the expressions.

    Raises:
        ValueError: The API server would not accept the objects; says why. With the first request.
    """

    def __init__(self, program: Path, objects: Sequence[Mapping[str, Any]], folder: Path, oldest: str = "") -> None:
        file = folder / "objects.yaml"
        file.write_text(yaml.safe_dump_all(objects), "utf-8")
        self._process = subprocess.Popen(
            [program, f"-kubernetes={oldest}", file],
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
        """Return the verdict on a request as a webhook would be sent it.

        Args:
            request: The request of an AdmissionReview.
            typed: Whether its objects are of the API's own types: refused if they do not fit, else defaulted and
                mutated. Otherwise they are taken as they are.
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
    """Return the request that creates an object, or that makes it of an old one.

    Args:
        obj: The object, with a namespace.
        old: What an UPDATE finds.
        resource: What the API calls its kind, unless that is the kind in lower case with an s.
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
    """Return a Namespace as the API server keeps it."""
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name, **labels}},
    }
