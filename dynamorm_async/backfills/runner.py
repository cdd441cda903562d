"""One process's part of a backfill: take segments by lease, and work on each page by page."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeAlias, final

import anyio
import msgspec

from dynamorm_async import BackfillFailed, Database, LeaseHeld, LeaseLost
from dynamorm_async.backfills.board import Board
from dynamorm_async.backfills.rate import TokenBucket
from dynamorm_async.backfills.reading import Found, SegmentReader
from dynamorm_async.backfills.records import Place, Records, Segment, failure_sort
from dynamorm_async.backfills.results import BackfillResult, Counts, Progress
from dynamorm_async.backfills.together import for_each, together
from dynamorm_async.backfills.work import Done, Poisonous, Work
from dynamorm_async.codec.hidden import MASK
from dynamorm_async.leases import Bookkeeping, Lease, hold

OnProgress: TypeAlias = Callable[[Progress], object]
"""A function, sync or async, that is told how far a backfill is, after each page of this process."""


@final
class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a process works on a backfill. All but the name may differ between processes.

    Attributes:
        name: the backfill's name.
        workers: segments at the same time.
        concurrency: items of a segment at the same time.
        duration: seconds that a lease of a segment is good for.
        max_failures: how many items may fail before the run ends.
    """

    name: str
    workers: int
    concurrency: int
    duration: float
    max_failures: int


