"""The cluster as a fixture, one per pytest session."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from local_cluster import requirements
from local_cluster.api import Client, Kubectl
from local_cluster.control_plane import ControlPlane, control_plane
from local_cluster.controllers import CLEANING, controllers
from local_cluster.gatekeeper import GROUPS, USER, Gatekeeper, gatekeeper
from local_cluster.isolation import isolated

#: A user without rights, until a test grants some.
READER = "reader"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster without nodes and without controllers for pods, with Gatekeeper next to it.

    Attributes:
        plane: etcd and the API server.
        gatekeeper: Gatekeeper.
        kubectl: The administrator's kubectl.
        client: The administrator's connection.
    """

    plane: ControlPlane
    gatekeeper: Gatekeeper
    kubectl: Kubectl
    client: Client


@pytest.fixture(scope="session")
def cluster(checkout: Path) -> Iterator[Cluster]:
    """Yield a cluster with Gatekeeper, without any template."""
    binaries = checkout / ".tools" / "bin"
    with ExitStack() as stack:
        try:
            requirements.check(
                binaries, (*requirements.CONTROL_PLANE, *requirements.GATEKEEPER), requirements.CONTROL_PLANE_PACKAGES
            )
            folder = stack.enter_context(isolated())
        except requirements.CannotRunError as error:
            cannot_run(error)
        plane = stack.enter_context(
            control_plane(
                binaries,
                folder,
                users={USER: GROUPS, READER: ()},
                # Also disable the plugin that taints new Nodes: nothing here would mark them as ready.
                options={
                    "disable-admission-plugins": "ServiceAccount,TaintNodesByCondition",
                    # The library also has MutatingAdmissionPolicies for older API servers.
                    "runtime-config": (
                        "admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true"
                    ),
                },
            )
        )
        manifest = binaries.parent / "manifests" / "gatekeeper.yaml"
        keeper = stack.enter_context(gatekeeper(plane, manifest))
        # Start the garbage collector after Gatekeeper, so that the kinds that own others already exist.
        stack.enter_context(controllers(plane, folder, CLEANING))
        yield Cluster(plane, keeper, plane.kubectl(), stack.enter_context(closing(plane.client())))


def cannot_run(error: requirements.CannotRunError) -> NoReturn:
    """Skip the tests that need a cluster; fail if CI requires all tests to run."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error))
    pytest.skip(str(error))
