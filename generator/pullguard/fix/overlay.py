"""`pullguard fix --as kustomize`: an overlay that fixes manifests which belong to others.

Nothing is taken on trust: the overlay is built before it is written, and must make what is built without its patches,
except for the values that were set.
"""

import io
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding, Report, value_at
from pullguard.core.findings import Path as Steps
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.build_options import BuildOptions, ChartOptions
from pullguard.core.inputs.files import STDIN_NAME, STDIN_PATHS, File, Found, chunks, find_files, shown
from pullguard.core.inputs.selection import ALL, Selection
from pullguard.core.text_files import write_bytes, write_text
from pullguard.engine.builds import KUSTOMIZATIONS, Build, built_text
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.fix.builds import differences
from pullguard.fix.command import FixReport, Left, has_fix, reported_by, require_one_stdin, with_pins
from pullguard.fix.manifests import wanted
from pullguard.fix.patches import is_merged, json_patch, kustomization, merge_patch
from pullguard.fix.plan import Plan, can_be_pinned, plan
from pullguard.judging import words
from pullguard.judging.exemptions import exempted
from pullguard.judging.judge import judge
from pullguard.judging.prepare import prepared

if TYPE_CHECKING:
    from pullguard.fix.pins import PinForm

_FILE = "kustomization.yaml"
_COPIES = "resources"
_COMMENT = "Written by `pullguard fix --as kustomize`, which writes it anew: what you change here is lost then."
_LOST = "kustomize leaves its object out, so no overlay can fix it: fix the file, or apply it by itself"
_APART = "its patch would change something else as well: patch it by hand"

JSON = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Resources:
    """What an overlay is laid over.

    Attributes:
        names: The entries of `resources`.
        copies: Texts of files to write, by their paths in the folder of the overlay.
        referred: Files below that folder, by their paths in it.
        notes: What users should know, a sentence each.
        stated: The objects in all these files.
    """

    names: list[str] = field(default_factory=list)
    copies: dict[str, bytes] = field(default_factory=dict)
    referred: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stated: list[Manifest] = field(default_factory=list)


def overlay(
    paths: Sequence[str],
    folder: str,
    *,
    library: str | None = None,
    everywhere: bool = False,
    namespace: str = "",
    selection: Selection = ALL,
    namespace_labels: str | None = None,
    builds: BuildOptions | None = None,
    pin: Sequence[str] = (),
    pin_as: "PinForm | None" = None,
    exit_zero: bool = False,
    stdin: BinaryIO | None = None,
) -> FixReport:
    """Write an overlay that fixes findings of a library in manifests, which stay as they are.

    Args:
        paths: As for `fix`.
        folder: The folder of the overlay.
        library: As for `fix`.
        everywhere: As for `fix`.
        namespace: As for `fix`.
        selection: As for `fix`.
        namespace_labels: As for `fix`.
        builds: As for `fix`.
        pin: As for `fix`.
        pin_as: As for `fix`.
        exit_zero: As for `fix`.
        stdin: As for `fix`.

    Raises:
        PullguardError: As for `fix`; the folder holds something else, or kustomize cannot build the manifests.
    """
    require_one_stdin(paths, pin, pin_as)
    target = Path(folder).resolve()
    _require_own(target, folder)
    options = builds or BuildOptions()
    reported = reported_by(pin, stdin) if pin else None
    given = b"".join(chunks(stdin)) if STDIN_PATHS.intersection(paths) and stdin is not None else b""

    def judged(what: Sequence[str], data: bytes, chosen: Selection = ALL) -> Report:
        with Engine() as engine:
            rules = prepared(engine, library, everywhere=everywhere)
            return exempted(
                judge(
                    engine,
                    rules,
                    what,
                    namespace=namespace,
                    selection=chosen,
                    namespace_labels=namespace_labels,
                    builds=options,
                    stdin=io.BytesIO(data),
                )
            )

    original = judged(paths, given, selection)
    with Engine() as engine:
        files = find_files([path for path in paths if path not in STDIN_PATHS], selection)
        found = _resources(engine, original, target, files, options=options.charts, namespace=namespace)
        if given:
            found.stated.extend(_manifests(engine, STDIN_NAME, given))
            _copied(found, "stdin.yaml", given)
        if not found.names:
            raise PullguardError("there is nothing to lay an overlay over", remedy="name manifests")
        _require_free(target, folder, found)
        target.parent.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".pullguard-", dir=target.parent))
        try:
            stage = _Stage(engine, staging, target, found, folder)
            before = stage.built([])
            lost = _lost(found, _objects(engine, before))
            report = judged(["-"], before)
            planned = plan(report) if reported is None else with_pins(engine, report, reported, pin_as)
            patches = _Patches(stage, before, planned)
            after = judged(["-"], patches.text)
        finally:
            shutil.rmtree(staging)
    _write(Path(folder), found, patches.kustomization)
    places = _Places(original, f"{folder}/{_FILE}")
    fixed = [entry for place, entry in enumerate(planned.findings) if place not in patches.refused]
    reasons = {_key(entry): reason for entry, reason in planned.refused}
    reasons |= {_key(planned.findings[place]): reason for place, reason in patches.refused.items() if reason}

    def is_ours(entry: Finding) -> bool:
        return has_fix(entry) or (bool(pin) and can_be_pinned(entry))

    return FixReport(
        only_compared=False,
        changes=(),
        patch_base=None,
        fixed=tuple(sorted(map(places.of, fixed), key=lambda entry: (entry.file, entry.line))),
        left=(
            *(Left(places.of(entry), reasons.get(_key(entry))) for entry in after.findings if is_ours(entry)),
            *(Left(entry, _LOST) for entry in original.findings if is_ours(entry) and _position(entry) in lost),
        ),
        exempt=sum(is_ours(entry.finding) for entry in after.exempt),
        others=sum(not is_ours(entry) for entry in after.findings),
        errors=original.errors,
        output=None,
        library=original.library,
        notes=(*words.unjudged(after), *original.notes, *found.notes, *map(_lost_note, lost.values())),
        doubt=original.doubt,
        pins=planned.pins,
        exit_zero=exit_zero,
        written=(f"{folder}/{_FILE}", *(f"{folder}/{name}" for name in found.copies)),
    )


