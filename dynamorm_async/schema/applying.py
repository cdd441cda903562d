"""``apply``: looks at a table, takes one step, waits until that is done, and looks again."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final, Literal, TypeAlias, TypeVar, final

import anyio
import msgspec

from dynamorm_async import (
    CallError,
    Conflict,
    Database,
    LimitExceeded,
    OutcomeUnknown,
    PlanOutdated,
    PlanRefused,
    ServerError,
    TableInUse,
    TableTimeout,
    Throttled,
    TransportError,
    UsageError,
    ValidationFailed,
)
from dynamorm_async.schema.live import LiveTable
from dynamorm_async.schema.planning import Plan, TablePlan, plan_table
from dynamorm_async.schema.reading import look
from dynamorm_async.schema.steps import Permission, Step

T = TypeVar("T")

_FIRST_PAUSE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_STEP_SECONDS: Final = 24 * 3600.0
_TRIES: Final = 4
"""How often a step is sent whose answer was lost, or that a server failed at."""
_TOO_SOON: Final = "multiple times within a fixed interval"
"""What DynamoDB says where time to live was changed less than an hour ago."""

State: TypeAlias = Literal["taking", "waiting", "done"]


@final
class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """How far ``apply`` is. ``str()`` is a line for people.

    Attributes:
        step: the step that it is about.
        state: ``taking``: it is asked for; ``waiting``: DynamoDB took it, and is at it; ``done``.
        number: which step of the plan it is, from 1.
        total: how many steps there are.
        pending: what DynamoDB is at, in words.
    """

    step: Step
    state: State
    number: int
    total: int
    pending: tuple[str, ...] = ()

    def __str__(self) -> str:
        at = f" ({', '.join(self.pending)})" if self.pending else ""
        return f"[{self.number}/{self.total}] {self.step}: {self.state}{at}"


OnProgress: TypeAlias = Callable[[Progress], Awaitable[object]]


@final
class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What ``apply`` did.

    Attributes:
        steps: the steps that were taken. Those that others had taken meanwhile are not among them.
        plan: what is left: no steps, but what was left alone is still so.
    """

    steps: tuple[Step, ...]
    plan: Plan


async def apply(
    db: Database, plan: Plan, *, on_progress: OnProgress | None = None, timeout: float = _STEP_SECONDS
) -> Applied:
    """Take the steps of a plan until the tables are as declared.

    It converges by looking: before each step it looks what is there, and after each it waits until DynamoDB is done, of an
    index until every item is in it. So it can be interrupted and run again, and several may run at once: each finds what the
    other did. What came up since the plan was made is done, too, unless it takes something away.

    Args:
        db: the database.
        plan: what :func:`plan` made.
        on_progress: an async function that is told of every step.
        timeout: seconds to wait for one step. To fill an index of a large table takes hours.

    Returns:
        The steps that were taken, and what is left alone.

    Raises:
        PlanRefused: the plan holds what DynamoDB cannot do; nothing was changed.
        PlanOutdated: a table was deleted since, or what would take something away came up; what was done is done.
        TableTimeout: a step is not done in time. DynamoDB may be at it still: run it again.
        CallError: DynamoDB refused a step, or could not be reached.

    Costs one request a step, and those of :func:`diff` before and after each, and while it is waited for, at most
    every 5 seconds.
    """
    if plan.refused:
        raise PlanRefused([str(one) for one in plan.refused])
    taken: list[Step] = []
    total = len(plan.steps)
    done: list[TablePlan] = []
    before = 0
    for table_plan in plan.tables:
        run = _Run(db, table_plan, plan.allowed, timeout=timeout, on_progress=on_progress, before=before, total=total)
        if table_plan.steps:
            done.append(await run.converge())
            taken.extend(run.taken)
        else:
            done.append(table_plan)
        before += len(table_plan.steps)
    return Applied(steps=tuple(taken), plan=Plan(tables=tuple(done), allowed=plan.allowed))


