"""Which models live in a table, what a variant is a variant of, and which models a table cannot have together."""

from __future__ import annotations

from typing import Any

import pytest

from dynamorm_async import GSI, Attr, Table, attr, model, partition_key, sort_key
from dynamorm_async.model.registry import models_of
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused


def shop(**options: Any) -> Table:
    return Table("shop", partition_key="pk", sort_key="sk", indexes=[GSI("gsi1", "gsi1pk", "gsi1sk")], **options)


def customer(table: Table, **options: Any) -> type[Any]:
    given: dict[str, Any] = {"type": "customer", "pk": "CUSTOMER#{customer_id}", "sk": "PROFILE", **options}

    @model(table, **given)
    class Customer:
        customer_id: Attr[str] = attr()
        name: Attr[str] = attr(default="Ada")

    return Customer


def order(table: Table, **options: Any) -> type[Any]:
    given: dict[str, Any] = {"type": "order", "pk": "CUSTOMER#{customer_id}", "sk": "ORDER#{order_id}", **options}

    @model(table, **given)
    class Order:
        customer_id: Attr[str] = attr()
        order_id: Attr[str] = attr()
        number: Attr[int] = attr(default=0)

    return Order


def plain(table: Table) -> type[Any]:
    @model(table)
    class Plain:
        pk: Attr[str] = partition_key()
        sk: Attr[str] = sort_key()

    return Plain


# --- the models of a table --------------------------------------------------------------------


def test_a_table_knows_its_models() -> None:
    """In order of declaration; those of another table, of the same name too, are not among them."""
    table = shop()
    declared = [customer(table), order(table), plain(table)]
    customer(shop())
    assert [spec.cls for spec in models_of(table)] == declared
    assert table.models == tuple(declared)


def test_a_class_that_is_declared_again_takes_the_place_of_its_former_self() -> None:
    """As when a module is reloaded: that is no second model."""
    table = shop()
    customer(table)
    order(table)
    again = customer(table, pk="CLIENT#{customer_id}")
    assert [spec.name for spec in models_of(table)] == ["Customer", "Order"]
    assert models_of(table)[0].cls is again


def card(base: type[Any], *, kind: str = "card") -> type[Any]:
    @model(type=kind)
    class Card(base):  # type: ignore[misc]  # a class of a function
        digits: Attr[str] = attr(default="")

    return Card


def at_the_top(cls: Any) -> type[Any]:
    """The class as one of a module, not of a function."""
    cls.__qualname__ = cls.__name__
    found: type[Any] = cls
    return found


def test_a_base_that_is_declared_again_takes_its_variants_with_it() -> None:
    """As when a notebook's cell runs twice: old variants neither stand in its way nor are read by anything, and come again."""
    table = shop()
    card(customer(table))
    again = customer(table)
    assert (table.models, spec_of(again).variants) == ((again,), {})
    new = card(again)
    assert (table.models, spec_of(again).variants) == ((again, new), {"card": spec_of(new)})


def test_a_variant_that_is_declared_again_takes_the_place_of_its_former_self() -> None:
    """With its base as well, and its variants go with it."""
    table = shop()
    base = customer(table)
    former = card(base)

    @model(type="gold")
    class Gold(former):  # type: ignore[misc, valid-type]  # a class of a function
        limit: Attr[int] = attr(default=0)

    again = card(base)
    assert table.models == (base, again)
    assert spec_of(base).variants == {"card": spec_of(again)}


def test_a_variant_that_is_declared_again_with_another_type_leaves_the_old_one() -> None:
    """Nothing reads items of the old type as the former class any more."""
    table = shop()
    base = customer(table)
    for kind in ("card", "credit-card"):

        class Card(base):  # type: ignore[misc, valid-type]  # a class of a function
            digits: Attr[str] = attr(default="")

        model(type=kind)(at_the_top(Card))
    assert list(spec_of(base).variants) == ["credit-card"]
    assert [spec.type for spec in models_of(table)] == ["customer", "credit-card"]


def test_a_function_may_make_several_models_of_one_name() -> None:
    """Their types tell them apart: none takes the place of another."""
    table = shop()
    base = customer(table)
    made = [card(base, kind=kind) for kind in ("card", "iban")]
    assert table.models == (base, *made)
    assert list(spec_of(base).variants) == ["card", "iban"]


def test_a_variant_may_be_called_as_its_base() -> None:
    """It is a class of its own, and not its base declared again."""
    table = shop()
    base = at_the_top(customer(table))

    class Customer(base):  # type: ignore[misc, valid-type]  # a class of a function
        digits: Attr[str] = attr(default="")

    variant = at_the_top(Customer)
    model(type="card")(variant)
    assert table.models == (base, variant)
    assert spec_of(base).variants == {"card": spec_of(variant)}


def test_a_refused_class_leaves_its_former_self() -> None:
    """What failed at decoration takes nobody's place."""
    table = shop()
    declared = (customer(table), order(table))
    with refused("Order", "Customer", "same key"):
        order(table, sk="PROFILE")
    assert table.models == declared


def test_a_refused_model_does_not_live_in_the_table() -> None:
    """What failed at decoration leaves nothing behind."""
    table = shop()
    customer(table)
    with refused("Order"):
        order(table, type="customer")
    assert [spec.name for spec in models_of(table)] == ["Customer"]


