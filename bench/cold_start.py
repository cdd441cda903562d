"""From the start of the process to the first answer, in fresh interpreters; and what the import costs.

``python bench/cold_start.py`` prints both. With a contestant's name and a port it is the fresh interpreter itself:
it makes one GetItem call, prints the CPU time it has used, and ends; each contestant then imports only its own.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

CONTESTANTS = ("sdk", "floor", "dynamorm")


@contextmanager
def fresh_environment(port: int) -> Generator[dict[str, str]]:
    """The environment of the fresh interpreters: static keys, and byte code cached, in a folder of its own."""
    from canned import plain_environment

    with TemporaryDirectory() as cache:
        environment = plain_environment(os.environ, port=port) | {"PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def start(contestant: str, *, port: int, environment: dict[str, str]) -> tuple[float, float]:
    """Run one fresh interpreter until its first answer.

    Returns:
        The seconds of its CPU time, and of wall time, from the start of the process to the first answer.

    Raises:
        RuntimeError: the interpreter ended without an answer; its error stands on standard error.
    """
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - this very file, under this very interpreter
        [sys.executable, __file__, contestant, str(port)], stdout=subprocess.PIPE, env=environment
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        wall = time.perf_counter() - began
    if not line:
        raise RuntimeError(f"cold start of {contestant}: the process ended before its first answer.")
    return float(line), wall


def cold_starts(contestants: Sequence[str], *, port: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Fresh interpreters in turn, after one round that fills the byte-code cache.

    Returns:
        For each contestant one pair a round: seconds of CPU, seconds of wall time.
    """
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contestants}
    with fresh_environment(port) as environment:
        for number in range(rounds + 1):
            for name in contestants:
                pair = start(name, port=port, environment=environment)
                if number:
                    times[name].append(pair)
    return times


def import_times(module: str, *, port: int) -> list[tuple[float, str]]:
    """What an import costs, by ``-X importtime``, with the byte code cached.

    Returns:
        The whole import first, then the costliest single modules without what they import: milliseconds and name.
    """
    with fresh_environment(port) as environment:
        _import(module, environment)
        lines = _import(module, environment).splitlines()
    rows = [line.removeprefix("import time:").split("|") for line in lines[1:]]
    whole = next(int(total) for _, total, name in reversed(rows) if name.strip() == module)
    alone = sorted(((int(own) / 1_000, name.strip()) for own, _, name in rows), reverse=True)
    return [(whole / 1_000, module), *alone[:10]]


def _import(module: str, environment: dict[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        env=environment,
        check=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.stderr


async def _sdk(port: int) -> None:
    from importlib import import_module

    from items import get_item_body

    # aiobotocore has no types; what is taken from a module object is Any.
    session = import_module("aiobotocore.session").get_session()
    async with session.create_client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}") as client:
        assert "Item" in await client.get_item(**get_item_body(1))
        _report()


async def _floor(port: int) -> None:
    from floor import open_floor

    async with open_floor(port) as floor:
        assert await floor.get()
        _report()


async def _dynamorm(port: int) -> None:
    from items import ORG
    from workloads_dynamorm import User

    from dynamorm_async import Database

    async with Database(endpoint=f"http://127.0.0.1:{port}") as db:
        assert await db.get(User, ORG, "u000001")
        _report()


def _report() -> None:
    print(time.process_time(), flush=True)


def _main() -> None:
    from canned import canned_server

    with canned_server() as port:
        for name, times in cold_starts(CONTESTANTS, port=port, rounds=9).items():
            cpu, wall = (sorted(each)[len(each) // 2] * 1_000 for each in zip(*times, strict=True))
            print(f"{name:10} CPU {cpu:7.1f} ms   wall {wall:7.1f} ms")
        print("import, cumulative, then the costliest modules alone:")
        for milliseconds, module in import_times("dynamorm_async", port=port):
            print(f"{milliseconds:9.1f} ms  {module}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        first_answer = {"sdk": _sdk, "floor": _floor, "dynamorm": _dynamorm}[sys.argv[1]]
        asyncio.run(first_answer(int(sys.argv[2])))
    else:
        _main()
