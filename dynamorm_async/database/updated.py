"""``UpdatedAttributes``: what an update changed, as DynamoDB returned it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar, cast, final

import attrs

from dynamorm_async.codec.answers import answer_json, bytes_in, plain_key
from dynamorm_async.codec.encrypted import decode_error
from dynamorm_async.codec.hidden import MASK
from dynamorm_async.codec.misfit import Collector
from dynamorm_async.codec.native import from_attribute_value
from dynamorm_async.codec.rows import at_path
from dynamorm_async.errors import DecodeError, Problem, UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.conditions import Segments
from dynamorm_async.expressions.updates import path_text
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.write import Write
from dynamorm_async.types import AttributeValue

T = TypeVar("T")


@final
@attrs.frozen(repr=False)
class UpdatedAttributes:
    """The attributes that an update changed, as they were (``updated_old``) or as they are then (``updated_new``).

    ``updated[User.age]`` is an ``int``. The changed paths can be asked for, and what lies inside them; of an attribute
    that was changed in part, DynamoDB returns that part alone. ``updated_at`` and the version are among the changed.
    An attribute that was removed, or that was not there before, is not in it: ``in`` and :meth:`get` tell.

    It is immutable.
    """

    _spec: ModelSpec[Any]
    _changed: tuple[Segments, ...]
    _raw: Mapping[str, Any]
    _key: Mapping[str, object]

    def __getitem__(self, attribute: Attr[T], /) -> T:
        """The value of a changed attribute, or of a path inside one.

        Raises:
            KeyError: the update did not change it, or it is not there.
            UsageError: it is an attribute of another model, only a part of it was changed, or it is inside a list of
                which elements were changed: DynamoDB does not say which of them it returns.
            DecodeError: the value does not fit the attribute.
        """
        raw = self._found(attribute)
        if raw is None:
            raise KeyError(
                f"{attribute!r} is not among what the update changed, or is not there; get() gives None for it"
            )
        value: T = self._decoded(attribute, raw)
        return value

    def get(self, attribute: Attr[T], /) -> T | None:
        """The same, or ``None`` where there is none or it was not changed.

        Raises:
            UsageError, DecodeError: as ``updated[attribute]`` does.
        """
        raw = self._found(attribute)
        return None if raw is None else self._decoded(attribute, raw)

    def __contains__(self, attribute: Attr[Any], /) -> bool:
        """Whether the update changed it and it is there.

        Raises:
            UsageError: as ``updated[attribute]`` does.
        """
        return self._found(attribute) is not None

    __iter__ = None  # without it, Python would try [0], [1] …

    @property
    def raw(self) -> Mapping[str, AttributeValue]:
        """What DynamoDB returned: attribute name to AttributeValue. Engines differ in how much more than the changed
        paths they return.
        """
        return MappingProxyType(bytes_in(self._raw))

    def __repr__(self) -> str:
        found = ((path, at_path(self._raw, path)) for path in self._changed if _outside_lists(path) == path)
        shown = ", ".join(f"{path_text(path)}={self._shown(path, raw)}" for path, raw in found if raw is not None)
        return f"<UpdatedAttributes of {self._spec.name}: {shown or 'none'}>"

    def _shown(self, path: Segments, raw: Mapping[str, Any]) -> str:
        member = self._spec.attributes[self._spec.python_names[str(path[0])]]
        return MASK if member.shape.hidden else _shown(raw)

    def _found(self, attribute: Attr[Any]) -> Mapping[str, Any] | None:
        """What is at a path, where the update changed it."""
        self._check(attribute)
        path = attribute.segments
        is_changed = any(path[: len(changed)] == changed for changed in self._changed)
        return at_path(self._raw, path) if is_changed else None

    def _check(self, attribute: Attr[Any]) -> None:
        """Refuse what the answer cannot tell."""
        name = self._spec.name
        if not isinstance(attribute, Attr):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
            raise UsageError(f"the attributes of {name} are asked for as {name}.attribute, not {attribute!r}")
        path = attribute.segments
        if path[0] not in self._spec.python_names or not issubclass(self._spec.cls, attribute.owner):
            raise UsageError(f"{attribute!r} is not of {name}, which was updated")
        for changed in self._changed:
            if len(changed) > len(path) and changed[: len(path)] == path:
                raise UsageError(
                    f"only {path_text(changed)} of {attribute!r} was changed, and DynamoDB may return no more of it: "
                    'ask for that path, or update(..., returns="new") for the whole item'
                )
            outer = _outside_lists(changed)
            if outer != changed and path[: len(outer)] == outer:
                raise UsageError(
                    f"{path_text(changed)} is an element of a list: DynamoDB returns changed elements without their "
                    f'indexes, so that {attribute!r} cannot be told. Use update(..., returns="new")'
                )

    def _decoded(self, attribute: Attr[Any], raw: Mapping[str, Any]) -> Any:  # of the attribute's type
        collector = Collector()
        value = collector.run(path_text(attribute.segments), attribute.shape.decode, raw)
        if collector.problems:
            raise decode_error(self._spec.name, self._key, collector.problems)
        return value


def updated_attributes(write: Write, body: bytes) -> UpdatedAttributes:
    """The answer of an update that returns what it changed.

    Raises:
        DecodeError: it is no such answer.
    """
    raw: Any = answer_json(body).get("Attributes", {})
    key = plain_key(write.request.body["Key"], write.spec.attributes.values())
    if not isinstance(raw, dict):
        raise DecodeError(write.spec.name, key, [Problem("Attributes", "is no map of attributes")])
    attributes = cast("dict[str, Any]", raw)
    collector = Collector()
    collector.run("Attributes", bytes_in, attributes)
    if collector.problems:
        raise DecodeError(write.spec.name, key, collector.problems)
    return UpdatedAttributes(write.spec, write.changed, attributes, key)


def _outside_lists(path: Segments) -> Segments:
    """What comes before the first index of a path."""
    return next((path[:i] for i, step in enumerate(path) if isinstance(step, int)), path)


def _shown(raw: Mapping[str, Any]) -> str:
    text = repr(from_attribute_value(raw))
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 3]}..."


_SHOWN = 60
