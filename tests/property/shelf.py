"""A model whose attributes can change in place. At module level, so that its instances pickle."""

from __future__ import annotations

from typing import Any

from dynamorm_async import Attr, attr, model, partition_key


@model(table="shelves")
class Shelf:
    shelf_id: Attr[str] = partition_key()
    words: Attr[set[str]] = attr(factory=set)
    numbers: Attr[list[int]] = attr(factory=list)
    entries: Attr[dict[str, set[str]]] = attr(factory=dict)
    anything: Attr[list[Any]] = attr(factory=list)
    maybe: Attr[set[str] | None] = attr(default=None)
