"""Findings: what a run of the library found, as values; pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from pullguard.core.gatekeeper import ACTIONS, ConstraintTemplate, Deprecation, Rule, Summary, dig, group_of
from pullguard.core.inputs.build_options import Installation
from pullguard.core.inputs.problems import InputError

if TYPE_CHECKING:
    from datetime import date

#: The annotation by which an object exempts itself from policies, in `check` alone.
EXEMPT_ANNOTATION = "pullguard/exempt"

_PATH = re.compile(r"[^.\[\]]+(?:\.[^.\[\]]+|\[[0-9]{1,9}\])*")
_STEP = re.compile(r"[^.\[\]]+|\[[0-9]+\]")
_VOLUMES = "volumes"
_LISTS = frozenset({"containers", "initContainers", "ephemeralContainers", _VOLUMES})

#: Why something is not judged: its namespace is not protected, no policy covers its kind, it is not rendered, something
#: is to be filled in, or a policy asks what is in a cluster.
Reason = Literal["namespace", "kind", "not-rendered", "placeholder", "cluster"]
REASONS: tuple[Reason, ...] = get_args(Reason)

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """The object of a finding.

    Attributes:
        api_version: As the manifest states it; "" if it does not.
        kind: The kind.
        namespace: Its namespace; "" if it has none or it is not known.
        name: metadata.name, else metadata.generateName, else "".
    """

    api_version: str
    kind: str
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class ContainerRef:
    """The container or image volume of a finding.

    Attributes:
        list: "containers", "initContainers", "ephemeralContainers" or "volumes"; in a custom resource also another key
            that holds containers, or one.
        name: Its name; "" if it has none.
        index: Its place in the list, from 0.
    """

    list: str
    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Location:
    """A line, from 1, of a file, as the user named it."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a chart.

    Attributes:
        key: As --set takes it.
        location: Where it stands; None if no file states it.
        is_tag: Whether it sets the tag of an image, not its name.
        is_policy: Whether it sets a pull policy.
        path: The key as steps.
    """

    key: str
    location: Location | None
    is_tag: bool = False
    is_policy: bool = False
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Written:
    """Where a value is written: a line of a file, and a character on it, both from 1."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class DecidingPlace:
    """What decides something in an object.

    Attributes:
        file: As the user named it.
        line: From 1.
        template: Where the template of a chart has it, if a value decides it.
        values: The values that set it: the first one decides as things are.
        written: Where the value is written in what a kustomization is built from, if it is as it stands there.
    """

    file: str
    line: int
    template: Location | None = None
    values: tuple[Value, ...] = ()
    written: Written | None = None


@dataclass(frozen=True, slots=True)
class Repair:
    """What fixes a finding in a built object.

    Attributes:
        path: The path of the value in the object.
        value: The value that it must have.
        stated: The value that it has.
        place: What decides it, if that is known.
        owner: What decides the mapping that holds it.
        image: What decides the image in that mapping.
    """

    path: Path
    value: str
    stated: Any
    place: DecidingPlace | None
    owner: DecidingPlace | None
    image: DecidingPlace | None


