"""What is to be judged, and what was read of it, in numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pullguard.core.inputs.files import STDIN_NAME, Located
from pullguard.core.inputs.problems import InputError
from pullguard.judging.target_namespaces import TargetNamespace


@dataclass(frozen=True, slots=True)
class JudgingInput:
    """What is to be judged.

    Attributes:
        files: The files, and what is wrong with others, with their places in the input, in its order.
        target: The namespace that their objects go to.
        labels: The labels of Namespaces by their names, whatever the files say of them.
    """

    files: Sequence[tuple[int, Located | InputError]]
    target: TargetNamespace
    labels: Mapping[str, Mapping[str, str]]


@dataclass(slots=True)
class InputSummary:
    """What was read.

    Attributes:
        read: The files that could be read, in the order of the input.
        documents: How many documents they hold, broken and empty ones too.
        objects: How many Kubernetes objects those hold.
        on_stdin: How many of them came from standard input.
        ambiguous: The names of Namespaces that the input has with different labels, sorted.
    """

    read: list[str] = field(default_factory=list)
    documents: int = 0
    objects: int = 0
    on_stdin: int = 0
    ambiguous: Sequence[str] = ()

    def add(self, name: str, documents: int, objects: int) -> None:
        """Count a file."""
        self.read.append(name)
        self.documents += documents
        self.objects += objects
        self.on_stdin += objects if name == STDIN_NAME else 0

    def add_built(self, names: Sequence[str], objects: int) -> None:
        """Count files that were read to build objects."""
        self.read += names
        self.objects += objects
