"""The flaws that the earlier systems are known for, each held off by a test that names it.

D1 to D25 are the known flaws of the Go library, P those of the Python SDK beside it. Of D1 to D4 (index choice) the present planner's share is here and
in ``plan/test_reading.py``; of D21 (table backup) the reading of descriptions is here and the backups in
``schema/test_backup.py``; of D22 (updates of tables) what ``ensure`` does, and in ``schema/test_applying.py`` what ``apply`` does; of D25 (aggregates) the conditions' share.
D11 is also in unit/database/test_hydrate.py and test_batch_get.py, D18 in property/test_cursors.py.
"""

from __future__ import annotations

import itertools
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import anyio
import msgspec
import pytest

from dynamorm_async import (
    Attr,
    BatchWriteFailed,
    Condition,
    ConditionFailed,
    ConfigurationError,
    Database,
    DataKey,
    DecryptError,
    ItemExists,
    ItemNotFound,
    Key,
    KeyUse,
    NotFound,
    NoUsableIndex,
    OnDemand,
    ServiceError,
    Table,
    TableMismatch,
    TableNotFound,
    Timeouts,
    TransactionCancelled,
    Update,
    UsageError,
    VersionConflict,
    attr,
    created_at,
    embedded,
    encrypted,
    index,
    make_converter,
    model,
    partition_key,
    sort_key,
    updated_at,
    version,
)
from dynamorm_async.database.batch_write import put_many
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.tables import parse_description
from dynamorm_async.transport.answers import service_error
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request
from tests.property.fake_writes import FakeStore, Row, batch_of
from tests.unit.database.recording import RecordingControl, RecordingLane, record

pytestmark = pytest.mark.anyio


class Sealed:
    """A text that is stored otherwise, each time differently."""

    def __init__(self, text: str) -> None:
        self.text = text


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Colour(Enum):
    RED = "red"


@embedded
class Inner:
    some_name: Attr[str]
    times: Attr[list[datetime]] = attr(factory=list, name="when")


@model(table="vaults")
class Vault:
    pk: Attr[str] = partition_key()
    ssn: Attr[str] = encrypted()
    note: Attr[str] = encrypted()


class CountingKeys:
    """A provider of one key that counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0

    async def encrypting(self, _use: KeyUse, /) -> DataKey:
        self.asked += 1
        return DataKey(b"only", bytes(32))

    async def decrypting(self, _key_id: bytes, use: KeyUse, /) -> DataKey:
        return await self.encrypting(use)


@model(table="things")
class Thing:
    pk: Attr[str] = partition_key()
    sk: Attr[datetime] = sort_key(default=NOON)
    count: Attr[int] = attr(default=0)
    status: Attr[str] = attr(default="-")
    Status: Attr[str] = attr(default="-")
    data: Attr[bytes] = attr(default=b"-")
    price: Attr[Decimal] = attr(default=Decimal(0))
    ratio: Attr[float] = attr(default=0.0)
    flag: Attr[bool] = attr(default=False)
    ident: Attr[UUID] = attr(default=UUID(int=0))
    colour: Attr[Colour] = attr(default=Colour.RED)
    tags: Attr[set[str]] = attr(factory=set)
    numbers: Attr[set[int]] = attr(factory=set)
    inner: Attr[Inner | None] = attr(default=None)
    items: Attr[list[int]] = attr(factory=list)
    owner: Attr[str | None] = attr(default=None)

    by_status = index(partition="status")
    by_owner = index(partition="owner")
    by_pk = index(partition="pk", sort="count")


@model(table="kept")
class Kept:
    pk: Attr[str] = partition_key()
    count: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


@model(table="sdk")
class Sdk:
    """What the Python SDK got wrong, under ``from __future__ import annotations``."""

    pk: Attr[str] = partition_key()
    maybe: Attr[int | None] = attr(default=None)
    numbers: Attr[list[int]] = attr(factory=list)
    ratio: Attr[float] = attr(default=0.0)
    data: Attr[bytes] = attr(default=b"-")


def shown(body: dict[str, Any], parameter: str) -> str:
    """An expression with its names and values put in."""
    text: str = body[parameter]
    for alias, name in body.get("ExpressionAttributeNames", {}).items():
        text = re.sub(rf"{alias}\b", name, text)
    for alias, value in body.get("ExpressionAttributeValues", {}).items():
        text = re.sub(rf"{alias}\b", str(next(iter(value.values()))), text)
    return text


async def sent(
    monkeypatch: pytest.MonkeyPatch, *conditions: Condition, changes: tuple[Update, ...] = ()
) -> dict[str, Any]:
    """The body of an update of a thing under conditions."""
    lane = record(monkeypatch)
    where: Condition | None = None
    for condition in conditions:
        where = condition if where is None else where & condition
    async with Database() as db:
        await db.update(Key(Thing, "p", NOON), *(changes or (Thing.count.set(1),)), where=where, returns="none")
    return lane.bodies[0]


async def query_body(monkeypatch: pytest.MonkeyPatch, *conditions: Condition, **options: Any) -> dict[str, Any]:
    lane = record(monkeypatch)
    async with Database() as db:
        query = db.query(Thing).where(*conditions)
        await (query.consistent() if options.get("consistent") else query)
    return lane.bodies[0]


async def test_d01_the_order_of_conditions_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """A condition on another attribute, given first, does not turn the query into a scan."""
    conditions = [Thing.count == 1, Thing.pk == "p", Thing.sk > NOON]
    for order in itertools.permutations(conditions):
        body = await query_body(monkeypatch, *order)
        assert "IndexName" not in body
        key = shown(body, "KeyConditionExpression")
        assert key == "pk = p AND sk > 2026-01-01T12:00:00.000000Z"
        assert shown(body, "FilterExpression") == "count = 1"


async def test_d02_no_index_outranks_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a GSI on the table's own key nor a sparse one is chosen unasked, and consistent stays consistent."""
    body = await query_body(monkeypatch, Thing.pk == "p", Thing.count > 3, consistent=True)
    assert "IndexName" not in body
    assert body["ConsistentRead"] is True
    body = await query_body(monkeypatch, Thing.pk == "p", Thing.count == 3)
    assert "IndexName" not in body  # by_pk would read less, but it lags behind the table
    body = await query_body(monkeypatch, Thing.owner == "o")
    assert body["IndexName"] == "by_owner"  # what it leaves out has no owner, and cannot match
    with pytest.raises(NoUsableIndex):
        await query_body(monkeypatch, Thing.status == "s", consistent=True)


