"""PartiQL statements on the engines that know them.

Where an engine is known to lack a behaviour, its refusal is what a test expects, and the test ends there.
"""

from __future__ import annotations

from collections.abc import Awaitable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    BatchStatementsFailed,
    CallError,
    ConditionFailed,
    Database,
    DuplicateItem,
    IdempotentParameterMismatch,
    RequestRejected,
    Statement,
    TableNotFound,
    TransactionCancelled,
    ValidationFailed,
)
from tests.contract.differences import differs
from tests.contract.models import Account, Document, Event, Kinds, unique
from tests.engines import Lane

pytestmark = pytest.mark.anyio


async def lacks(engine: str, behaviour: str, attempt: Awaitable[object]) -> bool:
    """Whether the engine lacks a behaviour; then the attempt, which needs it, is refused, or wrong."""
    if not differs(engine, behaviour):
        return False
    with pytest.raises(CallError):
        await attempt
    return True


async def stored(store: Database, *users: str, org: str | None = None) -> list[Account]:
    """Accounts of one partition; their ages count from 0."""
    org = org or unique()
    accounts = [Account(org=org, user=user, age=age, email=f"{user}@x.y") for age, user in enumerate(users)]
    for account in accounts:
        await store.create(account)
    return accounts


def whole_key(store: Database, verb: str, more: str = "") -> str:
    """A statement about one account."""
    return f'{verb} {store.partiql.table(Account)} {more} WHERE org = ? AND "user" = ?'


async def test_an_engine_without_partiql_says_so(store: Database, engine: str) -> None:
    """The refusal of an unknown operation comes through as it is."""
    select = store.partiql.execute(f"SELECT * FROM {store.partiql.table(Account)} WHERE org = ?", "nobody")
    if not differs(engine, "partiql"):
        assert await select == []
        return
    with pytest.raises(RequestRejected) as caught:
        await select
    assert caught.value.code == "UnknownOperationException"


async def test_items_come_as_models_and_as_plain_values(store: Database, engine: str) -> None:
    """A model where one is named; else what the statement selects, by name."""
    one, two = await stored(store, "u1", "u2")
    table = store.partiql.table(Account)
    whole = store.partiql.execute(f"SELECT * FROM {table} WHERE org = ?", one.org, into=Account)
    if await lacks(engine, "partiql", whole):
        return
    found = await whole
    assert sorted(found, key=lambda account: account.user) == [one, two]
    found[0].age = 50
    await store.save(found[0])  # what it was read from is known
    rows = await store.partiql.execute(f"SELECT email, age FROM {table} WHERE org = ?", one.org)
    expected = [{"email": account.email, "age": account.age} for account in found]
    assert sorted(rows, key=lambda row: str(row["email"])) == sorted(expected, key=lambda row: str(row["email"]))


async def test_parameters_are_stored_as_a_model_stores_them(store: Database, engine: str) -> None:
    """Every kind of parameter, written by a statement, reads back through the model."""
    pk = unique()
    values: dict[str, Any] = {
        "text": "it's",
        "whole": 10**37,
        "exact": Decimal("0.10"),
        "flag": True,
        "binary": b"\x00\xff",
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "words": {"a", "b"},
        "numbers": {1, 2},
        "items": [1, None],
        "table": {"a": [Decimal("1.5")]},
    }
    names = ", ".join(f"'{name}': ?" for name in values)
    text = f"INSERT INTO {store.partiql.table(Kinds)} VALUE {{'pk': '{pk}', {names}}}"
    insert = store.partiql.execute(text, *values.values())
    if await lacks(engine, "partiql-parameters-of-insert", insert):
        return
    assert await insert == []
    assert await store.get(Kinds, pk, consistent=True) == Kinds(pk=pk, **values)
    (row,) = await store.partiql.execute(f"SELECT * FROM {store.partiql.table(Kinds)} WHERE pk = ?", pk)
    expected = {"at": "2026-01-02T00:00:00.000000Z", "words": frozenset("ab"), "numbers": frozenset({1, 2})}
    assert row == {"pk": pk, **values, **expected}


