"""The images that the objects of a live cluster use."""

from dataclasses import dataclass, field

from pullguard.cluster.discovery import listable
from pullguard.cluster.judged_pages import judged_pages
from pullguard.cluster.kubectl import RefusedList, connected
from pullguard.core.errors import PullguardError
from pullguard.core.gatekeeper import dig
from pullguard.core.inputs.problems import InputError, from_exception
from pullguard.engine.batches import Failure
from pullguard.engine.files import FileEnd, JudgedObject
from pullguard.engine.protocol import Engine
from pullguard.engine.queries import modules, query
from pullguard.images.uses import NamedUse, uses_in


@dataclass(frozen=True, slots=True)
class LiveUses:
    """What a cluster uses.

    Attributes:
        source: The cluster, for people.
        uses: The uses in the order of the lists.
        errors: What could not be read.
        objects: How many objects were read.
    """

    source: str
    uses: tuple[NamedUse, ...]
    errors: tuple[InputError, ...]
    objects: int


@dataclass(slots=True)
class _List:
    """What was found in a list since it was last started."""

    begun: int
    uses: list[NamedUse] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    objects: int = 0


def of_cluster(engine: Engine, *, kubeconfig: str | None, context: str | None, kubectl: str | None) -> LiveUses:
    """Return the uses of images in all objects of a cluster that may name one; Secrets are not read.

    Args:
        engine: The engine, with the setup of `pullguard.images.uses.group`.
        kubeconfig: The kubeconfig; None: kubectl's own choice.
        context: The context in it; None: the current one.
        kubectl: The kubectl binary; None: the one on PATH.

    Raises:
        PullguardError: The cluster cannot be read.
    """
    lists: dict[str, _List] = {}
    with connected(kubeconfig=kubeconfig, context=context, program=kubectl) as cluster:
        found = listable(cluster)
        errors = [_error(cluster.source, error) for error in found.errors]
        skipped = query(engine, modules({"images": ["known"]}), "data.images.known.skipped", {})
        paths = [each.path for each in found.listed if each.kind not in skipped.get(each.group, ())]
        for each in judged_pages(cluster, engine, paths, {}):
            if isinstance(each, RefusedList):
                # A kind that was removed after the cluster listed it has no objects.
                if not each.error.not_found:
                    errors.append(_error(each.path, each.error))
                continue
            page, said = each
            own = lists.setdefault(page.path, _List(page.begun))
            if page.begun > own.begun:
                own = lists[page.path] = _List(page.begun)
            if page.begun == own.begun:
                _take(own, page.path, said)
        source = cluster.source
    return LiveUses(
        source,
        tuple(use for path in paths if path in lists for use in lists[path].uses),
        (*errors, *(error for own in lists.values() for error in own.errors)),
        sum(own.objects for own in lists.values()),
    )


def _take(own: _List, path: str, said: JudgedObject | InputError | FileEnd) -> None:
    if isinstance(said, FileEnd):
        own.objects += said.objects
    elif isinstance(said, InputError):
        own.errors.append(InputError(path, None, None, f"the API server's answer cannot be read: {said.message}"))
    elif isinstance(said.answer, Failure):
        name = dig(said.object, "metadata", "name")
        own.errors.append(InputError(path, None, None, f"{name} could not be looked at: {said.answer.message}"))
    else:
        own.uses += uses_in(said.answer, said, list_name=path)


def _error(file: str, error: PullguardError) -> InputError:
    return InputError(file, None, None, from_exception(error).message)
