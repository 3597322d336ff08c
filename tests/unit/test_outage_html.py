"""The page of a forecast: what it holds, and that nothing from a manifest is markup there."""

import io
import re
import unicodedata
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outage_reports import DOWN, STARTS, UNKNOWN, cascade, forecast, hooked, large, report, workload
from pullguard.core.formats.text import printable
from pullguard.core.inputs.problems import InputError
from pullguard.forecasting.drilled import Drilled, DrilledPod
from pullguard.forecasting.model import Forecast, WorkloadRef
from pullguard.outage.formats import html, words
from pullguard.outage.formats.picture import Line, picture
from pullguard.outage.model import Edit, Fallen, Link, OutageReport

_HOSTILE = "</script><script>alert(1)</script>\"'&lt;\u202egnp.exe\x1b[2J`{{7*7}}"


class _Reader(HTMLParser):
    """Collects the elements with the names of their attributes, all text, and the values of attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements = Counter[tuple[str, tuple[str, ...]]]()
        self.texts: list[str] = []
        self.values: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements[tag, tuple(name for name, _ in attrs)] += 1
        self.values += [value or "" for _, value in attrs]

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))


def _page(of: OutageReport) -> str:
    stream = io.StringIO()
    html.write(of, stream)
    return stream.getvalue()


def _section(page: str, name: str) -> str:
    """Return the text of a section, a space between its parts."""
    return " ".join(
        _Reader(page.partition(f'<section aria-labelledby="{name}"')[2].partition("</section>")[0]).texts[1:]
    )


def test_the_first_screen_says_what_to_do_first() -> None:
    page = _page(hooked())
    assert "Forecast from the files, if all registries were gone now" in _Reader(page).texts
    glance = _section(page, "glance")
    assert "protected workloads come back: restart a container restarts in its pod 3 of 4" in glance
    assert "protected workloads come back: replace a pod is replaced, and may come to another node 1 of 4" in glance
    assert _section(page, "first").endswith(
        "Do first set imagePullPolicy to IfNotPresent, on pinned images : 1 workload (Deployment/policy/hook) "
        "pull the images onto the nodes (pullguard prefetch), and pin them there : 1 workload "
        "(Deployment/kube-system/dns)"
    )
    places = [page.index(f'<section aria-labelledby="{name}"') for name in ("glance", "first", "repair", "falls")]
    assert places == sorted(places)


def test_the_repair_can_be_copied() -> None:
    page = _page(hooked())
    assert re.findall("<code>(kubectl patch.*?)</code>", page) == ["kubectl patch hook"] * 2
    assert _section(page, "repair").count("Smallest repair") == 2
    assert "No edit that pullguard knows brings back (replace): StatefulSet/kube-system/db" in _section(page, "repair")


def test_what_takes_protected_workloads_with_it_is_done_first() -> None:
    chain = ("ValidatingWebhookConfiguration/x/x", "Service/tools/x", "Deployment/tools/x")
    found = report(
        workload("a", replace=STARTS, fallen={"replace": Fallen("Deployment/kube-system/a", DOWN, chain)}),
        workload("x", "tools", protected=False, replace=DOWN),
        workload("y", "tools", protected=False, replace=DOWN),
    )
    assert words.first_steps(found) == [
        ("set imagePullPolicy to IfNotPresent, on pinned images", 1, ["Deployment/tools/x"])
    ]


def test_rows_of_protected_workloads() -> None:
    (system, policy) = sorted(html.namespaces(hooked(), protected=True), key=lambda each: each.name)
    falls = (
        "falls with ValidatingWebhookConfiguration/hook/hook.example.com, Service/policy/hook, Deployment/policy/hook"
    )
    use = ("container app", "example.org/app:1")
    assert [
        (row.workload.ref.name, row.events, row.verdict, row.state, row.reasons, row.fallen) for row in system.rows
    ] == [
        (
            "dns",
            ("replace",),
            DOWN,
            "stays down (by its images alone: 1 pod unknown)",
            ((*use, "the image is on some of the nodes that it can run on, and not on others (1 of 2 nodes)"),),
            falls,
        ),
        ("proxy", ("replace",), UNKNOWN, "unknown (by its images alone: 1 pod starts)", (), f"may fall{falls[5:]}"),
    ]
    assert [(row.events, row.state, row.remedies) for row in policy.rows] == [
        (("restart", "replace"), "1 pod stays down", ("set imagePullPolicy to IfNotPresent, on pinned images",))
    ]
    assert [(count.event, dict(count.numbers)) for count in system.counts] == [
        ("restart", {DOWN: 0, UNKNOWN: 0, STARTS: 3}),
        ("replace", {DOWN: 1, UNKNOWN: 1, STARTS: 1}),
    ]
    assert [(part.verdict, part.start, part.length) for part in system.counts[1].segments] == [
        (DOWN, 0, 333),
        (UNKNOWN, 333, 333),
        (STARTS, 666, 333),
    ]
    assert (system.well, system.also_well, system.workloads) == (("Deployment metrics",), 0, 3)


def test_namespaces_that_are_not_protected_are_only_counted() -> None:
    page = _page(hooked())
    others = _section(page, "others")
    assert "restart replace stay down unknown stay down unknown shop 1 0 0 0 1" in others
    assert "StatefulSet" not in others


def test_the_picture() -> None:
    found = picture(hooked(), "replace")
    assert found is not None
    assert [title for _, title in found.titles] == [
        "Workloads that are down",
        "Services without endpoints",
        "Webhooks, APIs, registries",
        "Requests that fail",
        "What falls with them",
    ]
    assert [(box.context, box.label, box.style, box.again) for box in found.boxes] == [
        ("Deployment in policy", "hook", "certain", True),
        ("take nothing with them", "2 other workloads", "quiet", False),
        ("Service in policy", "hook", "certain", False),
        ("ValidatingWebhook hook", "hook.example.com", "certain", False),
        ("pods of namespace", "kube-system", "certain", False),
        ("pods of namespace", "policy", "certain", False),
        ("the cluster", "nodes and leases", "possible", False),
        ("Deployment in kube-system", "dns", "certain", False),
        ("Deployment in policy", "hook", "certain", True),
        ("DaemonSet in kube-system", "proxy", "possible", False),
    ]
    assert [line.style for line in found.lines] == ["possible"] * 2 + ["certain"] * 6
    assert found.lines[2] == Line("M212 57C229 57 229 57 246 57", "M246 53L253 57L246 61z", "certain")
    restart = picture(hooked(), "restart")
    assert restart is not None
    assert (len(restart.titles), restart.width) == (3, found.width)
    assert picture(report(workload("a", replace=DOWN)), "replace") is None


def test_a_picture_of_many_things_counts_them_by_namespace() -> None:
    found = picture(large(900, namespaces=30), "replace")
    assert found is not None
    last = [box for box in found.boxes if box.x == found.boxes[-1].x]
    assert [(box.context, box.label) for box in last] == [
        *((f"in team-{name}", "30 workloads") for name in (0, 1, 10, 11, 12, 13, 14)),
        ("all others", "690 workloads"),
    ]
    requests = [(box.context, box.label) for box in found.boxes if box.x == 3 * 253]
    assert requests[0] == ("pods of namespace", "team-0")
    assert requests[-1] == ("all others", "23 requests")
    assert len(found.boxes) <= 5 * 9
    one = picture(large(900, namespaces=1), "replace")
    assert one is not None
    assert (one.boxes[-1].context, one.boxes[-1].label, one.boxes[-1].title) == (
        "in team-0",
        "900 workloads",
        "900 workloads in team-0",
    )


def test_things_on_which_the_most_hangs_have_boxes_of_their_own() -> None:
    links = [
        Link(2, "ValidatingWebhookConfiguration/w/w", f"pods of {name}", certain=name == "y") for name in "abcdefghxy"
    ]
    links += [Link(3, "pods of x", f"Deployment/x/{name}", certain=False) for name in "ab"]
    found = picture(report(cascades={"replace": cascade(*links)}), "replace")
    assert found is not None
    requests = [(box.label, box.style) for box in found.boxes[1:9]]
    assert requests == [*((name, "possible") for name in "abcdex"), ("y", "certain"), ("3 requests", "possible")]


def test_a_service_that_does_not_get_its_endpoints_back() -> None:
    links = (
        Link(1, "Service/a/x", "APIService/v1.x", certain=False),
        Link(2, "ValidatingWebhookConfiguration/w/w", "endpoints of a", certain=False),
        Link(3, "endpoints of a", "Service/a/x", certain=False),
    )
    found = picture(report(cascades={"replace": cascade(*links)}), "replace")
    assert found is not None
    assert [(box.context, box.label, box.style, box.again) for box in found.boxes] == [
        ("Service in a", "x", "possible", True),
        ("ValidatingWebhook w", "w", "possible", False),
        ("APIService", "v1.x", "possible", False),
        ("endpoints of namespace", "a", "possible", False),
        ("Service in a", "x", "possible", True),
    ]


def test_a_registry_in_the_cluster() -> None:
    links = (
        Link(0, "Deployment/a/r", "Service/a/r", certain=True),
        Link(1, "Service/a/r", "registry a/r", certain=True),
        Link(2, "registry a/r", "images of registry a/r", certain=True),
        Link(3, "images of registry a/r", "Deployment/b/x", certain=True),
    )
    found = picture(report(cascades={"restart": cascade(*links)}), "restart")
    assert found is not None
    assert [(box.context, box.label) for box in found.boxes] == [
        ("Deployment in a", "r"),
        ("Service in a", "r"),
        ("registry in a", "r"),
        ("images of registry", "a/r"),
        ("Deployment in b", "x"),
    ]


def test_long_names_keep_both_ends() -> None:
    found = picture(hooked("a-very-long-name-of-a-webhook-server"), "restart")
    assert found is not None
    assert [box.label for box in found.boxes[:2]] == ["a-very-long-\N{HORIZONTAL ELLIPSIS}ook-server"] * 2
    assert found.boxes[0].title == "Deployment/policy/a-very-long-name-of-a-webhook-server"


@pytest.mark.parametrize(("number", "namespaces", "rows", "more"), [(50, 7, 101, 0), (10_000, 200, 10_000, 10_001)])
def test_the_number_of_rows_has_a_limit(number: int, namespaces: int, rows: int, more: int) -> None:
    found = html.limited(html.namespaces(large(number, namespaces), protected=True))
    assert sum(len(each.rows) for each in found) == rows
    assert sum(each.more for each in found) == more
    assert [row.verdict for row in found[0].rows] == sorted(row.verdict for row in found[0].rows)


def test_small_namespaces_keep_their_rows_beside_a_large_one() -> None:
    many = [workload(f"w{number}", "many", replace=DOWN) for number in range(html.ROWS)]
    few = [workload(f"w{number}", "few", replace=DOWN) for number in range(3)]
    found = html.limited(html.namespaces(report(*many, *few), protected=True))
    assert [(each.name, len(each.rows), each.more) for each in found] == [("many", html.ROWS - 3, 3), ("few", 3, 0)]


@pytest.mark.parametrize(("number", "namespaces", "rows"), [(5_000, 200, 10_000), (11_000, 11_000, 2_000)])
def test_the_size_has_a_limit(number: int, namespaces: int, rows: int) -> None:
    page = _page(large(number, namespaces, kind="Pod"))
    assert len(page) < 10_000_000
    assert page.count('<tr role="row" data-namespace=') == rows
    assert page.count("data-copy>") == 200
    assert f"And {number - 200} more: <code>--write DIR</code>" in page


def test_the_number_of_reasons_has_a_limit() -> None:
    uses = tuple(use for number in range(7) for use in forecast(DOWN, container=f"c{number}").outcomes[0].uses)
    outcome = replace(forecast(DOWN).outcomes[0], uses=uses)
    page = _page(
        report(replace(workload("a"), forecasts={"restart": Forecast((outcome,))}), cascades={"restart": cascade()})
    )
    assert [name in page for name in ("container c4:", "container c5:", "and 2 more containers")] == [True, False, True]


def test_nothing_is_lost() -> None:
    page = _page(report(workload("a", restart=STARTS), workload("b", "b", restart=STARTS)))
    assert "Every protected workload comes back in 2 namespaces: b, kube-system." in _Reader(page).texts
    for absent in ("first", "repair", "falls", "others", "notes"):
        assert f'aria-labelledby="{absent}"' not in page
    assert 'id="filters"' not in page
    assert "No workload is protected." in _page(report(workload("a", protected=False, restart=DOWN)))


def test_errors_and_notes() -> None:
    found = report(
        workload("a", restart=UNKNOWN),
        errors=[InputError("dump.json", 3, 0, "is cut off")],
        unreadable={"Service": "forbidden"},
        notes=["something was taken for granted"],
    )
    texts = _Reader(_page(found)).texts
    assert "Incomplete: 2 things could not be read" in texts
    for line in ("dump.json:3: error: is cut off", "error: Service could not be read: forbidden"):
        assert line in texts
    assert "something was taken for granted" in texts


def test_the_page_needs_nothing_else_and_is_ascii() -> None:
    page = _page(hooked("\xe9\u65e5"))
    assert page.isascii()
    assert re.findall(r"""(?:src|href)=(?!"#)[^>\s]+""", page) == []
    assert "http" not in page.replace("http-equiv", "")
    assert re.findall(r"\sstyle=|\son\w+=", page) == []


