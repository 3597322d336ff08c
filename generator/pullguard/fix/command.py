"""`pullguard fix`: check, edit what the policies of the findings ask for, check again."""

import codecs
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pullguard.core.editing import files
from pullguard.core.editing.edits import Edit, applied
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding, Report
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.build_options import BuildOptions
from pullguard.core.inputs.files import STDIN, STDIN_NAME, STDIN_PATHS, chunks, find_files
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import ALL, Selection
from pullguard.engine.protocol import Engine
from pullguard.fix.manifests import Edited, edited, wanted
from pullguard.fix.patch_base import PatchBase, patch_base
from pullguard.fix.plan import Plan, can_be_pinned, images_to_pin, plan
from pullguard.judging import words
from pullguard.judging.exemptions import exempted
from pullguard.judging.judge import judge
from pullguard.judging.prepare import prepared

if TYPE_CHECKING:
    from pullguard.fix.builds import EditedSources
    from pullguard.fix.pins import Pin, PinForm
    from pullguard.fix.reported import Reported

_UTF16 = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}

_STREAM = "is not a regular file, so it cannot be edited; give its text to stdin, and name -"
_STILL_FOUND = "it was edited, and check finds it all the same: please report this"
_AGAIN = "its constraint wants another value: run the command again"
_NOT_EDITED = "its file could not be edited: see the error below"
_SAME_FILE = "its file has another name, under which it is dealt with"
_NO_TEXT = "its file holds bytes that are not text: save it as UTF-8"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that was changed, or would be.

    Attributes:
        file: As the user named it; "<stdin>" for standard input.
        path: The file itself; None for standard input.
        text: Its text as it was.
        encoding: The encoding of its text.
        edits: What makes its new text.
        fixed: The findings that this fixes.
    """

    file: str
    path: Path | None
    text: str
    encoding: str
    edits: tuple[Edit, ...]
    fixed: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """A finding that is left.

    Attributes:
        finding: The finding; its message says what people have to do first if there is no reason.
        reason: Why it was not fixed although its policy says how, and what to do; None if the policy does not say how.
    """

    finding: Finding
    reason: str | None


@dataclass(frozen=True, slots=True)
class FixReport:
    """What `fix` did, or would do.

    Attributes:
        only_compared: Whether nothing was written.
        changes: The files that were changed, or would be.
        patch_base: Where a patch has to be applied if nothing was written; else None.
        fixed: The findings that are fixed, as they were found.
        left: Those that are left, where they are now.
        exempt: How many findings are left because their objects exempt them.
        others: How many findings there are that no edit of one value can fix.
        errors: What could not be read, judged or written.
        output: What is to be written to standard output if standard input was read; else None.
        library: The library that was used, as people name it.
        notes: What else users should know, a sentence each.
        doubt: Why the library is not to be relied on; "" if there is no reason.
        pins: How images were pinned, by the references that were written.
        exit_zero: Whether only errors count for the exit code.
        written: The files of an overlay that were written, as they are shown to users, the kustomization first.
    """

    only_compared: bool
    changes: tuple[Change, ...]
    patch_base: PatchBase | None
    fixed: tuple[Finding, ...]
    left: tuple[Left, ...]
    exempt: int
    others: int
    errors: tuple[InputError, ...]
    output: bytes | None
    library: str
    notes: tuple[str, ...]
    doubt: str = ""
    pins: Mapping[str, "Pin"] = field(default_factory=dict)
    exit_zero: bool = False
    written: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 if there are errors, 1 if a finding is left or a file only would be changed and that counts, else 0."""
        if self.errors:
            return 2
        return int(not self.exit_zero) and int(bool(self.left) or (self.only_compared and bool(self.changes)))


