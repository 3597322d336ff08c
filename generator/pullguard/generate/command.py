"""What the command `generate` does: rego/ and a configuration -> a library, written or compared."""

from dataclasses import dataclass
from pathlib import Path

from pullguard.core import resources
from pullguard.engine.protocol import Engine
from pullguard.library import config, policies, store
from pullguard.library.render import render


@dataclass(frozen=True, slots=True)
class GenerateResult:
    """What `generate` found or did.

    Attributes:
        out: The library's folder.
        files: How many files the library has, without its MANIFEST.
        difference: How the folder differed.
        only_compared: Whether it still differs; else what was missing is written, what was changed is replaced, and
            what was stale is removed.
        notes: What of the configuration is seldom meant, each with file and line.
    """

    out: Path
    files: int
    difference: store.Difference
    only_compared: bool
    notes: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """1 if the folder still differs, else 0."""
        return int(self.only_compared and bool(self.difference))


def generate(
    config_path: Path | None,
    out: Path,
    *,
    check: bool = False,
    rego: Path | None = None,
) -> GenerateResult:
    """Write the library of a configuration into a folder, or compare it with the folder.

    Args:
        config_path: The configuration; `pullguard.yaml` in the working directory if None.
        out: The library's folder.
        check: Whether to compare only, and write nothing.
        rego: The folder rego/, if not pullguard's own.

    Raises:
        PullguardError: The policies, the configuration or the folder are not as they have to be.
    """
    with Engine() as engine:
        sources = policies.read(rego or Path(resources.rego_directory()), engine)
        stated = config.load(engine, config_path or Path(config.DEFAULT_FILE), sources.policies)
    files = render(sources, stated)
    difference = store.compare(files, out) if check else store.write(files, out)
    return GenerateResult(out, len(files), difference, only_compared=check, notes=stated.notes)
