"""The first and the last line of a file of typed items: what it is of, and that it is whole."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Mapping
from typing import Any, Final

import msgspec

from dynamorm_async.errors import FileError
from dynamorm_async.transfer.lines import Line
from dynamorm_async.transfer.scope import Scope
from dynamorm_async.transfer.typed_json import parse_line

_MARK: Final = "dynamorm"
_VERSION: Final = 1


def header_of(scope: Scope) -> bytes:
    """The first line of an export: the format, the table and the models with their schema versions."""
    models = {spec.name: {} if spec.schema is None else {"schema": spec.schema.current} for spec in scope.models}
    content = {"format": "json", "version": _VERSION, "table": scope.table.name, "models": models}
    return msgspec.json.encode({_MARK: content}) + b"\n"


def trailer_of(items: int) -> bytes:
    """The last line of an export: a file without it was cut."""
    return msgspec.json.encode({_MARK: {"items": items}}) + b"\n"


def is_header(line: bytes) -> bool:
    """Whether a line is the first of a typed export, in whatever version."""
    content = _content(line)
    return content is not None and "format" in content


def check_header(line: Line, scope: Scope, file: str | None) -> None:
    """Refuse a file of other items, or of a newer program.

    Raises:
        FileError: its first line is none, or says that it does not fit.
    """
    number, text = line

    def refused(why: str) -> FileError:
        return FileError(why, file=file, line=number)

    content = _content(text)
    if content is None or "format" not in content:
        raise refused(
            'is not the first line of an export with format="json", which says of which models it is; a file of '
            'DynamoDB\'s own JSON is imported with format="dynamodb"'
        )
    if content.get("format") != "json" or content.get("version") != str(_VERSION):
        raise refused(
            f"has version {content.get('version')} of the format {content.get('format')!r}; this program reads version "
            f"{_VERSION} of 'json'"
        )
    models = content.get("models")
    if not isinstance(models, Mapping):
        raise refused("does not say of which models the file is")
    known = {spec.name: spec for spec in scope.models}
    strange = [name for name in models if name not in known]
    if strange:
        raise refused(
            f"says that the file has items of {', '.join(strange)}, which are not those of {scope.title} "
            f"({', '.join(known) or 'no model'}). Of a model that was renamed, change the name in that line"
        )
    for name, said in models.items():
        schema = known[name].schema
        current = 1 if schema is None else schema.current
        theirs = said.get("schema", "1") if isinstance(said, Mapping) else "1"
        if not str(theirs).isdecimal() or int(theirs) > current:
            raise refused(
                f"says that its items of {name} have schema version {theirs}; this program knows up to {current}"
            )


def is_mark(line: bytes) -> bool:
    """Whether a line may be one of the two, by how it begins: it is cheap to ask of every line."""
    return line.startswith(b'{"dynamorm"')


def items_said_by(parsed: Mapping[str, Any]) -> int | None:
    """How many items the last line says there are; ``None`` of a line that is an item."""
    content = parsed.get(_MARK)
    if len(parsed) != 1 or not isinstance(content, Mapping) or len(content) != 1:
        return None
    number = content.get("items")
    return int(number) if isinstance(number, str) and number.isascii() and number.isdecimal() else None


def _content(line: bytes) -> Mapping[str, Any] | None:
    try:
        content = parse_line(line).get(_MARK)
    except ValueError:
        return None
    return content if isinstance(content, Mapping) else None