async def test_a_select_goes_over_pages(store: Database, engine: str) -> None:
    """All pages, awaited and iterated; a limit ends it; small pages change nothing."""
    users = [f"u{number}" for number in range(7)]
    org = (await stored(store, *users))[0].org
    text = f"SELECT * FROM {store.partiql.table(Account)} WHERE org = ?"
    select = store.partiql.execute(text, org, into=Account, page_size=2)
    if await lacks(engine, "partiql", select):
        return
    with store.measure() as meter:
        assert [account.user for account in await select] == users
    pages = meter.statistics.requests["ExecuteStatement"]
    assert pages == 1 if differs(engine, "partiql-pages") else pages in (4, 5)
    assert [account.user async for account in select] == users
    limited = store.partiql.execute(text, org, into=Account, page_size=2, limit=3)
    assert [account.user for account in await limited] == users[:3]
    assert [account.user async for account in limited] == users[:3]


async def test_options_of_select(store: Database, engine: str) -> None:
    """Conditions on several parameters, strongly consistent."""
    org = (await stored(store, "u1", "u2", "u3"))[0].org
    text = f'SELECT "user" FROM {store.partiql.table(Account)} WHERE org = ? AND age >= ?'
    select = store.partiql.execute(text, org, 1, consistent=True)
    if await lacks(engine, "partiql-comparisons", select):
        return
    assert await select == [{"user": "u2"}, {"user": "u3"}]


async def test_an_update(store: Database, engine: str) -> None:
    """Changes the item that its WHERE names, and that one alone."""
    one, two = await stored(store, "u1", "u2")
    update = store.partiql.execute(whole_key(store, "UPDATE", "SET age = ?"), 40, one.org, "u1")
    if await lacks(engine, "partiql", update):
        return
    assert await update == []
    assert (await store.get(Account, one.org, "u1", consistent=True) or one).age == 40
    assert await store.get(Account, two.org, "u2", consistent=True) == two


async def test_returning(store: Database, engine: str) -> None:
    """What RETURNING says comes back: new or old items as models."""
    (one,) = await stored(store, "u1")
    text = f"{whole_key(store, 'UPDATE', 'SET age = age + ?')} RETURNING ALL NEW *"
    update = store.partiql.execute(text, 10, one.org, "u1", into=Account)
    if await lacks(engine, "partiql-returning", update):
        return
    (new,) = await update
    assert (new.user, new.age) == ("u1", 10)
    text = f"{whole_key(store, 'DELETE FROM')} RETURNING ALL OLD *"
    assert await store.partiql.execute(text, one.org, "u1", into=Account) == [new]
    assert await store.get(Account, one.org, "u1", consistent=True) is None


async def test_a_taken_key(store: Database, engine: str) -> None:
    """INSERT never overwrites: DuplicateItem, and the item stays."""
    (one,) = await stored(store, "u1")
    text = f"INSERT INTO {store.partiql.table(Account)} VALUE {{'org': ?, 'user': ?}}"
    insert = store.partiql.execute(text, one.org, "u1")
    if await lacks(engine, "partiql-parameters-of-insert", insert):
        return
    with pytest.raises(DuplicateItem) as caught:
        await insert
    assert caught.value.code == "DuplicateItemException"
    assert await store.get(Account, one.org, "u1", consistent=True) == one


async def test_conditions_of_an_update(store: Database, engine: str) -> None:
    """An item that is not there, and one for which the WHERE does not hold, are ConditionFailed."""
    (one,) = await stored(store, "u1")
    text = whole_key(store, "UPDATE", "SET age = ?")
    missing = store.partiql.execute(text, 5, one.org, "nobody", into=Account)
    if differs(engine, "partiql-conditions-of-update"):
        assert await lacks(engine, "partiql", missing) or await missing == []
        return
    with pytest.raises(ConditionFailed) as caught:
        await missing
    assert caught.value.item is None
    with pytest.raises(ConditionFailed) as caught:
        await store.partiql.execute(f"{text} AND age = ?", 5, one.org, "u1", 77, into=Account)
    expected = None if differs(engine, "partiql-failed-condition-returns-item") else one
    assert caught.value.item == expected
    assert await store.get(Account, one.org, "u1", consistent=True) == one


