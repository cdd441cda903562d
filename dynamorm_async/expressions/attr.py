"""``Attr``: an attribute of a model. On the class it builds conditions and updates; on an instance it is the value."""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Any, Generic, Literal, NoReturn, TypeVar, overload
from uuid import UUID

from dynamorm_async.errors import InvalidExpression, InvalidValue, UsageError
from dynamorm_async.expressions.arithmetic import Addend, Arithmetic, IfNotExists, Term, alternative, assigned, plain
from dynamorm_async.expressions.conditions import (
    Between,
    Comparator,
    Comparison,
    Condition,
    Either,
    Every,
    Function,
    Literally,
    OneOf,
    Operand,
    Path,
    Segments,
)
from dynamorm_async.expressions.size import Size
from dynamorm_async.expressions.updates import (
    Assignment,
    Concatenation,
    Default,
    Element,
    Nothing,
    Update,
    path_text,
)
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.expressions.selftypes import Holds, Numbers, Reads, Takes
    from dynamorm_async.expressions.valueshape import ValueShape
    from dynamorm_async.expressions.vectorattr import Vector, VectorAttr

T = TypeVar("T")
E = TypeVar("E")
R = TypeVar("R")
V = TypeVar("V")
N = TypeVar("N", bound=float | Decimal)
TypeTag = Literal["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]

_NULL: AttributeValue = {"NULL": True}
_EXPRESSIONS = (Condition, Update, Arithmetic, IfNotExists)


class Attr(Term, Generic[T]):
    """An attribute of type ``T``, or a path inside one.

    ``User.age`` is an ``Attr[int]``; ``user.age`` is an ``int``. Comparisons and the methods below return
    conditions and updates; nothing is sent. ``User.address / Address.city`` and ``User.scores[0]`` are paths.

    Raises:
        InvalidValue: from any operator, where the operand cannot be stored as this attribute's type.
    """

    __dynamorm_descriptor__ = True

    def __init__(
        self, owner: type, label: str, segments: Segments, shape: ValueShape, *, omits_null: bool = False
    ) -> None:
        self._owner = owner
        self._label = label
        self._segments = segments
        self._shape = shape
        self._omits_null = omits_null

    @overload
    def __get__(self: Vector, instance: None, owner: type[R], /) -> VectorAttr[R, T]: ...
    @overload
    def __get__(self, instance: None, owner: type, /) -> Attr[T]: ...
    @overload
    def __get__(self, instance: object, owner: type, /) -> T: ...
    def __get__(self, instance: object | None, owner: type, /) -> Any:  # as overloaded
        # A non-data descriptor: an instance's own value, where there is one, is found before this is called.
        if instance is None:
            return self
        raise AttributeError(f"this {owner.__name__} has no value for {self._label}")

    if TYPE_CHECKING:  # tells checkers that the constructor and assignments take a T, and what Numbers asks for

        def __set__(self, instance: object, value: T, /) -> None: ...
        def _holds(self) -> T: ...

    def __repr__(self) -> str:
        return f"<Attr {self._owner.__name__}.{self._label}>"

    # --- paths -----------------------------------------------------------------------------

    @property
    def segments(self) -> Segments:
        """The document path, in DynamoDB's names."""
        return self._segments

    @property
    def shape(self) -> ValueShape:
        """How its values are stored."""
        return self._shape

    @property
    def operand(self) -> Path:
        """What it is in an expression."""
        return Path(self._segments)

    @property
    def owner(self) -> type:
        """The class that the attribute was declared on."""
        return self._owner

    @overload
    def __truediv__(self, inner: Attr[E]) -> Attr[E]: ...
    @overload
    def __truediv__(self, inner: Condition) -> Condition: ...
    @overload
    def __truediv__(self, inner: Update) -> Update: ...
    def __truediv__(self, inner: Attr[Any] | Condition | Update) -> Any:  # as overloaded
        """The path of an attribute inside this one, or a condition or update on it, moved here."""
        if isinstance(inner, Condition | Update):
            return inner.below(self._segments)
        if not isinstance(inner, Attr):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
            raise InvalidExpression(f"{self!r} / {inner!r}: what is inside is an attribute, a condition or an update")
        nested = self._shape.instance_of
        if not self._shape.may_have(inner._owner):
            what = f"holds {nested.__name__}" if nested else "holds no embedded class"
            raise InvalidExpression(f"{self!r} {what}, so {inner!r} is not inside it")
        return Attr[Any](
            self._owner,
            f"{self._label}.{inner._label}",
            (*self._segments, *inner._segments),
            inner._shape,
            omits_null=inner._omits_null,
        )

    @overload
    def __getitem__(self: Attr[list[E]], segment: int) -> Attr[E]: ...
    @overload
    def __getitem__(self: Attr[list[E] | None], segment: int) -> Attr[E]: ...
    @overload
    def __getitem__(self: Attr[dict[str, E]], segment: str) -> Attr[E]: ...
    @overload
    def __getitem__(self: Attr[dict[str, E] | None], segment: str) -> Attr[E]: ...
    @overload
    def __getitem__(self, segment: int | str) -> Attr[Any]: ...
    def __getitem__(self, segment: int | str) -> Attr[Any]:
        """The path of a list element (by index), or of a map's entry or a nested class's attribute (by name)."""
        if isinstance(segment, int) and segment < 0:
            raise InvalidExpression(f"{self!r}[{segment}]: DynamoDB counts list elements from 0, not from the end")
        found = self._shape.child(segment)
        if found is None:
            raise InvalidExpression(f"{self!r} has nothing at [{segment!r}]")
        stored, shape = found
        path = (*self._segments, stored)
        return Attr(self._owner, path_text(path), path, shape)

    def __iter__(self) -> Any:  # never returns
        raise TypeError(f"{self!r} is an attribute of the class, not a value: it cannot be iterated")

    # --- conditions --------------------------------------------------------------------------

    def __eq__(self, other: T | Attr[T]) -> Condition:  # type: ignore[override]  # conditions are not bools
        """Equal. ``== None``: there is no such attribute, or it is NULL."""
        if other is None:
            absent = Function("attribute_not_exists", Path(self._segments))
            return Either((absent, Comparison(Path(self._segments), "=", Literally(_NULL))))
        return self._compare("=", other)

    def __ne__(self, other: T | Attr[T]) -> Condition:  # type: ignore[override]  # conditions are not bools
        """Not equal. ``!= None``: there is such an attribute, and it is not NULL."""
        if other is None:
            present = Function("attribute_exists", Path(self._segments))
            return Every((present, Comparison(Path(self._segments), "<>", Literally(_NULL))))
        return self._compare("<>", other)

    __hash__ = object.__hash__

    if not TYPE_CHECKING:  # checkers flag these because they do not exist

        def __and__(self, _other: object) -> NoReturn:
            """Refused: ``&`` and ``|`` bind tighter than comparisons, so comparisons want parentheses."""
            raise UsageError(
                f"{self!r} stands next to & or |: put parentheses around each comparison, (a > 1) & (b < 3)"
            )

        __rand__ = __or__ = __ror__ = __and__

    def __lt__(self, other: T | Attr[T]) -> Condition:
        return self._compare("<", other)

    def __le__(self, other: T | Attr[T]) -> Condition:
        return self._compare("<=", other)

    def __gt__(self, other: T | Attr[T]) -> Condition:
        return self._compare(">", other)

    def __ge__(self, other: T | Attr[T]) -> Condition:
        return self._compare(">=", other)

    def between(self, low: T | Attr[T], high: T | Attr[T], /) -> Condition:
        """From ``low`` to ``high``, both included."""
        return Between(Path(self._segments), self._operand(low), self._operand(high))

    def is_in(self, values: Iterable[T], /) -> Condition:
        """Equal to one of 1 to 100 values.

        Raises:
            InvalidExpression: no values, or more than 100.
        """
        return OneOf(Path(self._segments), tuple(self._operand(value) for value in values))

    def exists(self) -> Condition:
        """There is such an attribute, whatever its value."""
        return Function("attribute_exists", Path(self._segments))

    def not_exists(self) -> Condition:
        """There is no such attribute."""
        return Function("attribute_not_exists", Path(self._segments))

    @overload
    def begins_with(self: Reads[str | date | UUID | Enum | None], prefix: str, /) -> Condition: ...
    @overload
    def begins_with(self: Reads[bytes | None], prefix: bytes, /) -> Condition: ...
    def begins_with(self: Any, prefix: str | bytes, /) -> Condition:  # an Attr, as overloaded
        """Text or binary that begins with a prefix."""
        if not isinstance(prefix, str | bytes):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
            raise InvalidValue(f"{self!r} begins with a str or bytes, not {type(prefix).__name__}")
        value: AttributeValue = {"S": prefix} if isinstance(prefix, str) else {"B": prefix}
        return Function("begins_with", Path(self._segments), Literally(self._shape.shown(value)))

    @overload
    def contains(self: Reads[str | None], part: str, /) -> Condition: ...
    @overload
    def contains(self: Takes[builtins.set[E]], part: E, /) -> Condition: ...
    @overload
    def contains(self: Takes[frozenset[E]], part: E, /) -> Condition: ...
    @overload
    def contains(self: Takes[list[E]], part: E, /) -> Condition: ...
    def contains(self: Any, part: Any, /) -> Condition:  # an Attr, as overloaded
        """Text that contains a text, or a set or list that contains an element."""
        element = self._shape.element
        operand = self._operand(part) if element is None else self._literal(element, part)
        return Function("contains", Path(self._segments), operand)

    def attribute_type(self, tag: TypeTag, /) -> Condition:
        """Stored under a type tag, for example ``"S"``."""
        return Function("attribute_type", Path(self._segments), Literally({"S": tag}))

    def size(self) -> Size:
        """The size: characters of text, bytes of binary, elements of a set, list or map."""
        return Size(self._segments)

    # --- values that DynamoDB computes ---------------------------------------------------------

    def if_not_exists(self: Holds[V, R], default: V | Reads[V], /) -> IfNotExists[R]:
        """The value, or a default where the attribute is not there: ``User.views.set(User.views.if_not_exists(0) + 1)``.

        Raises:
            InvalidExpression: the default is ``None`` or computed itself.
        """
        return Attr._otherwise(self, default)

    if TYPE_CHECKING:  # what Term does, for attributes whose values are numbers

        @overload
        def __add__(self: Numbers[N], other: N | Addend[N], /) -> Arithmetic[N]: ...
        @overload  # overlaps the next two: None alone reads as a float and as a Decimal
        def __add__(self: Reads[float | None], other: Reads[float | None], /) -> Arithmetic[float]: ...  # type: ignore[overload-overlap]  # see above
        @overload
        def __add__(self: Reads[Decimal | None], other: int | Addend[int], /) -> Arithmetic[Decimal]: ...
        @overload
        def __add__(self: Reads[int | None], other: Reads[Decimal | None], /) -> Arithmetic[Decimal]: ...
        def __add__(self: Any, other: Any, /) -> Any: ...  # as overloaded

        @overload
        def __radd__(self: Numbers[N], other: N, /) -> Arithmetic[N]: ...
        @overload
        def __radd__(self: Reads[Decimal | None], other: int, /) -> Arithmetic[Decimal]: ...
        def __radd__(self: Any, other: Any, /) -> Any: ...  # as overloaded

        __sub__ = __add__
        __rsub__ = __radd__

    # --- updates ----------------------------------------------------------------------------

    def set(self, value: T | Reads[T] | IfNotExists[T] | Arithmetic[T], /) -> Update:
        """Replace the value, by another attribute's or a computed one too. ``None`` (and an empty set) removes it.

        Raises:
            InvalidExpression: what is computed or copied is stored otherwise than this attribute.
        """
        if self._is_nothing(value):
            return self.remove()
        return Update("SET", self._segments, Assignment(assigned(self, value)))

    def set_default(self, value: T | Reads[T], /) -> Update:
        """Set the value where the attribute is not there yet.

        Raises:
            InvalidExpression: the value is ``None`` or an empty set, which are stored as no attribute at all.
        """
        if self._is_nothing(value):
            raise InvalidExpression(f"{self!r}.set_default({value!r}): that is what an attribute that is not there is")
        return Update("SET", self._segments, Default(plain(self, value)))

    def remove(self) -> Update:
        """Remove the attribute, or the list element."""
        return Update("REMOVE", self._segments, Nothing())

    @overload
    def add(self: Numbers[N], amount: N, /) -> Update: ...
    @overload
    def add(self: Reads[Decimal | None], amount: int, /) -> Update: ...
    @overload
    def add(self: Takes[builtins.set[E]], amount: builtins.set[E], /) -> Update: ...
    @overload
    def add(self: Takes[frozenset[E]], amount: frozenset[E], /) -> Update: ...
    def add(self: Any, amount: Any, /) -> Update:  # an Attr, as overloaded
        """Add to a number (absent counts as 0), or add elements to a set. Not for paths inside lists or maps of old engines.

        Raises:
            InvalidExpression: the attribute is neither a number nor a set.
        """
        value = self._elements(amount)
        if next(iter(value)) not in ("N", "SS", "NS", "BS"):
            raise InvalidExpression(f"{self!r} is neither a number nor a set: add() cannot change it")
        return Update("ADD", self._segments, Element(Literally(value)))

    @overload
    def discard(self: Takes[builtins.set[E]], elements: builtins.set[E], /) -> Update: ...
    @overload
    def discard(self: Takes[frozenset[E]], elements: frozenset[E], /) -> Update: ...
    def discard(self: Any, elements: Any, /) -> Update:  # an Attr, as overloaded
        """Take elements out of a set; those that are not in it do no harm.

        Raises:
            InvalidExpression: the attribute is no set.
        """
        value = self._elements(elements)
        if not self._shape.is_set:
            raise InvalidExpression(f"{self!r} is no set: discard() cannot change it")
        return Update("DELETE", self._segments, Element(Literally(value)))

    def append(self: Takes[list[E]], elements: list[E], /) -> Update:
        """Put elements after those of a list; an absent list counts as empty."""
        return Attr._concatenate(self, elements, before=False)

    def prepend(self: Takes[list[E]], elements: list[E], /) -> Update:
        """Put elements before those of a list; an absent list counts as empty."""
        return Attr._concatenate(self, elements, before=True)

    # --- inside ------------------------------------------------------------------------------

    def literal(self, value: object) -> Literally:
        """A value as one of this attribute."""
        return self._literal(self._shape, value)

    def _otherwise(self: Any, default: object) -> IfNotExists[Any]:  # an Attr, as if_not_exists() says
        return alternative(self, self.operand, default)

    def _concatenate(self: Any, elements: object, *, before: bool) -> Update:  # an Attr of a list
        value = self.literal(elements)
        if "L" not in value.value:
            raise InvalidExpression(f"{self!r} is no list: append() and prepend() cannot change it")
        return Update("SET", self._segments, Concatenation(value, before))

    def _compare(self, comparator: Comparator, other: T | Attr[T]) -> Condition:
        return Comparison(Path(self._segments), comparator, self._operand(other))

    def _operand(self, value: T | Attr[T]) -> Operand:
        return value.operand if isinstance(value, Attr) else self._literal(self._shape, value)

    def _literal(self, shape: ValueShape, value: object) -> Literally:
        if isinstance(value, _EXPRESSIONS):
            if isinstance(value, Arithmetic | IfNotExists):
                raise InvalidExpression(f"{self!r} next to {value!r}: DynamoDB computes only in set()")
            raise UsageError(f"{self!r} is compared with {value!r}: put parentheses around each comparison")
        try:
            return Literally(shape.encode(value))
        except InvalidValue as error:
            raise InvalidValue(f"{self._owner.__name__}.{self._label}: {error}") from None

    def _elements(self, value: object) -> AttributeValue:
        if self._shape.is_set and not value:
            raise InvalidExpression(f"{self!r}: an empty set changes nothing, and DynamoDB refuses it")
        return self.literal(value).value

    def _is_nothing(self, value: object) -> bool:
        if not self._omits_null or isinstance(value, Term | Arithmetic):
            return False
        return value is None or (self._shape.is_set and value in (builtins.set(), frozenset()))
