"""Fixtures: the real programs, the checkout, and the shared corpus where there is one."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the folder that holds rego/, library/ and this folder."""
    return CHECKOUT


def _tool(name: str) -> Path:
    path = CHECKOUT / ".tools" / "bin" / name
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: run `make tools`")
    return path


@pytest.fixture(scope="session")
def opa() -> Path:
    """Return the pinned OPA."""
    return _tool("opa")


@pytest.fixture(scope="session")
def gator() -> Path:
    """Return the pinned gator."""
    return _tool("gator")


@pytest.fixture(scope="session")
def conftest_binary() -> Path:
    """Return the pinned conftest."""
    return _tool("conftest")


def _shared(name: str) -> Path:
    path = CHECKOUT.parent / "shared" / name
    if not path.exists():
        pytest.skip(f"{name} is not part of the repository: it stands in a folder `shared` beside the checkout")
    return path


@pytest.fixture(scope="session")
def corpus() -> Path:
    """Return the folder of real manifests with the findings that are right for each."""
    return _shared("corpus")


@pytest.fixture(scope="session")
def image_defaults() -> Path:
    """Return the file of images with the pull policy that a real API server gave them."""
    return _shared("facts/image-defaults.json")
