"""Key templates in ``@model``: what they become, and how a wrong one is refused, with its sentence."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, cast

import pytest

from dynamorm_async import (
    GSI,
    LSI,
    Attr,
    IndexKey,
    InvalidKey,
    Key,
    ModelError,
    Table,
    attr,
    deleted_at,
    index,
    model,
    partition_key,
    sort_key,
    ttl,
    updated_at,
    version,
)
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.derived import Derived
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused

PLACED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CUSTOMER, ORDER = "CUSTOMER#{customer_id}", "ORDER#{placed:%Y-%m-%d}#{order_id}"


def shop(**options: Any) -> Table:
    """A table with an index of every kind."""
    indexes: list[GSI | LSI] = [
        GSI("gsi1", "gsi1pk", "gsi1sk"),
        GSI("gsi2", "gsi2pk"),
        GSI("several", ("a", "b"), ("c",)),
        GSI("mixed", "mixedpk", "order_id"),
        LSI("lsi1", "lsi1sk"),
    ]
    return Table("shop", partition_key="pk", sort_key="sk", indexes=indexes, ttl="expires", **options)


def declare(table: Table | str | None = None, *, type: str | None = None, **templates: Any) -> type[Any]:  # noqa: A002 - as the decorator has it
    """A model with an attribute of every kind, and these templates."""

    @model(shop() if table is None else table, type=type, **templates)
    class Order:
        customer_id: Attr[str] = attr()
        order_id: Attr[str] = attr()
        placed: Attr[datetime] = attr()
        number: Attr[int] = attr(default=0)
        total: Attr[Decimal] = attr(default=Decimal(0))
        status: Attr[str | None] = attr(default=None)
        tags: Attr[set[str]] = attr(factory=set)
        paid: Attr[bool] = attr(default=False)
        revision: Attr[int] = version()
        changed: Attr[datetime] = updated_at()
        gone: Attr[datetime | None] = deleted_at()

    return Order


def derived_of(cls: type[Any]) -> Derived:
    derived = spec_of(cls).derived
    assert derived is not None
    return derived


def wire(cls: type[Any], **values: Any) -> dict[str, Any]:
    """The derived attributes of an item."""
    item = cls(customer_id="42", order_id="o7", placed=PLACED, **values)
    return derived_of(cls).of(spec_of(cls).codec.encode(item))


# --- what they become -------------------------------------------------------------------------


def test_templates_make_the_keys_and_the_type() -> None:
    """The table's key, that of an index and the discriminator are made from the item."""
    order = declare(type="order", pk=CUSTOMER, sk=ORDER, gsi1=("STATUS#{status}", "{placed}"))
    assert wire(order, status="open") == {
        "_type": {"S": "order"},
        "pk": {"S": "CUSTOMER#42"},
        "sk": {"S": "ORDER#2026-01-02#o7"},
        "gsi1pk": {"S": "STATUS#open"},
        "gsi1sk": {"S": "2026-01-02T03:04:05.000000Z"},
    }


def test_the_type_is_the_class_by_default() -> None:
    """A model with templates says what it is, also where it does not say how it is called."""
    assert wire(declare(pk=CUSTOMER, sk=ORDER))["_type"] == {"S": "Order"}


def test_an_item_without_a_component_is_in_no_index() -> None:
    """None of the index's keys is written: an index holds no half keys."""
    order = declare(pk=CUSTOMER, sk=ORDER, gsi1=("STATUS#{status}", "{placed}"))
    assert wire(order).keys() == {"_type", "pk", "sk"}


