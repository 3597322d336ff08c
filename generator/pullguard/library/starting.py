"""A configuration to start with, and its JSON Schema beside it."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pullguard.core.errors import PullguardError
from pullguard.core.text_files import replace_file
from pullguard.library.policies.model import Policy
from pullguard.library.render import SCHEMA_FILE, schema_text, starting_configuration


def starting_files(path: Path, policies: Sequence[Policy]) -> dict[Path, str]:
    """Return the texts of a commented configuration and, before it, of its schema, by their files.

    Args:
        path: The configuration's file.
        policies: The policies that it can speak of.
    """
    return {path.with_name(SCHEMA_FILE): schema_text(policies), path: starting_configuration(policies)}


def write_new(files: Mapping[Path, str]) -> None:
    """Write the files of `starting_files`. A schema that is there already may stay.

    Raises:
        PullguardError: One is there already (the schema may be, if it is the same), or cannot be written.
    """
    wanted = {file: text.encode("utf-8") for file, text in files.items()}
    same = {
        file
        for file, data in wanted.items()
        if file.name == SCHEMA_FILE and file.is_file() and file.read_bytes() == data
    }
    taken = [str(file) for file in wanted if file not in same and os.path.lexists(file)]
    if taken:
        raise PullguardError(
            f"{' and '.join(taken)} would be overwritten", remedy="name another file, or remove what is there first"
        )
    for file in (file for file in wanted if file not in same):
        _write(file, wanted[file])


def _write(file: Path, data: bytes) -> None:
    try:
        replace_file(file, data)
    except OSError as error:
        raise PullguardError(f"cannot be written ({error.strerror})", file=str(file)) from error
