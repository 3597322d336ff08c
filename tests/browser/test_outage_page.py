"""The HTML page of a forecast in a real Chromium."""

import io
import time
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from browser_page import CONTRASTS, Open, console
from outage_reports import DOWN, STARTS, cascade, hooked, large, report, workload
from pullguard.core.inputs.problems import InputError
from pullguard.outage.formats import html
from pullguard.outage.model import Edit, Fallen, Link, OutageReport

_HOSTILE = (
    '</script></svg></title><script>window.injected=1</script><img src=x onerror="window.injected=1">"\'&lt;\u202egnp'
)


def _page(of: OutageReport) -> str:
    stream = io.StringIO()
    html.write(of, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def hooked_page() -> str:
    return _page(hooked())


def _all(driver: WebDriver, selector: str) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, selector)


def _names(driver: WebDriver) -> list[str]:
    """Return the workloads of the visible rows, from top to bottom."""
    return [row.get_attribute("data-workload") or "" for row in _all(driver, "tr[data-workload]") if row.is_displayed()]


def _wait(driver: WebDriver, status: str) -> None:
    WebDriverWait(driver, 5).until(lambda _: driver.find_element(By.ID, "status").text == status)


def _choose(driver: WebDriver, name: str, value: str) -> None:
    select = Select(driver.find_element(By.NAME, name))
    select.select_by_index([option.get_attribute("value") for option in select.options].index(value))


@pytest.mark.parametrize("width", [390, 1280])
def test_the_first_screen_says_what_to_do_first(page: Open, hooked_page: str, width: int) -> None:
    driver = page(hooked_page, width=width)
    assert [tile.text.split("\n")[0] for tile in _all(driver, ".tile dd")] == ["3 of 4", "1 of 4"]
    first, second = _all(driver, ".first li")
    assert first.text == ("set imagePullPolicy to IfNotPresent, on pinned images: 1 workload (Deployment/policy/hook)")
    assert second.rect["y"] + second.rect["height"] < 900