@pytest.mark.parametrize(("paid", "is_in"), [(False, True), (True, False)])
def test_when_says_what_is_in_an_index(*, paid: bool, is_in: bool) -> None:
    """A condition of the model's own attributes makes an index sparse."""
    order = declare(
        pk=CUSTOMER,
        sk=ORDER,
        gsi1=IndexKey("OPEN#{customer_id}", "{placed}", when=lambda o: o.paid == False),  # noqa: E712 - a condition
    )
    assert ("gsi1pk" in wire(order, paid=paid)) is is_in


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ({"gsi2": "STATUS#{status}"}, {"gsi2pk": {"S": "STATUS#open"}}),
        ({"gsi2": ("STATUS#{status}",)}, {"gsi2pk": {"S": "STATUS#open"}}),
        ({"lsi1": "STATUS#{status}"}, {"lsi1sk": {"S": "STATUS#open"}}),
        ({"mixed": "STATUS#{status}"}, {"mixedpk": {"S": "STATUS#open"}}),
        ({"keys": {"gsi2": "STATUS#{status}"}}, {"gsi2pk": {"S": "STATUS#open"}}),
    ],
    ids=["partition alone", "a tuple of one", "local", "the model's own sort key", "by keys="],
)
def test_the_forms_of_an_index_key(given: dict[str, Any], made: dict[str, Any]) -> None:
    """One template where one attribute is to be made; names that cannot be keyword arguments go into keys=."""
    found = wire(declare(pk=CUSTOMER, sk=ORDER, **given), status="open")
    assert {name: found[name] for name in found if name not in ("_type", "pk", "sk")} == made


def test_an_inverted_index_has_the_templates_of_the_table() -> None:
    """The same attributes in another order: each is made once."""
    inverted = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("inverted", "sk", "pk")])
    derived = derived_of(declare(inverted, pk=CUSTOMER, sk="ORDER#{order_id}", inverted=("ORDER#{order_id}", CUSTOMER)))
    assert list(derived.templates) == ["pk", "sk"]


def test_the_key_of_a_model_is_what_its_templates_are_made_of() -> None:
    """In the order of the templates, partition key first, each attribute once."""
    order = declare(pk=CUSTOMER, sk="ORDER#{order_id}#{customer_id}")
    assert [member.name for member in spec_of(order).key] == ["customer_id", "order_id"]


def test_a_static_key_has_no_values() -> None:
    """A model of one single item."""
    only = declare(pk="SETTINGS", sk="SETTINGS")
    assert spec_of(only).codec.encode_key(*Key(only).values) == {"pk": {"S": "SETTINGS"}, "sk": {"S": "SETTINGS"}}


@pytest.mark.parametrize(
    ("customer_id", "stored"),
    [
        ("4#2", "CUSTOMER#4$232"),
        ("a b", "CUSTOMER#a$20b"),
        ("a$b", "CUSTOMER#a$24b"),
        ("", "CUSTOMER#"),
        ("ä", "CUSTOMER#ä"),
    ],
)
def test_values_never_run_into_each_other(customer_id: str, stored: str) -> None:
    """The separator inside a value is escaped; empty text is a value."""
    codec = spec_of(declare(pk=CUSTOMER, sk="ORDER#{order_id}")).codec
    assert codec.encode_key(customer_id, "o7")["pk"] == {"S": stored}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((None, 1), ("Order.customer_id", "expected str, got None")),
        (("42", 10_000), ("Order.number", "'10000'", "{number:04}", "0 to 9999")),
        (("42", -1), ("Order.number", "'-1'", "+04")),
        (("4" * 2040, 1), ("Order.pk", CUSTOMER, "2049 bytes", "partition key of table shop", "2048")),
    ],
)
def test_a_value_that_no_key_can_have_is_refused(values: tuple[object, ...], words: tuple[str, ...]) -> None:
    """Named are model, attribute, value and what would fit."""
    codec = spec_of(declare(pk=CUSTOMER, sk="ORDER#{number:04}")).codec
    with pytest.raises(InvalidKey) as caught:
        codec.encode_key(*values)
    assert [word for word in words if word not in str(caught.value)] == []


def test_what_keys_takes() -> None:
    """Templates by name, each of them given once; an index of that very name is told how to be written."""
    keys: Any = ("A#{order_id}", "B")
    with pytest.raises(ModelError, match=r"keys=\('A#\{order_id\}', 'B'\): it takes templates by name.*keys=\{'keys'"):
        model(shop(), pk=CUSTOMER, sk=ORDER, keys=keys)
    with pytest.raises(ModelError, match="pk is given in keys= and by name"):
        model(shop(), pk=CUSTOMER, sk=ORDER, keys={"pk": CUSTOMER})


