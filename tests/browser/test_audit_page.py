"""The HTML page of an audit in a real Chromium."""

import io
import json
from typing import Any

import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from audit_samples import constraint, dump, log, shop, violation
from browser_page import CONTRASTS, Open, console
from pullguard.audit.command import audit
from pullguard.audit.formats import html
from pullguard.audit.formats import json as audit_json

_HOSTILE = (
    '</script><script>window.injected=1</script><img src=x onerror="window.injected=1">"\'><b data-namespace=x>'
    "{{7*7}}&lt;\u202egnp"
)


def _page(*texts: str, since: str | None = None) -> str:
    report = audit(["-"], stdin=io.BytesIO("\n".join(texts).encode()), since=since)
    stream = io.StringIO()
    html.write(report, stream)
    return stream.getvalue()


@pytest.fixture(scope="module")
def shop_page() -> str:
    return _page(shop())


def _all(driver: WebDriver, selector: str) -> list[WebElement]:
    return driver.find_elements(By.CSS_SELECTOR, selector)


def _names(driver: WebDriver) -> list[str]:
    """Return the workloads of the visible table rows, from top to bottom."""
    return [row.get_attribute("data-workload") or "" for row in _all(driver, "#table tbody tr") if row.is_displayed()]


def _wait(driver: WebDriver, status: str) -> None:
    WebDriverWait(driver, 5).until(lambda _: driver.find_element(By.ID, "status").text == status)


def _choose(driver: WebDriver, name: str, value: str) -> None:
    select = Select(driver.find_element(By.NAME, name))
    select.select_by_index([option.get_attribute("value") for option in select.options].index(value))


def test_filtering(page: Open, shop_page: str) -> None:
    driver = page(shop_page)
    _wait(driver, "Showing 9 of 9 findings")
    _choose(driver, "namespace", "gatekeeper-system")
    _wait(driver, "Showing 2 of 9 findings")
    assert _names(driver) == ["Deployment gatekeeper-audit", "Deployment gatekeeper-controller-manager"]
    driver.find_element(By.NAME, "text").send_keys("CONTROLLER manager")
    _wait(driver, "Showing 1 of 9 findings")
    driver.find_element(By.CSS_SELECTOR, "button[type=reset]").click()
    _wait(driver, "Showing 9 of 9 findings")
    _choose(driver, "state", "idle")
    _wait(driver, "Showing 1 of 9 findings")
    assert _names(driver) == ["Deployment metrics-server"]
    _choose(driver, "severity", "medium")
    _wait(driver, "Showing 0 of 9 findings")


def test_a_bar_leads_to_the_findings_of_its_namespace(page: Open, shop_page: str) -> None:
    driver = page(shop_page)
    driver.find_element(By.CSS_SELECTOR, '.bars a[data-namespace="ingress-nginx"]').click()
    _wait(driver, "Showing 1 of 9 findings")
    assert _names(driver) == ["Deployment ingress-nginx-controller"]
    assert driver.switch_to.active_element.get_attribute("id") == "findings"


def test_sorting(page: Open, shop_page: str) -> None:
    driver = page(shop_page)
    before = _names(driver)
    workload, severity = (
        driver.find_element(By.CSS_SELECTOR, f"th[data-key={key}] button") for key in ("workload", "severity")
    )
    workload.click()
    assert _names(driver) == sorted(before)
    workload.click()
    assert [header.get_attribute("aria-sort") for header in _all(driver, "th[data-key]")] == [
        "none",
        "none",
        "descending",
        "none",
    ]
    assert _names(driver) == sorted(before, reverse=True)
    severity.click()
    badges = [row.find_element(By.CSS_SELECTOR, ".badge").text for row in _all(driver, "#table tbody tr")]
    assert badges == ["high"] * 7 + ["medium"] * 2


def test_numbers_in_names_are_sorted_as_numbers(page: Open) -> None:
    entries = [violation("Pod", f"web-{number}") for number in (10, 9, 1)]
    driver = page(_page(dump(constraint(entries))))
    driver.find_element(By.CSS_SELECTOR, "th[data-key=workload] button").click()
    assert _names(driver) == ["Pod web-1", "Pod web-9", "Pod web-10"]


def test_the_keyboard_is_enough(page: Open, shop_page: str) -> None:
    driver = page(shop_page)
    driver.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    skip = driver.switch_to.active_element
    assert (skip.text, skip.rect["x"]) == ("Skip to the findings", 0)
    skip.send_keys(Keys.ENTER)
    driver.switch_to.active_element.send_keys(Keys.TAB)
    search = driver.switch_to.active_element
    assert search.get_attribute("name") == "text"
    search.send_keys("etcd")
    _wait(driver, "Showing 1 of 9 findings")
    reached = set()
    for _ in range(40):
        driver.switch_to.active_element.send_keys(Keys.TAB)
        active = driver.switch_to.active_element
        reached.add((active.tag_name, active.get_attribute("name") or active.text))
        outline = active.value_of_css_property("outline-style")
        assert active.tag_name == "body" or outline != "none"
    assert {("select", "namespace"), ("button", "Reset"), ("button", "Workload")} <= reached


