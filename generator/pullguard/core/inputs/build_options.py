"""How kustomizations and charts are built, as users state it.

The engine starts when the options are read, and importing dataclasses would take as long as all that comes before.
"""

import os
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

#: Which kustomizations are built: those that no other one uses, each, or none.
Kustomizations = Literal["roots", "each", "off"]


#: The kinds of objects of Flux, k3s and Argo CD that install charts with values of their own, or hold values for some.
INSTALLERS = (
    "helm.toolkit.fluxcd.io/HelmRelease",
    "helm.cattle.io/HelmChart",
    "helm.cattle.io/HelmChartConfig",
    "argoproj.io/Application",
)


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


class Installation(NamedTuple):
    """How an object such as a HelmRelease installs a chart.

    Attributes:
        installer: The object, as it is shown to users.
        release_name: The name of the release.
        namespace: The namespace that it goes to; "" = not known.
        values: Absolute paths of files of values, and names of those that stand in objects, lowest precedence first.
        texts: The values that stand in objects, as YAML, by their names.
        settings: Values as --set has them.
    """

    installer: str
    release_name: str
    namespace: str
    values: tuple[str, ...]
    texts: tuple[tuple[str, str], ...]
    settings: tuple[str, ...]

    def as_json(self, options: ChartOptions) -> dict[str, Any]:
        """Return it as the protocol of the engine has it; of the options of users, those about the cluster count."""
        about_the_cluster = ChartOptions(kube_version=options.kube_version, api_versions=options.api_versions)
        own = {"values": self.values, "set": self.settings, "releaseName": self.release_name}
        return about_the_cluster.as_json(self.namespace) | own


class BuildOptions(NamedTuple):
    """How kustomizations and charts are built.

    Attributes:
        kustomizations: Which of them are.
        charts: What charts are rendered with.
    """

    kustomizations: Kustomizations = "roots"
    charts: ChartOptions = ChartOptions()
