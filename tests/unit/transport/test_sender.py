from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from dynamorm_async.errors import (
    CallError,
    CallTimeout,
    ConditionFailed,
    ConnectionLost,
    CredentialsError,
    DatabaseClosed,
    DynamormError,
    EndpointUnreachable,
    OutcomeUnknown,
    PoolTimeout,
    ServerError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionInProgress,
)
from dynamorm_async.transport.base import Timeouts, Transport
from dynamorm_async.transport.retry import RetryPolicy
from dynamorm_async.transport.sender import Sender
from dynamorm_async.types import Request, Response
from tests.unit.transport.scripted_server import until

pytestmark = pytest.mark.anyio
PUT = Request(operation="PutItem", body={}, table="users")
ADD = Request(operation="UpdateItem", body={}, table="users", repeatable=False)
DONE = Response(b"{}", "R1")


class FakeLane:
    """Answers from a list; raises what is an exception. Its clock moves by one second for each attempt."""

    def __init__(self, *results: Response | Exception) -> None:
        self.results = list(results)
        self.timeouts: list[float] = []
        self.pauses: list[float] = []
        self.now = 0.0
        self.closed = 0

    async def attempt(self, request: Request, timeout: float) -> Response:
        assert request in (PUT, ADD)
        self.timeouts.append(timeout)
        self.now += 1.0
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def aclose(self) -> None:
        self.closed += 1

    def sender(self, timeouts: Timeouts | None = None, policy: RetryPolicy | None = None) -> Sender:
        return Sender(
            self,
            timeouts=timeouts or Timeouts(),
            policy=policy or RetryPolicy(),
            sleep=self.sleep,
            clock=lambda: self.now,
            random=lambda: 0.5,
        )


def throttled() -> Throttled:
    return Throttled("slow down", operation="PutItem")


def lost(*, sent: bool = True) -> ConnectionLost:
    return ConnectionLost("broke", operation="PutItem", sent=sent)


async def failing(lane: FakeLane, request: Request = PUT, *, timeout: float | None = None) -> DynamormError:
    with pytest.raises(DynamormError) as caught:
        await lane.sender().send(request, timeout=timeout)
    return caught.value


async def test_a_first_success_is_handed_on_untouched() -> None:
    """Without a failure there is one attempt, no pause and no copy of the answer."""
    lane = FakeLane(DONE)
    transport: Transport = lane.sender()
    assert await transport.send(PUT) is DONE
    assert (lane.timeouts, lane.pauses) == ([10.0], [])


async def test_one_attempt_is_bounded_by_its_parts() -> None:
    """With a long deadline, one attempt has the time for a connection, its opening and its answer, not all of it."""
    lane = FakeLane(DONE)
    await lane.sender().send(PUT, timeout=60.0)
    assert lane.timeouts == [13.0]


async def test_failures_are_tried_again_with_growing_pauses() -> None:
    """Transient failures and throttling are tried again; the answer tells how many attempts it took."""
    lane = FakeLane(lost(), throttled(), lost(sent=False), DONE)
    response = await lane.sender().send(PUT)
    assert response == Response(b"{}", "R1", 4)
    assert lane.pauses == [0.0125, 0.1, 0.05]
    assert lane.timeouts == pytest.approx([10.0, 8.9875, 7.8875, 6.8375])


async def test_the_last_error_tells_the_attempts() -> None:
    """After the last attempt its own error is raised, with the number of attempts in the message."""
    lane = FakeLane(throttled(), throttled(), throttled(), lost())
    error = await failing(lane)
    assert isinstance(error, ConnectionLost)
    assert error.attempts == 4
    assert str(error) == "PutItem: broke (after 4 attempts)"


@pytest.mark.parametrize(
    "refusal",
    [
        ConditionFailed("no", operation="UpdateItem"),
        PoolTimeout("busy", operation="UpdateItem"),
        CredentialsError("none"),
        DatabaseClosed("closed"),
    ],
)
@pytest.mark.parametrize("request_", [PUT, ADD])
async def test_what_trying_again_cannot_help_is_raised_at_once(refusal: Exception, request_: Request) -> None:
    """Refusals, a full pool and missing credentials are raised as they are, after one attempt."""
    lane = FakeLane(refusal)
    assert await failing(lane, request_) is refusal
    assert lane.pauses == []


@pytest.mark.parametrize(
    "error",
    [lost(), CallTimeout("late", operation="UpdateItem", sent=True), ServerError("500", operation="UpdateItem")],
)
async def test_a_lost_answer_is_never_repeated_where_that_counts_twice(error: CallError) -> None:
    """A request that is not repeatable is sent once; a lost answer is OutcomeUnknown, caused by how it was lost."""
    lane = FakeLane(error)
    unknown = await failing(lane, ADD)
    assert isinstance(unknown, OutcomeUnknown)
    assert unknown.__cause__ is error
    assert (unknown.operation, unknown.table, unknown.attempts) == ("UpdateItem", "users", 1)
    assert (len(lane.timeouts), lane.pauses) == (1, [])


