"""What a model hides: how it is declared, and what is refused."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from dynamorm_async import Attr, attr, deleted_at, embedded, index, model, partition_key, ttl
from dynamorm_async.model.spec import ModelSpec, spec_of
from tests.unit.model.refusals import refused


@model(table="both", hide_expired=True)
class Both:
    pk: Attr[str] = partition_key()
    expires: Attr[int | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at(name="gone")


@model(table="soft")
class Soft:
    pk: Attr[str] = partition_key()
    deleted: Attr[datetime | None] = deleted_at()


@model(table="expiring", hide_expired=True)
class Expiring:
    pk: Attr[str] = partition_key()
    expires: Attr[datetime] = ttl()


@model(table="open")
class Open:
    pk: Attr[str] = partition_key()
    expires: Attr[datetime | None] = ttl(default=None)


def test_the_record_knows_what_is_hidden() -> None:
    """Neither a ttl() by itself nor anything else makes a model hide items: only the option, or deleted_at()."""
    declared = {cls: (spec.hide_expired, spec.deleted_at is not None, spec.hides) for cls, spec in _specs().items()}
    assert declared == {
        Both: (True, True, True),
        Soft: (False, True, True),
        Expiring: (True, False, True),
        Open: (False, False, False),
    }
    mark = spec_of(Both).deleted_at
    assert mark is not None
    assert (mark.name, mark.wire, mark.default) == ("deleted", "gone", None)


def _specs() -> dict[type, ModelSpec[Any]]:
    return {cls: spec_of(cls) for cls in (Both, Soft, Expiring, Open)}


def test_a_new_instance_is_not_deleted() -> None:
    """The mark is None by default, and then nothing is stored for it; given, it is text of fixed width in UTC."""
    codec = spec_of(Both).codec
    assert codec.encode(Both(pk="a")) == {"pk": {"S": "a"}}
    at = datetime.fromisoformat("2026-01-02T05:04:05+02:00")
    assert codec.encode(Both(pk="a", deleted=at))["gone"] == {"S": "2026-01-02T03:04:05.000000Z"}


def test_hiding_what_never_expires_is_refused() -> None:
    """hide_expired= without a ttl() attribute would hide nothing, which is surely not what was meant."""
    with refused("Item", "hide_expired=True", "ttl()"):

        @model(table="items", hide_expired=True)
        class Item:
            item_id: Attr[str] = partition_key()
            expires: Attr[datetime | None] = attr(default=None)


def test_two_marks_are_refused() -> None:
    """An item is deleted once."""
    with refused("Item", "two deleted_at() attributes", "gone", "removed"):

        @model(table="items")
        class Item:
            item_id: Attr[str] = partition_key()
            gone: Attr[datetime | None] = deleted_at()
            removed: Attr[datetime | None] = deleted_at()


@pytest.mark.parametrize("annotation", ["Attr[datetime]", "Attr[int | None]", "Attr[str | None]"])
def test_a_mark_of_another_type_is_refused(annotation: str) -> None:
    """The mark is a time or None; the message says what to write."""

    class Item:
        item_id: Attr[str] = partition_key()
        gone = deleted_at()

    Item.__annotations__["gone"] = annotation
    with refused("Item.gone", "deleted_at() wants Attr[datetime | None]"):
        model(table="items")(Item)


def test_a_mark_belongs_to_a_model() -> None:
    """What is nested in an item is not deleted by itself."""
    with refused("Part.gone", "deleted_at() belongs to a model"):

        @embedded
        class Part:
            gone: Attr[datetime | None] = deleted_at()


def test_a_mark_can_be_the_key_of_an_index() -> None:
    """Such an index holds the soft-deleted items and no others."""

    @model(table="items")
    class Item:
        item_id: Attr[str] = partition_key()
        owner: Attr[str] = attr()
        gone: Attr[datetime | None] = deleted_at()

        bin = index(partition="owner", sort="gone")

    (declared,) = spec_of(Item).table.indexes
    assert [part.name for part in declared.sort] == ["gone"]
