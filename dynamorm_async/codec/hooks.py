"""Hooks of cattrs: the mark of those that are this library's, and those for enums."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Any

from dynamorm_async.codec import scalars
from dynamorm_async.codec.families import misplaced
from dynamorm_async.codec.misfit import expected

if TYPE_CHECKING:
    import cattrs

Hook = Callable[..., Any]


def ours(hook: Hook) -> Hook:
    """Mark a hook as one of this library, so that the compiled path may stand in for it."""

    def marked(*arguments: Any) -> Any:  # a hook's arguments are cattrs's
        return hook(*arguments)

    marked.__dynamorm__ = True  # type: ignore[attr-defined]  # a mark on a function
    return marked


def is_ours(hook: object) -> bool:
    """Whether a hook is one of this library."""
    return getattr(hook, "__dynamorm__", False)


def unstructure_hook(converter: cattrs.Converter, tp: Any) -> Hook:
    """The hook for a type; for an enum its own, where cattrs would choose that of a base (``class Color(str, Enum)``)."""
    hook = converter.get_unstructure_hook(tp)
    return unstructure_enum(tp) if is_enum(tp) and is_ours(hook) else hook


def but_enums(structure: Hook) -> Hook:
    """A class's hook that leaves enums which are subclasses of the class (``class Color(str, Enum)``) to theirs."""

    def structure_either(value: Any, tp: Any) -> Any:  # of the type
        return structure_enum(tp)(value, tp) if is_enum(tp) else structure(value, tp)

    return structure_either


def exactly(cls: type, hook: Hook) -> Hook:
    """A class's hook that refuses values of subclasses, which would be read back as the class."""

    def unstructure(value: object) -> Any:  # what the hook makes of it
        if type(value) is not cls:
            raise misplaced(value, cls)
        return hook(value)

    return unstructure


def is_enum(tp: Any) -> bool:
    return isinstance(tp, type) and issubclass(tp, Enum)


def unstructure_enum(tp: type[Enum]) -> Hook:
    return ours(lambda value: scalars.dump_enum(value, tp))


def structure_enum(tp: type[Enum]) -> Hook:
    def structure(value: object, _type: Any) -> Enum:
        try:
            return tp(value)
        except ValueError:
            raise expected(f"a value of {tp.__name__}", value) from None

    return ours(structure)
