"""A forecast as one JSON object, for machines. Fields are never left out."""

import json
from typing import Any, TextIO

from pullguard.core.formats.json import error_value
from pullguard.forecasting.model import VERDICTS, Event, Forecast, Outcome, Use, Without
from pullguard.outage.model import Cascade, Fallen, OutageReport, Workload

#: What the object is, and its version: another one means that a reader may have to change.
FORMAT = "pullguard-outage/v1"


def write(report: OutageReport, stream: TextIO) -> None:
    """Write a report as one JSON object, in ASCII."""
    json.dump(report_object(report), stream, indent=2)
    stream.write("\n")


def report_object(report: OutageReport) -> dict[str, Any]:
    """Return a report as a JSON value."""
    return {
        "format": FORMAT,
        "source": report.source,
        "registries": list(report.registries),
        "events": list(report.events),
        "nodes": None if report.nodes is None else list(report.nodes),
        "workloads": [_workload(workload) for workload in report.workloads],
        "unreadable": dict(report.unreadable),
        "errors": [error_value(error) for error in report.errors],
        "notes": list(report.notes),
        "cascades": {event: _cascade(cascade) for event, cascade in report.cascades.items()},
        "summary": {event: _summary(report, event) for event in report.events},
    }


def _summary(report: OutageReport, event: Event) -> dict[str, int]:
    protected = report.protected
    return {
        "workloads": len(report.workloads),
        "comeBack": sum(workload.comes_back(event) for workload in report.workloads),
        "protected": len(protected),
        "protectedComeBack": sum(workload.comes_back(event) for workload in protected),
    }


def _workload(workload: Workload) -> dict[str, Any]:
    ref = workload.ref
    return {
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "protected": workload.protected,
        "events": {event: _forecast(forecast) for event, forecast in workload.forecasts.items()},
        "fallen": {event: _fallen(fallen) for event, fallen in workload.fallen.items()},
    }


def _cascade(cascade: Cascade) -> dict[str, Any]:
    return {
        "fallen": [_fallen(fallen) for fallen in cascade.fallen],
        "knots": [list(knot) for knot in cascade.knots],
        "order": [list(names) for names in cascade.order],
        "repair": [{"text": edit.text, "cost": edit.cost, "command": edit.command} for edit in cascade.repair],
        "cost": cascade.cost,
        "proven": cascade.proven,
        "left": list(cascade.left),
    }


def _fallen(fallen: Fallen) -> dict[str, Any]:
    return {"name": fallen.name, "verdict": fallen.verdict, "because": list(fallen.because)}


def _forecast(forecast: Forecast) -> dict[str, Any]:
    return {
        "verdict": forecast.verdict,
        "pods": {verdict: forecast.pods(verdict) for verdict in VERDICTS},
        "outcomes": [_outcome(outcome) for outcome in forecast.outcomes],
    }


def _outcome(outcome: Outcome) -> dict[str, Any]:
    return {
        "verdict": outcome.verdict,
        "pods": outcome.pods,
        "examples": [{"name": name or None, "node": node or None} for name, node in outcome.examples],
        "bound": outcome.bound,
        "nodes": None if outcome.nodes < 0 else outcome.nodes,
        "uses": [_use(use) for use in outcome.uses],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "list": use.list,
        "name": use.name,
        "image": use.image,
        "policies": list(use.policies),
        "verdict": use.verdict,
        "reason": use.reason,
        "present": use.present,
        "removable": use.removable,
        "missing": use.missing,
        "unknown": use.unknown,
        "others": list(use.others),
        "without": None if use.without is None else _without(use.without),
    }


def _without(found: Without) -> dict[str, Any]:
    service = f"{found.service['namespace']}/{found.service['name']}"
    return {"service": service, "verdict": found.verdict, "reason": found.reason}
