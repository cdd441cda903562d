"""What is written is what is read, on both engines: numbers, sizes, keys, and what a model does not know."""

from __future__ import annotations

import decimal
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Database,
    InvalidKey,
    InvalidValue,
    ItemTooLarge,
    Key,
    attr,
    model,
    partition_key,
    sort_key,
)
from dynamorm_async.codec.sizes import MAX_ITEM_BYTES, item_size
from dynamorm_async.model.spec import spec_of
from tests.contract.differences import differs
from tests.differential.plain import read_raw, same
from tests.engines import call, endpoint_of
from tests.property.round_trips import Kept, Values, on_the_wire, round_trips
from tests.property.sizing import examples

pytestmark = pytest.mark.anyio
NUMBERS = [
    *map(Decimal, ("0", "-0", "-0.0", "0E+5", "1e5", "1E-130", "-1E-130", "9.9E+125", "1.10", "1E+2", "120")),
    Decimal("9." + "9" * 37 + "E+125"),
    Decimal("-1." + "1" * 37 + "E-93"),
]
POOL = ("a", "z", "\u00e9", "e\u0301", "\uffff", "\ue000", "\U00010000", "\U0010ffff", "\U0001f600", "\x00", " ", "~")


@model(table="texts")
class Text:
    shelf: Attr[str] = partition_key()
    name: Attr[str] = sort_key()
    body: Attr[Any] = attr(default=None)


@pytest.fixture(params=["dynoxide", "dynamodb-local"])
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def endpoint(engine: str, request: pytest.FixtureRequest) -> str:
    return endpoint_of(engine, request)


@pytest.fixture
async def db(endpoint: str) -> AsyncIterator[Database]:
    prefix = f"s{uuid.uuid4().hex[:12]}-"
    async with Database(
        endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), table_prefix=prefix
    ) as database:
        await database.tables.ensure(Kept, Text)
        yield database


def table_of(db: Database, name: str) -> str:
    return f"{db._prefix}{name}"  # pyright: ignore[reportPrivateUsage]  # what it was made with


