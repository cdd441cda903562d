"""Pages: a part of the items, and a cursor to the next part."""

from __future__ import annotations

from typing import Generic, TypeVar, final

import msgspec

from dynamorm_async.plan.capacity import Capacity

R = TypeVar("R")


@final
class Page(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """A part of the items of a query or scan.

    Attributes:
        items: the items, in order.
        cursor: where the next page begins; ``None`` after the last one.
        scanned_count: how many items were read for it, before filters.
        capacity: what was consumed for it, where the database asks DynamoDB to report that.
    """

    items: list[R]
    cursor: str | None
    scanned_count: int
    capacity: Capacity

    @property
    def count(self) -> int:
        """How many items it has."""
        return len(self.items)

    @property
    def has_more(self) -> bool:
        """Whether there is a next page."""
        return self.cursor is not None
