"""Single-table design as a whole: the shop of ``examples/shop.py``, and a table that another program has filled."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from dynamorm_async import (
    Database,
    DecodeError,
    InvalidKey,
    Key,
    NotUnique,
    NoUsableIndex,
    UnrecognizedItem,
    UsageError,
    partition,
)
from examples import shop as example
from examples.shop import Address, Customer, Inventory, Order, OrderItem, Refused, Status
from tests.contract.differences import differs
from tests.contract.models import changed, unique
from tests.contract.shop_models import START, Trip, Vehicle, customer_with_orders, index_keys, market, store, stored

__all__ = ["market"]  # a fixture

pytestmark = pytest.mark.anyio


async def shop_of(db: Database, **available: int) -> tuple[str, dict[str, str]]:
    """A customer, and products of which so many are there; the key of each product by its name."""
    customer_id = unique()
    await example.sign_up(db, customer_id, email=f"{customer_id}@example.com", name="Ada")
    skus = {name: f"{name}-{customer_id}" for name in available}
    await db.put_many(Inventory(sku=skus[name], price=Decimal("1.50"), available=n) for name, n in available.items())
    return customer_id, skus


def ids(orders: list[Order]) -> list[str]:
    return [order.order_id.partition("-")[0] for order in orders]


# --- what is stored ---------------------------------------------------------------------------


async def test_an_item_is_stored_with_its_attributes_and_its_keys(market: Database, endpoint: str) -> None:
    """Every component as an attribute of its own, keys beside them, the discriminator: all of it text that people read."""
    [order] = await customer_with_orders(market, Status.PLACED)
    key = {"pk": f"CUSTOMER#{order.customer_id}", "sk": f"ORDER#2026-01-30T12:00:00.000000Z#{order.order_id}"}
    assert stored(endpoint, "shop", **key) == {
        "pk": {"S": key["pk"]},
        "sk": {"S": key["sk"]},
        "gsi1pk": {"S": f"ORDER#{order.order_id}"},
        "gsi1sk": {"S": "ORDER"},
        "gsi2pk": {"S": "STATUS#placed"},
        "gsi2sk": {"S": f"2026-01-30T12:00:00.000000Z#{order.order_id}"},
        "_type": {"S": "order"},
        "customer_id": {"S": order.customer_id},
        "order_id": {"S": order.order_id},
        "placed": {"S": "2026-01-30T12:00:00.000000Z"},
        "status": {"S": "placed"},
        "total": {"N": "0"},
        "revision": {"N": "1"},
    }


async def test_what_was_written_is_read_back_by_its_key(market: Database) -> None:
    """By position, by name, by batch and in a transaction."""
    [order] = await customer_with_orders(market, Status.SHIPPED)
    key = Key(Order, order.customer_id, order.placed, order.order_id)
    assert key == example.key_of(order)
    assert await market.get(Order, order.customer_id, order.placed, order.order_id, consistent=True) == order
    missing = Key(Order, order.customer_id, order.placed, "other")
    assert await market.batch_get(key, missing, consistent=True) == [order, None]
    assert await market.transact_get(key, missing) == (order, None)


async def test_no_value_reaches_into_another_part_of_a_key(market: Database) -> None:
    """Whatever text an attribute is, it is found, and is in nobody else's partition or range."""
    for text in ["a#b", "a b", "a!", "a$", "$23", "#", "ORDER#", "é☃"]:
        customer_id, label = f"{unique()}{text}", f"home{text}{unique()}"
        address = await market.create(Address(customer_id=customer_id, label=label, street="1", city="Paris"))
        await market.create(changed(address, customer_id=customer_id.removesuffix(text)))
        await market.create(changed(address, label="home"))
        assert await market.get(Address, customer_id, label, consistent=True) == address
        of_customer = market.query(Address).where(Address.customer_id == customer_id)
        assert await of_customer == [changed(address, label="home"), address]
        assert await of_customer.where(Address.label.begins_with(f"home{text}")) == [address]
        assert await of_customer.where(Address.label > "home") == [address]


# --- the example ------------------------------------------------------------------------------


async def test_an_email_address_is_of_one_customer(market: Database) -> None:
    """Unique values hold in a shared table, and name the owner by its logical key."""
    customer_id, _ = await shop_of(market)
    with pytest.raises(NotUnique) as caught:
        await example.sign_up(market, unique(), email=f"{customer_id}@example.com", name="Eve")
    assert caught.value.owner == Key(Customer, customer_id)


