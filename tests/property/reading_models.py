"""Models with every kind of index, and items of them, for the tests of reading."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from dynamorm_async import Attr, attr, index, model, partition_key, sort_key
from dynamorm_async.database.access import Access, Send
from dynamorm_async.database.reading import Query, Scan
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.cursors import CursorCodec

M = TypeVar("M")


@model(table="events")
class Event:
    stream: Attr[str] = partition_key()
    seq: Attr[int] = sort_key()
    kind: Attr[str] = attr(default="odd")
    region: Attr[str] = attr(default="eu", name="r")
    weight: Attr[int] = attr(default=0)
    owner: Attr[str | None] = attr(default=None)
    note: Attr[str] = attr(default="")
    scores: Attr[list[int]] = attr(factory=list)

    by_weight = index(sort="weight", local=True)
    by_note_only = index(sort="kind", local=True, projection=["note"])
    by_kind = index(partition="kind", sort="seq")
    by_region = index(partition="region")
    by_owner = index(partition="region", sort="owner")
    keys_by_kind = index(partition="kind", sort="weight", projection="keys_only")
    notes_by_region = index(partition="region", sort="weight", projection=["note"])
    by_place = index(partition=("region", "kind"), sort=("weight", "seq"))


@model(table="plain")
class Plain:
    plain_id: Attr[str] = partition_key()
    group: Attr[str] = attr(default="a")
    size: Attr[int] = attr(default=0)

    by_group = index(partition="group")


def access_of(send: Send, *secrets: str, now: float = 0.0) -> Access:
    return Access(
        send=send,
        cursors=CursorCodec(secrets, lifetime=60.0, now=lambda: now),
        clock=lambda: datetime.fromtimestamp(now, UTC),
    )


def query_of(model_: type[M], send: Send, *secrets: str) -> Query[M]:
    spec = spec_of(model_)
    return Query(spec, spec.table.name, access_of(send, *secrets))


def scan_of(model_: type[M], send: Send, *secrets: str) -> Scan[M]:
    spec = spec_of(model_)
    return Scan(spec, spec.table.name, access_of(send, *secrets))


def raw_items(*items: object) -> list[dict[str, Any]]:
    """Instances as DynamoDB has them."""
    return [dict(spec_of(type(item)).codec.encode(item)) for item in items]


texts = st.sampled_from(["a", "b", "é", "eu", "odd", ""])
numbers = st.integers(-2, 4)


def conditions_on(attribute: Attr[Any], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Condition]:
    """Conditions of every kind on one attribute."""
    pair = st.tuples(values, values)
    return st.one_of(
        values.map(lambda v: attribute == v),
        values.map(lambda v: attribute == v),  # twice as often: a query needs one
        values.map(lambda v: attribute != v),
        values.map(lambda v: attribute < v),
        values.map(lambda v: attribute <= v),
        values.map(lambda v: attribute > v),
        values.map(lambda v: attribute >= v),
        pair.map(lambda p: attribute.between(*p)),
        pair.map(lambda p: (attribute >= min(p)) & (attribute <= max(p))),
        st.lists(values, min_size=1, max_size=3).map(attribute.is_in),
        pair.map(lambda p: (attribute == p[0]) | (attribute == p[1])),
        values.map(lambda v: ~(attribute == v)),
        st.just(attribute.exists()),
        st.just(attribute.not_exists()),
    )


TEXTS = (Event.stream, Event.kind, Event.region, Event.owner, Event.note)
event_conditions = st.one_of(
    *(conditions_on(attribute, texts) for attribute in TEXTS),
    *(conditions_on(attribute, numbers) for attribute in (Event.seq, Event.weight)),
    *(texts.map(attribute.begins_with) for attribute in TEXTS),
    st.just(Event.kind == Event.region),
    numbers.map(lambda n: Event.scores.size() > n),
)
plain_conditions = st.one_of(
    conditions_on(Plain.plain_id, texts), conditions_on(Plain.group, texts), conditions_on(Plain.size, numbers)
)


@st.composite
def event_lists(draw: st.DrawFn, *, most: int = 12) -> list[Event]:
    """Events with keys of their own, in a few partitions."""
    keys = draw(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 20)), max_size=most, unique=True))
    return [
        Event(
            stream=stream,
            seq=seq,
            kind=draw(st.sampled_from(["odd", "even"])),
            weight=draw(st.integers(0, 3)),
            owner=draw(st.sampled_from([None, "ada", "bob"])),
            note=f"{stream}{seq}",
        )
        for stream, seq in keys
    ]


def nested(conditions: list[Condition], choices: Iterator[int]) -> list[Condition]:
    """The same conditions, some of them joined by ``&``, in whatever nesting the choices make."""
    parts = list(conditions)
    with suppress(StopIteration):
        while len(parts) > 1:
            place = next(choices) % len(parts)
            if place + 1 < len(parts):
                parts[place : place + 2] = [parts[place] & parts[place + 1]]
    return parts


def filled(count: int, *, streams: str = "a") -> list[dict[str, Any]]:
    return raw_items(
        *(Event(stream=s, seq=n, kind="odd" if n % 2 else "even", owner="ada") for s in streams for n in range(count))
    )


Read: TypeAlias = Query[Event] | Scan[Event]


async def collect(read: Read) -> None:
    await read


async def iterate(read: Read) -> None:
    async for _event in read:
        for _ in range(5):
            await asyncio.sleep(0)  # a slow consumer, so that whatever is fetched ahead is


async def page_by_page(read: Read) -> None:
    async for _page in read.pages():
        for _ in range(5):
            await asyncio.sleep(0)
