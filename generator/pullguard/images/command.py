"""`pullguard images`: the images that an input uses. What is an image, and how sure that is, Rego says."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from typing import BinaryIO

from pullguard.cluster.snapshot import require_one_source
from pullguard.core.findings import Unjudged
from pullguard.core.inputs.build_options import INSTALLERS, BuildOptions
from pullguard.core.inputs.problems import InputError
from pullguard.core.inputs.selection import ALL, Selection
from pullguard.engine.protocol import Engine
from pullguard.images.model import SURENESSES, ImagesReport, Sureness, images_of
from pullguard.images.uses import NamedUse, UseCollector, group
from pullguard.images.values import uses_in_values
from pullguard.judging.judge import collect


def images(
    paths: Sequence[str] = (),
    *,
    sure: Sureness = "likely",
    namespace: str = "",
    selection: Selection = ALL,
    builds: BuildOptions = BuildOptions(),  # noqa: B008 - a constant
    kubeconfig: str | None = None,
    context: str | None = None,
    kubectl: str | None = None,
    stdin: BinaryIO | None = None,
    progress: bool = False,
) -> ImagesReport:
    """List the images that files, charts and kustomizations use, or without any the objects of a live cluster.

    Args:
        paths: Files and folders; "-" is stdin.
        sure: Images that are less sure are left out.
        namespace: The namespace of objects that state none; "" = not known.
        selection: Which of the files in folders are read.
        builds: How kustomizations and charts are built.
        kubeconfig: The kubeconfig for a live cluster; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.
        stdin: What "-" reads.
        progress: Show a progress bar on a terminal when it takes longer than a second.

    Raises:
        PullguardError: A live cluster cannot be read, or the engine fails.
    """
    require_one_source(paths, kubeconfig, context)
    with Engine() as engine:
        engine.setup([group()], installers=INSTALLERS if paths else ())
        if not paths:
            from pullguard.images.live import of_cluster  # noqa: PLC0415 - seldom needed

            live = of_cluster(engine, kubeconfig=kubeconfig, context=context, kubectl=kubectl)
            return _report(live.uses, sure, source=live.source, errors=live.errors, objects=live.objects)
        collector = UseCollector()
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
                builds=builds,
            )
        engine.finish()
        uses = collector.uses
        named = {name for name, _ in uses}
        values, notes = uses_in_values(engine, run.builds.done)
    return _report(
        [*uses, *(each for each in values if each[0] not in named)],
        sure,
        source="the input",
        errors=(*collector.errors, *run.errors),
        unjudged=collector.unjudged.found((), namespace, ()),
        notes=(*run.notes, *notes),
        objects=run.read.objects,
    )


def _report(
    uses: Iterable[NamedUse],
    sure: Sureness,
    *,
    source: str,
    errors: Sequence[InputError],
    unjudged: Sequence[Unjudged] = (),
    notes: Sequence[str] = (),
    objects: int,
) -> ImagesReport:
    named = list(uses)
    found = images_of(use for use in named if use[0])
    wanted = SURENESSES[: SURENESSES.index(sure) + 1]
    numbers = {level: sum(image.sure == level for image in found) for level in SURENESSES if level not in wanted}
    return ImagesReport(
        source=source,
        sure=sure,
        images=tuple(image for image in found if image.sure in wanted),
        left_out=tuple((level, number) for level, number in numbers.items() if number),
        unresolved=tuple(dict.fromkeys(use for name, use in named if not name)),
        errors=tuple(errors),
        unjudged=tuple(unjudged),
        notes=tuple(notes),
        objects=objects,
    )
