"""Bad input: each mistake has its own clear error, and what can be known before is refused before anything is sent."""

from __future__ import annotations

import math
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import (
    Attr,
    Condition,
    ConfigurationError,
    CredentialsError,
    Database,
    DecodeError,
    DynamormError,
    EndpointUnreachable,
    InvalidExpression,
    InvalidKey,
    InvalidValue,
    ItemTooLarge,
    Key,
    NoUsableIndex,
    Query,
    Scan,
    TableNotFound,
    Timeouts,
    UsageError,
    attr,
    embedded,
    index,
    model,
    partition_key,
    sort_key,
    version,
)
from dynamorm_async.codec.sizes import MAX_ITEM_BYTES, item_size
from dynamorm_async.types import AttributeValue
from tests.unit.database.recording import record

pytestmark = pytest.mark.anyio

SURROGATE = "\ud800"
KEYS = ("AKIA", "secret")


@embedded
class Inner:
    name: Attr[str] = attr(default="x")


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    age: Attr[int] = attr(default=0)
    ratio: Attr[float] = attr(default=0.0)
    price: Attr[Decimal] = attr(default=Decimal(0))
    at: Attr[datetime | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    inner: Attr[Inner | None] = attr(default=None)
    other: Attr[Any] = attr(default=None)
    text: Attr[str] = attr(default="x")
    email: Attr[str | None] = attr(default=None)
    revision: Attr[int] = version()

    by_email = index(partition="email")


@model(table="rooms")
class Room:
    name: Attr[bytes] = partition_key()
    colour: Attr[str] = attr(default="white")


def user(**values: Any) -> User:  # of the attributes' types, or wrong on purpose
    given: dict[str, Any] = {"org": "acme", "number": 1, **values}
    return User(**given)


def nested(levels: int) -> list[Any]:  # lists in lists
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def first(read: Callable[[type[User]], Query[User] | Scan[User]], *conditions: Condition) -> Awaitable[object]:
    """A read whose conditions are made before it is: a builder that is dropped for their error would warn."""
    return read(User).where(*conditions).first()


def untyped(value: object) -> Any:  # what a caller without a type checker may pass
    return value


KEY = Key(User, "acme", 1)
Call = Callable[[Database], Awaitable[object]]
REFUSED: dict[str, tuple[Call, type[DynamormError], str]] = {
    # values
    "NaN": (lambda db: db.put(user(ratio=math.nan)), InvalidValue, "User.ratio: nan is not a number that"),
    "infinity": (lambda db: db.put(user(price=Decimal("-Infinity"))), InvalidValue, "User.price: -Infinity is not"),
    "39 digits": (lambda db: db.create(user(age=int("1" * 39))), InvalidValue, "User.age: 1+ .*38 significant digits"),
    "39 digits added": (lambda db: db.update(KEY, User.age.add(10**38 + 1)), InvalidValue, "User.age: .*38 signif"),
    "39 digits sought": (
        lambda db: first(db.query, User.org == "a", User.price == Decimal("1." + "1" * 38)),
        InvalidValue,
        "User.price: .*38 significant digits",
    ),
    "another type": (lambda db: db.put(user(age="3")), InvalidValue, r"User.age: expected int, got '3' \(str\)"),
    "several wrong": (
        lambda db: db.put(user(age="3", text=None)),
        InvalidValue,
        "User.age: expected int.*User.text: expected str",
    ),
    "bool as int": (lambda db: db.put(user(age=True)), InvalidValue, "User.age: expected int, got True"),
    "dict as class": (lambda db: db.put(user(inner={"name": "x"})), InvalidValue, "User.inner: expected Inner, got"),
    "wrong inside": (lambda db: db.put(user(inner=Inner(name=untyped(3)))), InvalidValue, "name: expected str, got 3"),
    "naive time": (lambda db: db.put(user(at=datetime(2026, 1, 1))), InvalidValue, "User.at: .*has no time zone: use"),  # noqa: DTZ001 - the mistake itself
    "mixed set": (lambda db: db.put(user(other={1, "a"})), InvalidValue, "User.other: a set's elements are all"),
    "no such type": (lambda db: db.put(user(other=object())), InvalidValue, "User.other: object has no DynamoDB type"),
    "too deep": (lambda db: db.put(user(other=nested(32))), InvalidValue, "User.other: .*deeper than 32 levels"),
    "lone surrogate": (lambda db: db.put(user(text=SURROGATE)), InvalidValue, "User: attribute text holds half a"),
    "lone surrogate sought": (
        lambda db: db.put(user(), where=User.text == SURROGATE),
        InvalidExpression,
        "half a surrogate pair",
    ),
    "lone surrogate set": (lambda db: db.update(KEY, User.text.set(SURROGATE)), InvalidExpression, "half a surrogate"),
    "too large": (
        lambda db: db.put(user(text="x" * MAX_ITEM_BYTES)),
        ItemTooLarge,
        r"User: the item has 409,\d+ bytes.*largest attribute is text",
    ),
    "too large to create": (lambda db: db.create(user(text="x" * MAX_ITEM_BYTES)), ItemTooLarge, "409,600"),
    # keys
    "wrong key type": (lambda db: db.get(User, 5, 1), InvalidKey, r"User.org: expected str, got 5 \(int\)"),
    "wrong sort key type": (lambda db: db.get(User, "a", "1"), InvalidKey, r"User.number: expected int, got '1'"),
    "bool as key": (lambda db: db.get(User, "a", True), InvalidKey, "User.number: expected int, got True"),
    "None as key": (lambda db: db.get(User, None, 1), InvalidKey, "User.org: expected str, got None"),
    "wrong key type to delete": (lambda db: db.delete(Key(Room, "x")), InvalidKey, "Room.name: expected bytes"),
    "empty key": (lambda db: db.get(User, "", 1), InvalidKey, "User.org: is empty.*partition key of table users"),
    "empty key to put": (lambda db: db.put(user(org="")), InvalidKey, "User.org: is empty, but it is the partition"),
    "empty bytes key": (lambda db: db.get(Room, b""), InvalidKey, "Room.name: is empty"),
    "empty index key": (lambda db: db.put(user(email="")), InvalidKey, "User.email: is empty.*key of index by_email"),
    "empty index key set": (
        lambda db: db.update(KEY, User.email.set("")),
        InvalidKey,
        "User.email: is empty.*by_email",
    ),
    "long key": (lambda db: db.get(User, "é" * 1025, 1), InvalidKey, "has 2050 bytes.*DynamoDB allows 2048"),
    "long index key": (lambda db: db.update(KEY, User.email.set_default("x" * 2049)), InvalidKey, "email: has 2049"),
    "lone surrogate in key": (lambda db: db.get(User, SURROGATE, 1), InvalidKey, "User.org: .*half a surrogate"),
    "no sort key": (lambda db: db.get(User, "a"), InvalidKey, "key is org and number: number is missing"),
    "no key": (lambda db: untyped(db).get(User), UsageError, r"get\(User, org, number\)"),
    "a sort key too many": (lambda db: db.get(Room, b"a", 1), InvalidKey, "Room has no sort key"),
    "a Key and more": (lambda db: untyped(db).get(KEY, "a"), UsageError, "the Key has the key values already"),
    # conditions
    "a bool": (lambda db: db.put(user(), where=untyped(True)), UsageError, "got True: both sides of the comparison"),
    "a bool to a query": (lambda db: db.query(User).where(untyped(False)).first(), UsageError, "got False: both sides"),
    "text": (
        lambda db: db.query(User).where(untyped("age > 3")).first(),
        UsageError,
        "takes conditions, got 'age > 3'",
    ),
    "and": (lambda db: db.put(user(), where=(User.age > 1 and User.age < 3)), UsageError, "combine conditions with &"),
    "chained": (lambda db: db.put(user(), where=untyped(1 < User.age < 3)), UsageError, "instead of a < b < c"),
    "not": (lambda db: db.put(user(), where=untyped(not User.age > 1)), UsageError, "no truth value in Python"),
    "another model's": (
        lambda db: db.query(User).where(Room.colour == "red").first(),
        UsageError,
        "the condition is about 'colour', which User does not have",
    ),
    "another model's guard": (
        lambda db: db.delete(KEY, where=Room.colour == "red"),
        UsageError,
        "the condition is about 'colour', which User does not have",
    ),
    "too many": (lambda db: first(db.scan, User.age.is_in(range(101))), InvalidExpression, "1 to 100 val"),
    "no partition key": (
        lambda db: db.query(User).where(User.age == 3).first(),
        NoUsableIndex,
        r"(?s)the table: needs User.org == .*index by_email: needs User.email == .*allow_scan\(\)",
    ),
    "not the index's": (
        lambda db: db.query(User).using(User.by_email).where(User.org == "a").first(),
        NoUsableIndex,
        "index by_email cannot answer this query: needs User.email == ...",
    ),
    "limit 0": (lambda db: db.query(User).limit(0).first(), UsageError, r"limit\(0\): a whole number of 1 or more"),
    # updates
    "no changes": (lambda db: db.update(KEY), UsageError, r"without changes: pass some, such as User.name.set"),
    "a key": (lambda db: db.update(KEY, User.org.set("x")), UsageError, "User.org is a key attribute: DynamoDB cannot"),
    "the version": (lambda db: db.update(KEY, User.revision.set(3)), UsageError, "every write moves it"),
    "overlapping": (lambda db: db.update(KEY, User.age.set(1), User.age.add(1)), InvalidExpression, "touch age;"),
    "overlapping paths": (
        lambda db: db.update(KEY, User.inner.remove(), (User.inner / Inner.name).set("x")),
        InvalidExpression,
        "touch inner and inner.name, which lies inside it",
    ),
    "another model's change": (lambda db: db.update(KEY, Room.colour.set("x")), UsageError, "is another model's"),
    "a condition": (
        lambda db: db.update(KEY, untyped(User.age == 3)),
        UsageError,
        "takes changes such as User.age.set",
    ),
    "an empty set": (lambda db: db.update(KEY, User.tags.add(set())), InvalidExpression, "an empty set changes noth"),
    "None to a plain type": (lambda db: db.update(KEY, User.age.set(untyped(None))), InvalidValue, "expected int, got"),
    "an instance": (lambda db: db.update(untyped(user()), User.age.set(1)), UsageError, r"update\(\) takes a Key"),
    # what is no model
    "no model": (lambda db: db.get(str, "a"), UsageError, "is not a model: decorate its class with @model"),
    "an instance for its model": (
        lambda db: db.get(untyped(user())),
        UsageError,
        "^expected a model, got an instance of User: pass the class itself$",
    ),
    "a class": (lambda db: db.put(User), UsageError, "expected an instance of a model, got the class User"),
    "a dict": (lambda db: db.put({"org": "a"}), UsageError, "<class 'dict'> is not a model"),
    "text to delete": (lambda db: db.delete("acme"), UsageError, "<class 'str'> is not a model"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_mistake_is_told_before_anything_is_sent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Each mistake has its own error, which says where and what; no request is made."""
    call, kind, message = REFUSED[name]
    lane = record(monkeypatch)
    async with Database() as db:
        with pytest.raises(kind, match=message) as caught:
            await call(db)
    assert type(caught.value) is kind
    assert lane.requests == []


async def test_a_save_with_a_changed_key_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """save() cannot move an item; the error says what to do instead, and nothing is sent."""
    lane = record(monkeypatch)
    async with Database() as db:
        item = await db.create(user())
        sent = len(lane.requests)
        item.number = 2
        with pytest.raises(UsageError, match=r"User.number is a key attribute.*create\(\) the new one and delete\(\)"):
            await db.save(item)
    assert len(lane.requests) == sent


async def test_exactly_400_kb_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    """An item of 409,600 bytes is sent; one byte more is refused with its size."""
    lane = record(monkeypatch)
    async with Database() as db:
        await db.put(user())
        room = MAX_ITEM_BYTES - item_size({**lane.bodies[0]["Item"], "text": {"S": ""}})
        await db.put(user(text="x" * room))
        with pytest.raises(ItemTooLarge) as caught:
            await db.put(user(text="x" * (room + 1)))
    assert caught.value.size == MAX_ITEM_BYTES + 1
    assert len(lane.requests) == 2


@pytest.mark.parametrize(
    ("value", "size"),
    [
        ({"S": "é𝄞x"}, 7),
        ({"B": b"abc"}, 3),
        ({"BOOL": True}, 1),
        ({"NULL": True}, 1),
        ({"N": "0"}, 1),
        ({"N": "5"}, 2),
        ({"N": "-5"}, 3),
        ({"N": "100"}, 2),
        ({"N": "120"}, 3),
        ({"N": "1200"}, 2),
        ({"N": "1.5"}, 3),
        ({"N": "0.012"}, 3),
        ({"N": "0.12"}, 2),
        ({"N": "1.23E+20"}, 3),
        ({"N": "1" * 38}, 20),
        ({"N": "-" + "1" * 38}, 21),
        ({"L": []}, 3),
        ({"L": [{"S": "a"}, {"N": "1"}]}, 8),
        ({"M": {}}, 3),
        ({"M": {"ab": {"S": "c"}}}, 7),
        ({"SS": ["a", "bb"]}, 3),
        ({"NS": ["1", "22"]}, 4),
        ({"BS": [b"abc"]}, 3),
    ],
)
def test_sizes_are_dynamodbs(value: AttributeValue, size: int) -> None:
    """Sizes of values as DynamoDB Local counts them, found by the largest item that it takes."""
    assert item_size({"name": value}) == len("name") + size


async def test_31_levels_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """31 lists in each other, which hold the 32nd level, are stored."""
    lane = record(monkeypatch)
    async with Database() as db:
        await db.put(user(other=nested(31)))
    assert len(lane.requests) == 1


async def test_an_item_that_does_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wrong attribute is listed with its path and what was found, after the item's key."""
    wrong = (
        b'{"org":{"S":"acme"},"number":{"N":"1"},"age":{"S":"old"},"at":{"S":"soon"},"inner":{"M":{"name":{"N":"1"}}}}'
    )
    record(monkeypatch, b'{"Item":' + wrong + b"}", b'{"Items":[' + wrong + b"]}")
    async with Database() as db:
        with pytest.raises(DecodeError) as by_get:
            await db.get(User, "acme", 1)
        with pytest.raises(DecodeError) as by_scan:
            await db.scan(User)
    for error in (by_get.value, by_scan.value):
        lines = str(error).splitlines()
        assert lines[0].startswith("the item org='acme', number=")
        assert lines[0].endswith(" does not fit model User:")
        assert [line.split(": ")[0].strip() for line in lines[1:]] == ["age", "at", "inner.name"]
        assert error.key.keys() == {"org", "number"}


async def test_a_missing_table_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which operation missed which table."""
    record(monkeypatch, TableNotFound("not there", operation="GetItem", table="users"))
    async with Database() as db:
        with pytest.raises(TableNotFound, match="GetItem on table users: not there"):
            await db.get(User, "acme", 1)


@pytest.mark.parametrize("region", ["eu west 1", "eu-west-1.evil.example", "-eu", "12345", "x" * 64])
async def test_a_region_that_cannot_be_one(region: str) -> None:
    """Wrong syntax is told at once, with an example."""
    async with Database(region=region, credentials=KEYS) as db:
        with pytest.raises(ConfigurationError, match="is no AWS region: write a name such as eu-west-1"):
            await db.get(User, "acme", 1)


async def test_no_region_at_all() -> None:
    """Without a region, the error says where it was sought and how to give one."""
    async with Database(credentials=KEYS) as db:
        with pytest.raises(ConfigurationError, match=r"no AWS region was found.*set AWS_REGION"):
            await db.get(User, "acme", 1)


@pytest.mark.parametrize("endpoint", ["localhost:8000", "ftp://x", "http://a b", "http://u:p@x", "http://x/path"])
async def test_an_endpoint_that_cannot_be_one(endpoint: str) -> None:
    """Wrong syntax is told at once, with examples, and without a password."""
    async with Database(endpoint=endpoint, region="eu-west-1", credentials=KEYS) as db:
        with pytest.raises(ConfigurationError, match="from the endpoint argument cannot be used") as caught:
            await db.get(User, "acme", 1)
    assert "u:p" not in str(caught.value)


@pytest.mark.parametrize("lane", ["direct", "sdk"])
@pytest.mark.parametrize("name", ["no-such-host.invalid", "127.0.0.1"])
async def test_an_endpoint_that_is_not_there(name: str, lane: Any) -> None:
    """An unknown host (as of an unknown region) and a closed port are EndpointUnreachable; nothing was sent."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    options: dict[str, Any] = {"region": "eu-nowhere-1", "credentials": KEYS, "lane": lane}
    async with Database(endpoint=f"http://{name}:{port}", timeouts=Timeouts(call=30.0), **options) as db:
        with pytest.raises(EndpointUnreachable) as caught:
            await db.get(User, "acme", 1)
    assert not caught.value.sent
    assert name in str(caught.value)
    assert str(caught.value).startswith("GetItem on table users: ")


@pytest.mark.parametrize("lane", ["direct", "sdk"])
async def test_no_credentials(lane: Any) -> None:
    """Without keys anywhere, the error says where to put some; nothing is sent."""
    async with Database(region="eu-west-1", endpoint="http://127.0.0.1:9", lane=lane) as db:
        with pytest.raises(CredentialsError, match=r"no AWS credentials were found.*set AWS_ACCESS_KEY_ID"):
            await db.get(User, "acme", 1)


async def test_half_a_pair_of_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key without its secret is told at once."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    async with Database(region="eu-west-1", endpoint="http://127.0.0.1:9") as db:
        with pytest.raises(CredentialsError, match="AWS_SECRET_ACCESS_KEY"):
            await db.get(User, "acme", 1)


async def test_other_settings_that_cannot_be(tmp_path: Path) -> None:
    """Lane, pool size and CA bundle are checked before anything is sent, and named."""
    for options, message in (
        ({"lane": "fast"}, "there is no lane 'fast'"),
        ({"pool_size": 0}, "pool_size is 0"),
        ({"ca_bundle": tmp_path / "none.pem"}, "none.pem"),
    ):
        settings: dict[str, Any] = {"region": "eu-west-1", "credentials": KEYS, **options}
        async with Database(**settings) as db:
            with pytest.raises(ConfigurationError, match=message):
                await db.get(User, "acme", 1)
