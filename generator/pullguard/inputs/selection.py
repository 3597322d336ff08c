"""Which of the files in folders are read: without those that are excluded, or only those that have changed."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pullguard.errors import PullguardError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

#: What the names of manifests end with.
EXTENSIONS = (".yaml", ".yml", ".json")

_TIMEOUT = 60.0

# A repository is input, and its configuration may name programs.
_GIT = ("git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")


@dataclass(slots=True)
class Selection:
    """Which files are read.

    Attributes:
        exclude: Patterns as in .gitignore, for paths below a folder that is named.
        changed_since: A commit of git: only files that differ from it are read; "" reads all.
        extensions: What the names of files in folders end with.
    """

    exclude: Sequence[str] = ()
    changed_since: str = ""
    extensions: tuple[str, ...] = EXTENSIONS
    _patterns: "GitIgnoreSpec | None" = field(default=None, init=False)
    _changed: dict[str, frozenset[str]] = field(default_factory=dict, init=False)

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

    def has_changed(self, path: Path) -> bool:
        """Tell whether a file is to be read for what git says of it.

        Raises:
            PullguardError: git cannot say so.
        """
        if not self.changed_since:
            return True
        file = os.path.realpath(path)
        folder = os.path.dirname(file)
        root = next((root for root in self._changed if f"{file}/".startswith(f"{root}/")), None)
        if root is None:
            root = self._git(folder, "rev-parse", "--show-toplevel").rstrip("\n")
            self._changed[root] = self._changes(root)
        return file in self._changed[root]

    def _changes(self, root: str) -> frozenset[str]:
        """Return the files of a repository that differ from the commit at which its history left that of the commit."""
        commit = self._git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{self.changed_since}^{{commit}}"
        )
        base = self._git(root, "merge-base", commit.strip(), "HEAD").strip()
        differing = self._git(
            root, "diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--diff-filter=d", base, "--"
        )
        untracked = self._git(root, "ls-files", "--others", "--exclude-standard", "-z")
        names = [name for name in f"{differing}{untracked}".split("\0") if name]
        return frozenset(os.path.realpath(os.path.join(root, name)) for name in names)

    def _git(self, folder: str, *arguments: str) -> str:
        import subprocess  # noqa: PLC0415 - importing it takes time

        remedy = "name a commit of the repository; in CI, fetch it first (`git fetch origin main`)"
        try:
            done = subprocess.run(
                [*_GIT, "-C", folder or ".", *arguments], capture_output=True, check=False, timeout=_TIMEOUT
            )
        except FileNotFoundError as error:
            raise PullguardError("--changed-since needs git, which is not there", remedy="install git") from error
        except subprocess.TimeoutExpired as error:
            raise PullguardError("git did not answer in time", remedy="see whether `git status` works") from error
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())
            raise PullguardError(
                f"--changed-since {self.changed_since}: {said or 'there is no such commit'}", remedy=remedy
            )
        return os.fsdecode(done.stdout)


#: Everything.
ALL = Selection()
