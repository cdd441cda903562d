"""The transport that the database uses: a lane under a deadline, the retry policy and an orderly close."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import msgspec

from dynamorm_async.errors import (
    CallError,
    CallTimeout,
    ConditionFailed,
    CredentialsError,
    DatabaseClosed,
    IdempotentParameterMismatch,
    OutcomeUnknown,
    PoolTimeout,
    ServiceError,
    TransactionCancelled,
    TransactionInProgress,
)
from dynamorm_async.transport.admission import Admission, NotInTime
from dynamorm_async.transport.base import Lane, Timeouts
from dynamorm_async.transport.closing import database_closed
from dynamorm_async.transport.retry import (
    DEFAULT_POLICY,
    RetryPolicy,
    RetryQuota,
    Stop,
    decide,
    is_contention,
    may_have_been_applied,
    rule_of,
)
from dynamorm_async.types import DATA_WRITES, Request, Response

_TOKEN = "ClientRequestToken"  # noqa: S105 - the name of a parameter
_TOKEN_SECONDS = 600.0
"""How long DynamoDB remembers a token, from the first request with it on ("TransactWriteItems" in the API Reference)."""


_WAYS_TO_LOOK = ("describe what it should have changed", "read the item consistently")


def jitter() -> float:
    """A number from 0 up to 1, each time another; the first failure loads the generator."""
    from random import random  # noqa: PLC0415 - loaded when first used

    return random()  # noqa: S311 - of a pause


class Sender:
    """Sends requests through a lane, again where that is safe and useful.

    Args:
        lane: makes the attempts.
        timeouts: ``call`` is the default for a whole call; ``pool + connect + read`` bounds one attempt.
        policy: how often to try and how long to pause.
        sleep: waits for a number of seconds.
        clock: seconds, monotonic.
        random: a number from 0 up to 1, each time another.
        room: how many calls may be busy before others take their turn; ``None`` for any number.
    """

    def __init__(
        self,
        lane: Lane,
        *,
        timeouts: Timeouts,
        policy: RetryPolicy = DEFAULT_POLICY,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = jitter,
        room: int | None = None,
    ) -> None:
        self._lane = lane
        self._admission = Admission(sys.maxsize if room is None else room)
        self._call = timeouts.call
        self._pool = timeouts.pool
        self._attempt = timeouts.pool + timeouts.connect + timeouts.read
        self._policy = policy
        self._sleep = sleep
        self._clock = clock
        self._random = random
        self._quotas: dict[str | None, RetryQuota] = {}  # of the tables that had a failure
        self._in_flight = 0
        self._closed = False
        self._ended = False  # closed, and nothing is waited for any more
        self._idle = asyncio.Event()  # set where something ended after the close
        self._let_in: set[asyncio.Task[Any] | None] = set()  # who stood in line before the close, and sends after it

    @property
    def in_flight(self) -> int:
        """How many calls are under way, those that pause before another attempt included."""
        return self._in_flight

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:
        """Send a request.

        Args:
            request: what to send.
            timeout: seconds for the whole call, all attempts and pauses included; ``None`` is ``Timeouts.call``.

        Returns:
            The whole answer; its ``attempts`` says how many it took.

        Raises:
            OutcomeUnknown: a write may or may not have been applied; the cause is the last attempt's error.
            CallError: the last attempt's error, with the number of attempts. Where it is a failed condition,
                ``maybe_applied`` tells that an earlier attempt may have been applied.
            CredentialsError: there are no credentials to sign with.
            DatabaseClosed: the transport was closed.
        """
        if self._closed:
            self._check_let_in(request)
        seconds = self._call if timeout is None else timeout
        if not seconds > 0:  # not a number is no time either
            message = f"the call's {seconds:g} s are over before it was sent; give a timeout above 0"
            raise CallTimeout(message, operation=request.operation, table=request.table, attempts=0)
        deadline = self._clock() + seconds
        self._in_flight += 1
        self._admission.begin()
        try:
            response = await self._lane.attempt(request, min(seconds, self._attempt))
        except CallError as error:
            return await self._try_again(request, deadline, error)
        else:
            if self._quotas:
                self._reward(request, 1)
            return response
        finally:
            self._in_flight -= 1
            self._admission.end()
            if self._closed:
                self._idle.set()

    @property
    def crowded(self) -> bool:
        """Whether so many calls are busy that another should take its :meth:`turn` before it prepares its request."""
        return self._admission.crowded

    async def turn(self, operation: str, timeout: float | None) -> float:
        """Wait in line until a call may begin. Costs a future for each that waits.

        Args:
            operation: what will be called, for errors.
            timeout: seconds for the whole call, this wait included; ``None`` is ``Timeouts.call``.

        Returns:
            The seconds that are left.

        Raises:
            PoolTimeout: too many others were busy for too long.
            CallTimeout: the call's time was over first.
            DatabaseClosed: the transport was closed meanwhile.
        """
        if self._closed:
            raise database_closed()
        seconds = self._call if timeout is None else timeout
        deadline = self._clock() + seconds
        turn = self._admission.turn(min(seconds, self._pool))
        try:
            await turn
            self._admission.arrived()
        except asyncio.CancelledError:
            self._admission.left(turn)
            raise
        except NotInTime as error:
            raise self._not_in_time(operation, seconds, error.seconds) from None
        finally:
            if self._closed:
                self._idle.set()
        if self._closed:
            self._let_in.add(asyncio.current_task())
        return max(deadline - self._clock(), 0.0)

    async def aclose(self) -> None:
        """Refuse new calls, wait for those under way or in line, at most ``Timeouts.call``, then close the lane.

        Those that are still there in the end fail with ``DatabaseClosed``; a write that may have been applied with
        ``OutcomeUnknown``.
        """
        self._closed = True
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._call):
                    while self._in_flight or self._admission.waiting:
                        self._idle.clear()
                        await self._idle.wait()
        finally:
            self._ended = True
            self._admission.refuse(database_closed)
            await self._lane.aclose()

    def _check_let_in(self, request: Request) -> None:
        """Refuse a request after the close, but that of a call which stood in line before it."""
        task = asyncio.current_task()
        if self._ended or task not in self._let_in:
            raise DatabaseClosed(f"{request.operation}: the database was closed before this call was made")
        self._let_in.discard(task)

    async def _try_again(self, request: Request, deadline: float, error: CallError) -> Response:
        attempt = 1
        contended = 0
        applied = False  # perhaps
        harmless = request.repeatable or request.at_most_once
        if _TOKEN in request.body:
            deadline = min(deadline, self._clock() + _TOKEN_SECONDS - self._attempt)
        while True:
            # A transaction that is under way is an earlier attempt of it, or one that the caller made under the same token.
            lost = may_have_been_applied(error) or isinstance(error, TransactionInProgress)
            applied = applied or (request.writes and lost)
            if self._ended:
                raise _ended(request, error, attempt, maybe_applied=applied)
            contention = is_contention(error)
            contended += contention
            verdict = decide(
                self._policy,
                self._quota(request),
                harmless=harmless,
                error=error,
                attempt=contended if contention else attempt - contended,
                remaining=deadline - self._clock(),
                random=self._random,
                retry_after=error.retry_after if isinstance(error, ServiceError) else None,
            )
            if isinstance(verdict, Stop):
                raise _last_word(request, error, attempt, maybe_applied=applied)
            await self._pause(verdict.seconds)
            remaining = deadline - self._clock()
            if remaining <= 0:  # the pause took longer than it should
                raise _last_word(request, error, attempt, maybe_applied=applied)
            attempt += 1
            try:
                response = await self._lane.attempt(request, min(remaining, self._attempt))
            except CallError as failure:
                error = failure
            except (CredentialsError, DatabaseClosed) as failure:
                if not applied:
                    raise
                raise _unknown(request, str(failure), attempt) from failure
            else:
                self._reward(request, verdict.cost)
                return msgspec.structs.replace(response, attempts=attempt)

    def _not_in_time(self, operation: str, seconds: float, waited: float) -> CallError:
        if waited < self._pool:
            message = f"the call's {seconds:g} s were over before its turn came"
            return CallTimeout(message, operation=operation, attempts=0)
        message = f"the connections were busy with others for {waited:.3g} s; raise pool_size or call less at once"
        return PoolTimeout(message, operation=operation, attempts=0)

    async def _pause(self, seconds: float) -> None:
        """Wait before another attempt; others may begin meanwhile."""
        self._admission.end()
        try:
            await self._sleep(seconds)
        finally:
            self._admission.begin()

    def _quota(self, request: Request) -> RetryQuota:
        """The budget of the request's table: an outage of one table leaves the retries of others alone."""
        quota = self._quotas.get(request.table)
        if quota is None:
            quota = self._quotas[request.table] = RetryQuota(self._clock)
        return quota

    def _reward(self, request: Request, tokens: int) -> None:
        quota = self._quotas.get(request.table)
        if quota is not None:
            quota.give(tokens)


