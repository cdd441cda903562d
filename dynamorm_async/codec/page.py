"""One page of decoded rows, and the keys of those rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, Generic, TypeVar, final

from dynamorm_async.types import AttributeValue

R = TypeVar("R")
T = TypeVar("T")
RawKey = dict[str, AttributeValue]


@final
class PageContent(Generic[R]):
    """One page of a query or scan, decoded.

    Args:
        items: the rows, in order.
        scanned_count: how many items were read before the filter.
        last_key: where the next page begins; ``None`` after the last page.
        capacity: the answer's ConsumedCapacity, where it was asked for: a record, or a list of them.
        sources: what each row was made from.
        key_of: the named attributes of such a source.
    """

    __slots__ = ("_key_of", "capacity", "items", "last_key", "scanned_count", "sources")

    def __init__(
        self,
        items: list[R],
        *,
        scanned_count: int,
        last_key: RawKey | None,
        capacity: Any,  # JSON
        sources: Sequence[Any],  # structs or raw items
        key_of: Callable[[Any, tuple[str, ...]], RawKey],
    ) -> None:
        self.items = items
        self.scanned_count = scanned_count
        self.last_key = last_key
        self.capacity = capacity
        self.sources = sources
        self._key_of = key_of

    def key_at(self, index: int, names: tuple[str, ...]) -> RawKey:
        """The named key attributes of a row, as they were read; whatever has become of the row since."""
        return self._key_of(self.sources[index], names)

    def after(self, parts: Sequence[PageContent[R]]) -> PageContent[R]:
        """The same page with the rows of some parts of it, made by the same decoder, before its own."""
        every = [*parts, self]
        return PageContent(
            list(chain.from_iterable(part.items for part in every)),
            scanned_count=self.scanned_count,
            last_key=self.last_key,
            capacity=self.capacity,
            sources=list(chain.from_iterable(part.sources for part in every)),
            key_of=self._key_of,
        )

    def replaced(self, items: Sequence[T | None], *, reports: Sequence[Any]) -> PageContent[T]:
        """The same page with other rows; those that are ``None`` are left out.

        Args:
            items: a row, or ``None``, for each of this page's.
            reports: what else was consumed for it, as records of ConsumedCapacity.
        """
        kept = [(item, source) for item, source in zip(items, self.sources, strict=True) if item is not None]
        return PageContent(
            [item for item, _ in kept],
            scanned_count=self.scanned_count,
            last_key=self.last_key,
            capacity=[*([] if self.capacity is None else [self.capacity]), *reports] or None,
            sources=[source for _, source in kept],
            key_of=self._key_of,
        )
