"""How kustomizations and charts are built, as users state it.

The engine starts when the options are read, and importing dataclasses would take as long as all that comes before.
"""

import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

#: Which kustomizations are built: those that no other one uses, each, or none.
Kustomizations = Literal["roots", "each", "off"]


class ChartOptions(NamedTuple):
    """What charts are rendered with, as `helm template` has it.

    Attributes:
        values: Files of values.
        settings: Values as --set has them.
        kube_version: The version of Kubernetes; "": a current one.
        api_versions: API versions that the cluster has besides.
        release_name: The name of the release; "": that of `helm template`.
    """

    values: Sequence[str] = ()
    settings: Sequence[str] = ()
    kube_version: str = ""
    api_versions: Sequence[str] = ()
    release_name: str = ""

    def stated(self) -> list[str]:
        """Return the options that are stated, as users write them."""
        names = ("--values", "--set", "--kube-version", "--api-versions", "--release-name")
        return [name for name, value in zip(names, self, strict=True) if value]

    def as_json(self, namespace: str) -> dict[str, Any]:
        """Return the options as the protocol of the engine has them."""
        return {
            "values": [os.path.abspath(file) for file in self.values],  # noqa: PTH100 - as elsewhere
            "set": list(self.settings),
            "kubeVersion": self.kube_version,
            "apiVersions": list(self.api_versions),
            "releaseName": self.release_name,
            "namespace": namespace,
        }


class BuildOptions(NamedTuple):
    """How kustomizations and charts are built.

    Attributes:
        kustomizations: Which of them are.
        charts: What charts are rendered with.
    """

    kustomizations: Kustomizations = "roots"
    charts: ChartOptions = ChartOptions()