def _hostile(text: str) -> OutageReport:
    """Return a report in which everything that comes from manifests or files is the same text."""
    ref = f"{text}/{text}/{text}"
    fallen = Fallen(ref, DOWN, (text,))
    links = (
        Link(0, ref, f"Service/{text}/{text}", certain=True),
        Link(1, f"Service/{text}/{text}", ref, certain=True),
        Link(2, ref, f"pods of {text}", certain=True),
        Link(3, f"pods of {text}", ref, certain=False),
    )
    found = cascade(
        *links,
        repair=[Edit(text, 1, f"kubectl {text}", ())],
        fallen=[fallen],
        knots=[(text,)],
        order=[(text,), (text,)],
        left=(text,),
    )
    return report(
        workload(text, text, text, image=text, replace=DOWN, fallen={"replace": fallen}),
        workload(text, f"{text}2", text, image=text, replace=STARTS),
        workload(text, text, text, protected=False, image=text, replace=DOWN),
        cascades={"replace": found},
        errors=[InputError(text, 1, 0, text)],
        unreadable={text: text},
        notes=[text],
        source=text,
    )


_PLAIN = _Reader(_page(_hostile("x"))).elements


@settings(max_examples=60, deadline=None)
@given(
    text=st.one_of(
        st.just(_HOSTILE), st.text(min_size=1), st.text(st.sampled_from("<>&'\"/-!{}%\u202e\x1b a"), min_size=1)
    )
)
def test_no_text_from_a_manifest_is_markup(text: str) -> None:
    page = _page(_hostile(text))
    reader = _Reader(page)
    assert reader.elements == _PLAIN
    controls = {character for character in page if unicodedata.category(character) in {"Cc", "Cf"}}
    assert controls <= {"\n", "\t"}
    assert (
        f"kubectl {printable(text)}".split()
        == next(each for each in reader.texts if each.startswith("kubectl ") or each == "kubectl").split()
    )


