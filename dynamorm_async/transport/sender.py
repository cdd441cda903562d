"""The transport that the database uses: a lane under a deadline, the retry policy and an orderly close."""

from __future__ import annotations

import asyncio
import random as random_module
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import msgspec

from dynamorm_async.errors import CallError, CallTimeout, DatabaseClosed, OutcomeUnknown, ServiceError
from dynamorm_async.transport.base import Lane, Timeouts
from dynamorm_async.transport.retry import (
    DEFAULT_POLICY,
    RetryPolicy,
    RetryQuota,
    Stop,
    StopReason,
    decide,
    is_contention,
    may_have_been_applied,
)
from dynamorm_async.types import Request, Response


class Sender:
    """Sends requests through a lane, again where that is safe and useful.

    Args:
        lane: makes the attempts.
        timeouts: ``call`` is the default for a whole call; ``pool + connect + read`` bounds one attempt.
        policy: how often to try and how long to pause.
        sleep: waits for a number of seconds.
        clock: seconds, monotonic.
        random: a number from 0 up to 1, each time another.
    """

    def __init__(
        self,
        lane: Lane,
        *,
        timeouts: Timeouts,
        policy: RetryPolicy = DEFAULT_POLICY,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._lane = lane
        self._call = timeouts.call
        self._attempt = timeouts.pool + timeouts.connect + timeouts.read
        self._policy = policy
        self._sleep = sleep
        self._clock = clock
        self._random = random
        self._quota = RetryQuota(clock)
        self._in_flight = 0
        self._closed = False
        self._idle = asyncio.Event()

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
            OutcomeUnknown: a request that is not repeatable may or may not have been applied.
            CallError: the last attempt's error, with the number of attempts; its ``maybe_applied`` speaks for all of them.
            CredentialsError: there are no credentials to sign with.
            DatabaseClosed: the transport was closed.
        """
        if self._closed:
            raise DatabaseClosed(f"{request.operation}: the database was closed before this call was made")
        seconds = self._call if timeout is None else timeout
        if seconds <= 0:
            message = f"the call's {seconds:g} s are over before it was sent; give a timeout above 0"
            raise CallTimeout(message, operation=request.operation, table=request.table, attempts=0)
        deadline = self._clock() + seconds
        self._in_flight += 1
        try:
            response = await self._lane.attempt(request, min(seconds, self._attempt))
        except CallError as error:
            return await self._try_again(request, deadline, error)
        else:
            self._quota.give(1)
            return response
        finally:
            self._in_flight -= 1
            if self._closed and not self._in_flight:
                self._idle.set()

    async def aclose(self) -> None:
        """Refuse new calls, wait for those under way, at most ``Timeouts.call``, then close the lane.

        Calls that are still under way after that end with ``DatabaseClosed``.
        """
        self._closed = True
        try:
            if self._in_flight:
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._call):
                        await self._idle.wait()
        finally:
            await self._lane.aclose()

    async def _try_again(self, request: Request, deadline: float, error: CallError) -> Response:
        attempt = 1
        contended = 0
        applied = False  # perhaps
        while True:
            applied = applied or may_have_been_applied(error)
            contention = is_contention(error)
            contended += contention
            verdict = decide(
                self._policy,
                self._quota,
                request_repeatable=request.repeatable,
                error=error,
                attempt=contended if contention else attempt - contended,
                remaining=deadline - self._clock(),
                random=self._random,
                retry_after=error.retry_after if isinstance(error, ServiceError) else None,
            )
            if isinstance(verdict, Stop):
                raise _last_word(request, error, attempt, verdict.reason, maybe_applied=applied)
            await self._sleep(verdict.seconds)
            remaining = deadline - self._clock()
            if remaining <= 0:  # the pause took longer than it should
                raise _last_word(request, error, attempt, StopReason.DEADLINE, maybe_applied=applied)
            attempt += 1
            try:
                response = await self._lane.attempt(request, min(remaining, self._attempt))
            except CallError as failure:
                error = failure
            else:
                self._quota.give(verdict.cost)
                return msgspec.structs.replace(response, attempts=attempt)


def _last_word(
    request: Request, error: CallError, attempts: int, reason: StopReason, *, maybe_applied: bool
) -> CallError:
    error.attempts, error.maybe_applied = attempts, maybe_applied
    if reason is not StopReason.OUTCOME_UNKNOWN:
        return error
    unknown = OutcomeUnknown(
        f"{error.message}; the request may or may not have been applied, and is not safe to repeat: "
        "read the item consistently to find out",
        operation=request.operation,
        table=request.table,
        attempts=attempts,
    )
    unknown.__cause__ = error
    return unknown
