"""A generated library on the disk: written, compared with what it should be, and loaded back."""

import contextlib
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import (
    Constraint,
    ConstraintTemplate,
    constraint_from,
    dig,
    is_constraint,
    is_template,
    template_from,
)
from pullguard.core.text_files import read_text, replace_file
from pullguard.core.tree_files import read_inside
from pullguard.engine.documents import load_documents
from pullguard.engine.protocol import Engine
from pullguard.library.bundle import MANIFEST

_MANIFEST_LINE = re.compile(r"([0-9a-f]{64})  (\S.*)\n")
_MANIFEST_REMEDY = "put the MANIFEST that pullguard wrote back, or generate into an empty folder"


@dataclass(frozen=True, slots=True)
class Difference:
    """How a folder differs from what a library should be; paths relative to it, sorted.

    Attributes:
        missing: Files that are not there.
        changed: Files that hold something else.
        stale: Files that MANIFEST lists and the library no longer has.
    """

    missing: tuple[str, ...]
    changed: tuple[str, ...]
    stale: tuple[str, ...]

    def __bool__(self) -> bool:
        """Return whether there is any."""
        return bool(self.missing or self.changed or self.stale)


@dataclass(frozen=True, slots=True)
class Library:
    """Templates and constraints that were read from a folder.

    Attributes:
        directory: The folder.
        templates: In the order of the files.
        constraints: In the order of the files; each has its template.
    """

    directory: Path
    templates: tuple[ConstraintTemplate, ...]
    constraints: tuple[Constraint, ...]

    @property
    def pod_policies(self) -> Mapping[str, str]:
        """The policies that have constraints about pods, by the kind of these."""
        kinds = {constraint.kind for constraint in self.constraints if _selects_pods(constraint.object)}
        return {template.kind: template.policy for template in self.templates if template.kind in kinds}


def compare(files: Mapping[str, str], out: Path) -> Difference:
    """Return how a folder differs from the library that it should hold, MANIFEST included.

    Args:
        files: What the library holds, by relative path, without its MANIFEST.
        out: The folder; it need not be there.

    Raises:
        PullguardError: Its MANIFEST was not written by pullguard, or a file cannot be read.
    """
    wanted = _with_manifest(files)
    found = {path: _bytes(out, path) for path in wanted}
    return Difference(
        missing=tuple(sorted(path for path in wanted if found[path] is None and not _exists(out, path))),
        changed=tuple(
            sorted(path for path, content in wanted.items() if _exists(out, path) and found[path] != content)
        ),
        stale=tuple(sorted(path for path in _manifest(out) if path not in wanted and _exists(out, path))),
    )


def write(files: Mapping[str, str], out: Path) -> Difference:
    """Make a folder hold a library, and nothing else of an earlier one.

    Only files that MANIFEST lists with the hash that they have are changed or removed. Everything is judged before
    anything is written; each file is replaced at once, and a run that was cut short is finished by the next one.

    Args:
        files: What the library holds, by relative path, without its MANIFEST.
        out: The folder; made if it is not there.

    Returns:
        What was missing (now written), changed (now replaced) and stale (now removed).

    Raises:
        PullguardError: A file is in the way that pullguard did not write, or that was changed since; or the
            folder cannot be written. In the first case nothing was changed.
    """
    wanted = _with_manifest(files)
    listed = _manifest(out)
    _require_ours(files, out, listed)
    difference = compare(files, out)
    if not difference:
        return difference
    try:
        out.mkdir(parents=True, exist_ok=True)
        # Lists the old and the new content of every file, so that files which a crash leaves behind are still ours.
        hashes = {path: {*listed.get(path, ()), _hash(content)} for path, content in wanted.items()}
        del hashes[MANIFEST]
        _replace(out, MANIFEST, _manifest_text({**{path: listed[path] for path in difference.stale}, **hashes}))
        for path in (*difference.missing, *difference.changed):
            if path != MANIFEST:
                _replace(out, path, wanted[path])
        for path in difference.stale:
            (out / path).unlink()
            _remove_empty_folders(out, path)
        _replace(out, MANIFEST, wanted[MANIFEST])
    except OSError as error:
        raise PullguardError(f"cannot be written ({error.strerror})", file=error.filename or str(out)) from error
    return difference


