"""Variants: registered with every base, read as their own class, and refused where calls on a base could not keep them right."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from dynamorm_async import (
    GSI,
    Attr,
    DecodeError,
    IndexKey,
    ModelError,
    Table,
    attr,
    deleted_at,
    model,
    partition_key,
    ttl,
    unique,
    updated_at,
    version,
)
from dynamorm_async.codec.variant_reader import VariantReader
from dynamorm_async.model.spec import spec_of


@model("payments", type="payment")
class Payment:
    account: Attr[str] = partition_key()
    cents: Attr[int] = attr(default=0)


def item(kind: str | None, **more: Any) -> dict[str, Any]:
    tag = {} if kind is None else {"_type": {"S": kind}}
    return {"account": {"S": "a"}, "last4": {"S": "1"}, **tag, **more}


def body(field: str, raw: Any) -> bytes:
    return msgspec.json.encode({field: raw})


@pytest.mark.parametrize("tag", ["card", 7, None, {"N": "7"}, {}])
def test_a_discriminator_that_is_no_type_of_the_model_is_told(tag: object) -> None:
    """What is no AttributeValue of text, too, as in a backup that was written by hand."""

    @model("payments", type="payment")
    class Payment:
        pk: Attr[str] = partition_key()

    with pytest.raises(DecodeError, match=r"by its _type, not 'payment': it is of another model"):
        spec_of(Payment).codec.decode({"pk": {"S": "a"}, "_type": tag})


def test_a_model_without_variants_is_read_by_its_codec() -> None:
    """The reader is the codec itself; once a variant is declared, also later, it dispatches."""

    @model("later", type="base")
    class Base:
        pk: Attr[str] = partition_key()

    spec = spec_of(Base)
    raw = {"pk": {"S": "a"}, "_type": {"S": "late"}}
    assert spec.reader is spec.codec
    with pytest.raises(DecodeError, match="it is of another model"):
        spec.reader.decode(raw)

    @model(type="late")
    class Late(Base):
        extra: Attr[int] = attr(default=3)

    assert isinstance(spec.reader, VariantReader)
    before = spec.reader
    assert isinstance(spec.reader.decode(raw), Late)

    @model(type="later")
    class Later(Late):
        pass

    assert spec.reader is before
    assert isinstance(spec.reader.decode({**raw, "_type": {"S": "later"}}), Later)
    assert isinstance(spec_of(Late).reader.decode({**raw, "_type": {"S": "later"}}), Later)
    assert spec_of(Later).reader is spec_of(Later).codec


@model(type="card")
class Card(Payment):
    last4: Attr[str]


@model(type="credit")
class CreditCard(Card):
    limit: Attr[int] = attr(default=7)


@pytest.mark.parametrize(
    ("kind", "cls"), [("payment", Payment), ("card", Card), ("credit", CreditCard), (None, Payment)]
)
def test_every_way_of_decoding_gives_the_class_of_the_type(kind: str | None, cls: type) -> None:
    """Answers of gets, writes and pages, single items, and items as JSON; without a type, the model that was asked for."""
    reader, raw = spec_of(Payment).reader, item(kind)
    found = [
        reader.decode_get(body("Item", raw)),
        reader.decode_written(body("Attributes", raw)),
        reader.decode_item(msgspec.Raw(msgspec.json.encode(raw))),
        reader.decode(raw),
        *reader.decode_page(body("Items", [raw, raw])).items,
    ]
    assert [type(each) for each in found] == [cls] * 6
    assert all(each == found[0] for each in found)


def test_answers_without_an_item_are_none() -> None:
    """A get that finds nothing, and a write that returns nothing."""
    reader = spec_of(Payment).reader
    assert reader.decode_get(b"{}") is None
    assert reader.decode_written(b"{}") is None
    assert reader.decode_page(b'{"Items": []}').items == []


@pytest.mark.parametrize("kind", [{"S": "bank"}, {"N": "1"}, {"S": ""}, {"NULL": True}])
def test_an_item_of_no_class_of_the_family_is_refused(kind: dict[str, Any]) -> None:
    """A strange type, and one that is no text, are never read as the base."""
    reader, raw = spec_of(Payment).reader, {**item(None), "_type": kind}
    for read in (
        lambda: reader.decode(raw),
        lambda: reader.decode_get(body("Item", raw)),
        lambda: reader.decode_page(body("Items", [raw])),
    ):
        with pytest.raises(DecodeError, match="it is of another model"):
            read()


def test_an_item_that_does_not_fit_its_variant_says_so() -> None:
    """The error is the variant's own: of its name, with what is missing."""
    raw = {"account": {"S": "a"}, "_type": {"S": "card"}}
    with pytest.raises(DecodeError, match=r"does not fit model Card:\n  last4: is missing"):
        spec_of(Payment).reader.decode_page(body("Items", [item("payment"), raw]))


