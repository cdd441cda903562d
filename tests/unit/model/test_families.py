"""Families are declared whole: each class has a type of its own, or is abstract; the message says what to write."""

# ruff: noqa: RUF009 - attr() and its siblings make fields, in an ordinary attrs class too
from __future__ import annotations

import gc
import weakref
from abc import ABC, abstractmethod
from typing import Any

import attrs
import pytest

from dynamorm_async import Attr, InvalidValue, attr, embedded, model, partition_key
from dynamorm_async.codec.families import family_of
from dynamorm_async.model.spec import spec_of
from tests.unit.model.refusals import refused


def test_embedded_is_written_with_and_without_a_call() -> None:
    """Bare, with empty parentheses and with a type, it makes the same attrs class; only the type makes a family."""

    @embedded
    class Bare:
        x: Attr[int]

    @embedded()
    class Called:
        x: Attr[int]

    @embedded(type="typed")
    class Typed:
        x: Attr[int]

    for cls in (Bare, Called, Typed):
        assert repr(cls(x=1)).endswith(f"{cls.__name__}(x=1)")
        assert repr(cls.x) == f"<Attr {cls.__name__}.x>"
        with pytest.raises(TypeError):
            cls(1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]  # the constructor is keyword-only
    assert [family_of(cls) is not None for cls in (Bare, Called, Typed)] == [False, False, True]


def test_local_types_are_known_with_and_without_a_call() -> None:
    """Annotations may name classes of the function that the family is declared in."""

    @embedded(type="leaf")
    class Leaf:
        label: Attr[str] = attr(default="")

    @embedded(type="branch")
    class Branch(Leaf):
        leaves: Attr[list[Leaf]] = attr(factory=list)
        twin: Attr[Branch | None] = attr(default=None)

    @model(table="trees")
    class Tree:
        pk: Attr[str] = partition_key()
        leaf: Attr[Leaf]

    tree = Tree(pk="a", leaf=Branch(leaves=[Leaf(), Branch()], twin=Branch(label="t")))
    codec = spec_of(Tree).codec
    assert codec.decode(codec.encode(tree)) == tree


@pytest.mark.parametrize("wrong", ["", 5, True, b"x", int])
def test_a_type_is_text(wrong: Any) -> None:
    """Anything else is refused."""
    with refused("Part", repr(wrong), "no text", '@embedded(type="part")'):

        @embedded(type=wrong)
        class Part:
            x: Attr[int]


def test_a_type_is_passed_by_name() -> None:
    """The mistake is easily made; without a checker it would decorate a text."""
    wrong: Any = "part"
    with refused("@embedded('part')", "@embedded(type='part')"):
        embedded(wrong)


def test_two_classes_of_one_type_are_refused() -> None:
    """Anywhere in a family, also far apart; in two families they are two."""

    @embedded(type="root")
    class Root:
        pass

    @embedded(type="a")
    class A(Root):
        pass

    @embedded(type="b")
    class B(A):
        pass

    for taken, base in (("b", Root), ("root", B), ("a", A)):
        with refused("Other", repr(taken), taken.title(), "of their own"):

            @embedded(type=taken)
            class Other(base):  # type: ignore[valid-type, misc]  # pyright: ignore[reportGeneralTypeIssues, reportUntypedBaseClass]  # one of several
                pass

    @embedded(type="root")
    class Elsewhere:
        pass

    assert family_of(Elsewhere) is not family_of(Root)
    assert family_of(B) is family_of(Root)


def test_a_class_that_was_refused_leaves_no_type_behind() -> None:
    """Declared again without the mistake, it is taken."""

    @embedded(type="root")
    class Root:
        pass

    with refused("Part.x", "default"):

        @embedded(type="part")
        class Part(Root):
            x: Attr[int] = attr(default="x")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  # the mistake

    @embedded(type="part")
    class Again(Root):
        x: Attr[int] = attr(default=1)

    family = family_of(Root)
    assert family is not None
    assert family.types_of(Root) == {"root": Root, "part": Again}


def test_a_subclass_needs_a_type() -> None:
    """Without one, an attribute of the base could not hold it."""

    @embedded(type="root")
    class Root:
        pass

    with refused("Part", "Root", '@embedded(type="part")'):

        @embedded
        class Part(Root):
            x: Attr[int]


def test_a_base_needs_a_type() -> None:
    """An attribute of an embedded class without one stores that class and no other."""

    @embedded
    class Named:
        name: Attr[str] = attr(default="")

    with refused("Part", "Named", '@embedded(type="named")', "@attrs.define(slots=False)", "mixin"):

        @embedded(type="part")
        class Part(Named):
            x: Attr[int]


