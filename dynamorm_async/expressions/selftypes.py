"""What an attribute must be for a method of ``Attr``, as type checkers see it.

``Attr[T]`` is invariant: ``self: Attr[str]`` would leave out ``str | None``, NewTypes and literals of text. What an
attribute reads as is covariant in ``T``, and what it takes is contravariant; these say just that.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol, TypeVar

T = TypeVar("T")
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


class Holds(Takes[T_contra], Protocol[T_contra, T_co]):
    """An attribute that takes values of one type and holds, where it holds any, those of another.

    The second leaves out the ``None`` of the first: what is left of ``int | None`` where the attribute is there.
    """

    def __get__(self, instance: object, owner: type, /) -> T_co | None:
        """The value."""
        ...


class Numbers(Protocol[T]):
    """An attribute that takes and holds numbers of a type, or none.

    That they are numbers is said by a method of its own: checkers do not hold a type variable of ``self`` to its bound.
    """

    def __get__(self, instance: object, owner: type, /) -> T | None:
        """The value."""
        ...

    def __set__(self, instance: object, value: T, /) -> None:
        """Set the value."""
        ...

    def _holds(self) -> float | Decimal | None: ...
