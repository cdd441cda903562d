"""Work that is spread over rounds of the loop."""

from __future__ import annotations

import asyncio

import pytest

from dynamorm_async.transport.spread import Spread

pytestmark = pytest.mark.anyio


async def test_a_few_go_on_in_each_round() -> None:
    """Of a hundred at once, no more than eight go on between two turns of another task; all of them do, in order."""
    spread, gone = Spread(8), list[int]()

    async def go(number: int) -> None:
        await spread.turn()
        gone.append(number)

    tasks = [asyncio.ensure_future(go(number)) for number in range(100)]
    seen: list[int] = []
    while len(gone) < 100:
        await asyncio.sleep(0)
        seen.append(len(gone))
    steps = [after - before for before, after in zip([0, *seen], seen, strict=False)]
    assert max(steps) <= 16
    assert sorted(gone) == list(range(100))
    await asyncio.gather(*tasks)


async def test_one_goes_on_at_once() -> None:
    """Where nobody else is there, nothing is waited for."""
    spread = Spread(1)
    with pytest.raises(StopIteration):
        spread.turn().send(None)
