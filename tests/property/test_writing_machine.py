"""Random writes, one by one, in batches and in transactions, against two engines and against a dict: they agree."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

import attrs
import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from dynamorm_async import (
    BatchReport,
    BatchWriteFailed,
    ConditionFailed,
    Database,
    DynamormError,
    ItemNotFound,
    Key,
    NotUnique,
    Transaction,
    TransactionCancelled,
    Update,
    UsageError,
)
from dynamorm_async.database.batch_write import BatchWrite
from tests.contract.differences import differs
from tests.engines import endpoint_of
from tests.property.sizing import examples
from tests.property.writing_oracle import Oracle, Place, Refusal, Row, Tally, Thing

T = TypeVar("T")

STEPS = 20

places = st.tuples(st.sampled_from("ab"), st.integers(0, 2))
codes = st.sampled_from([None, "x", "y", "z"])
counts = st.integers(-3, 9)
rows = st.builds(
    Row,
    name=st.sampled_from(["nobody", "Ada", "a -- b; DROP"]),
    count=counts,
    labels=st.dictionaries(st.sampled_from("pqr"), counts, max_size=3),
    code=codes,
)


@attrs.frozen
class Operation:
    """One operation: on the oracle, and as an item call, a part of a transaction, or of a batch.

    Attributes:
        item: what it is about; a transaction has one operation an item.
        model: makes it on the oracle.
        call: makes it on the database.
        join: adds it to a transaction.
        enlist: adds it to a batch; ``None`` for those that batches do not have.
        code: the code that it gives to its item, if any.
        thing: the instance that it writes, if any: after success it is what the table has.
    """

    item: object
    model: Callable[[Oracle], Refusal]
    call: Callable[[Database], Coroutine[Any, Any, object]] | None
    join: Callable[[Transaction], object]
    enlist: Callable[[BatchWrite], Coroutine[Any, Any, object]] | None = None
    code: str | None = None
    thing: Thing | None = None


def thing_of(place: Place, row: Row) -> Thing:
    shelf, number = place
    return Thing(shelf=shelf, number=number, name=row.name, count=row.count, labels=dict(row.labels), code=row.code)


def row_of(thing: Thing) -> Row:
    return Row(thing.name, thing.count, dict(thing.labels), thing.code, thing.revision)


def creation(place: Place, row: Row) -> Operation:
    thing = thing_of(place, row)
    return Operation(
        place,
        lambda oracle: oracle.create(place, row),
        lambda db: db.create(thing),
        lambda tx: tx.create(thing),
        code=row.code,
        thing=thing,
    )


def replacement(place: Place, thing: Thing) -> Operation:
    row = row_of(thing)
    return Operation(
        place,
        lambda oracle: oracle.put(place, row),
        lambda db: db.put(thing),
        lambda tx: tx.put(thing),
        lambda batch: batch.put(thing),
        code=row.code,
        thing=thing,
    )


def saving(place: Place, thing: Thing, before: Row) -> Operation:
    row = row_of(thing)
    return Operation(
        place,
        lambda oracle: oracle.save(place, row, before),
        lambda db: db.save(thing),
        lambda tx: tx.save(thing),
        code=row.code if row.code != before.code else None,
        thing=thing,
    )


def change(place: Place, add: int, code: str | None, at_least: int | None, *, upsert: bool, coded: bool) -> Operation:
    updates: list[Update] = [Thing.count.add(add), *([Thing.code.set(code)] if coded else [])]
    where = None if at_least is None else Thing.count >= at_least
    key = Key(Thing, *place)
    return Operation(
        place,
        lambda oracle: oracle.update(place, add=add, code=code, at_least=at_least, upsert=upsert, keeps_code=not coded),
        lambda db: db.update(key, *updates, where=where, upsert=upsert),
        lambda tx: tx.update(key, *updates, where=where, upsert=upsert),
        code=code if coded else None,
    )


def checking(place: Place, at_least: int) -> Operation:
    condition = Thing.count >= at_least
    return Operation(
        place,
        lambda oracle: oracle.check(place, at_least),
        None,
        lambda tx: tx.check(Key(Thing, *place), condition),
    )


def deletion(place: Place, thing: Thing | None) -> Operation:
    target: Any = Key(Thing, *place) if thing is None else thing
    revision = None if thing is None else thing.revision
    return Operation(
        place,
        lambda oracle: oracle.delete(place, revision=revision),
        lambda db: db.delete(target),
        lambda tx: tx.delete(target),
        lambda batch: batch.delete(target),
    )


def tally_put(name: str, value: int) -> Operation:
    def model(oracle: Oracle) -> None:
        oracle.tallies[name] = value

    tally = Tally(name=name, value=value)
    return Operation(name, model, lambda db: db.put(tally), lambda tx: tx.put(tally), lambda batch: batch.put(tally))


def tally_delete(name: str) -> Operation:
    def model(oracle: Oracle) -> None:
        oracle.tallies.pop(name, None)

    key = Key(Tally, name)
    return Operation(name, model, lambda db: db.delete(key), lambda tx: tx.delete(key), lambda batch: batch.delete(key))


def tally_add(name: str, amount: int) -> Operation:
    def model(oracle: Oracle) -> None:
        oracle.tallies[name] = oracle.tallies.get(name, 0) + amount

    key, adding = Key(Tally, name), Tally.value.add(amount)
    return Operation(
        name,
        model,
        lambda db: db.update(key, adding, upsert=True),
        lambda tx: tx.update(key, adding, upsert=True),
    )


names = st.sampled_from(["t", "u", "v", "w"])
tally_writes = st.one_of(st.builds(tally_put, names, counts), st.builds(tally_delete, names))
free_writes = st.one_of(
    st.builds(creation, places, rows),
    st.builds(change, places, counts, codes, st.none() | counts, upsert=st.booleans(), coded=st.booleans()),
    st.builds(deletion, places, st.none()),
    st.builds(tally_add, names, counts),
    tally_writes,
)


class Writing(RuleBasedStateMachine):
    """The machine. Instances in hand are what was read or written before, fresh or stale by now."""

    runner: asyncio.Runner
    db: Database
    returns_items: bool  # whether a failed condition of a call of its own tells what was there

    def __init__(self) -> None:
        super().__init__()
        self.oracle = Oracle()
        self.hand: dict[Place, Thing] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        self.run(self.clear())

    def in_hand(self, data: st.DataObject, *, changed: bool) -> tuple[Place, Thing, Row]:
        """A copy of an instance in hand, changed or not, and what it was."""
        place = data.draw(places)
        known = self.hand.get(place)
        thing = thing_of(place, Row()) if known is None else copy.deepcopy(known)
        before = row_of(thing)
        if changed:
            row = data.draw(rows)
            thing.name, thing.count, thing.labels, thing.code = row.name, row.count, dict(row.labels), row.code
        return place, thing, before

    def drawn(self, data: st.DataObject) -> Operation:
        """Any operation."""
        kind = data.draw(st.sampled_from(["free", "put", "save", "delete"]))
        if kind == "free":
            return data.draw(free_writes)
        place, thing, before = self.in_hand(data, changed=kind != "delete")
        if kind == "put":
            return replacement(place, thing)
        if kind == "delete":
            return deletion(place, thing)
        return saving(place, thing, before) if place in self.hand else creation(place, row_of(thing))

    # --- rules ----------------------------------------------------------------------------------

    @rule(data=st.data())
    def one_call(self, data: st.DataObject) -> None:
        operation = self.drawn(data)
        assert operation.call is not None
        expected = operation.model(self.oracle)
        outcome = self.outcome(operation.call(self.db))
        if expected is ConditionFailed and not self.returns_items:
            assert outcome in (ConditionFailed, ItemNotFound)
        else:
            assert outcome is expected
        if expected is None:
            self.keep([operation])

    @rule(data=st.data(), length=st.integers(1, 4), checked=st.none() | st.tuples(places, counts))
    def transaction(self, data: st.DataObject, length: int, checked: tuple[Place, int] | None) -> None:
        """All or nothing; every operation that would have failed by itself is named, and no other."""
        operations = [self.drawn(data) for _ in range(length)]
        if checked is not None:
            operations.append(checking(*checked))
        operations = list({operation.item: operation for operation in operations}.values())
        given = [operation.code for operation in operations if operation.code is not None]
        # Each is judged against what was there before the transaction; codes may move from one to another within it.
        refused = {
            i: r for i, o in enumerate(operations) if (r := o.model(self.oracle.copy(deferred=True))) is not None
        }
        after = self.oracle.copy(deferred=True)
        for operation in operations:
            operation.model(after)
        outcome, failures = self.commit(operations)
        if len(set(given)) < len(given):
            assert outcome is UsageError  # DynamoDB would refuse it: nothing is sent
        elif refused:
            assert outcome is TransactionCancelled
            assert {**dict.fromkeys(failures, NotUnique), **refused} == failures
        elif after.is_unique:
            assert outcome is None
            self.oracle = attrs.evolve(after, deferred=False)
            self.keep(operations)
        else:
            assert outcome is TransactionCancelled
            assert set(failures.values()) == {NotUnique}

    @rule(data=st.data(), length=st.integers(1, 30))
    def batch(self, data: st.DataObject, length: int) -> None:
        """Whatever can be done is done, in order; what fails is told."""
        operations: list[Operation] = []
        for _ in range(length):
            place, thing, _ = self.in_hand(data, changed=True)
            kind = data.draw(st.sampled_from(["tally", "put", "delete"]))
            if kind == "tally" or any(place == other.item for other in operations):
                operations.append(data.draw(tally_writes))
            else:
                operations.append(replacement(place, thing) if kind == "put" else deletion(place, thing))

        async def flush() -> None:
            async with self.db.batch_write(concurrency=1) as batch:
                for operation in operations:
                    assert operation.enlist is not None
                    await operation.enlist(batch)

        outcomes = [operation.model(self.oracle) for operation in operations]
        refusals = [refusal for refusal in outcomes if refusal is not None]
        report = BatchReport(0, 0)
        try:
            self.run(flush())
        except BatchWriteFailed as error:
            report = error.report
        assert Counter(type(failure.error) for failure in report.failed) == Counter(refusals)
        assert not report.unprocessed
        self.keep([operation for operation, refusal in zip(operations, outcomes, strict=True) if refusal is None])

    @rule(place=places, data=st.data())
    def overtaken(self, place: Place, data: st.DataObject) -> None:
        """An instance that somebody else overtook writes nothing, whichever way it is written."""
        stale = self.hand.get(place)
        if place not in self.oracle.things or stale is None:
            return
        self.run(self.db.update(Key(Thing, *place), Thing.count.add(1)))
        self.oracle.update(place, add=1, code=None, at_least=None, upsert=False, keeps_code=True)
        row = attrs.evolve(row_of(stale), count=data.draw(counts))
        thing = copy.deepcopy(stale)
        thing.count = row.count
        operation = data.draw(
            st.sampled_from([replacement(place, thing), saving(place, thing, row_of(stale)), deletion(place, thing)])
        )
        expected = operation.model(self.oracle)
        if data.draw(st.booleans()):
            outcome, failures = self.commit([operation])
            assert (outcome, failures) == ((None, {}) if expected is None else (TransactionCancelled, {0: expected}))
        else:
            assert operation.call is not None
            assert self.outcome(operation.call(self.db)) is expected

    @rule(place=places)
    def take(self, place: Place) -> None:
        """Read one into the hand."""
        thing = self.run(self.db.get(Thing, *place, consistent=True))
        assert (thing and row_of(thing)) == self.oracle.things.get(place)
        if thing is not None:
            self.hand[place] = thing

    @rule(wanted=st.lists(places, max_size=8))
    def take_many(self, wanted: list[Place]) -> None:
        """A batch get and a transactional get agree with the dict, in order."""
        found = self.run(self.read(wanted))
        assert [thing and row_of(thing) for thing in found] == [self.oracle.things.get(place) for place in wanted]

    @rule(place=places, add=counts)
    def modify(self, place: Place, add: int) -> None:
        def bump(thing: Thing) -> None:
            thing.count += add

        row = self.oracle.things.get(place)
        work: Coroutine[Any, Any, Thing] = self.db.modify(Key(Thing, *place), bump)
        assert self.outcome(work) is (ItemNotFound if row is None else None)
        if row is not None and add:
            self.oracle.things[place] = attrs.evolve(row, count=row.count + add, revision=row.revision + 1)

    @invariant()
    def the_tables_are_the_dict(self) -> None:
        things, tallies = self.run(self.everything())
        assert {(thing.shelf, thing.number): row_of(thing) for thing in things} == self.oracle.things
        assert {tally.name: tally.value for tally in tallies} == self.oracle.tallies

    # --- inside ---------------------------------------------------------------------------------

    def keep(self, operations: Sequence[Operation]) -> None:
        """Take what was written into the hand: each instance knows what the table has of it."""
        for operation in operations:
            thing = operation.thing
            if thing is not None:
                place = thing.shelf, thing.number
                assert row_of(thing) == self.oracle.things[place]
                self.hand[place] = thing

    def commit(self, operations: Sequence[Operation]) -> tuple[Refusal, dict[int, Refusal]]:
        """Make the operations in one transaction; its error, and those of its operations."""

        async def block() -> None:
            async with self.db.transaction() as tx:
                for operation in operations:
                    operation.join(tx)

        try:
            self.run(block())
        except TransactionCancelled as error:
            return TransactionCancelled, {failure.index: type(failure.error) for failure in error.failures}
        except DynamormError as error:
            return type(error), {}
        return None, {}

    def outcome(self, work: Coroutine[Any, Any, object]) -> Refusal:
        try:
            self.run(work)
        except DynamormError as error:
            return type(error)
        return None

    async def read(self, wanted: list[Place]) -> list[Thing | None]:
        keys = [Key(Thing, *place) for place in wanted]
        found = await self.db.batch_get(*keys, consistent=True)
        distinct = list(dict.fromkeys(keys))
        if distinct:
            assert list(await self.db.transact_get(*distinct)) == [found[keys.index(key)] for key in distinct]
        return found

    async def clear(self) -> None:
        things, tallies = await self.everything()
        for thing in things:
            await self.db.delete(thing)
        for tally in tallies:
            await self.db.delete(tally)

    async def everything(self) -> tuple[list[Thing], list[Tally]]:
        return await self.db.scan(Thing).consistent(), await self.db.scan(Tally).consistent()


@pytest.mark.parametrize(("engine", "number"), [("dynoxide", 40), ("dynamodb-local", 15)])
def test_random_writes_agree_with_a_dict(engine: str, number: int, request: pytest.FixtureRequest) -> None:
    """Item calls, batches, transactions, modify and reads leave exactly what the rules say, in tables and instances."""
    with asyncio.Runner() as runner:
        db = Database(
            endpoint=endpoint_of(engine, request),
            region="eu-west-1",
            credentials=("test", "test"),
            table_prefix=f"m{uuid.uuid4().hex[:12]}-",
        )
        runner.run(db.tables.ensure(Thing, Tally))
        returns_items = not differs(engine, "failed-condition-returns-item")
        machine = type("WritingOn", (Writing,), {"runner": runner, "db": db, "returns_items": returns_items})
        try:
            run_state_machine_as_test(machine, settings=settings(examples(number), stateful_step_count=STEPS))
        finally:
            runner.run(db.aclose())