def test_drills_are_a_section() -> None:
    shown = Drilled(
        "pullguard-drill-1",
        "node-a",
        ("quay.io",),
        12.3,
        (
            DrilledPod(WorkloadRef("kube-system", "Deployment", "dns"), 2, STARTS, "starts", "as forecast", ()),
            DrilledPod(WorkloadRef("kube-system", "Pod", _HOSTILE), 1, DOWN, "starts", "contradicted", (_HOSTILE,)),
            DrilledPod(WorkloadRef("kube-system", "Pod", "x"), 1, UNKNOWN, "not seen", "not seen", ("it is gone",)),
        ),
        ("it was not undone",),
    )
    page = _page(replace(hooked(), drills=(shown,)))
    hostile = " ".join(printable(_HOSTILE).split())
    title = "node-a without quay.io, for 12 seconds"
    assert _section(page, "drills") == " ".join(
        (
            *("What drills have shown", title, "it was not undone", title, "Workload Forecast Seen Why"),
            "Deployment kube-system/dns 2 pods starts starts as forecast",
            f"Pod kube-system/{hostile} 1 pod stays down starts not as forecast {hostile}",
            "Pod kube-system/x 1 pod unknown not seen not seen it is gone",
        )
    )
    assert "What drills have shown" not in _page(hooked())
