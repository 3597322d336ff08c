"""What `pullguard discover` says."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pullguard.core.inputs.problems import InputError
from pullguard.library.found_kinds import FoundKind

Severity = Literal["high", "medium", "low"]

#: How much depends on a namespace, from the most on.
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low")


@dataclass(frozen=True, slots=True)
class Shown:
    """What shows a reason.

    Attributes:
        object: The object, as KIND/NAMESPACE/NAME or KIND/NAME.
        detail: What of it; "" if there is no more to say.
    """

    object: str
    detail: str


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a namespace should be protected.

    Attributes:
        reason: The name of the reason, such as "cni".
        severity: How much depends on it.
        title: The reason in words: what the namespace does.
        shown: What shows it, sorted.
    """

    reason: str
    severity: Severity
    title: str
    shown: tuple[Shown, ...]


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace that something depends on.

    Attributes:
        name: Its name.
        severity: The highest of its reasons.
        protected: What protects it: "configuration", "constraints".
        assumed: What may protect it: labels decide, and they are not known.
        reasons: From the highest severity on.
    """

    name: str
    severity: Severity
    protected: tuple[str, ...]
    assumed: tuple[str, ...]
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class CustomKind:
    """A kind of custom resources that use images.

    Attributes:
        found: The kind, and where its objects use images.
        policies: The policies that have no entry for it in the configuration; empty for a kind that is known.
        stated: Those that have one.
    """

    found: FoundKind
    policies: tuple[str, ...]
    stated: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The group and the kind."""
        return f"{self.found.group}/{self.found.kind}"


@dataclass(frozen=True, slots=True)
class DiscoverReport:
    """What `pullguard discover` found.

    Attributes:
        source: Where the snapshot comes from.
        severity: From which severity on namespaces count.
        configuration: The configuration; None if there is none.
        namespaces: From the highest severity on, then by name.
        kinds: The custom kinds that use images, by group and kind.
        unreadable: The kinds that could not be read, with reasons.
        errors: What could not be read in files.
        notes: What was taken for granted.
        written: The configuration to which what is new was added; None: nothing was written.
    """

    source: str
    severity: Severity
    configuration: Path | None
    namespaces: tuple[Namespace, ...]
    kinds: tuple[CustomKind, ...]
    unreadable: Mapping[str, str]
    errors: tuple[InputError, ...]
    notes: tuple[str, ...]
    written: Path | None = None

    def counts(self, namespace: Namespace) -> bool:
        """Tell whether a namespace has a reason that counts."""
        return SEVERITIES.index(namespace.severity) <= SEVERITIES.index(self.severity)

    @property
    def new_namespaces(self) -> tuple[Namespace, ...]:
        """The namespaces that count, and that nothing is known to protect."""
        return tuple(each for each in self.namespaces if self.counts(each) and not each.protected)

    @property
    def new_kinds(self) -> tuple[CustomKind, ...]:
        """The custom kinds that a policy has no entry for."""
        return tuple(kind for kind in self.kinds if kind.policies)

    @property
    def exit_code(self) -> int:
        """2 if something could not be read, 1 if something is new and was not written, else 0."""
        if self.errors or self.unreadable:
            return 2
        return int(self.written is None and bool(self.new_namespaces or self.new_kinds))