async def test_an_order_is_placed_as_a_whole(market: Database) -> None:
    """The order, its items and what is left of each product, and all of it is read back in one query."""
    customer_id, skus = await shop_of(market, pen=10, cup=1)
    order_id = unique()[:30]
    basket = {skus["pen"]: 3, skus["cup"]: 1}
    order = await example.place_order(market, customer_id, order_id, basket, at=START)
    assert order.total == Decimal("6.00")
    found = await example.order_with_items(market, order_id)
    assert found is not None
    assert found[0] == order
    assert {item.sku: item.count for item in found[1]} == basket
    left = await market.batch_get(*(Key(Inventory, sku) for sku in basket), consistent=True)
    assert [product and product.available for product in left] == [7, 0]


async def test_an_order_is_placed_once(market: Database, engine: str) -> None:
    """A repeated request is known by its token, and where tokens are not known by the order's key; stock is taken once."""
    customer_id, skus = await shop_of(market, pen=10)
    order_id, basket = unique()[:30], {skus["pen"]: 3}
    order = await example.place_order(market, customer_id, order_id, basket, at=START)
    if differs(engine, "transaction-token"):
        with pytest.raises(Refused, match=f"order {order_id} was placed before"):
            await example.place_order(market, customer_id, order_id, basket, at=START)
    else:
        assert await example.place_order(market, customer_id, order_id, basket, at=START) == order
    assert await example.last_orders(market, customer_id) == [order]
    left = await market.get(Inventory, skus["pen"], consistent=True)
    assert left is not None
    assert left.available == 7


async def test_an_order_without_stock_leaves_nothing_behind(market: Database) -> None:
    """One product that is short undoes the order, its items and what was taken of the others."""
    customer_id, skus = await shop_of(market, pen=10, cup=1)
    order_id = unique()[:30]
    with pytest.raises(Refused, match=f"^only 1 of {skus['cup']} left$"):
        await example.place_order(market, customer_id, order_id, {skus["pen"]: 3, skus["cup"]: 2}, at=START)
    assert await example.order_with_items(market, order_id) is None
    assert await example.last_orders(market, customer_id) == []
    assert await market.query(OrderItem).where(OrderItem.order_id == order_id).consistent() == []
    left = await market.get(Inventory, skus["pen"], consistent=True)
    assert left is not None
    assert left.available == 10


async def test_an_order_of_nobody_or_of_nothing_is_refused(market: Database) -> None:
    """A customer who did not sign up, a product that is not sold."""
    _, skus = await shop_of(market, pen=10)
    with pytest.raises(Refused):
        await example.place_order(market, unique(), unique()[:30], {skus["pen"]: 1}, at=START)
    with pytest.raises(Refused, match=r"^we have no ink$"):
        await example.place_order(market, unique(), unique()[:30], {"ink": 1}, at=START)


async def test_a_customers_page_is_one_query(market: Database) -> None:
    """Profile, addresses and the newest orders, each as its model, of this customer alone."""
    orders = await customer_with_orders(market, *[Status.DELIVERED] * 4)
    customer_id = orders[0].customer_id
    customer = await example.sign_up(market, customer_id, email=f"{customer_id}@example.com", name="Ada")
    homes = [Address(customer_id=customer_id, label=label, street="1", city="Paris") for label in ("work", "home")]
    await market.put_many(homes)
    await customer_with_orders(market, Status.PLACED)
    with market.measure() as meter:
        page = await example.customer_page(market, customer_id, limit=5)
    assert page[Customer] == [customer]
    assert page[Address] == homes  # backwards
    assert ids(page[Order]) == ["o3", "o2"]
    assert meter.statistics.requests == {"Query": 1}
    assert ids((await example.customer_page(market, customer_id))[Order]) == ["o3", "o2", "o1", "o0"]


async def test_orders_by_time(market: Database) -> None:
    """The last ones, those of a day, those of a month: ranges of the sort key with exact ends."""
    orders = await customer_with_orders(market, *[Status.PLACED] * 4)  # of 30 January to 2 February, at noon
    customer_id = orders[0].customer_id
    assert ids(await example.last_orders(market, customer_id, limit=2)) == ["o3", "o2"]
    for first, before, found in [
        (datetime(2026, 1, 31, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), ["o1"]),
        (datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC), ["o0", "o1"]),
        (orders[1].placed, orders[3].placed, ["o1", "o2"]),
        (orders[3].placed + timedelta(microseconds=1), datetime(2030, 1, 1, tzinfo=UTC), []),
        (orders[3].placed, orders[0].placed, []),
    ]:
        assert ids(await example.orders_between(market, customer_id, first, before)) == found