def load(engine: Engine, folder: str | Path) -> Library:
    """Read the templates and constraints of a folder.

    In a library of pullguard those are policies/*/template.yaml and constraints.yaml. In any other folder all YAML
    files are read, except in folders named samples; objects that are neither templates nor constraints are ignored.

    Raises:
        PullguardError: A file cannot be read; there is no template or no constraint; a constraint has no template;
            or two objects of one kind and name differ.
    """
    directory = Path(folder)
    if not directory.is_dir():
        raise PullguardError("is not a folder", file=str(directory), remedy="name the folder of a library")
    templates: dict[str, ConstraintTemplate] = {}
    constraints: dict[tuple[str, str], Constraint] = {}
    for path, value in list(_load_generated(directory)) or _load_any(engine, directory):
        if not isinstance(value, dict):
            continue
        if is_template(value):
            template = template_from(value, str(path))
            _keep_first(templates, template.name, template)
        elif is_constraint(value):
            constraint = constraint_from(value, str(path))
            _keep_first(constraints, (constraint.kind, constraint.name), constraint)
    if not templates or not constraints:
        lacking = "ConstraintTemplate" if not templates else "constraint"
        raise PullguardError(
            f"holds no {lacking}, so nothing would be checked",
            file=str(directory),
            remedy="name the folder of a library; `pullguard generate` writes one",
        )
    kinds = {template.kind for template in templates.values()}
    for constraint in constraints.values():
        if constraint.kind not in kinds:
            raise PullguardError(
                f"no ConstraintTemplate makes the kind {constraint.kind} of the constraint {constraint.name}",
                file=constraint.file,
                remedy="put its template into the library",
            )
    return Library(directory, tuple(templates.values()), tuple(constraints.values()))


def _selects_pods(constraint: Mapping[str, Any]) -> bool:
    kinds = dig(constraint, "spec", "match", "kinds")
    return any("Pod" in (dig(entry, "kinds") or ()) for entry in kinds or ())


def _with_manifest(files: Mapping[str, str]) -> dict[str, bytes]:
    contents = {path: text.encode("utf-8") for path, text in files.items()}
    for path in contents:
        if not _is_inside(path) or path == MANIFEST:
            raise ValueError(path)
    hashes = {path: {_hash(content)} for path, content in contents.items()}
    return {**contents, MANIFEST: _manifest_text(hashes)}


def _manifest_text(hashes: Mapping[str, Iterable[str]]) -> bytes:
    lines = [f"{value}  {path}\n" for path in sorted(hashes) for value in sorted(hashes[path])]
    return "".join(lines).encode("utf-8")


def _hash(content: bytes) -> str:
    import hashlib  # noqa: PLC0415 - loading a library does not need it, and importing it takes time

    return hashlib.sha256(content).hexdigest()


def _manifest(out: Path) -> dict[str, frozenset[str]]:
    """Return the hashes that the MANIFEST of a folder lists for each path; empty if there is none."""
    content = _bytes(out, MANIFEST)
    if content is None:
        if _exists(out, MANIFEST):
            raise PullguardError("is not a plain file", file=str(out / MANIFEST), remedy=_MANIFEST_REMEDY)
        return {}
    listed: dict[str, frozenset[str]] = {}
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(keepends=True) or [""], start=1):
        match = _MANIFEST_LINE.fullmatch(line)
        if match is None or not _is_inside(match[2]) or match[2] == MANIFEST:
            raise PullguardError(
                "this is not a line that pullguard wrote",
                file=str(out / MANIFEST),
                line=number,
                remedy=_MANIFEST_REMEDY,
            )
        listed[match[2]] = listed.get(match[2], frozenset()) | {match[1]}
    return listed


def _is_inside(path: str) -> bool:
    """Tell whether a path is a plain one below the folder it is relative to."""
    return (
        path.isprintable()
        and "\\" not in path
        and all(part not in {"", ".", ".."} for part in path.split("/"))
        and not PurePosixPath(path).is_absolute()
    )


