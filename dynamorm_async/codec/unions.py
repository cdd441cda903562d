"""Values of one of several classes, by cattrs: of a family by their types, of a union by their names, others by what fits."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import types
import typing
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from dynamorm_async.codec import scalars
from dynamorm_async.codec.families import TAG, Family, family_of
from dynamorm_async.codec.hooks import Hook, ours, unstructure_hook
from dynamorm_async.codec.misfit import Misfit, expected, problems_of
from dynamorm_async.errors import InvalidValue, ModelError

if TYPE_CHECKING:
    import cattrs


# --- families ---------------------------------------------------------------------------------


def unstructure_variant(tp: type, family: Family, converter: cattrs.Converter, own: Hook) -> Hook:
    """The hook for a family's class: what its own class makes of a value, and the type of that.

    Args:
        tp: the class that is expected.
        family: its family.
        converter: has the hooks of the other classes.
        own: the hook for values of exactly this class.
    """

    def unstructure(value: Any) -> dict[str, Any]:
        cls = family.class_of(value, tp)
        plain = own(value) if cls is tp else unstructure_hook(converter, cls)(value)
        if not isinstance(plain, Mapping):
            raise InvalidValue(f"a hook made {plain!r} of a {cls.__name__}: a class of a family is stored as a map")
        return {**plain, TAG: family.type_of(cls)}

    return unstructure


def structure_variant(tp: type, family: Family, converter: cattrs.Converter, own: Hook) -> Hook:
    """The counterpart of :func:`unstructure_variant`."""

    def structure(value: Any, _type: Any) -> Any:  # an instance of the class, or of a subclass
        if not isinstance(value, Mapping):
            raise expected("a map", value)
        cls = family.class_named(_type_in(value), tp)
        plain = {name: inside for name, inside in value.items() if name != TAG}
        return own(plain, tp) if cls is tp else converter.structure(plain, cls)

    return structure


def _type_in(plain: Mapping[str, Any]) -> str | None:
    """As ``tag_text``, of a plain map."""
    if TAG in plain and not isinstance(plain[TAG], str):
        raise Misfit(problems_of(expected("the type of a class, a text", plain[TAG]), TAG))
    return plain.get(TAG)


# --- unions -----------------------------------------------------------------------------------


def is_union(tp: Any) -> bool:
    return typing.get_origin(tp) in (typing.Union, types.UnionType)


@typing.final
class Alternatives:
    """What a value of a union may be, and how its classes are told apart.

    Classes of families have types. Others are called by their names, where there is more than one class.

    Args:
        tp: the union.

    Raises:
        ModelError: two classes have one name.
    """

    def __init__(self, tp: Any) -> None:
        self.all = [argument for argument in typing.get_args(tp) if argument is not type(None)]
        self.optional = len(self.all) < len(typing.get_args(tp))
        self.classes = [alternative for alternative in self.all if is_class(alternative)]
        self._families = {a: family for a in self.classes if (family := family_of(class_of(a))) is not None}
        named = [a for a in self.classes if a not in self._families and len(self.classes) > 1]
        self._named = {class_of(alternative).__name__: alternative for alternative in named}
        if len(self._named) < len(named):
            raise ModelError(f"two classes of one name in a union cannot be told apart: {named}")

    def check(self) -> None:
        """Refuse types that two classes have. Where a class is declared later, its values are refused.

        Raises:
            ModelError: there is such a type.
        """
        known: dict[str, Any] = dict(self._named)
        for base, family in self._families.items():
            for name, cls in family.types_of(base).items():
                if known.setdefault(name, cls) is not cls:
                    raise ModelError(
                        f"{class_of(known[name]).__name__} and {cls.__name__} of a union are both stored as {name!r}, "
                        "so they cannot be told apart: give one another type"
                    )

    @property
    def tells(self) -> bool:
        """Whether there are classes that are told apart by a tag."""
        return bool(self._named or self._families)

    @property
    def untagged(self) -> list[Any]:
        """The alternatives in the order in which a value without a tag is tried; what is always tagged comes last."""
        return sorted(self.all, key=[*self._families].__contains__)

    @property
    def names(self) -> list[str]:
        """The names and types that are known so far."""
        types_of = (family.types_of(base) for base, family in self._families.items())
        return sorted({*self._named, *(name for found in types_of for name in found)})

    def find(self, name: object) -> Any:  # a type annotation, or None
        """The class that a tag means; ``None`` where it means none."""
        if isinstance(name, str) and name in self._named:
            return self._named[name]
        found = (family.find(name, base) for base, family in self._families.items())
        return next((cls for cls in found if cls is not None), None)

    def tagged(self, plain: Any, value: object, alternative: Any) -> Any:  # plain
        """What an alternative's hook made of a value, so that it is read back as just that.

        Raises:
            InvalidValue: it would be read as another alternative.
        """
        if alternative not in self.classes:
            if self.tells and isinstance(plain, Mapping) and TAG in plain:
                raise InvalidValue(f"has the key {TAG!r}, by which the classes of the union are told apart: {plain!r}")
            return plain
        name = class_of(alternative).__name__
        if self._named.get(name) is alternative:
            return {TAG: name, **plain}
        if alternative in self._families and self.find(plain.get(TAG)) is not type(value):
            raise InvalidValue(
                f"{type(value).__name__} has the type {plain.get(TAG)!r}, which is another class's in the union"
            )
        return plain


def unstructure_union(tp: Any, converter: cattrs.Converter) -> Hook:
    """The hook for a union: what the hook of the value's own alternative makes of it, with a tag for a class."""
    alternatives = Alternatives(tp)

    def unstructure(value: Any) -> Any:  # plain, by the value's own class
        if value is None and alternatives.optional:
            return None
        for alternative in sorted(alternatives.all, key=lambda a: type(value) is not class_of(a)):
            if isinstance(value, class_of(alternative)):
                return alternatives.tagged(unstructure_hook(converter, alternative)(value), value, alternative)
        raise scalars.wrong_type(value, str(tp))

    return ours(unstructure)


