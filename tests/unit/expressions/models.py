"""A model for the tests of expressions."""

from __future__ import annotations

from dynamorm_async import Attr, attr, embedded, model, partition_key


@embedded
class Address:
    city: Attr[str] = attr(name="town")
    lines: Attr[list[str]] = attr(factory=list)


@model(table="users")
class User:
    user_id: Attr[str] = partition_key(name="pk")
    age: Attr[int] = attr(default=0)
    limit: Attr[int] = attr(default=0)
    name: Attr[str | None] = attr(default=None)
    label: Attr[str | None] = attr(default="none")
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    data: Attr[bytes] = attr(default=b"")
    counts: Attr[dict[str, int]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)
