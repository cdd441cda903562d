"""Many histories at once under random faults, each checked when it is over (figure 11)."""

from __future__ import annotations

import uuid
from collections import Counter as Count
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from random import Random
from typing import Final

import anyio

from dynamorm_async import Database
from tests.engines import LANES, Lane
from tests.faults.catalogue import CATALOGUE
from tests.faults.checker import check_bank, check_counter, check_linearizable
from tests.faults.fault import Call, Fault
from tests.faults.history import History, differs, shows
from tests.faults.proxy import fault_proxy
from tests.faults.scripts import Script, seeded
from tests.faults.stores import (
    IMPATIENT,
    MODELS,
    PATIENT,
    Counter,
    Member,
    Note,
    OurStore,
    Purse,
    Register,
    Store,
    connect,
    short_pauses,
)
from tests.faults.workloads import (
    BALANCE,
    PURSES,
    balances,
    banking,
    claiming,
    counting,
    member_id,
    naming,
    purse_keys,
    unconditional,
    versioned,
)

RATES: Final[Mapping[Fault, float]] = {
    CATALOGUE[name]: rate
    for name, rate in {
        "reset_before": 0.03,
        "reset_after": 0.05,
        "internal_server_error_before": 0.03,
        "internal_server_error_after": 0.05,
        "http_503_before": 0.01,
        "throttled_table": 0.03,
        "cut_body_after": 0.03,
        "half_answer_before": 0.01,
        "ok_html_after": 0.02,
        "no_answer_before": 0.005,
        "no_answer_after": 0.015,
        "transaction_conflict": 0.02,
        "transaction_cancelled_conflict": 0.03,
        "transaction_in_progress": 0.03,
    }.items()
}
"""About 30 % of all attempts; a fault that cannot happen to an operation leaves it alone."""


def possible(script: Script) -> Script:
    """The same without what DynamoDB never says: a transaction that was applied succeeds again under its token, so that only the
    first attempt of one may be told that others hold its items.
    """
    conflict = CATALOGUE["transaction_cancelled_conflict"]

    def checked(call: Call) -> Fault | None:
        fault = script(call)
        return None if fault is conflict and call.operation == "TransactWriteItems" and call.attempt > 1 else fault

    return checked


AT_ONCE: Final = 16  # histories
Writer = Callable[[Database, History, Random, int], Awaitable[None]]


@dataclass(slots=True)
class Figures:
    """What became of a run.

    Attributes:
        seed: of the dice for faults, clients and operations. The order in which calls of concurrent clients arrive is not
            fixed by it.
        histories: how many of each kind.
        outcomes: of the writes, as the clients were told.
        requests: that arrived at the proxy.
        faults: how many of them met a fault.
        violations: what the checkers found, with the whole history.
        violated: how many histories have a violation.
        undecided: how many the checker gave up on.
    """

    seed: int
    histories: Count[str] = field(default_factory=Count[str])
    outcomes: Count[str] = field(default_factory=Count[str])
    requests: int = 0
    faults: int = 0
    violations: list[str] = field(default_factory=list[str])
    violated: int = 0
    undecided: int = 0

    def add(self, history: History) -> None:
        """Count a history that is over and checked."""
        self.histories[history.kind] += 1
        self.outcomes.update(history.outcomes)
        self.violations += history.violations
        self.violated += bool(history.violations)
        self.undecided += history.undecided


