"""From a line of a file to an item that can be written, judged by its model."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import base64
from collections.abc import Mapping
from typing import Any, Final, Protocol, final

import msgspec

from dynamorm_async.codec.answers import bytes_in, plain_key
from dynamorm_async.codec.encrypted import ENCRYPTED, sized
from dynamorm_async.codec.identity import Identity
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.sealing import parse
from dynamorm_async.codec.sizes import check_size
from dynamorm_async.errors import DecodeError, FileError, Problem
from dynamorm_async.model.registry import with_variants
from dynamorm_async.model.spec import ModelSpec
from dynamorm_async.transfer.items import whole_item
from dynamorm_async.transfer.lines import Line
from dynamorm_async.transfer.scope import Scope
from dynamorm_async.transfer.typed_json import decode_item, parse_line
from dynamorm_async.types import AttributeValue, Sealed


@final
class Row(msgspec.Struct, frozen=True, eq=False):
    """An item of a file, ready to be written.

    Attributes:
        line: the line that it stands in.
        item: the item as the table will have it; binary content as ``bytes``.
        place: which item it is, by its key.
        size: the bytes of its JSON.
        spec: its model; ``None`` where it is of none that is known.
        sealed: what of it is encrypted on the way.
    """

    line: int
    item: dict[str, AttributeValue]
    place: Identity
    size: int
    spec: ModelSpec[Any] | None
    sealed: tuple[Sealed, ...] = ()

    @property
    def has_unique(self) -> bool:
        """Whether values of it are kept unique."""
        return self.spec is not None and bool(self.spec.unique)


class Decoder(Protocol):
    """Makes rows of lines."""

    def row(self, line: Line) -> Row:
        """The item of a line.

        Raises:
            FileError: the line is no item.
            DecodeError: the item does not fit its model.
            InvalidValue, InvalidKey, ItemTooLarge: the item cannot be stored.
        """
        ...


_ABSENT: Final = msgspec.Raw(b"")


class _StoredLine(msgspec.Struct):
    Item: msgspec.Raw = _ABSENT
    Keys: msgspec.Raw = _ABSENT


_STORED: Final = msgspec.json.Decoder(_StoredLine)
_ITEM: Final = msgspec.json.Decoder(dict[str, Any])


@final
class StoredDecoder:
    """Reads DynamoDB's own JSON: an item is written as it stands, once its model has accepted it.

    Args:
        scope: what the items should be of.
        file: the file's name, for errors.
    """

    def __init__(self, scope: Scope, file: str | None) -> None:
        self._scope = scope
        self._file = file

    def row(self, line: Line) -> Row:
        """The item of a line, as :class:`Decoder` says."""
        number, text = line
        raw, whole = self._parsed(number, text)
        item = self._checked(whole)
        spec = self._scope.model_of(whole)
        if spec is not None:
            check_stored(spec, raw, whole)
        check_size(self._scope.title, item)
        size = len(msgspec.json.encode(item))
        return Row(number, item, self._scope.identities.of_key(item), size, spec)

    def _parsed(self, number: int, text: bytes) -> tuple[msgspec.Raw, dict[str, Any]]:
        try:
            line = _STORED.decode(text)
            raw = line.Item
            if raw is not _ABSENT:
                return raw, _ITEM.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise FileError(f"is no DynamoDB JSON: {error}", file=self._file, line=number) from None
        why = 'is no item: a line of DynamoDB JSON is {"Item": {...}}'
        if line.Keys is not _ABSENT:
            why = "is a change, of an incremental export: read_changes() reads those"
        raise FileError(why, file=self._file, line=number)

    def _checked(self, whole: Mapping[str, Any]) -> dict[str, AttributeValue]:
        """The item with binary content as bytes.

        Raises:
            DecodeError: something in it is no AttributeValue, or it does not have the table's key.
        """
        try:
            item = bytes_in(whole)
            problems = [Problem(name, _NOT_THEIRS) for name, value in whole.items() if _is_private(value)]
        except Misfit as misfit:
            item, problems = {}, list(misfit.problems)
        if not problems:
            for part in self._scope.table.key_parts():
                if part.tag not in item.get(part.name, {}):
                    found = "is missing" if part.name not in item else f"is {next(iter(item[part.name]))}"
                    problems.append(Problem(part.name, f"{found}, and it is a key of type {part.tag}"))
        if problems:
            raise DecodeError(self._scope.title, _plain_key(self._scope, whole), problems)
        return item


_NOT_THEIRS: Final = "has a type tag that DynamoDB does not have"


@final
class TypedDecoder:
    """Reads plain JSON by the types of models; keys that templates make are made anew.

    Args:
        scope: what the items should be of.
        file: the file's name, for errors.
    """

    def __init__(self, scope: Scope, file: str | None) -> None:
        self._scope = scope
        self._file = file

    def row(self, line: Line) -> Row:
        """The item of a line, as :class:`Decoder` says."""
        number, text = line
        try:
            raw = msgspec.Raw(msgspec.json.encode(decode_item(parse_line(text))))
        except ValueError as error:  # half a surrogate pair, too
            raise FileError(str(error), file=self._file, line=number) from None
        spec, item = whole_item(self._scope.read(raw))
        size = len(msgspec.json.encode(item, enc_hook=sized))
        return Row(number, item, self._scope.identities.of_key(item), size, spec, self._scope.sealed)


def check_stored(spec: ModelSpec[Any], raw: msgspec.Raw, whole: Mapping[str, Any]) -> None:
    """Refuse an item, as it is stored, that its model could not read; of encrypted attributes the form is judged.

    Raises:
        DecodeError: it does not fit.
    """
    if not spec.encrypted:
        spec.reader.decode_item(raw)
        return
    spec.reader.partial(held_in_the_clear(spec)).decode(whole)
    members = [member for member in spec.attributes.values() if member.wire in spec.encrypted]
    problems = [problem for member in members if (problem := _judged(member.wire, whole, required=member.required))]
    if problems:
        raise DecodeError(spec.name, plain_key(whole, spec.key), problems)


MASKED_KEY: Final = "…"


def held_in_the_clear(spec: ModelSpec[Any]) -> frozenset[str]:
    """The names of the attributes of a model and its variants that are not encrypted."""
    every = with_variants([spec])
    encrypted = {name for one in every for name in one.encrypted}
    return frozenset(member.wire for one in every for member in one.attributes.values()) - encrypted


def _judged(name: str, whole: Mapping[str, Any], *, required: bool) -> Problem | None:
    value = whole.get(name)
    if value is None:
        return Problem(name, "is missing") if required else None
    content = value.get("B") if isinstance(value, Mapping) else None
    if value == {"NULL": True} or (isinstance(content, str) and parse(base64.b64decode(content)) is not None):
        return None
    return Problem(name, "is not a ciphertext of this library, but the attribute is encrypted()")


def _is_private(value: Any) -> bool:  # an AttributeValue
    """Whether a type tag of this library's own stands somewhere in a value."""
    ((tag, content),) = value.items()
    if tag == ENCRYPTED:
        return True
    if tag == "L":
        return any(map(_is_private, content))
    return tag == "M" and any(map(_is_private, content.values()))


def _plain_key(scope: Scope, whole: Mapping[str, Any]) -> dict[str, object]:
    spec = scope.spec
    if spec is not None and spec.secret_key:
        return {}
    return {part.name: whole[part.name] for part in scope.table.key_parts() if part.name in whole}
