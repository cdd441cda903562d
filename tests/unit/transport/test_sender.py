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
CREATE = Request(operation="PutItem", body={}, table="users", repeatable=False, at_most_once=True)
GET = Request(operation="GetItem", body={}, table="users")
TOKEN = "ClientRequestToken"
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
        assert request in (PUT, ADD, CREATE, GET) or TOKEN in request.body
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
    error = await failing(lane, GET)
    assert isinstance(error, ConnectionLost)
    assert error.attempts == 4
    assert str(error) == "PutItem: broke (after 4 attempts)"


@pytest.mark.parametrize(
    "last",
    [
        throttled(),
        lost(sent=False),
        lost(),
        ServerError("500", operation="x"),
        CredentialsError("gone"),
        DatabaseClosed("x"),
    ],
)
async def test_a_write_that_may_have_been_applied_ends_as_unknown(last: Exception) -> None:
    """Whatever the last attempt failed with: a caller who sees a refusal may take it that nothing was written."""
    lane = FakeLane(lost(), lost(), lost(), last)
    error = await failing(lane)
    assert isinstance(error, OutcomeUnknown)
    assert error.__cause__ is last
    assert (error.attempts, error.retryable, error.maybe_applied) == (4, True, True)


async def test_a_read_ends_with_the_error_of_its_last_attempt() -> None:
    """A read leaves nothing behind: nothing about it is unknown."""
    error = await failing(FakeLane(lost(), lost(), lost(), throttled()), GET)
    assert isinstance(error, Throttled)
    assert not error.maybe_applied


async def test_what_is_applied_at_most_once_is_sent_again() -> None:
    """Its condition keeps it from being applied twice; the failed condition tells that an answer was lost before."""
    assert (await FakeLane(lost(), DONE).sender().send(CREATE)).attempts == 2
    error = await failing(FakeLane(lost(), ConditionFailed("taken", operation="PutItem")), CREATE)
    assert isinstance(error, ConditionFailed)
    assert error.maybe_applied
    unknown = await failing(FakeLane(lost(), lost(), lost(), lost()), CREATE)
    assert isinstance(unknown, OutcomeUnknown)
    assert not unknown.retryable


async def test_a_transaction_that_stays_under_way_is_unknown() -> None:
    """TransactionInProgress says that an attempt before is being made: its fate is open when the attempts are used up."""
    error = await failing(FakeLane(*(TransactionInProgress("t", operation="x") for _ in range(12))), PUT, timeout=600.0)
    assert isinstance(error, OutcomeUnknown)


@pytest.mark.parametrize(
    ("codes", "kind"),
    [
        (("TransactionConflict",), OutcomeUnknown),
        (("None", "ThrottlingError"), OutcomeUnknown),
        (("ConditionalCheckFailed", "TransactionConflict"), TransactionCancelled),
    ],
)
async def test_a_cancelled_transaction_tells_of_a_lost_one_only_what_stays(
    codes: tuple[str, ...], kind: type[CallError]
) -> None:
    """A failed condition is the word on the transaction under its token; that others are in the way is none."""
    lane = FakeLane(lost(), *(cancelled(*codes) for _ in range(12)))
    assert type(await failing(lane, timeout=600.0)) is kind


async def test_a_token_is_not_sent_again_when_dynamodb_has_forgotten_it() -> None:
    """After ten minutes, the same token would be a new transaction."""
    transaction = Request(operation="TransactWriteItems", body={TOKEN: "t"}, table="users")
    lane = FakeLane(*(lost() for _ in range(10)))
    policy = RetryPolicy(attempts=10, base=400.0, cap=1000.0)
    with pytest.raises(OutcomeUnknown):
        await lane.sender(policy=policy).send(transaction, timeout=3600.0)
    assert lane.pauses == [200.0]
    assert lane.now < 600.0


async def test_each_table_has_its_own_budget_of_retries() -> None:
    """An outage of one table does not use up what another has."""
    lane = FakeLane(*(lost() for _ in range(200)), lost(), DONE)
    sender = Sender(lane, timeouts=Timeouts(), sleep=lane.sleep, clock=lambda: 0.0, random=lambda: 0.5)
    while len(lane.results) > 6:
        with pytest.raises(ConnectionLost):
            await sender.send(Request(operation="GetItem", body={TOKEN: "t"}, table="busy"))
    lane.results.clear()
    lane.results += [lost(), DONE]
    assert (await sender.send(GET)).attempts == 2


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


@pytest.mark.parametrize("codes", [("ThrottlingError",), ("TransactionConflict", "None"), ("ConditionalCheckFailed",)])
async def test_what_a_cancellation_proves_after_a_lost_answer(codes: tuple[str, ...]) -> None:
    """One that stays: that the lost attempt was not applied. One that may pass: nothing, so the outcome is unknown."""
    error = await failing(FakeLane(lost(), *(cancelled(*codes) for _ in range(12))), PUT, timeout=600.0)
    assert isinstance(error, TransactionCancelled if "ConditionalCheckFailed" in codes else OutcomeUnknown)


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
    assert isinstance(error, OutcomeUnknown)  # the conflict may have been with the attempt whose answer was lost
    assert error.__cause__ is conflicts[-1]
    assert (error.attempts, conflicts[-1].attempts, len(lane.timeouts)) == (13, 13, 13)


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


