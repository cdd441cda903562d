"""A shared table of models with templated keys, for the contract tests of keys of indexes, and how they are looked at."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dynamorm_async import (
    GSI,
    Attr,
    Database,
    IndexKey,
    Table,
    attr,
    created_at,
    deleted_at,
    model,
    unique,
    updated_at,
    version,
)
from dynamorm_async.codec.answers import bytes_in
from dynamorm_async.model.registry import models_of
from dynamorm_async.model.spec import spec_of_instance
from tests.contract.models import connect
from tests.engines import Lane, call

PREFIX = "keys-"
START = datetime(2026, 1, 1, tzinfo=UTC)

depot = Table(
    "depot",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), GSI("gsi2", "gsi2pk", "gsi2sk"), GSI("gsi3", "gsi3pk")],
)


@model(
    depot,
    type="parcel",
    pk="SENDER#{sender}",
    sk="PARCEL#{sent:%Y-%m-%d}#{number:04}",
    gsi1=IndexKey("STATUS#{status}", "{due:%Y-%m-%d}", when=lambda parcel: parcel.status != "delivered"),
    gsi2=("DRIVER#{driver}", "{sent}"),
    gsi3=IndexKey("{photo:hex}", when=lambda parcel: parcel.labels.contains("seen") & (parcel.weight > 1)),
)
class Parcel:
    """Without a version: what a save makes keys from may be changed by others."""

    sender: Attr[str] = attr()
    sent: Attr[datetime] = attr()
    number: Attr[int] = attr()
    status: Attr[str] = attr(default="sent")
    due: Attr[datetime] = attr(default=START)
    driver: Attr[str | None] = attr(default=None)
    photo: Attr[bytes | None] = attr(default=None)
    labels: Attr[set[str]] = attr(factory=set)
    weight: Attr[int] = attr(default=0)
    note: Attr[str] = attr(default="text")


@model(
    depot,
    type="claim",
    pk="CLAIM#{number}",
    sk="CLAIM",
    gsi1=("CLAIMS#{kind}", "{changed}"),
    gsi2=IndexKey("OPEN#{kind}", "{made}", when=lambda claim: claim.deleted == None),  # noqa: E711 - it makes a condition
    gsi3="MAIL#{mail}",
)
class Claim:
    """All that the library itself keeps, and a unique value."""

    number: Attr[str] = attr()
    kind: Attr[str] = attr()
    mail: Attr[str | None] = attr(default=None)
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    deleted: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()

    one_mail = unique("mail")


class Clock:
    """A time that is a second later each time."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
async def keyed(endpoint: str, lane: Lane, made: set[str]) -> AsyncIterator[Database]:
    """An open database with the table, whose clock never stands still."""
    async with connect(endpoint, lane, prefix=PREFIX, clock=Clock()) as database:
        if endpoint not in made:
            await database.tables.ensure(Claim)
            made.add(endpoint)
        yield database


@pytest.fixture(scope="session")
def made() -> set[str]:
    """The endpoints of the engines that have the table."""
    return set()


def raw_of(endpoint: str, instance: Parcel | Claim) -> dict[str, Any] | None:
    """The item as it is in the table."""
    key = spec_of_instance(instance).codec.key_of(instance)
    body = {"TableName": f"{PREFIX}depot", "Key": key, "ConsistentRead": True}
    return call(endpoint, "GetItem", body)[1].get("Item")


def derived_in(raw: Mapping[str, Any]) -> dict[str, Any]:
    """The derived attributes that an item has."""
    names = {one.name for spec in models_of(depot) if spec.derived is not None for one in spec.derived.carried}
    return {name: value for name, value in raw.items() if name in names}


def keys_of(endpoint: str, instance: Parcel | Claim) -> dict[str, str]:
    """An item's keys of indexes, which are exactly those that its attributes give."""
    raw, spec = raw_of(endpoint, instance), spec_of_instance(instance)
    assert raw is not None
    assert spec.derived is not None
    assert derived_in(raw) == spec.derived.of(bytes_in(raw))
    return {name: value["S"] for name, value in derived_in(raw).items() if name.startswith("gsi")}
