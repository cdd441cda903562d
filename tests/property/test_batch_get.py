"""batch_get is a dictionary lookup, whatever DynamoDB leaves unprocessed; where it fails, it tells what of every key."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import BatchGetFailed, Key, Throttled
from dynamorm_async.types import Request
from tests.property.fake_batch import FakeTables, tables_of
from tests.unit.database.keyed_models import Blob, Narrow, Order, User, Wide

pytestmark = pytest.mark.anyio

LETTERS = "abcdefg"


@st.composite
def few_keys(draw: st.DrawFn) -> Key[Any]:
    kind = draw(st.integers(0, 4))
    letter = draw(st.sampled_from(LETTERS))
    if kind == 0:
        return Key(User, "acme", draw(st.integers(-3, 6)))
    if kind == 1:
        return Key(Blob, draw(st.sampled_from([b"\x00", b"\xff", b"AP8="])))
    if kind == 2:
        return Key(Order, letter)
    return Key(Narrow, "p", letter) if kind == 3 else Key(Wide, "p", letter)


@st.composite
def key_lists(draw: st.DrawFn) -> list[Key[Any]]:
    """Keys of several tables with duplicates; often so many that they are several requests."""
    few = st.lists(few_keys())
    count, step = draw(st.one_of(st.just(0), st.integers(0, 230))), draw(st.integers(1, 2))
    return [*draw(few), *(Key(User, "acme", n * step) for n in range(count)), *draw(few)]


ITEMS: dict[Key[Any], object] = {
    **{Key(User, "acme", n): User(org="acme", number=n, age=n) for n in range(-2, 260, 3)},
    **{Key(Order, text): Order(order_id=text, total=3) for text in "acf"},
    **{Key(Blob, content): Blob(digest=content, size=1) for content in (b"\x00", b"AP8=")},
    **{Key(Wide, "p", text): Wide(pk="p", sk=text, text=text, more=2) for text in "abde"},
}
EXPECTED: dict[Key[Any], object] = {
    **ITEMS,
    **{Key(Narrow, "p", text): Narrow(pk="p", sk=text, text=text) for text in "abde"},
}


def tables(seed: int, failures: float) -> FakeTables:
    """Tables that process a random part of each request, sometimes nothing, and fail now and then."""
    tables = tables_of(*ITEMS.values())
    chance = random.Random(seed)  # noqa: S311 - a test's own
    fruitless = 0

    def taken(count: int) -> int:
        nonlocal fruitless
        if chance.random() < 0.4 and (failures or fruitless < 7):
            fruitless += 1
            return 0
        return chance.randint(1, count)

    async def fail(request: Request) -> None:
        tables.turns = chance.randint(0, 4)
        if chance.random() < failures:
            raise Throttled("too fast", operation=request.operation, table=request.table)

    tables.taken, tables.before = taken, fail
    return tables


@given(key_lists(), st.integers(0, 2**32), st.integers(1, 5))
async def test_it_is_a_lookup(keys: list[Key[Any]], seed: int, concurrency: int) -> None:
    """Awaited: as many results as keys, in their order. Iterated: every distinct key once. No key is sent twice."""
    expected = [EXPECTED.get(key) for key in keys]
    fake = tables(seed, 0.0)
    assert await fake.batch_get(*keys, concurrency=concurrency) == expected
    assert fake.most_in_flight <= concurrency
    pairs = [pair async for pair in fake.batch_get(*keys, concurrency=concurrency)]
    assert len(pairs) == len(set(keys))
    assert dict(pairs) == dict(zip(keys, expected, strict=True))


@given(key_lists(), st.integers(0, 2**32), st.integers(1, 5))
async def test_a_failure_accounts_for_every_key(keys: list[Key[Any]], seed: int, concurrency: int) -> None:
    """What was handed out, what the error has found, and what it says was not read are the distinct keys, each once."""
    batch = tables(seed, 0.15).batch_get(*keys, concurrency=concurrency)
    try:
        found = await batch
    except BatchGetFailed as error:
        check(keys, [], error)
    else:
        assert found == [EXPECTED.get(key) for key in keys]
    pairs: list[tuple[Key[Any], Any]] = []
    try:
        async for pair in batch:
            pairs.append(pair)  # noqa: PERF401 - what came before the error counts
    except BatchGetFailed as error:
        check(keys, pairs, error)
    else:
        assert len(pairs) == len(set(keys))


def check(keys: list[Key[Any]], handed: list[tuple[Key[Any], Any]], error: BatchGetFailed) -> None:
    assert isinstance(error.__cause__, Throttled)
    every = [*(key for key, _item in handed), *error.found, *error.unprocessed]
    assert len(every) == len(set(keys))
    assert set(every) == set(keys)
    assert error.unprocessed
    assert error.misfits == {}
    assert all(item == EXPECTED.get(key) for key, item in [*handed, *error.found.items()])
