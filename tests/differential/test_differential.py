"""Generated programs come to the same on dynoxide, on DynamoDB Local and on the dict model."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from dynamorm_async import Database
from dynamorm_async.expressions.updates import Update
from tests.differential import __main__ as command
from tests.differential.changes import Add
from tests.differential.long_run import run
from tests.differential.models import Paper, Ware
from tests.differential.operations import Instance, OfInstance, OfKey, Updating
from tests.differential.program import Program, drawn
from tests.differential.reads import Get, Query, Scan
from tests.differential.running import compare, minimised, opened
from tests.differential.steps import Batch, Modify, Raised, Single, Step, Transact
from tests.differential.texts import Own

SEED = 20_260_101
SAMPLE = 200
KEY = (Own("a"), "x")
ROOT = Path(__file__).parents[2]


@pytest.fixture
def endpoints(dynoxide_endpoint: str, dynamodb_local_endpoint: str) -> dict[str, str]:
    return {"dynoxide": dynoxide_endpoint, "dynamodb-local": dynamodb_local_endpoint}


def test_a_sample_of_programs_agrees(endpoints: dict[str, str]) -> None:
    """Every result, every error, every instance in hand and the tables in the end are what the dict model says."""
    report = run(endpoints, seed=SEED, programs=SAMPLE)
    assert report.scripts == ()
    assert report.differing == 0
    assert report.tally["programs"] == SAMPLE
    assert report.tally["tables compared"] > SAMPLE * 1.5  # known differences leave out few


def test_programs_meet_what_is_there() -> None:
    """The sample has every kind of step, both well and badly ended: it does not agree for want of substance."""
    outcomes = Counter[str]()
    for number in range(SAMPLE):
        program = drawn(SEED, number)
        for step, expected in zip(program.steps, program.expected("p-")[0], strict=True):
            name = step.operation.__class__.__name__ if isinstance(step, Single) else type(step).__name__
            failed = isinstance(expected.outcome, Raised)
            outcomes[f"{name} {'failed' if failed else 'made'}"] += 1
    often = [OfInstance, OfKey, Updating, Transact, Batch, Modify]
    assert min(outcomes[f"{kind.__name__} {end}"] for kind in often for end in ("made", "failed")) >= 10
    assert min(outcomes[f"{kind.__name__} made"] for kind in (Get, Query, Scan)) >= 50


def test_the_long_run_prints_what_it_came_to(
    endpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command tells its seed and counts, and ends well where nothing differs."""
    for name, endpoint in endpoints.items():
        monkeypatch.setattr(command, name.replace("-", "_"), partial(nullcontext, endpoint))
    assert command.main(["--programs=2", "--values=500", "--seed=3", "--processes=1"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("seed 3\n")
    assert "programs: 2\n" in printed
    assert "unexplained differences: 0" in printed
    assert "items lost or changed: 0" in printed


def test_a_program_is_the_same_again() -> None:
    """The same seed and number have the same text, in this process and in another one."""
    source = f"from tests.differential.program import drawn\nprint(drawn({SEED}, 7).script('x'))"
    printed = subprocess.run([sys.executable, "-c", source], check=True, capture_output=True, text=True, cwd=ROOT)
    assert printed.stdout.strip() == drawn(SEED, 7).script("x").strip()


def doubled(original: Callable[..., Any]) -> Callable[..., Any]:
    """A bug to be found: what is added is added twice."""

    def add(attribute: Any, value: Any) -> Update:
        result: Update = original(attribute, value * 2 if isinstance(value, int) else value)
        return result

    return add


@pytest.mark.anyio
async def test_a_bug_is_found_and_cut_down(endpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted bug is told for both engines, and the program is cut down to the step that shows it, as a script."""
    adding = Single(Updating(Ware, KEY, (Add(("count",), 3), Add(("tags",), {"t"})), None, upsert=True))
    others: list[Step] = [
        Single(OfInstance("create", Instance("e1", Ware, {"shelf": Own("a"), "name": "y"}))),
        Get(Ware, (Own("a"), "y"), "e2"),
        adding,
        Scan(Ware),
    ]
    monkeypatch.setattr(type(Ware.count), "add", doubled(type(Ware.count).add))
    program = Program(1, tuple(others), empties=False)
    async with opened(endpoints) as engines:
        found = await compare([program], engines, Counter())
        smallest, differences = await minimised(program, engines)
    assert {difference.engine for difference in found[1]} == {"dynoxide", "dynamodb-local"}
    assert [difference.step for difference in found[1]] == [2, 2]
    assert smallest.steps == (Single(Updating(Ware, KEY, (Add(("count",), 3),), None, upsert=True)),)
    assert "count=3" in str(differences[0])
    assert "count=6" in str(differences[0])


@pytest.mark.anyio
async def test_lost_writes_are_found_in_the_tables(endpoints: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that says that it was made and was not shows in the end, though no step reads the item."""

    async def nothing(_db: Database, item: object, **_options: object) -> object:
        return item

    monkeypatch.setattr(Database, "create", nothing)
    program = Program(1, (Single(OfInstance("create", Instance("e1", Ware, {"shelf": Own("a"), "name": "y"}))),), False)
    async with opened(endpoints) as engines:
        found = await compare([program], engines, Counter())
    assert [(difference.step, "and is None" in difference.what) for difference in found[1]] == [(None, True)] * 2


def test_a_program_prints_as_a_script_that_runs(dynoxide_endpoint: str, tmp_path: Path) -> None:
    """What is printed of a program is Python that does the same, on any engine."""
    script = tmp_path / "script.py"
    script.write_text(drawn(SEED, 1).script("a title\nof two lines"))
    command = [sys.executable, str(script), dynoxide_endpoint]
    printed = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}
    )
    assert printed.stdout.count("\n") >= len(drawn(SEED, 1).steps)


def test_known_differences_are_told_where_they_matter() -> None:
    """The model names the engines' known differences at the steps that meet them, and nowhere else."""
    made = Program(
        1,
        (
            Single(OfInstance("create", Instance("e1", Paper, {"shelf": Own("a"), "number": 1}))),
            Single(OfKey("restore", Paper, (Own("a"), 1))),
        ),
        empties=False,
    )
    steps, _ = made.expected("p-")
    assert [sorted(step.told_otherwise) for step in steps] == [[], ["failed-condition-returns-item"]]
