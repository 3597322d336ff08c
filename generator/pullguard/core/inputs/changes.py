"""What has changed since a commit, as git says of the repository of the working directory."""

import os
import re
import subprocess
from dataclasses import dataclass

from pullguard.core import systems
from pullguard.core.errors import PullguardError

_TIMEOUT = 60.0
_SUBMODULE = "160000 "

# More options for git: a change must not bring its own repository, nor a program that runs.
_SETTINGS = {
    "safe.bareRepository": "explicit",
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
}
# What git may learn from the environment: its own location, the user, and how far up to look for a repository.
_PASSED_ON = (*systems.VARIABLES, "XDG_CONFIG_HOME", "GIT_CEILING_DIRECTORIES")
_OWN = {
    "LC_ALL": "C",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ALLOW_PROTOCOL": "",
}
_FILTER = re.compile(r"filter\..*\.(?:clean|smudge|process)", re.DOTALL)
_GIT_REMEDY = "name a commit of the repository; in CI, fetch it first (`git fetch origin main`)"


@dataclass(frozen=True, slots=True)
class Changes:
    """What has changed in the repository of the working directory.

    Attributes:
        root: Its folder.
        files: Files that differ, or are new.
        repositories: Repositories inside it: what has changed there is not for this one to say.
    """

    root: str
    files: frozenset[str]
    repositories: tuple[str, ...]

    def has(self, file: str) -> bool:
        """Tell whether a file has changed; one of a repository inside may have.

        Raises:
            PullguardError: It is outside of the repository.
        """
        if not f"{file}{os.sep}".startswith(f"{self.root.rstrip(os.sep)}{os.sep}"):
            raise PullguardError(
                f"--changed-since asks the repository of the working directory, {self.root}, which does not hold it",
                file=file,
                remedy="run pullguard in the repository of the file",
            )
        return file in self.files or file.startswith(self.repositories)


def changes(since: str) -> Changes:
    """Return what differs from the commit at which the branch left another one.

    The repository is that of the working directory: a folder of a change may look like a repository too.

    Raises:
        PullguardError: git cannot say so.
    """
    git = _Git(since)
    inside, root = git("rev-parse", "--is-inside-git-dir", "--show-toplevel").rstrip("\n").split("\n", 1)
    if inside != "false":
        raise PullguardError("--changed-since: the working directory is that of git itself", remedy="leave it")
    git.disable_filters()
    commit = git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{since}^{{commit}}").strip()
    base = git("merge-base", commit, "HEAD").strip()
    compare = ("diff", "--name-only", "-z", "--no-ext-diff", "--no-textconv", "--no-renames", "--no-relative")
    differing = git(*compare, "--ignore-submodules=all", "--diff-filter=d", base, "--")
    untracked = git("ls-files", "--others", "--exclude-standard", "--full-name", "-z", "--", ":/")
    staged = git("ls-files", "--stage", "--full-name", "-z", "--", ":/")
    submodules = [line.partition("\t")[2] for line in staged.split("\0") if line.startswith(_SUBMODULE)]
    names = [name for name in f"{differing}{untracked}".split("\0") if name]
    inner = [*submodules, *(name for name in names if name.endswith("/"))]
    return Changes(
        os.path.realpath(root),
        frozenset(os.path.realpath(os.path.join(root, name)) for name in names),
        tuple(os.path.realpath(os.path.join(root, name)) + os.sep for name in inner),
    )


class _Git:
    """git in the working directory; it runs no program that a repository names.

    Args:
        since: What --changed-since says, for messages.
    """

    def __init__(self, since: str) -> None:
        self._since = since
        self._settings = dict(_SETTINGS)

    def disable_filters(self) -> None:
        """Have no filter run, whatever .gitattributes ask for: a file that one would change counts as changed."""
        for name in self("config", "--list", "--name-only", "-z").split("\0"):
            if _FILTER.fullmatch(name):
                self._settings[name] = ""
                self._settings[f"{name.rpartition('.')[0]}.required"] = "false"

    def __call__(self, *arguments: str) -> str:
        """Return what git writes.

        Raises:
            PullguardError: It fails.
        """
        git = systems.which("git")
        if git is None:
            raise PullguardError("--changed-since needs git, which is not there", remedy="install git")
        environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | _OWN
        environment["GIT_CONFIG_COUNT"] = str(len(self._settings))
        for number, (name, value) in enumerate(self._settings.items()):
            environment[f"GIT_CONFIG_KEY_{number}"] = name
            environment[f"GIT_CONFIG_VALUE_{number}"] = value
        try:
            done = subprocess.run(
                [git, *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
                timeout=_TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            raise PullguardError("git did not answer in time", remedy="see whether `git status` works") from error
        if done.returncode:
            said = " ".join(done.stderr.decode(errors="replace").split())
            raise PullguardError(
                f"--changed-since {self._since}: {said or 'there is no such commit'}", remedy=_GIT_REMEDY
            )
        return os.fsdecode(done.stdout)
