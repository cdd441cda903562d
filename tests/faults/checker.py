"""Whether a history can be true: a search for a linearization, and arithmetic for counters and accounts.

The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory of the
configurations that were seen ("Testing for linearizability", 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

from tests.faults.history import Change, History, Impossible, Look, Operation, State

_BITS = 3
"""Of a digit in a counter: each change has one of its own, octal, which counts how often it was applied."""


CONFIGURATIONS = 50_000
"""How many the search looks at before it gives up; histories that are right take some hundreds."""


class Undecided(Exception):
    """The search was given up."""


def linearizable(operations: Sequence[Operation], initial: State) -> bool:
    """Whether all operations can have happened one after the other, each between its call and its answer.

    Args:
        operations: those without an answer may happen at any time after their call, or never.
        initial: the state before the first.

    Raises:
        Undecided: there are too many orders to look at.
    """
    definite = sum(1 << number for number, operation in enumerate(operations) if operation.ended is not None)
    start = _told(operations, 0, initial)
    pending: list[tuple[int, State]] = [(start, initial)]
    seen = {(start, initial)}
    while pending:
        done, state = pending.pop()
        if done & definite == definite:
            return True
        for after, new in _next(operations, done, state):
            following = (_told(operations, after, new), new)
            if following not in seen:
                seen.add(following)
                pending.append(following)
        if len(seen) > CONFIGURATIONS:
            raise Undecided
    return False


def _told(operations: Sequence[Operation], done: int, state: State) -> int:
    """What has happened, with everything that only tells of this state: to wait with it would open no other way."""
    latest, now = _bounds(operations, done)
    free = not any(operation.repeats for operation in operations)  # else a later start would end repetitions
    for number, operation in enumerate(operations):
        may = operation.pure and not done >> number & 1 and operation.begun < latest
        if may and (free or operation.begun <= now) and not isinstance(operation.step(state), Impossible):
            return _told(operations, done | 1 << number, state)
    return done


def _next(operations: Sequence[Operation], done: int, state: State) -> list[tuple[int, State]]:
    """Every operation that may happen next, as the set of those that have happened, and the new state; the likeliest last."""
    latest, now = _bounds(operations, done)
    found: list[tuple[float, int, State]] = []
    for number, operation in enumerate(operations):
        happened = done >> number & 1
        # An effect may be repeated as long as nothing has happened that began after its answer.
        may = operation.repeats and now < end(operation) if happened else operation.begun < latest
        if may and not isinstance(after := operation.step(state), Impossible):
            found.append((math.inf if happened else end(operation), done | 1 << number, after))
    found.sort(key=lambda each: each[0], reverse=True)
    return [(after, new) for _, after, new in found]


def _bounds(operations: Sequence[Operation], done: int) -> tuple[float, int]:
    """Before when the next operation has to begin, and when the last one of those that have happened began."""
    latest, now = math.inf, 0
    for number, operation in enumerate(operations):
        if done >> number & 1:
            now = max(now, operation.begun)
        else:
            latest = min(latest, end(operation))
    return latest, now


def end(operation: Operation) -> float:
    """When it was answered; never, where it was not."""
    return math.inf if operation.ended is None else operation.ended


def check_linearizable(history: History, initial: State) -> None:
    """Add a violation where the operations cannot be put in order; a search that takes too long is told as undecided."""
    try:
        right = linearizable(history.operations, initial)
    except Undecided:
        history.undecided = True
        return
    if not right:
        lines = "".join(
            f"\n  {operation.begun:>4} to {'?' if operation.ended is None else operation.ended:>4}: {operation.text}"
            for operation in history.operations
        )
        history.violations.append(f"{history.kind} {history.name}: no order of its operations explains them:{lines}")


# --- counters ---------------------------------------------------------------------------------


def amount(number: int) -> int:
    """What the change with this number, from 0, adds to its counter."""
    return 1 << _BITS * number


def check_counter(history: History, final: int) -> None:
    """Add a violation for each change that was not applied as often as its client was told, or seen at the wrong time.

    Args:
        history: its changes have amounts of :func:`amount`.
        final: the counter when all was over; it began at 0.
    """
    for number, change in enumerate(sorted(history.changes, key=lambda change: change.amount)):
        times = _digit(final, number)
        allowed = {"done": (1,), "failed": (0,), "unknown": (0, 1)}[change.outcome]
        if times not in allowed:
            _wrong(history, f"change {number} was told {change.outcome} and applied {times} times")
        if change.seen is not None and _digit(change.seen, number) != 1:
            _wrong(history, f"change {number} was answered with {change.seen:o} (octal), which does not have it")
        for look in history.looks:
            _check_look(history, number, change, look)
    if final >> _BITS * len(history.changes):
        _wrong(history, f"the counter ends at {final:o} (octal), more than all its changes")


def _check_look(history: History, number: int, change: Change, look: Look) -> None:
    times = _digit(look.values[0], number)
    if change.outcome == "done" and change.ended < look.begun and times != 1:
        _wrong(history, f"change {number} was over, and a later read has it {times} times")
    if change.begun > look.ended and times:
        _wrong(history, f"change {number} was not begun, and an earlier read has it {times} times")


def _digit(value: int, number: int) -> int:
    return value >> _BITS * number & (1 << _BITS) - 1


def _wrong(history: History, what: str) -> None:
    history.violations.append(f"{history.kind} {history.name}: {what}")


# --- accounts ---------------------------------------------------------------------------------


def check_bank(history: History, initial: Sequence[int], final: Sequence[int]) -> None:
    """Add a violation where money was made or lost, or where the balances are not those of the transfers.

    Args:
        history: its changes are transfers, its looks show all the accounts at one moment.
        initial: the balances before.
        final: the balances when all was over.
    """
    total = sum(initial)
    for look in [*history.looks, Look(0, 0, tuple(final))]:
        if sum(look.values) != total or min(look.values) < 0:
            _wrong(history, f"an audit shows {look.values}, which is not {total} in all, or below 0")
    certain = _moved(initial, [change for change in history.changes if change.outcome == "done"])
    unknown = [change for change in history.changes if change.outcome == "unknown"]
    for chosen in product((False, True), repeat=len(unknown)):
        happened = [change for change, yes in zip(unknown, chosen, strict=True) if yes]
        if _moved(certain, happened) == list(final):
            return
    _wrong(history, f"the balances {tuple(final)} are not those of the transfers that were acknowledged: {certain}")


def _moved(balances: Sequence[int], changes: Sequence[Change]) -> list[int]:
    moved = list(balances)
    for change in changes:
        moved[change.source] -= change.amount
        moved[change.target] += change.amount
    return moved