async def test_what_was_not_applied_is_repeated_even_then() -> None:
    """Where it is certain that nothing was applied, a request that is not repeatable is tried again too."""
    lane = FakeLane(throttled(), EndpointUnreachable("refused", operation="UpdateItem"), DONE)
    assert (await lane.sender().send(ADD)).attempts == 3
    unknown = await failing(FakeLane(throttled(), lost()), ADD)
    assert isinstance(unknown, OutcomeUnknown)
    assert unknown.attempts == 2


def cancelled(*codes: str) -> TransactionCancelled:
    error = TransactionCancelled("cancelled", operation="TransactWriteItems")
    error.reasons = [{"Code": code} for code in codes]
    return error


async def test_contention_is_tried_again_with_the_same_request() -> None:
    """Conflicts and a token under way are retried for any request, and each attempt has the very same request."""
    requests: list[Request] = []

    class Recording(FakeLane):
        async def attempt(self, request: Request, timeout: float) -> Response:
            requests.append(request)
            return await super().attempt(request, timeout)

    for request in (PUT, ADD):
        busy = TransactionConflict("busy", operation="PutItem")
        lane = Recording(
            busy, cancelled("None", "TransactionConflict"), TransactionInProgress("t", operation="x"), DONE
        )
        assert (await lane.sender().send(request, timeout=60.0)).attempts == 4
        assert lane.pauses == [0.025, 0.05, 0.5]
        assert all(sent is request for sent in requests)
        requests.clear()


async def test_contention_is_counted_apart() -> None:
    """Eleven conflicts leave a call its retries of other failures; the twelfth is the last, with the attempts told."""
    conflicts = [cancelled("TransactionConflict") for _ in range(12)]
    lane = FakeLane(*conflicts[:11], lost(), throttled(), throttled(), DONE)
    assert (await lane.sender().send(PUT, timeout=1000.0)).attempts == 15
    lane = FakeLane(lost(), *conflicts)
    error = await failing(lane, timeout=1000.0)
    assert error is conflicts[-1]
    assert (conflicts[-1].attempts, len(lane.timeouts)) == (13, 13)


async def test_contention_ends_with_the_deadline() -> None:
    """However many tries are left, none is begun that does not fit into the call's time."""
    lane = FakeLane(*(TransactionConflict("busy", operation="PutItem") for _ in range(12)))
    error = await failing(lane, timeout=3.05)  # an attempt takes a second here
    assert isinstance(error, TransactionConflict)
    assert (error.attempts, lane.pauses) == (3, [0.025, 0.05])


async def test_a_pause_that_dynamodb_asks_for_is_kept() -> None:
    """The pause in the answer's header is the least that is waited."""
    error = throttled()
    error.retry_after = 2.5
    lane = FakeLane(error, DONE)
    await lane.sender().send(PUT)
    assert lane.pauses == [2.5]


async def test_no_attempt_begins_after_the_deadline() -> None:
    """A pause that would end after the deadline is not begun, and an overlong pause is the last thing done."""
    lane = FakeLane(throttled(), DONE)
    assert isinstance(await failing(lane, timeout=1.01), Throttled)
    assert lane.pauses == []

    async def oversleep(seconds: float) -> None:
        lane.now += seconds + 60.0

    lane = FakeLane(throttled(), DONE)
    sender = Sender(lane, timeouts=Timeouts(), sleep=oversleep, clock=lambda: lane.now, random=lambda: 0.5)
    with pytest.raises(Throttled) as caught:
        await sender.send(PUT)
    assert (caught.value.attempts, len(lane.timeouts)) == (1, 1)


@pytest.mark.parametrize("timeout", [0.0, -1.0])
async def test_a_call_without_time_is_not_sent(timeout: float) -> None:
    """A deadline that has passed before the call is a CallTimeout that says that nothing was sent."""
    lane = FakeLane()
    error = await failing(lane, timeout=timeout)
    assert isinstance(error, CallTimeout)
    assert (error.sent, error.attempts, lane.timeouts) == (False, 0, [])


async def test_an_outage_is_not_answered_by_a_storm() -> None:
    """All calls share one quota: through an outage, 100 calls make far fewer retries than three each."""
    lane = FakeLane(*(lost() for _ in range(400)))
    clock: Callable[[], float] = lambda: 0.0  # noqa: E731 - no time passes
    sender = Sender(lane, timeouts=Timeouts(), sleep=lane.sleep, clock=clock, random=lambda: 0.5)
    for _ in range(100):
        with pytest.raises(ConnectionLost):
            await sender.send(PUT)
    assert len(lane.timeouts) == 100 + 500 // 14


