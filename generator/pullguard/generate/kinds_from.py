"""What `generate --kinds-from` does: definitions of custom resources -> entries for customKinds."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pullguard.cluster.snapshot import Kind, from_cluster, require_one_source
from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.findings import Location
from pullguard.core.inputs.files import find_files
from pullguard.core.inputs.problems import InputError
from pullguard.engine.inputs import Inputs
from pullguard.engine.protocol import Engine
from pullguard.library import policies
from pullguard.library.found_kinds import GROUP, KIND, Definitions, FoundKind


@dataclass(frozen=True, slots=True)
class KindsReport:
    """What was found in definitions.

    Attributes:
        definitions: How many definitions were read.
        kinds: The kinds, by group and kind.
        errors: What could not be read.
        patches: Where patches of definitions stand, which were passed over.
    """

    definitions: int
    kinds: tuple[FoundKind, ...]
    errors: tuple[InputError, ...]
    patches: tuple[Location, ...] = ()

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, else 0."""
        return 2 if self.errors else 0


def kinds_from(
    paths: Sequence[str] = (),
    *,
    kubeconfig: str | None = None,
    context: str | None = None,
    stdin: BinaryIO | None = None,
) -> KindsReport:
    """Find where custom resources use images, by their definitions.

    Args:
        paths: Files and folders that hold definitions, "-" for stdin; empty: those of the live cluster.
        kubeconfig: The file; None: what kubectl uses by itself.
        context: The context in it; None: the current one.
        stdin: What "-" reads.

    Raises:
        PullguardError: There is no definition in the input, both files and a cluster are named, or the cluster cannot
            be read.
    """
    require_one_source(paths, kubeconfig, context)
    read = Definitions()
    with Engine() as engine:
        sources = policies.read(Path(resources.rego_directory()), engine)
        if paths:
            for found in Inputs(engine, find_files(paths), stdin=stdin, kinds=[f"{GROUP}/{KIND}"]):
                if isinstance(found, InputError):
                    read.errors.append(found)
                else:
                    read.add(found.file, found.line(), found.document, found.object)
        else:
            asked = Kind(GROUP, KIND, "customresourcedefinitions")
            snapshot = from_cluster(engine, [asked], kubeconfig=kubeconfig, context=context)
            read.errors += [
                InputError(snapshot.source, None, None, f"{kind} could not be read: {reason}")
                for kind, reason in snapshot.unreadable.items()
            ]
            for stored in snapshot.stored[KIND]:
                read.add(stored.file, None, None, stored.object)
    if not read.number and not read.errors:
        raise PullguardError(
            f"there is no {KIND} in the input",
            remedy="name files with some, or dump them with `kubectl get customresourcedefinitions -o json`",
        )
    return KindsReport(read.number, read.kinds(sources.policies), tuple(read.errors), tuple(read.patches))