async def test_an_index(store: Database, engine: str) -> None:
    """Is named after its table; models come from it as from the table."""
    owner = unique()
    event = await store.create(Event(stream=unique(), seq=1, owner=owner))
    text = f'SELECT * FROM {store.partiql.table(Event, index=Event.by_owner)} WHERE "owner" = ?'
    select = store.partiql.execute(text, owner, into=Event)
    if not await lacks(engine, "partiql-indexes", select):
        assert await select == [event]


async def test_refusals_come_through(store: Database, engine: str) -> None:
    """What DynamoDB says of a wrong statement or table, in its own words and our classes."""
    unknown = store.partiql.execute('SELECT * FROM "no-such-table" WHERE a = ?', "a")
    if await lacks(engine, "partiql", unknown):
        return
    with pytest.raises(TableNotFound) as caught:
        await unknown
    assert caught.value.operation == "ExecuteStatement"
    wrong = store.partiql.execute("SELEC * FROM accounts")
    if not await lacks(engine, "partiql-malformed-refused", wrong):
        with pytest.raises(ValidationFailed, match="wasn't well formed"):
            await wrong


async def test_a_batch_of_reads(store: Database, engine: str) -> None:
    """Items by position, each as its own model or plain; None for a miss."""
    one, two = await stored(store, "u1", "u2")
    document = await store.create(Document(doc_id=unique()))
    text = whole_key(store, "SELECT * FROM")
    by_id = f"SELECT * FROM {store.partiql.table(Document)} WHERE doc_id = ?"
    batch = store.partiql.batch(
        Statement(text, one.org, "u1", into=Account),
        Statement(text, one.org, "nobody", into=Account),
        Statement(by_id, document.doc_id, into=Document),
        Statement(text, two.org, "u2"),
    )
    if await lacks(engine, "partiql-batch-of-reads", batch):
        return
    account, nobody, found, row = await batch
    assert (account, nobody, found) == (one, None, document)
    assert row is not None
    assert (row["user"], row["age"]) == ("u2", 1)


async def test_a_batch_of_writes(store: Database, engine: str) -> None:
    """Each succeeds or fails by itself; the error has all results, and the rest was written."""
    one, two = await stored(store, "u1", "u2")
    insert = f"INSERT INTO {store.partiql.table(Account)} VALUE {{'org': ?, 'user': ?}}"
    batch = store.partiql.batch(
        Statement(insert, one.org, "u1"),
        Statement(insert, one.org, "u3"),
        Statement(whole_key(store, "UPDATE", "SET age = 5") + " AND age = 77", two.org, "u2", into=Account),
    )
    if await lacks(engine, "partiql-parameters-of-insert", batch):
        return
    with pytest.raises(BatchStatementsFailed, match="2 of 3 statements failed") as caught:
        await batch
    duplicate, none, condition = caught.value.results
    assert (type(duplicate), none, type(condition)) == (DuplicateItem, None, ConditionFailed)
    assert duplicate.table == condition.table == "shared-accounts"
    assert condition.item == (None if differs(engine, "partiql-failed-condition-returns-item") else two)
    assert await store.get(Account, one.org, "u1", consistent=True) == one
    assert await store.get(Account, two.org, "u2", consistent=True) == two
    assert await store.get(Account, one.org, "u3", consistent=True) == Account(org=one.org, user="u3")


async def test_a_statement_of_a_batch_that_is_wrong(store: Database, engine: str) -> None:
    """Fails by itself: a SELECT that does not fix the whole key, and a table that is not there."""
    (one,) = await stored(store, "u1")
    batch = store.partiql.batch(
        Statement(whole_key(store, "SELECT * FROM"), one.org, "u1", into=Account),
        Statement(f"SELECT * FROM {store.partiql.table(Account)} WHERE org = ?", one.org),
        Statement('SELECT * FROM "no-such-table" WHERE a = ?', "a"),
    )
    if await lacks(engine, "partiql-batch-of-reads", batch):
        return
    with pytest.raises(BatchStatementsFailed) as caught:
        await batch
    account, wrong, missing = caught.value.results
    assert (account, type(wrong), type(missing)) == (one, ValidationFailed, TableNotFound)