def fix(
    paths: Sequence[str],
    *,
    library: str | None = None,
    everywhere: bool = False,
    namespace: str = "",
    selection: Selection = ALL,
    namespace_labels: str | None = None,
    builds: BuildOptions | None = None,
    diff: bool = False,
    pin: Sequence[str] = (),
    pin_as: "PinForm | None" = None,
    exit_zero: bool = False,
    stdin: BinaryIO | None = None,
) -> FixReport:
    """Fix findings of a library in manifests, and in what they are built from, where its policies say how.

    Everything else stays as it is, byte for byte.

    Args:
        paths: Files and folders; "-" is stdin, whose fixed text is for standard output.
        library: As for `check`.
        everywhere: As for `check`.
        namespace: As for `check`.
        selection: As for `check`.
        namespace_labels: As for `check`.
        builds: As for `check`.
        diff: Whether to write nothing.
        pin: Files and folders of a snapshot by which images are pinned; "-" is stdin. None: images stay as they are.
        pin_as: How pinned images are written; None: the first of PIN_FORMS.
        exit_zero: Whether only errors count for the exit code; nothing on stdin is then none.
        stdin: What "-" reads.

    Raises:
        PullguardError: The library, the engine or the snapshot cannot be used.
    """
    require_one_stdin(paths, pin, pin_as)
    reported = reported_by(pin, stdin) if pin else None
    data = b"".join(chunks(stdin)) if STDIN in paths and stdin is not None else b""
    streams = [path for path in paths if path != STDIN and (path in STDIN_PATHS or files.is_stream(path))]
    rest = [path for path in paths if path not in streams]
    options = builds or BuildOptions()

    def checked(given: bytes) -> Report:
        with Engine() as engine:
            rules = prepared(engine, library, everywhere=everywhere)
            return exempted(
                judge(
                    engine,
                    rules,
                    rest,
                    namespace=namespace,
                    selection=selection,
                    namespace_labels=namespace_labels,
                    builds=options,
                    stdin=None if stdin is None else io.BytesIO(given),
                )
            )

    report = checked(data)
    if exit_zero and _is_nothing(data):
        report = replace(report, errors=tuple(error for error in report.errors if error.file != STDIN_NAME))
    with Engine() as engine:
        planned = plan(report) if reported is None else with_pins(engine, report, reported, pin_as)
        fixer = _Fixer(engine, rest, data, only_compare=diff)
        fixer.errors += (InputError(path, None, None, _STREAM) for path in streams)
        fixer.refused += planned.refused
        # Links last: their targets may be among the files, and are then edited under their own names.
        for name, own in sorted(_by_file(planned).items(), key=lambda entry: files.is_link(entry[0])):
            fixer.take(name, own)
        built = [place for place, found in enumerate(planned.findings) if found.builds]
        if built:
            from pullguard.fix.builds import edited_sources  # noqa: PLC0415 - seldom needed

            own, is_named = planned.part(built), _Named([*rest, *options.charts.values])
            fixer.keep(edited_sources(engine, report.builds, own, options, namespace=namespace, is_named=is_named.has))
    after = checked(fixer.output) if fixer.changes and not diff else report
    fixed = {_key(found): wanted(found) for found in fixer.fixed}
    reasons = dict.fromkeys(fixed, _STILL_FOUND) | {_key(found): reason for found, reason in fixer.refused}
    # An image that is pinned by --pin gets IfNotPresent, which a constraint may not allow.
    reasons |= {
        key: _AGAIN
        for found in after.findings
        if after is not report and (key := _key(found)) in fixed and wanted(found) not in {None, fixed[key]}
    }

    def is_ours(found: Finding) -> bool:
        return has_fix(found) or (reported is not None and can_be_pinned(found))

    is_left = [
        found for found in after.findings if is_ours(found) and (after is not report or _key(found) not in fixed)
    ]
    # What no policy says must be set is not found again.
    known = {_key(found) for found in report.findings}
    unset = [found for found, _ in fixer.refused if _key(found) not in known]
    places = {_key(found): place for place, found in enumerate(report.findings)}
    changed = [change.path for change in fixer.changes if change.path is not None]
    return FixReport(
        only_compared=diff,
        changes=tuple(fixer.changes),
        patch_base=patch_base(changed, Path.cwd()) if diff else None,
        fixed=tuple(sorted(fixer.fixed, key=lambda found: places.get(_key(found), len(places)))),
        left=tuple(Left(found, reasons.get(_key(found))) for found in [*is_left, *unset]),
        exempt=sum(is_ours(entry.finding) for entry in after.exempt),
        others=sum(not is_ours(found) for found in after.findings),
        errors=(*after.errors, *fixer.errors),
        output=fixer.output if STDIN in paths and not diff else None,
        library=report.library,
        notes=(*words.unjudged(after), *after.notes),
        doubt=report.doubt,
        pins=planned.pins,
        exit_zero=exit_zero,
    )


def _is_nothing(data: bytes) -> bool:
    """Tell whether a text has nothing but comments: a chart may render no object."""
    return all(not line.strip() or line.lstrip().startswith((b"#", b"---")) for line in data.splitlines())


def require_one_stdin(paths: Sequence[str], pin: Sequence[str], pin_as: str | None) -> None:
    """Refuse what cannot be meant: one stream for two inputs, or a form of pins without any.

    Raises:
        PullguardError: It is stated.
    """
    if pin_as is not None and not pin:
        raise PullguardError("--pin-as says how images are pinned, and none are", remedy="give a snapshot with --pin")
    if STDIN_PATHS.intersection(pin) and STDIN_PATHS.intersection(paths):
        raise PullguardError(
            "stdin cannot be both the manifests and the snapshot", remedy="write one of them to a file, and name that"
        )


def reported_by(pin: Sequence[str], stdin: BinaryIO | None) -> "Reported":
    """Return what a snapshot reports of images; "-" is stdin.

    Raises:
        PullguardError: It cannot be read in full.
    """
    from pullguard.fix.reported import read_reported  # noqa: PLC0415 - seldom needed

    with Engine() as engine:
        engine.setup([], frugal=True)  # of a large cluster it reads much more than is kept
        engine.finish()
        return read_reported(engine, pin, stdin)


