"""Generated models of every supported type, values for them, stored items good and bad, conditions."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
import copy
import json
from abc import ABC, ABCMeta
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal, Optional, Union
from uuid import UUID

import attrs
import msgspec
from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dynamorm_async import Attr, attr, embedded, model, partition_key, sort_key, ttl
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.expressions.conditions import (
    Between,
    Comparison,
    Condition,
    Every,
    Function,
    Literally,
    Negation,
    OneOf,
    Path,
)
from dynamorm_async.model.spec import spec_of


class Color(Enum):
    RED = "red"
    NULL = "null"


class Level(IntEnum):
    LOW = 0
    HIGH = 7


class Word(str, Enum):  # noqa: UP042 - not a StrEnum, whose str() is its value
    YES = "yes"
    QUOTE = "'\"\\"


class Mixed(Enum):
    TEXT = "1"
    NUMBER = 1


@attrs.frozen
class Circle:
    radius: int


@attrs.frozen
class Square:
    side: int
    name: str = "square"


@embedded(type="beast")
class Beast:
    """A family whose root has values as well; its subclasses are told apart by their types alone."""

    name: Attr[str] = attr(name="n")


@embedded(type="ox")
class Ox(Beast):
    horns: Attr[int]


@embedded(type="Circle")
class Calf(Ox):
    """Its type is the name of another class."""

    mother: Attr[Beast | None] = attr(default=None)


@attrs.frozen
class Kind:
    """A type annotation with values of it.

    Attributes:
        hint: the annotation.
        values: what it may hold.
        constant: whether a value may be shared, as a default.
        nullable: whether ``None`` is among the values.
        tag: the type tag, where sets of it exist.
    """

    hint: Any
    values: SearchStrategy[Any]
    constant: bool = False
    nullable: bool = False
    tag: str = ""


@attrs.frozen
class Generated:
    """A model, and instances of it."""

    model: type[Any]
    instances: SearchStrategy[Any]

    @property
    def codec(self) -> ItemCodec[Any]:
        return spec_of(self.model).codec


# --- scalar values --------------------------------------------------------------------------------

texts = st.text(max_size=12) | st.sampled_from(["", "null", "true", "1", "#n0", ":v0", "{x}", "'\"\\\n", "\U0001f600"])
integers = st.integers(-(10**38) + 1, 10**38 - 1) | st.integers(-99, 99) | st.sampled_from([2**53 + 1, -(2**64), 0])


@st.composite
def decimals(draw: st.DrawFn) -> Decimal:
    """Every sign, length and magnitude that DynamoDB stores."""
    digits = draw(st.integers(1, 10**38 - 1) | st.integers(0, 999))
    exponent = draw(st.integers(-130, 125)) - (len(str(digits)) - 1)
    sign = "-" if draw(st.booleans()) else ""
    return Decimal(f"{sign}{digits}E{exponent}") if digits else Decimal(0)


floats = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: x == 0 or 1e-130 <= abs(x) < 1e126)
zones = st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes))) | st.just(UTC)
datetimes = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 30), timezones=zones)  # noqa: DTZ001 - the zone is drawn
seconds = datetimes.map(lambda moment: moment.replace(microsecond=0))

SCALARS = [
    Kind(str, texts, constant=True, tag="S"),
    Kind(int, integers, constant=True, tag="N"),
    Kind(float, floats, constant=True, tag="N"),
    Kind(Decimal, decimals(), constant=True, tag="N"),
    Kind(bool, st.booleans(), constant=True),
    Kind(bytes, st.binary(max_size=12) | st.just(b"\x9e\xe9e"), constant=True, tag="B"),  # its base64 is "null"
    Kind(datetime, datetimes, constant=True, tag="S"),
    Kind(date, st.dates(), constant=True, tag="S"),
    Kind(timedelta, st.timedeltas(), constant=True, tag="N"),
    Kind(UUID, st.uuids(), constant=True, tag="S"),
    Kind(Color, st.sampled_from(Color), constant=True, tag="S"),
    Kind(Level, st.sampled_from(Level), constant=True, tag="N"),
    Kind(Word, st.sampled_from(Word), constant=True, tag="S"),
    Kind(Mixed, st.sampled_from(Mixed), constant=True),
    Kind(Literal["a", "b"], st.sampled_from(["a", "b"]), constant=True, tag="S"),
    Kind(Literal["a", 2, True], st.sampled_from(["a", 2, True]), constant=True),
    Kind(Union[int, str], integers | texts, constant=True),  # noqa: UP007 - a run-time type
    Kind(Union[Circle, Square], st.builds(Circle, radius=integers) | st.builds(Square, side=integers, name=texts)),  # noqa: UP007 - a run-time type
]

beasts = st.recursive(
    st.builds(Beast, name=texts) | st.builds(Ox, name=texts, horns=integers),
    lambda inner: st.builds(Calf, name=texts, horns=integers, mother=st.none() | inner),
    max_leaves=2,
)
oxen = beasts.filter(lambda beast: isinstance(beast, Ox))
FAMILIES = [
    Kind(Beast, beasts),
    Kind(Ox, oxen),
    Kind(Union[Beast, Square], beasts | st.builds(Square, side=integers, name=texts)),  # noqa: UP007 - a run-time type
    Kind(Union[Beast, dict[str, int]], beasts | st.dictionaries(st.sampled_from(["n", "x"]), integers)),  # noqa: UP007 - a run-time type
]

plain_values = st.recursive(
    st.none() | texts | integers | decimals() | st.booleans() | st.binary(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts, inner, max_size=3)
        | st.frozensets(texts, min_size=1, max_size=3)
        | st.frozensets(integers, min_size=1, max_size=3)
    ),
    max_leaves=5,
)
ANY = Kind(Any, plain_values, nullable=True)


# --- types ------------------------------------------------------------------------------------------


@st.composite
def sets(draw: st.DrawFn) -> Kind:
    item = draw(st.sampled_from([kind for kind in SCALARS if kind.tag]))
    if draw(st.booleans()):
        return Kind(set[item.hint], st.sets(item.values, max_size=4))  # type: ignore[name-defined]  # a run-time type
    return Kind(frozenset[item.hint], st.frozensets(item.values, max_size=4))  # type: ignore[name-defined]  # a run-time type


@st.composite
def optionals(draw: st.DrawFn, inner: SearchStrategy[Kind]) -> Kind:
    kind = draw(inner)
    if kind.nullable:
        return kind
    values = kind.values.filter(lambda value: not (isinstance(value, set | frozenset) and not value))
    return Kind(Optional[kind.hint], st.none() | values, constant=kind.constant, nullable=True)  # noqa: UP045 - a run-time type


@st.composite
def containers(draw: st.DrawFn, inner: SearchStrategy[Kind]) -> Kind:
    kind = draw(inner)
    shape = draw(st.sampled_from(["list", "tuple", "pair", "dict", "numbered"]))
    if shape == "list":
        return Kind(list[kind.hint], st.lists(kind.values, max_size=3))  # type: ignore[name-defined]  # a run-time type
    if shape == "tuple":
        return Kind(tuple[kind.hint, ...], st.lists(kind.values, max_size=3).map(tuple))  # type: ignore[name-defined]  # a run-time type
    if shape == "pair":
        return Kind(tuple[kind.hint, int], st.tuples(kind.values, integers))  # type: ignore[name-defined]  # a run-time type
    if shape == "dict":
        return Kind(dict[str, kind.hint], st.dictionaries(texts, kind.values, max_size=3))  # type: ignore[name-defined]  # a run-time type
    return Kind(dict[int, kind.hint], st.dictionaries(integers, kind.values, max_size=3))  # type: ignore[name-defined]  # a run-time type


NAMES: tuple[str, ...] = (
    "o",
    "v",
    "s",
    "k",
    "item",
    "e1",
    "UNSET_0",
    "names",
    "data",
    "type",
    "_private",
    "größe",
    "S",
    "NULL",
)


@st.composite
def classes(draw: st.DrawFn, inner: SearchStrategy[Kind]) -> Kind:
    """A plain attrs class, or an embedded one."""
    kinds = draw(st.dictionaries(st.sampled_from(NAMES), inner, min_size=1, max_size=3))
    if draw(st.booleans()):
        fields = {name: _draw_field(draw, kind) for name, kind in kinds.items()}
        inside = embedded(_class("Inner", kinds, fields))
        return Kind(inside, _instances(inside, kinds))
    plain = {name: attrs.field(type=kind.hint, default=_plain_default(draw, kind)) for name, kind in kinds.items()}
    made = attrs.make_class(
        draw(st.sampled_from(["Plain", "µ", "class"])), plain, kw_only=True, slots=draw(st.booleans())
    )
    return Kind(made, _instances(made, kinds))


@st.composite
def families(draw: st.DrawFn, inner: SearchStrategy[Kind]) -> Kind:
    """Embedded classes of a family, and the values that an attribute of one of them can hold."""
    made: list[tuple[type[Any], dict[str, Kind]]] = []
    for number in range(draw(st.integers(1, 3))):
        base, inherited = draw(st.sampled_from(made)) if made else (None, {})
        kinds = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=2))
        fields = {name: _draw_field(draw, kind) for name, kind in kinds.items()}
        is_abstract = draw(st.booleans()) and not made
        bases = (ABC,) if is_abstract else () if base is None else (base,)
        decorate = embedded if is_abstract else embedded(type=f"type {number}")
        made.append((decorate(_class(f"Variant{number}", kinds, fields, bases)), {**inherited, **kinds}))
    hint = draw(st.sampled_from([cls for cls, _kinds in made]))
    below = [(cls, kinds) for cls, kinds in made if issubclass(cls, hint) and ABC not in cls.__bases__]
    assume(below)
    return Kind(hint, st.one_of([_instances(cls, kinds) for cls, kinds in below]))


def _plain_default(draw: st.DrawFn, kind: Kind) -> Any:  # what attrs.field takes
    value = draw(kind.values)
    return draw(st.sampled_from([attrs.NOTHING, attrs.Factory(lambda _: copy.deepcopy(value), takes_self=True)]))


kinds: SearchStrategy[Kind] = st.recursive(
    st.sampled_from([*SCALARS, *FAMILIES]) | sets() | st.just(ANY),
    lambda inner: optionals(inner) | containers(inner) | classes(inner) | families(inner),
    max_leaves=4,
)


# --- models -----------------------------------------------------------------------------------------

KEYS = [
    Kind(str, st.text(min_size=1, max_size=12)),
    Kind(int, integers),
    Kind(Decimal, decimals()),
    Kind(bytes, st.binary(min_size=1, max_size=12)),
    Kind(datetime, datetimes),
    Kind(UUID, st.uuids()),
    Kind(Color, st.sampled_from(Color)),
]
wire_names = st.text(min_size=1, max_size=8).filter(lambda name: name != "_type" and not name.startswith("_dynamorm"))


@st.composite
def models(draw: st.DrawFn, unknown: Literal["ignore", "keep", "forbid"] = "ignore") -> Generated:
    """A model of one to seven attributes beside its key, with defaults, stored names and ways of storage of each kind."""
    members = draw(st.dictionaries(st.sampled_from(NAMES), kinds, min_size=1, max_size=7))
    wires = draw(st.lists(wire_names, unique=True, min_size=len(members), max_size=len(members)))
    fields: dict[str, Any] = {}
    for (name, kind), wire in zip(members.items(), wires, strict=True):
        fields[name] = _draw_field(draw, kind, name=wire if draw(st.booleans()) and wire not in members else None)
    keys = {"pk": draw(st.sampled_from(KEYS))}
    fields["pk"] = partition_key()
    if draw(st.booleans()):
        keys["sk"], fields["sk"] = draw(st.sampled_from(KEYS)), sort_key()
    if draw(st.booleans()):
        members["expires"] = Kind(Optional[datetime], st.none() | seconds, nullable=True)  # noqa: UP045 - a run-time type
        fields["expires"] = ttl(default=None)
    attributes = {**keys, **members}
    cls = model(table="things", unknown=unknown)(_class("Thing", attributes, fields))
    return Generated(cls, _instances(cls, attributes))


def with_instances(number: int) -> SearchStrategy[tuple[Generated, list[Any]]]:
    """A generated model with instances of it: to make a model takes far longer than to make an instance."""
    return models().flatmap(lambda made: st.tuples(st.just(made), st.tuples(*[made.instances] * number).map(list)))


def _draw_field(draw: st.DrawFn, kind: Kind, name: str | None = None) -> Any:  # an attrs field
    storage: dict[str, bool] = {}
    if kind.hint in (str, int, bool, UUID) or kind in FAMILIES:
        storage = draw(st.sampled_from([{}, {"as_json": True}, {"compressed": True}]))
    given = draw(st.sampled_from(["nothing", "constant", "factory"]))
    if given == "constant" and kind.constant:
        return attr(default=draw(kind.values), name=name, **storage)
    if given == "factory":
        return attr(factory=_given(draw(kind.values)), name=name, **storage)
    return attr(name=name, **storage)


def _given(value: Any) -> Callable[[], Any]:
    return lambda: copy.deepcopy(value)


def _class(name: str, kinds: dict[str, Kind], fields: dict[str, Any], bases: tuple[type[Any], ...] = ()) -> type[Any]:
    annotations = {field: Attr[kinds[field].hint] for field in fields}  # type: ignore[misc]  # run-time types
    metaclass = ABCMeta if bases else type
    return metaclass(name, bases, {"__annotations__": annotations, "__module__": __name__, **fields})


def _instances(cls: type[Any], kinds: dict[str, Kind]) -> SearchStrategy[Any]:
    required = {f.alias: kinds[f.name].values for f in attrs.fields(cls) if f.default is attrs.NOTHING}
    optional = {f.alias: kinds[f.name].values for f in attrs.fields(cls) if f.default is not attrs.NOTHING}
    return st.fixed_dictionaries(required, optional=optional).map(lambda values: cls(**values))


# --- stored items, good and bad -----------------------------------------------------------------------

ODD_TEXTS = ("null", "NaN", "Infinity", "1e5", "1.0", "1.00000000000000000001", " 1", "1_0", "٣", "", "+5", "007", "-0",
             "1E+1000000", "1E-400", "9" * 60, "YR==", "YQ", "!!", "2024-01-02", "2024-01-02T03:04:05.1234567+02:00",
             "0001-01-01T00:00:00+05:00", "20240102", "[1", "true", "{}")  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (None, True, False, 0, 5, 1.5, [], {}, [None], {"S": "x"}, {"S": None}, {"N": "1"}, {"N": 5}, {"NULL": True},
              {"NULL": False}, {"BOOL": "true"}, {"BOOL": 1}, {"SS": []}, {"L": {}}, {"M": []}, {"X": "x"},
              {"S": "x", "NULL": True}, {"S": "x", "N": "1"})  # fmt: skip


def stored_form(item: Any) -> Any:  # an item or a value
    """What DynamoDB sends for an item: JSON, with binary in base64."""
    return json.loads(msgspec.json.encode(item))


@st.composite
def mutated(draw: st.DrawFn, raw: dict[str, Any]) -> dict[str, Any]:
    """A stored item with one to three things in it changed, dropped or added, each somewhere else."""
    item: dict[str, Any] = copy.deepcopy(raw)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from([*_places(item), (item, "pk")]))
        change = draw(st.sampled_from(["text", "value", "drop", "tag", "extra"]))
        if change == "drop" and isinstance(holder, dict):
            holder.pop(key, None)
        elif change == "tag" and isinstance(holder, dict):
            holder[draw(st.sampled_from(["S", "N", "B", "BOOL", "NULL", "L", "M", "SS", "NS", "BS"]))] = holder.pop(
                key, None
            )
        elif change == "extra" and isinstance(holder, dict):
            holder[draw(st.sampled_from(["S", "NULL", "extra"]))] = copy.deepcopy(draw(st.sampled_from(ODD_VALUES)))
        else:
            holder[key] = copy.deepcopy(draw(st.sampled_from(ODD_TEXTS if change == "text" else ODD_VALUES)))
    return item


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(entries):
        yield value, key
        yield from _places(inner)


# --- conditions, and items for them -----------------------------------------------------------------------

steps = st.sampled_from(["a", "b", "size", "a.b", "#n0", "AND"])
paths = st.lists(steps | st.integers(0, 2), min_size=0, max_size=2).flatmap(
    lambda rest: steps.map(lambda first: (first, *rest))
)
literals = st.sampled_from(
    [{"S": "a"}, {"S": "ab"}, {"S": "b"}, {"N": "1"}, {"N": "2"}, {"BOOL": True}, {"NULL": True}, {"SS": ["a", "b"]},
     {"L": [{"N": "1"}, {"S": "a"}]}, {"M": {"a": {"N": "1"}, "b": {"S": "a"}}}, {"M": {"b": {"S": "a"}, "a": {"N": "1"}}}]
)  # fmt: skip
operands = paths.map(Path) | st.builds(Literally, literals)
values_or_sizes = st.builds(Path, paths, st.booleans())
leaves: SearchStrategy[Condition] = (
    st.builds(Comparison, values_or_sizes, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), operands)
    | st.builds(Between, paths.map(Path), operands, operands)
    | st.builds(OneOf, paths.map(Path), st.lists(operands, min_size=1, max_size=3).map(tuple))
    | st.builds(Function, st.sampled_from(["attribute_exists", "attribute_not_exists"]), paths.map(Path))
    | st.builds(Function, st.sampled_from(["begins_with", "contains"]), paths.map(Path), operands)
    | st.builds(
        Function,
        st.just("attribute_type"),
        paths.map(Path),
        st.sampled_from(["S", "N", "L", "M"]).map(lambda tag: Literally({"S": tag})),
    )
)
conditions: SearchStrategy[Condition] = st.recursive(
    leaves,
    lambda inner: (
        st.builds(lambda one, other: one & other, inner, inner)
        | st.builds(lambda one, other: one | other, inner, inner)
        | st.builds(Negation, inner)
        | st.lists(inner, min_size=1, max_size=3).map(lambda parts: Every(tuple(parts)))
    ),
    max_leaves=8,
)
condition_values = st.recursive(
    literals,
    lambda inner: (
        st.dictionaries(steps, inner, max_size=3).map(lambda entries: {"M": entries})
        | st.lists(inner, max_size=3).map(lambda elements: {"L": elements})
    ),
    max_leaves=6,
)
condition_items = st.dictionaries(steps, condition_values, max_size=4)
