"""Completion scripts for shells, made from the parser by shtab."""

import argparse

import shtab

from pullguard.completion.manual import commands


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script that completes the command line of a parser in a shell that shtab knows."""
    for command in commands(parser).values():
        for action in command._actions:  # noqa: SLF001 - argparse has no public list of them
            if str(action.metavar).endswith(("FILE", "PATH")):
                action.complete = shtab.FILE  # type: ignore[attr-defined]
            elif action.metavar == "DIR":
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
    return shtab.complete(parser, shell=shell)
