"""Items of generated models in files: nothing is lost in either format, and what is damaged is never taken for an item."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import copy
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import DynamormError
from dynamorm_async.codec.compare import same_value
from dynamorm_async.transfer.decoding import Row, StoredDecoder, TypedDecoder
from dynamorm_async.transfer.exporting import _stored_line as stored_line  # pyright: ignore[reportPrivateUsage]  # what a line is made by
from dynamorm_async.transfer.exporting import _typed_line as typed_line  # pyright: ignore[reportPrivateUsage]  # as above
from dynamorm_async.transfer.items import whole_item
from dynamorm_async.transfer.scope import scope_of
from tests.property.sizing import examples
from tests.property.strategies import Generated, stored_form, with_instances


def same_item(one: Any, other: Any) -> bool:
    return bool(one.keys() == other.keys() and all(same_value(value, other[name]) for name, value in one.items()))


@examples(8)
@given(with_instances(8))
def test_items_of_every_type_come_back_as_they_were(made: tuple[Generated, list[Any]]) -> None:
    """The row of a line is the item of the instance that the line was made of, in both formats."""
    generated, instances = made
    scope = scope_of(generated.model)
    stored, typed = StoredDecoder(scope, None), TypedDecoder(scope, None)
    for number, instance in enumerate(instances, 1):
        _, item = whole_item(instance)
        rows = [
            typed.row((number, typed_line(copy.deepcopy(instance)).rstrip(b"\n"))),
            stored.row((number, stored_line(stored_form(item)).rstrip(b"\n"))),
        ]
        for row in rows:
            assert same_item(row.item, item)
            assert row.place == scope.identities.of_key(item)
            assert row.line == number


@examples(5)
@given(with_instances(6), st.data())
def test_a_damaged_line_is_an_item_or_an_error_of_ours(made: tuple[Generated, list[Any]], data: st.DataObject) -> None:
    """Bytes that were changed, cut out or put in never raise anything else, and never give what its model could not read."""
    generated, instances = made
    scope = scope_of(generated.model)
    for decoder, make in ((TypedDecoder(scope, None), typed_line), (StoredDecoder(scope, None), _stored)):
        for instance in instances:
            line = bytearray(make(instance).rstrip(b"\n"))
            for _ in range(data.draw(st.integers(1, 3))):
                start = data.draw(st.integers(0, len(line)))
                end = min(len(line), start + data.draw(st.integers(0, 4)))
                line[start:end] = data.draw(
                    st.binary(max_size=3) | st.sampled_from([b'"', b"{", b"1e5", b"null", b"[", b","])
                )
            try:
                row = decoder.row((1, bytes(line)))
            except DynamormError:
                continue
            assert isinstance(row, Row)
            scope.read(msgspec.Raw(msgspec.json.encode(row.item)))


def _stored(instance: Any) -> bytes:
    return stored_line(stored_form(whole_item(instance)[1]))
