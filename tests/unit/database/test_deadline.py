"""The time of a whole call."""

from __future__ import annotations

import pytest

from dynamorm_async import CallTimeout
from dynamorm_async.database.deadline import Deadline
from dynamorm_async.types import Request

GET = Request(operation="GetItem", body={}, table="users")


def test_each_request_has_what_is_left() -> None:
    """And none is sent once it has passed; the error names the request, and has the time that the call had."""
    now = [100.0]
    deadline = Deadline(3.0, clock=lambda: now[0])
    assert deadline.left(GET) == 3.0
    now[0] += 2.5
    assert deadline.left(GET) == 0.5
    now[0] += 0.5
    with pytest.raises(CallTimeout, match="the call's 3 s are over before this request was answered") as caught:
        deadline.left(GET)
    assert (caught.value.operation, caught.value.table, caught.value.sent) == ("GetItem", "users", False)


def test_a_pause_has_to_end_before_it() -> None:
    """So that the request after it can be sent."""
    deadline = Deadline(3.0, clock=lambda: 100.0)
    assert (deadline.fits(2.9), deadline.fits(3.0)) == (True, False)


def test_without_a_timeout_there_is_no_bound() -> None:
    """Each request has the database's own."""
    deadline = Deadline(None)
    assert deadline.left(GET) is None
    assert deadline.fits(1e9)


def test_not_a_number_is_no_time() -> None:
    """It compares with nothing, and must not become a call without a bound."""
    with pytest.raises(CallTimeout, match="the call's nan s are over"):
        Deadline(float("nan")).left(GET)
