"""Items and documents on stdout: as tables for people, or as JSON. Secret and encrypted values are masked."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import base64
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final
from uuid import UUID

import attrs
import click
import msgspec

from dynamorm_async.cli.saying import readable
from dynamorm_async.codec.hidden import MASK, HiddenValue
from dynamorm_async.codec.layout import options_of
from dynamorm_async.codec.scalars import timedelta_seconds

_WIDEST: Final = 40
_ABSENT: Final = object()
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout, and nothing else there.")


def show_json(document: object) -> None:
    """Print one document, laid out."""
    click.echo(msgspec.json.format(encoded(document), indent=2))


def show_json_line(document: object) -> None:
    """Print one document in one line."""
    click.echo(encoded(document))


def encoded(document: object) -> bytes:
    """A document as JSON; secret values masked, and whatever a terminal would obey escaped."""
    return readable(msgspec.json.encode(plain(document)).decode()).encode()  # JSON has such characters in strings only


def plain(value: object) -> Any:  # noqa: PLR0911 - one return a type; Any: what msgspec writes as JSON
    """A value as JSON can hold it, by its Python type: numbers digit by digit, times in ISO 8601, sets in order."""
    if value is None or isinstance(value, bool | msgspec.Raw):
        return value
    if isinstance(value, HiddenValue):
        return MASK
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, set | frozenset):
        return [plain(one) for one in sorted(value, key=str)]
    if isinstance(value, type):
        return value.__name__
    if attrs.has(type(value)):
        return attributes_of(value)
    if isinstance(value, Iterable) and not isinstance(value, bytes | bytearray | memoryview):
        return [plain(one) for one in value]
    return _scalar(value)


def attributes_of(instance: object) -> dict[str, Any]:  # JSON by Python name
    """The attributes of an item, or of an object inside of one, by Python name; those that were not read are left out."""
    shown: dict[str, Any] = {}
    cls: Any = type(instance)  # a model, or another class of attrs
    for field in attrs.fields(cls):
        options = options_of(field)
        value = getattr(instance, field.name, _ABSENT)
        if value is not _ABSENT:
            hides = options.secret or options.storage == "encrypted"
            shown[field.name] = MASK if hides and value is not None else plain(value)
    return shown


def show_item(item: Mapping[str, Any]) -> None:
    """Print one item, an attribute a line."""
    width = max(map(len, item), default=0)
    for name, value in item.items():
        click.echo(f"{name:<{width}}  {cell(value)}")


def show_table(items: Sequence[Mapping[str, Any]]) -> None:
    """Print items below each other, a column an attribute; on a terminal, as wide as that is."""
    names = list(dict.fromkeys(name for item in items for name in item))
    rows = [[cell(item[name], most=_WIDEST) if name in item else "" for name in names] for item in items]
    if sys.stdout.isatty():
        _show_on_terminal(names, rows)
        return
    widths = [max(map(len, column)) for column in zip(names, *rows, strict=True)]
    for row in (names, *rows):
        click.echo("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)).rstrip())


def cell(value: object, *, most: int | None = None) -> str:
    """A value of JSON in one line, without anything that a terminal would obey.

    Args:
        value: the value.
        most: characters at most.
    """
    text = value if isinstance(value, str) and value.isprintable() else _json_text(value)
    if value is None:
        text = "-"
    return text if most is None or len(text) <= most else f"{text[: most - 1]}…"


def _json_text(value: object) -> str:
    if isinstance(value, str):
        return json.dumps(value)  # escapes all but ASCII, control characters of terminals among it
    text = msgspec.json.encode(value).decode()
    return text if text.isprintable() else json.dumps(json.loads(text))


def _show_on_terminal(names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich import box  # noqa: PLC0415 - loaded when first used
    from rich.console import Console  # noqa: PLC0415 - loaded when first used
    from rich.table import Table  # noqa: PLC0415 - loaded when first used
    from rich.text import Text  # noqa: PLC0415 - loaded when first used

    table = Table(box=box.SIMPLE)
    for name in names:
        table.add_column(name, overflow="fold")  # keys are there to be copied
    for row in rows:
        table.add_row(*map(Text, row))  # as it is: what stands in brackets is no markup
    Console().print(table)


def _scalar(value: object) -> Any:  # noqa: PLR0911 - as above
    if isinstance(value, int):
        return msgspec.Raw(str(value).encode())  # of any length
    if isinstance(value, float):
        return value
    if isinstance(value, Decimal):
        return msgspec.Raw(f"{value:f}".encode()) if value.is_finite() else str(value)
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, timedelta):
        return plain(timedelta_seconds(value))
    if isinstance(value, bytes | bytearray | memoryview):
        return base64.b64encode(value).decode()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    return str(value)
