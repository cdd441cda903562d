"""DynamoDB's own refusals arrive as the same typed errors on every engine and lane."""

from __future__ import annotations

import pytest

from dynamorm_async import Database, ItemExists, Key, TableNotFound, ValidationFailed
from tests.contract.differences import differs
from tests.contract.models import Account, connect, put_raw, raw_item, unique
from tests.engines import Lane

pytestmark = pytest.mark.anyio


async def test_an_error_carries_what_a_handler_needs(endpoint: str, lane: Lane) -> None:
    """Operation, table, attempts, code, status and whether to try again."""
    async with connect(endpoint, lane, prefix=f"{unique()}-") as db:
        with pytest.raises(TableNotFound) as caught:
            await db.get(Account, "acme", "u1")
    error = caught.value
    assert (error.operation, error.code, error.status) == ("GetItem", "ResourceNotFoundException", 400)
    assert (error.attempts, error.retryable) == (1, False)
    assert str(error.table).endswith("-accounts")
    assert str(error).startswith(f"GetItem on table {error.table}: ")


async def test_a_refused_write_is_validation_failed(store: Database, engine: str, endpoint: str) -> None:
    """A write that the service finds invalid is ValidationFailed, is not tried again, and changes nothing."""
    item = {"org": {"S": unique()}, "user": {"S": "u1"}, "age": {"S": "thirty"}, "name": {"S": "Ada"}}
    put_raw(endpoint, "accounts", item)
    with pytest.raises(ValidationFailed) as caught:
        await store.update(Key(Account, item["org"]["S"], "u1"), Account.name.set("Bob"), Account.age.add(1))
    assert (caught.value.operation, caught.value.attempts) == ("UpdateItem", 1)
    if not differs(engine, "failed-update-is-undone"):
        assert raw_item(endpoint, "accounts", {"org": item["org"], "user": item["user"]}) == item


async def test_an_error_leaves_the_connection_usable(store: Database) -> None:
    """After a refusal, the next calls work."""
    account = await store.create(Account(org=unique(), user="u1"))
    for _ in range(5):
        with pytest.raises(ItemExists):
            await store.create(Account(org=account.org, user="u1"))
        assert await store.get(Account, account.org, "u1") == account
