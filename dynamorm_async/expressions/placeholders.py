"""One allocator of placeholders for a whole request: every name aliased, equal values shared."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from dynamorm_async.errors import InvalidExpression
from dynamorm_async.expressions.limits import (
    UNCHECKED_EXPRESSION,
    UNCHECKED_NAME,
    UNCHECKED_VALUES,
    check_expression,
    check_name,
    check_values,
)
from dynamorm_async.types import AttributeValue

Segment = str | int
"""One step of a document path: an attribute's or map entry's name, or a list index."""


_identity_of: Final = msgspec.json.Encoder(order="deterministic").encode
"""In one order, so that equal maps are one value however they were made."""


class Placeholders:
    """Gives names and values their placeholders while the expressions of one request are rendered.

    Args:
        mark: stands in every placeholder, to keep them apart from those of another allocator.
    """

    def __init__(self, *, mark: str = "") -> None:
        self._mark = mark
        self._names: dict[str, str] = {}  # placeholder by name
        self._aliases: dict[str, str] = {}  # name by placeholder
        self._values: dict[bytes, str] = {}
        self._attribute_values: dict[str, AttributeValue] = {}

    def path(self, segments: tuple[Segment, ...]) -> str:
        """A document path with every name aliased: ``#n0.#n1[2]``."""
        first = segments[0]
        if len(segments) == 1 and isinstance(first, str):  # as most often
            return self._name(first)
        parts: list[str] = []
        for segment in segments:
            if isinstance(segment, int):
                parts.append(f"[{segment:d}]")  # a bool is an int, whose text is another
            else:
                parts.append(f".{self._name(segment)}" if parts else self._name(segment))
        return "".join(parts)

    def value(self, value: AttributeValue) -> str:
        """The placeholder of a value; equal values share one."""
        try:
            identity = _identity_of(value)
        except TypeError:  # a plaintext: each has its own, for equal ones have different ciphertexts
            return self.named(f":{self._mark}e{len(self._attribute_values)}", value)
        except UnicodeEncodeError:
            raise InvalidExpression(
                "a text in the expression holds half a surrogate pair, which has no UTF-8"
            ) from None
        placeholder = self._values.get(identity)
        if placeholder is None:
            placeholder = self._values[identity] = f":{self._mark}v{len(self._values)}"
            self._attribute_values[placeholder] = value
        return placeholder

    def named(self, placeholder: str, value: AttributeValue) -> str:
        """A value under a placeholder of its own, which no equal value shares."""
        self._attribute_values[placeholder] = value
        return placeholder

    def into(self, body: dict[str, Any], **expressions: str) -> None:
        """Put the expressions, and the names and values that they use, into a request's body.

        Args:
            body: the request's parameters.
            expressions: parameter name, for example ``ConditionExpression``, to rendered text; empty ones are left out.

        Raises:
            InvalidExpression: an expression is longer than DynamoDB's 4 KB or has more than its 300 operators, or all
                names and values are more than its 2 MB.
        """
        for name, text in expressions.items():
            if text:
                if len(text) > UNCHECKED_EXPRESSION:
                    check_expression(name, text)
                body[name] = text
        if self._names:
            body["ExpressionAttributeNames"] = self._aliases
        if self._attribute_values:
            if sum(map(len, self._values)) > UNCHECKED_VALUES:
                check_values(self._attribute_values, self._names)
            body["ExpressionAttributeValues"] = self._attribute_values

    def _name(self, name: str) -> str:
        alias = self._names.get(name)
        if alias is None:
            if not name.isascii() or not 0 < len(name) <= UNCHECKED_NAME:
                check_name(name)
            alias = self._names[name] = f"#{self._mark}n{len(self._names)}"
            self._aliases[alias] = name
        return alias
