"""The keys of indexes of an item that is changed by its key, without having been read: made anew from what is certain of it.

Where that is not enough, the change is refused before anything is sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Final, Literal, final

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.conditions import Condition, Either, Every, Function, Path
from dynamorm_async.expressions.updates import Default, Update
from dynamorm_async.model.derived import IndexTemplates, KeyTemplate
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.plan.derived import Rekeyed, depends, joined, removed, set_to, touched_by
from dynamorm_async.plan.known import Known, known_by
from dynamorm_async.types import AttributeValue

Call = Literal["update", "upsert", "delete", "restore"]

_INSTANCE: Final = "pass the instance instead of its Key"
_OF_OTHERS: Final[Mapping[Call, str]] = {
    "update": "set {names}, too, insist with where={equal}, or change the item with {instance}",
    "upsert": "set {names}, too, or create() the item where there is none",
    "delete": f"{_INSTANCE}, or insist with where={{equal}}",
    "restore": _INSTANCE,
}
_OF_COMPUTED: Final[Mapping[Call, str]] = {
    "update": "write {attribute}.set(value), or change the item with {instance}",
    "upsert": "write {attribute}.set(value)",
    "delete": _INSTANCE,
    "restore": _INSTANCE,
}
_OF_VERSION: Final[Mapping[Call, str]] = {
    "update": "insist on the present one with where={equal}, or change the item with {instance}",
    "upsert": "create() the item where there is none, and update() it with where={equal} where there is one",
    "delete": _OF_OTHERS["delete"],
    "restore": _INSTANCE,
}
"""The ways out of a refusal: where something else is not known, where DynamoDB computes the value, and of the version."""


def keys_of_change(
    spec: ModelSpec[Any],
    call: Call,
    updates: Sequence[Update],
    *,
    key_values: Mapping[str, AttributeValue],
    conditions: Sequence[Condition | None],
) -> Rekeyed:
    """What keeps the keys of indexes right when an item is changed by its key.

    Args:
        spec: the model.
        call: the caller's call.
        updates: the caller's changes, and those of the lifecycle.
        key_values: the attributes that the item's key is made of, by their names in DynamoDB.
        conditions: what the write insists on.

    Raises:
        UsageError: something that a key is made from is not certain.
        InvalidKey: a key is empty or too long, or a value does not fit its format.
    """
    if spec.derived is None:
        return Rekeyed()
    change = _KeyedChange(spec=spec, call=call, updates=updates, key_values=key_values, conditions=conditions)
    return joined(change.keys_of(index) for index in spec.derived.indexes if index.keys)


@final
class _KeyedChange(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A change of an item that was not read, as :func:`keys_of_change` is given it."""

    spec: ModelSpec[Any]
    call: Call
    updates: Sequence[Update]
    key_values: Mapping[str, AttributeValue]
    conditions: Sequence[Condition | None]

    def keys_of(self, index: IndexTemplates) -> Rekeyed:
        """What keeps the keys of one index right."""
        if self.call == "upsert":
            return self._of_upsert(index)
        return Rekeyed() if self.touched.isdisjoint(depends(index)) else self._made_anew(index)

    @cached_property
    def touched(self) -> frozenset[str]:
        """The attributes that it changes."""
        return touched_by(self.updates)

    @cached_property
    def insisted(self) -> Known:
        """What is certain of an item for which the conditions hold."""
        return known_by(self.conditions, self.spec.attributes.values())

    @cached_property
    def before(self) -> Known:
        """What is certain of the item before."""
        members, insisted = self.spec.attributes.values(), self.insisted
        # What an upsert makes has nothing that it is not given.
        own = (self.spec.created_at, self.spec.updated_at, self.spec.version)
        sure = () if self.call == "upsert" else [one.wire for one in members if one.required or one in own]
        return Known({**self.key_values, **insisted.values}, insisted.present.union(sure))

    @cached_property
    def after(self) -> Known:
        """What is certain of the item afterwards."""
        return self.before.after(self.updates)

    @cached_property
    def coarse(self) -> Mapping[str, frozenset[str]]:
        """The attributes of which the item's key tells a part only, with the formats that it tells.

        What the caller's key says of them need not be what the item has: a day, where it has a time.
        """
        derived = self.spec.derived
        keys = () if derived is None else derived.table_keys
        parts = [part for key in keys for part in key.template.components]
        exact = {part.member.wire for part in parts if part.lossless}
        insisted = self.insisted.values
        return {
            wire: frozenset(part.format for part in parts if part.member.wire == wire)
            for wire in (part.member.wire for part in parts)
            if wire not in exact and wire not in insisted
        }

    def _made_anew(self, index: IndexTemplates) -> Rekeyed:
        is_in = membership(index, self.after)
        if is_in is False:
            return Rekeyed(removed(index.keys), self._insists(index, ()))
        stays = membership(index, self.before) is True
        keys = [key for key in index.keys if not stays or not self.touched.isdisjoint(_members(key))]
        missing = self._missing(index, keys, is_in=is_in)
        if missing:
            raise self._refusal(index, missing)
        item = self.after.item
        made = ((key, key.of(item)) for key in keys)
        return Rekeyed(
            tuple(set_to(key, value) for key, value in made if value is not None), self._insists(index, keys)
        )

    # --- upsert -----------------------------------------------------------------------------------

    def _of_upsert(self, index: IndexTemplates) -> Rekeyed:
        """The same where the item may be a new one."""
        if self._is_given(index):
            made = index.of(self._new.item)
            unsure = depends(index) & (self._defaulted | self.coarse.keys())
            updates = tuple(set_to(key, made[key.name], where_absent=bool(unsure)) for key in index.keys if made)
            return Rekeyed(updates, guards=(_is_first(index, unsure),) if updates and unsure else ())
        if self.touched.isdisjoint(depends(index)) and membership(index, self._new) is False:
            return Rekeyed()  # a new item is not in the index, and another one stays as it is
        return self._made_anew(index)

    def _is_given(self, index: IndexTemplates) -> bool:
        """Whether the keys are made when the item is, and never change: from its own key, and from first values."""
        first = self.key_values.keys() | self._defaulted
        return index.when is None and depends(index) <= first

    @cached_property
    def _defaulted(self) -> frozenset[str]:
        """The attributes that are set only where they are not there."""
        return touched_by(one for one in self.updates if isinstance(one.change, Default) and len(one.path) == 1)

    @cached_property
    def _new(self) -> Known:
        """What is certain of a new item."""
        absent: dict[str, AttributeValue | None] = dict.fromkeys(self.spec.python_names)
        return Known({**absent, **self.insisted.values, **self.key_values}).after(self.updates)

    # --- what is not certain ------------------------------------------------------------------------

    def _missing(self, index: IndexTemplates, keys: Sequence[KeyTemplate], *, is_in: bool | None) -> list[str]:
        """The attributes that the keys are made from, and that are not certain."""
        after = self.after
        names = [name for key in keys for name in _members(key) if name not in after.values]
        if is_in is None:
            if index.when is not None and after.holds(index.when) is None:
                names += [root for root in index.when.roots() if root not in after.values]
            names += [name for name in _of_keys(index) if after.has(name) is None]
        return list(dict.fromkeys(names))

    def _insists(self, index: IndexTemplates, keys: Sequence[KeyTemplate]) -> dict[str, AttributeValue | None]:
        """What the write has to insist on: what the caller's key tells, but not the item's."""
        roots = () if index.when is None else index.when.roots()
        used = {root for root in roots if root in self.coarse} | {
            part.member.wire
            for key in keys
            for part in key.template.components
            if part.format not in self.coarse.get(part.member.wire, (part.format,))
        }
        return {name: self.after.values[name] for name in sorted(used)}

    def _refusal(self, index: IndexTemplates, missing: Sequence[str]) -> UsageError:
        """The error that names what is not certain, and the ways out."""
        names, model, version = self.spec.python_names, self.spec.name, self.spec.version
        computed = [name for name in missing if name in self.touched]
        if computed:
            missing = computed[:1]
            ways = _OF_VERSION if version is not None and version.wire in missing else _OF_COMPUTED
            why = f"{names[missing[0]]}, whose new value is not known beforehand"
        else:
            ways = _OF_OTHERS
            changed = [names[name] for name in sorted(depends(index) & self.touched)]
            also = f"{_listed(changed)}, which it changes, and from " if changed else ""
            are = "which is" if len(missing) == 1 else "which are"
            why = f"{also}{_listed([names[name] for name in missing])}, {are} not known here"
        attributes = [f"{model}.{names[name]}" for name in missing]
        equal = [f"{attribute} == ..." for attribute in attributes]
        way = ways[self.call].format(
            attribute=attributes[0],
            names=_listed([names[name] for name in missing]),
            equal=equal[0] if len(equal) == 1 else " & ".join(f"({one})" for one in equal),
            instance="save()" if version is None else "modify() or save()",
        )
        call = "update(upsert=True)" if self.call == "upsert" else f"{self.call}()"
        return UsageError(f"{call} of {model}: the keys of index {index.index.name} are made from {why}: {way}")


def membership(index: IndexTemplates, known: Known) -> bool | None:
    """Whether an item is in an index; ``None`` where that is not certain."""
    parts = [known.has(name) for name in _of_keys(index)]
    if index.when is not None:
        parts.append(known.holds(index.when))
    if False in parts:
        return False
    return None if None in parts else True


def _is_first(index: IndexTemplates, unsure: Iterable[str]) -> Condition:
    """An item has the keys of an index, or nothing that they are made from: then it gets both."""
    keys = tuple(Function("attribute_exists", Path((key.name,))) for key in index.keys)
    inputs = tuple(Function("attribute_not_exists", Path((name,))) for name in sorted(unsure))
    return Either((Every(keys), Every(inputs)))


def _members(key: KeyTemplate) -> list[str]:
    return [member.wire for member in key.template.members]


def _of_keys(index: IndexTemplates) -> list[str]:
    """The attributes that an item has to have to be in the index."""
    return [*(name for key in index.keys for name in _members(key)), *index.plain]


def _listed(names: Sequence[str]) -> str:
    return " and ".join(names)
