"""Steps of programs that write: one call, a transaction, a batch, modify; and calls that are mistakes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import attrs

from dynamorm_async import (
    BatchWriteFailed,
    ConditionFailed,
    DynamormError,
    ItemNotFound,
    TransactionCancelled,
    UsageError,
    ValidationFailed,
)
from tests.differential.conditions import path_text
from tests.differential.models import Paper
from tests.differential.operations import ItemId, Mutation, Operation, Updating, key_text
from tests.differential.plain import instance_of
from tests.differential.world import Refused, World

RETURNS_ITEM = "failed-condition-returns-item"


@attrs.frozen
class Returned:
    """A call that succeeded."""

    value: Any


@attrs.frozen
class Raised:
    """A call that failed.

    Attributes:
        kind: the error's class, just that.
        item: the item that a failed condition carries.
        failures: of a transaction, the class by position; of a batch, the names of the classes.
    """

    kind: type[DynamormError]
    item: Any = None
    failures: Any = None


class Step(Protocol):
    """A step: its Python text, which leaves its outcome in ``result``, and the same on the dict model."""

    def text(self) -> list[str]: ...
    def run(self, world: World, /) -> Returned | Raised: ...
    def canonical(self, value: Any) -> Any: ...
    def smaller(self) -> Iterator[Step]: ...


@attrs.frozen
class Single:
    """One write by itself."""

    operation: Operation

    def text(self) -> list[str]:
        call = f"await db.{self.operation.call()}"
        if isinstance(self.operation, Updating) and self.operation.returns.startswith("updated"):
            name = self.operation.model.__name__
            asked = ", ".join(f"updated.get({path_text(name, path)})" for path in self.operation.asked)
            return [f"updated = {call}", f"result = [{asked}]"]
        return [*self.operation.setup(), f"result = {call}"]

    def run(self, world: World) -> Returned | Raised:
        self.operation.prepare(world)
        try:
            return Returned(self.operation.apply(world, alone=True))
        except Refused as refused:
            if issubclass(refused.kind, ConditionFailed):
                world.told_otherwise.add(RETURNS_ITEM)
            return Raised(refused.kind, refused.item)

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        return (Single(operation) for operation in self.operation.smaller())


@attrs.frozen
class Transact:
    """Writes that are made all or not at all."""

    operations: tuple[Operation, ...]

    def text(self) -> list[str]:
        setup = [line for operation in self.operations for line in operation.setup()]
        calls = [f"    tx.{operation.call()}" for operation in self.operations]
        return [*setup, "async with db.transaction() as tx:", *calls, "result = None"]

    def run(self, world: World) -> Returned | Raised:
        for operation in self.operations:
            operation.prepare(world)
        working = [operation for operation in self.operations if not operation.is_idle(world)]
        if len({operation.item(world) for operation in working}) < len(working):
            return Raised(UsageError)
        before = world.copy()
        failures: dict[int, str] = {}
        for position, operation in enumerate(working):
            try:
                operation.apply(world, alone=False)
            except Refused as refused:
                failures[position] = refused.kind.__name__
                if refused.kind is ValidationFailed:
                    world.told_otherwise.add("invalid-update-cancels")
        if not failures:
            return Returned(None)
        world.tables, world.hand = before.tables, before.hand
        return Raised(TransactionCancelled, failures=failures)

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        return map(Transact, _fewer(self.operations))


@attrs.frozen
class Batch:
    """Puts and deletes in as few requests as they fit in: of one item, the last one wins."""

    operations: tuple[Operation, ...]

    def text(self) -> list[str]:
        # What is put is the instance as it is at that moment.
        calls = [
            f"    {line}"
            for operation in self.operations
            for line in [*operation.setup(), f"await batch.{operation.call()}"]
        ]
        report = "result = [batch.report.written, batch.report.replaced]"
        return ["async with db.batch_write() as batch:", *calls, report]

    def run(self, world: World) -> Returned | Raised:
        last: dict[ItemId, Operation] = {}
        for operation in self.operations:
            operation.prepare(world)
            last[operation.item(world)] = operation
        failures: list[str] = []
        for operation in last.values():
            try:
                operation.apply(world, alone=True)
            except Refused as refused:
                world.told_otherwise.add(RETURNS_ITEM)
                failures.append(refused.kind.__name__)
        if failures:
            return Raised(BatchWriteFailed, failures=sorted(failures))
        return Returned([len(last), len(self.operations) - len(last)])

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        return map(Batch, _fewer(self.operations))


@attrs.frozen
class Modify:
    """Read, change and save a paper."""

    key: tuple[Any, ...]
    mutations: tuple[Mutation, ...]

    def text(self) -> list[str]:
        changes = [f"    {mutation.text('found')}" for mutation in self.mutations]
        call = f"result = await db.modify(Key(Paper, {key_text(Paper, self.key)}), change)"
        return ["def change(found: Paper) -> None:", *(changes or ["    pass"]), call]

    def run(self, world: World) -> Returned | Raised:
        found = world.find(Paper, world.place(self.key))
        if found is None:
            return Raised(ItemNotFound)
        world.take("", Paper, found)
        held = world.hand.pop("")
        for mutation in self.mutations:
            mutation.apply(held.item, world.prefix)
        world.save(held)
        return Returned(instance_of(Paper, held.item))

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        for position in range(len(self.mutations)):
            yield attrs.evolve(self, mutations=self.mutations[:position] + self.mutations[position + 1 :])


@attrs.frozen
class Mistake:
    """A call that is refused before anything is sent."""

    call: str
    kind: type[DynamormError]

    def text(self) -> list[str]:
        return [f"result = await db.{self.call}"]

    def run(self, _: World) -> Returned | Raised:
        return Raised(self.kind)

    def canonical(self, value: Any) -> Any:
        return value

    def smaller(self) -> Iterator[Step]:
        return iter(())


def _fewer(operations: tuple[Operation, ...]) -> Iterator[tuple[Operation, ...]]:
    """The operations without one of them, and with one of them smaller."""
    for position, operation in enumerate(operations):
        before, after = operations[:position], operations[position + 1 :]
        if before or after:
            yield (*before, *after)
        for smaller in operation.smaller():
            yield (*before, smaller, *after)
