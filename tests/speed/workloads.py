"""The operations whose calls are counted, against answers from memory: the whole path but the socket."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final, cast

import msgspec

from dynamorm_async import Attr, Database, Key, attr, embedded, model, partition_key, sort_key
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.writes import Writes

ITEMS: Final = 1_000
NOW: Final = datetime(2026, 1, 2, tzinfo=UTC)


@embedded
class Address:
    street: Attr[str]
    city: Attr[str]


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()
    email: Attr[str] = attr()
    age: Attr[int] = attr()
    score: Attr[Decimal] = attr()
    active: Attr[bool] = attr()
    tags: Attr[set[str]] = attr(factory=set)
    created: Attr[datetime] = attr()
    balance: Attr[int] = attr()
    note: Attr[str] = attr()
    address: Attr[Address] = attr()
    visits: Attr[list[int]] = attr(factory=list)


def user(number: int) -> User:
    return User(
        org="acme",
        user_id=f"u{number:06d}",
        email=f"u{number}@example.com",
        age=18 + number % 80,
        score=Decimal(number) / 4,
        active=number % 3 != 0,
        tags={"a", "b", f"t{number}"},
        created=NOW,
        balance=number * 7_919,
        note=f"note {number:06d} ".ljust(40, "x"),
        address=Address(street=f"{number} Mill Lane", city="Leeds"),
        visits=[number, 100, 1_000],
    )


def items(count: int) -> list[Any]:  # items as DynamoDB has them
    return [spec_of(User).codec.encode(user(number)) for number in range(count)]


def page(count: int) -> bytes:
    return msgspec.json.encode({"Count": count, "Items": items(count), "ScannedCount": count})


def _answers() -> dict[str, bytes]:
    (item,) = items(1)
    return {
        "GetItem": msgspec.json.encode({"Item": item}),
        "PutItem": b"{}",
        "UpdateItem": msgspec.json.encode({"Attributes": item}),
        "Query": page(100),
    }


class CannedTransport(asyncio.Transport):
    """Answers each request while it is written, so that nobody ever waits for it."""

    def __init__(self, protocol: asyncio.Protocol, answers: Mapping[bytes, bytes]) -> None:
        super().__init__()
        self._protocol = protocol
        self._answers = answers

    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        head = bytes(data).partition(b"DynamoDB_20120810.")[2]
        self._protocol.data_received(self._answers[head.partition(b"\r\n")[0]])

    def get_write_buffer_size(self) -> int:
        return 0

    def close(self) -> None:
        self._protocol.connection_lost(None)

    abort = close


def _whole(body: bytes) -> bytes:
    head = (
        "HTTP/1.1 200 OK\r\nserver: Server\r\ndate: Fri, 02 Jan 2026 00:00:00 GMT\r\n"
        f"content-type: application/x-amz-json-1.0\r\ncontent-length: {len(body)}\r\nconnection: keep-alive\r\n"
        f"x-amzn-requestid: R1\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


@asynccontextmanager
async def canned_database() -> AsyncGenerator[Database]:
    """A database whose connections are to answers in memory."""
    whole = {operation.encode(): _whole(body) for operation, body in _answers().items()}

    async def create_connection(
        protocol_factory: Callable[[], asyncio.Protocol], *_address: object, **_options: object
    ) -> tuple[asyncio.Transport, asyncio.Protocol]:
        protocol = protocol_factory()
        transport = CannedTransport(protocol, whole)
        protocol.connection_made(transport)
        return transport, protocol

    # The loop is this run's own, so nothing has to be put back.
    cast("Any", asyncio.get_running_loop()).create_connection = create_connection
    keys = ("AKIDEXAMPLE", "secret")
    async with Database(region="eu-west-1", endpoint="http://127.0.0.1:1", credentials=keys, lane="direct") as db:
        yield db


def operations(db: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    """What is counted, by name; none of them ever waits."""
    codec, writes = spec_of(User).codec, Writes(prefix="", clock=lambda: NOW)
    key, written, thousand = Key(User, "acme", "u000000"), user(1), page(ITEMS)

    async def get() -> object:
        return await db.get(User, "acme", "u000000")

    async def put() -> None:
        await db.put(written)

    async def update() -> object:
        return await db.update(key, User.age.add(1), User.note.set("new"), where=User.age < 130)

    async def query_100() -> object:
        return await db.query(User).where(User.org == "acme")

    async def decode_1000() -> object:
        return codec.decode_page(thousand)

    async def encode() -> object:
        return codec.encode(written)

    async def render_update() -> object:
        changes = [User.age.add(1), User.note.set("new"), (User.address / Address.city).set("Paris")]
        return writes.update(key, changes, where=(User.age < 130) & User.email.exists())

    every = (get, put, update, query_100, decode_1000, encode, render_update)
    return {operation.__name__: operation for operation in every}
