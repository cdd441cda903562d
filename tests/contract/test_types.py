"""Every kind of value goes through the engine and comes back as itself, of its own type."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from dynamorm_async import Database, Key
from tests.contract.differences import differs
from tests.contract.models import Address, Card, Cash, Colour, Defaults, Kinds, Level, Point, raw_item, unique

pytestmark = pytest.mark.anyio

KOLKATA = timezone(timedelta(hours=5, minutes=30))
VALUES: dict[str, list[Any]] = {
    "text": ["x", "naïve 日本", "𝄞 😀 \U0010fffd", 'quotes " and \\ and \u2028', "\x00\x1f", "a -- b; DROP", " "],
    "whole": [0, -1, 2**63, 10**38 - 1, -(10**38 - 1), 10**40],
    "real": [0.0, 0.1, -2.5, 1e22, 1.5e-100, 123456789.123456, 5e125, 3.0],
    "exact": [Decimal(0), Decimal("0.1"), Decimal("1." + "1" * 37), Decimal("9.9E+125"), Decimal("1E-130")],
    "flag": [True, False],
    "binary": [b"x", bytes(range(256))],
    "at": [
        datetime(2026, 1, 2, 3, 4, 5, 6, UTC),
        datetime(1, 1, 1, tzinfo=UTC),
        datetime(9999, 12, 31, 23, 59, 59, 999999, UTC),
        datetime(2026, 1, 2, 3, 4, 5, tzinfo=KOLKATA),
    ],
    "day": [date(2026, 2, 28), date.max],
    "span": [timedelta(0), timedelta(microseconds=1), timedelta(days=-3, seconds=1), timedelta.max],
    "ident": [UUID(int=0), UUID("12345678-1234-5678-1234-567812345678")],
    "colour": list(Colour),
    "level": list(Level),
    "words": [{"a"}, {"b", "a", "𝄞"}],
    "numbers": [{0}, {-1, 10**38 - 1, 3}],
    "blobs": [frozenset({b"\x00", b"\xff"})],
    "colours": [{Colour.RED, Colour.BLUE}],
    "items": [list[int](), [1, None, 3]],
    "pairs": [tuple[str, ...](), ("a", "b")],
    "table": [dict[str, Any](), {"a": [Decimal("0.5")], "b.c": list[Decimal]()}],
    "address": [Address(street="Elm", city="Rome"), Address(street="Elm", city="Rome", zip="1")],
    "point": [Point(1, 2.5), Point(0)],
    "points": [[Point(1), Point(2, -1.0)]],
    "paid": [Card("4111"), Cash(3)],
    "anything": [
        "x",
        5,
        Decimal("0.5"),
        True,
        b"b",
        [1, ["a", None], {"k": False}],
        {"k": {"l": {}}},
        frozenset({"s"}),
    ],
    "as_text": [dict[str, list[int]](), {"a": [1, 2], "b": list[int]()}],
    "small": ["x" * 10_000, "日本"],
    "expires": [datetime(2030, 1, 1, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)],
}
CASES = [pytest.param(name, values, id=name) for name, values in VALUES.items()]


@pytest.mark.parametrize(("name", "values"), CASES)
async def test_a_value_comes_back(store: Database, name: str, values: list[Any]) -> None:
    """What was put, what an update set, and what a query returns is the same value, of the same type."""
    attribute = getattr(Kinds, name)
    for value in values:
        key = Key(Kinds, unique())
        await store.put(Kinds(pk=str(key.values[0]), **{name: value}))
        put = await store.get(key, consistent=True)
        updated = await store.update(Key(Kinds, unique()), attribute.set(value), upsert=True)
        queried = await store.query(Kinds).where(Kinds.pk == str(key.values[0]))
        for found in (put, updated, *queried):
            assert getattr(found, name) == value
            assert type(getattr(found, name)) is type(value)


async def test_every_value_at_once(store: Database) -> None:
    """All kinds together in one item, decoded by get and by query."""
    item = Kinds(pk=unique(), **{name: values[-1] for name, values in VALUES.items()})
    await store.create(item)
    assert await store.get(Kinds, item.pk, consistent=True) == item
    assert await store.query(Kinds).where(Kinds.pk == item.pk) == [item]


async def test_nothing_is_stored_for_none(store: Database, endpoint: str) -> None:
    """None and empty sets take no room where an absent attribute reads back as just that."""
    item = await store.create(Kinds(pk=unique()))
    assert raw_item(endpoint, "kinds", {"pk": {"S": item.pk}}) == {"pk": {"S": item.pk}}
    assert await store.get(Kinds, item.pk, consistent=True) == item


async def test_none_survives_another_default(store: Database) -> None:
    """None and the empty set come back as themselves even where the default is something else."""
    for item in (Defaults(pk=unique(), size=None, tags=set()), Defaults(pk=unique()), Defaults(pk=unique(), size=0)):
        await store.create(item)
        assert await store.get(Defaults, item.pk, consistent=True) == item
    changed = await store.update(
        Key(Defaults, item.pk), Defaults.size.set(None), Defaults.tags.set(set()), Defaults.none.set(set())
    )
    assert changed == Defaults(pk=item.pk, size=None, tags=set())


async def test_empty_text_and_bytes(store: Database, engine: str) -> None:
    """Empty text and empty bytes are values like any other, outside keys."""
    if differs(engine, "empty-values"):
        return
    item = Kinds(pk=unique(), text="", binary=b"", items=[], small="", anything="")
    await store.create(item)
    assert await store.get(Kinds, item.pk, consistent=True) == item


async def test_what_is_stored_is_dynamodbs_own_form(store: Database, endpoint: str) -> None:
    """Other programs find the types that they would expect."""
    pk = unique()
    await store.create(
        Kinds(
            pk=pk,
            whole=5,
            at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=KOLKATA),
            day=date(2026, 2, 28),
            expires=datetime(2030, 1, 1, tzinfo=UTC),
            colours={Colour.RED},
            point=Point(1),
            items=[1, None],
            as_text={"a": [1]},
            flag=True,
        )
    )
    assert raw_item(endpoint, "kinds", {"pk": {"S": pk}}) == {
        "pk": {"S": pk},
        "whole": {"N": "5"},
        "at": {"S": "2026-01-01T21:34:05.000000Z"},
        "day": {"S": "2026-02-28"},
        "expires": {"N": "1893456000"},
        "colours": {"SS": ["red"]},
        "point": {"M": {"x": {"N": "1"}, "y": {"N": "0.5"}}},
        "items": {"L": [{"N": "1"}, {"NULL": True}]},
        "as_text": {"S": '{"a":[1]}'},
        "flag": {"BOOL": True},
    }


async def test_times_sort_as_text(store: Database) -> None:
    """Times with trimmed fractions and other offsets compare in the engine as they do in Python (flaw D17)."""
    base = datetime(2026, 1, 1, tzinfo=UTC)
    times = [base, base + timedelta(microseconds=1), base.astimezone(KOLKATA) + timedelta(seconds=1)]
    pk = unique()
    await store.create(Kinds(pk=pk, at=times[1]))
    query = store.query(Kinds).where(Kinds.pk == pk)
    assert len(await query.where(Kinds.at > times[0], Kinds.at < times[2], Kinds.at == times[1])) == 1


async def test_minus_zero_is_zero(store: Database) -> None:
    """DynamoDB has no negative zero."""
    item = await store.create(Kinds(pk=unique(), real=-0.0))
    found = await store.get(Kinds, item.pk, consistent=True)
    assert found is not None
    assert found.real is not None
    assert math.copysign(1, found.real) == 1