def test_two_models_of_one_type_are_refused() -> None:
    """An item could not be told to be of the one or the other."""
    table = shop()
    customer(table)
    with refused("Order and Customer", "type 'customer'", "table shop", "another type=..."):
        order(table, type="customer")


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("CUSTOMER#{customer_id}", "PROFILE"),
        ("CUSTOMER#{order_id}", "PROFILE"),
        ("CUSTOMER#{number}", "PROFILE"),
        ("CUSTOMER#x", "{order_id}"),
        ("CUSTOMER#", "PROFILE"),
        ("{customer_id}#{order_id}", "PROFILE"),
        ("CUSTOMER#{customer_id}", "{order_id:lower}"),
    ],
)
def test_two_models_that_could_have_one_key_are_refused(pk: str, sk: str) -> None:
    """Their items would overwrite each other; named are both, with their templates."""
    table = shop()
    customer(table)
    with refused(
        f"Order (pk={pk!r}, sk={sk!r})",
        "Customer (pk='CUSTOMER#{customer_id}', sk='PROFILE')",
        "same key in table shop",
        "begin a template of one of them with another text",
    ):
        order(table, pk=pk, sk=sk)


@pytest.mark.parametrize(
    ("pk", "sk"),
    [
        ("CUSTOMER#{customer_id}", "PROFILE#{order_id}"),
        ("CUSTOMER#{customer_id}", "{number:08}"),
        ("CUSTOMER#{customer_id}#{order_id}", "PROFILE"),
        ("CUSTOMER", "PROFILE"),
        ("{customer_id}", "PROFILE"),
        ("{customer_id:raw}", "PROFILE"),
    ],
)
def test_two_models_that_cannot_have_one_key_are_taken(pk: str, sk: str) -> None:
    """No text holds the separator, digits are no letters: what never meets is not refused."""
    table = shop()
    declared = [customer(table), order(table, pk=pk, sk=sk)]
    assert [spec.cls for spec in models_of(table)] == declared


def test_models_with_plain_keys_say_nothing_of_them() -> None:
    """They can stand beside any other, as in a table that other programs fill."""
    table = shop()
    declared = [plain(table), customer(table)]
    assert [spec.cls for spec in models_of(table)] == declared


# --- variants ---------------------------------------------------------------------------------


def test_a_variant_lives_with_its_base() -> None:
    """A subclass without a table: it has its base's table and templates, and a type of its own."""
    base = customer(shop())

    @model(type="business")
    class Business(base):  # type: ignore[misc, valid-type]  # a class of a function
        tax_number: Attr[str] = attr(default="")

    spec = spec_of(Business)
    assert (spec.table, spec.type, dict(spec.given_keys)) == (
        spec_of(base).table,
        "business",
        dict(spec_of(base).given_keys),
    )
    assert spec_of(base).variants == {"business": spec}


def test_the_variant_of_a_variant_is_one_of_both() -> None:
    """At any depth; the type is the class's name where none is given."""
    base = customer(shop())

    @model(type="business")
    class Business(base):  # type: ignore[misc, valid-type]  # a class of a function
        tax_number: Attr[str] = attr(default="")

    @model()
    class Partner(Business):
        share: Attr[int] = attr(default=0)

    assert list(spec_of(base).variants) == ["business", "Partner"]
    assert list(spec_of(Business).variants) == ["Partner"]


def test_a_variant_may_have_templates_of_its_own_for_an_index() -> None:
    """What its base does not index; the base's templates stay."""
    base = customer(shop())

    @model(type="business", gsi1=("TAX#{tax_number}", "CUSTOMER"))
    class Business(base):  # type: ignore[misc, valid-type]  # a class of a function
        tax_number: Attr[str] = attr(default="")

    derived = spec_of(Business).derived
    assert derived is not None
    assert list(derived.templates) == ["pk", "sk", "gsi1pk", "gsi1sk"]


def test_a_subclass_without_a_model_above_it_is_refused() -> None:
    """Nothing says where its items live."""
    with refused("Order has no table", '@model("users")', "a subclass of a model"):

        @model(type="order")
        class Order:
            order_id: Attr[str] = partition_key()


def test_a_variant_of_a_model_without_type_is_refused() -> None:
    """The base's own items would have nothing that tells them from the variant's."""
    base = plain(shop())
    with refused("Special is to be a variant of Plain", "type 'special'", "Plain has no type", "type='plain'"):

        @model(type="special")
        class Special(base):  # type: ignore[misc, valid-type]  # a class of a function
            more: Attr[str] = attr(default="")


def test_a_variant_in_a_table_without_discriminator_is_refused() -> None:
    """Keys are alike, so nothing else tells the classes apart."""
    base = customer(shop(discriminator=None))
    with refused("Business: table shop has no discriminator", "those of Customer", "discriminator='type'"):

        @model(type="business")
        class Business(base):  # type: ignore[misc, valid-type]  # a class of a function
            tax_number: Attr[str] = attr(default="")


def test_two_variants_of_one_type_are_refused() -> None:
    """As two models are; a variant and its base as well."""
    base = customer(shop())
    with refused("Business and Customer", "type 'customer'"):

        @model(type="customer")
        class Business(base):  # type: ignore[misc, valid-type]  # a class of a function
            tax_number: Attr[str] = attr(default="")
