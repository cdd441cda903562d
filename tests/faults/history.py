"""What concurrent clients did, and what each was told: the history that a checker judges."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

State: TypeAlias = Hashable
Outcome: TypeAlias = Literal["done", "failed", "unknown"]
"""``done``: it was applied, once. ``failed``: it was not, and never will be. ``unknown``: nobody knows."""


@dataclass(frozen=True, slots=True)
class Impossible:
    """What an operation makes of a state that contradicts what its client was told."""


IMPOSSIBLE: Final = Impossible()
Step: TypeAlias = Callable[[State], State | Impossible]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation on one object, as a point somewhere between its call and its answer.

    Attributes:
        text: what was asked and answered, for people.
        step: the state after it; ``IMPOSSIBLE`` where the answer could not have been given in that state.
        begun: when it was called, in ticks of the history.
        ended: when it was answered; ``None`` where the outcome is not known: it may happen at any later time, or never.
        repeats: whether its effect may happen more than once until it is answered, as that of an unconditional put that is
            sent again.
        pure: whether it only tells of the state: a read, or a refusal.
    """

    text: str
    step: Step
    begun: int
    ended: int | None
    repeats: bool = False
    pure: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One addition of a number of its own to a counter, or one transfer between accounts.

    Attributes:
        amount: what it adds.
        outcome: what the client was told.
        begun: when it was called, in ticks of the history.
        ended: when it was answered.
        seen: the counter's new value, where the answer told it.
        source: the account that the amount leaves.
        target: the account that it comes to.
    """

    amount: int
    outcome: Outcome
    begun: int
    ended: int
    seen: int | None = None
    source: int = 0
    target: int = 0


@dataclass(frozen=True, slots=True)
class Look:
    """A consistent read of numbers: one counter, or all accounts at one moment."""

    begun: int
    ended: int
    values: tuple[int, ...]


@dataclass(slots=True)
class History:
    """The record of one run on objects of its own.

    Attributes:
        name: of the objects; no other history has it.
        kind: which workload it is.
        operations: for the checker of linearizability.
        changes: for the arithmetic checkers.
        looks: reads, for the arithmetic checkers.
        outcomes: what each write's client was told.
        violations: what the checkers found.
        undecided: whether the search was given up.
    """

    name: str
    kind: str
    operations: list[Operation] = field(default_factory=list[Operation])
    changes: list[Change] = field(default_factory=list[Change])
    looks: list[Look] = field(default_factory=list[Look])
    outcomes: list[Outcome] = field(default_factory=list[Outcome])
    violations: list[str] = field(default_factory=list[str])
    undecided: bool = False
    _ticks: Iterator[int] = field(default_factory=itertools.count)

    def tick(self) -> int:
        """The next moment. Calls of one event loop are in order, and so are their ticks."""
        return next(self._ticks)

    def note(self, text: str, step: Step, begun: int, outcome: Outcome, *, repeats: bool = False) -> None:
        """Record an operation; one that certainly failed has no effect, and so no step: it is counted only."""
        self.outcomes.append(outcome)
        if outcome != "failed":
            ended = self.tick() if outcome == "done" else None
            self.operations.append(Operation(text=text, step=step, begun=begun, ended=ended, repeats=repeats))

    def told(self, text: str, step: Step, begun: int) -> None:
        """Record what a read, or a refusal, said of the state."""
        self.operations.append(Operation(text=text, step=step, begun=begun, ended=self.tick(), pure=True))

    async def look(self, read: Callable[[], Awaitable[tuple[int, ...] | None]]) -> None:
        """Record a consistent read of numbers; one without an answer says nothing."""
        begun = self.tick()
        values = await read()
        if values is not None:
            self.looks.append(Look(begun, self.tick(), values))


# --- steps ------------------------------------------------------------------------------------


def becomes(old: State, new: State) -> Step:
    """It was applied to exactly this state: a conditional write, or a read and a write under the version."""
    return lambda state: new if state == old else IMPOSSIBLE


def sets(new: State) -> Step:
    """It was applied whatever was there."""
    return lambda _: new


def shows(value: State) -> Step:
    """A read that found this."""
    return lambda state: state if state == value else IMPOSSIBLE


def differs(*values: State) -> Step:
    """A refusal that is true of every state but these."""
    return lambda state: IMPOSSIBLE if state in values else state
