"""Suggestions for names that are not known; pure."""

import difflib
import re
from collections.abc import Mapping, Sequence

# Kinds of constraints are called after what they demand, behind what is the same for all.
_NOT_TOLD_APART = re.compile(r"^k8s|[^a-z0-9]+")


def nearest(word: str, names: Mapping[str, str]) -> str | None:
    """Return what a known name that is near stands for; None if none is.

    Args:
        word: What was written.
        names: What the known names stand for.
    """
    by_letters = {_letters(name): meant for name, meant in reversed(list(names.items()))}
    exact = by_letters.get(_letters(word))
    near = difflib.get_close_matches(word, names, n=1) or difflib.get_close_matches(_letters(word), by_letters, n=1)
    return exact or (by_letters.get(_letters(near[0])) if near else None)


def suggestion(word: str, known: Sequence[str]) -> str:
    """Return a remedy that names the known word that is near, or else all of them."""
    near = nearest(word, {name: name for name in known})
    if near is not None:
        return f"did you mean {near}?"
    return f"known here: {', '.join(known)}" if known else "nothing can be stated here"


def _letters(name: str) -> str:
    return _NOT_TOLD_APART.sub("", name.lower())
