"""Inputs of any size, and the commands that read them. Tests and bench/growth.py check that time grows linearly."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from small_library import template

_POD = """\
---
apiVersion: v1
kind: Pod
metadata: {{name: p{0}, namespace: kube-system}}
spec:
  containers:
  - {{name: c, image: "registry.example.com/a{0}:1", imagePullPolicy: Always}}
"""
_SAYS_EACH_IMAGE = """\
package images

violation contains {"msg": sprintf("%s has the image %s", [container.name, container.image])} if {
	some container in input.review.object.spec.containers
}
"""

#: A function that writes an input of a size to a folder, and returns the arguments of pullguard.
Write = Callable[[Path, int], list[str]]


def _one_file(text: Callable[[int], str], *command: str) -> Write:
    def write(folder: Path, size: int) -> list[str]:
        file = folder / "input.yaml"
        file.write_text(text(size), "utf-8")
        return [*command, str(file)]

    return write


def _one_pod(size: int) -> str:
    containers = (
        f"  - {{name: c{place}, image: 'registry.example.com/a{place}:1', imagePullPolicy: Always}}\n"
        for place in range(size)
    )
    return "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: kube-system}\nspec:\n  containers:\n" + "".join(
        containers
    )


def _pods(size: int) -> str:
    return "".join(_POD.format(place) for place in range(size))


def _pods_of_one_name(size: int) -> str:
    item = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "p", "namespace": "kube-system"},
        "spec": {"containers": [{"name": "c", "image": "registry.example.com/a:1", "imagePullPolicy": "Always"}]},
    }
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [item] * size})


def _namespaces(size: int) -> str:
    return "".join(
        f"---\napiVersion: v1\nkind: Namespace\nmetadata: {{name: n{place}, labels: {{team: t{place}}}}}\n"
        for place in range(size)
    )


def _by_another_library(folder: Path, size: int) -> list[str]:
    library = folder / "others"
    library.mkdir(exist_ok=True)
    (library / "template.yaml").write_text(json.dumps(template("Images", _SAYS_EACH_IMAGE)), "utf-8")
    constraint = {"apiVersion": "constraints.gatekeeper.sh/v1beta1", "kind": "Images", "metadata": {"name": "images"}}
    (library / "constraint.yaml").write_text(json.dumps(constraint), "utf-8")
    return [*_one_file(_one_pod, "check")(folder, size), "--library", str(library)]


def _many_charts(folder: Path, size: int) -> list[str]:
    """Write charts that cannot be rendered, so that their files are judged as plain manifests."""
    for place in range(size):
        templates = folder / "charts" / str(place) / "templates"
        templates.mkdir(parents=True, exist_ok=True)
        (templates.parent / "Chart.yaml").write_text("name: [\n", "utf-8")
        (templates / "pod.yaml").write_text(_POD.format(place), "utf-8")
    return ["check", str(folder / "charts")]


def _audited(size: int) -> str:
    violations = [
        {
            "enforcementAction": "dryrun",
            "group": "",
            "kind": "Pod",
            "message": f'container "c" image "registry.example.com/a{place}:1": imagePullPolicy is Always',
            "name": f"p{place}",
            "namespace": f"n{place}",
            "version": "v1",
        }
        for place in range(size)
    ]
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": "protected"},
        "spec": {"enforcementAction": "dryrun"},
        "status": {"auditTimestamp": "2026-01-01T00:00:00Z", "totalViolations": size, "violations": violations},
    }
    return json.dumps(constraint) + "\n---\n" + _namespaces(size)


def _cluster(size: int) -> str:
    constraint = {
        "apiVersion": "constraints.gatekeeper.sh/v1beta1",
        "kind": "K8sProtectedPullPolicy",
        "metadata": {"name": "protected"},
        "spec": {"enforcementAction": "deny", "match": {"namespaces": ["kube-system"]}},
        "status": {},
    }
    namespace = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n"
    return json.dumps(constraint) + "\n" + namespace + _pods(size)


#: By what grows: the function that writes the input, a size at which superlinear growth would show, the exit code.
GROWING: dict[str, tuple[Write, int, int]] = {
    "findings in one pod": (_one_file(_one_pod, "check"), 1_000, 1),
    "findings of a library of others in one pod": (_by_another_library, 1_000, 1),
    "Namespaces": (_one_file(_namespaces, "check"), 6_000, 0),
    "pods": (_one_file(_pods, "check"), 500, 1),
    "pods, fix --diff": (_one_file(_pods, "fix", "--diff"), 500, 1),
    "pods of one name in a List, fix --diff": (_one_file(_pods_of_one_name, "fix", "--diff"), 1_000, 1),
    "empty documents": (_one_file("---\n".__mul__, "check"), 250_000, 0),
    "line feeds": (_one_file("\n".__mul__, "check"), 50_000_000, 0),
    "charts that cannot be rendered": (_many_charts, 100, 2),
    "violations and Namespaces of an audit": (_one_file(_audited, "audit"), 1_000, 1),
    "pods, scope": (_one_file(_cluster, "scope"), 500, 0),
}


def cpu_seconds(what: str, folder: Path, times: int) -> float:
    """Return the CPU seconds for an input in a folder that is `times` as large as GROWING states."""
    write, size, code = GROWING[what]
    program = [sys.executable, "-m", "pullguard", *write(folder, times * size)]
    with Path(os.devnull).open("wb") as nowhere:
        actions = [(os.POSIX_SPAWN_DUP2, nowhere.fileno(), target) for target in (1, 2)]
        pid = os.posix_spawn(sys.executable, program, os.environ, file_actions=actions)
        _, status, used = os.wait4(pid, 0)
    if os.waitstatus_to_exitcode(status) != code:
        raise RuntimeError(f"{program} has ended with {os.waitstatus_to_exitcode(status)}")
    return used.ru_utime + used.ru_stime
