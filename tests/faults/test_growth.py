"""Inputs that are large on purpose: four times as much takes some four times as long, and never sixteen times.

What counts is how long processors work, which hardly moves with the load of the machine.
"""

import time
from pathlib import Path

import pytest

from growing_inputs import GROWING, cpu_seconds
from pullguard.engine.documents import Document
from pullguard.fix.manifests import FileText

_TIMES = 4
# Between 4, which is in proportion, and 16, which is the square.
_MOST = 8
_TURNS = 3


@pytest.mark.parametrize("what", GROWING)
def test_time_grows_in_proportion(what: str, tmp_path: Path) -> None:
    ratios = []
    for turn in range(_TURNS):
        folders = [tmp_path / f"{turn}-{times}" for times in (1, _TIMES)]
        for folder in folders:
            folder.mkdir()
        small, large = (cpu_seconds(what, *given) for given in zip(folders, (1, _TIMES), strict=True))
        ratios.append(large / small)
        if ratios[-1] < _MOST:
            return
    pytest.fail(f"{_TIMES} times as much takes {ratios} times as long")


def test_a_text_is_passed_once_for_all_its_documents() -> None:
    """Passing it once for each of 5,000 would take 5,000 times as long."""
    part, count = f"é: {'x' * 1_000}\n---\n", 5_000
    text, size = part * count, len(part.encode())
    before = time.process_time()
    assert text.encode().decode() == text
    once = time.process_time() - before
    whole = FileText(text)
    before = time.process_time()
    for index in range(count):
        begin = index * size
        assert whole.of(Document("m.yaml", index, {}, "yaml", begin, begin + size, ())) == (part, index * len(part))
    assert time.process_time() - before < 200 * once
