"""The fault matrix: a fixed part of it in every run, and what makes its verdicts worth something."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections import Counter
from collections.abc import Callable

import pytest

from dynamorm_async import ConditionFailed, Database, OutcomeUnknown, Throttled
from tests.engines import LANES, Lane, endpoint_of
from tests.faults.catalogue import CATALOGUE, FAULTS
from tests.faults.cells import ENGINES, Cell, all_cells, sample
from tests.faults.control import control_cells, run_control
from tests.faults.ground import Ground, make_tables
from tests.faults.matrix import FLAWS, Figures, call, dice, run_matrix, setting
from tests.faults.operation import Operation, Outcome
from tests.faults.operations import BY_NAME, OPERATIONS, SURFACE, methods_that_wait, uncovered
from tests.faults.virtual import run, running
from tests.faults.whole import run_whole

STEP = 37
PLACES = list(itertools.product(ENGINES, LANES))


# --- what is in it --------------------------------------------------------------------------------


def test_every_public_operation_is_in_the_matrix() -> None:
    """A new public method of a database, or of what it returns, needs an operation of the matrix; and names are real."""
    assert uncovered() == set()
    classes = {cls.__name__: cls for cls in SURFACE}
    for name in {name for operation in OPERATIONS for name in operation.covers}:
        cls, _, method = name.partition(".")
        assert hasattr(classes[cls], method), name
    assert "Database.modify" in methods_that_wait()
    assert len(BY_NAME) == len(OPERATIONS)


def test_the_matrix_is_as_large_as_it_says() -> None:
    """At least 40 faults, each on every operation that it fits, on both lanes and two engines, once and always."""
    assert len(FAULTS) >= 40
    cells = Counter((cell.operation.name, cell.request, cell.fault.name) for cell in all_cells())
    whole = len(ENGINES) * len(LANES) * 2
    needing = {operation.name for operation in OPERATIONS if operation.needs is not None}
    assert all(count == (whole // 2 if name in needing else whole) for (name, _, _), count in cells.items())
    fitting = {
        (operation.name, fault.name)
        for operation, fault in itertools.product(OPERATIONS, FAULTS)
        if any(fault.fits(request) for request in operation.requests)
    }
    assert {(name, fault) for name, _, fault in cells} == fitting


@pytest.mark.parametrize(("engine", "lane"), PLACES)
def test_the_sample_leaves_nothing_out(engine: str, lane: str) -> None:
    """On each engine and lane every operation, every request of one, and every fault is played at least once."""
    every, chosen = list(all_cells([engine], [lane])), sample(STEP, engine, lane)
    parts: list[Callable[[Cell], object]] = [
        lambda cell: cell.operation.name,
        lambda cell: (cell.operation.name, cell.request),
        lambda cell: cell.fault.name,
    ]
    for part in parts:
        assert {part(cell) for cell in chosen} == {part(cell) for cell in every}


# --- the run --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("engine", "lane"), PLACES)
def test_the_library_keeps_its_promises_under_faults(engine: str, lane: str, request: pytest.FixtureRequest) -> None:
    """Nothing lost, doubled, falsely failed, taken for certain, corrupted, hung, late, leaked, untyped or sent elsewhere."""
    figures = run_matrix(sample(STEP, engine, lane), {engine: endpoint_of(engine, request)})
    assert figures.offending == []
    assert figures.counts == dict.fromkeys(FLAWS, 0)
    assert figures.cells >= len(OPERATIONS)


def test_the_whole_is_run_in_processes(dynoxide_endpoint: str) -> None:
    """Each lane's part is run, and its figures are added up."""
    figures = run_whole({"dynoxide": dynoxide_endpoint}, step=2000, start=7)
    parts = [len(list(all_cells(["dynoxide"], [lane]))[7::2000]) for lane in LANES]
    assert (figures.cells, figures.offending) == (sum(parts), [])
    assert min(parts) > 1


@pytest.mark.parametrize(("engine", "lane"), PLACES)
def test_without_a_fault_every_operation_does_what_its_record_says(
    engine: str, lane: Lane, request: pytest.FixtureRequest
) -> None:
    """The effect is there once, the answer is right, and the requests are as many as the record says."""
    endpoint = endpoint_of(engine, request)
    make_tables(engine, endpoint)

    async def all_of_them() -> None:
        async with setting(endpoint, lane) as (proxy, db):
            for operation in OPERATIONS:
                ground = Ground(engine, endpoint, uuid.uuid4().hex)
                if not operation.runs_on(ground):
                    continue
                operation.prepare(ground)
                proxy.records.clear()
                outcome, _ = await call(operation, ground, db)
                sent = Counter(record.call.operation for record in proxy.records)
                assert outcome.error is None, operation.name
                assert operation.flaws(ground, outcome) == [], operation.name
                assert {name: sent[name] for name in operation.requests} == operation.requests, operation.name

    run(all_of_them(), random=dice(1))


