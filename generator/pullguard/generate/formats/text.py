"""What `generate` found or did, as text."""

from typing import TextIO

from pullguard.generate.command import GenerateResult


def write(result: GenerateResult, stream: TextIO) -> None:
    """Write a line for every file that differed, and one for the whole."""
    difference = result.difference
    words = ("missing", "changed", "stale") if result.only_compared else ("wrote", "updated", "removed")
    for word, paths in zip(words, (difference.missing, difference.changed, difference.stale), strict=True):
        stream.writelines(f"{word}: {result.out / path}\n" for path in paths)
    if result.only_compared and difference:
        stream.write(f"{result.out} is not what the policies and the configuration give: run `pullguard generate`\n")
    else:
        stream.write(f"{result.out}: {result.files} files, up to date\n")
