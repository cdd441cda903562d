"""Selected attributes as tuples."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

import attrs

from dynamorm_async.codec.answers import answer_json, bytes_in, malformed
from dynamorm_async.codec.encrypted import decode_error
from dynamorm_async.codec.envelopes import last_key
from dynamorm_async.codec.hidden import MASKED
from dynamorm_async.codec.layout import Layout, Member
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.page import PageContent
from dynamorm_async.errors import Problem

R = TypeVar("R")

Segments = tuple[str | int, ...]


class Decodes(Protocol):
    """The shape of what is at a path."""

    def decode(self, value: Mapping[str, Any], /) -> Any:
        """AttributeValue (JSON form) to value."""
        ...


class SelectedRows:
    """Makes tuples of the selected paths, in order.

    An attribute that an item does not have has its default; what is not there inside an attribute is ``None``.

    Args:
        layout: the model's attributes.
        key_names: those of the table's key, for errors.
        paths: the selected paths, each with the shape of what is there.
    """

    def __init__(self, layout: Layout, key_names: Sequence[str], paths: Sequence[tuple[Segments, Decodes]]) -> None:
        self._model = layout.cls.__name__
        self._key_names = key_names
        members = {member.wire: member for member in layout.members}
        self._hidden = {name for name, member in members.items() if member.shape.hidden}
        self._paths = [(path, shape, members[str(path[0])]) for path, shape in paths]

    def row(self, item: Mapping[str, Any]) -> tuple[Any, ...]:
        """The selected values of an item in DynamoDB's JSON form.

        Raises:
            DecodeError: a value does not fit its attribute.
        """
        collector = Collector()
        row = tuple(
            collector.run(path_text(path), _value, item, path, shape, member) for path, shape, member in self._paths
        )
        if collector.problems:
            key = {
                name: MASKED if name in self._hidden else next(iter(item[name].values()), None)
                for name in self._key_names
                if name in item
            }
            raise decode_error(self._model, key, collector.problems)
        return row


def raw_page(body: bytes, *, make: Callable[[Mapping[str, Any]], R]) -> PageContent[R]:
    """The answer of Query or Scan.

    Args:
        body: the answer.
        make: what becomes of an item in DynamoDB's JSON form.

    Raises:
        DecodeError: it is no page, or an item does not fit.
    """
    answer = answer_json(body)
    if "Items" not in answer:  # as in compiled pages
        raise malformed(Problem("Items", "is missing"))
    raw: list[dict[str, Any]] = answer["Items"]
    return PageContent(
        [make(item) for item in raw],
        scanned_count=answer.get("ScannedCount", 0),
        last_key=last_key(answer.get("LastEvaluatedKey")),
        capacity=answer.get("ConsumedCapacity"),
        sources=raw,
        key_of=lambda item, names: bytes_in({name: item[name] for name in names if name in item}),
    )


def path_text(path: Segments) -> str:
    """A path for people."""
    return "".join(f"[{s}]" if isinstance(s, int) else (f".{s}" if i else s) for i, s in enumerate(path))


def at_path(item: Mapping[str, Any], path: Segments) -> Mapping[str, Any] | None:
    """The AttributeValue at a path of an item in DynamoDB's JSON form; ``None`` where there is none."""
    value: Any = {"M": item}
    for segment in path:
        content: Any = next(iter(value.values()), None)
        try:
            value = content[segment]
        except (KeyError, IndexError, TypeError):
            return None
    found: Mapping[str, Any] = value
    return found


def _value(item: Mapping[str, Any], path: Segments, shape: Decodes, member: Member) -> Any:  # of the shape's type
    value = at_path(item, path)
    if value is None:
        return _absent(member) if len(path) == 1 else None
    return shape.decode(value)


def _absent(member: Member) -> Any:  # of the member's type
    if member.required:
        raise ValueError("is missing")
    if member.default is attrs.NOTHING:
        return None if member.shape.optional else member.shape.empty()
    if isinstance(member.default, attrs.Factory):  # type: ignore[arg-type]  # the stubs type Factory as a function
        return None if member.default.takes_self else member.default.factory()
    return member.default
