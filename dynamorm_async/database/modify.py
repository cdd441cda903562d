"""``modify``: read, change, save under the version, and again after a conflict."""

from __future__ import annotations

import inspect
import random as random_module
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar, cast

import anyio
import msgspec

from dynamorm_async.database.access import Send
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.database.noting import Note, no_note
from dynamorm_async.database.succeeded import settle
from dynamorm_async.database.writing import send_write
from dynamorm_async.errors import (
    CallError,
    CallTimeout,
    ItemNotFound,
    OutcomeUnknown,
    UsageError,
    VersionConflict,
)
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import ModelSpec, spec_of, spec_of_instance
from dynamorm_async.plan.arguments import check_positive, no_key
from dynamorm_async.plan.items import get_item
from dynamorm_async.plan.settling import was_applied
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes
from dynamorm_async.transport.retry import full_jitter

M = TypeVar("M")

# Seconds. The pauses grow until as many callers as there are fit into them: two seconds hold some hundreds.
_BASE = 0.025
_CAP = 2.0


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How a call waits between its attempts.

    Attributes:
        sleep: waits for a number of seconds.
        clock: seconds, monotonic.
        random: a number from 0 up to 1, each time another.
    """

    sleep: Callable[[float], Awaitable[object]] = anyio.sleep
    clock: Callable[[], float] = anyio.current_time
    random: Callable[[], float] = random_module.random


class Modification(Generic[M]):
    """One call of ``Database.modify``.

    Args:
        send: sends a request.
        writes: plans the saves.
        key: which item.
        change: changes the instance in place; a function, or one that returns an awaitable.
        attempts: how many times to read, change and save, at most.
        timeout: seconds for all of it; ``None`` for no bound besides the attempts and those of each request.
        pace: how to wait.
        note: takes what was read, to be counted.

    Raises:
        UsageError: the key or the function is none, its model has no version, or there is to be no attempt.
        InvalidKey: a key value is missing, empty, or of another type than its attribute.
    """

    def __init__(
        self,
        send: Send,
        writes: Writes,
        key: Key[M],
        change: Callable[[M], object],
        *,
        attempts: int,
        timeout: float | None,
        pace: Pace | None = None,
        note: Note = no_note,
    ) -> None:
        self._spec = _versioned(key)
        if not callable(change):
            raise UsageError(f"modify() takes a function that changes the item, got {change!r}")
        check_positive(attempts, f"modify(attempts={attempts!r})")
        self._send = send
        self._writes = writes
        self._change = change
        self._attempts = attempts
        self._pace = pace or Pace()
        self._note = note
        self._deadline = Deadline(timeout, clock=self._pace.clock)
        self._table = writes.table(self._spec)
        raw_key, sealed = self._spec.codec.encode_key(*key.values), self._spec.sealed(self._table)
        self._read = get_item(self._table, raw_key, consistent=True, sealed=sealed)
        self._lost: list[tuple[Write, OutcomeUnknown]] = []

    async def run(self) -> M:
        """Read, change, save; again after a conflict. Raises as ``Database.modify`` says."""
        attempt = 1
        while True:
            item = await self._current(attempt)
            if item is None:
                return self._written()
            self._note(item)
            await self._apply(item)
            failure = await self._save(item)
            if failure is None:
                return item
            if isinstance(failure, VersionConflict):
                failure.attempts = attempt
            if not await self._pause(attempt):
                if self._lost and await self._current(attempt) is None:
                    return self._written()
                raise failure
            attempt += 1

    async def _save(self, item: M) -> CallError | None:
        """Save the item; what another attempt may help against."""
        write = self._writes.save(item)
        if write is None:
            return None
        try:
            await send_write(self._send, write, self._deadline.left(write.request))
        except VersionConflict as conflict:
            return conflict
        except OutcomeUnknown as unknown:
            self._lost.append((write, unknown))
            return unknown
        return None

    async def _current(self, attempt: int) -> M | None:
        """The item to change; ``None`` where it turns out that a save whose answer was lost has been applied.

        Raises:
            ItemNotFound: there is no item.
            OutcomeUnknown: it cannot be told whether such a save has been applied.
        """
        if not self._lost:
            item = await self._get()
            if item is None:
                message = f"there is no {self._spec.name} with this key"
                raise ItemNotFound(message, operation=self._read.operation, table=self._table, attempts=attempt)
            return item
        unknown = self._lost[-1][1]
        try:
            item = await self._get()
        # Also no keys, whatever their provider raises, and an item that does not fit: not a word on the save.
        except Exception as failure:  # noqa: BLE001 - as said above
            unknown.add_note(f"reading the item to find out failed as well: {failure}")
            raise unknown from unknown.__cause__
        return self._settled(item, unknown)

    def _settled(self, item: M | None, unknown: OutcomeUnknown) -> M | None:
        """As :meth:`_current`, from the item as it is after a save whose answer was lost."""
        there = None if item is None else spec_of_instance(item).codec.known(item)
        verdicts = [was_applied(write, None if there is None else there.held) for write, _ in self._lost]
        if True in verdicts:
            self._lost = [self._lost[verdicts.index(True)]]
            return None
        if item is None or None in verdicts:
            if self._spec.updated_at is None:
                unknown.add_note(
                    f"without an updated_at() attribute, nothing on {self._spec.name} tells whose write it was"
                )
            raise unknown from unknown.__cause__
        # Should one that was not applied still arrive, either it or the next save fails its condition; not so once
        # somebody else has made its version.
        found = _version_of(self._spec, item)
        self._lost = [entry for entry in self._lost if entry[0].expected == found]
        return item

    def _written(self) -> M:
        """The instance whose save was applied, though its answer was lost."""
        write = self._lost[-1][0]
        settle(write)
        return cast("M", write.instance)

    async def _get(self) -> M | None:
        response = await self._send(self._read, self._deadline.left(self._read))
        return self._spec.reader.decode_get(response.body)

    async def _apply(self, item: M) -> None:
        """Let the caller change the item."""
        version = _version_of(self._spec, item)
        result = self._change(item)
        if inspect.isawaitable(result):
            result = await self._in_time(result)
        if isinstance(result, self._spec.cls) and result is not item:
            raise UsageError(
                f"modify(): the function returned another {self._spec.name}, which would not be saved: change the one that "
                "it is given, in place"
            )
        if _version_of(self._spec, item) != version:
            raise UsageError(
                f"modify(): the function changed {self._spec.name}.{_version_name(self._spec)}: every save moves the "
                "version by itself"
            )

    async def _in_time(self, awaitable: Awaitable[object]) -> object:
        """What the awaitable gives, within the call's time; it is cancelled when that is over."""
        result: object = None
        with anyio.move_on_after(self._deadline.left(self._read)) as scope:
            result = await awaitable
        if scope.cancelled_caught:
            raise CallTimeout(
                "modify(): the function that changes the item took longer than what was left of the call's time",
                operation=self._read.operation,
                table=self._table,
            )
        return result

    async def _pause(self, attempt: int) -> bool:
        """Wait a random time before the next attempt; ``False`` at once where there is none, or no time for it."""
        if attempt >= self._attempts:
            return False
        seconds = full_jitter(attempt, self._pace.random, base=_BASE, cap=_CAP)
        if not self._deadline.fits(seconds):
            return False
        await self._pace.sleep(seconds)
        return True


def _versioned(key: Key[M]) -> ModelSpec[M]:
    if not isinstance(key, Key):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
        raise UsageError(f"modify() takes a Key, such as Key(User, 'acme', 'u1'), got {no_key(key)}")
    spec = spec_of(key.model)
    if spec.version is None:
        raise UsageError(
            f"modify() of {spec.name}: the model has no version() attribute, so a save cannot tell whether somebody else "
            "wrote in between. Add one, or use update() with a condition"
        )
    return spec


def _version_name(spec: ModelSpec[Any]) -> str:
    assert spec.version is not None, "checked when the call was made"  # noqa: S101 - an invariant of Modification
    return spec.version.name


def _version_of(spec: ModelSpec[Any], item: object) -> int:
    version: int = getattr(item, _version_name(spec))
    return version
