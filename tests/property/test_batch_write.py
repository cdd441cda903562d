"""A batch leaves the tables as the same calls one after the other would, and accounts for every operation once."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import (
    BatchProgress,
    BatchReport,
    BatchWriteFailed,
    ConnectionLost,
    Key,
    Throttled,
    VersionConflict,
)
from dynamorm_async.database import batch_operations
from dynamorm_async.types import Request
from tests.property.fake_writes import FakeStore, Identity, Kept, Number, Row, batch_of


@attrs.frozen
class Step:
    """One operation: a put with its own text, or a delete; afterwards some turns of the loop."""

    number: int
    table: str
    key: int
    delete: bool
    turns: int

    @property
    def target(self) -> Identity:
        return ("numbers", Decimal(self.key), None) if self.table == "numbers" else ("rows", "a", Decimal(self.key))

    @property
    def instance(self) -> Row | Number:
        text = str(self.number)
        if self.table == "rows":
            return Row(pk="a", sk=self.key, text=text)
        return Number(number=Decimal(f"{self.key}.{'0' * (self.number % 3)}"), text=text)

    @property
    def operation_key(self) -> Key[Row] | Key[Number]:
        return Key(Row, "a", self.key) if self.table == "rows" else Key(Number, Decimal(self.key))


@st.composite
def steps(draw: st.DrawFn) -> list[Step]:
    keys = draw(st.integers(1, 12))
    raw = draw(
        st.lists(
            st.tuples(st.sampled_from(["rows", "numbers"]), st.integers(0, keys), st.booleans(), st.integers(0, 9)),
            max_size=60,
        )
    )
    return [Step(n, table, key, delete, max(0, turns - 5)) for n, (table, key, delete, turns) in enumerate(raw)]


@attrs.frozen
class Run:
    """What a run left behind."""

    store: FakeStore
    report: BatchReport
    added: list[Step]
    error: BatchWriteFailed | None
    progress: list[BatchProgress]


def run(
    taken: list[Step], *, seed: int, chunk: int, concurrency: int, left: float, lost: Callable[[Request], None]
) -> Run:
    """Make the operations as one batch, of chunks of a random size, with answers that come in a random order."""
    chance = random.Random(seed)  # noqa: S311 - a test's own chance
    store, progress, added = FakeStore(), list[BatchProgress](), list[Step]()
    store.turns = lambda: chance.randrange(8)
    store.leaves = lambda sent: [target for target in sent if chance.random() < left]

    async def tell(told: BatchProgress) -> None:
        await asyncio.sleep(0)
        progress.append(told)

    async def whole() -> Run:
        batch = batch_of(store, concurrency=concurrency, on_progress=tell, random=chance.random)
        error = None
        try:
            async with batch:
                for step in taken:
                    added.append(step)
                    await (batch.delete(step.operation_key) if step.delete else batch.put(step.instance))
                    for _ in range(step.turns):
                        await asyncio.sleep(0)
        except BatchWriteFailed as caught:
            error = caught
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert store.in_flight == 0
        return Run(store, batch.report, added, error, progress)

    store.after = lost
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(batch_operations, "MAX_OPERATIONS", chunk)
        done = asyncio.run(whole())
    assert store.most_in_flight <= concurrency
    assert all(size <= chunk for size in store.sizes)
    assert [p.written for p in progress] == sorted(p.written for p in progress)
    return done


def in_order(taken: list[Step]) -> dict[Identity, str]:
    """What the operations leave, one after the other."""
    items: dict[Identity, str] = {}
    for step in taken:
        if step.delete:
            items.pop(step.target, None)
        else:
            items[step.target] = str(step.number)
    return items


def never(_request: Request) -> None:
    """No answer is lost."""


@given(
    steps(), st.integers(), st.integers(1, 7), st.integers(1, 4), st.sampled_from([0.0, 0.0, 0.3, 0.6])
)  # at 0.6, eight fruitless answers in a row are rare, but they happen
def test_the_last_operation_on_each_item_wins(
    taken: list[Step], seed: int, chunk: int, concurrency: int, left: float
) -> None:
    """Whatever the chunks, the order of the answers, and what they leave unprocessed."""
    done = run(taken, seed=seed, chunk=chunk, concurrency=concurrency, left=left, lost=never)
    accounted(done)
    if done.error is None:
        assert done.report.unprocessed == ()
        assert done.report.written + done.report.replaced == len(taken)
        assert done.store.texts() == in_order(taken)
        assert not done.progress or done.progress[-1].pending == 0
    else:
        assert left
        assert isinstance(done.error.__cause__, Throttled)


@given(steps(), st.integers(), st.integers(1, 7), st.integers(1, 4), st.integers(1, 12))
def test_a_failure_loses_nothing(taken: list[Step], seed: int, chunk: int, concurrency: int, which: int) -> None:
    """The answer of a request is lost: what is not in the report's unprocessed is in the tables."""
    count = 0

    def lost(request: Request) -> None:
        nonlocal count
        count += 1
        if count == which:
            raise ConnectionLost("lost", operation=request.operation, sent=True)

    done = run(taken, seed=seed, chunk=chunk, concurrency=concurrency, left=0.2, lost=lost)
    accounted(done)
    assert (done.error is not None) == bool(done.report.unprocessed)
    unsure = {target_of(operation.key) for operation in done.report.unprocessed}
    wanted, found = in_order(done.added), done.store.texts()
    for target in {step.target for step in done.added} - unsure:
        assert found.get(target) == wanted.get(target)


