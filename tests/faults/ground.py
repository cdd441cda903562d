"""What the fault matrix works on: models, their tables in the engines, and a look at the engines past library and proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TypeVar, cast

import msgspec

from dynamorm_async import (
    Attr,
    OnDemand,
    Table,
    attr,
    created_at,
    deleted_at,
    model,
    partition_key,
    sort_key,
    unique,
    updated_at,
    vector_index,
    version,
)
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.tables import create_table
from dynamorm_async.plan.writes import Writes
from tests.contract.differences import differs
from tests.engines import call

M = TypeVar("M")
Wire = dict[str, Any]  # wire JSON

PREFIX = "faults-"
FIXED = 5
"""How many items there are to be read."""


@model(table="things")
class Thing:
    """No version and no times: nothing tells writers apart."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    hits: Attr[int] = attr(default=0)
    entries: Attr[list[int]] = attr(factory=list)
    text: Attr[str] = attr(default="-")


@model(table="papers")
class Paper:
    """Everything that the library keeps: version, times and the mark of a soft delete."""

    paper: Attr[str] = partition_key()
    text: Attr[str] = attr(default="-")
    made: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()
    gone: Attr[datetime | None] = deleted_at()
    revision: Attr[int] = version()


@model(table="members")
class Member:
    """A unique value: its writes are transactions."""

    member: Attr[str] = partition_key()
    email: Attr[str | None] = attr(default=None)

    one_email = unique("email")


@model(table="fixed")
class Fixed:
    """What is read; never written."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    odd: Attr[str] = attr(default="-")


racks = Table("racks", partition_key="PK", sort_key="SK", discriminator="kind")


@model(racks, type="box", PK="RACK#{rack:raw}", SK="BOX#{number:03}")
class Box:
    """One of two models of a table."""

    rack: Attr[str] = attr()
    number: Attr[int] = attr()


@model(racks, type="lid", PK="RACK#{rack:raw}", SK="LID#{number:03}")
class Lid:
    """The other one."""

    rack: Attr[str] = attr()
    number: Attr[int] = attr()


@model(table="pictures")
class Picture:
    """What is searched by its vector."""

    shelf: Attr[str] = partition_key()
    number: Attr[int] = sort_key()
    title: Attr[str] = attr(default="-")
    look: Attr[list[float] | None] = attr(default=None)

    by_look = vector_index("look", dimensions=2, distance="euclidean")


MODELS = (Thing, Paper, Member, Fixed, Box)
SHELF = "one"
FIXED_ITEMS = [Fixed(shelf=SHELF, number=number, odd=("even", "odd")[number % 2]) for number in range(FIXED)]
BOXES = [Box(rack=SHELF, number=number) for number in range(2)]
LIDS = [Lid(rack=SHELF, number=number) for number in range(2)]
PICTURES = [Picture(shelf=SHELF, number=number, title=f"t{number}", look=[float(number), 0.0]) for number in range(3)]


@dataclass
class Ground:
    """One cell's place in an engine.

    Attributes:
        engine: its name.
        endpoint: its address.
        key: the partition key of everything that the cell writes.
    """

    engine: str
    endpoint: str
    key: str

    def ask(self, operation: str, body: Wire) -> Wire:
        """One call to the engine itself."""
        status, answer = call(self.endpoint, operation, body)
        assert status == HTTPStatus.OK, (operation, status, answer)
        return answer

    def put(self, item: object) -> None:
        """Store an instance as the library would, but for its times and version, which are what they are."""
        spec = spec_of(type(item))
        self.ask("PutItem", {"TableName": PREFIX + spec.table.name, "Item": jsonable(spec.codec.encode(item))})

    def item(self, cls: type, *key: object) -> Wire | None:
        """What is stored of a model under a key."""
        spec: ModelSpec[Any] = spec_of(cls)
        values = jsonable(spec.codec.encode_key(*key))
        body = {"TableName": PREFIX + spec.table.name, "Key": values, "ConsistentRead": True}
        return self.ask("GetItem", body).get("Item")

    def load(self, cls: type[M], *key: object) -> M:
        """The instance as ``db.get`` would have read it."""
        found = spec_of(cls).reader.decode_get(json.dumps({"Item": self.item(cls, *key)}).encode())
        assert found is not None
        return found

    def number(self, cls: type, attribute: str, *key: object) -> int:
        """A number of a stored item; 0 where there is none."""
        return int(((self.item(cls, *key) or {}).get(attribute) or {"N": "0"})["N"])

    @property
    def has_partiql(self) -> bool:
        return not differs(self.engine, "partiql")

    @property
    def has_vectors(self) -> bool:
        return not differs(self.engine, "vector-indexes")


def made_table(ground: Ground) -> Table:
    """A table of the cell's own, to be made and deleted."""
    return Table(f"made-{ground.key}", partition_key="made")


def jsonable(item: Mapping[str, Any]) -> Wire:
    """An item of the library as wire JSON."""
    return cast("Wire", msgspec.json.decode(msgspec.json.encode(item)))


def make_tables(engine: str, endpoint: str) -> None:
    """Make the tables, and store what is there to be read; nothing where they are there."""
    ground = Ground(engine, endpoint, "")
    tables = {spec_of(cls).table.name: spec_of(cls).table for cls in MODELS}
    markers = spec_of(Member).marker_table
    assert markers is not None
    tables[markers.name] = markers
    if ground.has_vectors:
        tables["pictures"] = spec_of(Picture).table
    if call(endpoint, "DescribeTable", {"TableName": PREFIX + "things"})[0] == HTTPStatus.OK:
        return
    for name, table in tables.items():
        ground.ask("CreateTable", create_table(table, PREFIX + name, OnDemand()))
    items: list[object] = [*FIXED_ITEMS, *BOXES, *LIDS]
    writes = Writes(prefix=PREFIX, clock=lambda: datetime.now(UTC))
    for item in items + (list[object](PICTURES) if ground.has_vectors else []):
        ground.ask("PutItem", jsonable(writes.put(item).request.body))