def test_mixins_of_a_family() -> None:
    """An attrs class, an undecorated one without attributes, and an embedded one beside the family's base."""

    @attrs.define(slots=False)
    class Labelled:
        label: Attr[str] = attr(default="x")

    class Helper:
        def shout(self) -> str:
            return repr(self).upper()

    @embedded
    class Named:
        name: Attr[str] = attr(default="")

    @embedded(type="root")
    class Root(Labelled, Helper):
        pass

    @embedded(type="part")
    class Part(Root, Named):
        x: Attr[int] = attr(default=1)

    @model(table="things")
    class Thing:
        pk: Attr[str] = partition_key()
        root: Attr[Root]

    codec = spec_of(Thing).codec
    thing = Thing(pk="a", root=Part(x=2, name="n"))
    assert codec.decode(codec.encode(thing)) == thing
    assert (Thing.root / Part.name).segments == ("root", "name")
    assert (Thing.root / Root.label).segments == ("root", "label")


def test_two_families_do_not_mix() -> None:
    """A class has one type, in one family."""

    @embedded(type="one")
    class One:
        pass

    @embedded(type="two")
    class Two:
        pass

    with refused("Part", "One and Two", "two families"):

        @embedded(type="part")
        class Part(One, Two):
            pass


def test_abstract_classes_need_no_type() -> None:
    """With abstract methods, or ABC among its bases: a root or a class between; its subclasses need theirs."""

    @embedded
    class Root(ABC):
        @abstractmethod
        def area(self) -> int: ...

    @embedded
    class Between(Root):
        x: Attr[int] = attr(default=1)

    @embedded(type="part")
    class Part(Between):
        def area(self) -> int:
            return self.x

    family = family_of(Root)
    assert family is not None
    assert family.types_of(Root) == family.types_of(Between) == {"part": Part}
    with refused("Other", "Between", '@embedded(type="other")'):

        @embedded
        class Other(Between):
            def area(self) -> int:
                return 0

    with refused("Abstract", "no value has the type 'abstract'", "write @embedded"):

        @embedded(type="abstract")
        class Abstract(ABC):  # noqa: B024 - without abstract methods
            pass


def test_a_model_is_of_no_family() -> None:
    """It may have one of its classes as a mixin; it is stored as an item, without a type."""

    @embedded(type="root")
    class Root:
        name: Attr[str] = attr(default="")

    @model(table="things")
    class Thing(Root):
        pk: Attr[str] = partition_key()
        root: Attr[Root | None] = attr(default=None)

    codec = spec_of(Thing).codec
    assert family_of(Thing) is None
    assert codec.encode(Thing(pk="a", name="x")) == {"pk": {"S": "a"}, "name": {"S": "x"}}
    assert codec.decode(codec.encode(Thing(pk="a", root=Root()))).root == Root()


def test_families_are_no_global_state() -> None:
    """A family lives as long as its classes do."""

    def declare() -> weakref.ref[type[Any]]:
        @embedded(type="root")
        class Root:
            pass

        @embedded(type="part")
        class Part(Root):
            x: Attr[int]

        assert Root() != Part(x=1)
        return weakref.ref(Part)

    part = declare()
    gc.collect()
    assert part() is None


# --- declared again ---------------------------------------------------------------------------


def circle(base: type[Any], *, kind: str = "circle", default: int = 0) -> type[Any]:
    @embedded(type=kind)
    class Circle(base):  # type: ignore[misc]  # a class of a function
        radius: Attr[int] = attr(default=default)

    return Circle


def test_a_class_of_a_family_that_is_declared_again_takes_the_place_of_its_former_self() -> None:
    """As when a notebook's cell runs twice: what is read is of the new class, though the old one was read before."""

    @embedded(type="shape")
    class Shape:
        name: Attr[str] = attr(default="")

    @model(table="drawings")
    class Drawing:
        pk: Attr[str] = partition_key()
        shape: Attr[Shape]

    codec = spec_of(Drawing).codec
    former = circle(Shape, default=1)
    raw = codec.encode(Drawing(pk="a", shape=former()))
    assert type(codec.decode(raw).shape) is former
    again = circle(Shape, default=2)
    assert type(codec.decode(raw).shape) is again
    assert codec.encode(Drawing(pk="a", shape=again()))["shape"]["M"]["radius"] == {"N": "2"}
    with pytest.raises(
        InvalidValue, match=r"shape: Circle was declared again since this value was made: make the value anew"
    ):
        codec.encode(Drawing(pk="a", shape=former()))


def test_a_class_of_a_family_that_is_declared_again_may_have_another_type() -> None:
    """The old type is nobody's then, as in a family that never had it; a function's classes are told by their types."""

    @embedded(type="shape")
    class Shape:
        name: Attr[str] = attr(default="")

    family = family_of(Shape)
    assert family is not None
    made = [circle(Shape, kind=kind) for kind in ("circle", "ring")]
    assert family.types_of(Shape) == {"shape": Shape, "circle": made[0], "ring": made[1]}
    for kind in ("round", "disc"):

        class Circle(Shape):
            pass

        Circle.__qualname__ = "Circle"
        embedded(type=kind)(Circle)
    assert list(family.types_of(Shape)) == ["shape", "circle", "ring", "disc"]
