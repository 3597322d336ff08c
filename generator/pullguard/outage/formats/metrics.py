"""Forecasts as metrics in Prometheus' text format, for a Pushgateway or the textfile collector of a node exporter."""

from collections import Counter
from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.metrics import gauge
from pullguard.forecasting.model import VERDICTS
from pullguard.outage.model import OutageReport

_PREFIX = "pullguard_outage"


def write(report: OutageReport, stream: TextIO) -> None:
    """Write a report."""
    stream.writelines(f"{line}\n" for line in _lines(report))


def _lines(report: OutageReport) -> Iterator[str]:
    workloads: Counter[tuple[str, str]] = Counter()
    survivors: Counter[tuple[str, str]] = Counter()
    pods: Counter[tuple[str, str, str]] = Counter()
    for workload in report.protected:
        namespace = workload.ref.namespace
        for event in report.events:
            workloads[event, namespace] += 1
            survivors[event, namespace] += workload.comes_back(event)
            for verdict in VERDICTS if event in workload.forecasts else ():
                pods[event, namespace, verdict] += workload.forecasts[event].pods(verdict)
    yield from gauge(
        f"{_PREFIX}_protected_workloads",
        "Workloads of a protected namespace.",
        ((_labels(key), number) for key, number in sorted(workloads.items())),
    )
    yield from gauge(
        f"{_PREFIX}_protected_workloads_surviving_ratio",
        "The share of them whose pods are all sure to start without the registries.",
        ((_labels(key), survivors[key] / number) for key, number in sorted(workloads.items())),
    )
    yield from gauge(
        f"{_PREFIX}_protected_pods",
        "Pods of a protected namespace that an event starts anew, by what becomes of them by their images alone.",
        ((_labels(key), number) for key, number in sorted(pods.items())),
    )
    yield from gauge(
        f"{_PREFIX}_errors",
        "What could not be read; what depends on it is unknown.",
        [({}, len(report.errors) + len(report.unreadable))],
    )


def _labels(key: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(("event", "namespace", "verdict"), key, strict=False))
