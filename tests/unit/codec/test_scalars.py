"""Scalars: one strict function a type and direction."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Any, Literal
from uuid import UUID

import pytest

from dynamorm_async import InvalidValue
from dynamorm_async.codec import scalars


class Color(str, Enum):  # noqa: UP042 - not a StrEnum, whose str() is its value
    RED = "red"


class Level(IntEnum):
    LOW = 1

    @classmethod
    def _missing_(cls, value: object) -> Level | None:
        return cls.LOW if value == -1 else None


class Shout(str):
    __slots__ = ()

    def __str__(self) -> str:
        return "another text"


@pytest.mark.parametrize(
    ("dump", "wrong"),
    [
        (scalars.dump_str, [5, b"x", None, Color.RED]),
        (scalars.dump_int, ["5", 5.0, True, None, Level.LOW, Decimal(5)]),
        (scalars.dump_float, ["5", True, None, Decimal(5)]),
        (scalars.dump_decimal, ["5", 5.0, True, None]),
        (scalars.dump_bool, [1, 0, "true", None]),
        (scalars.dump_bytes, ["x", 5, None, [1]]),
        (scalars.dump_datetime, ["2024-01-01T00:00:00Z", date(2024, 1, 1), 5, None]),
        (scalars.dump_date, ["2024-01-01", datetime(2024, 1, 1, tzinfo=UTC), None]),
        (scalars.dump_timedelta, [5, "5", None]),
        (scalars.dump_uuid, ["12345678-1234-5678-1234-567812345678", 5, None]),
        (scalars.dump_epoch, ["2024-01-01T00:00:00Z", 5, None]),
    ],
)
def test_another_type_is_refused(dump: Any, wrong: list[Any]) -> None:
    """No value is stored under a type that is not its attribute's."""
    for value in wrong:
        with pytest.raises(InvalidValue, match="expected"):
            dump(value)


def test_datetimes_are_aware_and_utc() -> None:
    """A naive datetime is refused; others are stored in UTC at fixed width; out of range in UTC is an error, not a crash."""
    east = timezone(timedelta(hours=5))
    assert scalars.dump_datetime(datetime(2024, 1, 2, 3, tzinfo=east)) == "2024-01-01T22:00:00.000000Z"
    with pytest.raises(InvalidValue, match="no time zone"):
        scalars.dump_datetime(datetime(2024, 1, 2))  # noqa: DTZ001 - what is refused
    with pytest.raises(InvalidValue, match="out of range in UTC"):
        scalars.dump_datetime(datetime(1, 1, 1, tzinfo=east))


def test_datetimes_have_one_width() -> None:
    """Whatever its fraction, its year or its class, an instant in UTC is text of one form, so that text order is time order."""

    class Frozen(datetime):
        """As libraries make them that stop the clock."""

    for value, text in (
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05.000000Z"),
        (datetime(2024, 1, 2, 3, 4, 5, 60, tzinfo=UTC), "2024-01-02T03:04:05.000060Z"),
        (datetime(1, 1, 2, tzinfo=UTC), "0001-01-02T00:00:00.000000Z"),
        (datetime.max.replace(tzinfo=UTC), "9999-12-31T23:59:59.999999Z"),
        (Frozen(2024, 1, 2, 3, 4, 5, tzinfo=UTC), "2024-01-02T03:04:05.000000Z"),
        (datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(0), "Zulu")), "2024-01-02T03:04:05.000000Z"),
    ):
        assert scalars.dump_datetime(value) == text


@pytest.mark.parametrize("text", ["2024-01-02T03:04:05", "2024-01-02", "0001-01-01T00:00:00+05:00", "soon", ""])
def test_text_that_is_no_instant(text: str) -> None:
    """A date and time without zone, out of range in UTC, or no date at all, is a ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - Python's own messages differ by version
        scalars.parse_datetime(text)


@pytest.mark.parametrize("value", [timedelta.max, timedelta.min, timedelta(0), timedelta(microseconds=-1)])
def test_every_timedelta_survives(value: timedelta) -> None:
    """The longest, the shortest and the finest timedelta read back exactly."""
    assert scalars.parse_timedelta_text(scalars.dump_timedelta(value)) == value


@pytest.mark.parametrize(
    "text",
    ["1E+1000000", "1E+120", "-86399999999999.999999", "0.0000001", "1.00000000000000000000000000001", "NaN", "x"],
)
def test_no_timedelta(text: str) -> None:
    """Seconds that are too many, finer than a microsecond, or no number, are a ValueError, at once."""
    with pytest.raises(ValueError, match=r"seconds|number"):
        scalars.parse_timedelta_text(text)


def test_epoch() -> None:
    """Time to live drops fractions of a second, before 1970 as well; what no datetime can be is a ValueError."""
    assert scalars.dump_epoch(datetime(1969, 12, 31, 23, 59, 59, 500_000, tzinfo=UTC)) == "-1"
    assert scalars.parse_epoch("-1") == datetime(1969, 12, 31, 23, 59, 59, tzinfo=UTC)
    with pytest.raises(ValueError, match="too far"):
        scalars.parse_epoch("9" * 100)


def test_subclasses_are_stored_as_what_they_hold() -> None:
    """A str subclass with a ``__str__`` of its own is stored as its text, not as what it says of itself."""
    stored = scalars.dump_str(Shout("text"))
    assert (stored, type(stored)) == ("text", str)


def test_number_enums() -> None:
    """A member is found by its number however it is spelt, by ``_missing_``, and otherwise not at all."""
    read = scalars.enum_reader(Level)
    assert [read("1"), read("1.0"), read("-1")] == [Level.LOW] * 3
    with pytest.raises(ValueError, match=r"5 is not a valid"):
        read("5")
    assert scalars.dump_number_enum(Level.LOW, Level) == "1"
    with pytest.raises(InvalidValue, match="expected Level"):
        scalars.dump_number_enum(1, Level)


def test_literals() -> None:
    """A choice is told from others by its type as well: ``True`` is not ``1``; an enum's member is stored as its value."""
    dump = scalars.literal_dumper(Literal["a", 1, True, Color.RED, None])  # noqa: PYI061 - None as a choice
    assert [dump("a"), dump(1), dump(True), dump(None), dump(Color.RED)] == ["a", 1, True, None, "red"]
    assert type(dump(True)) is bool
    for wrong in ("b", False, 1.0, "red", ["a"]):
        with pytest.raises(InvalidValue, match="expected Literal"):
            dump(wrong)


def test_uuid_text() -> None:
    """UUIDs are stored in their canonical form."""
    assert scalars.dump_uuid(UUID(int=1)) == "00000000-0000-0000-0000-000000000001"
