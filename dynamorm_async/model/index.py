"""``index()``: an index declared on a model, by the Python names of its attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, final

from dynamorm_async.errors import ModelError


@final
class Index:
    """An index of a model's table. ``User.by_email`` is one; pass it to ``query(...).using(...)``.

    Attributes:
        name: the index's name in DynamoDB.
        partition: the Python names of its partition key attributes; empty for a local index.
        sort: the Python names of its sort key attributes.
        local: whether it is a local index (LSI).
        projection: ``all``, ``keys_only``, or the Python names of the attributes that it holds besides the keys.
    """

    __slots__ = ("local", "name", "partition", "projection", "sort")

    def __init__(
        self,
        partition: tuple[str, ...],
        sort: tuple[str, ...],
        projection: Literal["all", "keys_only"] | tuple[str, ...],
        name: str | None,
        *,
        local: bool,
    ) -> None:
        self.partition = partition
        self.sort = sort
        self.local = local
        self.projection: Literal["all", "keys_only"] | tuple[str, ...] = projection
        self.name = name or ""

    def __set_name__(self, owner: type, name: str) -> None:
        if not self.name:
            self.name = name

    def __repr__(self) -> str:
        return f"<Index {self.name}>"


def index(
    *,
    partition: str | Sequence[str] | None = None,
    sort: str | Sequence[str] | None = None,
    local: bool = False,
    projection: Literal["all", "keys_only"] | list[str] | tuple[str, ...] = "all",
    name: str | None = None,
) -> Index:
    """Declare an index of the model's table.

    Args:
        partition: the Python name of the partition key attribute, or up to four of them (multi-attribute keys).
        sort: the Python name of the sort key attribute, or up to four of them.
        local: a local index (LSI): the table's partition key with another sort key, readable consistently.
        projection: what the index holds: ``all`` attributes, ``keys_only``, or the named ones besides the keys.
        name: the index's name in DynamoDB; the name that it is assigned to by default.

    Raises:
        ModelError: a local index with a partition key or without a sort key, or a global one without partition key.
    """
    partitions, sorts = _names(partition), _names(sort)
    if local and (partitions or len(sorts) != 1):
        raise ModelError("index(local=True) takes sort='…' alone: a local index has the table's partition key")
    if not local and not partitions:
        raise ModelError("index() needs partition='…', or local=True with sort='…'")
    if isinstance(projection, str):
        if projection not in ("all", "keys_only"):
            raise ModelError(f'projection={projection!r}: write "all", "keys_only", or a list of attribute names')
        return Index(partitions, sorts, projection, name, local=local)
    return Index(partitions, sorts, tuple(projection), name, local=local)


def _names(names: str | Sequence[str] | None) -> tuple[str, ...]:
    return () if names is None else (names,) if isinstance(names, str) else tuple(names)