@final
class Runner:
    """Works on a backfill until it is done, with whoever else does.

    Args:
        db: the database.
        bookkeeping: where the leases are.
        reader: reads the items.
        work: what is done with each.
        records: the records of the backfill.
        settings: how to work on it.
        bucket: bounds what is consumed.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        db: Database,
        bookkeeping: Bookkeeping,
        *,
        reader: SegmentReader[Any],
        work: Work,
        records: Records,
        settings: Settings,
        bucket: TokenBucket,
        clock: Callable[[], float] = anyio.current_time,
    ) -> None:
        self._db = db
        self._bookkeeping = bookkeeping
        self._reader = reader
        self._work = work
        self._records = records
        self._settings = settings
        self._bucket = bucket
        self._clock = clock

    async def run(self, declared: Mapping[str, str | int], on_progress: OnProgress | None) -> BackfillResult:
        """Begin the backfill or join it, and work until every segment is done.

        Args:
            declared: what has to be the same in every process.
            on_progress: is told how far it is.

        Raises:
            BackfillMismatch: it was begun with other settings.
            BackfillFailed: items could not be changed, or the backfill was reset meanwhile.
            CallError: a request failed.
        """
        await self._bookkeeping.ensure()
        described = await self._db.tables.describe(self._reader.spec.cls)
        job = await self._records.begin(declared, segments=self._reader.segments, items=described.item_count)
        began = self._clock()
        board = Board(self._settings.name, job, self._records, clock=self._clock)
        found = await board.look()
        if found.failures:
            await self._retry(board)

        async def worker() -> None:
            while (number := await board.choose()) is not None:
                with board.taking(number):
                    await self._segment(board, number, on_progress)

        await together(self._settings.workers, worker)
        await self._records.finish(job)
        found = await board.look()
        counts = found.counts
        result = BackfillResult(
            scanned=counts.scanned,
            changed=counts.changed,
            skipped=counts.skipped,
            conflicts=counts.conflicts,
            failed=len(found.failures),
            seconds=self._clock() - began,
            capacity=counts.capacity,
        )
        if found.failures:
            self._fail(board, f"{len(found.failures)} items were left as they were; all others are done", result)
        return result

    # --- segments ---------------------------------------------------------------------------------

    async def _segment(self, board: Board, number: int, on_progress: OnProgress | None) -> None:
        """Work on a segment until it is done, where it can be had."""
        # One that others hold is waited for: either they finish it, or they are gone and their lease ends.
        wait = 2 * self._settings.duration if board.is_busy(number) else 0
        lease_name = f"backfill/{self._settings.name}/{number}"
        try:
            async with hold(
                self._db, lease_name, duration=self._settings.duration, wait=wait, bookkeeping=self._bookkeeping
            ) as lease:
                if wait:  # what was seen before is old: the failures of who had it, or a reset, came since
                    await board.look()
                await self._pages(board, number, lease, on_progress)
        # Lost is by a pause that was longer than the lease: whoever has it goes on at the checkpoint.
        except (LeaseHeld, LeaseLost) as error:
            if error.name != lease_name:  # of a lease of the caller's, which ends the run
                raise
            board.note_busy(number)

    async def _pages(self, board: Board, number: int, lease: Lease, on_progress: OnProgress | None) -> None:
        segment = await self._records.claim(board.job, number, lease.token)
        while segment is not None and not segment.done:
            board.note(segment)
            segment = await self._page(board, segment, lease)
            if segment is not None:
                board.note(segment)
                if on_progress is not None:
                    told = on_progress(board.progress())
                    if inspect.isawaitable(told):
                        await told
        if segment is None:  # somebody else has it, or the backfill was reset: to look tells
            await board.look()

    async def _page(self, board: Board, before: Segment, lease: Lease) -> Segment | None:
        """Work on one page and write the checkpoint; ``None`` where somebody else has taken the segment over."""
        await self._bucket.ready()
        with self._db.measure(capacity="total") as meter:
            page = await self._reader.page(before.number, before.position)
        used = meter.statistics.capacity.units
        self._bucket.spend(used)
        counts = [Counts(scanned=page.scanned, capacity=used)]

        async def item(found: Found[Any]) -> None:
            counts.append(await self._item(board, found, (before.number, before.pages)))

        await for_each(page.found, item, tasks=self._settings.concurrency)
        after = Segment(
            number=before.number,
            token=before.token,
            pages=before.pages + 1,
            position=page.last_key,
            done=page.last_key is None,
            counts=sum(counts, before.counts),
        )
        lease.check()
        return after if await self._records.checkpoint(board.job, before, after) else None

    async def _item(self, board: Board, found: Found[Any], place: Place) -> Counts:
        """Work on one item; one that cannot be changed is recorded before its page is done."""
        await self._bucket.ready()
        with self._db.measure(capacity="total") as meter:
            done = await self._tried(board, found, place)
        used = meter.statistics.capacity.units
        self._bucket.spend(used)
        if done is None:
            return Counts(capacity=used)
        return Counts(changed=done.changed, skipped=not done.changed, conflicts=done.conflicts, capacity=used)

    async def _tried(self, board: Board, found: Found[Any], place: Place) -> Done | None:
        sort = failure_sort(found.key)
        try:
            done = await self._work(found)
        except Poisonous as poisonous:
            board.note_failure(await self._records.note_failure(found.key, poisonous.error, place))
        else:
            if board.is_failed(sort):
                await self._records.drop_failure(sort)
                board.drop_failure(sort)
            return done
        if board.failed > self._settings.max_failures:
            await board.look()
            self._fail(board, f"more than max_failures={self._settings.max_failures} items could not be changed")
        return None

    # --- items that failed before -----------------------------------------------------------------

    async def _retry(self, board: Board) -> None:
        """Try the items again that failed in earlier runs, unless another process is at it.

        What they come to is counted by a record like that of a segment, which comes after all segments and is never done.
        """
        name = f"backfill/{self._settings.name}/failures"
        try:
            async with hold(
                self._db, name, duration=self._settings.duration, wait=0, bookkeeping=self._bookkeeping
            ) as lease:
                before = await self._records.claim(board.job, board.job.segments, lease.token)
                if before is None:
                    return
                counts = before.counts
                there = await board.look()
                for failed in (one for one in there.failures.values() if there.is_passed(one.place)):
                    lease.check()
                    found = await self._reader.item(failed.key)
                    if found is None:
                        await self._records.drop_failure(failed.sort)
                        board.drop_failure(failed.sort)
                    else:
                        counts += await self._item(board, found, failed.place)
                after = msgspec.structs.replace(before, pages=before.pages + 1, counts=counts)
                await self._records.checkpoint(board.job, before, after)
        except (LeaseHeld, LeaseLost) as error:
            if error.name != name:
                raise
            # Another process tries them.

    def _fail(self, board: Board, why: str, result: BackfillResult | None = None) -> NoReturn:
        name = self._settings.name
        failures = [failed.failure for failed in board.snapshot.failures.values()]
        if self._reader.spec.secret_key:
            failures = [msgspec.structs.replace(failure, key=dict.fromkeys(failure.key, MASK)) for failure in failures]
        message = f"the backfill {name!r}: {why}. Mend the items or the change, and run it again"
        raise BackfillFailed(message, name=name, failures=failures, result=result)