@pytest.mark.parametrize("timeout", [0.0, -1.0, float("nan")])
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
            await sender.send(GET)
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
    assert isinstance(error, OutcomeUnknown)
    assert isinstance(error.__cause__, Throttled | ConnectionLost)


async def begins(sender: Sender, operation: str = "GetItem", timeout: float | None = None) -> Response:
    """A call as the database makes it: where others are in the way, it takes its turn before it is planned."""
    left = await sender.turn(operation, timeout) if sender.crowded else timeout
    return await sender.send(GET, timeout=left)


async def test_a_crowd_begins_as_others_end() -> None:
    """With room for two, never more than that many are busy before others begin; all are served, in order."""
    lane = WaitingLane()
    lane.results += [DONE] * 50
    sender = Sender(lane, timeouts=Timeouts(), room=2)
    tasks = [asyncio.ensure_future(begins(sender)) for _ in range(50)]
    await until(lambda: sender.in_flight == 2)
    await asyncio.sleep(0)
    assert sender.in_flight == 2
    lane.go.set()
    assert await asyncio.gather(*tasks) == [DONE] * 50
    assert not sender.crowded


async def test_who_leaves_the_line_holds_nobody_up() -> None:
    """A caller that is let in and sends nothing, or is cancelled while it waits, leaves its place to the next."""
    lane = WaitingLane()
    lane.results += [DONE] * 40
    sender = Sender(lane, timeouts=Timeouts(), room=1)
    first = asyncio.ensure_future(begins(sender))
    await until(lambda: sender.crowded)
    idlers = [asyncio.ensure_future(sender.turn("GetItem", None)) for _ in range(20)]
    cancelled_ones = [asyncio.ensure_future(begins(sender)) for _ in range(20)]
    last = asyncio.ensure_future(begins(sender))
    await asyncio.sleep(0)
    for task in cancelled_ones:
        task.cancel()
    lane.go.set()
    await asyncio.gather(first, last, *idlers)
    assert all(task.cancelled() for task in cancelled_ones)
    assert not sender.crowded


async def test_a_turn_that_does_not_come_is_an_error() -> None:
    """Of the pool where the pool's time is over, of the call where that is shorter; and what is left is told."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts(pool=0.02, call=5.0), room=1)
    busy = asyncio.ensure_future(begins(sender))
    await until(lambda: sender.crowded)
    with pytest.raises(
        PoolTimeout, match=r"GetItem: the connections were busy with others for 0.02 s; raise pool_size"
    ):
        await begins(sender)
    with pytest.raises(CallTimeout, match=r"GetItem: the call's 0.01 s were over before its turn came"):
        await begins(sender, timeout=0.01)
    busy.cancel()
    await asyncio.wait([busy])
    assert 4.5 < await sender.turn("GetItem", None) <= 5.0


async def test_a_pause_leaves_room_for_others() -> None:
    """A call that waits before another attempt keeps nobody from beginning."""
    lane = FakeLane(throttled(), DONE, DONE)
    resting = asyncio.Event()

    async def rest(_seconds: float) -> None:
        await resting.wait()

    sender = Sender(lane, timeouts=Timeouts(), sleep=rest, room=1)
    pausing = asyncio.ensure_future(begins(sender))
    await until(lambda: len(lane.timeouts) == 1 and not sender.crowded)
    assert await begins(sender) is DONE
    resting.set()
    assert (await pausing).attempts == 2


async def test_a_close_waits_for_those_in_line() -> None:
    """Who took a place in the line before the close is served; who comes after it is not."""
    lane = WaitingLane()
    lane.results += [DONE] * 10
    sender = Sender(lane, timeouts=Timeouts(), room=2)
    tasks = [asyncio.ensure_future(begins(sender)) for _ in range(10)]
    await until(lambda: sender.in_flight == 2)
    closing = asyncio.ensure_future(sender.aclose())
    await asyncio.sleep(0)
    for late in (sender.turn("GetItem", None), sender.send(GET)):
        with pytest.raises(DatabaseClosed):
            await late
    lane.go.set()
    assert await asyncio.gather(*tasks) == [DONE] * 10
    await closing
    assert lane.closed == 1


@pytest.mark.parametrize("cancelled", [False, True])
async def test_a_close_does_not_wait_for_those_who_leave_the_line(*, cancelled: bool) -> None:
    """Who is let in during a close and sends nothing, or is cancelled just then, does not keep it waiting."""
    lane = WaitingLane()
    lane.results += [DONE]
    sender = Sender(lane, timeouts=Timeouts(call=60.0, pool=60.0), room=1)
    first = asyncio.ensure_future(sender.send(GET))
    await until(lambda: sender.in_flight == 1)
    waiting = [asyncio.ensure_future(sender.turn("GetItem", None)) for _ in range(3)]
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(sender.aclose())
    await asyncio.sleep(0)
    lane.go.set()
    assert await first == DONE
    if cancelled:
        waiting[-1].cancel()
    async with asyncio.timeout(10.0):
        await closing
    assert all(call.done() for call in waiting)


async def test_a_close_that_waits_no_longer_refuses_the_line() -> None:
    """Who never began is told so."""
    lane = WaitingLane()
    sender = Sender(lane, timeouts=Timeouts(call=0.02), room=1)
    tasks = [asyncio.ensure_future(begins(sender, timeout=60.0)) for _ in range(3)]
    await until(lambda: sender.crowded)
    await sender.aclose()
    lane.go.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results[1:]] == [DatabaseClosed, DatabaseClosed]
