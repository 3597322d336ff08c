"""Values and texts as YAML that every YAML reader takes the same way; pure."""

import math
import re
from typing import Any

import yaml

#: Characters that stand for themselves in a block scalar, for readers of YAML 1.1 and 1.2: no other line breaks than
#: the line feed, and nothing that is not printable.
_PLAIN_TEXT = re.compile(r"[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")

#: Strings that no reader takes for anything else when they have no quotes. `0o17`, `1e3` and `y` are not among them:
#: the readers of Python and Go differ there.
_PLAIN_SCALAR = re.compile(r"[A-Za-z]([A-Za-z0-9 ._/()-]*[A-Za-z0-9._/()-])?")
_NOT_STRINGS = frozenset({"y", "yes", "n", "no", "on", "off", "true", "false", "null"})

_SHORT_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def block(text: str, indent: int) -> str:
    """Return a text as a YAML scalar that reads back as exactly that text.

    Args:
        text: The text.
        indent: By how many spaces the lines of the scalar are indented: two more than the key or the dash before it.

    Returns:
        A literal block scalar, without the last line's line feed; in double quotes if a block cannot hold the text.
    """
    last_line = text.rstrip("\n").rpartition("\n")[2]
    if not last_line.strip(" ") or not _PLAIN_TEXT.fullmatch(text):
        return quoted(text)
    # A reader takes the first line's indentation for the block's, unless it is told.
    indicator = "2" if text[0] in " \t\n" else ""
    body = text.rstrip("\n")
    ends = len(text) - len(body)
    chomping = ("-", "", "+")[min(ends, 2)]
    lines = [f"{' ' * indent}{line}" if line else "" for line in body.split("\n")]
    return "\n".join([f"|{indicator}{chomping}", *lines, *[""] * max(ends - 1, 0)])


def quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes, on one line, in ASCII."""
    return f'"{"".join(_escaped(character) for character in text)}"'


def _escaped(character: str) -> str:
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if " " <= character <= "~":
        return character
    code = ord(character)
    return f"\\U{code:08X}" if code > 0xFFFF else f"\\u{code:04X}"  # noqa: PLR2004 - the last one with four digits


def dump(value: Any, indent: int = 0) -> str:
    """Return a JSON value as YAML in block style, in the order of its keys, without a line feed at the end.

    Args:
        value: The value.
        indent: By how many spaces all lines but the first are indented, as that one stands behind something.
    """
    text = yaml.dump(
        value, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, sort_keys=False, width=math.inf
    )
    text = text.removesuffix("\n").removesuffix("\n...")
    return re.sub(r"\n(?=[^\n])", f"\n{' ' * indent}", text)


def _is_paragraph(text: str) -> bool:
    """Tell whether a text is of lines that PyYAML writes well as a literal block."""
    lines = text.split("\n")
    return (
        len(lines) > 1
        and lines[0] != ""
        and not lines[0].startswith(" ")
        and all(line == line.rstrip() and "\t" not in line for line in lines)
        and _PLAIN_TEXT.fullmatch(text) is not None
    )


class _Dumper(yaml.SafeDumper):
    """Indents lists below their keys, writes no anchors, and quotes whatever might be read as something else."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 - PyYAML's signature
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True

    def _string(self, data: str) -> yaml.ScalarNode:
        if _PLAIN_SCALAR.fullmatch(data) and data.lower() not in _NOT_STRINGS:
            style = None
        elif _is_paragraph(data):
            style = "|"
        else:
            style = "'" if data.isascii() and data.isprintable() and ('"' in data or "\\" in data) else '"'
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Dumper.add_representer(str, _Dumper._string)  # noqa: SLF001 - its own method
