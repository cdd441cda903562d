"""Generated source: nothing of a name, a default or a value becomes code."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
import builtins
from typing import Any

import attrs
import msgspec
import pytest

from dynamorm_async import Attr, InvalidKey, InvalidValue, attr, embedded, model, partition_key
from dynamorm_async.codec.names import Names
from dynamorm_async.model.spec import spec_of

HOSTILE = (
    "'",
    '"',
    "\\",
    "\n",
    "{x}",
    "'}; raise SystemExit #",
    "\x00",
    "\x1f\x7f",
    "é\u2028",
    "S",
    "a b",
    "#n0",
    '"""',
    "\\N{BULLET}",
)


def round_trip(instance: Any) -> Any:
    codec = spec_of(type(instance)).codec
    item = codec.encode(instance)
    page = codec.decode_page(msgspec.json.encode({"Items": [item]}))
    assert page.items == [codec.decode(msgspec.json.decode(msgspec.json.encode(item)))]
    return page.items[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_stored_names(name: str) -> None:
    """Any text is a stored name: of an attribute, of a key, of an attribute of a nested class."""

    @embedded
    class Inner:
        value: Attr[str] = attr(name=name)

    @model(table="things")
    class Thing:
        thing_id: Attr[str] = partition_key(name=f"{name}k")
        plain: Attr[int] = attr(default=1, name=name)
        inner: Attr[Inner | None] = attr(default=None, name=f"{name}i")
        inners: Attr[list[Inner]] = attr(factory=list)

    thing = Thing(thing_id=name, plain=7, inner=Inner(value=name), inners=[Inner(value="x")])
    assert round_trip(thing) == thing
    codec = spec_of(Thing).codec
    assert codec.encode_key("k") == {f"{name}k": {"S": "k"}}
    assert codec.encode(thing)[name] == {"N": "7"}
    assert codec.encode_member(spec_of(Thing).attributes["plain"], 5) == {"N": "5"}


@pytest.mark.parametrize("name", ["µ", "class", "a b", "x = 1", "__import__", "\uff45val"])
def test_hostile_class_names(name: str) -> None:
    """A class's name is a label in the source at most."""
    nested: Any = attrs.make_class(name, {"value": attrs.field(type=int)})
    plain = type(
        name,
        (),
        {"__annotations__": {"key": Attr[str], "inner": Attr[nested]}, "key": partition_key(), "inner": attr()},
    )
    thing: Any = model(table="things")(plain)
    assert round_trip(thing(key="k", inner=nested(5))).inner.value == 5


@pytest.mark.parametrize("name", ["o", "s", "v", "k", "item", "e1", "UNSET_0", "new_0", "lift", "encode", "object"])
def test_attribute_names_that_the_source_uses(name: str) -> None:
    """An attribute may be called like anything in the generated source."""
    fields = {"key": partition_key(), name: attr(default=None), "also": attr(factory=list)}
    annotations = {"key": Attr[str], name: Attr[int | None], "also": Attr[list[int]]}
    thing: Any = model(table="things")(type("Thing", (), {"__annotations__": annotations, **fields}))
    assert getattr(round_trip(thing(key="k", **{name: 5}, also=[1])), name) == 5


@pytest.mark.parametrize("given", HOSTILE)
def test_hostile_defaults(given: str) -> None:
    """A default is a literal in the source, or a bound name."""

    @model(table="things")
    class Thing:
        thing_id: Attr[str] = partition_key()
        text: Attr[str] = attr(default=given)
        data: Attr[bytes] = attr(default=given.encode())

    codec = spec_of(Thing).codec
    found = codec.decode_get(b'{"Item":{"thing_id":{"S":"x"}}}')
    assert found == Thing(thing_id="x", text=given, data=given.encode())


class Loud:
    """Its name and repr try to be code."""

    __name__ = "x); raise SystemExit("

    def __repr__(self) -> str:
        return "raise SystemExit"


def test_bound_objects_are_names() -> None:
    """An object in generated source is an ASCII identifier, one for each object; no builtin can be reached."""
    names, loud = Names(), Loud()
    first = names.bind(loud)
    assert first.isidentifier()
    assert names.bind(loud) == first != names.bind(Loud())
    assert names.bind(type("ﬁ", (), {})).isascii()
    assert names.function("same", f"def same():\n    return {first}\n")() is loud
    with pytest.raises(NameError):
        names.function("reach", "def reach():\n    return open\n")()
    assert not {name for name in names.namespace if name in vars(builtins)}


def test_defaults_that_take_the_instance() -> None:
    """A factory that takes the instance sees its other attributes, on both paths; unstored attributes are set too."""

    @model(table="things")
    class Thing:
        thing_id: Attr[str] = partition_key()
        label: Attr[str] = attrs.field(default=attrs.Factory(lambda self: f"<{self.thing_id}>", takes_self=True))  # pyright: ignore[reportAssignmentType]  # attr() has no takes_self
        cache: list[int] = attrs.field(init=False, factory=list)
        size: int = attrs.field(init=False, default=attrs.Factory(lambda self: len(self.thing_id), takes_self=True))

    codec = spec_of(Thing).codec
    for thing in (codec.decode_get(b'{"Item":{"thing_id":{"S":"abc"}}}'), codec.decode({"thing_id": {"S": "abc"}})):
        assert thing is not None
        assert (thing.label, thing.cache, thing.size) == ("<abc>", [], 3)


def test_sets_are_written_in_one_order() -> None:
    """The same set is the same bytes, so that a request sent again is the same request; nothing but a set is one."""

    @model(table="things")
    class Thing:
        thing_id: Attr[str] = partition_key()
        texts: Attr[set[str]] = attr(factory=set)
        numbers: Attr[frozenset[int]] = attr(factory=frozenset)

    encode = spec_of(Thing).codec.encode
    thing = Thing(thing_id="a", texts={"b", "a", "c"}, numbers=frozenset({10, 9}))
    assert encode(thing) == {"thing_id": {"S": "a"}, "texts": {"SS": ["a", "b", "c"]}, "numbers": {"NS": ["10", "9"]}}
    thing.texts, thing.numbers = frozenset("ba"), {2, 1}  # type: ignore[assignment]  # either class is taken
    assert encode(thing) == {"thing_id": {"S": "a"}, "texts": {"SS": ["a", "b"]}, "numbers": {"NS": ["1", "2"]}}
    for wrong, why in ((["a"], "expected set"), ({1}, "expected str")):
        thing.texts = wrong  # type: ignore[assignment]  # what is refused
        with pytest.raises(InvalidValue, match=f"Thing.texts.*{why}"):
            encode(thing)


@pytest.mark.parametrize("size", [1, 2048])
def test_keys_of_every_allowed_length_are_written(size: int) -> None:
    """A key of ASCII text is checked without a call, any other by its bytes; both by the same bounds."""

    @model(table="things")
    class Thing:
        thing_id: Attr[str] = partition_key()

    class Text(str):
        """Written as the text that it is."""

        __slots__ = ()

    encode = spec_of(Thing).codec.encode
    for text in ("k" * size, Text("k" * size), ("é" * size)[: max(1, size // 2)]):
        assert encode(Thing(thing_id=text)) == {"thing_id": {"S": text}}
    for text, why in (
        ("", "is empty"),
        ("k" * 2049, "2049 bytes"),
        ("é" * 1025, "2050 bytes"),
        ("\ud800", "surrogate"),
    ):
        with pytest.raises(InvalidKey, match=why):
            encode(Thing(thing_id=text))
