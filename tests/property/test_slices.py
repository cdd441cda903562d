"""Large pages: decoded in slices they are what they are at once, rows, positions, errors and all."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
from collections.abc import Callable, Sequence
from functools import partial
from itertools import cycle
from typing import Any, TypeAlias, TypeVar, cast

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async.codec.page import PageContent
from dynamorm_async.codec.rows import raw_page
from dynamorm_async.codec.slices import Slices, made_in_slices, page_in_slices
from dynamorm_async.codec.variant_reader import mixed_page
from dynamorm_async.errors import DecodeError
from tests.property.sizing import examples
from tests.property.strategies import Generated, mutated, stored_form, with_instances

T = TypeVar("T")
Decode: TypeAlias = Callable[[bytes], PageContent[Any]]

sizes = st.lists(st.integers(1, 2000), min_size=1, max_size=5)
booleans = st.booleans()
damages = st.sampled_from(["none", "none", "cut", "no text", "no items", "no count", "no key", "odd capacity"])


def driven(work: Slices[T], sizes: Sequence[int]) -> T:
    """What work comes to with slices of these sizes."""
    try:
        next(work)
        for size in cycle(sizes):
            work.send(size)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("a cycle has no end")


def outcome(page: Callable[[], PageContent[Any]]) -> Any:
    """All that a page tells, or the error that it raises, with all that this tells."""
    try:
        content = page()
    except DecodeError as error:
        return type(error), str(error), error.model, error.key, error.problems
    rows = [
        (row, cast("dict[str, Any]", vars(row)).get("_dynamorm_unknown") if hasattr(row, "__dict__") else None)
        for row in content.items
    ]
    keys = [content.key_at(index, ("pk", "sk")) for index in range(len(content.items))]
    return rows, keys, content.scanned_count, content.last_key, content.capacity


def decoders(codec: Any) -> dict[str, Decode]:
    """Every kind of decoder of pages, for one model."""

    def read(raw: msgspec.Raw) -> Any:
        item, source = codec.read(raw)
        return (None if len(raw) % 3 == 0 else item), (codec, source)

    def sifted(body: bytes) -> PageContent[Any]:
        page = raw_page(body, make=lambda raw: None if len(raw) % 2 else codec.decode(raw))
        return page.replaced(page.items, reports=())

    return {
        "compiled": codec.decode_page,
        "from keys": codec.partial(frozenset({"pk", "sk"}), frozenset({"sk"})).decode_page,
        "mixed": partial(mixed_page, read=read),
        "rows": partial(raw_page, make=codec.decode),
        "sifted": sifted,
    }


def damaged(answer: dict[str, Any], damage: str) -> bytes:
    """The body of an answer, whole or as no DynamoDB sends one."""
    changes: dict[str, dict[str, Any]] = {
        "no items": {"Items": {"a": 1}},
        "no count": {"ScannedCount": "x"},
        "no key": {"LastEvaluatedKey": {"pk": 3}},
        "odd capacity": {"ConsumedCapacity": [{"CapacityUnits": 0.5}]},
    }
    body = msgspec.json.encode(answer | changes.get(damage, {}))
    if damage == "cut":
        return body[: len(body) * 2 // 3]
    if damage == "no text":  # in the last place that there is, which a reader of whole answers comes to last
        head, tag, tail = body.rpartition(b'"S":"')
        return head + tag + b"\xff" + tail
    return body


@examples(12)
@given(made=with_instances(3), data=st.data())
def test_slices_are_the_whole(made: tuple[Generated, list[Any]], data: st.DataObject) -> None:
    """For any page, good or bad, any decoder and any sizes of slices: the same rows, positions, counts and errors."""
    generated, instances = made
    good = [stored_form(generated.codec.encode(instance)) for instance in instances]
    every = decoders(generated.codec)
    for _ in range(3):
        items: list[Any] = data.draw(st.lists(st.sampled_from(good), max_size=6))
        if data.draw(booleans) and items:
            items[-1] = data.draw(mutated(items[-1]))
        last = data.draw(st.sampled_from([{}, {"LastEvaluatedKey": {"pk": {"S": "p"}, "sk": {"B": "YQ=="}}}]))
        page = {"Items": items, "Count": len(items), "ScannedCount": len(items) + 1, **last}
        body, pieces = damaged(page, data.draw(damages)), data.draw(sizes)
        for name, decode in every.items():
            whole = outcome(partial(decode, body))
            sliced = outcome(lambda: driven(page_in_slices(body, decode), pieces))  # noqa: B023 - called at once
            assert sliced == whole, name


@given(st.lists(st.text(max_size=20)), sizes)
def test_slices_have_the_size_that_was_asked_for(texts: list[str], sizes: list[int]) -> None:
    """A slice has at most so many bytes, or one item; no item is left out, and none comes twice."""
    items = [msgspec.json.encode(text) for text in texts]
    taken: list[list[int]] = [[]]
    asked: list[int] = []

    def make(index: int) -> bytes:
        taken[-1].append(len(items[index]))
        return items[index]

    def asking() -> Slices[list[bytes]]:
        work = made_in_slices(make, [len(item) for item in items])
        next(work)
        while True:
            asked.append((yield))
            try:
                work.send(asked[-1])
            except StopIteration as done:
                return cast("list[bytes]", done.value)
            taken.append([])

    assert driven(asking(), sizes) == items
    assert all(len(slice_) == 1 or sum(slice_) <= size for slice_, size in zip(taken, asked, strict=False))
    assert all(  # none is smaller than it has to be
        sum(one) + other[0] > size for one, other, size in zip(taken, taken[1:], asked, strict=False) if one and other
    )
