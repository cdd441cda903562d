"""AWS Signature Version 4 for DynamoDB's one kind of request: a JSON POST to the root path."""

from __future__ import annotations

import hmac
import re
import time
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import msgspec

from dynamorm_async.errors import ConfigurationError, CredentialsError
from dynamorm_async.transport.base import Credentials

if TYPE_CHECKING:
    from _hashlib import HASH

_TARGET: Final = "DynamoDB_20120810."
_CONTENT_TYPE: Final = "application/x-amz-json-1.0"
# Anything else could end a header line and start another.
_HEADER_SAFE: Final = re.compile(r"[!-~]+")
# HMAC (RFC 2104) of keys of up to one block; these turn a key into what is hashed before the text and before its hash.
_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class _Stamp(msgspec.Struct, frozen=True):
    """All that requests of one second, under one set of keys, have in common.

    What they have in common at the start of a text is hashed already: a request goes on from a copy of the hash. Three such
    copies cost half of what ``hmac.digest`` and the hashes of whole texts do.
    """

    head: bytes  # the request up to the operation's name
    authorization: bytes  # from behind the operation's name up to the signature
    canonical: HASH  # of the canonical request up to the operation's name
    signed_headers: bytes  # from behind the operation's name up to the body's hash
    inner: HASH  # of the HMAC's inner text: the key, and the string to sign up to the hash of the canonical request
    outer: HASH  # of the HMAC's outer text up to the inner hash: the key

    def __repr__(self) -> str:  # it holds a signing key and the session token
        return "<_Stamp>"


class Signer:
    """Signs requests to one endpoint and writes them out as HTTP/1.1.

    Keeps the signing key for a day and everything that holds for a second, so that a request costs the hash of its body
    and the ends of three more. It is not safe to share between threads.

    Args:
        host: the value of the Host header: the name, with the port where it is not the scheme's own.
        region: the region to sign for.
        user_agent: the value of the User-Agent header.
        service: the service to sign for.

    Raises:
        ConfigurationError: the host, region or user agent cannot stand in a header.
    """

    def __init__(self, host: str, region: str, *, user_agent: str, service: str = "dynamodb") -> None:
        for name, value in (("host", host), ("region", region), ("user agent", user_agent.replace(" ", "_"))):
            if not _HEADER_SAFE.fullmatch(value):
                raise ConfigurationError(f"the {name} {value!r} has characters that cannot stand in an HTTP header")
        self._host = host
        self._region = region
        self._service = service
        self._user_agent = user_agent
        self._second = -1
        self._credentials: Credentials | None = None
        self._stamp: _Stamp | None = None
        self._key_of: tuple[Credentials, str] | None = None
        self._key = b""

    def sign(self, credentials: Credentials, operation: str, body: bytes, now: float) -> bytes:
        """One whole request, ready to be written to a connection.

        Args:
            credentials: the keys to sign with.
            operation: the operation, for example ``GetItem``.
            body: the JSON body.
            now: the time in seconds since the epoch, as DynamoDB sees it.

        Returns:
            Request line, headers and body.

        Raises:
            CredentialsError: the access key or the token cannot stand in a header.
        """
        stamp = self._stamp
        second = int(now)
        if stamp is None or second != self._second or credentials is not self._credentials:
            stamp = self._renew(credentials, second)
        target = operation.encode("ascii")
        canonical, inner, outer = stamp.canonical.copy(), stamp.inner.copy(), stamp.outer.copy()
        canonical.update(b"".join((target, stamp.signed_headers, sha256(body).hexdigest().encode())))
        inner.update(canonical.hexdigest().encode())
        outer.update(inner.digest())
        tail = f"{outer.hexdigest()}\r\ncontent-length: {len(body)}\r\n\r\n".encode()
        return b"".join((stamp.head, target, stamp.authorization, tail, body))

    def _renew(self, credentials: Credentials, second: int) -> _Stamp:
        token = credentials.token
        if not _HEADER_SAFE.fullmatch(credentials.access_key) or (token and not _HEADER_SAFE.fullmatch(token)):
            raise CredentialsError(
                f"the access key or session token of {credentials!r} has a space, a line break or another character "
                "that AWS keys never have; check how they were copied"
            )
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        scope = f"{date[:8]}/{self._region}/{self._service}/aws4_request"
        token_line = f"x-amz-security-token:{token}\n" if token else ""
        token_header = f"x-amz-security-token: {token}\r\n" if token else ""
        names = f"content-type;host;x-amz-date;{'x-amz-security-token;' if token else ''}x-amz-target"
        authorization = f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={names}"
        key = self._signing_key(credentials, date[:8]).ljust(_BLOCK, b"\0")
        stamp = _Stamp(
            head=(
                f"POST / HTTP/1.1\r\nhost: {self._host}\r\ncontent-type: {_CONTENT_TYPE}\r\naccept-encoding: identity\r\n"
                f"user-agent: {self._user_agent}\r\nx-amz-date: {date}\r\n"
                f"{token_header}x-amz-target: {_TARGET}"
            ).encode("ascii"),
            authorization=f"\r\nauthorization: {authorization}, Signature=".encode("ascii"),
            canonical=_hash_of(
                f"POST\n/\n\ncontent-type:{_CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{date}\n"
                f"{token_line}x-amz-target:{_TARGET}"
            ),
            signed_headers=f"\n\n{names}\n".encode("ascii"),
            inner=_hash_of(f"AWS4-HMAC-SHA256\n{date}\n{scope}\n", after=key.translate(_INNER)),
            outer=_hash_of("", after=key.translate(_OUTER)),
        )
        self._stamp, self._second, self._credentials = stamp, second, credentials
        return stamp

    def _signing_key(self, credentials: Credentials, day: str) -> bytes:
        if self._key_of is None or self._key_of[0] is not credentials or self._key_of[1] != day:
            key = f"AWS4{credentials.secret_key}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key, self._key_of = key, (credentials, day)
        return self._key


def _hash_of(text: str, *, after: bytes = b"") -> HASH:
    """The hash of a text that goes on, and of what stands before it."""
    return sha256(after + text.encode("ascii"))
