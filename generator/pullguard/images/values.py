"""The images that charts name in their values and do not use as they are rendered: other values may switch them on."""

from collections.abc import Iterable
from pathlib import Path

from pullguard.core.errors import PullguardError
from pullguard.core.findings import InputBuild, ObjectRef
from pullguard.core.text_files import read_text
from pullguard.engine.documents import load_document
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.images.model import Use
from pullguard.images.uses import MODULES, NamedUse

_VALUES = "values.yaml"


def uses_in_values(engine: Engine, builds: Iterable[InputBuild]) -> tuple[list[NamedUse], list[str]]:
    """Return the uses that values of charts and of their unpacked subcharts name, and notes on values left out.

    Args:
        engine: What reads the values, and asks Rego.
        builds: What was built. Charts that objects install, and packed charts, are left out.

    Raises:
        PullguardError: The engine has failed.
    """
    found: list[NamedUse] = []
    notes = []
    for build in builds:
        folder = Path(build.path)
        if build.kind != "chart" or build.installation is not None or not folder.is_dir():
            continue
        for file in (folder / _VALUES, *sorted(folder.glob(f"charts/*/{_VALUES}"))):
            if not file.is_file():
                continue
            shown = f"{build.name}/{file.relative_to(folder)}"
            try:
                document = load_document(engine, read_text(file, shown, tree=folder), shown, dialect="kubernetes")
            except PullguardError as error:
                notes.append(f"no images were looked for in {shown}: {error.message}")
                continue
            answer = query(engine, modules(MODULES), "data.images.uses.in_values", {"values": document.value})
            for each in sorted(answer, key=lambda each: (document.line_of(tuple(each["steps"])), each["what"])):
                use = Use(
                    image=each["image"],
                    sure=each["sure"],
                    what=each["what"],
                    object=ObjectRef("", "Chart", "", build.name),
                    file=shown,
                    line=document.line_of(tuple(each["steps"])),
                )
                found.append((each["name"], use))
    return found, notes
