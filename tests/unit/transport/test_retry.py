from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.errors import (
    AccessDenied,
    BadResponse,
    CallError,
    CallTimeout,
    ConditionFailed,
    ConnectionLost,
    EndpointUnreachable,
    LimitExceeded,
    PoolTimeout,
    RequestRejected,
    ServerError,
    Throttled,
    TransactionCancelled,
    TransactionConflict,
    TransactionInProgress,
    TransientConflict,
    TransportError,
    ValidationFailed,
)
from dynamorm_async.transport.retry import (
    Delay,
    RetryPolicy,
    RetryQuota,
    Stop,
    StopReason,
    cancellation_rule,
    decide,
    full_jitter,
    is_contention,
)

POLICY = RetryPolicy()


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def failure(kind: type[CallError], *, sent: bool = False) -> CallError:
    if issubclass(kind, TransportError):
        return kind("m", operation="PutItem", sent=sent)
    return kind("m", operation="PutItem")


def verdict(
    error: CallError,
    *,
    repeatable: bool = True,
    attempt: int = 1,
    remaining: float = 60.0,
    random: float = 1.0,
    quota: RetryQuota | None = None,
    retry_after: float | None = None,
) -> Delay | Stop:
    return decide(
        POLICY,
        quota or RetryQuota(Clock()),
        harmless=repeatable,
        error=error,
        attempt=attempt,
        remaining=remaining,
        random=lambda: random,
        retry_after=retry_after,
    )


UNKNOWN = Stop(StopReason.OUTCOME_UNKNOWN)
NEVER = Stop(StopReason.NOT_RETRYABLE)
SOON = Delay(0.025, 14)
LATER = Delay(0.1, 5)
BUSY = Delay(0.05, 0)
UNDER_WAY = Delay(0.25, 0)


@pytest.mark.parametrize(
    ("kind", "sent", "repeatable", "otherwise"),
    [
        (Throttled, False, LATER, LATER),
        (TransientConflict, False, SOON, SOON),
        (EndpointUnreachable, False, SOON, SOON),
        (ConnectionLost, False, SOON, SOON),
        (CallTimeout, False, SOON, SOON),
        (ConnectionLost, True, SOON, UNKNOWN),
        (CallTimeout, True, SOON, UNKNOWN),
        (BadResponse, True, SOON, UNKNOWN),
        (ServerError, True, SOON, UNKNOWN),
        (PoolTimeout, False, NEVER, NEVER),
        (LimitExceeded, False, NEVER, NEVER),
        (TransactionConflict, False, BUSY, BUSY),
        (TransactionInProgress, False, UNDER_WAY, UNDER_WAY),
        (TransactionCancelled, False, NEVER, NEVER),
        (ConditionFailed, False, NEVER, NEVER),
        (ValidationFailed, False, NEVER, NEVER),
        (AccessDenied, False, NEVER, NEVER),
        (RequestRejected, False, NEVER, NEVER),
    ],
)
def test_the_table(*, kind: type[CallError], sent: bool, repeatable: Delay | Stop, otherwise: Delay | Stop) -> None:
    """What is tried again: refusals that did nothing, always; what may have been applied, only if repeatable."""
    assert verdict(failure(kind, sent=sent)) == repeatable
    assert verdict(failure(kind, sent=sent), repeatable=False) == otherwise


def cancelled(*codes: str) -> TransactionCancelled:
    error = TransactionCancelled("cancelled", operation="TransactWriteItems")
    error.reasons = [{"Code": code} for code in codes]
    return error


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (["TransactionConflict"], BUSY),
        (["None", "TransactionConflict", "None"], BUSY),
        (["TransactionConflict", "TransactionConflict"], BUSY),
        (["ThrottlingError", "None"], LATER),
        (["None", "ProvisionedThroughputExceeded"], LATER),
        (["TransactionConflict", "ThrottlingError"], LATER),
        (["TransactionConflict", "ConditionalCheckFailed"], NEVER),
        (["ConditionalCheckFailed", "None"], NEVER),
        (["TransactionConflict", "ValidationError"], NEVER),
        (["ThrottlingError", "ItemCollectionSizeLimitExceeded"], NEVER),
        (["TransactionConflict", "DuplicateItem"], NEVER),
        (["TransactionConflict", "SomethingNew"], NEVER),
        (["None", "None"], NEVER),
        ([], NEVER),
    ],
)
def test_cancelled_transactions(codes: list[str], expected: Delay | Stop) -> None:
    """A transaction is tried again where every reason passes with time; "None" is no reason (flaw D13)."""
    for repeatable in (True, False):  # nothing was applied, so this does not matter
        assert verdict(cancelled(*codes), repeatable=repeatable) == expected
    assert is_contention(cancelled(*codes)) == (expected == BUSY)


@pytest.mark.parametrize("reason", [{}, {"Message": "?"}, {"Code": ""}, {"Code": 3}])
def test_a_reason_that_says_nothing_is_not_tried_again(reason: Mapping[str, Any]) -> None:
    """What cannot be read is not taken for contention; a code of null is no reason, as "None" is."""
    assert cancellation_rule([{"Code": "TransactionConflict"}, reason]) is None
    assert cancellation_rule([{"Code": "TransactionConflict"}, {"Code": None}]) is not None


