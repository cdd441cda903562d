"""The soak finds what leaks, is lost or doubled; a short one finds nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dynamorm_async import OutcomeUnknown, Throttled
from tests.faults.soak import Report, Sample, run_soak
from tests.faults.soak_worker import Bounds

STILL = Sample(seconds=0, operations=0, memory=100, sockets=3, files=5, tasks=1)


def report(**last: int) -> Report:
    """A soak that ended as it began, but for this."""
    found = Report(1, STILL, samples=[STILL, replace(STILL, **last)], after=STILL)
    found.tally.check(fits=True, text="")
    return found


def test_a_soak_that_ends_as_it_began() -> None:
    """Five percent of memory are allowed, and fewer or more kept connections."""
    assert report().misses() == []
    assert report(memory=105, sockets=60).misses() == []


@pytest.mark.parametrize(
    "last", [{"memory": 106}, {"files": 6}, {"sockets": 204}, {"tasks": 2}, {"leased": 1}, {"waiting": 1}]
)
def test_what_grows_is_a_miss(last: dict[str, int]) -> None:
    """Memory, files, sockets beyond the pools, tasks, and connections that nobody uses."""
    assert len(report(**last).misses()) == 1


@pytest.mark.parametrize("after", [{"files": 6}, {"sockets": 4}, {"tasks": 2}])
def test_what_stays_open_is_a_miss(after: dict[str, int]) -> None:
    """What a closed database leaves behind."""
    found = report()
    found.after = replace(STILL, **after)
    assert len(found.misses()) == 1


def test_a_contradiction_is_a_miss() -> None:
    """A worker found what it was not told."""
    found = report()
    found.tally.check(fits=False, text="counter a is 2")
    assert found.misses() == ["1 contradictions between what was told and what is there"]


def test_what_a_counter_can_be() -> None:
    """Acknowledged once, failed never, unknown once or never: until the read after the next."""
    bounds = Bounds()
    bounds.told(None)
    bounds.told(Throttled("too fast", operation="UpdateItem"))
    assert not replace(bounds).seen(0)
    assert not replace(bounds).seen(2)
    assert bounds.seen(1)
    bounds.told(OutcomeUnknown("lost", operation="UpdateItem"))
    assert replace(bounds).seen(2)
    assert bounds.seen(1)
    assert replace(bounds).seen(2)  # it came late
    assert bounds.seen(1)
    assert not bounds.seen(2)  # two reads have not seen it: it was never applied


def test_a_short_soak_finds_nothing() -> None:
    """Some seconds of all operations on both lanes, the proxy apart: nothing lost, doubled, leaked or left."""
    found = run_soak(0.05, seed=15, tasks=20)
    assert found.tally.wrong == []  # first, as it says what contradicts what
    assert [miss for miss in found.misses() if "memory" not in miss] == []  # it grows while modules are imported
    assert len(found.tally.operations) == 10
    assert found.requests > found.faults > 0
