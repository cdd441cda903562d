"""Fresh interpreters: from the start of the process to the first answer, and what an import takes.

``python bench/cold_start.py`` prints what the import of the library costs, module by module.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from surroundings import plain_environment

FIRST_ANSWER = Path(__file__).parent / "first_answer.py"
IMPORTS = "import asyncio, ssl, msgspec, attrs, httptools"
"""What the library cannot do without: its import is compared with this."""

_TIMED_IMPORT = """\
import time
wall, cpu = time.perf_counter(), time.process_time()
{statement}
print(time.process_time() - cpu, time.perf_counter() - wall)
"""


@contextmanager
def fresh_environment(port: int) -> Generator[dict[str, str]]:
    """The environment of the fresh interpreters: static keys, and byte code cached, in a folder of its own."""
    with TemporaryDirectory() as cache:
        environment = plain_environment(os.environ, port=port) | {"PYTHONPYCACHEPREFIX": cache}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        yield environment


def cold_starts(names: Sequence[str], *, port: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Fresh interpreters until their first answer, in turn.

    Returns:
        For each contestant one pair a round: seconds of CPU and of wall time, from the start of the process.

    Raises:
        RuntimeError: an interpreter ended without an answer.
    """

    def start(name: str, environment: Mapping[str, str]) -> tuple[float, float]:
        line, wall = _first_line([str(FIRST_ANSWER), name, str(port)], environment)
        return float(line), wall

    return _in_turn({name: name for name in names}, start, port=port, rounds=rounds)


def import_times(statements: Mapping[str, str], *, port: int, rounds: int) -> dict[str, list[tuple[float, float]]]:
    """Imports in fresh interpreters, in turn.

    Returns:
        For each name one pair a round: seconds of CPU and of wall time of the statement alone.
    """

    def start(statement: str, environment: Mapping[str, str]) -> tuple[float, float]:
        line, _ = _first_line(["-c", _TIMED_IMPORT.format(statement=statement)], environment)
        cpu, wall = line.split()
        return float(cpu), float(wall)

    return _in_turn(statements, start, port=port, rounds=rounds)


def _in_turn(
    what: Mapping[str, str],
    start: Callable[[str, Mapping[str, str]], tuple[float, float]],
    *,
    port: int,
    rounds: int,
) -> dict[str, list[tuple[float, float]]]:
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in what}
    with fresh_environment(port) as environment:
        for number in range(rounds + 1):  # the first round fills the byte-code cache
            for name, argument in what.items():
                pair = start(argument, environment)
                if number:
                    times[name].append(pair)
    return times


def _first_line(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[str, float]:
    """What a fresh interpreter prints first, and the seconds from its start to that."""
    began = time.perf_counter()
    with subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        wall = time.perf_counter() - began
        # Read to its end, though what a process says once it has answered is of no interest here.
        _, error = process.communicate()
    if not line:
        raise RuntimeError(f"the fresh interpreter with {arguments} ended before it printed its time: {error}")
    return line, wall


def costs(module: str, *, port: int) -> list[tuple[float, str]]:
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
    return [(whole / 1_000, module), *alone[:20]]


def _import(module: str, environment: Mapping[str, str]) -> str:
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        env=environment,
        check=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.stderr


if __name__ == "__main__":
    for cost, imported in costs("dynamorm_async", port=1):
        print(f"{cost:9.1f} ms  {imported}")
