"""Copies and pickles of instances: what an instance was read from goes with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from dynamorm_async.codec.layout import STORED
from dynamorm_async.model.spec import SPEC


def getstate(self: object) -> dict[str, Any]:
    """The state to copy or pickle: what was read is kept as AttributeValues."""
    state = dict[str, Any](vars(self))
    if isinstance(state.get(STORED), msgspec.Struct):
        state[STORED] = getattr(type(self), SPEC).codec.known(self)
    return state


def setstate(self: object, state: Mapping[str, Any]) -> None:
    """The counterpart of :func:`getstate`: no validators or converters run."""
    vars(self).update(state)
