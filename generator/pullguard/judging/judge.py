"""`pullguard check`: manifests in, a report out; what is a violation is for the engines to say."""

import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

from pullguard.core.errors import PullguardError
from pullguard.core.findings import Finding, Problem, Report, Violation, finding, fingerprinted, merged
from pullguard.core.gatekeeper import ConstraintTemplate, Summary, dig, group_of
from pullguard.core.inputs.files import STDIN_NAME, Found, Stdin, chunks, find_files
from pullguard.core.inputs.homes import Homes
from pullguard.core.inputs.limits import DEFAULT_LIMITS, Limits
from pullguard.core.inputs.lists import Manifest
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import ALL, Selection
from pullguard.core.progress import Progress
from pullguard.core.resources import find_tool, rego_directory
from pullguard.engine import process
from pullguard.engine.batches import Answer, Batch, Engine, Failure, judged
from pullguard.engine.checker import BATCH_OBJECTS, Checker
from pullguard.judging.kustomizations import KUSTOMIZATIONS, namespaces
from pullguard.judging.sources import CheckerSource, Judged, Place, PythonSource
from pullguard.library import ruleset

#: The programs that can judge, by name.
ENGINES = ("opa", "conftest")


# Each batch is one start of the engine, some hundredths of a second, and the engine needs some twenty times the
# size of a batch as memory: megabytes make the one small and keep the other bounded, however large the input is.
_BATCH_BYTES = 4_000_000
_BATCH_OBJECTS = 4_000

T = TypeVar("T")


def check(
    paths: Sequence[str],
    *,
    library: str | None = None,
    engine: str = "opa",
    opa: str | None = None,
    everywhere: bool = False,
    namespace: str = "",
    stdin: BinaryIO | None = None,
    progress: bool = False,
    selection: Selection = ALL,
    limits: Limits = DEFAULT_LIMITS,
    namespace_labels: str | None = None,
) -> Report:
    """Judge manifests by a library of ConstraintTemplates and constraints.

    Args:
        paths: Files and folders; "-" is stdin.
        library: The folder of the library, or "builtin". None: ./library if pullguard wrote it, else the builtin one.
        engine: One of ENGINES.
        opa: The opa binary, as a user states it. None: pullguard-check, which has OPA in it, or else pullguard's own.
        everywhere: Judge objects in all namespaces, whatever the constraints say of namespaces.
        namespace: The namespace of objects that state none. "" is not known: all constraints select them.
        stdin: What "-" reads.
        progress: Show a progress bar on a terminal when it takes longer than a second.
        selection: Which of the files in folders are read.
        limits: What is beyond them is an error.
        namespace_labels: A file with the labels of Namespaces; see `pullguard.judging.namespace_labels`.

    Returns:
        The report. What cannot be read or judged among the manifests is an error in it.

    Raises:
        PullguardError: The library or the engine cannot be used.
    """
    program = process.find() if engine == "opa" and opa is None else None
    rules = ruleset.choose(library, everywhere=everywhere, bundled=program is not None)
    found = list(find_files(paths, selection))
    homes = Homes(namespace, namespaces(found))
    with ExitStack() as stack:
        if any(isinstance(path, Stdin) for path in found):
            stdin = _kept(sys.stdin.buffer if stdin is None and sys.stdin is not None else stdin, stack)
        bar = stack.enter_context(Progress(None, "objects", show=progress))
        source: PythonSource | CheckerSource
        if program is None:
            engines = _engines(engine, opa, rules.source, stack)
            run = _Run(engines, rules.policies, homes, _BATCH_OBJECTS)
            source = PythonSource(found, stdin, limits)
        else:
            checker = _checker(program, rules.source, limits, stack)
            run = _Run([checker], rules.policies, homes, BATCH_OBJECTS)
            source = CheckerSource(
                checker,
                found,
                stdin,
                limits=limits,
                home=homes.of,
                take=run.take,
                note=run.note_namespace,
                advance=bar.advance,
            )
        stack.callback(run.close)
        if namespace_labels is not None:
            from pullguard.judging.namespace_labels import load  # noqa: PLC0415 - seldom needed

            for name, labels in load(namespace_labels).items():
                run.state_namespace(name, labels)
        run.judge(bar.counted(source))
        run.has_stdin |= source.has_stdin
        run.judge_again()
        if program is not None:
            checker.finish()
        findings = run.findings()
        others = _other_tools(findings, found, stdin, opa) if run.has_suspects else ()
    errors, notes = _nothing_checked(paths, found, run, source.objects, selection)
    return Report(
        findings=fingerprinted(findings),
        errors=(*run.errors(), *errors),
        files=len(source.names),
        documents=source.documents,
        objects=source.objects,
        library=rules.library,
        notes=(
            *rules.notes,
            *run.notes(),
            *notes,
            *others,
            *_not_rendered(findings),
        ),
        rules=rules.rules,
        unused=rules.unused,
        read=tuple(source.names),
        doubt=rules.doubt,
    )