@dataclass(frozen=True, slots=True)
class Built:
    """A kustomization or a chart that a finding is in.

    Attributes:
        kind: "kustomization" or "chart".
        path: The folder, or the packed chart, as the user named it, and what installs it.
        object: The name of the object there.
        container: Its container or image volume there; None if the finding is about the whole object.
        hook: When Helm makes the object, as its annotation says; "" if it is not a hook.
        position: The object's document in what is built, from 0, and its places in Lists.
        repair: What fixes the finding; None if its policy does not say so.
        installer: The object that installs the chart; "" if it is rendered with its own values.
        pin: Where the image is to be pinned, the value being that of today; None if its policy does not say so.
        after_pin: What is to be set once it is pinned; None if that is nothing.
    """

    kind: str
    path: str
    object: ObjectRef
    container: ContainerRef | None
    hook: str = ""
    position: tuple[int, ...] = ()
    repair: Repair | None = None
    installer: str = ""
    pin: Repair | None = None
    after_pin: Repair | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One violation.

    Attributes:
        rule: The id of the rule; the template's name for templates of others.
        severity: "low", "medium", "high" or "critical".
        policy: The policy's name; the template's name for templates of others.
        constraints: The names of the constraints that say so, sorted.
        action: The strictest enforcementAction of theirs.
        file: As the user named it. Of what is built: the file that decides.
        line: From 1: the stated pull policy, else the image, else the container, else the object.
        document: The document in the file, from 0.
        item: The object's places in the Lists that it stands in, from the outermost.
        object: The object.
        container: The container or image volume, or None if it is about the whole object.
        image: Its image, or None if it is about none.
        message: The policy's message: what is wrong, and the remedy.
        details: The policy's details, any JSON value.
        fingerprint: Hexadecimal; see `fingerprinted`.
        namespace_assumed: Whether the constraints were assumed to select the object's namespace, since the namespace or
            its labels are not known.
        annotation: What the object's annotation for exemptions holds, any JSON value; None if there is none.
        remark: Why an exemption of it does not count; "" if there is nothing to say.
        template: Where the template of a chart has what a value decides.
        values: The values of a chart that decide it, the first one as things are.
        builds: The kustomizations or charts that it is in; none if the manifest is judged as it stands.
    """

    rule: str
    severity: str
    policy: str
    constraints: tuple[str, ...]
    action: str
    file: str
    line: int
    document: int
    item: tuple[int, ...]
    object: ObjectRef
    container: ContainerRef | None
    image: str | None
    message: str
    details: Any
    fingerprint: str
    namespace_assumed: bool
    annotation: Any = None
    remark: str = ""
    template: Location | None = None
    values: tuple[Value, ...] = ()
    builds: tuple[Built, ...] = ()


@dataclass(frozen=True, slots=True)
class Exempted:
    """A finding that does not count, since the object names its policy in an annotation.

    Attributes:
        finding: The finding.
        reason: Why, in the words of the annotation.
        until: The last day on which it does not count; None if there is none.
    """

    finding: Finding
    reason: str
    until: "date | None"


@dataclass(frozen=True, slots=True)
class KnownFinding:
    """A finding as a baseline keeps it.

    Attributes:
        fingerprint: Identifies it; the rest is for people.
        rule: The id of the rule.
        file: Where it was.
        object: Kind, namespace and name.
        container: The list and the name of its container or image volume; "" if it is about the whole object.
    """

    fingerprint: str
    rule: str
    file: str
    object: str
    container: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What a baseline says of a run.

    Attributes:
        file: The baseline, as the user named it.
        known: Findings that are in it, so that they do not count.
        gone: Its findings that were not found any more, although their files were looked at.
        written: Whether the baseline was written by this run: then all findings are known.
    """

    file: str
    known: tuple[Finding, ...]
    gone: tuple[KnownFinding, ...]
    written: bool


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """What reports say about a rule.

    Attributes:
        id: The id.
        severity: "low", "medium", "high" or "critical".
        title: A line.
        policy: The policy's name.
        description: What the policy demands and why; "" if it does not say.
        page: The file with the policy's page, as people name it; "" if there is none.
        explain: The command that prints the page; "" if there is none.
        aliases: The ids that the rule had before.
        deprecated: That it will go; None if it stays.
    """

    id: str
    severity: str
    title: str
    policy: str
    description: str
    page: str
    explain: str
    aliases: tuple[str, ...] = ()
    deprecated: Deprecation | None = None


