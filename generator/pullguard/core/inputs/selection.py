"""Which of the files in folders are read: without those that are excluded, or only those that have changed."""

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pullguard.core.errors import PullguardError

if TYPE_CHECKING:
    from pathlib import Path

    from pathspec import GitIgnoreSpec

    from pullguard.core.inputs.changes import Changes

#: What the names of manifests end with.
EXTENSIONS = (".yaml", ".yml", ".json")
#: What may follow where they are templates.
TEMPLATE = ".tmpl"


class Selection:
    """Which files are read.

    Attributes:
        exclude: Patterns as in .gitignore, for paths below a folder that is named.
        changed_since: A commit of git: only files that differ from it are read; "" reads all.
        extensions: What the names of files in folders end with.
        names: Names of files that are read besides.
    """

    def __init__(
        self,
        exclude: Sequence[str] = (),
        changed_since: str = "",
        extensions: tuple[str, ...] = EXTENSIONS,
        names: tuple[str, ...] = (),
    ) -> None:
        self.exclude = exclude
        self.changed_since = changed_since
        self.extensions = extensions
        self.names = names
        self._patterns: GitIgnoreSpec | None = None
        self._changes: Changes | None = None

    def takes(self, name: str) -> bool:
        """Tell whether files of a name are read."""
        return name.lower().removesuffix(TEMPLATE).endswith(self.extensions) or name in self.names

    def excludes(self, path: str, *, is_folder: bool) -> bool:
        """Tell whether a path, relative to the folder that was named, is excluded."""
        if not self.exclude:
            return False
        if self._patterns is None:
            from pathspec import GitIgnoreSpec  # noqa: PLC0415 - seldom needed

            try:
                self._patterns = GitIgnoreSpec.from_lines(self.exclude)
            except ValueError as error:
                raise PullguardError(f"--exclude: {error}", remedy="write it as in .gitignore") from error
        return self._patterns.match_file(f"{path}/" if is_folder else path)

    def has_changed(self, path: "Path") -> bool:
        """Tell whether a file is to be read for what git says of it.

        Raises:
            PullguardError: git cannot say so.
        """
        if not self.changed_since:
            return True
        if self._changes is None:
            from pullguard.core.inputs.changes import changes  # noqa: PLC0415 - seldom needed

            self._changes = changes(self.changed_since)
        return self._changes.has(os.path.realpath(path))


#: Everything.
ALL = Selection()
