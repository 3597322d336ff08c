"""Runs a command of pullguard and pushes its metrics to a Pushgateway, where there is no shell for it.

    pullguard-push URL audit|outage [OPTION...]

The metrics take the place of those that the group of the URL had. The exit code is 0 once they are there, whatever was
found; 2 if something could not be read, although the rest is pushed; 3 if the Pushgateway did not take them.
"""

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from http.client import HTTPException
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

_COMMANDS = ("audit", "outage")
_USAGE = f"usage: pullguard-push URL {'|'.join(_COMMANDS)} [OPTION...]"
_TIMEOUT = 30.0
_TOLD = 300  # characters of an answer

# Exit codes; the first is pullguard's own.
_NOT_READ = 2
_NOT_PUSHED = 3


class FailedError(Exception):
    """It cannot be done; the message says why.

    Args:
        code: The exit code.
        message: The message.
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class _NoRedirects(HTTPRedirectHandler):
    """Takes a redirection for a refusal: a request for another address would not push anything."""

    def redirect_request(self, *_arguments: object) -> None:
        return None


def main(arguments: Sequence[str]) -> int:
    """Run, and return the exit code."""
    try:
        return _run(arguments)
    except FailedError as error:
        text = "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in str(error))
        sys.stderr.write(f"pullguard-push: {text}\n")
        return error.code


def _run(arguments: Sequence[str]) -> int:
    url, command, *options = [*arguments[:2], *[""] * (2 - len(arguments)), *arguments[2:]]
    if command not in _COMMANDS:
        raise FailedError(_NOT_READ, _USAGE)
    _check(url)
    line = ["pullguard", command, *options, "--output=metrics"]
    done = subprocess.run(line, stdout=subprocess.PIPE, check=False)
    if done.returncode not in {0, 1, _NOT_READ}:
        raise FailedError(_NOT_READ, f"pullguard {command} ended with code {done.returncode}")
    if done.stdout:
        _push(url, done.stdout)
    return _NOT_READ if done.returncode == _NOT_READ else 0


def _check(url: str) -> None:
    """Check that metrics can be sent to an address.

    Raises:
        FailedError: They cannot.
    """
    try:
        place = urlsplit(url)
        host, _ = place.hostname, place.port
        url.encode("ascii")
        (host or "").encode("idna")
    except ValueError as error:
        raise FailedError(_NOT_READ, f"{url!r} is not an address: {error}") from None
    if place.username is not None or place.password is not None:
        raise FailedError(_NOT_READ, "an address must not hold a password: anybody who may read the pod would see it")
    if place.scheme not in {"http", "https"} or not host or "/metrics/job" not in place.path:
        example = "http://pushgateway:9091/metrics/job/pullguard"
        raise FailedError(_NOT_READ, f"{url!r} is not the address of a group, such as {example}")


def _push(url: str, metrics: bytes) -> None:
    """Put metrics in the place of those of a group.

    Raises:
        FailedError: The Pushgateway does not take them.
    """
    headers = {"Content-Type": "text/plain; version=0.0.4"}
    request = Request(url, metrics, headers, method="PUT")  # noqa: S310 - _check() takes only http and https
    try:
        with build_opener(_NoRedirects()).open(request, timeout=_TIMEOUT):
            return
    except HTTPError as error:
        words = ""
        with error, suppress(OSError, HTTPException):  # the code tells enough
            words = error.read(_TOLD).decode("utf-8", "replace").strip()
        why = f"{error.code} {error.reason}{': ' if words else ''}{words}"
    except (OSError, HTTPException) as error:
        why = str(getattr(error, "reason", "") or error or type(error).__name__)
    raise FailedError(_NOT_PUSHED, f"the Pushgateway at {url} did not take the metrics: {why}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
