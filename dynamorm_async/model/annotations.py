"""What must hold of a class's annotations and bases before attrs looks at them."""

from __future__ import annotations

import inspect
import typing

from dynamorm_async.errors import ModelError


def check_annotations(cls: type) -> None:
    """Own attributes are declared as ``Attr[...]``: otherwise type checkers would see plain values.

    Raises:
        ModelError: a plain annotation.
    """
    for name, annotation in inspect.get_annotations(cls).items():
        text = annotation if isinstance(annotation, str) else ""
        is_class_variable = "ClassVar" in (text or str(annotation))
        value = cls.__dict__.get(name)
        unstored = getattr(value, "init", True) is False
        if not (_is_attr(annotation) or is_class_variable or unstored):
            shown = text or getattr(annotation, "__name__", str(annotation))
            raise ModelError(
                f"{cls.__name__}.{name}: write {name}: Attr[{shown}], so that {cls.__name__}.{name} builds conditions"
            )


def _is_attr(annotation: object) -> bool:
    if isinstance(annotation, str):
        return "Attr[" in annotation
    return getattr(typing.get_origin(annotation), "__dynamorm_descriptor__", False)


def check_bases(cls: type) -> None:
    """What attrs would silently leave out: a generic class's unbound types, and attributes of undecorated mixins.

    Raises:
        ModelError: the class is generic, or a base with attributes is no attrs class.
    """
    if getattr(cls, "__parameters__", ()):
        raise ModelError(
            f"{cls.__name__} is generic: decorate it with @attrs.define(slots=False), and bind it where it is used, "
            f"for example class User({cls.__name__}[str]) or Attr[{cls.__name__}[str]]"
        )
    for base in cls.__mro__[1:]:
        names = [name for name, annotation in inspect.get_annotations(base).items() if _is_attr(annotation)]
        if names and "__attrs_attrs__" not in vars(base):
            raise ModelError(
                f"{cls.__name__}: its base {base.__name__} declares {', '.join(names)}, but is no attrs class: "
                f"decorate {base.__name__} with @embedded or @attrs.define(slots=False)"
            )