async def test_d03_only_what_a_key_takes_is_a_key_condition(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other operators and second ranges on the sort key are never a key condition: an index without it filters them."""
    for other in (Thing.sk != NOON, (Thing.sk > NOON) & (Thing.sk < NOON), Thing.sk.not_exists()):
        body = await query_body(monkeypatch, Thing.pk == "p", other)
        assert body["IndexName"] == "by_pk"
        assert shown(body, "KeyConditionExpression") == "pk = p"
        with pytest.raises(NoUsableIndex, match=r"the table: (a condition on )?sk"):
            await query_body(monkeypatch, Thing.pk == "p", other, consistent=True)
    body = await query_body(monkeypatch, Thing.status == "s", Thing.sk > NOON)
    assert body["IndexName"] == "by_status"
    assert shown(body, "KeyConditionExpression") == "status = s"
    assert shown(body, "FilterExpression").startswith("sk > ")


async def test_d04_ties_are_stable(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same query takes the same index every time."""
    bodies = [await query_body(monkeypatch, Thing.status == "s", Thing.count == 1) for _ in range(20)]
    assert all(body == bodies[0] for body in bodies)


async def test_d05_placeholders_never_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups, nested groups and the update itself share one allocator: every value arrives at its own place."""
    group = (Thing.count == 1) | ((Thing.count == 2) & ((Thing.status == "3") | (Thing.count == 4)))
    body = await sent(monkeypatch, group, Thing.status == "5", changes=(Thing.count.set(6), Thing.status.set("7")))
    expected = "(count = 1 OR (count = 2 AND (status = 3 OR count = 4))) AND status = 5"
    assert shown(body, "ConditionExpression") == f"attribute_exists(pk) AND {expected}"
    assert shown(body, "UpdateExpression") == "SET count = 6, status = 7"
    assert len(body["ExpressionAttributeValues"]) == 7


async def test_d06_names_that_differ_in_case_have_their_own_alias(monkeypatch: pytest.MonkeyPatch) -> None:
    """``status`` and ``Status`` are two attributes."""
    body = await sent(monkeypatch, Thing.status == "a", Thing.Status == "b")
    assert {"status", "Status"} <= set(body["ExpressionAttributeNames"].values())
    assert shown(body, "ConditionExpression").endswith("status = a AND Status = b")


async def test_d07_or_keeps_its_parentheses(monkeypatch: pytest.MonkeyPatch) -> None:
    """OR before AND, AND before OR, and NOT mean what Python's parentheses say."""
    a, b, c = Thing.count == 1, Thing.count == 2, Thing.count == 3
    for condition, expected in (
        ((a | b) & c, "(count = 1 OR count = 2) AND count = 3"),
        (a & (b | c), "count = 1 AND (count = 2 OR count = 3)"),
        ((a & b) | c, "(count = 1 AND count = 2) OR count = 3"),
        (~(a | b) & c, "NOT (count = 1 OR count = 2) AND count = 3"),
        (~a | ~(b & c), "NOT (count = 1) OR NOT (count = 2 AND count = 3)"),
    ):
        body = await sent(monkeypatch, condition)
        assert shown(body, "ConditionExpression").removeprefix("attribute_exists(pk) AND ") in (
            expected,
            f"({expected})",
        )


async def test_d08_an_or_condition_of_an_update_stays_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is returned, an update sends the condition as given, values converted as everywhere."""
    condition = (Thing.colour == Colour.RED) | (Thing.sk < NOON)
    expected = "colour = red OR sk < 2026-01-01T12:00:00.000000Z"
    for returns in ("none", "old"):
        lane = record(monkeypatch)
        async with Database() as db:
            key = Key(Thing, "p", NOON)
            if returns == "old":
                await db.update(key, Thing.colour.set(Colour.RED), where=condition, returns="old")
            else:
                await db.update(key, Thing.colour.set(Colour.RED), where=condition, returns="none")
        assert shown(lane.bodies[0], "ConditionExpression") == f"attribute_exists(pk) AND ({expected})"
        assert shown(lane.bodies[0], "UpdateExpression") == "SET colour = red"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("count", 3),
        ("data", b"\x00\xff"),
        ("price", Decimal("1.50")),
        ("ratio", 0.1),
        ("flag", True),
        ("ident", UUID(int=7)),
        ("colour", Colour.RED),
        ("tags", {"b", "a"}),
        ("numbers", {3, 1}),
        ("inner", Inner(some_name="x", times=[NOON])),
        ("items", [1, 2]),
    ],
)
async def test_d12_one_value_one_form(monkeypatch: pytest.MonkeyPatch, name: str, value: Any) -> None:
    """Put, update, default and condition store and compare the same value as the same AttributeValue."""
    attribute: Attr[Any] = getattr(Thing, name)
    lane = record(monkeypatch)
    async with Database() as db:
        values: dict[str, Any] = {"pk": "p", name: value}
        await db.put(Thing(**values))
        key = Key(Thing, "p", NOON)
        await db.update(key, attribute.set(value), returns="none")
        await db.update(key, attribute.set_default(value), returns="none")
        await db.update(key, Thing.status.set("x"), where=attribute == value, returns="none")
    stored = lane.bodies[0]["Item"][name]
    for body in lane.bodies[1:]:
        assert stored in body["ExpressionAttributeValues"].values()


async def test_d12_keys_have_the_form_of_items(monkeypatch: pytest.MonkeyPatch) -> None:
    """A datetime key is one text in put, get, update, delete and query."""
    elsewhere = NOON.astimezone(timezone(timedelta(hours=-3)))
    lane = record(monkeypatch)
    async with Database() as db:
        await db.put(Thing(pk="p", sk=elsewhere))
        await db.get(Thing, "p", elsewhere)
        await db.update(Key(Thing, "p", elsewhere), Thing.count.add(1), returns="none")
        await db.delete(Thing(pk="p", sk=elsewhere))
        await db.query(Thing).where(Thing.pk == "p", Thing.sk == elsewhere)
    put, get, update, delete, query = lane.bodies
    sk = {"S": "2026-01-01T12:00:00.000000Z"}
    assert put["Item"]["sk"] == get["Key"]["sk"] == update["Key"]["sk"] == delete["Key"]["sk"] == sk
    assert sk in query["ExpressionAttributeValues"].values()


async def test_d12_nested_names_are_the_same_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """An embedded class is written under the names that it is read and addressed by."""
    inner = Inner(some_name="x", times=[NOON])
    lane = record(monkeypatch)
    async with Database() as db:
        await db.put(Thing(pk="p", inner=inner))
        await db.update(Key(Thing, "p", NOON), (Thing.inner / Inner.times[0]).set(NOON), returns="none")
        item = lane.bodies[0]["Item"]
        lane.script.append(json.dumps({"Item": {**item, "data": {"B": "LQ=="}}}).encode())
        found = await db.get(Thing, "p", NOON)
    assert item["inner"] == {"M": {"some_name": {"S": "x"}, "when": {"L": [{"S": "2026-01-01T12:00:00.000000Z"}]}}}
    assert shown(lane.bodies[1], "UpdateExpression").startswith("SET inner.when[0] = ")
    assert found is not None
    assert found.inner == inner


async def test_d14_the_version_is_moved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every path touches the version once, guards it from 0 on, and moves the instance only after success."""
    lane = record(monkeypatch)
    async with Database(clock=lambda: NOON) as db:
        kept = await db.create(Kept(pk="p"))
        kept.count = 1
        await db.save(kept)
        await db.put(kept)
        await db.update(Key(Kept, "p"), Kept.count.add(1), returns="none")
        await db.put(Kept(pk="q"))
        refused = ConditionFailed("no", operation="PutItem", table="kept")
        refused.raw_item = {"pk": {"S": "p"}, "revision": {"N": "9"}}
        lane.script.append(refused)
        with pytest.raises(VersionConflict) as caught:
            await db.put(kept)
    create, save, put, update, fresh, _refused = lane.bodies
    assert create["Item"]["revision"] == {"N": "1"}
    assert shown(save, "UpdateExpression").count("revision") == 1
    assert shown(save, "ConditionExpression") == "attribute_exists(pk) AND revision = 1"
    assert (put["Item"]["revision"], shown(put, "ConditionExpression")) == ({"N": "3"}, "revision = 2")
    assert shown(update, "UpdateExpression").count("revision") == 1
    assert shown(fresh, "ConditionExpression") == "attribute_not_exists(revision)"
    assert (kept.revision, caught.value.expected, caught.value.found) == (3, 3, 9)


def cancelled(*codes: str) -> TransactionCancelled:
    error = TransactionCancelled("cancelled", operation="TransactWriteItems", code="TransactionCanceledException")
    error.reasons = [{"Code": code} for code in codes]
    return error


async def test_d13_the_failed_operation_is_found_by_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """DynamoDB says "None" of what did not fail; a condition that failed after the first is reported, at its place."""
    for place in range(3):
        codes = ["None"] * 3
        codes[place] = "ConditionalCheckFailed"
        record(monkeypatch, cancelled(*codes))
        async with Database() as db:
            with pytest.raises(TransactionCancelled) as caught:
                await db.transaction().create(Kept(pk="a")).create(Kept(pk="b")).create(Kept(pk="c"))
        (failure,) = caught.value.failures
        assert (failure.index, type(failure.error)) == (place, ItemExists)
        assert f"operation {place + 1}, create of Kept(pk='{'abc'[place]}')" in str(caught.value)


async def test_d13_a_hundred_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is DynamoDB's: 100, not the 25 of batches."""
    lane = record(monkeypatch)
    async with Database() as db:
        tx = db.transaction()
        for number in range(100):
            tx.delete(Key(Kept, f"k{number}"))
        with pytest.raises(UsageError, match="at most 100"):
            tx.delete(Key(Kept, "one more"))
        await tx
    assert len(lane.bodies[0]["TransactItems"]) == 100


async def test_d14_the_lifecycle_is_the_same_in_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every operation is, to the byte, the request that the call alone sends; the version is moved once, after success."""
    lane = record(monkeypatch)
    async with Database(clock=lambda: NOON) as db:
        alone, together = Kept(pk="p"), Kept(pk="p")
        await db.create(alone)
        await db.transaction().create(together)
        assert (alone, alone.revision) == (together, 1)
        alone.count = together.count = 2
        await db.save(alone)
        await db.transaction().save(together)
        await db.put(alone)
        await db.transaction().put(together)
        await db.update(Key(Kept, "p"), Kept.count.add(1), upsert=True, returns="none")
        await db.transaction().update(Key(Kept, "p"), Kept.count.add(1), upsert=True)
        await db.delete(alone)
        await db.transaction().delete(together)
        assert (alone, alone.revision) == (together, 3)
    for one, transaction in zip(lane.bodies[::2], lane.bodies[1::2], strict=True):
        (operation,) = transaction["TransactItems"]
        assert list(operation.values()) == [one]


async def test_d15_a_transaction_is_one_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is written before the block ends, nothing where it raises, and then everything in one request."""
    lane = record(monkeypatch)
    async with Database() as db:
        async with db.transaction() as tx:
            tx.create(Kept(pk="a")).update(Key(Kept, "b"), Kept.count.add(1)).delete(Key(Kept, "c"))
            assert lane.requests == []
        assert [request.operation for request in lane.requests] == ["TransactWriteItems"]
        assert len(lane.bodies[0]["TransactItems"]) == 3
        with pytest.raises(LookupError):  # noqa: PT012 - the block is what raises
            async with db.transaction() as tx:
                tx.create(Kept(pk="d"))
                raise LookupError
    assert len(lane.requests) == 1


async def test_d16_created_is_never_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put and save of an item that was read keep created_at; an upsert sets it only where it makes the item."""
    earlier = "2020-01-01T00:00:00.000000Z"
    item = {"pk": {"S": "p"}, "count": {"N": "1"}, "made": {"S": earlier}, "changed": {"S": earlier}}
    lane = record(monkeypatch, json.dumps({"Item": item | {"revision": {"N": "1"}}}).encode())
    async with Database(clock=lambda: NOON) as db:
        kept = await db.get(Kept, "p")
        assert kept is not None
        await db.put(kept)
        kept.count = 2
        await db.save(kept)
        await db.update(Key(Kept, "p"), Kept.count.set(3), upsert=True, returns="none")
    _get, put, save, upsert = lane.bodies
    assert put["Item"]["made"] == {"S": earlier}
    assert "made" not in shown(save, "UpdateExpression")
    assert "made = if_not_exists(made, " in shown(upsert, "UpdateExpression")


def test_d17_times_sort_as_text() -> None:
    """Text order is time order, whatever the fraction, the offset or the year."""
    hours = [timezone(timedelta(hours=h)) for h in (-11, 0, 5, 14)]
    steps = [timedelta(0), timedelta(microseconds=1), timedelta(milliseconds=100), timedelta(seconds=1)]
    bases = [datetime(1, 1, 2, tzinfo=UTC), NOON, datetime(9999, 12, 30, tzinfo=UTC)]
    times = sorted(base + step for base in bases for step in steps)
    encode = spec_of(Thing).codec.encode_key
    texts = [encode("p", time.astimezone(hours[n % len(hours)]))["sk"]["S"] for n, time in enumerate(times)]
    assert texts == sorted(texts)
    assert len({len(text) for text in texts}) == 1


async def test_d19_a_limit_does_not_shrink_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """first() and limit() with a filter read whole pages: not one round trip for each item that is dropped."""

    def body_of(lane: RecordingLane) -> dict[str, Any]:
        return lane.bodies[-1]

    lane = record(monkeypatch)
    async with Database() as db:
        query = db.query(Thing).where(Thing.pk == "p")
        await query.where(Thing.count > 3).first()
        assert "Limit" not in body_of(lane)
        await query.where(Thing.count > 3).limit(2)
        assert "Limit" not in body_of(lane)
        await db.scan(Thing).where(Thing.count > 3).first()
        assert "Limit" not in body_of(lane)
        await query.first()
        assert body_of(lane)["Limit"] == 1


@pytest.mark.parametrize("text", ["a -- b", "'; DROP TABLE x", "eval(", "<script>", "REMOVE #n0", ":v0", "x" * 1000])
async def test_d20_any_text_is_data(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """There is no blacklist: values travel beside the expressions and can hold anything."""
    body = await sent(monkeypatch, Thing.status == text, changes=(Thing.Status.set(text),))
    assert list(body["ExpressionAttributeValues"].values()) == [{"S": text}]
    assert body["UpdateExpression"] == "SET #n0 = :v0"


async def test_d20_long_lists_are_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists and sets of any length are stored."""
    numbers = list(range(500))
    body = await sent(monkeypatch, Thing.items == numbers, changes=(Thing.numbers.set(set(numbers)),))
    assert sorted(len(next(iter(value.values()))) for value in body["ExpressionAttributeValues"].values()) == [500, 500]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"BillingModeSummary": None},
        {"BillingModeSummary": None, "ProvisionedThroughput": {"ReadCapacityUnits": 0, "WriteCapacityUnits": 0}},
    ],
)
def test_d21_a_description_without_billing_is_read(more: dict[str, Any]) -> None:
    """No billing summary, and a throughput of 0/0, are tables on demand, not errors and not Provisioned(0, 0)."""
    raw = {
        "TableName": "t",
        "TableStatus": "ACTIVE",
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
    }
    assert parse_description({**raw, **more}).billing == OnDemand()


