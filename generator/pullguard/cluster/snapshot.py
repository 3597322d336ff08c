"""The state of a cluster: from files, or read live by kubectl."""

import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.cluster.kubectl import Kubectl, RefusedError, connected
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig, group_of
from pullguard.core.inputs.files import File, Found, find_files
from pullguard.core.inputs.problems import InputError
from pullguard.engine.builds import KUSTOMIZATIONS, buildable, built_text
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine

Keep = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_CHUNK = 500

_NO_OBJECT = "there is no Kubernetes object in it; see whether the command that wrote it has failed or lacks `-o json`"
_DISCOVERY_FAILED = re.compile(r"couldn't get (?:current server API group list|resource list for ([^:\s]+))")


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
        live: Whether a cluster was read: what its snapshot does not hold does not exist.
        stored: By kind, in the order in which they were read; every kind that was asked for is there.
        unreadable: The kinds that could not be read, each with the reason, sorted by kind.
        errors: What could not be read in files.
        notes: What was left out, and why.
    """

    source: str
    live: bool
    stored: Mapping[str, tuple[Stored, ...]]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]

    def objects(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the objects of a kind."""
        return [entry.object for entry in self.stored[kind]]

    @property
    def empty(self) -> tuple[str, ...]:
        """The kinds that it holds no object of, sorted, without those that could not be read."""
        return tuple(sorted(kind for kind in self.stored if not self.stored[kind] and kind not in self.unreadable))


def from_files(
    engine: Engine,
    kinds: Sequence[Kind],
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    keep: Keep | None = None,
) -> Snapshot:
    """Read a snapshot from dumps and manifests; a kustomization stands for what is built of it.

    What no API server has stored yet, as it has no uid, goes before what one has: it is what is to be applied.

    Args:
        engine: What reads them.
        kinds: What to keep; each name of a kind once.
        paths: Files and folders; "-" is stdin.
        stdin: What "-" reads.
        keep: What is kept of an object; None: all of it.

    Raises:
        PullguardError: There is no object of these kinds in the input, and nothing else is wrong with it.
    """
    gathered = _Gathered(kinds, keep)
    gathered.take(Inputs(engine, _built(engine, list(find_files(paths)), gathered), stdin=stdin, kinds=gathered.kinds))
    snapshot = gathered.snapshot("the files", live=False, unreadable={})
    if not any(snapshot.stored.values()) and not snapshot.errors:
        raise PullguardError(
            "nothing of a cluster is in the input",
            remedy="dump one with `kubectl get KINDS -A -o json`; docs/scope.md says which kinds",
        )
    return snapshot


def from_cluster(
    engine: Engine,
    kinds: Sequence[Kind],
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    keep: Keep | None = None,
) -> Snapshot:
    """Read a snapshot from a live cluster, one kind after the other.

    A kind that may not be read is among `unreadable`; one that the server does not know has no objects.

    Args:
        engine: What reads what kubectl writes.
        kinds: What to read; each name of a kind once.
        kubeconfig: The file; None: what kubectl uses by itself, which in a pod is the cluster around it.
        context: The context in it; None: the current one.
        kubectl: The program; None: kubectl on PATH.
        keep: What is kept of an object; None: all of it.

    Raises:
        PullguardError: kubectl is not there, the cluster cannot be reached, or what it says cannot be read.
    """
    gathered = _Gathered(kinds, keep)
    unreadable: dict[str, str] = {}
    with connected(kubeconfig=kubeconfig, context=context, program=kubectl) as cluster:
        for kind in kinds:
            output, reason = _get(cluster, kind)
            if reason:
                unreadable[kind.kind] = reason
            elif output:
                gathered.take(Inputs(engine, [File(f"kubectl get {kind.argument}", output)]), asked=kind)
    if gathered.errors:
        first = gathered.errors[0]
        raise PullguardError(f"kubectl wrote what cannot be read: {first.message}", file=first.file)
    return gathered.snapshot(cluster.source, live=True, unreadable=unreadable)