def _last_word(request: Request, error: CallError, attempts: int, *, maybe_applied: bool) -> CallError:
    error.attempts, error.maybe_applied = attempts, maybe_applied
    if not maybe_applied or _is_certain(error):
        return error
    unknown = _unknown(request, error.message, attempts)
    unknown.__cause__ = error
    return unknown


def _is_certain(error: CallError) -> bool:
    """Whether what an attempt ended with holds although the answer of an earlier one was lost.

    An applied transaction succeeds again under its token, so that a failed condition says that it was not; that others were
    in the way says nothing. One that was refused because its token belongs to another was never taken.
    """
    if isinstance(error, TransactionCancelled):
        return rule_of(error) is None
    return isinstance(error, (ConditionFailed, IdempotentParameterMismatch))


def _ended(
    request: Request, error: CallError, attempts: int, *, maybe_applied: bool
) -> OutcomeUnknown | DatabaseClosed:
    closed = DatabaseClosed(f"{request.operation}: the database was closed while this call was under way")
    closed.__cause__ = error
    if not maybe_applied:
        return closed
    unknown = _unknown(request, str(closed), attempts)
    unknown.__cause__ = closed
    return unknown


def _unknown(request: Request, why: str, attempts: int) -> OutcomeUnknown:
    way_out = (
        "to make the same call again does no harm"
        if request.repeatable
        else f"it is not safe to repeat: {_WAYS_TO_LOOK[request.operation in DATA_WRITES]} to find out"
    )
    return OutcomeUnknown(
        f"{why}; the request may or may not have been applied, {way_out}",
        operation=request.operation,
        table=request.table,
        attempts=attempts,
        retryable=request.repeatable,
    )
