"""``Attr`` of an attribute that DynamoDB sees ciphertexts of only."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar, final

from dynamorm_async.errors import InvalidExpression
from dynamorm_async.expressions.arithmetic import Arithmetic, Term
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.updates import Update

T = TypeVar("T")

_REFUSED: Final = (
    *(
        "__lt__",
        "__le__",
        "__gt__",
        "__ge__",
        "__add__",
        "__radd__",
        "__sub__",
        "__rsub__",
        "__truediv__",
        "__getitem__",
    ),
    *("between", "is_in", "begins_with", "contains", "attribute_type", "size", "if_not_exists"),
    *("add", "discard", "append", "prepend"),
)


@final
class EncryptedAttr(Attr[T]):
    """An encrypted attribute: it is written and removed as a whole, and is there or not. An ``Attr`` to type checkers."""

    if not TYPE_CHECKING:
        __hash__ = Attr.__hash__

        def __eq__(self, other: object) -> Any:  # a Condition
            """``== None``: there is no such attribute, or it is NULL. No ciphertext equals another."""
            return super().__eq__(other) if other is None else _refuse(self, "==")

        def __ne__(self, other: object) -> Any:  # a Condition
            """``!= None``: there is such an attribute, and it is not NULL."""
            return super().__ne__(other) if other is None else _refuse(self, "!=")

        def set(self, value: object, /) -> Update:
            """Replace the value. ``None`` removes it."""
            _check_plain(self, value)
            return super().set(value)

        def set_default(self, value: object, /) -> Update:
            """Set the value where the attribute is not there yet."""
            _check_plain(self, value)
            return super().set_default(value)

        @property
        def operand(self) -> NoReturn:
            """Refused: as an operand, DynamoDB would read it."""
            _refuse(self, "an operand")


def _refuse(attribute: Attr[Any], what: str) -> NoReturn:
    raise InvalidExpression(
        f"{attribute!r} is encrypted, so that DynamoDB cannot read it: {what} is not for it, only exists(), not_exists(), set(), "
        "set_default() and remove() of the whole attribute are. Compare its value in Python"
    )


def _check_plain(attribute: Attr[Any], value: object) -> None:
    if isinstance(value, Term | Arithmetic):
        raise InvalidExpression(
            f"{attribute!r} is encrypted: it is set to a value, not to what DynamoDB would read or compute, {value!r}"
        )


def _refusal(name: str) -> Callable[..., NoReturn]:
    shown = f"{name}()" if not name.startswith("__") else name.strip("_")

    def refuse(self: Attr[Any], *_arguments: object) -> NoReturn:
        _refuse(self, shown)

    refuse.__name__ = name
    refuse.__doc__ = "Refused: DynamoDB sees ciphertexts."
    return refuse


for _name in _REFUSED:
    setattr(EncryptedAttr, _name, _refusal(_name))
