"""``collection``: the items of one partition, each as its own model."""

from __future__ import annotations

from typing import Any, Literal, Self, TypeVar, final, overload

import msgspec

from dynamorm_async.database.access import Access
from dynamorm_async.database.collecting import open_collection
from dynamorm_async.database.grouped import Grouped, UnknownItem
from dynamorm_async.database.reader import Reader
from dynamorm_async.database.stream import ItemStream
from dynamorm_async.errors import UsageError
from dynamorm_async.model.partition import KeyValue, Partition
from dynamorm_async.model.spec import spec_of
from dynamorm_async.model.table import Table
from dynamorm_async.plan.collections import Collected, Policy, beginning, collect, plan_collection, within
from dynamorm_async.plan.explain import Explanation, explain
from dynamorm_async.plan.hiding import hiding
from dynamorm_async.plan.reading import Reading, ReadPlan
from dynamorm_async.plan.recognition import Recognition

R = TypeVar("R")
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")
F = TypeVar("F")


@final
class Collections:
    """Begins collections: ``db.collection(shop, "CUSTOMER#42")``, ``db.collection(partition(Customer, customer_id="42"))``."""

    def __init__(self, access: Access, prefix: str) -> None:
        self._access = access
        self._prefix = prefix

    @overload
    def __call__(self, target: Table, partition: KeyValue, /, *, index: str | None = ...) -> Collection[Any]: ...
    @overload
    def __call__(self, target: Partition, /) -> Collection[Any]: ...
    def __call__(
        self, target: Table | Partition, partition: KeyValue | None = None, /, *, index: str | None = None
    ) -> Collection[Any]:
        """Everything in one partition, in key order, each item as its model.

        :meth:`Collection.of` narrows it to some models, and tells a type checker which.

        Args:
            target: a :class:`Table`; or a :func:`partition`, which is made from attributes rather than text.
            partition: the value of the partition key, as it is stored; beside a table.
            index: the name of an index to read; beside a table.

        Raises:
            UsageError: neither a table nor a partition, no such index, or models that cannot be told apart.
            InvalidKey: the value is empty, too long, or of another type than the partition key.

        Costs one Query a page, once it is awaited or iterated.
        """
        return Collection(collect(self._prefix, target, partition, index), self._access)


