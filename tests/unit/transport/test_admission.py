"""The turns of a crowd: room is never exceeded by those who wait, and nobody waits for ever."""

from __future__ import annotations

import asyncio
from collections import deque

import pytest

from dynamorm_async.errors import DatabaseClosed
from dynamorm_async.transport.admission import Admission, NotInTime
from dynamorm_async.transport.closing import database_closed
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio


class Crowd:
    """Calls that take turns, and end when they are told to.

    Attributes:
        admission: what they take turns of.
        busy: those that have begun, in order.
        most: how many were busy at once.
    """

    def __init__(self, room: int) -> None:
        self.admission = Admission(room)
        self.busy: deque[asyncio.Event] = deque()
        self.most = 0

    async def call(self, *, sends: bool = True) -> None:
        if self.admission.crowded:
            await self.admission.turn(60.0)
            self.admission.arrived()
        if sends:
            await self.work()

    async def work(self) -> None:
        done = asyncio.Event()
        self.admission.begin()
        self.busy.append(done)
        self.most = max(self.most, len(self.busy))
        await done.wait()
        self.admission.end()

    def end_one(self) -> None:
        self.busy.popleft().set()


async def settled() -> None:
    """Several rounds of the loop: whoever is let in has begun."""
    for _ in range(6):
        await asyncio.sleep(0)


async def test_no_more_are_busy_than_there_is_room_for() -> None:
    """However many call, they begin as others end; in the end nobody is crowded."""
    crowd = Crowd(3)
    calls: list[asyncio.Task[None]] = []
    for _ in range(20):
        calls.append(asyncio.ensure_future(crowd.call()))
        await asyncio.sleep(0)
    while crowd.busy:
        crowd.end_one()
        await settled()
    await asyncio.gather(*calls)
    assert crowd.most == 3
    assert not crowd.admission.crowded


async def test_those_who_send_nothing_hold_nobody_up() -> None:
    """A caller that was let in and leaves, or was cancelled in the line, leaves its room to the next."""
    crowd = Crowd(1)
    first = asyncio.ensure_future(crowd.call())
    await settled()
    idlers = [asyncio.ensure_future(crowd.call(sends=False)) for _ in range(5)]
    cancelled = asyncio.ensure_future(crowd.call())
    last = asyncio.ensure_future(crowd.call())
    await settled()
    cancelled.cancel()
    crowd.end_one()
    await asyncio.gather(first, *idlers)
    await until(lambda: len(crowd.busy) == 1)
    crowd.end_one()
    await last
    await settled()
    assert not crowd.admission.crowded


async def test_those_who_take_no_turn_do_not_starve_the_line() -> None:
    """Where others keep everything busy without taking turns, every second end lets one in all the same."""
    crowd = Crowd(2)
    for _ in range(20):  # what ended before there was a line lets nobody in
        early = asyncio.ensure_future(crowd.work())
        await settled()
        crowd.end_one()
        await early
    others = [asyncio.ensure_future(crowd.work()) for _ in range(8)]
    await settled()
    served = [asyncio.ensure_future(crowd.call()) for _ in range(3)]
    await settled()
    assert crowd.admission.waiting == 3
    waiting: list[int] = []
    for _ in range(6):
        crowd.end_one()
        others.append(asyncio.ensure_future(crowd.work()))
        await settled()
        waiting.append(crowd.admission.waiting)
    assert waiting == [3, 2, 2, 1, 1, 0]
    while crowd.busy:
        crowd.end_one()
        await settled()
    await asyncio.gather(*others, *served)
    assert not crowd.admission.crowded


async def test_the_line_ends_with_the_time_and_with_a_close() -> None:
    """Who is not let in in time is told so; a close ends the wait of all."""
    crowd = Crowd(1)
    first = asyncio.ensure_future(crowd.call())
    await settled()
    with pytest.raises(NotInTime):
        await crowd.admission.turn(0.0)
    waiting = asyncio.ensure_future(crowd.call())
    await settled()
    crowd.admission.refuse(database_closed)
    with pytest.raises(DatabaseClosed):
        await waiting
    crowd.end_one()
    await first
