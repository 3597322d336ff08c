"""The state of a cluster, read from files or live with kubectl."""

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from pullguard.cluster.kubectl import RefusedError, connected
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig, group_of
from pullguard.core.inputs import kubectl_lists
from pullguard.core.inputs.files import File, Found, find_files, unreadable
from pullguard.core.inputs.problems import InputError
from pullguard.engine.builds import KUSTOMIZATIONS, buildable, built_text
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine

Keep = Callable[[Mapping[str, Any]], Mapping[str, Any]]

_CHUNK = 500

_NO_OBJECT = "it holds no Kubernetes object; check whether the command that wrote it failed or lacks `-o json`"
_DISCOVERY_FAILED = re.compile(r"couldn't get (?:current server API group list|resource list for ([^:\s]+))")


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A kind of objects to keep in a snapshot.

    Attributes:
        group: The API group; "" for the core group.
        kind: The kind.
        resource: Its resource name in the API.
        namespaced: Whether its objects are useful only if their namespace is known.
    """

    group: str
    kind: str
    resource: str
    namespaced: bool = False

    @property
    def argument(self) -> str:
        """The resource name with its group, which is unambiguous for kubectl."""
        return f"{self.resource}.{self.group}" if self.group else self.resource


#: The kinds of workloads.
WORKLOADS = (
    Kind("apps", "Deployment", "deployments", namespaced=True),
    Kind("apps", "ReplicaSet", "replicasets", namespaced=True),
    Kind("apps", "StatefulSet", "statefulsets", namespaced=True),
    Kind("apps", "DaemonSet", "daemonsets", namespaced=True),
    Kind("", "ReplicationController", "replicationcontrollers", namespaced=True),
    Kind("batch", "Job", "jobs", namespaced=True),
    Kind("batch", "CronJob", "cronjobs", namespaced=True),
)


@dataclass(frozen=True, slots=True)
class Stored:
    """An object of a snapshot.

    Attributes:
        file: Where it was read; for a live cluster, a command such as "kubectl get pods".
        object: The object, a JSON value with a name; do not change it.
    """

    file: str
    object: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The requested part of the state of a cluster, as far as it could be read.

    Attributes:
        source: The name of the source, for people.
        live: Whether a cluster was read. If so, an object that is not in the snapshot does not exist.
        stored: The objects by kind, in the order in which they were read, with an entry for every requested kind.
        unreadable: The kinds that could not be read, each with the reason, sorted by kind.
        errors: The parts of files that could not be read.
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
        """The kinds without an object, sorted; kinds that could not be read are not among them."""
        return tuple(sorted(kind for kind in self.stored if not self.stored[kind] and kind not in self.unreadable))


def require_one_source(paths: Sequence[str], kubeconfig: str | None, context: str | None) -> None:
    """Refuse files together with a live cluster.

    Raises:
        PullguardError: Both are named.
    """
    if paths and (kubeconfig is not None or context is not None):
        raise PullguardError(
            "files and a live cluster cannot be read at once",
            remedy="leave out the files, or --kubeconfig and --context",
        )


def from_files(
    engine: Engine,
    kinds: Sequence[Kind],
    paths: Sequence[str],
    *,
    stdin: BinaryIO | None = None,
    keep: Keep | None = None,
    remedy: str = "dump one with `kubectl get KINDS -A -o json`; docs/scope.md says which kinds",
) -> Snapshot:
    """Read a snapshot from dumps and manifests. A kustomization is built, and its output is read instead of its files.

    If two objects have the same name, one without a uid wins over one with a uid: it is a manifest that has not been
    applied yet.

    Args:
        engine: The engine that reads the files.
        kinds: The kinds to keep; their names must differ.
        paths: Files and folders; "-" is stdin.
        stdin: The stream that "-" reads.
        keep: Returns the part of an object to keep. None: keep all of it.
        remedy: What to do if there is no object of these kinds.

    Raises:
        PullguardError: The input holds no object of these kinds, and no error explains why.
    """
    gathered = _Gathered(kinds, keep)
    gathered.take(
        Inputs(
            engine,
            _in_parts(_built(engine, list(find_files(paths)), gathered)),
            stdin=stdin,
            kinds=gathered.kinds,
            has_lines=False,
            is_ahead=True,
        )
    )
    snapshot = gathered.snapshot("the files", live=False, unreadable={})
    if not any(snapshot.stored.values()) and not snapshot.errors:
        raise PullguardError(
            f"the input holds no object of a kind that this command reads{gathered.left_out}",
            remedy=remedy,
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
    """Read a snapshot from a live cluster, a few kinds at once.

    A kind that the user may not read is in `unreadable`. A kind that the server does not know has no objects.

    Args:
        engine: The engine that reads kubectl's output.
        kinds: The kinds to read; their names must differ.
        kubeconfig: The file. None: kubectl's default, which in a pod is the cluster that the pod runs in.
        context: The context in the file. None: the current one.
        kubectl: The kubectl binary. None: kubectl on PATH.
        keep: Returns the part of an object to keep. None: keep all of it.

    Raises:
        PullguardError: kubectl does not exist, the cluster cannot be reached, or kubectl's output cannot be read.
    """
    gathered = _Gathered(kinds, keep)
    unreadable: dict[str, str] = {}
    requests = [(kind.argument, "--all-namespaces", "--output=json", f"--chunk-size={_CHUNK}") for kind in kinds]
    with (
        connected(kubeconfig=kubeconfig, context=context, program=kubectl) as cluster,
        closing(cluster.get_each(requests)) as outputs,
    ):
        for kind, output in zip(kinds, outputs, strict=True):
            if isinstance(output, RefusedError):
                reason = _why_unreadable(kind, output)
                if reason:
                    unreadable[kind.kind] = reason
            else:
                file = File(f"kubectl get {kind.argument}", output)
                gathered.take(Inputs(engine, [file], has_lines=False), asked=kind)
    if gathered.errors:
        first = gathered.errors[0]
        raise PullguardError(f"the output of kubectl cannot be read: {first.message}", file=first.file)
    return gathered.snapshot(cluster.source, live=True, unreadable=unreadable)


class _Gathered:
    """The objects and errors that were read so far."""

    def __init__(self, kinds: Iterable[Kind], keep: Keep | None) -> None:
        self._kept = keep or (lambda obj: obj)
        self._kinds = {(kind.group, kind.kind): kind for kind in kinds}
        self._stored: dict[str, dict[tuple[str, str], Stored]] = {kind.kind: {} for kind in self._kinds.values()}
        self.errors: list[InputError] = []
        self._without_namespace = 0

    @property
    def kinds(self) -> list[str]:
        """The kinds to keep, in the engine's notation."""
        return [f"{group}/{kind}" for group, kind in self._kinds]

    def take(self, inputs: Inputs, asked: Kind | None = None) -> None:
        """Keep the objects of some inputs. If a kind was asked for, an object of any other kind is an error."""
        for found in inputs:
            if isinstance(found, InputError):
                self.errors.append(found)
                continue
            kind = self._kinds.get((group_of(found.object), found.object["kind"]))
            if asked is not None and kind != asked:
                self._wrong(
                    found, f"this is a {found.object['kind']}, but only objects of kind {asked.kind} were asked for"
                )
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
            namespace = ""  # ignore what it states: the kind is cluster-scoped
        stored = self._stored[kind.kind]
        known = stored.setdefault((namespace, name), Stored(manifest.file, obj))
        if known.object == obj:
            return
        if _is_stored(known.object) == _is_stored(obj):
            self._wrong(manifest, f"another {kind.kind} {name} in {known.file} differs from this one, and was kept")
        elif _is_stored(known.object):
            stored[namespace, name] = Stored(manifest.file, obj)

    @property
    def left_out(self) -> str:
        """What else it holds: a part of a sentence, or ""."""
        number = self._without_namespace
        return f", but {number} without a namespace, which {'is' if number == 1 else 'are'} left out" if number else ""

    def _wrong(self, manifest: Manifest, message: str) -> None:
        self.errors.append(InputError(manifest.file, manifest.line(), manifest.document, message))

    def snapshot(self, source: str, *, live: bool, unreadable: Mapping[str, str]) -> Snapshot:
        notes = []
        if self._without_namespace:
            number = self._without_namespace
            left_out = (
                "1 object was left out, because it states"
                if number == 1
                else f"{number} objects were left out, because they state"
            )
            notes.append(f"{left_out} no namespace")
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
    """Return what to read: the output of kustomizations takes the place of the files that they are built from."""
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


def _in_parts(found: Iterable[Found | File]) -> Iterator[Found | File]:
    """Yield what is to be read, large lists in parts."""
    for each in found:
        yield from _parts(each) if isinstance(each, Path) else [each]


def _parts(path: Path) -> Iterator[Found | File]:
    is_split = False
    try:
        if path.stat().st_size > kubectl_lists.LARGE:
            for part in kubectl_lists.parts(path, os.fspath(path)):
                is_split = True
                yield part
    except OSError as error:
        if is_split:
            yield unreadable(path, error)
            return
    if not is_split:
        yield path  # whatever is wrong with it, its reader says


def _why_unreadable(kind: Kind, error: RefusedError) -> str:
    """Return why a kind cannot be read, or "" if the server has no such kind.

    Raises:
        RefusedError: The error is not about this kind alone.
    """
    if error.forbidden:
        return "forbidden"
    if not error.no_such_resource:
        raise error
    failed = _DISCOVERY_FAILED.search(error.words)
    if failed is None or (failed[1] or kind.group).partition("/")[0] != kind.group:
        return ""
    return "the server could not say whether it has such objects"
