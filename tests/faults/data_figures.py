"""The figures of generated programs, round trips and cursors for the scoreboard."""

from __future__ import annotations

import asyncio
import io
import logging
import traceback
from collections.abc import Generator
from contextlib import contextmanager

from dynamorm_async import quiet_sdk_logging
from tests.canaries import KEYS, shows
from tests.differential.long_run import run, send_values
from tests.engines import LANES
from tests.faults.figure import ENGINES, Context, Result
from tests.faults.raw_store import raw_client
from tests.property.cursor_attack import attack
from tests.unit.security.exposure import ALL, ANSWERS, ITEM, exposure
from tests.unit.security.peer import Peer
from tests.unit.transport.scripted_server import serving

PROCESSES = 2
_SHOWN = 3


def differences(context: Context) -> Result:
    """Figure 10."""
    endpoints = {name: context.engine(name) for name in ENGINES}
    programs = context.size(20_000, 50)
    report = run(endpoints, seed=context.seed, programs=programs, processes=context.size(PROCESSES, 1))
    return Result(
        met=not report.differing,
        ours=f"{report.differing} of {programs:,} programs",
        counts=", ".join(f"{name} {count:,}" for name, count in sorted(report.tally.items())),
        wrong=report.scripts[:_SHOWN],
    )


def round_trips(context: Context) -> Result:
    """Figure 12."""
    found = send_values(context.size(1_000_000, 2000), seed=context.seed, processes=context.size(PROCESSES, 1))
    return Result(met=not found.losses, ours=f"{found.losses} of {found.values:,} values")


def cursors(context: Context) -> Result:
    """Figure 14, the second part."""
    found = attack(context.size(100_000, 2000), seed=context.seed)
    tried = sum(found.tried.values())
    wrong = (*found.accepted, *found.crashed, *found.plaintext_hits)
    return Result(
        met=not wrong,
        ours=f"{len(found.accepted)} of {tried:,}",
        counts=f"{len(found.crashed)} crashes, {len(found.plaintext_hits)} plaintexts in {found.cursors} sealed cursors",
        wrong=wrong[:_SHOWN],
    )


def canaries(_: Context) -> Result:
    """Figure 13: errors, traces, reprs and our logs at DEBUG; of raw aiobotocore errors and its logs at DEBUG."""
    with _debug_log() as log:
        quiet_sdk_logging()
        shown = "\n".join(asyncio.run(exposure(lane)) for lane in LANES) + log.getvalue()
    hits = [line for line in shown.splitlines() if shows(line, ALL)]
    with _debug_log() as raw_log:
        raw = asyncio.run(_raw_exposure()) + raw_log.getvalue()
    raw_hits = sum(shows(line, ALL) for line in raw.splitlines())
    return Result(
        met=not hits,
        ours=f"{len(hits)} of {len(shown.splitlines()):,} lines",
        control=f"{raw_hits} of {len(raw.splitlines()):,} lines",
        counts="the suite's own output is searched in every run of it",
        wrong=tuple(hits[:_SHOWN]),
    )


@contextmanager
def _debug_log() -> Generator[io.StringIO]:
    """What every logger says at DEBUG."""
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    levels = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        for name in list(logging.root.manager.loggerDict):
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))


async def _raw_exposure() -> str:
    shown: list[str] = []
    peer = Peer(close=True)
    async with serving(peer) as port:
        endpoint = f"http://127.0.0.1:{port}"
        async with raw_client(endpoint, keys=KEYS, connect_timeout=1, read_timeout=1) as client:
            for bytes_ in ANSWERS.values():
                peer.parts = [bytes_]
                try:
                    await client.put_item(TableName="users", Item={"id": {"S": "1"}, "note": {"S": ITEM}})
                except Exception as error:  # noqa: BLE001 - whatever it shows
                    shown += [
                        str(error),
                        repr(error),
                        repr(getattr(error, "response", "")),
                        *traceback.format_exception(error),
                    ]
    return "\n".join(shown)
