"""Builders that were made and never used: a forgotten ``await``."""

from __future__ import annotations

import sys
import warnings
from typing import Final

_USER_FRAME: Final = 3  # warn_unawaited, the finaliser that calls it, and then the code that dropped the object


def warn_unawaited(what: str, step: str = "awaited", *, stacklevel: int = _USER_FRAME) -> None:
    """Warn that something was dropped unused, as Python does of a coroutine. To be called from ``__del__``.

    Args:
        what: what it was, for example ``batch_get of 3 keys``.
        step: what was forgotten.
        stacklevel: as in ``warnings.warn``; the default points at the line that dropped the object.
    """
    # While the interpreter shuts down, nobody can mend the program any more, and parts of it are gone.
    if not sys.is_finalizing():
        warnings.warn(f"{what} was never {step}, so nothing was sent", RuntimeWarning, stacklevel=stacklevel)
