"""A progress bar for runs that take longer, on stderr if that is a terminal."""

import sys
import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from tqdm import tqdm
    from typing_extensions import Never, Self

T = TypeVar("T")

_AFTER_SECONDS = 1.0


class Progress:
    """A bar that appears after a second; a context manager that removes it.

    Args:
        total: How many steps there are; None if that is not known before the end.
        unit: What they are called, in the plural.
        show: Whether it is wanted at all.
    """

    def __init__(self, total: int | None, unit: str, *, show: bool) -> None:
        self._total = total
        self._unit = unit
        self._show = show and sys.stderr.isatty()
        self._done = 0
        self._start = time.monotonic()
        self._bar: tqdm[Never] | None = None

    def __enter__(self) -> "Self":
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """Yield items; each is a step, done when the next one is asked for."""
        for item in items:
            yield item
            self.advance(1)

    def advance(self, steps: int) -> None:
        """Count steps that are done."""
        self._done += steps
        if self._bar is not None:
            self._bar.update(steps)
        elif self._show and time.monotonic() - self._start > _AFTER_SECONDS:
            from tqdm import tqdm  # noqa: PLC0415 - most runs are over before it is needed

            # tqdm's monitor is a thread, and processes must be started without threads.
            tqdm.monitor_interval = 0
            unit = f" {self._unit}"
            self._bar = tqdm(total=self._total, initial=self._done, unit=unit, leave=False, file=sys.stderr)
