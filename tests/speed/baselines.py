"""The counts that are expected, by version of Python, and what is said of others."""

from __future__ import annotations

import asyncio
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from dynamorm_async.model.spec import spec_of
from tests.speed.counting import Calls, calls_of, kept_by
from tests.speed.workloads import ITEMS, User, canned_database, operations, page

PATH: Final = Path(__file__).with_name("baselines.json")
VERSION: Final = f"{sys.version_info.major}.{sys.version_info.minor}"
BLOCKS: Final = "blocks of memory of a decoded item"

_TOLERANCE: Final = 0.01
_SLACK: Final = 1
"""So many calls, or blocks, more or less are no difference; of large counts a hundredth."""

Counts = dict[str, int]


async def measured_calls() -> dict[str, Calls]:
    """Every operation's calls, by function."""
    async with canned_database() as db:
        return {name: await calls_of(operation) for name, operation in operations(db).items()}


def measured() -> Counts:
    """Every count, by what is counted."""
    counts: Counts = {}
    for name, calls in asyncio.run(measured_calls(), debug=False).items():
        in_c = sum(count for function, count in calls.items() if function.startswith("C:"))
        counts[f"{name}: Python calls"] = calls.total() - in_c
        counts[f"{name}: C calls"] = in_c
    pages, decode = {size: page(size) for size in (ITEMS, 2 * ITEMS)}, spec_of(User).codec.decode_page
    counts[BLOCKS] = kept_by(lambda size: decode(pages[size]), ITEMS)
    return counts


def stored() -> dict[str, Counts]:
    """The baselines, by version."""
    return msgspec.json.decode(PATH.read_bytes(), type=dict[str, Counts])


def store(counts: Mapping[str, int]) -> None:
    """Write down the counts of this version."""
    every = stored() | {VERSION: dict(counts)}
    text = msgspec.json.format(msgspec.json.encode(every, order="sorted"), indent=2)
    PATH.write_bytes(text + b"\n")


def differences(baseline: Mapping[str, int], counts: Mapping[str, int]) -> list[str]:
    """What is not as written down, each as a line that says which count, by how much, and what to do."""
    lines: list[str] = []
    for name in sorted({*baseline, *counts}):
        expected, found = baseline.get(name), counts.get(name)
        if expected is None or found is None:
            lines.append(f"{name}: {'is not counted any more' if found is None else f'{found}, and has no baseline'}")
        elif abs(found - expected) > max(_SLACK, expected * _TOLERANCE):
            change = found - expected
            lines.append(f"{name}: {found} instead of {expected}, {change:+} ({change / max(expected, 1):+.1%})")
    return lines


def verdict(counts: Mapping[str, int]) -> str:
    """What is wrong with the counts of this version; empty where nothing is."""
    baseline = stored().get(VERSION)
    if baseline is None:
        return f"Python {VERSION} has no baselines: `make baselines` with this version writes them down"
    lines = differences(baseline, counts)
    if not lines:
        return ""
    return (
        f"the hot paths are not as tests/speed/baselines.json has them for Python {VERSION}:\n  "
        + "\n  ".join(lines)
        + "\nMore: find out why, `python -m tests.speed --show get` lists the calls. Where it is meant, or fewer, which the "
        "next change would lose unseen: write it down with `make baselines`, for each version of Python that has some."
    )


def listed(calls: Counter[str]) -> str:
    """The calls of an operation, the most frequent first."""
    return "\n".join(f"{count:6} {name}" for name, count in sorted(calls.items(), key=lambda pair: (-pair[1], pair[0])))
