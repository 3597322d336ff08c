"""Findings of a report -> what is to be edited, each as a finding whose details say so, and what needs what first."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pullguard.core.findings import Built, Finding, Report
from pullguard.core.gatekeeper import dig
from pullguard.core.schema_errors import dotted
from pullguard.fix.manifests import wanted
from pullguard.fix.pins import Pin

_ELSEWHERE = "the same place decides it where the image cannot be pinned"

#: A use of an image: a path in an object by file, document and places in Lists; or a container by the build.
_Use = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be edited.

    Attributes:
        findings: Findings that want something.
        first: By the position of a finding, those of others which must be fixed before: those of its images.
        refused: Findings whose images cannot be pinned, and why.
        pins: How images are pinned, by the references that are written.
    """

    findings: Sequence[Finding]
    first: Mapping[int, frozenset[int]] = field(default_factory=dict)
    refused: Sequence[tuple[Finding, str]] = ()
    pins: Mapping[str, Pin] = field(default_factory=dict)

    def part(self, places: Sequence[int]) -> "Plan":
        """Return the plan for findings at some positions."""
        numbers = {place: number for number, place in enumerate(places)}
        first = {
            numbers[place]: frozenset(numbers[each] for each in before)
            for place, before in self.first.items()
            if place in numbers
        }
        return Plan([self.findings[place] for place in places], first, (), self.pins)


def plan(report: Report, pins: Mapping[str, Pin | str] | None = None) -> Plan:
    """Return what is to be edited.

    Args:
        report: What was found.
        pins: How images can be pinned, or why not, for all `images_to_pin`; None: images are left as they are.
    """
    if pins is None:
        return Plan([found for found in report.findings if wanted(found) is not None])
    return _Planner(report, pins).plan()


def images_to_pin(report: Report) -> set[str]:
    """Return the images of findings that could be pinned, as they are stated."""
    return {image for found in report.findings for image in _stated(found)}


def can_be_pinned(found: Finding) -> bool:
    """Tell whether a finding is about an image that could be pinned."""
    return dig(found.details, "pin", "path") is not None


class _Planner:
    """Plans pins, and then the pull policies that wait for them."""

    def __init__(self, report: Report, pins: Mapping[str, Pin | str]) -> None:
        self._report = report
        self._pins = pins
        self._findings: list[Finding] = []
        self._first: dict[int, frozenset[int]] = {}
        self._refused: list[tuple[Finding, str]] = []
        self._pinned: dict[_Use, int] = {}  # the position of what pins the image of a use

    def plan(self) -> Plan:
        for found in self._report.findings:
            if stated := _stated(found):
                self._pin(found, stated)
        # What is exempt stays, and what a policy says of the pull policy comes before what pinning says of it.
        done = {use for entry in self._report.exempt if _is_policy(entry.finding) for use in _uses(entry.finding)}
        for found in self._report.findings:
            if _is_policy(found):
                done.update(self._set_policy(found))
        for place, found in list(enumerate(self._findings)):
            if can_be_pinned(found):
                self._state_policy(place, found, done)
        pins = {pin.reference: pin for pin in self._pins.values() if isinstance(pin, Pin)}
        return Plan(self._findings, self._first, self._refused, pins)

    def _pin(self, found: Finding, stated: Sequence[str]) -> None:
        reasons = [reason for image in stated if isinstance(reason := self._pins[image], str)]
        if reasons:
            shared = len(reasons) < len(stated)
            self._refused.append((found, f"{_ELSEWHERE}: {reasons[0]}" if shared else reasons[0]))
            return
        self._pinned |= dict.fromkeys(_uses(found), len(self._findings))
        builds = tuple(
            replace(built, repair=replace(built.pin, value=self._reference(built.pin.value)) if built.pin else None)
            for built in found.builds
        )
        pin = dig(found.details, "pin")
        fix = {"path": dig(pin, "path"), "value": self._reference(dig(pin, "stated"))}
        self._findings.append(
            replace(found, details={**found.details, "stated": dig(pin, "stated"), "fix": fix}, builds=builds)
        )

    def _reference(self, image: str) -> str:
        pin = self._pins[image]
        return pin.reference if isinstance(pin, Pin) else ""

    def _set_policy(self, found: Finding) -> Iterable[_Use]:
        """Plan what a policy says of a pull policy, now that images are pinned; return the uses that this settles."""
        uses = _uses(found)
        if wanted(found) is not None and all(built.repair is not None for built in found.builds):
            self._findings.append(found)
            return uses
        before = frozenset(self._pinned[use] for use in uses if use in self._pinned)
        if before and (wants := self._once_pinned(found)) is not None:
            self._first[len(self._findings)] = before
            self._findings.append(wants)
            return uses
        if wanted(found) is None:
            return ()
        self._findings.append(found)
        return uses

    def _once_pinned(self, found: Finding) -> Finding | None:
        """Return a finding about a pull policy with what fixes it wherever its image is pinned."""
        places = [self._pinned.get(use) for use in _uses(found)]
        if not found.builds:
            pinned = None if places[0] is None else self._findings[places[0]]
            return pinned and _with_fix(found, dig(pinned.details, "pin", "then"))
        builds = tuple(
            built if built.repair is not None or place is None else replace(built, repair=self._after_pin(built, place))
            for built, place in zip(found.builds, places, strict=True)
        )
        repair = next((built.repair for built in builds if built.repair is not None), None)
        if repair is None:
            return None
        wants = found if wanted(found) is not None else _with_fix(found, _then(repair))
        return wants and replace(wants, builds=builds)

    def _after_pin(self, built: Built, place: int) -> Any:
        use = _use_of(built, None)
        return next((other.after_pin for other in self._findings[place].builds if _use_of(other, None) == use), None)

    def _state_policy(self, place: int, found: Finding, done: set[_Use]) -> None:
        """Plan the pull policy of a pinned image of which no policy says anything."""
        then = dig(found.details, "pin", "then")
        builds = tuple(
            replace(built, repair=built.after_pin)
            for built, use in zip(found.builds, _uses(found), strict=False)
            if built.after_pin is not None and use not in done
        )
        if found.builds:
            if not builds:
                return
            then = _then(builds[0].repair)
        elif then is None or _uses(found)[0] in done:
            return
        own = _with_fix(found, then)
        if own is not None:
            details = {**own.details, "path": dig(then, "path"), "stated": dig(then, "stated"), "pin": None}
            self._first[len(self._findings)] = frozenset({place})
            self._findings.append(replace(own, details=details, builds=builds))


def _stated(found: Finding) -> list[str]:
    if found.builds:
        return [built.pin.value for built in found.builds if built.pin is not None]
    image = dig(found.details, "pin", "stated")
    return [image] if isinstance(image, str) else []


def _is_policy(found: Finding) -> bool:
    """Tell whether a finding is about a pull policy."""
    return isinstance(found.details, dict) and "fix" in found.details


def _with_fix(found: Finding, then: Any) -> Finding | None:
    if not isinstance(then, dict):
        return None
    return replace(found, details={**found.details, "fix": {"path": then["path"], "value": then["value"]}})


def _then(repair: Any) -> dict[str, Any]:
    return {"path": dotted(repair.path, ""), "stated": repair.stated, "value": repair.value}


def _uses(found: Finding) -> list[_Use]:
    path = dig(found.details, "path")
    if found.builds:
        return [_use_of(built, path) for built in found.builds]
    return [(found.file, found.document, found.item, path)]


def _use_of(built: Built, path: Any) -> _Use:
    return built.kind, built.path, built.position, built.container or path
