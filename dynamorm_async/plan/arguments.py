"""Checks of what callers pass, which several calls share."""

from __future__ import annotations

import reprlib
from typing import Any, Final

from dynamorm_async.codec.hidden import MASK
from dynamorm_async.errors import UsageError
from dynamorm_async.model.spec import SPEC, ModelSpec

MAX_TOKEN: Final = 36

ATTEMPTS: Final = 32
"""How often ``modify`` reads, changes and saves by default. Of 200 calls at once on one item, the unluckiest takes some 13."""


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


def no_key(value: object) -> str:
    """What was given instead of a Key, with the Key that was meant where it can be told."""
    shown = reprlib.repr(value)
    spec: ModelSpec[Any] | None = vars(type(value)).get(SPEC)
    if spec is None:
        return shown
    values = ", ".join(
        MASK if member.shape.hidden else reprlib.repr(getattr(value, member.name, ...)) for member in spec.key
    )
    return f"an instance: pass Key({spec.name}{values and ', '}{values}), or change the instance and save() it"