def _kept(stream: BinaryIO | None, stack: ExitStack) -> BinaryIO | None:
    """Return a file with all that a stream gives, which can be read more than once, by other processes as well.

    Raises:
        PullguardError: It could not be kept whole: less of it would look like less to find.
    """
    import tempfile  # noqa: PLC0415 - standard input is not always read

    if stream is None:
        return None
    waiting = chunks(stream)
    try:
        kept = stack.enter_context(tempfile.TemporaryFile())  # noqa: SIM115 - the stack is one
        while True:
            try:
                chunk = next(waiting, None)
            except OSError as error:
                return _FailingStream(error)
            if chunk is None:
                break
            kept.write(chunk)
        kept.seek(0)
    except OSError as error:
        raise PullguardError(
            f"standard input could not be kept in a temporary file ({error.strerror})",
            remedy="free space, or name a folder with more of it in the variable TMPDIR",
        ) from error
    return kept


class _FailingStream(io.BytesIO):
    """A stream that could not be read to its end; reading it says so again."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self._error = error

    def read(self, _size: int | None = -1, /) -> bytes:
        raise self._error


def _checker(program: str, rules: ruleset.Bundled | ruleset.Loaded, limits: Limits, stack: ExitStack) -> Checker:
    """Start pullguard-check; it ends with the stack."""
    if isinstance(rules, ruleset.Bundled):
        checker = Checker(process.command(program, (rules.folder,), limits.document, limits.depth), [rules.data])
    else:
        from pullguard.core.programs import private_folder  # noqa: PLC0415
        from pullguard.engine.groups import groups  # noqa: PLC0415 - a bundle needs none of them

        folder = stack.enter_context(private_folder())
        found = groups(rules.templates, rules.constraints)
        for index, group in enumerate(found):
            group.write(folder / str(index), rego_directory() / "gatekeeper")
        folders = tuple(
            f"{folder / str(index)}{'=v0' if group.version == 'v0' else ''}" for index, group in enumerate(found)
        )
        checker = Checker(
            process.command(program, folders, limits.document, limits.depth), [group.data() for group in found]
        )
    stack.callback(checker.stop)
    return checker


def _engines(name: str, opa: str | None, rules: ruleset.Bundled | ruleset.Loaded, stack: ExitStack) -> list[Engine]:
    """Return an engine for each group of templates; their files go with the stack."""
    from pullguard.core.programs import private_folder  # noqa: PLC0415
    from pullguard.engine.conftest import conftest  # noqa: PLC0415 - pullguard-check needs none of them
    from pullguard.engine.groups import groups  # noqa: PLC0415
    from pullguard.engine.opa_batch import opa_batch  # noqa: PLC0415

    program = find_tool(name, opa if name == "opa" else None)
    folder = stack.enter_context(private_folder())
    make = conftest if name == "conftest" else opa_batch
    engines: list[Engine] = []
    if isinstance(rules, ruleset.Bundled):
        raise TypeError(rules)  # only pullguard-check asks for one
    for index, group in enumerate(groups(rules.templates, rules.constraints)):
        own = folder / f"group-{index}"
        own.mkdir()
        engines.append(make(program, group, folder=own, rego=rego_directory()))
    return engines


def _other_tools(
    findings: Sequence[Finding], found: Sequence[Found], stdin: BinaryIO | None, opa: str | None
) -> tuple[str, ...]:
    """Return what findings say of other tools, from a second look at the inputs, which is seldom needed."""
    from pullguard.core.inputs import Inputs  # noqa: PLC0415
    from pullguard.judging.pull_policy_drift import changed_pods  # noqa: PLC0415 - seldom needed

    if stdin is not None:
        stdin.seek(0)
    return changed_pods(findings, Inputs((), found=found, stdin=stdin), find_tool("opa", opa))


@dataclass(frozen=True, slots=True)
class _Item:
    """An object on its way to the engines.

    Attributes:
        place: Its place among all objects and errors of the input.
        manifest: The object.
    """

    place: Place
    manifest: Manifest


class _Run:
    """What one run has found so far, by place in the input."""

    def __init__(
        self,
        engines: Sequence[Engine],
        policies: Mapping[str, Summary | ConstraintTemplate],
        homes: Homes,
        batch_objects: int,
    ) -> None:
        self.has_stdin = False
        self.has_suspects = False
        self._engines = engines
        self._policies = policies
        self._homes = homes
        self._batch_objects = batch_objects
        self._findings: dict[Place, list[Finding]] = {}
        self._errors: dict[Place, Problem] = {}
        self._namespaces: dict[str, Mapping[str, Any] | None] = {}
        self._stated: set[str] = set()
        self._spool: IO[str] | None = None

    def close(self) -> None:
        """Remove what was put aside."""
        if self._spool is not None:
            self._spool.close()

    def findings(self) -> list[Finding]:
        """Return all findings in the order of the input."""
        return [found for place in sorted(self._findings) for found in merged(self._findings[place])]

    def errors(self) -> list[Problem]:
        """Return all errors in the order of the input."""
        return [self._errors[place] for place in sorted(self._errors)]

    def notes(self) -> list[str]:
        """Return what users should know of the Namespaces in the input."""
        return [
            f"the input has Namespaces {name} with different labels, so none of them was used"
            for name, obj in sorted(self._namespaces.items())
            if obj is None
        ]

    def judge(self, source: Iterable[tuple[Place, Manifest | InputError]]) -> None:
        """Judge all objects, as if no Namespace were known: none may come before the last one is read."""
        work = (
            (items, Batch(texts, {}, namespace)) for items, texts, namespace in self._bounded(self._objects(source))
        )
        for items, answers in judged(self._engines, work):
            for item, answer in zip(items, answers, strict=True):
                self.take(item.place, item.manifest, answer)

    def judge_again(self) -> None:
        """Judge again what has a finding for want of its Namespace, if that was in the input."""
        for places, answers in judged(self._engines, self._with_namespaces(self._aside())):
            for place, answer in zip(places, answers, strict=True):
                if isinstance(answer, Answer):
                    self._keep(place, answer)

    def take(self, place: Place, manifest: Manifest | Judged, answer: Answer | Failure) -> None:
        """Note the findings of an object; one that its Namespace may acquit is put aside."""
        self.has_stdin |= manifest.file == STDIN_NAME
        if isinstance(answer, Failure):
            self._fail(place, manifest, answer.message)
            return
        found = [
            finding(
                Violation(
                    self._policies[response.policy],
                    response.constraint,
                    response.action,
                    response.message,
                    response.details,
                    response.namespace_assumed,
                ),
                manifest,
                answer.namespace,
            )
            for response in answer.responses
        ]
        if not found:
            return
        if dig(manifest.object, "metadata", "ownerReferences") and not self.has_suspects:
            from pullguard.judging.pull_policy_drift import is_suspicious  # noqa: PLC0415 - seldom needed

            self.has_suspects = any(is_suspicious(each) for each in found)
        if answer.namespace and any(response.namespace_assumed for response in answer.responses):
            self._findings[place] = found
            self._put_aside(place, answer.namespace, manifest)
        else:
            self._findings[place] = merged(found)

    def state_namespace(self, name: str, labels: Mapping[str, Any]) -> None:
        """Take the labels of a Namespace as given, whatever the input says of it."""
        self._namespaces[name] = _namespace(name, labels)
        self._stated.add(name)

    def note_namespace(self, name: str, labels: Mapping[str, Any]) -> None:
        """Note that the input has a Namespace."""
        if name in self._stated:
            return
        namespace = _namespace(name, labels)
        if self._namespaces.setdefault(name, namespace) != namespace:
            self._namespaces[name] = None

    def _objects(self, source: Iterable[tuple[Place, Manifest | InputError]]) -> Iterator[tuple[_Item, str, str]]:
        """Yield the objects of the input as JSON; note its errors and its Namespaces."""
        for place, manifest in source:
            self.has_stdin |= manifest.file == STDIN_NAME
            if isinstance(manifest, InputError):
                self._errors[place] = Problem(manifest.file, manifest.line, manifest.document, manifest.message)
                continue
            self._note_if_namespace(manifest.object)
            try:
                home = self._homes.of(manifest.file)
                text = _json(home.moved(manifest.object))
            except (ValueError, RecursionError) as error:
                self._fail(place, manifest, f"it cannot be written as JSON ({error})")
            else:
                yield _Item(place, manifest), text, home.namespace

    def _put_aside(self, place: Place, namespace: str, manifest: Manifest | Judged) -> None:
        if self._spool is None:
            import tempfile  # noqa: PLC0415 - seldom needed

            self._spool = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115 - close() closes it
        home = self._homes.of(manifest.file)
        head = json.dumps([place, namespace, home.namespace])
        self._spool.write(f"{head}\n{_json(home.moved(manifest.object))}\n")

    def _aside(self) -> Iterator[tuple[tuple[Place, str], str, str]]:
        """Yield the objects that were put aside and whose Namespace was in the input."""
        if self._spool is None:
            return
        self._spool.seek(0)
        for line in self._spool:
            place, namespace, home = json.loads(line)
            text = next(self._spool)
            if self._namespaces.get(namespace) is not None:
                yield (tuple(place), namespace), text.rstrip("\n"), home

    def _with_namespaces(
        self, entries: Iterable[tuple[tuple[Place, str], str, str]]
    ) -> Iterator[tuple[list[Place], Batch]]:
        for heads, texts, namespace in self._bounded(entries):
            known = {name: obj for _, name in heads if (obj := self._namespaces[name]) is not None}
            yield [place for place, _ in heads], Batch(texts, known, namespace)

    def _keep(self, place: Place, answer: Answer) -> None:
        """Keep the findings of an object that its constraints still have, now that its Namespace is known."""
        left = {(self._policies[response.policy].policy, (response.constraint,)) for response in answer.responses}
        self._findings[place] = [
            replace(found, namespace_assumed=False)
            for found in self._findings[place]
            if (found.policy, found.constraints) in left
        ]

    def _note_if_namespace(self, obj: Mapping[str, Any]) -> None:
        name = dig(obj, "metadata", "name")
        if obj.get("kind") == "Namespace" and not group_of(obj) and isinstance(name, str):
            labels = dig(obj, "metadata", "labels")
            self.note_namespace(name, labels if isinstance(labels, dict) else {})

    def _fail(self, place: Place, manifest: Manifest | Judged, reason: str) -> None:
        kind, name = manifest.object.get("kind"), dig(manifest.object, "metadata", "name")
        message = f"{kind} {name} could not be judged: {reason}"
        self._errors[place] = Problem(manifest.file, manifest.line(), manifest.document, message)

    def _bounded(self, entries: Iterable[tuple[T, str, str]]) -> Iterator[tuple[list[T], list[str], str]]:
        """Gather entries of one namespace until their texts are as much as a batch may hold; a larger one stands alone.

        Entries are heads, texts, and the namespace of objects that state none.
        """
        heads: list[T] = []
        texts: list[str] = []
        size, batch_namespace = 0, ""
        for head, text, namespace in entries:
            is_full = size + len(text) > _BATCH_BYTES or len(texts) == self._batch_objects
            if texts and (is_full or namespace != batch_namespace):
                yield heads, texts, batch_namespace
                heads, texts, size = [], [], 0
            batch_namespace = namespace
            heads.append(head)
            texts.append(text)
            size += len(text)
        if texts:
            yield heads, texts, batch_namespace


def _namespace(name: str, labels: Mapping[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}


def _json(obj: Mapping[str, Any]) -> str:
    return json.dumps(obj, allow_nan=False, separators=(",", ":"))


def _nothing_checked(
    paths: Sequence[str], files: Sequence[Found], run: _Run, objects: int, selection: Selection
) -> tuple[list[Problem], list[str]]:
    """Return the errors and notes of an input without any object: success would be a lie.

    An empty pipe is what is left of a command that failed, and a folder without objects is the wrong folder;
    but a file that was named may be one that is empty for now.
    """
    message = "nothing was checked: there is no Kubernetes object in it"
    found = []
    if any(isinstance(file, Stdin) for file in files) and not run.has_stdin:
        found.append(Problem(STDIN_NAME, None, None, message))
    if objects or run.errors() or found:
        return found, []
    if selection.changed_since:
        return [], [f"nothing was checked: no manifest has changed since {selection.changed_since}"]
    found = [Problem(path, None, None, message + _kustomize(path, files)) for path in paths if Path(path).is_dir()]
    return found, [] if found else ["nothing was checked: there is no Kubernetes object in the input"]


def _kustomize(folder: str, files: Sequence[Found]) -> str:
    """Return how to check a folder whose kustomization names what is elsewhere."""
    inside = (file for file in files if isinstance(file, Path) and file.is_relative_to(folder))
    if not any(file.name in KUSTOMIZATIONS for file in inside):
        return ""
    return f"; check what its kustomization makes: `kustomize build {folder} | pullguard check -`"


def _not_rendered(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what findings about the text of templates say: quoted, that is YAML all the same."""
    texts = ((found.file, f"{found.image}{dig(found.details, 'stated')}") for found in findings)
    files = sorted({file for file, text in texts if "{{" in text})
    if files:
        from pullguard.core.inputs.documents import rendering  # noqa: PLC0415 - seldom needed

        yield from (
            f"{file} looks like a template that is not rendered; render it first: `{rendering(file)}`" for file in files
        )
