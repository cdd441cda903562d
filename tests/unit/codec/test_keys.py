"""Keys from key values, and from items that were read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeVar

import msgspec
import pytest

from dynamorm_async import GSI, Attr, InvalidKey, Table, attr, index, model, partition_key, sort_key
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.model.spec import spec_of

M = TypeVar("M")

AT = datetime(2026, 1, 2, tzinfo=UTC)
table = Table("kept", partition_key="pk", sort_key="sk", discriminator="kind", indexes=[GSI("by_state", "state")])


@model(table="readings")
class Reading:
    place: Attr[str] = partition_key(name="p l")
    at: Attr[datetime] = sort_key()
    value: Attr[Decimal] = attr(name="v")
    digest: Attr[bytes | None] = attr(default=None)
    state: Attr[str] = attr(default="new")
    by_value = index(partition="value", sort="digest")


@model(table, type="note", pk="NOTE#{number}", sk="NOTE")
class Note:
    number: Attr[int] = attr()
    state: Attr[str] = attr()


def row_of(codec: ItemCodec[M], item: object) -> msgspec.Struct:
    """What the compiled path makes of an item before it is an instance."""
    body = msgspec.json.encode({"Items": [item], "Count": 1, "ScannedCount": 1})
    row = codec.decode_page(body).sources[0]
    assert isinstance(row, msgspec.Struct), "the compiled path did not read it"
    return row


def test_the_named_attributes_of_a_row() -> None:
    """As a write of the whole item would have them, whatever their types; in the order of the names."""
    codec = spec_of(Reading).codec
    written = codec.encode(Reading(place="Köln", at=AT, value=Decimal("1.50"), digest=b"\xff"))
    row = row_of(codec, written)
    names = ("v", "digest", "at", "p l")
    assert list(codec.key_in(row, names).items()) == [(name, written[name]) for name in names]
    assert codec.key_in(row, ("at",)) == {"at": written["at"]}


@pytest.mark.parametrize("digest", [{}, {"digest": {"NULL": True}}])
def test_what_a_row_does_not_have_is_left_out(digest: dict[str, object]) -> None:
    """An absent attribute is not told by its default; nor is one that the model does not have."""
    codec = spec_of(Reading).codec
    item = {"p l": {"S": "x"}, "at": {"S": "2026-01-02T00:00:00.000000Z"}, "v": {"N": "1"}, **digest}
    assert codec.key_in(row_of(codec, item), ("v", "digest", "state", "other")) == {"v": {"N": "1"}}


def test_carried_attributes_of_a_row() -> None:
    """Templated keys and the type are read beside the model's own attributes, as they stand in the item."""
    codec = spec_of(Note).codec
    item = {
        "pk": {"S": "NOTE#7"},
        "sk": {"S": "NOTE"},
        "kind": {"S": "note"},
        "number": {"N": "7"},
        "state": {"S": "a"},
    }
    row = row_of(codec, item)
    assert codec.key_in(row, ("pk", "state", "sk")) == {name: item[name] for name in ("pk", "state", "sk")}


@pytest.mark.parametrize("text", ["a", "a" * 2048, "\u00e9" * 1024, "\U0001f600" * 512])
def test_the_longest_text_of_a_key(text: str) -> None:
    """2,048 bytes of UTF-8, however many characters they are."""
    assert spec_of(Reading).codec.encode_key(text, AT)["p l"] == {"S": text}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty, but it is the partition key"),
        ("a" * 2049, "has 2049 bytes, but it is the partition key"),
        ("\u00e9" * 1025, "has 2050 bytes, but it is the partition key"),
        ("\ud800", "holds half a surrogate pair"),
        (7, r"expected str, got 7 \(int\)"),
        (None, r"expected str, got None \(NoneType\)"),
    ],
)
def test_a_value_that_is_no_key(text: object, why: str) -> None:
    """The error names the attribute and what is wrong with its value; of several, those of the first."""
    encode = spec_of(Reading).codec.encode_key
    for other in (AT, "no datetime"):
        with pytest.raises(InvalidKey, match=rf"^Reading\.place: {why}") as caught:
            encode(text, other)
        assert caught.value.__suppress_context__
    with pytest.raises(InvalidKey, match=r"^Reading\.at: expected datetime"):
        encode("x", "no datetime")
