"""The namespace that objects go to, where they do not decide that."""

import re
from dataclasses import dataclass
from typing import Any

from pullguard.core.errors import PullguardError

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def is_placeholder(namespace: str) -> bool:
    """Tell whether no Namespace can have a name: something is to be put there before the manifest is applied."""
    return not _NAMESPACE.fullmatch(namespace)


@dataclass(frozen=True, slots=True)
class TargetNamespace:
    """The namespace of objects that state none, or a placeholder; "" = not known.

    Raises:
        PullguardError: No Namespace can have this name: nothing would ever be found in it.
    """

    name: str

    def __post_init__(self) -> None:
        """Refuse what is not a name."""
        if self.name and is_placeholder(self.name):
            raise PullguardError(
                f"--namespace {self.name} is not a name of a Namespace", remedy="see where it comes from"
            )

    def with_namespace(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Return an object that states a placeholder with the namespace that it goes to."""
        metadata = obj.get("metadata")
        if not isinstance(metadata, dict):
            return obj
        stated = metadata.get("namespace")
        if isinstance(stated, str) and stated and is_placeholder(stated):
            return {**obj, "metadata": {**metadata, "namespace": self.name}}
        return obj