async def test_d22_ensure_waits_for_indexes_and_drops_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ensure returns once every index is active, and never changes a table that is there."""

    def described(status: str) -> dict[str, Any]:
        key = [{"AttributeName": "a", "KeyType": "HASH"}]
        extra = {"IndexName": "extra", "KeySchema": key, "Projection": {"ProjectionType": "ALL"}, "IndexStatus": status}
        return {
            "Table": {
                "TableName": "grown",
                "TableStatus": "ACTIVE",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "a")],
                "GlobalSecondaryIndexes": [extra],
            }
        }

    control = RecordingControl({"DescribeTable": [described("CREATING"), described("CREATING"), described("ACTIVE")]})
    record(monkeypatch, control=control)
    async with Database() as db:
        await db.tables.ensure(Table("grown", partition_key="pk"))
        assert control.operations == ["DescribeTable"] * 3
        with pytest.raises(TableMismatch):
            await db.tables.ensure(Table("grown", partition_key="other"))
    assert set(control.operations) == {"DescribeTable"}


async def test_d23_a_failed_start_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first call that failed to start leaves nothing behind: the next one starts anew and answers."""
    lane = record(monkeypatch)
    lane.failures.extend([ConfigurationError("no region"), ConfigurationError("still no region")])
    async with Database() as db:
        for message in ("no region", "still no region"):
            with pytest.raises(ConfigurationError, match=message):
                await db.get(Thing, "p", NOON)
        assert await db.get(Thing, "p", NOON) is None
    assert len(lane.requests) == 1


