"""Kustomizations and charts -> what policies say about the objects in them: the engine builds and judges."""

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from pullguard.core.findings import DecidingPlace, Location, Path, Value, Written
from pullguard.core.inputs.build_options import ChartOptions, Installation, Kustomizations
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Answer, Failure, answer_from
from pullguard.engine.installers import Installer
from pullguard.engine.protocol import Engine, Record
from pullguard.engine.unjudged import UnjudgedObject, Unprotected

#: The names of kustomization files.
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


@dataclass(frozen=True, slots=True)
class Build:
    """A kustomization or a chart.

    Attributes:
        kind: Which of them.
        path: The absolute path of a folder, or of a packed chart.
        installation: What installs the chart; None if it is rendered with its own values.
    """

    kind: Literal["kustomization", "chart"]
    path: str
    installation: Installation | None = None


@dataclass(frozen=True, slots=True)
class BuiltObject:
    """An object that was built, with violations or a failure of constraints.

    Attributes:
        file: What it was built from, as it is shown to users.
        document: 0-based document in what was built.
        item: Its places in the Lists that it stands in, from the outermost.
        object: The object, with * for what is another name in each rendering.
        places: What decides values, by their paths; the object itself has the path ().
        answer: What is to be said of it.
        installer: The object that installs the chart; "" if there is none.
    """

    file: str
    document: int
    item: tuple[int, ...]
    object: dict[str, Any]
    places: dict[Path, DecidingPlace]
    answer: Answer | Failure
    installer: str = ""

    def place(self, path: Sequence[str | int] = ()) -> DecidingPlace:
        """Return what decides the value at a path, or else its deepest ancestor for which that is known."""
        steps = tuple(path)
        while steps not in self.places:
            steps = steps[:-1]
        return self.places[steps]


@dataclass(frozen=True, slots=True)
class BuildEnd:
    """The end of a build.

    Attributes:
        objects: How many objects were made.
        files: The absolute paths of the files that were read.
        omitted: What could not be built, a sentence each.
        values: The absolute path of the test values of a chart that were used because it needs values; else "".
        failure: Why nothing could be built; "" if it could.
        unprotected: How many objects are not judged for their namespaces, by namespace.
        placeholders: How many objects state a namespace that no Namespace can have, by that name.
        chart: The name of the chart; "" if it is none.
    """

    objects: int = 0
    files: Sequence[str] = ()
    omitted: Sequence[str] = ()
    values: str = ""
    failure: str = ""
    unprotected: Mapping[str, int] = field(default_factory=dict)
    placeholders: Mapping[str, int] = field(default_factory=dict)
    chart: str = ""


FoundInBuild = BuiltObject | UnjudgedObject | Unprotected | Installer | InputError | BuildEnd

#: The name of the text that stands for the settings of an installer.
SETTINGS = "settings"

#: Returns where a value of an installer stands, by the name of its text or SETTINGS, its key, its path in the text, and
#: its line there; None if it does not stand in an object.
Locate = Callable[[str, str, Path, int], Location | None]


def _request(build: Build, options: ChartOptions, namespace: str) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": build.kind, "path": build.path}
    if build.installation is not None:
        own = build.installation.as_json(options) | {"settingsFile": SETTINGS}
        return data | {"options": own, "texts": dict(build.installation.texts)}
    return data | {"options": options.as_json(namespace)} if build.kind == "chart" else data


def buildable(
    engine: Engine, files: Sequence[str], kustomizations: Kustomizations, using: Sequence[str] | None = None
) -> list[Build]:
    """Return the builds that some files show; all paths are absolute.

    Args:
        engine: The engine.
        files: Kustomization files and Chart.yaml files.
        kustomizations: Which kustomizations are built.
        using: Only those that use one of these files, themselves or by others; None: all.

    Raises:
        PullguardError: The engine has failed.
    """
    data = {"kustomizations": kustomizations, "files": list(files), "using": using}
    record = engine.answer(engine.ask("buildable", json.dumps(data).encode()))
    return engine.parsed(
        record, lambda entry: [Build(each["kind"], each["path"]) for each in json.loads(entry["data"])]
    )


def built_text(
    engine: Engine,
    build: Build,
    options: ChartOptions | None = None,
    namespace: str = "",
    texts: Mapping[str, str] | None = None,
) -> tuple[bytes, BuildEnd]:
    """Return the YAML that a build makes, and its end; nothing is judged.

    Args:
        engine: What builds.
        build: What is to be built.
        options: What charts are rendered with.
        namespace: The namespace of objects that state none; "" = not known.
        texts: What takes the place of the texts of some files, by their paths.

    Raises:
        PullguardError: The engine has failed.
    """
    data = _request(build, options or ChartOptions(), namespace)
    data["texts"] = {**data.get("texts", {}), **(texts or {})}
    record = engine.answer(engine.ask("build", json.dumps(data).encode(), unit="text"))
    if record["type"] == "failed":
        return b"", engine.parsed(record, lambda entry: BuildEnd(failure=entry["message"]))
    return engine.parsed(record, lambda entry: (entry.get("data", b""), BuildEnd(files=entry["files"])))


