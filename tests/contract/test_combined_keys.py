"""Keys of every type, two models of one table, unknown attributes and tokens, on every path of writing."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from dynamorm_async import (
    Database,
    IdempotentParameterMismatch,
    Key,
    NotUnique,
    UsageError,
)
from tests.contract.combined_models import (
    START,
    Binary,
    Cat,
    Dog,
    Everything,
    Numbered,
    clock,
    combined,
    emails_taken,
    put_raw,
    raw,
    whole_table,
)
from tests.contract.differences import differs
from tests.contract.models import unique

__all__ = ["clock", "combined"]  # fixtures

pytestmark = pytest.mark.anyio


def key(org: str, number: int = 1) -> Key[Everything]:
    return Key(Everything, org, number)


async def test_a_key_that_is_written_in_several_ways(combined: Database) -> None:
    """1 and 1.0 are one item: in a batch the last one wins, in a transaction they are two operations on it."""
    number = Decimal(int(unique()[:8], 16))
    same = Decimal(f"{number}.0")
    await combined.create(Numbered(number=number))
    with pytest.raises(UsageError, match="two operations on Numbered"):
        combined.transaction().delete(Key(Numbered, number)).update(Key(Numbered, same), Numbered.text.set("x"))
    found = await combined.batch_get(Key(Numbered, number), Key(Numbered, same), consistent=True)
    assert [item and item.number for item in found] == [number, number]
    async with combined.batch_write() as batch:
        await batch.delete(Key(Numbered, number))
        await batch.put(Numbered(number=same, text="new"))
    again = await combined.get(Key(Numbered, number), consistent=True)
    assert again is not None
    assert (again.text, again.revision) == ("new", 1)


async def test_a_number_of_38_digits_as_key(combined: Database) -> None:
    """Each digit counts, whichever way the item is written."""
    digits = Decimal(f"9{int(unique(), 16) % 10**36:036d}1")
    near = digits + 1
    async with combined.batch_write() as batch:
        await batch.put(Numbered(number=digits, text="one"))
    await combined.transaction().create(Numbered(number=near, text="two"))
    await combined.update(Key(Numbered, digits), Numbered.text.set("three"))
    one, two = await combined.transact_get(Key(Numbered, digits), Key(Numbered, near))
    assert one is not None
    assert two is not None
    assert (one.number, one.text, two.number, two.text) == (digits, "three", near, "two")


async def test_binary_keys_on_every_path(combined: Database) -> None:
    """Create, batch, transaction, update, reads and delete mean the same item."""
    blob = unique().encode()
    keys = [Key(Binary, blob, bytes([n, 255, 0])) for n in range(3)]
    await combined.create(Binary(blob=blob, part=bytes([0, 255, 0])))
    await combined.put_many([Binary(blob=blob, part=bytes([1, 255, 0]))])
    await combined.transaction().put(Binary(blob=blob, part=bytes([2, 255, 0])))
    await combined.update(keys[1], Binary.text.set("new"))
    found = await combined.batch_get(*keys, consistent=True)
    assert [item and item.text for item in found] == ["text", "new", "text"]
    assert list(await combined.transact_get(*keys)) == found
    async with combined.batch_write() as batch:
        for one in keys:
            await batch.delete(one)
    assert await combined.batch_get(*keys, consistent=True) == [None] * 3


async def test_two_models_of_one_table(combined: Database, endpoint: str) -> None:
    """Their unique values are apart; one transaction and one batch write both, and each key is one item."""
    pk, name = unique(), unique()
    await combined.transaction().create(Cat(pk=pk, name=name)).create(Dog(pk=pk, name=name))
    with pytest.raises(NotUnique, match="another Dog has this name"):
        await combined.create(Dog(pk=pk, sk="other", name=name))
    with pytest.raises(UsageError, match="two operations on"):
        combined.transaction().put(Cat(pk=pk, sk="same")).put(Dog(pk=pk, sk="same"))
    report = await combined.put_many([Cat(pk=pk, sk="c2", name=unique()), Dog(pk=pk, sk="d2", name=unique())])
    assert report.written == 2
    markers = [marker["value"]["S"] for marker in whole_table(endpoint, "shared-unique")]
    assert sorted(value.partition("#")[0] for value in markers if name in value) == ["Cat.one_name", "Dog.one_name"]


async def test_unknown_attributes_survive_every_write(combined: Database, endpoint: str) -> None:
    """What another program added is carried through whole writes, in a batch and a transaction as well."""
    org = unique()
    extra: dict[str, Any] = {"L": [{"M": {"deep": {"N": "1"}}}]}
    await combined.create(Everything(org=org, number=1, email=unique()))
    place: dict[str, Any] = {"org": {"S": org}, "number": {"N": "1"}}
    put_raw(endpoint, {**raw(endpoint, "everything", place), "extra": extra})
    item = await combined.get(key(org), consistent=True)
    assert item is not None
    await combined.put(item)
    await combined.transaction().put(item)
    await combined.put_many([item])
    item.size = 4
    await combined.save(item)
    await combined.delete(item)
    await combined.put(item)
    await combined.restore(item)
    found = raw(endpoint, "everything", place)
    assert (found["extra"], found["rev"]) == (extra, {"N": "8"})


async def test_a_repeated_transaction_of_unique_values(combined: Database, endpoint: str, engine: str) -> None:
    """Under the caller's token it is applied once. That it was shows as a mismatch: its markers depend on what is there."""
    org, mails, token = unique(), [unique(), unique()], unique()

    async def change() -> None:
        tx = combined.transaction(token=token, at=START)
        await tx.update(key(org), Everything.email.set(mails[1]), Everything.size.add(1))

    await combined.create(Everything(org=org, number=1, email=mails[0]))
    await change()
    if differs(engine, "transaction-token"):
        await change()
    else:
        with pytest.raises(IdempotentParameterMismatch, match="may have been applied before"):
            await change()
    assert emails_taken(endpoint, org) == {mails[1]: 1}
    found = raw(endpoint, "everything", {"org": {"S": org}, "number": {"N": "1"}})
    assert found["size"] == {"N": "2" if differs(engine, "transaction-token") else "1"}


async def test_a_token_serves_several_rounds(combined: Database, endpoint: str) -> None:
    """A guess of the present values that was wrong is mended under the same token."""
    org, mails = unique(), [unique() for _ in range(3)]
    item = await combined.create(Dog(pk=org, name=mails[0]))
    await combined.update(Key(Dog, org, "dog"), Dog.name.set(mails[1]))
    item.name = mails[2]
    await combined.transaction(token=unique()).put(item)
    names = [marker["value"]["S"] for marker in whole_table(endpoint, "shared-unique")]
    assert [any(mail in name for name in names) for mail in mails] == [False, False, True]
