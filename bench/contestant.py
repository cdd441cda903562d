"""What a contestant can do, and the work that all of them do alike."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Protocol

from items import ORG, Values, values

BATCH_GET = 100
BATCH_WRITE = 25
TRANSACTION = 10
ENCODED = 100
NEW_NOTE = "seen again"
NEW_BALANCE = 1
CREATED = "%Y-%m-%dT%H:%M:%S.%fZ"


class Contestant(Protocol):
    """One client under test.

    Those that can do more have these too; a workload whose method is missing has a dash in the tables:
    ``decode(body)``, the items of a Scan's answer of 1,000; ``encode()``, the bodies of 100 PutItem requests;
    ``render()``, the parameters of an update with three changes and three conditions; ``stream(org)``, an iterator
    over a query of many pages.
    """

    async def get(self) -> object:
        """Read item 1."""
        ...

    async def get_in_crowd(self) -> object:
        """Read item 1 as one of many tasks; those without ``async`` go through ``asyncio.to_thread``."""
        ...

    async def put(self) -> object:
        """Write item 2."""
        ...

    async def update(self) -> object:
        """Set the note of item 1 and add to its balance; the new item, where the client can have it."""
        ...

    async def query(self, org: str, /) -> object:
        """Read every item of a partition, which is one page."""
        ...

    async def scan(self) -> object:
        """Read every item of the table, 1,000 in one page."""
        ...

    async def batch_get(self) -> object:
        """Read items 0 to 99 by their keys."""
        ...

    async def batch_write(self) -> object:
        """Write items 0 to 24."""
        ...

    async def transact(self) -> object:
        """Write items 0 to 9 in one transaction."""
        ...

    def values(self, answer: Any, /) -> list[Values]:  # each contestant has a type of answer of its own
        """What one of the reads gave, as plain values."""
        ...


def instant(text: str) -> datetime:
    """The time of an item's ``created``."""
    return datetime.strptime(text, CREATED).replace(tzinfo=UTC)


def typed_values(number: int) -> Any:  # plain values of eight types, by name
    """Item ``number`` with its ``created`` as a datetime, for models."""
    item = values(number)
    return item | {"created": instant(str(item["created"]))}


def plain_values(model: Any) -> Values:  # any client's instance
    """A model's attributes as plain values."""
    found: Values = {name: getattr(model, name) for name in values(0, ORG)}
    return found | {
        "created": model.created.astimezone(UTC).strftime(CREATED),
        "address": {"street": model.address.street, "city": model.address.city},
    }


def http_answer(body: bytes) -> dict[str, Any]:  # what botocore's parsers take, which have no types
    """A good answer as botocore's parsers take it."""
    return {"headers": {}, "body": body, "status_code": 200, "context": {}}
