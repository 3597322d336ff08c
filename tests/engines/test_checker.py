"""pullguard-check is held to the strict reader: what it takes for plain has the same value and the same lines."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pullguard.core.errors import PullguardError
from pullguard.core.inputs import documents
from pullguard.core.inputs.homes import Home
from pullguard.core.inputs.lists import Manifest, manifests
from pullguard.engine import process
from pullguard.engine.batches import Batch
from pullguard.engine.checker import Checker, Record

NOWHERE = Home("", replaces=False)

# Says of every object that all of it is wrong, so that the program tells all that it has read.
TELLS_ALL = """\
package policies.tells_all

violation contains {"msg": "", "details": {"path": path}} if {
\tsome path in ["metadata", "spec", "data"]
\tinput.review.object[path]
}

violation contains {"msg": ""}
"""

# Some seconds. Not a time: where that runs out while an input is tried, Go calls it a failure.
FUZZ_INPUTS = 40_000


class Reader:
    """What pullguard-check reads, with a policy that is violated by every object."""

    def __init__(self, program: str, folder: Path, rego: Path, **limits: int) -> None:
        policies = folder / "policies"
        shutil.copytree(rego / "gatekeeper", policies / "gatekeeper", ignore=shutil.ignore_patterns("*_test.rego"))
        (policies / "tells_all.rego").write_text(TELLS_ALL, encoding="utf-8")
        constraint = {"kind": "TellsAll", "metadata": {"name": "c"}, "spec": {}}
        data = {"pullguard": {"constraints": [{"policy": "tells_all", "constraint": constraint}]}}
        self.checker = Checker(process.command(program, (str(policies),), **limits), [json.dumps(data)])
        self._file = folder / "input.yaml"

    def read(self, data: bytes) -> list[Record]:
        """Return the records about a file with this content."""
        self._file.write_bytes(data)
        self.checker.check(0, os.fsencode(self._file), NOWHERE)
        return list(self.checker.records())


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, checkout: Path, checker: Path) -> Iterator[Reader]:
    reader = Reader(str(checker), tmp_path_factory.mktemp("reader"), checkout / "rego")
    yield reader
    reader.checker.stop()


def place(record: Record) -> tuple[int, tuple[int, ...]]:
    return record["document"], tuple(record["item"])


def strict(data: bytes) -> tuple[dict[tuple[int, tuple[int, ...]], Manifest], set[int]]:
    """Return the objects in a file as the strict reader has them, and the documents with errors."""
    text, error = documents.decode("f.yaml", data)
    found: dict[tuple[int, tuple[int, ...]], Manifest] = {}
    broken = set() if error is None else {-1}
    for entry in documents.read_documents("f.yaml", text):
        if isinstance(entry, documents.Document):
            found.update({(manifest.document, manifest.item): manifest for manifest in manifests(entry)})
        else:
            broken.add(-1 if entry.document is None else entry.document)
    return found, broken


def assert_same(reader: Reader, data: bytes) -> set[str]:
    """Fail if what the program has read is not what the strict reader reads; return what it left to that."""
    records = reader.read(data)
    expected, broken = strict(data)
    from_document = min((record["document"] for record in records if record.get("doubtful") == "rest"), default=None)
    doubtful = {record["document"] for record in records if "doubtful" in record}

    def is_left(document: int) -> bool:
        return document in doubtful or (from_document is not None and document >= from_document)

    own = {place(record): record for record in records if "object" in record}
    assert {where for where in expected if not is_left(where[0])} == set(own)
    assert all(document == -1 or is_left(document) for document in broken)
    for where, record in own.items():
        manifest = expected[where]
        assert record["object"] == manifest.object
        for path, line in record["lines"]:
            assert line == manifest.line(path), path
    return {record["doubtful"] for record in records if "doubtful" in record}


def real_files(corpus: Path) -> list[Path]:
    return sorted(
        path for path in corpus.rglob("*") if path.is_file() and path.suffix.lower() in {".yaml", ".yml", ".json"}
    )


def test_real_and_tricky_manifests(reader: Reader, corpus: Path, hard: Path) -> None:
    real = real_files(corpus / "real")
    left = [path.name for path in real if assert_same(reader, path.read_bytes())]
    # Much of what people write is plain.
    assert len(left) < len(real) / 2
    for path in real_files(hard):
        assert_same(reader, path.read_bytes())


def test_mutated_manifests(reader: Reader, hard: Path) -> None:
    small = [path.read_bytes() for path in real_files(hard.parent) if path.stat().st_size < 3000]

    @given(
        st.sampled_from(small),
        st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 12), st.sampled_from(PIECES)), min_size=1, max_size=4),
    )
    @settings(max_examples=300, deadline=None)
    def check(data: bytes, changes: list[tuple[int, int, bytes]]) -> None:
        for at, length, piece in changes:
            begin = at % (len(data) + 1)
            data = data[:begin] + piece + data[begin + length :]
        assert_same(reader, data)

    check()


PIECES = [
    piece.encode()
    for piece in (
        *(
            "",
            " ",
            "  ",
            "\n",
            "\n\n",
            "\n  ",
            "\n- ",
            "\n---\n",
            "\n--- x\n",
            "\n...\n",
            "\t",
            "\r\n",
            "\r",
            "\0",
            "\ufeff",
        ),
        *(
            ":",
            ": ",
            " #",
            "#",
            "-",
            "- ",
            "? ",
            "'",
            '"',
            "''",
            '\\"',
            "\\",
            "\\u00e9",
            "\\\n",
            "{",
            "}",
            "[",
            "]",
            ",",
        ),
        *("&a ", "*a", "!!str ", "<<: ", "|", ">", "|-\n", ">+\n", "|2\n", "%", "@", "`", "{{ x }}", "=", "~", "null"),
        *(
            "yes",
            "0x1F",
            "0o7",
            "010",
            "1e3",
            "1_0",
            ".5",
            "-.inf",
            "1.0",
            "2020-01-01",
            "é",
            "\u2028",
            "\x85",
            "\U0001f600",
        ),
        *("kind: List\nitems:\n", "kind: PodList\nitems:\n- {}\n", "a: 1\na: 2\n", "y: z\n", "1: z\n"),
    )
]

SCALARS = st.one_of(
    st.sampled_from(PIECES).map(bytes.decode),
    st.text("abxyz019 .:#-+_'\"\\{}[],&*!|>%@`~=\n\té", max_size=12),
    st.from_regex(r"[-+]?[0-9a-fxo_.]{1,12}(e[-+]?[0-9]{1,2})?", fullmatch=True),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(SCALARS, inner, max_size=4)),
    max_leaves=12,
)


def lines_of(value: Any, indent: str, style: int) -> list[str]:
    """Write a value in block style, without any care for what its scalars mean: what comes out may be anything."""
    if isinstance(value, dict):
        lines = []
        for key, entry in value.items():
            inside = lines_of(entry, indent + "  ", style)
            is_block = isinstance(entry, dict | list) and bool(entry)
            lines += [f"{indent}{key}:", *inside] if is_block else [f"{indent}{key}: {inside[0].strip()}", *inside[1:]]
        return lines or [f"{indent}{{}}"]
    if isinstance(value, list):
        lines = []
        for entry in value:
            first, *rest = lines_of(entry, indent + "  ", style)
            lines += [f"{indent}- {first.lstrip(' ')}", *rest]
        return lines or [f"{indent}[]"]
    quoted = [value, f"'{value}'", json.dumps(value), json.dumps(value, ensure_ascii=False), f"|\n{indent}  {value}"]
    return [f"{indent}{line}" if place == 0 else line for place, line in enumerate(quoted[style % 5].split("\n"))]


@given(VALUES, st.integers(0, 4))
@example({"a": ["y", "1.0"]}, 0)
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_documents(reader: Reader, value: Any, style: int) -> None:
    text = "\n".join(["kind: X", "data:", *lines_of(value, "  ", style)])
    assert_same(reader, text.encode())


@given(VALUES)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_generated_json(reader: Reader, value: Any) -> None:
    assert assert_same(reader, json.dumps({"kind": "X", "data": value}, indent=1).encode()) == set()


@pytest.mark.parametrize("size", [65_000, 1_048_570, 1_048_576, 2_097_150])
def test_documents_are_found_wherever_blocks_end(reader: Reader, size: int) -> None:
    """The program reads a megabyte at a time: separators and documents lie across its blocks."""
    filler = f"kind: Filler\ndata: {'x' * (size // 3)}\n---\n"
    pod = "kind: Pod\nmetadata:\n  name: p{}\n---\n"
    for shift in range(-3, 4):
        text = "# c\n---\n" + filler * 2
        text += "kind: Filler\ndata: " + "y" * (size - len(text) - 25 + shift) + "\n---\n"
        text += "".join(pod.format(number) for number in range(3)) + filler * 4 + "kind: Last\n"
        assert assert_same(reader, text.encode()) == set()


def test_json_that_lies_across_blocks(reader: Reader) -> None:
    values = [json.dumps({"kind": "X", "data": {"n": number, "x": "y" * 300_000}}, indent=2) for number in range(9)]
    assert assert_same(reader, "\n".join(values).encode()) == set()


def test_limits(tmp_path: Path, checkout: Path, checker: Path) -> None:
    reader = Reader(str(checker), tmp_path, checkout / "rego", max_document=2 * 2**20, max_depth=4)
    try:
        large = f"kind: A\ndata: {'x' * 3 * 2**20}\n---\nkind: B\n---\nkind: C\ndata: [[[[1]]]]\n---\nkind: D\n"
        records = reader.read(large.encode())
    finally:
        reader.checker.stop()
    assert [record["object"] for record in records if "object" in record] == [{"kind": "B"}, {"kind": "D"}]
    assert [(record["document"], record["line"]) for record in records if record.get("tooLarge")] == [(0, 1)]
    assert [(record["document"], record["line"]) for record in records if "doubtful" in record] == [(2, 6)]


def test_files_that_cannot_be_read(reader: Reader, tmp_path: Path) -> None:
    for path, number in ((tmp_path / "gone.yaml", 2), (tmp_path, 21)):
        reader.checker.check(7, os.fsencode(path), NOWHERE)
        first, last = reader.checker.records()
        assert (first, last) == ({"file": 7, "errno": number}, {"file": 7, "done": True})


def test_batches_are_answered_between_files(reader: Reader) -> None:
    run = reader.checker.start(Batch(['{"kind":"X"}', '{"kind":"Y","metadata":{"namespace":"n"}}'], {}, "m"))
    assert [answer.namespace for answer in run.answers()] == ["m", "n"]


def test_policies_that_cannot_be_loaded(tmp_path: Path, checker: Path) -> None:
    (tmp_path / "bad.rego").write_text("package bad\n\nx := y\n", encoding="utf-8")
    broken = Checker(process.command(str(checker), (str(tmp_path),)), ['{"pullguard":{"constraints":[]}}'])
    try:
        with pytest.raises(PullguardError, match=r"^OPA cannot load the policies: bad\.rego:3: var y is unsafe$"):
            broken.finish()
    finally:
        broken.stop()


def test_it_ends_with_its_parent(tmp_path: Path, checker: Path) -> None:
    child = process.Child(process.command(str(checker), (str(tmp_path),)))
    os.close(child.requests)
    assert os.waitpid(child.pid, 0)[1] == 0
    os.close(child.answers)


@pytest.mark.skipif(shutil.which("go") is None, reason="Go fuzzes what Go reads")
@pytest.mark.parametrize("target", ["FuzzYAML", "FuzzJSON"])
def test_fuzzing(target: str, checkout: Path, tmp_path: Path) -> None:
    """Coverage-guided, by a bounded number of inputs: what is plain is what Kubernetes' own reader reads."""
    command = ["go", "test", "./check", "-run", "^$", "-fuzz", f"^{target}$", "-fuzztime", f"{FUZZ_INPUTS}x"]
    shared = checkout.parent / "shared" / "corpus"
    done = subprocess.run(
        [*command, f"-test.fuzzcachedir={tmp_path}"],
        cwd=checkout / "tools",
        env=os.environ | {"CGO_ENABLED": "0", "PULLGUARD_CORPUS": str(shared / "real") if shared.exists() else ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
