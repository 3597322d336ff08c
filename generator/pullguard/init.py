"""What the command `init` does: a configuration to start with."""

import os
from dataclasses import dataclass
from pathlib import Path

from pullguard.core import resources
from pullguard.core.errors import PullguardError
from pullguard.core.text_files import replace_file
from pullguard.engine.protocol import Engine
from pullguard.library import policies
from pullguard.library.render import SCHEMA_FILE, schema_text, starting_configuration


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
    result = InitResult(path, path.with_name(SCHEMA_FILE))
    wanted = {
        result.schema: schema_text(sources.policies).encode("utf-8"),
        result.config: starting_configuration(sources.policies).encode("utf-8"),
    }
    if result.schema.is_file() and result.schema.read_bytes() == wanted[result.schema]:
        del wanted[result.schema]
    taken = [str(file) for file in wanted if os.path.lexists(file)]
    if taken:
        raise PullguardError(
            f"{' and '.join(taken)} would be overwritten", remedy="name another file, or remove what is there first"
        )
    for file, content in wanted.items():
        _write(file, content)
    return result


def _write(file: Path, content: bytes) -> None:
    try:
        replace_file(file, content)
    except OSError as error:
        raise PullguardError(f"cannot be written ({error.strerror})", file=str(file)) from error
