"""From the templates that ``@model`` was given to a model's derived attributes, checked against its table and attributes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn, TypeAlias, cast

import attrs

from dynamorm_async.codec.builder import bare_type
from dynamorm_async.codec.layout import Layout, Member, options_of
from dynamorm_async.errors import ModelError, UsageError
from dynamorm_async.expressions.conditions import Condition
from dynamorm_async.model.derived import IndexKey, IndexTemplates, KeyTemplate
from dynamorm_async.model.table import KeyPart, Table, TableIndex

KEY_BYTES: Final = {"partition": 2048, "sort": 1024}
"""The most bytes that a key of each kind may have."""

GivenKey: TypeAlias = str | tuple[str, ...] | IndexKey
"""How ``@model`` is given a template: of a key attribute of the table, or of the keys of an index."""

_MOVED = ("version", "updated_at", "deleted_at")


def table_templates(cls: type, table: Table, layout: Layout, given: Mapping[str, GivenKey]) -> dict[str, KeyTemplate]:
    """The templates of the table's own key, by attribute.

    Raises:
        ModelError: one is wrong, is of an attribute that the model has itself, or is made of what an item may lack, or
            what writes move.
    """
    found: dict[str, KeyTemplate] = {}
    for part, kind in zip(table.key_parts(), ("partition", "sort"), strict=False):
        text = given.get(part.name)
        if text is None:
            continue
        where = f"{cls.__name__}: {part.name}={text!r}"
        if not isinstance(text, str):
            raise ModelError(f'{where}: {part.name} is one attribute, so it takes one template: {part.name}="..."')
        key = _template(cls, layout, part, text, kind=kind, key_of=f"the {kind} key of table {table.name}")
        for member in key.template.members:
            _check_table_component(layout, member, where)
        found[part.name] = key
    return found


def index_templates(
    cls: type, table: Table, layout: Layout, given: Mapping[str, GivenKey], table_keys: Mapping[str, KeyTemplate]
) -> tuple[IndexTemplates, ...]:
    """The templates of the keys of indexes.

    Args:
        cls: the class, with its attributes in place: ``when`` makes conditions of them.
        table: the table.
        layout: the class's attributes.
        given: what ``@model`` was given.
        table_keys: the templates of the table's own key.

    Raises:
        ModelError: one is wrong, there is no such index, or an attribute would have two templates.
    """
    found: list[IndexTemplates] = []
    known = dict(table_keys)
    for index in table.indexes:
        declared = given.get(index.name)
        if declared is None:
            continue
        made: list[KeyTemplate] = []
        for part, text, kind in _parts(cls, index, index_key(declared)):
            key = _template(cls, layout, part, text, kind=kind, key_of=f"the {kind} key of index {index.name}")
            other = known.setdefault(part.name, key)
            if other.template.text != text:
                raise ModelError(
                    f"{cls.__name__}: {part.name} is made from {other.template.text!r}, and for index {index.name} it would be "
                    f"made from {text!r}: an attribute has one value, so give it the same template in both places"
                )
            if other is key:
                made.append(key)
        names = {member.wire for member in layout.members}
        plain = tuple(p.name for p in (*index.partition, *index.sort) if p.name not in known)
        for name in plain:
            if name not in names:
                raise ModelError(
                    f"{cls.__name__}: index {index.name} has the sort key {name}, which {cls.__name__} does not have: give it "
                    f'a template as well, {index.name}=("{index_key(declared).partition}", "...")'
                )
        found.append(
            IndexTemplates(index, tuple(made), plain, _condition(cls, layout, index, index_key(declared).when))
        )
    return tuple(found)


def index_key(given: GivenKey) -> IndexKey:
    """What ``@model`` was given for an index, as a record."""
    if isinstance(given, IndexKey):
        return given
    return IndexKey(given) if isinstance(given, str) else IndexKey(*given)


def all_given(keys: object, templates: Mapping[str, GivenKey]) -> dict[str, GivenKey]:
    """The templates of ``keys=`` and those that were given by name, together.

    Raises:
        ModelError: ``keys=`` is no mapping, as where an index has that name, or a name is in both.
    """
    if not isinstance(keys, Mapping):
        raise ModelError(
            f"keys={keys!r}: it takes templates by name. For an index that is called keys, write keys={{'keys': ...}}"
        )
    given: dict[str, GivenKey] = dict(keys)  # pyright: ignore[reportUnknownArgumentType]  # its entries are looked at later
    twice = sorted(given.keys() & templates.keys())
    if twice:
        raise ModelError(f"{', '.join(twice)} is given in keys= and by name: give each template once")
    return {**given, **templates}


def check_names(cls: type, table: Table, given: Mapping[str, GivenKey]) -> None:
    """Refuse templates of what the table does not have, and what is no template.

    Raises:
        ModelError: there is no such key attribute or index, or what is given for it is neither text, nor one or two texts,
            nor an IndexKey.
    """
    indexes = [index.name for index in table.indexes]
    known = [part.name for part in table.key_parts()] + indexes
    for name, made in given.items():
        where = f"{cls.__name__}: {name}={made!r}"
        if name not in known:
            owner = next((i for i in table.indexes if name in {part.name for part in (*i.partition, *i.sort)}), None)
            advice = (
                "" if owner is None else f"; {name} is a key of index {owner.name}: templates go by the index's name"
            )
            raise ModelError(
                f"{cls.__name__}: table {table.name} has no key attribute or index {name!r}; it has "
                f"{', '.join(known)}{advice}"
            )
        if isinstance(made, IndexKey):
            _check_condition_maker(made, f"{cls.__name__}: when= of index {name}")
        texts: tuple[object, ...] = _texts(made)
        if not 1 <= len(texts) <= 2 or not all(isinstance(text, str) for text in texts):  # noqa: PLR2004 - partition and sort
            wanted = f'{name}=("...", "...")' if name in indexes else f'{name}="..."'
            raise ModelError(f"{where} is no template: write {wanted}, or leave {name} out")


def _texts(given: object) -> tuple[object, ...]:
    """The templates among what was given, which nothing is known of yet."""
    if isinstance(given, IndexKey):
        return (given.partition,) if given.sort is None else (given.partition, given.sort)
    return cast("tuple[object, ...]", given) if isinstance(given, tuple) else (given,)


def _check_condition_maker(key: IndexKey, where: str) -> None:
    if key.when is not None and not callable(key.when):
        raise ModelError(f"{where} is {key.when!r}, which is no function: write when=lambda order: order.open == True")


def _parts(cls: type, index: TableIndex, key: IndexKey) -> list[tuple[KeyPart, str, str]]:
    """The key attributes of an index with their templates."""
    where = f"{cls.__name__}: index {index.name}"
    if max(len(index.partition), len(index.sort)) > 1:
        raise ModelError(
            f"{where} has a key of several attributes: the model's own attributes are its key, no templates"
        )
    if index.local:
        if key.sort is not None:
            raise ModelError(
                f"{where} is local, so it has the table's partition key: give it one template, of its sort key"
            )
        return [(index.sort[0], key.partition, "sort")]
    if key.sort is not None and not index.sort:
        raise ModelError(f"{where} has no sort key: give it one template, of its partition key")
    parts = [(index.partition[0], key.partition, "partition")]
    return parts if key.sort is None else [*parts, (index.sort[0], key.sort, "sort")]


def _template(cls: type, layout: Layout, part: KeyPart, text: str, *, kind: str, key_of: str) -> KeyTemplate:
    from dynamorm_async.codec.template import parse_template  # noqa: PLC0415 - loaded when first used

    where = f"{cls.__name__}: {part.name}={text!r}"
    if any(member.wire == part.name for member in layout.members):
        raise ModelError(
            f"{where}: {cls.__name__} has the attribute {part.name!r} itself: leave out the one or the other"
        )
    template = parse_template(text, part.name, part.tag, layout, where=where)
    if kind == "sort" and part.tag == "S":
        for component in template.components:
            if component.member.shape.tag == "N" and not component.ordered:
                _refuse_without_width(component.member, where)
    fixed = sum(len(piece.encode()) for piece in template.parts if isinstance(piece, str))
    if fixed > KEY_BYTES[kind]:
        raise ModelError(
            f"{cls.__name__}: the text of {part.name} has {fixed} bytes without its attributes, but it is {key_of}; DynamoDB "
            f"allows {KEY_BYTES[kind]}: shorten it"
        )
    return KeyTemplate(template, KEY_BYTES[kind], key_of, cls.__name__)


def _refuse_without_width(member: Member, where: str) -> NoReturn:
    is_whole = member.storage == "epoch" or bare_type(member.shape.type) not in (float, Decimal, timedelta)
    name, digits = member.name, "010" if is_whole else "012.2f"
    raise ModelError(
        f"{where}: as text, 10 sorts before 9: give {name} a width, {{{name}:{digits}}}, or {{{name}:+{digits}}} where it may "
        "be negative"
    )


def _check_table_component(layout: Layout, member: Member, where: str) -> None:
    role = next(options_of(field).role for field in attrs.fields(layout.cls) if field.name == member.name)
    if role in _MOVED:
        raise ModelError(f"{where}: {member.name} is {role}(), which writes move; an item cannot change its key")
    if member.shape.nullable:
        raise ModelError(f"{where}: {member.name} may be None, but every item has a key: take the | None off its type")


def _condition(
    cls: type, layout: Layout, index: TableIndex, when: Callable[[Any], Condition] | None
) -> Condition | None:
    if when is None:
        return None
    where = f"{cls.__name__}: when= of index {index.name}"
    try:
        condition = when(cls)
    except AttributeError as error:
        known = ", ".join(member.name for member in layout.members)
        raise ModelError(f"{where}: {cls.__name__} has no attribute {error.name!r}; it has {known}") from None
    except (TypeError, UsageError) as error:
        raise ModelError(f"{where}: {error}") from error
    if not isinstance(condition, Condition):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers without a checker
        raise ModelError(f"{where} gives {condition!r}, which is no condition: write lambda order: order.open == True")
    strangers = {*condition.roots()} - {member.wire for member in layout.members}
    if strangers:
        raise ModelError(f"{where} is about {', '.join(sorted(strangers))}, which {cls.__name__} does not have")
    return condition


def key_members(
    table: Table, layout: Layout, table_keys: Mapping[str, KeyTemplate], plain: Sequence[Member]
) -> tuple[Member, ...]:
    """The attributes that the table's key is made of, in order, each once."""
    by_name = {member.wire: member for member in plain}
    members: dict[str, Member] = {}
    for part in table.key_parts():
        of_part = table_keys[part.name].template.members if part.name in table_keys else (by_name[part.name],)
        members |= {member.name: member for member in of_part}
    current = {member.name: member for member in layout.members}
    return tuple(current[name] for name in members)
