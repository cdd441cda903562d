"""Queries of models with templated keys: whatever is planned finds just the items that the conditions are about."""

from __future__ import annotations

import functools
import itertools
import operator
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dynamorm_async import NoUsableIndex, UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.plan.reading import Reading, ReadPlan, plan_query
from tests.property.evaluator import Parser
from tests.property.fake_table import FakeTable, check_request
from tests.property.reading_models import query_of, scan_of
from tests.property.sizing import examples
from tests.property.templated_models import (
    NUMBERS,
    POOLS,
    PRICES,
    TEXTS,
    TIMES,
    Models,
    Templates,
    between,
    conditions,
    models,
    records,
    stored,
    templates,
)

INDEXES = (None, None, "by_global", "by_local", "by_keys")


class Case:
    """A model, its items among those of another, and what is asked."""

    def __init__(self, kind: Models, items: list[Any], asked: list[Condition]) -> None:
        self.kind, self.asked = kind, asked
        self.own = stored(kind, items)
        self.table = FakeTable(kind.table, [*self.own, *between(self.own)], natural=5)

    def expected(self, index: str | None = None) -> list[int]:
        """The serial numbers of what should be found."""
        names: list[str] = []
        found = self.kind.table.index(index or "")
        if found is not None:
            names = [part.name for part in (*found.partition, *found.sort)]
        there = [raw for raw in self.own if all(name in raw for name in names)]
        return sorted(int(raw["serial"]["N"]) for raw in there if holds(self.asked, raw))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """What is asked is about the key of one target, by the values of one item: else most would be scans of nothing."""
    kind = models(draw(templates))
    items = draw(records(kind))
    asked: list[Condition] = []
    if items and draw(st.sampled_from([True] * 9 + [False])):
        asked += draw(about_key(kind, draw(st.sampled_from(items))))
    others: st.SearchStrategy[list[Condition]] = st.lists(conditions(kind), min_size=0 if asked else 1, max_size=2)
    return Case(kind, items, [*asked, *draw(others)])


@st.composite
def about_key(draw: st.DrawFn, kind: Models, item: Any) -> list[Condition]:
    """Values for the partition key of a target and for leading components of its sort key, and a range of the next."""
    assert kind.spec.derived is not None
    known = kind.spec.derived.templates
    partition, sort = draw(st.sampled_from([("pk", "sk"), ("pk", "sk"), ("pk", "lsk"), ("gpk", "gsk"), ("kpk", "ksk")]))
    given = [component.member.name for component in known[partition].template.components]
    leading = [component.member.name for component in known[sort].template.components]
    many = draw(st.integers(0, len(leading)))
    asked = [draw(values_of(kind, item, name)) for name in dict.fromkeys([*given, *leading[:many]])]
    ranges = [
        draw(ranges_of(kind, item, name)) for name in leading[many : many + 1] for _ in range(draw(st.integers(1, 2)))
    ]
    return [*asked, *ranges]


def values_of(kind: Models, item: Any, name: str) -> st.SearchStrategy[Condition]:
    """An equality, or several values."""
    attribute, value = getattr(kind.record, name), getattr(item, name)
    if value is None:
        return st.just(attribute == None)  # noqa: E711 - a condition
    one = st.just(attribute == value)
    return one | POOLS[name].map(lambda other: attribute.is_in([other, value])) if name in POOLS else one


def ranges_of(kind: Models, item: Any, name: str) -> st.SearchStrategy[Condition]:
    """A range with the value of the item, or one near it, at an end."""
    attribute, value = getattr(kind.record, name), getattr(item, name)
    if name not in POOLS:
        return st.just(attribute == value)
    pool = POOLS[name] if value is None else st.just(value) | POOLS[name]
    kinds = [operator.lt, operator.le, operator.gt, operator.ge]
    ends = st.tuples(pool, pool).map(lambda pair: attribute.between(min(pair), max(pair)))
    return st.one_of(
        *(pool.map(functools.partial(_compared, compare, attribute)) for compare in kinds),
        ends,
        *([pool.map(attribute.begins_with)] if name == "name" else []),
    )


def _compared(compare: Callable[[Any, Any], Condition], attribute: Any, value: Any) -> Condition:
    return compare(attribute, value)


def holds(asked: list[Condition], raw: dict[str, Any]) -> bool:
    """What the conditions themselves say of an item, without any planning."""
    placeholders, body = Placeholders(), dict[str, Any]()
    texts = [condition.render(placeholders) for condition in asked]
    placeholders.into(body)
    return all(Parser(text, body).condition()(raw) for text in texts)


def plan_of(case: Case, index: str | None = None) -> ReadPlan | None:
    try:
        return plan_query(case.kind.spec, "shared", Reading(conditions=tuple(case.asked), using=index))
    except UsageError:
        return None


SLOW = settings(examples(80), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])


@SLOW
@given(cases())
@pytest.mark.anyio
async def test_a_plan_finds_what_the_conditions_say(case: Case) -> None:
    """Each item for which the conditions hold comes once, in the order of the keys, and none of another model does."""
    plan = plan_of(case)
    query = query_of(case.kind.record, case.table.send).where(*case.asked)
    found = await (query if plan is not None else query.allow_scan())
    assert sorted(item.serial for item in found) == case.expected()
    if plan is not None and plan.target.sort:
        places = {int(raw["serial"]["N"]): raw for raw in case.own}
        keys = [places[item.serial][plan.target.sort[0].name]["S"] for item in found]
        assert keys == sorted(keys)


