"""When to try again, and after which pause. Pure: no clock, no sleep, no randomness of its own."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import msgspec

from dynamorm_async.errors import (
    BadResponse,
    CallError,
    CallTimeout,
    ConnectionLost,
    EndpointUnreachable,
    ServerError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionInProgress,
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


_DOUBLINGS: Final = 64  # far beyond any cap, and no overflow


def full_jitter(turn: int, random: Callable[[], float], *, base: float, cap: float) -> float:
    """Seconds to pause: a random part of ``base * 2 ** (turn - 1)``, at most ``cap``.

    Args:
        turn: which pause it is, from 1.
        random: a number from 0 up to 1, each time another.
        base: seconds, of the first pause.
        cap: seconds, the longest pause.
    """
    return random() * min(cap, base * 2.0 ** min(turn - 1, _DOUBLINGS))


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


class Contention(msgspec.Struct, frozen=True):
    """The bounds of a rule for items that others hold, in place of the policy's.

    Attributes:
        attempts: how many of them a call may meet, the last one included.
        base: seconds, of the first pause.
        cap: seconds, the longest pause.
    """

    attempts: int
    base: float
    cap: float


class Rule(msgspec.Struct, frozen=True):
    """How a kind of failure is tried again.

    Attributes:
        cost: tokens for one retry.
        throttled: whether the pause grows from ``throttle_base``.
        contention: bounds of its own; ``None`` for those of the policy.
    """

    cost: int
    throttled: bool = False
    contention: Contention | None = None


TRANSIENT: Final = Rule(cost=14)
THROTTLE: Final = Rule(cost=5, throttled=True)
# Contention is no outage: it costs no tokens, and a busy item is worth more tries than a failing service.
BUSY: Final = Rule(cost=0, contention=Contention(attempts=12, base=0.05, cap=1.0))
# DynamoDB takes up a transaction that got stuck when its token comes again 5 seconds after the first attempt.
UNDER_WAY: Final = Rule(cost=0, contention=Contention(attempts=12, base=0.25, cap=2.0))

RULES: Final[tuple[tuple[type[CallError], Rule], ...]] = (
    (Throttled, THROTTLE),
    (TransactionConflict, BUSY),
    (TransactionInProgress, UNDER_WAY),
    (TransientConflict, TRANSIENT),
    (ServerError, TRANSIENT),
    (EndpointUnreachable, TRANSIENT),
    (ConnectionLost, TRANSIENT),
    (CallTimeout, TRANSIENT),
    (BadResponse, TRANSIENT),
)
"""What is tried again, besides cancelled transactions. Everything else is not: a full pool needs the caller's judgement."""

_NO_REASON: Final = "None"  # the code of an operation that had no part in the cancellation
_REASON_RULES: Final[Mapping[str, Rule]] = {
    "ProvisionedThroughputExceeded": THROTTLE,
    "ThrottlingError": THROTTLE,
    "TransactionConflict": BUSY,
}


def cancellation_rule(reasons: Sequence[Mapping[str, Any]]) -> Rule | None:
    """How a cancelled transaction is tried again: nothing of it was applied, so what counts is whether it can succeed.

    Args:
        reasons: one for each operation, with its ``Code``; ``None`` is the code of those without a part in it.

    Returns:
        The rule; ``None`` where a reason is one that stays (a failed condition, an invalid value …), or there is none.
    """
    codes = {str(reason.get("Code", "")) for reason in reasons} - {_NO_REASON}
    rules = [_REASON_RULES.get(code) for code in codes]
    if not rules or None in rules:
        return None
    return THROTTLE if THROTTLE in rules else BUSY


def rule_of(error: CallError) -> Rule | None:
    """How a failure is tried again; ``None`` where it is not."""
    if isinstance(error, TransactionCancelled):
        return cancellation_rule(error.reasons)
    return next((rule for kind, rule in RULES if isinstance(error, kind)), None)


def is_contention(error: CallError) -> bool:
    """Whether somebody else held the item; such failures are counted apart from all others."""
    rule = rule_of(error)
    return rule is not None and rule.contention is not None


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
    """Whether the attempt that failed so may have changed the table all the same."""
    return isinstance(error, ServerError) or (isinstance(error, TransportError) and error.sent)


def decide(
    policy: RetryPolicy,
    quota: RetryQuota,
    *,
    harmless: bool,
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
        harmless: whether the request may be sent again although it may have been applied.
        error: how the attempt failed.
        attempt: which failure of the call it was, from 1; contention and all other failures are counted apart.
        remaining: seconds left for the call.
        random: a number from 0 up to 1, each time another.
        retry_after: the pause in seconds that the answer asked for.

    Returns:
        ``Delay`` or ``Stop``.
    """
    if may_have_been_applied(error) and not harmless:
        return Stop(StopReason.OUTCOME_UNKNOWN)
    rule = rule_of(error)
    if rule is None:
        return Stop(StopReason.NOT_RETRYABLE)
    attempts, base, cap = _bounds(policy, rule)
    if attempt >= attempts:
        return Stop(StopReason.ATTEMPTS)
    seconds = max(full_jitter(attempt, random, base=base, cap=cap), retry_after or 0.0)
    if seconds >= remaining:
        return Stop(StopReason.DEADLINE)
    if not quota.take(rule.cost):
        return Stop(StopReason.QUOTA)
    return Delay(seconds, rule.cost)


def _bounds(policy: RetryPolicy, rule: Rule) -> tuple[int, float, float]:
    """Attempts at most, the first pause and the longest one."""
    if rule.contention is not None:
        return rule.contention.attempts, rule.contention.base, rule.contention.cap
    return policy.attempts, policy.throttle_base if rule.throttled else policy.base, policy.cap
