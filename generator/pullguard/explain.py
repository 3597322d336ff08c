"""`pullguard explain`: the page of a policy, from the library that `check` would judge by."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import ConstraintTemplate
from pullguard.core.suggestions import nearest
from pullguard.core.text_files import read_text
from pullguard.engine.protocol import Engine
from pullguard.library.choice import choose
from pullguard.library.ruleset import policy_page
from pullguard.library.store import load

_EXAMPLE = re.compile(r"(?ms)(^```.*?^```$)")
_LINK = re.compile(r"\[([^]\n]+)\]\((?!\w+:|#)([^)\s]+)\)")


def explain(name: str, *, library: str | None = None) -> str:
    """Return the page of a policy, as Markdown, below what is to be said of the name.

    Args:
        name: The policy, or one of its rules, by the present or a former name, or the kind of its constraints.
        library: The folder of the library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.

    Raises:
        PullguardError: The library cannot be read, or has no such policy, or no page of it.
    """
    choice = choose(library)
    directory, shown = Path(choice.folder), choice.shown
    with Engine() as engine:
        templates = load(engine, directory).templates
    names: dict[str, str] = {}
    for template in templates:
        rules = template.rules.values()
        known = (template.policy, template.kind, template.name, *(rule.id for rule in rules))
        names |= dict.fromkeys(known, template.policy)
    former = {old: (new, policy) for old, new, policy in _former(templates) if old not in names}
    names |= {old: policy for old, (_, policy) in former.items()}
    if name not in names:
        policies = ", ".join(sorted(set(names.values())))
        meant = nearest(name, names)
        raise PullguardError(
            f"{name} is not a policy of the library ({shown})",
            remedy=f"name one of these: {policies}" if meant is None else f"did you mean {meant}?",
        )
    page = _page(directory, names[name], shown)
    now = former[name][0] if name in former else name
    remarks = [f"{name} is called {now} now."] if name in former else []
    remarks += [
        f"{rule.id} {rule.deprecated.sentence}."
        for template in templates
        for rule in template.rules.values()
        if rule.id == now and rule.deprecated is not None
    ]
    return f"> {' '.join(remarks)}\n\n{page}" if remarks else page


def _former(templates: Iterable[ConstraintTemplate]) -> Iterator[tuple[str, str, str]]:
    """Yield the names that policies and rules had before, with the present one and the policy."""
    for template in templates:
        yield from ((old, template.policy, template.policy) for old in template.aliases)
        yield from ((old, rule.id, template.policy) for rule in template.rules.values() for old in rule.aliases)


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
