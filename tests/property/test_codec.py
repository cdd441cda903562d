"""The codec on generated models: two paths that agree, on good items and on bad ones, and lose nothing."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false, reportUnknownMemberType=false, reportUnknownParameterType=false
# The two paths are compared apart, which no public function does.
# pyright: reportPrivateUsage=false
import copy
import decimal as decimal_module
import pickle
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import DecodeError, InvalidKey, InvalidValue
from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.item import ItemCodec
from dynamorm_async.codec.native import to_attribute_value
from dynamorm_async.codec.numbers import decimal_text, float_text, int_text, parse_decimal, parse_float, parse_number
from dynamorm_async.codec.scalars import dump_datetime, parse_datetime
from dynamorm_async.codec.sizes import item_size
from dynamorm_async.model.spec import spec_of
from tests.property import strategies
from tests.property.shelf import Shelf
from tests.property.sizing import examples
from tests.property.strategies import Generated, models, mutated, stored_form, with_instances


def answer(item: Any) -> bytes:
    return msgspec.json.encode({"Item": item})


def same_attributes(codec: ItemCodec[Any], one: Any, other: Any) -> bool:
    return all(same_value(one.get(m.wire), other.get(m.wire)) for m in codec.layout.members)


def compiled(codec: ItemCodec[Any], raw: Any) -> Any:
    """What the compiled path alone makes of a stored item."""
    return codec._lift(codec._get.decode(answer(raw)).Item)


def drawn_items(data: st.DataObject, generated: Generated, number: int) -> Iterator[dict[str, Any]]:
    """Stored items of a generated model, one after the other."""
    for _ in range(number):
        yield stored_form(generated.codec.encode(data.draw(generated.instances)))


def attempt(read: Callable[[Any], Any], argument: Any) -> tuple[Any, DecodeError | None]:
    """What a reader returns, or the DecodeError that it raises."""
    try:
        return read(argument), None
    except DecodeError as error:
        return None, error


@examples(60)
@given(with_instances(3))
def test_round_trip(made: tuple[Generated, list[Any]]) -> None:
    """Every value of every supported type reads back equal, through JSON, by the compiled and the general path."""
    generated, instances = made
    codec = generated.codec
    items = [codec.encode(instance) for instance in instances]
    for instance, item in zip(instances, items, strict=True):
        assert compiled(codec, item) == instance
        assert codec.decode_get(answer(item)) == instance
        assert codec.decode_written(msgspec.json.encode({"Attributes": item})) == instance
        assert codec.decode(stored_form(item)) == instance
    page = codec.decode_page(msgspec.json.encode({"Items": items, "ScannedCount": 5, "LastEvaluatedKey": items[-1]}))
    assert page.items == instances
    assert (page.scanned_count, page.last_key) == (5, items[-1])


@examples(60)
@given(with_instances(3))
def test_both_paths_encode_alike(made: tuple[Generated, list[Any]]) -> None:
    """The compiled encode gives the same AttributeValues as cattrs alone."""
    generated, instances = made
    codec = generated.codec
    for instance in instances:
        item, by_cattrs = codec.encode(instance), codec._builder.generic.encode(codec.layout, instance)
        assert item.keys() == by_cattrs.keys()
        assert same_attributes(codec, item, by_cattrs)
        for member in codec.layout.members:
            assert codec.encode_member(member, getattr(instance, member.name)) == item.get(member.wire)


@examples(100)
@given(st.data())
def test_both_paths_read_alike(data: st.DataObject) -> None:
    """On any stored item, good or bad, what the compiled path accepts is what the general path reads; nothing crashes."""
    generated = data.draw(models(unknown=data.draw(st.sampled_from(["ignore", "keep", "forbid"]))))
    codec = generated.codec
    for item in drawn_items(data, generated, 2):
        for raw in (data.draw(mutated(item)), data.draw(mutated(item))):
            expected, refusal = attempt(codec.decode, raw)
            found, fallback = attempt(codec.decode_get, answer(raw))
            assert str(fallback) == str(refusal)
            assert found == expected
            if refusal is not None:
                with pytest.raises((msgspec.ValidationError, ValueError, DecodeError)):
                    compiled(codec, raw)
            else:
                assert vars(found).get("_dynamorm_unknown") == vars(expected).get("_dynamorm_unknown")


@examples(60)
@given(st.data())
def test_every_wrong_attribute_is_listed(data: st.DataObject) -> None:
    """DecodeError lists each attribute that does not fit, and no other, with the item's key."""
    generated = data.draw(models())
    codec = generated.codec
    names = st.sets(st.sampled_from([m.wire for m in codec.layout.members if m.name not in ("pk", "sk")]))
    for raw in drawn_items(data, generated, 3):
        wrong = data.draw(names)
        key = {m.wire: next(iter(raw[m.wire].values())) for m in codec._key}
        bad = {**raw, **{name: {"X": "no type tag of DynamoDB"} for name in wrong}}
        if not wrong:
            assert codec.decode(bad) is not None
            continue
        with pytest.raises(DecodeError) as caught:
            codec.decode_get(answer(bad))
        assert {problem.path for problem in caught.value.problems} == wrong
        assert (caught.value.key, caught.value.model) == (key, "Thing")


