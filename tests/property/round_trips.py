"""How many values are lost on their way to DynamoDB's form and back: as fast as the codec, for very many of them."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false
import base64
import decimal
from decimal import Decimal
from random import Random
from typing import Any

import attrs
import msgspec

from dynamorm_async import Attr, attr, model, partition_key
from dynamorm_async.model.spec import spec_of
from tests.differential.plain import read_raw, same, stored

_LETTERS = ("a", "Z", "\u00e9", "e\u0301", "\uffff", "\U00010000", "\U0001f600", "\x00", '"', "\\", "\u2028", " ")


@model(table="kept", unknown="keep")
class Kept:
    """Values with a type and without."""

    pk: Attr[str] = partition_key()
    text: Attr[str] = attr(default="x")
    whole: Attr[int] = attr(default=0)
    exact: Attr[Decimal] = attr(default=Decimal(0))
    real: Attr[float] = attr(default=0.0)
    flag: Attr[bool] = attr(default=False)
    binary: Attr[bytes] = attr(default=b"x")
    words: Attr[set[str]] = attr(factory=set)
    numbers: Attr[set[int]] = attr(factory=set)
    items: Attr[list[Decimal]] = attr(factory=list)
    table: Attr[dict[str, int]] = attr(factory=dict)
    other: Attr[Any] = attr(default=None)


class Values:
    """Values drawn from a seed.

    Args:
        seed: the same one gives the same values.
        empties: whether empty texts and bytes are among them.
    """

    def __init__(self, seed: int, *, empties: bool = True) -> None:
        self.random = Random(seed)  # noqa: S311 - the same values again
        self._shortest = 0 if empties else 1
        self.count = 0

    def text(self) -> str:
        self.count += 1
        return "".join(self.random.choices(_LETTERS, k=self.random.randrange(self._shortest, 9)))

    def binary(self) -> bytes:
        self.count += 1
        return self.random.randbytes(self.random.randrange(self._shortest, 9))

    def whole(self) -> int:
        self.count += 1
        digits = self.random.choice((1, 3, 17, 37, 38))
        number = self.random.randrange(10**digits) * 10 ** self.random.choice((0, 0, 0, 5, 80))
        return number if self.random.random() < 0.5 else -number

    def exact(self) -> Decimal:
        self.count += 1
        digits = self.random.randrange(10 ** self.random.choice((1, 5, 38)))
        exponent = self.random.randrange(-130, 126) - len(str(digits)) + 1
        return Decimal((self.random.randrange(2), tuple(map(int, str(digits))), exponent if digits else 0))

    def real(self) -> float:
        self.count += 1
        return self.random.choice((0.1, -0.0, 1e22, 5e125, 1e-130, self.random.random(), self.random.gauss(0, 1e9)))

    def anything(self, depth: int = 0) -> Any:
        """A value of which no type is declared, in the form that it is read back in."""
        if depth < 5 and self.random.random() < 0.4:
            some = range(self.random.randrange(4))
            if self.random.random() < 0.5:
                return [self.anything(depth + 1) for _ in some]
            return {self.text(): self.anything(depth + 1) for _ in some}
        self.count += 1
        draws = (
            self.text,
            self.binary,
            self.whole,
            lambda: Decimal(f"{self.whole() % 10**20}.5"),
            lambda: self.random.random() < 0.5,
            lambda: frozenset(self.whole() for _ in range(3)),
            lambda: frozenset({self.text(), "x"}),
            lambda: frozenset({self.binary(), b"x"}),
            lambda: None if depth else 1,
        )
        return self.random.choice(draws)()

    def item(self, key: str) -> Kept:
        return Kept(
            pk=key,
            text=self.text(),
            whole=self.whole(),
            exact=self.exact(),
            real=self.real(),
            flag=self.random.random() < 0.5,
            binary=self.binary(),
            words={self.text() for _ in range(self.random.randrange(3))},
            numbers={self.whole() for _ in range(self.random.randrange(3))},
            items=[self.exact() for _ in range(self.random.randrange(3))],
            table={self.text(): self.whole() for _ in range(self.random.randrange(3))},
            other=self.anything(),
        )


@attrs.frozen
class RoundTrips:
    """What a run came to."""

    values: int
    losses: int


def round_trips(values: int, *, seed: int) -> RoundTrips:
    """Send at least so many values through the codec, with attributes that the model does not know beside them.

    Every item is encoded, read back from an answer's bytes, encoded again and read again, while the caller's decimal
    context is of 5 digits and would trap.

    Args:
        values: how many at least.
        seed: what they are drawn from.

    Returns:
        How many there were, and how many items came back otherwise than they were.
    """
    drawn, losses, codec = Values(seed), 0, spec_of(Kept).codec
    while drawn.count < values:
        item = drawn.item("k")
        unknown = drawn.anything()
        with decimal.localcontext(decimal.Context(prec=5, traps=[decimal.Inexact, decimal.Rounded])):
            raw = {**codec.encode(item), "elsewhere": on_the_wire(unknown)}
            read = codec.decode_get(msgspec.json.encode({"Item": raw}))
            assert read is not None, "there is an item"
            again = msgspec.json.decode(msgspec.json.encode(codec.encode(read)))
        # Numbers by their values: they may be spelled otherwise.
        losses += not (same(item, read) and read_raw(again) == read_raw(msgspec.json.decode(msgspec.json.encode(raw))))
    return RoundTrips(drawn.count, losses)


def on_the_wire(value: Any) -> Any:
    """The JSON form of a value, by the test's own rules."""
    ((tag, content),) = (stored(value) or {"NULL": True}).items()
    return {tag: _wire(tag, content)}


def _wire(tag: str, content: Any) -> Any:
    if tag == "L":
        return [{inner: _wire(inner, part) for inner, part in element.items()} for element in content]
    if tag == "M":
        return {
            name: {inner: _wire(inner, part) for inner, part in element.items()} for name, element in content.items()
        }
    if tag in ("SS", "NS", "BS"):
        return sorted(_wire(tag[0], element) for element in content)
    if tag == "N":
        return format(content, "f") if abs(content.adjusted()) < 30 else str(content)
    return base64.b64encode(content).decode() if tag == "B" else content
