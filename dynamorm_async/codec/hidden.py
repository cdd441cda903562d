"""Secret values: what keeps them out of everything that is made for people to read."""

from __future__ import annotations

from typing import Any, Final, Protocol, final

from dynamorm_async.types import AttributeValue

MASK: Final = "***"
"""What stands in place of a secret value."""


@final
class Masked:
    """Stands for a secret value where errors carry values."""

    __slots__ = ()

    def __repr__(self) -> str:
        return MASK


MASKED: Final = Masked()


@final
class HiddenValue(dict[str, Any]):  # an AttributeValue
    """An AttributeValue whose ``repr`` shows its type tag only. It is sent, stored and compared as any other."""

    __slots__ = ()

    def __repr__(self) -> str:
        return f"{{{next(iter(self), '')!r}: {MASK}}}"

    __str__ = __repr__


def hidden(value: AttributeValue) -> AttributeValue:
    """An AttributeValue that is not shown."""
    return HiddenValue(value)


def misfit_text(value: object) -> str:
    """What is said of a secret value that cannot be stored: its class, and nothing of what it holds."""
    return (
        f"the value, of class {type(value).__name__}, cannot be stored as this type; it is secret, so more is not shown"
    )


class HasShape(Protocol):
    """An attribute, as far as its values are shown."""

    @property
    def shape(self) -> Hides:
        """How they are stored."""
        ...


class Hides(Protocol):
    """A shape, as far as its values are shown."""

    @property
    def hidden(self) -> bool:
        """Whether they are not."""
        ...


def shown(member: HasShape, value: object) -> str:
    """A value of an attribute, for errors; a mask where it is secret."""
    return MASK if member.shape.hidden else repr(value)


MISREAD: Final = "the stored value does not fit its type; it is secret, so more is not shown"
