"""Where an answer has ciphertexts, and what takes their place."""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any, Final, final

import msgspec

from dynamorm_async.codec.encrypted import ENCRYPTED, REFUSED, Plaintext
from dynamorm_async.codec.hidden import hidden
from dynamorm_async.codec.sealing import Sealing, parse, unseal
from dynamorm_async.errors import ConditionFailed, TransactionCancelled
from dynamorm_async.plan.sealed import bound_to, by_table
from dynamorm_async.types import Request, Sealed

_NO_KEYS: Final = "is encrypted, and this Database has no keys: pass some, Database(keys=LocalKeyring(...))"
_NO_KEY: Final = "is encrypted by the key {key_id!r}, which is not among the Database's keys"
_KEY_FAILED: Final = "is encrypted, and its key could not be had ({failure})"
_NOT_AUTHENTIC: Final = "is not authentic: it was changed, or is the ciphertext of another item, attribute or table, or its key is another one of that name"
_NO_ITEM_KEY: Final = "is encrypted, and the item's key, which it is bound to, is not in the answer"
_FORGED: Final = "has a type tag that DynamoDB does not have: the answer was forged"

_ITEM_ENTRIES: Final = ("Item", "Attributes")
_ITEM_LISTS: Final = ("Items", "SearchResults", "Responses")
_OF_STATEMENTS: Final = ("BatchExecuteStatement", "ExecuteTransaction")


@final
class Opening(msgspec.Struct, frozen=True):
    """A ciphertext in an answer.

    Attributes:
        sealed: what is encrypted of its table.
        item: the item that it is in, which is changed.
        attribute: the attribute's name.
        key: what has the item's key among its attributes.
        sealing: the ciphertext.
        shown: whether people can come to see the item, which then has a value that no ``repr`` shows.
    """

    sealed: Sealed
    item: dict[str, Any]
    attribute: str
    key: Mapping[str, Any]
    sealing: Sealing
    shown: bool

    def settle(self, key: bytes | Exception | None, *, has_keys: bool) -> None:
        """Put what was encrypted in the place of the ciphertext, or why it cannot be read.

        Args:
            key: the data key; ``None`` where there is none of that id, or why it could not be had.
            has_keys: whether there are any keys.
        """
        content = self._content(key, has_keys=has_keys)
        if self.shown:
            self.item[self.attribute] = hidden({ENCRYPTED: Plaintext(self.attribute, content)})
        else:
            self.item[self.attribute] = {ENCRYPTED: content}

    def _content(self, key: bytes | Exception | None, *, has_keys: bool) -> dict[str, Any]:
        if isinstance(key, Exception):
            return {REFUSED: _KEY_FAILED.format(failure=f"{type(key).__name__}: {key}")}
        if key is None:
            key_id = self.sealing.key_id.decode(errors="replace")[:80]
            return {REFUSED: _NO_KEY.format(key_id=key_id) if has_keys else _NO_KEYS}
        try:
            context = bound_to(self.sealed, self.key, self.attribute)
        except ValueError:
            return {REFUSED: _NO_ITEM_KEY}
        content = unseal(key, context, self.sealing)
        return {REFUSED: _NOT_AUTHENTIC} if content is None else _value(content)


def openings(answer: dict[str, Any], request: Request) -> list[Opening]:
    """The ciphertexts of an answer. What stands where one should be, and is none, is left to the codec."""
    return [
        opening for sealed, item, key in _items(answer, request) for opening in _in_item(sealed, item, key, shown=False)
    ]


def opened_errors(error: ConditionFailed | TransactionCancelled, request: Request) -> list[Opening]:
    """The ciphertexts of the items that an error carries; it gets copies of these."""
    tables = by_table(request.sealed)
    if isinstance(error, TransactionCancelled):
        return _in_reasons(error, request, tables)
    if error.raw_item is None:
        return []
    sealed = tables.get(request.body.get("TableName", "")) or next(iter(tables.values()))
    item = dict[str, Any](error.raw_item)
    error.raw_item = item
    return list(_in_item(sealed, item, item, shown=True))


def _in_reasons(error: TransactionCancelled, request: Request, tables: Mapping[str, Sealed]) -> list[Opening]:
    reasons, found = [dict[str, Any](reason) for reason in error.reasons], list[Opening]()
    for reason, sealed in zip(reasons, _by_position(request, tables), strict=False):
        item = reason.get("Item")
        if isinstance(item, dict) and sealed is not None:
            copied = reason["Item"] = dict[str, Any](item)
            found += _in_item(sealed, copied, copied, shown=True)
    error.reasons = tuple(reasons)
    return found


def _items(answer: dict[str, Any], request: Request) -> Iterator[tuple[Sealed, dict[str, Any], Mapping[str, Any]]]:
    """The items of an answer, each with what has its key among its attributes."""
    tables = by_table(request.sealed)
    only = tables.get(request.body.get("TableName", "")) or (next(iter(tables.values())) if len(tables) == 1 else None)
    for entry in _ITEM_ENTRIES:
        single = answer.get(entry)
        if isinstance(single, dict) and only is not None:
            # What an update returns of changed attributes has no key; the request has it.
            keyed = all(name in single for name in only.key) or "Key" not in request.body
            yield only, single, single if keyed else request.body["Key"]
    for entry in _ITEM_LISTS:
        listed: object = answer.get(entry)
        if isinstance(listed, dict):  # of BatchGetItem, by table
            for table, items in listed.items():
                yield from ((tables[table], item, item) for item in items if table in tables and isinstance(item, dict))
        elif isinstance(listed, list):
            several = _by_position(request, tables) if entry == "Responses" else [only] * len(listed)
            for each, sealed in zip(listed, several, strict=False):
                item: Any = each if entry == "Items" else _inner(each)
                if isinstance(item, dict) and sealed is not None:
                    yield sealed, item, item


def _inner(response: Any) -> Any:  # an entry of a list of answers; its item
    """The item of one of several answers, or of the error that it is."""
    if not isinstance(response, dict):
        return None
    failure = response.get("Error")
    return failure.get("Item") if isinstance(failure, dict) else response.get("Item")


def _by_position(request: Request, tables: Mapping[str, Sealed]) -> list[Sealed | None]:
    """What is encrypted in the item of each action or statement of a request."""
    if request.operation in _OF_STATEMENTS:
        return list(request.sealed)
    actions: list[dict[str, dict[str, Any]]] = request.body.get("TransactItems", [])
    return [tables.get(part.get("TableName", "")) for action in actions for part in action.values()]


def _in_item(sealed: Sealed, item: dict[str, Any], key: Mapping[str, Any], *, shown: bool) -> Iterator[Opening]:
    for name in sealed.attributes & item.keys():
        value = item[name]
        if not isinstance(value, Mapping):
            continue
        if ENCRYPTED in value:
            item[name] = {ENCRYPTED: {REFUSED: _FORGED}}
            continue
        sealing = _sealing(value)
        if sealing is not None:
            yield Opening(sealed, item, name, key, sealing, shown)


def _sealing(value: Mapping[str, Any]) -> Sealing | None:
    content = value.get("B") if len(value) == 1 else None
    if not isinstance(content, str):
        return None
    try:
        return parse(base64.b64decode(content, validate=True))
    except (binascii.Error, ValueError):
        return None


def _value(content: bytes) -> dict[str, Any]:
    """The AttributeValue that was encrypted."""
    try:
        return msgspec.json.decode(content, type=dict[str, Any])
    except msgspec.DecodeError:  # authentic, and not of this library's making
        return {REFUSED: "was encrypted by something else than this library"}
