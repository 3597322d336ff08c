"""Command lines without argparse: the same as with it, or left to it."""

from types import SimpleNamespace

import pytest

from pullguard.cli import _add_check, parser
from pullguard.plain_options import parse

PLAIN = [
    ["a"],
    ["-"],
    ["a", "b", "-"],
    ["--everywhere", "a"],
    ["a", "b", "--everywhere"],
    ["-o", "json", "a"],
    ["--output=json", "--library", "x", "a"],
    ["--exclude", "x", "--exclude=y=z", "a"],
    ["--max-document", "1K", "--max-depth=9", "a"],
    ["--namespace", "", "a"],
    ["--output-file", "-", "a"],
]

# What argparse refuses, shows help for, or reads in a way of its own.
NOT_PLAIN = [
    [],
    ["--everywhere"],
    ["-h", "a"],
    ["--help", "a"],
    ["--ever", "a"],
    ["--everywhere=yes", "a"],
    ["-ojson", "a"],
    ["-o", "pdf", "a"],
    ["a", "--library"],
    ["--library", "--everywhere", "a"],
    ["--", "a"],
    ["--nonsense", "a"],
    ["a", "--everywhere", "b"],
]


@pytest.mark.parametrize("arguments", PLAIN)
def test_plain_lines_are_what_argparse_makes_of_them(arguments: list[str]) -> None:
    assert parse(_add_check, arguments) == SimpleNamespace(**vars(parser().parse_args(["check", *arguments])))


@pytest.mark.parametrize("arguments", NOT_PLAIN)
def test_the_rest_is_left_to_argparse(arguments: list[str]) -> None:
    assert parse(_add_check, arguments) is None
