"""The store of histories through raw aiobotocore, as a service without an ORM writes it: the control."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any, Final, Literal

from botocore.exceptions import BotoCoreError, ClientError

from tests.faults.history import Outcome
from tests.faults.stores import IMPATIENT, PREFIX, Creation

Mode = Literal["legacy", "standard"]

# aiobotocore has no types: what is taken from its modules is Any.
_get_session = import_module("aiobotocore.session").get_session
_Config = import_module("aiobotocore.config").AioConfig

RAISED: Final = (ClientError, BotoCoreError)


class RawStore:
    """The store on a client of aiobotocore, whose own retries are at work."""

    def __init__(self, client: Any) -> None:  # aiobotocore has no types
        self._client = client

    async def add(self, name: str, amount: int, *, exactly_once: bool) -> tuple[Outcome, int | None]:
        assert not exactly_once, "there is no such thing here"
        try:
            answer = await self._client.update_item(
                TableName=f"{PREFIX}counters",
                Key={"counter_id": {"S": name}},
                UpdateExpression="ADD #number :amount",
                ExpressionAttributeNames={"#number": "number"},
                ExpressionAttributeValues={":amount": {"N": str(amount)}},
                ReturnValues="UPDATED_NEW",
            )
        except RAISED as error:
            return outcome_of(error), None
        new = answer.get("Attributes", {}).get("number")
        return "done", None if new is None else int(new["N"])

    async def count(self, name: str) -> int | None:
        try:
            answer = await self._client.get_item(
                TableName=f"{PREFIX}counters", Key={"counter_id": {"S": name}}, ConsistentRead=True
            )
        except RAISED:
            return None
        return int(answer["Item"]["number"]["N"]) if "Item" in answer else 0

    async def claim(self, name: str, owner: str, *, exactly_once: bool) -> Creation:
        """Create a ticket; there is no other way to do it, so ``exactly_once`` changes nothing."""
        del exactly_once
        try:
            await self._client.put_item(
                TableName=f"{PREFIX}tickets",
                Item={"ticket_id": {"S": name}, "owner": {"S": owner}},
                ConditionExpression="attribute_not_exists(ticket_id)",
            )
        except RAISED as error:
            if isinstance(error, ClientError) and _code(error) == "ConditionalCheckFailedException":
                return "taken"
            return outcome_of(error)
        return "done"

    async def owner(self, name: str) -> tuple[str | None] | None:
        try:
            answer = await self._client.get_item(
                TableName=f"{PREFIX}tickets", Key={"ticket_id": {"S": name}}, ConsistentRead=True
            )
        except RAISED:
            return None
        return (answer["Item"]["owner"]["S"] if "Item" in answer else None,)


def outcome_of(error: ClientError | BotoCoreError) -> Outcome:
    """What a careful caller makes of an error, in its favour: only a refusal of the last attempt is taken for "not applied"."""
    if isinstance(error, ClientError) and error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 500) < 500:
        return "failed"
    return "unknown"


def _code(error: ClientError) -> str | None:
    return error.response.get("Error", {}).get("Code")


@asynccontextmanager
async def raw_client(
    endpoint: str,
    mode: Mode = "standard",
    *,
    keys: tuple[str, str, str | None] = ("test", "test", None),
    **config: Any,  # as above
) -> AsyncGenerator[Any]:  # as above
    """A client of aiobotocore with its own retries and no others.

    Args:
        endpoint: the address.
        mode: of its retries.
        keys: what it signs with.
        config: more options of its ``AioConfig``.
    """
    options = {"read_timeout": IMPATIENT.read, "connect_timeout": IMPATIENT.connect, "max_pool_connections": 100}
    async with _get_session().create_client(
        "dynamodb",
        region_name="eu-west-1",
        endpoint_url=endpoint,
        aws_access_key_id=keys[0],
        aws_secret_access_key=keys[1],
        aws_session_token=keys[2],
        config=_Config(retries={"mode": mode}, **options | config),
    ) as client:
        yield client
