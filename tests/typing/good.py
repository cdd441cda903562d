"""Every use that must be clean in mypy and pyright, both strict, with no ignore; the types of all results are fixed.

Without ``from __future__ import annotations``: ``good_future.py`` has it.
"""

# ruff: noqa: RUF009 - attr() and its siblings make fields, in an ordinary attrs class too
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, ClassVar, Generic, Literal, NewType, Self, TypeVar, assert_type
from uuid import UUID, uuid4

import attrs

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    Condition,
    Credentials,
    Database,
    Index,
    ItemStream,
    Key,
    OnDemand,
    Provisioned,
    Query,
    Scan,
    Table,
    TableDescription,
    Tables,
    Timeouts,
    Update,
    attr,
    created_at,
    deleted_at,
    embedded,
    index,
    make_converter,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)

Cents = NewType("Cents", int)
Role = Literal["admin", "user"]
OwnerId = TypeVar("OwnerId")


class Colour(Enum):
    RED = "red"


@attrs.define
class Note:
    """A plain attrs class nests as well; its paths go by name."""

    text: str
    stars: int = 0


@embedded
class Country:
    code: Attr[str]


@embedded
class Address:
    street: Attr[str]
    city: Attr[str] = attr(default="Paris")
    country: Attr[Country | None] = attr(default=None)


@embedded
class Place:
    """All its attributes have defaults, so that the class itself is a factory."""

    label: Attr[str] = attr(default="")
    visitors: Attr[list[str]] = attr(factory=list)


@attrs.define(slots=False)
class Timestamped:
    """A mixin that is an ordinary attrs class."""

    created: Attr[datetime] = created_at()
    changed: Attr[datetime] = updated_at()


@attrs.define(slots=False)
class Owned(Generic[OwnerId]):
    """A generic mixin, bound by inheritance."""

    owner: Attr[OwnerId | None] = attr(default=None)


@embedded
class Named:
    """A mixin whose attributes are constructor arguments for mypy too."""

    nick: Attr[str]


def new_id() -> str:
    return "u1"


@model(table="users")
class User(Timestamped, Owned[UUID], Named):
    MAX_AGE: ClassVar[int] = 130

    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key(factory=new_id)
    email: Attr[str] = attr()
    age: Attr[int] = attr(default=0)
    height: Attr[float | None] = attr(default=None)
    balance: Attr[Decimal] = attr(default=Decimal(0), name="bal")
    price: Attr[Cents] = attr(default=Cents(0))
    role: Attr[Role] = attr(default="user")
    colour: Attr[Colour] = attr(default=Colour.RED)
    born: Attr[date | None] = attr(default=None)
    avatar: Attr[bytes] = attr(default=b"", compressed=True)
    active: Attr[bool] = attr(default=True)
    tags: Attr[set[str]] = attr(factory=set)
    numbers: Attr[frozenset[int] | None] = attr(default=None)
    scores: Attr[list[int]] = attr(factory=list)
    counts: Attr[dict[str, int]] = attr(factory=dict)
    addresses: Attr[list[Address]] = attr(factory=list)
    address: Attr[Address | None] = attr(default=None)
    place: Attr[Place] = attr(factory=Place)
    note: Attr[Note | None] = attr(default=None)
    short: Attr[Annotated[str, "at most 8"]] = attr(default="")
    raw: Attr[dict[str, Any]] = attr(factory=dict, as_json=True)
    settings: Attr[dict[str, Any]] = attr(factory=dict)
    expires: Attr[datetime | None] = ttl(default=None)
    revision: Attr[int] = version()

    by_email = index(partition="email")
    by_age = index(sort="age", local=True, projection=["email"])

    def is_adult(self) -> bool:
        return self.age >= 18

    @classmethod
    def sample(cls) -> Self:
        return cls(org="acme", email="ada@example.com", nick="ada")


shop = Table(
    "shop",
    partition_key="pk",
    sort_key="sk",
    indexes=[GSI("gsi1", "gsi1pk", "gsi1sk"), LSI("lsi1", "placed", projection="keys_only")],
    ttl="expires",
    types={"placed": "N"},
)


@model("drafts", hide_expired=True)
class Draft:
    draft_id: Attr[str] = partition_key()
    expires: Attr[int | None] = ttl(default=None)
    deleted: Attr[datetime | None] = deleted_at(name="gone")


@model(shop, unknown="keep", converter=make_converter())
class Order:
    pk: Attr[str] = partition_key()
    sk: Attr[str] = sort_key(default="ORDER")
    placed: Attr[int]
    order_id: Attr[UUID] = attr(factory=uuid4)


