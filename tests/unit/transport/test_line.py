"""The line of waiting callers: in turn, bounded, and nothing that is granted gets lost."""

from __future__ import annotations

import asyncio

import pytest

from dynamorm_async.transport.line import WaitingLine
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio


class Late(Exception):
    """Nobody granted anything in time."""


def late(seconds: float) -> Late:
    return Late(seconds)


async def test_first_come_first_served() -> None:
    """What is granted goes to who has waited longest; without anybody, it is not taken."""
    returned: list[int] = []
    line = WaitingLine[int](give_back=returned.append)
    assert not line.grant(0)
    waiting = [asyncio.ensure_future(line.wait(60.0, late)) for _ in range(1000)]
    await until(lambda: len(line) == 1000)
    for number in range(1000):
        assert line.grant(number)
    assert await asyncio.gather(*waiting) == list(range(1000))
    assert (len(line), returned) == (0, [])


async def test_a_cancelled_caller_gives_back() -> None:
    """What was granted in the round of the cancellation is given back, once; who was not granted anything leaves."""
    returned: list[int] = []
    line = WaitingLine[int](give_back=returned.append)
    first, second = (asyncio.ensure_future(line.wait(60.0, late)) for _ in range(2))
    await until(lambda: len(line) == 2)
    line.grant(7)
    first.cancel()
    second.cancel()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.cancelled()
    assert (len(line), returned) == (0, [7])


@pytest.mark.parametrize("seconds", [0.01, 0.0, -1.0])
async def test_the_wait_is_bounded(seconds: float) -> None:
    """Who waits too long gets the error, and leaves the line."""
    line = WaitingLine[int](give_back=lambda _: None)
    with pytest.raises(Late) as caught:
        await line.wait(seconds, late)
    assert caught.value.args == (max(seconds, 0.0),)
    assert len(line) == 0


async def test_refusing_ends_every_wait() -> None:
    """Each caller gets an error of its own; a cancelled one stays cancelled."""
    line = WaitingLine[int](give_back=lambda _: None)
    waiting = [asyncio.ensure_future(line.wait(60.0, late)) for _ in range(3)]
    await until(lambda: len(line) == 3)
    waiting[1].cancel()
    line.refuse(lambda: Late("closed"))
    errors = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(error) for error in errors] == [Late, asyncio.CancelledError, Late]
    assert errors[0] is not errors[2]
    assert len(line) == 0
