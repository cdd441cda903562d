"""``batch_get``: which items are wanted, each once, and what they are for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
from dynamorm_async.types import Sealed


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
        specs = {wanted.place.table: wanted.spec for wanted in self.wanted}
        return {
            table: TableRead(spec.identities, self._options(spec), self._sealed(table)) for table, spec in specs.items()
        }

    def _sealed(self, table: str) -> tuple[Sealed, ...]:
        found = (wanted.spec.sealed(table) for wanted in self.wanted if wanted.place.table == table)
        return tuple(dict.fromkeys(each for sealed in found for each in sealed))

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


def wanted_of(key: object, call: str, prefix: str) -> Wanted:
    """The item that a key means.

    Args:
        key: what the caller passed.
        call: the caller's call, for errors.
        prefix: stands before every table's name.

    Raises:
        UsageError: it is no Key.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    if not isinstance(key, Key):
        hint = f": pass them one by one, {call}(*keys)" if isinstance(key, list | tuple) else ""
        raise UsageError(f"{call}() takes Keys, such as Key(User, 'acme', 'u1'), got {key!r}{hint}")
    spec: ModelSpec[Any] = spec_of(key.model)  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]  # a Key of any model
    table = prefix + spec.table.name
    encoded = spec.codec.encode_key(*key.values)
    return Wanted(key, spec, Place(table, encoded, (table, *spec.identities.of_key(encoded))))  # pyright: ignore[reportUnknownArgumentType]  # as above


def plan_batch_get(keys: Sequence[object], prefix: str, *, consistent: bool) -> BatchGetPlan:
    """What to read for some keys.

    Raises:
        UsageError: something is no Key.
        InvalidKey: a key value is empty, too long, or of another type than its attribute.
    """
    wanted: list[Wanted] = []
    positions: list[int] = []
    seen: dict[tuple[type, PlaceId], int] = {}
    readers: dict[PlaceId, list[int]] = {}
    for key in keys:
        one = wanted_of(key, "batch_get", prefix)
        index = seen.setdefault((one.spec.cls, one.place.id), len(wanted))
        if index == len(wanted):
            wanted.append(one)
            readers.setdefault(one.place.id, []).append(index)
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
