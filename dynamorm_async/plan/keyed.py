"""Reading items by their keys: what one BatchGetItem asks for, and what its answers leave to be asked again."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar, final

import msgspec

from dynamorm_async.codec.answers import malformed, parse_answer
from dynamorm_async.codec.identity import Identities, Identity
from dynamorm_async.errors import DecodeError, Problem
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.types import AttributeValue, Request, Sealed

T = TypeVar("T")

MAX_KEYS: Final = 100


@final
class Place(msgspec.Struct, frozen=True, eq=False):
    """Where one item is.

    Attributes:
        table: the table's name.
        key: its key.
        id: what is equal for the same item.
    """

    table: str
    key: Mapping[str, AttributeValue]
    id: PlaceId


@final
class TableRead(msgspec.Struct, frozen=True, eq=False):
    """How the items of one table are read.

    Attributes:
        identities: finds out which item an answer's item is.
        options: parameters beside the keys: consistency, projection.
        sealed: what of its items is encrypted.
    """

    identities: Identities
    options: Mapping[str, Any]  # JSON
    sealed: tuple[Sealed, ...] = ()


class _Keys(msgspec.Struct, frozen=True):
    Keys: list[dict[str, Any]] = []  # JSON


class _Answer(msgspec.Struct, frozen=True):
    Responses: dict[str, list[msgspec.Raw]] | None = None
    UnprocessedKeys: dict[str, _Keys] = {}
    ConsumedCapacity: Any = None  # a list of records


_DECODER: Final = msgspec.json.Decoder(_Answer)


class Chunk:
    """Up to 100 different keys that one BatchGetItem asks for, and how far they were read.

    Args:
        places: the keys.
        tables: how each of their tables is read.
    """

    def __init__(self, places: Iterable[Place], tables: Mapping[str, TableRead]) -> None:
        self._tables = tables
        self._left = {place.id: place for place in places}
        self._read: deque[tuple[PlaceId, msgspec.Raw | None]] = deque()
        self.size = 0  # how many bytes of items were read and not taken yet
        self.reports: list[Any] = []  # what the answers report of consumed capacity: JSON

    @property
    def has_read(self) -> bool:
        """Whether something was read and not taken yet."""
        return bool(self._read)

    @property
    def left(self) -> Sequence[Place]:
        """The keys that were not read yet."""
        return tuple(self._left.values())

    def request(self) -> Request:
        """BatchGetItem of the keys that are left."""
        wanted: dict[str, dict[str, Any]] = {}
        for place in self._left.values():
            table = wanted.get(place.table)
            if table is None:
                table = wanted[place.table] = {"Keys": [], **self._tables[place.table].options}
            table["Keys"].append(place.key)
        only = next(iter(wanted)) if len(wanted) == 1 else None
        sealed = tuple(each for table in wanted for each in self._tables[table].sealed)
        return Request(operation="BatchGetItem", body={"RequestItems": wanted}, table=only, sealed=sealed)

    def receive(self, body: bytes) -> bool:
        """Take in an answer; whether it brought anything.

        Raises:
            DecodeError: it is no answer to this request. Then nothing of it counts.
        """
        answer: _Answer = parse_answer(body, _DECODER)
        if answer.Responses is None and not answer.UnprocessedKeys:
            # An empty page of a proxy, say: whoever took it for an answer would call every item missing.
            raise malformed(Problem("Responses", "is missing"))
        found: dict[PlaceId, msgspec.Raw] = {}
        for table, items in (answer.Responses or {}).items():
            of_item = self._identities(table).of_item
            for raw in items:
                found[self._asked(table, of_item, raw)] = raw
        unprocessed: set[PlaceId] = set()
        for table, keys in answer.UnprocessedKeys.items():
            of_key = self._identities(table).of_key
            unprocessed.update(self._asked(table, of_key, key) for key in keys.Keys)
        done = [place for place in self._left if place not in unprocessed]
        self._read += [(place, found.get(place)) for place in done]
        self.size += sum(map(len, found.values()))
        for place in done:
            del self._left[place]
        self.reports += answer.ConsumedCapacity or []
        return bool(done)

    def take(self, size: int | None = None) -> list[tuple[PlaceId, msgspec.Raw | None]]:
        """What was read and not taken before: each key with its item, ``None`` where there is none.

        Args:
            size: after how many bytes of items to stop; ``None`` for all.
        """
        taken: list[tuple[PlaceId, msgspec.Raw | None]] = []
        if size is None:
            taken += self._read
            self._read.clear()
            self.size = 0
            return taken
        least = self.size - size
        while self._read and (not taken or self.size > least):
            taken.append(self._read.popleft())
            self.size -= len(taken[-1][1] or b"")
        return taken

    def _identities(self, table: str) -> Identities:
        if table not in self._tables:
            raise _stranger(table)
        return self._tables[table].identities

    def _asked(self, table: str, identify: Callable[[T], Identity], found: T) -> PlaceId:
        """Which of the keys an item or a key of an answer is about.

        Raises:
            DecodeError: none of them. Passing over it would make an item that is there a missing one.
        """
        try:
            place = (table, *identify(found))
        except ValueError:
            raise _stranger(table) from None
        if place not in self._left:
            raise _stranger(table)
        return place


def _stranger(table: str) -> DecodeError:
    return malformed(Problem(table, "has something that was not asked for"))


def chunks(places: Sequence[Place], tables: Mapping[str, TableRead]) -> list[Chunk]:
    """Different keys, a hundred at a time, in order."""
    return [Chunk(places[start : start + MAX_KEYS], tables) for start in range(0, len(places), MAX_KEYS)]
