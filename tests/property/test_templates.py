"""Key templates on generated templates and values: nothing is lost, keys never collide, and stand in the order of their values."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any
from uuid import UUID

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.layout import Member
from dynamorm_async.codec.runs import Run, meet
from dynamorm_async.codec.template import Template, overlap
from dynamorm_async.types import AttributeValue
from tests.property.sizing import examples
from tests.property.strategies import datetimes, decimals, floats, integers, texts
from tests.unit.codec.key_models import LAYOUT, Cents, Level, Status, template

NASTY = st.text('#$%{}ab \0\x1f!"&~é\ud7ff\ue000\U0001f600', max_size=4)
FEW = st.sampled_from(
    ["", "a", "b", "#", "a#", "#a", "a#b", "$", "$23", "a$", "a ", "A", "1", "01", "\n", "a\x1f", "\0"]
)
WORDS = FEW | NASTY | texts | st.text(max_size=6)
LITERALS = ("#", "#A", "# ", "##", "#%s{{", "#é", "#}}#")
STARTS = ("", "A#", "B", "ORDER#", " ", "%d", "{{#", "1", "a$23")
SMALL = st.integers(0, 20) | st.integers(0, 9999)


def cents(bound: int) -> SearchStrategy[Decimal]:
    return st.integers(-bound, bound).map(lambda count: Decimal(count).scaleb(-2))


@attrs.frozen
class Slot:
    """A component, and values that it can write.

    Attributes:
        name: the attribute.
        form: the format.
        values: Python values; in an order of their own, and equal only to themselves.
    """

    name: str
    form: str
    values: SearchStrategy[Any]

    @property
    def placeholder(self) -> str:
        return f"{{{self.name}:{self.form}}}" if self.form else f"{{{self.name}}}"

    @property
    def member(self) -> Member:
        found = LAYOUT.member(self.name)
        assert found is not None
        return found

    @property
    def wire(self) -> str:
        return self.member.wire

    def encode(self, value: Any) -> AttributeValue:
        return self.member.shape.encode(value)


MOMENTS = datetimes | st.sampled_from([datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 1, tzinfo=UTC)])
DAYS = st.dates() | st.sampled_from([date(2026, 1, 1), date(2026, 1, 2)])
ORDERED = [
    Slot("customer", "", WORDS),
    Slot("nick", "", WORDS),
    Slot("seq", "04", SMALL),
    Slot("seq", "+04d", st.integers(-9999, 9999) | st.integers(-3, 3)),
    Slot("seq", "038", st.integers(0, 10**38 - 1)),
    Slot("cents", "02", st.integers(0, 99).map(Cents)),
    Slot("price", "07.2f", cents(9999_99).map(abs)),
    Slot("price", "+07.2f", cents(9999_99) | cents(3)),
    Slot("took", "+010.3f", st.integers(-(10**9) + 1, 10**9 - 1).map(lambda n: timedelta(milliseconds=n))),
    Slot("weight", "+06.2f", st.integers(-4 * 999, 4 * 999).map(lambda n: n / 4)),
    Slot("placed", "", MOMENTS),
    Slot("placed", "%Y%m%d%H%M%S%f", MOMENTS),
    Slot("placed", "%Y/%m/%d at %H.%M.%S.%f!", MOMENTS),
    Slot("day", "", DAYS),
    Slot("day", "%Y%m%d", DAYS),
    Slot("ident", "", st.uuids() | st.integers(0, 3).map(lambda n: UUID(int=n))),
    Slot("paid", "", st.booleans()),
    Slot("digest", "hex", st.binary(max_size=3)),
    Slot("expires", "012", st.integers(0, 10**10).map(lambda n: datetime.fromtimestamp(n, UTC))),
]
UNORDERED = [
    Slot("customer", "raw", WORDS.filter(lambda word: "#" not in word)),
    Slot("seq", "", integers | SMALL),
    Slot("price", "", decimals() | cents(3)),
    Slot("weight", "", floats),
    Slot("took", "", st.timedeltas()),
    Slot("placed", "%f%S%M%H%d%m%Y", MOMENTS),
    Slot("day", "%d.%m.%Y", DAYS),
    Slot("status", "", st.sampled_from(Status)),
    Slot("level", "", st.sampled_from(Level)),
    Slot("size", "", st.sampled_from(["s", "m", "x#l"])),
    Slot("expires", "", st.integers(-(10**9), 10**10).map(lambda n: datetime.fromtimestamp(n, UTC))),
]
LOSSY = [
    Slot("customer", "lower", WORDS | st.text("ΑΣßİŉ", max_size=3)),
    Slot("customer", "upper", WORDS | st.text("ΑΣßİŉ", max_size=3)),
    Slot("placed", "%Y-%m-%d", MOMENTS),
    Slot("placed", "%Y", MOMENTS),
    Slot("placed", "%d %m", MOMENTS),
    Slot("placed", "%S-%f", MOMENTS),
    Slot("day", "%Y-%m", DAYS),
    Slot("day", "%m%d", DAYS),
]
LOSSLESS = ORDERED + UNORDERED


@attrs.frozen
class Made:
    """A template with its components."""

    template: Template
    slots: tuple[Slot, ...]

    @property
    def values(self) -> SearchStrategy[tuple[Any, ...]]:
        """What an item can have in the components' places."""
        return st.tuples(*(slot.values for slot in self.slots))

    def item(self, values: Sequence[Any]) -> dict[str, AttributeValue]:
        return {slot.wire: slot.encode(value) for slot, value in zip(self.slots, values, strict=True)}

    def key(self, values: Sequence[Any]) -> str:
        key = self.template.render(self.item(values))
        assert key is not None
        return str(key["S"])


