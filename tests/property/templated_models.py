"""Models in a shared table whose keys are made by whatever templates a test draws, and items of them."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from hypothesis import strategies as st

from dynamorm_async import GSI, LSI, Attr, IndexKey, InvalidKey, Table, attr, model
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import ModelSpec, spec_of
from tests.property.reading_models import conditions_on

START = datetime(2026, 2, 27, 22, 30, tzinfo=UTC)
TEXTS = ["", "a", "A", "aa", "ab", "b", "a#", "a$", "#", "$", "a\x00", "é", "\U0010ffff", "a\U0010ffffb"]
TIMES = [START + timedelta(hours=hours) for hours in (0, 1, 2, 26, 800)]
NUMBERS = [0, 1, 2, 9, 10, 98, 99]
PRICES = [Decimal(text) for text in ("0", "0.01", "1.5", "9.99", "99.99")]


class Templates(NamedTuple):
    """The templates of a model."""

    pk: str
    sk: str
    global_: tuple[str, str]
    keys: tuple[str, str]
    local: str
    sparse: bool


class Models(NamedTuple):
    """A model, and its table, in which a stranger lives, too."""

    record: Any  # the class, made for one set of templates
    spec: ModelSpec[Any]
    table: Table


@cache
def models(templates: Templates) -> Models:
    table = Table(
        "shared",
        partition_key="pk",
        sort_key="sk",
        indexes=[
            GSI("by_global", "gpk", "gsk"),
            GSI("by_keys", "kpk", "ksk", projection="keys_only"),
            LSI("by_local", "lsk"),
        ],
    )

    @model(
        table,
        type="record",
        pk=templates.pk,
        sk=templates.sk,
        by_global=IndexKey(*templates.global_, when=(lambda it: it.flag == True) if templates.sparse else None),  # noqa: E712 - a condition
        by_keys=templates.keys,
        by_local=templates.local,
    )
    class Record:
        serial: Attr[int]
        name: Attr[str] = attr(default="a")
        when: Attr[datetime] = attr(default=START)
        day: Attr[date] = attr(default=START.date())
        count: Attr[int] = attr(default=1)
        price: Attr[Decimal] = attr(default=Decimal(0))
        flag: Attr[bool] = attr(default=False)
        data: Attr[bytes] = attr(default=b"")
        maybe: Attr[str | None] = attr(default=None)
        note: Attr[str] = attr(default="")

    @model(table, type="stranger", pk="STRANGER#{name}", sk="-", by_global=("{name}", "{name}"), by_local="{name}")
    class Stranger:
        name: Attr[str]

    del Stranger
    return Models(Record, spec_of(Record), table)


FIXED = ["{when}", "{when:%Y-%m-%d}", "{when:%Y-%m}", "{day}", "{day:%m}", "{count:02}", "{count:+03}", "{price:05.2f}"]
OPEN = ["{name}", "{name:lower}", "{flag}", "{data:hex}", "{note}"]
LITERALS = ["#", "#", "#X#", "#\U0010ffff"]
PARTITIONS = ["ALL", "P#{name}", "P#{name:lower}", "{count:02}", "{day:%Y}", "P#{name}#{count:02}"]


def sort_template(rng: random.Random, *, start: str = "", more: Sequence[str] = ()) -> str:
    """Literals and components; what has no fixed width ends with "#"."""
    text = start + rng.choice(["", "REC#", "R", "REC#\U0010ffff"])
    chosen = rng.choices(FIXED + OPEN, k=rng.randint(0 if text else 1, 3)) + list(more)
    for number, component in enumerate(chosen):
        text += component
        if component in FIXED:
            text += rng.choice(["", "#", " ", "#X#"])
        elif number < len(chosen) - 1 or rng.random() < 0.5:
            text += rng.choice(LITERALS)
    return text


def some_templates(number: int) -> Templates:
    """The templates of a number."""
    rng = random.Random(number)  # noqa: S311 - no secret
    return Templates(
        pk=rng.choice(PARTITIONS),
        sk=sort_template(rng, start="S", more=["{serial:03}"]),
        global_=(rng.choice(PARTITIONS), sort_template(rng)),
        keys=(rng.choice(PARTITIONS), sort_template(rng, more=["{maybe}"])),
        local=sort_template(rng),
        sparse=rng.random() < 0.5,
    )


# So many, not any: to make a model takes longer than to plan a query.
templates = st.integers(0, 39).map(some_templates)


@st.composite
def records(draw: st.DrawFn, kind: Models, *, most: int = 14) -> list[Any]:
    """Items of a model, with keys of their own."""
    return [
        kind.record(
            serial=number,
            name=draw(st.sampled_from(TEXTS)),
            when=draw(st.sampled_from(TIMES)),
            day=draw(st.sampled_from(TIMES)).date(),
            count=draw(st.sampled_from(NUMBERS)),
            price=draw(st.sampled_from(PRICES)),
            flag=draw(st.booleans()),
            data=draw(st.sampled_from([b"", b"\x00", b"a", b"ab"])),
            maybe=draw(st.sampled_from([None, "a", "b#"])),
            note=draw(st.sampled_from(["", "n"])),
        )
        for number in range(draw(st.integers(0, most)))
    ]


def conditions(kind: Models) -> st.SearchStrategy[Condition]:
    """Conditions on the components, and on what is none."""
    record = kind.record
    texts = st.sampled_from(TEXTS)
    return st.one_of(
        conditions_on(record.name, texts),
        conditions_on(record.name, texts),
        texts.map(record.name.begins_with),
        conditions_on(record.when, st.sampled_from(TIMES)),
        conditions_on(record.day, st.sampled_from([time.date() for time in TIMES])),
        conditions_on(record.count, st.sampled_from([*NUMBERS, 100, -1])),
        conditions_on(record.price, st.sampled_from([*PRICES, Decimal("0.005")])),
        st.booleans().map(lambda flag: record.flag == flag),
        conditions_on(record.data, st.sampled_from([b"", b"a", b"aa"])),
        conditions_on(record.maybe, st.sampled_from(["a", "b#"])),
        st.just(record.maybe != None),  # noqa: E711 - a condition
        conditions_on(record.note, st.sampled_from(["", "n"])),
    )


POOLS: dict[str, st.SearchStrategy[Any]] = {
    "name": st.sampled_from(TEXTS),
    "when": st.sampled_from(TIMES),
    "day": st.sampled_from([time.date() for time in TIMES]),
    "count": st.sampled_from([*NUMBERS, 100, -1]),
    "price": st.sampled_from([*PRICES, Decimal("0.005")]),
    "data": st.sampled_from([b"", b"\x00", b"a", b"aa"]),
    "maybe": st.sampled_from(["a", "b#"]),
    "note": st.sampled_from(["", "n"]),
    "serial": st.integers(0, 14),
}
"""Values of the attributes that have an order."""


def stored(kind: Models, items: Sequence[Any]) -> list[dict[str, Any]]:
    """Items as DynamoDB has them: one a key, without those that cannot be written."""
    assert kind.spec.derived is not None
    found: dict[str, dict[str, Any]] = {}
    for item in items:
        raw = dict(kind.spec.codec.encode(item))
        try:
            raw |= kind.spec.derived.of(raw)
        except InvalidKey:  # it would have an empty key: it cannot be written
            continue
        found[repr((raw["pk"], raw["sk"]))] = raw
    return list(found.values())


def between(raw: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Items of another model, just beside those of this one in every key."""
    taken = {(item["pk"]["S"], item["sk"]["S"]) for item in raw}
    for item, change in itertools.product(raw[:5], ("#", "$", "\x00", "\U0010ffff", "cut", "up")):
        other = {"_type": {"S": "stranger"}, "name": {"S": "a"}}
        for name in ("pk", "sk", "gpk", "gsk", "kpk", "ksk", "lsk"):
            if name in item:
                text = item[name]["S"]
                if not name.endswith("pk"):
                    text = (
                        text[:-1] or text if change == "cut" else text + change if change != "up" else f"{text[:-1]}~"
                    )
                other[name] = {"S": text}
        key = other["pk"]["S"], other["sk"]["S"]
        if key not in taken:
            taken.add(key)
            yield other
