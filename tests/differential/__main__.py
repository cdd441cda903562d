"""``make differential``: generated programs on dynoxide, DynamoDB Local and a dict model; they have to agree."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Sequence

from tests.differential.long_run import Report, run, send_values
from tests.engines import dynamodb_local, dynoxide


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--programs", type=int, default=20_000)
    parser.add_argument("--values", type=int, default=1_000_000, help="how many go through the codec, and lose nothing")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="the same seed has the same programs; by default a new one")
    options = parser.parse_args(arguments)
    seed: int = secrets.randbelow(10**6) if options.seed is None else options.seed
    began = time.monotonic()

    def progress(report: Report) -> None:
        count, seconds = report.tally["programs"], time.monotonic() - began
        print(f"{count:,} programs, {report.differing} differ, {seconds:.0f} s", flush=True)  # noqa: T201

    print(f"seed {seed}", flush=True)  # noqa: T201
    with dynoxide() as one, dynamodb_local() as other:
        engines = {"dynoxide": one, "dynamodb-local": other}
        report = run(engines, seed=seed, programs=options.programs, processes=options.processes, progress=progress)
    for script in report.scripts:
        print(f"\n{script}")  # noqa: T201
    for name, count in sorted(report.tally.items()):
        print(f"{name}: {count:,}")  # noqa: T201
    print(f"unexplained differences: {report.differing}, in {time.monotonic() - began:.0f} s")  # noqa: T201
    trips = send_values(options.values, seed=seed, processes=options.processes)
    print(f"values through the codec: {trips.values:,}, items lost or changed: {trips.losses}")  # noqa: T201
    return 1 if report.differing or trips.losses else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
