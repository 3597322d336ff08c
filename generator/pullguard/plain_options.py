"""Command lines of one command that nothing is unusual in, read without argparse, which takes time to load.

What options there are is told by the function that tells argparse. Everything else is left to argparse: help, errors,
abbreviations, and whatever this does not know.
"""

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

_KNOWN = frozenset({"action", "choices", "default", "help", "metavar", "nargs"})
_SWITCH, _APPEND = "store_true", "append"


class _Command:
    """Stands for a command of argparse, and for the commands that it is added to."""

    def __init__(self) -> None:
        self.defaults: dict[str, Any] = {}
        self.options: dict[str, tuple[str, dict[str, Any]]] = {}
        self.positional = ""
        self.is_plain = True

    def add_parser(self, _name: str, **_: Any) -> "_Command":
        return self

    def set_defaults(self, **defaults: Any) -> None:
        self.defaults.update(defaults)

    def add_argument(self, *names: str, **how: Any) -> None:
        long = next((name for name in names if name.startswith("--")), names[0])
        name = long.lstrip("-").replace("-", "_")
        is_option = names[0].startswith("-")
        self.is_plain = (
            self.is_plain
            and set(how) <= _KNOWN
            and how.get("action") in {None, _SWITCH, _APPEND}
            and (how.get("nargs") is None if is_option else how.get("nargs") == "+" and not self.positional)
        )
        if not is_option:
            self.positional = name
            return
        self.options.update(dict.fromkeys(names, (name, how)))
        default = how.get("default", False if how.get("action") == _SWITCH else None)
        self.defaults[name] = default


class _NotPlainError(Exception):
    """It is for argparse to say what the command line means, or what is wrong with it."""


def parse(add: Callable[[Any], None], arguments: Sequence[str]) -> SimpleNamespace | None:
    """Return what argparse would make of the arguments of a command, or None where that is for argparse to say.

    Args:
        add: Adds the command to the commands of an argument parser.
        arguments: Those after the name of the command.
    """
    command = _Command()
    add(command)
    values = dict(command.defaults)
    positional: list[str] = []
    ends: list[int] = []
    rest = list(reversed(arguments))
    try:
        while rest:
            argument = rest.pop()
            if _is_value(argument):
                positional.append(argument)
                ends.append(len(rest))
            else:
                _take(command, argument, rest, values)
    except _NotPlainError:
        return None
    # argparse takes positional arguments in one place only.
    if not command.is_plain or not positional or ends[0] - ends[-1] != len(ends) - 1:
        return None
    return SimpleNamespace(**{**values, command.positional: positional})


def _is_value(argument: str) -> bool:
    return argument == "-" or not argument.startswith("-")


def _take(command: _Command, argument: str, rest: list[str], values: dict[str, Any]) -> None:
    """Take an option, and its value from the rest, whose next argument stands last."""
    flag, has_value, value = argument.partition("=")
    if flag not in command.options or (has_value and not flag.startswith("--")):
        raise _NotPlainError
    name, how = command.options[flag]
    if how.get("action") == _SWITCH:
        if has_value:
            raise _NotPlainError
        values[name] = True
        return
    if not has_value:
        if not rest or not _is_value(rest[-1]):
            raise _NotPlainError
        value = rest.pop()
    if "choices" in how and value not in how["choices"]:
        raise _NotPlainError
    values[name] = [*values[name], value] if how.get("action") == _APPEND else value
