"""The error type of pullguard, which ending.py turns into a message, and that of programs that take too long."""


class TimedOutError(Exception):
    """A program did not end in time; it was killed."""


class PullguardError(Exception):
    """Something could not be read or run; the command ends with exit code 2.

    Args:
        message: What is wrong, in one sentence.
        file: The file that it is about, as the user named it.
        line: The 1-based line in that file.
        remedy: What the user can do about it.
    """

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.remedy = remedy

    def __str__(self) -> str:
        """Return ``file:line: message; remedy``, without the parts that are not known."""
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}; {self.remedy}" if self.remedy else text
