"""What `pullguard outage` forecasts before the registry is cut off, and what happens after it; and its repair."""

from collections import Counter

from incident.conftest import Forecast, Repaired, Seen
from incident.pods import STARTED, Pod
from local_cluster.gatekeeper import NAMESPACE


def _contradicted(forecast: Forecast, pods: tuple[Pod, ...]) -> dict[str, tuple[str, str]]:
    """Return the pods that do something else than the forecast says; where it says unknown, either is right."""
    happened = {pod.name: "starts" if pod.outcome == STARTED else "stays down" for pod in pods}
    assert happened.keys() <= forecast.verdicts.keys()
    return {
        name: (forecast.verdicts[name], outcome)
        for name, outcome in happened.items()
        if forecast.verdicts[name] not in {"unknown", outcome}
    }


def test_the_matrix_and_random_pods_do_what_was_forecast(
    forecast: Forecast, tried: tuple[Pod, ...], tried_at_random: tuple[Pod, ...]
) -> None:
    assert _contradicted(forecast, (*tried, *tried_at_random)) == {}
    for pods in (tried, tried_at_random):
        assert min(Counter(forecast.verdicts[pod.name] for pod in pods)[each] for each in ("starts", "stays down")) >= 3


def test_gatekeeper_as_it_comes_has_four_pods_down(forecast: Forecast, outage: Seen) -> None:
    assert forecast.gatekeeper == {"restart": 4, "replace": 4}
    assert [pod.outcome == STARTED for pod in outage.pods] == [False] * 4
    assert [edit["text"] for edit in forecast.repair] == [
        f"Deployment/{NAMESPACE}/gatekeeper-{name}: set imagePullPolicy IfNotPresent"
        for name in ("audit", "controller-manager")
    ]


def test_with_the_repair_none_is_down(repaired: Repaired) -> None:
    assert repaired.forecast.gatekeeper == {"restart": 0, "replace": 0}
    assert [pod.outcome for pod in repaired.pods] == [STARTED] * 4
