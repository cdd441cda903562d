"""Keys of indexes that are made by templates stay right on every path of writing, in the table and in the index itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from dynamorm_async import Condition, ConditionFailed, Database, Key, NotUnique, TransactionCancelled, UsageError
from dynamorm_async.expressions.conditions import Comparison, Function, Literally, Path
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import spec_of
from tests.contract.differences import differs
from tests.contract.index_key_models import PREFIX, START, Claim, Parcel, keyed, keys_of, made, raw_of
from tests.contract.models import unique
from tests.engines import call

__all__ = ["keyed", "made"]

pytestmark = pytest.mark.anyio

SENT = START + timedelta(hours=7)


def parcel(**values: Any) -> Parcel:
    own: dict[str, Any] = {"sender": unique(), "sent": SENT, "number": 7}
    return Parcel(**own | values)


def key_of(instance: Parcel) -> Key[Parcel]:
    return Key(Parcel, instance.sender, instance.sent, instance.number)


def in_index(endpoint: str, index: str, partition: str) -> list[dict[str, Any]]:
    """What an index itself holds under a partition key."""
    answer = call(
        endpoint,
        "Query",
        {
            "TableName": f"{PREFIX}depot",
            "IndexName": index,
            "KeyConditionExpression": "#pk = :pk",
            "ExpressionAttributeNames": {"#pk": f"{index}pk"},
            "ExpressionAttributeValues": {":pk": {"S": partition}},
        },
    )[1]
    found: list[dict[str, Any]] = answer["Items"]
    return found


async def test_an_update_moves_an_item_in_its_indexes(keyed: Database, endpoint: str) -> None:
    """Into an index, within it, and out of it, in one UpdateItem each; nothing is sent where a key would be a guess."""
    driver, other = unique(), unique()
    sent = await keyed.create(parcel())
    assert keys_of(endpoint, sent) == {"gsi1pk": "STATUS#sent", "gsi1sk": "2026-01-01"}
    await keyed.update(key_of(sent), Parcel.driver.set(driver), where=Parcel.sent == SENT)
    assert keys_of(endpoint, sent)["gsi2pk"] == f"DRIVER#{driver}"
    assert [item["sender"]["S"] for item in in_index(endpoint, "gsi2", f"DRIVER#{driver}")] == [sent.sender]
    await keyed.update(key_of(sent), Parcel.driver.set(other))
    assert in_index(endpoint, "gsi2", f"DRIVER#{driver}") == []
    assert keys_of(endpoint, sent)["gsi2sk"] == "2026-01-01T07:00:00.000000Z"
    await keyed.update(key_of(sent), Parcel.driver.remove(), Parcel.status.set("delivered"))
    assert keys_of(endpoint, sent) == {}
    before = raw_of(endpoint, sent)
    with pytest.raises(UsageError, match="gsi1 are made from status, which it changes, and from due"):
        await keyed.update(key_of(sent), Parcel.status.set("sent"))
    assert raw_of(endpoint, sent) == before
    await keyed.update(key_of(sent), Parcel.status.set("sent"), where=Parcel.due == START)
    assert keys_of(endpoint, sent) == {"gsi1pk": "STATUS#sent", "gsi1sk": "2026-01-01"}


async def test_a_key_that_tells_a_day_is_no_time(keyed: Database, endpoint: str, engine: str) -> None:
    """A Key of another time of that day means the same item; no key of an index is made from that time."""
    sent = await keyed.create(parcel())
    day = Key(Parcel, sent.sender, START, 7)
    assert await keyed.get(day, consistent=True) == sent
    with pytest.raises(ConditionFailed) as caught:
        await keyed.update(day, Parcel.driver.set("d"))
    if not differs(engine, "failed-condition-returns-item"):
        assert "keys of its indexes are made from sent of the Parcel" in str(caught.value)
    assert "gsi2pk" not in keys_of(endpoint, sent)
    await keyed.update(key_of(sent), Parcel.driver.set("d"))
    assert keys_of(endpoint, sent)["gsi2sk"] == "2026-01-01T07:00:00.000000Z"


async def test_an_upsert_makes_a_whole_item(keyed: Database, endpoint: str) -> None:
    """With what its key is made of, its type and its keys; a second one keeps what the key does not tell."""
    new = parcel()
    await keyed.update(key_of(new), Parcel.note.set("x"), upsert=True)
    assert keys_of(endpoint, new) == {}
    found = await keyed.get(key_of(new), consistent=True)
    assert found == parcel(sender=new.sender, note="x")
    await keyed.update(Key(Parcel, new.sender, START, 7), Parcel.note.set("y"), upsert=True)
    found = await keyed.get(key_of(new), consistent=True)
    assert found == parcel(sender=new.sender, note="y"), "the time of the day stays"
    await keyed.update(key_of(new), Parcel.driver.set("d"), upsert=True)
    assert keys_of(endpoint, new) == {"gsi2pk": "DRIVER#d", "gsi2sk": "2026-01-01T07:00:00.000000Z"}
    with pytest.raises(ConditionFailed):
        await keyed.update(Key(Parcel, new.sender, START, 7), Parcel.driver.set("e"), upsert=True)
    assert keys_of(endpoint, new)["gsi2pk"] == "DRIVER#d"


async def test_a_save_makes_keys_from_the_whole_item(keyed: Database, endpoint: str, engine: str) -> None:
    """Of what was read; where others have changed what a key is made from, nothing is written."""
    sent = await keyed.create(parcel(driver="d"))
    sent.status, sent.photo, sent.labels, sent.weight = "moving", b"\x01\xff", {"seen"}, 2
    await keyed.save(sent)
    expected = {"gsi1pk": "STATUS#moving", "gsi1sk": "2026-01-01", "gsi2pk": "DRIVER#d", "gsi3pk": "01ff"}
    assert expected.items() <= keys_of(endpoint, sent).items()
    stale = await keyed.get(key_of(sent), consistent=True)
    assert stale is not None
    await keyed.update(key_of(sent), Parcel.labels.set(set()))
    stale.photo = b"\x02"
    with pytest.raises(ConditionFailed) as caught:
        await keyed.save(stale)
    if not differs(engine, "failed-condition-returns-item"):
        assert "made from labels of the Parcel, which the table has otherwise" in str(caught.value)
    assert "gsi3pk" not in keys_of(endpoint, sent)
    stale.photo, stale.labels = sent.photo, {"seen", "more"}
    await keyed.save(stale)
    assert keys_of(endpoint, sent)["gsi3pk"] == "01ff", "the same key as it was read with, but not as it was since"


async def test_a_save_brings_older_items_into_an_index(keyed: Database, endpoint: str) -> None:
    """An item from before the index, the type and an attribute gets them with its next save."""
    old = parcel()
    item = {**spec_of(Parcel).codec.encode(old), **spec_of(Parcel).codec.key_of(old)}
    del item["status"]
    call(endpoint, "PutItem", {"TableName": f"{PREFIX}depot", "Item": item})
    found = await keyed.get(key_of(old), consistent=True)
    assert found == old
    await keyed.save(found)
    assert keys_of(endpoint, old) == {"gsi1pk": "STATUS#sent", "gsi1sk": "2026-01-01"}
    raw = raw_of(endpoint, old)
    assert raw is not None
    assert (raw["_type"], raw["status"]) == ({"S": "parcel"}, {"S": "sent"})
    stray = {**raw, "sk": {"S": "PARCEL#2026-01-02#0007"}}
    call(endpoint, "PutItem", {"TableName": f"{PREFIX}depot", "Item": stray})
    wrong = await keyed.get(Key(Parcel, old.sender, START + timedelta(days=1), 7), consistent=True)
    assert wrong is not None
    for work in (keyed.delete(wrong), keyed.save(wrong)):
        with pytest.raises(
            UsageError, match=r"would write to another item: it was read with sk='PARCEL#2026-01-02#0007'"
        ):
            await work
    assert await keyed.get(key_of(old), consistent=True) == old


async def test_the_whole_life_of_an_item(keyed: Database, endpoint: str) -> None:
    """Created, changed, modified, soft-deleted, restored, put: with times, a version and a unique value, also in transactions."""
    number, mail = unique(), f"{unique()}@b.c"
    claim = await keyed.create(Claim(number=number, kind="loss", mail=mail))
    key, created = Key(Claim, number), "2026-01-01T00:00:01.000000Z"
    first = {
        "gsi1pk": "CLAIMS#loss",
        "gsi1sk": created,
        "gsi2pk": "OPEN#loss",
        "gsi2sk": created,
        "gsi3pk": f"MAIL#{mail}",
    }
    assert keys_of(endpoint, claim) == first
    await keyed.update(key, Claim.kind.set("theft"), where=Claim.deleted == None)  # noqa: E711 - it makes a condition
    assert keys_of(endpoint, claim)["gsi2pk"] == "OPEN#theft"
    claim = await keyed.modify(key, lambda one: setattr(one, "kind", "fire"))
    assert keys_of(endpoint, claim)["gsi1pk"] == "CLAIMS#fire"
    with pytest.raises(NotUnique) as caught:
        await keyed.create(Claim(number=unique(), kind="x", mail=mail))
    assert caught.value.owner == key, "the key in the table tells all of the Key"
    await keyed.delete(claim)
    assert keys_of(endpoint, claim).keys() == {"gsi1pk", "gsi1sk", "gsi3pk"}
    with pytest.raises(UsageError, match=r"restore\(\) of Claim.*pass the instance instead of its Key"):
        await keyed.restore(key)
    await keyed.restore(claim)
    assert (keys_of(endpoint, claim)["gsi2pk"], keys_of(endpoint, claim)["gsi2sk"]) == ("OPEN#fire", created)
    claim.mail = None
    sent = parcel()
    async with keyed.transaction() as tx:
        tx.save(claim)
        tx.create(sent)
    assert "gsi3pk" not in keys_of(endpoint, claim)
    async with keyed.transaction() as tx:
        tx.delete(claim)
        tx.update(key_of(sent), Parcel.status.set("delivered"))
    assert "gsi2pk" not in keys_of(endpoint, claim)
    assert keys_of(endpoint, sent) == {}
    with pytest.raises(TransactionCancelled):
        async with keyed.transaction() as tx:
            tx.update(Key(Parcel, sent.sender, START, 7), Parcel.driver.set("d"))
    await keyed.put_many([parcel(sender=sent.sender, driver="e"), parcel(sender=sent.sender, number=8)])
    assert keys_of(endpoint, sent)["gsi2pk"] == "DRIVER#e"


async def test_a_condition_means_the_same_here_and_there(keyed: Database, endpoint: str) -> None:
    """Which items ``when=`` lets into an index is what the engine says of the same condition."""
    sender = unique()
    when = Parcel.labels.contains("seen") & (Parcel.weight > 1)
    for number, (labels, weight) in enumerate([({"seen"}, 10), ({"seen"}, 1), ({"x"}, 10), (set[str](), 2)], 1):
        await keyed.put(parcel(sender=sender, number=number, labels=labels, weight=weight, photo=b"\x07"))

    def found(filtering: Condition) -> list[int]:
        names = Placeholders()
        body: dict[str, Any] = {"TableName": f"{PREFIX}depot", "ConsistentRead": True}
        key = Comparison(Path(("pk",)), "=", Literally({"S": f"SENDER#{sender}"}))
        names.into(body, KeyConditionExpression=key.render(names), FilterExpression=filtering.render(names))
        return [int(raw["number"]["N"]) for raw in call(endpoint, "Query", body)[1]["Items"]]

    assert found(when) == found(Function("attribute_exists", Path(("gsi3pk",)))) == [1]
    assert found(~when) == found(Function("attribute_not_exists", Path(("gsi3pk",)))) == [2, 3, 4]
