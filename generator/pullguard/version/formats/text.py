"""What pullguard consists of as text, for people and for reports of faults."""

from collections.abc import Iterator
from typing import TextIO

from pullguard.core.formats.text import printable
from pullguard.version.model import EngineVersion, LibraryVersion, VersionReport

# The libraries in the engine that decide what it says, as users know them.
_LIBRARIES = {
    "OPA": "github.com/open-policy-agent/opa",
    "kustomize": "sigs.k8s.io/kustomize/api",
    "Helm": "helm.sh/helm/v3",
    "Kubernetes": "k8s.io/apimachinery",
}
_WIDTH = 12


def write(report: VersionReport, stream: TextIO) -> None:
    """Write a line for each part, then notes and errors."""
    stream.writelines(printable(f"{name:<{_WIDTH}} {value}") + "\n" for name, value in _parts(report))
    stream.writelines(printable(f"Note: {note}") + "\n" for note in report.notes)
    stream.writelines(printable(f"Error: {error}") + "\n" for error in report.errors)


def _parts(report: VersionReport) -> Iterator[tuple[str, str]]:
    yield "pullguard", f"{report.pullguard} ({report.package})"
    yield "Python", f"{report.python} on {report.platform}"
    if report.engine is not None:
        yield from _engine(report.engine)
    if report.library is not None:
        yield from _library(report.library)
    for name, version in report.extras.items():
        yield name, version or "not installed"
    for name, path in report.programs.items():
        yield name, path or "not found"


def _engine(engine: EngineVersion) -> Iterator[tuple[str, str]]:
    yield "engine", f"{engine.version or 'unknown'} for {engine.platform}, {engine.go} ({engine.path})"
    for name, module in _LIBRARIES.items():
        yield f"  {name}", engine.modules.get(module, "unknown")


def _library(library: LibraryVersion) -> Iterator[tuple[str, str]]:
    digest = f"sha256:{library.manifest}" if library.manifest else "not written by pullguard"
    yield "library", f"{library.shown}, {digest} ({library.folder})"
    for policy in library.policies:
        yield "", f"{policy.name} {policy.version or 'without a version'}"
