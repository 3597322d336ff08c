"""Makes the pages of the site that are not in docs/, and has the links of all pages lead to pages of the site.

The same Markdown is read on GitHub, where links are paths of the repository. Here each is resolved as a path of the
repository and written anew as a path of the site. What a page links to beside pages, such as a Jenkinsfile, becomes a
page of its own. A link that leads nowhere stays as it is, and the strict build fails.

The variable OWNER, if it is set, is the owner of the repository on GitHub; without it, nothing links there.
"""

import html
import json
import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(ROOT / "generator"), str(Path(__file__).resolve().parent)]

from generated import command_page, commands_page, configuration_page, source_page  # noqa: E402 - beside this file

from pullguard import cli  # noqa: E402 - of the checkout
from pullguard.completion.manual import commands  # noqa: E402

# Files of the repository that are pages, beside those in docs/; the names of policies and commands are found.
_TOP = {
    "CHANGELOG.md": "reference/changelog.md",
    "CONTRIBUTING.md": "reference/contributing.md",
    "SECURITY.md": "reference/reporting.md",
    "README.zh-CN.md": "zh-cn.md",
    "library/README.md": "policies/index.md",
}
# Pages in Chinese: the search knows English words only, so that what it finds there comes last.
_CHINESE = {"zh-cn.md", "tour.zh-CN.md"}
# What a link may name in place of a page.
_ALIASES = {"README.md": "docs/index.md", "docs": "docs/index.md"}

_LINK = re.compile(r"(?P<before>\]\()(?P<target>[^)\s]+)(?P<after>\))")
_LINKED = re.compile(r"!?\[(?P<text>[^]]*)\]\((?P<target>[^)\s]+)\)")
_FENCE = re.compile(r" *(`{3,}|~{3,})")
_PICTURE = re.compile(r'<p><img alt="(?P<alt>[^"]*)" src="(?:\.\./)*(?P<name>[\w-]+\.svg)" ?/?></p>')
# The dark colours of a picture, which has them by what the system prefers where it stands alone.
_DARK = re.compile(r"@media \(prefers-color-scheme: dark\) \{\s*(?P<class>\.[\w-]+) (?P<colours>\{[^}]*\})\s*\}")
_CELL = re.compile(r"<td.*?</td>", re.DOTALL)


def _policies() -> list[str]:
    return sorted(path.parent.name for path in (ROOT / "library/policies").glob("*/README.md"))


def _pages() -> dict[str, str]:
    """Return the pages by their paths in the repository, each as a path in the site."""
    docs = {f"docs/{path.name}": path.name for path in sorted((ROOT / "docs").glob("*.md"))}
    policies = {f"library/policies/{name}/README.md": f"policies/{name}.md" for name in _policies()}
    return docs | _TOP | policies


def _page_of(path: str, pages: Mapping[str, str]) -> str | None:
    """Return the page that stands for a path of the repository."""
    path = _ALIASES.get(path, path)
    found = pages.get(path) or pages.get(f"{path}/README.md")
    if found is None and path == "library/policies":
        return pages["library/README.md"]
    return found


def _outside_code(markdown: str, change: Callable[[str], str]) -> str:
    """Return Markdown with the lines changed that are not in a fence."""
    lines, fence = [], ""
    for line in markdown.split("\n"):
        found = _FENCE.match(line)
        if fence:
            lines.append(line)
            fence = "" if found and line.strip() == fence else fence
        else:
            fence = found[1] if found else ""
            lines.append(line if found else change(line))
    return "\n".join(lines)


def _is_local(target: str) -> bool:
    return not re.match(r"[a-z][a-z+.-]*:|#|/", target)


def _resolved(repository_path: str, target: str) -> tuple[str, str]:
    """Return the path of the repository that a link of a page leads to, and its anchor with the number sign."""
    name, sign, anchor = target.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(repository_path), name)), sign + anchor


