"""`pullguard check`: manifests in, a report out; what is a violation is for the engines to say."""

import io
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, BinaryIO, TypeVar

from pullguard import ruleset
from pullguard.evaluate import programs
from pullguard.evaluate.batches import Answer, Batch, Engine, Failure, Group, groups, judged
from pullguard.evaluate.conftest import conftest
from pullguard.evaluate.opa_batch import opa_batch
from pullguard.findings import Finding, Problem, Report, Violation, finding, fingerprinted, merged
from pullguard.gatekeeper import ConstraintTemplate, dig, group_of
from pullguard.inputs import InputError, Inputs, Manifest
from pullguard.progress import Progress
from pullguard.resources import find_tool, rego_directory

#: The programs that can judge, by name.
ENGINES = ("opa", "conftest")

_STDIN_PATH = "-"
_STDIN = "<stdin>"

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
) -> Report:
    """Judge manifests by a library of ConstraintTemplates and constraints.

    Args:
        paths: Files and folders; "-" is stdin.
        library: The folder of the library. None: ./library if there is one, else the one in pullguard.
        engine: One of ENGINES.
        opa: The opa binary, as a user states it.
        everywhere: Judge objects in all namespaces, whatever the constraints say of namespaces.
        namespace: The namespace of objects that state none. "" is not known: all constraints select them.
        stdin: What "-" reads.
        progress: Show a progress bar on a terminal when it takes longer than a second.

    Returns:
        The report. What cannot be read or judged among the manifests is an error in it.

    Raises:
        PullguardError: The library or the engine cannot be used.
    """
    rules = ruleset.choose(library, everywhere=everywhere)
    program = find_tool(engine, opa if engine == "opa" else None)
    if stdin is None and sys.stdin is not None:
        stdin = sys.stdin.buffer
    stdin = None if stdin is None else _Remembered(stdin)
    inputs = Inputs(paths, stdin=stdin)
    with (
        programs.private_folder() as folder,
        tempfile.TemporaryFile("w+", encoding="ascii", dir=folder) as spool,
        Progress(None, "objects", show=progress) as bar,
    ):
        engines = [
            _engine(engine, program, group, folder / f"group-{index}", namespace)
            for index, group in enumerate(groups(rules.templates, rules.constraints))
        ]
        run = _Run(engines, {template.name: template for template in rules.templates}, spool)
        run.judge(bar.counted(inputs))
        run.judge_again()
    errors, notes = _nothing_checked(paths, run)
    findings = run.findings()
    return Report(
        findings=fingerprinted(findings),
        errors=(*run.errors(), *errors),
        files=inputs.files,
        documents=inputs.documents,
        objects=run.objects,
        library=rules.library,
        notes=(*rules.notes, *run.notes(), *notes, *_other_tools(findings, paths, stdin, opa)),
        rules=rules.rules,
        read=tuple(inputs.names),
    )


