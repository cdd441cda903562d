"""``db.transaction()``: writes that are made all or not at all."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Generator
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Self, final

from dynamorm_async.database.access import Send
from dynamorm_async.database.awaiting import warn_unawaited
from dynamorm_async.database.succeeded import settle
from dynamorm_async.database.transacting import transact
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.updates import Update
from dynamorm_async.model.key import Key
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.transactions import MAX_ACTIONS
from dynamorm_async.plan.write import Write, item_text
from dynamorm_async.plan.writes import Writes

# The transaction whose block the running task is in: context, not state of the module.
_BLOCK: ContextVar[Transaction | None] = ContextVar("dynamorm_async_transaction", default=None)


@final
class Transaction:
    """Up to 100 writes and checks, of any models and tables, that are made all or not at all.

    As a block, sent when the block ends, and not at all where it raises::

        async with db.transaction() as tx:
            tx.create(order)
            tx.update(Key(User, "acme", "u1"), User.balance.add(-10), where=User.balance >= 10)

    Or awaited: ``await db.transaction().create(order).check(Key(Shop, "s1"), Shop.open == True)``.

    Instances take their versions and times when the transaction has succeeded. The rules are those of the same calls of
    the database. Made by ``db.transaction()``; it belongs to one task and is sent once.

    Raises:
        TransactionCancelled: when it is sent; nothing was written, and ``failures`` says which operations failed and why.
        IdempotentParameterMismatch: the token was used for other operations; of those that touch unique values perhaps for
            these, which then were applied, since the request depends on the values that are there.
        OutcomeUnknown: the answer was lost, again and again.
        UsageError: two operations on one item, more than 100 actions, more than 4 MB, one unique value for two items, or
            used after it was sent, nested, or by another task.
        CallError: the request failed.

    Costs one TransactWriteItems, which consumes twice the write capacity of the same writes; nothing where it is empty.
    An operation that touches unique values also takes part for each marker that it changes, and a GetItem before where
    the item's present values are not known.
    """

    def __init__(self, send: Send, writes: Writes, *, token: str | None, timeout: float | None) -> None:
        self._send = send
        self._writes = writes
        self._token = token
        self._timeout = timeout
        self._operations: list[Write] = []
        self._sites: list[str] = []
        self._items: dict[PlaceId, int] = {}
        self._task: asyncio.Task[Any] | None = None
        self._outer: Transaction | None = None
        self._done = ""  # why nothing can be added any more
        self._refused = False  # whether the last operation was: its error says enough

    def __repr__(self) -> str:
        return f"<Transaction of {len(self._operations)} operations>"

    def create(self, item: object, /) -> Self:
        """Write a new item; its key must be free.

        Raises:
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        """
        return self._add(lambda: self._writes.create(item))

    def put(self, item: object, /, *, where: Condition | None = None) -> Self:
        """Write an item whole, over whatever has its key; under the instance's version, where the model has one.

        Args:
            item: an instance of a model.
            where: what must hold of the item that is there.

        Raises:
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        """
        return self._add(lambda: self._writes.put(item, where=where))

    def update(self, key: Key[Any], /, *changes: Update, where: Condition | None = None, upsert: bool = False) -> Self:
        """Change some attributes of an item that is there.

        Args:
            key: which item.
            changes: such as ``User.age.add(1)``.
            where: what must hold of the item that is there.
            upsert: make the item where there is none.

        Raises:
            InvalidExpression: two changes of the same path.
        """
        return self._add(lambda: self._writes.update(key, changes, where=where, upsert=upsert))

    def save(self, item: object, /, *, where: Condition | None = None) -> Self:
        """Write what changed on an instance since it was read; nothing, where nothing changed.

        Args:
            item: an instance of a model.
            where: what must hold of the item that is there; nothing is insisted on where nothing changed.

        Raises:
            UsageError: a key attribute was changed, or ``where`` of an instance that is new.
            InvalidValue, ItemTooLarge: the item cannot be stored.
        """
        return self._add(lambda: self._writes.save(item, where=where))

    def delete(self, target: object, /, *, where: Condition | None = None, hard: bool = False) -> Self:
        """Delete an item. One that is not there is fine, unless ``where`` says otherwise.

        Of a model with ``deleted_at()`` the item is soft-deleted, and must be there and not soft-deleted yet.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.
            where: what must hold of the item that is there.
            hard: really delete, also of a model with ``deleted_at()``.

        Raises:
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
        """
        return self._add(lambda: self._writes.delete(target, where=where, hard=hard))

    def restore(self, target: object, /) -> Self:
        """Take the mark off a soft-deleted item, which must be there and soft-deleted.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model under its version.

        Raises:
            UsageError: the model has no ``deleted_at()``.
            InvalidKey: a key value is empty, too long, or of another type than its attribute.
        """
        return self._add(lambda: self._writes.restore(target))

    def check(self, target: object, /, *conditions: Condition) -> Self:
        """Insist on conditions of an item that the transaction does not write.

        Args:
            target: a :class:`Key`, or an instance; an instance of a versioned model also under its version.
            conditions: what must hold of the item that is there.

        Raises:
            UsageError: there is nothing to check.
        """
        return self._add(lambda: self._writes.check(target, conditions))

    # --- sent once: by the end of the block, or by await ------------------------------------------

    def __await__(self) -> Generator[Any, Any, None]:
        self._check_open()
        if self._task is not None:
            raise UsageError(
                "a transaction is sent when its `async with` block ends: leave the await out inside the block"
            )
        return self._commit().__await__()

    async def __aenter__(self) -> Self:
        self._check_open()
        task, outer = _running_task(), _BLOCK.get()
        if self._task is not None:
            raise UsageError("this transaction's block was entered already")
        if outer is not None and outer._task is task and not outer._done:  # noqa: SLF001 - another of the same class
            raise UsageError(
                "transactions do not nest: DynamoDB has no savepoints. Put all operations into one transaction, or end "
                "the first block before the second begins"
            )
        self._task, self._outer = task, outer
        _BLOCK.set(self)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _BLOCK.set(self._outer)
        if kind is not None:
            self._done = "its block raised, so it was not sent"
            return
        if self._task is not _running_task():
            self._done = "its block was left by another task than entered it, so it was not sent"
            raise UsageError(
                "this transaction's block was entered by one task and left by another, so nothing was sent: enter and "
                "leave it in one function, rather than in a fixture or a dependency"
            )
        await self._commit()

    def __del__(self) -> None:
        if self._operations and not (self._done or self._refused):
            more = f" and {len(self._operations) - 1} more" if len(self._operations) > 1 else ""
            warn_unawaited(f"the transaction with {self._operations[0].action}() at {self._sites[0]}{more}")

    # --- inside -----------------------------------------------------------------------------------

    async def _commit(self) -> None:
        self._done = "it was sent already"
        if not self._operations:
            return
        await transact(self._send, self._operations, token=self._token, sites=self._sites, timeout=self._timeout)
        for write in self._operations:
            settle(write)

    def _add(self, plan: Callable[[], Write | None]) -> Self:
        self._refused = True
        self._check_open()
        write = plan()
        if write is not None:
            self._take(write)
        self._refused = False
        return self

    def _take(self, write: Write) -> None:
        if len(self._operations) == MAX_ACTIONS:
            raise UsageError(f"a transaction has at most {MAX_ACTIONS} operations: DynamoDB's limit")
        site, item = _call_site(), write.place
        other = self._items.get(item)
        if other is not None:
            raise UsageError(
                f"two operations on {item_text(write.spec, write.key)} in one transaction: {self._operations[other].action} "
                f"at {self._sites[other]}, and {write.action} at {site}. DynamoDB allows one an item: put a check into the "
                "where= of the write, and all changes into one update"
            )
        self._items[item] = len(self._operations)
        self._operations.append(write)
        self._sites.append(site)

    def _check_open(self) -> None:
        if self._done:
            raise UsageError(f"this transaction cannot be used any more: {self._done}. Begin another one")
        self._check_task()

    def _check_task(self) -> None:
        if self._task is not None and self._task is not _running_task():
            raise UsageError(
                "this transaction belongs to the task that entered its block: gather results from other tasks first, and "
                "add the operations in its own"
            )


def _running_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:  # a thread without an event loop
        return None


def _call_site() -> str:
    """Where the caller wrote the operation: above ``create`` (or its like), ``_add`` and ``_take``."""
    frame = sys._getframe(4)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # the only way to a caller's line
    return f"{os.path.basename(frame.f_code.co_filename)}:{frame.f_lineno}"  # noqa: PTH119 - a name, no file access
