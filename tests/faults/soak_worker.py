"""The traffic of a soak: workers that use every main operation and know what each has to find."""

from __future__ import annotations

from collections import Counter as Count
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Final

from dynamorm_async import (
    Attr,
    BatchGetFailed,
    BatchWriteFailed,
    CallError,
    Database,
    DecodeError,
    ItemExists,
    Key,
    VersionConflict,
    attr,
    model,
    partition_key,
    sort_key,
)
from tests.faults.stores import Counter, Member, Note, Purse, Register, Ticket, outcome_of

PURSES: Final = 10
BALANCE: Final = 1_000_000
ENTRIES: Final = 30  # more than one request of a batch write
_KEPT: Final = 20  # wrong things that are told whole


@model(table="entries")
class Entry:
    """One of many in a partition."""

    worker: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    text: Attr[str] = attr(default="x" * 100)


MODELS: Final = (Register, Note, Counter, Purse, Ticket, Member, Entry)


@dataclass(slots=True)
class Bounds:
    """What a number can be: additions whose outcome is not known may still come."""

    low: int = 0
    high: int = 0
    fresh: int = 0  # of unknown outcome since the last read

    def told(self, error: CallError | None) -> None:
        """An addition of 1 was answered."""
        outcome = "done" if error is None else outcome_of(error)
        self.low += outcome == "done"
        self.high += outcome in ("done", "unknown")
        self.fresh += outcome == "unknown"

    def seen(self, value: int) -> bool:
        """Whether a read can be true. It settles all but what was unknown since the last one, which may still come."""
        fits = self.low <= value <= self.high
        self.low, self.high, self.fresh = value, min(self.high, value + self.fresh), 0
        return fits


@dataclass(slots=True)
class Tally:
    """What the workers of a soak did together.

    Attributes:
        operations: calls by name.
        errors: by class; each is one that its operation may raise.
        wrong: what contradicts what a caller was told; the first of them whole.
        wrongs: how many there were.
    """

    operations: Count[str] = field(default_factory=Count[str])
    errors: Count[str] = field(default_factory=Count[str])
    wrong: list[str] = field(default_factory=list[str])
    wrongs: int = 0

    def check(self, fits: object, text: str) -> None:
        """Note what is wrong."""
        if not fits:
            self.wrongs += 1
            if len(self.wrong) < _KEPT:
                self.wrong.append(text)