class _Run:
    """The way of one table to its declaration."""

    def __init__(
        self,
        db: Database,
        plan: TablePlan,
        allowed: frozenset[Permission],
        *,
        timeout: float,
        on_progress: OnProgress | None,
        before: int,
        total: int,
    ) -> None:
        self._db = db
        self._plan = plan
        self._allowed = allowed
        self._timeout = timeout
        self._on_progress = on_progress
        self._numbers = {step.key: before + number for number, step in enumerate(plan.steps, 1)}
        self._total = max(total, before + len(plan.steps))
        self._last = before
        self._pending: tuple[str, ...] = ()
        self._was_there = plan.steps[0].action != "create_table" if plan.steps else True
        self.taken: list[Step] = []

    async def converge(self) -> TablePlan:
        """Take one step after the other until there is none; gives the plan of what is left."""
        while True:
            live, now = await self._in_time(self._plan.steps[0], self._settled)
            todo = [step for step in now.steps if step.permission is None or self._was_read(step)]
            if not todo:
                break
            await self._in_time(todo[0], partial(self._take, live))
        if now.steps:
            raise PlanOutdated(now.name, [str(step) for step in now.steps])
        return now

    def _was_read(self, step: Step) -> bool:
        """Whether the plan has a step that takes away all that this one does."""
        return any(one.key == step.key and _takes_no_more(step, one) for one in self._plan.steps)

    async def _in_time(self, step: Step, doing: Callable[[Step], Awaitable[T]]) -> T:
        with anyio.move_on_after(self._timeout):
            return await doing(step)
        at = ", ".join(self._pending) or "it is not to be seen yet"
        raise TableTimeout(
            f"table {step.table}: {step.summary}: not done after {self._timeout:g} seconds ({at}). DynamoDB may be at it still: "
            "make and apply the plan again, which goes on from there, or wait longer with timeout=...",
            table=step.table,
            status=at,
        )

    async def _take(self, live: LiveTable | None, step: Step) -> None:
        await self._tell(step, "taking")
        pause, tries = _FIRST_PAUSE, 0
        while True:
            try:
                await self._db.call(step.operation, step.params, table=step.table)
            except CallError as error:
                seen, now = await self._settled(step)
                if step.key not in {one.key for one in now.steps}:
                    break  # somebody else took it, or it was applied and its answer was lost
                tries += _is_failure(error)
                if not (_may_pass(error) or _content(seen) != _content(live)) or tries >= _TRIES:
                    raise
                live = seen
                await anyio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            else:
                self.taken.append(step)
                await self._until_done(step)
                break
        await self._tell(step, "done")

    async def _until_done(self, step: Step) -> None:
        """Wait until a step that DynamoDB took shows, and nothing of the table is being changed."""
        pause = _FIRST_PAUSE
        while True:
            _, now = await self._settled(step)
            if step.key not in {one.key for one in now.steps}:
                return
            # DescribeTable is eventually consistent: a step that is not to be seen yet is not sent again.
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _settled(self, step: Step) -> tuple[LiveTable | None, TablePlan]:
        """The table when nothing of it is being changed, and what is to be done to it then."""
        pause = _FIRST_PAUSE
        told: tuple[str, ...] = ()
        while True:
            live = await look(self._db, self._plan.table)
            self._check_there(live)
            self._pending = () if live is None else live.pending
            if live is None or live.is_settled:
                return live, plan_table(self._plan.table, self._plan.name, live, self._allowed)
            if live.pending != told:
                told = live.pending
                await self._tell(step, "waiting", told)
            await anyio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _check_there(self, live: LiveTable | None) -> None:
        """A table that was there and is gone is not made anew, empty, behind the back of whoever deleted it."""
        if live is not None:
            self._was_there = True
        elif self._was_there:
            raise PlanOutdated(self._plan.name, ["create the table, which was there"])

    async def _tell(self, step: Step, state: State, pending: tuple[str, ...] = ()) -> None:
        self._last = self._numbers.get(step.key, self._last)
        if self._on_progress is None:
            return
        progress = Progress(step=step, state=state, number=max(self._last, 1), total=self._total, pending=pending)
        told: object = self._on_progress(progress)
        if not inspect.isawaitable(told):  # callers without a checker pass anything
            raise UsageError(f"on_progress is awaited, but it returned {told!r}: make it an async function")
        await told


def _takes_no_more(step: Step, read: Step) -> bool:
    """Whether a step takes nothing away that another one of the same kind does not; of tags, some may be gone already."""
    if step.permission != read.permission:
        return False
    if step.action == "remove_tags":
        return set(step.params["TagKeys"]) <= set(read.params["TagKeys"])
    return step.params == read.params


def _may_pass(error: CallError) -> bool:
    """Whether a step that DynamoDB refused, or that got no answer, may be taken later: something else is under way."""
    if isinstance(error, ValidationFailed):
        return _TOO_SOON in str(error)
    return _is_failure(error) or isinstance(error, TableInUse | LimitExceeded | Conflict | Throttled)


def _is_failure(error: CallError) -> bool:
    return isinstance(error, OutcomeUnknown | TransportError | ServerError)


def _content(live: LiveTable | None) -> object:
    """What is there without what changes by itself."""
    if live is None:
        return None
    return msgspec.structs.replace(
        live, description=msgspec.structs.replace(live.description, item_count=0, size_bytes=0)
    )
