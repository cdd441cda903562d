"""Numbers: exact to 38 digits within DynamoDB's range, refused outside it, never seconds of work."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dynamorm_async import InvalidValue
from dynamorm_async.codec import numbers


class Real(float):
    """As NumPy's float64: its repr is no number."""

    def __repr__(self) -> str:
        return f"np.float64({float(self)})"


class Whole(int):
    def __str__(self) -> str:
        return "some number"


def test_limits() -> None:
    """The largest, the smallest and the longest number are stored; the next beyond each is refused."""
    assert numbers.decimal_text(Decimal("9.9999999999999999999999999999999999999E+125")).endswith("E+125")
    assert numbers.decimal_text(Decimal("-1E-130")) == "-1E-130"
    assert numbers.int_text(10**38 - 1) == "9" * 38
    assert Decimal(numbers.int_text(10**125)) == 10**125
    for beyond in (
        Decimal("1E+126"),
        Decimal("9E-131"),
        Decimal("1." + "1" * 38),
        Decimal("NaN"),
        Decimal("-Infinity"),
    ):
        with pytest.raises(InvalidValue, match=r"range|can store"):
            numbers.decimal_text(beyond)
    for too_long in (10**38 + 1, -(10**126), 10**1000):
        with pytest.raises(InvalidValue, match="38 significant digits"):
            numbers.int_text(too_long)
    for real in (float("nan"), float("inf"), 1e126, -1e-131):
        with pytest.raises(InvalidValue, match="can store"):
            numbers.float_text(real)


def test_zero_has_no_sign_or_exponent() -> None:
    """Every zero is stored as 0."""
    assert {numbers.decimal_text(Decimal(zero)) for zero in ("0", "-0", "0E+5", "0.00")} == {"0"}
    assert (numbers.float_text(-0.0), numbers.int_text(0)) == ("0", "0")


def test_subclasses_write_the_number() -> None:
    """A subclass of float or int (NumPy's, say) is stored as its number, whatever its own repr."""
    assert (numbers.float_text(Real(0.5)), numbers.int_text(Whole(7))) == ("0.5", "7")


@pytest.mark.parametrize("text", ["12", "12.00", "1.2E+1", "1200E-2"])
def test_integral_numbers_are_ints(text: str) -> None:
    """A number without a type is an int where it is integral, however it is written."""
    assert (numbers.parse_number(text), type(numbers.parse_number(text))) == (12, int)


def test_a_fraction_is_never_rounded_off() -> None:
    """A number that is nearly integral, or too long for a float, stays what it is."""
    assert numbers.parse_number("1.00000000000000000001") == Decimal("1.00000000000000000001")
    assert numbers.parse_number("9007199254740993.0") == 9007199254740993
    assert numbers.parse_decimal("0.1") == Decimal("0.1")
    assert numbers.parse_float("0.1") == 0.1


@pytest.mark.parametrize(
    "text",
    ["", "x", "NaN", "sNaN", "-Infinity", "1E+1000000", "-1E+126", "1E-131", "1E+9999999999999999999", "1.5 ", "1_0.5", "\u0663.5",
     "--1", "1.2.3", "0." + "1" * 400_000, "9" * 400_000],
)  # fmt: skip
def test_what_is_no_number(text: str) -> None:
    """Other text, and a number that DynamoDB cannot hold, is a ValueError with a short message, at once."""
    for parse in (numbers.parse_decimal, numbers.parse_float, numbers.parse_number):
        with pytest.raises(ValueError, match="number") as caught:
            parse(text)
        assert len(str(caught.value)) < 120
