"""Laws of PartiQL statements: placeholders are what stands outside of quotes and comments; parameters come back."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import contextlib
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynamorm_async import Statement, UsageError
from dynamorm_async.codec.plain import decode_row, encode_parameter
from tests.property.strategies import decimals

ANYTHING = st.text(alphabet="ab?'\"-/* \n", max_size=12)

# A part of a statement, how many placeholders it has, and whether it is a comment.
PARTS = st.one_of(
    st.just(("?", 1)),
    st.sampled_from([" ", "\n", "=", " - ", " AND ", "(", "users"]).map(lambda text: (text, 0)),
    ANYTHING.map(lambda text: ("'" + text.replace("'", "''") + "'", 0)),
    ANYTHING.map(lambda text: ('"' + text.replace('"', '""') + '"', 0)),
    ANYTHING.map(lambda text: ("--" + text.replace("\n", "") + "\n", 0)),
    ANYTHING.filter(lambda text: "*/" not in text).map(lambda text: (f"/*{text}*/", 0)),
)

SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-(10**37), 10**37), decimals(), st.text(), st.binary())
VALUES = st.recursive(
    SCALARS | st.frozensets(st.text(), min_size=1) | st.frozensets(st.binary(), min_size=1),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(st.lists(PARTS, max_size=12), st.sampled_from(["SELECT", "update", "/* ? */ Select"]))
def test_placeholders_are_counted(parts: list[tuple[str, int]], verb: str) -> None:
    """Whatever quotes and comments hold, as many parameters as real placeholders are wanted; the verb decides the kind."""
    text = f"{verb} {' '.join(part for part, _ in parts)}"
    number = sum(count for _, count in parts)
    statement = Statement(text, *range(number))
    assert len(statement.values) == number
    assert statement.kind == ("write" if verb == "update" else "read")
    with pytest.raises(UsageError, match=rf"has {number} placeholders"):
        Statement(text, *range(number + 1))


@given(ANYTHING, st.integers(0, 3))
def test_any_text_is_judged(text: str, number: int) -> None:
    """Whatever is no statement is a UsageError, and no parameter is accepted that has no ``?``."""
    with contextlib.suppress(UsageError):
        assert len(Statement(text, *range(number)).values) <= text.count("?")


@given(VALUES)
def test_a_plain_value_comes_back(value: Any) -> None:
    """What goes in as a parameter comes back in a row, over the wire."""
    wire = msgspec.json.decode(msgspec.json.encode(encode_parameter(value)))
    assert decode_row({"value": wire}) == {"value": value}
    assert decode_row({"value": {"N": "1.50"}}) == {"value": Decimal("1.5")}