def test_filtering(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    _wait(driver, "Showing 3 of 3 rows")
    assert _names(driver) == ["Deployment hook", "Deployment dns", "DaemonSet proxy"]
    _choose(driver, "event", "restart")
    _wait(driver, "Showing 1 of 3 rows")
    assert _names(driver) == ["Deployment hook"]
    assert [group.is_displayed() for group in _all(driver, "details.group")] == [True, False]
    _choose(driver, "event", "replace")
    _choose(driver, "verdict", "unknown")
    _wait(driver, "Showing 1 of 3 rows")
    assert _names(driver) == ["DaemonSet proxy"]
    driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    _wait(driver, "Showing 3 of 3 rows")
    _choose(driver, "namespace", "kube-system")
    driver.find_element(By.NAME, "text").send_keys("some SHOP")
    _wait(driver, "Showing 0 of 3 rows")
    driver.find_element(By.NAME, "text").clear()
    driver.find_element(By.NAME, "text").send_keys("nodes SOME")
    _wait(driver, "Showing 1 of 3 rows")
    assert _names(driver) == ["Deployment dns"]


def test_sorting_within_a_namespace(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    expected = ["DaemonSet proxy", "Deployment dns"]
    for name, order in (("workload", expected), ("verdict", expected[::-1])):
        _all(driver, f"th[data-key={name}] button")[1].click()
        assert _names(driver) == ["Deployment hook", *order]


def test_the_picture_can_be_seen(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    restart, replace = _all(driver, "svg.picture")
    assert replace.rect["width"] > 1100
    boxes = replace.find_elements(By.CSS_SELECTOR, "svg")
    assert [box.is_displayed() for box in boxes] == [True] * 10
    outlines = [
        (line.value_of_css_property("stroke-dasharray"), line.value_of_css_property("stroke"))
        for line in restart.find_elements(By.CSS_SELECTOR, ".line")
        + replace.find_elements(By.CSS_SELECTOR, ".line.possible")
    ]
    assert [dashes for dashes, _ in outlines] == ["none", "none", "5px, 4px", "5px, 4px"]
    # Nothing sticks out of its box, and no box lies on another.
    script = """
      const inside = (inner, outer) =>
        inner.left >= outer.left && inner.right <= outer.right && inner.bottom <= outer.bottom;
      return Array.from(document.querySelectorAll("svg.picture > svg")).filter((box) =>
        Array.from(box.querySelectorAll("text")).some((text) =>
          !inside(text.getBoundingClientRect(), box.querySelector("rect").getBoundingClientRect()))).length;
    """
    assert driver.execute_script(script) == 0
    places = [(box.rect["x"], box.rect["y"]) for box in boxes]
    assert len(set(places)) == len(places)


def test_a_long_name_stays_in_its_box(page: Open) -> None:
    driver = page(_page(hooked("w" * 250, "m" * 63)), width=390)
    for box in _all(driver, "svg.picture > svg")[:3]:
        (frame,) = box.find_elements(By.CSS_SELECTOR, "rect")
        assert frame.rect["width"] < 220
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_window(page: Open, hooked_page: str, width: int) -> None:
    driver = page(hooked_page, width=width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    picture = _all(driver, ".drawing")[-1]
    wide = driver.execute_script("return arguments[0].scrollWidth > arguments[0].clientWidth", picture)
    assert wide == (width < 1280)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_contrast(page: Open, hooked_page: str, scheme: str, width: int) -> None:
    driver = page(hooked_page, scheme=scheme, width=width)
    texts: list[list[Any]] = driver.execute_script(CONTRASTS)
    assert len(texts) > 60
    assert [(text, round(ratio, 2)) for text, ratio in texts if ratio < 4.5] == []
    fills = {
        name: driver.find_element(By.CSS_SELECTOR, f".picture {name}").value_of_css_property("fill")
        for name in (".name", ".box")
    }
    assert (
        fills
        == {
            "light": {".name": "rgb(26, 32, 41)", ".box": "rgb(238, 241, 245)"},
            "dark": {".name": "rgb(231, 235, 240)", ".box": "rgb(37, 45, 55)"},
        }[scheme]
    )


def test_the_keyboard_is_enough(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = driver.switch_to.active_element
    assert (skip.text, skip.rect["x"]) == ("Skip to the workloads", 0)
    reached = []
    for _ in range(40):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        active = driver.switch_to.active_element
        reached.append((active.tag_name, active.get_attribute("name") or active.accessible_name))
        assert active.tag_name == "body" or active.value_of_css_property("outline-style") != "none"
    for expected in (
        ("button", "Copy the command: Deployment/policy/hook: set imagePullPolicy IfNotPresent"),
        ("div", "Picture of what falls"),
        ("input", "text"),
        ("select", "event"),
        ("button", "Workload"),
    ):
        assert expected in reached


def test_a_namespace_is_folded_and_unfolded_by_the_keyboard(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    group = driver.find_element(By.CSS_SELECTOR, "details.group")
    assert group.get_attribute("open") == "true"
    group.find_element(By.TAG_NAME, "summary").send_keys(Keys.ENTER)
    assert group.get_attribute("open") is None
    assert _names(driver) == ["Deployment dns", "DaemonSet proxy"]


def test_what_a_screen_reader_is_told(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]
    assert [name for role, name in told if role == "heading"] == [
        "What comes back without the registry",
        "At a glance",
        "Do first",
        "What to change",
        "Smallest repair (restart, cost 1)",
        "Smallest repair (replace, cost 1)",
        "What falls with it",
        "restart: a container restarts in its pod",
        "replace: a pod is replaced, and may come to another node",
        "The way back",
        "Protected workloads that do not come back, or may not",
        "Others that do not come back, or may not",
        "Notes",
    ]
    for expected in (
        (
            "image",
            (
                "workloads that are down: 1, services without endpoints: 1, webhooks, apis, registries: 1, "
                "requests that fail: 3, what falls with them: 3"
            ),
        ),
        ("searchbox", "Search"),
        ("combobox", "What becomes of it"),
        ("table", "Workloads of kube-system that do not come back, the worst first"),
        ("table", "Workloads that are not protected, by namespace"),
        ("columnheader", "What becomes of it"),
    ):
        assert expected in told
    assert [role for role, name in told if role in {"button", "combobox", "link", "searchbox"} and not name] == []


def test_copying_a_command(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page)
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    driver.execute_cdp_cmd("Browser.grantPermissions", permissions)
    driver.find_element(By.CSS_SELECTOR, ".copy").click()
    said = driver.find_element(By.CSS_SELECTOR, ".copied")
    WebDriverWait(driver, 5).until(lambda _: said.text == "Copied")
    assert driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])") == "kubectl patch hook"


def test_print(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page, media="print", width=794, scheme="dark")
    assert not driver.find_element(By.ID, "filters").is_displayed()
    assert not driver.find_element(By.CSS_SELECTOR, ".copy").is_displayed()
    assert driver.find_element(By.XPATH, "//li[contains(., 'falls with Service/policy/hook')]").rect["height"] > 0
    assert driver.find_element(By.CSS_SELECTOR, "svg.picture").rect["width"] <= 794


def test_without_scripts_everything_can_be_read(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page, scripts=False)
    assert len(_names(driver)) == 3
    assert not driver.find_element(By.ID, "filters").is_displayed()
    assert driver.find_element(By.CSS_SELECTOR, ".edits pre").text == "kubectl patch hook"


def test_names_from_the_cluster_inject_nothing(page: Open) -> None:
    name = _HOSTILE
    ref = f"{name}/{name}/{name}"
    fallen = Fallen(ref, DOWN, (name,))
    links = (
        Link(0, ref, f"Service/{name}/{name}", certain=True),
        Link(1, f"Service/{name}/{name}", ref, certain=True),
        Link(2, ref, f"pods of {name}", certain=True),
        Link(3, f"pods of {name}", ref, certain=True),
    )
    found = cascade(*links, repair=[Edit(name, 1, name, ())], fallen=[fallen], knots=[(name,)], left=(name,))
    hostile = report(
        workload(name, name, name, image=name, replace=DOWN, fallen={"replace": fallen}),
        workload(name, name, name, protected=False, image=name, replace=DOWN),
        cascades={"replace": found},
        errors=[InputError(name, 1, 0, name)],
        unreadable={name: name},
        notes=[name],
        source=name,
    )
    driver = page(_page(hostile))
    shown = name.replace("\u202e", "\\u202e")
    _wait(driver, "Showing 1 of 1 row")
    assert driver.execute_script("return window.injected") is None
    assert _all(driver, "img, main script, svg script") == []
    assert driver.find_element(By.CSS_SELECTOR, "tr[data-workload] b").text == shown
    title = driver.find_element(By.CSS_SELECTOR, ".picture title").get_attribute("textContent")
    assert title == f"{shown}/{shown}/{shown}"
    _choose(driver, "namespace", shown)
    _wait(driver, "Showing 1 of 1 row")


def test_the_content_security_policy_stops_injected_code(page: Open, hooked_page: str) -> None:
    driver = page(hooked_page.replace("</main>", "<script>window.injected=1</script></main>"))
    assert driver.execute_script("return window.injected") is None
    (refused,) = console(driver)
    assert "Content Security Policy" in refused


def test_a_page_of_ten_thousand_workloads(page: Open) -> None:
    text = _page(large(10_000))
    began = time.monotonic()
    driver = page(text)
    _wait(driver, "Showing 10000 of 10000 rows")
    assert time.monotonic() - began < 20
    assert _all(driver, "details.group[open]") == []
    driver.find_element(By.NAME, "text").send_keys("app-777-")
    _wait(driver, "Showing 2 of 10000 rows")
    assert [group.get_attribute("open") for group in _all(driver, "details.group") if group.is_displayed()] == ["true"]
    assert len(_all(driver, "svg.picture > svg")) < 30


def test_nothing_to_report(page: Open) -> None:
    driver = page(_page(report(workload("a", restart=STARTS))))
    said = "Every protected workload comes back in 1 namespace: kube-system."
    assert driver.find_element(By.CSS_SELECTOR, ".good").text == said
    assert _all(driver, "#filters, .first, .picture, details") == []
