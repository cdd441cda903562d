"""What ``make bench`` runs: every workload and contestant in one run.

A benchmark is no test: a missed target is printed, and only a workload that fails ends the run with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from canned import canned_server
from machine import this_machine, versions
from measure import EVERYTHING, QUICK, Amount, Findings, check_all, measure
from pinning import choose, pinned
from render import differing, write_pages
from report import EVERY_ROUND, REPORT, RESULTS, Report, load, store, store_rounds
from roster import NAMES, ROSTER, Entry
from surroundings import plain_environment
from tables import print_report
from targets import verdicts


def main() -> int:
    """Do what the command line asks for; 1 where pages are not what they should be."""
    options = _options()
    if options.render:
        return _render(check=options.check)
    entries = [entry for entry in ROSTER if entry.name in options.only and _is_installed(entry)]
    amount = QUICK if options.quick else EVERYTHING
    began = datetime.now(UTC)
    client_cpu, server_cpu = choose(options.pin)
    with canned_server(cpu=server_cpu) as port:
        environment = plain_environment(os.environ, port=port)
        os.environ.clear()
        os.environ.update(environment)
        with pinned(client_cpu):
            if options.check:
                asyncio.run(check_all(entries, port))
                return 0
            findings = measure(entries, port, amount)
    report = _report(findings, entries, amount, date=f"{began:%Y-%m-%d}", pinning=options.pin)
    print_report(report)
    print(f"\nThe run took {(datetime.now(UTC) - began).total_seconds():.0f} s.")
    # A quick run, or one of some contestants, is not what the pages show.
    whole = not options.quick and tuple(options.only) == NAMES
    if options.output or whole:
        _keep(findings, report, options.output or RESULTS)
    if whole and not options.output:
        write_pages(report)
    return 0


def _report(findings: Findings, entries: Sequence[Entry], amount: Amount, *, date: str, pinning: str) -> Report:
    report = Report(
        date=date,
        machine=this_machine(pinning),
        versions=versions(entries, "uvloop"),
        rounds=amount.rounds,
        seconds=amount.seconds,
        timed=[result.timed() for result in findings.timed],
        cold_start=findings.cold_start.timed(),
        imports=findings.imports.timed(),
        crowd=findings.crowd,
        memory=findings.memory,
        stalls=findings.stalls,
        targets=[],
    )
    return msgspec.structs.replace(report, targets=verdicts(report))


def _keep(findings: Findings, report: Report, folder: Path) -> None:
    store(report, folder / REPORT.name)
    store_rounds([*findings.timed, findings.cold_start, findings.imports], folder / EVERY_ROUND.name)
    print(f"The report is in {folder / REPORT.name}, every round in {folder / EVERY_ROUND.name} (python -m pyperf).")


def _render(*, check: bool) -> int:
    report = load()
    if not check:
        write_pages(report)
        return 0
    wrong = differing(report)
    for path in wrong:
        print(f"{path} is not what bench/results/report.json renders to; run python bench/run.py --render")
    return 1 if wrong else 0


def _is_installed(entry: Entry) -> bool:
    if not entry.installed:
        print(f"{entry.name} is not installed here and does not take part.", file=sys.stderr)
    return entry.installed


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The library beside every rival, on one canned server, in one run.")
    parser.add_argument(
        "--quick", action="store_true", help="few and short rounds; prints the tables and keeps nothing"
    )
    parser.add_argument("--check", action="store_true", help="only check the values; with --render, only the pages")
    parser.add_argument("--render", action="store_true", help="make the pages anew from the stored report")
    parser.add_argument(
        "--pin", choices=("apart", "same", "none"), default="apart", help="client and server on which CPUs (Linux)"
    )
    parser.add_argument("--only", type=_names, default=NAMES, help="contestants, for example aiobotocore,floor")
    parser.add_argument("--output", type=Path, help="a folder for the JSON files, instead of the pages")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in NAMES:
            raise argparse.ArgumentTypeError(f"no contestant is called {name!r}; choose from {', '.join(NAMES)}.")
    return names


if __name__ == "__main__":
    sys.exit(main())
