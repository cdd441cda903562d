"""Sending what ``plan.keyed`` asks for: until nothing is left unprocessed, some chunks at the same time."""

from __future__ import annotations

import random as random_module
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

import anyio

from dynamorm_async.codec.slices import Slices
from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.turns import LARGE, Turns
from dynamorm_async.database.unprocessed import Rounds
from dynamorm_async.plan.keyed import Chunk

CONCURRENCY = 4

Arrived: TypeAlias = Callable[[Chunk, int | None], None]
"""Takes what a chunk has read, as ``Chunk.take`` does: all of it, or so many bytes."""


class KeyReader:
    """Reads chunks of keys.

    Args:
        send: sends a request.
        timeout: seconds for each request; ``None`` for the database's own.
        deadline: of all of them together, where there is one; then it takes the place of ``timeout``.
        sleep: waits for a number of seconds.
        random: a number from 0 up to 1, each time another.
        turns: hands over what is large in slices.
    """

    def __init__(
        self,
        send: Send,
        *,
        timeout: float | None = None,
        deadline: Deadline | None = None,
        sleep: Callable[[float], Awaitable[object]] = anyio.sleep,
        random: Callable[[], float] = random_module.random,
        turns: Turns | None = None,
    ) -> None:
        self._send = send
        self._timeout = timeout
        self._deadline = deadline
        self._sleep = sleep
        self._random = random
        self._turns = turns or Turns()

    async def read(self, chunk: Chunk) -> None:
        """Ask for the keys of a chunk until none is left. What was read before an error, or a cancellation, is kept.

        Raises:
            Throttled: eight rounds in a row in which DynamoDB processed none of the keys.
            CallTimeout: the deadline has passed, or would before the next round.
            CallError: a request failed.
            DecodeError: an answer is none.
        """
        rounds, deadline = Rounds("keys", self._random), self._deadline
        while True:
            request = chunk.request()
            response = await self._send(request, self._timeout if deadline is None else deadline.left(request))
            fruitless = not chunk.receive(response.body)
            if not chunk.left:
                return
            seconds = rounds.pause(request, response, left=len(chunk.left), fruitless=fruitless)
            if deadline is not None and not deadline.fits(seconds):
                raise deadline.over(request)
            await self._sleep(seconds)

    async def hand_over(self, chunk: Chunk, arrived: Arrived) -> None:
        """Have what a chunk has read taken. What is not taken when this is cancelled stays with the chunk."""
        if chunk.size > LARGE:
            await self._turns.run(_handed_over(chunk, arrived))
        else:
            await self._turns.room.take(chunk.size, LARGE)
            arrived(chunk, None)

    async def read_all(self, chunks: Sequence[Chunk], concurrency: int, arrived: Arrived) -> None:
        """Read chunks, some at the same time. The first that fails ends the others.

        Args:
            chunks: what to read.
            concurrency: how many at the same time.
            arrived: takes what each has read as soon as it is there; where that is much, some of it at a time.

        Raises:
            Exception: what the first one failed with, as :meth:`read` raises it, in no group.
        """
        if len(chunks) == 1:  # as most often: no task is needed
            await self.read(chunks[0])
            await self.hand_over(chunks[0], arrived)
            return
        waiting = iter(chunks)
        failure: Exception | None = None
        async with anyio.create_task_group() as group:

            async def work() -> None:
                nonlocal failure
                try:
                    for chunk in waiting:
                        await self.read(chunk)
                        await self.hand_over(chunk, arrived)
                except Exception as error:  # noqa: BLE001 - it is raised below, where the others have ended
                    failure = error if failure is None else failure
                    group.cancel_scope.cancel()

            for _ in range(min(concurrency, len(chunks))):
                group.start_soon(work)
        if failure is not None:
            try:
                raise failure
            finally:
                failure = None  # else the error and this frame would hold each other, and what they refer to


def _handed_over(chunk: Chunk, arrived: Arrived) -> Slices[None]:
    while chunk.has_read:
        arrived(chunk, (yield))