def test_answers_that_are_none_are_decode_errors() -> None:
    """Cut JSON, and items that are no maps, as without variants."""
    reader = spec_of(Payment).reader
    for broken in (b'{"Item": {"acc', b'{"Item": 3}', b'{"Item": null}'):
        with pytest.raises(DecodeError):
            reader.decode_get(broken)
    with pytest.raises(DecodeError):
        reader.decode_page(b'{"Items": [3]}')


def test_positions_are_made_of_items_of_every_class() -> None:
    """The key of a row is what was read, whichever class the row is of."""
    page = spec_of(Payment).reader.decode_page(
        body("Items", [item("payment"), item("card", account={"S": "b"}), item("credit", account={"S": "c"})])
    )
    assert [page.key_at(number, ("account",)) for number in range(3)] == [{"account": {"S": key}} for key in "abc"]


def test_partial_items_are_of_their_class_where_the_type_is_held() -> None:
    """Without the type among what an index holds, all are partial items of the model that was asked for."""
    reader, raw = spec_of(Payment).reader, item("card")
    held = reader.partial(frozenset({"account", "last4", "_type"}))
    assert reader.partial(frozenset({"account", "last4", "_type"})) is held
    found = held.decode(raw)
    assert type(found).__mro__[1] is Card
    assert repr(found) == "<partial Card account='a', last4='1'>"
    bare = reader.partial(frozenset({"account"})).decode({"account": {"S": "a"}})
    assert type(bare).__mro__[1] is Payment


def test_a_discriminator_of_any_name() -> None:
    """Also of one that msgspec takes for no field."""

    strange = Table("strange", partition_key="pk", discriminator='the "type"')

    @model(strange, type="base", pk="{name}")
    class Base:
        name: Attr[str]

    @model(type="sub")
    class Sub(Base):
        pass

    raw = {"pk": {"S": "a"}, 'the "type"': {"S": "sub"}}
    reader = spec_of(Base).reader
    assert isinstance(reader.decode_get(body("Item", raw)), Sub)
    assert isinstance(reader.decode_page(body("Items", [raw])).items[0], Sub)


# --- what is refused -----------------------------------------------------------------------------------


def other_key() -> None:
    shop = Table("shop", partition_key="pk", sort_key="sk")

    @model(shop, type="base", pk="BASE#{name}", sk="X")
    class Base:
        name: Attr[str]

    @model(type="sub", sk="Y")
    class Sub(Base):
        pass