async def test_d24_a_ciphertext_is_of_one_item(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ciphertext that is copied to another item is refused; keys are asked for once a request, not once an attribute."""
    provider = CountingKeys()
    lane = record(monkeypatch)
    async with Database(keys=provider) as db:
        for pk in ("one", "two"):
            await db.put(Vault(pk=pk, ssn=f"ssn of {pk}", note="n"))
        assert provider.asked == 2
        one, two = (msgspec.json.decode(msgspec.json.encode(body["Item"])) for body in lane.bodies)
        for item, expected in ((one, "ssn of one"), ({**one, "ssn": two["ssn"]}, None)):
            lane.script.append(json.dumps({"Item": item}).encode())
            if expected is None:
                with pytest.raises(DecryptError):
                    await db.get(Vault, "one")
            else:
                found = await db.get(Vault, "one")
                assert found is not None
                assert found.ssn == expected
    assert provider.asked == 4


async def test_d25_every_name_is_aliased_and_no_zero_is_skipped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Conditions bring their own names; zero, False and empty text are values like any other."""
    body = await sent(
        monkeypatch,
        Thing.count == 0,
        Thing.ratio >= 0.0,
        Thing.flag == False,  # noqa: E712 - an operator of conditions
        Thing.Status != "",
        changes=(Thing.count.add(0), Thing.flag.set(False), Thing.Status.set("")),
    )
    expressions = f"{body['ConditionExpression']} {body['UpdateExpression']}"
    words = set(re.findall(r"(?<![:#\w])[A-Za-z_]\w*", expressions))
    assert words == {"AND", "ADD", "SET", "attribute_exists"}
    values = list(body["ExpressionAttributeValues"].values())
    assert all(value in values for value in ({"N": "0"}, {"BOOL": False}, {"S": ""}))


async def test_p_values_come_back_as_declared(monkeypatch: pytest.MonkeyPatch) -> None:
    """``int | None`` and ``list[int]`` are ints, bytes are bytes, floats are floats, annotations being text or not."""
    item = {
        "pk": {"S": "p"},
        "maybe": {"N": "3"},
        "numbers": {"L": [{"N": "1"}, {"N": "2"}]},
        "ratio": {"N": "3"},
        "data": {"B": "AP8="},
    }
    record(monkeypatch, json.dumps({"Item": item}).encode())
    async with Database() as db:
        found = await db.get(Sdk, "p")
    assert found == Sdk(pk="p", maybe=3, numbers=[1, 2], ratio=3.0, data=b"\x00\xff")
    assert found is not None
    assert [type(value) for value in (found.maybe, found.numbers[0], found.ratio, found.data)] == [
        int,
        int,
        float,
        bytes,
    ]


async def test_p_floats_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """A float attribute takes floats on put, set and add."""
    lane = record(monkeypatch)
    async with Database() as db:
        await db.put(Sdk(pk="p", ratio=0.1))
        await db.update(Key(Sdk, "p"), Sdk.ratio.add(0.25), returns="none")
    assert lane.bodies[0]["Item"]["ratio"] == {"N": "0.1"}
    assert {"N": "0.25"} in lane.bodies[1]["ExpressionAttributeValues"].values()


async def test_p_an_update_of_a_versioned_item_moves_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """No update of a versioned model goes by without its version moving."""
    lane = record(monkeypatch)
    async with Database(clock=lambda: NOON) as db:
        await db.update(Key(Kept, "p"), Kept.count.set(1), where=Kept.revision == 3, returns="none")
    assert "ADD revision 1" in shown(lane.bodies[0], "UpdateExpression")
    assert shown(lane.bodies[0], "ConditionExpression") == "attribute_exists(pk) AND revision = 3"


def test_p_a_missing_table_is_no_missing_item() -> None:
    """They are different errors, of which neither is the other's kind."""
    assert not issubclass(TableNotFound, ItemNotFound)
    assert not issubclass(ItemNotFound, NotFound)


def cancellation(*codes: str) -> ServiceError:
    """A cancelled transaction, as the transport makes it of DynamoDB's answer."""
    request = Request(operation="TransactWriteItems", body={"ClientRequestToken": "t"})
    code = "com.amazonaws.dynamodb.v20120810#TransactionCanceledException"
    body = {"CancellationReasons": [{"Code": code} for code in codes]}
    return service_error(request, status=400, code=code, message="m", request_id=None, body=body)


async def send_transaction(*script: bytes | Exception) -> RecordingLane:
    """Send a transaction through the retries of the transport, without pauses; what the lane saw."""
    lane = RecordingLane(*script)
    sender = Sender(lane, timeouts=Timeouts(), sleep=anyio.sleep, random=lambda: 0.0)
    await sender.send(Request(operation="TransactWriteItems", body={"ClientRequestToken": "t"}, repeatable=False))
    return lane


async def test_d13_conflicts_of_many_items_are_retried() -> None:
    """A transaction that was cancelled by conflicts alone is sent again, with the same token."""
    lane = await send_transaction(
        cancellation("TransactionConflict", "TransactionConflict"), cancellation("TransactionConflict")
    )
    assert lane.bodies == [{"ClientRequestToken": "t"}] * 3


async def test_d13_none_is_no_reason() -> None:
    """Operations without a part in the cancellation neither hinder the retry nor hide a condition that failed."""
    lane = await send_transaction(cancellation("None", "TransactionConflict", "None"))
    assert len(lane.requests) == 2
    failed = cancellation("None", "ConditionalCheckFailed")
    with pytest.raises(TransactionCancelled) as caught:
        await send_transaction(failed)
    assert caught.value is failed
    assert (failed.attempts, failed.retryable) == (1, False)


async def test_d09_unprocessed_writes_are_retried_with_growing_pauses_and_not_for_ever() -> None:
    """Never without a pause, never for ever, and what is left in the end is in the error."""
    store, pauses = FakeStore(), list[float]()
    store.leaves = lambda sent: sent
    with pytest.raises(BatchWriteFailed) as caught:
        await put_many(batch_of(store, pauses=pauses), [Row(pk="a"), Row(pk="b")])
    assert len(store.requests) == 8
    assert pauses == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2])
    assert [operation.key for operation in caught.value.report.unprocessed] == [Key(Row, "a", 0), Key(Row, "b", 0)]


