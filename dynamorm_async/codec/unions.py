"""Unions: classes are told apart by a tag, other types by the first that fits."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import types
import typing
from typing import TYPE_CHECKING, Any

import attrs

from dynamorm_async.codec import scalars
from dynamorm_async.codec.hooks import Hook, ours, unstructure_hook
from dynamorm_async.codec.misfit import expected
from dynamorm_async.errors import ModelError

if TYPE_CHECKING:
    import cattrs

TAG = "_type"
"""The attribute of a stored map that names its class, where the type is a union of classes."""


def is_union(tp: Any) -> bool:
    return typing.get_origin(tp) in (typing.Union, types.UnionType)


def unstructure_union(tp: Any, converter: cattrs.Converter) -> Hook:
    alternatives = _alternatives(tp)
    tagged = _tagged(alternatives)

    def unstructure(value: Any) -> Any:  # plain, by the value's own class
        if value is None and type(None) in typing.get_args(tp):
            return None
        for alternative in sorted(alternatives, key=lambda a: type(value) is not _class_of(a)):
            if isinstance(value, _class_of(alternative)):
                plain = unstructure_hook(converter, alternative)(value)
                return {TAG: _class_of(alternative).__name__, **plain} if alternative in tagged else plain
        raise scalars.wrong_type(value, str(tp))

    return ours(unstructure)


def structure_union(tp: Any, converter: cattrs.Converter) -> Hook:
    alternatives = _alternatives(tp)
    tagged = {_class_of(alternative).__name__: alternative for alternative in _tagged(alternatives)}

    def structure(value: Any, _type: Any) -> Any:  # one of the alternatives
        if value is None and type(None) in typing.get_args(tp):
            return None
        if isinstance(value, dict) and TAG in value:
            named = tagged.get(value[TAG])
            if named is None:
                raise expected(f"{TAG} to be one of {', '.join(sorted(tagged))}", value[TAG])
            return converter.structure({k: v for k, v in value.items() if k != TAG}, named)
        for alternative in alternatives:
            if alternative in tagged.values():
                continue
            try:
                return converter.structure(value, alternative)
            except Exception:  # noqa: BLE001, S112 - the next alternative may fit
                continue
        raise expected(str(tp), value)

    return ours(structure)


def _alternatives(tp: Any) -> list[Any]:
    return [argument for argument in typing.get_args(tp) if argument is not type(None)]


def _class_of(tp: Any) -> type:
    cls = typing.get_origin(tp) or tp
    return cls if isinstance(cls, type) else object


def _tagged(alternatives: list[Any]) -> list[Any]:
    """The classes of a union, which are told apart by a tag; none where there is just one."""
    classes = [alternative for alternative in alternatives if attrs.has(_class_of(alternative))]
    names = {_class_of(alternative).__name__ for alternative in classes}
    if len(names) != len(classes):
        raise ModelError(f"two classes of one name in a union cannot be told apart: {classes}")
    return classes if len(classes) > 1 else []
