"""The documentation as a site: every link leads somewhere, it says what GitHub shows, and it works in a browser."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import cmarkgfm  # type: ignore[import-untyped]
import pytest
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from browser_page import CONTRASTS, console

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_SITE = _CHECKOUT / "dist/site"

#: Elements without an end.
_VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
#: What makes a difference to people beside the words.
_MARKED = {"a", "code", "em", "h1", "h2", "h3", "li", "pre", "strong", "table", "td", "th"}
_PHONE = 390


@pytest.fixture(scope="module")
def site() -> Path:
    """Return the folder of the built site."""
    if not (_SITE / "index.html").is_file():
        message = f"{_SITE} is missing: run `make dist-site`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return _SITE


@dataclass(slots=True)
class _Page:
    """What a page holds.

    Attributes:
        anchors: The ids and names in it.
        links: The addresses that people can follow.
        loaded: The addresses of what belongs to the page: scripts, styles, pictures.
        text: The text of the article, without white space.
    """

    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)
    text: str = ""


class _Reader(HTMLParser):
    """Collects what a page holds."""

    def __init__(self, *, article: bool) -> None:
        super().__init__()
        self.page = _Page()
        self._inside = not article
        self._open: list[str] = []
        self._skipped = 0
        self._texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.page.anchors |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and "href" in values:
            self.page.links.append(values["href"])
        elif "href" in values and values.get("rel") not in {"prev", "next", "canonical"}:
            self.page.loaded.append(values["href"])
        if "src" in values:
            self.page.loaded.append(values["src"])
        if tag == "article":
            self._inside = True
        if tag in _VOID:
            return
        classes = values.get("class", "").split()
        skipped = tag in {"svg", "script", "style"} or {"headerlink", "pg-figure"} & set(classes)
        if self._skipped or skipped:
            self._skipped += 1
        elif tag in _MARKED and self._inside and (tag != "a" or "href" in values):
            self._texts.append(f"<{tag}>")
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        while self._open and self._open.pop() != tag:
            self._skipped = max(0, self._skipped - 1)
        self._skipped = max(0, self._skipped - 1)
        if tag == "article":
            self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside and not self._skipped:
            self._texts.append(data)

    def close(self) -> None:
        super().close()
        self.page.text = "".join("".join(self._texts).split())


def _read(html: str, *, article: bool) -> _Page:
    reader = _Reader(article=article)
    reader.feed(html)
    reader.close()
    return reader.page


@cache
def _pages() -> Mapping[str, _Page]:
    """Return the pages by their paths in the site."""
    return {
        path.relative_to(_SITE).as_posix(): _read(path.read_text("utf-8"), article=True)
        for path in sorted(_SITE.rglob("*.html"))
    }


# -- links


def test_every_link_leads_somewhere(site: Path) -> None:
    """A page, a part of it, or another file of the site: by a relative path, so that it works from a disk."""
    wrong = []
    for name, page in _pages().items():
        for link in {*page.links, *page.loaded}:
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            path = unquote(address.path)
            target = (site / name).parent / path if path else site / name
            found = target.is_file() and not path.startswith("/") and site in target.resolve().parents
            to = target.resolve().relative_to(site).as_posix() if found else ""
            if not found or (
                address.fragment and to in _pages() and unquote(address.fragment) not in _pages()[to].anchors
            ):
                wrong.append(f"{name}: {link}")
    assert wrong == []


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    loaded = {
        link for page in _pages().values() for link in page.loaded if urlsplit(link).netloc or urlsplit(link).scheme
    }
    assert loaded == set()
    styles = "".join(path.read_text("utf-8") for path in sorted(site.rglob("*.css")))
    addresses = {urlsplit(address).scheme for address in re.findall(r"url\([\"']?([^\"')]+)", styles)}
    assert addresses <= {"data"}
    assert "@import" not in styles


def test_links_to_other_sites_are_those_that_are_written(site: Path) -> None:
    """The site adds none; tests/unit/test_addresses.py says which hosts may be named."""
    assert site.is_dir()
    addresses = [urlsplit(link) for page in _pages().values() for link in page.links]
    assert {address.scheme for address in addresses} == {"", "https"}
    written = "\n".join(_written().values())
    assert {address.netloc for address in addresses if f"https://{address.netloc}/" not in written} == {""}


def test_nothing_names_this_machine(site: Path) -> None:
    """Neither a path of the machine that has built it, nor an owner that nobody has stated."""
    named = [path for path in site.rglob("*.html") if str(_CHECKOUT) in path.read_text("utf-8")]
    assert named == []


# -- what the pages say


def _github(markdown: str) -> _Page:
    html = cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)
    return _read(html, article=False)


def _written() -> dict[str, str]:
    """Return the pages that are written by hand or are part of the library, by their paths in the site."""
    docs = {path.name: path for path in (_CHECKOUT / "docs").glob("*.md")}
    policies = {
        f"policies/{path.parent.name}.md": path for path in (_CHECKOUT / "library/policies").glob("*/README.md")
    }
    top = {
        "policies/index.md": _CHECKOUT / "library/README.md",
        "reference/changelog.md": _CHECKOUT / "CHANGELOG.md",
        "reference/contributing.md": _CHECKOUT / "CONTRIBUTING.md",
        "reference/reporting.md": _CHECKOUT / "SECURITY.md",
        "zh-cn.md": _CHECKOUT / "README.zh-CN.md",
    }
    return {name.replace(".md", ".html"): path.read_text("utf-8") for name, path in (docs | policies | top).items()}


@pytest.mark.parametrize("name", sorted(_written()))
def test_a_page_says_what_github_shows(name: str, site: Path) -> None:
    """GitHub's own renderer and the site's read one Markdown: what only one of them takes for a list is seen here."""
    assert (site / name).is_file()
    ours, theirs = _pages()[name].text, _github(_written()[name]).text
    same = next((n for n, (one, other) in enumerate(zip(ours, theirs, strict=False)) if one != other), None)
    if same is not None:
        assert ours[same - 60 : same + 60] == theirs[same - 60 : same + 60]
    assert len(ours) == len(theirs)


def test_every_command_and_policy_has_a_page(site: Path) -> None:
    run = subprocess.run(
        [_CHECKOUT / ".venv/bin/pullguard", "--help"], capture_output=True, text=True, timeout=60, check=True
    )
    commands = re.findall(r"^    ([a-z]+(?:-[a-z]+)?)(?: |$)", run.stdout.partition("COMMAND\n")[2], re.MULTILINE)
    assert len(commands) >= 15
    for command in commands:
        page = (site / f"reference/commands/{command}.html").read_text("utf-8")
        assert f'<h1 id="pullguard-{command}">' in page
        assert "Exit codes" in page
    policies = {path.stem for path in (site / "policies").glob("*.html")} - {"index"}
    assert policies == {path.name for path in (_CHECKOUT / "library/policies").iterdir() if path.is_dir()}


def _build(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Build the site of a copy of the documentation."""
    program = _CHECKOUT / ".tools/packaging/bin/mkdocs"
    if not program.exists():
        pytest.skip(f"{program} is missing: run `make dist-site`")
    command = [str(program), "build", "--site-dir", str(folder / "site")]
    return subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def _copy(folder: Path) -> Path:
    for name in ("mkdocs.yml", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "README.zh-CN.md"):
        shutil.copy(_CHECKOUT / name, folder)
    for name in ("docs", "packaging", "library", "integrations", "generator"):
        shutil.copytree(_CHECKOUT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def test_what_is_forgotten_or_leads_nowhere_stops_the_build(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    (folder / "docs/forgotten.md").write_text("# Forgotten\n\n[a](check.md#nothing) [b](../nothing/) [c](nothing.md)\n")
    done = _build(folder)
    assert done.returncode == 1
    assert "forgotten.md" in done.stderr.partition('not included in the "nav"')[2]
    for target in ("check.md#nothing", "../nothing/", "nothing.md"):
        assert target in done.stderr


def test_an_owner_is_named_where_there_is_one(tmp_path: Path, site: Path) -> None:
    done = _build(_copy(tmp_path), OWNER="somebody")
    assert done.returncode == 0, done.stderr
    assert "https://github.com/somebody/pullguard" in (tmp_path / "site/index.html").read_text("utf-8")
    assert "somebody" not in (site / "index.html").read_text("utf-8")


# -- in a browser


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """Serve a folder on loopback."""

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is its caller's
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder)))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


