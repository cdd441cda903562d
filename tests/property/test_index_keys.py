"""Random writes of models with templated keys, against an engine: every item that is stored has exactly its keys of indexes."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections.abc import Coroutine
from datetime import UTC, date, datetime
from typing import Any, TypeAlias, TypeVar

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from dynamorm_async import (
    BatchWriteFailed,
    Condition,
    ConditionFailed,
    Database,
    Key,
    TransactionCancelled,
    Update,
    UsageError,
)
from dynamorm_async.expressions.conditions import all_of
from dynamorm_async.model.spec import spec_of, spec_of_instance
from tests.engines import call, endpoint_of
from tests.property.index_key_models import Job, Memo, Ticket, check_derived
from tests.property.sizing import examples

T = TypeVar("T")
Thing: TypeAlias = Job | Memo | Ticket

STEPS = 25
OK = 200

# Two times of one day: the key of a job tells the day.
times = st.sampled_from([datetime(2026, 1, 2, 8, tzinfo=UTC), datetime(2026, 1, 2, 9, tzinfo=UTC)])
teams, numbers = st.just("t"), st.integers(1, 2)
OF_TICKETS: dict[str, st.SearchStrategy[Any]] = {
    "title": st.sampled_from(["a", "b#c"]),
    "state": st.sampled_from(["open", "paid", "done"]),
    "owner": st.sampled_from([None, "o", "p"]),
    "points": st.integers(0, 3),
}
VALUES: dict[type[Thing], dict[str, st.SearchStrategy[Any]]] = {
    Job: {**OF_TICKETS, "due": st.none() | st.dates(date(2026, 1, 1), date(2026, 1, 3))},
    Memo: {**OF_TICKETS, "tags": st.sets(st.sampled_from("xyz"))},
    Ticket: OF_TICKETS,
}
jobs = st.builds(Job, team=teams, at=times, number=numbers, **VALUES[Job])
memos = st.builds(Memo, team=teams, number=numbers, **VALUES[Memo])
tickets = st.builds(Ticket, team=teams, number=numbers, **VALUES[Ticket])
things = jobs | memos | tickets


def key_of(thing: Thing) -> Key[Any]:
    if isinstance(thing, Job):
        return Key(Job, thing.team, thing.at, thing.number)
    return Key(type(thing), thing.team, thing.number)


def is_read(thing: Thing) -> bool:
    """Whether it was read or written: of any other instance, no more than its key is known."""
    return spec_of_instance(thing).codec.known(thing) is not None


@st.composite
def changes(draw: st.DrawFn, of: type[Thing], *, whole: bool = False) -> list[Update]:
    """Changes of one attribute, or several, or all, mostly to plain values; ``whole`` sets what every item has."""
    values = VALUES[of]
    one = st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=1)
    some = st.lists(st.sampled_from(sorted(values)), min_size=1, max_size=3)
    names = {*draw(st.just(sorted(values)) | some | one), *(["title"] if whole else [])}
    return [draw(change(of, name)) for name in sorted(names)]


@st.composite
def change(draw: st.DrawFn, of: type[Thing], name: str) -> Update:
    attribute: Any = getattr(of, name)
    other = draw(st.integers(0, 7)) == 0
    if other and name in ("points", "tags"):
        update: Update = attribute.add(1 if name == "points" else {"x"})
    elif other and name == "state":
        update = attribute.set_default("open")
    else:
        update = attribute.set(draw(VALUES[of][name]))
    return update


@st.composite
def insisted(draw: st.DrawFn, thing: Thing) -> Condition | None:
    """All, some or none of what is there, or was."""
    cls = type(thing)
    names = [name for name in vars(thing) if name in spec_of(cls).attributes]
    chosen = draw(st.just(names) | st.lists(st.sampled_from(names), max_size=len(names), unique=True))
    conditions: list[Condition] = []
    for name in chosen:
        attribute, value = getattr(cls, name), getattr(thing, name)
        if value != set():  # what is not there is equal to nothing
            conditions.append(attribute.exists() if value is not None and draw(st.booleans()) else attribute == value)
    return all_of(conditions)


class IndexKeys(RuleBasedStateMachine):
    """The machine. In the hand is what was read, fresh or stale by now."""

    runner: asyncio.Runner
    db: Database
    endpoint: str
    table: str

    def __init__(self) -> None:
        super().__init__()
        self.hand: list[Thing] = []

    @initialize(first=st.tuples(jobs, memos, tickets))
    def begin(self, first: tuple[Thing, ...]) -> None:
        for thing in first:
            self.run(self.db.create(thing))
        self.hand = list(first)

    def teardown(self) -> None:
        for raw in self.stored():
            key = {name: raw[name] for name in ("pk", "sk")}
            status, _ = call(self.endpoint, "DeleteItem", {"TableName": self.table, "Key": key})
            assert status == OK

    def stored(self) -> list[dict[str, Any]]:
        """The table's items as they are."""
        status, answer = call(self.endpoint, "Scan", {"TableName": self.table, "ConsistentRead": True})
        assert status == OK
        items: list[dict[str, Any]] = answer["Items"]
        return items

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def attempt(self, work: Coroutine[Any, Any, object], *, may_refuse: bool = False) -> None:
        """Make a write; it may fail by what is there, and be refused only where not all is known."""
        try:
            self.run(work)
        except (ConditionFailed, TransactionCancelled, BatchWriteFailed):
            pass
        except UsageError:
            assert may_refuse

    def held(self, data: st.DataObject) -> Thing:
        """A copy of one in the hand: another write may have overtaken it."""
        return copy.deepcopy(data.draw(st.sampled_from(self.hand)))

    def current(self, data: st.DataObject) -> Thing:
        """One as it is now; one in the hand where it is gone."""
        thing = self.held(data)
        found: Thing | None = self.run(self.db.get(key_of(thing), consistent=True, hidden=True))
        return found or thing

    def changed(self, data: st.DataObject, thing: Thing) -> None:
        for name, values in sorted(VALUES[type(thing)].items()):
            if data.draw(st.booleans()):
                setattr(thing, name, data.draw(values))

    # --- rules ----------------------------------------------------------------------------------

    @rule(thing=things)
    def create(self, thing: Thing) -> None:
        self.attempt(self.db.create(thing))

    @rule(data=st.data())
    def put(self, data: st.DataObject) -> None:
        thing = self.current(data)
        self.changed(data, thing)
        self.attempt(self.db.put(thing))

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        """Keep one as it is now, for later."""
        self.hand = [*self.hand[-5:], self.current(data)]

    @rule(data=st.data(), stale=st.booleans())
    def save(self, data: st.DataObject, stale: bool) -> None:  # noqa: FBT001 - drawn
        thing = self.held(data) if stale else self.current(data)
        self.changed(data, thing)
        self.attempt(self.db.save(thing))

    @rule(data=st.data(), stale=st.booleans(), far=st.booleans())
    def update(self, data: st.DataObject, stale: bool, far: bool) -> None:  # noqa: FBT001 - drawn
        """By the key that the item was made with, or by one of another time of the same day."""
        thing = self.held(data) if stale else self.current(data)
        where = data.draw(st.none() | insisted(thing))
        if far and isinstance(thing, Job):
            thing.at = data.draw(times)
        work = self.db.update(key_of(thing), *data.draw(changes(type(thing))), where=where, returns="none")
        self.attempt(work, may_refuse=True)

    @rule(thing=jobs | memos, data=st.data())
    def upsert(self, thing: Thing, data: st.DataObject) -> None:
        key = key_of(thing)
        work = self.db.update(key, *data.draw(changes(key.model, whole=True)), upsert=True, returns="none")
        self.attempt(work, may_refuse=True)
        self.hand = [*self.hand[-5:], thing]

    @rule(data=st.data())
    def overtaken(self, data: st.DataObject) -> None:
        """Two read one; both change and save it."""
        one = self.current(data)
        other = copy.deepcopy(one)
        for thing in (one, other):
            self.changed(data, thing)
            self.attempt(self.db.save(thing))

    @rule(data=st.data())
    def modify(self, data: st.DataObject) -> None:
        key = key_of(self.held(data))

        def change_it(thing: Any) -> None:  # of the key's model
            self.changed(data, thing)

        if key.model is not Memo:
            self.attempt(self.db.modify(key, change_it))

    @rule(data=st.data(), how=st.sampled_from(["key", "hard", "instance"]))
    def delete(self, data: st.DataObject, how: str) -> None:
        thing = self.current(data)
        if how == "instance":
            self.attempt(self.db.delete(thing), may_refuse=not is_read(thing))
        else:
            where = data.draw(insisted(thing))
            self.attempt(self.db.delete(key_of(thing), where=where, hard=how == "hard"), may_refuse=how == "key")

    @rule(data=st.data(), by_key=st.booleans())
    def restore(self, data: st.DataObject, by_key: bool) -> None:  # noqa: FBT001 - drawn
        thing = self.current(data)
        if isinstance(thing, Job):
            self.attempt(self.db.restore(key_of(thing) if by_key else thing), may_refuse=by_key or not is_read(thing))

    @rule(data=st.data(), created=things)
    def transaction(self, data: st.DataObject, created: Thing) -> None:
        """Several at once."""
        saved, updated = self.current(data), self.current(data)
        self.changed(data, saved)
        updates, where = data.draw(changes(type(updated))), data.draw(insisted(updated))

        async def block() -> None:
            async with self.db.transaction() as tx:
                tx.create(created)
                if key_of(updated) != key_of(created):
                    tx.update(key_of(updated), *updates, where=where)
                if key_of(saved) not in (key_of(created), key_of(updated)):
                    tx.save(saved)

        self.attempt(block(), may_refuse=True)

    @rule(batch=st.lists(things, max_size=4))
    def put_many(self, batch: list[Thing]) -> None:
        self.attempt(self.db.put_many(batch))

    @invariant()
    def each_item_has_its_keys(self) -> None:
        for raw in self.stored():
            check_derived(raw)


@pytest.mark.parametrize("engine", ["dynoxide"])
def test_every_item_has_exactly_its_keys(engine: str, request: pytest.FixtureRequest) -> None:
    """After any writes: creates, puts, saves (stale ones, too), updates, upserts, deletes, restores, transactions, batches."""
    prefix, endpoint = f"k{uuid.uuid4().hex[:12]}-", endpoint_of(engine, request)
    with asyncio.Runner() as runner:
        db = Database(endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), table_prefix=prefix)
        runner.run(db.tables.ensure(Job))
        own = {"runner": runner, "db": db, "endpoint": endpoint, "table": f"{prefix}desk"}
        machine: type[IndexKeys] = type("OneEngine", (IndexKeys,), own)
        try:
            run_state_machine_as_test(machine, settings=settings(examples(40), stateful_step_count=STEPS))
        finally:
            runner.run(db.aclose())