def _require_own(target: Path, folder: str) -> None:
    """Refuse a folder that is a kustomization which somebody else has written.

    Raises:
        PullguardError: It is.
    """
    if Path(folder).is_symlink():
        raise PullguardError(
            "is a symbolic link, and nothing is written through one", file=folder, remedy="name a folder"
        )
    if target.exists() and not target.is_dir():
        raise PullguardError("is not a folder, so no overlay can be written there", file=folder)
    for name in KUSTOMIZATIONS:
        file = target / name
        if file.is_file() and not (name == _FILE and _COMMENT in file.read_text("utf-8", "replace")):
            raise PullguardError(
                "is a kustomization that `fix` has not written, and is left as it is",
                file=f"{folder}/{name}",
                remedy="name a folder of its own for the overlay",
            )


def _require_free(target: Path, folder: str, found: _Resources) -> None:
    """Refuse to replace files that no overlay has brought.

    Raises:
        PullguardError: A copy would.
    """
    for name in found.copies:
        if name in found.referred or ((target / name).exists() and not (target / _FILE).exists()):
            raise PullguardError(
                "is a file that `fix` has not written, and is left as it is",
                file=f"{folder}/{name}",
                remedy="name a folder of its own for the overlay",
            )


def _resources(
    engine: Engine,
    report: Report,
    target: Path,
    files: Iterable[Found],
    *,
    options: ChartOptions,
    namespace: str,
) -> _Resources:
    """Return what an overlay is laid over: what is built, and the files that nothing is built of.

    Args:
        engine: What builds and reads.
        report: What was built of the input.
        target: The folder of the overlay.
        files: The files of the input.
        options: What charts are rendered with.
        namespace: The namespace of objects that state none; "" = not known.

    Raises:
        PullguardError: The overlay is among the files.
    """
    files = list(files)
    if any(isinstance(each, Path) and Path(os.path.realpath(each)) == target / _FILE for each in files):
        raise PullguardError(
            "the overlay itself is among the manifests",
            remedy="leave its folder out by --exclude, or name the manifests alone",
        )
    found = _Resources()
    used: set[str] = set()
    for build in report.builds:
        used |= build.files
        if build.installation is not None:
            found.notes.append(f"{build.name} is left out: fix it where it is installed, by a post-renderer")
        elif build.kind == "kustomization":
            found.names.append(os.path.relpath(os.path.realpath(build.path), target))
        else:
            text, _ = built_text(engine, Build("chart", build.path), options, namespace)
            name = _copied(found, f"{Path(build.path).name.removesuffix('.tgz')}.yaml", text)
            found.notes.append(f"{name} is what the chart {build.name} renders today: run this again when it changes")
    # Those below the folder first: no copy may take their names.
    for each in sorted(files, key=lambda file: not _is_below(file, target)):
        if not isinstance(each, Path) or os.path.realpath(each) in used or each.name in KUSTOMIZATIONS:
            continue
        data = each.read_bytes()
        manifests = _manifests(engine, shown(each), data)
        if not manifests:
            continue
        found.stated.extend(manifests)
        real = Path(os.path.realpath(each))
        if _is_below(each, target):
            found.referred.append(os.path.relpath(real, target))
            found.names.append(found.referred[-1])
        else:
            name = _copied(found, each.name, data)
            found.notes.append(f"{name} is a copy of {shown(each)}: run this again when that changes")
    return found


