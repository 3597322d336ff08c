"""The cluster as a fixture: one for a session of pytest."""

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

#: A user who may do nothing until a test lets it.
READER = "reader"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster without nodes and pods' controllers, and Gatekeeper beside it.

    Attributes:
        plane: etcd and the API server.
        gatekeeper: Gatekeeper.
        kubectl: The administrator's.
        client: The administrator's.
    """

    plane: ControlPlane
    gatekeeper: Gatekeeper
    kubectl: Kubectl
    client: Client


@pytest.fixture(scope="session")
def cluster(checkout: Path) -> Iterator[Cluster]:
    """Return a cluster with Gatekeeper and none of its templates."""
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
                # As by default; and Nodes are not tainted when they are made: nobody would say that they are ready.
                options={
                    "disable-admission-plugins": "ServiceAccount,TaintNodesByCondition",
                    # The library has MutatingAdmissionPolicies for older API servers as well.
                    "runtime-config": (
                        "admissionregistration.k8s.io/v1beta1=true,admissionregistration.k8s.io/v1alpha1=true"
                    ),
                },
            )
        )
        manifest = binaries.parent / "manifests" / "gatekeeper.yaml"
        keeper = stack.enter_context(gatekeeper(plane, manifest))
        # After Gatekeeper, so that the kinds that own others are there already.
        stack.enter_context(controllers(plane, folder, CLEANING))
        yield Cluster(plane, keeper, plane.kubectl(), stack.enter_context(closing(plane.client())))


def cannot_run(error: requirements.CannotRunError) -> NoReturn:
    """Skip the tests that need a cluster; where everything must be tested, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(str(error))
    pytest.skip(str(error))