class Worker:
    """One task: items of its own, whose state it knows, and purses that all share.

    Args:
        db: through the faults.
        name: of its items.
        random: what it does next.
        tally: what all do.
    """

    def __init__(self, db: Database, name: str, random: Random, tally: Tally) -> None:
        self.name = name
        self.counts = {f"{name}-plain": Bounds(), f"{name}-once": Bounds()}
        self.revised = Bounds()
        self._db = db
        self._random = random
        self._tally = tally
        self._notes: set[str | None] = {None}  # what the note can be
        self._turn = 0
        self._actions: tuple[Callable[[], Awaitable[None]], ...] = (
            self._note,
            self._count_once,
            self._count_plain,
            self._move,
            self._audit,
            self._revise,
            self._save,
            self._ticket,
            self._batch,
            self._statement,
        )

    async def prepare(self, plain: Database) -> None:
        """Make its items, without faults."""
        await plain.put_many([Counter(counter_id=name) for name in self.counts])
        await plain.create(Register(register_id=self.name, value="0"))

    async def act(self) -> None:
        """Do one thing. An error that it may end with is counted; any other one ends the soak."""
        action = self._random.choice(self._actions)
        self._turn += 1
        self._tally.operations[action.__name__.strip("_")] += 1
        try:
            await action()
        except (CallError, DecodeError) as error:  # a read of an answer that is none is a DecodeError
            self._note_error(error)

    async def finish(self, plain: Database) -> None:
        """Check what is there at the end, without faults."""
        for name, bounds in self.counts.items():
            counter = await plain.get(Counter, name, consistent=True)
            assert counter is not None
            self._check(bounds.seen(counter.number), f"counter {name} ends at {counter.number}, not within {bounds}")
        register = await plain.get(Register, self.name, consistent=True)
        assert register is not None
        self._check(self.revised.seen(int(register.value)), f"register {register} ends not within {self.revised}")
        note = await plain.get(Note, self.name, consistent=True)
        self._check((None if note is None else note.value) in self._notes, f"note {note} is none of {self._notes}")

    # --- what it does -------------------------------------------------------------------------

    async def _note(self) -> None:
        value = str(self._turn)
        try:
            await self._db.put(Note(note_id=self.name, value=value))
        except CallError as error:
            self._note_error(error)
            if outcome_of(error) == "unknown":
                self._notes.add(value)
        else:
            self._notes = {value}
        note = await self._db.get(Note, self.name, consistent=True)
        self._check((None if note is None else note.value) in self._notes, f"note {note} is none of {self._notes}")

    async def _count_once(self) -> None:
        await self._count(f"{self.name}-once", exactly_once=True)

    async def _count_plain(self) -> None:
        await self._count(f"{self.name}-plain", exactly_once=False)

    async def _count(self, name: str, *, exactly_once: bool) -> None:
        bounds, key = self.counts[name], Key(Counter, name)
        failure: CallError | None = None
        try:
            await self._db.update(key, Counter.number.add(1), returns="none", exactly_once=exactly_once)
        except CallError as error:
            self._note_error(error)
            failure = error
        bounds.told(failure)
        counter = await self._db.get(key, consistent=True)
        assert counter is not None
        self._check(bounds.seen(counter.number), f"counter {name} is {counter.number}, not within {bounds}")

    async def _move(self) -> None:
        source, target = self._random.sample(range(PURSES), 2)
        async with self._db.transaction() as tx:
            tx.update(Key(Purse, str(source)), Purse.balance.add(-1), where=Purse.balance >= 1)
            tx.update(Key(Purse, str(target)), Purse.balance.add(1))

    async def _audit(self) -> None:
        purses = await self._db.transact_get(*[Key(Purse, str(number)) for number in range(PURSES)])
        total = sum(purse.balance for purse in purses if purse is not None)
        self._check(total == PURSES * BALANCE, f"an audit shows {total} in all")

    async def _revise(self) -> None:
        def change(item: Register) -> None:
            item.value = str(int(item.value) + 1)

        failure: CallError | None = None
        try:
            await self._db.modify(Key(Register, self.name), change)
        except CallError as error:
            self._note_error(error)
            self._check(not isinstance(error, VersionConflict), f"a conflict about {self.name}, which is nobody else's")
            failure = error
        self.revised.told(failure)

    async def _save(self) -> None:
        item = await self._db.get(Register, self.name, consistent=True)
        assert item is not None
        self._check(self.revised.seen(int(item.value)), f"register {item} is not within {self.revised}")
        item.value = str(int(item.value) + 1)
        failure: CallError | None = None
        try:
            await self._db.save(item)
        except CallError as error:
            self._note_error(error)
            late = self.revised.low < self.revised.high  # one of unknown outcome may come in between
            self._check(late or not isinstance(error, VersionConflict), f"a conflict about {self.name}: {error}")
            failure = error
        self.revised.told(failure)

    async def _ticket(self) -> None:
        ticket = Ticket(ticket_id=f"{self.name}-{self._turn}", owner=self.name)
        try:
            await self._db.create(ticket)
        except ItemExists as error:
            self._check(fits=False, text=f"{error}: but nobody else creates it")
            return
        there = await self._db.get(Ticket, ticket.ticket_id, consistent=True)
        self._check(there == ticket, f"ticket {ticket} was created, and is {there}")
        try:
            await self._db.delete(ticket)
        except VersionConflict as error:
            self._check(fits=False, text=f"{error}: but nobody else writes it")
            return
        there = await self._db.get(Ticket, ticket.ticket_id, consistent=True)
        self._check(there is None, f"ticket {ticket} was deleted, and is {there}")

    async def _batch(self) -> None:
        entries = [Entry(worker=self.name, number=number) for number in range(ENTRIES)]
        try:
            await self._db.put_many(entries)
            there = {
                entry.number for entry in await self._db.query(Entry).where(Entry.worker == self.name).consistent()
            }
            self._check(len(there) == ENTRIES, f"{self.name} wrote {ENTRIES} entries, and has {sorted(there)}")
            found = await self._db.batch_get(
                *[Key(Entry, self.name, number) for number in range(ENTRIES)], consistent=True
            )
            self._check(found == entries, f"{self.name} wrote {ENTRIES} entries, and got {found}")
            async with self._db.batch_write() as batch:
                for entry in entries:
                    await batch.delete(entry)
        except (BatchGetFailed, BatchWriteFailed) as error:
            self._note_error(error)  # and the next batch writes over what is there
            return
        left = await self._db.query(Entry).where(Entry.worker == self.name).consistent()
        self._check(not left, f"{self.name} deleted its entries, and has {left}")

    async def _statement(self) -> None:
        table = self._db.partiql.table(Counter)
        rows = await self._db.partiql.execute(f"SELECT * FROM {table} WHERE counter_id = ?", f"{self.name}-once")
        self._check(len(rows) == 1, f"a statement found {rows}")

    def _note_error(self, error: CallError | DecodeError) -> None:
        self._tally.errors[type(error).__name__] += 1

    def _check(self, fits: object, text: str) -> None:
        self._tally.check(fits, text)
