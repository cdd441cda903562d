"""A PartiQL statement under way: awaitable for a list of rows, async-iterable row by row."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar, final

from dynamorm_async.codec.slices import page_in_slices
from dynamorm_async.database.access import Send
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.statement_failures import add_item
from dynamorm_async.database.turns import LARGE, Turns
from dynamorm_async.errors import ConditionFailed, UsageError
from dynamorm_async.plan.partiql import decode_rows, next_request, page_decoder
from dynamorm_async.plan.statements import Statement
from dynamorm_async.types import Request

R = TypeVar("R")


@final
class Execution(Generic[R]):
    """A statement that is sent once it is awaited or iterated. ``db.partiql.execute`` gives one.

    ``await`` gives all rows as a list; ``async for`` gives them one by one, and holds one page. A SELECT can be
    awaited and iterated again, which reads again; anything else only once. One that is never awaited nor iterated is
    not sent, and warns of it when it is dropped.

    Raises:
        UsageError: a statement that is not a SELECT is awaited or iterated a second time.
        ConditionFailed: a condition of the statement does not hold, or an UPDATE found no item; carries the item.
        DuplicateItem: INSERT: the key is taken.
        DecodeError: an item does not fit the model.
        OutcomeUnknown: the answer of a statement that is not a SELECT was lost.
        CallError: the request failed.
    """

    def __init__(
        self,
        statement: Statement[R],
        request: Request,
        send: Send,
        turns: Turns,
        *,
        limit: int | None,
        timeout: float | None,
    ) -> None:
        self._statement = statement
        self._request = request
        self._send = send
        self._turns = turns
        self._limit = limit
        self._timeout = timeout
        self._sent = False

    def __await__(self) -> Generator[Any, Any, list[R]]:
        """All the rows, as a list; ``timeout`` is for all pages together."""
        return self._stream().rest().__await__()

    def __aiter__(self) -> RowStream[R]:
        """The rows one by one, one page in memory; ``timeout`` is for each page."""
        return self._stream()

    def _stream(self) -> RowStream[R]:
        if self._sent and self._statement.kind != "read":
            raise UsageError(f"{self!r} was sent already: call execute() again to write again")
        self._sent = True
        return RowStream(
            self._statement, self._request, self._send, self._turns, limit=self._limit, timeout=self._timeout
        )

    def __del__(self) -> None:
        if not self._sent:
            warn_unawaited(repr(self))

    def __repr__(self) -> str:
        return f"<Execution{repr(self._statement).removeprefix('<Statement')}"


@final
class RowStream(AsyncIterator[R], Generic[R]):
    """The rows of a statement, one by one. Between two rows it holds no connection and no task.

    Raises:
        DecodeError: an item does not fit the model.
        CallError: a request failed; nothing more comes after that.
    """

    def __init__(
        self,
        statement: Statement[R],
        request: Request,
        send: Send,
        turns: Turns,
        *,
        limit: int | None,
        timeout: float | None,
    ) -> None:
        self._statement = statement
        self._request: Request | None = request
        self._send = send
        self._turns = turns
        self._left = limit
        self._timeout = timeout
        self._rows: list[R] = []
        self._index = 0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> R:
        while self._index >= len(self._rows):
            if self._request is None:
                raise StopAsyncIteration
            await self._advance(self._request, self._timeout)
        row = self._rows[self._index]
        self._index += 1
        return row

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """End the stream: nothing more is read."""
        self._request, self._rows, self._index = None, [], 0

    async def rest(self) -> list[R]:
        """All that is left, as a list, within the timeout."""
        deadline = Deadline(self._timeout)
        rows = self._rows[self._index :]
        while self._request is not None:
            await self._advance(self._request, deadline.left(self._request))
            rows += self._rows
        await self.aclose()
        return rows

    async def _advance(self, request: Request, timeout: float | None) -> None:
        """Make the next page the present one, as far as the limit goes."""
        self._request, self._rows, self._index = None, [], 0  # what fails is over: a write is never sent again
        try:
            body = (await self._send(request, timeout)).body
        except ConditionFailed as error:
            add_item(error, self._statement)
            raise
        rows = await self._decoded(body)
        if self._left is not None:
            rows = rows[: self._left]
            self._left -= len(rows)
        self._rows = rows
        self._request = None if self._left == 0 else next_request(request, body)

    async def _decoded(self, body: bytes) -> list[R]:
        if len(body) > LARGE:
            return (await self._turns.run(page_in_slices(body, page_decoder(self._statement)))).items
        await self._turns.room.take(len(body), LARGE)
        return decode_rows(self._statement, body)
