"""Where requests have plaintexts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from dynamorm_async import Attr, Key, attr, encrypted, model, partition_key, upcast, version
from dynamorm_async.codec.encrypted import ENCRYPTED
from dynamorm_async.model.spec import spec_of
from dynamorm_async.plan.batch_write import batch_write, size_of
from dynamorm_async.plan.sealed import bound_to, by_table, parts_of, with_parts
from dynamorm_async.plan.transactions import plan_transaction
from dynamorm_async.plan.writes import Writes
from dynamorm_async.types import Prepared, Request, Sealed

WRITES = Writes(prefix="x-", clock=lambda: datetime(2026, 1, 1, tzinfo=UTC))


@model(table="cards")
class Card:
    card_id: Attr[str] = partition_key()
    number: Attr[str] = encrypted()
    uses: Attr[int] = attr(default=0)


@model(table="plain")
class Plain:
    plain_id: Attr[str] = partition_key()


@model(table="patients", schema=2)
class Patient:
    patient_id: Attr[str] = partition_key()
    ssn: Attr[str] = encrypted()
    name: Attr[str] = attr()
    revision: Attr[int] = version()

    @staticmethod
    @upcast(from_version=1)
    def name_of_two(item: dict[str, Any]) -> dict[str, Any]:
        item["name"] = f"{item.pop('first')} of two"
        return item


CARD = Card(card_id="c", number="1")


def test_each_kind_of_request_is_looked_through() -> None:
    """Items and values of expressions, alone, in batches and in transactions; requests of other tables have no parts."""
    put = WRITES.put(CARD)
    update = WRITES.update(Key(Card, "d"), [Card.number.set("2"), Card.uses.set(3)])
    plain = WRITES.put(Plain(plain_id="p"))
    batch = batch_write([put, plain])
    transaction = plan_transaction([plain, put, update], {}, "token").request
    found = [
        [(part.field, part.key["card_id"]["S"], len(part.plaintexts)) for part in parts_of(request)]
        for request in (put.request, update.request, batch, transaction, plain.request)
    ]
    item, values = ("Item", "c", 1), ("ExpressionAttributeValues", "d", 1)
    assert found == [[item], [values], [item], [item, values], []]
    assert plain.request.sealed == ()
    assert put.request.sealed == transaction.sealed == (Sealed("x-cards", ("card_id",), frozenset({"number"})),)


def test_parts_are_replaced_in_a_request_of_its_own() -> None:
    """The planned request keeps its plaintexts; everything but the parts is the same in both."""
    put, update = WRITES.put(CARD), WRITES.update(Key(Card, "d"), [Card.number.set("2")])
    transaction = plan_transaction([put, update], {}, "token").request
    for request in (put.request, batch_write([put]), transaction):
        replaced = with_parts(request, {id(part.body): {**part.body, "New": True} for part in parts_of(request)})
        assert str(replaced.body).count("'New': True") == len(parts_of(request))
        assert "New" not in str(request.body)
        assert with_parts(request, {}) == request


def test_models_of_one_table_are_put_together() -> None:
    """Two models that name the same table encrypt what either does."""
    one, two = (Sealed("t", ("pk",), frozenset({name})) for name in "ab")
    assert by_table([one, two]) == {"t": Sealed("t", ("pk",), frozenset({"a", "b"}))}


def test_a_place_is_one_however_its_key_is_written() -> None:
    """Numbers are bound by value, binary by its bytes."""
    sealed = Sealed("t", ("pk", "sk"), frozenset({"a"}))
    places = {
        bound_to(sealed, {"pk": {"N": number}, "sk": {"B": binary}}, "a")
        for number, binary in (("1", b"\0"), ("1.0", "AA=="), ("10E-1", b"\0"))
    }
    assert len(places) == 1


def test_what_stands_for_a_ciphertext_is_never_sent() -> None:
    """An item with plaintexts is measured with stand-ins; no JSON of it is kept, so that its encoder refuses what is not sealed."""
    put = WRITES.put(CARD)
    assert put.json is None
    for request in (put.request, batch_write([put]), plan_transaction([put], {}, "token").request):
        body = request.body
        with pytest.raises(TypeError, match="Plaintext"):
            msgspec.json.encode(body.json if isinstance(body, Prepared) else body)


def test_sizes_of_operations_count_ciphertexts() -> None:
    """A batch is cut by what is sent."""
    long = WRITES.put(Card(card_id="c", number="x" * 3000))
    assert 4000 < size_of(long) < 4300


def test_an_upcaster_keeps_an_encrypted_value() -> None:
    """It is handed on as it is; what save writes insists on the version, and compares no ciphertext."""
    spec = spec_of(Patient)
    item = {"patient_id": {"S": "p"}, "ssn": {ENCRYPTED: {"S": "123"}}, "first": {"S": "Ada"}, "revision": {"N": "1"}}
    found = spec.codec.decode(item)
    assert (found.ssn, found.name) == ("123", "Ada of two")
    write = WRITES.save(found)
    assert write is not None
    assert parts_of(write.request) == []
    found.ssn = "456"
    changed = WRITES.save(found)
    assert changed is not None
    ((part),) = parts_of(changed.request)
    assert [plaintext.attribute for plaintext in part.plaintexts] == ["ssn"]
    assert isinstance(changed.request, Request)