Visit = Callable[..., WebDriver]


@pytest.fixture
def visit(browser: WebDriver) -> Iterator[Visit]:
    """Return a function that opens an address. At the end of a test, the console must have no errors."""

    def open_page(address: str, *, width: int = 1280, scheme: str = "light") -> WebDriver:
        settings = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in settings.items()]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        browser.get(address)
        return browser

    console(browser)
    yield open_page
    assert console(browser) == []


def _search(driver: WebDriver, words: str) -> list[str]:
    """Return the pages that the search names."""
    if driver.execute_script("return innerWidth < 960"):
        driver.find_element(By.CSS_SELECTOR, ".md-header label[for=__search]").click()
    box = driver.find_element(By.CSS_SELECTOR, ".md-search__input")
    WebDriverWait(driver, 20).until(lambda _: box.is_displayed())
    box.send_keys(words)
    WebDriverWait(driver, 20).until(lambda _: _found(driver))
    return _found(driver)


def _found(driver: WebDriver) -> list[str]:
    found = driver.find_elements(By.CSS_SELECTOR, ".md-search-result__link")
    return [str(link.get_dom_attribute("href")).rpartition("/")[2].partition("?")[0] for link in found]


@pytest.mark.parametrize("width", [1280, _PHONE])
def test_search_on_a_server_and_on_a_disk(width: int, site: Path, visit: Visit) -> None:
    with _served(site) as server:
        driver = visit(f"{server}/index.html", width=width)
        found = _search(driver, "imagePullPolicy")
        assert "check.html" in found
        loaded = driver.execute_script("return performance.getEntriesByType('resource').map((entry) => entry.name)")
        assert [name for name in loaded if not name.startswith(server)] == []
    assert _search(visit((site / "policies/index.html").as_uri(), width=width), "imagePullPolicy") == found


