"""Objects that install charts -> what they install, as Flux, k3s and Argo CD do: which chart, where, with which values.

What an object leaves to a cluster, such as values in a ConfigMap, is not known here, and is named.
"""

import json
import os
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pullguard.core.findings import Location, Source, value_at
from pullguard.core.findings import Path as Steps
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.build_options import Installation
from pullguard.core.schema_errors import dotted
from pullguard.engine.builds import SETTINGS

#: The file that shows that a folder is a chart.
CHART = "Chart.yaml"

_COMMA = re.compile(r"(?<!\\),")  # separates values in --set
_ESCAPED = r"\\,"
_LARGEST = 10_000_000  # bytes of a file that is read again, to find lines in it


@dataclass(frozen=True, slots=True)
class Values:
    """Values of a chart that stand in an object.

    Attributes:
        source: The object.
        path: Where they stand in it.
        text: The values, as YAML; of a mapping in the object, as JSON.
        is_text: Whether they stand in a string.
    """

    source: Source
    path: Steps
    text: str
    is_text: bool


@dataclass(frozen=True, slots=True)
class Chart:
    """The chart that an object names: by a path in a repository, or else by its name."""

    path: str
    name: str


@dataclass(frozen=True, slots=True)
class Installs:
    """What an object installs.

    Attributes:
        chart: The chart.
        release_name: The name of the release.
        namespace: The namespace that it goes to; "" if the object states none.
        values: Its values, lowest precedence first.
        files: Files of values, relative to the folder of the chart, which come before them.
        settings: Values as --set has them, and where they stand in the object.
        unknown: What else sets values and is not known here, in words.
    """

    chart: Chart
    release_name: str
    namespace: str
    values: tuple[Values, ...]
    files: tuple[str, ...] = ()
    settings: tuple[tuple[str, str, Steps], ...] = ()
    unknown: tuple[str, ...] = ()


def installs(source: Source) -> Iterator[Installs]:
    """Yield what an object installs: of an Application, a chart for each of its sources."""
    obj = source.object
    read = {"HelmRelease": _flux, "HelmChart": _k3s, "Application": _argo}.get(str(obj.get("kind")))
    if read is not None and isinstance(dig(obj, "spec"), dict):
        yield from read(source, obj["spec"], _text(obj, "metadata", "name"), _text(obj, "metadata", "namespace"))


def configured(own: Installs, source: Source, configs: Iterable[Source]) -> Installs:
    """Return what a HelmChart of k3s installs with the values of the HelmChartConfigs of its name."""
    if source.object.get("kind") != "HelmChart":
        return own
    more = [
        value
        for config in configs
        if _identity(config) == _identity(source)
        for value in _values(config, ("spec", "valuesContent"))
    ]
    return Installs(
        own.chart, own.release_name, own.namespace, (*own.values, *more), own.files, own.settings, own.unknown
    )


def name_of(source: Source) -> str:
    """Return an object as it is shown to users."""
    namespace, name = _identity(source)
    return f"{source.object.get('kind')} {namespace}/{name}" if namespace else f"{source.object.get('kind')} {name}"


def _identity(source: Source) -> tuple[str, str]:
    return _text(source.object, "metadata", "namespace"), _text(source.object, "metadata", "name")


def _flux(source: Source, spec: Mapping[str, Any], name: str, namespace: str) -> Iterator[Installs]:
    stated = _text(spec, "chart", "spec", "chart")
    if not stated:
        return  # a chartRef names no chart that could be in files
    is_path = _text(spec, "chart", "spec", "sourceRef", "kind") in {"GitRepository", "Bucket"}
    target = _text(spec, "targetNamespace")
    unknown = [_reference(entry, "spec.valuesFrom") for entry in _entries(spec.get("valuesFrom"))]
    unknown += [
        f"spec.chart.spec.{field}" for field in ("valuesFiles", "valuesFile") if dig(spec, "chart", "spec", field)
    ]
    unknown += ["spec.postRenderers"] if spec.get("postRenderers") else []
    yield Installs(
        Chart(stated, "") if is_path else Chart("", stated),
        _text(spec, "releaseName") or (f"{target}-{name}" if target else name),
        target or namespace,
        tuple(_values(source, ("spec", "values"))),
        unknown=tuple(unknown),
    )


