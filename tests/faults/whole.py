"""The whole fault matrix, in several processes: what `make scoreboard` runs."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from tests.engines import LANES
from tests.faults.cells import all_cells
from tests.faults.matrix import Figures, run_matrix


def run_whole(
    endpoints: Mapping[str, str], *, step: int = 1, start: int = 0, processes: int = 2, seed: int = 6
) -> Figures:
    """Run every cell of the matrix, or each ``step``-th.

    Args:
        endpoints: the engines' addresses by their names; only these engines are run.
        step: 1 for all cells.
        start: which is the first, so that runs with a step can differ.
        processes: at the same time.
        seed: of the random parts of pauses.
    """
    figures, started = Figures(), time.monotonic()
    places = list(itertools.product(endpoints.items(), LANES))
    # Spawned, not forked: a fork would share the sockets and the loop of whoever calls.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        parts = [pool.submit(_part, engine, endpoint, lane, (start, step, seed)) for (engine, endpoint), lane in places]
        for part in parts:
            figures.merge(part.result())
    figures.seconds = time.monotonic() - started
    return figures


def _part(engine: str, endpoint: str, lane: str, choice: tuple[int, int, int]) -> Figures:
    start, step, seed = choice
    return run_matrix(list(all_cells([engine], [lane]))[start::step], {engine: endpoint}, seed=seed)
