"""The progress bar: only on terminals, and only when it takes longer."""

import io
import sys

import pytest

from pullguard.core.progress import Progress


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr("pullguard.core.progress.time.monotonic", lambda: now[0])
    return now


def _shown(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], stream: io.StringIO, *, show: bool, seconds: float
) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(4, "cases", show=show) as bar:
        bar.advance(1)
        clock[0] += seconds
        bar.advance(2)
    return stream.getvalue()


def test_bar_of_a_longer_run(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    shown = _shown(monkeypatch, clock, _Terminal(), show=True, seconds=1.1)
    assert "3/4" in shown
    assert "cases" in shown
    assert shown.endswith("\r")


@pytest.mark.parametrize(
    ("stream", "show", "seconds"),
    [(_Terminal(), True, 0.9), (_Terminal(), False, 60.0), (io.StringIO(), True, 60.0)],
)
def test_no_bar(
    monkeypatch: pytest.MonkeyPatch, clock: list[float], stream: io.StringIO, *, show: bool, seconds: float
) -> None:
    assert _shown(monkeypatch, clock, stream, show=show, seconds=seconds) == ""


def test_items_are_counted(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    stream = _Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(None, "objects", show=True) as bar:
        for item in bar.counted("abc"):
            clock[0] += 0.6
            assert item in "abc"
    assert "2 objects" in stream.getvalue()
