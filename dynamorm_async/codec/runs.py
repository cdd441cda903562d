"""Which texts something can make, as runs of characters: to read them back, and to tell whether two can make the same."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import final

import msgspec


@final
class Run(msgspec.Struct, frozen=True):
    """Characters of one kind in a row.

    Attributes:
        chars: the characters of the kind; not empty, unless ``others``.
        others: whether the kind is all characters but these.
        count: how many there are; ``None`` for any number, none included.
    """

    chars: frozenset[str]
    others: bool = False
    count: int | None = None

    @property
    def pattern(self) -> str:
        """The regular expression of its texts."""
        chars = "".join(re.escape(char) for char in sorted(self.chars))
        kind = f"[{'^' if self.others else ''}{chars}]" if chars else "(?s:.)"
        return kind + ("*" if self.count is None else f"{{{self.count}}}")

    def shares(self, other: Run) -> bool:
        """Whether some character is of both kinds."""
        if self.others and other.others:
            return True  # either leaves out a few of a million
        if self.others or other.others:
            few, but = (other, self) if self.others else (self, other)
            return not few.chars <= but.chars
        return not self.chars.isdisjoint(other.chars)


ANYTHING = Run(frozenset(), others=True)
"""Any text."""


def literal(text: str) -> tuple[Run, ...]:
    """The runs of one text."""
    return tuple(Run(frozenset(char), count=1) for char in text)


def width_of(runs: Sequence[Run]) -> int | None:
    """How many characters every text of the runs has; ``None`` where they differ."""
    counts = [run.count for run in runs if run.count is not None]
    return sum(counts) if len(counts) == len(runs) else None


def meet(one: Sequence[Run], other: Sequence[Run]) -> bool:
    """Whether some text is of both."""
    places, others = tuple(_places(one)), tuple(_places(other))
    waiting = [(0, 0)]
    seen = set(waiting)
    while waiting:
        here, there = waiting.pop()
        if (here, there) == (len(places), len(others)):
            return True
        new = set(_following(places, others, here, there)) - seen
        seen |= new
        waiting.extend(new)
    return False


def _following(one: Sequence[Run], other: Sequence[Run], here: int, there: int) -> Iterator[tuple[int, int]]:
    """The places that both can be at, after one more character or where a run ends."""
    run = one[here] if here < len(one) else None
    beside = other[there] if there < len(other) else None
    if run is not None and run.count is None:
        yield here + 1, there
    if beside is not None and beside.count is None:
        yield here, there + 1
    if run is not None and beside is not None and run.shares(beside):
        yield here + (run.count is not None), there + (beside.count is not None)


def _places(runs: Sequence[Run]) -> Iterator[Run]:
    """The same texts, with a run for each character where their number is known."""
    for run in runs:
        if run.count is None:
            yield run
        else:
            yield from [msgspec.structs.replace(run, count=1)] * run.count