async def test_a_transaction_of_reads(store: Database, engine: str) -> None:
    """Items by position, None for a miss."""
    one, two = await stored(store, "u1", "u2")
    text = whole_key(store, "SELECT * FROM")
    statements = [Statement(text, one.org, user, into=Account) for user in ("u2", "u1")]
    found = store.partiql.transact(*statements)
    if await lacks(engine, "partiql", found):
        return
    assert await found == (two, one)
    transaction = store.partiql.transact(statements[0], Statement(text, one.org, "nobody", into=Account))
    if not await lacks(engine, "partiql-transaction-positions", transaction):
        assert await transaction == (two, None)


async def test_a_transaction_of_writes(store: Database, engine: str) -> None:
    """All are applied; nothing comes back."""
    one, two = await stored(store, "u1", "u2")
    text = whole_key(store, "UPDATE", "SET age = ?")
    transaction = store.partiql.transact(Statement(text, 40, one.org, "u1"), Statement(text, 41, two.org, "u2"))
    if await lacks(engine, "partiql", transaction):
        return
    assert await transaction == (None, None)
    ages = [(await store.get(Account, one.org, user, consistent=True) or one).age for user in ("u1", "u2")]
    assert ages == [40, 41]


async def test_a_cancelled_transaction_writes_nothing(store: Database, engine: str) -> None:
    """Its reasons are by position, and the statements that could have been applied were not."""
    one, two = await stored(store, "u1", "u2")
    text = whole_key(store, "UPDATE", "SET age = ?")
    transaction = store.partiql.transact(
        Statement(text, 40, one.org, "u1"), Statement(f"{text} AND age = ?", 41, two.org, "u2", 77)
    )
    if differs(engine, "partiql-conditions-of-update"):
        assert await lacks(engine, "partiql", transaction) or await transaction == (None, None)
        return
    with pytest.raises(TransactionCancelled) as caught:
        await transaction
    assert [reason["Code"] for reason in caught.value.reasons] == ["None", "ConditionalCheckFailed"]
    assert await store.get(Account, one.org, "u1", consistent=True) == one


async def test_a_transaction_is_known_by_its_token(store: Database, engine: str) -> None:
    """Sent again with its token it is applied once; the token does not go with other statements."""
    (one,) = await stored(store, "u1")
    text = whole_key(store, "UPDATE", "SET age = age + ?")
    token = unique()
    transaction = store.partiql.transact(Statement(text, 1, one.org, "u1"), token=token)
    if await lacks(engine, "partiql-arithmetic", transaction):
        return
    await transaction
    await store.partiql.transact(Statement(text, 1, one.org, "u1"), token=token)
    assert (await store.get(Account, one.org, "u1", consistent=True) or one).age == 1
    with pytest.raises(IdempotentParameterMismatch):
        await store.partiql.transact(Statement(text, 2, one.org, "u1"), token=token)
    await store.partiql.transact(Statement(text, 1, one.org, "u1"))
    assert (await store.get(Account, one.org, "u1", consistent=True) or one).age == 2


async def test_capacity_is_measured(store: Database, engine: str, endpoint: str, lane: Lane) -> None:
    """Reads count as read units, writes as write units, where the database asks for reports."""
    one, two = await stored(store, "u1", "u2")
    read = Statement(whole_key(store, "SELECT * FROM"), one.org, "u1")
    update = whole_key(store, "UPDATE", "SET age = ?")
    async with Database(
        endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), lane=lane, capacity="total"
    ) as db:
        first = db.partiql.execute(read.text, one.org, "u1")
        if await lacks(engine, "partiql", first):
            return
        await first
        if differs(engine, "partiql-capacity"):
            assert db.statistics().capacity.units == 0
            return
        with db.measure() as reads:
            await db.partiql.execute(read.text, one.org, "u1")
            await db.partiql.batch(read)
            await db.partiql.transact(read)
        with db.measure() as writes:
            await db.partiql.execute(update, 1, one.org, "u1")
            await db.partiql.batch(Statement(update, 2, one.org, "u1"))
            await db.partiql.transact(Statement(update, 3, two.org, "u2"))
    assert (reads.statistics.capacity.read, reads.statistics.capacity.write) == (3.0, 0.0)
    assert (writes.statistics.capacity.read, writes.statistics.capacity.write) == (0.0, 4.0)
