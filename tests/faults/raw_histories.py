"""The control of figure 11: the same histories of counters and creations through raw aiobotocore, which must be found wrong."""

from __future__ import annotations

import uuid
from random import Random

import anyio

from tests.faults.histories import AT_ONCE, RATES, Figures, counter_history, create_history, dice_of
from tests.faults.history import History
from tests.faults.proxy import fault_proxy
from tests.faults.raw_store import RawStore, raw_client
from tests.faults.scripts import Script, seeded
from tests.faults.stores import MODELS, PATIENT, connect

KINDS = {"counter": counter_history, "create": create_history}


async def run_raw_histories(count: int, seed: int, *, engine: str, script: Script | None = None) -> Figures:
    """Run counters and creations in turn; the pauses between attempts are aiobotocore's own, and real.

    Args:
        count: how many histories.
        seed: of everything that is drawn.
        engine: the endpoint of a real engine.
        script: which fault a call meets; by default drawn as for ours.
    """
    figures = Figures(seed)
    random = Random(seed)  # noqa: S311 - dice that fall the same way again
    script = script or seeded(dice_of(random), RATES)
    async with (
        fault_proxy(engine, script, remember=1000) as proxy,
        connect(engine, "direct", timeouts=PATIENT) as plain,
        raw_client(proxy.endpoint) as client,
    ):
        await plain.tables.ensure(*MODELS)
        room = anyio.CapacityLimiter(4 * AT_ONCE)  # they mostly wait

        async def one(kind: str, dice: Random) -> None:
            async with room:
                history = History(uuid.uuid4().hex, kind)
                await KINDS[kind](history, RawStore(client), plain, dice, dice.randint(4, 8))
                figures.add(history)

        async with anyio.create_task_group() as group:
            for number in range(count):
                group.start_soon(one, list(KINDS)[number % 2], dice_of(random))
        figures.requests, figures.faults = proxy.calls, proxy.played.total()
    return figures