@examples(60)
@given(with_instances(3))
def test_what_was_read_is_remembered(made: tuple[Generated, list[Any]]) -> None:
    """``stored`` is the item as it is in the table, also after a copy or a pickle, so that save() changes nothing."""
    generated, instances = made
    codec = generated.codec
    for instance in instances:
        assert codec.stored(instance) is None
        item = codec.encode(instance)
        read: Any = codec.decode_get(answer(item))
        for known in (read, codec.decode(stored_form(item)), copy.copy(read), copy.deepcopy(read)):
            stored = codec.stored(known)
            assert stored is not None
            assert all(same_value(stored.get(name), value) for name, value in item.items())
            assert same_attributes(codec, stored, codec.encode(known))


@examples(80)
@given(st.data())
def test_an_untouched_instance_has_no_change(data: st.DataObject) -> None:
    """Whatever foreign form an item was stored in, an instance as it was read encodes to what ``stored`` says."""
    generated = data.draw(models())
    codec = generated.codec
    for item in drawn_items(data, generated, 2):
        for raw in (data.draw(mutated(item)), data.draw(mutated(item))):
            readers: list[tuple[Callable[[Any], Any], Any]] = [(codec.decode, raw), (codec.decode_get, answer(raw))]
            for read, argument in readers:
                try:
                    instance: Any = read(argument)
                    now = codec.encode(instance)
                except (DecodeError, InvalidValue, InvalidKey):  # it does not fit, or is no item of DynamoDB's
                    continue
                assert same_attributes(codec, codec.stored(instance), now)


def test_a_change_inside_a_set_list_or_map_is_seen() -> None:
    """What is remembered is not what the instance holds: a change in place differs from it."""
    codec = spec_of(Shelf).codec
    shelf = Shelf(shelf_id="s1", words={"a"}, numbers=[1], entries={"x": {"y"}}, anything=[{"z": [1]}], maybe={"q"})
    shelf = pickle.loads(pickle.dumps(codec.decode_get(answer(codec.encode(shelf)))))  # noqa: S301 - our own bytes
    for read in (shelf, codec.decode_get(answer(codec.encode(shelf)))):
        assert read is not None
        read.words.add("b")
        read.numbers.append(2)
        read.entries["x"].add("w")
        read.anything[0]["z"].append(2)
        assert read.maybe is not None
        read.maybe.add("r")
        stored, now = codec.stored(read) or {}, codec.encode(read)
        changed = {name for name in now if not same_value(stored.get(name), now[name])}
        assert changed == {"words", "numbers", "entries", "anything", "maybe"}