def other_index_templates() -> None:
    shop = Table("shop", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk")])

    @model(shop, type="base", pk="BASE#{name}", gsi1="STATE#{state}")
    class Base:
        name: Attr[str]
        state: Attr[str] = attr(default="new")

    @model(type="sub", gsi1="SUB#{state}")
    class Sub(Base):
        pass


def another_when() -> None:
    shop = Table("shop", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk")])

    @model(shop, type="base", pk="BASE#{name}", gsi1=IndexKey("STATE#{state}", when=lambda base: base.state != "old"))
    class Base:
        name: Attr[str]
        state: Attr[str] = attr(default="new")

    @model(type="sub", gsi1=IndexKey("STATE#{state}", when=lambda base: base.state != "odd"))
    class Sub(Base):
        pass


def an_index_that_the_base_has_not() -> None:
    shop = Table("shop", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk")])

    @model(shop, type="base", pk="BASE#{name}")
    class Base:
        name: Attr[str]
        state: Attr[str] = attr(default="new")

    @model(type="sub", gsi1="STATE#{state}#{more}")
    class Sub(Base):
        more: Attr[str]


def another_version() -> None:
    @model(type="sub")
    class Sub(Payment):
        revision: Attr[int] = version()


def another_mark() -> None:
    @model(type="sub")
    class Sub(Payment):
        gone: Attr[datetime | None] = deleted_at()


def another_time() -> None:
    @model(type="sub")
    class Sub(Payment):
        changed: Attr[datetime] = updated_at()


def no_version() -> None:
    @model("versioned", type="base")
    class Base:
        pk: Attr[str] = partition_key()
        revision: Attr[int] = version()

    @model(type="sub")
    class Sub(Base):
        revision: Attr[int] = attr(default=0)


def another_name() -> None:
    @model(type="sub")
    class Sub(Payment):
        cents: Attr[int] = attr(default=0, name="c")


def another_type() -> None:
    @model(type="sub")
    class Sub(Payment):
        cents: Attr[str] = attr(default="0")  # type: ignore[assignment]  # what is refused


def indexed() -> type[Any]:
    shop = Table("shop", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")])

    @model(shop, type="base", pk="BASE#{name}", gsi1=("STATE#{state}", "{due}"))
    class Base:
        name: Attr[str]
        state: Attr[str]
        due: Attr[datetime]

    return Base


def what_may_be_missing() -> None:
    @model(type="sub")
    class Sub(indexed()):  # type: ignore[misc]  # a base that is made here
        state: Attr[str | None] = attr(default=None)


def another_form() -> None:
    @model(type="sub")
    class Sub(indexed()):  # type: ignore[misc]  # a base that is made here
        due: Attr[date]


def another_form_of_a_key() -> None:
    @model(type="sub")
    class Sub(indexed()):  # type: ignore[misc]  # a base that is made here
        name: Attr[UUID]


def another_constraint() -> None:
    @model(type="sub")
    class Sub(Payment):
        iban: Attr[str]

        one_iban = unique("iban")


def another_hiding() -> None:
    @model("sessions", type="session", hide_expired=True)
    class Session:
        pk: Attr[str] = partition_key()
        expires: Attr[int] = ttl(default=0)

    @model(type="sub", hide_expired=False)
    class Sub(Session):
        pass


@pytest.mark.parametrize(
    ("declare", "says"),
    [
        (other_key, "Sub: sk='Y', but its base Base has 'X': Key(Base, ...) means items of Sub, too"),
        (other_index_templates, "Sub: gsi1 has other templates, or another when=, than in its base Base"),
        (another_when, "Sub: gsi1 has other templates, or another when=, than in its base Base"),
        (an_index_that_the_base_has_not, "Sub: the keys of gsi1 depend on state of its base Base, which has no gsi1"),
        (another_version, "Sub.revision is version(), which a write through Payment would not set"),
        (another_mark, "Sub.gone is deleted_at(), which a write through Payment would not set"),
        (another_time, "Sub.changed is updated_at(), which a write through Payment would not set"),
        (no_version, "Base.revision is version(), and Sub.revision is not, so that writes of a Sub would not keep it"),
        (
            another_name,
            "Sub.cents is stored as c (N), but Payment.cents as cents (N): calls on Payment mean items of Sub",
        ),
        (another_type, "Sub.cents is stored as cents (S), but Payment.cents as cents (N)"),
        (
            what_may_be_missing,
            "Sub.state may be missing, but Base.state, from which the keys of gsi1 are made, may not",
        ),
        (another_form, "Sub.due is not of the type that it is of in Base, so that gsi1sk would be made otherwise"),
        (
            another_form_of_a_key,
            "Sub.name is not of the type that it is of in Base, so that pk would be made otherwise",
        ),
        (another_constraint, "different unique constraints (Payment.one_iban)"),
        (another_hiding, "Sub has hide_expired=False, and its base Session True"),
    ],
)
def test_a_variant_that_its_base_could_not_keep_right(declare: Callable[[], None], says: str) -> None:
    """Refused where it is declared, with what to do; and not registered."""
    before = dict(spec_of(Payment).variants)
    with pytest.raises(ModelError, match=re.escape(says)):
        declare()
    assert spec_of(Payment).variants == before


def test_options_are_inherited() -> None:
    """A variant treats expired items and unknown attributes as its base does."""

    @model("sessions", type="session", hide_expired=True, unknown="keep")
    class Session:
        pk: Attr[str] = partition_key()
        expires: Attr[int] = ttl(default=0)

    @model(type="sub")
    class Sub(Session):
        pass

    assert spec_of(Sub).hide_expired
    assert spec_of(Sub).codec.unknown == "keep"


def test_constraints_are_inherited_by_name() -> None:
    """A variant has the unique constraints of its base under the base's name, so that no value is taken twice."""

    @model("users", type="user")
    class User:
        pk: Attr[str] = partition_key()
        email: Attr[str]

        one_email = unique("email")

    @model(type="admin")
    class Admin(User):
        level: Attr[int] = attr(default=0)

    @model(type="owner")
    class Owner(Admin):
        share: Attr[int] = attr(default=0)

    assert [one.name for cls in (User, Admin, Owner) for one in spec_of(cls).unique] == ["User.one_email"] * 3


def test_what_a_variant_may_add() -> None:
    """Attributes, and keys of an index that depend on its own and on the key alone; shared constraints by their name."""
    shop = Table("shop", partition_key="pk", indexes=[GSI("gsi1", "gsi1pk"), GSI("gsi2", "gsi2pk")])

    @model(shop, type="base", pk="BASE#{name}", gsi1="STATE#{state}")
    class Base:
        name: Attr[str]
        state: Attr[str] = attr(default="new")

        one_state = unique("state", name="state")

    @model(type="sub", gsi2="MORE#{more}#{name}")
    class Sub(Base):
        more: Attr[str]

    derived = spec_of(Sub).derived
    assert derived is not None
    assert derived.of({"name": {"S": "n"}, "state": {"S": "s"}, "more": {"S": "m"}}) == {
        "_type": {"S": "sub"},
        "pk": {"S": "BASE#n"},
        "gsi1pk": {"S": "STATE#s"},
        "gsi2pk": {"S": "MORE#m#n"},
    }
