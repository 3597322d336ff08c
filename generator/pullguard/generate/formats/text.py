"""What `generate` found or did, as text."""

from typing import TextIO

from pullguard.core.formats.text import counted, printable
from pullguard.generate.command import GenerateResult


def write(result: GenerateResult, stream: TextIO, *, verbose: bool = False) -> None:
    """Write what became of the folder in a line, below notes and, if verbose, a line for every file that differed."""
    stream.writelines(printable(f"Note: {note}") + "\n" for note in result.notes)
    difference = result.difference
    words = ("missing", "changed", "stale") if result.only_compared else ("wrote", "updated", "removed")
    files = dict(zip(words, (difference.missing, difference.changed, difference.stale), strict=True))
    if verbose:
        stream.writelines(printable(f"{word}: {result.out / path}") + "\n" for word in words for path in files[word])
    numbers = ", ".join(f"{word} {len(files[word])}" for word in words if files[word])
    if result.only_compared and difference:
        what = f"is not what the policies and the configuration give ({numbers}): run `pullguard generate`"
        hint = "" if verbose else "; --verbose lists the files"
        line = f"{result.out} {what}{hint}"
    else:
        # MANIFEST lists the others.
        line = f"{result.out}: {counted(result.files + 1, 'file')}, {numbers or 'up to date'}"
    stream.write(printable(line) + "\n")
