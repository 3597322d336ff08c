"""Manifests and a library -> a report; the policies decide what is a violation."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pullguard.core.findings import Finding, Report, RuleInfo, fingerprinted, one_of_several
from pullguard.core.inputs.build_options import BuildOptions
from pullguard.core.inputs.files import STDIN_NAME, Found, Located, Stdin, find_files, located, nothing_on_stdin, shown
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import ALL, Selection
from pullguard.core.progress import Progress
from pullguard.engine.builds import BuiltObject
from pullguard.engine.files import FileEnd, JudgedFiles, JudgedObject, Request
from pullguard.engine.installers import Installer
from pullguard.engine.protocol import Engine
from pullguard.engine.unjudged import UnjudgedObject, Unprotected
from pullguard.judging.builds import EXTENSIONLESS, InputBuilds
from pullguard.judging.collector import FindingCollector, SourceCollector
from pullguard.judging.inputs import InputSummary, JudgingInput
from pullguard.judging.target_namespaces import TargetNamespace

if TYPE_CHECKING:
    from pullguard.library.ruleset import Ruleset


def judge(
    engine: Engine,
    rules: "Ruleset",
    paths: Sequence[str],
    *,
    by: str = "opa",
    namespace: str = "",
    stdin: BinaryIO | None = None,
    progress: bool = False,
    selection: Selection = ALL,
    namespace_labels: str | None = None,
    builds: BuildOptions = BuildOptions(),  # noqa: B008 - a constant
) -> Report:
    """Judge manifests by a library of ConstraintTemplates and constraints.

    Args:
        engine: What reads them; it must be prepared.
        rules: What they are judged by; see `pullguard.judging.prepare`.
        paths: Files and folders; "-" is stdin.
        by: What judges, as the engine was prepared for it.
        namespace: The namespace of objects that state none. "" is not known: all constraints select them.
        stdin: What "-" reads.
        progress: Show a progress bar on a terminal when it takes longer than a second.
        selection: Which of the files in folders are read.
        namespace_labels: A file with the labels of Namespaces; see `pullguard.judging.namespace_labels`.
        builds: How kustomizations and charts are built.

    Returns:
        The report. What cannot be read or judged among the manifests is an error in it.

    Raises:
        PullguardError: The policies or a program cannot be used.
    """
    collector = FindingCollector(rules.policies) if by == "opa" else SourceCollector(rules.policies)
    with ExitStack() as stack:
        run = collect(
            engine,
            collector,
            paths,
            stack,
            namespace=namespace,
            stdin=stdin,
            progress=progress,
            selection=selection,
            namespace_labels=namespace_labels,
            builds=builds,
        )
        built, read = run.builds, run.read
        if isinstance(collector, SourceCollector):
            from pullguard.judging.by_conftest import by_conftest  # noqa: PLC0415 - seldom needed

            by_conftest(engine, run.given, collector, rules.groups, built)
        engine.finish()
        drift: tuple[str, ...] = ()
        if collector.suspects:
            from pullguard.judging import pull_policy_drift  # noqa: PLC0415 - seldom needed

            drift = pull_policy_drift.notes(engine, collector.suspects)
        moves: tuple[str, ...] = ()
        if built.unprotected:
            from pullguard.judging import moved  # noqa: PLC0415 - seldom needed

            moves = moved.notes(engine, built.unprotected, collector.findings, run.given.labels)
    findings = _by_file(one_of_several(collector.findings), run.found)
    known_rules = rules.rules()
    return Report(
        findings=fingerprinted(findings),
        errors=(*collector.errors, *run.errors),
        files=len(read.read),
        documents=read.documents,
        objects=read.objects,
        library=rules.library,
        notes=(
            *rules.notes,
            *run.notes,
            *_deprecated(known_rules, findings),
            *drift,
            *moves,
        ),
        rules=known_rules,
        unused=rules.unused,
        read=tuple(read.read),
        doubt=rules.doubt,
        builds=tuple(built.done),
        unjudged=collector.unjudged.found(findings, namespace, rules.needing_cluster),
        policy_aliases=rules.policy_aliases,
    )


def _deprecated(rules: Sequence[RuleInfo], findings: Iterable[Finding]) -> list[str]:
    """Return what is to be said of rules that have findings and will go."""
    found = {finding.rule for finding in findings}
    return [
        f"the rule {rule.id} {rule.deprecated.sentence}"
        for rule in rules
        if rule.deprecated is not None and rule.id in found
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """An input that was read, built and judged; what was found is with the collector.

    Attributes:
        found: The files of the input.
        given: What was judged of them as it stands.
        builds: What was built of them.
        read: What was read, in numbers.
        errors: What is wrong with the input as a whole.
        notes: What users should know, a sentence each.
    """

    found: Sequence[Found]
    given: JudgingInput
    builds: InputBuilds
    read: InputSummary
    errors: Sequence[InputError]
    notes: Sequence[str]


def collect(
    engine: Engine,
    collector: FindingCollector,
    paths: Sequence[str],
    stack: ExitStack,
    *,
    namespace: str = "",
    stdin: BinaryIO | None = None,
    progress: bool = False,
    selection: Selection = ALL,
    namespace_labels: str | None = None,
    builds: BuildOptions = BuildOptions(),  # noqa: B008 - a constant
) -> Run:
    """Have an input read, built and judged, and note with a collector what is found.

    Args:
        engine: What does it; its setup must be asked for.
        collector: What takes it.
        paths: As of `judge`.
        stack: What standard input is kept for.
        namespace: As of `judge`.
        stdin: As of `judge`.
        progress: As of `judge`.
        selection: As of `judge`.
        namespace_labels: As of `judge`.
        builds: As of `judge`.

    Raises:
        PullguardError: The policies or a program cannot be used.
    """
    # Files that have not changed also decide what a changed one is built into.
    found = list(find_files(paths, Selection(selection.exclude, names=(EXTENSIONLESS,))))
    labels: Mapping[str, Mapping[str, str]] = {}
    if namespace_labels is not None:
        from pullguard.judging.namespace_labels import load  # noqa: PLC0415 - seldom needed

        labels = load(engine, namespace_labels)
    built = InputBuilds(engine, paths, found, builds, namespace=namespace, wanted=selection.has_changed)
    built.run(collector)
    files = [
        (place, located(each, stdin, stack))
        for place, each in enumerate(found)
        if built.leaves(each) and (not isinstance(each, Path) or selection.has_changed(each))
    ]
    given = JudgingInput(files, TargetNamespace(namespace), labels)
    with Progress(None, "objects", show=progress) as bar:
        read = _by_engine(engine, given, collector, bar, built)
        if selection.changed_since:
            built.add_unchanged(path for path in found if isinstance(path, Path) and not selection.has_changed(path))
        built.install(collector, labels)
    read.add_built(built.read, built.objects)
    errors, notes = _nothing_checked(paths, found, collector.errors, read, selection)
    return Run(found, given, built, read, errors, (*_ambiguous(read), *built.notes, *notes))


def _by_file(findings: Sequence[Finding], files: Sequence[Found]) -> Sequence[Finding]:
    """Return findings of which those in what is built stand with others in the same file."""
    if not any(found.builds for found in findings):
        return findings
    places = {shown(file): place for place, file in enumerate(files) if isinstance(file, Path)}
    return sorted(
        findings,
        key=lambda found: (places.get(found.file, len(places)), found.file, found.line if found.builds else 0),
    )


def _by_engine(
    engine: Engine, given: JudgingInput, collector: FindingCollector, bar: Progress, built: InputBuilds
) -> InputSummary:
    """Let the engine read and judge files."""
    asked: list[tuple[int, Located]] = []
    for number, file in given.files:
        if isinstance(file, InputError):
            collector.fail(number, file)
        else:
            asked.append((number, file))
    ends: dict[int, FileEnd] = {}
    requests = [Request(file.path, file.name, given.target.name, replaces=False) for _, file in asked]
    judged = JudgedFiles(engine, requests, given.labels, built.builds)
    for place, found in judged:
        if isinstance(found, BuiltObject) or (isinstance(found, Unprotected) and found.is_built):
            built.take(place, found, collector)
        elif isinstance(found, FileEnd):
            bar.advance(found.objects)
            ends[asked[place][0]] = found
        else:
            _take(asked[place][0], place, found, collector, built)
    summary = InputSummary(ambiguous=judged.namespaces.ambiguous)
    for number, file in asked:
        _end(number, file, ends[number], summary, collector)
    return summary


def _take(
    number: int,
    place: int,
    found: JudgedObject | UnjudgedObject | Unprotected | Installer | InputError,
    collector: FindingCollector,
    built: InputBuilds,
) -> None:
    """Note what is found in a file, by its place in the input and among the files that are judged."""
    match found:
        case JudgedObject():
            collector.take(number, found.item, found, found.answer)
        case Installer():
            built.add_installer(found, ("file", place), is_wanted=True)
        case InputError():
            collector.fail(number, found)
        case _:
            collector.unjudged.take(found, ("file", place))


def _end(number: int, file: Located, end: FileEnd, summary: InputSummary, collector: FindingCollector) -> None:
    """Note what a file was."""
    if end.errno:
        collector.fail(number, file.unreadable(end.errno))
    elif end.is_blank and file.name == STDIN_NAME:
        collector.fail(number, nothing_on_stdin())
    else:
        summary.add(file.name, end.documents, end.objects)
    collector.unjudged.count(end.unprotected)
    collector.unjudged.placeholders(file.name, end.placeholders)


def _ambiguous(read: InputSummary) -> Iterator[str]:
    """Yield what users should know of the Namespaces in the input."""
    for name in read.ambiguous:
        yield f"the input has Namespaces {name} with different labels, so none of them was used"


def _nothing_checked(
    paths: Sequence[str], files: Sequence[Found], errors: Sequence[InputError], read: InputSummary, selection: Selection
) -> tuple[list[InputError], list[str]]:
    """Return the errors and notes of an input without any object: success would be a lie.

    An empty pipe is what is left of a command that failed, and a folder without objects is the wrong folder;
    but a file that was named may be one that is empty for now.
    """
    message = "nothing was checked: there is no Kubernetes object in it"
    found = []
    is_silent = not read.on_stdin and all(problem.file != STDIN_NAME for problem in errors)
    if is_silent and any(isinstance(file, Stdin) for file in files):
        found.append(InputError(STDIN_NAME, None, None, message))
    if read.objects or errors or found:
        return found, []
    if selection.changed_since:
        return [], [f"nothing was checked: no manifest has changed since {selection.changed_since}"]
    found = [InputError(path, None, None, message) for path in paths if Path(path).is_dir()]
    return found, [] if found else ["nothing was checked: there is no Kubernetes object in the input"]
