"""Programs drawn from a seed. What is drawn depends on the dict model's state, so that most of it meets something."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any

from dynamorm_async import InvalidExpression, InvalidKey, InvalidValue, ItemTooLarge, UsageError
from tests.differential import changes, conditions
from tests.differential.changes import Change
from tests.differential.conditions import Condition
from tests.differential.models import MINUTE, START, Coin, Paper, Place, Ware
from tests.differential.operations import Instance, Mutation, OfInstance, OfKey, Operation, Updating
from tests.differential.plain import KEYS, Item, lifted_attribute
from tests.differential.reads import Get, GetMany, Query, Scan
from tests.differential.steps import Batch, Mistake, Modify, Single, Step, Transact
from tests.differential.texts import Own
from tests.differential.world import World

SHELVES = (Own("a"), Own("b"))
KINDS = (Own("k"), Own("l"))
SORTED = ("a", "b", "z", "aa", "\u00e9", "e\u0301", "\uffff", "\U00010000", "\U0001f600", "#n0", "a.b", "'\"\\")
TEXTS = ("a", "b", "aa", "ab", "\u00e9", "e\u0301", "\U0001f600\U0001d11e", "null", ":v0", "x -- '", "\x00\u2028")
LARGE = (10**38 - 1, -(10**38) + 1, 10**37 + 1, 2**63, -(2**53) - 1)
SMALL = range(-3, 8)
DECIMALS = tuple(
    map(Decimal, ("0.1", "1.50", "-0", "1e5", "1E-130", "-1E-130", "9.9E125", "0." + "1" * 38, "-2.5", "3", "1E+2"))
)
ENTRIES = ("a", "b", "a.b", "#n0", "\u00e9", "size")
COMPARATORS = ("==", "!=", "<", "<=", ">", ">=")

MISTAKES: tuple[tuple[str, type[UsageError]], ...] = (
    ("put(Ware(shelf=P, name='a', count=10**38 + 1))", InvalidValue),
    ("put(Ware(shelf=P, name='a', price=Decimal('NaN')))", InvalidValue),
    ("create(Ware(shelf=P, name=''))", InvalidKey),
    ("create(Ware(shelf=P, name='x' * 1025))", InvalidKey),
    ("get(Ware, P + 'x' * 2048, 'a')", InvalidKey),
    ("put(Ware(shelf=P, name='a', note='\\ud800'))", InvalidValue),
    ("put(Ware(shelf=P, name='a', note='x' * 410_000))", ItemTooLarge),
    ("update(Key(Ware, P, 'a'), Ware.count.add(1), Ware.count.set(2))", InvalidExpression),
    ("update(Key(Ware, P, 'a'), Ware.note.set('\\ud800'))", InvalidExpression),
    ("update(Key(Ware, P, 'a'), Ware.kind.set(''))", InvalidKey),
    ("update(Key(Paper, P, 1), Paper.revision.set(3))", UsageError),
    ("restore(Key(Ware, P, 'a'))", UsageError),
)


class Drawing:
    """Draws one program, step by step.

    Args:
        random: where all chance comes from.
        world: the model, in which each step has been run before the next is drawn.
    """

    def __init__(self, random: Random, world: World) -> None:
        self.random = random
        self.world = world
        self.empties = random.random() < 0.1  # empty texts and bytes: one engine refuses them
        self.names = 0

    def step(self) -> Step:
        kinds: list[tuple[int, Callable[[], Step]]] = [
            (34, lambda: Single(self.operation())),
            (12, self.get),
            (6, self.get_many),
            (9, self.transaction),
            (7, self.batch),
            (5, self.modify),
            (18, self.query),
            (6, self.scan),
            (1, lambda: Mistake(*self.random.choice(MISTAKES))),
        ]
        (draw,) = self.random.choices([kind for _, kind in kinds], [weight for weight, _ in kinds])
        return draw()

    # --- values ---------------------------------------------------------------------------------------------

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def integer(self) -> int:
        return self.random.choice(LARGE) if self.chance(0.1) else self.random.choice(SMALL)

    def decimal(self) -> Decimal:
        return self.random.choice(DECIMALS) if self.chance(0.5) else Decimal(self.random.choice(SMALL))

    def text(self) -> str:
        return "" if self.empties and self.chance(0.3) else self.random.choice(TEXTS)

    def binary(self) -> bytes:
        return b"" if self.empties and self.chance(0.3) else self.random.choice((b"\x00", b"\xff\x00", b"ab", b"a"))

    def labels(self) -> dict[str, int]:
        names = [*ENTRIES, ""] if self.empties else ENTRIES
        return {self.random.choice(names): self.integer() for _ in range(self.random.randrange(3))}

    def some(self, draw: Callable[[], Any], least: int = 0) -> list[Any]:
        return [draw() for _ in range(self.random.randrange(least, 4))]

    def where_in_the_world(self) -> Place:
        floor = self.integer() if self.chance(0.5) else None
        return Place(city=self.text(), floor=floor, marks=self.labels())

    def anything(self, depth: int = 0) -> Any:
        if depth < 3 and self.chance(0.5):  # deep enough for paths inside
            if self.chance(0.5):
                return self.some(lambda: self.anything(depth + 1))
            return {name: self.anything(depth + 1) for name in self.random.sample(ENTRIES, self.random.randrange(3))}
        draw = self.random.choice(
            (
                self.integer,
                self.text,
                self.binary,
                lambda: self.chance(0.5),
                lambda: Decimal("0.5"),
                lambda: frozenset(self.some(self.integer, 1)),
                lambda: frozenset(self.some(lambda: self.random.choice(TEXTS), 1)),
                lambda: None if depth else 5,
            )
        )
        return draw()

    def value(self, attribute: str) -> Any:
        """A value of an attribute."""
        draw: dict[str, Callable[[], Any]] = {
            "count": self.integer,
            "price": self.decimal,
            "note": lambda: self.text() if self.chance(0.8) else None,
            "data": lambda: self.binary() if self.chance(0.8) else None,
            "flag": lambda: self.chance(0.5),
            "tags": lambda: set(self.some(lambda: self.random.choice(TEXTS))),
            "sizes": lambda: set(self.some(self.integer)),
            "scores": lambda: self.some(self.integer),
            "labels": self.labels,
            "place": lambda: self.where_in_the_world() if self.chance(0.8) else None,
            "other": lambda: self.anything() if self.chance(0.9) else None,
            "kind": lambda: self.random.choice(KINDS) if self.chance(0.8) else None,
            "rank": lambda: self.decimal() if self.chance(0.8) else None,
            "title": self.text,
            "views": self.integer,
            "expires": lambda: START + self.random.randrange(-5, 25) * MINUTE if self.chance(0.6) else None,
            "amount": self.integer,
        }
        return draw[attribute]()

    def key(self, model: type[Any], there: float = 0.75) -> tuple[Any, ...]:
        """A key: with the chance ``there`` one of an item that there is."""
        places = sorted(self.world.tables.get(model, {}), key=repr)
        if places and self.chance(there):
            first, *rest = self.random.choice(places)
            return Own(first.decode() if isinstance(first, bytes) else first), *rest
        shelf = self.random.choice(SHELVES) if self.chance(0.7) else SHELVES[0]
        if model is Coin:
            return (shelf,)
        return shelf, self.random.choice(SORTED[:8]) if model is Ware else self.random.choice((1, 2, 3, -1, LARGE[0]))

    def model(self) -> type[Any]:
        return self.random.choices((Ware, Paper, Coin), (5, 4, 1))[0]

    # --- conditions and changes -----------------------------------------------------------------------------

    def condition(self, model: type[Any], depth: int = 0) -> Condition:
        if depth < 2 and self.chance(0.25):  # deep enough for precedence to matter
            operator = self.random.choice("~&|")
            parts = tuple(self.condition(model, depth + 1) for _ in range(1 if operator == "~" else 2))
            return conditions.Joined(operator, parts)
        if model is not Ware:
            number = "views" if model is Paper else "amount"
            return conditions.Compared((number,), self.random.choice(COMPARATORS), self.random.choice(SMALL))
        return self.random.choice(
            (
                self.comparison,
                self.range_condition,
                self.call,
                lambda: conditions.Sized(
                    (self.random.choice(("note", "tags", "scores", "labels", "other")),),
                    self.random.choice(COMPARATORS),
                    self.random.randrange(4),
                ),
                lambda: conditions.Both(("place", "floor"), self.random.choice(COMPARATORS), ("count",)),
            )
        )()

    def comparison(self) -> Condition:
        compared, comparator = conditions.Compared, self.random.choice(COMPARATORS)
        return self.random.choice(
            (
                compared(("count",), comparator, self.integer()),
                compared(("price",), comparator, self.decimal()),
                compared(("note",), comparator, self.text()),
                compared(("data",), comparator, self.binary()),
                compared(("place", "floor"), comparator, self.random.choice(SMALL)),
                compared(("place", "city"), comparator, self.text()),
                compared(("labels", self.random.choice(ENTRIES)), comparator, self.integer()),
                compared(("scores", self.random.randrange(3)), comparator, self.integer()),
                compared(("flag",), "==", self.chance(0.5)),
                compared(("labels",), "==", self.labels()),
                compared(("tags",), "!=", {"a", "b"}),
                compared(("sizes",), "==", {1, 2}),
                compared(("note",), "==", None),
                compared(("place",), "!=", None),
            )
        )

    def range_condition(self) -> Condition:
        if self.chance(0.5):
            path, draw = self.random.choice(((("count",), self.integer), (("price",), self.decimal)))
            return conditions.Called(path, "between", tuple(sorted((draw(), draw()))))
        return conditions.Called(("count",), "is_in", (self.some(self.integer, 1),))

    def call(self) -> Condition:
        path = self.random.choice((("note",), ("place",), ("labels", "a"), ("scores", 1), ("other",), ("tags",)))
        return self.random.choice(
            (
                conditions.Called(path, self.random.choice(("exists", "not_exists"))),
                conditions.Called(
                    ("note",), self.random.choice(("begins_with", "contains")), (self.random.choice(TEXTS),)
                ),
                conditions.Called(("tags",), "contains", (self.random.choice(TEXTS),)),
                conditions.Called(("sizes",), "contains", (self.integer(),)),
                conditions.Called(("scores",), "contains", (self.integer(),)),
                conditions.Called(
                    ("other",), "attribute_type", (self.random.choice(("S", "N", "L", "M", "NS", "BOOL")),)
                ),
            )
        )

    def fitting(self, model: type[Any], item: Item | None) -> Condition:
        """A condition that mostly holds of an item."""
        condition = self.condition(model)
        if not condition.holds(item or {}) and self.chance(0.7):
            return conditions.Joined("~", (condition,))
        return condition

    def where(self, model: type[Any], key: tuple[Any, ...], share: float = 0.3) -> Condition | None:
        return self.fitting(model, self.world.find(model, self.world.place(key))) if self.chance(share) else None

    def change(self, model: type[Any], attribute: str) -> Change:
        if model is not Ware or attribute in ("kind", "rank", "data", "flag", "note"):
            if attribute in ("views", "amount"):
                return changes.Add((attribute,), self.integer())
            value = self.value(attribute)
            return changes.Set((attribute,), value) if value is not None else changes.Remove((attribute,))
        draw = {
            "count": self.number_change,
            "price": self.number_change,
            "tags": self.set_change,
            "sizes": self.set_change,
            "scores": self.list_change,
            "labels": self.map_change,
            "place": self.nested_change,
        }.get(attribute)
        return changes.Set((attribute,), self.anything()) if draw is None else draw(attribute)

    def number_change(self, attribute: str) -> Change:
        draw = self.integer if attribute == "count" else self.decimal
        path = (attribute,)
        return self.random.choice(
            (
                changes.Set(path, draw()),
                changes.SetDefault(path, draw()),
                changes.Add(path, draw()),
                changes.Sum(path, path, self.random.choice("+-"), draw()),
                changes.Sum(path, path, self.random.choice("+-"), draw(), draw()),
                changes.Sum(path, path, "+", ("count",)),
            )
        )

    def set_change(self, attribute: str) -> Change:
        elements = self.value(attribute)
        if not elements:
            return changes.Set((attribute,), elements)
        return self.random.choice((changes.Add, changes.Discard, changes.Set))((attribute,), elements)

    def list_change(self, attribute: str) -> Change:
        position = self.random.randrange(3) if self.chance(0.9) else 7
        return self.random.choice(
            (
                changes.Extend((attribute,), self.random.choice(("append", "prepend")), self.some(self.integer, 1)),
                changes.Set((attribute, position), self.integer()),
                changes.Remove((attribute, position)),
                changes.Set((attribute,), self.some(self.integer)),
            )
        )

    def map_change(self, attribute: str) -> Change:
        path = (attribute, self.random.choice(ENTRIES))
        return self.random.choice(
            (
                changes.Set(path, self.integer()),
                changes.Add(path, self.integer()),
                changes.Remove(path),
                changes.SetDefault(path, self.integer()),
                changes.Copy(path, ("count",)),
                changes.Set((attribute,), self.labels()),
            )
        )

    def nested_change(self, attribute: str) -> Change:
        return self.random.choice(
            (
                changes.Set((attribute, "city"), self.text()),
                changes.Set((attribute, "floor"), self.integer() if self.chance(0.7) else None),
                changes.Add((attribute, "floor"), self.integer()),
                changes.Sum((attribute, "floor"), (attribute, "floor"), "-", self.integer(), self.integer()),
                changes.Set((attribute, "marks", self.random.choice(ENTRIES)), self.integer()),
                changes.Remove((attribute, "marks", self.random.choice(ENTRIES))),
                changes.Set((attribute,), self.where_in_the_world()),
                changes.Remove((attribute,)),
            )
        )

    # --- writes ---------------------------------------------------------------------------------------------

    def attributes(self, model: type[Any], most: int = 5) -> list[str]:
        own = {
            Ware: "count price note data flag tags sizes scores labels place other kind rank kind rank",
            Paper: "title views labels expires",
            Coin: "amount",
        }[model].split()
        return list(dict.fromkeys(self.random.sample(own, min(len(own), self.random.randrange(1, most + 1)))))

    def new(self, model: type[Any], there: float = 0.15) -> Instance:
        self.names += 1
        key = dict(zip(KEYS[model], self.key(model, there), strict=True))
        fields = {name: self.value(name) for name in self.attributes(model, 9)}
        return Instance(f"e{self.names}", model, {**key, **fields})

    def mutations(self, model: type[Any], instance: str = "") -> tuple[Mutation, ...]:
        held = self.world.hand.get(instance)
        drawn: list[Mutation] = []
        for name in self.attributes(model, 3) if self.chance(0.85) else []:
            inside = held is not None and "M" in held.item.get(name, {})
            if name == "labels" and (inside or held is None) and self.chance(0.7):
                drawn.append(
                    Mutation((name, self.random.choice(ENTRIES)), self.integer() if self.chance(0.7) else None)
                )
            elif name == "place" and inside and self.chance(0.7):
                step = self.random.choice(("city", "floor"))
                drawn.append(Mutation((name, step), self.text() if step == "city" else self.integer()))
            elif name == "other" and inside and self.chance(0.7):
                drawn.append(Mutation((name, self.random.choice(ENTRIES)), self.integer()))
            else:
                drawn.append(Mutation((name,), self.value(name)))
        return tuple(drawn)

    def operation(self, *, within: str = "") -> Operation:
        """A write: of its own, or ``within`` a transaction or batch."""
        held = [name for name, instance in self.world.hand.items() if instance.seen is not None]
        if held and self.chance(0.4):
            return self.of_instance(self.random.choice(held), within)
        model = self.model()
        if within == "batch":
            return OfInstance("put", self.new(model)) if self.chance(0.6) else OfKey("delete", model, self.key(model))
        if self.chance(0.4):
            return self.of_instance_made_here(model, within)
        return self.update(model, within) if self.chance(0.6) else self.of_key(model, within)

    def of_instance_made_here(self, model: type[Any], within: str) -> Operation:
        if self.chance(0.6):
            return OfInstance("create", self.new(model))
        old = "old" if not within and self.chance(0.5) else ""
        made = self.new(model, 0.5)
        return OfInstance("put", made, self.where(model, made.key, 0.2), old)

    def of_key(self, model: type[Any], within: str) -> Operation:
        (action,) = self.random.choices(("delete", "restore", "check"), (2, 1, 2 if within else 0))
        if action == "restore":
            return OfKey("restore", Paper, self.key(Paper))
        key = self.key(model)
        if action == "check":
            return OfKey("check", model, key, self.where(model, key, 1))
        old = "old" if not within and self.chance(0.5) else ""
        return OfKey("delete", model, key, self.where(model, key), old, model is not Coin and self.chance(0.3))

    def of_instance(self, name: str, within: str) -> Operation:
        model = self.world.hand[name].model
        actions = ("put", "delete") if within == "batch" else ("save", "put", "delete", "restore")
        weights = (2, 1) if within == "batch" else (6, 2, 1, 1 if model is Paper else 0)
        (action,) = self.random.choices(actions, weights)
        changed = self.mutations(model, name) if action in ("save", "put") else ()
        instance = Instance(name, model, None, changed)
        if action in ("save", "restore") or within == "batch":
            return OfInstance(action, instance)
        old = "old" if not within and self.chance(0.4) else ""
        hard = action == "delete" and self.chance(0.2)
        where = self.fitting(model, self.world.find(model, self.world.hand[name].place)) if self.chance(0.2) else None
        return OfInstance(action, instance, where, old, hard)

    def update(self, model: type[Any], within: str) -> Updating:
        drawn = tuple(self.change(model, attribute) for attribute in self.attributes(model, 4))
        if model is Ware and self.chance(0.05):
            drawn += self.removals(drawn)
        forms = ("", "", "old", "new", "none", "updated_new", "updated_old")
        returns = "" if within else self.random.choice(forms)
        key = self.key(model, 0.85)
        return Updating(model, key, drawn, self.where(model, key), self.chance(0.4), returns)

    def removals(self, drawn: tuple[Change, ...]) -> tuple[Change, ...]:
        """Two elements of one list, by their positions."""
        if any(change.path[0] == "scores" for change in drawn):
            return ()
        return changes.Remove(("scores", 0)), changes.Remove(("scores", 1))

    def distinct(self, within: str, most: int) -> tuple[Operation, ...]:
        """Operations, mostly of distinct items; in a batch, of distinct papers and instances."""
        taken: set[Any] = set()
        kept: list[Operation] = []
        for _ in range(self.random.randrange(1, most + 1)):
            operation = self.operation(within=within)
            name = operation.instance.name if isinstance(operation, OfInstance) else None
            if isinstance(operation, OfInstance) and operation.instance.fields is None:
                place = self.world.hand[operation.instance.name].place
            elif isinstance(operation, OfInstance):
                place = self.world.place(operation.instance.key)
            else:
                place = self.world.place(operation.key)
            item = operation.model, place
            strict = name in taken or operation.model is Paper or (within != "batch" and self.chance(0.97))
            if strict and (item in taken or name in taken):
                continue
            taken |= {item} if name is None else {item, name}
            kept.append(operation)
        return tuple(kept) or (OfInstance("put", self.new(Ware)),)

    def transaction(self) -> Step:
        return Transact(self.distinct("transaction", 5))

    def batch(self) -> Step:
        return Batch(self.distinct("batch", 8))

    def first(self) -> Step:
        """A batch of new items, for all that follows to meet."""
        made = [self.new(self.random.choices((Ware, Paper, Coin), (6, 3, 1))[0], 0) for _ in range(10)]
        distinct = {(instance.model, self.world.place(instance.key)): instance for instance in made}
        return Batch(tuple(OfInstance("put", instance) for instance in distinct.values()))

    def modify(self) -> Step:
        return Modify(self.key(Paper), self.mutations(Paper))

    # --- reads ----------------------------------------------------------------------------------------------

    def get(self) -> Step:
        self.names += 1
        model = self.model()
        hidden = model is Paper and self.chance(0.4)
        name = f"e{self.names}" if self.chance(0.8) else ""
        return Get(model, self.key(model), name, hidden, self.chance(0.3))

    def get_many(self) -> Step:
        keys = [(model, self.key(model)) for model in (self.model() for _ in range(self.random.randrange(1, 7)))]
        transacted = self.chance(0.4)
        return GetMany(tuple(dict.fromkeys(keys) if transacted else keys), transacted, self.chance(0.4))

    def filters(self, model: type[Any], share: float) -> tuple[Condition, ...]:
        items = list(self.world.tables.get(model, {}).values())
        return (self.fitting(model, self.random.choice(items) if items else None),) if self.chance(share) else ()

    def query(self) -> Step:
        model = self.random.choice((Ware, Ware, Paper))
        place = self.random.choice(("table", "by_rank", "by_kind")) if model is Ware else "table"
        sort = "rank" if place != "table" else "name" if model is Ware else "number"
        end = self.random.choice(("list", "list", "count", "first", "select", "stream", "pages"))
        return Query(
            model,
            place,
            self.random.choice(KINDS if place == "by_kind" else SHELVES),
            self.sort_conditions(sort),
            self.filters(model, 0.4),
            end,
            self.chance(0.4),
            self.chance(0.3),
            self.random.randrange(1, 4) if end in ("list", "select", "stream") and self.chance(0.3) else None,
            self.random.randrange(1, 4) if end == "pages" or self.chance(0.5) else None,
        )

    def sort_conditions(self, sort: str) -> tuple[Condition, ...]:
        """What DynamoDB takes on a sort key: one condition, or several that come to one."""
        free: Callable[[], Any] = {
            "rank": self.decimal,
            "name": lambda: self.random.choice(SORTED),
            "number": lambda: self.random.choice(SMALL),
        }[sort]
        items = self.world.tables.get(Paper if sort == "number" else Ware, {}).values()
        there = [lifted_attribute(sort, item[sort]) for item in items if sort in item]

        def draw() -> Any:
            return self.random.choice(there) if there and self.chance(0.6) else free()

        if self.chance(0.3):
            return ()
        if self.chance(0.3):
            ends = [conditions.Compared((sort,), ">=", draw()), conditions.Compared((sort,), "<=", draw())]
            return tuple(self.random.sample(ends, 2))
        if self.chance(0.1):
            wanted = conditions.Compared((sort,), "==", draw())
            return wanted, conditions.Called((sort,), "is_in", (self.some(draw, 1),))
        return (self.sort_condition(sort, draw),)

    def sort_condition(self, sort: str, draw: Callable[[], Any]) -> Condition:
        order: Callable[[Any], Any] | None = (lambda value: value.encode()) if sort == "name" else None
        kind = self.random.choice(("compared", "compared", "between", "begins_with" if sort == "name" else "is_in"))
        if kind == "compared":
            return conditions.Compared((sort,), self.random.choice(("==", "<", "<=", ">", ">=")), draw())
        if kind == "between":
            return conditions.Called((sort,), "between", tuple(sorted((draw(), draw()), key=order)))
        return conditions.Called((sort,), kind, (draw(),) if kind == "begins_with" else (self.some(draw, 1),))

    def scan(self) -> Step:
        model = self.model()
        end = self.random.choice(("list", "count", "select", "stream", "pages"))
        size = self.random.randrange(20, 60) if end == "pages" or self.chance(0.3) else None
        return Scan(model, self.filters(model, 0.6), end, self.chance(0.3), self.random.choice((1, 1, 3)), None, size)
