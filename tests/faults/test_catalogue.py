"""The public error that a record names is the one that each lane raises, with what it says about the outcome."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from dynamorm_async.errors import CallError, ConnectionLost, TransportError
from dynamorm_async.transport.base import Credentials, Endpoint, Lane, Timeouts
from dynamorm_async.transport.direct import DirectLane
from dynamorm_async.transport.sdk import SdkClient, SdkLane
from dynamorm_async.types import Request
from tests.engines import LANES
from tests.faults.catalogue import CATALOGUE, FAULTS
from tests.faults.fault import Fault
from tests.faults.proxy import FaultProxy, fault_proxy
from tests.faults.scripts import always, plain
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio

PUT = Request(operation="PutItem", body={"TableName": "t", "Item": {"id": {"S": "a"}}}, table="t", repeatable=False)
GET = Request(operation="GetItem", body={"TableName": "t", "Key": {"id": {"S": "a"}}}, table="t")
TIME = 0.15  # seconds for an attempt that is never answered
PATIENCE = 20.0
# What only the decoder of the whole answer sees, or what only a call of many attempts meets.
ELSEWHERE = {"ok_unclosed_json", "ok_nesting_bomb", "cursor_repeated", "batch_all_unprocessed"}
AT_ONE_ATTEMPT = [
    fault for fault in FAULTS if fault.name.removesuffix("_before").removesuffix("_after") not in ELSEWHERE
]


class Keys:
    """Keys that can be refreshed, which does not help here."""

    def current(self) -> Credentials | None:
        return Credentials("AKID", "secret")

    async def refresh(self, *, rejected: Credentials | None = None) -> Credentials:
        del rejected
        return Credentials("AKID", "secret")


@asynccontextmanager
async def opened(lane: str, proxy: FaultProxy) -> AsyncGenerator[Lane]:
    where = Endpoint(scheme="http", host="127.0.0.1", port=proxy.port, region="eu-west-1")
    keys, times = Keys(), Timeouts(read=PATIENCE)
    it: Lane
    if lane == "direct":
        it = DirectLane(
            endpoint=where, credentials=keys, timeouts=times, pool_size=2, ssl_context=None, user_agent="test"
        )
    else:
        it = SdkLane(SdkClient(endpoint=where, credentials=keys, timeouts=times, pool_size=2))
    try:
        yield it
    finally:
        await it.aclose()


def request_of(fault: Fault) -> Request:
    if "TransactWriteItems" in fault.operations and "PutItem" not in fault.operations:
        put = {"Put": {"TableName": "t", "Item": {"id": {"S": "a"}}}}
        return Request(operation="TransactWriteItems", body={"TransactItems": [put, put]}, repeatable=False)
    if fault.operations and "PutItem" not in fault.operations:
        body = {"RequestItems": {"t": [{"PutRequest": {"Item": {"id": {"S": "a"}}}}]}}
        return Request(operation="BatchWriteItem", body=body, repeatable=False)
    return PUT


async def serve_once(lane: Lane) -> None:
    """A good answer, at the second attempt where the fault before left a connection that is being closed."""
    try:
        await lane.attempt(GET, PATIENCE)
    except ConnectionLost:
        await lane.attempt(GET, PATIENCE)


async def outcome(fault: Fault, proxy: FaultProxy, lane: Lane) -> CallError | None:
    """What one attempt over a connection that has served before ends with."""
    proxy.script = plain
    await proxy.on_connect(None)
    await serve_once(lane)
    if fault.at == "connect":
        await proxy.on_connect(fault)
        proxy.drop_connections()
        await until(lambda: proxy.open_connections == 0)
        await proxy.settle()  # the lane, too, has heard of it
    else:
        proxy.script = always(fault)
    try:
        await lane.attempt(request_of(fault), TIME if fault.then in ("hold", "drip") else PATIENCE)
    except CallError as error:
        return error
    return None


def as_recorded(fault: Fault, error: CallError | None) -> bool:
    if error is None:
        return fault.error is None or fault.may_pass
    return type(error) is fault.error and (not isinstance(error, TransportError) or error.sent is fault.outcome_unknown)


@pytest.mark.parametrize("lane", LANES)
async def test_a_lane_raises_the_error_that_the_record_names(lane: str) -> None:
    """Exactly that class after one attempt; a good answer is taken, a lost one counts as sent, no redirect is followed."""
    wrong: dict[str, CallError | None] = {}
    async with fault_proxy(engine=lambda _: {"UnprocessedItems": {}}) as proxy, opened(lane, proxy) as it:
        for fault in AT_ONE_ATTEMPT:
            error = await outcome(fault, proxy, it)
            if not as_recorded(fault, error):
                wrong[fault.name] = error
        assert wrong == {}
        assert proxy.foreign_connections == 0
        assert set(proxy.played) == {fault.name for fault in AT_ONE_ATTEMPT if fault.then != "refuse"}


def test_what_is_left_out_here_is_in_the_catalogue() -> None:
    """No name among the exceptions has gone."""
    assert all({name, f"{name}_before"} & set(CATALOGUE) for name in ELSEWHERE)
