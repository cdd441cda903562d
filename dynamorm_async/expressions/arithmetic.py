"""Values that DynamoDB itself computes in a SET: ``User.age + 1``, ``User.views.if_not_exists(0)``.

DynamoDB knows one ``+`` or ``-`` between two operands, and an operand is a value, a path, or ``if_not_exists`` of them.
Source: "Update expressions" in the developer guide.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeAlias, TypeVar, final, overload

from dynamorm_async.errors import InvalidExpression
from dynamorm_async.expressions.conditions import Literally, Operand, Path
from dynamorm_async.expressions.updates import Alternative, Calculation, Sign

if TYPE_CHECKING:
    from dynamorm_async.expressions.selftypes import Reads
    from dynamorm_async.expressions.valueshape import ValueShape

T_co = TypeVar("T_co", covariant=True)
N = TypeVar("N", bound=float | Decimal)

_NUMBER = ("N", "")  # the type tag of numbers, and that of attributes of any type


class Term:
    """What has a place on either side of ``+`` and ``-``: an attribute, or ``if_not_exists`` of one."""

    @property
    def shape(self) -> ValueShape:
        """How its values are stored."""
        raise NotImplementedError

    @property
    def operand(self) -> Path | Alternative:
        """What it is in an expression."""
        raise NotImplementedError

    def literal(self, value: object) -> Literally:
        """A value beside it, as one of its own type.

        Raises:
            InvalidValue: it is none.
            UsageError: it is an expression.
        """
        raise NotImplementedError

    if not TYPE_CHECKING:  # each kind of term says with which types

        def __add__(self, other: object) -> Arithmetic[Any]:
            """The sum, for ``set()``: as :func:`calculation`."""
            return calculation(self, "+", other)

        def __sub__(self, other: object) -> Arithmetic[Any]:
            """The difference, for ``set()``: as :func:`calculation`."""
            return calculation(self, "-", other)

        def __radd__(self, other: object) -> Arithmetic[Any]:
            """The sum of a plain value and this."""
            return calculation(other, "+", self)

        def __rsub__(self, other: object) -> Arithmetic[Any]:
            """A plain value less this."""
            return calculation(other, "-", self)


def _refuse_comparison(self: object, _other: object) -> NoReturn:
    """Refused: DynamoDB computes in updates only."""
    raise InvalidExpression(
        f"{self!r} is compared: DynamoDB computes only in set(). Compare the attribute with a value that is computed "
        "before, such as User.age < limit - 1"
    )


@final
class Arithmetic(Generic[T_co]):
    """A sum or difference that DynamoDB computes, for ``set()``: ``User.age.set(User.age + 1)``.

    The operands must be there when the update is applied: DynamoDB refuses it otherwise (``ValidationFailed``), unless
    they are ``User.age.if_not_exists(0)``.
    """

    def __init__(self, node: Calculation, text: str) -> None:
        self._node = node
        self._text = text

    @property
    def operand(self) -> Calculation:
        """What it is in an expression."""
        return self._node

    def __repr__(self) -> str:
        return f"<Arithmetic {self._text}>"

    if not TYPE_CHECKING:  # checkers flag these because they do not exist

        def _refuse_chain(self, _other: object) -> NoReturn:
            """Refused: one operator is all that DynamoDB has."""
            raise InvalidExpression(
                f"{self!r} has its one + or -: DynamoDB allows one in a SET. Add up the plain values first, as in "
                "User.age + (1 + 2), or read the item, compute, and write it under its version"
            )

        __add__ = __radd__ = __sub__ = __rsub__ = _refuse_chain
        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
        __hash__ = object.__hash__


@final
class IfNotExists(Term, Generic[T_co]):
    """An attribute's value, or a default where it is not there, for ``set()`` and for sums in it."""

    def __init__(self, term: Term, node: Alternative) -> None:
        self._term = term
        self._node = node

    @property
    def shape(self) -> ValueShape:
        """How its values are stored."""
        return self._term.shape

    @property
    def operand(self) -> Alternative:
        """What it is in an expression."""
        return self._node

    def literal(self, value: object) -> Literally:
        """A value beside it, as one of the attribute's type."""
        return self._term.literal(value)

    def __repr__(self) -> str:
        return f"<IfNotExists {self._term!r}>"

    if TYPE_CHECKING:  # what Term does, for numbers

        @overload
        def __add__(self: IfNotExists[Decimal], other: int | Addend[int], /) -> Arithmetic[Decimal]: ...
        @overload
        def __add__(self: IfNotExists[N], other: N | Addend[N], /) -> Arithmetic[N]: ...
        def __add__(self: Any, other: Any, /) -> Any: ...  # as overloaded

        @overload
        def __radd__(self: IfNotExists[Decimal], other: int, /) -> Arithmetic[Decimal]: ...
        @overload
        def __radd__(self: IfNotExists[N], other: N, /) -> Arithmetic[N]: ...
        def __radd__(self: Any, other: Any, /) -> Any: ...  # as overloaded

        __sub__ = __add__
        __rsub__ = __radd__

    if not TYPE_CHECKING:  # checkers flag these because they do not exist
        __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse_comparison
        __hash__ = object.__hash__