def raw_of(endpoint: str, table: str, key: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = call(endpoint, "GetItem", {"TableName": table, "Key": key, "ConsistentRead": True})[1][
        "Item"
    ]
    return item


def test_the_codec_loses_nothing() -> None:
    """Tens of thousands of values come back of the same type and value, unknown ones as well, whatever the caller's context."""
    result = round_trips(examples(200).max_examples * 100, seed=1)
    assert result.values >= examples(200).max_examples * 100
    assert result.losses == 0


async def test_generated_items_come_back(db: Database, engine: str) -> None:
    """What a batch wrote, get, batch_get and scan read: the same values of the same types."""
    drawn = Values(2, empties=not differs(engine, "empty-values"))
    items = [drawn.item(str(number)) for number in range(examples(60).max_examples)]
    with decimal.localcontext(decimal.Context(prec=5, traps=[decimal.Inexact])):
        await db.put_many(items)
        found = await db.batch_get(*(Key(Kept, item.pk) for item in items), consistent=True)
        scanned = {item.pk: item for item in await db.scan(Kept).consistent()}
    assert len(scanned) == len(items)
    for item, read in zip(items, found, strict=True):
        assert same(read, item)
        assert same(scanned[item.pk], item)


async def test_what_a_model_does_not_know_survives(db: Database, engine: str, endpoint: str) -> None:
    """Attributes of other programs are as they were after save, update, modify-like read and put, and a delete's old item."""
    drawn, table = Values(3, empties=not differs(engine, "empty-values")), table_of(db, "kept")
    for number in range(20):
        key = {"pk": {"S": f"u{number}"}}
        others = {f"other {name}": on_the_wire(drawn.anything()) for name in range(3)}
        assert call(endpoint, "PutItem", {"TableName": table, "Item": {**key, **others}})[0] == 200
        item = await db.get(Kept, f"u{number}", consistent=True)
        assert item is not None
        item.whole = number + 1
        await db.save(item)
        await db.update(Key(Kept, f"u{number}"), Kept.text.set("new"))
        fresh = await db.get(Kept, f"u{number}", consistent=True)
        assert fresh is not None
        await db.put(fresh)
        after = raw_of(endpoint, table, key)
        assert read_raw({name: after[name] for name in others}) == read_raw(others)


async def test_numbers_at_the_borders(db: Database) -> None:
    """Zero has no sign, exponents and trailing zeros do not matter, and 38 digits are 38 digits; sums are exact."""
    with decimal.localcontext(decimal.Context(prec=5, traps=[decimal.Inexact])):
        await db.put(Kept(pk="n", items=NUMBERS, other=[*NUMBERS, True, 1, Decimal(1), 1.0]))
        item = await db.get(Kept, "n", consistent=True)
        assert item is not None
        assert item.items == NUMBERS
        assert [number.is_signed() for number in item.items[:4]] == [False] * 4
        assert item.other[-4:] == [True, 1, 1, 1]
        assert [type(value) for value in item.other[-4:]] == [bool, int, int, int]
        await db.update(Key(Kept, "n"), Kept.whole.set(10**37), Kept.exact.set(Decimal("0." + "1" * 37)))
        changed = await db.update(Key(Kept, "n"), Kept.whole.add(1), Kept.exact.add(Decimal("0.1")))
    assert (changed.whole, changed.exact) == (10**37 + 1, Decimal("0.2" + "1" * 36))


async def test_sets_hold_each_element_once_and_of_one_type(db: Database, endpoint: str) -> None:
    """1, 1.0 and Decimal(1) are one element; True is none of a set of numbers, where it would be 1."""
    await db.put(Kept(pk="s", other={1, Decimal("1.00"), Decimal("2.50")}, numbers={3, 10**2}))
    raw = read_raw(raw_of(endpoint, table_of(db, "kept"), {"pk": {"S": "s"}}))
    assert raw["other"] == {"NS": frozenset({Decimal(1), Decimal("2.5")})}
    wrong: tuple[Any, ...] = ({True}, {True, 2}, {1, "1"}, {None}, {(1,)})
    for elements in wrong:
        with pytest.raises(InvalidValue, match=r"Kept\.other"):
            await db.put(Kept(pk="s", other=elements))
        with pytest.raises(InvalidValue, match=r"Kept\.numbers"):
            await db.put(Kept(pk="s", numbers=elements))


async def test_items_of_just_400_kb(db: Database, endpoint: str) -> None:
    """An item of 409,600 bytes by our count is stored, whatever is in it; one byte more both we and the engine refuse."""
    drawn, codec = Values(4, empties=False), spec_of(Text).codec
    for number in range(6):
        body = {"some": [drawn.text(), drawn.binary(), [True, None, {"\U0001f600": drawn.text()}]], "fill": ""}
        item = Text(shelf="s", name=f"\u00e9{number}", body=body)
        size = item_size(codec.encode(item))
        body["fill"] = "x" * (MAX_ITEM_BYTES - size)
        assert item_size(codec.encode(item)) == MAX_ITEM_BYTES
        await db.put(item)
        assert same(await db.get(Text, "s", item.name, consistent=True), item)
        body["fill"] = f"{body['fill']}x"
        for write in (db.put, db.create, db.save):
            with pytest.raises(ItemTooLarge, match="409,601 bytes"):
                await write(item)
        raw = {"shelf": {"S": "s"}, "name": {"S": item.name}, "body": on_the_wire(body)}
        assert call(endpoint, "PutItem", {"TableName": table_of(db, "texts"), "Item": raw})[0] == 400


async def test_the_longest_keys(db: Database) -> None:
    """2,048 bytes of a partition key and 1,024 of a sort key pass, counted in UTF-8; one more is refused before sending."""
    for letter in ("x", "\u00e9", "\U0001f600"):
        shelf, name = letter * (2048 // len(letter.encode())), letter * (1024 // len(letter.encode()))
        item = await db.create(Text(shelf=shelf, name=name, body=1))
        assert await db.get(Text, shelf, name, consistent=True) == item
        for key in ((f"{shelf}x", name), (shelf, f"{name}x")):
            with pytest.raises(InvalidKey, match="DynamoDB allows"):
                await db.put(Text(shelf=key[0], name=key[1]))
            with pytest.raises(InvalidKey, match="DynamoDB allows"):
                await db.get(Text, *key)


async def test_keys_of_any_text(db: Database) -> None:
    """Composed and decomposed letters are different keys; a partition is in the order of UTF-8 bytes, not of UTF-16 or locale."""
    random = Random(5)  # noqa: S311 - the same keys again
    names = {"".join(random.choices(POOL, k=random.randrange(1, 5))) for _ in range(examples(100).max_examples)}
    names |= {"\u00e9", "e\u0301", "\ufb03", "ffi", "\uffff", "\U00010000"}
    await db.put_many(Text(shelf="k", name=name, body=name) for name in names)
    found = await db.query(Text).where(Text.shelf == "k").consistent()
    assert [text.name for text in found] == sorted(names, key=str.encode)
    assert all(text.body == text.name for text in found)
    for low, high in (("e", "z"), ("\uffff", "\U00010000"), ("\u00e9", "\U0001f600")):
        within = await db.query(Text).where(Text.shelf == "k", Text.name.between(low, high))
        assert [text.name for text in within] == sorted(
            (name for name in names if low.encode() <= name.encode() <= high.encode()), key=str.encode
        )
    for half in ("\ud800", "a\udfff"):
        with pytest.raises(InvalidKey, match="half a surrogate pair"):
            await db.get(Text, "k", half)


async def test_nesting(db: Database) -> None:
    """A value within 31 lists and maps comes back; one more is refused before it is sent, in whatever mixture."""
    random = Random(6)  # noqa: S311 - the same values again
    for number in range(10):
        value: Any = "x"
        for _ in range(31):
            value = [value] if random.random() < 0.5 else {"k": value}
        item = await db.create(Text(shelf="d", name=str(number), body=value))
        assert same(await db.get(Text, "d", str(number), consistent=True), item)
        for deeper in ([value, [value]], {"k": [value]}):
            with pytest.raises(InvalidValue, match=r"Text\.body: .*32 levels"):
                await db.put(Text(shelf="d", name=str(number), body=deeper))
