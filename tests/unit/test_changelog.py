"""CHANGELOG.md: what its headings say, and that its newest version is the one of the package."""

import re
from datetime import date
from pathlib import Path

import yaml

from pullguard import __version__

_HEADING = re.compile(r"## (?P<version>\d+\.\d+\.\d+) \((?P<day>\d{4}-\d{2}-\d{2})\)")


def test_headings_and_versions(checkout: Path) -> None:
    headings = re.findall(r"(?m)^## .*$", (checkout / "CHANGELOG.md").read_text("utf-8"))
    assert headings[0] == "## Unreleased"
    found = [_HEADING.fullmatch(heading) for heading in headings[1:]]
    versions = [tuple(map(int, match["version"].split("."))) for match in found if match]
    days = [date.fromisoformat(match["day"]) for match in found if match]
    assert len(versions) == len(found) > 0
    assert versions == sorted(set(versions), reverse=True)
    assert days == sorted(days, reverse=True)
    assert ".".join(map(str, versions[0])) == __version__


def test_every_release_says_something(checkout: Path) -> None:
    text = (checkout / "CHANGELOG.md").read_text("utf-8")
    for section in re.split(r"(?m)^## ", text)[2:]:
        assert re.search(r"(?m)^- ", section), section.splitlines()[0]


def test_the_version_is_stated_once(checkout: Path) -> None:
    """Beside pullguard/__init__.py, it stands only where others read it, and is the same."""
    assert re.findall(r"(?m)^version\b.*", (checkout / "pyproject.toml").read_text("utf-8")) == []
    plugin = yaml.safe_load((checkout / "integrations/helm-plugin/plugin.yaml").read_text("utf-8"))
    assert plugin["version"] == __version__


def test_semantic_versions_are_explained(checkout: Path) -> None:
    text = (checkout / "docs/versions.md").read_text("utf-8")
    for heading in (
        "## Versions of pullguard itself",
        "### What is deprecated",
        "### Rules",
        "### Upgrades of the library",
    ):
        assert f"\n{heading}\n" in text