@final
class Collection(Reader[R]):
    """The items of one partition of a table or index, in order of the sort key. Built by ``db.collection(...)``.

    Each item is read as the model that its discriminator tells; one without a discriminator as the model whose key
    templates make such a key. An index that does not hold all attributes gives partial models. Expired and soft-deleted
    items are left out of models that hide them; DynamoDB sends them all the same.

    Raises:
        UsageError: on await or iteration, where the models cannot be told apart, or the index does not hold what tells
            which items are hidden.
        UnrecognizedItem: an item is of no model that lives in the table; see :meth:`unknown`.
        DecodeError: an item does not fit its model.
        CallError: a request failed.

    Costs one Query a page.
    """

    def __init__(self, collected: Collected, access: Access, reading: Reading | None = None) -> None:
        super().__init__(access, reading)
        self._collected = collected

    @overload
    def of(self, a: type[A], /) -> Collection[A]: ...
    @overload
    def of(self, a: type[A], b: type[B], /) -> Collection[A | B]: ...
    @overload
    def of(self, a: type[A], b: type[B], c: type[C], /) -> Collection[A | B | C]: ...
    @overload
    def of(self, a: type[A], b: type[B], c: type[C], d: type[D], /) -> Collection[A | B | C | D]: ...
    @overload
    def of(self, a: type[A], b: type[B], c: type[C], d: type[D], e: type[E], /) -> Collection[A | B | C | D | E]: ...
    @overload
    def of(
        self, a: type[A], b: type[B], c: type[C], d: type[D], e: type[E], f: type[F], /
    ) -> Collection[A | B | C | D | E | F]: ...
    @overload
    def of(
        self,
        a: type[Any],
        b: type[Any],
        c: type[Any],
        d: type[Any],
        e: type[Any],
        f: type[Any],
        g: type[Any],
        /,
        *more: type[Any],
    ) -> Collection[Any]: ...
    def of(self, *models: type[Any]) -> Collection[Any]:
        """Only items of these models, and of their variants. DynamoDB leaves out the others, where it can see the type.

        Items that it leaves out are read and paid for all the same; items without a discriminator are among them.

        Raises:
            UsageError: no models, or one that does not live in the table; or ``unknown()`` was called before.
        """
        self._used = True
        if not models:
            raise UsageError("of() without models: pass some, or leave it out for all models of the table")
        if self._collected.unknown != "raise":
            raise UsageError("of() after unknown(): say first which models, then what becomes of other items")
        specs = tuple(dict.fromkeys(spec_of(model) for model in models))
        Recognition(self._collected.table, None, specs)  # refuses models of other tables
        return self._changed(models=specs)

    @overload
    def unknown(self, policy: Literal["raw"], /) -> Collection[R | UnknownItem]: ...
    @overload
    def unknown(self, policy: Literal["raise", "skip"], /) -> Collection[R]: ...
    def unknown(self, policy: Policy, /) -> Collection[Any]:
        """What becomes of items that are of no model of the table: of a type that none has, or without one and with a
        key that no template makes.

        Args:
            policy: ``raise`` an ``UnrecognizedItem``, as it is by default; ``skip`` them; or give them ``raw``, as
                :class:`UnknownItem`.

        Raises:
            UsageError: it is none of these.
        """
        self._used = True
        if policy not in ("raise", "skip", "raw"):
            raise UsageError(f"unknown({policy!r}): it is 'raise', 'skip' or 'raw'")
        return self._changed(unknown=policy)

    def begins_with(self, prefix: str | bytes) -> Self:
        """Only items whose sort key begins with this: ``"ORDER#"``. It becomes part of the key condition.

        Raises:
            UsageError: there is no sort key, it is a number, or it has a condition already.
            InvalidKey: it is empty, too long, or not of the sort key's type.
        """
        self._used = True
        return self._changed_to(beginning(self._collected, prefix))

    def between(self, low: KeyValue, high: KeyValue) -> Self:
        """Only items whose sort key lies between two values, both included. It becomes part of the key condition.

        Raises:
            UsageError: there is no sort key, or it has a condition already.
            InvalidKey: a value is empty, too long, or not of the sort key's type.
        """
        self._used = True
        return self._changed_to(within(self._collected, low, high))

    def descending(self) -> Self:
        """The highest sort key first."""
        return self._with(descending=True)

    async def grouped(self) -> Grouped:
        """All the items by their models: ``(await collection.grouped())[Order]``. One request a page."""
        self._used = True
        models = self._collected.recognition().asked
        return Grouped(await self._collect(), models)

    # --- inside -------------------------------------------------------------------------------

    def _planned(self, reading: Reading) -> ReadPlan:
        return plan_collection(self._collected, reading)

    def _opened(self, plan: ReadPlan, reading: Reading) -> ItemStream[Any]:
        return open_collection(self._access, self._collected, plan, reading)

    def _explained(self, plan: ReadPlan) -> Explanation:
        explained = explain(plan)
        if self._reading.with_hidden:
            return explained
        now = self._access.clock()
        hidings = [hiding(spec, now) for spec in self._collected.recognition().asked if spec.hides]
        reasons = dict.fromkeys(reason for found in hidings if found is not None for reason in found.reasons)
        return msgspec.structs.replace(explained, leaves_out=tuple(reasons))

    def _again(self, reading: Reading) -> Self:
        return type(self)(self._collected, self._access, reading)

    def _changed(self, **changes: Any) -> Collection[Any]:  # the fields of Collected
        return Collection(msgspec.structs.replace(self._collected, **changes), self._access, self._reading)

    def _changed_to(self, collected: Collected) -> Self:
        return type(self)(collected, self._access, self._reading)

    def _described(self) -> str:
        return f"the collection {self._shown()}"

    def _shown(self) -> str:
        key = ", ".join(f"{name}={next(iter(value.values()))!r}" for name, value in self._collected.partition.items())
        index = self._collected.index
        where = self._collected.table.name if index is None else f"{self._collected.table.name}, index {index.name}"
        return f"{key} of {where}"

    def __repr__(self) -> str:
        return f"<Collection {self._shown()}>"