def test_a_table_of_other_programs_names_its_discriminator_or_has_none() -> None:
    """The attribute is the table's to name; without one, nothing is written."""
    assert wire(declare(shop(discriminator="kind"), pk=CUSTOMER, sk=ORDER))["kind"] == {"S": "Order"}
    assert wire(declare(shop(discriminator=None), pk=CUSTOMER, sk=ORDER)).keys() == {"pk", "sk"}


def test_numbers_and_bytes_are_keys_as_they_are_stored() -> None:
    """A key attribute that is no text takes one attribute whole, under a name of the table's."""
    numbered = Table("numbered", partition_key="pk", sort_key="sk", types={"sk": "N"})
    assert spec_of(declare(numbered, pk=CUSTOMER, sk="{number}")).codec.encode_key("42", 7)["sk"] == {"N": "7"}


# --- what is refused --------------------------------------------------------------------------

SORT = {"sk": "X"}
WRONG: dict[str, tuple[dict[str, Any], tuple[str, ...]]] = {
    "no such attribute": ({"pk": "C#{customer}", **SORT}, ("Order: pk=", "'customer'", "it has customer_id, order_id")),
    "not closed": ({"pk": "C#{customer_id", **SORT}, ("Order: pk=", '"{" without its other half', '"{{"')),
    "empty": ({"pk": "", **SORT}, ("Order: pk=", "empty", "{attribute}")),
    "no separator": (
        {"pk": "C#{customer_id}{order_id}", **SORT},
        ('"{order_id}" right after {customer_id}', 'write "{customer_id}#{order_id}"'),
    ),
    "a number without width": (
        {"pk": CUSTOMER, "sk": "N#{number}"},
        ("Order: sk=", "10 sorts before 9", "{number:010}", "{number:+010}"),
    ),
    "a fraction without width": (
        {"pk": CUSTOMER, "sk": "N#{total}"},
        ("Order: sk=", "10 sorts before 9", "{total:012.2f}", "{total:+012.2f}"),
    ),
    "no such format": ({"pk": "C#{number:8}", **SORT}, ("{number:8} is no way to write a whole number", "{number:08}")),
    "a date's format": ({"pk": "C#{placed:%d %b}", **SORT}, ("{placed:%d %b}", "{placed:%Y-%m-%d}")),
    "a set": ({"pk": "C#{tags}", **SORT}, ("Order.tags is set[str]", "text, a number")),
    "an optional attribute": ({"pk": "C#{status}", **SORT}, ("status may be None", "take the | None off")),
    "the version": ({"pk": "C#{revision}", **SORT}, ("revision is version()", "cannot change its key")),
    "the time of the last write": ({"pk": "C#{changed}", **SORT}, ("changed is updated_at()", "cannot change")),
    "the time of deletion": ({"pk": "C#{gone}", **SORT}, ("gone is deleted_at()", "cannot change its key")),
    "a long text": ({"pk": "C" * 2049, **SORT}, ("Order: the text of pk has 2049 bytes", "partition key", "2048")),
    "a long sort key": ({"pk": "C", "sk": "ä" * 513}, ("the text of sk has 1026 bytes", "sort key", "allows 1024")),
    "no text": ({"pk": 3, **SORT}, ("Order: pk=3 is no template", 'pk="..."')),
    "None": ({"pk": CUSTOMER, "sk": ORDER, "gsi1": None}, ("Order: gsi1=None is no template", "leave gsi1 out")),
    "three texts": ({"pk": CUSTOMER, "sk": ORDER, "gsi1": ("A", "B", "C")}, ("is no template", 'gsi1=("...", "...")')),
    "no texts": ({"pk": CUSTOMER, "sk": ORDER, "gsi1": ()}, ("Order: gsi1=() is no template",)),
    "numbers": ({"pk": CUSTOMER, "sk": ORDER, "gsi1": (1, 2)}, ("Order: gsi1=(1, 2) is no template",)),
    "numbers in a record": ({"pk": CUSTOMER, "sk": ORDER, "gsi1": IndexKey("A", 2)}, ("is no template",)),  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake
    "a tuple for one attribute": (
        {"pk": ("A", "B"), **SORT},
        ("Order: pk=('A', 'B')", "takes one template", 'pk="..."'),
    ),
    "no such index": (
        {"pk": CUSTOMER, "sk": ORDER, "gsi3": ("A", "B")},
        ("Order: table shop has no key attribute or index 'gsi3'", "it has pk, sk, gsi1, gsi2, several, mixed, lsi1"),
    ),
    "the index's attribute": (
        {"pk": CUSTOMER, "sk": ORDER, "gsi1pk": "A"},
        ("no key attribute or index 'gsi1pk'", "gsi1pk is a key of index gsi1", "by the index's name"),
    ),
    "a sort key forgotten": (
        {"pk": CUSTOMER, "sk": ORDER, "gsi1": "STATUS#{status}"},
        ("Order: index gsi1 has the sort key gsi1sk", 'gsi1=("STATUS#{status}", "...")'),
    ),
    "a sort key too many": (
        {"pk": CUSTOMER, "sk": ORDER, "gsi2": ("A", "B")},
        ("Order: index gsi2 has no sort key", "of its partition key"),
    ),
    "both keys of a local index": (
        {"pk": CUSTOMER, "sk": ORDER, "lsi1": ("A", "B")},
        ("Order: index lsi1 is local", "of its sort key"),
    ),
    "an index of several attributes": (
        {"pk": CUSTOMER, "sk": ORDER, "several": ("A", "B")},
        ("Order: index several", "the model's own attributes", "no templates"),
    ),
    "the sort key of the table forgotten": (
        {"pk": CUSTOMER},
        ("Order: the sort key of table shop is sk (S)", 'sk="..."'),
    ),
    "the partition key forgotten": ({"sk": "X"}, ("Order: the partition key of table shop is pk (S)", 'pk="..."')),
    "a type of nothing": ({"pk": CUSTOMER, "sk": ORDER, "type": ""}, ('Order: type="" says nothing',)),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_template_is_refused(case: str) -> None:
    """At decoration, with class, key attribute or index, and what to write."""
    given, words = WRONG[case]
    with refused(*words):
        declare(**given)


def _two_arguments(order: Any, other: Any) -> Any:
    return order.paid == other


WRONG_CONDITIONS: dict[str, tuple[Callable[[Any], Any] | object, tuple[str, ...]]] = {
    "no such attribute": (lambda o: o.state == "x", ("Order has no attribute 'state'", "it has customer_id")),
    "an attribute alone": (lambda o: o.paid, ("<Attr Order.paid>", "no condition", "== True")),
    "two joined by and": (lambda o: o.paid == True and o.number > 3, ("no truth value", "&")),  # noqa: E712 - a condition
    "a value of another type": (lambda o: o.number > "3", ("Order.number", "expected int")),
    "two arguments": (_two_arguments, ("missing 1 required positional argument",)),
    "no function": (True, ("when= of index gsi1 is True", "when=lambda order: order.")),
}


@pytest.mark.parametrize("case", WRONG_CONDITIONS)
def test_a_wrong_when_is_refused(case: str) -> None:
    """At decoration, with class, index and what to write."""
    when, words = WRONG_CONDITIONS[case]
    with refused("Order: when= of index gsi1", *words):
        declare(pk=CUSTOMER, sk=ORDER, gsi1=IndexKey("A", "B", when=cast("Any", when)))


def test_a_when_of_another_model_is_refused() -> None:
    """Its attributes would never be there."""

    @model(table="others")
    class Other:
        other_id: Attr[str] = partition_key()
        colour: Attr[str] = attr(default="red")

    def of_other(_order: Any) -> Condition:
        return Other.colour == "red"

    with refused("Order: when= of index gsi1", "colour", "Order does not have"):
        declare(pk=CUSTOMER, sk=ORDER, gsi1=IndexKey("A", "B", when=of_other))


def test_one_attribute_has_one_template() -> None:
    """An inverted index cannot make the table's key of something else."""
    inverted = Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("inverted", "sk", "pk")])
    with refused("Order: sk", "'ORDER#{order_id}'", "index inverted", "'STATUS#{paid}'", "the same template"):
        declare(inverted, pk=CUSTOMER, sk="ORDER#{order_id}", inverted=("STATUS#{paid}", CUSTOMER))


