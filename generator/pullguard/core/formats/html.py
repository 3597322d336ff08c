"""Reports as self-contained HTML pages, which need no network and no other file.

All data on a page is escaped text or attributes. Style and script are constant texts, and the page's
Content-Security-Policy names them by their hashes, so nothing else on the page can run.
"""

import base64
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TextIO

from pullguard import __version__
from pullguard.core.formats.text import counted, printable

_SHARED = Path(__file__).resolve().parent / "page"


def write_page(folder: Path, name: str, stream: TextIO, *, scripts: Iterable[Path] = (), **values: Any) -> None:
    """Write a page.

    Args:
        folder: What holds the page's own files, NAME.html.j2 and NAME.css; the template extends page.html.j2.
        name: The name of the page.
        stream: Where to.
        scripts: Scripts of the page beside that of its tables.
        values: What the template knows, `report` among it.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - only this format needs it
    from markupsafe import Markup  # noqa: PLC0415 - as above

    environment = Environment(
        autoescape=True,
        finalize=_finalize,
        loader=FileSystemLoader([folder, _SHARED]),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals["counted"] = counted
    style = _joined((_SHARED / "page.css", folder / f"{name}.css"))
    script = _joined((_SHARED / "table.js", *scripts))
    text = environment.get_template(f"{name}.html.j2").render(
        version=__version__,
        policy="; ".join(
            (
                "default-src 'none'",
                f"style-src '{_hash(style)}'",
                f"script-src '{_hash(script)}'",
                "base-uri 'none'",
                "form-action 'none'",
            )
        ),
        style=Markup(style),  # noqa: S704 - a constant text of ours
        script=Markup(script),  # noqa: S704 - as above
        **values,
    )
    # In ASCII, the page is the same in every encoding.
    stream.write(text.encode("ascii", "xmlcharrefreplace").decode() + "\n")


def _joined(files: Iterable[Path]) -> str:
    return "\n".join(file.read_text("utf-8") for file in files)


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _finalize(value: object) -> object:
    """Escape invisible characters and those that change the writing direction, so that no name imitates another."""
    return printable(value) if type(value) is str else value