@st.composite
def templates(draw: st.DrawFn, pool: Sequence[Slot]) -> Made:
    """A template of one to four attributes, with separators where they are needed and any literal where they are not."""
    slots = draw(st.lists(st.sampled_from(pool), min_size=1, max_size=4, unique_by=lambda slot: slot.name))
    text = draw(st.sampled_from(STARTS))
    for position, slot in enumerate(slots):
        text += slot.placeholder
        fixed = template(slot.placeholder).components[0].width is not None
        last = position == len(slots) - 1
        after = [*LITERALS, ""] if last else LITERALS
        text += draw(st.sampled_from([*after, "", "x", "%"] if fixed else after))
    return Made(template(text), tuple(slots))


def same_item(one: Mapping[str, AttributeValue] | None, other: Mapping[str, AttributeValue]) -> bool:
    return one is not None and one.keys() == other.keys() and all(same_value(one[name], other[name]) for name in one)


@examples(300)
@given(st.data())
def test_round_trip(data: st.DataObject) -> None:
    """Of any lossless template, the key of any values reads back as just these values."""
    made = data.draw(templates(LOSSLESS))
    item = made.item(data.draw(made.values))
    key = made.template.render(item)
    assert key is not None
    assert same_item(made.template.parse(key), item)


@examples(200)
@given(st.data())
def test_what_is_lost_is_left_out(data: st.DataObject) -> None:
    """Of any template, a key matches, and what is read back is the item's own."""
    made = data.draw(templates(LOSSLESS + LOSSY))
    item = made.item(data.draw(made.values))
    key = made.template.render(item)
    assert key is not None
    kept = {part.member.wire: item[part.member.wire] for part in made.template.components if part.lossless}
    assert same_item(made.template.parse(key), kept)


@examples(300)
@given(st.data())
def test_only_its_own_keys_are_parsed(data: st.DataObject) -> None:
    """What a lossless template parses, however the key came about, it renders as the same key again."""
    made = data.draw(templates(LOSSLESS))
    key = made.key(data.draw(made.values))
    cut = data.draw(st.integers(0, len(key)))
    piece = data.draw(st.sampled_from(["", "#", "$", "$2", "$23", "0", "a", "-", ".", "E", " ", "é"]) | WORDS)
    changed = key[:cut] + piece + key[cut + data.draw(st.integers(0, 3)) :]
    found = made.template.parse({"S": changed})
    assert (found is not None) == made.template.matches({"S": changed})
    if found is not None:
        assert made.template.render(found) == {"S": changed}


@examples(400)
@given(st.data())
def test_keys_stand_in_the_order_of_their_values(data: st.DataObject) -> None:
    """Of ordered components, as many as there are, keys in the order of DynamoDB are in the order of the values."""
    made = data.draw(templates(ORDERED))
    values, more = data.draw(made.values), data.draw(made.values)
    shared = data.draw(st.integers(0, len(values)))  # else the first component nearly always decides
    others = (*values[:shared], *more[shared:])
    one, other = made.key(values).encode(), made.key(others).encode()
    assert (one < other, one == other) == (values < others, values == others)


@examples(300)
@given(
    st.data(), st.sampled_from([slot for slot in ORDERED + LOSSY if template(slot.placeholder).components[0].ordered])
)
def test_an_ordered_component_is_ordered_before_anything(data: st.DataObject, slot: Slot) -> None:
    """Text that keeps less than the value does not go against its order; nor does what stands after it change that."""
    one, other = sorted(data.draw(st.tuples(slot.values, slot.values)))
    (part,) = template(slot.placeholder).components
    first, second = part.render(slot.encode(one)), part.render(slot.encode(other))
    assert first.encode() <= second.encode()
    after, behind = data.draw(st.tuples(WORDS, WORDS))
    if first != second:
        assert f"{first}#{after}".encode() < f"{second}#{behind}".encode()


