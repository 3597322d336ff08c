"""The pages of the site that are made from the program: commands and the configuration; pure."""

import argparse
import html
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pullguard.completion.manual import commands


def commands_page(parser: argparse.ArgumentParser) -> str:
    """Return the page that lists all commands, with what they share.

    Args:
        parser: That of the command line.
    """
    lines = ["# Commands", "", "| command | what it does |", "|---|---|"]
    for name, own in sorted(commands(parser).items()):
        lines.append(f"| [pullguard {name}]({name}.md) | {_cell(_first_sentence(own.description or ''))} |")
    lines += ["", "`pullguard --version` prints the version, and `pullguard COMMAND --help` what these pages say."]
    lines += ["[Exit codes](../../exit-codes.md) are the same everywhere."]
    return "\n".join(lines) + "\n"


def command_page(parser: argparse.ArgumentParser, guide: str) -> str:
    """Return the page of a command: what `--help` says.

    Args:
        parser: That of the command.
        guide: The path of the page in docs/ that explains it, from this one; empty if there is none.
    """
    lines = [f"# {parser.prog}", "", parser.description or "", ""]
    if guide:
        lines += [f"This is what `{parser.prog} --help` says; [its guide]({guide}) explains it.", ""]
    usage = textwrap.dedent(f"{' ' * len('usage: ')}{parser.format_usage().removeprefix('usage: ')}").strip()
    lines += [f'<pre class="pg-usage"><code>{html.escape(usage)}</code></pre>', ""]
    operands = [action for action in _actions(parser) if not action.option_strings]
    options = [action for action in _actions(parser) if action.option_strings]
    for title, actions in (("Argument", operands), ("Option", options)):
        if actions:
            lines += [f"## {title}s", "", f"| {title.lower()} | meaning |", "|---|---|"]
            lines += [f"| {_flags(action)} | {_meaning(parser, action)} |" for action in actions]
            lines.append("")
    for title, block in _paragraphs(parser.epilog):
        lines += [f"## {title.capitalize()}", "", "```text", *block, "```", ""]
    return "\n".join(lines)


def configuration_page(schema: Mapping[str, Any]) -> str:
    """Return the page about pullguard.yaml, from its JSON Schema."""
    lines = ["# pullguard.yaml", ""]
    lines += [
        "[Your own library](../library.md) explains how to use it. `pullguard init` writes one with comments, and its"
    ]
    lines += ["JSON Schema, with which editors complete it.", ""]
    for name, value in schema["properties"].items():
        if name != "policies":
            lines += _section(name, value)
    policies = schema["properties"]["policies"]["properties"]
    lines += ["## policies", "", f"{schema['properties']['policies']['description']} NAME is one of these:", ""]
    lines += ["| policy | levels |", "|---|---|"]
    for name, policy in sorted(policies.items()):
        levels = ", ".join(f"`{level}`" for level in policy["properties"]["enforcement"]["enum"])
        lines.append(f"| [{name}](../policies/{name}.md) | {levels} |")
    any_policy = next(iter(policies.values()))["properties"]
    shared = {f"NAME.{key}": value for key, value in any_policy.items() if key != "parameters"}
    lines += ["", *_table(shared), "| `NAME.parameters` | The parameters of the policy; its page lists them. |"]
    return "\n".join(lines) + "\n"


def source_page(name: str, text: str) -> str:
    """Return the page of a file that other pages link to; search leaves it out."""
    language = {"yaml": "yaml", "yml": "yaml", "json": "json", "rego": "rego"}.get(name.rpartition(".")[2], "text")
    fence = "`" * 8  # longer than any in a source
    return f"---\nsearch:\n  exclude: true\n---\n\n# {name}\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def _section(name: str, value: Mapping[str, Any]) -> list[str]:
    lines = [f"## {name}", "", _described(value), ""]
    return [*lines, *_table(value["properties"]), ""] if "properties" in value else lines


def _table(properties: Mapping[str, Any]) -> list[str]:
    return ["| key | meaning |", "|---|---|", *_rows(properties, "")]


def _rows(properties: Mapping[str, Any], prefix: str) -> Iterator[str]:
    for name, value in properties.items():
        yield f"| `{prefix}{name}` | {_cell(_described(value))} |"
        yield from _rows(value.get("properties", {}), f"{prefix}{name}.")


def _described(value: Mapping[str, Any]) -> str:
    text = str(value["description"])
    if "enum" in value:
        text += f" One of {', '.join(f'`{one}`' for one in value['enum'])}."
    if "default" in value:
        text += f" Default: `{json.dumps(value['default']).strip(chr(34))}`."
    return text


def _actions(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    # argparse has no public list of them.
    return [action for action in parser._actions if not isinstance(action, argparse._HelpAction)]  # noqa: SLF001


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = parser._get_formatter()._expand_help(action) if action.help else ""  # noqa: SLF001 - as above
    if action.choices and not isinstance(action.metavar, str):
        text += f"; one of {', '.join(map(str, action.choices))}"
    return _cell(text)


def _flags(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else _metavar(action)
    if not action.option_strings:
        return f"`{value}`"
    return ", ".join(f"`{option}`" for option in action.option_strings) + (f" `{_cell(value)}`" if value else "")


def _metavar(action: argparse.Action) -> str:
    if isinstance(action.metavar, str):
        return action.metavar
    return "" if action.choices else action.dest


def _paragraphs(epilog: str | None) -> Iterator[tuple[str, list[str]]]:
    for paragraph in filter(None, (epilog or "").split("\n\n")):
        title, *lines = paragraph.splitlines()
        yield title.removesuffix(":"), [line.removeprefix("  ") for line in lines]


def _first_sentence(text: str) -> str:
    return text.partition(". ")[0].rstrip(".")


def _cell(text: str) -> str:
    """Return a text for a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
