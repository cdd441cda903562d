"""Families: classes whose stored maps name their own class by a type, so that a base's attribute can hold any of them."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import inspect
from abc import ABC
from collections.abc import Mapping
from typing import Any, Final, final

import attrs

from dynamorm_async.codec.misfit import Misfit, expected, problems_of
from dynamorm_async.codec.scalars import wrong_type
from dynamorm_async.errors import InvalidValue, ModelError, Problem

TAG: Final = "_type"
"""The attribute of a stored map that names its class: by its type in a family, by its name in a union of classes."""

_FAMILY: Final = "__dynamorm_family__"
_EMBEDDED: Final = "__dynamorm_fast__"


@final
class Family:
    """The classes of one family by their types. Each class of the family holds it; the first one made it."""

    __slots__ = ("_classes", "_types", "replaced")

    def __init__(self) -> None:
        self._classes: dict[str, type] = {}
        self._types: dict[type, str] = {}
        self.replaced = 0
        """How many classes were declared again: what was made of types before that holds no more."""

    def add(self, cls: type, type_name: str) -> None:
        """Take a class in. One that is declared again takes the place of its former self.

        Raises:
            ModelError: another class has the type.
        """
        former = [one for one, type_of in self._types.items() if is_declared_again(cls, type_name, one, type_of)]
        other = self._classes.get(type_name, cls)
        if other is not cls and other not in former:
            raise ModelError(
                f"{cls.__name__}: the type {type_name!r} is that of {other.__name__} already: "
                "classes of one family need types of their own"
            )
        for one in former:
            del self._classes[self._types.pop(one)]
            self.replaced += 1
        self._classes[type_name] = cls
        self._types[cls] = type_name

    def types_of(self, base: type) -> dict[str, type]:
        """The classes that an attribute of a class can hold so far, by their types."""
        return {name: cls for name, cls in self._classes.items() if issubclass(cls, base)}

    def type_of(self, cls: type) -> str:
        """The type of one of its classes."""
        return self._types[cls]

    def class_of(self, value: object, base: type) -> type:
        """The class of a value that is to be stored where a class or one of its subclasses is expected.

        Raises:
            InvalidValue: it is of no class that could be read back.
        """
        cls = type(value)
        if cls in self._types and issubclass(cls, base):
            return cls
        raise misplaced(value, base)

    def class_named(self, name: object, base: type) -> type:
        """The class of a type; the base itself where there is none, as in a map that was stored before the family was.

        Args:
            name: the type as it was found, ``None`` where there is none.
            base: the class that is expected, or a base of what is.

        Raises:
            Misfit: the type is none of the base or a subclass, or missing where the base is abstract.
        """
        cls = base if name is None and base in self._types else self.find(name, base)
        if cls is None:
            known = f"one of {', '.join(sorted(self.types_of(base)))}"
            if name is None:
                raise Misfit([Problem(TAG, f"is missing, and {base.__name__} is abstract: expected {known}")])
            raise Misfit(problems_of(expected(known, name), TAG))
        return cls

    def find(self, name: object, base: type) -> type | None:
        """The class of a type where it is the base or a subclass; ``None`` for any other."""
        cls = self._classes.get(name) if isinstance(name, str) else None
        return cls if cls is not None and issubclass(cls, base) else None


def is_declared_again(cls: type, type_name: str | None, other: type, other_type: str | None) -> bool:
    """Whether a class is another one anew, as when a module is reloaded or a notebook's cell runs twice.

    A function may make several classes of one name: of these, only those of one type are the same. A subclass may be
    called as its base, and is another class.
    """
    if (cls.__module__, cls.__qualname__) != (other.__module__, other.__qualname__):
        return False
    same_type = type_name == other_type or "<locals>" not in cls.__qualname__
    return cls is other or (same_type and not issubclass(cls, other) and not issubclass(other, cls))


def family_of(cls: type) -> Family | None:
    """The family that a class was declared into; a subclass that was not declared itself is in none."""
    family: Family | None = vars(cls).get(_FAMILY)
    return family


def tag_text(content: Mapping[str, Any]) -> str | None:
    """The type that a stored map, of AttributeValues, says that it is of; ``None`` where it says nothing.

    Raises:
        Misfit: it is no text.
    """
    found = content.get(TAG)
    if found is None and TAG not in content:
        return None
    name = found.get("S") if isinstance(found, dict) and len(found) == 1 else None
    if not isinstance(name, str):
        raise Misfit(problems_of(expected("the type of a class, a text", found), TAG))
    return name


def declare(cls: type, type_name: object) -> None:
    """Put an embedded class into the family of its bases, or let it found one, or neither.

    Args:
        cls: the class, all but for its family.
        type_name: what the declaration says; ``None`` where it says nothing.

    Raises:
        ModelError: the type is missing, not wanted, no text or taken; the message says what to write.
    """
    name = cls.__name__
    if type_name is not None and (not isinstance(type_name, str) or not type_name):
        raise ModelError(f'{name}: type={type_name!r} is no text: write @embedded(type="{name.lower()}")')
    is_abstract = _is_abstract(cls)
    family = _family_of_bases(cls)
    if is_abstract and type_name is not None:
        raise ModelError(
            f"{name} is abstract, so no value has the type {type_name!r}: write @embedded, and types on its subclasses"
        )
    if family is None:
        if type_name is None and not is_abstract:
            return
        _check_root(cls)
        family = Family()
    elif type_name is None and not is_abstract:
        base = next(base for base in cls.__mro__[1:] if family_of(base) is family)
        raise ModelError(
            f"{name}: its base {base.__name__} is one of a family, whose classes are told apart by a type: "
            f'write @embedded(type="{name.lower()}")'
        )
    if type_name is not None:
        family.add(cls, type_name)
    setattr(cls, _FAMILY, family)


def _is_abstract(cls: type) -> bool:
    return inspect.isabstract(cls) or ABC in cls.__bases__


def _family_of_bases(cls: type) -> Family | None:
    found = {id(family): (family, base) for base in cls.__mro__[1:] if (family := family_of(base)) is not None}
    if len(found) > 1:
        names = " and ".join(base.__name__ for _family, base in found.values())
        raise ModelError(f"{cls.__name__}: its bases {names} are of two families; a class has one type, in one family")
    return next(iter(found.values()))[0] if found else None


def _check_root(cls: type) -> None:
    """Refuse a family below a class without type: an attribute of that class could hold none of its values."""
    for base in cls.__mro__[1:]:
        if _EMBEDDED in vars(base):
            raise ModelError(
                f"{cls.__name__} has a type, but its base {base.__name__} has none: "
                f'write @embedded(type="{base.__name__.lower()}") on {base.__name__}, '
                "or @attrs.define(slots=False) where it is only a mixin"
            )


def misplaced(value: object, cls: type) -> InvalidValue:
    """The error for a value that is not of its attribute's class: of another one, or of one that would lose something."""
    own = type(value)
    if not isinstance(value, cls):
        return wrong_type(value, cls.__name__)
    if family_of(own) is not None and family_of(own) is family_of(cls):
        if not _is_abstract(own):
            return InvalidValue(
                f"{own.__name__} was declared again since this value was made: make the value anew, of the present class"
            )
        return InvalidValue(
            f"expected a subclass of {own.__name__} that has a type, got {own.__name__}, which is abstract"
        )
    kept = {field.name for field in _fields(cls)}
    lost = [field.name for field in _fields(own) if field.init and field.name not in kept]
    harm = f"it would lose {', '.join(lost)}" if lost else f"it would be read as {cls.__name__}"
    remedy = (
        f'declare {own.__name__} with @embedded(type="{own.__name__.lower()}")'
        if family_of(cls) is not None
        else f"declare both classes with @embedded(type=...), or the attribute as {cls.__name__} | {own.__name__}"
    )
    return InvalidValue(f"expected {cls.__name__}, got a subclass of it, {own.__name__}: {harm}. To store it, {remedy}")


def _fields(cls: type) -> tuple[Any, ...]:
    """The fields of an attrs class or dataclass."""
    return tuple(attrs.fields(cls)) if attrs.has(cls) else tuple(getattr(cls, "__dataclass_fields__", {}).values())
