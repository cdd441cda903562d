"""Conditions and updates of encrypted and secret attributes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from dynamorm_async import Attr, InvalidExpression, InvalidValue, attr, embedded, encrypted, model, partition_key
from dynamorm_async.expressions.identity import identity
from dynamorm_async.expressions.placeholders import Placeholders

CANARY = "canary-77aa"


@embedded
class Card:
    number: Attr[str] = attr(default="", secret=True)
    name: Attr[str] = attr(default="")


@model(table="people")
class Person:
    person_id: Attr[str] = partition_key()
    name: Attr[str] = attr(default="")
    ssn: Attr[str] = encrypted(default="")
    other: Attr[str] = encrypted(default="")
    hints: Attr[list[str]] = encrypted(factory=list)
    count: Attr[int] = encrypted(default=0)
    anything: Attr[Any] = attr(default=None)
    token: Attr[str] = attr(default="", secret=True)
    tokens: Attr[dict[str, str]] = attr(factory=dict, secret=True)
    words: Attr[list[str]] = attr(factory=list, secret=True)
    balance: Attr[int] = attr(default=0, secret=True)
    card: Attr[Card] = attr(factory=Card)


REFUSED: dict[str, Callable[[], object]] = {
    "==": lambda: Person.ssn == "x",
    "!=": lambda: Person.ssn != "x",
    "== reversed": lambda: "x" == Person.ssn,  # noqa: SIM300 - the reflected operator
    "== of another": lambda: Person.name == Person.ssn,
    "<": lambda: Person.ssn < "x",
    "<=": lambda: Person.ssn <= "x",
    ">": lambda: Person.ssn > "x",
    ">=": lambda: Person.ssn >= "x",
    "> of another": lambda: Person.name > Person.ssn,
    "between": lambda: Person.ssn.between("a", "b"),
    "between of another": lambda: Person.name.between("a", Person.ssn),
    "is_in": lambda: Person.ssn.is_in(["a"]),
    "begins_with": lambda: Person.ssn.begins_with("a"),
    "contains": lambda: Person.ssn.contains("a"),
    "attribute_type": lambda: Person.ssn.attribute_type("B"),
    "size": Person.ssn.size,
    "+": lambda: Person.count + 1,
    "reversed -": lambda: 1 - Person.count,
    "if_not_exists": lambda: Person.ssn.if_not_exists("x"),
    "element": lambda: Person.hints[0],
    "path": lambda: Person.ssn / Card.name,
    "add": lambda: Person.count.add(1),
    "append": lambda: Person.hints.append(["x"]),
    "prepend": lambda: Person.hints.prepend(["x"]),
    "set to another": lambda: Person.ssn.set(Person.name),
    "set to another encrypted": lambda: Person.ssn.set(Person.other),
    "set to any": lambda: Person.ssn.set(Person.anything),
    "set from it": lambda: Person.name.set(Person.ssn),
    "any set from it": lambda: Person.anything.set(Person.ssn),
    "set to computed": lambda: Person.count.set(Person.balance + 1),
    "default of another": lambda: Person.ssn.set_default(Person.name),
}


@pytest.mark.parametrize("build", REFUSED.values(), ids=REFUSED)
def test_what_dynamodb_would_have_to_read_is_refused(build: Callable[[], object]) -> None:
    """Whatever compares, computes or looks into ciphertexts is refused where it is written."""
    with pytest.raises(InvalidExpression, match="is encrypted"):
        build()


def test_whole_values_are_written_and_asked_for() -> None:
    """It is set, set by default, removed, and asked for existence; ``None`` is compared with as of any attribute."""
    names, ssn = Placeholders(), cast("Attr[Any]", Person.ssn)
    assert Person.ssn.exists().render(names) == "attribute_exists(#n0)"
    assert Person.ssn.not_exists().render(names) == "attribute_not_exists(#n0)"
    assert (ssn == None).render(names) == "attribute_not_exists(#n0) OR #n0 = :v0"  # noqa: E711 - an operator
    assert (ssn != None).render(names) == "attribute_exists(#n0) AND #n0 <> :v0"  # noqa: E711 - an operator
    assert Person.ssn.set(CANARY).verb == Person.ssn.set_default(CANARY).verb == "SET"
    assert Person.ssn.remove().verb == "REMOVE"


def test_equal_plaintexts_share_no_placeholder() -> None:
    """Two attributes of one value have different ciphertexts, so each has a value of its own in the request."""
    names, body = Placeholders(), dict[str, Any]()
    for update in (Person.ssn.set(CANARY), Person.other.set(CANARY)):
        names.path(update.path)
        update.change.render("x", names)
    names.into(body)
    assert len(body["ExpressionAttributeValues"]) == 2


SHOWN: dict[str, Callable[[], object]] = {
    "encrypted set": lambda: Person.ssn.set(CANARY),
    "set": lambda: Person.token.set(CANARY),
    "set_default": lambda: Person.token.set_default(CANARY),
    "==": lambda: Person.token == CANARY,
    "in": lambda: Person.token.is_in([CANARY]),
    "between": lambda: (Person.token.between("a", CANARY) & (Person.name == "x")) | ~(Person.token > CANARY),
    "begins_with": lambda: Person.token.begins_with(CANARY),
    "contains": lambda: Person.token.contains(CANARY),
    "contains element": lambda: Person.words.contains(CANARY),
    "entry": lambda: Person.tokens["a"] == CANARY,
    "element": lambda: Person.words[0].set(CANARY),
    "append": lambda: Person.words.append([CANARY]),
    "inside": lambda: (Person.card / Card.number) == CANARY,
    "inside by name": lambda: Person.card["number"] == CANARY,
    "moved inside": lambda: Person.card / (Card.number == CANARY),
}


@pytest.mark.parametrize("build", SHOWN.values(), ids=SHOWN)
def test_conditions_and_updates_do_not_show_secret_values(build: Callable[[], object]) -> None:
    """Their reprs have a mask in its place, wherever in the attribute the value is."""
    assert CANARY not in repr(build())
    assert "***" in repr(build())


MISFITS: dict[str, Callable[[Any], object]] = {
    "encrypted": Person.ssn.set,
    "set": Person.token.set,
    "compare": lambda wrong: Person.token == wrong,
    "begins": Person.token.begins_with,
    "entry": lambda wrong: Person.tokens["a"] == wrong,
    "contains": Person.words.contains,
    "inside": lambda wrong: (Person.card / Card.number) == wrong,
    "whole": lambda wrong: Person.tokens.set({"a": wrong}),
}


@pytest.mark.parametrize("build", MISFITS.values(), ids=MISFITS)
def test_errors_do_not_show_secret_values(build: Callable[[Any], object]) -> None:
    """A value that cannot be stored is told by its class."""
    with pytest.raises(InvalidValue) as info:
        build([CANARY])
    assert CANARY not in str(info.value)


def test_secret_conditions_are_told_apart() -> None:
    """A mask is for people: two conditions on different secret values are two, and one text is one condition."""
    one, two = Person.token == "a", Person.token == "b"
    assert repr(one) == repr(two)
    assert identity(one) != identity(two)
    assert identity(one) == identity(Person.token == "a")
    assert identity((Person.name == "x") & one) != identity((Person.name == "x") & two)
    assert identity(Person.name == "x") == repr(Person.name == "x")
