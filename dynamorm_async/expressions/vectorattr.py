"""``VectorAttr``: what ``Article.embedding`` is to a type checker, so that a search of it finds articles."""

from __future__ import annotations

from typing import Generic, TypeAlias, TypeVar

from dynamorm_async.expressions.attr import Attr

M = TypeVar("M")
T = TypeVar("T")


Vector: TypeAlias = Attr[list[float]] | Attr[list[float] | None]
"""The attributes that a vector index can be of, to type checkers."""


class VectorAttr(Attr[T], Generic[M, T]):
    """An attribute that holds a vector, and knows its model ``M``: ``db.search`` takes it.

    For annotations only. To type checkers ``Article.embedding`` is one where the attribute is an ``Attr[list[float]]``; at
    run time it is an :class:`Attr` like any other.
    """