async def test_open_orders_are_in_a_sparse_index(market: Database, endpoint: str) -> None:
    """Oldest first, by status; an order moves within the index, and leaves it when it is delivered."""
    placed = await customer_with_orders(market, Status.PLACED, Status.PLACED, Status.DELIVERED)
    mine = {order.order_id for order in placed}

    async def open_orders(status: Status) -> list[str]:
        return ids(
            [order for order in await example.open_orders(market, status, limit=10_000) if order.order_id in mine]
        )

    assert await open_orders(Status.PLACED) == ["o0", "o1"]
    shipped = await example.move(market, placed[0], Status.SHIPPED)
    assert (await open_orders(Status.PLACED), await open_orders(Status.SHIPPED)) == (["o1"], ["o0"])
    delivered = await example.move(market, shipped, Status.DELIVERED)
    assert (await open_orders(Status.PLACED), await open_orders(Status.SHIPPED)) == (["o1"], [])
    sk = f"ORDER#2026-01-30T12:00:00.000000Z#{delivered.order_id}"
    key = {"pk": f"CUSTOMER#{delivered.customer_id}", "sk": sk}
    assert index_keys(stored(endpoint, "shop", **key)) == {"gsi1pk": f"ORDER#{delivered.order_id}", "gsi1sk": "ORDER"}
    with pytest.raises(NoUsableIndex):
        await example.open_orders(market, Status.DELIVERED)


async def test_an_order_moves_once(market: Database) -> None:
    """Who comes second is told what is there, and changes nothing."""
    [order] = await customer_with_orders(market, Status.PLACED)
    await example.move(market, order, Status.SHIPPED)
    with pytest.raises(Refused, match=r"is (shipped|gone)"):  # an engine that does not return the item cannot tell
        await example.move(market, order, Status.DELIVERED)
    assert await example.last_orders(market, order.customer_id) == [changed(order, status=Status.SHIPPED, revision=2)]


async def test_every_way_to_change_an_order_moves_its_index_keys(market: Database, endpoint: str) -> None:
    """save, modify, put, upsert and a transaction leave the keys that a new item would have."""
    [order] = await customer_with_orders(market, Status.PLACED)
    key = example.key_of(order)
    physical = {"pk": f"CUSTOMER#{order.customer_id}", "sk": f"ORDER#2026-01-30T12:00:00.000000Z#{order.order_id}"}

    def status_key() -> str | None:
        return index_keys(stored(endpoint, "shop", **physical)).get("gsi2pk")

    found = await market.get(key, consistent=True)
    assert found is not None
    found.status = Status.SHIPPED
    await market.save(found)
    assert status_key() == "STATUS#shipped"

    def deliver(changing: Order) -> None:
        changing.status = Status.DELIVERED

    await market.modify(key, deliver)
    assert status_key() is None
    await market.put(changed(order, revision=3))  # what is there
    assert status_key() == "STATUS#placed"
    await market.update(key, Order.status.set(Status.SHIPPED), upsert=True)
    assert status_key() == "STATUS#shipped"
    async with market.transaction() as tx:
        tx.update(key, Order.status.set(Status.PLACED), where=Order.status == Status.SHIPPED)
    assert status_key() == "STATUS#placed"
    await market.delete(key)
    assert await example.last_orders(market, order.customer_id) == []


async def test_an_item_from_before_an_index_gets_its_keys_by_a_save(market: Database, endpoint: str) -> None:
    """Also where nothing of it has changed: that is how a new index is filled."""
    [order] = await customer_with_orders(market, Status.PLACED)
    key = {"pk": f"CUSTOMER#{order.customer_id}", "sk": f"ORDER#2026-01-30T12:00:00.000000Z#{order.order_id}"}
    item = stored(endpoint, "shop", **key)
    store(endpoint, "shop", {name: value for name, value in item.items() if not name.startswith("gsi")})
    assert await example.order_with_items(market, order.order_id) is None
    found = await market.get(example.key_of(order), consistent=True)
    assert found is not None
    await market.save(found)
    assert index_keys(stored(endpoint, "shop", **key)) == index_keys(item)
    assert await example.order_with_items(market, order.order_id) == (found, [])


async def test_a_change_that_cannot_keep_a_key_is_refused(market: Database) -> None:
    """Nothing is sent; the error names what is in the key, and the ways out."""
    [order] = await customer_with_orders(market, Status.PLACED)
    with market.measure() as meter, pytest.raises(UsageError, match=r"Order.*gsi2.*status"):
        await market.update(example.key_of(order), Order.status.set_default(Status.SHIPPED))
    assert meter.statistics.requests == {}


async def test_keys_are_not_changed(market: Database) -> None:
    """What the table's key is made of stays as it is, by update and by save."""
    [order] = await customer_with_orders(market, Status.PLACED)
    with pytest.raises(UsageError, match=r"order_id"):
        await market.update(example.key_of(order), Order.order_id.set("other"))
    with pytest.raises(UsageError, match=r"placed"):
        await market.save(changed(order, placed=START + timedelta(days=1)))