@dataclass(frozen=True, slots=True)
class InputBuild:
    """A kustomization or a chart that was built.

    Attributes:
        kind: "kustomization" or "chart".
        path: The absolute path of the folder, or of the packed chart.
        name: The build as it is shown to users: the path, and what installs it.
        files: The files that it was built from, without links.
        test_values: The file of values that a chart has for its tests, if it needs values; else "".
        installation: What installs the chart; None if it is rendered with its own values.
    """

    kind: Literal["kustomization", "chart"]
    path: str
    name: str
    files: frozenset[str]
    test_values: str = ""
    installation: Installation | None = None

    @property
    def identity(self) -> str:
        """What tells it from others: one chart may be installed several times."""
        return self.path if self.installation is None else f"{self.path} ({self.installation.installer})"

    @property
    def shown_path(self) -> str:
        """The path as it is shown to users."""
        return self.name if self.installation is None else self.name.removesuffix(f" ({self.installation.installer})")


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Something that was not judged, or not as it will be applied.

    Attributes:
        reason: One of REASONS.
        count: How many objects; how many policies, documents, charts or kustomizations where those are not judged.
        names: Their namespaces, kind, policies, files or placeholders.
        location: Where the first of them is; None if it has no place.
        message: A sentence for people.
    """

    reason: Reason
    count: int
    names: tuple[str, ...]
    location: Location | None
    message: str


@dataclass(frozen=True, slots=True)
class Report:
    """What one run found.

    Attributes:
        findings: Those that count, in the order of the input.
        errors: In the order of the input.
        files: How many files were read.
        documents: How many documents they hold.
        objects: How many Kubernetes objects those hold.
        library: The library that was used, as people name it.
        notes: What else users should know, a sentence each.
        rules: The rules that were judged by, in the order of the library.
        unused: The policies of the library that nothing was judged by.
        read: The files that were read, as people name them.
        exempt: Findings that do not count for an exemption.
        baseline: What the baseline says; None if there is none.
        doubt: Why the library is not to be relied on; "" if there is no reason.
        builds: What was built.
        unjudged: What was not judged.
        policy_aliases: What policies of the library are called now, by the names that they had before.
    """

    findings: tuple[Finding, ...]
    errors: tuple[InputError, ...]
    files: int
    documents: int
    objects: int
    library: str
    notes: tuple[str, ...]
    rules: tuple[RuleInfo, ...] = ()
    unused: tuple[str, ...] = ()
    read: tuple[str, ...] = ()
    exempt: tuple[Exempted, ...] = ()
    baseline: Compared | None = None
    doubt: str = ""
    builds: tuple[InputBuild, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    policy_aliases: Mapping[str, str] = field(default_factory=dict)

    def exit_code(self, fail_on: str, *, strict: bool = False) -> int:
        """Return 2 if there are errors, 1 if a finding's action is `fail_on` or stricter, else 0.

        If it is strict, what was not judged is an error, but for what no manifest can change: a policy asks a cluster.
        """
        if self.errors or (strict and any(entry.reason != "cluster" for entry in self.unjudged)):
            return 2
        level = strictness(fail_on)
        return int(any(strictness(finding.action) >= level for finding in self.findings))


@dataclass(frozen=True, slots=True)
class Violation:
    """What one constraint says about one object.

    Attributes:
        template: The template of the constraint.
        constraint: The constraint's name.
        action: Its enforcementAction.
        message: The message.
        details: The details, any JSON value.
        namespace_assumed: See `Finding`.
    """

    template: ConstraintTemplate | Summary
    constraint: str
    action: str
    message: str
    details: Any
    namespace_assumed: bool


class Source(Protocol):
    """Where an object was read; `pullguard.core.inputs.Manifest` is one."""

    @property
    def file(self) -> str:
        """The file, as the user named it."""

    @property
    def document(self) -> int:
        """The document in the file, from 0."""

    @property
    def item(self) -> tuple[int, ...]:
        """Its places in the Lists that it stands in, from the outermost."""

    @property
    def object(self) -> Mapping[str, Any]:
        """The object."""

    def place(self, path: Sequence[str | int] = ()) -> DecidingPlace:
        """Return where what stands at a path inside the object comes from."""


def strictness(action: str) -> int:
    """Return the rank of an enforcementAction; one that Gatekeeper does not know counts as dryrun."""
    return ACTIONS.index(action) if action in ACTIONS else 0


def rule_of(template: ConstraintTemplate | Summary, reason: Any) -> Rule:
    """Return the rule of a template for the reason in a violation's details; templates of others have one for all."""
    known = template.rules.get(reason) if isinstance(reason, str) else None
    return known or Rule(template.name, "medium", template.kind)


