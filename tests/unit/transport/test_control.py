"""Control-plane calls: what is tried again, within which time, and what is said of a lost answer."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async.errors import (
    CallTimeout,
    ConnectionLost,
    DatabaseClosed,
    DynamormError,
    EndpointUnreachable,
    OutcomeUnknown,
    ServerError,
    TableInUse,
    Throttled,
)
from dynamorm_async.transport.base import Timeouts
from dynamorm_async.transport.control import Control, ControlLane, only_reads
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response

pytestmark = pytest.mark.anyio

ANSWER: dict[str, Any] = {"Table": {"TableName": "users"}}


class FakeClient:
    """Answers from a list; raises what is an exception. Its clock moves by one second for each attempt."""

    def __init__(self, *results: dict[str, Any] | Exception) -> None:
        self.results = list(results)
        self.requests: list[Request] = []
        self.timeouts: list[float] = []
        self.now = 0.0
        self.closed = False

    async def perform(self, request: Request, timeout: float) -> tuple[dict[str, Any], Response]:
        self.requests.append(request)
        self.timeouts.append(timeout)
        self.now += 1.0
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result, Response(b"{}", "R1")

    async def aclose(self) -> None:
        self.closed = True

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def control(self) -> Control:
        lane, clock = ControlLane(self), lambda: self.now
        return Control(Sender(lane, timeouts=Timeouts(), sleep=self.sleep, clock=clock, random=lambda: 0.5))


def lost() -> ConnectionLost:
    return ConnectionLost("broke", operation="X", sent=True)


def failed() -> ServerError:
    return ServerError("inside", operation="X", status=500)


def throttled() -> Throttled:
    return Throttled("slow down", operation="X")


def unreachable() -> EndpointUnreachable:
    return EndpointUnreachable("no", operation="X", sent=False)


async def failing(client: FakeClient, operation: str, *, timeout: float | None = None) -> DynamormError:
    with pytest.raises(DynamormError) as caught:
        await client.control().call(operation, {}, table="users", timeout=timeout)
    return caught.value


async def test_what_only_reads_is_told_by_its_name() -> None:
    """Describe, List and Get read, as do the reads of items; all else may change something."""
    reading = ("DescribeTable", "ListTagsOfResource", "GetResourcePolicy", "GetItem", "Query", "BatchGetItem")
    writing = ("CreateTable", "UpdateTable", "DeleteBackup", "TagResource", "PutItem", "ExecuteStatement")
    assert all(only_reads(operation) for operation in reading)
    assert not any(only_reads(operation) for operation in writing)


@pytest.mark.parametrize("failure", [lost, failed, throttled, unreachable])
async def test_a_look_is_tried_again(failure: Any) -> None:  # a maker of an error
    """Whatever the failure was, nothing was changed by it."""
    client = FakeClient(failure(), failure(), ANSWER)
    assert await client.control().call("DescribeTable", {"TableName": "users"}, table="users") == ANSWER
    assert [request.body for request in client.requests] == [{"TableName": "users"}] * 3


@pytest.mark.parametrize("failure", [throttled, unreachable])
async def test_a_change_is_tried_again_where_it_was_not_applied(failure: Any) -> None:  # a maker of an error
    """A refusal, and a connection that never was, changed nothing."""
    client = FakeClient(failure(), ANSWER)
    assert await client.control().call("UpdateTable", {"TableName": "users"}) == ANSWER
    assert len(client.requests) == 2


@pytest.mark.parametrize("failure", [lost, failed])
async def test_a_change_that_may_have_been_applied_is_not_repeated(failure: Any) -> None:  # a maker of an error
    """The caller is told, and how to find out; the cause says what happened."""
    client = FakeClient(failure(), ANSWER)
    error = await failing(client, "UpdateTable")
    assert isinstance(error, OutcomeUnknown)
    assert (error.retryable, error.maybe_applied, error.attempts) == (False, True, 1)
    assert "not safe to repeat: describe what it should have changed to find out" in str(error)
    assert isinstance(error.__cause__, (ConnectionLost, ServerError))
    assert len(client.requests) == 1


async def test_a_refusal_for_good_is_not_repeated() -> None:
    """It would be refused again."""
    client = FakeClient(TableInUse("there", operation="CreateTable"), ANSWER)
    assert isinstance(await failing(client, "CreateTable"), TableInUse)
    assert len(client.requests) == 1


async def test_a_look_ends_in_time() -> None:
    """All attempts and pauses fit into the call's own time; each attempt knows what is left of it."""
    client = FakeClient(*[lost() for _ in range(4)])
    assert isinstance(await failing(client, "DescribeTable", timeout=2.5), ConnectionLost)
    assert client.timeouts == sorted(client.timeouts, reverse=True)
    assert len(client.timeouts) == 3
    assert isinstance(await failing(client, "DescribeTable", timeout=0), CallTimeout)
    assert len(client.timeouts) == 3


async def test_after_a_close_nothing_is_sent() -> None:
    """The client is closed with it."""
    client = FakeClient()
    control = client.control()
    await control.aclose()
    with pytest.raises(DatabaseClosed):
        await control.call("DescribeTable", {})
    assert client.closed
    assert client.requests == []
