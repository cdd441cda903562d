"""Models with templated keys, for the tests of what keeps the keys of indexes right; and what their writes change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    IndexKey,
    Table,
    attr,
    created_at,
    deleted_at,
    model,
    partition_key,
    sort_key,
    updated_at,
    version,
)
from dynamorm_async.model.spec import spec_of_instance
from dynamorm_async.plan.write import Write
from dynamorm_async.plan.writes import Writes

NOW = datetime(2026, 1, 2, 3, 4, 5, 6, UTC)
STAMP = "2026-01-02T03:04:05.000006Z"
PLACED = datetime(2026, 1, 1, 10, tzinfo=UTC)
PLACED_TEXT = "2026-01-01T10:00:00.000000Z"
WRITES = Writes(prefix="", clock=lambda: NOW)

shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("gsi2", "gsi2pk", "gsi2sk"),
        GSI("gsi3", "gsi3pk"),
        LSI("lsi1", "lsi1sk"),
    ],
)


@model(
    shop,
    type="order",
    pk="CUSTOMER#{customer}",
    sk="ORDER#{placed:%Y-%m-%d}#{number}",
    gsi1=IndexKey("STATUS#{status}", "{due:04}", when=lambda order: order.status != "closed"),
    gsi2=("ORDERS", "{placed}"),
    gsi3="COUPON#{coupon}",
    lsi1="{customer}#{number}",
)
class Order:
    """Its key tells a part of one attribute only; one index holds some orders, one needs what may be None."""

    customer: Attr[str] = attr()
    placed: Attr[datetime] = attr()
    number: Attr[str] = attr()
    status: Attr[str] = attr(name="state", default="open")
    due: Attr[int] = attr(default=0)
    coupon: Attr[str | None] = attr(default=None)
    note: Attr[str] = attr(default="")
    items: Attr[dict[str, int]] = attr(factory=dict)


@model(
    shop,
    type="task",
    pk="TASK#{number}",
    sk="TASK",
    gsi1=("TASKS#{team}", "{changed}"),
    gsi2=IndexKey("LIVE#{team}", "{made}", when=lambda task: task.deleted == None),  # noqa: E711 - it makes a condition
    gsi3="OF#{owner}#{revision:06}",
)
class Task:
    """Everything that the library itself keeps is in a key."""

    number: Attr[str] = attr()
    team: Attr[str] = attr()
    owner: Attr[str | None] = attr(default=None)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


events = Table(
    "events",
    partition_key="stream",
    sort_key="at",
    indexes=[GSI("gsi1", "gsi1pk", "kind")],
    types={"at": "N"},
)


@model(events, type="event", gsi1="DAY#{day}")
class Event:
    """The table's key is its own, and so is a part of the index's."""

    stream: Attr[str] = partition_key()
    at: Attr[int] = sort_key()
    day: Attr[str] = attr()
    kind: Attr[str | None] = attr(default=None)


def order(**given: Any) -> Order:
    own: dict[str, Any] = {"customer": "c", "placed": PLACED, "number": "7"}
    return Order(**own | given)


def read(instance: Any, **table: Any) -> Any:
    """The instance as it is read from a table that has it, and what is given otherwise: ``None`` is not there."""
    spec = spec_of_instance(instance)
    item = dict(WRITES.put(instance).request.body["Item"]) | table
    return spec.codec.decode_get(
        msgspec.json.encode({"Item": {name: value for name, value in item.items() if value is not None}})
    )


def changed(write: Write | None, *names: str) -> dict[str, Any]:
    """What an update does to derived attributes (or those named), by name: the value, ``None`` for REMOVE."""
    assert write is not None
    body = write.request.body
    found: dict[str, Any] = {}
    for clause in clauses(body["UpdateExpression"]):
        verb, _, rest = clause.partition(" ")
        for one in split(rest):
            alias, _, operand = one.partition(" = ")
            name = body["ExpressionAttributeNames"][alias.split(" ")[0].split(".")[0]]
            if name in names or (not names and name not in write.spec.python_names):
                found[name] = None if verb == "REMOVE" else operand_of(body, operand)
    return found


def clauses(text: str) -> list[str]:
    for verb in ("SET", "REMOVE", "ADD", "DELETE"):
        text = text.replace(f" {verb} ", f"\n{verb} ")
    return text.split("\n")


def split(text: str) -> list[str]:
    """At the commas outside of parentheses."""
    parts, depth, current = list[str](), 0, ""
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and not depth:
            parts.append(current.strip())
            current = ""
        else:
            current += character
    return [*parts, current.strip()]


def operand_of(body: dict[str, Any], text: str) -> Any:
    """A value; that of ``if_not_exists`` in a list."""
    values = body.get("ExpressionAttributeValues", {})
    if text.startswith("if_not_exists("):
        return [next(iter(values[text.rstrip(")").split(", ")[1]].values()))]
    return next(iter(values[text].values())) if text in values else text
