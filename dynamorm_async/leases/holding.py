"""``hold``: a lease for the length of a block, renewed in the background."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Final, final

import anyio
from anyio.abc import TaskGroup

from dynamorm_async import Database, DynamormError, LeaseLost
from dynamorm_async.leases.bookkeeping import Bookkeeping
from dynamorm_async.leases.lease import Lease

_RETRIES: Final = 20
"""How often a renewal that fails is tried again while the duration passes."""
_RELEASE: Final = 5.0
"""Seconds for a release at most, which a cancelled block waits for as well."""
_SHORTEST: Final = 1e-3


def hold(
    db: Database,
    name: str,
    *,
    duration: float = 30.0,
    wait: float = 60.0,
    owner: str | None = None,
    bookkeeping: Bookkeeping | None = None,
) -> Hold:
    """Hold a lease for the length of a block::

        async with hold(db, "nightly-report", wait=0) as lease:
            ...
            lease.check()
            await db.put(report, where=Report.fence < lease.token)

    It is renewed in the background every third of its duration, and again and again where that fails. When it is lost, the
    block is cancelled and ends with ``LeaseLost``. At the end it is released, also where the block raised or was cancelled.

    Args:
        db: the database.
        name: what is leased: 1 to 1000 characters, the same for all who want it.
        duration: seconds for which it is held without a renewal, and for which others wait before they take it from one who
            is gone.
        wait: seconds to wait for it at most; ``math.inf`` for as long as it takes, 0 for a single look. To take it from one
            who is gone takes a little more than the duration of that one.
        owner: how this holder is called in the record and in errors; by default its host and process.
        bookkeeping: where leases are kept; by default in the table ``dynamorm``.

    Returns:
        What to enter; it can be entered again after it was left.

    Raises:
        UsageError: the name is empty or too long, or the duration is no number above 0.
        LeaseHeld: on entering: somebody else has it.
        TableNotFound: on entering: there is no such table yet: ``await bookkeeping.ensure()`` makes it.
        LeaseLost: on leaving: it was lost while the block ran. An error of the block itself goes first.
        CallError: on entering: a request failed.

    Costs a GetItem (consistent) and a PutItem to acquire, a PutItem for each renewal, and one for the release; while it
    waits, about a GetItem a second.
    """
    return Hold(Lease(bookkeeping or Bookkeeping(db), name, duration=duration, owner=owner), wait=wait)


@final
class Hold:
    """What :func:`hold` returns. Entered, it gives the :class:`Lease`.

    Args:
        lease: which, not acquired.
        wait: as of :func:`hold`.
    """

    def __init__(self, lease: Lease, *, wait: float) -> None:
        self._lease = lease
        self._wait = wait
        self._group: TaskGroup | None = None
        self._renewing: anyio.CancelScope | None = None
        self._loss: LeaseLost | None = None

    async def __aenter__(self) -> Lease:
        await self._lease.acquire(wait=self._wait)
        # From here to the return nothing is awaited that could be cancelled.
        self._loss, self._renewing = None, anyio.CancelScope()
        self._group = anyio.create_task_group()
        await self._group.__aenter__()
        name = f"renewals of lease {self._lease.name!r}"
        self._group.start_soon(self._keep, self._group, self._renewing, name=name)
        return self._lease

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        group, renewing = self._group, self._renewing
        assert group is not None and renewing is not None, "it was entered"  # noqa: S101, PT018 - an invariant of this class
        renewing.cancel()
        cancelled = isinstance(error, anyio.get_cancelled_exc_class())
        try:
            # The group would wrap an error of the block; a cancellation is its business, which may be its own.
            given = (kind, error, trace) if cancelled else (None, None, None)
            swallowed = bool(await group.__aexit__(*given))
        finally:
            loss = self._ending()
            if loss is None and self._lease.is_acquired:
                await self._release()
        if loss is not None and (error is None or swallowed):
            raise loss
        return swallowed

    def _ending(self) -> LeaseLost | None:
        """How the lease was lost, if it was; also where its time was over before the block was."""
        if self._loss is None and self._lease.is_acquired:
            try:
                self._lease.check()
            except LeaseLost as lost:
                self._loss = lost
        return self._loss

    async def _release(self) -> None:
        # Where it fails, the lease ends by itself: what the block did is done.
        with anyio.move_on_after(_RELEASE, shield=True), suppress(DynamormError):
            await self._lease.release()

    async def _keep(self, group: TaskGroup, renewing: anyio.CancelScope) -> None:
        """Renew until the block ends; where that fails for too long, end the block."""
        with renewing:
            self._loss = await self._renewed()
            if self._loss is not None:
                group.cancel_scope.cancel()

    async def _renewed(self) -> LeaseLost | None:
        """Renew again and again; how the lease was lost, or ``None`` where the block has released it."""
        lease, sleep = self._lease, self._lease.timing.sleep
        pause = lease.renews_in
        failure: Exception | None = None
        while True:
            await sleep(max(_SHORTEST, min(pause, lease.remaining)))
            if not lease.is_acquired:
                return None
            try:
                await lease.renew()
            except LeaseLost as lost:
                if lost.__cause__ is None:
                    lost.__cause__ = failure
                return lost
            # Whatever it is, keys that cannot be had or a database that was closed: there is time left to try again.
            except Exception as error:  # noqa: BLE001 - as said above
                failure, pause = error, lease.duration / _RETRIES
            else:
                failure, pause = None, lease.renews_in
