"""Kustomizations and charts -> what policies say about the objects in them: the engine builds and judges."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pullguard.core.findings import DecidingPlace, Location, Path, Value, Written
from pullguard.core.inputs.build_options import ChartOptions, Kustomizations
from pullguard.core.inputs.problems import InputError
from pullguard.engine.batches import Answer, Failure, answer_from
from pullguard.engine.protocol import Engine, Record
from pullguard.engine.unjudged import UnjudgedObject, Unprotected

#: The names of kustomization files.
KUSTOMIZATIONS = frozenset({"kustomization.yaml", "kustomization.yml", "Kustomization"})


@dataclass(frozen=True, slots=True)
class Build:
    """A kustomization or a chart: `path` is the absolute path of a folder, or of a packed chart."""

    kind: Literal["kustomization", "chart"]
    path: str


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
    """

    file: str
    document: int
    item: tuple[int, ...]
    object: dict[str, Any]
    places: dict[Path, DecidingPlace]
    answer: Answer | Failure

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
    """

    objects: int = 0
    files: Sequence[str] = ()
    omitted: Sequence[str] = ()
    values: str = ""
    failure: str = ""
    unprotected: Mapping[str, int] = field(default_factory=dict)
    placeholders: Mapping[str, int] = field(default_factory=dict)


FoundInBuild = BuiltObject | UnjudgedObject | Unprotected | InputError | BuildEnd


def _request(build: Build, options: ChartOptions, namespace: str) -> dict[str, Any]:
    data: dict[str, Any] = {"kind": build.kind, "path": build.path}
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
    data = _request(build, options or ChartOptions(), namespace) | {"texts": texts or {}}
    record = engine.answer(engine.ask("build", json.dumps(data).encode(), unit="text"))
    if record["type"] == "failed":
        return b"", engine.parsed(record, lambda entry: BuildEnd(failure=entry["message"]))
    return engine.parsed(record, lambda entry: (entry.get("data", b""), BuildEnd(files=entry["files"])))


class Builds:
    """Builds on their way through the engine.

    Args:
        engine: What builds and judges, by its setup.
        builds: What is to be built, and how users call it.
        options: What charts are rendered with.
        namespace: The namespace of objects that state none; "" = not known.
        names: How absolute paths are shown to users.
    """

    def __init__(
        self,
        engine: Engine,
        builds: Sequence[tuple[Build, str]],
        options: ChartOptions,
        namespace: str,
        names: "Names",
    ) -> None:
        self._engine = engine
        self._builds = builds
        self._names = names
        self._places: dict[int, int] = {}
        for place, (build, _) in enumerate(builds):
            data = _request(build, options, namespace)
            self._places[engine.ask("build", json.dumps(data).encode(), namespace=namespace)] = place

    def __iter__(self) -> Iterator[tuple[int, FoundInBuild]]:
        """Yield what is found, with the place of its build among the builds, until all of them are done.

        Raises:
            PullguardError: The policies cannot be loaded, or the engine has failed.
        """
        left = set(self._places)
        while left:
            for record in self._engine.until(frozenset(left)):
                if record["type"] in {"done", "failed"}:
                    left.discard(record["id"])
                if (found := self.found(record)) is not None:
                    yield found

    def found(self, record: Record) -> tuple[int, FoundInBuild] | None:
        """Return what a record says of one of the builds; None if it is about something else."""
        place = self._places.get(record["id"])
        if place is None:
            return None
        return place, self._engine.parsed(record, lambda entry: self._found(entry, self._builds[place][1]))

    def _found(self, record: Record, name: str) -> FoundInBuild:
        match record["type"]:
            case "failed":
                return BuildEnd(failure=record["message"])
            case "done":
                omitted = [f"{each['name']}: {each['why']}" for each in record.get("omitted", ())]
                counts = {key: record.get(key, {}) for key in ("unprotected", "placeholders")}
                return BuildEnd(record["objects"], record["files"], omitted, record.get("values", ""), **counts)
            case "unprotected":
                return Unprotected(record["unprotected"], is_built=True)
            case "error":
                source = self._names.shown(record["source"]) if record["source"] else name
                message = f"what is built from it cannot be read: {record['message']}; {record['remedy']}"
                return InputError(source, None, None, message)
        obj = record["object"]
        if "name" in record:
            obj = {**obj, "metadata": {**obj["metadata"], "name": record["name"]}}
        places = {tuple(path): self._place(decision) for path, decision in record["places"]}
        if record["type"] == "unjudged":
            return UnjudgedObject(obj, places[()], record["holds"], record["remedy"])
        answer = Failure(record["message"]) if record["type"] == "failure" else answer_from(record)
        _prefer_policies(places)
        return BuiltObject(name, record["document"], tuple(record["item"]), obj, places, answer)

    def _place(self, decision: dict[str, Any]) -> DecidingPlace:
        template = decision.get("template")
        values = tuple(
            Value(
                key["key"],
                self._location(key["place"]) if key.get("place") else None,
                key.get("tag", False),
                key.get("policy", False),
                tuple(key["path"]),
            )
            for key in decision.get("keys", ())
        )
        where, written = self._location(decision), decision.get("written")
        position = written and Written(self._names.shown(written["file"]), written["line"], written["column"])
        return DecidingPlace(
            where.file,
            where.line,
            None if template is None else self._location(template),
            values,
            position,
        )

    def _location(self, place: dict[str, Any]) -> Location:
        return Location(self._names.shown(place["file"]), place["line"])


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
