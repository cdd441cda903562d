"""Cursors: where a reading goes on, as text that can be handed to a client and taken back.

A cursor is bound to its query: table, index, direction, conditions and segments. With secrets it is encrypted and
authenticated (AES-256-GCM), because the position can be the key of an item that a filter dropped, and so another
tenant's. Without secrets it is readable, and checked for damage and against the query only: not for clients that are not trusted.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from dynamorm_async.errors import ConfigurationError, CursorError, UsageError
from dynamorm_async.plan.hiding import NOW
from dynamorm_async.types import AttributeValue

_PLAIN: Final = b"\x01"
_SEALED: Final = b"\x02"
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_DIGEST_BYTES: Final = 8
_MAX_TEXT: Final = 4 * 1024 * 1024  # a thousand segments take a tenth of a megabyte
_MIN_SECRET_BYTES: Final = 16
_MAX_LIFETIME: Final = 100 * 366 * 86_400.0


class Position(msgspec.Struct, frozen=True, omit_defaults=True):
    """How far one part of a reading is: at its start, after a key, or at its end.

    Attributes:
        key: the key after which it goes on, as AttributeValues.
        done: whether there is nothing left.
    """

    key: dict[str, AttributeValue] | None = None
    done: bool = False


class _Content(msgspec.Struct, frozen=True, array_like=True):
    fingerprint: bytes
    expires: int
    positions: list[Position]


class CursorCodec:
    """Makes cursors and takes them back.

    Args:
        secrets: with the first, cursors are made; with any, they are taken. Empty: cursors are readable.
        lifetime: seconds that a cursor is good for.
        now: seconds since the epoch.

    Raises:
        ConfigurationError: a secret is too short or no text or bytes, the lifetime is no number of seconds, or the
            package ``cryptography`` is missing.
    """

    def __init__(self, secrets: Sequence[str | bytes], *, lifetime: float, now: Callable[[], float]) -> None:
        if isinstance(secrets, (str, bytes)):
            raise ConfigurationError("cursor secrets are a list of secrets, also where there is one: write [secret]")
        if not 0 < lifetime <= _MAX_LIFETIME:
            raise ConfigurationError(
                f"a cursor's lifetime is a number of seconds over 0, a century at most: {lifetime}"
            )
        self._ciphers = [_cipher(secret) for secret in secrets]
        self._lifetime = lifetime
        self._now = now

    def encode(self, bound_to: bytes, positions: Sequence[Position]) -> str:
        """The cursor of a reading.

        Args:
            bound_to: the fingerprint of the reading.
            positions: how far each of its parts is.

        Raises:
            UsageError: it has too many parts for a cursor of at most 4 MB.
        """
        content = msgspec.msgpack.encode(_Content(bound_to, int(self._now() + self._lifetime), list(positions)))
        text = _text(self._close(content, bound_to))
        if len(text) > _MAX_TEXT:
            raise UsageError(f"a cursor of {len(positions)} parts has {len(text)} bytes, over 4 MB: read fewer at once")
        return text

    def decode(self, bound_to: bytes, text: str) -> list[Position]:
        """How far each part of a reading is.

        Args:
            bound_to: the fingerprint of the reading.
            text: the cursor.

        Raises:
            CursorError: it is not a cursor, was changed, is of another query, has expired, or was made with
                another secret.
        """
        data = self._open(_bytes(text), bound_to)
        try:
            content = msgspec.msgpack.decode(data, type=_Content)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            raise CursorError("this is not a cursor of this library, or it was cut") from None
        if not hmac.compare_digest(content.fingerprint, bound_to):
            raise CursorError(
                "the cursor belongs to another query: table, index, direction, conditions or segments differ"
            )
        if content.expires < self._now():
            raise CursorError("the cursor has expired: begin again at the first page")
        return content.positions

    def _close(self, content: bytes, bound_to: bytes) -> bytes:
        if not self._ciphers:
            return _PLAIN + _digest(content) + content
        key_id, cipher = self._ciphers[0]
        nonce = os.urandom(_NONCE_BYTES)
        head = _SEALED + key_id
        return head + nonce + cipher.encrypt(nonce, content, head + bound_to)

    def _open(self, data: bytes, bound_to: bytes) -> bytes:
        kind, rest = data[:1], data[1:]
        if not self._ciphers:
            if kind != _PLAIN:
                raise CursorError("this is not a cursor that this Database made: it has no cursor secrets")
            digest, content = rest[:_DIGEST_BYTES], rest[_DIGEST_BYTES:]
            if digest != _digest(content):
                raise CursorError("the cursor was changed or cut")
            return content
        if kind != _SEALED or len(rest) < _KEY_ID_BYTES + _NONCE_BYTES:
            raise CursorError("this is not a cursor that this Database made, or it was cut")
        key_id, nonce, sealed = (
            rest[:_KEY_ID_BYTES],
            rest[_KEY_ID_BYTES:][:_NONCE_BYTES],
            rest[_KEY_ID_BYTES + _NONCE_BYTES :],
        )
        for known, cipher in self._ciphers:
            if hmac.compare_digest(known, key_id):
                opened = cipher.decrypt(nonce, sealed, kind + key_id + bound_to)
                if opened is not None:
                    return opened
        raise CursorError(
            "the cursor was changed, belongs to another query, or was made with a secret that is no longer known"
        )


def fingerprint(bodies: Sequence[Mapping[str, Any]], leaves_out: Sequence[str] = ()) -> bytes:
    """What makes two readings the same: which items they go through, in which order, in which parts.

    Not how: neither page size, projection, consistency nor reports; nor when, which tells items that have expired.
    """
    bound = [*map(_bound, bodies), *leaves_out]
    return hashlib.sha256(msgspec.json.encode(bound, order="deterministic")).digest()


_EXPRESSIONS: Final = ("KeyConditionExpression", "FilterExpression")
_BOUND: Final = (
    *("TableName", "IndexName", "ScanIndexForward", "Segment", "TotalSegments"),
    *(*_EXPRESSIONS, "ExpressionAttributeValues"),
)


def _bound(body: Mapping[str, Any]) -> dict[str, Any]:
    bound = {name: body[name] for name in _BOUND if name in body}
    values = bound.get("ExpressionAttributeValues")
    if values and NOW in values:
        bound["ExpressionAttributeValues"] = {name: value for name, value in values.items() if name != NOW}
    # A projection has names, too, which may change.
    aliases = re.findall(r"#n\d+", " ".join(body.get(name, "") for name in _EXPRESSIONS))
    names = body.get("ExpressionAttributeNames", {})
    return bound | {"names": {alias: names[alias] for alias in aliases}}


def _digest(content: bytes) -> bytes:
    """Tells damage, not forgery: anybody can make it."""
    return hashlib.sha256(content).digest()[:_DIGEST_BYTES]


class _Cipher:
    """AES-256-GCM under one key, with failures told as ``None``."""

    def __init__(self, key: bytes) -> None:
        try:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - an extra
        except ImportError:
            raise ConfigurationError(
                'cursor secrets need the package cryptography: install "dynamorm-async[crypto]"'
            ) from None
        self._aead = AESGCM(key)
        self._invalid = InvalidTag

    def encrypt(self, nonce: bytes, content: bytes, bound_to: bytes) -> bytes:
        """Encrypted and authenticated."""
        return self._aead.encrypt(nonce, content, bound_to)

    def decrypt(self, nonce: bytes, sealed: bytes, bound_to: bytes) -> bytes | None:
        """The content, or ``None`` where anything was changed."""
        try:
            return self._aead.decrypt(nonce, sealed, bound_to)
        except self._invalid:
            return None


def _cipher(secret: str | bytes) -> tuple[bytes, _Cipher]:
    if not isinstance(secret, (str, bytes)):  # pyright: ignore[reportUnnecessaryIsInstance]  # callers may be untyped
        raise ConfigurationError("a cursor secret is text or bytes: use secrets.token_urlsafe(32)")
    material = secret.encode() if isinstance(secret, str) else secret
    if len(material) < _MIN_SECRET_BYTES:
        raise ConfigurationError(
            f"a cursor secret has at least {_MIN_SECRET_BYTES} bytes: use secrets.token_urlsafe(32)"
        )
    # One secret gives two unrelated values: the key, and a name for it that tells nothing of it.
    key = hmac.digest(material, b"dynamorm cursor key", "sha256")
    return hmac.digest(material, b"dynamorm cursor key id", "sha256")[:_KEY_ID_BYTES], _Cipher(key)


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    if not text or len(text) > _MAX_TEXT:
        raise CursorError("this is not a cursor of this library, or it was cut")
    try:
        data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise CursorError("this is not a cursor of this library, or it was cut") from None
    if _text(data) != text:  # several texts can stand for the same bytes; only one of them was made here
        raise CursorError("the cursor was changed")
    return data