async def test_d10_a_retried_put_is_not_encoded_again() -> None:
    """It is encoded once; each retry sends those bytes, whatever became of the instance meanwhile."""
    encoded: list[str] = []

    def encode(text: Sealed) -> str:
        encoded.append(text.text)
        return f"sealed {len(encoded)}: {text.text}"

    converter = make_converter()
    converter.register_unstructure_hook(Sealed, encode)
    converter.register_structure_hook(Sealed, lambda text, _: Sealed(text))

    @model(table="rows", converter=converter)
    class Secret:
        pk: Attr[str] = partition_key()
        sk: Attr[int] = sort_key(default=0)
        text: Attr[Sealed] = attr()

    store, secret = FakeStore(), Secret(pk="a", text=Sealed("first"))
    store.leaves = lambda sent: sent if len(store.requests) < 4 else ()
    async with batch_of(store) as batch:
        await batch.put(secret)
        secret.text = Sealed("second")
    assert encoded == ["first"]
    assert [request.body for request in store.requests] == [store.requests[0].body] * 4
    assert store.texts() == {("rows", "a", 0): "sealed 1: first"}


@pytest.mark.parametrize(
    ("change", "stored"),
    [
        (Thing.tags.set({"b", "a"}), {"SS": ["a", "b"]}),
        (Thing.tags.set_default({"a"}), {"SS": ["a"]}),
        (Thing.tags.set(Thing.tags.if_not_exists({"a"})), {"SS": ["a"]}),
        (Thing.tags.add({"a"}), {"SS": ["a"]}),
        (Thing.tags.discard({"a"}), {"SS": ["a"]}),
        (Thing.numbers.set({2, 1}), {"NS": ["1", "2"]}),
        (Thing.numbers.add({3}), {"NS": ["3"]}),
    ],
)
async def test_d12_an_update_writes_sets_as_sets(monkeypatch: pytest.MonkeyPatch, change: Update, stored: Any) -> None:
    """Whatever the action, a set travels as a set, never as a list."""
    body = await sent(monkeypatch, changes=(change,))
    ((tag, content),) = next(iter(body["ExpressionAttributeValues"].values())).items()
    assert {tag: sorted(content)} == stored


