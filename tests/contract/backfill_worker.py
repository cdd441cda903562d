"""One process of a shared backfill: ``python -m tests.contract.backfill_worker endpoint lane prefix segments stuck_after``.

It prints ``stuck`` once it has changed as many items as it is to, and hangs in the middle of a page from then on; in the end it
prints how many items were changed by all processes together.
"""

from __future__ import annotations

import sys

import anyio

from dynamorm_async import Database, Timeouts
from dynamorm_async.backfills import Backfill
from tests.contract.backfill_models import Person, full_name

NAME = "names"
DURATION = 2.0


def shared(db: Database, segments: int, *, stuck_after: int = 0) -> Backfill[Person]:
    """The backfill that all processes share; one may get stuck in it."""
    changed = 0

    async def change(person: Person) -> Person:
        nonlocal changed
        changed += 1
        if stuck_after and changed > stuck_after:
            if changed == stuck_after + 1:
                say("stuck")
            await anyio.sleep_forever()
        return full_name(person)

    return Backfill(
        db,
        Person,
        change,
        name=NAME,
        where=Person.name.not_exists(),
        marker=Person.done_by,
        segments=segments,
        workers=2,
        page_size=50,
        duration=DURATION,
    )


def say(what: object) -> None:
    """Tell the test, which reads line by line."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


async def main(*arguments: str) -> None:
    endpoint, lane, prefix, segments, stuck_after = arguments
    async with Database(
        endpoint=endpoint,
        region="eu-west-1",
        credentials=("test", "test"),
        lane="sdk" if lane == "sdk" else "direct",
        table_prefix=prefix,
        timeouts=Timeouts(call=60.0),  # three processes that start at once on a busy machine
    ) as db:
        result = await shared(db, int(segments), stuck_after=int(stuck_after)).run()
    say(result.changed)


if __name__ == "__main__":
    anyio.run(main, *sys.argv[1:])
