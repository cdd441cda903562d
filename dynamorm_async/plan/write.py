"""One planned write, and the conditions that it insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs

from dynamorm_async.codec.layout import Member
from dynamorm_async.expressions.conditions import Comparison, Condition, Function, Literally, Path, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.types import AttributeValue, Request

Returns = Literal["new", "old", "none"]


@attrs.frozen(kw_only=True)
class Write:
    """One planned write.

    Attributes:
        spec: the model.
        request: what to send.
        instance: what is written, where the caller gave an instance.
        changes: the instance's attributes to set once it succeeded.
        item: what the table will hold then, where that is known.
        expected: the version that the write insists on; ``None`` where it insists on none.
        must_exist: whether it insists on an item that is there.
        must_not_exist: whether it insists on a free key.
        missing_fails_where: whether a missing item passes the version's condition, so that ``where`` failed there.
    """

    spec: ModelSpec[Any]
    request: Request
    instance: object | None = None
    changes: Mapping[str, Any] = {}  # attribute values of any type
    item: Mapping[str, AttributeValue] | None = None
    expected: int | None = None
    must_exist: bool = False
    must_not_exist: bool = False
    missing_fails_where: bool = False

    @property
    def conditional(self) -> bool:
        """Whether it insists on anything."""
        return "ConditionExpression" in self.request.body


def encoded_member(spec: ModelSpec[Any], member: Member, value: object) -> AttributeValue:
    """The AttributeValue of a version or time, which always has one."""
    encoded = spec.codec.encode_member(member, value)
    assert encoded is not None, f"{member.name} is never None"  # noqa: S101 - versions and times always have a value
    return encoded


def key_is_free(spec: ModelSpec[Any]) -> Condition:
    """There is no item with the key."""
    return Function("attribute_not_exists", Path((spec.key[0].wire,)))


def key_is_taken(spec: ModelSpec[Any]) -> Condition:
    """There is an item with the key."""
    return Function("attribute_exists", Path((spec.key[0].wire,)))


def version_condition(spec: ModelSpec[Any], instance: object) -> tuple[int | None, Condition | None]:
    """The version that a write of the instance insists on, and the condition that says so."""
    version = spec.version
    if version is None:
        return None, None
    expected: int = getattr(instance, version.name)
    path = Path((version.wire,))
    if expected == 0:
        return 0, Function("attribute_not_exists", path)
    return expected, Comparison(path, "=", Literally(encoded_member(spec, version, expected)))


def add_conditions(
    body: dict[str, Any],
    conditions: Sequence[Condition | None],
    placeholders: Placeholders | None = None,
    **expressions: str,
) -> bool:
    """Put the conditions and the other expressions into the body; whether there is any condition."""
    condition = all_of(condition for condition in conditions if condition is not None)
    names = placeholders or Placeholders()
    if condition is not None:
        expressions["ConditionExpression"] = condition.render(names)
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    names.into(body, **expressions)
    return condition is not None
