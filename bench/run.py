"""What ``make bench`` runs: every workload and contestant in one run, printed as ratios.

A benchmark is no test: a missed target is printed, and only a workload that fails ends the run with an error.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
from collections.abc import AsyncGenerator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from canned import canned_server, plain_environment
from cold_start import CONTESTANTS, cold_starts, import_times
from floor import open_floor
from pinning import choose, pinned
from report import Result, print_tables, save
from rounds import WORKLOADS, Contestant, Sample, check, compete

RESULTS = Path(__file__).parent / "results" / "latest.json"


@asynccontextmanager
async def open_contestants(names: Sequence[str], port: int) -> AsyncGenerator[dict[str, Contestant]]:
    """The contestants by name, each imported only if it takes part."""
    async with AsyncExitStack() as stack:
        contestants: dict[str, Contestant] = {}
        for name in names:
            if name == "sdk":
                from workloads_sdk import open_sdk

                contestants[name] = await stack.enter_async_context(open_sdk(port))
            elif name == "floor":
                contestants[name] = await stack.enter_async_context(open_floor(port))
            else:
                from workloads_dynamorm import open_dynamorm

                contestants[name] = await stack.enter_async_context(open_dynamorm(port))
        yield contestants


async def measure(names: Sequence[str], *, port: int, rounds: int, seconds: float) -> list[Result]:
    """Check every contestant, then time every workload."""
    results: list[Result] = []
    async with open_contestants(names, port) as contestants, open_floor(port) as witness:
        for name, contestant in contestants.items():
            await check(name, contestant, witness)
        print(f"checked: {', '.join(names)} read and write the same values")
        for workload in WORKLOADS:
            samples = await compete(contestants, workload, rounds=rounds, seconds=seconds)
            results.append(Result(workload=workload.name, samples=samples))
    return results


def cold(names: Sequence[str], *, port: int, rounds: int) -> Result:
    """Time fresh processes."""
    times = cold_starts(names, port=port, rounds=rounds)
    samples = {name: [Sample(cpu, wall) for cpu, wall in pairs] for name, pairs in times.items()}
    return Result(workload="cold start", samples=samples)


def main() -> None:
    """Run what the command line asks for."""
    options = _options()
    names: Sequence[str] = options.only
    print(
        f"Python {platform.python_version()}, aiobotocore {version('aiobotocore')}, "
        f"{'uvloop' if options.uvloop else 'asyncio'}, {os.cpu_count()} CPUs, client and server pinned: {options.pin}"
    )
    client_cpu, server_cpu = choose(options.pin)
    with canned_server(cpu=server_cpu) as port:
        environment = plain_environment(os.environ, port=port)
        os.environ.clear()
        os.environ.update(environment)
        with pinned(client_cpu), asyncio.Runner(loop_factory=_loop_factory(options.uvloop)) as runner:
            seconds, rounds = (0.1, 9) if options.quick else (0.4, 15)
            results = runner.run(measure(names, port=port, rounds=rounds, seconds=seconds))
        results.append(cold(names, port=port, rounds=5 if options.quick else 15))
        print_tables(results)
        if "dynamorm" in names:
            _print_import(port)
    save(results, options.output)
    print(f"\nevery round is kept in {options.output} (python -m pyperf show, stats, hist, compare_to)")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Benchmarks, as ratios to raw aiobotocore and to the bare floor.")
    parser.add_argument("--quick", action="store_true", help="shorter and fewer rounds: about a minute")
    parser.add_argument(
        "--uvloop", action="store_true", help="the loop is uvloop instead of asyncio's own (cold start apart)"
    )
    parser.add_argument(
        "--pin", choices=("apart", "same", "none"), default="apart", help="client and server on which CPUs (Linux)"
    )
    parser.add_argument("--only", type=_names, default=CONTESTANTS, help="contestants, for example sdk,floor")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the pyperf file to write")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = text.split(",")
    for name in names:
        if name not in CONTESTANTS:
            raise argparse.ArgumentTypeError(f"no contestant is called {name}; choose from {', '.join(CONTESTANTS)}.")
    return names


def _loop_factory(use_uvloop: bool) -> type[asyncio.AbstractEventLoop] | None:  # noqa: FBT001
    if not use_uvloop:
        return None
    import uvloop

    return uvloop.Loop


def _print_import(port: int) -> None:
    whole, *alone = import_times("dynamorm_async", port=port)
    print(f"\nimport dynamorm_async: {whole[0]:.1f} ms under -X importtime; the costliest modules alone:")
    print("  " + ", ".join(f"{module} {milliseconds:.1f}" for milliseconds, module in alone))


if __name__ == "__main__":
    main()