@SLOW
@given(cases(), st.sampled_from(["by_global", "by_local"]), st.booleans())
@pytest.mark.anyio
async def test_a_named_index_finds_what_it_holds(case: Case, index: str, descending: bool) -> None:  # noqa: FBT001 - drawn
    """What using() insists on returns the items that are in that index, and no others."""
    query = query_of(case.kind.record, case.table.send).where(*case.asked).using(index)
    try:
        found = await (query.descending() if descending else query)
    except NoUsableIndex:
        return
    assert sorted(item.serial for item in found) == case.expected(index)


@SLOW
@given(cases(), st.sampled_from(INDEXES))
def test_requests_are_what_dynamodb_takes(case: Case, index: str | None) -> None:
    """One condition a key attribute, no empty value, no ends the wrong way round, no filter on a key."""
    plan = plan_of(case, index)
    for request in plan.requests if plan is not None else ():
        check_request(case.kind.table, request)


@SLOW
@given(cases(), st.integers(1, 3))
@pytest.mark.anyio
async def test_pages_and_limits(case: Case, size: int) -> None:
    """Page by page, each from the cursor before, the same items come; a limit gives just as many."""
    query = query_of(case.kind.record, case.table.send).where(*case.asked)
    if plan_of(case) is None:
        query = query.allow_scan()
    whole = await query
    assert await query.limit(size) == whole[:size]
    read: list[Any] = []
    cursor: str | None = None
    while True:
        page = await query.page(size=size, cursor=cursor)
        read += page.items
        cursor = page.cursor
        if not page.has_more:
            break
    assert read == whole
    assert await query.count() == len(whole)


@SLOW
@given(cases(), st.lists(st.integers(0, 3), max_size=4))
def test_the_order_of_conditions_does_not_matter(case: Case, places: list[int]) -> None:
    """Any permutation gives the same plan."""
    mixed = list(case.asked)
    for place in places:
        mixed.insert(0, mixed.pop(place % len(mixed)))
    assert plan_of(Case(case.kind, [], mixed)) == plan_of(case)


@SLOW
@given(cases())
@pytest.mark.anyio
async def test_scans_leave_other_models_out(case: Case) -> None:
    """A scan finds the model's items alone."""
    scan = scan_of(case.kind.record, case.table.send).where(*case.asked)
    assert sorted(item.serial for item in await scan) == case.expected()


ENDS = [
    ("name", "{name}"),
    ("name", "R{name}"),
    ("name", "{name}#"),
    ("name", "R#{name}#{serial:03}"),
    ("name", "R#\U0010ffff{name}#X"),
    ("name", "{name:lower}#{serial:03}"),
    ("count", "{count:02}"),
    ("count", "{count:+03}#{serial:03}"),
    ("count", "R{count:02}{name}"),
    ("count", "{count:02}{serial:03}"),
    ("count", "{count:02} {name}"),
    ("price", "R#{price:05.2f}"),
    ("when", "{when}"),
    ("when", "{when:%Y-%m-%d}#{name}"),
    ("when", "R#{when:%Y-%m}"),
    ("when", "{when:%m-%Y}"),
    ("day", "{day}{name}"),
    ("day", "{day:%Y-%m}"),
    ("data", "R#{data:hex}"),
    ("data", "{data:hex}#{serial:03}"),
]


@pytest.mark.parametrize(("name", "template"), ENDS)
@pytest.mark.anyio
async def test_every_end_of_every_range(name: str, template: str) -> None:
    """Each value and each comparison, in each place that a component can have: just the items, whatever follows it."""
    kind = models(Templates("ALL", "{serial:03}", ("X", "{serial:03}"), ("Y", "{serial:03}"), template, sparse=False))
    every: dict[str, list[Any]] = {"name": TEXTS, "count": NUMBERS, "price": PRICES, "when": TIMES}
    every |= {"day": [time.date() for time in TIMES], "data": [b"", b"\x00", b"a", b"aa", b"b"]}
    values = every[name]
    texts = ["", "#", "\U0010ffff"] if name != "name" else ["a"]
    serials = itertools.count()
    items = [kind.record(serial=next(serials), **{"name": text, name: value}) for value in values for text in texts]
    attribute = getattr(kind.record, name)
    asked = [
        *(compare(attribute, v) for v in values for compare in (operator.lt, operator.le, operator.gt, operator.ge)),
        *(attribute == v for v in values),
        *(attribute.is_in(pair) for pair in itertools.pairwise(values)),
        *(attribute.between(*pair) for pair in itertools.pairwise(values)),
        *((attribute > low) & (attribute < high) for low, high in itertools.product(values, values)),
        *(attribute.begins_with(v) for v in (values if name == "name" else [])),
    ]
    for condition in asked:
        case = Case(kind, items, [condition])
        found = await query_of(kind.record, case.table.send).where(condition).using("by_local")
        assert sorted(item.serial for item in found) == case.expected("by_local"), condition
        for request in case.table.requests:
            check_request(kind.table, request)
