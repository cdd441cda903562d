"""Lets calls begin as others end, so that a crowd of them costs next to nothing before their requests are prepared."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from dynamorm_async.transport.line import WaitingLine

_SHARE: Final = 2
"""Of how many calls that end one makes room for the line, where there is none: those who take no turn must not starve it."""


class NotInTime(Exception):
    """A caller's turn did not come in time.

    Attributes:
        seconds: how long it waited.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Admission:
    """How many calls are busy, and a line of those that may not begin yet.

    It keeps nobody from beginning: callers ask ``crowded`` and take their turn before they prepare a request. What they
    send afterwards waits for a connection as any other request. So a caller who leaves without sending anything holds nobody up;
    nor do those who take no turn (batches, transactions, streams), however many they are.

    Args:
        room: how many may be busy at the same time.

    Attributes:
        crowded: whether a call should take its turn.
    """

    def __init__(self, room: int) -> None:
        self.crowded = False
        self._room = room
        self._busy = 0
        self._ended = 0  # since the line was looked at, and not yet made up for
        self._called = 0  # those whose turn has come, and who do not know it yet
        self._line: WaitingLine[None] = WaitingLine(give_back=self._gone)
        self._letting_in = False

    @property
    def waiting(self) -> int:
        """How many stand in the line, those included whose turn has just come."""
        return len(self._line) + self._called

    def begin(self) -> None:
        """A call is busy from now on."""
        self._busy += 1
        if self._busy >= self._room:
            self.crowded = True

    def end(self) -> None:
        """A call is not busy any more: it ended, or pauses."""
        self._busy -= 1
        if self.crowded:
            self._ended += 1
            if not self._letting_in:
                self._let_in_next_round()

    def turn(self, seconds: float) -> asyncio.Future[None]:
        """Join the line. Who awaited the turn says so with :meth:`arrived`, at once; who was cancelled, with :meth:`left`.

        Args:
            seconds: how long to wait, at most.

        Returns:
            The turn. It ends with ``NotInTime`` where it did not come, or with what :meth:`refuse` was given.
        """
        if not self._letting_in and self._busy < self._room:
            self._let_in_next_round()
        return self._line.join(seconds, NotInTime)

    def arrived(self) -> None:
        """A call knows that its turn has come."""
        self._called -= 1

    def left(self, turn: asyncio.Future[None]) -> None:
        """A call was cancelled while it waited."""
        self._line.leave(turn)

    def refuse(self, error: Callable[[], Exception]) -> None:
        """End the wait of everybody in the line, each with an error of its own."""
        self._line.refuse(error)

    # --- inside -------------------------------------------------------------------------------

    def _let_in_next_round(self) -> None:
        self._letting_in = True
        asyncio.get_running_loop().call_soon(self._let_in)

    def _let_in(self) -> None:
        """Let in as many as there is room for; they run before this is called again, and some may end at once."""
        self._letting_in = False
        free = self._room - self._busy - self._called
        if free <= 0:
            share, self._ended = divmod(self._ended, _SHARE)
            self._grant(share)
            if self._called:  # they may send nothing, and so never end
                self._let_in_next_round()
            return
        self._ended = 0
        if self._grant(free) < free:
            self.crowded = False
        else:
            self._let_in_next_round()

    def _grant(self, most: int) -> int:
        """Let in the first of the line; how many there were."""
        found = next((number for number in range(most) if not self._line.grant(None)), most)
        self._called += found
        return found

    def _gone(self, _: None) -> None:
        self.arrived()