class Builds:
    """Builds on their way through the engine.

    Args:
        engine: What builds and judges, by its setup.
        options: What charts are rendered with.
        namespace: The namespace of objects that state none; "" = not known.
        names: How absolute paths are shown to users.
    """

    def __init__(self, engine: Engine, options: ChartOptions, namespace: str, names: "Names") -> None:
        self._engine = engine
        self._options = options
        self._namespace = namespace
        self._names = names
        self._asked: dict[int, _Asked] = {}
        self._left: set[int] = set()

    def ask(self, place: int, build: Build, name: str, locate: Locate | None = None) -> None:
        """Ask for a build.

        Args:
            place: Its place among the builds.
            build: What is to be built.
            name: How users call it.
            locate: Where the values of its installer stand; None if it has none.
        """
        own = build.installation
        namespace, installer = (self._namespace, "") if own is None else (own.namespace, own.installer)
        data = _request(build, self._options, namespace)
        request = self._engine.ask("build", json.dumps(data).encode(), namespace=namespace, isInstalled=own is not None)
        self._asked[request] = _Asked(place, name, installer, locate)
        self._left.add(request)

    def __iter__(self) -> Iterator[tuple[int, FoundInBuild]]:
        """Yield what is found, with the place of its build among the builds, until all that was asked for is done.

        Raises:
            PullguardError: The policies cannot be loaded, or the engine has failed.
        """
        while self._left:
            for record in self._engine.until(frozenset(self._left)):
                if record["type"] in {"done", "failed"}:
                    self._left.discard(record["id"])
                if (found := self.found(record)) is not None:
                    yield found

    def found(self, record: Record) -> tuple[int, FoundInBuild] | None:
        """Return what a record says of one of the builds; None if it is about something else."""
        asked = self._asked.get(record["id"])
        if asked is None:
            return None
        return asked.place, self._engine.parsed(record, lambda entry: self._found(entry, asked))

    def _found(self, record: Record, asked: "_Asked") -> FoundInBuild:
        match record["type"]:
            case "failed":
                return BuildEnd(failure=record["message"])
            case "done":
                omitted = [f"{each['name']}: {each['why']}" for each in record.get("omitted", ())]
                counts = {key: record.get(key, {}) for key in ("unprotected", "placeholders")}
                return BuildEnd(
                    record["objects"],
                    record["files"],
                    omitted,
                    record.get("values", ""),
                    chart=record.get("chart", ""),
                    **counts,
                )
            case "unprotected":
                return Unprotected(record["unprotected"], is_built=True)
            case "error":
                source = self._names.shown(record["source"]) if record["source"] else asked.name
                message = f"what is built from it cannot be read: {record['message']}; {record['remedy']}"
                return InputError(source, None, None, message)
        return self._object(record, asked)

    def _object(self, record: Record, asked: "_Asked") -> FoundInBuild:
        obj = record["object"]
        if "name" in record:
            obj = {**obj, "metadata": {**obj["metadata"], "name": record["name"]}}
        places = {tuple(path): self._place(decision, asked.locate) for path, decision in record["places"]}
        document, item = record["document"], tuple(record["item"])
        if record["type"] == "unjudged":
            return UnjudgedObject(obj, places[()], record["holds"], record["remedy"], (document, *item))
        if record["type"] == "installer":
            return Installer(BuiltObject(asked.name, document, item, obj, places, Answer("", ())))
        answer = Failure(record["message"]) if record["type"] == "failure" else answer_from(record)
        _prefer_policies(places)
        return BuiltObject(asked.name, document, item, obj, places, answer, asked.installer)

    def _place(self, decision: dict[str, Any], locate: Locate | None) -> DecidingPlace:
        template, written = decision.get("template"), decision.get("written")
        values = []
        for key in decision.get("keys", ()):
            place, path = key.get("place"), tuple(key["path"])
            location = None
            if place is not None:
                in_object = None if locate is None else locate(place["file"], key["key"], path, place["line"])
                location = in_object or self._location(place)
            values.append(Value(key["key"], location, key.get("tag", False), key.get("policy", False), path))
        where = self._location(decision)
        if template is not None:
            # A value decides. The engine does not know where those of an installer stand.
            where = next((value.location for value in values if value.location is not None), where)
        position = written and Written(self._names.shown(written["file"]), written["line"], written["column"])
        return DecidingPlace(
            where.file, where.line, None if template is None else self._location(template), tuple(values), position
        )

    def _location(self, place: dict[str, Any]) -> Location:
        return Location(self._names.shown(place["file"]), place["line"])


class _Asked(NamedTuple):
    place: int
    name: str
    installer: str
    locate: Locate | None


def _prefer_policies(places: dict[Path, DecidingPlace]) -> None:
    """Let a value that can state the pull policy decide where the image stands in a template."""
    for path, place in list(places.items()):
        policy = places.get((*path[:-1], "imagePullPolicy")) if path[-1:] == ("image",) else None
        if policy is not None and policy.template is not None and not place.values:
            places[path] = policy


class Names:
    """Names of files for users, by absolute paths: as users named them, or else relative to the working directory.

    Args:
        shown: The names of files that users named, by their absolute paths.
        is_absolute: Whether users name absolute paths.
    """

    def __init__(self, shown: dict[str, str], *, is_absolute: bool) -> None:
        self._shown = {os.path.realpath(path): name for path, name in shown.items()}
        self._is_absolute = is_absolute

    def shown(self, path: str) -> str:
        """Return the name of a file."""
        known = self._shown.get(path) or self._shown.get(os.path.realpath(path))
        if known is not None or self._is_absolute:
            return known or path
        return os.path.relpath(path)