def test_what_a_screen_reader_is_told(page: Open, shop_page: str) -> None:
    driver = page(shop_page)
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    told = [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in nodes if not node.get("ignored")]
    assert [name for role, name in told if role == "heading"] == [
        "Gatekeeper audit",
        "At a glance",
        "Where the risk sits",
        "Findings, and what to do",
        "Constraints",
        "Notes",
    ]
    for expected in (
        ("image", "4 high, 1 medium"),
        ("searchbox", "Search"),
        ("combobox", "Namespace"),
        ("status", ""),
        ("table", "Findings, the worst first"),
        ("columnheader", "Workload"),
    ):
        assert expected in told
    assert [role for role, name in told if role in {"button", "combobox", "link", "searchbox"} and not name] == []


def test_tables_stay_tables_on_a_phone(page: Open, shop_page: str) -> None:
    driver = page(shop_page, width=390)
    nodes = driver.execute_cdp_cmd("Accessibility.getFullAXTree", {})["nodes"]
    roles = [node["role"]["value"] for node in nodes if not node.get("ignored")]
    assert (roles.count("table"), roles.count("cell") > 50) == (3, True)


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_nothing_is_wider_than_the_window(page: Open, width: int) -> None:
    long = violation("Deployment", "w" * 250, f"{'m' * 250}", namespace="n" * 63)
    driver = page(_page(shop(), "---", dump(constraint([long], name="long"))), width=width)
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_contrast(page: Open, scheme: str, width: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("since")
    earlier = folder / "r.json"
    with earlier.open("w") as stream:
        old = [violation("Deployment", "gone"), violation("DaemonSet", "kube-proxy")]
        audit_json.write(audit(["-"], stdin=io.BytesIO(dump(constraint(old)).encode())), stream)
    broken = dump(constraint(run=None, name="x"))
    texts: list[list[Any]] = page(
        _page(shop(), "---", broken, since=str(earlier)), scheme=scheme, width=width
    ).execute_script(CONTRASTS)
    assert len(texts) > 100
    assert [(text, round(ratio, 2)) for text, ratio in texts if ratio < 4.5] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_print(page: Open, shop_page: str, scheme: str) -> None:
    driver = page(shop_page, media="print", width=794, scheme=scheme)
    assert not driver.find_element(By.ID, "filters").is_displayed()
    assert driver.find_element(By.CSS_SELECTOR, "#table thead").is_displayed()
    body = driver.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert body.replace(" ", "") in {"rgba(255,255,255,1)", "rgb(255,255,255)"}
    # Print shows everything that is collapsed on a screen.
    assert driver.find_element(By.XPATH, "//li[.='Pod coredns-7db6d8ff4d-2xk9p']").rect["height"] > 0


def test_without_scripts_everything_can_be_read(page: Open, shop_page: str) -> None:
    driver = page(shop_page, scripts=False)
    assert len([row for row in _all(driver, "#table tbody tr") if row.is_displayed()]) == 9
    assert not driver.find_element(By.ID, "filters").is_displayed()


def test_names_from_the_cluster_inject_nothing(page: Open) -> None:
    entry = violation("Deployment", _HOSTILE, _HOSTILE, namespace=_HOSTILE)
    driver = page(_page(log([entry], name=_HOSTILE, kind=_HOSTILE)))
    _wait(driver, "Showing 1 of 1 finding")
    assert driver.execute_script("return window.injected") is None
    assert _all(driver, "img, b[data-namespace], main script") == []
    assert driver.find_element(By.CSS_SELECTOR, "#table b").text == _HOSTILE.replace("\u202e", "\\u202e")
    # The filter finds the hostile namespace, and the page still works.
    _choose(driver, "namespace", _HOSTILE.replace("\u202e", "\\u202e"))
    _wait(driver, "Showing 1 of 1 finding")


def test_the_content_security_policy_stops_injected_code(page: Open, shop_page: str) -> None:
    smuggled = shop_page.replace("</main>", "<script>window.injected=1</script></main>")
    driver = page(smuggled)
    assert driver.execute_script("return window.injected") is None
    (refused,) = console(driver)
    assert "Content Security Policy" in refused


def test_ten_thousand_findings_can_be_searched(page: Open) -> None:
    entries = [violation("Deployment", f"web-{number}", namespace=f"team-{number % 40}") for number in range(10_000)]
    driver = page(_page(dump(constraint(entries))))
    _wait(driver, "Showing 10000 of 10000 findings")
    driver.find_element(By.NAME, "text").send_keys("web-9999")
    _wait(driver, "Showing 1 of 10000 findings")


def test_nothing_to_report(page: Open) -> None:
    driver = page(_page(dump(constraint([]))))
    assert driver.find_element(By.CSS_SELECTOR, ".findings .good").text == "Nothing violates the 1 constraint."
    driver = page(_page(dump(constraint([], 3))))
    assert "some may exist" in driver.find_element(By.CSS_SELECTOR, ".findings").text
    assert json.dumps(_all(driver, "#table")) == "[]"
