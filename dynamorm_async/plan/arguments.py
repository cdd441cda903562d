"""Checks of what callers pass, which several calls share."""

from __future__ import annotations

from typing import Final

from dynamorm_async.errors import UsageError

MAX_TOKEN: Final = 36


def check_positive(value: int, given: str) -> int:
    """A count.

    Args:
        value: the count.
        given: how the caller gave it, for the error: ``limit(0)``.

    Raises:
        UsageError: less than 1, or no whole number.
    """
    if type(value) is not int or value < 1:
        raise UsageError(f"{given}: a whole number of 1 or more")
    return value


def check_token(token: object) -> str:
    """A caller's token of a transaction.

    Raises:
        UsageError: it is no text, empty, or longer than 36 characters.
    """
    if not isinstance(token, str) or not 1 <= len(token) <= MAX_TOKEN:
        hint = "" if isinstance(token, str) else ": pass str(...) of it"
        raise UsageError(f"a transaction's token is a text of 1 to {MAX_TOKEN} characters, got {token!r}{hint}")
    return token
