"""One fresh interpreter of the cold start: ``python bench/first_answer.py CONTESTANT PORT``.

It makes one GetItem call, prints the CPU time that the process has used until its answer, and ends. It imports what the
contestant needs and as little else as it can.
"""

from __future__ import annotations

import asyncio
import sys
import time

from roster import ROSTER


async def _main(name: str, port: int) -> None:
    [entry] = [entry for entry in ROSTER if entry.name == name]
    async with entry.open(port) as contestant:
        assert await contestant.get()
        print(time.process_time(), flush=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2])))
