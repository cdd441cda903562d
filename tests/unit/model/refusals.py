"""How the tests say that a declaration is refused, and what its message has to name."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import pytest

from dynamorm_async import ModelError


@contextmanager
def refused(*words: str) -> Generator[None]:
    """The block raises ModelError, and the message has each of the words: class, attribute, fix."""
    with pytest.raises(ModelError) as info:
        yield
    missing = [word for word in words if word not in str(info.value)]
    assert not missing, f"{missing} not in: {info.value}"