def _is_below(file: Found, target: Path) -> bool:
    return isinstance(file, Path) and Path(os.path.realpath(file)).is_relative_to(target)


def _manifests(engine: Engine, name: str, data: bytes) -> list[Manifest]:
    return [read for read in Inputs(engine, [File(name, data)]) if isinstance(read, Manifest)]


def _lost(found: _Resources, built: Mapping[int, JSON]) -> dict[tuple[object, ...], Manifest]:
    """Return the objects that kustomize leaves out, as an annotation can tell it, by their positions in the input."""
    kept = {_name(obj) for obj in built.values()}
    return {(each.file, each.document, each.item): each for each in found.stated if _name(each.object) not in kept}


def _name(obj: JSON) -> tuple[str, ...]:
    paths = (("apiVersion",), ("kind",), ("metadata", "namespace"), ("metadata", "name"))
    return tuple(str(dig(obj, *path) or "") for path in paths)


def _position(found: Finding) -> tuple[object, ...]:
    return found.file, found.document, found.item


def _lost_note(lost: Manifest) -> str:
    _, kind, namespace, name = _name(lost.object)
    return (
        f"kustomize leaves out {kind} {f'{namespace}/' if namespace else ''}{name} of {lost.file}: apply it by itself"
    )


def _copied(found: _Resources, name: str, data: bytes) -> str:
    """Note a file that is copied; return its path in the folder of the overlay."""
    path, number = f"{_COPIES}/{name}", 1
    while path in found.copies or path in found.referred:
        number += 1
        path = f"{_COPIES}/{Path(name).stem}-{number}{Path(name).suffix}"
    found.copies[path] = data
    found.names.append(path)
    return path


class _Stage:
    """A folder beside that of the overlay, in which it is tried: the same relative paths lead to the same places."""

    def __init__(self, engine: Engine, folder: Path, target: Path, found: _Resources, shown_as: str) -> None:
        self.engine = engine
        self._folder = folder
        self._found = found
        self._shown = shown_as
        for name, data in found.copies.items():
            self._put(name, data)
        files = {*found.copies, *found.referred}
        folders = [Path(name) for name in found.names if name not in files and Path(name).parts[0] != ".."]
        linked: list[Path] = []
        for each in sorted(folders):  # what is in a linked folder is there with it
            if not any(each.is_relative_to(other) for other in linked):
                linked.append(each)
                (folder / each).parent.mkdir(parents=True, exist_ok=True)
                (folder / each).symlink_to(target / each)
        for name in found.referred:
            if not any(Path(name).is_relative_to(each) for each in linked):
                self._put(name, (target / name).read_bytes())

    def _put(self, name: str, data: bytes) -> None:
        path = self._folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def kustomization(self, patches: Sequence[JSON]) -> str:
        return kustomization(self._found.names, patches, comment=_COMMENT)

    def built(self, patches: Sequence[JSON]) -> bytes:
        """Return what is built with patches.

        Raises:
            PullguardError: kustomize cannot build it.
        """
        self._put(_FILE, self.kustomization(patches).encode())
        text, end = built_text(self.engine, Build("kustomization", os.fspath(self._folder)))
        if end.failure:
            reason = end.failure.replace(os.fspath(self._folder), self._shown)
            raise PullguardError(
                f"kustomize cannot build an overlay of these manifests: {reason}",
                remedy="name fewer of them, or another folder for the overlay",
            )
        return text


