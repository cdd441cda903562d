"""transact_get against the engines."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import Database, DecodeError, Key, TableNotFound, ValidationFailed
from tests.contract.differences import differs
from tests.contract.models import Account, put_raw, unique
from tests.contract.reading_models import BADGES, PARCELS, Badge, Parcel, depots
from tests.contract.reading_models import connect as connect_reading
from tests.engines import Lane, call

__all__ = ["depots"]  # a fixture

pytestmark = pytest.mark.anyio


async def test_items_of_several_tables(depots: Database) -> None:
    """In the order of the keys, each as its own model; None for a miss."""
    third = PARCELS[3]
    found = await depots.transact_get(Key(Badge, "b1"), Key(Parcel, third.depot, third.number), Key(Badge, "none"))
    assert found == (BADGES[1], third, None)
    (only,) = await depots.transact_get(Key(Badge, "b0"))
    assert only == BADGES[0]


async def test_as_many_as_an_engine_takes(depots: Database, engine: str) -> None:
    """DynamoDB takes a hundred."""
    keys = [Key(Parcel, parcel.depot, parcel.number) for parcel in PARCELS]
    assert await depots.transact_get(*keys[:10]) == PARCELS[:10]
    hundred: list[Key[Any]] = [*keys, *(Key(Badge, f"none {number}") for number in range(70))]
    if differs(engine, "transact-get-of-100"):
        with pytest.raises(ValidationFailed):
            await depots.transact_get(*hundred)
    else:
        assert await depots.transact_get(*hundred) == (*PARCELS, *([None] * 70))


async def test_what_was_read_can_be_saved(store: Database) -> None:
    """The items know what they were read from: one changed attribute is one in the request."""
    key = Key(Account, unique(), "u")
    await store.put(Account(org=str(key.values[0]), user="u", name="Ada", age=3))
    (account,) = await store.transact_get(key)
    assert account is not None
    await store.update(key, Account.age.set(4))
    account.name = "Grace"
    await store.save(account)
    assert await store.get(key) == Account(org=account.org, user="u", name="Grace", age=4)


@pytest.mark.usefixtures("depots")
async def test_capacity_is_reported(endpoint: str, lane: Lane) -> None:
    """Two reads of each item, for measure()."""
    async with connect_reading(endpoint, lane, capacity="total") as db:
        with db.measure() as meter:
            await db.transact_get(Key(Badge, "b0"), Key(Badge, "b1"))
    assert meter.statistics.requests == {"TransactGetItems": 1}
    assert meter.statistics.capacity.read == 4.0
    assert meter.statistics.capacity.write == 0.0


async def test_an_item_that_does_not_fit_is_an_error(store: Database, endpoint: str) -> None:
    """With its attribute, as in ``get``."""
    org = unique()
    put_raw(endpoint, "accounts", {"org": {"S": org}, "user": {"S": "bad"}, "age": {"S": "old"}})
    with pytest.raises(DecodeError, match="age"):
        await store.transact_get(Key(Account, org, "bad"))


async def test_a_missing_table_is_told(db: Database) -> None:
    """As everywhere."""
    with pytest.raises(TableNotFound):
        await db.transact_get(Key(Badge, "b1"))


@pytest.mark.usefixtures("depots")
async def test_an_item_twice_is_refused_by_the_engines(endpoint: str, engine: str) -> None:
    """Which is why it is refused before it is sent."""
    get = {"Get": {"TableName": "reading-badges", "Key": {"code": {"S": "b1"}}}}
    status, _answer = call(endpoint, "TransactGetItems", {"TransactItems": [get, get]})
    assert (status == 400) is not differs(engine, "transact-get-of-one-item-twice-refused")
