"""One planned write, and the conditions that it insists on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal, final

import msgspec

from dynamorm_async.codec.hidden import MASK
from dynamorm_async.codec.layout import Member
from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Comparison, Condition, Function, Literally, Path, Segments, all_of
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.types import AttributeValue, Request

Returns = Literal["new", "old", "none", "updated_new", "updated_old"]

_RETURN_VALUES: Mapping[Returns, str] = {
    "none": "NONE",
    "old": "ALL_OLD",
    "new": "ALL_NEW",
    "updated_old": "UPDATED_OLD",
    "updated_new": "UPDATED_NEW",
}
_NOTHING: Mapping[str, Any] = MappingProxyType({})  # shared: an empty dict for each would be made anew
_ACTIONS = {"PutItem": "put", "UpdateItem": "update", "DeleteItem": "delete", "ConditionCheck": "check"}


@final
class Write(msgspec.Struct, frozen=True, kw_only=True, gc=False):  # of no cycle: not counted by the collector
    """One planned write.

    Attributes:
        spec: the model.
        request: what to send.
        instance: what is written, where the caller gave an instance.
        changes: the instance's attributes to set once it succeeded.
        item: the item as the instance has it then, where that is known.
        json: that item as JSON, where it is put and nothing of it is to be encrypted: it is sent as it was measured.
        held: the item as the table has it then, where that is less: a default that is not stored is not in it.
        inside: the maps that it changes entries of, and so insists on.
        expected: the version that the write insists on; ``None`` where it insists on none.
        must_exist: whether it insists on an item that is there.
        must_not_exist: whether it insists on a free key.
        missing_fails_where: whether a missing item is no conflict of versions, but fails by what else is insisted on.
        unique: the attributes of unique constraints that the write sets, by their names in DynamoDB, with ``None``
            where it leaves them out; ``None`` where it touches none.
        changed: the paths that an update changes, where it is to return just those.
        marks: ``True`` of a soft delete, which insists on an item that is there and not soft-deleted; ``False`` of a
            restore, which insists on a soft-deleted one; ``None`` of all other writes.
        forgives: whether a call of its own is content where just that fails, because there is nothing to do. In a
            transaction it still cancels everything.
        insists: attributes that keys of indexes are made from, with the values that it insists on for that: ``None`` where
            there is to be no such attribute.
        guards: what it insists on of an item that is there, for keys of indexes that only a new one gets.
        key_values: the attributes that the key was made of, by their names in DynamoDB, where the model has derived
            attributes: a templated key does not tell all of them.
        schema: the schema version that it insists on the item having; ``None`` where it insists on none.
    """

    spec: ModelSpec[Any]
    request: Request
    instance: object | None = None
    changes: Mapping[str, Any] = {}  # attribute values of any type
    item: Mapping[str, AttributeValue] | None = None
    json: bytes | None = None
    held: Mapping[str, AttributeValue] | None = None
    inside: Sequence[tuple[str, ...]] = ()
    expected: int | None = None
    must_exist: bool = False
    must_not_exist: bool = False
    missing_fails_where: bool = False
    unique: Mapping[str, AttributeValue | None] | None = None
    changed: tuple[Segments, ...] = ()
    marks: bool | None = None
    forgives: bool = False
    insists: Mapping[str, AttributeValue | None] = _NOTHING
    guards: tuple[Condition, ...] = ()
    key_values: Mapping[str, AttributeValue] = _NOTHING
    schema: int | None = None

    @property
    def table(self) -> str:
        """The name of the table."""
        name: str = self.request.body["TableName"]
        return name

    @property
    def key(self) -> dict[str, AttributeValue]:
        """The key of the item."""
        whole = self._keyed
        return {name: whole[name] for name in self.spec.key_names}

    @property
    def key_of(self) -> Key[Any]:
        """The key of the item, as the caller would write it."""
        return Key(self.spec.cls, *self.spec.codec.decode_key({**self._keyed, **self.key_values}))

    @property
    def place(self) -> PlaceId:
        """Which item it is about."""
        body = self.request.body
        return body["TableName"], *self.spec.identities.of_key(body.get("Key") or body["Item"])

    @property
    def _keyed(self) -> dict[str, AttributeValue]:
        """What holds the key: the key itself, or the whole item."""
        keyed: dict[str, AttributeValue] = self.request.body.get("Key") or self.request.body["Item"]
        return keyed

    @property
    def action(self) -> str:
        """What it does, in the words of the caller: ``create``, ``put``, ``update``, ``delete``, ``restore`` or ``check``."""
        if self.marks is not None:
            return "delete" if self.marks else "restore"
        return "create" if self.must_not_exist else _ACTIONS[self.request.operation]

    @property
    def batchable(self) -> bool:
        """Whether it can be part of a BatchWriteItem, which takes no conditions and is no transaction."""
        return not self.conditional and self.unique is None and self.request.operation in ("PutItem", "DeleteItem")

    @property
    def conditional(self) -> bool:
        """Whether it insists on anything."""
        return "ConditionExpression" in self.request.body


def add_return_values(body: dict[str, Any], returns: Returns, call: str, *allowed: Returns) -> None:
    """Ask for what the caller wants back.

    Args:
        body: the request's.
        returns: what the caller wants.
        call: the caller's call, for errors.
        allowed: what it can return.

    Raises:
        UsageError: it cannot return that.
    """
    if returns not in allowed:
        raise UsageError(f"{call}(returns={returns!r}): it is one of {', '.join(map(repr, allowed))}")
    if returns != "none":  # DynamoDB's own default
        body["ReturnValues"] = _RETURN_VALUES[returns]


def check_transactable(write: Write, *, why: str) -> None:
    """Refuse a write that is to return what a transaction does not.

    Args:
        write: the write.
        why: what makes it a transaction, for errors.

    Raises:
        UsageError: it is to return the item as it was, or only what was changed.
    """
    if write.request.body.get("ReturnValues", "NONE") not in ("NONE", "ALL_NEW"):
        raise UsageError(
            f"{write.action}(returns=...) of {write.spec.name}: {why} this write a transaction, which returns no "
            "attributes. Leave returns= out, and read the item before"
        )


def encoded_member(spec: ModelSpec[Any], member: Member, value: object) -> AttributeValue:
    """The AttributeValue of a version or time, which always has one."""
    encoded = spec.codec.encode_member(member, value)
    assert encoded is not None, f"{member.name} is never None"  # noqa: S101 - versions and times always have a value
    return encoded


def item_text(spec: ModelSpec[Any], key: Mapping[str, AttributeValue]) -> str:
    """Which item is meant, for people: ``User(org='acme', user_id='u1')``."""
    names, secret = spec.python_names, spec.secret_key
    parts = ", ".join(
        f"{names.get(name, name)}={MASK if secret else repr(next(iter(key[name].values())))}" for name in spec.key_names
    )
    return f"{spec.name}({parts})"


def key_is_free(spec: ModelSpec[Any]) -> Condition:
    """There is no item with the key."""
    return Function("attribute_not_exists", Path((spec.key_names[0],)))


def key_is_taken(spec: ModelSpec[Any]) -> Condition:
    """There is an item with the key."""
    return Function("attribute_exists", Path((spec.key_names[0],)))


def is_still(name: str, value: AttributeValue | None) -> Condition:
    """The attribute in the table has this value; with ``None``, there is no such attribute."""
    path = Path((name,))
    return Function("attribute_not_exists", path) if value is None else Comparison(path, "=", Literally(value))


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
    condition = all_of([condition for condition in conditions if condition is not None])
    if condition is None and placeholders is None and not expressions:  # as of most puts
        return False
    names = placeholders or Placeholders()
    if condition is not None:
        expressions["ConditionExpression"] = condition.render(names)
        body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    names.into(body, **expressions)
    return condition is not None
