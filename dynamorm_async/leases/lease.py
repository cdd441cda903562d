"""A lease by hand: acquire, renew, check, release."""

from __future__ import annotations

import math
import os
import socket
from typing import Final, final
from uuid import uuid4

import anyio

from dynamorm_async import CallError, ItemExists, LeaseLost, OutcomeUnknown, UsageError, VersionConflict
from dynamorm_async.leases.bookkeeping import Bookkeeping
from dynamorm_async.leases.reading import lease_held, lease_lost, read
from dynamorm_async.leases.record import LeaseRecord, partition_of
from dynamorm_async.leases.watch import Watch, pause

_LONGEST_NAME: Final = 1000
_TRIES: Final = 6
"""A renewal gives up after that part of the duration, so that one that hangs leaves time for others."""
_NO_TIME: Final = 1e-3


@final
class Lease:
    """The right to do something that only one may do at a time, for a while. :func:`hold` renews it by itself.

    It can be acquired again after its release. Every write of it insists on the revision that it has read or written
    before, and so on its owner and token as well.

    Args:
        bookkeeping: where leases are kept.
        name: what is leased: 1 to 1000 characters, the same for all who want it.
        duration: seconds for which it is held without a renewal, and for which others wait before they take it from one who
            is gone. Several times what a request may take, and a renewal every third of it costs little: 10 to 60.
        owner: how this holder is called in the record and in errors; by default its host and process. Something random is
            put behind it, so that no two are the same.

    Raises:
        UsageError: the name is empty or too long, or the duration is no number above 0.

    Attributes:
        name: what is leased.
        duration: as given.
        lost: set once it is known that the lease is lost; a new event with each acquisition.
        timing: the clocks that it goes by.
    """

    def __init__(
        self, bookkeeping: Bookkeeping, name: str, *, duration: float = 30.0, owner: str | None = None
    ) -> None:
        if not 0 < len(name) <= _LONGEST_NAME:
            raise UsageError(f"the name of a lease has 1 to {_LONGEST_NAME} characters, not {len(name)}")
        if not 0 < duration < math.inf:
            raise UsageError(f"lease {name!r}: duration={duration!r}: it is a number of seconds above 0")
        self.name = name
        self.duration = duration
        self.lost = anyio.Event()
        self._bookkeeping = bookkeeping
        self.timing = bookkeeping.timing
        self._called = owner or f"{socket.gethostname()}/{os.getpid()}"
        self._owner = ""
        self._watch = Watch()
        self._writes = anyio.Lock()  # a renewal in the background, and one by hand
        self._acquiring = False
        self._record: LeaseRecord | None = None  # while it is held, or was lost
        self._since = 0.0  # before the write was sent that its time counts from
        self._writing: float | None = None  # the same of a renewal of which nothing is known yet
        self._error: LeaseLost | None = None

    @property
    def token(self) -> int:
        """The fencing token: larger than that of every holder before. What you write should refuse a smaller one.

        Raises:
            UsageError: the lease was not acquired, or is released.
        """
        return self._held().token

    @property
    def owner(self) -> str:
        """How this holder is called in the record.

        Raises:
            UsageError: the lease was not acquired, or is released.
        """
        self._held()
        return self._owner

    @property
    def is_acquired(self) -> bool:
        """Whether it was acquired and not released since; it may have been lost all the same: see :meth:`check`."""
        return self._record is not None

    @property
    def remaining(self) -> float:
        """Seconds for which it is still held by this machine's own clock; 0 where it is not, or not any more."""
        if self._record is None or self._error is not None:
            return 0.0
        return max(0.0, self._since + self.duration - self.timing.seconds())

    @property
    def renews_in(self) -> float:
        """Seconds until it should be renewed: a third of its duration after it was last."""
        return max(0.0, self._since + self.duration / 3 - self.timing.seconds())

    def check(self) -> None:
        """Make sure that it is still held, just before something that only the holder may do. Costs nothing.

        Nobody knows whether the process will be paused right after; what is written should insist on the ``token`` as well.

        Raises:
            LeaseLost: its time is over by this machine's own clock, or somebody else was seen to have it.
            UsageError: it was not acquired, or is released.
        """
        self._held()
        if self._error is not None:
            raise self._error
        if self.remaining <= 0:
            raise self._lose(f"it was not renewed within its {self.duration:g} s")

    async def acquire(self, *, wait: float = 0.0) -> None:
        """Acquire it, now or as soon as it can be had.

        It can be had where it is free, and where its holder has not renewed it for its whole duration while this looked on.
        What was seen is remembered for the next call. An acquisition that is cancelled while it is written may leave the
        lease taken, for its duration.

        Args:
            wait: seconds to wait at most; ``math.inf`` for as long as it takes. With 0 there is one look.

        Raises:
            LeaseHeld: somebody else has it.
            TableNotFound: there is no such table yet: ``await bookkeeping.ensure()`` makes it.
            CallError: a request failed; while there is time left, what may be better a moment later is tried again.
            UsageError: it is acquired already.

        Costs a GetItem, consistent, and a PutItem; while it waits, about a GetItem a second.
        """
        if self._acquiring or (self.is_acquired and self._error is None):
            raise UsageError(f"lease {self.name!r} is acquired already: release it first, or make another Lease")
        self._record, self._error, self._writing, self.lost = None, None, None, anyio.Event()
        self._owner = f"{self._called}/{uuid4().hex[:12]}"
        self._acquiring = True
        try:
            await self._contend(self.timing.seconds() + wait)
        finally:
            self._acquiring = False

    async def renew(self) -> None:
        """Hold it for another whole duration from now.

        Raises:
            LeaseLost: its time was over, or somebody else has taken it.
            CallError: a request failed. The lease is held for the ``remaining`` seconds all the same; try again.
            UsageError: it was not acquired, or is released.

        Costs a PutItem; a GetItem more where an answer was lost.
        """
        async with self._writes:
            self.check()
            await self._renew(self._held())

    async def release(self) -> None:
        """Set it free, at once for all who wait. Nothing is deleted, so that the token goes on growing.

        A lease that was lost, or taken by somebody else, is left alone.

        Raises:
            CallError: the request failed; the lease ends by itself after its duration.
            UsageError: it was not acquired, or is released.

        Costs a PutItem.
        """
        async with self._writes:
            record, lost = self._held(), self._error
            self._record, self._error = None, None
            if lost is None:
                await self._release(record)

    # --- inside ------------------------------------------------------------------------------

    def _held(self) -> LeaseRecord:
        if self._record is None:
            raise UsageError(f"lease {self.name!r} is not acquired: `await lease.acquire()`, or `async with hold(...)`")
        return self._record

    def _is_mine(self, record: LeaseRecord, token: int | None) -> bool:
        return record.owner == self._owner and token in (None, record.token)

    async def _contend(self, end: float) -> None:
        """Look, and take it when it can be had, until so many seconds of the clock."""
        settled = False
        while True:
            try:
                found = await read(self._bookkeeping, self.name)
                while (next_look := self._next_look(found)) <= 0:
                    found = await self._take(found)
                    if self._record is not None:
                        return
            except CallError as error:
                if isinstance(error, OutcomeUnknown) and not settled:
                    settled = True  # by a look, for which there is always time
                    continue
                if not (error.retryable or isinstance(error, OutcomeUnknown)) or self.timing.seconds() >= end:
                    raise
                next_look = pause(self.duration, self.timing.random())
            else:
                if found is not None and self.timing.seconds() >= end:
                    raise lease_held(self.name, found, self._watch.seconds(self.timing.seconds()))
            await self.timing.sleep(max(_NO_TIME, min(next_look, end - self.timing.seconds())))

    def _next_look(self, found: LeaseRecord | None) -> float:
        """Seconds until the next look; 0 where the lease may be taken as it was found."""
        if found is None or self._is_mine(found, None):  # its own, by a request whose answer was lost
            return 0.0
        left = self._watch.see(found, self.timing.seconds())
        return min(left, pause(found.duration, self.timing.random()))

    async def _take(self, found: LeaseRecord | None) -> LeaseRecord | None:
        """Write that it is held here; where somebody else was faster, what there is now."""
        since = self.timing.seconds()
        record = found or self._bookkeeping.record(pk=partition_of(self.name))
        if not self._is_mine(record, None):
            record.token += 1
        record.owner, record.duration, record.acquired = self._owner, self.duration, self.timing.wall()
        try:
            await (self._bookkeeping.db.create(record) if found is None else self._bookkeeping.db.put(record))
        except (ItemExists, VersionConflict) as conflict:
            return await self._there(conflict.item)
        self._record, self._since = record, since
        return record

    async def _renew(self, record: LeaseRecord) -> None:
        # Of a renewal that may have been applied, the time counts from there: others may have seen it then.
        unknown, now = self._writing, self.timing.seconds()
        self._writing = since = now if unknown is None else unknown
        try:
            await self._bookkeeping.db.put(record, timeout=self._time_left())
        except VersionConflict as conflict:
            self._adopt(await self._there(conflict.item))
        except OutcomeUnknown:
            if not self._adopt(await self._there(None)):
                raise
        except CallError:  # it was not applied
            self._writing = unknown
            raise
        self._since, self._writing = since, None
        self.check()

    async def _release(self, record: LeaseRecord) -> None:
        token = record.token
        try:
            await self._free(record)
        except VersionConflict as conflict:
            found = await self._there(conflict.item)
            # Where it is still its own: a renewal whose answer was lost.
            if found is not None and self._is_mine(found, token):
                await self._free(found)

    async def _there(self, sent: object) -> LeaseRecord | None:
        """The record as it is now; ``sent`` is what DynamoDB sent with a failure, where it did."""
        if isinstance(sent, LeaseRecord):
            return sent
        return await read(self._bookkeeping, self.name, timeout=self._time_left() if self._record else None)

    def _time_left(self) -> float:
        return max(_NO_TIME, min(self.remaining, self.duration / _TRIES))

    async def _free(self, record: LeaseRecord) -> None:
        record.owner = None
        await self._bookkeeping.db.put(record)

    def _adopt(self, found: LeaseRecord | None) -> bool:
        """Go on with the lease as it is stored; whether a renewal has been applied.

        Raises:
            LeaseLost: it is not this holder's any more.
        """
        record = self._held()
        if found is None:
            raise self._lose("its record is gone from the bookkeeping table")
        if not self._is_mine(found, record.token):
            taken = f"{found.owner or 'somebody else'} has taken it, with token {found.token}"
            raise self._lose(taken)
        renewed = found.revision > record.revision
        self._record = found
        return renewed

    def _lose(self, why: str) -> LeaseLost:
        self._error = lease_lost(self.name, self.token, why)
        self.lost.set()
        return self._error

    def __repr__(self) -> str:
        state = "not held" if self._record is None else "lost" if self._error else f"token={self._record.token}"
        return f"Lease({self.name!r}, {state})"
