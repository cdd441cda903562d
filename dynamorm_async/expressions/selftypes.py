"""What an attribute must be for a method of ``Attr``, as type checkers see it.

``Attr[T]`` is invariant: ``self: Attr[str]`` would leave out ``str | None``, NewTypes and literals of text. What an
attribute reads as is covariant in ``T``, and what it takes is contravariant; these say just that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, TypeVar

T_co = TypeVar("T_co", covariant=True)
T_contra = TypeVar("T_contra", contravariant=True)


class Reads(Protocol[T_co]):
    """An attribute whose values are all of a type."""

    def __get__(self, instance: object, owner: type, /) -> T_co:
        """The value."""
        ...


class Takes(Protocol[T_contra]):
    """An attribute that takes values of a type, among others."""

    def __set__(self, instance: object, value: T_contra, /) -> None:
        """Set the value."""
        ...


class Counts(Takes[T_contra], Protocol[T_contra]):
    """An attribute whose values are all numbers, and which takes those of a type."""

    def __get__(self, instance: object, owner: type, /) -> float | Decimal:
        """The number."""
        ...
