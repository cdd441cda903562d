"""What the concurrent clients of each kind of history do, and what they write down of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import Any, Final

import anyio

from dynamorm_async import CallError, Database, ItemExists, Key, NotUnique, TransactionCancelled, VersionConflict
from tests.faults.checker import amount
from tests.faults.history import IMPOSSIBLE, Change, History, Outcome, State, becomes, differs, sets, shows
from tests.faults.stores import Member, Note, Purse, Register, Store, outcome_of

PURSES: Final = 4
BALANCE: Final = 100
_STEPS: Final = 4  # operations of one client

Workload = Callable[[History, Random, int], Awaitable[None]]


async def at_once(clients: int, client: Callable[[int], Coroutine[Any, Any, None]]) -> None:
    """Run so many clients at the same time."""
    async with anyio.create_task_group() as group:
        for number in range(clients):
            group.start_soon(client, number)


# --- registers --------------------------------------------------------------------------------


async def versioned(db: Database, history: History, random: Random, clients: int) -> None:
    """Reads, read-and-write by put and save, and modify, all under one version."""

    async def client(number: int) -> None:
        for turn in range(_STEPS):
            kind = random.choice(("read", "put", "save", "modify", "modify"))
            value = f"{kind} {turn} of {number}"
            if kind == "modify":
                await _modify(db, history, value)
            else:
                await _read_and_write(db, history, value, kind)

    await at_once(clients, client)


async def _read_and_write(db: Database, history: History, value: str, kind: str) -> None:
    begun = history.tick()
    try:
        item = await db.get(Register, history.name, consistent=True)
    except CallError:
        return
    assert item is not None
    old = (item.value, item.revision)
    history.told(f"read {old}", shows(old), begun)
    if kind == "read":
        return
    item.value = value
    text = f"{kind} {value!r} over {old}"
    outcome: Outcome = "done"
    begun = history.tick()
    try:
        await (db.put(item) if kind == "put" else db.save(item))
    except VersionConflict:
        history.told(f"{text}: conflict", differs(old), begun)
        outcome = "failed"
    except CallError as error:
        outcome = outcome_of(error)
    history.note(f"{text}: {outcome}", becomes(old, (value, old[1] + 1)), begun, outcome)


async def _modify(db: Database, history: History, value: str) -> None:
    tries: list[tuple[int, State, State]] = []

    def change(item: Register) -> None:
        old = (item.value, item.revision)
        item.value = f"{value}, try {len(tries)}"
        tries.append((history.tick(), old, (item.value, item.revision + 1)))

    try:
        item = await db.modify(Key(Register, history.name), change)
    except CallError as error:
        outcome = outcome_of(error)
        for begun, old, new in tries:  # which of them is not known is not told
            history.note(f"modify {old} to {new}: {outcome}", becomes(old, new), begun, outcome)
        return
    for begun, old, new in tries:
        if new == (item.value, item.revision):
            history.note(f"modify {old} to {new}: done", becomes(old, new), begun, "done")
            return
    history.told(f"modify gave {item}, which no try has made", _never, history.tick())


async def unconditional(db: Database, history: History, random: Random, clients: int) -> None:
    """Unconditional puts, which are sent again where an answer was lost, and consistent reads."""

    async def client(number: int) -> None:
        for turn in range(_STEPS):
            begun = history.tick()
            if random.random() < 0.5:
                value = f"{turn} of {number}"
                outcome: Outcome = "done"
                try:
                    await db.put(Note(note_id=history.name, value=value))
                except CallError as error:
                    outcome = outcome_of(error)
                history.note(f"put {value!r}: {outcome}", sets(value), begun, outcome, repeats=True)
                continue
            try:
                note = await db.get(Note, history.name, consistent=True)
            except CallError:
                continue
            found = None if note is None else note.value
            history.told(f"read {found!r}", shows(found), begun)

    await at_once(clients, client)


# --- counters and accounts --------------------------------------------------------------------


async def counting(store: Store, history: History, random: Random, clients: int, *, exactly_once: bool) -> None:
    """Additions of amounts of their own, and consistent reads."""

    async def read() -> tuple[int, ...] | None:
        value = await store.count(history.name)
        return None if value is None else (value,)

    async def client(number: int) -> None:
        for turn in range(_STEPS):
            if random.random() < 0.3:
                await history.look(read)
            added = amount(number * _STEPS + turn)
            begun = history.tick()
            outcome, seen = await store.add(history.name, added, exactly_once=exactly_once)
            history.outcomes.append(outcome)
            history.changes.append(Change(amount=added, outcome=outcome, begun=begun, ended=history.tick(), seen=seen))

    await at_once(clients, client)


async def banking(db: Database, history: History, random: Random, clients: int) -> None:
    """Transfers as transactions, some of more than there is, and audits of all purses at one moment."""
    keys = purse_keys(history)
    amounts = random.sample(range(1, BALANCE), clients * _STEPS)

    async def audit() -> tuple[int, ...] | None:
        try:
            return balances(await db.transact_get(*keys))
        except CallError:
            return None

    async def client(number: int) -> None:
        for turn in range(_STEPS):
            if random.random() < 0.3:
                await history.look(audit)
            source, target = random.sample(range(PURSES), 2)
            moved = amounts[number * _STEPS + turn]
            outcome: Outcome = "done"
            begun = history.tick()
            try:
                async with db.transaction() as tx:
                    tx.update(keys[source], Purse.balance.add(-moved), where=Purse.balance >= moved)
                    tx.update(keys[target], Purse.balance.add(moved))
            except TransactionCancelled:
                outcome = "failed"
            except CallError as error:
                outcome = outcome_of(error)
            history.outcomes.append(outcome)
            history.changes.append(
                Change(amount=moved, outcome=outcome, begun=begun, ended=history.tick(), source=source, target=target)
            )

    await at_once(clients, client)


def purse_keys(history: History) -> list[Key[Purse]]:
    return [Key(Purse, f"{history.name}-{number}") for number in range(PURSES)]


def balances(purses: tuple[Purse | None, ...]) -> tuple[int, ...]:
    return tuple(0 if purse is None else purse.balance for purse in purses)


# --- creations --------------------------------------------------------------------------------


async def claiming(store: Store, history: History, random: Random, clients: int) -> None:
    """Creations of one key by many, and consistent reads."""

    async def client(number: int) -> None:
        for turn in range(_STEPS):
            begun = history.tick()
            if random.random() < 0.3:
                found = await store.owner(history.name)
                if found is not None:
                    history.told(f"read {found[0]}", shows(found[0]), begun)
                continue
            owner = f"{number}, turn {turn}"
            outcome = await store.claim(history.name, owner, exactly_once=random.random() < 0.3)
            if outcome == "taken":
                history.told(f"create for {owner}: taken", differs(None, owner), begun)
                history.outcomes.append("failed")
            else:
                history.note(f"create for {owner}: {outcome}", becomes(None, owner), begun, outcome)

    await at_once(clients, client)


async def naming(db: Database, history: History, _random: Random, clients: int) -> None:
    """Creations of different keys with the same unique value; the state is who has it."""

    async def client(number: int) -> None:
        me = member_id(history, number)
        begun = history.tick()
        outcome: Outcome = "done"
        try:
            await db.create(Member(member_id=me, name=history.name))
        except NotUnique:
            history.told(f"create {me}: not unique", differs(None, me), begun)
            outcome = "failed"
        except ItemExists:
            history.told(f"create {me}: exists, which nobody else creates", _never, begun)
            outcome = "failed"
        except CallError as error:
            outcome = outcome_of(error)
        history.note(f"create {me}: {outcome}", becomes(None, me), begun, outcome)
        begun = history.tick()
        try:
            there = await db.get(Member, me, consistent=True)
        except CallError:
            return
        history.told(f"read {me}: {there}", differs(me) if there is None else shows(me), begun)

    await at_once(clients, client)


def member_id(history: History, number: int) -> str:
    return f"{history.name}-{number}"


def _never(_: State) -> State:
    return IMPOSSIBLE
