"""Every public coroutine, builder, iterator and block of a database, as operations that can be cancelled anywhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec

from dynamorm_async import (
    Attr,
    Database,
    Key,
    NotOne,
    Statement,
    Table,
    attr,
    deleted_at,
    encrypted,
    index,
    model,
    partition_key,
    sort_key,
    vector_index,
    version,
)
from dynamorm_async.database.batch_write import BatchWrite
from dynamorm_async.plan.items import get_item
from dynamorm_async.types import Request


@model(table="walked")
class Walked:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    note: Attr[str | None] = attr(default=None)
    revision: Attr[int] = version(name="version")
    deleted: Attr[datetime | None] = deleted_at()
    by_note = index(partition="note", projection="keys_only")


@model(table="plain")
class Plain:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    note: Attr[str | None] = attr(default=None)
    number: Attr[str | None] = attr(default=None)
    vector: Attr[list[float]] = attr(factory=lambda: [1.0, 0.0])
    near = vector_index("vector", dimensions=2, distance="cosine")


@model(table="sealed")
class Locked:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    code: Attr[str] = encrypted()


shelves = Table("shelves", partition_key="pk", sort_key="sk")
removed = Table("removed", partition_key="pk", sort_key="sk")


@model(shelves, type="book", pk="SHELF#{shelf}", sk="BOOK#{number}")
class Book:
    shelf: Attr[str] = attr()
    number: Attr[str] = attr()


KEY = Key(Walked, "p", "s")
MANY = 120  # keys: more than one BatchGetItem takes, and than two concurrent BatchWriteItems


class Operation(msgspec.Struct, frozen=True):
    """One way to use a database.

    Attributes:
        run: uses it.
        covers: which of the public methods it walks through, as ``Class.method``.
        control: whether it is about tables.
    """

    run: Callable[[Database], Awaitable[object]]
    covers: frozenset[str]
    control: bool = False


OPERATIONS: dict[str, Operation] = {}


def operation(*covers: str, control: bool = False) -> Callable[[Any], Any]:  # keeps the function's own type
    def add(run: Callable[[Database], Awaitable[object]]) -> Callable[[Database], Awaitable[object]]:
        OPERATIONS[run.__name__] = Operation(run, frozenset(covers), control)
        return run

    return add


def walked() -> Walked:
    return Walked(pk="p", sk="s", note="n")


# --- single items -----------------------------------------------------------------------------------


@operation("Database.get")
async def get(db: Database) -> None:
    found = await db.get(Walked, "own", "key")
    assert found is not None
    assert (found.pk, found.sk) == ("own", "key")


@operation("Database.send")
async def send(db: Database) -> None:
    key = {"pk": {"S": "own"}, "sk": {"S": "key"}}
    response = await db.send(Request(operation="GetItem", body={"TableName": db.tables.name(Walked), "Key": key}))
    assert msgspec.json.decode(response.body)["Item"]["pk"] == {"S": "own"}


@operation("Database.create")
async def create(db: Database) -> None:
    await db.create(walked())


@operation("Database.put")
async def put(db: Database) -> None:
    await db.put(Plain(pk="p", sk="s"), returns="old")


@operation("Database.put", "LocalKeyring.encrypting", "LocalKeyring.decrypting")
async def put_encrypted(db: Database) -> None:
    found = await db.put(Locked(pk="p", sk="s", code="c"), returns="old")
    assert found is not None
    assert found.code == "c"


@operation("Database.update")
async def update(db: Database) -> None:
    await db.update(KEY, Walked.note.set("x"))


@operation("Database.save", "Database.get")
async def save(db: Database) -> None:
    found = await db.get(KEY)
    assert found is not None
    found.note = "changed"
    await db.save(found)


@operation("Database.modify")
async def modify(db: Database) -> None:
    async def change(found: Walked) -> None:
        await db.get(KEY)
        found.note = "changed"

    await db.modify(KEY, change)


@operation("Database.delete")
async def delete(db: Database) -> None:
    await db.delete(KEY, hard=True)
    await db.delete(KEY)


@operation("Database.restore")
async def restore(db: Database) -> None:
    await db.restore(KEY)


@operation("Database.search")
async def search(db: Database) -> None:
    assert len(await db.search(Plain.vector, [1.0, 0.0], hydrate=True)) == 1


# --- many items by key ------------------------------------------------------------------------------


@operation("BatchGet.__await__")
async def batch_get(db: Database) -> None:
    assert len(await db.batch_get(*(Key(Plain, "p", str(n)) for n in range(MANY)))) == MANY


@operation(
    "BatchGet.__aiter__",
    "BatchGetStream.__aiter__",
    "BatchGetStream.__anext__",
    "BatchGetStream.__aenter__",
    "BatchGetStream.__aexit__",
    "BatchGetStream.aclose",
)
async def batch_get_stream(db: Database) -> None:
    keys = [Key(Plain, "p", str(n)) for n in range(MANY)]
    async with db.batch_get(*keys).stream() as pairs:
        assert len([pair async for pair in pairs]) == MANY
    async for _ in db.batch_get(*keys):
        break


@operation("TransactGet.__call__")
async def transact_get(db: Database) -> None:
    await db.transact_get(KEY, Key(Plain, "p", "s"))


@operation("BatchWrite.__aenter__", "BatchWrite.__aexit__", "BatchWrite.put", "BatchWrite.delete")
async def batch_write(db: Database) -> None:
    batch, added = db.batch_write(concurrency=3), 0
    try:
        async with batch:
            for n in range(60):
                added += 1
                await batch.put(Plain(pk="p", sk=str(n)))
            added += 1
            await batch.put(walked())
            for n in range(60):
                added += 1
                await batch.delete(Key(Plain, "d", str(n)))
    finally:
        check_report(batch, added)


def check_report(batch: BatchWrite, added: int) -> None:
    """Every operation has exactly one outcome, also those of which the adding was cancelled."""
    report = batch.report
    outcomes = report.written + report.replaced + len(report.unprocessed) + len(report.failed)
    assert added - 1 <= outcomes <= added, report


@operation("Database.put_many")
async def put_many(db: Database) -> None:
    async def items() -> AsyncIterator[Plain]:
        for n in range(60):
            yield Plain(pk="p", sk=str(n))

    await db.put_many(items())


@operation("Transaction.__aenter__", "Transaction.__aexit__")
async def transaction_block(db: Database) -> None:
    async with db.transaction() as tx:
        tx.put(Plain(pk="p", sk="s")).create(walked())
        await db.get(KEY)


@operation("Transaction.__await__")
async def transaction_awaited(db: Database) -> None:
    await db.transaction().put(Plain(pk="p", sk="s")).create(walked())


# --- readings ---------------------------------------------------------------------------------------

PLAIN = Plain.pk == "SHELF#1"
INDEXED = Walked.note == "n"


@operation("Query.__await__")
async def query(db: Database) -> None:
    db.query(Plain).where(PLAIN).explain()
    assert len(await db.query(Plain).where(PLAIN)) == 4
    assert len(await db.query(Walked).where(INDEXED).hydrate()) == 4


@operation(
    "Query.__aiter__",
    "ItemStream.__aiter__",
    "ItemStream.__anext__",
    "ItemStream.__aenter__",
    "ItemStream.__aexit__",
    "ItemStream.aclose",
    "ItemStream.rest",
)
async def query_stream(db: Database) -> None:
    async for _ in db.query(Plain).where(PLAIN):
        break  # a page is being fetched ahead
    async with db.query(Plain).where(PLAIN).stream() as stream:
        async for _ in stream:
            await db.get(KEY)
    rest = db.query(Plain).where(PLAIN).stream()
    assert len(await rest.rest()) == 4
    await rest.aclose()


@operation("ItemStream.take", "ItemStream.next_page")
async def query_taken(db: Database) -> None:
    async with db.query(Plain).where(PLAIN).stream() as stream:
        await stream.take(1)
        while await stream.next_page() is not None:
            pass


@operation(
    "PageStream.__aiter__",
    "PageStream.__anext__",
    "PageStream.__aenter__",
    "PageStream.__aexit__",
    "PageStream.aclose",
)
async def query_pages(db: Database) -> None:
    async with db.query(Plain).where(PLAIN).pages() as pages:
        assert len([page async for page in pages]) == 2


@operation("Query.page", "Query.first", "Query.one", "Query.count")
async def query_ends(db: Database) -> None:
    only = db.query(Plain).where(PLAIN)
    first = await only.page(size=2)
    await only.page(size=2, cursor=first.cursor)
    await only.first()
    assert await only.count() == 4
    with suppress(NotOne):  # there are four
        await only.one()


@operation("Query.sum", "Query.average", "Query.min", "Query.max")
async def query_folds(db: Database) -> None:
    versions = db.query(Walked).where(Walked.pk == "SHELF#1")
    assert await versions.sum(Walked.revision) == 4
    await versions.average(Walked.revision)
    await versions.min(Walked.revision)
    await versions.max(Walked.revision)


@operation("Groups.count", "Groups.sum", "Groups.average", "Groups.min", "Groups.max")
async def query_groups(db: Database) -> None:
    versions = db.query(Walked).where(Walked.pk == "SHELF#1")
    await versions.group_by(Walked.note).count()
    await versions.group_by(Walked.note).sum(Walked.revision)
    await versions.group_by(Walked.note).average(Walked.revision)
    await versions.group_by(Walked.note).min(Walked.revision)
    await versions.group_by(Walked.note).max(Walked.revision)


@operation("Scan.__await__", "Scan.__aiter__")
async def scan(db: Database) -> None:
    assert len(await db.scan(Plain)) == 4
    async for _ in db.scan(Plain).segments(3):
        break
    assert len([found async for found in db.scan(Plain).segments(3)]) == 12
    assert len(await db.scan(Plain).segments(3)) == 12


@operation("Scan.page", "Scan.first", "Scan.one", "Scan.count")
async def scan_ends(db: Database) -> None:
    await db.scan(Plain).page(size=1)
    await db.scan(Plain).first()
    with suppress(NotOne):
        await db.scan(Plain).one()
    assert await db.scan(Plain).segments(2).count() == 8


@operation("Scan.sum", "Scan.average", "Scan.min", "Scan.max")
async def scan_folds(db: Database) -> None:
    await db.scan(Walked).sum(Walked.revision)
    await db.scan(Walked).average(Walked.revision)
    await db.scan(Walked).segments(2).min(Walked.revision)
    await db.scan(Walked).max(Walked.revision)


@operation(
    "Collection.__await__",
    "Collection.__aiter__",
    "Collection.grouped",
    "Collection.page",
    "Collection.first",
    "Collection.one",
    "Collection.count",
)
async def collection(db: Database) -> None:
    books = db.collection(shelves, "SHELF#1").of(Book)
    assert len(await books) == 4
    async for _ in books:
        break
    assert len((await books.grouped())[Book]) == 4
    await books.page(size=2)
    await books.first()
    with suppress(NotOne):
        await books.one()
    await books.count()


# --- PartiQL ------------------------------------------------------------------------------------------

SELECT = 'SELECT * FROM "plain" WHERE pk = ?'


@operation("Execution.__await__")
async def execute(db: Database) -> None:
    assert len(await db.partiql.execute(SELECT, "p", into=Plain)) == 2


@operation(
    "Execution.__aiter__",
    "RowStream.__aiter__",
    "RowStream.__anext__",
    "RowStream.__aenter__",
    "RowStream.__aexit__",
    "RowStream.aclose",
    "RowStream.rest",
)
async def execute_stream(db: Database) -> None:
    async with aiter(db.partiql.execute(SELECT, "p")) as rows:
        async for _ in rows:
            break
        await rows.rest()


@operation("PartiQL.batch")
async def statements(db: Database) -> None:
    await db.partiql.batch(Statement(SELECT, "p"), Statement(SELECT, "q"))


@operation("PartiQL.transact")
async def statement_transaction(db: Database) -> None:
    await db.partiql.transact(Statement('DELETE FROM "plain" WHERE pk = ? AND sk = ?', "p", "s"))


@operation("Database.send")
async def planned_elsewhere(db: Database) -> None:
    await db.send(get_item("plain", {"pk": {"S": "p"}, "sk": {"S": "s"}}, consistent=True))


# --- tables -----------------------------------------------------------------------------------------


@operation("Tables.create", "Tables.delete", control=True)
async def tables_made(db: Database) -> None:
    await db.tables.create(removed)
    await db.tables.delete(removed, missing_ok=True)


@operation("Database.call", control=True)
async def any_operation(db: Database) -> None:
    await db.call("DescribeTable", {"TableName": db.tables.name(shelves)})


@operation("Tables.ensure", "Tables.describe", "Tables.exists", control=True)
async def tables_looked_at(db: Database) -> None:
    await db.tables.ensure(shelves)
    await db.tables.describe(shelves)
    assert await db.tables.exists(shelves)


# --- opening and closing ----------------------------------------------------------------------------


@operation("Database.__aenter__", "Database.__aexit__", "Database.aclose")
async def open_and_close(db: Database) -> None:
    """A database of its own, beside the one that is given, which tells where DynamoDB is."""
    given = db.endpoint
    async with Database(
        endpoint="http://127.0.0.1:1" if given is None else given.url,
        region="eu-west-1",
        credentials=("AKIA", "secret"),
        lane=db.lane or "direct",
    ) as other:
        if given is not None:
            await other.get(KEY)
        await other.aclose()
