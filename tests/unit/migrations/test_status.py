"""What is told of migrations."""

from __future__ import annotations

import json

import pytest

from dynamorm_async.leases import LeaseRecord
from dynamorm_async.migrations.history import Entry, entries_of
from dynamorm_async.migrations.record import StepRecord
from dynamorm_async.migrations.status import Progress, statuses, tell
from tests.unit.migrations.making import AT, file, record

pytestmark = pytest.mark.anyio


def lease(owner: str | None, token: int) -> LeaseRecord:
    return LeaseRecord(pk="lease#migrations/main", owner=owner, token=token)


@pytest.mark.parametrize(
    ("held", "state"),
    [
        (lease("me", 7), "running"),
        (lease(None, 7), "interrupted"),
        (lease("me", 8), "interrupted"),
        (None, "interrupted"),
    ],
)
def test_what_runs_holds_the_lease(held: LeaseRecord | None, state: str) -> None:
    """One that was begun runs as long as its own holder has the lease; else it was interrupted."""
    entries = entries_of([file(1)], {1: record(1, state="running", token=7)})
    assert [one.state for one in statuses(entries, held)] == [state]


def test_each_state_is_told() -> None:
    """A line for people says all that is special of a migration."""
    steps = [StepRecord(name="copy", finished=AT)]
    entries = entries_of(
        [file(1), file(2), file(4), file(5)],
        {
            1: record(1, text="other"),
            2: record(2, stamped=True),
            3: record(3),
            4: record(4, state="failed", direction="down", error="ValueError: no", steps=steps, started=AT),
        },
    )
    found = statuses(entries, None)
    assert [str(one) for one in found] == [
        "0001_change: applied (changed since)",
        "0002_change: applied (stamped)",
        "0003_change: applied (its file is missing)",
        "0004_change: failed (down, 1 step done): ValueError: no",
        "0005_change: pending",
    ]
    told = json.loads(json.dumps([one.as_dict() for one in found]))
    assert (told[3]["steps"], told[3]["started"], told[3]["finished"]) == (["copy"], "2026-01-01T00:00:00+00:00", None)


def test_an_entry_has_the_name_of_its_file() -> None:
    """And without one, that of its record."""
    assert Entry(number=1, file=file(1), record=record(1, name="before")).name == "0001_change"
    assert Entry(number=1, record=record(1, name="before")).name == "0001_before"


@pytest.mark.parametrize(
    ("event", "step", "detail", "line"),
    [
        ("began", None, None, "[1/2] 0001_a: began"),
        ("step", "copy", None, "[1/2] 0001_a, step 'copy': done"),
        ("skipped", "copy", None, "[1/2] 0001_a, step 'copy': done before"),
        ("working", None, "half way", "[1/2] 0001_a: half way"),
        ("failed", "copy", KeyError("x"), "[1/2] 0001_a, step 'copy': failed: KeyError: 'x'"),
    ],
)
async def test_progress_is_a_line(event: str, step: str | None, detail: object, line: str) -> None:
    """Told to sync and async functions alike, and to nobody."""
    progress = Progress(
        number=1,
        name="0001_a",
        direction="up",
        event=event,  # type: ignore[arg-type]  # one of them, as the parameters say
        step=step,
        detail=detail,
        position=1,
        total=2,
    )
    told: list[str] = []

    async def later(one: Progress) -> None:
        told.append(str(one))

    await tell(lambda one: told.append(str(one)), progress)
    await tell(later, progress)
    await tell(None, progress)
    assert told == [line, line]