@given(strategies.integers, strategies.decimals(), strategies.floats)
def test_numbers_are_exact(integer: int, decimal: Decimal, real: float) -> None:
    """int and Decimal of 38 digits survive exactly, whatever the caller's decimal context; floats by shortest text."""
    with decimal_module.localcontext(decimal_module.Context(prec=3, traps=[decimal_module.Inexact])):
        assert parse_number(int_text(integer)) == integer
        text = decimal_text(decimal)
        assert parse_decimal(text).compare_total(decimal) == 0 or parse_decimal(text) == decimal
        assert parse_float(float_text(real)) == real
        assert len(Decimal(text).as_tuple().digits) <= 38


@given(
    st.integers(10**38, 10**60).filter(lambda number: len(str(number).rstrip("0")) > 38)
    | st.builds(lambda e: Decimal(f"1E{e}"), st.integers(126, 10**6) | st.integers(-(10**6), -131))
    | st.builds(lambda digits: Decimal(f"{digits}E-20"), st.integers(10**38 + 1, 10**40).filter(lambda n: n % 10))
    | st.sampled_from(
        [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), float("nan"), float("-inf"), 1e126, 1e-131]
    )
)
def test_other_numbers_are_refused(number: Any) -> None:
    """What DynamoDB cannot hold exactly never leaves: InvalidValue, before sending."""
    with pytest.raises(InvalidValue):
        to_attribute_value(number)


@given(strategies.datetimes, strategies.datetimes)
def test_datetime_text_order_is_time_order(one: datetime, other: datetime) -> None:
    """Stored datetimes sort as text the way they sort as instants; any offset reads back as that instant in UTC."""
    first, second = dump_datetime(one), dump_datetime(other)
    assert (first < second, first == second) == (one < other, one == other)
    for text in (first, one.isoformat()):
        read = parse_datetime(text)
        assert (read, read.tzinfo) == (one, UTC)


def counted(value: Any) -> int:
    """The size of an AttributeValue by the developer guide's rules, written out once more."""
    ((tag, content),) = value.items()
    if tag == "N":
        whole, _, fraction = f"{Decimal(content):f}".lstrip("-").partition(".")
        padded = "0" * (len(whole) % 2) + whole + fraction + "0" * (len(fraction) % 2)
        pairs = [padded[i : i + 2] != "00" for i in range(0, len(padded), 2)]
        used = len(pairs) - pairs.index(True) - pairs[::-1].index(True) if any(pairs) else 0
        return used + 1 + (content.startswith("-") and used > 0)
    if tag in ("BOOL", "NULL"):
        return 1
    if tag in ("SS", "NS", "BS"):
        return sum(counted({tag[0]: element}) for element in content)
    if tag == "L":
        return 3 + sum(1 + counted(element) for element in content)
    if tag == "M":
        return 3 + sum(1 + len(name.encode()) + counted(element) for name, element in content.items())
    return len(content.encode() if tag == "S" else content)


@given(st.dictionaries(strategies.texts, strategies.plain_values, max_size=4))
def test_sizes(plain: dict[str, Any]) -> None:
    """The item's size is what an independent count says, and never above that of its JSON."""
    item = {name: to_attribute_value(value) for name, value in plain.items()}
    assert item_size(item) == sum(len(name.encode()) + counted(value) for name, value in item.items())
    assert item_size(item) <= len(msgspec.json.encode(item))


@given(strategies.plain_values)
def test_same_value_knows_other_spellings(plain: Any) -> None:
    """A value is the same after its sets are turned round and its numbers written otherwise; another value is not."""
    value = to_attribute_value(plain)
    assert same_value(value, respelled(value))
    assert not same_value(value, {"S": "some other text, longer than any that is drawn"})
    assert not same_value(value, None)


def respelled(value: Any) -> Any:
    """The same value, its sets and maps turned round and its numbers written otherwise."""
    ((tag, content),) = value.items()
    if tag == "N":
        return {tag: f"{Decimal(content):E}"}
    if tag in ("NS", "SS", "BS"):
        return {tag: [f"{Decimal(element):E}" if tag == "NS" else element for element in reversed(content)]}
    if tag == "L":
        return {tag: [respelled(element) for element in content]}
    if tag == "M":
        return {tag: {name: respelled(element) for name, element in reversed(content.items())}}
    return value