def _k3s(source: Source, spec: Mapping[str, Any], name: str, namespace: str) -> Iterator[Installs]:
    stated = _text(spec, "chart")
    if not stated or stated.startswith(("http://", "https://")):
        return
    unknown = [f"spec.valuesSecrets: {_text(entry, 'name')}" for entry in _entries(spec.get("valuesSecrets"))]
    settings = spec.get("set")
    yield Installs(
        Chart("", stated.rpartition("/")[2]),
        name,
        _text(spec, "targetNamespace") or namespace,
        tuple(_values(source, ("spec", "valuesContent"))),
        settings=tuple(
            (str(key), _scalar(value), ("spec", "set", str(key)))
            for key, value in (settings.items() if isinstance(settings, dict) else ())
        ),
        unknown=tuple(unknown),
    )


def _argo(source: Source, spec: Mapping[str, Any], name: str, namespace: str) -> Iterator[Installs]:
    del namespace  # an Application stands where Argo CD does
    sources: list[tuple[Steps, Mapping[str, Any]]] = [
        (("spec", "sources", place), entry) for place, entry in _numbered(spec.get("sources"))
    ]
    if not sources and isinstance(spec.get("source"), dict):
        sources = [(("spec", "source"), spec["source"])]
    for path, entry in sources:
        chart = Chart(_text(entry, "path"), _text(entry, "chart").rpartition("/")[2])
        if not chart.path and not chart.name:
            continue
        stated = dig(entry, "helm", "valueFiles")
        files = [file for file in stated if isinstance(file, str)] if isinstance(stated, list) else []
        elsewhere = [file for file in files if file.startswith("$") or "://" in file]
        values = "values" if dig(entry, "helm", "valuesObject") is None else "valuesObject"
        unknown = [f"{dotted((*path, 'helm', 'valueFiles'), '')}: {file}" for file in elsewhere]
        unknown += [
            f"{dotted((*path, 'helm', 'fileParameters'), '')}: {_text(each, 'name')}"
            for each in _entries(dig(entry, "helm", "fileParameters"))
        ]
        yield Installs(
            chart,
            _text(entry, "helm", "releaseName") or name,
            _text(entry, "helm", "namespace") or _text(spec, "destination", "namespace"),
            tuple(_values(source, (*path, "helm", values))),
            tuple(file for file in files if file not in elsewhere),
            tuple(
                (_text(each, "name"), _scalar(each.get("value")), (*path, "helm", "parameters", place, "value"))
                for place, each in _numbered(dig(entry, "helm", "parameters"))
            ),
            tuple(unknown),
        )


def _values(source: Source, path: Steps) -> Iterator[Values]:
    value = value_at(source.object, path)
    if isinstance(value, str) and value.strip():
        yield Values(source, path, value, is_text=True)
    elif isinstance(value, dict):
        yield Values(source, path, json.dumps(value), is_text=False)


def _entries(value: Any) -> list[dict[str, Any]]:
    return [entry for _, entry in _numbered(value)]