@pytest.mark.parametrize("returns", ["none", "old", "new", "updated_old", "updated_new"])
async def test_d08_the_condition_is_the_same_for_each_return_value(
    monkeypatch: pytest.MonkeyPatch, returns: Any
) -> None:
    """All five ways of returning send one and the same condition and change."""
    lane = record(monkeypatch, json.dumps({"Attributes": {"pk": {"S": "p"}, "data": {"B": "LQ=="}}}).encode())
    condition = (Thing.colour == Colour.RED) | (Thing.count > 3)
    async with Database() as db:
        await db.update(Key(Thing, "p", NOON), Thing.count.add(1), where=condition, returns=returns)
    assert shown(lane.bodies[0], "ConditionExpression") == "attribute_exists(pk) AND (colour = red OR count > 3)"
    assert shown(lane.bodies[0], "UpdateExpression") == "ADD count 1"


async def test_d20_text_in_every_place_is_data(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two dashes, semicolons and SQL are values in every operator and action, and names in maps, however many."""
    text = "x'; DROP TABLE things; -- SELECT"
    many = [f"{text} {n}" for n in range(100)]
    condition = (
        Thing.status.is_in(many)
        | Thing.status.begins_with(text)
        | Thing.status.contains(text)
        | Thing.status.between(text, text * 2)
        | Thing.tags.contains(text)
        | (Thing.inner / Inner.some_name == text)
    )
    changes = (Thing.Status.set(Thing.Status.if_not_exists(text)), Thing.tags.add({*many, *(f"{t};" for t in many)}))
    body = await sent(monkeypatch, condition, changes=changes)
    assert "DROP" not in body["ConditionExpression"] + body["UpdateExpression"]
    values = list(body["ExpressionAttributeValues"].values())
    assert {"S": text} in values
    assert all({"S": one} in values for one in many)
    assert max(len(value.get("SS", ())) for value in values) == 200


async def test_d11_a_projection_without_the_keys_drops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batch get reads the keys beside what was selected, asks for a key once, and answers every key in its place."""
    answer = {"Responses": {"kept": [{"pk": {"S": "b"}}, {"pk": {"S": "a"}, "count": {"N": "3"}}]}}
    lane = record(monkeypatch, json.dumps(answer).encode())
    keys = [Key(Kept, pk) for pk in ("a", "b", "c", "a", "b")]
    async with Database() as db:
        rows = await db.batch_get(*keys).select(Kept.count)
    assert rows == [(3,), (0,), None, (3,), (0,)]
    (body,) = (body["RequestItems"]["kept"] for body in lane.bodies)
    assert shown(body, "ProjectionExpression") == "count, pk"
    assert body["Keys"] == [{"pk": {"S": pk}} for pk in "abc"]
