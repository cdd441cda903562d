"""DynamoDB's number rules: at most 38 significant digits, magnitude 1E-130 to 9.99…E+125, no NaN, no infinity.

Source: "Supported data types and naming rules in Amazon DynamoDB" (Number) in the developer guide.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal, Underflow

from dynamorm_async.errors import InvalidValue

_MAX_DIGITS = 38
MAX_INT = 10**_MAX_DIGITS - 1
_LARGEST_FLOAT = 1e126
_SMALLEST_FLOAT = 1e-130

_LONGEST = 200  # a sign, "0.", 129 zeros and 38 digits, and some room

_RULES = Context(
    prec=_MAX_DIGITS,
    Emin=-130,
    Emax=125,
    traps=[Inexact, InvalidOperation, Overflow, Subnormal, Underflow],
)


def decimal_text(value: Decimal) -> str:
    """The wire text of a Decimal, exact.

    Raises:
        InvalidValue: NaN, an infinity, more than 38 significant digits, or a magnitude out of range.
    """
    if not value.is_finite():
        raise InvalidValue(f"{value} is not a number that DynamoDB can store")
    if not value:
        return "0"
    text = Decimal.__str__(value)
    if len(text) <= _MAX_DIGITS and "E" not in text:
        return text  # without an exponent, so few characters are within every limit
    try:
        # A copy: a Context collects flags, and two threads may encode at the same time.
        return str(_RULES.copy().plus(value))
    except DecimalException:
        raise InvalidValue(
            f"{shorten(str(value))} is out of DynamoDB's range: 38 significant digits, magnitude from 1E-130 to 9.9E+125"
        ) from None


def int_text(value: int) -> str:
    """The wire text of an int, exact.

    Raises:
        InvalidValue: more than 38 significant digits, or out of range.
    """
    if -MAX_INT <= value <= MAX_INT:
        return int.__repr__(value)
    return decimal_text(Decimal(value))


def float_text(value: float) -> str:
    """The shortest wire text that reads back as the same float.

    Raises:
        InvalidValue: NaN, an infinity, or a magnitude out of range.
    """
    if _SMALLEST_FLOAT <= value < _LARGEST_FLOAT or _SMALLEST_FLOAT <= -value < _LARGEST_FLOAT:
        return float.__repr__(value)  # a subclass (NumPy's) writes itself otherwise
    if value == 0:
        return "0"
    raise InvalidValue(
        f"{value!r} is not a number that DynamoDB can store: NaN, infinite, or not within 1E-130 to 9.9E+125"
    )


def parse_decimal(text: str) -> Decimal:
    """A stored number, exact.

    Raises:
        ValueError: the text is no finite number, or out of DynamoDB's range.
    """
    # Decimal alone also reads spaces, underscores, the digits of other scripts, NaN and infinities.
    plain = not text.strip("0123456789.-")
    if not plain and (text.strip("0123456789.-+eE") or len(text) > _LONGEST):
        raise ValueError(f"{shorten(text)!r} is not a number of DynamoDB's range")
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{shorten(text)!r} is not a number") from None
    # Bounded before anything is computed with it: int(Decimal("1E+1000000")) takes seconds.
    if (plain and len(text) <= _MAX_DIGITS) or (len(text) <= _LONGEST and _in_range(value)):
        return value
    raise ValueError(f"{shorten(text)!r} is not a number of DynamoDB's range")


def parse_float(text: str) -> float:
    """A stored number as the nearest float.

    Raises:
        ValueError: the text is no finite number, or out of DynamoDB's range.
    """
    return float(parse_decimal(text))


def parse_number(text: str) -> int | Decimal:
    """A number whose Python type is not declared: ``int`` where it is integral (``12.00`` is), else ``Decimal``.

    Raises:
        ValueError: the text is no finite number, or out of DynamoDB's range.
    """
    try:
        return int(text)  # what the compiled path does as well
    except ValueError:
        value = parse_decimal(text)
    return int(value) if value == value.to_integral_value() else value


def _in_range(value: Decimal) -> bool:
    return not value or _RULES.Emin <= value.adjusted() <= _RULES.Emax


def shorten(text: str) -> str:
    """A text as an error message shows it."""
    return text if len(text) <= 50 else f"{text[:20]}… ({len(text)} characters)"  # noqa: PLR2004 - what fits in a message


def refuse(value: Decimal) -> Decimal:
    """Refuse a number that DynamoDB does not send.

    Raises:
        ValueError: always.
    """
    raise ValueError(f"{shorten(str(value))!r} is not a number of DynamoDB's range")