async def test_items_of_other_programs_are_not_passed_over(market: Database, endpoint: str) -> None:
    """A collection of everything says what it does not know; one of some models, and queries, do not ask for it."""
    [order] = await customer_with_orders(market, Status.PLACED)
    whole = partition(Customer, customer_id=order.customer_id)
    pk, sk = f"CUSTOMER#{order.customer_id}", "ORDER#A-GHOST"
    store(endpoint, "shop", {"pk": {"S": pk}, "sk": {"S": sk}, "_type": {"S": "ghost"}})
    with pytest.raises(UnrecognizedItem, match="ghost"):
        await market.collection(whole)
    assert await market.collection(whole).unknown("skip") == [order]
    [found, ghost] = await market.collection(whole).unknown("raw")
    assert found == order
    assert ghost.type == "ghost"
    assert await market.collection(whole).of(Order) == [order]
    assert await example.last_orders(market, order.customer_id) == [order]


# --- a table that another program has filled --------------------------------------------------


async def test_a_table_of_another_program_is_adopted(market: Database, endpoint: str) -> None:
    """Its names, its discriminator, its keys as they are; what it did not store beside its keys is told from them."""
    plate, depot = f"AB 1!{unique()}", unique()
    store(
        endpoint,
        "fleet",
        {
            "PK": {"S": f"VEHICLE#{plate}"},
            "SK": {"S": "VEHICLE"},
            "EntityType": {"S": "VEHICLE"},
            "GSI1PK": {"S": depot},
            "GSI1SK": {"S": "2020-02-29"},
            "Depot": {"S": depot},
        },
    )
    for number in (9, 10, 100):
        key = {"PK": {"S": f"VEHICLE#{plate}"}, "SK": {"S": f"TRIP#{number:06}"}}
        store(endpoint, "fleet", {**key, "EntityType": {"S": "TRIP"}, "kilometres": {"N": str(number)}})

    vehicle = await market.get(Vehicle, plate, consistent=True)
    assert vehicle == Vehicle(plate=plate, depot=depot, bought=date(2020, 2, 29))
    trips = await market.query(Trip).where(Trip.plate == plate, Trip.number >= 10)
    assert [(trip.plate, trip.number, trip.kilometres) for trip in trips] == [
        (plate, 10, Decimal(10)),
        (plate, 100, Decimal(100)),
    ]
    in_depot = await market.query(Vehicle).where(Vehicle.depot == depot).select(Vehicle.plate)
    assert in_depot == [(plate,)]
    grouped = await market.collection(partition(Trip, plate=plate)).of(Vehicle, Trip).grouped()
    assert (len(grouped[Vehicle]), [trip.number for trip in grouped[Trip]]) == (1, [9, 10, 100])


async def test_what_is_written_to_an_adopted_table_is_as_the_other_program_has_it(
    market: Database, endpoint: str
) -> None:
    """The same keys, so that it finds the items."""
    plate = unique()
    await market.create(Trip(plate=plate, number=7, kilometres=Decimal("1.5")))
    assert stored(endpoint, "fleet", PK=f"VEHICLE#{plate}", SK="TRIP#000007") == {
        "PK": {"S": f"VEHICLE#{plate}"},
        "SK": {"S": "TRIP#000007"},
        "EntityType": {"S": "TRIP"},
        "Plate": {"S": plate},
        "Number": {"N": "7"},
        "kilometres": {"N": "1.5"},
    }


async def test_what_an_adopted_key_cannot_hold_is_refused(market: Database) -> None:
    """The separator, and a number that is too long: a key of another item is never made."""
    with pytest.raises(InvalidKey, match=r"Vehicle\.plate.*#"):
        await market.get(Vehicle, "A#B")
    with pytest.raises(InvalidKey, match=r"Trip\.number.*999999"):
        await market.create(Trip(plate="A", number=1_000_000))


async def test_an_item_without_discriminator_is_found_by_its_key(market: Database, endpoint: str) -> None:
    """By get and in collections; queries, which filter by type, find it once it was written here."""
    plate = unique()
    store(endpoint, "fleet", {"PK": {"S": f"VEHICLE#{plate}"}, "SK": {"S": "TRIP#000007"}})
    trip = await market.get(Trip, plate, 7, consistent=True)
    assert trip == Trip(plate=plate, number=7)
    assert await market.collection(partition(Trip, plate=plate)) == [trip]
    mine = market.query(Trip).where(Trip.plate == plate)
    assert await mine == []
    await market.put(trip)
    assert await mine == [trip]


async def test_an_item_of_another_type_is_no_item_of_this_model(market: Database, endpoint: str) -> None:
    """A get of it is an error, not a wrong object."""
    plate = unique()
    key = {"PK": {"S": f"VEHICLE#{plate}"}, "SK": {"S": "VEHICLE"}}
    store(endpoint, "fleet", {**key, "EntityType": {"S": "TRAILER"}, "Bought": {"S": "2020-01-01"}})
    with pytest.raises(DecodeError, match="TRAILER"):
        await market.get(Vehicle, plate)
