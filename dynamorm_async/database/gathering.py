"""What a batch_get has got so far."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from dynamorm_async.database.noting import Note, no_note, noting
from dynamorm_async.database.results import result_maker
from dynamorm_async.errors import BatchGetFailed, CallError, DecodeError
from dynamorm_async.model.key import Key
from dynamorm_async.plan.batch_get import BatchGetPlan
from dynamorm_async.plan.hiding import hiding
from dynamorm_async.plan.keyed import Chunk


class Gathering:
    """Makes results of what chunks read, and keeps account of them.

    Args:
        plan: what is wanted.
        now: the time by which items have expired.
        note: takes what was read, to be counted.
    """

    def __init__(self, plan: BatchGetPlan, now: datetime, note: Note = no_note) -> None:
        self._plan = plan
        specs = {wanted.spec.cls: wanted.spec for wanted in plan.wanted}
        makers = {
            cls: noting(spec, result_maker(spec, plan.select, None if plan.hidden else hiding(spec, now)), note)
            for cls, spec in specs.items()
        }
        self._makers = [makers[wanted.spec.cls] for wanted in plan.wanted]
        self._open = set(range(len(plan.wanted)))  # of which nothing is known yet
        self._misfits: dict[int, DecodeError] = {}
        self.found: dict[int, Any] = {}  # by position in the plan's wanted: results of any model

    def add(self, chunk: Chunk, size: int | None = None) -> None:
        """Take what a chunk has read since the last time. An item that does not fit does not stop the others.

        Args:
            chunk: what was read.
            size: after how many bytes to stop; ``None`` to take all.
        """
        for place, raw in chunk.take(size):
            for index in self._plan.readers[place]:
                self._open.discard(index)
                try:
                    self.found[index] = None if raw is None else self._makers[index](raw)
                except DecodeError as error:
                    self._misfits[index] = error

    def hand_out(self) -> Iterator[tuple[Key[Any], Any]]:
        """What was found, by key; it is not kept."""
        found, self.found = self.found, {}
        return ((self._plan.wanted[index].key, result) for index, result in found.items())

    def results(self) -> list[Any]:
        """The result of each of the caller's keys, in their order."""
        return [self.found[index] for index in self._plan.positions]

    def check(self) -> None:
        """Refuse a result that lacks something.

        Raises:
            BatchGetFailed: items did not fit.
        """
        if self._misfits:
            first = next(iter(self._misfits.values()))
            count = len(self._misfits)
            what = "an item does not fit its model" if count == 1 else f"{count} items do not fit their models"
            raise self._failed(f"{what}; {first}") from first

    def failure(self, cause: CallError | DecodeError) -> BatchGetFailed:
        """The error for a request that failed, or an answer that was none, with what was got all the same."""
        missing = f"{len(self._open)} of {len(self._plan.wanted)} keys were not read"
        if isinstance(cause, DecodeError):
            return self._failed(f"{missing}: {cause}")
        error = self._failed(f"{missing}: {cause.message}")
        error.table, error.attempts, error.retryable = cause.table, cause.attempts, cause.retryable
        return error

    def _failed(self, message: str) -> BatchGetFailed:
        keys = [wanted.key for wanted in self._plan.wanted]
        return BatchGetFailed(
            message,
            operation="BatchGetItem",
            found={keys[index]: result for index, result in self.found.items()},
            unprocessed=tuple(keys[index] for index in sorted(self._open)),
            misfits={keys[index]: error for index, error in self._misfits.items()},
        )
