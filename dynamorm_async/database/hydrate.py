"""Whole items for keys that an index gave, in order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from dynamorm_async.codec.identity import Identities
from dynamorm_async.codec.page import RawKey
from dynamorm_async.database.keyed import CONCURRENCY, KeyReader
from dynamorm_async.plan.keyed import Chunk, Place, TableRead, chunks
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.types import Sealed

R = TypeVar("R")


class Hydrator(Generic[R]):
    """Reads the items of keys from the table.

    Args:
        reader: reads by key.
        table: the table's name.
        identities: which item a key of it means.
        make: what becomes of an item as it stands in an answer.
        consistent: strongly consistent reads.
        sealed: what of its items is encrypted.
    """

    def __init__(
        self,
        reader: KeyReader,
        table: str,
        identities: Identities,
        make: Callable[[msgspec.Raw], R],
        *,
        consistent: bool,
        sealed: tuple[Sealed, ...] = (),
    ) -> None:
        self._reader = reader
        self._table = table
        self._identities = identities
        self._make = make
        self._tables = {table: TableRead(identities, {"ConsistentRead": True} if consistent else {}, sealed)}
        self.reports: list[Any] = []  # what the answers report of consumed capacity

    async def whole_items(self, keys: Sequence[RawKey]) -> list[R | None]:
        """The items of some keys, in their order; ``None`` for one that is gone by now.

        Raises:
            Throttled: DynamoDB left keys unprocessed again and again.
            CallError: a request failed.
            DecodeError: an item does not fit the model.

        Costs one BatchGetItem for each 100 keys, four at the same time, and one for what was left unprocessed.
        """
        ids: list[PlaceId] = [(self._table, *self._identities.of_key(key)) for key in keys]
        # DynamoDB refuses a key twice.
        unique = {place: Place(self._table, key, place) for place, key in zip(ids, keys, strict=True)}
        found: dict[PlaceId, R | None] = {}

        def arrived(chunk: Chunk, size: int | None) -> None:
            self.reports += chunk.reports
            chunk.reports = []
            for place, raw in chunk.take(size):
                found[place] = None if raw is None else self._make(raw)

        await self._reader.read_all(chunks(list(unique.values()), self._tables), CONCURRENCY, arrived)
        return [found[place] for place in ids]