def finding(violation: Violation, source: Source, namespace: str, images: "Images | None" = None) -> Finding:
    """Return one violation as a finding; its fingerprint is not yet different from others at the same place.

    Args:
        violation: The violation.
        source: The object.
        namespace: The object's namespace; "" if it has none or it is not known.
        images: Those of the object, if it has more violations.
    """
    obj, details = source.object, violation.details
    path = _path(obj, dig(details, "path"))
    container = _container(obj, path, details)
    image_of, line_of = _image_and_line(obj, path) if container else (None, path)
    rule = rule_of(violation.template, dig(details, "reason"))
    where = "/".join(_names(obj, path)) if path else (images or Images(obj)).cut_from(violation.message)
    place = source.place(line_of)
    return Finding(
        rule=rule.id,
        severity=rule.severity,
        policy=violation.template.policy,
        constraints=(violation.constraint,),
        action=violation.action,
        file=place.file,
        line=place.line,
        document=source.document,
        item=source.item,
        object=reference(obj, namespace),
        container=container,
        image=_image(dig(details, "image")) or image_of,
        message=violation.message,
        details=details,
        fingerprint=_hash(
            rule.first_id,
            group_of(obj),
            _text(obj.get("kind")),
            _text(dig(obj, "metadata", "namespace")),
            _name(obj),
            where,
        ),
        namespace_assumed=violation.namespace_assumed,
        annotation=dig(obj, "metadata", "annotations", EXEMPT_ANNOTATION),
        template=place.template,
        values=place.values,
    )


class Images:
    """The images of an object, to cut them from messages; there may be very many of both."""

    def __init__(self, obj: Mapping[str, Any]) -> None:
        self._obj = obj

    def cut_from(self, message: str) -> str:
        """Return a message without images, so that a new image does not change it: the longest at each place is cut."""
        kept, at = [], 0
        for start in range(len(message)):
            lengths = self._lengths.get(message[start], ()) if start >= at else ()
            length = next((length for length in lengths if message[start : start + length] in self._images), 0)
            if length:
                kept.append(message[at:start])
                at = start + length
        return "".join([*kept, message[at:]])

    @cached_property
    def _images(self) -> set[str]:
        images = set()
        pending: list[Any] = [self._obj]
        while pending:
            value = pending.pop()
            if isinstance(value, list):
                pending += value
            elif isinstance(value, dict):
                pending += value.values()
                image = value.get("image")
                images.add(_text(dig(image, "reference")) if isinstance(image, dict) else _text(image))
        return images - {""}

    @cached_property
    def _lengths(self) -> dict[str, list[int]]:
        """The lengths of the images that begin with a character, from the longest."""
        lengths: dict[str, set[int]] = {}
        for image in self._images:
            lengths.setdefault(image[0], set()).add(len(image))
        return {first: sorted(own, reverse=True) for first, own in lengths.items()}