def constructors_and_instances() -> None:
    user = User(
        org="acme",
        email="ada@example.com",
        nick="ada",
        age=3,
        height=1,
        balance=Decimal("1.5"),
        role="admin",
        tags={"x"},
        numbers=frozenset({1}),
        scores=[1],
        address=Address(street="Rue", country=Country(code="FR")),
        note=Note("hello"),
        expires=datetime.now(UTC),
    )
    assert_type(user, User)
    assert_type(User.sample(), User)
    assert_type(user.org, str)
    assert_type(user.user_id, str)
    assert_type(user.email, str)
    assert_type(user.nick, str)
    assert_type(user.age, int)
    assert_type(user.height, float | None)
    assert_type(user.balance, Decimal)
    assert_type(user.price, Cents)
    assert_type(user.role, Role)
    assert_type(user.tags, set[str])
    assert_type(user.numbers, frozenset[int] | None)
    assert_type(user.scores, list[int])
    assert_type(user.counts, dict[str, int])
    assert_type(user.address, Address | None)
    assert_type(user.place, Place)
    assert_type(user.note, Note | None)
    assert_type(user.short, str)
    assert_type(user.created, datetime)
    assert_type(user.expires, datetime | None)
    assert_type(user.owner, UUID | None)
    assert_type(user.revision, int)
    assert_type(user.is_adult(), bool)
    assert_type(User.MAX_AGE, int)
    assert_type(User.by_email, Index)
    user.age = 4
    user.age += 1
    user.height = None
    user.tags = {"y"}
    user.tags.add("z")
    user.address = Address(street="Rue")
    assert_type(user.address.city, str)
    assert_type(user.address.country, Country | None)
    assert_type(Order(pk="CUSTOMER#1", placed=1).order_id, UUID)


def attributes_and_paths() -> None:
    assert_type(User.age, Attr[int])
    assert_type(User.height, Attr[float | None])
    assert_type(User.created, Attr[datetime])
    assert_type(User.revision, Attr[int])
    assert_type(User.address / Address.city, Attr[str])
    assert_type(User.address / Address.country / Country.code, Attr[str])
    assert_type(User.addresses[0] / Address.city, Attr[str])
    assert_type(User.scores[0], Attr[int])
    assert_type(User.counts["x"], Attr[int])
    assert_type(User.note["stars"], Attr[Any])
    assert_type(User.address["city"], Attr[Any])
    assert_type(User.settings["theme"], Attr[Any])


def conditions() -> None:
    assert_type(User.age == 3, Condition)
    assert_type(User.age != 3, Condition)
    assert_type(User.age < 3, Condition)
    assert_type(User.age >= User.revision, Condition)
    assert_type(User.height == None, Condition)  # noqa: E711 - `is None` cannot be overloaded
    assert_type(User.active == True, Condition)  # noqa: E712 - as above
    assert_type(User.height <= 2, Condition)
    assert_type(User.role == "admin", Condition)
    assert_type(User.colour != Colour.RED, Condition)
    assert_type(User.price > Cents(3), Condition)
    assert_type(User.age.between(1, 3), Condition)
    assert_type(User.role.is_in(["admin", "user"]), Condition)
    assert_type(User.email.exists() & ~User.note.not_exists(), Condition)
    assert_type((User.age < 3) | (User.age > 5) & User.email.begins_with("a"), Condition)
    assert_type(User.born.begins_with("2026-"), Condition)
    assert_type(User.created.begins_with("2026-11"), Condition)
    assert_type(Order.order_id.begins_with("ab"), Condition)
    assert_type(User.role.begins_with("ad"), Condition)
    assert_type(User.avatar.begins_with(b"\x89PNG"), Condition)
    assert_type(User.email.contains("@"), Condition)
    assert_type(User.tags.contains("x"), Condition)
    assert_type(User.numbers.contains(3), Condition)
    assert_type(User.scores.contains(3), Condition)
    assert_type(User.note.attribute_type("M"), Condition)
    assert_type(User.scores.size() >= User.tags.size(), Condition)
    assert_type(User.scores.size() == 3, Condition)
    assert_type(User.address / (Address.city == "Paris"), Condition)
    assert_type(User.address / Address.city == "Paris", Condition)


