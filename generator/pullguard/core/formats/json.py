"""What JSON reports of several commands share."""

from pullguard.core.inputs.problems import InputError


def error_value(error: InputError) -> dict[str, str | int | None]:
    """Return an error of an input as a JSON value; no field is left out."""
    return {"file": error.file, "line": error.line, "document": error.document, "message": error.message}
