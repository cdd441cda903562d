"""What becomes of calls when their database is closed, in the same words on both lanes."""

from __future__ import annotations

from typing import Final

from dynamorm_async.errors import DatabaseClosed

CLOSED_UNDER_WAY: Final = "the database was closed before the whole answer was there"
"""Why a request that was sent has no answer. Whether it was applied is not known."""


def database_closed() -> DatabaseClosed:
    """The error, not raised, of a request that a close kept from being sent."""
    return DatabaseClosed(
        "the database was closed before this request was sent: close a Database only after the work that uses it is done"
    )
