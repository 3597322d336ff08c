"""Starting pullguard-check before anything else: it loads policies while Python still imports modules.

Nothing is imported here that takes time.
"""

import os

from pullguard.core import default_library
from pullguard.core.defaults import MAX_DEPTH, MAX_DOCUMENT

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_CHECKOUT = os.path.dirname(os.path.dirname(_PACKAGE))
_NAME = "pullguard-check"

#: Where the policies of a library stand, as a bundle for conftest has them.
POLICIES = "conftest/policy"

# With these, another program judges, or the limits are others.
_OTHERWISE = ("-h", "--help", "--engine", "--opa", "--max-")


class Child:
    """A process that pullguard talks to through pipes.

    Attributes:
        command: The program and its arguments.
        pid: The process.
        requests: The file descriptor of its standard input.
        answers: The file descriptor of its standard output.
    """

    __slots__ = ("answers", "command", "pid", "requests")

    def __init__(self, command: "tuple[str, ...]") -> None:
        self.command = command
        theirs, self.requests = os.pipe()
        self.answers, ours = os.pipe()
        try:
            self.pid = os.posix_spawn(
                command[0],
                command,
                os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 0), (os.POSIX_SPAWN_DUP2, ours, 1)],
            )
        except OSError:
            os.close(self.requests)
            os.close(self.answers)
            raise
        finally:
            os.close(theirs)
            os.close(ours)


_early: "list[Child]" = []


def start(arguments: "list[str]") -> None:
    """Start the program if the arguments of pullguard look as if it will be needed, for the library that they name."""
    if arguments[:1] != ["check"] or any(argument.startswith(_OTHERWISE) for argument in arguments):
        return
    program = find()
    library = _library(arguments)
    if program is not None and library is not None:
        try:
            _early.append(Child(command(program, (os.path.join(library, POLICIES),))))
        except OSError:
            return  # whoever needs it will say so


def child(wanted: "tuple[str, ...]") -> Child:
    """Return the process that runs a command: the one that was started early, or a new one.

    Raises:
        OSError: It cannot be started.
    """
    found = None
    while _early:
        early = _early.pop()
        if early.command == wanted:
            found = early
        else:
            discard(early)
    return found or Child(wanted)


def discard(unwanted: Child) -> None:
    """End a process that nobody asked for anything."""
    os.close(unwanted.requests)
    os.close(unwanted.answers)
    os.kill(unwanted.pid, 9)
    os.waitpid(unwanted.pid, 0)


def command(
    program: str, folders: "tuple[str, ...]", max_document: int = MAX_DOCUMENT, max_depth: int = MAX_DEPTH
) -> "tuple[str, ...]":
    """Return the program and the arguments that load the policies in folders."""
    return (program, f"-max-document={max_document}", f"-max-depth={max_depth}", *folders)


def find() -> "str | None":
    """Return the program: the one in the wheel, else in .tools/bin of the checkout, else on PATH; None if nowhere."""
    on_path = (os.path.join(folder, _NAME) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)
    for candidate in (os.path.join(_PACKAGE, "bin", _NAME), os.path.join(_CHECKOUT, ".tools", "bin", _NAME), *on_path):
        if os.access(candidate, os.X_OK) and os.path.isfile(candidate):
            return candidate
    return None


def packaged_library() -> "str | None":
    """Return the library that comes with pullguard; None if it is missing."""
    for candidate in (os.path.join(_PACKAGE, "data", "library"), os.path.join(_CHECKOUT, "library")):
        if os.path.isdir(candidate):
            return candidate
    return None


def _library(arguments: "list[str]") -> "str | None":
    stated = None
    for place, argument in enumerate(arguments):
        if argument == "--library":
            stated = "".join(arguments[place + 1 : place + 2])
        elif argument.startswith("--library="):
            stated = argument.partition("=")[2]
    if stated is None and default_library.is_own(default_library.DEFAULT):
        return default_library.DEFAULT
    return packaged_library() if stated in {None, default_library.BUILTIN} else stated
