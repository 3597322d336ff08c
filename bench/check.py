"""Measures `pullguard check` against `conftest test` and `gator test` with the same policies, and prints the ratios.

    bench/check.py [--megabytes N] [--turns N] [--large] [MANIFESTS]

Two inputs are hard on purpose: documents that all need the full parser, and the dump of a cluster in which some pods
say Always although the ReplicaSets that made them do not, so that pullguard has to look for their owners.

MANIFESTS is a folder of real manifests. The default is ../shared/corpus/real next to the checkout, or else the samples
of the library. Files at which conftest stops are left out, and the others are copied, each with its own names, until
there are enough. The programs run in turns, measured from process start to exit, and the best run counts. Memory is the
sum of the peaks of all processes of a run.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
PULLGUARD = [sys.executable, "-m", "pullguard", "check", "--library", "library"]
CONFTEST = ["conftest", "test", "-p", "library/conftest/policy", "-d", "library/conftest/data"]
GATOR = ["gator", "test"]
SEPARATOR = re.compile(r"(?m)^---.*\n")
NAME = re.compile(r'(?m)^(  name: *"?[a-zA-Z0-9.-]+)')
POLL_SECONDS = 0.02

# The first words of the errors with which conftest and gator stop.
STOPPED = (b"Error:", b"auditing objects:", b"reading:", b"adding data")


def main() -> None:
    """Measure, and print a table."""
    options = argparse.ArgumentParser()
    options.add_argument("manifests", nargs="?", type=Path)
    options.add_argument("--megabytes", type=int, default=50)
    options.add_argument("--turns", type=int, default=2, help="turns for the large inputs")
    options.add_argument("--large", action="store_true", help="also measure a gigabyte, with pullguard only")
    chosen = options.parse_args()
    shared = CHECKOUT.parent / "shared" / "corpus" / "real"
    source = chosen.manifests or (shared if shared.is_dir() else CHECKOUT / "rego" / "policies")
    everything = [path.read_text(encoding="utf-8") for path in sorted(source.resolve().rglob("*.y*ml"))]
    texts = readable(everything, command(CONFTEST))
    size = chosen.megabytes * 1_000_000
    write("| what | program | seconds | MB/s | peak MB |")
    write("|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = folder / "small.yaml"
        small.write_text(min((text for text in texts if "kind: Deployment" in text), key=len), encoding="utf-8")
        compare("a small file", small, turns=20)
        many = folder / "many"
        total = write_copies(many, texts, size)
        compare(f"{total / 1e6:.0f} MB in many files", many, turns=chosen.turns)
        one = folder / "one.yaml"
        with one.open("w", encoding="utf-8") as stream:
            for path in sorted(many.rglob("*.yaml")):
                stream.write(f"---\n{path.read_text(encoding='utf-8')}\n")
        compare(f"{one.stat().st_size / 1e6:.0f} MB in one file", one, turns=chosen.turns)
        hard = folder / "hard.yaml"
        write_hard(hard, texts, size // 4)
        compare(f"{hard.stat().st_size / 1e6:.0f} MB of what needs the full parser", hard, turns=chosen.turns)
        for changed in (0, 1, 500):
            dump = folder / "dump.json"
            write_dump(dump, size // 4, changed)
            compare(f"{dump.stat().st_size / 1e6:.0f} MB dump, {changed} pods changed", dump, turns=chosen.turns)
        few = folder / "few"
        total = write_copies(few, readable(texts, [*command(GATOR), *library()], ["-f"]), 1)
        compare(f"{total / 1e6:.1f} MB in many files", few, turns=2, gator=True)
        if chosen.large:
            for size in (250_000_000, 500_000_000, 1_000_000_000):
                large = folder / f"large-{size}.yaml"
                with large.open("w", encoding="utf-8") as stream:
                    copy = 0
                    while stream.tell() < size:
                        for text in texts:
                            stream.write(f"---\n{renamed(text, copy)}\n")
                        copy += 1
                row(f"{size / 1e6:.0f} MB in one file", "pullguard", *run([*PULLGUARD, str(large)]), size)
                large.unlink()
    write("\nCommand lines:\n")
    for arguments in (PULLGUARD, CONFTEST, GATOR):
        write(f"    {' '.join(arguments).replace(f'{sys.executable} -m ', '')} MANIFESTS")


def readable(texts: Sequence[str], arguments: Sequence[str], option: Sequence[str] = ()) -> list[str]:
    """Return the texts at which a program does not stop without a result."""
    found = []
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".yaml") as stream:
        for text in texts:
            stream.seek(0)
            stream.truncate()
            stream.write(text)
            stream.flush()
            done = subprocess.run([*arguments, *option, stream.name], cwd=CHECKOUT, capture_output=True, check=False)
            if not any(line.startswith(STOPPED) for line in done.stderr.splitlines()):
                found.append(text)
    return found


def renamed(text: str, copy: int) -> str:
    """Return a manifest whose names are unique to a copy."""
    return NAME.sub(lambda found: f"{found[1]}-{copy}", text)


def write_copies(folder: Path, texts: Sequence[str], size: int) -> int:
    """Write copies of texts to files until they have the given size. Return their size."""
    total = copy = 0
    while total < size:
        inside = folder / str(copy)
        inside.mkdir(parents=True)
        for number, text in enumerate(texts):
            total += (inside / f"{number}.yaml").write_text(renamed(text, copy), encoding="utf-8")
        copy += 1
    return total


def write_hard(file: Path, texts: Sequence[str], size: int) -> None:
    """Write documents with an anchor each until they have the given size."""
    documents = [document for text in texts for document in SEPARATOR.split(text) if "kind:" in document]
    with file.open("w", encoding="utf-8") as stream:
        copy = 0
        while stream.tell() < size:
            for document in documents:
                stream.write(f"---\nanchor: &a x\n{renamed(document, copy)}\n")
            copy += 1


def write_dump(file: Path, size: int, changed: int) -> None:
    """Write a List of pods and their ReplicaSets. `changed` pods say Always in a protected namespace."""
    items: list[dict[str, Any]] = []
    total = 0
    while total < size:
        number = len(items) // 4
        namespace = "kube-system" if number % 10 == 0 else f"team-{number % 7}"
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"web-{number}", "controller": True}
        container: dict[str, Any] = {
            "name": "web",
            "image": "registry.example.com/team/web:1.2.3",
            "imagePullPolicy": "IfNotPresent",
        }
        container["env"] = [{"name": f"VARIABLE_{each}", "value": "a value of some length"} for each in range(10)]
        template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container]}}
        replica_set = {"metadata": {"name": f"web-{number}", "namespace": namespace}, "spec": {"template": template}}
        items.append({"apiVersion": "apps/v1", "kind": "ReplicaSet", **replica_set})
        for each in range(3):
            own = dict(container)
            if namespace == "kube-system" and changed > 0:
                own["imagePullPolicy"] = "Always"
                changed -= 1
            metadata = {"name": f"web-{number}-{each}", "namespace": namespace, "ownerReferences": [owner]}
            rest = {"spec": {"nodeName": "one", "containers": [own]}, "status": {"phase": "Running"}}
            items.append({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, **rest})
        total += sum(len(json.dumps(item, indent=1)) for item in items[-4:])
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "List", "items": items}, indent=1), encoding="utf-8")


def compare(what: str, path: Path, *, turns: int, gator: bool = False) -> None:
    """Measure the programs in turns. Print a row for each, and a row with each ratio."""
    commands = {"pullguard": [*PULLGUARD, str(path)], "conftest": [*command(CONFTEST), str(path)]}
    if gator:
        commands["gator"] = [*command(GATOR), *library(), "-f", str(path)]
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.rglob("*.yaml")))
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, arguments in commands.items():
            found[name].append(run(arguments))
    best = {name: (min(time for time, _ in runs), max(memory for _, memory in runs)) for name, runs in found.items()}
    for name, (seconds, memory) in best.items():
        row(what, name, seconds, memory, size)
    for name in list(best)[1:]:
        seconds, memory = (ours / theirs for ours, theirs in zip(best["pullguard"], best[name], strict=True))
        write(f"| | pullguard / {name} | {seconds:.2f} | {1 / seconds:.1f} times | {memory:.2f} |")


def library() -> list[str]:
    """Return the options with which gator loads the policies of the bundle."""
    index = json.loads((CHECKOUT / "library" / "conftest" / "index.json").read_text(encoding="utf-8"))
    folders = [CHECKOUT / "library" / "policies" / name for name, entry in index.items() if not entry["needsCluster"]]
    return [f"-f={folder / name}" for folder in folders for name in ("template.yaml", "constraints.yaml")]


def row(what: str, name: str, seconds: float, memory: float, size: int) -> None:
    """Print a row of the table."""
    write(f"| {what} | {name} | {seconds:.3f} | {size / seconds / 1e6:.1f} | {memory / 1e6:.0f} |")


def command(arguments: Sequence[str]) -> list[str]:
    """Return a command line that runs the pinned program."""
    return [str(CHECKOUT / ".tools" / "bin" / arguments[0]), *arguments[1:]]


def run(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the seconds of a run, and the sum of the memory peaks of the program and its children in bytes."""
    peaks: dict[int, int] = {}
    begin = time.perf_counter()
    with subprocess.Popen(arguments, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        watcher = threading.Thread(target=watch, args=(process, peaks), daemon=True)
        watcher.start()
        said = process.communicate()[1].decode(errors="replace")
        seconds = time.perf_counter() - begin
        watcher.join()
    # Some of the manifests have duplicate keys, which are an error for pullguard only.
    if process.returncode not in {0, 1, 2} or any(word in said for word in ("Traceback", "Error:", "pullguard:")):
        sys.exit(f"{' '.join(arguments)} ended with code {process.returncode}: {said}")
    return seconds, sum(peaks.values())


def watch(process: "subprocess.Popen[bytes]", peaks: dict[int, int]) -> None:
    """Record the memory peaks of a process and its children until it ends."""
    while process.returncode is None:
        for pid in family(process.pid):
            peaks[pid] = max(peaks.get(pid, 0), peak_of(pid))
        time.sleep(POLL_SECONDS)


def family(pid: int) -> list[int]:
    """Return a process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    except OSError:
        children = []
    return [pid, *map(int, children)]


def peak_of(pid: int) -> int:
    """Return the peak of a process's resident memory in bytes, or 0 if the process has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) * 1024 if found else 0


def write(text: str) -> None:
    """Print a line immediately."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    os.chdir(CHECKOUT)
    main()