def updates() -> None:
    assert_type(User.age.set(3), Update)
    assert_type(User.height.set(None), Update)
    assert_type(User.email.set(User.nick), Update)
    assert_type(User.nick.set_default("ada"), Update)
    assert_type(User.nick.remove(), Update)
    assert_type(User.age.add(-1), Update)
    assert_type(User.height.add(0.5), Update)
    assert_type(User.balance.add(Decimal("0.1")), Update)
    assert_type(User.balance.add(1), Update)
    assert_type(User.price.add(Cents(5)), Update)
    assert_type(User.tags.add({"x"}), Update)
    assert_type(User.tags.discard({"x"}), Update)
    assert_type(User.numbers.add(frozenset({1})), Update)
    assert_type(User.scores.append([1]), Update)
    assert_type(User.scores.prepend([1, 2]), Update)
    assert_type(User.scores[0].set(3), Update)
    assert_type(User.counts["x"].add(1), Update)
    assert_type(User.address / Address.city.set("Paris"), Update)
    assert_type((User.address / Address.city).set("Paris"), Update)


async def items(db: Database, user: User) -> None:
    assert_type(await db.get(User, "a", "b"), User | None)
    assert_type(await db.get(Order, "a", "b", consistent=True, timeout=1), Order | None)
    assert_type(Key(User, "a", "b"), Key[User])
    assert_type(await db.get(Key(User, "a", "b"), consistent=True), User | None)
    assert_type(await db.create(user), User)
    assert_type(await db.save(user, timeout=2.5), User)
    await db.put(user, where=User.age < 3)
    assert_type(await db.put(user, returns="old"), User | None)
    key = Key(User, "a", "b")
    adult = (User.age < 130) & User.email.exists()
    assert_type(await db.update(key, User.age.add(1), User.tags.discard({"x"}), where=adult), User)
    assert_type(await db.update(key, User.age.add(1), upsert=True, returns="new"), User)
    assert_type(await db.update(key, User.age.add(1), returns="old"), User | None)
    await db.update(key, User.address / Address.city.set("Paris"), returns="none")
    await db.delete(user, where=User.age > 100)
    await db.delete(key)
    assert_type(await db.delete(key, returns="old"), User | None)
    assert_type(await db.delete(user, returns="old"), User | None)


async def hidden_items(db: Database, draft: Draft) -> None:
    key = Key(Draft, "a")
    assert_type(Draft.deleted, Attr[datetime | None])
    assert_type(draft.deleted, datetime | None)
    assert_type(Draft(draft_id="a", deleted=datetime.now(UTC)).expires, int | None)
    assert_type(await db.get(key, hidden=True, consistent=True), Draft | None)
    assert_type(await db.get(Draft, "a", hidden=False), Draft | None)
    await db.delete(draft, hard=True)
    assert_type(await db.delete(key, returns="old", hard=False), Draft | None)
    assert_type(await db.restore(key), Draft)
    assert_type(await db.restore(draft, timeout=3), Draft)
    old = datetime.now(UTC)
    assert_type(db.query(Draft).with_hidden().where(Draft.deleted < old), Query[Draft])
    assert_type(db.scan(Draft).select(Draft.deleted).with_hidden(), Scan[tuple[datetime | None]])


async def reading(db: Database) -> None:
    adults = db.query(User).where(User.org == "acme", User.age >= 18).descending().limit(100)
    assert_type(adults, Query[User])
    assert_type(await adults, list[User])
    assert_type(await db.query(User).where(User.org == "a").using(User.by_age).consistent(), list[User])
    assert_type(await db.query(Order).using("gsi1").page_size(20).first(), Order | None)
    async for user in adults:
        assert_type(user, User)
    stream = aiter(adults)
    assert_type(stream, ItemStream[User])
    assert_type(await anext(stream), User)
    await stream.aclose()
    everyone = db.scan(User).where(User.age > 3)
    assert_type(everyone, Scan[User])
    assert_type(await everyone, list[User])
    assert_type([user.age async for user in everyone], list[int])
    iterator: AsyncIterator[User] = aiter(everyone)
    assert_type(await anext(iterator, None), User | None)


async def tables(db: Database) -> None:
    assert_type(db.tables, Tables)
    await db.tables.ensure(User, shop, billing=OnDemand())
    assert_type(await db.tables.create(User, billing=Provisioned(read=5, write=5)), TableDescription)
    assert_type(await db.tables.describe(shop), TableDescription)
    assert_type(await db.tables.exists(User), bool)
    await db.tables.delete(User, missing_ok=True, timeout=60)


async def databases() -> None:
    async with Database(region="eu-west-1", timeouts=Timeouts(call=3)) as db:
        assert_type(db, Database)
    Database(endpoint="http://localhost:8000", credentials=("key", "secret"), lane="direct", table_prefix="x-")
    Database(credentials=Credentials("key", "secret"), lane="sdk", clock=lambda: datetime.now(UTC))
