"""``Context``: what a migration gets to work with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypedDict, TypeVar, Unpack, final

from dynamorm_async import Attr, Condition, Database, Table, Transaction, schema
from dynamorm_async.backfills import Backfill, BackfillResult, CopyResult, copy
from dynamorm_async.leases import Lease
from dynamorm_async.migrations.stepping import Steps

M = TypeVar("M")
S = TypeVar("S")
T = TypeVar("T")
P = ParamSpec("P")


class BackfillOptions(TypedDict, total=False):
    """What :meth:`Context.backfill` hands on to :class:`Backfill`."""

    where: Condition | None
    segments: int
    workers: int
    concurrency: int
    page_size: int
    rate: float | None
    duration: float
    marker: Attr[str | None] | str | None
    max_failures: int


class CopyOptions(TypedDict, total=False):
    """What :meth:`Context.copy` hands on to :func:`backfills.copy`."""

    where: Condition | None
    guarded: bool
    verify: bool
    segments: int
    workers: int
    concurrency: int
    page_size: int
    rate: float | None
    duration: float
    max_failures: int


@final
class Context:
    """What ``upgrade`` and ``downgrade`` get::

        async def upgrade(context: Context) -> None:
            await context.apply(users)
            await context.backfill(User, full_name)
            await context.step("greet", greet, context.db)

    A migration that was interrupted, or raised, is run again from its beginning: steps that are done are passed over, backfills
    and copies go on at their checkpoints, and ``apply`` finds what is there. What stands outside of these is done again.

    Attributes:
        db: the database.
        number: the migration's number.
        name: the name of its file, without ``.py``.
    """

    def __init__(self, db: Database, steps: Steps, *, ledger: str) -> None:
        self.db = db
        self.number = steps.record.number
        self.name = steps.record.name
        self._steps = steps
        self._ledger = ledger

    @property
    def lease(self) -> Lease:
        """The lease of the ledger, held while the migration runs: ``lease.check()``, and ``lease.token`` to fence writes with."""
        return self._steps.lease

    async def step(self, name: str, do: Callable[P, Awaitable[object]], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Do something, and write into the ledger that it is done: a migration that is resumed passes it over.

        Where the process dies after it was done and before that is written, it is done again. So it should be such that this
        does no harm (``create``, conditions, versions); :meth:`transact` is for what must not be.

        Args:
            name: the step's name, which no other step of the migration has.
            do: an async function; what it returns is dropped.
            args: what it gets.
            kwargs: what it gets by name.

        Raises:
            UsageError: another step has the name.
            LeaseLost: another process has the ledger's lease by now.
            CallError: the ledger could not be written.

        Costs a TransactWriteItems of two actions besides its own requests; nothing where it is done.
        """
        if await self._is_passed(name):
            return
        try:
            await do(*args, **kwargs)
            await self._steps.finish(name)
        except Exception as error:
            self._steps.raised(error, name)
            raise
        await self._steps.report("step", step=name)

    async def transact(self, name: str, fill: Callable[[Transaction], object], /) -> None:
        """Make writes exactly once: a step that is one transaction, together with its mark in the ledger::

            await context.transact("bonus", lambda tx: tx.update(Key(User, "acme", "u1"), User.balance.add(10)))

        Args:
            name: the step's name, which no other step of the migration has.
            fill: adds up to 98 operations to the transaction.

        Raises:
            UsageError: another step has the name, or too many operations.
            TransactionCancelled: nothing was written.
            LeaseLost: another process has the ledger's lease by now; nothing was written.
            CallError: the request failed.

        Costs one TransactWriteItems; nothing where it is done.
        """
        if await self._is_passed(name):
            return
        try:
            await self._steps.finish(name, fill)
        except Exception as error:
            self._steps.raised(error, name)
            raise
        await self._steps.report("step", step=name)

    async def plan(self, *targets: type | Table, allow: Sequence[schema.Permission] = ()) -> schema.Plan:
        """As :func:`schema.plan`."""
        return await schema.plan(self.db, *targets, allow=allow)

    async def apply(self, *targets: type | Table, allow: Sequence[schema.Permission] = ()) -> schema.Applied:
        """Make tables as they are declared: :func:`schema.plan` and :func:`schema.apply`. What is so already is left as it is.

        Args:
            targets: tables or models. A migration that declares its own ``Table`` does the same in a year as today.
            allow: what may be taken away.

        Raises:
            PlanRefused: DynamoDB cannot do it; nothing was changed.
            PlanOutdated, TableTimeout, CallError: as of :func:`schema.apply`.
            LeaseLost: another process has the ledger's lease by now.
        """
        self.lease.check()
        return await schema.apply(self.db, await self.plan(*targets, allow=allow), on_progress=self._at_work)

    async def backfill(
        self,
        model: type[M],
        change: Callable[[M], M | Awaitable[M | None] | None] | None = None,
        *,
        name: str | None = None,
        **options: Unpack[BackfillOptions],
    ) -> BackfillResult:
        """Change every item of a model: a :class:`Backfill` under the migration's name. It is no step: it has its checkpoints.

        Args:
            model: the model.
            change: gets an item and returns it changed, or ``None``.
            name: tells it from other backfills of the migration; by default the model's name.
            options: those of :class:`Backfill`. ``duration`` is by default that of the ledger's lease.

        Returns:
            What was done, also by the runs before this one.

        Raises:
            UsageError: another backfill or copy of the migration has the name; or as of :class:`Backfill`.
            BackfillFailed, BackfillMismatch, CallError: as of :meth:`Backfill.run`.
            LeaseLost: another process has the ledger's lease by now.
        """
        full = self._job_name(name or model.__name__)
        options.setdefault("duration", self.lease.duration)
        job = Backfill(self.db, model, change, name=full, bookkeeping=self._steps.writer.ledger.bookkeeping, **options)
        return await job.run(on_progress=self._at_work)

    async def copy(
        self,
        source: type[S],
        target: type[T],
        transform: Callable[[S], T | Awaitable[T | None] | None] | None = None,
        *,
        name: str | None = None,
        **options: Unpack[CopyOptions],
    ) -> CopyResult:
        """Copy the items of a model: :func:`backfills.copy` under the migration's name. It is no step: it has its checkpoints.

        Args:
            source: the model whose items are copied.
            target: the model that they become items of.
            transform: makes an item of the target from one of the source, or ``None`` to leave it out.
            name: tells it from other copies of the migration; by default the names of both models.
            options: those of :func:`backfills.copy`. ``duration`` is by default that of the ledger's lease.

        Raises:
            UsageError: another backfill or copy of the migration has the name; or as of :func:`backfills.copy`.
            BackfillFailed, BackfillMismatch, CallError: as of :func:`backfills.copy`.
            LeaseLost: another process has the ledger's lease by now.
        """
        full = self._job_name(name or f"{source.__name__} to {target.__name__}")
        options.setdefault("duration", self.lease.duration)
        books = self._steps.writer.ledger.bookkeeping
        return await copy(
            self.db, source, target, transform, name=full, bookkeeping=books, on_progress=self._at_work, **options
        )

    async def _is_passed(self, name: str) -> bool:
        self._steps.take("step", name)
        self.lease.check()
        if not self._steps.is_done(name):
            return False
        await self._steps.report("skipped", step=name)
        return True

    def _job_name(self, name: str) -> str:
        """A name that this application of the migration has alone: after a downgrade, an upgrade begins anew."""
        self._steps.take("backfill", name)
        self.lease.check()
        record = self._steps.record
        return f"migrations/{self._ledger}/{self.name}/{record.run}/{record.direction}/{name}"

    async def _at_work(self, detail: object) -> None:
        await self._steps.report("working", detail=detail)

    def __repr__(self) -> str:
        return f"<Context of {self.name}>"