def target_of(key: Key[object]) -> Identity:
    if key.model is Row:
        return "rows", key.values[0], Decimal(str(key.values[1]))
    return "numbers", key.values[0], None


def accounted(done: Run) -> None:
    """Each operation that was added is written, replaced, unprocessed or failed; those unprocessed are in order."""
    report = done.report
    assert report.written + report.replaced + len(report.unprocessed) + len(report.failed) == len(done.added)
    numbers = [step for step in done.added if not step.delete]
    texts = [str(step.number) for step in numbers]
    left = [operation.item.text for operation in report.unprocessed if operation.kind == "put"]
    assert left == sorted(left, key=texts.index)
    assert not Counter(left) - Counter(texts)
    if done.error is not None:
        assert done.error.report == report
        assert isinstance(done.error.__cause__, ConnectionLost | Throttled)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.integers(0, 4)), max_size=25),
    st.integers(),
    st.integers(1, 4),
)
def test_versioned_instances_are_written_as_one_after_the_other(
    taken: list[tuple[int, bool, int]], seed: int, concurrency: int
) -> None:
    """Two instances of each of two items, put and deleted in any order: the same conflicts, versions and items."""
    chance = random.Random(seed)  # noqa: S311 - a test's own chance
    store, mine, versions = FakeStore(), instances(), [0] * 4
    store.turns = lambda: chance.randrange(6)
    table: dict[str, tuple[int, int]] = {}
    conflicts: list[int] = []
    for number, (which, delete, _) in enumerate(taken):
        pk = "ab"[which % 2]
        found = table[pk][0] if pk in table else 0
        if found != versions[which] and (not delete or pk in table):
            conflicts.append(number)
        elif delete:
            table.pop(pk, None)
        else:
            versions[which] += 1
            table[pk] = versions[which], number

    async def whole() -> BatchReport:
        batch = batch_of(store, concurrency=concurrency)
        try:
            async with batch:
                for number, (which, delete, turns) in enumerate(taken):
                    mine[which].text = str(number)
                    await (batch.delete(mine[which]) if delete else batch.put(mine[which]))
                    for _ in range(turns):
                        await asyncio.sleep(0)
        except BatchWriteFailed as error:
            return error.report
        return batch.report

    report = asyncio.run(whole())
    assert [instance.revision for instance in mine] == versions
    assert store.texts() == {("kept", pk, None): str(number) for pk, (_, number) in table.items()}
    assert len(report.failed) == len(conflicts)
    assert all(isinstance(failure.error, VersionConflict) for failure in report.failed)
    assert (report.written, report.replaced, report.unprocessed) == (len(taken) - len(conflicts), 0, ())


def instances() -> list[Kept]:
    return [Kept(pk="ab"[which % 2]) for which in range(4)]