class _Patches:
    """The patches of an overlay, tried.

    Attributes:
        text: What is built with them.
        kustomization: The text of the kustomization file.
        refused: By the position of a finding of the plan, why it is not fixed; "" if what it needs is not.
    """

    def __init__(self, stage: _Stage, before: bytes, planned: Plan) -> None:
        self._stage = stage
        self._plan = planned
        self._objects = _objects(stage.engine, before)
        self.refused: dict[int, str] = {}
        by_index: set[int] = set()  # documents that are patched by the indices of their lists
        while True:
            patches = [
                patch
                for document, values in self._values().items()
                for patch in self._patches(document, values, by_index)
            ]
            self.text, wrong = self._try(patches)
            if not wrong:
                break
            for document in wrong:
                if document in by_index or document not in self._values():
                    self._refuse(document)
            by_index |= wrong
        self.kustomization = stage.kustomization(patches)

    def _values(self) -> dict[int, dict[Steps, str]]:
        values: dict[int, dict[Steps, str]] = {}
        for place, found in enumerate(self._plan.findings):
            path, value = wanted(found) or ((), "")
            if place not in self.refused and path:
                values.setdefault(found.document, {})[path] = value
        return values

    def _patches(self, document: int, values: Mapping[Steps, str], by_index: set[int]) -> Iterator[JSON]:
        obj = self._objects[document]
        by_name = (
            {} if document in by_index else {path: value for path, value in values.items() if is_merged(obj, path)}
        )
        if by_name:
            yield merge_patch(obj, by_name)
        if rest := {path: value for path, value in values.items() if path not in by_name}:
            yield json_patch(obj, rest)

    def _try(self, patches: Sequence[JSON]) -> tuple[bytes, set[int]]:
        """Return what is built with patches, and the documents that are not as they should be then."""
        try:
            text = self._stage.built(patches)
        except PullguardError:
            documents = set(self._values())
            if not documents:
                raise
            return b"", documents
        after = _objects(self._stage.engine, text)
        wanted_ = {(document, path): value for document, own in self._values().items() for path, value in own.items()}
        changed: dict[tuple[int, Steps], Any] = {}
        for position, path, value in differences(_by_place(self._objects), _by_place(after)):
            changed |= dict(_leaves(position[0], path, value, value_at(self._objects.get(position[0]), path)))
        same = {key for key, value in wanted_.items() if value_at(self._objects[key[0]], key[1]) == value}
        odd = {key for key in changed.keys() | wanted_.keys() if changed.get(key) != wanted_.get(key)} - same
        return text, {document for document, _ in odd}

    def _refuse(self, document: int) -> None:
        """Give up what is wanted in a document; or in those whose patches can have changed it, if that is nothing."""
        patched = set(self._values())
        alike = {
            other
            for other in patched
            if _kind_and_name(self._objects, other) == _kind_and_name(self._objects, document)
        }
        documents = {document} & patched or alike or patched
        mine = [place for place, found in enumerate(self._plan.findings) if found.document in documents]
        self.refused |= dict.fromkeys(mine, _APART)


def _objects(engine: Engine, text: bytes) -> dict[int, dict[str, Any]]:
    read = Inputs(engine, [File(STDIN_NAME, text)])
    return {each.document: each.object for each in read if isinstance(each, Manifest)}


def _kind_and_name(objects: Mapping[int, JSON], document: int) -> tuple[Any, Any]:
    obj = objects.get(document)
    return dig(obj, "kind"), dig(obj, "metadata", "name")


def _by_place(objects: Mapping[int, Any]) -> dict[tuple[int, ...], Any]:
    return {(document,): obj for document, obj in objects.items()}


def _leaves(document: int, path: Steps, value: Any, before: Any) -> Iterator[tuple[tuple[int, Steps], Any]]:
    """Yield the values of a difference: a mapping that was not there is one with its values."""
    if isinstance(value, dict) and before is None and value:
        for key, own in value.items():
            yield from _leaves(document, (*path, key), own, None)
    else:
        yield (document, path), value


def _write(target: Path, found: _Resources, text: str) -> None:
    """Write an overlay; its kustomization last, so that it is whole once it is there."""
    target.mkdir(parents=True, exist_ok=True)
    for name, data in found.copies.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        write_bytes(target / name, data)
    write_text(target / _FILE, text)


def _key(found: Finding) -> tuple[object, ...]:
    return found.document, found.rule, dig(found.details, "path")


class _Places:
    """Where findings in what an overlay builds stand in what it is laid over."""

    def __init__(self, original: Report, file: str) -> None:
        self._file = file
        self._known = {_identity(found): found for found in reversed(original.findings)}

    def of(self, found: Finding) -> Finding:
        """Return a finding where it stands in the input, if it is there, or else in the overlay."""
        known = self._known.get(_identity(found))
        if known is None:
            return replace(found, file=self._file, line=1)
        return replace(found, file=known.file, line=known.line)


def _identity(found: Finding) -> tuple[object, ...]:
    return found.rule, found.object, found.container
