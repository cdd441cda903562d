"""When a lease may be taken from who is gone."""

from __future__ import annotations

import pytest

from dynamorm_async.leases import LeaseRecord
from dynamorm_async.leases.watch import DRIFT, Watch, pause


def record(owner: str | None = "a", token: int = 1, revision: int = 1, duration: float = 10.0) -> LeaseRecord:
    return LeaseRecord(pk="lease#x", owner=owner, token=token, revision=revision, duration=duration)


def test_a_whole_duration_must_pass_without_a_change() -> None:
    """It counts from the first look, in the holder's own duration and a little more, whatever the record says of times."""
    watch, whole = Watch(), 10.0 * (1 + DRIFT)
    assert watch.see(record(), 100.0) == pytest.approx(whole)
    assert watch.see(record(), 104.0) == pytest.approx(whole - 4.0)
    assert watch.seconds(104.0) == 4.0
    assert watch.see(record(), 100.1 + whole) == 0.0
    assert watch.see(record(), 500.0) == 0.0


def test_any_change_begins_it_anew() -> None:
    """A renewal moves the revision; another holder has another name and token; each has its own duration."""
    watch = Watch()
    watch.see(record(), 0.0)
    assert watch.see(record(revision=2), 9.0) == pytest.approx(10.0 * (1 + DRIFT))
    assert watch.see(record(revision=2), 10.0) == pytest.approx(10.0 * (1 + DRIFT) - 1.0)
    assert watch.see(record(owner="b", token=2, revision=2, duration=20.0), 18.0) == pytest.approx(20.0 * (1 + DRIFT))
    assert watch.see(record(owner="b", token=3, revision=2, duration=20.0), 30.0) == pytest.approx(20.0 * (1 + DRIFT))


def test_what_is_free_may_be_taken_at_once() -> None:
    """Also after it was watched; who holds it later is watched from then on."""
    watch = Watch()
    watch.see(record(), 0.0)
    assert watch.see(record(owner=None, revision=2), 1.0) == 0.0
    assert watch.seconds(1.0) == 0.0
    assert watch.see(record(), 50.0) == pytest.approx(10.0 * (1 + DRIFT))


def test_looks_are_spread() -> None:
    """About one a second, and ten for each duration that is shorter than ten seconds."""
    assert (pause(60.0, 0.0), pause(60.0, 0.5), pause(10.0, 1.0)) == (0.5, 1.0, 1.5)
    assert pause(2.0, 0.5) == 0.2