@pytest.mark.parametrize(
    ("tag", "template", "words"),
    [
        ("N", "N#{number}", ("key attribute of type N", "write {attribute} alone")),
        ("N", "{number:08}", ("key attribute of type N", "write {attribute} alone")),
        ("N", "{order_id}", ("key attribute of type N", "Order.order_id is stored as S")),
        ("B", "{order_id}", ("key attribute of type B", "Order.order_id is stored as S")),
    ],
)
def test_a_key_of_another_type_takes_its_attribute_as_it_is(
    tag: Literal["N", "B"], template: str, words: tuple[str, ...]
) -> None:
    """Numbers and bytes are not texts with something around them."""
    table = Table("numbered", partition_key="pk", sort_key="sk", types={"sk": tag})
    with refused("Order: sk=", *words):
        declare(table, pk=CUSTOMER, sk=template)


def test_templates_of_a_table_of_ones_own_are_refused() -> None:
    """They make the keys of a Table, which the error shows."""
    with refused("Order: templates", "Table('orders'", "@model(that_table, pk=...)"):
        declare("orders", pk=CUSTOMER, sk=ORDER)


def _with_the_key_itself(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="X")
    class Order:
        pk: Attr[str] = attr()
        customer_id: Attr[str] = attr()


def _with_the_key_of_an_index(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="X", gsi2="A")
    class Order:
        gsi2pk: Attr[str] = attr()
        customer_id: Attr[str] = attr()


