"""Three processes share a backfill, one is killed in the middle, and others write the same items meanwhile.

``python -m tests.contract.backfill_check --items 50000 --engine dynoxide`` does it with as many items as the project promises it for
(``make backfill-check``); the contract tests do it with fewer, on each engine.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import uuid
from collections import Counter

import anyio
import anyio.abc

from dynamorm_async import Database, Key
from tests.contract.backfill_models import Person, everybody, people
from tests.contract.backfill_worker import shared
from tests.engines import Lane, dynamodb_local, dynoxide

SEGMENTS = 12
WRITERS = 2
ENGINES = {"dynoxide": dynoxide, "dynamodb-local": dynamodb_local}


async def check(endpoint: str, lane: Lane, *, items: int) -> str:
    """Do it, and make sure that every item was changed once, and every other change kept.

    Args:
        endpoint: of the engine.
        lane: the lane of all processes.
        items: how many items.

    Returns:
        What was done, for people.
    """
    prefix = f"t{uuid.uuid4().hex[:12]}-"
    written: Counter[str] = Counter()
    results: list[int] = []
    async with Database(
        endpoint=endpoint, region="eu-west-1", credentials=("test", "test"), lane=lane, table_prefix=prefix
    ) as db:
        await people(db, items)
        began = time.monotonic()
        async with anyio.create_task_group() as writers:
            for _ in range(WRITERS):
                writers.start_soon(write, db, items, written)
            results += await processes(db, endpoint, lane, prefix, items)
            writers.cancel_scope.cancel()
        seconds = time.monotonic() - began
        found = await everybody(db)
    assert len(found) == items
    assert [person for person in found.values() if (person.changes, person.done_by) != (1, "names")] == []
    # A write that was cancelled with its task may have been applied: at most one for each writer.
    lost = [person for person in found.values() if person.by_others < written[person.person_id]]
    assert lost == []
    assert sum(person.by_others for person in found.values()) <= written.total() + WRITERS
    assert results == [items, items]
    return f"{items:,} items and {written.total():,} writes of others in {seconds:.1f} s"


async def write(db: Database, items: int, written: Counter[str]) -> None:
    """Count on items at random, until cancelled."""
    draw = random.Random(8)  # noqa: S311 - no secret
    while True:
        person_id = f"p{draw.randrange(items)}"
        await db.update(Key(Person, person_id), Person.by_others.add(1), returns="none")
        written[person_id] += 1


async def processes(db: Database, endpoint: str, lane: Lane, prefix: str, items: int) -> list[int]:
    """Start three processes, and kill one that is stuck when a third is done; what the others say in the end."""
    job = shared(db, SEGMENTS)

    def command(stuck_after: int) -> list[str]:
        words = (endpoint, lane, prefix, str(SEGMENTS), str(stuck_after))
        return [sys.executable, "-m", "tests.contract.backfill_worker", *words]

    async with (
        await anyio.open_process(command(items // 10), stderr=None) as victim,
        await anyio.open_process(command(0), stderr=None) as one,
        await anyio.open_process(command(0), stderr=None) as other,
    ):
        assert await said(victim) == "stuck"
        while (status := await job.status()).changed < items / 3:
            assert not status.finished
        assert not status.finished
        victim.kill()
        results = [int(await said(process)) for process in (one, other)]
        assert [await process.wait() for process in (one, other)] == [0, 0]
        assert await victim.wait() != 0
    return results


async def said(process: anyio.abc.Process) -> str:
    """All that a process prints up to the end of a line."""
    assert process.stdout is not None
    text = b""
    while not text.endswith(b"\n"):
        text += await process.stdout.receive()
    return text.decode().strip()


def main() -> None:
    parser = argparse.ArgumentParser(description="share a backfill between three processes and kill one")
    parser.add_argument("--items", type=int, default=50_000)
    parser.add_argument("--engine", choices=ENGINES, default="dynoxide")
    chosen = parser.parse_args()
    items: int = chosen.items
    with ENGINES[chosen.engine]() as endpoint:
        sys.stdout.write(anyio.run(lambda: check(endpoint, "direct", items=items)) + "\n")


if __name__ == "__main__":
    main()