def _require_ours(files: Mapping[str, str], out: Path, listed: Mapping[str, frozenset[str]]) -> None:
    """Raise if a file is in the way that pullguard did not write, or that was changed since."""
    if _exists(out.parent, out.name) and not out.is_dir():
        raise PullguardError("is not a folder", file=str(out), remedy="name another one with --out")
    wanted = {path: text.encode("utf-8") for path, text in files.items()}
    foreign = []
    for path in sorted({*wanted, *listed}):
        content = _bytes(out, path)
        if content is None:
            if _exists(out, path) or (path in wanted and _obstacle(out, path)):
                foreign.append(path)
        elif content != wanted.get(path) and _hash(content) not in listed.get(path, ()):
            foreign.append(path)
    if foreign:
        raise PullguardError(
            f"nothing was written, as these files are not what pullguard wrote last: {', '.join(foreign)}",
            file=str(out),
            remedy="move your own files away, or generate into another folder with --out",
        )


def _parents(path: str) -> Iterator[str]:
    """Yield the folders above a relative path, outermost first, without the root."""
    yield from (str(parent) for parent in reversed(PurePosixPath(path).parents) if parent.parts)


def _obstacle(out: Path, path: str) -> bool:
    """Tell whether something above a path is not a folder of its own: a file, or a link to elsewhere."""
    return any(_exists(out, parent) and not _is(out / parent, stat.S_ISDIR) for parent in _parents(path))


def _exists(out: Path, path: str) -> bool:
    """Tell whether there is anything at a path, without following links inside the folder."""
    if any(not _is(out / parent, stat.S_ISDIR) for parent in _parents(path)):
        return False
    return os.path.lexists(out / path)


def _is(path: Path, kind: Any) -> bool:
    try:
        return bool(kind(path.lstat().st_mode))
    except OSError:
        return False


def _bytes(out: Path, path: str) -> bytes | None:
    """Return the content of a plain file that is reached without links inside the folder; None if there is none."""
    if not _exists(out, path) or not _is(out / path, stat.S_ISREG):
        return None
    try:
        return read_inside(str(out), str(out / path))
    except OSError as error:
        raise PullguardError(f"cannot be read ({error.strerror})", file=str(out / path)) from error


def _replace(out: Path, path: str, content: bytes) -> None:
    place = out / path
    place.parent.mkdir(parents=True, exist_ok=True)
    replace_file(place, content)


def _remove_empty_folders(out: Path, path: str) -> None:
    for parent in reversed(list(_parents(path))):
        with contextlib.suppress(OSError):  # it is not empty
            (out / parent).rmdir()


def _load_generated(directory: Path) -> Iterator[tuple[Path, Any]]:
    """Yield the objects of a library that pullguard wrote; nothing for other folders."""
    import yaml  # noqa: PLC0415 - importing it takes time

    if not (directory / MANIFEST).is_file():
        return
    for template in sorted((directory / "policies").glob("*/template.yaml")):
        for path in (template, template.with_name("constraints.yaml")):
            text = read_text(path, tree=directory)
            try:
                # Whatever readers could take for different values is quoted there, so the fastest reader will do.
                values = list(yaml.load_all(text, Loader=yaml.CSafeLoader))
            except (yaml.YAMLError, ValueError) as error:
                raise PullguardError(
                    f"is not what pullguard wrote ({' '.join(str(error).split())})",
                    file=str(path),
                    remedy="generate the library again",
                ) from error
            yield from ((path, value) for value in values)


def _load_any(engine: Engine, directory: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what the YAML files of a folder hold, in a stable order, without what folders named samples hold."""
    for folder, folders, names in os.walk(directory):
        folders[:] = sorted(name for name in folders if name != "samples" and not name.startswith("."))
        for name in sorted(names):
            if name.endswith((".yaml", ".yml")):
                path = Path(folder, name)
                for document in load_documents(
                    engine, read_text(path, tree=directory), str(path), dialect="kubernetes"
                ):
                    yield path, document.value


def _keep_first(known: dict[Any, Any], key: Any, value: Constraint | ConstraintTemplate) -> None:
    """Add an object under its key, where only an equal object may be already."""
    first = known.setdefault(key, value)
    if first.object != value.object:
        raise PullguardError(
            f"there is another {value.kind} in {first.file} under the same name, and it says something else",
            file=value.file,
            remedy="remove one of the two",
        )
