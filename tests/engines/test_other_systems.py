"""What works on Windows and macOS: every module can be imported, and commands run, without what these systems lack.

`make lint` has mypy check the package for both systems. Here, modules of pullguard see a standard library that lacks
what Windows' lacks, while the rest of the process, the engine, and paths are those of Linux.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

# Runs command lines as on another system. Its arguments: the system, a folder in the place of the checkout, and a file
# that is standard input. It reads command lines in JSON, and writes the exit code and the output of each.
_AS_ON = r'''
import importlib, io, json, os, pkgutil, signal, subprocess, sys, types
from contextlib import redirect_stderr, redirect_stdout, suppress

import networkx, opa_client.opa, pathspec  # they choose by the system when they are imported


def modules():
    import pullguard
    yield pullguard
    for each in pkgutil.walk_packages(pullguard.__path__, "pullguard."):
        with suppress(ModuleNotFoundError):  # of an optional dependency, or of what is missing below
            yield importlib.import_module(each.name)


def without(module, *names, **others):
    """Return a module for pullguard's eyes only: the standard library keeps its own."""
    fake = types.ModuleType(module.__name__)
    fake.__dict__.update({name: value for name, value in vars(module).items() if name not in names}, **others)
    sys.modules[module.__name__] = fake


class Popen(subprocess.Popen):
    """As on Windows."""

    def __init__(self, *arguments, preexec_fn=None, pass_fds=(), **options):
        if preexec_fn is not None or pass_fds:
            raise ValueError("preexec_fn and pass_fds are not supported on Windows")
        super().__init__(*arguments, **options)


system, checkout, stdin = sys.argv[1:]
all_names = [module.__name__ for module in modules()]
for name in [name for name in sys.modules if name.partition(".")[0] == "pullguard"]:
    del sys.modules[name]
missing_os = ["memfd_create"]
if system == "win32":
    missing_os += """
    O_CLOEXEC O_NONBLOCK O_NOFOLLOW O_DIRECTORY POSIX_SPAWN_DUP2 WNOHANG chown chroot fchown fork getegid geteuid getgid
    getpgid getuid kill killpg lchown mkfifo mknod nice posix_spawn posix_spawnp pread pwrite setsid statvfs uname
    """.split()
    missing_signals = "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pthread_sigmask".split()
    without(os, *missing_os, O_BINARY=0, O_NOINHERIT=os.O_CLOEXEC)
    without(signal, *missing_signals)
    without(subprocess, Popen=Popen)
    for name in ("fcntl", "grp", "pwd", "resource", "termios"):
        sys.modules[name] = None
else:
    without(os, *missing_os)
sys.platform = system
assert [module.__name__ for module in modules()] == all_names

from pullguard import cli
from pullguard.core import resources

resources._CHECKOUT = checkout
answers = []
for arguments in json.load(sys.stdin):
    sys.stdin = io.TextIOWrapper(open(stdin, "rb"))
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        code = cli.main(arguments)
    answers.append([code, *(stream.buffer.getvalue().decode() for stream in streams)])
print(json.dumps({"modules": all_names, "answers": answers}))
'''


_COMMANDS = {
    ("check", "--library", "builtin", "--output", "json", "deploy"): 1,
    ("check", "--library", "builtin", "-"): 1,
    ("fix", "--library", "builtin", "--diff", "deploy"): 1,
    ("test", "suites"): 0,
    ("outage", "cluster.yaml"): 1,
    ("explain", "pull-policy-always"): 0,
    ("generate", "--config", "pullguard.yaml", "--out", "library", "--check"): 0,
    ("check", "nowhere.yaml"): 2,
    ("check", "folder.yaml"): 2,
}


@pytest.mark.parametrize("system", ["win32", "darwin"])
def test_commands_say_what_they_say_on_linux(
    system: str, folder: Path, checkout: Path, engine_program: Path, gatekeeper_manifest: Path
) -> None:
    programs = folder / "checkout" / ".tools" / "bin"
    programs.mkdir(parents=True)
    (programs / f"pullguard-engine{'.exe' if system == 'win32' else ''}").symlink_to(engine_program)
    for name in ("rego", "library"):
        (folder / "checkout" / name).symlink_to(checkout / name)
    (folder / "library").symlink_to(checkout / "library")
    (folder / "deploy").mkdir()
    (folder / "folder.yaml").mkdir()
    manifest = shutil.copy(gatekeeper_manifest, folder / "deploy")
    shutil.copy(checkout / "pullguard.yaml", folder)
    shutil.copy(checkout / "tests" / "data" / "outage" / "cluster.yaml", folder)
    shutil.copytree(checkout / "library" / "policies" / "protected_pull_policy", folder / "suites")

    ended = subprocess.run(
        [sys.executable, "-c", _AS_ON, system, str(programs.parent.parent), manifest],
        input=json.dumps(list(_COMMANDS)),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (ended.stderr, ended.returncode) == ("", 0)
    found = json.loads(ended.stdout)
    package = checkout / "generator" / "pullguard"
    modules = {".".join(file.relative_to(package.parent).with_suffix("").parts) for file in package.rglob("*.py")}
    assert {module.removesuffix(".__init__") for module in modules} - set(found["modules"]) == set()
    for (arguments, expected), (code, output, errors) in zip(_COMMANDS.items(), found["answers"], strict=True):
        with Path(manifest).open() as stdin:
            linux = subprocess.run(
                [sys.executable, "-m", "pullguard", *arguments],
                stdin=stdin,
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
            )
        assert (errors, code) == (linux.stderr, expected), arguments
        assert _without_times(output) == _without_times(linux.stdout)
        assert linux.returncode == expected


def _without_times(output: str) -> str:
    return re.sub(r"[0-9.]+ s\b", "N s", output)
