"""How one value is written as text inside a key, and read back: text, numbers, bools, bytes and UUIDs."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Context, Decimal
from functools import cached_property
from typing import Any, Final, final

import msgspec

from dynamorm_async.codec.identity import number_identity
from dynamorm_async.codec.numbers import parse_decimal
from dynamorm_async.codec.runs import Run, width_of

SEPARATOR: Final = "#"
"""Ends a component in a key. No component holds it, and it sorts before every character of one."""

_MAX_DIGITS: Final = 38  # of a number in DynamoDB
_EXACT: Final = Context(prec=400)  # not the caller's, which may round; 200 digits, shifted by 38 at most
DIGITS: Final = frozenset("0123456789")
_HEX: Final = DIGITS | frozenset("abcdef")

# "$" itself is escaped as well, and so are all characters up to it: an escape then sorts where its character did,
# before every character that stands for itself and after the separator.
_ESCAPED: Final = frozenset(map(chr, range(0x25)))
_find_odd: Final = re.compile("[\x00-\x24\ud800-\udfff]").search
_replace_odd: Final = re.compile("[\x00-\x24\ud800-\udfff]").sub
_replace_codes: Final = re.compile(r"\$([01][0-9A-F]|2[0-4])").sub

_PADDED_INT: Final = re.compile(r"(\+?)0([1-9][0-9]?)d?")
_PADDED_DECIMAL: Final = re.compile(r"(\+?)0([1-9][0-9]?)\.(0|[1-9][0-9]?)f")
_is_uuid: Final = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}").fullmatch
_is_uuid_of_others: Final = re.compile("[0-9A-Fa-f]{8}-?(?:[0-9A-Fa-f]{4}-?){3}[0-9A-Fa-f]{12}").fullmatch


@final
class TextForm(msgspec.Struct, frozen=True, eq=False, dict=True):
    """How the values of a component are written.

    Attributes:
        tag: the type tag of the values.
        make: from the content of an AttributeValue to its text. Raises ``ValueError`` with the reason where it has none.
        read: from a text that ``make`` made to a content that it makes it of: the very one where lossless. Of another text it
            raises ``ValueError``, or returns a content of which ``make`` makes another text.
        runs: which texts ``make`` makes, and maybe more.
        lossless: whether no two values have one text.
        ordered: whether the order of the texts, as UTF-8 and with the separator after them or nothing, is that of the values.
    """

    tag: str
    make: Callable[[Any], str]  # of str, bytes or bool, as the tag says
    read: Callable[[str], Any]  # the same
    runs: tuple[Run, ...]
    lossless: bool = True
    ordered: bool = True

    @cached_property
    def width(self) -> int | None:
        """How many characters the text of every value has; ``None`` where they differ."""
        return width_of(self.runs)

    def content(self, text: str) -> Any:  # as read
        """What ``read`` makes of a text, if the text is one of its own.

        Raises:
            ValueError: ``make`` does not make such a text.
        """
        content = self.read(text)
        if self.make(content) != text:
            raise ValueError(f"{text!r} is not written as this component writes it")
        return content


# --- text -------------------------------------------------------------------------------------


def escape(text: str) -> str:
    """Text in which no character up to "$" stands for itself: each is "$" and its two hexadecimal digits.

    Raises:
        ValueError: it holds half a surrogate pair.
    """
    return text if _find_odd(text) is None else _replace_odd(_code, text)


def unescape(text: str) -> str:
    """The text that was escaped."""
    return text if "$" not in text else _replace_codes(lambda found: chr(int(found[1], 16)), text)


def _code(found: re.Match[str]) -> str:
    char = found[0]
    if char > "$":
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form")
    return f"${ord(char):02X}"


def _raw(text: str) -> str:
    if SEPARATOR in text:
        raise ValueError(f'it holds "{SEPARATOR}", which ends a component; without "raw" it would be escaped')
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("it holds half a surrogate pair, which has no UTF-8 form") from None
    return text


def text_form(form: str) -> TextForm | None:
    """How text is written; ``None`` where there is no such format."""
    escaped = (Run(_ESCAPED - {"$"}, others=True),)
    if form == "":
        return TextForm("S", escape, unescape, escaped)
    if form == "lower":
        return TextForm("S", lambda text: escape(text.lower()), unescape, escaped, lossless=False, ordered=False)
    if form == "upper":
        return TextForm("S", lambda text: escape(text.upper()), unescape, escaped, lossless=False, ordered=False)
    if form == "raw":  # not ordered: it may hold characters that sort before the separator
        return TextForm("S", _raw, str, (Run(frozenset(SEPARATOR), others=True),), ordered=False)
    return None


# --- numbers ----------------------------------------------------------------------------------


def int_form(form: str) -> TextForm | None:
    """How whole numbers are written; ``None`` where there is no such format."""
    if form == "":
        return _plain_number(_whole, DIGITS)
    match = _PADDED_INT.fullmatch(form)
    return None if match is None else _padded(form, int(match[2]), 0, signed=bool(match[1]))


def decimal_form(form: str) -> TextForm | None:
    """How numbers with a fraction are written; ``None`` where there is no such format."""
    if form == "":
        return _plain_number(number_identity, DIGITS | frozenset(".-E"))
    match = _PADDED_DECIMAL.fullmatch(form)
    if match is None:
        return None
    decimals = int(match[3])
    whole = int(match[2]) - decimals - (decimals > 0)
    return None if whole < 1 else _padded(form, whole, decimals, signed=bool(match[1]))


def _plain_number(make: Callable[[str], str], chars: frozenset[str]) -> TextForm:
    """The number as DynamoDB writes it, of a digit or a minus and then some of these characters."""
    return TextForm("N", make, _number, (Run(DIGITS | {"-"}, count=1), Run(chars)), ordered=False)


def _whole(text: str) -> str:
    plain = number_identity(text)
    if "." in plain or "E" in plain:
        raise ValueError("it is not a whole number")
    return plain


def _number(text: str) -> str:
    parse_decimal(text)  # refuses what is no number of DynamoDB's
    return text


def _padded(form: str, whole: int, decimals: int, *, signed: bool) -> TextForm | None:
    """Digits, always as many, so that their order is that of the numbers."""
    if whole + decimals > _MAX_DIGITS:
        return None
    limit = 10 ** (whole + decimals)
    lowest, offset = (1 - limit, limit) if signed else (0, 0)
    places = whole + decimals + signed
    bounds = f"{_shift(lowest, -decimals)} to {_shift(limit - 1, -decimals)}"

    def make(text: str) -> str:
        if not decimals and not signed and len(text) <= whole and text.isascii() and text.isdecimal():
            return text.zfill(whole)
        number = parse_decimal(text).scaleb(decimals, _EXACT)
        if number != number.to_integral_value(context=_EXACT):
            most = f"has more decimals than the {decimals} of its format" if decimals else "is not a whole number"
            raise ValueError(f"it {most}, and a key is never rounded")
        count = int(number)
        if not lowest <= count < limit:
            more = f'; write "+{form}" for negative numbers too' if -limit < count < 0 else ""
            raise ValueError(f"it is not within {bounds}{more}")
        digits = f"{count + offset:0{places}d}"
        return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits

    def read(text: str) -> str:
        return number_identity(str(_shift(int(text.replace(".", "")) - offset, -decimals)))

    point = (Run(frozenset("."), count=1), Run(DIGITS, count=decimals)) if decimals else ()
    return TextForm("N", make, read, (Run(DIGITS, count=places - decimals), *point))


def _shift(number: int, places: int) -> Decimal:
    return Decimal(number).scaleb(places, _EXACT)


# --- the rest ---------------------------------------------------------------------------------


def bool_form(form: str) -> TextForm | None:
    """How a bool is written; ``None`` where there is no such format."""
    return TextForm("BOOL", _bool_text, _bool, (Run(frozenset("truefalse")),)) if form == "" else None


def _bool_text(content: bool) -> str:  # noqa: FBT001 - the content of an AttributeValue
    return "true" if content else "false"


def _bool(text: str) -> bool:
    return text == "true"


def bytes_form(form: str) -> TextForm | None:
    """How bytes are written; ``None`` where there is no such format."""
    return TextForm("B", bytes.hex, bytes.fromhex, (Run(_HEX),)) if form == "hex" else None


def uuid_form(form: str) -> TextForm | None:
    """How a UUID is written; ``None`` where there is no such format."""
    digits = [Run(_HEX, count=count) for count in (8, 4, 4, 4, 12)]
    dash = Run(frozenset("-"), count=1)
    runs = [run for group in digits for run in (dash, group)][1:]
    return TextForm("S", _uuid, str, tuple(runs)) if form == "" else None


def _uuid(text: str) -> str:
    """A stored UUID as this library writes it."""
    if _is_uuid(text):
        return text
    if not _is_uuid_of_others(text):
        raise ValueError("it is no UUID")
    digits = text.replace("-", "").lower()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
