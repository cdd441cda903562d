"""A reader of DynamoDB's expressions: a tokenizer, a recursive-descent parser, and the truth of a condition.

Written from the grammar in the developer guide ("Condition and filter expressions, operators, and functions"), apart
from the code that renders. Names and values must be placeholders: anything else does not parse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

Item = Mapping[str, Any]
Value = Mapping[str, Any] | None
Operand = Callable[[Item], Value]
Truth = Callable[[Item], bool]

_TOKEN = re.compile(r"\s*(#\w+|:\w+|[A-Za-z_]+|\d+|<>|<=|>=|[-+=<>()\[\].,])")
_COMPARATORS = ("=", "<>", "<", "<=", ">", ">=")
_FUNCTIONS = ("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains")
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


def tokens(text: str) -> list[str]:
    found: list[str] = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            raise SyntaxError(f"no token at {text[position:]!r}")
        found.append(match[1])
        position = match.end()
    return found


class Parser:
    """Parses one expression of a request."""

    def __init__(self, text: str, body: Mapping[str, Any]) -> None:
        self._tokens = tokens(text)
        self._names: Mapping[str, str] = body.get("ExpressionAttributeNames", {})
        self._values: Mapping[str, Any] = body.get("ExpressionAttributeValues", {})
        self.used: set[str] = set()
        self.assigned: dict[tuple[str | int, ...], Operand] = {}

    def condition(self) -> Truth:
        truth = self._either()
        self._end()
        return truth

    def updates(self) -> list[tuple[str, tuple[str | int, ...]]]:
        """The clause and the path of each change."""
        changes: list[tuple[str, tuple[str | int, ...]]] = []
        seen: set[str] = set()
        while self._tokens:
            clause = self._take(*CLAUSES)
            if clause in seen:
                raise SyntaxError(f"two {clause} clauses")
            seen.add(clause)
            changes.append((clause, self._change(clause)))
            while self._peek() == ",":
                self._take(",")
                changes.append((clause, self._change(clause)))
        return changes

    def _change(self, clause: str) -> tuple[str | int, ...]:
        path = self._path()
        if clause == "SET":
            self._take("=")
            self.assigned[path] = self._assigned()
        elif clause in ("ADD", "DELETE"):
            self._value()
        return path

    def _assigned(self) -> Operand:
        left = self._set_operand()
        if self._peek() not in ("+", "-"):
            return left
        sign = self._take("+", "-")
        right = self._set_operand()
        return lambda item: calculate(left(item), sign, right(item))

    def _set_operand(self) -> Operand:
        if self._peek() not in ("if_not_exists", "list_append"):
            return self._operand()
        function = self._take("if_not_exists", "list_append")
        self._take("(")
        first = self._set_operand()
        self._take(",")
        second = self._set_operand()
        self._take(")")
        if function == "if_not_exists":
            return lambda item: second(item) if first(item) is None else first(item)
        return lambda item: concatenate(first(item), second(item))

    def _either(self) -> Truth:
        parts = [self._every()]
        while self._peek() == "OR":
            self._take("OR")
            parts.append(self._every())
        return parts[0] if len(parts) == 1 else lambda item: any(part(item) for part in parts)

    def _every(self) -> Truth:
        parts = [self._negation()]
        while self._peek() == "AND":
            self._take("AND")
            parts.append(self._negation())
        return parts[0] if len(parts) == 1 else lambda item: all(part(item) for part in parts)

    def _negation(self) -> Truth:
        if self._peek() != "NOT":
            return self._primary()
        self._take("NOT")
        inner = self._negation()
        return lambda item: not inner(item)

    def _primary(self) -> Truth:
        if self._peek() == "(":
            self._take("(")
            inner = self._either()
            self._take(")")
            return inner
        if self._peek() in _FUNCTIONS:
            return self._function()
        left = self._operand()
        word = self._take(*_COMPARATORS, "BETWEEN", "IN")
        if word == "BETWEEN":
            low = self._operand()
            self._take("AND")
            high = self._operand()
            return lambda item: compare(low(item), "<=", left(item)) and compare(left(item), "<=", high(item))
        if word == "IN":
            choices = self._arguments()
            return lambda item: any(compare(left(item), "=", choice(item)) for choice in choices)
        right = self._operand()
        return lambda item: compare(left(item), word, right(item))

    def _function(self) -> Truth:
        name = self._take(*_FUNCTIONS)
        arguments = self._arguments()
        return lambda item: call(name, *(argument(item) for argument in arguments))

    def _arguments(self) -> list[Operand]:
        self._take("(")
        arguments = [self._operand()]
        while self._peek() == ",":
            self._take(",")
            arguments.append(self._operand())
        self._take(")")
        return arguments

    def _operand(self) -> Operand:
        if self._peek() == "size":
            self._take("size")
            self._take("(")
            sized = self._path()
            self._take(")")
            return lambda item: size(find(item, sized))
        if self._peek().startswith(":"):
            value = self._value()
            return lambda _item: value
        path = self._path()
        return lambda item: find(item, path)

    def _value(self) -> Any:
        token = self._tokens.pop(0)
        self.used.add(token)
        return self._values[token]

    def _path(self) -> tuple[str | int, ...]:
        steps: list[str | int] = [self._name()]
        while self._peek() in (".", "["):
            if self._take(".", "[") == ".":
                steps.append(self._name())
            else:
                steps.append(int(self._tokens.pop(0)))
                self._take("]")
        return tuple(steps)

    def _name(self) -> str:
        token = self._tokens.pop(0)
        if not token.startswith("#"):
            raise SyntaxError(f"{token!r} is a name without a placeholder")
        self.used.add(token)
        return self._names[token]

    def _peek(self) -> str:
        return self._tokens[0] if self._tokens else ""

    def _take(self, *expected: str) -> str:
        if self._peek() not in expected:
            raise SyntaxError(f"expected one of {expected}, found {self._tokens}")
        return self._tokens.pop(0)

    def _end(self) -> None:
        if self._tokens:
            raise SyntaxError(f"left over: {self._tokens}")


# --- what operators and functions mean ------------------------------------------------------------------


def find(item: Item, path: tuple[str | int, ...]) -> Value:
    found: dict[str, Any] = {"M": item}
    for step in path:
        tag, content = next(iter(found.items()))
        in_map = tag == "M" and isinstance(step, str) and step in content
        in_list = tag == "L" and isinstance(step, int) and step < len(content)
        if not (in_map or in_list):
            return None
        found = content[step]
    return found


def size(value: Value) -> Value:
    ((tag, content),) = (value or {"NULL": True}).items()
    if tag in ("N", "BOOL", "NULL"):
        return None
    # Both engines count UTF-16 code units.
    return {"N": str(len(content.encode("utf-16-le")) // 2 if tag == "S" else len(content))}


def compare(left: Value, comparator: str, right: Value) -> bool:
    if left is None or right is None:
        return comparator == "<>"  # the engines agree: what is not there differs from everything
    ((tag, a),), ((other, b),) = left.items(), right.items()
    if comparator in ("=", "<>"):
        same = Decimal(a) == Decimal(b) if tag == other == "N" else left == right
        return same == (comparator == "=")
    if tag != other or tag not in ("S", "N", "B"):
        return False
    one, two = (Decimal(a), Decimal(b)) if tag == "N" else (a, b) if tag == "B" else (a.encode(), b.encode())
    return {"<": one < two, "<=": one <= two, ">": one > two, ">=": one >= two}[comparator]


def call(name: str, value: Value, argument: Value = None) -> bool:
    if name.startswith("attribute_") and name.endswith("exists"):
        return (value is not None) == (name == "attribute_exists")
    if value is None or argument is None:
        return False
    ((tag, content),), ((other, wanted),) = value.items(), argument.items()
    if name in ("attribute_type", "begins_with"):
        return bool(tag == wanted) if name == "attribute_type" else tag == other == "S" and content.startswith(wanted)
    if tag in ("S", "SS", "BS"):
        return other == tag[0] and wanted in content
    if tag == "NS":
        return other == "N" and Decimal(wanted) in map(Decimal, content)
    return tag == "L" and argument in content


def calculate(left: Value, sign: str, right: Value) -> Value:
    """The sum or difference; ``None`` where DynamoDB would refuse the update."""
    if left is None or right is None or "N" not in left or "N" not in right:
        return None
    one, two = Decimal(left["N"]), Decimal(right["N"])
    return {"N": str(one + two if sign == "+" else one - two)}


def concatenate(left: Value, right: Value) -> Value:
    """Two lists as one; ``None`` where DynamoDB would refuse the update."""
    if left is None or right is None or "L" not in left or "L" not in right:
        return None
    return {"L": [*left["L"], *right["L"]]}


def placeholders(body: Mapping[str, Any]) -> Iterator[str]:
    yield from body.get("ExpressionAttributeNames", ())
    yield from body.get("ExpressionAttributeValues", ())
