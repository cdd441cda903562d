"""Many callers of ``modify`` on one item at once: every change counts, once."""

from __future__ import annotations

import itertools

import anyio
import pytest

from dynamorm_async import Database, Key, Timeouts
from tests.contract.models import PREFIX, Document, unique
from tests.engines import LANES, Lane

pytestmark = pytest.mark.anyio

# moto's server runs its requests in threads and has no isolation: a conditional write there may overtake another one.
TARGETS = list(itertools.product(("dynoxide", "dynamodb-local"), LANES))
# One engine and lane bears the full load; the others show that it holds there too.
CALLERS = {("dynamodb-local", "direct"): 200}
FEW = 20
# A busy machine makes the engine slow, not the result wrong.
PATIENT = Timeouts(call=60.0, read=60.0, pool=60.0)


@pytest.mark.parametrize("target", TARGETS, ids="-".join, indirect=True)
async def test_no_update_is_lost(store: Database, endpoint: str, engine: str, lane: Lane) -> None:
    """All calls get through with the default attempts, and the table has each change and each version."""
    callers = CALLERS.get((engine, lane), FEW)
    document = await store.create(Document(doc_id=unique()))
    key = Key(Document, document.doc_id)
    attempts = 0

    def add(item: Document) -> None:
        nonlocal attempts
        attempts += 1
        item.words += 1

    async with (
        Database(
            endpoint=endpoint,
            region="eu-west-1",
            credentials=("test", "test"),
            lane=lane,
            pool_size=20,
            timeouts=PATIENT,
            table_prefix=PREFIX,
        ) as db,
        anyio.create_task_group() as group,
    ):
        for _ in range(callers):
            group.start_soon(db.modify, key, add)
    found = await store.get(key, consistent=True)
    assert found is not None
    assert (found.words, found.revision) == (callers, callers + 1)
    assert attempts > callers, "there were conflicts"
