"""Completion of `kubectl pullguard`, in the protocol that kubectl has for its plugins.

kubectl runs `kubectl_complete-pullguard` with the words after the plugin's name, of which the last is to be completed.
It prints a candidate a line, with a tab and a description if there is one, and at last a colon and the directive of
Cobra's ShellCompDirective: 0 = complete files too, 4 = do not.
"""

import argparse
from collections.abc import Iterable, Iterator, Sequence

from pullguard.completion.manual import commands

_FILES, _NO_FILES = 0, 4
_PATHS = ("FILE", "PATH", "DIR")

_Candidate = tuple[str, str]


def completions(parser: argparse.ArgumentParser, words: Sequence[str]) -> str:
    """Return what is to be printed.

    Args:
        parser: That of pullguard's command line.
        words: The words after `kubectl pullguard`; the last one, which may be empty, is to be completed.
    """
    found, directive = _found(parser, words or [""])
    lines = [f"{value}\t{text}" if text else value for value, text in found]
    return "".join(f"{line}\n" for line in [*lines, f":{directive}"])


def _found(parser: argparse.ArgumentParser, words: Sequence[str]) -> tuple[list[_Candidate], int]:
    *before, word = words
    own = next((commands(parser)[each] for each in before if each in commands(parser)), None)
    if own is None:
        names = [(name, each.description or "") for name, each in commands(parser).items()]
        return _starting([*names, *_options(parser)] if word.startswith("-") else names, word), _NO_FILES
    taking = _taking(own, before[-1])
    if taking is not None:
        return _values(taking, word)
    option, equals, _ = word.partition("=")
    if equals and (taking := _taking(own, option)) is not None:
        found, directive = _values(taking, word.removeprefix(f"{option}="))
        return [(f"{option}={value}", text) for value, text in found], directive
    if word.startswith("-"):
        return _starting(_options(own), word), _NO_FILES
    operands = [action for action in _actions(own) if not action.option_strings]
    results = [_values(action, word) for action in operands]
    found = [candidate for candidates, _ in results for candidate in candidates]
    return found, _FILES if any(directive == _FILES for _, directive in results) else _NO_FILES


def _taking(parser: argparse.ArgumentParser, word: str) -> argparse.Action | None:
    """Return the option that a word is, if it takes a value."""
    return next((each for each in _actions(parser) if word in each.option_strings and each.nargs != 0), None)


def _values(action: argparse.Action, word: str) -> tuple[list[_Candidate], int]:
    if action.choices is not None:
        return _starting([(str(choice), "") for choice in action.choices], word), _NO_FILES
    return [], _FILES if str(action.metavar).endswith(_PATHS) else _NO_FILES


def _options(parser: argparse.ArgumentParser) -> Iterator[_Candidate]:
    for action in _actions(parser):
        for option in action.option_strings:
            if option.startswith("--"):
                yield option, (parser._get_formatter()._expand_help(action) or "").split(";")[0]  # noqa: SLF001 - argparse has no public way


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    return parser._actions  # noqa: SLF001 - argparse has no public list of them


def _starting(candidates: Iterable[_Candidate], word: str) -> list[_Candidate]:
    return [(value, text) for value, text in candidates if value.startswith(word)]
