"""Which subcharts of a chart are edited: those in folders, unless `helm dependency update` would bring them anew."""

from collections.abc import Iterator
from pathlib import Path

from pullguard.core.gatekeeper import dig
from pullguard.engine.documents import Document, read_documents
from pullguard.engine.protocol import Engine

_FOLDER = "charts"
_PACKED = "{decider} {file} decides it, which is packed and not edited: change it where that chart is made"
_FETCHED = "{decider} the subchart {name} decides it, which {stated} takes from {repository}: change it there"


def levels(chart: Path, file: Path) -> int:
    """Return how many subcharts a file of a chart is in, by their folders or packed files."""
    inside = file.relative_to(chart).parts if file.is_relative_to(chart) else ()
    count = 0
    while inside[2 * count : 2 * count + 1] == (_FOLDER,):
        count += 1
    return count


def not_edited(engine: Engine, chart: Path, file: Path, decider: str) -> str:
    """Return why a file of a chart is not edited, in words; "" if it is.

    Args:
        engine: What reads charts.
        chart: The absolute path of the folder of the chart.
        file: That of the file, which is in a subchart or not.
        decider: What in the file decides something, such as "a template of".
    """
    folder = chart
    for _ in range(levels(chart, file)):
        own = folder / _FOLDER / file.relative_to(folder).parts[1]
        if own == file:
            return _PACKED.format(decider=decider, file=file.name)
        for stated in ("Chart.yaml", "requirements.yaml"):
            for repository in _repositories(engine, folder / stated, {own.name, *_names(engine, own / "Chart.yaml")}):
                return _FETCHED.format(decider=decider, name=own.name, stated=stated, repository=repository)
        folder = own
    return ""


def _names(engine: Engine, file: Path) -> Iterator[str]:
    for value in _values(engine, file):
        yield str(dig(value, "name"))


def _repositories(engine: Engine, file: Path, names: set[str]) -> Iterator[str]:
    """Yield where Helm takes subcharts from, unless that is a folder or nowhere."""
    for value in _values(engine, file):
        stated = dig(value, "dependencies")
        for entry in stated if isinstance(stated, list) else ():
            repository = dig(entry, "repository")
            is_remote = isinstance(repository, str) and repository and not repository.startswith("file://")
            if is_remote and dig(entry, "name") in names:
                yield str(repository)


def _values(engine: Engine, file: Path) -> Iterator[object]:
    if file.is_file():
        text = file.read_text("utf-8", "replace")
        yield from (each.value for each in read_documents(engine, text, file.name) if isinstance(each, Document))