async def run_histories(
    count: int, seed: int, *, engine: str, lanes: Sequence[Lane] = LANES, rates: Mapping[Fault, float] = RATES
) -> Figures:
    """Run histories of all kinds in turn, through both lanes, against an engine behind the fault proxy.

    Args:
        count: how many.
        seed: of everything that is drawn.
        engine: the endpoint of a real engine.
        lanes: taken in turn.
        rates: how often each fault is drawn.
    """
    figures = Figures(seed)
    random = Random(seed)  # noqa: S311 - dice that fall the same way again
    kinds = list(KINDS)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(
            fault_proxy(engine, possible(seeded(dice_of(random), rates)), remember=1000)
        )
        plain = await stack.enter_async_context(connect(engine, "direct", timeouts=PATIENT))
        await plain.tables.ensure(*MODELS)
        with short_pauses():
            faulty = [
                await stack.enter_async_context(connect(proxy.endpoint, lane, timeouts=IMPATIENT)) for lane in lanes
            ]
            room = anyio.CapacityLimiter(AT_ONCE)

            async def one(number: int, dice: Random) -> None:
                async with room:
                    history = History(uuid.uuid4().hex, kinds[number % len(kinds)])
                    db = faulty[number // len(kinds) % len(faulty)]
                    await run_history(history, db, plain, dice)
                    figures.add(history)

            async with anyio.create_task_group() as group:
                for number in range(count):
                    group.start_soon(one, number, dice_of(random))
        figures.requests, figures.faults = proxy.calls, proxy.played.total()
    return figures


def dice_of(random: Random) -> Random:
    """Dice of its own for each part, so that the order in which parts draw is of no matter."""
    return Random(random.random())  # noqa: S311 - as above


async def run_history(history: History, faulty: Database, plain: Database, random: Random) -> None:
    """Prepare the objects, let the clients work through the faults, and check what is there when all is over."""
    await KINDS[history.kind](history, faulty, plain, random, random.randint(4, 8))


async def _register(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    first = await plain.create(Register(register_id=history.name, value="first"))
    await versioned(faulty, history, random, clients)
    begun = history.tick()
    last = await plain.get(Register, history.name, consistent=True)
    assert last is not None
    history.told(f"at the end {last}", shows((last.value, last.revision)), begun)
    check_linearizable(history, (first.value, first.revision))


async def _note(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    await unconditional(faulty, history, random, clients)
    begun = history.tick()
    last = await plain.get(Note, history.name, consistent=True)
    history.told(f"at the end {last}", shows(None if last is None else last.value), begun)
    check_linearizable(history, None)


async def _counter(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    await counter_history(history, OurStore(faulty), plain, random, clients)


async def _counter_once(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    await counter_history(history, OurStore(faulty), plain, random, clients, exactly_once=True)


async def counter_history(
    history: History, store: Store, plain: Database, random: Random, clients: int, *, exactly_once: bool = False
) -> None:
    """Clients add to one counter of a store, ours or another."""
    await plain.create(Counter(counter_id=history.name))
    await counting(store, history, random, clients, exactly_once=exactly_once)
    final = await OurStore(plain).count(history.name)
    assert final is not None
    check_counter(history, final)


async def _bank(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    keys = purse_keys(history)
    for number in range(PURSES):
        await plain.create(Purse(purse_id=f"{history.name}-{number}", balance=BALANCE))
    await banking(faulty, history, random, clients)
    check_bank(history, [BALANCE] * PURSES, balances(await plain.transact_get(*keys)))


async def _ticket(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    await create_history(history, OurStore(faulty), plain, random, clients)


async def create_history(history: History, store: Store, plain: Database, random: Random, clients: int) -> None:
    """Clients create one ticket in a store, ours or another."""
    await claiming(store, history, random, clients)
    begun = history.tick()
    found = await OurStore(plain).owner(history.name)
    assert found is not None
    history.told(f"at the end {found[0]}", shows(found[0]), begun)
    check_linearizable(history, None)


async def _name(history: History, faulty: Database, plain: Database, random: Random, clients: int) -> None:
    await naming(faulty, history, random, clients)
    for number in range(clients):
        me = member_id(history, number)
        begun = history.tick()
        there = await plain.get(Member, me, consistent=True)
        history.told(f"at the end {me}: {there}", differs(me) if there is None else shows(me), begun)
    check_linearizable(history, None)


KINDS: Final = {
    "register": _register,
    "unconditional register": _note,
    "counter": _counter,
    "counter, exactly once": _counter_once,
    "bank": _bank,
    "create": _ticket,
    "unique value": _name,
}
