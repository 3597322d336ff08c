"""What is wrong with an input, as a value that users see."""

import shlex
from dataclasses import dataclass

from pullguard.core.errors import PullguardError

_JINJA = (".j2", ".jinja", ".jinja2")
_TEMPLATES = "templates"  # the folder of a chart that holds them


@dataclass(frozen=True, slots=True)
class InputError:
    """Something of the input that could not be read, or that Kubernetes would refuse.

    Attributes:
        file: The file as it is shown to users; "<stdin>" for standard input.
        line: 1-based line in that file, if one is known.
        document: 0-based document in that file, if it is one document that is wrong.
        message: What is wrong, and what can be done about it.
        is_template: Whether the document is a template that is not rendered.
    """

    file: str
    line: int | None
    document: int | None
    message: str
    is_template: bool = False


def from_exception(error: PullguardError) -> InputError:
    """Return an exception about a file as one of the errors of a report."""
    message = f"{error.message}; {error.remedy}" if error.remedy else error.message
    return InputError(error.file or "", error.line, None, message)


def rendering(file: str) -> str:
    """Return the command that renders a template and checks what comes out.

    Charts are known by their folders, templates of Jinja and of other programs by what their names end with.
    """
    if file.lower().endswith(_JINJA):
        return f"jinja2 {shlex.quote(file)} VALUES | pullguard check -"
    if file.lower().endswith(".tmpl"):
        return f"RENDER {shlex.quote(file)} | pullguard check -"
    chart, found, _ = file.rpartition(f"/{_TEMPLATES}/")
    if not found:
        chart = "." if file.startswith(f"{_TEMPLATES}/") else "CHART"
    return f"helm template {shlex.quote(chart)} | pullguard check -"
