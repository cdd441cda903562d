"""Large answers: while one is decoded, the loop turns for others."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest

from dynamorm_async import Attr, Database, DecodeError, Key, Query, attr, model, partition_key, sort_key
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.slices import Slices, page_in_slices
from dynamorm_async.database.access import Access
from dynamorm_async.database.turns import LARGE, SLOW, Turns
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import CursorCodec
from dynamorm_async.types import Request, Response
from tests.unit.database.recording import record
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio


@model(table="letters")
class Letter:
    box: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    text: Attr[str] = attr(default="")


def letters(size: int, *, wrong: int | None = None) -> bytes:
    """A page of at least so many bytes; of one letter the number may be none."""
    items: list[dict[str, Any]] = [
        {"box": {"S": "b"}, "number": {"N": str(number)}, "text": {"S": "x" * 900}} for number in range(size // 900 + 1)
    ]
    if wrong is not None:
        items[wrong]["number"] = {"N": "none"}
    return msgspec.json.encode({"Items": items, "Count": len(items), "ScannedCount": len(items)})


KEYS = [Key(Letter, "b", number) for number in range(100)]
WIDE: list[dict[str, Any]] = [
    {"box": {"S": "b"}, "number": {"N": str(number)}, "text": {"S": "x" * (LARGE // 60)}} for number in range(100)
]


def clock_of(seconds: float) -> Turns:
    """Turns by whose clock every slice takes so long."""
    return Turns(clock=itertools.count(0.0, seconds).__next__)


def query_of(body: bytes, turns: Turns) -> Query[Letter]:
    async def send(_request: Request, _timeout: float | None, /) -> Response:
        return Response(body=body)

    access = Access(send=send, cursors=CursorCodec((), lifetime=60.0, now=lambda: 0.0), turns=turns)
    return Query(spec_of(Letter), "letters", access)


def box_of(body: bytes, turns: Turns) -> Query[Letter]:
    return query_of(body, turns).where(Letter.box == "b")


@contextmanager
def counted_turns() -> Generator[list[int]]:
    """How many turns the loop took meanwhile, counted by a callback that comes once a turn."""
    turns, over = [0], False

    def turn() -> None:
        if not over:
            turns[0] += 1
            asyncio.get_running_loop().call_soon(turn)

    asyncio.get_running_loop().call_soon(turn)
    try:
        yield turns
    finally:
        over = True


async def test_a_small_page_takes_no_turn() -> None:
    """What is decoded at once is there in the turn in which its answer came."""
    with counted_turns() as turns:
        assert len(await box_of(letters(LARGE // 2), clock_of(1.0))) > 100
    assert turns == [0]


async def test_others_have_a_turn_after_each_slice() -> None:
    """A page of a megabyte: slices of 4 kB where each takes its 1 ms, and one more turn before the first."""
    body = letters(1_000_000)
    with counted_turns() as turns:
        found = await box_of(body, clock_of(0.001))
    assert [letter.number for letter in found] == list(range(len(found)))
    assert abs(turns[0] - len(body) / 4096) < len(body) / 4096 / 3  # no item is cut, so slices are somewhat smaller


async def test_slices_grow_where_they_are_fast_and_shrink_where_they_are_slow() -> None:
    """Fourfold at most from one to the next; and never below an item."""
    body = letters(1_000_000)
    with counted_turns() as fast:
        await box_of(body, clock_of(0.0))
    assert fast[0] < 10
    with counted_turns() as slow:
        found = await box_of(body, clock_of(1.0))
    assert len(found) - 10 < slow[0] < len(found) + 10


async def test_what_no_compiled_decoder_reads_is_sliced_earlier() -> None:
    """Rows of selected attributes, made one by one."""
    body = letters(2 * SLOW)
    with counted_turns() as turns:
        rows = await box_of(body, clock_of(0.001)).select(Letter.number)
    assert [row[0] for row in rows] == list(range(len(rows)))
    assert turns[0] > 2 * SLOW / 4096


async def test_an_item_that_does_not_fit_ends_the_slices() -> None:
    """The same error as at once, and the items behind it are not read."""
    query = box_of(letters(1_000_000, wrong=20), clock_of(0.001))
    with counted_turns() as turns, pytest.raises(DecodeError, match="box='b', number='none' does not fit model Letter"):
        await query
    assert turns[0] < 10


async def test_one_page_at_a_time() -> None:
    """Two large pages at the same time: no turn of the loop has a slice of each."""
    log: list[str] = []

    def work(name: str) -> Slices[str]:
        for _ in range(3):
            yield
            log.append(name)
        return name

    def turn() -> None:
        log.append("turn")
        if len(log) < 20:
            asyncio.get_running_loop().call_soon(turn)

    turns = Turns()
    asyncio.get_running_loop().call_soon(turn)
    assert [*await asyncio.gather(turns.run(work("a")), turns.run(work("b")))] == ["a", "b"]
    assert [name for name in log if name != "turn"] == ["a"] * 3 + ["b"] * 3
    assert all("turn" in (one, other) for one, other in itertools.pairwise(log))


@contextmanager
def decoding_by_turn(monkeypatch: pytest.MonkeyPatch) -> Generator[list[list[int]]]:
    """How many bytes each call of the decoder of pages had, turn by turn of the loop."""
    decode, turns, over = ItemCodec[Letter].decode_page, [list[int]()], False

    def noting(codec: ItemCodec[Letter], body: bytes) -> Any:
        turns[-1].append(len(body))
        return decode(codec, body)

    def turn() -> None:
        if not over:
            turns.append([])
            asyncio.get_running_loop().call_soon(turn)

    monkeypatch.setattr(ItemCodec, "decode_page", noting)
    asyncio.get_running_loop().call_soon(turn)
    try:
        yield turns
    finally:
        over = True


async def test_a_turn_has_one_slice_whoever_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten large pages that come at the same time, and small ones among them: no turn decodes two slices."""
    turns, body, small = clock_of(0.0), letters(LARGE + 1), letters(LARGE // 20)
    with decoding_by_turn(monkeypatch) as decoded:
        pages = await asyncio.gather(*(box_of(each, turns) for each in [body, small] * 10))
    slices = [[size for size in turn if size > LARGE // 16] for turn in decoded]
    assert sum(map(len, slices)) > 10
    assert max(map(len, slices)) == 1
    assert [len(page) for page in pages] == [len(pages[0]), len(pages[1])] * 10


async def test_a_turn_decodes_no_more_than_one_large_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty pages that are decoded at once each: not all in the turn in which they came."""
    turns, body = clock_of(1.0), letters(LARGE * 2 // 5)
    with decoding_by_turn(monkeypatch) as decoded:
        pages = await asyncio.gather(*(box_of(body, turns) for _ in range(20)))
    assert {len(page) for page in pages} == {len(pages[0])}
    assert [len(turn) for turn in decoded if turn] == [2] * 10


async def test_who_is_cancelled_in_the_line_holds_nobody_up() -> None:
    """Readers cancelled while they wait for room, or as they are given it: those behind them go on, and nothing is kept."""
    turns, body = clock_of(1.0), letters(LARGE * 3 // 5)
    readers = [asyncio.ensure_future(_read(box_of(body, turns))) for _ in range(6)]
    await until(readers[0].done)
    for reader in readers[1:5]:
        reader.cancel()
    assert len(await readers[5]) == len(readers[0].result())
    assert all(reader.cancelled() for reader in readers[1:5])
    with counted_turns() as counted:
        await box_of(body, turns)
    assert counted[0] <= 1


async def _read(query: Query[Letter]) -> list[Letter]:
    return await query


async def test_cancelled_between_two_slices() -> None:
    """Nothing goes on, nothing is kept, and the next page is read as if nothing had been."""
    turns, body = clock_of(0.001), letters(1_000_000)
    decoded: list[int] = []

    def decode(part: bytes) -> Any:
        decoded.append(len(part))
        return spec_of(Letter).codec.decode_page(part)

    work = page_in_slices(body, decode)
    task = asyncio.ensure_future(turns.run(work))
    await until(lambda: len(decoded) > 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len(decoded) < 6
    assert work.gi_frame is None  # type: ignore[attr-defined]  # a generator's, which is over
    assert len(await box_of(body, turns)) > 1000


async def test_partiql_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rows of a large answer of a statement, as models and as plain values."""
    body = letters(LARGE)
    record(monkeypatch, body, body)
    async with Database(region="eu-west-1") as db:
        with counted_turns() as turns:
            found = await db.partiql.execute('SELECT * FROM "letters"', into=Letter)
        assert turns[0] >= 3
        rows = await db.partiql.execute('SELECT * FROM "letters"')
    assert [letter.number for letter in found] == [row["number"] for row in rows] == list(range(len(rows)))


async def test_batch_get(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk with large items: in the order of the keys, with a miss, awaited and as a stream."""
    body = msgspec.json.encode({"Responses": {"letters": WIDE[:50] + WIDE[51:]}})
    record(monkeypatch, body, body)
    async with Database(region="eu-west-1") as db:
        with counted_turns() as turns:
            found = await db.batch_get(*KEYS)
        assert turns[0] >= 3
        with counted_turns() as turns:
            pairs = [pair async for pair in db.batch_get(*KEYS)]
        assert turns[0] >= 3
    assert [None if letter is None else letter.number for letter in found] == [*range(50), None, *range(51, 100)]
    assert dict(pairs) == dict(zip(KEYS, found, strict=True))


async def test_a_stream_of_a_batch_goes_on_after_a_cancellation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cancelled while a chunk is made into models: nothing is lost, nothing comes twice."""
    record(monkeypatch, msgspec.json.encode({"Responses": {"letters": WIDE}}))
    made: list[msgspec.Raw] = []
    decode = ItemCodec[Letter].decode_item

    def noting(codec: ItemCodec[Letter], raw: msgspec.Raw) -> Letter:
        made.append(raw)
        return decode(codec, raw)

    monkeypatch.setattr(ItemCodec, "decode_item", noting)
    async with Database(region="eu-west-1") as db, db.batch_get(*KEYS).stream() as pairs:
        task = asyncio.ensure_future(anext(pairs))
        await until(lambda: len(made) > 0)
        assert len(made) < 100
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        numbers = sorted([letter.number async for _key, letter in pairs if letter is not None])
    assert numbers == list(range(100))
    assert len(made) == 100


async def test_transact_get(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large items, each as its own model, and one that is not there."""
    responses: list[dict[str, Any]] = [{"Item": item} for item in WIDE]
    record(monkeypatch, msgspec.json.encode({"Responses": [*responses[:99], {}]}))
    async with Database(region="eu-west-1") as db:
        with counted_turns() as turns:
            found = await db.transact_get(*KEYS)
    assert [None if letter is None else letter.number for letter in found] == [*range(99), None]
    assert turns[0] >= 3


async def test_merged_parts_take_turns() -> None:
    """What is chosen item by item from several pages at once holds nobody up."""
    query: Query[Letter] = query_of(letters(100_000), clock_of(0.0)).where(Letter.box.is_in(["b", "c"]))
    with counted_turns() as turns:
        found = [letter async for letter in query]
    assert len(found) > 200
    assert turns[0] > len(found) // 64
