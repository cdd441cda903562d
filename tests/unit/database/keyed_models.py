"""Models that are read by key: with and without a sort key, of every key type, and two in one table."""

from __future__ import annotations

from dynamorm_async import Attr, Table, attr, embedded, model, partition_key, sort_key


@embedded
class Address:
    street: Attr[str]
    city: Attr[str] = attr(name="town", default="Rome")


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    number: Attr[int] = sort_key(name="n")
    email: Attr[str] = attr(default="-")
    age: Attr[int | None] = attr(default=None)
    tags: Attr[set[str]] = attr(factory=set)
    scores: Attr[list[int]] = attr(factory=list)
    notes: Attr[dict[str, str]] = attr(factory=dict)
    address: Attr[Address | None] = attr(default=None)


@model(table="orders")
class Order:
    order_id: Attr[str] = partition_key()
    total: Attr[int] = attr(default=0)


@model(table="blobs")
class Blob:
    digest: Attr[bytes] = partition_key()
    size: Attr[int] = attr(default=0)


SHARED = Table("shared", partition_key="pk", sort_key="sk")


@model(SHARED)
class Narrow:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    text: Attr[str] = attr(default="")


@model(SHARED, unknown="keep")
class Wide:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    text: Attr[str] = attr(default="")
    more: Attr[int] = attr(default=0)


@model(SHARED, unknown="forbid")
class Strict:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key()
    text: Attr[str] = attr(default="")


def user(number: int) -> User:
    return User(org="acme", number=number, email=f"u{number}@example.com", age=number)


USERS = [user(number) for number in range(300)]
