"""`pullguard explain`: the page of a policy, from the library that `check` would judge by."""

import os
import re
from pathlib import Path

from pullguard.core.errors import PullguardError
from pullguard.core.suggestions import nearest
from pullguard.core.text_files import read_text
from pullguard.engine.protocol import Engine
from pullguard.library.choice import choose
from pullguard.library.ruleset import policy_page
from pullguard.library.store import load

_EXAMPLE = re.compile(r"(?ms)(^```.*?^```$)")
_LINK = re.compile(r"\[([^]\n]+)\]\((?!\w+:|#)([^)\s]+)\)")


def explain(name: str, *, library: str | None = None) -> str:
    """Return the page of a policy, as Markdown.

    Args:
        name: The policy, or one of its rules, or the kind of its constraints.
        library: The folder of the library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.

    Raises:
        PullguardError: The library cannot be read, or has no such policy, or no page of it.
    """
    choice = choose(library)
    directory, shown = Path(choice.folder), choice.shown
    names: dict[str, str] = {}
    with Engine() as engine:
        templates = load(engine, directory).templates
    for template in templates:
        known = (template.policy, template.kind, template.name, *(rule.id for rule in template.rules.values()))
        names |= dict.fromkeys(known, template.policy)
    if name not in names:
        policies = ", ".join(sorted(set(names.values())))
        meant = nearest(name, names)
        raise PullguardError(
            f"{name} is not a policy of the library ({shown})",
            remedy=f"name one of these: {policies}" if meant is None else f"did you mean {meant}?",
        )
    return _page(directory, names[name], shown)


def _page(directory: Path, policy: str, shown: str) -> str:
    page = policy_page(directory, policy)
    if not page.resolve().is_relative_to(directory.resolve()) or not page.is_file():
        raise PullguardError(f"the library ({shown}) has no page of {policy}", remedy="see its template")
    return _with_paths(read_text(page, tree=directory), page.parent)


def _with_paths(page: str, folder: Path) -> str:
    """Return a page whose links to files are their paths: on a terminal, a link beside the page leads nowhere."""
    parts = _EXAMPLE.split(page)
    parts[::2] = [_LINK.sub(lambda link: str(Path(os.path.normpath(folder / link[2]))), part) for part in parts[::2]]
    return "".join(parts)
