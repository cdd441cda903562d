"""The operations of the matrix that write many items, or tables."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, Final

from dynamorm_async import Database, OnDemand, Statement
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import create_table
from tests.engines import call
from tests.faults.ground import PREFIX, Ground, Paper, Thing, made_table
from tests.faults.operation import Operation
from tests.faults.reads import TIMEOUT
from tests.faults.writes import counted, put_paper, put_thing, thing_key

_BATCH: Final = 3


# --- transactions ---------------------------------------------------------------------------------


def _both(ground: Ground) -> Sequence[int]:
    """The counter of the thing, and the version of the paper that the same transaction made."""
    return [ground.number(Thing, "hits", ground.key, 1), ground.number(Paper, "revision", ground.key)]


def _add(ground: Ground) -> Any:  # an update
    del ground
    return Thing.hits.add(1)


async def _transaction(db: Database, ground: Ground) -> object:
    async with db.transaction(timeout=TIMEOUT) as tx:
        tx.create(Paper(paper=ground.key))
        tx.update(thing_key(ground), _add(ground))
        tx.check(thing_key(ground, 2), Thing.text == "-")
    return None


async def _transaction_awaited(db: Database, ground: Ground) -> object:
    paper = Paper(paper=ground.key)
    await db.transaction(timeout=TIMEOUT).put(paper).update(thing_key(ground), _add(ground))
    return None


async def _transaction_of_instances(db: Database, ground: Ground) -> object:
    thing = ground.load(Thing, ground.key, 2)
    thing.text = "saved"
    paper = ground.load(Paper, ground.key)
    tx = db.transaction(timeout=TIMEOUT).save(thing).update(thing_key(ground), _add(ground)).delete(paper)
    await tx
    return None


def _put_two(ground: Ground) -> None:
    put_thing(ground)
    ground.put(Thing(shelf=ground.key, number=2))


def _put_three(ground: Ground) -> None:
    _put_two(ground)
    put_paper(ground)


def _three(ground: Ground) -> Sequence[int]:
    saved = (ground.item(Thing, ground.key, 2) or {}).get("text") == {"S": "saved"}
    return [ground.number(Thing, "hits", ground.key, 1), int(saved), ground.number(Paper, "revision", ground.key) - 1]


# --- batches --------------------------------------------------------------------------------------


def _things(ground: Ground) -> list[Thing]:
    return [Thing(shelf=ground.key, number=number, hits=1) for number in range(_BATCH)]


def _thing_parts(ground: Ground) -> Sequence[int]:
    return [ground.number(Thing, "hits", ground.key, number) for number in range(_BATCH)]


def _thing_parts_and_gone(ground: Ground) -> Sequence[int]:
    return [*_thing_parts(ground), int(ground.item(Thing, ground.key, 9) is None)]


async def _batch(db: Database, ground: Ground) -> object:
    async with db.batch_write(timeout=TIMEOUT) as batch:
        for thing in _things(ground):
            await batch.put(thing)
        await batch.delete(thing_key(ground, 9))
    return batch.report.written


async def _batch_of_versions(db: Database, ground: Ground) -> object:
    async with db.batch_write(timeout=TIMEOUT) as batch:
        await batch.put(ground.load(Paper, ground.key))
    return batch.report.written


async def _put_many(db: Database, ground: Ground) -> object:
    return (await db.put_many(_things(ground), timeout=TIMEOUT)).written


# --- PartiQL --------------------------------------------------------------------------------------


def _set_count(db: Database, ground: Ground, number: int = 1) -> Statement[Any]:
    text = f'UPDATE {db.partiql.table(Thing)} SET hits = hits + ? WHERE shelf = ? AND "number" = ?'
    return Statement(text, 1, ground.key, number)


async def _execute(db: Database, ground: Ground) -> object:
    statement = _set_count(db, ground)
    return await db.partiql.execute(statement.text, 1, ground.key, 1, timeout=TIMEOUT)


async def _statements(db: Database, ground: Ground) -> object:
    return await db.partiql.batch(_set_count(db, ground), _set_count(db, ground, 2), timeout=TIMEOUT)


async def _statements_together(db: Database, ground: Ground) -> object:
    return await db.partiql.transact(_set_count(db, ground), _set_count(db, ground, 2), timeout=TIMEOUT)


def _counts(ground: Ground) -> Sequence[int]:
    return [ground.number(Thing, "hits", ground.key, number) for number in (1, 2)]


_TOGETHER = {"TransactWriteItems": 1}

MANY = (
    Operation(
        name="transaction",
        covers=["Database.transaction", "Transaction.__aexit__"],
        requests=_TOGETHER,
        run=_transaction,
        prepare=_put_two,
        parts=_both,
    ),
    Operation(
        name="transaction awaited",
        covers=["Transaction.__await__"],
        requests=_TOGETHER,
        run=_transaction_awaited,
        prepare=put_thing,
        parts=_both,
    ),
    Operation(
        name="transaction of instances",
        covers=["Transaction.__await__"],
        requests=_TOGETHER,
        run=_transaction_of_instances,
        prepare=_put_three,
        parts=_three,
    ),
    Operation(
        name="batch_write",
        covers=["Database.batch_write", "BatchWrite.put", "BatchWrite.delete", "BatchWrite.__aexit__"],
        requests={"BatchWriteItem": 1},
        run=_batch,
        prepare=lambda ground: ground.put(Thing(shelf=ground.key, number=9)),
        parts=_thing_parts_and_gone,
        right=lambda _ground, value: value == _BATCH + 1,
    ),
    Operation(
        name="batch_write of versions",
        covers=["BatchWrite.put"],
        requests={"PutItem": 1},
        run=_batch_of_versions,
        prepare=put_paper,
        parts=lambda ground: [ground.number(Paper, "revision", ground.key) - 1],
        again="settled",
        right=lambda _ground, value: value == 1,
    ),
    Operation(
        name="put_many",
        covers=["Database.put_many"],
        requests={"BatchWriteItem": 1},
        run=_put_many,
        parts=_thing_parts,
        right=lambda _ground, value: value == _BATCH,
    ),
    Operation(
        name="partiql write",
        covers=["PartiQL.execute"],
        requests={"ExecuteStatement": 1},
        run=_execute,
        prepare=put_thing,
        parts=counted("hits"),
        again="never",
        needs="partiql",
    ),
    Operation(
        name="partiql writes",
        covers=["PartiQL.batch"],
        requests={"BatchExecuteStatement": 1},
        run=_statements,
        prepare=_put_two,
        parts=_counts,
        again="never",
        needs="partiql",
    ),
    Operation(
        name="partiql writes together",
        covers=["PartiQL.transact"],
        requests={"ExecuteTransaction": 1},
        run=_statements_together,
        prepare=_put_two,
        parts=_counts,
        needs="partiql",
    ),
)


# --- tables ---------------------------------------------------------------------------------------


def _make(ground: Ground) -> None:
    table = made_table(ground)
    ground.ask("CreateTable", create_table(table, PREFIX + table.name, OnDemand()))


def _is_there(ground: Ground) -> bool:
    return call(ground.endpoint, "DescribeTable", {"TableName": PREFIX + made_table(ground).name})[0] == 200


def drop(ground: Ground) -> None:
    """Delete the table that a cell made."""
    call(ground.endpoint, "DeleteTable", {"TableName": PREFIX + made_table(ground).name})


def _create_by_name(db: Database, ground: Ground) -> Awaitable[object]:
    table = made_table(ground)
    return db.call("CreateTable", create_table(table, db.tables.name(table), OnDemand()), timeout=TIMEOUT)


TABLES = (
    Operation(
        name="call",
        covers=["Database.call"],
        requests={"CreateTable": 1},
        run=_create_by_name,
        parts=lambda ground: [int(_is_there(ground))],
        again="control",
    ),
    Operation(
        name="tables.create",
        covers=["Tables.create"],
        requests={"CreateTable": 1, "DescribeTable": 1},
        run=lambda db, ground: db.tables.create(made_table(ground), timeout=TIMEOUT),
        parts=lambda ground: [int(_is_there(ground))],
        again="control",
    ),
    Operation(
        name="tables.ensure",
        covers=["Tables.ensure"],
        requests={"DescribeTable": 2},
        run=lambda db, ground: db.tables.ensure(made_table(ground), timeout=TIMEOUT),
        parts=lambda ground: [int(_is_there(ground))],
        again="control",
    ),
    Operation(
        name="tables.describe",
        covers=["Tables.describe"],
        requests={"DescribeTable": 1},
        run=lambda db, _ground: db.tables.describe(Thing),
        right=lambda _ground, value: value.name == PREFIX + spec_of(Thing).table.name,
        again="control",
    ),
    Operation(
        name="tables.exists",
        covers=["Tables.exists"],
        requests={"DescribeTable": 1},
        run=lambda db, _ground: db.tables.exists(Thing),
        right=lambda _ground, value: value is True,
        again="control",
    ),
    Operation(
        name="tables.delete",
        covers=["Tables.delete"],
        requests={"DeleteTable": 1, "DescribeTable": 1},
        run=lambda db, ground: db.tables.delete(made_table(ground), timeout=TIMEOUT),
        prepare=_make,
        parts=lambda ground: [int(not _is_there(ground))],
        again="control",
    ),
)
