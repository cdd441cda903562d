"""Items as JSON that people and tools can read, and that reads back as exactly the same item.

Text, booleans, null, lists and maps are JSON's own. A number is a JSON number, digit by digit as DynamoDB has it. What JSON
has not is an object of one entry whose name begins with ``$``: ``{"$bytes": "base64"}``, ``{"$strings": [...]}``,
``{"$numbers": [...]}``, ``{"$binaries": [...]}`` for sets, ``{"$encrypted": value}``, and ``{"$map": {...}}`` for a map whose own
names begin with ``$``.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
import base64
import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn

import msgspec

from dynamorm_async.codec.encrypted import ENCRYPTED
from dynamorm_async.types import AttributeValue, RawItem

_JSON_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?\Z", re.ASCII)
_SETS: Final = {"$strings": "SS", "$numbers": "NS", "$binaries": "BS"}
_SET_NAMES: Final = {tag: name for name, tag in _SETS.items()}


class _Number(str):
    """A number of a line, as it is written there."""

    __slots__ = ()


def encode_item(item: RawItem) -> bytes:
    """An item as one line of JSON, without its end.

    Args:
        item: attribute name to AttributeValue; binary content as ``bytes`` or in base64.
    """
    return msgspec.json.encode({name: _plain(value) for name, value in item.items()})


def parse_line(line: bytes) -> dict[str, Any]:
    """A line as JSON whose numbers are kept as they are written.

    Raises:
        ValueError: it is no JSON object, nests too deep, or has one name twice; the message says what is wrong.
    """
    try:
        parsed = json.loads(
            line.decode(),
            parse_int=_Number,
            parse_float=_Number,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique_names,
        )
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except json.JSONDecodeError as error:  # its message has no part of the line
        raise ValueError(f"is not JSON: {error.msg} at column {error.colno}") from None
    except RecursionError:
        raise ValueError("nests too deep") from None
    if not isinstance(parsed, dict):
        raise ValueError("is not a JSON object")  # noqa: TRY004 - as whatever else is wrong with a line
    return parsed


def decode_item(parsed: Mapping[str, Any]) -> dict[str, AttributeValue]:
    """The item of a parsed line, in DynamoDB's JSON form: binary content in base64.

    Raises:
        ValueError: an object with a name that begins with ``$`` is none of those that are known.
    """
    return {name: _attribute_value(value) for name, value in parsed.items()}


def _plain(value: AttributeValue) -> Any:  # noqa: PLR0911 - one return a type tag
    ((tag, content),) = value.items()
    if tag in ("S", "BOOL"):
        return content
    if tag == "N":
        return _number(content)
    if tag == "NULL":
        return None
    if tag == "L":
        return [_plain(element) for element in content]
    if tag == "M":
        entries = {name: _plain(element) for name, element in content.items()}
        return {"$map": entries} if any(name.startswith("$") for name in entries) else entries
    if tag == "B":
        return {"$bytes": _base64(content)}
    if tag == ENCRYPTED:
        return {"$encrypted": _plain(dict(content))}
    return {_SET_NAMES[tag]: [_ELEMENTS[tag](element) for element in content]}


def _number(text: str) -> Any:  # what msgspec encodes
    """A number as it stands in JSON; one that JSON would not write so is an object."""
    return msgspec.Raw(text.encode()) if _JSON_NUMBER.match(text) else {"$number": text}


def _base64(content: bytes | str) -> str:
    return content if isinstance(content, str) else base64.b64encode(content).decode()


_ELEMENTS: Final[Mapping[str, Callable[[Any], Any]]] = {"SS": str, "NS": _number, "BS": _base64}


def _attribute_value(value: Any) -> AttributeValue:  # noqa: PLR0911 - one return a type of JSON
    if isinstance(value, _Number):
        return {"N": str(value)}
    if isinstance(value, str):
        return {"S": value}
    if value is None:
        return {"NULL": True}
    if isinstance(value, bool):
        return {"BOOL": value}
    if isinstance(value, list):
        return {"L": [_attribute_value(element) for element in value]}
    special = next((name for name in value if name.startswith("$")), None)
    if special is None:
        return {"M": {name: _attribute_value(element) for name, element in value.items()}}
    if len(value) != 1:
        raise ValueError(
            f"has an object with {special!r} and other names: a map with such a name is an object of '$map'"
        )
    return _special(special, value[special])


def _special(name: str, content: Any) -> AttributeValue:  # any JSON
    if name == "$bytes" and _is_text(content):
        return {"B": _checked_base64(content)}
    if name == "$number" and _is_text(content):
        return {"N": content}
    if name == "$map" and isinstance(content, dict):
        return {"M": {key: _attribute_value(element) for key, element in content.items()}}
    if name == "$encrypted":
        return {ENCRYPTED: _attribute_value(content)}
    tag = _SETS.get(name)
    if tag is None or not isinstance(content, list):
        raise ValueError(f"has an object {name!r} that is none of this format")
    return {tag: [_element(tag, element) for element in content]}


def _element(tag: str, element: Any) -> str:  # any JSON
    if tag == "NS":
        if isinstance(element, _Number):
            return str(element)
        if isinstance(element, dict) and element.keys() == {"$number"} and _is_text(element["$number"]):
            return str(element["$number"])
    elif _is_text(element):
        return element if tag == "SS" else _checked_base64(element)
    raise ValueError(f"has an element in a set of {_SET_NAMES[tag].removeprefix('$')} that is none")


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, _Number)


def _checked_base64(text: str) -> str:
    try:
        base64.b64decode(text, validate=True)
    except ValueError:
        raise ValueError("has binary content that is not base64") from None
    return text


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"has {name}, which is no JSON and no number of DynamoDB's")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # any JSON
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("has an object with one name twice")
    return found
