"""The names of files in a patch, which `git apply` and `patch -p1` find: relative to one folder, without `..`."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class PatchBase:
    """The folder that a patch has to be applied in.

    Attributes:
        folder: The folder.
        is_elsewhere: Whether it is not the working directory.
        is_repository: Whether it is the top of a git repository, and git must be told that the names begin there.
    """

    folder: Path
    is_elsewhere: bool
    is_repository: bool

    def name_of(self, file: Path) -> str:
        """Return the name of a file in a patch."""
        return os.path.relpath(file, self.folder)


def patch_base(files: Sequence[Path], working_directory: Path) -> PatchBase:
    """Return the folder that a patch of files has to be applied in: the working directory if it holds all of them.

    Else it is the top of the git repository around the working directory, or what all files have in common.

    Args:
        files: Absolute paths without links.
        working_directory: An absolute path.
    """
    here = working_directory.resolve()
    if all(file.is_relative_to(here) for file in files):
        return PatchBase(here, is_elsewhere=False, is_repository=False)
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    if top is not None and all(file.is_relative_to(top) for file in files):
        return PatchBase(top, is_elsewhere=top != here, is_repository=True)
    common = Path(os.path.commonpath([file.parent for file in files]))
    return PatchBase(common, is_elsewhere=True, is_repository=False)
