"""What DynamoDB leaves unprocessed of a batch: after which pauses it is sent again, and when to give up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, final

from dynamorm_async.errors import Throttled
from dynamorm_async.transport.retry import full_jitter
from dynamorm_async.types import Request, Response

ROUNDS: Final = 8
"""How many answers in a row may process nothing."""

_BASE = 0.05  # seconds
_CAP = 5.0


@final
class Rounds:
    """The rounds of one chunk.

    Args:
        of: what it asks for. What is left of writes was throttled, so each pause is longer than the one before; what is
            left of keys may just not have fitted into the answer, so pauses grow while answers bring nothing.
        random: a number from 0 up to 1, each time another.
    """

    def __init__(self, of: Literal["keys", "writes"], random: Callable[[], float]) -> None:
        self._of = of
        self._random = random
        self._fruitless = 0
        self._made = 0

    def pause(self, request: Request, response: Response, *, left: int, fruitless: bool) -> float:
        """Seconds to wait before what is left is sent again: full jitter.

        Args:
            request: what was sent.
            response: its answer.
            left: how much it left unprocessed.
            fruitless: whether that is all of it.

        Raises:
            Throttled: the eighth answer in a row that processed nothing.
        """
        self._made += 1
        self._fruitless = self._fruitless + 1 if fruitless else 0
        if self._fruitless == ROUNDS:
            raise self._given_up(request, response, left)
        turn = self._made if self._of == "writes" else max(1, self._fruitless)
        return full_jitter(turn, self._random, base=_BASE, cap=_CAP)

    def _given_up(self, request: Request, response: Response, left: int) -> Throttled:
        noun, verb = ("key", "read") if self._of == "keys" else ("operation", "write")
        what = f"{left} {noun} was" if left == 1 else f"{left} {noun}s were"
        return Throttled(
            f"{what} left unprocessed {ROUNDS} times in a row; {verb} less at once, or later",
            operation=request.operation,
            table=request.table,
            attempts=self._made,
            code="UnprocessedKeys" if self._of == "keys" else "UnprocessedItems",
            status=200,
            request_id=response.request_id,
        )
