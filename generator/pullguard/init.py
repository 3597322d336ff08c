"""What the command `init` does: a configuration to start with."""

from dataclasses import dataclass
from pathlib import Path

from pullguard.core import resources
from pullguard.engine.protocol import Engine
from pullguard.library import policies
from pullguard.library.render import SCHEMA_FILE
from pullguard.library.starting import starting_files, write_new


@dataclass(frozen=True, slots=True)
class InitResult:
    """What `init` wrote.

    Attributes:
        config: The configuration.
        schema: Its JSON Schema, beside it.
    """

    config: Path
    schema: Path


def init(path: Path, *, rego: Path | None = None) -> InitResult:
    """Write a commented configuration, and its JSON Schema beside it.

    Args:
        path: The configuration's file.
        rego: The folder rego/, if not pullguard's own.

    Raises:
        PullguardError: One of the files is there already (the schema may be, if it is the same), or cannot be written.
    """
    with Engine() as engine:
        sources = policies.read(rego or Path(resources.rego_directory()), engine)
    write_new(starting_files(path, sources.policies))
    return InitResult(path, path.with_name(SCHEMA_FILE))