def _numbered(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the mappings of a list, with their places in it."""
    for place, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, dict):
            yield place, entry


def _text(value: Any, *path: str) -> str:
    found = dig(value, *path)
    return found if isinstance(found, str) else ""


def _scalar(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else "" if value is None else str(value)


def _reference(entry: Mapping[str, Any], field: str) -> str:
    return f"{field}: {_text(entry, 'kind')} {_text(entry, 'name')}"


class Placed:
    """An installation, and where its values stand.

    Args:
        name: What installs, as it is shown to users.
        source: The object that installs.
        own: What it installs.
        namespace: The namespace that this goes to; "" = not known.
        files: Absolute paths of its files of values.
    """

    def __init__(self, name: str, source: Source, own: Installs, namespace: str, files: Sequence[str]) -> None:
        self._texts = {f"{dotted(value.path, '')} of {name_of(value.source)}": value for value in own.values}
        self._source = source
        self._settings = {key: path for key, _, path in own.settings}
        # An installation without values is not rendered with those that a chart has for its tests.
        texts = {text: value.text for text, value in self._texts.items()} or {f"the values of {name}": "{}"}
        settings = (f"{key}={_COMMA.sub(_ESCAPED, value)}" for key, value, _ in own.settings)
        self.installation = Installation(
            name, own.release_name, namespace, (*files, *texts), tuple(texts.items()), tuple(settings)
        )

    def locate(self, file: str, key: str, path: Steps, line: int) -> Location | None:
        """Return where a value stands; see `pullguard.engine.builds.Locate`."""
        if file == SETTINGS:
            setting = next((own for own in self._settings if key == own or key.startswith(f"{own}.")), None)
            place = self._source.place(self._settings[setting] if setting else ())
            return Location(place.file, place.line)
        value = self._texts.get(file)
        if value is None:
            return None
        place = value.source.place(value.path if value.is_text else (*value.path, *path))
        return Location(place.file, _line_in(place.file, value.text, place.line, line) if value.is_text else place.line)


def _line_in(file: str, text: str, near: int, line: int) -> int:
    """Return the line of a file on which a line of a text in it stands; that of the text if it is written otherwise."""
    path = Path(file)
    try:
        if not path.is_file() or path.stat().st_size > _LARGEST:
            return near
        lines = [own.strip() for own in path.read_text("utf-8", "replace").splitlines()]
    except OSError:
        return near
    wanted = [own.strip() for own in text.strip("\n").splitlines()]
    skipped = len(text) - len(text.lstrip("\n"))
    starts = [
        start for start, own in enumerate(lines) if own == wanted[0] and lines[start : start + len(wanted)] == wanted
    ]
    return min(starts, key=lambda start: abs(start - near)) + line - skipped if starts else near


def charts_of(chart: Chart, file: str, charts: Mapping[str, str]) -> list[str]:
    """Return which charts of the input an object may name.

    Args:
        chart: What it names.
        file: The file that the object stands in.
        charts: The names of the charts of the input, by their paths without links.
    """
    if not chart.path:
        return sorted(path for path, name in charts.items() if name == chart.name)
    return sorted(_candidates(chart, file) & charts.keys())


def charts_in_repository(chart: Chart, file: str) -> list[str]:
    """Return the chart at the path that an object names in the repository of its file, if there is one."""
    own = repository(Path(os.path.realpath(file)))
    found = _candidates(chart, file) if chart.path and own is not None else set()
    return [path for path in found if os.path.realpath(path) == path and Path(path, CHART).is_file()]


def _candidates(chart: Chart, file: str) -> set[str]:
    relative = posixpath.normpath(chart.path.lstrip("/"))
    if relative.startswith(".."):
        return set()
    own = Path(os.path.realpath(file))
    root = repository(own)
    roots = own.parents if root is None else (root,)
    return {os.path.normpath(folder / relative) for folder in roots}


def repository(file: Path) -> Path | None:
    """Return the folder of the repository that a file is in; None if it is in none."""
    return next((folder for folder in file.parents if os.path.lexists(folder / ".git")), None)


def values_file(chart: str, file: str) -> str | None:
    """Return the absolute path of a file of values beside or above a chart; None if its repository has no such file."""
    folder = Path(chart)
    path = os.path.realpath(folder / file)
    root = repository(folder / CHART) or folder
    return path if Path(path).is_relative_to(os.path.realpath(root)) and Path(path).is_file() else None
