"""Deadlines hold whatever the other side does, by the clock of a virtual loop; `make scoreboard` measures them in real time."""

from __future__ import annotations

from tests.faults.deadlines import BOUND, TIMEOUT, control_measure, measure
from tests.faults.matrix import dice
from tests.faults.virtual import run

ALLOWED = 0.1


def test_no_call_outlives_its_timeout() -> None:
    """Drips, silence, floods, refusals for ever, full queues, held handshakes, hanging credentials and an exhausted pool."""
    found = run(measure(), random=dice(1))
    assert len(found) >= 30
    assert {name: seconds for name, seconds in found.items() if seconds > ALLOWED} == {}


def test_the_control_has_no_deadline() -> None:
    """Raw aiobotocore, with time-outs of the same length, waits for ever, or again at every attempt."""
    found = run(control_measure(), random=dice(1))
    for_ever = {"aiobotocore: drip", "aiobotocore: credentials that hang"}
    assert all(found[name] > BOUND - 2 * TIMEOUT for name in for_ever)
    again = {
        "aiobotocore: hang",
        "aiobotocore: stalled answer",
        "aiobotocore: blackhole",
        "aiobotocore: pool exhausted",
    }
    assert all(found[name] > TIMEOUT for name in again)
