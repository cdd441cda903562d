"""Spreads work over rounds of the loop, so that others have their turn between."""

from __future__ import annotations

import asyncio
from typing import Final

A_ROUND: Final = 2
"""Of what takes a millisecond, as aiobotocore does to prepare a request, and again to read its answer."""


class Spread:
    """Lets a few callers go on in each round of the loop. Belongs to the loop that uses it.

    Args:
        a_round: how many.
    """

    def __init__(self, a_round: int) -> None:
        self._a_round = a_round
        self._gone_on = 0

    async def turn(self) -> None:
        """Go on at once, or in one of the next rounds where enough others went on in this one."""
        while self._gone_on >= self._a_round:  # noqa: ASYNC110 - the next round is what is waited for
            await asyncio.sleep(0)
        if not self._gone_on:
            asyncio.get_running_loop().call_soon(self._next_round)
        self._gone_on += 1

    def _next_round(self) -> None:
        self._gone_on = 0
