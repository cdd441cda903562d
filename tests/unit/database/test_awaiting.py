"""A warning for awaitables that nobody awaits."""

from __future__ import annotations

import sys
import warnings
from typing import Any

import pytest

from dynamorm_async.database.awaiting import warn_unawaited


class Thing:
    """What warns when it is dropped."""

    def __del__(self) -> None:
        warn_unawaited("batch_get of 3 keys")


def test_what_is_dropped_unused_warns_where_it_was_dropped() -> None:
    """A RuntimeWarning with the name of the thing and the line that dropped it, as for a coroutine."""
    with pytest.warns(RuntimeWarning, match=r"^batch_get of 3 keys was never awaited, so nothing was sent$") as caught:
        Thing()
    assert caught[0].filename == __file__


def test_an_error_of_a_filter_goes_to_the_unraisable_hook(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where warnings are errors, the one of a finaliser is reported and breaks nothing."""
    raised: list[object] = []

    def note(unraisable: Any) -> None:
        raised.append(unraisable.exc_value)

    monkeypatch.setattr(sys, "unraisablehook", note)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Thing()
    (error,) = raised
    assert isinstance(error, RuntimeWarning)


def test_at_shutdown_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody can mend the program any more, and parts of it are gone."""
    monkeypatch.setattr(sys, "is_finalizing", lambda: True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Thing()
    assert caught == []
