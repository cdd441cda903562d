"""``make baselines``: count the calls of the hot paths; show them, judge them, or write them down."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence

from tests.speed.baselines import VERSION, listed, measured, measured_calls, store, verdict


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.speed", description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the counts down for this version of Python")
    parser.add_argument("--show", metavar="OPERATION", help="list the functions that an operation calls")
    options = parser.parse_args(arguments)
    if options.show is not None:
        print(listed(asyncio.run(measured_calls())[options.show]))  # noqa: T201
        return 0
    counts = measured()
    if options.update:
        store(counts)
    for name, count in counts.items():
        print(f"Python {VERSION}, {name}: {count}")  # noqa: T201
    wrong = verdict(counts)
    print(wrong or "as written down")  # noqa: T201
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
