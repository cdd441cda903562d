"""The operations of the matrix that read."""

from __future__ import annotations

from typing import Any, Final

from dynamorm_async import Database, Key, Page, Statement
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.items import get_item
from tests.faults.ground import (
    BOXES,
    FIXED,
    FIXED_ITEMS,
    LIDS,
    PICTURES,
    SHELF,
    Fixed,
    Ground,
    Picture,
    racks,
)
from tests.faults.operation import Needs, Operation, Run

TIMEOUT: Final = 6.0
"""Seconds of the whole call, of every operation that takes a timeout."""

_KEYS = [Key(Fixed, SHELF, number) for number in range(FIXED)]


# --- reading --------------------------------------------------------------------------------------


def _read(  # noqa: PLR0917 - rows of a table
    name: str, covers: str, requests: dict[str, int], run: Run, expected: object, needs: Needs = None, calls: int = 1
) -> Operation:
    return Operation(
        name=name,
        covers=covers.split(),
        requests=requests,
        run=run,
        right=lambda _ground, value: value == expected,
        needs=needs,
        calls=calls,
    )


def _query(db: Database) -> Any:  # a Query, of which everything is tried
    return db.query(Fixed).where(Fixed.shelf == SHELF).page_size(2).timeout(TIMEOUT)


def _scan(db: Database) -> Any:  # as above
    return db.scan(Fixed).timeout(TIMEOUT)


async def _send(db: Database, _: Ground) -> object:
    spec = spec_of(Fixed)
    request = get_item(db.tables.name(Fixed), spec.codec.encode_key(*_KEYS[1].values), consistent=True)
    return spec.reader.decode_get((await db.send(request, timeout=TIMEOUT)).body)


async def _batch_stream(db: Database, _: Ground) -> object:
    async with db.batch_get(*_KEYS, timeout=TIMEOUT).stream() as stream:
        return sorted([item.number async for _, item in stream if item is not None])


async def _transact_get(db: Database, _: Ground) -> object:
    return list(await db.transact_get(*_KEYS, timeout=TIMEOUT))


async def _query_all(db: Database, _: Ground) -> object:
    return await _query(db)


async def _query_stream(db: Database, _: Ground) -> object:
    async with _query(db).prefetch(False).stream() as stream:
        first = await anext(stream)
        rest: list[Fixed] = await stream.rest()
        return [first, *rest]


async def _query_take(db: Database, _: Ground) -> object:
    async with _query(db).stream() as stream:
        page: Page[Fixed] = await stream.take(2)
        more: Page[Fixed] | None = await stream.next_page()
        return [*page.items, *(more.items if more is not None else []), *[item async for item in stream]]


async def _query_pages(db: Database, _: Ground) -> object:
    async with _query(db).pages() as pages:
        return [item async for page in pages for item in page.items]


async def _query_page(db: Database, _: Ground) -> object:
    first = await _query(db).page(size=3)
    second = await _query(db).page(size=3, cursor=first.cursor)
    return first.items + second.items


async def _query_folds(db: Database, _: Ground) -> object:
    query = _query(db)
    number = Fixed.number
    return [await query.sum(number), await query.average(number), await query.min(number), await query.max(number)]


async def _query_groups(db: Database, _: Ground) -> object:
    groups, number = _query(db).group_by(Fixed.odd), Fixed.number
    counts, sums = await groups.count(), await groups.sum(number)
    average, low, high = await groups.average(number), await groups.min(number), await groups.max(number)
    return [[each[kind] for each in (counts, sums, average, low, high)] for kind in ("even", "odd")]


async def _query_singles(db: Database, _: Ground) -> object:
    first = await _query(db).first()
    one = db.query(Fixed).where(Fixed.shelf == SHELF, Fixed.number == 1).timeout(TIMEOUT)
    return [first, await one.one(), await _query(db).count()]


async def _scan_all(db: Database, _: Ground) -> object:
    return sorted(item.number for item in await _scan(db).page_size(2))


async def _scan_segments(db: Database, _: Ground) -> object:
    return [await _scan(db).segments(2).count(), await _scan(db).sum(Fixed.number)]


async def _collection(db: Database, _: Ground) -> object:
    return await db.collection(racks, f"RACK#{SHELF}").page_size(3).timeout(TIMEOUT)


async def _grouped(db: Database, _: Ground) -> object:
    grouped = await db.collection(racks, f"RACK#{SHELF}").timeout(TIMEOUT).grouped()
    return [[(type(item).__name__, item.number) for item in grouped[kind]] for kind in (type(BOXES[0]), type(LIDS[0]))]


async def _search(db: Database, _: Ground) -> object:
    return [hit.item.number for hit in await db.search(Picture.look, [0, 0], top_k=3, timeout=TIMEOUT)]


async def _search_hydrated(db: Database, _: Ground) -> object:
    hits = await db.search(Picture.look, [0, 0], top_k=3, hydrate=True, timeout=TIMEOUT)
    return [hit.item for hit in hits]


def _select(db: Database) -> str:
    return f"SELECT * FROM {db.partiql.table(Fixed)} WHERE shelf = ?"


def _select_one(db: Database, number: int) -> Statement[Fixed]:
    return Statement(f'{_select(db)} AND "number" = ?', SHELF, number, into=Fixed)


async def _execute_select(db: Database, _: Ground) -> object:
    found = await db.partiql.execute(_select(db), SHELF, into=Fixed, page_size=2, timeout=TIMEOUT)
    return sorted(item.number for item in found)


