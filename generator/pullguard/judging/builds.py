"""Which kustomizations and charts of an input are built, and which files are left to judge as they are."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pullguard.core.findings import InputBuild
from pullguard.core.inputs.build_options import INSTALLERS, BuildOptions, Kustomizations
from pullguard.core.inputs.files import File, Found, shown
from pullguard.core.inputs.problems import InputError
from pullguard.engine.builds import (
    KUSTOMIZATIONS,
    Build,
    BuildEnd,
    Builds,
    BuiltObject,
    FoundInBuild,
    Names,
    buildable,
    built_text,
)
from pullguard.engine.documents import Manifest
from pullguard.engine.files import JudgedFiles
from pullguard.engine.inputs import Inputs
from pullguard.engine.installers import Installer
from pullguard.engine.protocol import Engine
from pullguard.engine.unjudged import UnjudgedObject, Unprotected
from pullguard.judging.collector import FindingCollector
from pullguard.judging.installations import Found as FoundInstaller
from pullguard.judging.installations import InstallerCollector
from pullguard.judging.installers import CHART, repository

EXTENSIONLESS = "Kustomization"
PACKED_CHART = ".tgz"


@dataclass(frozen=True, slots=True)
class Made:
    """What a build makes.

    Attributes:
        position: The place of the build among the files of the input.
        place: Its place among the builds.
        kind: That of the build.
        file: The YAML, by the name of the build.
        namespace: The namespace of objects that state none; "" = not known.
    """

    position: int
    place: int
    kind: str
    file: File
    namespace: str


class InputBuilds:
    """What is built of an input: all in folders, and what the files that users name themselves belong to.

    Args:
        engine: What builds and judges.
        paths: What users named.
        found: The input.
        options: How it is built.
        namespace: The namespace of objects that state none; "" = not known.
        wanted: Tells which files of the input are judged.

    Attributes:
        builds: What was asked for.
        notes: What users should know, a sentence each.
        objects: How many objects were built.
        done: What was built.
        unprotected: The kustomizations among what was built that have objects in namespaces that are not protected.
    """

    def __init__(
        self,
        engine: Engine,
        paths: Sequence[str],
        found: Sequence[Found],
        options: BuildOptions,
        *,
        namespace: str,
        wanted: Callable[[Path], bool],
    ) -> None:
        self.notes: list[str] = []
        self.objects = 0
        self.done: list[InputBuild] = []
        self.unprotected: list[InputBuild] = []
        self._options = options
        self._namespace = namespace
        self._wanted = wanted
        self._places = {file.absolute(): place for place, file in enumerate(found) if isinstance(file, Path)}
        self._shown_by = {os.fspath(path.parent): os.fspath(path) for path in reversed(self._places) if _shows(path)}
        self._built: set[str] = set()
        self._failed_charts: set[str] = set()  # folders
        self._unrendered: dict[int, InputError] = {}  # charts that cannot be rendered with their own values
        self._engine = engine
        self._installed: dict[int, FoundInstaller] = {}  # what installs, by the places of builds
        self._relevant: set[int] = set()
        given = [file for file in found if isinstance(file, Path)]
        self._names = Names(
            {os.fspath(file.absolute()): shown(file) for file in given},
            is_absolute=any(file.is_absolute() for file in given),
        )
        self._asked = list(dict.fromkeys(self._to_build(engine)))
        self._named = {os.path.realpath(path) for path in paths if Path(path).is_file()}
        self._installers = InstallerCollector(namespace, self._named)
        self._from_folders = len(self._asked)
        self._asked = list(dict.fromkeys([*self._asked, *self._above(engine)]))
        if unused := [] if any(build.kind == "chart" for build in self._asked) else options.charts.stated():
            self.notes.append(f"there is no chart in the input, so nothing was done with {', '.join(unused)}")
        self.builds = Builds(engine, options.charts, namespace, self._names)
        for place, build in enumerate(self._asked):
            self.builds.ask(place, build, self._name(build))

    @property
    def read(self) -> list[str]:
        """The files that were read, as they are shown to users, sorted."""
        return sorted(self._names.shown(file) for file in self._built)

    def run(self, collector: FindingCollector) -> None:
        """Build all, and note what is found."""
        waiting: dict[int, list[FoundInBuild]] = {}
        for place, found in self.builds:
            if not isinstance(found, BuildEnd):
                waiting.setdefault(place, []).append(found)
                continue
            self._end(place, found, collector)
            for each in waiting.pop(place, ()):
                self.take(place, each, collector)
        for built in (self.done, self.unprotected):
            built.sort(key=lambda build: (build.path, build.name))

    def add_installer(self, found: Installer, origin: tuple[str, int], *, is_wanted: bool) -> None:
        """Keep an object that installs charts.

        Args:
            found: The object.
            origin: Where it comes from, such as "file" or "build", and its place among those.
            is_wanted: Whether it is judged: else only what has changed in its charts is.
        """
        build = self._asked[origin[1]] if origin[0] == "build" else None
        above: tuple[str, ...] = ()
        if build is not None and build.installation is not None:
            above = (*self._installed[origin[1]].above, os.path.realpath(build.path))
        within = "" if build is None else self._name(build)
        self._installers.add(found.source, origin, within, above, is_wanted=is_wanted)

    def add_unchanged(self, files: Iterable[Path]) -> None:
        """Keep the objects in files that have not changed: charts that they install may have."""
        if self._asked:
            left = [file for file in files if self.leaves(file)]
            for place, each in enumerate(Inputs(self._engine, left, kinds=INSTALLERS)):
                if isinstance(each, Manifest):
                    self.add_installer(Installer(each), ("unchanged file", place), is_wanted=False)

    def install(self, collector: FindingCollector, labels: Mapping[str, Mapping[str, str]]) -> None:
        """Render charts of the input again as objects in it install them, and note what is found.

        Args:
            collector: What notes it.
            labels: The labels of Namespaces by their names, whatever the files say of them.
        """
        first = len(self._asked)
        while found := self._installers.take():
            for each in found:
                self._ask(each, collector)
            self.run(collector)
        if len(self._asked) > first:
            # What depended on a Namespace comes now.
            for place, late in JudgedFiles(self._engine, (), labels, self.builds):
                if isinstance(late, BuiltObject | Unprotected):
                    self.take(place, late, collector)
        for place, error in self._unrendered.items():
            self._end_unrendered(place, error, collector)

    def take(self, place: int, found: FoundInBuild, collector: FindingCollector) -> None:
        """Note what is found in the build at a place."""
        if isinstance(found, Installer):
            self.add_installer(found, ("build", place), is_wanted=place in self._relevant)
        if place not in self._relevant:
            return
        if isinstance(found, BuiltObject):
            kind = self._asked[place].kind
            collector.take(self._position(place), (place, *found.item), found, found.answer, kind)
        elif isinstance(found, UnjudgedObject | Unprotected):
            collector.unjudged.take(found, ("build", place))
        elif isinstance(found, InputError):
            collector.fail(self._position(place), found)

    def made(self, engine: Engine) -> Iterator[Made]:
        """Yield what was built, as YAML."""
        for place in sorted(self._relevant):
            build = self._asked[place]
            text, _ = built_text(engine, build, self._options.charts, self._namespace)
            namespace = build.installation.namespace if build.installation is not None else self._namespace
            yield Made(self._position(place), place, build.kind, File(self._name(build), text), namespace)

    def leaves(self, file: Found) -> bool:
        """Tell whether a file is judged as it is."""
        if not isinstance(file, Path):
            return True
        if file.name in KUSTOMIZATIONS and self._options.kustomizations != "off":
            return False
        path = os.path.realpath(file)
        if path in self._built:
            return False
        return not self._failed_charts or self._failed_charts.isdisjoint(map(os.fspath, Path(path).parents))

    def _to_build(self, engine: Engine) -> Iterator[Build]:
        shows = [os.fspath(path) for path in self._places if _shows(path)]
        if shows:
            yield from buildable(engine, shows, self._options.kustomizations)
        for path in self._places:
            if path.name.endswith(PACKED_CHART):
                yield Build("chart", os.fspath(path))

    def _above(self, engine: Engine) -> Iterator[Build]:
        """Yield what the files that users named belong to: charts around them, kustomizations of their repositories."""
        named = sorted(path for path in self._named if not path.endswith(PACKED_CHART))
        shows = sorted({file for path in named for file in _around(path)})
        if shows:
            yield from buildable(engine, shows, self._options.kustomizations, named)

    def _is_wanted(self, place: int, files: Iterable[str]) -> bool:
        """Tell whether a build concerns files that are judged."""
        if place in self._installed:
            return self._installed[place].is_wanted or any(self._wanted(Path(file)) for file in files)
        named = files if place < self._from_folders else (file for file in files if file in self._named)
        return any(self._wanted(Path(file)) for file in named)

    def _end(self, place: int, end: BuildEnd, collector: FindingCollector) -> None:
        build, name = self._asked[place], self._name(self._asked[place])
        if build.kind == "chart" and place not in self._installed:
            self._installers.add_chart(build.path, end.chart)
        if end.failure:
            self._fail(place, end.failure, collector)
            return
        files = {os.path.realpath(file) for file in end.files}
        self._built |= files
        if build.installation is not None:
            files |= {file for file in build.installation.values if file not in dict(build.installation.texts)}
        done = InputBuild(build.kind, build.path, name, frozenset(files), end.values, build.installation)
        self.done.append(done)
        if not self._is_wanted(place, files):
            return
        self._relevant.add(place)
        self.objects += end.objects
        what = f"the {build.kind} {name}"
        if end.unprotected and build.kind == "kustomization":
            self.unprotected.append(done)
        collector.unjudged.count(end.unprotected)
        collector.unjudged.placeholders(self._file(build), end.placeholders)
        for omitted in end.omitted:
            collector.unjudged.omission(name, f"{what} is judged without {omitted}")
        if end.values:
            self.notes.append(f"{what} needs values: it is rendered with those of {self._names.shown(end.values)}")

    def _fail(self, place: int, reason: str, collector: FindingCollector) -> None:
        build, installer = self._asked[place], self._installed.get(place)
        if installer is not None:
            where = installer.source.place()
            message = f"Helm cannot render {self._names.shown(build.path)} as {installer.name} installs it: {reason}"
            collector.fail(self._position(place), InputError(where.file, where.line, None, message))
            collector.unjudged.build(build.kind, self._name(build))
            return
        error = InputError(self._file(build), None, None, f"{_CANNOT[build.kind]}: {reason}")
        if build.kind == "chart":
            self._unrendered[place] = error
            if not build.path.endswith(PACKED_CHART):
                self._failed_charts.add(os.path.realpath(build.path))
            return
        collector.fail(self._position(place), error)
        collector.unjudged.build(build.kind, self._name(build))

    def _end_unrendered(self, place: int, error: InputError, collector: FindingCollector) -> None:
        """Note a chart that cannot be rendered with its own values, unless objects install it with others."""
        build = self._asked[place]
        others = [done.name for done in self.done if done.path == build.path]
        if others:
            self.notes.append(
                f"the chart {self._name(build)} needs values: it is judged with those that objects state, "
                f"as {', '.join(others)}"
            )
        else:
            collector.fail(self._position(place), error)
            collector.unjudged.build(build.kind, self._name(build))

    def _ask(self, found: FoundInstaller, collector: FindingCollector) -> None:
        """Ask for the charts that an object installs, as far as they are there."""
        where = found.source.place()
        for own in self._installers.installations(found, self._names.shown):
            for position in own.holders:
                collector.unjudged.judged(position)
            if own.problem and found.is_wanted:
                what = f"what {found.name} ({where.file}:{where.line}) installs is not judged: {own.problem}"
                collector.unjudged.omission(where.file, what)
            if own.placed is None:
                continue
            place, build = len(self._asked), Build("chart", own.chart, own.placed.installation)
            self._asked.append(build)
            self._installed[place] = found
            self.builds.ask(place, build, self._name(build), own.placed.locate)
            for unknown in own.unknown if found.is_wanted else ():
                name = self._name(build)
                collector.unjudged.omission(name, f"the chart {name} is judged without {unknown}")

    def _name(self, build: Build) -> str:
        """Return a build as it is shown to users."""
        name = self._names.shown(build.path)
        return name if build.installation is None else f"{name} ({build.installation.installer})"

    def _file(self, build: Build) -> str:
        """Return the file that shows that something can be built, as it is shown to users."""
        return self._names.shown(self._shown_by.get(build.path, build.path))

    def _position(self, place: int) -> int:
        """Return the position of a build among the files of the input."""
        path = self._asked[place].path
        return self._places.get(Path(self._shown_by.get(path, path)), 0)


_CANNOT = {"kustomization": "kustomize cannot build it", "chart": "Helm cannot render it"}


def is_kustomization(file: str) -> bool:
    """Tell whether a file is a kustomization, by its name."""
    return Path(file).name in KUSTOMIZATIONS


def _shows(path: Path) -> bool:
    return path.name in KUSTOMIZATIONS or path.name == CHART


def users(engine: Engine, file: str, kustomizations: Kustomizations) -> list[Build]:
    """Return what may be built of a file in its repository, whatever users named.

    Args:
        engine: What reads kustomizations.
        file: Its absolute path, without links.
        kustomizations: Which of them are built.

    Raises:
        PullguardError: The engine has failed.
    """
    shows = sorted(_around(file))
    return buildable(engine, shows, kustomizations, [file]) if shows else []


def _around(file: str) -> Iterator[str]:
    """Yield the files that show what may be built of a file.

    A kustomization uses no file beside or above it, but those that use it can be anywhere in the repository.
    """
    folders = list(Path(file).parents)
    root = repository(Path(file))
    inside = folders[: folders.index(root) + 1] if root is not None else folders
    charts = [folder / CHART for folder in inside if (folder / CHART).is_file()]
    yield from map(os.fspath, charts[-1:])
    own = [os.fspath(folder / name) for folder in inside for name in KUSTOMIZATIONS if (folder / name).is_file()]
    if not own or root is None:
        yield from own
        return
    for below, subfolders, names in os.walk(root):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        yield from (os.fspath(Path(below, name)) for name in KUSTOMIZATIONS.intersection(names))
