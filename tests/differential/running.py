"""Programs on engines: every outcome, every instance in hand and the tables in the end, compared with the dict model."""

from __future__ import annotations

import types
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, TypeAlias

import anyio
import anyio.to_thread
import attrs

from dynamorm_async import BatchWriteFailed, ConditionFailed, Database, DynamormError, TransactionCancelled
from dynamorm_async.transport.lanes import LaneName
from tests.contract.differences import BEHAVIOURS, differs
from tests.differential.models import MINUTE, MODELS, NAMES, START
from tests.differential.plain import KEYS, Item, read_raw, same
from tests.differential.program import Expected, Program, kind_of
from tests.differential.steps import RETURNS_ITEM, Raised, Returned, Step
from tests.differential.world import Meaningless
from tests.engines import call

AT_ONCE = 8  # programs under way at the same time
Codes: TypeAlias = list[types.CodeType]
_MOMENT: ContextVar[datetime] = ContextVar("moment", default=START)
_TABLES: dict[type[Any], str] = dict(zip(MODELS, ("wares", "papers", "coins"), strict=True))


@attrs.frozen
class Engine:
    """An engine with the tables of the models, under a prefix of their own."""

    name: str
    endpoint: str
    prefix: str
    db: Database
    lacks: frozenset[str]

    async def renew(self) -> None:
        """Make the tables anew, empty."""
        for model in MODELS:
            await self.db.tables.delete(model)
        await self.db.tables.ensure(*MODELS)

    def contents(self) -> dict[type[Any], list[Item]]:
        """Everything in the tables, read without this library."""
        return {model: list(self._items(self.prefix + table)) for model, table in _TABLES.items()}

    def _items(self, table: str) -> Iterable[Item]:
        start: dict[str, Any] = {}
        while True:
            status, answer = call(self.endpoint, "Scan", {"TableName": table, **start})
            assert status == 200, answer
            yield from map(read_raw, answer["Items"])
            if "LastEvaluatedKey" not in answer:
                return
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@attrs.frozen
class Difference:
    """One point where an engine and the dict model do not agree.

    Attributes:
        engine: its name.
        step: the step's number; ``None`` of what is in the tables in the end.
        what: in words.
    """

    engine: str
    step: int | None
    what: str

    def __str__(self) -> str:
        where = "in the end" if self.step is None else f"step {self.step}"
        return f"{self.engine}, {where}: {self.what}"


@asynccontextmanager
async def opened(endpoints: Mapping[str, str], lane: LaneName = "direct") -> AsyncGenerator[list[Engine]]:
    """Fresh tables on each engine, gone afterwards."""
    prefix = f"d{uuid.uuid4().hex[:12]}-"
    async with AsyncExitStack() as stack:
        engines: list[Engine] = []
        for name, endpoint in endpoints.items():
            db = Database(
                endpoint=endpoint,
                region="eu-west-1",
                credentials=("test", "test"),
                lane=lane,
                table_prefix=prefix,
                clock=_MOMENT.get,
            )
            await stack.enter_async_context(db)
            await db.tables.ensure(*MODELS)
            lacks = frozenset(behaviour for behaviour in BEHAVIOURS if differs(name, behaviour))
            engines.append(Engine(name, endpoint, prefix, db, lacks))
        try:
            yield engines
        finally:
            with anyio.CancelScope(shield=True):
                for engine in engines:
                    for model in MODELS:
                        await engine.db.tables.delete(model)


async def compare(
    programs: Sequence[Program], engines: Sequence[Engine], tally: Counter[str]
) -> dict[int, list[Difference]]:
    """Run programs, several at once, and find where engines and model do not agree.

    Args:
        programs: with numbers that differ.
        engines: each runs every program.
        tally: counts programs, steps and comparisons.

    Returns:
        The differences by the number of the program.

    Raises:
        Meaningless: a step of a program uses what no step before has made.
    """
    found: dict[int, list[Difference]] = {}
    tables: dict[tuple[str, int], dict[type[Any], dict[Any, Item]]] = {}
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def run(program: Program, codes: Codes, engine: Engine, steps: list[Expected], final: Any) -> None:
        async with limiter:
            differences, whole = await _run(program, codes, engine, steps, tally)
        found.setdefault(program.number, []).extend(differences)
        if whole:
            tables[engine.name, program.number] = final

    expected = [(program, *program.expected(prefix_of(program))) for program in programs]
    async with anyio.create_task_group() as tasks:
        for program, steps, final in expected:
            codes = program.compiled()
            tally["programs"] += 1
            tally["steps"] += len(steps)
            for engine in engines:
                if program.empties and "empty-values" in engine.lacks:
                    tally[f"{engine.name}: programs left out for a known difference"] += 1
                    continue
                tasks.start_soon(run, program, codes, engine, steps, final)
    for engine in engines:
        contents = await anyio.to_thread.run_sync(engine.contents)
        for program in programs:
            if (engine.name, program.number) in tables:
                tally["tables compared"] += 1
                wanted = tables[engine.name, program.number]
                found[program.number] += _compare_tables(engine.name, prefix_of(program), contents, wanted)
    return {number: differences for number, differences in found.items() if differences}