Addend: TypeAlias = "Reads[T_co | None] | IfNotExists[T_co]"
"""An attribute, or ``if_not_exists`` of one, whose values are numbers of a type."""


def calculation(left: object, sign: Sign, right: object) -> Arithmetic[Any]:
    """The sum or difference of two operands, one of which is a :class:`Term`.

    Raises:
        InvalidExpression: one is no number, or a sum itself.
        InvalidValue: a plain value is of another type than the attribute beside it.
    """
    text = f"{left!r} {sign} {right!r}"
    for side in (left, right):
        if isinstance(side, Arithmetic):
            raise InvalidExpression(f"{text}: DynamoDB allows one + or - in a SET, and {side!r} has it already")
        if isinstance(side, Term) and side.shape.tag not in _NUMBER:
            raise InvalidExpression(f"{text}: {side!r} is no number; DynamoDB adds and subtracts numbers only")
    node = Calculation(_number(left, beside=right), sign, _number(right, beside=left))
    return Arithmetic(node, text)


def _number(side: object, *, beside: object) -> Literally | Path | Alternative:
    if isinstance(side, Term):
        return side.operand
    assert isinstance(beside, Term), "one side is the attribute whose operator this is"  # noqa: S101 - an invariant
    literal = beside.literal(side)
    if "N" not in literal.value:
        raise InvalidExpression(f"{beside!r} and {side!r}: DynamoDB adds and subtracts numbers only")
    return literal


def alternative(term: Term, path: Path, default: object) -> IfNotExists[Any]:
    """``if_not_exists`` of an attribute.

    Raises:
        InvalidExpression: the default is ``None``, computed itself, or of an attribute that is stored otherwise.
        InvalidValue: the default is of another type than the attribute.
    """
    if default is None:
        raise InvalidExpression(f"{term!r}.if_not_exists(None): without a default there is nothing anyway")
    return IfNotExists(term, Alternative(path, plain(term, default)))


def assigned(term: Term, value: object) -> Operand | Alternative | Calculation:
    """What ``set()`` stores: a value, what another attribute holds, or what DynamoDB computes.

    Raises:
        InvalidExpression: the expression is stored under another type tag than the attribute.
        InvalidValue: a plain value is of another type than the attribute.
    """
    if isinstance(value, Arithmetic):
        if term.shape.tag not in _NUMBER:
            raise InvalidExpression(f"{value!r} is a number, but {term!r} is none")
        return value.operand
    if isinstance(value, Term):
        operand = value.operand  # of an encrypted attribute there is none, which says more than its tag
        _check_tags(term, value)
        return operand
    return term.literal(value)


def plain(term: Term, value: object) -> Operand:
    """A value, or what another attribute holds.

    Raises:
        InvalidExpression: it is computed, or an attribute that is stored under another type tag.
        InvalidValue: a plain value is of another type than the attribute.
    """
    if not isinstance(value, Term):
        return term.literal(value)
    operand = value.operand
    _check_tags(term, value)
    if isinstance(operand, Alternative):
        raise InvalidExpression(f"{value!r} as the default of {term!r}: a default is a value or an attribute")
    return operand


def _check_tags(term: Term, value: Term) -> None:
    ours, theirs = term.shape.tag, value.shape.tag
    if ours and theirs and ours != theirs:
        raise InvalidExpression(f"{value!r} is stored as {theirs}, but {term!r} as {ours}")
