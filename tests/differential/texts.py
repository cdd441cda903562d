"""Python text of values, the same in every run: sets in order, and what is a program's own by its name."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownLambdaType=false
from datetime import datetime
from decimal import Decimal
from typing import Any

import attrs

from tests.differential.models import MINUTE, START, Place


@attrs.frozen
class Own:
    """A text that no other program has: ``P + 'a'``, where P is the program's own prefix."""

    end: str

    def under(self, prefix: str) -> str:
        return prefix + self.end


def text_of(value: Any) -> str:  # noqa: PLR0911 - one a type
    """The value as Python text."""
    if isinstance(value, Own):
        return f"P + {value.end!r}"
    if isinstance(value, Place):
        return f"Place(city={value.city!r}, floor={value.floor!r}, marks={text_of(value.marks)})"
    if isinstance(value, datetime):
        return f"START + {int((value - START) / MINUTE)} * MINUTE"
    if isinstance(value, set | frozenset):
        inner = "{" + ", ".join(sorted(map(text_of, value))) + "}"
        if isinstance(value, frozenset):
            return f"frozenset({inner})"
        return inner if value else "set()"
    if isinstance(value, list):
        return f"[{', '.join(map(text_of, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name!r}: {text_of(entry)}" for name, entry in value.items()) + "}"
    return repr(value) if not isinstance(value, Decimal) else f"Decimal('{value}')"


def call_text(function: str, *arguments: str, **options: str) -> str:
    """A call, with those arguments that are not empty."""
    given = [argument for argument in arguments if argument]
    return f"{function}({', '.join([*given, *(f'{name}={value}' for name, value in options.items() if value)])})"