def one_of_several(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings in which those of several builds that the same line decides are one, with all of the builds."""
    kept: dict[Any, Finding] = {}
    for found in findings:
        container = found.container
        key: Any = (
            (found.policy, found.rule, found.file, found.line, found.object.kind)
            + ((container.list, container.name) if container else (found.object.name,))
            if found.builds
            else len(kept)
        )
        before = kept.get(key)
        # One object may have the same value twice.
        if before is None or before.builds[0].path == found.builds[0].path:
            kept[key if before is None else (key, len(kept))] = found
        else:
            strictest = before if strictness(before.action) >= strictness(found.action) else found
            kept[key] = replace(
                strictest,
                constraints=tuple(sorted({*before.constraints, *found.constraints})),
                builds=(*before.builds, *found.builds),
            )
    return list(kept.values())


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings of one object, each once, in the order of lines, places, rules and messages.

    Findings of several constraints about one place by one rule are one, with the strictest action and the
    message of its constraint: the first one by name if several are as strict.
    """
    places: dict[str, list[Finding]] = {}
    for found in findings:
        places.setdefault(_key(found), []).append(found)
    return sorted((_merged(same) for same in places.values()), key=_order)


def fingerprinted(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return findings with unique fingerprints.

    A fingerprint depends on the first id of the rule, and on the object and the container by their names: it stays
    when the rule gets another id, when lines, containers or files move, when the image changes, and when the
    constraints change. If names do not distinguish findings, the order of the input does: all but the first get its
    fingerprint with an ordinal, hashed.
    """
    seen: dict[str, int] = {}
    result = []
    for found in findings:
        ordinal = seen.get(found.fingerprint, 0)
        seen[found.fingerprint] = ordinal + 1
        own = _hash(found.fingerprint, str(ordinal)) if ordinal else found.fingerprint
        result.append(replace(found, fingerprint=own))
    return tuple(result)


def reference(obj: Mapping[str, Any], namespace: str) -> ObjectRef:
    """Return what tells an object from others of its namespace."""
    return ObjectRef(_text(obj.get("apiVersion")), _text(obj.get("kind")), namespace, _name(obj))


def steps(text: Any) -> Path | None:
    """Return the steps of a path such as `spec.containers[2]`, or None if it is not a path."""
    if not isinstance(text, str) or not _PATH.fullmatch(text):
        return None
    return tuple(int(step[1:-1]) if step.startswith("[") else step for step in _STEP.findall(text))


def value_at(value: Any, path: Path) -> Any:
    """Return the value at a path in a JSON value, or None if there is none."""
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = dig(value, step)
    return value


def _merged(same: Sequence[Finding]) -> Finding:
    first = min(same, key=lambda found: (-strictness(found.action), found.constraints, found.message))
    return replace(
        first,
        constraints=tuple(sorted({name for found in same for name in found.constraints})),
        namespace_assumed=all(found.namespace_assumed for found in same),
    )


def _key(found: Finding) -> str:
    """Return the key by which findings of one object are merged."""
    path = dig(found.details, "path")
    if isinstance(path, str):
        return json.dumps([found.policy, found.rule, path])
    return json.dumps([found.policy, found.rule, found.message, found.details], sort_keys=True)


def _order(found: Finding) -> tuple[Any, ...]:
    path = steps(dig(found.details, "path")) or ()
    return (
        found.line,
        [(isinstance(token, int), token) for token in path],
        found.policy,
        found.rule,
        found.message,
        json.dumps(found.details, sort_keys=True),
    )


def _path(obj: Mapping[str, Any], text: Any) -> Path:
    """Return the path in the details if the object has a value there, else that of the object."""
    tokens = steps(text)
    return tokens if tokens and value_at(obj, tokens) is not None else ()


def _container(obj: Mapping[str, Any], path: Path, details: Any) -> ContainerRef | None:
    """Return the container or image volume that a path leads to, or None if it leads to something else.

    Custom resources have containers in other lists, or by themselves.
    """
    value = value_at(obj, path)
    if not _is_listed(path) and not (path and isinstance(value, dict) and "image" in details):
        return None
    name, step = _text(dig(value, "name")), path[-1]
    return ContainerRef(str(path[-2]), name, step) if isinstance(step, int) else ContainerRef(step, name, 0)


def _is_listed(path: Path) -> bool:
    return len(path) > 1 and path[-2] in _LISTS and isinstance(path[-1], int)


def _image_and_line(obj: Mapping[str, Any], path: Path) -> tuple[str | None, Path]:
    """Return the image of the container or image volume at a path, and the path of its finding's line."""
    if path[-2] == _VOLUMES:
        path, policy, image = (*path, "image"), "pullPolicy", "reference"
    else:
        policy, image = "imagePullPolicy", "image"
    owner = value_at(obj, path)
    stated = [key for key in (policy, image) if dig(owner, key) not in (None, "")]
    return _image(dig(owner, image)), (*path, *stated[:1])


def _names(obj: Mapping[str, Any], path: Path) -> list[str]:
    """Return a path with names in place of its indices."""
    named = []
    for end, step in enumerate(path, start=1):
        if isinstance(step, int):
            named.append(f"[{_text(dig(value_at(obj, path[:end]), 'name'))}]")
        else:
            named.append(step)
    return named


def _name(obj: Mapping[str, Any]) -> str:
    return _text(dig(obj, "metadata", "name")) or _text(dig(obj, "metadata", "generateName"))


def _image(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