@examples(300)
@given(st.data())
def test_other_values_are_another_key(data: st.DataObject) -> None:
    """Two items of a lossless template that differ in a component never have one key."""
    made = data.draw(templates(LOSSLESS))
    one, other = made.item(data.draw(made.values)), made.item(data.draw(made.values))
    same_key = made.template.render(one) == made.template.render(other)
    assert same_key == same_item(one, other)


@examples(500)
@given(st.data())
def test_overlap_is_never_wrongly_denied(data: st.DataObject) -> None:
    """Where overlap() says no, no key of one template is a key of the other, however alike they are."""
    pool = LOSSLESS + LOSSY
    one = data.draw(templates(pool))
    other = data.draw(templates(pool) | st.just(one))
    keys = [{"S": one.key(data.draw(one.values))} for _ in range(3)]
    others = [{"S": other.key(data.draw(other.values))} for _ in range(3)]
    met = overlap(one.template, other.template)
    assert met == overlap(other.template, one.template)
    if not met:
        assert not any(key == beside for key, beside in product(keys, others))
        assert not any(map(other.template.matches, keys))
        assert not any(map(one.template.matches, others))


@examples(300)
@given(st.data())
def test_overlap_of_a_beginning_is_never_wrongly_denied(data: st.DataObject) -> None:
    """Where overlap() says no of a template's first parts, no key of the other begins as they are rendered."""
    pool = LOSSLESS + LOSSY
    made, other = data.draw(templates(pool)), data.draw(templates(pool))
    known = data.draw(st.integers(0, len(made.template.parts)))
    assert overlap(made.template, made.template, known=known)
    if not overlap(made.template, other.template, known=known):
        begun = msgspec.structs.replace(made.template, parts=made.template.parts[:known]).render(
            made.item(data.draw(made.values))
        )
        assert begun is not None
        assert not other.key(data.draw(other.values)).startswith(begun["S"])


@examples(300)
@given(st.data())
def test_a_prefix_finds_its_items_and_no_other(data: st.DataObject) -> None:
    """The keys that begin with a prefix are those of the items with its leading values."""
    made = data.draw(templates(LOSSLESS))
    values, more = data.draw(made.values), data.draw(made.values)
    known = data.draw(st.integers(0, len(values) - 1))
    item, other = made.item(values), made.item(more)
    prefix = made.template.prefix(made.item(values) | {slot.wire: {"NULL": True} for slot in made.slots[known:]})
    assert prefix == made.template.prefix({slot.wire: item[slot.wire] for slot in made.slots[:known]})
    assert made.key(values).startswith(prefix)
    leading = [slot.wire for slot in made.slots[:known]]
    same = all(same_value(item[name], other[name]) for name in leading)
    assert made.key(more).startswith(prefix) == same


@examples(200)
@given(MOMENTS, datetimes.map(lambda moment: moment.tzinfo), st.sampled_from(["%Y-%m-%d", "%H", "", "%d %H:%M"]))
def test_other_spellings_of_a_moment_are_the_same_key(moment: datetime, zone: Any, form: str) -> None:
    """A datetime that another program stored with its own offset has the key that this library makes."""
    slot = Slot("placed", form, MOMENTS)
    made = template(slot.placeholder)
    spelled = moment.astimezone(zone).isoformat()
    assert made.render({"placed": {"S": spelled}}) == made.render({"placed": slot.encode(moment)})


runs = st.lists(
    st.builds(
        Run, st.sets(st.sampled_from("abc"), min_size=1).map(frozenset), st.booleans(), st.sampled_from([None, None, 0, 1])
    ).filter(lambda run: not (run.others and len(run.chars) > 2)),
    max_size=3,
)  # fmt: skip


@examples(200)
@given(runs, runs)
def test_runs_meet_where_some_text_is_of_both(one: list[Run], other: list[Run]) -> None:
    """What meet() says is what trying every text says: the shortest that both have has no more characters than runs."""
    patterns = [re.compile("".join(run.pattern for run in each)) for each in (one, other)]
    tried = ("".join(chars) for length in range(7) for chars in product("abcd", repeat=length))
    assert meet(one, other) == any(all(pattern.fullmatch(text) for pattern in patterns) for text in tried)


@pytest.mark.parametrize("slot", LOSSLESS + LOSSY, ids=lambda slot: slot.placeholder)
def test_the_pools_are_what_they_say(slot: Slot) -> None:
    """Each component of the pools above is as lossless and as ordered as its pool."""
    (part,) = template(slot.placeholder).components
    assert part.lossless == (slot not in LOSSY)
    assert part.ordered or slot not in ORDERED
