"""``batch_get``: which items are wanted, each once, and what they are for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, final

import msgspec

from dynamorm_async.errors import UsageError
from dynamorm_async.expressions.attr import Attr
from dynamorm_async.expressions.placeholders import Placeholders
from dynamorm_async.model.key import Key
from dynamorm_async.model.spec import ModelSpec, spec_of
from dynamorm_async.plan.hiding import hiding_names
from dynamorm_async.plan.keyed import Chunk, Place, TableRead, chunks
from dynamorm_async.plan.places import PlaceId
from dynamorm_async.plan.projection import check_selected, projected_paths


@final
class Wanted(msgspec.Struct, frozen=True, eq=False):
    """One item as one model.

    Attributes:
        key: the first of the caller's keys that means it.
        spec: the model.
        place: where it is.
    """

    key: Key[Any]
    spec: ModelSpec[Any]
    place: Place


@final
class BatchGetPlan(msgspec.Struct, frozen=True, kw_only=True, eq=False):
    """What ``batch_get`` reads.

    Attributes:
        wanted: every distinct item and model, in order of the caller's keys.
        positions: for each of the caller's keys, which of ``wanted`` it is.
        readers: for each place, which of ``wanted`` are there: several where models share a table.
        consistent: strongly consistent reads.
        select: the attributes to return; ``None`` returns whole items.
        hidden: whether items that reads leave out are returned all the same.
    """

    wanted: tuple[Wanted, ...]
    positions: tuple[int, ...]
    readers: Mapping[PlaceId, Sequence[int]]
    consistent: bool
    select: tuple[Attr[Any], ...] | None = None
    hidden: bool = False

    def chunks(self) -> list[Chunk]:
        """The requests to make: every place once, in order of the caller's keys."""
        places = {wanted.place.id: wanted.place for wanted in self.wanted}
        return chunks(list(places.values()), self.tables())

    def tables(self) -> dict[str, TableRead]:
        """How each table is read.

        Raises:
            InvalidExpression: so much is selected that DynamoDB would refuse the projection.
        """
        specs: dict[str, dict[ModelSpec[Any], None]] = {}
        for wanted in self.wanted:
            specs.setdefault(wanted.place.table, {})[wanted.spec] = None
        return {table: self._table(table, list(those)) for table, those in specs.items()}

    def _table(self, table: str, specs: Sequence[ModelSpec[Any]]) -> TableRead:
        """How a table is read that has items of these models."""
        sealed = tuple(dict.fromkeys(each for spec in specs for each in spec.sealed(table)))
        return TableRead(specs[-1].identities, self._options(specs[-1]), sealed)

    def _options(self, spec: ModelSpec[Any]) -> dict[str, Any]:  # JSON
        options: dict[str, Any] = {"ConsistentRead": True} if self.consistent else {}
        if self.select is not None:
            # The keys come along, whatever was selected: they tell which item an item of the answer is. So does what
            # tells whether it is left out, and its schema version.
            names = Placeholders()
            beside = [part.name for part in spec.table.key_parts()] + ([] if self.hidden else hiding_names(spec))
            beside += [] if spec.schema is None else [spec.schema.name]
            paths = projected_paths(self.select, beside)
            names.into(options, ProjectionExpression=", ".join(names.path(path) for path in paths))
        return options


def wanted_of(keys: Iterable[object], call: str, prefix: str) -> list[Wanted]:
    """The items that some keys mean, in order of the keys.

    Args:
        keys: what the caller passed.
        call: the caller's call, for errors.
        prefix: stands before every table's name.

    Raises:
        UsageError: something is no Key.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    finders: dict[type, Callable[[Key[Any]], Wanted]] = {}
    wanted: list[Wanted] = []
    for key in keys:
        if not isinstance(key, Key):
            hint = f": pass them one by one, {call}(*keys)" if isinstance(key, list | tuple) else ""
            raise UsageError(f"{call}() takes Keys, such as Key(User, 'acme', 'u1'), got {key!r}{hint}")
        model: type[Any] = key.model  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]  # of any model
        find = finders.get(model)
        if find is None:
            find = finders[model] = _finder(spec_of(model), prefix)
        wanted.append(find(key))  # pyright: ignore[reportUnknownArgumentType]  # as above
    return wanted


def _finder(spec: ModelSpec[Any], prefix: str) -> Callable[[Key[Any]], Wanted]:
    """What tells the item that a key of a model means."""
    table, encode, identity = prefix + spec.table.name, spec.codec.encode_key, spec.identities.of_encoded

    def find(key: Key[Any]) -> Wanted:
        encoded = encode(*key.values)
        return Wanted(key, spec, Place(table, encoded, (table, *identity(encoded))))

    return find


def plan_batch_get(keys: Sequence[object], prefix: str, *, consistent: bool) -> BatchGetPlan:
    """What to read for some keys.

    Raises:
        UsageError: something is no Key.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    wanted: list[Wanted] = []
    positions: list[int] = []
    readers: dict[PlaceId, list[int]] = {}
    for one in wanted_of(keys, "batch_get", prefix):
        there = readers.setdefault(one.place.id, [])
        index = next((index for index in there if wanted[index].spec is one.spec), None) if there else None
        if index is None:
            index = len(wanted)
            wanted.append(one)
            there.append(index)
        positions.append(index)
    return BatchGetPlan(wanted=tuple(wanted), positions=tuple(positions), readers=readers, consistent=consistent)


def selecting(plan: BatchGetPlan, attributes: tuple[Attr[Any], ...]) -> BatchGetPlan:
    """The same plan for some attributes only.

    Raises:
        UsageError: no attributes, attributes of another model, or keys of several models.
        InvalidExpression: so many that DynamoDB would refuse the projection.
    """
    specs = {wanted.spec.cls: wanted.spec for wanted in plan.wanted}.values()
    if len(specs) > 1:
        raise UsageError(
            f"select() reads attributes of one model, and these keys are of {', '.join(spec.name for spec in specs)}: "
            "make one batch_get() for each model"
        )
    for spec in specs:
        check_selected(spec, attributes)
    selected = msgspec.structs.replace(plan, select=attributes)
    selected.tables()  # so that a projection that cannot be sent is refused here
    return selected
