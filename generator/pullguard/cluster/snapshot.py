"""The state of a cluster: from files, or read live by kubectl. Nothing else of pullguard talks to a cluster."""

import io
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.errors import PullguardError, TimedOutError
from pullguard.evaluate import programs
from pullguard.findings import Problem
from pullguard.gatekeeper import dig, group_of
from pullguard.inputs import InputError, Inputs, Manifest

_TIMEOUT = 300.0
_REQUEST_TIMEOUT = "60s"
_CHUNK = 500

# What kubectl says, in all versions from 1.27 on. Only its words tell these apart: the exit code is 1 for all.
_FORBIDDEN = re.compile(r"\(Forbidden\)")
_NO_SUCH_RESOURCE = re.compile(r"the server doesn't have a resource type")
_DISCOVERY_FAILED = re.compile(r"couldn't get (?:current server API group list|resource list for ([^:\s]+))")
_SECRET = re.compile(r"(?i)\b(bearer\s+|token[=:]\s*)\S+")


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of objects that a snapshot is to hold.

    Attributes:
        group: The API group; "" for the core group.
        kind: The kind.
        resource: What the API calls it.
        namespaced: Whether its objects are of use only with their namespace.
    """

    group: str
    kind: str
    resource: str
    namespaced: bool = False

    @property
    def argument(self) -> str:
        """What kubectl calls it, so that no other group's resource of this name is meant."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a snapshot.

    Attributes:
        file: Where it was read; "kubectl get pods" and the like for a live cluster.
        object: The object, a JSON value with a name. Not to be changed.
    """

    file: str
    object: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state of a cluster, as far as it was asked for and could be read.

    Attributes:
        source: Where it comes from, for people.
        live: Whether a cluster was read: what a snapshot of one does not hold is not there.
        stored: By kind, in the order in which they were read; every kind that was asked for is there.
        unreadable: The kinds that could not be read, each with the reason, sorted by kind.
        errors: What could not be read in files.
        notes: What was left out, and why.
    """

    source: str
    live: bool
    stored: Mapping[str, tuple[Stored, ...]]
    unreadable: Mapping[str, str]
    errors: tuple[Problem, ...]
    notes: tuple[str, ...]

    def objects(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the objects of a kind."""
        return [entry.object for entry in self.stored[kind]]

    @property
    def empty(self) -> tuple[str, ...]:
        """The kinds that it holds no object of, sorted, without those that could not be read."""
        return tuple(sorted(kind for kind in self.stored if not self.stored[kind] and kind not in self.unreadable))


def from_files(kinds: Sequence[Kind], paths: Sequence[str], *, stdin: BinaryIO | None = None) -> Snapshot:
    """Read a snapshot from dumps and manifests.

    Args:
        kinds: What to keep; each name of a kind once.
        paths: Files and folders; "-" is stdin.
        stdin: What "-" reads.

    Raises:
        PullguardError: There is no object of these kinds in the input, and nothing else is wrong with it.
    """
    gathered = _Gathered(kinds)
    gathered.take(Inputs(paths, stdin=stdin))
    snapshot = gathered.snapshot("the files", live=False, unreadable={})
    if not any(snapshot.stored.values()) and not snapshot.errors:
        raise PullguardError(
            "nothing of a cluster is in the input",
            remedy="dump one with `kubectl get KINDS -A -o json`; docs/scope.md says which kinds",
        )
    return snapshot


def from_cluster(
    kinds: Sequence[Kind], *, kubeconfig: str | None = None, context: str | None = None, kubectl: str | None = None
) -> Snapshot:
    """Read a snapshot from a live cluster, one kind after the other.

    A kind that may not be read is among `unreadable`; one that the server does not know has no objects.

    Args:
        kinds: What to read; each name of a kind once.
        kubeconfig: The file; None: what kubectl uses by itself, which in a pod is the cluster around it.
        context: The context in it; None: the current one.
        kubectl: The program; None: kubectl on PATH.

    Raises:
        PullguardError: kubectl is not there, the cluster cannot be reached, or what it says cannot be read.
    """
    program = _kubectl(kubectl)
    options = [f"--request-timeout={_REQUEST_TIMEOUT}"]
    file = _kubeconfig(kubeconfig)
    if file is not None:
        options.append(f"--kubeconfig={file}")
    if context is not None:
        options.append(f"--context={context}")
    gathered = _Gathered(kinds)
    unreadable: dict[str, str] = {}
    with programs.private_folder() as folder:
        for kind in kinds:
            shown = f"kubectl get {kind.argument}"
            output, reason = _get(program, options, kind, folder)
            if reason:
                unreadable[kind.kind] = reason
            elif output:
                gathered.take(Inputs(["-"], stdin=io.BytesIO(output)), shown=shown)
    if gathered.errors:
        first = gathered.errors[0]
        raise PullguardError(f"kubectl wrote what cannot be read: {first.message}", file=first.file)
    source = "the cluster" if context is None else f"the cluster of context {context}"
    return gathered.snapshot(source, live=True, unreadable=unreadable)


class _Gathered:
    """What was read so far."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds = {(kind.group, kind.kind): kind for kind in kinds}
        self._stored: dict[str, dict[tuple[str, str], Stored]] = {kind.kind: {} for kind in self._kinds.values()}
        self.errors: list[Problem] = []
        self._without_namespace = 0

    def take(self, inputs: Iterable[Manifest | InputError], *, shown: str | None = None) -> None:
        for found in inputs:
            if isinstance(found, InputError):
                self.errors.append(Problem(shown or found.file, found.line, found.document, found.message))
                continue
            kind = self._kinds.get((group_of(found.object), found.object["kind"]))
            if kind is not None:
                self._keep(found, kind, shown or found.file)

    def _keep(self, manifest: Manifest, kind: Kind, file: str) -> None:
        obj = manifest.object
        name, namespace = dig(obj, "metadata", "name"), dig(obj, "metadata", "namespace")
        if not isinstance(name, str) or not name:
            self._wrong(manifest, file, f"this {kind.kind} has no name, so it was left out; dump it from the cluster")
            return
        if not isinstance(namespace, str) or not namespace:
            namespace = ""
            if kind.namespaced:
                self._without_namespace += 1
                return
        known = self._stored[kind.kind].setdefault((namespace, name), Stored(file, obj))
        if known.object != obj:
            self._wrong(
                manifest, file, f"another {kind.kind} {name} in {known.file} differs from this one; it was kept"
            )

    def _wrong(self, manifest: Manifest, file: str, message: str) -> None:
        self.errors.append(Problem(file, manifest.line(), manifest.document, message))

    def snapshot(self, source: str, *, live: bool, unreadable: Mapping[str, str]) -> Snapshot:
        notes = []
        if self._without_namespace:
            number = self._without_namespace
            objects = "1 object that states" if number == 1 else f"{number} objects that state"
            notes.append(f"{objects} no namespace left out: where they would go is not known")
        return Snapshot(
            source=source,
            live=live,
            stored={kind: tuple(stored.values()) for kind, stored in self._stored.items()},
            unreadable=dict(sorted(unreadable.items())),
            errors=tuple(self.errors),
            notes=tuple(notes),
        )


def _get(program: Path, options: Sequence[str], kind: Kind, folder: Path) -> tuple[bytes, str]:
    """Return what kubectl writes of a kind, empty if the server has no such kind; or why it may not be read."""
    arguments = [str(program), "get", kind.argument, "--all-namespaces", "--output=json", f"--chunk-size={_CHUNK}"]
    try:
        ended = programs.start([*arguments, *options], folder=folder, timeout=_TIMEOUT).wait()
    except TimedOutError:
        raise PullguardError(f"kubectl did not read {kind.argument} in {_TIMEOUT:.0f} seconds") from None
    if ended.code == 0:
        return ended.stdout, ""
    words = _SECRET.sub(r"\1(hidden)", ended.stderr)
    if _FORBIDDEN.search(words):
        return b"", "forbidden"
    if _NO_SUCH_RESOURCE.search(words):
        failed = _DISCOVERY_FAILED.search(words)
        if failed is None or (failed[1] or kind.group).partition("/")[0] != kind.group:
            return b"", ""
        return b"", "the server could not say whether it has such objects"
    raise PullguardError(
        f"kubectl could not read {kind.argument}: {words or f'it ended with code {ended.code}'}",
        remedy="see whether `kubectl get namespaces` works with the same --kubeconfig and --context",
    )


def _kubectl(stated: str | None) -> Path:
    found = shutil.which(stated or "kubectl")
    if found is None:
        raise PullguardError(
            f"{stated or 'kubectl'} is not a program that can be run",
            remedy="install kubectl, or give pullguard files that `kubectl get -o json` wrote elsewhere",
        )
    return Path(found).absolute()


def _kubeconfig(stated: str | None) -> str | None:
    """Return the kubeconfig as an absolute path: kubectl does not run in the folder of the user."""
    if stated is None:
        stated = os.environ.get("KUBECONFIG") or None
        if stated is None:
            return None
        files = stated.split(os.pathsep)
        if len(files) > 1:
            if all(Path(file).is_absolute() for file in files if file):
                return None  # kubectl reads the variable itself
            raise PullguardError(
                "the variable KUBECONFIG lists relative paths", remedy="name one file with --kubeconfig"
            )
    if not Path(stated).is_file():
        raise PullguardError("is no file", file=stated, remedy="name a kubeconfig with --kubeconfig")
    return str(Path(stated).absolute())