async def test_success_pays_the_quota_back() -> None:
    """Retries that succeed cost nothing in the end: a thousand of them are all made."""
    results = [result for _ in range(1000) for result in (lost(), DONE)]
    lane = FakeLane(*results)
    sender = Sender(lane, timeouts=Timeouts(), sleep=lane.sleep, clock=lambda: 0.0, random=lambda: 0.5)
    for _ in range(1000):
        assert (await sender.send(PUT)).attempts == 2


class WaitingLane(FakeLane):
    """Holds every attempt until it is told to go on."""

    def __init__(self) -> None:
        super().__init__()
        self.go = asyncio.Event()

    async def attempt(self, request: Request, timeout: float) -> Response:  # noqa: ARG002 - the seam's own signature
        await self.go.wait()
        if self.closed:
            raise DatabaseClosed("closed while under way")
        return DONE

    async def aclose(self) -> None:
        self.closed += 1
        self.go.set()


async def test_closing_drains_then_refuses() -> None:
    """Closing refuses new calls at once, lets those under way end, and only then closes the lane."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts())
    calls = [asyncio.ensure_future(sender.send(PUT)) for _ in range(3)]
    await until(lambda: sender.in_flight == 3)
    closing = asyncio.ensure_future(sender.aclose())
    await asyncio.sleep(0)
    with pytest.raises(DatabaseClosed, match="PutItem"):
        await sender.send(PUT)
    assert lane.closed == 0
    lane.go.set()
    await closing
    assert [call.result() for call in calls] == [DONE] * 3
    assert (lane.closed, sender.in_flight) == (1, 0)


async def test_closing_does_not_wait_for_ever() -> None:
    """Calls that do not end within the call timeout are ended by closing the lane, with DatabaseClosed."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts(call=0.02))
    call = asyncio.ensure_future(sender.send(PUT))
    await until(lambda: sender.in_flight == 1)
    await sender.aclose()
    with pytest.raises(DatabaseClosed):
        await call


async def test_a_cancelled_close_still_closes_the_lane() -> None:
    """Cancelling the drain closes the lane all the same, and the cancellation goes on."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts())
    call = asyncio.ensure_future(sender.send(PUT))
    await until(lambda: sender.in_flight == 1)
    closing = asyncio.ensure_future(sender.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert lane.closed == 1
    with pytest.raises(DatabaseClosed):
        await call


async def test_a_cancelled_call_is_not_in_flight() -> None:
    """Cancelling a call ends it as cancelled and leaves nothing that a close would wait for."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts())
    call = asyncio.ensure_future(sender.send(PUT))
    await until(lambda: sender.in_flight == 1)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert sender.in_flight == 0
    await sender.aclose()


@pytest.mark.parametrize(
    ("results", "maybe"),
    [
        ([throttled(), throttled(), throttled(), throttled()], False),
        ([lost(sent=False), lost(sent=False), lost(sent=False), lost(sent=False)], False),
        ([lost(), throttled(), throttled(), throttled()], True),
        ([throttled(), ServerError("500", operation="PutItem"), throttled(), throttled()], True),
        ([throttled(), throttled(), throttled(), lost()], True),
        ([lost(), ConditionFailed("no", operation="PutItem")], True),
        ([ConditionFailed("no", operation="PutItem")], False),
    ],
)
async def test_the_error_tells_whether_any_attempt_may_have_been_applied(
    results: list[Exception], *, maybe: bool
) -> None:
    """A refusal that follows a lost answer does not hide that the request may have been carried out."""
    error = await failing(FakeLane(*results))
    assert isinstance(error, CallError)
    assert error.maybe_applied is maybe


async def test_outcome_unknown_may_have_been_applied() -> None:
    """The name says it, and the attribute agrees; so does that of its cause."""
    error = await failing(FakeLane(lost()), ADD)
    assert isinstance(error, OutcomeUnknown)
    assert isinstance(error.__cause__, ConnectionLost)
    assert error.maybe_applied
    assert error.__cause__.maybe_applied


async def test_a_deadline_that_passes_in_a_pause_keeps_what_may_have_been_applied() -> None:
    """Where the pause took longer than it should, the last word is that of all attempts."""
    lane = FakeLane(lost(), throttled())
    sleep = lane.sleep

    async def oversleep(seconds: float) -> None:
        await sleep(seconds * 1000)

    lane.sleep = oversleep  # type: ignore[method-assign]  # the fake's own, for this test
    error = await failing(lane, timeout=9.0)
    assert isinstance(error, ConnectionLost)
    assert error.maybe_applied
