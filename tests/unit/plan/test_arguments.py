"""Checks of what callers pass."""

from __future__ import annotations

import pytest

from dynamorm_async import UsageError
from dynamorm_async.plan.arguments import check_positive, check_token


@pytest.mark.parametrize("token", ["t", "t" * 36])
def test_a_good_token(token: str) -> None:
    """1 to 36 characters."""
    assert check_token(token) == token


@pytest.mark.parametrize("token", ["", "t" * 37, 3, b"t"])
def test_a_bad_token(token: object) -> None:
    """Everything else is refused before anything is sent."""
    with pytest.raises(UsageError, match="1 to 36 characters"):
        check_token(token)


def test_a_count() -> None:
    """From 1, without a bound."""
    assert [check_positive(value, "limit(…)") for value in (1, 10**9)] == [1, 10**9]


@pytest.mark.parametrize("value", [0, -1, True, 1.0, "1", None])
def test_a_bad_count(value: int) -> None:
    """The error shows what the caller wrote."""
    with pytest.raises(UsageError, match=r"^limit\(x\): a whole number of 1 or more$"):
        check_positive(value, "limit(x)")
