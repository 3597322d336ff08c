"""Where the values of a document stand in its file."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class LineTable:
    """The lines, 1-based, of a document's values; a reader fills it while it builds the value.

    Attributes:
        root: The document's value; its scalars may be anything, only its containers count.
        root_line: The line of the root.
    """

    root: Any = None
    root_line: int = 1
    _lines: dict[tuple[int, str | int], int] = field(default_factory=dict)
    # Containers are known by id(), so every container that ever had a line must stay alive.
    _containers: list[Any] = field(default_factory=list)

    def keep(self, container: dict[str, Any] | list[Any]) -> None:
        """Announce a container, before the line of its first entry is noted."""
        self._containers.append(container)

    def note(self, container: dict[str, Any] | list[Any], key: str | int, line: int) -> None:
        """Note the line of one entry; a later line replaces an earlier one."""
        self._lines[id(container), key] = line

    def line_in(self, container: dict[str, Any] | list[Any], key: str | int) -> int | None:
        """Return the line of one entry, or None if there is no such entry."""
        return self._lines.get((id(container), key))

    def find(self, path: Sequence[str | int]) -> int:
        """Return the line at a path of keys and indices below the root.

        An entry of a mapping stands where its key stands, an alias where its anchor stands; a path that does not
        exist has the line of its deepest ancestor that does.
        """
        value, line = self.root, self.root_line
        for key in path:
            entry = self._lines.get((id(value), key))
            if entry is None:
                break
            value, line = value[key], entry
        return line
