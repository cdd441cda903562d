"""Values of encrypted attributes while they are in the program, and the shape of such an attribute.

The codec sees plaintexts only. They stand under a type tag that DynamoDB does not have: what leaves the program without
having been encrypted is refused by the encoder of requests, and what comes in without having been decrypted is no value.
"""

from __future__ import annotations

# Values of any type pass through here, so their types are unknown to a checker.
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false, reportUnknownMemberType=false
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import msgspec

from dynamorm_async.codec.compare import same_value
from dynamorm_async.codec.depth import check_depth
from dynamorm_async.codec.hidden import MASK, MISREAD, hidden
from dynamorm_async.codec.misfit import Misfit
from dynamorm_async.codec.names import Names
from dynamorm_async.codec.shapes import Shape, attribute_dump, attribute_lift, attribute_wire
from dynamorm_async.errors import DecodeError, DecryptError, Problem
from dynamorm_async.types import AttributeValue

ENCRYPTED: Final = "ENCRYPTED"
"""The type tag of a value that is to be encrypted, or was decrypted."""

REFUSED: Final = "refused"
"""The entry that stands in place of a value that could not be decrypted: why."""

OVERHEAD: Final = 64
"""Bytes of a ciphertext beside its plaintext, with a key's id of usual length."""


@final
class Plaintext(Mapping[str, Any]):
    """The value of an encrypted attribute: an AttributeValue that no encoder takes and no ``repr`` shows.

    Args:
        attribute: the attribute's name in DynamoDB; empty where nothing says so.
        value: the AttributeValue.

    Attributes:
        sealed: by which key and for which place it was encrypted last, and the ciphertext: a request that is made again is
            the same.
    """

    __slots__ = ("_value", "attribute", "sealed")

    def __init__(self, attribute: str, value: AttributeValue) -> None:
        self.attribute = attribute
        self._value = value
        self.sealed: tuple[tuple[bytes, bytes], bytes] | None = None

    def __getitem__(self, tag: str) -> Any:  # the content of an AttributeValue
        return self._value[tag]

    def __iter__(self) -> Iterator[str]:
        return iter(self._value)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and same_value(self._value, dict(other))

    __hash__ = None  # type: ignore[assignment]  # as of any mapping

    def __repr__(self) -> str:
        return f"Plaintext({MASK})"

    def __reduce__(self) -> tuple[type[Plaintext], tuple[str, AttributeValue]]:
        return Plaintext, (self.attribute, self._value)

    def content(self) -> bytes:
        """What is encrypted: the AttributeValue as DynamoDB's JSON."""
        return msgspec.json.encode(self._value)


def revealed(value: object) -> Mapping[str, Any]:
    """For JSON that stays inside the program: the value of a plaintext.

    Raises:
        NotImplementedError: it is something else that has no JSON.
    """
    if isinstance(value, Plaintext):
        return dict(value)
    raise NotImplementedError(f"a {type(value).__name__} has no JSON")


def sized(value: object) -> bytes:
    """For JSON whose length counts: as many bytes as the ciphertext of a plaintext has.

    Raises:
        NotImplementedError: it is something else that has no JSON.
    """
    if isinstance(value, Plaintext):
        return bytes(OVERHEAD + len(value.content()))
    raise NotImplementedError(f"a {type(value).__name__} has no JSON")


@final
class Undecrypted(Problem):
    """One attribute that could not be decrypted, or that was not encrypted."""

    __slots__ = ()


def renamed(attribute: str, value: AttributeValue) -> AttributeValue:
    """A value as one of an attribute; any but a plaintext is the same anywhere."""
    content: object = value.get(ENCRYPTED)
    if not isinstance(content, Plaintext):
        return value
    return hidden({ENCRYPTED: Plaintext(attribute, dict(content))})


def decode_error(model: str, key: Mapping[str, object], problems: Sequence[Problem]) -> DecodeError:
    """The error of an item with these problems: a ``DecryptError`` where one is of an encrypted attribute."""
    kind = DecryptError if any(isinstance(problem, Undecrypted) for problem in problems) else DecodeError
    return kind(model, key, problems)


class EncryptedShape(Shape):
    """How the values of an encrypted attribute stand in the program. ``None`` is not encrypted."""

    @property
    def encrypted(self) -> bool:
        """Whether DynamoDB sees ciphertexts of its values only."""
        return True

    def decode(self, value: Mapping[str, Any]) -> Any:  # of the shape's type
        """Decrypted value to value.

        Raises:
            Misfit: it was not encrypted, could not be decrypted, or does not fit; the value is not in the message.
        """
        if not (self.optional and value == {"NULL": True}):
            check_decrypted(value)
        try:
            return Shape.decode(self, value)
        except Exception:  # noqa: BLE001 - hooks raise what they like, and may quote the value
            raise Misfit([Problem("", MISREAD)]) from None


def check_decrypted(value: object) -> None:
    """Refuse what is not the plaintext of a ciphertext that was bound to just this place.

    Raises:
        Misfit: it is something else; the message says what.
    """
    opened = value.get(ENCRYPTED) if isinstance(value, Mapping) and len(value) == 1 else None
    if not isinstance(opened, Mapping):
        message = (
            "is not a ciphertext of this library, but the attribute is encrypted(): it was written by something else, or "
            "before the attribute was encrypted"
        )
    elif REFUSED in opened:
        message = str(opened[REFUSED])
    else:
        return
    raise Misfit([Undecrypted("", message)])


def encrypted_shape(inner: Shape, hint: Any, attribute: str, *, optional: bool) -> EncryptedShape:
    """The shape of an encrypted attribute.

    Args:
        inner: how its values would be stored otherwise, without ``None``.
        hint: its type.
        attribute: its name in DynamoDB.
        optional: whether ``None`` is a value.
    """

    def dump(source: str, names: Names) -> str:
        return f"{names.bind(_plaintexts(attribute), 'plaintext')}({attribute_dump(inner, source, names)})"

    def lift(source: str, names: Names) -> str:
        return attribute_lift(inner, source, names)

    return EncryptedShape(hint, ENCRYPTED, lambda: attribute_wire(inner), dump, lift, optional=optional, hidden=True)


def _plaintexts(attribute: str) -> Callable[[AttributeValue], Plaintext]:
    def plaintext(value: AttributeValue) -> Plaintext:
        check_depth(value)  # DynamoDB would not see it, but what is read is looked at the same way
        return Plaintext(attribute, value)

    return plaintext
