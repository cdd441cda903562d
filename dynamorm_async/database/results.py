"""The one place where an item that was read by its key becomes a result."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from dynamorm_async.codec.answers import answer_json
from dynamorm_async.codec.rows import SelectedRows
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.hiding import Hiding


def result_maker(
    spec: ModelSpec[Any],
    select: Sequence[Attr[Any]] | None = None,
    hiding: Hiding | None = None,
    *,
    stored: bool = False,
) -> Callable[[msgspec.Raw], Any]:
    """What becomes of an item as it stands in an answer: a model, a tuple of what was selected, or itself.

    The function returns ``None`` for an item that is left out, and raises DecodeError for one that does not fit.
    """
    if select is None:
        decode = answer_json if stored else spec.reader.decode_item
        return decode if hiding is None else lambda raw: None if hiding.hides(answer_json(raw)) else decode(raw)
    make = row_maker(spec, select)

    def row(raw: msgspec.Raw) -> Any:  # a tuple, or None
        item = answer_json(raw)
        return None if hiding is not None and hiding.hides(item) else make(item)

    return row


def row_maker(spec: ModelSpec[Any], select: Sequence[Attr[Any]]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    """What becomes of an item in DynamoDB's JSON form: a tuple of what was selected.

    The function raises DecodeError for an item that does not fit.
    """
    paths = [(attr.segments, attr.shape) for attr in select]
    row = SelectedRows(spec.codec.layout, spec.key_names, paths).row
    upcasting = spec.codec.upcasting
    if upcasting is None:
        return row

    def current_row(raw: Mapping[str, Any]) -> tuple[Any, ...]:
        upcasting.check_selected(raw)
        return row(raw)

    return current_row
