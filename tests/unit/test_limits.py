"""Limits as users state them."""

import re

import pytest

from pullguard.core.errors import PullguardError
from pullguard.core.inputs.limits import DEEPEST, Limits, stated_limits


@pytest.mark.parametrize(
    ("text", "size"),
    [("1", 1), ("500k", 512_000), ("64M", 67_108_864), ("3G", 3_221_225_472), ("4095M", 4_293_918_720)],
)
def test_sizes(text: str, size: int) -> None:
    assert stated_limits(text, "7", "2K") == Limits(size, 7, 2048)


def test_the_deepest() -> None:
    assert stated_limits("1", str(DEEPEST), "1").depth == DEEPEST


@pytest.mark.parametrize("text", ["", "0", "-1", "M", "1T", "1KB", "1.5M", "4G", "4096M", "x", " 1", "1 M"])
def test_no_size(text: str) -> None:
    message = "is not a size below 4G, such as 500K, 64M or 1G"
    with pytest.raises(PullguardError, match=f"^{re.escape(f'--max-document {text} {message}')}$"):
        stated_limits(text, "1", "1")
    with pytest.raises(PullguardError, match=f"^{re.escape(f'--max-aliased {text} {message}')}$"):
        stated_limits("1", "1", text)


@pytest.mark.parametrize("text", ["", "0", "-1", "901", "x", "1K"])
def test_no_number_of_levels(text: str) -> None:
    with pytest.raises(PullguardError, match=f"^{re.escape(f'--max-depth {text} is not a number from 1 to 900')}$"):
        stated_limits("1", text, "1")