async def _execute_iterated(db: Database, _: Ground) -> object:
    rows = db.partiql.execute(_select(db), SHELF, into=Fixed, page_size=2, timeout=TIMEOUT)
    return sorted([item.number async for item in rows])


async def _select_batch(db: Database, _: Ground) -> object:
    return list(await db.partiql.batch(_select_one(db, 0), _select_one(db, 1), timeout=TIMEOUT))


async def _select_together(db: Database, _: Ground) -> object:
    return list(await db.partiql.transact(_select_one(db, 0), _select_one(db, 1), timeout=TIMEOUT))


_NUMBERS = list(range(FIXED))
_PAGES = {"Query": 3}
_GROUPS = [[3, 6, 2, 0, 4], [2, 4, 2, 1, 3]]


async def _sent(db: Database, _: Ground) -> object:
    spec = spec_of(Fixed)
    request = get_item(db.tables.name(Fixed), spec.codec.encode_key(SHELF, 1), consistent=True)
    return spec.codec.decode_get((await db.send(request, timeout=TIMEOUT)).body)


READS = (
    _read(
        "get",
        "Database.get",
        {"GetItem": 1},
        lambda db, _: db.get(_KEYS[1], consistent=True, timeout=TIMEOUT),
        FIXED_ITEMS[1],
    ),
    _read(
        "get of nothing", "Database.get", {"GetItem": 1}, lambda db, _: db.get(Fixed, "no", 1, timeout=TIMEOUT), None
    ),
    _read("send", "Database.send", {"GetItem": 1}, _send, FIXED_ITEMS[1]),
    _read("send", "Database.send", {"GetItem": 1}, _sent, FIXED_ITEMS[1]),
    _read(
        "batch_get",
        "Database.batch_get BatchGet.__await__",
        {"BatchGetItem": 1},
        lambda db, _: _awaited(db.batch_get(*_KEYS, timeout=TIMEOUT)),
        FIXED_ITEMS,
    ),
    _read(
        "batch_get stream",
        "BatchGet.__aiter__ BatchGet.stream BatchGetStream.__anext__ BatchGetStream.__aexit__",
        {"BatchGetItem": 1},
        _batch_stream,
        _NUMBERS,
    ),
    _read(
        "transact_get",
        "Database.transact_get TransactGet.__call__",
        {"TransactGetItems": 1},
        _transact_get,
        FIXED_ITEMS,
    ),
    _read("query", "Database.query Query.__await__", _PAGES, _query_all, FIXED_ITEMS),
    _read(
        "query stream",
        "Query.stream Query.__aiter__ ItemStream.__anext__ ItemStream.rest ItemStream.__aexit__ ItemStream.aclose",
        _PAGES,
        _query_stream,
        FIXED_ITEMS,
    ),
    _read("query take", "ItemStream.take ItemStream.next_page", _PAGES, _query_take, FIXED_ITEMS),
    _read(
        "query pages",
        "Query.pages PageStream.__anext__ PageStream.__aexit__ PageStream.aclose",
        _PAGES,
        _query_pages,
        FIXED_ITEMS,
    ),
    _read("query page", "Query.page", {"Query": 4}, _query_page, FIXED_ITEMS, calls=2),
    _read(
        "query folds",
        "Query.sum Query.average Query.min Query.max",
        {"Query": 12},
        _query_folds,
        [10, 2, 0, 4],
        calls=4,
    ),
    _read(
        "query groups",
        "Query.group_by Groups.count Groups.sum Groups.average Groups.min Groups.max",
        {"Query": 15},
        _query_groups,
        _GROUPS,
        calls=5,
    ),
    _read(
        "query singles",
        "Query.first Query.one Query.count",
        {"Query": 5},
        _query_singles,
        [FIXED_ITEMS[0], FIXED_ITEMS[1], FIXED],
        calls=3,
    ),
    _read("scan", "Database.scan Scan.__await__", {"Scan": 3}, _scan_all, _NUMBERS),
    _read("scan segments", "Scan.count Scan.sum", {"Scan": 3}, _scan_segments, [FIXED, 10], calls=2),
    _read("collection", "Database.collection Collection.__await__", {"Query": 2}, _collection, [*BOXES, *LIDS]),
    _read(
        "collection grouped",
        "Collection.grouped",
        {"Query": 1},
        _grouped,
        [[("Box", 0), ("Box", 1)], [("Lid", 0), ("Lid", 1)]],
    ),
    _read("search", "Database.search", {"SearchVectors": 1}, _search, [0, 1, 2], needs="vectors"),
    _read("search hydrated", "Database.search", {"BatchGetItem": 1}, _search_hydrated, PICTURES, needs="vectors"),
    _read(
        "partiql select",
        "PartiQL.execute Execution.__await__ RowStream.rest RowStream.aclose",
        {"ExecuteStatement": 3},
        _execute_select,
        _NUMBERS,
        needs="partiql",
    ),
    _read(
        "partiql rows",
        "Execution.__aiter__ RowStream.__anext__ RowStream.__aexit__",
        {"ExecuteStatement": 3},
        _execute_iterated,
        _NUMBERS,
        needs="partiql",
    ),
    _read(
        "partiql reads", "PartiQL.batch", {"BatchExecuteStatement": 1}, _select_batch, FIXED_ITEMS[:2], needs="partiql"
    ),
    _read(
        "partiql reads together",
        "PartiQL.transact",
        {"ExecuteTransaction": 1},
        _select_together,
        FIXED_ITEMS[:2],
        needs="partiql",
    ),
)


async def _awaited(awaitable: Any) -> object:  # a BatchGet
    return await awaitable
