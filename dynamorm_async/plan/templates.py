"""What the conditions of a query say of key attributes that templates make: values, a prefix, a range within one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import msgspec

from dynamorm_async.errors import InvalidKey
from dynamorm_async.expressions.conditions import Between, Comparison, Condition, Function, Literally, Path
from dynamorm_async.model.derived import KeyTemplate
from dynamorm_async.model.table import KeyPart
from dynamorm_async.plan.keyparts import SOME, WHOLE, Conditions, PlainPart
from dynamorm_async.plan.keyrange import Range, Restriction, Said, Values, can_be_key, compared_with, restriction
from dynamorm_async.types import AttributeValue

if TYPE_CHECKING:
    from dynamorm_async.codec.components import Component
    from dynamorm_async.plan.keytexts import Texts

MAX_QUERIES: Final = 100
"""How many queries are made for one reading."""


class TemplatePart(msgspec.Struct, frozen=True, kw_only=True):
    """A key attribute that a template makes.

    Attributes:
        key: what makes it.
        values: the values of the attributes of its leading components, by name.
        open: the attributes that have to be given for it to be whole.
        depth: how many parts of its template are known.
        narrowed_by: the attributes whose conditions narrow it, as people call them.
        exact: the conditions that it says exactly.
        nearly: those that it says but for one value.
        texts: what follows its prefix; ``None`` where nothing is known.
        range: the condition on the next component, where the key is that component as it is stored.
    """

    key: KeyTemplate
    values: Mapping[str, tuple[AttributeValue, ...]]
    open: tuple[str, ...]
    depth: int
    narrowed_by: tuple[str, ...]
    exact: tuple[Condition, ...] = ()
    nearly: tuple[Condition, ...] = ()
    texts: Texts | None = None
    range: Condition | None = None

    @property
    def name(self) -> str:
        """Its name in DynamoDB."""
        return self.key.name

    @property
    def label(self) -> str:
        """What people call it."""
        return self.key.name

    @property
    def said(self) -> Restriction:
        """It has no conditions of its own."""
        return None

    @property
    def is_whole(self) -> bool:
        """Whether it has values."""
        return self.depth == len(self.key.template.parts)

    @property
    def strength(self) -> int:
        """How much it narrows what is read: the more components, the more."""
        return WHOLE if self.is_whole else min(SOME + len(self.narrowed_by), WHOLE - 1) if self.narrowed_by else 0

    def conditions(self, item: Mapping[str, AttributeValue]) -> tuple[Condition, ...] | None:
        """Its condition, if any, for the values of one query; ``None`` where no item can match."""
        from dynamorm_async.plan.keytexts import begins_with  # noqa: PLC0415 - loaded when first used

        try:
            if self.is_whole:
                made = self.key.of({name: item[name] for name in self.values})
                return None if made is None else (Comparison(Path((self.name,)), "=", Literally(made)),)
            prefix = self.key.template.prefix({name: item[name] for name in self.values})
        except InvalidKey:  # no item has such a key
            return None
        if len(prefix.encode()) > self.key.limit:
            return None
        if self.range is not None:
            return (self.range,)
        return begins_with(self.name, prefix) if self.texts is None else self.texts.condition(self.name, prefix)


Part: TypeAlias = PlainPart | TemplatePart


def partition_parts(keys: Sequence[KeyPart | KeyTemplate], conditions: Conditions) -> list[Part]:
    """What is said of the attributes of a partition key: all of each has to be given."""
    return [_plain(key, conditions) if isinstance(key, KeyPart) else _partition(key, conditions) for key in keys]


def has_partition(keys: Sequence[KeyPart | KeyTemplate], conditions: Conditions) -> bool:
    """Whether the conditions give the attributes of a partition key values, as far as can be told at a glance."""
    return all(
        isinstance(conditions.restriction(key), Values)
        if isinstance(key, KeyPart)
        else all(conditions.said(member.wire).values is not None for member in key.template.members)
        for key in keys
    )


def sort_parts(keys: Sequence[KeyPart | KeyTemplate], conditions: Conditions, partition: Sequence[Part]) -> list[Part]:
    """What is said of the attributes of a sort key: leading components, and a range of the next one.

    Args:
        keys: the attributes.
        conditions: what is asked.
        partition: what is said of the partition key.
    """
    found: list[Part] = []
    for key in keys:
        before = [*partition, *found]
        if isinstance(key, KeyPart):
            found.append(_plain(key, conditions))
        elif all(part.is_whole for part in found):
            found.append(
                _sort(key, conditions, {name: values for part in before for name, values in part.values.items()})
            )
        else:  # after a range nothing can be said
            found.append(TemplatePart(key=key, values={}, open=(), depth=0, narrowed_by=()))
    return found


def _plain(part: KeyPart, conditions: Conditions) -> PlainPart:
    return PlainPart(part.name, conditions.label(part.name), conditions.restriction(part))


def _partition(key: KeyTemplate, conditions: Conditions) -> TemplatePart:
    components = key.template.components
    given = [component for component in components if _given(component, conditions.said(component.member.wire))]
    missing = [component.member.wire for component in components if component not in given]
    whole = not missing
    return TemplatePart(
        key=key,
        values={c.member.wire: conditions.said(c.member.wire).values or () for c in given} if whole else {},
        open=tuple(dict.fromkeys(missing)),
        depth=len(key.template.parts) if whole else 0,
        narrowed_by=tuple(component.member.name for component in given),
        exact=_said_by(given, conditions),
    )


def _sort(key: KeyTemplate, conditions: Conditions, fixed: Mapping[str, tuple[AttributeValue, ...]]) -> TemplatePart:
    """What is said of a templated sort key.

    Args:
        key: the key.
        conditions: what is asked.
        fixed: the values that are given for what comes before it.
    """
    queries = math.prod(len(values) for values in fixed.values())
    given: dict[str, tuple[AttributeValue, ...]] = {}
    components: list[Component] = []
    for place, component in enumerate(key.template.parts):
        if isinstance(component, str):
            continue
        wire = component.member.wire
        said = conditions.said(wire)
        if said.values is None or not _given(component, said):
            return _partial(key, conditions, given, components, place, said)
        if wire not in fixed and wire not in given:
            queries *= max(len(said.values), 1)
            if queries > MAX_QUERIES:  # one query and a filter rather than hundreds
                return _partial(key, conditions, given, components, place, Said())
        given[wire] = said.values
        components.append(component)
    return TemplatePart(
        key=key,
        values=given,
        open=(),
        depth=len(key.template.parts),
        narrowed_by=_names(components),
        exact=_said_by(components, conditions),
    )


def _partial(  # noqa: PLR0917 - what was found so far
    key: KeyTemplate,
    conditions: Conditions,
    given: Mapping[str, tuple[AttributeValue, ...]],
    components: Sequence[Component],
    place: int,
    said: Said,
) -> TemplatePart:
    """A key of which the parts before a place are known, and maybe a range of the component there."""
    from dynamorm_async.codec.components import Component  # noqa: PLC0415 - loaded when first used
    from dynamorm_async.plan.keytexts import Texts, texts_of  # noqa: PLC0415 - loaded when first used

    component = key.template.parts[place]
    assert isinstance(component, Component), "the place is a component's"  # noqa: S101 - an invariant
    exact = _said_by(components, conditions)
    texts, narrowing, key_range = Texts(), list(components), None
    if said.values is None and said.ranges:
        if key.template.tag != "S":
            key_range, told = _stored_range(key, component, said.ranges)
            exact += told
        else:
            texts = texts_of(key.template, place, said.ranges)
            if texts.size + _longest(key, given, place) > key.limit:  # no key is so long: the filter decides
                texts = Texts()
        if key_range is not None or texts.bounds:
            narrowing.append(component)
    return TemplatePart(
        key=key,
        values=given,
        open=(component.member.wire,),
        depth=place,
        narrowed_by=_names(narrowing),
        exact=(*exact, *texts.exact),
        nearly=texts.nearly,
        texts=texts if texts.bounds else None,
        range=key_range,
    )


def _stored_range(
    key: KeyTemplate, component: Component, ranges: Sequence[Condition]
) -> tuple[Condition | None, tuple[Condition, ...]]:
    """The range of a key that is an attribute as it is stored, and the conditions that it says."""
    part = KeyPart(key.name, key.template.tag)
    fitting = [each for each in ranges if all(can_be_key(part, value) for value in compared_with(each))]
    for some in (fitting, fitting[:1]):
        joined = restriction(part, component.member.name, [_renamed(each, key.name) for each in some])
        if isinstance(joined, Range):
            return joined.condition, tuple(some)
    return None, ()


def _renamed(condition: Condition, name: str) -> Condition:
    """The same comparison of another attribute."""
    path = Path((name,))
    if isinstance(condition, Comparison):
        return Comparison(path, condition.comparator, condition.right)
    if isinstance(condition, Between):
        return Between(path, condition.low, condition.high)
    assert isinstance(condition, Function), "there are no other ranges"  # noqa: S101 - an invariant
    return Function(condition.name, path, condition.argument)


def _given(component: Component, said: Said) -> bool:
    return said.values is not None and all(component.form.tag in value for value in said.values)


def _said_by(components: Sequence[Component], conditions: Conditions) -> tuple[Condition, ...]:
    """The conditions that the values of components say: where the value can be told from the key."""
    return tuple(
        condition
        for component in components
        if component.lossless
        for condition in conditions.said(component.member.wire).conditions
    )


def _names(components: Sequence[Component]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(component.member.name for component in components))


def _longest(key: KeyTemplate, given: Mapping[str, tuple[AttributeValue, ...]], place: int) -> int:
    """How many bytes there can be before a component."""
    total = 0
    for part in key.template.parts[:place]:
        total += len(part.encode()) if isinstance(part, str) else max(_sizes(part, given[part.member.wire]), default=0)
    return total


def _sizes(component: Component, values: Sequence[AttributeValue]) -> list[int]:
    sizes: list[int] = []
    for value in values:
        try:
            sizes.append(len(component.render(value).encode()))
        except InvalidKey:  # no query has it
            continue
    return sizes
