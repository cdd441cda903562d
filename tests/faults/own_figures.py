"""The figures of histories, storms and soaks for the scoreboard."""

from __future__ import annotations

import asyncio

from tests.faults.figure import Context, Result
from tests.faults.histories import run_histories
from tests.faults.raw_histories import run_raw_histories
from tests.faults.soak import run_soak
from tests.faults.storm import RATE, amplification, outage, raw_amplification, raw_outage

AMPLIFIED = 1.5  # requests for a call, at most
_SHOWN = 3


def histories(context: Context) -> Result:
    """Figure 11."""
    engine = context.engine("dynoxide")
    ours = asyncio.run(run_histories(context.size(1050, 14), context.seed, engine=engine))
    raw = asyncio.run(run_raw_histories(context.size(60, 10), context.seed, engine=engine))
    number = ours.histories.total()
    told = ", ".join(f"{count:,} {outcome}" for outcome, count in sorted(ours.outcomes.items()))
    return Result(
        met=not ours.violated and number - ours.undecided >= context.size(1000, 14),
        ours=f"{ours.violated} of {number:,} histories",
        control=f"{raw.violated} of {raw.histories.total()} (counters and creations)",
        counts=f"{ours.requests:,} requests, {ours.faults / ours.requests:.0%} with a fault; writes: {told}",
        skipped=f"{ours.undecided} histories with too many orders to look at" if ours.undecided else "",
        wrong=tuple(ours.violations[:_SHOWN]),
    )


def retries(context: Context) -> Result:
    """Figure 9, first half: requests for a call at 30 % throttle."""
    ours = asyncio.run(amplification(context.size(3000, 300), context.seed))
    raw = asyncio.run(raw_amplification(context.size(300, 20), context.seed))
    return Result(
        met=ours.amplification <= AMPLIFIED,
        ours=f"{ours.amplification:.2f}",
        control=f"{raw.amplification:.2f}",
        counts=f"{ours.calls:,} calls, of which {ours.failed} failed; raw {raw.calls}, of which {raw.failed} failed",
    )


def recovery(context: Context) -> Result:
    """Figure 9, second half: calls that fail after an outage is over."""
    seconds = context.size(300, 20)
    ours = asyncio.run(outage(seconds, context.seed))
    raw = asyncio.run(raw_outage(context.size(300, 5), context.seed, after=context.size(300, 10)))
    return Result(
        met=ours.well.failed == 0,
        ours=f"{ours.well.failed} of {ours.well.calls}",
        control=f"{raw.well.failed} of {raw.well.calls}",
        counts=(
            f"{seconds} virtual s at {RATE:g} calls/s: {ours.during.amplification:.2f} requests a call. If every third attempt"
            f" goes on failing, {ours.shaky.given_up} give up early (raw: {raw.shaky.given_up} of {raw.shaky.calls})"
        ),
    )


def soaking(context: Context) -> Result:
    """Figure 15, in short; ``make soak`` takes its time. It runs an engine of its own."""
    minutes = context.size(5, 1) if not context.quick else 0.1
    report = run_soak(minutes, seed=context.seed, tasks=context.size(100, 20))
    misses = report.misses()
    return Result(
        met=not misses,
        ours=f"memory {report.growth:+.1%}, {len(misses)} misses",
        counts=(
            f"{minutes:g} min after the warm-up, {report.requests:,} requests, {report.faults:,} with a fault, "
            f"{report.tally.operations.total():,} operations"
        ),
        wrong=(*misses[:_SHOWN], *report.tally.wrong[:_SHOWN]),
    )
