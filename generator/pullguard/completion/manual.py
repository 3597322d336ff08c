"""The manual page of the command line, made from its parser; pure.

It is written in the macros of man(7), which every man program and `mandoc` read.
"""

import argparse
from collections.abc import Iterator

from pullguard import __version__


def manual(parser: argparse.ArgumentParser) -> str:
    """Return the manual page, in section 1, of a parser with commands."""
    return "\n".join(_lines(parser)) + "\n"


def commands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    """Return the parsers of the commands, by name."""
    return dict(_subparsers(parser).choices)


def _subparsers(parser: argparse.ArgumentParser) -> "argparse._SubParsersAction[argparse.ArgumentParser]":
    # argparse has no public list of commands.
    (action,) = (entry for entry in parser._actions if isinstance(entry, argparse._SubParsersAction))  # noqa: SLF001
    return action


def _lines(parser: argparse.ArgumentParser) -> Iterator[str]:
    name = parser.prog
    yield f'.TH {name.upper()} 1 "" "{name} {__version__}" "User Commands"'
    yield ".SH NAME"
    description = (parser.description or "").rstrip(".")
    yield _text(f"{name} - {description[:1].lower()}{description[1:]}")
    yield ".SH SYNOPSIS"
    yield f".B {_text(name)}"
    yield r".I COMMAND"
    yield r"[\fIOPTIONS\fR] [\fIARGUMENTS\fR]"
    yield ".SH COMMANDS"
    helps = {action.dest: action.help or "" for action in _subparsers(parser)._choices_actions}  # noqa: SLF001 - as above
    for command, own in commands(parser).items():
        yield f".SS {_text(f'{name} {command}')}"
        yield from _command(own, helps.get(command, ""), shared=parser.epilog)
    yield ".SH OPTIONS"
    yield from _arguments(parser)
    for title, lines in _paragraphs(parser.epilog):
        yield f".SH {title.upper()}"
        yield from _kept(lines)


def _command(parser: argparse.ArgumentParser, summary: str, *, shared: str | None) -> Iterator[str]:
    yield _text(parser.description or summary)
    yield ".PP"
    yield _usage(parser)
    yield from _arguments(parser)
    for title, lines in _paragraphs(parser.epilog):
        if title not in dict(_paragraphs(shared)):
            yield ".PP"
            yield rf"\fB{_text(title.capitalize())}\fR"
            yield from (".RS 4", *_kept(lines), ".RE")


def _usage(parser: argparse.ArgumentParser) -> str:
    """Return the usage of a command without its options, which follow one by one."""
    operands = [action for action in parser._actions if not action.option_strings]  # noqa: SLF001 - as above
    shown = [_operand(action) for action in operands]
    return " ".join([rf"\fB{_text(parser.prog)}\fR", r"[\fIOPTIONS\fR]", *shown])


def _operand(action: argparse.Action) -> str:
    name = rf"\fI{_text(_metavar(action))}\fR"
    several = action.nargs in {"*", "+"}
    optional = action.nargs in {"*", "?"}
    text = f"{name}..." if several else name
    return f"[{text}]" if optional else text


def _arguments(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:  # noqa: SLF001 - as above
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):  # noqa: SLF001 - as above
            continue
        yield ".TP"
        yield _flags(action)
        expanded = parser._get_formatter()._expand_help(action)  # noqa: SLF001 - as above
        yield _text(expanded or "")


def _flags(action: argparse.Action) -> str:
    if not action.option_strings:
        return rf"\fI{_text(_metavar(action))}\fR"
    value = "" if action.nargs == 0 else rf" \fI{_text(_metavar(action))}\fR"
    return ", ".join(rf"\fB{_text(option)}\fR" for option in action.option_strings) + value


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "|".join(map(str, action.choices)) if action.choices else action.dest


def _paragraphs(epilog: str | None) -> Iterator[tuple[str, list[str]]]:
    """Yield the titles and the lines of the paragraphs of an epilog; a title is a line that ends in a colon."""
    for paragraph in filter(None, (epilog or "").split("\n\n")):
        title, *lines = paragraph.splitlines()
        yield title.removesuffix(":"), lines


def _kept(lines: list[str]) -> Iterator[str]:
    """Yield lines that roff must not fill."""
    yield from (".nf", *(_text(line.removeprefix("  ")) for line in lines), ".fi")


def _text(text: str) -> str:
    """Return a text with the requests and escapes of roff made harmless."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq").replace("`", r"\(ga")
    return rf"\&{escaped}" if escaped.startswith(".") else escaped
