"""Which texts of a templated key a range of one component's values makes: the ends of a BETWEEN.

DynamoDB takes one condition on a sort key, with both ends included. A component whose width is not fixed ends with "#",
which sorts before every character of a component, so a text can be told that is above all keys of one value and below
those of the next, and that no key is equal to.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from dynamorm_async.codec.components import Component
from dynamorm_async.codec.keytext import SEPARATOR, escape
from dynamorm_async.codec.template import Template
from dynamorm_async.errors import InvalidKey
from dynamorm_async.expressions.conditions import (
    Between,
    Comparator,
    Comparison,
    Condition,
    Function,
    Literally,
    Path,
)
from dynamorm_async.types import AttributeValue

_LAST_CHARACTER = "\U0010ffff"
_SURROGATES = range(0xD800, 0xE000)  # code points that no text has


class Texts(msgspec.Struct, frozen=True):
    """What follows the prefix in the keys that are in a range.

    Attributes:
        low: the lowest text; ``None`` for no bound.
        high: the highest text; ``None`` for no bound.
        top: above every text of the component; ``None`` where there is none.
        begins: what it begins with, where it has no other bound.
        exact: the conditions that are said by this.
        nearly: those that are said but for one text, at the upper end.
    """

    low: str | None = None
    high: str | None = None
    top: str | None = None
    begins: str = ""
    exact: tuple[Condition, ...] = ()
    nearly: tuple[Condition, ...] = ()

    @property
    def bounds(self) -> bool:
        """Whether it leaves out any key."""
        return self.low is not None or self.high is not None or bool(self.begins)

    @property
    def size(self) -> int:
        """How many bytes its texts have at most."""
        return max(len(text.encode()) for text in (self.low, self.high, self.top, self.begins, "") if text is not None)

    def condition(self, name: str, prefix: str) -> tuple[Condition, ...] | None:
        """The key condition.

        Args:
            name: the key attribute.
            prefix: what all its keys begin with.

        Returns:
            One condition, or none where every key fits; ``None`` where no key can.
        """
        if self.low is None and self.high is None:
            return begins_with(name, prefix + self.begins)
        low = prefix + (self.low or "")
        end = self.top if self.high is None else self.high
        high = successor(prefix) if end is None else prefix + end
        if high is None:
            return (Comparison(Path((name,)), ">=", _text(low)),) if low else ()
        if low > high or not high:
            return None
        if not low:
            return (Comparison(Path((name,)), "<=", _text(high)),)
        return (Between(Path((name,)), _text(low), _text(high)),)


def begins_with(name: str, prefix: str) -> tuple[Condition, ...]:
    """The condition on a key that begins with a text; DynamoDB refuses an empty one, which says nothing."""
    return (Function("begins_with", Path((name,)), _text(prefix)),) if prefix else ()


def texts_of(template: Template, place: int, conditions: Sequence[Condition]) -> Texts:
    """What a range of one component says of the key after what comes before it.

    Args:
        template: the key's template.
        place: where the component is among its parts; those before have values.
        conditions: comparisons, BETWEEN and begins_with of the component's attribute with values. Those that cannot
            be said are passed over.
    """
    component = template.parts[place]
    assert isinstance(component, Component), "a range is of a component"  # noqa: S101 - an invariant
    if not component.ordered or component.form.tag not in ("S", "N", "B"):
        return _beginning(component, conditions)
    ends = _Ends(component, template.parts[place + 1 :])
    low: list[str] = []
    high: list[str] = []
    exact: list[Condition] = []
    nearly: list[Condition] = []
    for condition in conditions:
        found = ends.of(condition)
        low += [end.text for end in found if end.is_low]
        high += [end.text for end in found if not end.is_low]
        if found and component.lossless:
            (exact if all(end.exact for end in found) else nearly).append(condition)
    if not low and not high:
        return _beginning(component, conditions)
    return Texts(
        max(low, default=None), min(high, default=None), _top(component), exact=tuple(exact), nearly=tuple(nearly)
    )


def successor(text: str) -> str | None:
    """The lowest text above all that begin with a text; ``None`` where there is none."""
    rest = text.rstrip(_LAST_CHARACTER)
    if not rest:
        return None
    code = ord(rest[-1]) + 1
    return rest[:-1] + chr(_SURROGATES.stop if code in _SURROGATES else code)


def _beginning(component: Component, conditions: Sequence[Condition]) -> Texts:
    """The longest begins_with of plain text. An escape is never cut: each character has its own."""
    best = Texts()
    if component.form.make is not escape:
        return best
    for condition in conditions:
        if isinstance(condition, Function) and isinstance(condition.argument, Literally):
            try:
                begins = component.render(condition.argument.value)
            except InvalidKey:
                continue
            if len(begins) >= len(best.begins):
                best = Texts(begins=begins, exact=(condition,))
    return best


def _top(component: Component) -> str | None:
    """A text above all those of a component with few characters."""
    runs = component.form.runs
    if any(run.others for run in runs):
        return None
    return successor(max(char for run in runs for char in run.chars))


class _End(msgspec.Struct, frozen=True):
    text: str
    is_low: bool
    exact: bool = True


class _Ends:
    """The ends of ranges of one component.

    Args:
        component: the component.
        tail: what follows it in the template.
    """

    def __init__(self, component: Component, tail: Sequence[str | Component]) -> None:
        self._component = component
        self._last = not tail
        self._adjacent = bool(tail) and not isinstance(tail[0], str)
        self._ended_by = tail[0][0] if tail and isinstance(tail[0], str) else SEPARATOR
        self._may_end = all(isinstance(part, Component) and not part.width for part in tail)

    def of(self, condition: Condition) -> list[_End]:
        """The one or two ends of a condition; none where they cannot be said."""
        found: list[_End] = []
        for comparator, value in _compared(condition):
            try:
                text = self._component.render(value)
            except InvalidKey:  # outside of the format's range: the filter decides
                return []
            # Values that differ can have one text where the format keeps less than the value.
            strict = comparator in ("<", ">") and self._component.lossless
            end = self._low(text, strict=strict) if comparator in (">", ">=") else self._high(text, strict=strict)
            if end is None:
                return []
            found.append(end)
        return found

    def _low(self, text: str, *, strict: bool) -> _End | None:
        end = self._above(text) if strict else text
        return None if end is None else _End(end, is_low=True)

    def _high(self, text: str, *, strict: bool) -> _End | None:
        if self._last:
            if not strict:
                return _End(text, is_low=False)
            below = _predecessor(text) if self._component.width else None
            return _End(text if below is None else below, is_low=False, exact=below is not None)
        end = text if strict else self._above(text)
        # Where nothing but other components follows, and they may be empty, the end can be a key itself.
        return None if end is None else _End(end, is_low=False, exact=not (self._adjacent and self._may_end))

    def _above(self, text: str) -> str | None:
        """Above all keys of the value."""
        return successor(text) if self._adjacent else successor(text + self._ended_by)


def _predecessor(text: str) -> str | None:
    """The highest text of the same width that differs in its last character; ``None`` where there is none."""
    code = ord(text[-1]) - 1
    return None if code < 0 else text[:-1] + chr(_SURROGATES.start - 1 if code in _SURROGATES else code)


def _compared(condition: Condition) -> Iterator[tuple[Comparator, AttributeValue]]:
    if isinstance(condition, Comparison) and isinstance(condition.right, Literally):
        yield condition.comparator, condition.right.value
    elif isinstance(condition, Between):
        if isinstance(condition.low, Literally):
            yield ">=", condition.low.value
        if isinstance(condition.high, Literally):
            yield "<=", condition.high.value


def _text(text: str) -> Literally:
    return Literally({"S": text})
