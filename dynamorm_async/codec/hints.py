"""The types of a class's attributes: forward references resolved, type variables bound."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import inspect
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

import attrs

from dynamorm_async.errors import ModelError

TYPES = "__dynamorm_types__"
"""The class attribute that holds the resolved types of a model or embedded class."""


def attribute_types(tp: Any, local_names: Mapping[str, Any]) -> dict[str, Any]:
    """The declared type of every attrs field of a class, ``Attr[...]`` taken off.

    Args:
        tp: an attrs class, or a parametrised generic one such as ``Box[int]``.
        local_names: names that annotations may use besides their module's (a function's local classes).

    Raises:
        ModelError: a name that is not defined, or a type variable that is not bound.
    """
    cls = typing.get_origin(tp) or tp
    if tp is cls and TYPES in vars(cls):
        return dict(vars(cls)[TYPES])  # resolved where it was declared, with the names that were known there
    bound = _bound_variables(tp)
    hints: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        for name, annotation in inspect.get_annotations(base).items():
            hints[name] = base, annotation
    names = [field.name for field in attrs.fields(cls) if field.init]
    return {name: _resolve(cls, name, hints, bound, local_names) for name in names}


def _resolve(
    cls: type,
    name: str,
    hints: Mapping[str, tuple[type, Any]],
    bound: Mapping[Any, Any],
    local_names: Mapping[str, Any],
) -> Any:
    if name not in hints:
        raise ModelError(f"{cls.__name__}.{name} has no type annotation: write {name}: Attr[...] = ...")
    base, annotation = hints[name]
    module = sys.modules.get(base.__module__)
    holder = types.SimpleNamespace(__annotations__={name: annotation})
    scope = {**local_names, cls.__name__: cls, base.__name__: base}
    try:
        hint = typing.get_type_hints(holder, vars(module) if module else {}, scope, include_extras=True)[name]
    except NameError as error:
        raise ModelError(
            f"{cls.__name__}.{name}: the annotation {annotation!r} uses {error.name!r}, which is not defined yet. "
            f"Define it before {cls.__name__}, and import it at run time, not only under TYPE_CHECKING"
        ) from None
    except (SyntaxError, TypeError) as error:
        raise ModelError(f"{cls.__name__}.{name}: the annotation {annotation!r} is no type: {error}") from None
    return _bind(cls, name, strip_descriptor(hint), bound)


def strip_descriptor(hint: Any) -> Any:
    """``Attr[T]`` as ``T``; any other type as it is."""
    if getattr(typing.get_origin(hint), "__dynamorm_descriptor__", False):
        return typing.get_args(hint)[0]
    return hint


def _bound_variables(tp: Any) -> dict[Any, Any]:
    """What each type variable of a class and its bases stands for."""
    origin = typing.get_origin(tp)
    cls = origin or tp
    bound = dict(zip(getattr(cls, "__parameters__", ()), typing.get_args(tp), strict=False)) if origin else {}
    for base in getattr(cls, "__orig_bases__", ()):
        parent = typing.get_origin(base)
        if parent in (None, typing.Generic, typing.Protocol):
            continue
        arguments = [_substitute(argument, bound) for argument in typing.get_args(base)]
        bound.update(_bound_variables(parent[tuple(arguments)]))
    for base in cls.__bases__:
        for variable, value in _bound_variables(base).items():
            bound.setdefault(variable, value)
    return bound


def _bind(cls: type, name: str, hint: Any, bound: Mapping[Any, Any]) -> Any:
    result = _substitute(hint, bound)
    loose = result if isinstance(result, TypeVar) else next(iter(getattr(result, "__parameters__", ())), None)
    if loose is not None:
        raise ModelError(
            f"{cls.__name__}.{name}: the type variable {loose} is not bound. "
            f"Give it a type where the generic class is used, for example {_binding(cls, result)}"
        )
    return result


def _substitute(hint: Any, bound: Mapping[Any, Any]) -> Any:
    if isinstance(hint, TypeVar):
        return bound.get(hint, hint)
    parameters = getattr(hint, "__parameters__", ())
    if typing.get_origin(hint) is None or not parameters:
        return hint
    return hint[tuple(bound.get(parameter, parameter) for parameter in parameters)]


def _binding(cls: type, hint: Any) -> str:
    """How to bind a type variable: of a class that is an attribute's type, or else of a mixin."""
    if isinstance(hint, type):
        return f"Attr[{hint.__name__}[str]]"
    mixin = next((base for base in cls.__mro__[1:] if getattr(base, "__parameters__", ())), None)
    return f"class {cls.__name__}({mixin.__name__}[str])" if mixin else f"Attr[{cls.__name__}[str]]"
