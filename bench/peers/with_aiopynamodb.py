"""AioPynamoDB, PynamoDB's fork on aiobotocore, into models.

As with PynamoDB, its NumberAttribute reads floats and its UTCDateTimeAttribute only its own format, so two custom attributes, as its
documentation shows them, read decimals exactly and the time stamp as it is.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from decimal import Decimal
from importlib import import_module
from typing import Any

from aiopynamodb.attributes import (
    Attribute,
    BooleanAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    UnicodeAttribute,
    UnicodeSetAttribute,
)
from aiopynamodb.connection import Connection
from aiopynamodb.constants import NUMBER, STRING
from aiopynamodb.expressions.update import Update
from aiopynamodb.models import Model
from aiopynamodb.transactions import TransactWrite
from contestant import (
    BATCH_GET,
    BATCH_WRITE,
    ENCODED,
    NEW_BALANCE,
    NEW_NOTE,
    TRANSACTION,
    http_answer,
    plain_values,
    typed_values,
)
from items import ORG, TABLE, Values, user_id
from surroundings import ACCESS_KEY, CONNECTIONS, REGION, SECRET_KEY, endpoint

# botocore's parsers have no types; what is taken from a module object is Any.
create_parser = import_module("aiobotocore.parsers").create_parser
create_serializer = import_module("botocore.serialize").create_serializer


class DecimalAttribute(Attribute[Decimal]):
    """An exact number."""

    attr_type = NUMBER

    def serialize(self, value: Decimal) -> str:
        return str(value)

    def deserialize(self, value: str) -> Decimal:
        return Decimal(value)


class InstantAttribute(Attribute[datetime]):
    """A time in ISO 8601."""

    attr_type = STRING

    def serialize(self, value: datetime) -> str:
        return value.isoformat()

    def deserialize(self, value: str) -> datetime:
        return datetime.fromisoformat(value)


class Address(MapAttribute[str, str]):
    street = UnicodeAttribute()
    city = UnicodeAttribute()


class User(Model):
    class Meta:  # pyright: ignore[reportIncompatibleVariableOverride]  # the rest is filled in
        table_name = TABLE
        region = REGION
        host = ""  # the canned server's, once its port is known
        aws_access_key_id = ACCESS_KEY
        aws_secret_access_key = SECRET_KEY
        max_pool_connections = CONNECTIONS

    org = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute(range_key=True)
    email = UnicodeAttribute()
    age = NumberAttribute()
    score = DecimalAttribute()
    active = BooleanAttribute()
    tags = UnicodeSetAttribute()
    created = InstantAttribute()
    balance = NumberAttribute()
    note = UnicodeAttribute()
    address = Address()  # type: ignore[no-untyped-call]  # its constructor has no types
    visits = ListAttribute(of=NumberAttribute)


class Aiopynamodb:
    """The workloads on the model's connection, and one connection for transactions."""

    def __init__(self, connection: Connection, service: Any) -> None:  # botocore has no types
        self._connection = connection
        self._users = [_user(number) for number in range(ENCODED)]
        self._known = _user(1)
        self._keys = [(ORG, user_id(number)) for number in range(BATCH_GET)]
        self._scanned = service.operation_model("Scan").output_shape
        self._putting = service.operation_model("PutItem")
        self._parser = create_parser("json")
        self._serializer = create_serializer("json")
        self.get_in_crowd = self.get

    async def get(self) -> User:
        return await User.get(ORG, "u000001")

    async def put(self) -> None:
        await self._users[2].save()

    async def update(self) -> User:
        await self._known.update(actions=[User.note.set(NEW_NOTE), User.balance.add(NEW_BALANCE)])
        return self._known

    async def query(self, org: str) -> list[User]:
        return [user async for user in User.query(org)]

    async def scan(self) -> list[User]:
        return [user async for user in User.scan()]

    async def batch_get(self) -> list[User]:
        return [user async for user in User.batch_get(self._keys)]

    async def batch_write(self) -> None:
        async with User.batch_write() as batch:
            for user in self._users[:BATCH_WRITE]:
                await batch.save(user)

    async def transact(self) -> None:
        async with TransactWrite(connection=self._connection) as transaction:
            for user in self._users[:TRANSACTION]:
                transaction.save(user)

    async def decode(self, body: bytes) -> list[User]:
        parsed = await self._parser.parse(http_answer(body), self._scanned)
        return [User.from_raw_data(item) for item in parsed["Items"]]

    async def encode(self) -> list[bytes]:
        bodies = [{"TableName": TABLE, "Item": user.serialize()} for user in self._users]
        return [self._serializer.serialize_to_request(body, self._putting)["body"] for body in bodies]

    async def render(self) -> dict[str, Any]:  # the parameters of UpdateItem
        names: dict[str, str] = {}
        held: dict[str, Any] = {}
        changes = Update(User.note.set(NEW_NOTE), User.balance.add(NEW_BALANCE), User.visits.remove())
        where = (User.age >= 18) & (User.active == True) & User.email.startswith("u")  # noqa: E712 - a condition
        condition = where.serialize(names, held)
        update = changes.serialize(names, held)
        return {
            "UpdateExpression": update,
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {placeholder: name for name, placeholder in names.items()},
            "ExpressionAttributeValues": held,
        }

    async def stream(self, org: str) -> AsyncIterator[User]:
        async for user in User.query(org):
            yield user

    def values(self, answer: Any) -> list[Values]:  # one model or the models of a list
        return [plain_values(user) for user in ([answer] if isinstance(answer, User) else answer)]


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Aiopynamodb]:
    """The model and one connection for transactions, against the canned server on ``port``."""
    User.Meta.host = endpoint(port)
    async with Connection(
        region=REGION,
        host=endpoint(port),
        max_pool_connections=CONNECTIONS,
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
    ) as connection:
        client: Any = await connection.client()  # botocore has no types
        try:
            yield Aiopynamodb(connection, client.meta.service_model)
        finally:
            await User.close_connection()


def _user(number: int) -> User:
    item = typed_values(number)
    address = Address(**item["address"])  # type: ignore[no-untyped-call]  # its constructor has no types
    return User(**(item | {"address": address}))
