"""The blocks of commands in the documentation, and a shell that runs them; where each may run is for a test to say.

A block is what GitHub shows as code: an indented one, or a fence without a language or with `sh`. A comment
`<!-- pullguard ... -->` before a block says that it is the output of that command, all of it, and
`<!-- begins: pullguard ... -->` that it is how the output begins.
"""

import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

_BLOCK = re.compile(
    r"(?P<marker><!-- .*? -->\s*)?<pre(?: lang=\"(?P<language>\w+)\")?><code>(?P<text>.*?)</code></pre>", re.DOTALL
)
_MARKER = re.compile(r"<!-- (?P<begins>begins: )?(?P<command>.*?) -->")
#: Code in these languages holds no commands. What `text` shows has to have a marker.
_OTHER_LANGUAGES = {"yaml", "json", "python", "dockerfile", "toml", "groovy"}


@dataclass(frozen=True, slots=True)
class Commands:
    """A block of commands.

    Attributes:
        commands: Each as it is written; continued lines are one command, with their newlines.
    """

    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Output:
    """A block that shows what a command prints, on standard output and then on standard error.

    Attributes:
        command: The command; empty if the page does not say which.
        text: What is shown.
        whole: Whether that is everything.
    """

    command: str
    text: str
    whole: bool


def blocks(markdown: str) -> Iterator[Commands | Output]:
    """Yield the blocks of a page, in order."""
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    for found in _BLOCK.finditer(html):
        text = unescape(found["text"])
        marker = _MARKER.match(found["marker"] or "")
        if marker:
            yield Output(marker["command"], text, whole=marker["begins"] is None)
        elif found["language"] == "text":
            yield Output("", text, whole=True)
        elif found["language"] not in _OTHER_LANGUAGES:
            yield Commands(tuple(_commands(text)))


def _commands(text: str) -> Iterator[str]:
    """Yield commands, with the lines that belong together: continued ones, and `case` up to `esac`."""
    lines: list[str] = []
    for line in text.splitlines():
        if not line.strip():
            continue
        lines.append(line)
        joined = "\n".join(lines)
        begun, ended = (len(re.findall(rf"^\s*{word}\b", joined, re.MULTILINE)) for word in ("case", "esac"))
        if begun == ended and not line.rstrip().endswith(("\\", "&&", "|")):
            yield joined
            lines = []
    if lines:
        yield "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has done.

    Attributes:
        code: Its exit code.
        out: What it wrote to standard output, and then to standard error.
    """

    code: int
    out: str


def run(commands: Sequence[str], folder: Path, environment: Mapping[str, str]) -> list[Done]:
    """Run commands one after the other in one bash, as somebody who types them.

    Args:
        commands: The commands.
        folder: The working directory.
        environment: The whole environment.
    """
    names = [(folder / f".out-{number}", folder / f".err-{number}") for number in range(len(commands))]
    lines = [
        f"{{ {command}\n}} >'{out}' 2>'{err}'\necho $?" for command, (out, err) in zip(commands, names, strict=True)
    ]
    done = subprocess.run(
        ["bash", "-uo", "pipefail", "-c", "\n".join(lines)],
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    codes = [int(line) for line in done.stdout.split()]
    assert len(codes) == len(commands), (commands, done.stderr)
    texts = ["".join(path.read_text("utf-8") for path in pair) for pair in names]
    for pair in names:
        for path in pair:
            path.unlink()
    return [Done(code, text) for code, text in zip(codes, texts, strict=True)]
