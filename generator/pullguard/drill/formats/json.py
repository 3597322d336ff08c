"""A plan and a drill as one JSON object each, for machines. Fields are never left out."""

import json
from typing import Any, TextIO

from pullguard.core.formats.json import error_value
from pullguard.drill.model import Asked, DrillReport, Plan, Planned, Seen
from pullguard.forecasting.drilled import FORMAT
from pullguard.forecasting.model import Use

#: What the object of a plan is, and its version: another one means that a reader may have to change.
PLAN_FORMAT = "pullguard-drill-plan/v1"


def write_plan(plan: Plan, stream: TextIO) -> None:
    """Write a plan as one JSON object, in ASCII."""
    _dump({"format": PLAN_FORMAT, **_plan(plan), "pods": [_planned(planned) for planned in plan.pods]}, stream)


def write(report: DrillReport, stream: TextIO) -> None:
    """Write the report of a drill as one JSON object, in ASCII."""
    _dump(report_object(report), stream)


def report_object(report: DrillReport) -> dict[str, Any]:
    """Return the report of a drill as a JSON value."""
    return {
        "format": FORMAT,
        **_plan(report.plan),
        "drill": report.drill,
        "lasted": round(report.lasted, 1),
        "asked": [_asked(asked) for asked in report.asked],
        "pods": [_seen(seen) for seen in report.seen],
        "problems": list(report.problems),
        "notes": [*report.notes, *report.plan.notes],
        "summary": {
            agreement: report.count(agreement)
            for agreement in ("as forecast", "left open", "contradicted", "changed", "not seen")
        },
    }


def _plan(plan: Plan) -> dict[str, Any]:
    return {
        "source": plan.source,
        "node": plan.node,
        "namespaces": list(plan.namespaces),
        "registries": sorted(plan.registries),
        "addresses": [str(address) for address in plan.addresses],
        "seconds": plan.seconds,
        "unreadable": dict(plan.unreadable),
        "errors": [error_value(error) for error in plan.errors],
        "notes": list(plan.notes),
    }


def _planned(planned: Planned) -> dict[str, Any]:
    ref = planned.workload
    return {
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
        "pod": planned.pod,
        "pods": planned.pods,
        "forecast": planned.verdict,
        "uses": [_use(use) for use in planned.uses],
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "list": use.list,
        "name": use.name,
        "image": use.image,
        "policies": list(use.policies),
        "verdict": use.verdict,
        "reason": use.reason,
    }


def _seen(seen: Seen) -> dict[str, Any]:
    return {
        **_planned(seen.planned),
        "copy": seen.copy or None,
        "seen": seen.sight,
        "agreement": seen.agreement,
        "containers": [
            {"name": each.name, "image": each.image, "seen": each.sight, "why": each.why} for each in seen.containers
        ],
        "changed": list(seen.changed),
        "why": seen.why,
    }


def _asked(asked: Asked) -> dict[str, Any]:
    return {
        "registry": asked.host,
        "image": asked.image,
        "before": asked.before,
        "first": asked.first,
        "last": asked.last,
        "after": asked.after,
        "why": asked.why,
    }


def _dump(value: Any, stream: TextIO) -> None:
    json.dump(value, stream, indent=2)
    stream.write("\n")
