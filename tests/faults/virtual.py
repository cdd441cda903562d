"""An event loop whose clock stands still while something happens, and jumps to the next timer when nothing does.

Pauses and time-outs of any length cost nothing, and what they add up to is exact. Sockets are real: while a proxy's engine,
a thread, or a block under :meth:`VirtualLoop.real` is at work, the clock waits for them.
"""

from __future__ import annotations

import asyncio
import os
import selectors
from collections.abc import Callable, Coroutine, Generator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import patch

from dynamorm_async.database.deadline import Deadline
from dynamorm_async.transport.sender import Sender

T = TypeVar("T")

_LOOKS = 3  # at the sockets before the clock jumps: what was sent to this process arrives at once, or nearly so
_LONG = 0.05  # a jump that far is worth a real look
_LOOK = 0.001
_AT_WORK = 0.02
_IDLE_SECONDS = 5.0


class _Selector(selectors.DefaultSelector):
    """Looks at the sockets; lets the loop's clock jump where there is nothing to see, and nobody at work."""

    loop: VirtualLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready or (timeout is not None and timeout <= 0):
            return ready
        if self.loop.at_work():
            return super().select(_AT_WORK)
        for _ in range(_LOOKS):
            os.sched_yield()
            ready = super().select(0)
            if ready:
                return ready
        if timeout is None or timeout > _LONG:
            ready = super().select(_LOOK if timeout is not None else _IDLE_SECONDS)
        if ready:
            return ready
        if timeout is None:
            raise RuntimeError("everything waits, and nothing will ever happen: no timer, no engine at work")
        self.loop.now += timeout
        return []


class VirtualLoop(asyncio.SelectorEventLoop):
    """The loop.

    Attributes:
        now: its time.
        workers: each says whether something outside of the loop is at work.
    """

    def __init__(self) -> None:
        self.now = 1000.0
        self.workers: list[Callable[[], object]] = []
        self._real = 0
        self._threads = 0
        selector = _Selector()
        selector.loop = self
        super().__init__(selector)

    def time(self) -> float:
        return self.now

    def at_work(self) -> bool:
        """Whether the clock has to wait."""
        return bool(self._real or self._threads or any(worker() for worker in self.workers))

    @contextmanager
    def real(self) -> Generator[None]:
        """The clock stands still, whatever is waited for."""
        self._real += 1
        try:
            yield
        finally:
            self._real -= 1

    def run_in_executor(  # type: ignore[override]  # the base class says a future of what the function gives
        self, executor: Executor | None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:  # Any: as open as the function
        future: asyncio.Future[Any] = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._back)
        return future

    def _back(self, _: object) -> None:
        self._threads -= 1


def running() -> VirtualLoop:
    """The loop that runs."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualLoop)
    return loop


def run(main: Coroutine[Any, Any, T], *, random: Callable[[], float]) -> T:
    """Run a coroutine on a loop of its own, with every clock of the library on the loop's time.

    Args:
        main: what to run.
        random: a number from 0 up to 1, each time another, for the pauses of the sender.
    """

    def now() -> float:
        return running().now

    # The clocks are arguments with defaults; nothing that a Database is made with reaches them.
    clocks: Sequence[tuple[Any, dict[str, Any]]] = (  # functions, and values of any type
        (Sender.__init__, {"clock": now, "random": random}),
        (Deadline.__init__, {"clock": now}),
    )
    with _defaults(clocks), asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main)


@contextmanager
def _defaults(changes: Sequence[tuple[Any, dict[str, Any]]]) -> Generator[None]:  # as above
    if not changes:
        yield
        return
    (function, values), *rest = changes
    with patch.dict(function.__kwdefaults__, values), _defaults(rest):
        yield