def _linked_sources(pages: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of the repository that pages link to and that are neither pages nor in docs/."""
    for path in pages:
        targets: list[str] = []

        def collect(line: str, targets: list[str] = targets) -> str:
            targets.extend(found["target"] for found in _LINK.finditer(line))
            return line

        _outside_code((ROOT / path).read_text("utf-8"), collect)
        for target in filter(_is_local, targets):
            name, _ = _resolved(path, target)
            if _page_of(name, pages) is None and not name.startswith("docs/") and (ROOT / name).is_file():
                yield name


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of commands and policies where the navigation names their folders."""
    made = {
        "commands/": ["reference/commands/index.md", *(f"reference/commands/{name}.md" for name in sorted(_parsers()))],
        "policies/": ["policies/index.md", *(f"policies/{name}.md" for name in _policies())],
    }
    config.nav = _expanded(config.nav, made)
    owner = os.environ.get("OWNER") or os.environ.get("PULLGUARD_OWNER") or "OWNER"
    if owner != "OWNER":
        # Not repo_url, with which pages would ask api.github.com for the number of stars.
        address = f"https://github.com/{owner}/pullguard"
        config.extra["social"] = [{"icon": "fontawesome/brands/github", "link": address, "name": "Source"}]
        config.extra["source"] = address
    return config


def _expanded(nav: Any, made: Mapping[str, list[str]]) -> Any:
    if isinstance(nav, dict):
        return {
            title: list(made[entry]) if isinstance(entry, str) and entry in made else _expanded(entry, made)
            for title, entry in nav.items()
        }
    if isinstance(nav, list):
        lists = [made[entry] if isinstance(entry, str) and entry in made else [_expanded(entry, made)] for entry in nav]
        return [entry for entries in lists for entry in entries]
    return nav


def _parsers() -> Mapping[str, Any]:
    return commands(cli.parser())


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    pages = _pages()
    made = {to: (ROOT / path).read_text("utf-8") for path, to in pages.items() if not path.startswith("docs/")}
    documented = {name: next((page for page in sorted(pages) if _documents(page, name)), None) for name in _parsers()}
    made["reference/commands/index.md"] = commands_page(cli.parser())
    for name, parser in _parsers().items():
        page = documented[name]
        made[f"reference/commands/{name}.md"] = command_page(
            parser, f"../../{page.removeprefix('docs/')}" if page else ""
        )
    schema = json.loads((ROOT / "library/pullguard.schema.json").read_text("utf-8"))
    made["reference/configuration.md"] = configuration_page(schema)
    for name in sorted(set(_linked_sources(pages))):
        made[f"source/{name}.md"] = source_page(name, (ROOT / name).read_text("utf-8"))
    for uri, text in made.items():
        files.append(File.generated(config, uri, content=text))
    return files


def _documents(page: str, command: str) -> bool:
    """Return whether a page in docs/ says how the command is written; the start page and the tour only show it."""
    if not page.startswith("docs/") or page in {"docs/index.md", "docs/tour.md"}:
        return False
    written = rf"^    pullguard {command}(?: .*[A-Z]{{2}}.*)?$"
    return re.search(written, (ROOT / page).read_text("utf-8"), re.MULTILINE) is not None


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links lead to pages of the site."""
    pages = _pages()
    paths = {to: path for path, to in pages.items()}
    own = page.file.src_uri
    if own in _CHINESE:
        page.meta["search"] = {"boost": 0.1}
    if own not in paths:
        return markdown

    def rewritten(found: re.Match[str]) -> str:
        if not _is_local(found["target"]):
            return found[0]
        name, anchor = _resolved(paths[own], found["target"])
        to = _page_of(name, pages) or (name.removeprefix("docs/") if name.startswith("docs/") else None)
        if to is None and files.get_file_from_path(f"source/{name}.md"):
            to = f"source/{name}.md"
        if to is not None:
            return found[0].replace(
                f"({found['target']})", f"({posixpath.relpath(to, posixpath.dirname(own) or '.')}{anchor})"
            )
        if (ROOT / name).exists():
            source = config.extra.get("source")
            return f"[{found['text']}]({source}/blob/HEAD/{name}{anchor})" if source else found["text"]
        return found[0]

    return _outside_code(markdown, lambda line: _LINKED.sub(rewritten, line))


def on_page_content(content: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - mkdocs calls it so
    """Put pictures into the page, where they follow its colours, and write cells as GitHub does."""
    # Within code in a table, GitHub takes `\|` for a bar.
    content = _CELL.sub(lambda cell: cell[0].replace("\\|", "|"), content)
    return _PICTURE.sub(_figure, content)


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:  # noqa: ARG001 - mkdocs calls it so
    """Say in which language a page is, since fonts depend on it."""
    return output.replace('<html lang="en"', '<html lang="zh-CN"', 1) if page.file.src_uri in _CHINESE else output


def _figure(found: re.Match[str]) -> str:
    picture = (ROOT / "docs" / found["name"]).read_text("utf-8")
    picture = _DARK.sub(r'[data-md-color-scheme="slate"] \g<class> \g<colours>', picture)
    alt = html.escape(html.unescape(found["alt"]))
    return f'<figure class="pg-figure" role="img" aria-label="{alt}">{picture}</figure>'


def on_post_build(config: MkDocsConfig) -> None:
    """Remove what only a site with an address has."""
    if not config.site_url:
        for name in ("404.html", "sitemap.xml", "sitemap.xml.gz"):
            (Path(config.site_dir) / name).unlink(missing_ok=True)