def test_no_page_is_wider_than_a_phone(site: Path, visit: Visit) -> None:
    """Tables and code scroll within themselves."""
    wide = {}
    for name in _pages():
        driver = visit((site / name).as_uri(), width=_PHONE)
        width = driver.execute_script(
            "return Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
        )
        if width > _PHONE:
            wide[name] = width
    assert wide == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index.html", "check.html", "ci.html", "policies/protected_pull_policy.html"])
def test_texts_can_be_read(name: str, scheme: str, site: Path, visit: Visit) -> None:
    driver = visit((site / name).as_uri(), scheme=scheme)
    chosen = driver.execute_script("return document.body.dataset.mdColorScheme")
    assert chosen == {"light": "default", "dark": "slate"}[scheme]
    found = driver.execute_script(CONTRASTS.replace("document.body", "document.querySelector('article')"))
    assert len(found) > 50
    assert [(text, round(contrast, 2)) for text, contrast in found if contrast < 4.5] == []


@pytest.mark.parametrize("picture", ["outage.svg", "data-flow.svg"])
def test_the_texts_of_pictures_lie_within_them(picture: str, site: Path, visit: Visit) -> None:
    """As files, as GitHub shows them, by whatever font is there."""
    driver = visit((site / picture).as_uri(), width=480)
    outside = driver.execute_script(
        "const all = document.documentElement.getBoundingClientRect();"
        "return [...document.querySelectorAll('text')].filter((text) => {"
        "  const box = text.getBoundingClientRect(); return box.left < all.left + 8 || box.right > all.right - 8;"
        "}).map((text) => text.textContent)"
    )
    assert outside == []


def test_pictures_follow_the_colours_that_are_chosen(site: Path, visit: Visit) -> None:
    """By the toggle of the page, not by the system alone."""
    driver = visit((site / "index.html").as_uri(), scheme="light")

    def back() -> str:
        return str(driver.execute_script("return getComputedStyle(document.querySelector('.pg-figure rect')).fill"))

    assert back() == "rgb(255, 255, 255)"
    while driver.execute_script("return document.body.dataset.mdColorScheme") != "slate":
        next(
            label
            for label in driver.find_elements(By.CSS_SELECTOR, "[data-md-component=palette] label")
            if label.is_displayed()
        ).click()
    assert back() == "rgb(22, 27, 34)"
