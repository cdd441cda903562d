"""Encrypted attributes of every type: what was written is read, and a ciphertext is read in its own place only."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
import base64
import copy
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import Attr, DecryptError, LocalKeyring, encrypted, model, partition_key
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.database.sealing import Sealer
from dynamorm_async.model.spec import spec_of
from dynamorm_async.types import Request, Response
from tests.property.sizing import examples
from tests.property.strategies import kinds

T = TypeVar("T")

KEYS = {"old": bytes(range(32)), "new": bytes(range(1, 33))}
SEALER = Sealer(LocalKeyring(KEYS, current="new"))
KEY_TYPES: Mapping[type, st.SearchStrategy[Any]] = {
    str: st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
    int: st.integers(-(10**37), 10**37),
    bytes: st.binary(min_size=1, max_size=20),
}


class Shelf:
    """A transport of one table: it keeps items as JSON, as DynamoDB would give them back."""

    def __init__(self) -> None:
        self.item: dict[str, Any] = {}

    async def send(self, request: Request, *, timeout: float | None = None) -> Response:  # noqa: ARG002 - a transport's
        if request.operation == "PutItem":
            self.item = msgspec.json.decode(msgspec.json.encode(request.body["Item"]))
            return Response(b"{}")
        return Response(msgspec.json.encode({"Item": self.item}))

    async def aclose(self) -> None:
        """Nothing is open."""


def done(work: Coroutine[Any, Any, T]) -> T:
    """The result of work that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        result: T = end.value
        return result
    raise AssertionError("it waits for something")


def put(spec: Any, instance: Any, *, table: str = "vaults", sealer: Sealer = SEALER) -> dict[str, Any]:
    """An item as the table has it once the instance was put."""
    shelf, body = Shelf(), {"TableName": table, "Item": spec.codec.encode(instance)}
    done(sealer.send(shelf, Request(operation="PutItem", body=body, sealed=spec.sealed(table)), None))
    return shelf.item


def get(spec: Any, item: dict[str, Any], *, table: str = "vaults", sealer: Sealer = SEALER) -> Any:
    """What is read of an item that a table has."""
    shelf = Shelf()
    shelf.item = item
    request = Request(operation="GetItem", body={"TableName": table, "Key": {}}, sealed=spec.sealed(table))
    return spec.codec.decode_get(done(sealer.send(shelf, request, None)).body)


def is_refused(spec: Any, item: dict[str, Any], **options: Any) -> bool:
    try:
        get(spec, item, **options)
    except DecryptError:
        return True
    return False


def same(codec: ItemCodec[Any], one: Any, other: Any) -> bool:
    stored = [codec.encode(instance) for instance in (one, other)]
    return all(same_value(stored[0].get(m.wire), stored[1].get(m.wire)) for m in codec.layout.members)


@examples(40)
@given(st.data())
def test_every_type_comes_back(data: st.DataObject) -> None:
    """A value of any type that the codec stores is read as it was written; so is its copy in another attribute."""
    kind, key = data.draw(kinds), data.draw(st.sampled_from(list(KEY_TYPES)))
    annotations = {"pk": Attr[key], "value": Attr[kind.hint], "other": Attr[kind.hint]}  # type: ignore[valid-type,name-defined]  # run-time types
    fields = {"pk": partition_key(), "value": encrypted(), "other": encrypted(name="#other")}
    cls: Any = model(table="vaults")(
        type("Vault", (), {"__annotations__": annotations, "__module__": __name__, **fields})
    )
    spec: Any = spec_of(cls)
    for _ in range(3):
        instance: Any = cls(pk=data.draw(KEY_TYPES[key]), value=data.draw(kind.values), other=data.draw(kind.values))
        item = put(spec, copy.deepcopy(instance))
        assert all(tag in ("B", "NULL") for name in ("value", "#other") if name in item for tag in item[name])
        assert same(spec.codec, get(spec, item), instance)


@model(table="vaults")
class Vault:
    pk: Attr[str] = partition_key()
    value: Attr[str] = encrypted()
    other: Attr[str | None] = encrypted(default=None)


VAULT: Any = spec_of(Vault)


@examples(150)
@given(st.data())
def test_a_changed_ciphertext_is_refused(data: st.DataObject) -> None:
    """Any flipped bit, any cut, anything appended: it is not read, and never read as something else."""
    item = put(VAULT, Vault(pk="p", value=data.draw(st.text(max_size=30))))
    sealed = bytearray(base64.b64decode(item["value"]["B"]))
    how = data.draw(st.sampled_from(["flip", "cut", "append", "replace"]))
    if how == "flip":
        bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
        sealed[bit // 8] ^= 1 << bit % 8
    elif how == "cut":
        del sealed[data.draw(st.integers(0, len(sealed) - 1)) :]
    elif how == "append":
        sealed += data.draw(st.binary(min_size=1, max_size=40))
    else:
        sealed = bytearray(data.draw(st.binary(max_size=100)))
    assert is_refused(VAULT, {**item, "value": {"B": base64.b64encode(sealed).decode()}})


@examples(150)
@given(
    st.sampled_from(["item", "attribute", "table", "key", "plaintext"]),
    st.text(min_size=1, max_size=8),
    st.text(max_size=9),
)
def test_a_moved_ciphertext_is_refused(how: str, pk: str, value: str) -> None:
    """In another item, attribute or table, or under the name of another key, a ciphertext is not read."""
    item = put(VAULT, Vault(pk=pk, value=value, other=value))
    assert get(VAULT, item) == Vault(pk=pk, value=value, other=value)
    if how == "item":
        assert is_refused(VAULT, {**item, "pk": {"S": f"{pk}'"}})
    elif how == "attribute":
        assert is_refused(VAULT, {**item, "value": item["other"]})
    elif how == "table":
        assert is_refused(VAULT, item, table="vaults2")
    elif how == "plaintext":
        assert is_refused(VAULT, {**item, "value": {"S": value}})
    else:
        renamed = base64.b64decode(item["value"]["B"]).replace(b"new", b"old", 1)
        assert is_refused(VAULT, {**item, "value": {"B": base64.b64encode(renamed).decode()}})


@examples(30)
@given(st.lists(st.text(max_size=12), min_size=2, max_size=4))
def test_no_two_ciphertexts_are_equal(values: list[str]) -> None:
    """Each write has a nonce of its own: equal values do not show that they are."""
    items = [put(VAULT, Vault(pk="p", value=value, other=value)) for value in [*values, values[0]]]
    sealed = [item[name]["B"] for item in items for name in ("value", "other")]
    assert len(set(sealed)) == len(sealed)