# --- the verdicts ---------------------------------------------------------------------------------


async def _nothing(_db: Database, _ground: Ground) -> object:
    return None


def _judged(outcome: Outcome, *parts: int, right: bool = True) -> list[str]:
    operation = Operation(
        name="x",
        covers=(),
        requests={"PutItem": 1},
        run=_nothing,
        parts=lambda _: parts,
        right=lambda _ground, _value: right,
    )
    return operation.flaws(Ground("dynoxide", "", ""), outcome)


def test_claims_are_held_against_the_engine() -> None:
    """Each kind of wrong claim is found, and a true one is none."""
    failed, throttled = ConditionFailed("no", operation="PutItem"), Throttled("no", operation="PutItem")
    unknown = OutcomeUnknown("perhaps", operation="PutItem")
    assert _judged(Outcome(), 1) == []
    assert _judged(Outcome(), 0) == ["lost"]
    assert _judged(Outcome(), 2) == ["doubled"]
    assert _judged(Outcome(), 1, right=False) == ["corrupted"]
    assert _judged(Outcome(error=failed), 0) == _judged(Outcome(error=throttled), 0) == []
    assert _judged(Outcome(error=failed), 1) == ["false_failures"]
    assert _judged(Outcome(error=throttled), 1) == ["certain_unknowns"]
    assert _judged(Outcome(error=unknown), 0) == _judged(Outcome(error=unknown), 1) == []
    assert _judged(Outcome(error=unknown), 2) == ["doubled"]


def test_a_cell_that_breaks_a_promise_is_counted(dynoxide_endpoint: str) -> None:
    """Calls that tell lies under a fault, and one that never ends, are found by the run itself."""

    async def lying(db: Database, ground: Ground) -> object:
        outcome, _ = await call(BY_NAME["update add"], ground, db)
        return outcome.value

    async def twice(db: Database, ground: Ground) -> object:
        return [await call(BY_NAME["update add"], ground, db) for _ in range(2)]

    async def never(_db: Database, _ground: Ground) -> object:
        return await asyncio.Event().wait()

    honest, figures = BY_NAME["update add"], Figures()
    for run_it, fault in ((lying, "reset_before"), (twice, "reset_after"), (never, "reset_before")):
        operation = Operation(
            name="update add",
            covers=(),
            requests=honest.requests,
            run=run_it,
            prepare=honest.prepare,
            parts=honest.parts,
            again="never",
        )
        cell = Cell(operation, "UpdateItem", CATALOGUE[fault], always=False, lane="direct", engine="dynoxide")
        figures.merge(run_matrix([cell], {"dynoxide": dynoxide_endpoint}))
    found = {flaw for flaw in FLAWS if figures.counts[flaw]}
    assert found == {"lost", "doubled", "hung", "late", "unexpected", "requests", "untyped", "unplayed"}


def test_the_control_fails_where_it_is_known_to(dynoxide_endpoint: str) -> None:
    """Raw aiobotocore doubles, loses, takes pages for answers, follows redirects and hangs, under the same faults and judge."""
    names = {
        "update ADD / reset_after once": "doubled",
        "conditional put / http_500_after once": "false_failures",
        "put / ok_html_before once": "lost",
        "get / ok_empty_before once": "corrupted",
        "put / redirect_307 once": "foreign",
        "get / dripping_before once": "hung",
        "get / ok_array_before once": "untyped",
        "get / throttled_table once": "",
    }
    cells = {str(cell).removeprefix("aiobotocore ").removesuffix(" / dynoxide"): cell for cell in control_cells()}
    for name, flaw in names.items():
        figures = run_control([cells[name]], dynoxide_endpoint)
        assert bool(figures.counts[flaw]) is bool(flaw), (name, figures)
        assert bool(figures.offending) is bool(flaw)


# --- the clock ------------------------------------------------------------------------------------


def test_the_clock_jumps_to_the_next_timer() -> None:
    """Pauses end in order, at their times, and cost nothing; a thread is waited for."""

    async def main() -> list[tuple[str, float]]:
        loop, ended = running(), list[tuple[str, float]]()
        start = loop.time()

        async def pause(name: str, seconds: float) -> None:
            await asyncio.sleep(seconds)
            ended.append((name, loop.time() - start))

        async with asyncio.TaskGroup() as group:
            group.create_task(pause("long", 7200.0))
            group.create_task(pause("short", 0.5))
            assert await asyncio.to_thread(lambda: 1) == 1
            assert loop.time() == start
        return ended

    assert run(main(), random=dice(1)) == [("short", 0.5), ("long", 7200.0)]


def test_what_waits_for_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop in which nothing can ever happen ends with an error, rather than for ever."""
    monkeypatch.setattr("tests.faults.virtual._IDLE_SECONDS", 0.01)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="nothing will ever happen"):
        run(main(), random=dice(1))
