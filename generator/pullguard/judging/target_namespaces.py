"""The namespaces that the objects of files go to, where the objects do not decide that."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pullguard.core.errors import PullguardError

_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def is_placeholder(namespace: str) -> bool:
    """Tell whether no Namespace can have a name: something is to be put there before the manifest is applied."""
    return not _NAMESPACE.fullmatch(namespace)


@dataclass(frozen=True, slots=True)
class TargetNamespace:
    """Where the objects of a file go.

    Attributes:
        name: The namespace of objects that state none, or a placeholder; "" = not known.
        replaces: It is also that of objects that state another one.
    """

    name: str
    replaces: bool

    def with_namespace(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Return an object that states a namespace with the one that it goes to."""
        metadata = obj.get("metadata")
        if not isinstance(metadata, dict):
            return obj
        stated = metadata.get("namespace")
        if isinstance(stated, str) and stated and (self.replaces or is_placeholder(stated)):
            return {**obj, "metadata": {**metadata, "namespace": self.name}}
        return obj


class TargetNamespaces:
    """Where the objects of files go.

    Args:
        namespace: The namespace of objects that state none; "" = not known.
        kustomized: The namespaces that kustomizations give to the objects of files, by the names of those.

    Raises:
        PullguardError: No Namespace can have this name: nothing would ever be found in it.
    """

    def __init__(self, namespace: str, kustomized: Mapping[str, str]) -> None:
        if namespace and not _NAMESPACE.fullmatch(namespace):
            raise PullguardError(f"--namespace {namespace} is no name of a Namespace", remedy="see where it comes from")
        self._default = TargetNamespace(namespace, replaces=False)
        self._kustomized = {file: TargetNamespace(own, replaces=True) for file, own in kustomized.items()}

    def of(self, file: str) -> TargetNamespace:
        """Return where the objects of a file go, by its name as it is shown to users."""
        return self._kustomized.get(file, self._default)
