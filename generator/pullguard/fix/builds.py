"""Findings in built objects -> the edits of the sources of the build.

Nothing is taken on trust: before anything is written, everything is built again with the edits, and must be as before
except for the values that were set.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.editing import files
from pullguard.core.editing.edits import Edit, applied
from pullguard.core.editing.files import EditableFile
from pullguard.core.findings import Finding, InputBuild
from pullguard.core.findings import Path as Steps
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.build_options import BuildOptions
from pullguard.core.inputs.files import File
from pullguard.core.schema_errors import dotted
from pullguard.engine.builds import Build, built_text
from pullguard.engine.documents import Manifest
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.fix.plan import Plan
from pullguard.fix.sources import Key, Proposal, proposals, source_edits
from pullguard.judging.builds import is_kustomization, users

_UNPINNED = "the same place decides it where the image is not pinned: pin it there first, or set it apart"
_NO_EFFECT = "something else decides it as well: edit it by hand"
_NO_TEXT = "its file holds bytes that are not text: save it as UTF-8"

#: An object by the identity of its build, its document there, and its places in Lists.
_Place = tuple[str, tuple[int, ...], Steps]


@dataclass(frozen=True, slots=True)
class EditedSource:
    """A file that something is built from, and its edits.

    Attributes:
        name: The file as it is shown to users.
        file: The file.
        text: Its text as it was.
        edits: What turns it into its new text.
        fixed: The findings that this fixes.
    """

    name: str
    file: EditableFile
    text: str
    edits: tuple[Edit, ...]
    fixed: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class EditedSources:
    """The edits of the files that something is built from.

    Attributes:
        sources: Those that are edited.
        refused: The findings that are not fixed, and why: a sentence that says what to do.
    """

    sources: tuple[EditedSource, ...]
    refused: tuple[tuple[Finding, str], ...]


def edited_sources(
    engine: Engine,
    builds: Sequence[InputBuild],
    plan: Plan,
    options: BuildOptions,
    *,
    namespace: str,
    is_named: Callable[[str], bool],
) -> EditedSources:
    """Set what findings in built objects want in the files that decide it.

    Args:
        engine: What builds and reads.
        builds: What was built.
        plan: What is wanted in it.
        options: How it was built.
        namespace: The namespace of objects that state none; "" = not known.
        is_named: Tells whether users named a file, itself or by its folder: others are not edited.
    """
    findings = plan.findings
    work = _Work(engine, builds, plan, options, namespace)
    open_: dict[int, Iterator[Proposal | str]] = {}
    for place, found in enumerate(findings):
        open_[place] = work.proposals(found)
    reasons: dict[int, str] = {}
    unmet: set[int] = set()
    while True:
        round_: dict[Proposal, list[int]] = {}
        for place in list(open_):
            before = [each for each in plan.first.get(place, ()) if not work.is_fixed(each)]
            if any(each in open_ for each in before):
                continue
            if before:
                unmet.add(place)
                del open_[place]
                continue
            proposal = None if work.is_fixed(place) else _next(open_[place], place, reasons, is_named)
            if proposal is None:
                del open_[place]
            else:
                round_.setdefault(proposal, []).append(place)
        if not round_:
            if open_:
                continue  # what was waited for is not coming
            break
        work.decide(list(round_.items()), reasons)
    refused = (
        (findings[place], reason)
        for place, reason in sorted(reasons.items())
        if not work.is_fixed(place) and place not in unmet
    )
    return EditedSources(tuple(work.sources()), tuple(refused))


def _next(
    waiting: Iterator[Proposal | str], place: int, reasons: dict[int, str], is_named: Callable[[str], bool]
) -> Proposal | None:
    """Return the next proposal that may fix a finding; note why those before it do not."""
    for proposal in waiting:
        reason = proposal
        if isinstance(proposal, Proposal):
            if is_named(proposal.file):
                return proposal
            reason = f"{proposal.file} decides it, which is not among the files that you name: name it as well"
        reasons.setdefault(place, str(reason))
    return None


@dataclass(frozen=True, slots=True)
class _Made:
    """What a build makes: its objects by their positions, and the paths in them that differ each time."""

    objects: Mapping[tuple[int, ...], dict[str, Any]]
    unsteady: frozenset[tuple[tuple[int, ...], Steps]] = frozenset()


class _Work:
    """What is edited so far, and what comes of it."""

    def __init__(
        self,
        engine: Engine,
        builds: Sequence[InputBuild],
        plan: Plan,
        options: BuildOptions,
        namespace: str,
    ) -> None:
        self._engine = engine
        self._kustomizations = options.kustomizations
        self._builds = {build.identity: build for build in builds}
        self._paths: dict[tuple[str, str], str] = {(build.kind, build.name): build.identity for build in builds}
        self._findings = plan.findings
        self._pins = plan.pins
        self._options = options.charts
        self._namespace = namespace
        self._values = {os.path.realpath(file) for file in options.charts.values}
        self._files: dict[str, EditableFile | str] = {}
        self._looked_up: set[str] = set()
        self._made: dict[str, _Made | str] = {}
        self._accepted: list[tuple[Proposal, list[int]]] = []
        self._edits: dict[str, tuple[Edit, ...]] = {}
        self._fixed: set[int] = set()
        # What findings want, by place; the places of each finding; and those that must be right for another one to be.
        self._wanted: dict[_Place, frozenset[str]] = {}
        self._places: list[list[_Place]] = []
        self._needed: dict[_Place, list[_Place]] = {}
        for found in plan.findings:
            own = []
            for built in found.builds:
                if built.repair is not None:
                    place = (self._paths[built.kind, built.path], built.position, built.repair.path)
                    pin = self._pins.get(built.repair.value)
                    self._wanted[place] = frozenset({built.repair.value}) if pin is None else pin.references
                    own.append(place)
            self._places.append(own)
        for finding, before in plan.first.items():
            images = [place for each in before for place in self._places[each]]
            for place in self._places[finding]:
                self._needed[place] = [image for image in images if image[:2] == place[:2]]

    def proposals(self, found: Finding) -> Iterator[Proposal | str]:
        """Yield the proposals that may fix a finding, the best first, and why there are no more."""
        if any(built.repair is None for built in found.builds):
            yield _UNPINNED
            return
        for built in found.builds[:1]:
            if built.repair is not None:
                build = self._builds[self._paths[built.kind, built.path]]
                pin = self._pins.get(built.repair.value)
                yield from proposals(self._engine, built.repair, build, self._options, pin)

    def is_fixed(self, finding: int) -> bool:
        """Tell whether a finding is fixed so far."""
        return finding in self._fixed

    def sources(self) -> Iterator[EditedSource]:
        """Yield the files that are edited."""
        for name, edits in sorted(self._edits.items()):
            file = self._files[name]
            if isinstance(file, EditableFile):
                mine = {place for proposal, places in self._accepted if proposal.file == name for place in places}
                fixed = tuple(self._findings[place] for place in sorted(mine))
                yield EditedSource(name, file, file.data.decode(), edits, fixed)

    def decide(self, groups: Sequence[tuple[Proposal, list[int]]], reasons: dict[int, str]) -> None:
        """Accept proposals, with the findings that they are for, as far as what is built stays right; note why not."""
        problem = self._try(groups)
        if not problem:
            return
        if len(groups) == 1:
            for place in groups[0][1]:
                reasons.setdefault(place, problem)
            return
        half = len(groups) // 2
        self.decide(groups[:half], reasons)
        self.decide(groups[half:], reasons)

    def _try(self, groups: Sequence[tuple[Proposal, list[int]]]) -> str:
        """Accept proposals if what is built stays right; else return what is wrong."""
        accepted = [*self._accepted, *groups]
        edits = self._edits_of([proposal for proposal, _ in accepted])
        if isinstance(edits, str):
            return edits
        mended: set[_Place] = set()
        for place in self._built(edits):
            if isinstance(place, str):
                return f"{_where(groups[0][0])} {place}"
            mended.add(place)
        if any(not mended.issuperset(self._needed.get(place, ())) for place in mended):
            return _UNPINNED
        fixed = {place for place, own in enumerate(self._places) if own and mended.issuperset(own)}
        if any(place not in fixed for _, places in groups for place in places):
            return _NO_EFFECT
        # What others want may come with it.
        groups[0][1].extend(fixed.difference(*(places for _, places in accepted)))
        self._accepted, self._edits, self._fixed = accepted, edits, fixed
        return ""

    def _edits_of(self, wanted: Sequence[Proposal]) -> dict[str, tuple[Edit, ...]] | str:
        """Return what becomes of files, by their names, or why that cannot be."""
        edits: dict[str, tuple[Edit, ...]] = {}
        for name in dict.fromkeys(proposal.file for proposal in wanted):
            text = self._text(name)
            if isinstance(text, _Refusal):
                return text.reason
            own: list[Edit] = []
            mine = [proposal for proposal in wanted if proposal.file == name]
            for outcome in source_edits(self._engine, name, text, mine).values():
                if isinstance(outcome, str):
                    return outcome
                own += outcome
            edits[name] = tuple(dict.fromkeys(own))
        return edits

    def _built(self, edits: Mapping[str, tuple[Edit, ...]]) -> Iterator[_Place | str]:
        """Yield what edits change in what is built, as `_changes` does."""
        texts: dict[str, str] = {}
        for name, own in edits.items():
            text = self._text(name)
            if isinstance(text, str):
                paths = os.fspath(Path(name).absolute()), os.path.realpath(name)
                texts |= dict.fromkeys(paths, applied(text, own))
                self._look_up_users(paths[1])
        for build in list(self._builds.values()):
            if any(name in build.files or (build.kind == "chart" and name in self._values) for name in texts):
                yield from self._changes(build, texts)

    def _look_up_users(self, file: str) -> None:
        """Build everything else that is built of a file in its repository again, too."""
        if file in self._looked_up:
            return
        self._looked_up.add(file)
        used = {
            os.fspath(Path(each).parent)
            for build in self._builds.values()
            for each in build.files
            if is_kustomization(each)
        }
        for build in users(self._engine, file, self._kustomizations):
            is_part = build.path in used and self._kustomizations == "roots"
            if build.path in self._builds or is_part:
                continue
            _, end = built_text(self._engine, build, self._options, self._namespace)
            read = frozenset(map(os.path.realpath, end.files))
            self._builds[build.path] = InputBuild(build.kind, build.path, os.path.relpath(build.path), read)

    def _text(self, name: str) -> "str | _Refusal":
        if name not in self._files:
            file = files.read(name)
            if files.is_link(name) and isinstance(file, EditableFile):
                file = f"is a link to {file.path}, and links are not edited: replace it by the file"
            self._files[name] = file if isinstance(file, EditableFile) else f"{name} {file}"
        file = self._files[name]
        if isinstance(file, str):
            return _Refusal(file)
        try:
            return file.data.decode()
        except UnicodeDecodeError:
            return _Refusal(_NO_TEXT)

    def _changes(self, build: InputBuild, texts: Mapping[str, str]) -> Iterator[_Place | str]:
        """Yield what other texts change in a build: places that are as wanted, and why something else is wrong."""
        if build.identity not in self._made:
            self._made[build.identity] = self._steady(build)
        before, after = self._made[build.identity], self._make(build, texts)
        if isinstance(before, str) or isinstance(after, str):
            yield f"cannot be set: the {build.kind} {build.name} cannot be built then; edit it by hand"
            return
        for position, path, value in differences(before.objects, after.objects):
            place = (build.identity, position, path)
            if isinstance(value, str) and value in self._wanted.get(place, ()):
                yield place
            elif not any((position, path[:length]) in before.unsteady for length in range(len(path) + 1)):
                obj = before.objects.get(position) or after.objects.get(position) or {}
                name = dig(obj, "metadata", "name")
                where = dotted(path, "the whole")
                yield (
                    f"also decides {where} of {obj.get('kind')} {name} in {build.name}, which is to stay: "
                    f"{_APART[build.kind]}"
                )

    def _steady(self, build: InputBuild) -> _Made | str:
        """Return what a build makes; a chart may make something different each time."""
        first = self._make(build, {})
        if build.kind != "chart" or isinstance(first, str):
            return first
        second = self._make(build, {})
        if isinstance(second, str):
            return second
        unsteady = differences(first.objects, second.objects)
        return _Made(first.objects, frozenset((position, path) for position, path, _ in unsteady))

    def _make(self, build: InputBuild, texts: Mapping[str, str]) -> _Made | str:
        asked = Build(build.kind, build.path, build.installation)
        made, end = built_text(self._engine, asked, self._options, self._namespace, texts)
        if end.failure:
            return end.failure
        read = Inputs(self._engine, [File(f"{build.name}.yaml", made)])
        return _Made({(each.document, *each.item): each.object for each in read if isinstance(each, Manifest)})


_APART = {"kustomization": "set it by a patch where it is to change", "chart": "set it in the template, by hand"}


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a file is not edited, and what to do."""

    reason: str


def _where(proposal: Proposal) -> str:
    place = proposal.place
    if isinstance(place, Key):
        return f"{dotted(place.path, 'the values')} in {proposal.file}"
    return f"{proposal.file}:{place.line}"


def differences(
    before: Mapping[tuple[int, ...], Any], after: Mapping[tuple[int, ...], Any]
) -> Iterator[tuple[tuple[int, ...], Steps, Any]]:
    """Yield where objects differ, and what they are there afterwards; None if there is nothing."""
    waiting: list[tuple[tuple[int, ...], Steps, Any, Any]] = [
        (position, (), before.get(position), after.get(position)) for position in {**before, **after}
    ]
    while waiting:
        position, path, one, other = waiting.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            waiting += ((position, (*path, key), one.get(key), other.get(key)) for key in {**one, **other})
        elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
            waiting += ((position, (*path, place), *pair) for place, pair in enumerate(zip(one, other, strict=True)))
        elif json.dumps(one) != json.dumps(other):
            yield position, path, other
