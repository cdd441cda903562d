"""Shows how far long work is, on stderr: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from dynamorm_async.cli.saying import readable, say

_BETWEEN_LINES: Final = 5.0


@final
class Progress:
    """How far long work is; to be used with ``with``.

    Args:
        title: what is done, in a word or two.
        clock: seconds, for the time between two lines.
    """

    def __init__(self, title: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._title = title
        self._clock = clock
        self._bar: Bar | None = None
        self._task = TaskID(0)
        self._said = ""
        self._due = clock() + _BETWEEN_LINES
        self._pending: str | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.fields[at]}"),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(escape(self._title), total=None, at="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif error is not None and self._pending is not None:
            self._say(self._pending)

    def show(self, text: str, *, fraction: float | None = None, always: bool = False) -> None:
        """Show how far it is.

        Args:
            text: a line.
            fraction: how much is done, from 0 to 1, where that is known.
            always: whether the line is to be kept; others are printed every five seconds where there is no bar, and the last one
                where the work fails.
        """
        if self._bar is not None:
            total = None if fraction is None else 1.0
            self._bar.update(self._task, total=total, completed=fraction or 0.0, at=escape(readable(text)))
            if always:
                self._bar.console.print(readable(text), markup=False, highlight=False)
        elif always or self._clock() >= self._due:
            self._say(text)
        else:
            self._pending = text

    def _say(self, text: str) -> None:
        self._pending, self._due = None, self._clock() + _BETWEEN_LINES
        if text != self._said:
            say(text, err=True)
        self._said = text
