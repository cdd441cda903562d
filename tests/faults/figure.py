"""What the scoreboard asks of a figure, and gives to the function that measures it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

from tests.engines import dynamodb_local, dynoxide

T = TypeVar("T")

ENGINES: Final[dict[str, Callable[[], AbstractContextManager[str]]]] = {
    "dynoxide": dynoxide,
    "dynamodb-local": dynamodb_local,
}


@dataclass(slots=True)
class Context:
    """What a figure is measured with.

    Attributes:
        seed: of everything that is drawn.
        quick: whether small sizes will do.
    """

    seed: int
    quick: bool
    _started: dict[str, str] = field(default_factory=dict[str, str])
    _stack: ExitStack = field(default_factory=ExitStack)
    _runs: dict[str, Any] = field(default_factory=dict[str, Any])  # what any run gives

    def engine(self, name: str) -> str:
        """The endpoint of an engine; it is started when the first figure asks for it, and stays until the end."""
        if name not in self._started:
            self._started[name] = self._stack.enter_context(ENGINES[name]())
        return self._started[name]

    @property
    def engines(self) -> tuple[str, ...]:
        """The engines that were started."""
        return tuple(self._started)

    def size(self, whole: int, quick: int) -> int:
        """One of the two."""
        return quick if self.quick else whole

    def once(self, name: str, run: Callable[[], T]) -> T:
        """A run that several figures look at."""
        if name not in self._runs:
            self._runs[name] = run()
        found: T = self._runs[name]
        return found

    def close(self) -> None:
        """Stop the engines."""
        self._stack.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One figure.

    Attributes:
        met: whether ours is within the target.
        ours: what was measured.
        control: the same of raw aiobotocore, in the same run; empty where it has no equal.
        counts: how much was looked at.
        skipped: how much was left out, and why; empty for nothing.
        wrong: the first offending cases, for people.
    """

    met: bool
    ours: str
    control: str = ""
    counts: str = ""
    skipped: str = ""
    wrong: tuple[str, ...] = ()


Measure: TypeAlias = Callable[[Context], Result]
