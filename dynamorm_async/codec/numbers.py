"""DynamoDB's number rules: at most 38 significant digits, magnitude 1E-130 to 9.99…E+125, no NaN, no infinity.

Source: "Supported data types and naming rules in Amazon DynamoDB" (Number) in the developer guide.
"""

from __future__ import annotations

from decimal import Context, Decimal, DecimalException, Inexact, InvalidOperation, Overflow, Subnormal, Underflow

from dynamorm_async.errors import InvalidValue

_MAX_INT = 10**38 - 1
_LARGEST_FLOAT = 1e126
_SMALLEST_FLOAT = 1e-130

_RULES = Context(
    prec=38,
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
    try:
        # A copy: a Context collects flags, and two threads may encode at the same time.
        return str(_RULES.copy().plus(value))
    except DecimalException:
        raise InvalidValue(
            f"{_short(value)} is out of DynamoDB's range: 38 significant digits, magnitude from 1E-130 to 9.9E+125"
        ) from None


def int_text(value: int) -> str:
    """The wire text of an int, exact.

    Raises:
        InvalidValue: more than 38 significant digits, or out of range.
    """
    if -_MAX_INT <= value <= _MAX_INT:
        return str(value)
    return decimal_text(Decimal(value))


def float_text(value: float) -> str:
    """The shortest wire text that reads back as the same float.

    Raises:
        InvalidValue: NaN, an infinity, or a magnitude out of range.
    """
    if _SMALLEST_FLOAT <= value < _LARGEST_FLOAT or _SMALLEST_FLOAT <= -value < _LARGEST_FLOAT:
        return repr(value)
    if value == 0:
        return "0"
    raise InvalidValue(
        f"{value!r} is not a number that DynamoDB can store: NaN, infinite, or not within 1E-130 to 9.9E+125"
    )


_LONGEST_NUMBER = 128  # DynamoDB sends at most 38 digits, a sign, a point and an exponent, or plain zeros up to 126


def parse_number(text: str) -> int | Decimal:
    """A number whose Python type is not declared: ``int`` where it is integral, else ``Decimal``.

    Raises:
        ValueError: the text is no finite number, or longer than DynamoDB ever sends.
    """
    if len(text) > _LONGEST_NUMBER + 8:
        raise ValueError("a number of more digits than DynamoDB ever sends")
    try:
        return int(text)
    except ValueError:
        pass
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text!r} is not a number") from None
    if not value.is_finite() or value.adjusted() > _LONGEST_NUMBER:
        raise ValueError(f"{text!r} is not a number of DynamoDB's range")
    return int(value) if value == value.to_integral_value() else value


def _short(value: Decimal) -> str:
    text = str(value)
    return text if len(text) <= 50 else f"{text[:20]}… ({len(text)} characters)"  # noqa: PLR2004 - what fits in a message
