"""``Key``: which item is meant, checked against its model."""

from __future__ import annotations

import pytest

from dynamorm_async import Attr, InvalidKey, Key, UsageError, attr, embedded, model, partition_key, sort_key


@model(table="users")
class User:
    org: Attr[str] = partition_key()
    user_id: Attr[str] = sort_key()


@model(table="shops")
class Shop:
    shop_id: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")


def test_a_key_knows_model_and_values() -> None:
    """What was given, in order; the repr shows it."""
    assert Key(User, "acme", "u1").values == ("acme", "u1")
    assert repr(Key(User, "acme", "u1")) == "Key(User, 'acme', 'u1')"
    assert repr(Key(Shop, "s1")) == "Key(Shop, 's1')"


def test_equal_keys_are_equal_and_hash_alike() -> None:
    """Keys work in sets and as dictionary keys; another value, model or type is another key."""
    assert len({Key(User, "a", "b"), Key(User, "a", "b"), Key(User, "a", "c"), Key(Shop, "a")}) == 3
    assert Key(Shop, "a") != "a"


def test_a_missing_sort_key_is_refused() -> None:
    """The message names the model and both attributes."""
    with pytest.raises(InvalidKey, match=r"User.*org and user_id.*missing"):
        Key(User, "acme")


def test_a_superfluous_sort_key_is_refused() -> None:
    """A model without sort key has one value in its key."""
    with pytest.raises(InvalidKey, match="Shop's key is shop_id, but 2 values are given; Shop has no sort key"):
        Key(Shop, "s1", "x")


def test_none_is_a_value_and_not_an_absent_sort_key() -> None:
    """None is not taken for "not given": it is refused as a value when the key is used, not passed over."""
    assert Key(User, "acme", None).values == ("acme", None)


def test_a_class_that_is_no_model_is_refused() -> None:
    """Neither an embedded class, nor a subclass of a model that is not decorated itself, nor anything else."""

    @embedded
    class Part:
        name: Attr[str]

    class Special(Shop):
        pass

    for wrong in (Part, Special, str):
        with pytest.raises(UsageError, match=r"is not a model.*@model\(table="):
            Key(wrong, "x")


def test_a_key_is_not_changed_by_accident() -> None:
    """A key has no attributes besides its own."""
    with pytest.raises(AttributeError):
        Key(Shop, "s1").partition = "s2"  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # the mistake