def _with_a_partition_key(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="X")
    class Order:
        customer_id: Attr[str] = partition_key()


def _with_the_discriminator(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="X")
    class Order:
        customer_id: Attr[str] = attr()
        kind: Attr[str] = attr()


def _with_an_index(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="X")
    class Order:
        customer_id: Attr[str] = attr()

        by_customer = index(partition="customer_id")


def _with_time_to_live(table: Table) -> None:
    @model(table, pk=CUSTOMER, sk="ORDER#{expires}")
    class Order:
        customer_id: Attr[str] = attr()
        expires: Attr[datetime] = ttl()


@pytest.mark.parametrize(
    ("declaration", "words"),
    [
        (_with_the_key_itself, ("Order: pk='CUSTOMER#{customer_id}'", "has the attribute 'pk' itself")),
        (_with_the_key_of_an_index, ("Order: gsi2pk='A'", "has the attribute 'gsi2pk' itself")),
        (_with_a_partition_key, ("Order: pk is made by a template", "customer_id: Attr[...] = attr()")),
        (_with_the_discriminator, ("Order: 'kind' is the discriminator of table shop",)),
        (_with_an_index, ("Order: declare the indexes on Table('shop')",)),
        (_with_time_to_live, ("Order: sk=", "10 sorts before 9", "{expires:010}")),
    ],
)
def test_an_attribute_in_the_way_is_refused(declaration: Callable[[Table], None], words: tuple[str, ...]) -> None:
    """What templates make, or the library writes, is no attribute of the class."""
    with refused(*words):
        declaration(shop(discriminator="kind"))


def test_a_model_may_have_plain_keys_beside_a_template() -> None:
    """One key attribute by a template, the other the model's own."""

    @model(shop(), type="event", pk="EVENTS#{day}")
    class Event:
        day: Attr[str] = attr()
        sk: Attr[str] = sort_key()

    assert spec_of(Event).codec.encode_key("monday", "a#b") == {"pk": {"S": "EVENTS#monday"}, "sk": {"S": "a#b"}}
