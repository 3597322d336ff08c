"""Measures `pullguard check` on charts and kustomizations against `helm template` and `kustomize build` in a loop.

    bench/builds.py [--charts N] [--kustomizations N] [--turns N] [FOLDER]

FOLDER holds charts in helm/ and kustomizations in kustomize/; kustomize-sources.json lists the folders of kustomize/ to
build. The default is ../shared/charts next to the checkout. The folders are copied until there are enough. The programs
run in turns, measured from process start to exit, and the best turn counts. pullguard also judges the output, and
reports where each finding is decided, for which it builds again.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import cycle, islice
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PULLGUARD = [sys.executable, "-m", "pullguard", "check", "--library", str(CHECKOUT / "library"), "--everywhere"]


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("folder", nargs="?", type=Path, default=CHECKOUT.parent / "shared" / "charts")
    options.add_argument("--charts", type=int, default=100)
    options.add_argument("--kustomizations", type=int, default=300)
    options.add_argument("--turns", type=int, default=2)
    chosen = options.parse_args()
    sources = json.loads((chosen.folder / "kustomize-sources.json").read_text(encoding="utf-8"))
    write("| what | program | seconds | times as fast |")
    write("|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        charts = copies(sorted((chosen.folder / "helm").iterdir()), Path(name, "charts"), chosen.charts)
        compare(f"{len(charts)} charts", charts, ["helm", "template", "release"], chosen.turns)
        targets = [chosen.folder / "kustomize" / source["target"] for source in sources]
        folders = copies(targets, Path(name, "kustomize"), chosen.kustomizations)
        built = [folder / source["build"] for folder, source in zip(folders, cycle(sources), strict=False)]
        compare(f"{len(built)} kustomizations", built, ["kustomize", "build"], chosen.turns)


def copies(sources: Sequence[Path], folder: Path, number: int) -> list[Path]:
    """Copy folders until there are as many as wanted."""
    made = []
    for place, source in enumerate(islice(cycle(sources), number)):
        made.append(folder / f"{place}-{source.name}")
        shutil.copytree(source, made[-1], symlinks=True)
    return made


def compare(what: str, folders: Sequence[Path], command: Sequence[str], turns: int) -> None:
    """Print how long it takes to check the folders, and to build them one after the other."""
    program = str(CHECKOUT / ".tools" / "bin" / command[0])

    def loop() -> None:
        for folder in folders:
            run([program, *command[1:], str(folder)])

    measured = [(timed(lambda: run([*PULLGUARD, *map(str, folders)])), timed(loop)) for _ in range(turns)]
    own, other = (min(seconds) for seconds in zip(*measured, strict=True))
    write(f"| {what} | pullguard | {own:.2f} | {other / own:.1f} |")
    write(f"| {what} | {' '.join(command[:2])} | {other:.2f} | 1 |")


def run(command: Sequence[str]) -> None:
    """Run a program to its end, whatever its exit code: findings and failed builds are expected."""
    environment = {
        **os.environ,
        "HELM_CACHE_HOME": os.devnull,
        "HELM_CONFIG_HOME": os.devnull,
        "HELM_DATA_HOME": os.devnull,
    }
    subprocess.run(command, capture_output=True, check=False, env=environment)


def timed(work: Callable[[], None]) -> float:
    """Return how many seconds a function takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def write(line: str) -> None:
    """Print a line immediately."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
