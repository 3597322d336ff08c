"""The README and its Chinese version."""

import re
import subprocess
import sys
from pathlib import Path


def _commands(text: str) -> list[str]:
    return re.findall(r"^    (?!-)(\S.*)$", text, re.MULTILINE)


def _links(text: str) -> set[str]:
    return {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link}


def test_the_chinese_version_has_the_same_commands(checkout: Path) -> None:
    """It may leave some out; those that it has are as they are in English, and in the same order."""
    english = _commands((checkout / "README.md").read_text("utf-8"))
    chinese = _commands((checkout / "README.zh-CN.md").read_text("utf-8"))
    left_out = ["make test"]
    assert [command for command in english if command not in left_out] == chinese


def test_the_output_is_that_of_the_command(checkout: Path, gatekeeper_manifest: Path) -> None:
    shown = [
        re.findall(r"^```text\n(.*?)^```$", (checkout / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    command = [sys.executable, "-m", "pullguard", "check", str(gatekeeper_manifest.relative_to(checkout))]
    done = subprocess.run(command, cwd=checkout, capture_output=True, text=True, timeout=60, check=False)
    assert shown[0] == shown[1] == [done.stdout[: len(shown[0][0])]]
    assert done.returncode == 1


def test_links_lead_somewhere(checkout: Path) -> None:
    for name in ("README.md", "README.zh-CN.md"):
        missing = {link for link in _links((checkout / name).read_text("utf-8")) if not (checkout / link).exists()}
        assert missing == set(), name
