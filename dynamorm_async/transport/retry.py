"""When to try again, and after which pause. Pure: no clock, no sleep, no randomness of its own."""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Final, TypeAlias

import msgspec

from dynamorm_async.errors import (
    BadResponse,
    CallError,
    CallTimeout,
    ConnectionLost,
    EndpointUnreachable,
    ServerError,
    Throttled,
    TransientConflict,
    TransportError,
)


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """How often to try, and how long to pause: a random part of ``base * 2 ** (attempt - 1)``, at most ``cap``.

    Attributes:
        attempts: how many attempts a call may take in all.
        base: seconds, after a transient failure.
        throttle_base: seconds, after DynamoDB throttled.
        cap: seconds, the longest pause.
    """

    attempts: int = 4
    base: float = 0.025
    throttle_base: float = 0.1
    cap: float = 20.0


DEFAULT_POLICY: Final = RetryPolicy()


class StopReason(enum.Enum):
    """Why a call is not tried again."""

    OUTCOME_UNKNOWN = "it may have been applied, and is not safe to repeat"
    NOT_RETRYABLE = "trying again would not help"
    ATTEMPTS = "the attempts are used up"
    DEADLINE = "the pause would not fit into the call's time"
    QUOTA = "too many calls fail at present"


class Delay(msgspec.Struct, frozen=True):
    """Try again.

    Attributes:
        seconds: how long to pause before.
        cost: the tokens it took; a success gives them back.
    """

    seconds: float
    cost: int


class Stop(msgspec.Struct, frozen=True):
    """Give up.

    Attributes:
        reason: why.
    """

    reason: StopReason


class Rule(msgspec.Struct, frozen=True):
    """How a kind of failure is tried again.

    Attributes:
        cost: tokens for one retry.
        throttled: whether the pause grows from ``throttle_base``.
    """

    cost: int
    throttled: bool = False


TRANSIENT: Final = Rule(cost=14)
THROTTLE: Final = Rule(cost=5, throttled=True)

RULES: Final[tuple[tuple[type[CallError], Rule], ...]] = (
    (Throttled, THROTTLE),
    (TransientConflict, TRANSIENT),
    (ServerError, TRANSIENT),
    (EndpointUnreachable, TRANSIENT),
    (ConnectionLost, TRANSIENT),
    (CallTimeout, TRANSIENT),
    (BadResponse, TRANSIENT),
)
"""What is tried again. Everything else is not: a full pool and a busy transaction need the caller's judgement."""


class RetryQuota:
    """A budget of retries, so that an outage is not answered by a storm of them.

    Args:
        clock: seconds, monotonic; read only when a retry is paid for.
        capacity: the most tokens it holds, and how many it starts with.
        refill: tokens that come back each second.
    """

    def __init__(self, clock: Callable[[], float], *, capacity: int = 500, refill: float = 5.0) -> None:
        self._clock = clock
        self._capacity = capacity
        self._refill = refill
        self._tokens = float(capacity)
        self._seen = clock()

    @property
    def tokens(self) -> float:
        """What is left, the refill since the last retry not counted."""
        return self._tokens

    def take(self, cost: int) -> bool:
        """Pay for one retry; ``False`` where there is not enough left."""
        now = self._clock()
        self._tokens = min(self._capacity, self._tokens + max(0.0, now - self._seen) * self._refill)
        self._seen = now
        if self._tokens < cost:
            return False
        self._tokens -= cost
        return True

    def give(self, tokens: int) -> None:
        """Put tokens back after a success; never over the capacity."""
        if self._tokens < self._capacity:
            self._tokens = min(self._capacity, self._tokens + tokens)


Verdict: TypeAlias = Delay | Stop


def may_have_been_applied(error: CallError) -> bool:
    """Whether the failed request may have changed the table all the same."""
    return isinstance(error, ServerError) or (isinstance(error, TransportError) and error.sent)


def decide(
    policy: RetryPolicy,
    quota: RetryQuota,
    *,
    request_repeatable: bool,
    error: CallError,
    attempt: int,
    remaining: float,
    random: Callable[[], float],
    retry_after: float | None = None,
) -> Verdict:
    """Whether to try again after an attempt failed.

    Args:
        policy: how often and how long.
        quota: pays for the retry.
        request_repeatable: whether applying the request twice does what once does.
        error: how the attempt failed.
        attempt: which attempt it was, from 1.
        remaining: seconds left for the call.
        random: a number from 0 up to 1, each time another.
        retry_after: the pause in seconds that the answer asked for.

    Returns:
        ``Delay`` or ``Stop``.
    """
    if may_have_been_applied(error) and not request_repeatable:
        return Stop(StopReason.OUTCOME_UNKNOWN)
    rule = next((rule for kind, rule in RULES if isinstance(error, kind)), None)
    if rule is None:
        return Stop(StopReason.NOT_RETRYABLE)
    if attempt >= policy.attempts:
        return Stop(StopReason.ATTEMPTS)
    base = policy.throttle_base if rule.throttled else policy.base
    seconds = max(random() * min(policy.cap, base * 2 ** (attempt - 1)), retry_after or 0.0)
    if seconds >= remaining:
        return Stop(StopReason.DEADLINE)
    if not quota.take(rule.cost):
        return Stop(StopReason.QUOTA)
    return Delay(seconds, rule.cost)