def prefix_of(program: Program) -> str:
    return f"p{program.number}-"


async def _run(
    program: Program, codes: Codes, engine: Engine, steps: list[Expected], tally: Counter[str]
) -> tuple[list[Difference], bool]:
    """What differs up to the first difference, and whether the tables are to be as the model's."""
    namespace: dict[str, Any] = {**NAMES, "db": engine.db, "P": prefix_of(program)}
    for number, (step, code, expected) in enumerate(zip(program.steps, codes, steps, strict=True)):
        if expected.done_otherwise & engine.lacks:
            tally[f"{engine.name}: programs ended early for a known difference"] += 1
            return [], False
        _MOMENT.set(START + number * MINUTE)
        observed = await _observe(code, namespace, step)
        tally["outcomes compared"] += 1
        what = _differs(expected, observed, engine.lacks)
        what = what or _hand_differs(expected.hand, namespace)
        if what:
            return [Difference(engine.name, number, what)], False
    return [], True


async def _observe(code: types.CodeType, namespace: dict[str, Any], step: Step) -> Returned | Raised:
    try:
        await eval(code, namespace)  # noqa: S307 - the program's own text
    except (DynamormError, AssertionError) as error:
        kind = kind_of(error)
        if isinstance(error, TransactionCancelled):
            failures = {failure.index: type(failure.error).__name__ for failure in error.failures}
            return Raised(kind, failures=failures)
        if isinstance(error, BatchWriteFailed):
            names = [*(type(failure.error).__name__ for failure in error.report.failed)]
            return Raised(kind, failures=sorted([*names, *("unprocessed" for _ in error.report.unprocessed)]))
        return Raised(kind, error.item if isinstance(error, ConditionFailed) else None)
    return Returned(step.canonical(namespace["result"]))


def _differs(expected: Expected, observed: Returned | Raised, lacks: frozenset[str]) -> str:
    """What differs between two outcomes in words; empty where nothing does."""
    wanted = expected.outcome
    if expected.told_otherwise & lacks:
        kinds = (ConditionFailed, BatchWriteFailed)
        if (
            RETURNS_ITEM not in expected.told_otherwise
            or isinstance(observed, Returned)
            or issubclass(observed.kind, kinds)
        ):
            return ""
    if type(wanted) is type(observed) and same(wanted, observed):
        return ""
    return f"the model says {_shown(wanted)}\n    and the engine {_shown(observed)}"


def _hand_differs(hand: Mapping[str, Any], namespace: Mapping[str, Any]) -> str:
    for name, expected in hand.items():
        if not same(expected, namespace[name]):
            return f"the instance {name} is to be {expected!r}\n    and is {namespace[name]!r}"
    return ""


def _shown(outcome: Returned | Raised) -> str:
    if isinstance(outcome, Returned):
        return repr(outcome.value)
    more = [f"with item {outcome.item!r}"] if outcome.item is not None else []
    return " ".join([outcome.kind.__name__, *more, *([repr(outcome.failures)] if outcome.failures else [])])


def _compare_tables(
    engine: str, prefix: str, contents: Mapping[type[Any], list[Item]], expected: Mapping[type[Any], Mapping[Any, Item]]
) -> list[Difference]:
    found: list[Difference] = []
    for model, items in contents.items():
        own = [item for item in items if _text(item[KEYS[model][0]]).startswith(prefix)]
        there = {_place(model, item): item for item in own}
        wanted = {_place(model, item): item for item in expected.get(model, {}).values()}
        for place in sorted({*there, *wanted}):
            if there.get(place) != wanted.get(place):
                what = f"{model.__name__} {place} is to be {wanted.get(place)}\n    and is {there.get(place)}"
                found.append(Difference(engine, None, what))
    return found


def _text(value: Mapping[str, Any]) -> str:
    content: str | bytes = next(iter(value.values()))
    return content.decode() if isinstance(content, bytes) else content


def _place(model: type[Any], item: Item) -> str:
    return repr([next(iter(item[name].values())) for name in KEYS[model]])


async def minimised(program: Program, engines: Sequence[Engine]) -> tuple[Program, list[Difference]]:
    """The smallest program that was found to differ still, by taking away steps and parts of steps."""
    tries = 0

    async def differences(candidate: Program) -> list[Difference]:
        try:
            found = await compare([candidate], engines, Counter())
        except Meaningless:
            return []
        return found.get(candidate.number, [])

    def smaller(whole: Program) -> Iterable[Program]:
        for position, step in enumerate(whole.steps):
            before, after = whole.steps[:position], whole.steps[position + 1 :]
            yield attrs.evolve(whole, steps=(*before, *after))
            for part in step.smaller():
                yield attrs.evolve(whole, steps=(*before, part, *after))

    best, reason = program, await differences(attrs.evolve(program, number=_fresh(program, 0)))
    progress = True
    while progress:
        progress = False
        for candidate in smaller(best):
            tries += 1
            found = await differences(attrs.evolve(candidate, number=_fresh(program, tries)))
            if found:
                best, reason, progress = candidate, found, True
                break
    return best, reason


def _fresh(program: Program, tries: int) -> int:
    """A number that no program has, so that its keys are its own."""
    return (program.number + 1) * 1_000_000 + tries
