"""Builders that were made and never used: a forgotten ``await``."""

from __future__ import annotations

import warnings


def warn_unawaited(what: str) -> None:
    """Warn, from a builder's ``__del__``, that nothing was done with it, as Python does for coroutines.

    Args:
        what: the builder, for example ``batch_get of 3 keys``.
    """
    warnings.warn(f"{what} was never awaited, so nothing was sent", RuntimeWarning, stacklevel=3)