def test_contention_has_attempts_and_pauses_of_its_own() -> None:
    """Twelve failures at most, pauses that double up to one second, whatever the policy is for failures."""
    conflict = failure(TransactionConflict)
    pauses = [verdict(conflict, attempt=attempt) for attempt in range(1, 12)]
    assert pauses == [Delay(min(1.0, 0.05 * 2**n), 0) for n in range(11)]
    assert verdict(conflict, attempt=12) == Stop(StopReason.ATTEMPTS)
    assert verdict(failure(TransactionInProgress), attempt=11) == Delay(2.0, 0)
    assert verdict(conflict, attempt=11, remaining=0.9) == Stop(StopReason.DEADLINE)


def test_a_transaction_under_way_is_asked_for_after_five_seconds() -> None:
    """DynamoDB takes it up 5 s after its first attempt: the mean pauses of eight retries reach that, within 10 s."""
    pauses = [verdict(failure(TransactionInProgress), attempt=n, random=0.5) for n in range(1, 9)]
    total = sum(pause.seconds for pause in pauses if isinstance(pause, Delay))
    assert 5 < total < 10


def test_contention_costs_no_tokens() -> None:
    """A busy item is retried while an outage has used up the quota, and takes nothing from it."""
    quota = RetryQuota(Clock())
    while verdict(failure(ConnectionLost), quota=quota) == SOON:
        pass
    left = quota.tokens
    assert verdict(failure(TransactionConflict), quota=quota) == BUSY
    assert quota.tokens == left


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 0.1), (2, 0.2), (3, 0.4)])
def test_pauses_double(attempt: int, seconds: float) -> None:
    """The longest pause doubles with each attempt."""
    assert verdict(failure(Throttled), attempt=attempt) == Delay(seconds, 5)


def test_attempts_are_bounded() -> None:
    """The fourth failure is the last."""
    assert verdict(failure(Throttled), attempt=4) == Stop(StopReason.ATTEMPTS)


@given(attempt=st.integers(1, 1000), random=st.floats(0, 1, exclude_max=True))
def test_pauses_stay_under_the_cap(attempt: int, random: float) -> None:
    """However many attempts a policy allows, a pause is a random part of at most the cap."""
    result = decide(
        RetryPolicy(attempts=1001),
        RetryQuota(Clock()),
        harmless=True,
        error=failure(Throttled),
        attempt=attempt,
        remaining=60.0,
        random=lambda: random,
    )
    assert result == Delay(random * min(20.0, 0.1 * 2 ** (attempt - 1)), 5)


def test_the_services_own_pause_is_kept() -> None:
    """A pause that DynamoDB asks for is the least; our own is taken where it is longer."""
    assert verdict(failure(Throttled), retry_after=2.0) == Delay(2.0, 5)
    assert verdict(failure(Throttled), retry_after=0.01) == LATER


def test_a_pause_over_the_deadline_is_not_begun() -> None:
    """A retry whose pause does not fit into what is left of the call is not paid for and not made."""
    quota = RetryQuota(Clock())
    assert verdict(failure(Throttled), remaining=0.1, quota=quota) == Stop(StopReason.DEADLINE)
    assert verdict(failure(Throttled), remaining=1.0, retry_after=9.0, quota=quota) == Stop(StopReason.DEADLINE)
    assert verdict(failure(Throttled), remaining=-1.0, random=0.0, quota=quota) == Stop(StopReason.DEADLINE)
    assert quota.tokens == 500


def test_the_quota_ends_retry_storms_and_comes_back() -> None:
    """500 tokens pay for 35 transient retries; then time and successes bring retries back, never over 500."""
    clock = Clock()
    quota = RetryQuota(clock)
    error = failure(ConnectionLost)
    paid = 0
    while verdict(error, quota=quota) == SOON:
        paid += 1
    assert (paid, quota.tokens) == (35, 10)
    assert verdict(error, quota=quota) == Stop(StopReason.QUOTA)
    clock.now += 1.0  # 5 tokens
    assert verdict(error, quota=quota) == SOON
    assert quota.tokens == 1
    quota.give(14)
    assert verdict(error, quota=quota) == SOON
    clock.now += 1000.0
    assert verdict(error, quota=quota) == SOON
    assert quota.tokens == 486
    quota.give(14)
    quota.give(1)
    assert quota.tokens == 500


def test_a_clock_that_goes_back_costs_nothing() -> None:
    """Time that runs backwards takes no tokens away."""
    clock = Clock()
    quota = RetryQuota(clock)
    clock.now -= 50.0
    assert quota.take(5)
    assert quota.tokens == 495


def test_full_jitter() -> None:
    """A random part of the base, doubled with each turn, at most the cap; however late the turn."""
    assert [full_jitter(turn, lambda: 1.0, base=0.05, cap=0.3) for turn in (1, 2, 3, 4, 5000)] == [
        0.05,
        0.1,
        0.2,
        0.3,
        0.3,
    ]
    assert full_jitter(3, lambda: 0.25, base=0.1, cap=5.0) == 0.1
