"""Models whose keys of indexes depend on all that writes move, and what must hold of every stored item."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

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
    updated_at,
    version,
)
from dynamorm_async.model.registry import models_of

desk = Table(
    "desk",
    partition_key="pk",
    sort_key="sk",
    indexes=[
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("gsi2", "gsi2pk", "gsi2sk"),
        GSI("gsi3", "gsi3pk", "gsi3sk"),
        GSI("gsi4", "gsi4pk"),
        LSI("lsi1", "lsi1sk"),
    ],
)


@model(
    desk,
    type="job",
    pk="TEAM#{team}",
    sk="JOB#{at:%Y-%m-%d}#{number:03}",
    gsi1=IndexKey("STATE#{state}", "{due}", when=lambda job: job.state != "done"),
    gsi2=("JOBS#{title}", "{changed}"),
    gsi3=("OWNER#{owner}", "{at}"),
    gsi4=IndexKey("{made}", when=lambda job: job.deleted == None),  # noqa: E711 - it makes a condition
    lsi1="{points:03}#{number:03}",
)
class Job:
    """Versioned, with times, and really deleted only on demand."""

    team: Attr[str] = attr()
    at: Attr[datetime] = attr()
    number: Attr[int] = attr()
    title: Attr[str] = attr()
    state: Attr[str] = attr(default="open", name="st")
    due: Attr[date | None] = attr(default=None)
    owner: Attr[str | None] = attr(default=None)
    points: Attr[int] = attr(default=0)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


@model(
    desk,
    type="memo",
    pk="TEAM#{team}",
    sk="MEMO#{number:03}",
    gsi1=("MEMOS", "{title}#{points:03}"),
    gsi2=IndexKey("OWNER#{owner}", "{title}#{points:03}", when=lambda memo: (memo.points > 1) | (memo.state == "open")),
    gsi3=("MEMOS", "{made}"),
    gsi4=IndexKey("{team}", when=lambda memo: memo.tags.contains("x")),
)
class Memo:
    """Without a version, so that others may overtake a save."""

    team: Attr[str] = attr()
    number: Attr[int] = attr()
    title: Attr[str] = attr()
    state: Attr[str] = attr(default="open")
    owner: Attr[str | None] = attr(default=None)
    points: Attr[int] = attr(default=0)
    tags: Attr[set[str]] = attr(factory=set)
    made: Attr[datetime] = created_at()


@model(
    desk,
    type="ticket",
    pk="TEAM#{team}",
    sk="TICKET#{number:03}",
    gsi1=("{title}", "{revision:04}"),
    gsi2=("{team}", "{changed}"),
    gsi3=IndexKey("OWNER#{owner}", "{revision:04}#{points:03}", when=lambda ticket: ticket.revision >= 2),
)
class Ticket:
    """Its version is in keys, so that each write moves them."""

    team: Attr[str] = attr()
    number: Attr[int] = attr()
    title: Attr[str] = attr()
    state: Attr[str] = attr(default="open")
    owner: Attr[str | None] = attr(default=None)
    points: Attr[int] = attr(default=0)
    changed: Attr[datetime] = updated_at()
    revision: Attr[int] = version()


def check_derived(raw: Mapping[str, Any]) -> None:
    """The law: an item has exactly the derived attributes that its own attributes give."""
    spec = next(spec for spec in models_of(desk) if {"S": spec.type} == raw["_type"])
    derived = spec.derived
    assert derived is not None
    names = {carried.name for model in models_of(desk) if model.derived for carried in model.derived.carried}
    assert {name: value for name, value in raw.items() if name in names} == derived.of(raw)
