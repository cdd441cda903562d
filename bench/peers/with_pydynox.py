"""pydynox, into models. Its Rust core sends, signs and decodes, in threads of its own."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from contestant import (
    BATCH_GET,
    BATCH_WRITE,
    ENCODED,
    NEW_BALANCE,
    NEW_NOTE,
    TRANSACTION,
    plain_values,
    typed_values,
)
from items import ORG, TABLE, Values, user_id
from pydynox import (
    BatchWriter,
    DynamoDBClient,
    Model,
    ModelConfig,
    Transaction,
    clear_default_client,
    set_default_client,
)
from pydynox.attributes import (
    BooleanAttribute,
    DatetimeAttribute,
    DecimalAttribute,
    ListAttribute,
    MapAttribute,
    NumberAttribute,
    StringAttribute,
    StringSetAttribute,
)
from surroundings import ACCESS_KEY, REGION, SECRET_KEY, endpoint


@dataclasses.dataclass
class Address:
    street: str
    city: str


class User(Model):
    model_config = ModelConfig(table=TABLE)

    org = StringAttribute(partition_key=True)
    user_id = StringAttribute(sort_key=True)
    email = StringAttribute()
    age = NumberAttribute()
    score = DecimalAttribute()
    active = BooleanAttribute()
    tags = StringSetAttribute()
    created = DatetimeAttribute()
    balance = NumberAttribute()
    note = StringAttribute()
    address = MapAttribute(Address)
    visits = ListAttribute()


class Pydynox:
    """The workloads on the model's default client."""

    writes_sets_as_lists = True
    """Its StringSetAttribute hands a list to the core, so that DynamoDB is sent ``L`` where the item has ``SS``."""

    def __init__(self, client: DynamoDBClient) -> None:
        self._client = client
        self._users = [_user(number) for number in range(ENCODED)]
        self._keys = [{"org": ORG, "user_id": user_id(number)} for number in range(BATCH_GET)]
        self.get_in_crowd = self.get

    async def get(self) -> User | None:
        return await User.get(org=ORG, user_id="u000001")

    async def put(self) -> None:
        await self._users[2].save()

    async def update(self) -> None:
        await self._users[1].update(atomic=[User.note.set(NEW_NOTE), User.balance.add(NEW_BALANCE)])

    async def query(self, org: str) -> list[User]:
        return [user async for user in User.query(partition_key=org)]

    async def scan(self) -> list[User]:
        return [user async for user in User.scan()]

    async def batch_get(self) -> list[User]:
        return await User.batch_get(self._keys)

    async def batch_write(self) -> None:
        async with BatchWriter(self._client, TABLE) as batch:
            for user in self._users[:BATCH_WRITE]:
                batch.put(user.to_dict())

    async def transact(self) -> None:
        async with Transaction(self._client) as transaction:
            for user in self._users[:TRANSACTION]:
                transaction.save_model(user)

    def stream(self, org: str) -> AsyncIterator[User]:
        return aiter(User.query(partition_key=org))

    def values(self, answer: Any) -> list[Values]:  # one model or the models of a list
        return [plain_values(user) for user in ([answer] if isinstance(answer, User) else answer)]


@asynccontextmanager
async def open_contestant(port: int) -> AsyncGenerator[Pydynox]:
    """The default client against the canned server on ``port``; it has no setting for the number of connections."""
    client = DynamoDBClient(region=REGION, access_key=ACCESS_KEY, secret_key=SECRET_KEY, endpoint_url=endpoint(port))
    set_default_client(client)
    # It warns of every call that took 100 ms, which under 1,000 tasks are many; printing them would be its time.
    logging.getLogger("pydynox").setLevel(logging.ERROR)
    try:
        yield Pydynox(client)
    finally:
        clear_default_client()


def _user(number: int) -> User:
    item = typed_values(number)
    return User(**(item | {"address": Address(**item["address"])}))
