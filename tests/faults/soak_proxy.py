"""The fault proxy as a process of its own, so that what it needs is not counted with the client."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.catalogue import FAULTS
from tests.faults.proxy import fault_proxy
from tests.faults.scripts import seeded

LEFT_OUT: Final = frozenset({"oversized_before", "oversized_after", "endless_before", "endless_after"})
"""Answers of 20 MB and more: they are refused, but what they needed for a moment would be the memory that is measured."""
RARE: Final = 0.1
"""The part of faults that a caller waits for until a timeout ends it, beside the others."""

ROOT = Path(__file__).parent.parent.parent


async def serve(upstream: str, seed: int, share: float) -> None:
    """Serve until standard input ends; the first line on standard output is the address."""
    weights = {
        fault: RARE if fault.then in ("hold", "drip") else 1.0
        for fault in FAULTS
        if fault.at == "request" and fault.name not in LEFT_OUT
    }
    total = sum(weights.values())
    rates = {fault: share * weight / total for fault, weight in weights.items()}
    dice = Random(seed)  # noqa: S311 - dice that fall the same way again
    async with fault_proxy(upstream, seeded(dice, rates), remember=1000) as proxy:
        print(proxy.endpoint, flush=True)  # noqa: T201 - what the parent waits for
        await asyncio.to_thread(sys.stdin.read)
        print(f"{proxy.calls} {proxy.played.total()}", flush=True)  # noqa: T201 - as above


class ProxyProcess:
    """A running proxy.

    Attributes:
        endpoint: its address.
        requests: that it got; known when it has ended.
        faults: how many of them met a fault; known when it has ended.
    """

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.requests = 0
        self.faults = 0


@contextmanager
def proxy_process(upstream: str, *, seed: int, share: float) -> Generator[ProxyProcess]:
    """Run the proxy apart, with this share of faults; it is gone when the block ends.

    Raises:
        RuntimeError: it did not start, or found that the test itself failed.
    """
    command = [sys.executable, "-m", "tests.faults.soak_proxy", upstream, str(seed), str(share)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        endpoint = process.stdout.readline().strip()
        if not endpoint:
            raise RuntimeError("the proxy did not start; its own message is above")
        running = ProxyProcess(endpoint)
        try:
            yield running
        finally:
            process.stdin.close()
            counts = process.stdout.read().split()
        if process.wait() or len(counts) != 2:
            raise RuntimeError("the proxy failed; its own message is above")
        running.requests, running.faults = int(counts[0]), int(counts[1])


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
