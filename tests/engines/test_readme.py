"""The README and the tour, and their Chinese versions."""

import re
from pathlib import Path

import pytest


def _commands(text: str) -> list[str]:
    return re.findall(r"^    (?!-)(\S.*)$", text, re.MULTILINE)


def _links(text: str) -> set[str]:
    return {link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link}


@pytest.mark.parametrize(
    ("english", "chinese"), [("README.md", "README.zh-CN.md"), ("docs/tour.md", "docs/tour.zh-CN.md")]
)
def test_the_chinese_version_has_the_same_commands(english: str, chinese: str, checkout: Path) -> None:
    """All of them, as they are in English, and in the same order."""
    commands, theirs = (_commands((checkout / name).read_text("utf-8")) for name in (english, chinese))
    assert commands == theirs != []


def test_the_readme_fits_on_one_screen(checkout: Path) -> None:
    """So much of it is seen without scrolling far; the rest is in docs/."""
    for name in ("README.md", "README.zh-CN.md"):
        assert len((checkout / name).read_text("utf-8").splitlines()) <= 60


def test_the_chinese_version_shows_the_same_output(checkout: Path) -> None:
    """test_documented_commands.py holds it to that of the command."""
    shown = [
        re.findall(r"^```text\n(.*?)^```$", (checkout / name).read_text("utf-8"), re.MULTILINE | re.DOTALL)
        for name in ("README.md", "README.zh-CN.md")
    ]
    assert shown[0] == shown[1] != []


def test_links_lead_somewhere(checkout: Path) -> None:
    """Of all pages that are written by hand."""
    pages = [
        checkout / name for name in ("README.md", "README.zh-CN.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    ]
    for page in [*pages, *(checkout / "docs").glob("*.md")]:
        missing = {link for link in _links(page.read_text("utf-8")) if not (page.parent / link).exists()}
        assert missing == set(), page


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md", "docs/index.md"])
def test_every_page_is_linked(name: str, checkout: Path) -> None:
    """From the page that people see first, be it in the repository or on the site."""
    folder = (checkout / name).parent
    linked = {(folder / link).resolve() for link in _links((checkout / name).read_text("utf-8"))}
    pages = {path for path in (checkout / "docs").glob("*.md") if path.name not in {"index.md", "tour.zh-CN.md"}}
    assert {path.name for path in pages - linked} == set()
