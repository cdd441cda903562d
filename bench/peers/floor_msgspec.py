"""The floor's lists, decoded by msgspec without types: the fastest that JSON becomes Python dicts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import msgspec
from items import Values, Wire
from peers import floor


class FloorWithMsgspec:
    """Only the workloads that decode."""

    def __init__(self, inner: floor.Floor) -> None:
        self.query = inner.query
        self.scan = inner.scan
        self.batch_get = inner.batch_get
        self.decode = inner.decode
        self._inner = inner

    def values(self, answer: Wire) -> list[Values]:
        return self._inner.values(answer)


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[FloorWithMsgspec]:
    """The floor with another decoder against the canned server on ``port``."""
    async with floor.open_contestant(port, msgspec.json.decode) as inner:
        yield FloorWithMsgspec(inner)