def with_pins(engine: Engine, report: Report, reported: "Reported", pin_as: "PinForm | None") -> Plan:
    """Return what is to be edited, with images pinned by what a snapshot reports."""
    from pullguard.fix.pins import PIN_FORMS, pins  # noqa: PLC0415 - seldom needed

    return plan(report, pins(engine, images_to_pin(report), reported, pin_as or PIN_FORMS[0]))


class _Fixer:
    """Edits files; knows what it has done so far."""

    def __init__(self, engine: Engine, paths: Sequence[str], stdin: bytes, *, only_compare: bool) -> None:
        self.output = stdin
        self.changes: list[Change] = []
        self.fixed: list[Finding] = []
        self.refused: list[tuple[Finding, str]] = []
        self.errors: list[InputError] = []
        self._engine = engine
        self._paths = paths
        self._only_compare = only_compare
        self._seen: set[object] = set()

    def take(self, name: str, plan: Plan) -> None:
        """Do what is planned for a file."""
        findings = plan.findings
        if name == STDIN_NAME and STDIN in self._paths:
            result = self._edited(name, self.output, plan)
            if result is not None:
                self.output = self._keep(name, None, self.output, result)
            return
        file = files.read(name)
        if isinstance(file, str):
            self._fail(name, findings, file)
            return
        if file.path in self._seen:
            self._refuse(findings, _SAME_FILE)
            return
        if files.is_link(name):
            self._fail(name, findings, f"is a link to {file.path}, and links are not edited; name that file itself")
            return
        self._seen.add(file.path)
        result = self._edited(name, file.data, plan)
        if result is None or not result.fixed:
            return
        problem = None if self._only_compare else files.replace(file, _encoded(result.text, file.data))
        if problem is None:
            self._keep(name, file.path, file.data, result)
        else:
            self._fail(name, findings, problem)

    def keep(self, result: "EditedSources") -> None:
        """Write the new texts of files that something is built from."""
        self.refused += result.refused
        for source in result.sources:
            data = applied(source.text, source.edits).encode()
            problem = None if self._only_compare else files.replace(source.file, data)
            if problem is not None:
                self._fail(source.name, source.fixed, problem)
                continue
            self.changes.append(Change(source.name, source.file.path, source.text, "utf-8", source.edits, source.fixed))
            self.fixed += source.fixed

    def _refuse(self, findings: Sequence[Finding], reason: str) -> None:
        self.refused += ((found, reason) for found in findings)

    def _edited(self, name: str, data: bytes, plan: Plan) -> Edited | None:
        try:
            text = data.decode(_encoding_of(data))
        except UnicodeDecodeError:
            self._refuse(plan.findings, _NO_TEXT)
            return None
        result = edited(self._engine, name, text, plan.findings, plan.first)
        self.refused += result.refused
        return result

    def _keep(self, name: str, path: Path | None, data: bytes, result: Edited) -> bytes:
        """Note what was done; return the new bytes of the file."""
        if not result.fixed:
            return data
        self.changes.append(Change(name, path, data.decode(_encoding_of(data)), _encoding_of(data), result.edits))
        self.fixed += result.fixed
        return _encoded(result.text, data)

    def _fail(self, name: str, findings: Sequence[Finding], reason: str) -> None:
        self.errors.append(InputError(name, None, None, reason))
        self._refuse(findings, _NOT_EDITED)


class _Named:
    """The files that users name, themselves or by their folders."""

    def __init__(self, paths: Sequence[str]) -> None:
        self._paths = [os.path.realpath(path) for path in paths if os.path.lexists(path)]
        globs = [path for path in paths if not os.path.lexists(path)]
        self._globbed = {os.path.realpath(found) for found in find_files(globs) if isinstance(found, Path)}

    def has(self, file: str) -> bool:
        """Tell whether a file is one of them."""
        real = os.path.realpath(file)
        return real in self._globbed or any(f"{real}/".startswith(f"{path}/") for path in self._paths)


def _by_file(whole: Plan) -> dict[str, Plan]:
    places: dict[str, list[int]] = {}
    for place, found in enumerate(whole.findings):
        if not found.builds:
            places.setdefault(found.file, []).append(place)
    return {file: whole.part(own) for file, own in places.items()}


def has_fix(found: Finding) -> bool:
    """Tell whether an edit of one value fixes a finding, at least once its image is pinned."""
    return isinstance(found.details, dict) and "fix" in found.details


def _key(found: Finding) -> tuple[object, ...]:
    """Return the identity of a finding, which stays when lines move."""
    return found.file, found.document, found.item, found.object, found.rule, dig(found.details, "path")


def _encoding_of(data: bytes) -> str:
    """Return the name of the encoding of a file: UTF-8, or UTF-16 if its byte order mark says so."""
    return _UTF16.get(data[:2], "utf-8")


def _encoded(text: str, data: bytes) -> bytes:
    """Return a text in the encoding that a file had."""
    return text.encode(_encoding_of(data))
