"""Ends whoever reports progress."""

from __future__ import annotations

import anyio

from dynamorm_async import schema


class Ending:
    """Told of the progress of an ``apply``, it cancels it where a number of steps was taken and the last one is not done yet."""

    def __init__(self, steps: int) -> None:
        self.scope = anyio.CancelScope()
        self._left = steps

    async def __call__(self, progress: schema.Progress) -> None:
        self._left -= progress.state == "taking"
        if self._left < 0:
            self.scope.cancel()
            await anyio.lowlevel.checkpoint()
