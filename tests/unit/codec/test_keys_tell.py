"""Items of which some attributes are known from their keys alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
import pytest

from dynamorm_async import GSI, Attr, DecodeError, Table, attr, model
from dynamorm_async.model.spec import spec_of

table = Table(
    "told",
    partition_key="pk",
    sort_key="digest",
    types={"digest": "B"},
    indexes=[GSI("by_group", "gpk", "gsk", projection="keys_only")],
)


@model(table, type="file", pk="FILE#{name}", digest="{hash}", by_group=("GROUP#{group}", "{rank:02}"))
class File:
    name: Attr[str]
    hash: Attr[bytes]
    group: Attr[str] = attr(default="none")
    rank: Attr[int] = attr(default=0)
    note: Attr[str] = attr(default="")


CODEC = spec_of(File).codec
KEYS = {"pk": {"S": "FILE#a$23b"}, "digest": {"B": "YQ=="}, "gpk": {"S": "GROUP#g"}, "gsk": {"S": "07"}}
HELD = frozenset(KEYS)
TOLD = frozenset({"name", "hash", "group", "rank"})


def page(*items: Mapping[str, object]) -> bytes:
    return msgspec.json.encode({"Items": items, "Count": len(items), "ScannedCount": len(items)})


def test_what_keys_tell_is_no_default() -> None:
    """Of an index of keys alone, components are what the keys say, also those that have a default; others are not there."""
    (file,) = CODEC.partial(HELD, TOLD).decode_page(page(KEYS)).items
    assert (file.name, file.hash, file.group, file.rank) == ("a#b", b"a", "g", 7)
    assert "note" not in vars(file)
    assert CODEC.partial(HELD, TOLD) is CODEC.partial(HELD, TOLD)
    assert CODEC.partial(HELD) is not CODEC.partial(HELD, TOLD)


def test_positions_come_from_the_keys() -> None:
    """A page tells the key of each of its items, with bytes as bytes."""
    content = CODEC.partial(HELD, TOLD).decode_page(page(KEYS))
    assert content.key_at(0, ("pk", "digest")) == {"pk": {"S": "FILE#a$23b"}, "digest": {"B": b"a"}}


def test_keys_of_nobodys_items() -> None:
    """A key that no template made tells nothing: the item does not fit, and the error says what it lacks."""
    with pytest.raises(DecodeError, match="name"):
        CODEC.partial(HELD, TOLD).decode_page(page({**KEYS, "pk": {"S": "OTHER"}}))


def test_a_whole_item_without_a_component_of_bytes() -> None:
    """Other programs may write the key alone: it is the attribute, as it is stored."""
    found = CODEC.decode_get(msgspec.json.encode({"Item": {**KEYS, "_type": {"S": "file"}}}))
    assert found is not None
    assert (found.name, found.hash) == ("a#b", b"a")