def structure_union(
    tp: Any, converter: cattrs.Converter, untagged: Callable[[list[Any], Any], Any] | None = None
) -> Hook:
    """The counterpart of :func:`unstructure_union`.

    Args:
        tp: the union.
        converter: has the hooks of the alternatives.
        untagged: which of several classes a map without a tag is; without it, such a map is none.
    """
    alternatives = Alternatives(tp)
    several = len(alternatives.classes) > 1

    def structure(value: Any, _type: Any) -> Any:  # one of the alternatives
        if value is None and alternatives.optional:
            return None
        if alternatives.tells and isinstance(value, dict) and TAG in value:
            return tagged(value)
        for alternative in alternatives.untagged:
            if several and alternative in alternatives.classes:
                continue
            try:
                return converter.structure(value, alternative)
            except Exception:  # noqa: BLE001, S112 - the next alternative may fit
                continue
        if several and untagged is not None and isinstance(value, dict):
            return converter.structure(value, untagged(alternatives.classes, value))
        raise expected(str(tp), value)

    def tagged(value: dict[str, Any]) -> Any:  # an instance of one of the classes
        found = alternatives.find(value[TAG])
        if found is None:
            raise Misfit(problems_of(expected(f"one of {', '.join(alternatives.names)}", value[TAG]), TAG))
        return converter.structure({name: inside for name, inside in value.items() if name != TAG}, found)

    return ours(structure)


def class_of(tp: Any) -> type:
    """The class of a type annotation, its own or that of which it is a parametrised form; ``object`` for any other."""
    cls = typing.get_origin(tp) or tp
    return cls if isinstance(cls, type) else object


def is_class(tp: Any) -> bool:
    """Whether it is an attrs class or a dataclass."""
    cls = class_of(tp)
    return attrs.has(cls) or hasattr(cls, "__dataclass_fields__")
