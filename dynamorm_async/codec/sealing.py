"""The ciphertext of one value: its format, its key, and what it is bound to. Pure: keys and nonces are given.

A ciphertext is ``magic, version, length of the key's id, the key's id, nonce, AES-256-GCM``. The key of the cipher is derived
from the data key for one attribute of one item, so that the random nonces of 96 bits are counted per attribute and item
(2^32 writes of that one value), not over everything that a data key ever encrypts. What it is bound to goes into that key and
into the authenticated data, with all that stands before the nonce.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, final

import msgspec

from dynamorm_async.codec.identity import Part
from dynamorm_async.errors import ConfigurationError

MAGIC: Final = b"\xdeDE"
NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32
MAX_KEY_ID_BYTES: Final = 1024

_VERSION: Final = b"\x01"
_HEAD: Final = MAGIC + _VERSION
_TAG_BYTES: Final = 16
_PURPOSE: Final = b"dynamorm-async encrypted attribute 1"


@final
class Sealing(msgspec.Struct, frozen=True):
    """A ciphertext taken apart.

    Attributes:
        head: all that stands before the nonce.
        key_id: the id of the data key.
        nonce: the nonce.
        text: the encrypted content with its tag.
    """

    head: bytes
    key_id: bytes
    nonce: bytes
    text: bytes


def context_of(table: str, key_names: Sequence[str], key: Sequence[Part], attribute: str) -> bytes:
    """What a ciphertext is bound to, in one way of writing.

    Args:
        table: the table's name as DynamoDB knows it.
        key_names: the names of the table's key attributes.
        key: their values, each as ``codec.identity`` writes it: 1 and 1.0 are one key.
        attribute: the attribute's name in DynamoDB.
    """
    parts = [b"T", table.encode(), b"A", attribute.encode()]
    for name, part in zip(key_names, key, strict=True):
        tag, content = (
            (b"S", part.encode())
            if isinstance(part, str)
            else (b"B", part)
            if isinstance(part, bytes)
            else (b"N", part[0].encode())
        )
        parts += [b"K", name.encode(), tag, content]
    return b"".join(len(part).to_bytes(4) + part for part in parts)


def seal(key: bytes, key_id: bytes, context: bytes, nonce: bytes, content: bytes) -> bytes:
    """A ciphertext.

    Args:
        key: the data key, 32 bytes.
        key_id: what it is found by again.
        context: what the ciphertext is bound to.
        nonce: 12 random bytes, used once.
        content: what is encrypted.
    """
    head = _HEAD + len(key_id).to_bytes(2) + key_id
    return head + nonce + bytes(_cipher(key, context).encrypt(nonce, content, head + context))


def parse(data: bytes) -> Sealing | None:
    """A ciphertext taken apart; ``None`` where it is none of a version that is known, or was cut."""
    start = len(_HEAD) + 2
    if not data.startswith(_HEAD) or len(data) < start:
        return None
    end = start + int.from_bytes(data[len(_HEAD) : start])
    if len(data) < end + NONCE_BYTES + _TAG_BYTES:
        return None
    return Sealing(data[:end], data[start:end], data[end : end + NONCE_BYTES], data[end + NONCE_BYTES :])


def unseal(key: bytes, context: bytes, sealing: Sealing) -> bytes | None:
    """What was encrypted; ``None`` where anything was changed, or it is bound to something else."""
    try:
        return bytes(_cipher(key, context).decrypt(sealing.nonce, sealing.text, sealing.head + context))
    except aead()[1]:
        return None


@lru_cache(maxsize=1)
def aead() -> tuple[Any, type[Exception]]:
    """The cipher's class, and its error for what is not authentic. ``cryptography`` is an extra, imported when needed.

    Raises:
        ConfigurationError: it is not installed.
    """
    try:
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra
    except ImportError:
        raise ConfigurationError(
            'encrypted attributes need the package cryptography: install "dynamorm-async[crypto]"'
        ) from None
    return AESGCM, InvalidTag


def _cipher(key: bytes, context: bytes) -> Any:  # an AESGCM
    # One block of HKDF-Expand (RFC 5869): a data key is uniformly random, so that nothing is to be extracted first.
    derived = hmac.digest(key, _PURPOSE + context + b"\x01", "sha256")
    return aead()[0](derived)