class _Gathered:
    """What was read so far."""

    def __init__(self, kinds: Iterable[Kind], keep: Keep | None) -> None:
        self._kept = keep or (lambda obj: obj)
        self._kinds = {(kind.group, kind.kind): kind for kind in kinds}
        self._stored: dict[str, dict[tuple[str, str], Stored]] = {kind.kind: {} for kind in self._kinds.values()}
        self.errors: list[InputError] = []
        self._without_namespace = 0

    @property
    def kinds(self) -> list[str]:
        """The kinds that are kept, as the engine has them."""
        return [f"{group}/{kind}" for group, kind in self._kinds]

    def take(self, inputs: Inputs, asked: Kind | None = None) -> None:
        """Keep what is in some inputs; anything but what was asked for is an error, if that is stated."""
        for found in inputs:
            if isinstance(found, InputError):
                self.errors.append(found)
                continue
            kind = self._kinds.get((group_of(found.object), found.object["kind"]))
            if asked is not None and kind != asked:
                self._wrong(found, f"a {found.object['kind']} where each object is to be a {asked.kind}")
            elif kind is not None:
                self._keep(found, kind)
        self.errors += [InputError(file, None, None, _NO_OBJECT) for file in inputs.without_objects]

    def _keep(self, manifest: Manifest, kind: Kind) -> None:
        obj = self._kept(manifest.object)
        name, namespace = dig(obj, "metadata", "name"), dig(obj, "metadata", "namespace")
        if not isinstance(name, str) or not name:
            self._wrong(manifest, f"this {kind.kind} has no name, so it was left out; dump it from the cluster")
            return
        if not isinstance(namespace, str) or not namespace:
            namespace = ""
            if kind.namespaced:
                self._without_namespace += 1
                return
        elif not kind.namespaced:
            namespace = ""  # whatever it states: there is one of the name
        stored = self._stored[kind.kind]
        known = stored.setdefault((namespace, name), Stored(manifest.file, obj))
        if known.object == obj:
            return
        if _is_stored(known.object) == _is_stored(obj):
            self._wrong(manifest, f"another {kind.kind} {name} in {known.file} differs from this one; it was kept")
        elif _is_stored(known.object):
            stored[namespace, name] = Stored(manifest.file, obj)

    def _wrong(self, manifest: Manifest, message: str) -> None:
        self.errors.append(InputError(manifest.file, manifest.line(), manifest.document, message))

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


def _is_stored(obj: Mapping[str, Any]) -> bool:
    return dig(obj, "metadata", "uid") is not None


def _built(engine: Engine, found: Sequence[Found], gathered: _Gathered) -> list[Found | File]:
    """Return what is to be read: what kustomizations make in the place of the files that they are built from."""
    shown = [os.fspath(each.absolute()) for each in found if isinstance(each, Path) and each.name in KUSTOMIZATIONS]
    made: list[File] = []
    read = {os.path.realpath(file) for file in shown}
    for build in buildable(engine, shown, "roots") if shown else ():
        name = f"kustomize build {os.path.relpath(build.path)}"
        text, end = built_text(engine, build)
        if end.failure:
            gathered.errors.append(InputError(name, None, None, f"it cannot be built: {end.failure}"))
        else:
            made.append(File(name, text))
            read.update(os.path.realpath(file) for file in end.files)
    return [*(each for each in found if not isinstance(each, Path) or os.path.realpath(each) not in read), *made]


def _get(cluster: Kubectl, kind: Kind) -> tuple[bytes, str]:
    """Return what kubectl writes of a kind, empty if the server has no such kind; or why it may not be read."""
    try:
        return cluster.get(kind.argument, "--all-namespaces", "--output=json", f"--chunk-size={_CHUNK}"), ""
    except RefusedError as error:
        if error.forbidden:
            return b"", "forbidden"
        if not error.no_such_resource:
            raise
        failed = _DISCOVERY_FAILED.search(error.words)
        if failed is None or (failed[1] or kind.group).partition("/")[0] != kind.group:
            return b"", ""
        return b"", "the server could not say whether it has such objects"