class _Remembered(io.BytesIO):
    """A stream that can be read as a whole, and again."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._source: BinaryIO | None = source

    def read(self, size: int | None = -1, /) -> bytes:
        """Return all of the stream, or its first bytes."""
        if self._source is not None:
            self.write(self._source.read())
            self._source = None
        self.seek(0)
        return super().read(size)


def _other_tools(
    findings: Sequence[Finding], paths: Sequence[str], stdin: BinaryIO | None, opa: str | None
) -> tuple[str, ...]:
    """Return what findings say of other tools, from a second look at the inputs, which is seldom needed."""
    from pullguard.changed_pods import changed_pods, is_suspicious  # noqa: PLC0415 - seldom needed

    if not any(is_suspicious(found) for found in findings):
        return ()
    return changed_pods(findings, Inputs(paths, stdin=stdin), find_tool("opa", opa))


def _engine(name: str, program: Path, group: Group, folder: Path, namespace: str) -> Engine:
    folder.mkdir()
    if name == "conftest":
        return conftest(program, group, folder=folder, rego=rego_directory(), namespace=namespace)
    return opa_batch(program, group, folder=folder, rego=rego_directory(), namespace=namespace)


@dataclass(frozen=True, slots=True)
class _Item:
    """An object on its way to the engines.

    Attributes:
        place: Its place among all objects and errors of the input.
        manifest: The object.
        text: The object as JSON.
    """

    place: int
    manifest: Manifest
    text: str


class _Run:
    """What one run has found so far, by place in the input."""

    def __init__(self, engines: Sequence[Engine], templates: Mapping[str, ConstraintTemplate], spool: IO[str]) -> None:
        self.objects = 0
        self.has_stdin = False
        self._engines = engines
        self._templates = templates
        self._findings: dict[int, list[Finding]] = {}
        self._errors: dict[int, Problem] = {}
        self._namespaces: dict[str, Mapping[str, Any] | None] = {}
        self._spool = spool

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

    def judge(self, inputs: Iterable[Manifest | InputError]) -> None:
        """Judge all objects, as if no Namespace were known: none may come before the last one is read."""
        work = ((items, Batch(texts, {})) for items, texts in _bounded(self._objects(inputs)))
        for items, answers in judged(self._engines, work):
            for item, answer in zip(items, answers, strict=True):
                if isinstance(answer, Failure):
                    self._fail(item.place, item.manifest, answer.message)
                elif answer.responses:
                    self._take(item, answer)

    def judge_again(self) -> None:
        """Judge again what has a finding for want of its Namespace, if that was in the input."""
        for places, answers in judged(self._engines, self._with_namespaces(self._put_aside())):
            for place, answer in zip(places, answers, strict=True):
                if isinstance(answer, Answer):
                    self._keep(place, answer)

    def _objects(self, inputs: Iterable[Manifest | InputError]) -> Iterator[tuple[_Item, str]]:
        """Yield the objects of the input as JSON; note its errors and its Namespaces."""
        for place, manifest in enumerate(inputs):
            self.has_stdin |= manifest.file == _STDIN
            if isinstance(manifest, InputError):
                self._errors[place] = Problem(manifest.file, manifest.line, manifest.document, manifest.message)
                continue
            self.objects += 1
            self._note_namespace(manifest.object)
            try:
                text = json.dumps(manifest.object, allow_nan=False, separators=(",", ":"))
            except (ValueError, RecursionError) as error:
                self._fail(place, manifest, f"it cannot be written as JSON ({error})")
            else:
                yield _Item(place, manifest, text), text

    def _put_aside(self) -> Iterator[tuple[tuple[int, str], str]]:
        """Yield the objects that were put aside and whose Namespace was in the input."""
        self._spool.seek(0)
        for line in self._spool:
            place, namespace = json.loads(line)
            text = next(self._spool)
            if self._namespaces.get(namespace) is not None:
                yield (place, namespace), text.rstrip("\n")

    def _with_namespaces(self, entries: Iterable[tuple[tuple[int, str], str]]) -> Iterator[tuple[list[int], Batch]]:
        for heads, texts in _bounded(entries):
            known = {name: obj for _, name in heads if (obj := self._namespaces[name]) is not None}
            yield [place for place, _ in heads], Batch(texts, known)

    def _take(self, item: _Item, answer: Answer) -> None:
        """Note the findings of an object; one that its Namespace may acquit is put aside."""
        found = [
            finding(
                Violation(
                    self._templates[response.policy],
                    response.constraint,
                    response.action,
                    response.message,
                    response.details,
                    response.namespace_assumed,
                ),
                item.manifest,
                answer.namespace,
            )
            for response in answer.responses
        ]
        if answer.namespace and any(response.namespace_assumed for response in answer.responses):
            self._findings[item.place] = found
            self._spool.write(f"{json.dumps([item.place, answer.namespace])}\n{item.text}\n")
        else:
            self._findings[item.place] = merged(found)

    def _keep(self, place: int, answer: Answer) -> None:
        """Keep the findings of an object that its constraints still have, now that its Namespace is known."""
        left = {(self._templates[response.policy].policy, (response.constraint,)) for response in answer.responses}
        self._findings[place] = [
            replace(found, namespace_assumed=False)
            for found in self._findings[place]
            if (found.policy, found.constraints) in left
        ]

    def _note_namespace(self, obj: Mapping[str, Any]) -> None:
        name = dig(obj, "metadata", "name")
        if obj.get("kind") != "Namespace" or group_of(obj) or not isinstance(name, str):
            return
        labels = dig(obj, "metadata", "labels")
        namespace = {
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": {"name": name, "labels": labels if isinstance(labels, dict) else {}},
        }
        if self._namespaces.setdefault(name, namespace) != namespace:
            self._namespaces[name] = None

    def _fail(self, place: int, manifest: Manifest, reason: str) -> None:
        kind, name = manifest.object.get("kind"), dig(manifest.object, "metadata", "name")
        message = f"{kind} {name} could not be judged: {reason}"
        self._errors[place] = Problem(manifest.file, manifest.line(), manifest.document, message)


def _bounded(entries: Iterable[tuple[T, str]]) -> Iterator[tuple[list[T], list[str]]]:
    """Gather entries until their texts are as much as a batch may hold; a larger one stands alone."""
    heads: list[T] = []
    texts: list[str] = []
    size = 0
    for head, text in entries:
        if texts and (size + len(text) > _BATCH_BYTES or len(texts) == _BATCH_OBJECTS):
            yield heads, texts
            heads, texts, size = [], [], 0
        heads.append(head)
        texts.append(text)
        size += len(text)
    if texts:
        yield heads, texts


def _nothing_checked(paths: Sequence[str], run: _Run) -> tuple[list[Problem], list[str]]:
    """Return the errors and notes of an input without any object: success would be a lie.

    An empty pipe is what is left of a command that failed, and a folder without objects is the wrong folder;
    but a file that was named may be one that is empty for now.
    """
    message = "nothing was checked: there is no Kubernetes object in it"
    found = []
    if _STDIN_PATH in paths and not run.has_stdin:
        found.append(Problem(_STDIN, None, None, message))
    if run.objects or run.errors() or found:
        return found, []
    found = [Problem(path, None, None, message) for path in paths if Path(path).is_dir()]
    return found, [] if found else ["nothing was checked: there is no Kubernetes object in the input"]
