"""Fixtures: the real programs, the checkout, small libraries, and manifests with their expected findings."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

import small_library
from policy_tree import write_tree
from pullguard.engine.protocol import Engine
from pullguard.generate.command import generate
from pullguard.library import policies
from twins import Workbench

pytest_plugins = ("browser_page", "local_cluster.fixtures", "repositories")

# The time of an example depends more on the load of the machine than on the code; bench/ measures time.
settings.register_profile("without deadlines", deadline=None)
settings.load_profile("without deadlines")

# A shell without job control starts background programs with SIGINT ignored, and nohup ignores SIGHUP. Child processes
# inherit ignored signals, but not handlers. With these handlers, a hangup under nohup ends the programs that tests
# start, but not pytest.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)

CHECKOUT = Path(__file__).resolve().parent.parent
_OWN_CORPUS = CHECKOUT / "tests" / "data" / "corpus"


@pytest.fixture(scope="session", autouse=True)
def _kubectl_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what kubectl remembers of servers out of the home directory, where it would outlive them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECACHEDIR", str(tmp_path_factory.mktemp("kubectl-cache")))
        yield


@pytest.fixture(scope="session")
def checkout() -> Path:
    """Return the folder that holds rego/, library/ and this folder."""
    return CHECKOUT


def _tool(name: str) -> Path:
    path = CHECKOUT / ".tools" / "bin" / name
    if not os.access(path, os.X_OK):
        pytest.fail(f"{path} is missing: run `make tools`")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder, which is the working directory of the test."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def engine_program() -> Path:
    """Return pullguard-engine."""
    return _tool("pullguard-engine")


@pytest.fixture(scope="session")
def opa(engine_program: Path) -> tuple[str, ...]:
    """Return the command line of OPA's own commands."""
    return str(engine_program), "opa"


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """Yield a running engine, for reading only."""
    with Engine() as running:
        yield running


@pytest.fixture(scope="session")
def gator() -> Path:
    """Return the pinned gator."""
    return _tool("gator")


@pytest.fixture(scope="session")
def regal() -> Path:
    """Return the pinned Regal."""
    return _tool("regal")


@pytest.fixture(scope="session")
def conftest_binary() -> Path:
    """Return the pinned conftest."""
    return _tool("conftest")


@pytest.fixture(scope="module")
def workbench(opa: tuple[str, ...], engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    """Return the policies, with OPA for their Rego and Kubernetes' own code for their CEL."""
    return Workbench(
        opa=opa,
        program=_tool("admission"),
        rego=CHECKOUT / "library/conftest/policy",
        policies={policy.name: policy for policy in policies.read(CHECKOUT / "rego", engine).policies},
        folder=tmp_path_factory.mktemp("workbench"),
    )


@pytest.fixture(scope="session", params=["own", "real"])
def corpus(request: pytest.FixtureRequest) -> Path:
    """Return a folder of manifests with their expected findings: first our own, then those of real projects."""
    if request.param == "own":
        return _OWN_CORPUS
    path = CHECKOUT.parent / "shared" / "corpus"
    if not path.exists():
        pytest.skip("manifests of other projects are not part of the repository: put them into ../shared/corpus")
    return path


@pytest.fixture(scope="session")
def hard() -> Path:
    """Return the folder of small, tricky and broken manifests; hard-expected.json next to it has what is expected."""
    return _OWN_CORPUS / "hard"


@pytest.fixture(scope="session")
def image_defaults() -> Mapping[str, str]:
    """Return images, each with the pull policy that a real API server gave it."""
    table: dict[str, str] = json.loads((CHECKOUT / "tests/data/image_defaults.json").read_text("utf-8"))["images"]
    return table


@pytest.fixture(scope="session")
def image_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a generated library with only the policies about pull policies and pinning."""
    folder = tmp_path_factory.mktemp("image-library")
    return small_library.generate_library(folder, CHECKOUT, "protected_image_pinning", "protected_pull_policy")


@pytest.fixture(scope="session")
def gatekeeper_manifest(checkout: Path) -> Path:
    """Return the install manifest of the Gatekeeper version that gator is built from."""
    path = checkout / ".tools" / "manifests" / "gatekeeper.yaml"
    if not path.is_file():
        pytest.fail(f"{path} is missing: run `make tools`")
    return path


@pytest.fixture
def run() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs a program with a timeout."""

    def run_program(
        program: Path | str, *arguments: Path | str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [str(program), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=env)

    return run_program


@pytest.fixture(scope="session")
def kubectl() -> str:
    """Return the pinned kubectl if it has been built, or else the installed one."""
    built = CHECKOUT / ".tools" / "bin" / "kubectl"
    found = str(built) if built.exists() else shutil.which("kubectl")
    if found is None:
        message = "kubectl is neither built nor installed: run `make cluster-tools`"
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that generates the library of a configuration, from the small tree or another."""

    def make_library(text: str, *changes: dict[str, str | None], rego: Path | None = None) -> Path:
        (tmp_path / "pullguard.yaml").write_text(text, "utf-8")
        out = tmp_path / "library"
        generate(tmp_path / "pullguard.yaml", out, rego=rego or write_tree(tmp_path, *changes))
        return out

    return make_library
